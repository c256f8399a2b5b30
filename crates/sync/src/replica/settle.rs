//! What became of steps is remembered.

use super::items::with_content_of;
use super::{Change, Happened, Merged, Output, Replica, Result, Step, StoreChange, wake};
use crate::{
    index::{Base, Hold, ItemRecord, Local, Remote, ReplicaIndex},
    model::{ConflictId, ItemState, Seq, Version},
    wire::{self, Frame, Outcome, Proposal, Refusal},
};
use pim::{ItemUid, Kind};

/// What became of a change in the store.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are of the large variant")]
pub enum ApplyOutcome {
    /// The store holds this now; `None`: nothing of the item.
    Done(Option<Local>),
    /// Somebody changed the item first: the store must be read again.
    Changed,
    /// There is no room.
    NoRoom,
    /// The store isn't there now.
    Unavailable,
    /// The store can't hold it; the reason's stable name.
    Refused(String),
}

impl Replica {
    /// What the hub said of an item's proposal.
    pub(super) fn item_answered(
        &mut self,
        index: &mut impl ReplicaIndex,
        item: ItemUid,
        outcome: Outcome,
    ) -> Result<()> {
        let Some(step) = self.steps.remove(&item) else { return Ok(()) };
        let mut record = index.item(item)?.unwrap_or_default();
        self.queue.push_back(item);
        self.has_item_settled = true;
        match (outcome, step) {
            (Outcome::Accepted(seq), Step::Proposed { state, local, overrules, .. }) => {
                self.own_content.remove(&item);
                let before = record.base.as_ref().map(|base| base.state.clone());
                remember_earlier(index, item, record.base.as_ref().map(|base| &base.stored), &local.state)?;
                accepted(&mut record, seq, state.clone(), &local);
                index.put_item(item, &record)?;
                if overrules {
                    self.outputs.push_back(Output::Happened(Happened::DeletionOverruled(item)));
                }
                if before.as_ref().is_none_or(|before| !before.same_as(&state)) {
                    let change = Change { item, before, after: Some(state) };
                    self.outputs.push_back(Output::Happened(Happened::There(change)));
                }
            }
            (Outcome::Accepted(seq), Step::ProposedGone) => {
                let before = record.base.take().map(|base| base.state);
                record.remote = record.remote.filter(|remote| remote.seq() > seq);
                // It was put back meanwhile: a new version, not a return from the dead.
                record.hold = record.local.is_some().then_some(Hold::Revive);
                index.put_item(item, &record)?;
                self.outputs.push_back(Output::Happened(Happened::There(Change { item, before, after: None })));
            }
            (Outcome::Stale(Some(row)), _) => self.take_row(index, row)?,
            (Outcome::Stale(None), _) => {
                record.base = None;
                record.remote = None;
                wake(&mut record);
                index.put_item(item, &record)?;
            }
            (Outcome::NeedContent(native), step @ Step::Proposed { .. }) => {
                if let Step::Proposed { local, is_merged, .. } = &step {
                    let href = (!is_merged).then(|| local.href.clone());
                    self.outputs.push_back(Output::Upload { item, native, href });
                }
                self.steps.insert(item, step);
            }
            (Outcome::MayBeTwin, Step::Proposed { planned_at, .. }) => {
                self.is_pairing_due = true;
                if index.cursor()?.is_some_and(|cursor| cursor.seq <= planned_at) {
                    // The newer rows aren't here yet.
                    self.queue.pop_back();
                    self.awaiting_rows.insert(item);
                }
            }
            (Outcome::Held, Step::ProposedGone) => {
                record.hold = Some(Hold::DeletionWaits);
                let folder = record.folder();
                index.put_item(item, &record)?;
                if let Some(folder) = folder {
                    self.outputs.push_back(Output::Happened(Happened::DeletionsHeld(folder, 1)));
                }
            }
            (Outcome::Refused(Refusal::NoSuchFolder), Step::Proposed { state, .. }) => self.need_folder(state.folder),
            (Outcome::Refused(refusal), _) => {
                let reason = refusal_name(refusal).to_owned();
                record.hold = Some(Hold::Refused(reason.clone()));
                index.put_item(item, &record)?;
                self.outputs.push_back(Output::Happened(Happened::Refused(item, reason)));
            }
            // An answer that doesn't fit the step: decided again from the index.
            _ => {}
        }
        Ok(())
    }

    /// A person decided a conflict here. Whatever of the losing edit shall live on is an ordinary version, written to the
    /// store or kept as a new item before; this only says that nobody needs to be asked any more.
    pub fn propose_conflict_resolved(&mut self, id: ConflictId) {
        self.resolved.insert(id);
        self.propose_resolved(id);
    }

    pub(super) fn propose_resolved(&mut self, id: ConflictId) {
        let subject = crate::model::Subject::Conflict(id);
        self.proposals.push(Proposal { subject, parent: Seq(0), change: wire::Change::ConflictResolved });
    }

    /// What the hub said of a conflict's proposal.
    pub(super) fn conflict_answered(
        &mut self,
        index: &mut impl ReplicaIndex,
        id: ConflictId,
        outcome: &Outcome,
    ) -> Result<()> {
        if self.resolved.remove(&id) {
            if matches!(outcome, Outcome::Accepted(_)) {
                index.put_conflict(id, None)?;
            }
            return Ok(());
        }
        let of_conflict = |step: &Step| matches!(step, Step::ConflictProposed { id: other, .. } if *other == id);
        let Some(item) = self.steps.iter().find(|(_, step)| of_conflict(step)).map(|(item, _)| *item) else {
            return Ok(());
        };
        match outcome {
            Outcome::Accepted(_) => {
                if let Some(Step::ConflictProposed { seq, result, theirs, local, .. }) = self.steps.remove(&item) {
                    self.outputs.push_back(Output::Happened(Happened::Conflict(item, id)));
                    self.continue_merge(index, item, seq, result, theirs, local)?;
                }
            }
            Outcome::NeedContent(native) => {
                if let Some(Step::ConflictProposed { local, .. }) = self.steps.get(&item) {
                    let href = Some(local.href.clone());
                    self.outputs.push_back(Output::Upload { item, native: *native, href });
                }
            }
            _ => {
                self.steps.remove(&item);
                self.queue.push_back(item);
            }
        }
        Ok(())
    }

    /// The bytes of a proposal can't be sent: the store's item changed since. It will be observed.
    pub fn upload_failed(&mut self, item: ItemUid) {
        // The step stays until the hub's last answer: it may have taken the proposal already.
        let subject = match self.steps.get(&item) {
            Some(Step::ConflictProposed { id, .. }) => Some(crate::model::Subject::Conflict(*id)),
            Some(Step::Proposed { state, local, .. }) => {
                if state.version.native != local.state.version.native {
                    // Neither side has the hub's bytes any more (its deletion is overruled): ours have to do.
                    self.own_content.insert(item);
                }
                Some(crate::model::Subject::Item(item))
            }
            _ => None,
        };
        if let Some(subject) = subject {
            self.outputs.push_back(Output::Send(Frame::Withdraw(vec![subject])));
            self.outputs.push_back(Output::ReadAgain);
        }
    }

    /// What the merge of a [`super::MergeJob`] gave; `None`: these contents can't be merged by field.
    pub fn merged(&mut self, index: &mut impl ReplicaIndex, item: ItemUid, merged: Option<Merged>) -> Result<()> {
        let Some(Step::Merging { seq, combined, theirs, local }) = self.steps.remove(&item) else { return Ok(()) };
        match merged {
            None => self.settle_whole(index, item, seq, combined, theirs, local),
            Some(Merged { state, clashes }) => {
                let result = with_content_of(combined, &state);
                if clashes.is_empty() {
                    self.continue_merge(index, item, seq, result, theirs, local)
                } else {
                    self.propose_conflict(item, clashes, seq, result, theirs, local);
                    Ok(())
                }
            }
        }
    }

    /// The merge couldn't be made: a content is gone. It is decided again when the store was read.
    pub fn merge_failed(&mut self, item: ItemUid) {
        self.steps.remove(&item);
        self.queue.extend(self.came_up.take(&item));
        self.outputs.push_back(Output::ReadAgain);
    }

    fn continue_merge(
        &mut self,
        index: &mut impl ReplicaIndex,
        item: ItemUid,
        seq: Seq,
        result: ItemState,
        theirs: ItemState,
        local: Local,
    ) -> Result<()> {
        if !result.same_as(&theirs) {
            let is_merged = result.version.native != local.state.version.native;
            return self.propose_item(index, item, seq, result, local, false, is_merged);
        }
        // Nothing of ours is left to send: the hub's version is due here.
        let mut record = index.item(item)?.unwrap_or_default();
        if record.local.as_ref().is_some_and(|now| now.state.same_as(&local.state)) {
            record.remote.get_or_insert(Remote::Live { seq, state: theirs });
            give_way(&mut record);
            index.put_item(item, &record)?;
        }
        self.queue.push_back(item);
        Ok(())
    }

    /// What became of a change in the store.
    pub fn applied(&mut self, index: &mut impl ReplicaIndex, change: StoreChange, outcome: ApplyOutcome) -> Result<()> {
        self.has_item_settled = true;
        let item = change.item();
        self.applying.remove(&item);
        self.steps.remove(&item);
        self.queue.extend(self.came_up.take(&item));
        match outcome {
            ApplyOutcome::Done(local) => {
                let happened = match (change, local) {
                    (StoreChange::Write { item, seq, state, .. }, Some(local)) => {
                        settle_written(index, item, seq, state, local)?
                    }
                    (StoreChange::Write { .. }, None) => None,
                    (StoreChange::Remove { item, seq, existing }, _) => settle_removed(index, item, seq, &existing)?,
                };
                self.outputs.extend(happened.map(|change| Output::Happened(Happened::Here(change))));
                self.queue.push_back(item);
            }
            ApplyOutcome::Changed => self.outputs.push_back(Output::ReadAgain),
            ApplyOutcome::NoRoom => self.is_out_of_room = true,
            ApplyOutcome::Unavailable => {}
            ApplyOutcome::Refused(reason) => {
                if let Some(mut record) = index.item(item)? {
                    record.hold = Some(Hold::Refused(reason.clone()));
                    index.put_item(item, &record)?;
                    self.outputs.push_back(Output::Happened(Happened::Refused(item, reason)));
                }
            }
        }
        Ok(())
    }
}

/// Both sides hold the same.
pub(super) fn agree(record: &mut ItemRecord, seq: Seq, state: ItemState) {
    let Some(local) = &record.local else { return };
    record.base = Some(Base { seq, state, stored: local.state.clone(), fields: local.fields.clone() });
    record.remote = None;
    record.hold = None;
}

/// Nothing of what the store holds is to be sent: the hub's version is due here, as if the store had been agreed on.
pub fn give_way(record: &mut ItemRecord) {
    let Some(local) = &record.local else { return };
    let (state, stored, fields) = (local.state.clone(), local.state.clone(), local.fields.clone());
    let seq = record.base.as_ref().map_or(Seq(0), |base| base.seq);
    if let Some(Base { seq, state, .. }) = record.base.take() {
        record.remote.get_or_insert(Remote::Live { seq, state });
    }
    record.base = Some(Base { seq, state, stored, fields });
    record.hold = None;
}

/// What the store held until now is an earlier state: going back to it is told apart from other edits. Mail has none.
pub(super) fn remember_earlier(
    index: &mut impl ReplicaIndex,
    item: ItemUid,
    before: Option<&ItemState>,
    now: &ItemState,
) -> Result<()> {
    match before {
        Some(before) if now.kind != Kind::Message && !before.version.same_content(&now.version) => {
            index.put_earlier(item, before.version.canon)
        }
        _ => Ok(()),
    }
}

/// Whether the store needn't be written for `theirs`: it holds the same, or what it once made of just that version.
pub(super) fn stands_for(ours: &Version, base: Option<&Base>, theirs: &Version) -> bool {
    let is_made_of = |base: &Base| ours.same_content(&base.stored.version) && theirs.same_content(&base.state.version);
    ours.same_content(theirs) || base.is_some_and(is_made_of)
}

/// The hub took `state`, made from what the store held as `local`.
pub(crate) fn accepted(record: &mut ItemRecord, seq: Seq, state: ItemState, local: &Local) {
    record.hold = None;
    let newer = record.remote.take().filter(|remote| remote.seq() > seq);
    let (stored, fields) = (local.state.clone(), local.fields.clone());
    let is_in_line = state.folder == stored.folder
        && state.flags == stored.flags
        && stands_for(&stored.version, record.base.as_ref(), &state.version);
    if is_in_line {
        record.base = Some(Base { seq, state, stored, fields });
        record.remote = newer;
    } else {
        // The hub's version holds more than was sent from here: it is due here, on top of what the store holds.
        record.base = Some(Base { seq: Seq(0), state: stored.clone(), stored, fields });
        record.remote = newer.or(Some(Remote::Live { seq, state }));
    }
}

/// Remembers that the store holds `state` now, as `local`. Also after a crash, from the intent. Tells what changed.
pub fn settle_written(
    index: &mut impl ReplicaIndex,
    item: ItemUid,
    seq: Seq,
    state: ItemState,
    local: Local,
) -> Result<Option<Change>> {
    let mut record = index.item(item)?.unwrap_or_default();
    let before = record.local.as_ref().map(|local| local.state.clone());
    remember_earlier(index, item, before.as_ref(), &local.state)?;
    let (stored, fields) = (local.state.clone(), local.fields.clone());
    record.remote = record.remote.filter(|remote| remote.seq() > seq);
    record.base = Some(Base { seq, state: state.clone(), stored, fields });
    record.local = Some(local);
    record.hold = None;
    index.put_item(item, &record)?;
    Ok(Some(Change { item, before, after: Some(state) }))
}

/// Remembers that the store doesn't hold the item any more. Also after a crash, from the intent.
pub fn settle_removed(
    index: &mut impl ReplicaIndex,
    item: ItemUid,
    seq: Seq,
    existing: &Local,
) -> Result<Option<Change>> {
    let mut record = index.item(item)?.unwrap_or_default();
    record.base = None;
    record.local = None;
    record.hold = None;
    record.remote = record.remote.filter(|remote| remote.seq() > seq);
    index.put_item(item, &record)?;
    Ok(Some(Change { item, before: Some(existing.state.clone()), after: None }))
}

const fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoSuchFolder => "no-such-folder",
        Refusal::FolderNotEmpty => "folder-not-empty",
        Refusal::Cycle => "cycle",
        Refusal::NotAllowed => "not-allowed",
        Refusal::Malformed => "malformed",
    }
}
