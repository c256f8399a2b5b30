//! Groups of changes go into the store, with intents, and are remembered.
//!
//! Stage and flush → one commit of intents → check, make visible, flush, read back → one commit of what was done. An
//! intent that is found at the next start is settled from what the store says of it; doing that twice does no harm.

use super::{
    Arrived, Cause, Effect, HubRoom, Part, Recovering, Result, Room, now_secs,
    worker::{Job, Outcomes, Prepared, Staged, Write, folder_kind},
};
use crate::{
    blobs::{BlobError, Keep, Need},
    history::{self, Action, EntryChange, FolderChange as FolderEntry, ItemChange, Side},
    index::{self, IntentId},
};
use fail::fail_point;
use pim::{FolderUid, ItemUid, NativeHash};
use std::{
    collections::{BTreeSet, HashMap},
    time::Instant,
};
use stores::{FolderId, Intent, StoreError};
use sync::{
    index::{HubIndex, Local, LocalFolder, ReplicaIndex},
    model::{RowBody, Seq},
    replica::{ApplyOutcome, Happened, StoreChange, settle_removed, settle_written},
};

/// So often in turn the store may say of an item that somebody else changed it first.
const OVERTAKEN_MAX: u32 = 20;

/// How often in turn the store said so, of items it hasn't taken since.
#[derive(Default)]
pub(super) struct Overtaken(HashMap<ItemUid, u32>);

impl Overtaken {
    /// Whether the store says so each time it is asked. Nobody is faster each time: then it is no reason.
    fn is_always(&mut self, item: ItemUid, error: &StoreError) -> bool {
        if !matches!(error, StoreError::Changed | StoreError::NotFound) {
            return false;
        }
        let times = self.0.entry(item).or_default();
        *times += 1;
        let is_always = *times == OVERTAKEN_MAX;
        if is_always {
            self.no_more(item);
        }
        is_always
    }

    fn no_more(&mut self, item: ItemUid) {
        self.0.remove(&item);
    }
}

/// A group on its way into the store.
pub(super) struct Group {
    /// Rows of the intents in the index.
    intents: Vec<IntentId>,
}

impl Room {
    pub(super) fn apply(&mut self, changes: Vec<StoreChange>) -> Result<()> {
        let mut prepared = Vec::with_capacity(changes.len());
        for change in changes {
            match self.prepare(&change)? {
                Ok(write) => {
                    let before = self.before_image(&change);
                    prepared.push(Prepared { change, write, before });
                }
                Err(outcome) => self.replica.applied(&mut self.index.replica(), change, outcome)?,
            }
        }
        if !prepared.is_empty() {
            let group = self.next_group;
            self.next_group += 1;
            self.groups.insert(group, Group { intents: Vec::new() });
            self.effects.push_back(Effect::Job(Job::Stage(group, prepared)));
        }
        Ok(())
    }

    fn prepare(&self, change: &StoreChange) -> Result<std::result::Result<Write, ApplyOutcome>> {
        let StoreChange::Write { item, state, existing, with_content, .. } = change else {
            return Ok(Ok(Write::Delete));
        };
        let Some(folder) = self.folder_id(state.folder)? else { return Ok(Err(ApplyOutcome::Changed)) };
        let kind = folder_kind(state.kind);
        let content = if *with_content {
            match self.locate(Some(*item), state.version.native)? {
                Some(source) => Some(source),
                None => return Ok(Err(ApplyOutcome::Unavailable)),
            }
        } else {
            None
        };
        Ok(match (existing, content) {
            (None, Some(content)) => Ok(Write::Create { folder, kind, content }),
            (None, None) => Err(ApplyOutcome::Unavailable),
            (Some(existing), content) => {
                let folder = (existing.state.folder != state.folder).then_some(folder);
                Ok(Write::Update { folder, kind, content })
            }
        })
    }

    fn folder_id(&self, folder: FolderUid) -> Result<Option<FolderId>> {
        let record = self.index.replica().folder(folder)?;
        Ok(record.and_then(|record| record.local).map(|local| FolderId(local.id)))
    }

    /// What the change would destroy, unless the hub's log or another place keeps it anyway.
    fn before_image(&self, change: &StoreChange) -> Option<(String, pim::NativeHash, u64)> {
        let existing = match change {
            StoreChange::Write { existing: Some(existing), with_content: true, .. }
            | StoreChange::Remove { existing, .. } => existing,
            StoreChange::Write { .. } => return None,
        };
        let version = &existing.state.version;
        Some((existing.href.clone(), version.native, version.size))
    }

    pub(super) fn group_staged(&mut self, group: u64, results: Staged) -> Result<()> {
        fail_point!("engine::after_stage");
        let mut staged = Vec::with_capacity(results.len());
        for (change, result) in results {
            match result {
                Ok((intent, examined)) => staged.push((change, intent, examined)),
                Err(error) => self.store_refused(change, &error)?,
            }
        }
        if staged.is_empty() {
            self.groups.remove(&group);
            return Ok(());
        }
        let contexts: Vec<Vec<u8>> = staged.iter().map(|(change, _, _)| encode(change)).collect();
        let intents: Vec<index::Intent<'_>> = staged
            .iter()
            .zip(&contexts)
            .map(|((change, intent, _), context)| index::Intent { item: change.item(), intent: &intent.0, context })
            .collect();
        let rows = self.index.put_intents(&intents)?;
        if let Some(group) = self.groups.get_mut(&group) {
            group.intents = rows;
        }
        self.effects.push_back(Effect::Job(Job::Commit(group, staged)));
        Ok(())
    }

    pub(super) fn group_committed(
        &mut self,
        group: u64,
        results: Vec<(StoreChange, std::result::Result<Option<Local>, StoreError>)>,
    ) -> Result<()> {
        let Some(Group { intents }) = self.groups.remove(&group) else { return Ok(()) };
        fail_point!("engine::after_store_commit");
        if results.iter().any(|(_, result)| result.is_ok()) {
            self.problems.clear(&Cause::Writing);
        }
        for (change, result) in results {
            match result {
                Ok(local) => {
                    if let StoreChange::Write { state, .. } = &change {
                        self.arrived.remove(&state.version.native).into_iter().for_each(Arrived::discard);
                    }
                    self.state.items_done += 1;
                    self.overtaken.no_more(change.item());
                    self.replica.applied(&mut self.index.replica(), change, ApplyOutcome::Done(local))?;
                }
                Err(error) => self.store_refused(change, &error)?,
            }
        }
        self.index.close_intents(&intents)?;
        fail_point!("engine::before_base");
        Ok(())
    }

    fn store_refused(&mut self, change: StoreChange, error: &StoreError) -> Result<()> {
        // The place can't take it, and the system has no better words for that.
        let denied = StoreError::Permission { path: self.place.clone() };
        let error = if self.overtaken.is_always(change.item(), error) { &denied } else { error };
        let outcome = match error {
            StoreError::Changed | StoreError::NotFound => ApplyOutcome::Changed,
            StoreError::NoSpace { .. } => ApplyOutcome::NoRoom,
            StoreError::Unavailable { .. }
            | StoreError::Program { .. }
            | StoreError::Replaced
            | StoreError::Permission { .. }
            | StoreError::InUse { .. }
            | StoreError::Io { .. } => ApplyOutcome::Unavailable,
            StoreError::TooLarge { .. } => ApplyOutcome::Refused("too-large".into()),
            StoreError::Unsupported => ApplyOutcome::Refused("unsupported".into()),
        };
        if matches!(outcome, ApplyOutcome::NoRoom | ApplyOutcome::Unavailable) {
            self.store_problem(Cause::Writing, error);
            self.refused_at.get_or_insert_with(Instant::now);
        }
        self.replica.applied(&mut self.index.replica(), change, outcome)
    }

    pub(super) fn folder_changed(
        &mut self,
        folder: FolderUid,
        outcome: std::result::Result<Option<LocalFolder>, StoreError>,
    ) -> Result<()> {
        match outcome {
            Ok(local) => {
                self.problems.clear(&Cause::Writing);
                if let Some(local) = &local {
                    self.folder_ids.insert(FolderId(local.id.clone()), folder);
                    self.forget_listing(folder)?;
                }
                self.replica.folder_applied(&mut self.index.replica(), folder, Ok(local))?;
            }
            Err(StoreError::Unsupported) => {
                tracing::debug!(%folder, "the store can't hold this folder, or not so");
                self.replica.folder_applied(&mut self.index.replica(), folder, Err(()))?;
                // A look would find what is known, and the same would be tried once more, and again.
                return Ok(());
            }
            Err(error) => {
                if !matches!(error, StoreError::Changed) {
                    self.store_problem(Cause::Writing, &error);
                    self.refused_at.get_or_insert_with(Instant::now);
                }
                self.replica.folder_applied(&mut self.index.replica(), folder, Err(()))?;
            }
        }
        // Subfolders moved along, names may have been adapted: see what the store says.
        self.read_all();
        Ok(())
    }

    /// Intents that a crash left behind are looked at before anything else: until it is known what became of them, an item
    /// that was written already would be written once more.
    pub(super) fn recover(&mut self) -> Result<()> {
        let mut intents = Vec::new();
        let mut unreadable = Vec::new();
        for open in self.index.open_intents()? {
            match decode(&open.context) {
                Some(change) => intents.push((open.id, change, Intent(open.intent))),
                None => unreadable.push(open.id),
            }
        }
        // Written by a newer program: the store itself tells what is there.
        self.index.close_intents(&unreadable)?;
        self.recovering = Recovering::No;
        if !intents.is_empty() {
            self.recovering = Recovering::Asked;
            self.effects.push_back(Effect::Job(Job::Recover(intents)));
        }
        Ok(())
    }

    /// The store may be there again.
    pub(super) fn ask_again_for_intents(&mut self) {
        if let Err(error) = self.recover() {
            tracing::warn!(%error, "open intents can't be read");
        }
    }

    pub(super) fn recovered(&mut self, outcomes: std::result::Result<Outcomes, StoreError>) -> Result<()> {
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(error) => {
                self.recovering = Recovering::Due;
                self.wait_for_store(&error);
                return Ok(());
            }
        };
        self.recovering = Recovering::No;
        let ids: Vec<IntentId> = outcomes.iter().map(|(id, _, _)| *id).collect();
        for (_, change, outcome) in outcomes {
            let happened = match (change, outcome) {
                (StoreChange::Write { item, seq, state, .. }, Some(Some(local))) => {
                    settle_written(&mut self.index.replica(), item, seq, state, local)?
                }
                (StoreChange::Remove { item, seq, existing }, Some(None)) => {
                    settle_removed(&mut self.index.replica(), item, seq, &existing)?
                }
                _ => None,
            };
            if let Some(change) = happened {
                self.remember(&Happened::Here(change))?;
            }
        }
        self.index.close_intents(&ids)?;
        self.replica.observed_all();
        Ok(())
    }

    /// Writes what happened into the history.
    pub(super) fn remember(&mut self, happened: &Happened) -> Result<()> {
        let change: Option<EntryChange> = match happened {
            Happened::Here(change) => ItemChange::of(change, Side::Here, "").map(Into::into),
            Happened::There(change) => {
                self.state.items_done += 1;
                ItemChange::of(change, Side::Server, "").map(Into::into)
            }
            Happened::FolderHere(change) => FolderEntry::of(change, Side::Here).map(Into::into),
            Happened::FolderThere(change) => FolderEntry::of(change, Side::Server).map(Into::into),
            Happened::Conflict(item, _) => self.told_of(*item, Action::Conflict)?.map(Into::into),
            Happened::DeletionOverruled(item) => self.told_of(*item, Action::Kept)?.map(Into::into),
            Happened::Refused(..)
            | Happened::RemovalsHeld(..)
            | Happened::DeletionsHeld(..)
            | Happened::ReversionsHeld(..)
            | Happened::MaybeSame(..) => None,
        };
        let Some(change) = change else { return Ok(()) };
        let partner = match self.part {
            Part::Server => "clients",
            Part::Client => "server",
        };
        self.history.record(&self.index, partner, &change, now_secs()).map(drop)
    }

    fn told_of(&self, item: ItemUid, action: Action) -> Result<Option<ItemChange>> {
        let record = self.index.replica().item(item)?;
        let Some(folder) = record.and_then(|record| record.folder()) else { return Ok(None) };
        let title = self.title_of(item).unwrap_or_default();
        Ok(Some(ItemChange { item, folder, action, side: Side::Here, title, before: None, after: None }))
    }

    /// Forgets what is too old, and contents that nothing needs any more.
    pub(super) fn tidy_up(&mut self, keep: Keep) -> Result<()> {
        self.history.close_quiet(&self.index, now_secs())?;
        self.index.forget_earlier_of_the_gone()?;
        let limits = history::Limits { age_max: keep.age_max, ..history::Limits::DEFAULT };
        let expired = self.index.expire_history(now_secs(), limits)?;
        if expired.is_clock_steady { self.collect_contents(keep) } else { Ok(()) }
    }

    /// Removes contents that nothing needs any more, and those that are only kept to be undone and are too old or too much.
    pub(crate) fn collect_contents(&mut self, keep: Keep) -> Result<()> {
        let mut needed: BTreeSet<NativeHash> =
            self.index.replica().conflicts()?.iter().map(|(_, conflict)| conflict.loser.version.native).collect();
        if let Some(HubRoom { index, .. }) = &self.hub {
            let mut after = Seq(0);
            loop {
                let rows = index.rows_after(after, 4096)?;
                let Some(last) = rows.last() else { break };
                after = last.seq;
                for row in rows {
                    if let RowBody::Item(state) = row.body
                        && index.item_with(state.version.native)?.is_none()
                    {
                        needed.insert(state.version.native);
                    }
                }
            }
        }
        let index = self.index.clone();
        let need = |native: NativeHash| -> std::result::Result<Need, CollectError> {
            if needed.contains(&native) {
                return Ok(Need::Now);
            }
            let since = index.before_image_kept_at(native).map_err(CollectError::Index)?;
            Ok(since.map_or(Need::Nothing, |since| Need::Undo { since }))
        };
        match self.shared.blobs.collect(now_secs(), keep, need) {
            Ok(collected) => self.index.forget_before_images(&collected.forgotten),
            Err(CollectError::Index(error)) => Err(error),
            Err(CollectError::Blobs(error)) => {
                tracing::warn!(%error, "old contents can't be removed");
                Ok(())
            }
        }
    }
}

enum CollectError {
    Index(sync::index::IndexError),
    Blobs(BlobError),
}

impl From<BlobError> for CollectError {
    fn from(error: BlobError) -> Self {
        Self::Blobs(error)
    }
}

fn encode(change: &StoreChange) -> Vec<u8> {
    postcard::to_stdvec(change).expect("changes hold nothing that postcard can't write")
}

fn decode(bytes: &[u8]) -> Option<StoreChange> {
    postcard::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_is_refused_each_time_is_told_apart_from_one_that_somebody_edits() {
        let (edited, refused) = (ItemUid([1; 16]), ItemUid([2; 16]));
        let mut overtaken = Overtaken::default();
        let refusals = |overtaken: &mut Overtaken, item, times| {
            (0..times).filter(|_| overtaken.is_always(item, &StoreError::Changed)).count()
        };
        assert_eq!(refusals(&mut overtaken, edited, OVERTAKEN_MAX - 1), 0);
        assert_eq!(refusals(&mut overtaken, refused, OVERTAKEN_MAX - 1), 0);
        // One of them was taken at last.
        overtaken.no_more(edited);
        assert_eq!(refusals(&mut overtaken, edited, OVERTAKEN_MAX - 1), 0);
        assert!(!overtaken.is_always(refused, &StoreError::Unsupported), "what says why needs no guess");
        assert!(overtaken.is_always(refused, &StoreError::NotFound));
        assert_eq!(refusals(&mut overtaken, refused, 2 * OVERTAKEN_MAX), 2, "it is tried again, and said again");
    }
}
