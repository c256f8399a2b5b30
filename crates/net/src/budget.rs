//! How often a password may be guessed.
//!
//! A guess is one answer of the server that lets the asker test one password. It is taken before anything is computed
//! and given back when the password was right. So a stranger has at most ten guesses an hour from the Internet and a
//! hundred in a row, then that door closes until the owner opens it; the local network, tickets and computers that are
//! paired have other doors, so nobody can lock the owner out.
//!
//! Pure: time and chance are arguments, and the whole state can be saved, so a restart resets nothing.

use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{collections::BTreeMap, net::IpAddr};

/// All doors and what has been used of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GuessBudgets {
    internet: Door,
    lan: Door,
    sources: BTreeMap<String, Source>,
    tickets: BTreeMap<String, Ticket>,
    window: Option<Window>,
    day: u64,
    source_key: [u8; 32],
}

/// Somebody wants to try a password.
#[derive(Clone, Copy, Debug)]
pub struct Guess {
    /// From where.
    pub source: IpAddr,
    /// Whether that is in our own network.
    pub is_lan: bool,
    /// The digest of the ticket, if one was shown.
    pub ticket: Option<[u8; 32]>,
}

/// Whether somebody may try.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Once. Give the permit back with [`GuessBudgets::succeeded`] if the password was right.
    Go(Permit),
    /// Not before this many seconds.
    Wait {
        /// How many.
        secs: u64,
    },
    /// Not until the owner opens the door again.
    Closed,
}

/// One allowed guess and what paid for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permit {
    paid_by: PaidBy,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum PaidBy {
    Ticket(String),
    /// `from_window`: the "Add a computer" window paid instead of the door's and the source's bucket.
    Door {
        is_lan: bool,
        sources: Vec<String>,
        from_window: bool,
    },
}

/// Failures in a row after which a door closes.
pub const FAILURES_MAX: u32 = 100;
/// How long "Add a computer" stays open, in seconds.
pub const WINDOW_SECS: u64 = 600;
const WINDOW_GUESSES: u32 = 10;
const TICKET_GUESSES: u32 = 5;
const TICKETS_MAX: usize = 256;
const SOURCES_MAX: usize = 4096;
const BACKOFF_AFTER: u32 = 5;
const BACKOFF_FIRST_SECS: u64 = 30;
const BACKOFF_LAST_SECS: u64 = 86_400;
const DAY_SECS: u64 = 86_400;

const INTERNET: Rate = Rate { burst: 10, secs_per_guess: 360 };
const LAN: Rate = Rate { burst: 20, secs_per_guess: 60 };
const NARROW: Rate = Rate { burst: 5, secs_per_guess: 600 };
const WIDE: Rate = Rate { burst: 20, secs_per_guess: 150 };

#[derive(Clone, Copy)]
struct Rate {
    burst: u64,
    secs_per_guess: u64,
}

/// What is left, counted in seconds of refilling: a full bucket holds `burst × secs_per_guess`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bucket {
    left_secs: u64,
    at: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Door {
    bucket: Bucket,
    failures_in_row: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Source {
    bucket: Bucket,
    is_narrow: bool,
    failures_in_row: u32,
    blocked_until: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ticket {
    uses_left: u32,
    guesses_left: u32,
    expires: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Window {
    until: u64,
    guesses_left: u32,
}

impl GuessBudgets {
    /// Full budgets. `now` is in seconds since 1970, `chance` fresh random bytes.
    #[must_use]
    pub fn new(now: u64, chance: [u8; 32]) -> Self {
        Self {
            internet: Door { bucket: Bucket::full(INTERNET, now), failures_in_row: 0 },
            lan: Door { bucket: Bucket::full(LAN, now), failures_in_row: 0 },
            sources: BTreeMap::new(),
            tickets: BTreeMap::new(),
            window: None,
            day: now / DAY_SECS,
            source_key: chance,
        }
    }

    /// Takes a guess, if there is one. `chance` is used on the first guess of a day: sources are kept under a key of
    /// the day, so that the saved state is no list of addresses.
    pub fn take(&mut self, guess: &Guess, now: u64, chance: [u8; 32]) -> Verdict {
        self.begin_day(now, chance);
        if let Some(verdict) = self.take_from_ticket(guess, now) {
            return verdict;
        }
        let is_lan = guess.is_lan;
        if self.door(is_lan).failures_in_row >= FAILURES_MAX {
            return Verdict::Closed;
        }
        let sources = self.source_names(guess.source);
        for (name, is_narrow) in &sources {
            self.remember_source(name, *is_narrow, now);
        }
        let wait = self.wait(is_lan, &sources, now);
        let from_window = wait > 0 && self.window.is_some_and(|window| window.has_guess(now));
        if wait > 0 && !from_window {
            return Verdict::Wait { secs: wait };
        }
        self.charge(is_lan, &sources, from_window, now);
        let sources = sources.into_iter().map(|(name, _)| name).collect();
        Verdict::Go(Permit { paid_by: PaidBy::Door { is_lan, sources, from_window } })
    }

    /// The password was right: the guess is given back, and nothing counts as failed any more on its way.
    pub fn succeeded(&mut self, permit: Permit) {
        match permit.paid_by {
            PaidBy::Ticket(name) => {
                if let Some(ticket) = self.tickets.get_mut(&name) {
                    ticket.guesses_left += 1;
                    ticket.uses_left -= 1;
                    if ticket.uses_left == 0 {
                        self.tickets.remove(&name);
                    }
                }
            }
            PaidBy::Door { is_lan, sources, from_window } => {
                let (door, rate) = self.door_mut(is_lan);
                door.failures_in_row = 0;
                if !from_window {
                    door.bucket.give_back(rate);
                }
                for source in sources {
                    if let Some(source) = self.sources.get_mut(&source) {
                        source.failures_in_row = 0;
                        source.blocked_until = 0;
                        if !from_window && !is_lan {
                            source.bucket.give_back(source.rate());
                        }
                    }
                }
            }
        }
    }

    /// The owner adds a computer: for ten minutes there are ten more guesses, and the door of the local network is open
    /// again.
    pub fn open_window(&mut self, now: u64) {
        self.lan.failures_in_row = 0;
        self.window = Some(Window { until: now + WINDOW_SECS, guesses_left: WINDOW_GUESSES });
    }

    /// The owner opens the door to the Internet again.
    pub fn open_internet_door(&mut self) {
        self.internet.failures_in_row = 0;
    }

    /// Whether the owner has to open the door to the Internet before anyone can try from there.
    #[must_use]
    pub const fn is_internet_door_closed(&self) -> bool {
        self.internet.failures_in_row >= FAILURES_MAX
    }

    /// Whether the owner has to add a computer before anyone in the local network can try.
    #[must_use]
    pub const fn is_lan_door_closed(&self) -> bool {
        self.lan.failures_in_row >= FAILURES_MAX
    }

    /// A new ticket, by its digest. `false`: there are too many already.
    #[must_use]
    pub fn add_ticket(&mut self, digest: [u8; 32], uses: u32, expires: u64, now: u64) -> bool {
        self.tickets.retain(|_, ticket| ticket.expires > now);
        if self.tickets.len() >= TICKETS_MAX || uses == 0 {
            return false;
        }
        self.tickets.insert(hex(&digest), Ticket { uses_left: uses, guesses_left: TICKET_GUESSES, expires });
        true
    }

    /// The password changed: no ticket holds any more.
    pub fn void_tickets(&mut self) {
        self.tickets.clear();
    }

    /// How many tickets can still be used.
    #[must_use]
    pub fn tickets_left(&self, now: u64) -> usize {
        self.tickets.values().filter(|ticket| ticket.expires > now).count()
    }

    /// `None`: no ticket that counts, so the ordinary doors decide. An unknown ticket is no worse than none.
    fn take_from_ticket(&mut self, guess: &Guess, now: u64) -> Option<Verdict> {
        let name = hex(&guess.ticket?);
        let ticket = self.tickets.get_mut(&name)?;
        if ticket.expires <= now || ticket.guesses_left == 0 {
            return None;
        }
        ticket.guesses_left -= 1;
        Some(Verdict::Go(Permit { paid_by: PaidBy::Ticket(name) }))
    }

    fn begin_day(&mut self, now: u64, chance: [u8; 32]) {
        let day = now / DAY_SECS;
        if day != self.day {
            self.day = day;
            self.source_key = chance;
            self.sources.clear();
        }
    }

    fn door(&self, is_lan: bool) -> &Door {
        if is_lan { &self.lan } else { &self.internet }
    }

    fn door_mut(&mut self, is_lan: bool) -> (&mut Door, Rate) {
        if is_lan { (&mut self.lan, LAN) } else { (&mut self.internet, INTERNET) }
    }

    fn wait(&mut self, is_lan: bool, sources: &[(String, bool)], now: u64) -> u64 {
        let (door, rate) = self.door_mut(is_lan);
        let mut wait = door.bucket.wait(rate, now);
        for (name, _) in sources {
            let Some(source) = self.sources.get_mut(name) else { continue };
            wait = wait.max(source.blocked_until.saturating_sub(now).min(BACKOFF_LAST_SECS));
            // In the local network the door's own bucket is the narrow one, and one person with one computer who
            // mistypes must not wait for hours.
            if !is_lan {
                let rate = source.rate();
                wait = wait.max(source.bucket.wait(rate, now));
            }
        }
        wait
    }

    fn charge(&mut self, is_lan: bool, sources: &[(String, bool)], from_window: bool, now: u64) {
        if from_window && let Some(window) = &mut self.window {
            window.guesses_left -= 1;
        }
        let (door, rate) = self.door_mut(is_lan);
        door.failures_in_row += 1;
        if !from_window {
            door.bucket.take(rate);
        }
        for (name, is_narrow) in sources {
            let Some(source) = self.sources.get_mut(name) else { continue };
            let rate = source.rate();
            if !from_window && !is_lan {
                source.bucket.take(rate);
            }
            // Only the narrow source is blamed; a whole provider isn't.
            if *is_narrow {
                source.failures_in_row += 1;
                if source.failures_in_row >= BACKOFF_AFTER {
                    let doublings = (source.failures_in_row - BACKOFF_AFTER).min(20);
                    source.blocked_until = now + (BACKOFF_FIRST_SECS << doublings).min(BACKOFF_LAST_SECS);
                }
            }
        }
    }

    fn remember_source(&mut self, name: &str, is_narrow: bool, now: u64) {
        if self.sources.contains_key(name) {
            return;
        }
        if self.sources.len() >= SOURCES_MAX {
            // The one that was quiet longest. Who has thousands of addresses is stopped by the door, not by this list.
            let quiet = self.sources.iter().min_by_key(|(_, source)| (source.blocked_until, source.bucket.at));
            if let Some(name) = quiet.map(|(name, _)| name.clone()) {
                self.sources.remove(&name);
            }
        }
        let rate = if is_narrow { NARROW } else { WIDE };
        let bucket = Bucket::full(rate, now);
        self.sources.insert(name.to_owned(), Source { bucket, is_narrow, failures_in_row: 0, blocked_until: 0 });
    }

    /// The narrow and the wide network of a source: /32 and /24, or /64 and /48.
    fn source_names(&self, source: IpAddr) -> [(String, bool); 2] {
        let (narrow, wide) = match source.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), u128::from(v4.to_bits() >> 8)),
            IpAddr::V6(v6) => (v6.to_bits() >> 64, v6.to_bits() >> 80),
        };
        let family = u8::from(source.to_canonical().is_ipv6());
        let name = |bits: u128, is_narrow: bool| {
            use hmac::Mac as _;
            let mut mac = hmac::Hmac::<Sha256>::new_from_slice(&self.source_key).expect("HMAC takes any key");
            mac.update(&[family, u8::from(is_narrow)]);
            mac.update(&bits.to_be_bytes());
            (hex(&mac.finalize().into_bytes()[..16]), is_narrow)
        };
        [name(narrow, true), name(wide, false)]
    }
}

impl Window {
    const fn has_guess(self, now: u64) -> bool {
        now < self.until && self.guesses_left > 0
    }
}

impl Source {
    const fn rate(&self) -> Rate {
        if self.is_narrow { NARROW } else { WIDE }
    }
}

impl Bucket {
    const fn full(rate: Rate, now: u64) -> Self {
        Self { left_secs: rate.burst * rate.secs_per_guess, at: now }
    }

    /// How long until there is a guess; 0: there is one.
    fn wait(&mut self, rate: Rate, now: u64) -> u64 {
        // A clock that was set back refills nothing and costs nothing.
        let passed = now.saturating_sub(self.at);
        self.left_secs = (self.left_secs + passed).min(rate.burst * rate.secs_per_guess);
        self.at = now;
        rate.secs_per_guess.saturating_sub(self.left_secs)
    }

    const fn take(&mut self, rate: Rate) {
        self.left_secs = self.left_secs.saturating_sub(rate.secs_per_guess);
    }

    fn give_back(&mut self, rate: Rate) {
        self.left_secs = (self.left_secs + rate.secs_per_guess).min(rate.burst * rate.secs_per_guess);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
