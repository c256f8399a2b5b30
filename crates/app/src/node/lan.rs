//! The local network: a server announces itself, a client finds its server there.

use super::Instance;
use identity::PublicKey;
use net::{Announcement, Knock, KnockKey, KnockScope, LanBrowser, LanName, LanServer, OnLink};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// A server's part in the local network.
#[derive(Debug)]
pub(super) struct Lan {
    knock: KnockKey,
    announcement: Mutex<Option<Announcement>>,
}

impl Default for Lan {
    fn default() -> Self {
        Self { knock: KnockKey::generate(), announcement: Mutex::default() }
    }
}

impl Lan {
    /// What opens the port from the local network, until this instance ends.
    pub(super) fn knock(&self) -> Knock {
        Knock { key: self.knock, scope: KnockScope::LocalNetwork }
    }

    fn replace(&self, announcement: Option<Announcement>) -> Option<Announcement> {
        let mut current = self.announcement.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, announcement)
    }
}

impl Instance {
    /// Tells the local network that this server is there. Where that isn't possible it is found by other ways.
    pub(super) fn announce(&self) {
        let (name, listen) = {
            let settings = self.settings();
            (settings.name.clone(), settings.network.listen)
        };
        let Some(name) = name else { return };
        match Announcement::start(&self.key.public(), &name, &self.lan.knock, listen) {
            Ok(announcement) => drop(self.lan.replace(announcement)),
            Err(error) => tracing::warn!(%error, "the local network isn't told of this server"),
        }
    }

    /// Says goodbye to the local network.
    pub(super) async fn withdraw(&self) {
        if let Some(announcement) = self.lan.replace(None) {
            announcement.withdraw().await;
        }
    }
}

/// A client looks for its server in the local network as long as it isn't connected, and listens while it is.
#[derive(Debug, Default)]
pub(super) struct Search(Option<Looking>);

#[derive(Debug)]
struct Looking {
    server: LanName,
    found: watch::Receiver<Arc<[LanServer]>>,
    begun: Instant,
    browser: LanBrowser,
}

/// A server in the local network is found this fast.
const PATIENCE: Duration = Duration::from_secs(2);

/// What belongs to the beginning of a connection: a server's addresses become known one after the other.
const SETTLING: Duration = Duration::from_secs(1);

/// Where a server is said to be to which there is a link.
#[derive(Debug)]
pub(super) struct Whereabouts {
    settles_at: Instant,
    /// It was looked for there.
    looked_at: Vec<SocketAddr>,
}

impl Whereabouts {
    /// Of a link that was made just now.
    pub(super) fn new() -> Self {
        Self { settles_at: Instant::now() + SETTLING, looked_at: Vec::new() }
    }
}

impl Search {
    /// Begins to look, if it hasn't yet. A server known at loopback addresses only is on this very computer.
    pub(super) fn begin(&mut self, server: &PublicKey, hints: &[SocketAddr]) {
        let is_here = !hints.is_empty() && hints.iter().all(|hint| hint.ip().is_loopback());
        if is_here || self.0.as_ref().is_some_and(|looking| looking.browser.is_asking()) {
            return;
        }
        match LanBrowser::start(OnLink::system()) {
            Ok(browser) => {
                let (server, found) = (LanName::of(server), browser.subscribe());
                self.0 = Some(Looking { server, found, begun: Instant::now(), browser });
            }
            Err(error) => tracing::info!(%error, "the local network can't be searched"),
        }
    }

    /// When the server would have been found.
    pub(super) fn settles_at(&self) -> Instant {
        self.0.as_ref().map_or_else(Instant::now, |looking| looking.begun + PATIENCE)
    }

    /// The server's entry; waits for it.
    pub(super) async fn found(&self) -> LanServer {
        let Some(looking) = &self.0 else { return std::future::pending().await };
        let mut found = looking.found.clone();
        let is_there = |servers: &Arc<[LanServer]>| looking.entry(servers).is_some();
        match found.wait_for(is_there).await.ok().and_then(|servers| looking.entry(&servers)) {
            Some(server) => server,
            None => std::future::pending().await,
        }
    }

    /// The server's entry, if it is there now.
    pub(super) fn now(&self) -> Option<LanServer> {
        let looking = self.0.as_ref()?;
        let servers = Arc::clone(&looking.found.borrow());
        looking.entry(&servers)
    }

    /// Waits until the server, called at `address`, moves to others, and says which. That nobody answers at the old one
    /// would be known only a quarter of a minute later. `known` outlives this wait, which others interrupt.
    pub(super) async fn moved(&self, address: IpAddr, known: &mut Whereabouts) -> Vec<SocketAddr> {
        let Some(looking) = &self.0 else { return std::future::pending().await };
        if !OnLink::system().is_lan(address) {
            return std::future::pending().await;
        }
        looking.browser.only_listen();
        sleep_until(known.settles_at).await;
        let mut found = looking.found.clone();
        loop {
            let said = looking.entry(&found.borrow_and_update()).map(|server| server.addresses).unwrap_or_default();
            let mut of_family = said.iter().map(SocketAddr::ip).filter(|other| other.is_ipv4() == address.is_ipv4());
            let is_elsewhere = of_family.clone().next().is_some() && of_family.all(|other| other != address);
            if is_elsewhere && known.looked_at != said {
                known.looked_at.clone_from(&said);
                return said;
            }
            if found.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Waits until the server comes, or comes back at another address.
    pub(super) async fn turned_up(&self) {
        let Some(looking) = &self.0 else { return std::future::pending().await };
        let mut found = looking.found.clone();
        let before = looking.entry(&found.borrow_and_update());
        loop {
            if found.changed().await.is_err() {
                return std::future::pending().await;
            }
            let now = looking.entry(&found.borrow_and_update());
            if now.is_some() && now != before {
                return;
            }
        }
    }
}

impl Looking {
    fn entry(&self, servers: &[LanServer]) -> Option<LanServer> {
        servers.iter().find(|server| server.id == self.server && !server.is_stale).cloned()
    }
}
