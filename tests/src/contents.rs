//! Small real items of every kind, and edits of them.

use pim::{Examined, FieldHashes, FolderKind, Format, NativeHash};
use std::{cell::RefCell, collections::HashMap, sync::Arc};

/// An item's bytes.
pub type Bytes = Arc<[u8]>;

/// The formats that fit into a folder.
#[must_use]
pub const fn formats(kind: FolderKind) -> &'static [Format] {
    match kind {
        FolderKind::Mail => &[Format::Rfc5322],
        FolderKind::Contacts => &[Format::VCard],
        FolderKind::Calendar | FolderKind::Tasks => &[Format::ICalendar],
        FolderKind::Notes => &[Format::Text, Format::Markdown, Format::ICalendar],
    }
}

/// A new item called by its number.
#[must_use]
pub fn item(folder: FolderKind, format: Format, number: u64) -> Bytes {
    let text = match (folder, format) {
        (FolderKind::Mail, _) => return mail(number, "home"),
        (FolderKind::Contacts, _) if number % 7 == 6 => format!(
            "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nUID:list-{number}\r\nFN:List {number}\r\n\
             NOTE:none\r\nEND:VCARD\r\n"
        ),
        (FolderKind::Contacts, _) => format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-{number}\r\nFN:Person {number}\r\nN:Person;{number};;;\r\n\
             EMAIL:p{number}@example.org\r\nTITLE:none\r\nORG:none\r\nNOTE:none\r\nX-COLOR:c{number}\r\nEND:VCARD\r\n"
        ),
        (FolderKind::Calendar, _) if number % 7 == 6 => calendar(&format!(
            "{}{}",
            component("VEVENT", &format!("two-a-{number}"), number),
            component("VEVENT", &format!("two-b-{number}"), number)
        )),
        (FolderKind::Calendar, _) if number % 7 == 5 => {
            calendar(&component("VJOURNAL", &format!("day-{number}"), number))
        }
        (FolderKind::Calendar, _) => calendar(&component("VEVENT", &format!("event-{number}"), number)),
        (FolderKind::Tasks, _) => calendar(&component("VTODO", &format!("task-{number}"), number)),
        (FolderKind::Notes, Format::ICalendar) => calendar(&component("VJOURNAL", &format!("note-{number}"), number)),
        (FolderKind::Notes, _) => format!("Note {number}\n\nnone\n"),
    };
    text.into_bytes().into()
}

/// A mail as a computer fetched it that calls itself `by`.
#[must_use]
pub fn mail(number: u64, by: &str) -> Bytes {
    format!(
        "Received: from mx by {by}; Sun, 22 Nov 2026 10:00:00 +0000\r\nFrom: a{number}@example.org\r\n\
         To: b@example.org\r\nSubject: Mail {number}\r\nDate: Sun, 22 Nov 2026 09:00:00 +0000\r\n\
         Message-ID: <m{number}@example.org>\r\n\r\nHello {number}.\r\n"
    )
    .into_bytes()
    .into()
}

fn calendar(inner: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n{inner}END:VCALENDAR\r\n")
}

fn component(name: &str, uid: &str, number: u64) -> String {
    format!(
        "BEGIN:{name}\r\nUID:{uid}\r\nDTSTAMP:20261122T100000Z\r\nDTSTART:20261122T1{}0000Z\r\nSUMMARY:Thing {number}\r\n\
         DESCRIPTION:none\r\nLOCATION:none\r\nX-COLOR:c{number}\r\nEND:{name}\r\n",
        number % 10
    )
}

/// The fields a person may change, by format.
#[must_use]
pub const fn editable(format: Format) -> &'static [&'static str] {
    match format {
        Format::VCard => &["TITLE", "ORG", "NOTE"],
        Format::ICalendar => &["SUMMARY", "DESCRIPTION", "LOCATION"],
        _ => &["text"],
    }
}

/// The item with one field changed.
#[must_use]
pub fn edited(format: Format, bytes: &[u8], field: &str, value: &str) -> Bytes {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let edited = match format {
        Format::Text | Format::Markdown => {
            let head = text.lines().next().unwrap_or_default();
            format!("{head}\n\n{value}\n")
        }
        _ => {
            let mut is_found = false;
            let mut lines: Vec<String> = text
                .lines()
                .map(|line| {
                    if line.starts_with(&format!("{field}:")) && !is_found {
                        is_found = true;
                        format!("{field}:{value}")
                    } else {
                        line.to_owned()
                    }
                })
                .collect();
            if !is_found {
                let end = lines.iter().rposition(|line| line.starts_with("END:V") && line != "END:VCALENDAR").unwrap();
                lines.insert(end, format!("{field}:{value}"));
            }
            lines.iter().map(|line| format!("{line}\r\n")).collect()
        }
    };
    edited.into_bytes().into()
}

/// What a store makes of an item that can't hold its colour.
#[must_use]
pub fn without_extras(format: Format, bytes: &Bytes) -> Bytes {
    if !matches!(format, Format::VCard | Format::ICalendar) {
        return bytes.clone();
    }
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    if text.contains("UID:two-") {
        // What can't be merged by field is carried byte for byte.
        return bytes.clone();
    }
    let kept: String =
        text.lines().filter(|line| !line.starts_with("X-COLOR")).map(|line| format!("{line}\r\n")).collect();
    kept.into_bytes().into()
}

/// What an item is, and its fields.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is.
    pub examined: Examined,
    /// Its fields.
    pub fields: Option<FieldHashes>,
}

type Memory = HashMap<(FolderKind, Format, [u8; 32]), Arc<Known>>;

thread_local! {
    // The same few contents are read again and again, and reading is most of a story's time.
    static READ: RefCell<Memory> = RefCell::default();
}

/// Examines an item.
#[must_use]
pub fn examined(folder: FolderKind, format: Format, bytes: &[u8]) -> Arc<Known> {
    let hash = *blake3::hash(bytes).as_bytes();
    READ.with_borrow_mut(|memory| {
        if memory.len() > 20_000 {
            memory.clear();
        }
        let read = || {
            let examined = pim::examine(folder, format, bytes);
            let fields = if examined.opaque { None } else { pim::fields(examined.kind, format, bytes) };
            Arc::new(Known { examined, fields })
        };
        memory.entry((folder, format, hash)).or_insert_with(read).clone()
    })
}

/// The hash of an item's bytes.
#[must_use]
pub fn native(bytes: &[u8]) -> NativeHash {
    NativeHash(*blake3::hash(bytes).as_bytes())
}
