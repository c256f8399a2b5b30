//! Becoming a server or a client, and stopping to be one.

mod choosing;

pub use choosing::JoinAgain;

use super::{
    Instance, Node, OpenOptions, Use, blocking, client,
    finding::{self, Asking},
    gone, now_secs,
};
use crate::{
    api::types::Direction,
    blobs,
    engine::Engine,
    finding::Found,
    located::Located,
    message::{Code, Problem, Result},
    password::{Rule, normal_form},
    profile::{Profile, ProfileLock},
    secrets::{self, SecretName, SecretStore, StoreKind},
    settings::{History, KnownServer, ProfileId, Role, Settings, StoreSpec},
};
use identity::{
    Fingerprint, IdentityKey, Invitation, PublicKey, Rendezvous, Salt, Secret, ServerName, ServiceId, Token,
};
use net::{
    Answer, Credentials, DialError, Endpoint, EndpointConfig, Entrants, KnockKey, LanName, LanServer, PasswordRecord,
    SavedTransport, Target, rendezvous::Call,
};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::Path, sync::PoisonError};
use sync::plan::Pairing;

/// A new server.
#[derive(Debug)]
pub struct InitServer {
    /// What it is called.
    pub name: String,
    /// Where its data is, like `files:/home/anna/Data`: one place, or several.
    pub stores: Vec<String>,
    /// What other computers must know.
    pub password: Secret,
    /// "Synchronize via the Internet".
    pub internet: bool,
    /// Where it listens; without: any address, and a port that is chosen once.
    pub listen: Option<SocketAddr>,
    /// Where its secrets shall be; without: the password store, else a file.
    pub secrets: Option<StoreKind>,
    /// The folders it offers, by path; without: all, also those made later.
    pub folders: Option<Vec<String>>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// The server's name.
    pub name: ServerName,
    /// Of its key.
    pub fingerprint: Fingerprint,
    /// Where its secrets are.
    pub secrets: StoreKind,
    /// Something to know: there is no password store, so a file is used.
    pub note: Option<Problem>,
}

/// A new client.
#[derive(Debug)]
pub struct JoinRequest {
    /// The server, as an invitation or the local network names it.
    pub server: ServerToJoin,
    /// Where this computer's data is: one place, or several. None: it is chosen later ([`JoinAgain`]), and until then
    /// nothing is here.
    pub stores: Vec<String>,
    /// The server's password.
    pub password: Secret,
    /// What the first synchronization does with what only one side has.
    pub mode: Pairing,
    /// Only these folders.
    pub only: Vec<String>,
    /// Folders called otherwise here: (the server's path, ours).
    pub map: Vec<(String, String)>,
    /// What this computer calls itself.
    pub device_name: String,
    /// Where its secrets shall be; without: the password store, else a file.
    pub secrets: Option<StoreKind>,
    /// Further addresses to try.
    pub addresses: Vec<SocketAddr>,
    /// Nodes of the Mainline DHT to begin with; none: as the settings have it.
    pub dht_bootstrap: Vec<String>,
}

/// What this computer is called, as far as its name is one that people see.
#[must_use]
pub fn computer_name() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    let short = name.split('.').next().unwrap_or_default();
    if short.is_empty() { "Tandem".to_owned() } else { short.to_owned() }
}

/// A server that this computer isn't connected to yet.
#[derive(Clone, Debug)]
pub struct ServerToJoin {
    /// What it is called.
    pub name: ServerName,
    /// Who it must be, if that is known beforehand. The password proves it in any case.
    pub public_key: Option<PublicKey>,
    /// What opens its port.
    pub knock: KnockKey,
    /// What leads to its peer name, if that is known.
    pub service_id: Option<ServiceId>,
    /// Where it may be.
    pub addresses: Vec<SocketAddr>,
    /// Switchboards at which it may be asked for.
    pub rendezvous: Vec<Rendezvous>,
    /// Tries at the password of one's own.
    pub ticket: Option<Token>,
    /// The salt of the record to which a server ID led.
    pub salt: Option<Salt>,
    /// Its name in the local network, if it was found there.
    pub lan: Option<LanName>,
}

impl ServerToJoin {
    /// Whether it is the server with this key, as far as can be known before it is called.
    #[must_use]
    pub fn is(&self, key: &PublicKey) -> bool {
        match (self.public_key, self.lan) {
            (Some(public_key), _) => public_key == *key,
            (None, lan) => lan == Some(LanName::of(key)),
        }
    }
}

impl From<Invitation> for ServerToJoin {
    fn from(invitation: Invitation) -> Self {
        Self {
            name: invitation.server_name,
            public_key: Some(invitation.public_key),
            knock: KnockKey::of_service(&invitation.service_id),
            service_id: Some(invitation.service_id),
            addresses: invitation.hints.iter().map(|hint| hint.address()).collect(),
            rendezvous: invitation.rendezvous,
            ticket: invitation.ticket.map(|ticket| ticket.token),
            salt: None,
            lan: None,
        }
    }
}

/// A published server: where it is, its peer name or a switchboard says.
impl From<Found> for ServerToJoin {
    fn from(found: Found) -> Self {
        let Found { record, rendezvous } = found;
        Self {
            knock: KnockKey::of_service(&record.service_id),
            name: record.name,
            public_key: Some(record.public_key),
            service_id: Some(record.service_id),
            addresses: Vec::new(),
            rendezvous,
            ticket: None,
            salt: Some(record.salt),
            lan: None,
        }
    }
}

impl From<LanServer> for ServerToJoin {
    fn from(server: LanServer) -> Self {
        let LanServer { id, name, knock, addresses, .. } = server;
        Self {
            name,
            public_key: None,
            knock,
            service_id: None,
            addresses,
            rendezvous: Vec::new(),
            ticket: None,
            salt: None,
            lan: Some(id),
        }
    }
}

/// See [`Pairing`].
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) enum Mode {
    #[default]
    Combine,
    Server,
    Client,
}

impl From<Pairing> for Mode {
    fn from(pairing: Pairing) -> Self {
        match pairing {
            Pairing::Combine => Self::Combine,
            Pairing::TakeServer => Self::Server,
            Pairing::TakeClient => Self::Client,
        }
    }
}

/// What was chosen for the first synchronization.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Choice {
    pub(super) mode: Mode,
    pub(super) only: Vec<String>,
    pub(super) map: Vec<(String, String)>,
    #[serde(default)]
    pub(super) directions: Vec<(String, Direction)>,
    /// The only folders a new server offers.
    #[serde(default)]
    pub(super) offers: Option<Vec<String>>,
    /// The folders of `only` and `map` were found and set.
    pub(super) is_set: bool,
    /// A person looked at the preview and said yes.
    pub(super) is_started: bool,
    /// The newest run when the first synchronization was done.
    #[serde(default = "long_ago")]
    pub(super) first_ended: Option<i64>,
    /// The first synchronization is being taken back: nothing travels any more.
    #[serde(default)]
    pub(super) takes_back: bool,
}

/// Where nobody wrote down which runs were the first, none of them counts as such.
fn long_ago() -> Option<i64> {
    Some(0)
}

const CHOICE: &str = "first.choice";

impl Choice {
    pub(super) async fn read(engine: &Engine) -> Result<Self> {
        let bytes = engine.run(|room| room.index.value(CHOICE)).await.ok_or_else(gone)??;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }
}

impl Instance {
    pub(super) async fn keep_choice(&self, choice: Choice) -> Result<()> {
        let bytes = serde_json::to_vec(&choice).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        self.engine.run(move |room| room.index.set_value(CHOICE, Some(&bytes))).await.ok_or_else(gone)??;
        *self.choice.lock().unwrap_or_else(PoisonError::into_inner) = choice;
        Ok(())
    }
}

impl Node {
    /// Makes this profile a server.
    pub async fn init_server(profile: &Profile, request: InitServer) -> Result<Created> {
        let _lock = profile.lock()?;
        let mut settings = Settings::load(&profile.settings_file())?;
        refuse_second_role(&settings)?;
        let name = ServerName::parse(&request.name)?;
        let rule = Rule::new(request.internet);
        let own = [name.as_str(), request.name.as_str()];
        let password = rule.accept(&request.password, &own).map_err(|strength| rule.problem(&strength))?;
        settings.stores = prepare_stores(&request.stores, profile).await?;
        let key = IdentityKey::generate();
        settings.role = Some(Role::Server);
        settings.name = Some(name.clone());
        settings.network.internet = request.internet;
        if let Some(listen) = request.listen {
            settings.network.listen = listen;
        }
        let class = Rule::class(&request.password, &own);
        let service_id = ServiceId::generate();
        let fingerprint = Fingerprint::of(&key.public());
        let record = {
            let password = password.clone();
            blocking(move || {
                PasswordRecord::register(&password).map_err(|error| Problem::new(Code::PasswordWeak).because(error))
            })
            .await?
        };
        let kept = keep_secrets(profile, settings, request.secrets, key, service_id, move |store| {
            store.set_bytes(SecretName::OpaqueRecord, &record.to_bytes())?;
            super::answers::keep_class(store, class)?;
            if store.kind() == StoreKind::Keyring {
                // Only the password store may know the password itself, so that the owner can look it up.
                store.set(SecretName::ServerPassword, &password)?;
            }
            Ok(())
        })
        .await?;
        if request.folders.is_some() {
            let choice = Choice { offers: request.folders, is_started: true, ..Choice::default() };
            choosing::keep_for_later(profile, &choice)?;
        }
        Ok(Created { name, fingerprint, secrets: kept.0, note: kept.1 })
    }

    /// Makes this profile a client: proves the password to the server and opens the profile, comparing both sides.
    /// Nothing is written on either side before [`start`](crate::api::types).
    pub async fn join(profile: &Profile, request: JoinRequest) -> Result<Self> {
        let lock = profile.lock()?;
        let mut settings = Settings::load(&profile.settings_file())?;
        refuse_second_role(&settings)?;
        if !request.dht_bootstrap.is_empty() {
            settings.network.dht_bootstrap = request.dht_bootstrap;
        }
        let stores = match &request.stores[..] {
            [] => Vec::new(),
            stores => prepare_stores(stores, profile).await?,
        };
        let ServerToJoin { name: server_name, public_key, knock, service_id, addresses, rendezvous, ticket, salt, lan } =
            request.server;
        let key = IdentityKey::generate();
        let addresses: Vec<SocketAddr> = request.addresses.iter().copied().chain(addresses).collect();
        // Whoever was invited from elsewhere comes over the Internet; anybody else does as the server does.
        let is_far = |address: &SocketAddr| !net::OnLink::system().is_lan(address.ip());
        let is_from_afar = salt.is_some() || addresses.iter().any(is_far) || addresses.is_empty() && lan.is_none();
        let to_look_up = public_key.zip(service_id).filter(|_| is_from_afar);
        let by_peer_name = settings.network.peer_names;
        if addresses.is_empty() && (to_look_up.is_none() || rendezvous.is_empty() && !by_peer_name) {
            return Err(Problem::new(Code::NoWayToServer));
        }
        let config = EndpointConfig::new(
            IdentityKey::from_seed(key.seed()),
            SavedTransport::generate(),
            crate::engine::link::frame_caps,
        );
        let endpoint = Endpoint::bind(config, SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 0], 0)))
            .map_err(|error| Problem::new(Code::AddressNotUsable).with("address", "").because(error))?;
        let target = Target { addresses: addresses.clone(), server: public_key, knock };
        let name = server_name.as_str();
        let (entry, entrants) = Entrants::open();
        let looking = async {
            // Dropped at the end, or the race would wait for addresses for ever.
            let entry = entry;
            let Some((key, id)) = to_look_up else { return };
            let mut asking = Asking::new(&endpoint, Call::new(key, &id), entry);
            asking.ask(&rendezvous);
            if by_peer_name && let Ok(dht) = finding::open_dht(settings.network.dht_bootstrap.clone(), Vec::new()).await
            {
                asking.follow(net::peer_name::find(&dht, key, id, now_secs()), |_| ()).await;
            }
            let _ = asking.outcome().await;
        };
        let known_by = if salt.is_some() { "ID" } else { "invitation" };
        let not_reached = |error| match error {
            // It was looked for in vain, which is another thing than not knowing how to look.
            DialError::NoAddress => Problem::new(Code::ServerSilent).with("server", name),
            error => client::dial_problem(error, name, known_by),
        };
        let connected = finding::while_looking(endpoint.connect(&target, entrants), looking).await;
        let answer = connected.map_err(not_reached)?.ask_to_pair().await.map_err(not_reached)?;
        let Answer::PairingNeeded(pairing) = answer else {
            return Err(Problem::new(Code::AlreadyConnected).with("server", name));
        };
        if lan.is_some_and(|lan| lan != LanName::of(&pairing.server())) {
            return Err(Problem::new(Code::KeyDiffers).with("server", name).with("known_by", "lan"));
        }
        let credentials = Credentials {
            password: normal_form(&request.password),
            device_name: request.device_name.clone(),
            platform: std::env::consts::OS.to_owned(),
            ticket,
            salt,
        };
        let is_lan = pairing.is_lan();
        let paired = pairing.pair(&credentials).await.map_err(|error| client::pair_problem(error, is_lan, name))?;
        let (server, enrolled) = (paired.server(), paired.enrolment().server.clone());
        let address = paired.remote_address();
        endpoint.close().await;

        // A way that a rendezvous opened is one for this time only.
        let is_lasting = addresses.contains(&address) || rendezvous.is_empty();
        let hints: Vec<SocketAddr> = Some(address).filter(|_| is_lasting).into_iter().chain(addresses).collect();
        settings.stores = stores;
        settings.role = Some(Role::Client);
        settings.name = ServerName::parse(&request.device_name).ok();
        settings.network.internet = is_from_afar || enrolled.internet;
        settings.network.internet_as_server = !is_from_afar;
        settings.server = Some(KnownServer {
            name: server_name.clone(),
            public_key: server,
            hints: hints.iter().map(ToString::to_string).collect(),
            rendezvous,
        });
        let password = request.password.clone();
        keep_secrets(profile, settings, request.secrets, key, enrolled.service_id, move |store| {
            if store.kind() == StoreKind::Keyring {
                store.set(SecretName::SavedPassword, &password)?;
            }
            Ok(())
        })
        .await?;
        let settings = Settings::load(&profile.settings_file())?;
        let node = Self::start(lock, settings, Use::Once, OpenOptions::default()).await?;
        let choice = Choice { mode: request.mode.into(), only: request.only, map: request.map, ..Choice::default() };
        let pairing = choice.pairing();
        node.instance.keep_choice(choice).await?;
        node.instance.engine.run(move |room| room.replica.settings_mut().pairing = pairing).await.ok_or_else(gone)?;
        Ok(node)
    }

    /// Has earlier versions kept in a folder; `None`: beside the records. Nobody may work with the profile.
    pub fn keep_versions_in(profile: &Profile, folder: Option<&Path>) -> Result<()> {
        let _lock = profile.lock()?;
        blobs::place::choose(profile, &mut Settings::load(&profile.settings_file())?, folder)
    }

    /// Stops being a client or a server. The data stays; access, secrets, what was remembered and what was published go.
    /// `Some`: what stays of it for a while, because it can't be reached now.
    pub async fn leave(profile: &Profile) -> Result<Option<Problem>> {
        let mut lock = profile.lock()?;
        let mut settings = Settings::load(&profile.settings_file())?;
        let mut stays = None;
        match settings.role {
            None => return Err(Problem::new(Code::NotSetUp)),
            Some(Role::Client) => {}
            Some(Role::Server) => {
                stays = take_back(lock, &settings).await?;
                lock = profile.lock()?;
            }
        }
        let (id, kind) = (settings.profile.clone(), settings.secrets);
        let held = profile.clone();
        blocking(move || {
            if let (Some(id), Some(kind)) = (id, kind) {
                secrets::open(&held, &id, kind).clear()?;
            }
            Ok(())
        })
        .await?;
        let in_folder =
            |error: std::io::Error| Problem::new(Code::ProfileUnusable).with("folder", profile.folder()).because(error);
        forget_records(profile, &mut settings).map_err(in_folder)?;
        let mut kept = Settings::default();
        kept.language = settings.language;
        kept.save(&profile.settings_file())?;
        drop(lock);
        Ok(stays)
    }
}

/// Deletes what a server published, as long as its key is there.
async fn take_back(lock: ProfileLock, settings: &Settings) -> Result<Option<Problem>> {
    match Node::start(lock, settings.clone(), Use::Ask, OpenOptions::default()).await {
        Ok(node) => {
            let stays = node.instance.take_back().await;
            node.shut_down().await;
            stays
        }
        // Its owner unlocks the password store first: afterwards there is no key to delete anything with.
        Err(problem) if [Code::KeyringLocked, Code::KeyringSilent].contains(&problem.code) => Err(problem),
        Err(problem) => {
            tracing::warn!(%problem, "the profile can't be opened, so nothing is taken back");
            Ok(None)
        }
    }
}

/// Forgets what both sides agreed on, the history and the contents that are kept for it.
fn forget_records(profile: &Profile, settings: &mut Settings) -> std::io::Result<()> {
    let index = profile.index_database();
    for end in ["", "-wal", "-shm", ".copy"] {
        remove(|| std::fs::remove_file(format!("{}{end}", index.display())))?;
    }
    let History { place, moved_from, .. } = &mut settings.history;
    for folder in [Some(profile.blobs()), place.take(), moved_from.take()].into_iter().flatten() {
        remove(|| std::fs::remove_dir_all(&folder))?;
    }
    Ok(())
}

fn remove(remove: impl FnOnce() -> std::io::Result<()>) -> std::io::Result<()> {
    match remove() {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn refuse_second_role(settings: &Settings) -> Result<()> {
    match settings.role {
        None => Ok(()),
        Some(Role::Server) => Err(Problem::new(Code::AlreadySetUp).with("role", "server")),
        Some(Role::Client) => Err(Problem::new(Code::AlreadySetUp).with("role", "client")),
    }
}

/// Looks at what lies at the store's place; makes the layout in an empty folder.
async fn prepare_stores(texts: &[String], profile: &Profile) -> Result<Vec<StoreSpec>> {
    let read = |text: &String| {
        text.parse::<StoreSpec>().map_err(|error| {
            Problem::new(Code::StoreUnknown).with("spec", text.to_owned()).because(format!("{error:?}"))
        })
    };
    let specs: Vec<StoreSpec> = texts.iter().map(read).collect::<Result<_>>()?;
    let staging = profile.staging();
    blocking(move || {
        Located::find(&specs, &staging)?.prepare()?;
        Ok(specs)
    })
    .await
}

/// Keeps the secrets first and the settings last: whoever finds settings finds the secrets they name.
async fn keep_secrets(
    profile: &Profile,
    mut settings: Settings,
    asked_for: Option<StoreKind>,
    key: IdentityKey,
    service_id: ServiceId,
    more: impl FnOnce(&dyn SecretStore) -> std::result::Result<(), secrets::SecretError> + Send + 'static,
) -> Result<(StoreKind, Option<Problem>)> {
    let id = ProfileId::generate();
    settings.profile = Some(id.clone());
    settings.public_key = Some(key.public());
    let held = profile.clone();
    let (kind, note) = blocking(move || {
        let chosen = secrets::choose(&held, &id, asked_for)?;
        let store = &*chosen.store;
        store.set_bytes(SecretName::IdentitySeed, key.seed())?;
        store.set_bytes(SecretName::ServiceId, service_id.as_bytes())?;
        more(store)?;
        Ok((store.kind(), chosen.fallback.map(|error| Problem::new(Code::NoKeyring).because(error))))
    })
    .await?;
    settings.secrets = Some(kind);
    settings.save(&profile.settings_file())?;
    tracing::info!(at = now_secs(), "the profile is set up");
    Ok((kind, note))
}
