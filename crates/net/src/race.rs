//! Several addresses race for a new connection: the first handshake with the right key wins.
//!
//! The first address (the one that worked last) and all in the local network are called at once, each further one
//! 100 ms later. Addresses that somebody finds meanwhile ([`Entrants`]) join, and so does a server that was asked through a
//! switchboard to call back. Whoever finishes later is closed as having lost the race.

use crate::{CloseCode, DialError, KnockKey, Refusal, Target, endpoint::Shared, tls};
use identity::PublicKey;
use std::{collections::VecDeque, net::SocketAddr, sync::Arc};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

/// Addresses that join a race while it runs. It isn't over before nobody can send any more.
#[derive(Debug)]
pub struct Entrants {
    entrants: mpsc::Receiver<Entrant>,
    call_back: KnockKey,
}

/// Enters addresses into a race. An address that was tried already isn't tried again.
#[derive(Clone, Debug)]
pub struct Entry {
    entrants: mpsc::Sender<Entrant>,
    call_back: KnockKey,
}

#[derive(Clone, Copy, Debug)]
struct Entrant {
    address: SocketAddr,
    /// The way there is another one than before: call it now, also if it was called already.
    is_anew: bool,
}

/// No honest source names more.
const ENTRANTS_MAX: usize = 64;

impl Entrants {
    /// For addresses that are still being looked for.
    #[must_use]
    pub fn open() -> (Entry, Self) {
        let (entry, entrants) = mpsc::channel(ENTRANTS_MAX);
        let call_back = KnockKey::generate();
        (Entry { entrants: entry, call_back }, Self { entrants, call_back })
    }

    /// Nobody is looking.
    #[must_use]
    pub fn none() -> Self {
        Self::open().1
    }
}

impl Entry {
    /// Enters an address. `false`: the race is over.
    pub async fn enter(&self, address: SocketAddr) -> bool {
        self.entrants.send(Entrant { address, is_anew: false }).await.is_ok()
    }

    /// Has an address called at once, again if need be.
    pub(crate) async fn enter_anew(&self, address: SocketAddr) {
        // A race that is over needs nobody.
        let _ = self.entrants.send(Entrant { address, is_anew: true }).await;
    }

    /// What opens this computer's port to the server during the race.
    pub(crate) const fn call_back(&self) -> KnockKey {
        self.call_back
    }

    /// Waits until the race is over, so that nobody looks on for nothing.
    pub async fn over(&self) {
        self.entrants.closed().await;
    }
}

pub(crate) type Won = (quinn::Connection, PublicKey);

/// Why one address wasn't it.
enum Failure {
    /// No answer, or none that says anything.
    Silent,
    /// This key answered.
    WrongKey(SocketAddr, PublicKey),
    /// Somebody answered who speaks another version of the handshake.
    OtherProtocol,
}

/// One race.
struct Race<'a> {
    shared: &'a Arc<Shared>,
    target: &'a Target,
    waiting: VecDeque<SocketAddr>,
    called: Vec<SocketAddr>,
    attempts: JoinSet<Result<Won, Failure>>,
    wrong: Option<(SocketAddr, PublicKey)>,
    speaks_otherwise: bool,
    next_at: Instant,
}

pub(crate) async fn run(shared: &Arc<Shared>, target: &Target, entrants: Entrants) -> Result<Won, DialError> {
    let mut race = Race {
        shared,
        target,
        waiting: VecDeque::new(),
        called: Vec::new(),
        attempts: JoinSet::new(),
        wrong: None,
        speaks_otherwise: false,
        next_at: Instant::now(),
    };
    for (place, address) in target.addresses.iter().enumerate() {
        race.enter(*address, place == 0);
    }
    race.run(entrants).await
}

impl Race<'_> {
    fn enter(&mut self, address: SocketAddr, is_first: bool) {
        if self.called.contains(&address) || self.called.len() >= ENTRANTS_MAX {
            return;
        }
        self.called.push(address);
        if is_first || self.shared.settings.on_link.is_lan(address.ip()) {
            self.call(address);
        } else {
            self.waiting.push_back(address);
        }
    }

    fn call(&mut self, address: SocketAddr) {
        self.attempts.spawn(attempt(Arc::clone(self.shared), self.target.clone(), address));
        self.next_at = Instant::now() + self.shared.settings.limits.dial_step;
    }

    async fn run(mut self, entrants: Entrants) -> Result<Won, DialError> {
        let Entrants { mut entrants, call_back } = entrants;
        // Without a pin nobody could tell who calls.
        let mut called_back = self.target.server.map(|server| self.shared.calls_back.expect(call_back, server));
        let mut is_open = true;
        loop {
            // A failed attempt makes room for the next address at once; a quiet one after a moment.
            if (self.attempts.is_empty() || Instant::now() >= self.next_at)
                && let Some(address) = self.waiting.pop_front()
            {
                self.call(address);
            }
            let next_at = self.next_at;
            tokio::select! {
                finished = self.attempts.join_next(), if !self.attempts.is_empty() => match finished {
                    Some(Ok(Ok(won))) => {
                        self.close_losers();
                        return Ok(won);
                    }
                    Some(Ok(Err(Failure::WrongKey(address, found)))) => self.wrong = Some((address, found)),
                    Some(Ok(Err(Failure::OtherProtocol))) => self.speaks_otherwise = true,
                    _ => self.next_at = Instant::now(),
                },
                won = next_of(&mut called_back), if is_open => {
                    self.close_losers();
                    return Ok(won);
                }
                entrant = entrants.recv(), if is_open => match entrant {
                    Some(Entrant { address, is_anew: true }) => self.call(address),
                    Some(Entrant { address, .. }) => self.enter(address, false),
                    None => is_open = false,
                },
                () = sleep_until(next_at), if !self.waiting.is_empty() => {}
                else => break,
            }
        }
        Err(match self.wrong {
            Some((address, found)) => DialError::WrongServerKey { address, found },
            None if self.speaks_otherwise => DialError::Refused(Refusal::Version { speaks: None }),
            None if self.called.is_empty() => DialError::NoAddress,
            None => DialError::NoAnswer { tried: self.called.len() },
        })
    }

    fn close_losers(&mut self) {
        while let Some(lost) = self.attempts.try_join_next() {
            if let Ok(Ok((connection, _))) = lost {
                connection.close(CloseCode::LostRace.number(), b"");
            }
        }
    }
}

/// Waits for ever where nobody can call.
async fn next_of(called_back: &mut Option<mpsc::Receiver<Won>>) -> Won {
    match called_back {
        Some(called_back) => match called_back.recv().await {
            Some(won) => won,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// One address.
async fn attempt(shared: Arc<Shared>, target: Target, address: SocketAddr) -> Result<Won, Failure> {
    let (config, seen) = tls::client_config(&shared.key, target.server, target.knock, &shared.tokens, &shared.shape);
    let name = tls::server_name(target.server.as_ref());
    let connecting = shared.quinn.connect_with(config, address, &name).map_err(|_| Failure::Silent)?;
    match timeout(shared.settings.limits.dial, connecting).await {
        Ok(Ok(connection)) => {
            let key = tls::peer_key(&connection).ok_or(Failure::Silent)?;
            Ok((connection, key))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "an address answered, but not well");
            Err(match seen.wrong() {
                Some(key) => Failure::WrongKey(address, key),
                None if tls::is_other_protocol(&error) => Failure::OtherProtocol,
                None => Failure::Silent,
            })
        }
        Err(_) => Err(Failure::Silent),
    }
}
