//! How computers agree: a pure engine and the wire protocol.
//!
//! The **hub** on the server keeps one log of current rows, numbered in one order. Every computer with a store, the
//! server's own included, is a **replica**: it compares what it and the hub last agreed on (base), what its store holds
//! (local) and what the hub says (remote), makes a plan, and carries it out in steps that can be cut anywhere.
//!
//! The engine is told; it does not look. Time, chance and items arrive as arguments, contents are named by their hash
//! and moved by whoever runs the engine, and everything to be remembered goes through [`index::HubIndex`] and
//! [`index::ReplicaIndex`].

#[cfg(any(test, feature = "contract"))]
#[allow(clippy::unwrap_used, reason = "only tests run it")]
pub mod contract;
pub mod guard;
pub mod hub;
pub mod identify;
pub mod index;
pub mod memory;
pub mod model;
pub mod observe;
pub mod pairing;
pub mod plan;
pub mod replica;
pub mod wire;
