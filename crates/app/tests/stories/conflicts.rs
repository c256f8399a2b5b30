//! Two people change the same.

use crate::common::{Computer, call, conflict, contact, joined, mail, run, server, until, until_same, wait_quiet};
use app::node::Node;
use serde_json::json;

async fn until_no_conflict(node: &Node) {
    for _ in 0..100 {
        if call(node, "conflicts", json!({})).await == json!([]) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it isn't decided: {:#}", call(node, "conflicts", json!({})).await);
}

async fn clashing() -> (Computer, Computer, Node, Node) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 1"));
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    office.edit("contacts/people", "UID:anna", contact("anna", "Anna Office", "+49 1"));
    laptop.edit(
        "contacts/people",
        "UID:anna",
        contact("anna", "Anna Laptop", "+49 1").replace("END:", "NOTE:new\r\nEND:"),
    );
    until("the office's edit is taken", || office.text("contacts/people", "UID:anna").contains("Office")).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let client = run(&laptop).await;
    wait_quiet(&client).await;
    until_same(&[&office, &laptop], 1).await;
    (office, laptop, server, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_of_deciding_a_conflict_gives_what_it_says_on_both_computers() {
    for (keep, is_decided_by_server, name, total) in [
        ("server", true, "Anna Office", 1),
        ("client", false, "Anna Laptop", 1),
        ("client", true, "Anna Laptop", 1),
        ("merge", true, "Anna Office", 1),
        ("both", true, "Anna Laptop", 2),
    ] {
        let (office, laptop, server, client) = clashing().await;
        let decider = if is_decided_by_server { &server } else { &client };
        let conflict = conflict(decider).await;
        assert!(conflict["title"].as_str().unwrap().contains("Anna"), "{conflict:#}");
        let detail = call(decider, "conflict", json!({"id": conflict["id"]})).await;
        assert!(detail["other"].to_string().contains("Anna Laptop"), "{detail:#}");
        assert!(detail["server"].to_string().contains("Anna Office"), "{detail:#}");
        call(decider, "resolve_conflict", json!({"id": conflict["id"], "keep": keep})).await;
        until("both have what was decided", || {
            office.items() == laptop.items()
                && office.total() == total
                && office.find("contacts/people", name).is_some()
        })
        .await;
        wait_quiet(&client).await;
        for node in [&server, &client] {
            until_no_conflict(node).await;
        }
        let is_note_kept = laptop.find("contacts/people", "NOTE:new").is_some();
        assert!(is_note_kept, "{keep}: what only one side changed is merged anyway");
        client.shut_down().await;
        server.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_edits_of_a_file_nobody_can_look_into_are_kept_and_it_is_said_why() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    let two = |phone: &str| contact("anna", "Anna", phone) + &contact("ben", "Ben", phone);
    office.write("contacts/people/both.vcf", two("+49 1"));
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    office.edit("contacts/people", "UID:anna", two("+49 2"));
    laptop.edit("contacts/people", "UID:anna", two("+49 3"));
    crate::common::a_while().await;
    let client = run(&laptop).await;
    wait_quiet(&client).await;
    let conflict = conflict(&client).await;
    assert_eq!((&conflict["note"]["code"], &conflict["note"]["facts"]["folder"]), (&json!("D10"), &json!("people")));
    assert_eq!(crate::common::problem(&client).await.as_deref(), Some("S10"), "and that one waits at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_overrules_a_deletion_made_apart_whichever_comes_first() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    for name in ["anna", "ben"] {
        office.write(&format!("contacts/people/{name}.vcf"), contact(name, name, "+49 1"));
    }
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    office.delete("contacts/people", "UID:anna");
    laptop.edit("contacts/people", "UID:anna", contact("anna", "anna", "+49 2"));
    office.edit("contacts/people", "UID:ben", contact("ben", "ben", "+49 2"));
    laptop.delete("contacts/people", "UID:ben");
    // Evidence of a deletion is two listings a second apart.
    crate::common::a_while().await;
    let client = run(&laptop).await;
    wait_quiet(&client).await;
    until_same(&[&office, &laptop], 2).await;
    assert!(office.text("contacts/people", "UID:anna").contains("+49 2"));
    assert!(laptop.text("contacts/people", "UID:ben").contains("+49 2"));
    assert_eq!(call(&client, "conflicts", json!({})).await, json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_written_on_both_computers_is_kept_twice() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mail_folder("mail");
    office.mail_folder("mail/.Drafts");
    office.write("mail/.Drafts/cur/1700000001.M1P1.office:2,D", mail(1));
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    // A Maildir draft is saved as a new message, and the old one goes.
    for (computer, number) in [(&office, 2), (&laptop, 3)] {
        computer.delete("mail/.Drafts/cur", "number 1");
        computer.write(&format!("mail/.Drafts/cur/170000000{number}.M1P1.x:2,D"), mail(number));
    }
    crate::common::a_while().await;
    let client = run(&laptop).await;
    wait_quiet(&client).await;
    until_same(&[&office, &laptop], 2).await;
    assert!(
        office.find("mail/.Drafts/cur", "hello 2.").is_some() && office.find("mail/.Drafts/cur", "hello 3.").is_some()
    );
}
