//! Several stores as one: the contract, and what is particular to them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{FilesSubject, MemorySubject, apply, content, list, read, stage, update};
use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid, SpecialUse};
use std::{fs, path::Path};
use stores::{
    Change, Entry, FolderId, FolderInfo, Href, Listing, Part, Recovered, SeveralStores, Store, StoreError, StoreId,
    conformance::{Subject, sample},
    files::{self, FilesSpec, FilesStore},
    memory::{MemoryOptions, MemoryStore, MemoryStoreHandle},
};

/// Mail in folders, everything else in a program.
struct Apart {
    mail: FilesSubject,
    rest: MemorySubject,
}

impl Apart {
    fn new() -> Self {
        Self { mail: FilesSubject::for_mail(), rest: MemorySubject::new(MemoryOptions::default()) }
    }

    fn part<'a>(&'a mut self, outer: &'a str) -> (&'a mut dyn Subject, &'a str) {
        match outer.split_once(':').unwrap() {
            ("0", inner) => (&mut self.mail, inner),
            (_, inner) => (&mut self.rest, inner),
        }
    }

    fn entry(entry: &Entry, inner: &str) -> Entry {
        Entry { href: Href(inner.to_owned()), ..entry.clone() }
    }
}

impl Subject for Apart {
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store> {
        let ids = SeveralStores::known_of_each(known, 2);
        let mail = Part { store: self.mail.store(ids[0].as_ref()), name: "Mail".into() };
        let rest = Part { store: self.rest.store(ids[1].as_ref()), name: "Program".into() };
        Box::new(SeveralStores::new(vec![mail, rest], known.cloned()))
    }

    fn adds(&mut self, folder: &FolderInfo, name: &str, bytes: &[u8]) {
        let (subject, inner) = self.part(&folder.id.0);
        let folder = FolderInfo { id: FolderId(inner.to_owned()), ..folder.clone() };
        subject.adds(&folder, name, bytes);
    }

    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        let (subject, inner) = self.part(&entry.href.0);
        subject.edits(&Self::entry(entry, inner), bytes);
    }

    fn deletes(&mut self, entry: &Entry) {
        let (subject, inner) = self.part(&entry.href.0);
        subject.deletes(&Self::entry(entry, inner));
    }

    fn copies(&mut self, entry: &Entry) {
        let (subject, inner) = self.part(&entry.href.0);
        subject.copies(&Self::entry(entry, inner));
    }

    fn vanishes(&mut self) {
        self.mail.vanishes();
    }

    fn is_emptied(&mut self) {
        self.mail.is_emptied();
    }

    fn is_replaced(&mut self) {
        self.mail.is_replaced();
    }

    fn comes_back(&mut self) {
        self.mail.comes_back();
    }
}

stores::conformance_tests!(Apart::new());

/// An archive beside a mailbox: two folders on the disk, each with a place for everything.
struct Beside {
    home: tempfile::TempDir,
}

impl Beside {
    fn new() -> Self {
        let beside = Self { home: tempfile::tempdir().unwrap() };
        for name in ["mailbox", "archive"] {
            let spec = beside.spec(name);
            files::prepare(&spec).unwrap();
            let mut store = FilesStore::open_at(spec);
            store.open().unwrap();
            for (at, (name, kind)) in
                [("Work", FolderKind::Mail), ("Friends", FolderKind::Contacts)].into_iter().enumerate()
            {
                store.create_folder(None, name, kind, FolderUid([at as u8 + 1; 16])).unwrap();
            }
        }
        beside
    }

    fn spec(&self, name: &str) -> FilesSpec {
        FilesSpec::at(self.home.path().join(name))
    }

    fn store(&self) -> SeveralStores {
        let part = |name: &str| {
            let name = name.to_owned();
            Part { store: Box::new(FilesStore::open_at(self.spec(&name))), name }
        };
        let mut store = SeveralStores::new(vec![part("mailbox"), part("archive")], None);
        store.open().unwrap();
        store
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.home.path().join(below)
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    common::names(folder).into_iter().filter(|name| !name.starts_with('.')).collect()
}

fn to(entry: &Entry, folder: &str) -> Change {
    update(entry, None, &entry.flags, Some(folder))
}

fn mail(store: &mut dyn Store, folder: &str, flags: &[Flag]) -> Entry {
    let change = Change::Create {
        uid: ItemUid([7; 16]),
        folder: FolderId(folder.to_owned()),
        content: content(&sample(FolderKind::Mail, "letter"), Format::Rfc5322),
        flags: Flags(flags.iter().cloned().collect()),
        name: "letter".to_owned(),
    };
    apply(store, change).unwrap().unwrap()
}

#[test]
fn folders_of_one_kind_stand_beside_each_other_under_names_of_their_own() {
    let beside = Beside::new();
    let mut store = beside.store();
    let folders = store.folders().unwrap();
    let named = |kind: FolderKind| {
        let of_kind = folders.iter().filter(|folder| folder.kind == kind && folder.parent.is_none());
        of_kind.map(|folder| folder.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(named(FolderKind::Contacts), ["Friends", "Friends (archive)"]);
    assert!(named(FolderKind::Mail).contains(&"Work (archive)"), "{folders:#?}");
    let inboxes = folders.iter().filter(|folder| folder.special_use == Some(SpecialUse::Inbox));
    assert_eq!(inboxes.map(|folder| folder.id.0.as_str()).collect::<Vec<_>>(), ["0:mail"]);

    // A new one is made in the first place; one in another folder, where that is.
    let made = store.create_folder(None, "New", FolderKind::Contacts, FolderUid([8; 16])).unwrap();
    assert_eq!((made.name.as_str(), made.id.0.as_str()), ("New", "0:contacts/New"));
    let parent = FolderId("1:contacts/Friends".to_owned());
    let made = store.create_folder(Some(&parent), "Close", FolderKind::Contacts, FolderUid([9; 16])).unwrap();
    assert_eq!((made.name.as_str(), made.id.0.as_str()), ("Close", "1:contacts/Friends/Close"));
    // Under its own name or the one that is shown: on the disk it is its own.
    for wish in ["Pals (archive)", "Mates"] {
        let friends = store
            .folders()
            .unwrap()
            .into_iter()
            .find(|folder| folder.uid == Some(FolderUid([2; 16])) && folder.id.0.starts_with("1:"));
        let renamed = store.rename_folder(&friends.unwrap().id, None, wish).unwrap();
        assert_eq!(renamed.name, if wish == "Mates" { "Mates (archive)" } else { wish });
    }
    assert_eq!(names_in(&beside.path("archive/contacts")), ["Mates"]);
    // A folder is where its items are.
    let elsewhere = store.rename_folder(
        &FolderId("0:contacts/New".to_owned()),
        Some(&FolderId("1:contacts/Mates".to_owned())),
        "New",
    );
    assert!(matches!(elsewhere, Err(StoreError::Unsupported)));
}

#[test]
fn an_item_moves_from_one_place_into_the_other_and_is_never_in_none() {
    let beside = Beside::new();
    let mut store = beside.store();
    let entry = mail(&mut store, "0:mail/.Work", &[Flag::Seen, Flag::Flagged]);
    let moved = apply(&mut store, to(&entry, "1:mail/.Work")).unwrap().unwrap();
    assert!(moved.href.0.starts_with("1:mail/.Work/"), "{moved:?}");
    assert_eq!(moved.flags, entry.flags);
    assert_eq!(read(&store, &moved), sample(FolderKind::Mail, "letter"));
    assert!(list(&mut store, "0:mail/.Work").is_empty());
    assert_eq!(list(&mut store, "1:mail/.Work"), [moved]);
}

#[test]
fn an_item_that_was_changed_meanwhile_does_not_move() {
    let beside = Beside::new();
    let mut store = beside.store();
    let entry = mail(&mut store, "0:mail/.Work", &[]);
    // Somebody reads it in between.
    let intent = stage(&mut store, to(&entry, "1:mail/.Work"));
    let cur = beside.path("mailbox/mail/.Work/cur");
    let name = names_in(&cur).remove(0);
    fs::rename(cur.join(&name), cur.join(format!("{}:2,S", name.split(":2,").next().unwrap()))).unwrap();
    let refused = store.commit(&[intent]).remove(0);
    assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
    assert!(list(&mut store, "1:mail/.Work").is_empty());

    // Somebody edits it in between.
    let folder = FolderId("0:contacts/Friends".to_owned());
    let anna = Change::Create {
        uid: ItemUid([3; 16]),
        folder,
        content: content(&sample(FolderKind::Contacts, "Anna"), Format::VCard),
        flags: Flags::default(),
        name: "anna".to_owned(),
    };
    let anna = apply(&mut store, anna).unwrap().unwrap();
    let intent = stage(&mut store, to(&anna, "1:contacts/Friends"));
    fs::write(beside.path("mailbox/contacts/Friends/anna.vcf"), sample(FolderKind::Contacts, "Anna Berg")).unwrap();
    let refused = store.commit(&[intent]).remove(0);
    assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
    assert!(list(&mut store, "1:contacts/Friends").is_empty(), "what was made is taken back");
    assert_eq!(names_in(&beside.path("archive/contacts/Friends")), Vec::<String>::new());
}

#[test]
fn a_move_that_a_crash_cut_off_is_finished_or_was_never_begun() {
    let beside = Beside::new();
    let mut store = beside.store();
    let entry = mail(&mut store, "0:mail/.Work", &[Flag::Seen]);
    let intent = stage(&mut store, to(&entry, "1:mail/.Work"));
    let mut started = beside.store();
    assert!(matches!(started.recover(&[intent]).remove(0), Recovered::NotDone));
    assert!(list(&mut started, "1:mail/.Work").is_empty());
    assert_eq!(list(&mut started, "0:mail/.Work").len(), 1);

    // It was made there, and the power went before it was removed here.
    let intent = stage(&mut store, to(&entry, "1:mail/.Work"));
    let kept = fs::read(only_file(&beside.path("mailbox/mail/.Work/cur"))).unwrap();
    let name = names_in(&beside.path("mailbox/mail/.Work/cur")).remove(0);
    let modified = fs::metadata(beside.path("mailbox/mail/.Work/cur").join(&name)).unwrap().modified().unwrap();
    store.commit(std::slice::from_ref(&intent)).remove(0).unwrap();
    let again = beside.path("mailbox/mail/.Work/cur").join(&name);
    fs::write(&again, kept).unwrap();
    fs::File::options().write(true).open(&again).unwrap().set_modified(modified).unwrap();
    let mut started = beside.store();
    let recovered = started.recover(&[intent]).remove(0);
    // Whether it counts as the same file is the store's to say; nothing may be lost, and nothing of ours be there twice
    // without being told.
    let (here, there) = (list(&mut started, "0:mail/.Work").len(), list(&mut started, "1:mail/.Work").len());
    match recovered {
        Recovered::Done(_) => assert_eq!((here, there), (0, 1)),
        Recovered::Unclear => assert_eq!((here, there), (1, 0)),
        Recovered::NotDone => panic!("it was done"),
    }

    // Everything was done, but nobody heard.
    let entry = mail(&mut started, "0:mail", &[]);
    let intent = stage(&mut started, to(&entry, "1:mail"));
    started.commit(std::slice::from_ref(&intent)).remove(0).unwrap();
    let mut started = beside.store();
    let recovered = started.recover(&[intent]).remove(0);
    assert!(
        matches!(&recovered, Recovered::Done(written) if written.entry.as_ref().unwrap().href.0.starts_with("1:mail/")),
        "{recovered:?}"
    );
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let names = names_in(folder);
    assert_eq!(names.len(), 1);
    folder.join(&names[0])
}

#[test]
fn an_item_keeps_its_uid_in_a_place_that_holds_uids() {
    let (program, person) = memory("program");
    let (other, other_person) = memory("other");
    for handle in [&person, &other_person] {
        handle.connect().create_folder(None, "Folder", FolderKind::Notes, FolderUid([1; 16])).unwrap();
    }
    let part = |store: MemoryStore, name: &str| Part { store: Box::new(store), name: name.into() };
    let mut store = SeveralStores::new(vec![part(program, "one"), part(other, "other")], None);
    store.open().unwrap();
    let folders: Vec<String> = store.folders().unwrap().into_iter().map(|folder| folder.id.0).collect();
    let create = Change::Create {
        uid: ItemUid([1; 16]),
        folder: FolderId(folders[0].clone()),
        content: content(&sample(FolderKind::Notes, "note"), Format::ICalendar),
        flags: Flags::default(),
        name: "note".to_owned(),
    };
    let entry = apply(&mut store, create).unwrap().unwrap();
    // The engine knows it, whether the place it comes from tells it or not.
    let moved = apply(&mut store, to(&Entry { uid: Some(ItemUid([1; 16])), ..entry }, &folders[1])).unwrap().unwrap();
    assert_eq!((moved.uid, moved.format), (Some(ItemUid([1; 16])), Format::ICalendar));
}

#[test]
fn notes_keep_their_way_of_being_written_when_they_move() {
    let beside = Beside::new();
    let mut store = beside.store();
    for (at, name) in [(0, "mailbox"), (1, "archive")] {
        fs::create_dir(beside.path(&format!("{name}/notes/Ideas"))).unwrap();
        store.mark_folder(&FolderId(format!("{at}:notes/Ideas")), FolderUid([30 + at; 16])).unwrap();
    }
    for name in ["list.md", "plain.txt", "journal.ics"] {
        let bytes = if name.ends_with("ics") { sample(FolderKind::Notes, "x") } else { b"# Bread\n".to_vec() };
        fs::write(beside.path(&format!("mailbox/notes/Ideas/{name}")), bytes).unwrap();
    }
    let before = list(&mut store, "0:notes/Ideas");
    for entry in &before {
        let moved = apply(&mut store, to(entry, "1:notes/Ideas")).unwrap().unwrap();
        assert_eq!(moved.format, entry.format);
    }
    assert_eq!((before.len(), list(&mut store, "0:notes/Ideas").len()), (3, 0));
    assert_eq!(list(&mut store, "1:notes/Ideas").len(), 3);
}

fn memory(id: &str) -> (MemoryStore, MemoryStoreHandle) {
    MemoryStore::new(MemoryOptions { id: StoreId(id.to_owned()), holds_uid: true, ..MemoryOptions::default() })
}

#[test]
fn while_one_place_is_gone_nothing_looks_deleted() {
    let mut apart = Apart::new();
    let mut store = apart.store(None);
    let id = store.open().unwrap();
    let folder = store.create_folder(None, "Friends", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    apart.adds(&folder, "anna", &sample(FolderKind::Contacts, "Anna"));
    apart.rest.vanishes();
    for mut store in [store, apart.store(Some(&id))] {
        assert!(store.open().is_err() && store.folders().is_err() && store.list(&folder.id, None).is_err());
    }
    apart.rest.comes_back();
    let mut store = apart.store(Some(&id));
    assert_eq!(store.open().unwrap(), id);
    assert_eq!(store.list(&folder.id, None).unwrap().into_entries().len(), 1);
    // Another one of the two, or one more, is another store.
    apart.rest.is_replaced();
    assert!(matches!(apart.store(Some(&id)).open(), Err(StoreError::Replaced)));
    assert_eq!(SeveralStores::known_of_each(Some(&id), 3), [None, None, None]);
    assert_eq!(SeveralStores::known_of_each(Some(&StoreId("one".to_owned())), 2), [None, None]);
}

#[test]
fn what_names_no_part_is_not_found() {
    let beside = Beside::new();
    let mut store = beside.store();
    for wrong in ["", "mail", "2:mail", "x:mail", "-1:mail"] {
        let told = store.list(&FolderId(wrong.to_owned()), None);
        assert!(matches!(told, Err(StoreError::NotFound)), "{wrong}: {told:?}");
        assert!(matches!(store.reader().read(&Href(wrong.to_owned())), Err(StoreError::NotFound)));
    }
    let broken = [stores::Intent(vec![]), stores::Intent(vec![9; 4]), stores::Intent(vec![0, 7, 0])];
    assert!(store.commit(&broken).iter().all(|written| matches!(written, Err(StoreError::Changed))));
    assert!(store.recover(&broken).iter().all(|recovered| matches!(recovered, Recovered::Unclear)));
    let listing = store.list(&FolderId("0:mail".to_owned()), None).unwrap();
    assert!(matches!(listing, Listing::Complete { .. }));
}
