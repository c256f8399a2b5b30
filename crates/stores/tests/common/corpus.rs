//! Files that real programs wrote, and what they say, however it is written.

use super::{list, read};
use mail_parser::{MessageParser, MimeHeaders as _};
use pim::{Component, FolderKind, Format, Property};
use std::{collections::BTreeSet, fs, path::Path};
use stores::{
    Store,
    import::{Into, import},
    memory::{MemoryOptions, MemoryStore},
};

#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) file: String,
    pub(crate) kind: FolderKind,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
}

/// Items of the corpus, taken apart as an import does: of each file at most so many of a kind.
pub(crate) fn corpus(of_each: usize) -> Vec<Item> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    let folder = |name: &str| fs::read_dir(root.join(name)).unwrap().map(|file| file.unwrap().path());
    let files: BTreeSet<_> = folder("eml").chain(folder("ics")).chain(folder("vcf")).collect();
    let mut items = Vec::new();
    for path in files {
        let (mut store, _) = MemoryStore::new(MemoryOptions::default());
        store.open().unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        // What no import takes, no store gets.
        if import(&mut store, &path, Into::Named(file.clone()), false, |_| {}).is_err() {
            continue;
        }
        for folder in store.folders().unwrap() {
            for entry in list(&mut store, &folder.id.0).into_iter().take(of_each) {
                let bytes = read(&store, &entry);
                items.push(Item { file: file.clone(), kind: folder.kind, format: entry.format, bytes });
            }
        }
    }
    items
}

/// Lines that say when something was written, by which program, and how.
const ABOUT_THE_FILE: [&str; 7] =
    ["CREATED", "DTSTAMP", "LAST-MODIFIED", "PRODID", "REV", "VERSION", "X-EVOLUTION-ALARM-UID"];
/// Lines that hold several values, or one each.
const LISTS: [&str; 4] = ["CATEGORIES", "EXDATE", "RDATE", "RESOURCES"];

/// What an item says, however it is written: where it stands, the name, the value.
pub(crate) fn sayings(format: Format, bytes: &[u8]) -> BTreeSet<(String, String)> {
    fn collect(component: &Component, above: &str, found: &mut BTreeSet<(String, String)>) {
        let here = format!("{above}{}", component.name);
        if component.name != "VCALENDAR" {
            found.extend(component.properties.iter().flat_map(|property| said(&here, property)));
        }
        for inner in component.components.iter().filter(|inner| inner.name != "VTIMEZONE") {
            collect(inner, &format!("{here}/"), found);
        }
    }
    if format == Format::Rfc5322 {
        return message_sayings(bytes);
    }
    let mut found = BTreeSet::new();
    pim::components(format, bytes).unwrap_or_default().iter().for_each(|one| collect(one, "", &mut found));
    found
}

/// `-PT00H15M00S` is `-PT15M`.
fn without_zeros(duration: &str) -> String {
    let (mut text, mut number) = (String::new(), String::new());
    for letter in duration.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
        } else {
            let told = number.trim_start_matches('0');
            // Nothing of a unit isn't told.
            if number.is_empty() || !told.is_empty() {
                text.push_str(told);
                text.push(letter);
            }
            number.clear();
        }
    }
    text + &number
}

fn said(place: &str, property: &Property) -> Vec<(String, String)> {
    let name = &*property.name;
    if ABOUT_THE_FILE.contains(&name) {
        return Vec::new();
    }
    let text = match &property.binary {
        Some(bytes) => format!("{} bytes", bytes.len()),
        None => property.text(),
    };
    let values: Vec<String> = match name {
        _ if LISTS.contains(&name) => property.list(),
        "RRULE" => {
            let parts: BTreeSet<&str> = text.split(';').filter(|part| *part != "INTERVAL=1").collect();
            vec![parts.into_iter().collect::<Vec<_>>().join(";")]
        }
        "GEO" => vec![
            text.split(';').filter_map(|part| part.parse::<f64>().ok()).map(|part| format!("{part:.3};")).collect(),
        ],
        "ATTENDEE" | "ORGANIZER" => vec![text.replacen("MAILTO:", "mailto:", 1).replacen("Mailto:", "mailto:", 1)],
        "TRIGGER" => vec![without_zeros(&text)],
        "REQUEST-STATUS" => vec![text.trim_end_matches('.').to_owned()],
        _ => vec![text],
    };
    let trimmed = values.into_iter().map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
    // Nothing said is nothing lost.
    trimmed.filter(|value| !value.is_empty()).map(|value| (format!("{place} {name}"), value)).collect()
}

fn message_sayings(bytes: &[u8]) -> BTreeSet<(String, String)> {
    let Some(message) = MessageParser::default().parse(bytes) else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    let mut say = |name: &str, value: String| {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !value.is_empty() {
            found.insert((format!("message {name}"), value));
        }
    };
    for header in message.headers() {
        let name = header.name().to_ascii_lowercase();
        // They say how the message is put together, not what it says.
        if !["content-type", "content-transfer-encoding", "mime-version", "content-length"].contains(&&*name) {
            say(&format!("header {name}"), format!("{:?}", header.value()));
        }
    }
    for (what, count) in [("text", message.text_body_count()), ("HTML", message.html_body_count())] {
        for at in 0..count {
            let body = if what == "text" { message.body_text(at) } else { message.body_html(at) };
            say(what, body.unwrap_or_default().into_owned());
        }
    }
    for attachment in message.attachments() {
        let name = attachment.attachment_name().unwrap_or_default();
        say("attachment name", name.to_owned());
        say("attachment", blake3::hash(attachment.contents()).to_string());
    }
    found
}
