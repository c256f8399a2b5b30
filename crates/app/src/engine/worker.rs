//! The thread that owns the store: lists, reads, stages, writes. Everything slow about items happens here, beside the
//! engine's own thread, which only decides and remembers.

use super::{bytes, source::Source};
use crate::{blobs::Blobs, index::IntentId};
use pim::{Examiner, FolderKind, FolderUid, Format, ItemUid, Kind, NativeHash};
use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
};
use stores::{
    Entry, Flush, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, Reader, Recovered, Store, StoreError,
    StoreId, Written,
};
use sync::{
    index::{Local, LocalFolder},
    model::{FolderState, ItemState, Version},
    replica::{FolderChange, MergeJob, Merged, StoreChange},
};

/// Work for the store's thread, done in order.
pub(super) enum Job {
    /// Tell every folder.
    Folders,
    /// List a folder.
    List(FolderUid, FolderId, Option<ListingToken>),
    /// Read and examine listed items.
    Examine(FolderUid, FolderKind, Vec<Entry>),
    /// All jobs of a reading were handed out.
    EndOfReading,
    /// Save what would be overwritten, stage the changes and flush both.
    Stage(u64, Vec<Prepared>),
    /// Make a staged group visible.
    Commit(u64, Vec<(StoreChange, Intent, Option<Examined>)>),
    /// Tell what became of intents after a crash.
    Recover(Vec<(IntentId, StoreChange, Intent)>),
    /// Change a folder.
    Folder(FolderUid, FolderChange, Option<FolderId>),
    /// Carry out a person's decision in the store; of which kind it is, is handed back.
    Edit(Prepared, EditKind),
    /// Write a folder's mark.
    Mark(FolderUid, FolderId),
    /// Merge two contents.
    Merge(MergeJob, Source, Source),
    /// Watch the store.
    Watch,
}

/// How far a person's decision goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EditKind {
    /// It is what the person wants, and the guard asks nobody again.
    Decided,
    /// Also if the item was deleted elsewhere.
    Reviving,
    /// The guard counts it like anybody's change: taking much back can delete much that others have.
    Guarded,
}

/// A change with everything needed to stage it.
pub(super) struct Prepared {
    pub change: StoreChange,
    /// As the store wants it.
    pub write: Write,
    /// The content that would be overwritten or deleted, to be saved first.
    pub before: Option<(String, NativeHash, u64)>,
}

/// A store change before its content is opened.
pub(super) enum Write {
    Create { folder: FolderId, kind: FolderKind, content: Source },
    Update { folder: Option<FolderId>, kind: FolderKind, content: Option<Source> },
    Delete,
}

/// What an item's bytes say.
#[derive(Clone, Debug)]
pub(super) struct Examined {
    pub state: pim::Examined,
    pub fields: Option<pim::FieldHashes>,
}

/// What became of staging each change of a group.
pub(super) type Staged = Vec<(StoreChange, Result<(Intent, Option<Examined>), StoreError>)>;
/// What became of intents that a crash left behind; `None`: they weren't carried out.
pub(super) type Outcomes = Vec<(IntentId, StoreChange, Option<Option<Local>>)>;

/// What the store's thread has to say.
#[allow(clippy::large_enum_variant, reason = "reports are few and aren't kept")]
pub(super) enum Report {
    Folders(Result<(StoreId, Vec<FolderInfo>), StoreError>),
    Listed(FolderUid, Result<Listing, StoreError>),
    Examined(FolderUid, Vec<(Entry, Result<Examined, StoreError>)>),
    EndOfReading,
    Staged(u64, Staged),
    Committed(u64, Vec<(StoreChange, Result<Option<Local>, StoreError>)>),
    Recovered(Result<Outcomes, StoreError>),
    Edited(StoreChange, EditKind, Result<Option<Local>, StoreError>),
    Folder(FolderUid, Result<Option<LocalFolder>, StoreError>),
    Merged(ItemUid, Option<Result<Merged, ()>>),
    Watching(Result<(), StoreError>),
    Wake(Option<FolderId>),
}

/// The store's thread.
pub(super) struct Worker {
    jobs: mpsc::Sender<(u64, Job)>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(
        store: Box<dyn Store>,
        blobs: Arc<Blobs>,
        report: impl Fn(u64, Report) + Send + Sync + Clone + 'static,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<(u64, Job)>();
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            let reader = store.reader();
            let (flushes, to_flush) = mpsc::channel();
            let flusher_report = report.clone();
            std::thread::scope(|scope| {
                scope.spawn(move || flush_all(&to_flush, flusher_report));
                let mut work = Work { store, reader, blobs, report, life: 0, watch: None, flushes };
                while let Ok((life, job)) = queue.recv() {
                    work.life = life;
                    work.do_job(job);
                }
            });
        })?;
        Ok(Self { jobs, thread: Some(thread) })
    }

    pub(super) fn give(&self, life: u64, job: Job) {
        // The thread only ends after this sender is dropped; if it panicked, the reports stop and the engine notices.
        self.jobs.send((life, job)).ok();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let (closed, _) = mpsc::channel();
        drop(std::mem::replace(&mut self.jobs, closed));
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Threads that read and examine items at once.
const EXAMINING_MAX: usize = 8;
/// Fewer items than this aren't worth another thread.
const EXAMINED_ALONE_MIN: usize = 16;

fn examine(reader: &dyn Reader, href: &Href, kind: FolderKind, format: Format) -> Result<Examined, StoreError> {
    let content = reader.read(href)?;
    bytes::examine(&content.payload, kind, format)
        .map_err(|error| StoreError::Io { reason: error.to_string(), path: href.0.clone() })
}

/// A staged group that isn't on the disk yet, of which life.
type Unflushed = (u64, u64, Staged, Flush);

/// Waits for the disk beside the store's thread, group after group.
fn flush_all(to_flush: &mpsc::Receiver<Unflushed>, report: impl Fn(u64, Report)) {
    while let Ok((life, group, staged, flush)) = to_flush.recv() {
        let staged = match flush() {
            Ok(()) => staged,
            Err(error) => staged.into_iter().map(|(change, _)| (change, Err(error.clone()))).collect(),
        };
        report(life, Report::Staged(group, staged));
    }
}

struct Work<R> {
    store: Box<dyn Store>,
    reader: Arc<dyn Reader>,
    blobs: Arc<Blobs>,
    report: R,
    /// Of the engine, when it gave the job.
    life: u64,
    watch: Option<Box<dyn stores::Watch>>,
    flushes: mpsc::Sender<Unflushed>,
}

impl<R: Fn(u64, Report) + Send + Sync + Clone + 'static> Work<R> {
    fn say(&self, report: Report) {
        (self.report)(self.life, report);
    }

    fn do_job(&mut self, job: Job) {
        match job {
            Job::Folders => {
                let folders = self.store.open().and_then(|id| Ok((id, self.store.folders()?)));
                self.say(Report::Folders(folders));
            }
            Job::List(uid, folder, token) => {
                let listing = self.store.list(&folder, token.as_ref());
                self.say(Report::Listed(uid, listing));
            }
            Job::Examine(uid, kind, entries) => {
                let examined = self.examine_all(kind, entries);
                self.say(Report::Examined(uid, examined));
            }
            Job::EndOfReading => self.say(Report::EndOfReading),
            Job::Stage(group, changes) => self.stage(group, changes),
            Job::Commit(group, changes) => self.commit(group, changes),
            Job::Recover(intents) => self.recover(intents),
            Job::Folder(uid, change, parent) => {
                let outcome = self.change_folder(uid, change, parent);
                self.say(Report::Folder(uid, outcome));
            }
            Job::Edit(prepared, kind) => {
                let outcome = self.edit(&prepared);
                self.say(Report::Edited(prepared.change, kind, outcome));
            }
            Job::Mark(uid, folder) => {
                if let Err(error) = self.store.mark_folder(&folder, uid) {
                    tracing::warn!(%error, "a folder's mark can't be written");
                }
            }
            Job::Merge(job, ours, theirs) => {
                let merged = self.merge(&job, &ours, &theirs);
                self.say(Report::Merged(job.item, merged));
            }
            Job::Watch => {
                let (report, life) = (self.report.clone(), self.life);
                let watch = self.store.watch(Box::new(move |folder| report(life, Report::Wake(folder))));
                let watching = watch.map(|watch| self.watch = Some(watch));
                self.say(Report::Watching(watching));
            }
        }
    }

    /// Reading and hashing is what a first reading takes its time for: every processor takes a share.
    fn examine_all(&self, kind: FolderKind, entries: Vec<Entry>) -> Vec<(Entry, Result<Examined, StoreError>)> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(EXAMINING_MAX);
        let share = entries.len().div_ceil(threads).max(EXAMINED_ALONE_MIN);
        let reader = &*self.reader;
        // The listing's revision stays: bytes that changed since will be listed with another one.
        let examine = |entry: &Entry| examine(reader, &entry.href, kind, entry.format);
        let examined: Vec<_> = std::thread::scope(|scope| {
            let mut shares = entries.chunks(share);
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> =
                shares.map(|entries| scope.spawn(move || entries.iter().map(examine).collect::<Vec<_>>())).collect();
            let mut examined: Vec<_> = own.iter().map(examine).collect();
            for other in others {
                examined.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            examined
        });
        entries.into_iter().zip(examined).collect()
    }

    fn examine(&self, href: &Href, kind: FolderKind, format: Format) -> Result<Examined, StoreError> {
        examine(&*self.reader, href, kind, format)
    }

    fn stage(&mut self, group: u64, changes: Vec<Prepared>) {
        let mut results = Vec::with_capacity(changes.len());
        let mut writes = Vec::with_capacity(changes.len());
        if let Err(error) = self.save_before_images(&changes) {
            let failed = changes.into_iter().map(|prepared| (prepared.change, Err(error.clone()))).collect();
            return self.say(Report::Staged(group, failed));
        }
        for prepared in &changes {
            match self.open_write(prepared) {
                Ok((write, examined)) => {
                    writes.push((write, examined));
                    results.push(None);
                }
                Err(error) => results.push(Some(Err(error))),
            }
        }
        let (store_changes, examined): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        let (staged, flush) = self.store.begin_stage(&store_changes);
        let mut staged = staged.into_iter().zip(examined);
        let results = changes.into_iter().zip(results).map(|(prepared, result)| {
            let result = result.unwrap_or_else(|| {
                let (intent, examined) = staged.next().expect("the store answers for each change");
                intent.map(|intent| (intent, examined))
            });
            (prepared.change, result)
        });
        let staged: Staged = results.collect();
        match flush {
            // The next group is written while the disk is at this one.
            Some(flush) => drop(self.flushes.send((self.life, group, staged, flush))),
            None => self.say(Report::Staged(group, staged)),
        }
    }

    fn save_before_images(&self, changes: &[Prepared]) -> Result<(), StoreError> {
        let mut saved = Vec::new();
        for (href, native, _) in changes.iter().filter_map(|prepared| prepared.before.as_ref()) {
            if self.blobs.contains(*native) {
                continue;
            }
            let content = match self.reader.read(&Href(href.clone())) {
                Ok(content) => content,
                // Somebody was faster; the write will be refused for it.
                Err(StoreError::NotFound | StoreError::Changed) => continue,
                Err(error) => return Err(error),
            };
            saved.extend(bytes::save(&self.blobs, &content.payload, *native)?);
        }
        self.blobs.keep(saved).map_err(super::blob_error)
    }

    fn open_write(&self, prepared: &Prepared) -> Result<(stores::Change, Option<Examined>), StoreError> {
        let Prepared { change, write, .. } = prepared;
        let content = |source: &Source, state: &ItemState, kind: FolderKind| {
            let is_message = state.kind == Kind::Message;
            let payload = if is_message { source.for_store(&self.reader, &self.blobs) } else { self.open(source) }?;
            let examined = (!is_message)
                .then(|| bytes::examine(&payload, kind, state.version.format))
                .transpose()
                .map_err(|error| StoreError::Io { reason: error.to_string(), path: state.name.clone() })?;
            let (native, format) = (state.version.native, state.version.format);
            let may_be_linked = source.is_own_file();
            Ok::<_, StoreError>((
                stores::NewContent { payload, native, format, modified: None, may_be_linked },
                examined,
            ))
        };
        Ok(match (change, write) {
            (StoreChange::Write { item, state, .. }, Write::Create { folder, kind, content: source }) => {
                let (content, examined) = content(source, state, *kind)?;
                let (flags, name) = (state.flags.clone(), state.name.clone());
                (stores::Change::Create { uid: *item, folder: folder.clone(), content, flags, name }, examined)
            }
            (
                StoreChange::Write { item, state, existing: Some(existing), .. },
                Write::Update { folder, kind, content: source },
            ) => {
                let content = source.as_ref().map(|source| content(source, state, *kind)).transpose()?;
                let (content, examined) = content.unzip();
                let update = stores::Change::Update {
                    uid: *item,
                    href: Href(existing.href.clone()),
                    expect_rev: stores::Rev(existing.rev.clone()),
                    expect_flags: existing.state.flags.clone(),
                    content,
                    flags: state.flags.clone(),
                    folder: folder.clone(),
                };
                (update, examined.flatten())
            }
            (StoreChange::Remove { existing, .. }, _) => {
                let (href, expect_rev) = (Href(existing.href.clone()), stores::Rev(existing.rev.clone()));
                (stores::Change::Delete { href, expect_rev }, None)
            }
            (StoreChange::Write { .. }, _) => unreachable!("an update has something to update"),
        })
    }

    fn open(&self, source: &Source) -> Result<stores::Payload, StoreError> {
        source.open(&self.reader, &self.blobs)
    }

    fn edit(&mut self, prepared: &Prepared) -> Result<Option<Local>, StoreError> {
        self.save_before_images(std::slice::from_ref(prepared))?;
        let (write, examined) = self.open_write(prepared)?;
        let intent = self.store.stage(&[write]).pop().expect("the store answers for each change")?;
        let written = self.store.commit(&[intent]).pop().expect("the store answers for each intent")?;
        self.read_back(&prepared.change, written, examined)
    }

    fn commit(&mut self, group: u64, changes: Vec<(StoreChange, Intent, Option<Examined>)>) {
        let intents: Vec<Intent> = changes.iter().map(|(_, intent, _)| intent.clone()).collect();
        let written = self.store.commit(&intents);
        let outcomes = changes.into_iter().zip(written).map(|((change, _, examined), written)| {
            let outcome = written.and_then(|written| self.read_back(&change, written, examined));
            (change, outcome)
        });
        let outcomes = outcomes.collect();
        self.say(Report::Committed(group, outcomes));
    }

    /// What the store holds after a change: as it was written, or as it reads back where a store may alter it.
    fn read_back(
        &self,
        change: &StoreChange,
        written: Written,
        examined: Option<Examined>,
    ) -> Result<Option<Local>, StoreError> {
        let (StoreChange::Write { state, existing, with_content, .. }, Some(entry)) = (change, written.entry) else {
            return Ok(None);
        };
        if self.store.caps().verbatim {
            if !*with_content && let Some(existing) = existing {
                let held =
                    ItemState { folder: state.folder, flags: entry.flags, name: entry.name, ..existing.state.clone() };
                let (rev, href, file_id) = (entry.rev.0, entry.href.0, entry.file_id);
                return Ok(Some(Local { href, rev, file_id, state: held, ..existing.clone() }));
            }
            let held = ItemState { flags: entry.flags, name: entry.name, ..state.clone() };
            let (object_uid, fields) =
                examined.map_or((None, None), |examined| (examined.state.object_uid, examined.fields));
            return Ok(Some(Local {
                href: entry.href.0,
                rev: entry.rev.0,
                file_id: entry.file_id,
                object_uid,
                state: held,
                fields,
            }));
        }
        let examined = self.examine(&entry.href, folder_kind(state.kind), entry.format)?;
        Ok(Some(local_of(entry, state.folder, examined)))
    }

    fn recover(&mut self, intents: Vec<(IntentId, StoreChange, Intent)>) {
        if let Err(error) = self.store.open() {
            return self.say(Report::Recovered(Err(error)));
        }
        let asked: Vec<Intent> = intents.iter().map(|(_, _, intent)| intent.clone()).collect();
        let recovered = self.store.recover(&asked);
        let outcomes = intents.into_iter().zip(recovered).map(|((id, change, _), recovered)| {
            let outcome = match recovered {
                Recovered::Done(Written { entry: None }) => Some(None),
                Recovered::Done(Written { entry: Some(entry) }) => match &change {
                    StoreChange::Write { state, .. } => self
                        .examine(&entry.href, folder_kind(state.kind), entry.format)
                        .ok()
                        .map(|examined| Some(local_of(entry, state.folder, examined))),
                    StoreChange::Remove { .. } => None,
                },
                Recovered::NotDone | Recovered::Unclear => None,
            };
            (id, change, outcome)
        });
        let outcomes = outcomes.collect();
        self.say(Report::Recovered(Ok(outcomes)));
    }

    fn change_folder(
        &mut self,
        uid: FolderUid,
        change: FolderChange,
        parent: Option<FolderId>,
    ) -> Result<Option<LocalFolder>, StoreError> {
        let (info, above) = match change {
            FolderChange::Make(FolderState { parent: above, kind, name, .. }) => {
                (self.store.create_folder(parent.as_ref(), &name, kind, uid)?, above)
            }
            FolderChange::Rename(local, FolderState { parent: above, name, .. }) => {
                (self.store.rename_folder(&FolderId(local.id), parent.as_ref(), &name)?, above)
            }
            FolderChange::Delete(local) => {
                return match self.store.delete_folder(&FolderId(local.id)) {
                    Ok(()) | Err(StoreError::NotFound) => Ok(None),
                    Err(error) => Err(error),
                };
            }
        };
        let state = FolderState { kind: info.kind, parent: above, name: info.name, special_use: info.special_use };
        Ok(Some(LocalFolder { id: info.id.0, state }))
    }

    /// `None`: the contents aren't there any more. `Some(Err)`: they can't be merged by field.
    fn merge(&self, job: &MergeJob, ours: &Source, theirs: &Source) -> Option<Result<Merged, ()>> {
        let ours = bytes::whole(&self.open(ours).ok()?)?;
        let theirs = bytes::whole(&self.open(theirs).ok()?)?;
        let (kind, format) = (job.theirs.kind, job.theirs.version.format);
        if job.ours.state.version.format != format || *blake3::hash(&ours).as_bytes() != job.ours.state.version.native.0
        {
            return if job.ours.state.version.format == format { None } else { Some(Err(())) };
        }
        let Some(merge) = pim::merge(kind, format, &job.base, &ours, &theirs) else { return Some(Err(())) };
        let examined = pim::examine(folder_kind(kind), format, &merge.bytes);
        let payload = stores::Payload::Memory(merge.bytes.into());
        let saved = bytes::save(&self.blobs, &payload, examined.native).ok()?;
        self.blobs.keep(Vec::from_iter(saved)).ok()?;
        let mut state = ItemState { version: version_of(&examined, format), ..job.theirs.clone() };
        (state.kind, state.identity, state.lookalikes) = (examined.kind, examined.identity, examined.lookalikes);
        let clashes = merge.clashes.iter().map(|clash| clash.field.name().to_owned()).collect();
        Some(Ok(Merged { state, clashes }))
    }
}

/// The version that examined bytes are.
pub(super) const fn version_of(examined: &pim::Examined, format: Format) -> Version {
    Version { canon: examined.canon, rule: pim::CANON_RULE, native: examined.native, format, size: examined.size }
}

/// What the store holds, from its listing and the examined bytes.
pub(super) fn local_of(entry: Entry, folder: FolderUid, examined: Examined) -> Local {
    let version = version_of(&examined.state, entry.format);
    let pim::Examined { kind, identity, lookalikes, object_uid, .. } = examined.state;
    let state = ItemState { kind, folder, version, flags: entry.flags, name: entry.name, identity, lookalikes };
    let (href, rev, file_id) = (entry.href.0, entry.rev.0, entry.file_id);
    Local { href, rev, file_id, object_uid, state, fields: examined.fields }
}

/// The kind of folder that items of a kind lie in.
pub(super) const fn folder_kind(kind: Kind) -> FolderKind {
    match kind {
        Kind::Message => FolderKind::Mail,
        Kind::Contact | Kind::DistributionList => FolderKind::Contacts,
        Kind::Event | Kind::Journal => FolderKind::Calendar,
        Kind::Task => FolderKind::Tasks,
        Kind::Note => FolderKind::Notes,
    }
}

/// Bytes are examined in pieces, so that a large message never lies in memory.
pub(super) fn examiner(kind: FolderKind, format: Format) -> Examiner {
    Examiner::new(kind, format)
}
