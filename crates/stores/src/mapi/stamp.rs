//! Points in time as MAPI counts them, and as iCalendar writes them.

use time::{Date, Month};

const SECONDS_A_DAY: i64 = 86_400;
/// Julian day of 1 January 1601.
const JULIAN_1601: i64 = 2_305_814;
/// From 1601 to 1970, in seconds.
const UNIX_1601: i64 = 11_644_473_600;
/// Outlook's "no date": 1 January 4501. Nothing after it is a date either.
const NONE_YEAR: i32 = 4500;

/// Seconds since 1 January 1601: in UTC or in somebody's local time, which the place that holds it tells.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Stamp(pub i64);

impl Stamp {
    /// From 100 ns since 1601; `None` for zero and for the far future, both of which stand for "no date".
    #[must_use]
    pub fn from_filetime(filetime: u64) -> Option<Self> {
        let seconds = i64::try_from(filetime / 10_000_000).ok()?;
        Some(Self(seconds)).filter(|stamp| stamp.0 > 0 && stamp.ymd().is_some_and(|(year, ..)| year <= NONE_YEAR))
    }

    /// In 100 ns since 1601.
    #[must_use]
    pub fn filetime(self) -> u64 {
        u64::try_from(self.0).unwrap_or_default().saturating_mul(10_000_000)
    }

    /// From seconds since 1970.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_add(UNIX_1601))
    }

    /// In seconds since 1970.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0 - UNIX_1601
    }

    /// From minutes since 1601, as recurrences count.
    #[must_use]
    pub fn from_minutes(minutes: u32) -> Self {
        Self(i64::from(minutes) * 60)
    }

    /// In minutes since 1601.
    #[must_use]
    pub fn minutes(self) -> u32 {
        u32::try_from(self.0.div_euclid(60)).unwrap_or_default()
    }

    /// From a date and a time of day; `None` when there is no such day.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8, second_of_day: i64) -> Option<Self> {
        let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
        Some(Self((i64::from(date.to_julian_day()) - JULIAN_1601) * SECONDS_A_DAY + second_of_day))
    }

    fn date(self) -> Option<Date> {
        let day = self.0.div_euclid(SECONDS_A_DAY).checked_add(JULIAN_1601)?;
        Date::from_julian_day(i32::try_from(day).ok()?).ok()
    }

    /// Year, month, day.
    #[must_use]
    pub fn ymd(self) -> Option<(i32, u8, u8)> {
        self.date().map(|date| (date.year(), date.month().into(), date.day()))
    }

    /// The day of the week, 0 = Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1 January 1601 was a Monday.
        u8::try_from((self.0.div_euclid(SECONDS_A_DAY) + 1).rem_euclid(7)).expect("below seven")
    }

    /// The day it lies in, at its first second.
    #[must_use]
    pub fn midnight(self) -> Self {
        Self(self.0 - self.0.rem_euclid(SECONDS_A_DAY))
    }

    /// Seconds since midnight.
    #[must_use]
    pub fn second_of_day(self) -> i64 {
        self.0.rem_euclid(SECONDS_A_DAY)
    }

    /// So many days later.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(SECONDS_A_DAY)))
    }

    /// `20260131`.
    #[must_use]
    pub fn date_text(self) -> String {
        let (year, month, day) = self.ymd().unwrap_or((1601, 1, 1));
        format!("{year:04}{month:02}{day:02}")
    }

    /// `20260131T090000`, without zone.
    #[must_use]
    pub fn text(self) -> String {
        let second = self.second_of_day();
        format!("{}T{:02}{:02}{:02}", self.date_text(), second / 3600, second / 60 % 60, second % 60)
    }

    /// `20260131T090000Z`: the stamp is in UTC.
    #[must_use]
    pub fn utc_text(self) -> String {
        self.text() + "Z"
    }

    /// Reads `20260131`, `2026-01-31`, `20260131T090000` and the last with `Z`; whatever else follows is not looked at.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.trim().split_once(['T', 't', ' ']).unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let (date, time) = (digits(date), digits(time));
        let number = |text: &str, from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i64>().ok());
        if date.len() != 8 {
            return None;
        }
        let part = |from, to| number(&time, from, to).unwrap_or_default();
        let second = part(0, 2).min(23) * 3600 + part(2, 4).min(59) * 60 + part(4, 6).min(59);
        let year = i32::try_from(number(&date, 0, 4)?).ok()?;
        let [month, day] = [number(&date, 4, 6)?, number(&date, 6, 8)?].map(|number| u8::try_from(number).ok());
        Self::new(year, month?, day?, second)
    }
}

/// Days in a month; 0 for what is no month.
pub(crate) fn days_in_month(year: i32, month: u8) -> u8 {
    Month::try_from(month).map_or(0, |month| month.length(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetimes_are_dates() {
        let stamp = Stamp::from_filetime(133_801_632_000_000_000).unwrap();
        assert_eq!(stamp.utc_text(), "20250101T000000Z");
        assert_eq!((stamp.weekday(), stamp.unix()), (3, 1_735_689_600));
        assert_eq!(stamp.filetime(), 133_801_632_000_000_000);
        assert_eq!(Stamp::from_minutes(0x5AE9_80DF).text(), "45001231T235900");
    }

    #[test]
    fn what_stands_for_no_date_is_none() {
        assert_eq!(Stamp::from_filetime(0), None);
        assert_eq!(Stamp::from_filetime(0x0CB3_4557_A3DD_4000), None);
        assert_eq!(Stamp::from_filetime(u64::MAX), None);
    }

    #[test]
    fn texts_are_read_and_odd_ones_refused() {
        for text in ["20260131T090807", "2026-01-31T09:08:07Z"] {
            assert_eq!(Stamp::parse(text).unwrap().text(), "20260131T090807");
        }
        assert_eq!(Stamp::parse("20260131").unwrap().text(), "20260131T000000");
        for text in ["", "2026", "20260231", "99999999T000000", "--0229", "é026T1"] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }
}
