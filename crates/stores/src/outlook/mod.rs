//! Classic Outlook on Windows, from outside: its published object model over COM (`IDispatch`).
//!
//! One thread owns every object of Outlook's; requests go to it through a channel, and callers wait. (Another one is told
//! of events, because Outlook waits until it has told them.) Outlook is never
//! started, nothing is sent or answered, no meeting changes its state; Outbox, Sync Issues and search folders are left
//! out. What a listing shows comes from `Folder.GetTable`; events are hints. Items travel as `.msg` files that Outlook
//! itself writes (`SaveAs`) and reads (`OpenSharedItem`), small edits as single properties. See `DESIGN.md`.

mod dispatch;
pub use dispatch::{Dispatch, Door, Doors, Fault, NewOutlook, Variant, Wake, code};
use dispatch::{Pulse, Standing};

mod categories;
#[cfg(test)]
mod fidelity;
mod look;
pub use look::{Found, look, survey};
#[cfg(windows)]
pub use look::{look_here, survey_here};

mod patch;
mod person;
pub use person::Person;
mod row;
mod schema;
pub mod selftest;
mod session;
mod write;

#[cfg(windows)]
mod com;
#[cfg(windows)]
pub use com::{ComDoor, application, doors, enter_apartment};

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
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

type Request = Box<dyn FnOnce(&mut Outlook) + Send>;

/// A store of the Outlook that is running. See the module.
pub struct OutlookStore {
    thread: Arc<OutlookThread>,
    doors: Doors,
    name: Option<String>,
    staging: PathBuf,
}

impl fmt::Debug for OutlookStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutlookStore").finish_non_exhaustive()
    }
}

/// The way to a thread that owns objects of Outlook's.
struct OutlookThread {
    requests: Mutex<mpsc::Sender<Request>>,
    /// Wakes the thread where it waits for more than requests.
    bell: Wake,
    pulse: Pulse,
    patience: Duration,
}

impl OutlookStore {
    /// A store by its display name, or the profile's default store. `staging` is a folder of our own. Nothing is asked
    /// of Outlook before [`Store::open`].
    #[cfg(windows)]
    #[must_use]
    pub fn running(name: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        Self::through(com::doors(), name, known, staging)
    }

    /// The same through any doors.
    #[must_use]
    pub fn through(doors: Doors, name: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        let thread = OutlookThread::start(doors(), name.clone(), known, staging.clone());
        thread.send(Box::new(|outlook| outlook.staging.sweep()));
        Self { thread: Arc::new(thread), doors, name, staging }
    }
}

impl OutlookThread {
    fn start(door: Box<dyn Door>, name: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        let (requests, coming) = mpsc::channel::<Request>();
        let (bell, patience) = (door.bell(), door.patience());
        let pulse = Pulse::default();
        let beating = pulse.clone();
        let run = move || {
            beating.goes_through(&*door);
            let mut outlook = Outlook::new(door, name, known, staging);
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
        Self { requests: Mutex::new(requests), bell, pulse, patience }
    }

    fn send(&self, request: Request) -> bool {
        let is_sent = self.requests.lock().unwrap_or_else(PoisonError::into_inner).send(request).is_ok();
        (self.bell)();
        is_sent
    }

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
        if !self.send(request) {
            return Err(waiting());
        }
        let mut standing = Standing::of(&self.pulse);
        loop {
            match answer.recv_timeout(Standing::look_after(self.patience)) {
                Ok(answer) => return answer,
                Err(mpsc::RecvTimeoutError::Timeout) if !standing.is_longer(&self.pulse, self.patience) => {}
                Err(_) => {
                    is_abandoned.store(true, Ordering::SeqCst);
                    // The answer may have come in this very moment.
                    return answer.try_recv().unwrap_or_else(|_| Err(waiting()));
                }
            }
        }
    }
}

impl Drop for OutlookThread {
    fn drop(&mut self) {
        // The thread learns from the end of the channel that nobody asks any more.
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner) = mpsc::channel().0;
        (self.bell)();
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

/// Ends the thread that is told of events; `is_over` silences what still comes until it has ended.
struct OutlookWatch {
    is_over: Arc<AtomicBool>,
    _thread: OutlookThread,
}

impl Watch for OutlookWatch {}

impl Drop for OutlookWatch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
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
        let known = self.open()?;
        // On a thread that does nothing else: Outlook stands still until an event was taken, and ours may be at work.
        let thread = OutlookThread::start((self.doors)(), self.name.clone(), Some(known), self.staging.clone());
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let wake: Arc<dyn Fn(Option<FolderId>) + Send + Sync> = wake.into();
        thread.ask(move |outlook| {
            outlook.watch(|folder| {
                let (wake, over) = (Arc::clone(&wake), Arc::clone(&over));
                Arc::new(move || {
                    if !over.load(Ordering::SeqCst) {
                        wake(Some(folder.clone()));
                    }
                })
            })
        })?;
        Ok(Box::new(OutlookWatch { is_over, _thread: thread }))
    }
}
