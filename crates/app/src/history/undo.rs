//! What an undo has to bring back.

use super::{Action, Entry, EntryChange, EntryId, FolderChange, ItemChange, RunId, Side};
use crate::index::Index;
use pim::{FolderUid, ItemUid};
use std::collections::BTreeMap;
use sync::{
    index::Result,
    model::{FolderState, ItemState},
};

/// What is to be brought back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Undos {
    /// Items, in item order.
    pub items: Vec<Undo>,
    /// Folders, in folder order.
    pub folders: Vec<FolderUndo>,
}

/// What a run, or one change, did to a folder that was there before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderUndo {
    /// The folder.
    pub folder: FolderUid,
    /// How it was before.
    pub before: FolderState,
    /// How it was left. `None`: it was deleted.
    pub after: Option<FolderState>,
    /// The entries that are taken back with it.
    pub entries: Vec<EntryId>,
}

impl FolderUndo {
    /// Whether the folder still is as the run left it.
    #[must_use]
    pub fn fits(&self, now: Option<&FolderState>) -> bool {
        match (&self.after, now) {
            (None, None) => true,
            (Some(after), Some(now)) => (after.parent, &after.name) == (now.parent, &now.name),
            _ => false,
        }
    }
}

/// What a run, or one change, did to an item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Undo {
    /// The item.
    pub item: ItemUid,
    /// What people call it.
    pub title: String,
    /// How it was before. `None`: there was no such item.
    pub before: Option<ItemState>,
    /// How it was left. Somebody may have changed it since; then nothing is taken back, and the item is listed.
    /// `None`: it was deleted.
    pub after: Option<ItemState>,
    /// The entries that are taken back with it.
    pub entries: Vec<EntryId>,
}

impl Undo {
    /// Whether the item still is as the run left it.
    #[must_use]
    pub fn fits(&self, now: Option<&ItemState>) -> bool {
        match (&self.after, now) {
            (None, None) => true,
            (Some(after), Some(now)) => after.same_as(now),
            _ => false,
        }
    }

    fn of_change(change: ItemChange, entry: EntryId) -> Self {
        let ItemChange { item, title, before, after, .. } = change;
        Self { item, title, before, after, entries: vec![entry] }
    }
}

/// An item of this computer that Tandem wrote, as it was before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Original {
    /// The item.
    pub item: ItemUid,
    /// What people call it.
    pub title: String,
    /// How it was when a person had touched it last. `None`: there was no such item.
    pub before: Option<ItemState>,
    /// All that Tandem made of it since. Anything else is a person's again.
    written: Vec<Option<ItemState>>,
}

impl Original {
    /// Whether the item is as it was.
    #[must_use]
    pub fn is_back(&self, now: Option<&ItemState>) -> bool {
        is_same(self.before.as_ref(), now)
    }

    /// Whether the item is as Tandem left it.
    #[must_use]
    pub fn fits(&self, now: Option<&ItemState>) -> bool {
        self.written.iter().any(|written| is_same(written.as_ref(), now))
    }
}

fn is_same(one: Option<&ItemState>, other: Option<&ItemState>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.same_as(other),
        _ => false,
    }
}

impl Index {
    /// What this computer's items were before Tandem wrote them, in item order: how a first synchronization is taken
    /// back, and all that came after it. What a person did since stays theirs.
    pub fn originals(&self) -> Result<Vec<Original>> {
        let mut originals = BTreeMap::<ItemUid, Original>::new();
        for entry in self.entries("ORDER BY id", ())? {
            // Folders that were made stay.
            let EntryChange::Item(change) = entry.change else { continue };
            if matches!(change.action, Action::Conflict | Action::Kept) {
                continue;
            }
            let known = originals.get_mut(&change.item);
            match (change.side, known) {
                (Side::Here, Some(original)) => original.written.push(change.after),
                (Side::Here, None) => {
                    let (item, title, before) = (change.item, change.title, change.before);
                    originals.insert(item, Original { item, title, before, written: vec![change.after] });
                }
                // What goes to the server and isn't what Tandem wrote here was made by a person.
                (Side::Server, Some(original)) if !original.fits(change.after.as_ref()) => {
                    originals.remove(&change.item);
                }
                (Side::Server, _) => {}
            }
        }
        Ok(originals.into_values().collect())
    }

    /// What a run did to each of its items and folders, without what was taken back already and what came to nothing.
    pub fn undo_of_run(&self, run: RunId) -> Result<Undos> {
        let mut undos = BTreeMap::<ItemUid, Undo>::new();
        let mut folders = Vec::new();
        for entry in self.entries("WHERE run = ?1 AND undone_by IS NULL ORDER BY id", [run.0])? {
            if !can_be_undone(&entry) {
                continue;
            }
            let change = match entry.change {
                EntryChange::Item(change) => change,
                EntryChange::Folder(change) => {
                    folders.push((entry.id, change));
                    continue;
                }
            };
            match undos.get_mut(&change.item) {
                Some(undo) => {
                    undo.after = change.after;
                    undo.entries.push(entry.id);
                }
                None => drop(undos.insert(change.item, Undo::of_change(change, entry.id))),
            }
        }
        let did_something = |undo: &Undo| match (&undo.before, &undo.after) {
            (None, None) => false,
            (Some(before), Some(after)) => !before.same_as(after),
            _ => true,
        };
        Ok(Undos { items: undos.into_values().filter(did_something).collect(), folders: of_folders(folders) })
    }

    /// The newest change of an item that wasn't taken back.
    pub fn undo_of_item(&self, item: ItemUid) -> Result<Option<Undo>> {
        let condition = "WHERE item = ?1 AND undone_by IS NULL ORDER BY id DESC LIMIT 64";
        let newest = self.entries(condition, [item.as_bytes()])?.into_iter().find(can_be_undone);
        Ok(newest.and_then(|entry| match entry.change {
            EntryChange::Item(change) => Some(Undo::of_change(change, entry.id)),
            EntryChange::Folder(_) => None,
        }))
    }

    /// The newest change of a folder that wasn't taken back.
    pub fn undo_of_folder(&self, folder: FolderUid) -> Result<Option<FolderUndo>> {
        let condition = "WHERE item = ?1 AND undone_by IS NULL ORDER BY id DESC LIMIT 1";
        let newest = self.entries(condition, [folder.as_bytes()])?.into_iter().filter_map(|entry| match entry.change {
            EntryChange::Folder(change) => Some((entry.id, change)),
            EntryChange::Item(_) => None,
        });
        Ok(of_folders(newest.collect()).pop())
    }

    /// The entries were taken back by a run. Belongs into the group that does so.
    pub fn mark_undone(&self, entries: &[EntryId], by: RunId) -> Result<()> {
        self.group(|index| {
            for entry in entries {
                index.0.run("UPDATE entries SET undone_by = ?2 WHERE id = ?1", (entry.0, by.0))?;
            }
            Ok(())
        })
    }
}

/// Conflicts are decided, not undone.
const fn can_be_undone(entry: &Entry) -> bool {
    !matches!(entry.change.action(), Action::Conflict | Action::Kept)
}

/// Each folder's changes as one. A new folder stays, whatever becomes of what lies in it: somebody may have put more there.
fn of_folders(changes: Vec<(EntryId, FolderChange)>) -> Vec<FolderUndo> {
    let mut found = BTreeMap::<FolderUid, (Option<FolderState>, Option<FolderState>, Vec<EntryId>)>::new();
    for (entry, change) in changes {
        let (_, after, entries) = found.entry(change.folder).or_insert((change.before, None, Vec::new()));
        *after = change.after;
        entries.push(entry);
    }
    let undo = |(folder, (before, after, entries)): (FolderUid, (Option<FolderState>, Option<FolderState>, Vec<_>))| {
        Some(FolderUndo { folder, before: before?, after, entries })
    };
    let did_something = |undo: &FolderUndo| !undo.fits(Some(&undo.before));
    found.into_iter().filter_map(undo).filter(did_something).collect()
}
