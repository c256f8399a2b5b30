//! The replica's view of the index.

use super::{
    Index,
    codec::item_uid,
    item::{Href, href_hash, select},
    to_json,
};
use pim::{CanonHash, FolderUid, ItemUid};
use sync::{
    guard::{Guard, Guarded},
    index::{EARLIER_MAX, FolderRecord, Hold, ItemRecord, Local, ReplicaIndex, Result},
    model::{Conflict, ConflictId, Cursor, FolderState, ReplicaId},
};

/// What the replica remembers.
#[derive(Clone, Debug)]
pub struct ReplicaView(pub(super) Index);

pub(super) const REPLICA: &str = "replica.id";
const CURSOR: &str = "replica.cursor";
const STAMP: &str = "replica.stamp";

impl ReplicaIndex for ReplicaView {
    fn begin(&mut self) -> Result<()> {
        self.0.begin()
    }

    fn commit(&mut self) -> Result<()> {
        self.0.commit()
    }

    fn rollback(&mut self) -> Result<()> {
        self.0.rollback()
    }

    fn replica(&self) -> Result<ReplicaId> {
        let id = self.0.json_value(REPLICA)?;
        id.ok_or_else(|| sync::index::IndexError { reason: "the index has no replica id".to_owned() })
    }

    fn set_replica(&mut self, replica: ReplicaId) -> Result<()> {
        self.0.set_json_value(REPLICA, &replica)
    }

    fn cursor(&self) -> Result<Option<Cursor>> {
        self.0.0.cursor(|| self.0.json_value(CURSOR))
    }

    fn set_cursor(&mut self, cursor: Option<Cursor>) -> Result<()> {
        self.0.0.forget_cursor();
        match cursor {
            Some(cursor) => self.0.set_json_value(CURSOR, &cursor),
            None => self.0.set_value(CURSOR, None),
        }
    }

    fn stamp(&self) -> Result<Option<[u8; 16]>> {
        self.0.json_value(STAMP)
    }

    fn set_stamp(&mut self, stamp: [u8; 16]) -> Result<()> {
        self.0.set_json_value(STAMP, &stamp)
    }

    fn item(&self, uid: ItemUid) -> Result<Option<ItemRecord>> {
        Ok(self.0.0.item(uid)?.map(|known| known.record.clone()))
    }

    fn put_item(&mut self, uid: ItemUid, record: &ItemRecord) -> Result<()> {
        if self.0.0.groups.get() > 0 {
            return self.0.0.write_item(uid, record);
        }
        self.0.group(|index| index.0.write_item(uid, record))
    }

    fn item_by_href(&self, href: &str) -> Result<Option<ItemUid>> {
        let shared = &self.0.0;
        let parts = Href::of(href);
        shared.one(
            "SELECT items.uid FROM items JOIN places ON places.id = items.place
             WHERE items.href_hash = ?1 AND items.tail = ?2 AND places.path = ?3 ORDER BY items.uid LIMIT 1",
            (href_hash(href), parts.tail, parts.path),
            |row| item_uid(row.get_ref(0)?.as_blob()?),
        )
    }

    fn dirty_items(&self, after: Option<ItemUid>, limit: usize) -> Result<Vec<ItemUid>> {
        self.0.0.dirty_after(after, limit)
    }

    fn local_items(&self, folder: FolderUid) -> Result<Vec<(ItemUid, Local)>> {
        let shared = &self.0.0;
        let Some(folder) = shared.known_folder(folder)? else { return Ok(Vec::new()) };
        let sql = select!("INDEXED BY items_by_folder WHERE folder = ?1 AND place IS NOT NULL");
        let mut found = shared.all(sql, [folder], |row| shared.read_local(row))?;
        // Rows lie in the order they came in; sorting here is cheaper than an index that repeats every uid.
        found.sort_unstable_by_key(|(uid, _)| *uid);
        Ok(found)
    }

    fn unpaired_items(&self, folder: FolderUid) -> Result<Vec<(ItemUid, ItemRecord)>> {
        let shared = &self.0.0;
        let Some(folder) = shared.known_folder(folder)? else { return Ok(Vec::new()) };
        let sql = select!("INDEXED BY items_unpaired WHERE folder = ?1 AND unpaired IS NOT NULL");
        let mut found = shared.all(sql, [folder], |row| shared.read_item(row))?;
        found.sort_unstable_by_key(|(uid, _)| *uid);
        Ok(found)
    }

    fn folders_to_pair(&self) -> Result<Vec<FolderUid>> {
        let shared = &self.0.0;
        let sql = "SELECT id FROM folders WHERE
                       EXISTS (SELECT 1 FROM items INDEXED BY items_unpaired WHERE folder = folders.id AND unpaired = 0)
                   AND EXISTS (SELECT 1 FROM items INDEXED BY items_unpaired WHERE folder = folders.id AND unpaired = 1)
                   ORDER BY uid";
        shared.all(sql, (), |row| shared.folder_uid(row.get(0)?))
    }

    fn held_items(&self) -> Result<Vec<(ItemUid, ItemRecord)>> {
        let shared = &self.0.0;
        let sql = select!("INDEXED BY items_held WHERE hold IS NOT NULL ORDER BY uid");
        let mut found = shared.all(sql, (), |row| shared.read_item(row))?;
        found.retain(|(_, record)| record.hold.as_ref().is_some_and(Hold::rests));
        Ok(found)
    }

    fn base_count(&self, folder: FolderUid) -> Result<u64> {
        Ok(self.0.0.counts(folder)?.base.max(0).cast_unsigned())
    }

    fn base_total(&self) -> Result<u64> {
        Ok(self.0.0.all_counts()?.base.max(0).cast_unsigned())
    }

    fn local_count(&self, folder: FolderUid) -> Result<u64> {
        Ok(self.0.0.counts(folder)?.local.max(0).cast_unsigned())
    }

    fn forget_hub(&mut self) -> Result<()> {
        self.0.group(|index| {
            let shared = &index.0;
            shared.save_counts()?;
            // The few that rest or that a person decided about are read; a million others need not be.
            let sql = select!("INDEXED BY items_held WHERE hold IS NOT NULL");
            for (uid, record) in shared.all(sql, (), |row| shared.read_item(row))? {
                shared.write_item(uid, &record.without_hub())?;
            }
            shared.run("DELETE FROM items WHERE place IS NULL", ())?;
            shared.run(
                "UPDATE items SET dirty = 1, unpaired = 0, base_seq = NULL, base_state = NULL, stored_state = NULL,
                     base_fields = NULL, remote_seq = NULL, remote_state = NULL",
                (),
            )?;
            shared.forget_items();
            shared.save_counts()?;
            shared.run("UPDATE folders SET base_items = 0", ())?;
            shared.run("DELETE FROM conflicts", ())?;
            shared.forget_cursor();
            index.set_value(CURSOR, None)?;
            let mut view = Self(index.clone());
            for (uid, record) in view.folders()? {
                view.put_folder(uid, &record.without_hub())?;
            }
            Ok(())
        })
    }

    fn folder(&self, uid: FolderUid) -> Result<Option<FolderRecord>> {
        self.0.0.folder_record(uid, || {
            let sql = "SELECT record FROM folders WHERE uid = ?1 AND record IS NOT NULL";
            self.0.0.one(sql, [uid.as_bytes()], |row| super::from_json(row.get_ref(0)?.as_bytes()?))
        })
    }

    fn put_folder(&mut self, uid: FolderUid, record: &FolderRecord) -> Result<()> {
        if *record == FolderRecord::default()
            && let Some(before) = self.folder(uid)?
            && let Some(state) = before.base.map(|base| base.state).or(before.local.map(|local| local.state))
        {
            self.0.0.run("UPDATE folders SET was = ?2 WHERE uid = ?1", (uid.as_bytes(), to_json(&state)))?;
        }
        self.0.0.forget_folder_record(uid);
        // The row itself stays: items and the hub may name the folder by its number.
        let record = (*record != FolderRecord::default()).then(|| to_json(record));
        let sql = "INSERT INTO folders (uid, record) VALUES (?1, ?2) ON CONFLICT (uid) DO UPDATE SET record = excluded.record";
        self.0.0.run(sql, (uid.as_bytes(), record))?;
        Ok(())
    }

    fn folders(&self) -> Result<Vec<(FolderUid, FolderRecord)>> {
        self.0.0.all("SELECT uid, record FROM folders WHERE record IS NOT NULL ORDER BY uid", (), |row| {
            Ok((FolderUid(row.get(0)?), super::from_json(row.get_ref(1)?.as_bytes()?)?))
        })
    }

    fn merge_folders(&mut self, from: FolderUid, to: FolderUid) -> Result<()> {
        let shared = &self.0.0;
        let Some(number) = shared.known_folder(from)? else { return Ok(()) };
        self.0.group(|_| {
            // Whatever differs from the main state may name the folder too.
            let sql = select!(
                "WHERE folder = ?1 OR base_state IS NOT NULL OR stored_state IS NOT NULL OR remote_state IS NOT NULL",
            );
            for (uid, mut record) in shared.all(sql, [number], |row| shared.read_item(row))? {
                if record.move_to_folder(from, to) {
                    shared.write_item(uid, &record)?;
                }
            }
            Ok(())
        })
    }

    fn conflicts(&self) -> Result<Vec<(ConflictId, Conflict)>> {
        self.0.0.all("SELECT id, conflict FROM conflicts ORDER BY id", (), |row| {
            Ok((ConflictId(row.get(0)?), super::from_json(row.get_ref(1)?.as_bytes()?)?))
        })
    }

    fn put_conflict(&mut self, id: ConflictId, conflict: Option<&Conflict>) -> Result<()> {
        match conflict {
            Some(conflict) => {
                let sql = "INSERT OR REPLACE INTO conflicts (id, conflict) VALUES (?1, ?2)";
                self.0.0.run(sql, (id.0, to_json(conflict)))
            }
            None => self.0.0.run("DELETE FROM conflicts WHERE id = ?1", [id.0]),
        }?;
        Ok(())
    }

    fn put_earlier(&mut self, item: ItemUid, content: CanonHash) -> Result<()> {
        let shared = &self.0.0;
        shared.run(
            "INSERT OR REPLACE INTO earlier (item, content) VALUES (?1, ?2)",
            (item.as_bytes(), beginning(content)),
        )?;
        shared.run(
            "DELETE FROM earlier WHERE item = ?1
                 AND id <= (SELECT id FROM earlier WHERE item = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (item.as_bytes(), EARLIER_MAX as i64),
        )?;
        Ok(())
    }

    fn was_earlier(&self, item: ItemUid, content: CanonHash) -> Result<bool> {
        let sql = "SELECT 1 FROM earlier WHERE item = ?1 AND content = ?2";
        Ok(self.0.0.one(sql, (item.as_bytes(), beginning(content)), |_| Ok(()))?.is_some())
    }

    fn guard(&self, over: Guarded) -> Result<Guard> {
        Ok(self.0.json_value(guard_key(over))?.unwrap_or_default())
    }

    fn set_guard(&mut self, over: Guarded, guard: &Guard) -> Result<()> {
        self.0.set_json_value(guard_key(over), guard)
    }
}

impl Index {
    /// What a folder was that isn't there any more.
    pub fn folder_that_was(&self, uid: FolderUid) -> Result<Option<FolderState>> {
        let sql = "SELECT was FROM folders WHERE uid = ?1 AND was IS NOT NULL";
        self.0.one(sql, [uid.as_bytes()], |row| super::from_json(row.get_ref(0)?.as_bytes()?))
    }

    /// Forgets what items held before that aren't known any more.
    pub fn forget_earlier_of_the_gone(&self) -> Result<()> {
        let sql = "DELETE FROM earlier WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.uid = earlier.item)";
        self.0.run(sql, ()).map(drop)
    }
}

const fn guard_key(over: Guarded) -> &'static str {
    match over {
        Guarded::Deletions => "replica.guard",
        Guarded::Reversions => "replica.guard.reversions",
    }
}

/// Eight bytes of a hash: enough among the contents of one item.
fn beginning(content: CanonHash) -> i64 {
    let (beginning, _) = content.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    i64::from_be_bytes(*beginning)
}
