//! Which addresses are in the same network: loopback, and what the table of interfaces says is reached without a
//! router. Private ranges alone say nothing; a hotel has them too.

use crate::mapping;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;

/// Tells the local network from the Internet.
#[derive(Clone, Debug)]
pub struct OnLink(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Arc<Mutex<Asked>>),
    Fixed(Arc<[Network]>),
}

/// When the system was last asked, and what it said.
type Asked = Option<(Instant, Vec<Network>)>;

/// A network by one of its addresses and the number of leading bits its members share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    /// An address in it.
    pub address: IpAddr,
    /// How many leading bits all its addresses share.
    pub prefix_len: u8,
}

/// Networks come and go with cables and Wi-Fi; for so long, something may be taken for near that isn't any more.
const FRESH: Duration = Duration::from_secs(1);

impl OnLink {
    /// Asks the system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System(Arc::default()))
    }

    /// Takes these networks for local, whatever the system says. Loopback is always local. For simulations.
    #[must_use]
    pub fn fixed(networks: &[Network]) -> Self {
        Self(Source::Fixed(networks.into()))
    }

    /// Whether this address is reached without a router.
    #[must_use]
    pub fn is_lan(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let holds = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        address.is_loopback()
            || match &self.0 {
                Source::Fixed(networks) => holds(networks),
                Source::System(cache) => holds(&refreshed(cache)),
            }
    }
}

/// Whether this computer is in any network at all.
#[must_use]
pub fn has_network() -> bool {
    interfaces().iter().any(|network| !network.address.is_loopback())
}

/// Whether an address may be called from everywhere: neither one of a network of its own nor of a provider's.
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => mapping::is_global(ip),
        // Global unicast (RFC 4291, 2.4), without those of documentation and tunnels being told apart.
        IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000,
    }
}

/// The address this computer has in the network from which its way to the Internet leads. `None`: no way leads there.
#[must_use]
pub fn own_address() -> Option<IpAddr> {
    // Addresses for documentation (RFC 5737, RFC 3849): only the way there is looked up.
    let ipv4 = SocketAddr::from(([192, 0, 2, 1], 9));
    let ipv6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9));
    own_address_towards(ipv4).or_else(|| own_address_towards(ipv6))
}

fn refreshed(cache: &Mutex<Asked>) -> Vec<Network> {
    let mut cache = cache.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match cache.as_ref() {
        Some((asked, networks)) if asked.elapsed() < FRESH => networks.clone(),
        _ => {
            let networks = interfaces();
            *cache = Some((Instant::now(), networks.clone()));
            networks
        }
    }
}

/// The networks this computer is in now. Without an answer from the system: none, so everything is the Internet.
pub(crate) fn interfaces() -> Vec<Network> {
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    found
        .into_iter()
        // Without a cable, an address stays and leads nowhere: packets to it would leave by another way.
        .filter(if_addrs::Interface::is_oper_up)
        .map(|interface| match interface.addr {
            if_addrs::IfAddr::V4(v4) => Network { address: v4.ip.into(), prefix_len: v4.prefixlen },
            if_addrs::IfAddr::V6(v6) => Network { address: v6.ip.into(), prefix_len: v6.prefixlen },
        })
        .collect()
}

/// The address this computer's packets to another one come from. `None`: no way leads there.
pub(crate) fn own_address_towards(other: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = if other.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // Connecting a UDP socket sends nothing; it only looks up the way.
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(other).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        // A network of everything is what some tunnels claim to be.
        if self.prefix_len == 0 {
            return false;
        }
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                self.prefix_len <= 32 && differ.leading_zeros() >= u32::from(self.prefix_len)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                self.prefix_len <= 128 && differ.leading_zeros() >= u32::from(self.prefix_len)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_networks_we_are_in_are_local() {
        let home = OnLink::fixed(&[
            Network { address: ip("192.168.1.7"), prefix_len: 24 },
            Network { address: ip("2001:db8:1::7"), prefix_len: 64 },
            Network { address: ip("10.0.0.1"), prefix_len: 0 },
        ]);
        for local in ["192.168.1.200", "::ffff:192.168.1.200", "2001:db8:1::1", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(home.is_lan(ip(local)), "{local}");
        }
        for remote in ["192.168.2.1", "10.0.0.9", "203.0.113.7", "2001:db8:2::1", "::"] {
            assert!(!home.is_lan(ip(remote)), "{remote}");
        }
    }

    #[test]
    fn addresses_of_homes_and_of_providers_lead_nowhere_from_elsewhere() {
        for global in ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::7"] {
            assert!(is_global(ip(global)), "{global}");
        }
        for other in ["192.168.1.7", "100.64.0.7", "127.0.0.1", "fd00::7", "fe80::7", "::1", "::ffff:10.0.0.1"] {
            assert!(!is_global(ip(other)), "{other}");
        }
    }

    #[test]
    fn loopback_is_local_and_a_documentation_address_is_not() {
        assert!(OnLink::system().is_lan(ip("127.0.0.1")));
        assert!(!OnLink::system().is_lan(ip("203.0.113.7")));
    }
}
