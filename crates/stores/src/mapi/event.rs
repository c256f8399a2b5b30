//! Appointments and meetings (MS-OXOCAL) and `VEVENT` (RFC 5545 3.6.1), after MS-OXCICAL.

use super::{
    Address, Attachment, Bag, Message, NoItem, Stamp, Value,
    calendar::{self, When, set_time},
    lines::{Lines, parameter},
    mail, names,
    recurrence::{Exception, Recurrence},
    zone::Zone,
};
use pim::{Component, Property};

/// First bytes of a Global Object ID (MS-OXOCAL 2.2.1.27).
const GLOBAL_ID: [u8; 16] =
    [0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xE0, 0x00, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08];
/// Before a UID of another program in it.
const OTHERS_UID: &[u8] = b"vCal-Uid\x01\0\0\0";
const UID_BYTES_MAX: usize = 1_024;
/// "None", "Tentative" … as `X-MICROSOFT-CDO-BUSYSTATUS` writes them.
const BUSY: [&str; 5] = ["FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"];
const BUSY_PROPERTY: &str = "X-MICROSOFT-CDO-BUSYSTATUS";
/// Answers of attendees (`PidTagRecipientTrackStatus`).
const ANSWERS: [(i64, &str); 4] = [(1, "ACCEPTED"), (2, "TENTATIVE"), (3, "ACCEPTED"), (4, "DECLINED")];
const ORGANIZER_FLAG: i64 = 2;

/// The UID of an appointment among its properties.
pub(crate) fn uid(bag: &Bag) -> Option<String> {
    let id = bag.binary(&names::CLEAN_GLOBAL_OBJECT_ID).or_else(|| bag.binary(&names::GLOBAL_OBJECT_ID))?;
    let id = id.get(..UID_BYTES_MAX.min(id.len()))?;
    let rest = id.strip_prefix(&GLOBAL_ID)?;
    // Occurrence date, creation time, nothing, size, data.
    let data = rest.get(24..)?;
    if let Some(others) = data.strip_prefix(OTHERS_UID) {
        let text = String::from_utf8_lossy(others.strip_suffix(b"\0").unwrap_or(others)).into_owned();
        return Some(super::address::one_line(&text)).filter(|uid| !uid.is_empty());
    }
    // The date of an occurrence is not part of the series' UID.
    let clean = [&id[..16], &[0; 4], &id[20..]].concat();
    Some(clean.iter().map(|byte| format!("{byte:02X}")).collect())
}

/// The Global Object ID that stands for a UID.
fn global_id(uid: &str) -> Vec<u8> {
    let digits = uid.as_bytes();
    let is_ours = digits.len() >= 80 && digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
    if is_ours {
        let digit = |byte: u8| (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        if bytes.starts_with(&GLOBAL_ID) {
            return bytes;
        }
    }
    let data = [OTHERS_UID, uid.as_bytes(), b"\0"].concat();
    let size = u32::try_from(data.len()).unwrap_or_default();
    [&GLOBAL_ID[..], &[0; 20], &size.to_le_bytes(), &data].concat()
}

/// Where an appointment takes place in time.
struct Times {
    start: Stamp,
    end: Stamp,
    is_all_day: bool,
    zone: Option<Zone>,
}

impl Times {
    fn of(bag: &Bag) -> Self {
        let start = bag.time(&names::APPOINTMENT_START).or_else(|| bag.time(&names::COMMON_START));
        let start = start.unwrap_or(Stamp::from_unix(0));
        let end = bag.time(&names::APPOINTMENT_END).or_else(|| bag.time(&names::COMMON_END));
        let definition = |key| bag.binary(key).and_then(Zone::from_definition);
        let zone = definition(&names::ZONE_RECURRENCE)
            .or_else(|| {
                let name = bag.text(&names::TIME_ZONE_DESCRIPTION).unwrap_or_default();
                Zone::from_struct(bag.binary(&names::TIME_ZONE_STRUCT)?, &name)
            })
            .or_else(|| definition(&names::ZONE_START))
            .filter(|zone| !zone.is_utc());
        Self {
            start,
            end: end.filter(|end| *end >= start).unwrap_or(start),
            is_all_day: bag.is(&names::APPOINTMENT_IS_ALL_DAY),
            zone,
        }
    }

    fn local(&self, utc: Stamp) -> Stamp {
        match &self.zone {
            Some(zone) => zone.to_local(utc),
            None => utc,
        }
    }

    /// The day an all-day event is on. Where its zone isn't known, the nearest midnight tells.
    fn day(&self, utc: Stamp) -> Stamp {
        let local = self.local(utc);
        if self.zone.is_some() && local.second_of_day() == 0 { local } else { Stamp(local.0 + 43_200).midnight() }
    }

    fn write(&self, lines: &mut Lines, name: &str, utc: Stamp) {
        if self.is_all_day {
            lines.raw(&format!("{name};VALUE=DATE"), &self.day(utc).date_text());
        } else {
            self.write_local(lines, name, self.local(utc));
        }
    }

    fn write_local(&self, lines: &mut Lines, name: &str, local: Stamp) {
        match &self.zone {
            Some(zone) => lines.raw(&format!("{name}{}", parameter("TZID", zone.id())), &local.text()),
            None => lines.raw(name, &local.utc_text()),
        }
    }

    /// The time an occurrence has by the pattern.
    fn write_occurrence(&self, lines: &mut Lines, name: &str, local: Stamp) {
        if self.is_all_day {
            lines.raw(&format!("{name};VALUE=DATE"), &local.date_text());
        } else {
            self.write_local(lines, name, local);
        }
    }
}

/// An appointment as iCalendar, with its changed occurrences.
pub(crate) fn to_calendar(message: &Message, uid: &str, method: Option<&str>) -> Vec<u8> {
    let bag = &message.properties;
    let times = Times::of(bag);
    let mut lines = Lines::default();
    calendar::begin(&mut lines, method);
    if let Some(zone) = times.zone.as_ref().filter(|_| !times.is_all_day) {
        zone.write(&mut lines);
    }
    let recurrence = bag.binary(&names::APPOINTMENT_RECURRENCE).and_then(Recurrence::read);
    lines.raw("BEGIN", "VEVENT");
    write_event(&mut lines, message, uid, &times);
    if let Some(recurrence) = &recurrence {
        let until = |day: Stamp| {
            if times.is_all_day {
                return day.date_text();
            }
            let local = Stamp(day.0 + i64::from(recurrence.offsets[0]) * 60);
            times.zone.as_ref().map_or(local, |zone| zone.to_utc(local)).utc_text()
        };
        lines.raw("RRULE", &recurrence.rrule(until));
        for day in &recurrence.deleted {
            times.write_occurrence(&mut lines, "EXDATE", Stamp(day.0 + i64::from(recurrence.offsets[0]) * 60));
        }
    }
    end_event(&mut lines, bag);
    for exception in recurrence.iter().flat_map(|recurrence| &recurrence.exceptions) {
        write_exception(&mut lines, message, uid, &times, exception);
    }
    calendar::end(lines)
}

fn write_event(lines: &mut Lines, message: &Message, uid: &str, times: &Times) {
    let bag = &message.properties;
    calendar::write_common(lines, bag, uid);
    times.write(lines, "DTSTART", times.start);
    // An end that is the start says nothing, and for whole days it is wrong.
    if times.end > times.start {
        times.write(lines, "DTEND", times.end);
    }
    lines.text("LOCATION", &bag.text(&names::LOCATION).unwrap_or_default());
    write_busy(lines, bag.number(&names::BUSY_STATUS));
    if let Some(sequence) = bag.number(&names::APPOINTMENT_SEQUENCE).filter(|sequence| *sequence > 0) {
        lines.raw("SEQUENCE", &sequence.to_string());
    }
    let state = bag.number(&names::APPOINTMENT_STATE).unwrap_or_default();
    if state & 4 != 0 {
        lines.raw("STATUS", "CANCELLED");
    }
    write_people(lines, message, state);
    calendar::write_attachments(lines, &message.attachments);
}

/// Alarms come after all properties (RFC 5545 3.6.1).
fn end_event(lines: &mut Lines, bag: &Bag) {
    if bag.is(&names::REMINDER_IS_SET) {
        calendar::write_alarm(lines, bag.number(&names::REMINDER_DELTA).unwrap_or(15));
    }
    lines.raw("END", "VEVENT");
}

fn write_busy(lines: &mut Lines, busy: Option<i64>) {
    let Some(busy) = busy.and_then(|busy| usize::try_from(busy).ok()).filter(|busy| *busy < BUSY.len()) else { return };
    if busy == 0 {
        lines.raw("TRANSP", "TRANSPARENT");
    }
    // Free and busy are said by TRANSP already.
    if busy != 0 && busy != 2 {
        lines.raw(BUSY_PROPERTY, BUSY[busy]);
    }
}

/// Organizer and attendees, only of meetings.
fn write_people(lines: &mut Lines, message: &Message, state: i64) {
    let is_meeting = state & 1 != 0 || !message.recipients.is_empty();
    if !is_meeting {
        return;
    }
    let bag = &message.properties;
    let is_organizer =
        |recipient: &&Bag| recipient.number(&names::RECIPIENT_FLAGS).unwrap_or_default() & ORGANIZER_FLAG != 0;
    let named = message.recipients.iter().find(is_organizer).map(Address::of_recipient);
    let organizer = named.or_else(|| Some(Address::of_author(bag))).filter(|address| !address.email.is_empty());
    if let Some(organizer) = organizer {
        lines.raw(&format!("ORGANIZER{}", parameter("CN", &organizer.name)), &mailto(&organizer.email));
    }
    for recipient in message.recipients.iter().filter(|recipient| !is_organizer(recipient)) {
        let address = Address::of_recipient(recipient);
        if address.email.is_empty() {
            continue;
        }
        let role = match recipient.number(&names::RECIPIENT_TYPE).unwrap_or(1) & 0xF {
            2 => ";ROLE=OPT-PARTICIPANT",
            3 => ";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT",
            _ => ";ROLE=REQ-PARTICIPANT",
        };
        let answer = recipient.number(&names::RECIPIENT_TRACK_STATUS).unwrap_or_default();
        let answer = ANSWERS.iter().rev().find(|(number, _)| *number == answer);
        let answer = answer.map(|(_, word)| format!(";PARTSTAT={word}")).unwrap_or_default();
        lines.raw(&format!("ATTENDEE{}{role}{answer}", parameter("CN", &address.name)), &mailto(&address.email));
    }
}

fn mailto(email: &str) -> String {
    format!("mailto:{}", email.replace(char::is_whitespace, ""))
}

/// A changed occurrence: what isn't said about it is as in the series.
fn write_exception(lines: &mut Lines, series: &Message, uid: &str, times: &Times, exception: &Exception) {
    // The item hidden among the attachments holds text and people of the occurrence.
    let local = |minutes| Stamp::from_minutes(minutes);
    let start_utc = |minutes| times.zone.as_ref().map_or(local(minutes), |zone| zone.to_utc(local(minutes)));
    let inner = series.attachments.iter().find_map(|attachment| {
        let replaced = attachment.properties.time(&names::EXCEPTION_REPLACE_TIME)?;
        // Seconds are dropped here and there.
        let is_same = (replaced.0 - start_utc(exception.original).0).abs() < 60;
        attachment.message.as_deref().filter(|_| is_same)
    });
    let mut own = Message { recipients: series.recipients.clone(), ..Message::default() };
    let inherited = |key: &super::Key| {
        ![&names::HTML, &names::RTF_COMPRESSED, &names::BODY].contains(&key) || !exception.has_body || inner.is_none()
    };
    own.properties.0 = series
        .properties
        .0
        .iter()
        .filter(|(key, _)| inherited(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if let Some(inner) = inner {
        let is_said = |key: &super::Key| *key != names::MESSAGE_CLASS;
        own.properties.0.extend(
            inner.properties.0.iter().filter(|(key, _)| is_said(key)).map(|(key, value)| (key.clone(), value.clone())),
        );
        if !inner.recipients.is_empty() {
            own.recipients = inner.recipients.clone();
        }
        own.attachments = inner.attachments.clone();
    }
    let bag = &mut own.properties;
    if let Some(subject) = &exception.subject {
        bag.set(names::SUBJECT, Value::Text(subject.clone()));
    }
    if let Some(location) = &exception.location {
        bag.set(names::LOCATION, Value::Text(location.clone()));
    }
    if let Some(busy) = exception.busy_status {
        bag.set(names::BUSY_STATUS, Value::I32(i32::try_from(busy).unwrap_or(2)));
    }
    if let Some(has_reminder) = exception.has_reminder {
        bag.set(names::REMINDER_IS_SET, Value::Bool(has_reminder));
    }
    if let Some(minutes) = exception.reminder_minutes {
        bag.set(names::REMINDER_DELTA, Value::I32(i32::try_from(minutes).unwrap_or(15)));
    }
    let own_times = Times {
        start: start_utc(exception.start),
        end: start_utc(exception.end.max(exception.start)),
        is_all_day: exception.is_all_day.unwrap_or(times.is_all_day),
        zone: times.zone.clone(),
    };
    lines.raw("BEGIN", "VEVENT");
    times.write_occurrence(lines, "RECURRENCE-ID", local(exception.original));
    write_event(lines, &own, uid, &own_times);
    end_event(lines, &own.properties);
}

/// The calendar part of a meeting request, answer or cancellation, with its method.
pub(crate) fn meeting(message: &Message) -> Option<(&'static str, Vec<u8>)> {
    let class = message.properties.text(&names::MESSAGE_CLASS)?.to_ascii_uppercase();
    let method = match class.strip_prefix("IPM.SCHEDULE.MEETING.")? {
        "REQUEST" => "REQUEST",
        "CANCELED" => "CANCEL",
        class if class.starts_with("RESP.") => "REPLY",
        _ => return None,
    };
    let uid = uid(&message.properties)?;
    message.properties.time(&names::APPOINTMENT_START)?;
    // The text stands in the message around it, and so do the attachments.
    let mut request = Message { recipients: message.recipients.clone(), ..Message::default() };
    request.properties = message.properties.clone();
    for key in [names::BODY, names::HTML, names::RTF_COMPRESSED] {
        request.properties.0.remove(&key);
    }
    Some((method, to_calendar(&request, &uid, Some(method))))
}

/// An appointment made of iCalendar.
pub(crate) fn from_calendar(calendar: &Component, here: &Zone) -> Result<Message, NoItem> {
    let event = calendar::main(calendar).ok_or(NoItem::Unreadable)?;
    let mut message = Message::default();
    calendar::read_common(&mut message, event, "IPM.Appointment");
    let span = Span::read(event, calendar, here)?;
    let is_all_day = matches!(span.start, When::Date(_));
    let minutes = i32::try_from((span.end_utc.0 - span.start_utc.0) / 60).unwrap_or(i32::MAX);
    let is_recurring = event.first("RRULE").is_some() || event.first("RDATE").is_some();
    let bag = &mut message.properties;
    // The UID of an appointment lives in its Global Object ID.
    if let Some(Value::Text(uid)) = bag.0.remove(&names::ITEM_UID) {
        let id = global_id(&uid);
        bag.set(names::GLOBAL_OBJECT_ID, Value::Binary(id.clone()));
        bag.set(names::CLEAN_GLOBAL_OBJECT_ID, Value::Binary(id));
    }
    for key in [names::APPOINTMENT_START, names::COMMON_START] {
        set_time(bag, key, span.start_utc);
    }
    for key in [names::APPOINTMENT_END, names::COMMON_END] {
        set_time(bag, key, span.end_utc);
    }
    bag.set(names::APPOINTMENT_DURATION, Value::I32(minutes));
    bag.set(names::APPOINTMENT_IS_ALL_DAY, Value::Bool(is_all_day));
    bag.set(names::IS_RECURRING, Value::Bool(is_recurring));
    bag.set_text(names::LOCATION, event.text("LOCATION").unwrap_or_default());
    bag.set(names::BUSY_STATUS, Value::I32(busy(event)));
    bag.set(names::ICON_INDEX, Value::I32(if is_recurring { 0x401 } else { 0x400 }));
    if let Some(sequence) = event.text("SEQUENCE").and_then(|text| text.trim().parse().ok()) {
        bag.set(names::APPOINTMENT_SEQUENCE, Value::I32(sequence));
    }
    bag.set(names::ZONE_START, Value::Binary(span.zone.to_definition(is_recurring)));
    bag.set(names::ZONE_END, Value::Binary(span.end_zone.to_definition(is_recurring)));
    if is_recurring {
        bag.set(names::ZONE_RECURRENCE, Value::Binary(span.zone.to_definition(true)));
        bag.set(names::TIME_ZONE_STRUCT, Value::Binary(span.zone.to_struct()));
        bag.set_text(names::TIME_ZONE_DESCRIPTION, span.zone.name.clone());
    }
    let reminder = calendar::alarm_minutes(event, Some(span.start_utc));
    calendar::set_reminder(bag, reminder, Some(span.start_utc));
    set_people(&mut message, event);
    if is_recurring {
        set_recurrence(&mut message, calendar, event, &span, here)?;
    }
    Ok(message)
}

/// From when to when an event is.
struct Span {
    start: When,
    start_utc: Stamp,
    end_utc: Stamp,
    zone: Zone,
    end_zone: Zone,
}

impl Span {
    /// An event without an end takes a day or no time (RFC 5545 3.6.1).
    fn read(event: &Component, calendar: &Component, here: &Zone) -> Result<Self, NoItem> {
        let line = event.first("DTSTART").ok_or(NoItem::Unreadable)?;
        let start = When::read(line, &line.value, calendar)?;
        let (start_utc, zone) = (start.utc(here), start.zone(here));
        let (end_utc, end_zone) = match (event.first("DTEND"), event.first("DURATION")) {
            (Some(line), _) => {
                let end = When::read(line, &line.value, calendar)?;
                (end.utc(here), end.zone(here))
            }
            (None, Some(line)) => {
                let seconds = calendar::duration_seconds(&line.value).ok_or(NoItem::Unreadable)?;
                (Stamp(start_utc.0 + seconds), zone.clone())
            }
            // The next midnight, which is no day away where a clock is put forward.
            (None, None) if matches!(start, When::Date(_)) => (here.to_utc(start.local().plus_days(1)), zone.clone()),
            (None, None) => (start_utc, zone.clone()),
        };
        Ok(Self { start, start_utc, end_utc: end_utc.max(start_utc), zone, end_zone })
    }
}

fn busy(event: &Component) -> i32 {
    let word = event.text(BUSY_PROPERTY).or_else(|| event.text("X-MICROSOFT-CDO-INTENDEDSTATUS"));
    let named = word.and_then(|word| BUSY.iter().position(|known| word.trim().eq_ignore_ascii_case(known)));
    let is_free = event.text("TRANSP").is_some_and(|word| word.trim().eq_ignore_ascii_case("TRANSPARENT"));
    let is_tentative = event.text("STATUS").is_some_and(|word| word.trim().eq_ignore_ascii_case("TENTATIVE"));
    match named {
        Some(busy) => i32::try_from(busy).unwrap_or(2),
        None if is_free => 0,
        None if is_tentative => 1,
        None => 2,
    }
}

fn email(line: &Property) -> Option<Address> {
    let value = line.value.trim();
    let email = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).map(|_| &value[7..]);
    let email = email.or_else(|| line.parameter("EMAIL"))?;
    Some(Address::new(line.parameter("CN").unwrap_or_default().trim(), super::address::one_line(email)))
}

/// Organizer and attendees; meetings are never sent, so nobody is told anything.
fn set_people(message: &mut Message, event: &Component) {
    let organizer = event.first("ORGANIZER").and_then(email);
    let attendees: Vec<&Property> = event.all("ATTENDEE").collect();
    let is_cancelled = event.text("STATUS").is_some_and(|word| word.trim().eq_ignore_ascii_case("CANCELLED"));
    let is_meeting = !attendees.is_empty();
    let state = i32::from(is_meeting) | if is_cancelled { 4 } else { 0 };
    message.properties.set(names::APPOINTMENT_STATE, Value::I32(state));
    if let Some(organizer) = &organizer {
        mail::set_author(&mut message.properties, organizer);
        mail::set_sender(&mut message.properties, organizer);
        if is_meeting {
            let mut bag = organizer.to_recipient(1);
            bag.set(names::RECIPIENT_FLAGS, Value::I32(3));
            message.recipients.push(bag);
        }
    }
    for line in attendees {
        let Some(address) = email(line) else { continue };
        if organizer.as_ref().is_some_and(|organizer| organizer.email.eq_ignore_ascii_case(&address.email)) {
            continue;
        }
        let is = |name: &str, word: &str| line.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let kind = match () {
            () if is("CUTYPE", "RESOURCE") || is("CUTYPE", "ROOM") => 3,
            () if is("ROLE", "OPT-PARTICIPANT") => 2,
            () => 1,
        };
        let mut bag = address.to_recipient(kind);
        bag.set(names::RECIPIENT_FLAGS, Value::I32(1));
        // 3 and not 1 is "accepted" of somebody else.
        let answer = ANSWERS.iter().rev().find(|(_, word)| is("PARTSTAT", word)).map_or(0, |(number, _)| *number);
        bag.set(names::RECIPIENT_TRACK_STATUS, Value::I32(i32::try_from(answer).unwrap_or_default()));
        message.recipients.push(bag);
    }
}

fn set_recurrence(
    message: &mut Message,
    calendar: &Component,
    event: &Component,
    span: &Span,
    here: &Zone,
) -> Result<(), NoItem> {
    // Single extra dates have no place in Outlook's pattern.
    let rules: Vec<&Property> = event.all("RRULE").collect();
    let [rule] = rules[..] else { return Err(NoItem::Recurrence) };
    if event.first("RDATE").is_some() || event.first("EXRULE").is_some() {
        return Err(NoItem::Recurrence);
    }
    let to_local = |text: &str| {
        let stamp = Stamp::parse(text)?;
        let is_utc = text.trim_end().ends_with(['Z', 'z']) && !matches!(span.start, When::Date(_));
        Some(if is_utc { span.zone.to_local(stamp) } else { stamp })
    };
    let start = span.zone.to_local(span.start_utc);
    let mut recurrence = Recurrence::parse(&rule.value, start, to_local).ok_or(NoItem::Recurrence)?;
    let begins = start.minutes() - start.midnight().minutes();
    // On the clock, so that a whole day has 24 hours whatever the clock does on it.
    let length = span.zone.to_local(span.end_utc).0 - start.0;
    let length = u32::try_from(length.max(0) / 60).map_err(|_| NoItem::Recurrence)?;
    recurrence.offsets = [begins, begins.saturating_add(length)];
    let in_series = |utc: Stamp| span.zone.to_local(utc);
    for line in event.all("EXDATE") {
        for value in line.value.split(',') {
            let when = When::read(line, value, calendar)?;
            recurrence.deleted.push(in_series(when.utc(here)).midnight());
        }
    }
    recurrence.deleted.sort_unstable();
    recurrence.deleted.dedup();
    let changed = calendar.components.iter().filter(|inner| {
        inner.name == "VEVENT" && !std::ptr::eq(*inner, event) && inner.first("RECURRENCE-ID").is_some()
    });
    for inner in changed {
        let line = inner.first("RECURRENCE-ID").ok_or(NoItem::Unreadable)?;
        let original = in_series(When::read(line, &line.value, calendar)?.utc(here));
        // Of an all-day series only the day counts.
        let original = if matches!(span.start, When::Date(_)) { original.midnight() } else { original };
        let own = Span::read(inner, calendar, here)?;
        let clock = [in_series(own.start_utc), in_series(own.end_utc)];
        recurrence.exceptions.push(exception(inner, event, original, clock));
        message.attachments.push(exception_item(inner, &own, span.zone.to_utc(original), clock));
    }
    let bag = &mut message.properties;
    bag.set(names::APPOINTMENT_RECURRENCE, Value::Binary(recurrence.write(false)));
    set_time(bag, names::CLIP_START, span.start_utc.midnight());
    set_time(bag, names::CLIP_END, recurrence.last_day());
    Ok(())
}

fn exception(inner: &Component, series: &Component, original: Stamp, [start, end]: [Stamp; 2]) -> Exception {
    let differs = |name: &str| {
        let own = inner.text(name).unwrap_or_default();
        (series.text(name).unwrap_or_default() != own).then_some(own)
    };
    let is_all_day = |event: &Component| event.first("DTSTART").is_some_and(|line| !line.value.contains(['T', 't']));
    let alarm = |event: &Component| calendar::alarm_minutes(event, None);
    let (own_alarm, series_alarm) = (alarm(inner), alarm(series));
    let own_busy = busy(inner);
    Exception {
        start: start.minutes(),
        end: end.minutes(),
        original: original.minutes(),
        subject: differs("SUMMARY"),
        location: differs("LOCATION"),
        reminder_minutes: own_alarm
            .filter(|_| own_alarm != series_alarm)
            .and_then(|minutes| u32::try_from(minutes).ok()),
        has_reminder: (own_alarm.is_some() != series_alarm.is_some()).then_some(own_alarm.is_some()),
        busy_status: (own_busy != busy(series)).then(|| u32::try_from(own_busy).unwrap_or(2)),
        is_all_day: (is_all_day(inner) != is_all_day(series)).then_some(is_all_day(inner)),
        has_body: differs("DESCRIPTION").is_some(),
    }
}

/// The item that Outlook hides among the attachments of a series for each changed occurrence (MS-OXOCAL 2.2.10).
fn exception_item(inner: &Component, own: &Span, replaced: Stamp, [start, end]: [Stamp; 2]) -> Attachment {
    let mut message = Message::default();
    calendar::read_common(&mut message, inner, "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}");
    let bag = &mut message.properties;
    bag.0.remove(&names::ITEM_UID);
    set_time(bag, names::APPOINTMENT_START, own.start_utc);
    set_time(bag, names::APPOINTMENT_END, own.end_utc);
    bag.set_text(names::LOCATION, inner.text("LOCATION").unwrap_or_default());
    bag.set(names::BUSY_STATUS, Value::I32(busy(inner)));
    let reminder = calendar::alarm_minutes(inner, Some(own.start_utc));
    calendar::set_reminder(bag, reminder, Some(own.start_utc));
    set_people(&mut message, inner);
    let mut attachment = Attachment::default();
    let bag = &mut attachment.properties;
    bag.set(names::ATTACH_METHOD, Value::I32(mail::method::MESSAGE));
    bag.set(names::RENDERING_POSITION, Value::I32(-1));
    bag.set(names::ATTACHMENT_HIDDEN, Value::Bool(true));
    bag.set(names::ATTACHMENT_FLAGS, Value::I32(2));
    bag.set_text(names::DISPLAY_NAME, inner.text("SUMMARY").unwrap_or_else(|| "Untitled".to_owned()));
    set_time(bag, names::EXCEPTION_REPLACE_TIME, replaced);
    set_time(bag, names::EXCEPTION_START, start);
    set_time(bag, names::EXCEPTION_END, end);
    attachment.message = Some(Box::new(message));
    attachment
}
