//! The router lets calls from the Internet through, as long as this is a server that may be called from there.

use super::Instance;
use net::{Mapping, MappingState, NetworkChange, Pinhole, PortMapper};
use std::{
    num::NonZeroU16,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// What keeps the way open.
#[derive(Debug, Default)]
pub(super) struct Router(Mutex<Option<PortMapper>>);

/// A router has answered by then, or won't.
const PATIENCE: Duration = Duration::from_secs(10);

impl Router {
    fn mapper(&self) -> MutexGuard<'_, Option<PortMapper>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The router's address that leads here, if it has opened the way.
    pub(super) fn mapping(&self) -> Option<Mapping> {
        match self.mapper().as_ref()?.state() {
            MappingState::Mapped(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// How things stand; waits for the first answer. `None`: nobody asks it.
    pub(super) async fn answer(&self) -> Option<MappingState> {
        let state = self.mapper().as_ref()?.subscribe();
        changed_from(MappingState::Asking, state).await
    }

    /// The same for IPv6.
    pub(super) async fn pinhole(&self) -> Option<Pinhole> {
        let state = self.mapper().as_ref()?.subscribe_pinhole();
        changed_from(Pinhole::Asking, state).await
    }

    /// Asks the router, unless it is being asked already.
    pub(super) fn begin(&self, port: NonZeroU16, network: &watch::Receiver<NetworkChange>) {
        self.mapper().get_or_insert_with(|| PortMapper::start(port, network));
    }

    /// Takes back what it was asked for.
    pub(super) async fn end(&self) {
        let mapper = self.mapper().take();
        if let Some(mapper) = mapper {
            mapper.close().await;
        }
    }
}

/// What it is once it is something else, if that doesn't take too long.
async fn changed_from<T: Copy + PartialEq>(asking: T, mut state: watch::Receiver<T>) -> Option<T> {
    let answered = state.wait_for(|state| *state != asking);
    tokio::time::timeout(PATIENCE, answered).await.ok()?.ok().map(|answer| *answer)
}

impl Instance {
    /// Begins or ends to ask the router, as the Internet switch says. A server for this computer only asks nobody.
    pub(super) async fn ask_router(&self) {
        let (internet, listen) = {
            let settings = self.settings();
            (settings.network.internet, settings.network.listen)
        };
        let is_called = self.endpoint.is_some() && self.door.is_some() && !listen.ip().is_loopback();
        let port = self.listening.first().and_then(|address| NonZeroU16::new(address.port()));
        match port.filter(|_| internet && is_called) {
            Some(port) => self.router.begin(port, &self.network),
            None => self.router.end().await,
        }
    }
}
