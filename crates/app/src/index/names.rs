//! Folders and the front parts of hrefs by number, and how many items folders hold.

use super::{Fault, Shared};
use pim::FolderUid;
use rusqlite::OptionalExtension;
use std::collections::{BTreeMap, HashMap};
use sync::index::Result;

/// What was looked up or counted since the last rollback.
#[derive(Debug, Default)]
pub(super) struct Names {
    folders: HashMap<FolderUid, i64>,
    uids: HashMap<i64, FolderUid>,
    places: HashMap<String, i64>,
    paths: HashMap<i64, String>,
    /// Not yet in the table: one row would be written for each item otherwise.
    counts: BTreeMap<i64, Counts>,
}

/// How many items came and went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) base: i64,
    pub(super) local: i64,
    pub(super) live: i64,
}

impl Names {
    /// After a rollback, rows that gave these numbers may be gone.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Shared {
    /// The number of a folder, which gets one at first sight.
    pub(crate) fn folder_number(&self, uid: FolderUid) -> Result<i64> {
        if let Some(number) = self.known_folder(uid)? {
            return Ok(number);
        }
        self.run("INSERT INTO folders (uid) VALUES (?1)", [uid.as_bytes()])?;
        let number = self.connection.last_insert_rowid();
        self.note_folder(uid, number);
        Ok(number)
    }

    /// The number of a folder that was seen before.
    pub(crate) fn known_folder(&self, uid: FolderUid) -> Result<Option<i64>> {
        if let Some(number) = self.names.borrow().folders.get(&uid) {
            return Ok(Some(*number));
        }
        let number = self.one("SELECT id FROM folders WHERE uid = ?1", [uid.as_bytes()], |row| Ok(row.get(0)?))?;
        if let Some(number) = number {
            self.note_folder(uid, number);
        }
        Ok(number)
    }

    /// The folder with this number.
    pub(crate) fn folder_uid(&self, number: i64) -> std::result::Result<FolderUid, Fault> {
        if let Some(uid) = self.names.borrow().uids.get(&number) {
            return Ok(*uid);
        }
        let bytes: [u8; 16] = self
            .statement("SELECT uid FROM folders WHERE id = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?
            .ok_or(Fault::Damaged("an item names a folder that isn't there"))?;
        let uid = FolderUid(bytes);
        self.note_folder(uid, number);
        Ok(uid)
    }

    fn note_folder(&self, uid: FolderUid, number: i64) {
        let mut names = self.names.borrow_mut();
        names.folders.insert(uid, number);
        names.uids.insert(number, uid);
    }

    /// The number of the front part of an href, which gets one at first sight.
    pub(super) fn place_number(&self, path: &str) -> Result<i64> {
        if let Some(number) = self.names.borrow().places.get(path) {
            return Ok(*number);
        }
        let found = self.one("SELECT id FROM places WHERE path = ?1", [path], |row| Ok(row.get(0)?))?;
        let number = match found {
            Some(number) => number,
            None => {
                self.run("INSERT INTO places (path) VALUES (?1)", [path])?;
                self.connection.last_insert_rowid()
            }
        };
        self.note_place(path, number);
        Ok(number)
    }

    /// The href whose front part has this number.
    pub(super) fn href(&self, place: i64, tail: &str) -> std::result::Result<String, Fault> {
        if let Some(path) = self.names.borrow().paths.get(&place) {
            return Ok([path, tail].concat());
        }
        let path: String = self
            .statement("SELECT path FROM places WHERE id = ?1")?
            .query_row([place], |row| row.get(0))
            .optional()?
            .ok_or(Fault::Damaged("an item names a place that isn't there"))?;
        self.note_place(&path, place);
        Ok([&path, tail].concat())
    }

    fn note_place(&self, path: &str, number: i64) {
        let mut names = self.names.borrow_mut();
        // A store that gives every item a place of its own must not fill the memory.
        if names.places.len() >= 10_000 {
            names.places.clear();
            names.paths.clear();
        }
        names.places.insert(path.to_owned(), number);
        names.paths.insert(number, path.to_owned());
    }

    /// Items came to a folder or left it.
    pub(super) fn count(&self, folder: i64, change: Counts) {
        let mut names = self.names.borrow_mut();
        let counts = names.counts.entry(folder).or_default();
        counts.base += change.base;
        counts.local += change.local;
        counts.live += change.live;
    }

    /// Writes the counts that are only in memory, so that a savepoint or a commit has them.
    pub(super) fn save_counts(&self) -> Result<()> {
        let counts = std::mem::take(&mut self.names.borrow_mut().counts);
        for (folder, change) in counts.into_iter().filter(|(_, change)| *change != Counts::default()) {
            self.run(
                "UPDATE folders SET base_items = base_items + ?2, local_items = local_items + ?3,
                     live_items = live_items + ?4 WHERE id = ?1",
                (folder, change.base, change.local, change.live),
            )?;
        }
        Ok(())
    }

    /// How many items a folder holds.
    pub(super) fn counts(&self, folder: FolderUid) -> Result<Counts> {
        let Some(number) = self.known_folder(folder)? else { return Ok(Counts::default()) };
        self.save_counts()?;
        let sql = "SELECT base_items, local_items, live_items FROM folders WHERE id = ?1";
        let found =
            self.one(sql, [number], |row| Ok(Counts { base: row.get(0)?, local: row.get(1)?, live: row.get(2)? }))?;
        Ok(found.unwrap_or_default())
    }

    /// How many items all folders hold.
    pub(super) fn all_counts(&self) -> Result<Counts> {
        self.save_counts()?;
        let sql = "SELECT coalesce(sum(base_items), 0), coalesce(sum(local_items), 0), coalesce(sum(live_items), 0)
                   FROM folders";
        let found = self.one(sql, (), |row| Ok(Counts { base: row.get(0)?, local: row.get(1)?, live: row.get(2)? }))?;
        Ok(found.unwrap_or_default())
    }
}
