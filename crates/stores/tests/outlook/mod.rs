//! A stand-in for Outlook.
#![allow(clippy::unwrap_used, dead_code)]

pub(crate) mod desk;
pub(crate) mod local;
pub(crate) mod model;
pub(crate) mod msg;
pub(crate) mod person;
pub(crate) mod program;
#[cfg(windows)]
pub(crate) mod server;
