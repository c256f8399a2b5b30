//! The Outlook connector keeps the contract, on a stand-in for Outlook in this process.
#![allow(clippy::unwrap_used)]

mod outlook;
use outlook::{local::Local, model::Manner};

mod data_file {
    use super::*;
    stores::conformance_tests!(Local::new(Manner::default()).subject());
}

/// No change key, and an item that moves is called another way.
mod odd_server {
    use super::*;
    stores::conformance_tests!(Local::new(Manner { has_change_key: false, moves_rename: true }).subject());
}
