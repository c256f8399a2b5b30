//! An authenticated link between two computers that knows nothing of what is sent over it.
//!
//! One UDP socket ([`Endpoint`]) is server and client at once. A server answers only those who [`Knock`]; both sides
//! prove their keys in TLS; a device whose key the server's [`Doorkeeper`] knows comes in at once ([`Arrival`]), any
//! other has to prove the password first ([`Pairing`], [`PairingDesk`]), within [`GuessBudgets`]. What both get is a
//! [`Link`] that carries frames. `DESIGN.md` tells who proves what in which order.

mod budget;
pub use budget::{FAILURES_MAX, Guess, GuessBudgets, Permit, Verdict, WINDOW_SECS};

pub mod candidates;
pub use candidates::{Candidate, Candidates, Source};

mod call_back;

mod close;
pub use close::{CloseCode, Closed, Refusal};

mod dial;
pub use dial::{Answer, Connected, DialError, Paired, Pairing, Target};

mod dht;
pub use dht::{Dht, DhtError, LoopbackDht};

mod endpoint;
pub use endpoint::{Endpoint, EndpointConfig};

#[doc(hidden)]
pub mod foreign;

mod frame;
pub use frame::{Frame, FrameCaps, FrameError, FrameReceiver, FrameSender};

mod gate;

mod knock;
pub use knock::{Knock, KnockKey, KnockScope};

mod lan;
pub use lan::{Announcement, LanBrowser, LanError, LanName, LanServer, NotALanName};

mod limits;
pub use limits::Limits;

mod link;
pub use link::{Control, Cut, Joined, Link, LinkStats};

mod network_watch;
pub use network_watch::{NetworkChange, Wakes, watch_network};

mod mapping;
pub use mapping::{MappedBy, Mapping, MappingState, Pinhole, PortMapper};

mod on_link;
pub use on_link::{Network, OnLink, has_network, is_global, own_address};

mod opening;
pub use opening::{GREETING_MAX, HELLO_MAX, PROTOCOL_VERSION};

mod pace;
pub use pace::Bandwidth;

mod pairing;
pub use pairing::{Credentials, Enrolled, Enrolment, NewDevice, NotEnrolled, PairError, PairingDesk};

mod password;
pub use password::{PasswordError, PasswordRecord};

pub mod peer_name;
pub use peer_name::PeerName;

mod race;
pub use race::{Entrants, Entry};

mod relay;
pub use relay::{Relay, RelayAccount, RelayState};

pub mod rendezvous;

mod saved;
pub use saved::SavedTransport;

pub mod server_record;

mod serve;
pub use serve::{Admission, Arrival, Caller, Doorkeeper, ServerRules};

mod socket;

mod tls;

#[cfg(test)]
mod tests;
