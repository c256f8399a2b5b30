//! Why a store couldn't do what was asked.

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
    /// Larger than [`Payload::SIZE_MAX`](crate::Payload::SIZE_MAX) or than the store takes.
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
