//! `tandem-directory`: the small web service that leads from a server ID to a published server.
//!
//! Anybody can run one, and nobody has to trust it: the server ID commits to the key that signed the record, so a directory
//! can hide a record and never change one (see `DESIGN.md` of the crate `directory`, which holds requests, answers and the
//! client). It stores exactly name, ID, comment, public key and service ID of a server, with salt, signature, sequence number
//! and expiry; it keeps no log of who asked.
//!
//! [`Config`] is what can be set, [`Server`] the running thing; [`storage::Storage`] has one implementation for SQLite and one
//! for PostgreSQL, behind which several instances share the work.

pub mod config;
pub use config::Config;

pub mod storage;

mod server;
pub use server::{Addresses, Server, StartError};

mod tls;
pub use tls::TlsError;

mod challenge;
pub use challenge::UsedChallenge;

mod limits;
mod metrics;
mod rendezvous;
mod room;
mod routes;
mod service;
