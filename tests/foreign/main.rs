//! Bytes of others: everything that reads them is fed with altered samples, always the same ones. `npm run fuzz` goes on
//! from there.
#![allow(clippy::unwrap_used)]

mod readers;

use readers::{READERS, Reader};
use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};
use tests::chance::Chance;

/// Longer ones test nothing that shorter ones don't.
const BYTES_MAX: usize = 1 << 20;

/// Numbers at the edge of something, as lengths and counts are written.
const EDGES: [&[u8]; 8] = [
    &[0],
    &[0x7f],
    &[0x80],
    &[0xff],
    &[0xff, 0xff, 0xff, 0xff],
    &[0x7f, 0xff, 0xff, 0xff],
    // The largest number postcard writes, and one byte more than it may have.
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/// One change, small or large.
fn alter(bytes: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let longest = 1 << chance.below(10);
    let len = chance.below(longest).min(bytes.len() - at);
    match chance.below(9) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        2 if at < bytes.len() => bytes[at] = chance.bits() as u8,
        3 => {
            let edge = EDGES[chance.below(EDGES.len())];
            let end = (at + edge.len() * chance.below(2)).min(bytes.len());
            bytes.splice(at..end, edge.iter().copied());
        }
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(at..at + len)),
        6 if bytes.len() + len < BYTES_MAX => {
            let twice = bytes[at..at + len].to_vec();
            bytes.splice(at..at, twice);
        }
        7 => {
            let other = &others[chance.below(others.len())];
            let from = chance.below(other.len() + 1);
            let part = &other[from..(from + len).min(other.len())];
            bytes.splice(at..at + len, part.iter().copied());
        }
        _ => bytes.extend((0..len).map(|_| chance.bits() as u8)),
    }
}

/// What a run of fuzzing found; it is tried first.
fn found(reader: &Reader) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/found").join(reader.name);
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn is_taken(reader: &Reader, bytes: &[u8]) -> bool {
    catch_unwind(|| (reader.read)(bytes)).is_ok()
}

/// Where the bytes that made a reader fall over can be looked at.
fn keep(reader: &Reader, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tandem-{}-{}", reader.name, blake3::hash(bytes).to_hex()));
    fs::write(&path, bytes).unwrap();
    path
}

fn replay(name: &str) {
    let reader = READERS.iter().find(|reader| reader.name == name).unwrap();
    let samples = (reader.samples)();
    for bytes in samples.iter().chain(&found(reader)).chain([&Vec::new()]) {
        assert!(is_taken(reader, bytes), "{name} fell over {}", keep(reader, bytes).display());
    }
    let mut chance = Chance::new(1);
    for number in 0..reader.tries {
        let mut bytes = samples[number % samples.len()].clone();
        for _ in 0..=chance.below(4) {
            alter(&mut bytes, &samples, &mut chance);
        }
        assert!(is_taken(reader, &bytes), "{name} fell over {}", keep(reader, &bytes).display());
    }
}

macro_rules! replays {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                replay($name);
            }
        )*

        #[test]
        fn every_reader_is_replayed_and_has_a_target() {
            let names: Vec<_> = READERS.iter().map(|reader| reader.name).collect();
            assert_eq!(names, [$($name),*]);
            for name in names {
                let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fuzz/fuzz_targets/{name}.rs"));
                assert!(fs::read_to_string(target).is_ok_and(|text| text.contains(&format!("{name:?}"))), "{name}");
            }
        }
    };
}

replays! {
    no_frame_makes_the_engine_fall_over: "frame",
    no_content_makes_the_engine_fall_over: "content",
    no_word_on_a_link_makes_a_computer_fall_over: "link",
    no_invitation_id_or_letter_makes_a_computer_fall_over: "invitation",
    no_word_of_a_directory_makes_a_computer_fall_over: "directory",
    no_item_makes_a_computer_fall_over: "item",
    no_two_edits_make_a_merge_fall_over: "merge",
    no_msg_file_makes_an_import_fall_over: "msg",
    no_data_file_makes_an_import_fall_over: "import",
}

/// For `npm run fuzz`, which begins from the same samples.
#[test]
#[ignore = "writes files, into the folder named by TANDEM_SAMPLES"]
fn samples_are_written() {
    let folder = PathBuf::from(std::env::var_os("TANDEM_SAMPLES").expect("TANDEM_SAMPLES names a folder"));
    for reader in &READERS {
        let folder = folder.join(reader.name);
        fs::create_dir_all(&folder).unwrap();
        for bytes in (reader.samples)().iter().chain(&found(reader)) {
            fs::write(folder.join(&*blake3::hash(bytes).to_hex()), bytes).unwrap();
        }
    }
}
