//! Publishing a server and finding it by its ID, with a network for addresses whose nodes are programs of their own.

use crate::computer::{Computer, everything};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const NODES: usize = 6;
const BOOTSTRAP: &str = "TANDEM_TEST_DHT_NODE";
const SAID: &str = "this node listens at ";

/// Nodes of the Mainline DHT on the loopback network, each a process.
struct Network {
    nodes: Vec<Child>,
    first: String,
}

impl Network {
    fn start() -> Self {
        let mut network = Self { nodes: Vec::new(), first: String::new() };
        for _ in 0..NODES {
            let mut node = Command::new(std::env::current_exe().unwrap());
            node.args(["--ignored", "--exact", "publishing::a_node_of_the_network", "--nocapture"]);
            let mut node =
                node.env(BOOTSTRAP, &network.first).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut lines = BufReader::new(node.stdout.take().unwrap()).lines().map_while(Result::ok);
            let address = lines.find_map(|line| line.split_once(SAID).map(|(_, at)| at.to_owned()));
            // After a minute the harness prints that it is still running, and dies if nobody listens any more.
            thread::spawn(move || lines.for_each(drop));
            network.nodes.push(node);
            if network.first.is_empty() {
                network.first = address.expect("a node says where it listens");
            }
        }
        network
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.kill().ok();
            node.wait().ok();
        }
    }
}

/// Not a test: the tests start it as a process.
#[test]
#[ignore = "started by the tests that need a network"]
fn a_node_of_the_network() {
    let Ok(first) = std::env::var(BOOTSTRAP) else { return };
    let mut node = mainline::Dht::builder();
    node.server_mode().bind_address([127, 0, 0, 1].into()).port(0);
    match first.as_str() {
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

fn internet_server(computer: &Computer, network: &Network) {
    let (password, store) = (computer.path("password").display().to_string(), computer.store());
    let words = ["init", "--server", "--name", "Office PC", "--listen", "127.0.0.1:0", "--internet", "on"];
    let further = ["--store", &store, "--password-file", &password, "--dht-bootstrap", &network.first];
    computer.json(&[&words[..], &further].concat());
}

fn join(computer: &Computer, id: &str, network: &Network) -> crate::computer::Ran {
    let (password, store) = (computer.path("password").display().to_string(), computer.store());
    let words = ["join", id, "--store", &store, "--password-file", &password, "--name", "Laptop", "--yes"];
    computer.tandem(&[&words[..], &["--dht-bootstrap", &network.first]].concat())
}

#[test]
fn a_published_server_is_joined_by_its_id_until_that_is_revoked() {
    let network = Network::start();
    let (office, laptop, late) = (Computer::new(), Computer::new(), Computer::new());
    everything(&office);
    internet_server(&office, &network);
    let serving = office.stay(&["serve"]);

    // What will be stored is shown first, and nothing is before somebody says yes.
    let shown = office.tandem(&["publish", "--comment", "Anna, front desk"]).went_well().stdout;
    for word in ["Office PC", "Anna, front desk", "public key", "service ID", "Mainline DHT", "--yes"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert_eq!(office.json(&["publish"])["state"], "none");
    let published = office.json(&["publish", "--comment", "Anna, front desk", "--yes"]);
    let id = published["serverId"].as_str().unwrap();
    assert_eq!(id.len(), 19, "{published}");
    // Whoever publishes at once after the start is found as soon as the peer name is there too.
    let begun = Instant::now();
    let joined = loop {
        let joined = join(&laptop, &id.to_lowercase().replace('-', " "), &network);
        if joined.exit == 0 || begun.elapsed() > Duration::from_secs(60) {
            break joined.went_well();
        }
        thread::sleep(Duration::from_millis(500));
    };
    assert!(joined.stderr.contains("Anna, front desk"), "{joined:?}");
    assert_eq!(office.contents(), laptop.contents());

    // A typing mistake is said without asking anybody.
    let swapped: String = id.chars().rev().collect();
    late.tandem(&["join", &swapped, "--store", &late.store(), "--dht-bootstrap", "127.0.0.1:47000"]).told(2, "I01");

    office.json(&["revoke", "--yes"]);
    join(&late, id, &network).told(3, "I02");
    laptop.tandem(&["sync"]).went_well();
    drop(serving);
}
