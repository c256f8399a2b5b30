//! The connection check, on both sides: whatever is broken here, the ladder stops at the rung for it and says what to do.

use crate::{
    computer::Computer,
    lab::{Lab, until},
    roaming::house,
    routers::{Nat, World, invited, server, serving, until_on_the_line},
};
use std::{fs, os::unix::fs::PermissionsExt as _};

/// The rungs of a check: ID, result, code, and what to do.
pub(crate) struct Rungs(Vec<[String; 4]>);

impl Rungs {
    pub(crate) fn of(computer: &Computer<'_>) -> Self {
        let checks = computer.tandem(&["doctor"]).json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let rung = |rung: &serde_json::Value| {
            let problem = &rung["problem"];
            [&rung["id"], &rung["result"], &problem["code"], &problem["action"]].map(text)
        };
        Self(checks["checks"].as_array().unwrap().iter().map(rung).collect())
    }

    pub(crate) fn get(&self, id: &str) -> (&str, &str) {
        let rung = self.0.iter().find(|[other, ..]| other == id);
        rung.map_or(("missing", ""), |[_, result, code, _]| (result.as_str(), code.as_str()))
    }

    /// Where it stops.
    fn stop(&self) -> Option<(&str, &str)> {
        let stop = self.0.iter().find(|[_, result, ..]| result == "problem");
        stop.map(|[id, _, code, _]| (id.as_str(), code.as_str()))
    }

    fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|[id, ..]| id.as_str()).collect()
    }
}

#[track_caller]
pub(crate) fn stops(computer: &Computer<'_>, id: &str, code: &str) {
    let what = format!("the check stops at {id} with {code}");
    let mut last = Rungs(Vec::new());
    until(&what, || {
        last = Rungs::of(computer);
        (last.stop() == Some((id, code))).then_some(())
    });
    let mut from_there = last.0.iter().skip_while(|[other, ..]| other != id);
    let action = from_there.next().map(|[.., action]| action.as_str()).unwrap_or_default();
    assert!(action.split_whitespace().count() > 1, "{id}, {code}: what to do about it? {action}");
    for [other, result, ..] in from_there.filter(|[other, ..]| other != "data-readable") {
        assert_eq!(result, "skipped", "{other} comes after what is in the way");
    }
}

/// A rung is fine, once everything has been asked.
#[track_caller]
pub(crate) fn until_fine(computer: &Computer<'_>, id: &str) {
    until(&format!("{id} is fine"), || (Rungs::of(computer).get(id) == ("ok", "")).then_some(()));
}

/// Drops what goes out by UDP and lets TCP pass, as some guest networks do.
const NO_UDP: &str = "add table inet guests
add chain inet guests through { type filter hook forward priority -1; }
add rule inet guests through iifname \"lan\" meta l4proto udp drop
";

/// A computer between two cuts: where a line can be taken away, and which router the rest of it leads to.
struct Way {
    command: &'static str,
    /// Computer, line, and next router; the computer's own first.
    lines: [(&'static str, &'static str, &'static str); 2],
}

/// Each line on the way to the Internet is cut and mended, and then the router lets no UDP out: the check stops there.
fn stops_on_the_way(lab: &Lab, computer: &Computer<'_>, way: &Way) {
    for ((place, line, router), id) in way.lines.iter().zip(["network", "internet"]) {
        lab.ip(place, &format!("link set {line} down"));
        let staying = computer.stay(&[way.command]);
        stops(computer, id, "N01");
        staying.end();
        lab.ip(place, &format!("link set {line} up"));
        lab.ip(place, &format!("route add default via {router}"));
    }
    let (router, ..) = way.lines[1];
    lab.firewall(router, NO_UDP);
    let staying = computer.stay(&[way.command]);
    stops(computer, "managed-network", "N38");
    assert_eq!(Rungs::of(computer).get("internet"), ("ok", ""));
    staying.end();
    lab.run(router, &["nft", "delete", "table", "inet", "guests"]);
}

#[test]
fn on_a_server_the_check_stops_at_what_is_in_the_way() {
    let Some(world) = World::new(Nat::PortRestricted, Nat::None, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let office = server(Computer::new(&world.lab, "office"), &at);

    let lines = [("office", "eth0", "10.1.0.1"), ("ra", "wan", "203.0.113.1")];
    stops_on_the_way(&world.lab, &office, &Way { command: "serve", lines });

    world.lab.ip("office", "route del default");
    let serving = office.stay(&["serve"]);
    stops(&office, "gateway", "N22");
    serving.end();
    world.lab.ip("office", "route add default via 10.1.0.1");

    let _serving = office.stay(&["serve"]);
    let mut all = Rungs::of(&office);
    until("nothing is in the way", || {
        all = Rungs::of(&office);
        (all.stop().is_none() && all.get("path") == ("ok", "")).then_some(())
    });
    let order = ["network", "own-internet-switch", "internet", "managed-network", "findable", "local-firewall"];
    assert_eq!(all.ids(), [&order[..], &["gateway", "mapping", "path", "data-readable"]].concat());
    office.tandem(&["rendezvous", "off"]).went_well();
    stops(&office, "findable", "N10");
    office.tandem(&["rendezvous", &at]).went_well();
    fs::rename(office.path("data"), office.path("gone")).unwrap();
    until("the data can't be read", || (Rungs::of(&office).get("data-readable").0 == "problem").then_some(()));
}

#[test]
fn a_call_that_does_not_arrive_shows_that_the_computers_own_firewall_is_in_the_way() {
    let Some(world) = World::new(Nat::None, Nat::None, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, _serving) = serving(&world, &at);
    let all = Rungs::of(&office);
    assert_eq!(all.stop(), None);
    assert_eq!(all.get("local-firewall"), ("ok", ""), "a call came in, so nothing keeps them out");
    world.lab.firewall(
        "office",
        "flush ruleset
table inet filter {
 chain input { type filter hook input priority 0; policy drop;
  iifname \"lo\" accept
  ct state established,related accept
 }
}
",
    );
    stops(&office, "local-firewall", "N23");
    // Whoever is put through gets in all the same.
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
}

#[test]
fn on_a_client_the_check_stops_at_what_is_in_the_way() {
    let Some(world) = World::new(Nat::None, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, _office_serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();

    let running = laptop.stay(&["run"]);
    until("nothing is in the way", || Rungs::of(&laptop).stop().is_none().then_some(()));
    let order = ["network", "own-internet-switch", "internet", "managed-network", "findable", "server-online"];
    let rest = ["server-internet-switch", "path", "server-key", "version", "access", "data-readable"];
    assert_eq!(Rungs::of(&laptop).ids(), [&order[..], &rest[..]].concat());
    laptop.tandem(&["internet", "off"]).went_well();
    stops(&laptop, "own-internet-switch", "N09");
    laptop.tandem(&["internet", "on"]).went_well();
    running.end();

    let lines = [("laptop", "eth0", "10.2.0.1"), ("rb", "wan", "198.51.100.1")];
    stops_on_the_way(&world.lab, &laptop, &Way { command: "run", lines });
}

#[test]
fn on_a_client_the_check_stops_at_what_the_server_says_or_doesnt() {
    let Some(world) = World::new(Nat::None, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, mut office_serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();

    office.tandem(&["internet", "off"]).went_well();
    let running = laptop.stay(&["run"]);
    stops(&laptop, "server-internet-switch", "N08");
    running.end();
    office.tandem(&["internet", "on"]).went_well();

    office.tandem(&["pause"]).went_well();
    let running = laptop.stay(&["run"]);
    stops(&laptop, "server-online", "N05");
    running.end();
    office.tandem(&["resume"]).went_well();

    office_serving.end();
    let running = laptop.stay(&["run"]);
    stops(&laptop, "server-online", "N04");
    assert_eq!(Rungs::of(&laptop).get("internet"), ("ok", ""), "the rendezvous answered");
    running.end();

    office_serving = office.stay(&["serve"]);
    let device = office.tandem(&["devices"]).went_well().json()["devices"][0]["id"].as_str().unwrap().to_owned();
    office.tandem(&["devices", "remove", &device]).went_well();
    let _running = laptop.stay(&["run"]);
    stops(&laptop, "access", "A03");
    fs::rename(laptop.path("data"), laptop.path("gone")).unwrap();
    until("the data can't be read", || (Rungs::of(&laptop).get("data-readable").0 == "problem").then_some(()));
    office_serving.end();
}

#[test]
fn a_client_that_knows_its_server_at_home_only_is_told_that_nothing_leads_there_from_elsewhere() {
    let Some(lab) = house() else { return };
    // The office has no line of its own, and what is told of it says where it is at home.
    lab.ip("office", "link del wan0");
    let (office, laptop) = (Computer::new(&lab, "office"), Computer::new(&lab, "laptop"));
    office.become_server("Office PC", &["--internet", "on"]);
    office.tandem(&["peer-names", "off"]).went_well();
    let serving = office.stay(&["serve"]);
    laptop.join(&["--lan", "Office PC"]).went_well();
    laptop.tandem(&["peer-names", "off"]).went_well();
    let running = laptop.stay(&["run"]);
    until("they are connected", || (laptop.tandem(&["status"]).json()["isConnected"] == true).then_some(()));
    assert_eq!(laptop.tandem(&["status"]).json()["internet"], true, "as the server has it");
    running.end();

    lab.ip("laptop", "link set eth0 down");
    let running = laptop.stay(&["run"]);
    stops(&laptop, "findable", "N10");
    running.end();
    // At home it is one that may be off.
    lab.ip("laptop", "link set eth0 up");
    serving.end();
    let _running = laptop.stay(&["run"]);
    stops(&laptop, "server-online", "N04");
}

#[test]
fn a_client_stops_at_somebody_with_another_key_in_the_place_of_its_server() {
    let Some(world) = World::new(Nat::None, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, office_serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    let listens = office_serving.said()[0]["addresses"][0].as_str().unwrap().to_owned();
    office_serving.end();

    // At the same address, and it knows the service ID, as everybody does who was ever invited.
    let stranger = Computer::new(&world.lab, "office");
    let port = listens.rsplit(':').next().unwrap();
    stranger.become_server("Office PC", &["--internet", "on", "--listen", &format!("0.0.0.0:{port}")]);
    let secrets = |computer: &Computer<'_>| -> serde_json::Value {
        serde_json::from_slice(&fs::read(computer.path("profile/secrets.json")).unwrap()).unwrap()
    };
    let mut forged = secrets(&stranger);
    forged["secrets"]["service-id"] = secrets(&office)["secrets"]["service-id"].clone();
    fs::write(stranger.path("profile/secrets.json"), forged.to_string()).unwrap();
    let _serving = stranger.stay(&["serve"]);
    let _running = laptop.stay(&["run"]);
    stops(&laptop, "server-key", "A02");
    assert!(laptop.has("notes/Ideas/one.txt"), "nothing was touched");
}

#[test]
fn on_both_sides_an_organisation_that_manages_the_computer_is_named() {
    let Some(world) = World::new(Nat::None, Nat::None, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    // The program that says which domain a computer is a member of (realmd).
    let realm = std::path::PathBuf::from(world.path("realm"));
    fs::write(&realm, "#!/bin/sh\necho corp.example.org\n").unwrap();
    fs::set_permissions(&realm, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", realm.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let managed = |host| Computer::new(&world.lab, host).with(("PATH", path.clone()));
    let office = server(managed("office"), &at);
    let _serving = office.stay(&["serve"]);
    until_on_the_line(&office);
    let laptop = managed("laptop");
    laptop.join(&[&invited(&office)]).went_well();
    let _running = laptop.stay(&["run"]);
    for computer in [&office, &laptop] {
        until("it is told, and in nobody's way", || {
            let all = Rungs::of(computer);
            (all.get("managed-network") == ("cannotTell", "N39") && all.stop().is_none()).then_some(())
        });
    }
}

#[test]
fn a_network_that_hides_its_computers_from_each_other_is_named() {
    let Some(lab) = Lab::switched(&[("office", 2), ("laptop", 3)], &["nft"]) else { return };
    let (office, laptop) = (Computer::new(&lab, "office"), Computer::new(&lab, "laptop"));
    office.become_server("Office PC", &[]);
    let _serving = office.stay(&["serve"]);
    let file = office.path("office.tandem").display().to_string();
    office.tandem(&["invite", "--out", &file]).went_well();
    laptop.join(&[&file]).went_well();
    let running = laptop.stay(&["run"]);
    until("they are connected", || (laptop.tandem(&["status"]).json()["isConnected"] == true).then_some(()));
    assert_eq!(Rungs::of(&laptop).get("managed-network"), ("ok", ""));
    running.end();

    lab.firewall(
        "switch",
        "add table bridge guests
add chain bridge guests through { type filter hook forward priority 0; }
add rule bridge guests through udp dport 5353 drop
",
    );
    let _running = laptop.stay(&["run"]);
    until("they are connected", || (laptop.tandem(&["status"]).json()["isConnected"] == true).then_some(()));
    let all = Rungs::of(&laptop);
    assert_eq!(all.get("managed-network"), ("cannotTell", "N40"));
    assert_eq!(all.stop(), None, "it is connected all the same");
}
