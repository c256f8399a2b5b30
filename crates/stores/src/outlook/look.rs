//! What there is of Outlook on this computer.

use super::{
    Door, ProgramState,
    dispatch::{Fault, Object},
    session::each,
};
use crate::StoreError;
use serde::Serialize;

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

/// Looks at the Outlook of this computer.
#[cfg(windows)]
pub fn look_here() -> Result<Found, ProgramState> {
    let looked = std::thread::spawn(|| {
        let door = super::ComDoor::new();
        door.enter();
        look(&door)
    });
    looked.join().unwrap_or(Err(ProgramState::Waiting))
}
