//! From nothing to the first synchronization.

use crate::computer::{Computer, PASSWORD, Pair, card, everything, mail};
use serde_json::json;
use std::fs;

#[test]
fn a_preview_counts_and_names_everything_and_writes_nothing_on_either_side() {
    let (office, laptop) = (Computer::new(), Computer::new());
    everything(&office);
    laptop.write("contacts/Friends/anna.vcf", card("Anna", "+49 1", "Carpenter"));
    laptop.write("contacts/Friends/bert.vcf", card("Bert", "+49 2", "Master baker"));
    laptop.write("contacts/Friends/clara.vcf", card("Clara", "+49 3", "Pilot"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    let before = (office.contents(), laptop.contents());

    let ran = laptop.join(&invitation, &["--preview", "--json"]).went_well();
    let preview = ran.json();
    assert_eq!((office.contents(), laptop.contents()), before);
    assert_eq!(preview["shape"], 1);
    let total = &preview["total"];
    let counts = ["addedHere", "addedThere", "same", "differ", "notSure"].map(|count| total[count].as_u64().unwrap());
    assert_eq!(counts, [5, 1, 1, 1, 0], "{preview:#}");
    let friends = preview["folders"].as_array().unwrap().iter().find(|f| f["path"] == "contacts/Friends").unwrap();
    assert_eq!((&friends["same"], &friends["differ"]), (&json!(1), &json!(1)));
    assert!(friends["names"].to_string().contains("Bert"), "{friends}");

    // The same in words, and without a word a script gets only the preview.
    let said = laptop.join(&invitation, &[]).went_well().stdout;
    for word in ["added here", "added on «Office PC»", "contacts/Friends", "Total", "Nothing has been changed yet"] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!((office.contents(), laptop.contents()), before);
    laptop.tandem(&["sync"]).told(2, "S07");
    assert_eq!((office.contents(), laptop.contents()), before);

    laptop.join(&invitation, &["--yes"]).went_well();
    let pair = Pair { office, laptop, serving: Some(serving), invitation };
    pair.are_same(8);
    // One side's edit of Bert is everybody's now, and the other is kept.
    let status = pair.laptop.tandem(&["status", "--json"]);
    assert_eq!((status.exit, status.json()["conflicts"].as_u64()), (5, Some(1)));
}

#[test]
fn an_invitation_comes_as_a_file_in_a_folder_with_a_ticket_or_as_a_link() {
    let office = Computer::new();
    everything(&office);
    office.become_server();
    let serving = office.stay(&["serve"]);
    let folder = office.path("out");
    fs::create_dir(&folder).unwrap();
    let folder = folder.display().to_string();
    let saved = office.json(&["invite", "--out", &folder, "--ticket", "--ticket-days", "2"]);
    assert!(saved["file"].as_str().unwrap().ends_with("Office PC.tandem"), "{saved}");
    assert!(saved["ticketExpires"].as_u64().is_some());
    assert_eq!(saved["hints"][0].as_str(), Some(serving.address().as_str()));
    let text = fs::read_to_string(saved["file"].as_str().unwrap()).unwrap();
    assert!(!text.contains(PASSWORD));

    let link = office.tandem(&["invite"]).went_well().stdout;
    assert!(link.starts_with("tandem:join?v=1&i="), "{link}");
    let laptop = Computer::new();
    let (store, file) = (laptop.store(), laptop.path("password").display().to_string());
    laptop.tandem(&["join", link.trim(), "--store", &store, "--password-file", &file, "--yes"]).went_well();
    assert_eq!(laptop.contents(), office.contents());
}

#[test]
fn the_password_may_come_on_standard_input() {
    let office = Computer::new();
    let init = ["init", "--server", "--name", "Office PC", "--store", &office.store(), "--listen", "127.0.0.1:0"];
    let made = office.tandem_told(&[&init[..], &["--password-file", "-", "--json"]].concat(), PASSWORD).went_well();
    assert_eq!((&made.json()["name"], &made.json()["secrets"]), (&json!("Office PC"), &json!("file")));
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving).display().to_string();
    let laptop = Computer::new();
    let join = ["join", &invitation, "--store", &laptop.store(), "--password-file", "-", "--yes"];
    laptop.tandem_told(&join, &format!("{PASSWORD}\n")).went_well();
}

#[test]
fn only_some_folders_and_folders_of_another_name_can_be_chosen() {
    let (office, laptop) = (Computer::new(), Computer::new());
    everything(&office);
    laptop.write("contacts/People/clara.vcf", card("Clara", "+49 3", "Pilot"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    let further = ["--only", "contacts/Friends", "--map", "contacts/Friends=contacts/People", "--yes"];
    laptop.join(&invitation, &further).went_well();
    let here: Vec<String> = laptop.contents().into_keys().collect();
    assert_eq!(here, ["contacts/People/anna.vcf", "contacts/People/bert.vcf", "contacts/People/clara.vcf"]);
    office.soon("Clara is there", |office| office.has("contacts/Friends/clara.vcf"));
    assert!(office.has("mail/cur/1.a:2,S") || office.contents().keys().any(|path| path.starts_with("mail/")));
}

#[test]
fn one_side_can_be_taken_over_once() {
    let (office, laptop) = (Computer::new(), Computer::new());
    everything(&office);
    laptop.write("mail/cur/9.z:2,S", mail("only here"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    let preview = laptop.join(&invitation, &["--mode", "server", "--preview", "--json"]).went_well().json();
    assert_eq!(preview["total"]["removedHere"], 1, "{preview:#}");
    assert!(laptop.has("mail/cur/9.z:2,S"));
    laptop.join(&invitation, &["--mode", "server", "--yes"]).went_well();
    let pair = Pair { office, laptop, serving: Some(serving), invitation };
    pair.are_same(7);
    // That was the first synchronization. What comes here from now on is new, not left over.
    pair.laptop.write("notes/Ideas/new.txt", "new\n");
    pair.sync();
    pair.are_same(8);
}

#[test]
fn taking_over_the_server_needs_its_owners_consent() {
    let (office, laptop) = (Computer::new(), Computer::new());
    everything(&office);
    laptop.write("mail/cur/9.z:2,S", mail("only here"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    laptop.join(&invitation, &["--mode", "client", "--preview"]).went_well();
    let before = (office.contents(), laptop.contents());
    let refused = laptop.join(&invitation, &["--mode", "client", "--yes"]);
    assert_eq!(refused.exit, 4, "{refused:?}");
    assert!(refused.stderr.contains("[A09]"), "{refused:?}");
    assert_eq!((office.contents(), laptop.contents()), before);
    let id = office.json(&["devices"])["devices"][0]["id"].as_str().unwrap().to_owned();
    office.tandem(&["devices", "takeover", "allow", &id]).went_well();
    laptop.join(&invitation, &["--mode", "client", "--yes"]).went_well();
    let pair = Pair { office, laptop, serving: Some(serving), invitation };
    pair.are_same(1);
}

#[test]
fn choosing_another_mode_after_a_preview_counts() {
    let (office, laptop) = (Computer::new(), Computer::new());
    everything(&office);
    laptop.write("mail/cur/9.z:2,S", mail("only here"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    let preview = laptop.join(&invitation, &["--mode", "server", "--preview", "--json"]).went_well().json();
    assert_eq!(preview["total"]["removedHere"], 1, "{preview:#}");
    let preview = laptop.join(&invitation, &["--mode", "combine", "--preview", "--json"]).went_well().json();
    assert_eq!(preview["total"]["removedHere"], 0, "{preview:#}");
    assert_eq!(preview["total"]["addedThere"], 1, "{preview:#}");
    laptop.join(&invitation, &["--yes"]).went_well();
    let pair = Pair { office, laptop, serving: Some(serving), invitation };
    pair.are_same(8);
    // Looking at it again changes nothing more.
    let again = pair.laptop.join(&pair.invitation, &["--yes"]);
    assert_eq!(again.exit, 0, "{again:?}");
    assert!(again.stderr.contains("[V05]"), "{again:?}");
}
