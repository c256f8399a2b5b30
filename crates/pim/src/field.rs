//! An item as fields: what is compared, hashed and merged one by one.

use crate::digest::{put, short_hash};
use crate::document::Document;
use crate::object::Object;
use crate::property::{Meaning, is_bookkeeping, meanings};
use crate::{Format, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The name of one field of an item, the same on every computer.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FieldKey {
    /// All lines of a property, by its name in upper case.
    Property(String),
    /// One of several values of a property: an address, a number, a category, a participant.
    #[allow(missing_docs)]
    Value { name: String, key: u64 },
    /// When it happens: start, end or due date, recurrence rule and every exception of the series.
    Times,
    /// How far a task is: status, percentage and completion date, which only make sense together.
    Progress,
    /// All parts of one kind, by their name in upper case: the alarms (`VALARM`) of an event.
    Parts(String),
    /// A property of the calendar around the event.
    Wrapper(String),
    /// The whole text of a note.
    Text,
}

impl FieldKey {
    /// The name of the property or part, or a word for what has no single name; a user interface finds its own words by it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Property(name) | Self::Value { name, .. } | Self::Parts(name) | Self::Wrapper(name) => name,
            Self::Times => "TIMES",
            Self::Progress => "PROGRESS",
            Self::Text => "TEXT",
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        let (tag, key) = match self {
            Self::Property(_) => (0, 0),
            Self::Value { key, .. } => (1, *key),
            Self::Times => (2, 0),
            Self::Progress => (3, 0),
            Self::Parts(_) => (4, 0),
            Self::Wrapper(_) => (5, 0),
            Self::Text => (6, 0),
        };
        out.push(tag);
        out.extend_from_slice(&key.to_le_bytes());
        put(out, self.name().as_bytes());
    }
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hash of every field of an item: what both sides last agreed on, small enough to keep for each item.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldHashes(pub BTreeMap<FieldKey, u64>);

/// The fields of an item; `None` when it is not merged by field (messages, opaque items).
#[must_use]
pub fn fields(kind: Kind, format: Format, bytes: &[u8]) -> Option<FieldHashes> {
    if kind == Kind::Message || bytes.len() > crate::examine::READ_BYTES_MAX {
        return None;
    }
    match format {
        Format::Rfc5322 => None,
        Format::Text | Format::Markdown => {
            let hash = short_hash(&crate::note::canonical(bytes));
            Some(FieldHashes(BTreeMap::from([(FieldKey::Text, hash)])))
        }
        Format::VCard | Format::ICalendar => {
            let document = Document::read(bytes, format == Format::VCard)?;
            let object = Object::find(&document, format).filter(Object::has_fields)?;
            Some(hashes(&collect(&object)))
        }
    }
}

/// One field with the places in the file that say it.
#[derive(Debug, Default)]
pub(crate) struct Field {
    contents: Vec<Vec<u8>>,
    pub(crate) pieces: Vec<Piece>,
    /// Components that belong to it as a whole.
    pub(crate) blocks: Vec<usize>,
}

/// A line, or one value of a line that lists several.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Piece {
    pub(crate) line: usize,
    pub(crate) part: Option<usize>,
}

pub(crate) type Fields = BTreeMap<FieldKey, Field>;

impl Field {
    fn add(&mut self, piece: Piece, content: Vec<u8>) {
        self.pieces.push(piece);
        if !content.is_empty() {
            self.contents.push(content);
        }
    }

    /// False for a field that is there only in lines without a value, or with the default one.
    pub(crate) fn says_something(&self) -> bool {
        !self.contents.is_empty()
    }

    /// `None` for a field that says nothing: it is there only so that a merge can take its lines away.
    fn content(&self) -> Option<Vec<u8>> {
        if self.contents.is_empty() {
            return None;
        }
        // Neither standard gives the order of equal properties a meaning, and saying a thing twice says it once.
        let mut contents: Vec<_> = self.contents.iter().collect();
        contents.sort();
        contents.dedup();
        let mut bytes = Vec::new();
        contents.into_iter().for_each(|content| put(&mut bytes, content));
        Some(bytes)
    }
}

pub(crate) fn hashes(fields: &Fields) -> FieldHashes {
    let said = fields.iter().filter_map(|(key, field)| Some((key.clone(), short_hash(&field.content()?))));
    FieldHashes(said.collect())
}

/// The canonical form of an object: its fields, what it is and its UID.
pub(crate) fn canonical(object: &Object<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, object.document.components[object.main].name.as_bytes());
    put(&mut bytes, object.uid.as_deref().unwrap_or_default());
    for (key, field) in &collect(object) {
        if let Some(content) = field.content() {
            key.put(&mut bytes);
            put(&mut bytes, &content);
        }
    }
    bytes
}

/// Sorts all lines and parts of an object into fields.
pub(crate) fn collect(object: &Object<'_>) -> Fields {
    let mut fields = Fields::new();
    let main = &object.document.components[object.main];
    let lines: Vec<_> = main.properties.iter().copied().filter(|index| counts(object, *index)).collect();
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in lines {
        match object.document.lines[index].group() {
            Some(group) => groups.entry(group).or_default().push(index),
            None => add_line(&mut fields, object, index),
        }
    }
    for bundle in groups.into_values() {
        match bundle[..] {
            // A group of one ties nothing together.
            [only] => add_line(&mut fields, object, only),
            _ => add_bundle(&mut fields, object, &bundle),
        }
    }
    for child in &main.children {
        let field = fields.entry(FieldKey::Parts(object.document.components[*child].name.clone())).or_default();
        field.blocks.push(*child);
        field.contents.push(component_content(object, *child));
    }
    for exception in &object.exceptions {
        let field = fields.entry(FieldKey::Times).or_default();
        field.blocks.push(*exception);
        field.contents.push(component_content(object, *exception));
    }
    if let Some(wrapper) = object.wrapper {
        for index in &object.document.components[wrapper].properties {
            let line = &object.document.lines[*index];
            if !is_bookkeeping(&line.name(), object.dialect) {
                let field = fields.entry(FieldKey::Wrapper(line.name())).or_default();
                let contents = meanings(line, object.dialect).into_iter().map(|meaning| meaning.content);
                contents.for_each(|content| field.add(Piece { line: *index, part: None }, content));
            }
        }
    }
    fields
}

fn counts(object: &Object<'_>, line: usize) -> bool {
    let name = object.document.lines[line].name();
    name != "UID" && !is_bookkeeping(&name, object.dialect)
}

fn add_line(fields: &mut Fields, object: &Object<'_>, index: usize) {
    let line = &object.document.lines[index];
    let name = line.name();
    let meanings = meanings(line, object.dialect);
    if meanings.is_empty() {
        fields.entry(FieldKey::Property(name)).or_default().pieces.push(Piece { line: index, part: None });
        return;
    }
    for meaning in meanings {
        let piece = Piece { line: index, part: meaning.part };
        fields.entry(key(object, &name, &meaning)).or_default().add(piece, meaning.content);
    }
}

/// Lines that a vCard ties together by a group (`item1.TEL`, `item1.X-ABLabel`) are one field, called after the line that
/// the others are about. The group's own name means nothing; programs number it anew.
fn add_bundle(fields: &mut Fields, object: &Object<'_>, bundle: &[usize]) {
    let mut said = Vec::new();
    for index in bundle {
        let line = &object.document.lines[*index];
        let meanings = meanings(line, object.dialect);
        let mut content = Vec::new();
        meanings.iter().for_each(|meaning| content.extend_from_slice(&meaning.content));
        let name = line.name();
        let key = match &meanings[..] {
            [only] => key(object, &name, only),
            _ => FieldKey::Property(name.clone()),
        };
        said.push((name.starts_with("X-"), name, content, key));
    }
    said.sort();
    let Some((.., key)) = said.first() else { return };
    let field = fields.entry(key.clone()).or_default();
    field.pieces.extend(bundle.iter().map(|line| Piece { line: *line, part: None }));
    let mut content = Vec::new();
    for (.., said, _) in said.iter().filter(|(.., said, _)| !said.is_empty()) {
        put(&mut content, said);
    }
    if !content.is_empty() {
        field.contents.push(content);
    }
}

fn key(object: &Object<'_>, name: &str, meaning: &Meaning) -> FieldKey {
    let is_task = object.document.components[object.main].name == "VTODO";
    match name {
        "DTSTART" | "DTEND" | "DUE" | "DURATION" | "EXDATE" | "EXRULE" | "RDATE" | "RECURRENCE-ID" | "RRULE"
            if !object.dialect.is_card() =>
        {
            FieldKey::Times
        }
        "COMPLETED" | "PERCENT-COMPLETE" | "STATUS" if is_task => FieldKey::Progress,
        _ => match &meaning.key {
            Some(value) => FieldKey::Value { name: name.to_owned(), key: short_hash(value) },
            None => FieldKey::Property(name.to_owned()),
        },
    }
}

/// The meaning of a component as a whole. Its UID is the series' own, or a note an alarm's program made for itself.
fn component_content(object: &Object<'_>, component: usize) -> Vec<u8> {
    let read = &object.document.components[component];
    let lines = read.properties.iter().filter(|index| counts(object, **index));
    let mut contents: Vec<_> = lines
        .flat_map(|index| meanings(&object.document.lines[*index], object.dialect))
        .map(|meaning| meaning.content)
        .filter(|content| !content.is_empty())
        .collect();
    contents.extend(read.children.iter().map(|child| component_content(object, *child)));
    contents.sort();
    contents.dedup();
    let mut bytes = Vec::new();
    put(&mut bytes, read.name.as_bytes());
    contents.iter().for_each(|content| put(&mut bytes, content));
    bytes
}
