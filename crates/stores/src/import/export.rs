//! Writing a folder into one file that other programs read: `.mbox`, `.vcf`, `.ics`.

use super::{loose, mbox_entry};
use crate::{Content, Entry, FolderId, Payload, Store, StoreError};
use pim::{FolderKind, Format};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
};

/// What an export did.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Exported {
    /// Items written.
    pub items: u64,
    /// Names of items that can't be read, or that the file can't hold.
    pub skipped: Vec<String>,
}

/// Why an export ended.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file can't be written.
    #[error("the file can't be written")]
    Io(#[from] io::Error),
}

/// Writes the items of a folder. Mail becomes an mbox file (mboxrd); calendars, tasks and notes one iCalendar object with
/// each time zone once, and further ones where two zones of one name differ; contacts one vCard after the other.
pub fn export(
    store: &mut dyn Store,
    folder: &FolderId,
    kind: FolderKind,
    mut out: impl Write,
) -> Result<Exported, ExportError> {
    let mut entries = store.list(folder, None)?.into_entries();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let reader = store.reader();
    let mut exported = Exported::default();
    let mut calendars: Vec<Calendar> = Vec::new();
    for entry in entries {
        let Some(bytes) = reader.read(&entry.href).ok().and_then(|content| whole(&content)) else {
            exported.skipped.push(entry.name);
            continue;
        };
        let is_written = match (kind, entry.format) {
            (FolderKind::Mail, Format::Rfc5322) => {
                out.write_all(&mbox_entry(&bytes, &entry.flags, None))?;
                true
            }
            (_, Format::VCard) => {
                out.write_all(&bytes)?;
                if !bytes.ends_with(b"\n") {
                    out.write_all(b"\r\n")?;
                }
                true
            }
            (_, Format::ICalendar) => add_to(&mut calendars, &bytes),
            (_, Format::Text | Format::Markdown) => add_to(&mut calendars, &note(&entry, &bytes)),
            _ => false,
        };
        if is_written {
            exported.items += 1;
        } else {
            exported.skipped.push(entry.name);
        }
    }
    for calendar in calendars {
        calendar.write(&mut out)?;
    }
    out.flush()?;
    Ok(exported)
}

fn whole(content: &Content) -> Option<Vec<u8>> {
    match &content.payload {
        Payload::Memory(bytes) => Some(bytes.to_vec()),
        Payload::File { path, .. } => {
            let mut bytes = Vec::new();
            File::open(path).ok()?.take(Payload::SIZE_MAX).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        }
    }
}

/// A note that is a text file, as an entry of a calendar file.
fn note(entry: &Entry, bytes: &[u8]) -> Vec<u8> {
    let message =
        crate::mapi::from_item(FolderKind::Notes, Format::Text, bytes, &entry.flags, &crate::mapi::Zone::utc());
    message.and_then(|message| crate::mapi::to_item(&message)).map(|item| item.bytes).unwrap_or_default()
}

/// An iCalendar object that is being put together.
#[derive(Default)]
struct Calendar {
    zones: BTreeMap<Vec<u8>, Vec<u8>>,
    components: Vec<u8>,
}

/// Adds the components of a file to the first calendar whose zones agree with its own; false if it is none.
fn add_to(calendars: &mut Vec<Calendar>, bytes: &[u8]) -> bool {
    let Some(parts) = loose::components(bytes) else { return false };
    let fits = |calendar: &Calendar| {
        parts.zones.iter().all(|(name, zone)| calendar.zones.get(name).is_none_or(|known| known == zone))
    };
    let at = calendars.iter().position(fits).unwrap_or_else(|| {
        calendars.push(Calendar::default());
        calendars.len() - 1
    });
    calendars[at].zones.extend(parts.zones);
    calendars[at].components.extend(parts.components);
    true
}

impl Calendar {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tandem//Export//EN\r\n")?;
        self.zones.values().try_for_each(|zone| out.write_all(zone))?;
        out.write_all(&self.components)?;
        out.write_all(b"END:VCALENDAR\r\n")
    }
}
