//! Where data lies on this computer.

use crate::{
    args::Stores,
    output::Answer,
    terminal::waiting,
    words::{Words, printable, say},
};
use app::{
    message::Result,
    places::{self, Found, Place},
};
use serde_json::json;

pub(crate) async fn stores(args: Stores, words: Words) -> Result<Answer> {
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
