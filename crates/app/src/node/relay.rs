//! A server's relay, for computers that find no direct way to it; as long as it may be called from the Internet.

use super::{Instance, blocking, now_secs};
use crate::{
    api::types::{Nothing, RelayRequest, RelayStateView, RelayView},
    engine::Part,
    message::{Code, Problem, Result},
    secrets::{SecretError, SecretName},
    settings::RelaySettings,
};
use identity::{HostPort, Secret};
use net::{Relay, RelayAccount, RelayState, Source, Wakes};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// The relay in use, with the address and user it is asked by.
#[derive(Debug, Default)]
pub(super) struct RelayInUse(Mutex<Option<(RelaySettings, Relay)>>);

/// A user's name has as many bytes as TURN takes (RFC 8489 14.3).
const USER_BYTES_MAX: usize = 508;
/// A relay has answered by then, or counts as silent.
const PATIENCE: Duration = Duration::from_secs(12);

impl RelayInUse {
    fn relay(&self) -> MutexGuard<'_, Option<(RelaySettings, Relay)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Option<RelayState> {
        self.relay().as_ref().map(|(_, relay)| relay.state())
    }

    fn subscribe(&self) -> Option<watch::Receiver<RelayState>> {
        self.relay().as_ref().map(|(_, relay)| relay.subscribe())
    }

    /// Gives the address back.
    pub(super) async fn end(&self) {
        let relay = self.relay().take();
        if let Some((_, relay)) = relay {
            relay.close().await;
        }
    }
}

impl Instance {
    /// Keeps an address at the relay until the instance ends.
    pub(super) async fn stay_at_relay(self: Arc<Self>) {
        let (mut rules, mut wakes) = (self.rules.subscribe(), Wakes::of(&self.network));
        loop {
            rules.mark_unchanged();
            if let Err(problem) = self.arrange_relay().await {
                tracing::warn!(?problem, "the relay can't be used");
            }
            let mut state = self.relay.subscribe();
            loop {
                let now = state.as_mut().map(|state| *state.borrow_and_update());
                let address = match now {
                    Some(RelayState::Ready(address)) => Some(address),
                    _ => None,
                };
                self.candidates.replace(Source::Relay, address.as_slice(), now_secs());
                let changed = async {
                    match &mut state {
                        Some(state) => state.changed().await.is_ok(),
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    Ok(()) = rules.changed() => break,
                    is_there = changed => if !is_there { break },
                    // A relay keeps an address for ten minutes.
                    () = wakes.next() => {
                        self.relay.end().await;
                        break;
                    }
                }
            }
        }
    }

    async fn arrange_relay(&self) -> Result<()> {
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let wanted = {
            let settings = self.settings();
            settings.network.relay.clone().filter(|_| settings.network.internet)
        };
        let known = self.relay.relay().as_ref().map(|(known, _)| known.clone());
        if known == wanted {
            return Ok(());
        }
        self.relay.end().await;
        let Some(wanted) = wanted else { return Ok(()) };
        let secrets = Arc::clone(&self.secrets);
        let password = blocking(move || Ok(secrets.get(SecretName::RelayPassword)?)).await?;
        let address = HostPort::parse(&wanted.address).ok_or_else(|| not_usable(&wanted.address))?;
        let account = RelayAccount { address, user: wanted.user.clone(), password };
        self.relay.relay().get_or_insert_with(|| (wanted, endpoint.relay(account)));
        Ok(())
    }

    /// What is wrong with the relay, if one was chosen.
    pub(super) fn relay_problem(&self) -> Option<Problem> {
        let (relay, has_rendezvous) = {
            let settings = self.settings();
            (settings.network.relay.as_ref()?.address.clone(), !settings.network.rendezvous.is_empty())
        };
        let code = match self.relay.state()? {
            RelayState::Refused => Code::RelayRefused,
            RelayState::Silent => Code::RelaySilent,
            RelayState::Ready(_) if !has_rendezvous => Code::RelayNeedsRendezvous,
            RelayState::Ready(_) | RelayState::Asking => return None,
        };
        Some(Problem::new(code).with("relay", relay))
    }

    pub(crate) async fn relay(&self, _: Nothing) -> Result<RelayView> {
        self.door()?;
        let settings = self.settings().network.relay.clone();
        let state = self.relay.state();
        Ok(RelayView {
            address: settings.as_ref().map(|relay| relay.address.clone()),
            user: settings.map(|relay| relay.user),
            state: state.map(|state| match state {
                RelayState::Asking => RelayStateView::Asking,
                RelayState::Silent => RelayStateView::Silent,
                RelayState::Refused => RelayStateView::Refused,
                RelayState::Ready(_) => RelayStateView::Ready,
            }),
            candidate: match state {
                Some(RelayState::Ready(address)) => Some(address.to_string()),
                _ => None,
            },
            problem: self.relay_problem().map(|problem| problem.view(self.language())),
        })
    }

    pub(crate) async fn set_relay(&self, request: RelayRequest) -> Result<RelayView> {
        if self.part != Part::Server {
            return Err(Problem::new(Code::OnServerOnly));
        }
        let secrets = Arc::clone(&self.secrets);
        let settings = match request.address {
            Some(address) => {
                let user = request.user.unwrap_or_default();
                if HostPort::parse(&address).is_none() || user.is_empty() || user.len() > USER_BYTES_MAX {
                    return Err(not_usable(&address));
                }
                let password = Secret::new(request.password.ok_or_else(|| Problem::new(Code::PasswordMissing))?);
                blocking(move || Ok(secrets.set(SecretName::RelayPassword, &password)?)).await?;
                Some(RelaySettings { address, user })
            }
            None => {
                blocking(move || match secrets.remove(SecretName::RelayPassword) {
                    Err(SecretError::Absent) => Ok(()),
                    outcome => Ok(outcome?),
                })
                .await?;
                None
            }
        };
        self.settings().network.relay = settings;
        self.save_settings()?;
        // Also where only the password is another one.
        self.relay.end().await;
        self.arrange_relay().await?;
        self.rules.send_replace(());
        if let Some(mut state) = self.relay.subscribe() {
            // Whoever sets it wants to hear whether it works.
            let answered = state.wait_for(|state| *state != RelayState::Asking);
            timeout(PATIENCE, answered).await.ok();
        }
        self.relay(Nothing {}).await
    }
}

fn not_usable(address: &str) -> Problem {
    Problem::new(Code::RelayNotUsable).with("given", address.to_owned())
}
