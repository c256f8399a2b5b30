//! What stands in the way, by cause, so that each problem goes when its cause is gone.

use crate::message::Problem;
use pim::FolderUid;
use std::collections::BTreeMap;

/// Why something doesn't go on. The first in this order is what people are shown.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Cause {
    /// The index can't be used.
    Index,
    /// The store isn't there, or it is another one.
    Store,
    /// The other computer speaks otherwise.
    Peer,
    /// Planning went in a circle.
    Planning,
    /// The store can't be written.
    Writing,
    /// Contents that came can't be kept.
    Keeping,
    /// A folder can't be listed.
    Listing(FolderUid),
    /// A folder lost its mark and most of what it held; a person decides.
    Emptied(FolderUid),
    /// Items of a folder went back to an earlier state; a person decides.
    Reverted(FolderUid),
    /// An item can't be read; the others go on.
    Item(FolderUid, String),
    /// The records of the two sides don't continue each other.
    Restored,
    /// The index was damaged and begun anew. Known as long as this runs.
    Damaged,
}

impl Cause {
    /// Whether waiting for everything to be the same is in vain while it lasts.
    const fn stops(&self) -> bool {
        !matches!(self, Self::Emptied(_) | Self::Reverted(_) | Self::Item(..) | Self::Restored | Self::Damaged)
    }
}

/// More items than this are counted, not named.
const ITEMS_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Problems(BTreeMap<Cause, Problem>);

impl Problems {
    /// Tells whether that is news.
    pub(super) fn set(&mut self, cause: Cause, problem: &Problem) -> bool {
        if self.0.get(&cause) == Some(problem) || (self.0.len() >= ITEMS_MAX && matches!(cause, Cause::Item(..))) {
            return false;
        }
        self.0.insert(cause, problem.clone());
        true
    }

    pub(super) fn clear(&mut self, cause: &Cause) {
        self.0.remove(cause);
    }

    /// The folder is looked at anew: what is wrong with its items is said anew.
    pub(super) fn clear_items_of(&mut self, folder: FolderUid) {
        self.0.retain(|cause, _| !matches!(cause, Cause::Item(of, _) if *of == folder));
    }

    pub(super) fn has_items_of(&self, folder: FolderUid) -> bool {
        self.0.keys().any(|cause| matches!(cause, Cause::Item(of, _) if *of == folder))
    }

    pub(super) fn has(&self, cause: &Cause) -> bool {
        self.0.contains_key(cause)
    }

    /// What stops everything, or a part of it.
    pub(super) fn stopping(&self) -> Option<&Problem> {
        self.0.iter().find(|(cause, _)| cause.stops()).map(|(_, problem)| problem)
    }

    /// What concerns single folders or items while all else goes on.
    pub(super) fn note(&self) -> Option<&Problem> {
        self.0.iter().find(|(cause, _)| !cause.stops()).map(|(_, problem)| problem)
    }
}
