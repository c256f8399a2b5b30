//! Forgetting what is too old or too much.
//!
//! Age is only believed of a clock that ran steadily for a day: by one that jumped ahead, everything would be old, and
//! what could be undone would be lost. Too much is too much by any clock.

use super::RunId;
use crate::index::{Index, bits};
use serde::{Deserialize, Serialize};
use sync::index::Result;

/// How much history is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Seconds since a run ended.
    pub age_max: u64,
    /// Entries of all runs; about 300 bytes each.
    pub entries_max: u64,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Expired {
    /// Entries.
    pub entries: u64,
    /// There is more to forget; ask again soon. Not all at once, because others wait for the index.
    pub is_more: bool,
    /// Whether the clock is believed: without, nothing goes because of its age, and no contents should.
    pub is_clock_steady: bool,
}

impl Limits {
    /// Thirty days, a million entries.
    pub const DEFAULT: Self = Self { age_max: 30 * DAY_SECS, entries_max: 1_000_000 };
}

const DAY_SECS: u64 = 24 * 60 * 60;
/// Entries forgotten in one go.
const ENTRIES_PER_CALL: u64 = 5_000;
const CLOCK: &str = "history.clock";

/// What the clock showed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Clock {
    /// Last.
    seen: u64,
    /// When it had jumped last.
    steady_since: u64,
}

impl Index {
    /// Notes what the clock shows; whether it ran for a day without jumping further than a day. Whoever was away for
    /// longer waits a day.
    pub fn is_clock_steady(&self, now_secs: u64) -> Result<bool> {
        let clock = match self.json_value::<Clock>(CLOCK)? {
            Some(clock) if (clock.seen..=clock.seen.saturating_add(DAY_SECS)).contains(&now_secs) => {
                Clock { seen: now_secs, ..clock }
            }
            _ => Clock { seen: now_secs, steady_since: now_secs },
        };
        self.set_json_value(CLOCK, &clock)?;
        Ok(now_secs - clock.steady_since >= DAY_SECS)
    }

    /// Forgets runs that are too old, and the oldest while there is too much.
    pub fn expire_history(&self, now_secs: u64, limits: Limits) -> Result<Expired> {
        self.group(|index| {
            let is_clock_steady = index.is_clock_steady(now_secs)?;
            let mut expired = Expired { is_clock_steady, ..Expired::default() };
            let ended_before = bits(now_secs.saturating_sub(limits.age_max));
            if is_clock_steady {
                index.0.run("DELETE FROM before_images WHERE kept_at < ?1", [ended_before])?;
            }
            while expired.entries < ENTRIES_PER_CALL {
                let total = index.0.one("SELECT count(*) FROM entries", (), |row| Ok(row.get::<_, i64>(0)?))?;
                let too_many = total.map_or(0, i64::cast_unsigned).saturating_sub(limits.entries_max);
                // A run that goes on stays: people look at it, and it is young.
                let sql = "SELECT id, ended_at FROM runs WHERE ended_at IS NOT NULL ORDER BY id LIMIT 1";
                let oldest = index.0.one(sql, (), |row| Ok((RunId(row.get(0)?), row.get::<_, i64>(1)?)))?;
                let Some((run, ended_at)) = oldest else { return Ok(expired) };
                if too_many == 0 && !(is_clock_steady && ended_at < ended_before) {
                    return Ok(expired);
                }
                expired.entries += index.forget_entries(run, ENTRIES_PER_CALL - expired.entries)?;
            }
            expired.is_more = true;
            Ok(expired)
        })
    }

    /// Forgets the oldest entries of a run, and the run with its last one.
    fn forget_entries(&self, run: RunId, at_most: u64) -> Result<u64> {
        let sql = "DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE run = ?1 ORDER BY id LIMIT ?2)";
        let forgotten = self.0.run(sql, (run.0, bits(at_most)))?;
        let sql = "DELETE FROM runs WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entries WHERE run = ?1)";
        self.0.run(sql, [run.0])?;
        Ok(forgotten as u64)
    }
}
