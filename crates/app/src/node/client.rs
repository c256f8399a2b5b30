//! Calling the server, again and again, and moving to a better path without losing anything.

use super::{
    Instance,
    finding::Ways,
    lan::{Search, Whereabouts},
    other_version,
    server::Greeting,
};
use crate::{
    api::types::PathView,
    message::{Code, Problem, Result},
    password::normal_form,
    secrets::{SecretError, SecretName},
};
use identity::{ServerName, ServiceId};
use net::{
    Answer, CloseCode, Connected, Credentials, DialError, Endpoint, FrameError, Joined, Link, PairError, Pairing,
    Refusal, Source, Wakes,
};
use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError},
    time::Duration,
};
use sync::{hub::SessionId, wire::Frame};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

/// The one link of a client.
const HUB: SessionId = SessionId(1);
/// After a session that stood, and then after one, two, three and more calls that led to nothing.
const WAITS: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
];
/// Where trying again soon makes no sense before a person did something.
const WAITS_FOR_A_PERSON: usize = 3;
/// A server that is there, but won't talk now, may any moment.
const WAITS_FOR_AN_ANSWER: usize = 2;
/// When this computer was last added again by itself (the index knows one server), and how long it waits before it tries
/// once more.
const PAIRED_AGAIN_AT: &str = "client.paired-again-at";
const PAIR_AGAIN_SECS: u64 = 7 * 86_400;
/// After so many calls in vain a server that was there a moment ago is one that doesn't answer.
const BROKE_JUST_NOW: usize = 2;
/// A session this long was a good one.
const STEADY: Duration = Duration::from_secs(5);
/// A link is asked for a sign of life every ten seconds; without one for this long, other paths are tried.
const SILENT: Duration = Duration::from_secs(13);
/// What is being sent may finish before a link is given up for a better one.
const FINISHING: Duration = Duration::from_secs(2);
/// Through a relay: after how long a direct way is looked for, and looked for again.
const BEFORE_DIRECT: [Duration; 2] = [Duration::from_secs(30), Duration::from_secs(90)];
const DIRECT_EVERY: Duration = Duration::from_secs(300);
/// A network that comes up isn't usable in the same moment.
const SETTLING: Duration = Duration::from_millis(250);

/// How a session ended that ended well.
enum Ended {
    /// The link is gone.
    Over,
    /// The server was started anew, and is there.
    Restarted,
    /// Another path works; the session goes on there.
    Moved(Box<Connected>),
}

impl Instance {
    /// Keeps a link to the server until the instance ends.
    pub(super) async fn stay_connected(self: Arc<Self>) {
        let Some(endpoint) = &self.endpoint else { return };
        let (mut failures, mut moved, mut search) = (0, None, Search::default());
        let mut pause = self.pause.subscribe();
        let mut reasons = Reasons::of(&self);
        let mut linked = self.linked.subscribe();
        loop {
            if pause.wait_for(Option::is_none).await.is_err() {
                return;
            }
            if linked.wait_for(|is_linked| *is_linked).await.is_err() {
                return;
            }
            let started = Instant::now();
            let ended = tokio::select! {
                ended = self.session(endpoint, &mut search, moved.take()) => ended,
                // Paused: the link is dropped with the future.
                () = wait_until_paused(&self) => continue,
                _ = linked.wait_for(|is_linked| !is_linked) => continue,
            };
            match ended {
                Ok(Ended::Moved(connected)) => {
                    moved = Some(*connected);
                    continue;
                }
                // A link that breaks at once isn't tried again and again.
                Ok(Ended::Over) if started.elapsed() < STEADY => failures = 1,
                Ok(Ended::Over | Ended::Restarted) => failures = 0,
                Err(problem) => {
                    let is_just_now = problem.code == Code::ServerSilent && failures < BROKE_JUST_NOW;
                    let problem = self.cut_short().filter(|_| is_just_now).unwrap_or(problem);
                    failures = match problem.code {
                        Code::ServerSilent | Code::RoutersInTheWay | Code::ConnectionBroke | Code::Offline => {
                            failures + 1
                        }
                        // It answers, so it is asked again soon.
                        Code::ServerPaused | Code::ServerBusy | Code::InternetOffOnServer => {
                            (failures + 1).min(WAITS_FOR_AN_ANSWER)
                        }
                        _ => WAITS_FOR_A_PERSON,
                    };
                    self.set_link_problem(Some(problem));
                }
            }
            reasons.forget();
            tokio::select! {
                () = sleep(spread(WAITS[failures.min(WAITS.len() - 1)])) => {}
                // A server that turns up in the network is called at once, too.
                () = async { tokio::select! { () = reasons.any() => {}, () = search.turned_up() => {} } } => {
                    failures = 0;
                    sleep(SETTLING).await;
                }
            }
        }
    }

    /// What the last link left undone when it broke.
    fn cut_short(&self) -> Option<Problem> {
        let state = self.engine.state().borrow().clone();
        let all = state.items_done + state.was_pending;
        let problem = || Problem::new(Code::ConnectionBroke).with("done", state.items_done).with("all", all);
        (state.was_pending > 0).then(problem)
    }

    /// One session, from call to end.
    async fn session(&self, endpoint: &Endpoint, search: &mut Search, moved: Option<Connected>) -> Result<Ended> {
        let connected = match moved {
            Some(connected) => connected,
            None => self.call_server(endpoint, search, Ways::All).await?,
        };
        let name = self.settings().server.as_ref().map(|server| server.name.to_string()).unwrap_or_default();
        let hello = self.engine.run(|room| room.hello()).await.ok_or_else(super::gone)??;
        let answer = connected.join(hello.clone()).await;
        let joined = match answer.map_err(|error| dial_problem(error, &name, "connection"))? {
            Answer::Joined(joined) => joined,
            Answer::PairingNeeded(pairing) => self.pair_again(pairing, hello, &name).await?,
        };
        if let Ok(greeting) = postcard::from_bytes::<Greeting>(&joined.greeting) {
            self.take_greeting(greeting, joined.link.remote_address()).await?;
        }
        self.set_link_problem(None);
        self.save_transport().await;
        let (inputs, shared) = self.engine.for_links();
        let link = joined.link.clone();
        let mut carrying = std::pin::pin!(crate::engine::link::carry(joined, HUB, None, inputs, shared));
        let better = tokio::select! {
            () = &mut carrying => None,
            connected = self.other_path(endpoint, search, &link) => Some(connected),
        };
        if let Some(connected) = better {
            // What was begun is said to the end; what is large goes on over there where it stopped here.
            self.engine.run(|room| room.hang_up_all()).await;
            if timeout(FINISHING, &mut carrying).await.is_err() {
                link.close(CloseCode::Done);
                carrying.await;
            }
            return Ok(Ended::Moved(Box::new(connected)));
        }
        match link.close_reason() {
            // It wants this computer to come again, or has no room now and says so to its owner.
            Some(net::Closed::Refused(Refusal::Busy { .. })) => Ok(Ended::Over),
            Some(net::Closed::Refused(refusal)) => Err(refusal_problem(refusal, &name)),
            Some(net::Closed::Restarted) => Ok(Ended::Restarted),
            _ => Ok(Ended::Over),
        }
    }

    /// Looks for another path when there is a reason to, and answers when one works. The link that stands stays as it
    /// is meanwhile. Ends a link that the rules don't allow any more.
    async fn other_path(&self, endpoint: &Endpoint, search: &mut Search, link: &Link) -> Connected {
        let (mut reasons, wakes) = (Reasons::of(self), Wakes::of(&self.network));
        let mut whereabouts = Whereabouts::new();
        let (mut received, mut heard_at) = (link.stats().udp_bytes_received, Instant::now());
        let mut waits = BEFORE_DIRECT.into_iter();
        let mut direct_at = self.is_relayed().then(|| Instant::now() + waits.next().unwrap_or_default());
        loop {
            let mut ways = Ways::All;
            let is_moved = tokio::select! {
                () = changed(&mut reasons.network) => true,
                () = changed(&mut reasons.rules) => false,
                said = search.moved(link.remote_address().ip(), &mut whereabouts) => {
                    self.candidates.replace(Source::LocalNetwork, &said, super::now_secs());
                    true
                }
                () = search.turned_up(), if !link.is_lan() => true,
                // A relay is slower than any direct way, and costs somebody something.
                () = sleep_until(direct_at.unwrap_or_else(Instant::now)), if direct_at.is_some() => {
                    direct_at = Some(Instant::now() + waits.next().unwrap_or(DIRECT_EVERY));
                    ways = Ways::Direct;
                    true
                }
                () = sleep(Duration::from_secs(1)) => {
                    let now = link.stats().udp_bytes_received;
                    if now != received {
                        (received, heard_at) = (now, Instant::now());
                    }
                    heard_at.elapsed() > SILENT
                }
            };
            if !self.may_use_internet() && !link.is_lan() {
                link.close(CloseCode::Done);
            }
            if !is_moved {
                continue;
            }
            sleep(SETTLING).await;
            // Who was asleep doesn't know it, but the server may have hung up long ago.
            let is_silent = heard_at.elapsed() > SILENT || wakes.is_due();
            match self.call_server(endpoint, search, ways).await {
                // The same path: the link that stands moves with it by itself.
                Ok(connected) if connected.remote_address() == link.remote_address() && !is_silent => {
                    connected.give_up();
                }
                Ok(connected) => return connected,
                Err(problem) => tracing::debug!(?problem, "no other path"),
            }
            reasons.forget();
        }
    }

    /// The right server answered and doesn't know this computer: its list was lost, as when it was restored. Who was removed
    /// is told so instead. The remembered password is tried by itself once a week at most.
    async fn pair_again(&self, pairing: Pairing, hello: Vec<u8>, server: &str) -> Result<Joined> {
        let unknown = || Problem::new(Code::NotOnList).with("server", server);
        let secrets = Arc::clone(&self.secrets);
        let password = super::blocking(move || match secrets.get(SecretName::SavedPassword) {
            Ok(password) => Ok(Some(password)),
            Err(SecretError::Absent) => Ok(None),
            Err(error) => Err(error.into()),
        });
        let password = password.await?.ok_or_else(unknown)?;
        let now = super::now_secs();
        let may_try = self.engine.run(move |room| {
            let last =
                room.index.value(PAIRED_AGAIN_AT)?.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            let may_try = last.is_none_or(|last| now.abs_diff(last) >= PAIR_AGAIN_SECS);
            if may_try {
                room.index.set_value(PAIRED_AGAIN_AT, Some(&now.to_be_bytes()))?;
            }
            Ok::<_, Problem>(may_try)
        });
        if !may_try.await.ok_or_else(super::gone)?? {
            return Err(unknown());
        }
        let device_name = self.settings().name.as_ref().map(ToString::to_string).unwrap_or_default();
        let credentials = Credentials {
            password: normal_form(&password),
            device_name,
            platform: std::env::consts::OS.to_owned(),
            ticket: None,
            salt: None,
        };
        tracing::info!(
            "the server doesn't know this computer any more; it is added again with the remembered password"
        );
        let is_lan = pairing.is_lan();
        let paired = pairing.pair(&credentials).await.map_err(|error| pair_problem(error, is_lan, server))?;
        paired.join(hello).await.map_err(|error| dial_problem(error, server, "connection"))
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
        let rendezvous = greeting.rendezvous();
        self.take_told(greeting.internet, &greeting.candidates, rendezvous);
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) = self.path_to(address);
        self.candidates.succeeded(address, super::now_secs());
        self.save_candidates().await;
        let is_changed = {
            let mut settings = self.settings();
            let before = (settings.network.clone(), settings.server.clone());
            if settings.network.internet_as_server {
                settings.network.internet = greeting.internet;
            }
            if let (Some(server), Ok(name)) = (&mut settings.server, ServerName::parse(&greeting.server_name)) {
                server.name = name;
            }
            (settings.network.clone(), settings.server.clone()) != before
        };
        if is_changed { self.save_settings() } else { Ok(()) }
    }
}

impl Instance {
    fn is_relayed(&self) -> bool {
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) == Some(PathView::Relayed)
    }

    /// By which way an address is reached, as far as the server has said what it is.
    fn path_to(&self, address: SocketAddr) -> Option<PathView> {
        if self.endpoint.as_ref()?.is_lan(&address) {
            return Some(PathView::Local);
        }
        let known = self.candidates.all();
        let sources: Vec<Source> =
            known.iter().filter(|known| known.address == address).map(|known| known.source).collect();
        let is = |source| sources.contains(&source);
        Some(match () {
            () if is(Source::Relay) => PathView::Relayed,
            () if is(Source::Mapping) => PathView::Mapped,
            // Its own: nothing had to be opened.
            () if is(Source::Interface) || is(Source::Ipv6) => PathView::Direct,
            () if is(Source::Fixed) && !is(Source::Observed) => PathView::Direct,
            // Seen there by a rendezvous, or nobody knew that the server would call from there.
            () => PathView::Punched,
        })
    }
}

/// What makes it worth looking again at once.
struct Reasons {
    network: watch::Receiver<net::NetworkChange>,
    rules: watch::Receiver<()>,
    addresses: watch::Receiver<Vec<net::Candidate>>,
}

impl Reasons {
    fn of(instance: &Instance) -> Self {
        let mut reasons = Self {
            network: instance.network.clone(),
            rules: instance.rules.subscribe(),
            addresses: instance.candidates.watch(),
        };
        reasons.forget();
        reasons
    }

    /// What is known by now is no reason any more.
    fn forget(&mut self) {
        self.network.mark_unchanged();
        self.rules.mark_unchanged();
        self.addresses.mark_unchanged();
    }

    async fn any(&mut self) {
        tokio::select! {
            () = changed(&mut self.network) => {}
            () = changed(&mut self.rules) => {}
            () = changed(&mut self.addresses) => {}
        }
    }
}

/// Waits for ever where nothing can change any more.
async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The same give or take a fifth, so that many clients don't come back in the same moment.
fn spread(wait: Duration) -> Duration {
    let mut byte = [0];
    getrandom::fill(&mut byte).expect("the system gives random numbers");
    wait.mul_f64(0.8 + f64::from(byte[0]) / 255.0 * 0.4)
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
        Refusal::Version { speaks } => other_version(Code::VersionsDiffer, speaks).with("server", server),
        Refusal::Revoked => Problem::new(Code::ServerIdNotPublished),
        Refusal::NotAdmitted => Problem::new(Code::InvitationOutdated).with("server", server),
    }
}

/// Why this computer wasn't added.
pub(super) fn pair_problem(error: PairError, is_lan: bool, server: &str) -> Problem {
    match error {
        PairError::WrongPassword | PairError::PasswordLength => {
            Problem::new(Code::PasswordWrong).with("server", server)
        }
        PairError::Wait { secs } => Problem::new(Code::TooManyTries).with("server", server).with("wait_secs", secs),
        PairError::DoorClosed if is_lan => Problem::new(Code::DoorClosedHere).with("server", server),
        PairError::DoorClosed => Problem::new(Code::DoorClosedInternet).with("server", server),
        PairError::Revoked => Problem::new(Code::ServerIdNotPublished),
        PairError::Refused => Problem::new(Code::OwnerMustAllow).with("server", server),
        PairError::Damaged => other_version(Code::VersionsDiffer, None).with("server", server),
        PairError::Frame(error) => frame_problem(&error, server),
    }
}

/// What is said first in a session.
impl crate::engine::Room {
    pub(super) fn hello(&mut self) -> std::result::Result<Vec<u8>, sync::index::IndexError> {
        self.opening_hello().map(|hello| Frame::Hello(hello).encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_door_is_the_one_at_which_this_computer_stands() {
        let code = |is_lan| pair_problem(PairError::DoorClosed, is_lan, "Office PC").code;
        assert_eq!((code(false), code(true)), (Code::DoorClosedInternet, Code::DoorClosedHere));
    }
}
