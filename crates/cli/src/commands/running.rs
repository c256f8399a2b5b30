//! Being there for others, staying connected, and one synchronization.

use super::{exit_of, status};
use crate::{
    door::Door,
    output::{Answer, Output},
    progress,
    terminal::interrupted,
    words::{Words, printable, say},
};
use app::{
    api::types::{Event, Nothing, Status, Word},
    message::{Code, Exit, Problem, Result},
    node::{Node, OpenOptions, Use},
    profile::Profile,
};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

pub(crate) async fn serve(profile: &Profile, output: Output) -> Result<Answer> {
    let node = Node::open(profile, Use::Serve, OpenOptions::default()).await?;
    let addresses: Vec<String> = node.listening().iter().map(ToString::to_string).collect();
    output.event_or_line(&json!({"event": "listening", "addresses": addresses}), || {
        say!(output.words, "serving", addresses = addresses.join(", "))
    });
    tell(node, output).await
}

pub(crate) async fn stay_connected(profile: &Profile, output: Output) -> Result<Answer> {
    let node = Node::open(profile, Use::Run, OpenOptions::default()).await?;
    output.event_or_line(&json!({"event": "running"}), || say!(output.words, "staying-connected"));
    tell(node, output).await
}

/// Tells what happens until somebody wants an end or the instance can't go on.
async fn tell(node: Node, output: Output) -> Result<Answer> {
    let mut events = node.events();
    let mut last = String::new();
    // Listened for all the time: a signal that comes between two events would be lost on a new listener.
    let mut interrupted = std::pin::pin!(interrupted());
    let end = loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = node.closed() => break Err(what_stands_in_the_way(&node).await),
            () = &mut interrupted => break Ok(Answer::new(json!({"event": "ended"}), say!(output.words, "ended"))),
        };
        match event {
            Ok(event) if output.json => output.event(&json!(event)),
            Ok(event) => {
                let Some(line) = in_words(&event, output.words) else { continue };
                // The same state comes again and again while items move.
                if line != last {
                    output.line(&line);
                    last = line;
                }
            }
            Err(RecvError::Lagged(missed)) if output.json => output.event(&json!({"event": "missed", "count": missed})),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => break Err(what_stands_in_the_way(&node).await),
        }
    };
    node.shut_down().await;
    end
}

fn in_words(event: &Event, words: Words) -> Option<String> {
    Some(match event {
        // How many are left changes all the time, and would fill the terminal.
        Event::Status { status } if status.word == Word::Synchronizing => say!(words, "synchronizing"),
        Event::Status { status } => status::line(status, words),
        Event::Problem { problem } => format!("{}  [{}]", printable(&problem.message), problem.code),
        Event::Conflict { .. } => say!(words, "conflict-came"),
        Event::Held { count, .. } => say!(words, "status-held", n = *count),
        // Who asked for the check sees it whole.
        Event::Changed { .. } | Event::Check { .. } => return None,
    })
}

async fn what_stands_in_the_way(node: &Node) -> Problem {
    let unexpected = || Problem::new(Code::Unexpected).because("the instance can't go on");
    let Ok(status) = node.call("status", Value::Null).await else { return unexpected() };
    let Ok(Status { problem: Some(problem), .. }) = serde_json::from_value(status) else { return unexpected() };
    let Ok(code) = serde_json::from_value(problem.code.into()) else { return unexpected() };
    Problem { code, facts: problem.facts, source: None }
}

pub(crate) async fn sync(profile: &Profile, output: Output) -> Result<Answer> {
    let door = Door::find(profile, Use::Once).await?;
    let outcome = until_quiet(&door, output).await;
    door.close().await;
    outcome
}

/// Waits until both sides are the same as far as they can be, and tells what was done and what is left to decide.
pub(super) async fn until_quiet(door: &Door, output: Output) -> Result<Answer> {
    let words = output.words;
    let before: Status = door.call("status", Nothing {}).await?;
    let work = async {
        loop {
            let status: Status = door.call("wait_quiet", Nothing {}).await?;
            // Somebody may have changed something since.
            if status.is_quiet {
                return Ok(status);
            }
        }
    };
    let status = progress::watch(output, door, work).await?;
    let items = status.items_done.saturating_sub(before.items_done);
    let bytes = status.bytes_done.saturating_sub(before.bytes_done);
    let mut text = if status.is_quiet && items == 0 {
        say!(words, "sync-nothing")
    } else if status.is_quiet {
        say!(words, "sync-quiet", n = items, bytes = words.bytes(bytes))
    } else {
        status::line(&status, words)
    };
    text.push('\n');
    text.push_str(&status::waiting(&status, words));
    // What waits for a person is told, and is no reason to say that it didn't work.
    let exit = match &status.problem {
        Some(problem) => {
            let exit = exit_of(problem);
            if !output.json {
                output.view(problem);
            }
            if matches!(exit, Exit::Conflicts | Exit::Held) { Exit::Ok } else { exit }
        }
        None if status.is_quiet => Exit::Ok,
        None => Exit::TryLater,
    };
    Ok(Answer::new(json!(status), text).ending(exit))
}
