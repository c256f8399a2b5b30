//! The router this computer sends everything to that isn't in its own network.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// The default gateway, and this computer's address towards it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Gateway {
    pub(super) address: Ipv4Addr,
    pub(super) own: Ipv4Addr,
}

/// Asks the system, which may take a moment.
pub(super) async fn find() -> Option<Gateway> {
    tokio::task::spawn_blocking(ask).await.ok().flatten()
}

fn ask() -> Option<Gateway> {
    let address = *netdev::get_default_gateway().ok()?.ipv4.first()?;
    // Connecting a UDP socket sends nothing; it only looks up the way.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((address, crab_nat::GATEWAY_PORT)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(own) => Some(Gateway { address, own }),
        IpAddr::V6(_) => None,
    }
}
