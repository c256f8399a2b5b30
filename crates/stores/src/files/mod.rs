//! The `files` connector: mail in Maildir++ folders, everything else in vdir folders (a file per item).
//!
//! It is the reference for all connectors, works on every system, and other programs work in the same folders at the
//! same time: mutt, notmuch, Dovecot, khal, vdirsyncer, an editor. `DESIGN.md` of this crate tells how.
//!
//! Identity lives in marks (`mark`), names become hrefs (`place`, `maildir_name`), listings tell revisions
//! (`maildir`, `vdir`, `state`), and a write is staged, committed and, after a crash, recovered (`step`,
//! `stage`, `commit`, `recover`).

mod commit;
mod disk;
mod folder_names;
mod folders;
mod keywords;
mod known;
mod layout;
mod maildir;
mod maildir_name;
mod mark;
mod names;
mod place;
mod reader;
mod recover;
#[cfg(windows)]
mod replace_file;
mod spec;
mod stage;
mod state;
mod step;
mod survey;
mod text;
mod utf7;
mod vdir;
mod watch;

pub use disk::is_in_use;
pub(crate) use disk::{open_regular, read_small};
pub use layout::{Found, Loose, detect, prepare};
pub use names::NameRules;
pub use spec::{FilesSpec, Part, SpecError};
pub use survey::{Count, Surveyed, survey};

use crate::{
    Caps, Change, Flush, FolderId, FolderInfo, Intent, Listing, ListingToken, Reader, Recovered, Store, StoreError,
    StoreId, Watch, Written, staging::random_hex,
};
use commit::Commit;
use folders::Tree;
use known::KnownNames;
use mark::RootMark;
use pim::{FolderKind, FolderUid};
use place::Places;
use recover::Recovery;
use stage::Stage;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// A deletion counts after a second listing this much later on a local disk, in milliseconds.
const ABSENCE_WAIT_LOCAL_MS: u64 = 1_000;
/// The same on a network mount, whose listings can be partial for a while.
const ABSENCE_WAIT_REMOTE_MS: u64 = 60_000;

/// Items in Maildir and vdir folders.
#[derive(Debug)]
pub struct FilesStore {
    spec: FilesSpec,
    rules: NameRules,
    places: Arc<Places>,
    known: Arc<KnownNames>,
    /// The store this was when it was opened, or must be.
    id: Option<StoreId>,
    /// It was there when somebody looked last.
    is_there: bool,
    /// Folders where something was not as believed: what is remembered of them isn't trusted in the next listing.
    doubtful: BTreeSet<FolderId>,
}

impl FilesStore {
    /// The store at this place. [`Store::open`] looks whether it is there; [`prepare`] makes the layout.
    #[must_use]
    pub fn open_at(spec: FilesSpec) -> Self {
        let parts = Part::ALL.into_iter().filter_map(|part| Some((part, spec.part(part)?))).collect();
        let places = Arc::new(Places { parts, ..Places::default() });
        let rules = NameRules::here();
        Self { spec, rules, places, known: Arc::default(), id: None, is_there: false, doubtful: BTreeSet::new() }
    }

    /// The store that must be there: another one is [`StoreError::Replaced`], an empty place
    /// [`StoreError::Unavailable`], and nothing is written into either.
    #[must_use]
    pub fn expecting(mut self, id: StoreId) -> Self {
        self.id = Some(id);
        self
    }

    /// Makes names by other rules than this system's, as for a disk that travels.
    #[must_use]
    pub fn with_name_rules(mut self, rules: NameRules) -> Self {
        self.rules = rules;
        self
    }

    /// Where the store lies.
    #[must_use]
    pub fn spec(&self) -> &FilesSpec {
        &self.spec
    }

    /// Checks that every root is there and belongs to this store.
    fn check_roots(&self) -> Result<&StoreId, StoreError> {
        let id = self.id.as_ref().ok_or_else(|| StoreError::Unavailable { reason: "not opened".to_owned() })?;
        for root in self.spec.roots() {
            match read_root(&root)? {
                RootMark::Store(found) if found == *id => {}
                RootMark::Store(_) => return Err(StoreError::Replaced),
                RootMark::NoRoot => return Err(no_root(&root)),
                RootMark::Unmarked => self.restore_mark(&root, id)?,
            }
        }
        Ok(id)
    }

    /// A root lost its mark. If its folders still carry ours, only the file was removed; an empty root is most likely a
    /// disk that isn't mounted; anything else is another store.
    fn restore_mark(&self, root: &PathBuf, id: &StoreId) -> Result<(), StoreError> {
        let folders = self.tree(id).list()?;
        let lies_below =
            |folder: &&FolderInfo| self.places.folder(&folder.id).is_ok_and(|place| place.path.starts_with(root));
        let marks: Vec<&StoreId> = folders.iter().filter(lies_below).filter_map(|f| f.marked_by.as_ref()).collect();
        if marks.contains(&id) {
            return mark::write_root(root, id).map_err(|error| disk::store_error(&error, root, 0));
        }
        if marks.is_empty() && layout::is_hollow(root) {
            return Err(StoreError::Unavailable { reason: format!("the folder is empty: {}", root.display()) });
        }
        Err(StoreError::Replaced)
    }

    /// Gives a store its identity: that of its roots' or folders' marks, else a new one.
    fn identify(&self) -> Result<StoreId, StoreError> {
        let mut found: BTreeSet<StoreId> = BTreeSet::new();
        let mut unmarked = Vec::new();
        for root in self.spec.roots() {
            match read_root(&root)? {
                RootMark::Store(id) => drop(found.insert(id)),
                RootMark::NoRoot => return Err(no_root(&root)),
                RootMark::Unmarked => unmarked.push(root),
            }
        }
        if found.len() > 1 {
            // Parts of two stores put together are neither.
            return Err(StoreError::Replaced);
        }
        let id = match found.pop_first() {
            Some(id) => id,
            None => {
                let new = StoreId(random_hex::<16>());
                let folders = self.tree(&new).list()?;
                let marks: BTreeSet<StoreId> = folders.into_iter().filter_map(|folder| folder.marked_by).collect();
                if marks.len() == 1 { marks.into_iter().next().unwrap_or(new) } else { new }
            }
        };
        for root in unmarked {
            mark::write_root(&root, &id).map_err(|error| disk::store_error(&error, &root, 0))?;
        }
        Ok(id)
    }

    fn tree<'a>(&'a self, id: &'a StoreId) -> Tree<'a> {
        Tree { places: &self.places, store: id, rules: self.rules }
    }
}

fn read_root(root: &std::path::Path) -> Result<RootMark, StoreError> {
    mark::read_root(root).map_err(|error| disk::store_error(&error, root, 0))
}

fn no_root(root: &std::path::Path) -> StoreError {
    StoreError::Unavailable { reason: format!("the folder is not there: {}", root.display()) }
}

impl Store for FilesStore {
    fn caps(&self) -> Caps {
        let is_remote = self.places.facts.values().any(|facts| facts.is_remote);
        let absence_wait_ms = if is_remote { ABSENCE_WAIT_REMOTE_MS } else { ABSENCE_WAIT_LOCAL_MS };
        Caps { holds_uid: false, verbatim: true, absence_wait_ms }
    }

    fn kinds(&self) -> Vec<FolderKind> {
        self.places.parts.keys().map(|part| part.kind()).collect()
    }

    fn open(&mut self) -> Result<StoreId, StoreError> {
        let was_there = std::mem::replace(&mut self.is_there, false);
        let id = match &self.id {
            Some(_) => self.check_roots()?.clone(),
            None => self.identify()?,
        };
        self.id = Some(id.clone());
        if !was_there {
            let facts = self.places.parts.iter().map(|(part, path)| {
                // A part that was never made will lie on its root's file system.
                let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
                (*part, disk::file_system_facts(existing))
            });
            self.places = Arc::new(Places { facts: facts.collect(), parts: self.places.parts.clone() });
            self.known.forget_all();
            self.doubtful.clear();
            for folder in self.tree(&id).list_without_marks()? {
                if let Ok(place) = self.places.folder(&folder.id) {
                    stage::sweep(&place);
                }
            }
        }
        self.is_there = true;
        Ok(id)
    }

    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        let id = self.check_roots()?;
        let folders = self.tree(id).list()?;
        // A root that went away meanwhile looks like a store without folders.
        self.check_roots()?;
        Ok(folders)
    }

    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        self.check_roots()?;
        let place = self.places.folder(folder)?;
        let is_doubtful = self.doubtful.contains(folder);
        if is_doubtful {
            self.known.forget(folder);
        }
        let since = since.filter(|_| !is_doubtful);
        let facts = self.places.facts(place.part);
        let listed = if place.part == Part::Mail {
            maildir::list(folder, &place, facts, &self.known, since)
        } else {
            vdir::list(folder, &place, facts, since)
        };
        // A root that went away meanwhile looks like an empty folder.
        let id = self.check_roots()?;
        match listed {
            Err(StoreError::NotFound)
                if self.tree(id).list_without_marks()?.iter().any(|known| known.id == *folder) =>
            {
                // A mail folder that exists only in the names of those inside it.
                let nothing = maildir::token_of_nothing();
                let is_same = since == Some(&nothing);
                let nothing = Listing::Complete { entries: Vec::new(), token: nothing };
                Ok(if is_same { Listing::Unchanged } else { nothing })
            }
            Ok(listing) => {
                self.doubtful.remove(folder);
                Ok(listing)
            }
            Err(error) => Err(error),
        }
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(reader::FilesReader { places: Arc::clone(&self.places), known: Arc::clone(&self.known) })
    }

    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        let (intents, flush) = self.begin_stage(changes);
        match flush.map_or(Ok(()), |flush| flush()) {
            Ok(()) => intents,
            Err(error) => intents.into_iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn begin_stage(&mut self, changes: &[Change]) -> (Vec<Result<Intent, StoreError>>, Option<Flush>) {
        if let Err(error) = self.check_roots() {
            return (changes.iter().map(|_| Err(error.clone())).collect(), None);
        }
        Stage { places: &self.places, rules: self.rules }.begin(changes)
    }

    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        if let Err(error) = self.check_roots() {
            return intents.iter().map(|_| Err(error.clone())).collect();
        }
        let mut commit = Commit::new(&self.places, &self.known, self.rules);
        let written = commit.commit(intents);
        let doubtful = std::mem::take(&mut commit.doubtful);
        self.doubtful.extend(doubtful);
        written
    }

    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        if self.check_roots().is_err() {
            return intents.iter().map(|_| Recovered::Unclear).collect();
        }
        self.known.forget_all();
        Recovery::new(&self.places, &self.known, self.rules).recover(intents)
    }

    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        let id = self.check_roots()?;
        self.tree(id).create(parent, name, kind, uid)
    }

    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        let id = self.check_roots()?;
        self.tree(id).mark(folder, uid)
    }

    fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        let id = self.check_roots()?;
        let renamed = self.tree(id).rename(folder, parent, name);
        self.known.forget_all();
        renamed
    }

    fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError> {
        let id = self.check_roots()?;
        let deleted = self.tree(id).delete(folder);
        self.known.forget(folder);
        deleted
    }

    fn watch(&mut self, wake: Box<dyn Fn(Option<FolderId>) + Send + Sync>) -> Result<Box<dyn Watch>, StoreError> {
        self.check_roots()?;
        Ok(Box::new(watch::FilesWatch::start(&self.places, self.spec.roots(), wake)?))
    }
}
