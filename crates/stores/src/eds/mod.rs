//! Evolution Data Server (Linux): the address books, calendars, task and memo lists of GNOME's programs, over D-Bus.
//!
//! Only sources that EDS keeps on this computer (`BackendName=local`) are folders here: an account is kept by its own
//! server already, and writing there could make that server send invitations. Every write says that EDS must send
//! nothing either. See `DESIGN.md`.

mod bus;
mod session;
mod source;
mod survey;
pub use survey::survey;
mod text;
mod write;

use crate::{
    Caps, Change, Content, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, Reader, Recovered, Store,
    StoreError, StoreId, Watch, Written,
};
use pim::{FolderKind, FolderUid};
use session::Eds;
use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use zbus::{MatchRule, blocking::MessageIterator, message::Type};

/// The kinds of folders it holds: mail is Evolution's own.
#[must_use]
pub fn kinds() -> Vec<FolderKind> {
    FolderKind::ALL.into_iter().filter(|kind| bus::Sort::of(*kind).is_some()).collect()
}

/// The Evolution Data Server of this session. See the module.
pub struct EdsStore {
    eds: Arc<Mutex<Eds>>,
    address: Option<String>,
}

impl fmt::Debug for EdsStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdsStore").finish_non_exhaustive()
    }
}

impl EdsStore {
    /// The EDS on the session bus, or on the bus at `address`. `staging` is a folder of our own. Nothing is asked of EDS
    /// before [`Store::open`].
    #[must_use]
    pub fn new(address: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        Self { eds: Arc::new(Mutex::new(Eds::new(address.clone(), known, staging))), address }
    }

    fn eds(&self) -> MutexGuard<'_, Eds> {
        self.eds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct EdsReader(Arc<Mutex<Eds>>);

impl Reader for EdsReader {
    fn read(&self, href: &Href) -> Result<Content, StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).again(|eds| eds.read(href))
    }
}

struct EdsWatch {
    is_over: Arc<AtomicBool>,
    connection: Option<zbus::blocking::Connection>,
}

impl Watch for EdsWatch {}

impl Drop for EdsWatch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close()
        {
            tracing::debug!(%error, "a watch ends with its connection");
        }
    }
}

impl Store for EdsStore {
    fn caps(&self) -> Caps {
        Caps { holds_uid: false, verbatim: false, absence_wait_ms: 1_000 }
    }

    fn kinds(&self) -> Vec<FolderKind> {
        kinds()
    }

    fn open(&mut self) -> Result<StoreId, StoreError> {
        self.eds().open()
    }

    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        self.eds().again(Eds::folders)
    }

    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        self.eds().again(|eds| eds.list(folder, since))
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(EdsReader(Arc::clone(&self.eds)))
    }

    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        self.eds().stage(changes)
    }

    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        self.eds().commit(intents)
    }

    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        self.eds().recover(intents)
    }

    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        self.eds().create_folder(parent, name, kind, uid)
    }

    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        self.eds().mark_folder(folder, uid)
    }

    fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        self.eds().rename_folder(folder, parent, name)
    }

    fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError> {
        self.eds().delete_folder(folder)
    }

    fn watch(&mut self, wake: Box<dyn Fn(Option<FolderId>) + Send + Sync>) -> Result<Box<dyn Watch>, StoreError> {
        // Each backend tells its new revision, as long as somebody has it open.
        self.eds().open_all()?;
        let unavailable = |error: zbus::Error| {
            tracing::debug!(%error, "no signals");
            bus::closed()
        };
        let connection = bus::connect(self.address.as_deref())?;
        let rule = MatchRule::builder()
            .msg_type(Type::Signal)
            .path_namespace("/org/gnome/evolution/dataserver")
            .map_err(unavailable)?
            .build();
        let signals = MessageIterator::for_match_rule(rule, &connection, None).map_err(unavailable)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let told = move || {
            // New revisions of what is open, and sources that come and go.
            const TELLING: [&str; 3] = ["PropertiesChanged", "InterfacesAdded", "InterfacesRemoved"];
            for signal in signals {
                let is_telling = signal.is_ok_and(|signal| {
                    signal.header().member().is_some_and(|member| TELLING.contains(&member.as_str()))
                });
                if over.load(Ordering::SeqCst) {
                    return;
                }
                if is_telling {
                    wake(None);
                }
            }
            // The bus is gone; a look finds out.
            if !over.load(Ordering::SeqCst) {
                wake(None);
            }
        };
        thread::Builder::new().name("eds-watch".to_owned()).spawn(told).expect("a thread can be made");
        Ok(Box::new(EdsWatch { is_over, connection: Some(connection) }))
    }
}
