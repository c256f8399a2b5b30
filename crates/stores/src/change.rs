//! Writes: what is to change, what was believed about it, and what became of it.

use crate::{Entry, FolderId, Href, Payload, Rev};
use pim::{Flags, Format, ItemUid, NativeHash};
use serde::{Deserialize, Serialize};

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
        /// Which it is, kept with it where it has to be made anew.
        uid: ItemUid,
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
    /// The payload's file will never be written to: a store whose items aren't edited in place may link to it instead of
    /// copying it.
    pub may_be_linked: bool,
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
