//! Other programs work in the same folders at the same time, and programs die.
#![allow(clippy::unwrap_used)]

mod common;
use common::{FilesSubject, apply, create, delete, list, names, on_disk, read, stage, update};
use pim::{Flag, Flags, FolderKind, FolderUid};
use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    path::Path,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};
use stores::{FolderId, Listing, Recovered, Store, StoreError, files::FilesStore};

fn with_contacts() -> (FilesSubject, FilesStore) {
    let home = FilesSubject::new();
    let mut store = home.open();
    store.create_folder(None, "Home", FolderKind::Contacts, FolderUid([1; 16])).unwrap();
    (home, store)
}

/// As editors save: another program may have the file in its hands for a moment, which Windows minds.
fn saved_over(new: &Path, path: &Path) {
    while let Err(error) = fs::rename(new, path) {
        assert!(cfg!(windows) && error.kind() == ErrorKind::PermissionDenied, "{error:?}");
    }
}

#[test]
fn an_edit_that_races_with_our_write_is_never_lost() {
    let (home, mut store) = with_contacts();
    let path = home.root().join("contacts/Home/a.vcf");
    let (mut ours, mut theirs) = (0, 0);
    for round in 0..300 {
        fs::write(&path, format!("before {round}")).unwrap();
        let entry = list(&mut store, "contacts/Home").remove(0);
        let intent = stage(&mut store, update(&entry, Some(b"ours"), &Flags::default(), None));
        let edited = format!("theirs {round}, another length");
        let together = Barrier::new(2);
        let written = std::thread::scope(|scope| {
            scope.spawn(|| {
                let new = home.root().join("contacts/Home/.a.vcf.new");
                fs::write(&new, &edited).unwrap();
                together.wait();
                saved_over(&new, &path);
            });
            together.wait();
            store.commit(&[intent]).remove(0)
        });
        match written {
            Ok(_) => ours += 1,
            Err(StoreError::Changed) => theirs += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), edited, "round {round}");
        assert_eq!(names(&home.root().join("contacts/Home")), [".tandem-folder", "a.vcf"]);
    }
    println!("{ours} writes came first, {theirs} were refused");
}

#[test]
fn an_edit_that_races_with_our_deletion_is_never_lost() {
    let (home, mut store) = with_contacts();
    let path = home.root().join("contacts/Home/a.vcf");
    for round in 0..300 {
        fs::write(&path, format!("before {round}")).unwrap();
        let entry = list(&mut store, "contacts/Home").remove(0);
        let intent = stage(&mut store, delete(&entry));
        let edited = format!("theirs {round}, another length");
        let together = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let new = home.root().join("contacts/Home/.a.vcf.new");
                fs::write(&new, &edited).unwrap();
                together.wait();
                saved_over(&new, &path);
            });
            together.wait();
            let _ = store.commit(&[intent]);
        });
        // The edit is the file, or stands beside a file that came back in the same moment; it is nowhere else.
        assert_eq!(fs::read_to_string(&path).unwrap(), edited, "round {round}");
    }
}

#[test]
fn messages_renamed_and_delivered_during_our_commits_are_all_still_there() {
    let home = FilesSubject::new();
    let mut store = home.open();
    store.create_folder(None, "Other", FolderKind::Mail, FolderUid([1; 16])).unwrap();
    let mail = home.root().join("mail");
    for number in 0..200 {
        fs::write(mail.join(on_disk(&format!("cur/{number}.host:2,"))), format!("message {number}")).unwrap();
    }
    let is_over = AtomicBool::new(false);
    let delivered = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            // A mail program that marks whatever it sees as read or unread.
            while !is_over.load(Ordering::Relaxed) {
                for name in names(&mail.join("cur")) {
                    let other =
                        if name.ends_with('S') { name.trim_end_matches('S').into() } else { format!("{name}S") };
                    let _ = fs::rename(mail.join("cur").join(&name), mail.join("cur").join(other));
                }
            }
        });
        let delivery = scope.spawn(|| {
            let mut count = 0;
            // On a slow machine the rounds must not grow with what comes in between.
            while !is_over.load(Ordering::Relaxed) && count < 300 {
                let name = format!("d{count}.host");
                fs::write(mail.join("tmp").join(&name), format!("delivered {count}")).unwrap();
                fs::rename(mail.join("tmp").join(&name), mail.join("new").join(&name)).unwrap();
                count += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            count
        });
        for round in 0..60 {
            let entries = store.list(&FolderId("mail".into()), None).unwrap().into_entries();
            let changes: Vec<_> = entries
                .iter()
                .skip(round % 7)
                .step_by(7)
                .map(|entry| match round % 3 {
                    0 => update(entry, None, &entry.flags, Some("mail/.Other")),
                    _ => update(entry, None, &Flags([Flag::Flagged].into()), None),
                })
                .collect();
            let intents: Vec<_> = store.stage(&changes).into_iter().map(Result::unwrap).collect();
            for written in store.commit(&intents) {
                assert!(matches!(written, Ok(_) | Err(StoreError::Changed)), "{written:?}");
            }
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        delivery.join().unwrap()
    });
    let mut contents = BTreeSet::new();
    let mut files = 0;
    for folder in ["cur", "new", ".Other/cur", ".Other/new"] {
        for name in names(&mail.join(folder)) {
            contents.insert(fs::read_to_string(mail.join(folder).join(name)).unwrap());
            files += 1;
        }
    }
    assert_eq!((files, contents.len()), (200 + delivered, 200 + delivered), "nothing lost, nothing twice");
    assert!(names(&mail.join("tmp")).is_empty());
}

#[test]
fn a_listing_sees_every_message_while_flags_change() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let cur = home.root().join("mail/cur");
    for number in 0..300 {
        fs::write(cur.join(on_disk(&format!("{number}.host:2,"))), b"x").unwrap();
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for name in names(&cur).into_iter().take(20) {
                    let other =
                        if name.ends_with('S') { name.trim_end_matches('S').into() } else { format!("{name}S") };
                    let _ = fs::rename(cur.join(&name), cur.join(other));
                }
                std::thread::sleep(Duration::from_millis(15));
            }
        });
        let (mut complete, mut partial) = (0, 0);
        for _ in 0..30 {
            match store.list(&FolderId("mail".into()), None).unwrap() {
                // A message hidden between two names must not look deleted.
                Listing::Complete { entries, .. } => {
                    complete += 1;
                    assert_eq!(entries.len(), 300);
                }
                Listing::Partial { .. } => partial += 1,
                Listing::Unchanged | Listing::Changed { .. } => unreachable!("no token was given"),
            }
        }
        is_over.store(true, Ordering::Relaxed);
        println!("{complete} complete listings, {partial} partial ones");
    });
}

#[test]
fn an_edit_caught_by_a_crash_on_its_way_back_is_put_back() {
    let (home, mut store) = with_contacts();
    let folder = home.root().join("contacts/Home");
    fs::write(folder.join("a.vcf"), b"before").unwrap();
    let entry = list(&mut store, "contacts/Home").remove(0);
    let intent = stage(&mut store, update(&entry, Some(b"ours"), &Flags::default(), None));
    // The program died right after it exchanged its file with an edit that it had not seen.
    let staging = folder.join(".tandem-tmp");
    let staged = staging.join(names(&staging).remove(0));
    fs::rename(&staged, folder.join("a.vcf")).unwrap();
    fs::write(&staged, b"theirs").unwrap();
    let recovered = store.recover(&[intent]).remove(0);
    assert!(matches!(recovered, Recovered::Unclear), "{recovered:?}");
    assert_eq!(fs::read(folder.join("a.vcf")).unwrap(), b"theirs");
    assert_eq!(names(&folder), [".tandem-folder", "a.vcf"]);
}

#[test]
fn a_deletion_cut_in_the_middle_is_finished_or_taken_back() {
    let (home, mut store) = with_contacts();
    let folder = home.root().join("contacts/Home");
    for (content_aside, is_done) in [(&b"before"[..], true), (b"theirs, longer", false)] {
        fs::write(folder.join("a.vcf"), b"before").unwrap();
        let entry = list(&mut store, "contacts/Home").remove(0);
        let intent = stage(&mut store, delete(&entry));
        // The name under which the file is moved aside stands in the intent.
        let text = String::from_utf8_lossy(&intent.0).into_owned();
        let aside = &text[text.find("tandem-").unwrap()..];
        fs::create_dir_all(folder.join(".tandem-tmp")).unwrap();
        fs::rename(folder.join("a.vcf"), folder.join(".tandem-tmp").join(aside)).unwrap();
        if !is_done {
            fs::write(folder.join(".tandem-tmp").join(aside), content_aside).unwrap();
        }
        let recovered = store.recover(&[intent]).remove(0);
        assert_eq!(matches!(recovered, Recovered::Done(_)), is_done, "{recovered:?}");
        assert_eq!(folder.join("a.vcf").exists(), !is_done);
        assert!(!folder.join(".tandem-tmp").exists());
    }
    assert_eq!(fs::read(folder.join("a.vcf")).unwrap(), b"theirs, longer");
}

#[test]
fn a_draft_cut_between_new_and_old_ends_as_one() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let entry = apply(&mut store, create("mail", "draft", b"before")).unwrap().unwrap();
    let intent = stage(&mut store, update(&entry, Some(b"after"), &Flags::default(), None));
    let kept = home.root().join("kept");
    fs::copy(home.root().join(on_disk("mail/cur/draft:2,")), &kept).unwrap();
    let before = fs::metadata(home.root().join(on_disk("mail/cur/draft:2,"))).unwrap();
    // Carried out up to the removal of the old file.
    let hard_link = home.root().join("old");
    fs::hard_link(home.root().join(on_disk("mail/cur/draft:2,")), &hard_link).unwrap();
    let written = store.commit(std::slice::from_ref(&intent)).remove(0).unwrap();
    fs::rename(&hard_link, home.root().join(on_disk("mail/cur/draft:2,"))).unwrap();
    assert_eq!(fs::metadata(home.root().join(on_disk("mail/cur/draft:2,"))).unwrap().len(), before.len());

    let recovered = store.recover(&[intent]).remove(0);
    assert!(matches!(&recovered, Recovered::Done(done) if *done == written), "{recovered:?}");
    let entries = list(&mut store, "mail");
    assert_eq!(entries.len(), 1);
    assert_eq!(read(&store, &entries[0]), b"after");
}

#[test]
fn equal_new_items_are_each_found_once_after_a_crash() {
    let (_home, mut store) = with_contacts();
    let changes = [create("contacts/Home", "same.vcf", b"same"), create("contacts/Home", "same.vcf", b"same")];
    let intents: Vec<_> = store.stage(&changes).into_iter().map(Result::unwrap).collect();
    assert!(store.commit(&intents).iter().all(Result::is_ok));
    let hrefs: BTreeSet<_> = store
        .recover(&intents)
        .into_iter()
        .map(|recovered| match recovered {
            Recovered::Done(written) => written.entry.unwrap().href,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(hrefs.len(), 2);
}

#[test]
fn what_was_staged_long_ago_is_swept_at_start_and_nothing_else() {
    let (home, _store) = with_contacts();
    let tmp = home.root().join("mail/tmp");
    let staging = home.root().join("contacts/Home/.tandem-tmp");
    fs::create_dir(&staging).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let (old, young) = (format!("tandem-{}-aa", now - 37 * 3600), format!("tandem-{}-aa", now - 35 * 3600));
    for folder in [&tmp, &staging] {
        for name in [&*old, &*young, "1.delivery.host"] {
            fs::write(folder.join(name), b"x").unwrap();
        }
    }
    home.open();
    assert_eq!(names(&tmp), ["1.delivery.host", &*young]);
    assert_eq!(names(&staging), ["1.delivery.host", &*young]);
}

#[test]
fn a_message_touched_in_place_is_refused_once_and_then_listed_anew() {
    let home = FilesSubject::new();
    let mut store = home.open();
    let entry = apply(&mut store, create("mail", "1", b"before")).unwrap().unwrap();
    let token = match store.list(&FolderId("mail".into()), None).unwrap() {
        Listing::Complete { token, .. } => token,
        other => panic!("{other:?}"),
    };
    fs::write(home.root().join(on_disk("mail/cur/1:2,")), b"edited in place").unwrap();
    assert!(matches!(apply(&mut store, delete(&entry)), Err(StoreError::Changed)));
    // The folder's own time says nothing; the refusal does.
    let Listing::Complete { entries, .. } = store.list(&FolderId("mail".into()), Some(&token)).unwrap() else {
        panic!("the edit stays hidden")
    };
    assert_ne!(entries[0].rev, entry.rev);
    apply(&mut store, delete(&entries[0])).unwrap();
}

#[test]
fn the_watch_tells_folders_even_new_ones_and_not_our_staging() {
    let (home, mut store) = with_contacts();
    let (sender, woken) = mpsc::channel();
    let _watch = store.watch(Box::new(move |hint| drop(sender.send(hint)))).unwrap();
    let calm = || while woken.recv_timeout(Duration::from_millis(150)).is_ok() {};
    calm();
    let intent = stage(&mut store, create("contacts/Home", "a.vcf", b"x"));
    let message = stage(&mut store, create("mail", "1", b"x"));
    assert!(woken.recv_timeout(Duration::from_millis(200)).is_err(), "staging wakes nobody");
    store.commit(&[intent, message]);
    let hints: BTreeSet<_> = (0..2).map(|_| woken.recv_timeout(Duration::from_secs(5)).unwrap()).collect();
    let folder = |id: &str| Some(FolderId(id.into()));
    assert_eq!(hints, BTreeSet::from([folder("contacts/Home"), folder("mail")]));
    calm();
    fs::create_dir(home.root().join("contacts/New")).unwrap();
    assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), None);
    calm();
    fs::write(home.root().join("contacts/New/b.vcf"), b"x").unwrap();
    assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), folder("contacts/New"));
    calm();
    // Under another name it is the same folder to the system.
    fs::rename(home.root().join("contacts/New"), home.root().join("contacts/Renamed")).unwrap();
    assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), None);
    calm();
    fs::write(home.root().join("contacts/Renamed/c.vcf"), b"x").unwrap();
    assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), folder("contacts/Renamed"));
    calm();
    // And under the same name it may be another one.
    fs::rename(home.root().join("contacts/Renamed"), home.root().join("contacts/Old")).unwrap();
    fs::create_dir(home.root().join("contacts/Renamed")).unwrap();
    assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), None);
    calm();
    for place in ["contacts/Renamed", "contacts/Old"] {
        fs::write(home.root().join(place).join("d.vcf"), b"x").unwrap();
        assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), folder(place));
        calm();
    }
    fs::create_dir_all(home.root().join("mail/.New/cur")).unwrap();
    calm();
    fs::write(home.root().join(on_disk("mail/.New/cur/1:2,")), b"x").unwrap();
    assert_eq!(woken.recv_timeout(Duration::from_secs(5)).unwrap(), folder("mail/.New"));
}
