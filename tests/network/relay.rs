//! The relay, a real coturn: for computers whose routers can't be opened, and only where its owner wants it.

use crate::{
    computer::{Computer, Ran},
    lab::{Program, until},
    ladder::Rungs,
    routers::{Nat, World, connect, invited, serving},
};
use std::{fs, thread, time::Duration};

const RELAY: &str = "192.0.2.10:3478";
pub(crate) const RELAY_PASSWORD: &str = "a-password-of-the-relay";

/// Starts coturn beside the rendezvous.
pub(crate) fn coturn(world: &World) -> Program {
    let configuration = format!(
        "listening-ip=192.0.2.10\nrelay-ip=192.0.2.10\nlistening-port=3478\nmin-port=49160\nmax-port=49200\n\
         fingerprint\nlt-cred-mech\nuser=office:{RELAY_PASSWORD}\nrealm=lab\nno-tls\nno-dtls\nno-cli\nno-tcp\n\
         no-multicast-peers\nlog-file=stdout\npidfile={}\nuserdb={}\n",
        world.path("turn.pid"),
        world.path("turn.db"),
    );
    fs::write(world.path("turn.conf"), configuration).unwrap();
    let relay = world.lab.stay("rdv", &["turnserver", "-c", &world.path("turn.conf")]);
    // The port in the kernel's own digits.
    let is_ready = || world.lab.run("rdv", &["cat", "/proc/net/udp"]).contains(":0D96 ");
    until("coturn listens", || is_ready().then_some(()));
    relay
}

/// Chooses the relay for a server that runs or not.
pub(crate) fn choose(world: &World, office: &Computer<'_>, password: &str) -> Ran {
    let file = world.path("relay-password");
    fs::write(&file, password).unwrap();
    office.tandem(&["relay", RELAY, "--user", "office", "--password-file", &file])
}

fn state(office: &Computer<'_>) -> Option<String> {
    office.tandem(&["relay"]).json()["state"].as_str().map(str::to_owned)
}

/// Counts what the computer with the relay hears but for the rendezvous.
fn count_packets_for_the_relay(world: &World) {
    world.lab.firewall(
        "rdv",
        "flush ruleset
table inet filter {
 counter heard { }
 chain input { type filter hook input priority 0;
  udp dport 7700-7701 accept
  meta l4proto { tcp, udp } counter name heard
 }
}
",
    );
}

fn packets_for_the_relay(world: &World) -> u64 {
    let counter = world.lab.run("rdv", &["nft", "list", "counter", "inet", "filter", "heard"]);
    let mut words = counter.split_whitespace().skip_while(|word| *word != "packets");
    words.nth(1).unwrap().parse().unwrap()
}

#[test]
fn where_no_way_can_be_opened_a_relay_helps_until_there_is_one() {
    let Some(world) = World::new(Nat::Symmetric, Nat::Symmetric, &["turnserver"]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let _relay = coturn(&world);
    let (office, _serving) = serving(&world, &at);
    assert_eq!(choose(&world, &office, RELAY_PASSWORD).went_well().json()["state"], "ready");
    assert_eq!(Rungs::of(&office).get("path"), ("ok", ""));
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    let (took, found) = connect(&laptop);
    eprintln!("{found} after {took:?}");
    assert_eq!(found, "relayed");

    let _running = laptop.stay(&["run"]);
    let path = || laptop.tandem(&["status"]).json()["path"].as_str().map(str::to_owned);
    until("they are connected", || (path()? == "relayed").then_some(()));
    // The routers are set up anew. What goes through the relay already goes on; they forgot whom they sent to else.
    for (router, host) in [("ra", "10.1.0.2"), ("rb", "10.2.0.2")] {
        world.lab.firewall(router, &Nat::FullCone.rules(host));
        world.lab.run(router, &["conntrack", "-D", "-p", "udp", "--orig-port-dst", "7700"]);
    }
    office.write("notes/Ideas/meanwhile.txt", "meanwhile\n");
    until("a change is here", || laptop.has("notes/Ideas/meanwhile.txt").then_some(()));
    assert_eq!(path().as_deref(), Some("relayed"), "and it came through the relay");
    let (better, took) = until("a direct way takes over", || path().filter(|path| path != "relayed"));
    eprintln!("{better} after {took:?}");
    office.write("notes/Ideas/after.txt", "after\n");
    until("that is here, too", || laptop.has("notes/Ideas/after.txt").then_some(()));
}

#[test]
fn without_a_relay_two_computers_behind_such_routers_are_told_what_is_in_the_way() {
    let Some(world) = World::new(Nat::Symmetric, Nat::PortRestricted, &["turnserver"]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let _relay = coturn(&world);
    let (office, _serving) = serving(&world, &at);
    assert_eq!(Rungs::of(&office).get("path"), ("problem", "N33"));
    choose(&world, &office, RELAY_PASSWORD).went_well();
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    office.tandem(&["relay", "off"]).went_well();
    let _running = laptop.stay(&["run"]);
    until("it is told", || (laptop.tandem(&["status"]).json()["problem"]["code"] == "N32").then_some(()));
    assert_eq!(Rungs::of(&laptop).get("path"), ("problem", "N32"));
    assert_eq!(Rungs::of(&laptop).get("server-online"), ("ok", ""));
}

#[test]
fn a_relay_hears_nothing_unless_it_is_wanted() {
    let Some(world) = World::new(Nat::Symmetric, Nat::None, &["turnserver"]) else { return };
    count_packets_for_the_relay(&world);
    let (_rendezvous, at) = world.rendezvous();
    let _relay = coturn(&world);
    let (office, serving) = serving(&world, &at);
    assert_eq!(state(&office), None);
    assert_eq!(packets_for_the_relay(&world), 0, "there is one, and nobody chose it");
    assert_eq!(choose(&world, &office, RELAY_PASSWORD).went_well().json()["state"], "ready");
    assert!(packets_for_the_relay(&world) > 0);
    let secrets = || fs::read_to_string(office.path("profile/secrets.json")).unwrap();
    assert!(secrets().contains(RELAY_PASSWORD), "the password lies where the secrets lie");

    office.tandem(&["internet", "off"]).went_well();
    until("it isn't asked any more", || state(&office).is_none().then_some(()));
    let is_silent = || {
        let before = packets_for_the_relay(&world);
        thread::sleep(Duration::from_secs(3));
        packets_for_the_relay(&world) == before
    };
    assert!(is_silent());
    office.tandem(&["internet", "on"]).went_well();
    until("it is asked again", || (state(&office)? == "ready").then_some(()));
    office.tandem(&["relay", "off"]).went_well();
    assert!(is_silent());
    assert!(!secrets().contains(RELAY_PASSWORD), "it is forgotten with the relay");
    serving.end();
}

#[test]
fn a_relay_that_says_no_or_nothing_is_named() {
    let Some(world) = World::new(Nat::None, Nat::None, &["turnserver"]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, _serving) = serving(&world, &at);
    let silent = choose(&world, &office, RELAY_PASSWORD);
    assert_eq!((silent.exit, &silent.json()["problem"]["code"]), (3, &"N36".into()), "{silent:?}");
    let _relay = coturn(&world);
    until("it is found once it is there", || (state(&office)? == "ready").then_some(()));

    let refused = choose(&world, &office, "not the password");
    assert_eq!((refused.exit, &refused.json()["problem"]["code"]), (4, &"N35".into()), "{refused:?}");
    assert_eq!(office.tandem(&["status"]).json()["problem"]["code"], "N35");
    assert_eq!(Rungs::of(&office).get("path"), ("problem", "N35"));
    choose(&world, &office, RELAY_PASSWORD).went_well();
    assert_eq!(Rungs::of(&office).get("path"), ("ok", ""));

    office.tandem(&["rendezvous", "off"]).went_well();
    let alone = office.tandem(&["relay"]);
    assert_eq!(alone.json()["problem"]["code"], "N37", "nobody could be told of it: {alone:?}");
    let usage = office.tandem(&["relay", "no port", "--user", "office", "--password-file", &world.path("turn.conf")]);
    assert_eq!(usage.exit, 2, "{usage:?}");
    assert!(usage.stdout.contains("N31"), "{usage:?}");
}
