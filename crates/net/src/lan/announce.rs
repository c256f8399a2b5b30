//! A server tells the local network that it is there.

use super::{KNOCK_KEY, LanError, LanName, NAME_KEY, SERVICE};
use crate::KnockKey;
use identity::{PublicKey, ServerName};
use mdns_sd::{IfKind, IfPredicate, ServiceDaemon, ServiceInfo};
use std::{net::SocketAddr, time::Duration};

/// A server is announced as long as this exists. Interfaces that come and go are followed.
pub struct Announcement {
    daemon: ServiceDaemon,
    fullname: String,
}

/// How often it is looked whether this computer has other addresses now, of which its clients have to hear.
const LOOK_AROUND_SECS: u32 = 2;
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

impl Announcement {
    /// Announces a server. `listening` is the address it is bound to: of an unspecified one, all interfaces; `None` if it
    /// can be called from this computer only.
    pub fn start(
        server: &PublicKey,
        name: &ServerName,
        knock: &KnockKey,
        listening: SocketAddr,
    ) -> Result<Option<Self>, LanError> {
        let ip = listening.ip();
        if ip.is_loopback() {
            return Ok(None);
        }
        let id = LanName::of(server).to_string();
        let txt = [(NAME_KEY, name.as_str().to_owned()), (KNOCK_KEY, knock.to_hex())];
        let host = format!("tandem-{id}.local.");
        let daemon = ServiceDaemon::new()?;
        daemon.set_ip_check_interval(LOOK_AROUND_SECS)?;
        let info = if ip.is_unspecified() {
            daemon.disable_interface(elsewhere())?;
            if ip.is_ipv4() {
                daemon.disable_interface(IfKind::IPv6)?;
            }
            ServiceInfo::new(SERVICE, &id, &host, "", listening.port(), &txt[..])?.enable_addr_auto()
        } else {
            daemon.disable_interface(IfKind::All)?;
            daemon.enable_interface(IfKind::Addr(ip))?;
            ServiceInfo::new(SERVICE, &id, &host, ip, listening.port(), &txt[..])?
        };
        let mut info = info;
        // The name is a hash of a key: nobody else has it, so there is no need to ask first.
        info.set_requires_probe(false);
        let fullname = info.get_fullname().to_owned();
        daemon.register(info)?;
        Ok(Some(Self { daemon, fullname }))
    }

    /// Says goodbye, so that lists elsewhere lose this server at once.
    pub async fn withdraw(self) {
        if let Ok(said) = self.daemon.unregister(&self.fullname) {
            let _ = tokio::time::timeout(GOODBYE, said.recv_async()).await;
        }
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // The daemon says goodbye itself when it shuts down, if it is given the time.
        let _ = self.daemon.shutdown();
    }
}

impl std::fmt::Debug for Announcement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announcement").field("fullname", &self.fullname).finish_non_exhaustive()
    }
}

/// Interfaces behind which no other computer is: loopback, and those of containers and virtual machines.
pub(super) fn elsewhere() -> Vec<IfKind> {
    const PREFIXES: [&str; 6] = ["docker", "br-", "virbr", "vmnet", "vboxnet", "podman"];
    let is_virtual = IfPredicate::new(|interface| PREFIXES.iter().any(|prefix| interface.name.starts_with(prefix)));
    vec![IfKind::LoopbackV4, IfKind::LoopbackV6, IfKind::Predicate(is_virtual)]
}
