//! Two computers behind routers of every kind, and the rendezvous that puts them through to each other.

use crate::{
    computer::{Computer, Staying},
    lab::{Lab, Program, must, until},
};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

/// What a router does with addresses and with packets that nobody waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Nat {
    /// There is none: the computer has an address of its own on the Internet, and no firewall.
    None,
    /// One address for all destinations, and it lets everybody in (full cone).
    FullCone,
    /// One address for all destinations, and it lets in who was sent to (port-restricted cone).
    PortRestricted,
    /// The same, but it answers unknown packets instead of dropping them.
    Answering,
    /// Another address for each destination (symmetric).
    Symmetric,
}

impl Nat {
    pub(crate) fn rules(self, host: &str) -> String {
        let masquerade = if self == Self::Symmetric { "masquerade fully-random" } else { "masquerade" };
        let all_in = match self {
            Self::FullCone => format!("iifname \"wan\" udp dport 1024-65535 dnat to {host}\n"),
            _ => String::new(),
        };
        let own = if self == Self::Answering { "" } else { "iifname \"wan\" ct state new drop\n" };
        format!(
            "flush ruleset
table ip nat {{
 chain pre {{ type nat hook prerouting priority dstnat;
  {all_in} }}
 chain post {{ type nat hook postrouting priority srcnat;
  oifname \"wan\" {masquerade}
 }}
}}
table inet filter {{
 chain own {{ type filter hook input priority 0;
  ct state established,related accept
  {own} }}
 chain through {{ type filter hook forward priority 0;
  ct state established,related accept
  ct status dnat accept
  iifname \"wan\" ct state new drop
 }}
}}
"
        )
    }
}

/// `office` behind `ra`, `laptop` behind `rb`, one hop between the routers, and `rdv` with an address of its own.
pub(crate) struct World {
    pub(crate) lab: Lab,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(office: Nat, laptop: Nat, programs: &[&str]) -> Option<Self> {
        let mut lab = Lab::new(&[&["nft", "conntrack"], programs].concat())?;
        lab.host("inet").run("inet", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        for (bridge, address) in [("br0", "203.0.113.1/24"), ("br1", "198.51.100.1/24"), ("br2", "192.0.2.1/24")] {
            lab.ip("inet", &format!("link add {bridge} type bridge mcast_snooping 0"));
            lab.ip("inet", &format!("link set {bridge} up"));
            lab.ip("inet", &format!("addr add {address} dev {bridge}"));
        }
        lab.host("rdv").wire("rdv", "wan", "inet", "br2", &["192.0.2.10/24"]);
        lab.ip("rdv", "route add default via 192.0.2.1");
        let world = Self { lab, folder: tempfile::tempdir().unwrap() };
        let world = world.house(office, "office", "ra", "br0", "203.0.113", "10.1.0");
        Some(world.house(laptop, "laptop", "rb", "br1", "198.51.100", "10.2.0"))
    }

    /// A computer behind a router, or, without one, on the Internet.
    fn house(mut self, nat: Nat, host: &str, router: &str, bridge: &str, outside: &str, inside: &str) -> Self {
        let lab = &mut self.lab;
        lab.host(host).run(host, &["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
        if nat == Nat::None {
            lab.wire(host, "wan", "inet", bridge, &[&format!("{outside}.50/24")]);
            lab.ip(host, &format!("route add default via {outside}.1"));
            return self;
        }
        lab.host(router).run(router, &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        lab.ip(router, "link add lan type bridge mcast_snooping 0");
        lab.ip(router, "link set lan up");
        lab.ip(router, &format!("addr add {inside}.1/24 dev lan"));
        lab.wire(router, "wan", "inet", bridge, &[&format!("{outside}.21/24")]);
        lab.ip(router, &format!("route add default via {outside}.1"));
        lab.wire(host, "eth0", router, "lan", &[&format!("{inside}.2/24")]);
        lab.ip(host, &format!("route add default via {inside}.1"));
        self.firewall(router, &nat.rules(&format!("{inside}.2")));
        self
    }

    pub(crate) fn firewall(&self, host: &str, rules: &str) {
        let file = self.folder.path().join("rules.nft");
        fs::write(&file, rules).unwrap();
        must(&mut self.lab.command(host, &["nft", "-f", &file.display().to_string()]));
    }

    /// Starts the directory's rendezvous; how servers name it.
    pub(crate) fn rendezvous(&self) -> (Program, String) {
        let program = crate::computer::built("tandem-directory");
        let data = self.folder.path().join("directory").display().to_string();
        let words = [program.as_str(), "--listen", "192.0.2.10:7700", "--data", &data];
        let mut command = self.lab.command("rdv", &words);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready: serde_json::Value = lines.find_map(|line| serde_json::from_str(&line).ok()).unwrap();
        let key = ready["rendezvousKey"].as_str().unwrap().to_owned();
        (Program(child), format!("192.0.2.10:7700={key}"))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        Path::new(self.folder.path()).join(name).display().to_string()
    }
}

/// A server at home that is on the line to a rendezvous.
pub(crate) fn serving<'a>(world: &'a World, rendezvous: &str) -> (Computer<'a>, Staying) {
    let office = Computer::new(&world.lab, "office");
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    office.tandem(&["peer-names", "off"]).went_well();
    office.tandem(&["rendezvous", rendezvous]).went_well();
    let serving = office.stay(&["serve"]);
    until("it is on the line", || {
        let said = office.tandem(&["rendezvous"]).went_well().json();
        said["rendezvous"][0]["observed"][0]["translation"].as_str().filter(|kind| *kind != "unknown").map(drop)
    });
    (office, serving)
}

/// An invitation that names the rendezvous and no address that leads anywhere.
pub(crate) fn invited(world: &World, office: &Computer<'_>) -> String {
    let file = world.path("office.tandem");
    office.tandem(&["invite", "--out", &file]).went_well();
    file
}

/// How long it takes from `tandem run` until there is a link, and which way.
pub(crate) fn connect(laptop: &Computer<'_>) -> (Duration, String) {
    let begun = Instant::now();
    let running = laptop.stay(&["run"]);
    loop {
        let path = running.said().iter().find_map(|said| {
            (said["status"]["isConnected"] == true)
                .then(|| said["status"]["path"].as_str().unwrap_or_default().to_owned())
        });
        if let Some(path) = path {
            let took = begun.elapsed();
            running.end();
            return (took, path);
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it doesn't connect");
        thread::sleep(Duration::from_millis(2));
    }
}

fn they_meet(office: Nat, laptop: Nat, path: &str) {
    let Some(world) = World::new(office, laptop, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, _serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&world, &office)]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    let (took, found) = connect(&laptop);
    eprintln!("{found} after {took:?}");
    assert_eq!(found, path);
}

#[test]
fn two_routers_that_let_in_only_whom_they_sent_to_are_opened_from_both_sides() {
    they_meet(Nat::PortRestricted, Nat::PortRestricted, "punched");
}

#[test]
fn a_router_that_answers_unknown_packets_is_no_obstacle() {
    they_meet(Nat::Answering, Nat::Answering, "punched");
}

#[test]
fn a_server_behind_a_symmetric_router_calls_back() {
    they_meet(Nat::Symmetric, Nat::FullCone, "punched");
}
