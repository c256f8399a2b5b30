//! How far the running synchronization is, how long it still takes, and how much moved in the last 24 hours.

use super::types::{HostEvent, TrafficHour};
use crate::api::types::Status;
use std::collections::VecDeque;

const HOUR_SECS: u64 = 60 * 60;
const HOURS: usize = 24;
/// A speed is told after it was seen for so many seconds.
const STEADY_SECS: u64 = 3;

/// What was seen of the running instance.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What was done when it last was quiet, and since when it moves.
    began: Option<Mark>,
    last: Option<Mark>,
    hours: VecDeque<TrafficHour>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: u64,
    items: u64,
    bytes: u64,
}

impl Progress {
    /// A new instance counts from zero; the hours before stay.
    pub(super) fn keeping(earlier: &Self) -> Self {
        Self { began: None, last: None, hours: earlier.hours.clone() }
    }

    /// Takes note of how things stand, and tells the progress while items move.
    pub(super) fn note(&mut self, status: &Status, now_secs: u64) -> Option<HostEvent> {
        let mark = Mark { at: now_secs, items: status.items_done, bytes: status.bytes_done };
        let before = self.last.replace(mark).unwrap_or(Mark { at: now_secs, items: 0, bytes: 0 });
        self.add(now_secs, mark.items.saturating_sub(before.items), mark.bytes.saturating_sub(before.bytes));
        if status.pending == 0 {
            let moved = self.began.take().filter(|began| began.items < mark.items)?;
            let done = mark.items - moved.items;
            return Some(HostEvent::Progress {
                items_done: done,
                items_all: done,
                bytes_done: mark.bytes.saturating_sub(moved.bytes),
                seconds_left: Some(0),
            });
        }
        let began = *self.began.get_or_insert(before);
        let done = mark.items.saturating_sub(began.items);
        let passed = now_secs.saturating_sub(began.at);
        let seconds_left = (passed >= STEADY_SECS && done > 0).then(|| {
            let left = u128::from(status.pending) * u128::from(passed) / u128::from(done);
            u32::try_from(left).unwrap_or(u32::MAX)
        });
        Some(HostEvent::Progress {
            items_done: done,
            items_all: done + status.pending,
            bytes_done: mark.bytes.saturating_sub(began.bytes),
            seconds_left,
        })
    }

    /// The last 24 hours, the oldest first; hours without traffic are there too.
    pub(super) fn hours(&self, now_secs: u64) -> Vec<TrafficHour> {
        let this_hour = now_secs - now_secs % HOUR_SECS;
        let first = this_hour.saturating_sub((HOURS as u64 - 1) * HOUR_SECS);
        let hours = (0..HOURS as u64).map(|number| {
            let at = first + number * HOUR_SECS;
            let seen = self.hours.iter().find(|hour| hour.at == at);
            seen.copied().unwrap_or(TrafficHour { at, items: 0, bytes: 0 })
        });
        hours.collect()
    }

    fn add(&mut self, now_secs: u64, items: u64, bytes: u64) {
        if items + bytes == 0 {
            return;
        }
        let at = now_secs - now_secs % HOUR_SECS;
        match self.hours.back_mut().filter(|hour| hour.at == at) {
            Some(hour) => {
                hour.items += items;
                hour.bytes += bytes;
            }
            None => self.hours.push_back(TrafficHour { at, items, bytes }),
        }
        while self.hours.len() > HOURS {
            self.hours.pop_front();
        }
    }
}
