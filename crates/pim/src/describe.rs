//! An item as text for people: in the list of conflicts and in the history.

use crate::document::Document;
use crate::field::{Field, Piece};
use crate::line::Line;
use crate::object::Object;
use crate::property::{
    Dialect, Shape, Value, is_bookkeeping, list_values, shape, structured_values, text_value, value,
};
use crate::text::{decode, paragraph};
use crate::{Format, Kind};

/// Characters of one field.
pub(crate) const CHARS_MAX: usize = 2_000;
const FIELDS_MAX: usize = 100;

/// The fields of an item under the names of their properties (`SUMMARY`, `TEL`, `DTSTART`; for a message `FROM`, `TO`, `CC`,
/// `SUBJECT`, `DATE`, `TEXT`), in the order of the file. At most a hundred, each at most 2,000 characters.
#[must_use]
pub fn describe(kind: Kind, format: Format, bytes: &[u8]) -> Vec<(String, String)> {
    if kind == Kind::Message || format == Format::Rfc5322 {
        return crate::mail::describe(bytes);
    }
    let is_card = format == Format::VCard;
    let is_readable =
        matches!(format, Format::VCard | Format::ICalendar) && bytes.len() <= crate::examine::READ_BYTES_MAX;
    let document = if is_readable { Document::read(bytes, is_card) } else { None };
    match document.as_ref().and_then(|document| Object::find(document, format)) {
        Some(object) => describe_object(&object),
        None => {
            // Four bytes are the longest character.
            let head = &bytes[..bytes.len().min(CHARS_MAX * 4)];
            vec![("TEXT".to_owned(), paragraph(&decode(head, None), CHARS_MAX))]
        }
    }
}

fn describe_object(object: &Object<'_>) -> Vec<(String, String)> {
    let main = &object.document.components[object.main];
    let lines = main.properties.iter().map(|index| &object.document.lines[*index]);
    let told = lines.filter(|line| !line.is("UID") && !is_bookkeeping(&line.name(), object.dialect));
    let fields = told.map(|line| (line.name(), paragraph(&readable(line, object.dialect, None), CHARS_MAX)));
    let blocks = main.children.iter().chain(&object.exceptions);
    let parts =
        blocks.map(|block| (object.document.components[*block].name.clone(), block_text(object, *block, CHARS_MAX)));
    fields.chain(parts).filter(|(_, text)| !text.is_empty()).take(FIELDS_MAX).collect()
}

/// One field of an object.
pub(crate) fn field_text(object: &Object<'_>, field: &Field) -> String {
    let mut pieces = field.pieces.clone();
    pieces.sort_by_key(|piece| piece.line);
    let line = |piece: &Piece| &object.document.lines[piece.line];
    let names: std::collections::BTreeSet<_> = pieces.iter().take(FIELDS_MAX).map(|piece| line(piece).name()).collect();
    let mut texts = Vec::new();
    for piece in pieces.iter().take(FIELDS_MAX) {
        let text = readable(line(piece), object.dialect, piece.part);
        texts.push(if names.len() > 1 { format!("{}: {text}", line(piece).name()) } else { text });
    }
    texts.extend(field.blocks.iter().take(FIELDS_MAX).map(|block| block_text(object, *block, CHARS_MAX)));
    paragraph(&texts.join("\n"), CHARS_MAX)
}

fn block_text(object: &Object<'_>, component: usize, chars_max: usize) -> String {
    let lines = object.document.components[component].properties.iter().map(|index| &object.document.lines[*index]);
    let told = lines.filter(|line| !line.is("UID") && !is_bookkeeping(&line.name(), object.dialect)).take(FIELDS_MAX);
    let texts: Vec<_> = told.map(|line| format!("{}: {}", line.name(), readable(line, object.dialect, None))).collect();
    paragraph(&texts.join("\n"), chars_max)
}

/// The value of a line, or one value of its list.
fn readable(line: &Line<'_>, dialect: Dialect, part: Option<usize>) -> String {
    if let Value::Binary(digits) = value(line, dialect) {
        return format!("{} B", digits.len() / 4 * 3);
    }
    let texts = |values: Vec<Vec<u8>>| {
        let texts = values.iter().filter(|value| !value.is_empty()).map(|value| decode(value, None).into_owned());
        texts.collect::<Vec<_>>().join(", ")
    };
    match (shape(&line.name(), dialect), part) {
        (Shape::List, Some(part)) => texts(list_values(line, dialect).into_iter().nth(part).into_iter().collect()),
        (Shape::List, None) => texts(list_values(line, dialect)),
        (Shape::Structured, _) => texts(structured_values(line, dialect)),
        _ => {
            let text = decode(&text_value(line, dialect), None).into_owned();
            let zone = line.parameter("TZID").map(|zone| decode(zone, None).into_owned());
            match (point_in_time(&text), zone) {
                (Some(time), Some(zone)) => format!("{time} {zone}"),
                (Some(time), None) => time,
                (None, _) => text,
            }
        }
    }
}

/// `20260131T090000Z` as `2026-01-31 09:00 UTC`.
fn point_in_time(text: &str) -> Option<String> {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let date = format!("{}-{}-{}", digits(0..4)?, digits(4..6)?, digits(6..8)?);
    match (text.len(), text.as_bytes().get(8)) {
        (8, None) => Some(date),
        (15 | 16, Some(b'T')) => {
            let seconds = digits(13..15).filter(|seconds| *seconds != "00").map(|seconds| format!(":{seconds}"));
            let zone = match text.get(15..)? {
                "" => "",
                "Z" => " UTC",
                _ => return None,
            };
            Some(format!("{date} {}:{}{}{zone}", digits(9..11)?, digits(11..13)?, seconds.unwrap_or_default()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_in_plain_words() {
        let event = b"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n\
            DTSTART;TZID=Europe/Berlin:20260131T090000\nDTEND:20260131T093001Z\nSUMMARY:Tea\\, coffee\nCATEGORIES:a,b\n\
            BEGIN:VALARM\nTRIGGER:-PT5M\nACTION:DISPLAY\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
        let told = describe(Kind::Event, Format::ICalendar, event);
        let told: Vec<_> = told.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("DTSTART", "2026-01-31 09:00 Europe/Berlin"),
                ("DTEND", "2026-01-31 09:30:01 UTC"),
                ("SUMMARY", "Tea, coffee"),
                ("CATEGORIES", "a, b"),
                ("VALARM", "TRIGGER: -PT5M\nACTION: DISPLAY"),
            ]
        );
    }

    #[test]
    fn a_message_is_told_by_its_header_and_first_lines() {
        let mail = b"From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nTo: a@example.org, b@example.org\r\nSubject: Hi\r\n\r\nLine\r\n";
        let told = describe(Kind::Message, Format::Rfc5322, mail);
        assert_eq!(told[0], ("FROM".to_owned(), "Jörg <j@example.org>".to_owned()));
        assert_eq!(told[1].1, "a@example.org, b@example.org");
        assert_eq!(told.last(), Some(&("TEXT".to_owned(), "Line".to_owned())));
    }

    #[test]
    fn what_nobody_can_read_is_shown_as_it_is() {
        assert_eq!(describe(Kind::Contact, Format::VCard, b"\x1b[31mred"), [("TEXT".to_owned(), "[31mred".to_owned())]);
    }
}
