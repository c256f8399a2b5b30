//! The client's side of a new connection: several addresses race, the first handshake with the right key wins.

use crate::{
    CloseCode, Closed, Control, Credentials, Enrolment, FrameError, FrameReceiver, FrameSender, Joined, KnockKey, Link,
    PairError, Refusal,
    endpoint::Shared,
    link::canonical,
    opening::{self, Wish, kind},
    pairing, tls,
};
use bytes::Bytes;
use identity::PublicKey;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

/// Whom to call.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where the server may be, the likeliest first.
    pub addresses: Vec<SocketAddr>,
    /// Who it must be; `None` only for a first pairing with a server known by address alone.
    pub server: Option<PublicKey>,
    /// What opens its port.
    pub knock: KnockKey,
}

/// What a server answered.
#[derive(Debug)]
pub enum Answer {
    /// Come in.
    Joined(Joined),
    /// It doesn't know this computer.
    PairingNeeded(Pairing),
}

/// Why there is no connection.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DialError {
    /// There was no address to try.
    #[error("no address to try")]
    NoAddress,
    /// None of the addresses answered.
    #[error("none of {tried} addresses answered")]
    NoAnswer {
        /// How many were tried.
        tried: usize,
    },
    /// Somebody else answered. Nothing was sent.
    #[error("the server at {address} has another key than expected")]
    WrongServerKey {
        /// Where.
        address: SocketAddr,
        /// The key that answered.
        found: PublicKey,
    },
    /// The right server answered and won't talk now.
    #[error(transparent)]
    Refused(Refusal),
    /// It answered, and then the connection failed.
    #[error(transparent)]
    Frame(FrameError),
}

impl From<FrameError> for DialError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Closed(Closed::Refused(refusal)) => Self::Refused(refusal),
            error => Self::Frame(error),
        }
    }
}

impl From<Closed> for DialError {
    fn from(closed: Closed) -> Self {
        FrameError::from(closed).into()
    }
}

/// A connection on which this computer can be added.
#[derive(Debug)]
pub struct Pairing {
    shared: Arc<Shared>,
    connection: quinn::Connection,
    control: Control,
    server: PublicKey,
}

/// This computer has just been added; the connection waits for the application's hello.
#[derive(Debug)]
pub struct Paired {
    call: Pairing,
    enrolment: Enrolment,
}

pub(crate) async fn dial(shared: &Arc<Shared>, target: &Target, wish: Wish) -> Result<Answer, DialError> {
    let (connection, server) = race(shared, target).await?;
    let (sender, receiver) = connection.open_bi().await.map_err(Closed::from)?;
    let receiver = FrameReceiver::new(receiver, opening::caps, &shared.settings.limits);
    let control = Control { sender: FrameSender::new(sender), receiver };
    Pairing { shared: Arc::clone(shared), connection, control, server }.ask(wish).await
}

impl Pairing {
    /// The key of the server, proven in TLS; whose it is, the password proves.
    #[must_use]
    pub fn server(&self) -> PublicKey {
        self.server
    }

    /// Where the server is.
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        canonical(self.connection.remote_address())
    }

    /// Tries the password, once. The server counts a try until the password proved right.
    pub async fn pair(mut self, credentials: &Credentials) -> Result<Paired, PairError> {
        let client = self.shared.key.public();
        let (connection, compute) = (self.connection.clone(), self.shared.compute);
        let paired = pairing::pair(&mut self.control, &connection, &self.server, &client, credentials, compute).await;
        match paired {
            Ok(enrolment) => Ok(Paired { call: self, enrolment }),
            Err(error) => {
                connection.close(CloseCode::Done.number(), b"");
                Err(error)
            }
        }
    }

    async fn ask(mut self, wish: Wish) -> Result<Answer, DialError> {
        self.control.sender.send(kind::OPENING, opening::encode(&wish)).await?;
        let limits = &self.shared.settings.limits;
        let answer = timeout(limits.authentication, self.control.receiver.next()).await;
        let answer = answer.map_err(|_| FrameError::TooSlow)??.ok_or(FrameError::Truncated)?;
        match answer.kind {
            kind::WELCOME => {
                self.control.receiver.set_caps(self.shared.settings.caps);
                let link = Link::new(self.connection, self.server, self.shared.settings.clone(), None);
                Ok(Answer::Joined(Joined { link, control: self.control, greeting: answer.payload }))
            }
            kind::PAIRING_NEEDED => Ok(Answer::PairingNeeded(self)),
            kind::REFUSED => {
                self.connection.close(CloseCode::Done.number(), b"");
                Err(DialError::Refused(opening::decode_refusal(&answer.payload)))
            }
            kind => {
                self.connection.close(CloseCode::Protocol.number(), b"");
                Err(FrameError::UnknownKind { kind }.into())
            }
        }
    }
}

impl Paired {
    /// What both sides know now. Store it, with [`server`](Self::server), before going on.
    #[must_use]
    pub const fn enrolment(&self) -> &Enrolment {
        &self.enrolment
    }

    /// The server's key, which the password has proven to be the right one.
    #[must_use]
    pub fn server(&self) -> PublicKey {
        self.call.server
    }

    /// Goes on to an ordinary session on the same connection.
    pub async fn join(self, hello: impl Into<Bytes>) -> Result<Joined, DialError> {
        match self.call.ask(Wish::Session { hello: hello.into() }).await? {
            Answer::Joined(joined) => Ok(joined),
            Answer::PairingNeeded(_) => Err(DialError::Refused(Refusal::NotAdmitted)),
        }
    }
}

async fn race(shared: &Arc<Shared>, target: &Target) -> Result<(quinn::Connection, PublicKey), DialError> {
    let mut waiting = target.addresses.iter().copied();
    let mut attempts = JoinSet::new();
    let (mut tried, mut wrong) = (0, None);
    let mut next_at = Instant::now();
    loop {
        // A failed attempt makes room for the next address at once; a quiet one after a moment.
        if waiting.len() > 0 && (attempts.is_empty() || Instant::now() >= next_at) {
            let address = waiting.next().expect("it has a length");
            attempts.spawn(attempt(Arc::clone(shared), target.clone(), address));
            tried += 1;
            next_at = Instant::now() + shared.settings.limits.dial_step;
        }
        tokio::select! {
            finished = attempts.join_next(), if !attempts.is_empty() => match finished {
                Some(Ok(Ok(won))) => {
                    while let Some(lost) = attempts.try_join_next() {
                        if let Ok(Ok((connection, _))) = lost {
                            connection.close(CloseCode::LostRace.number(), b"");
                        }
                    }
                    return Ok(won);
                }
                Some(Ok(Err(Some(found)))) => wrong = Some(found),
                _ => next_at = Instant::now(),
            },
            () = sleep_until(next_at), if waiting.len() > 0 => {}
            else => break,
        }
    }
    Err(match wrong {
        Some((address, found)) => DialError::WrongServerKey { address, found },
        None if tried == 0 => DialError::NoAddress,
        None => DialError::NoAnswer { tried },
    })
}

type Answered = (quinn::Connection, PublicKey);
type WrongKey = (SocketAddr, PublicKey);

/// One address. Fails with the key that answered if it was the wrong one, else with nothing.
async fn attempt(shared: Arc<Shared>, target: Target, address: SocketAddr) -> Result<Answered, Option<WrongKey>> {
    let (config, seen) = tls::client_config(&shared.key, target.server, target.knock, &shared.tokens, &shared.shape);
    let name = tls::server_name(target.server.as_ref());
    let connecting = shared.quinn.connect_with(config, address, &name).map_err(|_| None)?;
    let connected = timeout(shared.settings.limits.dial, connecting).await;
    match connected {
        Ok(Ok(connection)) => {
            let key = tls::peer_key(&connection).ok_or(None)?;
            Ok((connection, key))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "an address answered, but not well");
            Err(seen.wrong().map(|key| (address, key)))
        }
        Err(_) => Err(None),
    }
}
