//! What is asked all the time, in memory: folders and the front parts of hrefs by number, how many items folders hold,
//! and which items are dirty.

use super::{Fault, Shared, item::Known};
use pim::{FolderUid, ItemUid};
use rusqlite::OptionalExtension;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::{Excluded, Unbounded},
    rc::Rc,
};
use sync::{
    index::{FolderRecord, Result},
    model::{Cursor, Row},
};

/// What was looked up or counted since the last rollback.
#[derive(Debug, Default)]
pub(super) struct Names {
    folders: HashMap<FolderUid, i64>,
    uids: HashMap<i64, FolderUid>,
    places: HashMap<String, i64>,
    paths: HashMap<i64, String>,
    /// Not yet in the table: one row would be written for each item otherwise.
    counts: BTreeMap<i64, Counts>,
    /// Read once, then kept: in the file they lie in the order they came in, because an index in uid order would be
    /// written all over with each group of new items. Few items are dirty for long.
    dirty: Option<BTreeSet<ItemUid>>,
    /// Items read or written lately: each is asked for several times on its way.
    items: HashMap<ItemUid, Option<Rc<Known>>>,
    folder_records: HashMap<FolderUid, Option<FolderRecord>>,
    /// The hub's rows of folders, which every proposal asks for.
    folder_rows: HashMap<FolderUid, Option<Row>>,
    cursor: Option<Option<Cursor>>,
}

/// So many items are kept in memory.
const ITEMS_MAX: usize = 2048;

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

    /// Gives back the memory that single items take.
    pub(super) fn forget_items(&mut self) {
        self.items = HashMap::new();
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

    /// Items after `after` that are dirty, in uid order.
    pub(super) fn dirty_after(&self, after: Option<ItemUid>, limit: usize) -> Result<Vec<ItemUid>> {
        if self.names.borrow().dirty.is_none() {
            let sql = "SELECT uid FROM items INDEXED BY items_dirty WHERE dirty";
            let dirty = self.all(sql, (), |row| super::codec::item_uid(row.get_ref(0)?.as_blob()?))?;
            self.names.borrow_mut().dirty = Some(dirty.into_iter().collect());
        }
        let names = self.names.borrow();
        let behind = (after.map_or(Unbounded, Excluded), Unbounded);
        Ok(names.dirty.iter().flat_map(|dirty| dirty.range(behind)).take(limit).copied().collect())
    }

    /// An item became dirty or isn't any more.
    pub(super) fn note_dirty(&self, uid: ItemUid, is_dirty: bool) {
        if let Some(dirty) = &mut self.names.borrow_mut().dirty {
            if is_dirty {
                dirty.insert(uid)
            } else {
                dirty.remove(&uid)
            };
        }
    }

    /// Many items changed at once; they are read again, and who is dirty.
    pub(super) fn forget_items(&self) {
        let mut names = self.names.borrow_mut();
        names.dirty = None;
        names.items.clear();
    }

    /// What is in memory of an item; the inner `None`: there is no such item.
    pub(super) fn recent_item(&self, uid: ItemUid) -> Option<Option<Rc<Known>>> {
        self.names.borrow().items.get(&uid).cloned()
    }

    /// An item was read or written.
    pub(super) fn note_item(&self, uid: ItemUid, known: Option<Rc<Known>>) {
        let mut names = self.names.borrow_mut();
        if names.items.len() >= ITEMS_MAX {
            names.items.clear();
        }
        names.items.insert(uid, known);
    }

    /// What the replica knows of a folder, read once.
    pub(super) fn folder_record(
        &self,
        uid: FolderUid,
        read: impl FnOnce() -> Result<Option<FolderRecord>>,
    ) -> Result<Option<FolderRecord>> {
        if let Some(known) = self.names.borrow().folder_records.get(&uid) {
            return Ok(known.clone());
        }
        let record = read()?;
        self.names.borrow_mut().folder_records.insert(uid, record.clone());
        Ok(record)
    }

    pub(super) fn forget_folder_record(&self, uid: FolderUid) {
        self.names.borrow_mut().folder_records.remove(&uid);
    }

    /// The hub's row of a folder, read once.
    pub(super) fn folder_row(&self, uid: FolderUid, read: impl FnOnce() -> Result<Option<Row>>) -> Result<Option<Row>> {
        if let Some(known) = self.names.borrow().folder_rows.get(&uid) {
            return Ok(known.clone());
        }
        let row = read()?;
        self.names.borrow_mut().folder_rows.insert(uid, row.clone());
        Ok(row)
    }

    pub(super) fn forget_folder_row(&self, uid: FolderUid) {
        self.names.borrow_mut().folder_rows.remove(&uid);
    }

    /// How far the replica knows the log, read once.
    pub(super) fn cursor(&self, read: impl FnOnce() -> Result<Option<Cursor>>) -> Result<Option<Cursor>> {
        if let Some(cursor) = self.names.borrow().cursor {
            return Ok(cursor);
        }
        let cursor = read()?;
        self.names.borrow_mut().cursor = Some(cursor);
        Ok(cursor)
    }

    pub(super) fn forget_cursor(&self) {
        self.names.borrow_mut().cursor = None;
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
