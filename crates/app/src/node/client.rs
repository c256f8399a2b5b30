//! Calling the server, again and again.

use super::{Instance, lan::Search, server::Greeting};
use crate::{
    message::{Code, Problem, Result},
    secrets::SecretName,
};
use identity::{ServerName, ServiceId};
use net::{Answer, DialError, FrameError, KnockKey, PairError, Refusal, Target};
use std::{
    net::SocketAddr,
    pin::pin,
    sync::{Arc, PoisonError},
    time::Duration,
};
use sync::{hub::SessionId, wire::Frame};
use tokio::time::Instant;

/// The one link of a client.
const HUB: SessionId = SessionId(1);
const WAIT_MIN: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A server that was there a moment ago is soon there again.
const WAIT_BROKEN_MAX: Duration = Duration::from_secs(2);
/// One that is silent, paused or busy may be there any moment.
const WAIT_AWAY_MAX: Duration = Duration::from_secs(10);
/// A session this long was a good one.
const WAIT_STEADY: Duration = Duration::from_secs(5);

impl Instance {
    /// Keeps a link to the server until the instance ends.
    pub(super) async fn stay_connected(self: Arc<Self>) {
        let mut wait = WAIT_MIN;
        let mut search = Search::default();
        let mut pause = self.pause.subscribe();
        loop {
            if pause.wait_for(Option::is_none).await.is_err() {
                return;
            }
            let started = Instant::now();
            let ended = tokio::select! {
                ended = self.session(&mut search) => ended,
                // Paused: the link is dropped with the future.
                _ = wait_until_paused(&self) => continue,
            };
            match ended {
                // A link that breaks at once isn't tried again and again.
                Ok(()) if started.elapsed() < WAIT_STEADY => wait = wait.min(WAIT_BROKEN_MAX),
                Ok(()) => wait = WAIT_MIN,
                Err(problem) => {
                    let is_final = !matches!(
                        problem.code,
                        Code::ServerSilent
                            | Code::ServerPaused
                            | Code::ServerBusy
                            | Code::ConnectionBroke
                            | Code::InternetOffOnServer
                    );
                    self.set_link_problem(Some(problem));
                    wait = if is_final { WAIT_MAX } else { wait.min(WAIT_AWAY_MAX) };
                }
            }
            // A server that turns up in the network is called at once.
            wait = match tokio::time::timeout(wait, search.turned_up()).await {
                Ok(()) => WAIT_MIN,
                Err(_) => (wait * 2).min(WAIT_MAX),
            };
        }
    }

    /// One session, from call to end.
    async fn session(&self, search: &mut Search) -> Result<()> {
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let (server, internet) = {
            let settings = self.settings();
            (settings.server.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?, settings.network.internet)
        };
        let name = server.name.as_str().to_owned();
        let all: Vec<SocketAddr> = server.hints.iter().filter_map(|hint| hint.parse().ok()).collect();
        let on_link = net::OnLink::system();
        let addresses: Vec<SocketAddr> =
            all.iter().copied().filter(|address| internet || on_link.is_lan(address.ip())).collect();
        search.begin(&server.public_key, &all);
        let hello = self.engine.run(|room| room.hello()).await.ok_or_else(super::gone)??;
        let target = |addresses, knock| Target { addresses, server: Some(server.public_key), knock };
        let known = async {
            if addresses.is_empty() {
                let code = if all.is_empty() { Code::NoWayToServer } else { Code::InternetOffHere };
                return Err(Problem::new(code).with("server", name.as_str()));
            }
            let target = target(addresses.clone(), KnockKey::of_service(&self.service_id()));
            endpoint.dial(&target, hello.clone()).await.map_err(|error| dial_problem(error, &name, "connection"))
        };
        let found = async {
            let found = search.found().await;
            endpoint.dial(&target(found.addresses, found.knock), hello.clone()).await
        };
        let answer = first_of(known, found, search.settles_at()).await?;
        let Answer::Joined(joined) = answer else {
            return Err(Problem::new(Code::Removed).with("server", name));
        };
        let address = joined.link.remote_address();
        if let Ok(greeting) = postcard::from_bytes::<Greeting>(&joined.greeting) {
            self.take_greeting(greeting, address).await?;
        }
        self.set_link_problem(None);
        self.save_transport().await;
        let (inputs, shared) = self.engine.for_links();
        let link = joined.link.clone();
        tokio::select! {
            () = crate::engine::link::carry(joined, HUB, None, inputs, shared) => {}
            // The link is dropped with the future.
            () = search.moved(address.ip()) => return Ok(()),
        }
        match link.close_reason() {
            // It wants this computer to come again, or has no room now and says so to its owner.
            Some(net::Closed::Refused(Refusal::Busy { .. })) => Ok(()),
            Some(net::Closed::Refused(refusal)) => Err(refusal_problem(refusal, &name)),
            _ => Ok(()),
        }
    }

    /// Remembers what the server says of itself: where it may be found later, and by which knock.
    async fn take_greeting(&self, greeting: Greeting, address: SocketAddr) -> Result<()> {
        *self.may_take_over.lock().unwrap_or_else(PoisonError::into_inner) = greeting.may_take_over;
        let new = ServiceId::from_bytes(greeting.service_id);
        if new.as_bytes() != self.service_id().as_bytes() {
            let (secrets, kept) = (Arc::clone(&self.secrets), new);
            super::blocking(move || Ok(secrets.set_bytes(SecretName::ServiceId, kept.as_bytes())?)).await?;
            *self.service_id.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
        let is_changed = {
            let mut settings = self.settings();
            let Some(server) = &mut settings.server else { return Ok(()) };
            let before = server.clone();
            if let Ok(name) = ServerName::parse(&greeting.server_name) {
                server.name = name;
            }
            // The address that just worked first; then what the server says; then what was known before.
            let mut hints = vec![address.to_string()];
            hints.extend(greeting.hints.iter().map(ToString::to_string));
            hints.extend(before.hints.iter().cloned());
            let mut seen = std::collections::BTreeSet::new();
            hints.retain(|hint| seen.insert(hint.clone()));
            hints.truncate(2 * identity::Invitation::HINTS_MAX);
            server.hints = hints;
            *server != before
        };
        if is_changed { self.save_settings() } else { Ok(()) }
    }
}

async fn wait_until_paused(instance: &Instance) {
    let mut pause = instance.pause.subscribe();
    pause.wait_for(Option::is_some).await.ok();
}

/// Why the server can't be talked to. `known_by`: how its key is known.
pub(super) fn dial_problem(error: DialError, server: &str, known_by: &str) -> Problem {
    match error {
        DialError::NoAddress => Problem::new(Code::NoWayToServer),
        DialError::NoAnswer { .. } => Problem::new(Code::ServerSilent).with("server", server).because(error),
        DialError::WrongServerKey { .. } => {
            Problem::new(Code::KeyDiffers).with("server", server).with("known_by", known_by).because(error)
        }
        DialError::Refused(refusal) => refusal_problem(refusal, server),
        DialError::Frame(error) => frame_problem(&error, server),
    }
}

fn frame_problem(error: &FrameError, server: &str) -> Problem {
    match error {
        FrameError::Closed(net::Closed::Refused(refusal)) => refusal_problem(*refusal, server),
        error => Problem::new(Code::ServerSilent).with("server", server).because(error),
    }
}

fn refusal_problem(refusal: Refusal, server: &str) -> Problem {
    match refusal {
        Refusal::Removed => Problem::new(Code::Removed).with("server", server),
        Refusal::Paused { until_unix_secs } => {
            let left = until_unix_secs.map(|until| until.saturating_sub(super::now_secs()));
            let problem = Problem::new(Code::ServerPaused).with("server", server);
            match left {
                Some(left) => problem.with("left_secs", left),
                None => problem,
            }
        }
        Refusal::InternetOff => Problem::new(Code::InternetOffOnServer).with("server", server),
        Refusal::Busy { .. } => Problem::new(Code::ServerBusy).with("server", server),
        Refusal::Version { speaks } => Problem::new(Code::VersionsDiffer)
            .with("server", server)
            .with("have", env!("CARGO_PKG_VERSION"))
            .with("other", speaks.to_string()),
        Refusal::Revoked => Problem::new(Code::ServerIdNotPublished),
        Refusal::NotAdmitted => Problem::new(Code::InvitationOutdated).with("server", server),
    }
}

/// The addresses that are known, and the local network: whichever answers first. If neither does, what the known
/// addresses said is what people can do something about.
async fn first_of(
    known: impl Future<Output = Result<Answer>>,
    found: impl Future<Output = std::result::Result<Answer, DialError>>,
    found_by: Instant,
) -> Result<Answer> {
    let (mut known, mut found) = (pin!(known), pin!(found));
    tokio::select! {
        answer = &mut known => match answer {
            Ok(answer) => Ok(answer),
            Err(problem) => match tokio::time::timeout_at(found_by, found).await {
                Ok(Ok(answer)) => Ok(answer),
                _ => Err(problem),
            },
        },
        answer = &mut found => match answer {
            Ok(answer) => Ok(answer),
            Err(_) => known.await,
        },
    }
}

/// Why this computer wasn't added.
pub(super) fn pair_problem(error: PairError, server: &str) -> Problem {
    match error {
        PairError::WrongPassword | PairError::PasswordLength => {
            Problem::new(Code::PasswordWrong).with("server", server)
        }
        PairError::Wait { secs } => Problem::new(Code::TooManyTries).with("server", server).with("wait_secs", secs),
        PairError::DoorClosed => Problem::new(Code::DoorClosedInternet).with("server", server),
        PairError::Revoked => Problem::new(Code::ServerIdNotPublished),
        PairError::Refused => Problem::new(Code::OwnerMustAllow).with("server", server),
        PairError::Damaged => Problem::new(Code::VersionsDiffer)
            .with("server", server)
            .with("have", env!("CARGO_PKG_VERSION"))
            .with("other", "?"),
        PairError::Frame(error) => frame_problem(&error, server),
    }
}

/// What is said first in a session.
impl crate::engine::Room {
    pub(super) fn hello(&mut self) -> std::result::Result<Vec<u8>, sync::index::IndexError> {
        self.opening_hello().map(|hello| Frame::Hello(hello).encode())
    }
}
