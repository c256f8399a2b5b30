//! At each step of a commit: another program's edit comes in between, or the program dies.
#![allow(clippy::unwrap_used)]

mod common;
use common::{FilesSubject, create, delete, list, names, on_disk, stage, update};
use fail::FailScenario;
use pim::{Flag, Flags, FolderKind, FolderUid};
use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use stores::{Change, Recovered, Store, StoreError, files::FilesStore};

fn with_contacts() -> (FilesSubject, FilesStore) {
    let home = FilesSubject::new();
    let mut store = home.open();
    for (name, number) in [("Home", 1), ("Other", 2)] {
        store.create_folder(None, name, FolderKind::Contacts, FolderUid([number; 16])).unwrap();
        store.create_folder(None, name, FolderKind::Mail, FolderUid([number + 2; 16])).unwrap();
    }
    (home, store)
}

/// The contents of every item file below a folder, wherever it lies.
fn contents(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(contents(&entry.path()));
        } else if !entry.file_name().to_string_lossy().starts_with(['.', 'm']) {
            found.insert(fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}

#[test]
fn an_edit_in_the_last_moment_is_kept_and_our_change_refused() {
    let scenario = FailScenario::setup();
    for point in ["files::before_exchange", "files::before_rename", "files::before_aside", "files::before_old_goes"] {
        let (home, mut store) = with_contacts();
        let path = home.root().join("contacts/Home/a.vcf");
        fs::write(&path, b"before").unwrap();
        let entry = list(&mut store, "contacts/Home").remove(0);
        let change = match point {
            "files::before_exchange" => update(&entry, Some(b"ours"), &Flags::default(), None),
            "files::before_rename" => update(&entry, None, &Flags::default(), Some("contacts/Other")),
            "files::before_aside" => delete(&entry),
            _ => update(&entry, Some(b"ours"), &Flags::default(), Some("contacts/Other")),
        };
        let intent = stage(&mut store, change);
        let edited = path.clone();
        fail::cfg_callback(point, move || fs::write(&edited, b"theirs, longer").unwrap()).unwrap();
        let written = store.commit(&[intent]).remove(0);
        fail::remove(point);
        assert!(matches!(written, Err(StoreError::Changed)), "{point}: {written:?}");
        assert_eq!(contents(&home.root()), BTreeSet::from(["theirs, longer".to_owned()]), "{point}");
        assert_eq!(names(&home.root().join("contacts/Home")), [".tandem-folder", "a.vcf"], "{point}");
        assert_eq!(names(&home.root().join("contacts/Other")), [".tandem-folder"], "{point}");
    }
    scenario.teardown();
}

#[test]
fn a_file_that_vanishes_in_the_last_moment_is_not_brought_back() {
    let scenario = FailScenario::setup();
    for point in ["files::before_exchange", "files::before_rename", "files::before_aside"] {
        let (home, mut store) = with_contacts();
        let path = home.root().join("contacts/Home/a.vcf");
        fs::write(&path, b"before").unwrap();
        let entry = list(&mut store, "contacts/Home").remove(0);
        let change = match point {
            "files::before_exchange" => update(&entry, Some(b"ours"), &Flags::default(), None),
            "files::before_rename" => update(&entry, None, &Flags::default(), Some("contacts/Other")),
            _ => delete(&entry),
        };
        let intent = stage(&mut store, change);
        fail::cfg_callback(point, move || fs::remove_file(&path).unwrap()).unwrap();
        let written = store.commit(&[intent]).remove(0);
        fail::remove(point);
        assert!(matches!(written, Err(StoreError::Changed)), "{point}: {written:?}");
        assert!(contents(&home.root()).is_empty(), "{point}");
    }
    scenario.teardown();
}

#[test]
fn a_name_taken_in_the_last_moment_is_not_overwritten() {
    let scenario = FailScenario::setup();
    let (home, mut store) = with_contacts();
    let intent = stage(&mut store, create("contacts/Home", "a.vcf", b"ours"));
    let path = home.root().join("contacts/Home/a.vcf");
    fail::cfg_callback("files::before_place", move || fs::write(&path, b"theirs").unwrap()).unwrap();
    assert!(store.commit(&[intent]).remove(0).is_ok());
    fail::remove("files::before_place");
    assert_eq!(contents(&home.root()), BTreeSet::from(["ours".to_owned(), "theirs".to_owned()]));
    scenario.teardown();
}

#[test]
fn a_message_that_hides_between_two_readings_is_not_taken_as_deleted() {
    let scenario = FailScenario::setup();
    let (home, mut store) = with_contacts();
    let mail = home.root().join("mail");
    fs::write(mail.join(on_disk("cur/1.host:2,")), b"x").unwrap();
    let is_first = std::sync::atomic::AtomicBool::new(true);
    let hide = move || {
        if is_first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            fs::rename(mail.join(on_disk("cur/1.host:2,")), mail.join("new/1.host")).unwrap();
        }
    };
    fail::cfg_callback("files::between_new_and_cur", hide).unwrap();
    assert_eq!(list(&mut store, "mail").len(), 1);
    scenario.teardown();
}

/// Makes a store with one item in `folder` and dies at `point` while `change` is committed; then recovers, twice, and
/// tells the outcome and what is in the folders.
fn die_at(
    point: &str,
    folder: &str,
    change: impl Fn(&stores::Entry) -> Change,
) -> (Recovered, BTreeSet<String>, Vec<String>) {
    let (home, mut store) = with_contacts();
    let first = stage(&mut store, create(folder, "a", b"before"));
    let entry = store.commit(&[first]).remove(0).unwrap().entry.unwrap();
    let intent = stage(&mut store, change(&entry));
    fail::cfg(point, "panic").unwrap();
    let died = catch_unwind(AssertUnwindSafe(|| store.commit(std::slice::from_ref(&intent))));
    fail::remove(point);
    assert!(died.is_err(), "{point} is on the way of this change");
    drop(store);
    let mut store = home.open();
    let recovered = store.recover(std::slice::from_ref(&intent)).remove(0);
    let found = contents(&home.root());
    let again = store.recover(std::slice::from_ref(&intent)).remove(0);
    assert_eq!(
        matches!(again, Recovered::Done(_)),
        matches!(recovered, Recovered::Done(_)),
        "{point}: {recovered:?}, then {again:?}"
    );
    assert_eq!(contents(&home.root()), found, "{point}: asking again changes nothing");
    let staging = if folder.starts_with("mail") { "tmp" } else { ".tandem-tmp" };
    let path = home.root().join(folder).join(staging);
    let left = if path.exists() { names(&path) } else { Vec::new() };
    (recovered, found, left)
}

#[test]
fn whatever_step_the_program_dies_at_the_change_is_done_or_not_done() {
    let scenario = FailScenario::setup();
    let seen = Flags([Flag::Seen].into());
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    for (folder, other) in [("contacts/Home", "contacts/Other"), ("mail/.Home", "mail/.Other")] {
        let is_mail = folder.starts_with("mail");
        let content_points: &[&str] = if is_mail {
            &[
                "files::before_place",
                "files::after_place",
                "files::before_old_goes",
                "files::before_aside",
                "files::after_aside",
                "files::before_flush",
            ]
        } else {
            &["files::before_exchange", "files::after_exchange", "files::before_flush"]
        };
        for point in content_points {
            let change = |entry: &stores::Entry| update(entry, Some(b"ours"), &entry.flags, None);
            let (recovered, found, left) = die_at(point, folder, change);
            let wanted = match recovered {
                Recovered::Done(_) => set(&["ours"]),
                Recovered::NotDone => set(&["before"]),
                Recovered::Unclear => panic!("{folder} {point}: nobody else was there"),
            };
            assert_eq!((found, left), (wanted, Vec::new()), "{folder} {point}");
        }
        for point in ["files::before_place", "files::after_place", "files::before_flush"] {
            let (recovered, found, left) = die_at(point, folder, |_| create(folder, "b", b"new"));
            let wanted = match recovered {
                Recovered::Done(_) => set(&["before", "new"]),
                Recovered::NotDone => set(&["before"]),
                Recovered::Unclear => panic!("{folder} {point}: nobody else was there"),
            };
            assert_eq!((found, left), (wanted, Vec::new()), "{folder} {point}");
        }
        for point in ["files::before_aside", "files::after_aside", "files::before_flush"] {
            let (recovered, found, left) = die_at(point, folder, delete);
            let wanted = match recovered {
                Recovered::Done(_) => set(&[]),
                Recovered::NotDone => set(&["before"]),
                Recovered::Unclear => panic!("{folder} {point}: nobody else was there"),
            };
            assert_eq!((found, left), (wanted, Vec::new()), "{folder} {point}");
        }
        for point in ["files::before_rename", "files::after_rename", "files::before_flush"] {
            let change = |entry: &stores::Entry| update(entry, None, &entry.flags, Some(other));
            let (recovered, found, _) = die_at(point, folder, change);
            assert_eq!(matches!(recovered, Recovered::Done(_)), point != "files::before_rename", "{recovered:?}");
            assert_eq!(found, set(&["before"]));
            if is_mail {
                let (recovered, found, _) = die_at(point, folder, |entry| update(entry, None, &seen, None));
                assert_eq!(matches!(recovered, Recovered::Done(_)), point != "files::before_rename", "{recovered:?}");
                assert_eq!(found, set(&["before"]));
            }
        }
    }
    scenario.teardown();
}
