//! What there is of Outlook on this computer.

use super::{
    Doors, OutlookThread, ProgramState,
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

/// Looks through a door, on a thread of its own.
pub fn look(doors: &Doors) -> Result<Found, ProgramState> {
    let found = |outlook: &mut Outlook| {
        let application = outlook.application()?;
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
    OutlookThread::start(doors(), None, None, PathBuf::new()).ask(found).map_err(|error| match error {
        StoreError::Program { state, .. } => state,
        _ => ProgramState::Denied,
    })
}

/// Every folder of a store by its display name, or of the default store, and how many items it shows; bytes aren't asked for.
/// Nothing is written, not even a mark.
pub fn survey(doors: &Doors, name: Option<String>) -> Result<Vec<Surveyed>, StoreError> {
    OutlookThread::start(doors(), name, None, PathBuf::new()).ask(|outlook| {
        let folders = outlook.folders_of(&outlook.connect()?)?;
        let surveyed = folders.into_iter().map(|folder| {
            let items = folder.object.object("Items").and_then(|items| items.number("Count"));
            let count = items.map(|items| Count { items: items.try_into().unwrap_or_default(), ..Count::default() });
            Surveyed { count: count.map_err(StoreError::from), folder: folder.info }
        });
        Ok(surveyed.collect())
    })
}

/// Looks at the Outlook of this computer.
#[cfg(windows)]
pub fn look_here() -> Result<Found, ProgramState> {
    look(&super::doors())
}

/// Surveys a store of the Outlook of this computer.
#[cfg(windows)]
pub fn survey_here(name: Option<String>) -> Result<Vec<Surveyed>, StoreError> {
    survey(&super::doors(), name)
}
