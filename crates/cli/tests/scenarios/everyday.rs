//! What happens every day, once two computers know each other.

use crate::computer::{Computer, PASSWORD, Pair, card, everything, mail};
use serde_json::{Value, json};
use std::fs;

#[test]
fn edits_of_every_kind_cross_both_ways_in_single_runs() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    let (office, laptop) = (&pair.office, &pair.laptop);
    // On the server: a change, a new item, a flag. On the client: a change, a new folder, a deletion, a move.
    office.write("contacts/Friends/anna.vcf", card("Anna", "+49 111", "Carpenter"));
    office.write("notes/Ideas/presents.txt", "A book\n");
    fs::rename(office.data().join("mail/cur/1.a:2,S"), office.data().join("mail/cur/1.a:2,FS")).unwrap();
    laptop.write("contacts/Friends/bert.vcf", card("Bert", "+49 2", "Master baker"));
    laptop.write("calendars/Private/party.ics", crate::computer::event("Party"));
    laptop.delete("tasks/Home/plants.ics");
    fs::rename(laptop.data().join("mail/.Archive/cur/2.b:2,FS"), laptop.data().join("mail/cur/2.b:2,FS")).unwrap();
    let status = pair.sync();
    assert_eq!((&status["isQuiet"], &status["conflicts"], &status["held"]), (&json!(true), &json!(0), &json!(0)));
    pair.are_same(8);
    assert!(laptop.read("contacts/Friends/anna.vcf").contains("+49 111"));
    assert!(laptop.has("mail/cur/1.a:2,FS"));
    office.soon("everything of the client is there", |office| {
        office.read("contacts/Friends/bert.vcf").contains("Master baker")
            && office.has("calendars/Private/party.ics")
            && office.has("mail/cur/2.b:2,FS")
            && !office.has("tasks/Home/plants.ics")
    });
    // A run with nothing to do says so.
    let said = laptop.tandem(&["sync"]).went_well().stdout;
    assert!(said.starts_with("Both sides are the same."), "{said}");
}

#[test]
fn two_edits_of_one_contact_become_one_contact() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    pair.office.write("contacts/Friends/anna.vcf", card("Anna", "+49 111", "Carpenter"));
    pair.laptop.write("contacts/Friends/anna.vcf", card("Anna", "+49 1", "Joiner"));
    pair.sync();
    for computer in [&pair.office, &pair.laptop] {
        computer.soon("both edits are there", |computer| {
            let anna = computer.read("contacts/Friends/anna.vcf");
            anna.contains("+49 111") && anna.contains("Joiner")
        });
    }
    assert_eq!(pair.laptop.json(&["status"])["conflicts"], 0);
}

#[cfg(unix)]
#[test]
fn whoever_stays_connected_has_changes_at_once_and_commands_work_meanwhile() {
    let mut pair = Pair::joined(|office, _| everything(office));
    let running = pair.laptop.stay(&["run"]);
    pair.office.write("notes/Ideas/now.txt", "now\n");
    pair.laptop.soon("the new note is here", |laptop| laptop.has("notes/Ideas/now.txt"));
    pair.laptop.write("notes/Ideas/then.txt", "then\n");
    pair.office.soon("the new note is there", |office| office.has("notes/Ideas/then.txt"));

    // A second one on the same profile is refused; commands speak to the first.
    pair.laptop.tandem(&["run"]).told(75, "C04");
    pair.office.tandem(&["serve"]).told(75, "C04");
    let status = pair.laptop.json(&["status"]);
    assert_eq!((&status["role"], &status["serverName"]), (&json!("client"), &json!("Office PC")));
    assert_eq!(status["isConnected"], true);
    pair.sync();
    let devices = pair.office.json(&["devices"]);
    assert_eq!(
        (&devices["devices"][0]["name"], &devices["devices"][0]["isConnected"]),
        (&json!("Laptop"), &json!(true))
    );

    // Ended by the system, both go in order.
    let (exit, events) = running.end();
    assert_eq!(exit, Some(0));
    assert!(events.iter().any(|event| event["event"] == "changed"), "{events:?}");
    let serving = pair.serving.take().unwrap();
    assert_eq!(serving.first["event"], "listening");
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn a_pause_stops_changes_until_somebody_goes_on() {
    let pair = Pair::joined(|office, _| everything(office));
    let _running = pair.laptop.stay(&["run"]);
    pair.office.soon("the client is connected", |office| office.json(&["status"])["isConnected"] == true);
    let paused = pair.office.json(&["pause", "30m"]);
    assert_eq!(paused["word"], "paused");
    assert!(paused["pausedUntil"].as_u64().unwrap() > 1_700_000_000);
    pair.laptop.write("notes/Ideas/later.txt", "later\n");
    pair.laptop
        .soon("the client knows", |laptop| laptop.tandem(&["status", "--json"]).json()["problem"]["code"] == "N05");
    assert!(!pair.office.has("notes/Ideas/later.txt"));
    pair.office.json(&["resume"]);
    pair.office.soon("the note is there", |office| office.has("notes/Ideas/later.txt"));
}

#[test]
fn a_direction_lets_changes_go_one_way_only() {
    let pair = Pair::joined(|office, _| everything(office));
    let (office, laptop) = (&pair.office, &pair.laptop);
    laptop.json(&["folders", "set", "notes/Ideas", "--direction", "to-here"]);
    let folders = laptop.json(&["folders"]);
    let ideas = folders["folders"].as_array().unwrap().iter().find(|folder| folder["path"] == "notes/Ideas").unwrap();
    assert_eq!(ideas["direction"], "to-here");
    laptop.write("notes/Ideas/mine.txt", "mine\n");
    office.write("notes/Ideas/theirs.txt", "theirs\n");
    pair.sync();
    assert!(laptop.has("notes/Ideas/theirs.txt"));
    assert!(laptop.has("notes/Ideas/mine.txt"), "what a direction forbids stays");
    assert!(!office.has("notes/Ideas/mine.txt"));

    // Resting is another thing: afterwards it goes the way it went before.
    laptop.json(&["folders", "pause", "notes/Ideas"]);
    let of_ideas = || {
        let folders = laptop.json(&["folders"])["folders"].clone();
        let ideas = folders.as_array().unwrap().iter().find(|folder| folder["path"] == "notes/Ideas").unwrap().clone();
        (ideas["isPaused"].clone(), ideas["direction"].clone())
    };
    assert_eq!(of_ideas(), (json!(true), json!("off")));
    assert!(laptop.tandem(&["folders"]).went_well().stdout.contains("not until you go on"));
    office.write("notes/Ideas/later.txt", "later\n");
    pair.sync();
    assert!(!laptop.has("notes/Ideas/later.txt"));
    laptop.json(&["folders", "resume", "notes/Ideas"]);
    pair.sync();
    assert!(laptop.has("notes/Ideas/later.txt"));
    assert_eq!(of_ideas(), (json!(false), json!("to-here")));
    office.tandem(&["folders", "pause", "notes/Ideas"]).told(2, "C16");
}

#[test]
fn the_server_can_keep_a_folder_from_a_computer() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    let id = pair.office.json(&["devices"])["devices"][0]["id"].as_str().unwrap().to_owned();
    pair.office.json(&["folders", "release", "notes/Ideas", "--device", &id[..8], "off"]);
    pair.office.write("notes/Ideas/secret.txt", "secret\n");
    pair.office.write("contacts/Friends/dora.vcf", card("Dora", "+49 4", "Diver"));
    pair.sync();
    assert!(pair.laptop.has("contacts/Friends/dora.vcf"));
    assert!(!pair.laptop.has("notes/Ideas/secret.txt"));
    assert!(pair.laptop.has("notes/Ideas/garden.md"), "keeping a folder back deletes nothing");
    pair.office.json(&["folders", "release", "notes/Ideas", "--device", &id[..8], "on"]);
    pair.sync();
    assert!(pair.laptop.has("notes/Ideas/secret.txt"));
}

#[test]
fn a_removed_computer_is_cut_off_at_once_and_can_be_let_in_again() {
    let pair = Pair::joined(|office, _| everything(office));
    let (office, laptop) = (&pair.office, &pair.laptop);
    let running = laptop.stay(&["run"]);
    office.soon("the client is connected", |office| office.json(&["status"])["isConnected"] == true);
    let id = office.json(&["devices"])["devices"][0]["id"].as_str().unwrap().to_owned();
    office.json(&["devices", "remove", &id[..8]]);
    assert_eq!(office.json(&["devices"])["devices"][0]["isRemoved"], true);
    office.write("notes/Ideas/secret.txt", "secret\n");
    laptop.soon("the client knows", |laptop| laptop.tandem(&["status", "--json"]).json()["problem"]["code"] == "A03");
    drop(running);
    laptop.tandem(&["sync"]).told(4, "A03");
    assert!(!laptop.has("notes/Ideas/secret.txt"));
    assert!(laptop.has("notes/Ideas/garden.md"), "data already there stays there");
}

#[test]
fn leaving_keeps_the_data_and_forgets_the_rest() {
    let pair = Pair::joined(|office, _| everything(office));
    let before = pair.laptop.contents();
    pair.laptop.tandem(&["leave"]).went_well();
    assert_eq!(pair.laptop.contents(), before);
    pair.laptop.tandem(&["status"]).told(2, "C05");
    pair.laptop.tandem(&["leave"]).told(2, "C05");
    let secrets = fs::read_to_string(pair.laptop.path("profile/secrets.json")).unwrap_or_default();
    assert!(!secrets.contains("identity"), "{secrets}");
    // It can come back: everything is the same already.
    let back = pair.laptop.join(&pair.invitation, &["--preview", "--json"]).went_well().json();
    assert_eq!((&back["total"]["same"], &back["total"]["addedHere"]), (&json!(7), &json!(0)), "{back:#}");
}

#[test]
fn a_new_service_id_reaches_connected_computers_and_ends_old_invitations() {
    let pair = Pair::joined(|office, _| everything(office));
    let running = pair.laptop.stay(&["run"]);
    pair.office.soon("the client is connected", |office| office.json(&["status"])["isConnected"] == true);
    pair.office.json(&["service-id", "renew"]);
    drop(running);
    pair.office.write("notes/Ideas/after.txt", "after\n");
    pair.sync();
    assert!(pair.laptop.has("notes/Ideas/after.txt"));
    let late = Computer::new();
    let refused = late.join(&pair.invitation, &["--yes"]);
    assert_eq!((refused.exit, refused.stderr.contains("[V07]")), (4, true), "{refused:?}");
    assert_eq!(pair.office.json(&["devices"])["devices"].as_array().unwrap().len(), 1);
}

/// What the server, which is off, remembers of passwords that were tried.
fn change_budgets(office: &Computer, change: impl FnOnce(&mut Value)) -> Value {
    let profile = app::profile::Profile::in_folder(&office.path("profile"));
    let index = app::index::Index::open(&profile.index_database(), 0).unwrap().index;
    let mut budgets: Value = serde_json::from_slice(&index.guess_budgets().unwrap().unwrap()).unwrap();
    change(&mut budgets);
    index.set_guess_budgets(&serde_json::to_vec(&budgets).unwrap()).unwrap();
    budgets
}

#[test]
fn adding_a_computer_lets_one_in_that_would_have_to_wait_and_only_for_a_while() {
    let mut pair = Pair::joined(|office, _| everything(office));
    let clumsy = Computer::new();
    fs::write(clumsy.path("password"), "not-the-right-one-at-all").unwrap();
    for _ in 0..5 {
        clumsy.join(&pair.invitation, &["--yes"]).told(4, "A01");
    }
    fs::write(clumsy.path("password"), PASSWORD).unwrap();
    clumsy.join(&pair.invitation, &["--yes"]).told(75, "A07");
    // Whether anybody may is the server's to say.
    assert_eq!(pair.laptop.tandem(&["devices", "add-window"]).exit, 2);
    assert_eq!(pair.office.json(&["devices", "add-window"])["done"], true);
    clumsy.join(&pair.invitation, &["--yes"]).went_well();
    assert_eq!(clumsy.contents(), pair.office.contents());

    // Ten minutes later others wait again.
    let address = pair.switch_server_off();
    change_budgets(&pair.office, |budgets| {
        budgets["window"]["until"] = json!(1);
        for source in budgets["sources"].as_object_mut().unwrap().values_mut() {
            source["blocked_until"] = json!(u32::MAX);
        }
    });
    pair.switch_server_on(&address);
    let late = Computer::new();
    late.join(&pair.invitation, &["--yes"]).told(75, "A07");
    pair.sync();
}

#[test]
fn doors_that_wrong_passwords_closed_stay_closed_until_the_owner_opens_each() {
    let mut pair = Pair::joined(|office, _| everything(office));
    let address = pair.switch_server_off();
    change_budgets(&pair.office, |budgets| {
        budgets["lan"]["failures_in_row"] = json!(100);
        budgets["internet"]["failures_in_row"] = json!(100);
    });
    pair.switch_server_on(&address);
    let late = Computer::new();
    late.join(&pair.invitation, &["--yes"]).told(4, "A08");
    // Those who are in notice nothing.
    pair.sync();
    assert_eq!(pair.laptop.tandem(&["password", "open-door"]).exit, 2);
    assert_eq!(pair.office.json(&["password", "open-door"])["done"], true);
    // That is the door to the Internet. This one opens with the window.
    late.join(&pair.invitation, &["--yes"]).told(4, "A08");
    assert_eq!(pair.office.json(&["devices", "add-window"])["done"], true);
    late.join(&pair.invitation, &["--yes"]).went_well();
    assert_eq!(late.contents(), pair.office.contents());
    pair.switch_server_off();
    let budgets = change_budgets(&pair.office, |_| ());
    assert_eq!((&budgets["internet"]["failures_in_row"], &budgets["lan"]["failures_in_row"]), (&json!(0), &json!(0)));
}

#[test]
fn the_internet_is_switched_on_and_off_and_a_weak_password_is_in_the_way() {
    let mut pair = Pair::joined(|office, _| everything(office));
    let internet = |computer: &Computer| computer.json(&["status"])["internet"].clone();
    assert_eq!(internet(&pair.office), false);
    for computer in [&pair.office, &pair.laptop] {
        computer.tandem(&["internet", "on"]).went_well();
        assert_eq!(internet(computer), true);
    }
    pair.office.tandem(&["internet", "off"]).went_well();
    assert_eq!(internet(&pair.office), false);

    // Good enough for the local network only.
    let weak = pair.office.path("weak").display().to_string();
    fs::write(&weak, "Gartentor7\n").unwrap();
    pair.office.tandem(&["password", "--password-file", &weak]).went_well();
    let refused = pair.office.tandem(&["internet", "on"]);
    assert!(refused.exit == 4 && refused.stderr.contains("[A"), "{refused:?}");
    assert_eq!(internet(&pair.office), false);
    // And with nothing running: what counts is how good the password was when it was chosen.
    pair.serving.take();
    let refused = pair.office.tandem(&["internet", "on"]);
    assert!(refused.exit == 4 && refused.stderr.contains("[A05]"), "{refused:?}");
    assert_eq!(internet(&pair.office), false);
    pair.laptop.tandem(&["internet", "off"]).went_well();
    assert_eq!(internet(&pair.laptop), false);
    let password = pair.office.path("password").display().to_string();
    pair.office.tandem(&["password", "--password-file", &password]).went_well();
    for computer in [&pair.office, &pair.laptop] {
        computer.tandem(&["internet", "on"]).went_well();
        assert_eq!(internet(computer), true);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_internet_is_switched_on_by_the_password_in_the_password_store_with_nothing_running() {
    if !["dbus-run-session", "gnome-keyring-daemon"].into_iter().all(crate::neighbours::is_here) {
        return;
    }
    let office = Computer::new();
    everything(&office);
    let init = |computer: &Computer, password: &str| {
        let (store, file) = (computer.store(), computer.path("password").display().to_string());
        fs::write(&file, password).unwrap();
        computer.tandem_in_session(&["init", "--server", "--store", &store, "--password-file", &file]).went_well();
        let secrets = fs::read_to_string(computer.path("profile/secrets.json")).unwrap_or_default();
        assert!(secrets.is_empty(), "the password store holds all: {secrets}");
    };
    let status = |computer: &Computer| computer.tandem_in_session(&["status", "--json"]).went_well().json();
    init(&office, PASSWORD);
    assert_eq!(status(&office)["internet"], false);
    office.tandem_in_session(&["internet", "on"]).went_well();
    assert_eq!(status(&office)["internet"], true);

    let other = Computer::new();
    init(&other, "Gartentor7");
    let refused = other.tandem_in_session(&["internet", "on"]);
    assert!(refused.exit == 4 && refused.stderr.contains("[A05]"), "{refused:?}");
    assert_eq!(status(&other)["internet"], false);
    // Without the session nobody can look, and nothing is switched on unseen.
    let unseen = office.tandem(&["internet", "on"]);
    assert_ne!(unseen.exit, 0, "{unseen:?}");
}

#[cfg(unix)]
#[test]
fn a_laptop_that_sleeps_longer_than_a_link_lives_goes_on_when_it_wakes() {
    let pair = Pair::joined(|office, _| everything(office));
    let running = pair.laptop.stay(&["run"]);
    let is_connected = |office: &Computer| office.json(&["status"])["isConnected"] == true;
    pair.office.soon("the laptop is connected", is_connected);
    running.set_asleep(true);
    let begun = std::time::Instant::now();
    while is_connected(&pair.office) {
        assert!(begun.elapsed().as_secs() < 90, "the server doesn't give the link up");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    pair.office.write("notes/Ideas/written-meanwhile.md", "# At the office\n");
    pair.laptop.write("contacts/Friends/anna.vcf", card("Anna", "+49 77", "Carpenter"));
    pair.office.delete("notes/Ideas/garden.md");
    running.set_asleep(false);
    pair.are_same(7);
    assert!(pair.office.read("contacts/Friends/anna.vcf").contains("+49 77"));
    pair.office.soon("the laptop is connected again", is_connected);
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn a_new_password_counts_for_new_computers_only() {
    let pair = Pair::joined(|office, _| everything(office));
    let file = pair.office.path("new-password");
    fs::write(&file, "lantern-otter-velvet-granite-plum").unwrap();
    pair.office.json(&["password", "--password-file", &file.display().to_string()]);
    pair.sync();
    let late = Computer::new();
    late.join(&pair.invitation, &["--yes"]).told(4, "A01");
    fs::copy(&file, late.path("password")).unwrap();
    late.join(&pair.invitation, &["--yes"]).went_well();
    assert_eq!(late.contents(), pair.office.contents());
}

#[test]
fn doctor_stops_at_what_stands_in_the_way() {
    let mut pair = Pair::joined(|office, _| everything(office));
    let checks = pair.laptop.json(&["doctor"]);
    // Both are on this computer: the Internet doesn't matter.
    let is_fine = |check: &serde_json::Value| check["result"] == "ok" || check["id"] == "internet";
    assert!(checks["checks"].as_array().unwrap().iter().all(is_fine), "{checks:#}");
    drop(pair.serving.take());
    let ran = pair.laptop.tandem(&["doctor", "--json"]);
    assert_eq!(ran.exit, 3, "{ran:?}");
    let checks = ran.json();
    let stopped = checks["checks"].as_array().unwrap().iter().find(|check| check["result"] == "problem").unwrap();
    assert_eq!((&stopped["id"], &stopped["problem"]["code"]), (&json!("server-online"), &json!("N04")));
    let said = pair.laptop.tandem(&["doctor"]).stdout;
    assert!(said.contains("✖ The server answers") && said.contains("[N04]"), "{said}");
    pair.laptop.tandem(&["sync"]).told(3, "N04");
}

#[test]
fn the_server_alone_can_bring_itself_up_to_date() {
    let office = Computer::new();
    everything(&office);
    office.become_server();
    let status = office.json(&["sync"]);
    assert_eq!((&status["role"], &status["isQuiet"]), (&json!("server"), &json!(true)));
    let folders = office.json(&["folders"]);
    let sum: u64 = folders["folders"].as_array().unwrap().iter().map(|folder| folder["items"].as_u64().unwrap()).sum();
    assert_eq!(sum, 7, "{folders:#}");
    office.write("mail/cur/3.c:2,", mail("third"));
    office.json(&["sync"]);
    let said = office.tandem(&["status"]).went_well().stdout;
    assert!(said.contains("«Office PC» is the server."), "{said}");
}
