//! Two sample computers in one process: two profiles, two data folders, two running instances that talk over the loopback
//! network, and a DHT of a few nodes there. Nothing is simulated; the buttons do to the files what a person's programs would do.

use super::{
    Host, blocking,
    types::{
        AnyAnswer, HostEvent, HostState, SampleAction, SampleCall, SampleComputer, SampleFolder, SampleItem,
        SampleLookUp, SampleSide, Samples as SamplesView,
    },
};
use crate::{
    api::types::{FolderView, InviteAnswer, ItemView, Nothing, PublicationView, Status},
    finding,
    language::Language,
    message::{Code, Problem, Result},
    node::{InitServer, JoinRequest, Node, OpenOptions, Pairing, Use},
    password,
    profile::Profile,
    samples as data,
    secrets::StoreKind,
    settings::Settings,
};
use identity::{Invitation, ServerId};
use net::LoopbackDht;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

const OFFICE: &str = "Office PC";
const LAPTOP: &str = "Laptop";
/// Events come faster than anybody looks.
const TOLD_EVERY: Duration = Duration::from_millis(250);
/// Each side has read its own change after so long at most.
const READ_WAIT: Duration = Duration::from_secs(10);

/// The two of them.
#[derive(Debug)]
pub(super) struct Samples {
    place: PathBuf,
    server: Computer,
    client: Computer,
    /// Where the office PC is published.
    dht: LoopbackDht,
    looked_up: Mutex<Option<SampleLookUp>>,
    language: Language,
    is_linked: AtomicBool,
    /// Numbers what is added.
    added: AtomicU32,
}

#[derive(Debug)]
struct Computer {
    name: &'static str,
    data: PathBuf,
    node: Node,
}

impl Host {
    pub(super) async fn start_samples(&self, _: Nothing) -> Result<SamplesView> {
        let _one_at_a_time = self.changing().await;
        if let Some(samples) = self.running_samples() {
            return samples.view().await;
        }
        let place = self.profile().samples();
        let samples = Arc::new(Samples::start(place, self.language()).await?);
        self.lock().samples = Some(Arc::clone(&samples));
        self.tell_of_samples(&samples);
        self.state_changed().await?;
        samples.view().await
    }

    pub(super) async fn samples(&self, _: Nothing) -> Result<SamplesView> {
        self.the_samples()?.view().await
    }

    pub(super) async fn sample_do(&self, action: SampleAction) -> Result<SamplesView> {
        let samples = self.the_samples()?;
        samples.act(action).await?;
        samples.view().await
    }

    pub(super) async fn sample_call(&self, request: SampleCall) -> Result<AnyAnswer> {
        let samples = self.the_samples()?;
        samples.computer(request.side).node.call(&request.command, request.request).await.map(AnyAnswer)
    }

    pub(super) async fn remove_samples(&self, _: Nothing) -> Result<HostState> {
        let _one_at_a_time = self.changing().await;
        self.drop_samples().await;
        self.state_changed().await
    }

    pub(super) async fn drop_samples(&self) {
        let Some(mut samples) = self.lock().samples.take() else { return };
        // A command that is being answered holds them a moment longer.
        loop {
            match Arc::try_unwrap(samples) {
                Ok(samples) => return samples.remove().await,
                Err(shared) => samples = shared,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn running_samples(&self) -> Option<Arc<Samples>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).samples.clone()
    }

    fn the_samples(&self) -> Result<Arc<Samples>> {
        self.running_samples().ok_or_else(|| Problem::new(Code::NotSetUp))
    }

    fn tell_of_samples(&self, samples: &Arc<Samples>) {
        for node in [&samples.server.node, &samples.client.node] {
            let (mut events, host) = (node.events(), self.clone());
            tokio::spawn(async move {
                loop {
                    if let Err(tokio::sync::broadcast::error::RecvError::Closed) = events.recv().await {
                        return;
                    }
                    host.tell(HostEvent::Samples {});
                    tokio::time::sleep(TOLD_EVERY).await;
                    // What came meanwhile is told together.
                    events = events.resubscribe();
                }
            });
        }
    }
}

impl Samples {
    async fn start(place: PathBuf, language: Language) -> Result<Self> {
        let [office, laptop] = ["office", "laptop"].map(|name| place.join(name));
        let at = place.clone();
        let dht = blocking(move || {
            let unwritable =
                |error: io::Error| Problem::new(Code::FileNotWritable).with("file", at.as_path()).because(error);
            // Left over from a crash.
            if at.exists() {
                fs::remove_dir_all(&at).map_err(unwritable)?;
            }
            let [office, laptop] = ["office", "laptop"].map(|name| at.join(name).join("data"));
            data::write_office(&office).map_err(unwritable)?;
            data::write_orders(&office).map_err(unwritable)?;
            data::write_laptop(&laptop).map_err(unwritable)?;
            LoopbackDht::start().map_err(|error| Problem::new(Code::Unexpected).because(error))
        })
        .await?;
        let store = |folder: &Path| format!("files:{}", folder.join("data").display());
        let profile = |folder: &Path| Profile::in_folder(&folder.join("profile"));
        let password = password::suggest(language);
        let request = InitServer {
            name: OFFICE.to_owned(),
            stores: vec![store(&office)],
            password: password.clone(),
            internet: true,
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            secrets: Some(StoreKind::File),
            folders: None,
        };
        Node::init_server(&profile(&office), request).await?;
        // Nothing of the samples leaves this computer: they listen at loopback, and know no node elsewhere.
        let file = profile(&office).settings_file();
        let mut settings = Settings::load(&file)?;
        settings.network.dht_bootstrap = dht.bootstrap().to_vec();
        settings.save(&file)?;
        let server = Node::open(&profile(&office), Use::Serve, OpenOptions::default()).await?;
        let hints: Vec<String> =
            server.listening().iter().map(|address| format!("127.0.0.1:{}", address.port())).take(1).collect();
        let invitation: InviteAnswer = call(&server, "invite", json!({ "hints": hints })).await?;
        let invitation = Invitation::parse(invitation.file.as_bytes())
            .map_err(|error| Problem::with_invitation(error, &invitation.file_name))?;
        let request = JoinRequest {
            server: invitation.into(),
            stores: vec![store(&laptop)],
            password,
            mode: Pairing::Combine,
            only: Vec::new(),
            map: Vec::new(),
            device_name: LAPTOP.to_owned(),
            secrets: Some(StoreKind::File),
            addresses: Vec::new(),
            dht_bootstrap: dht.bootstrap().to_vec(),
        };
        let client = Node::join(&profile(&laptop), request).await?;
        let _: Status = call(&client, "start", json!({})).await?;
        let computer = |name, folder: &Path, node| Computer { name, data: folder.join("data"), node };
        Ok(Self {
            server: computer(OFFICE, &office, server),
            client: computer(LAPTOP, &laptop, client),
            place,
            dht,
            looked_up: Mutex::default(),
            language,
            is_linked: AtomicBool::new(true),
            added: AtomicU32::new(0),
        })
    }

    async fn remove(self) {
        let Self { place, server, client, .. } = self;
        client.node.shut_down().await;
        server.node.shut_down().await;
        let removed = tokio::task::spawn_blocking(move || fs::remove_dir_all(place)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "the samples can't be removed");
        }
    }

    const fn computer(&self, side: SampleSide) -> &Computer {
        match side {
            SampleSide::Server => &self.server,
            SampleSide::Client => &self.client,
        }
    }

    async fn view(&self) -> Result<SamplesView> {
        let (server, client) = (self.server.view().await?, self.client.view().await?);
        let contents = |computer: &SampleComputer| -> Vec<(String, Vec<SampleItem>)> {
            let filled = computer.folders.iter().filter(|folder| !folder.items.is_empty());
            filled.map(|folder| (folder.path.clone(), folder.items.clone())).collect()
        };
        let is_same = contents(&server) == contents(&client);
        let publication = call(&self.server.node, "publication", json!({})).await?;
        let looked_up = self.looked_up.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_linked = self.is_linked.load(Ordering::Relaxed);
        Ok(SamplesView { server, client, is_linked, is_same, publication, looked_up })
    }

    fn set_linked(&self, is_linked: bool) {
        self.is_linked.store(is_linked, Ordering::Relaxed);
        self.client.node.set_linked(is_linked);
    }

    async fn act(&self, action: SampleAction) -> Result<()> {
        match action {
            SampleAction::Add { side, folder } => {
                let number = self.added.fetch_add(1, Ordering::Relaxed) + 1;
                let from = match side {
                    SampleSide::Server => "office",
                    SampleSide::Client => "laptop",
                };
                let file = self.computer(side).folder(&folder);
                on_disk(move || data::add(&file, &folder, number, from)).await
            }
            SampleAction::Change { side, item } => {
                let file = self.computer(side).file(&item).await?;
                on_disk(move || data::change(&file)).await
            }
            SampleAction::Delete { side, item } => {
                let file = self.computer(side).file(&item).await?;
                on_disk(move || fs::remove_file(file)).await
            }
            SampleAction::Move { side, item } => {
                let file = self.computer(side).file(&item).await?;
                on_disk(move || data::move_elsewhere(&file)).await
            }
            SampleAction::Cut {} => {
                self.set_linked(false);
                Ok(())
            }
            SampleAction::Restore {} => {
                self.set_linked(true);
                Ok(())
            }
            SampleAction::ChangeOnBoth {} => self.change_on_both().await,
            SampleAction::DeleteHalf { side } => {
                let folder = self.computer(side).data.join("mail/.Orders");
                on_disk(move || data::delete_half(&folder)).await
            }
            SampleAction::Publish {} => {
                let published: PublicationView = call(&self.server.node, "publish", json!({})).await?;
                self.set_looked_up(published.server_id.map(SampleLookUp::of));
                Ok(())
            }
            SampleAction::LookUp {} => self.look_up().await,
            SampleAction::Revoke {} => self.server.node.call("revoke", json!({})).await.map(drop),
        }
    }

    /// Asks for the ID that was published last, also after it was revoked: that it is dead then is what people want to see.
    async fn look_up(&self) -> Result<()> {
        let before = self.looked_up.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(SampleLookUp { server_id, .. }) = before else { return Ok(()) };
        let mut settings = Settings::default();
        settings.network.dht_bootstrap = self.dht.bootstrap().to_vec();
        let answer = finding::look_up(ServerId::parse(&server_id)?, &settings, None).await;
        let (found, problem) = match answer {
            Ok(found) => (Some(found.record.name.to_string()), None),
            Err(problem) => (None, Some(problem.view(self.language))),
        };
        self.set_looked_up(Some(SampleLookUp { server_id, found, problem }));
        Ok(())
    }

    fn set_looked_up(&self, looked_up: Option<SampleLookUp>) {
        *self.looked_up.lock().unwrap_or_else(PoisonError::into_inner) = looked_up;
    }

    /// Without a link the same appointment is changed on both; with it again, somebody has to decide.
    async fn change_on_both(&self) -> Result<()> {
        self.set_linked(false);
        for (computer, title) in [(&self.server, "Planning, moved to Monday"), (&self.client, "Planning, by phone")] {
            let file = computer.data.join(data::MEETING_FILE);
            on_disk(move || data::retitle(&file, title)).await?;
            computer.wait_until_read(title).await?;
        }
        self.set_linked(true);
        Ok(())
    }
}

impl Computer {
    async fn view(&self) -> Result<SampleComputer> {
        let status: Status = call(&self.node, "status", json!({})).await?;
        let listed: Vec<FolderView> = call(&self.node, "folders", json!({})).await?;
        let mut folders = Vec::new();
        for folder in listed.into_iter().filter(|folder| folder.here.is_some()) {
            let request = json!({"folder": folder.uid, "fields": true});
            let items: Vec<ItemView> = call(&self.node, "items", request).await?;
            let items =
                items.into_iter().map(|item| SampleItem { id: item.uid, title: item.title, fields: item.fields });
            folders.push(SampleFolder {
                name: folder.path.rsplit('/').next().unwrap_or_default().to_owned(),
                path: folder.path,
                kind: folder.kind,
                items: items.collect(),
            });
        }
        Ok(SampleComputer { name: self.name.to_owned(), status, folders })
    }

    /// The file of an item.
    async fn file(&self, item: &str) -> Result<PathBuf> {
        let gone = || Problem::new(Code::NotUnderstood).with("reason", "there is no such item any more");
        let folders: Vec<FolderView> = call(&self.node, "folders", json!({})).await?;
        for folder in folders.into_iter().filter(|folder| folder.here.is_some()) {
            let items: Vec<ItemView> = call(&self.node, "items", json!({"folder": folder.uid})).await?;
            if let Some(item) = items.into_iter().find(|known| known.uid == item) {
                return data::file_of(&self.data, &item.href).ok_or_else(gone);
            }
        }
        Err(gone())
    }

    /// The folder on disk that a path means.
    fn folder(&self, path: &str) -> PathBuf {
        let (kind, below) = path.split_once('/').unwrap_or((path, ""));
        match kind {
            "mail" if below.eq_ignore_ascii_case("inbox") || below.is_empty() => self.data.join("mail"),
            "mail" => self.data.join("mail").join(format!(".{}", below.replace('/', "."))),
            "calendar" => self.data.join("calendars").join(below),
            kind => self.data.join(kind).join(below),
        }
    }

    /// Waits until this computer knows its own change.
    async fn wait_until_read(&self, title: &str) -> Result<()> {
        let until = tokio::time::Instant::now() + READ_WAIT;
        while tokio::time::Instant::now() < until {
            let view = self.view().await?;
            let mut items = view.folders.iter().flat_map(|folder| &folder.items);
            if items.any(|item| item.title == title) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(Problem::new(Code::Unexpected).because("the change wasn't read"))
    }
}

async fn call<T: DeserializeOwned>(node: &Node, command: &str, request: Value) -> Result<T> {
    let answer = node.call(command, request).await?;
    serde_json::from_value(answer).map_err(|error| Problem::new(Code::Unexpected).because(error))
}

async fn on_disk(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> Result<()> {
    blocking(move || work().map_err(|error| Problem::new(Code::FileNotWritable).with("file", "").because(error))).await
}
