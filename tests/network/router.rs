//! A server behind a home router with a real miniupnpd, called from the other side.

use crate::{
    computer::Computer,
    lab::{Lab, Program, until, until_within},
    ladder::{Rungs, stops, until_fine},
    roaming::Nodes,
    routers::{KIND_NAMES, KINDS, Nat, connect, directory, invited, median, server, until_on_the_line},
};
use std::{
    fs,
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

/// `office` behind `router`, and `laptop` on the Internet. The router's outer address is one of those that are kept for
/// documentation, which miniupnpd takes for private: it is told what to call itself.
pub(crate) struct Home {
    pub(crate) lab: Lab,
    folder: tempfile::TempDir,
    /// The network for addresses, so that there is an Internet.
    nodes: Nodes,
}

const FIREWALL: &str = "flush ruleset
table ip nat { chain post { type nat hook postrouting priority srcnat;
  oifname \"wan\" masquerade
 }
}
table inet filter {
 chain forward { type filter hook forward priority 0;
  ct state established,related accept
  meta l4proto icmpv6 accept
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
  meta l4proto icmpv6 accept
  iifname \"wan\" ct state new drop
 }
}
";

impl Home {
    /// For a story that needs these programs, too.
    pub(crate) fn new(programs: &[&str]) -> Option<Self> {
        Self::with(false, programs)
    }

    /// The same; `has_outer`: with another router before the router, as when a provider's box stands before one's own.
    fn with(has_outer: bool, programs: &[&str]) -> Option<Self> {
        let mut lab = Lab::new(&[&["nft", "miniupnpd"], programs].concat())?;
        lab.switch("inet").host("router").host("office").host("laptop");
        lab.ip("inet", "addr add 203.0.113.1/24 dev br0");
        lab.ip("router", "link add lan type bridge");
        lab.ip("router", "addr add 10.1.0.1/24 dev lan");
        lab.ip("router", "link set lan up");
        lab.run("router", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        if has_outer {
            lab.host("outer").run("outer", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
            lab.ip("outer", "link add lan type bridge");
            lab.ip("outer", "addr add 192.168.1.1/24 dev lan");
            lab.ip("outer", "link set lan up");
            lab.wire("outer", "wan", "inet", "br0", &["203.0.113.21/24"]);
            lab.wire("router", "wan", "outer", "lan", &["192.168.1.2/24"]);
            lab.ip("router", "route add default via 192.168.1.1");
        } else {
            lab.wire("router", "wan", "inet", "br0", &["203.0.113.21/24"]);
        }
        lab.wire("laptop", "wan", "inet", "br0", &["203.0.113.50/24"]);
        lab.wire("office", "eth0", "router", "lan", &["10.1.0.2/24"]);
        lab.ip("office", "route add default via 10.1.0.1");
        lab.ip("router", "route add 239.0.0.0/8 dev lan");
        let nodes = Nodes::start(&lab, "inet", 1);
        let home = Self { lab, folder: tempfile::tempdir().unwrap(), nodes };
        home.lab.firewall("router", FIREWALL);
        if has_outer {
            home.lab.firewall("outer", &Nat::PortRestricted.rules("nobody"));
        }
        Some(home)
    }

    /// Puts a router of this kind before the laptop.
    fn put_laptop_behind(&mut self, nat: Nat) {
        if nat == Nat::None {
            return;
        }
        let lab = &mut self.lab;
        lab.ip("laptop", "link del wan");
        lab.host("rb").run("rb", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        lab.ip("rb", "link add lan type bridge mcast_snooping 0");
        lab.ip("rb", "link set lan up");
        lab.ip("rb", "addr add 10.2.0.1/24 dev lan");
        lab.wire("rb", "wan", "inet", "br0", &["203.0.113.22/24"]);
        lab.wire("laptop", "eth0", "rb", "lan", &["10.2.0.2/24"]);
        lab.ip("laptop", "route add default via 10.2.0.1");
        lab.firewall("rb", &nat.rules("10.2.0.2"));
    }

    /// The same, and the office has nothing but IPv6; it knows the router by its link-local address, as usual.
    fn with_ipv6_only() -> Option<Self> {
        let home = Self::new(&[])?;
        let lab = &home.lab;
        lab.run("router", &["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"]);
        for (host, words) in [
            ("router", "-6 addr add fe80::1/64 dev lan nodad"),
            ("router", "-6 addr add 2001:db8:1::1/64 dev lan nodad"),
            ("router", "-6 addr add 2001:db8:a::21/64 dev wan nodad"),
            ("laptop", "-6 addr add 2001:db8:a::50/64 dev wan nodad"),
            ("laptop", "-6 route add 2001:db8:1::/64 via 2001:db8:a::21"),
            ("office", "-4 addr flush dev eth0"),
            ("office", "-6 addr add 2001:db8:1::2/64 dev eth0 nodad"),
            ("office", "-6 route add default via fe80::1 dev eth0"),
        ] {
            lab.ip(host, words);
        }
        Some(home)
    }

    /// Makes the computer at home a server that others may call.
    pub(crate) fn server(&self) -> Computer<'_> {
        let office = Computer::new(&self.lab, "office");
        office.write("notes/Ideas/one.txt", "one\n");
        office.become_server("Office PC", &["--internet", "on", "--dht-bootstrap", &self.nodes.first]);
        office
    }

    /// What a home router runs. `external` is what it takes for its address, and `further` lines of its configuration.
    pub(crate) fn miniupnpd(&self, external: &str, further: &str) -> Program {
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

    /// Switches the router off and on, which then knows nothing of what it did.
    pub(crate) fn restart(&self, daemon: Program, protocols: &str) -> Program {
        drop(daemon);
        fs::remove_file(self.folder.path().join("leases")).unwrap();
        self.lab.firewall("router", FIREWALL);
        assert!(!self.forwards());
        self.miniupnpd(PUBLIC, protocols)
    }

    pub(crate) fn forwards(&self) -> bool {
        self.lab.run("router", &["nft", "list", "ruleset"]).contains("to 10.1.0.2:")
    }
}

/// A mapping is renewed each minute.
const RENEWED: Duration = Duration::from_secs(120);
pub(crate) const PUBLIC: &str = "ext_ip=1.2.3.4\n";

fn a_server_is_reached(protocols: &str) {
    let Some(home) = Home::new(&[]) else { return };
    let (office, laptop) = (home.server(), Computer::new(&home.lab, "laptop"));
    let daemon = home.miniupnpd(PUBLIC, protocols);
    let serving = office.stay(&["serve"]);
    let ((), took) = until("the router forwards", || home.forwards().then_some(()));
    eprintln!("mapped after {took:?} ({})", protocols.replace('\n', " "));
    until_fine(&office, "mapping");

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

pub(crate) const EVERY_PROTOCOL: [&str; 3] = [
    "enable_natpmp=yes\nenable_upnp=yes\n",
    "enable_natpmp=yes\nenable_upnp=no\n",
    "enable_natpmp=no\nenable_upnp=yes\n",
];

#[test]
fn what_a_server_would_meet_is_told_before_there_is_one_and_nothing_stays_open() {
    let Some(home) = Home::new(&[]) else { return };
    let office = Computer::new(&home.lab, "office");
    let _daemon = home.miniupnpd(PUBLIC, "enable_natpmp=yes\nenable_upnp=no\n");
    until_fine(&office, "mapping");
    until("nothing is left behind", || (!home.forwards()).then_some(()));
}

#[test]
fn a_router_behind_another_one_is_named() {
    let Some(home) = Home::with(true, &[]) else { return };
    let office = home.server();
    for protocols in EVERY_PROTOCOL {
        let _daemon = home.miniupnpd("", protocols);
        let serving = office.stay(&["serve"]);
        stops(&office, "mapping", "N20");
        serving.end();
    }
}

#[test]
fn a_router_that_maps_nothing_is_named() {
    let Some(home) = Home::new(&[]) else { return };
    let office = home.server();
    // Nothing answers, and nothing waits for it either.
    let serving = office.stay(&["serve"]);
    stops(&office, "mapping", "N03");
    serving.end();
}

#[test]
fn a_router_that_says_no_is_named() {
    let Some(home) = Home::new(&[]) else { return };
    let office = home.server();
    for protocols in EVERY_PROTOCOL {
        // What comes first holds: nobody may have a port.
        let _daemon = home.miniupnpd(&format!("{PUBLIC}deny 0-65535 0.0.0.0/0 0-65535\n"), protocols);
        let serving = office.stay(&["serve"]);
        stops(&office, "mapping", "N03");
        until_fine(&office, "gateway");
        serving.end();
    }
}

const ROUTER: &str = "TANDEM_TEST_ROUTER";
const MAPS: &str = "this router maps";

/// Not a test: a router that maps whatever it is asked by PCP (RFC 6887), at an address that its provider shares among
/// customers (RFC 6598). miniupnpd maps nothing there, and doesn't say why.
#[test]
#[ignore = "started by the story that needs such a router"]
fn a_router_at_a_shared_address() {
    let Ok(address) = std::env::var(ROUTER) else { return };
    let socket = UdpSocket::bind(address).unwrap();
    println!("{MAPS}");
    let mut packet = [0; 1100];
    loop {
        let (length, from) = socket.recv_from(&mut packet).unwrap();
        // The answer to MAP is the question, marked as an answer, with a clock, and with an address outside.
        packet[1] |= 0x80;
        packet[8..24].fill(0);
        packet[44..60].copy_from_slice(&Ipv4Addr::new(100, 64, 3, 7).to_ipv6_mapped().octets());
        socket.send_to(&packet[..length], from).unwrap();
    }
}

#[test]
fn a_router_whose_provider_shares_one_address_among_customers_is_named() {
    let Some(home) = Home::new(&[]) else { return };
    let office = home.server();
    let _router = home.lab.play("router", "router::a_router_at_a_shared_address", (ROUTER, "10.1.0.1:5351"), MAPS);
    let _serving = office.stay(&["serve"]);
    stops(&office, "mapping", "N21");
}

/// A server that others know by its ID only, and a client of it that isn't told any address: its peer name says at which
/// port its router lets calls through. `nat`: what stands before the client.
fn found_by_its_peer_name<T>(nat: Nat, look: impl FnOnce(&Computer<'_>) -> T) -> Option<T> {
    let mut home = Home::new(&[])?;
    home.put_laptop_behind(nat);
    // What miniupnpd tells of itself holds here, in another network than the laptop's.
    home.lab.run("inet", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    home.lab.ip("inet", "addr add 1.2.3.1/24 dev br0");
    home.lab.ip("router", "addr add 1.2.3.4/24 dev wan");
    let asks = if nat == Nat::None { "laptop" } else { "rb" };
    home.lab.ip(asks, "route add 1.2.3.0/24 via 203.0.113.1");
    let (office, laptop) = (home.server(), Computer::new(&home.lab, "laptop"));
    let _daemon = home.miniupnpd(PUBLIC, EVERY_PROTOCOL[0]);
    let _serving = office.stay(&["serve"]);
    until("the router forwards", || home.forwards().then_some(()));
    let published = office.tandem(&["publish", "--yes"]).went_well().json();
    let id = published["serverId"].as_str().unwrap();
    until("it is found by its ID", || {
        let joined = laptop.join(&[id, "--dht-bootstrap", &home.nodes.first]);
        (joined.exit == 0).then_some(())
    });
    Some(look(&laptop))
}

#[test]
fn at_the_port_its_router_opened_a_server_is_found_from_behind_any_router_by_its_peer_name_alone() {
    for nat in KINDS {
        found_by_its_peer_name(nat, |laptop| {
            assert!(laptop.has("notes/Ideas/one.txt"));
            laptop.forget_addresses();
            let (took, path) = connect(laptop);
            eprintln!("{nat:?}: {path} after {took:?}");
            assert_eq!(path, "mapped", "{nat:?}");
        });
    }
}

/// A server behind two routers, neither of which can help with ports, and a client behind another one.
fn behind_two_routers<T>(look: impl FnOnce(&Computer<'_>) -> T) -> Option<T> {
    let mut home = Home::with(true, &[])?;
    home.put_laptop_behind(Nat::PortRestricted);
    let data = home.folder.path().join("directory").display().to_string();
    let (_directory, at) = directory(&home.lab, "inet", "203.0.113.1:7700", &data);
    let office = server(Computer::new(&home.lab, "office"), &at);
    let _serving = office.stay(&["serve"]);
    until_on_the_line(&office);
    let laptop = Computer::new(&home.lab, "laptop");
    laptop.join(&[&invited(&office)]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    Some(look(&laptop))
}

#[test]
fn a_server_behind_two_routers_is_reached_through_both() {
    behind_two_routers(|laptop| {
        let (took, path) = connect(laptop);
        eprintln!("{path} after {took:?}");
        assert_eq!(path, "punched");
    });
}

/// `npm run connect-times`, like those of `roaming.rs` and `routers.rs`.
#[test]
#[ignore = "prints figures"]
fn figures_of_a_mapped_port() {
    let mut row = "| port opened by PCP, found by its peer name |".to_owned();
    for (nat, name) in KINDS.into_iter().zip(KIND_NAMES) {
        let looked = found_by_its_peer_name(nat, |laptop| median(laptop, &|| laptop.forget_addresses()));
        let Some((median, path)) = looked else { return };
        assert_eq!(path, "mapped", "{name}");
        row.push_str(&format!(" {path}, {} ms |", median.as_millis()));
    }
    println!("{row}");
}

#[test]
#[ignore = "prints figures"]
fn figures_of_two_routers() {
    let Some((median, path)) = behind_two_routers(|laptop| median(laptop, &|| ())) else { return };
    println!("behind two routers, client behind one: {path}, {median:?}");
}

#[test]
fn a_router_that_was_switched_off_is_asked_again() {
    let Some(home) = Home::new(&[]) else { return };
    let office = home.server();
    let daemon = home.miniupnpd(PUBLIC, EVERY_PROTOCOL[0]);
    let _serving = office.stay(&["serve"]);
    until("the router forwards", || home.forwards().then_some(()));
    let _daemon = home.restart(daemon, EVERY_PROTOCOL[0]);
    let ((), took) = until_within(RENEWED, "the router forwards again", || home.forwards().then_some(()));
    eprintln!("mapped again after {took:?}");
}

#[test]
fn a_router_that_keeps_calls_from_ipv6_addresses_away_lets_those_for_the_server_pass() {
    let Some(home) = Home::with_ipv6_only() else { return };
    let (office, laptop) = (Computer::new(&home.lab, "office"), Computer::new(&home.lab, "laptop"));
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    office.tandem(&["peer-names", "off"]).went_well();
    let list = ["nft", "list", "chain", "inet", "filter", "miniupnpd"];
    let is_open = || home.lab.run("router", &list).contains("accept");

    let serving = office.stay(&["serve"]);
    let port = serving.said()[0]["addresses"][0].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let file = office.path("office.tandem").display().to_string();
    office.tandem(&["invite", "--out", &file, "--hint", &format!("[2001:db8:1::2]:{port}")]).went_well();
    let kept_out = laptop.join(&[&file]);
    assert!(kept_out.stdout.contains("N04"), "{kept_out:?}");
    assert_eq!(Rungs::of(&office).get("findable"), ("problem", "N10"), "an address of the own network tells nobody");
    serving.end();

    let data = home.folder.path().join("directory").display().to_string();
    let (_directory, at) = directory(&home.lab, "laptop", "[2001:db8:a::50]:7700", &data);
    office.tandem(&["rendezvous", &at]).went_well();
    let _daemon = home.miniupnpd(PUBLIC, EVERY_PROTOCOL[0]);
    let serving = office.stay(&["serve"]);
    let ((), took) = until("the router lets calls pass", || is_open().then_some(()));
    eprintln!("open after {took:?}");
    laptop.join(&[&file]).went_well();
    assert!(laptop.has("notes/Ideas/one.txt"));
    let rungs = Rungs::of(&office);
    assert_eq!((rungs.get("gateway"), rungs.get("mapping")), (("ok", ""), ("ok", "")));
    serving.end();
    until("nothing is left behind", || (!is_open()).then_some(()));
}
