//! Two computers whose data lies in unlike places: folders on one, a real Evolution Data Server on the other.

use crate::common::{Computer, call, conflict, joined, run, server, until, wait_quiet};
use person::Person;
use serde_json::json;
use session::Session;
use std::time::Duration;
use tokio::task::block_in_place;

#[path = "../../../stores/tests/eds/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "../../../stores/tests/eds/session.rs"]
#[allow(dead_code)]
mod session;

const ANNA: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:anna\r\nFN:Anna Berg\r\nN:Berg;Anna;;;\r\n\
    TEL;TYPE=CELL:+49 1\r\nX-SHOE-SIZE:39\r\nEND:VCARD\r\n";

/// With a line that EDS leaves out: it has a name nobody has registered.
const WEEK: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n\
    BEGIN:VTIMEZONE\r\nTZID:Tandem/Somewhere\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n\
    TZOFFSETFROM:+0330\r\nTZOFFSETTO:+0330\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
    BEGIN:VEVENT\r\nUID:week\r\nDTSTAMP:20260101T100000Z\r\nDTSTART;TZID=Tandem/Somewhere:20260105T100000\r\n\
    DTEND;TZID=Tandem/Somewhere:20260105T110000\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\nSUMMARY:Meeting\r\n\
    ROOM-NUMBER:17\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:week\r\nDTSTAMP:20260101T100000Z\r\nRECURRENCE-ID;TZID=Tandem/Somewhere:20260112T100000\r\n\
    DTSTART;TZID=Tandem/Somewhere:20260112T150000\r\nDTEND;TZID=Tandem/Somewhere:20260112T160000\r\n\
    SUMMARY:Meeting in the afternoon\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

const PLANTS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VTODO\r\nUID:plants\r\n\
    DTSTAMP:20260101T100000Z\r\nDUE;VALUE=DATE:20260301\r\nSUMMARY:Water the plants\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";

const IDEA: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VJOURNAL\r\nUID:idea\r\n\
    DTSTAMP:20260101T100000Z\r\nSUMMARY:Idea\r\nDESCRIPTION:A tandem for three\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";

/// Whoever works in EDS, and what is there, by the names of folders.
///
/// Asking the bus waits, which a task may do only where it says so.
struct Desk {
    person: Person,
}

impl Desk {
    fn at(address: &str) -> Self {
        Self { person: block_in_place(|| Person::at(address)) }
    }

    fn adds(&mut self, source: &str, bytes: &[u8]) {
        block_in_place(|| self.person.adds(source, bytes));
    }

    /// The source that is called so, or has this uid.
    fn source(&self, name: &str) -> Option<String> {
        if self.person.sources().contains_key(name) {
            return Some(name.to_owned());
        }
        let has_name = |file: &String| file.lines().any(|line| line == format!("DisplayName={name}"));
        self.person.sources().into_iter().find(|(_, file)| has_name(file)).map(|(uid, _)| uid)
    }

    /// Everything in a folder.
    fn sees(&mut self, folder: &str) -> String {
        block_in_place(|| self.source(folder).map(|source| self.person.sees_all(&source).concat()).unwrap_or_default())
    }

    /// Replaces words in an item, as a program does that shows it.
    fn edits(&mut self, folder: &str, uid: &str, before: &str, after: &str) {
        block_in_place(|| {
            let source = self.source(folder).unwrap();
            let text = self.person.sees(&source, uid);
            assert!(text.contains(before), "no `{before}` in {text}");
            self.person.edits(&source, uid, text.replace(before, after).as_bytes());
        });
    }

    fn deletes(&mut self, folder: &str, uid: &str) {
        block_in_place(|| {
            let source = self.source(folder).unwrap();
            self.person.deletes(&source, uid);
        });
    }
}

fn fill(office: &Computer) {
    office.write("contacts/Friends/anna.vcf", ANNA);
    office.write("calendars/Work/week.ics", WEEK);
    office.write("tasks/Home/plants.ics", PLANTS);
    office.write("notes/Ideas/idea.ics", IDEA);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_cross_both_ways_and_what_evolution_cannot_hold_stays_in_the_folders() {
    let Some(session) = Session::start() else { return };
    let (office, laptop) =
        (Computer::new("office"), Computer::with_store("laptop", format!("eds:{}", session.address())));
    fill(&office);
    let mut desk = Desk::at(&session.address());
    let bert = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bert\r\nFN:Bert\r\nN:;Bert;;;\r\nEND:VCARD\r\n";
    desk.adds("system-address-book", bert.as_bytes());
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;

    // All of it is there, and the folders have what they had.
    assert!(desk.sees("Friends").contains("X-SHOE-SIZE:39"));
    let work = desk.sees("Work");
    assert!(work.contains("Meeting in the afternoon") && !work.contains("\nROOM-NUMBER"), "{work}");
    assert!(desk.sees("Home").contains("Water the plants") && desk.sees("Ideas").contains("A tandem for three"));
    until("Evolution's own contact is in the folders", || office.find("contacts/Personal", "Bert").is_some()).await;
    assert_eq!(office.text("contacts/Friends", "UID:anna"), ANNA);
    assert_eq!(office.text("calendars/Work", "UID:week"), WEEK);

    // From Evolution to the folders, by its signals alone: nobody looks by the clock so soon.
    desk.edits("Friends", "anna", "+49 1", "+49 222");
    until("the number is in the folders", || office.text("contacts/Friends", "UID:anna").contains("+49 222")).await;
    assert!(office.text("contacts/Friends", "UID:anna").contains("X-SHOE-SIZE:39"));
    desk.edits("Work", "week", "SUMMARY:Meeting in the afternoon", "SUMMARY:Meeting outside");
    until("the occurrence is in the folders", || office.text("calendars/Work", "UID:week").contains("outside")).await;
    let week = office.text("calendars/Work", "UID:week");
    assert!(week.contains("ROOM-NUMBER:17") && week.contains("TZOFFSETTO:+0330"), "{week}");
    assert!(week.contains("RECURRENCE-ID;TZID=Tandem/Somewhere:20260112T100000"), "{week}");
    desk.edits("Home", "plants", "END:VTODO", "STATUS:COMPLETED\r\nEND:VTODO");
    until("it is done in the folders", || office.text("tasks/Home", "UID:plants").contains("COMPLETED")).await;
    assert!(office.text("tasks/Home", "UID:plants").contains("DUE;VALUE=DATE:20260301"));

    // From the folders to Evolution.
    office.edit("notes/Ideas", "UID:idea", IDEA.replace("three", "four"));
    until("the note is in Evolution", || desk.sees("Ideas").contains("A tandem for four")).await;
    office.edit("calendars/Work", "UID:week", week.replace("SUMMARY:Meeting\r\n", "SUMMARY:Standup\r\n"));
    until("the series is in Evolution", || desk.sees("Work").contains("SUMMARY:Standup")).await;
    assert!(desk.sees("Work").contains("Meeting outside"));

    // New, and gone, both ways.
    let carl = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:carl\r\nFN:Carl\r\nN:;Carl;;;\r\nEND:VCARD\r\n";
    office.write("contacts/Friends/carl.vcf", carl);
    until("Carl is in Evolution", || desk.sees("Friends").contains("FN:Carl")).await;
    office.delete("contacts/Personal", "Bert");
    until("Bert is gone from Evolution", || !desk.sees("system-address-book").contains("Bert")).await;
    desk.deletes("Work", "week");
    until("the series is gone from the folders", || office.find("calendars/Work", "UID:week").is_none()).await;

    // Nothing is left to do, and nothing goes round.
    wait_quiet(&client).await;
    let before = (office.items(), desk.sees("Friends"), desk.sees("Home"), desk.sees("Ideas"));
    tokio::time::sleep(Duration::from_secs(3)).await;
    wait_quiet(&client).await;
    assert_eq!((office.items(), desk.sees("Friends"), desk.sees("Home"), desk.sees("Ideas")), before);
    assert_eq!(call(&client, "conflicts", json!({})).await, json!([]));
    client.shut_down().await;
    server.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_of_both_are_merged_by_field_and_what_clashes_is_a_conflict() {
    let Some(session) = Session::start() else { return };
    let (office, laptop) =
        (Computer::new("office"), Computer::with_store("laptop", format!("eds:{}", session.address())));
    fill(&office);
    let mut desk = Desk::at(&session.address());
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;

    office.edit("contacts/Friends", "UID:anna", ANNA.replace("+49 1", "+49 5"));
    desk.edits("Friends", "anna", "END:VCARD", "NOTE:Likes tandems\r\nEND:VCARD");
    office.edit("tasks/Home", "UID:plants", PLANTS.replace("Water the plants", "Water all plants"));
    desk.edits("Home", "plants", "Water the plants", "Water the flowers");
    office.delete("notes/Ideas", "UID:idea");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let client = run(&laptop).await;
    wait_quiet(&client).await;

    until("both edits of Anna are in the folders", || {
        let anna = office.text("contacts/Friends", "UID:anna");
        anna.contains("+49 5") && anna.contains("Likes tandems") && anna.contains("X-SHOE-SIZE")
    })
    .await;
    until("and in Evolution", || desk.sees("Friends").contains("+49 5")).await;
    until("the note is gone", || desk.sees("Ideas").is_empty()).await;
    let conflict = conflict(&client).await;
    assert!(desk.sees("Home").contains("Water all plants"), "the server's version stays until somebody chooses");
    call(&client, "resolve_conflict", json!({"id": conflict["id"], "keep": "client"})).await;
    until("Evolution's version was chosen", || office.text("tasks/Home", "UID:plants").contains("the flowers")).await;
    until("in Evolution too", || desk.sees("Home").contains("the flowers")).await;
    wait_quiet(&client).await;
    client.shut_down().await;
    server.shut_down().await;
}
