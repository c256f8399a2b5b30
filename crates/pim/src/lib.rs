//! What Tandem keeps the same: messages, contacts, events, tasks, notes, distribution lists, journal entries.
//!
//! An item's bytes are kept exactly as a store gave them. Parsing only reads; writing patches single lines.
//! [`examine`] tells what an item is and what it means, [`fields`] takes it apart into what people would call its fields.
//! Nothing in this crate reads a file, a clock or the network.

mod digest;
mod document;
mod line;
mod note;
mod object;
mod property;
mod text;

mod examine;
pub use examine::{CANON_RULE, Examined, Examiner, examine};

mod field;
pub use field::{FieldHashes, FieldKey, fields};

mod id;
pub use id::{CanonHash, FolderUid, ItemUid, NativeHash, PairingKey};

mod kind;
pub use kind::{Flag, Flags, FolderKind, Format, Kind, SpecialUse};

mod mail;
