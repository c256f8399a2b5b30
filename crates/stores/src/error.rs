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
    /// The program that keeps the store doesn't let us in.
    #[error("{program}: {state}")]
    Program {
        /// Which.
        program: Program,
        /// Why not.
        state: ProgramState,
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
    /// Another program has it open and lets nobody else in.
    #[error("in use: {path}")]
    InUse {
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

/// A program that keeps a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Program {
    /// Classic Outlook on Windows.
    #[error("Outlook")]
    Outlook,
    /// Evolution Data Server, which keeps the data of GNOME's programs.
    #[error("Evolution Data Server")]
    Evolution,
}

/// Why a program that keeps a store doesn't let us in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProgramState {
    /// It isn't on this computer.
    #[error("not on this computer")]
    Missing,
    /// Only a version of it that other programs can't ask.
    #[error("a version that other programs can't ask")]
    NotScriptable,
    /// It isn't running. It is never started unasked.
    #[error("not running")]
    Closed,
    /// It has been busy for too long.
    #[error("busy")]
    Busy,
    /// It doesn't answer: it shows a question to a person.
    #[error("waiting for a person's answer")]
    Waiting,
    /// It, or who asks, runs with administrator rights and the other doesn't.
    #[error("running with other rights")]
    Elevated,
    /// A person or a policy said no to programs that ask.
    #[error("access denied by its security settings")]
    Denied,
}
