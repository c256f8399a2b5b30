//! Places on this computer where items live, behind one trait.
//!
//! A [`Store`] is used by one thread at a time; [`Reader`]s may be used from others meanwhile. A store never guesses:
//! what it could not list it says ([`Listing::Partial`]), and every write says what it believes about its target
//! ([`Change`]) and is refused if that no longer holds ([`StoreError::Changed`]).

use pim::{Flags, FolderKind, FolderUid, Format, ItemUid, NativeHash, SpecialUse};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};

/// A folder's name inside its store. Stable while the folder isn't renamed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct FolderId(pub String);

/// An item's name inside its store, unique in it. Opaque: only the store that made it reads it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Href(pub String);

/// What a store can tell cheaply about an item's content: equal revisions mean unchanged content. Flags are not part of it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Rev(pub Vec<u8>);

/// What a folder looked like when it was listed; given back, it lets an unchanged folder answer [`Listing::Unchanged`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ListingToken(pub Vec<u8>);

/// Which store this is, so that another one mounted at the same place is noticed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct StoreId(pub String);

/// What the connector can do; the engine asks instead of knowing connectors by name.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Items carry their uid themselves ([`Entry::uid`] is set once written).
    pub holds_uid: bool,
    /// What is read back is always, byte for byte, what was written.
    pub verbatim: bool,
    /// How long after a first complete listing a second one may count as evidence of a deletion, in milliseconds.
    pub absence_wait_ms: u64,
}

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
    /// The uid in the folder's mark. `None`: never marked, or the mark is gone.
    pub uid: Option<FolderUid>,
    /// The store named in the mark, if there is one.
    pub marked_by: Option<StoreId>,
}

/// An item as a listing shows it, without its content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its name inside the store.
    pub href: Href,
    /// Changes when the content may have changed.
    pub rev: Rev,
    /// Flags as the store holds them.
    pub flags: Flags,
    /// The uid, if the store holds uids with the items.
    pub uid: Option<ItemUid>,
    /// The name that travels to other computers where it is free and valid there (a base name without flags).
    pub name: String,
    /// The item's native format.
    pub format: Format,
    /// Bytes.
    pub size: u64,
    /// Survives a rename where the system has such a thing (inode); breaks ties between equal contents.
    pub file_id: Option<u64>,
}

/// What listing a folder gave.
#[derive(Clone, Debug)]
pub enum Listing {
    /// Nothing changed since the given token.
    Unchanged,
    /// Every item; what is missing is not there.
    Complete {
        /// Sorted by href.
        entries: Vec<Entry>,
        /// For the next listing.
        token: ListingToken,
    },
    /// Some items; nothing may be concluded from what is missing.
    Partial {
        /// Sorted by href.
        entries: Vec<Entry>,
        /// What could not be read, each with its reason.
        unreadable: Vec<(Href, StoreError)>,
    },
}

/// An item's bytes: in memory up to [`Payload::MEMORY_MAX`], else in a file that nobody changes.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Small enough to hold.
    Memory(Arc<[u8]>),
    /// A file of this size in bytes. It isn't removed by the store.
    File {
        /// Where.
        path: PathBuf,
        /// Bytes.
        size: u64,
    },
}

impl Payload {
    /// Bytes up to which a payload is held in memory.
    pub const MEMORY_MAX: u64 = 1 << 20;
    /// Larger items are refused, in bytes.
    pub const SIZE_MAX: u64 = 256 << 20;
}

/// An item's content as read from the store.
#[derive(Clone, Debug)]
pub struct Content {
    /// The revision these bytes belong to.
    pub rev: Rev,
    /// The bytes. A [`Payload::File`] is the store's own file: hash what is read from it again.
    pub payload: Payload,
}

/// A write with what it believes about its target.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new item.
    Create {
        /// Kept with the item where the store can.
        uid: ItemUid,
        /// Where.
        folder: FolderId,
        /// The content and its format.
        content: NewContent,
        /// Marks.
        flags: Flags,
        /// The name wished for; the store makes another one when it is taken or not valid here.
        name: String,
    },
    /// New content, flags or folder for an item that must still be as listed.
    Update {
        /// Which.
        href: Href,
        /// The revision it must still have.
        expect_rev: Rev,
        /// The flags it must still have.
        expect_flags: Flags,
        /// New content, if that changes.
        content: Option<NewContent>,
        /// The flags afterwards.
        flags: Flags,
        /// The folder afterwards, if that changes.
        folder: Option<FolderId>,
    },
    /// Removes an item that must still be as listed. (Its content was saved before.)
    Delete {
        /// Which.
        href: Href,
        /// The revision it must still have.
        expect_rev: Rev,
    },
}

/// Content to write.
#[derive(Clone, Debug)]
pub struct NewContent {
    /// The bytes.
    pub payload: Payload,
    /// Their BLAKE3, for recovery after a crash.
    pub native: NativeHash,
    /// How they are written.
    pub format: Format,
    /// Seconds since 1970 to set as the modification time at creation, where known.
    pub modified: Option<i64>,
}

/// A change that is staged durably but not visible yet. The intent is kept by the caller until the outcome is durable too.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent(pub Vec<u8>);

/// What a store holds after a change, as read back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// The item's name now; `None` after a deletion.
    pub entry: Option<Entry>,
}

/// What became of an intent whose outcome was not recorded.
#[derive(Clone, Debug)]
pub enum Recovered {
    /// It was carried out; here is what the store holds.
    Done(Written),
    /// It was not carried out; nothing of it is left.
    NotDone,
    /// The target is neither as before nor as intended: somebody else changed it. Scan again.
    Unclear,
}

/// Why a store couldn't do what was asked. Facts are fields; people's words come from the code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Somebody changed the item since it was listed.
    #[error("the item changed since it was listed")]
    Changed,
    /// The item or folder isn't there (any more).
    #[error("not found")]
    NotFound,
    /// The store can't be reached or its root is gone.
    #[error("the store is not available: {reason}")]
    Unavailable {
        /// What the system said.
        reason: String,
    },
    /// Another store is at this place now.
    #[error("another store is at this place")]
    Replaced,
    /// May not be read or written.
    #[error("no permission: {path}")]
    Permission {
        /// What.
        path: String,
    },
    /// No room.
    #[error("no space left: {need} bytes needed")]
    NoSpace {
        /// Bytes.
        need: u64,
    },
    /// Larger than [`Payload::SIZE_MAX`] or than the store takes.
    #[error("too large: {size} bytes")]
    TooLarge {
        /// Bytes.
        size: u64,
    },
    /// The store has no such kind of item.
    #[error("this store can't hold such an item")]
    Unsupported,
    /// Anything else.
    #[error("{reason}: {path}")]
    Io {
        /// What the system said.
        reason: String,
        /// Where.
        path: String,
    },
}

/// Reads contents while the store is busy elsewhere.
pub trait Reader: Send + Sync {
    /// The item's bytes, with the revision they belong to.
    fn read(&self, href: &Href) -> Result<Content, StoreError>;
}

/// Keeps watching until it is dropped.
pub trait Watch: Send {}

/// A place where items live.
pub trait Store: Send {
    /// What it can do.
    fn caps(&self) -> Caps;

    /// Checks that the store is there and is the one it was; makes its identity at first use.
    fn open(&mut self) -> Result<StoreId, StoreError>;

    /// Every folder, parents before children.
    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError>;

    /// Lists a folder. With the token of an earlier listing an unchanged folder isn't read again.
    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError>;

    /// Reads contents beside this store.
    fn reader(&self) -> Arc<dyn Reader>;

    /// Stages a group of changes and flushes them once. Nothing becomes visible. One result per change, in order.
    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>>;

    /// Makes staged changes visible after checking that each target is still as believed, and flushes once.
    /// One result per intent, in order.
    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>>;

    /// Tells what became of intents after a crash and cleans up what they left. Idempotent.
    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered>;

    /// Makes a folder and marks it.
    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError>;

    /// Writes the folder's mark.
    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError>;

    /// Renames or moves a folder with everything in it.
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
