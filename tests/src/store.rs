//! A store in memory: folders with marks, items with names, revisions and inode numbers.

use crate::contents::{Bytes, examined, without_extras};
use pim::{Flags, FolderKind, FolderUid, Format, SpecialUse};
use std::collections::{BTreeMap, BTreeSet};
use sync::{
    index::{Local, LocalFolder},
    model::{FolderState, ItemState, Version},
};

/// A folder of a store.
#[derive(Clone, Debug)]
pub struct StoreFolder {
    /// What people call it.
    pub name: String,
    /// The id of the folder it lies in.
    pub parent: Option<String>,
    /// What it holds.
    pub kind: FolderKind,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
    /// The uid written into it.
    pub mark: Option<FolderUid>,
}

/// An item of a store.
#[derive(Clone, Debug)]
pub struct StoreItem {
    /// The id of its folder.
    pub folder: String,
    /// Its name there.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// Its content.
    pub bytes: Bytes,
    /// Its marks.
    pub flags: Flags,
    /// Changes with every write.
    pub rev: u64,
    /// Survives renames.
    pub file_id: u64,
    /// The intent that wrote it last, until a person touches it.
    pub op: Option<u64>,
}

/// A store.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Folders by id.
    pub folders: BTreeMap<String, StoreFolder>,
    /// Items by href.
    pub items: BTreeMap<String, StoreItem>,
    /// It can't hold extension properties.
    pub is_lossy: bool,
    /// Times a synchronization wrote to it.
    pub writes: u64,
    next: u64,
}

impl Store {
    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Makes a folder and gives its id.
    pub fn make_folder(&mut self, name: &str, parent: Option<String>, kind: FolderKind) -> String {
        let id = format!("f{}", self.fresh());
        let folder = StoreFolder { name: name.to_owned(), parent, kind, special_use: None, mark: None };
        self.folders.insert(id.clone(), folder);
        id
    }

    /// Puts an item into a folder under a free name like `name` and gives its href.
    pub fn put(&mut self, folder: &str, name: &str, format: Format, bytes: Bytes, flags: Flags) -> String {
        let (rev, file_id) = (self.fresh(), self.fresh());
        let name = self.free_name(folder, name);
        let href = format!("{folder}/{name}");
        let item = StoreItem { folder: folder.to_owned(), name, format, bytes, flags, rev, file_id, op: None };
        self.items.insert(href.clone(), item);
        href
    }

    /// Moves or renames an item and gives its new href.
    pub fn rename(&mut self, href: &str, folder: &str, name: &str) -> String {
        let mut item = self.items.remove(href).unwrap();
        item.name = self.free_name(folder, name);
        folder.clone_into(&mut item.folder);
        item.rev = self.fresh();
        let href = format!("{folder}/{}", item.name);
        self.items.insert(href.clone(), item);
        href
    }

    /// Gives an item other content or marks.
    pub fn change(&mut self, href: &str, bytes: Option<Bytes>, flags: Option<Flags>, op: Option<u64>) {
        let rev = self.fresh();
        let file_id = self.fresh();
        let item = self.items.get_mut(href).unwrap();
        if let Some(bytes) = bytes {
            item.bytes = bytes;
            item.file_id = file_id;
        }
        if let Some(flags) = flags {
            item.flags = flags;
        }
        item.rev = rev;
        item.op = op;
    }

    fn free_name(&self, folder: &str, name: &str) -> String {
        let is_free = |name: &String| !self.items.contains_key(&format!("{folder}/{name}"));
        (0..)
            .map(|number| if number == 0 { name.to_owned() } else { format!("{name}-{number}") })
            .find(is_free)
            .unwrap()
    }

    /// A folder with everything below it.
    #[must_use]
    pub fn below(&self, folder: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::from([folder.to_owned()]);
        loop {
            let more: Vec<String> = self
                .folders
                .iter()
                .filter(|(id, state)| {
                    !found.contains(*id) && state.parent.as_ref().is_some_and(|up| found.contains(up))
                })
                .map(|(id, _)| id.clone())
                .collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    /// The names from the top down to a folder.
    #[must_use]
    pub fn path(&self, folder: &str) -> Vec<String> {
        let mut path = Vec::new();
        let mut next = Some(folder);
        while let Some(id) = next {
            let folder = &self.folders[id];
            path.push(folder.name.clone());
            next = folder.parent.as_deref();
        }
        path.reverse();
        path
    }

    /// What the store would hold of these bytes.
    #[must_use]
    pub fn as_held(&self, format: Format, bytes: &Bytes) -> Bytes {
        if self.is_lossy { without_extras(format, bytes) } else { bytes.clone() }
    }

    /// An item as the engine is told of it.
    #[must_use]
    pub fn local(&self, href: &str, folder: FolderUid) -> Local {
        let item = &self.items[href];
        let known = examined(self.folders[&item.folder].kind, item.format, &item.bytes);
        let examined = &known.examined;
        let version = Version {
            canon: examined.canon,
            rule: pim::CANON_RULE,
            native: examined.native,
            format: item.format,
            size: examined.size,
        };
        Local {
            href: href.to_owned(),
            rev: item.rev.to_be_bytes().to_vec(),
            file_id: Some(item.file_id),
            object_uid: examined.object_uid,
            state: ItemState {
                kind: examined.kind,
                folder,
                version,
                flags: item.flags.clone(),
                name: item.name.clone(),
                identity: examined.identity,
                lookalikes: examined.lookalikes.clone(),
            },
            fields: known.fields.clone(),
        }
    }

    /// A folder as the engine is told of it.
    #[must_use]
    pub fn local_folder(&self, id: &str, uid_of: &BTreeMap<String, FolderUid>) -> LocalFolder {
        let StoreFolder { name, parent, kind, special_use, .. } = self.folders[id].clone();
        let parent = parent.map(|parent| uid_of[&parent]);
        LocalFolder { id: id.to_owned(), state: FolderState { kind, parent, name, special_use } }
    }
}
