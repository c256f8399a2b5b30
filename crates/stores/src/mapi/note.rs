//! Notes (MS-OXONOTE) and journal entries (MS-OXOJRNL), both `VJOURNAL` (RFC 5545 3.6.3).

use super::{
    Message, NoItem, Stamp, Value, Zone,
    calendar::{self, When, set_time},
    lines::Lines,
    names,
};
use pim::Component;

/// Colours of notes by number, under the names of RFC 7986 5.9.
const COLORS: [&str; 5] = ["blue", "green", "pink", "yellow", "white"];
const LOG_TYPE_PROPERTY: &str = "X-MICROSOFT-JOURNAL-TYPE";
const COMPANY_PROPERTY: &str = "X-MICROSOFT-COMPANIES";

pub(crate) fn to_calendar(message: &Message, uid: &str) -> Vec<u8> {
    let bag = &message.properties;
    let mut lines = Lines::default();
    calendar::begin(&mut lines, None);
    lines.raw("BEGIN", "VJOURNAL");
    calendar::write_common(&mut lines, bag, uid);
    let color = bag.number(&names::NOTE_COLOR).and_then(|color| usize::try_from(color).ok());
    if let Some(color) = color.and_then(|color| COLORS.get(color)) {
        lines.raw("COLOR", color);
    }
    lines.raw("END", "VJOURNAL");
    calendar::end(lines)
}

/// A note's subject is its first line, and the text holds it too.
pub(crate) fn from_calendar(note: &Component) -> Message {
    let mut message = Message::default();
    calendar::read_common(&mut message, note, "IPM.StickyNote");
    let bag = &mut message.properties;
    let summary = note.text("SUMMARY").unwrap_or_default();
    let text = note.text("DESCRIPTION").unwrap_or_default();
    let starts_with_summary = text.trim_start().starts_with(summary.trim());
    let text = match (summary.trim(), text.trim()) {
        ("", _) => text,
        (_, "") => summary,
        _ if starts_with_summary => text,
        _ => format!("{summary}\n{text}"),
    };
    set_text(bag, &text);
    let color =
        note.text("COLOR").and_then(|word| COLORS.iter().position(|known| word.trim().eq_ignore_ascii_case(known)));
    let color = color.and_then(|color| i32::try_from(color).ok());
    if let Some(color) = color {
        bag.set(names::NOTE_COLOR, Value::I32(color));
    }
    bag.set(names::ICON_INDEX, Value::I32(0x300 + color.unwrap_or(3)));
    message
}

pub(crate) fn from_text(text: &str) -> Message {
    let mut message = Message::default();
    message.properties.set_text(names::MESSAGE_CLASS, "IPM.StickyNote");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    set_text(&mut message.properties, text.trim_end_matches('\n'));
    message.properties.set(names::ICON_INDEX, Value::I32(0x303));
    message
}

fn set_text(bag: &mut super::Bag, text: &str) {
    let first = text.trim_start().lines().next().unwrap_or_default();
    super::mail::set_subject(bag, first);
    bag.set_text(names::BODY, text.replace('\n', "\r\n"));
}

pub(crate) fn journal_to_calendar(message: &Message, uid: &str) -> Vec<u8> {
    let bag = &message.properties;
    let mut lines = Lines::default();
    calendar::begin(&mut lines, None);
    lines.raw("BEGIN", "VJOURNAL");
    calendar::write_common(&mut lines, bag, uid);
    let start = bag.time(&names::LOG_START).or_else(|| bag.time(&names::COMMON_START));
    if let Some(start) = start {
        lines.raw("DTSTART", &start.utc_text());
    }
    // A journal entry of iCalendar has no end, so it goes where other programs keep what they don't know.
    if let Some(minutes) = bag.number(&names::LOG_DURATION).filter(|minutes| *minutes > 0) {
        lines.raw("X-MICROSOFT-JOURNAL-DURATION", &format!("PT{minutes}M"));
    }
    lines.text(LOG_TYPE_PROPERTY, &bag.text(&names::LOG_TYPE).unwrap_or_default());
    lines.list(COMPANY_PROPERTY, &bag.texts(&names::COMPANIES));
    for contact in bag.texts(&names::CONTACTS) {
        lines.text("CONTACT", &contact);
    }
    calendar::write_attachments(&mut lines, &message.attachments);
    lines.raw("END", "VJOURNAL");
    calendar::end(lines)
}

pub(crate) fn journal_from_calendar(calendar: &Component, here: &Zone) -> Result<Message, NoItem> {
    let entry = calendar::main(calendar).ok_or(NoItem::Unreadable)?;
    let mut message = Message::default();
    calendar::read_common(&mut message, entry, "IPM.Activity");
    let bag = &mut message.properties;
    let duration = entry.text("X-MICROSOFT-JOURNAL-DURATION").and_then(|text| calendar::duration_seconds(&text));
    let duration = duration.unwrap_or_default().max(0);
    if let Some(line) = entry.first("DTSTART") {
        let start = When::read(line, &line.value, calendar)?.utc(here);
        for key in [names::LOG_START, names::COMMON_START] {
            set_time(bag, key, start);
        }
        for key in [names::LOG_END, names::COMMON_END] {
            set_time(bag, key, Stamp(start.0 + duration));
        }
    }
    bag.set(names::LOG_DURATION, Value::I32(i32::try_from(duration / 60).unwrap_or_default()));
    let kind = entry.text(LOG_TYPE_PROPERTY).unwrap_or_else(|| "Note".to_owned());
    bag.set_text(names::LOG_TYPE, kind.clone());
    bag.set_text(names::LOG_TYPE_DESCRIPTION, kind);
    bag.set_texts(names::COMPANIES, entry.all(COMPANY_PROPERTY).flat_map(pim::Property::list));
    bag.set_texts(names::CONTACTS, entry.all("CONTACT").map(pim::Property::text));
    bag.set(names::ICON_INDEX, Value::I32(0x601));
    Ok(message)
}
