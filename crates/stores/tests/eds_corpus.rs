//! What Evolution Data Server keeps of files that real programs wrote.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code)]

mod common;
mod eds;

use common::{
    content,
    corpus::{Item, corpus, sayings},
    read,
};
use eds::subject::EdsSubject;
use pim::{Flags, FolderKind, FolderUid, ItemUid};
use stores::{Change, StoreError, conformance::Subject};

/// Items of one kind that are taken of each file.
const OF_EACH_MAX: usize = 4;

/// Names that no standard knows and that don't begin with `X-`.
const UNREGISTERED: [&str; 3] = ["DCREATED", "DTSTAR", "ORGNAME"];

/// Whether EDS may leave a line out: its name is unregistered, or its value none that the name can have.
fn may_be_left_out(name: &str, value: &str) -> bool {
    let is_time = |text: &str| {
        let shape: String = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
        ["00000000", "00000000T000000", "00000000T000000Z"].contains(&&*shape)
    };
    match name {
        "DTSTART" | "DTEND" | "RDATE" => !value.split('/').all(is_time),
        // At a time of day, it has to be in UTC.
        "TRIGGER" => is_time(value) && !value.ends_with('Z'),
        _ => UNREGISTERED.contains(&name),
    }
}

#[test]
fn of_files_that_real_programs_wrote_nothing_is_lost_but_what_is_written_down() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = subject.store(None);
    store.open().unwrap();
    let kinds = [FolderKind::Contacts, FolderKind::Calendar, FolderKind::Tasks, FolderKind::Notes];
    let (mut count, mut refused, mut lost) = (0, 0, Vec::new());
    for (number, kind) in (1..).zip(kinds) {
        let folder = store.create_folder(None, "Corpus", kind, FolderUid([number; 16])).unwrap();
        let items: Vec<Item> = corpus(OF_EACH_MAX).into_iter().filter(|item| item.kind == kind).collect();
        let create = |item: &Item| Change::Create {
            uid: ItemUid([0; 16]),
            folder: folder.id.clone(),
            content: content(&item.bytes, item.format),
            flags: Flags::default(),
            name: item.file.clone(),
        };
        let staged = store.stage(&items.iter().map(create).collect::<Vec<_>>());
        for (item, staged) in items.iter().zip(staged) {
            let written = staged.and_then(|intent| store.commit(&[intent]).remove(0));
            let entry = match written {
                Ok(written) => written.entry.unwrap(),
                Err(error) => {
                    let is_told = matches!(error, StoreError::Unsupported);
                    let is_odd = pim::examine(kind, item.format, &item.bytes).opaque;
                    assert!(is_told && is_odd, "{}: {error} {}", item.file, String::from_utf8_lossy(&item.bytes));
                    refused += 1;
                    continue;
                }
            };
            count += 1;
            let back = sayings(item.format, &read(&*store, &entry));
            for (place, value) in sayings(item.format, &item.bytes).difference(&back) {
                let name = place.rsplit(' ').next().unwrap_or_default();
                if !may_be_left_out(name, value) {
                    let now: Vec<_> = back.iter().filter(|(other, _)| other == place).map(|(_, value)| value).collect();
                    lost.push(format!("{}: {place} {value} -> {now:?}", item.file));
                }
            }
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
    assert!(count > 150 && refused < 10, "{count} kept, {refused} refused");
}
