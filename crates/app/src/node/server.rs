//! The door of a server: who may come in, who may be added, who is let go.
//!
//! What the network asks is answered from memory, and what must not be forgotten is in the index before the answer.

use super::{Instance, blocking, gone, now_secs, other_version};
use crate::{
    api::types::PathView,
    engine::{Engine, OwnedEngine},
    index::{Device, PairedBy},
    message::{Code, Problem, Result},
    secrets::{SecretName, SecretStore},
    settings::Settings,
};
use identity::{DeviceId, HostPort, Invitation, PublicKey, Rendezvous, Salt, ServiceId, Timestamp, Token};
use net::{
    Admission, Arrival, Caller, CloseCode, Cut, Doorkeeper, Enrolled, Guess, GuessBudgets, NewDevice, NotEnrolled,
    PairingDesk, PasswordRecord, Permit, Refusal, ServerRules, Source, Verdict,
};
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use sync::{hub::SessionId, model::ReplicaId, wire::Frame};

/// What the server tells a client at the beginning of each session. So a client set up at home finds the server later.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Greeting {
    pub(super) server_name: String,
    pub(super) service_id: [u8; 16],
    pub(super) candidates: Vec<(Source, SocketAddr)>,
    /// Switchboards: host and port, and the key.
    rendezvous: Vec<(String, [u8; 32])>,
    pub(super) internet: bool,
    /// The owner lets this computer take over the server's data once.
    pub(super) may_take_over: bool,
}

impl Greeting {
    pub(super) fn rendezvous(&self) -> Vec<Rendezvous> {
        let known = self.rendezvous.iter().filter_map(|(address, key)| {
            Some(Rendezvous { address: HostPort::parse(address)?, key: PublicKey::from_bytes(key).ok()? })
        });
        known.take(Invitation::RENDEZVOUS_MAX).collect()
    }
}

/// Everything the network asks about devices and passwords.
pub(super) struct Door {
    state: Mutex<State>,
    engine: OwnedEngine,
    sessions: AtomicU64,
}

struct State {
    devices: Vec<Device>,
    connected: Vec<Connected>,
    record: Option<PasswordRecord>,
    budgets: GuessBudgets,
    server_name: String,
    service_id: ServiceId,
    internet: bool,
    pause: Option<super::Pause>,
    /// Of the server ID that leads here now.
    published: Option<Salt>,
    /// When and from where somebody called who speaks another version of the protocol, and which one.
    other_version: Option<(Instant, IpAddr, Option<u8>)>,
}

/// For how long it is told that a computer with another version called.
const OTHER_VERSION_TOLD: Duration = Duration::from_secs(24 * 3600);

/// A computer that is here.
struct Connected {
    device: DeviceId,
    replica: ReplicaId,
    session: SessionId,
    link: net::Link,
}

impl Door {
    pub(super) async fn open(
        settings: &Settings,
        service_id: ServiceId,
        secrets: &dyn SecretStore,
        engine: &Engine,
    ) -> Result<Self> {
        let record = secrets.get_bytes(SecretName::OpaqueRecord)?;
        let record =
            PasswordRecord::from_bytes(&record).map_err(|error| Problem::new(Code::KeyDamaged).because(error))?;
        let (devices, budgets) = engine
            .run(|room| Ok::<_, Problem>((room.index.devices()?, room.index.guess_budgets()?)))
            .await
            .ok_or_else(gone)??;
        let budgets = budgets
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_else(|| GuessBudgets::new(now_secs(), chance()));
        let state = State {
            devices,
            connected: Vec::new(),
            record: Some(record),
            budgets,
            server_name: settings.name.as_ref().map(ToString::to_string).unwrap_or_default(),
            service_id,
            internet: settings.network.internet,
            pause: None,
            published: None,
            other_version: None,
        };
        Ok(Self { state: Mutex::new(state), engine: engine.owned(), sessions: AtomicU64::new(1) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves the budgets before the caller goes on: a restart must not give guesses back.
    fn save_budgets(&self, state: &State) {
        if let Ok(bytes) = serde_json::to_vec(&state.budgets) {
            self.engine.run_waiting(move |room| room.index.set_guess_budgets(&bytes));
        }
    }

    /// Every computer that was added, and by which way it is here now, if it is.
    pub(super) fn devices(&self) -> Vec<(Device, Option<PathView>)> {
        let state = self.state();
        let path = |device: &Device| {
            let here = state.connected.iter().rfind(|here| here.device == device.id)?;
            Some(match &here.link {
                link if link.is_relayed() => PathView::Relayed,
                link if link.is_lan() => PathView::Local,
                _ => PathView::Direct,
            })
        };
        state.devices.iter().map(|device| (device.clone(), path(device))).collect()
    }

    pub(super) fn find_device(&self, text: &str) -> Result<Device> {
        let state = self.state();
        let is_meant =
            |device: &&Device| (text.len() >= 4 && device.id.to_string().starts_with(text)) || device.name == text;
        let mut found = state.devices.iter().filter(is_meant);
        match (found.next(), found.next()) {
            (Some(device), None) => Ok(device.clone()),
            (Some(_), Some(_)) => Err(Problem::new(Code::Ambiguous).with("name", text).with("n", 2_u64)),
            (None, _) => Err(Problem::new(Code::NoSuchDevice).with("device", text)),
        }
    }

    fn put_device(&self, state: &mut State, device: Device) {
        let stored = device.clone();
        self.engine.run_waiting(move |room| room.index.put_device(&stored));
        state.devices.retain(|other| other.id != device.id);
        state.devices.push(device);
    }

    pub(super) fn remove(&self, device: Device) {
        let mut state = self.state();
        self.put_device(&mut state, Device { removed_at: Some(now_secs()), is_allowed_again: false, ..device });
    }

    pub(super) fn rename(&self, device: Device, name: &str) {
        let mut state = self.state();
        self.put_device(&mut state, Device { name: name.to_owned(), ..device });
    }

    pub(super) fn allow_again(&self, device: Device) {
        let mut state = self.state();
        self.put_device(&mut state, Device { is_allowed_again: true, ..device });
    }

    pub(super) fn change_budgets<T>(&self, change: impl FnOnce(&mut GuessBudgets) -> T) -> T {
        let mut state = self.state();
        let result = change(&mut state.budgets);
        self.save_budgets(&state);
        result
    }

    pub(super) fn set_record(&self, record: PasswordRecord) {
        self.state().record = Some(record);
    }

    pub(super) fn record(&self) -> Option<PasswordRecord> {
        self.state().record.clone()
    }

    pub(super) fn set_internet(&self, internet: bool) {
        self.state().internet = internet;
    }

    fn set_service_id(&self, service_id: ServiceId) {
        self.state().service_id = service_id;
    }

    pub(super) fn set_published(&self, salt: Option<Salt>) {
        self.state().published = salt;
    }

    pub(super) fn set_pause(&self, pause: Option<super::Pause>) {
        self.state().pause = pause;
    }

    /// Somebody called lately who speaks another version of the protocol.
    pub(super) fn note(&self) -> Option<Problem> {
        let (at, from, version) = self.state().other_version?;
        let note = || other_version(Code::OtherVersionCame, version).with("address", from.to_string());
        (at.elapsed() < OTHER_VERSION_TOLD).then(note)
    }

    pub(super) fn connected(&self) -> usize {
        self.state().connected.len()
    }

    /// A computer came. If it was here before and we haven't noticed that it went, the old link ends now.
    fn came(&self, came: Connected) {
        let mut state = self.state();
        let id = came.device;
        let is_same = |here: &Connected| here.device == id && here.replica == came.replica;
        for old in state.connected.iter().filter(|here| is_same(here)) {
            old.link.close(CloseCode::Replaced);
        }
        state.connected.push(came);
        let today = now_secs() / 86_400;
        if let Some(device) = state.devices.iter().find(|device| device.id == id && device.last_seen_day != Some(today))
        {
            let device = Device { last_seen_day: Some(today), ..device.clone() };
            self.put_device(&mut state, device);
        }
    }

    fn went(&self, session: SessionId) {
        self.state().connected.retain(|here| here.session != session);
    }
}

impl Doorkeeper for Door {
    fn admit(&self, caller: &Caller) -> Admission {
        let state = self.state();
        if !caller.is_lan && !state.internet {
            return Admission::Refused(Refusal::InternetOff);
        }
        if let Some(pause) = state.pause {
            return Admission::Refused(Refusal::Paused { until_unix_secs: pause.until });
        }
        match state.devices.iter().find(|device| device.key == caller.key) {
            None => Admission::Unknown,
            Some(device) if device.removed_at.is_some() => Admission::Removed,
            Some(_) => Admission::Known,
        }
    }

    fn speaks_otherwise(&self, from: IpAddr, version: Option<u8>) {
        tracing::warn!(%from, ?version, "somebody speaks another version of the protocol");
        self.state().other_version = Some((Instant::now(), from, version));
    }
}

impl PairingDesk for Door {
    fn password(&self) -> Option<PasswordRecord> {
        self.record()
    }

    fn is_published(&self, salt: &Salt) -> bool {
        self.state().published.as_ref() == Some(salt)
    }

    fn take_guess(&self, guess: &Guess) -> Verdict {
        self.change_budgets(|budgets| budgets.take(guess, now_secs(), chance()))
    }

    fn succeeded(&self, permit: Permit) {
        self.change_budgets(|budgets| budgets.succeeded(permit));
    }

    fn enrol(&self, device: &NewDevice) -> std::result::Result<Enrolled, NotEnrolled> {
        let mut state = self.state();
        let id = DeviceId::of(&device.key);
        let before = state.devices.iter().find(|other| other.id == id);
        if before.is_some_and(|before| before.removed_at.is_some() && !before.is_allowed_again) {
            return Err(NotEnrolled);
        }
        let new = Device {
            id,
            key: device.key,
            name: device.name.clone(),
            platform: device.platform.clone(),
            paired_at: now_secs(),
            paired_by: match device {
                NewDevice { by_server_id: true, .. } => PairedBy::ServerId,
                NewDevice { ticket: Some(_), .. } => PairedBy::Invitation,
                NewDevice { is_lan: true, .. } => PairedBy::Lan,
                _ => PairedBy::Address,
            },
            last_seen_day: Some(now_secs() / 86_400),
            removed_at: None,
            is_allowed_again: false,
        };
        self.put_device(&mut state, new);
        Ok(Enrolled { server_name: state.server_name.clone(), service_id: state.service_id, internet: state.internet })
    }
}

impl Instance {
    /// The port that the system chose at the first start stays, so that addresses in invitations stay good.
    pub(super) async fn keep_port(&self) -> Result<()> {
        let Some(port) = self.listening.first().map(SocketAddr::port) else { return Ok(()) };
        let is_new = {
            let mut settings = self.settings();
            let is_new = settings.network.listen.port() == 0;
            settings.network.listen.set_port(port);
            is_new
        };
        if is_new { self.save_settings() } else { Ok(()) }
    }

    pub(super) async fn take_calls(&self) -> Result<()> {
        let (Some(endpoint), Some(door)) = (&self.endpoint, &self.door) else { return Ok(()) };
        endpoint.set_knocks(&self.knocks().await?);
        door.set_published(self.published().await?.and_then(|publication| publication.salt()));
        endpoint.serve(ServerRules { doorkeeper: door.clone(), desk: door.clone() });
        Ok(())
    }

    pub(super) async fn accept(self: Arc<Self>) {
        let Some(endpoint) = &self.endpoint else { return };
        let mut links = tokio::task::JoinSet::new();
        while let Some(arrival) = endpoint.accept().await {
            let instance = Arc::clone(&self);
            links.spawn(async move { instance.host(arrival).await });
            while links.try_join_next().is_some() {}
        }
    }

    async fn host(&self, arrival: Arrival) {
        let Some(door) = &self.door else { return };
        let Ok(Frame::Hello(hello)) = Frame::decode(arrival.hello()) else {
            door.speaks_otherwise(arrival.link().remote_address().ip(), None);
            return arrival.refuse(Refusal::Version { speaks: None }).await;
        };
        let device = arrival.link().device();
        let name = device.to_string();
        let may_take_over =
            self.engine.run(move |room| room.may_take_over(&name)).await.is_some_and(|answer| answer.unwrap_or(false));
        let greeting = Greeting {
            server_name: door.state().server_name.clone(),
            service_id: *self.service_id().as_bytes(),
            candidates: self.candidates.all().iter().map(|known| (known.source, known.address)).collect(),
            rendezvous: self
                .told_rendezvous()
                .iter()
                .map(|known| (known.address.to_string(), *known.key.as_bytes()))
                .collect(),
            internet: self.settings().network.internet,
            may_take_over,
        };
        let greeting = postcard::to_stdvec(&greeting).expect("a greeting holds nothing that postcard can't write");
        let Ok(joined) = arrival.welcome(greeting).await else { return };
        let session = SessionId(door.sessions.fetch_add(1, Ordering::Relaxed));
        let (inputs, shared) = self.engine.for_links();
        door.came(Connected { device, replica: hello.replica, session, link: joined.link.clone() });
        crate::engine::link::carry(joined, session, Some(Frame::Hello(hello)), inputs, shared).await;
        door.went(session);
    }

    /// Addresses at which this server may be found: what its router leads here, then what it listens on, loopback last.
    pub(super) fn hints(&self) -> Vec<SocketAddr> {
        let mapped = self.router.mapping().map(|mapping| mapping.external);
        let mut hints: Vec<SocketAddr> = mapped.into_iter().chain(self.listening.iter().copied()).collect();
        hints.sort_by_key(|address| (address.ip().is_loopback(), address.is_ipv6()));
        hints.truncate(identity::Invitation::HINTS_MAX);
        hints
    }

    /// Takes a device's access away, at once.
    pub(super) fn cut_off(&self, device: Device) {
        let (Some(door), id) = (&self.door, device.id) else { return };
        door.remove(device);
        if let Some(endpoint) = &self.endpoint {
            endpoint.cut(Cut::Device(id), Refusal::Removed);
        }
    }

    /// The knock of the service ID, that of the local network, and for sixty days those the service ID replaced, for
    /// computers that haven't heard.
    async fn knocks(&self) -> Result<Vec<net::Knock>> {
        let old = self.service_ids().await?.into_iter().skip(1);
        let knock =
            |old: ServiceId| net::Knock { key: net::KnockKey::of_service(&old), scope: net::KnockScope::KnownDevices };
        Ok([self.knock(), self.lan.knock()].into_iter().chain(old.map(knock)).collect())
    }

    /// The service ID, and those it replaced in the last sixty days.
    pub(super) async fn service_ids(&self) -> Result<Vec<ServiceId>> {
        let mut old = self.old_service_ids().await?;
        old.retain(|old| now_secs().saturating_sub(old.replaced_at) < OLD_SERVICE_ID_SECS);
        let old = old.into_iter().rev().map(|old| ServiceId::from_bytes(old.id));
        Ok(std::iter::once(self.service_id()).chain(old).collect())
    }

    async fn old_service_ids(&self) -> Result<Vec<OldServiceId>> {
        let bytes = self.engine.run(|room| room.index.value(OLD_SERVICE_IDS)).await.ok_or_else(gone)??;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    pub(super) async fn new_service_id(&self) -> Result<()> {
        let mut old = self.old_service_ids().await?;
        old.push(OldServiceId { id: *self.service_id().as_bytes(), replaced_at: now_secs() });
        old.retain(|old| now_secs().saturating_sub(old.replaced_at) < OLD_SERVICE_ID_SECS);
        let bytes = serde_json::to_vec(&old).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        self.engine.run(move |room| room.index.set_value(OLD_SERVICE_IDS, Some(&bytes))).await.ok_or_else(gone)??;
        let new = ServiceId::generate();
        let (secrets, kept) = (Arc::clone(&self.secrets), new);
        blocking(move || Ok(secrets.set_bytes(SecretName::ServiceId, kept.as_bytes())?)).await?;
        *self.service_id.lock().unwrap_or_else(PoisonError::into_inner) = new;
        if let Some(door) = &self.door {
            door.set_service_id(new);
        }
        if let Some(endpoint) = &self.endpoint {
            endpoint.set_knocks(&self.knocks().await?);
            // Who is connected comes back at once and is told the new one.
            endpoint.cut(Cut::Everyone, Refusal::Busy { retry_secs: None });
        }
        Ok(())
    }

    /// A ticket for an invitation.
    pub(super) fn new_ticket(&self, days: u32) -> Result<identity::Ticket> {
        let door = self.door.as_ref().ok_or_else(|| Problem::new(Code::OnServerOnly))?;
        let token = Token::generate();
        let expires = now_secs() + u64::from(days) * 86_400;
        let is_added = door.change_budgets(|budgets| budgets.add_ticket(token.digest(), 1, expires, now_secs()));
        if is_added {
            Ok(identity::Ticket { token, expires: Timestamp::from_unix_secs(expires) })
        } else {
            Err(Problem::new(Code::Unexpected).because("there are too many open tickets"))
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize)]
struct OldServiceId {
    id: [u8; 16],
    replaced_at: u64,
}

const OLD_SERVICE_IDS: &str = "server.old-service-ids";
const OLD_SERVICE_ID_SECS: u64 = 60 * 86_400;

fn chance() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}
