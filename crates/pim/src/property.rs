//! What a content line means, apart from how a program happened to write it: the heart of canon rule 1.

use crate::digest::{put, short_hash};
use crate::line::{Line, Parameter};
use crate::text::decode;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The version of vCard or iCalendar a file is written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    VCard21,
    VCard3,
    VCard4,
    VCalendar1,
    ICalendar,
}

impl Dialect {
    pub(crate) fn is_card(self) -> bool {
        matches!(self, Self::VCard21 | Self::VCard3 | Self::VCard4)
    }
}

/// What one line, or one value of a list, says.
#[derive(Debug)]
pub(crate) struct Meaning {
    /// What tells this value from its siblings, where each of them is a field of its own.
    pub(crate) key: Option<Vec<u8>>,
    /// Its place in the list, where the line is one.
    pub(crate) part: Option<usize>,
    /// Equal for equal meaning; empty when the line says nothing (no value, or the default).
    pub(crate) content: Vec<u8>,
}

/// How a property's value is built.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// One text; commas and semicolons need no backslash to be themselves.
    Text,
    /// Texts separated by semicolons.
    Structured,
    /// Texts separated by commas, in no order.
    List,
    /// `FREQ=…;INTERVAL=…`, in no order.
    Rule,
    /// Points in time separated by commas, in no order.
    Times,
    /// A word without upper and lower case.
    Word,
    /// `mailto:…`
    Address,
    /// Nothing is known about it: compared as it stands.
    Exact,
}

/// Properties of vCard and iCalendar whose values are lists of fields.
pub(crate) const LISTS: [&str; 3] = ["CATEGORIES", "NICKNAME", "RESOURCES"];

pub(crate) fn shape(name: &str, dialect: Dialect) -> Shape {
    if dialect.is_card() {
        match name {
            "EMAIL" | "FN" | "IMPP" | "LABEL" | "MAILER" | "NOTE" | "ROLE" | "SORT-STRING" | "TEL" | "TITLE"
            | "URL" => Shape::Text,
            "ADR" | "GENDER" | "N" | "ORG" => Shape::Structured,
            "CATEGORIES" | "NICKNAME" => Shape::List,
            "CLASS" | "KIND" | "X-ADDRESSBOOKSERVER-KIND" => Shape::Word,
            _ => Shape::Exact,
        }
    } else {
        match name {
            "COMMENT" | "CONTACT" | "DESCRIPTION" | "LOCATION" | "SUMMARY" => Shape::Text,
            "CATEGORIES" | "RESOURCES" => Shape::List,
            "EXRULE" | "RRULE" => Shape::Rule,
            "EXDATE" | "RDATE" => Shape::Times,
            "ACTION" | "CALSCALE" | "CLASS" | "METHOD" | "STATUS" | "TRANSP" => Shape::Word,
            "ATTENDEE" | "ORGANIZER" => Shape::Address,
            _ => Shape::Exact,
        }
    }
}

/// True for what stores and programs write for themselves; counting it would make each save an edit.
pub(crate) fn is_bookkeeping(name: &str, dialect: Dialect) -> bool {
    match name {
        "CREATED" | "DTSTAMP" | "LAST-MODIFIED" | "PRODID" | "REV" | "VERSION" => true,
        // Follows other changes: two edits of different fields would always clash in it. Merging keeps the higher one.
        "SEQUENCE" => !dialect.is_card(),
        "X-LIC-ERROR" | "X-MOZ-GENERATION" | "X-RADICALE-NAME" | "X-WR-ALARMUID" => true,
        // In a contact most of these are things people typed (spouse, manager, file as).
        _ if dialect.is_card() => ["X-EVOLUTION-CALDAV-", "X-EVOLUTION-WEBDAV-", "X-EVOLUTION-VCARD-"]
            .iter()
            .any(|start| name.starts_with(start)),
        _ => name.starts_with("X-EVOLUTION-"),
    }
}

/// The meanings of one line: one each, but one per value of a list.
pub(crate) fn meanings(line: &Line<'_>, dialect: Dialect) -> Vec<Meaning> {
    let name = line.name();
    let parameters = parameters(line, &name, dialect);
    let says = |value: &[u8]| {
        let mut content = Vec::new();
        put(&mut content, name.as_bytes());
        put(&mut content, value);
        parameters.iter().for_each(|parameter| put(&mut content, parameter));
        content
    };
    match value(line, dialect) {
        Value::Binary(encoded) => {
            let key = has_many(&name, dialect).then(|| encoded.clone());
            vec![Meaning { key, part: None, content: says(&[b"base64,", &encoded[..]].concat()) }]
        }
        Value::Plain(plain) => {
            if shape(&name, dialect) == Shape::List {
                // Parameters stand for each value, as a hash: a long list of them must not be multiplied by a long list of values.
                let parameters = short_hash(&parameters.iter().flatten().copied().collect::<Vec<_>>()).to_le_bytes();
                let values = list_values(line, dialect).into_iter().enumerate();
                let meaning = |(at, value): (usize, Vec<u8>)| {
                    let mut content = Vec::new();
                    [name.as_bytes(), &value, &parameters].iter().for_each(|part| put(&mut content, part));
                    Meaning { key: Some(value), part: Some(at), content }
                };
                return values.map(meaning).collect();
            }
            let normal = normal_value(&name, &plain, line, dialect);
            let says_nothing = is_default(&name, &normal) || (normal.is_empty() && !name.starts_with("X-"));
            let content = if says_nothing { Vec::new() } else { says(&normal) };
            let key = has_many(&name, dialect).then(|| value_key(&name, &normal, line));
            vec![Meaning { key, part: None, content }]
        }
    }
}

/// The values of a list as plain text, without empty ones.
pub(crate) fn list_values(line: &Line<'_>, dialect: Dialect) -> Vec<Vec<u8>> {
    let Value::Plain(plain) = value(line, dialect) else { return Vec::new() };
    let is_quoted_printable = encoding(line) == Encoding::QuotedPrintable;
    let values = split_escaped(&plain, b',').map(|value| unescape(value, is_quoted_printable).trim_ascii().to_vec());
    values.filter(|value| !value.is_empty()).collect()
}

/// The parts of a structured value as plain text, without empty ones at the end.
pub(crate) fn structured_values(line: &Line<'_>, dialect: Dialect) -> Vec<Vec<u8>> {
    let Value::Plain(plain) = value(line, dialect) else { return Vec::new() };
    let is_quoted_printable = encoding(line) == Encoding::QuotedPrintable;
    let mut parts: Vec<_> =
        split_escaped(&plain, b';').map(|part| unescape(part, is_quoted_printable).trim_ascii().to_vec()).collect();
    while parts.pop_if(|part| part.is_empty()).is_some() {}
    parts
}

/// The value as plain text.
pub(crate) fn text_value(line: &Line<'_>, dialect: Dialect) -> Vec<u8> {
    match value(line, dialect) {
        Value::Binary(_) => Vec::new(),
        Value::Plain(plain) => unescape(&plain, encoding(line) == Encoding::QuotedPrintable),
    }
}

/// A value without its transfer encoding.
pub(crate) enum Value<'l> {
    /// Base 64 digits without white space.
    Binary(Vec<u8>),
    /// UTF-8 where the character set is known; escapes are still there.
    Plain(Cow<'l, [u8]>),
}

pub(crate) fn value<'l>(line: &'l Line<'_>, dialect: Dialect) -> Value<'l> {
    let raw = line.value();
    match encoding(line) {
        Encoding::Base64 => Value::Binary(without_white_space(raw)),
        Encoding::QuotedPrintable => Value::Plain(Cow::Owned(in_utf8(decode_quoted_printable(raw), line))),
        Encoding::None => match data_uri(raw).filter(|_| dialect.is_card()) {
            Some(encoded) => Value::Binary(without_white_space(encoded)),
            None if line.parameter("CHARSET").is_some() => Value::Plain(Cow::Owned(in_utf8(raw.to_vec(), line))),
            None => Value::Plain(Cow::Borrowed(raw)),
        },
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoding {
    None,
    QuotedPrintable,
    Base64,
}

pub(crate) fn encoding(line: &Line<'_>) -> Encoding {
    let named =
        line.parameters().into_iter().find(|parameter| parameter.name == "ENCODING" || is_bare_encoding(parameter));
    match named.and_then(|parameter| parameter.values.first().map(|value| value.to_ascii_uppercase())) {
        Some(value) if value == b"QUOTED-PRINTABLE" => Encoding::QuotedPrintable,
        Some(value) if value == b"B" || value == b"BASE64" => Encoding::Base64,
        _ => Encoding::None,
    }
}

/// vCard 2.1 leaves the parameter's name out.
pub(crate) fn is_bare_encoding(parameter: &Parameter<'_>) -> bool {
    const ENCODINGS: [&str; 4] = ["QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT"];
    let is_encoding = |value: &[u8]| ENCODINGS.iter().any(|name| value.eq_ignore_ascii_case(name.as_bytes()));
    parameter.name.is_empty() && parameter.values.first().is_some_and(|value| is_encoding(value))
}

/// The digits of a `data:…;base64,…` value.
fn data_uri(value: &[u8]) -> Option<&[u8]> {
    const HEAD_BYTES_MAX: usize = 200;
    const MARK: &[u8] = b";base64,";
    if !value.get(..5)?.eq_ignore_ascii_case(b"data:") {
        return None;
    }
    let head = &value[..value.len().min(HEAD_BYTES_MAX)];
    let mark = head.windows(MARK.len()).position(|window| window.eq_ignore_ascii_case(MARK))?;
    Some(&value[mark + MARK.len()..])
}

fn without_white_space(value: &[u8]) -> Vec<u8> {
    value.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

fn in_utf8(bytes: Vec<u8>, line: &Line<'_>) -> Vec<u8> {
    match line.parameter("CHARSET") {
        Some(charset) => decode(&bytes, Some(charset)).into_owned().into_bytes(),
        None => bytes,
    }
}

fn decode_quoted_printable(value: &[u8]) -> Vec<u8> {
    let digit = |at: usize| value.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let mut decoded = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        match (value[at], digit(at + 1), digit(at + 2)) {
            (b'=', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

/// Takes backslashes away. Quoted-printable text has its own way to write a line end, so `C:\new` stays a path there.
pub(crate) fn unescape(value: &[u8], is_quoted_printable: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(b'n' | b'N')) if !is_quoted_printable => {
                text.push(b'\n');
                bytes.next();
            }
            (b'\\', Some(escaped @ (b'\\' | b',' | b';' | b':' | b'"'))) => {
                text.push(*escaped);
                bytes.next();
            }
            (b'\r', Some(b'\n')) => {}
            _ => text.push(byte),
        }
    }
    text
}

/// Splits at separators that no backslash protects.
pub(crate) fn split_escaped(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut is_escaped = false;
    value.split(move |byte| {
        let splits = *byte == separator && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        splits
    })
}

fn normal_value(name: &str, plain: &[u8], line: &Line<'_>, dialect: Dialect) -> Vec<u8> {
    let trimmed = plain.trim_ascii();
    match shape(name, dialect) {
        Shape::Text | Shape::List => text_value(line, dialect).trim_ascii().to_vec(),
        Shape::Structured => joined(structured_values(line, dialect)),
        Shape::Rule => {
            let parts = trimmed.split(|byte| *byte == b';').map(|part| part.trim_ascii().to_ascii_uppercase());
            // Both are what a rule means when they are left out.
            joined(
                parts
                    .filter(|part| !part.is_empty() && part != b"INTERVAL=1" && part != b"WKST=MO")
                    .collect::<BTreeSet<_>>(),
            )
        }
        Shape::Times => {
            let times = trimmed.split(|byte| *byte == b',').map(|time| time.trim_ascii().to_ascii_uppercase());
            joined(times.filter(|time| !time.is_empty()).collect::<BTreeSet<_>>())
        }
        Shape::Word => trimmed.to_ascii_uppercase(),
        Shape::Address => trimmed.to_ascii_lowercase(),
        Shape::Exact if matches!(name, "BDAY" | "ANNIVERSARY" | "X-ANNIVERSARY") => basic_date(trimmed),
        Shape::Exact => trimmed.to_vec(),
    }
}

fn joined(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    parts.into_iter().for_each(|part| put(&mut bytes, &part));
    bytes
}

/// `1980-03-22` is `19800322`; whatever else a birthday is stays as it is.
fn basic_date(value: &[u8]) -> Vec<u8> {
    let is_extended = value.len() == 10
        && value
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    if is_extended { value.iter().copied().filter(|byte| *byte != b'-').collect() } else { value.to_vec() }
}

/// What a component means when the property is left out.
fn is_default(name: &str, value: &[u8]) -> bool {
    matches!(
        (name, value),
        ("TRANSP", b"OPAQUE")
            | ("CLASS", b"PUBLIC")
            | ("PRIORITY", b"0")
            | ("CALSCALE", b"GREGORIAN")
            | ("KIND" | "X-ADDRESSBOOKSERVER-KIND", b"INDIVIDUAL")
    )
}

/// True where each value is a field of its own.
pub(crate) fn has_many(name: &str, dialect: Dialect) -> bool {
    const IN_CARDS: [&str; 25] = [
        "ADR",
        "CATEGORIES",
        "EMAIL",
        "IMPP",
        "LABEL",
        "LANG",
        "MEMBER",
        "NICKNAME",
        "RELATED",
        "TEL",
        "URL",
        "X-ABDATE",
        "X-ABRELATEDNAMES",
        "X-ADDRESSBOOKSERVER-MEMBER",
        "X-AIM",
        "X-GADUGADU",
        "X-GOOGLE-TALK",
        "X-GROUPWISE",
        "X-ICQ",
        "X-JABBER",
        "X-MSN",
        "X-SKYPE",
        "X-SOCIALPROFILE",
        "X-TWITTER",
        "X-YAHOO",
    ];
    const IN_CALENDARS: [&str; 9] =
        ["ATTACH", "ATTENDEE", "CATEGORIES", "COMMENT", "CONFERENCE", "CONTACT", "IMAGE", "RELATED-TO", "RESOURCES"];
    if dialect.is_card() { IN_CARDS.contains(&name) } else { IN_CALENDARS.contains(&name) }
}

/// Which of several values this is, across small changes: a number stays itself when only its dashes move.
fn value_key(name: &str, normal: &[u8], line: &Line<'_>) -> Vec<u8> {
    match name {
        "TEL" => phone_key(normal),
        // A person has a home and a work address; changing a street must not make a second home.
        "ADR" | "LABEL" => {
            let mut types = types(line);
            types.remove("pref");
            types.into_iter().collect::<Vec<_>>().join(",").into_bytes()
        }
        _ => normal.to_ascii_lowercase(),
    }
}

pub(crate) fn phone_key(number: &[u8]) -> Vec<u8> {
    let number = number.to_ascii_lowercase();
    let number = number.strip_prefix(b"tel:").unwrap_or(&number);
    let digits: Vec<_> = number
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'*' | b'#'))
        .collect();
    if digits.is_empty() { number.to_vec() } else { digits }
}

/// The types of a vCard line in lower case, `PREF=1` included as `pref`.
pub(crate) fn types(line: &Line<'_>) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for parameter in line.parameters() {
        if parameter.name == "PREF" && parameter.values == [b"1"] {
            types.insert("pref".to_owned());
        } else if parameter.name == "TYPE" || (parameter.name.is_empty() && !is_bare_encoding(&parameter)) {
            // A quoted list is one value to the parameter and several to people: TYPE="home,fax".
            let values = parameter.values.iter().flat_map(|value| value.split(|byte| *byte == b','));
            types.extend(values.map(|value| String::from_utf8_lossy(value.trim_ascii()).to_lowercase()));
        }
    }
    types.remove("");
    types
}

/// What the parameters of a line mean: lists with equal ones can be joined.
pub(crate) fn list_parameters(line: &Line<'_>, dialect: Dialect) -> BTreeSet<Vec<u8>> {
    parameters(line, &line.name(), dialect)
}

fn parameters(line: &Line<'_>, name: &str, dialect: Dialect) -> BTreeSet<Vec<u8>> {
    let is_binary = matches!(value(line, dialect), Value::Binary(_));
    let mut all = BTreeSet::new();
    if dialect.is_card() && !is_binary {
        let mut types = types(line);
        match name {
            "EMAIL" => types.remove("internet"),
            "TEL" => types.remove("voice"),
            _ => false,
        };
        all.extend(types.into_iter().map(|kind| parameter_content("TYPE", [kind.into_bytes()])));
    }
    for parameter in line.parameters() {
        let parameter_name = parameter.name.as_str();
        let first = parameter.values.first().map(|value| value.to_ascii_uppercase()).unwrap_or_default();
        let says_nothing = match parameter_name {
            "CHARSET" | "ENCODING" | "SCHEDULE-STATUS" => true,
            "" => dialect.is_card() || is_bare_encoding(&parameter),
            "TYPE" => dialect.is_card(),
            "PREF" => dialect.is_card() && first == b"1",
            "MEDIATYPE" => is_binary,
            "VALUE" => match &first[..] {
                b"TEXT" | b"DATE-TIME" | b"BINARY" | b"CAL-ADDRESS" | b"RECUR" => true,
                b"URI" => dialect.is_card() && name != "TEL",
                b"DATE" => dialect.is_card(),
                _ => false,
            },
            "RSVP" => first == b"FALSE",
            "ROLE" => first == b"REQ-PARTICIPANT",
            "CUTYPE" => first == b"INDIVIDUAL",
            "PARTSTAT" => first == b"NEEDS-ACTION",
            _ => parameter_name.starts_with("X-EVOLUTION-"),
        };
        if !says_nothing {
            all.insert(parameter_content(
                parameter_name,
                parameter.values.iter().map(|value| parameter_value(parameter_name, value)),
            ));
        }
    }
    all
}

fn parameter_content(name: &str, values: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut content = Vec::new();
    put(&mut content, name.as_bytes());
    values.into_iter().collect::<BTreeSet<_>>().iter().for_each(|value| put(&mut content, value));
    content
}

fn parameter_value(name: &str, value: &[u8]) -> Vec<u8> {
    // libical puts its own name before the name of a time zone.
    const ZONE_OWNERS: [&[u8]; 2] = [b"/freeassociation.sourceforge.net/Tzfile/", b"/freeassociation.sourceforge.net/"];
    match name {
        "CUTYPE" | "FBTYPE" | "PARTSTAT" | "RANGE" | "RELATED" | "RELTYPE" | "ROLE" | "RSVP" | "VALUE" => {
            value.to_ascii_uppercase()
        }
        "TZID" => ZONE_OWNERS.iter().find_map(|owner| value.strip_prefix(*owner)).unwrap_or(value).to_vec(),
        _ => value.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::read_lines;

    fn contents(text: &str, dialect: Dialect) -> Vec<Vec<u8>> {
        let lines = read_lines(text.as_bytes(), dialect.is_card()).unwrap().lines;
        let mut contents: Vec<_> =
            lines.iter().flat_map(|line| meanings(line, dialect)).map(|meaning| meaning.content).collect();
        contents.sort();
        contents
    }

    #[test]
    fn the_same_contact_means_the_same_in_every_version() {
        let old = "TEL;WORK;VOICE:(1) 2\nNOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:=E9, x=0D=0Ay\nN:Doe;John;;;\nPHOTO;JPEG;BASE64:\n QU\n JD\n";
        let new = "tel;type=work:(1) 2\nNOTE:é\\, x\\ny\nN:Doe;John\nPHOTO:data:image/jpeg;base64,QUJD\n";
        assert_eq!(contents(old, Dialect::VCard21), contents(new, Dialect::VCard4));
    }

    #[test]
    fn the_same_rule_and_attendee_mean_the_same_in_any_order() {
        let one = "RRULE:FREQ=DAILY;COUNT=3;INTERVAL=1\nATTENDEE;ROLE=REQ-PARTICIPANT;CN=A:MAILTO:a@B.c\nCATEGORIES:x,y\nCLASS:public\n";
        let two = "CATEGORIES:y\nCATEGORIES:x\nRRULE:COUNT=3;FREQ=daily\nATTENDEE;CN=\"A\":mailto:a@b.c\n";
        let says = |text| {
            contents(text, Dialect::ICalendar).into_iter().filter(|content| !content.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(says(one), says(two));
    }

    #[test]
    fn what_people_would_call_different_is_different() {
        for (one, two) in [
            ("N:Doe;John", "N:Doe John"),
            ("EMAIL;TYPE=HOME:a@b", "EMAIL;TYPE=WORK:a@b"),
            ("X-JSON:a\\,b", "X-JSON:a,b"),
            ("BDAY:--0229", "BDAY:--02"),
            ("X-EVOLUTION-SPOUSE:Maria", "X-EVOLUTION-SPOUSE:Mary"),
        ] {
            assert_ne!(contents(one, Dialect::VCard3), contents(two, Dialect::VCard3), "{one} {two}");
        }
    }
}
