//! The one contact, event, task or journal entry that a file holds.

use crate::document::Document;
use crate::line::LINES_MAX;
use crate::property::{Dialect, LISTS, structured_values, text_value};
use crate::text::{decode, one_line};
use crate::{FolderKind, Format, Kind};

/// One object with one UID at most, found in a [`Document`].
pub(crate) struct Object<'d> {
    pub(crate) document: &'d Document<'d>,
    pub(crate) dialect: Dialect,
    /// The `VCALENDAR` around it.
    pub(crate) wrapper: Option<usize>,
    /// The contact, or the component that stands for the whole series.
    pub(crate) main: usize,
    /// Components for single occurrences (`RECURRENCE-ID`).
    pub(crate) exceptions: Vec<usize>,
    pub(crate) uid: Option<Vec<u8>>,
}

impl<'d> Object<'d> {
    /// `None` when the file holds several objects or something else.
    pub(crate) fn find(document: &'d Document<'d>, format: Format) -> Option<Self> {
        let [root] = document.roots[..] else { return None };
        if values_count(document) > LINES_MAX {
            return None;
        }
        let component = &document.components[root];
        let dialect = dialect(document, root, format);
        match (format, component.name.as_str()) {
            (Format::VCard, "VCARD") if component.children.is_empty() => {
                let uid = uid(document, root).ok()?;
                Some(Self { document, dialect, wrapper: None, main: root, exceptions: Vec::new(), uid })
            }
            (Format::ICalendar, "VCALENDAR") => {
                let entries = entries(document, root)?;
                let (main, exceptions) = series(document, &entries)?;
                let uid = uid(document, main).ok()?;
                let has_one_uid = exceptions
                    .iter()
                    .all(|exception| uid.is_some() && self::uid(document, *exception).is_ok_and(|other| other == uid));
                has_one_uid.then_some(Self { document, dialect, wrapper: Some(root), main, exceptions, uid })
            }
            _ => None,
        }
    }

    /// Whether its fields can be told apart from those of other objects: it has a UID, or it is a contact, and those are
    /// exported without one by Outlook, phones and web mailers.
    pub(crate) fn has_fields(&self) -> bool {
        self.uid.is_some() || self.dialect.is_card()
    }

    pub(crate) fn kind(&self, folder: FolderKind) -> Kind {
        component_kind(self.document, self.main, folder).unwrap_or(Kind::Event)
    }

    /// The first line with this name as text for people.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let line = self.document.properties(self.main, name).next()?;
        let text = decode(&text_value(line, self.dialect), None).into_owned();
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// What people call it.
    pub(crate) fn title(&self) -> String {
        let names: &[&str] = if self.dialect.is_card() { &["FN"] } else { &["SUMMARY"] };
        let others: &[&str] =
            if self.dialect.is_card() { &["ORG", "EMAIL", "TEL"] } else { &["DESCRIPTION", "LOCATION"] };
        let own = names.iter().find_map(|name| self.text(name)).or_else(|| self.structured_name());
        let title = own.or_else(|| others.iter().find_map(|name| self.text(name))).unwrap_or_default();
        let first_line = title.trim_start().lines().next().unwrap_or_default();
        one_line(first_line, crate::examine::TITLE_CHARS_MAX)
    }

    /// Given and family name where nobody wrote a formatted one.
    fn structured_name(&self) -> Option<String> {
        let line = self.document.properties(self.main, "N").next().filter(|_| self.dialect.is_card())?;
        let parts = structured_values(line, self.dialect);
        let part = |at: usize| parts.get(at).map(|part| decode(part, None).into_owned()).unwrap_or_default();
        let name = format!("{} {}", part(1), part(0)).trim().to_owned();
        Some(name).filter(|name| !name.is_empty())
    }
}

/// At least as many values as all lists have: each becomes a field, so they are bounded like lines.
fn values_count(document: &Document<'_>) -> usize {
    let lists = document.lines.iter().filter(|line| LISTS.iter().any(|name| line.is(name)));
    lists.map(|line| 1 + line.value().iter().filter(|byte| **byte == b',').count()).sum()
}

/// What kind of item a component makes in a folder.
pub(crate) fn component_kind(document: &Document<'_>, component: usize, folder: FolderKind) -> Option<Kind> {
    match document.components[component].name.as_str() {
        "VCARD" => Some(if is_list(document, component) { Kind::DistributionList } else { Kind::Contact }),
        "VEVENT" => Some(Kind::Event),
        "VTODO" => Some(Kind::Task),
        "VJOURNAL" if folder == FolderKind::Notes => Some(Kind::Note),
        "VJOURNAL" => Some(Kind::Journal),
        _ => None,
    }
}

fn is_list(document: &Document<'_>, card: usize) -> bool {
    let mut lines = ["KIND", "X-ADDRESSBOOKSERVER-KIND"].into_iter().flat_map(|name| document.properties(card, name));
    lines.any(|line| line.value().trim_ascii().eq_ignore_ascii_case(b"group"))
}

pub(crate) fn dialect(document: &Document<'_>, root: usize, format: Format) -> Dialect {
    let version = document.properties(root, "VERSION").next().map(|line| line.value().trim_ascii()).unwrap_or_default();
    match (format, version) {
        (Format::VCard, b"2.1") => Dialect::VCard21,
        (Format::VCard, b"4.0") => Dialect::VCard4,
        (Format::VCard, _) => Dialect::VCard3,
        (_, b"1.0") => Dialect::VCalendar1,
        _ => Dialect::ICalendar,
    }
}

/// The components of a calendar that are about something, all of one kind; `None` when there is anything unknown.
fn entries(document: &Document<'_>, calendar: usize) -> Option<Vec<usize>> {
    let children = document.components[calendar].children.iter().copied();
    let entries: Vec<_> = children.filter(|child| document.components[*child].name != "VTIMEZONE").collect();
    let name = document.components[*entries.first()?].name.as_str();
    let is_known = matches!(name, "VEVENT" | "VTODO" | "VJOURNAL");
    let is_uniform = entries.iter().all(|entry| document.components[*entry].name == name);
    (is_known && is_uniform).then_some(entries)
}

/// Tells the component of the whole series from those of single occurrences.
fn series(document: &Document<'_>, entries: &[usize]) -> Option<(usize, Vec<usize>)> {
    if let [only] = entries {
        return Some((*only, Vec::new()));
    }
    let is_exception = |entry: &usize| document.properties(*entry, "RECURRENCE-ID").next().is_some();
    let (exceptions, masters): (Vec<_>, Vec<_>) = entries.iter().copied().partition(is_exception);
    match masters[..] {
        [master] => Some((master, exceptions)),
        _ => None,
    }
}

/// The UID of a component; an error when it has several.
pub(crate) fn uid(document: &Document<'_>, component: usize) -> Result<Option<Vec<u8>>, SeveralUids> {
    let mut uids =
        document.properties(component, "UID").map(|line| line.value().trim_ascii()).filter(|uid| !uid.is_empty());
    let first = uids.next();
    if uids.any(|other| Some(other) != first) { Err(SeveralUids) } else { Ok(first.map(<[u8]>::to_vec)) }
}

pub(crate) struct SeveralUids;
