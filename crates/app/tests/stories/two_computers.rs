//! A server and a client, two profiles on one computer, over real QUIC: the first story to look at.

use crate::common::{Computer, contact, join, mail, server, until, wait_quiet};
use app::node::{Node, OpenOptions, Use};
use serde_json::json;
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_office_has_is_on_the_laptop_and_edits_cross_both_ways() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    for number in 0..40 {
        office.write(&format!("mail/cur/1700000{number:03}.M1P1.office:2,S"), mail(number));
        office.write(&format!("mail/.Archive.2024/cur/1600000{number:03}.M1P1.office:2,"), mail(1000 + number));
    }
    for folder in ["mail", "mail/.Archive.2024"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(office.data().join(folder).join(part)).unwrap();
        }
    }
    office.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 1"));
    laptop.write("contacts/people/ben.vcf", contact("ben", "Ben", "+49 2"));
    let server = server(&office).await;
    let client = join(&server, &laptop).await;

    let preview = client.call("preview", json!({})).await.unwrap();
    assert_eq!(
        (&preview["total"]["addedHere"], &preview["total"]["addedThere"]),
        (&json!(81), &json!(1)),
        "{preview:#}"
    );
    assert_eq!(laptop.items().len(), 1, "nothing is written before somebody says yes");
    assert_eq!(office.items().len(), 81);

    client.call("start", json!({})).await.unwrap();
    wait_quiet(&client).await;
    assert_eq!(office.items(), laptop.items());
    assert_eq!(office.items().len(), 82);

    // Live, both ways.
    laptop.write("mail/new/1800000001.M1P1.laptop", mail(5001));
    office.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 111"));
    until("a new mail and a changed contact cross", || office.items() == laptop.items() && office.items().len() == 83)
        .await;
    assert!(laptop.items().keys().any(|(_, bytes)| bytes.windows(7).any(|window| window == b"+49 111")));

    // A deletion, and a move that stays a move.
    fs::remove_file(office.data().join("mail/cur/1700000007.M1P1.office:2,S")).unwrap();
    fs::rename(
        office.data().join("mail/cur/1700000008.M1P1.office:2,S"),
        office.data().join("mail/.Archive.2024/cur/1700000008.M1P1.office:2,S"),
    )
    .unwrap();
    until("a deletion and a move cross", || office.items() == laptop.items() && office.items().len() == 82).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_made_apart_are_merged_field_by_field_and_clashes_wait_for_a_person() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.write("contacts/people/anna.vcf", contact("anna", "Anna", "+49 1"));
    office.write("contacts/people/ben.vcf", contact("ben", "Ben", "+49 2"));
    let server = server(&office).await;
    let client = join(&server, &laptop).await;
    client.call("start", json!({})).await.unwrap();
    wait_quiet(&client).await;
    client.shut_down().await;

    // Apart: different fields of Anna, the same field of Ben.
    let name = |folder: &Computer, uid: &str| {
        let place = folder.data().join("contacts/people");
        let found = fs::read_dir(place)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(&format!("UID:{uid}"))));
        found.unwrap()
    };
    fs::write(name(&office, "anna"), contact("anna", "Anna", "+49 1").replace("END:", "NOTE:from the office\r\nEND:"))
        .unwrap();
    fs::write(name(&laptop, "anna"), contact("anna", "Anna Berg", "+49 1")).unwrap();
    fs::write(name(&office, "ben"), contact("ben", "Ben Office", "+49 2")).unwrap();
    fs::write(name(&laptop, "ben"), contact("ben", "Ben Laptop", "+49 2")).unwrap();
    let client = Node::open(&laptop.profile(), Use::Run, OpenOptions::default()).await.unwrap();
    wait_quiet(&client).await;
    until("both have the same", || office.items() == laptop.items()).await;
    let anna = fs::read_to_string(name(&laptop, "anna")).unwrap();
    assert!(anna.contains("Anna Berg") && anna.contains("from the office"), "{anna}");
    let conflicts = client.call("conflicts", json!({})).await.unwrap();
    assert_eq!(conflicts.as_array().unwrap().len(), 1, "{conflicts:#}");
    let id = conflicts[0]["id"].as_str().unwrap().to_owned();
    let detail = client.call("conflict", json!({ "id": id })).await.unwrap();
    assert!(!detail["other"].as_array().unwrap().is_empty(), "{detail:#}");
    client.call("resolve_conflict", json!({ "id": id, "keep": "both" })).await.unwrap();
    until("both versions are on both computers", || office.items() == laptop.items() && office.items().len() == 3)
        .await;
    wait_quiet(&client).await;
    assert_eq!(client.call("conflicts", json!({})).await.unwrap(), json!([]));
    client.shut_down().await;
    server.shut_down().await;
}
