//! A server's lines to switchboards, at which others are put through to it; as long as it may be called from the Internet.

use super::{Instance, now_secs};
use crate::{
    api::types::{Nothing, ObservedView, RendezvousRequest, RendezvousView, TranslationView},
    engine::Part,
    message::{Code, Problem, Result},
    settings::Settings,
};
use identity::{Invitation, Rendezvous, ServiceId};
use net::{
    Source, Wakes,
    rendezvous::{Observed, Registration, Translation},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// The lines, with whom they lead to.
#[derive(Debug, Default)]
pub(super) struct Switchboards(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    service_ids: Vec<ServiceId>,
    /// Named by directories, beside those that the owner chose.
    by_directories: Vec<Rendezvous>,
    to: Vec<(Rendezvous, Arc<Registration>)>,
}

impl Switchboards {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this server is seen, by each switchboard.
    pub(super) fn observed(&self) -> Vec<Observed> {
        self.lines().to.iter().flat_map(|(_, line)| line.observed()).collect()
    }

    /// Whether calls from somewhere else arrive at a port of this computer's address on the Internet; `None` where nobody
    /// could be asked to call.
    pub(super) async fn is_called_at(&self, port: u16) -> Option<bool> {
        let line = self.lines().to.iter().map(|(_, line)| line).find(|line| !line.observed().is_empty()).cloned()?;
        line.is_called_at(port).await
    }
}

impl Instance {
    /// Keeps the lines until the instance ends.
    pub(super) async fn stay_on_lines(self: Arc<Self>) {
        let (mut rules, mut wakes) = (self.rules.subscribe(), Wakes::of(&self.network));
        loop {
            rules.mark_unchanged();
            if let Err(problem) = self.arrange_lines().await {
                tracing::warn!(?problem, "the lines to the rendezvous stay as they are");
            }
            let addresses: Vec<SocketAddr> = self.switchboards.observed().iter().map(|seen| seen.address).collect();
            self.candidates.replace(Source::Observed, &addresses, now_secs());
            let mut changes = JoinSet::new();
            for (_, line) in &self.switchboards.lines().to {
                let mut line = line.subscribe();
                // What came since the addresses were taken counts as a change, too.
                line.mark_changed();
                changes.spawn(async move {
                    let before = line.borrow_and_update().clone();
                    line.wait_for(|now| *now != before).await.is_ok()
                });
            }
            tokio::select! {
                Ok(()) = rules.changed() => {}
                Some(_) = changes.join_next() => {}
                // At the other end nobody holds a line for so long.
                () = wakes.next() => self.switchboards.lines().to.clear(),
            }
        }
    }

    async fn arrange_lines(&self) -> Result<()> {
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let (service_ids, by_directories) = (self.service_ids().await?, self.rendezvous_of_directories().await?);
        self.switchboards.lines().by_directories = by_directories;
        let wanted = self.wanted_switchboards();
        let mut lines = self.switchboards.lines();
        if lines.service_ids != service_ids {
            (lines.service_ids, lines.to) = (service_ids, Vec::new());
        }
        lines.to.retain(|(known, _)| wanted.contains(known));
        for rendezvous in wanted {
            if !lines.to.iter().any(|(known, _)| *known == rendezvous) {
                let line = endpoint.register(rendezvous.clone(), &lines.service_ids, &self.candidates);
                lines.to.push((rendezvous, Arc::new(line)));
            }
        }
        Ok(())
    }

    /// Those that the owner chose, and then those of the directories this server is published in.
    pub(super) fn wanted_switchboards(&self) -> Vec<Rendezvous> {
        let settings = self.settings();
        if settings.network.internet { self.known_switchboards(&settings) } else { Vec::new() }
    }

    /// The same, whether they are asked or not.
    pub(super) fn known_switchboards(&self, settings: &Settings) -> Vec<Rendezvous> {
        let mut all = settings.network.rendezvous.clone();
        for named in &self.switchboards.lines().by_directories {
            if !all.contains(named) {
                all.push(named.clone());
            }
        }
        all
    }

    /// Switchboards at which others are put through to this server: first those to which there is a line.
    pub(super) fn told_rendezvous(&self) -> Vec<Rendezvous> {
        let mut all: Vec<(bool, Rendezvous)> = {
            let lines = self.switchboards.lines();
            lines.to.iter().map(|(known, line)| (line.observed().is_empty(), known.clone())).collect()
        };
        if all.is_empty() {
            all = self.wanted_switchboards().into_iter().map(|known| (true, known)).collect();
        }
        all.sort_by_key(|(is_silent, _)| *is_silent);
        all.into_iter().map(|(_, known)| known).take(Invitation::RENDEZVOUS_MAX).collect()
    }

    pub(crate) async fn rendezvous(&self, _: Nothing) -> Result<Vec<RendezvousView>> {
        self.door()?;
        let all = self.known_switchboards(&self.settings());
        let lines = self.switchboards.lines();
        let observed = |known: &Rendezvous| {
            let line = lines.to.iter().find(|(other, _)| other == known);
            line.map(|(_, line)| line.observed()).unwrap_or_default()
        };
        Ok(all
            .iter()
            .map(|known| RendezvousView {
                rendezvous: known.to_string(),
                observed: observed(known).into_iter().map(ObservedView::from).collect(),
            })
            .collect())
    }

    pub(crate) async fn set_rendezvous(&self, request: RendezvousRequest) -> Result<Vec<RendezvousView>> {
        if self.part != Part::Server {
            return Err(Problem::new(Code::OnServerOnly));
        }
        let read = |text: &String| {
            Rendezvous::parse(text).ok_or_else(|| Problem::new(Code::RendezvousNotUsable).with("given", text.clone()))
        };
        let mut all = request.rendezvous.iter().map(read).collect::<Result<Vec<_>>>()?;
        all.dedup();
        if all.len() > Invitation::RENDEZVOUS_MAX {
            let given = request.rendezvous.join(" ");
            return Err(Problem::new(Code::RendezvousNotUsable).with("given", given));
        }
        self.settings().network.rendezvous = all;
        self.save_settings()?;
        self.rules.send_replace(());
        self.rendezvous(Nothing {}).await
    }
}

impl From<Observed> for ObservedView {
    fn from(observed: Observed) -> Self {
        Self {
            address: observed.address.to_string(),
            translation: match observed.translation {
                Translation::Unknown => TranslationView::Unknown,
                Translation::None => TranslationView::None,
                Translation::EndpointIndependent => TranslationView::EndpointIndependent,
                Translation::EndpointDependent => TranslationView::EndpointDependent,
            },
        }
    }
}
