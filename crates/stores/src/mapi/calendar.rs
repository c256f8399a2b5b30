//! What events, tasks, notes and journal entries have in common in iCalendar and in Outlook.

use super::{
    Attachment, Bag, Key, Message, NoItem, Stamp, Value,
    lines::{Lines, parameter},
    mail, names,
    zone::Zone,
};
use pim::{Component, Property};

const PRODID: &str = "-//Tandem//Outlook items//EN";
/// Importance as numbers of iCalendar.
const PRIORITY_HIGH: &str = "1";
const PRIORITY_LOW: &str = "9";

pub(crate) fn begin(lines: &mut Lines, method: Option<&str>) {
    lines.raw("BEGIN", "VCALENDAR");
    lines.raw("VERSION", "2.0");
    lines.raw("PRODID", PRODID);
    if let Some(method) = method {
        lines.raw("METHOD", method);
    }
}

pub(crate) fn end(mut lines: Lines) -> Vec<u8> {
    lines.raw("END", "VCALENDAR");
    lines.finish()
}

/// The component that stands for the whole series.
pub(crate) fn main(calendar: &Component) -> Option<&Component> {
    let is_item = |component: &&Component| component.name != "VTIMEZONE";
    let items = || calendar.components.iter().filter(is_item);
    items().find(|component| component.first("RECURRENCE-ID").is_none()).or_else(|| items().next())
}

/// UID, times of the entry itself, subject, text, categories, importance and privacy.
pub(crate) fn write_common(lines: &mut Lines, bag: &Bag, uid: &str) {
    lines.raw("UID", uid);
    let stamp = bag.time(&names::LAST_MODIFICATION_TIME).or_else(|| bag.time(&names::CREATION_TIME));
    lines.raw("DTSTAMP", &stamp.unwrap_or(Stamp::from_unix(0)).utc_text());
    if let Some(created) = bag.time(&names::CREATION_TIME) {
        lines.raw("CREATED", &created.utc_text());
    }
    if let Some(modified) = bag.time(&names::LAST_MODIFICATION_TIME) {
        lines.raw("LAST-MODIFIED", &modified.utc_text());
    }
    lines.text("SUMMARY", &bag.text(&names::SUBJECT).unwrap_or_default());
    write_bodies(lines, bag);
    lines.list("CATEGORIES", &bag.texts(&names::KEYWORDS));
    match bag.number(&names::IMPORTANCE) {
        Some(2) => lines.raw("PRIORITY", PRIORITY_HIGH),
        Some(0) => lines.raw("PRIORITY", PRIORITY_LOW),
        _ => {}
    }
    match bag.number(&names::SENSITIVITY) {
        Some(1 | 2) => lines.raw("CLASS", "PRIVATE"),
        Some(3) => lines.raw("CLASS", "CONFIDENTIAL"),
        _ if bag.is(&names::IS_PRIVATE) => lines.raw("CLASS", "PRIVATE"),
        _ => {}
    }
}

/// The text, and the HTML where there is such.
pub(crate) fn write_bodies(lines: &mut Lines, bag: &Bag) {
    let bodies = mail::Bodies::of(bag);
    lines.text("DESCRIPTION", bodies.text.unwrap_or_default().replace("\r\n", "\n").trim_end());
    lines.text("X-ALT-DESC;FMTTYPE=text/html", &bodies.html.unwrap_or_default().replace("\r\n", "\n"));
}

/// What hangs on it, as bytes in the file itself; items inside as what they are elsewhere.
pub(crate) fn write_attachments(lines: &mut Lines, attachments: &[Attachment]) {
    for attachment in attachments {
        let bag = &attachment.properties;
        // Hidden ones hold the changed occurrences of a series.
        if bag.is(&names::ATTACHMENT_HIDDEN) || bag.time(&names::EXCEPTION_REPLACE_TIME).is_some() {
            continue;
        }
        let name = mail::file_name(bag).unwrap_or_default();
        let inner = attachment.message.as_deref().and_then(|message| super::to_item(message).ok());
        let (data, media_type, name) = match inner {
            Some(item) => {
                let (media_type, ending) = match item.format {
                    pim::Format::Rfc5322 => ("message/rfc822", "eml"),
                    pim::Format::VCard => ("text/vcard", "vcf"),
                    _ => ("text/calendar", "ics"),
                };
                (item.bytes, media_type.to_owned(), format!("{name}.{ending}"))
            }
            None => {
                let bytes = attachment.object.as_deref().or_else(|| bag.binary(&names::ATTACH_DATA));
                let Some(bytes) = bytes else { continue };
                let media_type = bag.text(&names::ATTACH_MIME_TAG).filter(|tag| mail::is_media_type(tag));
                (bytes.to_vec(), media_type.unwrap_or_default(), name)
            }
        };
        let head = format!(
            "ATTACH{}{};ENCODING=BASE64;VALUE=BINARY",
            parameter("FMTTYPE", &media_type),
            parameter("X-FILENAME", &name)
        );
        let encoded = mail_builder::encoders::base64::base64_encode(&data).unwrap_or_default();
        lines.raw(&head, &String::from_utf8(encoded).unwrap_or_default());
    }
}

/// Sets what `write_common` writes.
pub(crate) fn read_common(message: &mut Message, component: &Component, class: &str) {
    let bag = &mut message.properties;
    bag.set_text(names::MESSAGE_CLASS, class);
    mail::set_subject(bag, &component.text("SUMMARY").unwrap_or_default());
    if let Some(uid) = component.text("UID") {
        bag.set_text(names::ITEM_UID, uid);
    }
    if let Some(text) = component.text("DESCRIPTION") {
        bag.set_text(names::BODY, text.replace('\n', "\r\n"));
    }
    let html = component
        .all("X-ALT-DESC")
        .find(|line| line.parameter("FMTTYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("text/html")));
    if let Some(html) = html {
        bag.set(names::HTML, Value::Binary(html.text().into_bytes()));
        bag.set(names::INTERNET_CODE_PAGE, Value::I32(65_001));
    }
    bag.set_texts(names::KEYWORDS, component.all("CATEGORIES").flat_map(Property::list));
    let priority = component.text("PRIORITY").and_then(|text| text.trim().parse::<u8>().ok());
    let importance = match priority {
        Some(1..=4) => 2,
        Some(6..=9) => 0,
        _ => 1,
    };
    bag.set(names::IMPORTANCE, Value::I32(importance));
    let sensitivity = match component.text("CLASS").unwrap_or_default().trim().to_ascii_uppercase().as_str() {
        "PRIVATE" => 2,
        "CONFIDENTIAL" => 3,
        _ => 0,
    };
    bag.set(names::SENSITIVITY, Value::I32(sensitivity));
    bag.set(names::IS_PRIVATE, Value::Bool(sensitivity == 2));
    for (name, key) in [("CREATED", names::CREATION_TIME), ("LAST-MODIFIED", names::LAST_MODIFICATION_TIME)] {
        if let Some(stamp) = component.first(name).and_then(|line| Stamp::parse(&line.value)) {
            bag.set(key, Value::Time(stamp.filetime()));
        }
    }
    read_attachments(message, component);
}

fn read_attachments(message: &mut Message, component: &Component) {
    for line in component.all("ATTACH") {
        let mut attachment = Attachment::default();
        let bag = &mut attachment.properties;
        let name =
            ["X-FILENAME", "FILENAME", "X-APPLE-FILENAME", "X-LABEL"].iter().find_map(|name| line.parameter(name));
        match &line.binary {
            Some(bytes) => {
                let media_type = line.parameter("FMTTYPE").map(str::to_owned);
                mail::set_data(bag, bytes.clone(), name.unwrap_or("attachment"), media_type);
            }
            // Only a link: what is behind it isn't here.
            None => {
                bag.set(names::ATTACH_METHOD, Value::I32(7));
                bag.set(names::RENDERING_POSITION, Value::I32(-1));
                bag.set_text(names::ATTACH_LONG_PATHNAME, line.value.clone());
                bag.set_text(names::DISPLAY_NAME, name.unwrap_or(&line.value));
                bag.set_text(names::ATTACH_LONG_FILENAME, name.unwrap_or("link"));
            }
        }
        message.attachments.push(attachment);
    }
}

/// When the next reminder is, as `VALARM`; minutes before the start.
pub(crate) fn write_alarm(lines: &mut Lines, minutes: i64) {
    lines.raw("BEGIN", "VALARM");
    lines.raw("ACTION", "DISPLAY");
    lines.raw("DESCRIPTION", "Reminder");
    lines.raw("TRIGGER", &format!("-PT{}M", minutes.clamp(0, 5_256_000)));
    lines.raw("END", "VALARM");
}

/// Minutes before the start at which the first alarm goes off. `start` is in UTC.
pub(crate) fn alarm_minutes(component: &Component, start: Option<Stamp>) -> Option<i32> {
    let alarm = component.components.iter().find(|inner| inner.name == "VALARM")?;
    let trigger = alarm.first("TRIGGER")?;
    if let Some(seconds) = duration_seconds(&trigger.value) {
        return i32::try_from((-seconds / 60).max(0)).ok();
    }
    let at = Stamp::parse(&trigger.value)?;
    i32::try_from(((start?.0 - at.0) / 60).max(0)).ok()
}

/// `PT15M`, `-P1D`, in seconds (RFC 5545 3.3.6).
pub(crate) fn duration_seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0i64;
    let mut digits = String::new();
    let rest = rest.strip_prefix('P')?;
    for letter in rest.chars() {
        let unit = match letter {
            'T' => continue,
            '0'..='9' if digits.len() < 9 => {
                digits.push(letter);
                continue;
            }
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        seconds += digits.parse::<i64>().ok()? * unit;
        digits.clear();
    }
    (digits.is_empty() && !rest.is_empty()).then_some(sign * seconds)
}

/// A date or time of a calendar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum When {
    Date(Stamp),
    Utc(Stamp),
    /// In a zone, or wherever the reader is.
    Local(Stamp, Option<Zone>),
}

impl When {
    /// Reads a property with the zones its calendar defines.
    pub(crate) fn read(line: &Property, value: &str, calendar: &Component) -> Result<Self, NoItem> {
        let stamp = Stamp::parse(value).ok_or(NoItem::Unreadable)?;
        let is_date = line.parameter("VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("DATE"));
        if is_date || !value.contains(['T', 't']) {
            return Ok(Self::Date(stamp.midnight()));
        }
        if value.trim().ends_with(['Z', 'z']) {
            return Ok(Self::Utc(stamp));
        }
        let Some(id) = line.parameter("TZID") else { return Ok(Self::Local(stamp, None)) };
        if matches!(id, "UTC" | "Etc/UTC" | "GMT") {
            return Ok(Self::Utc(stamp));
        }
        let defined = calendar.components.iter().filter(|component| component.name == "VTIMEZONE");
        let zone = defined.filter(|zone| zone.text("TZID").as_deref() == Some(id)).find_map(Zone::from_component);
        Ok(Self::Local(stamp, Some(zone.ok_or(NoItem::TimeZone)?)))
    }

    /// The zone it is said in.
    pub(crate) fn zone(&self, here: &Zone) -> Zone {
        match self {
            Self::Local(_, Some(zone)) => zone.clone(),
            Self::Utc(_) => Zone::utc(),
            Self::Date(_) | Self::Local(_, None) => here.clone(),
        }
    }

    /// Time where it happens: what people read on the clock.
    pub(crate) fn local(&self) -> Stamp {
        match self {
            Self::Date(stamp) | Self::Utc(stamp) | Self::Local(stamp, _) => *stamp,
        }
    }

    /// The point in time; `here` is the zone of what is said without one.
    pub(crate) fn utc(&self, here: &Zone) -> Stamp {
        match self {
            Self::Local(stamp, Some(zone)) => zone.to_utc(*stamp),
            Self::Utc(stamp) => *stamp,
            Self::Date(stamp) | Self::Local(stamp, None) => here.to_utc(*stamp),
        }
    }
}

/// Sets a time.
pub(crate) fn set_time(bag: &mut Bag, key: Key, stamp: Stamp) {
    bag.set(key, Value::Time(stamp.filetime()));
}

/// Sets what Outlook needs for a reminder.
pub(crate) fn set_reminder(bag: &mut Bag, minutes: Option<i32>, start: Option<Stamp>) {
    bag.set(names::REMINDER_IS_SET, Value::Bool(minutes.is_some()));
    if let Some(minutes) = minutes {
        bag.set(names::REMINDER_DELTA, Value::I32(minutes));
        if let Some(start) = start {
            set_time(bag, names::REMINDER_TIME, start);
            set_time(bag, names::REMINDER_SIGNAL_TIME, Stamp(start.0 - i64::from(minutes) * 60));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(duration_seconds("-PT15M"), Some(-900));
        assert_eq!(duration_seconds("P1DT2H"), Some(93_600));
        for odd in ["", "P", "PT1", "15M", "P1X", "PT99999999999M"] {
            assert_eq!(duration_seconds(odd), None, "{odd}");
        }
    }
}
