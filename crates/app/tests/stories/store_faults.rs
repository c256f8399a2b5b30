//! Data that isn't there, isn't writable, or isn't what it was: said, nothing deleted, and gone on with afterwards.

use crate::common::{
    Computer, a_while, call, joined, mail, problem, run, serve, server, status, until, until_held, until_problem,
    until_same, wait_quiet,
};
use serde_json::json;
use std::{fs, path::Path, process::Command};

#[derive(Clone, Copy, Debug)]
enum Who {
    Office,
    Laptop,
}

struct Pair {
    office: Computer,
    laptop: Computer,
    server: app::node::Node,
    client: app::node::Node,
}

impl Pair {
    async fn new() -> Self {
        Self::of(Computer::new("office"), Computer::new("laptop")).await
    }

    async fn of(office: Computer, laptop: Computer) -> Self {
        office.mails("mail", 0..10);
        office.mails("mail/.Archive", 100..110);
        office.write("notes/own/one.txt", "one");
        let server = server(&office).await;
        let client = joined(&server, &laptop).await;
        until_same(&[&office, &laptop], 21).await;
        Self { office, laptop, server, client }
    }

    fn of_whom(&self, who: Who) -> (&Computer, &app::node::Node, &Computer) {
        match who {
            Who::Office => (&self.office, &self.server, &self.laptop),
            Who::Laptop => (&self.laptop, &self.client, &self.office),
        }
    }
}

async fn a_vanished_root(who: Who, is_other_there: bool) {
    let pair = Pair::new().await;
    let (broken, node, other) = pair.of_whom(who);
    let aside = broken.folder().join("aside");
    fs::rename(broken.data(), &aside).unwrap();
    if is_other_there {
        fs::create_dir(broken.data()).unwrap();
    }
    broken_is_said(node, &["D03", "D04"]).await;
    a_while().await;
    assert_eq!(other.total(), 21, "nothing is deleted on the other side");
    // Mail that comes meanwhile waits.
    other.mails("mail", 20..21);
    a_while().await;
    if is_other_there {
        assert_eq!(fs::read_dir(broken.data()).unwrap().count(), 0, "nothing is written into a foreign place");
        fs::remove_dir(broken.data()).unwrap();
    }
    fs::rename(&aside, broken.data()).unwrap();
    until_same(&[&pair.office, &pair.laptop], 22).await;
    until_problem(node, None).await;
    // It is watched again.
    broken.mails("mail", 21..22);
    until_same(&[&pair.office, &pair.laptop], 23).await;
    wait_quiet(&pair.client).await;
}

async fn broken_is_said(node: &app::node::Node, codes: &[&str]) {
    for _ in 0..200 {
        if problem(node).await.is_some_and(|code| codes.contains(&code.as_str())) {
            return;
        }
        // Somebody or something looks: a renamed root isn't always told by the system.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("not said: {:?}", problem(node).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptops_disk_that_is_not_mounted_deletes_nothing() {
    a_vanished_root(Who::Laptop, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offices_disk_that_is_not_mounted_deletes_nothing() {
    a_vanished_root(Who::Office, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_folder_in_place_of_a_laptops_data_deletes_nothing() {
    a_vanished_root(Who::Laptop, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_folder_in_place_of_an_offices_data_deletes_nothing() {
    a_vanished_root(Who::Office, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_store_in_the_place_is_not_this_one_with_everything_deleted() {
    let Pair { office, laptop, server, client } = Pair::new().await;
    client.shut_down().await;
    let aside = laptop.folder().join("aside");
    fs::rename(laptop.data(), &aside).unwrap();
    let stranger = Computer::new("stranger");
    stranger.mails("mail", 500..503);
    let other = self::server(&stranger).await;
    other.shut_down().await;
    copy(&stranger.data(), &laptop.data());

    let client = run(&laptop).await;
    until_problem(&client, Some("D04")).await;
    a_while().await;
    assert_eq!((office.total(), laptop.total()), (21, 3));
    fs::remove_dir_all(laptop.data()).unwrap();
    fs::rename(&aside, laptop.data()).unwrap();
    office.mails("mail", 20..21);
    until_same(&[&office, &laptop], 22).await;
    until_problem(&client, None).await;
    server.shut_down().await;
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

async fn an_emptied_folder(who: Who, is_meant: bool) {
    let pair = Pair::new().await;
    let (broken, node, other) = pair.of_whom(who);
    // As a restored empty folder or a disk below the root would look: the mark is gone with everything else.
    fs::remove_dir_all(broken.path("mail/.Archive")).unwrap();
    broken.mail_folder("mail/.Archive");
    until_held(node, 10).await;
    a_while().await;
    assert_eq!(other.count("mail/.Archive/cur"), 10);
    assert_eq!(problem(node).await.as_deref(), Some("D05"));
    let held = call(node, "held", json!({})).await;
    assert_eq!((&held[0]["path"], &held[0]["waits"]), (&json!("mail/Archive"), &json!("emptied")), "{held:#}");

    // What comes meanwhile is no sign that the rest was meant.
    other.mails("mail/.Archive", 200..215);
    until("new mail comes", || broken.count("mail/.Archive/cur") == 15).await;
    a_while().await;
    assert_eq!(other.count("mail/.Archive/cur"), 25);
    wait_quiet(&pair.client).await;

    let decision = if is_meant { "allow" } else { "restore" };
    call(node, "decide_held", json!({"folder": "mail/Archive", "decision": decision})).await;
    until_same(&[&pair.office, &pair.laptop], if is_meant { 26 } else { 36 }).await;
    until_held(node, 0).await;
    until_problem(node, None).await;
    wait_quiet(&pair.client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_folder_of_the_laptop_is_filled_again() {
    an_emptied_folder(Who::Laptop, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_folder_of_the_laptop_was_meant() {
    an_emptied_folder(Who::Laptop, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_folder_of_the_office_is_filled_again() {
    an_emptied_folder(Who::Office, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_folder_of_the_office_was_meant() {
    an_emptied_folder(Who::Office, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_came_back_empty_after_a_restart_is_held_all_the_same() {
    let Pair { office, laptop, server, client } = Pair::new().await;
    client.shut_down().await;
    fs::remove_dir_all(laptop.path("mail/.Archive")).unwrap();
    laptop.mail_folder("mail/.Archive");
    let client = run(&laptop).await;
    until_held(&client, 10).await;
    client.shut_down().await;
    let client = run(&laptop).await;
    until_held(&client, 10).await;
    a_while().await;
    assert_eq!(office.total(), 21);
    call(&client, "decide_held", json!({"folder": "mail/Archive", "decision": "restore"})).await;
    until_same(&[&office, &laptop], 21).await;
    server.shut_down().await;
}

/// A disk of its own, unmounted at the end.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`: only an administrator can mount.
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self(folder);
        disk.mount(&["-t", "tmpfs", "-o", options, "tmpfs"]).then_some(disk)
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        let status =
            Command::new("mount").args(arguments).arg(self.0.path()).stderr(std::process::Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    fn computer(&self, name: &'static str) -> Computer {
        let data = self.0.path().join("data");
        fs::create_dir_all(&data).unwrap();
        Computer::with_data(name, &data)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0.path()).status().ok();
    }
}

async fn a_read_only_disk(who: Who) {
    let Some(disk) = Disk::new("size=8m") else { return };
    let pair = match who {
        Who::Office => Pair::of(disk.computer("office"), Computer::new("laptop")).await,
        Who::Laptop => Pair::of(Computer::new("office"), disk.computer("laptop")).await,
    };
    let (broken, node, other) = pair.of_whom(who);
    wait_quiet(&pair.client).await;
    assert!(disk.mount(&["-o", "remount,ro"]));
    other.mails("mail", 20..23);
    other.delete("mail/cur", "hello 3.");
    until_problem(node, Some("D08")).await;
    a_while().await;
    assert_eq!((broken.total(), other.total()), (21, 23));
    assert!(disk.mount(&["-o", "remount,rw"]));
    until_same(&[&pair.office, &pair.laptop], 23).await;
    until_problem(node, None).await;
    wait_quiet(&pair.client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptops_read_only_disk_is_said_and_written_when_it_can_be() {
    a_read_only_disk(Who::Laptop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offices_read_only_disk_is_said_and_written_when_it_can_be() {
    a_read_only_disk(Who::Office).await;
}

async fn a_full_disk(who: Who) {
    let Some(disk) = Disk::new("size=2m") else { return };
    let pair = match who {
        Who::Office => Pair::of(disk.computer("office"), Computer::new("laptop")).await,
        Who::Laptop => Pair::of(Computer::new("office"), disk.computer("laptop")).await,
    };
    let (broken, node, other) = pair.of_whom(who);
    for number in 0..6 {
        let text = format!("{}{}\n", mail(30 + number), "x".repeat(500_000));
        other.write(&format!("mail/cur/170000003{number}.M2P2.other:2,S"), text);
    }
    until_problem(node, Some("S02")).await;
    a_while().await;
    assert_eq!(other.total(), 27);
    assert!(broken.find("mail/cur", "hello 1.").is_some(), "what was there stays");
    assert!(disk.mount(&["-o", "remount,size=20m"]));
    until_same(&[&pair.office, &pair.laptop], 27).await;
    until_problem(node, None).await;
    wait_quiet(&pair.client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptops_full_disk_is_said_and_filled_when_there_is_room() {
    a_full_disk(Who::Laptop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offices_full_disk_is_said_and_filled_when_there_is_room() {
    a_full_disk(Who::Office).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_computer_that_starts_without_its_data_waits_for_it() {
    let Pair { office, laptop, server, client } = Pair::new().await;
    client.shut_down().await;
    server.shut_down().await;
    let aside = laptop.folder().join("aside");
    fs::rename(laptop.data(), &aside).unwrap();
    let aside_office = office.folder().join("aside");
    fs::rename(office.data(), &aside_office).unwrap();
    let (server, client) = (serve(&office).await, run(&laptop).await);
    until_problem(&client, Some("D03")).await;
    until_problem(&server, Some("D03")).await;
    fs::rename(&aside, laptop.data()).unwrap();
    laptop.mails("mail", 20..21);
    a_while().await;
    fs::rename(&aside_office, office.data()).unwrap();
    until_same(&[&office, &laptop], 22).await;
    wait_quiet(&client).await;
    assert!(status(&client).await.problem.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_at_the_office_writes_anew_without_changing_it_can_still_be_had() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    let event = |stamp: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//EN\r\nBEGIN:VEVENT\r\nUID:tea\r\nDTSTAMP:{stamp}\r\n\
             DTSTART:20261122T150000Z\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    office.write("calendars/Private/tea.ics", event("20261122T100000Z"));
    let server = server(&office).await;
    call(&server, "wait_quiet", json!({})).await;
    // The bytes that the hub's row was numbered with are nowhere any more.
    office.write("calendars/Private/tea.ics", event("20261123T110000Z"));
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 1).await;

    // The same on the laptop: nothing is sent for it, and both keep their bytes.
    laptop.edit("calendars/Private", "UID:tea", event("20261124T120000Z"));
    a_while().await;
    wait_quiet(&client).await;
    assert!(office.text("calendars/Private", "UID:tea").contains("20261123T110000Z"));
    assert!(laptop.text("calendars/Private", "UID:tea").contains("20261124T120000Z"));
}
