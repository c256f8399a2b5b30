//! Items as a store lists and reads them.

use crate::StoreError;
use pim::{Flags, Format, ItemUid};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};

/// An item's name inside its store, unique in it. Opaque: only the store that made it reads it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Href(pub String);

/// What a store can tell cheaply about an item's content: equal revisions mean unchanged content. Flags are not part of it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Rev(pub Vec<u8>);

/// What a folder looked like when it was listed; given back, it lets an unchanged folder answer [`Listing::Unchanged`],
/// and one to which little happened [`Listing::Changed`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ListingToken(pub Vec<u8>);

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
    /// What is new or different since the given token. Everything else is as it was, and nothing is gone but what was
    /// removed through this store.
    Changed {
        /// Sorted by href. May hold items that didn't change.
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

impl Listing {
    /// What was listed, whatever may be concluded from it.
    #[must_use]
    pub fn into_entries(self) -> Vec<Entry> {
        match self {
            Self::Unchanged => Vec::new(),
            Self::Complete { entries, .. } | Self::Changed { entries, .. } | Self::Partial { entries, .. } => entries,
        }
    }
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
