//! The router this computer sends everything to that isn't in its own network.

use crate::on_link;
use std::net::{IpAddr, Ipv4Addr};

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
    match on_link::own_address_towards((address, crab_nat::GATEWAY_PORT).into())? {
        IpAddr::V4(own) => Some(Gateway { address, own }),
        IpAddr::V6(_) => None,
    }
}
