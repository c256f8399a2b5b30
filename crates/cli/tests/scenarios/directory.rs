//! Publishing a server in a directory, which is the real service on a port of its own, and finding it there.

use crate::computer::{Computer, Ran, everything};
use directory::Operation;
use directory_server::{
    Config, Server, UsedChallenge,
    storage::{Change, Sqlite, Storage as _, Verdict},
};
use identity::{IdentityKey, Salt, ServerId, ServerName, ServerRecord, ServiceId};
use std::{
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// After publish and revoke nothing is left in any file for longer.
const TRACES_GO_WITHIN: Duration = Duration::from_secs(60);

/// A directory that can be switched off and on.
struct Directory {
    runtime: Runtime,
    folder: tempfile::TempDir,
    listen: SocketAddr,
    server: Option<Server>,
}

impl Directory {
    fn start() -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let runtime = Runtime::new().unwrap();
        let mut directory = Self { runtime, folder: tempfile::tempdir().unwrap(), listen, server: None };
        directory.switch_on();
        directory
    }

    fn switch_on(&mut self) {
        let mut config = Config { listen: self.listen, ..Config::default() };
        config.data = self.folder.path().to_owned();
        let server = self.runtime.block_on(Server::start(&config)).unwrap();
        self.listen = server.addresses().http;
        self.server = Some(server);
    }

    fn switch_off(&mut self) {
        self.runtime.block_on(self.server.take().unwrap().stop());
    }

    fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn holds(&self, word: &str) -> bool {
        holds(self.folder.path(), word.as_bytes())
    }
}

fn holds(folder: &Path, word: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => holds(&path, word),
            false => std::fs::read(&path).unwrap().windows(word.len()).any(|window| window == word),
        }
    })
}

fn internet_server(computer: &Computer) {
    let (password, store) = (computer.path("password").display().to_string(), computer.store());
    let words = ["init", "--server", "--name", "Office PC", "--listen", "127.0.0.1:0", "--internet", "on"];
    computer.json(&[&words[..], &["--store", &store, "--password-file", &password]].concat());
}

fn join(computer: &Computer, id: &str, directory: &Directory, address: &str) -> Ran {
    let (password, store) = (computer.path("password").display().to_string(), computer.store());
    let words = ["join", id, "--directory", &directory.url(), "--address", address, "--name", "Laptop", "--yes"];
    computer.tandem(&[&words[..], &["--store", &store, "--password-file", &password]].concat())
}

#[test]
fn a_server_published_in_a_directory_is_joined_by_its_id_until_that_is_revoked() {
    let directory = Directory::start();
    let (office, laptop, late) = (Computer::new(), Computer::new(), Computer::new());
    everything(&office);
    internet_server(&office);
    let serving = office.stay(&["serve"]);
    let publish = ["publish", "--comment", "Kingfisher", "--dht", "off", "--directory", &directory.url()];

    let shown = office.tandem(&publish).went_well().stdout;
    assert!(shown.contains(&directory.url()) && !shown.contains("Mainline"), "{shown}");
    assert!(!directory.holds("Kingfisher"), "nothing is stored before somebody says yes");
    let published = office.json(&[&publish[..], &["--yes"]].concat());
    assert_eq!(published["places"][0]["directory"], directory.url());
    assert_eq!(published["places"].as_array().unwrap().len(), 1, "{published}");
    assert!(directory.holds("Kingfisher"));

    let id = published["serverId"].as_str().unwrap();
    let joined = join(&laptop, id, &directory, &serving.address()).went_well();
    assert!(joined.stderr.contains("Kingfisher"), "{joined:?}");
    assert_eq!(office.contents(), laptop.contents());

    assert_eq!(office.json(&["revoke", "--yes"])["state"], "none");
    let begun = Instant::now();
    while directory.holds("Kingfisher") || directory.holds("Office PC") {
        assert!(begun.elapsed() < TRACES_GO_WITHIN, "what was revoked left a trace");
        thread::sleep(Duration::from_millis(100));
    }
    join(&late, id, &directory, &serving.address()).told(3, "I02");
    laptop.tandem(&["sync"]).went_well();
    drop(serving);
}

#[test]
fn what_a_directory_that_is_off_should_have_deleted_it_deletes_when_it_is_back() {
    let mut directory = Directory::start();
    let office = Computer::new();
    internet_server(&office);
    let serving = office.stay(&["serve"]);
    let publish = ["publish", "--dht", "off", "--directory", &directory.url(), "--comment", "Kingfisher", "--yes"];
    office.json(&publish);
    directory.switch_off();
    let again = office.tandem(&["publish", "--comment", "Heron", "--yes"]);
    again.told(3, "N02");
    assert_eq!(office.json(&["revoke", "--yes"])["state"], "revoking");
    assert!(directory.holds("Kingfisher"));
    directory.switch_on();
    let begun = Instant::now();
    while directory.holds("Kingfisher") {
        assert!(begun.elapsed() < TRACES_GO_WITHIN, "it isn't revoked");
        thread::sleep(Duration::from_millis(100));
    }
    let begun = Instant::now();
    while office.json(&["publish"])["state"] != "none" {
        assert!(begun.elapsed() < TRACES_GO_WITHIN, "the server doesn't know that it is revoked");
        thread::sleep(Duration::from_millis(100));
    }
    drop(serving);
}

#[test]
fn a_directory_that_lost_everything_gets_it_again() {
    let mut directory = Directory::start();
    let office = Computer::new();
    internet_server(&office);
    let serving = office.stay(&["serve"]);
    let publish = ["publish", "--dht", "off", "--directory", &directory.url(), "--comment", "Kingfisher", "--yes"];
    let id = office.json(&publish)["serverId"].clone();
    directory.switch_off();
    for entry in std::fs::read_dir(directory.folder.path()).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    directory.switch_on();
    assert!(!directory.holds("Kingfisher"));
    assert_eq!(office.json(&["publish", "--yes"])["serverId"], id);
    assert!(directory.holds("Kingfisher"));
    drop(serving);
}

#[test]
fn a_record_that_somebody_swapped_in_the_directory_is_named() {
    let directory = Directory::start();
    let (office, late) = (Computer::new(), Computer::new());
    internet_server(&office);
    let serving = office.stay(&["serve"]);
    let published = office.json(&["publish", "--dht", "off", "--directory", &directory.url(), "--yes"]);
    let id = published["serverId"].as_str().unwrap();
    office.json(&["revoke", "--yes"]);

    let thief = IdentityKey::generate();
    let record = ServerRecord {
        name: ServerName::parse("Office PC").unwrap(),
        comment: None,
        public_key: thief.public(),
        service_id: ServiceId::generate(),
        salt: Salt::generate(),
    };
    let change = Change {
        operation: Operation::Publish,
        server_id: ServerId::parse(id).unwrap(),
        public_key: thief.public(),
        sequence: 1,
        record: record.sign(&thief).unwrap(),
        challenge: UsedChallenge { nonce: [7; 16], expires_at_secs: u64::MAX >> 1 },
        records_per_key_max: 3,
    };
    let storage = Sqlite::open(directory.folder.path()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(directory.runtime.block_on(storage.change(change, now)).unwrap(), Verdict::Done);
    join(&late, id, &directory, &serving.address()).told(4, "I04");
    drop(serving);
}

#[test]
fn a_place_that_is_none_is_refused_before_anything_is_asked() {
    let office = Computer::new();
    internet_server(&office);
    office.tandem(&["publish", "--directory", "https://directory.example/path", "--yes"]).told(2, "N15");
    office.tandem(&["publish", "--dht", "off", "--yes"]).told(2, "N17");
}
