//! Marks that Tandem leaves in a `files` store: `.tandem-store` in each root and `.tandem-folder` in each folder.
//!
//! The store mark is the store's identity: a root without it was emptied, not mounted or replaced. The folder mark
//! carries the folder's uid (a renamed folder is still the same), and where it was when the mark was written, so that of
//! two folders with one uid the copy is told from the original.

use super::disk;
use crate::StoreId;
use pim::FolderUid;
use serde::{Deserialize, Serialize};
use std::{io, path::Path};

/// The mark's file name in a root.
pub(super) const STORE_MARK: &str = ".tandem-store";
/// The mark's file name in a folder.
pub(super) const FOLDER_MARK: &str = ".tandem-folder";
/// Marks are far smaller; a larger file isn't one.
const MARK_BYTES_MAX: u64 = 16 << 10;

#[derive(Serialize, Deserialize)]
struct StoreMarkText {
    store: String,
}

/// What a root says about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum RootMark {
    /// The root folder is not there.
    NoRoot,
    /// The root is there without a mark.
    Unmarked,
    /// The root belongs to this store.
    Store(StoreId),
}

/// Reads a root's mark. A damaged mark counts as none.
pub(super) fn read_root(root: &Path) -> io::Result<RootMark> {
    match disk::read_small(&root.join(STORE_MARK), MARK_BYTES_MAX) {
        Ok(bytes) => Ok(serde_json::from_slice::<StoreMarkText>(&bytes)
            .ok()
            .filter(|mark| !mark.store.is_empty())
            .map_or(RootMark::Unmarked, |mark| RootMark::Store(StoreId(mark.store)))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(if root.is_dir() { RootMark::Unmarked } else { RootMark::NoRoot })
        }
        Err(error) => Err(error),
    }
}

/// Writes a root's mark.
pub(super) fn write_root(root: &Path, store: &StoreId) -> io::Result<()> {
    let text = serde_json::to_vec(&StoreMarkText { store: store.0.clone() }).expect("a string is valid JSON");
    disk::write_small(&root.join(STORE_MARK), &text)
}

#[derive(Serialize, Deserialize)]
struct FolderMarkText {
    folder: String,
    store: String,
    #[serde(default)]
    at: String,
    #[serde(default)]
    file_id: Option<u64>,
}

/// What a folder says about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FolderMark {
    pub(super) uid: FolderUid,
    pub(super) store: StoreId,
    /// The folder's id when the mark was written.
    pub(super) at: String,
    /// The folder's number when the mark was written; a renamed folder keeps it, a copy has another.
    pub(super) file_id: Option<u64>,
}

/// Reads a folder's mark. `None`: no mark, or a damaged one.
pub(super) fn read_folder(folder: &Path) -> Option<FolderMark> {
    let bytes = disk::read_small(&folder.join(FOLDER_MARK), MARK_BYTES_MAX).ok()?;
    let text: FolderMarkText = serde_json::from_slice(&bytes).ok()?;
    let uid = FolderUid::from_hex(&text.folder)?;
    Some(FolderMark { uid, store: StoreId(text.store), at: text.at, file_id: text.file_id })
}

/// Writes a folder's mark.
pub(super) fn write_folder(folder: &Path, mark: &FolderMark) -> io::Result<()> {
    let text = FolderMarkText {
        folder: mark.uid.to_string(),
        store: mark.store.0.clone(),
        at: mark.at.clone(),
        file_id: mark.file_id,
    };
    let bytes = serde_json::to_vec(&text).expect("strings and numbers are valid JSON");
    disk::write_small(&folder.join(FOLDER_MARK), &bytes)
}
