//! What a reading of the store says is written down: which known item each listed one is, and which are gone.

use crate::{
    identify::{Identified, Known, Match, Seen, identify},
    index::{FolderRecord, IndexError, ItemRecord, Local, LocalFolder, ReplicaIndex},
    replica::wake,
};
use pim::{FolderUid, ItemUid};

/// An item as the store lists it and as its content was examined; `uid` only where the store holds uids.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The uid that the store holds with the item.
    pub uid: Option<ItemUid>,
    /// Changed content under a known name is another item (Maildir).
    pub is_content_immutable: bool,
    /// What the store holds.
    pub local: Local,
}

/// Writes down what was found under names that weren't known, given the known items whose names were not listed any more.
///
/// `fresh` gives a random uid for each new item. Returns the items that changed, and the vanished ones that nothing
/// was found for: those may be deleted.
pub fn observe(
    index: &mut impl ReplicaIndex,
    vanished: &[(ItemUid, Local)],
    appeared: Vec<Observation>,
    mut fresh: impl FnMut() -> ItemUid,
) -> Result<(Vec<ItemUid>, Vec<ItemUid>), IndexError> {
    let known: Vec<Known> = vanished.iter().map(|(uid, local)| known(*uid, local)).collect();
    let seen: Vec<Seen> = appeared.iter().map(seen).collect();
    let Identified { matches, gone } = identify(&known, &seen);
    let mut changed = Vec::new();
    for (found, observation) in matches.into_iter().zip(appeared) {
        let uid = match found {
            Match::Same(uid) | Match::Moved(uid) => uid,
            // A uid that the store holds and nobody uses here was given before this index began.
            Match::New => match observation.uid {
                Some(uid) if index.item(uid)?.is_none_or(|record| record.local.is_none() && record.base.is_none()) => {
                    uid
                }
                _ => fresh(),
            },
        };
        if set_local(index, uid, Some(observation.local))? {
            changed.push(uid);
        }
    }
    Ok((changed, gone))
}

/// Writes down what the store holds of an item now. Tells whether that is something else than before.
pub fn set_local(index: &mut impl ReplicaIndex, uid: ItemUid, local: Option<Local>) -> Result<bool, IndexError> {
    let mut record: ItemRecord = index.item(uid)?.unwrap_or_default();
    if record.local == local {
        return Ok(false);
    }
    let state = |local: &Option<Local>| local.as_ref().map(|local| local.state.clone());
    let is_changed = state(&record.local) != state(&local);
    if is_changed {
        wake(&mut record);
    }
    record.local = local;
    index.put_item(uid, &record)?;
    Ok(is_changed)
}

/// Writes down what the store has of a folder now. Tells whether that is something else than before.
pub fn set_local_folder(
    index: &mut impl ReplicaIndex,
    uid: FolderUid,
    local: Option<LocalFolder>,
) -> Result<bool, IndexError> {
    let record = index.folder(uid)?.unwrap_or_default();
    if record.local == local {
        return Ok(false);
    }
    index.put_folder(uid, &FolderRecord { local, ..record })?;
    Ok(true)
}

fn known(uid: ItemUid, local: &Local) -> Known {
    Known {
        uid,
        folder: local.state.folder,
        href: local.href.clone(),
        name: local.state.name.clone(),
        canon: local.state.version.canon,
        object_uid: local.object_uid,
        file_id: local.file_id,
    }
}

fn seen(observation: &Observation) -> Seen {
    let Observation { uid, is_content_immutable, local } = observation;
    Seen {
        folder: local.state.folder,
        href: local.href.clone(),
        name: local.state.name.clone(),
        uid: *uid,
        canon: local.state.version.canon,
        object_uid: local.object_uid,
        file_id: local.file_id,
        immutable_content: *is_content_immutable,
    }
}
