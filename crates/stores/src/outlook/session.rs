//! The running Outlook as one store: which store, its folders, its items. Lives on the thread that owns the objects.

use super::{
    categories::Categories,
    dispatch::{Door, Fault, Object, STRETCH, Variant, Wake, application, code},
    row::{Row, columns, folder_kind},
    schema,
};
use crate::{
    Content, Entry, FolderId, FolderInfo, Href, Listing, ListingToken, Program, ProgramState, StoreError, StoreId,
    folder::free_name,
    mapi::{self, Message, Zone},
    staging::{Staging, hex, io, random_hex},
};
use pim::{FolderKind, FolderUid, SpecialUse};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// `OlDefaultFolders`.
mod default_folder {
    pub(super) const DELETED_ITEMS: i32 = 3;
    pub(super) const OUTBOX: i32 = 4;
    pub(super) const SENT_MAIL: i32 = 5;
    pub(super) const INBOX: i32 = 6;
    pub(super) const CALENDAR: i32 = 9;
    pub(super) const CONTACTS: i32 = 10;
    pub(super) const NOTES: i32 = 12;
    pub(super) const TASKS: i32 = 13;
    pub(super) const DRAFTS: i32 = 16;
    pub(super) const CONFLICTS: i32 = 19;
    pub(super) const SYNC_ISSUES: i32 = 20;
    pub(super) const LOCAL_FAILURES: i32 = 21;
    pub(super) const SERVER_FAILURES: i32 = 22;
    pub(super) const JUNK: i32 = 23;
}

/// `OlSaveAsType.olMSGUnicode`.
const MSG_UNICODE: i32 = 9;
/// Rows asked for in one call, and in one that shouldn't take long because such calls did.
const ROWS_MAX: i32 = 200;
const ROWS_MIN: i32 = 10;
/// Folders may lie so deep in each other.
const DEPTH_MAX: usize = 64;

/// Outlook and what is known of it. Every object in here is of one running Outlook; they go together when it closes.
pub(super) struct Outlook {
    door: Box<dyn Door>,
    /// The display name asked for; `None` is the profile's default store.
    name: Option<String>,
    pub(super) known: Option<StoreId>,
    pub(super) staging: Staging,
    session: Option<Session>,
    watching: Vec<Box<dyn Any>>,
    pub(super) categories: Categories,
    pub(super) here: Zone,
}

#[derive(Clone)]
pub(super) struct Session {
    pub(super) namespace: Object,
    pub(super) store_id: String,
    pub(super) store: Object,
    root: Object,
    pub(super) trash: String,
    specials: BTreeMap<String, SpecialUse>,
    defaults: BTreeSet<String>,
    excluded: BTreeSet<String>,
}

/// A folder with what the store tells about it.
#[derive(Clone)]
pub(super) struct Folder {
    pub(super) object: Object,
    pub(super) info: FolderInfo,
    /// Its name in Outlook, which may differ from the one that is told.
    pub(super) real: String,
    /// The folder it really lies in, whatever its kind.
    pub(super) above: String,
    is_in_trash: bool,
}

/// What a folder's mark says: uid, store, the folder's own ID (a copy has another), and the name that was wished for if
/// Outlook couldn't give it, with the one it got.
struct Mark {
    uid: FolderUid,
    store: StoreId,
    entry_id: String,
    alias: Option<(String, String)>,
}

impl Mark {
    fn text(&self) -> String {
        let (wish, real) = self.alias.clone().unwrap_or_default();
        [hex(&self.uid.0), self.store.0.clone(), self.entry_id.clone(), wish, real].join("\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let uid = FolderUid(super::row::bytes_of(lines.next()?)?.try_into().ok()?);
        let (store, entry_id) = (StoreId(lines.next()?.to_owned()), lines.next()?.to_owned());
        let alias = (lines.next().unwrap_or_default().to_owned(), lines.next().unwrap_or_default().to_owned());
        Some(Self { uid, store, entry_id, alias: (!alias.0.is_empty()).then_some(alias) })
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let program = |state| Self::Program { program: Program::Outlook, state };
        match fault.code {
            code::SERVER_UNAVAILABLE
            | code::CALL_FAILED
            | code::DISCONNECTED
            | code::SERVER_DIED
            | code::SERVER_DIED_EARLY
            | code::OBJECT_NOT_RUNNING => program(ProgramState::Closed),
            code::CALL_REJECTED | code::RETRY_LATER => program(ProgramState::Busy),
            code::SERVER_EXEC_FAILURE => program(ProgramState::Elevated),
            code::ABORTED => program(ProgramState::Denied),
            code::CLASS_NOT_REGISTERED | code::CLASS_STRING => program(ProgramState::Missing),
            code::NOT_FOUND | code::INVALID_ENTRY_ID | code::OBJECT_DELETED => Self::NotFound,
            code::OBJECT_CHANGED | code::COLLISION => Self::Changed,
            code::ACCESS_DENIED => Self::Permission { path: fault.member },
            code::NOT_ENOUGH_DISK | code::QUOTA_EXCEEDED => Self::NoSpace { need: 0 },
            _ => Self::Io { reason: format!("{} ({:#010x})", fault.text, fault.code), path: fault.member },
        }
    }
}

fn is_gone(error: &StoreError) -> bool {
    matches!(error, StoreError::Program { state: ProgramState::Closed, .. })
}

/// Now, as `VT_DATE` in UTC.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    25_569.0 + since.as_secs_f64() / 86_400.0
}

impl Outlook {
    pub(super) fn new(door: Box<dyn Door>, name: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        let here = door.zone();
        let staging = Staging::at(staging);
        Self {
            door,
            name,
            known,
            staging,
            session: None,
            watching: Vec::new(),
            categories: Categories::default(),
            here,
        }
    }

    /// Waits for requests; see [`Door::wait`].
    pub(super) fn wait(&self, has_request: &mut dyn FnMut(std::time::Duration) -> bool) -> bool {
        self.door.wait(has_request)
    }

    /// Does something in the store, after a look whether it is the one it was.
    pub(super) fn within<T>(
        &mut self,
        act: impl FnOnce(&mut Self, &Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let outcome = self.checked().and_then(|session| act(self, &session));
        if outcome.as_ref().is_err_and(is_gone) {
            // Every object is a proxy of the Outlook that is gone.
            self.session = None;
            self.watching.clear();
            self.categories.take();
        }
        outcome
    }

    fn checked(&mut self) -> Result<Session, StoreError> {
        let session = self.session_here()?;
        let derived = StoreId(format!("outlook-{}", &blake3::hash(session.store_id.as_bytes()).to_hex()[..32]));
        let mark = session.root.text_property(&schema::own(schema::STORE))?.map(StoreId);
        match (mark, &self.known) {
            (Some(mark), Some(known)) if mark == *known => {}
            (None, Some(known)) if derived == *known => {}
            (Some(_), Some(_)) => return Err(StoreError::Replaced),
            (Some(mark), None) => self.known = Some(mark),
            (None, Some(known)) => {
                let known = known.clone();
                if !self.marks(&session)?.contains(&known) {
                    return Err(StoreError::Replaced);
                }
                session.root.set_properties(vec![(schema::own(schema::STORE), (&*known.0).into())])?;
            }
            (None, None) => {
                let new = StoreId(random_hex::<16>());
                let written = session.root.set_properties(vec![(schema::own(schema::STORE), (&*new.0).into())]);
                // A store that doesn't take our mark is known by Outlook's own name for it.
                self.known = Some(if written.is_ok() { new } else { derived });
            }
        }
        Ok(session)
    }

    /// The session there is, or a new one when its store is no longer among Outlook's.
    fn session_here(&mut self) -> Result<Session, StoreError> {
        if let Some(session) = &self.session {
            match session.root.text("EntryID").map_err(StoreError::from) {
                Ok(_) => return Ok(session.clone()),
                Err(error @ StoreError::Program { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(self.session.insert(self.connect()?).clone())
    }

    /// Stores named in the marks of folders.
    fn marks(&self, session: &Session) -> Result<BTreeSet<StoreId>, StoreError> {
        Ok(self.folders_of(session)?.into_iter().filter_map(|folder| folder.info.marked_by).collect())
    }

    pub(super) fn application(&self) -> Result<Object, StoreError> {
        application(&*self.door)
    }

    pub(super) fn connect(&self) -> Result<Session, StoreError> {
        let application = self.application()?;
        let namespace = application.call_object("GetNamespace", &["MAPI".into()])?;
        let store = match &self.name {
            None => namespace.object("DefaultStore")?,
            Some(name) => {
                let stores = each(&namespace.object("Stores")?)?;
                let mut named = Vec::new();
                for store in stores {
                    if store.text("DisplayName")? == *name {
                        named.push(store);
                    }
                }
                match named.len() {
                    1 => named.remove(0),
                    _ => return Err(StoreError::Unavailable { reason: format!("{} stores «{name}»", named.len()) }),
                }
            }
        };
        let of_default = |kind: i32| -> Result<Option<String>, StoreError> {
            match store.call_object("GetDefaultFolder", &[kind.into()]) {
                Ok(folder) => Ok(Some(folder.text("EntryID")?)),
                // Not every store has every default folder.
                Err(fault) => match StoreError::from(fault) {
                    error @ StoreError::Program { .. } => Err(error),
                    _ => Ok(None),
                },
            }
        };
        use default_folder as d;
        let uses = [
            (d::INBOX, SpecialUse::Inbox),
            (d::SENT_MAIL, SpecialUse::Sent),
            (d::DRAFTS, SpecialUse::Drafts),
            (d::DELETED_ITEMS, SpecialUse::Trash),
            (d::JUNK, SpecialUse::Junk),
        ];
        let mut specials = BTreeMap::new();
        for (kind, special) in uses {
            if let Some(id) = of_default(kind)? {
                specials.insert(id, special);
            }
        }
        let mut defaults: BTreeSet<String> = specials.keys().cloned().collect();
        for kind in [d::CALENDAR, d::CONTACTS, d::NOTES, d::TASKS] {
            defaults.extend(of_default(kind)?);
        }
        let mut excluded = BTreeSet::new();
        for kind in [d::OUTBOX, d::SYNC_ISSUES, d::CONFLICTS, d::LOCAL_FAILURES, d::SERVER_FAILURES] {
            excluded.extend(of_default(kind)?);
        }
        let trash = specials.iter().find(|(_, special)| **special == SpecialUse::Trash);
        Ok(Session {
            store_id: store.text("StoreID")?,
            root: store.call_object("GetRootFolder", &[])?,
            trash: trash.map(|(id, _)| id.clone()).unwrap_or_default(),
            namespace,
            store,
            specials,
            defaults,
            excluded,
        })
    }

    pub(super) fn open(&mut self) -> Result<StoreId, StoreError> {
        self.within(|outlook, _| Ok(outlook.known.clone().expect("a store that was checked is known")))
    }

    pub(super) fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        self.within(|outlook, session| Ok(outlook.folders_of(session)?.into_iter().map(|folder| folder.info).collect()))
    }

    /// Every folder that holds items people keep, parents before children.
    pub(super) fn folders_of(&self, session: &Session) -> Result<Vec<Folder>, StoreError> {
        let mut found = Vec::new();
        self.below(session, &session.root.clone(), None, false, 0, &mut found)?;
        // Of copies of a marked folder, only the one that was marked carries the uid.
        let mut originals = BTreeMap::<FolderUid, usize>::new();
        let marks: Vec<Option<Mark>> =
            found.iter().map(|(_, mark)| mark.as_ref().and_then(|m| Mark::parse(m))).collect();
        for (at, mark) in marks.iter().enumerate() {
            if let Some(mark) = mark {
                let is_original = mark.entry_id == found[at].0.info.id.0;
                let first = originals.entry(mark.uid).or_insert(at);
                if is_original {
                    *first = at;
                }
            }
        }
        let mut folders: Vec<Folder> = Vec::with_capacity(found.len());
        for (at, ((mut folder, _), mark)) in found.into_iter().zip(marks).enumerate() {
            if let Some(mark) = mark {
                folder.info.uid = (originals.get(&mark.uid) == Some(&at)).then_some(mark.uid);
                folder.info.marked_by = Some(mark.store);
                if let Some((wish, real)) = mark.alias
                    && real == folder.real
                {
                    folder.info.name = wish;
                }
            }
            // Folders of another kind in between aren't told, so two may seem to share a place.
            let is_taken = |name: &str| {
                folders.iter().any(|other| {
                    (&other.info.parent, other.info.kind, &*other.info.name)
                        == (&folder.info.parent, folder.info.kind, name)
                })
            };
            folder.info.name = free_name(&folder.info.name, is_taken);
            folders.push(folder);
        }
        Ok(folders)
    }

    fn below(
        &self,
        session: &Session,
        above: &Object,
        inside: Option<(&Folder, &[FolderId])>,
        is_in_trash: bool,
        depth: usize,
        found: &mut Vec<(Folder, Option<String>)>,
    ) -> Result<(), StoreError> {
        if depth >= DEPTH_MAX {
            return Ok(());
        }
        let above_id = above.text("EntryID")?;
        for object in each(&above.object("Folders")?)? {
            let id = object.text("EntryID")?;
            if session.excluded.contains(&id) {
                continue;
            }
            let kind = match object.number("DefaultItemType")? {
                0 | 6 => FolderKind::Mail,
                1 | 4 => FolderKind::Calendar,
                2 => FolderKind::Contacts,
                3 => FolderKind::Tasks,
                5 => FolderKind::Notes,
                _ => continue,
            };
            // An address book in Deleted Items was deleted; a mailbox there may still be looked into.
            if is_in_trash && kind != FolderKind::Mail {
                continue;
            }
            let parent = inside.and_then(|(above, parents)| {
                if above.info.kind == kind {
                    return Some(above.info.id.clone());
                }
                let is_of_kind =
                    |id: &&FolderId| found.iter().any(|(folder, _)| folder.info.id == **id && folder.info.kind == kind);
                parents.iter().rev().find(is_of_kind).cloned()
            });
            let real = object.text("Name")?;
            let mark = object.text_property(&schema::own(schema::FOLDER))?;
            let info = FolderInfo {
                id: FolderId(id.clone()),
                kind,
                parent,
                name: real.clone(),
                special_use: session.specials.get(&id).copied(),
                uid: None,
                marked_by: None,
            };
            let is_in_trash = is_in_trash || id == session.trash;
            let folder = Folder { object: object.clone(), info, real, above: above_id.clone(), is_in_trash };
            found.push((folder.clone(), mark));
            let parents: Vec<FolderId> = inside
                .map(|(_, parents)| parents.to_vec())
                .unwrap_or_default()
                .into_iter()
                .chain([FolderId(id)])
                .collect();
            self.below(session, &object, Some((&folder, &parents)), is_in_trash, depth + 1, found)?;
        }
        Ok(())
    }

    pub(super) fn folder(&self, session: &Session, id: &FolderId) -> Result<Folder, StoreError> {
        let folders = self.folders_of(session)?;
        folders.into_iter().find(|folder| folder.info.id == *id).ok_or(StoreError::NotFound)
    }

    /// A folder's object, without a look at all the others.
    pub(super) fn folder_object(&self, session: &Session, id: &FolderId) -> Result<Object, StoreError> {
        Ok(session.namespace.call_object("GetFolderFromID", &[(&*id.0).into(), (&*session.store_id).into()])?)
    }

    /// What a folder holds.
    pub(super) fn kind_of(&self, session: &Session, id: &FolderId) -> Result<FolderKind, StoreError> {
        Ok(match self.folder_object(session, id)?.number("DefaultItemType")? {
            1 | 4 => FolderKind::Calendar,
            2 => FolderKind::Contacts,
            3 => FolderKind::Tasks,
            5 => FolderKind::Notes,
            _ => FolderKind::Mail,
        })
    }

    pub(super) fn list(&mut self, id: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        self.within(|outlook, session| {
            let rows = outlook.rows(session, id)?;
            let mut entries: Vec<Entry> = rows.rows.into_iter().map(|row| row.entry).collect();
            entries.sort_by(|a, b| a.href.cmp(&b.href));
            if !rows.is_complete {
                return Ok(Listing::Partial { entries, unreadable: Vec::new() });
            }
            let mut hasher = blake3::Hasher::new();
            for entry in &entries {
                hasher.update(entry.href.0.as_bytes()).update(&entry.rev.0);
                hasher.update(format!("{:?}{:?}{}", entry.flags, entry.uid, entry.name).as_bytes());
            }
            let token = ListingToken(hasher.finalize().as_bytes().to_vec());
            if since == Some(&token) { Ok(Listing::Unchanged) } else { Ok(Listing::Complete { entries, token }) }
        })
    }

    pub(super) fn rows(&self, session: &Session, id: &FolderId) -> Result<Rows, StoreError> {
        let folder = self.folder_object(session, id)?;
        let kind = self.kind_of(session, id)?;
        let table = folder.call_object("GetTable", &[Variant::Empty, 0.into()])?;
        let columns_object = table.object("Columns")?;
        columns_object.call("RemoveAll", &[])?;
        columns_object.call("Add", &["EntryID".into()])?;
        let columns = columns();
        // A store may lack one, the change key for instance; what is asked for then is empty.
        let mut at = vec![None; columns.len()];
        let mut width = 1;
        for (column, at) in columns.iter().zip(&mut at) {
            match columns_object.call("Add", &[(&**column).into()]) {
                Ok(_) => {
                    *at = Some(width);
                    width += 1;
                }
                Err(fault) => match StoreError::from(fault) {
                    error @ StoreError::Program { .. } => return Err(error),
                    error => tracing::debug!(%error, "a column can't be had"),
                },
            }
        }
        let expected = table.call("GetRowCount", &[])?.number();
        let (mut rows, mut count, now) = (Vec::new(), 0_i64, now());
        let mut most = ROWS_MAX;
        let is_in_trash = id.0 == session.trash;
        while table.get("EndOfTable")?.number() == Some(0) {
            let asked = Instant::now();
            let answer = table.call("GetArray", &[most.into()]);
            if asked.elapsed() > STRETCH {
                most = (most / 2).max(ROWS_MIN);
            }
            let lines = match answer {
                Ok(Variant::Rows(lines)) if !lines.is_empty() => lines,
                Ok(_) => break,
                Err(fault) => match StoreError::from(fault) {
                    error @ StoreError::Program { .. } => return Err(error),
                    _ => break,
                },
            };
            for line in lines {
                count += 1;
                let Some(entry_id) = line.first().and_then(Variant::text) else { continue };
                let value = |at: &Option<usize>| at.and_then(|at| line.get(at)).cloned().unwrap_or(Variant::Empty);
                let values: Vec<Variant> = at.iter().map(value).collect();
                if let Some(row) = Row::of(entry_id, id, &values, now)
                    && folder_kind(row.kind) == kind
                    && !(is_in_trash && row.deleted.is_some())
                {
                    rows.push(row);
                }
            }
        }
        Ok(Rows { rows, is_complete: expected == Some(count) })
    }

    pub(super) fn item(&self, session: &Session, href: &Href) -> Result<Object, StoreError> {
        Ok(session.namespace.call_object("GetItemFromID", &[(&*href.0).into(), (&*session.store_id).into()])?)
    }

    /// An item with the folder it lies in, unless it is one we put into Deleted Items.
    pub(super) fn found(&self, session: &Session, href: &Href) -> Result<(Object, Row, FolderId), StoreError> {
        let item = self.item(session, href)?;
        let (row, folder) = Row::of_item(&item, now())?.ok_or(StoreError::NotFound)?;
        if row.deleted.is_some() && folder.0 == session.trash {
            return Err(StoreError::NotFound);
        }
        Ok((item, row, folder))
    }

    /// The item as Outlook itself exports it.
    pub(super) fn export(&self, item: &Object) -> Result<Message, StoreError> {
        let path = self.staging.file(&format!("{}.msg", random_hex::<8>()))?;
        let saved = item.call("SaveAs", &[Variant::Text(path.display().to_string()), MSG_UNICODE.into()]);
        let bytes = saved.map_err(StoreError::from).and_then(|_| fs::read(&path).map_err(|error| io(&error, &path)));
        let _ = fs::remove_file(&path);
        Message::from_msg(&bytes?)
            .map_err(|error| StoreError::Io { reason: error.to_string(), path: "SaveAs".to_owned() })
    }

    pub(super) fn read(&mut self, href: &Href) -> Result<Content, StoreError> {
        let (rev, bytes) = self.within(|outlook, session| {
            let (item, row, _) = outlook.found(session, href)?;
            let message = outlook.export(&item)?;
            Ok((row.entry.rev, mapi::to_item(&message).map_err(|_| StoreError::NotFound)?.bytes))
        })?;
        Ok(Content { rev, payload: self.staging.payload(bytes)? })
    }

    pub(super) fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        self.within(|outlook, session| {
            let folders = outlook.folders_of(session)?;
            let above = above(&folders, parent, kind, session)?;
            let same = folders.iter().find(|folder| {
                (folder.info.parent.as_ref(), &*folder.info.name, folder.info.kind) == (parent, name, kind)
            });
            if let Some(same) = same {
                return if same.info.uid == Some(uid) { Ok(same.info.clone()) } else { Err(StoreError::Changed) };
            }
            let real = real_name(&above, name, kind)?;
            let made = above.object("Folders")?.call_object("Add", &[(&*real).into(), default_type(kind).into()])?;
            outlook.mark(&made, uid, name, &real)?;
            Ok(FolderInfo {
                id: FolderId(made.text("EntryID")?),
                kind,
                parent: parent.cloned(),
                name: name.to_owned(),
                special_use: None,
                uid: Some(uid),
                marked_by: outlook.known.clone(),
            })
        })
    }

    fn mark(&self, folder: &Object, uid: FolderUid, wish: &str, real: &str) -> Result<(), StoreError> {
        let alias = (wish != real).then(|| (wish.to_owned(), real.to_owned()));
        let store = self.known.clone().expect("a store that was checked is known");
        let mark = Mark { uid, store, entry_id: folder.text("EntryID")?, alias };
        Ok(folder.set_properties(vec![(schema::own(schema::FOLDER), Variant::Text(mark.text()))])?)
    }

    pub(super) fn mark_folder(&mut self, id: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        self.within(|outlook, session| {
            let folder = outlook.folder(session, id)?;
            outlook.mark(&folder.object, uid, &folder.info.name, &folder.real)
        })
    }

    pub(super) fn rename_folder(
        &mut self,
        id: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        self.within(|outlook, session| {
            let folders = outlook.folders_of(session)?;
            let folder = folders.iter().find(|folder| folder.info.id == *id).ok_or(StoreError::NotFound)?;
            if session.defaults.contains(&id.0) {
                return Err(StoreError::Unsupported);
            }
            let kind = folder.info.kind;
            let mut ancestor = parent;
            while let Some(current) = ancestor {
                if current == id {
                    return Err(StoreError::Unsupported);
                }
                ancestor = folders
                    .iter()
                    .find(|folder| folder.info.id == *current)
                    .and_then(|folder| folder.info.parent.as_ref());
            }
            let above = above(&folders, parent, kind, session)?;
            let is_taken = |name: &str| {
                folders.iter().any(|other| {
                    other.info.id != *id
                        && (other.info.parent.as_ref(), &*other.info.name, other.info.kind) == (parent, name, kind)
                })
            };
            let wish = free_name(name, is_taken);
            let moves = above.text("EntryID")? != folder.above;
            let is_same_name = !moves && folder.info.name == wish;
            let uid = folder.info.uid;
            let real = if is_same_name { folder.real.clone() } else { real_name(&above, &wish, kind)? };
            if moves {
                // The name it has may be taken there, and the one it gets here.
                folder.object.put("Name", &*format!("{wish} {}", random_hex::<4>()))?;
                folder.object.call("MoveTo", &[above.itself()])?;
            }
            let object = match outlook.folder_object(session, id) {
                Err(StoreError::NotFound) if moves => outlook.moved(&above, uid)?,
                found => found?,
            };
            if object.text("Name")? != real {
                object.put("Name", &*real)?;
            }
            if let Some(uid) = uid {
                outlook.mark(&object, uid, &wish, &real)?;
            }
            Ok(outlook.folder(session, &FolderId(object.text("EntryID")?))?.info)
        })
    }

    /// A folder that has another ID since it was moved, as stores on a server may give it.
    fn moved(&self, above: &Object, uid: Option<FolderUid>) -> Result<Object, StoreError> {
        for object in each(&above.object("Folders")?)? {
            let mark = object.text_property(&schema::own(schema::FOLDER))?.and_then(|mark| Mark::parse(&mark));
            if mark.is_some_and(|mark| Some(mark.uid) == uid) {
                return Ok(object);
            }
        }
        Err(StoreError::NotFound)
    }

    pub(super) fn delete_folder(&mut self, id: &FolderId) -> Result<(), StoreError> {
        self.within(|outlook, session| {
            if session.defaults.contains(&id.0) {
                return Err(StoreError::Unsupported);
            }
            let folder = outlook.folder(session, id)?;
            let count = |name: &str| folder.object.object(name)?.number("Count");
            if count("Items")? > 0 || count("Folders")? > 0 {
                return Err(StoreError::Changed);
            }
            folder.object.call("Delete", &[])?;
            if folder.is_in_trash {
                return Ok(());
            }
            // It is empty: nothing is lost when it doesn't wait in Deleted Items.
            let trash = outlook.folder_object(session, &FolderId(session.trash.clone()))?;
            for object in each(&trash.object("Folders")?)? {
                let is_it = object.text("EntryID")? == id.0
                    || object
                        .text_property(&schema::own(schema::FOLDER))?
                        .and_then(|mark| Mark::parse(&mark))
                        .is_some_and(|mark| Some(mark.uid) == folder.info.uid);
                if is_it && object.object("Items")?.number("Count")? == 0 {
                    object.call("Delete", &[])?;
                    break;
                }
            }
            Ok(())
        })
    }

    pub(super) fn watch(&mut self, wake: impl Fn(FolderId) -> Wake) -> Result<(), StoreError> {
        self.within(|outlook, session| {
            for folder in outlook.folders_of(session)? {
                let items = folder.object.object("Items")?;
                outlook.watching.push(items.watch(&wake(folder.info.id.clone()))?);
            }
            Ok(())
        })
    }
}

/// The rows of a folder.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Whether the table told as many as it said there are.
    is_complete: bool,
}

/// The objects of a collection.
pub(super) fn each(collection: &Object) -> Result<Vec<Object>, Fault> {
    let count = i32::try_from(collection.number("Count")?).unwrap_or(i32::MAX);
    (1..=count).map(|at| collection.call_object("Item", &[at.into()])).collect()
}

fn above(
    folders: &[Folder],
    parent: Option<&FolderId>,
    kind: FolderKind,
    session: &Session,
) -> Result<Object, StoreError> {
    let Some(id) = parent else { return Ok(session.root.clone()) };
    let parent = folders.iter().find(|folder| folder.info.id == *id).ok_or(StoreError::NotFound)?;
    if parent.info.kind == kind { Ok(parent.object.clone()) } else { Err(StoreError::Unsupported) }
}

/// A name that no folder beside has: in Outlook, folders of all kinds share their names.
fn real_name(above: &Object, wish: &str, kind: FolderKind) -> Result<String, StoreError> {
    let mut names = BTreeSet::new();
    for folder in each(&above.object("Folders")?)? {
        names.insert(folder.text("Name")?.to_lowercase());
    }
    if !names.contains(&wish.to_lowercase()) {
        return Ok(wish.to_owned());
    }
    Ok(free_name(&format!("{wish} ({kind:?})"), |name| names.contains(&name.to_lowercase())))
}

const fn default_type(kind: FolderKind) -> i32 {
    match kind {
        FolderKind::Mail => default_folder::INBOX,
        FolderKind::Contacts => default_folder::CONTACTS,
        FolderKind::Calendar => default_folder::CALENDAR,
        FolderKind::Tasks => default_folder::TASKS,
        FolderKind::Notes => default_folder::NOTES,
    }
}
