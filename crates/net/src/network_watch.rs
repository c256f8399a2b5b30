//! Notices that this computer is in another network, or was asleep: what was connected may not be any more, and what
//! couldn't be reached may be now.
//!
//! The table of interfaces is read every two seconds, which is cheap and the same on every system. A sleep shows in the
//! wall clock, which goes on while everything else stands still. (On Windows nothing stands still: what was to be done
//! meanwhile is done at once.)

use crate::{Network, on_link};
use std::time::{Duration, SystemTime};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// What happened to the network, counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NetworkChange {
    /// How often addresses came or went.
    pub moved: u64,
    /// How often the computer woke up.
    pub woken: u64,
}

const EVERY: Duration = Duration::from_secs(2);
/// A busy computer may look late; a clock that jumps this far between two looks stood still.
const JUMP: Duration = Duration::from_secs(10);

/// Begins to look. Ends when the last receiver is dropped.
#[must_use]
pub fn watch_network() -> watch::Receiver<NetworkChange> {
    let (changes, receiver) = watch::channel(NetworkChange::default());
    tokio::spawn(async move {
        let mut last = Look::now();
        while !changes.is_closed() {
            sleep(EVERY).await;
            let look = Look::now();
            let (moved, woken) = look.since(&last);
            if moved || woken {
                tracing::info!(moved, woken, "the network changed");
                changes.send_modify(|change| {
                    change.moved += u64::from(moved);
                    change.woken += u64::from(woken);
                });
            }
            last = look;
        }
    });
    receiver
}

/// For those to whom it matters only whether this computer slept: what others kept for it they may have forgotten.
#[derive(Clone, Debug)]
pub struct Wakes {
    network: watch::Receiver<NetworkChange>,
    known: u64,
}

impl Wakes {
    /// From now on.
    #[must_use]
    pub fn of(network: &watch::Receiver<NetworkChange>) -> Self {
        let network = network.clone();
        let known = network.borrow().woken;
        Self { network, known }
    }

    /// Waits until this computer has woken up since the last time; for ever, where nobody looks any more.
    pub async fn next(&mut self) {
        let known = self.known;
        let woken = self.network.wait_for(|now| now.woken != known).await.map(|now| now.woken);
        match woken {
            Ok(woken) => self.known = woken,
            Err(_) => std::future::pending().await,
        }
    }

    /// Whether it has, and that hasn't been waited for.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.network.borrow().woken != self.known
    }
}

struct Look {
    networks: Vec<Network>,
    wall: SystemTime,
    steady: Instant,
}

impl Look {
    fn now() -> Self {
        let mut networks = on_link::interfaces();
        networks.sort_by_key(|network| (network.address, network.prefix_len));
        Self { networks, wall: SystemTime::now(), steady: Instant::now() }
    }

    /// Whether addresses changed, and whether the computer slept.
    fn since(&self, last: &Self) -> (bool, bool) {
        let moved = self.networks != last.networks;
        let wall = self.wall.duration_since(last.wall).unwrap_or_default();
        (moved, wall > self.steady.duration_since(last.steady) + JUMP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_address_is_a_move_and_a_jump_of_the_clock_a_sleep() {
        let network = |text: &str| Network { address: text.parse().expect("an address"), prefix_len: 24 };
        let first = Look {
            networks: vec![network("192.168.1.7")],
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1000),
            steady: Instant::now(),
        };
        let later = |networks: Vec<Network>, wall, steady| Look {
            networks,
            wall: first.wall + Duration::from_secs(wall),
            steady: first.steady + Duration::from_secs(steady),
        };
        assert_eq!(later(vec![network("192.168.1.7")], 2, 2).since(&first), (false, false));
        assert_eq!(later(vec![network("10.0.0.7")], 2, 2).since(&first), (true, false));
        assert_eq!(later(Vec::new(), 2, 2).since(&first), (true, false));
        assert_eq!(later(vec![network("192.168.1.7")], 3600, 2).since(&first), (false, true));
        assert_eq!(later(vec![network("192.168.1.7")], 30, 30).since(&first), (false, false), "only slow");
    }

    #[tokio::test]
    async fn each_sleep_is_told_once_and_a_move_is_none() {
        let (changes, network) = watch::channel(NetworkChange::default());
        let mut wakes = Wakes::of(&network);
        let is_told =
            async |wakes: &mut Wakes| tokio::time::timeout(Duration::from_millis(20), wakes.next()).await.is_ok();
        changes.send_modify(|change| change.moved += 1);
        assert!(!wakes.is_due() && !is_told(&mut wakes).await);
        changes.send_modify(|change| change.woken += 1);
        assert!(wakes.is_due() && is_told(&mut wakes).await);
        assert!(!wakes.is_due() && !is_told(&mut wakes).await);
        drop(changes);
        assert!(!is_told(&mut wakes).await);
    }
}
