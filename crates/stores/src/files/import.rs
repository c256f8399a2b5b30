//! Bringing loose files into a store: messages (`.eml`), and calendars and address books with many items in one file.
//!
//! Files are split by content lines, so an item's bytes stay as they were. Importing the same file again adds nothing.

use super::{FilesStore, disk, layout::IMPORTED_FILE_BYTES_MAX, spec::Part};
use crate::{Change, FolderId, Listing, NewContent, Payload, Store, StoreError};
use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid, NativeHash};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Items written at a time.
const GROUP_MAX: usize = 256;

/// What a loose file is, by its ending.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LooseKind {
    Message,
    Cards,
    Calendar,
}

impl LooseKind {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match &*ending {
            "eml" => Some(Self::Message),
            "vcf" => Some(Self::Cards),
            "ics" => Some(Self::Calendar),
            _ => None,
        }
    }
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Items added, by part.
    pub added: BTreeMap<Part, u64>,
    /// Items that were there already.
    pub present: u64,
    /// What couldn't be read or held, with the reason.
    pub refused: Vec<(PathBuf, StoreError)>,
}

/// One item cut out of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Cut {
    pub(super) part: Part,
    pub(super) uid: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// The items of a file, and whether all of it was understood.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Split {
    pub(super) items: Vec<Cut>,
    pub(super) is_whole: bool,
}

/// Adds the items of loose files to the store: messages to the inbox, the rest to a folder named after the file.
pub fn import(store: &mut FilesStore, files: &[PathBuf]) -> Result<Imported, StoreError> {
    let mut imported = Imported::default();
    for path in files {
        let Some(kind) = LooseKind::of(path) else {
            imported.refused.push((path.clone(), StoreError::Unsupported));
            continue;
        };
        let split = match split_file(path, kind) {
            Ok(split) => split,
            Err(error) => {
                imported.refused.push((path.clone(), disk::store_error(&error, path, 0)));
                continue;
            }
        };
        if !split.is_whole {
            let reason = "a part of the file is damaged".to_owned();
            imported.refused.push((path.clone(), StoreError::Io { reason, path: path.display().to_string() }));
        }
        let modified = modified_secs(path);
        let folder_name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let parts: BTreeSet<Part> = split.items.iter().map(|item| item.part).collect();
        for part in parts {
            let folder = target_folder(store, part, &folder_name)?;
            let items: Vec<&Cut> = split.items.iter().filter(|item| item.part == part).collect();
            add(store, &folder, path, &items, modified, &mut imported)?;
        }
    }
    Ok(imported)
}

fn target_folder(store: &mut FilesStore, part: Part, name: &str) -> Result<FolderId, StoreError> {
    let folders = store.folders()?;
    if part == Part::Mail {
        let inbox = folders.iter().find(|folder| folder.kind == FolderKind::Mail && folder.parent.is_none());
        return inbox.map(|inbox| inbox.id.clone()).ok_or(StoreError::NotFound);
    }
    if let Some(same) = folders.iter().find(|f| f.kind == part.kind() && f.parent.is_none() && f.name == name) {
        return Ok(same.id.clone());
    }
    let uid = FolderUid::from_hex(&random_hex()?).expect("random digits are digits");
    Ok(store.create_folder(None, name, part.kind(), uid)?.id)
}

fn random_hex() -> Result<String, StoreError> {
    super::random_hex().map_err(|error| StoreError::Unavailable { reason: error.to_string() })
}

fn add(
    store: &mut FilesStore,
    folder: &FolderId,
    path: &Path,
    items: &[&Cut],
    modified: Option<i64>,
    imported: &mut Imported,
) -> Result<(), StoreError> {
    let mut present = hashes_in(store, folder)?;
    for group in items.chunks(GROUP_MAX) {
        let mut changes = Vec::new();
        for item in group {
            let native = NativeHash(*blake3::hash(&item.bytes).as_bytes());
            if !present.insert(native) {
                imported.present += 1;
                continue;
            }
            let content = NewContent {
                may_be_linked: false,
                payload: Payload::Memory(Arc::from(&*item.bytes)),
                native,
                format: match item.part {
                    Part::Mail => Format::Rfc5322,
                    Part::Contacts => Format::VCard,
                    Part::Calendars | Part::Tasks | Part::Notes => Format::ICalendar,
                },
                modified,
            };
            // Somebody who keeps mail in files has read it.
            let flags = if item.part == Part::Mail { Flags([Flag::Seen].into()) } else { Flags::default() };
            let uid = ItemUid::from_hex(&random_hex()?).expect("random digits are digits");
            let name = item.uid.clone().unwrap_or_else(|| uid.to_string());
            changes.push(Change::Create { uid, folder: folder.clone(), content, flags, name });
        }
        let staged = store.stage(&changes);
        let mut intents = Vec::new();
        for intent in staged {
            match intent {
                Ok(intent) => intents.push(intent),
                Err(error) => imported.refused.push((path.to_owned(), error)),
            }
        }
        for written in store.commit(&intents) {
            match written {
                Ok(_) => *imported.added.entry(items[0].part).or_default() += 1,
                Err(error) => imported.refused.push((path.to_owned(), error)),
            }
        }
    }
    Ok(())
}

fn hashes_in(store: &mut FilesStore, folder: &FolderId) -> Result<HashSet<NativeHash>, StoreError> {
    let entries = match store.list(folder, None)? {
        Listing::Complete { entries, .. } | Listing::Partial { entries, .. } => entries,
        Listing::Unchanged => Vec::new(),
    };
    let reader = store.reader();
    let mut hashes = HashSet::new();
    for entry in entries {
        let Ok(content) = reader.read(&entry.href) else { continue };
        let mut hasher = blake3::Hasher::new();
        match &content.payload {
            Payload::Memory(bytes) => drop(hasher.update(bytes)),
            Payload::File { path, .. } => {
                let Ok((mut file, _)) = disk::open_regular(path) else { continue };
                if io::copy(&mut file, &mut hasher).is_err() {
                    continue;
                }
            }
        }
        hashes.insert(NativeHash(*hasher.finalize().as_bytes()));
    }
    Ok(hashes)
}

fn modified_secs(path: &Path) -> Option<i64> {
    Some(super::state::modified_ns(&path.metadata().ok()?) / 1_000_000_000)
}

/// Cuts a file into items.
pub(super) fn split_file(path: &Path, kind: LooseKind) -> io::Result<Split> {
    let bytes = disk::read_small(path, IMPORTED_FILE_BYTES_MAX)?;
    Ok(match kind {
        LooseKind::Message => Split { items: vec![Cut { part: Part::Mail, uid: None, bytes }], is_whole: true },
        LooseKind::Cards => split_cards(&bytes),
        LooseKind::Calendar => split_calendars(&bytes),
    })
}

/// A content line with its continuations, as it stands in the file.
struct Line<'a> {
    raw: &'a [u8],
    /// Name and value in one line, without ends.
    unfolded: String,
}

impl Line<'_> {
    fn property(&self) -> Option<(String, &str)> {
        let end = self.unfolded.find([':', ';'])?;
        let value = self.unfolded.split_once(':').map_or("", |(_, value)| value);
        // vCards may group lines: `item1.UID:…`
        let name = self.unfolded[..end].rsplit('.').next().unwrap_or_default();
        Some((name.to_ascii_uppercase(), value))
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.property().is_some_and(|(n, v)| n == name && v.trim().eq_ignore_ascii_case(value))
    }
}

fn lines(bytes: &[u8]) -> Vec<Line<'_>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut start = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.len();
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        match lines.last_mut() {
            Some(last) if text.starts_with([' ', '\t']) => {
                last.raw = &bytes[end - line.len() - last.raw.len()..end];
                last.unfolded.push_str(&text[1..]);
            }
            _ => lines.push(Line { raw: line, unfolded: text.to_owned() }),
        }
        start = end;
    }
    lines
}

fn split_cards(bytes: &[u8]) -> Split {
    let mut split = Split { items: Vec::new(), is_whole: true };
    let (mut depth, mut card, mut uid) = (0usize, Vec::new(), None);
    for line in lines(bytes) {
        if line.is("BEGIN", "VCARD") {
            depth += 1;
        }
        if depth == 0 {
            split.is_whole &= line.unfolded.trim().is_empty();
            continue;
        }
        card.extend_from_slice(line.raw);
        if depth == 1
            && let Some((name, value)) = line.property()
            && name == "UID"
        {
            uid = Some(value.trim().to_owned());
        }
        if line.is("END", "VCARD") {
            depth -= 1;
            if depth == 0 {
                let uid = uid.take().filter(|uid| !uid.is_empty());
                split.items.push(Cut { part: Part::Contacts, uid, bytes: std::mem::take(&mut card) });
            }
        }
    }
    split.is_whole &= depth == 0;
    split
}

/// A component of a calendar: an event, a task, a time zone.
struct Component {
    name: String,
    uid: Option<String>,
    raw: Vec<u8>,
    text: String,
    time_zone: Option<String>,
}

#[derive(Default)]
struct Calendar {
    begin: Vec<u8>,
    header: Vec<u8>,
    components: Vec<Component>,
    end: Vec<u8>,
}

fn split_calendars(bytes: &[u8]) -> Split {
    let mut split = Split { items: Vec::new(), is_whole: true };
    let mut calendar: Option<Calendar> = None;
    let mut open: Vec<String> = Vec::new();
    for line in lines(bytes) {
        let property = line.property();
        let is_begin = property.as_ref().is_some_and(|(name, _)| name == "BEGIN");
        let is_end = property.as_ref().is_some_and(|(name, _)| name == "END");
        let value = property.as_ref().map_or("", |(_, value)| value.trim()).to_ascii_uppercase();
        let Some(current) = &mut calendar else {
            if line.is("BEGIN", "VCALENDAR") {
                calendar = Some(Calendar { begin: line.raw.to_vec(), ..Calendar::default() });
            } else {
                split.is_whole &= line.unfolded.trim().is_empty();
            }
            continue;
        };
        if open.is_empty() && is_end && value == "VCALENDAR" {
            current.end = line.raw.to_vec();
            split.items.extend(items_of(current));
            calendar = None;
            continue;
        }
        if open.is_empty() && !is_begin {
            // A method asks the reader to answer; a stored item asks nothing.
            if property.is_some_and(|(name, _)| name != "METHOD") {
                current.header.extend_from_slice(line.raw);
            }
            continue;
        }
        if open.is_empty() {
            current.components.push(Component {
                name: value.clone(),
                uid: None,
                raw: Vec::new(),
                text: String::new(),
                time_zone: None,
            });
        }
        let Some(component) = current.components.last_mut() else { continue };
        component.raw.extend_from_slice(line.raw);
        component.text.push_str(&line.unfolded);
        component.text.push('\n');
        if open.len() == 1
            && let Some((name, value)) = line.property()
        {
            match &*name {
                "UID" => component.uid = Some(value.trim().to_owned()).filter(|uid| !uid.is_empty()),
                "TZID" => component.time_zone = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        if is_begin {
            open.push(value);
        } else if is_end {
            if open.last() != Some(&value) {
                split.is_whole = false;
            }
            open.pop();
        }
    }
    split.is_whole &= calendar.is_none();
    split
}

/// A recurring event and its exceptions share a UID and are one item; every item takes the time zones it names.
fn items_of(calendar: &Calendar) -> Vec<Cut> {
    let mut groups: Vec<(Part, Option<String>, Vec<&Component>)> = Vec::new();
    for component in &calendar.components {
        let part = match &*component.name {
            "VEVENT" => Part::Calendars,
            "VTODO" => Part::Tasks,
            "VJOURNAL" => Part::Notes,
            // Time zones go with their items; free/busy times belong to nobody.
            _ => continue,
        };
        let same = groups.iter_mut().find(|(p, uid, _)| *p == part && uid.is_some() && *uid == component.uid);
        match same {
            Some((_, _, components)) => components.push(component),
            None => groups.push((part, component.uid.clone(), vec![component])),
        }
    }
    let zones: Vec<&Component> = calendar.components.iter().filter(|component| component.name == "VTIMEZONE").collect();
    let assemble = |(part, uid, components): (Part, Option<String>, Vec<&Component>)| {
        let names = |zone: &&&Component| {
            zone.time_zone.as_ref().is_some_and(|id| components.iter().any(|component| component.text.contains(id)))
        };
        let mut bytes = [&calendar.begin[..], &calendar.header].concat();
        zones.iter().filter(names).for_each(|zone| bytes.extend_from_slice(&zone.raw));
        components.iter().for_each(|component| bytes.extend_from_slice(&component.raw));
        bytes.extend_from_slice(&calendar.end);
        Cut { part, uid, bytes }
    };
    groups.into_iter().map(assemble).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_cards_is_cut_between_them_byte_for_byte() {
        let one = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nNOTE:folded\r\n  on\r\nEND:VCARD\r\n";
        let two = "begin:vcard\nVERSION:2.1\nAGENT:\nBEGIN:VCARD\nUID:inner\nEND:VCARD\nEND:VCARD\n";
        let split = split_cards(format!("{one}\r\n{two}").as_bytes());
        assert!(split.is_whole);
        assert_eq!(split.items.len(), 2);
        assert_eq!((split.items[0].bytes.as_slice(), split.items[0].uid.as_deref()), (one.as_bytes(), Some("a")));
        assert_eq!((split.items[1].bytes.as_slice(), split.items[1].uid.as_deref()), (two.as_bytes(), None));
    }

    #[test]
    fn a_calendar_is_cut_into_series_each_with_its_time_zone() {
        let text = "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:PUBLISH\n\
            BEGIN:VTIMEZONE\nTZID:Berlin\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE\n\
            BEGIN:VTIMEZONE\nTZID:Tokyo\nEND:VTIMEZONE\n\
            BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Ber\n lin:20260101T090000\nRRULE:FREQ=DAILY\nEND:VEVENT\n\
            BEGIN:VTODO\nUID:t\nEND:VTODO\n\
            BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20260102T080000Z\nEND:VEVENT\n\
            BEGIN:VEVENT\nSUMMARY:none\nEND:VEVENT\nEND:VCALENDAR\n";
        let split = split_calendars(text.as_bytes());
        assert!(split.is_whole);
        let parts: Vec<Part> = split.items.iter().map(|item| item.part).collect();
        assert_eq!(parts, [Part::Calendars, Part::Tasks, Part::Calendars]);
        let series = String::from_utf8(split.items[0].bytes.clone()).unwrap();
        assert!(series.contains("TZID=Ber\n lin:") && series.contains("RECURRENCE-ID"));
        assert!(series.contains("TZID:Berlin") && !series.contains("Tokyo") && !series.contains("METHOD"));
        assert!(!String::from_utf8(split.items[2].bytes.clone()).unwrap().contains("VTIMEZONE"));
    }

    #[test]
    fn a_damaged_end_is_told_and_the_rest_is_kept() {
        let split = split_cards(b"BEGIN:VCARD\nEND:VCARD\nBEGIN:VCARD\nFN:x\n");
        assert_eq!((split.items.len(), split.is_whole), (1, false));
        let split = split_calendars(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n");
        assert_eq!((split.items.len(), split.is_whole), (0, false));
    }
}
