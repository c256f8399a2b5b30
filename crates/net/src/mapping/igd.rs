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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";
    const WANTED: u16 = 41_234;
    const GATEWAY: Gateway = Gateway { address: Ipv4Addr::LOCALHOST, own: Ipv4Addr::LOCALHOST };

    /// What a router was asked for: a port outside, and for how long.
    type Asked = (u16, u32);

    /// A router with a will of its own: `refuse` says by which error it answers a request, if it does.
    async fn router(refuse: fn(Asked) -> Option<u16>) -> (Mapped, Arc<Mutex<Vec<Asked>>>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut request, mut bytes) = (String::new(), [0; 4096]);
                while !request.contains("</s:Envelope>") {
                    let count = stream.read(&mut bytes).await.expect("a request");
                    request.push_str(&String::from_utf8_lossy(&bytes[..count]));
                }
                let number = |name: &str| -> u32 {
                    let (_, rest) = request.split_once(&format!("<{name}>")).expect("an argument");
                    rest.split('<').next().and_then(|text| text.trim().parse().ok()).expect("a number")
                };
                let asked = (number("NewExternalPort") as u16, number("NewLeaseDuration"));
                heard.lock().expect("nobody panicked").push(asked);
                let (status, body) = match refuse(asked) {
                    None => ("200 OK", format!("<u:AddPortMappingResponse xmlns:u=\"{SERVICE}\"/>")),
                    Some(code) => (
                        "500 Internal Server Error",
                        format!(
                            "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
                             <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>\
                             <errorDescription>no</errorDescription></UPnPError></detail></s:Fault>"
                        ),
                    ),
                };
                let body = format!(
                    "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
                     <s:Body>{body}</s:Body></s:Envelope>"
                );
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                // Who has hung up doesn't want to know.
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        let arguments = [
            "NewRemoteHost",
            "NewExternalPort",
            "NewProtocol",
            "NewInternalPort",
            "NewInternalClient",
            "NewEnabled",
            "NewPortMappingDescription",
            "NewLeaseDuration",
        ];
        let device = Igd {
            addr,
            root_url: "/".to_owned(),
            control_url: "/control".to_owned(),
            control_schema_url: "/schema".to_owned(),
            control_schema: [("AddPortMapping".to_owned(), arguments.map(str::to_owned).to_vec())].into(),
            service_type: SERVICE.to_owned(),
            provider: by_tokio::Tokio,
        };
        (Mapped { device, external: WANTED, lease: LEASE_SECS }, asked)
    }

    fn port() -> NonZeroU16 {
        NonZeroU16::new(WANTED).expect("not zero")
    }

    #[tokio::test]
    async fn a_router_that_knows_only_mappings_without_an_end_is_asked_for_one() {
        let (mut mapped, asked) = router(|(_, lease)| (lease != 0).then_some(725)).await;
        assert_eq!(mapped.renew(&GATEWAY, port()).await, Ok(()));
        assert_eq!(mapped.renew(&GATEWAY, port()).await, Ok(()));
        let asked = asked.lock().expect("nobody panicked");
        assert_eq!(*asked, [(WANTED, LEASE_SECS), (WANTED, 0), (WANTED, 0)], "and it is remembered");
    }

    #[tokio::test]
    async fn a_router_that_refuses_mappings_without_an_end_is_never_asked_for_one() {
        let (mut mapped, asked) = router(|(_, lease)| (lease == 0).then_some(402)).await;
        assert_eq!(mapped.renew(&GATEWAY, port()).await, Ok(()));
        assert_eq!(*asked.lock().expect("nobody panicked"), [(WANTED, LEASE_SECS)]);
    }

    #[tokio::test]
    async fn a_port_that_another_computer_has_is_left_to_it() {
        let (mut mapped, _) = router(|(port, _)| (port == WANTED).then_some(718)).await;
        assert_eq!(mapped.renew(&GATEWAY, port()).await, Ok(()));
        assert_ne!(mapped.external, WANTED);
    }

    #[tokio::test]
    async fn a_router_that_says_no_is_believed() {
        let (mut mapped, asked) = router(|_| Some(501)).await;
        assert_eq!(mapped.renew(&GATEWAY, port()).await, Err(()));
        assert_eq!(asked.lock().expect("nobody panicked").len(), 1);
    }
}
