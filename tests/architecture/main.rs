//! Rules about the project itself that no compiler checks: who may use whom, what the engine may not touch, which
//! versions of foreign crates are too old.
//!
//! A rule that fails here names the file to change. Where it is written down for people, the test reads that page
//! rather than a copy of it.

#![allow(clippy::unwrap_used)]

mod dependencies;
mod edges;
mod engine;
mod manifests;
mod page;
mod promises;
mod workspace;
