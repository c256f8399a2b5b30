//! Classic Outlook on Windows, from outside: its published object model over COM (`IDispatch`).
//!
//! One thread owns every object of Outlook's; requests go to it through a channel, and callers wait. Outlook is never
//! started, nothing is sent or answered, no meeting changes its state; Outbox, Sync Issues and search folders are left
//! out. What a listing shows comes from `Folder.GetTable`; events are hints. Items travel as `.msg` files that Outlook
//! itself writes (`SaveAs`) and reads (`OpenSharedItem`), small edits as single properties. See `DESIGN.md`.

mod dispatch;
pub use dispatch::{Dispatch, Door, Fault, Variant, Wake, code};

mod look;
#[cfg(windows)]
pub use look::look_here;
pub use look::{Found, look};

mod patch;
mod row;
mod schema;
mod session;
mod write;

#[cfg(windows)]
mod com;
#[cfg(windows)]
pub use com::{ComDoor, application, enter_apartment};

use crate::{
    Caps, Change, Content, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, Program, ProgramState, Reader,
    Recovered, Store, StoreError, StoreId, Watch, Written,
};
use pim::{FolderKind, FolderUid};
use session::Outlook;
use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// How long a call may take before Outlook counts as waiting for a person: it shows a question and doesn't answer.
const ANSWER_MAX: Duration = Duration::from_secs(90);

/// What doesn't run on a computer where Outlook can't be asked.
#[cfg(windows)]
fn missing() -> ProgramState {
    com::missing()
}

#[cfg(not(windows))]
const fn missing() -> ProgramState {
    ProgramState::Missing
}

type Request = Box<dyn FnOnce(&mut Outlook) + Send>;
type MakeDoor = Box<dyn FnOnce() -> Box<dyn Door> + Send>;

/// A store of the Outlook that is running. See the module.
pub struct OutlookStore {
    thread: Arc<OutlookThread>,
}

impl fmt::Debug for OutlookStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutlookStore").finish_non_exhaustive()
    }
}

/// The way to the thread that owns Outlook's objects.
struct OutlookThread {
    requests: Mutex<mpsc::Sender<Request>>,
    /// Wakes the thread where it waits for more than requests.
    ring: Box<dyn Fn() + Send + Sync>,
    next_watch: AtomicU64,
}

impl OutlookStore {
    /// A store by its display name, or the profile's default store. `staging` is a folder of our own. Nothing is asked
    /// of Outlook before [`Store::open`].
    #[cfg(windows)]
    #[must_use]
    pub fn running(name: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        let bell = com::Bell::new();
        let ring = bell.clone();
        Self::through(
            Box::new(move || Box::new(ComDoor::new(bell))),
            Box::new(move || ring.ring()),
            name,
            known,
            staging,
        )
    }

    /// The same through any door. `ring` is called after each request, for doors that wait for more than those.
    #[must_use]
    pub fn through(
        door: MakeDoor,
        ring: Box<dyn Fn() + Send + Sync>,
        name: Option<String>,
        known: Option<StoreId>,
        staging: PathBuf,
    ) -> Self {
        let (requests, coming) = mpsc::channel::<Request>();
        let run = move || {
            let door = door();
            door.enter();
            let mut outlook = Outlook::new(door, name, known, staging);
            outlook.staging.sweep();
            let mut next = None;
            loop {
                let is_over = !outlook.wait(&mut |time| match coming.recv_timeout(time) {
                    Ok(request) => {
                        next = Some(request);
                        true
                    }
                    Err(_) => false,
                });
                match next.take() {
                    Some(request) => request(&mut outlook),
                    None if is_over => match coming.recv_timeout(Duration::ZERO) {
                        Ok(request) => request(&mut outlook),
                        Err(mpsc::RecvTimeoutError::Timeout) => {}
                        Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    },
                    None => {}
                }
            }
        };
        thread::Builder::new().name("outlook".to_owned()).spawn(run).expect("a thread can be made");
        let thread = OutlookThread { requests: Mutex::new(requests), ring, next_watch: AtomicU64::new(0) };
        Self { thread: Arc::new(thread) }
    }
}

impl OutlookThread {
    fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Outlook) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask_unless_abandoned(move |outlook, _| act(outlook))
    }

    fn ask_unless_abandoned<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Outlook, &AtomicBool) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let waiting = || StoreError::Program { program: Program::Outlook, state: ProgramState::Waiting };
        let (sender, answer) = mpsc::sync_channel(1);
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let abandoned = Arc::clone(&is_abandoned);
        let request: Request = Box::new(move |outlook| {
            if !abandoned.load(Ordering::SeqCst) {
                drop(sender.send(act(outlook, &abandoned)));
            }
        });
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).send(request).map_err(|_| waiting())?;
        (self.ring)();
        answer.recv_timeout(ANSWER_MAX).unwrap_or_else(|_| {
            is_abandoned.store(true, Ordering::SeqCst);
            // The answer may have come in this very moment.
            answer.try_recv().unwrap_or_else(|_| Err(waiting()))
        })
    }
}

impl Drop for OutlookThread {
    fn drop(&mut self) {
        // The thread learns from the end of the channel that nobody asks any more.
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner) = mpsc::channel().0;
        (self.ring)();
    }
}

struct OutlookReader {
    thread: Arc<OutlookThread>,
}

impl Reader for OutlookReader {
    fn read(&self, href: &Href) -> Result<Content, StoreError> {
        let href = href.clone();
        self.thread.ask(move |outlook| outlook.read(&href))
    }
}

struct OutlookWatch {
    thread: Arc<OutlookThread>,
    number: u64,
}

impl Watch for OutlookWatch {}

impl Drop for OutlookWatch {
    fn drop(&mut self) {
        let number = self.number;
        let ended = self.thread.ask(move |outlook| {
            outlook.unwatch(number);
            Ok(())
        });
        if let Err(error) = ended {
            tracing::debug!(%error, "a watch ends later");
        }
    }
}

impl Store for OutlookStore {
    fn caps(&self) -> Caps {
        // A table can be cut short without a word: absence must be seen twice, a minute apart.
        Caps { holds_uid: true, verbatim: false, absence_wait_ms: 60_000 }
    }

    fn open(&mut self) -> Result<StoreId, StoreError> {
        self.thread.ask(Outlook::open)
    }

    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        self.thread.ask(Outlook::folders)
    }

    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        let (folder, since) = (folder.clone(), since.cloned());
        self.thread.ask(move |outlook| outlook.list(&folder, since.as_ref()))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(OutlookReader { thread: Arc::clone(&self.thread) })
    }

    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        let (count, changes) = (changes.len(), changes.to_vec());
        let staged = self.thread.ask(move |outlook| Ok(outlook.stage(&changes)));
        staged.unwrap_or_else(|error| vec![Err(error); count])
    }

    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        let (count, intents) = (intents.len(), intents.to_vec());
        let written =
            self.thread.ask_unless_abandoned(move |outlook, abandoned| Ok(outlook.commit(&intents, abandoned)));
        written.unwrap_or_else(|error| vec![Err(error); count])
    }

    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        let (count, intents) = (intents.len(), intents.to_vec());
        let recovered = self.thread.ask(move |outlook| Ok(outlook.recover(&intents)));
        recovered.unwrap_or_else(|_| vec![Recovered::Unclear; count])
    }

    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        let (parent, name) = (parent.cloned(), name.to_owned());
        self.thread.ask(move |outlook| outlook.create_folder(parent.as_ref(), &name, kind, uid))
    }

    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        let folder = folder.clone();
        self.thread.ask(move |outlook| outlook.mark_folder(&folder, uid))
    }

    fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        let (folder, parent, name) = (folder.clone(), parent.cloned(), name.to_owned());
        self.thread.ask(move |outlook| outlook.rename_folder(&folder, parent.as_ref(), &name))
    }

    fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError> {
        let folder = folder.clone();
        self.thread.ask(move |outlook| outlook.delete_folder(&folder))
    }

    fn watch(&mut self, wake: Box<dyn Fn(Option<FolderId>) + Send + Sync>) -> Result<Box<dyn Watch>, StoreError> {
        let number = self.thread.next_watch.fetch_add(1, Ordering::Relaxed);
        let wake: Arc<dyn Fn(Option<FolderId>) + Send + Sync> = wake.into();
        self.thread.ask(move |outlook| {
            outlook.watch(number, |folder| {
                let wake = Arc::clone(&wake);
                Arc::new(move || wake(Some(folder.clone())))
            })
        })?;
        Ok(Box::new(OutlookWatch { thread: Arc::clone(&self.thread), number }))
    }
}
