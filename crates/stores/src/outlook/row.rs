//! An item as a table row shows it: identity, revision, flags.

use super::{
    dispatch::{Fault, Object, Variant},
    schema,
};
use crate::{
    Entry, FolderId, Href, Rev,
    mapi::{kind_of_class, names},
};
use pim::{Flag, Flags, FolderKind, Format, ItemUid, Kind};
use std::collections::BTreeSet;

/// What is asked of every item.
pub(super) fn columns() -> Vec<String> {
    let tag = |key, kind| schema::of(&key, kind);
    vec![
        tag(names::MESSAGE_CLASS, 0x1F),
        tag(names::LAST_MODIFICATION_TIME, 0x40),
        "http://schemas.microsoft.com/mapi/proptag/0x0E080003".to_owned(),
        // The change key, where the store keeps one.
        "http://schemas.microsoft.com/mapi/proptag/0x65E20102".to_owned(),
        tag(names::SUBJECT, 0x1F),
        tag(names::MESSAGE_FLAGS, 0x03),
        tag(names::MESSAGE_DELIVERY_TIME, 0x40),
        tag(names::CLIENT_SUBMIT_TIME, 0x40),
        tag(names::INTERNET_MESSAGE_ID, 0x1F),
        tag(names::LAST_VERB_EXECUTED, 0x03),
        tag(names::FLAG_STATUS, 0x03),
        schema::of(&names::KEYWORDS, 0x101F),
        schema::own(schema::SYNC_UID),
        schema::own(schema::OPERATION),
        schema::own(schema::MARKS),
        schema::own(schema::NAME),
        schema::own(schema::DELETED),
    ]
}

pub(super) const READ: i64 = 0x01;
pub(super) const UNSENT: i64 = 0x08;
const REPLIED: [i64; 2] = [102, 103];
const FORWARDED: i64 = 104;
const FOLLOW_UP: i64 = 2;

/// The last byte of a revision that may still change unseen: the next listing shows another one.
const FRESH: u8 = 0xFF;
/// How long two edits may share a time, in days.
const FRESH_DAYS: f64 = 2.0 / 86_400.0;

/// One item.
pub(super) struct Row {
    pub(super) entry: Entry,
    pub(super) kind: Kind,
    pub(super) operation: Option<String>,
    pub(super) deleted: Option<String>,
    pub(super) last_verb: i64,
}

impl Row {
    /// From the values of [`columns`]; `None` for what isn't an item. `now` is a `VT_DATE` in UTC. The folder is part
    /// of the revision: where a moved item keeps its ID, nothing else tells that it moved.
    pub(super) fn of(entry_id: &str, folder: &FolderId, values: &[Variant], now: f64) -> Option<Self> {
        let text = |at: usize| values.get(at).and_then(Variant::text).map(str::to_owned);
        let number = |at: usize| values.get(at).and_then(Variant::number).unwrap_or_default();
        let kind = kind_of_class(&text(0).unwrap_or_default())?;
        let is_mail = kind == Kind::Message;
        let bits = number(5);
        let mut hasher = blake3::Hasher::new();
        hasher.update(folder.0.as_bytes());
        let is_fixed = is_mail && bits & UNSENT == 0;
        let part: &[usize] = if is_fixed { &[0, 4, 6, 7, 8] } else { &[0, 1, 2, 3] };
        part.iter().for_each(|at| hash(&mut hasher, values.get(*at).unwrap_or(&Variant::Empty)));
        let mut rev = hasher.finalize().as_bytes()[..16].to_vec();
        let has_change_key = matches!(values.get(3), Some(Variant::Bytes(_)));
        let is_fresh = matches!(values.get(1), Some(Variant::Date(date)) if now - date < FRESH_DAYS);
        if !is_fixed && !has_change_key && is_fresh {
            rev.push(FRESH);
        }
        let flags =
            if is_mail { flags(bits, number(9), number(10), values.get(11), text(14)) } else { Flags::default() };
        let name = text(15).unwrap_or_else(|| blake3::hash(entry_id.as_bytes()).to_hex()[..16].to_owned());
        let entry = Entry {
            href: Href(entry_id.to_owned()),
            rev: Rev(rev),
            flags,
            uid: text(12).and_then(|uid| uid_of(&uid)),
            name,
            format: format_of(kind),
            size: u64::try_from(number(2)).unwrap_or_default(),
            file_id: None,
        };
        Some(Self { entry, kind, operation: text(13), deleted: text(16), last_verb: number(9) })
    }

    /// Of one opened item, in one call.
    pub(super) fn of_item(item: &Object, now: f64) -> Result<Option<(Self, FolderId)>, Fault> {
        let names = columns().into_iter().map(Variant::Text).collect();
        let values = match item.object("PropertyAccessor")?.call("GetProperties", &[Variant::List(names)])? {
            Variant::List(values) => values,
            _ => Vec::new(),
        };
        let folder = FolderId(item.object("Parent")?.text("EntryID")?);
        Ok(Self::of(&item.text("EntryID")?, &folder, &values, now).map(|row| (row, folder)))
    }
}

/// Whether two revisions mean the same content.
pub(super) fn is_same_rev(a: &Rev, b: &Rev) -> bool {
    a.0.get(..16) == b.0.get(..16)
}

fn hash(hasher: &mut blake3::Hasher, value: &Variant) {
    match value {
        Variant::Text(text) => drop(hasher.update(text.as_bytes())),
        Variant::Bytes(bytes) => drop(hasher.update(bytes)),
        Variant::Date(date) => drop(hasher.update(&date.to_bits().to_le_bytes())),
        other => drop(hasher.update(&other.number().unwrap_or_default().to_le_bytes())),
    }
    hasher.update(&[0]);
}

fn uid_of(hex: &str) -> Option<ItemUid> {
    Some(ItemUid(bytes_of(hex)?.try_into().ok()?))
}

pub(super) fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    digits.collect()
}

fn flags(bits: i64, verb: i64, status: i64, keywords: Option<&Variant>, marks: Option<String>) -> Flags {
    let marks = marks.unwrap_or_default();
    let set = [
        (bits & READ != 0, Flag::Seen),
        (bits & UNSENT != 0, Flag::Draft),
        (REPLIED.contains(&verb) || marks.contains('R'), Flag::Answered),
        (verb == FORWARDED || marks.contains('P'), Flag::Forwarded),
        (status == FOLLOW_UP, Flag::Flagged),
        (marks.contains('T'), Flag::Deleted),
    ];
    let keywords = keywords.map(Variant::texts).unwrap_or_default().into_iter().map(Flag::Keyword);
    Flags(set.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).chain(keywords).collect())
}

/// Flags as the properties they are; what Outlook has one place for, and we need two, goes to [`schema::MARKS`].
pub(super) struct FlagProperties {
    pub(super) is_read: bool,
    pub(super) last_verb: i32,
    pub(super) icon: i32,
    pub(super) status: i32,
    pub(super) keywords: Vec<String>,
    pub(super) marks: String,
}

impl FlagProperties {
    /// `last_verb` is the one the message has: an answer to all stays one.
    pub(super) fn of(flags: &Flags, last_verb: i64) -> Self {
        let has = |flag: &Flag| flags.0.contains(flag);
        let keywords: BTreeSet<String> = flags
            .0
            .iter()
            .filter_map(|flag| match flag {
                Flag::Keyword(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let (answered, forwarded) = (has(&Flag::Answered), has(&Flag::Forwarded));
        let last_verb = match (answered, forwarded) {
            (true, _) if REPLIED.contains(&last_verb) => i32::try_from(last_verb).unwrap_or(102),
            (true, _) => 102,
            (false, true) => 104,
            (false, false) => 0,
        };
        let icon = if answered {
            0x105
        } else if forwarded {
            0x106
        } else if has(&Flag::Seen) {
            0x100
        } else {
            0x101
        };
        let marks = [(answered && forwarded, 'P'), (has(&Flag::Deleted), 'T')];
        Self {
            is_read: has(&Flag::Seen),
            last_verb,
            icon,
            status: if has(&Flag::Flagged) { 2 } else { 0 },
            keywords: keywords.into_iter().collect(),
            marks: marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, letter)| letter).collect(),
        }
    }
}

pub(super) const fn format_of(kind: Kind) -> Format {
    match kind {
        Kind::Message => Format::Rfc5322,
        Kind::Contact | Kind::DistributionList => Format::VCard,
        Kind::Event | Kind::Task | Kind::Note | Kind::Journal => Format::ICalendar,
    }
}

pub(super) const fn folder_kind(kind: Kind) -> FolderKind {
    match kind {
        Kind::Message => FolderKind::Mail,
        Kind::Contact | Kind::DistributionList => FolderKind::Contacts,
        Kind::Event | Kind::Journal => FolderKind::Calendar,
        Kind::Task => FolderKind::Tasks,
        Kind::Note => FolderKind::Notes,
    }
}
