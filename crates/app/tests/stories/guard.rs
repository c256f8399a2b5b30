//! Deletions that nobody may have meant.

use crate::common::{Computer, call, joined, server, status, until_held, until_same, wait_quiet};
use serde_json::json;
use std::fs;

async fn two_with_100() -> (Computer, Computer, app::node::Node, app::node::Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..100);
    office.mails("mail/.Archive", 1000..1050);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 150).await;
    (office, laptop, server, client)
}

fn delete_many(computer: &Computer, folder: &str, count: usize) {
    let mut files: Vec<_> = fs::read_dir(computer.path(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().take(count).for_each(|file| fs::remove_file(file).unwrap());
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
