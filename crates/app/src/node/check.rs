//! The connection check: one ordered ladder, each rung with at most one thing to do. It stops at the first rung that is
//! in the way; what comes after couldn't be told.

use super::Instance;
use crate::{
    api::types::{Check, Nothing},
    engine::Part,
    firewall::{self, Firewall},
    language::Language,
    message::{Code, Problem, Result},
};
use net::{MappingState, Source, rendezvous::Translation};
use std::{net::SocketAddr, sync::PoisonError};

/// The rungs so far.
struct Ladder {
    checks: Vec<Check>,
    language: Language,
    is_stopped: bool,
}

impl Ladder {
    fn add(&mut self, id: &str, result: &str, problem: Option<Problem>) {
        let problem = problem.map(|problem| problem.view(self.language));
        self.checks.push(Check { id: id.to_owned(), result: result.to_owned(), problem });
    }

    /// A rung that is fine, or in the way. Behind one that is in the way nothing can be told.
    fn rung(&mut self, id: &str, problem: Option<Problem>) {
        match problem {
            _ if self.is_stopped => self.skip(id),
            None => self.add(id, "ok", None),
            Some(problem) => {
                self.is_stopped = true;
                self.add(id, "problem", Some(problem));
            }
        }
    }

    /// Something that can't be told from here, with how to find out.
    fn unknown(&mut self, id: &str, hint: Option<Problem>) {
        if self.is_stopped { self.skip(id) } else { self.add(id, "cannotTell", hint) }
    }

    /// A rung that doesn't matter here.
    fn skip(&mut self, id: &str) {
        self.add(id, "skipped", None);
    }
}

impl Instance {
    /// Checks the connection step by step.
    pub(crate) async fn doctor(&self, _: Nothing) -> Result<Vec<Check>> {
        let mut ladder = Ladder { checks: Vec::new(), language: self.language(), is_stopped: false };
        match self.part {
            Part::Server => self.check_server(&mut ladder).await,
            Part::Client => self.check_client(&mut ladder).await?,
        }
        // Whatever the network is like, the data can be looked at.
        ladder.is_stopped = false;
        ladder.rung("data-readable", self.engine.state().borrow().problem.clone());
        Ok(ladder.checks)
    }

    fn check_network(&self, ladder: &mut Ladder) {
        let is_for_here = self.settings().network.listen.ip().is_loopback() && self.part == Part::Server;
        let is_connected = self.listening.iter().any(|address| !address.ip().is_loopback());
        match &self.endpoint {
            // Nothing is running: there is no way to tell from here.
            None => ladder.skip("network"),
            Some(_) if is_for_here => ladder.skip("network"),
            Some(_) => ladder.rung("network", (!is_connected).then(|| Problem::new(Code::Offline))),
        }
    }

    async fn check_server(&self, ladder: &mut Ladder) {
        self.check_network(ladder);
        let port = self.listening.first().map_or(0, SocketAddr::port);
        let is_called = self.endpoint.is_some() && !self.settings().network.listen.ip().is_loopback();
        if !is_called {
            return ["own-internet-switch", "local-firewall", "gateway", "mapping", "path"]
                .iter()
                .for_each(|id| ladder.skip(id));
        }
        let internet = self.settings().network.internet;
        // Off is a choice, and not in the way of anything in the local network.
        if internet {
            ladder.rung("own-internet-switch", None)
        } else {
            ladder.skip("own-internet-switch")
        }
        let port_fact = |code| Problem::new(code).with("port", port.to_string());
        match firewall::look(port).await {
            Firewall::None | Firewall::Open => ladder.rung("local-firewall", None),
            Firewall::Closed(program) => {
                ladder.rung("local-firewall", Some(port_fact(Code::FirewallCloses).with("program", program)));
            }
            Firewall::Unknown(program) => {
                ladder.unknown("local-firewall", Some(port_fact(Code::FirewallUnknown).with("program", program)));
            }
        }
        if !internet {
            return ["gateway", "mapping", "path"].iter().for_each(|id| ladder.skip(id));
        }
        let seen: Vec<Translation> = self.switchboards.observed().iter().map(|seen| seen.translation).collect();
        self.check_router(ladder, !seen.is_empty(), port).await;
        self.check_path(ladder, &seen);
    }

    /// The router, and whether it opened the way. Where a switchboard puts others through, nobody needs that.
    async fn check_router(&self, ladder: &mut Ladder, is_on_line: bool, port: u16) {
        let answer = self.router.answer().await;
        match answer {
            None => ladder.unknown("gateway", None),
            Some(MappingState::NoGateway) if is_on_line => ladder.skip("gateway"),
            Some(MappingState::NoGateway) => ladder.rung("gateway", Some(Problem::new(Code::NoGateway))),
            Some(_) => ladder.rung("gateway", None),
        }
        let with_port = |code| Some(Problem::new(code).with("port", port.to_string()));
        match answer {
            Some(MappingState::Mapped(_)) => ladder.rung("mapping", None),
            _ if is_on_line => ladder.skip("mapping"),
            None | Some(MappingState::NoGateway | MappingState::Asking) => ladder.unknown("mapping", None),
            Some(MappingState::NotOffered | MappingState::Refused) => {
                ladder.rung("mapping", with_port(Code::RouterClosed));
            }
            Some(MappingState::SecondRouter { .. }) => ladder.rung("mapping", with_port(Code::SecondRouter)),
            Some(MappingState::CarrierNat { .. }) => ladder.rung("mapping", Some(Problem::new(Code::CarrierNat))),
        }
    }

    /// By which way others come, whatever their routers are like. `seen`: what stands between this computer and the
    /// switchboards it has lines to.
    fn check_path(&self, ladder: &mut Ladder, seen: &[Translation]) {
        let has_relay = self.candidates.all().iter().any(|known| known.source == Source::Relay);
        let is_open = self.router.mapping().is_some() || seen.contains(&Translation::None);
        match self.relay_problem() {
            Some(problem) => ladder.rung("path", Some(problem)),
            None if is_open || has_relay => ladder.rung("path", None),
            None if seen.contains(&Translation::EndpointIndependent) => ladder.rung("path", None),
            None if seen.contains(&Translation::EndpointDependent) => {
                ladder.rung("path", Some(Problem::new(Code::RelayNeeded)));
            }
            None => ladder.unknown("path", None),
        }
    }

    async fn check_client(&self, ladder: &mut Ladder) -> Result<()> {
        let is_connected = self.status_now().await?.is_connected;
        let met = self.link_problem.lock().unwrap_or_else(PoisonError::into_inner).clone().filter(|_| !is_connected);
        self.check_network(ladder);
        let rungs: [(&str, &[Code]); 8] = [
            ("own-internet-switch", &[Code::InternetOffHere]),
            ("findable", &[Code::NoWayToServer]),
            ("server-online", &[Code::ServerSilent, Code::ServerPaused, Code::ServerBusy]),
            ("server-internet-switch", &[Code::InternetOffOnServer]),
            ("path", &[Code::RoutersInTheWay]),
            ("server-key", &[Code::KeyDiffers]),
            ("version", &[Code::VersionsDiffer]),
            ("access", &[Code::Removed, Code::OwnerMustAllow, Code::InvitationOutdated, Code::NotOnList]),
        ];
        // Anything else that is in the way says nothing of these rungs.
        let met = met.filter(|problem| rungs.iter().any(|(_, codes)| codes.contains(&problem.code)));
        let of = |codes: &[Code]| met.clone().filter(|problem| codes.contains(&problem.code));
        for (id, codes) in rungs {
            match of(codes) {
                Some(problem) => ladder.rung(id, Some(problem)),
                // Only a connection shows that the server answered this question.
                None if !is_connected && met.is_none() && id != "own-internet-switch" && id != "findable" => {
                    ladder.unknown(id, None);
                }
                None => ladder.rung(id, None),
            }
        }
        Ok(())
    }
}
