//! Whole computers over real QUIC, on the happy path and off it.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

#[path = "../common/mod.rs"]
mod common;

mod bad_line;
mod clients;
mod conflicts;
mod devices;
mod finding;
mod folders;
mod guard;
mod hostile;
mod large;
mod lost_index;
mod messages;
mod store_faults;
mod two_computers;
mod undo;
#[cfg(target_os = "linux")]
mod unlike_stores;
mod versions;
