//! From bytes to what they are: hashes, identity, kind and title of one item, read in one pass.

use crate::digest::{TwinHasher, pairing_key, put};
use crate::document::Document;
use crate::mail::MailReader;
use crate::object::{Object, component_kind, uid};
use crate::property::{Dialect, phone_key, structured_values, text_value};
use crate::text::{decode, folded, one_line};
use crate::{CanonHash, FolderKind, Format, Kind, NativeHash, PairingKey};
use std::collections::BTreeSet;
use std::fmt;

/// The number of the rule by which [`Examined::canon`] is made (see `DESIGN.md`). Hashes of different rules are never
/// compared.
pub const CANON_RULE: u16 = 1;

/// Contacts, events and notes that are larger are carried as they are.
pub(crate) const READ_BYTES_MAX: usize = 8 * 1024 * 1024;
pub(crate) const TITLE_CHARS_MAX: usize = 200;
const LOOKALIKES_MAX: usize = 8;

/// What an item is and what it means.
#[derive(Clone, Eq, PartialEq)]
pub struct Examined {
    /// What the item is to people.
    pub kind: Kind,
    /// Hash of the bytes as they are.
    pub native: NativeHash,
    /// Hash of what they mean, by [`CANON_RULE`].
    pub canon: CanonHash,
    /// Number of bytes.
    pub size: u64,
    /// Message-ID, date and sender of a message; UID of a contact, event or task.
    pub identity: Option<PairingKey>,
    /// At most eight keys that another item may share by being about the same thing: worth asking, never worth guessing.
    pub lookalikes: Vec<PairingKey>,
    /// The UID written in the file, whatever else the file holds: finds an item again that was rewritten in its folder.
    pub object_uid: Option<PairingKey>,
    /// True when the item is carried byte for byte and never merged by field.
    pub opaque: bool,
    /// Subject, summary, name or first line, at most 200 characters.
    pub title: String,
}

impl fmt::Debug for Examined {
    /// Leaves the title out: what is debugged ends up in logs, and logs never hold subjects or names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Examined")
            .field("kind", &self.kind)
            .field("native", &self.native)
            .field("canon", &self.canon)
            .field("size", &self.size)
            .field("identity", &self.identity)
            .field("lookalikes", &self.lookalikes)
            .field("object_uid", &self.object_uid)
            .field("opaque", &self.opaque)
            .finish_non_exhaustive()
    }
}

/// Examines a whole item at once.
#[must_use]
pub fn examine(folder: FolderKind, format: Format, bytes: &[u8]) -> Examined {
    let mut examiner = Examiner::new(folder, format);
    examiner.update(bytes);
    examiner.finish()
}

/// Examines an item that arrives in pieces; where the pieces are cut makes no difference.
///
/// A message needs little memory whatever its size; of everything else up to 8 MiB are kept.
pub struct Examiner {
    folder: FolderKind,
    format: Format,
    size: u64,
    reader: Reader,
}

enum Reader {
    Mail(MailReader),
    Whole(Vec<u8>),
    /// More than anyone writes into a contact, event or note.
    Huge(TwinHasher),
}

impl fmt::Debug for Examiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = (self.folder, self.format, self.size);
        write!(f, "Examiner{shown:?}")
    }
}

impl Examiner {
    /// Starts on an item of a folder.
    #[must_use]
    pub fn new(folder: FolderKind, format: Format) -> Self {
        let reader = match format {
            Format::Rfc5322 => Reader::Mail(MailReader::new()),
            _ => Reader::Whole(Vec::new()),
        };
        Self { folder, format, size: 0, reader }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        match &mut self.reader {
            Reader::Mail(reader) => reader.update(bytes),
            Reader::Huge(hasher) => hasher.update(bytes),
            Reader::Whole(whole) if whole.len() + bytes.len() <= READ_BYTES_MAX => whole.extend_from_slice(bytes),
            Reader::Whole(whole) => {
                let mut hasher = TwinHasher::new();
                hasher.update(whole);
                hasher.update(bytes);
                self.reader = Reader::Huge(hasher);
            }
        }
    }

    /// Says what it was.
    #[must_use]
    pub fn finish(self) -> Examined {
        let Self { folder, format, size, reader } = self;
        match reader {
            Reader::Mail(reader) => {
                let facts = reader.finish();
                Examined {
                    identity: facts.identity,
                    opaque: false,
                    title: facts.title,
                    ..unread(Kind::Message, size, (facts.native, facts.canon))
                }
            }
            Reader::Huge(hasher) => unread(usual_kind(folder, format), size, hasher.finish()),
            Reader::Whole(bytes) => {
                let mut hasher = TwinHasher::new();
                hasher.update(&bytes);
                let examined = unread(usual_kind(folder, format), size, hasher.finish());
                match format {
                    Format::Text | Format::Markdown => examine_note(examined, &bytes),
                    _ => examine_document(examined, folder, format, &bytes),
                }
            }
        }
    }
}

/// What is known of bytes nobody could read.
fn unread(kind: Kind, size: u64, (native, canon): (NativeHash, CanonHash)) -> Examined {
    Examined {
        kind,
        native,
        canon,
        size,
        identity: None,
        lookalikes: Vec::new(),
        object_uid: None,
        opaque: true,
        title: String::new(),
    }
}

fn usual_kind(folder: FolderKind, format: Format) -> Kind {
    match (format, folder) {
        (Format::Rfc5322, _) => Kind::Message,
        (Format::VCard, _) => Kind::Contact,
        (Format::Text | Format::Markdown, _) | (_, FolderKind::Notes) => Kind::Note,
        (_, FolderKind::Tasks) => Kind::Task,
        _ => Kind::Event,
    }
}

fn examine_note(examined: Examined, bytes: &[u8]) -> Examined {
    let canonical = crate::note::canonical(bytes);
    let text = decode(&canonical, None);
    let first_line = text.trim_start().lines().next().unwrap_or_default();
    Examined {
        canon: canon("text", &canonical),
        lookalikes: lookalike("note", &[&text]).into_iter().collect(),
        opaque: false,
        title: one_line(first_line.trim_start_matches('#'), TITLE_CHARS_MAX),
        ..examined
    }
}

fn examine_document(examined: Examined, folder: FolderKind, format: Format, bytes: &[u8]) -> Examined {
    let Some(document) = Document::read(bytes, format == Format::VCard) else { return examined };
    match Object::find(&document, format) {
        Some(object) => {
            let kind = object.kind(folder);
            let uid = object.uid.as_ref().map(|uid| uid_key(format, uid));
            Examined {
                kind,
                canon: if object.has_fields() {
                    canon("object", &crate::field::canonical(&object))
                } else {
                    examined.canon
                },
                identity: uid,
                lookalikes: lookalikes(&object, kind),
                object_uid: uid,
                opaque: !object.has_fields(),
                title: object.title(),
                ..examined
            }
        }
        None => {
            let kinds = || document.components.iter().enumerate();
            Examined {
                kind: kinds().find_map(|(at, _)| component_kind(&document, at, folder)).unwrap_or(examined.kind),
                object_uid: only_uid(&document).map(|uid| uid_key(format, &uid)),
                title: first_title(&document),
                ..examined
            }
        }
    }
}

fn canon(purpose: &str, canonical: &[u8]) -> CanonHash {
    let mut head = Vec::new();
    put(&mut head, b"tandem canon 1");
    put(&mut head, purpose.as_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head).update(canonical);
    CanonHash(*hasher.finalize().as_bytes())
}

fn uid_key(format: Format, uid: &[u8]) -> PairingKey {
    let purpose = if format == Format::VCard { "vCard UID" } else { "iCalendar UID" };
    pairing_key(purpose, &[uid])
}

/// The one UID of a file that holds more than one object of it.
fn only_uid(document: &Document<'_>) -> Option<Vec<u8>> {
    let mut uids = BTreeSet::new();
    for (at, component) in document.components.iter().enumerate() {
        if matches!(component.name.as_str(), "VCARD" | "VEVENT" | "VTODO" | "VJOURNAL") {
            uids.insert(uid(document, at).ok()??);
        }
    }
    uids.pop_first().filter(|_| uids.is_empty())
}

fn first_title(document: &Document<'_>) -> String {
    let line = document.lines.iter().find(|line| line.is("SUMMARY") || line.is("FN"));
    let text = line.map(|line| text_value(line, Dialect::ICalendar)).unwrap_or_default();
    one_line(&decode(&text, None), TITLE_CHARS_MAX)
}

fn lookalikes(object: &Object<'_>, kind: Kind) -> Vec<PairingKey> {
    let text = |name: &str| object.text(name).unwrap_or_default();
    let key = match kind {
        Kind::Contact => return contact_lookalikes(object),
        Kind::DistributionList => lookalike("distribution list", &[&object.title()]),
        // The zone is left out: the same event is written in local time here and in the zone's time there.
        Kind::Event => {
            let end = object.text("DTEND").or_else(|| object.text("DURATION")).unwrap_or_default();
            lookalike("event", &[&text("SUMMARY"), &text("DTSTART"), &end])
        }
        Kind::Task => lookalike("task", &[&text("SUMMARY"), &text("DUE")]),
        Kind::Journal => lookalike("journal", &[&text("SUMMARY"), &text("DTSTART"), &text("DESCRIPTION")]),
        // A note's text, as a text file would hold it.
        Kind::Note => lookalike("note", &[&object.text("DESCRIPTION").unwrap_or_else(|| text("SUMMARY"))]),
        Kind::Message => None,
    };
    key.into_iter().collect()
}

/// Name and one address or number each.
fn contact_lookalikes(object: &Object<'_>) -> Vec<PairingKey> {
    let name = object.text("FN").or_else(|| {
        let line = object.document.properties(object.main, "N").next()?;
        let parts = structured_values(line, object.dialect);
        Some(parts.iter().take(2).rev().map(|part| decode(part, None).into_owned()).collect::<Vec<_>>().join(" "))
    });
    let Some(name) = name.map(|name| folded(&name)).filter(|name| !name.is_empty()) else { return Vec::new() };
    let mut keys = BTreeSet::new();
    for (property, purpose) in [("EMAIL", "contact by address"), ("TEL", "contact by number")] {
        for line in object.document.properties(object.main, property).take(LOOKALIKES_MAX) {
            let value = text_value(line, object.dialect).to_ascii_lowercase();
            let value = if property == "TEL" { phone_key(&value) } else { value };
            if !value.trim_ascii().is_empty() {
                keys.insert(pairing_key(purpose, &[name.as_bytes(), value.trim_ascii()]));
            }
        }
    }
    keys.into_iter().take(LOOKALIKES_MAX).collect()
}

/// A key of texts as people compare them; the first must say something.
fn lookalike(purpose: &str, texts: &[&str]) -> Option<PairingKey> {
    let folded: Vec<_> = texts.iter().map(|text| folded(text)).collect();
    let parts: Vec<_> = folded.iter().map(|text| text.as_bytes()).collect();
    let says_something = parts.first().is_some_and(|first| !first.is_empty());
    says_something.then(|| pairing_key(purpose, &parts))
}
