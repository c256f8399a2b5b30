//! UPnP Internet Gateway Device.

use super::{LEASE_SECS, gateway::Gateway};
use igd_next::{
    AddPortError,
    PortMappingProtocol::UDP,
    SearchOptions,
    aio::{Gateway as Igd, tokio as by_tokio},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};
use tokio::time::timeout;

/// A gateway device.
#[derive(Debug)]
pub(super) struct Device(Igd<by_tokio::Tokio>);

/// A port that it forwards.
#[derive(Debug)]
pub(super) struct Mapped {
    device: Igd<by_tokio::Tokio>,
    external: u16,
    lease: u32,
}

/// Devices answer within a second (UPnP Device Architecture 1.3.3 lets them wait that long).
const SEARCH: Duration = Duration::from_millis(2_500);
const REQUEST: Duration = Duration::from_secs(3);
/// What people see in their router.
const DESCRIPTION: &str = "Tandem";

/// Looks for a device. One that isn't the default gateway isn't believed.
pub(super) async fn find(gateway: &Gateway) -> Option<Device> {
    let mut options = SearchOptions::default();
    options.bind_addr = SocketAddr::new(gateway.own.into(), 0);
    options.timeout = Some(SEARCH);
    options.single_search_timeout = Some(SEARCH);
    let device = by_tokio::search_gateway(options).await.ok()?;
    if device.addr.ip() != IpAddr::V4(gateway.address) {
        tracing::warn!("a device that isn't the default gateway says it is one");
        return None;
    }
    Some(Device(device))
}

impl Device {
    /// Asks for a port. On failure, the router's own address, which may explain it.
    pub(super) async fn map(
        self,
        gateway: &Gateway,
        port: NonZeroU16,
        wanted: NonZeroU16,
    ) -> Result<Mapped, Option<Ipv4Addr>> {
        let mut mapped = Mapped { device: self.0, external: wanted.get(), lease: LEASE_SECS };
        match mapped.renew(gateway, port).await {
            Ok(()) => Ok(mapped),
            Err(()) => Err(match external_ip(&mapped.device).await {
                Some(IpAddr::V4(ip)) => Some(ip),
                _ => None,
            }),
        }
    }
}

impl Mapped {
    /// Asks once more for the same.
    pub(super) async fn renew(&mut self, gateway: &Gateway, port: NonZeroU16) -> Result<(), ()> {
        let own = SocketAddr::new(gateway.own.into(), port.get());
        // Each answer may change what is asked for next, once.
        for _ in 0..3 {
            let added = timeout(REQUEST, self.device.add_port(UDP, self.external, own, self.lease, DESCRIPTION)).await;
            match added.map_err(|_| ())? {
                Ok(()) => return Ok(()),
                // Error 725: this router knows only mappings without an end. It is taken away when we end.
                Err(AddPortError::OnlyPermanentLeasesSupported) if self.lease != 0 => self.lease = 0,
                // Another computer has this port.
                Err(AddPortError::PortInUse) => {
                    let any = self.device.add_any_port(UDP, own, self.lease, DESCRIPTION);
                    self.external = timeout(REQUEST, any).await.map_err(|_| ())?.map_err(|_| ())?;
                    return Ok(());
                }
                Err(AddPortError::SamePortValuesRequired) if self.external != port.get() => {
                    self.external = port.get();
                }
                Err(error) => {
                    tracing::debug!(%error, "no mapping by UPnP");
                    return Err(());
                }
            }
        }
        Err(())
    }

    /// Where others call.
    pub(super) async fn external(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(external_ip(&self.device).await?, self.external))
    }

    pub(super) async fn remove(self) {
        if let Ok(Err(error)) = timeout(REQUEST, self.device.remove_port(UDP, self.external)).await {
            tracing::debug!(%error, "the router keeps the mapping until it ends");
        }
    }
}

async fn external_ip(device: &Igd<by_tokio::Tokio>) -> Option<IpAddr> {
    timeout(REQUEST, device.get_external_ip()).await.ok()?.ok()
}
