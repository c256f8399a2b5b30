//! What Tandem keeps the same: messages, contacts, events, tasks, notes, distribution lists, journal entries.
//!
//! An item's bytes are kept exactly as a store gave them. Parsing only reads; writing patches single lines.
//! [`examine`](fn@examine) tells what an item is and what it means, [`merge`](fn@merge) joins two edits of
//! one item field by field, [`describe`](fn@describe) shows it to people.
//! Nothing in this crate reads a file, a clock or the network.

mod digest;
mod document;
mod line;
mod note;
mod object;
mod property;
mod text;
mod write;

mod describe;
pub use describe::describe;

mod examine;
pub use examine::{CANON_RULE, Examined, Examiner, examine};

mod field;
pub use field::{FieldHashes, FieldKey, fields};

mod id;
pub use id::{CanonHash, FolderUid, ItemUid, NativeHash, PairingKey};

mod kind;
pub use kind::{Flag, Flags, FolderKind, Format, Kind, SpecialUse};

mod mail;

mod merge;
pub use merge::{Clash, Merge, merge};

mod tree;
pub use tree::{Component, Property, components};
