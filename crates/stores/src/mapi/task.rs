//! Tasks (MS-OXOTASK) and `VTODO` (RFC 5545 3.6.2).

use super::{
    Bag, Message, NoItem, Stamp, Value, Zone,
    calendar::{self, When, set_time},
    lines::Lines,
    names,
    recurrence::Recurrence,
};
use pim::Component;

/// `PidLidTaskStatus` and the status of iCalendar; "waiting" and "deferred" have no word there.
const STATUS: [&str; 5] = ["NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "NEEDS-ACTION", "NEEDS-ACTION"];
/// What iCalendar has no word for, under Outlook's own.
const WAITING: [(i64, &str); 2] = [(3, "WAITING"), (4, "DEFERRED")];
const STATUS_PROPERTY: &str = "X-MICROSOFT-TASK-STATUS";
/// Minutes spent and expected.
const EFFORTS: [(&str, super::Key); 2] = [
    ("X-MICROSOFT-ACTUAL-EFFORT", names::TASK_ACTUAL_EFFORT),
    ("X-MICROSOFT-ESTIMATED-EFFORT", names::TASK_ESTIMATED_EFFORT),
];
const TEXTS: [(&str, super::Key); 2] =
    [("X-MICROSOFT-MILEAGE", names::MILEAGE), ("X-MICROSOFT-BILLING", names::BILLING)];
const COMPLETED: i64 = 2;

pub(crate) fn to_calendar(message: &Message, uid: &str) -> Vec<u8> {
    let bag = &message.properties;
    let mut lines = Lines::default();
    calendar::begin(&mut lines, None);
    lines.raw("BEGIN", "VTODO");
    calendar::write_common(&mut lines, bag, uid);
    // Days are kept as midnights that mean the day wherever the reader is.
    let day = |key| bag.time(key).map(|stamp| stamp.midnight().date_text());
    if let Some(start) = day(&names::TASK_START) {
        lines.raw("DTSTART;VALUE=DATE", &start);
    }
    if let Some(due) = day(&names::TASK_DUE) {
        lines.raw("DUE;VALUE=DATE", &due);
    }
    let is_complete = bag.is(&names::TASK_IS_COMPLETE);
    let status = bag.number(&names::TASK_STATUS).unwrap_or(if is_complete { COMPLETED } else { 0 });
    if let Some(word) = usize::try_from(status).ok().and_then(|status| STATUS.get(status)) {
        lines.raw("STATUS", word);
    }
    if let Some((_, word)) = WAITING.iter().find(|(number, _)| *number == status) {
        lines.raw(STATUS_PROPERTY, word);
    }
    let percent = match bag.get(&names::TASK_PERCENT) {
        Some(Value::F64(part)) if part.is_finite() => Some((part.clamp(0.0, 1.0) * 100.0).round() as u8),
        _ => None,
    };
    if let Some(percent) = percent.filter(|percent| *percent > 0) {
        lines.raw("PERCENT-COMPLETE", &percent.to_string());
    }
    if let Some(completed) = bag.time(&names::TASK_COMPLETED).filter(|_| is_complete) {
        lines.raw("COMPLETED", &completed.utc_text());
    }
    if let Some(recurrence) = bag.binary(&names::TASK_RECURRENCE).and_then(Recurrence::read) {
        lines.raw("RRULE", &recurrence.rrule(Stamp::date_text));
        // A rule counts from a start.
        if bag.time(&names::TASK_START).is_none() {
            lines.raw("DTSTART;VALUE=DATE", &recurrence.start.date_text());
        }
    }
    for (name, key) in &EFFORTS {
        if let Some(minutes) = bag.number(key).filter(|minutes| *minutes > 0) {
            lines.raw(name, &minutes.to_string());
        }
    }
    for (name, key) in &TEXTS {
        lines.text(name, &bag.text(key).unwrap_or_default());
    }
    calendar::write_attachments(&mut lines, &message.attachments);
    if bag.is(&names::REMINDER_IS_SET)
        && let Some(at) = bag.time(&names::REMINDER_TIME)
    {
        lines.raw("BEGIN", "VALARM");
        lines.raw("ACTION", "DISPLAY");
        lines.raw("DESCRIPTION", "Reminder");
        lines.raw("TRIGGER;VALUE=DATE-TIME", &at.utc_text());
        lines.raw("END", "VALARM");
    }
    lines.raw("END", "VTODO");
    calendar::end(lines)
}

pub(crate) fn from_calendar(calendar: &Component, here: &Zone) -> Result<Message, NoItem> {
    let task = calendar::main(calendar).ok_or(NoItem::Unreadable)?;
    let mut message = Message::default();
    calendar::read_common(&mut message, task, "IPM.Task");
    let day = |name: &str| {
        let line = task.first(name)?;
        When::read(line, &line.value, calendar).ok().map(|when| here.to_local(when.utc(here)).midnight())
    };
    let (start, due) = (day("DTSTART"), day("DUE"));
    let bag = &mut message.properties;
    for (key, common, stamp) in
        [(names::TASK_START, names::COMMON_START, start), (names::TASK_DUE, names::COMMON_END, due)]
    {
        if let Some(stamp) = stamp {
            set_time(bag, key, stamp);
            set_time(bag, common, here.to_utc(stamp));
        }
    }
    set_progress(bag, task);
    for (name, key) in EFFORTS {
        if let Some(minutes) = task.text(name).and_then(|text| text.trim().parse().ok()) {
            bag.set(key, Value::I32(minutes));
        }
    }
    for (name, key) in TEXTS {
        bag.set_text(key, task.text(name).unwrap_or_default());
    }
    set_reminder(bag, task, start.or(due).map(|day| here.to_utc(day)));
    bag.set(names::ICON_INDEX, Value::I32(0x500));
    if let Some(rule) = task.first("RRULE") {
        let start = start.or(due).ok_or(NoItem::Recurrence)?;
        let recurrence = Recurrence::parse(&rule.value, start, Stamp::parse).ok_or(NoItem::Recurrence)?;
        bag.set(names::TASK_RECURRENCE, Value::Binary(recurrence.write(true)));
        bag.set(names::TASK_IS_RECURRING, Value::Bool(true));
        bag.set(names::ICON_INDEX, Value::I32(0x501));
    }
    Ok(message)
}

fn set_progress(bag: &mut Bag, task: &Component) {
    let status = task.text("STATUS").unwrap_or_default().trim().to_ascii_uppercase();
    let waiting = task.text(STATUS_PROPERTY).unwrap_or_default();
    let waiting = WAITING.iter().find(|(_, word)| waiting.trim().eq_ignore_ascii_case(word));
    let percent = task.text("PERCENT-COMPLETE").and_then(|text| text.trim().parse::<u8>().ok()).unwrap_or_default();
    let completed = task.first("COMPLETED").and_then(|line| Stamp::parse(&line.value));
    let is_complete = status == "COMPLETED" || completed.is_some() || percent >= 100;
    let number = match (is_complete, status.as_str(), waiting) {
        (true, ..) => COMPLETED,
        (_, _, Some((number, _))) => *number,
        (_, "IN-PROCESS", _) => 1,
        _ => 0,
    };
    let part = if is_complete { 1.0 } else { f64::from(percent) / 100.0 };
    bag.set(names::TASK_STATUS, Value::I32(i32::try_from(number).unwrap_or_default()));
    bag.set(names::TASK_PERCENT, Value::F64(part));
    bag.set(names::TASK_IS_COMPLETE, Value::Bool(is_complete));
    if let Some(completed) = completed {
        set_time(bag, names::TASK_COMPLETED, completed);
    }
}

/// Reminders of tasks are points in time.
fn set_reminder(bag: &mut Bag, task: &Component, start: Option<Stamp>) {
    let trigger = task.components.iter().find(|inner| inner.name == "VALARM").and_then(|alarm| alarm.first("TRIGGER"));
    let at = trigger.and_then(|trigger| match calendar::duration_seconds(&trigger.value) {
        Some(seconds) => start.map(|start| Stamp(start.0 + seconds)),
        None => Stamp::parse(&trigger.value),
    });
    bag.set(names::REMINDER_IS_SET, Value::Bool(at.is_some()));
    if let Some(at) = at {
        set_time(bag, names::REMINDER_TIME, at);
        set_time(bag, names::REMINDER_SIGNAL_TIME, at);
    }
}
