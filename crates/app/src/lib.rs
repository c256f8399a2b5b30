//! The whole application without a window.
//!
//! A computer's part in Tandem lives in a [`profile`] folder that one instance at a time has locked. It holds the
//! [`settings`], what is secret lies with the [`secrets`], and the records of every item are in the index. Commands and
//! windows speak to the running instance through [`control`], which hands them to the one typed list in [`api`]. Whatever
//! stands in the way is a [`message::Problem`]: a code with facts, made into words only where a person reads it.

pub mod api;
pub mod blobs;
pub mod control;
pub mod engine;
pub mod finding;
mod firewall;
pub mod history;
pub mod host;
pub mod index;
pub mod invitation;
pub mod lan;
pub mod language;
mod located;
pub mod log;
mod managed;
mod memory;
pub mod message;
mod metered;
pub mod node;
pub mod password;
pub mod places;
mod private_file;
pub mod profile;
mod program;
pub mod samples;
pub mod secrets;
pub mod selftest;
pub mod settings;
