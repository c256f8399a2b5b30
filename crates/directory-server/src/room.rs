//! How many connections there may be: in all, and from one address, so that nobody takes up all the room.

use crate::limits::prefix;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The room there is.
#[derive(Debug)]
pub(crate) struct Room {
    places: usize,
    places_per_source: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_source: BTreeMap<u128, usize>,
}

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    source: Option<u128>,
}

impl Room {
    pub(crate) fn new(places: u32, places_per_source: u32) -> Arc<Self> {
        let [places, places_per_source] = [places, places_per_source].map(|places| places as usize);
        Arc::new(Self { places, places_per_source, taken: Mutex::default() })
    }

    /// A place, if there is one. Without an address: for somebody who speaks for many, a proxy.
    pub(crate) fn enter(self: &Arc<Self>, from: Option<IpAddr>) -> Option<Place> {
        let (mut taken, source) = (self.taken(), from.map(prefix));
        let of_source = source.and_then(|source| taken.by_source.get(&source)).copied().unwrap_or(0);
        if taken.all >= self.places || of_source >= self.places_per_source {
            return None;
        }
        taken.all += 1;
        if let Some(source) = source {
            taken.by_source.insert(source, of_source + 1);
        }
        Some(Place { room: Arc::clone(self), source })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.all -= 1;
        if let Some(source) = self.source
            && let Some(places) = taken.by_source.get_mut(&source)
        {
            *places -= 1;
            if *places == 0 {
                taken.by_source.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn one_address_has_its_share_and_leaves_the_rest_to_others() {
        let room = Room::new(5, 2);
        let home = [room.enter(ip("203.0.113.7")), room.enter(ip("203.0.113.7"))];
        assert!(home.iter().all(Option::is_some));
        assert!(room.enter(ip("203.0.113.7")).is_none());
        assert!(room.enter(ip("::ffff:203.0.113.7")).is_none(), "the same address in IPv6's clothes");
        let other = room.enter(ip("2001:db8::1")).expect("room for others");
        let _neighbour = room.enter(ip("2001:db8::ffff:2")).expect("the second of this network");
        assert!(room.enter(ip("2001:db8::3")).is_none(), "an IPv6 network counts as one");
        drop((home, other));
        assert!(room.enter(ip("203.0.113.7")).is_some(), "places are given back");
        assert_eq!(room.taken().by_source.len(), 1, "and who has none is forgotten");
    }

    #[test]
    fn a_proxy_may_take_all_there_is_and_no_more() {
        let room = Room::new(3, 1);
        let all: Vec<Place> = std::iter::from_fn(|| room.enter(None)).collect();
        assert_eq!(all.len(), 3);
        assert!(room.enter(ip("203.0.113.7")).is_none());
    }
}
