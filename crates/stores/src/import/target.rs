//! The store side of an import: folders, what is there already, and writing in groups.

use super::{ImportedFolder, Into, Report, SourceItem};
use crate::{Change, FolderId, FolderInfo, NewContent, Payload, Store, StoreError, staging::random_hex};
use pim::{CanonHash, Examined, Examiner, FolderKind, FolderUid, ItemUid, PairingKey, SpecialUse, examine};
use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::Read,
    sync::Arc,
};

/// Items and bytes written at a time.
const GROUP_MAX: usize = 256;
const GROUP_BYTES_MAX: usize = 16 << 20;

pub(super) struct Target<'s> {
    store: &'s mut dyn Store,
    into: Into,
    is_preview: bool,
    folders: Vec<FolderInfo>,
    /// By kind and names; where a preview has no folder yet, there is none.
    places: BTreeMap<(FolderKind, Vec<String>), Place>,
    /// Identities of items in folders that are not of this import, by kind.
    elsewhere: BTreeMap<FolderKind, HashSet<PairingKey>>,
    group: Vec<Waiting>,
    group_bytes: usize,
    /// What the store holds.
    kinds: Vec<FolderKind>,
}

/// A folder that takes items.
struct Place {
    id: Option<FolderId>,
    contents: HashSet<CanonHash>,
    identities: HashSet<PairingKey>,
    report: ImportedFolder,
}

/// An item that waits for its group.
struct Waiting {
    place: (FolderKind, Vec<String>),
    item: SourceItem,
    examined: Examined,
}

impl<'s> Target<'s> {
    pub(super) fn new(store: &'s mut dyn Store, into: Into, is_preview: bool) -> Result<Self, StoreError> {
        let (folders, kinds) = (store.folders()?, store.kinds());
        Ok(Self {
            store,
            kinds,
            into,
            is_preview,
            folders,
            places: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            group: Vec::new(),
            group_bytes: 0,
        })
    }

    pub(super) fn add(&mut self, item: SourceItem, report: &mut Report) -> Result<(), StoreError> {
        if !self.kinds.contains(&item.folder) {
            let title = examine(item.folder, item.format, &item.bytes).title;
            report.skip(item.path, title, StoreError::Unsupported.into());
            return Ok(());
        }
        let path = self.path_of(&item);
        let key = (item.folder, path);
        if !self.places.contains_key(&key) {
            let place = self.open(key.0, &key.1)?;
            self.places.insert(key.clone(), place);
        }
        if !self.elsewhere.contains_key(&item.folder) {
            let known = self.identities_elsewhere(item.folder)?;
            self.elsewhere.insert(item.folder, known);
        }
        let examined = examine(item.folder, item.format, &item.bytes);
        let place = self.places.get_mut(&key).expect("it was opened above");
        let known_elsewhere = &self.elsewhere[&item.folder];
        // Identities of opaque items are those of one of the things in them.
        let identity = examined.identity.filter(|_| !examined.opaque);
        let is_known = place.contents.contains(&examined.canon)
            || identity.is_some_and(|key| place.identities.contains(&key) || known_elsewhere.contains(&key));
        if is_known {
            place.report.present += 1;
            return Ok(());
        }
        place.contents.insert(examined.canon);
        place.identities.extend(identity);
        if self.is_preview {
            place.report.added += 1;
            return Ok(());
        }
        self.group_bytes += item.bytes.len();
        self.group.push(Waiting { place: key, item, examined });
        if self.group.len() == GROUP_MAX || self.group_bytes >= GROUP_BYTES_MAX {
            self.write(report)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, report: &mut Report) -> Result<(), StoreError> {
        let written = if self.group.is_empty() { Ok(()) } else { self.write(report) };
        report.folders = self.places.into_values().map(|place| place.report).collect();
        report.folders.retain(|folder| folder.added + folder.present > 0);
        written
    }

    /// Names of the folder an item goes to, from the top of its kind on.
    fn path_of(&self, item: &SourceItem) -> Vec<String> {
        let name = match &self.into {
            Into::Folder(id, name) => {
                if let Some(folder) = self.folders.iter().find(|folder| folder.id == *id && folder.kind == item.folder)
                {
                    return [self.path(folder), item.path.clone()].concat();
                }
                name
            }
            Into::Named(name) => name,
        };
        // A single message belongs to the others.
        if item.special_use == Some(SpecialUse::Inbox) && item.folder == FolderKind::Mail && item.path.is_empty() {
            let is_inbox = |folder: &&FolderInfo| folder.special_use == Some(SpecialUse::Inbox);
            if let Some(inbox) = self.folders.iter().find(is_inbox) {
                return self.path(inbox);
            }
        }
        [&[name.clone()][..], &item.path].concat()
    }

    fn path(&self, folder: &FolderInfo) -> Vec<String> {
        let mut names = vec![folder.name.clone()];
        let mut parent = folder.parent.as_ref();
        while let Some(above) = parent.and_then(|id| self.folders.iter().find(|folder| folder.id == *id)) {
            // A ring of folders is no way up.
            if names.len() > self.folders.len() {
                break;
            }
            names.push(above.name.clone());
            parent = above.parent.as_ref();
        }
        names.reverse();
        names
    }

    fn find(&self, kind: FolderKind, path: &[String]) -> Option<&FolderInfo> {
        self.folders.iter().find(|folder| folder.kind == kind && self.path(folder) == path)
    }

    /// The folder with these names, made if it isn't there, with what is in it.
    fn open(&mut self, kind: FolderKind, path: &[String]) -> Result<Place, StoreError> {
        let mut parent: Option<FolderId> = None;
        let mut names: Vec<String> = Vec::new();
        for name in path {
            names.push(name.clone());
            let known = self.find(kind, &names).map(|folder| folder.id.clone());
            parent = match known {
                Some(id) => Some(id),
                None if self.is_preview => None,
                None => {
                    let uid = FolderUid::from_hex(&random_hex::<16>()).expect("random digits are digits");
                    let made = self.store.create_folder(parent.as_ref(), name, kind, uid)?;
                    // The name may differ from the wish; the next item with the wish comes to the same place all the same.
                    let id = made.id.clone();
                    self.folders.push(FolderInfo { name: name.clone(), ..made });
                    Some(id)
                }
            };
            if parent.is_none() {
                break;
            }
        }
        let mut place = Place {
            id: parent,
            contents: HashSet::new(),
            identities: HashSet::new(),
            report: ImportedFolder { kind, path: path.to_vec(), added: 0, present: 0 },
        };
        if let Some(id) = place.id.clone() {
            for examined in self.examine_all(&id, kind)? {
                place.contents.insert(examined.canon);
                place.identities.extend(examined.identity);
            }
        }
        Ok(place)
    }

    fn identities_elsewhere(&mut self, kind: FolderKind) -> Result<HashSet<PairingKey>, StoreError> {
        let top = match &self.into {
            Into::Named(name) => vec![name.clone()],
            Into::Folder(id, name) => {
                match self.folders.iter().find(|folder| folder.id == *id && folder.kind == kind) {
                    Some(folder) => self.path(folder),
                    None => vec![name.clone()],
                }
            }
        };
        let of_kind = self.folders.iter().filter(|folder| folder.kind == kind);
        let others: Vec<FolderId> =
            of_kind.filter(|folder| !self.path(folder).starts_with(&top)).map(|folder| folder.id.clone()).collect();
        let mut known = HashSet::new();
        for folder in others {
            known.extend(self.examine_all(&folder, kind)?.into_iter().filter_map(|examined| examined.identity));
        }
        Ok(known)
    }

    /// What the items of a folder are.
    fn examine_all(&mut self, folder: &FolderId, kind: FolderKind) -> Result<Vec<Examined>, StoreError> {
        let entries = self.store.list(folder, None)?.into_entries();
        let reader = self.store.reader();
        let examined = entries.into_iter().filter_map(|entry| {
            let content = reader.read(&entry.href).ok()?;
            let mut examiner = Examiner::new(kind, entry.format);
            match &content.payload {
                Payload::Memory(bytes) => examiner.update(bytes),
                Payload::File { path, .. } => {
                    let mut file = File::open(path).ok()?;
                    let mut buffer = vec![0; 1 << 16];
                    loop {
                        match file.read(&mut buffer).ok()? {
                            0 => break,
                            count => examiner.update(&buffer[..count]),
                        }
                    }
                }
            }
            Some(examiner.finish())
        });
        Ok(examined.collect())
    }

    fn write(&mut self, report: &mut Report) -> Result<(), StoreError> {
        let group = std::mem::take(&mut self.group);
        self.group_bytes = 0;
        let mut changes = Vec::new();
        let mut waiting = Vec::new();
        for mut one in group {
            let Some(folder) = self.places[&one.place].id.clone() else { continue };
            let uid = ItemUid::from_hex(&random_hex::<16>()).expect("random digits are digits");
            let bytes = std::mem::take(&mut one.item.bytes);
            let content = NewContent {
                payload: Payload::Memory(Arc::from(bytes)),
                native: one.examined.native,
                format: one.item.format,
                modified: one.item.modified,
                may_be_linked: false,
            };
            let name = one.item.uid.clone().unwrap_or_else(|| uid.to_string());
            changes.push(Change::Create { uid, folder, content, flags: one.item.flags.clone(), name });
            waiting.push(one);
        }
        let staged = self.store.stage(&changes);
        let mut intents = Vec::new();
        let mut committed = Vec::new();
        let mut errors = Vec::new();
        for (one, intent) in waiting.into_iter().zip(staged) {
            match intent {
                Ok(intent) => {
                    intents.push(intent);
                    committed.push(one);
                }
                Err(error) => errors.push((one, error)),
            }
        }
        for (one, written) in committed.into_iter().zip(self.store.commit(&intents)) {
            match written {
                Ok(_) => self.places.get_mut(&one.place).expect("it was opened").report.added += 1,
                Err(error) => errors.push((one, error)),
            }
        }
        for (one, error) in errors {
            // What stops one item because of itself doesn't stop the others; a full disk does.
            match error {
                error @ (StoreError::NoSpace { .. }
                | StoreError::Unavailable { .. }
                | StoreError::Replaced
                | StoreError::Permission { .. }) => return Err(error),
                error => report.skip(one.item.path, one.examined.title, error.into()),
            }
        }
        Ok(())
    }
}
