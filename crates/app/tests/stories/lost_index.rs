//! What Tandem remembers is lost or older than it should be: nothing is deleted for it, and nothing doubled.

use crate::common::{Computer, contact, joined, mail, problem, run, serve, server, until_same, wait_quiet};
use app::node::Node;
use std::{fs, path::Path, process::Command};

async fn two() -> (Computer, Computer, Node, Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..30);
    office.mails("mail/.Archive", 100..130);
    // Twice the same on purpose.
    office.write("mail/.Archive/cur/1700000000.M9P9.office:2,S", mail(100));
    for number in 0..5 {
        let name = format!("p{number}");
        office.write(&format!("contacts/people/{name}.vcf"), contact(&name, &name, "+49 1"));
    }
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 66).await;
    (office, laptop, server, client)
}

fn forget_index(computer: &Computer) {
    let index = computer.profile().index_database();
    for end in ["-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", index.display())).ok();
    }
    fs::remove_file(index).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::remove_dir_all(to).ok();
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_that_lost_its_index_pairs_everything_again() {
    let (office, laptop, _server, client) = two().await;
    client.shut_down().await;
    forget_index(&laptop);
    // What was deleted meanwhile isn't taken for deleted by anybody who forgot.
    laptop.delete("mail/cur", "hello 3.");
    office.mails("mail", 30..31);
    let client = run(&laptop).await;
    // Its choice of folders went with the index: a person says once more what to do.
    crate::common::call(&client, "start", serde_json::json!({})).await;
    until_same(&[&office, &laptop], 67).await;
    wait_quiet(&client).await;
    laptop.mails("mail", 40..41);
    until_same(&[&office, &laptop], 68).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_lost_its_index_is_joined_anew_without_doubles() {
    let (office, laptop, server, client) = two().await;
    client.shut_down().await;
    server.shut_down().await;
    forget_index(&office);
    office.delete("mail/cur", "hello 3.");
    let server = serve(&office).await;
    let client = run(&laptop).await;
    crate::common::until_problem(&client, Some("A11")).await;
    assert_eq!((office.total(), laptop.total()), (65, 66));
    client.shut_down().await;
    Node::leave(&laptop.profile()).await.unwrap();
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 66).await;
    wait_quiet(&client).await;
    assert_eq!(problem(&client).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_profile_of_either_side_deletes_and_doubles_nothing() {
    for is_office in [false, true] {
        let (office, laptop, server, client) = two().await;
        client.shut_down().await;
        server.shut_down().await;
        let restored = if is_office { &office } else { &laptop };
        let backup = restored.folder().join("backup");
        copy(&restored.profile_folder(), &backup);

        let (server, client) = (serve(&office).await, run(&laptop).await);
        office.delete("mail/cur", "hello 5.");
        laptop.mails("mail", 40..45);
        laptop.edit("contacts/people", "UID:p1", contact("p1", "p1", "+49 2"));
        until_same(&[&office, &laptop], 70).await;
        wait_quiet(&client).await;
        client.shut_down().await;
        server.shut_down().await;

        copy(&backup, &restored.profile_folder());
        // Before there is a server, so that nothing it says is missed.
        let client = run(&laptop).await;
        let mut events = client.events();
        let server = serve(&office).await;
        wait_quiet(&client).await;
        until_same(&[&office, &laptop], 70).await;
        let told = std::iter::from_fn(|| events.try_recv().ok())
            .any(|event| matches!(event, app::api::types::Event::Problem { problem } if problem.code == "S06"));
        assert!(told, "that both are compared anew is said");
        crate::common::until_problem(&client, None).await;
        assert!(office.text("contacts/people", "UID:p1").contains("+49 2"));
        laptop.mails("mail", 50..51);
        until_same(&[&office, &laptop], 71).await;
        client.shut_down().await;
        server.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_full_copies_are_paired_and_doubles_of_one_side_stay_doubles() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    for computer in [&office, &laptop] {
        computer.mails("mail", 0..20);
        computer.mails("mail/.Archive", 100..120);
        computer.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 1"));
    }
    laptop.write("mail/cur/1800000000.M9P9.laptop:2,S", mail(7));
    let server = server(&office).await;
    let client = crate::common::join(&server, &laptop).await;
    let preview = crate::common::call(&client, "preview", serde_json::json!({})).await;
    assert_eq!(
        (&preview["total"]["same"], &preview["total"]["addedThere"], &preview["total"]["addedHere"]),
        (&serde_json::json!(41), &serde_json::json!(1), &serde_json::json!(0)),
        "{preview:#}"
    );
    crate::common::call(&client, "start", serde_json::json!({})).await;
    until_same(&[&office, &laptop], 42).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_whose_index_is_damaged_goes_on_with_the_weekly_copy() {
    let (office, laptop, server, client) = two().await;
    server.shut_down().await;
    let index = office.profile().index_database();
    app::index::Index::open(&index, 1_795_000_000).unwrap().index.copy(1_795_000_000).unwrap();
    let server = serve(&office).await;
    // What comes after the copy is known to nobody but the stores and the laptop.
    office.mails("mail", 50..53);
    laptop.edit("contacts/people", "UID:p2", contact("p2", "p2", "+49 2"));
    laptop.delete("mail/cur", "hello 5.");
    until_same(&[&office, &laptop], 68).await;
    wait_quiet(&client).await;
    server.shut_down().await;

    let pages = fs::metadata(&index).unwrap().len() / 4096;
    let mut bytes = fs::read(&index).unwrap();
    for page in 1..pages as usize {
        bytes[page * 4096..page * 4096 + 64].fill(0xff);
    }
    fs::write(&index, bytes).unwrap();
    fs::write(format!("{}.suspect", index.display()), "").unwrap();
    let server = serve(&office).await;
    assert_eq!(problem(&server).await.as_deref(), Some("S09"), "its owner hears that there was damage");
    until_same(&[&office, &laptop], 68).await;
    // Its history before the copy is still there, and nobody has to be added anew.
    let history = crate::common::call(&server, "history", serde_json::json!({})).await;
    assert!(!history["runs"].as_array().unwrap().is_empty(), "{history:#}");
    office.mails("mail", 60..61);
    until_same(&[&office, &laptop], 69).await;
    wait_quiet(&client).await;
    assert_eq!(problem(&client).await, None);
}

/// The office as it was before the laptop joined, and a laptop that joined.
async fn restored_without_its_list(password_is_remembered: bool) -> (Computer, Computer, Node, Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..10);
    let server = server(&office).await;
    let backup = office.folder().join("backup");
    server.shut_down().await;
    copy(&office.profile_folder(), &backup);
    let server = serve(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 10).await;
    client.shut_down().await;
    server.shut_down().await;
    if password_is_remembered {
        remember_password(&laptop);
    }
    copy(&backup, &office.profile_folder());
    let server = serve(&office).await;
    let client = run(&laptop).await;
    (office, laptop, server, client)
}

/// As on a computer with a password store.
fn remember_password(computer: &Computer) {
    let settings = app::settings::Settings::load(&computer.profile().settings_file()).unwrap();
    let store = app::secrets::open(&computer.profile(), &settings.profile.unwrap(), app::secrets::StoreKind::File);
    let password = identity::Secret::new(crate::common::PASSWORD.into());
    store.set(app::secrets::SecretName::SavedPassword, &password).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_its_list_adds_a_laptop_that_remembers_the_password_once_a_week() {
    let (office, laptop, server, client) = restored_without_its_list(true).await;
    office.mails("mail", 20..21);
    until_same(&[&office, &laptop], 11).await;
    wait_quiet(&client).await;
    let devices = crate::common::call(&server, "devices", serde_json::json!({})).await;
    assert_eq!(devices.as_array().unwrap().len(), 1, "{devices:#}");

    // Once more within the week is no accident any more: a person has to look.
    server.shut_down().await;
    copy(&office.folder().join("backup"), &office.profile_folder());
    let _server = serve(&office).await;
    crate::common::until_problem(&client, Some("A11")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_its_list_says_so_to_a_laptop_that_does_not_remember_the_password() {
    let (office, laptop, _server, client) = restored_without_its_list(false).await;
    crate::common::until_problem(&client, Some("A11")).await;
    assert_eq!((office.total(), laptop.total()), (10, 10));
}
