//! The hub's view of the index, on a server.

use super::{
    Fault, Index, Shared,
    codec::{self, Context},
    from_json,
    names::Counts,
    to_json,
};
use pim::{CanonHash, FolderKind, FolderUid, ItemUid, NativeHash, PairingKey};
use rusqlite::Row as SqlRow;
use std::{fmt, rc::Rc};
use sync::{
    index::{HeldDeletion, HubIndex, IndexError, ReplicaRecord, Result},
    model::{ConflictId, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject},
};

/// What the hub remembers.
#[derive(Clone)]
pub struct HubView {
    pub(super) index: Index,
    pub(super) is_kept: Rc<dyn Fn(NativeHash) -> bool>,
}

pub(super) const EPOCH: &str = "hub.epoch";

const FOLDER: i64 = 0;
const ITEM: i64 = 1;
const CONFLICT: i64 = 2;

impl fmt::Debug for HubView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubView").field("index", &self.index).finish_non_exhaustive()
    }
}

impl HubView {
    /// An item of the server's own store that has exactly these bytes.
    pub fn item_with(&self, native: NativeHash) -> Result<Option<ItemUid>> {
        // The index names eight bytes; the rest is compared.
        let sql = "SELECT uid FROM items INDEXED BY items_by_content
                   WHERE substr(state, 1, 8) = ?1 AND place IS NOT NULL AND substr(state, 1, 32) = ?2 LIMIT 1";
        let hash = native.as_bytes();
        self.index.0.one(sql, (&hash[..8], &hash[..]), |row| super::codec::item_uid(row.get_ref(0)?.as_blob()?))
    }
}

impl HubIndex for HubView {
    fn begin(&mut self) -> Result<()> {
        self.index.begin()
    }

    fn commit(&mut self) -> Result<()> {
        self.index.commit()
    }

    fn rollback(&mut self) -> Result<()> {
        self.index.rollback()
    }

    fn head(&self) -> Result<(Epoch, LogMark)> {
        let epoch = self.index.json_value(EPOCH)?;
        let epoch = epoch.ok_or_else(|| IndexError { reason: "the index has no epoch".to_owned() })?;
        Ok((epoch, self.mark_up_to(Seq(u64::MAX))?))
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.index.set_json_value(EPOCH, &epoch)
    }

    fn row(&self, subject: Subject) -> Result<Option<Row>> {
        let shared = &self.index.0;
        let (kind, uid) = columns_of(&subject);
        let sql = "SELECT seq, kind, uid, folder, canon, body FROM log WHERE uid = ?1 AND kind = ?2";
        let read = || shared.one(sql, (uid, kind), |row| shared.read_row(row));
        if let Subject::Folder(folder) = subject { shared.folder_row(folder, read) } else { read() }
    }

    fn rows_after(&self, after: Seq, limit: usize) -> Result<Vec<Row>> {
        let shared = &self.index.0;
        let sql = "SELECT seq, kind, uid, folder, canon, body FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let params = (place_in_order(after), i64::try_from(limit).unwrap_or(i64::MAX));
        shared.all(sql, params, |row| shared.read_row(row))
    }

    fn put_row(&mut self, row: &Row) -> Result<()> {
        if self.index.0.groups.get() > 0 {
            return self.index.0.write_row(row);
        }
        self.index.group(|index| index.0.write_row(row))
    }

    fn put_mark(&mut self, mark: LogMark) -> Result<()> {
        let seq = numbered(mark.seq)?;
        self.index.0.run("INSERT OR REPLACE INTO marks (seq, hash) VALUES (?1, ?2)", (seq, mark.hash))?;
        Ok(())
    }

    fn mark_up_to(&self, seq: Seq) -> Result<LogMark> {
        let sql = "SELECT seq, hash FROM marks WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1";
        let mark = self.index.0.one(sql, [place_in_order(seq)], |row| {
            Ok(LogMark { seq: Seq(row.get::<_, i64>(0)?.cast_unsigned()), hash: row.get(1)? })
        })?;
        Ok(mark.unwrap_or_default())
    }

    fn live_count(&self, folder: FolderUid) -> Result<u64> {
        Ok(self.index.0.counts(folder)?.live.max(0).cast_unsigned())
    }

    fn live_total(&self) -> Result<u64> {
        Ok(self.index.0.all_counts()?.live.max(0).cast_unsigned())
    }

    fn find_item(
        &self,
        folder: FolderUid,
        after: Seq,
        canon: CanonHash,
        identity: Option<PairingKey>,
    ) -> Result<Option<Row>> {
        let shared = &self.index.0;
        let Some(folder) = shared.known_folder(folder)? else { return Ok(None) };
        // Hashes that begin alike are told apart by reading the rows.
        let find = |column: &str, index: &str, start: i64, is_it: &dyn Fn(&ItemState) -> bool| {
            let sql = format!(
                "SELECT seq, kind, uid, folder, canon, body FROM log INDEXED BY {index}
                 WHERE folder = ?1 AND {column} = ?2 AND seq > ?3 ORDER BY seq"
            );
            shared.find(&sql, (folder, start, place_in_order(after)), |row| {
                let row = shared.read_row(row)?;
                Ok(matches!(&row.body, RowBody::Item(state) if is_it(state)).then_some(row))
            })
        };
        let canon_start = first_four(canon.as_bytes());
        let same_content = find("canon", "log_by_content", canon_start, &|state| state.version.canon == canon)?;
        match identity {
            Some(key) if same_content.is_none() => {
                find("identity", "log_by_identity", first_four(key.as_bytes()), &|state| state.identity == identity)
            }
            _ => Ok(same_content),
        }
    }

    fn find_folder(&self, parent: Option<FolderUid>, kind: FolderKind, name: &str) -> Result<Option<FolderUid>> {
        let shared = &self.index.0;
        let number = match parent {
            None => None,
            Some(parent) => match shared.known_folder(parent)? {
                None => return Ok(None),
                number => number,
            },
        };
        // Siblings are few, and names are compared as they are, by no rule of the database.
        let sql = "SELECT uid, body FROM log INDEXED BY log_of_folders
                   WHERE kind = 0 AND body IS NOT NULL AND folder IS ?1 ORDER BY seq";
        let found = shared.all(sql, [number], |row| {
            Ok((FolderUid(row.get(0)?), from_json::<FolderState>(row.get_ref(1)?.as_bytes()?)?))
        })?;
        Ok(found.into_iter().find(|(_, state)| state.kind == kind && state.name == name).map(|(uid, _)| uid))
    }

    fn has_subfolders(&self, folder: FolderUid) -> Result<bool> {
        let shared = &self.index.0;
        let Some(folder) = shared.known_folder(folder)? else { return Ok(false) };
        let sql = "SELECT 1 FROM log INDEXED BY log_of_folders
                   WHERE kind = 0 AND body IS NOT NULL AND folder = ?1 LIMIT 1";
        Ok(shared.one(sql, [folder], |_| Ok(()))?.is_some())
    }

    fn holds(&self, native: NativeHash) -> Result<bool> {
        Ok(self.item_with(native)?.is_some() || (self.is_kept)(native))
    }

    fn replica(&self, replica: ReplicaId) -> Result<Option<ReplicaRecord>> {
        let sql = "SELECT record FROM replicas WHERE id = ?1";
        self.index.0.one(sql, [replica.0], |row| from_json(row.get_ref(0)?.as_bytes()?))
    }

    fn put_replica(&mut self, replica: ReplicaId, record: &ReplicaRecord) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO replicas (id, record) VALUES (?1, ?2)";
        self.index.0.run(sql, (replica.0, to_json(record)))?;
        Ok(())
    }

    fn held_deletions(&self) -> Result<Vec<HeldDeletion>> {
        let sql = "SELECT deletion FROM held_deletions ORDER BY item";
        self.index.0.all(sql, (), |row| from_json(row.get_ref(0)?.as_bytes()?))
    }

    fn put_held_deletion(&mut self, item: ItemUid, held: Option<&HeldDeletion>) -> Result<()> {
        match held {
            Some(held) => {
                let sql = "INSERT OR REPLACE INTO held_deletions (item, deletion) VALUES (?1, ?2)";
                self.index.0.run(sql, (item.as_bytes(), to_json(held)))
            }
            None => self.index.0.run("DELETE FROM held_deletions WHERE item = ?1", [item.as_bytes()]),
        }?;
        Ok(())
    }
}

impl Shared {
    fn write_row(&self, row: &Row) -> Result<()> {
        let (kind, uid) = columns_of(&row.subject);
        let sql = "SELECT folder FROM log WHERE uid = ?1 AND kind = ?2 AND canon IS NOT NULL";
        if let Some(folder) = self.one(sql, (uid, kind), |row| Ok(row.get(0)?))? {
            self.count(folder, Counts { live: -1, ..Counts::default() });
        }
        let (mut folder, mut canon, mut identity) = (None, None, None);
        let no_context = Context { folder: None, tail: "" };
        let body = match &row.body {
            RowBody::Item(state) => {
                let number = self.folder_number(state.folder)?;
                self.count(number, Counts { live: 1, ..Counts::default() });
                folder = Some(number);
                canon = Some(first_four(state.version.canon.as_bytes()));
                identity = state.identity.as_ref().map(|key| first_four(key.as_bytes()));
                Some(codec::write_state(state, number, Context { folder, ..no_context }))
            }
            RowBody::ItemGone(tombstone) => {
                Some(codec::write_tombstone(tombstone, self.folder_number(tombstone.folder)?))
            }
            RowBody::Folder(state) => {
                folder = state.parent.map(|parent| self.folder_number(parent)).transpose()?;
                Some(to_json(state).into_bytes())
            }
            RowBody::Conflict(conflict) => Some(to_json(conflict).into_bytes()),
            RowBody::FolderGone | RowBody::ConflictResolved => None,
            RowBody::ItemElsewhere(_) => {
                return Err(IndexError { reason: "such a row is told to a replica and never kept".to_owned() });
            }
        };
        if let Subject::Folder(folder) = row.subject {
            self.forget_folder_row(folder);
        }
        // The subject's old row gives way.
        self.run(
            "INSERT OR REPLACE INTO log (seq, kind, uid, folder, canon, identity, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (numbered(row.seq)?, kind, uid, folder, canon, identity, body),
        )?;
        Ok(())
    }

    fn read_row(&self, row: &SqlRow<'_>) -> std::result::Result<Row, Fault> {
        let seq = Seq(row.get::<_, i64>(0)?.cast_unsigned());
        let uid: [u8; 16] = row.get(2)?;
        let body = row.get_ref(5)?.as_blob_or_null()?;
        let mut uid_of = |number| self.folder_uid(number);
        let (subject, body) = match (row.get(1)?, body) {
            (FOLDER, None) => (Subject::Folder(FolderUid(uid)), RowBody::FolderGone),
            (FOLDER, Some(body)) => (Subject::Folder(FolderUid(uid)), RowBody::Folder(from_json(body)?)),
            (CONFLICT, None) => (Subject::Conflict(ConflictId(uid)), RowBody::ConflictResolved),
            (CONFLICT, Some(body)) => (Subject::Conflict(ConflictId(uid)), RowBody::Conflict(from_json(body)?)),
            (ITEM, Some(body)) => {
                let is_live = row.get::<_, Option<i64>>(4)?.is_some();
                let body = if is_live {
                    let context = Context { folder: row.get(3)?, tail: "" };
                    RowBody::Item(codec::read_state(body, context, &mut uid_of)?)
                } else {
                    RowBody::ItemGone(codec::read_tombstone(body, &mut uid_of)?)
                };
                (Subject::Item(ItemUid(uid)), body)
            }
            _ => return Err(Fault::Damaged("a row of the log can't be read")),
        };
        Ok(Row { seq, subject, body })
    }
}

const fn columns_of(subject: &Subject) -> (i64, &[u8; 16]) {
    match subject {
        Subject::Folder(uid) => (FOLDER, uid.as_bytes()),
        Subject::Item(uid) => (ITEM, uid.as_bytes()),
        Subject::Conflict(id) => (CONFLICT, &id.0),
    }
}

/// The hub numbers its rows itself, so this bound is never met.
fn numbered(seq: Seq) -> Result<i64> {
    i64::try_from(seq.0).map_err(|_| IndexError { reason: "the log has no numbers left".to_owned() })
}

/// Where a number stands, also one a peer made up.
fn place_in_order(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// Enough to find the few rows to look at, in half the space.
fn first_four(hash: &[u8]) -> i64 {
    i32::from_le_bytes(*hash.first_chunk().expect("hashes have at least 16 bytes")).into()
}
