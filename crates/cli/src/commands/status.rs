//! How things stand, pausing, the Internet switch, and the connection check.

use super::{advice, exit_of, now_secs};
use crate::{
    args::{Internet, Pause},
    door::{Door, ask, ask_connected, ask_running},
    output::Answer,
    words::{Words, printable, say},
};
use app::{
    api::types::{Check, InternetRequest, Nothing, Options, PauseRequest, RoleView, SetOptions, Status, Word},
    message::{Code, Exit, Result},
    node::{Use, check_from_outside},
    profile::Profile,
};
use serde_json::json;

pub(crate) async fn status(profile: &Profile, words: Words) -> Result<Answer> {
    let door = Door::find(profile, Use::Ask).await?;
    let is_running = matches!(door, Door::Running(_));
    let status = door.call("status", Nothing {}).await;
    door.close().await;
    Ok(answer(&status?, is_running, words))
}

pub(crate) async fn pause(args: &Pause, profile: &Profile, words: Words) -> Result<Answer> {
    let request = PauseRequest { minutes: args.how_long.map(|pause| pause.minutes) };
    let status: Status = ask_running(profile, "pause", request).await?;
    Ok(Answer::new(json!(status), line(&status, words)))
}

pub(crate) async fn resume(profile: &Profile, words: Words) -> Result<Answer> {
    let status: Status = ask_running(profile, "resume", Nothing {}).await?;
    Ok(Answer::new(json!(status), line(&status, words)))
}

pub(crate) async fn internet(args: &Internet, profile: &Profile, words: Words) -> Result<Answer> {
    let request = InternetRequest { on: args.switch.is_on() };
    let status: Status = ask(profile, Use::Ask, "set_internet", request).await?;
    let text = if status.internet { say!(words, "internet-on") } else { say!(words, "internet-off") };
    Ok(Answer::new(json!(status), text))
}

pub(crate) async fn peer_names(args: &Internet, profile: &Profile, words: Words) -> Result<Answer> {
    let request = SetOptions { peer_names: Some(args.switch.is_on()), ..SetOptions::default() };
    let options: Options = ask(profile, Use::Ask, "set_options", request).await?;
    let text = if args.switch.is_on() { say!(words, "peer-names-on") } else { say!(words, "peer-names-off") };
    Ok(Answer::new(json!({"peerNames": options.peer_names}), text))
}

pub(crate) async fn doctor(profile: &Profile, words: Words) -> Result<Answer> {
    let checks: Vec<Check> = match ask_connected(profile, "doctor", Nothing {}).await {
        // Nothing is set up yet: what a server here would meet.
        Err(problem) if problem.code == Code::NotSetUp => check_from_outside(None, words.language, &|_| ()).await?,
        answer => answer?,
    };
    let mut text = String::new();
    for check in &checks {
        let mark = match check.result.as_str() {
            "ok" => "✔",
            "problem" => "✖",
            "cannotTell" => "?",
            _ => "○",
        };
        let step = say!(words, "one-of-checks", id = &check.id);
        text.push_str(&format!("{mark} {step}\n"));
        if let Some(problem) = &check.problem {
            text.push_str(&advice(problem));
        }
    }
    let met = checks.iter().filter(|check| check.result == "problem").find_map(|check| check.problem.as_ref());
    Ok(Answer::new(json!({"checks": checks}), text).ending(met.map_or(Exit::Ok, exit_of)))
}

fn answer(status: &Status, is_running: bool, words: Words) -> Answer {
    let mut text = match status.role {
        RoleView::Server => say!(words, "status-server", name = &status.name),
        RoleView::Client => say!(words, "status-client", name = &status.name, server = &status.server_name),
    };
    text.push('\n');
    text.push_str(&match (status.word, status.role) {
        // Who only answers knows what waits for a decision, and nothing of the other computer.
        (Word::NeedsDecision | Word::Problem | Word::Paused, _) => line(status, words),
        (_, RoleView::Client) if !is_running => say!(words, "word-not-running"),
        (_, RoleView::Server) if !is_running => say!(words, "word-not-serving"),
        _ => line(status, words),
    });
    text.push('\n');
    for address in status.addresses.iter().filter(|_| status.role == RoleView::Server) {
        text.push_str(&say!(words, "status-address", address = address));
        text.push('\n');
    }
    let internet = if status.internet { say!(words, "internet-on") } else { say!(words, "internet-off") };
    text.push_str(&format!("{internet}\n{}\n", say!(words, "status-fingerprint", fingerprint = &status.fingerprint)));
    text.push_str(&waiting(status, words));
    if let Some(problem) = &status.problem {
        text.push_str(&format!("{}  [{}]\n", printable(&problem.message), problem.code));
    }
    let exit = match status {
        Status { held: 1.., .. } => Exit::Held,
        Status { conflicts: 1.., .. } => Exit::Conflicts,
        Status { problem: Some(problem), .. } => exit_of(problem),
        _ => Exit::Ok,
    };
    let mut json = json!(status);
    json["isRunning"] = is_running.into();
    Answer::new(json, text).ending(exit)
}

/// What waits for a person, a line each.
pub(super) fn waiting(status: &Status, words: Words) -> String {
    let mut text = String::new();
    let says_itself = status.problem.as_ref().is_some_and(|problem| problem.code == Code::ConflictsWait.as_str());
    if status.conflicts > 0 && !says_itself {
        text.push_str(&say!(words, "status-conflicts", n = status.conflicts));
        text.push('\n');
    }
    if status.held > 0 {
        text.push_str(&say!(words, "status-held", n = status.held));
        text.push('\n');
    }
    text
}

/// The one line that says how things stand.
pub(super) fn line(status: &Status, words: Words) -> String {
    match status.word {
        Word::UpToDate => say!(words, "word-up-to-date"),
        Word::Synchronizing if status.is_reading => say!(words, "progress-reading"),
        Word::Synchronizing => say!(words, "word-synchronizing", pending = status.pending),
        Word::Paused => match status.paused_until {
            Some(until @ 1..) => {
                let left = words.duration(until.saturating_sub(now_secs()).max(1));
                say!(words, "word-paused-for", time = left)
            }
            _ => say!(words, "word-paused"),
        },
        Word::Waiting => match status.role {
            RoleView::Server => say!(words, "word-waiting-for-clients"),
            RoleView::Client => say!(words, "word-waiting", server = &status.server_name),
        },
        Word::Offline => say!(words, "word-offline"),
        Word::NeedsDecision => say!(words, "word-needs-decision"),
        Word::Problem => say!(words, "word-problem"),
    }
}
