//! Bringing old data files in, and writing folders into files.

use crate::{
    args::{Export, Import},
    output::{Answer, Output},
    progress::Meter,
    terminal::waiting,
    words::{Words, printable, say},
};
use app::{
    message::{Exit, Result},
    places::{self, Destination, Imported},
    profile::Profile,
    settings::Settings,
};
use serde_json::{Value, json};

/// Folders and problems listed for people; programs get all of them.
const LINES_MAX: usize = 40;

pub(crate) async fn import(args: Import, profile: &Profile, output: Output) -> Result<Answer> {
    let words = output.words;
    let into = Destination::parse(args.into.as_deref(), &Settings::load(&profile.settings_file())?.stores)?;
    let meter = Meter::new(output);
    let (files, is_preview) = (args.files, args.preview);
    let imported = waiting(move || {
        let imported = places::import(&into, &files, is_preview, |done, total| meter.show(done, total));
        meter.end();
        imported
    })
    .await?;
    let exit = if imported.refused_count == 0 { Exit::Ok } else { Exit::Data };
    let text = describe(&imported, is_preview, words);
    let refused: Vec<Value> = imported
        .refused
        .iter()
        .map(|(place, problem)| json!({"place": place, "problem": problem.view(words.language)}))
        .collect();
    let mut answer = json!(imported);
    answer["preview"] = json!(is_preview);
    answer["refused"] = json!(refused);
    Ok(Answer::new(answer, text).ending(exit))
}

fn describe(imported: &Imported, is_preview: bool, words: Words) -> String {
    let (n, present) = (imported.added, imported.present);
    let mut text = if is_preview {
        say!(words, "import-preview", n = n, present = present)
    } else {
        say!(words, "imported", n = n, present = present)
    };
    for folder in imported.folders.iter().take(LINES_MAX) {
        text.push_str(&format!("\n    {}: {}", printable(&folder.path), words.number(folder.added)));
    }
    if imported.folders.len() > LINES_MAX {
        text.push_str("\n    …");
    }
    if imported.has_password {
        text.push('\n');
        text.push_str(&say!(words, "import-password"));
    }
    if imported.left_out > 0 {
        text.push('\n');
        text.push_str(&say!(words, "import-left-out", n = imported.left_out));
    }
    for (place, problem) in imported.refused.iter().take(LINES_MAX) {
        let said = problem.view(words.language).message;
        text.push_str(&format!("\n{}: {said}  [{}]", printable(place), problem.code));
    }
    if imported.refused_count > LINES_MAX as u64 {
        text.push('\n');
        text.push_str(&say!(words, "import-more-refused", n = imported.refused_count - LINES_MAX as u64));
    }
    text
}

pub(crate) async fn export(args: Export, profile: &Profile, words: Words) -> Result<Answer> {
    let from = Destination::parse(args.from.as_deref(), &Settings::load(&profile.settings_file())?.stores)?;
    let from = Destination { folder: Some(args.folder), ..from };
    let to = args.to;
    let file = to.display().to_string();
    let exported = waiting(move || places::export(&from, &to)).await?;
    let mut text = say!(words, "exported", n = exported.items, file = &*file);
    for name in exported.skipped.iter().take(LINES_MAX) {
        text.push_str(&format!("\n    {}", say!(words, "export-skipped", name = &**name)));
    }
    let exit = if exported.skipped.is_empty() { Exit::Ok } else { Exit::Data };
    let answer = json!({"file": file, "items": exported.items, "skipped": exported.skipped});
    Ok(Answer::new(answer, text).ending(exit))
}
