//! One UDP socket that is server and client at once.

use crate::{
    Answer, Arrival, Bandwidth, Candidates, Connected, Cut, DialError, Entrants, Entry, FrameCaps, Knock, Limits,
    OnLink, PROTOCOL_VERSION, Refusal, Relay, RelayAccount, SavedTransport, ServerRules, Target,
    call_back::{Calls, CallsBack},
    dial,
    gate::Gate,
    link::{LinkSettings, Links},
    on_link,
    pairing::Compute,
    relay::Permits,
    rendezvous::{Call, NotPutThrough, Registration},
    saved::AddressTokens,
    serve,
    socket::{self, SilentSocket},
    tls::{self, Shape},
};
use bytes::Bytes;
use identity::{IdentityKey, Rendezvous, ServiceId};
use quinn::{AsyncUdpSocket, Runtime, TokioRuntime};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, PoisonError, RwLock},
};
use tokio::{
    sync::{Mutex, mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// What an endpoint is made of.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Who this computer is: the server key or the device key.
    pub key: IdentityKey,
    /// What was kept of the last time.
    pub saved: SavedTransport,
    /// The longest frame of each kind that the application takes.
    pub frame_caps: FrameCaps,
    /// What others may use up.
    pub limits: Limits,
    /// What counts as the local network.
    pub on_link: OnLink,
    /// The version of the protocol. Only tests say another one than [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION).
    pub protocol: u8,
    /// Set in simulations: quinn then draws its random numbers from this, and leaves out what a simulated network
    /// doesn't have.
    pub simulation_seed: Option<[u8; 32]>,
}

impl EndpointConfig {
    /// With everything but key, memory and frames as it should be.
    #[must_use]
    pub fn new(key: IdentityKey, saved: SavedTransport, frame_caps: FrameCaps) -> Self {
        let (limits, on_link) = (Limits::default(), OnLink::system());
        Self { key, saved, frame_caps, limits, on_link, protocol: PROTOCOL_VERSION, simulation_seed: None }
    }
}

/// The one socket of this computer. Closes every connection when dropped.
#[derive(Debug)]
pub struct Endpoint {
    shared: Arc<Shared>,
    arrivals: Mutex<mpsc::Receiver<Arrival>>,
}

/// What the tasks of an endpoint have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) quinn: quinn::Endpoint,
    pub(crate) key: IdentityKey,
    pub(crate) settings: LinkSettings,
    pub(crate) shape: Shape,
    pub(crate) compute: Compute,
    pub(crate) tokens: Arc<AddressTokens>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) links: Arc<Links>,
    pub(crate) arrivals: mpsc::Sender<Arrival>,
    /// Turns true when the endpoint takes no more connections.
    pub(crate) is_over: watch::Sender<bool>,
    pub(crate) socket: Arc<SilentSocket>,
    /// Calls from servers that this computer waits for.
    pub(crate) calls_back: CallsBack,
    /// Those this server was asked through switchboards to call back.
    pub(crate) calls: Calls,
    relay: RwLock<Option<Permits>>,
    pub(crate) saved: SavedTransport,
    knocks: RwLock<Arc<[Knock]>>,
    rules: RwLock<Option<ServerRules>>,
}

/// Arrivals that may wait for the application.
const ARRIVALS_MAX: usize = 64;

impl Endpoint {
    /// Binds a UDP socket. `[::]:0` is every address of this computer and any free port.
    pub fn bind(config: EndpointConfig, listen: SocketAddr) -> io::Result<Self> {
        let runtime = Arc::new(TokioRuntime);
        let bound = socket::bind(listen, runtime.as_ref())?;
        Self::on(config, bound.socket, Some(bound.options), runtime)
    }

    /// Uses any socket and any clock, as simulations have them.
    pub fn with_socket(
        config: EndpointConfig,
        socket: Arc<dyn AsyncUdpSocket>,
        runtime: Arc<dyn Runtime>,
    ) -> io::Result<Self> {
        Self::on(config, socket, None, runtime)
    }

    fn on(
        config: EndpointConfig,
        socket: Arc<dyn AsyncUdpSocket>,
        options: Option<UdpSocket>,
        runtime: Arc<dyn Runtime>,
    ) -> io::Result<Self> {
        let is_simulated = config.simulation_seed.is_some();
        let shape = Shape { limits: config.limits.clone(), is_simulated };
        let mut transport = config.saved.transport();
        transport.rng_seed(config.simulation_seed);
        // A client has a server side as well, one that answers nobody: without it quinn would answer strangers itself.
        let server = tls::server_config(&config.key, &config.saved, &shape);
        let socket = SilentSocket::new(socket, options, config.on_link.clone());
        let under = Arc::clone(&socket) as Arc<dyn AsyncUdpSocket>;
        let quinn = quinn::Endpoint::new_with_abstract_socket(transport, Some(server), under, runtime)?;

        let (arrivals, arriving) = mpsc::channel(ARRIVALS_MAX);
        let shared = Arc::new(Shared {
            quinn,
            compute: if is_simulated { Compute::Here } else { Compute::Aside },
            tokens: Arc::new(config.saved.address_tokens()),
            gate: Gate::new(config.limits.clone(), Instant::now()),
            links: Arc::default(),
            arrivals,
            shape,
            key: config.key,
            settings: LinkSettings {
                limits: config.limits,
                caps: config.frame_caps,
                on_link: config.on_link,
                pace: Arc::default(),
                protocol: config.protocol,
            },
            is_over: watch::Sender::new(false),
            socket,
            calls_back: CallsBack::default(),
            calls: Calls::default(),
            relay: RwLock::new(None),
            saved: config.saved,
            knocks: RwLock::new(Arc::new([])),
            rules: RwLock::new(None),
        });
        let serving = Arc::clone(&shared);
        tokio::spawn(async move {
            serve::run(Arc::clone(&serving), serving.quinn.clone(), serve::By::Own).await;
            serving.is_over.send_replace(true);
        });
        Ok(Self { shared, arrivals: Mutex::new(arriving) })
    }

    /// Every address at which this computer can be called, in a fixed order, loopback last.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.shared.own_addresses()
    }

    /// Says which knocks open the port. Those who are in already stay.
    pub fn set_knocks(&self, knocks: &[Knock]) {
        *self.shared.knocks.write().unwrap_or_else(PoisonError::into_inner) = knocks.into();
    }

    /// Begins to answer those who knock.
    pub fn serve(&self, rules: ServerRules) {
        *self.shared.rules.write().unwrap_or_else(PoisonError::into_inner) = Some(rules);
    }

    /// Answers nobody any more. Those who are in stay.
    pub fn stop_serving(&self) {
        *self.shared.rules.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The next paired device that wants to talk; `None` after [`close`](Self::close).
    pub async fn accept(&self) -> Option<Arrival> {
        let mut arrivals = self.arrivals.lock().await;
        tokio::select! {
            arrival = arrivals.recv() => arrival,
            () = self.shared.closed() => None,
        }
    }

    /// Calls a server: the first of its addresses where it answers wins. Further addresses may be found meanwhile.
    pub async fn connect(&self, target: &Target, entrants: Entrants) -> Result<Connected, DialError> {
        dial::connect(&self.shared, target, entrants).await
    }

    /// Calls a server as a paired device. `hello` (at most [`HELLO_MAX`](crate::HELLO_MAX) bytes) rides along.
    pub async fn dial(&self, target: &Target, hello: impl Into<Bytes>) -> Result<Answer, DialError> {
        self.connect(target, Entrants::none()).await?.join(hello).await
    }

    /// Calls a server to be added, or to have it prove that it knows the password.
    pub async fn dial_to_pair(&self, target: &Target) -> Result<Answer, DialError> {
        self.connect(target, Entrants::none()).await?.ask_to_pair().await
    }

    /// Keeps a line to a switchboard, at which others are put through to this server as long as what is returned exists.
    /// They are told its `candidates`; whoever knows one of the service IDs gets through.
    #[must_use]
    pub fn register(&self, at: Rendezvous, service_ids: &[ServiceId], candidates: &Candidates) -> Registration {
        Registration::start(Arc::clone(&self.shared), at, service_ids, candidates.clone())
    }

    /// Keeps an address at a relay as long as what is returned exists. Those whom a switchboard puts through are let in.
    #[must_use]
    pub fn relay(&self, account: RelayAccount) -> Relay {
        Relay::start(Arc::clone(&self.shared), account)
    }

    /// Asks a switchboard for a server, and enters what that leads to into a race, until that is over.
    pub fn put_through(&self, at: &Rendezvous, call: &Call, entry: Entry) -> JoinHandle<Result<(), NotPutThrough>> {
        let (shared, at, call) = (Arc::clone(&self.shared), at.clone(), call.clone());
        tokio::spawn(async move {
            let race = entry.clone();
            tokio::select! {
                outcome = call.run(&shared, &at, entry) => outcome,
                () = race.over() => Ok(()),
            }
        })
    }

    /// Whether nothing may leave the local network from now on, whatever stands already.
    pub fn keep_local(&self, is_kept_local: bool) {
        self.shared.socket.keep_local(is_kept_local);
    }

    /// Limits how fast contents travel over the Internet, on links that stand as well.
    pub fn limit(&self, bandwidth: Bandwidth) {
        self.shared.settings.pace.set(bandwidth);
    }

    /// Whether this computer is in any network at all.
    #[must_use]
    pub fn has_network(&self) -> bool {
        on_link::has_network()
    }

    /// Whether an address is in the same network as this computer.
    #[must_use]
    pub fn is_lan(&self, address: &SocketAddr) -> bool {
        self.shared.settings.on_link.is_lan(address.ip())
    }

    /// Cuts live connections at once and says why.
    pub fn cut(&self, which: Cut, refusal: Refusal) {
        self.shared.links.cut(which, refusal, &self.shared.settings.on_link);
    }

    /// How many paired devices are connected.
    #[must_use]
    pub fn links(&self) -> usize {
        self.shared.links.count()
    }

    /// What to keep for the next time.
    #[must_use]
    pub fn saved(&self) -> SavedTransport {
        self.shared.saved.with_tokens(&self.shared.tokens)
    }

    /// Closes every connection and waits, not for long, until the others know.
    pub async fn close(&self) {
        self.shared.quinn.close(crate::CloseCode::GoingAway.number(), b"");
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), self.shared.quinn.wait_idle()).await;
    }

    #[cfg(test)]
    pub(crate) fn strangers(&self) -> usize {
        self.shared.gate.waiting()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.shared.quinn.close(crate::CloseCode::GoingAway.number(), b"");
    }
}

impl Shared {
    pub(crate) fn knocks(&self) -> Arc<[Knock]> {
        Arc::clone(&self.knocks.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn rules(&self) -> Option<ServerRules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_relay(&self, permits: Permits) {
        *self.relay.write().unwrap_or_else(PoisonError::into_inner) = Some(permits);
    }

    /// Has the relay, if there is one, let somebody in.
    pub(crate) fn permit(&self, client: IpAddr) {
        if let Some(permits) = &*self.relay.read().unwrap_or_else(PoisonError::into_inner) {
            permits.permit(client);
        }
    }

    pub(crate) fn own_addresses(&self) -> Vec<SocketAddr> {
        // The only error is a socket that is closed.
        let Ok(bound) = self.quinn.local_addr() else { return Vec::new() };
        if !bound.ip().is_unspecified() {
            return vec![bound];
        }
        let is_link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
        let mut addresses: Vec<IpAddr> = on_link::interfaces().iter().map(|network| network.address).collect();
        addresses.retain(|ip| (bound.is_ipv6() || ip.is_ipv4()) && !is_link_local(ip));
        addresses.sort_by_key(|ip| (ip.is_loopback(), *ip));
        addresses.dedup();
        addresses.into_iter().map(|ip| SocketAddr::new(ip, bound.port())).collect()
    }

    /// Those of them that others in the same network may call.
    pub(crate) fn lan_addresses(&self) -> Vec<SocketAddr> {
        let mut addresses = self.own_addresses();
        addresses.retain(|address| !address.ip().is_loopback());
        addresses.truncate(crate::candidates::NAMED_MAX);
        addresses
    }

    async fn closed(&self) {
        // The only error is that nobody can set it any more, and we hold the one who can.
        let _ = self.is_over.subscribe().wait_for(|is_over| *is_over).await;
    }
}
