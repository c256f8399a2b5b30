//! Time zones: Outlook's structures (MS-OXOCAL 2.2.1.39, 2.2.1.41) and `VTIMEZONE` (RFC 5545 3.6.5).

use super::{Stamp, lines::Lines, stamp::days_in_month, text};
use pim::Component;

/// More rules than years since daylight saving began are nobody's.
const RULES_MAX: usize = 256;
/// Offsets beyond this are nobody's, in minutes.
const BIAS_MAX: i32 = 24 * 60;

/// A time zone with the rules it had over the years.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zone {
    /// As Windows names it, or as the calendar did.
    pub(crate) name: String,
    /// Sorted by year; never empty.
    rules: Vec<Rule>,
}

/// What holds from a year on. Biases are minutes to add to local time to get UTC.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Rule {
    year: u16,
    bias: i32,
    standard_bias: i32,
    daylight_bias: i32,
    /// When standard time begins; `None` where there is no daylight saving time.
    standard: Option<Change>,
    daylight: Option<Change>,
}

/// The day and time a part of the year begins (SYSTEMTIME).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Change {
    month: u8,
    weekday: u8,
    /// First to fourth, 5 = last.
    week: u8,
    second_of_day: i64,
}

impl Change {
    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u16::from_le_bytes(bytes.get(at * 2..at * 2 + 2)?.try_into().ok()?));
        let small = |at| word(at).and_then(|word| u8::try_from(word).ok());
        let (month, weekday, week) = (small(1)?, small(2)?, small(3)?);
        let second_of_day = i64::from(word(4)?) * 3600 + i64::from(word(5)?) * 60 + i64::from(word(6)?);
        let is_valid = (1..=12).contains(&month) && weekday < 7 && (1..=5).contains(&week) && second_of_day < 86_400;
        is_valid.then_some(Self { month, weekday, week, second_of_day })
    }

    fn write(change: Option<Self>) -> [u8; 16] {
        let mut bytes = [0; 16];
        if let Some(change) = change {
            let clock = change.second_of_day;
            let numbers = [
                0,
                change.month.into(),
                change.weekday.into(),
                change.week.into(),
                clock / 3600,
                clock / 60 % 60,
                clock % 60,
            ];
            for (at, number) in numbers.into_iter().enumerate() {
                let number = u16::try_from(number).expect("parts of a date");
                bytes[at * 2..at * 2 + 2].copy_from_slice(&number.to_le_bytes());
            }
        }
        bytes
    }

    /// When it is in a year, in the local time that holds until then.
    fn in_year(self, year: i32) -> Option<Stamp> {
        let first = Stamp::new(year, self.month, 1, self.second_of_day)?;
        let ahead = i64::from((self.weekday + 7 - first.weekday()) % 7);
        let mut day = ahead + 7 * i64::from(self.week - 1);
        while day >= i64::from(days_in_month(year, self.month)) {
            day -= 7;
        }
        Some(first.plus_days(day))
    }

    fn rrule(self) -> String {
        let week = if self.week == 5 { "-1".to_owned() } else { self.week.to_string() };
        format!("FREQ=YEARLY;BYMONTH={};BYDAY={week}{}", self.month, DAYS[usize::from(self.weekday)])
    }
}

/// Days of the week as iCalendar writes them, from Sunday.
pub(crate) const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

impl Rule {
    fn is_valid(&self) -> bool {
        [self.bias, self.standard_bias, self.daylight_bias].iter().all(|bias| bias.abs() <= BIAS_MAX)
    }

    /// The bias at a local time.
    fn bias_at(&self, local: Stamp) -> i32 {
        let standard = self.bias + self.standard_bias;
        let (Some(to_standard), Some(to_daylight)) = (self.standard, self.daylight) else { return standard };
        let year = local.ymd().map_or(1601, |(year, ..)| year);
        let (Some(to_standard), Some(to_daylight)) = (to_standard.in_year(year), to_daylight.in_year(year)) else {
            return standard;
        };
        let is_daylight = if to_daylight < to_standard {
            (to_daylight..to_standard).contains(&local)
        } else {
            !(to_standard..to_daylight).contains(&local)
        };
        if is_daylight { self.bias + self.daylight_bias } else { standard }
    }

    /// MS-OXOCAL 2.2.1.41.1, without year and change dates in between.
    fn read(bytes: &[u8], year: u16, dates: [usize; 2]) -> Option<Self> {
        let number = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let change = |at: usize| bytes.get(at..at + 16).and_then(Change::read);
        let rule = Self {
            year,
            bias: number(0)?,
            standard_bias: number(4)?,
            daylight_bias: number(8)?,
            standard: change(dates[0]),
            daylight: change(dates[1]),
        };
        rule.is_valid().then_some(rule)
    }
}

impl Zone {
    /// Coordinated Universal Time.
    #[must_use]
    pub fn utc() -> Self {
        let rule = Rule { year: 1601, bias: 0, standard_bias: 0, daylight_bias: 0, standard: None, daylight: None };
        Self { name: "UTC".to_owned(), rules: vec![rule] }
    }

    pub(crate) fn is_utc(&self) -> bool {
        let is_zero = |rule: &Rule| rule.bias + rule.standard_bias == 0 && rule.daylight.is_none();
        self.rules.iter().all(is_zero) && matches!(&*self.name, "UTC" | "GMT" | "")
    }

    /// From the 48 bytes of `PidLidTimeZoneStruct` (MS-OXOCAL 2.2.1.39), which start with the biases, and the name that
    /// Windows has for the zone.
    #[must_use]
    pub fn from_struct(bytes: &[u8], name: &str) -> Option<Self> {
        let rule = Rule::read(bytes, 1601, [14, 32])?;
        Some(Self { name: super::address::one_line(name), rules: vec![rule] })
    }

    /// As `PidLidTimeZoneStruct`: the newest rule.
    pub(crate) fn to_struct(&self) -> Vec<u8> {
        let rule = self.newest();
        let mut bytes = Vec::new();
        for bias in [rule.bias, rule.standard_bias, rule.daylight_bias] {
            bytes.extend(bias.to_le_bytes());
        }
        bytes.extend([0; 2]);
        bytes.extend(Change::write(rule.standard));
        bytes.extend([0; 2]);
        bytes.extend(Change::write(rule.daylight));
        bytes
    }

    /// From `PidLidAppointmentTimeZoneDefinition…`.
    pub(crate) fn from_definition(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
        let units = word(6)?;
        let name = text::decode_utf16(bytes.get(8..8 + units * 2)?);
        let count = word(8 + units * 2)?.min(RULES_MAX);
        let rules = bytes.get(10 + units * 2..)?.chunks_exact(66).take(count);
        let rule = |rule: &[u8]| Rule::read(&rule[22..], u16::from_le_bytes([rule[6], rule[7]]), [12, 28]);
        let mut rules: Vec<Rule> = rules.filter_map(rule).collect();
        rules.sort_by_key(|rule| rule.year);
        (!rules.is_empty()).then_some(Self { name: super::address::one_line(&name), rules })
    }

    /// As `PidLidAppointmentTimeZoneDefinition…`; `is_for_recurrence` marks the rule recurrences go by.
    pub(crate) fn to_definition(&self, is_for_recurrence: bool) -> Vec<u8> {
        let name: Vec<u8> = text::encode_utf16(&self.name).into_iter().take(510).collect();
        let mut bytes = vec![2, 1];
        let word = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
        bytes.extend(word(6 + name.len()));
        bytes.extend([2, 0]);
        bytes.extend(word(name.len() / 2));
        bytes.extend(name);
        bytes.extend(word(self.rules.len()));
        for (at, rule) in self.rules.iter().enumerate() {
            let is_newest = at + 1 == self.rules.len();
            let flags: u16 = if is_newest { 2 | u16::from(is_for_recurrence) } else { 0 };
            bytes.extend([2, 1, 0x3E, 0]);
            bytes.extend(flags.to_le_bytes());
            bytes.extend(rule.year.to_le_bytes());
            bytes.extend([0; 14]);
            for bias in [rule.bias, rule.standard_bias, rule.daylight_bias] {
                bytes.extend(bias.to_le_bytes());
            }
            bytes.extend(Change::write(rule.standard));
            bytes.extend(Change::write(rule.daylight));
        }
        bytes
    }

    fn newest(&self) -> &Rule {
        self.rules.last().expect("a zone has rules")
    }

    fn rule_of(&self, year: i32) -> &Rule {
        self.rules.iter().rev().find(|rule| i32::from(rule.year) <= year).unwrap_or(&self.rules[0])
    }

    fn bias_at(&self, local: Stamp) -> i64 {
        let year = local.ymd().map_or(1601, |(year, ..)| year);
        self.rule_of(year).bias_at(local).into()
    }

    /// Local time to UTC. In the hour that comes twice it is the first; one that is left out is counted on.
    pub(crate) fn to_utc(&self, local: Stamp) -> Stamp {
        Stamp(local.0.saturating_add(self.bias_at(local) * 60))
    }

    /// UTC to local time.
    pub(crate) fn to_local(&self, utc: Stamp) -> Stamp {
        let year = utc.ymd().map_or(1601, |(year, ..)| year);
        let rule = self.rule_of(year);
        // Standard time first: the hour that is left out in spring fits both.
        let candidates = [rule.bias + rule.standard_bias, rule.bias + rule.daylight_bias];
        let local = |bias: i32| Stamp(utc.0.saturating_sub(i64::from(bias) * 60));
        let fits = |bias: &&i32| self.bias_at(local(**bias)) == i64::from(**bias);
        local(*candidates.iter().find(fits).unwrap_or(&candidates[0]))
    }

    /// The name by which lines refer to it.
    pub(crate) fn id(&self) -> &str {
        if self.name.is_empty() { "Local" } else { &self.name }
    }

    pub(crate) fn write(&self, lines: &mut Lines) {
        lines.raw("BEGIN", "VTIMEZONE");
        lines.raw("TZID", self.id());
        for (at, rule) in self.rules.iter().enumerate() {
            // The first rule holds for all the time before.
            let year = if at == 0 { 1601 } else { i32::from(rule.year) };
            let until = self.rules.get(at + 1).map(|next| i32::from(next.year));
            let (standard, daylight) = (rule.bias + rule.standard_bias, rule.bias + rule.daylight_bias);
            let parts =
                [("STANDARD", rule.standard, daylight, standard), ("DAYLIGHT", rule.daylight, standard, daylight)];
            match (rule.standard, rule.daylight) {
                (Some(_), Some(_)) => {
                    for (name, change, from, to) in parts {
                        write_part(lines, name, change, year, until, from, to);
                    }
                }
                _ => write_part(lines, "STANDARD", None, year, until, standard, standard),
            }
        }
        lines.raw("END", "VTIMEZONE");
    }

    /// From a `VTIMEZONE` whose rules are yearly: the ones that hold last, which is what Outlook can hold.
    pub(crate) fn from_component(zone: &Component) -> Option<Self> {
        let name = zone.text("TZID")?;
        let newest = |part: &str| {
            let parts = zone.components.iter().filter(|component| component.name == part);
            parts
                .filter_map(|part| Some((Stamp::parse(&part.first("DTSTART")?.value)?, part)))
                .max_by_key(|(at, _)| *at)
        };
        let offset = |component: &Component| offset_minutes(&component.first("TZOFFSETTO")?.value);
        let (standard_start, standard) = newest("STANDARD").or_else(|| newest("DAYLIGHT"))?;
        let bias = -offset(standard)?;
        let mut rule = Rule { year: 1601, bias, standard_bias: 0, daylight_bias: 0, standard: None, daylight: None };
        if let Some((daylight_start, daylight)) = newest("DAYLIGHT") {
            let changes = change(standard, standard_start).zip(change(daylight, daylight_start));
            if let Some((to_standard, to_daylight)) = changes {
                rule.daylight_bias = -offset(daylight)? - bias;
                (rule.standard, rule.daylight) = (Some(to_standard), Some(to_daylight));
            }
        }
        rule.is_valid().then_some(Self { name, rules: vec![rule] })
    }
}

fn write_part(
    lines: &mut Lines,
    name: &str,
    change: Option<Change>,
    year: i32,
    until: Option<i32>,
    from: i32,
    to: i32,
) {
    lines.raw("BEGIN", name);
    let start = change.and_then(|change| change.in_year(year)).or_else(|| Stamp::new(year, 1, 1, 0));
    lines.raw("DTSTART", &start.unwrap_or(Stamp(0)).text());
    if let Some(change) = change {
        let last = until.and_then(|until| change.in_year(until - 1));
        let last = last.map(|last| format!(";UNTIL={}", Stamp(last.0 + i64::from(from) * 60).utc_text()));
        lines.raw("RRULE", &(change.rrule() + &last.unwrap_or_default()));
    }
    lines.raw("TZOFFSETFROM", &offset_text(from));
    lines.raw("TZOFFSETTO", &offset_text(to));
    lines.raw("END", name);
}

/// `+0100` for a bias of -60.
fn offset_text(bias: i32) -> String {
    let sign = if bias <= 0 { '+' } else { '-' };
    format!("{sign}{:02}{:02}", bias.abs() / 60, bias.abs() % 60)
}

/// Minutes east of Greenwich.
fn offset_minutes(text: &str) -> Option<i32> {
    let (is_west, digits) = match text.trim().as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let number = |from: usize| std::str::from_utf8(digits.get(from..from + 2)?).ok()?.parse::<i32>().ok();
    let minutes = number(0)? * 60 + number(2)?;
    Some(if is_west { -minutes } else { minutes })
}

/// When a part of the year begins, from its rule; from its start date where there is no rule.
fn change(part: &Component, start: Stamp) -> Option<Change> {
    let rule = part.first("RRULE").map(|rule| rule.value.to_ascii_uppercase()).unwrap_or_default();
    let value = |name: &str| rule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let (_, month, day) = start.ymd()?;
    let month = value("BYMONTH").and_then(|month| month.parse().ok()).unwrap_or(month);
    let by_day = value("BYDAY").and_then(|day| {
        let at = day.len().checked_sub(2)?;
        let weekday = DAYS.iter().position(|name| Some(*name) == day.get(at..))?;
        Some((day.get(..at)?.parse::<i8>().ok()?, u8::try_from(weekday).ok()?))
    });
    let (week, weekday) = match by_day {
        Some((-1, weekday)) => (5, weekday),
        Some((week @ 1..=5, weekday)) => (week.unsigned_abs(), weekday),
        // The week in which the day of the month lies.
        _ => (day.div_ceil(7), start.weekday()),
    };
    let change = Change { month, weekday, week, second_of_day: start.second_of_day() };
    (1..=12).contains(&month).then_some(change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pim::Format;

    fn berlin() -> Zone {
        let change = |month, hour: i64| Change { month, weekday: 0, week: 5, second_of_day: hour * 3600 };
        let rule = Rule {
            year: 1601,
            bias: -60,
            standard_bias: 0,
            daylight_bias: -60,
            standard: Some(change(10, 3)),
            daylight: Some(change(3, 2)),
        };
        Zone { name: "W. Europe Standard Time".to_owned(), rules: vec![rule] }
    }

    #[test]
    fn local_times_follow_the_rules() {
        let zone = berlin();
        for (local, utc) in [
            ("20260115T090000", "20260115T080000"),
            ("20260715T090000", "20260715T070000"),
            ("20260329T015959", "20260329T005959"),
            ("20260329T030000", "20260329T010000"),
            ("20261025T015959", "20261024T235959"),
            ("20261025T030000", "20261025T020000"),
        ] {
            assert_eq!(zone.to_utc(Stamp::parse(local).unwrap()).text(), utc);
            assert_eq!(zone.to_local(Stamp::parse(utc).unwrap()).text(), local);
        }
    }

    #[test]
    fn structures_and_components_say_the_same() {
        let zone = berlin();
        assert_eq!(Zone::from_definition(&zone.to_definition(true)), Some(zone.clone()));
        assert_eq!(Zone::from_struct(&zone.to_struct(), &zone.name), Some(zone.clone()));
        let mut lines = Lines::default();
        zone.write(&mut lines);
        let read = pim::components(Format::ICalendar, &lines.finish()).unwrap();
        assert_eq!(Zone::from_component(&read[0]), Some(zone.clone()));
        for cut in 0..zone.to_definition(true).len() {
            Zone::from_definition(&zone.to_definition(true)[..cut]);
        }
    }

    #[test]
    fn rules_of_other_years_hold_in_those_years() {
        let mut zone = berlin();
        zone.rules.push(Rule { year: 2027, standard: None, daylight: None, daylight_bias: 0, ..zone.rules[0].clone() });
        assert_eq!(zone.to_utc(Stamp::parse("20260715T090000").unwrap()).text(), "20260715T070000");
        assert_eq!(zone.to_utc(Stamp::parse("20270715T090000").unwrap()).text(), "20270715T080000");
        let mut lines = Lines::default();
        zone.write(&mut lines);
        let text = String::from_utf8(lines.finish()).unwrap().replace("\r\n ", "");
        assert!(text.contains("UNTIL=20261025T010000Z") && text.contains("DTSTART:20270101T000000"), "{text}");
    }
}
