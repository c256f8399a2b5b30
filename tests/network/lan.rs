//! The local network: a switch, no router, no Internet, nobody who gives out addresses.

use crate::{
    computer::Computer,
    lab::{Lab, until},
    ladder::Rungs,
    roaming::AGAIN_WITHIN,
    routers::connect,
};
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};

/// Where the announcement got lost, the silence is noticed, and then looked around.
const EVEN_UNANNOUNCED: Duration = Duration::from_secs(25);

fn names(servers: &Value) -> Vec<String> {
    let servers = servers["servers"].as_array().cloned().unwrap_or_default();
    servers.iter().map(|server| server["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_server_is_found_joined_and_followed_to_another_address() {
    let Some(lab) = Lab::switched(&[("office", 2), ("laptop", 3)], &[]) else { return };
    let (office, laptop) = (Computer::new(&lab, "office"), Computer::new(&lab, "laptop"));
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Büro-PC 1", &[]);
    let nobody = laptop.tandem(&["servers"]);
    assert_eq!(nobody.exit, 3, "{nobody:?}");
    assert!(nobody.stdout.contains("L01"), "{nobody:?}");

    let serving = office.stay(&["serve"]);
    let listed = laptop.tandem(&["servers"]).went_well().json();
    assert_eq!(names(&listed), ["Büro-PC 1"], "{listed}");
    let other = laptop.join(&["--lan", "Attic"]);
    assert!(other.stdout.contains("L03"), "{other:?}");
    laptop.join(&["--lan", "Büro-PC 1"]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    assert_eq!(laptop.tandem(&["servers"]).went_well().json()["servers"][0]["isKnown"], true);

    let running = laptop.stay(&["run"]);
    office.write("notes/Ideas/two.txt", "two\n");
    until("a change is here", || laptop.has("notes/Ideas/two.txt").then_some(()));
    // As when the router gives out another address. An announcement can get lost, three in a row don't.
    let quick = (9..12).find(|number| {
        lab.ip("office", "addr flush dev eth0 scope global");
        lab.ip("office", &format!("addr add 10.7.0.{number}/24 dev eth0"));
        let note = format!("notes/Ideas/at {number}.txt");
        office.write(&note, "three\n");
        let ((), took) = until("a change is here again", || laptop.has(&note).then_some(()));
        eprintln!("found at its new address after {took:?}");
        assert!(took < EVEN_UNANNOUNCED, "{took:?}");
        took < AGAIN_WITHIN
    });
    assert!(quick.is_some(), "it was never followed at once");
    running.end();
    serving.end();
}

#[test]
fn the_list_follows_servers_that_come_leave_and_break_down() {
    let Some(lab) = Lab::switched(&[("office", 2), ("attic", 4), ("laptop", 3)], &[]) else { return };
    let [office, attic, laptop] = ["office", "attic", "laptop"].map(|host| Computer::new(&lab, host));
    let watching = laptop.stay(&["servers", "--watch"]);
    let last = || watching.last("servers").unwrap();
    office.become_server("Office PC", &[]);
    attic.become_server("Attic", &[]);
    let (office_serving, attic_serving) = (office.stay(&["serve"]), attic.stay(&["serve"]));
    until("both are there", || (names(&last()) == ["Attic", "Office PC"]).then_some(()));
    attic_serving.end();
    let ((), took) = until("one said goodbye", || (names(&last()) == ["Office PC"]).then_some(()));
    eprintln!("gone after {took:?}");
    assert!(took < Duration::from_secs(4), "a goodbye takes a server off the list at once: {took:?}");
    // Dropped: killed, as when somebody pulls the plug.
    drop(office_serving);
    let ((), took) = until("one is silent", || (last()["servers"][0]["isStale"] == true).then_some(()));
    eprintln!("stale after {took:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let _office_serving = office.stay(&["serve"]);
    until("it is back", || (last()["servers"][0]["isStale"] == false).then_some(()));
}

/// Nobody answers here who could be waited for: no router, no Internet, although both may use it.
#[test]
fn without_a_router_nothing_waits_for_one() {
    const AT_ONCE: Duration = Duration::from_secs(3);
    let Some(lab) = Lab::switched(&[("office", 2), ("laptop", 3)], &[]) else { return };
    let (office, laptop) = (Computer::new(&lab, "office"), Computer::new(&lab, "laptop"));
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    let (_serving, started) = took(|| office.stay(&["serve"]));
    let (rungs, checked) = took(|| Rungs::of(&office));
    assert_eq!(rungs.get("gateway"), ("problem", "N22"));
    let (joined, added) = took(|| laptop.join(&["--lan", "Office PC"]));
    joined.went_well();
    assert_eq!(laptop.tandem(&["status"]).json()["internet"], true, "as the server has it");
    let (connected, path) = connect(&laptop);
    assert_eq!(path, "local");
    let running = laptop.stay(&["run"]);
    until("they are connected", || (laptop.tandem(&["status"]).json()["isConnected"] == true).then_some(()));
    let (_, client_checked) = took(|| Rungs::of(&laptop));
    let (_, ended) = took(|| running.end());
    // Joining looks around for a while: there might be a second server of this name.
    eprintln!("joined after {added:?}");
    let all = [started, checked, connected, client_checked, ended];
    eprintln!("serve, check, run, check, end: {all:?}");
    assert!(all.iter().all(|one| *one < AT_ONCE), "{all:?}");
}

fn took<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    (act(), begun.elapsed())
}

#[test]
fn of_two_servers_with_one_name_none_is_taken_by_chance() {
    let Some(lab) = Lab::switched(&[("office", 2), ("attic", 4), ("laptop", 3)], &[]) else { return };
    let [office, attic, laptop] = ["office", "attic", "laptop"].map(|host| Computer::new(&lab, host));
    attic.write("notes/Ideas/attic.txt", "attic\n");
    office.become_server("Server", &[]);
    attic.become_server("Server", &[]);
    let _serving = (office.stay(&["serve"]), attic.stay(&["serve"]));
    let refused = laptop.join(&["--lan", "Server"]);
    assert_eq!(refused.exit, 2, "{refused:?}");
    assert!(refused.stdout.contains("L02"), "{refused:?}");
    let listed = laptop.tandem(&["servers"]).went_well().json();
    let servers = listed["servers"].as_array().unwrap();
    let meant = servers.iter().find(|server| server["addresses"][0].as_str().unwrap().starts_with("10.7.0.4:"));
    laptop.join(&["--lan", meant.unwrap()["id"].as_str().unwrap()]).went_well();
    assert!(laptop.has("notes/Ideas/attic.txt"));
}

#[test]
fn avahi_sees_our_server_and_we_see_what_avahi_announces() {
    let programs = ["avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon"];
    let Some(lab) = Lab::switched(&[("office", 2), ("laptop", 3), ("other", 5)], &programs) else { return };
    let (office, laptop) = (Computer::new(&lab, "office"), Computer::new(&lab, "laptop"));
    let folder = tempfile::tempdir().unwrap();
    let (bus, conf) = (folder.path().join("bus"), folder.path().join("avahi.conf"));
    fs::write(&conf, "[server]\nuse-ipv4=yes\nuse-ipv6=yes\nhost-name=other\nenable-dbus=yes\n").unwrap();
    let bus_address = format!("unix:path={}", bus.display());
    let with_bus = |words: &[&str]| {
        let mut command = lab.command("other", words);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", &bus_address);
        command
    };
    // A daemon keeps its process number under /run: it gets a /run of its own, which goes with it.
    let _bus = lab.stay("other", &["dbus-daemon", "--session", "--nofork", "--address", &bus_address]);
    until("there is a bus", || bus.exists().then_some(()));
    let start =
        format!("mount -t tmpfs none /run && exec avahi-daemon --no-drop-root --no-rlimits -f {}", conf.display());
    let mut daemon = with_bus(&["unshare", "-m", "sh", "-c", &start]);
    let _daemon = crate::lab::Program(daemon.spawn().unwrap());

    office.become_server("Office PC", &[]);
    let serving = office.stay(&["serve"]);
    let (seen, _) = until("Avahi lists our server", || {
        let seen = with_bus(&["avahi-browse", "-rtp", "_tandem._udp"]).output().unwrap();
        let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
        seen.lines().any(|line| line.starts_with('=') && line.contains("10.7.0.2")).then_some(seen)
    });
    let line = seen.lines().find(|line| line.starts_with('=') && line.contains("10.7.0.2")).unwrap();
    let fields: Vec<&str> = line.split(';').collect();
    let port = serving.said()[0]["addresses"][0].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    assert_eq!(fields[8], port, "{line}");
    assert!(fields[9].contains("\"n=Office PC\""), "{line}");
    // Nothing else is told: neither the service ID nor the server's key.
    assert_eq!(fields[9].matches('=').count(), 2, "{line}");

    let knock = format!("k={}", "0".repeat(32));
    let publish = ["avahi-publish", "-s", "00112233aabbccdd", "_tandem._udp", "4433", "n=Told by Avahi", &knock];
    let _published = crate::lab::Program(with_bus(&publish).spawn().unwrap());
    until("we list what Avahi announces", || {
        let listed = laptop.tandem(&["servers"]).json();
        (names(&listed) == ["Office PC", "Told by Avahi"]).then_some(())
    });
}
