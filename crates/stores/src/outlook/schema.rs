//! Names of properties as Outlook's `PropertyAccessor` and `Columns` take them.

use crate::mapi::{Guid, Key, PS_TANDEM};

/// `{8c9b5e1d-2f0a-4b7e-9d53-7a3d1c64e0b2}` and the like.
fn braced(guid: Guid) -> String {
    let b = guid.0;
    let rest: String = b[10..].iter().map(|byte| format!("{byte:02X}")).collect();
    format!(
        "{{{:02X}{:02X}{:02X}{:02X}-{:02X}{:02X}-{:02X}{:02X}-{:02X}{:02X}-{rest}}}",
        b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9]
    )
}

/// The name of a property of this type.
pub(super) fn of(key: &Key, kind: u16) -> String {
    const ROOT: &str = "http://schemas.microsoft.com/mapi";
    match key {
        Key::Tag(id) => format!("{ROOT}/proptag/0x{id:04X}{kind:04X}"),
        Key::Id(set, id) => format!("{ROOT}/id/{}/{id:04X}{kind:04X}", braced(*set)),
        Key::Name(set, name) => format!("{ROOT}/string/{}/{name}", braced(*set)),
    }
}

/// A text of our own.
pub(super) fn own(name: &'static str) -> String {
    of(&own_key(name), 0x1F)
}

pub(super) const fn own_key(name: &'static str) -> Key {
    Key::Name(PS_TANDEM, std::borrow::Cow::Borrowed(name))
}

/// On an item: which item it is, on every computer.
pub(super) const SYNC_UID: &str = "sync-uid";
/// On an item: the write that made it what it is.
pub(super) const OPERATION: &str = "operation";
/// On a message: marks Outlook has no place for, as letters.
pub(super) const MARKS: &str = "marks";
/// On an item: the name it travels by.
pub(super) const NAME: &str = "name";
/// On an item in Deleted Items: we put it there, so it isn't one of the folder's messages.
pub(super) const DELETED: &str = "deleted";
/// On a folder: which folder this is.
pub(super) const FOLDER: &str = "folder";
/// On the root folder: which store this is.
pub(super) const STORE: &str = "store";
