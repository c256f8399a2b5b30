//! Who is who: keys, and the texts and files by which people hand a server's identity to each other.
//!
//! A server **is** its ed25519 key ([`IdentityKey`], [`PublicKey`]); a client is its device key. Both prove themselves
//! in TLS by their raw public keys. What else a client needs to find a server is its [`ServiceId`], and both travel
//! together: in an [`Invitation`] (a signed file, or the same as a `tandem:` link), or behind a [`ServerId`] of 16
//! characters that commits to them. None of these ever holds the password.
//!
//! Nothing here reads a file, a clock or the network; chance is drawn only by constructors named `generate`.

mod fingerprint;
pub use fingerprint::Fingerprint;

mod ids;
pub use ids::{DeviceId, Salt, ServiceId, Token};

mod invitation;
pub use invitation::{
    Directory, Hint, HostPort, Invitation, InvitationError, MakeError, Rendezvous, Ticket, TicketState, Timestamp,
};

mod key;
pub use key::{BadKey, BadSignature, IdentityKey, PublicKey, Signature, Statement};

mod key_change;
pub use key_change::{KeyChange, KeyChangeError};

mod paste;
pub use paste::{Pasted, find_in_text};

mod record;
pub use record::{RecordError, ServerRecord};

mod secret;
pub use secret::Secret;

mod server_id;
pub use server_id::{RecordKeys, ServerId, ServerIdError};

mod text;
pub use text::{Comment, ServerName, TextError};
