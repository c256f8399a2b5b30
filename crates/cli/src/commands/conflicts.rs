//! Conflicts: what both sides changed, and what becomes of it.

use super::{now_secs, short};
use crate::{
    args::{Conflicts, ConflictsOne},
    door::{ask, ask_connected, decide},
    output::{Answer, Output},
    table::{Cell, Table},
    words::{Words, printable, say},
};
use app::{
    api::types::{ConflictDetail, ConflictRequest, ConflictView, Done, FieldView, Keep, Nothing, ResolveConflict},
    message::Result,
    node::Use,
    profile::Profile,
};
use serde_json::json;

pub(crate) async fn conflicts(args: Conflicts, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    match args.one {
        None => list(profile, words).await,
        Some(ConflictsOne::Show { id }) => {
            let detail: ConflictDetail = ask_connected(profile, "conflict", ConflictRequest { id }).await?;
            Ok(Answer::new(json!(detail), show(&detail, words)))
        }
        Some(ConflictsOne::Resolve { id, keep }) => {
            let text = match keep {
                Keep::Server => say!(words, "resolved-server"),
                Keep::Client => say!(words, "resolved-client"),
                Keep::Both => say!(words, "resolved-both"),
                Keep::Merge => say!(words, "resolved-merge"),
            };
            let request = ResolveConflict { id, keep };
            let decided = decide::<Done>(profile, output, "resolve_conflict", request).await?;
            Ok(Answer::new(json!({"done": decided.is_done}), decided.said(words, text)))
        }
    }
}

async fn list(profile: &Profile, words: Words) -> Result<Answer> {
    let conflicts: Vec<ConflictView> = ask(profile, Use::Ask, "conflicts", Nothing {}).await?;
    if conflicts.is_empty() {
        return Ok(Answer::new(json!({"conflicts": conflicts}), say!(words, "conflicts-none")));
    }
    let mut table = Table::new([
        Cell::left(say!(words, "head-id")),
        Cell::left(say!(words, "head-title")),
        Cell::left(say!(words, "head-folder")),
        Cell::left(say!(words, "head-fields")),
        Cell::left(say!(words, "head-since")),
    ]);
    for conflict in &conflicts {
        table.add([
            Cell::left(short(&conflict.id)),
            Cell::left(&conflict.title),
            Cell::left(&conflict.folder),
            Cell::left(conflict.fields.join(", ")),
            Cell::left(words.ago(conflict.at, now_secs())),
        ]);
    }
    let text = format!("{}{}", table.print(), say!(words, "conflicts-how"));
    Ok(Answer::new(json!({"conflicts": conflicts}), text))
}

/// Both sides beside each other; fields that are the same on both are left out.
fn show(detail: &ConflictDetail, words: Words) -> String {
    let ConflictDetail { conflict, server, other } = detail;
    let mut text = say!(words, "conflict-title", title = &conflict.title, folder = &conflict.folder);
    text.push('\n');
    if let Some(note) = &conflict.note {
        text.push_str(&format!("{}  [{}]\n", printable(&note.message), note.code));
    }
    if other.is_empty() {
        return text + &say!(words, "conflict-not-here");
    }
    let mut names: Vec<&str> = server.iter().chain(other).map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let say_field = |fields: &[FieldView], name: &str| {
        let texts = fields.iter().filter(|field| field.name == name).map(|field| field.text.replace('\n', " "));
        texts.collect::<Vec<_>>().join("; ")
    };
    let mut table = Table::new([
        Cell::left(""),
        Cell::left(say!(words, "head-server-version")),
        Cell::left(say!(words, "head-other-version")),
    ]);
    for name in names {
        let (ours, theirs) = (say_field(server, name), say_field(other, name));
        if ours != theirs {
            table.add([Cell::left(name), Cell::left(ours), Cell::left(theirs)]);
        }
    }
    text + &table.print()
}
