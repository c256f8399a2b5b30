//! Names, files and disks as they are in the world.
#![allow(clippy::unwrap_used)]

mod common;
#[cfg(target_os = "linux")]
use common::delete;
use common::{FilesSubject, apply, create, list, names, on_disk, read, update};
use pim::{Flag, Flags, FolderKind, FolderUid};
use std::{
    fs,
    time::{Duration, Instant, SystemTime},
};
use stores::{
    FolderId, Listing, Payload, Store, StoreError,
    files::{FilesStore, NameRules},
};

fn with_folder(kind: FolderKind) -> (FilesSubject, FilesStore, FolderId) {
    let home = FilesSubject::new();
    let mut store = home.open();
    let folder = store.create_folder(None, "Home", kind, FolderUid([1; 16])).unwrap();
    (home, store, folder.id)
}

#[cfg(target_os = "linux")]
#[test]
fn any_file_name_survives_here_and_gives_a_valid_wish() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let (home, mut store, folder) = with_folder(FolderKind::Contacts);
    let (_other, mut elsewhere, there) = with_folder(FolderKind::Contacts);
    let longest = format!("{}.vcf", "x".repeat(251));
    let odd: [&[u8]; 10] = [
        b"two\nlines.vcf",
        b"latin-\xe9.vcf",
        b"100%.vcf",
        longest.as_bytes(),
        "Caf\u{e9}.vcf".as_bytes(),
        "Cafe\u{301}.vcf".as_bytes(),
        b"case.vcf",
        b"CASE.VCF",
        b"what? a:b*c.vcf",
        b" .vcf",
    ];
    for name in odd {
        fs::write(home.root().join("contacts/Home").join(OsStr::from_bytes(name)), name).unwrap();
    }
    let entries = list(&mut store, &folder.0);
    assert_eq!(entries.len(), odd.len());
    for entry in &entries {
        let bytes = read(&store, entry);
        assert!(odd.contains(&&*bytes));
        let copy = apply(&mut elsewhere, create(&there.0, &entry.name, &bytes)).unwrap().unwrap();
        assert_eq!(read(&elsewhere, &copy), bytes);
        let edited = apply(&mut store, update(entry, Some(b"edited"), &Flags::default(), None)).unwrap().unwrap();
        assert_eq!(edited.href, entry.href);
        apply(&mut store, delete(&edited)).unwrap();
    }
    assert!(list(&mut store, &folder.0).is_empty());
    assert_eq!(list(&mut elsewhere, &there.0).len(), odd.len());
}

#[test]
fn names_are_made_valid_for_windows() {
    let home = FilesSubject::new();
    let mut store = FilesStore::open_at(home.spec()).with_name_rules(NameRules { windows: true });
    store.open().unwrap();
    let folder = store.create_folder(None, "a:b?", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    assert_eq!((&*folder.id.0, &*folder.name), ("contacts/a_b_", "a:b?"));
    let mailbox = store.create_folder(None, "a:b?", FolderKind::Mail, FolderUid([2; 16])).unwrap();
    assert_eq!(mailbox.name, "a:b?");
    assert!(!mailbox.id.0.contains([':', '?']));
    for (wish, name) in [("CON.vcf", "_CON.vcf"), ("x|y.vcf", "x_y.vcf"), ("end. .vcf", "end. .vcf")] {
        assert_eq!(apply(&mut store, create(&folder.id.0, wish, wish.as_bytes())).unwrap().unwrap().name, name);
    }
    let message = apply(&mut store, create("mail", "1.host", b"x")).unwrap().unwrap();
    let seen = Flags([Flag::Seen].into());
    apply(&mut store, update(&message, None, &seen, None)).unwrap();
    assert_eq!(names(&home.root().join("mail/cur")), ["1.host;2,S"]);
}

#[test]
fn a_base_that_leaves_no_room_for_flags_gets_another() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let base = "b".repeat(255);
    fs::write(home.root().join("mail/new").join(&base), b"long").unwrap();
    let entry = list(&mut store, "mail").remove(0);
    let seen = Flags([Flag::Seen].into());
    let flagged = apply(&mut store, update(&entry, None, &seen, None)).unwrap().unwrap();
    assert_ne!(flagged.href, entry.href);
    assert_eq!(flagged.flags, seen);
    assert_eq!(list(&mut store, "mail"), std::slice::from_ref(&flagged));
    assert_eq!(read(&store, &flagged), b"long");
}

#[test]
fn forty_levels_of_folders_hold_items() {
    let home = FilesSubject::new();
    let mut store = home.open();
    for (kind, first) in [(FolderKind::Mail, 0), (FolderKind::Contacts, 100)] {
        let mut parent: Option<FolderId> = None;
        for level in 0..40u8 {
            let name = format!("L{level}");
            let made = store.create_folder(parent.as_ref(), &name, kind, FolderUid([first + level; 16])).unwrap();
            assert_eq!(made.parent, parent);
            parent = Some(made.id);
        }
        let deepest = parent.unwrap();
        let entry = apply(&mut store, create(&deepest.0, "x", b"deep")).unwrap().unwrap();
        assert_eq!(read(&store, &entry), b"deep");
    }
    assert_eq!(store.folders().unwrap().len(), 81);
}

#[test]
fn a_mail_folder_too_long_for_one_name_is_shortened_or_refused() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let long = store.create_folder(None, &"ü".repeat(200), FolderKind::Mail, FolderUid([1; 16])).unwrap();
    assert!(long.name.starts_with("üü") && long.name.chars().count() < 200);
    let full = store.create_folder(None, &"x".repeat(254), FolderKind::Mail, FolderUid([2; 16])).unwrap();
    let refused = store.create_folder(Some(&full.id), "y", FolderKind::Mail, FolderUid([3; 16]));
    assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn links_pipes_and_sockets_are_no_items_and_links_to_folders_no_folders() {
    let (home, mut store, folder) = with_folder(FolderKind::Contacts);
    let path = home.root().join("contacts/Home");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.vcf"), b"secret").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.vcf"), path.join("link.vcf")).unwrap();
    std::os::unix::fs::symlink(outside.path(), home.root().join("contacts/Linked")).unwrap();
    std::os::unix::fs::symlink(&path, path.join("ring")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path.join("socket.vcf")).unwrap();
    for pipe in [path.join("pipe.vcf"), home.root().join("mail/new/pipe")] {
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    fs::create_dir(path.join("folder.vcf")).unwrap();
    fs::write(path.join("real.vcf"), b"real").unwrap();
    let entries = list(&mut store, &folder.0);
    assert_eq!(entries.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["real.vcf"]);
    assert!(list(&mut store, "mail").is_empty());
    assert!(!store.folders().unwrap().iter().any(|folder| ["Linked", "ring"].contains(&&*folder.name)));
    for name in ["link.vcf", "pipe.vcf", "folder.vcf", "socket.vcf"] {
        let read = store.reader().read(&stores::Href(format!("{}/{name}", folder.0)));
        assert!(read.is_err(), "{name}: {read:?}");
    }
}

#[test]
fn an_item_beyond_the_limit_is_listed_and_refused_by_name() {
    let (home, mut store, folder) = with_folder(FolderKind::Contacts);
    let path = home.root().join("contacts/Home");
    fs::File::create(path.join("huge.vcf")).unwrap().set_len(Payload::SIZE_MAX + 1).unwrap();
    fs::write(path.join("small.vcf"), b"x").unwrap();
    let entries = list(&mut store, &folder.0);
    assert_eq!(entries.len(), 2);
    let read = store.reader().read(&entries[0].href);
    assert!(matches!(read, Err(StoreError::TooLarge { size }) if size == Payload::SIZE_MAX + 1), "{read:?}");
    assert!(store.reader().read(&entries[1].href).is_ok());
}

#[test]
fn a_large_item_is_handed_over_as_a_file() {
    let (home, mut store, folder) = with_folder(FolderKind::Contacts);
    fs::write(home.root().join("contacts/Home/large.vcf"), vec![b'x'; 1 + (1 << 20)]).unwrap();
    let entry = list(&mut store, &folder.0).remove(0);
    let content = store.reader().read(&entry.href).unwrap();
    assert!(matches!(content.payload, Payload::File { size, .. } if size == 1 + (1 << 20)));
}

#[test]
fn a_hundred_thousand_messages_are_listed() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let cur = home.root().join("mail/cur");
    let started = Instant::now();
    // A link is a name like any other and quickly made; few file systems take more than 65,000 of one file.
    for first in (0..100_000).step_by(1_000) {
        let original = cur.join(on_disk(&format!("{first:06}.host:2,S")));
        fs::write(&original, b"message").unwrap();
        // A young message is asked again at each listing, and how long this loop takes is nobody's business.
        let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options().write(true).open(&original).unwrap().set_modified(an_hour_ago).unwrap();
        for number in first + 1..first + 1_000 {
            fs::hard_link(&original, cur.join(on_disk(&format!("{number:06}.host:2,S")))).unwrap();
        }
    }
    println!("made 100,000 names in {:?}", started.elapsed());
    let folder = FolderId("mail".into());
    let mut token = None;
    for what in ["first listing", "known names"] {
        let started = Instant::now();
        let Listing::Complete { entries, token: newer } = store.list(&folder, None).unwrap() else { panic!() };
        println!("{what}: {:?}", started.elapsed());
        assert_eq!(entries.len(), 100_000);
        token = Some(newer);
    }
    fs::write(home.root().join("mail/new/one.more"), b"new").unwrap();
    let started = Instant::now();
    let Listing::Changed { entries, .. } = store.list(&folder, token.as_ref()).unwrap() else { panic!() };
    println!("one more: {:?}", started.elapsed());
    assert_eq!(entries.len(), 1, "a hundred thousand that didn't change needn't be told");
    let started = Instant::now();
    let last = entries.last().unwrap();
    let flagged = apply(&mut store, update(last, None, &Flags([Flag::Flagged].into()), None)).unwrap();
    println!("one flag: {:?}", started.elapsed());
    assert!(flagged.is_some());
}

/// Runs `test` with the root of a store on a file system of its own, if this user may mount one.
#[cfg(target_os = "linux")]
fn on_small_disk(bytes: u64, test: impl FnOnce(&std::path::Path)) {
    let home = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| {
        let status = std::process::Command::new("mount").args(arguments).arg(home.path()).output();
        status.is_ok_and(|output| output.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]) {
        println!("skipped: this user may not mount a file system");
        return;
    }
    struct Unmount(std::path::PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            let _ = std::process::Command::new("umount").arg(&self.0).output();
        }
    }
    let _unmount = Unmount(home.path().to_owned());
    test(home.path());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_nothing_is_left_behind() {
    on_small_disk(2 << 20, |root| {
        let spec = stores::files::FilesSpec::at(root);
        stores::files::prepare(&spec).unwrap();
        let mut store = FilesStore::open_at(spec);
        store.open().unwrap();
        let folder = store.create_folder(None, "Home", FolderKind::Contacts, FolderUid([1; 16])).unwrap().id;
        let first = apply(&mut store, create(&folder.0, "first.vcf", &vec![b'a'; 1 << 20])).unwrap().unwrap();
        let large = vec![b'b'; 3 << 19];
        let changes: Vec<_> = [
            create(&folder.0, "small.vcf", b"small"),
            create(&folder.0, "large.vcf", &large),
            update(&first, Some(&large), &Flags::default(), None),
            create("mail", "large", &large),
            create("mail", "m1", b"m1"),
            create("mail", "m2", b"m2"),
        ]
        .into();
        let staged = store.stage(&changes);
        for (index, result) in staged.iter().enumerate() {
            let is_large = (1..=3).contains(&index);
            let is_told = matches!(result, Err(StoreError::NoSpace { need }) if *need == 3 << 19);
            assert_eq!(is_told, is_large, "{index}: {result:?}");
        }
        let intents: Vec<_> = staged.into_iter().flatten().collect();
        assert!(store.commit(&intents).iter().all(Result::is_ok));
        assert_eq!(names(&root.join(&folder.0)), [".tandem-folder", "first.vcf", "small.vcf"]);
        assert!(names(&root.join("mail/tmp")).is_empty());
        assert_eq!(read(&store, &first).len(), 1 << 20);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_disk_is_told_as_such() {
    on_small_disk(2 << 20, |root| {
        let spec = stores::files::FilesSpec::at(root);
        stores::files::prepare(&spec).unwrap();
        let mut store = FilesStore::open_at(spec.clone());
        let id = store.open().unwrap();
        let entry = apply(&mut store, create("mail", "1", b"x")).unwrap().unwrap();
        let staged = store.stage(&[create("mail", "2", b"y"), delete(&entry)]);
        let intents: Vec<_> = staged.into_iter().map(Result::unwrap).collect();
        let remounted = std::process::Command::new("mount").args(["-o", "remount,ro"]).arg(root).status().unwrap();
        assert!(remounted.success());
        for written in store.commit(&intents) {
            assert!(matches!(written, Err(StoreError::Permission { .. })), "{written:?}");
        }
        let told = store.stage(&[create("mail", "3", b"z")]).remove(0);
        assert!(matches!(told, Err(StoreError::Permission { .. })), "{told:?}");
        let told = store.create_folder(None, "New", FolderKind::Mail, FolderUid([1; 16]));
        assert!(matches!(told, Err(StoreError::Permission { .. })), "{told:?}");
        // Reading goes on.
        let mut again = FilesStore::open_at(spec).expecting(id);
        again.open().unwrap();
        assert_eq!(list(&mut again, "mail").len(), 1);
    });
}
