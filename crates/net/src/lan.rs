//! Being found in the local network: DNS-SD (RFC 6763) over multicast DNS (RFC 6762), service `_tandem._udp`.
//!
//! | record | holds |
//! |---|---|
//! | instance and host name | [`LanName`]: 64 bits of a hash of the server's key, so that no two are alike |
//! | TXT `n` | the server's name, for people |
//! | TXT `k` | the knock key of the local network, new at every start, in hexadecimal digits |
//!
//! Nothing here is secret, and nothing is proven: whoever is in the network can announce what they like. A wrong
//! address leads nowhere, because the key is pinned or the password proves it. The service ID and the server ID never
//! leave this way.

mod announce;
mod browse;
mod seen;

pub use announce::Announcement;
pub use browse::LanBrowser;

use crate::{KnockKey, OnLink};
use identity::{PublicKey, ServerName};
use mdns_sd::{ResolvedService, ScopedIp};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    net::{IpAddr, SocketAddr, SocketAddrV6},
    str::FromStr,
};

/// The service type, with the domain of the local network.
const SERVICE: &str = "_tandem._udp.local.";
const NAME_KEY: &str = "n";
const KNOCK_KEY: &str = "k";
/// More addresses than a computer has; a record with more isn't tried to its end.
const ADDRESSES_MAX: usize = 8;

/// Which server it is, for whoever knows its key already: 64 bits of a hash of the key, 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LanName([u8; 8]);

impl LanName {
    /// The name of the server with this key.
    #[must_use]
    pub fn of(server: &PublicKey) -> Self {
        let digest = Sha256::new().chain_update(b"tandem lan 1\0").chain_update(server.spki()).finalize();
        Self(digest[..8].try_into().expect("SHA-256 has 32 bytes"))
    }

    /// From the full name of an instance, as the network writes it.
    pub(crate) fn of_instance(fullname: &str) -> Option<Self> {
        let (instance, service) = fullname.split_once('.')?;
        if service.eq_ignore_ascii_case(SERVICE) { instance.parse().ok() } else { None }
    }
}

impl fmt::Display for LanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no [`LanName`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a server in the network is named by 16 hexadecimal digits")]
pub struct NotALanName;

impl FromStr for LanName {
    type Err = NotALanName;

    fn from_str(text: &str) -> Result<Self, NotALanName> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_hex).ok_or(NotALanName)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// A server that announces itself in the local network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LanServer {
    /// Which server.
    pub id: LanName,
    /// What it is called.
    pub name: ServerName,
    /// What opens its port from here.
    pub knock: KnockKey,
    /// Where it is, on-link addresses only.
    pub addresses: Vec<SocketAddr>,
    /// It doesn't answer any more.
    pub is_stale: bool,
}

impl LanServer {
    /// Reads what the network says; `None` if it isn't one of ours or can't be called from here.
    fn read(service: &ResolvedService, on_link: &OnLink) -> Option<Self> {
        let id = LanName::of_instance(service.get_fullname())?;
        let name = ServerName::parse(service.get_property_val_str(NAME_KEY)?).ok()?;
        let knock = KnockKey::from_hex(service.get_property_val_str(KNOCK_KEY)?)?;
        let mut addresses: Vec<SocketAddr> = service
            .get_addresses()
            .iter()
            .map(|address| scoped(address, service.get_port()))
            .filter(|address| !address.ip().is_loopback() && on_link.is_lan(address.ip()))
            .collect();
        addresses.sort_by_key(|address| (is_link_local(address.ip()), *address));
        addresses.truncate(ADDRESSES_MAX);
        let is_usable = service.get_port() != 0 && !addresses.is_empty();
        is_usable.then_some(Self { id, name, knock, addresses, is_stale: false })
    }
}

fn scoped(address: &ScopedIp, port: u16) -> SocketAddr {
    match address {
        ScopedIp::V6(v6) if is_link_local((*v6.addr()).into()) => {
            SocketAddrV6::new(*v6.addr(), port, 0, v6.scope_id().index).into()
        }
        address => SocketAddr::new(address.to_ip_addr(), port),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Why the local network can't be listened to.
#[derive(Debug, thiserror::Error)]
#[error("multicast DNS is not possible here")]
pub struct LanError(#[from] mdns_sd::Error);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;
    use identity::IdentityKey;
    use mdns_sd::ServiceInfo;

    fn home() -> OnLink {
        OnLink::fixed(&[Network { address: "192.168.1.7".parse().unwrap(), prefix_len: 24 }])
    }

    fn said(instance: &str, addresses: &str, txt: &[(&str, &str)]) -> Option<LanServer> {
        let host = format!("tandem-{instance}.local.");
        let info = ServiceInfo::new(SERVICE, instance, &host, addresses, 4433, txt).unwrap();
        LanServer::read(&info.as_resolved_service(), &home())
    }

    const KNOCK: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn a_name_belongs_to_one_key_and_is_read_back() {
        let (one, other) = (IdentityKey::generate().public(), IdentityKey::generate().public());
        assert_eq!(LanName::of(&one), LanName::of(&one));
        assert_ne!(LanName::of(&one), LanName::of(&other));
        assert_eq!(LanName::of(&one).to_string().parse(), Ok(LanName::of(&one)));
        for wrong in ["", "0123", "+123456789abcdef", "0123456789abcdefg", "0123456789abcdeg"] {
            assert_eq!(wrong.parse::<LanName>(), Err(NotALanName), "{wrong}");
        }
    }

    #[test]
    fn a_server_is_read_with_the_addresses_that_are_in_this_network() {
        let server = said(
            "0123456789abcdef",
            "203.0.113.9,127.0.0.1,192.168.1.20",
            &[("n", "Büro-PC (1. Stock)"), ("k", KNOCK)],
        );
        let server = server.unwrap();
        assert_eq!(server.name.as_str(), "Büro-PC (1. Stock)");
        assert_eq!(server.addresses, ["192.168.1.20:4433".parse().unwrap()]);
        assert_eq!(server.knock, KnockKey::from_hex(KNOCK).unwrap());
    }

    #[test]
    fn what_is_not_a_server_of_ours_is_left_out() {
        let good = [("n", "Office PC"), ("k", KNOCK)];
        assert!(said("0123456789abcdef", "192.168.1.20", &good).is_some());
        assert!(said("Office PC", "192.168.1.20", &good).is_none(), "an instance name that is no hash");
        assert!(said("0123456789abcdef", "203.0.113.9", &good).is_none(), "no address in this network");
        assert!(said("0123456789abcdef", "192.168.1.20", &good[..1]).is_none(), "no knock key");
        assert!(said("0123456789abcdef", "192.168.1.20", &good[1..]).is_none(), "no name");
        assert!(said("0123456789abcdef", "192.168.1.20", &[("n", "\u{1b}[2J"), ("k", KNOCK)]).is_none());
        assert!(said("0123456789abcdef", "192.168.1.20", &[("n", "Office PC"), ("k", "00")]).is_none());
    }
}
