//! The rendezvous: a switchboard with a fixed place that helps two computers behind routers to call each other.
//!
//! A **server** keeps a line to it ([`Endpoint::register`](crate::Endpoint::register)) and is told the address it is seen
//! at. A **client** that looks for it ([`Endpoint::put_through`](crate::Endpoint::put_through)) names the server's key and
//! a [`Topic`] made from the service ID. The switchboard tells each the other's observed address in the same moment, and
//! both send towards each other, so that both routers and both firewalls take the other's packets for answers.
//!
//! ```text
//! S→R  Register {topics}                       R→S  Seen {S's address}
//! C→R  Dial {server key, topic, sealed}        R→S  Peer {call, C's address, sealed}    R→C  At {S's address}
//! S→R  Answer {call, sealed}                   R→C  Answer {sealed}
//! ```
//!
//! What is *sealed* only holders of the service ID can read or make: the client's addresses in its own network, the knock
//! for a call back, and in answer the server's candidates, its relay among them. So the switchboard learns who talks to
//! whom from where, and nothing else; it stores nothing. It speaks QUIC with raw public keys under an ALPN of its own, on
//! the same UDP sockets as everything else; a client calls it with a key made for this one call.

mod call;
mod message;
mod registration;
mod sealed;
mod switchboard;

pub use call::{Call, NotPutThrough};
pub(crate) use message::decode;
pub use message::{CALL_ME_EVERY, Reply, Request, SEALED_LEN, TOPICS_MAX, Topic};
pub use registration::{Observed, Registration, Translation};
pub(crate) use sealed::{ToClient, ToServer};
pub(crate) use switchboard::{IDLE, KEEP_ALIVE};
pub use switchboard::{Switchboard, Visitor, VisitorReceiver, VisitorSender, call_packet};

/// Spoken between a computer and a switchboard.
pub(crate) const ALPN: &[u8] = b"tandem-rdv/1";
