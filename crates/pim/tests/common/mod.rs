//! The corpus of real files, and chance that can be repeated.

use pim::{FolderKind, Format};
use std::path::PathBuf;

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) folder: FolderKind,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
}

/// Every file of the corpus, in order of names.
#[allow(clippy::disallowed_methods, reason = "the crate reads no files; its tests read the corpus")]
pub(crate) fn corpus() -> Vec<Sample> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    let kinds = [
        ("eml", FolderKind::Mail, Format::Rfc5322),
        ("ics", FolderKind::Calendar, Format::ICalendar),
        ("vcf", FolderKind::Contacts, Format::VCard),
    ];
    let mut samples = Vec::new();
    for (part, folder, format) in kinds {
        for entry in std::fs::read_dir(root.join(part)).expect("the corpus is part of the repository") {
            let path = entry.expect("the corpus can be listed").path();
            let bytes = std::fs::read(&path).expect("the corpus can be read");
            samples.push(Sample { name: path.display().to_string(), folder, format, bytes });
        }
    }
    samples.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(samples.len() > 150, "the corpus is complete");
    samples
}

/// xorshift64*: enough chance for cutting and breaking files, the same on every run.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }
}
