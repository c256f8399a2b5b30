//! A laptop with Windows and Outlook, an office with Linux and Evolution: `tandem.exe` and the stand-in for Outlook under Wine,
//! a real Evolution Data Server, and QUIC between them.
//!
//! `npm run test:windows` builds what is needed and starts this.

use crate::computer::Computer;
use crate::session::Session;
use person::Person;
use program::Desk;
use serde_json::json;
use std::{env, ffi::OsStr, fs, path::PathBuf, process::Command};

#[path = "../../../stores/tests/eds/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "../../../stores/tests/outlook/program.rs"]
mod program;

/// With a line that no field of Outlook's holds.
const ANNA: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:anna\r\nFN:Anna Berg\r\nN:Berg;Anna;;;\r\n\
    TEL;TYPE=CELL:+49 1\r\nX-SHOE-SIZE:39\r\nEND:VCARD\r\n";
const BERT: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bert\r\nFN:Bert Kern\r\nN:Kern;Bert;;;\r\nEND:VCARD\r\n";
const CARL: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:carl\r\nFN:Carl Tal\r\nN:Tal;Carl;;;\r\nEND:VCARD\r\n";
const MEETING: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:meeting\r\n\
    DTSTAMP:20260101T100000Z\r\nDTSTART:20260105T100000Z\r\nDTEND:20260105T110000Z\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\n\
    SUMMARY:Meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const PLANTS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VTODO\r\nUID:plants\r\n\
    DTSTAMP:20260101T100000Z\r\nDUE;VALUE=DATE:20260301\r\nSUMMARY:Water the plants\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";

/// Tags and types of properties: mobile telephone number, business telephone number, subject.
const MOBILE: &str = "3A1C001F";
const BUSINESS: &str = "3A08001F";
const SUBJECT: &str = "0037001F";

fn wine(program: &OsStr) -> Command {
    let mut command = Command::new("/usr/lib/wine/wine64");
    command.arg(program);
    command
}

/// What was built for Windows: the program, and the stand-in.
fn built() -> (PathBuf, PathBuf) {
    let folder =
        PathBuf::from(env::var_os("TANDEM_WINDOWS").expect("npm run test:windows says where the programs are"));
    (folder.join("tandem.exe"), folder.join("examples/outlook-double.exe"))
}

#[test]
#[ignore = "npm run test:windows starts it"]
fn the_self_test_finds_nothing_wrong_with_the_stand_in() {
    let (program, double) = built();
    let _desk = Desk::start(&double, wine);
    let laptop = Computer::with_windows(program);
    let report = laptop.path("report.txt");
    let told = laptop.json(&["selftest", "outlook", "--report", &report.display().to_string()]);
    let text = fs::read_to_string(&report).unwrap();
    println!("{text}");
    let failed: Vec<_> =
        told["sentences"].as_array().unwrap().iter().filter(|kept| !kept["failed"].is_null()).collect();
    assert!(failed.is_empty() && told["isRemoved"] == json!(true), "{failed:#?}");
    assert!(text.contains("as expected") && !text.contains("Outlook-Datendatei"), "{text}");
    laptop.tandem(&["selftest", "outlook", "--report", &report.display().to_string()]).told(2, "C19");
}

#[test]
#[ignore = "npm run test:windows starts it"]
fn a_computer_with_the_new_outlook_only_is_told_from_one_with_none() {
    let (program, _) = built();
    program::remove(wine);
    let laptop = Computer::with_windows(program);
    laptop.tandem(&["selftest", "outlook", "--report", "report.txt"]).told(7, "D16");
    let users = PathBuf::from(env::var_os("WINEPREFIX").unwrap()).join("drive_c/users");
    let homes = fs::read_dir(users).unwrap().map(|home| home.unwrap().path());
    let homes = homes.filter(|home| !home.ends_with("Public"));
    let links: Vec<PathBuf> = homes.map(|home| home.join("AppData/Local/Microsoft/WindowsApps/olk.exe")).collect();
    for link in &links {
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        fs::write(link, "").unwrap();
    }
    let tested = laptop.tandem(&["selftest", "outlook", "--report", "report.txt"]);
    let found = laptop.tandem(&["--json", "stores"]);
    links.iter().for_each(|link| fs::remove_file(link).unwrap());
    tested.told(7, "D17");
    assert!(found.stdout.contains("D17"), "{found:?}");
    assert!(!laptop.path("report.txt").exists());
}

#[test]
#[ignore = "npm run test:windows starts it"]
fn outlook_and_evolution_become_the_same_and_stay_so() {
    let (program, double) = built();
    let Some(session) = Session::start() else { return };
    let mut evolution = Person::at(&session.address());
    let mut outlook = Desk::start(&double, wine);
    let (office, laptop) = (Computer::in_session(session.address()), Computer::with_windows(program));
    let found = laptop.json(&["stores"]);
    assert_eq!(found["outlook"]["stores"][0], "Outlook-Datendatei", "{found}");

    let add = |outlook: &mut Desk, kind: &str, folder: &str, bytes: &str| {
        let file = laptop.path("added");
        fs::write(&file, bytes).unwrap();
        outlook.does(&["add", kind, folder, &file.display().to_string()]);
    };
    evolution.adds("system-address-book", ANNA.as_bytes());
    evolution.adds("system-address-book", BERT.as_bytes());
    evolution.adds("system-calendar", MEETING.as_bytes());
    evolution.adds("system-task-list", PLANTS.as_bytes());
    add(&mut outlook, "contacts", "Kontakte", CARL);
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    let maps =
        ["contacts/Personal=contacts/Kontakte", "calendar/Personal=calendar/Kalender", "tasks/Personal=tasks/Aufgaben"];
    let mapped: Vec<&str> = maps.iter().flat_map(|map| ["--map", map]).collect();
    laptop.join(&invitation, &[&["--yes"], &mapped[..]].concat()).went_well();

    // Each has what the other had.
    let contacts = outlook.sees("Kontakte");
    assert!(
        contacts.contains("Anna Berg") && contacts.contains("+49 1") && contacts.contains("Bert Kern"),
        "{contacts}"
    );
    assert!(outlook.sees("Kalender").contains("Meeting"));
    assert!(outlook.sees("Aufgaben").contains("Water the plants"));
    let contacts = |evolution: &mut Person| evolution.sees_all("system-address-book").concat();
    assert!(contacts(&mut evolution).contains("Carl Tal"));

    // Edits both ways. What Outlook has no field for stays where it is.
    outlook.does(&["set", "Kontakte", "Anna Berg", MOBILE, "+49 222"]);
    let tasks = |evolution: &mut Person| evolution.sees_all("system-task-list").concat();
    let plants = tasks(&mut evolution).replace("Water the plants", "Water all plants");
    evolution.edits("system-task-list", "plants", plants.as_bytes());
    laptop.tandem(&["sync"]).went_well();
    let seen = contacts(&mut evolution);
    assert!(seen.contains("+49 222") && !seen.contains("+49 1\r") && seen.contains("X-SHOE-SIZE:39"), "{seen}");
    assert!(outlook.sees("Aufgaben").contains("Water all plants"));

    // Of one contact two fields, each on one computer; of one task the same field on both.
    outlook.does(&["set", "Kontakte", "Bert Kern", BUSINESS, "+49 333"]);
    let bert = evolution.sees("system-address-book", "bert");
    let bert = bert.replace("END:VCARD", "NOTE:Likes tandems\r\nEND:VCARD");
    evolution.edits("system-address-book", "bert", bert.as_bytes());
    outlook.does(&["set", "Aufgaben", "Water all plants", SUBJECT, "Water no plants"]);
    let plants = tasks(&mut evolution).replace("Water all plants", "Water the flowers");
    evolution.edits("system-task-list", "plants", plants.as_bytes());
    laptop.tandem(&["sync"]).went_well();
    let bert = evolution.sees("system-address-book", "bert");
    assert!(bert.contains("+49 333") && bert.contains("Likes tandems"), "{bert}");
    let seen = outlook.sees("Kontakte");
    assert!(seen.contains("+49 333") && seen.contains("Likes tandems"), "{seen}");
    let conflicts = laptop.json(&["conflicts"]);
    let conflict = conflicts["conflicts"][0]["id"].as_str().unwrap_or_else(|| panic!("{conflicts}")).to_owned();
    assert!(
        outlook.sees("Aufgaben").contains("Water the flowers"),
        "the server's version stays until somebody chooses"
    );
    laptop.tandem(&["conflicts", "resolve", &conflict, "--keep", "client"]).went_well();
    laptop.tandem(&["sync"]).went_well();
    assert!(tasks(&mut evolution).contains("Water no plants") && outlook.sees("Aufgaben").contains("Water no plants"));

    // Deletions both ways.
    evolution.deletes("system-calendar", "meeting");
    outlook.does(&["delete", "Kontakte", "Carl Tal"]);
    laptop.tandem(&["sync"]).went_well();
    assert!(!contacts(&mut evolution).contains("Carl Tal"));
    assert!(!outlook.sees("Kalender").contains("Meeting"));
    assert!(outlook.sees("Gelöschte Elemente").contains("Meeting"), "it can be had back");

    // Nothing goes round.
    let before = (outlook.sees("Kontakte"), outlook.sees("Aufgaben"), contacts(&mut evolution), tasks(&mut evolution));
    laptop.tandem(&["sync"]).went_well();
    let after = (outlook.sees("Kontakte"), outlook.sees("Aufgaben"), contacts(&mut evolution), tasks(&mut evolution));
    assert_eq!(after, before);
    assert_eq!(laptop.json(&["conflicts"])["conflicts"], json!([]));
}
