//! Where data lies on this computer, and bringing loose files into a store.

use crate::{
    args::{Stores, StoresImport},
    output::Answer,
    terminal::waiting,
    words::{Words, printable, say},
};
use app::{
    message::{Exit, Result},
    places::{self, Found, Imported, Place},
};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(crate) async fn stores(args: Stores, words: Words) -> Result<Answer> {
    if let Some(StoresImport::Import { files, into }) = args.import {
        return import(files, into, words).await;
    }
    let path = args.path;
    let is_usual = path.is_none();
    let found = waiting(move || match path {
        Some(path) => places::look(&path).map(|place| vec![place]),
        None => Ok(places::usual()),
    })
    .await?;
    let mut text = String::new();
    for place in &found {
        text.push_str(&format!("{}\n", printable(&place.path.display().to_string())));
        text.push_str(&format!("    {}\n", describe(place, words)));
        if let Some(store) = &place.store {
            text.push_str(&format!("    --store {}\n", printable(store)));
        }
    }
    if is_usual && found.is_empty() {
        text = say!(words, "stores-none");
    }
    Ok(Answer::new(json!({"places": found}), text))
}

pub(super) fn describe(place: &Place, words: Words) -> String {
    match &place.found {
        Found::Missing => say!(words, "stores-missing"),
        Found::Empty => say!(words, "stores-empty"),
        Found::Layout { parts } => say!(words, "stores-layout", parts = parts.join(", ")),
        Found::Part { part } => say!(words, "stores-part", part = *part),
        Found::Importable { files, items } => say!(words, "stores-importable", files = files.len(), items = *items),
        Found::Other { examples, names } => {
            let examples = examples.join(", ");
            say!(words, "stores-other", examples = examples, names = *names)
        }
    }
}

async fn import(files: Vec<PathBuf>, into: String, words: Words) -> Result<Answer> {
    let Imported { added, present, refused } = waiting(move || places::import(&into, &files)).await?;
    let sum: u64 = added.values().sum();
    let mut text = say!(words, "imported", n = sum, present = present);
    for (part, count) in &added {
        text.push_str(&format!("\n    {part}: {}", words.number(*count)));
    }
    for (file, problem) in &refused {
        let name = Path::new(file).display().to_string();
        text.push_str(&format!("\n{}: {}  [{}]", printable(&name), problem.view(words.language).message, problem.code));
    }
    let exit = if refused.is_empty() { Exit::Ok } else { Exit::Data };
    let refused: Vec<_> =
        refused.iter().map(|(file, problem)| json!({"file": file, "problem": problem.view(words.language)})).collect();
    let answer = Answer::new(json!({"added": added, "present": present, "refused": refused}), text);
    Ok(answer.ending(exit))
}
