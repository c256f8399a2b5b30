//! What is due for one item: a pure decision from base, local and remote.
//!
//! States are observations, not queued work: deciding twice gives the same answer, and an answer that was carried out
//! leaves a record for which nothing is due.

use crate::{
    index::{Base, Direction, Hold, ItemRecord, Local, Remote},
    model::{ItemState, Seq, Tombstone},
};
use pim::{Flags, Kind};

/// What the first synchronization does with items that only one side has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Pairing {
    /// Each side gets what only the other has.
    #[default]
    Combine,
    /// This computer becomes a copy of the server: what is only here goes to its trash.
    TakeServer,
    /// The server becomes a copy of this computer, if its owner agreed.
    TakeClient,
}

/// What is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Nothing.
    Rest,
    /// Both sides hold the same: remember that.
    Agree {
        /// The hub's row.
        seq: Seq,
        /// The hub's version.
        state: ItemState,
    },
    /// Nothing is left on either side.
    Forget,
    /// Propose this version to the hub.
    Send {
        /// The row it replaces.
        parent: Seq,
        /// The version.
        state: ItemState,
        /// It overrules a deletion.
        overrules: bool,
    },
    /// Propose to delete the item at the hub.
    SendGone {
        /// The row it replaces.
        parent: Seq,
        /// The guard was passed already, by a person.
        approved: bool,
    },
    /// Make the store hold the hub's version.
    Take {
        /// The hub's row.
        seq: Seq,
        /// The hub's version.
        state: ItemState,
    },
    /// Delete the item from the store.
    Remove {
        /// The hub's row.
        seq: Seq,
        /// The deletion at the hub; `None` when this side is taken over.
        tombstone: Option<Tombstone>,
    },
    /// Both sides changed the content: merge field by field.
    Merge {
        /// The hub's row.
        seq: Seq,
        /// The hub's version, with flags and folder already merged.
        combined: ItemState,
        /// The hub's version as it is.
        theirs: ItemState,
    },
    /// Let the item rest.
    Hold(Hold),
}

/// Decides what is due.
#[must_use]
pub fn decide(record: &ItemRecord, direction: Direction, pairing: Pairing) -> Action {
    // What a direction forbade is looked at again: the direction may be another one now.
    let rests = |hold: &Hold| hold.rests() && *hold != Hold::Direction;
    if record.hold.as_ref().is_some_and(rests) || !record.is_dirty() || direction == Direction::Off {
        return Action::Rest;
    }
    let action = match (&record.base, &record.local, &record.remote) {
        (Some(base), Some(local), None) if record.is_rewritten() => return rewritten(base, local, direction),
        (None, None, None) => Action::Rest,
        (None, None, Some(Remote::Gone { .. })) => Action::Forget,
        (None, Some(local), None) => first_here(local, pairing),
        (None, None, Some(Remote::Live { seq, state })) => first_there(*seq, state, pairing),
        (None, Some(local), Some(Remote::Live { seq, state })) => pair(local, *seq, state, pairing),
        (None, Some(local), Some(Remote::Gone { seq, tombstone })) => returned(record, local, *seq, *tombstone),
        (Some(base), local, remote) => three_way(record, base, local.as_ref(), remote.as_ref()),
    };
    permit(action, record, direction)
}

fn first_here(local: &Local, pairing: Pairing) -> Action {
    match pairing {
        Pairing::TakeServer => Action::Remove { seq: Seq(0), tombstone: None },
        Pairing::Combine | Pairing::TakeClient => {
            Action::Send { parent: Seq(0), state: local.state.clone(), overrules: false }
        }
    }
}

fn first_there(seq: Seq, state: &ItemState, pairing: Pairing) -> Action {
    match pairing {
        Pairing::TakeClient => Action::SendGone { parent: seq, approved: true },
        Pairing::Combine | Pairing::TakeServer => Action::Take { seq, state: state.clone() },
    }
}

fn pair(local: &Local, seq: Seq, theirs: &ItemState, pairing: Pairing) -> Action {
    match pairing {
        Pairing::TakeServer => take_or_agree(local, seq, theirs),
        Pairing::TakeClient if !local.state.same_as(theirs) => {
            Action::Send { parent: seq, state: local.state.clone(), overrules: false }
        }
        Pairing::Combine | Pairing::TakeClient => {
            let combined = ItemState {
                flags: Flags::merge(&Flags::default(), &local.state.flags, &theirs.flags),
                ..theirs.clone()
            };
            join(local, seq, combined, theirs)
        }
    }
}

/// Nothing changed for a person, but the bytes the hub was told of may be nowhere any more. It takes the new ones if so.
fn rewritten(base: &Base, local: &Local, direction: Direction) -> Action {
    let was_the_hubs = base.stored.version.native == base.state.version.native;
    if was_the_hubs && direction != Direction::ToHere {
        let state = ItemState { version: local.state.version, ..base.state.clone() };
        Action::Send { parent: base.seq, state, overrules: false }
    } else {
        Action::Agree { seq: base.seq, state: base.state.clone() }
    }
}

/// It was deleted elsewhere before this index began, and it is here: a person decides.
fn returned(record: &ItemRecord, local: &Local, seq: Seq, tombstone: Tombstone) -> Action {
    match record.hold {
        Some(Hold::Revive) => Action::Send { parent: seq, state: local.state.clone(), overrules: true },
        Some(Hold::Approved) => Action::Remove { seq, tombstone: Some(tombstone) },
        _ => Action::Hold(Hold::DeletedElsewhere),
    }
}

fn three_way(record: &ItemRecord, base: &Base, local: Option<&Local>, remote: Option<&Remote>) -> Action {
    let Some(local) = local else {
        return match remote {
            None => Action::SendGone { parent: base.seq, approved: record.hold == Some(Hold::Approved) },
            Some(Remote::Gone { .. }) => Action::Forget,
            Some(Remote::Live { seq, state }) if overrules_deletion(&base.state, state) => {
                Action::Take { seq: *seq, state: state.clone() }
            }
            Some(Remote::Live { seq, .. }) => {
                Action::SendGone { parent: *seq, approved: record.hold == Some(Hold::Approved) }
            }
        };
    };
    let is_changed_here = !local.state.same_as(&base.stored);
    let is_content_changed = !local.state.version.same_content(&base.stored.version);
    // The store holds less than the hub: only what differs from the stored state is patched onto the hub's version.
    let holds_other = !base.stored.version.same_content(&base.state.version);
    match remote {
        None if is_content_changed && holds_other => {
            let combined = ItemState { version: base.state.version, ..carried_over(base, local, &base.state) };
            Action::Merge { seq: base.seq, combined, theirs: base.state.clone() }
        }
        None if is_changed_here => {
            Action::Send { parent: base.seq, state: carried_over(base, local, &base.state), overrules: false }
        }
        None => Action::Rest,
        Some(Remote::Gone { seq, .. })
            if record.hold == Some(Hold::Revive)
                || (is_changed_here && overrules_deletion(&base.stored, &local.state)) =>
        {
            Action::Send { parent: *seq, state: carried_over(base, local, &base.state), overrules: true }
        }
        Some(Remote::Gone { seq, tombstone }) => Action::Remove { seq: *seq, tombstone: Some(*tombstone) },
        Some(Remote::Live { seq, state }) if !is_changed_here => {
            if state.same_as(&base.state) {
                Action::Agree { seq: *seq, state: state.clone() }
            } else {
                Action::Take { seq: *seq, state: state.clone() }
            }
        }
        Some(Remote::Live { seq, state: theirs }) => {
            let combined = carried_over(base, local, theirs);
            if is_content_changed && (holds_other || !theirs.version.same_content(&base.state.version)) {
                // carried_over took our content; the merge decides about that.
                let combined = ItemState { version: theirs.version, ..combined };
                join(local, *seq, combined, theirs)
            } else if combined.same_as(theirs) {
                take_or_agree(local, *seq, theirs)
            } else {
                Action::Send { parent: *seq, state: combined, overrules: false }
            }
        }
    }
}

/// The hub's version with what changed here since the base: content, flags and folder each by themselves.
fn carried_over(base: &Base, local: &Local, theirs: &ItemState) -> ItemState {
    let mut state = theirs.clone();
    if !local.state.version.same_content(&base.stored.version) {
        let ItemState { kind, version, identity, lookalikes, .. } = local.state.clone();
        state = ItemState { kind, version, identity, lookalikes, ..state };
    }
    state.flags = Flags::merge(&base.stored.flags, &local.state.flags, &theirs.flags);
    // The folder is a field without conflict: where both moved the item, the hub's order wins.
    if local.state.folder != base.stored.folder && theirs.folder == base.state.folder {
        state.folder = local.state.folder;
    }
    state
}

/// Both sides hold the item, `combined` settles all but the content.
fn join(local: &Local, seq: Seq, combined: ItemState, theirs: &ItemState) -> Action {
    if !local.state.version.same_content(&theirs.version) {
        Action::Merge { seq, combined, theirs: theirs.clone() }
    } else if combined.same_as(theirs) {
        take_or_agree(local, seq, theirs)
    } else {
        Action::Send { parent: seq, state: combined, overrules: false }
    }
}

fn take_or_agree(local: &Local, seq: Seq, theirs: &ItemState) -> Action {
    if local.state.same_as(theirs) {
        Action::Agree { seq, state: theirs.clone() }
    } else {
        Action::Take { seq, state: theirs.clone() }
    }
}

/// For mail only new content or another folder overrules a deletion; a read mark doesn't.
fn overrules_deletion(before: &ItemState, after: &ItemState) -> bool {
    after.kind != Kind::Message || after.folder != before.folder || !after.version.same_content(&before.version)
}

/// What the folder's direction forbids rests and is shown as "differs"; a change on the leading side wins.
fn permit(action: Action, record: &ItemRecord, direction: Direction) -> Action {
    match (direction, action) {
        (Direction::ToHere, Action::Send { .. } | Action::Merge { .. } | Action::SendGone { .. }) => {
            match &record.remote {
                Some(Remote::Live { seq, state }) => match &record.local {
                    Some(local) => take_or_agree(local, *seq, state),
                    None => Action::Take { seq: *seq, state: state.clone() },
                },
                Some(Remote::Gone { seq, tombstone }) if record.local.is_some() && record.base.is_some() => {
                    Action::Remove { seq: *seq, tombstone: Some(*tombstone) }
                }
                _ => Action::Hold(Hold::Direction),
            }
        }
        (Direction::ToServer, Action::Take { .. } | Action::Remove { .. } | Action::Merge { .. }) => {
            match (&record.local, &record.remote) {
                (Some(local), Some(remote)) if record.is_changed_here() => {
                    Action::Send { parent: remote.seq(), state: local.state.clone(), overrules: true }
                }
                _ => Action::Hold(Hold::Direction),
            }
        }
        (_, action) => action,
    }
}

#[cfg(test)]
mod tests;
