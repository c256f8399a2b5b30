//! Several clients of one server.

use crate::common::{Computer, contact, joined, run, server, until, until_same, wait_quiet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_laptop_edits_arrives_at_the_other_while_all_are_on() {
    let (office, anna, ben) = (Computer::new("office"), Computer::new("anna"), Computer::new("ben"));
    office.mails("mail", 0..5);
    office.write("contacts/people/carl.vcf", contact("carl", "Carl", "+49 1"));
    let server = server(&office).await;
    let (_first, second) = (joined(&server, &anna).await, joined(&server, &ben).await);
    anna.edit("contacts/people", "UID:carl", contact("carl", "Carl", "+49 2"));
    until("the edit arrives", || ben.text("contacts/people", "UID:carl").contains("+49 2")).await;
    ben.mails("mail", 10..13);
    ben.delete("mail/cur", "hello 2.");
    until_same(&[&office, &anna, &ben], 8).await;
    // Read there, seen here.
    let file = anna.found("mail/cur", "hello 3.");
    std::fs::rename(&file, file.to_string_lossy().replace(":2,S", ":2,FS")).unwrap();
    until("the flag arrives", || ben.found("mail/cur", "hello 3.").to_string_lossy().ends_with(":2,FS")).await;
    wait_quiet(&second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_deletes_one_edits_and_one_deletes_apart() {
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1]] {
        let office = Computer::new("office");
        let laptops = [Computer::new("anna"), Computer::new("ben"), Computer::new("cora")];
        office.write("contacts/people/carl.vcf", contact("carl", "Carl", "+49 1"));
        office.write("contacts/people/dora.vcf", contact("dora", "Dora", "+49 1"));
        let server = server(&office).await;
        for laptop in &laptops {
            joined(&server, laptop).await.shut_down().await;
        }
        laptops[0].delete("contacts/people", "UID:carl");
        laptops[1].edit("contacts/people", "UID:carl", contact("carl", "Carl", "+49 2"));
        laptops[2].delete("contacts/people", "UID:carl");
        for which in order {
            let client = run(&laptops[which]).await;
            wait_quiet(&client).await;
            client.shut_down().await;
        }
        for laptop in &laptops {
            let client = run(laptop).await;
            wait_quiet(&client).await;
            client.shut_down().await;
        }
        let all = [&office, &laptops[0], &laptops[1], &laptops[2]];
        // A deletion that came after the edit was known deletes; one made without knowing of it doesn't.
        until_same(&all, 2).await;
        assert!(office.text("contacts/people", "UID:carl").contains("+49 2"), "{order:?}");
        server.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_written_slowly_or_anew_under_its_name_leaves_no_ghost() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    // Half of it is seen, and goes over, before the rest is written.
    let text = crate::common::mail(7);
    let file = "mail/cur/1700000007.M1P1.office:2,S";
    office.write(file, &text[..text.len() - 10]);
    until("the half is there", || laptop.total() == 4).await;
    office.write(file, &text);
    until("the whole is there", || laptop.find("mail/cur", "hello 7.").is_some()).await;
    until_same(&[&office, &laptop], 4).await;
    wait_quiet(&client).await;
}
