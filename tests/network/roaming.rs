//! A laptop that leaves the house: the same server by another way, in the middle of a transfer; and the switch that
//! keeps everything at home. The network for addresses (DHT) is a few nodes on the router of this Internet.

use crate::{
    computer::{Computer, Staying},
    lab::{Lab, Program, until, until_within},
    routers::median,
};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

const LARGE: usize = 200_000_000;
/// So much takes longer on a slow machine.
const LONG: Duration = Duration::from_secs(300);
/// What a client needs after it, or its server in the same network, got another address or woke up.
pub(crate) const AGAIN_WITHIN: Duration = Duration::from_secs(5);
const NODES: usize = 5;
const NODE: &str = "TANDEM_TEST_DHT_NODE";
const SAID: &str = "this node listens at ";

/// `office` and `laptop` share a switch at home (`eth0`), and each has a line of its own to the Internet (`wan0`).
pub(crate) fn house() -> Option<Lab> {
    house_with(&["sysctl"])
}

/// The same, where more programs are needed.
fn house_with(programs: &[&str]) -> Option<Lab> {
    let mut lab = Lab::new(programs)?;
    lab.switch("home").switch("internet");
    lab.ip("internet", "link add br1 type bridge mcast_snooping 0");
    lab.ip("internet", "link set br1 up");
    lab.ip("internet", "addr add 198.51.100.1/24 dev br0");
    lab.ip("internet", "addr add 203.0.113.1/24 dev br1");
    lab.run("internet", &["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    for (host, home, line, bridge, router) in [
        ("office", "10.8.0.2/24", "198.51.100.2/24", "br0", "198.51.100.1"),
        ("laptop", "10.8.0.3/24", "203.0.113.3/24", "br1", "203.0.113.1"),
    ] {
        // Without it, packets are counted that nobody of us sent.
        lab.host(host).run(host, &["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
        lab.wire(host, "eth0", "home", "br0", &[home]);
        lab.wire(host, "wan0", "internet", bridge, &[line]);
        lab.ip(host, &format!("route add default via {router}"));
    }
    Some(lab)
}

/// Nodes of the Mainline DHT, each a process on the router.
pub(crate) struct Nodes {
    pub(crate) first: String,
    _running: Vec<Program>,
}

impl Nodes {
    /// Starts some on a computer of the network 203.0.113.0/24, each at an address of its own: nodes take those that share
    /// one for a single computer that wants to be many (BEP 42), and then each of them knows others than the next.
    pub(crate) fn start(lab: &Lab, host: &str, count: usize) -> Self {
        let (mut first, mut running) = (String::new(), Vec::new());
        for number in 0..count {
            let own = format!("203.0.113.{}", 200 + number);
            lab.ip(host, &format!("addr add {own}/32 dev lo"));
            let (node, address) =
                lab.play(host, "roaming::a_node_of_the_network", (NODE, &format!("{own} {first}")), SAID);
            running.push(node);
            if first.is_empty() {
                first = address;
            }
        }
        Self { first, _running: running }
    }
}

/// Not a test: the stories start it as a process.
#[test]
#[ignore = "started by the stories that need a network for addresses"]
fn a_node_of_the_network() {
    let Ok(addresses) = std::env::var(NODE) else { return };
    let (own, first) = addresses.split_once(' ').unwrap();
    let mut node = mainline::Dht::builder();
    node.server_mode().bind_address(own.parse().unwrap()).port(0);
    match first {
        "" => node.no_bootstrap(),
        first => node.bootstrap(&[first]),
    };
    let node = node.build().unwrap().as_async();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        println!("{SAID}{}", node.info().await.local_addr());
        if !first.is_empty() {
            node.bootstrapped().await;
        }
        std::future::pending::<()>().await;
    });
}

pub(crate) fn counted(lab: &Lab, host: &str, interface: &str, what: &str) -> u64 {
    let file = format!("/sys/class/net/{interface}/statistics/{what}");
    lab.run(host, &["cat", &file]).trim().parse().unwrap()
}

/// Packets the laptop sent to somebody in particular: looking around in one's own network (mDNS) never leaves it.
fn sent_to_others(lab: &Lab) -> u64 {
    let count = |file: &str, group: &str, field: &str| -> u64 {
        let text = lab.run("laptop", &["cat", file]);
        let mut lines = text.lines().filter(|line| line.starts_with(group)).map(str::split_whitespace);
        let (names, numbers) = (lines.next().unwrap(), lines.next().unwrap());
        names.zip(numbers).find(|(name, _)| *name == field).unwrap().1.parse().unwrap()
    };
    let to_groups = || count("/proc/net/netstat", "IpExt:", "OutMcastPkts");
    // Both counters of one moment: nobody looked around between reading the one and the other.
    until("the laptop is silent for a moment", || {
        let before = to_groups();
        let all = count("/proc/net/snmp", "Ip:", "OutRequests");
        (to_groups() == before).then(|| all - before)
    })
    .0
}

/// A message of at least so many bytes that packing doesn't make smaller: its text uses nearly every byte there is.
pub(crate) fn large_mail(bytes: usize) -> Vec<u8> {
    let mut text = b"Message-ID: <large@example.org>\nFrom: anna@example.org\nTo: ben@example.org\nSubject: large\n\
        Date: Thu, 22 Aug 2024 12:36:23 +0000\n\n"
        .to_vec();
    let mut state = 1_u64;
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(if text.len() % 77 == 76 { b'\n' } else { b' ' + (state >> 56) as u8 % 224 });
    }
    text.push(b'\n');
    text
}

/// A server and a client that met at home, with the Internet switched on where the server was set up.
fn met<'a>(lab: &'a Lab, nodes: &Nodes) -> (Computer<'a>, Computer<'a>, Staying) {
    let (office, laptop) = (Computer::new(lab, "office"), Computer::new(lab, "laptop"));
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(office.path("data/mail").join(part)).unwrap();
    }
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on", "--dht-bootstrap", &nodes.first]);
    let serving = office.stay(&["serve"]);
    laptop.join(&["--lan", "Office PC", "--dht-bootstrap", &nodes.first]).went_well();
    (office, laptop, serving)
}

fn until_connected(laptop: &Computer<'_>) -> Duration {
    until("they are connected", || (laptop.tandem(&["status"]).json()["isConnected"] == true).then_some(())).1
}

fn until_told(laptop: &Computer<'_>, code: &str) {
    let what = format!("{code} is told");
    until(&what, || (laptop.tandem(&["status"]).json()["problem"]["code"] == code).then_some(()));
}

#[test]
fn a_laptop_that_leaves_the_house_in_the_middle_of_a_transfer_goes_on_over_the_internet() {
    let Some(lab) = house() else { return };
    let nodes = Nodes::start(&lab, "internet", NODES);
    let (office, laptop, _serving) = met(&lab, &nodes);
    let _running = laptop.stay(&["run"]);
    until_connected(&laptop);
    assert_eq!(laptop.tandem(&["status"]).json()["internet"], true, "as the server has it");

    let (home, away) = (counted(&lab, "laptop", "eth0", "rx_bytes"), counted(&lab, "laptop", "wan0", "rx_bytes"));
    let name = "1700000009.M1P1.x:2,S";
    fs::write(office.path("data/mail/tmp/large"), large_mail(LARGE)).unwrap();
    fs::rename(office.path("data/mail/tmp/large"), office.path("data/mail/cur").join(name)).unwrap();
    let at_home = || counted(&lab, "laptop", "eth0", "rx_bytes") - home;
    until_within(LONG, "a third of it has come", || (at_home() > LARGE as u64 / 3).then_some(()));
    lab.ip("laptop", "link set eth0 down");
    let ((), took) =
        until("it goes on elsewhere", || (counted(&lab, "laptop", "wan0", "rx_bytes") - away > 1 << 20).then_some(()));
    eprintln!("went on over the Internet after {took:?}");
    assert!(took < AGAIN_WITHIN, "{took:?}");
    let (arrived, _) = until_within(LONG, "the message is here", || {
        let mut there = fs::read_dir(laptop.path("data/mail/cur")).ok()?.flatten();
        there.find_map(|file| fs::read(file.path()).ok()).filter(|bytes| bytes.len() > LARGE)
    });
    assert!(arrived == large_mail(LARGE), "and it is what was sent");
    let by = [at_home(), counted(&lab, "laptop", "wan0", "rx_bytes") - away];
    eprintln!("{} bytes at home and {} away, for {LARGE}", by[0], by[1]);
    assert!(by[0] + by[1] > LARGE as u64, "{by:?}: it was packed, so this story shows nothing");
    // What packets have around them, and the parts that were under way when the cable was pulled.
    assert!(by[0] + by[1] < LARGE as u64 * 107 / 100, "{by:?}: something was sent twice");
}

#[test]
fn nothing_leaves_the_house_while_the_switch_is_off_and_a_server_whose_switch_is_off_says_so() {
    let Some(lab) = house() else { return };
    let nodes = Nodes::start(&lab, "internet", NODES);
    let (office, laptop, serving) = met(&lab, &nodes);
    let running = laptop.stay(&["run"]);
    until_connected(&laptop);
    laptop.tandem(&["internet", "off"]).went_well();
    lab.ip("laptop", "link set eth0 down");
    // Until it is noticed, the cable that was pulled may be taken for one that is there.
    until_told(&laptop, "N09");
    let before = sent_to_others(&lab);
    thread::sleep(Duration::from_secs(8));
    assert_eq!(sent_to_others(&lab), before, "not one packet");

    laptop.tandem(&["internet", "on"]).went_well();
    eprintln!("connected over the Internet after {:?}", until_connected(&laptop));
    office.tandem(&["internet", "off"]).went_well();
    until_told(&laptop, "N08");
    running.end();
    // When nobody answers any more, the last peer name still says why.
    until("it is said", || (office.tandem(&["publish"]).json()["saysInternet"] == false).then_some(()));
    serving.end();
    let _running = laptop.stay(&["run"]);
    until_told(&laptop, "N08");
    // At home everything works.
    let _serving = office.stay(&["serve"]);
    lab.ip("laptop", "link set eth0 up");
    until_connected(&laptop);
}

/// The system of a laptop that says what its line is: NetworkManager's word, on a bus of its own.
struct Line {
    metered: Arc<AtomicU32>,
    address: String,
    _served: zbus::blocking::Connection,
    _bus: Program,
    _folder: tempfile::TempDir,
}

struct NetworkManager(Arc<AtomicU32>);

#[zbus::interface(name = "org.freedesktop.NetworkManager")]
impl NetworkManager {
    #[zbus(property)]
    fn metered(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// `NM_METERED_NO`, and what is guessed of a phone.
const FREE: u32 = 2;
const GUESSED_METERED: u32 = 3;

impl Line {
    fn start(lab: &Lab) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let bus = lab.stay("laptop", &["dbus-daemon", "--session", "--nofork", "--address", &address]);
        until("the bus is there", || folder.path().join("bus").exists().then_some(()));
        let metered = Arc::new(AtomicU32::new(FREE));
        let served = zbus::blocking::connection::Builder::address(address.as_str())
            .and_then(|builder| builder.name("org.freedesktop.NetworkManager"))
            .and_then(|builder| {
                builder.serve_at("/org/freedesktop/NetworkManager", NetworkManager(Arc::clone(&metered)))
            })
            .and_then(zbus::blocking::connection::Builder::build);
        Self { metered, address, _served: served.unwrap(), _bus: bus, _folder: folder }
    }
}

/// Adds a setting of the network, as somebody with an editor does.
fn set_in_file(computer: &Computer<'_>, line: &str) {
    let file = computer.path("profile/config.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\n[network]\n"), "{text}");
    fs::write(file, text.replace("\n[network]\n", &format!("\n[network]\n{line}\n"))).unwrap();
}

#[test]
fn a_laptop_on_a_metered_line_waits_for_another_one_if_its_owner_wants_that() {
    let Some(lab) = house_with(&["sysctl", "dbus-daemon"]) else { return };
    let nodes = Nodes::start(&lab, "internet", NODES);
    let line = Line::start(&lab);
    let (_office, laptop, _serving) = met(&lab, &nodes);
    let laptop = laptop.with(("DBUS_SYSTEM_BUS_ADDRESS", line.address.clone()));
    line.metered.store(GUESSED_METERED, Ordering::Relaxed);
    let running = laptop.stay(&["run"]);
    until_connected(&laptop);
    lab.ip("laptop", "link set eth0 down");
    until("it is said by which way", || is_by(&laptop, "direct"));
    running.end();

    set_in_file(&laptop, "waits_on_metered = true");
    let _running = laptop.stay(&["run"]);
    until_told(&laptop, "N42");
    let before = sent_to_others(&lab);
    thread::sleep(Duration::from_secs(8));
    assert_eq!(sent_to_others(&lab), before, "not one packet");
    let rungs = laptop.tandem(&["doctor"]).json();
    assert!(rungs.to_string().contains("N42"), "{rungs}");

    line.metered.store(FREE, Ordering::Relaxed);
    until_connected(&laptop);
    line.metered.store(GUESSED_METERED, Ordering::Relaxed);
    until_told(&laptop, "N42");
    // At home everything works.
    lab.ip("laptop", "link set eth0 up");
    until("it is said by which way", || is_by(&laptop, "local"));
}

fn is_by(laptop: &Computer<'_>, path: &str) -> Option<()> {
    (laptop.tandem(&["status"]).json()["path"] == path).then_some(())
}

#[test]
fn a_limit_holds_over_the_internet_and_at_home_there_is_none() {
    const LIMIT: usize = 500_000;
    const BYTES: usize = 4_000_000;
    let Some(lab) = house() else { return };
    let nodes = Nodes::start(&lab, "internet", NODES);
    let (office, laptop, _serving) = met(&lab, &nodes);
    set_in_file(&laptop, &format!("download_bytes_per_sec_max = {LIMIT}"));
    let _running = laptop.stay(&["run"]);
    until_connected(&laptop);
    let takes = |name: &str| {
        fs::write(office.path("data/mail/tmp/large"), large_mail(BYTES)).unwrap();
        fs::rename(office.path("data/mail/tmp/large"), office.path("data/mail/cur").join(name)).unwrap();
        let there = || fs::read_dir(laptop.path("data/mail/cur")).map_or(0, |all| all.flatten().count());
        let before = there();
        until_within(LONG, "the message is here", || (there() > before).then_some(())).1
    };
    let at_home = takes("1700000001.M1P1.x:2,S");
    lab.ip("laptop", "link set eth0 down");
    until("it is said by which way", || is_by(&laptop, "direct"));
    let away = takes("1700000002.M1P1.x:2,S");
    eprintln!("{BYTES} bytes took {at_home:?} at home and {away:?} away");
    // What may be under way when it begins taken off.
    let least = Duration::from_secs_f64((BYTES - LIMIT) as f64 / LIMIT as f64);
    assert!(away > least, "{away:?} is faster than {LIMIT} bytes per second");
    assert!(at_home < away, "{at_home:?} at home");
}

/// `npm run connect-times`: how long it takes from `tandem run` to a link.
#[test]
#[ignore = "prints figures"]
fn figures_of_connecting() {
    let Some(lab) = house() else { return };
    let nodes = Nodes::start(&lab, "internet", NODES);
    let (_office, laptop, _serving) = met(&lab, &nodes);
    let connected = |where_: &str, by: &str, prepare: &dyn Fn()| {
        let (median, path) = median(&laptop, prepare);
        assert_eq!(path, by, "{where_}");
        println!("{where_}: {median:?}");
    };
    // At home without the other line, or now and then that would be quicker.
    lab.ip("laptop", "link set wan0 down");
    connected("in the local network", "local", &|| {});
    lab.ip("laptop", "link set wan0 up");
    lab.ip("laptop", "route add default via 203.0.113.1");
    lab.ip("laptop", "link set eth0 down");
    connected("elsewhere, address known", "direct", &|| {});
    connected("elsewhere, by its peer name", "direct", &|| laptop.forget_addresses());
}
