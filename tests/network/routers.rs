//! Two computers behind routers of every kind, and the rendezvous that puts them through to each other.

use crate::{
    computer::{Computer, Staying},
    lab::{Lab, PATIENCE, Program, until},
    relay::{RELAY_PASSWORD, choose, coturn},
};
use std::{
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
    /// Where directory and rendezvous listen.
    pub(crate) rendezvous: &'static str,
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
        let world = Self { lab, folder: tempfile::tempdir().unwrap(), rendezvous: "192.0.2.10:7700" };
        let world = world.house(office, "office", "ra", "br0", "203.0.113", "10.1.0");
        Some(world.house(laptop, "laptop", "rb", "br1", "198.51.100", "10.2.0"))
    }

    /// The same with IPv6 and nothing else: no addresses are changed, and routers let in whom was sent to.
    fn with_ipv6_only() -> Option<Self> {
        let mut lab = Lab::new(&["nft"])?;
        lab.host("inet").run("inet", &["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
        for (bridge, net) in [("br0", "a"), ("br1", "b"), ("br2", "c")] {
            lab.ip("inet", &format!("link add {bridge} type bridge mcast_snooping 0"));
            lab.ip("inet", &format!("link set {bridge} up"));
            lab.ip("inet", &format!("-6 addr add 2001:db8:{net}::1/64 dev {bridge} nodad"));
        }
        lab.host("rdv").wire("rdv", "wan", "inet", "br2", &["2001:db8:c::10/64"]);
        lab.ip("rdv", "-6 route add default via 2001:db8:c::1");
        let rendezvous = "[2001:db8:c::10]:7700";
        let mut world = Self { lab, folder: tempfile::tempdir().unwrap(), rendezvous };
        for (host, router, bridge, outside, inside) in
            [("office", "ra", "br0", "2001:db8:a", "2001:db8:1"), ("laptop", "rb", "br1", "2001:db8:b", "2001:db8:2")]
        {
            let lab = &mut world.lab;
            lab.host(host).host(router).run(router, &["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
            lab.ip(router, "link add lan type bridge mcast_snooping 0");
            lab.ip(router, "link set lan up");
            lab.ip(router, &format!("-6 addr add {inside}::1/64 dev lan nodad"));
            lab.wire(router, "wan", "inet", bridge, &[&format!("{outside}::21/64")]);
            lab.ip(router, &format!("-6 route add default via {outside}::1"));
            lab.ip("inet", &format!("-6 route add {inside}::/64 via {outside}::21"));
            lab.wire(host, "eth0", router, "lan", &[&format!("{inside}::2/64")]);
            lab.ip(host, &format!("-6 route add default via {inside}::1"));
            world.lab.firewall(
                router,
                "flush ruleset
table inet filter {
 chain through { type filter hook forward priority 0;
  ct state established,related accept
  iifname \"wan\" ct state new drop
 }
}
",
            );
        }
        Some(world)
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
        self.lab.firewall(router, &nat.rules(&format!("{inside}.2")));
        self
    }

    /// Starts the directory's rendezvous; how servers name it.
    pub(crate) fn rendezvous(&self) -> (Program, String) {
        directory(&self.lab, "rdv", self.rendezvous, &self.path("directory"))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        Path::new(self.folder.path()).join(name).display().to_string()
    }
}

/// Starts a directory with its rendezvous; how servers name that.
pub(crate) fn directory(lab: &Lab, host: &str, listen: &str, data: &str) -> (Program, String) {
    let program = crate::computer::built("tandem-directory");
    let mut command = lab.command(host, &[&program, "--listen", listen, "--data", data]);
    command.env("TANDEM_DIRECTORY_RENDEZVOUS_ADDRESS", listen);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready: serde_json::Value = lines.find_map(|line| serde_json::from_str(&line).ok()).unwrap();
    let key = ready["rendezvousKey"].as_str().unwrap().to_owned();
    (Program(child), format!("{listen}={key}"))
}

/// A computer becomes a server that nothing but a rendezvous leads to; it is to be started.
pub(crate) fn server<'a>(office: Computer<'a>, rendezvous: &str) -> Computer<'a> {
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    office.tandem(&["peer-names", "off"]).went_well();
    office.tandem(&["rendezvous", rendezvous]).went_well();
    office
}

pub(crate) fn until_on_the_line(office: &Computer<'_>) {
    until("it is on the line", || {
        let said = office.tandem(&["rendezvous"]).went_well().json();
        said["rendezvous"][0]["observed"][0]["translation"].as_str().filter(|kind| *kind != "unknown").map(drop)
    });
}

/// A server at home that is on the line to a rendezvous.
pub(crate) fn serving<'a>(world: &'a World, rendezvous: &str) -> (Computer<'a>, Staying) {
    let office = server(Computer::new(&world.lab, "office"), rendezvous);
    let serving = office.stay(&["serve"]);
    until_on_the_line(&office);
    (office, serving)
}

/// An invitation that names the rendezvous and no address that leads anywhere.
pub(crate) fn invited(office: &Computer<'_>) -> String {
    let file = office.path("office.tandem").display().to_string();
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
        assert!(begun.elapsed() < PATIENCE, "it doesn't connect: {:?}", running.said().last());
        thread::sleep(Duration::from_millis(2));
    }
}

/// The median of twenty times, and by which way: always the same. `prepare` goes before each.
pub(crate) fn median(laptop: &Computer<'_>, prepare: &dyn Fn()) -> (Duration, String) {
    const ROUNDS: usize = 20;
    let mut times: Vec<_> = std::iter::repeat_with(|| {
        prepare();
        connect(laptop)
    })
    .take(ROUNDS)
    .collect();
    times.sort();
    let (median, path) = times[ROUNDS / 2].clone();
    assert!(times.iter().all(|(_, other)| *other == path), "{times:?}");
    (median, path)
}

pub(crate) const KINDS: [Nat; 4] = [Nat::None, Nat::FullCone, Nat::PortRestricted, Nat::Symmetric];
/// What they are called in `docs/network.md`.
pub(crate) const KIND_NAMES: [&str; 4] = ["none", "full cone", "port-restricted", "symmetric"];

/// A server behind one router, a client behind another, a rendezvous and a relay: what `look` sees of the client.
fn meeting<T>(office: Nat, laptop: Nat, look: impl FnOnce(&Computer<'_>) -> T) -> Option<T> {
    let world = World::new(office, laptop, &["turnserver"])?;
    let (_rendezvous, at) = world.rendezvous();
    let _relay = coturn(&world);
    let (office, _serving) = serving(&world, &at);
    choose(&world, &office, RELAY_PASSWORD).went_well();
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    Some(look(&laptop))
}

fn they_meet(office: Nat, laptop: Nat, path: &str) {
    let Some((took, found)) = meeting(office, laptop, connect) else { return };
    eprintln!("{office:?} and {laptop:?}: {found} after {took:?}");
    assert_eq!(found, path, "{office:?} and {laptop:?}");
}

/// In the order of [`KINDS`].
fn it_meets(office: Nat, paths: [&str; 4]) {
    for (laptop, path) in KINDS.into_iter().zip(paths) {
        they_meet(office, laptop, path);
    }
}

#[test]
fn a_server_without_a_router_is_called_directly() {
    it_meets(Nat::None, ["direct"; 4]);
}

#[test]
fn a_server_whose_router_lets_everybody_in_is_called_where_the_rendezvous_sees_it() {
    it_meets(Nat::FullCone, ["punched"; 4]);
}

#[test]
fn a_router_that_lets_in_only_whom_was_sent_to_is_opened_from_both_sides() {
    it_meets(Nat::PortRestricted, ["punched", "punched", "punched", "relayed"]);
}

#[test]
fn a_server_behind_a_symmetric_router_calls_back_or_is_relayed() {
    it_meets(Nat::Symmetric, ["punched", "punched", "relayed", "relayed"]);
}

#[test]
fn a_router_that_answers_unknown_packets_is_no_obstacle() {
    they_meet(Nat::Answering, Nat::Answering, "punched");
}

/// The table in `docs/network.md`: every pair of routers, how it connects, and the median of how long that takes.
#[test]
#[ignore = "prints figures"]
fn figures_of_routers() {
    println!("| server's router \u{2193}, client's router \u{2192} | {} |", KIND_NAMES.join(" | "));
    println!("|---|---|---|---|---|");
    for (office, name) in KINDS.into_iter().zip(KIND_NAMES) {
        let mut row = format!("| {name} |");
        for laptop in KINDS {
            let look = |laptop: &Computer<'_>| median(laptop, &|| ());
            let Some((median, path)) = meeting(office, laptop, look) else { return };
            row.push_str(&format!(" {path}, {} ms |", median.as_millis()));
        }
        println!("{row}");
    }
}

/// Two computers are connected through their routers, and then something happens to the server's (`ip`): it goes on.
fn it_goes_on(what_happens: &[&str]) {
    let Some(world) = World::new(Nat::PortRestricted, Nat::PortRestricted, &[]) else { return };
    let (_rendezvous, at) = world.rendezvous();
    let (office, _serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    let _running = laptop.stay(&["run"]);
    let path = || laptop.tandem(&["status"]).json()["path"].as_str().map(str::to_owned);
    until("they are connected", || (path()? == "punched").then_some(()));
    what_happens.iter().for_each(|words| world.lab.ip("ra", words));
    // Either way it forgets where the Internet is, and to whom was sent.
    world.lab.ip("ra", "route add default via 203.0.113.1");
    world.lab.run("ra", &["conntrack", "-F"]);
    office.write("notes/Ideas/after.txt", "after\n");
    let ((), took) = until("a change is here", || laptop.has("notes/Ideas/after.txt").then_some(()));
    eprintln!("on again after {took:?}");
}

#[test]
fn a_link_through_two_routers_outlives_one_that_is_switched_off_and_on_again() {
    it_goes_on(&["link set wan down", "link set wan up"]);
}

#[test]
fn a_server_whose_provider_gives_it_another_address_is_found_there() {
    it_goes_on(&["addr flush dev wan", "addr add 203.0.113.99/24 dev wan"]);
}

fn meeting_by_ipv6<T>(look: impl FnOnce(&Computer<'_>) -> T) -> Option<T> {
    let world = World::with_ipv6_only()?;
    let (_rendezvous, at) = world.rendezvous();
    let (office, _serving) = serving(&world, &at);
    let laptop = Computer::new(&world.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    Some(look(&laptop))
}

#[test]
fn with_ipv6_only_the_firewalls_of_both_routers_are_opened() {
    let Some((took, found)) = meeting_by_ipv6(connect) else { return };
    eprintln!("{found} after {took:?}");
    assert_eq!(found, "direct", "at the server's own address");
}

#[test]
#[ignore = "prints figures"]
fn figures_of_ipv6() {
    let Some((median, path)) = meeting_by_ipv6(|laptop| median(laptop, &|| ())) else { return };
    println!("IPv6 only, a firewall on each side: {path}, {median:?}");
}
