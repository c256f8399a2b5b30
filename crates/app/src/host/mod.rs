//! What the window talks to: one profile, from the first start on.
//!
//! A [`Host`] is there before anything is set up. It finds data and servers, makes this computer a server or a client, and
//! from then on owns the one running [`Node`] of the profile; or, if `tandem serve` or `tandem run` already works with the
//! profile, it speaks to that over the [control channel](crate::control). Whatever the window asks goes through
//! [`Host::call`]: names on the host's own [list](HostCommands) are answered here, all others by the running instance.
//!
//! | file | story |
//! |---|---|
//! | `mod.rs` | opening, what runs, telling |
//! | `desktop.rs` | what only a desktop has |
//! | `sources.rs` | data on this computer |
//! | `servers.rs` | servers this computer could connect to; what was opened or dropped |
//! | `serving.rs` | becoming a server, inviting |
//! | `joining.rs` | becoming a client, up to the first synchronization |
//! | `passwords.rs` | suggesting and judging passwords |
//! | `settings.rs`, `window.rs` | the settings pages |
//! | `notices.rs` | what is worth a notification |
//! | `help.rs` | about, logs, reports, leaving |
//! | `samples.rs` | two sample computers in one process |
//! | `progress.rs` | items on their way, time left, traffic of the day |

mod desktop;
mod help;
mod joining;
mod list;
mod notices;
mod passwords;
mod progress;
mod samples;
mod servers;
mod serving;
mod settings;
mod sources;
pub mod types;
mod window;

pub use desktop::{Answer, Desktop, FileKind, Target};
pub use list::{Commands as HostCommands, dispatch};
pub use notices::Notice;
pub use servers::Given;
pub use window::WindowSettings;

use crate::{
    api::types::{DeviceView, Done, Event, Nothing, RoleView},
    control::{self, ControlClient},
    language::Language,
    message::{self, Code, Problem, Result},
    node::{Node, Use, computer_name},
    profile::Profile,
    secrets::StoreKind,
    settings::{Role, Settings},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;
use types::{CloseBehaviour, CloseRequest, DataSource, HostEvent, HostState, PasswordStore, Stage};

/// An instance that ends holds its profile no longer than that.
const ENDING_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// How a host is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostOptions {
    /// Where secrets shall be; without: the password store, else a file.
    pub secrets: Option<StoreKind>,
    /// Where a new server listens; without: any address, and a port that is chosen once.
    pub listen: Option<SocketAddr>,
}

/// One profile's part in the window. Clones are the same host.
#[derive(Clone, Debug)]
pub struct Host(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    profile: Profile,
    desktop: Arc<dyn Desktop>,
    options: HostOptions,
    events: broadcast::Sender<HostEvent>,
    /// What changes what runs is done one at a time.
    changing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    running: Running,
    /// Counts what ran: who forwards the events of an earlier one stops.
    run_number: u64,
    /// Why nothing runs although the profile is set up.
    stopped: Option<Problem>,
    window: WindowSettings,
    updated_from: Option<String>,
    needs_restart: bool,
    sources: BTreeMap<String, sources::Source>,
    servers: Vec<servers::Known>,
    lan: Option<crate::lan::LanSearch>,
    given: Vec<Vec<Given>>,
    preview: Option<crate::api::types::Preview>,
    saved_file: Option<PathBuf>,
    /// The old data file to bring in.
    data_file: Option<PathBuf>,
    progress: progress::Progress,
    notices: notices::Notices,
    /// The system is dark; what the window makes of it, its settings say.
    system_is_dark: bool,
    samples: Option<Arc<samples::Samples>>,
}

/// What answers the commands of [`crate::api`].
#[derive(Clone, Debug)]
enum Running {
    None,
    Own(Arc<Node>),
    Attached(Arc<ControlClient>),
}

impl Running {
    const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl Host {
    /// Opens the profile, and what it is set up for. That it can't run is told by its state, not as an error.
    pub async fn open(profile: Profile, desktop: Arc<dyn Desktop>, options: HostOptions) -> Self {
        let mut window = WindowSettings::load(&profile);
        let version = env!("CARGO_PKG_VERSION");
        let updated_from = window.last_version.clone().filter(|last| last != version);
        window.last_version = Some(version.to_owned());
        // A folder that can't be written to is told by the first thing that has to be kept.
        window.save(&profile).ok();
        let state = State {
            running: Running::None,
            run_number: 0,
            stopped: None,
            window,
            updated_from,
            needs_restart: false,
            sources: BTreeMap::new(),
            servers: servers::remembered(&profile),
            lan: None,
            given: Vec::new(),
            preview: None,
            saved_file: None,
            data_file: None,
            progress: progress::Progress::default(),
            notices: notices::Notices::default(),
            system_is_dark: false,
            samples: None,
        };
        let (events, _) = broadcast::channel(1024);
        let changing = tokio::sync::Mutex::new(());
        let host = Self(Arc::new(Shared { profile, desktop, options, events, changing, state: Mutex::new(state) }));
        host.reopen().await;
        host
    }

    /// Carries out a command of the host's list, or of the running instance's.
    pub async fn call(&self, name: &str, request: Value) -> Result<Value> {
        if HostCommands::NAMES.contains(&name) {
            return dispatch(self, name, request).await;
        }
        self.instance(name, request).await
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<HostEvent> {
        self.0.events.subscribe()
    }

    /// The language in use.
    #[must_use]
    pub fn language(&self) -> Language {
        let in_settings = Settings::load(&self.0.profile.settings_file()).ok().and_then(|settings| settings.language);
        Language::choose(None, in_settings.or(self.lock().window.language))
    }

    /// What a person chose for the window.
    #[must_use]
    pub fn window(&self) -> WindowSettings {
        self.lock().window.clone()
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// Tells the window, the tray and whoever else listens.
    pub fn tell(&self, event: HostEvent) {
        self.told_window(&event);
        // Nobody listening is fine.
        self.0.events.send(event).ok();
    }

    /// The window is to be closed: whether it may go at once (and the program stays or ends), or a person is asked first.
    pub async fn close_asked(&self) {
        let has_tray = self.desktop().has_tray();
        match self.window().close {
            CloseBehaviour::Hide => self.desktop().hide(),
            CloseBehaviour::Quit => self.desktop().quit(),
            CloseBehaviour::Ask if self.running().is_none() && self.lock().samples.is_none() => self.desktop().quit(),
            CloseBehaviour::Ask => {
                let connected = self.connected_computers().await;
                self.tell(HostEvent::CloseAsked { has_tray, connected, quits: false });
            }
        }
    }

    /// The program is to be ended. Where other computers would have to wait for this one, a person is asked first: the
    /// answer is whether the window is needed for that.
    pub async fn quit_asked(&self) -> bool {
        let connected = self.connected_computers().await;
        // A server that somebody else runs goes on.
        if connected == 0 || !matches!(self.running(), Running::Own(_)) {
            self.desktop().quit();
            return false;
        }
        self.tell(HostEvent::CloseAsked { has_tray: self.desktop().has_tray(), connected, quits: true });
        true
    }

    async fn connected_computers(&self) -> u32 {
        let devices = self.ask::<Vec<DeviceView>>("devices", json!({})).await.unwrap_or_default();
        u32::try_from(devices.iter().filter(|device| device.is_connected).count()).unwrap_or(u32::MAX)
    }

    /// The system turned dark or light.
    pub fn set_system_is_dark(&self, is_dark: bool) {
        self.lock().system_is_dark = is_dark;
        self.tell(HostEvent::SystemIsDark { is_dark });
    }

    /// Ends what runs, in order.
    pub async fn shut_down(&self) {
        let _one_at_a_time = self.changing().await;
        self.drop_samples().await;
        self.end_running().await;
    }

    async fn close_window(&self, request: CloseRequest) -> Result<Done> {
        if request.is_remembered {
            let close = if request.quits { CloseBehaviour::Quit } else { CloseBehaviour::Hide };
            let change = types::ChangeSettings { close: Some(close), ..types::ChangeSettings::default() };
            self.change_settings(change).await?;
        }
        if request.quits {
            self.desktop().quit()
        } else {
            self.desktop().hide()
        }
        Ok(Done {})
    }

    async fn host_state(&self, _: Nothing) -> Result<HostState> {
        let stage = self.stage();
        let secrets = self.secrets_kind();
        let password_store = if secrets == Some(StoreKind::File) {
            PasswordStore::None
        } else {
            blocking(|| Ok(password_store())).await?
        };
        let state = self.lock();
        let (updated_from, has_samples, system_is_dark) =
            (state.updated_from.clone(), state.samples.is_some(), state.system_is_dark);
        drop(state);
        Ok(HostState {
            stage,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            platform: std::env::consts::OS.to_owned(),
            computer_name: computer_name(),
            language: self.language().tag().to_owned(),
            password_store,
            has_tray: self.desktop().has_tray(),
            updated_from,
            has_samples,
            system_is_dark,
        })
    }

    async fn try_again(&self, _: Nothing) -> Result<HostState> {
        let _one_at_a_time = self.changing().await;
        if self.running().is_none() {
            self.reopen().await;
        }
        self.state_changed().await
    }

    fn stage(&self) -> Stage {
        let settings = match Settings::load(&self.0.profile.settings_file()) {
            Ok(settings) => settings,
            Err(error) => return Stage::Unreadable { problem: Problem::from(error).view(self.language()) },
        };
        let Some(role) = settings.role else { return Stage::FirstStart };
        let role = match role {
            Role::Server => RoleView::Server,
            Role::Client => RoleView::Client,
        };
        match self.running() {
            Running::Own(node) if !node.is_started() => match self.joined_server() {
                Ok(server) => Stage::Joining { server },
                Err(problem) => Stage::Unreadable { problem: problem.view(self.language()) },
            },
            Running::Own(_) => Stage::Running { role, is_attached: false },
            Running::Attached(_) => Stage::Running { role, is_attached: true },
            Running::None => {
                let problem = self.lock().stopped.clone();
                let problem =
                    problem.unwrap_or_else(|| Problem::new(Code::NotRunning).with("folder", self.profile().folder()));
                Stage::Stopped { role, problem: problem.view(self.language()) }
            }
        }
    }

    /// Opens what the profile is set up for.
    async fn reopen(&self) {
        let settings = Settings::load(&self.0.profile.settings_file()).unwrap_or_default();
        let use_as = match settings.role {
            None => return,
            Some(Role::Server) => Use::Serve,
            Some(Role::Client) => Use::Run,
        };
        let until = tokio::time::Instant::now() + ENDING_MAX;
        let problem = loop {
            let problem = match self.open_set_up(use_as).await {
                Ok(node) => return self.run(node),
                Err(problem) => problem,
            };
            if problem.code != Code::ProfileInUse {
                break problem;
            }
            if let Ok(Some(client)) = ControlClient::connect(&self.0.profile).await
                && self.attach(client).await
            {
                return;
            }
            // Whoever holds the profile and doesn't answer is about to end, or to begin.
            if tokio::time::Instant::now() >= until {
                break problem;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        };
        self.lock().stopped = Some(problem);
    }

    /// From now on this instance answers.
    fn run(&self, node: Node) {
        let mut events = node.events();
        let node = Arc::new(node);
        let number = self.begin(Running::Own(Arc::clone(&node)));
        let host = self.clone();
        let ending = Arc::downgrade(&node);
        tokio::spawn(async move {
            loop {
                match events.recv().await {
                    Ok(event) => host.happened(event),
                    Err(broadcast::error::RecvError::Lagged(_)) => host.tell(HostEvent::Missed {}),
                    Err(broadcast::error::RecvError::Closed) => break,
                }
                if host.lock().run_number != number {
                    return;
                }
            }
            if ending.upgrade().is_some() {
                host.stopped(number, Problem::new(Code::Unexpected).because("the instance can't go on")).await;
            }
        });
    }

    /// From now on what runs elsewhere answers. `false`: it was just ending.
    async fn attach(&self, client: ControlClient) -> bool {
        let Ok(mut events) = client.events().await else { return false };
        let number = self.begin(Running::Attached(Arc::new(client)));
        let host = self.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                match event {
                    control::Event::Happened(event) => {
                        if let Ok(event) = serde_json::from_value::<Event>(event) {
                            host.happened(event);
                        }
                    }
                    control::Event::Missed(_) => host.tell(HostEvent::Missed {}),
                }
            }
            // `tandem serve` or `run` ended: from now on the window does the work.
            if host.lock().run_number == number {
                host.lock().running = Running::None;
                host.take_over().await;
            }
        });
        true
    }

    /// Boxed, because what it opens may end in it again.
    fn take_over(&self) -> Answer<()> {
        let host = self.clone();
        Box::pin(async move {
            let _one_at_a_time = host.changing().await;
            host.reopen().await;
            host.state_changed().await.ok();
        })
    }

    fn begin(&self, running: Running) -> u64 {
        let mut state = self.lock();
        state.running = running;
        state.stopped = None;
        state.run_number += 1;
        state.progress = progress::Progress::keeping(&state.progress);
        state.run_number
    }

    async fn stopped(&self, number: u64, problem: Problem) {
        {
            let mut state = self.lock();
            if state.run_number != number {
                return;
            }
            state.running = Running::None;
            state.stopped = Some(problem);
        }
        self.state_changed().await.ok();
    }

    fn happened(&self, event: Event) {
        if let Event::Status { status } = &event {
            let progress = self.lock().progress.note(status, crate::node::now_secs());
            if let Some(progress) = progress {
                self.tell(progress);
            }
        }
        let (window, language, now) = (self.window(), self.language(), crate::node::now_secs());
        let notice = self.lock().notices.of(&event, &window, language, now);
        if let Some(notice) = notice {
            self.desktop().notify(notice);
        }
        self.tell(HostEvent::Instance { event });
    }

    /// Ends what runs, so that the profile can be opened otherwise.
    async fn end_running(&self) {
        let running = {
            let mut state = self.lock();
            state.run_number += 1;
            std::mem::replace(&mut state.running, Running::None)
        };
        let Running::Own(mut node) = running else { return };
        // A command that is being answered holds the instance a moment longer.
        loop {
            match Arc::try_unwrap(node) {
                Ok(node) => return node.shut_down().await,
                Err(shared) => node = shared,
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn state_changed(&self) -> Result<HostState> {
        let state = self.host_state(Nothing {}).await?;
        self.tell(HostEvent::State { state: state.clone() });
        Ok(state)
    }

    /// Asks the running instance.
    async fn instance(&self, name: &str, request: Value) -> Result<Value> {
        match self.running() {
            Running::Own(node) => node.call(name, request).await,
            Running::Attached(client) => client.call(name, request).await,
            Running::None => Err(self.lock().stopped.clone().unwrap_or_else(|| Problem::new(Code::NotSetUp))),
        }
    }

    async fn ask<T: DeserializeOwned>(&self, name: &str, request: Value) -> Result<T> {
        let answer = self.instance(name, request).await?;
        serde_json::from_value(answer).map_err(|error| Problem::new(Code::Unexpected).because(error))
    }

    fn word(&self, key: &str) -> String {
        message::word(self.language(), key, &BTreeMap::new())
    }

    async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.changing.lock().await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desktop(&self) -> Arc<dyn Desktop> {
        Arc::clone(&self.0.desktop)
    }

    fn running(&self) -> Running {
        self.lock().running.clone()
    }

    fn secrets_kind(&self) -> Option<StoreKind> {
        self.0.options.secrets
    }

    fn listen(&self) -> Option<SocketAddr> {
        self.0.options.listen
    }

    fn needs_restart(&self) -> bool {
        self.lock().needs_restart
    }

    fn set_needs_restart(&self) {
        self.lock().needs_restart = true;
    }

    fn keep_window(&self, window: WindowSettings) {
        self.lock().window = window;
    }

    fn traffic_hours(&self) -> Vec<types::TrafficHour> {
        self.lock().progress.hours(crate::node::now_secs())
    }

    /// Gives a data source the id the window knows it by: the same place keeps its id.
    fn keep_source(&self, mut source: sources::Source) -> DataSource {
        let mut state = self.lock();
        let is_same = |kept: &DataSource| {
            (&kept.program, &kept.path, &kept.name) == (&source.view.program, &source.view.path, &source.view.name)
        };
        let known = state.sources.iter().find(|(_, kept)| is_same(&kept.view)).map(|(id, _)| id.clone());
        let id = known.unwrap_or_else(|| format!("source-{}", state.sources.len() + 1));
        source.view.id.clone_from(&id);
        let view = source.view.clone();
        state.sources.insert(id, source);
        view
    }

    fn source(&self, id: &str) -> Result<sources::Source> {
        let unknown = || Problem::new(Code::NotUnderstood).with("reason", "there is no such data source");
        self.lock().sources.get(id).cloned().ok_or_else(unknown)
    }

    fn known_servers(&self) -> Part<'_, Vec<servers::Known>> {
        Part { state: self.lock(), of: |state| &state.servers, of_mut: |state| &mut state.servers }
    }

    fn given(&self) -> Part<'_, Vec<Vec<Given>>> {
        Part { state: self.lock(), of: |state| &state.given, of_mut: |state| &mut state.given }
    }

    fn preview(&self) -> Part<'_, Option<crate::api::types::Preview>> {
        Part { state: self.lock(), of: |state| &state.preview, of_mut: |state| &mut state.preview }
    }

    fn saved_file(&self) -> Part<'_, Option<PathBuf>> {
        Part { state: self.lock(), of: |state| &state.saved_file, of_mut: |state| &mut state.saved_file }
    }
}

/// One part of the state, locked as long as it is looked at.
struct Part<'a, T> {
    state: MutexGuard<'a, State>,
    of: fn(&State) -> &T,
    of_mut: fn(&mut State) -> &mut T,
}

impl<T> std::ops::Deref for Part<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        (self.of)(&self.state)
    }
}

impl<T> std::ops::DerefMut for Part<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        (self.of_mut)(&mut self.state)
    }
}

/// What the system says about its password store, without writing anything into it.
fn password_store() -> PasswordStore {
    match crate::secrets::probe() {
        Ok(()) => PasswordStore::Keyring,
        Err(crate::secrets::SecretError::Locked) => PasswordStore::Locked,
        Err(_) => PasswordStore::None,
    }
}

/// Disks and password stores may take their time: never on a thread of the network.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Problem::new(Code::Unexpected).because(error)))
}
