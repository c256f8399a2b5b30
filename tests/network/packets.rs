//! What goes over the lines of a computer, packet by packet.

use crate::{
    computer::Computer,
    lab::{Lab, Program, until},
};
use identity::{IdentityKey, ServiceId};
use net::{Endpoint, EndpointConfig, Entrants, KnockKey, SavedTransport, Target};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    thread,
    time::Duration,
};

/// Writes down every packet that a computer sends or gets, from Ethernet's header on.
pub(crate) struct Capture {
    file: PathBuf,
    _running: Program,
}

const FILE: &str = "TANDEM_TEST_CAPTURE";
const LISTENS: &str = "every packet is written down";
/// All protocols (`ETH_P_ALL`).
const ALL: u16 = 3;
/// So much may wait until it is written down.
const BUFFER: usize = 8 << 20;
/// Longer than any packet, those included that the network card would have cut.
const PACKET_MAX: usize = 128 << 10;

impl Capture {
    /// Begins; `file` is made anew.
    pub(crate) fn start(lab: &Lab, host: &str, file: PathBuf) -> Self {
        let name = file.display().to_string();
        let (running, _) = lab.play(host, "packets::a_listener_on_all_lines", (FILE, &name), LISTENS);
        Self { file, _running: running }
    }

    /// Everything so far, one packet after the other.
    pub(crate) fn packets(&self) -> Vec<u8> {
        fs::read(&self.file).unwrap()
    }

    /// Whether any packet holds this.
    pub(crate) fn holds(&self, what: impl AsRef<[u8]>) -> bool {
        self.packets().windows(what.as_ref().len()).any(|part| part == what.as_ref())
    }
}

/// Not a test: the stories start it as a process.
#[test]
#[ignore = "started by the stories that look at packets"]
fn a_listener_on_all_lines() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let mut file = fs::File::create(file).unwrap();
    let protocol = Protocol::from(i32::from(ALL.to_be()));
    let mut socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol)).unwrap();
    socket.set_recv_buffer_size(BUFFER).unwrap();
    println!("{LISTENS}");
    let mut packet = vec![0; PACKET_MAX];
    loop {
        let length = socket.read(&mut packet).unwrap();
        file.write_all(&packet[..length]).unwrap();
    }
}

const SERVER: &str = "TANDEM_TEST_SERVER";
const KNOCKED: &str = "it has knocked in every way";

/// Not a test: somebody who knows where a server is and nothing else.
#[test]
#[ignore = "started by the story that needs a stranger"]
fn a_stranger_that_knocks_in_every_way() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let server: SocketAddr = server.parse().unwrap();
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // QUIC's first packets (RFC 9000, 17.2), of versions that are and aren't there, with connection IDs of all lengths.
    for version in [1_u32, 0, 2, 0x0a1a_2a3a, 0x6b33_43cf, u32::MAX] {
        for length in [0_u8, 1, 7, 8, 16, 19, 20, 21, 255] {
            let mut packet = vec![0xc3; 1200];
            packet[1..5].copy_from_slice(&version.to_be_bytes());
            packet[5] = length;
            socket.send_to(&packet, server).unwrap();
            socket.send_to(&packet[..300], server).unwrap();
        }
    }
    for packet in [vec![0x40; 1200], vec![0; 1200], vec![0xff; 1200], vec![0x80], b"\0hole".to_vec(), Vec::new()] {
        socket.send_to(&packet, server).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = EndpointConfig::new(IdentityKey::generate(), SavedTransport::generate(), |_| None);
        let stranger = Endpoint::bind(config, "0.0.0.0:0".parse().unwrap()).unwrap();
        let knock = KnockKey::of_service(&ServiceId::generate());
        let target = Target { addresses: vec![server], server: None, knock };
        assert!(stranger.connect(&target, Entrants::none()).await.is_err());
    });
    println!("{KNOCKED}");
    thread::park();
}

#[test]
fn who_does_not_know_the_service_gets_not_one_packet() {
    let Some(lab) = Lab::switched(&[("office", 2), ("stranger", 9)], &[]) else { return };
    let office = Computer::new(&lab, "office");
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &["--internet", "on"]);
    let serving = office.stay(&["serve"]);
    let listens = serving.said()[0]["addresses"][0].as_str().unwrap().to_owned();
    let port = listens.rsplit(':').next().unwrap();

    let capture = Capture::start(&lab, "stranger", office.path("packets"));
    // Source and destination lie side by side in a packet, and not where one only asks who has an address.
    let (there, back) = ([10, 7, 0, 9, 10, 7, 0, 2], [10, 7, 0, 2, 10, 7, 0, 9]);
    let story = "packets::a_stranger_that_knocks_in_every_way";
    let _stranger = lab.play("stranger", story, (SERVER, &format!("10.7.0.2:{port}")), KNOCKED);
    thread::sleep(Duration::from_secs(1));
    assert!(capture.holds(there), "what was sent is seen");
    assert!(!capture.holds(back), "not one packet comes back");
    let file = office.path("office.tandem").display().to_string();
    office.tandem(&["invite", "--out", &file]).went_well();
    Computer::new(&lab, "stranger").join(&[&file]).went_well();
    until("who is invited is answered", || capture.holds(back).then_some(()));
}
