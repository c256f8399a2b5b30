//! `tandem` on a real Evolution Data Server.

use crate::computer::{Computer, card};
use crate::session::Session;
use serde_json::{Value, json};

/// Items by folder, as `tandem stores` counts them.
fn counted(stores: &Value) -> Vec<(String, u64)> {
    let folders = stores["evolution"]["folders"].as_array().unwrap_or_else(|| panic!("{stores:#}"));
    let count = |folder: &Value| {
        let words = ["kind", "name"].map(|key| folder[key].as_str().unwrap().to_owned());
        (words.join("/"), folder["items"].as_u64().unwrap())
    };
    let mut counted: Vec<_> = folders.iter().map(count).filter(|(_, items)| *items > 0).collect();
    counted.sort();
    counted
}

#[test]
fn evolution_is_found_filled_emptied_into_a_file_and_synchronized() {
    let Some(session) = Session::start() else { return };
    let (office, laptop) = (Computer::new(), Computer::in_session(session.address()));
    // Nobody uses it yet, and looking starts nothing.
    assert_eq!(laptop.json(&["stores"])["evolution"], json!(null));

    let (book, out) = (laptop.path("Friends.vcf"), laptop.path("out.vcf"));
    std::fs::write(&book, card("Anna", "1", "A") + &card("Bert", "2", "B")).unwrap();
    let (book, out) = (book.display().to_string(), out.display().to_string());
    assert_eq!(laptop.json(&["import", &book, "--into", "eds:"])["added"], 2);
    assert_eq!(laptop.json(&["import", &book, "--into", "eds:"])["present"], 2);
    let found = laptop.json(&["stores"]);
    assert_eq!(found["evolution"]["store"], "eds:");
    assert_eq!(counted(&found), [("contacts/Friends".to_owned(), 2)]);

    office.write("contacts/Office/carl.vcf", card("Carl", "3", "C"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    laptop.join(&invitation, &["--yes"]).went_well();
    office.soon("both of Evolution's friends", |office| {
        office.contents().keys().filter(|path| path.starts_with("contacts/Friends/")).count() == 2
    });
    let both = [("contacts/Friends".to_owned(), 2), ("contacts/Office".to_owned(), 1)];
    assert_eq!(counted(&laptop.json(&["stores"])), both);
    office.delete("contacts/Office/carl.vcf");
    laptop.tandem(&["sync"]).went_well();
    assert_eq!(counted(&laptop.json(&["stores"])), both[..1]);

    // Set up, the store needn't be named.
    assert_eq!(laptop.json(&["export", "--folder", "contacts/Friends", "--to", &out])["items"], 2);
    assert!(std::fs::read_to_string(&out).unwrap().contains("FN:Anna"));
}

#[test]
fn evolution_that_cannot_be_reached_is_told_and_what_waits_goes_on_when_it_is_back() {
    let Some(mut session) = Session::start() else { return };
    let (office, laptop) = (Computer::new(), Computer::in_session(session.address()));
    office.write("contacts/Office/carl.vcf", card("Carl", "3", "C"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    laptop.join(&office.invite(&serving), &["--yes"]).went_well();
    session.log_out();
    office.write("contacts/Office/dora.vcf", card("Dora", "4", "D"));
    laptop.tandem(&["sync"]).told(7, "D25");
    assert!(office.has("contacts/Office/carl.vcf"), "nothing is deleted because of it");
    session.log_in();
    laptop.tandem(&["sync"]).went_well();
    assert_eq!(counted(&laptop.json(&["stores"])), [("contacts/Office".to_owned(), 2)]);
}
