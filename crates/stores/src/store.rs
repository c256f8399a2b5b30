//! The contract every connector keeps; [`crate::conformance`] is the same contract as tests.

use crate::{
    Change, Content, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, Recovered, StoreError, Written,
};
use pim::{FolderKind, FolderUid};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Reads contents while the store is busy elsewhere.
pub trait Reader: Send + Sync {
    /// The item's bytes, with the revision they belong to.
    fn read(&self, href: &Href) -> Result<Content, StoreError>;
}

/// Keeps watching until it is dropped.
pub trait Watch: Send {}

/// Waits until what was staged is on the disk.
pub type Flush = Box<dyn FnOnce() -> Result<(), StoreError> + Send>;

/// A place where items live. Used by one thread at a time.
///
#[doc = include_str!("connectors-to-come.md")]
pub trait Store: Send {
    /// What it can do.
    fn caps(&self) -> Caps;

    /// The kinds of folders it can hold, in the order of [`FolderKind::ALL`].
    fn kinds(&self) -> Vec<FolderKind> {
        FolderKind::ALL.to_vec()
    }

    /// Checks that the store is there and is the one it was; makes its identity at first use.
    fn open(&mut self) -> Result<StoreId, StoreError>;

    /// Every folder, parents before children.
    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError>;

    /// Lists a folder. With the token of an earlier listing an unchanged folder isn't read again.
    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError>;

    /// Reads contents beside this store, once it is open.
    fn reader(&self) -> Arc<dyn Reader>;

    /// Stages a group of changes and flushes them once. Nothing becomes visible. One result per change, in order.
    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>>;

    /// Like [`Store::stage`], but where a [`Flush`] is handed back nothing counts as staged before that was called, on
    /// whichever thread, and succeeded: the store can go on meanwhile. After an error nothing is left of the group.
    fn begin_stage(&mut self, changes: &[Change]) -> (Vec<Result<Intent, StoreError>>, Option<Flush>) {
        (self.stage(changes), None)
    }

    /// Makes staged changes visible after checking that each target is still as believed, and flushes once.
    /// One result per intent, in order. What was refused leaves nothing behind. What is read back is what counts: flags or
    /// contents the store can't hold are missing in it.
    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>>;

    /// Tells what became of intents after a crash and cleans up what they left. Idempotent, though what was
    /// [`Recovered::NotDone`] may be [`Recovered::Unclear`] when asked again, as nothing of it is left. While the store is
    /// not there everything is unclear and nothing is cleaned up: ask again when [`Store::open`] succeeds.
    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered>;

    /// Makes a folder and marks it. A folder of this name that carries this uid already is taken as made; one with
    /// another uid or none must be paired first and is [`StoreError::Changed`]. The name may differ from the wish where
    /// the wish isn't valid here; what is told is what is held.
    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError>;

    /// Writes the folder's mark.
    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError>;

    /// Renames or moves a folder with everything in it. A name that is taken gets a number. An inbox, a part's own folder
    /// and a move into itself are [`StoreError::Unsupported`].
    fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError>;

    /// Removes a folder that holds no item and no folder; anything else is refused as [`StoreError::Changed`].
    fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError>;

    /// Calls `wake` soon after something changed (with the folder, where known). A hint only: listing is the truth.
    fn watch(&mut self, wake: Box<dyn Fn(Option<FolderId>) + Send + Sync>) -> Result<Box<dyn Watch>, StoreError>;
}

/// What the connector can do; the engine asks instead of knowing connectors by name.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Items carry their uid themselves ([`Entry::uid`](crate::Entry::uid) is set once written).
    pub holds_uid: bool,
    /// What is read back is always, byte for byte, what was written.
    pub verbatim: bool,
    /// How long after a first complete listing a second one may count as evidence of a deletion, in milliseconds.
    pub absence_wait_ms: u64,
}

/// Which store this is, so that another one mounted at the same place is noticed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct StoreId(pub String);
