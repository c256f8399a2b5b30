//! What an undo has to bring back.

use super::{Action, Entry, EntryId, RunId};
use crate::index::Index;
use pim::ItemUid;
use std::collections::BTreeMap;
use sync::{index::Result, model::ItemState};

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

    fn of_entry(entry: Entry) -> Self {
        let change = entry.change;
        Self {
            item: change.item,
            title: change.title,
            before: change.before,
            after: change.after,
            entries: vec![entry.id],
        }
    }
}

impl Index {
    /// What a run did to each of its items, in item order, without what was taken back already and what came to nothing.
    pub fn undo_of_run(&self, run: RunId) -> Result<Vec<Undo>> {
        let mut undos = BTreeMap::<ItemUid, Undo>::new();
        for entry in self.entries("WHERE run = ?1 AND undone_by IS NULL ORDER BY id", [run.0])? {
            if !can_be_undone(&entry) {
                continue;
            }
            match undos.get_mut(&entry.change.item) {
                Some(undo) => {
                    undo.after = entry.change.after;
                    undo.entries.push(entry.id);
                }
                None => drop(undos.insert(entry.change.item, Undo::of_entry(entry))),
            }
        }
        let did_something = |undo: &Undo| match (&undo.before, &undo.after) {
            (None, None) => false,
            (Some(before), Some(after)) => !before.same_as(after),
            _ => true,
        };
        Ok(undos.into_values().filter(did_something).collect())
    }

    /// The newest change of an item that wasn't taken back.
    pub fn undo_of_item(&self, item: ItemUid) -> Result<Option<Undo>> {
        let condition = "WHERE item = ?1 AND undone_by IS NULL ORDER BY id DESC LIMIT 64";
        let newest = self.entries(condition, [item.as_bytes()])?.into_iter().find(can_be_undone);
        Ok(newest.map(Undo::of_entry))
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
    !matches!(entry.change.action, Action::Conflict | Action::Kept)
}
