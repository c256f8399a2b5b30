//! How many strangers may be between their first packet and being known.
//!
//! Each is an entry that can be cut. When a source or the whole server has too many, the oldest makes room: an honest
//! device needs a fraction of a second here, so the oldest is the least likely to be one.

use crate::Limits;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{task::AbortHandle, time::Instant};

#[derive(Debug)]
pub(crate) struct Gate {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    allowance: f64,
    counted_at: Instant,
}

#[derive(Debug)]
struct Waiting {
    source: u128,
    task: Option<AbortHandle>,
}

/// A place at the gate; given back when dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    gate: Arc<Gate>,
    number: u64,
}

impl Gate {
    pub(crate) fn new(limits: Limits, now: Instant) -> Arc<Self> {
        let allowance = f64::from(limits.accepts_burst);
        let state = State { waiting: BTreeMap::new(), next: 0, allowance, counted_at: now };
        Arc::new(Self { limits, state: Mutex::new(state) })
    }

    /// A place for a connection from here, or `None` if handshakes begin too fast.
    pub(crate) fn enter(self: &Arc<Self>, source: IpAddr, now: Instant) -> Option<Entry> {
        let mut state = self.state();
        let waited = now.saturating_duration_since(state.counted_at).as_secs_f64();
        let refilled = state.allowance + waited * f64::from(self.limits.accepts_per_sec);
        state.allowance = refilled.min(f64::from(self.limits.accepts_burst));
        state.counted_at = now;
        if state.allowance < 1.0 {
            return None;
        }
        state.allowance -= 1.0;

        let source = prefix(source);
        let from_source = state.waiting.values().filter(|waiting| waiting.source == source).count();
        if from_source >= self.limits.strangers_per_source {
            state.cut_oldest(|waiting| waiting.source == source);
        } else if state.waiting.len() >= self.limits.strangers_max {
            state.cut_oldest(|_| true);
        }
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, Waiting { source, task: None });
        Some(Entry { gate: Arc::clone(self), number })
    }

    /// Which task to end when this entry has to make room.
    pub(crate) fn attach(&self, number: u64, task: AbortHandle) {
        match self.state().waiting.get_mut(&number) {
            Some(waiting) => waiting.task = Some(task),
            // It was done, or had to make room, before we knew its task; ending a finished task does nothing.
            None => task.abort(),
        }
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn cut_oldest(&mut self, belongs: impl Fn(&Waiting) -> bool) {
        let oldest = self.waiting.iter().find(|(_, waiting)| belongs(waiting)).map(|(number, _)| *number);
        if let Some(waiting) = oldest.and_then(|number| self.waiting.remove(&number))
            && let Some(task) = waiting.task
        {
            task.abort();
        }
    }
}

impl Entry {
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.gate.state().waiting.remove(&self.number);
    }
}

/// What one customer of a provider has: an IPv4 address, or 64 bits of IPv6.
fn prefix(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::Ipv4Addr, time::Duration};

    fn source(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0xc633_6400 + number).into()
    }

    fn gate(now: Instant) -> Arc<Gate> {
        Gate::new(Limits::default(), now)
    }

    #[tokio::test]
    async fn the_oldest_of_a_source_makes_room() {
        let now = Instant::now();
        let gate = gate(now);
        let entries: Vec<Entry> = (0..5).map(|_| gate.enter(source(1), now).expect("below the rate")).collect();
        assert_eq!(gate.waiting(), 4);
        let _other = gate.enter(source(2), now).expect("below the rate");
        assert_eq!(gate.waiting(), 5);
        let cut = tokio::spawn(std::future::pending::<()>());
        gate.attach(entries[0].number(), cut.abort_handle());
        assert!(cut.await.expect_err("it had to make room").is_cancelled());
        drop(entries);
        assert_eq!(gate.waiting(), 1);
    }

    #[test]
    fn no_more_wait_than_the_server_has_room_for() {
        let now = Instant::now();
        let gate = gate(now);
        let entries: Vec<Entry> = (0..90).map(|at| gate.enter(source(at), now).expect("below the rate")).collect();
        assert_eq!(gate.waiting(), 64);
        drop(entries);
        assert_eq!(gate.waiting(), 0);
    }

    #[test]
    fn handshakes_begin_at_a_bounded_rate() {
        let now = Instant::now();
        let gate = gate(now);
        let begun = (0..200).filter(|_| gate.enter(source(1), now).is_some()).count();
        assert_eq!(begun, 100);
        let later = now + Duration::from_secs(1);
        let begun = (0..200).filter(|_| gate.enter(source(1), later).is_some()).count();
        assert_eq!(begun, 50);
    }
}
