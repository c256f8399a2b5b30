//! A store in memory, for simulations and for tests of what talks to stores.
//!
//! A test holds the [`MemoryStoreHandle`] and is the person at the computer: adds, edits, moves and deletes items
//! while the engine works, takes the store away, breaks it off in the middle of a commit. Nothing depends on time or
//! chance, so a story replays exactly.

use crate::{
    Caps, Change, Content, Entry, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, NewContent, Payload,
    Reader, Recovered, Rev, Store, StoreError, StoreId, Watch, Written,
};
use pim::{Flags, FolderKind, FolderUid, Format, ItemUid, SpecialUse};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Rewrites content as it is stored, like a program that doesn't keep everything.
pub type Rewrite = dyn Fn(Format, &[u8]) -> Vec<u8> + Send + Sync;

/// What kind of store to play.
#[derive(Clone)]
pub struct MemoryOptions {
    /// The store's identity.
    pub id: StoreId,
    /// Items carry their uid themselves.
    pub holds_uid: bool,
    /// An item gets another href when it moves (as in files); else it keeps it (as in Outlook).
    pub href_follows_folder: bool,
    /// See [`Caps::absence_wait_ms`].
    pub absence_wait_ms: u64,
    /// Applied to everything written through the store; `None` keeps every byte.
    pub rewrite: Option<Arc<Rewrite>>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            id: StoreId("memory".to_owned()),
            holds_uid: false,
            href_follows_folder: true,
            absence_wait_ms: 1_000,
            rewrite: None,
        }
    }
}

impl fmt::Debug for MemoryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryOptions")
            .field("id", &self.id)
            .field("holds_uid", &self.holds_uid)
            .field("href_follows_folder", &self.href_follows_folder)
            .field("absence_wait_ms", &self.absence_wait_ms)
            .field("rewrite", &self.rewrite.is_some())
            .finish()
    }
}

/// Where the next commit breaks off. Afterwards the store answers nothing until
/// [`MemoryStoreHandle::restart`], as if the program had been killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Crash {
    /// Before anything is visible.
    BeforeCommit,
    /// When so many changes of the group are visible (all of them, if the group is smaller).
    AfterChanges(usize),
}

/// Where the store is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Presence {
    There,
    Gone,
    Emptied,
    Replaced,
    /// The program was killed; the store itself is fine.
    Crashed,
}

#[derive(Clone, Debug)]
struct MemoryFolder {
    kind: FolderKind,
    parent: Option<FolderId>,
    name: String,
    special_use: Option<SpecialUse>,
    uid: Option<FolderUid>,
    marked_by: Option<StoreId>,
    /// Counts up with every change in the folder.
    changed: u64,
    /// Hrefs that a listing can't read.
    unreadable: BTreeSet<Href>,
}

#[derive(Clone, Debug)]
struct MemoryItem {
    folder: FolderId,
    bytes: Arc<[u8]>,
    flags: Flags,
    name: String,
    format: Format,
    rev: u64,
    uid: Option<ItemUid>,
    file_id: u64,
}

/// A staged change and what became of it.
#[derive(Clone, Debug)]
enum Staged {
    Waiting(Change),
    /// Recovery gave it up; it can't be carried out any more.
    GivenUp(Change),
    Done(Written),
}

struct World {
    options: MemoryOptions,
    presence: Presence,
    folders: BTreeMap<FolderId, MemoryFolder>,
    items: BTreeMap<Href, MemoryItem>,
    staged: BTreeMap<u64, Staged>,
    crash: Option<Crash>,
    watches: BTreeMap<u64, Arc<Wake>>,
    next: u64,
}

type Wake = dyn Fn(Option<FolderId>) + Send + Sync;

/// A store in memory. See the module.
pub struct MemoryStore {
    world: Arc<Mutex<World>>,
}

/// The person at the computer, and what can go wrong there.
#[derive(Clone)]
pub struct MemoryStoreHandle {
    world: Arc<Mutex<World>>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore({:?})", lock(&self.world).options.id)
    }
}

impl fmt::Debug for MemoryStoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStoreHandle({:?})", lock(&self.world).options.id)
    }
}

fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    // A failed assertion in a test must not hide behind a second panic.
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    /// An empty store and the handle of the person who owns it.
    #[must_use]
    pub fn new(options: MemoryOptions) -> (Self, MemoryStoreHandle) {
        let world = Arc::new(Mutex::new(World {
            options,
            presence: Presence::There,
            folders: BTreeMap::new(),
            items: BTreeMap::new(),
            staged: BTreeMap::new(),
            crash: None,
            watches: BTreeMap::new(),
            next: 1,
        }));
        (Self { world: Arc::clone(&world) }, MemoryStoreHandle { world })
    }
}

impl MemoryStoreHandle {
    /// Another connection to the same store, as after a restart or from a second program.
    #[must_use]
    pub fn connect(&self) -> MemoryStore {
        MemoryStore { world: Arc::clone(&self.world) }
    }

    /// Makes a folder without a mark.
    pub fn add_folder(&self, parent: Option<&FolderId>, name: &str, kind: FolderKind) -> FolderId {
        self.change(None, |world| {
            let id = world.folder_id(name);
            world.put_folder(&id, parent, name, kind, None);
            id
        })
    }

    /// Says what a folder is for.
    pub fn set_special_use(&self, folder: &FolderId, special_use: Option<SpecialUse>) {
        self.change(None, |world| world.folder(folder).special_use = special_use);
    }

    /// Renames a folder; its mark stays with it.
    pub fn rename_folder(&self, folder: &FolderId, name: &str) {
        self.change(None, |world| world.folder(folder).name = name.to_owned());
    }

    /// Removes a folder with everything in it.
    pub fn delete_folder(&self, folder: &FolderId) {
        self.change(None, |world| {
            let below: Vec<FolderId> =
                world.folders.iter().filter(|(id, _)| world.is_within(id, folder)).map(|(id, _)| id.clone()).collect();
            world.items.retain(|_, item| !below.contains(&item.folder));
            world.folders.retain(|id, _| !below.contains(id));
        });
    }

    /// Takes a folder's mark away.
    pub fn unmark_folder(&self, folder: &FolderId) {
        self.change(None, |world| {
            let folder = world.folder(folder);
            folder.uid = None;
            folder.marked_by = None;
        });
    }

    /// Adds an item as another program would.
    pub fn add(&self, folder: &FolderId, name: &str, format: Format, bytes: &[u8]) -> Href {
        self.change(Some(folder), |world| {
            let name = world.free_name(folder, name);
            world.put_item(folder, &name, format, bytes.into(), Flags::default(), None)
        })
    }

    /// Changes an item's content.
    pub fn edit(&self, href: &Href, bytes: &[u8]) {
        let folder = self.folder_of(href);
        self.change(Some(&folder), |world| {
            let rev = world.count();
            let item = world.item(href);
            item.bytes = bytes.into();
            item.rev = rev;
        });
    }

    /// Changes an item's flags.
    pub fn set_flags(&self, href: &Href, flags: Flags) {
        let folder = self.folder_of(href);
        self.change(Some(&folder), |world| world.item(href).flags = flags);
    }

    /// Moves an item; tells its href afterwards.
    pub fn move_item(&self, href: &Href, folder: &FolderId) -> Href {
        let before = self.folder_of(href);
        self.change(Some(&before), |world| {
            world.touch(folder);
            world.move_item(href, folder)
        })
    }

    /// Copies an item with everything it carries, its uid too.
    pub fn copy(&self, href: &Href, folder: &FolderId) -> Href {
        self.change(Some(folder), |world| {
            let item = world.item(href).clone();
            let name = world.free_name(folder, &item.name);
            world.put_item(folder, &name, item.format, item.bytes, item.flags, item.uid)
        })
    }

    /// Removes an item.
    pub fn delete(&self, href: &Href) {
        let folder = self.folder_of(href);
        self.change(Some(&folder), |world| drop(world.items.remove(href)));
    }

    /// Items of a folder: href, bytes, flags.
    #[must_use]
    pub fn items(&self, folder: &FolderId) -> Vec<(Href, Arc<[u8]>, Flags)> {
        let world = lock(&self.world);
        let inside = world.items.iter().filter(|(_, item)| item.folder == *folder);
        inside.map(|(href, item)| (href.clone(), Arc::clone(&item.bytes), item.flags.clone())).collect()
    }

    /// Every folder.
    #[must_use]
    pub fn folders(&self) -> Vec<FolderInfo> {
        lock(&self.world).folder_infos()
    }

    /// Takes the store away; it comes back with `true`.
    pub fn set_available(&self, is_available: bool) {
        lock(&self.world).presence = if is_available { Presence::There } else { Presence::Gone };
    }

    /// Puts an empty place where the store was. [`set_available`](Self::set_available) brings the store back.
    pub fn empty(&self) {
        lock(&self.world).presence = Presence::Emptied;
    }

    /// Puts another store where this one was. [`set_available`](Self::set_available) brings the store back.
    pub fn replace(&self) {
        lock(&self.world).presence = Presence::Replaced;
    }

    /// Makes an item unreadable for listings, which are partial then; or readable again.
    pub fn set_readable(&self, href: &Href, is_readable: bool) {
        let folder = self.folder_of(href);
        self.change(Some(&folder), |world| {
            let unreadable = &mut world.folder(&folder).unreadable;
            let _ = if is_readable { unreadable.remove(href) } else { unreadable.insert(href.clone()) };
        });
    }

    /// Breaks the next commit off.
    pub fn crash_in_next_commit(&self, crash: Crash) {
        lock(&self.world).crash = Some(crash);
    }

    /// The program starts again after a crash. What was staged is still staged.
    pub fn restart(&self) {
        let mut world = lock(&self.world);
        world.crash = None;
        if world.presence == Presence::Crashed {
            world.presence = Presence::There;
        }
    }

    fn folder_of(&self, href: &Href) -> FolderId {
        lock(&self.world).item(href).folder.clone()
    }

    /// Carries out what a person does, counts it, and wakes who watches.
    fn change<T>(&self, folder: Option<&FolderId>, act: impl FnOnce(&mut World) -> T) -> T {
        let (result, watches) = {
            let mut world = lock(&self.world);
            let result = act(&mut world);
            if let Some(folder) = folder {
                world.touch(folder);
            }
            (result, world.watches.values().cloned().collect::<Vec<_>>())
        };
        for wake in watches {
            wake(folder.cloned());
        }
        result
    }
}

impl World {
    fn count(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The folder a test named. It made the folder, so it is there.
    fn folder(&mut self, folder: &FolderId) -> &mut MemoryFolder {
        self.folders.get_mut(folder).expect("a test only names folders it made")
    }

    /// The item a test named.
    fn item(&mut self, href: &Href) -> &mut MemoryItem {
        self.items.get_mut(href).expect("a test only names items that are there")
    }

    fn touch(&mut self, folder: &FolderId) {
        let changed = self.count();
        if let Some(folder) = self.folders.get_mut(folder) {
            folder.changed = changed;
        }
    }

    fn folder_id(&mut self, name: &str) -> FolderId {
        let number = self.count();
        FolderId(format!("{name}#{number}"))
    }

    fn put_folder(
        &mut self,
        id: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: Option<FolderUid>,
    ) {
        let marked_by = uid.map(|_| self.options.id.clone());
        let changed = self.count();
        let folder = MemoryFolder {
            kind,
            parent: parent.cloned(),
            name: name.to_owned(),
            special_use: None,
            uid,
            marked_by,
            changed,
            unreadable: BTreeSet::new(),
        };
        self.folders.insert(id.clone(), folder);
    }

    fn is_within(&self, folder: &FolderId, ancestor: &FolderId) -> bool {
        let mut current = Some(folder);
        while let Some(folder) = current {
            if folder == ancestor {
                return true;
            }
            current = self.folders.get(folder).and_then(|folder| folder.parent.as_ref());
        }
        false
    }

    fn free_name(&self, folder: &FolderId, wish: &str) -> String {
        let is_taken = |name: &str| self.items.values().any(|item| item.folder == *folder && item.name == name);
        let numbered = (2..).map(|number| format!("{wish} ({number})"));
        let mut names = std::iter::once(wish.to_owned()).chain(numbered);
        names.find(|name| !is_taken(name)).expect("numbers don't end")
    }

    fn put_item(
        &mut self,
        folder: &FolderId,
        name: &str,
        format: Format,
        bytes: Arc<[u8]>,
        flags: Flags,
        uid: Option<ItemUid>,
    ) -> Href {
        let file_id = self.count();
        let rev = self.count();
        let href = self.href(folder, name, file_id);
        let item =
            MemoryItem { folder: folder.clone(), bytes, flags, name: name.to_owned(), format, rev, uid, file_id };
        self.items.insert(href.clone(), item);
        href
    }

    fn href(&self, folder: &FolderId, name: &str, file_id: u64) -> Href {
        if self.options.href_follows_folder {
            Href(format!("{}/{name}", folder.0))
        } else {
            Href(format!("item{file_id}"))
        }
    }

    fn move_item(&mut self, href: &Href, folder: &FolderId) -> Href {
        let rev = self.count();
        let mut item = self.items.remove(href).expect("the caller looked that it is there");
        if !self.options.href_follows_folder {
            // The href doesn't tell that the item moved, so the revision must, as Outlook's change key does.
            item.rev = rev;
        }
        item.name = self.free_name(folder, &item.name);
        item.folder = folder.clone();
        let href = self.href(folder, &item.name, item.file_id);
        self.items.insert(href.clone(), item);
        href
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.presence {
            Presence::There => Ok(()),
            Presence::Gone => Err(StoreError::Unavailable { reason: "taken away".to_owned() }),
            Presence::Emptied => Err(StoreError::Unavailable { reason: "empty".to_owned() }),
            Presence::Crashed => Err(StoreError::Unavailable { reason: "the program was killed".to_owned() }),
            Presence::Replaced => Err(StoreError::Replaced),
        }
    }

    fn folder_infos(&self) -> Vec<FolderInfo> {
        let mut infos: Vec<FolderInfo> = Vec::new();
        let mut seen_uids = BTreeSet::new();
        // Parents first: a folder is listed once everything above it is.
        while infos.len() < self.folders.len() {
            let listed = infos.len();
            for (id, folder) in &self.folders {
                let is_listed = |wanted: &FolderId| infos.iter().any(|info| info.id == *wanted);
                let is_ready = folder.parent.as_ref().is_none_or(is_listed);
                if !is_ready || is_listed(id) {
                    continue;
                }
                infos.push(FolderInfo {
                    id: id.clone(),
                    kind: folder.kind,
                    parent: folder.parent.clone(),
                    name: folder.name.clone(),
                    special_use: folder.special_use,
                    uid: folder.uid.filter(|uid| seen_uids.insert(*uid)),
                    marked_by: folder.marked_by.clone(),
                });
            }
            assert!(infos.len() > listed, "a folder's parent is missing");
        }
        infos
    }

    fn entry(&self, href: &Href) -> Option<Entry> {
        let item = self.items.get(href)?;
        Some(Entry {
            href: href.clone(),
            rev: Rev(item.rev.to_be_bytes().to_vec()),
            flags: item.flags.clone(),
            uid: item.uid,
            name: item.name.clone(),
            format: item.format,
            size: item.bytes.len() as u64,
            file_id: Some(item.file_id),
        })
    }

    fn list(&self, id: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        self.check()?;
        let folder = self.folders.get(id).ok_or(StoreError::NotFound)?;
        let token = ListingToken(folder.changed.to_be_bytes().to_vec());
        let is_readable = |href: &&Href| !folder.unreadable.contains(*href);
        let inside = self.items.iter().filter(|(_, item)| item.folder == *id).map(|(href, _)| href);
        let entries: Vec<Entry> = inside.filter(is_readable).filter_map(|href| self.entry(href)).collect();
        let permission = |href: &Href| (href.clone(), StoreError::Permission { path: href.0.clone() });
        let unreadable: Vec<_> =
            folder.unreadable.iter().filter(|href| self.items.contains_key(href)).map(permission).collect();
        Ok(if !unreadable.is_empty() {
            Listing::Partial { entries, unreadable }
        } else if since == Some(&token) {
            Listing::Unchanged
        } else {
            Listing::Complete { entries, token }
        })
    }

    /// Refuses at once what can never be carried out.
    fn check_change(&self, change: &Change) -> Result<(), StoreError> {
        let (folder, content) = match change {
            Change::Create { folder, content, .. } => (Some(folder), Some(content)),
            Change::Update { href, content, folder, .. } => {
                (folder.as_ref().or(self.items.get(href).map(|item| &item.folder)), content.as_ref())
            }
            Change::Delete { .. } => (None, None),
        };
        let Some(folder) = folder else { return Ok(()) };
        let kind = self.folders.get(folder).ok_or(StoreError::NotFound)?.kind;
        let Some(content) = content else { return Ok(()) };
        let size = match &content.payload {
            Payload::Memory(bytes) => bytes.len() as u64,
            Payload::File { size, .. } => *size,
        };
        if size > Payload::SIZE_MAX {
            return Err(StoreError::TooLarge { size });
        }
        if holds(kind, content.format) { Ok(()) } else { Err(StoreError::Unsupported) }
    }

    fn bytes_to_store(&self, content: &NewContent) -> Result<Arc<[u8]>, StoreError> {
        let bytes = match &content.payload {
            Payload::Memory(bytes) => Arc::clone(bytes),
            Payload::File { path, .. } => {
                let io = |error: std::io::Error| StoreError::Io {
                    reason: error.to_string(),
                    path: path.display().to_string(),
                };
                std::fs::read(path).map_err(io)?.into()
            }
        };
        Ok(match &self.options.rewrite {
            Some(rewrite) => rewrite(content.format, &bytes).into(),
            None => bytes,
        })
    }

    fn carry_out(&mut self, change: &Change) -> Result<Written, StoreError> {
        match change {
            Change::Create { uid, folder, content, flags, name } => {
                let kind = self.folders.get(folder).ok_or(StoreError::Changed)?.kind;
                let bytes = self.bytes_to_store(content)?;
                let name = self.free_name(folder, if name.is_empty() { "item" } else { name });
                let flags = if kind == FolderKind::Mail { flags.clone() } else { Flags::default() };
                let uid = self.options.holds_uid.then_some(*uid);
                let href = self.put_item(folder, &name, content.format, bytes, flags, uid);
                self.touch(folder);
                Ok(Written { entry: self.entry(&href) })
            }
            Change::Update { href, expect_rev, expect_flags, content, flags, folder, .. } => {
                let before = self.expected(href, expect_rev, Some(expect_flags))?;
                let bytes = content.as_ref().map(|content| self.bytes_to_store(content)).transpose()?;
                let rev = self.count();
                let is_mail = self.folders.get(&before).is_some_and(|folder| folder.kind == FolderKind::Mail);
                let item = self.item(href);
                if let Some(bytes) = bytes {
                    item.bytes = bytes;
                    item.rev = rev;
                }
                if let Some(content) = content {
                    item.format = content.format;
                }
                if is_mail {
                    item.flags = flags.clone();
                }
                self.touch(&before);
                let href = match folder.as_ref().filter(|folder| **folder != before) {
                    Some(folder) => {
                        let href = self.move_item(href, folder);
                        self.touch(folder);
                        href
                    }
                    None => href.clone(),
                };
                Ok(Written { entry: self.entry(&href) })
            }
            Change::Delete { href, expect_rev } => {
                let folder = self.expected(href, expect_rev, None)?;
                self.items.remove(href);
                self.touch(&folder);
                Ok(Written { entry: None })
            }
        }
    }

    /// The folder of an item that is still as believed.
    fn expected(&self, href: &Href, rev: &Rev, flags: Option<&Flags>) -> Result<FolderId, StoreError> {
        let item = self.items.get(href).ok_or(StoreError::Changed)?;
        let is_same = item.rev.to_be_bytes() == rev.0[..] && flags.is_none_or(|flags| *flags == item.flags);
        if is_same { Ok(item.folder.clone()) } else { Err(StoreError::Changed) }
    }
}

fn holds(kind: FolderKind, format: Format) -> bool {
    match kind {
        FolderKind::Mail => format == Format::Rfc5322,
        FolderKind::Contacts => format == Format::VCard,
        FolderKind::Calendar | FolderKind::Tasks => format == Format::ICalendar,
        FolderKind::Notes => matches!(format, Format::ICalendar | Format::Text | Format::Markdown),
    }
}

struct MemoryReader {
    world: Arc<Mutex<World>>,
}

impl Reader for MemoryReader {
    fn read(&self, href: &Href) -> Result<Content, StoreError> {
        let world = lock(&self.world);
        world.check()?;
        let item = world.items.get(href).ok_or(StoreError::NotFound)?;
        let size = item.bytes.len() as u64;
        if size > Payload::SIZE_MAX {
            return Err(StoreError::TooLarge { size });
        }
        Ok(Content { rev: Rev(item.rev.to_be_bytes().to_vec()), payload: Payload::Memory(Arc::clone(&item.bytes)) })
    }
}

struct MemoryWatch {
    world: Arc<Mutex<World>>,
    number: u64,
}

impl Watch for MemoryWatch {}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        lock(&self.world).watches.remove(&self.number);
    }
}

impl Store for MemoryStore {
    fn caps(&self) -> Caps {
        let options = &lock(&self.world).options;
        Caps {
            holds_uid: options.holds_uid,
            verbatim: options.rewrite.is_none(),
            absence_wait_ms: options.absence_wait_ms,
        }
    }

    fn open(&mut self) -> Result<StoreId, StoreError> {
        let world = lock(&self.world);
        world.check()?;
        Ok(world.options.id.clone())
    }

    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        let world = lock(&self.world);
        world.check()?;
        Ok(world.folder_infos())
    }

    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        lock(&self.world).list(folder, since)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(MemoryReader { world: Arc::clone(&self.world) })
    }

    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        let mut world = lock(&self.world);
        let stage = |change: &Change| {
            world.check()?;
            world.check_change(change)?;
            let number = world.count();
            world.staged.insert(number, Staged::Waiting(change.clone()));
            Ok(Intent(number.to_be_bytes().to_vec()))
        };
        changes.iter().map(stage).collect()
    }

    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        let mut world = lock(&self.world);
        let crash_after = match world.crash.take() {
            Some(Crash::BeforeCommit) => Some(0),
            Some(Crash::AfterChanges(changes)) => Some(changes),
            None => None,
        };
        let mut results = Vec::new();
        for (index, intent) in intents.iter().enumerate() {
            if crash_after.is_some_and(|changes| index >= changes) {
                break;
            }
            results.push(commit_one(&mut world, intent));
        }
        if crash_after.is_some() {
            // The caller died with the store: it never hears what was carried out.
            world.presence = Presence::Crashed;
            let killed = || StoreError::Unavailable { reason: "the program was killed".to_owned() };
            return intents.iter().map(|_| Err(killed())).collect();
        }
        results
    }

    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        let mut world = lock(&self.world);
        intents.iter().map(|intent| recover_one(&mut world, intent)).collect()
    }

    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        let mut world = lock(&self.world);
        world.check()?;
        if let Some(parent) = parent
            && world.folders.get(parent).ok_or(StoreError::NotFound)?.kind != kind
        {
            return Err(StoreError::Unsupported);
        }
        let same = world
            .folder_infos()
            .into_iter()
            .find(|folder| (folder.parent.as_ref(), &*folder.name, folder.kind) == (parent, name, kind));
        match same {
            Some(same) if same.uid == Some(uid) => Ok(same),
            Some(_) => Err(StoreError::Changed),
            None => {
                let id = world.folder_id(name);
                world.put_folder(&id, parent, name, kind, Some(uid));
                world.info(&id)
            }
        }
    }

    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        let mut world = lock(&self.world);
        world.check()?;
        let marked_by = Some(world.options.id.clone());
        let folder = world.folders.get_mut(folder).ok_or(StoreError::NotFound)?;
        folder.uid = Some(uid);
        folder.marked_by = marked_by;
        Ok(())
    }

    fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        let mut world = lock(&self.world);
        world.check()?;
        let kind = world.folders.get(folder).ok_or(StoreError::NotFound)?.kind;
        if let Some(parent) = parent {
            let parent_kind = world.folders.get(parent).ok_or(StoreError::NotFound)?.kind;
            if parent_kind != kind || world.is_within(parent, folder) {
                return Err(StoreError::Unsupported);
            }
        }
        let is_taken = |name: &str| {
            world.folders.iter().any(|(id, other)| {
                id != folder && (other.parent.as_ref(), &*other.name, other.kind) == (parent, name, kind)
            })
        };
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| !is_taken(name)).expect("numbers don't end");
        let renamed = world.folder(folder);
        renamed.parent = parent.cloned();
        renamed.name = name;
        world.info(folder)
    }

    fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError> {
        let mut world = lock(&self.world);
        world.check()?;
        if !world.folders.contains_key(folder) {
            return Err(StoreError::NotFound);
        }
        let has_folder = world.folders.values().any(|other| other.parent.as_ref() == Some(folder));
        let has_item = world.items.values().any(|item| item.folder == *folder);
        if has_folder || has_item {
            return Err(StoreError::Changed);
        }
        world.folders.remove(folder);
        Ok(())
    }

    fn watch(&mut self, wake: Box<dyn Fn(Option<FolderId>) + Send + Sync>) -> Result<Box<dyn Watch>, StoreError> {
        let mut world = lock(&self.world);
        world.check()?;
        let number = world.count();
        world.watches.insert(number, Arc::from(wake));
        Ok(Box::new(MemoryWatch { world: Arc::clone(&self.world), number }))
    }
}

impl World {
    fn info(&self, id: &FolderId) -> Result<FolderInfo, StoreError> {
        self.folder_infos().into_iter().find(|folder| folder.id == *id).ok_or(StoreError::NotFound)
    }
}

fn number_of(intent: &Intent) -> Option<u64> {
    Some(u64::from_be_bytes(intent.0.as_slice().try_into().ok()?))
}

fn commit_one(world: &mut World, intent: &Intent) -> Result<Written, StoreError> {
    world.check()?;
    let number = number_of(intent).ok_or(StoreError::Changed)?;
    let Some(Staged::Waiting(change)) = world.staged.remove(&number) else { return Err(StoreError::Changed) };
    let written = world.carry_out(&change)?;
    world.staged.insert(number, Staged::Done(written.clone()));
    Ok(written)
}

/// Like a store that looks at contents: done if the outcome is still there, unclear if somebody went on from it.
fn recover_one(world: &mut World, intent: &Intent) -> Recovered {
    if world.check().is_err() {
        return Recovered::Unclear;
    }
    let Some(number) = number_of(intent) else { return Recovered::Unclear };
    match world.staged.remove(&number) {
        None => Recovered::Unclear,
        Some(Staged::Done(written)) => {
            let is_still_there = match &written.entry {
                Some(entry) => world.entry(&entry.href).as_ref() == Some(entry),
                None => true,
            };
            world.staged.insert(number, Staged::Done(written.clone()));
            if is_still_there { Recovered::Done(written) } else { Recovered::Unclear }
        }
        Some(Staged::Waiting(change) | Staged::GivenUp(change)) => {
            let is_as_believed = match &change {
                Change::Create { .. } => true,
                Change::Update { href, expect_rev, expect_flags, .. } => {
                    world.expected(href, expect_rev, Some(expect_flags)).is_ok()
                }
                Change::Delete { href, expect_rev } => world.expected(href, expect_rev, None).is_ok(),
            };
            world.staged.insert(number, Staged::GivenUp(change));
            if is_as_believed { Recovered::NotDone } else { Recovered::Unclear }
        }
    }
}
