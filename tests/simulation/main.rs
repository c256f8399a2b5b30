//! Stories of two and three computers, told to the real engine. A story that fails prints its seed.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

mod random;
mod stories;
