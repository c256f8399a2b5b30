//! Recurrences: Outlook's structures (MS-OXOCAL 2.2.1.44) and `RRULE` (RFC 5545 3.3.10).

use super::{
    Stamp,
    stamp::days_in_month,
    text::{WINDOWS_1252, decode, decode_utf16, encode_ansi, encode_utf16},
    zone::DAYS,
};

/// Deleted and changed occurrences of one series.
const OCCURRENCES_MAX: u32 = 16_384;
/// Steps in search of the end of a series.
const STEPS_MAX: u32 = 20_000;
const MINUTES_A_DAY: u32 = 1_440;
/// "Ends never", as the date of the end.
const NEVER: u32 = 0x5AE9_80DF;
const CALENDAR_READER: u16 = 0x3004;
const EXCEPTIONS_READER: u32 = 0x3006;
const EXCEPTIONS_WRITER: u32 = 0x3009;

/// How often something happens. All times are local.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Recurrence {
    pub(crate) every: Every,
    pub(crate) end: End,
    /// 0 = Sunday.
    pub(crate) first_weekday: u8,
    /// The day of the first occurrence.
    pub(crate) start: Stamp,
    /// Days of deleted occurrences; those of changed ones are not among them.
    pub(crate) deleted: Vec<Stamp>,
    /// Minutes after midnight at which occurrences begin and end; zero for tasks.
    pub(crate) offsets: [u32; 2],
    pub(crate) exceptions: Vec<Exception>,
}

/// The pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Every {
    /// Every so many days.
    Day(u32),
    /// Every so many weeks, on these days (bit 0 = Sunday).
    Week(u32, u8),
    /// Every so many months, on this day (the last one in shorter months).
    Month(u32, u8),
    /// Every so many months, on the nth (5 = last) of these days.
    MonthNth(u32, u8, u8),
}

/// When it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Never,
    /// After so many occurrences.
    Count(u32),
    /// On this day.
    Date(Stamp),
}

/// A changed occurrence: what is `None` is as in the series.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Exception {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Day and time it would have had.
    pub(crate) original: u32,
    pub(crate) subject: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) reminder_minutes: Option<u32>,
    pub(crate) has_reminder: Option<bool>,
    pub(crate) busy_status: Option<u32>,
    pub(crate) is_all_day: Option<bool>,
    pub(crate) has_body: bool,
}

mod flag {
    pub(super) const SUBJECT: u16 = 0x0001;
    pub(super) const MEETING_TYPE: u16 = 0x0002;
    pub(super) const REMINDER_DELTA: u16 = 0x0004;
    pub(super) const REMINDER: u16 = 0x0008;
    pub(super) const LOCATION: u16 = 0x0010;
    pub(super) const BUSY_STATUS: u16 = 0x0020;
    pub(super) const ATTACHMENT: u16 = 0x0040;
    pub(super) const SUBTYPE: u16 = 0x0080;
    pub(super) const COLOR: u16 = 0x0100;
    pub(super) const BODY: u16 = 0x0200;
}

/// Reads little-endian numbers from the front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn block(&mut self) -> Option<()> {
        let size = self.number()? as usize;
        self.bytes(size).map(|_| ())
    }

    fn days(&mut self) -> Option<Vec<Stamp>> {
        let count = self.number().filter(|count| *count <= OCCURRENCES_MAX)?;
        (0..count).map(|_| self.number().map(|minutes| Stamp::from_minutes(minutes).midnight())).collect()
    }
}

impl Recurrence {
    /// Reads the structure of an appointment or, without the second half, of a task.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Input(bytes);
        let (_reader, _writer) = (input.word()?, input.word()?);
        let (frequency, pattern, _calendar) = (input.word()?, input.word()?, input.word()?);
        let (_first, period, _sliding) = (input.number()?, input.number()?.max(1), input.number()?);
        let every = match pattern {
            0 => Every::Day((period / MINUTES_A_DAY).max(1)),
            1 => {
                let mask = weekdays(input.number()?)?;
                // "Every weekday" is kept as a daily pattern.
                Every::Week(if frequency == 0x200A { 1 } else { period }, mask)
            }
            // 0xA to 0xC: the same in the Hijri calendar, which iCalendar can't say.
            2 | 4 => {
                let day = u8::try_from(input.number()?).ok().filter(|day| (1..=31).contains(day))?;
                Every::Month(period, if pattern == 4 { 31 } else { day })
            }
            3 => {
                let (mask, nth) = (weekdays(input.number()?)?, input.number()?);
                Every::MonthNth(period, mask, u8::try_from(nth).ok().filter(|nth| (1..=5).contains(nth))?)
            }
            _ => return None,
        };
        let (end_type, count, first_weekday) = (input.number()?, input.number()?, input.number()?);
        let deleted = input.days()?;
        let changed = input.days()?;
        let (start, end_date) = (input.number()?, input.number()?);
        let end = match end_type {
            0x2021 => End::Date(Stamp::from_minutes(end_date).midnight()),
            0x2022 => End::Count(count.max(1)),
            _ => End::Never,
        };
        let mut recurrence = Self {
            every,
            end,
            first_weekday: u8::try_from(first_weekday % 7).ok()?,
            start: Stamp::from_minutes(start).midnight(),
            deleted,
            offsets: [0, 0],
            exceptions: Vec::new(),
        };
        // Changed occurrences stand among the deleted ones too.
        recurrence.read_exceptions(&mut input);
        let originals: Vec<Stamp> =
            recurrence.exceptions.iter().map(|one| Stamp::from_minutes(one.original).midnight()).collect();
        let is_changed = |day: &Stamp| originals.contains(day) && !changed.is_empty();
        recurrence.deleted.retain(|day| !is_changed(day));
        Some(recurrence)
    }

    /// Reads as many exceptions as are whole.
    fn read_exceptions(&mut self, input: &mut Input<'_>) -> Option<()> {
        let (_reader, writer) = (input.number()?, input.number()?);
        self.offsets = [input.number()?, input.number()?];
        let count = input.word()?;
        let mut flags = Vec::new();
        for _ in 0..count {
            let (exception, flag) = read_exception(input)?;
            self.exceptions.push(exception);
            flags.push(flag);
        }
        input.block()?;
        for (exception, flags) in self.exceptions.iter_mut().zip(flags) {
            if writer >= 0x3009 {
                input.block()?;
            }
            input.block()?;
            if flags & (flag::SUBJECT | flag::LOCATION) != 0 {
                input.bytes(12)?;
                for (is_there, text) in [
                    (flags & flag::SUBJECT != 0, &mut exception.subject),
                    (flags & flag::LOCATION != 0, &mut exception.location),
                ] {
                    if is_there {
                        let units = usize::from(input.word()?);
                        *text = Some(decode_utf16(input.bytes(units * 2)?));
                    }
                }
                input.block()?;
            }
        }
        Some(())
    }

    /// The structure of a task; that of an appointment has more after it.
    pub(crate) fn write(&self, is_task: bool) -> Vec<u8> {
        let (frequency, pattern, period, specific): (u16, u16, u32, Vec<u32>) = match self.every {
            Every::Day(days) => (0x200A, 0, days * MINUTES_A_DAY, Vec::new()),
            Every::Week(weeks, mask) => (0x200B, 1, weeks, vec![mask.into()]),
            Every::Month(months, day) => (month_frequency(months), 2, months, vec![day.into()]),
            Every::MonthNth(months, mask, nth) => (month_frequency(months), 3, months, vec![mask.into(), nth.into()]),
        };
        let mut bytes = Vec::new();
        for word in [CALENDAR_READER, CALENDAR_READER, frequency, pattern, 0] {
            bytes.extend(word.to_le_bytes());
        }
        let mut number = |number: u32| bytes.extend(number.to_le_bytes());
        number(self.first_date_time());
        number(period);
        number(0);
        specific.into_iter().for_each(&mut number);
        let (end_type, count, end_date) = match self.end {
            End::Never => (0x2023, 10, NEVER),
            End::Count(count) => (0x2022, count, self.last_day().minutes()),
            End::Date(day) => (0x2021, self.count(), day.minutes()),
        };
        number(end_type);
        number(count);
        number(self.first_weekday.into());
        let mut changed: Vec<u32> =
            self.exceptions.iter().map(|one| Stamp::from_minutes(one.original).midnight().minutes()).collect();
        let mut deleted: Vec<u32> = self.deleted.iter().map(|day| day.midnight().minutes()).collect();
        deleted.extend(&changed);
        deleted.sort_unstable();
        deleted.dedup();
        // The day it happens now, while the deleted ones are the days it would have.
        changed = self.exceptions.iter().map(|one| Stamp::from_minutes(one.start).midnight().minutes()).collect();
        changed.sort_unstable();
        for days in [deleted, changed] {
            number(u32::try_from(days.len()).unwrap_or_default());
            days.into_iter().for_each(&mut number);
        }
        number(self.start.midnight().minutes());
        number(end_date);
        if !is_task {
            self.write_exceptions(&mut bytes);
        }
        bytes
    }

    fn write_exceptions(&self, bytes: &mut Vec<u8>) {
        for number in [EXCEPTIONS_READER, EXCEPTIONS_WRITER, self.offsets[0], self.offsets[1]] {
            bytes.extend(number.to_le_bytes());
        }
        let mut exceptions: Vec<&Exception> = self.exceptions.iter().collect();
        exceptions.sort_by_key(|exception| exception.start);
        bytes.extend(u16::try_from(exceptions.len()).unwrap_or(u16::MAX).to_le_bytes());
        exceptions.iter().for_each(|exception| write_exception(bytes, exception));
        bytes.extend(0u32.to_le_bytes());
        for exception in exceptions {
            // No highlighted changes, nothing reserved.
            bytes.extend([4u32, 0, 0].map(u32::to_le_bytes).concat());
            if exception.subject.is_some() || exception.location.is_some() {
                for number in [exception.start, exception.end, exception.original] {
                    bytes.extend(number.to_le_bytes());
                }
                for text in [&exception.subject, &exception.location].into_iter().flatten() {
                    let text = short(text);
                    bytes.extend(length(text.encode_utf16().count()));
                    bytes.extend(encode_utf16(&text));
                }
                bytes.extend(0u32.to_le_bytes());
            }
        }
        bytes.extend(0u32.to_le_bytes());
    }

    /// Where the pattern began to count (MS-OXOCAL 2.2.1.44.1.2).
    fn first_date_time(&self) -> u32 {
        let start = self.start.midnight();
        match self.every {
            Every::Day(days) => start.minutes() % (days * MINUTES_A_DAY),
            Every::Week(weeks, _) => {
                let back = i64::from((start.weekday() + 7 - self.first_weekday) % 7);
                start.plus_days(-back).minutes() % (weeks * 7 * MINUTES_A_DAY)
            }
            Every::Month(months, _) | Every::MonthNth(months, ..) => {
                let (year, month, _) = start.ymd().unwrap_or((1601, 1, 1));
                let since = u32::try_from((year - 1601) * 12 + i32::from(month) - 1).unwrap_or_default() % months;
                let year = 1601 + i32::try_from(since / 12).unwrap_or_default();
                let month = u8::try_from(since % 12 + 1).unwrap_or(1);
                Stamp::new(year, month, 1, 0).map_or(0, Stamp::minutes)
            }
        }
    }

    /// The days of the pattern from the start on, without end.
    fn days(&self) -> impl Iterator<Item = Stamp> + '_ {
        let start = self.start.midnight();
        let days_of_step = move |step: u32| -> Vec<Stamp> {
            match self.every {
                Every::Day(days) => vec![start.plus_days(i64::from(step) * i64::from(days))],
                Every::Week(weeks, mask) => {
                    let back = i64::from((start.weekday() + 7 - self.first_weekday) % 7);
                    let week = start.plus_days(i64::from(step) * i64::from(weeks) * 7 - back);
                    let in_mask = |day: &Stamp| mask & (1 << day.weekday()) != 0;
                    (0..7).map(|day| week.plus_days(day)).filter(in_mask).collect()
                }
                Every::Month(months, day) => month_at(start, step, months)
                    .and_then(|(year, month)| Stamp::new(year, month, day.min(days_in_month(year, month)), 0))
                    .into_iter()
                    .collect(),
                Every::MonthNth(months, mask, nth) => month_at(start, step, months)
                    .and_then(|(year, month)| nth_day(year, month, mask, nth))
                    .into_iter()
                    .collect(),
            }
        };
        (0..STEPS_MAX).flat_map(days_of_step).filter(move |day| *day >= start)
    }

    /// The day of the last occurrence; the start where there is none.
    pub(crate) fn last_day(&self) -> Stamp {
        match self.end {
            End::Never => Stamp::from_minutes(NEVER),
            End::Count(count) => {
                let at = usize::try_from(count.clamp(1, STEPS_MAX)).unwrap_or(1) - 1;
                self.days().nth(at).unwrap_or(self.start)
            }
            End::Date(end) => self.days().take_while(|day| *day <= end).last().unwrap_or(self.start),
        }
    }

    fn count(&self) -> u32 {
        match self.end {
            End::Count(count) => count,
            End::Never => 10,
            End::Date(end) => {
                u32::try_from(self.days().take_while(|day| *day <= end).count()).unwrap_or(u32::MAX).max(1)
            }
        }
    }

    /// As an `RRULE`; `until` makes the text of the end out of the day of the last occurrence.
    pub(crate) fn rrule(&self, until: impl FnOnce(Stamp) -> String) -> String {
        let mut rule = match self.every {
            Every::Day(days) => format!("FREQ=DAILY{}", interval(days)),
            Every::Week(weeks, mask) => format!("FREQ=WEEKLY{};BYDAY={}", interval(weeks), day_names(mask)),
            Every::Month(months, day) => {
                let (head, month) = self.month_head(months);
                let days_max = month.map_or(28, |month| days_in_month(2001, month));
                let day = match day {
                    day if day <= days_max.max(28) => format!("BYMONTHDAY={day}"),
                    31 => "BYMONTHDAY=-1".to_owned(),
                    _ if month == Some(2) => "BYMONTHDAY=-1".to_owned(),
                    // In shorter months the last day, as Outlook does it.
                    29 => "BYMONTHDAY=28,29;BYSETPOS=-1".to_owned(),
                    day => format!("BYMONTHDAY=28,29,{day};BYSETPOS=-1"),
                };
                format!("{head};{day}")
            }
            Every::MonthNth(months, mask, nth) => {
                let (head, _) = self.month_head(months);
                let nth = if nth == 5 { "-1".to_owned() } else { nth.to_string() };
                if mask.count_ones() == 1 {
                    format!("{head};BYDAY={nth}{}", day_names(mask))
                } else {
                    format!("{head};BYDAY={};BYSETPOS={nth}", day_names(mask))
                }
            }
        };
        match self.end {
            End::Never => {}
            End::Count(count) => rule.push_str(&format!(";COUNT={count}")),
            End::Date(_) => rule.push_str(&format!(";UNTIL={}", until(self.last_day()))),
        }
        if matches!(self.every, Every::Week(..)) && self.first_weekday != 1 {
            rule.push_str(&format!(";WKST={}", DAYS[usize::from(self.first_weekday)]));
        }
        rule
    }

    /// Yearly patterns count in twelves of months.
    fn month_head(&self, months: u32) -> (String, Option<u8>) {
        if months.is_multiple_of(12) {
            let month = self.start.ymd().map_or(1, |(_, month, _)| month);
            (format!("FREQ=YEARLY{};BYMONTH={month}", interval(months / 12)), Some(month))
        } else {
            (format!("FREQ=MONTHLY{}", interval(months)), None)
        }
    }

    /// Reads an `RRULE` of a series that starts at `start`; `None` where Outlook has no such pattern. `to_local` turns the
    /// end, which may be in UTC, into local time.
    pub(crate) fn parse(rule: &str, start: Stamp, to_local: impl Fn(&str) -> Option<Stamp>) -> Option<Self> {
        let rule = rule.trim().to_ascii_uppercase();
        let mut parts: Vec<(&str, &str)> = rule.split(';').filter_map(|part| part.split_once('=')).collect();
        let mut take = |name: &str| {
            let at = parts.iter().position(|(known, _)| *known == name)?;
            Some(parts.remove(at).1)
        };
        let frequency = take("FREQ")?;
        let interval = take("INTERVAL").map_or(Some(1), |text| text.parse().ok())?;
        let interval: u32 = Some(interval).filter(|interval| (1..1_000).contains(interval))?;
        let end = match (take("COUNT"), take("UNTIL")) {
            (Some(count), None) => End::Count(count.parse().ok().filter(|count| (1..STEPS_MAX).contains(count))?),
            (None, Some(until)) => End::Date(to_local(until)?.midnight()),
            (None, None) => End::Never,
            _ => return None,
        };
        let first_weekday = match take("WKST") {
            Some(name) => u8::try_from(DAYS.iter().position(|day| *day == name)?).ok()?,
            None => 1,
        };
        let (by_day, by_month_day, by_month, by_position) =
            (take("BYDAY"), take("BYMONTHDAY"), take("BYMONTH"), take("BYSETPOS"));
        if !parts.is_empty() {
            return None;
        }
        let (_, month, day) = start.ymd()?;
        let months = match frequency {
            "MONTHLY" if by_month.is_none() => interval,
            "YEARLY" if by_month.is_none_or(|text| text.parse() == Ok(month)) => interval * 12,
            "DAILY" | "WEEKLY" if by_month.is_none() && by_month_day.is_none() && by_position.is_none() => 0,
            _ => return None,
        };
        let every = match (frequency, by_day, by_month_day) {
            ("DAILY", None, _) => Every::Day(interval),
            // Every day that is one of these is every week on these.
            ("DAILY", Some(days), _) if interval == 1 => Every::Week(1, plain_days(days)?),
            ("WEEKLY", None, _) => Every::Week(interval, 1 << start.weekday()),
            ("WEEKLY", Some(days), _) => Every::Week(interval, plain_days(days)?),
            ("MONTHLY" | "YEARLY", None, None) if by_position.is_none() => Every::Month(months, day),
            ("MONTHLY" | "YEARLY", None, Some(days)) => {
                // A day that each of the months has.
                let always = if frequency == "YEARLY" { days_in_month(2001, month) } else { 28 };
                Every::Month(months, month_day(days, by_position, always)?)
            }
            // A yearly day of the week without a month counts weeks of the year.
            ("YEARLY", Some(_), None) if by_month.is_none() => return None,
            ("MONTHLY" | "YEARLY", Some(days), None) => {
                let (nth, mask) = nth_days(days, by_position)?;
                Every::MonthNth(months, mask, nth)
            }
            _ => return None,
        };
        let recurrence = Self {
            every,
            end,
            first_weekday,
            start: start.midnight(),
            deleted: Vec::new(),
            offsets: [0, 0],
            exceptions: Vec::new(),
        };
        // Outlook's series begin on a day of their pattern.
        let first = recurrence.days().next();
        (first == Some(recurrence.start)).then_some(recurrence)
    }
}

fn read_exception(input: &mut Input<'_>) -> Option<(Exception, u16)> {
    let (start, end, original, flags) = (input.number()?, input.number()?, input.number()?, input.word()?);
    let mut exception = Exception { start, end, original, ..Exception::default() };
    let has = |flag: u16| flags & flag != 0;
    if has(flag::SUBJECT) {
        exception.subject = Some(read_ansi(input)?);
    }
    if has(flag::MEETING_TYPE) {
        input.number()?;
    }
    if has(flag::REMINDER_DELTA) {
        exception.reminder_minutes = Some(input.number()?);
    }
    if has(flag::REMINDER) {
        exception.has_reminder = Some(input.number()? != 0);
    }
    if has(flag::LOCATION) {
        exception.location = Some(read_ansi(input)?);
    }
    if has(flag::BUSY_STATUS) {
        exception.busy_status = Some(input.number()?);
    }
    if has(flag::ATTACHMENT) {
        input.number()?;
    }
    if has(flag::SUBTYPE) {
        exception.is_all_day = Some(input.number()? != 0);
    }
    if has(flag::COLOR) {
        input.number()?;
    }
    exception.has_body = has(flag::BODY);
    Some((exception, flags))
}

fn read_ansi(input: &mut Input<'_>) -> Option<String> {
    let (_with_end, length) = (input.word()?, input.word()?);
    Some(decode(input.bytes(length.into())?, WINDOWS_1252))
}

fn write_exception(bytes: &mut Vec<u8>, exception: &Exception) {
    for number in [exception.start, exception.end, exception.original] {
        bytes.extend(number.to_le_bytes());
    }
    let flags = [
        (exception.subject.is_some(), flag::SUBJECT),
        (exception.reminder_minutes.is_some(), flag::REMINDER_DELTA),
        (exception.has_reminder.is_some(), flag::REMINDER),
        (exception.location.is_some(), flag::LOCATION),
        (exception.busy_status.is_some(), flag::BUSY_STATUS),
        (exception.is_all_day.is_some(), flag::SUBTYPE),
        (exception.has_body, flag::BODY),
    ];
    let flags = flags.iter().filter(|(is_set, _)| *is_set).fold(0u16, |all, (_, flag)| all | flag);
    bytes.extend(flags.to_le_bytes());
    let ansi = |bytes: &mut Vec<u8>, text: &Option<String>| {
        if let Some(text) = text {
            let text = encode_ansi(&short(text));
            bytes.extend(length(text.len() + 1));
            bytes.extend(length(text.len()));
            bytes.extend(text);
        }
    };
    let number = |bytes: &mut Vec<u8>, value: Option<u32>| bytes.extend(value.into_iter().flat_map(u32::to_le_bytes));
    ansi(bytes, &exception.subject);
    number(bytes, exception.reminder_minutes);
    number(bytes, exception.has_reminder.map(u32::from));
    ansi(bytes, &exception.location);
    number(bytes, exception.busy_status);
    number(bytes, exception.is_all_day.map(u32::from));
}

/// Subjects of exceptions are short.
fn short(text: &str) -> String {
    text.chars().take(255).collect()
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()
}

fn weekdays(mask: u32) -> Option<u8> {
    u8::try_from(mask & 0x7F).ok().filter(|mask| *mask != 0)
}

fn month_frequency(months: u32) -> u16 {
    if months.is_multiple_of(12) { 0x200D } else { 0x200C }
}

fn interval(interval: u32) -> String {
    if interval == 1 { String::new() } else { format!(";INTERVAL={interval}") }
}

fn day_names(mask: u8) -> String {
    // Monday first, as calendars write it.
    let days = [1usize, 2, 3, 4, 5, 6, 0].into_iter().filter(|day| mask & (1 << day) != 0).map(|day| DAYS[day]);
    days.collect::<Vec<_>>().join(",")
}

fn month_at(start: Stamp, step: u32, months: u32) -> Option<(i32, u8)> {
    let (year, month, _) = start.ymd()?;
    let months = i64::from(year) * 12 + i64::from(month) - 1 + i64::from(step) * i64::from(months);
    Some((i32::try_from(months / 12).ok()?, u8::try_from(months % 12 + 1).ok()?))
}

fn nth_day(year: i32, month: u8, mask: u8, nth: u8) -> Option<Stamp> {
    let first = Stamp::new(year, month, 1, 0)?;
    let in_mask = |day: &Stamp| mask & (1 << day.weekday()) != 0;
    let days: Vec<Stamp> =
        (0..i64::from(days_in_month(year, month))).map(|day| first.plus_days(day)).filter(in_mask).collect();
    if nth == 5 { days.last().copied() } else { days.get(usize::from(nth) - 1).copied() }
}

/// `MO,TU` as a mask.
fn plain_days(text: &str) -> Option<u8> {
    text.split(',').try_fold(0, |mask, name| Some(mask | 1 << DAYS.iter().position(|day| *day == name.trim())?))
}

/// `2TU`, or `MO,TU` with a position.
fn nth_days(text: &str, position: Option<&str>) -> Option<(u8, u8)> {
    let nth = |text: &str| match text.trim_start_matches('+').parse::<i8>().ok()? {
        -1 => Some(5),
        nth @ 1..=4 => Some(nth.unsigned_abs()),
        // A fifth that isn't the last: left out in some months, which Outlook has no word for.
        _ => None,
    };
    match position {
        Some(position) => Some((nth(position)?, plain_days(text)?)),
        None => {
            let at = text.len().checked_sub(2).filter(|_| !text.contains(','))?;
            Some((nth(text.get(..at)?)?, plain_days(text.get(at..)?)?))
        }
    }
}

/// `15`, `-1`, and the list that stands for "this day, or the last of a shorter month".
fn month_day(text: &str, position: Option<&str>, always: u8) -> Option<u8> {
    match (text, position) {
        ("-1", None) => Some(31),
        ("28,29", Some("-1")) => Some(29),
        ("28,29,30", Some("-1")) => Some(30),
        ("28,29,30,31", Some("-1")) => Some(31),
        // Outlook would take the last day of shorter months where iCalendar takes none.
        (text, None) => text.parse().ok().filter(|day| (1..=always).contains(day)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Stamp {
        Stamp::parse(text).unwrap()
    }

    fn through(rule: &str, start: &str) -> String {
        let recurrence = Recurrence::parse(rule, stamp(start), Stamp::parse).unwrap_or_else(|| panic!("{rule}"));
        let read = Recurrence::read(&recurrence.write(true)).unwrap();
        assert_eq!(read, recurrence, "{rule}");
        read.rrule(|day| day.date_text())
    }

    #[test]
    fn rules_survive_the_way_through_outlooks_structure() {
        for (rule, start) in [
            ("FREQ=DAILY", "20260101"),
            ("FREQ=DAILY;INTERVAL=3;COUNT=4", "20260101"),
            ("FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20260129", "20260101"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=10;WKST=SU", "20260104"),
            ("FREQ=MONTHLY;BYMONTHDAY=15", "20260115"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "20260131"),
            ("FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1", "20260130"),
            ("FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU", "20260113"),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "20260130"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28", "20260228"),
            ("FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=4TH", "20261126"),
        ] {
            assert_eq!(through(rule, start), rule);
        }
        assert_eq!(through("FREQ=DAILY;BYDAY=MO,FR", "20260102"), "FREQ=WEEKLY;BYDAY=MO,FR");
    }

    #[test]
    fn what_outlook_has_no_pattern_for_is_refused() {
        for rule in [
            "FREQ=HOURLY",
            "FREQ=MONTHLY;BYDAY=5MO",
            "FREQ=MONTHLY;BYMONTHDAY=1,15",
            "FREQ=YEARLY;BYMONTH=1,2",
            "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=1;UNTIL=20260101",
            "FREQ=WEEKLY;BYDAY=MO",
            "",
        ] {
            assert_eq!(Recurrence::parse(rule, stamp("20260101"), Stamp::parse), None, "{rule}");
        }
    }

    #[test]
    fn ends_are_counted() {
        let recurrence = Recurrence::parse("FREQ=WEEKLY;BYDAY=TH;COUNT=5", stamp("20260101"), Stamp::parse).unwrap();
        assert_eq!(recurrence.last_day().date_text(), "20260129");
        let until = Recurrence::parse("FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260420", stamp("20260131"), Stamp::parse);
        assert_eq!((until.clone().unwrap().count(), until.unwrap().last_day().date_text()), (3, "20260331".to_owned()));
    }

    #[test]
    fn exceptions_survive_and_are_not_deleted() {
        let mut recurrence = Recurrence::parse("FREQ=DAILY;COUNT=9", stamp("20260101"), Stamp::parse).unwrap();
        recurrence.offsets = [540, 600];
        recurrence.deleted = vec![stamp("20260103")];
        recurrence.exceptions = vec![Exception {
            start: stamp("20260105T100000").minutes(),
            end: stamp("20260105T110000").minutes(),
            original: stamp("20260104T090000").minutes(),
            subject: Some("Später 中".to_owned()),
            location: Some("Hier".to_owned()),
            reminder_minutes: Some(15),
            has_reminder: Some(true),
            busy_status: Some(2),
            is_all_day: Some(false),
            has_body: true,
        }];
        let bytes = recurrence.write(false);
        assert_eq!(Recurrence::read(&bytes), Some(recurrence));
        for cut in 0..bytes.len() {
            Recurrence::read(&bytes[..cut]);
        }
    }
}
