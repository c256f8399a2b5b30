//! Servers in the local network, for whoever looks for one: also before this computer is anything.

use crate::{
    api::types::LanServerView,
    message::{Code, Problem, Result},
};
use identity::PublicKey;
use net::{LanBrowser, LanName, LanServer, OnLink};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Looks for servers as long as it exists.
#[derive(Debug)]
pub struct LanSearch {
    known: Option<LanName>,
    begun: Instant,
    found: watch::Receiver<Arc<[LanServer]>>,
    /// Keeps looking as long as it exists.
    _browser: LanBrowser,
}

/// Servers that are there have answered by then.
const SETTLED: Duration = Duration::from_millis(1_500);
/// One that is waited for has as long as this.
const PATIENCE: Duration = Duration::from_secs(6);
/// Digits of an ID that tell it from others, as for all IDs.
const ID_DIGITS_MIN: usize = 4;

impl LanSearch {
    /// Begins to look. `known` is the key of the server that this computer is or belongs to.
    pub fn start(known: Option<&PublicKey>) -> Result<Self> {
        let browser = LanBrowser::start(OnLink::system());
        let browser = browser.map_err(|error| Problem::new(Code::Offline).because(error))?;
        let (known, found) = (known.map(LanName::of), browser.subscribe());
        Ok(Self { known, begun: Instant::now(), found, _browser: browser })
    }

    /// The servers that are known now: those that answer first, by name.
    #[must_use]
    pub fn servers(&self) -> Vec<LanServerView> {
        self.found().iter().map(|server| self.view(server)).collect()
    }

    /// The same, as the network tells it.
    #[must_use]
    pub fn found(&self) -> Arc<[LanServer]> {
        Arc::clone(&self.found.borrow())
    }

    /// The list as it changes; ends with the search.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<[LanServer]>> {
        self.found.clone()
    }

    fn view(&self, server: &LanServer) -> LanServerView {
        LanServerView {
            id: server.id.to_string(),
            name: server.name.to_string(),
            addresses: server.addresses.iter().map(ToString::to_string).collect(),
            is_stale: server.is_stale,
            is_known: self.known == Some(server.id),
        }
    }

    /// Waits until the list changes.
    pub async fn changed(&mut self) {
        if self.found.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until whoever is there had the time to answer.
    pub async fn settled(&self) {
        tokio::time::sleep_until(self.begun + SETTLED).await;
    }

    /// The server with this name or ID. Waits a moment for it, and for a second one of the same name.
    pub async fn find(&self, text: &str) -> Result<LanServer> {
        self.settled().await;
        let mut found = self.found.clone();
        let patience = tokio::time::sleep_until(self.begun + PATIENCE);
        tokio::pin!(patience);
        loop {
            let servers = Arc::clone(&found.borrow_and_update());
            match pick(&servers, text) {
                Err(problem) if problem.code != Code::SeveralServers => tokio::select! {
                    _ = found.changed() => {}
                    () = &mut patience => return Err(problem),
                },
                picked => return picked,
            }
        }
    }
}

fn pick(servers: &[LanServer], text: &str) -> Result<LanServer> {
    let id = text.to_ascii_lowercase();
    let is_meant = |server: &&LanServer| {
        server.name.as_str() == text || (id.len() >= ID_DIGITS_MIN && server.id.to_string().starts_with(&id))
    };
    let meant: Vec<&LanServer> = servers.iter().filter(|server| !server.is_stale).filter(is_meant).collect();
    match meant[..] {
        [server] => Ok(server.clone()),
        [] if servers.is_empty() => Err(Problem::new(Code::NoServerFound)),
        [] => Err(Problem::new(Code::NoSuchServer).with("server", text)),
        _ => Err(Problem::new(Code::SeveralServers).with("server", text).with("n", meant.len() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::ServerName;
    use net::KnockKey;

    fn server(id: &str, name: &str, is_stale: bool) -> LanServer {
        LanServer {
            id: id.parse().unwrap(),
            name: ServerName::parse(name).unwrap(),
            knock: KnockKey::from_bytes([1; 16]),
            addresses: vec!["192.168.1.20:4433".parse().unwrap()],
            is_stale,
        }
    }

    #[test]
    fn a_server_is_picked_by_name_or_id_and_never_by_chance() {
        let servers = [
            server("aaaa000000000001", "Office PC", false),
            server("bbbb000000000002", "Office PC", false),
            server("cccc000000000003", "Attic", false),
            server("dddd000000000004", "Cellar", true),
        ];
        let code =
            |text: &str| pick(&servers, text).map_err(|problem| problem.code).map(|server| server.id.to_string());
        assert_eq!(code("Attic"), Ok("cccc000000000003".to_owned()));
        assert_eq!(code("BBBB"), Ok("bbbb000000000002".to_owned()));
        assert_eq!(code("Office PC"), Err(Code::SeveralServers));
        assert_eq!(code("aaa"), Err(Code::NoSuchServer));
        assert_eq!(code("Cellar"), Err(Code::NoSuchServer), "it doesn't answer");
        assert_eq!(pick(&[], "Attic").unwrap_err().code, Code::NoServerFound);
    }
}
