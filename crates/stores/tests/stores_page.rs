//! The tables of `docs/stores.md`, made by trying: what each store can do, and what of a whole corpus comes through from one
//! store into another.
//!
//! `TANDEM_WRITE_DOCS=1` writes them; without, they must be as written. The whole corpus takes minutes, so that is asked for:
//! `cargo test -p stores --test stores_page -- --ignored whole`. What the beginning of each file shows is seen each time.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code)]

mod common;
mod eds;
mod outlook;

use common::{
    FilesSubject, apply, content,
    corpus::{Item, corpus, sayings},
    page::{assert_tables, table},
    read, update,
};
use eds::subject::EdsSubject;
use outlook::{local::Local, model::Manner};
use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::mpsc,
    time::Duration,
};
use stores::{
    Change, Entry, FolderInfo, Intent, Store,
    conformance::{Subject, sample},
};

const KINDS: [(FolderKind, &str); 5] = [
    (FolderKind::Mail, "messages"),
    (FolderKind::Contacts, "contacts and distribution lists"),
    (FolderKind::Calendar, "events"),
    (FolderKind::Tasks, "tasks"),
    (FolderKind::Notes, "notes"),
];

/// Items of one kind that are taken of each file where there is no time for all.
const OF_EACH_MAX: usize = 2;

/// A store under a name that people know it by.
struct Place {
    name: &'static str,
    subject: Box<dyn Subject>,
    store: Box<dyn Store>,
}

impl Place {
    fn new(name: &'static str, subject: impl Subject + 'static) -> Self {
        let mut subject: Box<dyn Subject> = Box::new(subject);
        let mut store = subject.store(None);
        store.open().unwrap();
        Self { name, subject, store }
    }

    /// Every connector; `None` where one can't run.
    fn all() -> Option<[Self; 3]> {
        Some([
            Self::new("folders", FilesSubject::new()),
            Self::new("Evolution", EdsSubject::start()?),
            Self::new("Outlook", Local::new(Manner::default()).subject()),
        ])
    }

    /// Writes items into a folder; `None` for what is refused.
    fn adds(&mut self, folder: &str, items: &[&Item]) -> Vec<Option<Entry>> {
        let create = |item: &&Item| Change::Create {
            uid: uid_of(item),
            folder: stores::FolderId(folder.to_owned()),
            content: content(&item.bytes, item.format),
            flags: Flags::default(),
            name: item.file.clone(),
        };
        let staged = self.store.stage(&items.iter().map(create).collect::<Vec<_>>());
        let intents: Vec<Intent> = staged.iter().filter_map(|intent| intent.as_ref().ok().cloned()).collect();
        let mut written = self.store.commit(&intents).into_iter();
        let mut entry = || written.next()?.ok()?.entry;
        staged.iter().map(|intent| if intent.is_ok() { entry() } else { None }).collect()
    }

    /// A new folder of its own.
    fn folder(&mut self, kind: FolderKind, name: &str) -> FolderInfo {
        let uid = blake3::hash(format!("{kind:?} {name}").as_bytes());
        let uid = FolderUid(*uid.as_bytes().first_chunk().unwrap());
        self.store.create_folder(None, name, kind, uid).unwrap()
    }

    /// Whether an item of each kind comes back to the byte, and with the number it was given.
    fn gives_back(&mut self) -> (bool, bool) {
        let (mut is_verbatim, mut holds_uid) = (true, true);
        for kind in self.subject.kinds() {
            let folder = self.folder(kind, "Given back");
            let item = item(kind, "given");
            let entry = self.adds(&folder.id.0, &[&item]).remove(0).unwrap();
            is_verbatim &= read(&*self.store, &entry) == item.bytes;
            holds_uid &= entry.uid == Some(uid_of(&item));
        }
        // What the engine goes by is what is so.
        let caps = self.store.caps();
        assert_eq!((caps.verbatim, caps.holds_uid), (is_verbatim, holds_uid), "{}", self.name);
        (is_verbatim, holds_uid)
    }

    /// Whether somebody else's new item is told.
    fn tells_of_changes(&mut self) -> bool {
        let folder = self.folder(FolderKind::Contacts, "Watched");
        let (wake, told) = mpsc::channel();
        let _watch = self.store.watch(Box::new(move |_| _ = wake.send(()))).unwrap();
        // What was written before may still be told.
        while told.recv_timeout(Duration::from_millis(500)).is_ok() {}
        self.subject.adds(&folder, "new", &sample(FolderKind::Contacts, "New"));
        told.recv_timeout(Duration::from_secs(60)).is_ok()
    }

    /// The same as [`Place::adds`], and what the store shows of each then.
    fn takes(&mut self, folder: &str, items: &[&Item]) -> Vec<Option<Vec<u8>>> {
        let entries = self.adds(folder, items);
        entries.into_iter().map(|entry| Some(read(&*self.store, &entry?))).collect()
    }
}

fn uid_of(item: &Item) -> ItemUid {
    ItemUid(*blake3::hash(&item.bytes).as_bytes().first_chunk().unwrap())
}

fn item(kind: FolderKind, name: &str) -> Item {
    Item { file: name.to_owned(), kind, format: kind.format(), bytes: sample(kind, name) }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

/// Rows of the table of abilities, with a cell for each place.
fn abilities(places: &mut [Place]) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (kind, name) in KINDS {
        rows.push((name.to_owned(), places.iter().map(|place| yes(place.subject.kinds().contains(&kind))).collect()));
    }
    let (verbatim, uids): (Vec<bool>, Vec<bool>) = places.iter_mut().map(Place::gives_back).unzip();
    rows.push(("gives back what was written to the byte".to_owned(), verbatim.into_iter().map(yes).collect()));
    rows.push(("keeps with the item which item it is".to_owned(), uids.into_iter().map(yes).collect()));
    let wait = places.iter().map(|place| format!("{} s", place.store.caps().absence_wait_ms / 1_000));
    rows.push(("what isn't listed any more counts as deleted after".to_owned(), wait.collect()));
    let nests = |place: &mut Place| {
        let kind = *place.subject.kinds().last().unwrap();
        let outer = place.store.create_folder(None, "Outer: a/b?", kind, FolderUid([90; 16])).unwrap();
        let inner = place.store.create_folder(Some(&outer.id), "Inner", kind, FolderUid([91; 16])).unwrap();
        let told = place.store.folders().unwrap().into_iter().find(|folder| folder.id == inner.id).unwrap();
        (told.parent == Some(outer.id), outer.name == "Outer: a/b?")
    };
    let (nests, names): (Vec<bool>, Vec<bool>) = places.iter_mut().map(nests).unzip();
    rows.push(("folders in folders".to_owned(), nests.into_iter().map(yes).collect()));
    rows.push(("any name for a folder".to_owned(), names.into_iter().map(yes).collect()));
    let tells = places.iter_mut().map(|place| yes(place.tells_of_changes()));
    rows.push(("tells of changes by itself".to_owned(), tells.collect()));
    for (flag, name) in [
        (Flag::Seen, "read"),
        (Flag::Answered, "answered"),
        (Flag::Forwarded, "forwarded"),
        (Flag::Flagged, "marked for follow-up"),
        (Flag::Draft, "draft"),
        (Flag::Deleted, "marked as deleted"),
        (Flag::Keyword("Work".to_owned()), "a keyword or category"),
    ] {
        let keeps = |place: &mut Place| {
            if !place.subject.kinds().contains(&FolderKind::Mail) {
                return "–".to_owned();
            }
            let folder = place.folder(FolderKind::Mail, name);
            let entry = place.adds(&folder.id.0, &[&item(FolderKind::Mail, "m")]).remove(0).unwrap();
            let wanted = Flags([flag.clone()].into());
            yes(apply(&mut *place.store, update(&entry, None, &wanted, None)).unwrap().unwrap().flags == wanted)
        };
        rows.push((format!("mark of a message: {name}"), places.iter_mut().map(keeps).collect()));
    }
    let mut text = head(&places.iter().map(|place| place.name.to_owned()).collect::<Vec<_>>());
    for (what, cells) in rows {
        let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
    }
    text
}

fn head(columns: &[String]) -> String {
    format!("| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

/// What became of one sort of saying.
#[derive(Clone, Copy, Default)]
struct Fate {
    said: usize,
    otherwise: usize,
    left_out: usize,
}

impl Fate {
    fn cell(self) -> String {
        let Self { said, otherwise, left_out } = self;
        let part = |count: usize, word: &str| (count > 0).then(|| format!("{count} {word}"));
        match said {
            0 => "–".to_owned(),
            _ if otherwise + left_out == 0 => "kept".to_owned(),
            _ => {
                let parts = [part(otherwise, "said otherwise"), part(left_out, "left out")];
                format!("of {said}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Sayings by where they stand. What begins with `X-` counts together.
type Fates = BTreeMap<String, Fate>;

fn compare(before: &BTreeSet<(String, String)>, after: &BTreeSet<(String, String)>, fates: &mut Fates) {
    for (place, value) in before {
        let is_kept = after.contains(&(place.clone(), value.clone()));
        let is_there = after.iter().any(|saying| saying.0 == *place && !before.contains(saying));
        let name = match place.split_once(" X-").or_else(|| place.split_once(" header x-")) {
            Some((component, _)) => format!("{component} `X-…`"),
            None => place.clone(),
        };
        let fate = fates.entry(name).or_default();
        fate.said += 1;
        fate.otherwise += usize::from(!is_kept && is_there);
        fate.left_out += usize::from(!is_kept && !is_there);
    }
}

/// What became of items of a kind on one way from store to store.
#[derive(Clone, Default)]
struct Crossing {
    fates: Fates,
    /// Items that couldn't set out, as the first store doesn't take them.
    kept_back: usize,
    /// Items that the second store doesn't take.
    refused: usize,
}

/// From which place to which. Into folders everything goes to the byte.
const WAYS: [(usize, usize); 4] = [(0, 1), (0, 2), (1, 2), (2, 1)];

/// Items of a kind on their way through two stores: what the first showed, what the second showed then.
fn crossings(places: &mut [Place], kind: FolderKind, items: &[Item]) -> Vec<Crossing> {
    let mut crossings = vec![Crossing::default(); WAYS.len()];
    let holding: Vec<usize> = (0..places.len()).filter(|at| places[*at].subject.kinds().contains(&kind)).collect();
    let set_out = |place: &mut Place| {
        let folder = place.folder(kind, "Setting out").id.0;
        let shown = place.takes(&folder, &items.iter().collect::<Vec<_>>());
        items.iter().zip(shown).filter_map(|(item, shown)| Some(Item { bytes: shown?, ..item.clone() })).collect()
    };
    let shown: BTreeMap<usize, Vec<Item>> = holding.iter().map(|at| (*at, set_out(&mut places[*at]))).collect();
    for (at, items) in &shown {
        let folder = places[0].folder(kind, &format!("From {}", places[*at].name)).id.0;
        let after = places[0].takes(&folder, &items.iter().collect::<Vec<_>>());
        assert!(items.iter().zip(after).all(|(item, after)| Some(&item.bytes) == after.as_ref()), "into folders");
    }
    for (crossing, (from, to)) in crossings.iter_mut().zip(WAYS) {
        let Some(shown) = shown.get(&from).filter(|_| holding.contains(&to)) else { continue };
        crossing.kept_back = items.len() - shown.len();
        let folder = places[to].folder(kind, &format!("From {}", places[from].name)).id.0;
        let after = places[to].takes(&folder, &shown.iter().collect::<Vec<_>>());
        for (item, after) in shown.iter().zip(after) {
            match after {
                Some(after) => {
                    compare(&sayings(item.format, &item.bytes), &sayings(item.format, &after), &mut crossing.fates);
                }
                None => crossing.refused += 1,
            }
        }
    }
    crossings
}

fn ways(places: &mut [Place], of_each: usize) -> String {
    let columns = WAYS.map(|(from, to)| format!("{} → {}", places[from].name, places[to].name));
    let all = corpus(of_each);
    let mut text = String::new();
    for (kind, name) in KINDS {
        let items: Vec<Item> = all.iter().filter(|item| item.kind == kind).map(Item::clone).collect();
        let readable: Vec<Item> =
            items.into_iter().filter(|item| !matches!(item.format, Format::Text | Format::Markdown)).collect();
        let crossings = crossings(places, kind, &readable);
        let _ = writeln!(text, "\n### {}{}: {}\n", name[..1].to_uppercase(), &name[1..], readable.len());
        text.push_str(&head(&columns));
        let names: BTreeSet<&String> = crossings.iter().flat_map(|crossing| crossing.fates.keys()).collect();
        let mut kept = Vec::new();
        for name in names {
            let cells: Vec<String> =
                crossings.iter().map(|one| one.fates.get(name).copied().unwrap_or_default().cell()).collect();
            if cells.iter().all(|cell| ["kept", "–"].contains(&&**cell)) {
                kept.push(name.replace('`', ""));
            } else {
                let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
            }
        }
        let cells = |count: fn(&Crossing) -> usize| {
            let cell = |count: usize| if count == 0 { "–".to_owned() } else { count.to_string() };
            crossings.iter().map(|crossing| cell(count(crossing))).collect::<Vec<_>>().join(" | ")
        };
        let _ = writeln!(text, "| whole items not taken by the first | {} |", cells(|crossing| crossing.kept_back));
        let _ = writeln!(text, "| whole items not taken by the second | {} |", cells(|crossing| crossing.refused));
        let _ = writeln!(text, "\nKept on every way: {}.", kept.join(", "));
    }
    text
}

#[test]
fn the_page_about_stores_says_what_they_do() {
    let Some(mut places) = Place::all() else { return };
    assert_tables("stores.md", &[("abilities", abilities(&mut places))]);
    let (seen, told) = (losses(&ways(&mut places, OF_EACH_MAX)), losses(&table("stores.md", "ways")));
    let untold: Vec<_> = seen.difference(&told).collect();
    assert!(untold.is_empty() && !seen.is_empty(), "docs/stores.md doesn't tell of {untold:#?}");
}

#[test]
#[ignore = "takes minutes: the whole corpus on every way"]
fn the_page_about_stores_says_what_becomes_of_the_whole_corpus() {
    let Some(mut places) = Place::all() else { return };
    assert_tables("stores.md", &[("ways", ways(&mut places, usize::MAX))]);
}

/// What isn't kept on a way: kind, saying, number of the column.
fn losses(table: &str) -> BTreeSet<(String, String, usize)> {
    let mut kind = "";
    let mut found = BTreeSet::new();
    for line in table.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            kind = heading.split(':').next().unwrap();
        }
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let name = cells.next().unwrap();
        let is_loss = |cell: &str| cell.starts_with("of ") || cell.parse::<usize>().is_ok();
        let lost = cells.enumerate().filter(|(_, cell)| is_loss(cell));
        found.extend(lost.map(|(at, _)| (kind.to_owned(), name.to_owned(), at)));
    }
    found
}

/// `cargo test --release -p stores --test stores_page -- --ignored --nocapture figures`
#[test]
#[ignore = "prints figures for docs/performance.md"]
fn figures() {
    let Some(places) = Place::all() else { return };
    for mut place in places {
        for kind in [FolderKind::Contacts, FolderKind::Calendar] {
            println!("{}: {}", place.name, stores::conformance::figures(&mut *place.store, kind, 2_000));
        }
    }
}
