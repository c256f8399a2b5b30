//! Cutting address books and calendars with many items in one file: by content lines, so an item's bytes stay as they were.

use pim::FolderKind;
use std::{borrow::Cow, collections::BTreeMap, io, path::Path};

/// What a loose file is, by its ending.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LooseKind {
    Message,
    Cards,
    Calendar,
}

impl LooseKind {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match &*ending {
            "eml" => Some(Self::Message),
            "vcf" => Some(Self::Cards),
            "ics" => Some(Self::Calendar),
            _ => None,
        }
    }
}

/// One item cut out of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cut {
    pub(crate) folder: FolderKind,
    pub(crate) uid: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

/// The items of a file, and whether all of it was understood.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Split {
    pub(crate) items: Vec<Cut>,
    pub(crate) is_whole: bool,
}

/// Cuts a file into items.
pub(crate) fn split_file(path: &Path, kind: LooseKind) -> io::Result<Split> {
    let bytes = crate::files::read_small(path, crate::Payload::SIZE_MAX)?;
    Ok(match kind {
        LooseKind::Message => Split { items: vec![Cut { folder: FolderKind::Mail, uid: None, bytes }], is_whole: true },
        LooseKind::Cards => split_cards(&as_utf8(&bytes)),
        LooseKind::Calendar => split_calendars(&as_utf8(&bytes)),
    })
}

/// Some programs write UTF-16, which no content line can be found in.
pub(crate) fn as_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (encoding, start) = match bytes {
        [0xFF, 0xFE, ..] => (encoding_rs::UTF_16LE, 2),
        [0xFE, 0xFF, ..] => (encoding_rs::UTF_16BE, 2),
        [0xEF, 0xBB, 0xBF, ..] => return Cow::Borrowed(&bytes[3..]),
        _ => return Cow::Borrowed(bytes),
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[start..]);
    Cow::Owned(text.into_owned().into_bytes())
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

pub(crate) fn split_cards(bytes: &[u8]) -> Split {
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
                split.items.push(Cut { folder: FolderKind::Contacts, uid, bytes: std::mem::take(&mut card) });
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

pub(crate) fn split_calendars(bytes: &[u8]) -> Split {
    let (calendars, is_whole) = read_calendars(bytes);
    Split { items: calendars.iter().flat_map(items_of).collect(), is_whole }
}

/// The calendars of a file, and whether all of it was understood.
fn read_calendars(bytes: &[u8]) -> (Vec<Calendar>, bool) {
    let (mut calendars, mut is_whole) = (Vec::new(), true);
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
                is_whole &= line.unfolded.trim().is_empty();
            }
            continue;
        };
        if open.is_empty() && is_end && value == "VCALENDAR" {
            current.end = line.raw.to_vec();
            calendars.extend(calendar.take());
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
                // Lines name it in a parameter, which has no escapes.
                "TZID" => component.time_zone = Some(value.trim().replace("\\,", ",").replace("\\;", ";")),
                _ => {}
            }
        }
        if is_begin {
            open.push(value);
        } else if is_end {
            if open.last() != Some(&value) {
                is_whole = false;
            }
            open.pop();
        }
    }
    is_whole &= calendar.is_none();
    (calendars, is_whole)
}

/// A calendar file taken apart: its time zones by name, and everything else in it.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) zones: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) components: Vec<u8>,
}

/// `None` when there is no component in it, or it isn't whole.
pub(crate) fn components(bytes: &[u8]) -> Option<Parts> {
    let (calendars, is_whole) = read_calendars(&as_utf8(bytes));
    let mut parts = Parts::default();
    for component in calendars.into_iter().flat_map(|calendar| calendar.components) {
        match component.time_zone.filter(|_| component.name == "VTIMEZONE") {
            Some(name) => drop(parts.zones.insert(name.into_bytes(), component.raw)),
            None => parts.components.extend(component.raw),
        }
    }
    (is_whole && !parts.components.is_empty()).then_some(parts)
}

/// A recurring event and its exceptions share a UID and are one item; every item takes the time zones it names.
fn items_of(calendar: &Calendar) -> Vec<Cut> {
    let mut groups: Vec<(FolderKind, Option<String>, Vec<&Component>)> = Vec::new();
    for component in &calendar.components {
        let folder = match &*component.name {
            "VEVENT" => FolderKind::Calendar,
            "VTODO" => FolderKind::Tasks,
            "VJOURNAL" => FolderKind::Notes,
            // Time zones go with their items; free/busy times belong to nobody.
            _ => continue,
        };
        let same = groups.iter_mut().find(|(f, uid, _)| *f == folder && uid.is_some() && *uid == component.uid);
        match same {
            Some((_, _, components)) => components.push(component),
            None => groups.push((folder, component.uid.clone(), vec![component])),
        }
    }
    let zones: Vec<&Component> = calendar.components.iter().filter(|component| component.name == "VTIMEZONE").collect();
    let assemble = |(folder, uid, components): (FolderKind, Option<String>, Vec<&Component>)| {
        let names = |zone: &&&Component| {
            zone.time_zone.as_ref().is_some_and(|id| components.iter().any(|component| component.text.contains(id)))
        };
        let mut bytes = [&calendar.begin[..], &calendar.header].concat();
        zones.iter().filter(names).for_each(|zone| bytes.extend_from_slice(&zone.raw));
        components.iter().for_each(|component| bytes.extend_from_slice(&component.raw));
        bytes.extend_from_slice(&calendar.end);
        Cut { folder, uid, bytes }
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
            BEGIN:VTIMEZONE\nTZID:Berlin\\, Rome\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE\n\
            BEGIN:VTIMEZONE\nTZID:Tokyo\nEND:VTIMEZONE\n\
            BEGIN:VEVENT\nUID:a\nDTSTART;TZID=\"Ber\n lin, Rome\":20260101T090000\nRRULE:FREQ=DAILY\nEND:VEVENT\n\
            BEGIN:VTODO\nUID:t\nEND:VTODO\n\
            BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20260102T080000Z\nEND:VEVENT\n\
            BEGIN:VEVENT\nSUMMARY:none\nEND:VEVENT\nEND:VCALENDAR\n";
        let split = split_calendars(text.as_bytes());
        assert!(split.is_whole);
        let folders: Vec<FolderKind> = split.items.iter().map(|item| item.folder).collect();
        assert_eq!(folders, [FolderKind::Calendar, FolderKind::Tasks, FolderKind::Calendar]);
        let series = String::from_utf8(split.items[0].bytes.clone()).unwrap();
        assert!(series.contains("TZID=\"Ber\n lin, Rome\":") && series.contains("RECURRENCE-ID"));
        assert!(series.contains("TZID:Berlin\\, Rome") && !series.contains("Tokyo") && !series.contains("METHOD"));
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
