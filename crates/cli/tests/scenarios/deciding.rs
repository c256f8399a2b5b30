//! What a person decides: conflicts, held deletions, undo.

use crate::computer::{Computer, Pair, card, everything, mail};
use serde_json::Value;

fn with_conflict() -> (Pair, String) {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    pair.office.write("contacts/Friends/anna.vcf", card("Anna", "+49 1", "Architect"));
    pair.office.json(&["sync"]);
    pair.laptop.write("contacts/Friends/anna.vcf", card("Anna", "+49 1", "Joiner"));
    pair.sync();
    let conflicts = pair.laptop.json(&["conflicts"]);
    let id = conflicts["conflicts"][0]["id"].as_str().unwrap_or_else(|| panic!("{conflicts:#}")).to_owned();
    (pair, id)
}

fn titles_of(computer: &Computer) -> Vec<String> {
    let contents = computer.contents();
    let cards = contents.keys().filter(|path| path.starts_with("contacts/"));
    let mut titles: Vec<String> = cards
        .flat_map(|path| computer.read(path).lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.starts_with("TITLE:"))
        .collect();
    titles.sort();
    titles
}

#[test]
fn a_conflict_keeps_both_sides_is_listed_on_both_computers_and_blocks_nothing() {
    let (pair, id) = with_conflict();
    for computer in [&pair.office, &pair.laptop] {
        let conflicts = computer.json(&["conflicts"]);
        assert_eq!(conflicts["conflicts"].as_array().unwrap().len(), 1);
        assert_eq!(conflicts["conflicts"][0]["id"], id.as_str());
        assert_eq!(conflicts["conflicts"][0]["title"], "Anna");
        let status = computer.tandem(&["status", "--json"]);
        assert_eq!((status.exit, &status.json()["word"]), (5, &Value::from("needsDecision")));
        let shown = computer.json(&["conflicts", "show", &id[..8]]);
        assert!(shown["server"].to_string().contains("Architect"), "{shown:#}");
        assert!(shown["other"].to_string().contains("Joiner"), "{shown:#}");
        let said = computer.tandem(&["conflicts", "show", &id[..8]]).went_well().stdout;
        assert!(said.contains("Architect") && said.contains("Joiner") && !said.contains("+49 1"), "{said}");
        computer.soon("the server's version is the item", |computer| {
            titles_of(computer) == ["TITLE:Architect", "TITLE:Baker"]
        });
    }
    pair.office.write("notes/Ideas/more.txt", "more\n");
    pair.sync();
    assert!(pair.laptop.has("notes/Ideas/more.txt"));
}

#[test]
fn a_conflict_can_be_decided_each_way_and_from_each_computer() {
    for (keep, is_from_client, titles) in [
        ("server", true, &["TITLE:Architect", "TITLE:Baker"][..]),
        ("client", true, &["TITLE:Baker", "TITLE:Joiner"]),
        ("both", true, &["TITLE:Architect", "TITLE:Baker", "TITLE:Joiner"]),
        ("client", false, &["TITLE:Baker", "TITLE:Joiner"]),
    ] {
        let (pair, id) = with_conflict();
        let decider = if is_from_client { &pair.laptop } else { &pair.office };
        decider.json(&["conflicts", "resolve", &id, "--keep", keep]);
        pair.sync();
        for computer in [&pair.office, &pair.laptop] {
            computer.soon(&format!("--keep {keep} is everybody's"), |computer| titles_of(computer) == titles);
            assert_eq!(computer.json(&["conflicts"])["conflicts"], Value::Array(Vec::new()));
            assert_eq!(computer.tandem(&["status"]).exit, 0);
        }
    }
}

/// A client that deletes most of a folder while nobody looks.
fn with_held() -> Pair {
    let pair = Pair::joined(|office, _| {
        for number in 0..40 {
            office.write(&format!("mail/cur/{number}.m:2,S"), mail(&format!("mail {number}")));
        }
    });
    pair.are_same(40);
    for number in 0..30 {
        pair.laptop.delete(&format!("mail/cur/{number}.m:2,S"));
    }
    pair.laptop.tandem(&["sync"]);
    pair
}

#[test]
fn many_deletions_are_held_until_somebody_says_they_were_meant() {
    let pair = with_held();
    assert_eq!(pair.office.contents().len(), 40, "nothing is deleted meanwhile");
    let status = pair.laptop.tandem(&["status", "--json"]);
    assert_eq!((status.exit, status.json()["held"].as_u64()), (6, Some(30)), "{status:?}");
    let held = pair.laptop.json(&["held"]);
    assert_eq!((held["held"][0]["count"].as_u64(), held["held"][0]["path"].as_str()), (Some(30), Some("mail/INBOX")));
    let said = pair.laptop.tandem(&["held"]).went_well().stdout;
    assert!(said.contains("tandem held allow"), "{said}");
    pair.office.write("mail/cur/new.m:2,S", mail("new"));
    pair.laptop.tandem(&["sync"]);
    assert!(pair.laptop.has("mail/cur/new.m:2,S"), "all else flows");

    pair.office.json(&["held", "allow", "mail/INBOX"]);
    pair.sync();
    pair.are_same(11);
    assert_eq!(pair.laptop.tandem(&["status"]).exit, 0);
}

#[test]
fn held_deletions_can_be_taken_back() {
    let pair = with_held();
    pair.laptop.json(&["held", "restore", "mail/INBOX"]);
    pair.sync();
    pair.are_same(40);
    assert_eq!(pair.laptop.tandem(&["status"]).exit, 0);
}

#[test]
fn held_deletions_stay_held_while_the_server_that_holds_them_is_off() {
    let mut pair = with_held();
    let address = pair.switch_server_off();
    pair.laptop.tandem(&["held", "restore", "mail/INBOX"]).told(3, "N04");
    let status = pair.laptop.tandem(&["status", "--json"]);
    assert_eq!((status.exit, status.json()["held"].as_u64()), (6, Some(30)), "{status:?}");
    assert_eq!((pair.office.contents().len(), pair.laptop.contents().len()), (40, 10));
    pair.switch_server_on(&address);
    pair.laptop.json(&["held", "restore", "mail/INBOX"]);
    pair.sync();
    pair.are_same(40);
    assert_eq!(pair.laptop.tandem(&["status"]).exit, 0);
}

#[test]
fn a_folder_replaced_by_an_empty_one_is_no_deletion() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    let friends = pair.laptop.data().join("contacts/Friends");
    std::fs::remove_dir_all(&friends).unwrap();
    std::fs::create_dir(&friends).unwrap();
    pair.laptop.tandem(&["sync"]);
    assert_eq!(pair.office.contents().len(), 7);
    // Who asks, reads the data to answer: only a running instance knows what a folder looks like now.
    let running = pair.laptop.stay(&["run"]);
    pair.laptop.soon("somebody is asked", |laptop| laptop.tandem(&["status"]).exit == 6);
    let held = pair.laptop.json(&["held"]);
    assert_eq!(held["held"][0]["waits"], "emptied", "{held:#}");
    pair.laptop.json(&["held", "restore", "contacts/Friends"]);
    pair.are_same(7);
    drop(running);
    assert_eq!(pair.laptop.tandem(&["status"]).exit, 0);
}

#[test]
fn history_lists_what_happened_and_undo_brings_it_back() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    pair.laptop.delete("notes/Ideas/garden.md");
    pair.laptop.write("contacts/Friends/bert.vcf", card("Bert", "+49 2", "Butcher"));
    pair.sync();
    pair.are_same(6);
    let runs = pair.laptop.json(&["history"]);
    let run = runs["runs"][0]["id"].as_i64().unwrap_or_else(|| panic!("{runs:#}")).to_string();
    let entries = pair.laptop.json(&["history", &run]);
    let entry = |title: &str| {
        let entries = entries["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["title"] == title).unwrap_or_else(|| panic!("{title}: {entries:#?}")).clone()
    };
    assert_eq!(entry("Bert")["action"], "changed");
    let garden = entries["entries"].as_array().unwrap().iter().find(|entry| entry["action"] == "deleted").unwrap();
    let item = garden["item"].as_str().unwrap();

    // One item first, then the rest of the run.
    let undone = pair.laptop.json(&["undo", item]);
    assert_eq!(undone["undone"], 1, "{undone}");
    pair.sync();
    pair.are_same(7);
    assert!(pair.laptop.read("contacts/Friends/bert.vcf").contains("Butcher"));
    pair.laptop.tandem(&["undo", &run]).went_well();
    pair.sync();
    for computer in [&pair.office, &pair.laptop] {
        computer.soon("Bert is a baker again", |computer| computer.read("contacts/Friends/bert.vcf").contains("Baker"));
        assert!(computer.has("notes/Ideas/garden.md"));
    }
    pair.laptop.tandem(&["undo", "99999"]).told(2, "C10");
}

#[test]
fn a_move_is_taken_back() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    let mail = |folder: &str| pair.laptop.data().join(folder);
    std::fs::rename(mail("mail/cur/1.a:2,S"), mail("mail/.Archive/cur/1.a:2,S")).unwrap();
    pair.sync();
    pair.office.soon("it moved", |office| office.has("mail/.Archive/cur/1.a:2,S"));
    let runs = pair.laptop.json(&["history"]);
    let run = runs["runs"][0]["id"].as_i64().unwrap_or_else(|| panic!("{runs:#}")).to_string();
    pair.laptop.tandem(&["undo", &run]).went_well();
    pair.sync();
    pair.office.soon("it is where it was", |office| office.has("mail/cur/1.a:2,S"));
    assert!(pair.laptop.has("mail/cur/1.a:2,S") && !pair.laptop.has("mail/.Archive/cur/1.a:2,S"));
    pair.are_same(7);
}

#[test]
fn undo_leaves_what_changed_since_and_names_it() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.laptop.write("contacts/Friends/bert.vcf", card("Bert", "+49 2", "Butcher"));
    pair.sync();
    let run = pair.laptop.json(&["history"])["runs"][0]["id"].as_i64().unwrap().to_string();
    pair.office.write("contacts/Friends/bert.vcf", card("Bert", "+49 2", "Brewer"));
    pair.sync();
    let undone = pair.laptop.tandem(&["undo", &run, "--json"]);
    assert_eq!((undone.exit, undone.json()["undone"].as_u64()), (1, Some(0)), "{undone:?}");
    assert_eq!(undone.json()["left"].as_array().unwrap().len(), 1);
    assert!(pair.laptop.read("contacts/Friends/bert.vcf").contains("Brewer"));
}

#[test]
fn leaving_with_undo_gives_a_laptop_back_what_it_had_and_the_office_keeps_everything() {
    let pair = Pair::joined(|office, laptop| {
        everything(office);
        laptop.write("contacts/Friends/zoe.vcf", card("Zoe", "+49 9", "Pilot"));
    });
    pair.are_same(8);
    let runs = pair.laptop.json(&["history"]);
    assert_eq!((&runs["runs"][0]["isFirst"], &runs["isMore"]), (&true.into(), &false.into()), "{runs:#}");
    let run = runs["runs"][0]["id"].as_i64().unwrap();
    let earlier = pair.laptop.json(&["history", "--before", &run.to_string()]);
    assert_eq!(earlier["runs"].as_array().unwrap().len(), 0, "{earlier:#}");
    assert_eq!(pair.laptop.json(&["history", "--before", &(run + 1).to_string()])["runs"][0]["id"], run);
    assert_eq!(pair.laptop.tandem(&["history", &run.to_string(), "--before", "1"]).exit, 2);
    pair.laptop.tandem(&["undo", &run.to_string()]).told(2, "S12");
    pair.are_same(8);

    let left = pair.laptop.json(&["leave", "--undo", "--yes"]);
    assert_eq!((&left["done"], &left["takenBack"]["undone"]), (&true.into(), &7.into()), "{left:#}");
    assert_eq!(left["takenBack"]["left"].as_array().unwrap().len(), 0);
    let has: Vec<String> = pair.laptop.contents().into_keys().collect();
    assert_eq!(has, ["contacts/Friends/zoe.vcf"]);
    assert_eq!(pair.office.contents().len(), 8);
    pair.laptop.tandem(&["leave", "--undo", "--yes"]).told(2, "C05");
    pair.office.tandem(&["leave", "--undo", "--yes"]).told(75, "C04");
}
