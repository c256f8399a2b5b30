//! Bringing items back to how they were.
//!
//! An undo is an edit like any other, made in this computer's store: the earlier content of the same item, or the item
//! deleted again. Only items that still are as the run left them are touched; the others are listed. A folder that was
//! deleted with its items is made anew, as a person would make it; one that was renamed or moved goes back, where it still is
//! as the run left it; one that was made stays. What is brought back counts as approved; what is deleted
//! again, the guard counts like any deletion. A client's first synchronization is refused: see `taking_back`.

use super::{Instance, gone, now_secs};
use crate::{
    api::types::{EntryView, HistoryAnswer, HistoryRequest, RunView, UndoAnswer, UndoRequest},
    engine::{EditKind, Part, Room, view::path_of},
    history::{
        Action, Entry, EntryChange, EntryId, FolderChange, ItemChange, RunId, Side,
        undo::{FolderUndo, Undos},
    },
    message::{Code, Problem, Result},
};
use pim::{FolderUid, ItemUid, NativeHash};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};
use sync::{
    index::ReplicaIndex,
    model::FolderState,
    replica::{Change, ChangedFolder},
};

/// Runs and entries in one answer.
const RUNS_MAX: usize = 200;
const ENTRIES_MAX: usize = 2_000;
/// What was deleted on this computer is called what its content says, and that only the server has.
const TITLES_FETCHED_MAX: usize = 100;
const TITLE_CONTENT_BYTES_MAX: u64 = 256 << 10;
const TITLES_WAIT: std::time::Duration = std::time::Duration::from_secs(3);
/// Folders that items come back to are waited for so long.
const FOLDERS_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

impl Instance {
    pub(crate) async fn history(&self, request: HistoryRequest) -> Result<HistoryAnswer> {
        let untold = self.engine.run(move |room| room.contents_for_titles(request)).await.ok_or_else(gone)??;
        if !untold.is_empty() {
            // Without a link, what was deleted here has no name.
            tokio::time::timeout(TITLES_WAIT, self.fetch(untold)).await.ok();
        }
        let mut answer = self.engine.run(move |room| room.history_views(request)).await.ok_or_else(gone)??;
        for run in &mut answer.runs {
            run.is_first = self.is_first(run.id);
        }
        Ok(answer)
    }

    /// Whether a client's run belongs to its first synchronization, which is taken back in another way.
    fn is_first(&self, run: i64) -> bool {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner);
        self.part == Part::Client && choice.first_ended.is_none_or(|last| run <= last)
    }

    pub(crate) async fn undo(&self, request: UndoRequest) -> Result<UndoAnswer> {
        let what = request.what.clone();
        if ItemUid::from_hex(&what).is_none() && what.parse().is_ok_and(|run| self.is_first(run)) {
            let server = self.settings().server.as_ref().map(|server| server.name.to_string()).unwrap_or_default();
            return Err(Problem::new(Code::FirstRun).with("server", server));
        }
        let undos = self.engine.run(move |room| room.find_undo(&what)).await.ok_or_else(gone)??;
        // Earlier contents may only lie at the server. Without a link those items are left as they are.
        let needed: Vec<NativeHash> =
            undos.items.iter().filter_map(|undo| undo.before.as_ref()).map(|state| state.version.native).collect();
        self.fetch(needed).await.ok();
        let of_items = undos.items.iter().filter_map(|undo| undo.before.as_ref()).map(|state| state.folder);
        let deleted = undos.folders.iter().filter(|undo| undo.after.is_none()).map(|undo| undo.folder);
        let folders = self.make_folders_for(of_items.chain(deleted).collect()).await?;
        self.engine.run(move |room| room.undo(undos, &folders)).await.ok_or_else(gone)?
    }

    /// Makes the folders anew that items shall come back to and that are gone. Tells which stands for which.
    pub(super) async fn make_folders_for(&self, needed: BTreeSet<FolderUid>) -> Result<BTreeMap<FolderUid, FolderUid>> {
        let mut made = BTreeMap::new();
        let until = tokio::time::Instant::now() + FOLDERS_WAIT;
        loop {
            let (needed, so_far) = (needed.clone(), made);
            let step = self.engine.run(move |room| room.make_folders(&needed, so_far)).await.ok_or_else(gone)??;
            made = step.0;
            // A store that takes no folder now says so itself; those items are left as they are.
            if step.1 || tokio::time::Instant::now() >= until {
                return Ok(made);
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

impl Room {
    fn history_views(&self, request: HistoryRequest) -> Result<HistoryAnswer> {
        let runs = match request.run.map(RunId) {
            Some(run) => {
                let missing = || Problem::new(Code::NothingToUndo).with("id", run.0.to_string());
                vec![self.index.history_run(run)?.ok_or_else(missing)?]
            }
            None => self.index.runs(request.before.map(RunId), RUNS_MAX)?,
        };
        let folders = self.index.replica().folders()?;
        let entries = self.entries_asked_for(request)?;
        let view = |entry: Entry| {
            let (item, folder, title) = match &entry.change {
                EntryChange::Item(change) => (change.item.to_string(), change.folder, self.entry_title(change)),
                EntryChange::Folder(change) => (change.folder.to_string(), change.folder, folder_title(change)),
            };
            EntryView {
                id: entry.id.0,
                item,
                action: action_name(entry.change.action()).to_owned(),
                is_here: entry.change.side() == Side::Here,
                folder: path_of(&folders, folder, false),
                title,
                is_undone: entry.undone_by.is_some(),
            }
        };
        Ok(HistoryAnswer {
            is_more: runs.len() == RUNS_MAX || entries.len() == ENTRIES_MAX,
            runs: runs
                .into_iter()
                .map(|run| RunView {
                    id: run.id.0,
                    started: run.started_at,
                    ended: run.ended_at,
                    added: run.counts.added,
                    changed: run.counts.changed + run.counts.moved + run.counts.flagged,
                    deleted: run.counts.deleted,
                    conflicts: run.counts.conflicts,
                    folders: run.counts.folders,
                    is_first: false,
                })
                .collect(),
            entries: entries.into_iter().map(view).collect(),
        })
    }

    fn entries_asked_for(&self, request: HistoryRequest) -> Result<Vec<Entry>> {
        let Some(run) = request.run.map(RunId) else { return Ok(Vec::new()) };
        Ok(self.index.entries_of_run(run, request.after.map(EntryId), ENTRIES_MAX)?)
    }

    /// Contents that a run's entries are named by and that aren't on this computer.
    fn contents_for_titles(&self, request: HistoryRequest) -> Result<Vec<NativeHash>> {
        let entries = self.entries_asked_for(request)?;
        let named_by = |entry: &Entry| {
            let change = entry.change.item()?;
            let state = change.after.as_ref().or(change.before.as_ref())?;
            let is_wanted = change.title.is_empty() && state.version.size <= TITLE_CONTENT_BYTES_MAX;
            is_wanted.then_some((change.item, state.version.native))
        };
        let mut missing = Vec::new();
        for (item, native) in entries.iter().filter_map(named_by) {
            if missing.len() < TITLES_FETCHED_MAX && self.locate(Some(item), native)?.is_none() {
                missing.push(native);
            }
        }
        Ok(missing)
    }

    fn entry_title(&self, change: &ItemChange) -> String {
        if !change.title.is_empty() {
            return change.title.clone();
        }
        let state = change.after.as_ref().or(change.before.as_ref());
        self.title(Some(change.item), state).unwrap_or_default()
    }

    /// What a run's number or an item's uid means to undo.
    fn find_undo(&self, what: &str) -> Result<Undos> {
        let missing = || Problem::new(Code::NothingToUndo).with("id", what);
        let undos = match (ItemUid::from_hex(what), what.parse::<i64>()) {
            (Some(uid), _) => Undos {
                items: self.index.undo_of_item(uid)?.into_iter().collect(),
                folders: self.index.undo_of_folder(FolderUid(*uid.as_bytes()))?.into_iter().collect(),
            },
            (None, Ok(run)) => self.index.undo_of_run(RunId(run))?,
            (None, Err(_)) => return Err(missing()),
        };
        if undos == Undos::default() { Err(missing()) } else { Ok(undos) }
    }

    /// One step towards the folders in `needed`: each one that can be made is begun. Tells whether all are there.
    fn make_folders(
        &mut self,
        needed: &BTreeSet<FolderUid>,
        mut made: BTreeMap<FolderUid, FolderUid>,
    ) -> Result<(BTreeMap<FolderUid, FolderUid>, bool)> {
        let mut is_all_there = true;
        for folder in needed {
            is_all_there &= self.make_folder(*folder, &mut made, sync::wire::Limits::DEPTH)?;
        }
        Ok((made, is_all_there))
    }

    /// Whether the folder, or the one that stands for it, is there or can't be had at all.
    fn make_folder(
        &mut self,
        folder: FolderUid,
        made: &mut BTreeMap<FolderUid, FolderUid>,
        depth: usize,
    ) -> Result<bool> {
        let is_here = |room: &Self, uid: FolderUid| -> Result<bool> {
            Ok(room.index.replica().folder(uid)?.is_some_and(|record| record.local.is_some()))
        };
        let stands_for = made.get(&folder).copied();
        if is_here(self, stands_for.unwrap_or(folder))? {
            return Ok(true);
        }
        if stands_for.is_some() {
            return Ok(false);
        }
        let Some(mut was) = self.index.folder_that_was(folder)?.filter(|_| depth > 0) else { return Ok(true) };
        if let Some(parent) = was.parent {
            if !self.make_folder(parent, made, depth - 1)? {
                return Ok(false);
            }
            was.parent = Some(made.get(&parent).copied().unwrap_or(parent));
        }
        let is_same =
            |state: &FolderState| (state.parent, state.kind, &state.name) == (was.parent, was.kind, &was.name);
        let folders = self.index.replica().folders()?;
        let known = folders.iter().find(|(_, record)| record.local.as_ref().is_some_and(|local| is_same(&local.state)));
        match known {
            Some((uid, _)) => {
                made.insert(folder, *uid);
                Ok(true)
            }
            None => {
                made.insert(folder, self.make_folder_as_person(was)?);
                Ok(false)
            }
        }
    }

    fn undo(&mut self, undos: Undos, folders: &BTreeMap<FolderUid, FolderUid>) -> Result<UndoAnswer> {
        let mut answer = UndoAnswer::default();
        let run = self.index.begin_run("undo", now_secs())?;
        for undo in undos.folders {
            if self.undo_folder(&undo, folders)? {
                let change = ChangedFolder { folder: undo.folder, before: undo.after, after: Some(undo.before) };
                if let Some(change) = FolderChange::of(&change, Side::Here) {
                    self.index.add_entry(run, &change.into(), now_secs())?;
                }
                self.index.mark_undone(&undo.entries, run)?;
                answer.undone += 1;
            } else {
                answer.left.push(undo.after.unwrap_or(undo.before).name);
            }
        }
        for mut undo in undos.items {
            if let Some(before) = &mut undo.before {
                before.folder = folders.get(&before.folder).copied().unwrap_or(before.folder);
            }
            let called = || {
                let states = [undo.after.as_ref(), undo.before.as_ref()];
                let told = states.into_iter().find_map(|state| self.title(Some(undo.item), state));
                told.or_else(|| self.title_of(undo.item)).unwrap_or_else(|| undo.item.to_string())
            };
            let name = if undo.title.is_empty() { called() } else { undo.title.clone() };
            let record = self.index.replica().item(undo.item)?.unwrap_or_default();
            let now = record.local.as_ref().map(|local| &local.state);
            if !undo.fits(now) {
                answer.left.push(name);
                continue;
            }
            let change = Change { item: undo.item, before: undo.after.clone(), after: undo.before.clone() };
            let done = match (undo.before, record.local) {
                (Some(before), existing) => self.write_as_person(undo.item, before, existing, EditKind::Reviving),
                (None, Some(existing)) => self.remove_as_person(undo.item, existing, EditKind::Guarded),
                (None, None) => Ok(()),
            };
            match done {
                Ok(()) => {
                    if let Some(change) = ItemChange::of(&change, Side::Here, &undo.title) {
                        self.index.add_entry(run, &change.into(), now_secs())?;
                    }
                    self.index.mark_undone(&undo.entries, run)?;
                    answer.undone += 1;
                }
                Err(_) => answer.left.push(name),
            }
        }
        self.index.end_run(run, now_secs())?;
        Ok(answer)
    }

    /// Whether the folder is, or is about to be, as it was.
    fn undo_folder(&mut self, undo: &FolderUndo, made: &BTreeMap<FolderUid, FolderUid>) -> Result<bool> {
        let now = self.index.replica().folder(undo.folder)?.and_then(|record| record.local);
        match now {
            // What was deleted was made anew before, as far as it could be.
            None => Ok(undo.after.is_none() && made.contains_key(&undo.folder)),
            Some(now) if undo.fits(Some(&now.state)) => {
                let FolderState { name, parent, .. } = undo.before.clone();
                self.rename_folder_as_person(undo.folder, FolderState { name, parent, ..now.state })
            }
            Some(_) => Ok(false),
        }
    }
}

/// What a folder is called, and was called before.
fn folder_title(change: &FolderChange) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before.name != after.name => format!("{} → {}", before.name, after.name),
        (before, after) => after.as_ref().or(before.as_ref()).map(|state| state.name.clone()).unwrap_or_default(),
    }
}

const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Added => "added",
        Action::Changed => "changed",
        Action::Moved => "moved",
        Action::Flagged => "flagged",
        Action::Deleted => "deleted",
        Action::Conflict => "conflict",
        Action::Kept => "kept",
        Action::FolderAdded => "folderAdded",
        Action::FolderRenamed => "folderRenamed",
        Action::FolderMoved => "folderMoved",
        Action::FolderDeleted => "folderDeleted",
    }
}
