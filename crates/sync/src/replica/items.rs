//! Items are paired, decided on, and put on their way.

use super::{Happened, MergeJob, Output, PAGE, Replica, Result, STEPS_MAX, Step, StoreChange, Then, WANTED_BYTES_MAX};
use crate::{
    guard::Guarded,
    index::{Base, Direction, FolderRecord, Hold, ItemRecord, Local, Remote, ReplicaIndex},
    model::{Conflict, ConflictId, ItemState, Seq, Subject, Tombstone},
    pairing::{self, Candidate},
    plan::{Action, Pairing, decide},
    wire::{Change, Limits, Proposal, Want, is_item_within_bounds},
};
use pim::{Flags, FolderUid, ItemUid, Kind, NativeHash};
use std::collections::{BTreeMap, btree_map::Entry};

impl Replica {
    /// Finds out which items without a base are the same on both sides.
    pub(super) fn pair_items(&mut self, index: &mut impl ReplicaIndex) -> Result<()> {
        self.match_tombstones(index)?;
        for folder in index.folders_to_pair()? {
            let (mut locals, mut remotes) = (Vec::new(), Vec::new());
            for (uid, record) in index.unpaired_items(folder)? {
                match (&record.local, &record.remote) {
                    (Some(local), None) => locals.push(candidate(uid, &local.state)),
                    (None, Some(Remote::Live { state, .. })) => remotes.push(candidate(uid, state)),
                    _ => {}
                }
            }
            let pairing = pairing::pair(&locals, &remotes);
            for pair in pairing.pairs {
                rekey(index, pair.local, pair.remote)?;
                self.queue.push_back(pair.remote);
            }
            let maybe_same = |(ours, theirs)| Output::Happened(Happened::MaybeSame(ours, theirs));
            self.outputs.extend(pairing.uncertain.into_iter().map(maybe_same));
        }
        Ok(())
    }

    /// What is like something that was deleted elsewhere is neither sent nor deleted: a person decides.
    fn match_tombstones(&mut self, index: &mut impl ReplicaIndex) -> Result<()> {
        let tombstones = std::mem::take(&mut self.tombstones);
        if tombstones.is_empty() {
            return Ok(());
        }
        let mut by_folder = BTreeMap::<FolderUid, Vec<(ItemUid, Seq, Tombstone)>>::new();
        for (uid, seq, tombstone) in tombstones {
            by_folder.entry(tombstone.folder).or_default().push((uid, seq, tombstone));
        }
        for (folder, dead) in by_folder {
            let mut unpaired: Vec<(ItemUid, ItemRecord)> =
                index.unpaired_items(folder)?.into_iter().filter(|(_, record)| record.local.is_some()).collect();
            if unpaired.is_empty() {
                continue;
            }
            for (uid, seq, tombstone) in dead {
                let is_like = |record: &ItemRecord| {
                    record.local.as_ref().is_some_and(|local| {
                        local.state.version.canon == tombstone.canon
                            || (tombstone.identity.is_some() && local.state.identity == tombstone.identity)
                    })
                };
                if let Some(at) = unpaired.iter().position(|(_, record)| is_like(record)) {
                    let (ours, record) = unpaired.swap_remove(at);
                    let record = ItemRecord { remote: Some(Remote::Gone { seq, tombstone }), ..record };
                    if ours != uid {
                        index.put_item(ours, &ItemRecord::default())?;
                    }
                    index.put_item(uid, &record)?;
                    self.queue.push_back(uid);
                }
            }
        }
        Ok(())
    }

    /// Decides on items until enough is on its way. `is_whole`: both stores are read, so what only one side has is new.
    pub(super) fn plan_items(&mut self, index: &mut impl ReplicaIndex, is_whole: bool, now_secs: u64) -> Result<()> {
        let mut folders = Folders::default();
        let (mut removals, mut reversions) = (Vec::new(), Vec::new());
        while self.steps.len() < STEPS_MAX && self.wanted_bytes < WANTED_BYTES_MAX {
            if self.queue.is_empty() && !self.load_page(index)? {
                break;
            }
            let Some(item) = self.queue.pop_front() else { break };
            if self.steps.contains_key(&item) || self.applying.contains(&item) {
                self.came_up.insert(item);
                continue;
            }
            let Some(record) = index.item(item)? else { continue };
            let Some(folder) = record.folder() else { continue };
            if !is_whole && self.may_have_twin(index, &mut folders, &record, folder)? {
                self.is_any_awaiting_reading = true;
                continue;
            }
            let direction = folders.direction(index, folder)?;
            self.going_back.remove(&item);
            match decide(&record, direction, self.settings.pairing) {
                Action::Rest => {}
                Action::Remove { seq, tombstone } => removals.push((item, record, seq, tombstone)),
                action if is_sent(&action) && is_reversion(index, item, &record)? => {
                    if self.is_store_still {
                        reversions.push((item, folder, record, action));
                    } else {
                        self.going_back.insert(item);
                    }
                }
                action => self.begin(index, &mut folders, item, record, action)?,
            }
        }
        self.is_store_still &= !self.queue.is_empty();
        self.begin_reversions(index, &mut folders, reversions, now_secs)?;
        self.begin_removals(index, removals, now_secs)
    }

    /// Sends what went back to an earlier state, as far as it isn't so much that it looks like a restored backup.
    fn begin_reversions(
        &mut self,
        index: &mut impl ReplicaIndex,
        folders: &mut Folders,
        reversions: Vec<(ItemUid, FolderUid, ItemRecord, Action)>,
        now_secs: u64,
    ) -> Result<()> {
        if reversions.is_empty() {
            return Ok(());
        }
        let asked: Vec<FolderUid> = reversions.iter().map(|(_, folder, ..)| *folder).collect();
        let (sizes, total) = (sizes_of(index, &asked)?, index.base_total()?);
        let mut guard = index.guard(Guarded::Reversions)?;
        let verdicts = guard.admit(now_secs, &asked, &|folder| sizes.get(&folder).copied().unwrap_or(0), total);
        index.set_guard(Guarded::Reversions, &guard)?;
        let mut held = BTreeMap::<FolderUid, u64>::new();
        for ((item, folder, mut record, action), may_pass) in reversions.into_iter().zip(verdicts) {
            // What may pass isn't asked for once more when it is sent again after a cut.
            record.hold = Some(if may_pass { Hold::Approved } else { Hold::ReversionWaits });
            index.put_item(item, &record)?;
            if may_pass {
                self.begin(index, folders, item, record, action)?;
            } else {
                *held.entry(folder).or_default() += 1;
            }
        }
        let said = |(folder, count)| Output::Happened(Happened::ReversionsHeld(folder, count));
        self.outputs.extend(held.into_iter().map(said));
        Ok(())
    }

    /// Whether an item that only one side has may find its twin once both stores are read.
    fn may_have_twin(
        &self,
        index: &impl ReplicaIndex,
        folders: &mut Folders,
        record: &ItemRecord,
        folder: FolderUid,
    ) -> Result<bool> {
        Ok(match (&record.base, &record.local, &record.remote) {
            // A message needn't wait where the hub has none without its twin: should the hub get one meanwhile, it says so.
            (None, Some(local), None) => {
                local.state.kind != Kind::Message
                    || self.settings.pairing != Pairing::Combine
                    || folders.has_strangers_there(index, folder)?
            }
            // While the hub's store is read, a folder without strangers needn't wait; while ours is, nobody knows yet
            // what it has.
            (None, None, Some(_)) => self.is_own_reading || folders.has_strangers(index, folder)?,
            _ => false,
        })
    }

    fn load_page(&mut self, index: &impl ReplicaIndex) -> Result<bool> {
        if self.is_loaded {
            return Ok(false);
        }
        let page = index.dirty_items(self.loaded_upto, PAGE)?;
        self.is_loaded = page.len() < PAGE;
        self.loaded_upto = page.last().copied().or(self.loaded_upto);
        self.queue.extend(page);
        Ok(!self.queue.is_empty())
    }

    fn begin(
        &mut self,
        index: &mut impl ReplicaIndex,
        folders: &mut Folders,
        item: ItemUid,
        mut record: ItemRecord,
        action: Action,
    ) -> Result<()> {
        match action {
            Action::Rest | Action::Remove { .. } => {}
            Action::Agree { seq, state } => {
                if let (Some(base), Some(local)) = (&record.base, &record.local) {
                    super::settle::remember_earlier(index, item, Some(&base.stored), &local.state)?;
                }
                super::settle::agree(&mut record, seq, state);
                index.put_item(item, &record)?;
                self.has_item_settled = true;
            }
            Action::Forget => {
                index.put_item(item, &ItemRecord { local: record.local, ..ItemRecord::default() })?;
                self.has_item_settled = true;
            }
            Action::Hold(hold) => {
                if record.hold.as_ref() != Some(&hold) {
                    record.hold = Some(hold);
                    index.put_item(item, &record)?;
                }
            }
            Action::Send { parent, state, overrules } => {
                let Some(local) = record.local else { return Ok(()) };
                let state = if self.own_content.contains(&item) { with_content_of(state, &local.state) } else { state };
                if !is_item_within_bounds(&state) {
                    let reason = "past-bounds".to_owned();
                    let hold = Some(Hold::Refused(reason.clone()));
                    index.put_item(item, &ItemRecord { local: Some(local), hold, ..record })?;
                    self.outputs.push_back(Output::Happened(Happened::Refused(item, reason)));
                    return Ok(());
                }
                // An item whose folder isn't agreed yet comes up again when it is.
                if folders.is_agreed(index, state.folder)? {
                    self.propose_item(index, item, parent, state, local, overrules, false)?;
                } else {
                    self.need_folder(state.folder);
                }
            }
            Action::SendGone { parent, approved } => {
                self.steps.insert(item, Step::ProposedGone);
                let change = Change::ItemGone { approved };
                self.proposals.push(Proposal { subject: Subject::Item(item), parent, change });
            }
            Action::Take { seq, state } => {
                if !folders.is_here(index, state.folder)? {
                    self.need_folder(state.folder);
                } else if !self.is_out_of_room {
                    self.take(item, record, seq, state);
                }
            }
            Action::Merge { seq, combined, theirs } => self.begin_merge(index, item, record, seq, combined, theirs)?,
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // One proposal has that many facts, and they are named at the one place they meet.
    pub(super) fn propose_item(
        &mut self,
        index: &impl ReplicaIndex,
        item: ItemUid,
        parent: Seq,
        state: ItemState,
        local: Local,
        overrules: bool,
        is_merged: bool,
    ) -> Result<()> {
        let planned_at = index.cursor()?.map(|cursor| cursor.seq).unwrap_or_default();
        let change = Change::Item { state: state.clone(), planned_at };
        self.steps.insert(item, Step::Proposed { state, local, planned_at, overrules, is_merged });
        self.proposals.push(Proposal { subject: Subject::Item(item), parent, change });
        Ok(())
    }

    fn take(&mut self, item: ItemUid, record: ItemRecord, seq: Seq, state: ItemState) {
        // What the store made of a version stands for that version, even if it isn't the same to the letter.
        let is_content_here = record
            .local
            .as_ref()
            .is_some_and(|local| super::settle::stands_for(&local.state.version, record.base.as_ref(), &state.version));
        if is_content_here {
            self.get_ready(StoreChange::Write { item, seq, state, existing: record.local, with_content: false });
        } else {
            let existing = record.local;
            self.want(item, seq, state, Then::Write { existing });
        }
    }

    fn get_ready(&mut self, change: StoreChange) {
        self.steps.insert(change.item(), Step::Ready);
        if let StoreChange::Write { state, with_content: true, .. } = &change {
            self.ready_bytes += state.version.size;
        }
        self.ready.push(change);
        if self.ready.len() >= super::GROUP_ITEMS_MAX || self.ready_bytes >= super::GROUP_BYTES_MAX {
            self.flush_ready();
        }
    }

    fn want(&mut self, item: ItemUid, seq: Seq, state: ItemState, then: Then) {
        let native = state.version.native;
        match self.wanted.entry(native) {
            Entry::Occupied(mut entry) => drop(entry.get_mut().insert(item)),
            Entry::Vacant(entry) => {
                entry.insert([item].into());
                self.wanted_bytes += state.version.size;
                self.wants.push(Want { item, native, offset: 0 });
            }
        }
        self.steps.insert(item, Step::Wanted { seq, state, then });
    }

    /// Content arrived that was wanted; its bytes are here and equal their hash.
    pub fn received(&mut self, native: NativeHash) {
        for item in self.wanted.remove(&native).unwrap_or_default() {
            let Some(Step::Wanted { seq, state, then }) = self.steps.remove(&item) else { continue };
            self.wanted_bytes = self.wanted_bytes.saturating_sub(state.version.size);
            match then {
                Then::Write { existing } => {
                    self.get_ready(StoreChange::Write { item, seq, state, existing, with_content: true });
                }
                Then::Merge { combined, local, base } => {
                    let step = Step::Merging { seq, combined, theirs: state.clone(), local: local.clone() };
                    self.steps.insert(item, step);
                    self.outputs.push_back(Output::Merge(MergeJob { item, ours: local, theirs: state, base }));
                }
            }
        }
        if self.wanted.is_empty() {
            self.wanted_bytes = 0;
        }
    }

    /// Content can't be had now. Either a newer row comes, or the item is due again at the next complete look.
    pub(super) fn unavailable(&mut self, native: NativeHash) {
        for item in self.wanted.remove(&native).unwrap_or_default() {
            if let Some(Step::Wanted { state, .. }) = self.steps.remove(&item) {
                self.wanted_bytes = self.wanted_bytes.saturating_sub(state.version.size);
                self.unavailable.insert(item);
            }
        }
    }

    fn begin_merge(
        &mut self,
        index: &mut impl ReplicaIndex,
        item: ItemUid,
        mut record: ItemRecord,
        seq: Seq,
        combined: ItemState,
        theirs: ItemState,
    ) -> Result<()> {
        let Some(local) = record.local.clone() else { return Ok(()) };
        if local.state.kind == Kind::Message && record.base.is_none() {
            // One mail fetched by two computers: the same to a person. Both keep their bytes, nothing is rewritten.
            // What each side marked counts as marked since.
            let (state, stored) = (unmarked(&theirs), unmarked(&local.state));
            record.base = Some(Base { seq: Seq(0), state, stored, fields: None });
            record.remote = Some(Remote::Live { seq, state: theirs });
            index.put_item(item, &record)?;
            self.queue.push_back(item);
            return Ok(());
        }
        if local.fields.is_none() {
            return self.settle_whole(index, item, seq, combined, theirs, local);
        }
        let base = record.base.and_then(|base| base.fields).unwrap_or_default();
        self.want(item, seq, theirs, Then::Merge { combined, local, base });
        Ok(())
    }

    /// There is nothing to merge by field. What only changed here is sent as a whole; where both sides changed, the hub's
    /// version stays and ours is kept as a conflict.
    pub(super) fn settle_whole(
        &mut self,
        index: &impl ReplicaIndex,
        item: ItemUid,
        seq: Seq,
        combined: ItemState,
        theirs: ItemState,
        local: Local,
    ) -> Result<()> {
        let base = index.item(item)?.and_then(|record| record.base);
        if base.is_some_and(|base| base.state.version.same_content(&theirs.version)) {
            let state = with_content_of(combined, &local.state);
            self.propose_item(index, item, seq, state, local, false, false)
        } else {
            let result = ItemState { version: theirs.version, ..combined };
            self.propose_conflict(item, vec!["content".into()], seq, result, theirs, local);
            Ok(())
        }
    }

    pub(super) fn propose_conflict(
        &mut self,
        item: ItemUid,
        mut fields: Vec<String>,
        seq: Seq,
        result: ItemState,
        theirs: ItemState,
        local: Local,
    ) {
        // The names are for people; whoever compares both versions sees every field.
        while fields.len() > Limits::FLAGS || fields.iter().map(String::len).sum::<usize>() > Limits::NAME_BYTES {
            fields.pop();
        }
        let id = ConflictId::of(item, &local.state.version);
        let loser = local.state.clone();
        // Who made it and when is the hub's to say.
        let conflict = Conflict { item, loser, fields, made_by: crate::model::ReplicaId([0; 16]), at: 0 };
        self.steps.insert(item, Step::ConflictProposed { id, seq, result, theirs, local });
        let change = Change::Conflict(conflict);
        self.proposals.push(Proposal { subject: Subject::Conflict(id), parent: Seq(0), change });
    }

    fn begin_removals(
        &mut self,
        index: &mut impl ReplicaIndex,
        removals: Vec<(ItemUid, ItemRecord, Seq, Option<Tombstone>)>,
        now_secs: u64,
    ) -> Result<()> {
        if removals.is_empty() {
            return Ok(());
        }
        let needs_guard = |record: &ItemRecord, tombstone: &Option<Tombstone>| {
            record.hold != Some(Hold::Approved) && tombstone.is_some_and(|tombstone| !tombstone.approved)
        };
        let mut guard = index.guard(Guarded::Deletions)?;
        let total = index.base_total()?;
        let mut by_time = BTreeMap::<u64, Vec<(ItemUid, FolderUid)>>::new();
        for (item, record, _, tombstone) in &removals {
            if needs_guard(record, tombstone) {
                let folder = record.folder().expect("an item to remove lies in a folder");
                // Deletions count when they were made, not when they are heard of: weeks of them aren't one flood.
                let at = tombstone.map_or(now_secs, |tombstone| tombstone.at.min(now_secs));
                by_time.entry(at).or_default().push((*item, folder));
            }
        }
        let sizes = sizes_of(index, by_time.values().flatten().map(|(_, folder)| folder))?;
        let mut held = std::collections::BTreeSet::new();
        for (at, group) in by_time {
            let folders: Vec<FolderUid> = group.iter().map(|(_, folder)| *folder).collect();
            let verdicts = guard.admit(at, &folders, &|folder| sizes.get(&folder).copied().unwrap_or(0), total);
            held.extend(group.iter().zip(verdicts).filter(|(_, may_pass)| !may_pass).map(|((item, _), _)| *item));
        }
        index.set_guard(Guarded::Deletions, &guard)?;
        let mut held_by_folder = BTreeMap::<FolderUid, u64>::new();
        for (item, mut record, seq, tombstone) in removals {
            if needs_guard(&record, &tombstone) && !held.contains(&item) {
                // It isn't counted once more when a crash comes before it is carried out.
                record.hold = Some(Hold::Approved);
                index.put_item(item, &record)?;
            }
            if held.contains(&item) {
                *held_by_folder.entry(record.folder().expect("as above")).or_default() += 1;
                record.hold = Some(Hold::RemovalWaits);
                index.put_item(item, &record)?;
            } else if let Some(existing) = record.local {
                self.get_ready(StoreChange::Remove { item, seq, existing });
            }
        }
        let said = |(folder, count)| Output::Happened(Happened::RemovalsHeld(folder, count));
        self.outputs.extend(held_by_folder.into_iter().map(said));
        Ok(())
    }
}

/// How many items each of these folders had at the last agreement.
fn sizes_of<'a>(
    index: &impl ReplicaIndex,
    folders: impl IntoIterator<Item = &'a FolderUid>,
) -> Result<BTreeMap<FolderUid, u64>> {
    let mut sizes = BTreeMap::new();
    for folder in folders {
        if let Entry::Vacant(entry) = sizes.entry(*folder) {
            entry.insert(index.base_count(*folder)?);
        }
    }
    Ok(sizes)
}

/// Whether the action makes the store's content count at the hub.
const fn is_sent(action: &Action) -> bool {
    matches!(action, Action::Send { .. } | Action::Merge { .. })
}

/// Whether the store went back: it holds what it held before, or less than half of what was agreed on.
fn is_reversion(index: &impl ReplicaIndex, item: ItemUid, record: &ItemRecord) -> Result<bool> {
    let (Some(base), Some(local)) = (&record.base, &record.local) else { return Ok(false) };
    let (before, now) = (&base.stored.version, &local.state.version);
    if local.state.kind == Kind::Message || record.hold == Some(Hold::Approved) || now.same_content(before) {
        return Ok(false);
    }
    Ok(now.size < before.size / 2 || index.was_earlier(item, now.canon)?)
}

/// Gives the item that this computer calls `ours` the uid the hub has for it.
fn rekey(index: &mut impl ReplicaIndex, ours: ItemUid, theirs: ItemUid) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    let (Some(mine), Some(record)) = (index.item(ours)?, index.item(theirs)?) else { return Ok(()) };
    index.put_item(ours, &ItemRecord::default())?;
    index.put_item(theirs, &ItemRecord { local: mine.local, ..record })
}

/// `state` with the content of another.
pub(super) fn with_content_of(state: ItemState, content: &ItemState) -> ItemState {
    let ItemState { kind, version, identity, lookalikes, .. } = content.clone();
    ItemState { kind, version, identity, lookalikes, ..state }
}

fn unmarked(state: &ItemState) -> ItemState {
    ItemState { flags: Flags::default(), ..state.clone() }
}

fn candidate(uid: ItemUid, state: &ItemState) -> Candidate {
    Candidate {
        uid,
        kind: state.kind,
        version: state.version,
        identity: state.identity,
        lookalikes: state.lookalikes.clone(),
    }
}

/// What one round of planning asks of folders, looked up once.
#[derive(Default)]
struct Folders {
    known: BTreeMap<FolderUid, (Direction, Option<FolderRecord>)>,
    strangers: BTreeMap<FolderUid, bool>,
    to_pair: Option<Vec<FolderUid>>,
}

impl Folders {
    fn look_up(&mut self, index: &impl ReplicaIndex, folder: FolderUid) -> Result<&(Direction, Option<FolderRecord>)> {
        Ok(match self.known.entry(folder) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert((Replica::direction_of(index, folder)?, index.folder(folder)?)),
        })
    }

    fn direction(&mut self, index: &impl ReplicaIndex, folder: FolderUid) -> Result<Direction> {
        Ok(self.look_up(index, folder)?.0)
    }

    /// Whether the store holds items there that may still find their twins.
    fn has_strangers(&mut self, index: &impl ReplicaIndex, folder: FolderUid) -> Result<bool> {
        Ok(match self.strangers.entry(folder) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => *entry.insert(index.local_count(folder)? > index.base_count(folder)?),
        })
    }

    /// Whether the hub holds items there that may still find their twins, given that the store does.
    fn has_strangers_there(&mut self, index: &impl ReplicaIndex, folder: FolderUid) -> Result<bool> {
        let to_pair = match self.to_pair.take() {
            Some(known) => known,
            None => index.folders_to_pair()?,
        };
        Ok(self.to_pair.insert(to_pair).contains(&folder))
    }

    fn is_agreed(&mut self, index: &impl ReplicaIndex, folder: FolderUid) -> Result<bool> {
        let record = &self.look_up(index, folder)?.1;
        Ok(record.as_ref().is_some_and(|record| record.base.is_some() && !matches!(record.remote, Some((_, None)))))
    }

    fn is_here(&mut self, index: &impl ReplicaIndex, folder: FolderUid) -> Result<bool> {
        let record = &self.look_up(index, folder)?.1;
        Ok(record.as_ref().is_some_and(|record| record.base.is_some() && record.local.is_some()))
    }
}
