//! What Evolution Data Server keeps of files that real programs wrote.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code)]

mod common;
mod eds;

use common::{content, list, read};
use eds::subject::EdsSubject;
use pim::{Component, Flags, FolderKind, FolderUid, Format, ItemUid, Property};
use std::{collections::BTreeSet, fs, path::Path};
use stores::{
    Change, Store, StoreError,
    conformance::Subject,
    import::{Into, import},
    memory::{MemoryOptions, MemoryStore},
};

/// Items of one kind that are taken of each file.
const OF_EACH_MAX: usize = 4;

struct Item {
    file: String,
    kind: FolderKind,
    format: Format,
    bytes: Vec<u8>,
}

/// Items of the corpus, taken apart as an import does.
fn corpus() -> Vec<Item> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    let folder = |name: &str| fs::read_dir(root.join(name)).unwrap().map(|file| file.unwrap().path());
    let files: BTreeSet<_> = folder("ics").chain(folder("vcf")).collect();
    let mut items = Vec::new();
    for path in files {
        let (mut store, _) = MemoryStore::new(MemoryOptions::default());
        store.open().unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        // What no import takes, no store gets.
        if import(&mut store, &path, Into::Named(file.clone()), false, |_| {}).is_err() {
            continue;
        }
        for folder in store.folders().unwrap().into_iter().filter(|folder| folder.kind != FolderKind::Mail) {
            for entry in list(&mut store, &folder.id.0).into_iter().take(OF_EACH_MAX) {
                let bytes = read(&store, &entry);
                items.push(Item { file: file.clone(), kind: folder.kind, format: entry.format, bytes });
            }
        }
    }
    items
}

/// Lines that say when something was written, by which program, and how.
const ABOUT_THE_FILE: [&str; 7] =
    ["CREATED", "DTSTAMP", "LAST-MODIFIED", "PRODID", "REV", "VERSION", "X-EVOLUTION-ALARM-UID"];
/// Lines that hold several values, or one each.
const LISTS: [&str; 4] = ["CATEGORIES", "EXDATE", "RDATE", "RESOURCES"];

/// What an item says, however it is written: where it stands, the name, the value.
fn sayings(format: Format, bytes: &[u8]) -> BTreeSet<(String, String)> {
    fn collect(component: &Component, above: &str, found: &mut BTreeSet<(String, String)>) {
        let here = format!("{above}{}", component.name);
        if component.name != "VCALENDAR" {
            found.extend(component.properties.iter().flat_map(|property| said(&here, property)));
        }
        for inner in component.components.iter().filter(|inner| inner.name != "VTIMEZONE") {
            collect(inner, &format!("{here}/"), found);
        }
    }
    let mut found = BTreeSet::new();
    pim::components(format, bytes).unwrap_or_default().iter().for_each(|one| collect(one, "", &mut found));
    found
}

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

/// `-PT00H15M00S` is `-PT15M`.
fn without_zeros(duration: &str) -> String {
    let (mut text, mut number) = (String::new(), String::new());
    for letter in duration.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
        } else {
            let told = number.trim_start_matches('0');
            // Nothing of a unit isn't told.
            if number.is_empty() || !told.is_empty() {
                text.push_str(told);
                text.push(letter);
            }
            number.clear();
        }
    }
    text + &number
}

fn said(place: &str, property: &Property) -> Vec<(String, String)> {
    let name = &*property.name;
    if ABOUT_THE_FILE.contains(&name) {
        return Vec::new();
    }
    let text = match &property.binary {
        Some(bytes) => format!("{} bytes", bytes.len()),
        None => property.text(),
    };
    let values: Vec<String> = match name {
        _ if LISTS.contains(&name) => property.list(),
        "RRULE" => {
            let parts: BTreeSet<&str> = text.split(';').filter(|part| *part != "INTERVAL=1").collect();
            vec![parts.into_iter().collect::<Vec<_>>().join(";")]
        }
        "GEO" => vec![
            text.split(';').filter_map(|part| part.parse::<f64>().ok()).map(|part| format!("{part:.3};")).collect(),
        ],
        "TRIGGER" => vec![without_zeros(&text)],
        "REQUEST-STATUS" => vec![text.trim_end_matches('.').to_owned()],
        _ => vec![text],
    };
    let trimmed = values.into_iter().map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
    // Nothing said is nothing lost.
    trimmed.filter(|value| !value.is_empty()).map(|value| (format!("{place} {name}"), value)).collect()
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
        let items: Vec<Item> = corpus().into_iter().filter(|item| item.kind == kind).collect();
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
