//! The tree of folders: listing, making, renaming, removing.
//!
//! Mail folders lie flat beside each other in the mail root (Maildir++): `.A.B` is B in A, even if there is no `.A`.
//! The root itself is the inbox; what lies in the inbox is called `.INBOX.…`. The other parts are ordinary folders in
//! folders. Links to folders are not followed: a ring of them would never end, and two ways to one item make two items.

use super::{
    disk, folder_names,
    mark::{self, FOLDER_MARK, FolderMark},
    names::{NAME_BYTES_MAX, NameRules, shorten},
    place::{DEPTH_MAX, Place, Places, STAGING},
    spec::Part,
    state, text, vdir,
};
use crate::{FolderId, FolderInfo, StoreError, StoreId, staging::random_hex};
use pim::{FolderKind, FolderUid, SpecialUse};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
    path::Path,
};
use unicode_normalization::UnicodeNormalization;

/// More folders than this are not a mailbox but a mistake (a home folder, a source tree).
const FOLDERS_MAX: usize = 50_000;
/// How many names are tried for a folder before giving up.
const NAMES_TRIED_MAX: u32 = 1_000;
/// A vdir folder's name for people, where its own name isn't (vdirsyncer, khal).
const DISPLAY_NAME: &str = "displayname";
const DISPLAY_NAME_BYTES_MAX: u64 = 4 << 10;
/// What other programs leave in an empty folder; it goes with the folder.
const LEFTOVERS: [&str; 6] = [DISPLAY_NAME, "color", "order", ".DS_Store", "Thumbs.db", "desktop.ini"];
const MAIL_LEFTOVER_BEGINNINGS: [&str; 7] =
    ["dovecot", "courier", "maildirfolder", "maildirsize", ".uidvalidity", ".mbsyncstate", ".DS_Store"];

/// What folder operations need to know of the store.
pub(super) struct Tree<'a> {
    pub(super) places: &'a Places,
    pub(super) store: &'a StoreId,
    pub(super) rules: NameRules,
}

impl Tree<'_> {
    /// Every folder, parents before children.
    pub(super) fn list(&self) -> Result<Vec<FolderInfo>, StoreError> {
        let mut folders = self.list_without_marks()?;
        self.read_marks(&mut folders);
        Ok(folders)
    }

    /// The same without a look into every folder for its mark.
    pub(super) fn list_without_marks(&self) -> Result<Vec<FolderInfo>, StoreError> {
        let mut folders = Vec::new();
        for (part, root) in &self.places.parts {
            let listed = if *part == Part::Mail {
                list_mail(root, &mut folders)
            } else {
                let id = FolderId(part.name().to_owned());
                list_vdir(*part, root, id, None, 0, &mut folders)
            };
            match listed {
                Ok(()) => {}
                // A part that was never made has no folders.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(disk::store_error(&error, root, 0)),
            }
        }
        Ok(folders)
    }

    fn read_marks(&self, folders: &mut [FolderInfo]) {
        let mut claims: BTreeMap<FolderUid, Vec<(usize, FolderMark)>> = BTreeMap::new();
        for (index, folder) in folders.iter_mut().enumerate() {
            let Ok(place) = self.places.folder(&folder.id) else { continue };
            let Some(mark) = mark::read_folder(&place.path) else { continue };
            folder.marked_by = Some(mark.store.clone());
            claims.entry(mark.uid).or_default().push((index, mark));
        }
        for (uid, claims) in claims {
            let file_id =
                |index: usize| self.places.folder(&folders[index].id).ok().and_then(|p| folder_id_of(&p.path));
            // A renamed folder keeps its number and a restored one its place; a copy has neither.
            let original = claims.iter().max_by_key(|(index, mark)| {
                let is_same_folder = mark.file_id.is_some() && file_id(*index) == mark.file_id;
                (is_same_folder, mark.at == folders[*index].id.0, std::cmp::Reverse(*index))
            });
            let (index, mark) = original.expect("a uid in the map has at least one claim");
            folders[*index].uid = Some(uid);
            if mark.at != folders[*index].id.0 && mark.store == *self.store {
                // The next copy is told from this folder by where it is now. A read-only folder stays as it is.
                let _ = self.write_mark(&folders[*index].id.clone(), uid);
            }
        }
    }

    fn write_mark(&self, id: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        let place = self.places.folder(id)?;
        let mark = FolderMark { uid, store: self.store.clone(), at: id.0.clone(), file_id: folder_id_of(&place.path) };
        mark::write_folder(&place.path, &mark).map_err(|error| disk::store_error(&error, &place.path, 0))
    }

    /// Writes a folder's mark. A mail folder that only existed in its children's names becomes a real one.
    pub(super) fn mark(&self, id: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        let place = self.places.folder(id)?;
        if !place.path.is_dir() {
            let is_implied =
                place.part == Part::Mail && self.list_without_marks()?.iter().any(|folder| folder.id == *id);
            if !is_implied {
                return Err(StoreError::NotFound);
            }
            make_maildir(&place.path, true).map_err(|error| disk::store_error(&error, &place.path, 0))?;
        }
        self.write_mark(id, uid)
    }

    /// Makes a folder and marks it. A folder of this name that carries the same uid already is taken as made.
    pub(super) fn create(
        &self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        let part = Part::for_kind(kind);
        let root = self.places.parts.get(&part).ok_or(StoreError::Unsupported)?;
        if let Some(parent) = parent
            && self.places.folder(parent)?.part != part
        {
            return Err(StoreError::Unsupported);
        }
        let id = if part == Part::Mail {
            self.create_mail(root, parent, name, uid)
        } else {
            self.create_vdir(part, root, parent, name, uid)
        }?;
        self.info(&id)
    }

    fn info(&self, id: &FolderId) -> Result<FolderInfo, StoreError> {
        let folder = self.list_without_marks()?.into_iter().find(|folder| folder.id == *id);
        let mut folder = folder.ok_or(StoreError::Changed)?;
        if let Some(mark) = mark::read_folder(&self.places.folder(id)?.path) {
            folder.uid = Some(mark.uid);
            folder.marked_by = Some(mark.store);
        }
        Ok(folder)
    }

    fn create_mail(
        &self,
        root: &Path,
        parent: Option<&FolderId>,
        name: &str,
        uid: FolderUid,
    ) -> Result<FolderId, StoreError> {
        std::fs::create_dir_all(root).map_err(|error| disk::store_error(&error, root, 0))?;
        let prefix = mail_prefix(parent);
        let existing = mail_names(root).map_err(|error| disk::store_error(&error, root, 0))?;
        for attempt in 1..=NAMES_TRIED_MAX {
            let on_disk = self.mail_name(&prefix, name, attempt)?;
            let id = FolderId(format!("{}/{on_disk}", Part::Mail.name()));
            let path = root.join(&on_disk);
            let is_inbox = on_disk.eq_ignore_ascii_case(".INBOX");
            if existing.contains(&on_disk) && path.join("cur").is_dir() {
                match mark::read_folder(&path) {
                    Some(mark) if mark.uid == uid => return Ok(id),
                    _ if attempt == 1 => return Err(StoreError::Changed),
                    _ => continue,
                }
            }
            // Two names that differ only by case are one where case doesn't count.
            if is_inbox || (!existing.contains(&on_disk) && path.symlink_metadata().is_ok()) {
                continue;
            }
            // `cur` comes last: a folder without it doesn't count, so a crash leaves nothing half made.
            let made = std::fs::create_dir_all(&path)
                .map_err(|error| disk::store_error(&error, &path, 0))
                .and_then(|()| self.write_mark(&id, uid))
                .and_then(|()| make_maildir(&path, true).map_err(|error| disk::store_error(&error, &path, 0)))
                .and_then(|()| disk::sync_dir(root).map_err(|error| disk::store_error(&error, root, 0)));
            return made.map(|()| id);
        }
        Err(StoreError::Changed)
    }

    /// A name on disk that fits, with a number from the second attempt on.
    fn mail_name(&self, prefix: &str, name: &str, attempt: u32) -> Result<String, StoreError> {
        let number = if attempt == 1 { String::new() } else { format!(" ({attempt})") };
        let mut kept: String = name.nfc().collect();
        loop {
            let on_disk = format!("{prefix}.{}", folder_names::mail_to_disk(&format!("{kept}{number}"), self.rules));
            if on_disk.len() <= NAME_BYTES_MAX {
                return Ok(on_disk);
            }
            if kept.pop().is_none() {
                let reason = "the folder lies too deep for a Maildir".to_owned();
                return Err(StoreError::Io { reason, path: on_disk });
            }
        }
    }

    fn create_vdir(
        &self,
        part: Part,
        root: &Path,
        parent: Option<&FolderId>,
        name: &str,
        uid: FolderUid,
    ) -> Result<FolderId, StoreError> {
        std::fs::create_dir_all(root).map_err(|error| disk::store_error(&error, root, 0))?;
        let name: String = name.nfc().collect();
        let parent_id = parent.cloned().unwrap_or_else(|| FolderId(part.name().to_owned()));
        let parent_path = self.places.folder(&parent_id)?.path;
        let io_error = |error: io::Error| disk::store_error(&error, &parent_path, 0);
        let siblings = self.list_without_marks()?;
        let is_sibling =
            |folder: &&FolderInfo| folder.parent.as_ref() == parent && folder.id.0.starts_with(part.name());
        if let Some(same) = siblings.iter().filter(is_sibling).find(|folder| folder.name == name) {
            let mark = mark::read_folder(&self.places.folder(&same.id)?.path);
            let is_ours = mark.is_some_and(|mark| mark.uid == uid);
            return if is_ours { Ok(same.id.clone()) } else { Err(StoreError::Changed) };
        }
        let hidden = parent_path.join(format!("{STAGING}-{}", random_hex::<16>()));
        std::fs::create_dir(&hidden).map_err(io_error)?;
        let made = self.name_and_place_vdir(part, &parent_id, &hidden, &name, uid);
        if made.is_err() {
            let _ = std::fs::remove_dir_all(&hidden);
        }
        made
    }

    /// Finishes a new folder where nobody sees it, then gives it a free name.
    fn name_and_place_vdir(
        &self,
        part: Part,
        parent_id: &FolderId,
        hidden: &Path,
        name: &str,
        uid: FolderUid,
    ) -> Result<FolderId, StoreError> {
        let io_error = |error: io::Error| disk::store_error(&error, hidden, 0);
        let parent_path = self.places.folder(parent_id)?.path;
        for attempt in 1..=NAMES_TRIED_MAX {
            let on_disk = self.vdir_name(name, attempt);
            let id = child(parent_id, &on_disk);
            // The id must lead here again; this refuses what lies too deep.
            if self.places.folder(&id)?.part != part {
                return Err(StoreError::Unsupported);
            }
            if on_disk != name {
                disk::write_small(&hidden.join(DISPLAY_NAME), name.as_bytes()).map_err(io_error)?;
            }
            let mark = FolderMark { uid, store: self.store.clone(), at: id.0.clone(), file_id: folder_id_of(hidden) };
            mark::write_folder(hidden, &mark).map_err(io_error)?;
            match disk::rename_new(hidden, &parent_path.join(&on_disk)) {
                Ok(()) => {
                    disk::sync_dir(&parent_path).map_err(io_error)?;
                    return Ok(id);
                }
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(io_error(error)),
            }
        }
        Err(StoreError::Changed)
    }

    fn vdir_name(&self, name: &str, attempt: u32) -> String {
        let number = if attempt == 1 { String::new() } else { format!(" ({attempt})") };
        let valid = self.rules.make_valid(name);
        format!("{}{number}", shorten(&valid, NAME_BYTES_MAX - number.len()))
    }

    /// Renames or moves a folder with everything in it.
    pub(super) fn rename(
        &self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        let before = self.list()?.into_iter().find(|known| known.id == *folder).ok_or(StoreError::NotFound)?;
        let part = self.places.folder(folder)?.part;
        let is_part_root = folder.0 == part.name();
        let is_inside_itself = parent.is_some_and(|parent| is_within(parent, folder, part));
        let is_other_part = match parent {
            Some(parent) => self.places.folder(parent)?.part != part,
            None => false,
        };
        if is_part_root || is_inside_itself || is_other_part {
            return Err(StoreError::Unsupported);
        }
        if before.parent.as_ref() == parent && before.name == name {
            return Ok(before);
        }
        let id = if part == Part::Mail {
            self.rename_mail(folder, parent, name)
        } else {
            self.rename_vdir(folder, &before, parent, name)
        }?;
        if let Some(uid) = before.uid {
            // The next copy is told from this folder by where it is now.
            let _ = self.write_mark(&id, uid);
        }
        // A renamed copy carries the original's mark, which doesn't make it the original.
        Ok(FolderInfo { uid: before.uid, ..self.info(&id)? })
    }

    fn rename_mail(&self, folder: &FolderId, parent: Option<&FolderId>, name: &str) -> Result<FolderId, StoreError> {
        let root = &self.places.parts[&Part::Mail];
        let io_error = |error: io::Error| disk::store_error(&error, root, 0);
        let old = folder.0.split_once('/').map_or("", |(_, old)| old);
        let prefix = mail_prefix(parent);
        let existing = mail_names(root).map_err(io_error)?;
        let inside = format!("{old}.");
        let moving: Vec<&String> = existing.iter().filter(|name| *name == old || name.starts_with(&inside)).collect();
        for attempt in 1..=NAMES_TRIED_MAX {
            let new = self.mail_name(&prefix, name, attempt)?;
            let renamed: Vec<(&String, String)> =
                moving.iter().map(|name| (*name, format!("{new}{}", &name[old.len()..]))).collect();
            let is_taken_by_another =
                |to: &String| existing.contains(to) && !moving.contains(&to) || to.eq_ignore_ascii_case(".INBOX");
            let new_inside = format!("{new}.");
            let is_parent_of_others =
                existing.iter().any(|name| name.starts_with(&new_inside) && !moving.contains(&name));
            if is_parent_of_others || renamed.iter().any(|(_, to)| is_taken_by_another(to)) {
                continue;
            }
            if let Some((_, to)) = renamed.iter().find(|(_, to)| to.len() > NAME_BYTES_MAX) {
                let reason = "a folder inside would lie too deep for a Maildir".to_owned();
                return Err(StoreError::Io { reason, path: to.clone() });
            }
            let mut is_free = true;
            for (from, to) in &renamed {
                let (Some(from), Some(to)) = (text::text_to_name(from), text::text_to_name(to)) else {
                    return Err(StoreError::NotFound);
                };
                match disk::rename_new(&root.join(from), &root.join(to)) {
                    Ok(()) => {}
                    // Only the first can be taken (by case); those inside it can't exist before it.
                    Err(error) if is_taken(&error) => {
                        is_free = false;
                        break;
                    }
                    Err(error) => return Err(io_error(error)),
                }
            }
            if is_free {
                disk::sync_dir(root).map_err(io_error)?;
                return Ok(FolderId(format!("{}/{new}", Part::Mail.name())));
            }
        }
        Err(StoreError::Changed)
    }

    fn rename_vdir(
        &self,
        folder: &FolderId,
        before: &FolderInfo,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderId, StoreError> {
        let place = self.places.folder(folder)?;
        let io_error = |error: io::Error| disk::store_error(&error, &place.path, 0);
        let name: String = name.nfc().collect();
        let display_name = place.path.join(DISPLAY_NAME);
        let has_display_name = display_name.is_file();
        if has_display_name && before.name != name {
            disk::write_small(&display_name, name.as_bytes()).map_err(io_error)?;
        }
        if before.parent.as_ref() == parent && has_display_name {
            return Ok(folder.clone());
        }
        let parent_id = parent.cloned().unwrap_or_else(|| FolderId(place.part.name().to_owned()));
        let parent_path = self.places.folder(&parent_id)?.path;
        let old_name = folder.0.rsplit('/').next().unwrap_or_default();
        for attempt in 1..=NAMES_TRIED_MAX {
            let keeps_own_name = has_display_name && attempt == 1;
            let on_disk = self.vdir_name(&name, attempt);
            let (on_disk, id) = if keeps_own_name {
                let id = FolderId(format!("{}/{old_name}", parent_id.0));
                (text::text_to_name(old_name).ok_or(StoreError::NotFound)?, id)
            } else {
                let id = child(&parent_id, &on_disk);
                (on_disk.into(), id)
            };
            self.places.folder(&id)?;
            match disk::rename_new(&place.path, &parent_path.join(&on_disk)) {
                Ok(()) => {
                    let path = parent_path.join(&on_disk);
                    if !has_display_name && on_disk != *name {
                        disk::write_small(&path.join(DISPLAY_NAME), name.as_bytes()).map_err(io_error)?;
                    }
                    disk::sync_dir(&parent_path).map_err(io_error)?;
                    return Ok(id);
                }
                Err(error) if is_taken(&error) => {}
                Err(error) => return Err(io_error(error)),
            }
        }
        Err(StoreError::Changed)
    }

    /// Removes a folder that holds no item, no folder and nothing of another program.
    pub(super) fn delete(&self, folder: &FolderId) -> Result<(), StoreError> {
        let place = self.places.folder(folder)?;
        if folder.0 == place.part.name() {
            return Err(StoreError::Unsupported);
        }
        let folders = self.list_without_marks()?;
        if !folders.iter().any(|known| known.id == *folder) {
            return Err(StoreError::NotFound);
        }
        if folders.iter().any(|known| known.parent.as_ref() == Some(folder)) {
            return Err(StoreError::Changed);
        }
        let removed = if place.part == Part::Mail { remove_maildir(&place) } else { remove_vdir(&place) };
        removed.map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => StoreError::Changed,
            _ => disk::store_error(&error, &place.path, 0),
        })
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty)
}

fn child(parent: &FolderId, on_disk: &str) -> FolderId {
    FolderId(format!("{}/{}", parent.0, text::bytes_to_text(on_disk.as_bytes())))
}

fn is_within(folder: &FolderId, ancestor: &FolderId, part: Part) -> bool {
    let separator = if part == Part::Mail { '.' } else { '/' };
    folder == ancestor || folder.0.strip_prefix(&ancestor.0).is_some_and(|rest| rest.starts_with(separator))
}

fn folder_id_of(path: &Path) -> Option<u64> {
    path.symlink_metadata().ok().and_then(|metadata| state::raw_file_id(&metadata))
}

/// What the names of the folders in `parent` begin with.
fn mail_prefix(parent: Option<&FolderId>) -> String {
    match parent.and_then(|parent| parent.0.split_once('/')) {
        Some((_, on_disk)) => on_disk.to_owned(),
        None if parent.is_some() => ".INBOX".to_owned(),
        None => String::new(),
    }
}

/// The names (as text) of the mail root's folders that are Maildirs or might become one.
fn mail_names(root: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_dotted = name.as_encoded_bytes().starts_with(b".") && !name.as_encoded_bytes().starts_with(b".tandem");
        if is_dotted && entry.file_type()?.is_dir() {
            names.extend(text::name_to_text(&name));
        }
        if names.len() > FOLDERS_MAX {
            return Err(io::Error::other("too many folders"));
        }
    }
    Ok(names)
}

fn list_mail(root: &Path, folders: &mut Vec<FolderInfo>) -> io::Result<()> {
    let part = Part::Mail.name();
    let inbox = FolderId(part.to_owned());
    let has_inbox = root.join("cur").is_dir();
    if has_inbox {
        folders.push(FolderInfo {
            id: inbox.clone(),
            kind: FolderKind::Mail,
            parent: None,
            name: "INBOX".to_owned(),
            special_use: Some(SpecialUse::Inbox),
            uid: None,
            marked_by: None,
        });
    }
    let is_maildir = |name: &String| text::text_to_name(name).is_some_and(|name| root.join(name).join("cur").is_dir());
    let mut names: BTreeSet<String> = mail_names(root)?.into_iter().filter(is_maildir).collect();
    let implied: Vec<String> = names.iter().flat_map(|name| ancestors(name)).map(str::to_owned).collect();
    names.extend(implied.into_iter().filter(|name| !name.eq_ignore_ascii_case(".INBOX")));
    let mut uses_taken = BTreeSet::new();
    for name in names {
        let (parent, last) = match name[1..].rsplit_once('.') {
            Some(_) if has_empty_part(&name) => (None, &name[1..]),
            Some((parent, last)) if parent.eq_ignore_ascii_case("INBOX") => (has_inbox.then(|| inbox.clone()), last),
            Some((parent, last)) => (Some(FolderId(format!("{part}/.{parent}"))), last),
            None => (None, &name[1..]),
        };
        let shown = folder_names::mail_from_disk(last);
        let is_top = parent.is_none() || parent.as_ref() == Some(&inbox);
        if is_top && folder_names::is_outbox(&shown) {
            continue;
        }
        // The first of several folders for one use has it, in the order of names.
        let special_use = folder_names::special_use(&shown).filter(|_| is_top);
        let special_use = special_use.filter(|special_use| uses_taken.insert(*special_use));
        folders.push(FolderInfo {
            id: FolderId(format!("{part}/{name}")),
            kind: FolderKind::Mail,
            parent,
            name: shown,
            special_use,
            uid: None,
            marked_by: None,
        });
    }
    Ok(())
}

fn has_empty_part(name: &str) -> bool {
    name[1..].split('.').any(str::is_empty)
}

/// `.A.B.C` → `.A`, `.A.B`.
fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    let dots = if has_empty_part(name) { "" } else { &name[1..] };
    dots.match_indices('.').map(|(at, _)| &name[..=at])
}

fn list_vdir(
    part: Part,
    path: &Path,
    id: FolderId,
    parent: Option<FolderId>,
    depth: usize,
    folders: &mut Vec<FolderInfo>,
) -> io::Result<()> {
    let (mut below, mut has_items) = (Vec::new(), false);
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.as_encoded_bytes().starts_with(b".") {
            below.extend(text::name_to_text(&name));
        } else if kind.is_file() && vdir::format(part, &name).is_some() {
            has_items = true;
        }
    }
    // The part's own folder counts once somebody keeps items directly in it.
    let is_folder = depth > 0 || has_items || path.join(FOLDER_MARK).is_file();
    if is_folder {
        let on_disk = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = display_name(path).unwrap_or(on_disk).nfc().collect();
        folders.push(FolderInfo {
            id: id.clone(),
            kind: part.kind(),
            parent,
            name,
            special_use: None,
            uid: None,
            marked_by: None,
        });
    }
    if folders.len() > FOLDERS_MAX {
        return Err(io::Error::other("too many folders"));
    }
    if depth == DEPTH_MAX {
        return Ok(());
    }
    below.sort_unstable();
    for name in below {
        let child_path = path.join(text::text_to_name(&name).ok_or(ErrorKind::NotFound)?);
        let child_id = FolderId(format!("{}/{name}", id.0));
        match list_vdir(part, &child_path, child_id, is_folder.then(|| id.clone()), depth + 1, folders) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            listed => listed?,
        }
    }
    Ok(())
}

fn display_name(path: &Path) -> Option<String> {
    let bytes = disk::read_small(&path.join(DISPLAY_NAME), DISPLAY_NAME_BYTES_MAX).ok()?;
    let name = String::from_utf8(bytes).ok()?;
    let name = name.trim();
    (!name.is_empty() && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

/// Makes the three folders of a Maildir, `cur` last.
pub(super) fn make_maildir(path: &Path, is_subfolder: bool) -> io::Result<()> {
    make_private_dir(path)?;
    if is_subfolder {
        let mark = path.join("maildirfolder");
        if !mark.exists() {
            std::fs::write(mark, b"")?;
        }
    }
    ["tmp", "new", "cur"].iter().try_for_each(|name| make_private_dir(&path.join(name)))
}

/// Mail is nobody else's business: 0700, as mail programs do.
fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn remove_maildir(place: &Place) -> io::Result<()> {
    let path = &place.path;
    let is_leftover = |name: &str| name == FOLDER_MARK || MAIL_LEFTOVER_BEGINNINGS.iter().any(|b| name.starts_with(b));
    let subs = ["new", "cur", "tmp"];
    let leftovers = leftovers(path, &subs, is_leftover)?;
    // Each of these fails if something was delivered meanwhile; then everything is put back.
    for (index, sub) in subs.iter().enumerate() {
        match std::fs::remove_dir(path.join(sub)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                subs[..index].iter().try_for_each(|removed| make_private_dir(&path.join(removed)))?;
                return Err(error);
            }
            _ => {}
        }
    }
    remove_with_leftovers(path, &leftovers).inspect_err(|_| {
        let _ = make_maildir(path, true);
    })
}

fn remove_vdir(place: &Place) -> io::Result<()> {
    let is_leftover = |name: &str| name == FOLDER_MARK || LEFTOVERS.contains(&name);
    let leftovers = leftovers(&place.path, &[STAGING], is_leftover)?;
    match std::fs::remove_dir(place.path.join(STAGING)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    remove_with_leftovers(&place.path, &leftovers)
}

/// The files that go with an empty folder, with their contents. Anything else in it is an error.
fn leftovers(path: &Path, subs: &[&str], is_leftover: impl Fn(&str) -> bool) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut leftovers = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if subs.contains(&&*name) {
            continue;
        }
        if !entry.file_type()?.is_file() || !is_leftover(&name) {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        leftovers.push((name, std::fs::read(entry.path())?));
    }
    Ok(leftovers)
}

/// Removes the folder; if something appeared in it meanwhile, its leftovers are put back.
fn remove_with_leftovers(path: &Path, leftovers: &[(String, Vec<u8>)]) -> io::Result<()> {
    let removed = leftovers
        .iter()
        .try_for_each(|(name, _)| std::fs::remove_file(path.join(name)))
        .and_then(|()| std::fs::remove_dir(path));
    if removed.is_err() {
        for (name, bytes) in leftovers {
            let _ = disk::write_small(&path.join(name), bytes);
        }
    }
    removed.and_then(|()| path.parent().map_or(Ok(()), disk::sync_dir))
}
