//! What is said between a computer and a switchboard: frames of one kind each, at most a kilobyte.

use crate::{FrameError, FrameReceiver, FrameSender};
use hmac::{Hmac, Mac};
use identity::{PublicKey, ServiceId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use std::{net::SocketAddr, time::Duration};

/// Under what a server registers and is asked for: HMAC-SHA256(service ID, "rendezvous 1"). Who doesn't know the service
/// ID can't ask.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Topic([u8; 32]);

/// More topics a server can't have: its service ID and those it replaced lately.
pub const TOPICS_MAX: usize = 4;
/// How often a switchboard sends somebody a packet to a port of theirs ([`Request::CallMe`]).
pub const CALL_ME_EVERY: Duration = Duration::from_secs(5);
/// Every sealed text has this length, whatever it says.
pub const SEALED_LEN: usize = 512;

/// What computers ask a switchboard.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Request {
    /// Put those through to me who ask for my key and one of these topics; none: only say where you see me.
    Register {
        /// At most [`TOPICS_MAX`]; they replace those of before.
        topics: Vec<Topic>,
    },
    /// Send a packet with this token to my address and this port, from where I never sent one. At most one in
    /// [`CALL_ME_EVERY`].
    CallMe {
        /// The port.
        port: u16,
        /// What the packet has to carry.
        token: [u8; 16],
    },
    /// What a server says to a computer that it was told of.
    Answer {
        /// Which.
        call: u64,
        /// For the client's eyes.
        sealed: Vec<u8>,
    },
    /// Put me through to this server.
    Dial {
        /// Its key.
        server: [u8; 32],
        /// One of its topics.
        topic: Topic,
        /// For the server's eyes.
        sealed: Vec<u8>,
    },
}

/// What a switchboard says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Reply {
    /// Where it sees you. Comes after [`Request::Register`] and whenever it changes.
    Seen {
        /// Your address.
        address: SocketAddr,
        /// A second port of the switchboard that says the same; another address there means a router that gives each
        /// destination another one (symmetric NAT).
        probe_port: Option<u16>,
    },
    /// Somebody asks for you.
    Peer {
        /// To answer by.
        call: u64,
        /// Where it sees them.
        address: SocketAddr,
        /// From them.
        sealed: Vec<u8>,
    },
    /// The server you asked for is seen here, and is told of you in this moment.
    At {
        /// Its address.
        address: SocketAddr,
    },
    /// What it says.
    Answer {
        /// From the server.
        sealed: Vec<u8>,
    },
    /// The server you asked for has no line to this switchboard.
    Offline,
    /// You ask too often, or there is no more room.
    Busy,
}

/// A frame of one kind carries every message; the first byte inside says which it is.
pub(super) const KIND: u8 = 1;
const FRAME_MAX: usize = 1024;

pub(super) fn caps(kind: u8) -> Option<usize> {
    (kind == KIND).then_some(FRAME_MAX)
}

/// Sends one message.
pub(super) async fn say(sender: &mut FrameSender, message: &impl Serialize) -> Result<(), FrameError> {
    let bytes = postcard::to_stdvec(message).expect("messages hold nothing that postcard can't write");
    sender.send(KIND, bytes).await
}

/// The next message; `None` at the end.
pub(super) async fn hear<T: DeserializeOwned>(receiver: &mut FrameReceiver) -> Result<Option<T>, FrameError> {
    let Some(frame) = receiver.next().await? else { return Ok(None) };
    decode(&frame.payload).map(Some)
}

/// A message, with nothing behind it.
pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    let (message, rest) = postcard::take_from_bytes(payload).map_err(|_| FrameError::Truncated)?;
    if rest.is_empty() { Ok(message) } else { Err(FrameError::Truncated) }
}

impl Topic {
    /// The topic of a service.
    #[must_use]
    pub fn of(service_id: &ServiceId) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(service_id.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(b"rendezvous 1");
        Self(mac.finalize().into_bytes().into())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Request {
    /// Whether nothing in it is longer than it may be.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        match self {
            Self::Register { topics } => topics.len() <= TOPICS_MAX,
            Self::CallMe { port, .. } => *port >= 1024,
            Self::Answer { sealed, .. } => sealed.len() == SEALED_LEN,
            Self::Dial { server, sealed, .. } => sealed.len() == SEALED_LEN && PublicKey::from_bytes(server).is_ok(),
        }
    }
}
