//! The connection check: one ordered ladder, each rung with at most one thing to do. It stops at the first rung that is
//! in the way; what comes after couldn't be told.

use super::{Instance, router::Router};
use crate::{
    api::types::{Check, Event, Nothing, PathView},
    engine::Part,
    firewall::{self, Firewall},
    language::Language,
    managed,
    message::{Code, Problem, Result},
};
use identity::HostPort;
use net::{
    LanBrowser, LanName, MappingState, OnLink, Pinhole, Source,
    rendezvous::{NotPutThrough, Observed, Translation},
};
use std::{
    net::{SocketAddr, UdpSocket},
    num::NonZeroU16,
    sync::PoisonError,
    time::Duration,
};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};

/// The rungs so far.
struct Ladder<'a> {
    checks: Vec<Check>,
    language: Language,
    is_stopped: bool,
    /// Hears of each rung as soon as it is known.
    tell: &'a (dyn Fn(Check) + Sync),
}

/// What is known of the Internet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Internet {
    /// Somebody there answered.
    Answers,
    /// Web pages would come, and our packets (UDP) don't get out.
    TcpOnly,
    /// Nobody answered of those who were asked.
    Silent,
    /// There was nobody to ask.
    Unasked,
}

/// A connection to somewhere on the Internet has come about by then, or won't.
const PROBE: Duration = Duration::from_secs(3);
/// A server in the local network has announced itself by then, or its announcement doesn't arrive.
const ANNOUNCED: Duration = Duration::from_secs(4);

impl<'a> Ladder<'a> {
    fn new(language: Language, tell: &'a (dyn Fn(Check) + Sync)) -> Self {
        Self { checks: Vec::new(), language, is_stopped: false, tell }
    }

    fn add(&mut self, id: &str, result: &str, problem: Option<Problem>) {
        let problem = problem.map(|problem| problem.view(self.language));
        let check = Check { id: id.to_owned(), result: result.to_owned(), problem };
        (self.tell)(check.clone());
        self.checks.push(check);
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

/// Whether others could reach this computer over the Internet, before there is a server: goes up its ladder at a port it
/// could have, and leaves nothing open. `tell` hears of each rung as soon as it is known.
pub async fn check_from_outside(
    listen: Option<SocketAddr>,
    language: Language,
    tell: &(dyn Fn(Check) + Sync),
) -> Result<Vec<Check>> {
    let mut ladder = Ladder::new(language, tell);
    // A server for this computer only asks nobody.
    if listen.is_some_and(|listen| listen.ip().is_loopback()) {
        ["network", "local-firewall", "gateway", "mapping"].iter().for_each(|id| ladder.skip(id));
        return Ok(ladder.checks);
    }
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
    let not_usable = |error| Problem::new(Code::AddressNotUsable).with("address", listen.to_string()).because(error);
    let socket = UdpSocket::bind(listen).map_err(not_usable)?;
    let port = socket.local_addr().map_err(not_usable)?.port();
    let has_network = net::has_network();
    ladder.rung("network", (!has_network).then(|| Problem::new(Code::Offline)));
    check_firewall(&mut ladder, port, None).await;
    let router = Router::default();
    let (answer, pinhole) = match NonZeroU16::new(port).filter(|_| has_network) {
        Some(port) => {
            router.begin(port, &net::watch_network());
            tokio::join!(router.answer(), router.pinhole())
        }
        None => (None, None),
    };
    // This port is given back in a moment; nobody shall forward it.
    check_router(&mut ladder, answer, pinhole, false, None);
    router.end().await;
    Ok(ladder.checks)
}

impl Instance {
    /// Checks the connection step by step.
    pub(crate) async fn doctor(&self, _: Nothing) -> Result<Vec<Check>> {
        let tell = |check| drop(self.events.send(Event::Check { check }));
        let mut ladder = Ladder::new(self.language(), &tell);
        match self.part {
            Part::Server => self.check_server(&mut ladder).await,
            Part::Client => self.check_client(&mut ladder).await?,
        }
        // Whatever the network is like, the data can be looked at.
        ladder.is_stopped = false;
        ladder.rung("data-readable", self.engine.state().borrow().problem.clone());
        Ok(ladder.checks)
    }

    fn check_network(&self, ladder: &mut Ladder<'_>) {
        let is_for_here = self.settings().network.listen.ip().is_loopback() && self.part == Part::Server;
        match &self.endpoint {
            // Nothing is running: there is no way to tell from here.
            None => ladder.skip("network"),
            Some(_) if is_for_here => ladder.skip("network"),
            Some(endpoint) => {
                ladder.rung("network", (!endpoint.has_network()).then(|| Problem::new(Code::Offline)));
            }
        }
    }

    async fn check_server(&self, ladder: &mut Ladder<'_>) {
        self.check_network(ladder);
        let port = self.listening.first().map_or(0, SocketAddr::port);
        let is_called = self.endpoint.is_some() && !self.settings().network.listen.ip().is_loopback();
        let internet = self.settings().network.internet;
        // Off is a choice, and not in the way of anything in the local network.
        if is_called && internet {
            ladder.rung("own-internet-switch", None);
        } else {
            ladder.skip("own-internet-switch");
        }
        if !(is_called && internet) {
            ["internet", "managed-network", "findable"].iter().for_each(|id| ladder.skip(id));
            if is_called {
                check_firewall(ladder, port, None).await;
            } else {
                ladder.skip("local-firewall");
            }
            return ["gateway", "mapping", "path"].iter().for_each(|id| ladder.skip(id));
        }
        let (router, pinhole) = tokio::join!(self.router.answer(), self.router.pinhole());
        let observed = self.switchboards.observed();
        let seen: Vec<Translation> = observed.iter().map(|seen| seen.translation).collect();
        let rendezvous = self.wanted_switchboards().into_iter().map(|known| known.address).collect();
        let internet = if seen.is_empty() { self.ask_around(rendezvous).await } else { Internet::Answers };
        // A network without a router is told as that.
        let has_router = router != Some(MappingState::NoGateway) || is_there(pinhole);
        let internet = if internet == Internet::Silent && !has_router { Internet::Unasked } else { internet };
        check_internet(ladder, internet);
        check_managed(ladder, internet, None).await;
        let is_unfindable = self.is_unfindable(&self.settings());
        ladder.rung("findable", is_unfindable.then(|| Problem::new(Code::NoWayToServer)));

        let outside = match router {
            Some(MappingState::Mapped(mapping)) => Some(mapping.external.port()),
            _ if seen.contains(&Translation::None) => Some(port),
            _ => None,
        };
        let arrives = match outside.filter(|_| !ladder.is_stopped) {
            Some(outside) => self.switchboards.is_called_at(outside).await,
            None => None,
        };
        // Without a router between, only this computer's own firewall can be in the way. With IPv6 a router changes no
        // address and keeps calls away all the same, unless it says otherwise.
        let is_direct = |seen: &Observed| {
            seen.translation == Translation::None && (seen.address.is_ipv4() || pinhole == Some(Pinhole::Open))
        };
        let lets_in = arrives.filter(|arrives| *arrives || observed.iter().all(is_direct));
        check_firewall(ladder, port, lets_in).await;
        check_router(ladder, router, pinhole, !seen.is_empty(), Some(port));
        self.check_path(ladder, &seen, arrives, port);
    }

    /// By which way others come, whatever their routers are like. `seen`: what stands between this computer and the
    /// switchboards it has lines to. `arrives`: whether a call from somewhere else came through the router.
    fn check_path(&self, ladder: &mut Ladder<'_>, seen: &[Translation], arrives: Option<bool>, port: u16) {
        let has_relay = self.candidates.all().iter().any(|known| known.source == Source::Relay);
        let is_mapped = self.router.mapping().is_some();
        let is_put_through =
            seen.iter().any(|kind| matches!(kind, Translation::None | Translation::EndpointIndependent));
        match self.relay_problem() {
            Some(problem) => ladder.rung("path", Some(problem)),
            None if has_relay || is_put_through || arrives == Some(true) => ladder.rung("path", None),
            // The router says that it is open, and what was sent to it didn't arrive.
            None if is_mapped && arrives == Some(false) => {
                let hint = Problem::new(Code::FirewallUnknown).with("port", port.to_string());
                ladder.unknown("path", Some(hint.with("program", firewall::SYSTEM)));
            }
            None if is_mapped => ladder.rung("path", None),
            None if seen.contains(&Translation::EndpointDependent) => {
                ladder.rung("path", Some(Problem::new(Code::RelayNeeded)));
            }
            None => ladder.unknown("path", None),
        }
    }

    async fn check_client(&self, ladder: &mut Ladder<'_>) -> Result<()> {
        let status = self.status_now().await?;
        let is_connected = status.is_connected;
        let met = self.link_problem.lock().unwrap_or_else(PoisonError::into_inner).clone().filter(|_| !is_connected);
        self.check_network(ladder);
        // Anything else that is in the way says nothing of these rungs.
        let is_own = |problem: &Problem| matches!(problem.code, Code::InternetOffHere | Code::LineMetered);
        let met = met.filter(|problem| is_own(problem) || rung_of(problem.code).is_some());
        let own = met.clone().filter(is_own);
        ladder.rung("own-internet-switch", own);
        self.check_clients_internet(ladder, status.path, met.as_ref()).await;
        check_met(ladder, met.as_ref(), is_connected);
        Ok(())
    }

    async fn check_clients_internet(&self, ladder: &mut Ladder<'_>, path: Option<PathView>, met: Option<&Problem>) {
        let is_wanted = self.endpoint.is_some() && self.may_use_internet();
        if ladder.is_stopped || !is_wanted || path == Some(PathView::Local) {
            ladder.skip("internet");
            return check_managed(ladder, Internet::Unasked, self.hides_server(path).await).await;
        }
        let put_through = *self.put_through.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = matches!(put_through, Some(Ok(()) | Err(NotPutThrough::Offline | NotPutThrough::Busy)));
        let says_nothing = [Code::ServerSilent, Code::ConnectionBroke, Code::NoWayToServer];
        let is_heard = met.is_some_and(|problem| !says_nothing.contains(&problem.code));
        let internet = if path.is_some() || answered || is_heard {
            Internet::Answers
        } else {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).rendezvous.clone();
            self.ask_around(told.into_iter().map(|known| known.address).collect()).await
        };
        check_internet(ladder, internet);
        check_managed(ladder, internet, None).await;
    }

    /// Whether a server that is reached in the local network isn't seen there: its announcement gets lost.
    async fn hides_server(&self, path: Option<PathView>) -> Option<Problem> {
        let server = self.settings().server.clone().filter(|_| path == Some(PathView::Local))?;
        let is_here = self.candidates.all().iter().all(|known| known.address.ip().is_loopback());
        if is_here {
            return None;
        }
        let browser = LanBrowser::start(OnLink::system()).ok()?;
        let (name, mut found) = (LanName::of(&server.public_key), browser.subscribe());
        let is_seen = found.wait_for(|servers| servers.iter().any(|other| other.id == name));
        match timeout(ANNOUNCED, is_seen).await {
            Err(_) => Some(Problem::new(Code::MulticastFiltered).with("server", server.name.as_str())),
            Ok(_) => None,
        }
    }

    /// Asks whoever is known on the Internet whether it is there.
    async fn ask_around(&self, known: Vec<HostPort>) -> Internet {
        // Only if it is in use: the check itself takes no place there.
        let dht = self.dht.try_lock().ok().and_then(|place| place.clone());
        let is_asked = dht.is_some() || !known.is_empty();
        let dht = async {
            match dht {
                Some(dht) => dht.answers().await,
                None => false,
            }
        };
        let (by_udp, by_tcp) = tokio::join!(dht, takes_connections(known));
        match (by_udp, by_tcp) {
            (true, _) => Internet::Answers,
            (false, true) => Internet::TcpOnly,
            (false, false) if is_asked => Internet::Silent,
            (false, false) => Internet::Unasked,
        }
    }
}

/// What a client may meet when it calls its server, in the order in which it would meet it.
const MET: [(&str, &[Code]); 7] = [
    ("findable", &[Code::NoWayToServer]),
    ("server-online", &[Code::ServerSilent, Code::ConnectionBroke, Code::ServerPaused, Code::ServerBusy]),
    ("server-internet-switch", &[Code::InternetOffOnServer]),
    ("path", &[Code::RoutersInTheWay]),
    ("server-key", &[Code::KeyDiffers]),
    ("version", &[Code::VersionsDiffer]),
    ("access", &[Code::Removed, Code::OwnerMustAllow, Code::InvitationOutdated, Code::NotOnList]),
];

/// The rung at which this stands in the way.
fn rung_of(code: Code) -> Option<&'static str> {
    MET.iter().find(|(_, codes)| codes.contains(&code)).map(|(id, _)| *id)
}

fn check_met(ladder: &mut Ladder<'_>, met: Option<&Problem>, is_connected: bool) {
    for (id, _) in MET {
        match met.filter(|problem| rung_of(problem.code) == Some(id)) {
            Some(problem) => ladder.rung(id, Some(problem.clone())),
            // Only a connection shows that the server answered this question.
            None if !is_connected && met.is_none() && id != "findable" => ladder.unknown(id, None),
            None => ladder.rung(id, None),
        }
    }
}

/// Whether any of these takes a TCP connection. A directory does, at the port where it is a rendezvous by UDP.
async fn takes_connections(known: Vec<HostPort>) -> bool {
    let mut asking = JoinSet::new();
    for at in known {
        asking.spawn(async move {
            let connected = TcpStream::connect((at.host(), at.port()));
            timeout(PROBE, connected).await.is_ok_and(|connected| connected.is_ok())
        });
    }
    while let Some(answer) = asking.join_next().await {
        if answer.unwrap_or(false) {
            return true;
        }
    }
    false
}

fn check_internet(ladder: &mut Ladder<'_>, internet: Internet) {
    match internet {
        Internet::Answers | Internet::TcpOnly => ladder.rung("internet", None),
        Internet::Silent => ladder.rung("internet", Some(Problem::new(Code::Offline))),
        Internet::Unasked => ladder.unknown("internet", None),
    }
}

/// What this network keeps back, on purpose or not, and who decides on that. `hint`: what was noticed else.
async fn check_managed(ladder: &mut Ladder<'_>, internet: Internet, hint: Option<Problem>) {
    if internet == Internet::TcpOnly {
        return ladder.rung("managed-network", Some(Problem::new(Code::UdpBlocked)));
    }
    let domain = async { Some(Problem::new(Code::ManagedComputer).with("domain", managed::domain().await?)) };
    let hint = match hint {
        Some(hint) => Some(hint),
        None => domain.await,
    };
    match hint {
        // Not in the way for sure; good to know if something is.
        Some(hint) => ladder.unknown("managed-network", Some(hint)),
        None => ladder.rung("managed-network", None),
    }
}

/// The firewall of this computer. `lets_in`: whether a call that no router could keep away came in.
async fn check_firewall(ladder: &mut Ladder<'_>, port: u16, lets_in: Option<bool>) {
    let firewall = firewall::look(port).await;
    // Whatever keeps calls out of a system that shows no firewall is part of it.
    let program = firewall.program().unwrap_or(firewall::SYSTEM);
    let about = |code| Some(Problem::new(code).with("port", port.to_string()).with("program", program));
    match (firewall, lets_in) {
        (_, Some(true)) | (Firewall::None | Firewall::Open(_), None) => ladder.rung("local-firewall", None),
        (_, Some(false)) | (Firewall::Closed(_), None) => {
            ladder.rung("local-firewall", about(Code::FirewallCloses));
        }
        (Firewall::Unknown(_), None) => ladder.unknown("local-firewall", about(Code::FirewallUnknown)),
    }
}

/// The router, and whether it opened the way. Where a switchboard puts others through, nobody needs that. `pinhole`: the
/// same for IPv6, which decides where there is nothing else. `port`: the one to forward by hand, if there is one already.
fn check_router(
    ladder: &mut Ladder<'_>,
    answer: Option<MappingState>,
    pinhole: Option<Pinhole>,
    is_on_line: bool,
    port: Option<u16>,
) {
    let is_ipv6_only = answer == Some(MappingState::NoGateway) && is_there(pinhole);
    match answer {
        None => ladder.unknown("gateway", None),
        Some(MappingState::NoGateway) if is_ipv6_only => ladder.rung("gateway", None),
        Some(MappingState::NoGateway) if is_on_line => ladder.skip("gateway"),
        Some(MappingState::NoGateway) => ladder.rung("gateway", Some(Problem::new(Code::NoGateway))),
        Some(_) => ladder.rung("gateway", None),
    }
    let port = port.map_or_else(|| "none".to_owned(), |port| port.to_string());
    let with_port = |code| Some(Problem::new(code).with("port", port.clone()));
    let closed = || {
        let address = net::own_address().map_or_else(|| "?".to_owned(), |own| own.to_string());
        with_port(Code::RouterClosed).map(|problem| problem.with("address", address))
    };
    match answer {
        Some(MappingState::Mapped(_)) => ladder.rung("mapping", None),
        _ if is_ipv6_only && pinhole == Some(Pinhole::Open) => ladder.rung("mapping", None),
        _ if is_on_line => ladder.skip("mapping"),
        _ if is_ipv6_only => ladder.rung("mapping", closed()),
        None | Some(MappingState::NoGateway | MappingState::Asking) => ladder.unknown("mapping", None),
        Some(MappingState::NotOffered | MappingState::Refused) => ladder.rung("mapping", closed()),
        Some(MappingState::SecondRouter { .. }) => ladder.rung("mapping", with_port(Code::SecondRouter)),
        Some(MappingState::CarrierNat { .. }) => ladder.rung("mapping", Some(Problem::new(Code::CarrierNat))),
    }
}

/// Whether there is a router for IPv6.
fn is_there(pinhole: Option<Pinhole>) -> bool {
    matches!(pinhole, Some(Pinhole::Open | Pinhole::Closed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder() -> Ladder<'static> {
        Ladder::new(Language::English, &|_| ())
    }

    fn stop<'a>(ladder: &'a Ladder<'_>) -> Option<(&'a str, &'a str)> {
        let stop = ladder.checks.iter().find(|check| check.result == "problem")?;
        Some((&stop.id, &stop.problem.as_ref()?.code))
    }

    #[test]
    fn whatever_a_client_meets_the_check_stops_at_its_rung_and_tells_nothing_of_what_comes_after() {
        for (place, (id, codes)) in MET.into_iter().enumerate() {
            for code in codes {
                let mut ladder = ladder();
                check_met(&mut ladder, Some(&Problem::new(*code)), false);
                assert_eq!(stop(&ladder), Some((id, code.as_str())));
                let results: Vec<&str> = ladder.checks.iter().map(|check| check.result.as_str()).collect();
                assert!(results[..place].iter().all(|result| *result == "ok"), "{id}: {results:?}");
                assert!(results[place + 1..].iter().all(|result| *result == "skipped"), "{id}: {results:?}");
                let problem = ladder.checks[place].problem.as_ref().expect("what stops it says why");
                assert!(!problem.action.is_empty(), "{code:?}");
            }
        }
    }

    #[test]
    fn who_is_connected_met_nothing_and_who_never_called_cant_tell() {
        let mut connected = ladder();
        check_met(&mut connected, None, true);
        assert!(connected.checks.iter().all(|check| check.result == "ok"));
        let mut silent = ladder();
        check_met(&mut silent, None, false);
        assert!(silent.checks[1..].iter().all(|check| check.result == "cannotTell"));
    }

    #[test]
    fn each_answer_of_a_router_has_its_rung_and_its_words() {
        let private = Some("192.168.1.2".parse().expect("an address"));
        let carrier = "100.64.0.7".parse().expect("an address");
        let told = |answer, pinhole, is_on_line| {
            let mut ladder = ladder();
            check_router(&mut ladder, answer, pinhole, is_on_line, Some(41_234));
            stop(&ladder).map(|(id, code)| (id.to_owned(), code.to_owned()))
        };
        for (answer, id, code) in [
            (MappingState::NoGateway, "gateway", "N22"),
            (MappingState::NotOffered, "mapping", "N03"),
            (MappingState::Refused, "mapping", "N03"),
            (MappingState::SecondRouter { external: private }, "mapping", "N20"),
            (MappingState::SecondRouter { external: None }, "mapping", "N20"),
            (MappingState::CarrierNat { external: carrier }, "mapping", "N21"),
        ] {
            let stop = Some((id.to_owned(), code.to_owned()));
            assert_eq!(told(Some(answer), Some(Pinhole::NoGateway), false), stop, "{answer:?}");
            assert_eq!(told(Some(answer), None, true), None, "a switchboard puts others through: {answer:?}");
        }
        let closed = Some(("mapping".to_owned(), "N03".to_owned()));
        assert_eq!(told(Some(MappingState::NoGateway), Some(Pinhole::Closed), false), closed, "IPv6 only");
        assert_eq!(told(Some(MappingState::NoGateway), Some(Pinhole::Open), false), None);
    }

    #[test]
    fn before_there_is_a_server_nobody_is_told_to_forward_a_port() {
        let action = |port| {
            let mut ladder = ladder();
            check_router(&mut ladder, Some(MappingState::NotOffered), None, false, port);
            ladder
                .checks
                .pop()
                .and_then(|check| check.problem)
                .map(|problem| problem.action)
                .expect("it says what to do")
        };
        assert!(action(Some(41_234)).contains("41234"));
        assert!(!action(None).contains("none") && action(None).contains("UPnP"), "{}", action(None));
    }
}
