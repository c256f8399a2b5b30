//! A server and a client, two profiles on one computer, over real QUIC.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

use app::{
    api::types::Status,
    node::{InitServer, JoinRequest, Node, OpenOptions, Use},
    profile::Profile,
    secrets::StoreKind,
};
use identity::{Invitation, Secret};
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const PASSWORD: &str = "zebra-anchor-mild-otter-lamp";

struct Computer {
    folder: tempfile::TempDir,
}

impl Computer {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn profile(&self) -> Profile {
        Profile::in_folder(&self.folder.path().join("profile"))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn spec(&self) -> String {
        format!("files:{}", self.data().display())
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.data().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Every item's bytes by folder, whatever the file is called.
    fn items(&self) -> BTreeMap<(String, Vec<u8>), usize> {
        let mut items = BTreeMap::new();
        collect(&self.data(), &self.data(), &mut items);
        items
    }
}

fn collect(root: &Path, folder: &Path, items: &mut BTreeMap<(String, Vec<u8>), usize>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tmp" && !name.starts_with(".tandem") {
                collect(root, &path, items);
            }
        } else if !name.starts_with(".tandem") && !["maildirfolder", "dovecot-keywords"].contains(&name.as_str()) {
            let folder = path.parent().unwrap().strip_prefix(root).unwrap().to_string_lossy().replace("/new", "/cur");
            // A file may be renamed while we look; whoever compares looks again.
            if let Ok(bytes) = fs::read(&path) {
                *items.entry((folder, bytes)).or_default() += 1;
            }
        }
    }
}

fn mail(number: u32) -> String {
    format!(
        "Message-ID: <{number}@example.org>\nFrom: anna@example.org\nTo: ben@example.org\nSubject: number {number}\nDate: Thu, 22 Aug 2024 12:36:23 +0000\n\nhello {number}\n"
    )
}

fn contact(uid: &str, name: &str, phone: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nTEL:{phone}\r\nEND:VCARD\r\n")
}

async fn server(computer: &Computer) -> Node {
    Node::init_server(
        &computer.profile(),
        InitServer {
            name: "Office PC".into(),
            store: computer.spec(),
            password: Secret::new(PASSWORD.into()),
            internet: false,
            listen: Some("127.0.0.1:0".parse().unwrap()),
            secrets: Some(StoreKind::File),
        },
    )
    .await
    .unwrap();
    Node::open(&computer.profile(), Use::Serve, OpenOptions::default()).await.unwrap()
}

async fn join(server: &Node, computer: &Computer) -> Node {
    let answer = server.call("invite", json!({})).await.unwrap();
    let invitation = Invitation::parse(answer["file"].as_str().unwrap().as_bytes()).unwrap();
    let request = JoinRequest {
        invitation,
        store: computer.spec(),
        password: Secret::new(PASSWORD.into()),
        mode: sync::plan::Pairing::Combine,
        only: Vec::new(),
        map: Vec::new(),
        device_name: "Laptop".into(),
        secrets: Some(StoreKind::File),
        addresses: Vec::new(),
    };
    Node::join(&computer.profile(), request).await.unwrap()
}

async fn wait_quiet(node: &Node) -> Status {
    let waiting = node.call("wait_quiet", json!({}));
    let answer = match tokio::time::timeout(Duration::from_secs(30), waiting).await {
        Ok(answer) => answer.unwrap(),
        Err(_) => panic!("not quiet: {:#}", node.call("status", json!({})).await.unwrap()),
    };
    serde_json::from_value(answer).unwrap()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it didn't come to be: {what}");
}

fn trace() {
    if std::env::var_os("TRACE").is_some() {
        let _ = tracing_subscriber::fmt().with_env_filter("debug").with_test_writer().try_init();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_office_has_is_on_the_laptop_and_edits_cross_both_ways() {
    trace();
    let (office, laptop) = (Computer::new(), Computer::new());
    for number in 0..40 {
        office.write(&format!("mail/cur/1700000{number:03}.M1P1.office:2,S"), &mail(number));
        office.write(&format!("mail/.Archive.2024/cur/1600000{number:03}.M1P1.office:2,"), &mail(1000 + number));
    }
    for folder in ["mail", "mail/.Archive.2024"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(office.data().join(folder).join(part)).unwrap();
        }
    }
    office.write("contacts/people/anna.vcf", &contact("anna", "Anna", "+49 1"));
    laptop.write("contacts/people/ben.vcf", &contact("ben", "Ben", "+49 2"));
    let server = server(&office).await;
    let client = join(&server, &laptop).await;

    let preview = client.call("preview", json!({})).await.unwrap();
    assert_eq!(
        (&preview["total"]["addedHere"], &preview["total"]["addedThere"]),
        (&json!(81), &json!(1)),
        "{preview:#}"
    );
    assert_eq!(laptop.items().len(), 1, "nothing is written before somebody says yes");
    assert_eq!(office.items().len(), 81);

    client.call("start", json!({})).await.unwrap();
    wait_quiet(&client).await;
    assert_eq!(office.items(), laptop.items());
    assert_eq!(office.items().len(), 82);

    // Live, both ways.
    laptop.write("mail/new/1800000001.M1P1.laptop", &mail(5001));
    office.write("contacts/people/anna.vcf", &contact("anna", "Anna", "+49 111"));
    until("a new mail and a changed contact cross", || office.items() == laptop.items() && office.items().len() == 83)
        .await;
    assert!(laptop.items().keys().any(|(_, bytes)| bytes.windows(7).any(|window| window == b"+49 111")));

    // A deletion, and a move that stays a move.
    fs::remove_file(office.data().join("mail/cur/1700000007.M1P1.office:2,S")).unwrap();
    fs::rename(
        office.data().join("mail/cur/1700000008.M1P1.office:2,S"),
        office.data().join("mail/.Archive.2024/cur/1700000008.M1P1.office:2,S"),
    )
    .unwrap();
    until("a deletion and a move cross", || office.items() == laptop.items() && office.items().len() == 82).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_made_apart_are_merged_field_by_field_and_clashes_wait_for_a_person() {
    trace();
    let (office, laptop) = (Computer::new(), Computer::new());
    office.write("contacts/people/anna.vcf", &contact("anna", "Anna", "+49 1"));
    office.write("contacts/people/ben.vcf", &contact("ben", "Ben", "+49 2"));
    let server = server(&office).await;
    let client = join(&server, &laptop).await;
    client.call("start", json!({})).await.unwrap();
    wait_quiet(&client).await;
    client.shut_down().await;

    // Apart: different fields of Anna, the same field of Ben.
    let name = |folder: &Computer, uid: &str| {
        let place = folder.data().join("contacts/people");
        let found = fs::read_dir(place)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("UID:{uid}"))));
        found.unwrap()
    };
    fs::write(name(&office, "anna"), contact("anna", "Anna", "+49 1").replace("END:", "NOTE:from the office\r\nEND:"))
        .unwrap();
    fs::write(name(&laptop, "anna"), contact("anna", "Anna Berg", "+49 1")).unwrap();
    fs::write(name(&office, "ben"), contact("ben", "Ben Office", "+49 2")).unwrap();
    fs::write(name(&laptop, "ben"), contact("ben", "Ben Laptop", "+49 2")).unwrap();
    let client = Node::open(&laptop.profile(), Use::Run, OpenOptions::default()).await.unwrap();
    wait_quiet(&client).await;
    until("both have the same", || office.items() == laptop.items()).await;
    let anna = fs::read_to_string(name(&laptop, "anna")).unwrap();
    assert!(anna.contains("Anna Berg") && anna.contains("from the office"), "{anna}");
    let conflicts = client.call("conflicts", json!({})).await.unwrap();
    assert_eq!(conflicts.as_array().unwrap().len(), 1, "{conflicts:#}");
    let id = conflicts[0]["id"].as_str().unwrap().to_owned();
    let detail = client.call("conflict", json!({ "id": id })).await.unwrap();
    assert!(!detail["other"].as_array().unwrap().is_empty(), "{detail:#}");
    client.call("resolve_conflict", json!({ "id": id, "keep": "both" })).await.unwrap();
    until("both versions are on both computers", || office.items() == laptop.items() && office.items().len() == 3)
        .await;
    wait_quiet(&client).await;
    assert_eq!(client.call("conflicts", json!({})).await.unwrap(), json!([]));
    client.shut_down().await;
    server.shut_down().await;
}
