//! Where the server is: the list of its addresses, and the network for addresses (DHT) to look it up in.
//!
//! "Synchronize via the Internet" decides on both sides. Off on a client: only addresses in the local network are called,
//! and the DHT isn't even opened, so no packet leaves the network. Off on a server: it says so to whoever knocks, and once more
//! in its last peer name.

use super::{Instance, blocking, gone, lan::Search, now_secs};
use crate::{
    engine::Engine,
    message::{Code, Problem, Result},
    settings::KnownServer,
};
use identity::{Invitation, Rendezvous};
use net::{
    Candidate, Candidates, Connected, Dht, DialError, Endpoint, Entrants, Entry, KnockKey, PeerName, Source, Target,
    candidates::in_order,
    peer_name,
    rendezvous::{Call, NotPutThrough},
};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::PoisonError, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout_at};

const CANDIDATES: &str = "net.candidates";
const TOLD_BEFORE: &str = "net.told";
const DHT_NODES: &str = "net.dht-nodes";
/// Who answers in the local network answers sooner than this; then nobody else has to be asked.
const BEFORE_LOOKING: Duration = Duration::from_millis(100);
/// What a server names of itself; the rest a client learns otherwise.
const TOLD: [Source; 5] = [Source::Interface, Source::Ipv6, Source::Mapping, Source::Observed, Source::Relay];

/// By which ways a server may be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ways {
    /// Any.
    All,
    /// Not through its relay.
    Direct,
}

/// What the server last said of itself that isn't an address.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Told {
    /// Whether it synchronizes via the Internet; `None`: nobody said.
    pub(super) internet: Option<bool>,
    /// Switchboards it is connected to.
    pub(super) rendezvous: Vec<Rendezvous>,
}

impl Told {
    /// What it said in earlier sessions, else what is known from the time this computer was added.
    pub(super) async fn known(engine: &Engine, server: Option<&KnownServer>) -> Result<Self> {
        let saved = engine.run(|room| room.index.value(TOLD_BEFORE)).await.ok_or_else(gone)??;
        let rendezvous = || server.map(|server| server.rendezvous.clone()).unwrap_or_default();
        let saved = saved.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(saved.unwrap_or_else(|| Self { internet: None, rendezvous: rendezvous() }))
    }
}

/// Asks switchboards for a server during a race, each once.
pub(super) struct Asking<'a> {
    endpoint: &'a Endpoint,
    call: Call,
    entry: Entry,
    asked: Vec<(Rendezvous, JoinHandle<std::result::Result<(), NotPutThrough>>)>,
}

impl<'a> Asking<'a> {
    pub(super) const fn new(endpoint: &'a Endpoint, call: Call, entry: Entry) -> Self {
        Self { endpoint, call, entry, asked: Vec::new() }
    }

    pub(super) fn ask(&mut self, all: &[Rendezvous]) {
        for rendezvous in all.iter().take(Invitation::RENDEZVOUS_MAX) {
            if !self.asked.iter().any(|(known, _)| known == rendezvous) {
                let asking = self.endpoint.put_through(rendezvous, &self.call, self.entry.clone());
                self.asked.push((rendezvous.clone(), asking));
            }
        }
    }

    /// Follows what a server's peer name says, until no more comes.
    pub(super) async fn follow(&mut self, mut found: mpsc::Receiver<PeerName>, mut take: impl FnMut(&PeerName)) {
        while let Some(said) = found.recv().await {
            take(&said);
            self.ask(&said.rendezvous);
            let is_put_through = !said.rendezvous.is_empty();
            for (source, address) in said.candidates {
                if can_be_called(source, is_put_through) && !self.entry.enter(address).await {
                    return;
                }
            }
        }
    }

    /// What came of it: `None` if nobody was asked.
    pub(super) async fn outcome(self) -> Option<std::result::Result<(), NotPutThrough>> {
        // The race doesn't wait for us any more.
        drop(self.entry);
        let mut outcome = None;
        for (_, asking) in self.asked {
            let one = asking.await.unwrap_or(Err(NotPutThrough::Silent));
            outcome = match (outcome, one) {
                (Some(Ok(())), _) | (_, Ok(())) => Some(Ok(())),
                (Some(Err(other)), Err(error)) => Some(Err(error.min(other))),
                (None, Err(error)) => Some(Err(error)),
            };
        }
        outcome
    }
}

/// What is known of the server's addresses: from earlier sessions, else from the time this computer was added. A server
/// finds out anew what its own are, but for those somebody typed.
pub(super) async fn known_candidates(engine: &Engine, server: Option<&KnownServer>) -> Result<Candidates> {
    let saved = engine.run(|room| room.index.value(CANDIDATES)).await.ok_or_else(gone)??;
    let saved = saved.and_then(|bytes| serde_json::from_slice::<Vec<Candidate>>(&bytes).ok()).unwrap_or_default();
    let is_kept = |known: &Candidate| server.is_some() || known.source == Source::Fixed;
    let saved = saved.into_iter().filter(is_kept).collect();
    let candidates = Candidates::new(saved);
    let hints = server.map(|server| server.hints.as_slice()).unwrap_or_default();
    let hints: Vec<SocketAddr> = hints.iter().filter_map(|hint| hint.parse().ok()).collect();
    candidates.add(Source::Fixed, &hints, 0);
    Ok(candidates)
}

impl Instance {
    /// This computer's place in the DHT. It is taken when it is first needed.
    pub(super) async fn dht(&self) -> Result<Dht> {
        let mut place = self.dht.lock().await;
        if let Some(dht) = &*place {
            return Ok(dht.clone());
        }
        let remembered = self.engine.run(|room| room.index.value(DHT_NODES)).await.ok_or_else(gone)??;
        let remembered = remembered.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let bootstrap = self.settings().network.dht_bootstrap.clone();
        let dht = open_dht(bootstrap, remembered).await?;
        *place = Some(dht.clone());
        Ok(dht)
    }

    /// Gives the place up, and keeps in mind whom to ask next time.
    pub(super) async fn leave_dht(&self) {
        let Some(dht) = self.dht.lock().await.take() else { return };
        let nodes = dht.remembered().await;
        if !nodes.is_empty()
            && let Ok(bytes) = serde_json::to_vec(&nodes)
        {
            self.engine.run(move |room| room.index.set_value(DHT_NODES, Some(&bytes))).await;
        }
    }

    /// Calls the server wherever it may be; looks it up meanwhile if the rules allow.
    pub(super) async fn call_server(&self, endpoint: &Endpoint, search: &mut Search, ways: Ways) -> Result<Connected> {
        let waits = self.waits_for_line();
        let (server, internet, looks) = {
            let settings = self.settings();
            let server = settings.server.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?;
            (server, settings.network.internet && !waits, settings.network.peer_names)
        };
        let looks = internet && looks;
        endpoint.keep_local(!internet);
        *self.put_through.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let is_put_through = !self.told.lock().unwrap_or_else(PoisonError::into_inner).rendezvous.is_empty();
        let mut known = self.candidates.all();
        known.retain(|candidate| can_be_called(candidate.source, is_put_through));
        let all = in_order(&known, |address| endpoint.is_lan(address));
        let addresses: Vec<SocketAddr> =
            all.iter().copied().filter(|address| internet || endpoint.is_lan(address)).collect();
        let has_others = addresses.len() < all.len();
        let name = server.name.as_str();
        search.begin(&server.public_key, &all);
        let knock = KnockKey::of_service(&self.service_id());
        let target = Target { addresses, server: Some(server.public_key), knock };
        let (entry, entrants) = Entrants::open();
        let nearby = self.enter_nearby(search, entry.clone());
        let looking = async {
            match internet {
                true => self.look_server_up(endpoint, entry, &server, looks, ways).await,
                false => drop(entry),
            }
        };
        let looking = async { tokio::join!(nearby, looking) };
        let mut outcome = while_looking(endpoint.connect(&target, entrants), looking).await;
        if let (Err(DialError::NoAddress | DialError::NoAnswer { .. }), Some(found)) = (&outcome, search.now()) {
            // It is there, but knows another service ID by now. In the local network its announcement opens the door.
            let target = Target { addresses: found.addresses, server: target.server, knock: found.knock };
            outcome = endpoint.connect(&target, Entrants::none()).await;
        }
        outcome.map_err(|error| match error {
            DialError::NoAddress if !looks && !has_others && !waits => Problem::new(Code::NoWayToServer),
            DialError::NoAddress | DialError::NoAnswer { .. } => {
                let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).internet;
                let has_network = endpoint.has_network() || target.addresses.iter().any(|at| at.ip().is_loopback());
                let put_through = *self.put_through.lock().unwrap_or_else(PoisonError::into_inner);
                if !has_network {
                    return Problem::new(Code::Offline).because(error);
                }
                let code = match () {
                    () if waits => Code::LineMetered,
                    () if has_others => Code::InternetOffHere,
                    () if internet && told == Some(false) => Code::InternetOffOnServer,
                    // It is there: a switchboard told it of us, and it of where it is.
                    () if put_through == Some(Ok(())) => Code::RoutersInTheWay,
                    // What is known leads somewhere at home only, and this computer isn't there.
                    () if internet && !looks && !self.knows_a_way(endpoint) => {
                        return Problem::new(Code::NoWayToServer);
                    }
                    () => Code::ServerSilent,
                };
                Problem::new(code).with("server", name).because(error)
            }
            error => super::client::dial_problem(error, name, "connection"),
        })
    }

    /// Whether anything is known that may lead to the server from where this computer is.
    fn knows_a_way(&self, endpoint: &Endpoint) -> bool {
        let is_put_through = !self.told.lock().unwrap_or_else(PoisonError::into_inner).rendezvous.is_empty();
        let mut known = self.candidates.all();
        // A server names these for clients on its own computer; where there are others, they say nothing.
        known.retain(|known| !known.address.ip().is_loopback());
        let leads_there = |known: &Candidate| net::is_global(known.address.ip()) || endpoint.is_lan(&known.address);
        is_put_through || known.is_empty() || known.iter().any(leads_there)
    }

    /// Enters what the local network says, if it says anything in time.
    async fn enter_nearby(&self, search: &Search, entry: Entry) {
        let Ok(found) = timeout_at(search.settles_at(), search.found()).await else { return };
        self.candidates.replace(Source::LocalNetwork, &found.addresses, now_secs());
        for address in found.addresses {
            if !entry.enter(address).await {
                return;
            }
        }
    }

    /// Asks the switchboards that are known, and, where peer names are used, the network for addresses.
    async fn look_server_up(
        &self,
        endpoint: &Endpoint,
        entry: Entry,
        server: &KnownServer,
        by_peer_name: bool,
        ways: Ways,
    ) {
        tokio::time::sleep(BEFORE_LOOKING).await;
        let call = Call::new(server.public_key, &self.service_id());
        let call = if ways == Ways::Direct { call.directly() } else { call };
        let mut asking = Asking::new(endpoint, call, entry);
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).rendezvous.clone();
        asking.ask(&told);
        if by_peer_name {
            match self.dht().await {
                Ok(dht) => {
                    let found = peer_name::find(&dht, server.public_key, self.service_id(), now_secs());
                    let take = |said: &PeerName| {
                        self.take_told(said.internet, &said.candidates, said.rendezvous.clone());
                    };
                    asking.follow(found, take).await;
                }
                Err(problem) => tracing::info!(?problem, "the network for addresses can't be used"),
            }
        }
        let outcome = asking.outcome().await;
        *self.put_through.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    }

    /// Remembers what the server says of itself, in a session or by its peer name.
    pub(super) fn take_told(&self, internet: bool, said: &[(Source, SocketAddr)], rendezvous: Vec<Rendezvous>) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told { internet: Some(internet), rendezvous };
        let of = |source| -> Vec<SocketAddr> {
            said.iter().filter(|(told, _)| *told == source).map(|(_, address)| *address).collect()
        };
        for source in TOLD {
            self.candidates.replace(source, &of(source), now_secs());
        }
        self.candidates.add(Source::Fixed, &of(Source::Fixed), now_secs());
    }

    pub(super) async fn save_candidates(&self) {
        if let Ok(bytes) = serde_json::to_vec(&self.candidates.all()) {
            self.engine.run(move |room| room.index.set_value(CANDIDATES, Some(&bytes))).await;
        }
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Ok(bytes) = serde_json::to_vec(&told) {
            self.engine.run(move |room| room.index.set_value(TOLD_BEFORE, Some(&bytes))).await;
        }
    }
}

/// Whether an address of this kind can be called without being put through. A relay lets nobody in whom the server hasn't
/// named to it. And where a switchboard saw the server, calling first may spoil the way: a router that answers unknown
/// packets takes ours for a conversation of its own.
fn can_be_called(source: Source, is_put_through: bool) -> bool {
    source != Source::Relay && !(source == Source::Observed && is_put_through)
}

/// Connects while addresses are still being looked for; not finding any ends nothing.
pub(super) async fn while_looking(
    connecting: impl Future<Output = std::result::Result<Connected, DialError>>,
    looking: impl Future,
) -> std::result::Result<Connected, DialError> {
    let (mut connecting, looking) = (std::pin::pin!(connecting), std::pin::pin!(looking));
    tokio::select! {
        outcome = &mut connecting => return outcome,
        _ = looking => {}
    }
    connecting.await
}

/// Takes a place in the DHT. Names of nodes are looked up, which may take a while.
pub(crate) async fn open_dht(bootstrap: Vec<String>, remembered: Vec<String>) -> Result<Dht> {
    blocking(move || Dht::open(&bootstrap, &remembered).map_err(|error| Problem::new(Code::Offline).because(error)))
        .await
}
