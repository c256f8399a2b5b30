//! Folders are made the same before what lies in them.

use super::{FolderChange, Output, Replica, Result};
use crate::{
    index::{Direction, FolderBase, FolderRecord, LocalFolder, ReplicaIndex},
    model::{FolderState, Seq, Subject},
    wire::{Change, Outcome, Proposal, Refusal},
};
use pim::FolderUid;

impl Replica {
    /// Pairs folders and puts what is due on its way, parents first.
    pub(super) fn plan_folders(&mut self, index: &mut impl ReplicaIndex) -> Result<()> {
        self.are_folders_due = false;
        self.pair_folders(index)?;
        if self.settings.is_preview {
            return Ok(());
        }
        for (uid, record) in index.folders()? {
            if !self.folder_steps.contains_key(&uid) && Self::direction_of(index, uid)? != Direction::Off {
                self.plan_folder(index, uid, record)?;
            }
        }
        Ok(())
    }

    /// A folder known on one side only may be the same as one known only on the other.
    fn pair_folders(&mut self, index: &mut impl ReplicaIndex) -> Result<()> {
        // Pairing a parent makes its children comparable, so go on until nothing pairs any more.
        loop {
            let folders = index.folders()?;
            let ours = |record: &FolderRecord| record.base.is_none() && record.remote.is_none();
            let pair = folders.iter().find_map(|(theirs, record)| {
                let (None, None, Some((seq, Some(state)))) = (&record.base, &record.local, &record.remote) else {
                    return None;
                };
                let same = folders.iter().find(|(mine, record)| {
                    ours(record)
                        && record.local.as_ref().is_some_and(|local| {
                            self.settings.folder_map.contains(&(*theirs, *mine))
                                || (is_same_folder(&local.state, state)
                                    && !self.settings.folder_map.iter().any(|(a, b)| a == theirs || b == mine))
                        })
                });
                same.map(|(mine, record)| (*theirs, *mine, *seq, state.clone(), record.clone()))
            });
            let Some((theirs, mine, seq, state, record)) = pair else { return Ok(()) };
            self.join_folders(index, theirs, mine, seq, state, record)?;
        }
    }

    fn join_folders(
        &mut self,
        index: &mut impl ReplicaIndex,
        theirs: FolderUid,
        mine: FolderUid,
        seq: Seq,
        state: FolderState,
        record: FolderRecord,
    ) -> Result<()> {
        let Some(local) = record.local else { return Ok(()) };
        let direction = index.folder(theirs)?.and_then(|record| record.direction).or(record.direction);
        let base = Some(FolderBase { seq, state, stored: local.state.clone() });
        index.put_folder(theirs, &FolderRecord { base, local: Some(local.clone()), remote: None, direction })?;
        if theirs != mine {
            index.put_folder(mine, &FolderRecord::default())?;
            index.merge_folders(mine, theirs)?;
            for (uid, mut child) in index.folders()? {
                if let Some(local) = &mut child.local
                    && local.state.parent == Some(mine)
                {
                    local.state.parent = Some(theirs);
                    if let Some(base) = &mut child.base {
                        base.stored.parent = Some(theirs);
                    }
                    index.put_folder(uid, &child)?;
                }
            }
            self.outputs.push_back(Output::MarkFolder(theirs, local.id));
        }
        self.is_pairing_due = true;
        Ok(())
    }

    fn plan_folder(&mut self, index: &mut impl ReplicaIndex, uid: FolderUid, mut record: FolderRecord) -> Result<()> {
        let direction = Self::direction_of(index, uid)?;
        match (&record.base, &record.local, &record.remote) {
            (None, Some(local), None) if direction != Direction::ToHere => {
                if self.is_parent_agreed(index, &local.state)? {
                    self.propose_folder(uid, Seq(0), local.state.clone());
                }
            }
            (None, None, Some((_, Some(state)))) if direction != Direction::ToServer => {
                if self.is_parent_here(index, state)? {
                    self.apply_folder(uid, FolderChange::Make(state.clone()), state.clone());
                }
            }
            (None, None, Some((_, None))) => index.put_folder(uid, &FolderRecord { remote: None, ..record })?,
            // Known on both sides under one uid without an agreement: after an index was lost.
            (None, Some(local), Some((seq, Some(state)))) => {
                record.base = Some(FolderBase { seq: *seq, state: state.clone(), stored: local.state.clone() });
                record.remote = None;
                index.put_folder(uid, &record)?;
                self.is_pairing_due = true;
            }
            (Some(base), Some(local), Some((seq, Some(state)))) => {
                if base.state == *state || direction == Direction::ToServer {
                    record.base = Some(FolderBase { seq: *seq, state: state.clone(), stored: base.stored.clone() });
                    record.remote = None;
                    index.put_folder(uid, &record)?;
                } else if self.is_parent_here(index, state)? {
                    self.apply_folder(uid, FolderChange::Rename(local.clone(), state.clone()), state.clone());
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
                if self.is_parent_agreed(index, &state)? {
                    self.propose_folder(uid, base.seq, state);
                }
            }
            (Some(base), None, remote) => {
                let seq = remote.as_ref().map_or(base.seq, |(seq, _)| *seq);
                match remote {
                    Some((_, None)) => index.put_folder(uid, &FolderRecord::default())?,
                    _ if direction == Direction::ToHere => {}
                    // Its items go first; while one of them rests, the folder rests with it.
                    _ if index.base_count(uid)? == 0 && !self.has_known_children(index, uid)? => {
                        self.folder_steps.insert(uid, None);
                        self.proposals.push(Proposal {
                            subject: Subject::Folder(uid),
                            parent: seq,
                            change: Change::FolderGone,
                        });
                    }
                    _ => self.do_folders_wait_for_items = true,
                }
            }
            (Some(_), Some(local), Some((seq, None))) if direction != Direction::ToServer => {
                if index.local_count(uid)? > 0 || self.has_known_children(index, uid)? {
                    if index.base_count(uid)? < index.local_count(uid)? {
                        // Something new lies in it here: the folder is needed.
                        self.propose_folder(uid, *seq, local.state.clone());
                    } else {
                        self.do_folders_wait_for_items = true;
                    }
                } else {
                    self.folder_steps.insert(uid, None);
                    self.outputs.push_back(Output::ApplyFolder(uid, FolderChange::Delete(local.clone())));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn propose_folder(&mut self, uid: FolderUid, parent: Seq, state: FolderState) {
        self.folder_steps.insert(uid, Some(state.clone()));
        self.proposals.push(Proposal { subject: Subject::Folder(uid), parent, change: Change::Folder(state) });
    }

    fn apply_folder(&mut self, uid: FolderUid, change: FolderChange, state: FolderState) {
        self.folder_steps.insert(uid, Some(state));
        self.outputs.push_back(Output::ApplyFolder(uid, change));
    }

    fn is_parent_agreed(&self, index: &impl ReplicaIndex, state: &FolderState) -> Result<bool> {
        let Some(parent) = state.parent else { return Ok(true) };
        Ok(index.folder(parent)?.is_some_and(|record| record.base.is_some()))
    }

    fn is_parent_here(&self, index: &impl ReplicaIndex, state: &FolderState) -> Result<bool> {
        let Some(parent) = state.parent else { return Ok(true) };
        Ok(index.folder(parent)?.is_some_and(|record| record.local.is_some() && record.base.is_some()))
    }

    fn has_known_children(&self, index: &impl ReplicaIndex, uid: FolderUid) -> Result<bool> {
        let is_child = |record: &FolderRecord| {
            let in_base = record.base.as_ref().is_some_and(|base| base.state.parent == Some(uid));
            in_base || record.local.as_ref().is_some_and(|local| local.state.parent == Some(uid))
        };
        Ok(index.folders()?.iter().any(|(_, record)| is_child(record)))
    }

    /// What the hub said of a folder's proposal.
    pub(super) fn folder_answered(
        &mut self,
        index: &mut impl ReplicaIndex,
        uid: FolderUid,
        outcome: Outcome,
    ) -> Result<()> {
        let Some(proposed) = self.folder_steps.remove(&uid) else { return Ok(()) };
        self.are_folders_due = true;
        let mut record = index.folder(uid)?.unwrap_or_default();
        match (outcome, proposed) {
            (Outcome::Accepted(seq), Some(state)) => {
                let stored = record.local.as_ref().map_or_else(|| state.clone(), |local| local.state.clone());
                record.base = Some(FolderBase { seq, state, stored });
                record.remote = record.remote.filter(|(newer, _)| *newer > seq);
                index.put_folder(uid, &record)?;
                self.look_again();
            }
            (Outcome::Accepted(_), None) => index.put_folder(uid, &FolderRecord::default())?,
            (Outcome::Stale(Some(row)), _) => self.take_row(index, row)?,
            (Outcome::Stale(None), _) => {
                record.base = None;
                record.remote = None;
                index.put_folder(uid, &record)?;
            }
            (Outcome::SameFolder(other), _) => {
                // Its row is on the way or here already; then both are one.
                if index.folder(other)?.is_none_or(|record| record.remote.is_none() && record.base.is_none()) {
                    self.are_folders_due = false;
                } else if let (Some(local), Some(mut twin)) = (record.local.clone(), index.folder(other)?)
                    && twin.local.is_none()
                {
                    if let Some((seq, Some(state))) = twin.remote.take() {
                        self.join_folders(
                            index,
                            other,
                            uid,
                            seq,
                            state,
                            FolderRecord { local: Some(local), ..record },
                        )?;
                    }
                } else {
                    // This computer has both: two names that its store tells apart and the hub doesn't.
                    self.are_folders_due = false;
                }
            }
            (Outcome::Refused(Refusal::FolderNotEmpty), _) => {
                // Something new lies in it at the hub: the folder comes back.
                if let Some(base) = record.base.take() {
                    record.remote.get_or_insert((base.seq, Some(base.state)));
                    index.put_folder(uid, &record)?;
                }
            }
            (_, _) => self.are_folders_due = false,
        }
        Ok(())
    }

    /// What became of a folder's change in the store: the folder as it is there now, `Ok(None)` when it is gone, or
    /// `Err` when it couldn't be done (a later reading will tell how things are).
    pub fn folder_applied(
        &mut self,
        index: &mut impl ReplicaIndex,
        uid: FolderUid,
        outcome: std::result::Result<Option<LocalFolder>, ()>,
    ) -> Result<()> {
        let planned = self.folder_steps.remove(&uid).flatten();
        let Ok(local) = outcome else { return Ok(()) };
        let mut record = index.folder(uid)?.unwrap_or_default();
        match (local, planned) {
            (Some(local), Some(state)) => {
                let seq = record.remote.as_ref().map(|(seq, _)| *seq).or(record.base.as_ref().map(|base| base.seq));
                record.base = Some(FolderBase {
                    seq: seq.unwrap_or_default(),
                    state: state.clone(),
                    stored: local.state.clone(),
                });
                record.local = Some(local);
                record.remote = record.remote.filter(|(_, newer)| newer.as_ref() != Some(&state));
                index.put_folder(uid, &record)?;
            }
            (None, _) => index.put_folder(uid, &FolderRecord::default())?,
            (Some(_), None) => {}
        }
        self.are_folders_due = true;
        self.look_again();
        Ok(())
    }
}

fn is_same_folder(ours: &FolderState, theirs: &FolderState) -> bool {
    ours.kind == theirs.kind
        && ((ours.special_use.is_some() && ours.special_use == theirs.special_use)
            || (ours.parent == theirs.parent && ours.name == theirs.name))
}
