//! Messages: Outlook's properties (MS-OXCMAIL) and Internet mail (RFC 5322, RFC 2045–2049).
//!
//! What arrived over the Internet keeps its header fields as they came (`PidTagTransportMessageHeaders`); only those that
//! describe the body are written anew, as Outlook took the body apart.

mod headers;
mod read;
mod write;

pub(crate) use read::from_mail;
pub(crate) use read::{set_author, set_data, set_sender, set_subject};
pub(crate) use write::{Bodies, file_name, is_media_type, to_mail};

/// Bits of `PidTagMessageFlags`.
mod message_flag {
    pub(super) const READ: i64 = 0x01;
    pub(super) const UNSENT: i64 = 0x08;
    pub(super) const HAS_ATTACHMENTS: i64 = 0x10;
}

/// Values of `PidTagLastVerbExecuted`.
mod verb {
    pub(super) const REPLIED: i64 = 102;
    pub(super) const REPLIED_TO_ALL: i64 = 103;
    pub(super) const FORWARDED: i64 = 104;
}

/// Values of `PidTagAttachMethod`.
pub(crate) mod method {
    pub(crate) const BY_VALUE: i32 = 1;
    pub(crate) const MESSAGE: i32 = 5;
    pub(crate) const OLE: i64 = 6;
}

/// `PidTagFlagStatus` of a message somebody has to follow up.
const FOLLOW_UP: i64 = 2;
/// Items inside items.
const DEPTH_MAX: usize = 12;
