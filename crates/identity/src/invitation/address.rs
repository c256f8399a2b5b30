//! Where a server may be found. All of it comes from strangers' files, so every form is narrow.

use crate::PublicKey;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// An address at which the server may be: a number, never a name, so that reading an invitation asks nobody anything.
/// Loopback and private addresses are allowed; whether to try them is decided where the client is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hint(SocketAddr);

impl Hint {
    /// Takes an address that one computer can send to: no multicast, broadcast or unspecified address, no scope, and a
    /// port an ordinary program may have.
    #[must_use]
    pub fn new(address: SocketAddr) -> Option<Self> {
        if let SocketAddr::V6(v6) = address
            && (v6.scope_id() != 0 || v6.flowinfo() != 0)
        {
            return None;
        }
        let ip = address.ip().to_canonical();
        let has_one_receiver = match ip {
            IpAddr::V4(v4) => !v4.is_broadcast() && !v4.is_multicast() && v4.octets()[0] != 0,
            // A link-local address means something only together with an interface of the sender.
            IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unspecified() && !v6.is_unicast_link_local(),
        };
        (has_one_receiver && address.port() >= 1024).then(|| Self(SocketAddr::new(ip, address.port())))
    }

    /// Reads `203.0.113.7:41234` or `[2001:db8::1]:41234`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::new)
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A computer with a fixed place and a port on it: `rdv.example:41235`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// Reads `host:port`; the host is a DNS name or an address (IPv6 in brackets).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            let hint = Hint::new(address)?;
            let host = match hint.address().ip() {
                IpAddr::V4(v4) => v4.to_string(),
                IpAddr::V6(v6) => format!("[{v6}]"),
            };
            return Some(Self { host, port: address.port() });
        }
        let (host, port) = text.rsplit_once(':')?;
        Some(Self { host: dns_name(host)?, port: port_number(port)? })
    }

    /// The name or address, IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// A switchboard the server is connected to, with the key that shows it is the right one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rendezvous {
    /// Where it is.
    pub address: HostPort,
    /// Who it is.
    pub key: PublicKey,
}

impl Rendezvous {
    /// Reads `host:port=key`, as [`Display`](fmt::Display) writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, key) = text.split_once('=')?;
        Some(Self { address: HostPort::parse(address)?, key: key.parse().ok()? })
    }
}

impl fmt::Display for Rendezvous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.address, self.key)
    }
}

impl TryFrom<String> for Rendezvous {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a rendezvous is written HOST:PORT=KEY")
    }
}

impl From<Rendezvous> for String {
    fn from(rendezvous: Rendezvous) -> Self {
        rendezvous.to_string()
    }
}

/// The host of a directory, reached by https only and only after the user said so: `directory.example` or
/// `directory.example:8443`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Directory {
    host: String,
    port: Option<u16>,
}

impl Directory {
    /// Reads a DNS name, with a port if it isn't 443.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.rsplit_once(':') {
            None => Some(Self { host: dns_name(text)?, port: None }),
            Some((host, port)) => {
                let port = port_number(port)?;
                Some(Self { host: dns_name(host)?, port: (port != 443).then_some(port) })
            }
        }
    }

    /// The address that requests go to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{self}/")
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn port_number(text: &str) -> Option<u16> {
    // `parse` alone would take "+443".
    let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// A DNS name in lower case: at least two labels, so that no name of the reader's own network is asked.
fn dns_name(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let label_is_good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<&str> = name.split('.').collect();
    let last_is_number = labels.last().is_some_and(|label| label.bytes().all(|c| c.is_ascii_digit()));
    let good = name.len() <= 253 && labels.len() >= 2 && labels.iter().all(|l| label_is_good(l)) && !last_is_number;
    good.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_an_address_of_one_computer() {
        for good in ["203.0.113.7:41234", "[2001:db8::1]:41234", "127.0.0.1:40000", "192.168.1.5:1024", "[::1]:40000"] {
            assert_eq!(Hint::parse(good).expect(good).to_string(), good);
        }
        for bad in [
            "host.example:41234",
            "0.0.0.0:41234",
            "255.255.255.255:41234",
            "224.0.0.251:5353",
            "[ff02::fb]:5353",
            "[fe80::1%2]:41234",
            "[::ffff:224.0.0.1]:41234",
            "203.0.113.7:22",
            "203.0.113.7:0",
            "203.0.113.7",
            "",
        ] {
            assert_eq!(Hint::parse(bad), None, "{bad}");
        }
        assert_eq!(Hint::parse("[::ffff:203.0.113.7]:41234"), Hint::parse("203.0.113.7:41234"));
    }

    #[test]
    fn a_directory_is_a_bare_host() {
        let directory = Directory::parse("Directory.Example:8443").expect("a host and port");
        assert_eq!(directory.url(), "https://directory.example:8443/");
        assert_eq!(Directory::parse("directory.example:443"), Directory::parse("directory.example"));
        for bad in [
            "https://a.example",
            "a.example/x",
            "user@a.example",
            "localhost",
            "10.0.0.1",
            "a..example",
            "-a.example",
            "a.example:",
            "a.example:+1",
            "a.example:0",
            "ä.example",
        ] {
            assert_eq!(Directory::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_rendezvous_has_a_name_or_an_address() {
        for good in ["rdv.example:41235", "203.0.113.9:41235", "[2001:db8::9]:41235"] {
            assert_eq!(HostPort::parse(good).expect(good).to_string(), good);
            let rendezvous = Rendezvous {
                address: HostPort::parse(good).expect(good),
                key: crate::IdentityKey::from_seed(&[1; 32]).public(),
            };
            assert_eq!(Rendezvous::parse(&rendezvous.to_string()), Some(rendezvous));
        }
        for bad in ["rdv.example", "rdv:1", "224.0.0.1:4000", "rdv.example:99999"] {
            assert_eq!(HostPort::parse(bad), None, "{bad}");
        }
    }
}
