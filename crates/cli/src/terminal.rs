//! Asking a person, and being interrupted by one.

use app::message::{Code, Problem, Result};
use std::io::{self, Write as _};

/// Waits for something a person does, without holding up anything else.
pub(crate) async fn waiting<T: Send + 'static>(ask: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(ask).await.unwrap_or_else(|error| Err(Problem::new(Code::Unexpected).because(error)))
}

/// Asks and gives back the answer without spaces around it. The end of the input is an empty answer.
pub(crate) async fn ask(question: String) -> Result<String> {
    waiting(move || {
        let mut answer = String::new();
        let read = write!(io::stderr().lock(), "{question} ").and_then(|()| io::stdin().read_line(&mut answer));
        read.map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        Ok(answer.trim().to_owned())
    })
    .await
}

/// Asks for a yes. Anything else is a no. `yes` are the letters a yes begins with in the language of the question.
pub(crate) async fn ask_yes(question: String, yes: &str) -> Result<bool> {
    let answer = ask(question).await?;
    Ok(answer.to_lowercase().starts_with(|first| yes.contains(first)))
}

/// Resolves when a person (Ctrl-C) or the system (SIGTERM) wants the program to end.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// How the terminal was set when the program began. A password prompt hides what is typed; whoever interrupts it would
/// type blindly ever after.
#[derive(Debug)]
pub(crate) struct Modes {
    #[cfg(unix)]
    modes: Option<rustix::termios::Termios>,
}

impl Modes {
    pub(crate) fn remember() -> Self {
        Self {
            #[cfg(unix)]
            modes: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    pub(crate) fn restore(&self) {
        #[cfg(unix)]
        if let Some(modes) = &self.modes {
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, modes);
        }
    }
}
