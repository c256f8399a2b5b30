//! Where a server may be: one list of addresses, each with who named it, when, and when it last worked.
//!
//! A server keeps the list of its own addresses: its interfaces, what routers mapped, what a rendezvous observed, what
//! its owner typed, a relay. Whoever learns of one puts it in ([`Candidates::replace`]); whoever publishes them
//! watches the list. A client keeps what it knows of its server, over restarts, and calls in the order of
//! [`in_order`]. A wrong address costs time and nothing else, because the server's key is pinned.

use crate::on_link::is_global;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::watch;

/// How an address came to be known, in the order in which addresses are tried.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Seen in the local network (DNS-SD).
    LocalNetwork,
    /// An address of one of the server's interfaces that isn't known to be global.
    Interface,
    /// A global IPv6 address of one of the server's interfaces.
    Ipv6,
    /// A router forwards it (PCP, NAT-PMP, UPnP IGD).
    Mapping,
    /// A rendezvous saw the server there.
    Observed,
    /// A person typed it, or it stood in an invitation.
    Fixed,
    /// A relay passes packets on.
    Relay,
}

/// One address and what is known of it. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Candidate {
    /// The address.
    pub address: SocketAddr,
    /// How it came to be known.
    pub source: Source,
    /// When it was last named.
    pub learned: u64,
    /// When the server last answered there.
    pub succeeded: Option<u64>,
}

/// The list, shared by those who learn of addresses and those who use them.
#[derive(Clone, Debug)]
pub struct Candidates(Arc<watch::Sender<Vec<Candidate>>>);

/// As many as are named to others.
pub(crate) const NAMED_MAX: usize = 12;

/// More are of no use to anybody; the ones named longest ago go first.
const CANDIDATES_MAX: usize = 32;

impl Source {
    /// The source of an address of one of this computer's interfaces.
    #[must_use]
    pub fn of_interface(address: &SocketAddr) -> Self {
        let ip = address.ip().to_canonical();
        if ip.is_ipv6() && is_global(ip) { Self::Ipv6 } else { Self::Interface }
    }
}

impl Candidates {
    /// A list that starts with what is known already.
    #[must_use]
    pub fn new(known: Vec<Candidate>) -> Self {
        let mut known = known;
        bound(&mut known);
        Self(Arc::new(watch::Sender::new(known)))
    }

    /// Everything known now.
    #[must_use]
    pub fn all(&self) -> Vec<Candidate> {
        self.0.borrow().clone()
    }

    /// Says what a source names now; what it named before and doesn't any more goes. When an address last worked is
    /// remembered as long as any source names it.
    pub fn replace(&self, source: Source, addresses: &[SocketAddr], now: u64) {
        self.change(|list| {
            let gone = |known: &Candidate| known.source == source && !addresses.contains(&known.address);
            list.retain(|known| !gone(known));
            addresses.iter().for_each(|address| name(list, *address, source, now));
        });
    }

    /// Says that a source names these as well.
    pub fn add(&self, source: Source, addresses: &[SocketAddr], now: u64) {
        self.change(|list| addresses.iter().for_each(|address| name(list, *address, source, now)));
    }

    /// The server answered at this address. One that nobody named is where the server was seen.
    pub fn succeeded(&self, address: SocketAddr, now: u64) {
        self.change(|list| {
            if !list.iter().any(|known| known.address == address) {
                name(list, address, Source::Observed, now);
            }
            list.iter_mut().filter(|known| known.address == address).for_each(|known| known.succeeded = Some(now));
        });
    }

    /// Tells when another address is known, or one isn't any more.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Vec<Candidate>> {
        self.0.subscribe()
    }

    /// Where others may find this computer: what others outside reach first, where not all have room. Loopback means
    /// something to others only where there is nothing else.
    #[must_use]
    pub fn for_others(&self) -> Vec<(Source, SocketAddr)> {
        let mut all: Vec<(Source, SocketAddr)> =
            self.0.borrow().iter().map(|known| (known.source, known.address)).collect();
        if all.iter().any(|(_, address)| !address.ip().is_loopback()) {
            all.retain(|(_, address)| !address.ip().is_loopback());
        }
        all.sort_by_key(|(source, address)| (*source <= Source::Interface, *source, *address));
        all.truncate(NAMED_MAX);
        all
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Candidate>)) {
        self.0.send_if_modified(|list| {
            let addresses = |list: &[Candidate]| list.iter().map(|known| known.address).collect::<Vec<_>>();
            let before = addresses(list);
            change(list);
            bound(list);
            before != addresses(list)
        });
    }
}

/// Addresses in the order in which to call them, each once: the last one that worked, those in the same network, then
/// by source, IPv6 before IPv4.
#[must_use]
pub fn in_order(candidates: &[Candidate], is_lan: impl Fn(&SocketAddr) -> bool) -> Vec<SocketAddr> {
    let last_good = candidates.iter().filter(|known| known.succeeded.is_some()).max_by_key(|known| known.succeeded);
    let last_good = last_good.map(|known| known.address);
    let mut order: Vec<&Candidate> = candidates.iter().collect();
    order.sort_by_key(|known| {
        let is_near = known.source == Source::LocalNetwork || is_lan(&known.address);
        let is_last_good = Some(known.address) == last_good;
        (!is_last_good, !is_near, known.source, known.address.is_ipv4(), std::cmp::Reverse(known.succeeded))
    });
    let mut addresses: Vec<SocketAddr> = Vec::with_capacity(order.len());
    for candidate in order {
        if !addresses.contains(&candidate.address) {
            addresses.push(candidate.address);
        }
    }
    addresses
}

fn name(list: &mut Vec<Candidate>, address: SocketAddr, source: Source, now: u64) {
    let succeeded = list.iter().filter(|known| known.address == address).filter_map(|known| known.succeeded).max();
    match list.iter_mut().find(|known| known.address == address && known.source == source) {
        Some(known) => known.learned = now,
        None => list.push(Candidate { address, source, learned: now, succeeded }),
    }
}

fn bound(list: &mut Vec<Candidate>) {
    if list.len() > CANDIDATES_MAX {
        list.sort_by_key(|known| std::cmp::Reverse((known.succeeded, known.learned)));
        list.truncate(CANDIDATES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn addresses(candidates: &Candidates) -> Vec<SocketAddr> {
        in_order(&candidates.all(), |address| address.ip().is_loopback())
    }

    #[test]
    fn the_last_good_address_comes_first_then_the_near_ones_then_by_source() {
        let list = Candidates::new(Vec::new());
        list.add(Source::Fixed, &[at("198.51.100.9:5")], 1);
        list.add(Source::Mapping, &[at("203.0.113.7:1"), at("[2001:db8::7]:1")], 1);
        list.add(Source::Interface, &[at("127.0.0.1:1")], 1);
        list.succeeded(at("198.51.100.9:5"), 7);
        let order = ["198.51.100.9:5", "127.0.0.1:1", "[2001:db8::7]:1", "203.0.113.7:1"].map(at);
        assert_eq!(addresses(&list), order);
    }

    #[test]
    fn what_a_source_does_not_name_any_more_goes_and_what_worked_is_remembered() {
        let list = Candidates::new(Vec::new());
        let mut watch = list.watch();
        list.replace(Source::Mapping, &[at("203.0.113.7:1")], 1);
        assert!(watch.has_changed().expect("the list is here"));
        watch.mark_unchanged();
        list.succeeded(at("203.0.113.7:1"), 2);
        list.replace(Source::Mapping, &[at("203.0.113.7:1")], 3);
        assert!(!watch.has_changed().expect("the list is here"), "nothing new was named");
        assert_eq!(list.all()[0].succeeded, Some(2));
        list.add(Source::Fixed, &[at("203.0.113.7:1")], 4);
        list.replace(Source::Mapping, &[], 5);
        assert_eq!(list.all().len(), 1);
        assert_eq!(list.all()[0].succeeded, Some(2));
    }

    #[test]
    fn a_hostile_list_cannot_grow() {
        let list = Candidates::new(Vec::new());
        list.add(Source::Fixed, &[at("203.0.113.7:1")], 1);
        list.succeeded(at("203.0.113.7:1"), 1);
        for port in 1000..2000 {
            list.add(Source::Interface, &[SocketAddr::from(([203, 0, 113, 8], port))], u64::from(port));
        }
        assert_eq!(list.all().len(), CANDIDATES_MAX);
        assert_eq!(addresses(&list)[0], at("203.0.113.7:1"), "what worked stays");
    }

    #[test]
    fn an_interface_knows_global_ipv6() {
        assert_eq!(Source::of_interface(&at("[2001:db8::7]:1")), Source::Ipv6);
        for other in ["[fd00::7]:1", "192.168.1.7:1", "203.0.113.7:1", "[::1]:1"] {
            assert_eq!(Source::of_interface(&at(other)), Source::Interface, "{other}");
        }
    }
}
