//! What an Outlook item is to everybody else, and back.

use super::{Message, Stamp, Value, Zone, calendar, card, event, list, mail, names, note, task};
use pim::{Component, Flags, FolderKind, Format, Kind};

/// An item in the format other programs read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// What it is to people.
    pub kind: Kind,
    /// How `bytes` are written.
    pub format: Format,
    /// The item.
    pub bytes: Vec<u8>,
    /// Marks of a message; empty for everything else.
    pub flags: Flags,
    /// When it was last changed, in seconds since 1970.
    pub modified: Option<i64>,
    /// The UID written in `bytes`.
    pub uid: Option<String>,
}

/// Why something has no counterpart on the other side.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoItem {
    /// What a program keeps for itself among the items: views, rules, free/busy times.
    #[error("this is no item but what a program keeps for itself")]
    ProgramData,
    /// Not written in the format it is said to be, or not one item.
    #[error("this can't be read as one item")]
    Unreadable,
    /// Outlook has no recurrence of this pattern.
    #[error("Outlook has no recurrence of this pattern")]
    Recurrence,
    /// It names a time zone that it doesn't define.
    #[error("the item names a time zone that isn't defined in it")]
    TimeZone,
}

/// What kind of item a message class stands for (MS-OXCMSG 2.2.1.3); `None` for what programs keep for themselves.
#[must_use]
pub fn kind_of_class(class: &str) -> Option<Kind> {
    let class = class.trim().to_ascii_uppercase();
    let is = |name: &str| class == name || class.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let kinds = [
        ("IPM.CONTACT", Kind::Contact),
        ("IPM.DISTLIST", Kind::DistributionList),
        ("IPM.APPOINTMENT", Kind::Event),
        ("IPM.TASK", Kind::Task),
        ("IPM.STICKYNOTE", Kind::Note),
        ("IPM.ACTIVITY", Kind::Journal),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(name, _)| is(name)) {
        return Some(*kind);
    }
    let is_programs = ["IPM.CONFIGURATION", "IPM.MICROSOFT", "IPM.RULE", "IPM.EXTENDEDRULE", "IPM.ABCHPERSON", "IPC"]
        .iter()
        .any(|name| is(name) || class.starts_with(&format!("{name}.")));
    // Everything else is a message: mail, posts, meeting requests, reports, documents, and classes companies make.
    let is_item = class.is_empty() || is("IPM") || is("REPORT");
    (is_item && !is_programs).then_some(Kind::Message)
}

/// Says an Outlook item in the format other programs read: mail as RFC 5322, contacts and lists as vCard, the rest as
/// iCalendar. The same item always gives the same bytes.
pub fn to_item(message: &Message) -> Result<Item, NoItem> {
    let properties = &message.properties;
    let class = properties.text(&names::MESSAGE_CLASS).unwrap_or_default();
    let kind = kind_of_class(&class).ok_or(NoItem::ProgramData)?;
    let uid = item_uid(message, kind);
    let (format, bytes, flags) = match kind {
        Kind::Message => {
            let (bytes, flags) = mail::to_mail(message);
            (Format::Rfc5322, bytes, flags)
        }
        Kind::Contact => (Format::VCard, card::to_card(message, &uid), Flags::default()),
        Kind::DistributionList => (Format::VCard, list::to_card(message, &uid), Flags::default()),
        Kind::Event => (Format::ICalendar, event::to_calendar(message, &uid, None), Flags::default()),
        Kind::Task => (Format::ICalendar, task::to_calendar(message, &uid), Flags::default()),
        Kind::Note => (Format::ICalendar, note::to_calendar(message, &uid), Flags::default()),
        Kind::Journal => (Format::ICalendar, note::journal_to_calendar(message, &uid), Flags::default()),
    };
    let modified = properties.time(&names::LAST_MODIFICATION_TIME);
    let sent = properties.time(&names::MESSAGE_DELIVERY_TIME).or_else(|| properties.time(&names::CLIENT_SUBMIT_TIME));
    let modified = if kind == Kind::Message { sent.or(modified) } else { modified };
    let uid = (kind != Kind::Message).then_some(uid);
    Ok(Item { kind, format, bytes, flags, modified: modified.map(Stamp::unix), uid })
}

/// Makes an Outlook item. `folder` tells notes from journal entries, `here` is the time zone in which whole days begin.
pub fn from_item(
    folder: FolderKind,
    format: Format,
    bytes: &[u8],
    flags: &Flags,
    here: &Zone,
) -> Result<Message, NoItem> {
    match format {
        Format::Rfc5322 => mail::from_mail(bytes, flags).ok_or(NoItem::Unreadable),
        Format::VCard => {
            let cards = pim::components(format, bytes).ok_or(NoItem::Unreadable)?;
            let [card] = &cards[..] else { return Err(NoItem::Unreadable) };
            if card.name != "VCARD" {
                return Err(NoItem::Unreadable);
            }
            Ok(if list::is_list(card) { list::from_card(card) } else { card::from_card(card, here) })
        }
        Format::ICalendar => {
            let calendars = pim::components(format, bytes).ok_or(NoItem::Unreadable)?;
            let [calendar] = &calendars[..] else { return Err(NoItem::Unreadable) };
            from_calendar(folder, calendar, here)
        }
        Format::Text | Format::Markdown => Ok(note::from_text(&String::from_utf8_lossy(bytes))),
    }
}

fn from_calendar(folder: FolderKind, calendar: &Component, here: &Zone) -> Result<Message, NoItem> {
    let main = calendar::main(calendar).ok_or(NoItem::Unreadable)?;
    match main.name.as_str() {
        "VEVENT" => event::from_calendar(calendar, here),
        "VTODO" => task::from_calendar(calendar, here),
        "VJOURNAL" if folder == FolderKind::Notes => Ok(note::from_calendar(main)),
        "VJOURNAL" => note::journal_from_calendar(calendar, here),
        _ => Err(NoItem::Unreadable),
    }
}

/// The UID other programs know the item by. What has none gets one from its search key, which stays the same when Outlook
/// moves or copies the item; what has no such key, from what it says.
fn item_uid(message: &Message, kind: Kind) -> String {
    let properties = &message.properties;
    let of_meeting = || (kind == Kind::Event).then(|| event::uid(properties)).flatten();
    let of_key = || {
        let key = properties.binary(&names::SEARCH_KEY).filter(|key| !key.is_empty() && key.len() <= 64)?;
        Some(key.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    let of_content = || {
        let mut hasher = blake3::Hasher::new();
        // What changes without anybody's doing: entry IDs and times of the file the item came in.
        let is_content = |key: &super::Key| {
            ![&names::ENTRY_ID, &names::RECORD_KEY, &names::CREATION_TIME, &names::LAST_MODIFICATION_TIME]
                .contains(&key)
        };
        for (key, value) in properties.0.iter().filter(|(key, _)| is_content(key)) {
            hasher.update(format!("{key:?}").as_bytes());
            match value {
                Value::Text(text) => drop(hasher.update(text.as_bytes())),
                Value::Binary(bytes) => drop(hasher.update(bytes)),
                other => drop(hasher.update(&other.fixed_bytes().unwrap_or_default())),
            }
        }
        hasher.finalize().to_hex()[..32].to_owned()
    };
    properties
        .text(&names::ITEM_UID)
        .map(|uid| super::address::one_line(&uid))
        .or_else(of_meeting)
        .or_else(of_key)
        .unwrap_or_else(of_content)
}

/// An item that hangs on a message.
pub(crate) enum Inner {
    Mail,
    Other(Item),
}

pub(crate) fn inner(message: &Message) -> Option<Inner> {
    let class = message.properties.text(&names::MESSAGE_CLASS).unwrap_or_default();
    match kind_of_class(&class)? {
        Kind::Message => Some(Inner::Mail),
        _ => to_item(message).ok().map(Inner::Other),
    }
}
