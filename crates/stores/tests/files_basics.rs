//! The files connector's folders as other programs see and make them.
#![allow(clippy::unwrap_used)]

mod common;
use common::{FilesSubject, apply, copy_folder, create, list, names, on_disk, read, update};
use pim::{Flag, Flags, FolderKind, FolderUid, SpecialUse};
use std::fs;
use stores::{
    FolderId, FolderInfo, Href, Store, StoreError, StoreId,
    files::{FilesSpec, FilesStore},
};

fn flags(flags: &[Flag]) -> Flags {
    Flags(flags.iter().cloned().collect())
}

#[test]
fn a_message_is_written_where_mail_programs_look() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let written = apply(&mut store, create("mail", "1.host,S=2", b"hi")).unwrap().unwrap();
    assert_eq!(written.href, Href("mail/1.host,S=2".into()));
    let path = home.root().join(on_disk("mail/cur/1.host,S=2:2,"));
    assert_eq!(fs::read(&path).unwrap(), b"hi");
    assert!(names(&home.root().join("mail/tmp")).is_empty());
    assert_eq!(list(&mut store, "mail"), std::slice::from_ref(&written));

    let seen = flags(&[Flag::Seen, Flag::Keyword("Work".into())]);
    let change = update(&written, None, &seen, None);
    let flagged = apply(&mut store, change.clone()).unwrap().unwrap();
    assert_eq!((&flagged.href, &flagged.flags), (&written.href, &seen));
    assert!(home.root().join(on_disk("mail/cur/1.host,S=2:2,Sa")).is_file());
    assert_eq!(fs::read_to_string(home.root().join("mail/dovecot-keywords")).unwrap(), "0 Work\n");
    assert!(matches!(apply(&mut store, change), Err(StoreError::Changed)), "the same belief is out of date");
}

#[test]
fn the_modification_time_comes_with_a_new_item() {
    let home = FilesSubject::new();
    let mut store = home.open();
    store.create_folder(None, "Home", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    apply(&mut store, create("contacts/Home", "a.vcf", b"x")).unwrap();
    let modified = fs::metadata(home.root().join("contacts/Home/a.vcf")).unwrap().modified().unwrap();
    let since_1970 = modified.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since_1970.as_secs(), 1_000_000_000);
}

#[test]
fn a_vdir_folder_holds_nothing_but_items_and_our_mark() {
    let home = FilesSubject::new();
    let mut store = home.open();
    store.create_folder(None, "Home", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    let folder = home.root().join("contacts/Home");
    let written = apply(&mut store, create("contacts/Home", "a", b"one")).unwrap().unwrap();
    assert_eq!(written.name, "a.vcf");
    apply(&mut store, update(&written, Some(b"two"), &Flags::default(), None)).unwrap();
    assert_eq!(names(&folder), [".tandem-folder", "a.vcf"]);
    assert_eq!(fs::read(folder.join("a.vcf")).unwrap(), b"two");
}

#[cfg(unix)]
#[test]
fn mail_is_private_and_an_edited_file_keeps_who_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = FilesSubject::new();
    let mut store = home.open();
    store.create_folder(None, "Home", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    let mode = |path: &str| fs::metadata(home.root().join(path)).unwrap().permissions().mode() & 0o777;
    apply(&mut store, create("mail", "m", b"x")).unwrap();
    assert_eq!((mode("mail/cur/m:2,"), mode("mail/cur")), (0o600, 0o700));
    let card = apply(&mut store, create("contacts/Home", "a.vcf", b"x")).unwrap().unwrap();
    fs::set_permissions(home.root().join("contacts/Home/a.vcf"), fs::Permissions::from_mode(0o640)).unwrap();
    apply(&mut store, update(&card, Some(b"y"), &Flags::default(), None)).unwrap();
    assert_eq!(mode("contacts/Home/a.vcf"), 0o640);
}

#[test]
fn messages_of_other_programs_keep_what_those_wrote_into_the_name() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let mail = home.root().join("mail");
    fs::write(mail.join("new/1.new"), b"1").unwrap();
    fs::write(mail.join(on_disk("cur/2.mbsync,U=7:2,S")), b"2").unwrap();
    fs::write(mail.join("cur/3.windows;2,FS"), b"3").unwrap();
    fs::write(mail.join(on_disk("cur/4.odd:2,SXb")), b"4").unwrap();
    let entries = list(&mut store, "mail");
    let shown: Vec<(&str, &str)> = entries.iter().map(|entry| (&*entry.href.0, &*entry.name)).collect();
    let expected = [
        ("mail/1.new", "1.new"),
        ("mail/2.mbsync", "2.mbsync"),
        ("mail/3.windows", "3.windows"),
        ("mail/4.odd", "4.odd"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(entries[2].flags, flags(&[Flag::Flagged, Flag::Seen]));
    assert_eq!(read(&store, &entries[1]), b"2");

    for entry in &entries {
        apply(&mut store, update(entry, None, &flags(&[Flag::Flagged]), None)).unwrap();
    }
    assert_eq!(
        names(&mail.join("cur")),
        ["1.new:2,F", "2.mbsync,U=7:2,F", "3.windows;2,F", "4.odd:2,FXb"].map(on_disk)
    );
    assert!(names(&mail.join("new")).is_empty());
    // In another folder mbsync's number is another message's.
    store.create_folder(None, "Other", FolderKind::Mail, FolderUid([1; 16])).unwrap();
    let numbered = list(&mut store, "mail").remove(1);
    apply(&mut store, update(&numbered, None, &numbered.flags, Some("mail/.Other"))).unwrap();
    assert_eq!(names(&mail.join(".Other/cur")), ["2.mbsync:2,F"].map(on_disk));
}

#[test]
fn keywords_are_translated_by_name_between_folders() {
    let home = FilesSubject::new();
    let mut store = home.open();
    store.create_folder(None, "Other", FolderKind::Mail, FolderUid([1; 16])).unwrap();
    let mail = home.root().join("mail");
    fs::write(mail.join("dovecot-keywords"), "0 Work\n3 Home Office\n").unwrap();
    fs::write(mail.join(".Other/dovecot-keywords"), "0 Private\n1 Work\n").unwrap();
    fs::write(mail.join(on_disk("cur/1:2,Sad")), b"1").unwrap();
    let entry = list(&mut store, "mail").remove(0);
    let all = flags(&[Flag::Seen, Flag::Keyword("Work".into()), Flag::Keyword("Home Office".into())]);
    assert_eq!(entry.flags, all);
    let moved = apply(&mut store, update(&entry, None, &all, Some("mail/.Other"))).unwrap().unwrap();
    assert_eq!(moved.flags, all);
    assert_eq!(names(&mail.join(".Other/cur")), ["1:2,Sbc"].map(on_disk));
    let keywords = fs::read_to_string(mail.join(".Other/dovecot-keywords")).unwrap();
    assert_eq!(keywords, "0 Private\n1 Work\n2 Home Office\n");
}

#[test]
fn a_keyword_that_finds_no_letter_is_read_back_as_absent() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let taken: String = (0..26).map(|number| format!("{number} Taken{number}\n")).collect();
    fs::write(home.root().join("mail/dovecot-keywords"), &taken).unwrap();
    let entry = apply(&mut store, create("mail", "1", b"x")).unwrap().unwrap();
    let wanted = flags(&[Flag::Seen, Flag::Keyword("Twenty-seventh".into()), Flag::Keyword("Taken3".into())]);
    let after = apply(&mut store, update(&entry, None, &wanted, None)).unwrap().unwrap();
    assert_eq!(after.flags, flags(&[Flag::Seen, Flag::Keyword("Taken3".into())]));
    assert_eq!(fs::read_to_string(home.root().join("mail/dovecot-keywords")).unwrap(), taken);
}

#[test]
fn two_files_with_one_base_are_two_messages() {
    let home = FilesSubject::new();
    let mut store = home.open();
    fs::write(home.root().join(on_disk("mail/cur/1:2,S")), b"read").unwrap();
    fs::write(home.root().join("mail/new/1"), b"new").unwrap();
    let entries = list(&mut store, "mail");
    assert_eq!(entries.len(), 2);
    let contents: Vec<Vec<u8>> = entries.iter().map(|entry| read(&store, entry)).collect();
    assert!(contents.contains(&b"read".to_vec()) && contents.contains(&b"new".to_vec()));
    for entry in &entries {
        apply(&mut store, update(entry, None, &flags(&[Flag::Flagged]), None)).unwrap();
    }
    let after = list(&mut store, "mail");
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|entry| entry.flags == flags(&[Flag::Flagged]) && !entry.href.0.contains('%')));
}

fn shown(folders: Vec<FolderInfo>) -> Vec<(String, Option<String>, String)> {
    folders.into_iter().map(|folder| (folder.id.0, folder.parent.map(|parent| parent.0), folder.name)).collect()
}

#[test]
fn folders_are_found_as_other_programs_made_them() {
    let home = FilesSubject::new();
    let mut store = home.open();
    for folder in [".Entw&APw-rfe", ".Work.2024", ".INBOX.Lists", ".Sent", ".Outbox"] {
        fs::create_dir_all(home.root().join("mail").join(folder).join("cur")).unwrap();
    }
    fs::create_dir_all(home.root().join("mail/.notmuch/xapian")).unwrap();
    fs::create_dir_all(home.root().join("calendars/account/private")).unwrap();
    fs::create_dir_all(home.root().join("calendars/.git")).unwrap();
    fs::write(home.root().join("calendars/account/private/displayname"), "My days\n").unwrap();
    let folders = store.folders().unwrap();
    let uses: Vec<SpecialUse> = folders.iter().filter_map(|folder| folder.special_use).collect();
    assert_eq!(uses, [SpecialUse::Inbox, SpecialUse::Drafts, SpecialUse::Sent]);
    let expected = [
        ("mail", None, "INBOX"),
        ("mail/.Entw&APw-rfe", None, "Entwürfe"),
        ("mail/.INBOX.Lists", Some("mail"), "Lists"),
        ("mail/.Sent", None, "Sent"),
        ("mail/.Work", None, "Work"),
        ("mail/.Work.2024", Some("mail/.Work"), "2024"),
        ("calendars/account", None, "account"),
        ("calendars/account/private", Some("calendars/account"), "My days"),
    ];
    let expected = expected.map(|(id, parent, name)| (id.into(), parent.map(String::from), name.into()));
    assert_eq!(shown(folders), expected);
    assert!(list(&mut store, "mail/.Work").is_empty());
}

#[test]
fn a_folder_implied_by_its_children_becomes_real_when_it_is_marked() {
    let home = FilesSubject::new();
    let mut store = home.open();
    fs::create_dir_all(home.root().join("mail/.A.B/cur")).unwrap();
    store.mark_folder(&FolderId("mail/.A".into()), FolderUid([5; 16])).unwrap();
    assert!(home.root().join("mail/.A/cur").is_dir());
    let folder = store.folders().unwrap().into_iter().find(|folder| folder.name == "A").unwrap();
    assert_eq!(folder.uid, Some(FolderUid([5; 16])));
}

#[test]
fn items_directly_in_a_part_make_it_a_folder() {
    let home = FilesSubject::new();
    let mut store = home.open();
    fs::write(home.root().join("contacts/a.vcf"), b"x").unwrap();
    assert!(store.folders().unwrap().iter().any(|folder| folder.id.0 == "contacts"));
    assert_eq!(list(&mut store, "contacts").len(), 1);
}

#[cfg_attr(windows, ignore = "there a folder has no number that outlives a new name")]
#[test]
fn a_renamed_folder_is_known_by_its_mark_and_a_copy_is_not_the_original() {
    let home = FilesSubject::new();
    let mut store = home.open();
    for (kind, number, old, new, copy) in [
        (FolderKind::Mail, 1, "mail/.Old", "mail/.New", "mail/.Copy"),
        (FolderKind::Contacts, 2, "contacts/Old", "contacts/New", "contacts/A copy"),
    ] {
        let uid = FolderUid([number; 16]);
        store.create_folder(None, "Old", kind, uid).unwrap();
        let path = |id: &str| home.root().join(id);
        fs::rename(path(old), path(new)).unwrap();
        copy_folder(&path(new), &path(copy));
        // Back under the old name, the copy is still the copy.
        for copy in [copy, old] {
            if copy == old {
                copy_folder(&path(new), &path(old));
            }
            let folders = store.folders().unwrap();
            let uid_of = |id: &str| folders.iter().find(|folder| folder.id.0 == id).unwrap().uid;
            assert_eq!((uid_of(new), uid_of(copy)), (Some(uid), None));
            let copied = folders.iter().find(|folder| folder.id.0 == copy).unwrap();
            assert!(copied.marked_by.is_some(), "a copy is told from a folder never marked");
        }
    }
}

#[test]
fn a_lost_store_mark_is_restored_from_the_folders() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let id = store.open().unwrap();
    store.create_folder(None, "Kept", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    fs::remove_file(home.root().join(".tandem-store")).unwrap();
    assert_eq!(store.folders().unwrap().len(), 2);
    assert!(home.root().join(".tandem-store").is_file());
    fs::remove_file(home.root().join(".tandem-store")).unwrap();
    assert_eq!(home.open().open().unwrap(), id);
}

#[test]
fn unmarked_content_where_a_store_was_is_another_store() {
    let home = FilesSubject::new();
    let id = home.open().open().unwrap();
    fs::remove_file(home.root().join(".tandem-store")).unwrap();
    let told = FilesStore::open_at(home.spec()).expecting(id).open();
    assert!(matches!(told, Err(StoreError::Replaced)), "{told:?}");
    assert!(!home.root().join(".tandem-store").exists(), "nothing is written into another store");
}

#[test]
fn a_part_at_another_place_must_be_there_too() {
    let home = FilesSubject::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let mail = elsewhere.path().join("mail");
    let text = format!("files:{},mail={}", home.root().display(), mail.display());
    let spec = FilesSpec::parse(&text).unwrap();
    stores::files::prepare(&spec).unwrap();
    let mut store = FilesStore::open_at(spec.clone());
    let id: StoreId = store.open().unwrap();
    apply(&mut store, create("mail", "1", b"x")).unwrap();
    assert!(mail.join(on_disk("cur/1:2,")).is_file());
    fs::rename(&mail, elsewhere.path().join("away")).unwrap();
    assert!(matches!(store.folders(), Err(StoreError::Unavailable { .. })));
    let told = FilesStore::open_at(spec).expecting(id).open();
    assert!(matches!(told, Err(StoreError::Unavailable { .. })), "{told:?}");
}

#[test]
fn a_folder_named_for_people_keeps_its_name_on_disk() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let path = home.root().join("calendars/3f2a");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("displayname"), "Work").unwrap();
    fs::write(path.join("color"), "#ff0000").unwrap();
    let renamed = store.rename_folder(&FolderId("calendars/3f2a".into()), None, "Office").unwrap();
    assert_eq!((&*renamed.id.0, &*renamed.name), ("calendars/3f2a", "Office"));
    assert_eq!(fs::read_to_string(path.join("displayname")).unwrap(), "Office");
    store.delete_folder(&renamed.id).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_folder_with_files_of_other_programs_is_not_deleted() {
    let home = FilesSubject::new();
    let mut store = home.open();
    for (kind, file) in [(FolderKind::Contacts, "README.txt"), (FolderKind::Mail, "filter.sieve")] {
        let uid = FolderUid([kind as u8 + 1; 16]);
        let made = store.create_folder(None, "Mine", kind, uid).unwrap();
        let path = home.root().join(&made.id.0);
        fs::write(path.join(file), b"keep").unwrap();
        let before = names(&path);
        assert!(matches!(store.delete_folder(&made.id), Err(StoreError::Changed)));
        assert_eq!(names(&path), before);
    }
}

#[test]
fn names_that_differ_only_by_a_number_of_spelling_make_folders_of_their_own() {
    let home = FilesSubject::new();
    let mut store = home.open();
    for kind in [FolderKind::Mail, FolderKind::Contacts] {
        let first = store.create_folder(None, "Caf\u{e9}", kind, FolderUid([kind as u8 * 2 + 1; 16])).unwrap();
        // The same name in another normal form is the same name.
        let same = store.create_folder(None, "Cafe\u{301}", kind, FolderUid([kind as u8 * 2 + 1; 16])).unwrap();
        assert_eq!(first, same);
    }
    let inbox = store.create_folder(None, "Inbox", FolderKind::Mail, FolderUid([9; 16])).unwrap();
    assert_eq!(inbox.name, "Inbox (2)", "there is one inbox");
}
