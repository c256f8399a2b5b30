//! What goes over the lines of a computer, packet by packet.

use crate::lab::{Lab, Program};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
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

    /// Whether any packet holds this text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.packets().windows(text.len()).any(|part| part == text.as_bytes())
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
