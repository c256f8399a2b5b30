//! Asking a program of the system, which may be missing or stand still.

use std::{
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Asking a service of the own computer takes no longer, or it isn't there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a program says. `None`: it isn't there, or doesn't come to an end in time.
pub(crate) async fn run(program: &str, arguments: &[&str], patience: Duration) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    timeout(patience, command.output()).await.ok()?.ok()
}
