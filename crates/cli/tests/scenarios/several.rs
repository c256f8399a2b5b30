//! A computer whose data lies in several places, and another one that has it in one.

use crate::computer::{Computer, card, event, mail};
use std::{fs, path::Path};

/// The texts of the files in a folder, whatever they are called.
fn texts(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = names
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    let mut texts: Vec<String> = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    texts
}

#[test]
fn a_mailbox_and_an_archive_are_one_computers_data() {
    let (office, laptop) = (Computer::new(), Computer::new());
    let archive = laptop.path("Archive");
    fs::create_dir_all(archive.join("contacts/Friends")).unwrap();
    for below in ["cur", "new", "tmp", ".Old/cur", ".Old/new", ".Old/tmp"] {
        fs::create_dir_all(archive.join("mail").join(below)).unwrap();
    }
    fs::write(archive.join("mail/.Old/cur/9.host:2,S"), mail("archived")).unwrap();
    fs::write(archive.join("contacts/Friends/carl.vcf"), card("Carl", "3", "C")).unwrap();
    laptop.write("contacts/Friends/bert.vcf", card("Bert", "2", "B"));
    office.write("mail/cur/1.host:2,S", mail("first"));
    office.write("contacts/Friends/anna.vcf", card("Anna", "1", "A"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);

    // What would show the same twice is refused before anybody is asked for anything.
    for same in [laptop.store(), format!("files:mail={}", laptop.data().join("mail").display())] {
        laptop.join(&invitation, &["--store", &same, "--preview"]).told(2, "D28");
    }
    let second = format!("files:{}", archive.display());
    laptop.join(&invitation, &["--store", &second, "--yes"]).went_well();
    office.soon("the archive is there, under names of its own", |office| {
        office.has("contacts/Friends (Archive)/carl.vcf")
            && office.contents().keys().any(|path| path.starts_with("mail/.Old (Archive)/cur/"))
    });
    assert!(office.has("contacts/Friends/bert.vcf"));
    assert_eq!(texts(&laptop.data().join("contacts/Friends")), [card("Anna", "1", "A"), card("Bert", "2", "B")]);
    assert_eq!(texts(&archive.join("contacts/Friends")), [card("Carl", "3", "C")]);

    // A message goes into the archive there, and so it does here: from one place into the other.
    let first = office.contents().into_keys().find(|path| path.starts_with("mail/cur/")).unwrap();
    let name = first.rsplit('/').next().unwrap().to_owned();
    fs::rename(office.data().join(&first), office.data().join("mail/.Old (Archive)/cur").join(name)).unwrap();
    office.write("contacts/New/dora.vcf", card("Dora", "4", "D"));
    laptop.tandem(&["sync"]).went_well();
    assert_eq!(texts(&archive.join("mail/.Old/cur")), {
        let mut both = [mail("archived"), mail("first")];
        both.sort();
        both
    });
    assert_eq!(texts(&laptop.data().join("mail/cur")), [""; 0]);
    assert!(laptop.has("contacts/New/dora.vcf"), "what is new goes to the first place");

    // And back, by a person here, with an edit in the archive beside it.
    let archived = fs::read_dir(archive.join("mail/.Old/cur")).unwrap().map(|entry| entry.unwrap().path());
    let back = archived.into_iter().find(|path| fs::read_to_string(path).unwrap() == mail("first")).unwrap();
    fs::rename(&back, laptop.data().join("mail/cur").join(back.file_name().unwrap())).unwrap();
    fs::write(archive.join("contacts/Friends/carl.vcf"), card("Carl", "33", "C")).unwrap();
    laptop.tandem(&["sync"]).went_well();
    office.soon("it is back, and the edit is there", |office| {
        office.contents().keys().filter(|path| path.starts_with("mail/cur/")).count() == 1
            && office.read("contacts/Friends (Archive)/carl.vcf") == card("Carl", "33", "C")
    });

    // While one of the places is gone, nothing looks deleted.
    let away = laptop.path("away");
    fs::rename(&archive, &away).unwrap();
    laptop.tandem(&["sync"]).told(7, "D03");
    assert!(office.has("contacts/Friends (Archive)/carl.vcf"));
    fs::rename(&away, &archive).unwrap();
    laptop.tandem(&["sync"]).went_well();
    assert!(office.has("contacts/Friends (Archive)/carl.vcf") && archive.join("contacts/Friends/carl.vcf").exists());
}

/// Evolution as people have it: mail in its own Maildir, the rest in Evolution Data Server.
#[cfg(target_os = "linux")]
#[test]
fn mail_in_a_maildir_and_the_rest_in_evolution_are_one_computers_data() {
    let Some(session) = crate::session::Session::start() else { return };
    let (office, laptop) = (Computer::new(), Computer::in_session(session.address()));
    let local = laptop.path("evolution/mail/local");
    for below in ["cur", "new", "tmp", ".Outbox/cur", ".Outbox/new", ".Outbox/tmp"] {
        fs::create_dir_all(local.join(below)).unwrap();
    }
    fs::write(local.join("..maildir++"), "maildir++ 1").unwrap();
    fs::write(local.join("cur/1.host:2,S"), mail("mine")).unwrap();
    fs::write(local.join(".Outbox/cur/2.host:2,"), mail("waiting")).unwrap();
    office.write("mail/cur/1.host:2,S", mail("yours"));
    office.write("contacts/Office/carl.vcf", card("Carl", "3", "C"));
    office.write("calendars/Work/monday.ics", event("Monday"));
    office.become_server();
    let serving = office.stay(&["serve"]);
    let second = format!("files:mail={}", local.display());
    laptop.join(&office.invite(&serving), &["--store", &second, "--yes"]).went_well();
    office.soon("both messages", |office| {
        office.contents().keys().filter(|path| path.starts_with("mail/cur/")).count() == 2
    });
    assert_eq!(texts(&local.join("cur")), [mail("mine"), mail("yours")]);
    let counted = |laptop: &Computer| {
        let found = laptop.json(&["stores"]);
        let folders = found["evolution"]["folders"].as_array().unwrap().clone();
        let named = |folder: &serde_json::Value| {
            format!("{}/{}: {}", folder["kind"].as_str().unwrap(), folder["name"].as_str().unwrap(), folder["items"])
        };
        let mut counted: Vec<_> = folders.iter().map(named).filter(|text| !text.ends_with(": 0")).collect();
        counted.sort();
        counted
    };
    assert_eq!(counted(&laptop), ["calendar/Work: 1", "contacts/Office: 1"]);
    assert!(!office.contents().keys().any(|path| path.contains("Outbox")), "what waits to be sent is nobody else's");

    // Old data goes where its kind belongs, without a place being named.
    let (book, mbox) = (laptop.path("Friends.vcf"), laptop.path("Old.mbox"));
    fs::write(&book, card("Dora", "4", "D")).unwrap();
    fs::write(&mbox, format!("From anna@example.org Mon Nov 16 10:12:05 2026\n{}", mail("old"))).unwrap();
    let files = [&book, &mbox].map(|file| file.display().to_string());
    assert_eq!(laptop.json(&["import", &files[0], &files[1]])["added"], 2);
    laptop.tandem(&["sync"]).went_well();
    office.soon("both are there", |office| {
        let names = office.contents();
        names.keys().any(|path| path.starts_with("contacts/Friends/"))
            && names.keys().any(|path| path.starts_with("mail/.Old/"))
    });
    // Deletions in each place arrive.
    office.delete("contacts/Office/carl.vcf");
    let yours =
        office.contents().into_keys().find(|path| path.starts_with("mail/cur/") && office.read(path) == mail("yours"));
    office.delete(&yours.unwrap());
    laptop.tandem(&["sync"]).went_well();
    assert_eq!(texts(&local.join("cur")), [mail("mine")]);
    assert_eq!(counted(&laptop), ["calendar/Work: 1", "contacts/Friends: 1"]);
}
