//! Joining two edits of one item.
//!
//! Both sides started from a base, of which only a hash per field is known. A field that one side changed is taken from
//! there; a field that both changed differently is a clash, and theirs (the hub's) stays. The result is written by
//! patching single lines of theirs: lines nobody changed keep every byte, whatever they mean.
//!
//! Carrying a change of a store that holds less than the hub is the same thing: base and ours are what the store held
//! before and after, so what it can't hold differs in neither and is left alone in theirs.

use crate::describe::field_text;
use crate::document::Document;
use crate::examine::READ_BYTES_MAX;
use crate::field::{Field, FieldHashes, FieldKey, Fields, collect, fields, hashes};
use crate::line::Line;
use crate::object::Object;
use crate::property::{Dialect, list_parameters, list_values, unescape};
use crate::write::Style;
use crate::{Format, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// More clashes are listed without their values.
const CLASHES_SHOWN_MAX: usize = 200;

/// Two edits joined into one.
#[derive(Clone, Eq, PartialEq)]
pub struct Merge {
    /// The joined item; exactly theirs when nothing of ours went in.
    pub bytes: Vec<u8>,
    /// Fields both sides changed differently: theirs is in the result, ours is kept only here.
    pub clashes: Vec<Clash>,
    /// Fields that went in from ours.
    pub from_ours: Vec<FieldKey>,
    /// Fields that only theirs had changed.
    pub from_theirs: Vec<FieldKey>,
}

/// One field with two new values, as text for people; empty where a side removed it. Each text
/// has at most 2,000 characters, and only the first two hundred clashes have any.
#[derive(Clone, Eq, PartialEq)]
#[allow(missing_docs)]
pub struct Clash {
    pub field: FieldKey,
    pub ours: String,
    pub theirs: String,
}

impl fmt::Debug for Merge {
    /// Counts and names only; contents never get into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merge")
            .field("bytes", &self.bytes.len())
            .field("clashes", &self.clashes)
            .field("from_ours", &self.from_ours)
            .field("from_theirs", &self.from_theirs)
            .finish()
    }
}

impl fmt::Debug for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clash({})", self.field)
    }
}

/// Joins `ours` and `theirs`, which both came from `base`; an empty base is right for two items that were just paired.
///
/// `None` when the two can't be merged by field: messages, opaque items, a task and an event, vCalendar 1.0 and iCalendar.
#[must_use]
pub fn merge(kind: Kind, format: Format, base: &FieldHashes, ours: &[u8], theirs: &[u8]) -> Option<Merge> {
    if kind == Kind::Message || ours.len().max(theirs.len()) > READ_BYTES_MAX {
        return None;
    }
    match format {
        Format::Rfc5322 => None,
        Format::Text | Format::Markdown => merge_texts(kind, format, base, ours, theirs),
        Format::VCard | Format::ICalendar => merge_objects(format, base, ours, theirs),
    }
}

/// What becomes of each field.
#[derive(Default)]
struct Decision {
    take: Vec<FieldKey>,
    keep: Vec<FieldKey>,
    clash: Vec<FieldKey>,
}

fn decide(base: &FieldHashes, ours: &FieldHashes, theirs: &FieldHashes) -> Decision {
    let mut decision = Decision::default();
    let keys: BTreeSet<_> = base.0.keys().chain(ours.0.keys()).chain(theirs.0.keys()).collect();
    for key in keys {
        let [base, ours, theirs] = [base, ours, theirs].map(|hashes| hashes.0.get(key));
        if ours == theirs {
            continue;
        }
        let fate = if theirs == base {
            &mut decision.take
        } else if ours == base {
            &mut decision.keep
        } else {
            &mut decision.clash
        };
        fate.push(key.clone());
    }
    decision
}

fn merge_texts(kind: Kind, format: Format, base: &FieldHashes, ours: &[u8], theirs: &[u8]) -> Option<Merge> {
    let decision = decide(base, &fields(kind, format, ours)?, &fields(kind, format, theirs)?);
    let text = |bytes: &[u8]| crate::text::paragraph(&crate::text::decode(bytes, None), crate::describe::CHARS_MAX);
    let clash = |field| Clash { field, ours: text(ours), theirs: text(theirs) };
    let bytes = if decision.take.is_empty() { theirs } else { ours };
    Some(Merge {
        bytes: bytes.to_vec(),
        clashes: decision.clash.into_iter().map(clash).collect(),
        from_ours: decision.take,
        from_theirs: decision.keep,
    })
}

fn merge_objects(format: Format, base: &FieldHashes, ours: &[u8], theirs: &[u8]) -> Option<Merge> {
    let (ours, theirs) =
        (Document::read(ours, format == Format::VCard)?, (theirs, Document::read(theirs, format == Format::VCard)?));
    let (theirs_bytes, theirs) = theirs;
    let ours = Object::find(&ours, format).filter(Object::has_fields)?;
    let theirs = Object::find(&theirs, format).filter(Object::has_fields)?;
    let is_same_version = ours.dialect == theirs.dialect || ours.dialect.is_card();
    if !is_same_version || ours.document.components[ours.main].name != theirs.document.components[theirs.main].name {
        return None;
    }
    let (ours_fields, theirs_fields) = (collect(&ours), collect(&theirs));
    let (ours_hashes, theirs_hashes) = (hashes(&ours_fields), hashes(&theirs_fields));
    let decision = decide(base, &ours_hashes, &theirs_hashes);

    let bytes = if decision.take.is_empty() {
        theirs_bytes.to_vec()
    } else {
        let bytes = Patch::new(&ours, &theirs, &ours_fields, &theirs_fields).apply(&decision.take);
        let mut expected = theirs_hashes;
        for key in &decision.take {
            match ours_hashes.0.get(key) {
                Some(hash) => expected.0.insert(key.clone(), *hash),
                None => expected.0.remove(key),
            };
        }
        // The last word before anything is written: what was meant must be what stands there.
        says(format, &bytes, &expected, theirs.uid.as_deref()).then_some(bytes)?
    };
    let text = |object: &Object<'_>, fields: &Fields, key: &FieldKey| {
        fields.get(key).map(|field| field_text(object, field)).unwrap_or_default()
    };
    let clash = |(at, field): (usize, FieldKey)| {
        let is_shown = at < CLASHES_SHOWN_MAX;
        let ours = if is_shown { text(&ours, &ours_fields, &field) } else { String::new() };
        let theirs = if is_shown { text(&theirs, &theirs_fields, &field) } else { String::new() };
        Clash { field, ours, theirs }
    };
    let clashes = decision.clash.into_iter().enumerate().map(clash).collect();
    Some(Merge { bytes, clashes, from_ours: decision.take, from_theirs: decision.keep })
}

fn says(format: Format, bytes: &[u8], expected: &FieldHashes, uid: Option<&[u8]>) -> bool {
    let Some(document) = Document::read(bytes, format == Format::VCard) else { return false };
    let Some(object) = Object::find(&document, format) else { return false };
    object.uid.as_deref() == uid && hashes(&collect(&object)) == *expected
}

/// Changes to the lines of theirs.
struct Patch<'p> {
    ours: &'p Object<'p>,
    theirs: &'p Object<'p>,
    ours_fields: &'p Fields,
    theirs_fields: &'p Fields,
    style: Style,
    /// For each line of theirs whether it goes.
    removed: Vec<bool>,
    rewritten: BTreeMap<usize, Vec<u8>>,
    /// What comes before a line of theirs.
    inserted: BTreeMap<usize, Vec<u8>>,
    /// Values that leave a list line of theirs, by their place in it.
    dropped: BTreeMap<usize, BTreeSet<usize>>,
    /// Lines of ours that went in.
    used: BTreeSet<usize>,
    /// The last line of theirs with a name, in the object and in the calendar around it.
    likes: BTreeMap<(usize, String), usize>,
}

impl<'p> Patch<'p> {
    fn new(ours: &'p Object<'p>, theirs: &'p Object<'p>, ours_fields: &'p Fields, theirs_fields: &'p Fields) -> Self {
        let first_line = theirs.document.lines[0].raw;
        let first_end = first_line.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let is_crlf = first_end > 0 && first_line[first_end - 1] == b'\r';
        Self {
            ours,
            theirs,
            ours_fields,
            theirs_fields,
            style: Style { dialect: theirs.dialect, line_end: if is_crlf { b"\r\n" } else { b"\n" } },
            removed: vec![false; theirs.document.lines.len()],
            rewritten: BTreeMap::new(),
            inserted: BTreeMap::new(),
            dropped: BTreeMap::new(),
            used: BTreeSet::new(),
            likes: likes(theirs),
        }
    }

    fn apply(mut self, keys: &[FieldKey]) -> Vec<u8> {
        keys.iter().for_each(|key| self.take_out(key));
        let mut groups = Groups::of(self.theirs, &self.removed);
        let mut additions: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for key in keys {
            // A field that says nothing is a field that was removed, whatever lines are left of it.
            if let Some(field) = self.ours_fields.get(key).filter(|field| field.says_something()) {
                self.put_in_lines(key, field, &mut groups, &mut additions);
                self.put_in_blocks(key, field);
            }
        }
        self.rewrite_lists(additions);
        self.put_in_zones();
        self.raise_sequence();
        self.write()
    }

    fn take_out(&mut self, key: &FieldKey) {
        let Some(field) = self.theirs_fields.get(key) else { return };
        for piece in &field.pieces {
            match piece.part {
                Some(part) => {
                    self.dropped.entry(piece.line).or_default().insert(part);
                }
                None => self.removed[piece.line] = true,
            }
        }
        for block in &field.blocks {
            self.theirs.document.components[*block].lines.clone().for_each(|line| self.removed[line] = true);
        }
    }

    fn put_in_lines(
        &mut self,
        key: &FieldKey,
        field: &Field,
        groups: &mut Groups,
        additions: &mut BTreeMap<usize, BTreeSet<usize>>,
    ) {
        let instead_of = self
            .theirs_fields
            .get(key)
            .and_then(|theirs| theirs.pieces.iter().filter(|piece| piece.part.is_none()).map(|piece| piece.line).min());
        let mut pieces = field.pieces.clone();
        pieces.sort_by_key(|piece| piece.line);
        for piece in pieces {
            let line = &self.ours.document.lines[piece.line];
            self.used.insert(piece.line);
            if let Some(part) = piece.part {
                additions.entry(piece.line).or_default().insert(part);
                continue;
            }
            let group = line.group().and_then(|group| groups.name(group));
            let bytes = self.style.carry(line, self.ours.dialect, group.as_deref());
            let place = instead_of.unwrap_or_else(|| match line.group() {
                // The lines of a group stay together, where the line is that they are about.
                Some(_) => self.place(key.name(), false),
                None => self.place(&line.name(), matches!(key, FieldKey::Wrapper(_))),
            });
            self.insert(place, bytes);
        }
    }

    fn put_in_blocks(&mut self, key: &FieldKey, field: &Field) {
        let theirs = &self.theirs.document.components;
        let main = &theirs[self.theirs.main].lines;
        let instead_of = self.theirs_fields.get(key).and_then(|theirs| theirs.blocks.first());
        let place = match (instead_of, key) {
            (Some(block), _) => *theirs[*block].lines.start(),
            (None, FieldKey::Times) => main.end() + 1,
            (None, _) => *main.end(),
        };
        for block in &field.blocks {
            let bytes = self.block(*block, *key == FieldKey::Times);
            self.insert(place, bytes);
            self.used.extend(self.ours.document.components[*block].lines.clone());
        }
    }

    /// A component of ours; an occurrence of a series carries the UID of theirs.
    fn block(&self, component: usize, is_occurrence: bool) -> Vec<u8> {
        let read = &self.ours.document.components[component];
        let mut bytes = Vec::new();
        for index in read.lines.clone() {
            let line = &self.ours.document.lines[index];
            let has_other_uid = is_occurrence && self.ours.uid != self.theirs.uid;
            let uid = if has_other_uid && line.is("UID") && read.properties.binary_search(&index).is_ok() {
                self.theirs.document.properties(self.theirs.main, "UID").next()
            } else {
                None
            };
            bytes.extend(self.style.copy(uid.unwrap_or(line)));
        }
        bytes
    }

    /// After its like, else at the end of the properties.
    fn place(&self, name: &str, is_outside: bool) -> usize {
        let theirs = self.theirs.document;
        let component = self.theirs.wrapper.filter(|_| is_outside).unwrap_or(self.theirs.main);
        let like = self.likes.get(&(component, name.to_owned()));
        let component = &theirs.components[component];
        let end =
            component.children.first().map_or(*component.lines.end(), |child| *theirs.components[*child].lines.start());
        like.map_or(end, |like| like + 1)
    }

    fn insert(&mut self, before: usize, bytes: Vec<u8>) {
        self.inserted.entry(before).or_default().extend(bytes);
    }

    /// Values leave and join lists: where theirs has a list of the same name and parameters, new values join its last line.
    fn rewrite_lists(&mut self, additions: BTreeMap<usize, BTreeSet<usize>>) {
        let mut joined: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
        let hosts = self.list_hosts();
        for (index, parts) in additions {
            let line = &self.ours.document.lines[index];
            let values = list_values(line, self.ours.dialect).into_iter().enumerate();
            let values: Vec<_> = values.filter(|(at, _)| parts.contains(at)).map(|(_, value)| value).collect();
            match hosts.get(&list_identity(line, self.ours.dialect)) {
                Some(host) => joined.entry(*host).or_default().extend(values),
                None => {
                    let bytes = self.style.list(line, self.ours.dialect, &values);
                    self.insert(self.place(&line.name(), false), bytes);
                }
            }
        }
        let changed: BTreeSet<_> = self.dropped.keys().chain(joined.keys()).copied().collect();
        for index in changed {
            let line = &self.theirs.document.lines[index];
            let dropped = self.dropped.remove(&index).unwrap_or_default();
            let values = list_values(line, self.theirs.dialect).into_iter().enumerate();
            let mut values: Vec<_> = values.filter(|(at, _)| !dropped.contains(at)).map(|(_, value)| value).collect();
            values.extend(joined.remove(&index).unwrap_or_default());
            if values.is_empty() {
                self.removed[index] = true;
            } else {
                self.rewritten.insert(index, self.style.relist(line, &values));
            }
        }
    }

    /// The last list line of theirs for each name and set of parameters.
    fn list_hosts(&self) -> BTreeMap<Vec<u8>, usize> {
        let pieces = self.theirs_fields.values().flat_map(|field| &field.pieces).filter(|piece| piece.part.is_some());
        let lines: BTreeSet<_> = pieces.map(|piece| piece.line).collect();
        let identity = |index: usize| list_identity(&self.theirs.document.lines[index], self.theirs.dialect);
        lines.into_iter().map(|index| (identity(index), index)).collect()
    }

    /// Time zones that the lines from ours name and theirs does not define yet.
    fn put_in_zones(&mut self) {
        let Some(wrapper) = self.theirs.wrapper else { return };
        let named: BTreeSet<_> = self
            .used
            .iter()
            .filter_map(|index| self.ours.document.lines[*index].parameter("TZID"))
            .map(<[u8]>::to_vec)
            .collect();
        let known: BTreeSet<_> = zones(self.theirs).into_iter().map(|(name, _)| name).collect();
        let place = self.theirs.document.components[wrapper].children.first();
        let place = place.map(|child| *self.theirs.document.components[*child].lines.start());
        let missing = zones(self.ours).into_iter().filter(|(name, _)| named.contains(name) && !known.contains(name));
        for (_, zone) in missing.collect::<BTreeMap<_, _>>() {
            let bytes = self.block(zone, false);
            self.insert(place.expect("an object stands inside its wrapper"), bytes);
        }
    }

    /// Invitations are compared by this number, so the result counts as the later of the two.
    fn raise_sequence(&mut self) {
        if self.theirs.dialect.is_card() {
            return;
        }
        let ours = sequence(self.ours);
        let theirs = sequence(self.theirs);
        if let Some((number, line)) = ours
            && theirs.as_ref().is_none_or(|(other, _)| number > *other)
        {
            let bytes = self.style.copy(&self.ours.document.lines[line]);
            match theirs {
                Some((_, line)) => {
                    self.rewritten.insert(line, bytes);
                }
                None => self.insert(self.place("SEQUENCE", false), bytes),
            }
        }
    }

    fn write(self) -> Vec<u8> {
        let mut bytes = self.theirs.document.preamble.to_vec();
        for (index, line) in self.theirs.document.lines.iter().enumerate() {
            if let Some(inserted) = self.inserted.get(&index) {
                bytes.extend_from_slice(inserted);
            }
            match self.rewritten.get(&index) {
                _ if self.removed[index] => {}
                Some(rewritten) => bytes.extend_from_slice(rewritten),
                None => bytes.extend_from_slice(line.raw),
            }
        }
        bytes
    }
}

fn likes(object: &Object<'_>) -> BTreeMap<(usize, String), usize> {
    let components = object.wrapper.into_iter().chain([object.main]);
    let properties = components.flat_map(|component| {
        let properties = object.document.components[component].properties.iter();
        properties.map(move |line| ((component, object.document.lines[*line].name()), *line))
    });
    properties.collect()
}

fn list_identity(line: &Line<'_>, dialect: Dialect) -> Vec<u8> {
    let mut identity = Vec::new();
    crate::digest::put(&mut identity, line.name().as_bytes());
    list_parameters(line, dialect).iter().for_each(|parameter| crate::digest::put(&mut identity, parameter));
    identity
}

fn zones(object: &Object<'_>) -> Vec<(Vec<u8>, usize)> {
    let Some(wrapper) = object.wrapper else { return Vec::new() };
    let children = object.document.components[wrapper].children.iter();
    let zones = children.filter(|child| object.document.components[**child].name == "VTIMEZONE");
    // Here the name is a text, and lines name it in a parameter, which has no escapes: `TZID:A\, B` and `;TZID="A, B"`.
    let name = |zone: usize| {
        let line = object.document.properties(zone, "TZID").next()?;
        Some(unescape(line.value().trim_ascii(), false))
    };
    zones.filter_map(|zone| Some((name(*zone)?, *zone))).collect()
}

/// The number of an event's version, and its line.
fn sequence(object: &Object<'_>) -> Option<(u32, usize)> {
    let main = &object.document.components[object.main];
    let line = *main.properties.iter().find(|index| object.document.lines[**index].is("SEQUENCE"))?;
    let number = std::str::from_utf8(object.document.lines[line].value()).ok()?.trim().parse().ok()?;
    Some((number, line))
}

/// Names for groups that come into a file without meeting one of the same name; all in upper case.
struct Groups {
    taken: BTreeSet<String>,
    /// The new name of a group of ours, where its own was taken.
    given: BTreeMap<String, Option<String>>,
    next: usize,
}

impl Groups {
    fn of(object: &Object<'_>, removed: &[bool]) -> Self {
        let properties = object.document.components[object.main].properties.iter();
        let kept = properties.filter(|index| !removed[**index]);
        let taken = kept.filter_map(|index| object.document.lines[*index].group()).collect();
        Self { taken, given: BTreeMap::new(), next: 1 }
    }

    /// The new name for a group of ours, the same for all its lines; `None` when it can keep its own.
    fn name(&mut self, ours: String) -> Option<String> {
        if let Some(given) = self.given.get(&ours) {
            return given.clone();
        }
        let name = self.taken.contains(&ours).then(|| self.free_name());
        self.taken.insert(name.as_ref().map_or_else(|| ours.clone(), |name| name.to_ascii_uppercase()));
        self.given.insert(ours, name.clone());
        name
    }

    fn free_name(&mut self) -> String {
        loop {
            let name = format!("item{}", self.next);
            self.next += 1;
            if !self.taken.contains(&name.to_ascii_uppercase()) {
                return name;
            }
        }
    }
}
