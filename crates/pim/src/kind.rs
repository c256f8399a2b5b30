//! The kinds of items and folders, native formats, and flags.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an item is to people.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// An e-mail message (RFC 5322).
    Message,
    /// A person or company (vCard).
    Contact,
    /// A named list of contacts (vCard `KIND:group`).
    DistributionList,
    /// An appointment (iCalendar `VEVENT`).
    Event,
    /// A task (iCalendar `VTODO`).
    Task,
    /// A note (iCalendar `VJOURNAL` in a notebook, or a text file).
    Note,
    /// A journal entry (iCalendar `VJOURNAL` in a calendar).
    Journal,
}

/// What a folder holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FolderKind {
    /// A mailbox.
    Mail,
    /// An address book.
    Contacts,
    /// A calendar.
    Calendar,
    /// A task list.
    Tasks,
    /// A notebook.
    Notes,
}

impl FolderKind {
    /// All of them, in the order people see them.
    pub const ALL: [Self; 5] = [Self::Mail, Self::Contacts, Self::Calendar, Self::Tasks, Self::Notes];

    /// How items of such a folder are written, unless as notes in text files.
    #[must_use]
    pub const fn format(self) -> Format {
        match self {
            Self::Mail => Format::Rfc5322,
            Self::Contacts => Format::VCard,
            Self::Calendar | Self::Tasks | Self::Notes => Format::ICalendar,
        }
    }
}

/// How an item's native bytes are written.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// Internet message, RFC 5322.
    Rfc5322,
    /// vCard 2.1, 3.0 or 4.0 (RFC 6350).
    VCard,
    /// iCalendar (RFC 5545) or vCalendar 1.0.
    ICalendar,
    /// Plain text.
    Text,
    /// Markdown.
    Markdown,
}

/// What a folder is for, where the store says so (RFC 6154 for mail).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum SpecialUse {
    Inbox,
    Sent,
    Drafts,
    Trash,
    Junk,
    Archive,
}

/// A mark on a message; [`Flags`] merge as a set.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub enum Flag {
    Seen,
    Answered,
    Flagged,
    Draft,
    /// Passed on to someone else (Maildir `P`).
    Forwarded,
    /// Marked for deletion (Maildir `T`).
    Deleted,
    /// A keyword or category by name.
    Keyword(String),
}

/// The marks of one item. Empty for everything but messages.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(pub BTreeSet<Flag>);

impl Flags {
    /// Merges two changed sets against the one both sides last agreed on: what either side added or removed holds.
    #[must_use]
    pub fn merge(base: &Self, ours: &Self, theirs: &Self) -> Self {
        let kept = theirs.0.iter().filter(|flag| ours.0.contains(flag) || !base.0.contains(flag));
        let added = ours.0.iter().filter(|flag| !base.0.contains(flag));
        Self(kept.chain(added).cloned().collect())
    }
}
