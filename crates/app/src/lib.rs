//! Tandem: app.

pub mod api;
pub mod control;
pub mod language;
pub mod message;
pub mod password;
mod private_file;
pub mod profile;
pub mod secrets;
pub mod settings;
