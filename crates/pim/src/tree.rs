//! vCard and iCalendar as a tree of decoded values, read-only, for those who translate them into something else.

use crate::Format;
use crate::document::Document;
use crate::line::Line;
use crate::object::dialect;
use crate::property::{Dialect, Encoding, Value, encoding, split_escaped, types, unescape, value};
use crate::text::decode;
use mail_parser::decoders::base64::base64_decode;
use std::collections::BTreeSet;

/// `BEGIN:NAME` to `END:NAME`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Component {
    /// In upper case.
    pub name: String,
    /// In the order of the file.
    pub properties: Vec<Property>,
    /// Components inside, in the order of the file.
    pub components: Vec<Self>,
}

/// One content line, decoded: character sets, quoted-printable and base 64 are gone, escapes are not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Property {
    /// What ties lines of a vCard together, in upper case.
    pub group: Option<String>,
    /// In upper case.
    pub name: String,
    /// Names in upper case (empty where vCard 2.1 leaves them out) with their values.
    pub parameters: Vec<(String, Vec<String>)>,
    /// Values of `TYPE`, in lower case; a preference is `pref`.
    pub types: BTreeSet<String>,
    /// The value as written, escapes included; empty for binary values.
    pub value: String,
    /// The bytes of a binary value.
    pub binary: Option<Vec<u8>>,
    is_quoted_printable: bool,
}

/// Reads a whole file; `None` when it is not a sequence of well-nested components (RFC 5545 3.6, RFC 6350 6.1.1) or larger
/// than what this crate reads.
#[must_use]
pub fn components(format: Format, bytes: &[u8]) -> Option<Vec<Component>> {
    if bytes.len() > crate::examine::READ_BYTES_MAX {
        return None;
    }
    let document = Document::read(bytes, format == Format::VCard)?;
    Some(document.roots.iter().map(|root| component(&document, *root, dialect(&document, *root, format))).collect())
}

fn component(document: &Document<'_>, at: usize, dialect: Dialect) -> Component {
    let component = &document.components[at];
    Component {
        name: component.name.clone(),
        properties: component.properties.iter().map(|line| property(&document.lines[*line], dialect)).collect(),
        components: component.children.iter().map(|child| self::component(document, *child, dialect)).collect(),
    }
}

fn property(line: &Line<'_>, dialect: Dialect) -> Property {
    let text = |bytes: &[u8]| decode(bytes, None).into_owned();
    let (plain, binary) = match value(line, dialect) {
        Value::Binary(digits) => (String::new(), Some(base64_decode(&digits).unwrap_or_default())),
        Value::Plain(plain) => (text(&plain), None),
    };
    let parameters = line.parameters().into_iter();
    Property {
        group: line.group(),
        name: line.name(),
        parameters: parameters.map(|one| (one.name, one.values.iter().map(|value| text(value)).collect())).collect(),
        types: if dialect.is_card() { types(line) } else { BTreeSet::new() },
        value: plain,
        binary,
        is_quoted_printable: encoding(line) == Encoding::QuotedPrintable,
    }
}

impl Component {
    /// Properties with this name (in upper case).
    pub fn all<'c>(&'c self, name: &'c str) -> impl Iterator<Item = &'c Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }

    /// The first property with this name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The text of the first property with this name, unless it is blank.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.first(name).map(Property::text).filter(|text| !text.trim().is_empty())
    }
}

impl Property {
    /// The value as text for people.
    #[must_use]
    pub fn text(&self) -> String {
        self.unescaped(self.value.as_bytes())
    }

    /// The values of a list (`a,b`), without empty ones.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let parts = split_escaped(self.value.as_bytes(), b',').map(|part| self.unescaped(part).trim().to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    }

    /// The parts of a structured value (`a;b`).
    #[must_use]
    pub fn structured(&self) -> Vec<String> {
        split_escaped(self.value.as_bytes(), b';').map(|part| self.unescaped(part).trim().to_owned()).collect()
    }

    /// The first value of a parameter (name in upper case).
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.and_then(|(_, values)| values.first()).map(String::as_str)
    }

    fn unescaped(&self, value: &[u8]) -> String {
        String::from_utf8_lossy(&unescape(value, self.is_quoted_printable)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_taken_apart() {
        let bytes = b"BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=windows-1252:M\xfcller;An\\;a\nTEL;HOME;PREF:1\n\
            PHOTO;ENCODING=BASE64:QUJD\nNOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab\nEND:VCARD\n";
        let cards = components(Format::VCard, bytes).unwrap();
        let card = &cards[0];
        assert_eq!(card.first("N").unwrap().structured(), ["Müller", "An;a"]);
        assert!(card.first("TEL").unwrap().types.contains("pref"));
        assert_eq!(card.first("PHOTO").unwrap().binary.as_deref(), Some(&b"ABC"[..]));
        assert_eq!(card.text("NOTE").unwrap(), "a\nb");
    }

    #[test]
    fn components_stand_inside_others() {
        let bytes = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=\"A:b\":20260101T090000\n\
            CATEGORIES:x\\,y,z\nBEGIN:VALARM\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
        let calendars = components(Format::ICalendar, bytes).unwrap();
        let event = &calendars[0].components[0];
        assert_eq!(event.first("DTSTART").unwrap().parameter("TZID"), Some("A:b"));
        assert_eq!(event.first("CATEGORIES").unwrap().list(), ["x,y", "z"]);
        assert_eq!(event.components[0].name, "VALARM");
    }
}
