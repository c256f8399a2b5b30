//! Bringing data files in, and writing them out again.
#![allow(clippy::unwrap_used)]

mod common;
use common::{FilesSubject, list, read};
use pim::{FolderKind, SpecialUse};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use stores::{
    Store,
    conformance::sample,
    import::{Into, Reason, Report, SourceError, export, import},
};

fn corpus(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus").join(name)
}

fn bring(store: &mut dyn Store, file: &Path) -> Report {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    import(store, file, Into::Named(name), false, |_| {}).unwrap()
}

/// Added and present by place.
fn counts(report: &Report) -> BTreeMap<String, (u64, u64)> {
    let folders = report.folders.iter();
    folders
        .map(|folder| (format!("{:?}/{}", folder.kind, folder.path.join("/")), (folder.added, folder.present)))
        .collect()
}

#[test]
fn files_with_many_items_are_taken_apart_and_nothing_comes_twice() {
    let place = tempfile::tempdir().unwrap();
    let (mail, cards, calendar) =
        (place.path().join("one.eml"), place.path().join("All people.vcf"), place.path().join("Everything.ics"));
    fs::write(&mail, sample(FolderKind::Mail, "one")).unwrap();
    fs::write(&cards, [sample(FolderKind::Contacts, "a"), sample(FolderKind::Contacts, "b")].concat()).unwrap();
    let mixed = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nUID:t\r\nEND:VTODO\r\n\
        BEGIN:VJOURNAL\r\nUID:j\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";
    fs::write(&calendar, mixed).unwrap();
    let home = FilesSubject::new();
    let mut store = home.open();
    for (file, added) in [(&mail, 1), (&cards, 2), (&calendar, 3)] {
        let preview = import(&mut store, file, Into::Named("x".to_owned()), true, |_| {}).unwrap();
        assert_eq!((preview.added(), preview.present()), (added, 0));
        let report = bring(&mut store, file);
        assert_eq!((report.added(), report.present(), report.skipped_count), (added, 0, 0));
        let again = bring(&mut store, file);
        assert_eq!((again.added(), again.present()), (0, added));
    }
    let people = list(&mut store, "contacts/All people");
    assert_eq!(people.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["a.vcf", "b.vcf"]);
    assert_eq!(read(&store, &people[1]), sample(FolderKind::Contacts, "b"));
    assert_eq!(list(&mut store, "tasks/Everything").len(), 1);
    assert_eq!(list(&mut store, "mail").len(), 1);
}

#[test]
fn a_preview_writes_nothing() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let folders = store.folders().unwrap();
    let file = corpus("pst/dist-list.pst");
    let report = import(&mut store, &file, Into::Named("old".to_owned()), true, |_| {}).unwrap();
    assert!(report.added() > 0);
    assert_eq!(store.folders().unwrap(), folders);
}

#[test]
fn an_outlook_data_file_comes_in_with_its_folders_once() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let report = bring(&mut store, &corpus("pst/dist-list.pst"));
    assert_eq!(
        counts(&report),
        BTreeMap::from([
            ("Calendar/dist-list/Calendar".to_owned(), (1, 0)),
            ("Contacts/dist-list/Contacts".to_owned(), (2, 0)),
        ])
    );
    let again = bring(&mut store, &corpus("pst/dist-list.pst"));
    assert_eq!((again.added(), again.present()), (0, 3));
    // The same file somewhere else is still the same contacts and events; what has no identity comes again.
    let elsewhere =
        import(&mut store, &corpus("pst/dist-list.pst"), Into::Named("copy".to_owned()), true, |_| {}).unwrap();
    assert_eq!((elsewhere.added(), elsewhere.present()), (0, 3));
}

#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("box.mbox");
    let mail =
        |n: usize| format!("From x@y Thu Jan  1 09:30:00 2026\nMessage-ID: <{n}@x>\nSubject: {n}\n\ntext {n}\n\n");
    let all: String = (0..600).map(mail).collect();
    // The first part of the file, as it was when the disk was full.
    fs::write(&file, (0..300).map(mail).collect::<String>()).unwrap();
    let home = FilesSubject::new();
    let mut store = home.open();
    assert_eq!(bring(&mut store, &file).added(), 300);
    fs::write(&file, all).unwrap();
    let report = bring(&mut store, &file);
    assert_eq!(counts(&report), BTreeMap::from([("Mail/box".to_owned(), (300, 300))]));
    assert_eq!(list(&mut store, "mail/.box").len(), 600);
}

#[test]
fn mail_an_account_fetched_already_is_not_doubled() {
    let place = tempfile::tempdir().unwrap();
    let mail = "Message-ID: <same@x>\nDate: Thu, 1 Jan 2026 09:30:00 +0000\nFrom: a@x\nSubject: s\n\ntext\n";
    let fetched = place.path().join("a.eml");
    fs::write(&fetched, format!("Received: by another way\n{mail}")).unwrap();
    let archive = place.path().join("archive.mbox");
    fs::write(&archive, format!("From a@x Thu Jan  1 09:30:00 2026\n{mail}\n")).unwrap();
    let home = FilesSubject::new();
    let mut store = home.open();
    assert_eq!(bring(&mut store, &fetched).added(), 1);
    let report = bring(&mut store, &archive);
    assert_eq!((report.added(), report.present()), (0, 1));
}

#[test]
fn a_chosen_folder_takes_the_items_of_its_kind() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let inbox =
        store.folders().unwrap().into_iter().find(|folder| folder.special_use == Some(SpecialUse::Inbox)).unwrap();
    let into = Into::Folder(inbox.id, "old".to_owned());
    let report = import(&mut store, &corpus("pst/alpha-beta-gamma-delta.pst"), into, false, |_| {}).unwrap();
    assert_eq!(report.folders.len(), 1);
    assert_eq!(report.folders[0].path, [inbox.name]);
}

#[test]
fn msg_files_go_where_their_kind_belongs() {
    let home = FilesSubject::new();
    let mut store = home.open();
    for name in ["contact-unicode.msg", "note.msg", "piste.msg", "test_Blammo.msg"] {
        let report = bring(&mut store, &corpus("msg").join(name));
        assert_eq!((report.added(), report.skipped_count), (1, 0), "{name}");
    }
    assert_eq!(list(&mut store, "mail").len(), 2);
    assert_eq!(list(&mut store, "notes/note").len(), 1);
}

#[test]
fn what_is_damaged_is_named_and_the_rest_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let home = FilesSubject::new();
    let mut store = home.open();
    let cut = place.path().join("cut.vcf");
    fs::write(&cut, [&sample(FolderKind::Contacts, "a")[..], b"BEGIN:VCARD\r\nFN:cut"].concat()).unwrap();
    let report = bring(&mut store, &cut);
    assert_eq!((report.added(), report.skipped_count), (1, 1));
    assert!(matches!(report.skipped[0].reason, Reason::Damaged));
    let mut error = |bytes: &[u8], name: &str| {
        let file = place.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = import(&mut store, &file, Into::Named("x".to_owned()), false, |_| {}).unwrap_err();
        match error {
            stores::import::ImportError::Source(error) => error,
            other => panic!("{other}"),
        }
    };
    assert!(matches!(error(b"GIF89a", "photo.gif"), SourceError::Unknown));
    assert!(matches!(error(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and no more", "a.msg"), SourceError::Damaged));
    let mut newer = fs::read(corpus("pst/Empty.pst")).unwrap();
    newer[10] = 36;
    assert!(matches!(error(&newer, "new.ost"), SourceError::Version { version: 36 }));
}

#[test]
fn a_folder_is_written_into_one_file_and_read_again() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let place = tempfile::tempdir().unwrap();
    for (name, kind, id, ending) in [
        ("mail", FolderKind::Mail, "mail", "mbox"),
        ("people", FolderKind::Contacts, "contacts/people", "vcf"),
        ("days", FolderKind::Calendar, "calendars/days", "ics"),
    ] {
        let file = place.path().join(format!("{name}.{ending}"));
        for number in 0..3 {
            let (single, text) = (place.path().join("single"), sample(kind, &format!("{name}-{number}")));
            fs::write(&single, text).unwrap();
            let single_kind = single.with_extension(if ending == "mbox" { "eml" } else { ending });
            fs::rename(&single, &single_kind).unwrap();
            import(&mut store, &single_kind, Into::Named(name.to_owned()), false, |_| {}).unwrap();
        }
        let folder = store.folders().unwrap().into_iter().find(|folder| folder.id.0 == id).unwrap();
        let exported = export(&mut store, &folder.id, kind, fs::File::create(&file).unwrap()).unwrap();
        assert_eq!((exported.items, exported.skipped.len()), (3, 0), "{name}");
        // What is read from it is there already.
        let again = import(&mut store, &file, Into::Folder(folder.id, name.to_owned()), true, |_| {}).unwrap();
        assert_eq!((again.added(), again.present()), (0, 3), "{name}");
    }
    let calendar = fs::read_to_string(place.path().join("days.ics")).unwrap();
    assert_eq!(calendar.matches("BEGIN:VCALENDAR").count(), 1);
}
