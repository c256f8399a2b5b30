//! What a listing that isn't whole doesn't name isn't gone (invariant I10), whatever people do meanwhile.

use super::*;
use crate::{
    blobs::Blobs,
    engine::{Engine, Part},
};
use pim::{FolderKind, Format};
use std::path::Path;
use stores::{
    Href,
    memory::{MemoryOptions, MemoryStore, MemoryStoreHandle},
};
use sync::replica::Settings;

/// After this long something missing counts as deleted.
const ABSENCE: Duration = Duration::from_millis(30);

/// SplitMix64, so that a story is its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % bound as u64) as usize
    }

    fn pick<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        (!among.is_empty()).then(|| among[self.below(among.len())].clone())
    }
}

fn card(number: usize, phone: usize) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u{number}\r\nFN:Number {number}\r\nTEL:{phone}\r\nEND:VCARD\r\n")
        .into_bytes()
}

/// Reads everything, twice and as long apart as something has to be missing.
async fn read(engine: &Engine) {
    for _ in 0..3 {
        read_once(engine).await;
        tokio::time::sleep(ABSENCE).await;
    }
}

async fn read_once(engine: &Engine) {
    engine.run(Room::read_now).await.unwrap();
    // What goes on missing in a folder that can't be listed keeps the reading from ever being quiet.
    let is_done = |room: &mut Room| room.reading.current.is_none() && !room.reading.is_all_due;
    let begun = Instant::now();
    while !engine.run(is_done).await.unwrap() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the store isn't read");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn start(folder: &Path, store: MemoryStore) -> Engine {
    let blobs = Blobs::in_folder(&folder.join("blobs")).unwrap();
    let make = move |_| -> Box<dyn stores::Store> { Box::new(store) };
    let index = folder.join("index.db");
    Engine::start(Part::Server, index, blobs, make, Settings::default(), true, String::new()).unwrap().0
}

/// What the engine knows to be in the store, by folder.
async fn known(engine: &Engine) -> BTreeMap<FolderId, BTreeSet<String>> {
    let known = |room: &mut Room| {
        let index = room.index.replica();
        let folders = index.folders().unwrap().into_iter();
        let mut known = BTreeMap::new();
        for (uid, local) in folders.filter_map(|(uid, record)| Some((uid, record.local?))) {
            let hrefs = index.local_items(uid).unwrap().into_iter().map(|(_, local)| local.href).collect();
            known.insert(FolderId(local.id), hrefs);
        }
        known
    };
    engine.run(known).await.unwrap()
}

fn there(person: &MemoryStoreHandle, folder: &FolderId) -> BTreeSet<String> {
    person.items(folder).into_iter().map(|(href, _, _)| href.0).collect()
}

async fn story(folder: &Path, seed: u64) {
    let mut chance = Chance(seed);
    let options = MemoryOptions { absence_wait_ms: ABSENCE.as_millis() as u64, ..MemoryOptions::default() };
    let (store, person) = MemoryStore::new(options);
    let folders: Vec<FolderId> =
        ["One", "Two", "Three"].iter().map(|name| person.add_folder(None, name, FolderKind::Contacts)).collect();
    let mut number = 0;
    let mut add = |to: &FolderId| {
        number += 1;
        person.add(to, &format!("{number}.vcf"), Format::VCard, &card(number, 0))
    };
    for _ in 0..24 {
        add(&chance.pick(&folders).unwrap());
    }
    let engine = start(folder, store);
    read(&engine).await;

    for round in 0..4 {
        let before = known(&engine).await;
        // Some can't be read, from now on or while something else happens.
        let mut unreadable: BTreeMap<Href, FolderId> = BTreeMap::new();
        for folder in &folders {
            if chance.below(2) == 0 {
                let hrefs: Vec<Href> = person.items(folder).into_iter().map(|(href, _, _)| href).collect();
                for _ in 0..=chance.below(3) {
                    unreadable.extend(chance.pick(&hrefs).map(|href| (href, folder.clone())));
                }
            }
        }
        unreadable.keys().for_each(|href| person.set_readable(href, false));
        let partial: BTreeSet<&FolderId> = unreadable.values().collect();
        let (mut added, mut moved) = (Vec::new(), BTreeSet::new());
        for _ in 0..1 + chance.below(8) {
            let from = chance.pick(&folders).unwrap();
            let hrefs: Vec<Href> = person.items(&from).into_iter().map(|(href, _, _)| href).collect();
            let free: Vec<Href> = hrefs.into_iter().filter(|href| !unreadable.contains_key(href)).collect();
            match (chance.below(4), chance.pick(&free)) {
                (0, Some(href)) => person.delete(&href),
                (1, Some(href)) => person.edit(&href, &card(1000 + round, chance.below(1000))),
                (2, Some(href)) => {
                    person.move_item(&href, &chance.pick(&folders).unwrap());
                    moved.insert(href.0);
                }
                _ => added.push((from.clone(), add(&from).0)),
            }
        }
        read(&engine).await;
        let now = known(&engine).await;
        for folder in &folders {
            if partial.contains(folder) {
                // Neither deleted items nor unreadable ones are concluded to be gone; what moved was found elsewhere.
                let lost: Vec<&String> = before[folder].difference(&now[folder]).collect();
                assert!(lost.iter().all(|href| moved.contains(*href)), "seed {seed}, round {round}: {lost:?}");
            } else {
                assert_eq!(
                    now[folder],
                    there(&person, folder),
                    "seed {seed}, round {round}: {folder:?} was seen whole"
                );
            }
        }
        for (folder, href) in added {
            let is_there = person.items(&folder).iter().any(|(there, _, _)| there.0 == href);
            assert!(!is_there || now[&folder].contains(&href), "seed {seed}, round {round}: {href} was seen whole");
        }

        unreadable.keys().for_each(|href| person.set_readable(href, true));
        read(&engine).await;
        let now = known(&engine).await;
        for folder in &folders {
            assert_eq!(now[folder], there(&person, folder), "seed {seed}, round {round}: afterwards");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_listing_that_is_not_whole_does_not_name_is_not_gone() {
    for seed in 1..=8 {
        let folder = tempfile::tempdir().unwrap();
        story(folder.path(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_bit_by_bit_is_gone_at_once() {
    let absence = 10 * ABSENCE;
    let options = MemoryOptions { absence_wait_ms: absence.as_millis() as u64, ..MemoryOptions::default() };
    let (store, person) = MemoryStore::new(options);
    let friends = person.add_folder(None, "Friends", FolderKind::Contacts);
    let hrefs: Vec<Href> =
        (0..20).map(|number| person.add(&friends, &format!("{number}.vcf"), Format::VCard, &card(number, 0))).collect();
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), store);
    read_once(&engine).await;

    let begun = Instant::now();
    for href in &hrefs {
        person.delete(href);
        read_once(&engine).await;
        assert_eq!(known(&engine).await[&friends].len(), hrefs.len(), "the guard would be asked about a part");
        tokio::time::sleep(ABSENCE).await;
    }
    assert!(begun.elapsed() > absence, "the first was missing long enough");
    while known(&engine).await[&friends].len() == hrefs.len() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the deletions aren't seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(known(&engine).await[&friends].is_empty());
}
