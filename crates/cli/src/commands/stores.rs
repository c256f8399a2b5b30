//! Where data lies on this computer.

use crate::{
    args::Stores,
    output::Answer,
    terminal::waiting,
    words::{Words, printable, say},
};
use app::{
    message::{Problem, Result},
    places::{self, CountedFolder, Found, Place},
};
use serde_json::json;

pub(crate) async fn stores(args: Stores, words: Words) -> Result<Answer> {
    let path = args.path;
    let is_usual = path.is_none();
    let (found, outlook, evolution) = waiting(move || match path {
        Some(path) => places::look(&path).map(|place| (vec![place], None, None)),
        None => Ok((places::usual(), places::outlook(), places::evolution())),
    })
    .await?;
    let mut text = String::new();
    let outlook_json = match &outlook {
        None => json!(null),
        Some(Ok(outlook)) => {
            text.push_str(&format!(
                "Outlook {}, {}\n",
                printable(&outlook.found.version),
                printable(&outlook.found.profile)
            ));
            list(&outlook.folders, &mut text);
            text.push_str("    --store outlook:\n");
            for name in outlook.found.stores.iter().skip(1) {
                text.push_str(&format!("    --store {}\n", printable(&format!("outlook:{name}"))));
            }
            json!(outlook)
        }
        Some(Err(problem)) => stands_in_the_way(problem, &mut text, words),
    };
    let evolution_json = match &evolution {
        None => json!(null),
        Some(Ok(evolution)) => {
            text.push_str("Evolution Data Server\n");
            list(&evolution.folders, &mut text);
            text.push_str(&format!("    --store {}\n", evolution.store));
            json!(evolution)
        }
        Some(Err(problem)) => stands_in_the_way(problem, &mut text, words),
    };
    for place in &found {
        text.push_str(&format!("{}\n", printable(&place.path.display().to_string())));
        text.push_str(&format!("    {}\n", describe(place, words)));
        if let Some(store) = &place.store {
            text.push_str(&format!("    --store {}\n", printable(store)));
        }
    }
    if is_usual && found.is_empty() && evolution.is_none() {
        text.push_str(&say!(words, "stores-none"));
    }
    Ok(Answer::new(json!({"places": found, "outlook": outlook_json, "evolution": evolution_json}), text))
}

/// Folders with how much is in them.
fn list(folders: &[CountedFolder], text: &mut String) {
    for folder in folders {
        let items = folder.items.map_or_else(|| "?".to_owned(), |items| items.to_string());
        text.push_str(&format!("    {}/{}: {items}\n", folder.kind, printable(&folder.name)));
    }
}

fn stands_in_the_way(problem: &Problem, text: &mut String, words: Words) -> serde_json::Value {
    let view = problem.view(words.language);
    text.push_str(&format!("{}  [{}]\n", view.message, problem.code));
    json!({"problem": view})
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
