//! What is worth a notification: three kinds, each at most once an hour, each can be switched off. Success isn't one.

use super::window::WindowSettings;
use crate::{
    api::types::{Event, Status},
    language::Language,
    message::{self, Fact},
};
use std::collections::BTreeMap;

const HOUR_SECS: u64 = 60 * 60;
const DAY_SECS: u64 = 24 * HOUR_SECS;

/// Something to tell a person who doesn't look at the window.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// What happened.
    pub title: String,
    /// What to do.
    pub text: String,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Conflict,
    Held,
    Silence,
}

/// When which kind was told last.
#[derive(Debug, Default)]
pub(super) struct Notices {
    told: BTreeMap<Kind, u64>,
    /// When the other computer was last connected; `None` until the first status.
    connected_at: Option<u64>,
}

impl Notices {
    /// What is to be told because of an event.
    pub(super) fn of(
        &mut self,
        event: &Event,
        window: &WindowSettings,
        language: Language,
        now: u64,
    ) -> Option<Notice> {
        let (kind, key, is_wanted, facts) = match event {
            Event::Conflict { .. } => (Kind::Conflict, "notice-conflict", window.tells_conflicts, BTreeMap::new()),
            Event::Held { count, .. } => {
                let facts = BTreeMap::from([("n".to_owned(), Fact::from(*count))]);
                (Kind::Held, "notice-held", window.tells_held, facts)
            }
            Event::Status { status } => {
                let days = self.days_of_silence(status, now);
                let limit = u64::from(window.tells_silence_after_days);
                let facts = BTreeMap::from([("days".to_owned(), Fact::from(days))]);
                (Kind::Silence, "notice-silence", limit > 0 && days >= limit, facts)
            }
            _ => return None,
        };
        let pause = if kind == Kind::Silence { DAY_SECS } else { HOUR_SECS };
        let is_too_soon = self.told.get(&kind).is_some_and(|told| now.saturating_sub(*told) < pause);
        if !is_wanted || is_too_soon {
            return None;
        }
        self.told.insert(kind, now);
        Some(Notice {
            title: message::word(language, key, &facts),
            text: message::word(language, &format!("{key}-text"), &facts),
        })
    }

    fn days_of_silence(&mut self, status: &Status, now: u64) -> u64 {
        let since = *self.connected_at.get_or_insert(now);
        // Whoever paused knows.
        if status.is_connected || status.paused_until.is_some() {
            self.connected_at = Some(now);
            return 0;
        }
        now.saturating_sub(since) / DAY_SECS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict() -> Event {
        Event::Conflict { id: "c".to_owned() }
    }

    #[test]
    fn twenty_conflicts_in_a_minute_are_one_notice() {
        let (mut notices, window) = (Notices::default(), WindowSettings::default());
        let told = (0..20).filter_map(|second| notices.of(&conflict(), &window, Language::English, 1_000 + second));
        assert_eq!(told.count(), 1);
        assert!(notices.of(&conflict(), &window, Language::English, 1_000 + HOUR_SECS).is_some());
    }

    #[test]
    fn a_kind_that_was_switched_off_is_not_told_and_does_not_silence_another() {
        let (mut notices, mut window) = (Notices::default(), WindowSettings::default());
        window.tells_conflicts = false;
        assert!(notices.of(&conflict(), &window, Language::English, 1_000).is_none());
        let held = Event::Held { folder: "f".to_owned(), count: 30 };
        let notice = notices.of(&held, &window, Language::German, 1_001).unwrap();
        assert!(notice.title.contains("30"), "{notice:?}");
    }
}
