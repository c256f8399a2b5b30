//! A relay (TURN, RFC 8656) passes packets on between a server and clients that find no direct way. It can't read them.
//!
//! Only the server speaks TURN: the relay gives it an address, lets in whom the server names, and to a client that is one more
//! plain UDP address. The packets of clients come out of the allocation into a second QUIC endpoint, which differs from the
//! first in nothing but its socket, and from there on the same way as all others.
//!
//! A relay says where a packet came from, and could say anything. So nothing it passes on counts as coming from the local
//! network: such packets are dropped.

use crate::{CloseCode, endpoint::Shared, on_link, serve, socket::SilentSocket, tls};
use identity::{HostPort, Secret};
use quinn::{
    AsyncUdpSocket, TokioRuntime, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use std::{
    collections::BTreeSet,
    fmt,
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use turn_client_proto::{
    api::{TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet},
    prelude::*,
    stun::{
        Instant as TurnInstant,
        agent::Transmit as TurnTransmit,
        types::{
            TransportType,
            attribute::ErrorCode,
            message::{Message, MessageClass, TransactionId},
        },
    },
    types::{AddressFamily, TurnCredentials},
    udp::TurnClientUdp,
};

/// Where a relay is, and what it knows us by.
#[derive(Clone, Debug)]
pub struct RelayAccount {
    /// Where (UDP).
    pub address: HostPort,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: Secret,
}

/// How things stand with a relay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RelayState {
    /// It is being asked.
    Asking,
    /// It doesn't answer, or there is none of that name.
    Silent,
    /// It said no: the user or the password is wrong, or it has no room.
    Refused,
    /// It has this address for clients.
    Ready(SocketAddr),
}

/// Keeps an address at a relay as long as it exists.
#[derive(Debug)]
pub struct Relay {
    state: watch::Receiver<RelayState>,
    /// The task gives the address back when this is dropped.
    permits: mpsc::Sender<IpAddr>,
    task: JoinHandle<()>,
}

/// Names to a relay whom it may let in. Doesn't keep it alive.
#[derive(Clone, Debug)]
pub(crate) struct Permits(mpsc::WeakSender<IpAddr>);

/// Packets between the allocation and QUIC; what doesn't fit is lost, as packets are.
const PACKETS_MAX: usize = 1024;
/// The longest datagram that is taken.
const DATAGRAM_MAX: usize = 2048;
/// Clients that wait to be named to the relay.
const PERMITS_MAX: usize = 64;
/// Clients that get a channel of their own, which saves 32 bytes a packet.
const CHANNELS_MAX: usize = 64;
/// A relay has answered by then, or won't.
const ANSWER: Duration = Duration::from_secs(10);
/// How often it is looked whether this computer still has the address by which the relay knows it.
const LOOK_AROUND: Duration = Duration::from_secs(5);
/// Routers on the way forget who sends nothing.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const AGAIN_AFTER: Duration = Duration::from_secs(2);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(300);
/// How long it may take to say goodbye to those who are connected.
const GOODBYE: Duration = Duration::from_secs(1);

type Packet = (Vec<u8>, SocketAddr);

impl Relay {
    pub(crate) fn start(shared: Arc<Shared>, account: RelayAccount) -> Self {
        let (tell, state) = watch::channel(RelayState::Asking);
        let (permits, wanted) = mpsc::channel(PERMITS_MAX);
        shared.set_relay(Permits(permits.downgrade()));
        let task = tokio::spawn(keep(shared, account, tell, wanted));
        Self { state, permits, task }
    }

    /// How things stand now.
    #[must_use]
    pub fn state(&self) -> RelayState {
        *self.state.borrow()
    }

    /// How things stand, as it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<RelayState> {
        self.state.clone()
    }

    /// Closes what goes through the relay, and gives the address back.
    pub async fn close(self) {
        drop(self.permits);
        let _ = timeout(GOODBYE * 2, self.task).await;
    }
}

impl Permits {
    pub(crate) fn permit(&self, client: IpAddr) {
        // A relay with that much to do lets nobody more in; the client comes again.
        let _ = self.0.upgrade().map(|permits| permits.try_send(client.to_canonical()));
    }
}

async fn keep(
    shared: Arc<Shared>,
    account: RelayAccount,
    tell: watch::Sender<RelayState>,
    mut wanted: mpsc::Receiver<IpAddr>,
) {
    let mut wait = AGAIN_AFTER;
    loop {
        let ended = match Allocation::ask(&shared, &account).await {
            Ok(mut allocation) => {
                let (own, relay) = (allocation.own.ip(), allocation.relay);
                tokio::select! {
                    ended = allocation.run(&tell, &mut wanted) => ended,
                    () = moved(own, relay) => Err(RelayState::Asking),
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the relay can't be asked");
                Err(RelayState::Silent)
            }
        };
        let Err(state) = ended else { return };
        if matches!(*tell.borrow(), RelayState::Ready(_)) {
            wait = AGAIN_AFTER;
        }
        tell.send_replace(state);
        tokio::select! {
            () = sleep(wait) => {}
            // Nobody is let in meanwhile; it only matters whether the relay is still wanted.
            () = async { while wanted.recv().await.is_some() {} } => return,
        }
        wait = (wait * 2).min(AGAIN_AFTER_MAX);
    }
}

/// Waits until this computer's packets to the relay come from another address than the relay knows.
async fn moved(own: IpAddr, relay: SocketAddr) {
    while on_link::own_address_towards(relay) == Some(own) {
        sleep(LOOK_AROUND).await;
    }
}

/// One allocation, from asking for it to its end.
struct Allocation {
    shared: Arc<Shared>,
    socket: UdpSocket,
    client: TurnClientUdp,
    /// The zero of the library's clock.
    begun: Instant,
    /// This computer's address towards the relay.
    own: SocketAddr,
    relay: SocketAddr,
    keep_alive_at: Instant,
    /// The first request to which the relay asked who we are.
    challenged: Option<TransactionId>,
    channels: BTreeSet<SocketAddr>,
    /// There once the relay has given an address.
    clients: Option<Clients>,
}

/// What answers clients, and their packets on the way there and back.
struct Clients {
    quinn: quinn::Endpoint,
    arriving: mpsc::Sender<Packet>,
    leaving: mpsc::Receiver<Packet>,
}

impl Allocation {
    async fn ask(shared: &Arc<Shared>, account: &RelayAccount) -> io::Result<Self> {
        let relay = resolve(&account.address).await?;
        let any: IpAddr = if relay.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(relay).await?;
        let own = socket.local_addr()?;
        let mut config = TurnConfig::new(TurnCredentials::new(&account.user, account.password.expose()));
        if relay.is_ipv6() {
            config.set_address_family(AddressFamily::IPV6);
        }
        Ok(Self {
            shared: Arc::clone(shared),
            socket,
            client: TurnClientUdp::allocate(own, relay, config),
            begun: Instant::now(),
            own,
            relay,
            keep_alive_at: Instant::now() + KEEP_ALIVE,
            challenged: None,
            channels: BTreeSet::new(),
            clients: None,
        })
    }

    /// Passes packets on until the relay isn't wanted any more; an error says how things stand when it ended before.
    async fn run(
        &mut self,
        tell: &watch::Sender<RelayState>,
        wanted: &mut mpsc::Receiver<IpAddr>,
    ) -> Result<(), RelayState> {
        while let Some(client) = self.pass_on(tell, wanted.recv()).await? {
            let now = self.now();
            // One that it has already is as good.
            let _ = self.client.create_permission(TransportType::Udp, client, now);
        }
        if let Some(clients) = &self.clients {
            let quinn = clients.quinn.clone();
            quinn.close(CloseCode::GoingAway.number(), b"");
            // Whoever isn't there any more isn't waited for.
            let _ = self.pass_on(tell, timeout(GOODBYE, quinn.wait_idle())).await?;
        }
        let now = self.now();
        let _ = self.client.delete(now);
        self.send_waiting().await;
        Ok(())
    }

    /// Passes packets on until something else has happened.
    async fn pass_on<T>(
        &mut self,
        tell: &watch::Sender<RelayState>,
        until: impl Future<Output = T>,
    ) -> Result<T, RelayState> {
        let mut until = pin!(until);
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            let wake_at = self.advance(tell).await?;
            let leaving = async {
                match &mut self.clients {
                    Some(clients) => clients.leaving.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                happened = &mut until => return Ok(happened),
                received = self.socket.recv(&mut buffer) => match received {
                    Ok(len) => self.receive(&buffer[..len])?,
                    // The computer is there, the relay isn't, or isn't any more.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Err(RelayState::Silent),
                    Err(error) => {
                        tracing::debug!(%error, "no way to the relay");
                        sleep(Duration::from_millis(200)).await;
                    }
                },
                Some((bytes, to)) = leaving => {
                    let now = self.now();
                    if let Ok(Some(wrapped)) = self.client.send_to(TransportType::Udp, to, bytes, now) {
                        // Lost or not sent is the same here.
                        let _ = self.socket.send(&wrapped.build().data).await;
                    }
                }
                () = tokio::time::sleep_until(wake_at.into()) => {}
            }
        }
    }

    /// Does what is due, and says when to come again.
    async fn advance(&mut self, tell: &watch::Sender<RelayState>) -> Result<Instant, RelayState> {
        let polled = self.client.poll(self.now());
        self.send_waiting().await;
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(_, address) if self.clients.is_none() => {
                    let clients = Clients::answer(&self.shared, address).map_err(|error| {
                        tracing::warn!(%error, "the relay's packets can't be taken");
                        RelayState::Silent
                    })?;
                    self.clients = Some(clients);
                    tell.send_replace(RelayState::Ready(address));
                }
                TurnEvent::AllocationCreateFailed(_) if self.clients.is_none() => return Err(RelayState::Refused),
                event => tracing::debug!(?event, "the relay"),
            }
        }
        let now = Instant::now();
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + KEEP_ALIVE;
            let _ = self.socket.send(&keep_alive()).await;
        }
        let due_at = match self.clients {
            Some(_) => self.keep_alive_at,
            None if now < self.begun + ANSWER => self.begun + ANSWER,
            None => return Err(RelayState::Silent),
        };
        match polled {
            TurnPollRet::Closed => Err(RelayState::Silent),
            TurnPollRet::WaitUntil(at) => Ok(at.to_std(self.begun).min(due_at)),
            // Nothing here asked for TCP.
            TurnPollRet::AllocateTcpSocket { .. } | TurnPollRet::TcpClose { .. } => Ok(now),
        }
    }

    fn now(&self) -> TurnInstant {
        TurnInstant::from_std(self.begun)
    }

    async fn send_waiting(&mut self) {
        while let Some(packet) = self.client.poll_transmit(self.now()) {
            // Lost packets are said again by the protocol.
            let _ = self.socket.send(packet.data.as_ref()).await;
        }
    }

    /// Takes what the relay sent.
    fn receive(&mut self, datagram: &[u8]) -> Result<(), RelayState> {
        // The first time it asks who we are. The library takes a second time for a packet that got lost.
        if let Some(request) = unauthorized(datagram).filter(|_| self.clients.is_none())
            && *self.challenged.get_or_insert(request) != request
        {
            return Err(RelayState::Refused);
        }
        let now = self.now();
        let packet = TurnTransmit::new(datagram, TransportType::Udp, self.relay, self.own);
        if let TurnRecvRet::PeerData(packet) = self.client.recv(packet, now) {
            let (bytes, from) = (packet.data().to_vec(), packet.peer);
            self.arrived(bytes, from);
        }
        while let Some(packet) = self.client.poll_recv(now) {
            self.arrived(packet.data().to_vec(), packet.peer);
        }
        Ok(())
    }

    fn arrived(&mut self, bytes: Vec<u8>, from: SocketAddr) {
        let Some(clients) = &self.clients else { return };
        if self.shared.settings.on_link.is_lan(from.ip()) {
            return;
        }
        let _ = clients.arriving.try_send((bytes, from));
        if self.channels.len() < CHANNELS_MAX && self.channels.insert(from) {
            let now = self.now();
            let _ = self.client.bind_channel(TransportType::Udp, from, now);
        }
    }
}

impl Clients {
    /// Begins to answer those who call at the relay's address.
    fn answer(shared: &Arc<Shared>, address: SocketAddr) -> io::Result<Self> {
        let (to_relay, leaving) = mpsc::channel(PACKETS_MAX);
        let (arriving, from_relay) = mpsc::channel(PACKETS_MAX);
        let socket = RelaySocket { to_relay, from_relay: Mutex::new(from_relay), address };
        let socket = SilentSocket::new(Arc::new(socket), None, shared.settings.on_link.clone());
        let server = tls::server_config(&shared.key, &shared.saved, &shared.shape);
        let transport = shared.saved.transport();
        let quinn = quinn::Endpoint::new_with_abstract_socket(transport, Some(server), socket, Arc::new(TokioRuntime))?;
        // Ends with the endpoint, whose socket ends with the allocation.
        tokio::spawn(serve::run(Arc::clone(shared), quinn.clone(), serve::By::Relay));
        Ok(Self { quinn, arriving, leaving })
    }
}

/// The request that the relay doesn't carry out for somebody it doesn't know (RFC 8489 9.2.4).
fn unauthorized(datagram: &[u8]) -> Option<TransactionId> {
    let message = Message::from_bytes(datagram).ok()?;
    let code = message.attribute::<ErrorCode>().ok()?.code();
    (message.has_class(MessageClass::Error) && code == ErrorCode::UNAUTHORIZED).then(|| message.transaction_id())
}

/// A binding indication (RFC 8489 3): nobody answers it.
fn keep_alive() -> [u8; 20] {
    const HEAD: [u8; 8] = [0x00, 0x11, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];
    let mut packet = [0; 20];
    packet[..HEAD.len()].copy_from_slice(&HEAD);
    getrandom::fill(&mut packet[HEAD.len()..]).expect("the system gives random bytes, or nothing here is safe");
    packet
}

async fn resolve(address: &HostPort) -> io::Result<SocketAddr> {
    if let Ok(address) = address.to_string().parse() {
        return Ok(address);
    }
    let found = timeout(ANSWER, tokio::net::lookup_host((address.host(), address.port()))).await??;
    // Clients on IPv4 are those that need it.
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// An allocation as quinn takes it.
struct RelaySocket {
    to_relay: mpsc::Sender<Packet>,
    from_relay: Mutex<mpsc::Receiver<Packet>>,
    address: SocketAddr,
}

impl fmt::Debug for RelaySocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelaySocket")
    }
}

/// There is always room: what doesn't fit is lost.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for RelaySocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        let _ = self.to_relay.try_send((transmit.contents.to_vec(), transmit.destination));
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut from_relay = self.from_relay.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((bytes, from)) = ready!(from_relay.poll_recv(cx)) else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let len = bytes.len().min(bufs[0].len());
        bufs[0][..len].copy_from_slice(&bytes[..len]);
        meta[0] = RecvMeta { addr: from, len, stride: len.max(1), ..RecvMeta::default() };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    fn may_fragment(&self) -> bool {
        false
    }
}
