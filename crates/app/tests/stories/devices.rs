//! Who may come in, who is let go, and what both sides hear of it.

use crate::common::{
    Computer, PASSWORD, call, init, invite, joined, problem, request, run, serve, server, status, until_problem,
    until_same, wait_quiet,
};
use app::{
    message::Code,
    node::{Node, OpenOptions, Use},
};
use identity::Secret;
use serde_json::json;
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_laptop_is_cut_off_at_once_and_comes_back_with_password_and_permission() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..5);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    let devices = call(&server, "devices", json!({})).await;
    assert_eq!((&devices[0]["name"], &devices[0]["isConnected"]), (&json!("laptop"), &json!(true)), "{devices:#}");
    assert_eq!(devices[0]["path"], "local", "{devices:#}");
    call(&server, "remove_device", json!({"id": devices[0]["id"]})).await;
    until_problem(&client, Some("A03")).await;
    assert!(!status(&client).await.is_connected);
    office.mails("mail", 5..6);
    crate::common::a_while().await;
    assert_eq!(laptop.total(), 5);
    client.shut_down().await;
    // Its key is refused later as well.
    let client = run(&laptop).await;
    until_problem(&client, Some("A03")).await;
    client.shut_down().await;

    // A new key, the password, and the data that is there already.
    Node::leave(&laptop.profile()).await.unwrap();
    assert_eq!(laptop.total(), 5, "leaving takes nothing away");
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 6).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_is_called_as_the_owner_likes_and_looked_after_at_once_when_somebody_asks() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..2);
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    let client = run(&laptop).await;
    let devices = call(&server, "devices", json!({})).await;
    let rename = |name: &str| json!({"id": devices[0]["id"], "name": name});
    let refused = crate::common::try_call(&server, "rename_device", rename(" ")).await.unwrap_err();
    assert_eq!(refused.code, Code::NameNotUsable);
    call(&server, "rename_device", rename("Anna's laptop")).await;
    server.shut_down().await;
    until_problem(&client, Some("N04")).await;
    let server = serve(&office).await;
    assert_eq!(call(&server, "devices", json!({})).await[0]["name"], "Anna's laptop", "it is remembered");
    let version = call(&server, "devices", json!({})).await[0]["version"].clone();
    assert_eq!(version, env!("CARGO_PKG_VERSION"), "also which program it has, without its having called again");
    assert_eq!(call(&client, "sync_now", json!({})).await["name"], "laptop", "its own name is its own");
    office.mails("mail", 2..3);
    call(&server, "sync_now", json!({})).await;
    until_same(&[&office, &laptop], 3).await;
    client.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_wrong_key_are_said_and_change_nothing() {
    let (office, laptop, other) = (Computer::new("office"), Computer::new("laptop"), Computer::new("other"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let invitation = invite(&server, json!({})).await;
    let wrong = || app::node::JoinRequest {
        password: Secret::new("something-else-entirely-5".into()),
        ..request(invitation.clone(), &laptop)
    };
    assert_eq!(Node::join(&laptop.profile(), wrong()).await.unwrap_err().code, Code::PasswordWrong);

    init(&other).await;
    let stranger = serve(&other).await;
    let mut foreign = request(invite(&stranger, json!({})).await, &laptop);
    foreign.server.addresses = invitation.hints.iter().map(|hint| hint.address()).collect();
    // Without the right knock nobody answers; with it the key differs.
    assert_eq!(Node::join(&laptop.profile(), foreign).await.unwrap_err().code, Code::ServerSilent);
    let mut forged = request(invitation.clone(), &laptop);
    forged.server.public_key = Some(invite(&stranger, json!({})).await.public_key);
    assert_eq!(Node::join(&laptop.profile(), forged).await.unwrap_err().code, Code::KeyDiffers);
    assert_eq!(laptop.total(), 0);
    // Nothing was kept, so it can be done right.
    let client = Node::join(&laptop.profile(), request(invitation, &laptop)).await.unwrap();
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    until_same(&[&office, &laptop], 3).await;
    client.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_leaves_laptops_in_unless_all_are_signed_out() {
    let (office, laptop, tablet) = (Computer::new("office"), Computer::new("laptop"), Computer::new("tablet"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    call(&server, "set_password", json!({"password": "another-quite-long-secret-7"})).await;
    office.mails("mail", 3..4);
    until_same(&[&office, &laptop], 4).await;
    let invitation = invite(&server, json!({})).await;
    let old = Node::join(&tablet.profile(), request(invitation.clone(), &tablet)).await;
    assert_eq!(old.unwrap_err().code, Code::PasswordWrong);

    call(&server, "set_password", json!({"password": PASSWORD, "signOutAll": true})).await;
    until_problem(&client, Some("A03")).await;
    client.shut_down().await;
    Node::leave(&laptop.profile()).await.unwrap();
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 4).await;
    client.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_service_id_is_learned_in_session() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    let old = invite(&server, json!({})).await;
    call(&server, "renew_service_id", json!({})).await;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if status(&client).await.is_connected {
            break;
        }
    }
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
    // The new one is what it knocks with from now on, also after both began anew.
    let (server, client) = (serve(&office).await, run(&laptop).await);
    office.mails("mail", 3..4);
    until_same(&[&office, &laptop], 4).await;
    let stranger = Computer::new("stranger");
    let late = Node::join(&stranger.profile(), request(old, &stranger)).await;
    assert!(
        matches!(late.unwrap_err().code, Code::ServerSilent | Code::InvitationOutdated),
        "an old invitation adds nobody"
    );
    wait_quiet(&client).await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_on_either_side_holds_everything_and_the_end_of_it_lets_all_go_on() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    call(&client, "pause", json!({})).await;
    office.mails("mail", 3..4);
    crate::common::a_while().await;
    assert_eq!(laptop.total(), 3);
    call(&client, "resume", json!({})).await;
    until_same(&[&office, &laptop], 4).await;
    wait_quiet(&client).await;

    call(&server, "pause", json!({"minutes": 10})).await;
    until_problem(&client, Some("N05")).await;
    laptop.mails("mail", 4..5);
    crate::common::a_while().await;
    assert_eq!(office.total(), 4);
    call(&server, "resume", json!({})).await;
    until_same(&[&office, &laptop], 5).await;
    until_problem(&client, None).await;
    client.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_is_used_by_one_program_and_asking_without_one_reads_nothing() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let second = Node::open(&office.profile(), Use::Serve, OpenOptions::default()).await;
    assert_eq!(second.unwrap_err().code, Code::ProfileInUse);
    let client = joined(&server, &laptop).await;
    client.shut_down().await;
    server.shut_down().await;

    office.mails("mail", 3..5);
    office.delete("mail/cur", "hello 0.");
    for computer in [&office, &laptop] {
        let asked = Node::open(&computer.profile(), Use::Ask, OpenOptions::default()).await.unwrap();
        crate::common::a_while().await;
        let folders = call(&asked, "folders", json!({})).await;
        let inbox = folders.as_array().unwrap().iter().find(|folder| folder["path"] == "mail/INBOX").unwrap();
        assert_eq!(inbox["items"], json!(3), "as of the last run");
        assert_eq!(problem(&asked).await, None);
        assert!(!status(&asked).await.is_reading);
        asked.shut_down().await;
    }
    let (server, client) = (serve(&office).await, run(&laptop).await);
    until_same(&[&office, &laptop], 4).await;
    client.shut_down().await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taking_over_one_side_is_shown_first_and_needs_the_owners_word_for_the_servers_data() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..4);
    laptop.mails("mail", 2..7);
    let server = server(&office).await;
    let invitation = invite(&server, json!({})).await;
    let take = |mode| app::node::JoinRequest { mode, ..request(invitation.clone(), &laptop) };
    let client = Node::join(&laptop.profile(), take(app::node::Pairing::TakeClient)).await.unwrap();
    let refused = crate::common::try_call(&client, "start", json!({})).await;
    assert_eq!(refused.unwrap_err().code, Code::TakeoverNotAllowed);
    let preview = call(&client, "preview", json!({})).await;
    assert_eq!(
        (&preview["total"]["removedThere"], &preview["total"]["addedThere"]),
        (&json!(2), &json!(3)),
        "{preview:#}"
    );
    call(&server, "allow_take_over", json!({"id": "laptop"})).await;
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if crate::common::try_call(&client, "start", json!({})).await.is_ok() {
            break;
        }
    }
    until_same(&[&office, &laptop], 5).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    Node::leave(&laptop.profile()).await.unwrap();

    laptop.mails("mail", 20..23);
    let client = Node::join(&laptop.profile(), take(app::node::Pairing::TakeServer)).await.unwrap();
    let preview = call(&client, "preview", json!({})).await;
    assert_eq!((&preview["total"]["removedHere"], &preview["total"]["same"]), (&json!(3), &json!(5)), "{preview:#}");
    call(&client, "start", json!({})).await;
    until_same(&[&office, &laptop], 5).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_that_comes_again_takes_the_place_of_its_old_link() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let (wire, address) = crate::common::proxy::Wire::to(server.listening()[0]).await;
    let invitation = crate::common::invite(&server, json!({"hints": [address.to_string()]})).await;
    let client = Node::join(&laptop.profile(), crate::common::request(invitation, &laptop)).await.unwrap();
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    // Only the way over the wire is known.
    let settings = laptop.profile().settings_file();
    let text = fs::read_to_string(&settings).unwrap().replace(&server.listening()[0].to_string(), &address.to_string());
    fs::write(&settings, text).unwrap();
    let client = run(&laptop).await;
    wait_quiet(&client).await;

    // It goes without a word that arrives, and comes again: the server must not go on with two of it.
    wire.cut();
    client.shut_down().await;
    wire.mend();
    let client = run(&laptop).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    for _ in 0..100 {
        let devices = call(&server, "devices", json!({})).await;
        if devices[0]["isConnected"] == false {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the old link is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn internet_is_switched_on_by_what_was_known_of_the_password_when_it_was_set() {
    let office = Computer::new("office");
    let server = server(&office).await;
    let status = call(&server, "set_internet", json!({"on": true})).await;
    assert_eq!(status["internet"], true);
    call(&server, "set_internet", json!({"on": false})).await;

    let weak = json!({"password": "lamp7otter", "signOutAll": false});
    call(&server, "set_password", weak).await;
    let refused = crate::common::try_call(&server, "set_internet", json!({"on": true})).await.unwrap_err();
    assert_eq!(refused.code, app::message::Code::PasswordWeak, "{refused:?}");
}
