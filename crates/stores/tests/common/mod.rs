//! People at work in a store, for the conformance suite.
#![allow(clippy::unwrap_used, dead_code)]

pub(crate) mod corpus;
pub(crate) mod page;

use pim::{Flags, FolderKind, Format, ItemUid, NativeHash};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use stores::{
    Change, Entry, FolderId, FolderInfo, Intent, Listing, NewContent, Payload, Store, StoreError, StoreId,
    conformance::Subject,
    files::{self, FilesSpec, FilesStore},
    memory::{MemoryOptions, MemoryStore, MemoryStoreHandle},
};
use tempfile::TempDir;

pub(crate) struct MemorySubject {
    person: MemoryStoreHandle,
}

impl MemorySubject {
    pub(crate) fn new(options: MemoryOptions) -> Self {
        Self { person: MemoryStore::new(options).1 }
    }
}

impl Subject for MemorySubject {
    fn store(&mut self, _known: Option<&StoreId>) -> Box<dyn Store> {
        Box::new(self.person.connect())
    }

    fn adds(&mut self, folder: &FolderInfo, name: &str, bytes: &[u8]) {
        self.person.add(&folder.id, name, folder.kind.format(), bytes);
    }

    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        self.person.edit(&entry.href, bytes);
    }

    fn deletes(&mut self, entry: &Entry) {
        self.person.delete(&entry.href);
    }

    fn copies(&mut self, entry: &Entry) {
        let folder = self
            .person
            .folders()
            .into_iter()
            .find(|folder| self.person.items(&folder.id).iter().any(|(href, _, _)| *href == entry.href));
        self.person.copy(&entry.href, &folder.unwrap().id);
    }

    fn vanishes(&mut self) {
        self.person.set_available(false);
    }

    fn is_emptied(&mut self) {
        self.person.empty();
    }

    fn is_replaced(&mut self) {
        self.person.replace();
    }

    fn comes_back(&mut self) {
        self.person.set_available(true);
    }
}

/// A `files` store in a temporary folder, and a person with a shell.
pub(crate) struct FilesSubject {
    home: TempDir,
    /// What stands behind the path.
    parts: &'static str,
}

impl FilesSubject {
    pub(crate) fn new() -> Self {
        Self::with_parts("")
    }

    /// One with mail only.
    pub(crate) fn for_mail() -> Self {
        Self::with_parts(",contacts=,calendars=,tasks=,notes=")
    }

    fn with_parts(parts: &'static str) -> Self {
        let subject = Self { home: tempfile::tempdir().unwrap(), parts };
        fs::create_dir(subject.root()).unwrap();
        files::prepare(&subject.spec()).unwrap();
        subject
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.home.path().join("pim")
    }

    pub(crate) fn spec(&self) -> FilesSpec {
        FilesSpec::parse(&format!("files:{}{}", self.root().display(), self.parts)).unwrap()
    }

    pub(crate) fn open(&self) -> FilesStore {
        let mut store = FilesStore::open_at(self.spec());
        store.open().unwrap();
        store
    }

    fn kept(&self) -> PathBuf {
        self.home.path().join("kept")
    }

    /// The file behind an entry, found as a person would: by the beginning of its name.
    pub(crate) fn path(&self, entry: &Entry) -> PathBuf {
        let (folder, base) = entry.href.0.rsplit_once('/').unwrap();
        let folder = self.root().join(folder.replace("%25", "%"));
        for sub in ["cur", "new"] {
            for found in fs::read_dir(folder.join(sub)).into_iter().flatten().flatten() {
                // Where no name can hold a colon, a semicolon stands before the flags.
                let name = found.file_name().to_string_lossy().replace(";2,", ":2,");
                if name.split(":2,").next() == Some(base) {
                    return found.path();
                }
            }
        }
        folder.join(base)
    }
}

fn set_aside(root: &Path, kept: &Path) {
    fs::rename(root, kept).unwrap();
}

impl Subject for FilesSubject {
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store> {
        let store = FilesStore::open_at(self.spec());
        Box::new(match known {
            Some(id) => store.expecting(id.clone()),
            None => store,
        })
    }

    fn adds(&mut self, folder: &FolderInfo, name: &str, bytes: &[u8]) {
        let folder_path = self.root().join(&folder.id.0);
        let path = match folder.kind {
            FolderKind::Mail => folder_path.join("new").join(name),
            FolderKind::Contacts => folder_path.join(format!("{name}.vcf")),
            FolderKind::Calendar | FolderKind::Tasks | FolderKind::Notes => folder_path.join(format!("{name}.ics")),
        };
        fs::write(path, bytes).unwrap();
    }

    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        fs::write(self.path(entry), bytes).unwrap();
    }

    fn deletes(&mut self, entry: &Entry) {
        fs::remove_file(self.path(entry)).unwrap();
    }

    fn copies(&mut self, entry: &Entry) {
        let path = self.path(entry);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        fs::copy(&path, path.with_file_name(format!("copy of {name}"))).unwrap();
    }

    fn vanishes(&mut self) {
        set_aside(&self.root(), &self.kept());
    }

    fn is_emptied(&mut self) {
        set_aside(&self.root(), &self.kept());
        fs::create_dir(self.root()).unwrap();
    }

    fn is_replaced(&mut self) {
        set_aside(&self.root(), &self.kept());
        files::prepare(&self.spec()).unwrap();
        FilesStore::open_at(self.spec()).open().unwrap();
    }

    fn comes_back(&mut self) {
        if self.root().exists() {
            fs::remove_dir_all(self.root()).unwrap();
        }
        fs::rename(self.kept(), self.root()).unwrap();
    }
}

/// Content as the engine hands it over.
pub(crate) fn content(bytes: &[u8], format: Format) -> NewContent {
    let native = NativeHash(*blake3::hash(bytes).as_bytes());
    let payload = Payload::Memory(Arc::from(bytes));
    NewContent { payload, native, format, modified: Some(1_000_000_000), may_be_linked: false }
}

/// A new item of the folder's usual format.
pub(crate) fn create(folder: &str, name: &str, bytes: &[u8]) -> Change {
    let format = match folder.split('/').next() {
        Some("mail") => Format::Rfc5322,
        Some("contacts") => Format::VCard,
        _ => Format::ICalendar,
    };
    Change::Create {
        uid: ItemUid(*blake3::hash(bytes).as_bytes().first_chunk().unwrap()),
        folder: FolderId(folder.into()),
        content: content(bytes, format),
        flags: Flags::default(),
        name: name.into(),
    }
}

/// New content, flags or folder for an entry.
pub(crate) fn update(entry: &Entry, bytes: Option<&[u8]>, flags: &Flags, folder: Option<&str>) -> Change {
    Change::Update {
        uid: entry.uid.unwrap_or(ItemUid([0; 16])),
        href: entry.href.clone(),
        expect_rev: entry.rev.clone(),
        expect_flags: entry.flags.clone(),
        content: bytes.map(|bytes| content(bytes, entry.format)),
        flags: flags.clone(),
        folder: folder.map(|folder| FolderId(folder.into())),
    }
}

pub(crate) fn delete(entry: &Entry) -> Change {
    Change::Delete { href: entry.href.clone(), expect_rev: entry.rev.clone() }
}

pub(crate) fn stage(store: &mut dyn Store, change: Change) -> Intent {
    store.stage(&[change]).remove(0).unwrap()
}

pub(crate) fn apply(store: &mut dyn Store, change: Change) -> Result<Option<Entry>, StoreError> {
    let intent = store.stage(&[change]).remove(0)?;
    store.commit(&[intent]).remove(0).map(|written| written.entry)
}

pub(crate) fn list(store: &mut dyn Store, folder: &str) -> Vec<Entry> {
    match store.list(&FolderId(folder.into()), None).unwrap() {
        Listing::Complete { entries, .. } => entries,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn read(store: &dyn Store, entry: &Entry) -> Vec<u8> {
    match store.reader().read(&entry.href).unwrap().payload {
        Payload::Memory(bytes) => bytes.to_vec(),
        Payload::File { path, .. } => fs::read(path).unwrap(),
    }
}

/// A message's file name as this system can hold it: where no name can hold a colon, a semicolon stands before the flags.
pub(crate) fn on_disk(name: &str) -> String {
    if cfg!(windows) { name.replace(":2,", ";2,") } else { name.to_owned() }
}

/// Copies a folder with everything in it, as a person does.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}
