//! A directory leads from a server ID to a published server: what is sent to it, what it answers, and the client.
//!
//! A directory is a small web service that anybody can run. It is trusted with nothing but being there: the server ID
//! commits to the server's key, and that key signs the record ([`identity::ServerRecord`], the same bytes that are
//! published in the DHT), so a directory can hide a record and never change one.
//!
//! Publishing, refreshing and revoking are signed over a fresh challenge of that directory ([`ChangeRequest`]). So an
//! old "publish" can't be sent again after a revoke, nor to another directory, and nothing has to be remembered about
//! what was deleted. Looking up is a POST: an ID in an address would stay in the logs of proxies.

mod api;
pub use api::{
    BadRequest, Challenge, ChangeRequest, Info, LookupAnswer, LookupRequest, Operation, Published, Refusal,
    RefusalReason, Rendezvous,
};

mod client;
pub use client::Client;

mod error;
pub use error::DirectoryError;

mod url;
pub use url::{DirectoryUrl, UrlError};

/// The longest answer that a client reads, and the longest request that a directory has to read, in bytes.
pub const BODY_BYTES_MAX: usize = 4096;
