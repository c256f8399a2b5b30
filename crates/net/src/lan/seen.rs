//! The list of servers as the network's words make it. Pure: names and times in, the list out.
//!
//! Who leaves in order says goodbye and is gone at once. Who is switched off says nothing: every server is asked again
//! every few seconds, and one that doesn't answer is kept for a while, marked as stale.

use super::{LanName, LanServer};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<LanName, Entry>);

#[derive(Debug)]
struct Entry {
    server: LanServer,
    fullname: String,
    asked: Option<Instant>,
    silent_since: Option<Instant>,
}

/// More servers than a network has; whoever announces more is left out.
const SERVERS_MAX: usize = 64;
/// A server that was silent this long is taken off the list.
const SILENT_MAX: Duration = Duration::from_secs(300);
/// The library drops a record a little after its time.
const LATE: Duration = Duration::from_secs(2);

impl Seen {
    /// How often servers are asked whether they are there.
    pub(super) const CHECK_EVERY: Duration = Duration::from_secs(6);
    /// How long they have to answer. With the time between, silence is known after 11 seconds.
    pub(super) const CHECK_ANSWER: Duration = Duration::from_secs(5);

    pub(super) fn resolved(&mut self, fullname: &str, server: LanServer) {
        if self.0.len() >= SERVERS_MAX && !self.0.contains_key(&server.id) {
            return;
        }
        let id = server.id;
        let asked = self.0.get(&id).and_then(|entry| entry.asked);
        self.0.insert(id, Entry { server, fullname: fullname.to_owned(), asked, silent_since: None });
    }

    /// The network forgets a server: because it said goodbye, or because it was asked and didn't answer in time.
    pub(super) fn removed(&mut self, fullname: &str, now: Instant) {
        let Some(id) = LanName::of_instance(fullname) else { return };
        let Some(entry) = self.0.get_mut(&id) else { return };
        let is_silent = entry.asked.is_some_and(|asked| {
            let due = asked + Self::CHECK_ANSWER;
            (due..due + LATE).contains(&now)
        });
        if is_silent {
            entry.server.is_stale = true;
            entry.silent_since = Some(now);
        } else {
            self.0.remove(&id);
        }
    }

    /// Whom to ask now.
    pub(super) fn check(&mut self, now: Instant) -> Vec<String> {
        self.0.retain(|_, entry| entry.silent_since.is_none_or(|since| now - since < SILENT_MAX));
        let here = self.0.values_mut().filter(|entry| entry.silent_since.is_none());
        here.map(|entry| {
            entry.asked = Some(now);
            entry.fullname.clone()
        })
        .collect()
    }

    /// Whether nobody is there, or somebody isn't there any more.
    pub(super) fn misses_somebody(&self) -> bool {
        self.0.is_empty() || self.0.values().any(|entry| entry.silent_since.is_some())
    }

    /// By name, those that answer first.
    pub(super) fn servers(&self) -> Vec<LanServer> {
        let mut servers: Vec<LanServer> = self.0.values().map(|entry| entry.server.clone()).collect();
        servers.sort_by(|a, b| (a.is_stale, a.name.as_str(), a.id).cmp(&(b.is_stale, b.name.as_str(), b.id)));
        servers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KnockKey;
    use identity::ServerName;

    fn fullname(id: u8) -> String {
        format!("00000000000000{id:02x}.{}", super::super::SERVICE)
    }

    fn server(id: u8) -> LanServer {
        LanServer {
            id: LanName::of_instance(&fullname(id)).unwrap(),
            name: ServerName::parse(&format!("Server {id}")).unwrap(),
            knock: KnockKey::from_bytes([id; 16]),
            addresses: vec!["192.168.1.20:4433".parse().unwrap()],
            is_stale: false,
        }
    }

    fn stale(seen: &Seen) -> Vec<bool> {
        seen.servers().iter().map(|server| server.is_stale).collect()
    }

    #[test]
    fn a_goodbye_takes_a_server_off_the_list_at_once() {
        let (mut seen, now) = (Seen::default(), Instant::now());
        seen.resolved(&fullname(1), server(1));
        seen.resolved(&fullname(2), server(2));
        seen.check(now);
        seen.removed(&fullname(1), now + Duration::from_secs(1));
        assert_eq!(seen.servers(), [server(2)]);
    }

    #[test]
    fn a_server_that_does_not_answer_is_marked_in_time_and_forgotten_later() {
        let (mut seen, now) = (Seen::default(), Instant::now());
        seen.resolved(&fullname(1), server(1));
        assert!(!seen.misses_somebody());
        assert_eq!(seen.check(now), [fullname(1)]);
        seen.removed(&fullname(1), now + Seen::CHECK_ANSWER);
        assert_eq!(stale(&seen), [true]);
        assert!(seen.misses_somebody());
        assert!(Seen::CHECK_EVERY + Seen::CHECK_ANSWER < Duration::from_secs(15));
        assert_eq!(seen.check(now + Seen::CHECK_EVERY * 2), Vec::<String>::new());
        assert_eq!(stale(&seen), [true]);
        seen.check(now + Seen::CHECK_ANSWER + SILENT_MAX);
        assert!(stale(&seen).is_empty());
    }

    #[test]
    fn a_server_that_comes_back_is_as_good_as_new() {
        let (mut seen, now) = (Seen::default(), Instant::now());
        seen.resolved(&fullname(1), server(1));
        seen.check(now);
        seen.removed(&fullname(1), now + Seen::CHECK_ANSWER);
        let moved = LanServer { addresses: vec!["192.168.1.99:4433".parse().unwrap()], ..server(1) };
        seen.resolved(&fullname(1), moved.clone());
        assert_eq!(seen.servers(), [moved]);
    }

    #[test]
    fn a_flood_of_names_fills_the_list_only_so_far() {
        let mut seen = Seen::default();
        (0..=255).for_each(|id| seen.resolved(&fullname(id), server(id)));
        assert_eq!(seen.servers().len(), SERVERS_MAX);
    }
}
