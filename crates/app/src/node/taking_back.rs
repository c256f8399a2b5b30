//! Taking a first synchronization back.
//!
//! Undoing it like any other run would delete at the server what came from there. So this computer is cut off first, for
//! good: from the moment before the first item goes back, the profile is one that never started, and nothing of it travels,
//! whatever happens. Then each item that Tandem wrote here gets what was there before; what a person changed since stays. At
//! the end the caller leaves the server ([`Node::leave`]). Interrupted, it can be done again, or the server joined anew.

use super::{Instance, Node, OpenOptions, Use, setup::Choice};
use crate::{
    api::types::UndoAnswer,
    engine::{EditKind, Part, Room},
    history::undo::Original,
    message::{Code, Problem, Result},
    profile::Profile,
};
use pim::FolderUid;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    time::Duration,
};
use sync::index::ReplicaIndex;

impl Node {
    /// Gives this computer what it had before its first synchronization. Nobody may work with the profile.
    pub async fn take_back_first(profile: &Profile) -> Result<UndoAnswer> {
        let node = Self::open(profile, Use::Alone, OpenOptions::default()).await?;
        let answer = node.instance.take_back_first().await;
        node.shut_down().await;
        answer
    }

    /// Whether a first synchronization was being taken back, and something came in between.
    #[must_use]
    pub fn is_taking_back(&self) -> bool {
        self.instance.choice.lock().unwrap_or_else(PoisonError::into_inner).takes_back
    }
}

impl Instance {
    async fn take_back_first(&self) -> Result<UndoAnswer> {
        if self.part == Part::Server {
            return Err(Problem::new(Code::OnClientOnly));
        }
        // What people changed while nothing ran has to be known, or it would be written over.
        self.wait_until(|state| !state.is_reading).await?;
        let originals = self.ask(|room| Ok(room.index.originals()?)).await?;
        if originals.is_empty() {
            return Err(Problem::new(Code::NothingToUndo).with("id", "1"));
        }
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.keep_choice(Choice { is_started: false, takes_back: true, ..choice }).await?;
        let needed: BTreeSet<FolderUid> =
            originals.iter().filter_map(|original| original.before.as_ref()).map(|state| state.folder).collect();
        let folders = self.make_folders_for(needed).await?;
        let (originals, folders) = (Arc::new(originals), Arc::new(folders));
        let (begun, into) = (Arc::clone(&originals), Arc::clone(&folders));
        let left = self.ask(move |room| room.take_back(&begun, &into)).await?;
        while self.ask(|room| Ok(room.is_editing())).await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.ask(move |room| {
            let mut undone = 0;
            for original in originals.iter() {
                let now = room.index.replica().item(original.item)?.and_then(|record| record.local);
                let is_back = into_folder(original, &folders).is_back(now.as_ref().map(|local| &local.state));
                undone += u64::from(is_back);
            }
            let missing = originals.len() as u64 - undone - left.len() as u64;
            match room.state.problem.clone() {
                // The data can't be written now: nothing is lost, and it can be tried again.
                Some(problem) if missing > 0 => Err(problem),
                _ => Ok(UndoAnswer { undone, left }),
            }
        })
        .await
    }
}

/// What was in a folder that is gone goes back into the one that stands for it.
fn into_folder(original: &Original, folders: &BTreeMap<FolderUid, FolderUid>) -> Original {
    let mut original = original.clone();
    if let Some(before) = &mut original.before {
        before.folder = folders.get(&before.folder).copied().unwrap_or(before.folder);
    }
    original
}

impl Room {
    /// Begins to give each item what it was. Tells those that are left alone, as people call them.
    fn take_back(&mut self, originals: &[Original], folders: &BTreeMap<FolderUid, FolderUid>) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for original in originals {
            let original = into_folder(original, folders);
            let record = self.index.replica().item(original.item)?.unwrap_or_default();
            let now = record.local.as_ref().map(|local| &local.state);
            if original.is_back(now) {
                continue;
            }
            let fits = original.fits(now);
            let begun = match (original.before.clone(), record.local) {
                _ if !fits => false,
                (Some(before), existing) => {
                    self.write_as_person(original.item, before, existing, EditKind::Reviving).is_ok()
                }
                (None, Some(existing)) => self.remove_as_person(original.item, existing, EditKind::Decided).is_ok(),
                (None, None) => true,
            };
            if !begun {
                let told = self.title(Some(original.item), original.before.as_ref());
                left.push(told.or_else(|| self.title_of(original.item)).unwrap_or_else(|| original.item.to_string()));
            }
        }
        Ok(left)
    }
}
