//! A server behind a home router with a real miniupnpd, called from the other side.

use crate::{
    computer::Computer,
    lab::{Lab, Program, must, until},
};
use serde_json::Value;
use std::fs;

/// `office` behind `router`, and `laptop` on the Internet. The router's outer address is one of those that are kept for
/// documentation, which miniupnpd takes for private: it is told what to call itself.
struct Home {
    lab: Lab,
    folder: tempfile::TempDir,
}

const FIREWALL: &str = "
table ip nat { chain post { type nat hook postrouting priority srcnat;
  oifname \"wan\" masquerade
 }
}
table inet filter {
 chain forward { type filter hook forward priority 0;
  ct state established,related accept
  ct status dnat accept
  jump miniupnpd
  iifname \"wan\" ct state new drop
 }
 chain miniupnpd {
 }
 chain prerouting { type nat hook prerouting priority -100;
  jump prerouting_miniupnpd
 }
 chain postrouting { type nat hook postrouting priority 100;
  jump postrouting_miniupnpd
 }
 chain prerouting_miniupnpd {
 }
 chain postrouting_miniupnpd {
 }
 chain input { type filter hook input priority 0;
  ct state established,related accept
  iifname \"wan\" ct state new drop
 }
}
";

impl Home {
    fn new() -> Option<Self> {
        let mut lab = Lab::new(&["nft", "miniupnpd"])?;
        lab.switch("inet").host("router").host("office").host("laptop");
        lab.ip("router", "link add lan type bridge");
        lab.ip("router", "addr add 10.1.0.1/24 dev lan");
        lab.ip("router", "link set lan up");
        lab.run("router", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        lab.wire("router", "wan", "inet", "br0", &["203.0.113.21/24"]);
        lab.wire("laptop", "wan", "inet", "br0", &["203.0.113.50/24"]);
        lab.wire("office", "eth0", "router", "lan", &["10.1.0.2/24"]);
        lab.ip("office", "route add default via 10.1.0.1");
        lab.ip("router", "route add 239.0.0.0/8 dev lan");
        let home = Self { lab, folder: tempfile::tempdir().unwrap() };
        home.reset_firewall();
        Some(home)
    }

    /// As a router is after it was switched on.
    fn reset_firewall(&self) {
        let file = self.folder.path().join("rules.nft");
        fs::write(&file, format!("flush ruleset\n{FIREWALL}")).unwrap();
        must(&mut self.lab.command("router", &["nft", "-f", &file.display().to_string()]));
    }

    /// What a home router runs. `external` is what it takes for its address, and `further` lines of its configuration.
    fn miniupnpd(&self, external: &str, further: &str) -> Program {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let configuration = format!(
            "ext_ifname=wan\nlistening_ip=lan\nsecure_mode=yes\nsystem_uptime=no\nuuid=6a74bde2-7dfd-4a60-9d10-baccf004a13c\n\
             {external}upnp_table_name=filter\nupnp_nat_table_name=filter\nmin_lifetime=120\nmax_lifetime=86400\n\
             lease_file={}\nallow 1024-65535 10.1.0.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n{further}",
            path("leases")
        );
        fs::write(path("upnpd.conf"), configuration).unwrap();
        let daemon = self.lab.stay("router", &["miniupnpd", "-d", "-f", &path("upnpd.conf"), "-P", &path("pid")]);
        // The ports of SSDP and of NAT-PMP and PCP, in the kernel's own digits.
        let is_ready = |sockets: String| [":076C ", ":14E7 "].iter().any(|port| sockets.contains(port));
        until("miniupnpd listens", || is_ready(self.lab.run("router", &["cat", "/proc/net/udp"])).then_some(()));
        daemon
    }

    fn forwards(&self) -> bool {
        self.lab.run("router", &["nft", "list", "ruleset"]).contains("to 10.1.0.2:")
    }
}

const PUBLIC: &str = "ext_ip=1.2.3.4\n";

fn rung(checks: &Value, id: &str) -> (String, String) {
    let rung = checks["checks"].as_array().unwrap().iter().find(|rung| rung["id"] == id);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rung.map(|rung| (text(&rung["result"]), text(&rung["problem"]["code"]))).unwrap_or_default()
}

fn mapping(office: &Computer) -> (String, String) {
    rung(&office.tandem(&["doctor"]).json(), "mapping")
}

fn is(result: &str, code: &str) -> (String, String) {
    (result.to_owned(), code.to_owned())
}

fn a_server_is_reached(protocols: &str) {
    let Some(home) = Home::new() else { return };
    let (office, laptop) = (Computer::new(&home.lab, "office"), Computer::new(&home.lab, "laptop"));
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    let daemon = home.miniupnpd(PUBLIC, protocols);
    let serving = office.stay(&["serve"]);
    let ((), took) = until("the router forwards", || home.forwards().then_some(()));
    eprintln!("mapped after {took:?} ({})", protocols.replace('\n', " "));
    assert_eq!(mapping(&office), is("ok", ""));

    // The address that miniupnpd calls its own isn't there; the real one goes by hand.
    let addresses = serving.said()[0]["addresses"].clone();
    let port = addresses[0].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let file = office.path("office.tandem").display().to_string();
    let plain = office.path("plain.tandem");
    office.tandem(&["invite", "--out", &plain.display().to_string()]).went_well();
    assert!(fs::read_to_string(&plain).unwrap().contains("1.2.3.4:"), "others are told what the router maps");
    office.tandem(&["invite", "--out", &file, "--hint", &format!("203.0.113.21:{port}")]).went_well();
    laptop.join(&[&file]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));

    serving.end();
    until("nothing is left behind", || (!home.forwards()).then_some(()));
    drop(daemon);
}

#[test]
fn a_server_is_reached_through_a_router_that_maps_by_pcp() {
    a_server_is_reached("enable_natpmp=yes\nenable_upnp=no\n");
}

#[test]
fn a_server_is_reached_through_a_router_that_maps_by_upnp_only() {
    a_server_is_reached("enable_natpmp=no\nenable_upnp=yes\n");
}

#[test]
fn a_router_behind_another_one_is_named() {
    let Some(home) = Home::new() else { return };
    let office = Computer::new(&home.lab, "office");
    office.become_server("Office PC", &["--internet", "on"]);
    // Its own address is one that nobody on the Internet can call.
    let _daemon = home.miniupnpd("", "enable_natpmp=yes\nenable_upnp=yes\n");
    let serving = office.stay(&["serve"]);
    assert_eq!(mapping(&office), is("problem", "N20"));
    serving.end();
}

#[test]
fn a_router_that_maps_nothing_is_named() {
    let Some(home) = Home::new() else { return };
    let office = Computer::new(&home.lab, "office");
    office.become_server("Office PC", &["--internet", "on"]);
    // Nothing answers, and nothing waits for it either.
    let serving = office.stay(&["serve"]);
    let checks = office.tandem(&["doctor"]).json();
    assert_eq!(rung(&checks, "mapping"), is("problem", "N03"), "{checks:#}");
    serving.end();
}
