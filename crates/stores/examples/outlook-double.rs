//! The stand-in for Outlook as a COM server of its own, for tests under Wine (or on a Windows without Outlook).
//!
//! It registers nothing; who starts it does. It obeys its standard input a line at a time (`tests/outlook/desk.rs`) and ends
//! with it.
#![allow(clippy::unwrap_used, missing_docs)]

#[cfg(windows)]
#[path = "../tests/outlook/mod.rs"]
mod outlook;

#[cfg(windows)]
fn main() {
    outlook::server::run().unwrap();
}

#[cfg(not(windows))]
fn main() {
    eprintln!("There is no COM here.");
}
