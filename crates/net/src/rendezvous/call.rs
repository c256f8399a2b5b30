//! A client asks a switchboard for its server.

use super::{
    Reply, Request, message,
    registration::{line, resolve},
    sealed::{CallKey, ToServer},
};
use crate::{Entry, Source, call_back, endpoint::Shared};
use identity::{IdentityKey, PublicKey, Rendezvous, ServiceId};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Whom to ask for.
#[derive(Clone, Debug)]
pub struct Call {
    server: PublicKey,
    key: CallKey,
    takes_relay: bool,
}

/// Why a switchboard leads nowhere.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum NotPutThrough {
    /// The server isn't on the line there.
    #[error("the server has no line to the rendezvous")]
    Offline,
    /// The switchboard has too much to do.
    #[error("the rendezvous has too much to do")]
    Busy,
    /// The switchboard doesn't answer.
    #[error("the rendezvous doesn't answer")]
    Silent,
}

/// A relay is slower than any direct way, and costs somebody something: it is called when the others had their time.
const BEFORE_RELAY: Duration = Duration::from_millis(1_500);
/// The switchboard's word that it has told the server takes no longer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Call {
    /// For the server with this key.
    #[must_use]
    pub fn new(server: PublicKey, service_id: &ServiceId) -> Self {
        Self { server, key: CallKey::new(server, service_id), takes_relay: true }
    }

    /// Leaves out the server's relay: whoever goes through it already is looking for something better.
    #[must_use]
    pub const fn directly(self) -> Self {
        Self { takes_relay: false, ..self }
    }

    pub(crate) async fn run(&self, shared: &Arc<Shared>, at: &Rendezvous, entry: Entry) -> Result<(), NotPutThrough> {
        let begun = Instant::now();
        // The switchboard needn't know who asks: this key lives for one call.
        let own_key = IdentityKey::generate();
        let mut lines = JoinSet::new();
        for address in resolve(shared, &at.address).await {
            let asking = Asking {
                shared: Arc::clone(shared),
                call: self.clone(),
                own_key: IdentityKey::from_seed(own_key.seed()),
                switchboard: at.key,
                entry: entry.clone(),
                begun,
            };
            lines.spawn(asking.run(address));
        }
        drop(entry);
        let mut outcome = Err(NotPutThrough::Silent);
        while let Some(line) = lines.join_next().await {
            let line = line.unwrap_or(Err(NotPutThrough::Silent));
            outcome = match (outcome, line) {
                (Ok(()), _) | (_, Ok(())) => Ok(()),
                (Err(one), Err(other)) => Err(one.min(other)),
            };
        }
        outcome
    }
}

struct Asking {
    shared: Arc<Shared>,
    call: Call,
    own_key: IdentityKey,
    switchboard: PublicKey,
    entry: Entry,
    begun: Instant,
}

impl Asking {
    async fn run(self, address: SocketAddr) -> Result<(), NotPutThrough> {
        let call = ToServer { call_back: *self.entry.call_back().as_bytes(), addresses: self.shared.lan_addresses() };
        let dial = Request::Dial {
            server: *self.call.server.as_bytes(),
            topic: self.call.key.topic(),
            sealed: self.call.key.seal_call(&call),
        };
        let asking = async {
            let mut line = line(&self.shared, &self.own_key, self.switchboard, address).await.ok()?;
            message::say(&mut line.sender, &dial).await.ok()?;
            let first = message::hear::<Reply>(&mut line.receiver).await.ok().flatten()?;
            Some((line, first))
        };
        let answered = tokio::time::timeout(PATIENCE, asking).await.ok().flatten();
        let (mut line, first) = answered.ok_or(NotPutThrough::Silent)?;
        let server = match first {
            Reply::At { address } => address,
            Reply::Offline => return Err(NotPutThrough::Offline),
            _ => return Err(NotPutThrough::Busy),
        };
        let answer = async {
            while let Ok(Some(reply)) = message::hear::<Reply>(&mut line.receiver).await {
                if let Reply::Answer { sealed } = reply {
                    self.take_answer(&sealed, server).await;
                }
            }
        };
        let meeting = call_back::meet(&self.shared, server, &self.entry);
        tokio::join!(answer_within(answer), meeting);
        Ok(())
    }

    /// `server` is where it is met: that address is called when the way is open, and not before.
    async fn take_answer(&self, sealed: &[u8], server: SocketAddr) {
        let Some(mut answer) = self.call.key.open_answer(sealed, &self.entry.call_back()) else { return };
        answer.candidates.retain(|(source, address)| *source != Source::Observed && *address != server);
        let (relays, others): (Vec<_>, Vec<_>) =
            answer.candidates.into_iter().partition(|(source, _)| *source == Source::Relay);
        for (_, address) in others {
            self.entry.enter(address).await;
        }
        if relays.is_empty() || !self.call.takes_relay {
            return;
        }
        sleep_until(self.begun + BEFORE_RELAY).await;
        for (_, address) in relays {
            self.entry.enter_anew(address).await;
        }
    }
}

/// A server answers at once or never.
async fn answer_within(answer: impl Future<Output = ()>) {
    // Without an answer there is still the address it was observed at.
    let _ = tokio::time::timeout(PATIENCE, answer).await;
}
