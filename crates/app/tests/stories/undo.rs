//! Taking back what happened.

use crate::common::{Computer, call, contact, joined, server, until, until_same, wait_quiet};
use app::{
    message::Code,
    node::{JoinAgain, JoinRequest, Node, Pairing},
};
use serde_json::{Value, json};
use std::fs;

async fn two() -> (Computer, Computer, Node, Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..6);
    office.mail_folder("mail/.Archive");
    office.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 1"));
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 7).await;
    (office, laptop, server, client)
}

/// The newest entry with this action.
async fn entry(node: &Node, action: &str, title: &str) -> Value {
    for _ in 0..100 {
        let history = call(node, "history", json!({})).await;
        for run in history["runs"].as_array().unwrap() {
            let entries = call(node, "history", json!({"run": run["id"]})).await;
            let mut found = entries["entries"].as_array().unwrap().iter().rev();
            if let Some(entry) =
                found.find(|entry| entry["action"] == action && entry["title"].as_str().unwrap().contains(title))
            {
                return entry.clone();
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no {action} of {title}: {:#}", call(node, "history", json!({"run": 1})).await);
}

async fn undone(node: &Node, what: Value) -> Value {
    let answer =
        call(node, "undo", json!({"what": what.as_str().map_or_else(|| what.to_string(), ToOwned::to_owned)})).await;
    assert_eq!((&answer["undone"], &answer["left"]), (&json!(1), &json!([])), "{answer:#}");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_an_edit_and_a_move_are_taken_back_on_the_side_that_made_them_and_on_the_other() {
    for is_on_maker in [true, false] {
        let (office, laptop, server, client) = two().await;
        let node = if is_on_maker { &client } else { &server };

        laptop.delete("mail/cur", "hello 2.");
        until_same(&[&office, &laptop], 6).await;
        let deleted = entry(node, "deleted", "number 2").await;
        undone(node, deleted["item"].clone()).await;
        until_same(&[&office, &laptop], 7).await;

        laptop.edit("contacts/people", "UID:anna", contact("anna", "Anna", "+49 2"));
        until("the edit arrives", || office.text("contacts/people", "UID:anna").contains("+49 2")).await;
        let edited = entry(node, "changed", "Anna").await;
        undone(node, edited["item"].clone()).await;
        until("the edit is taken back", || {
            [&office, &laptop].iter().all(|computer| computer.text("contacts/people", "UID:anna").contains("+49 1"))
        })
        .await;

        let from = laptop.found("mail/cur", "hello 4.");
        fs::rename(&from, laptop.path("mail/.Archive/cur").join(from.file_name().unwrap())).unwrap();
        until("the move arrives", || office.find("mail/.Archive/cur", "hello 4.").is_some()).await;
        let moved = entry(node, "moved", "number 4").await;
        undone(node, moved["item"].clone()).await;
        until("the move is taken back", || {
            [&office, &laptop].iter().all(|computer| computer.find("mail/cur", "hello 4.").is_some())
        })
        .await;
        until_same(&[&office, &laptop], 7).await;
        wait_quiet(&client).await;
        client.shut_down().await;
        server.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_taken_back_as_far_as_nobody_changed_it_since() {
    let (office, laptop, server, client) = two().await;
    client.shut_down().await;
    let client = crate::common::run(&laptop).await;
    wait_quiet(&client).await;
    office.delete("mail/cur", "hello 1.");
    office.delete("mail/cur", "hello 2.");
    office.edit("contacts/people", "UID:anna", contact("anna", "Anna", "+49 2"));
    until_same(&[&office, &laptop], 5).await;
    wait_quiet(&client).await;
    let run = call(&client, "history", json!({})).await["runs"][0].clone();
    assert_eq!((&run["deleted"], &run["changed"]), (&json!(2), &json!(1)), "{run:#}");
    // Anna changes once more, in the laptop's own data: the run's edit isn't the newest any more.
    laptop.edit("contacts/people", "UID:anna", contact("anna", "Anna", "+49 3"));
    until("the edit arrives", || office.text("contacts/people", "UID:anna").contains("+49 3")).await;
    wait_quiet(&client).await;
    office.edit("contacts/people", "UID:anna", contact("anna", "Anna", "+49 4"));
    until("the edit arrives", || laptop.text("contacts/people", "UID:anna").contains("+49 4")).await;
    wait_quiet(&client).await;

    // What is behind the last one is asked for by it.
    let runs = call(&client, "history", json!({"before": run["id"]})).await;
    assert!(runs["runs"].as_array().unwrap().iter().all(|older| older["id"].as_i64() < run["id"].as_i64()), "{runs:#}");
    let all = call(&client, "history", json!({"run": run["id"]})).await;
    let rest = call(&client, "history", json!({"run": run["id"], "after": all["entries"][0]["id"]})).await;
    assert_eq!(rest["entries"].as_array().unwrap()[..], all["entries"].as_array().unwrap()[1..]);
    assert_eq!((&all["isMore"], &runs["isMore"]), (&json!(false), &json!(false)));

    let answer = call(&client, "undo", json!({"what": run["id"].to_string()})).await;
    until("the deletions are taken back", || office.total() == 7 && office.items() == laptop.items()).await;
    let entries = call(&client, "history", json!({"run": run["id"]})).await;
    assert!(entries["entries"].as_array().unwrap().iter().any(|entry| entry["isUndone"] == true), "{entries:#}");
    assert!(answer["undone"].as_u64().unwrap() >= 2, "{answer:#}");
    let again = crate::common::try_call(&client, "undo", json!({"what": "999999"})).await;
    assert_eq!(again.unwrap_err().code, app::message::Code::NothingToUndo);
    wait_quiet(&client).await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_since_is_listed_and_left_alone() {
    let (office, laptop, server, client) = two().await;
    office.edit("contacts/people", "UID:anna", contact("anna", "Anna", "+49 2"));
    until("the edit arrives", || laptop.text("contacts/people", "UID:anna").contains("+49 2")).await;
    wait_quiet(&client).await;
    let edited = entry(&client, "changed", "Anna").await;
    // The other computer is away, so only this one's data knows of the newest edit.
    server.shut_down().await;
    laptop.edit("contacts/people", "UID:anna", contact("anna", "Anna Berg", "+49 5"));
    crate::common::a_while().await;
    let answer = call(&client, "undo", json!({"what": edited["item"]})).await;
    assert_eq!(answer["undone"], json!(0), "{answer:#}");
    assert!(answer["left"][0].as_str().unwrap().contains("Anna"), "{answer:#}");
    assert!(laptop.text("contacts/people", "UID:anna").contains("+49 5"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_deleted_with_everything_in_it_comes_back_from_either_computer() {
    for is_on_maker in [true, false] {
        let (office, laptop, server, client) = two().await;
        office.mails("mail/.Archive", 100..103);
        office.mails("mail/.Archive.2024", 110..112);
        until_same(&[&office, &laptop], 12).await;
        wait_quiet(&client).await;
        for folder in ["mail/.Archive.2024", "mail/.Archive"] {
            fs::remove_dir_all(laptop.path(folder)).unwrap();
        }
        until_same(&[&office, &laptop], 7).await;
        until("the folders go", || !office.path("mail/.Archive").exists()).await;
        wait_quiet(&client).await;

        let node = if is_on_maker { &client } else { &server };
        for number in [100, 101, 102, 110, 111] {
            let deleted = entry(node, "deleted", &format!("number {number}")).await;
            undone(node, deleted["item"].clone()).await;
        }
        until_same(&[&office, &laptop], 12).await;
        for computer in [&office, &laptop] {
            assert_eq!((computer.count("mail/.Archive/cur"), computer.count("mail/.Archive.2024/cur")), (3, 2));
        }
        wait_quiet(&client).await;
    }
}

/// A laptop with data of its own, put together with an office's; the two have one contact in two versions.
async fn combined(mode: Pairing) -> (Computer, Computer, Node, Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..60);
    office.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 1"));
    office.write("contacts/people/carla.vcf", contact("carla", "Carla", "+49 30"));
    laptop.mails("mail", 50..100);
    laptop.mails("mail/.Own", 200..205);
    laptop.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 2"));
    laptop.write("contacts/people/bert.vcf", contact("bert", "Bert", "+49 20"));
    let server = server(&office).await;
    let invitation = crate::common::invite(&server, json!({})).await;
    let request = JoinRequest { mode, ..crate::common::request(invitation, &laptop) };
    let client = Node::join(&laptop.profile(), request).await.unwrap();
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    (office, laptop, server, client)
}

/// The first run, once the program knows that it is over.
async fn first_run(client: &Node) -> Value {
    for _ in 0..100 {
        let history = call(client, "history", json!({})).await;
        let runs = history["runs"].as_array().unwrap();
        if let Some(run) = runs.iter().find(|run| run["isFirst"] == true && !run["ended"].is_null()) {
            return run.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no first run: {:#}", call(client, "history", json!({})).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_synchronization_is_taken_back_here_and_takes_nothing_from_the_server() {
    for mode in [Pairing::Combine, Pairing::TakeServer] {
        let own = Computer::new("own");
        own.mails("mail", 50..100);
        own.mails("mail/.Own", 200..205);
        own.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 2"));
        own.write("contacts/people/bert.vcf", contact("bert", "Bert", "+49 20"));
        let before = own.items();

        let (office, laptop, server, client) = combined(mode).await;
        assert_ne!(laptop.items(), before, "it did something");
        let run = first_run(&client).await;
        let refused = crate::common::try_call(&client, "undo", json!({"what": run["id"].to_string()})).await;
        assert_eq!(refused.unwrap_err().code, Code::FirstRun);
        // What the person does from then on is theirs, also with what came from the office.
        laptop.edit("contacts/people", "UID:carla", contact("carla", "Carla", "+49 31"));
        until("the edit arrives", || office.text("contacts/people", "UID:carla").contains("+49 31")).await;
        wait_quiet(&client).await;
        let later = call(&client, "history", json!({})).await["runs"][0].clone();
        assert_eq!(later["isFirst"], json!(false), "{later:#}");
        let at_office = office.items();
        client.shut_down().await;

        let answer = Node::take_back_first(&laptop.profile()).await.unwrap();
        assert!(answer.undone > 0 && answer.left.is_empty(), "{mode:?}: {answer:?}");
        // Until it is left, nothing of that goes anywhere, whatever happens.
        let client = crate::common::run(&laptop).await;
        assert!(!client.is_started() && client.is_taking_back());
        crate::common::a_while().await;
        client.shut_down().await;
        assert_eq!(Node::take_back_first(&laptop.profile()).await.unwrap().undone, answer.undone, "again is no harm");
        Node::leave(&laptop.profile()).await.unwrap();
        let mut now = laptop.items();
        let carla = now.keys().find(|(_, text)| text.windows(9).any(|part| part == b"UID:carla")).unwrap().clone();
        assert!(String::from_utf8_lossy(&carla.1).contains("+49 31"));
        now.remove(&carla);
        assert_eq!(now, before, "{mode:?}");
        assert_eq!(office.items(), at_office, "{mode:?}");
        server.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_synchronization_whose_data_is_away_is_not_taken_back_and_goes_on() {
    let (office, laptop, server, client) = combined(Pairing::Combine).await;
    first_run(&client).await;
    client.shut_down().await;
    let (here, there) = (laptop.data(), laptop.folder().join("away"));
    fs::rename(&here, &there).unwrap();
    assert_eq!(Node::take_back_first(&laptop.profile()).await.unwrap_err().code, Code::StoreGone);
    fs::rename(&there, &here).unwrap();
    let client = crate::common::run(&laptop).await;
    assert!(client.is_started() && !client.is_taking_back());
    wait_quiet(&client).await;
    assert_eq!(office.items(), laptop.items());

    // Who thinks better of it after taking it back, and doesn't leave, joins anew: what is gone here isn't deleted there.
    client.shut_down().await;
    let at_office = office.items();
    Node::take_back_first(&laptop.profile()).await.unwrap();
    assert_ne!(laptop.items(), at_office);
    let again = JoinAgain {
        stores: vec![laptop.spec()],
        mode: Pairing::Combine,
        only: Vec::new(),
        map: Vec::new(),
        directions: Vec::new(),
    };
    let client = Node::join_again(&laptop.profile(), again).await.unwrap();
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    until("both are the same again", || laptop.items() == office.items()).await;
    assert_eq!(office.total(), at_office.values().sum::<usize>());
    assert_eq!(Node::take_back_first(&office.profile()).await.unwrap_err().code, Code::ProfileInUse);
    server.shut_down().await;
    assert_eq!(Node::take_back_first(&office.profile()).await.unwrap_err().code, Code::OnClientOnly);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_and_a_moved_folder_are_in_the_history_and_go_back() {
    let (office, laptop, server, client) = two().await;
    let rename = |computer: &Computer, from: &str, to: &str| {
        fs::rename(computer.path(from), computer.path(to)).unwrap();
    };
    laptop.mails("mail/.Archive", 20..22);
    until_same(&[&office, &laptop], 9).await;
    wait_quiet(&client).await;
    let is_there =
        |folder: &str| [&office, &laptop].iter().all(|computer| computer.count(&format!("{folder}/cur")) == 2);

    // Renamed on the laptop, taken back at the office.
    rename(&laptop, "mail/.Archive", "mail/.Records");
    until("the new name arrives", || is_there("mail/.Records")).await;
    let renamed = entry(&server, "folderRenamed", "Archive → Records").await;
    assert_eq!((&renamed["folder"], &renamed["isHere"]), (&json!("mail/Records"), &json!(true)), "{renamed:#}");
    undone(&server, renamed["item"].clone()).await;
    until("the old name is back", || is_there("mail/.Archive")).await;
    wait_quiet(&client).await;

    // Renamed at the office and changed since: it stays, and is named.
    rename(&office, "mail/.Archive", "mail/.Letters");
    until("the new name arrives", || is_there("mail/.Letters")).await;
    let renamed = entry(&client, "folderRenamed", "Archive → Letters").await;
    let run = call(&client, "history", json!({})).await["runs"][0].clone();
    assert!(run["folders"].as_u64().unwrap() >= 1, "{run:#}");
    rename(&laptop, "mail/.Letters", "mail/.Paper");
    until("the next name arrives", || is_there("mail/.Paper")).await;
    wait_quiet(&client).await;
    let newest = entry(&client, "folderRenamed", "Letters → Paper").await;
    assert_eq!(newest["item"], renamed["item"], "it is one folder");
    undone(&client, newest["item"].clone()).await;
    until("the name before is back", || is_there("mail/.Letters")).await;

    // Moved into another folder by the laptop, taken back there.
    office.mail_folder("mail/.Years");
    until("the other folder arrives", || laptop.path("mail/.Years").exists()).await;
    wait_quiet(&client).await;
    rename(&laptop, "mail/.Letters", "mail/.Years.Letters");
    until("the move arrives", || is_there("mail/.Years.Letters")).await;
    let moved = entry(&client, "folderMoved", "Letters").await;
    undone(&client, moved["item"].clone()).await;
    until("it is back", || is_there("mail/.Letters")).await;
    until_same(&[&office, &laptop], 9).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}
