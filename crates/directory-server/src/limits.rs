//! Who may ask how often. Everything is in memory, and nothing in it leads back to an address.
//!
//! A budget belongs to an IPv4 address or an IPv6 /64, known here only by a hash under a key that is thrown away each day. A
//! budget fills up again with time (token bucket). Beside each there is one for all together; so at most as many budgets are
//! remembered as the common one lets through in the time that one takes to fill up.

use crate::config::Limits;
use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Challenge,
    Lookup,
    Publish,
    /// A refresh or a revoke.
    Change,
}

/// The budgets of everybody.
#[derive(Debug)]
pub(crate) struct Limiter(Mutex<State>);

#[derive(Debug)]
struct State {
    hasher: RandomState,
    hasher_since: Instant,
    budgets: [Budgets; 4],
}

/// The budgets of one kind.
#[derive(Debug)]
struct Budgets {
    size: Size,
    common_size: Size,
    common: Level,
    levels: HashMap<u64, Level>,
}

/// How much a full budget holds, and how fast it fills.
#[derive(Clone, Copy, Debug)]
struct Size {
    burst: f64,
    per_sec: f64,
}

/// What was left at a time.
#[derive(Clone, Copy, Debug)]
struct Level {
    left: f64,
    at: Instant,
}

impl Size {
    const fn new(burst: u32, per_sec: f64) -> Self {
        Self { burst: burst as f64, per_sec }
    }

    fn full(self, now: Instant) -> Level {
        Level { left: self.burst, at: now }
    }

    fn left(self, level: Level, now: Instant) -> f64 {
        let since = now.saturating_duration_since(level.at).as_secs_f64();
        (level.left + since * self.per_sec).min(self.burst)
    }

    /// What is left after taking one. Else how long it takes until one is there.
    fn take(self, level: Level, now: Instant) -> Result<Level, Duration> {
        let left = self.left(level, now);
        if left >= 1.0 {
            return Ok(Level { left: left - 1.0, at: now });
        }
        let secs = if self.per_sec > 0.0 { (1.0 - left) / self.per_sec } else { DAY };
        Err(Duration::from_secs_f64(secs.min(DAY)))
    }
}

impl Budgets {
    fn new(size: Size, common_per_sec: u32, now: Instant) -> Self {
        let common_size = Size::new(common_per_sec, f64::from(common_per_sec));
        Self { size, common_size, common: common_size.full(now), levels: HashMap::new() }
    }

    fn admit(&mut self, who: u64, now: Instant) -> Result<(), Duration> {
        let level = self.levels.get(&who).copied().unwrap_or_else(|| self.size.full(now));
        let own = self.size.take(level, now)?;
        self.common = self.common_size.take(self.common, now)?;
        self.levels.insert(who, own);
        Ok(())
    }

    fn forget_full_ones(&mut self, now: Instant) {
        let size = self.size;
        self.levels.retain(|_, level| size.left(*level, now) < size.burst);
    }
}

impl Limiter {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        let lookups = f64::from(limits.lookups_per_minute) / MINUTE;
        let publishes = f64::from(limits.publishes_per_day) / DAY;
        let changes = f64::from(limits.changes_per_hour) / HOUR;
        let changes_per_sec = limits.publishes_per_second.saturating_mul(10);
        // Each change needs a challenge first; more than that nobody needs.
        let challenges = Size::new(limits.publishes_per_day + limits.changes_per_hour, 2.0 * (changes + publishes));
        Self(Mutex::new(State {
            hasher: RandomState::new(),
            hasher_since: now,
            budgets: [
                Budgets::new(challenges, limits.lookups_per_second, now),
                Budgets::new(Size::new(limits.lookups_burst, lookups), limits.lookups_per_second, now),
                Budgets::new(Size::new(limits.publishes_per_day, publishes), limits.publishes_per_second, now),
                Budgets::new(Size::new(limits.changes_per_hour, changes), changes_per_sec, now),
            ],
        }))
    }

    /// Takes one from the budget of whoever asks. `Err`: how long to wait.
    pub(crate) fn admit(&self, kind: Kind, from: IpAddr, now: Instant) -> Result<(), Duration> {
        self.with(|state| {
            let who = state.hasher.hash_one(prefix(from));
            state.budgets[kind as usize].admit(who, now)
        })
    }

    /// Takes more after the fact: whoever looks for what isn't there gets to ask less often.
    pub(crate) fn charge(&self, kind: Kind, from: IpAddr, cost: u32, now: Instant) {
        self.with(|state| {
            let who = state.hasher.hash_one(prefix(from));
            let budgets = &mut state.budgets[kind as usize];
            let size = budgets.size;
            let level = budgets.levels.entry(who).or_insert_with(|| size.full(now));
            *level = Level { left: size.left(*level, now) - f64::from(cost), at: now };
        });
    }

    /// Forgets what needn't be known any more; from time to time.
    pub(crate) fn tidy(&self, now: Instant) {
        self.with(|state| {
            if now.saturating_duration_since(state.hasher_since).as_secs_f64() >= DAY {
                (state.hasher, state.hasher_since) = (RandomState::new(), now);
                state.budgets.iter_mut().for_each(|budgets| budgets.levels = HashMap::new());
            }
            state.budgets.iter_mut().for_each(|budgets| budgets.forget_full_ones(now));
        });
    }

    /// How many budgets aren't full.
    pub(crate) fn remembered(&self) -> usize {
        self.with(|state| state.budgets.iter().map(|budgets| budgets.levels.len()).sum())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One customer of a provider has one IPv4 address, and at least one IPv6 /64.
pub(crate) fn prefix(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64 | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "203.0.113.7";

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn limiter(now: Instant) -> Limiter {
        Limiter::new(&Limits::default(), now)
    }

    fn admitted(limiter: &Limiter, kind: Kind, from: &str, now: Instant) -> u32 {
        (0..).take_while(|_| limiter.admit(kind, ip(from), now).is_ok()).count() as u32
    }

    #[test]
    fn twenty_lookups_at_once_then_ten_a_minute() {
        let now = Instant::now();
        let limiter = limiter(now);
        assert_eq!(admitted(&limiter, Kind::Lookup, HOME, now), 20);
        assert_eq!(limiter.admit(Kind::Lookup, ip(HOME), now), Err(Duration::from_secs(6)));
        let later = now + Duration::from_secs(61);
        assert_eq!(admitted(&limiter, Kind::Lookup, HOME, later), 10);
        assert_eq!(admitted(&limiter, Kind::Lookup, "203.0.113.8", later), 20, "somebody else's budget is their own");
    }

    #[test]
    fn misses_make_the_wait_longer() {
        let now = Instant::now();
        let limiter = limiter(now);
        let mut asked = 0;
        while limiter.admit(Kind::Lookup, ip(HOME), now).is_ok() {
            limiter.charge(Kind::Lookup, ip(HOME), 2, now);
            asked += 1;
        }
        assert_eq!(asked, 7);
        let wait = limiter.admit(Kind::Lookup, ip(HOME), now).expect_err("nothing left");
        assert!(wait > Duration::from_secs(10), "{wait:?}");
    }

    #[test]
    fn five_publications_a_day_and_never_more_than_the_budget_saved_up() {
        let now = Instant::now();
        let limiter = limiter(now);
        assert_eq!(admitted(&limiter, Kind::Publish, HOME, now), 5);
        assert_eq!(admitted(&limiter, Kind::Publish, HOME, now + Duration::from_secs(3600)), 0);
        assert_eq!(admitted(&limiter, Kind::Publish, HOME, now + Duration::from_secs(5 * 3600)), 1);
        assert_eq!(admitted(&limiter, Kind::Publish, HOME, now + Duration::from_secs(50 * 3600)), 5);
    }

    #[test]
    fn an_ipv6_network_is_one_somebody_and_an_ipv4_address_in_ipv6_is_the_same() {
        let now = Instant::now();
        let limiter = limiter(now);
        assert_eq!(admitted(&limiter, Kind::Publish, "2001:db8::1", now), 5);
        assert_eq!(admitted(&limiter, Kind::Publish, "2001:db8::ffff:1", now), 0);
        let later = now + Duration::from_secs(1);
        assert_eq!(admitted(&limiter, Kind::Publish, "2001:db8:0:1::1", later), 5);
        let later = now + Duration::from_secs(2);
        assert_eq!(admitted(&limiter, Kind::Publish, HOME, later), 5);
        assert_eq!(admitted(&limiter, Kind::Publish, "::ffff:203.0.113.7", later), 0);
    }

    #[test]
    fn all_together_are_limited_and_being_refused_costs_nobody_anything() {
        let now = Instant::now();
        let limiter = limiter(now);
        let from: Vec<String> = (0..200).map(|n| format!("10.0.{n}.1")).collect();
        let admitted = from.iter().filter(|from| limiter.admit(Kind::Lookup, ip(from), now).is_ok()).count();
        assert_eq!(admitted, 100);
        assert_eq!(limiter.remembered(), 100, "who was refused isn't remembered");
    }

    #[test]
    fn a_full_budget_is_forgotten_and_after_a_day_every_one() {
        let now = Instant::now();
        let limiter = limiter(now);
        limiter.admit(Kind::Lookup, ip(HOME), now).expect("the first");
        limiter.admit(Kind::Publish, ip(HOME), now).expect("the first");
        limiter.tidy(now + Duration::from_secs(60));
        assert_eq!(limiter.remembered(), 1, "of the two only the one that takes hours to fill");
        limiter.tidy(now + Duration::from_secs(86_400));
        assert_eq!(limiter.remembered(), 0);
    }
}
