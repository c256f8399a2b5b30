//! Staging: new contents are written where no program looks (Maildir's `tmp`, a hidden folder in a vdir) on the file
//! system where they will live, and flushed once for the whole group.

use super::{
    disk,
    names::NameRules,
    place::{Place, Places, split},
    spec::Part,
    state,
    step::{self, Put, Step},
    text, vdir,
};
use crate::{Change, Flush, FolderId, Intent, NewContent, Payload, StoreError};
use pim::{Flags, Format};
use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Contents in a group up to which each is flushed by itself; more are flushed with their whole file system.
const FLUSHED_SINGLY_MAX: usize = 4;
/// Staged files are abandoned after this time: Maildir's own rule.
const ABANDONED_AFTER_SECS: i64 = 36 * 60 * 60;

/// What staging needs to know of the store.
pub(super) struct Stage<'a> {
    pub(super) places: &'a Places,
    pub(super) rules: NameRules,
}

impl Stage<'_> {
    /// Stages a group; it counts when what is handed back was called.
    pub(super) fn begin(&self, changes: &[Change]) -> (Vec<Result<Intent, StoreError>>, Option<Flush>) {
        let contents = changes.iter().filter(|change| content(change).is_some()).count();
        let flushes_together = disk::CAN_SYNC_FILE_SYSTEM && contents > FLUSHED_SINGLY_MAX;
        let mut written = Vec::new();
        let steps: Vec<Result<Step, StoreError>> =
            changes.iter().map(|change| self.stage_one(change, !flushes_together, &mut written)).collect();
        let intents = steps.into_iter().map(|step| step.map(|step| step.to_intent())).collect();
        let need = changes.iter().filter_map(content).map(|content| size(&content.payload)).max().unwrap_or_default();
        let flush = move || {
            flush(&written).map_err(|(error, path)| {
                // Which of them is not on the disk can't be told, so none is.
                written.iter().for_each(|path| drop(std::fs::remove_file(path)));
                disk::store_error(&error, &path, need)
            })
        };
        (intents, flushes_together.then(|| Box::new(flush) as Flush))
    }

    fn stage_one(&self, change: &Change, is_flushed: bool, written: &mut Vec<PathBuf>) -> Result<Step, StoreError> {
        match change {
            Change::Create { uid, folder, content, flags, name } => {
                let place = self.places.folder(folder)?;
                let names = self.names(&place, content, name, Some(uid))?;
                let put = self.put(&place, content, flags, names, is_flushed, written)?;
                Ok(Step::Create { folder: folder.clone(), put })
            }
            Change::Update { href, expect_rev, expect_flags, content, flags, folder, .. } => {
                let (source_folder, source, name) = self.places.item(href)?;
                let target_folder = folder.clone().unwrap_or_else(|| source_folder.clone());
                let target = self.places.folder(&target_folder)?;
                if target.part != source.part {
                    return Err(StoreError::Unsupported);
                }
                let Some(content) = content else {
                    return self.relabel(change, &source, &source_folder, target_folder, name);
                };
                let format_before = text::text_to_name(name).and_then(|name| vdir::format(source.part, &name));
                let keeps_name = target_folder == source_folder
                    && source.part != Part::Mail
                    && format_before == Some(content.format);
                let (href, expect) = (href.clone(), expect_rev.clone());
                if keeps_name {
                    let put = self.put(&target, content, flags, Vec::new(), is_flushed, written)?;
                    return Ok(Step::Replace { href, expect, put });
                }
                let wish = String::from_utf8_lossy(&step::name_bytes(name)).into_owned();
                // A message's name stands for its content: other programs remember what they read under it.
                let wish = if source.part == Part::Mail { String::new() } else { wish };
                let names = self.names(&target, content, &wish, None)?;
                let aside = step::staged_name();
                let put = self.put(&target, content, flags, names, is_flushed, written)?;
                let expect_flags = expect_flags.clone();
                Ok(Step::Rewrite { href, expect, expect_flags, folder: target_folder, put, aside })
            }
            Change::Delete { href, expect_rev } => {
                self.places.item(href)?;
                let aside = step::staged_name();
                Ok(Step::Remove { href: href.clone(), expect: expect_rev.clone(), aside })
            }
        }
    }

    fn relabel(
        &self,
        change: &Change,
        source: &Place,
        source_folder: &FolderId,
        target_folder: FolderId,
        name: &str,
    ) -> Result<Step, StoreError> {
        let Change::Update { href, expect_rev, expect_flags, flags, .. } = change else {
            return Err(StoreError::Unsupported);
        };
        let is_twin = name.starts_with("%=");
        let names = if source.part == Part::Mail {
            let kept = (!is_twin).then(|| name.to_owned());
            kept.into_iter().chain([step::unique_message_name()]).collect()
        } else if *source_folder == target_folder {
            vec![name.to_owned()]
        } else {
            let format = text::text_to_name(name)
                .and_then(|name| vdir::format(source.part, &name))
                .ok_or(StoreError::NotFound)?;
            let wish = String::from_utf8_lossy(&step::name_bytes(name)).into_owned();
            let others = step::item_names(source.part, format, &wish, None, self.rules);
            [name.to_owned()].into_iter().chain(others.into_iter().skip(1)).collect()
        };
        Ok(Step::Relabel {
            href: href.clone(),
            expect: expect_rev.clone(),
            expect_flags: expect_flags.clone(),
            flags: flags.clone(),
            folder: target_folder,
            names,
        })
    }

    fn names(
        &self,
        place: &Place,
        content: &NewContent,
        wish: &str,
        uid: Option<&pim::ItemUid>,
    ) -> Result<Vec<String>, StoreError> {
        if place.part == Part::Mail {
            if content.format != Format::Rfc5322 {
                return Err(StoreError::Unsupported);
            }
            Ok(step::message_names(wish, size(&content.payload), self.rules))
        } else {
            if !vdir::endings(place.part).iter().any(|(_, format)| *format == content.format) {
                return Err(StoreError::Unsupported);
            }
            Ok(step::item_names(place.part, content.format, wish, uid, self.rules))
        }
    }

    fn put(
        &self,
        place: &Place,
        content: &NewContent,
        flags: &Flags,
        names: Vec<String>,
        is_flushed: bool,
        written: &mut Vec<PathBuf>,
    ) -> Result<Put, StoreError> {
        let size = size(&content.payload);
        if size > Payload::SIZE_MAX {
            return Err(StoreError::TooLarge { size });
        }
        if !place.path.is_dir() {
            return Err(StoreError::NotFound);
        }
        let staged = step::staged_name();
        let path = place.staging().join(&staged);
        ensure_staging(place)
            .and_then(|()| write(&path, place.part, content, is_flushed))
            .map_err(|error| disk::store_error(&error, &path, size))?;
        written.push(path);
        Ok(Put { staged, native: content.native, size, names, flags: flags.clone() })
    }
}

fn content(change: &Change) -> Option<&NewContent> {
    match change {
        Change::Create { content, .. } => Some(content),
        Change::Update { content, .. } => content.as_ref(),
        Change::Delete { .. } => None,
    }
}

fn size(payload: &Payload) -> u64 {
    match payload {
        Payload::Memory(bytes) => bytes.len() as u64,
        Payload::File { size, .. } => *size,
    }
}

/// Makes the folder's staging place. A Maildir without `tmp` gets one.
pub(super) fn ensure_staging(place: &Place) -> io::Result<()> {
    match std::fs::create_dir(place.staging()) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Writes a staged file, or leaves nothing.
fn write(path: &Path, part: Part, content: &NewContent, is_flushed: bool) -> io::Result<()> {
    if part == Part::Mail && content.may_be_linked && content.modified.is_none() && link(path, content, is_flushed) {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        // Mail is private, as mail programs write it. Elsewhere the person's umask decides.
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if part == Part::Mail { 0o600 } else { 0o666 });
    }
    #[cfg(not(unix))]
    let _ = part;
    let mut file = options.open(path)?;
    let written = fill(&mut file, content, is_flushed);
    drop(file);
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Gives the content's file a second name instead of copying it. `false`: it has one already, so that two messages would
/// be one file, or it can't have one here.
fn link(path: &Path, content: &NewContent, is_flushed: bool) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let Payload::File { path: from, size } = &content.payload else { return false };
        let Ok((file, metadata)) = disk::open_regular(from) else { return false };
        let linked = metadata.nlink() == 1
            && metadata.len() == *size
            && file.set_permissions(PermissionsExt::from_mode(0o600)).is_ok()
            && std::fs::hard_link(from, path).is_ok();
        let is_done = linked && (!is_flushed || file.sync_all().is_ok());
        if linked && !is_done {
            let _ = std::fs::remove_file(path);
        }
        is_done
    }
    #[cfg(not(unix))]
    {
        let _ = (path, content, is_flushed);
        false
    }
}

fn fill(file: &mut File, content: &NewContent, is_flushed: bool) -> io::Result<()> {
    match &content.payload {
        Payload::Memory(bytes) => file.write_all(bytes)?,
        Payload::File { path, size } => {
            let (mut from, _) = disk::open_regular(path)?;
            // The system copies, or shares blocks where it can. A hard link would let an editor change the caller's file.
            if io::copy(&mut from, file)? != *size {
                return Err(io::Error::other("the content's file has another size than told"));
            }
        }
    }
    if let Some(seconds) = content.modified {
        let since_1970 = Duration::from_secs(seconds.unsigned_abs());
        let modified = if seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(since_1970)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(since_1970)
        };
        if let Some(modified) = modified {
            // A time this file system can't hold is no reason to lose the item.
            let _ = file.set_modified(modified);
        }
    }
    if is_flushed { file.sync_all() } else { Ok(()) }
}

/// Flushes everything written, once per folder's file system.
fn flush(written: &[PathBuf]) -> Result<(), (io::Error, PathBuf)> {
    let mut devices = BTreeSet::new();
    let folders: BTreeSet<&Path> = written.iter().filter_map(|path| path.parent()).collect();
    for folder in folders {
        if devices.insert(device(folder)) {
            disk::sync_file_system(folder).map_err(|error| (error, folder.to_owned()))?;
        }
    }
    Ok(())
}

fn device(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    return path.metadata().ok().map(|metadata| std::os::unix::fs::MetadataExt::dev(&metadata));
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Removes what a crash long ago left in a folder's staging place. Younger files belong to intents still open.
pub(super) fn sweep(place: &Place) {
    let Ok(entries) = std::fs::read_dir(place.staging()) else { return };
    for entry in entries.flatten() {
        let staged = entry.file_name().to_str().and_then(step::staged_secs);
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && staged.is_some_and(|staged| state::now_ns() / 1_000_000_000 - staged > ABANDONED_AFTER_SECS) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    if place.part != Part::Mail {
        let _ = std::fs::remove_dir(place.staging());
    }
}

/// The folder of a step's item, to be looked at again when the step failed.
pub(super) fn folder_of(step: &Step) -> Option<FolderId> {
    match step {
        Step::Create { folder, .. } => Some(folder.clone()),
        Step::Replace { href, .. }
        | Step::Rewrite { href, .. }
        | Step::Relabel { href, .. }
        | Step::Remove { href, .. } => split(href).map(|(folder, _)| folder),
    }
}
