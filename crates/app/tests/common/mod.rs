//! Computers for stories: a profile folder and a data folder each, on this one machine, with real QUIC between them.

#![allow(dead_code, missing_debug_implementations, unreachable_pub)] // Each test program uses a part of it.

pub mod person;
pub mod proxy;

use app::{
    api::types::Status,
    message::Result,
    node::{InitServer, JoinRequest, Node, OpenOptions, Pairing, Use},
    profile::Profile,
    secrets::StoreKind,
};
use identity::{Invitation, Secret};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

pub const PASSWORD: &str = "zebra-anchor-mild-otter-lamp";

/// A computer: its settings, and data that people and other programs work on.
pub struct Computer {
    folder: tempfile::TempDir,
    data: PathBuf,
    /// Where its data lies, if not in folders.
    store: Option<String>,
    name: &'static str,
}

impl Computer {
    pub fn new(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        Self { folder, data, store: None, name }
    }

    /// The same with its data on a disk of its own.
    pub fn with_data(name: &'static str, data: &Path) -> Self {
        Self { data: data.to_owned(), ..Self::new(name) }
    }

    /// The same with its data in another store than folders.
    pub fn with_store(name: &'static str, store: String) -> Self {
        Self { store: Some(store), ..Self::new(name) }
    }

    pub fn profile(&self) -> Profile {
        Profile::in_folder(&self.profile_folder())
    }

    pub fn profile_folder(&self) -> PathBuf {
        self.folder.path().join("profile")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.data.join(path)
    }

    pub fn spec(&self) -> String {
        self.store.clone().unwrap_or_else(|| format!("files:{}", self.data.display()))
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn mail_folder(&self, folder: &str) {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.path(folder).join(part)).unwrap();
        }
    }

    /// Messages `from..to` in a mail folder.
    pub fn mails(&self, folder: &str, numbers: std::ops::Range<u32>) {
        self.mail_folder(folder);
        for number in numbers {
            self.write(&format!("{folder}/cur/{}.M1P1.{}:2,S", 1_600_000_000 + number, self.name), mail(number));
        }
    }

    /// The file of a folder whose text holds `what`.
    pub fn find(&self, folder: &str, what: &str) -> Option<PathBuf> {
        let mut files: Vec<PathBuf> = fs::read_dir(self.path(folder))
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        files.into_iter().find(|path| {
            let is_own = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tandem"));
            !is_own && fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(what))
        })
    }

    pub fn found(&self, folder: &str, what: &str) -> PathBuf {
        self.find(folder, what).unwrap_or_else(|| panic!("{}: no `{what}` in {folder}: {:#?}", self.name, self.names()))
    }

    pub fn text(&self, folder: &str, what: &str) -> String {
        fs::read_to_string(self.found(folder, what)).unwrap()
    }

    pub fn edit(&self, folder: &str, what: &str, text: impl AsRef<[u8]>) {
        fs::write(self.found(folder, what), text).unwrap();
    }

    pub fn delete(&self, folder: &str, what: &str) {
        fs::remove_file(self.found(folder, what)).unwrap();
    }

    /// How many items lie in a folder.
    pub fn count(&self, folder: &str) -> usize {
        let is_in = |(place, _): &&(String, Vec<u8>)| place == folder;
        self.items().iter().filter(|(key, _)| is_in(key)).map(|(_, count)| count).sum()
    }

    pub fn total(&self) -> usize {
        self.items().values().sum()
    }

    /// Every item's bytes by folder, whatever the file is called, and how often.
    pub fn items(&self) -> BTreeMap<(String, Vec<u8>), usize> {
        let mut items = BTreeMap::new();
        collect(&self.data, &self.data, &mut items);
        items
    }

    /// Forgets where the server said that it listens, while nothing runs here: a wire is then the only way to it.
    pub fn forget_addresses(&self) {
        let opened = app::index::Index::open(&self.profile().index_database(), 0).unwrap();
        opened.index.set_value("net.candidates", None).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let items = self.items().into_iter();
        items
            .map(|((folder, bytes), _)| format!("{folder}: {}", String::from_utf8_lossy(&bytes[..bytes.len().min(90)])))
            .collect()
    }
}

fn collect(root: &Path, folder: &Path, items: &mut BTreeMap<(String, Vec<u8>), usize>) {
    // Folders come and go while we look; whoever compares looks again.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tmp" && !name.starts_with(".tandem") {
                collect(root, &path, items);
            }
        } else if !name.starts_with(".tandem") && !["maildirfolder", "dovecot-keywords"].contains(&name.as_str()) {
            let folder = path.parent().unwrap().strip_prefix(root).unwrap().to_string_lossy().replace("/new", "/cur");
            if let Ok(bytes) = fs::read(&path) {
                *items.entry((folder, bytes)).or_default() += 1;
            }
        }
    }
}

pub fn mail(number: u32) -> String {
    format!(
        "Message-ID: <{number}@example.org>\nFrom: anna@example.org\nTo: ben@example.org\nSubject: number {number}\nDate: Thu, 22 Aug 2024 12:36:23 +0000\n\nhello {number}.\n"
    )
}

pub fn contact(uid: &str, name: &str, phone: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nTEL:{phone}\r\nEND:VCARD\r\n")
}

pub async fn init(computer: &Computer) {
    let request = InitServer {
        name: "Office PC".into(),
        stores: vec![computer.spec()],
        password: Secret::new(PASSWORD.into()),
        internet: false,
        listen: Some("127.0.0.1:0".parse().unwrap()),
        secrets: Some(StoreKind::File),
        folders: None,
    };
    Node::init_server(&computer.profile(), request).await.unwrap();
}

pub async fn serve(computer: &Computer) -> Node {
    Node::open(&computer.profile(), Use::Serve, OpenOptions::default()).await.unwrap()
}

pub async fn server(computer: &Computer) -> Node {
    trace();
    init(computer).await;
    serve(computer).await
}

pub async fn invite(server: &Node, request: Value) -> Invitation {
    let answer = call(server, "invite", request).await;
    Invitation::parse(answer["file"].as_str().unwrap().as_bytes()).unwrap()
}

pub fn request(invitation: Invitation, computer: &Computer) -> JoinRequest {
    JoinRequest {
        server: invitation.into(),
        stores: vec![computer.spec()],
        password: Secret::new(PASSWORD.into()),
        mode: Pairing::Combine,
        only: Vec::new(),
        map: Vec::new(),
        device_name: computer.name.into(),
        secrets: Some(StoreKind::File),
        addresses: Vec::new(),
        dht_bootstrap: Vec::new(),
    }
}

/// Joins without starting: nothing is written yet.
pub async fn join(server: &Node, computer: &Computer) -> Node {
    let invitation = invite(server, json!({})).await;
    Node::join(&computer.profile(), request(invitation, computer)).await.unwrap()
}

/// Joins and makes both the same.
pub async fn joined(server: &Node, computer: &Computer) -> Node {
    let client = join(server, computer).await;
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    client
}

/// A client that stays connected.
pub async fn run(computer: &Computer) -> Node {
    Node::open(&computer.profile(), Use::Run, OpenOptions::default()).await.unwrap()
}

pub async fn call(node: &Node, command: &str, request: Value) -> Value {
    match try_call(node, command, request).await {
        Ok(answer) => answer,
        Err(problem) => panic!("{command}: {problem:?}"),
    }
}

pub async fn try_call(node: &Node, command: &str, request: Value) -> Result<Value> {
    node.call(command, request).await
}

pub async fn status(node: &Node) -> Status {
    serde_json::from_value(call(node, "status", json!({})).await).unwrap()
}

/// The code of what stands in the way.
pub async fn problem(node: &Node) -> Option<String> {
    status(node).await.problem.map(|problem| problem.code)
}

/// Waits until everything is the same; what stands in the way for a moment is waited for.
pub async fn wait_quiet(node: &Node) -> Status {
    let started = std::time::Instant::now();
    loop {
        let waiting = tokio::time::timeout(Duration::from_secs(30), try_call(node, "wait_quiet", json!({})));
        match waiting.await {
            Ok(Ok(answer)) => return serde_json::from_value(answer).unwrap(),
            Ok(Err(_)) if started.elapsed() < Duration::from_secs(20) => {
                tokio::time::sleep(Duration::from_millis(100)).await
            }
            _ => panic!("not quiet: {:#}", call(node, "status", json!({})).await),
        }
    }
}

/// The one conflict there is.
pub async fn conflict(node: &Node) -> Value {
    let conflicts = call(node, "conflicts", json!({})).await;
    assert_eq!(conflicts.as_array().unwrap().len(), 1, "{conflicts:#}");
    conflicts[0].clone()
}

pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it didn't come to be: {what}");
}

pub async fn until_problem(node: &Node, code: Option<&str>) {
    let mut last = None;
    for _ in 0..400 {
        last = problem(node).await;
        if last.as_deref() == code {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited for the problem {code:?}, and there is {last:?}");
}

pub async fn until_held(node: &Node, count: u64) {
    let mut last = 0;
    for _ in 0..1200 {
        last = status(node).await.held;
        if last == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited for {count} held deletions, and there are {last}");
}

/// Waits until all hold the same, and this many items.
pub async fn until_same(computers: &[&Computer], total: usize) {
    let is_same = || {
        let first = computers[0].items();
        first.values().sum::<usize>() == total && computers[1..].iter().all(|other| other.items() == first)
    };
    for _ in 0..500 {
        if is_same() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let names: Vec<_> = computers.iter().map(|computer| (computer.name, computer.total(), computer.names())).collect();
    panic!("not {total} items everywhere: {names:#?}");
}

/// Time enough for something to go wrong.
pub async fn a_while() {
    tokio::time::sleep(Duration::from_millis(2500)).await;
}

pub fn trace() {
    if std::env::var_os("TRACE").is_some() {
        let _ =
            tracing_subscriber::fmt().with_env_filter("app=trace,sync=debug,net=info").with_test_writer().try_init();
    }
}
