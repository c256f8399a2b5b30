//! Outlook's items without Outlook: property bags, `.msg` files, and what they are as mail, vCard and iCalendar.
//!
//! A [`Message`] is an item as MAPI knows it. [`Message::from_msg`] and [`Message::to_msg`] read and write `.msg` files;
//! the `.pst` reader makes the same bags. [`to_item`] says an item in the format every other program reads, and
//! [`from_item`] makes an Outlook item of such a format. Nothing here does I/O, and nothing that a file holds can make it
//! panic or allocate more than a stated bound.

mod bag;
pub(crate) use bag::kind;
pub use bag::{Attachment, Bag, Guid, Key, Message, Value};

mod file;
pub use file::MsgError;
pub(crate) use file::{named_properties, variable};

pub(crate) mod names;
pub use names::{ITEM_UID, PS_TANDEM};

mod stamp;
pub use stamp::Stamp;

mod zone;
pub use zone::Zone;

mod item;
pub use item::{Item, NoItem, from_item, kind_of_class, to_item};

mod address;
mod calendar;
mod card;
mod event;
pub(crate) mod lines;
mod list;
mod mail;
mod note;
mod recurrence;
pub(crate) mod rtf;
mod task;
pub(crate) mod text;

pub(crate) use address::Address;
