//! A server and a client, two profiles on one computer, over real QUIC: the first story to look at.

use crate::common::{Computer, contact, join, joined, mail, server, status, until, wait_quiet};
use app::node::{Node, OpenOptions, Use};
use serde_json::json;
use std::{fs, path::Path};

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

/// What real programs wrote: every file arrives as it is, or is named, and the rest goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_file_of_the_corpus_goes_from_store_to_wire_to_store_byte_for_byte() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus");
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mail_folder("mail/.Corpus");
    let mut files = 0;
    for (kind, folder) in [("eml", "mail/.Corpus/cur"), ("vcf", "contacts/Corpus"), ("ics", "calendars/Corpus")] {
        for file in fs::read_dir(corpus.join(kind)).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let name = if kind == "eml" { format!("{name}:2,S") } else { name };
            if kind == "eml" || name.ends_with(kind) {
                office.write(&format!("{folder}/{name}"), fs::read(file.path()).unwrap());
                files += 1;
            }
        }
    }
    assert!(files > 100, "{files}");
    let before = office.items();
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    assert_eq!(status(&server).await.problem.map(|problem| problem.message), None);
    assert_eq!(status(&client).await.problem.map(|problem| problem.message), None);
    assert_eq!(laptop.items(), before);
    assert_eq!(office.items(), before, "nothing of it is rewritten");
    client.shut_down().await;
    server.shut_down().await;
}

/// Names and places as they are in the world; what a disk can hold, both computers hold.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_names_deep_folders_and_both_line_ends_cross_as_they_are() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    let longest = format!("{}.vcf", "x".repeat(251));
    let odd: [&[u8]; 9] = [
        b"two\nlines.vcf",
        b"latin-\xe9.vcf",
        b"100%.vcf",
        longest.as_bytes(),
        "Caf\u{e9}.vcf".as_bytes(),
        "Cafe\u{301}.vcf".as_bytes(),
        b"case.vcf",
        b"CASE.vcf",
        b"what? a:b*c.vcf",
    ];
    fs::create_dir_all(office.path("contacts/odd")).unwrap();
    for (number, name) in odd.iter().enumerate() {
        let card = contact(&format!("odd{number}"), &format!("Odd {number}"), "+49 1");
        let card = if number % 2 == 0 { card } else { card.replace("\r\n", "\n") };
        fs::write(office.path("contacts/odd").join(OsStr::from_bytes(name)), card).unwrap();
    }
    let levels: Vec<String> = (0..40).map(|level| format!("L{level}")).collect();
    laptop.write(&format!("notes/{}/deep.txt", levels.join("/")), "deep\r\nand one line more\n");
    laptop.mails(&format!("mail/.{}", levels.join(".")), 1..3);
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    assert_eq!(laptop.total(), odd.len() + 3);
    assert_eq!(office.items(), laptop.items());
    // Names travel as far as they are ones that any program could have given.
    for name in [&longest, "Caf\u{e9}.vcf", "Cafe\u{301}.vcf", "case.vcf", "CASE.vcf", "what? a:b*c.vcf"] {
        assert!(laptop.path("contacts/odd").join(name).exists(), "{name}");
    }
    // What is changed in such a file or place crosses back.
    laptop.edit("contacts/odd", "UID:odd0", contact("odd0", "Odd 0", "+49 2"));
    office.edit(&format!("notes/{}", levels.join("/")), "deep", "deeper\n");
    until("both edits cross", || {
        office.items() == laptop.items() && office.text("contacts/odd", "odd0").contains("+49 2")
    })
    .await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}
