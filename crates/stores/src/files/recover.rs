//! After a crash: what became of changes whose outcome was not recorded.
//!
//! The contents decide: a file that has the new BLAKE3 where the change was to put it means done; the old state where it
//! was means not done; anything else was somebody's work, and the folder must be listed again. What waited in a staging
//! place goes, except a file of somebody else that the crash caught on its way back.

use super::{
    commit::{Commit, find, letters_of},
    disk,
    keywords::Keywords,
    known::KnownNames,
    maildir_name,
    names::NameRules,
    place::{Place, Places},
    spec::Part,
    state::FileState,
    step::{Put, Step},
};
use crate::{FolderId, Href, Intent, Recovered, Rev, StoreError, Written, staging::random_hex};
use pim::{Flags, NativeHash};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

/// What recovering needs to know of the store, and what it remembers over a group.
pub(super) struct Recovery<'a> {
    places: &'a Places,
    known: &'a KnownNames,
    commit: Commit<'a>,
    /// Files already taken for the outcome of another intent: equal contents may have been created twice.
    claimed: BTreeSet<PathBuf>,
}

impl<'a> Recovery<'a> {
    pub(super) fn new(places: &'a Places, known: &'a KnownNames, rules: NameRules) -> Self {
        Self { places, known, commit: Commit::new(places, known, rules), claimed: BTreeSet::new() }
    }

    /// Recovers a group.
    pub(super) fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        intents
            .iter()
            .map(|intent| match Step::of_intent(intent) {
                // Nothing is known of it, so nothing may be concluded.
                None => Recovered::Unclear,
                Some(step) => self.outcome(&step).unwrap_or(Recovered::Unclear),
            })
            .collect()
    }

    fn outcome(&mut self, step: &Step) -> Result<Recovered, StoreError> {
        match step {
            Step::Create { folder, put } => self.created(folder, put),
            Step::Replace { href, expect, put } => self.replaced(href, expect, put),
            Step::Rewrite { href, expect, expect_flags, folder, put, aside } => {
                self.rewritten(href, expect, expect_flags, folder, put, aside)
            }
            Step::Relabel { href, expect, expect_flags, flags, folder, names } => {
                self.relabelled(href, expect, expect_flags, flags, folder, names)
            }
            Step::Remove { href, expect, aside } => self.removed(href, expect, aside),
        }
    }

    fn created(&mut self, folder: &FolderId, put: &Put) -> Result<Recovered, StoreError> {
        let place = self.places.folder(folder)?;
        let staged = place.staging().join(&put.staged);
        let was_staged = staged.symlink_metadata().is_ok();
        let found = self.find_put(folder, &place, put)?;
        // Where renaming is linking and unlinking, both names may be there.
        let is_linked = |path: &Path| was_staged && same_file(path, &staged);
        match found {
            Some(path) if !was_staged || is_linked(&path) => {
                remove_if_there(&staged);
                self.done(folder, path)
            }
            _ if was_staged => {
                remove_if_there(&staged);
                Ok(Recovered::NotDone)
            }
            _ => Ok(Recovered::Unclear),
        }
    }

    fn find_put(&mut self, folder: &FolderId, place: &Place, put: &Put) -> Result<Option<PathBuf>, StoreError> {
        for name in &put.names {
            let found = self.find(folder, place, name)?.filter(|path| !self.claimed.contains(path));
            if let Some(path) = found.filter(|path| has_content(path, put)) {
                self.claimed.insert(path.clone());
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn find(&self, folder: &FolderId, place: &Place, name: &str) -> Result<Option<PathBuf>, StoreError> {
        find(self.known, folder, place, name).map_err(|error| disk::store_error(&error, &place.path, 0))
    }

    /// Is the file at this item's name what was expected there before the change?
    fn is_as_before(&self, href: &Href, expect: &Rev) -> Result<bool, StoreError> {
        let (folder, place, name) = self.places.item(href)?;
        Ok(self.find(&folder, &place, name)?.is_some_and(|path| self.is(&place, &path, expect)))
    }

    fn is(&self, place: &Place, path: &Path, expect: &Rev) -> bool {
        path.symlink_metadata().is_ok_and(|metadata| FileState::of(&metadata, self.places.facts(place.part)).is(expect))
    }

    fn replaced(&mut self, href: &Href, expect: &Rev, put: &Put) -> Result<Recovered, StoreError> {
        let (folder, place, name) = self.places.item(href)?;
        let staged = place.staging().join(&put.staged);
        let path = self.find(&folder, &place, name)?.ok_or(StoreError::NotFound)?;
        disk::finish_exchange(&staged, &path);
        if has_content(&path, put) && !same_file(&path, &staged) {
            let is_foreign =
                staged.symlink_metadata().is_ok() && !has_content(&staged, put) && !self.is(&place, &staged, expect);
            if is_foreign {
                // An edit that the exchange displaced: it goes back, as the commit would have done.
                let exchanged = disk::exchange(&staged, &path);
                if !exchanged.map_err(|error| disk::store_error(&error, &path, 0))? {
                    return Ok(Recovered::Unclear);
                }
                remove_if_there(&staged);
                return Ok(Recovered::Unclear);
            }
            remove_if_there(&staged);
            return self.done(&folder, path);
        }
        remove_if_there(&staged);
        Ok(if self.is(&place, &path, expect) { Recovered::NotDone } else { Recovered::Unclear })
    }

    fn rewritten(
        &mut self,
        href: &Href,
        expect: &Rev,
        expect_flags: &Flags,
        folder: &FolderId,
        put: &Put,
        aside: &str,
    ) -> Result<Recovered, StoreError> {
        match self.created(folder, put)? {
            Recovered::Done(written) => {
                if self.is_as_before(href, expect)? {
                    // The old file was about to go; this finishes it.
                    self.commit.remove_old(href, expect, Some(expect_flags), aside)?;
                    self.commit.flush()?;
                    return Ok(Recovered::Done(written));
                }
                match self.removed(href, expect, aside)? {
                    Recovered::Done(_) => Ok(Recovered::Done(written)),
                    _ => {
                        // The old item is somebody's edit now; the new one was never meant to stand beside it.
                        if let Some(entry) = &written.entry {
                            let (folder, place, name) = self.places.item(&entry.href)?;
                            if let Some(path) = self.find(&folder, &place, name)? {
                                remove_if_there(&path);
                            }
                        }
                        Ok(Recovered::Unclear)
                    }
                }
            }
            Recovered::NotDone if self.is_as_before(href, expect)? => Ok(Recovered::NotDone),
            _ => Ok(Recovered::Unclear),
        }
    }

    fn relabelled(
        &mut self,
        href: &Href,
        expect: &Rev,
        expect_flags: &Flags,
        flags: &Flags,
        folder: &FolderId,
        names: &[String],
    ) -> Result<Recovered, StoreError> {
        let (source_folder, source, source_name) = self.places.item(href)?;
        let target = self.places.folder(folder)?;
        let is_message = source.part == Part::Mail;
        let mut found_names = names.iter();
        if source_folder != *folder || !is_message {
            let is_at_source =
                self.find(&source_folder, &source, source_name)?.is_some_and(|path| self.is(&source, &path, expect));
            if is_at_source {
                return Ok(Recovered::NotDone);
            }
        }
        let found = found_names.find_map(|name| {
            let path = self.find(folder, &target, name).ok()??;
            (self.is(&target, &path, expect) && !self.claimed.contains(&path)).then_some(path)
        });
        let Some(path) = found else { return Ok(Recovered::Unclear) };
        if is_message {
            let keywords = Keywords::read(&target.path).map_err(|error| disk::store_error(&error, &target.path, 0))?;
            let letters = letters_of(&path);
            let held = maildir_name::flags(&letters, &keywords);
            // Keywords that found no letter can't be there.
            let holds_wanted = maildir_name::letters(flags, &keywords, &letters).as_bytes() == letters;
            if !holds_wanted {
                let is_before = source_folder == *folder && held == *expect_flags;
                return Ok(if is_before { Recovered::NotDone } else { Recovered::Unclear });
            }
        }
        self.claimed.insert(path.clone());
        self.done(folder, path)
    }

    fn removed(&mut self, href: &Href, expect: &Rev, aside: &str) -> Result<Recovered, StoreError> {
        let (folder, place, name) = self.places.item(href)?;
        let aside = place.staging().join(aside);
        let path = self.find(&folder, &place, name)?.filter(|path| path.symlink_metadata().is_ok());
        if aside.symlink_metadata().is_ok() {
            if self.is(&place, &aside, expect) {
                remove_if_there(&aside);
                return Ok(if path.is_none() { Recovered::Done(Written { entry: None }) } else { Recovered::Unclear });
            }
            self.put_back(&place, name, &aside)?;
            return Ok(Recovered::Unclear);
        }
        Ok(match path {
            None => Recovered::Done(Written { entry: None }),
            Some(path) if self.is(&place, &path, expect) => Recovered::NotDone,
            Some(_) => Recovered::Unclear,
        })
    }

    /// Somebody's edit was moved aside when the crash came: it gets its name back, or one beside it.
    fn put_back(&mut self, place: &Place, name: &str, aside: &Path) -> Result<(), StoreError> {
        let io_error = |error: io::Error| disk::store_error(&error, &place.path, 0);
        let own = super::text::text_to_name(name).ok_or(StoreError::NotFound)?;
        let folder = if place.part == Part::Mail { place.path.join("cur") } else { place.path.clone() };
        let beside = folder.join(format!("{}-{}", random_hex::<16>(), own.to_string_lossy()));
        disk::rename_new(aside, &folder.join(own)).or_else(|_| disk::rename_new(aside, &beside)).map_err(io_error)?;
        tidy_staging(aside);
        Ok(())
    }

    fn done(&mut self, folder: &FolderId, path: PathBuf) -> Result<Recovered, StoreError> {
        // The crash may have come before the folder was flushed.
        if let Some(parent) = path.parent() {
            disk::sync_dir(parent).map_err(|error| disk::store_error(&error, parent, 0))?;
        }
        self.commit.read_back(folder, &path).map(Recovered::Done)
    }
}

fn remove_if_there(path: &Path) {
    let _ = std::fs::remove_file(path);
    tidy_staging(path);
}

/// A vdir's staging place goes with its last file.
fn tidy_staging(path: &Path) {
    if let Some(staging) = path.parent().filter(|parent| parent.ends_with(super::place::STAGING)) {
        let _ = std::fs::remove_dir(staging);
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    let id = |path: &Path| path.symlink_metadata().ok().and_then(|metadata| super::state::raw_file_id(&metadata));
    id(a).is_some() && id(a) == id(b)
}

fn has_content(path: &Path, put: &Put) -> bool {
    hash(path, put.size).is_ok_and(|hash| hash == Some(put.native))
}

/// The BLAKE3 of a file of this size; `None` when it has another.
fn hash(path: &Path, size: u64) -> io::Result<Option<NativeHash>> {
    let (mut file, metadata) = disk::open_regular(path)?;
    if metadata.len() != size {
        return Ok(None);
    }
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut file, &mut hasher)?;
    Ok(Some(NativeHash(*hasher.finalize().as_bytes())))
}
