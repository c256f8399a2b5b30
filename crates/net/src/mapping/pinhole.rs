//! Letting calls through the router's IPv6 firewall: PCP MAP (RFC 6887, 11) for addresses of this computer itself.
//!
//! With IPv6 a router changes no address; it is asked to let packets to (address, port) pass. It opens the way for the
//! address that asks, and is itself known by its link-local one. So the question goes from each global address to the
//! link-local address of the router, which no library sends it from: hence these sixty bytes.

use super::{LEASE_SECS, LOOK_AROUND, RENEW_BY_PACKET, TRY_AGAIN, moved};
use crate::{Wakes, on_link::is_global};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    num::NonZeroU16,
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    sync::{oneshot, watch},
    task::JoinSet,
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

/// What a router is asked for one of this computer's addresses.
#[derive(Debug)]
struct Hole {
    router: SocketAddrV6,
    /// The same asks for the same hole again, and takes it away.
    nonce: Nonce,
    /// It was granted, or the answer isn't here yet.
    may_be_open: bool,
}

/// What a router said to a question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    /// Calls pass, for so many seconds.
    Open(u32),
    /// Calls to another port would pass, where nobody calls.
    Elsewhere,
    /// It said no, with this code (RFC 6887, 7.4).
    Refused(u8),
}

const VERSION: u8 = 2;
const MAP: u8 = 1;
const IS_ANSWER: u8 = 0x80;
const UDP: u8 = 17;
const SUCCESS: u8 = 0;
const LENGTH: usize = 60;
/// A router in the same network answers within milliseconds.
const PATIENCE: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];
/// Addresses that change for privacy add up; the system uses the first ones.
const ADDRESSES_MAX: usize = 4;

/// Keeps the way open for each address until it is told to end, and closes it then.
pub(super) async fn keep(port: NonZeroU16, tell: watch::Sender<Pinhole>, wakes: Wakes, ended: oneshot::Receiver<()>) {
    keep_behind(find, port, tell, wakes, ended).await;
}

/// The same; `look` finds the router.
async fn keep_behind<F: Future<Output = Option<Behind>>>(
    look: impl Fn() -> F,
    port: NonZeroU16,
    tell: watch::Sender<Pinhole>,
    wakes: Wakes,
    ended: oneshot::Receiver<()>,
) {
    let mut holes = BTreeMap::new();
    tokio::select! {
        () = hold(look, port, &tell, wakes, &mut holes) => {}
        _ = ended => {}
    }
    // All at once: who closes doesn't wait for long.
    let mut goodbyes = JoinSet::new();
    for (own, hole) in holes.into_iter().filter(|(_, hole)| hole.may_be_open) {
        goodbyes.spawn(async move { ask(&hole, own, port, 0).await });
    }
    goodbyes.join_all().await;
}

/// Asks for each address, now and again, and never ends. What may be open is in `holes` at every moment.
async fn hold<F: Future<Output = Option<Behind>>>(
    look: impl Fn() -> F,
    port: NonZeroU16,
    tell: &watch::Sender<Pinhole>,
    mut wakes: Wakes,
    holes: &mut BTreeMap<Ipv6Addr, Hole>,
) {
    loop {
        let behind = look().await;
        let mut granted = Vec::new();
        if let Some(Behind { router, own }) = &behind {
            holes.retain(|address, _| own.contains(address));
            for own in own {
                let new = || Hole { router: *router, nonce: new_nonce(), may_be_open: false };
                let hole = holes.entry(*own).or_insert_with(new);
                hole.router = *router;
                granted.extend(open(hole, *own, port).await);
            }
        }
        let state = match &behind {
            None => Pinhole::NoGateway,
            Some(_) if granted.is_empty() => Pinhole::Closed,
            Some(_) => Pinhole::Open,
        };
        if tell.send_replace(state) != state {
            tracing::info!(?state, "the router was asked for IPv6");
        }
        tokio::select! {
            () = sleep(again(&granted)) => {}
            () = wakes.next() => {}
            () = moved(behind.as_ref(), &look) => {}
        }
    }
}

/// When the router is asked again, which opened holes for so many seconds: before the first of them closes.
fn again(granted: &[u32]) -> Duration {
    let before_it_closes = |secs: &u32| RENEW_BY_PACKET.min(Duration::from_secs(u64::from(*secs) / 2));
    granted.iter().min().map_or(TRY_AGAIN, before_it_closes).max(LOOK_AROUND)
}

/// Looks for the router, which may take a moment.
async fn find() -> Option<Behind> {
    let look = || {
        netdev::get_interfaces().into_iter().find_map(|interface| {
            let router = *interface.gateway.as_ref()?.ipv6.first()?;
            let mut own: Vec<Ipv6Addr> =
                interface.ipv6.iter().map(|net| net.addr()).filter(|own| is_global((*own).into())).collect();
            own.truncate(ADDRESSES_MAX);
            let scope = if router.is_unicast_link_local() { interface.index } else { 0 };
            let router = SocketAddrV6::new(router, crab_nat::GATEWAY_PORT, 0, scope);
            (!own.is_empty()).then_some(Behind { router, own })
        })
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

fn new_nonce() -> Nonce {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).expect("the system gives random bytes, or nothing here is safe");
    nonce
}

/// Asks for one hole; for how many seconds it was given.
async fn open(hole: &mut Hole, own: Ipv6Addr, port: NonZeroU16) -> Option<u32> {
    let was_open = std::mem::replace(&mut hole.may_be_open, true);
    match ask(hole, own, port, LEASE_SECS).await {
        Some(Answer::Open(secs)) => return Some(secs),
        Some(Answer::Elsewhere) => {
            tracing::debug!("another port isn't wanted");
            ask(hole, own, port, 0).await;
            hole.may_be_open = false;
        }
        Some(Answer::Refused(code)) => {
            tracing::debug!(code, "no pinhole by PCP");
            hole.may_be_open = was_open;
        }
        None => hole.may_be_open = was_open,
    }
    None
}

/// Asks a router for so many seconds. None at all take the hole away.
async fn ask(hole: &Hole, own: Ipv6Addr, port: NonZeroU16, lifetime: u32) -> Option<Answer> {
    let socket = UdpSocket::bind((own, 0)).await.ok()?;
    let question = question(own, port, hole.nonce, lifetime);
    for patience in PATIENCE {
        socket.send_to(&question, SocketAddr::V6(hole.router)).await.ok()?;
        let answered = async {
            let mut bytes = [0; 1100];
            loop {
                let (length, from) = socket.recv_from(&mut bytes).await.ok()?;
                // Whoever repeats the nonce saw the question; only the router is believed all the same.
                if from.ip() == IpAddr::V6(*hole.router.ip())
                    && let Some(answer) = answer(&bytes[..length], port, hole.nonce)
                {
                    return Some(answer);
                }
            }
        };
        match timeout(patience, answered).await {
            Ok(Some(answer)) => return Some(answer),
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

/// Reads an answer. `None`: it is no answer to this.
fn answer(bytes: &[u8], port: NonZeroU16, nonce: Nonce) -> Option<Answer> {
    let is_ours = bytes.len() >= LENGTH
        && bytes[..2] == [VERSION, MAP | IS_ANSWER]
        && bytes[24..36] == nonce
        && bytes[36] == UDP
        && bytes[40..42] == port.get().to_be_bytes();
    if !is_ours {
        return None;
    }
    Some(match bytes[3] {
        SUCCESS if bytes[42..44] != port.get().to_be_bytes() => Answer::Elsewhere,
        SUCCESS => Answer::Open(u32::from_be_bytes(bytes[4..8].try_into().expect("four bytes"))),
        code => Answer::Refused(code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NetworkChange;

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
        assert_eq!(answer(&granted(), PORT, NONCE), Some(Answer::Open(3600)));
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
        assert_eq!(answer(&refused, PORT, NONCE), Some(Answer::Refused(2)));
        let mut elsewhere = granted();
        elsewhere[43] += 1;
        assert_eq!(answer(&elsewhere, PORT, NONCE), Some(Answer::Elsewhere));
    }

    /// A router on this computer, which is asked for the hole of `::1`.
    struct Router {
        socket: UdpSocket,
        from: SocketAddr,
        state: watch::Receiver<Pinhole>,
        end: Option<oneshot::Sender<()>>,
    }

    impl Router {
        async fn start() -> Self {
            let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.expect("there is a port");
            let SocketAddr::V6(router) = socket.local_addr().expect("it has one") else { unreachable!("it is IPv6") };
            let behind = Behind { router, own: vec![Ipv6Addr::LOCALHOST] };
            let (tell, state) = watch::channel(Pinhole::Asking);
            let (end, ended) = oneshot::channel();
            let awake = Wakes::of(&watch::channel(NetworkChange::default()).1);
            tokio::spawn(keep_behind(move || std::future::ready(Some(behind.clone())), PORT, tell, awake, ended));
            Self { from: router.into(), socket, state, end: Some(end) }
        }

        /// The next question other than this one: packets are sent again if nobody answers.
        async fn asked_after(&mut self, last: &[u8]) -> [u8; LENGTH] {
            let mut bytes = [0; LENGTH];
            loop {
                let received = timeout(Duration::from_secs(30), self.socket.recv_from(&mut bytes)).await;
                (_, self.from) = received.expect("there is a question").expect("the socket works");
                if bytes != last {
                    return bytes;
                }
            }
        }

        /// Grants what was asked, at this port.
        async fn grant(&self, question: &[u8; LENGTH], port: u16) {
            let mut answer = *question;
            answer[1] |= IS_ANSWER;
            answer[42..44].copy_from_slice(&port.to_be_bytes());
            self.socket.send_to(&answer, self.from).await.expect("it is sent");
        }

        async fn becomes(&mut self, state: Pinhole) {
            let there = timeout(Duration::from_secs(30), self.state.wait_for(|now| *now == state)).await;
            there.expect("it becomes so").expect("it is being told");
        }

        fn end(&mut self) {
            let _ = self.end.take().expect("it ends once").send(());
        }
    }

    fn lifetime(question: &[u8; LENGTH]) -> u32 {
        u32::from_be_bytes(question[4..8].try_into().expect("four bytes"))
    }

    #[tokio::test]
    async fn a_hole_that_is_granted_while_it_ends_is_taken_away() {
        let mut router = Router::start().await;
        let asked = router.asked_after(&[]).await;
        assert_eq!(lifetime(&asked), LEASE_SECS);
        router.end();
        let taken = router.asked_after(&asked).await;
        assert_eq!((lifetime(&taken), &taken[24..36]), (0, &asked[24..36]), "the same hole");
    }

    #[tokio::test]
    async fn an_open_hole_is_taken_away_at_the_end() {
        let mut router = Router::start().await;
        let asked = router.asked_after(&[]).await;
        router.grant(&asked, PORT.get()).await;
        router.becomes(Pinhole::Open).await;
        router.end();
        let taken = router.asked_after(&asked).await;
        assert_eq!((lifetime(&taken), &taken[24..36]), (0, &asked[24..36]), "the same hole");
    }

    #[tokio::test]
    async fn a_hole_at_another_port_is_given_back_once() {
        let mut router = Router::start().await;
        let asked = router.asked_after(&[]).await;
        router.grant(&asked, PORT.get() + 1).await;
        let taken = router.asked_after(&asked).await;
        assert_eq!((lifetime(&taken), &taken[24..36]), (0, &asked[24..36]), "the same hole");
        router.grant(&taken, PORT.get()).await;
        router.becomes(Pinhole::Closed).await;
        router.end();
        // The keeper's end of the channel goes with it.
        while router.state.changed().await.is_ok() {}
        assert!(router.socket.try_recv(&mut [0; LENGTH]).is_err(), "there is nothing to take away any more");
    }

    #[test]
    fn the_hole_that_closes_first_tells_when_to_ask_again() {
        assert_eq!(again(&[3600, 60, 3600]), Duration::from_secs(30));
        assert_eq!(again(&[3600]), RENEW_BY_PACKET);
        assert_eq!(again(&[0]), LOOK_AROUND, "not again and again");
        assert_eq!(again(&[]), TRY_AGAIN);
    }
}
