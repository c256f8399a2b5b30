//! What people are told when something doesn't go on, as far as no other story tells it.

use crate::common::{
    Computer, call, init, invite, joined, mail, request, run, serve, server, status, until, until_problem, until_same,
    wait_quiet,
};
use app::{api::types::Status, index::Index, message::Code, node::Node};
use net::{Guess, GuessBudgets};
use serde_json::json;
use std::{fs, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_breaks_in_the_middle_is_told_with_what_is_done_and_goes_on_by_itself() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..1);
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    let mut total = 1;
    let mut server = Some(server);
    let client = run(&laptop).await;
    let arrived = || fs::read_dir(laptop.path("mail/cur")).unwrap().count();
    // A quick computer may have everything before the server is gone: then that is all there is to tell, and it is tried
    // again.
    let told = loop {
        for number in total..total + 400 {
            office.write(&format!("mail/cur/17000000{number}.M1P1.office:2,S"), mail(number) + &"x".repeat(50_000));
        }
        until("some of it is there", || arrived() > total as usize + 5).await;
        total += 400;
        server.take().unwrap().shut_down().await;
        let told = until_told(&client).await;
        if told.problem.as_ref().is_some_and(|problem| problem.code == "S03") {
            break told;
        }
        assert!(total < 4000, "never broken off in the middle: {told:?}");
        server = Some(serve(&office).await);
        until_problem(&client, None).await;
    };
    assert!(!told.is_connected);
    let message = told.problem.unwrap().message;
    assert!(message.contains(" items are finished and safe."), "{message}");
    let _server = serve(&office).await;
    until_same(&[&office, &laptop], total as usize).await;
    until_problem(&client, None).await;
}

/// Waits until something stands in the way.
async fn until_told(client: &Node) -> Status {
    for _ in 0..800 {
        let told = status(client).await;
        if told.problem.is_some() {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the server's end goes unnoticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_with_more_keywords_than_can_be_carried_is_counted_and_the_rest_goes_on() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    let names: Vec<String> = (0..26).map(|number| format!("{number} keyword-{number}-{}", "k".repeat(60))).collect();
    laptop.write("mail/dovecot-keywords", names.join("\n") + "\n");
    let letters: String = ('a'..='z').collect();
    laptop.write(&format!("mail/cur/1700000009.M1P1.laptop:2,S{letters}"), mail(9));
    laptop.mails("mail", 10..11);
    until("the other one crosses", || office.find("mail/cur", "hello 10.").is_some()).await;
    until_problem(&client, Some("S04")).await;
    let told = wait_quiet(&client).await.problem.unwrap();
    assert_eq!(told.headline, "One item couldn't be synchronized.");
    assert!(told.message.contains("more parts than Tandem takes: «number 9»"), "{}", told.message);
    assert_eq!((office.total(), laptop.total()), (4, 5));
    // It is told after a restart, too, until it fits.
    client.shut_down().await;
    let client = run(&laptop).await;
    until_problem(&client, Some("S04")).await;
    let file = laptop.found("mail/cur", "hello 9.");
    fs::rename(&file, file.with_file_name("1700000009.M1P1.laptop:2,S")).unwrap();
    until_same(&[&office, &laptop], 5).await;
    until_problem(&client, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_hundred_wrong_passwords_in_the_network_its_door_is_closed_and_said_to_be() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..1);
    init(&office).await;
    let mut now = 1_000_000_000;
    let mut budgets = GuessBudgets::new(now, [7; 32]);
    let guess = Guess { source: [127, 0, 0, 1].into(), is_lan: true, ticket: None };
    while !budgets.is_lan_door_closed() {
        let _ = budgets.take(&guess, now, [7; 32]);
        now += 86_400;
    }
    let bytes = serde_json::to_vec(&budgets).unwrap();
    Index::open(&office.profile().index_database(), 0).unwrap().index.set_guess_budgets(&bytes).unwrap();
    let server = serve(&office).await;
    let invitation = invite(&server, json!({})).await;
    let refused = Node::join(&laptop.profile(), request(invitation.clone(), &laptop)).await.unwrap_err();
    assert_eq!(refused.code, Code::DoorClosedHere);
    call(&server, "add_window", json!({})).await;
    Node::join(&laptop.profile(), request(invitation, &laptop)).await.unwrap().shut_down().await;
}
