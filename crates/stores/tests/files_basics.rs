//! The files connector as other programs see its folders.
#![allow(clippy::unwrap_used)]

use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid, NativeHash};
use std::{fs, path::Path, sync::Arc};
use stores::{
    Change, Entry, FolderId, Href, Listing, NewContent, Payload, Store,
    files::{self, FilesSpec, FilesStore},
};

fn store(root: &Path) -> FilesStore {
    let spec = FilesSpec::at(root);
    files::prepare(&spec).unwrap();
    let mut store = FilesStore::open_at(spec);
    store.open().unwrap();
    store
}

fn content(bytes: &[u8], format: Format) -> NewContent {
    let native = NativeHash(*blake3::hash(bytes).as_bytes());
    NewContent { payload: Payload::Memory(Arc::from(bytes)), native, format, modified: Some(1_000_000_000) }
}

fn create(folder: &str, name: &str, bytes: &[u8], format: Format) -> Change {
    Change::Create {
        uid: ItemUid([7; 16]),
        folder: FolderId(folder.into()),
        content: content(bytes, format),
        flags: Flags::default(),
        name: name.into(),
    }
}

fn apply(store: &mut FilesStore, change: Change) -> Result<Option<Entry>, stores::StoreError> {
    let intent = store.stage(&[change]).remove(0)?;
    store.commit(&[intent]).remove(0).map(|written| written.entry)
}

fn list(store: &mut FilesStore, folder: &str) -> Vec<Entry> {
    match store.list(&FolderId(folder.into()), None).unwrap() {
        Listing::Complete { entries, .. } => entries,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_written_where_mail_programs_look() {
    let home = tempfile::tempdir().unwrap();
    let mut home_store = store(home.path());
    let written = apply(&mut home_store, create("mail", "1.host,S=2", b"hi", Format::Rfc5322)).unwrap().unwrap();
    assert_eq!(written.href, Href("mail/1.host,S=2".into()));
    assert_eq!(fs::read(home.path().join("mail/cur/1.host,S=2:2,")).unwrap(), b"hi");
    assert_eq!(fs::read_dir(home.path().join("mail/tmp")).unwrap().count(), 0);
    assert_eq!(list(&mut home_store, "mail"), std::slice::from_ref(&written));

    let seen = Flags([Flag::Seen, Flag::Keyword("Work".into())].into());
    let change = Change::Update {
        href: written.href.clone(),
        expect_rev: written.rev.clone(),
        expect_flags: written.flags.clone(),
        content: None,
        flags: seen.clone(),
        folder: None,
    };
    let flagged = apply(&mut home_store, change.clone()).unwrap().unwrap();
    assert_eq!((&flagged.href, &flagged.flags), (&written.href, &seen));
    assert!(home.path().join("mail/cur/1.host,S=2:2,Sa").is_file());
    assert_eq!(fs::read_to_string(home.path().join("mail/dovecot-keywords")).unwrap(), "0 Work\n");
    // The same belief again is out of date.
    assert!(matches!(apply(&mut home_store, change), Err(stores::StoreError::Changed)));
}

#[test]
fn folders_are_found_as_other_programs_made_them() {
    let home = tempfile::tempdir().unwrap();
    let mut home_store = store(home.path());
    for folder in [".Entw&APw-rfe", ".Work.2024", ".INBOX.Lists"] {
        fs::create_dir_all(home.path().join("mail").join(folder).join("cur")).unwrap();
    }
    fs::create_dir_all(home.path().join("calendars/account/private")).unwrap();
    fs::write(home.path().join("calendars/account/private/displayname"), "My days\n").unwrap();
    let shown: Vec<(String, Option<String>, String)> = home_store
        .folders()
        .unwrap()
        .into_iter()
        .map(|folder| (folder.id.0, folder.parent.map(|parent| parent.0), folder.name))
        .collect();
    let expected = [
        ("mail", None, "INBOX"),
        ("mail/.Entw&APw-rfe", None, "Entwürfe"),
        ("mail/.INBOX.Lists", Some("mail"), "Lists"),
        ("mail/.Work", None, "Work"),
        ("mail/.Work.2024", Some("mail/.Work"), "2024"),
        ("calendars/account", None, "account"),
        ("calendars/account/private", Some("calendars/account"), "My days"),
    ];
    let expected = expected.map(|(id, parent, name)| (id.into(), parent.map(String::from), name.into()));
    assert_eq!(shown, expected);
}

#[test]
fn a_made_folder_carries_its_mark() {
    let home = tempfile::tempdir().unwrap();
    let mut home_store = store(home.path());
    let uid = FolderUid([9; 16]);
    let made = home_store.create_folder(None, "Dr. No", FolderKind::Mail, uid).unwrap();
    assert_eq!((made.name.as_str(), made.uid), ("Dr. No", Some(uid)));
    let again = home_store.create_folder(None, "Dr. No", FolderKind::Mail, uid).unwrap();
    assert_eq!(made, again);
}
