//! What there is of Outlook on this computer.

use super::{
    Door, ProgramState,
    dispatch::{Fault, Object},
    session::{Outlook, each},
};
use crate::{
    StoreError,
    files::{Count, Surveyed},
};
use serde::Serialize;
use std::path::PathBuf;

/// An Outlook that can be asked, with what is open in it.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Its version, like `16.0.0.17726`.
    pub version: String,
    /// The profile it was started with.
    pub profile: String,
    /// Display names of the stores in it, the default store first.
    pub stores: Vec<String>,
}

/// Looks through a door, on a thread that may own Outlook's objects.
pub fn look(door: &dyn Door) -> Result<Found, ProgramState> {
    let found = || {
        let application = Object(door.application()?);
        let namespace = application.call_object("GetNamespace", &["MAPI".into()])?;
        let default = namespace.object("DefaultStore")?.text("DisplayName")?;
        let mut stores = vec![default.clone()];
        for store in each(&namespace.object("Stores")?)? {
            stores.push(store.text("DisplayName")?);
        }
        let again = stores.iter().skip(1).position(|name| *name == default);
        again.map(|at| stores.remove(at + 1));
        Ok(Found { version: application.text("Version")?, profile: namespace.text("CurrentProfileName")?, stores })
    };
    found().map_err(|fault: Fault| match StoreError::from(fault) {
        StoreError::Program { state, .. } => state,
        _ => ProgramState::Denied,
    })
}

/// Every folder of a store by its display name, or of the default store, and how many items it shows; bytes aren't asked for.
/// Nothing is written, not even a mark.
pub fn survey(door: Box<dyn Door>, name: Option<String>) -> Result<Vec<Surveyed>, StoreError> {
    let outlook = Outlook::new(door, name, None, PathBuf::new());
    let folders = outlook.folders_of(&outlook.connect()?)?;
    let surveyed = folders.into_iter().map(|folder| {
        let items = folder.object.object("Items").and_then(|items| items.number("Count"));
        let count = items.map(|items| Count { items: items.try_into().unwrap_or_default(), ..Count::default() });
        Surveyed { count: count.map_err(StoreError::from), folder: folder.info }
    });
    Ok(surveyed.collect())
}

/// Looks at the Outlook of this computer.
#[cfg(windows)]
pub fn look_here() -> Result<Found, ProgramState> {
    on_own_thread(|door| look(&*door)).unwrap_or(Err(ProgramState::Waiting))
}

/// Surveys a store of the Outlook of this computer.
#[cfg(windows)]
pub fn survey_here(name: Option<String>) -> Result<Vec<Surveyed>, StoreError> {
    let waiting = StoreError::Program { program: crate::Program::Outlook, state: ProgramState::Waiting };
    on_own_thread(|door| survey(door, name)).unwrap_or(Err(waiting))
}

#[cfg(windows)]
fn on_own_thread<T: Send + 'static>(look: impl FnOnce(Box<dyn Door>) -> T + Send + 'static) -> Option<T> {
    let looked = std::thread::spawn(|| {
        let door = super::ComDoor::new();
        door.enter();
        look(Box::new(door))
    });
    looked.join().ok()
}
