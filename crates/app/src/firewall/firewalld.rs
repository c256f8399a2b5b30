//! firewalld: Fedora, RHEL, openSUSE. It answers everybody over D-Bus; whoever wants a change is asked by polkit.

use super::{Firewall, does_well};
use crate::program::{PATIENCE, run};

pub(super) const PROGRAM: &str = "firewalld";
const TOOL: &str = "firewall-cmd";
/// What the tool ends with when the service is there; and when it is, and this user may not ask it.
const RUNNING: [i32; 2] = [0, 253];

/// `None`: it isn't running.
pub(super) async fn look(port: u16) -> Option<Firewall> {
    let ask = async |question: &str| run(TOOL, &[question], PATIENCE).await;
    if !RUNNING.contains(&ask("--state").await?.status.code()?) {
        return None;
    }
    // Everything is let in there, whatever is listed.
    let zone = ask("--get-default-zone").await?.stdout;
    if String::from_utf8_lossy(&zone).trim() == "trusted" {
        return Some(Firewall::Open(PROGRAM));
    }
    match ask(&format!("--query-port={port}/udp")).await?.status.code()? {
        0 => Some(Firewall::Open(PROGRAM)),
        1 => Some(Firewall::Closed(PROGRAM)),
        _ => Some(Firewall::Unknown(PROGRAM)),
    }
}

/// Opens the port, and multicast DNS, for the default zone.
pub(super) async fn allow(port: u16) -> bool {
    let port = format!("--add-port={port}/udp");
    // For good and now, and no reload: that would throw away what others changed until the next start.
    for when in [&["--permanent"][..], &[]] {
        for what in [port.as_str(), "--add-service=mdns"] {
            if !does_well(TOOL, &[when, &[what]].concat()).await {
                return false;
            }
        }
    }
    true
}
