//! What the Outlook connector does beyond the suite: a program that is busy, closed, asks its person, runs with other rights,
//! or isn't there; and the self-test.
#![allow(clippy::unwrap_used)]

mod common;
mod outlook;
use common::{apply, content, read, update};
use outlook::{local::Local, model::Manner, person::OutlookSubject};
use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid};
use std::time::Duration;
use stores::{
    Change, FolderId, FolderInfo, Listing, ProgramState, Store, StoreError,
    conformance::{SENTENCES, Subject, sample},
    outlook::{NewOutlook, code, look, selftest, survey},
};

/// An Outlook with one contact in a folder of its own.
fn with_a_contact(outlook: &Local) -> (OutlookSubject, Box<dyn Store>, FolderInfo) {
    let mut subject = outlook.subject();
    let mut store = subject.store(None);
    store.open().unwrap();
    let folder = store.create_folder(None, "Friends", FolderKind::Contacts, FolderUid([7; 16])).unwrap();
    subject.adds(&folder, "anna", &sample(FolderKind::Contacts, "Anna-Geheim"));
    (subject, store, folder)
}

fn create(folder: &str, format: Format, bytes: &[u8]) -> Change {
    let (uid, folder) = (ItemUid([0; 16]), FolderId(folder.to_owned()));
    Change::Create { uid, folder, content: content(bytes, format), flags: Flags::default(), name: "x".to_owned() }
}

fn state<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> ProgramState {
    match outcome {
        Err(StoreError::Program { state, .. }) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_busy_outlook_is_asked_again_and_told_if_it_stays_busy() {
    let mut outlook = Local::new(Manner::default());
    outlook.busy_patience = Duration::from_secs(1);
    let (_subject, mut store, folder) = with_a_contact(&outlook);
    outlook.model.lock().unwrap().busy = 3;
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries().len(), 1);
    outlook.model.lock().unwrap().busy = u32::MAX;
    assert_eq!(state(store.list(&folder.id, None)), ProgramState::Busy);
    outlook.model.lock().unwrap().busy = 0;
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries().len(), 1);
}

#[test]
fn a_question_of_outlooks_is_told_and_what_waited_for_its_answer_is_not_done_later() {
    let mut outlook = Local::new(Manner::default());
    outlook.patience = Duration::from_millis(500);
    let (_subject, mut store, folder) = with_a_contact(&outlook);
    let entry = store.list(&folder.id, None).unwrap().into_entries().remove(0);
    outlook.model.lock().unwrap().asks_at = Some("SaveAs");
    assert_eq!(state(store.reader().read(&entry.href).map(drop)), ProgramState::Waiting);
    // Whoever asks meanwhile hears the same.
    assert_eq!(state(store.list(&folder.id, None)), ProgramState::Waiting);
    outlook.model.lock().unwrap().asks_at = None;
    // The answer to what was given up may still be on its way.
    let read = loop {
        match store.reader().read(&entry.href) {
            Err(StoreError::Program { state: ProgramState::Waiting, .. }) => {}
            read => break read,
        }
    };
    assert!(read.is_ok(), "{read:?}");
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries().len(), 1);
}

#[test]
fn a_question_that_comes_when_changes_are_to_be_told_or_somebody_only_looks_is_told_as_well() {
    let mut outlook = Local::new(Manner::default());
    outlook.patience = Duration::from_millis(500);
    let (_subject, mut store, _) = with_a_contact(&outlook);
    outlook.model.lock().unwrap().asks_at = Some("Advise");
    assert_eq!(state(store.watch(Box::new(|_| ())).map(drop)), ProgramState::Waiting);
    outlook.model.lock().unwrap().asks_at = Some("GetNamespace");
    assert_eq!(look(&outlook.doors()).unwrap_err(), ProgramState::Waiting);
    assert_eq!(state(survey(&outlook.doors(), None).map(drop)), ProgramState::Waiting);
    let place = tempfile::tempdir().unwrap();
    assert_eq!(state(selftest::run(&outlook.doors(), place.path(), &mut |_, _| {})), ProgramState::Waiting);
    outlook.model.lock().unwrap().asks_at = None;
}

#[test]
fn much_to_do_is_not_taken_for_a_question() {
    let mut outlook = Local::new(Manner::default());
    outlook.patience = Duration::from_millis(300);
    let (_subject, mut store, folder) = with_a_contact(&outlook);
    // Busy again and again, but each call comes back: longer in all than one call may take.
    outlook.model.lock().unwrap().busy = 4;
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries().len(), 1);
}

#[test]
fn what_a_person_or_a_policy_refuses_is_told_and_nothing_is_changed() {
    let outlook = Local::new(Manner::default());
    let (_subject, mut store, folder) = with_a_contact(&outlook);
    let entry = store.list(&folder.id, None).unwrap().into_entries().remove(0);
    outlook.model.lock().unwrap().refuses = Some(("SaveAs", code::ABORTED));
    assert_eq!(state(store.reader().read(&entry.href).map(drop)), ProgramState::Denied);
    outlook.model.lock().unwrap().refuses = None;
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries(), [entry]);
}

#[test]
fn an_outlook_with_other_rights_one_that_is_closed_the_new_one_and_none_at_all_are_told_apart() {
    let outlook = Local::new(Manner::default());
    let mut store = outlook.subject().store(None);
    let doors = outlook.doors();
    for (code, wanted) in [
        (code::SERVER_EXEC_FAILURE, ProgramState::Elevated),
        (code::OBJECT_NOT_RUNNING, ProgramState::Closed),
        (code::CLASS_STRING, ProgramState::Missing),
        (code::CLASS_NOT_REGISTERED, ProgramState::Missing),
    ] {
        outlook.model.lock().unwrap().locked = Some(code);
        assert_eq!(state(store.open()), wanted);
        assert_eq!(look(&doors).unwrap_err(), wanted);
    }
    for (code, new, wanted) in [
        (code::CLASS_STRING, NewOutlook::Installed, ProgramState::NotScriptable),
        (code::CLASS_STRING, NewOutlook::Open, ProgramState::NotScriptable),
        (code::OBJECT_NOT_RUNNING, NewOutlook::Open, ProgramState::NotScriptable),
        // It is there, but nobody uses it.
        (code::OBJECT_NOT_RUNNING, NewOutlook::Installed, ProgramState::Closed),
        (code::SERVER_EXEC_FAILURE, NewOutlook::Open, ProgramState::Elevated),
    ] {
        outlook.model.lock().unwrap().locked = Some(code);
        outlook.model.lock().unwrap().new_outlook = new;
        assert_eq!((state(store.open()), look(&doors).unwrap_err()), (wanted, wanted));
        assert_eq!(state(survey(&doors, None).map(drop)), wanted);
        let place = tempfile::tempdir().unwrap();
        assert_eq!(state(selftest::run(&doors, place.path(), &mut |_, _| {})), wanted);
    }
    outlook.model.lock().unwrap().locked = None;
    store.open().expect("it is there again");
    let found = look(&doors).unwrap();
    assert_eq!(found.stores, ["Outlook-Datendatei", "Archiv"]);
}

#[test]
fn a_survey_counts_what_lies_in_a_store_and_writes_nothing() {
    let outlook = Local::new(Manner::default());
    let (_subject, _store, _) = with_a_contact(&outlook);
    let counted = |name: Option<&str>| {
        let surveyed = survey(&outlook.doors(), name.map(str::to_owned)).unwrap();
        surveyed.into_iter().map(|one| (one.folder.name, one.count.unwrap().items)).collect::<Vec<_>>()
    };
    let found = counted(None);
    assert!(found.contains(&("Friends".to_owned(), 1)) && found.contains(&("Kalender".to_owned(), 0)), "{found:?}");
    assert!(counted(Some("Archiv")).iter().all(|(_, items)| *items == 0));
    assert!(survey(&outlook.doors(), Some("Nowhere".to_owned())).is_err());
    // Whoever opens the other store for the first time finds no mark in it.
    let archive = outlook.model.lock().unwrap().marks_of("Archiv");
    assert!(archive.is_empty(), "{archive:?}");
}

#[test]
fn an_outlook_that_closes_and_comes_back_is_found_again_with_what_is_in_it() {
    let outlook = Local::new(Manner::default());
    let (mut subject, mut store, folder) = with_a_contact(&outlook);
    let before = store.list(&folder.id, None).unwrap().into_entries();
    subject.vanishes();
    assert_eq!(state(store.list(&folder.id, None)), ProgramState::Closed);
    subject.comes_back();
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries(), before);
}

#[test]
fn a_new_category_gets_into_the_list_with_the_same_colour_everywhere_and_no_colour_changes() {
    let event = |categories: &str| {
        let text = String::from_utf8(sample(FolderKind::Calendar, "meeting")).unwrap();
        text.replace("SUMMARY", &format!("CATEGORIES:{categories}\r\nSUMMARY")).into_bytes()
    };
    let colors = |refuses: Option<(&'static str, u32)>| {
        let outlook = Local::new(Manner::default());
        outlook.model.lock().unwrap().categories.insert(0, vec![("Privat".to_owned(), 5)]);
        outlook.model.lock().unwrap().refuses = refuses;
        let mut store = outlook.subject().store(None);
        store.open().unwrap();
        let folder = |store: &mut dyn Store, kind, number| {
            store.create_folder(None, "Folder", kind, FolderUid([number; 16])).unwrap().id.0
        };
        let (mail, calendar) = (folder(&mut *store, FolderKind::Mail, 1), folder(&mut *store, FolderKind::Calendar, 2));
        let keyword = |word: &str| Flag::Keyword(word.to_owned());
        let message =
            apply(&mut *store, create(&mail, Format::Rfc5322, &sample(FolderKind::Mail, "m"))).unwrap().unwrap();
        let flags = Flags([keyword("Kunde"), keyword("$Label1")].into());
        let message = apply(&mut *store, update(&message, None, &flags, None)).unwrap().unwrap();
        assert!(message.flags.0.contains(&keyword("Kunde")), "{message:?}");
        let meeting =
            apply(&mut *store, create(&calendar, Format::ICalendar, &event("privat,Reise"))).unwrap().unwrap();
        let now = event("privat,Kunde,Umzug");
        let meeting = apply(&mut *store, update(&meeting, Some(&now), &Flags::default(), None)).unwrap().unwrap();
        let text = String::from_utf8(read(&*store, &meeting)).unwrap();
        assert!(["privat", "Kunde", "Umzug"].iter().all(|name| text.contains(name)), "{text}");
        outlook.model.lock().unwrap().categories[&0].clone()
    };
    let here = colors(None);
    let names: Vec<&str> = here.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["Privat", "Kunde", "Reise", "Umzug"]);
    assert_eq!(here[0].1, 5);
    assert!(here.iter().all(|(_, color)| (1..=25).contains(color)), "{here:?}");
    assert_eq!(colors(None), here);
    // An Outlook that doesn't take it takes the item all the same.
    assert_eq!(colors(Some(("Categories", code::ACCESS_DENIED))).len(), 1);
}

#[test]
fn a_table_that_breaks_off_proves_no_deletion() {
    let outlook = Local::new(Manner::default());
    let (mut subject, mut store, folder) = with_a_contact(&outlook);
    subject.adds(&folder, "bert", &sample(FolderKind::Contacts, "Bert"));
    outlook.model.lock().unwrap().cut_tables = Some(1);
    let listing = store.list(&folder.id, None).unwrap();
    assert!(matches!(&listing, Listing::Partial { entries, .. } if entries.len() == 1), "{listing:?}");
}

#[test]
fn the_self_test_runs_the_suite_in_a_data_file_of_its_own_and_tells_nothing_of_anybody() {
    let outlook = Local::new(Manner::default());
    let (_subject, mut own, mine) = with_a_contact(&outlook);
    let before = own.list(&mine.id, None).unwrap().into_entries();

    let place = tempfile::tempdir().unwrap();
    let mut told = 0;
    let report = selftest::run(&outlook.doors(), place.path(), &mut |at, of| told = told.max(at + 1).min(of)).unwrap();
    let text = report.to_string();
    assert_eq!((report.failed(), told), (0, SENTENCES.len()), "{text}");
    assert!(report.is_removed && report.speed.is_some() && report.calls.iter().any(|calls| calls.member == "GetArray"));
    for private in ["Anna-Geheim", "Friends", "Archiv", "Outlook-Datendatei", "@", &*place.path().to_string_lossy()] {
        assert!(!text.contains(private), "{private} in {text}");
    }
    // What was there is as it was.
    assert_eq!(own.list(&mine.id, None).unwrap().into_entries(), before);
    let names = own.folders().unwrap().into_iter().map(|folder| folder.name).collect::<Vec<_>>();
    assert!(names.contains(&"Friends".to_owned()) && !names.contains(&"Figures".to_owned()), "{names:?}");
}

#[test]
fn a_self_test_that_fails_at_once_leaves_no_data_file_in_the_profile() {
    let outlook = Local::new(Manner::default());
    let before = look(&outlook.doors()).unwrap().stores;
    outlook.model.lock().unwrap().refuses = Some(("StoreID", 0x8004_0119));
    let place = tempfile::tempdir().unwrap();
    let failed = selftest::run(&outlook.doors(), place.path(), &mut |_, _| {}).unwrap_err();
    assert!(matches!(&failed, StoreError::Io { reason, .. } if reason.contains("0x80040119")), "{failed:?}");
    outlook.model.lock().unwrap().refuses = None;
    assert_eq!(look(&outlook.doors()).unwrap().stores, before);
}

#[cfg(unix)]
#[test]
fn the_self_test_finds_its_data_file_however_outlook_writes_the_path_to_it() {
    let outlook = Local::new(Manner::default());
    let home = tempfile::tempdir().unwrap();
    let (real, place) = (home.path().join("Anna Berg"), home.path().join("ANNABE~1"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &place).unwrap();
    let report = selftest::run(&outlook.doors(), &place, &mut |_, _| {}).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
    assert!(report.to_string().contains("data file taken out again: yes"), "{report}");
}

#[test]
fn an_outlook_that_does_not_do_as_it_should_is_told_with_its_code_and_without_its_words() {
    let outlook = Local::new(Manner::default());
    outlook.model.lock().unwrap().refuses = Some(("SaveAs", 0x8004_0119));
    let place = tempfile::tempdir().unwrap();
    let report = selftest::run(&outlook.doors(), place.path(), &mut |_, _| {}).unwrap();
    assert!((1..SENTENCES.len()).contains(&report.failed()), "{report}");
    assert!(report.to_string().contains("0x80040119"), "{report}");
}
