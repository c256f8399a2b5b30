//! The local control channel: how commands and windows speak to the one running instance of a profile.
//!
//! The instance that holds the profile's lock listens on a Unix socket, or on Windows on a named pipe, and writes the
//! address into the profile. Whoever can read the profile can speak to it, and nobody else: the socket and its folder
//! are the owner's alone and the caller's user is checked; a pipe has a random name that only the profile tells, made
//! before anyone could know it.
//!
//! Both sides write JSON, one object a line, at most [`LINE_BYTES_MAX`] long:
//!
//! ```text
//! caller  {"id":1,"command":"status","request":{}}
//! running {"id":1,"ok":{…}}                        or {"id":1,"problem":{"code":"C08","facts":{…}}}
//! caller  {"id":2,"command":"subscribe","request":null}
//! running {"id":2,"ok":null}, then {"event":{…}} for each event, {"missed":7} where the caller was too slow
//! ```
//!
//! Answers come in the order in which they are ready. A caller that goes away takes nothing with it: what it asked for is
//! carried out.

mod client;
mod endpoint;
mod line;
mod server;

pub use client::{ControlClient, Event};
pub use server::ControlServer;

use crate::message::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io;

/// Longer lines end the connection.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Why the channel can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("the control channel can't be opened: {0}")]
pub struct ControlError(#[from] io::Error);

/// The command that turns a connection into a source of events as well.
const SUBSCRIBE: &str = "subscribe";

#[derive(Debug, Serialize, Deserialize)]
struct Request {
    id: u64,
    command: String,
    #[serde(default)]
    request: Value,
}

/// What the running instance writes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Frame {
    Ok { id: u64, ok: Value },
    Problem { id: u64, problem: Problem },
    Event { event: Value },
    Missed { missed: u64 },
}

impl Frame {
    fn answer(id: u64, outcome: Result<Value, Problem>) -> Self {
        match outcome {
            Ok(ok) => Self::Ok { id, ok },
            Err(problem) => Self::Problem { id, problem },
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
