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
use identity::Rendezvous;
use net::{
    Candidate, Candidates, Connected, Dht, DialError, Endpoint, Entrants, Entry, KnockKey, PeerName, Source, Target,
    candidates::in_order, peer_name,
};
use std::{net::SocketAddr, sync::PoisonError, time::Duration};
use tokio::time::timeout_at;

const CANDIDATES: &str = "net.candidates";
const DHT_NODES: &str = "net.dht-nodes";
/// Who answers in the local network answers sooner than this; then nobody else has to be asked.
const BEFORE_LOOKING: Duration = Duration::from_millis(100);
/// What a server names of itself; the rest a client learns otherwise.
const TOLD: [Source; 5] = [Source::Interface, Source::Ipv6, Source::Mapping, Source::Observed, Source::Relay];

/// What the server last said of itself that isn't an address.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Whether it synchronizes via the Internet; `None`: nobody said.
    pub(super) internet: Option<bool>,
    /// Switchboards it is connected to.
    pub(super) rendezvous: Vec<Rendezvous>,
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
    pub(super) async fn call_server(&self, endpoint: &Endpoint, search: &mut Search) -> Result<Connected> {
        let (server, internet, looks) = {
            let settings = self.settings();
            let server = settings.server.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?;
            (server, settings.network.internet, settings.network.internet && settings.network.peer_names)
        };
        endpoint.keep_local(!internet);
        let all = in_order(&self.candidates.all(), |address| endpoint.is_lan(address));
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
            match looks {
                true => self.look_server_up(entry, &server).await,
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
            DialError::NoAddress if !looks && !has_others => Problem::new(Code::NoWayToServer).with("server", name),
            DialError::NoAddress | DialError::NoAnswer { .. } => {
                let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).internet;
                let has_network = endpoint.has_network() || target.addresses.iter().any(|at| at.ip().is_loopback());
                let code = match () {
                    () if !has_network => Code::Offline,
                    () if has_others => Code::InternetOffHere,
                    () if internet && told == Some(false) => Code::InternetOffOnServer,
                    () => Code::ServerSilent,
                };
                Problem::new(code).with("server", name).because(error)
            }
            error => super::client::dial_problem(error, name, "connection"),
        })
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

    async fn look_server_up(&self, entry: Entry, server: &KnownServer) {
        tokio::time::sleep(BEFORE_LOOKING).await;
        let dht = match self.dht().await {
            Ok(dht) => dht,
            Err(problem) => return tracing::info!(?problem, "the network for addresses can't be used"),
        };
        let mut found = peer_name::find(&dht, server.public_key, self.service_id(), now_secs());
        while let Some(said) = found.recv().await {
            let addresses: Vec<SocketAddr> = said.candidates.iter().map(|(_, address)| *address).collect();
            self.take_told(said.internet, &said.candidates, said.rendezvous);
            for address in addresses {
                if !entry.enter(address).await {
                    return;
                }
            }
        }
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
    }
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

/// Enters the addresses of a server's peer name into a race: for a computer that is being added.
pub(super) async fn look_up_peer_name(dht: Dht, server: identity::PublicKey, id: identity::ServiceId, entry: Entry) {
    let mut found = peer_name::find(&dht, server, id, now_secs());
    while let Some(PeerName { candidates, .. }) = found.recv().await {
        for (_, address) in candidates {
            if !entry.enter(address).await {
                return;
            }
        }
    }
}

/// Takes a place in the DHT. Names of nodes are looked up, which may take a while.
pub(crate) async fn open_dht(bootstrap: Vec<String>, remembered: Vec<String>) -> Result<Dht> {
    blocking(move || Dht::open(&bootstrap, &remembered).map_err(|error| Problem::new(Code::Offline).because(error)))
        .await
}
