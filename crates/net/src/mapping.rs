//! Asking the router to let calls through to one UDP port: PCP (RFC 6887), NAT-PMP (RFC 6886), UPnP IGD.
//!
//! All of them are asked at the same time and none for long; without a router that maps nothing waits. A mapping is
//! renewed long before it ends and when this computer wakes up, so that it is back soon after a router restarted or we
//! slept, and taken away at the end. A router is a
//! device of somebody: only the default gateway is believed, answers are bounded, and whether its address is one that
//! others can call is looked at here.

mod gateway;
mod igd;
mod pcp;
mod pinhole;

pub use pinhole::Pinhole;

use crate::{NetworkChange, Wakes};
use gateway::Gateway;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Which protocol made a mapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MappedBy {
    /// Port Control Protocol.
    Pcp,
    /// NAT Port Mapping Protocol.
    NatPmp,
    /// UPnP Internet Gateway Device.
    Upnp,
}

/// An address of the router whose packets reach this computer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// Where others call.
    pub external: SocketAddr,
    /// How it came about.
    pub by: MappedBy,
}

/// How things stand with the router.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MappingState {
    /// It is being asked.
    Asking,
    /// This computer has no default gateway.
    NoGateway,
    /// There is a router, and it has no protocol for this, or the protocols are switched off.
    NotOffered,
    /// It has one and said no.
    Refused,
    /// It has no address on the Internet: there is another router before it, or it isn't connected. What it maps, if it
    /// does, nobody can call.
    SecondRouter {
        /// Its address on the other side, if it has told one.
        external: Option<Ipv4Addr>,
    },
    /// It mapped, but its own address is one that an Internet provider shares among customers (RFC 6598).
    CarrierNat {
        /// Its address on the other side.
        external: Ipv4Addr,
    },
    /// Others can call.
    Mapped(Mapping),
}

/// Keeps a mapping, and the way through the router's IPv6 firewall, as long as it exists.
#[derive(Debug)]
pub struct PortMapper {
    state: watch::Receiver<MappingState>,
    pinhole: watch::Receiver<Pinhole>,
    keepers: [(oneshot::Sender<()>, JoinHandle<()>); 2],
}

/// How long a mapping holds, in seconds. Short, so that what isn't taken away goes by itself.
const LEASE_SECS: u32 = 3600;
/// A router that was restarted has forgotten everything. PCP and NAT-PMP cost one packet to ask.
const RENEW_BY_PACKET: Duration = Duration::from_secs(60);
/// UPnP costs a connection.
const RENEW_BY_CONNECTION: Duration = Duration::from_secs(600);
/// A router that didn't map may have been told otherwise meanwhile.
const TRY_AGAIN: Duration = Duration::from_secs(300);
/// How often it is looked whether this computer is in another network now.
const LOOK_AROUND: Duration = Duration::from_secs(5);
/// How long taking the mapping away may take.
const GOODBYE: Duration = Duration::from_secs(1);

impl PortMapper {
    /// Asks for this port, now and again, and when this computer woke up. Needs a running tokio.
    #[must_use]
    pub fn start(port: NonZeroU16, network: &watch::Receiver<NetworkChange>) -> Self {
        let (tell, state) = watch::channel(MappingState::Asking);
        let (tell_pinhole, pinhole) = watch::channel(Pinhole::Asking);
        let (end, ended) = oneshot::channel();
        let mapping = (end, tokio::spawn(keep(gateway::find, port, tell, Wakes::of(network), ended)));
        let (end, ended) = oneshot::channel();
        let hole = (end, tokio::spawn(pinhole::keep(port, tell_pinhole, Wakes::of(network), ended)));
        Self { state, pinhole, keepers: [mapping, hole] }
    }

    /// How things stand now.
    #[must_use]
    pub fn state(&self) -> MappingState {
        *self.state.borrow()
    }

    /// How things stand, as it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<MappingState> {
        self.state.clone()
    }

    /// How things stand with IPv6, as it changes.
    #[must_use]
    pub fn subscribe_pinhole(&self) -> watch::Receiver<Pinhole> {
        self.pinhole.clone()
    }

    /// Takes away what was opened.
    pub async fn close(self) {
        let ending = self.keepers.map(|(end, task)| {
            // Nobody listens if the task is over already.
            let _ = end.send(());
            task
        });
        let [mapping, hole] = ending.map(|task| timeout(GOODBYE, task));
        let _ = tokio::join!(mapping, hole);
    }
}

/// What a router gave, with what renews it.
#[derive(Debug)]
enum Held {
    Pcp(crab_nat::PortMapping),
    Igd(igd::Mapped),
}

impl Held {
    /// Asks once more for the same. `None`: the router doesn't give it any more.
    async fn renewed(self, gateway: &Gateway, port: NonZeroU16) -> Option<Self> {
        Some(match self {
            Self::Pcp(mut mapping) => {
                mapping.renew().await.ok()?;
                Self::Pcp(mapping)
            }
            Self::Igd(mut mapped) => {
                mapped.renew(gateway, port).await.ok()?;
                Self::Igd(mapped)
            }
        })
    }

    async fn state(&self, gateway: &Gateway) -> MappingState {
        match self {
            Self::Pcp(mapping) => judge(pcp::external(gateway, mapping).await, pcp::protocol(mapping)),
            Self::Igd(mapped) => judge(mapped.external().await, MappedBy::Upnp),
        }
    }
}

/// Keeps a mapping until it is told to end, and takes it away then. `look` finds the router.
async fn keep<F: Future<Output = Option<Gateway>>>(
    look: impl Fn() -> F,
    port: NonZeroU16,
    tell: watch::Sender<MappingState>,
    mut wakes: Wakes,
    mut ended: oneshot::Receiver<()>,
) {
    let mut held: Option<Held> = None;
    let mut has_mapped = false;
    let mut wanted = port;
    loop {
        let gateway = look().await;
        let (state, now_held) = match &gateway {
            None => (MappingState::NoGateway, None),
            // The end doesn't interrupt it: what the router is about to give has to be taken away, too.
            Some(gateway) => map(gateway, port, wanted, held.take()).await,
        };
        held = now_held;
        if let MappingState::Mapped(mapping) = state {
            // Who was told this port finds it again.
            wanted = NonZeroU16::new(mapping.external.port()).unwrap_or(port);
        }
        tell.send_if_modified(|known| {
            let is_changed = *known != state;
            if is_changed {
                tracing::info!(state = kind(&state), "the router was asked");
            }
            *known = state;
            is_changed
        });
        has_mapped |= held.is_some();
        tokio::select! {
            () = sleep(again(held.as_ref(), has_mapped)) => {}
            () = wakes.next() => {}
            () = moved(gateway.as_ref(), &look) => (held, has_mapped) = (None, false),
            _ = &mut ended => {
                if let Some(held) = held {
                    remove(held).await;
                }
                return;
            }
        }
    }
}

/// When the router is asked again. `has_mapped`: it did so in this network before, and may be starting just now.
fn again(held: Option<&Held>, has_mapped: bool) -> Duration {
    let again = match held {
        Some(Held::Pcp(mapping)) => RENEW_BY_PACKET.min(Duration::from_secs(u64::from(mapping.lifetime()) / 2)),
        Some(Held::Igd(_)) => RENEW_BY_CONNECTION,
        None if has_mapped => RENEW_BY_PACKET,
        None => TRY_AGAIN,
    };
    again.max(LOOK_AROUND)
}

/// Waits until this computer is in another network, or has another address in it.
async fn moved<T: PartialEq, F: Future<Output = Option<T>>>(before: Option<&T>, look: impl Fn() -> F) {
    loop {
        sleep(LOOK_AROUND).await;
        if look().await.as_ref() != before {
            return;
        }
    }
}

/// Renews what is held, or asks anew by every protocol.
async fn map(
    gateway: &Gateway,
    port: NonZeroU16,
    wanted: NonZeroU16,
    held: Option<Held>,
) -> (MappingState, Option<Held>) {
    if let Some(held) = held
        && let Some(held) = held.renewed(gateway, port).await
    {
        return (held.state(gateway).await, Some(held));
    }
    // Who has it by packet doesn't wait for a device: the first `Err` ends both.
    let by_packet = async {
        match pcp::map(gateway, port, wanted).await {
            Ok(mapping) => Err(mapping),
            Err(answer) => Ok(answer),
        }
    };
    let (answer, device) = match tokio::try_join!(by_packet, async { Ok(igd::find(gateway).await) }) {
        Ok(neither) => neither,
        Err(mapping) => {
            let held = Held::Pcp(mapping);
            return (held.state(gateway).await, Some(held));
        }
    };
    let Some(device) = device else {
        let state = match answer {
            pcp::Answer::Silent => MappingState::NotOffered,
            pcp::Answer::Refused => MappingState::Refused,
            pcp::Answer::Disconnected => MappingState::SecondRouter { external: None },
        };
        return (state, None);
    };
    match device.map(gateway, port, wanted).await {
        Ok(mapped) => {
            let held = Held::Igd(mapped);
            (held.state(gateway).await, Some(held))
        }
        // A router that isn't reachable itself often refuses for this reason alone, and then may hide its address.
        Err(external) => match judge(external.map(|ip| SocketAddr::from((ip, wanted.get()))), MappedBy::Upnp) {
            MappingState::Mapped(_) => (MappingState::Refused, None),
            reason => (reason, None),
        },
    }
}

async fn remove(held: Held) {
    match held {
        Held::Pcp(mapping) => {
            if let Err((error, _)) = mapping.try_drop().await {
                tracing::debug!(%error, "the router keeps the mapping until it ends");
            }
        }
        Held::Igd(mapped) => mapped.remove().await,
    }
}

/// Who can call an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    Everyone,
    Private,
    Carrier,
}

fn reach(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // RFC 6598.
        (100, 64..=127, _) => Reach::Carrier,
        // RFC 7335: what IPv6-only providers hand out for IPv4.
        (192, 0, 0) => Reach::Carrier,
        _ if address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_unspecified()
            || address.is_multicast()
            || address.is_broadcast() =>
        {
            Reach::Private
        }
        _ => Reach::Everyone,
    }
}

/// Whether everyone can call it.
pub(crate) fn is_global(address: Ipv4Addr) -> bool {
    reach(address) == Reach::Everyone
}

/// What an external address means. Without one, the router isn't connected or hides it.
fn judge(external: Option<SocketAddr>, by: MappedBy) -> MappingState {
    let Some(external) = external else { return MappingState::SecondRouter { external: None } };
    match external.ip() {
        IpAddr::V4(ip) => match reach(ip) {
            Reach::Everyone => MappingState::Mapped(Mapping { external, by }),
            Reach::Private => MappingState::SecondRouter { external: Some(ip) },
            Reach::Carrier => MappingState::CarrierNat { external: ip },
        },
        IpAddr::V6(_) => MappingState::Mapped(Mapping { external, by }),
    }
}

/// For the log, which holds no addresses.
const fn kind(state: &MappingState) -> &'static str {
    match state {
        MappingState::Asking => "asking",
        MappingState::NoGateway => "no gateway",
        MappingState::NotOffered => "not offered",
        MappingState::Refused => "refused",
        MappingState::SecondRouter { .. } => "second router",
        MappingState::CarrierNat { .. } => "carrier NAT",
        MappingState::Mapped(_) => "mapped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    #[test]
    fn a_routers_own_address_tells_who_can_call() {
        let state = |ip: &str| judge(Some(format!("{ip}:41234").parse().unwrap()), MappedBy::Pcp);
        let ip = |text: &str| text.parse().unwrap();
        assert!(matches!(state("198.51.100.7"), MappingState::Mapped(_)));
        for private in ["10.0.0.1", "172.31.255.1", "192.168.178.1", "169.254.0.1", "0.0.0.0", "127.0.0.1"] {
            assert_eq!(state(private), MappingState::SecondRouter { external: Some(ip(private)) }, "{private}");
        }
        for shared in ["100.64.0.1", "100.127.255.254", "192.0.0.4"] {
            assert_eq!(state(shared), MappingState::CarrierNat { external: ip(shared) }, "{shared}");
        }
        assert!(matches!(state("100.63.0.1"), MappingState::Mapped(_)));
        assert!(matches!(state("100.128.0.1"), MappingState::Mapped(_)));
        assert_eq!(judge(None, MappedBy::Upnp), MappingState::SecondRouter { external: None });
    }

    /// Of a computer that never sleeps.
    fn awake() -> Wakes {
        Wakes::of(&watch::channel(NetworkChange::default()).1)
    }

    const HERE: Gateway = Gateway { address: Ipv4Addr::LOCALHOST, own: Ipv4Addr::LOCALHOST };
    const PORT: NonZeroU16 = NonZeroU16::new(41_234).unwrap();

    /// A router on this computer, at the port that all of them have (RFC 6887, 9.1). Tests take turns.
    async fn router() -> UdpSocket {
        loop {
            match UdpSocket::bind((HERE.address, crab_nat::GATEWAY_PORT)).await {
                Ok(socket) => return socket,
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// For how many seconds the router is asked next; whether it `answers`, and then it grants that.
    async fn asked(router: &UdpSocket, answers: bool) -> u32 {
        let mut packet = [0; 60];
        let received = timeout(Duration::from_secs(30), router.recv_from(&mut packet)).await;
        let (_, from) = received.expect("there is a question").expect("the socket works");
        let lifetime = u32::from_be_bytes(packet[4..8].try_into().expect("four bytes"));
        // PCP's answer to MAP is what was asked, marked as an answer.
        packet[1] |= 0x80;
        packet[8..24].fill(0);
        if answers {
            router.send_to(&packet, from).await.expect("it is sent");
        }
        lifetime
    }

    #[tokio::test]
    async fn a_mapping_that_is_granted_while_it_ends_is_taken_away() {
        let router = router().await;
        let (tell, state) = watch::channel(MappingState::Asking);
        let (end, ended) = oneshot::channel();
        tokio::spawn(keep(|| std::future::ready(Some(HERE)), PORT, tell, awake(), ended));
        // The first packet got lost: it is sent again.
        assert_eq!(asked(&router, false).await, LEASE_SECS);
        end.send(()).expect("it listens");
        while asked(&router, true).await != 0 {}
        assert!(!matches!(*state.borrow(), MappingState::NotOffered), "it was granted before");
    }

    #[tokio::test]
    async fn a_router_is_asked_as_soon_as_the_computer_wakes_up() {
        let router = router().await;
        let (changes, network) = watch::channel(NetworkChange::default());
        let (tell, mut state) = watch::channel(MappingState::Asking);
        let (_end, ended) = oneshot::channel();
        tokio::spawn(keep(|| std::future::ready(Some(HERE)), PORT, tell, Wakes::of(&network), ended));
        assert_eq!(asked(&router, true).await, LEASE_SECS);
        state.wait_for(|state| *state != MappingState::Asking).await.expect("it says how things stand");
        let begun = std::time::Instant::now();
        changes.send_modify(|change| change.woken += 1);
        assert_eq!(asked(&router, true).await, LEASE_SECS);
        assert!(begun.elapsed() < LOOK_AROUND, "that would have been {RENEW_BY_PACKET:?}");
    }

    #[test]
    fn a_router_that_lost_its_mapping_is_asked_again_within_a_minute() {
        assert_eq!(again(None, true), RENEW_BY_PACKET);
        assert_eq!(again(None, false), TRY_AGAIN);
    }

    #[tokio::test]
    async fn of_two_protocols_the_one_that_says_why_is_believed() {
        const NETWORK_FAILURE: u8 = 7;
        const NOT_AUTHORIZED: u8 = 2;
        let router = router().await;
        let answering = async {
            let mut packet = [0; 60];
            loop {
                let (length, from) = router.recv_from(&mut packet).await.expect("the socket works");
                packet[1] |= 0x80;
                let answer = match packet[0] {
                    // NAT-PMP: version, operation, result, epoch, ports, lifetime (RFC 6886, 3.3).
                    0 => {
                        let ports = [packet[4], packet[5], packet[6], packet[7]];
                        [&[0, packet[1], 0, NOT_AUTHORIZED, 0, 0, 0, 1], &ports[..], &[0; 4]].concat()
                    }
                    _ => {
                        packet[3] = NETWORK_FAILURE;
                        packet[8..24].fill(0);
                        packet[..length].to_vec()
                    }
                };
                router.send_to(&answer, from).await.expect("it is sent");
            }
        };
        tokio::select! {
            answer = pcp::map(&HERE, PORT, PORT) => assert_eq!(answer.err(), Some(pcp::Answer::Disconnected)),
            () = answering => {}
        }
    }
}
