//! PCP, and NAT-PMP for routers that know only that.

use super::{LEASE_SECS, MappedBy, gateway::Gateway};
use crab_nat::{
    GatewayAddress, InternetProtocol, PortMapping, PortMappingOptions, PortMappingType, TimeoutConfig, natpmp, pcp,
};
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

/// Why there is no mapping. Of two answers the one that says more is the greater.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Answer {
    /// Nothing answered, or nothing that knows the protocol.
    Silent,
    /// The router said no.
    Refused,
    /// The router has no address on the Internet to give.
    Disconnected,
}

/// A router in the same network answers within milliseconds; three packets in less than two seconds.
const PATIENCE: TimeoutConfig =
    TimeoutConfig { initial_timeout: Duration::from_millis(250), max_retries: 2, max_retry_timeout: None };

pub(super) async fn map(gateway: &Gateway, port: NonZeroU16, wanted: NonZeroU16) -> Result<PortMapping, Answer> {
    let router = GatewayAddress::from(gateway.address);
    let options = PortMappingOptions {
        external_port: Some(wanted),
        lifetime_seconds: Some(LEASE_SECS),
        timeout_config: Some(PATIENCE),
    };
    let request = pcp::BaseMapRequest::new(router, gateway.own.into(), InternetProtocol::Udp, port);
    // Both at once would make two mappings of one port; who knows neither is silent on both.
    let first = match pcp::port_mapping(request, None, None, options).await {
        Ok(mapping) => return Ok(mapping),
        Err(pcp::Failure::Socket(_) | pcp::Failure::Timeout) => Answer::Silent,
        Err(pcp::Failure::UnsupportedVersion(_)) => Answer::Silent,
        // A router that stands behind another one says so, too.
        Err(pcp::Failure::NetworkFailure(_)) => Answer::Disconnected,
        Err(error) => {
            tracing::debug!(%error, "no mapping by PCP");
            Answer::Refused
        }
    };
    let second = match natpmp::port_mapping(router, InternetProtocol::Udp, port, options).await {
        Ok(mapping) => return Ok(mapping),
        Err(natpmp::Failure::Socket(_) | natpmp::Failure::Timeout | natpmp::Failure::UnsupportedVersion(_)) => {
            Answer::Silent
        }
        Err(natpmp::Failure::NetworkFailure) => Answer::Disconnected,
        Err(error) => {
            tracing::debug!(%error, "no mapping by NAT-PMP");
            Answer::Refused
        }
    };
    Err(first.max(second))
}

pub(super) fn protocol(mapping: &PortMapping) -> MappedBy {
    match mapping.mapping_type() {
        PortMappingType::NatPmp => MappedBy::NatPmp,
        PortMappingType::Pcp { .. } => MappedBy::Pcp,
    }
}

/// Where others call. NAT-PMP has to be asked for it.
pub(super) async fn external(gateway: &Gateway, mapping: &PortMapping) -> Option<SocketAddr> {
    let ip: IpAddr = match mapping.mapping_type() {
        PortMappingType::Pcp { external_ip, .. } => external_ip.to_canonical(),
        PortMappingType::NatPmp => {
            natpmp::external_address(gateway.address.into(), Some(PATIENCE)).await.ok().map(IpAddr::from)?
        }
    };
    Some(SocketAddr::new(ip, mapping.external_port().get()))
}
