//! Folders as a store lists them.

use crate::StoreId;
use pim::{FolderKind, FolderUid, SpecialUse};
use serde::{Deserialize, Serialize};

/// A folder's name inside its store. Stable while the folder isn't renamed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct FolderId(pub String);

/// A folder as the store lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderInfo {
    /// Its name inside the store.
    pub id: FolderId,
    /// What it holds.
    pub kind: FolderKind,
    /// The folder it lies in.
    pub parent: Option<FolderId>,
    /// What people call it (one path part, NFC).
    pub name: String,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
    /// The uid in the folder's mark. `None`: never marked, the mark is gone, or this is a copy of a marked folder.
    pub uid: Option<FolderUid>,
    /// The store named in the mark, if there is one. With `uid: None` it tells a copy from a folder never marked.
    pub marked_by: Option<StoreId>,
}

/// The name that is wished for, or the first of `Wish (2)`, `Wish (3)` … that nobody has.
pub(crate) fn free_name(wish: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{wish} ({number})"));
    std::iter::once(wish.to_owned()).chain(numbered).find(|name| !is_taken(name)).expect("numbers don't end")
}
