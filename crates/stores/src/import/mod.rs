//! Bringing a data file in: what is in it ([`read`]), where it goes, and nothing twice.
//!
//! An item is there already if the folder it goes to holds one that means the same or has the same identity, or if any
//! folder that is not of this import does so by identity. So a second import adds nothing, an interrupted one goes on where
//! it was, and mail that an account fetched long ago isn't doubled.

mod export;
pub use export::{ExportError, Exported, export};

mod loose;
mod mbox;
mod source;
mod target;

pub(crate) use loose::{LooseKind, split_file};
pub use mbox::{MboxMessage, MboxReader, mbox_entry};
pub use source::{About, FileKind, Found, Reason, SourceError, SourceItem, read};

use crate::{FolderId, Store, StoreError};
use pim::FolderKind;
use std::path::Path;
use target::Target;

/// Skipped items that are named; the others are counted.
const SKIPPED_MAX: usize = 1_000;

/// Where items go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Into {
    /// Folders named after the file, one per kind, with the file's folders in them; single messages go to the inbox.
    Named(String),
    /// This folder takes the items of its kind, with the file's folders in it; the others go where they would without it.
    Folder(FolderId, String),
}

/// What happened in one folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImportedFolder {
    /// What it holds.
    pub kind: FolderKind,
    /// Its names from the top on.
    pub path: Vec<String>,
    /// Items added, or that would be.
    pub added: u64,
    /// Items that were there already.
    pub present: u64,
}

/// Something of the file that wasn't brought in.
#[derive(Clone, Debug)]
pub struct SkippedItem {
    /// The folder in the file.
    pub path: Vec<String>,
    /// Its subject or name, as far as it can be told.
    pub title: String,
    /// Why.
    pub reason: Reason,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted by kind and path.
    pub folders: Vec<ImportedFolder>,
    /// At most 1,000 of them.
    pub skipped: Vec<SkippedItem>,
    /// How many there are.
    pub skipped_count: u64,
    /// What programs keep for themselves, and what was deleted.
    pub left_out: u64,
    /// What the file says about itself.
    pub about: About,
}

impl Report {
    fn skip(&mut self, path: Vec<String>, title: String, reason: Reason) {
        self.skipped_count += 1;
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push(SkippedItem { path, title, reason });
        }
    }

    /// Items added, or that would be.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.folders.iter().map(|folder| folder.added).sum()
    }

    /// Items that were there already.
    #[must_use]
    pub fn present(&self) -> u64 {
        self.folders.iter().map(|folder| folder.present).sum()
    }
}

/// Why an import ended early. What was brought in until then stays, and isn't brought in again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The data file.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings the items of a data file into an open store; with `is_preview` only says what it would do. `progress` is told
/// bytes of the file done.
pub fn import(
    store: &mut dyn Store,
    file: &Path,
    into: Into,
    is_preview: bool,
    mut progress: impl FnMut(u64),
) -> Result<Report, ImportError> {
    let mut report = Report::default();
    let mut target = Target::new(store, into, is_preview)?;
    let read = read(file, |found, done| {
        match found {
            Found::Item(item) => target.add(*item, &mut report)?,
            Found::Skipped { path, title, reason } => report.skip(path, title, reason),
            Found::LeftOut => report.left_out += 1,
        }
        progress(done);
        Ok::<_, StoreError>(())
    });
    // What was read is written even if the rest of the file can't be.
    let written = target.finish(&mut report);
    report.about = read??;
    written?;
    report.folders.sort_by(|one, other| (one.kind, &one.path).cmp(&(other.kind, &other.path)));
    Ok(report)
}
