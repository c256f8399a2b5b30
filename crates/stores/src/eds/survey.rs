//! Looking at EDS without becoming part of it: nothing is written, not even a mark, and nothing is started for nobody.

use super::{bus::Bus, session::folders_of};
use crate::{
    FolderInfo, StoreError,
    files::{Count, Surveyed},
};
use pim::FolderKind;
use std::{env, path::PathBuf};

/// Every folder of the Evolution Data Server of this session, or on the bus at `address`. `None`: there is no such thing
/// here, or nobody has used it yet.
#[must_use]
pub fn survey(address: Option<&str>) -> Option<Result<Vec<Surveyed>, StoreError>> {
    let mut bus = Bus::new(address).ok()?;
    let is_there = match bus.presence() {
        Ok(presence) => presence.is_running || presence.is_installed && has_data(),
        Err(_) => return None,
    };
    is_there.then(|| surveyed(&mut bus))
}

fn surveyed(bus: &mut Bus) -> Result<Vec<Surveyed>, StoreError> {
    let folders = folders_of(&bus.sources()?);
    Ok(folders.into_iter().map(|folder| Surveyed { count: count(bus, &folder), folder }).collect())
}

fn count(bus: &mut Bus, folder: &FolderInfo) -> Result<Count, StoreError> {
    let sort = super::bus::Sort::of(folder.kind).ok_or(StoreError::Unsupported)?;
    let objects = bus.objects(sort, &folder.id.0)?;
    // A changed occurrence is part of its series.
    let is_item =
        |object: &&String| folder.kind == FolderKind::Contacts || super::text::value(object, "RECURRENCE-ID").is_none();
    let items = objects.iter().filter(is_item).count() as u64;
    Ok(Count { items, bytes: objects.iter().map(|object| object.len() as u64).sum(), unreadable: 0 })
}

/// Whether EDS has kept anything for this user.
fn has_data() -> bool {
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(env::home_dir()?.join(".local/share")));
    data.is_some_and(|data| data.join("evolution").is_dir())
}
