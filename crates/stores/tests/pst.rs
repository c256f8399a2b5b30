//! Outlook's data files: what is in real ones, and what becomes of damaged ones.
#![allow(clippy::unwrap_used)]

use pim::Kind;
use std::{collections::BTreeMap, fs, io::Cursor, path::PathBuf};
use stores::{
    mapi::to_item,
    pst::{Pst, PstError},
};

fn corpus() -> Vec<(String, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus/pst");
    let mut files: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect()
}

fn file(name: &str) -> Pst<Cursor<Vec<u8>>> {
    let (_, bytes) = corpus().into_iter().find(|(known, _)| known == name).unwrap();
    Pst::open(Cursor::new(bytes)).unwrap()
}

/// Items by kind, and their texts.
fn items(pst: &mut Pst<Cursor<Vec<u8>>>) -> (BTreeMap<Kind, usize>, Vec<String>) {
    let (mut counts, mut texts) = (BTreeMap::new(), Vec::new());
    for folder in pst.folders() {
        for item in folder.items {
            if let Ok(item) = to_item(&pst.message(item).unwrap()) {
                *counts.entry(item.kind).or_default() += 1;
                texts.push(String::from_utf8(item.bytes).unwrap());
            }
        }
    }
    (counts, texts)
}

#[test]
fn folders_and_items_of_real_files_are_found() {
    let mut empty = file("Empty.pst");
    let names: Vec<String> = empty.folders().into_iter().map(|folder| folder.path.join("/")).collect();
    assert!(names.contains(&String::new()) && names.iter().any(|name| name == "Deleted Items"), "{names:?}");
    assert!(items(&mut empty).0.is_empty());
    let (counts, texts) = items(&mut file("contacts.pst"));
    assert_eq!(counts[&Kind::Contact], 1, "{counts:?}");
    assert!(texts.iter().any(|text| text.contains("BEGIN:VCARD") && text.contains("EMAIL")), "{texts:?}");
    let (counts, _) = items(&mut file("dist-list.pst"));
    assert_eq!((counts[&Kind::DistributionList], counts[&Kind::Event]), (1, 1), "{counts:?}");
    let (counts, texts) = items(&mut file("alpha-beta-gamma-delta.pst"));
    assert!(counts[&Kind::Message] > 0, "{counts:?} {texts:?}");
}

#[test]
fn members_of_a_list_are_people() {
    let (_, texts) = items(&mut file("dist-list.pst"));
    let lists: Vec<&String> = texts.iter().filter(|text| text.contains("KIND:group")).collect();
    assert!(lists.iter().any(|list| list.contains("mailto:")), "{lists:?}");
}

#[test]
fn what_is_no_data_file_is_told() {
    assert!(matches!(Pst::open(Cursor::new(b"From x\n".to_vec())), Err(PstError::NotPst)));
    assert!(matches!(Pst::open(Cursor::new(Vec::new())), Err(PstError::NotPst)));
    let (_, mut bytes) = corpus().remove(0);
    bytes[10] = 36;
    assert!(matches!(Pst::open(Cursor::new(bytes.clone())), Err(PstError::Version { version: 36 })));
    bytes.truncate(100);
    assert!(matches!(Pst::open(Cursor::new(bytes)), Err(PstError::Damaged)));
}

#[test]
fn damaged_files_give_what_is_whole_and_never_bring_the_reader_down() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let rounds = std::env::var("TANDEM_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(25);
    let mut read = 0;
    for (_, bytes) in corpus() {
        for round in 0..rounds {
            let mut damaged = bytes.clone();
            for _ in 0..=next(if round % 2 == 0 { 4 } else { 400 }) {
                let at = next(damaged.len());
                damaged[at] = u8::try_from(next(256)).unwrap();
            }
            if round % 5 == 0 {
                damaged.truncate(next(bytes.len()));
            }
            let Ok(mut pst) = Pst::open(Cursor::new(damaged)) else { continue };
            for folder in pst.folders() {
                for item in folder.items {
                    if let Ok(message) = pst.message(item) {
                        read += 1;
                        let _ = to_item(&message);
                    }
                }
            }
        }
    }
    assert!(read > 0, "most of a damaged file is still there");
}
