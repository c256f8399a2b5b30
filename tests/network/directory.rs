//! A directory as the only thing the two have in common: it leads them to each other, and sees next to nothing of what they
//! do then.

use crate::{
    computer::Computer,
    lab::until,
    packets::Capture,
    roaming::{counted, large_mail},
    routers::{Nat, World},
};
use std::{fs, path::Path};

const SYNCHRONIZED: usize = 20_000_000;
const SEEN_MAX: u64 = 100_000;
const CANARY: &str = "the canary sings in the cellar";

/// Whether any file below holds this text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.file_type().unwrap().is_dir() {
        true => holds(&entry.path(), text),
        false => {
            let bytes = fs::read(entry.path()).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        }
    })
}

#[test]
fn a_directory_is_enough_to_meet_and_sees_nothing_of_what_is_synchronized() {
    let Some(world) = World::new(Nat::PortRestricted, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, _) = world.rendezvous();
    let capture = Capture::start(&world.lab, "rdv", world.path("packets").into());
    let directory = format!("http://{}", world.rendezvous);
    let office = Computer::new(&world.lab, "office");
    office.write("notes/Ideas/one.txt", "one\n");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(office.path("data/mail").join(part)).unwrap();
    }
    office.become_server("Office PC", &["--internet", "on"]);
    office.tandem(&["peer-names", "off"]).went_well();
    let _serving = office.stay(&["serve"]);
    let published = office.tandem(&["publish", "--directory", &directory, "--dht", "off", "--yes"]).went_well().json();
    let id = published["serverId"].as_str().unwrap().to_owned();
    until("the server is on the line to the switchboard that the directory names", || {
        let said = office.tandem(&["rendezvous"]).went_well().json();
        said["rendezvous"][0]["observed"][0]["address"].as_str().map(drop)
    });
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&id, "--directory", &directory]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));

    let seen = || ["rx_bytes", "tx_bytes"].map(|what| counted(&world.lab, "rdv", "wan", what)).iter().sum::<u64>();
    assert!(capture.holds(&id), "what is seen there is seen here: the ID that was asked for");
    let (before, captured_before) = (seen(), capture.packets().len() as u64);
    let mut mail = large_mail(SYNCHRONIZED);
    mail.extend_from_slice(format!("{CANARY}\n").as_bytes());
    fs::write(office.path("data/mail/tmp/large"), &mail).unwrap();
    fs::rename(office.path("data/mail/tmp/large"), office.path("data/mail/cur/1700000009.M1P1.x:2,S")).unwrap();
    let _running = laptop.stay(&["run"]);
    until("they are connected by themselves", || {
        (laptop.tandem(&["status"]).json()["path"].as_str()? == "punched").then_some(())
    });
    until("the message is here", || {
        let mut there = fs::read_dir(laptop.path("data/mail/cur")).ok()?.flatten();
        there.find_map(|file| fs::read(file.path()).ok()).filter(|bytes| *bytes == mail)
    });
    // What was seen first may be written down last.
    let seen = seen() - before;
    until("every packet is written down", || (capture.packets().len() as u64 - captured_before >= seen).then_some(()));
    eprintln!("of {SYNCHRONIZED} bytes, directory and rendezvous saw {seen}");
    assert!(seen < SEEN_MAX, "{seen}");
    assert!(holds(&office.path("data"), CANARY) && !holds(Path::new(&world.path("directory")), CANARY));
    assert!(!capture.holds(CANARY), "no packet there says it");
}
