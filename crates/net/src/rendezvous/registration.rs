//! A server keeps lines to a switchboard: one for each kind of address (IPv4, IPv6) that the switchboard has.

use super::{
    CALL_ME_EVERY, Reply, Request, TOPICS_MAX, message,
    sealed::{CallKey, ToClient},
};
use crate::{
    Candidates, CloseCode, Closed, FrameError, FrameReceiver, FrameSender, KnockKey, KnockScope,
    call_back::{Caller, call_back},
    endpoint::Shared,
    tls,
};
use identity::{HostPort, IdentityKey, PublicKey, Rendezvous, ServiceId};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// Lines to one switchboard. They end when it is dropped.
#[derive(Debug)]
pub struct Registration {
    observed: watch::Receiver<Vec<Observed>>,
    socket: Arc<crate::socket::SilentSocket>,
    requests: mpsc::Sender<Wanted>,
    /// When the switchboard was last asked to call.
    asked_at: tokio::sync::Mutex<Option<Instant>>,
    _task: JoinSet<()>,
}

/// Where a switchboard sees this computer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Observed {
    /// The address.
    pub address: SocketAddr,
    /// What stands between here and there.
    pub translation: Translation,
}

/// How a router changes addresses (RFC 4787 4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Translation {
    /// It isn't known.
    Unknown,
    /// It doesn't: the address is this computer's own.
    None,
    /// To the same address whomever this computer sends to; hole punching works.
    EndpointIndependent,
    /// To another one for each destination ("symmetric NAT"): others are reached only by luck.
    EndpointDependent,
}

/// Something for any of the lines to say.
type Wanted = Request;

const LINE: Duration = Duration::from_secs(5);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(60);
/// A packet that was asked for arrives within this time, or doesn't.
const CALLED: Duration = Duration::from_secs(3);
/// A switchboard that was asked just now doesn't call again; a packet may take a moment more or less.
const CALLS_EVERY: Duration = CALL_ME_EVERY.saturating_add(Duration::from_secs(1));

/// A line to a switchboard, ready to talk.
pub(super) struct Line {
    pub(super) sender: FrameSender,
    pub(super) receiver: FrameReceiver,
    connection: quinn::Connection,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection.close(CloseCode::Done.number(), b"");
    }
}

/// One address of each kind.
pub(super) async fn resolve(shared: &Shared, at: &HostPort) -> Vec<SocketAddr> {
    let has_ipv6 = shared.quinn.local_addr().is_ok_and(|own| own.is_ipv6());
    let found: Vec<SocketAddr> = match at.to_string().parse() {
        Ok(address) => vec![address],
        Err(_) => match timeout(LINE, tokio::net::lookup_host((at.host(), at.port()))).await {
            Ok(Ok(found)) => found.collect(),
            _ => Vec::new(),
        },
    };
    let first = |is_wanted: fn(&SocketAddr) -> bool| found.iter().copied().find(is_wanted);
    first(SocketAddr::is_ipv4).into_iter().chain(first(SocketAddr::is_ipv6).filter(|_| has_ipv6)).collect()
}

pub(super) async fn line(
    shared: &Shared,
    key: &IdentityKey,
    switchboard: PublicKey,
    address: SocketAddr,
) -> Result<Line, FrameError> {
    let config = tls::visitor_config(key, switchboard, &shared.shape);
    let name = tls::server_name(Some(&switchboard));
    let connecting = shared.quinn.connect_with(config, address, &name).map_err(|_| FrameError::Stopped)?;
    let connection = match timeout(LINE, connecting).await {
        Ok(connection) => connection.map_err(Closed::from)?,
        Err(_) => return Err(FrameError::TooSlow),
    };
    let (sender, receiver) = connection.open_bi().await.map_err(Closed::from)?;
    let receiver = FrameReceiver::new(receiver, message::caps, &shared.settings.limits);
    Ok(Line { sender: FrameSender::new(sender), receiver, connection })
}

impl Registration {
    pub(crate) fn start(
        shared: Arc<Shared>,
        at: Rendezvous,
        service_ids: &[ServiceId],
        candidates: Candidates,
    ) -> Self {
        let (tell, observed) = watch::channel(Vec::new());
        let (requests, wanted) = mpsc::channel(4);
        let server = shared.key.public();
        let keys: Vec<CallKey> = service_ids.iter().take(TOPICS_MAX).map(|id| CallKey::new(server, id)).collect();
        let socket = Arc::clone(&shared.socket);
        let keeper = Keeper { shared, at, keys, candidates, tell, wanted: Arc::new(tokio::sync::Mutex::new(wanted)) };
        let mut task = JoinSet::new();
        task.spawn(async move { keeper.run().await });
        Self { observed, socket, requests, asked_at: tokio::sync::Mutex::default(), _task: task }
    }

    /// Where the switchboard sees this computer; nothing while there is no line.
    #[must_use]
    pub fn observed(&self) -> Vec<Observed> {
        self.observed.borrow().clone()
    }

    /// The same, as it changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Vec<Observed>> {
        self.observed.clone()
    }

    /// Whether a packet arrives at a port of this computer's observed address that comes from where this computer never
    /// sent anything. `None`: nobody could be asked to send one.
    pub async fn is_called_at(&self, port: u16) -> Option<bool> {
        let mut asked_at = self.asked_at.lock().await;
        if let Some(before) = *asked_at {
            tokio::time::sleep_until(before + CALLS_EVERY).await;
        }
        if self.observed.borrow().is_empty() {
            return None;
        }
        *asked_at = Some(Instant::now());
        let mut token = [0; 16];
        getrandom::fill(&mut token).expect("the system gives random bytes, or nothing here is safe");
        let heard = self.socket.wait_for(token);
        self.requests.send(Request::CallMe { port, token }).await.ok()?;
        Some(matches!(timeout(CALLED, heard).await, Ok(Ok(_))))
    }
}

struct Keeper {
    shared: Arc<Shared>,
    at: Rendezvous,
    keys: Vec<CallKey>,
    candidates: Candidates,
    tell: watch::Sender<Vec<Observed>>,
    wanted: Arc<tokio::sync::Mutex<mpsc::Receiver<Wanted>>>,
}

impl Keeper {
    async fn run(&self) {
        loop {
            let addresses = resolve(&self.shared, &self.at.address).await;
            match addresses.as_slice() {
                [] => sleep(AGAIN_AFTER_MAX / 4).await,
                [one] => self.keep_line(*one).await,
                [one, other, ..] => {
                    tokio::join!(self.keep_line(*one), self.keep_line(*other));
                }
            }
        }
    }

    /// Keeps a line until it has failed for so long that its name may lead elsewhere by now.
    async fn keep_line(&self, address: SocketAddr) {
        let mut wait = Duration::from_secs(1);
        while wait <= AGAIN_AFTER_MAX {
            let begun = Instant::now();
            if let Err(error) = self.stay_on_line(address).await {
                tracing::debug!(%error, "no line to the rendezvous");
            }
            self.tell.send_modify(|all| all.retain(|known| known.address.is_ipv4() != address.is_ipv4()));
            if begun.elapsed() > AGAIN_AFTER_MAX {
                wait = Duration::from_secs(1);
            }
            sleep(wait).await;
            wait *= 2;
        }
    }

    async fn stay_on_line(&self, address: SocketAddr) -> Result<(), FrameError> {
        let mut line = line(&self.shared, &self.shared.key, self.at.key, address).await?;
        let topics = self.keys.iter().map(CallKey::topic).collect();
        message::say(&mut line.sender, &Request::Register { topics }).await?;
        let mut calls = JoinSet::new();
        loop {
            let heard = tokio::select! {
                heard = message::hear::<Reply>(&mut line.receiver) => heard?,
                wanted = async { self.wanted.lock().await.recv().await } => {
                    if let Some(wanted) = wanted {
                        message::say(&mut line.sender, &wanted).await?;
                    }
                    continue;
                }
            };
            match heard {
                None => return Ok(()),
                Some(Reply::Seen { address: seen, probe_port }) => {
                    self.seen(seen, Translation::Unknown);
                    if let Some(port) = probe_port {
                        let translation = self.translation(seen, SocketAddr::new(address.ip(), port)).await;
                        self.seen(seen, translation);
                    }
                }
                Some(Reply::Peer { call, address, sealed }) => {
                    if let Some(sealed) = self.take_call(address, &sealed, &mut calls) {
                        message::say(&mut line.sender, &Request::Answer { call, sealed }).await?;
                    }
                }
                Some(_) => {}
            }
            while calls.try_join_next().is_some() {}
        }
    }

    fn seen(&self, address: SocketAddr, translation: Translation) {
        self.tell.send_if_modified(|all| {
            let own = Observed { address, translation };
            if all.contains(&own) {
                return false;
            }
            all.retain(|known| known.address.is_ipv4() != address.is_ipv4());
            all.push(own);
            true
        });
    }

    async fn translation(&self, seen: SocketAddr, second: SocketAddr) -> Translation {
        if self.shared.own_addresses().contains(&seen) {
            return Translation::None;
        }
        let look = async {
            let mut line = line(&self.shared, &self.shared.key, self.at.key, second).await.ok()?;
            message::say(&mut line.sender, &Request::Register { topics: Vec::new() }).await.ok()?;
            message::hear::<Reply>(&mut line.receiver).await.ok()?
        };
        match timeout(LINE, look).await {
            Ok(Some(Reply::Seen { address, .. })) if address == seen => Translation::EndpointIndependent,
            Ok(Some(Reply::Seen { .. })) => Translation::EndpointDependent,
            _ => Translation::Unknown,
        }
    }

    /// Calls back whoever knows one of our service IDs; what to answer.
    fn take_call(&self, from: SocketAddr, sealed: &[u8], calls: &mut JoinSet<()>) -> Option<Vec<u8>> {
        let (place, key, call) = self
            .keys
            .iter()
            .enumerate()
            .find_map(|(place, key)| key.open_call(sealed).map(|call| (place, key, call)))?;
        if self.shared.rules().is_none() || !self.shared.calls.may_answer(call.call_back, from, Instant::now()) {
            return None;
        }
        self.shared.permit(from.ip());
        let candidates = self.candidates.for_others();
        let sealed = key.seal_answer(&ToClient { candidates }, &call);
        calls.spawn(call_back(
            Arc::clone(&self.shared),
            Caller {
                knock: KnockKey::from_bytes(call.call_back),
                observed: from,
                own: call.addresses,
                // The first is the one that holds now.
                scope: if place == 0 { KnockScope::Anyone } else { KnockScope::KnownDevices },
            },
        ));
        Some(sealed)
    }
}
