//! vCards and iCalendar components as Evolution Data Server keeps them, and as everybody else knows them.
//!
//! An item keeps the name under which EDS knows it (its `UID` there) for life, even where that name was taken or somebody
//! gives the item another `UID`; the `UID` of everybody else is kept in [`UID_ELSEWHERE`] then.

use crate::mapi::lines::{Lines, parameter};
use mail_builder::encoders::base64::base64_encode;
use pim::Format;
use std::{fs, path::Path};

/// The UID that other computers know (`=their-uid`), where EDS knows the item by another one; `-` where it has none.
const UID_ELSEWHERE: &str = "X-TANDEM-UID";
/// Larger pictures of contacts stay where they are.
const PICTURE_BYTES_MAX: u64 = 8 << 20;

/// Content lines with their folds; each ends with CR LF, and none is empty.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.trim_end_matches('\r');
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
            _ if line.is_empty() => continue,
            _ => lines.push(line.to_owned()),
        }
        lines.last_mut().expect("there is one now").push_str("\r\n");
    }
    lines
}

/// The same text, whichever way its lines ended and whichever way EDS was asked for it.
pub(super) fn normal(object: &str) -> String {
    lines(object).into_iter().map(|line| without_e164(&line).unwrap_or(line)).collect()
}

/// A telephone number without what EDS adds to it for looking it up, in one place or another among the parameters.
fn without_e164(line: &str) -> Option<String> {
    const ADDED: &str = ";X-EVOLUTION-E164=";
    let line = unfolded(line);
    let begin = line[..colon(&line)?].find(ADDED)?;
    let mut is_quoted = false;
    let rest = line[begin + ADDED.len()..].find(|letter| {
        is_quoted ^= letter == '"';
        !is_quoted && matches!(letter, ';' | ':')
    })?;
    Some(format!("{}{}\r\n", &line[..begin], &line[begin + ADDED.len() + rest..]))
}

fn unfolded(line: &str) -> String {
    line.replace("\r\n ", "").replace("\r\n\t", "").trim_end_matches("\r\n").to_owned()
}

/// A line's name in upper case, without its group.
fn name_of(line: &str) -> String {
    let is_end = |letter: char| matches!(letter, ':' | ';' | '\r');
    let name = line.split(is_end).next().unwrap_or_default();
    // Nobody folds a name, but anybody may.
    let name = if line[name.len()..].starts_with("\r\n ") { unfolded(line) } else { name.to_owned() };
    let name = name.split(is_end).next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default().to_ascii_uppercase()
}

fn value_of(line: &str) -> String {
    let line = unfolded(line);
    colon(&line).map(|at| line[at + 1..].to_owned()).unwrap_or_default()
}

/// Where a line's value begins, after its parameters.
fn colon(line: &str) -> Option<usize> {
    let mut is_quoted = false;
    line.find(|letter| {
        is_quoted ^= letter == '"';
        letter == ':' && !is_quoted
    })
}

/// The value of an object's own line, not of an object inside it.
pub(super) fn value(object: &str, wanted: &str) -> Option<String> {
    let mut depth = 0;
    for line in lines(object) {
        let name = name_of(&line);
        match &*name {
            "BEGIN" => depth += 1,
            "END" => depth -= 1,
            _ if depth == 1 && name == wanted => return Some(value_of(&line)),
            _ => {}
        }
    }
    None
}

/// The name EDS knows an object by.
pub(super) fn uid(object: &str) -> Option<String> {
    value(object, "UID").filter(|uid| !uid.is_empty()).map(|uid| unescaped(&uid))
}

/// A text without the backslashes it is written with.
pub(super) fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    text
}

/// A vCard as EDS understands it: it reads version 3.0, and of 2.1 not everything (quoted-printable lines that go on in the
/// next one, names and types in one place). What it doesn't know as an escape it would keep as letters.
pub(super) fn modern(card: &str) -> String {
    if value(card, "VERSION").as_deref().map(str::trim) != Some("2.1") {
        return card.replace("\\:", ":");
    }
    let mut components = pim::components(Format::VCard, card.as_bytes()).unwrap_or_default();
    let (Some(component), true) = (components.pop(), components.is_empty()) else { return card.to_owned() };
    let mut modern = Lines::default();
    modern.raw("BEGIN", "VCARD");
    modern.raw("VERSION", "3.0");
    for property in component.properties.iter().filter(|property| property.name != "VERSION") {
        let mut name = property.group.as_ref().map(|group| format!("{group}.")).unwrap_or_default();
        name.push_str(&property.name);
        for (key, values) in &property.parameters {
            if !["", "TYPE", "ENCODING", "CHARSET"].contains(&&**key) {
                name.push_str(&parameter(key, &values.join(",")));
            }
        }
        let types: Vec<&str> = property.types.iter().map(String::as_str).collect();
        name.push_str(&parameter("TYPE", &types.join(",")).replace('"', ""));
        match &property.binary {
            Some(bytes) => {
                let encoded = base64_encode(bytes).unwrap_or_default();
                modern.raw(&format!("{name};ENCODING=b"), &String::from_utf8_lossy(&encoded));
            }
            // In 2.1 a comma is a letter like any other.
            None => modern.raw(&name, &property.value.replace('\r', "").replace('\n', "\\n").replace(',', "\\,")),
        }
    }
    modern.raw("END", "VCARD");
    String::from_utf8_lossy(&modern.finish()).into_owned()
}

/// An object as EDS gets it: known there as `uid`.
pub(super) fn inward(object: &str, uid: &str) -> String {
    let elsewhere = value(object, "UID").filter(|uid| !uid.is_empty());
    let uid = &*uid.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;");
    let mut depth = 0;
    let mut inward = String::with_capacity(object.len() + 64);
    for line in lines(object) {
        let name = name_of(&line);
        match &*name {
            "END" => depth -= 1,
            "UID" | UID_ELSEWHERE if depth == 1 => continue,
            _ => {}
        }
        inward.push_str(&line);
        if name == "BEGIN" {
            depth += 1;
            if depth == 1 {
                inward.push_str(&format!("UID:{uid}\r\n"));
                match &elsewhere {
                    Some(same) if same == uid => {}
                    Some(other) => inward.push_str(&format!("{UID_ELSEWHERE}:={other}\r\n")),
                    None => inward.push_str(&format!("{UID_ELSEWHERE}:-\r\n")),
                }
            }
        }
    }
    inward
}

/// An object as other computers know it.
pub(super) fn outward(object: &str) -> String {
    let elsewhere = value(object, UID_ELSEWHERE);
    let mut depth = 0;
    let mut outward = String::with_capacity(object.len());
    for line in lines(object) {
        let name = name_of(&line);
        match &*name {
            "BEGIN" => depth += 1,
            "END" => depth -= 1,
            UID_ELSEWHERE if depth == 1 => continue,
            // What libical says of a line it leaves out.
            "X-LIC-ERROR" => continue,
            "UID" if depth == 1 && elsewhere.is_some() => {
                if let Some(uid) = elsewhere.as_deref().and_then(|elsewhere| elsewhere.strip_prefix('=')) {
                    outward.push_str(&format!("UID:{uid}\r\n"));
                }
                continue;
            }
            // EDS puts pictures into files of its own.
            "PHOTO" | "LOGO" => {
                if let Some(picture) = picture(&name, &value_of(&line)) {
                    outward.push_str(&picture);
                    continue;
                }
            }
            _ => {}
        }
        outward.push_str(&line);
    }
    outward
}

/// A picture that EDS keeps beside its address book. Any other file is none of ours: a card can name whatever it wants.
fn picture(name: &str, address: &str) -> Option<String> {
    let mut path = Vec::new();
    let mut rest = address.strip_prefix("file://")?.bytes();
    while let Some(byte) = rest.next() {
        path.push(match byte {
            b'%' => u8::from_str_radix(&format!("{}{}", rest.next()? as char, rest.next()? as char), 16).ok()?,
            _ => byte,
        });
    }
    let path = fs::canonicalize(String::from_utf8(path).ok()?).ok()?;
    let photos = path.parent()?;
    let books = photos.parent()?.parent()?;
    let is_kept_by_eds = photos.ends_with("photos") && books.ends_with(Path::new("evolution/addressbook"));
    if !is_kept_by_eds || fs::metadata(&path).ok()?.len() > PICTURE_BYTES_MAX {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let kind = match bytes.get(..4)? {
        [0x89, b'P', b'N', b'G'] => "PNG",
        [b'G', b'I', b'F', _] => "GIF",
        [0xff, 0xd8, ..] => "JPEG",
        _ => return None,
    };
    let encoded = base64_encode(&bytes).ok()?;
    Some(format!("{name};ENCODING=b;TYPE={kind}:{}\r\n", String::from_utf8(encoded).ok()?))
}

/// The vCards in a file, each whole; `None` if there is something else or one is cut short.
pub(super) fn cards(text: &str) -> Option<Vec<String>> {
    components(&format!("BEGIN:VCALENDAR\r\n{text}\r\nEND:VCALENDAR\r\n"))
}

/// The objects inside a `VCALENDAR`, each whole; `None` if it is none or is cut short.
pub(super) fn components(calendar: &str) -> Option<Vec<String>> {
    let mut components: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    let mut is_over = false;
    for line in lines(calendar.trim_start_matches('\u{feff}')) {
        let name = name_of(&line);
        match &*name {
            _ if is_over => return None,
            "BEGIN" if depth == 0 && !value_of(&line).eq_ignore_ascii_case("VCALENDAR") => return None,
            "BEGIN" => {
                depth += 1;
                if depth == 2 {
                    components.push(String::new());
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
        if depth >= 2 {
            components.last_mut()?.push_str(&line);
        }
        if name == "END" {
            depth -= 1;
            is_over = depth == 0;
        }
    }
    is_over.then_some(components)
}

/// What an object is called: `VEVENT`, …
pub(super) fn component_name(object: &str) -> String {
    lines(object).first().map(|line| value_of(line).trim().to_ascii_uppercase()).unwrap_or_default()
}

/// The time zones an object names.
pub(super) fn zones(object: &str) -> Vec<String> {
    let mut zones = Vec::new();
    for line in lines(object) {
        let line = unfolded(&line);
        let Some((head, _)) = line.split_once(':') else { continue };
        let Some((_, rest)) = head.split_once(";TZID=") else { continue };
        let zone = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split(';').next(),
        };
        let zone = zone.unwrap_or_default().to_owned();
        if !zone.is_empty() && !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    zones
}

/// Objects and their time zones as one calendar.
pub(super) fn calendar(zones: &[String], objects: &[String]) -> String {
    let objects: String = zones.iter().chain(objects).map(String::as_str).collect();
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tandem//Evolution Data Server//EN\r\n{objects}END:VCALENDAR\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:theirs\r\nFN:Anna\r\nEND:VCARD\r\n";

    #[test]
    fn the_uid_of_other_computers_survives_another_name_in_eds() {
        let inside = inward(CARD, "ours");
        assert_eq!(value(&inside, "UID").as_deref(), Some("ours"));
        assert_eq!(value(&outward(&inside), "UID").as_deref(), Some("theirs"));
        let without = CARD.replace("UID:theirs\r\n", "");
        assert_eq!(value(&outward(&inward(&without, "ours")), "UID"), None);
        assert_eq!(value(&outward(&inside), UID_ELSEWHERE), None);
    }

    #[test]
    fn what_eds_adds_to_a_number_is_left_out_and_a_text_that_speaks_of_it_stays() {
        let added = "TEL;X-EVOLUTION-E164=\"30:17\",\"+49\";TYPE=HOME:030 17\r\n";
        assert_eq!(normal(added), "TEL;TYPE=HOME:030 17\r\n");
        let note = "NOTE;X-A=\"b:c\":see ;X-EVOLUTION-E164=1;2 there\r\n";
        assert_eq!(normal(note), note);
    }

    #[test]
    fn a_calendar_is_taken_apart_and_a_cut_one_refused() {
        let text = calendar(&[], &["BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Here:2026\r\nEND:VEVENT\r\n".to_owned()]);
        let parts = components(&text).unwrap();
        assert_eq!((parts.len(), component_name(&parts[0])), (1, "VEVENT".to_owned()));
        assert_eq!(zones(&parts[0]), ["Here"]);
        assert_eq!(components(&text[..text.len() - 16]), None);
        assert_eq!(components("hello"), None);
    }
}
