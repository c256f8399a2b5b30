//! Peer names: where a server is now, found by those who know it, through nobody's server.
//!
//! The record lies in the Mainline DHT under a key that only the service ID gives, another one each day (UTC). So those
//! who store it can't tell whose it is, nor that yesterday's was the same server's. It is encrypted, and **signed inside
//! by the server's key**: holders of the service ID can read it and at worst overwrite it, but nobody can forge it. The
//! signature covers day and sequence number, so an old record can't come back as a new one.
//!
//! A server publishes today's record, near midnight also the neighbouring day's, each hour and at every change. A reader asks
//! for today and the days beside it, because clocks differ, takes the first valid answer and goes on listening for
//! newer ones.

use crate::{
    Source,
    dht::{CONTENT_MAX, Dht, DhtError, Found, ValueKeys},
};
use identity::{HostPort, IdentityKey, PublicKey, Rendezvous, ServiceId, Signature, Statement};
use sha2::Sha256;
use std::net::{IpAddr, SocketAddr};
use tokio::sync::mpsc;

/// What a server says of where it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PeerName {
    /// Whether it synchronizes over the Internet.
    pub internet: bool,
    /// Its addresses, at most [`CANDIDATES_MAX`](Self::CANDIDATES_MAX).
    pub candidates: Vec<(Source, SocketAddr)>,
    /// Switchboards it is connected to, at most [`RENDEZVOUS_MAX`](Self::RENDEZVOUS_MAX).
    pub rendezvous: Vec<Rendezvous>,
}

const FORM: u8 = 1;
const SUBJECT: &[u8] = b"peer name\0";
const DAY_SECS: u64 = 86_400;
/// How long before midnight the next day's record is there already, and after it the last day's is still renewed.
const NEAR_MIDNIGHT_SECS: u64 = 2 * 3600;

impl PeerName {
    /// Most addresses.
    pub const CANDIDATES_MAX: usize = crate::candidates::NAMED_MAX;
    /// Most switchboards.
    pub const RENDEZVOUS_MAX: usize = 2;

    /// The signed content of the day's record.
    pub(crate) fn sign(&self, key: &IdentityKey, service_id: &ServiceId, day: u64, seq: i64) -> Vec<u8> {
        let mut bytes = vec![FORM, u8::from(self.internet)];
        bytes.extend_from_slice(&seq.to_be_bytes());
        let candidates = &self.candidates[..self.candidates.len().min(Self::CANDIDATES_MAX)];
        bytes.push(candidates.len() as u8);
        for (source, address) in candidates {
            bytes.push(source_number(*source));
            match address.ip().to_canonical() {
                IpAddr::V4(ip) => {
                    bytes.push(4);
                    bytes.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(6);
                    bytes.extend_from_slice(&ip.octets());
                }
            }
            bytes.extend_from_slice(&address.port().to_be_bytes());
        }
        // The longest names of all, with their ports, don't fit the length byte; nobody has one.
        let rendezvous = self.rendezvous.iter().map(|known| (known.address.to_string(), known.key));
        let rendezvous: Vec<_> =
            rendezvous.filter(|(address, _)| address.len() <= 255).take(Self::RENDEZVOUS_MAX).collect();
        bytes.push(rendezvous.len() as u8);
        for (address, key) in rendezvous {
            bytes.push(address.len() as u8);
            bytes.extend_from_slice(address.as_bytes());
            bytes.extend_from_slice(key.as_bytes());
        }
        let signature = key.sign(Statement::Record, &statement(service_id, day, &bytes));
        bytes.extend_from_slice(&signature.0);
        bytes
    }

    /// Reads a day's record; `None` for what this server didn't say on this day.
    pub(crate) fn read(bytes: &[u8], server: &PublicKey, service_id: &ServiceId, day: u64) -> Option<(i64, Self)> {
        let (form, signature) = bytes.split_last_chunk::<64>()?;
        server.verify(Statement::Record, &statement(service_id, day, form), &Signature(*signature)).ok()?;
        let mut reader = Reader(form);
        if reader.byte()? != FORM {
            return None;
        }
        let internet = reader.byte()? & 1 == 1;
        let seq = i64::from_be_bytes(reader.chunk()?);
        let mut peer_name = Self { internet, ..Self::default() };
        for _ in 0..reader.byte()? {
            let source = source_of(reader.byte()?);
            let ip = match reader.byte()? {
                4 => IpAddr::from(reader.chunk::<4>()?),
                6 => IpAddr::from(reader.chunk::<16>()?),
                _ => return None,
            };
            let port = u16::from_be_bytes(reader.chunk()?);
            // Also the right server's word doesn't make this computer send to everybody or to itself as nobody.
            let hint = identity::Hint::new(SocketAddr::new(ip, port));
            if let (Some(source), Some(hint), true) = (source, hint, peer_name.candidates.len() < Self::CANDIDATES_MAX)
            {
                peer_name.candidates.push((source, hint.address()));
            }
        }
        for _ in 0..reader.byte()? {
            let len = reader.byte()?;
            let address = HostPort::parse(std::str::from_utf8(reader.bytes(usize::from(len))?).ok()?)?;
            let key = PublicKey::from_bytes(&reader.chunk()?).ok()?;
            if peer_name.rendezvous.len() < Self::RENDEZVOUS_MAX {
                peer_name.rendezvous.push(Rendezvous { address, key });
            }
        }
        Some((seq, peer_name))
    }
}

/// Stores what the server says of itself for everybody who knows its service ID. `seq` grows with every call.
pub async fn publish(
    dht: &Dht,
    key: &IdentityKey,
    service_id: &ServiceId,
    peer_name: &PeerName,
    seq: i64,
    now_unix_secs: u64,
) -> Result<(), DhtError> {
    let mut result = Ok(());
    for day in days_to_publish(now_unix_secs) {
        let content = peer_name.sign(key, service_id, day, seq);
        let stored = dht.put(&keys_of(service_id, day), &content, seq).await;
        result = result.and(stored);
    }
    result
}

/// Looks for what the server says of itself: the first valid answer, and then only newer ones. The channel closes when
/// no more answers will come; dropping it ends the search.
#[must_use]
pub fn find(dht: &Dht, server: PublicKey, service_id: ServiceId, now_unix_secs: u64) -> mpsc::Receiver<PeerName> {
    let today = now_unix_secs / DAY_SECS;
    let days = [today, today + 1, today.saturating_sub(1)];
    let mut answers = dht.get(days.iter().map(|day| keys_of(&service_id, *day)).collect());
    let (newest, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut seq_seen = i64::MIN;
        loop {
            let (which, Found { seq, content, .. }) = tokio::select! {
                answer = answers.recv() => match answer {
                    Some(answer) => answer,
                    None => return,
                },
                () = newest.closed() => return,
            };
            let read = content.and_then(|content| PeerName::read(&content, &server, &service_id, days[which]));
            match read {
                // Both are signed, by different keys: a holder of the service ID could pair an old one with a new one.
                Some((signed_seq, peer_name)) if signed_seq == seq && seq > seq_seen => {
                    seq_seen = seq;
                    if newest.send(peer_name).await.is_err() {
                        return;
                    }
                }
                _ => {}
            }
        }
    });
    receiver
}

/// The sequence number to publish with: never one that was used before, also when the clock was set back.
#[must_use]
pub fn next_seq(last: i64, now_unix_secs: u64) -> i64 {
    i64::try_from(now_unix_secs).unwrap_or(i64::MAX).max(last.saturating_add(1))
}

fn days_to_publish(now_unix_secs: u64) -> Vec<u64> {
    let (today, into) = (now_unix_secs / DAY_SECS, now_unix_secs % DAY_SECS);
    let mut days = vec![today];
    if into >= DAY_SECS - NEAR_MIDNIGHT_SECS {
        days.push(today + 1);
    } else if into < NEAR_MIDNIGHT_SECS {
        days.push(today.saturating_sub(1));
    }
    days
}

fn keys_of(service_id: &ServiceId, day: u64) -> ValueKeys {
    let hkdf = hkdf::Hkdf::<Sha256>::new(Some(b"tandem peer name 1"), service_id.as_bytes());
    let derive = |purpose: &[u8]| {
        let mut key = [0; 32];
        hkdf.expand_multi_info(&[purpose, &day.to_be_bytes()], &mut key).expect("32 bytes are within what HKDF gives");
        key
    };
    ValueKeys { signing_seed: derive(b"key"), secret: derive(b"secret") }
}

pub(crate) fn statement(service_id: &ServiceId, day: u64, form: &[u8]) -> Vec<u8> {
    [SUBJECT, service_id.as_bytes(), &day.to_be_bytes(), form].concat()
}

const SOURCES: [Source; 6] =
    [Source::Interface, Source::Ipv6, Source::Mapping, Source::Observed, Source::Fixed, Source::Relay];

/// The number on the wire, which never changes its meaning.
fn source_number(source: Source) -> u8 {
    // What was seen in the local network is an interface's address to everybody else.
    SOURCES.iter().position(|known| *known == source).unwrap_or(0) as u8 + 1
}

fn source_of(number: u8) -> Option<Source> {
    SOURCES.get(usize::from(number.checked_sub(1)?)).copied()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// The longest content of a record: everything at its bound.
const LONGEST: usize =
    2 + 8 + 1 + PeerName::CANDIDATES_MAX * (2 + 16 + 2) + 1 + PeerName::RENDEZVOUS_MAX * (1 + 255 + 32) + 64;
const _: () = assert!(LONGEST <= CONTENT_MAX, "a record always fits into a value of the DHT");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 20_600;

    fn office() -> (IdentityKey, ServiceId, PeerName) {
        let key = IdentityKey::from_seed(&[1; 32]);
        let rendezvous = Rendezvous {
            address: HostPort::parse("rdv.example:41235").expect("a host and port"),
            key: IdentityKey::from_seed(&[2; 32]).public(),
        };
        let candidates = vec![
            (Source::Interface, "192.168.1.7:40000".parse().expect("an address")),
            (Source::Ipv6, "[2001:db8::7]:40000".parse().expect("an address")),
            (Source::Mapping, "203.0.113.7:41000".parse().expect("an address")),
        ];
        (key, ServiceId::from_bytes([9; 16]), PeerName { internet: true, candidates, rendezvous: vec![rendezvous] })
    }

    #[test]
    fn a_record_is_read_back_by_those_who_expect_it() {
        let (key, id, said) = office();
        let bytes = said.sign(&key, &id, DAY, 77);
        assert_eq!(PeerName::read(&bytes, &key.public(), &id, DAY), Some((77, said)));
        let other = IdentityKey::from_seed(&[3; 32]).public();
        assert_eq!(PeerName::read(&bytes, &other, &id, DAY), None, "another server");
        assert_eq!(PeerName::read(&bytes, &key.public(), &ServiceId::from_bytes([8; 16]), DAY), None);
        assert_eq!(PeerName::read(&bytes, &key.public(), &id, DAY + 1), None, "yesterday's word");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(PeerName::read(&changed, &key.public(), &id, DAY), None, "byte {at}");
        }
    }

    #[test]
    fn another_day_or_service_id_has_nothing_in_common() {
        let id = ServiceId::from_bytes([9; 16]);
        let public = |id: &ServiceId, day| keys_of(id, day).public();
        assert_ne!(public(&id, DAY), public(&id, DAY + 1));
        assert_ne!(public(&id, DAY), public(&ServiceId::from_bytes([8; 16]), DAY));
        assert_ne!(keys_of(&id, DAY).secret, keys_of(&id, DAY + 1).secret);
        assert_ne!(keys_of(&id, DAY).signing_seed, keys_of(&id, DAY).secret);
    }

    #[test]
    fn the_neighbouring_day_is_published_around_midnight() {
        let midnight = DAY * DAY_SECS;
        assert_eq!(days_to_publish(midnight + 12 * 3600), [DAY]);
        assert_eq!(days_to_publish(midnight + DAY_SECS - 60), [DAY, DAY + 1]);
        assert_eq!(days_to_publish(midnight + 60), [DAY, DAY - 1]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lower_the_sequence() {
        assert_eq!(next_seq(0, 1_700_000_000), 1_700_000_000);
        assert_eq!(next_seq(1_700_000_000, 1_700_000_000), 1_700_000_001);
        assert_eq!(next_seq(1_800_000_000, 1_700_000_000), 1_800_000_001);
    }

    #[test]
    fn the_servers_word_makes_nobody_send_to_everybody() {
        let (key, id, mut said) = office();
        for bad in ["255.255.255.255:40000", "224.0.0.251:5353", "203.0.113.7:22", "0.0.0.0:40000"] {
            said.candidates.push((Source::Fixed, bad.parse().expect("an address")));
        }
        let bytes = said.sign(&key, &id, DAY, 1);
        let (_, read) = PeerName::read(&bytes, &key.public(), &id, DAY).expect("its own word");
        assert_eq!(read.candidates.len(), 3);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let key = IdentityKey::from_seed(&[1; 32]);
            let id = ServiceId::from_bytes([9; 16]);
            // Signed, so that what is behind the signature is reached.
            let signature = key.sign(Statement::Record, &statement(&id, DAY, &bytes));
            let _ = PeerName::read(&[bytes.as_slice(), &signature.0].concat(), &key.public(), &id, DAY);
        }
    }
}
