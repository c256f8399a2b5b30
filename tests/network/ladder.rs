//! The connection check, on both sides: whatever is broken here, the ladder stops at the rung for it and says what to do.

use crate::{
    computer::Computer,
    lab::{Lab, must, until},
    routers::{Nat, World, invited, serving},
};
use std::fs;

/// The rungs of a check: ID, result, code.
pub(crate) struct Rungs(Vec<(String, String, String)>);

impl Rungs {
    pub(crate) fn of(computer: &Computer<'_>) -> Self {
        let checks = computer.tandem(&["doctor"]).json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let rung =
            |rung: &serde_json::Value| (text(&rung["id"]), text(&rung["result"]), text(&rung["problem"]["code"]));
        Self(checks["checks"].as_array().unwrap().iter().map(rung).collect())
    }

    pub(crate) fn get(&self, id: &str) -> (&str, &str) {
        let rung = self.0.iter().find(|(other, ..)| other == id);
        rung.map_or(("missing", ""), |(_, result, code)| (result.as_str(), code.as_str()))
    }

    /// Where it stops.
    fn stop(&self) -> Option<(&str, &str)> {
        let stop = self.0.iter().find(|(_, result, _)| result == "problem");
        stop.map(|(id, _, code)| (id.as_str(), code.as_str()))
    }

    fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|(id, ..)| id.as_str()).collect()
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
    let behind = last.0.iter().skip_while(|(other, ..)| other != id).skip(1);
    for (other, result, _) in behind.filter(|(other, ..)| other != "data-readable") {
        assert_eq!(result, "skipped", "{other} comes after what is in the way");
    }
}

/// Drops what goes out by UDP and lets TCP pass, as some guest networks do.
const NO_UDP: &str = "add table inet guests
add chain inet guests through { type filter hook forward priority -1; }
add rule inet guests through iifname \"lan\" meta l4proto udp drop
";

/// A rendezvous, and a server behind a router that is to be started.
fn office_at_home<'a>(world: &'a World, rendezvous: &str) -> Computer<'a> {
    let office = Computer::new(&world.lab, "office");
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    office.tandem(&["peer-names", "off"]).went_well();
    office.tandem(&["rendezvous", rendezvous]).went_well();
    office
}

#[test]
fn on_a_server_the_check_stops_at_what_is_in_the_way() {
    let Some(world) = World::new(Nat::PortRestricted, Nat::None, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let office = office_at_home(&world, &at);

    world.lab.ip("office", "link set eth0 down");
    let serving = office.stay(&["serve"]);
    stops(&office, "network", "N01");
    serving.end();
    world.lab.ip("office", "link set eth0 up");
    world.lab.ip("office", "route add default via 10.1.0.1");

    world.lab.ip("ra", "link set wan down");
    let serving = office.stay(&["serve"]);
    stops(&office, "internet", "N01");
    serving.end();
    world.lab.ip("ra", "link set wan up");
    world.lab.ip("ra", "route add default via 203.0.113.1");

    world.firewall("ra", NO_UDP);
    let serving = office.stay(&["serve"]);
    stops(&office, "managed-network", "N38");
    assert_eq!(Rungs::of(&office).get("internet"), ("ok", ""));
    serving.end();
    must(&mut world.lab.command("ra", &["nft", "delete", "table", "inet", "guests"]));

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
    world.firewall(
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
    laptop.join(&[&invited(&world, &office)]).went_well();
}

#[test]
fn on_a_client_the_check_stops_at_what_is_in_the_way() {
    let Some(world) = World::new(Nat::None, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, _office_serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&world, &office)]).went_well();

    let running = laptop.stay(&["run"]);
    until("nothing is in the way", || Rungs::of(&laptop).stop().is_none().then_some(()));
    let order = ["network", "own-internet-switch", "internet", "managed-network", "findable", "server-online"];
    let rest = ["server-internet-switch", "path", "server-key", "version", "access", "data-readable"];
    assert_eq!(Rungs::of(&laptop).ids(), [&order[..], &rest[..]].concat());
    laptop.tandem(&["internet", "off"]).went_well();
    stops(&laptop, "own-internet-switch", "N09");
    laptop.tandem(&["internet", "on"]).went_well();
    running.end();

    world.lab.ip("laptop", "link set eth0 down");
    let running = laptop.stay(&["run"]);
    stops(&laptop, "network", "N01");
    running.end();
    world.lab.ip("laptop", "link set eth0 up");
    world.lab.ip("laptop", "route add default via 10.2.0.1");

    world.lab.ip("rb", "link set wan down");
    let running = laptop.stay(&["run"]);
    stops(&laptop, "internet", "N01");
    running.end();
    world.lab.ip("rb", "link set wan up");
    world.lab.ip("rb", "route add default via 198.51.100.1");

    world.firewall("rb", NO_UDP);
    let running = laptop.stay(&["run"]);
    stops(&laptop, "managed-network", "N38");
    running.end();
}

#[test]
fn on_a_client_the_check_stops_at_what_the_server_says_or_doesnt() {
    let Some(world) = World::new(Nat::None, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, mut office_serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&world, &office)]).went_well();

    office.tandem(&["internet", "off"]).went_well();
    let running = laptop.stay(&["run"]);
    stops(&laptop, "server-internet-switch", "N08");
    running.end();
    office.tandem(&["internet", "on"]).went_well();

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
fn a_network_that_hides_its_computers_from_each_other_is_named() {
    let Some(mut lab) = Lab::new(&["nft"]) else { return };
    lab.switch("switch");
    for (host, number) in [("office", 2), ("laptop", 3)] {
        lab.host(host).wire(host, "eth0", "switch", "br0", &[&format!("10.7.0.{number}/24")]);
    }
    let rules = "add table bridge guests
add chain bridge guests through { type filter hook forward priority 0; }
add rule bridge guests through udp dport 5353 drop
";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.nft"), rules).unwrap();
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

    must(&mut lab.command("switch", &["nft", "-f", &folder.path().join("rules.nft").display().to_string()]));
    let _running = laptop.stay(&["run"]);
    until("they are connected", || (laptop.tandem(&["status"]).json()["isConnected"] == true).then_some(()));
    let all = Rungs::of(&laptop);
    assert_eq!(all.get("managed-network"), ("cannotTell", "N40"));
    assert_eq!(all.stop(), None, "it is connected all the same");
}
