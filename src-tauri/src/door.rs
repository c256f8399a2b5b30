//! The one command and the one event between the page and the host.

use app::{
    host::{Given, Host},
    message::ProblemView,
};
use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicBool, atomic::Ordering};
use tokio::sync::watch;

/// The event everything is told by.
pub(crate) const EVENT: &str = "host";
/// No request of the page is longer, in bytes: the longest one carries a pasted e-mail.
const REQUEST_BYTES_MAX: usize = 256 << 10;

/// Leads to the host, which is there a moment after the window.
#[derive(Clone, Debug)]
pub(crate) struct Door(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    host: watch::Sender<Option<Host>>,
    /// Given before the host was there.
    waiting: Mutex<Vec<Vec<Given>>>,
    /// The page has asked for something: it lives.
    page_lives: AtomicBool,
}

impl Default for Door {
    fn default() -> Self {
        let (host, waiting, page_lives) = (watch::channel(None).0, Mutex::default(), AtomicBool::new(false));
        Self(Arc::new(Shared { host, waiting, page_lives }))
    }
}

impl Door {
    /// The host is there.
    pub(crate) fn open(&self, host: Host, given: Vec<Given>) {
        host.give(given);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for given in waiting.drain(..) {
            host.give(given);
        }
        self.0.host.send_replace(Some(host));
    }

    /// The host, once it is there.
    pub(crate) async fn host(&self) -> Host {
        let mut host = self.0.host.subscribe();
        let there = host.wait_for(Option::is_some).await.expect("the door holds the sender");
        there.clone().expect("it was waited for")
    }

    /// The host, if it is there.
    pub(crate) fn host_now(&self) -> Option<Host> {
        self.0.host.borrow().clone()
    }

    /// Files or links were handed over.
    pub(crate) fn give(&self, given: Vec<Given>) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match self.host_now() {
            Some(host) => host.give(given),
            None => waiting.push(given),
        }
    }

    /// Whether the page asked for anything yet. One that never did can't answer questions.
    pub(crate) fn page_lives(&self) -> bool {
        self.0.page_lives.load(Ordering::Relaxed)
    }
}

/// In a module of its own, because the macro makes names that would clash at the top.
pub(crate) mod commands {
    use super::{Door, Ordering, ProblemView, REQUEST_BYTES_MAX};
    use app::message::{Code, Problem};
    use serde_json::Value;

    /// Carries out a command of the host's list, or of the running instance's.
    #[tauri::command]
    pub(crate) async fn call(
        door: tauri::State<'_, Door>,
        name: String,
        request: Value,
    ) -> Result<Value, Box<ProblemView>> {
        door.0.page_lives.store(true, Ordering::Relaxed);
        let host = door.host().await;
        let told = |problem: Problem| {
            tracing::info!(%problem, command = %name.chars().take(64).collect::<String>(), "a command was refused");
            Box::new(problem.view(host.language()))
        };
        if request.to_string().len() > REQUEST_BYTES_MAX {
            return Err(told(Problem::new(Code::NotUnderstood).with("reason", "the request is too long")));
        }
        host.call(&name, request).await.map_err(told)
    }
}
