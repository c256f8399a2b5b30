//! Which servers are in the local network now.

use super::{LanError, LanServer, SERVICE, announce::elsewhere, seen::Seen};
use crate::OnLink;
use mdns_sd::{Receiver, ServiceDaemon, ServiceEvent};
use std::sync::Arc;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

/// Listens for servers as long as it exists, and asks those it knows whether they are still there.
pub struct LanBrowser {
    daemon: ServiceDaemon,
    found: watch::Receiver<Arc<[LanServer]>>,
    is_asking: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl LanBrowser {
    /// Begins to listen. Needs a running tokio.
    pub fn start(on_link: OnLink) -> Result<Self, LanError> {
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(elsewhere())?;
        let events = daemon.browse(SERVICE)?;
        let (tell, found) = watch::channel(Arc::default());
        let (is_asking, asks) = watch::channel(true);
        let task = tokio::spawn(listen(daemon.clone(), events, on_link, tell, asks));
        Ok(Self { daemon, found, is_asking, task })
    }

    /// The servers that are known now, by name.
    #[must_use]
    pub fn servers(&self) -> Arc<[LanServer]> {
        Arc::clone(&self.found.borrow())
    }

    /// Asks nobody from now on, and only hears what is announced: enough to learn that a server moved.
    pub fn only_listen(&self) {
        self.is_asking.send_replace(false);
    }

    /// Whether it asks.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        *self.is_asking.borrow()
    }

    /// The servers as they come and go.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<[LanServer]>> {
        self.found.clone()
    }
}

impl Drop for LanBrowser {
    fn drop(&mut self) {
        self.task.abort();
        let _ = self.daemon.shutdown();
    }
}

impl std::fmt::Debug for LanBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LanBrowser").field("found", &self.found).finish_non_exhaustive()
    }
}

async fn listen(
    daemon: ServiceDaemon,
    mut events: Receiver<ServiceEvent>,
    on_link: OnLink,
    tell: watch::Sender<Arc<[LanServer]>>,
    asks: watch::Receiver<bool>,
) {
    let mut seen = Seen::default();
    let mut checks = interval(Seen::CHECK_EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv_async() => match event {
                Ok(ServiceEvent::ServiceResolved(service)) => {
                    if let Some(server) = LanServer::read(&service, &on_link) {
                        seen.resolved(service.get_fullname(), server);
                    } else {
                        tracing::debug!("a service in the network is not one of ours");
                    }
                }
                Ok(ServiceEvent::ServiceRemoved(_, fullname)) => seen.removed(&fullname, Instant::now()),
                Ok(_) => {}
                // Too much came at once, or somebody floods the network: ask anew, not too often.
                Err(_) => {
                    tokio::time::sleep(Seen::CHECK_EVERY).await;
                    let Ok(anew) = daemon.browse(SERVICE) else { return };
                    events = anew;
                }
            },
            _ = checks.tick(), if *asks.borrow() => {
                for fullname in seen.check(Instant::now()) {
                    let _ = daemon.verify(fullname, Seen::CHECK_ANSWER);
                }
                // Questions to everyone become rare by themselves. Who waits for somebody asks on.
                if seen.misses_somebody()
                    && let Ok(anew) = daemon.browse(SERVICE)
                {
                    events = anew;
                }
            }
        }
        let servers = seen.servers();
        tell.send_if_modified(|known| {
            let is_changed = known.as_ref() != servers;
            if is_changed {
                *known = servers.into();
            }
            is_changed
        });
    }
}
