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
    let (found, outlook) = waiting(move || match path {
        Some(path) => places::look(&path).map(|place| (vec![place], None)),
        None => Ok((places::usual(), places::outlook())),
    })
    .await?;
    let mut text = String::new();
    let outlook_json = match &outlook {
        None => json!(null),
        Some(Ok(outlook)) => {
            text.push_str(&format!("Outlook {}, {}\n", printable(&outlook.version), printable(&outlook.profile)));
            text.push_str("    --store outlook:\n");
            for name in outlook.stores.iter().skip(1) {
                text.push_str(&format!("    --store {}\n", printable(&format!("outlook:{name}"))));
            }
            json!(outlook)
        }
        Some(Err(problem)) => {
            let view = problem.view(words.language);
            text.push_str(&format!("{}  [{}]\n", view.message, problem.code));
            json!({"problem": view})
        }
    };
    for place in &found {
        text.push_str(&format!("{}\n", printable(&place.path.display().to_string())));
        text.push_str(&format!("    {}\n", describe(place, words)));
        if let Some(store) = &place.store {
            text.push_str(&format!("    --store {}\n", printable(store)));
        }
    }
    if is_usual && found.is_empty() {
        text.push_str(&say!(words, "stores-none"));
    }
    Ok(Answer::new(json!({"places": found, "outlook": outlook_json}), text))
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
