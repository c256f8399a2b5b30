//! The real password store of Linux: gnome-keyring on a D-Bus session of its own, in every state it can be in.
//!
//! The client keeps its connection for as long as the process lives, so each scene is this same test program started
//! again in an environment of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Here, a panic is the message.

mod common;

use app::{
    host::{Host, HostOptions},
    language::Language,
    message::Code,
    node::{Created, InitServer, Node},
    profile::Profile,
    secrets::{self, KeyringStore, SecretError, SecretName, SecretStore, StoreKind},
    settings::{ProfileId, Settings},
};
use common::{Computer, person::Person};
use identity::{IdentityKey, PublicKey, Secret};
use serde_json::json;
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

const SCENE: &str = "TANDEM_TEST_KEYRING_SCENE";
const PROFILE: &str = "TANDEM_TEST_KEYRING_PROFILE";
const KEY: &str = "TANDEM_TEST_KEYRING_KEY";

/// How the scene's D-Bus session is set up.
enum Session {
    None,
    WithoutService,
    Unlocked,
    Locked,
}

#[test]
fn the_password_store_in_every_state() {
    if let Ok(scene) = env::var(SCENE) {
        return play(&scene);
    }
    let home = tempfile::tempdir().unwrap();
    let (profile, key) = (ProfileId::generate(), IdentityKey::generate());
    let empty_home = tempfile::tempdir().unwrap();
    let run_in = |home: &Path, scene: &str, session: Session| run(scene, session, home, &profile, &key.public());
    let run = |scene: &str, session: Session| run_in(home.path(), scene, session);

    run("no_place_to_keep_anything_means_a_file_with_a_note", Session::None);
    if !is_installed("gnome-keyring-daemon") || !is_installed("dbus-run-session") {
        println!("SKIPPED: gnome-keyring or dbus-run-session isn't installed; the password store was not tried");
        return;
    }
    run("no_place_to_keep_anything_means_a_file_with_a_note", Session::WithoutService);
    // Nobody ever logged in to a desktop here, as on a server: the service starts and has nowhere to keep anything.
    run_in(empty_home.path(), "no_place_to_keep_anything_means_a_file_with_a_note", Session::Locked);
    run("an_unlocked_store_keeps_replaces_and_forgets", Session::Unlocked);
    run("a_key_is_kept", Session::Unlocked);
    run("taking_tandem_off_the_computer_leaves_no_secret", Session::Unlocked);
    run("a_kept_key_is_there_after_a_restart_and_the_wrong_one_is_noticed", Session::Unlocked);
    run("locked_is_never_absent", Session::Locked);
}

fn play(scene: &str) {
    let profile = ProfileId::try_from(env::var(PROFILE).unwrap()).unwrap();
    let store = KeyringStore::new(&profile);
    match scene {
        "no_place_to_keep_anything_means_a_file_with_a_note" => {
            assert!(matches!(store.get(SecretName::IdentitySeed), Err(SecretError::NoService { .. })));
            let folder = tempfile::tempdir().unwrap();
            let home = Profile::in_folder(folder.path());
            let chosen = secrets::choose(&home, &profile, None).unwrap();
            assert_eq!(chosen.store.kind(), StoreKind::File);
            assert!(matches!(chosen.fallback, Some(SecretError::NoService { .. })));
            let (made, insists) = (init(None), init(Some(StoreKind::Keyring)));
            let note = made.unwrap().note.unwrap();
            assert_eq!(note.code, Code::NoKeyring);
            assert_eq!(note.view(Language::English).headline, "This computer has no password store.");
            assert_eq!(insists.unwrap_err().code, Code::KeyringSilent);
            let insisted = secrets::choose(&home, &profile, Some(StoreKind::Keyring)).map(|_| ());
            assert!(matches!(insisted, Err(SecretError::NoService { .. })), "{insisted:?}");
        }
        "an_unlocked_store_keeps_replaces_and_forgets" => {
            let name = SecretName::SavedPassword;
            assert!(matches!(store.get(name), Err(SecretError::Absent)));
            assert!(matches!(store.remove(name), Err(SecretError::Absent)));
            store.set(name, &Secret::new("first".to_owned())).unwrap();
            store.set(name, &Secret::new("zweites Kennwort: äöü".to_owned())).unwrap();
            assert_eq!(store.get(name).unwrap().expose(), "zweites Kennwort: äöü");
            let other = KeyringStore::new(&ProfileId::generate());
            assert!(matches!(other.get(name), Err(SecretError::Absent)), "profiles don't see each other's secrets");
            store.remove(name).unwrap();
            assert!(matches!(store.get(name), Err(SecretError::Absent)));
            let folder = tempfile::tempdir().unwrap();
            let chosen = secrets::choose(&Profile::in_folder(folder.path()), &profile, None).unwrap();
            assert_eq!((chosen.store.kind(), chosen.fallback.is_none()), (StoreKind::Keyring, true));
        }
        "a_key_is_kept" => {
            let key = IdentityKey::generate();
            (&store as &dyn SecretStore).set_bytes(SecretName::IdentitySeed, key.seed()).unwrap();
            assert_eq!(secrets::identity_key(&store, Some(&key.public())).unwrap().unwrap().public(), key.public());
        }
        "a_kept_key_is_there_after_a_restart_and_the_wrong_one_is_noticed" => {
            let kept = secrets::identity_key(&store, None).unwrap().unwrap().public();
            assert_eq!(secrets::identity_key(&store, Some(&kept)).unwrap().unwrap().public(), kept);
            let other: PublicKey = env::var(KEY).unwrap().parse().unwrap();
            assert!(matches!(secrets::identity_key(&store, Some(&other)), Err(SecretError::OtherKey { .. })));
        }
        "taking_tandem_off_the_computer_leaves_no_secret" => {
            tokio::runtime::Runtime::new().unwrap().block_on(take_tandem_off());
        }
        "locked_is_never_absent" => {
            // One secret is there and one is not: while the store is locked nobody can tell which.
            for name in [SecretName::IdentitySeed, SecretName::ServiceId] {
                let answer = store.get(name).map(|_| ());
                assert!(matches!(answer, Err(SecretError::Locked)), "{name:?}: {answer:?}");
                let answer = store.remove(name);
                assert!(matches!(answer, Err(SecretError::Locked)), "{name:?}: {answer:?}");
            }
            let answer = store.set(SecretName::ServiceId, &Secret::new("x".to_owned()));
            assert!(matches!(answer, Err(SecretError::Locked)), "{answer:?}");
            let folder = tempfile::tempdir().unwrap();
            let choice = secrets::choose(&Profile::in_folder(folder.path()), &profile, None).map(|_| ());
            assert!(matches!(choice, Err(SecretError::Locked)), "a locked store is no reason for a file: {choice:?}");
            let refused = init(None).unwrap_err();
            assert_eq!(refused.code, Code::KeyringLocked);
            assert_eq!(refused.view(Language::German).headline, "Der Kennwortspeicher ist gesperrt.");
        }
        scene => panic!("no scene {scene}"),
    }
}

/// Tries to make a new server.
fn init(secrets: Option<StoreKind>) -> app::message::Result<Created> {
    let office = Computer::new("office");
    let request = InitServer {
        name: "Office PC".into(),
        stores: vec![office.spec()],
        password: Secret::new(common::PASSWORD.into()),
        internet: false,
        listen: None,
        secrets,
        folders: None,
    };
    tokio::runtime::Runtime::new().unwrap().block_on(Node::init_server(&office.profile(), request))
}

/// A server whose password is remembered, made and taken away in the window.
async fn take_tandem_off() {
    let (office, person) = (Computer::new("office"), Arc::new(Person::default()));
    office.mails("mail", 0..2);
    let options = HostOptions { secrets: None, listen: Some("127.0.0.1:0".parse().unwrap()) };
    let host = Host::open(office.profile(), person.clone(), options).await;
    person.will_choose(&office.data());
    let source = host.call("choose_folder", json!({})).await.unwrap();
    let request = json!({"name": "Office PC", "source": source["id"], "folders": {"these": "everything"},
        "internet": false, "password": common::PASSWORD, "isRemembered": true});
    host.call("create_server", request).await.unwrap();
    let id = Settings::load(&office.profile().settings_file()).unwrap().profile.unwrap();
    let store = KeyringStore::new(&id);
    assert_eq!(store.get(SecretName::ServerPassword).unwrap().expose(), common::PASSWORD);
    assert!(store.get(SecretName::IdentitySeed).is_ok());
    let removed = host.call("remove_tandem", json!({})).await.unwrap();
    assert_eq!(removed["problems"], json!([]), "{removed:#}");
    for name in SecretName::ALL {
        assert!(matches!(store.get(name), Err(SecretError::Absent)), "{name:?}");
    }
    assert_eq!(office.total(), 2, "the data stays");
}

fn run(scene: &str, session: Session, home: &Path, profile: &ProfileId, key: &PublicKey) {
    let this = env::current_exe().unwrap();
    let test = format!("exec '{}' --exact the_password_store_in_every_state --nocapture", this.display());
    let mut command = match session {
        Session::None => Command::new("sh"),
        Session::WithoutService | Session::Unlocked | Session::Locked => Command::new("dbus-run-session"),
    };
    match session {
        Session::None => command.args(["-c", &test]),
        Session::WithoutService => {
            let config = home.join("bus.conf");
            let listen = home.display();
            let text = format!(
                "<busconfig><type>session</type><listen>unix:tmpdir={listen}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
                 <allow own=\"*\"/></policy></busconfig>"
            );
            fs::write(&config, text).unwrap();
            command.arg("--config-file").arg(config).args(["--", "sh", "-c", &test])
        }
        Session::Unlocked => {
            let unlock = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1";
            command.args(["--", "sh", "-c", &format!("{unlock} && {test}")])
        }
        Session::Locked => {
            let start = "gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1";
            command.args(["--", "sh", "-c", &format!("{start}; {test}")])
        }
    };
    let runtime = home.join("run");
    fs::create_dir_all(&runtime).unwrap();
    let output = command
        .env(SCENE, scene)
        .env(PROFILE, profile.to_string())
        .env(KEY, key.to_string())
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", &runtime)
        .env_remove("XDG_DATA_HOME")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let passed = output.status.success() && text(&output.stdout).contains("1 passed");
    assert!(passed, "{scene}\n{}\n{}", text(&output.stdout), text(&output.stderr));
}

fn is_installed(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
