//! `.msg` files: one Outlook item in a compound file (MS-OXMSG, MS-CFB).
//!
//! ```text
//! /__properties_version1.0                header, then 16 bytes per property: tag, flags, value or size
//! /__substg1.0_TTTTKKKK                   values of variable size, by tag and kind
//! /__recip_version1.0_#00000000/…         one storage per recipient
//! /__attach_version1.0_#00000000/…        one per attachment; an item inside is its storage __substg1.0_3701000D
//! /__nameid_version1.0/…                  which named property each number from 0x8000 stands for
//! ```

mod read;
pub(crate) use read::{named_properties, variable};

mod write;

use super::Message;
use std::{
    io,
    path::{MAIN_SEPARATOR, Path},
};

/// Bounds while a file is read; what goes beyond is refused before it is allocated.
pub(crate) mod limits {
    /// Bytes of all values together. Streams of a damaged file may overlap, so that they are more than the file.
    pub(crate) const VALUE_BYTES_MAX: u64 = 512 << 20;
    /// Properties of one object.
    pub(crate) const PROPERTIES_MAX: usize = 16_384;
    /// Values of one multiple-value property.
    pub(crate) const VALUES_MAX: usize = 65_536;
    /// Recipients and attachments of one item.
    pub(crate) const PARTS_MAX: usize = 65_536;
    /// Items inside items.
    pub(crate) const DEPTH_MAX: usize = 12;
}

/// Why bytes are no `.msg` file.
#[derive(Debug, thiserror::Error)]
pub enum MsgError {
    /// Not a compound file, or a damaged one.
    #[error("this is not a compound file, or it is damaged")]
    Container(#[source] io::Error),
    /// A compound file without a message in it (a spreadsheet, say).
    #[error("there is no message in this file")]
    NoMessage,
    /// More than anyone writes into one item.
    #[error("the file holds more than an item can")]
    TooLarge,
    /// A part of it can't be what it says.
    #[error("a part of the file is damaged")]
    Damaged,
}

/// A path inside a compound file. On Windows, `cfb` tells it with backslashes, which no name in it can have.
fn slashed(path: &Path) -> Option<String> {
    Some(path.to_str()?.replace(MAIN_SEPARATOR, "/"))
}

impl Message {
    /// Reads a `.msg` file.
    pub fn from_msg(bytes: &[u8]) -> Result<Self, MsgError> {
        read::read(bytes)
    }

    /// Writes a `.msg` file: strings in Unicode, named properties with the streams that find them by hash.
    pub fn to_msg(&self) -> Result<Vec<u8>, MsgError> {
        write::write(self)
    }
}
