//! Folders: which there are, which way their changes go, who may have them.

use crate::{
    args::{Folders, FoldersChange},
    door::ask,
    output::Answer,
    table::{Cell, Table},
    words::{Words, say},
};
use app::{
    api::types::{Direction, Done, FolderView, Nothing, PauseFolder, ReleaseFolder, SetFolder},
    message::Result,
    node::Use,
    profile::Profile,
};
use serde_json::json;

pub(crate) async fn folders(args: Folders, profile: &Profile, words: Words) -> Result<Answer> {
    match args.change {
        None => list(profile, words).await,
        Some(FoldersChange::Set { folder, direction }) => {
            let text = say!(words, "folder-set", folder = &folder, way = way(direction, words));
            let Done {} = ask(profile, Use::Ask, "set_folder", SetFolder { folder, direction }).await?;
            Ok(Answer::done(text))
        }
        Some(FoldersChange::Pause { folder }) => {
            let text = say!(words, "folder-rests", folder = &folder);
            pause(profile, folder, true).await.map(|()| Answer::done(text))
        }
        Some(FoldersChange::Resume { folder }) => {
            let text = say!(words, "folder-goes-on", folder = &folder);
            pause(profile, folder, false).await.map(|()| Answer::done(text))
        }
        Some(FoldersChange::Release { folder, device, released }) => {
            let text = match released.is_on() {
                true => say!(words, "folder-released", folder = &folder, device = &device),
                false => say!(words, "folder-kept-back", folder = &folder, device = &device),
            };
            let request = ReleaseFolder { folder, device, is_released: released.is_on() };
            let Done {} = ask(profile, Use::Ask, "release_folder", request).await?;
            Ok(Answer::done(text))
        }
    }
}

async fn pause(profile: &Profile, folder: String, is_paused: bool) -> Result<()> {
    let Done {} = ask(profile, Use::Ask, "pause_folder", PauseFolder { folder, is_paused }).await?;
    Ok(())
}

async fn list(profile: &Profile, words: Words) -> Result<Answer> {
    let folders: Vec<FolderView> = ask(profile, Use::Ask, "folders", Nothing {}).await?;
    if folders.is_empty() {
        return Ok(Answer::new(json!({"folders": folders}), say!(words, "folders-none")));
    }
    let mut table = Table::new([
        Cell::left(say!(words, "head-folder")),
        Cell::left(say!(words, "head-direction")),
        Cell::right(say!(words, "head-items")),
        Cell::right(say!(words, "head-same")),
        Cell::left(say!(words, "head-here")),
    ]);
    for folder in &folders {
        let here = match &folder.here {
            Some(here) if *here == folder.path => "",
            Some(here) => here,
            None => "–",
        };
        table.add([
            Cell::left(&folder.path),
            Cell::left(if folder.is_paused { say!(words, "way-paused") } else { way(folder.direction, words) }),
            Cell::right(words.number(folder.items)),
            Cell::right(words.number(folder.agreed)),
            Cell::left(here),
        ]);
    }
    Ok(Answer::new(json!({"folders": folders}), table.print()))
}

fn way(direction: Direction, words: Words) -> String {
    match direction {
        Direction::Both => say!(words, "way-both"),
        Direction::ToServer => say!(words, "way-to-server"),
        Direction::ToHere => say!(words, "way-to-here"),
        Direction::Off => say!(words, "way-off"),
    }
}
