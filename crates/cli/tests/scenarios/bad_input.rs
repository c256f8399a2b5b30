//! What goes wrong is told with its code and ends with its exit code, and nothing is lost by it.

use crate::computer::{Computer, PASSWORD, Pair, card, everything, mail};
use identity::{IdentityKey, Invitation, ServiceId};
use serde_json::json;
use std::{fs, path::Path};

/// A server that runs, its invitation, and a computer that isn't set up.
fn server_and_stranger() -> (Computer, crate::computer::Staying, std::path::PathBuf, Computer) {
    let office = Computer::new();
    everything(&office);
    office.become_server();
    let serving = office.stay(&["serve"]);
    let invitation = office.invite(&serving);
    (office, serving, invitation, Computer::new())
}

#[test]
fn a_wrong_password_opens_nothing_and_the_right_one_still_does() {
    let (office, _serving, invitation, laptop) = server_and_stranger();
    laptop.write("notes/Ideas/mine.txt", "mine\n");
    fs::write(laptop.path("password"), "not-the-right-one-at-all").unwrap();
    let before = (office.contents(), laptop.contents());
    laptop.join(&invitation, &["--yes"]).told(4, "A01");
    laptop.tandem(&["status"]).told(2, "C05");
    assert_eq!((office.contents(), laptop.contents()), before);
    assert_eq!(office.json(&["devices"])["devices"], json!([]));
    fs::write(laptop.path("password"), PASSWORD).unwrap();
    laptop.join(&invitation, &["--yes"]).went_well();
}

#[test]
fn no_password_and_an_unreadable_password_file_are_told_before_anything_is_tried() {
    let (office, _serving, invitation, laptop) = server_and_stranger();
    let invitation = invitation.display().to_string();
    laptop.tandem(&["join", &invitation, "--store", &laptop.store()]).told(4, "A10");
    let missing = ["join", &invitation, "--store", &laptop.store(), "--password-file", "/nowhere/p"];
    laptop.tandem(&missing).told(2, "C20");
    assert!(!laptop.data().exists());
    assert_eq!(office.json(&["devices"])["devices"], json!([]));
}

#[test]
fn a_server_with_another_key_is_not_the_one_that_was_meant() {
    let (office, _serving, invitation, laptop) = server_and_stranger();
    let original = Invitation::parse(&fs::read(invitation).unwrap()).unwrap();
    let impostor = IdentityKey::generate();
    let forged = Invitation { public_key: impostor.public(), ticket: None, ..original.clone() };
    let file = laptop.path("forged.tandem");
    fs::write(&file, forged.to_file(&impostor).unwrap()).unwrap();
    let refused = laptop.join(&file, &["--yes"]);
    assert_eq!(refused.exit, 4, "{refused:?}");
    assert!(refused.stderr.contains("[A02]"), "{refused:?}");
    assert_eq!(office.json(&["devices"])["devices"], json!([]));

    // Somebody else's server doesn't live there at all: to a stranger the port is silent.
    let foreign = Invitation { service_id: ServiceId::generate(), ..forged };
    fs::write(&file, foreign.to_file(&impostor).unwrap()).unwrap();
    let silent = laptop.join(&file, &["--yes"]);
    assert_eq!(silent.exit, 3, "{silent:?}");
    assert!(silent.stderr.contains("[N04]"), "{silent:?}");
}

#[test]
fn a_damaged_a_newer_and_no_invitation_at_all_are_told_apart() {
    let (_office, _serving, invitation, laptop) = server_and_stranger();
    let text = fs::read_to_string(&invitation).unwrap();
    let file = laptop.path("given.tandem");
    for (given, exit, code) in [
        (text.replace("Office PC", "Office PX"), 2, "V01"),
        (text[..text.len() / 2].to_owned(), 2, "V01"),
        (text.replace("\"v\": 1", "\"v\": 2").replace("\"v\":1", "\"v\":2"), 1, "V02"),
        ("\u{89}PNG".to_owned(), 2, "V04"),
        (String::new(), 2, "V04"),
        ("x".repeat(100_000), 2, "V04"),
    ] {
        fs::write(&file, given).unwrap();
        laptop.join(&file, &["--yes"]).told(exit, code);
    }
    laptop.join(&laptop.path("missing.tandem"), &["--yes"]).told(2, "C20");
    assert!(!laptop.path("profile/config.toml").exists());
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_folder_are_no_invitations() {
    let laptop = Computer::new();
    let pipe = laptop.path("pipe.tandem");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for no_file in [pipe, laptop.path("")] {
        laptop.join(&no_file, &["--yes"]).told(2, "C20");
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_an_invitation_and_to_nothing_that_has_no_end() {
    use std::os::unix::fs::symlink;
    let (_office, _serving, invitation, laptop) = server_and_stranger();
    let link = laptop.path("link.tandem");
    let pipe = laptop.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for no_file in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/nowhere/at/all"), &laptop.path("")] {
        symlink(no_file, &link).unwrap();
        laptop.join(&link, &["--yes"]).told(2, "C20");
        fs::remove_file(&link).unwrap();
    }
    // A gigabyte that takes no room on the disk, behind what begins as an invitation.
    let endless = laptop.path("endless.tandem");
    fs::copy(&invitation, &endless).unwrap();
    fs::File::options().write(true).open(&endless).unwrap().set_len(1 << 30).unwrap();
    let refused = laptop.join(&endless, &["--yes"]);
    assert!(refused.exit == 2 && refused.stderr.contains("[V0"), "{refused:?}");
    symlink(&invitation, &link).unwrap();
    laptop.join(&link, &["--yes"]).went_well();
}

#[test]
fn an_invitation_of_another_server_does_not_replace_the_one_that_is_there() {
    let pair = Pair::joined(|office, _| everything(office));
    let (_other, _other_serving, other_invitation, _) = server_and_stranger();
    pair.laptop.join(&other_invitation, &["--yes"]).told(2, "V06");
    pair.sync();
}

#[test]
fn a_profile_has_one_role_and_one_server() {
    let (office, _serving, invitation, _) = server_and_stranger();
    let init = ["init", "--server", "--name", "Second", "--store", &office.store()];
    let password = office.path("password").display().to_string();
    office.tandem(&[&init[..], &["--password-file", &password]].concat()).told(2, "C06");
    office.join(&invitation, &["--yes"]).told(2, "C06");
    assert_eq!(office.json(&["status"])["name"], "Office PC");
}

#[test]
fn what_only_the_other_side_can_do_is_refused() {
    let pair = Pair::joined(|office, _| everything(office));
    for server_only in [&["serve"][..], &["invite"], &["devices"], &["service-id", "renew"], &["devices", "add-window"]]
    {
        pair.laptop.tandem(server_only).told(2, "C15");
    }
    drop(pair.serving);
    pair.office.tandem(&["run"]).told(2, "C16");
}

#[test]
fn what_is_not_set_up_or_not_running_says_so() {
    let computer = Computer::new();
    for command in
        [&["status"][..], &["serve"], &["run"], &["sync"], &["folders"], &["history"], &["pause"], &["leave"]]
    {
        computer.tandem(command).told(2, "C05");
    }
    computer.become_server();
    computer.tandem(&["pause", "1h"]).told(75, "C12");
}

#[test]
fn what_does_not_exist_is_named() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.laptop.tandem(&["folders", "set", "mail/Nowhere", "--direction", "off"]).told(2, "C08");
    pair.laptop.tandem(&["held", "allow", "mail/Nowhere"]).told(2, "C08");
    pair.laptop.tandem(&["conflicts", "show", "feed"]).told(2, "C09");
    pair.laptop.tandem(&["conflicts", "resolve", "feed", "--keep", "both"]).told(2, "C09");
    pair.laptop.tandem(&["undo", "feed"]).told(2, "C10");
    pair.office.tandem(&["devices", "remove", "feed"]).told(2, "C07");
    pair.office.tandem(&["folders", "release", "mail", "--device", "feed", "on"]).told(2, "C07");
    pair.office.tandem(&["invite", "--out", "/nowhere/office.tandem"]).told(2, "C19");
    // Numbers only: what a name leads to, whoever answers for it decides.
    for hint in ["no port", "192.168.1.10", "office.example:47113", "localhost:47113"] {
        let ran = pair.office.tandem(&["invite", "--hint", hint]);
        assert!(ran.exit == 2 && ran.stderr.contains("--hint <ADDR:PORT>"), "{ran:?}");
    }
}

#[test]
fn a_place_that_is_no_store_is_described_and_left_as_it_is() {
    let init = |computer: &Computer, store: &str| {
        let password = computer.path("password").display().to_string();
        computer.tandem(&["init", "--server", "--name", "Office PC", "--store", store, "--password-file", &password])
    };
    let pictures = Computer::new();
    pictures.write("holiday.jpg", "\u{ff}\u{d8}");
    init(&pictures, &pictures.store()).told(7, "D06");
    assert_eq!(pictures.contents().len(), 1);

    let maildir = Computer::new();
    maildir.write("mail/cur/1.a:2,S", mail("first"));
    let place = maildir.data().join("mail");
    let refused = init(&maildir, &format!("files:{}", place.display()));
    refused.told(7, "D06");
    assert!(refused.stderr.contains("files:mail="), "{refused:?}");
    init(&maildir, &format!("files:mail={}", place.display())).went_well();

    let loose = Computer::new();
    loose.write("one.eml", mail("one"));
    loose.write("book.vcf", card("Anna", "1", "A") + &card("Bert", "2", "B"));
    init(&loose, &loose.store()).told(7, "D09");
    let (one, book) = (loose.data().join("one.eml"), loose.data().join("book.vcf"));
    let store = format!("files:{}", loose.path("imported").display());
    let (one, book) = (one.display().to_string(), book.display().to_string());
    let imported = loose.json(&["import", &one, &book, "--into", &store]);
    assert_eq!((&imported["added"], &imported["refusedCount"]), (&json!(3), &json!(0)));
    init(&loose, &store).went_well();
    // Now the store needn't be named, and nothing comes twice.
    let again = loose.json(&["import", &one, &book, "--preview"]);
    assert_eq!((&again["added"], &again["present"]), (&json!(0), &json!(3)));
    let out = loose.path("out.vcf").display().to_string();
    let exported = loose.json(&["export", "--folder", "contacts/book", "--to", &out]);
    assert_eq!(exported["items"], 2);
    loose.tandem(&["export", "--folder", "contacts/none", "--to", &out]).told(2, "C08");

    for store in ["/home/anna", "imap:anna", "files:"] {
        init(&Computer::new(), store).told(2, "D14");
    }
    if cfg!(not(windows)) {
        init(&Computer::new(), "outlook:default").told(7, "D16");
    }
}

#[test]
fn a_weak_password_and_an_impossible_name_are_refused() {
    let computer = Computer::new();
    let init = |name: &str, password: &str, internet: &str| {
        let file = computer.path("given");
        fs::write(&file, password).unwrap();
        let file = file.display().to_string();
        let store = computer.store();
        let init = ["init", "--server", "--name", name, "--store", &store, "--internet", internet];
        computer.tandem(&[&init[..], &["--password-file", &file]].concat())
    };
    init("Office PC", "sommer26", "on").told(4, "A05");
    init("Office PC", "Office PC", "off").told(4, "A05");
    init("", PASSWORD, "off").told(2, "C21");
    init("two\nlines", PASSWORD, "off").told(2, "C21");
    assert!(!computer.path("profile/config.toml").exists());
    init("Office PC", PASSWORD, "on").went_well();
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let computer = Computer::new();
    computer.become_server();
    let secrets = computer.path("profile/secrets.json");
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o644)).unwrap();
    computer.tandem(&["serve"]).told(4, "K06");
    fs::remove_file(&secrets).unwrap();
    computer.tandem(&["serve"]).told(4, "K03");
}

#[test]
fn damaged_settings_are_named_by_line_and_a_profile_that_is_a_file_is_named() {
    let computer = Computer::new();
    computer.become_server();
    let settings = computer.path("profile/config.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("colour = \"blue\"\n{text}")).unwrap();
    computer.tandem(&["serve"]).told(2, "C02");
    let file = Computer::new();
    fs::write(file.path("profile"), "").unwrap();
    let ran = file.tandem(&["status"]);
    assert!(ran.exit != 0 && ran.stderr.contains("[C"), "{ran:?}");
}

#[test]
fn an_address_this_computer_does_not_have_is_named() {
    let computer = Computer::new();
    let password = computer.path("password").display().to_string();
    let init = ["init", "--server", "--name", "Office PC", "--store", &computer.store(), "--listen", "192.0.2.1:5000"];
    computer.tandem(&[&init[..], &["--password-file", &password]].concat()).went_well();
    computer.tandem(&["serve"]).told(1, "N12");
}

#[test]
fn odd_files_are_carried_or_named_and_hold_up_nothing() {
    let pair = Pair::joined(|office, _| {
        everything(office);
        office.write("contacts/Friends/broken.vcf", "BEGIN:VCARD\r\nthis is no card\r\n");
        office.write("calendars/Work/two.ics", crate::computer::event("One") + &crate::computer::event("Two"));
        office.write("mail/cur/7.bytes:2,S", b"no header\n\xff\xfe\x00 at all");
        #[cfg(unix)]
        office.write("notes/Ideas/two\nlines.txt", "a name with a line break\n");
    });
    let (office, laptop) = (&pair.office, &pair.laptop);
    assert_eq!(laptop.read("contacts/Friends/broken.vcf"), office.read("contacts/Friends/broken.vcf"));
    assert!(laptop.contents().values().any(|hash| *hash == blake3::hash(b"no header\n\xff\xfe\x00 at all")));
    #[cfg(unix)]
    assert!(laptop.contents().values().any(|hash| *hash == blake3::hash(b"a name with a line break\n")));

    // Larger than anything that is carried; the rest goes on.
    let large = fs::File::create(office.data().join("mail/cur/9.large:2,S")).unwrap();
    large.set_len(300 << 20).unwrap();
    office.write("notes/Ideas/after.txt", "after\n");
    office.soon("the large one is named", |office| {
        let problem = &office.tandem(&["status", "--json"]).json()["problem"];
        problem["code"] == "D11"
            && problem["facts"]["folder"] == "INBOX"
            && problem["facts"]["name"].as_str().is_some_and(|name| name.contains("9.large"))
    });
    office.soon("the note crossed", |_| {
        pair.laptop.tandem(&["sync"]);
        laptop.has("notes/Ideas/after.txt")
    });
    assert!(!laptop.has("mail/cur/9.large:2,S"));
    assert!(office.has("mail/cur/9.large:2,S"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_read_is_named_and_deletes_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let pair = Pair::joined(|office, _| everything(office));
    let folder = pair.laptop.data().join("contacts/Friends");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
    let ran = pair.laptop.tandem_unprivileged(&["sync"]);
    assert!(ran.stderr.contains("[D07]"), "{ran:?}");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(pair.office.has("contacts/Friends/anna.vcf"));
    pair.sync();
    pair.are_same(7);
}

#[test]
fn data_that_is_gone_is_told_and_deletes_nothing() {
    let pair = Pair::joined(|office, _| everything(office));
    pair.are_same(7);
    let (data, aside) = (pair.laptop.data(), pair.laptop.path("aside"));
    fs::rename(&data, &aside).unwrap();
    let ran = pair.laptop.tandem(&["sync"]);
    assert_eq!(ran.exit, 7, "{ran:?}");
    assert!(ran.stderr.contains("[D03]"), "{ran:?}");
    // Another store at the same place is not taken for the old one.
    fs::create_dir(&data).unwrap();
    pair.laptop.tandem(&["sync"]);
    assert!(pair.office.has("contacts/Friends/anna.vcf"));
    fs::remove_dir_all(&data).unwrap();
    fs::rename(&aside, &data).unwrap();
    pair.sync();
    pair.are_same(7);
}
