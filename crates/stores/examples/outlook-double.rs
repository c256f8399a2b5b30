//! The stand-in for Outlook as a COM server of its own, for tests under Wine (or on a Windows without Outlook).
//!
//! It registers nothing; `tests/outlook_com.rs` does, and starts it. It ends with its standard input.
#![allow(unsafe_code, clippy::unwrap_used, missing_docs, dead_code)]

#[cfg(windows)]
#[path = "../tests/outlook/model.rs"]
mod model;
#[cfg(windows)]
#[path = "../tests/outlook/msg.rs"]
mod msg;

#[cfg(windows)]
#[path = "../tests/outlook/server.rs"]
mod server;

#[cfg(windows)]
fn main() {
    server::run().unwrap();
}

#[cfg(not(windows))]
fn main() {
    eprintln!("There is no COM here.");
}
