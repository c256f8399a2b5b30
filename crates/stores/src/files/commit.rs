//! Carrying staged changes out.
//!
//! Other programs work in the same folders at the same time, so nothing is decided by a look alone: a new name is taken
//! only if it is free (`RENAME_NOREPLACE`), an old file is first moved out of sight and looked at there, and goes back if
//! it isn't what was expected. What happened is made durable with one flush per folder and read back.

use super::{
    disk,
    keywords::Keywords,
    known::{KnownNames, Sub},
    maildir,
    maildir_name::{self, MessageName},
    names::{NAME_BYTES_MAX, NameRules},
    place::{Place, Places},
    spec::Part,
    stage::{self, ensure_staging},
    state::{self, FileState},
    step::{self, Put, Step},
    text, vdir,
};
use crate::{FolderId, Href, Intent, Rev, StoreError, Written};
use fail::fail_point;
use pim::Flags;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// What committing needs to know of the store, and what it remembers over a group.
pub(super) struct Commit<'a> {
    places: &'a Places,
    known: &'a KnownNames,
    rules: NameRules,
    keywords: BTreeMap<FolderId, Keywords>,
    /// Folders on disk whose entries changed.
    touched: BTreeSet<PathBuf>,
    /// Staging places that were used.
    stagings: BTreeSet<PathBuf>,
    /// Folders where something was not as believed.
    pub(super) doubtful: BTreeSet<FolderId>,
}

/// Where a change put its item. `None`: it is gone.
type Placed = Option<(FolderId, PathBuf)>;

impl<'a> Commit<'a> {
    pub(super) fn new(places: &'a Places, known: &'a KnownNames, rules: NameRules) -> Self {
        Self {
            places,
            known,
            rules,
            keywords: BTreeMap::new(),
            touched: BTreeSet::new(),
            stagings: BTreeSet::new(),
            doubtful: BTreeSet::new(),
        }
    }

    /// Carries a group out.
    pub(super) fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        let placed: Vec<Result<Placed, StoreError>> = intents
            .iter()
            .map(|intent| {
                let step = Step::of_intent(intent).ok_or(StoreError::Changed)?;
                let done = self.carry_out(&step);
                if done.is_err() {
                    self.doubtful.extend(stage::folder_of(&step));
                }
                done
            })
            .collect();
        fail_point!("files::before_flush");
        let flushed = self.flush();
        for staging in &self.stagings {
            // Fails while anything is staged, and that is right.
            let _ = std::fs::remove_dir(staging);
        }
        placed
            .into_iter()
            .map(|placed| {
                let placed = placed?;
                flushed.clone()?;
                match placed {
                    Some((folder, path)) => self.read_back(&folder, &path),
                    None => Ok(Written { entry: None }),
                }
            })
            .collect()
    }

    /// Flushes every folder whose entries changed.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        std::mem::take(&mut self.touched)
            .iter()
            .try_for_each(|path| disk::sync_dir(path).map_err(|error| disk::store_error(&error, path, 0)))
    }

    fn carry_out(&mut self, step: &Step) -> Result<Placed, StoreError> {
        match step {
            Step::Create { folder, put } => {
                let placed = self.place(folder, put);
                if placed.is_err() {
                    self.unstage(folder, &put.staged);
                }
                placed.map(Some)
            }
            Step::Replace { href, expect, put } => {
                let (folder, place, name) = self.places.item(href)?;
                let replaced = self.replace(&place, name, expect, put);
                if replaced.is_err() {
                    self.unstage(&folder, &put.staged);
                }
                replaced.map(|path| Some((folder, path)))
            }
            Step::Rewrite { href, expect, expect_flags, folder, put, aside } => {
                let checked = self.expected(href, expect, Some(expect_flags)).map(drop);
                let placed = checked.and_then(|()| self.place(folder, put));
                let Ok(placed) = placed else {
                    self.unstage(folder, &put.staged);
                    return placed.map(Some);
                };
                fail_point!("files::before_old_goes");
                if let Err(error) = self.remove_old(href, expect, Some(expect_flags), aside) {
                    // The old file was changed just now; the new one was never meant to stand beside it.
                    let _ = std::fs::remove_file(&placed.1);
                    self.forget(&placed.0, &placed.1);
                    return Err(error);
                }
                Ok(Some(placed))
            }
            Step::Relabel { href, expect, expect_flags, flags, folder, names } => {
                self.relabel(href, expect, expect_flags, flags, folder, names).map(Some)
            }
            Step::Remove { href, expect, aside } => self.remove_old(href, expect, None, aside).map(|()| None),
        }
    }

    /// Finds an item's file and checks that it is as believed.
    fn expected(
        &mut self,
        href: &Href,
        expect: &Rev,
        expect_flags: Option<&Flags>,
    ) -> Result<(PathBuf, Metadata), StoreError> {
        let (folder, place, name) = self.places.item(href)?;
        let path = self.find(&folder, &place, name)?.ok_or(StoreError::Changed)?;
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(StoreError::Changed),
            Err(error) => return Err(disk::store_error(&error, &path, 0)),
        };
        if !metadata.is_file() || !self.state(place.part, &metadata).is(expect) {
            return Err(StoreError::Changed);
        }
        if place.part == Part::Mail
            && let Some(expect_flags) = expect_flags
        {
            let letters = letters_of(&path);
            if maildir_name::flags(&letters, self.keywords(&folder, &place)?) != *expect_flags {
                return Err(StoreError::Changed);
            }
        }
        Ok((path, metadata))
    }

    fn find(&self, folder: &FolderId, place: &Place, name: &str) -> Result<Option<PathBuf>, StoreError> {
        find(self.known, folder, place, name).map_err(|error| disk::store_error(&error, &place.path, 0))
    }

    fn state(&self, part: Part, metadata: &Metadata) -> FileState {
        FileState::of(metadata, self.places.facts(part))
    }

    fn keywords(&mut self, folder: &FolderId, place: &Place) -> Result<&mut Keywords, StoreError> {
        use std::collections::btree_map::Entry;
        match self.keywords.entry(folder.clone()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let read = Keywords::read(&place.path).map_err(|error| disk::store_error(&error, &place.path, 0))?;
                Ok(vacant.insert(read))
            }
        }
    }

    /// The letters of flags in a folder; keywords that have none yet get one.
    fn letters(
        &mut self,
        folder: &FolderId,
        place: &Place,
        flags: &Flags,
        before: &[u8],
    ) -> Result<String, StoreError> {
        let keywords = self.keywords(folder, place)?;
        keywords
            .ensure(&place.path, maildir_name::keyword_names(flags))
            .map_err(|error| disk::store_error(&error, &place.path, 0))?;
        Ok(maildir_name::letters(flags, keywords, before))
    }

    /// Gives staged content the first free of its names.
    fn place(&mut self, folder: &FolderId, put: &Put) -> Result<(FolderId, PathBuf), StoreError> {
        let place = self.places.folder(folder)?;
        let staged = place.staging().join(&put.staged);
        self.stagings_used(&place);
        fail_point!("files::before_place");
        let path = self.move_to_free_name(&staged, folder, &place, &put.names, &put.flags, &[])?;
        fail_point!("files::after_place");
        Ok((folder.clone(), path))
    }

    fn stagings_used(&mut self, place: &Place) {
        if place.part != Part::Mail {
            self.stagings.insert(place.staging());
        }
    }

    fn unstage(&self, folder: &FolderId, staged: &str) {
        if let Ok(place) = self.places.folder(folder) {
            let _ = std::fs::remove_file(place.staging().join(staged));
        }
    }

    /// Renames a file to the first of the names that nobody has.
    fn move_to_free_name(
        &mut self,
        from: &Path,
        folder: &FolderId,
        place: &Place,
        names: &[String],
        flags: &Flags,
        letters_before: &[u8],
    ) -> Result<PathBuf, StoreError> {
        let io_error = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => StoreError::Changed,
            _ => disk::store_error(&error, &place.path, 0),
        };
        let letters = match place.part {
            Part::Mail => self.letters(folder, place, flags, letters_before)?,
            _ => String::new(),
        };
        for name in names {
            let base = step::name_bytes(name);
            if place.part == Part::Mail && self.known.is_taken(folder, place, &base).map_err(io_error)? {
                continue;
            }
            let to = match place.part {
                Part::Mail => Target::Message { base: &base, letters: &letters },
                _ => Target::Item { name: &base },
            };
            match self.rename_to(from, place, &to) {
                Ok(path) => {
                    self.learn(folder, place, &base, &path);
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists || may_mean_the_name(&error) => {}
                Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                    return self.copy_over(from, folder, place, names, flags, letters_before);
                }
                Err(error) => return Err(io_error(error)),
            }
        }
        Err(StoreError::Changed)
    }

    fn rename_to(&mut self, from: &Path, place: &Place, to: &Target<'_>) -> io::Result<PathBuf> {
        let separator = self.rules.info_separator();
        let path = to.path(place, separator)?;
        let renamed = disk::rename_new(from, &path);
        let path = match renamed {
            // File systems of Windows have no colon in names.
            Err(error) if may_mean_the_name(&error) && separator == ':' && place.part == Part::Mail => {
                let path = to.path(place, ';')?;
                disk::rename_new(from, &path)?;
                path
            }
            renamed => renamed.map(|()| path)?,
        };
        self.touched.extend(path.parent().map(Path::to_owned));
        Ok(path)
    }

    /// Folders of one store on two file systems: the content is copied, then the old file goes.
    fn copy_over(
        &mut self,
        from: &Path,
        folder: &FolderId,
        place: &Place,
        names: &[String],
        flags: &Flags,
        letters_before: &[u8],
    ) -> Result<PathBuf, StoreError> {
        let io_error = |error: io::Error| disk::store_error(&error, &place.path, 0);
        ensure_staging(place).map_err(io_error)?;
        self.stagings_used(place);
        let staged = place.staging().join(step::staged_name());
        let copied = std::fs::copy(from, &staged).and_then(|_| {
            let file = std::fs::File::options().write(true).open(&staged)?;
            if let Ok(modified) = from.metadata().and_then(|metadata| metadata.modified()) {
                let _ = file.set_modified(modified);
            }
            file.sync_all()
        });
        let path = copied
            .map_err(io_error)
            .and_then(|()| self.move_to_free_name(&staged, folder, place, names, flags, letters_before));
        match path {
            Ok(path) => std::fs::remove_file(from).map(|()| path).map_err(io_error),
            Err(error) => {
                let _ = std::fs::remove_file(&staged);
                Err(error)
            }
        }
    }

    /// New content for a vdir file under its name.
    fn replace(&mut self, place: &Place, name: &str, expect: &Rev, put: &Put) -> Result<PathBuf, StoreError> {
        let path = place.path.join(text::text_to_name(name).ok_or(StoreError::NotFound)?);
        let staged = place.staging().join(&put.staged);
        let io_error = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => StoreError::Changed,
            _ => disk::store_error(&error, &path, put.size),
        };
        self.stagings_used(place);
        let before = path.symlink_metadata().map_err(io_error)?;
        if !before.is_file() || !self.state(place.part, &before).is(expect) {
            return Err(StoreError::Changed);
        }
        // Who may read the item stays as it was. Where that can't be set (network shares), the default holds.
        let _ = std::fs::set_permissions(&staged, before.permissions());
        fail_point!("files::before_exchange");
        if disk::exchange(&staged, &path).map_err(io_error)? {
            fail_point!("files::after_exchange");
            let displaced = staged.symlink_metadata().map_err(io_error)?;
            if !self.state(place.part, &displaced).is(expect) {
                // An edit came between the look and the exchange: it goes back.
                disk::exchange(&staged, &path).map_err(io_error)?;
                return Err(StoreError::Changed);
            }
            std::fs::remove_file(&staged).map_err(io_error)?;
        } else {
            std::fs::rename(&staged, &path).map_err(io_error)?;
        }
        self.touched.insert(place.path.clone());
        Ok(path)
    }

    fn relabel(
        &mut self,
        href: &Href,
        expect: &Rev,
        expect_flags: &Flags,
        flags: &Flags,
        folder: &FolderId,
        names: &[String],
    ) -> Result<(FolderId, PathBuf), StoreError> {
        let (path, before) = self.expected(href, expect, Some(expect_flags))?;
        let (source_folder, source, _) = self.places.item(href)?;
        let target = self.places.folder(folder)?;
        let is_same_folder = source_folder == *folder;
        if is_same_folder && (source.part != Part::Mail || flags == expect_flags) {
            return Ok((source_folder, path));
        }
        if !target.path.is_dir() {
            return Err(StoreError::NotFound);
        }
        fail_point!("files::before_rename");
        let moved = if is_same_folder {
            self.rename_for_flags(&path, folder, &target, names, flags)?
        } else {
            // Letters without a known name mean nothing in another folder.
            self.move_to_free_name(&path, folder, &target, names, flags, &[])?
        };
        fail_point!("files::after_rename");
        // Where another program took it in this very moment, the next listing tells.
        let after = moved.symlink_metadata().map_err(|error| match error.kind() {
            ErrorKind::NotFound => StoreError::Changed,
            _ => disk::store_error(&error, &moved, 0),
        })?;
        let is_as_before = (after.len(), state::modified_ns(&after)) == (before.len(), state::modified_ns(&before));
        // Edited between the look and the renaming: it goes back. (Not possible for a copy on another file system, whose
        // time may have a coarser grain.)
        if !is_as_before && disk::rename_new(&moved, &path).is_ok() {
            self.known.forget(folder);
            self.known.forget(&source_folder);
            return Err(StoreError::Changed);
        }
        self.touched.extend(path.parent().map(Path::to_owned));
        if !is_same_folder {
            self.forget(&source_folder, &path);
        }
        Ok((folder.clone(), moved))
    }

    /// Flags change in place: all of the name stays but the letters, mbsync's number too.
    fn rename_for_flags(
        &mut self,
        path: &Path,
        folder: &FolderId,
        place: &Place,
        names: &[String],
        flags: &Flags,
    ) -> Result<PathBuf, StoreError> {
        let name = path.file_name().ok_or(StoreError::NotFound)?.as_encoded_bytes().to_vec();
        let letters = self.letters(folder, place, flags, &letters_of(path))?;
        let (stem, separator) = match maildir_name::info_at(&name) {
            Some(at) => (&name[..at], char::from(name[at])),
            None => (&name[..], self.rules.info_separator()),
        };
        let keeps_base = names.first().is_some_and(|first| {
            *step::name_bytes(first) == *MessageName::parse(path.file_name().unwrap_or_default()).base
        });
        let wanted = [stem, format!("{separator}2,{letters}").as_bytes()].concat();
        if !keeps_base || wanted.len() > NAME_BYTES_MAX {
            // The base leaves no room for flags, or is another message's too: the message gets a name of its own.
            let own = names.last().map(std::slice::from_ref).unwrap_or_default();
            let moved = self.move_to_free_name(path, folder, place, own, flags, &letters_of(path))?;
            self.forget(folder, path);
            return Ok(moved);
        }
        let to = place.path.join(Sub::Cur.name()).join(text::bytes_to_name(wanted).ok_or(StoreError::NotFound)?);
        if to == path {
            return Ok(to);
        }
        let renamed = disk::rename_new(path, &to);
        let to = match renamed {
            Err(error) if may_mean_the_name(&error) && separator == ':' => {
                let wanted = [stem, format!(";2,{letters}").as_bytes()].concat();
                let name = text::bytes_to_name(wanted).ok_or(StoreError::NotFound)?;
                let to = place.path.join(Sub::Cur.name()).join(name);
                disk::rename_new(path, &to).map(|()| to)
            }
            renamed => renamed.map(|()| to),
        };
        let to = to.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::AlreadyExists => StoreError::Changed,
            _ => disk::store_error(&error, path, 0),
        })?;
        self.touched.extend(to.parent().map(Path::to_owned));
        let base = MessageName::parse(to.file_name().unwrap_or_default()).base.into_owned();
        self.learn(folder, place, &base, &to);
        Ok(to)
    }

    /// Takes a file out of sight, looks at it there, and lets it go only if it is what was expected.
    pub(super) fn remove_old(
        &mut self,
        href: &Href,
        expect: &Rev,
        expect_flags: Option<&Flags>,
        aside: &str,
    ) -> Result<(), StoreError> {
        let (path, _) = self.expected(href, expect, expect_flags)?;
        let (folder, place, _) = self.places.item(href)?;
        let io_error = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => StoreError::Changed,
            _ => disk::store_error(&error, &path, 0),
        };
        ensure_staging(&place).map_err(io_error)?;
        self.stagings_used(&place);
        let aside = place.staging().join(aside);
        fail_point!("files::before_aside");
        disk::rename_new(&path, &aside).map_err(io_error)?;
        fail_point!("files::after_aside");
        let taken = aside.symlink_metadata().map_err(io_error)?;
        if !self.state(place.part, &taken).is(expect) {
            disk::rename_new(&aside, &path).map_err(io_error)?;
            return Err(StoreError::Changed);
        }
        std::fs::remove_file(&aside).map_err(io_error)?;
        self.touched.extend(path.parent().map(Path::to_owned));
        self.forget(&folder, &path);
        Ok(())
    }

    fn learn(&self, folder: &FolderId, place: &Place, base: &[u8], path: &Path) {
        if place.part == Part::Mail
            && let Some(name) = path.file_name()
        {
            self.known.note(folder, base, Some((Sub::Cur, name)));
        }
    }

    fn forget(&self, folder: &FolderId, path: &Path) {
        if let Some(name) = path.file_name() {
            self.known.note(folder, &MessageName::parse(name).base, None);
        }
    }

    /// What the store holds at `path` now.
    pub(super) fn read_back(&mut self, folder: &FolderId, path: &Path) -> Result<Written, StoreError> {
        let place = self.places.folder(folder)?;
        let facts = self.places.facts(place.part);
        let entry = if place.part == Part::Mail {
            let keywords = self.keywords(folder, &place)?;
            maildir::entry(folder, path, facts, keywords, None)
        } else {
            vdir::entry_at(folder, place.part, path, facts)
        };
        match entry {
            Ok(entry) => Ok(Written { entry: Some(entry) }),
            // Somebody took it in this very moment; the next listing tells.
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::Changed),
            Err(error) => Err(disk::store_error(&error, path, 0)),
        }
    }
}

/// Finds the file behind an item's name as text.
pub(super) fn find(known: &KnownNames, folder: &FolderId, place: &Place, name: &str) -> io::Result<Option<PathBuf>> {
    if place.part == Part::Mail {
        return maildir::find(folder, place, name, known);
    }
    Ok(text::text_to_name(name).map(|name| place.path.join(name)))
}

/// Whether it may be the new name that the file system didn't take (a memory card's, a Windows share's). Those over FUSE
/// say that there is no such file.
fn may_mean_the_name(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::NotFound)
}

/// The flag letters in a message's file name.
pub(super) fn letters_of(path: &Path) -> Vec<u8> {
    path.file_name().map(|name| MessageName::parse(name).letters.to_vec()).unwrap_or_default()
}

/// Where a file is to go.
enum Target<'a> {
    Message { base: &'a [u8], letters: &'a str },
    Item { name: &'a [u8] },
}

impl Target<'_> {
    fn path(&self, place: &Place, separator: char) -> io::Result<PathBuf> {
        let (folder, name) = match self {
            Self::Message { base, letters } => {
                let info = format!("{separator}2,{letters}");
                (place.path.join(Sub::Cur.name()), [*base, info.as_bytes()].concat())
            }
            Self::Item { name } => (place.path.clone(), name.to_vec()),
        };
        if name.len() > NAME_BYTES_MAX {
            return Err(ErrorKind::InvalidFilename.into());
        }
        Ok(folder.join(text::bytes_to_name(name).ok_or(ErrorKind::InvalidFilename)?))
    }
}
