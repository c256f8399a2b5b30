//! The client's side of a new connection, from the first address to the first answer.

use crate::{
    CloseCode, Closed, Control, Credentials, Enrolment, Entrants, FrameError, FrameReceiver, FrameSender, Joined,
    KnockKey, Link, PairError, Refusal,
    endpoint::Shared,
    link::canonical,
    opening::{self, Wish, kind},
    pairing, race,
};
use bytes::Bytes;
use identity::PublicKey;
use std::{net::SocketAddr, sync::Arc};
use tokio::time::timeout;

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

/// A connection to the right server on which nothing was said yet. The server waits for ten seconds.
#[derive(Debug)]
pub struct Connected(Pairing);

pub(crate) async fn connect(shared: &Arc<Shared>, target: &Target, entrants: Entrants) -> Result<Connected, DialError> {
    let (connection, server) = race::run(shared, target, entrants).await?;
    let (sender, receiver) = connection.open_bi().await.map_err(Closed::from)?;
    let receiver = FrameReceiver::new(receiver, opening::caps, &shared.settings.limits);
    let control = Control { sender: FrameSender::new(sender), receiver };
    Ok(Connected(Pairing { shared: Arc::clone(shared), connection, control, server }))
}

impl Connected {
    /// Where the server is.
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        self.0.remote_address()
    }

    /// Asks for a session as a paired device. `hello` has at most [`HELLO_MAX`](crate::HELLO_MAX) bytes.
    pub async fn join(self, hello: impl Into<Bytes>) -> Result<Answer, DialError> {
        self.0.ask(Wish::Session { hello: hello.into() }).await
    }

    /// Asks to be added.
    pub async fn ask_to_pair(self) -> Result<Answer, DialError> {
        self.0.ask(Wish::Pairing).await
    }

    /// Another connection is as good.
    pub fn give_up(self) {
        self.0.connection.close(CloseCode::LostRace.number(), b"");
    }
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

    /// Whether the server is in a network this computer is in: then its local door counts the tries.
    #[must_use]
    pub fn is_lan(&self) -> bool {
        self.shared.settings.on_link.is_lan(self.remote_address().ip())
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
        self.control.sender.send(kind::OPENING, opening::encode(&wish, self.shared.settings.protocol)).await?;
        let limits = &self.shared.settings.limits;
        let answer = timeout(limits.authentication, self.control.receiver.next()).await;
        let answer = answer.map_err(|_| FrameError::TooSlow)??.ok_or(FrameError::Truncated)?;
        match answer.kind {
            kind::WELCOME => {
                let link = Link::new(self.connection, self.server, self.shared.settings.clone(), None);
                link.adopt(&mut self.control);
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

    /// Where the server is.
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        self.call.remote_address()
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
