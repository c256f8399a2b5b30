//! Who is on the line, who may be put through to whom, and how often. Pure: it is told the time, and hands back what is to be
//! said to whom.

use crate::limits::prefix;
use net::rendezvous::{CALL_ME_EVERY, Reply, Topic};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// One connection, for as long as it lasts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct LineId(u64);

/// Everybody on the line.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    lines: BTreeMap<LineId, Line>,
    servers: BTreeMap<(Key, Topic), BTreeSet<LineId>>,
    calls: BTreeMap<u64, Call>,
    sources: BTreeMap<u128, Source>,
    next: u64,
}

type Key = [u8; 32];

#[derive(Debug)]
struct Line {
    key: Key,
    address: SocketAddr,
    topics: Vec<Topic>,
    source: u128,
    called_at: Option<Instant>,
}

/// A client that waits for what its server says.
#[derive(Clone, Copy, Debug)]
struct Call {
    from: LineId,
    to: LineId,
    at: Instant,
}

/// What one customer of a provider uses up.
#[derive(Clone, Copy, Debug)]
struct Source {
    lines: usize,
    dials: f64,
    counted_at: Instant,
}

const LINES_MAX: usize = 20_000;
const LINES_PER_SOURCE: usize = 32;
const DIALS_BURST: f64 = 10.0;
const DIALS_PER_SEC: f64 = 1.0;
const CALLS_MAX: usize = 10_000;
/// A server answers at once or never.
const CALL_LIVES: Duration = Duration::from_secs(10);

/// Something to say to somebody.
pub(super) type Word = (LineId, Reply);

impl Exchange {
    /// Takes somebody in; `None` where there is no more room.
    pub(super) fn enter(&mut self, key: Key, address: SocketAddr, now: Instant) -> Option<LineId> {
        let source = prefix(address.ip());
        let of_source = self.sources.entry(source).or_insert(Source { lines: 0, dials: DIALS_BURST, counted_at: now });
        if self.lines.len() >= LINES_MAX || of_source.lines >= LINES_PER_SOURCE {
            self.tidy(now);
            return None;
        }
        of_source.lines += 1;
        self.next += 1;
        let id = LineId(self.next);
        self.lines.insert(id, Line { key, address, topics: Vec::new(), source, called_at: None });
        Some(id)
    }

    /// Forgets somebody.
    pub(super) fn leave(&mut self, id: LineId, now: Instant) {
        self.register(id, Vec::new());
        if let Some(line) = self.lines.remove(&id)
            && let Some(source) = self.sources.get_mut(&line.source)
        {
            source.lines -= 1;
        }
        self.calls.retain(|_, call| call.from != id && call.to != id);
        self.tidy(now);
    }

    /// A line's address as it is seen now. Whether it changed.
    pub(super) fn seen(&mut self, id: LineId, address: SocketAddr) -> bool {
        let Some(line) = self.lines.get_mut(&id) else { return false };
        let is_changed = line.address != address;
        line.address = address;
        is_changed
    }

    /// These topics in place of earlier ones.
    pub(super) fn register(&mut self, id: LineId, topics: Vec<Topic>) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let key = line.key;
        for topic in std::mem::replace(&mut line.topics, topics.clone()) {
            if let Some(lines) = self.servers.get_mut(&(key, topic)) {
                lines.remove(&id);
                if lines.is_empty() {
                    self.servers.remove(&(key, topic));
                }
            }
        }
        for topic in topics {
            self.servers.entry((key, topic)).or_default().insert(id);
        }
    }

    /// Puts a client through: what to say to it, and to the server.
    pub(super) fn dial(&mut self, from: LineId, server: Key, topic: Topic, sealed: Vec<u8>, now: Instant) -> Vec<Word> {
        let Some(line) = self.lines.get(&from) else { return Vec::new() };
        let address = line.address;
        if !self.sources.get_mut(&line.source).is_some_and(|source| source.may_dial(now)) {
            return vec![(from, Reply::Busy)];
        }
        let of_server = self.servers.get(&(server, topic)).into_iter().flatten();
        let lines = of_server.filter_map(|id| self.lines.get(id).map(|line| (*id, line.address)));
        // Of the same kind of address, or they can't meet; the newest line, for an older one may be dead.
        let best = lines.max_by_key(|(id, other)| (other.is_ipv4() == address.is_ipv4(), *id));
        let Some((to, server_address)) = best else { return vec![(from, Reply::Offline)] };
        self.calls.retain(|_, call| now.saturating_duration_since(call.at) < CALL_LIVES);
        if self.calls.len() >= CALLS_MAX {
            return vec![(from, Reply::Busy)];
        }
        self.next += 1;
        let call = self.next;
        self.calls.insert(call, Call { from, to, at: now });
        vec![(to, Reply::Peer { call, address, sealed }), (from, Reply::At { address: server_address })]
    }

    /// What a server says to a client that waits for it.
    pub(super) fn answer(&mut self, from: LineId, call: u64, sealed: Vec<u8>) -> Option<Word> {
        let known = self.calls.get(&call).filter(|known| known.to == from)?;
        let to = known.from;
        self.calls.remove(&call);
        Some((to, Reply::Answer { sealed }))
    }

    /// Whether somebody may be sent a packet now; not often.
    pub(super) fn may_call(&mut self, id: LineId, now: Instant) -> Option<IpAddr> {
        let line = self.lines.get_mut(&id)?;
        let is_soon = line.called_at.is_some_and(|at| now.saturating_duration_since(at) < CALL_ME_EVERY);
        if is_soon {
            return None;
        }
        line.called_at = Some(now);
        Some(line.address.ip())
    }

    fn tidy(&mut self, now: Instant) {
        self.sources.retain(|_, source| source.lines > 0 || source.allowance(now) < DIALS_BURST);
    }
}

impl Source {
    fn allowance(&self, now: Instant) -> f64 {
        let waited = now.saturating_duration_since(self.counted_at).as_secs_f64();
        (self.dials + waited * DIALS_PER_SEC).min(DIALS_BURST)
    }

    fn may_dial(&mut self, now: Instant) -> bool {
        let left = self.allowance(now);
        (self.dials, self.counted_at) = (if left >= 1.0 { left - 1.0 } else { left }, now);
        left >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::ServiceId;

    const OFFICE: Key = [1; 32];

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn topic(service: u8) -> Topic {
        Topic::of(&ServiceId::from_bytes([service; 16]))
    }

    fn with_office(now: Instant) -> (Exchange, LineId) {
        let mut exchange = Exchange::default();
        let office = exchange.enter(OFFICE, at("203.0.113.21:40000"), now).expect("room");
        exchange.register(office, vec![topic(1)]);
        (exchange, office)
    }

    #[test]
    fn both_sides_are_told_of_each_other_at_once_and_the_answer_finds_its_way() {
        let now = Instant::now();
        let (mut exchange, office) = with_office(now);
        let laptop = exchange.enter([9; 32], at("198.51.100.22:5000"), now).expect("room");
        let words = exchange.dial(laptop, OFFICE, topic(1), vec![7], now);
        let [(to_office, Reply::Peer { call, address, sealed }), (to_laptop, Reply::At { address: server })] =
            words.as_slice()
        else {
            panic!("{words:?}")
        };
        assert_eq!((*to_office, *to_laptop), (office, laptop));
        assert_eq!((*address, *server), (at("198.51.100.22:5000"), at("203.0.113.21:40000")));
        assert_eq!(sealed, &[7]);
        assert_eq!(exchange.answer(laptop, *call, vec![8]), None, "nobody else answers");
        assert_eq!(exchange.answer(office, *call, vec![8]), Some((laptop, Reply::Answer { sealed: vec![8] })));
        assert_eq!(exchange.answer(office, *call, vec![8]), None, "once");
    }

    #[test]
    fn who_has_not_registered_with_key_and_topic_is_not_there() {
        let now = Instant::now();
        let (mut exchange, office) = with_office(now);
        let laptop = exchange.enter([9; 32], at("198.51.100.22:5000"), now).expect("room");
        let offline = vec![(laptop, Reply::Offline)];
        assert_eq!(exchange.dial(laptop, OFFICE, topic(2), vec![], now), offline, "another topic");
        assert_eq!(exchange.dial(laptop, [2; 32], topic(1), vec![], now), offline, "another key");
        exchange.register(office, vec![topic(2)]);
        assert_eq!(exchange.dial(laptop, OFFICE, topic(1), vec![], now), offline, "not any more");
        exchange.leave(office, now);
        assert_eq!(exchange.dial(laptop, OFFICE, topic(2), vec![], now), offline, "gone");
        assert!(exchange.servers.is_empty());
    }

    #[test]
    fn a_line_of_the_same_kind_of_address_is_taken_and_where_it_moved() {
        let now = Instant::now();
        let (mut exchange, four) = with_office(now);
        let six = exchange.enter(OFFICE, at("[2001:db8::21]:40000"), now).expect("room");
        exchange.register(six, vec![topic(1)]);
        let laptop = exchange.enter([9; 32], at("198.51.100.22:5000"), now).expect("room");
        assert!(exchange.seen(four, at("203.0.113.77:40001")));
        assert!(!exchange.seen(four, at("203.0.113.77:40001")));
        let words = exchange.dial(laptop, OFFICE, topic(1), vec![], now);
        assert_eq!(words[1], (laptop, Reply::At { address: at("203.0.113.77:40001") }));
    }

    #[test]
    fn everything_is_bounded() {
        let now = Instant::now();
        let (mut exchange, office) = with_office(now);
        let from = at("198.51.100.22:5000");
        let lines: Vec<LineId> = (0..40).filter_map(|_| exchange.enter([9; 32], from, now)).collect();
        assert_eq!(lines.len(), LINES_PER_SOURCE);
        assert!(exchange.enter([9; 32], at("198.51.100.23:5000"), now).is_some(), "others have room");
        let is_through = |words: Vec<Word>| words.len() == 2;
        let dial = |exchange: &mut Exchange, now| is_through(exchange.dial(lines[0], OFFICE, topic(1), vec![], now));
        assert_eq!((0..20).filter(|_| dial(&mut exchange, now)).count(), DIALS_BURST as usize);
        assert!(dial(&mut exchange, now + Duration::from_secs(1)));
        assert!(!dial(&mut exchange, now + Duration::from_secs(1)));
        assert!(exchange.may_call(office, now).is_some());
        assert!(exchange.may_call(office, now + Duration::from_secs(4)).is_none());
        assert!(exchange.may_call(office, now + Duration::from_secs(5)).is_some());
        let later = now + Duration::from_secs(60);
        lines.iter().for_each(|line| exchange.leave(*line, later));
        assert_eq!(exchange.sources.len(), 2, "who is gone is forgotten");
        assert!(exchange.calls.is_empty());
    }
}
