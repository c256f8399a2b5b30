//! What the window talks to, told as a person would do it: two computers, from the first start to equal folders.

#![allow(clippy::unwrap_used)] // Whatever goes wrong in a story ends it.

mod common;

use app::{
    finding,
    host::{Desktop, Given, Host, HostOptions, Target, types::HostEvent},
    message::Code,
    profile::Profile,
    secrets::StoreKind,
    settings::Settings,
};
use common::person::Person;
use identity::{Hint, IdentityKey, Invitation, ServerName, ServiceId, Ticket, Timestamp, Token};
use mainline::Testnet;
use serde_json::{Value, json};
use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const PASSWORD: &str = "orbit-lantern-velvet-quarry-mango";
/// Loaded machines are slow; nothing here depends on how fast it is.
const PATIENCE: Duration = Duration::from_secs(60);

struct Computer {
    home: tempfile::TempDir,
    person: Arc<Person>,
    host: Host,
}

impl Computer {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let person = Arc::new(Person::default());
        let host = open(home.path(), &person).await;
        Self { home, person, host }
    }

    async fn restart(&mut self) {
        self.host.shut_down().await;
        self.host = open(self.home.path(), &self.person).await;
    }

    async fn ask(&self, command: &str, request: Value) -> Value {
        self.host.call(command, request).await.unwrap_or_else(|problem| panic!("{command}: {problem}"))
    }

    async fn refused(&self, command: &str, request: Value) -> Code {
        self.host.call(command, request).await.expect_err(command).code
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// A folder chosen in the dialog.
    async fn source(&self, folder: &Path) -> Value {
        self.person.will_choose(folder);
        self.ask("choose_folder", json!({})).await
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.data().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn stage(&self) -> String {
        self.ask("host_state", json!({})).await["stage"]["at"].as_str().unwrap().to_owned()
    }
}

async fn open(home: &Path, person: &Arc<Person>) -> Host {
    let options = HostOptions { secrets: Some(StoreKind::File), listen: Some("127.0.0.1:0".parse().unwrap()) };
    Host::open(Profile::in_folder(&home.join("profile")), Arc::clone(person) as Arc<dyn Desktop>, options).await
}

fn card(uid: &str, name: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n")
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "{what}: waited in vain");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A server with two address books and a message, made as the wizard makes it.
async fn office() -> Computer {
    let office = Computer::new().await;
    office.write("contacts/Friends/a.vcf", &card("a", "Anna"));
    office.write("contacts/Friends/b.vcf", &card("b", "Bert"));
    office.write("contacts/Work/c.vcf", &card("c", "Clara"));
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(office.data().join("mail").join(part)).unwrap();
    }
    office.write("mail/cur/1.a.host:2,S", "Message-ID: <1@example.org>\nSubject: one\n\n1\n");
    office
}

async fn create(office: &Computer, folders: Value) {
    let source = office.source(&office.data()).await;
    let request = json!({"name": "Office PC", "source": source["id"], "folders": folders, "internet": false,
        "password": PASSWORD, "isRemembered": true});
    let created = office.ask("create_server", request).await;
    assert_eq!(created["status"]["name"], "Office PC");
    assert_eq!(office.stage().await, "running");
}

/// An invitation file with an address on this computer.
async fn invitation(office: &Computer) -> PathBuf {
    let status = office.ask("status", json!({})).await;
    let port = status["addresses"][0].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let invited = office.ask("invite", json!({"hints": [format!("127.0.0.1:{port}")]})).await;
    let file = office.home.path().join("Office PC.tandem");
    fs::write(&file, invited["file"].as_str().unwrap()).unwrap();
    file
}

async fn connect(laptop: &Computer, invitation: &Path) -> Value {
    laptop.host.give(vec![Given::File(invitation.to_owned())]);
    let opened = laptop.ask("take_opened", json!({})).await;
    let server = opened[0]["server"].clone();
    let request = json!({"server": server["id"], "password": PASSWORD, "isRemembered": true, "name": "Laptop"});
    let state = laptop.ask("connect", request).await;
    assert_eq!(state["stage"]["at"], "joining");
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn two_computers_go_from_the_first_start_to_equal_folders() {
    let (office, laptop) = (office().await, Computer::new().await);
    assert_eq!(office.stage().await, "firstStart");

    let source = office.source(&office.data()).await;
    assert_eq!((source["state"].as_str(), source["items"].as_u64()), (Some("ready"), Some(4)));
    let folders = office.ask("source_folders", json!({"source": source["id"]})).await;
    let paths: Vec<&str> = folders.as_array().unwrap().iter().map(|folder| folder["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"contacts/Friends") && paths.contains(&"contacts/Work"), "{paths:?}");
    create(&office, json!({"these": "everything"})).await;

    let invitation = invitation(&office).await;
    let server = connect(&laptop, &invitation).await;
    assert_eq!(server["name"], "Office PC");
    let offered = laptop.ask("server_folders", json!({})).await;
    let friends = offered["folders"].as_array().unwrap().iter().find(|one| one["path"] == "contacts/Friends").unwrap();
    assert_eq!(friends["items"], 2);
    assert!(!laptop.data().exists(), "looking at the server's folders writes nothing");

    fs::create_dir_all(laptop.data()).unwrap();
    let here = laptop.source(&laptop.data()).await;
    let wishes = json!([
        {"path": "contacts/Friends", "direction": "both"},
        {"path": "contacts/Work", "direction": "to-here"},
    ]);
    let preview = laptop.ask("plan_first", json!({"source": here["id"], "folders": wishes})).await;
    assert_eq!(preview["total"]["addedHere"], 3, "{preview:#}");
    assert!(!laptop.data().join("contacts/Friends").exists(), "the preview writes nothing");
    laptop.ask("start_first", json!({})).await;
    laptop.ask("wait_quiet", json!({})).await;
    assert_eq!(laptop.stage().await, "running");
    let names = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".vcf")).count()
    };
    assert_eq!(names(laptop.data().join("contacts/Friends")), 2);
    assert_eq!(names(laptop.data().join("contacts/Work")), 1);
    let mails = fs::read_dir(laptop.data().join("mail/cur")).into_iter().flatten().count();
    assert_eq!(mails, 0, "mail wasn't wished for");

    // Who ends the server is told that the laptop would wait; nobody waits for the laptop.
    let mut events = office.host.events();
    assert!(office.host.quit_asked().await && *office.person.quits.lock().unwrap() == 0);
    let is_asked = |event| matches!(event, HostEvent::CloseAsked { connected: 1, quits: true, .. });
    assert!(std::iter::from_fn(|| events.try_recv().ok()).any(is_asked));
    assert!(!laptop.host.quit_asked().await && *laptop.person.quits.lock().unwrap() == 1);

    // All of it is taken back at the laptop, and only there.
    let left = laptop.ask("disconnect", json!({"takesBack": true})).await;
    assert_eq!(left["takenBack"], json!({"undone": 3, "left": []}), "{left:#}");
    assert_eq!(left["state"]["stage"]["at"], "firstStart");
    assert_eq!((names(laptop.data().join("contacts/Friends")), names(laptop.data().join("contacts/Work"))), (0, 0));
    assert_eq!((names(office.data().join("contacts/Friends")), names(office.data().join("contacts/Work"))), (2, 1));
    assert_eq!(laptop.refused("disconnect", json!({"takesBack": true})).await, Code::NotSetUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_from_outside_is_checked_before_there_is_a_server_and_each_step_is_told_when_it_is_known() {
    let computer = Computer::new().await;
    let mut events = computer.host.events();
    // A server for this computer only asks no router; the network lab asks one.
    let checks = computer.ask("check_internet", json!({})).await;
    let told: Vec<Value> = std::iter::from_fn(|| events.try_recv().ok())
        .filter_map(|event| match event {
            HostEvent::Check { check } => Some(serde_json::to_value(check).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(Value::from(told), checks);
    let ids: Vec<&str> = checks.as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["network", "local-firewall", "gateway", "mapping"]);
    assert_eq!(computer.stage().await, "firstStart", "nothing was set up for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_offers_only_the_folders_that_were_chosen() {
    let (office, laptop) = (office().await, Computer::new().await);
    create(&office, json!({"these": "named", "paths": ["contacts/Friends"]})).await;
    until("the choice is set", async || {
        let folders = office.ask("folders", json!({})).await;
        let work = folders.as_array().unwrap().iter().find(|one| one["path"] == "contacts/Work");
        work.is_some_and(|work| work["direction"] == "off")
    })
    .await;
    connect(&laptop, &invitation(&office).await).await;
    until("the offered folder is there", async || {
        let offered = laptop.ask("server_folders", json!({})).await;
        offered["folders"].as_array().unwrap().iter().any(|one| one["path"] == "contacts/Friends" && one["items"] == 2)
    })
    .await;
    let offered = laptop.ask("server_folders", json!({})).await;
    let items = |path: &str| {
        let all = offered["folders"].as_array().unwrap();
        all.iter().filter(|one| one["path"] == path).map(|one| one["items"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((items("contacts/Work"), items("mail/INBOX")), (0, 0), "{offered:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_opened_is_told_apart_and_a_server_stays_on_the_list_after_a_restart() {
    let (office, mut laptop) = (office().await, Computer::new().await);
    create(&office, json!({"these": "everything"})).await;
    let invitation = invitation(&office).await;
    let picture = laptop.home.path().join("photo.png");
    fs::write(&picture, b"\x89PNG\r\n\x1a\n").unwrap();
    laptop.host.give(vec![Given::File(picture)]);
    laptop.host.give(vec![Given::File(invitation.clone()), Given::File(invitation)]);
    let opened = laptop.ask("take_opened", json!({})).await;
    assert_eq!(opened[0]["problem"]["code"], "V04");
    assert_eq!((&opened[1]["server"]["name"], &opened[1]["leftAlone"]), (&json!("Office PC"), &json!(1)));
    assert_eq!(laptop.ask("take_opened", json!({})).await, json!([]));
    laptop.restart().await;
    let servers = laptop.ask("servers", json!({})).await;
    assert_eq!((&servers[0]["name"], &servers[0]["knownBy"]), (&json!("Office PC"), &json!("invitation")));
    let left = laptop.ask("forget_server", json!({"server": servers[0]["id"]})).await;
    assert_eq!(left, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_whose_ticket_has_expired_says_so_and_can_be_used_with_the_password() {
    let laptop = Computer::new().await;
    let key = IdentityKey::generate();
    let ticket = Ticket { token: Token::from_bytes([5; 16]), expires: Timestamp::from_unix_secs(1_700_000_000) };
    let invitation = Invitation {
        server_name: ServerName::parse("Office PC").unwrap(),
        comment: None,
        public_key: key.public(),
        service_id: ServiceId::from_bytes([2; 16]),
        server_id: None,
        hints: vec![Hint::parse("192.168.1.10:47113").unwrap()],
        rendezvous: Vec::new(),
        directory: None,
        created: Timestamp::from_unix_secs(1_699_000_000),
        ticket: Some(ticket),
    };
    let file = laptop.home.path().join("old.tandem");
    fs::write(&file, invitation.to_file(&key).unwrap()).unwrap();
    laptop.host.give(vec![Given::File(file)]);
    let opened = laptop.ask("take_opened", json!({})).await;
    let note = &opened[0]["server"]["note"];
    assert_eq!(note["code"], "V03", "{opened:#}");
    let message = note["message"].as_str().unwrap();
    assert!(message.contains("It was valid until 14 Nov 2023. You can still connect with the password."), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_written_are_told_with_their_folder() {
    let computer = Computer::new().await;
    // Where the file is to be is something else, for whomever.
    let file = computer.home.path().join("profile/window.toml");
    fs::remove_file(&file).unwrap();
    fs::create_dir_all(file.join("in the way")).unwrap();
    let refused = computer.host.call("change_settings", json!({"appearance": "dark"})).await.unwrap_err();
    assert_eq!(refused.code, Code::SettingsNotSaved);
    let message = refused.view(app::language::Language::English).message;
    assert!(message.contains("Tandem may not write to") && message.contains("profile"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_go_to_another_computer_in_a_file_without_secrets_and_names() {
    let (office, laptop) = (office().await, Computer::new().await);
    create(&office, json!({"these": "everything"})).await;
    let change = json!({"appearance": "dark", "textSizePercent": 125, "tellsHeld": false, "backupDays": 90});
    office.ask("change_settings", change).await;
    let file = office.home.path().join("tandem-settings.json");
    office.person.will_choose(&file);
    let saved = office.ask("export_settings", json!({})).await;
    assert_eq!(saved["path"].as_str(), file.to_str());
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(PASSWORD) && !text.contains("Office PC"), "{text}");

    laptop.person.will_choose(&file);
    let taken = laptop.ask("import_settings", json!({})).await;
    assert_eq!(
        (&taken["appearance"], &taken["textSizePercent"], &taken["tellsHeld"]),
        (&json!("dark"), &json!(125), &json!(false))
    );

    for (text, code) in [
        (text.replace("\"dark\"", "\"purple\""), Code::SettingsNotUnderstood),
        (text.replace("\"version\": 1", "\"version\": 2"), Code::SettingsNewer),
        ("BEGIN:VCARD".to_owned(), Code::SettingsNotUnderstood),
    ] {
        fs::write(&file, text).unwrap();
        laptop.person.will_choose(&file);
        assert_eq!(laptop.refused("import_settings", json!({})).await, code);
    }
    // Nobody chose a file: everything stays.
    assert_eq!(laptop.ask("import_settings", json!({})).await["appearance"], "dark");
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_versions_move_to_another_disk_and_back() {
    let office = office().await;
    create(&office, json!({"these": "everything"})).await;
    let drive = office.home.path().join("drive");
    fs::create_dir(&drive).unwrap();
    office.person.will_choose(&drive);
    let settings = office.ask("choose_backup_place", json!({"isAsMade": false})).await;
    let place = Path::new(settings["backupPlace"].as_str().unwrap());
    assert!(place.starts_with(&drive) && place.is_dir(), "{settings:#}");
    assert_eq!((&settings["isBackupElsewhere"], office.stage().await.as_str()), (&json!(true), "running"));
    office.host.call("open_place", json!({"place": "backup"})).await.unwrap();
    assert_eq!(office.person.opened.lock().unwrap().last(), Some(&Target::Folder(place.to_owned())));

    // Not where the data is: it would be taken for data.
    office.person.will_choose(&office.home.path().join("data/mail"));
    let refused = office.refused("choose_backup_place", json!({"isAsMade": false})).await;
    assert_eq!((refused, office.stage().await.as_str()), (Code::FileNotWritable, "running"));

    let settings = office.ask("choose_backup_place", json!({"isAsMade": true})).await;
    assert_eq!((&settings["isBackupElsewhere"], place.exists()), (&json!(false), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_leaves_a_first_start_behind_and_can_be_tried_again() {
    let (office, laptop) = (office().await, Computer::new().await);
    create(&office, json!({"these": "everything"})).await;
    let invitation = invitation(&office).await;
    laptop.host.give(vec![Given::File(invitation.clone())]);
    let opened = laptop.ask("take_opened", json!({})).await;
    let request = json!({"server": opened[0]["server"]["id"], "password": "something else", "isRemembered": true});
    assert_eq!(laptop.refused("connect", request).await, Code::PasswordWrong);
    assert_eq!(laptop.stage().await, "firstStart");
    connect(&laptop, &invitation).await;
    let left = laptop.ask("disconnect", json!({})).await;
    assert_eq!((&left["state"]["stage"]["at"], &left["stays"]), (&json!("firstStart"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_hold_before_and_after_a_set_up_and_go_back_page_by_page() {
    let mut office = office().await;
    let chosen = json!({"language": "de", "textSizePercent": 500, "appearance": "dark", "startsWithComputer": true});
    let settings = office.ask("change_settings", chosen).await;
    assert_eq!((&settings["language"], &settings["textSizePercent"]), (&json!("de"), &json!(200)));
    assert_eq!(office.ask("host_state", json!({})).await["language"], "de");
    create(&office, json!({"these": "everything"})).await;
    let chosen = json!({"language": "de", "backupDays": 7, "backupBytesMax": 1_000_000, "conflicts": "server"});
    office.ask("change_settings", chosen).await;
    // What is too slow to work is set to what works.
    let limits = json!({"uploadBytesPerSecMax": 7, "downloadBytesPerSecMax": 2_000_000, "detailedLog": true});
    office.ask("change_settings", limits).await;
    office.restart().await;
    let settings = office.ask("settings", json!({})).await;
    assert_eq!((&settings["backupDays"], &settings["conflicts"]), (&json!(7), &json!("server")));
    let limits =
        |settings: &Value| [&settings["uploadBytesPerSecMax"], &settings["downloadBytesPerSecMax"]].map(Value::clone);
    assert_eq!(limits(&settings), [json!(100_000), json!(2_000_000)]);
    assert_eq!(settings["detailedLog"], true);
    let settings = office.ask("reset_settings", json!({"page": "internet"})).await;
    assert_eq!(limits(&settings), [json!(0), json!(0)]);
    assert_eq!((&settings["appearance"], &settings["startsWithComputer"]), (&json!("dark"), &json!(true)));
    let settings = office.ask("reset_settings", json!({"page": "backup"})).await;
    assert_eq!((&settings["backupDays"], &settings["language"]), (&json!(30), &json!("de")));
    let settings = office.ask("reset_settings", json!({"page": "general"})).await;
    assert_eq!(settings["appearance"], "system");
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_tandem_off_the_computer_leaves_the_data_and_a_first_start() {
    let office = office().await;
    create(&office, json!({"these": "everything"})).await;
    office.ask("change_settings", json!({"startsWithComputer": true})).await;
    let removed = office.ask("remove_tandem", json!({})).await;
    assert_eq!(removed["problems"], json!([]), "{removed:#}");
    assert!(removed["data"][0].as_str().unwrap().ends_with("data"));
    assert!(office.data().join("contacts/Friends/a.vcf").exists());
    assert!(!office.home.path().join("profile/config.toml").exists());
    assert!(!*office.person.starts.lock().unwrap());
    assert_eq!(office.stage().await, "firstStart");
}

/// A published server in a network for addresses of its own, and its ID.
async fn published(office: &Computer, network: &Testnet) -> (Settings, identity::ServerId) {
    let mut settings = Settings::default();
    settings.network.dht_bootstrap.clone_from(&network.bootstrap);
    let folder = office.home.path().join("profile");
    fs::create_dir_all(&folder).unwrap();
    settings.save(&folder.join("config.toml")).unwrap();
    let source = office.source(&office.data()).await;
    let request = json!({"name": "Office PC", "source": source["id"], "folders": {"these": "everything"},
        "internet": true, "password": PASSWORD, "isRemembered": true});
    office.ask("create_server", request).await;
    let publication = office.ask("publish", json!({})).await;
    let id: identity::ServerId = publication["serverId"].as_str().unwrap().parse().unwrap();
    assert_eq!(finding::look_up(id, &settings, None).await.unwrap().record.name.as_str(), "Office PC");
    (settings, id)
}

fn network() -> Testnet {
    Testnet::builder(10).bind_address(Ipv4Addr::LOCALHOST).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_tandem_off_the_computer_is_published_no_more() {
    let (office, network) = (office().await, network());
    let (settings, id) = published(&office, &network).await;
    let removed = office.ask("remove_tandem", json!({})).await;
    assert_eq!(removed["problems"], json!([]), "{removed:#}");
    assert_eq!(finding::look_up(id, &settings, None).await.unwrap_err().code, Code::ServerIdNotPublished);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_being_a_server_is_published_no_more_and_is_told_how_long_it_takes_without_a_network() {
    let (office, first) = (office().await, network());
    let (settings, id) = published(&office, &first).await;
    let left = office.ask("disconnect", json!({})).await;
    assert_eq!((&left["state"]["stage"]["at"], &left["stays"]), (&json!("firstStart"), &Value::Null), "{left:#}");
    assert_eq!(finding::look_up(id, &settings, None).await.unwrap_err().code, Code::ServerIdNotPublished);

    let (_, id) = published(&office, &first).await;
    drop(first);
    let removed = office.ask("remove_tandem", json!({})).await;
    let stays = &removed["problems"][0];
    assert_eq!((&stays["code"], &stays["facts"]["server_id"]), (&json!("I06"), &json!(id.to_string())), "{removed:#}");
    let left_secs = stays["facts"]["left_secs"].as_i64().unwrap();
    assert!((60 * 60..=2 * 60 * 60).contains(&left_secs), "{left_secs}");
    assert!(!office.home.path().join("profile/config.toml").exists(), "it goes all the same");
    assert_eq!(office.stage().await, "firstStart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_attaches_to_what_runs_already_and_goes_on_alone_when_that_ends() {
    let office = office().await;
    create(&office, json!({"these": "everything"})).await;
    let person = Arc::new(Person::default());
    let second = open(office.home.path(), &person).await;
    let state = second.call("host_state", json!({})).await.unwrap();
    assert_eq!(state["stage"], json!({"at": "running", "role": "server", "isAttached": true}));
    assert_eq!(second.call("status", json!({})).await.unwrap()["name"], "Office PC");
    office.host.shut_down().await;
    until("the second window works alone", async || {
        let state = second.call("host_state", json!({})).await.unwrap();
        state["stage"] == json!({"at": "running", "role": "server", "isAttached": false})
    })
    .await;
    second.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_asks_only_where_something_would_stop() {
    let office = office().await;
    office.host.close_asked().await;
    assert_eq!(*office.person.quits.lock().unwrap(), 1);
    create(&office, json!({"these": "everything"})).await;
    let mut events = office.host.events();
    office.host.close_asked().await;
    until("the page is asked", async || matches!(events.try_recv(), Ok(HostEvent::CloseAsked { .. }))).await;
    office.ask("close_window", json!({"quits": false, "isRemembered": true})).await;
    assert_eq!((*office.person.quits.lock().unwrap(), *office.person.hides.lock().unwrap()), (1, 1));
    office.host.close_asked().await;
    assert_eq!(*office.person.hides.lock().unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_computers_show_changes_conflicts_and_the_guard_and_leave_nothing() {
    let computer = Computer::new().await;
    computer.ask("start_samples", json!({})).await;
    until("both hold the same", async || {
        let view = computer.ask("samples", json!({})).await;
        view["isSame"] == true && view["server"]["folders"].as_array().is_some_and(|folders| !folders.is_empty())
    })
    .await;
    let titles = |view: &Value, side: &str| -> Vec<String> {
        let folders = view[side]["folders"].as_array().unwrap();
        let items = folders.iter().flat_map(|folder| folder["items"].as_array().unwrap());
        items.map(|item| item["title"].as_str().unwrap().to_owned()).collect()
    };
    let action = json!({"do": "add", "side": "client", "folder": "contacts/Friends"});
    computer.ask("sample_do", action).await;
    until("what was added on the laptop is in the office", async || {
        let view = computer.ask("samples", json!({})).await;
        titles(&view, "server").iter().any(|title| title.starts_with("New on laptop"))
    })
    .await;
    computer.ask("sample_do", json!({"do": "changeOnBoth"})).await;
    until("somebody has to decide", async || {
        let call = json!({"side": "client", "command": "conflicts", "request": {}});
        computer.ask("sample_call", call).await.as_array().is_some_and(|conflicts| !conflicts.is_empty())
    })
    .await;
    computer.ask("sample_do", json!({"do": "deleteHalf", "side": "client"})).await;
    until("half a folder isn't deleted without a question", async || {
        let call = json!({"side": "server", "command": "held", "request": {}});
        computer.ask("sample_call", call).await.as_array().is_some_and(|held| !held.is_empty())
    })
    .await;
    let view = computer.ask("sample_do", json!({"do": "publish"})).await;
    assert_eq!(view["publication"]["state"], "published");
    let view = computer.ask("sample_do", json!({"do": "lookUp"})).await;
    assert_eq!(view["lookedUp"]["found"], "Office PC");
    assert_eq!(view["lookedUp"]["serverId"], view["publication"]["serverId"]);
    let view = computer.ask("sample_do", json!({"do": "revoke"})).await;
    assert_eq!(view["publication"]["state"], "none");
    let view = computer.ask("sample_do", json!({"do": "lookUp"})).await;
    assert_eq!((view["lookedUp"]["found"].as_str(), view["lookedUp"]["problem"]["code"].as_str()), (None, Some("I02")));
    let state = computer.ask("remove_samples", json!({})).await;
    assert_eq!(state["hasSamples"], false);
    assert!(!computer.home.path().join("profile/samples").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn loose_files_are_brought_into_a_folder_of_their_own() {
    let computer = Computer::new().await;
    computer.write("addresses.vcf", &(card("a", "Anna") + &card("b", "Bert")));
    let source = computer.source(&computer.data()).await;
    assert_eq!((source["state"].as_str(), source["items"].as_u64()), (Some("importable"), Some(2)));
    let request = json!({"name": "Office PC", "source": source["id"], "internet": false, "password": PASSWORD,
        "isRemembered": false});
    assert_eq!(computer.refused("create_server", request).await, Code::ImportFirst);
    let imported = computer.ask("import_source", json!({"source": source["id"]})).await;
    assert_eq!((&imported["added"], &imported["source"]["state"]), (&json!(2), &json!("ready")));
    assert!(computer.data().join("addresses.vcf").exists(), "the original stays");
}

#[tokio::test]
async fn an_old_data_file_is_shown_first_and_comes_in_once() {
    let computer = Computer::new().await;
    let source = computer.source(&computer.data()).await;
    let request = json!({"source": source["id"]});
    assert_eq!(computer.refused("import_data_file", request.clone()).await, Code::NotUnderstood);
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    computer.person.will_choose(&corpus.join("pst/dist-list.pst"));
    let preview = computer.ask("choose_data_file", request.clone()).await;
    assert_eq!((&preview["name"], &preview["added"]), (&json!("dist-list.pst"), &json!(3)));
    assert!(!computer.data().exists(), "looking writes nothing");
    let done = computer.ask("import_data_file", request.clone()).await;
    assert_eq!(
        (&done["added"], &done["source"]["state"], &done["source"]["items"]),
        (&json!(3), &json!("ready"), &json!(3))
    );
    computer.person.will_choose(&corpus.join("pst/dist-list.pst"));
    let again = computer.ask("choose_data_file", request).await;
    assert_eq!((&again["added"], &again["present"]), (&json!(0), &json!(3)));
}
