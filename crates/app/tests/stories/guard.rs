//! Deletions that nobody may have meant.

use crate::common::{
    Computer, call, contact, joined, server, status, until_held, until_problem, until_same, wait_quiet,
};
use serde_json::json;
use std::{fs, time::Duration};

async fn two_with_100() -> (Computer, Computer, app::node::Node, app::node::Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..100);
    office.mails("mail/.Archive", 1000..1050);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 150).await;
    (office, laptop, server, client)
}

/// Deletes the first messages of a folder at one go: what takes its time is looked at in parts, and each part may be small
/// enough to pass.
fn delete_many(computer: &Computer, folder: &str, count: usize) {
    let messages = computer.path(folder);
    let (remaining, before) = (messages.with_extension("remaining"), messages.with_extension("before"));
    let mut files: Vec<_> = fs::read_dir(&messages).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    fs::create_dir(&remaining).unwrap();
    files.iter().skip(count).for_each(|file| fs::hard_link(messages.join(file), remaining.join(file)).unwrap());
    fs::rename(&messages, &before).unwrap();
    fs::rename(&remaining, &messages).unwrap();
    fs::remove_dir_all(&before).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_folder_deleted_on_the_laptop_waits_at_the_office_until_somebody_allows_it() {
    let (office, laptop, server, client) = two_with_100().await;
    delete_many(&laptop, "mail/cur", 15);
    until_same(&[&office, &laptop], 135).await;

    delete_many(&laptop, "mail/cur", 50);
    until_held(&server, 50).await;
    until_held(&client, 50).await;
    assert_eq!(office.total(), 135, "held, not deleted");
    let held = call(&server, "held", json!({})).await;
    assert_eq!((&held[0]["path"], &held[0]["count"]), (&json!("mail/INBOX"), &json!(50)), "{held:#}");
    assert!(held[0]["examples"][0].as_str().unwrap().starts_with("number"), "{held:#}");
    let told = &held[0]["problem"];
    assert_eq!(
        (&told["code"], &told["headline"]),
        (&json!("S01"), &json!("50 items would be deleted – stopped to be safe."))
    );
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("50 of 85 items are missing in «INBOX» on laptop."), "{message}");
    for node in [&server, &client] {
        assert_eq!(crate::common::problem(node).await.as_deref(), Some("S01"));
    }
    // All else goes on.
    office.mails("mail/.Archive", 1050..1051);
    crate::common::until("other mail crosses", || laptop.find("mail/.Archive/cur", "hello 1050.").is_some()).await;
    let status = wait_quiet(&client).await;
    assert_eq!(status.held, 50, "held deletions don't keep a run from ending");

    let refused =
        crate::common::try_call(&client, "decide_held", json!({"folder": "mail/INBOX", "decision": "allow"})).await;
    assert_eq!(refused.unwrap_err().code, app::message::Code::OnServerOnly);
    call(&server, "decide_held", json!({"folder": "mail/INBOX", "decision": "allow"})).await;
    until_same(&[&office, &laptop], 86).await;
    until_held(&server, 0).await;
    until_held(&client, 0).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_folder_deleted_on_the_laptop_comes_back_when_somebody_says_so() {
    let (office, laptop, server, client) = two_with_100().await;
    delete_many(&laptop, "mail/cur", 50);
    until_held(&server, 50).await;
    call(&server, "decide_held", json!({"folder": "mail/INBOX", "decision": "restore"})).await;
    until_same(&[&office, &laptop], 150).await;
    until_held(&client, 0).await;
    wait_quiet(&client).await;

    // From the other side as well.
    delete_many(&laptop, "mail/cur", 40);
    until_held(&client, 40).await;
    call(&client, "decide_held", json!({"folder": "mail/INBOX", "decision": "restore"})).await;
    until_same(&[&office, &laptop], 150).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_folder_deleted_at_the_office_waits_before_anything_goes() {
    let (office, laptop, server, client) = two_with_100().await;
    delete_many(&office, "mail/cur", 50);
    until_held(&server, 50).await;
    wait_quiet(&client).await;
    assert_eq!(laptop.total(), 150);
    assert_eq!(status(&client).await.held, 0, "nothing to decide on the laptop");
    call(&server, "decide_held", json!({"folder": "mail/INBOX", "decision": "allow"})).await;
    until_same(&[&office, &laptop], 100).await;

    delete_many(&office, "mail/.Archive/cur", 30);
    until_held(&server, 30).await;
    call(&server, "decide_held", json!({"folder": "mail/Archive", "decision": "restore"})).await;
    until_same(&[&office, &laptop], 100).await;
    until_held(&server, 0).await;
    wait_quiet(&client).await;
}

async fn two_with_30_contacts_edited_once() -> (Computer, Computer, app::node::Node, app::node::Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    let write = |phone: &str| {
        for number in 0..30 {
            let card = contact(&format!("card-{number}"), &format!("Person {number}"), phone);
            office.write(&format!("contacts/Friends/{number}.vcf"), card);
        }
    };
    write("111");
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 30).await;
    // Edited a few at a time, by a person at the office.
    write("222");
    until_phone(&laptop, "222", 30).await;
    wait_quiet(&client).await;
    (office, laptop, server, client)
}

fn with_phone(computer: &Computer, phone: &str) -> usize {
    let line = format!("TEL:{phone}");
    computer.items().keys().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(&line)).count()
}

async fn until_phone(computer: &Computer, phone: &str, count: usize) {
    crate::common::until(&format!("{count} numbers {phone} cross"), || with_phone(computer, phone) == count).await;
}

/// Takes three seconds for it, as programs do that restore a backup.
async fn restore_backup(computer: &Computer) {
    let contacts = fs::read_dir(computer.path("contacts/Friends")).unwrap().map(|entry| entry.unwrap().path());
    let contacts = contacts.filter(|path| path.extension().is_some_and(|extension| extension == "vcf"));
    let beside = tempfile::tempdir_in(computer.path("..")).unwrap();
    for path in contacts.collect::<Vec<_>>() {
        let restored = beside.path().join(path.file_name().unwrap());
        fs::write(&restored, fs::read_to_string(&path).unwrap().replace("TEL:222", "TEL:111")).unwrap();
        fs::rename(restored, path).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_restored_on_the_laptop_waits_there_and_goes_when_somebody_takes_it_back() {
    let (office, laptop, server, client) = two_with_30_contacts_edited_once().await;
    client.shut_down().await;
    restore_backup(&laptop).await;
    let client = crate::common::run(&laptop).await;
    until_held(&client, 30).await;
    until_problem(&client, Some("S05")).await;
    wait_quiet(&client).await;
    assert_eq!(with_phone(&office, "222"), 30, "the backup reached the office");
    let held = call(&client, "held", json!({})).await;
    assert_eq!((&held[0]["path"], &held[0]["waits"]), (&json!("contacts/Friends"), &json!("reverted")), "{held:#}");
    assert_eq!(status(&server).await.held, 0, "nothing to decide at the office");

    // It waits across restarts, and an edit from the office doesn't let a part of it go.
    client.shut_down().await;
    office.edit("contacts/Friends", "UID:card-7\r", contact("card-7", "Person 7", "222") + "\r\n");
    let client = crate::common::run(&laptop).await;
    until_problem(&client, Some("S05")).await;
    wait_quiet(&client).await;
    assert_eq!((status(&client).await.held, with_phone(&office, "222")), (30, 30));

    call(&client, "decide_held", json!({"folder": "contacts/Friends", "decision": "restore"})).await;
    until_phone(&laptop, "222", 30).await;
    until_held(&client, 0).await;
    until_problem(&client, None).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_restored_at_the_office_waits_there_and_counts_everywhere_when_it_was_meant() {
    let (office, laptop, server, client) = two_with_30_contacts_edited_once().await;
    restore_backup(&office).await;
    until_held(&server, 30).await;
    wait_quiet(&client).await;
    assert_eq!(with_phone(&laptop, "222"), 30, "the backup reached the laptop");
    call(&server, "decide_held", json!({"folder": "contacts/Friends", "decision": "allow"})).await;
    until_phone(&laptop, "111", 30).await;
    until_held(&server, 0).await;
    wait_quiet(&client).await;

    // Taking that back is what a person wants, and needn't be asked for.
    let runs = call(&client, "history", json!({"run": null})).await;
    let run = call(&client, "history", json!({"run": runs["runs"][0]["id"]})).await;
    let changed = run["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "changed");
    let items: std::collections::BTreeSet<&str> = changed.map(|entry| entry["item"].as_str().unwrap()).collect();
    for item in items {
        call(&client, "undo", json!({"what": item})).await;
    }
    until_phone(&office, "222", 30).await;
    wait_quiet(&client).await;
    assert_eq!((status(&client).await.held, status(&server).await.held), (0, 0));
}
