//! Letting calls through the router's IPv6 firewall: PCP MAP (RFC 6887, 11) for addresses of this computer itself.
//!
//! With IPv6 a router changes no address; it is asked to let packets to (address, port) pass. It opens the way for the
//! address that asks, and is itself known by its link-local one. So the question goes from each global address to the
//! link-local address of the router, which no library sends it from: hence these sixty bytes.

use super::{LEASE_SECS, RENEW_BY_PACKET, TRY_AGAIN};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    num::NonZeroU16,
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    sync::{oneshot, watch},
    time::{sleep, timeout},
};

/// How things stand with the router's IPv6 firewall.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pinhole {
    /// The router is being asked.
    Asking,
    /// This computer has no default gateway for IPv6, or no address others could call.
    NoGateway,
    /// There is a router, and it opened nothing: it has no PCP, or said no.
    Closed,
    /// Calls to this computer's own address pass.
    Open,
}

/// Tells one request from another (RFC 6887, 11.1).
type Nonce = [u8; 12];

/// The router and this computer's addresses behind it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Behind {
    router: SocketAddrV6,
    own: Vec<Ipv6Addr>,
}

const VERSION: u8 = 2;
const MAP: u8 = 1;
const IS_ANSWER: u8 = 0x80;
const UDP: u8 = 17;
const SUCCESS: u8 = 0;
const CANNOT_PROVIDE_EXTERNAL: u8 = 11;
const LENGTH: usize = 60;
/// A router in the same network answers within milliseconds.
const PATIENCE: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];
/// Addresses that change for privacy add up; the system uses the first ones.
const ADDRESSES_MAX: usize = 4;
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// Keeps the way open for each address until it is told to end, and closes it then.
pub(super) async fn keep(port: NonZeroU16, tell: watch::Sender<Pinhole>, mut ended: oneshot::Receiver<()>) {
    // The same nonce asks for the same hole again, and takes it away.
    let mut nonces: BTreeMap<Ipv6Addr, Nonce> = BTreeMap::new();
    loop {
        let behind = find().await;
        let mut lifetime = None;
        if let Some(behind) = &behind {
            nonces.retain(|address, _| behind.own.contains(address));
            for own in &behind.own {
                let nonce = nonces.entry(*own).or_insert_with(new_nonce);
                let granted = tokio::select! {
                    granted = ask(behind.router, *own, port, *nonce, LEASE_SECS) => granted,
                    _ = &mut ended => return,
                };
                lifetime = lifetime.max(granted);
            }
        }
        let state = match (&behind, lifetime) {
            (None, _) => Pinhole::NoGateway,
            (Some(_), None) => Pinhole::Closed,
            (Some(_), Some(_)) => Pinhole::Open,
        };
        if tell.send_replace(state) != state {
            tracing::info!(?state, "the router was asked for IPv6");
        }
        let again = lifetime.map_or(TRY_AGAIN, |secs| RENEW_BY_PACKET.min(Duration::from_secs(u64::from(secs) / 2)));
        tokio::select! {
            () = sleep(again.max(LOOK_AROUND)) => {}
            () = moved(behind.as_ref()) => {}
            _ = &mut ended => {
                if let Some(behind) = behind.filter(|_| state == Pinhole::Open) {
                    for (own, nonce) in nonces {
                        let _ = ask(behind.router, own, port, nonce, 0).await;
                    }
                }
                return;
            }
        }
    }
}

async fn moved(before: Option<&Behind>) {
    loop {
        sleep(LOOK_AROUND).await;
        if find().await.as_ref() != before {
            return;
        }
    }
}

/// Looks for the router, which may take a moment.
async fn find() -> Option<Behind> {
    let look = || {
        netdev::get_interfaces().into_iter().find_map(|interface| {
            let router = *interface.gateway.as_ref()?.ipv6.first()?;
            let mut own: Vec<Ipv6Addr> = interface.ipv6.iter().map(|net| net.addr()).filter(is_global).collect();
            own.truncate(ADDRESSES_MAX);
            let scope = if router.is_unicast_link_local() { interface.index } else { 0 };
            let router = SocketAddrV6::new(router, crab_nat::GATEWAY_PORT, 0, scope);
            (!own.is_empty()).then_some(Behind { router, own })
        })
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

/// Global unicast (RFC 4291, 2.4).
fn is_global(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xe000 == 0x2000
}

fn new_nonce() -> Nonce {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).expect("the system gives random bytes, or nothing here is safe");
    nonce
}

/// Asks for one hole; for how many seconds it was given. A lifetime of 0 takes it away.
async fn ask(router: SocketAddrV6, own: Ipv6Addr, port: NonZeroU16, nonce: Nonce, lifetime: u32) -> Option<u32> {
    let socket = UdpSocket::bind((own, 0)).await.ok()?;
    let question = question(own, port, nonce, lifetime);
    for patience in PATIENCE {
        socket.send_to(&question, SocketAddr::V6(router)).await.ok()?;
        let answered = async {
            let mut bytes = [0; 1100];
            loop {
                let (length, from) = socket.recv_from(&mut bytes).await.ok()?;
                // Whoever repeats the nonce saw the question; only the router is believed all the same.
                if from.ip() == IpAddr::V6(*router.ip())
                    && let Some(answer) = answer(&bytes[..length], port, nonce)
                {
                    return Some(answer);
                }
            }
        };
        match timeout(patience, answered).await {
            Ok(Some(Ok(granted))) => return Some(granted),
            Ok(Some(Err(code))) => {
                tracing::debug!(code, "no pinhole by PCP");
                return None;
            }
            // Where nothing listens the system says so.
            Ok(None) => return None,
            Err(_) => {}
        }
    }
    None
}

fn question(own: Ipv6Addr, port: NonZeroU16, nonce: Nonce, lifetime: u32) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    (bytes[0], bytes[1]) = (VERSION, MAP);
    bytes[4..8].copy_from_slice(&lifetime.to_be_bytes());
    bytes[8..24].copy_from_slice(&own.octets());
    bytes[24..36].copy_from_slice(&nonce);
    bytes[36] = UDP;
    bytes[40..42].copy_from_slice(&port.get().to_be_bytes());
    // Nothing is translated: outside it is the same port and address.
    bytes[42..44].copy_from_slice(&port.get().to_be_bytes());
    bytes[44..60].copy_from_slice(&own.octets());
    bytes
}

/// For how many seconds the router lets calls in, or the code by which it refuses. `None`: it is no answer to this.
fn answer(bytes: &[u8], port: NonZeroU16, nonce: Nonce) -> Option<Result<u32, u8>> {
    let is_ours = bytes.len() >= LENGTH
        && bytes[..2] == [VERSION, MAP | IS_ANSWER]
        && bytes[24..36] == nonce
        && bytes[36] == UDP
        && bytes[40..42] == port.get().to_be_bytes();
    if !is_ours {
        return None;
    }
    match bytes[3] {
        // Behind another port nobody would call.
        SUCCESS if bytes[42..44] != port.get().to_be_bytes() => Some(Err(CANNOT_PROVIDE_EXTERNAL)),
        SUCCESS => Some(Ok(u32::from_be_bytes(bytes[4..8].try_into().expect("four bytes")))),
        code => Some(Err(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = [7; 12];
    const OWN: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);
    const PORT: NonZeroU16 = NonZeroU16::new(41_234).unwrap();

    fn granted() -> [u8; LENGTH] {
        let mut answer = question(OWN, PORT, NONCE, 3600);
        answer[1] |= IS_ANSWER;
        answer
    }

    #[test]
    fn a_question_is_laid_out_as_rfc_6887_has_it() {
        let bytes = question(OWN, PORT, NONCE, 3600);
        assert_eq!(bytes[..8], [2, 1, 0, 0, 0, 0, 0x0e, 0x10]);
        assert_eq!(bytes[8..24], OWN.octets());
        assert_eq!(bytes[36..44], [17, 0, 0, 0, 0xa1, 0x12, 0xa1, 0x12]);
        assert_eq!(bytes[44..], OWN.octets());
    }

    #[test]
    fn only_an_answer_to_this_question_counts() {
        assert_eq!(answer(&granted(), PORT, NONCE), Some(Ok(3600)));
        assert_eq!(answer(&question(OWN, PORT, NONCE, 3600), PORT, NONCE), None, "that is the question");
        assert_eq!(answer(&granted(), PORT, [8; 12]), None);
        assert_eq!(answer(&granted()[..59], PORT, NONCE), None);
        let mut other_port = granted();
        other_port[41] += 1;
        assert_eq!(answer(&other_port, PORT, NONCE), None);
    }

    #[test]
    fn a_refusal_and_another_port_are_no_way_in() {
        let mut refused = granted();
        refused[3] = 2;
        assert_eq!(answer(&refused, PORT, NONCE), Some(Err(2)));
        let mut elsewhere = granted();
        elsewhere[43] += 1;
        assert_eq!(answer(&elsewhere, PORT, NONCE), Some(Err(CANNOT_PROVIDE_EXTERNAL)));
    }
}
