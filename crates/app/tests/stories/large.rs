//! Large items, links that are cut in the middle, and items past the bound.

use crate::common::{
    Computer, call, invite, mail, proxy::Wire, request, run, serve, server, until, until_same, wait_quiet,
};
use app::node::Node;
use serde_json::json;

/// Text that doesn't pack.
fn large_mail(number: u32, bytes: usize) -> String {
    let mut text = mail(number);
    let mut state = u64::from(number) + 1;
    while text.len() < bytes {
        for _ in 0..70 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(char::from(33 + (state >> 33) as u8 % 90));
        }
        text.push('\n');
    }
    text
}

const LARGE: usize = 40_000_000;

async fn over_a_wire(office: &Computer, laptop: &Computer, server: &Node) -> (Wire, Node) {
    let (wire, address) = Wire::to(server.listening()[0]).await;
    let invitation = invite(server, json!({"hints": [address.to_string()]})).await;
    let client = Node::join(&laptop.profile(), request(invitation, laptop)).await.unwrap();
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    until_same(&[office, laptop], 1).await;
    (wire, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_40_mb_goes_on_where_a_cut_link_stopped_in_both_directions() {
    for is_to_office in [false, true] {
        let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
        office.mails("mail", 0..1);
        laptop.mail_folder("mail");
        let mut server = server(&office).await;
        let (wire, mut client) = over_a_wire(&office, &laptop, &server).await;
        let from = if is_to_office { &laptop } else { &office };
        let before = wire.bytes();
        from.write("mail/tmp/large", large_mail(9, LARGE));
        std::fs::rename(from.path("mail/tmp/large"), from.path("mail/cur/1700000009.M1P1.x:2,S")).unwrap();
        until("half of it has gone", || wire.bytes() - before > LARGE as u64 / 2).await;
        wire.cut();
        // Both programs end in the middle of it.
        client.shut_down().await;
        if is_to_office {
            server.shut_down().await;
            server = serve(&office).await;
        }
        wire.mend();
        laptop.forget_addresses();
        client = run(&laptop).await;
        until_same(&[&office, &laptop], 2).await;
        wait_quiet(&client).await;
        let sent = wire.bytes() - before;
        assert!(sent > LARGE as u64 && sent < LARGE as u64 * 115 / 100, "{sent} bytes for {LARGE}");
        client.shut_down().await;
        server.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_interrupted_twenty_times_is_hardly_sent_more_than_once() {
    const BYTES: usize = 100_000_000;
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..1);
    laptop.mail_folder("mail");
    let server = server(&office).await;
    let (wire, client) = over_a_wire(&office, &laptop, &server).await;
    let mut client = Some(client);
    let before = wire.bytes();
    office.write("mail/tmp/large", large_mail(9, BYTES));
    std::fs::rename(office.path("mail/tmp/large"), office.path("mail/cur/1700000009.M1P1.x:2,S")).unwrap();
    for interruption in 1..=20 {
        let share = (BYTES / 21 * interruption) as u64;
        until("another part of it has gone", || wire.bytes() - before > share).await;
        drop(client.take());
        until("the laptop is off", || laptop.profile().lock().is_ok()).await;
        laptop.forget_addresses();
        client = Some(run(&laptop).await);
    }
    until_same(&[&office, &laptop], 2).await;
    let sent = wire.bytes() - before;
    println!("{sent} bytes for {BYTES}, interrupted twenty times");
    assert!(sent < BYTES as u64 * 12 / 10, "{sent} bytes for {BYTES}");
    client.take().unwrap().shut_down().await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_300_mb_is_named_and_left_out_and_the_rest_goes_on() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..5);
    let file = office.path("mail/cur/1700000099.M1P1.huge:2,S");
    std::fs::write(&file, mail(99)).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_len(300_000_000).unwrap();
    let server = server(&office).await;
    let client = crate::common::joined(&server, &laptop).await;
    until("the others are there", || laptop.total() == 5).await;
    let status = wait_quiet(&server).await;
    let problem = status.problem.unwrap();
    assert_eq!(problem.code, "D11");
    assert!(problem.message.contains("M1P1.huge"), "{}", problem.message);
    assert!(status.is_quiet);
    std::fs::remove_file(&file).unwrap();
    crate::common::until_problem(&server, None).await;
    client.shut_down().await;
}
