//! Directions, selections, other names, and folders that change on both sides.

use crate::common::{Computer, a_while, call, contact, invite, joined, request, server, until, until_same, wait_quiet};
use app::node::Node;
use serde_json::json;
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direction_lets_changes_go_one_way_only() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    office.mails("mail/.Archive", 10..13);
    office.mails("mail/.Lists", 20..23);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    call(&client, "set_folder", json!({"folder": "mail/Archive", "direction": "to-here"})).await;
    call(&client, "set_folder", json!({"folder": "mail/Lists", "direction": "off"})).await;
    laptop.mails("mail/.Archive", 30..31);
    office.mails("mail/.Archive", 31..32);
    laptop.mails("mail/.Lists", 40..41);
    office.mails("mail/.Lists", 41..42);
    office.mails("mail", 50..51);
    until("what is allowed goes", || {
        laptop.find("mail/cur", "hello 50.").is_some() && laptop.find("mail/.Archive/cur", "hello 31.").is_some()
    })
    .await;
    a_while().await;
    assert!(office.find("mail/.Archive/cur", "hello 30.").is_none());
    assert!(
        office.find("mail/.Lists/cur", "hello 40.").is_none() && laptop.find("mail/.Lists/cur", "hello 41.").is_none()
    );
    wait_quiet(&client).await;
    for folder in ["mail/Archive", "mail/Lists"] {
        call(&client, "set_folder", json!({"folder": folder, "direction": "both"})).await;
    }
    until_same(&[&office, &laptop], 14).await;
    call(&client, "set_folder", json!({"folder": "mail/Lists", "direction": "to-server"})).await;
    office.mails("mail/.Lists", 60..61);
    laptop.mails("mail/.Lists", 61..62);
    until("it goes to the server", || office.find("mail/.Lists/cur", "hello 61.").is_some()).await;
    a_while().await;
    assert!(laptop.find("mail/.Lists/cur", "hello 60.").is_none());
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_folder_rests_and_goes_on_the_way_it_went_before() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    office.mails("mail/.Archive", 10..13);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    let archive = async || {
        let folders = call(&client, "folders", json!({})).await;
        let archive = folders.as_array().unwrap().iter().find(|folder| folder["path"] == "mail/Archive").unwrap();
        (archive["direction"].as_str().unwrap().to_owned(), archive["isPaused"].as_bool().unwrap())
    };
    call(&client, "set_folder", json!({"folder": "mail/Archive", "direction": "to-here"})).await;
    for _ in 0..2 {
        call(&client, "pause_folder", json!({"folder": "mail/Archive", "isPaused": true})).await;
        assert_eq!(archive().await, ("off".to_owned(), true));
    }
    office.mails("mail/.Archive", 20..21);
    laptop.mails("mail/.Archive", 30..31);
    office.mails("mail", 50..51);
    until("the others go on", || laptop.find("mail/cur", "hello 50.").is_some()).await;
    a_while().await;
    assert!(laptop.find("mail/.Archive/cur", "hello 20.").is_none());

    call(&client, "pause_folder", json!({"folder": "mail/Archive", "isPaused": false})).await;
    until("what came meanwhile is here", || laptop.find("mail/.Archive/cur", "hello 20.").is_some()).await;
    a_while().await;
    assert!(office.find("mail/.Archive/cur", "hello 30.").is_none(), "only to the laptop, as before");
    assert_eq!(archive().await, ("to-here".to_owned(), false));

    // Whoever says which way it goes has ended the pause.
    call(&client, "pause_folder", json!({"folder": "mail/Archive", "isPaused": true})).await;
    call(&client, "set_folder", json!({"folder": "mail/Archive", "direction": "both"})).await;
    assert_eq!(archive().await, ("both".to_owned(), false));
    until("and it goes", || office.find("mail/.Archive/cur", "hello 30.").is_some()).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_chosen_folders_come_and_a_mapped_one_keeps_its_own_name() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    office.mails("mail/.Archive", 10..13);
    office.mails("mail/.Work", 20..23);
    laptop.mail_folder("mail");
    laptop.mails("mail/.Arbeit", 30..31);
    let server = server(&office).await;
    let invitation = invite(&server, json!({})).await;
    let request = app::node::JoinRequest {
        only: vec!["mail/INBOX".into(), "mail/Work".into()],
        map: vec![("mail/Work".into(), "mail/Arbeit".into())],
        ..request(invitation, &laptop)
    };
    let client = Node::join(&laptop.profile(), request).await.unwrap();
    let preview = call(&client, "preview", json!({})).await;
    assert_eq!(
        (&preview["total"]["addedHere"], &preview["total"]["addedThere"]),
        (&json!(6), &json!(1)),
        "{preview:#}"
    );
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    until("the mapped folders hold the same", || {
        laptop.count("mail/.Arbeit/cur") == 4 && office.count("mail/.Work/cur") == 4 && laptop.count("mail/cur") == 3
    })
    .await;
    a_while().await;
    assert!(!laptop.path("mail/.Archive").exists() && !laptop.path("mail/.Work").exists());
    assert!(!office.path("mail/.Arbeit").exists());
    wait_quiet(&client).await;
    client.shut_down().await;
    // It stays so.
    let client = crate::common::run(&laptop).await;
    office.mails("mail/.Archive", 13..14);
    office.mails("mail/.Work", 40..41);
    until("new mail comes", || laptop.count("mail/.Arbeit/cur") == 5).await;
    assert!(!laptop.path("mail/.Archive").exists());
    client.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_that_are_made_renamed_and_deleted_on_either_side_are_so_on_both() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    office.mails("mail/.Old", 10..13);
    office.write("notes/own/one.txt", "one");
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    laptop.mails("mail/.New.Deep.Deeper", 20..22);
    office.write("notes/work/list.txt", "two");
    until_same(&[&office, &laptop], 10).await;
    fs::rename(office.path("mail/.Old"), office.path("mail/.Older")).unwrap();
    fs::rename(laptop.path("notes/own"), laptop.path("notes/mine")).unwrap();
    until("both are renamed", || laptop.count("mail/.Older/cur") == 3 && office.count("notes/mine") == 1).await;
    until_same(&[&office, &laptop], 10).await;
    assert!(!laptop.path("mail/.Old").exists() && !office.path("notes/own").exists());
    // What another program deletes: the folder with everything in it.
    fs::remove_dir_all(laptop.path("mail/.Older")).unwrap();
    until("it is deleted there", || !office.path("mail/.Older").exists()).await;
    until_same(&[&office, &laptop], 7).await;
    wait_quiet(&client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_computer_that_keeps_contacts_only_comes_to_rest() {
    let (office, place) = (Computer::new("office"), tempfile::tempdir().unwrap());
    let book = Computer::with_store("book", format!("files:contacts={}", place.path().display()));
    office.mails("mail/.Archive", 0..3);
    office.write("contacts/Friends/anna.vcf", contact("anna", "Anna", "1"));
    office.write("notes/Ideas/one.md", "# One\n");
    let server = server(&office).await;
    let client = joined(&server, &book).await;
    assert!(place.path().join("Friends/anna.vcf").exists());
    office.write("contacts/Friends/bert.vcf", contact("bert", "Bert", "2"));
    until("the new one is there", || place.path().join("Friends/bert.vcf").exists()).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}
