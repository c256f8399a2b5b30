//! What the suites share: a world of computers in memory, driven by the real engine.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

pub mod chance;
pub mod computer;
pub mod contents;
pub mod ledger;
pub mod store;
pub mod world;
