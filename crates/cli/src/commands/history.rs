//! What happened, and bringing it back.

use super::now_secs;
use crate::{
    args::{History, Undo},
    door::{ask, decide},
    output::{Answer, Output},
    table::{Cell, Table},
    words::{Words, printable, say},
};
use app::{
    api::types::{EntryView, HistoryAnswer, HistoryRequest, RunView, UndoAnswer, UndoRequest},
    message::{Code, Exit, Problem, Result},
    node::Use,
    profile::Profile,
};
use serde_json::json;

pub(crate) async fn history(args: &History, profile: &Profile, words: Words) -> Result<Answer> {
    let request = HistoryRequest { run: args.run, before: args.before, ..HistoryRequest::default() };
    let mut answer: HistoryAnswer = ask(profile, Use::Ask, "history", request).await?;
    // A run that moved a whole mailbox comes in pieces.
    while let (true, Some(last)) = (answer.is_more, answer.entries.last()) {
        let request = HistoryRequest { after: Some(last.id), ..request };
        let mut more: HistoryAnswer = ask(profile, Use::Ask, "history", request).await?;
        answer.entries.append(&mut more.entries);
        answer.is_more = more.is_more;
    }
    Ok(match args.run {
        Some(_) => {
            Answer::new(json!({"runs": answer.runs, "entries": answer.entries}), entries(&answer.entries, words))
        }
        None => {
            let mut text = runs(&answer.runs, words);
            if let (true, Some(last)) = (answer.is_more, answer.runs.last()) {
                text.push_str(&format!("\n{}", say!(words, "history-more", run = last.id.to_string())));
            }
            Answer::new(json!({"runs": answer.runs, "isMore": answer.is_more}), text)
        }
    })
}

pub(crate) async fn undo(args: Undo, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    let request = UndoRequest { what: args.what };
    let decided = decide::<UndoAnswer>(profile, output, "undo", request).await?;
    let UndoAnswer { undone, ref left } = decided.answer;
    let mut text = say!(words, "undone", n = undone);
    if undone > 0 {
        text = decided.said(words, text);
    }
    for item in left {
        text.push_str(&format!("\n    {}", printable(item)));
    }
    if !left.is_empty() {
        output.problem_beside(&Problem::new(Code::ChangedSince).with("n", left.len()));
    }
    let exit = if undone == 0 && !left.is_empty() { Exit::Other } else { Exit::Ok };
    Ok(Answer::new(json!({"undone": undone, "left": left, "done": decided.is_done}), text).ending(exit))
}

fn runs(runs: &[RunView], words: Words) -> String {
    if runs.is_empty() {
        return say!(words, "history-none");
    }
    let mut table = Table::new([
        Cell::right(say!(words, "head-run")),
        Cell::left(say!(words, "head-when")),
        Cell::right(say!(words, "head-added")),
        Cell::right(say!(words, "head-changed")),
        Cell::right(say!(words, "head-deleted")),
        Cell::right(say!(words, "head-folders")),
        Cell::right(say!(words, "head-conflicts")),
    ]);
    for run in runs {
        let when = match run.ended {
            Some(_) => words.ago(run.started, now_secs()),
            None => say!(words, "run-goes-on"),
        };
        table.add([
            Cell::right(run.id.to_string()),
            Cell::left(when),
            Cell::right(words.number(run.added)),
            Cell::right(words.number(run.changed)),
            Cell::right(words.number(run.deleted)),
            Cell::right(words.number(run.folders)),
            Cell::right(words.number(run.conflicts)),
        ]);
    }
    table.print()
}

fn entries(entries: &[EntryView], words: Words) -> String {
    if entries.is_empty() {
        return say!(words, "run-empty");
    }
    let mut table = Table::new([
        Cell::left(say!(words, "head-what")),
        Cell::left(say!(words, "head-where")),
        Cell::left(say!(words, "head-folder")),
        Cell::left(say!(words, "head-title")),
        Cell::left(say!(words, "head-item")),
    ]);
    for entry in entries {
        let what = say!(words, "one-of-actions", action = &entry.action);
        let what = if entry.is_undone { format!("{what} ({})", say!(words, "was-undone")) } else { what };
        let place = if entry.is_here { say!(words, "where-here") } else { say!(words, "where-there") };
        table.add([
            Cell::left(what),
            Cell::left(place),
            Cell::left(&entry.folder),
            Cell::left(if entry.title.is_empty() { "–" } else { &entry.title }),
            Cell::left(&entry.item),
        ]);
    }
    table.print()
}
