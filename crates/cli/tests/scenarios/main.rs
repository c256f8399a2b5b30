//! `tandem` as people and scripts use it: the real program, real folders, real links on the loopback network.

// The helpers of a story unwrap like the story itself.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod computer;
mod deciding;
mod directory;
mod everyday;
#[cfg(target_os = "linux")]
mod evolution;
mod joining;
#[cfg(target_os = "linux")]
mod neighbours;
mod pages;
mod privacy;
mod publishing;
#[cfg(target_os = "linux")]
#[path = "../../../stores/tests/eds/session.rs"]
#[allow(dead_code)]
mod session;
mod several;
mod start;
#[cfg(target_os = "linux")]
mod unlike;
#[cfg(target_os = "linux")]
mod windows;
