//! What is particular to Evolution Data Server, on a real one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code)]

mod common;
mod eds;

use common::{apply, content, delete, list, read, stage, update};
use eds::subject::EdsSubject;
use fail::FailScenario;
use pim::{Flags, FolderKind, FolderUid, Format, ItemUid};
use std::panic::{AssertUnwindSafe, catch_unwind};
use stores::{
    Change, Entry, FolderInfo, Recovered, Store,
    conformance::{Subject, sample},
};

const ZONE: &str = "BEGIN:VTIMEZONE\r\nTZID:Tandem/Somewhere\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n\
    TZOFFSETFROM:+0330\r\nTZOFFSETTO:+0330\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

/// A weekly meeting on the clock of a zone nobody knows, with guests and a reminder.
fn series(title: &str, changed: &[(u8, &str)]) -> Vec<u8> {
    let mut events = format!(
        "BEGIN:VEVENT\r\nUID:week\r\nDTSTAMP:20260101T100000Z\r\nDTSTART;TZID=Tandem/Somewhere:20260105T100000\r\n\
         DTEND;TZID=Tandem/Somewhere:20260105T110000\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\nSUMMARY:{title}\r\n\
         ORGANIZER:mailto:me@example.org\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:guest@example.org\r\n\
         BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    );
    for (day, title) in changed {
        events.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:week\r\nDTSTAMP:20260101T100000Z\r\n\
             RECURRENCE-ID;TZID=Tandem/Somewhere:202601{day:02}T100000\r\n\
             DTSTART;TZID=Tandem/Somewhere:202601{day:02}T150000\r\n\
             DTEND;TZID=Tandem/Somewhere:202601{day:02}T160000\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        ));
    }
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{ZONE}{events}END:VCALENDAR\r\n").into_bytes()
}

fn card(uid: &str, name: &str, more: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{uid}FN:{name}\r\nN:{name};;;;\r\n{more}END:VCARD\r\n").into_bytes()
}

fn opened(subject: &mut EdsSubject) -> Box<dyn Store> {
    let mut store = subject.store(None);
    store.open().unwrap();
    store
}

fn folder(store: &mut dyn Store, kind: FolderKind, name: &str, number: u8) -> FolderInfo {
    store.create_folder(None, name, kind, FolderUid([number; 16])).unwrap()
}

fn create(folder: &FolderInfo, bytes: &[u8]) -> Change {
    let format = if folder.kind == FolderKind::Contacts { Format::VCard } else { Format::ICalendar };
    Change::Create {
        uid: ItemUid([0; 16]),
        folder: folder.id.clone(),
        content: content(bytes, format),
        flags: Flags::default(),
        name: "x".to_owned(),
    }
}

fn added(store: &mut dyn Store, folder: &FolderInfo, bytes: &[u8]) -> Entry {
    apply(store, create(folder, bytes)).unwrap().unwrap()
}

fn assert_means(store: &dyn Store, entry: &Entry, kind: FolderKind, bytes: &[u8]) {
    let found = read(store, entry);
    let meaning = |bytes: &[u8]| pim::examine(kind, entry.format, bytes).canon;
    assert!(meaning(&found) == meaning(bytes), "{}", String::from_utf8_lossy(&found));
}

#[test]
fn a_series_keeps_its_zone_and_its_changed_occurrences() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let calendar = folder(&mut *store, FolderKind::Calendar, "Work", 1);
    let first = series("Meeting", &[(12, "Later"), (19, "Much later")]);
    let entry = added(&mut *store, &calendar, &first);
    assert_means(&*store, &entry, FolderKind::Calendar, &first);
    assert!(String::from_utf8(read(&*store, &entry)).unwrap().contains("TZOFFSETTO:+0330"));
    assert_eq!(list(&mut *store, &calendar.id.0), std::slice::from_ref(&entry));

    // One occurrence is as ever again, another one new.
    let second = series("Meeting, renamed", &[(19, "Much later"), (26, "Moved too")]);
    let entry = apply(&mut *store, update(&entry, Some(&second), &Flags::default(), None)).unwrap().unwrap();
    assert_means(&*store, &entry, FolderKind::Calendar, &second);
    assert!(!subject.person().sees(&calendar.id.0, "week").contains("EXDATE"));

    // A person moves an occurrence.
    subject.edits(&entry, &series("Meeting, renamed", &[(12, "By hand")]));
    let third = series("Meeting, renamed", &[(12, "By hand"), (19, "Much later"), (26, "Moved too")]);
    let edited = list(&mut *store, &calendar.id.0).remove(0);
    assert_ne!(edited.rev, entry.rev);
    assert_means(&*store, &edited, FolderKind::Calendar, &third);

    let deleted = apply(&mut *store, delete(&edited)).unwrap();
    assert_eq!((deleted, list(&mut *store, &calendar.id.0)), (None, Vec::new()));
}

#[test]
fn what_stopped_in_the_middle_is_finished() {
    let scenario = FailScenario::setup();
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let calendar = folder(&mut *store, FolderKind::Calendar, "Work", 1);
    let other = folder(&mut *store, FolderKind::Calendar, "Other", 2);
    let before = series("Meeting", &[(12, "Later"), (19, "Much later")]);
    let entry = added(&mut *store, &calendar, &before);
    let wanted = series("Renamed", &[(26, "Only this")]);
    for (point, change) in [
        ("eds::before_series", update(&entry, Some(&wanted), &Flags::default(), None)),
        ("eds::before_old_goes", update(&entry, None, &Flags::default(), Some(&other.id.0))),
    ] {
        let now = list(&mut *store, &calendar.id.0).remove(0);
        let change = match change {
            Change::Update { uid, href, expect_flags, content, flags, folder, .. } => {
                Change::Update { uid, href, expect_rev: now.rev, expect_flags, content, flags, folder }
            }
            other => other,
        };
        let intent = stage(&mut *store, change);
        fail::cfg(point, "panic").unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| store.commit(std::slice::from_ref(&intent)))).is_err(), "{point}");
        fail::remove(point);
        store = subject.store(None);
        store.open().unwrap();
        let recovered = store.recover(&[intent]).remove(0);
        assert!(matches!(recovered, Recovered::Done(_)), "{point}: {recovered:?}");
    }
    assert!(list(&mut *store, &calendar.id.0).is_empty());
    let moved = list(&mut *store, &other.id.0).remove(0);
    assert_means(&*store, &moved, FolderKind::Calendar, &wanted);
    scenario.teardown();
}

#[test]
fn two_cards_with_one_uid_are_two_items_and_one_without_has_none_elsewhere() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let book = folder(&mut *store, FolderKind::Contacts, "Friends", 1);
    let cards = [
        card("UID:same\r\n", "Anna", ""),
        card("UID:same\r\n", "Anna", ""),
        card("UID:odd\\, one/with;more\r\n", "Bert", ""),
        card("", "Carl", ""),
    ];
    let changes: Vec<Change> = cards.iter().map(|card| create(&book, card)).collect();
    let intents: Vec<_> = store.stage(&changes).into_iter().map(Result::unwrap).collect();
    let written: Vec<Entry> =
        store.commit(&intents).into_iter().map(|written| written.unwrap().entry.unwrap()).collect();
    for (entry, card) in written.iter().zip(&cards) {
        assert_means(&*store, entry, FolderKind::Contacts, card);
    }
    assert_eq!(list(&mut *store, &book.id.0).len(), 4);
    assert_eq!(written[0].href.0, format!("{}/same", book.id.0));
    // Someone gives an item another UID; it stays the same item here.
    let renamed = card("UID:other\r\n", "Anna", "NOTE:x\r\n");
    let after = apply(&mut *store, update(&written[0], Some(&renamed), &Flags::default(), None)).unwrap().unwrap();
    assert_eq!(after.href, written[0].href);
    assert_means(&*store, &after, FolderKind::Contacts, &renamed);
    assert_eq!(list(&mut *store, &book.id.0).len(), 4);
}

#[test]
fn items_that_are_made_in_one_call_are_made_once_whatever_comes_in_between() {
    let scenario = FailScenario::setup();
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    for (kind, number) in [(FolderKind::Contacts, 1), (FolderKind::Calendar, 2)] {
        let folder = folder(&mut *store, kind, "Group", number);
        let stage = |store: &mut dyn Store, names: &[&str]| -> Vec<_> {
            let changes: Vec<Change> = names.iter().map(|name| create(&folder, &sample(kind, name))).collect();
            store.stage(&changes).into_iter().map(Result::unwrap).collect()
        };
        // A person takes one of the names.
        let intents = stage(&mut *store, &["a", "b", "c"]);
        subject.adds(&folder, "b", &sample(kind, "b"));
        let written = store.commit(&intents);
        for (name, written) in ["a", "b", "c"].iter().zip(&written) {
            let entry = written.as_ref().unwrap().entry.as_ref().unwrap();
            assert_means(&*store, entry, kind, &sample(kind, name));
        }
        let count = list(&mut *store, &folder.id.0).len();
        assert!((3..=4).contains(&count), "{kind:?}: {count}");
        // The program dies when they are made and nobody knows it yet.
        let intents = stage(&mut *store, &["d", "e", "f"]);
        fail::cfg("eds::after_together", "panic").unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| store.commit(&intents))).is_err());
        fail::remove("eds::after_together");
        store = opened(&mut subject);
        let recovered = store.recover(&intents);
        assert!(recovered.iter().all(|one| matches!(one, Recovered::Done(_))), "{recovered:?}");
        assert_eq!(list(&mut *store, &folder.id.0).len(), count + 3);
    }
    scenario.teardown();
}

#[test]
fn a_picture_travels_with_its_card_and_no_other_file_does() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let book = folder(&mut *store, FolderKind::Contacts, "Friends", 1);
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let with_picture = card("UID:a\r\n", "Anna", &format!("PHOTO;ENCODING=b;TYPE=PNG:{png}\r\n"));
    let entry = added(&mut *store, &book, &with_picture);
    assert!(subject.person().sees(&book.id.0, "a").contains("file:///"), "EDS keeps pictures in files");
    assert_means(&*store, &entry, FolderKind::Contacts, &with_picture);

    let secret = subject.session.place().join("secret.png");
    std::fs::write(&secret, b"\x89PNG secret").unwrap();
    let thief = card("UID:b\r\n", "Bert", &format!("PHOTO;VALUE=uri:file://{}\r\n", secret.display()));
    let entry = added(&mut *store, &book, &thief);
    let found = String::from_utf8(read(&*store, &entry)).unwrap();
    assert!(!found.contains("ENCODING=b"), "{found}");
}

#[test]
fn only_what_lives_on_this_computer_is_a_folder() {
    let Some(mut subject) = EdsSubject::start() else { return };
    subject.person().makes_source(
        "account",
        "[Data Source]\nDisplayName=Account\nEnabled=true\nParent=caldav-stub\n\n[Calendar]\nBackendName=caldav\n",
    );
    subject.person().makes_source("mine", "[Data Source]\nDisplayName=Mine\nEnabled=true\nParent=local-stub\n\n[Calendar]\nBackendName=local\nColor=#112233\n");
    let mut store = opened(&mut subject);
    let folders = store.folders().unwrap();
    let is_there = |name: &str| folders.iter().any(|folder| folder.name == name);
    assert!(is_there("Mine") && !is_there("Account") && !is_there("Tandem"), "{folders:?}");
    let kinds: Vec<FolderKind> = folders.iter().filter(|folder| folder.name == "Personal").map(|f| f.kind).collect();
    assert_eq!(kinds.len(), 4, "the four that EDS comes with: {folders:?}");

    // A mark changes nothing else.
    let mine = folders.iter().find(|folder| folder.name == "Mine").unwrap();
    store.mark_folder(&mine.id, FolderUid([7; 16])).unwrap();
    let marked = store.folders().unwrap().into_iter().find(|folder| folder.id == mine.id).unwrap();
    assert_eq!((marked.uid, &*marked.name), (Some(FolderUid([7; 16])), "Mine"));
    assert!(subject.person().sources()["mine"].contains("Color=#112233"));

    // One of the same name gets a number, and keeps it.
    subject.person().makes_source(
        "lines",
        "[Data Source]\nDisplayName=Mine\nEnabled=true\nParent=local-stub\n\n[Calendar]\nBackendName=local\n",
    );
    let named = |store: &mut dyn Store, id: &str| {
        store.folders().unwrap().into_iter().find(|folder| folder.id.0 == id).unwrap().name
    };
    let twin = named(&mut *store, "lines");
    store.mark_folder(&stores::FolderId("lines".to_owned()), FolderUid([8; 16])).unwrap();
    assert_eq!(named(&mut *store, "lines"), twin);
    assert_eq!([named(&mut *store, "mine"), twin].iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
}

#[test]
fn a_folder_that_a_person_makes_is_heard_of_and_watched() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let (sender, woken) = std::sync::mpsc::channel();
    let _watch = store
        .watch(Box::new(move |_| {
            let _ = sender.send(());
        }))
        .unwrap();
    let patience = std::time::Duration::from_secs(20);
    let rest = std::time::Duration::from_millis(300);
    while woken.recv_timeout(rest).is_ok() {}
    subject.person().makes_source(
        "new",
        "[Data Source]\nDisplayName=New\nEnabled=true\nParent=local-stub\n\n[Task List]\nBackendName=local\n",
    );
    woken.recv_timeout(patience).expect("a new folder is told");
    let tasks = store.folders().unwrap().into_iter().find(|folder| folder.name == "New").unwrap();
    assert!(list(&mut *store, &tasks.id.0).is_empty());
    while woken.recv_timeout(rest).is_ok() {}
    subject.adds(&tasks, "", &stores::conformance::sample(FolderKind::Tasks, "task"));
    woken.recv_timeout(patience).expect("what comes into it is told");
    assert_eq!(list(&mut *store, &tasks.id.0).len(), 1);
}

#[test]
fn what_died_is_found_again_at_the_next_look() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let book = folder(&mut *store, FolderKind::Contacts, "Friends", 1);
    added(&mut *store, &book, &card("UID:a\r\n", "Anna", ""));
    subject.session.kill("evolution-");
    let entry = list(&mut *store, &book.id.0).remove(0);
    subject.session.kill("evolution-");
    assert_means(&*store, &entry, FolderKind::Contacts, &card("UID:a\r\n", "Anna", ""));
}

/// EDS adds to a telephone number what it looks it up by, elsewhere in a list than alone.
#[test]
fn a_revision_is_the_same_in_a_listing_and_when_the_item_is_read() {
    let Some(mut subject) = EdsSubject::start() else { return };
    let mut store = opened(&mut subject);
    let book = folder(&mut *store, FolderKind::Contacts, "Friends", 1);
    for more in ["", "TEL;TYPE=CELL:+49 30 1234\r\n", "TEL:030 1234\r\nEMAIL;TYPE=WORK:a@example.org\r\nNOTE:so\r\n"] {
        let (uid, bytes) = (more.len(), card(&format!("UID:{}\r\n", more.len()), "Anna", more));
        let entry = added(&mut *store, &book, &bytes);
        let listed = list(&mut *store, &book.id.0).into_iter().find(|other| other.href == entry.href).unwrap();
        let read = store.reader().read(&entry.href).unwrap();
        assert_eq!((&entry.rev, &read.rev), (&listed.rev, &listed.rev), "{more}");
        let edited = card(&format!("UID:{uid}\r\n"), "Anna Maria", more);
        apply(&mut *store, update(&listed, Some(&edited), &Flags::default(), None))
            .expect("an edit of what was listed");
        assert_means(&*store, &entry, FolderKind::Contacts, &edited);
    }
}
