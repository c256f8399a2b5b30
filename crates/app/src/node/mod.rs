//! A running computer: engine, network, control channel and the answers to every command.
//!
//! | file | story |
//! |---|---|
//! | `mod.rs` | opening and ending; what a running instance has |
//! | `setup.rs` | becoming a server or a client, and stopping to be one |
//! | `setup/choosing.rs` | choosing anew after a preview, and the end of taking over |
//! | `server.rs` | the door: who may come in, who may be added, who is let go |
//! | `line.rs` | whether a client may use the Internet now |
//! | `client.rs` | calling the server, again and again; moving to a better path |
//! | `check.rs` | the connection check |
//! | `relay.rs` | a server's relay, for computers that find no direct way |
//! | `router.rs` | the router lets calls from the Internet through |
//! | `lan.rs` | the local network: a server announces itself, a client finds it there |
//! | `finding.rs` | where the server is: its addresses, and the network to look them up in |
//! | `publication.rs` | what a server says of itself: peer name and the record behind its server ID |
//! | `answers.rs` | the commands of [`crate::api`] |
//! | `switchboards.rs` | a server's lines to switchboards, at which others are put through to it |
//! | `options.rs` | the settings of a running instance |
//! | `undo.rs` | bringing items back to how they were |

mod answers;
mod check;
mod client;
pub(crate) mod finding;
mod firewall;
mod lan;
mod line;
mod options;
mod publication;
mod relay;
mod router;
mod server;
mod setup;
mod switchboards;
mod taking_back;
mod undo;

use crate::{
    api::types::{Event, Keep, PathView, ResolveConflict},
    blobs::{self, Blobs},
    control::ControlServer,
    engine::{self, Engine, Part},
    located::Located,
    message::{Code, Problem, Result},
    profile::{Profile, ProfileLock},
    secrets::{self, SecretName, SecretStore, StoreKind},
    settings::{ConflictRule, Role, Settings},
};
use identity::{IdentityKey, ServiceId};
use net::{
    Candidates, Dht, Endpoint, EndpointConfig, Knock, KnockKey, KnockScope, NetworkChange, PROTOCOL_VERSION,
    SavedTransport,
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};
use stores::{
    Store, StoreId,
    memory::{MemoryOptions, MemoryStore},
};
use sync::replica;
use tokio::{
    sync::{broadcast, watch},
    task::JoinSet,
};

pub use check::check_from_outside;
pub use setup::{Created, InitServer, JoinAgain, JoinRequest, ServerToJoin, computer_name};
pub use sync::plan::Pairing;

/// What a profile is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Use {
    /// A server that clients can reach.
    Serve,
    /// A client that stays connected.
    Run,
    /// One synchronization.
    Once,
    /// Works with the data on this computer, without a network.
    Alone,
    /// Answers only: no network, and the store isn't read.
    Ask,
}

/// How a profile is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Where the secrets are, if that is not in the settings yet.
    pub secrets: Option<StoreKind>,
}

/// Owns a running instance. Dropping it stops the instance.
#[derive(Debug)]
pub struct Node {
    instance: Arc<Instance>,
    tasks: JoinSet<()>,
}

/// A pause, until a time in seconds since 1970 or until a person continues.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Pause {
    until: Option<u64>,
}

/// A running instance: what commands work on.
pub struct Instance {
    profile: Profile,
    settings: Mutex<Settings>,
    secrets: Arc<dyn SecretStore>,
    part: Part,
    engine: Engine,
    key: IdentityKey,
    service_id: Mutex<ServiceId>,
    endpoint: Option<Endpoint>,
    listening: Vec<SocketAddr>,
    door: Option<Arc<server::Door>>,
    lan: lan::Lan,
    router: router::Router,
    switchboards: switchboards::Switchboards,
    relay: relay::RelayInUse,
    events: broadcast::Sender<Event>,
    pause: watch::Sender<Option<Pause>>,
    /// False as long as somebody shows what happens without a link.
    linked: watch::Sender<bool>,
    /// What stands between this computer and the server.
    link_problem: Mutex<Option<Problem>>,
    /// What waited for a person when that was asked last.
    waiting: Mutex<answers::Waiting>,
    choice: Mutex<setup::Choice>,
    may_take_over: Mutex<bool>,
    /// Where the server is: on the server its own addresses, on a client what it knows of them.
    candidates: Candidates,
    /// What the server last said of itself (client).
    told: Mutex<finding::Told>,
    /// What came of asking switchboards the last time (client).
    put_through: Mutex<Option<std::result::Result<(), net::rendezvous::NotPutThrough>>>,
    /// By which way the server was reached the last time (client).
    path: Mutex<Option<PathView>>,
    /// This computer's place in the DHT, once it was needed.
    dht: tokio::sync::Mutex<Option<Dht>>,
    /// Held while something is being said in the DHT.
    publishing: tokio::sync::Mutex<()>,
    /// Tells that a switch was turned that decides whom to call and what to publish.
    rules: watch::Sender<()>,
    /// Tells of other networks and of waking up.
    network: watch::Receiver<NetworkChange>,
    /// Whether the line to the Internet is metered, as far as that matters here.
    metered: watch::Sender<bool>,
    over: watch::Sender<bool>,
    /// The profile is ours as long as this exists.
    lock: ProfileLock,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("part", &self.part).finish_non_exhaustive()
    }
}

/// People see no faster than that.
const STATUS_EVERY: std::time::Duration = std::time::Duration::from_millis(200);
const TRANSPORT: &str = "net.transport";

impl Node {
    /// Opens a profile that was set up.
    pub async fn open(profile: &Profile, use_as: Use, options: OpenOptions) -> Result<Self> {
        let lock = profile.lock()?;
        let settings = Settings::load(&profile.settings_file())?;
        Self::start(lock, settings, use_as, options).await
    }

    async fn start(lock: ProfileLock, mut settings: Settings, use_as: Use, options: OpenOptions) -> Result<Self> {
        let profile = lock.profile().clone();
        let part = match settings.role {
            Some(Role::Server) => Part::Server,
            Some(Role::Client) => Part::Client,
            None => return Err(Problem::new(Code::NotSetUp)),
        };
        match (use_as, part) {
            (Use::Serve, Part::Client) => return Err(Problem::new(Code::OnServerOnly)),
            (Use::Run, Part::Server) => return Err(Problem::new(Code::OnClientOnly)),
            _ => {}
        }
        let id = settings.profile.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?;
        let kind = settings.secrets.or(options.secrets).ok_or_else(|| Problem::new(Code::NotSetUp))?;
        let secrets: Arc<dyn SecretStore> = Arc::from(secrets::open(&profile, &id, kind));
        let recorded = settings.public_key;
        let held = Arc::clone(&secrets);
        let (key, service_id) = blocking(move || {
            let key = secrets::identity_key(&*held, recorded.as_ref())?.ok_or_else(|| Problem::new(Code::KeyLost))?;
            Ok((key, read_service_id(&*held)?))
        })
        .await?;
        let located = match part {
            // Its owner looks at the server's folders before choosing where they shall be.
            Part::Client if settings.stores.is_empty() => None,
            _ => Some(Located::find(&settings.stores, &profile.staging())?),
        };
        let kept_by = profile.clone();
        let (settings, blobs) = blocking(move || {
            let folder = blobs::place::settle(&kept_by, &mut settings)?;
            let blobs = Blobs::in_folder(&folder)
                .map_err(|error| Problem::new(Code::ProfileUnusable).with("folder", folder.as_path()).because(error))?;
            Ok((settings, blobs))
        })
        .await?;
        let reads = use_as != Use::Ask;
        let program = match part {
            Part::Client => env!("CARGO_PKG_VERSION").to_owned(),
            Part::Server => String::new(),
        };
        let engine_settings =
            replica::Settings { is_preview: part == Part::Client, program, ..replica::Settings::default() };
        let place = located.as_ref().map(Located::place).unwrap_or_default();
        let store = move |known: Option<StoreId>| -> Box<dyn Store> {
            match located {
                Some(located) => located.store(known),
                None => Box::new(MemoryStore::new(MemoryOptions::default()).0),
            }
        };
        // Stores wait: for a disk, or for the program that keeps the data.
        let index = profile.index_database();
        let start = move || Ok(Engine::start(part, index, blobs, store, engine_settings, reads, place)?);
        let (engine, found) = blocking(start).await?;
        let (events, _) = broadcast::channel(1024);
        if let crate::index::Found::Damaged { moved_to } = &found {
            tracing::warn!(file = %moved_to.display(), "the index was damaged; everything is compared anew");
            let moved_to = moved_to.clone();
            engine.run(move |room| room.found_damaged(&moved_to)).await.ok_or_else(gone)?;
        }
        let choice = setup::Choice::read(&engine).await?;
        let keeps_out = choice.offers.is_some() && !choice.is_set;
        let (pairing, is_preview) = (choice.pairing(), keeps_out || part == Part::Client && !choice.is_started);
        engine
            .run(move |room| {
                let settings = room.replica.settings_mut();
                settings.is_preview = is_preview;
                settings.pairing = pairing;
            })
            .await
            .ok_or_else(gone)?;
        let is_networked = matches!((use_as, part), (Use::Serve, _) | (Use::Run | Use::Once, Part::Client));
        let saved = engine.run(|room| room.index.value(TRANSPORT)).await.ok_or_else(gone)??;
        let saved = saved.and_then(|bytes| serde_json::from_slice::<SavedTransport>(&bytes).ok());
        let saved = saved.unwrap_or_else(SavedTransport::generate);
        let endpoint = if is_networked {
            let listen = match part {
                Part::Server => settings.network.listen,
                Part::Client => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 0], 0)),
            };
            let config = EndpointConfig::new(IdentityKey::from_seed(key.seed()), saved, engine::link::frame_caps);
            let bound = Endpoint::bind(config, listen);
            Some(bound.map_err(|error| {
                Problem::new(Code::AddressNotUsable).with("address", listen.to_string()).because(error)
            })?)
        } else {
            None
        };
        let listening = endpoint.as_ref().map(Endpoint::local_addresses).unwrap_or_default();
        let door = match part {
            Part::Server => Some(Arc::new(server::Door::open(&settings, service_id, &*secrets, &engine).await?)),
            Part::Client => None,
        };
        let candidates = finding::known_candidates(&engine, settings.server.as_ref()).await?;
        let told = finding::Told::known(&engine, settings.server.as_ref()).await?;
        let instance = Arc::new(Instance {
            profile,
            settings: Mutex::new(settings),
            secrets,
            part,
            engine,
            key,
            service_id: Mutex::new(service_id),
            endpoint,
            listening,
            door,
            lan: lan::Lan::default(),
            router: router::Router::default(),
            switchboards: switchboards::Switchboards::default(),
            relay: relay::RelayInUse::default(),
            events,
            pause: watch::channel(None).0,
            linked: watch::channel(true).0,
            link_problem: Mutex::new(None),
            waiting: Mutex::default(),
            choice: Mutex::new(choice),
            may_take_over: Mutex::new(false),
            candidates,
            told: Mutex::new(told),
            put_through: Mutex::new(None),
            path: Mutex::new(None),
            dht: tokio::sync::Mutex::new(None),
            publishing: tokio::sync::Mutex::new(()),
            rules: watch::channel(()).0,
            network: net::watch_network(),
            metered: watch::channel(false).0,
            over: watch::channel(false).0,
            lock,
        });
        instance.do_as_chosen().await?;
        instance.ask_what_waits().await?;
        let mut node = Self { instance, tasks: JoinSet::new() };
        node.begin(use_as).await?;
        Ok(node)
    }

    async fn begin(&mut self, use_as: Use) -> Result<()> {
        let instance = &self.instance;
        let forwarding = Arc::clone(instance);
        self.tasks.spawn(async move { forwarding.forward_events().await });
        match (instance.part, instance.endpoint.is_some()) {
            (Part::Server, true) => {
                instance.keep_port().await?;
                instance.take_calls().await?;
                instance.announce();
                instance.ask_router().await;
                let accepting = Arc::clone(instance);
                self.tasks.spawn(async move { accepting.accept().await });
                let looking = Arc::clone(instance);
                self.tasks.spawn(async move { looking.know_own_addresses().await });
                let saying = Arc::clone(instance);
                self.tasks.spawn(async move { saying.stay_findable().await });
                let staying = Arc::clone(instance);
                self.tasks.spawn(async move { staying.stay_on_lines().await });
                let relaying = Arc::clone(instance);
                self.tasks.spawn(async move { relaying.stay_at_relay().await });
            }
            (Part::Client, true) => {
                // Nothing goes over a metered line before that is known.
                instance.look_at_line(&mut None).await;
                let looking = Arc::clone(instance);
                self.tasks.spawn(async move { looking.watch_line().await });
                let calling = Arc::clone(instance);
                self.tasks.spawn(async move { calling.stay_connected().await });
                let first = Arc::clone(instance);
                self.tasks.spawn(async move { first.end_first().await });
            }
            _ => {}
        }
        if instance.part == Part::Server && use_as != Use::Ask {
            let choosing = Arc::clone(instance);
            self.tasks.spawn(async move {
                if let Err(problem) = choosing.keep_folders_out().await {
                    tracing::warn!(%problem, "the folders to keep out aren't known yet");
                }
            });
        }
        let waking = Arc::clone(instance);
        self.tasks.spawn(async move {
            loop {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                waking.end_pause_in_time();
            }
        });
        if use_as != Use::Ask {
            let control = ControlServer::bind(&instance.lock)?;
            let (events, _) = broadcast::channel(1024);
            let told = events.clone();
            let mut happened = instance.events.subscribe();
            self.tasks.spawn(async move {
                while let Ok(event) = happened.recv().await {
                    if let Ok(value) = serde_json::to_value(event) {
                        // Nobody listening is fine.
                        told.send(value).ok();
                    }
                }
            });
            let answering = Arc::clone(instance);
            self.tasks.spawn(async move {
                let handler = move |command: String, request: Value| {
                    let instance = Arc::clone(&answering);
                    async move { crate::api::dispatch(&instance, &command, request).await }
                };
                control.serve(handler, events).await;
            });
        }
        Ok(())
    }

    /// Carries out a command of [`crate::api`].
    pub async fn call(&self, command: &str, request: Value) -> Result<Value> {
        crate::api::dispatch(&self.instance, command, request).await
    }

    /// Whether somebody looked at the preview of the first synchronization and said yes. A server needs none.
    #[must_use]
    pub fn is_started(&self) -> bool {
        let choice = self.instance.choice.lock().unwrap_or_else(PoisonError::into_inner);
        self.instance.part == Part::Server || choice.is_started
    }

    /// Cuts a client's link, as if a cable were pulled, or lets it come back. For showing what happens then.
    pub fn set_linked(&self, is_linked: bool) {
        self.instance.linked.send_replace(is_linked);
    }

    /// Waits until a client's link to its server stands, or it is known what stands in the way.
    pub async fn called(&self) {
        let mut state = self.instance.engine.state();
        while self.instance.part == Part::Client && !state.borrow_and_update().is_connected {
            if self.instance.link_problem.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
            tokio::select! {
                changed = state.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(std::time::Duration::from_millis(50)) => {}
            }
        }
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.instance.events.subscribe()
    }

    /// Where a server listens.
    #[must_use]
    pub fn listening(&self) -> Vec<SocketAddr> {
        self.instance.listening.clone()
    }

    /// Waits until the instance can't go on.
    pub async fn closed(&self) {
        let mut over = self.instance.over.subscribe();
        over.wait_for(|is_over| *is_over).await.ok();
    }

    /// Ends the instance: links are closed in order, what is being written is finished.
    pub async fn shut_down(mut self) {
        if let Some(endpoint) = &self.instance.endpoint {
            endpoint.stop_serving();
            tokio::join!(self.instance.withdraw(), self.instance.router.end());
            self.instance.save_transport().await;
            self.instance.engine.run(|room| room.hang_up_all()).await;
            tokio::join!(endpoint.close(), self.instance.relay.end());
        }
        self.instance.leave_dht().await;
        self.tasks.shutdown().await;
    }
}

impl Instance {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save_settings(&self) -> Result<()> {
        let settings = self.settings().clone();
        Ok(settings.save(&self.profile.settings_file())?)
    }

    fn service_id(&self) -> ServiceId {
        *self.service_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knock(&self) -> Knock {
        Knock { key: KnockKey::of_service(&self.service_id()), scope: KnockScope::Anyone }
    }

    async fn save_transport(&self) {
        let Some(endpoint) = &self.endpoint else { return };
        if let Ok(saved) = serde_json::to_vec(&endpoint.saved()) {
            self.engine.run(move |room| room.index.set_value(TRANSPORT, Some(&saved))).await;
        }
    }

    fn set_link_problem(&self, problem: Option<Problem>) {
        let mut current = self.link_problem.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != problem {
            current.clone_from(&problem);
            drop(current);
            if let Some(problem) = problem {
                let view = problem.view(self.language());
                self.events.send(Event::Problem { problem: view }).ok();
            }
        }
    }

    fn language(&self) -> crate::language::Language {
        self.settings().language.unwrap_or_else(crate::language::Language::of_system)
    }

    /// A conflict waits for a person, unless one has said before who wins.
    fn decide_as_chosen(self: &Arc<Self>, id: String) -> Option<Event> {
        let keep = match self.settings().conflicts.rule {
            ConflictRule::Ask => return Some(Event::Conflict { id }),
            ConflictRule::Client => Keep::Client,
            ConflictRule::Server => Keep::Server,
        };
        let instance = Arc::clone(self);
        tokio::spawn(async move {
            let decided = instance.resolve_conflict(ResolveConflict { id: id.clone(), keep }).await;
            if let Err(problem) = decided {
                tracing::warn!(%problem, "a conflict waits although somebody said who wins");
                instance.events.send(Event::Conflict { id }).ok();
            }
        });
        None
    }

    async fn forward_events(self: Arc<Self>) {
        use sync::replica::Happened;
        let mut events = self.engine.events();
        let mut state = self.engine.state();
        let (mut is_status_due, mut next_status) = (false, tokio::time::Instant::now());
        loop {
            let event = tokio::select! {
                event = events.recv() => match event {
                    Ok(engine::Event::Happened(Happened::Here(change))) => {
                        Some(Event::Changed { item: change.item.to_string(), is_here: true })
                    }
                    Ok(engine::Event::Happened(Happened::There(change))) => {
                        Some(Event::Changed { item: change.item.to_string(), is_here: false })
                    }
                    Ok(engine::Event::Happened(Happened::Conflict(_, id))) => {
                        self.decide_as_chosen(engine::view::hex(&id.0))
                    }
                    Ok(engine::Event::Happened(
                        Happened::RemovalsHeld(folder, count)
                        | Happened::DeletionsHeld(folder, count)
                        | Happened::ReversionsHeld(folder, count),
                    )) => Some(Event::Held { folder: folder.to_string(), count }),
                    Ok(engine::Event::Problem(problem)) => Some(Event::Problem { problem: problem.view(self.language()) }),
                    Ok(engine::Event::Happened(_)) | Err(broadcast::error::RecvError::Lagged(_)) => None,
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                changed = state.changed(), if !is_status_due => match changed {
                    Ok(()) => {
                        is_status_due = true;
                        None
                    }
                    Err(_) => break,
                },
                () = tokio::time::sleep_until(next_status), if is_status_due => {
                    is_status_due = false;
                    next_status = tokio::time::Instant::now() + STATUS_EVERY;
                    self.status_now().await.ok().map(|status| Event::Status { status })
                }
            };
            if let Some(event) = event {
                // Nobody listening is fine.
                self.events.send(event).ok();
            }
        }
        self.over.send_replace(true);
    }
}

fn read_service_id(secrets: &dyn SecretStore) -> Result<ServiceId> {
    let bytes = secrets.get_bytes(SecretName::ServiceId)?;
    let bytes: [u8; 16] = bytes.as_slice().try_into().map_err(|_| Problem::new(Code::KeyDamaged))?;
    Ok(ServiceId::from_bytes(bytes))
}

/// Secrets may wait for a person to unlock them: never on a thread of the network.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Problem::new(Code::Unexpected).because(error)))
}

fn gone() -> Problem {
    Problem::new(Code::Unexpected).because("the engine has stopped")
}

pub(crate) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The two sides don't speak the same version of the protocol; `theirs` is the other side's, if known.
fn other_version(code: Code, theirs: Option<u8>) -> Problem {
    let older = match theirs {
        Some(theirs) if theirs > PROTOCOL_VERSION => "here",
        Some(_) => "there",
        None => "unknown",
    };
    Problem::new(code)
        .with("have", PROTOCOL_VERSION.to_string())
        .with("other", theirs.map_or_else(|| "?".to_owned(), |theirs| theirs.to_string()))
        .with("older", older)
}

/// The words of the first synchronization for the engine.
impl setup::Choice {
    const fn pairing(&self) -> Pairing {
        match self.mode {
            setup::Mode::Combine => Pairing::Combine,
            setup::Mode::Server => Pairing::TakeServer,
            setup::Mode::Client => Pairing::TakeClient,
        }
    }
}
