//! Folders are made the same before what lies in them.
//!
//! A folder is deleted after its items: while one of them lives, on either side, the deletion is void and the folder
//! comes back. Where two computers renamed or moved one folder, the hub's order wins.

use super::{ChangedFolder, FolderChange, Happened, Output, Replica, Result};
use crate::{
    index::{Direction, FolderBase, FolderRecord, LocalFolder, ReplicaIndex},
    model::{FolderState, Seq, Subject},
    wire::{Change, Outcome, Proposal, Refusal},
};
use pim::{FolderKind, FolderUid, SpecialUse};
use std::collections::{BTreeMap, BTreeSet};

/// What a folder is on its way to.
#[derive(Clone, Debug)]
pub(super) enum FolderStep {
    /// The hub was asked for this, made from what the store had.
    Proposed { state: FolderState, stored: FolderState },
    /// The hub was asked to delete it.
    ProposedGone,
    /// The store shall have the hub's row.
    Applying { seq: Seq, state: FolderState },
    /// The store shall call it otherwise, before the hub hears of it.
    Renaming,
    /// The store shall have it no more.
    Removing,
}

impl FolderStep {
    /// It waits for the store rather than for the hub.
    pub(super) const fn is_in_store(&self) -> bool {
        matches!(self, Self::Applying { .. } | Self::Renaming | Self::Removing)
    }
}

/// Which folders have others in them, as far as base, store or both know.
struct Parents {
    in_base: BTreeSet<FolderUid>,
    in_store: BTreeSet<FolderUid>,
}

impl Parents {
    fn of(folders: &[(FolderUid, FolderRecord)]) -> Self {
        let in_base = folders.iter().filter_map(|(_, record)| record.base.as_ref()?.state.parent).collect();
        let in_store = folders.iter().filter_map(|(_, record)| record.local.as_ref()?.state.parent).collect();
        Self { in_base, in_store }
    }
}

impl Replica {
    /// Pairs folders and puts what is due on its way, parents first.
    pub(super) fn plan_folders(&mut self, index: &mut impl ReplicaIndex) -> Result<()> {
        self.are_folders_due = false;
        self.pair_folders(index)?;
        if self.settings.is_preview {
            return Ok(());
        }
        let folders = index.folders()?;
        let parents = Parents::of(&folders);
        for (uid, record) in folders {
            if !self.folder_steps.contains_key(&uid) && Self::direction_of(index, uid)? != Direction::Off {
                let is_there = record.base.is_some() && record.local.is_some() && !is_gone_there(&record);
                if is_there {
                    self.needed_folders.remove(&uid);
                }
                self.plan_folder(index, &parents, uid, record)?;
            }
        }
        Ok(())
    }

    /// Something live lies in the folder: if it was deleted on either side, it comes back.
    pub(super) fn need_folder(&mut self, uid: FolderUid) {
        self.are_folders_due |= self.needed_folders.insert(uid);
    }

    /// A folder known on one side only may be the same as one known only on the other.
    fn pair_folders(&mut self, index: &mut impl ReplicaIndex) -> Result<()> {
        // Pairing a parent makes its children comparable, so go on until nothing pairs any more.
        loop {
            let pairs = self.find_pairs(&index.folders()?);
            if pairs.is_empty() {
                return Ok(());
            }
            let mut renamed = BTreeMap::new();
            for (theirs, mine) in pairs {
                self.join_folders(index, theirs, mine)?;
                renamed.insert(mine, theirs);
            }
            adopt_children(index, &renamed)?;
        }
    }

    /// Pairs of (the hub's, ours).
    fn find_pairs(&self, folders: &[(FolderUid, FolderRecord)]) -> Vec<(FolderUid, FolderUid)> {
        let ours: BTreeMap<FolderUid, &FolderState> = folders
            .iter()
            .filter(|(_, record)| record.base.is_none() && record.remote.is_none())
            .filter_map(|(uid, record)| Some((*uid, &record.local.as_ref()?.state)))
            .collect();
        let mut by_name: BTreeMap<(FolderKind, Option<FolderUid>, &str), FolderUid> = BTreeMap::new();
        let mut by_use: BTreeMap<(FolderKind, SpecialUse), FolderUid> = BTreeMap::new();
        for (uid, state) in &ours {
            by_name.entry((state.kind, state.parent, &state.name)).or_insert(*uid);
            if let Some(special_use) = state.special_use {
                by_use.entry((state.kind, special_use)).or_insert(*uid);
            }
        }
        let map = &self.settings.folder_map;
        let mut taken = BTreeSet::new();
        let mut pairs = Vec::new();
        for (theirs, record) in folders {
            let (None, None, Some((_, Some(state)))) = (&record.base, &record.local, &record.remote) else { continue };
            let mapped = map.iter().find(|(hub, _)| hub == theirs).map(|(_, mine)| *mine);
            let found = match mapped {
                Some(mine) => ours.contains_key(&mine).then_some(mine),
                None => state
                    .special_use
                    .and_then(|special_use| by_use.get(&(state.kind, special_use)))
                    .or_else(|| by_name.get(&(state.kind, state.parent, &state.name)))
                    .copied()
                    .filter(|mine| map.iter().all(|(_, other)| other != mine)),
            };
            pairs.extend(found.filter(|mine| taken.insert(*mine)).map(|mine| (*theirs, mine)));
        }
        pairs
    }

    /// The folder this computer calls `mine` is the one the hub calls `theirs`.
    fn join_folders(&mut self, index: &mut impl ReplicaIndex, theirs: FolderUid, mine: FolderUid) -> Result<()> {
        let (Some(there), Some(here)) = (index.folder(theirs)?, index.folder(mine)?) else { return Ok(()) };
        let Some(local) = here.local else { return Ok(()) };
        let agreed = match (there.remote, there.base) {
            (Some((seq, Some(state))), _) => Some((seq, state)),
            (_, base) => base.map(|base| (base.seq, base.state)),
        };
        let Some((seq, state)) = agreed else { return Ok(()) };
        let base = Some(FolderBase { seq, state, stored: local.state.clone() });
        let direction = there.direction.or(here.direction);
        index.put_folder(theirs, &FolderRecord { base, local: Some(local.clone()), remote: None, direction })?;
        if theirs != mine {
            index.put_folder(mine, &FolderRecord::default())?;
            index.merge_folders(mine, theirs)?;
            self.outputs.push_back(Output::MarkFolder(theirs, local.id));
        }
        self.is_pairing_due = true;
        self.is_folder_settled = true;
        Ok(())
    }

    fn plan_folder(
        &mut self,
        index: &mut impl ReplicaIndex,
        parents: &Parents,
        uid: FolderUid,
        mut record: FolderRecord,
    ) -> Result<()> {
        let is_needed = self.needed_folders.contains(&uid);
        let direction = Self::direction_of(index, uid)?;
        match (&record.base, &record.local, &record.remote) {
            (None, Some(local), None) if direction != Direction::ToHere => {
                self.propose_folder(index, uid, Seq(0), local.state.clone(), local.state.clone())?;
            }
            (None, None, Some((seq, Some(state)))) if direction != Direction::ToServer => {
                self.apply_folder(index, uid, FolderChange::Make(state.clone()), *seq, state.clone())?;
            }
            (None, None, Some((_, None))) => index.put_folder(uid, &FolderRecord { remote: None, ..record })?,
            // Known on both sides under one uid without an agreement: after an index was lost.
            (None, Some(local), Some((seq, Some(state)))) => {
                let is_same = state.special_use.is_some() && state.special_use == local.state.special_use;
                let agreed = if is_same { state.clone() } else { local.state.clone() };
                let is_settled = agreed == *state;
                record.base = Some(FolderBase { seq: *seq, state: agreed, stored: local.state.clone() });
                record.remote = record.remote.filter(|_| !is_settled);
                index.put_folder(uid, &record)?;
                self.is_pairing_due = true;
                self.is_folder_settled = true;
                self.are_folders_due = true;
            }
            (Some(base), Some(local), Some((seq, Some(state)))) => {
                if base.state == *state || direction == Direction::ToServer {
                    record.base = Some(FolderBase { seq: *seq, state: state.clone(), stored: base.stored.clone() });
                    record.remote = None;
                    index.put_folder(uid, &record)?;
                    self.are_folders_due = true;
                } else {
                    let change = FolderChange::Rename(local.clone(), state.clone());
                    self.apply_folder(index, uid, change, *seq, state.clone())?;
                }
            }
            (Some(base), Some(local), None) if local.state != base.stored && direction != Direction::ToHere => {
                // Only what changed here is told; a name that was adapted to this store stays a local matter.
                let mut state = base.state.clone();
                if local.state.name != base.stored.name {
                    state.name.clone_from(&local.state.name);
                }
                if local.state.parent != base.stored.parent {
                    state.parent = local.state.parent;
                }
                self.propose_folder(index, uid, base.seq, state, local.state.clone())?;
            }
            (_, Some(local), Some((seq, None))) if direction != Direction::ToServer => {
                if is_needed {
                    self.propose_folder(index, uid, *seq, local.state.clone(), local.state.clone())?;
                } else if index.local_count(uid)? == 0 && !parents.in_store.contains(&uid) {
                    self.folder_steps.insert(uid, FolderStep::Removing);
                    self.outputs.push_back(Output::ApplyFolder(uid, FolderChange::Delete(local.clone())));
                } else {
                    self.do_folders_wait_for_items = true;
                }
            }
            (Some(_), None, Some((_, None))) => {
                index.put_folder(uid, &FolderRecord::default())?;
                self.are_folders_due = true;
            }
            (Some(base), None, remote) => {
                let seq = remote.as_ref().map_or(base.seq, |(seq, _)| *seq);
                let is_empty = || Ok(index.base_count(uid)? == 0 && !parents.in_base.contains(&uid));
                if is_needed {
                    self.needed_folders.remove(&uid);
                    revive(index, uid, record)?;
                    self.are_folders_due = true;
                } else if direction == Direction::ToHere {
                    // It stays at the hub, and shows as differing.
                } else if is_empty()? {
                    self.folder_steps.insert(uid, FolderStep::ProposedGone);
                    let subject = Subject::Folder(uid);
                    self.proposals.push(Proposal { subject, parent: seq, change: Change::FolderGone });
                } else {
                    // Its items go first; while one of them rests, the folder rests with it.
                    self.do_folders_wait_for_items = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn propose_folder(
        &mut self,
        index: &impl ReplicaIndex,
        uid: FolderUid,
        parent: Seq,
        state: FolderState,
        stored: FolderState,
    ) -> Result<()> {
        if let Some(above) = state.parent {
            let above_record = index.folder(above)?;
            let is_gone = above_record.as_ref().is_some_and(is_gone_there);
            if is_gone {
                self.need_folder(above);
            }
            if is_gone || above_record.is_none_or(|above| above.base.is_none()) {
                return Ok(());
            }
        }
        self.needed_folders.remove(&uid);
        self.folder_steps.insert(uid, FolderStep::Proposed { state: state.clone(), stored });
        self.proposals.push(Proposal { subject: Subject::Folder(uid), parent, change: Change::Folder(state) });
        Ok(())
    }

    fn apply_folder(
        &mut self,
        index: &impl ReplicaIndex,
        uid: FolderUid,
        change: FolderChange,
        seq: Seq,
        state: FolderState,
    ) -> Result<()> {
        if let Some(above) = state.parent {
            let is_known = index.folder(above)?.filter(|above| above.base.is_some());
            match is_known {
                Some(above) if above.local.is_some() => {}
                Some(_) => {
                    self.need_folder(above);
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
        self.folder_steps.insert(uid, FolderStep::Applying { seq, state });
        self.outputs.push_back(Output::ApplyFolder(uid, change));
        Ok(())
    }

    /// What the hub said of a folder's proposal.
    pub(super) fn folder_answered(
        &mut self,
        index: &mut impl ReplicaIndex,
        uid: FolderUid,
        outcome: Outcome,
    ) -> Result<()> {
        let Some(step) = self.folder_steps.remove(&uid) else { return Ok(()) };
        let mut record = index.folder(uid)?.unwrap_or_default();
        // What was refused for good isn't asked for again until something changes.
        let mut is_due = true;
        match (outcome, step) {
            (Outcome::Accepted(seq), FolderStep::Proposed { state, stored }) => {
                let before = record.base.as_ref().map(|base| base.state.clone());
                self.tell_folder(Happened::FolderThere, uid, before, Some(state.clone()));
                record.base = Some(FolderBase { seq, state, stored });
                record.remote = record.remote.filter(|(newer, _)| *newer > seq);
                index.put_folder(uid, &record)?;
                self.is_folder_settled = true;
            }
            (Outcome::Accepted(seq), FolderStep::ProposedGone) => {
                if record.local.is_some() {
                    // It was put back meanwhile.
                    let remote = record.remote.filter(|(newer, _)| *newer > seq).or(Some((seq, None)));
                    index.put_folder(uid, &FolderRecord { base: None, remote, ..record })?;
                    self.need_folder(uid);
                } else {
                    index.put_folder(uid, &FolderRecord::default())?;
                    self.tell_folder(Happened::FolderThere, uid, record.base.map(|base| base.state), None);
                }
            }
            (Outcome::Stale(Some(row)), _) => self.take_row(index, row)?,
            (Outcome::Stale(None), _) => {
                record.base = None;
                record.remote = None;
                index.put_folder(uid, &record)?;
            }
            (Outcome::SameFolder(other), _) => is_due = self.found_same(index, uid, record, other)?,
            (Outcome::Refused(Refusal::NoSuchFolder), FolderStep::Proposed { state, .. }) => {
                state.parent.into_iter().for_each(|parent| self.need_folder(parent));
            }
            // Something new lies in it at the hub: the folder comes back.
            (Outcome::Refused(Refusal::FolderNotEmpty), FolderStep::ProposedGone) => revive(index, uid, record)?,
            (Outcome::Refused(_), FolderStep::Proposed { .. }) => {
                is_due = false;
                if let (Some(base), Some(local)) = (record.base, record.local) {
                    // The change can't be: the store goes back to what the hub has.
                    let change = FolderChange::Rename(local, base.state.clone());
                    self.apply_folder(index, uid, change, base.seq, base.state)?;
                }
            }
            (_, _) => is_due = false,
        }
        self.are_folders_due |= is_due;
        Ok(())
    }

    /// The hub has a folder of this name already. Tells whether folders are due again.
    fn found_same(
        &mut self,
        index: &mut impl ReplicaIndex,
        mine: FolderUid,
        record: FolderRecord,
        theirs: FolderUid,
    ) -> Result<bool> {
        let (Some(local), Some(twin)) = (record.local, index.folder(theirs)?) else {
            // Its row is on the way; then both are one.
            return Ok(false);
        };
        if twin.local.is_none() {
            self.join_folders(index, theirs, mine)?;
            adopt_children(index, &BTreeMap::from([(mine, theirs)]))?;
            return Ok(true);
        }
        // This computer has both: another folder was given the name meanwhile. The new one makes way.
        let folders = index.folders()?;
        let states = |record: &FolderRecord| {
            let base = record.base.as_ref().map(|base| base.state.clone());
            let remote = record.remote.as_ref().and_then(|(_, state)| state.clone());
            [record.local.as_ref().map(|local| local.state.clone()), base, remote].into_iter().flatten().collect()
        };
        let taken: Vec<FolderState> =
            folders.iter().flat_map(|(_, record)| -> Vec<FolderState> { states(record) }).collect();
        let is_taken = |name: &str| {
            let place = (local.state.parent, local.state.kind);
            taken.iter().any(|state| (state.parent, state.kind) == place && state.name == name)
        };
        let name = (2..).map(|number| format!("{} ({number})", local.state.name)).find(|name| !is_taken(name.as_str()));
        let name = name.expect("there are fewer folders than numbers");
        self.folder_steps.insert(mine, FolderStep::Renaming);
        let state = FolderState { name, ..local.state.clone() };
        self.outputs.push_back(Output::ApplyFolder(mine, FolderChange::Rename(local, state)));
        Ok(false)
    }

    /// What became of a folder's change in the store: the folder as it is there now, `Ok(None)` when it is gone, or
    /// `Err` when it couldn't be done (a later reading will tell how things are).
    pub fn folder_applied(
        &mut self,
        index: &mut impl ReplicaIndex,
        uid: FolderUid,
        outcome: std::result::Result<Option<LocalFolder>, ()>,
    ) -> Result<()> {
        let step = self.folder_steps.remove(&uid);
        self.is_folder_settled = true;
        let Ok(local) = outcome else { return Ok(()) };
        let mut record = index.folder(uid)?.unwrap_or_default();
        if step.as_ref().is_some_and(FolderStep::is_in_store) {
            let state = |local: &LocalFolder| local.state.clone();
            self.tell_folder(Happened::FolderHere, uid, record.local.as_ref().map(state), local.as_ref().map(state));
        }
        match (step, local) {
            (Some(FolderStep::Applying { seq, state }), Some(local)) => {
                record.base = Some(FolderBase { seq, state, stored: local.state.clone() });
                record.local = Some(local);
                record.remote = record.remote.filter(|(newer, _)| *newer > seq);
            }
            (Some(FolderStep::Removing), None) => {
                record.base = None;
                record.local = None;
                record.remote = record.remote.filter(|(_, state)| state.is_some());
            }
            (_, Some(local)) => record.local = Some(local),
            (_, None) => {}
        }
        index.put_folder(uid, &record)?;
        self.are_folders_due = true;
        Ok(())
    }

    fn tell_folder(
        &mut self,
        happened: fn(ChangedFolder) -> Happened,
        folder: FolderUid,
        before: Option<FolderState>,
        after: Option<FolderState>,
    ) {
        if before != after {
            self.outputs.push_back(Output::Happened(happened(ChangedFolder { folder, before, after })));
        }
    }
}

fn is_gone_there(record: &FolderRecord) -> bool {
    matches!(record.remote, Some((_, None)))
}

/// The folder is due here again, as the hub has it.
fn revive(index: &mut impl ReplicaIndex, uid: FolderUid, mut record: FolderRecord) -> Result<()> {
    if let Some(base) = record.base.take() {
        record.remote.get_or_insert((base.seq, Some(base.state)));
    }
    index.put_folder(uid, &record)
}

/// Folders in a folder that got another uid lie in that one now.
fn adopt_children(index: &mut impl ReplicaIndex, renamed: &BTreeMap<FolderUid, FolderUid>) -> Result<()> {
    let new = |parent: Option<FolderUid>| parent.and_then(|parent| renamed.get(&parent)).copied();
    for (uid, mut child) in index.folders()? {
        let mut is_changed = false;
        let in_store = child.local.iter_mut().map(|local| &mut local.state);
        let in_base = child.base.iter_mut().map(|base| &mut base.stored);
        for state in in_store.chain(in_base) {
            if let Some(parent) = new(state.parent) {
                state.parent = Some(parent);
                is_changed = true;
            }
        }
        if is_changed {
            index.put_folder(uid, &child)?;
        }
    }
    Ok(())
}
