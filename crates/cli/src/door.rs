//! To whom a command speaks: the running instance of the profile, or one of its own that only answers.

use crate::{
    output::Output,
    progress,
    words::{Words, say},
};
use app::{
    api::types::{Nothing, Status},
    control::ControlClient,
    message::{Code, Problem, Result},
    node::{Node, OpenOptions, Use},
    profile::Profile,
    settings::Settings,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;

/// The instance that answers.
pub(crate) enum Door {
    /// `serve`, `run` or the window has the profile.
    Running(ControlClient),
    /// Nobody had it; it is ours until [`close`](Self::close).
    Own(Node),
}

impl Door {
    /// Finds the running instance, else opens the profile for `use_as`.
    pub(crate) async fn find(profile: &Profile, use_as: Use) -> Result<Self> {
        if let Some(running) = ControlClient::connect(profile).await? {
            return Ok(Self::Running(running));
        }
        Ok(Self::Own(Node::open(profile, use_as, OpenOptions::default()).await?))
    }

    /// Asks for something by the command list of [`app::api`].
    pub(crate) async fn call<A: DeserializeOwned>(&self, command: &str, request: impl Serialize) -> Result<A> {
        let unexpected = |error: serde_json::Error| Problem::new(Code::Unexpected).because(error);
        let request = serde_json::to_value(request).map_err(unexpected)?;
        let answer: Value = match self {
            Self::Running(running) => running.call(command, request).await?,
            Self::Own(node) => node.call(command, request).await?,
        };
        serde_json::from_value(answer).map_err(unexpected)
    }

    /// Waits until the link to the server stands, or it is known what stands in the way. The running instance knows
    /// already; one of our own has only begun to call.
    async fn settle(&self) {
        if let Self::Own(node) = self {
            tokio::time::timeout(SETTLING_MAX, node.called()).await.ok();
        }
    }

    /// Puts the profile down again, if we took it up.
    pub(crate) async fn close(self) {
        if let Self::Own(node) = self {
            node.shut_down().await;
        }
    }
}

/// Calls take this long at most before they are known to reach nobody.
const SETTLING_MAX: Duration = Duration::from_secs(15);
/// A running instance gets this long to carry out a decision before it is said to be under way.
const DECISION_WAIT: Duration = Duration::from_secs(5);

/// Asks once.
pub(crate) async fn ask<A: DeserializeOwned>(
    profile: &Profile,
    use_as: Use,
    command: &str,
    request: impl Serialize,
) -> Result<A> {
    let door = Door::find(profile, use_as).await?;
    let answer = door.call(command, request).await;
    door.close().await;
    answer
}

/// Asks once for something that the server may have to be asked for.
pub(crate) async fn ask_connected<A: DeserializeOwned>(
    profile: &Profile,
    command: &str,
    request: impl Serialize,
) -> Result<A> {
    let door = Door::find(profile, Use::Once).await?;
    let answer = async {
        door.settle().await;
        door.call(command, request).await
    }
    .await;
    door.close().await;
    answer
}

/// What became of a decision.
pub(crate) struct Decided<A> {
    /// What was answered.
    pub(crate) answer: A,
    /// It is carried out here and on the other side. Else it is remembered, and done at the next synchronization.
    pub(crate) is_done: bool,
}

impl<A> Decided<A> {
    /// The words for what was decided, and if something is left to do, those that say so.
    pub(crate) fn said(&self, words: Words, text: String) -> String {
        if self.is_done { text } else { format!("{text}\n{}", say!(words, "decided-later")) }
    }
}

/// Decides something and sees to it that it is carried out now as far as it can be.
pub(crate) async fn decide<A: DeserializeOwned>(
    profile: &Profile,
    output: Output,
    command: &str,
    request: impl Serialize,
) -> Result<Decided<A>> {
    let door = Door::find(profile, Use::Once).await?;
    let work = async {
        door.settle().await;
        let answer = door.call(command, request).await?;
        let quiet = async {
            match &door {
                Door::Own(_) => door.call("wait_quiet", Nothing {}).await,
                // Somebody else sees to it; a large one may take its time.
                Door::Running(_) => {
                    let late = |_| Problem::new(Code::ServerSilent);
                    let waiting = door.call("wait_quiet", Nothing {});
                    tokio::time::timeout(DECISION_WAIT, waiting).await.map_err(late)?
                }
            }
        };
        let quiet: Result<Status> = quiet.await;
        if let Err(problem) = &quiet {
            tracing::info!(code = problem.code.as_str(), "a decision is carried out later");
        }
        // A server on its own has done its part, and its clients haven't heard of it.
        Ok(Decided { answer, is_done: quiet.is_ok_and(|status| status.is_connected) })
    };
    let answer = progress::watch(output, &door, work).await;
    door.close().await;
    answer
}

/// Asks the running instance; without one there is nothing to ask about.
pub(crate) async fn ask_running<A: DeserializeOwned>(
    profile: &Profile,
    command: &str,
    request: impl Serialize,
) -> Result<A> {
    match ControlClient::connect(profile).await? {
        Some(running) => Door::Running(running).call(command, request).await,
        // A profile that isn't set up is the better thing to say.
        None => match Settings::load(&profile.settings_file())?.role {
            Some(_) => Err(Problem::new(Code::NotRunning).with("folder", profile.folder())),
            None => Err(Problem::new(Code::NotSetUp)),
        },
    }
}
