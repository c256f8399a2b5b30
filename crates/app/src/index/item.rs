//! A replica's item as a row.
//!
//! For almost every item base, stored and local are the same state, so it is written once: the *main* state is what the
//! store holds, else the base, else what the hub says. The others are written only where they differ from it.
//!
//! | column | when it is NULL |
//! |---|---|
//! | `folder`, `state` | nothing has a state: only a tombstone is known (then `folder` is the tombstone's) |
//! | `place`, `href_hash`, `tail`, `rev` | the store holds nothing |
//! | `base_seq` | there is no base |
//! | `base_state` | the base's state is the main state |
//! | `stored_state` | what the store gave back is the base's state |
//! | `base_fields` | not merged by field; empty: as `local_fields` |
//! | `remote_seq` | the hub says nothing new |
//! | `remote_state` | what it says is the main state; else 0 and a state, or 1 and a tombstone |
//! | `unpaired` | there is a base or both sides know it; else 0 for here, 1 for there |

use super::{
    Fault, Shared, bits,
    codec::{self, Context},
    from_json,
    names::Counts,
    to_json,
};
use pim::{FieldHashes, FieldKey, FolderUid, ItemUid, PairingKey};
use rusqlite::{Row, types::ValueRef};
use std::{collections::BTreeMap, rc::Rc};
use sync::{
    index::{Base, ItemRecord, Local, Remote, Result},
    model::{ItemState, Seq},
};

/// The question for whole items that meet a condition, which is a literal: it is asked all the time.
macro_rules! select {
    ($condition:literal $(,)?) => {
        concat!(
            "SELECT uid, id, folder, place, tail, rev, file_id, object_uid, state, local_fields, base_seq, base_state, ",
            "stored_state, base_fields, remote_seq, remote_state, hold FROM items ",
            $condition
        )
    };
}
pub(super) use select;

/// The places of columns in what [`select`] asks for.
mod column {
    pub(super) const UID: usize = 0;
    pub(super) const ID: usize = 1;
    pub(super) const FOLDER: usize = 2;
    pub(super) const PLACE: usize = 3;
    pub(super) const TAIL: usize = 4;
    pub(super) const REV: usize = 5;
    pub(super) const FILE_ID: usize = 6;
    pub(super) const OBJECT_UID: usize = 7;
    pub(super) const STATE: usize = 8;
    pub(super) const LOCAL_FIELDS: usize = 9;
    pub(super) const BASE_SEQ: usize = 10;
    pub(super) const BASE_STATE: usize = 11;
    pub(super) const STORED_STATE: usize = 12;
    pub(super) const BASE_FIELDS: usize = 13;
    pub(super) const REMOTE_SEQ: usize = 14;
    pub(super) const REMOTE_STATE: usize = 15;
    pub(super) const HOLD: usize = 16;
}

/// An item and the number of its row.
#[derive(Debug)]
pub(super) struct Known {
    id: i64,
    pub(super) record: ItemRecord,
}

const LIVE: u8 = 0;
const GONE: u8 = 1;

impl Shared {
    /// Reads what [`select`] asked for.
    pub(super) fn read_item(&self, row: &Row<'_>) -> std::result::Result<(ItemUid, ItemRecord), Fault> {
        let uid = codec::item_uid(row.get_ref(column::UID)?.as_blob()?)?;
        Ok((uid, self.read_record(row, true)?))
    }

    /// Reads the local part of what [`select`] asked for.
    pub(super) fn read_local(&self, row: &Row<'_>) -> std::result::Result<(ItemUid, Local), Fault> {
        let uid = codec::item_uid(row.get_ref(column::UID)?.as_blob()?)?;
        let record = self.read_record(row, false)?;
        Ok((uid, record.local.ok_or(Fault::Damaged("an item in a place isn't there"))?))
    }

    fn read_record(&self, row: &Row<'_>, is_whole: bool) -> std::result::Result<ItemRecord, Fault> {
        let folder: Option<i64> = row.get(column::FOLDER)?;
        let tail = row.get_ref(column::TAIL)?.as_str_or_null()?.unwrap_or_default();
        let context = Context { folder, tail };
        let mut uid_of = |number| self.folder_uid(number);
        let mut state_in = |bytes: &[u8]| codec::read_state(bytes, context, &mut uid_of);
        let main = row.get_ref(column::STATE)?.as_blob_or_null()?.map(&mut state_in).transpose()?;
        let main_again = || main.clone().ok_or(Fault::Damaged("an item has no state"));
        let local_fields = row.get_ref(column::LOCAL_FIELDS)?.as_blob_or_null()?.map(read_fields).transpose()?;

        let mut record = ItemRecord::default();
        if is_whole {
            if let Some(seq) = row.get::<_, Option<i64>>(column::BASE_SEQ)? {
                let state = match row.get_ref(column::BASE_STATE)?.as_blob_or_null()? {
                    Some(bytes) => state_in(bytes)?,
                    None => main_again()?,
                };
                let stored = match row.get_ref(column::STORED_STATE)?.as_blob_or_null()? {
                    Some(bytes) => state_in(bytes)?,
                    None => state.clone(),
                };
                let fields = match row.get_ref(column::BASE_FIELDS)?.as_blob_or_null()? {
                    Some([]) => local_fields.clone(),
                    Some(bytes) => Some(read_fields(bytes)?),
                    None => None,
                };
                record.base = Some(Base { seq: Seq(seq.cast_unsigned()), state, stored, fields });
            }
            if let Some(seq) = row.get::<_, Option<i64>>(column::REMOTE_SEQ)? {
                let seq = Seq(seq.cast_unsigned());
                record.remote = Some(match row.get_ref(column::REMOTE_STATE)?.as_blob_or_null()? {
                    None => Remote::Live { seq, state: main_again()? },
                    Some([LIVE, bytes @ ..]) => Remote::Live { seq, state: state_in(bytes)? },
                    Some([GONE, bytes @ ..]) => {
                        Remote::Gone { seq, tombstone: codec::read_tombstone(bytes, &mut |n| self.folder_uid(n))? }
                    }
                    Some(_) => return Err(Fault::Damaged("an item's remote state can't be read")),
                });
            }
            record.hold = match row.get_ref(column::HOLD)? {
                ValueRef::Null => None,
                hold => Some(from_json(hold.as_bytes()?)?),
            };
        }
        if let Some(place) = row.get::<_, Option<i64>>(column::PLACE)? {
            record.local = Some(Local {
                href: self.href(place, tail)?,
                rev: row.get(column::REV)?,
                file_id: row.get::<_, Option<i64>>(column::FILE_ID)?.map(i64::cast_unsigned),
                object_uid: row.get::<_, Option<[u8; 16]>>(column::OBJECT_UID)?.map(PairingKey),
                state: main_again()?,
                fields: local_fields,
            });
        }
        Ok(record)
    }

    /// What is known of an item. What was read or written lately is in memory.
    pub(super) fn item(&self, uid: ItemUid) -> Result<Option<Rc<Known>>> {
        if let Some(known) = self.recent_item(uid) {
            return Ok(known);
        }
        let known = self.one(select!("WHERE uid = ?1"), [uid.as_bytes()], |row| {
            Ok(Rc::new(Known { id: row.get(column::ID)?, record: self.read_record(row, true)? }))
        })?;
        self.note_item(uid, known.clone());
        Ok(known)
    }

    /// Writes what is known of an item, or forgets it, and keeps the counts of the folders.
    pub(super) fn write_item(&self, uid: ItemUid, record: &ItemRecord) -> Result<()> {
        let before = self.item(uid)?;
        if let Some(before) = &before {
            self.count_item(&before.record, -1)?;
        }
        self.note_dirty(uid, record.is_dirty());
        if record.is_empty() {
            if let Some(before) = before {
                self.run("DELETE FROM items WHERE id = ?1", [before.id])?;
            }
            self.note_item(uid, None);
            return Ok(());
        }
        self.count_item(record, 1)?;

        let number_of = |folder: Option<FolderUid>| folder.map(|uid| self.folder_number(uid)).transpose();
        let local = record.local.as_ref();
        let href = local.map(|local| Href::of(&local.href));
        let place = href.as_ref().map(|href| self.place_number(href.path)).transpose()?;
        let folder = number_of(record.folder())?;
        let context = Context { folder, tail: href.as_ref().map_or("", |href| href.tail) };
        let written = |state: &ItemState| -> Result<Vec<u8>> {
            Ok(codec::write_state(state, self.folder_number(state.folder)?, context))
        };

        let remote_live = match &record.remote {
            Some(Remote::Live { state, .. }) => Some(state),
            _ => None,
        };
        let base = record.base.as_ref();
        let main = local.map(|local| &local.state).or(base.map(|base| &base.state)).or(remote_live);
        let base_state = base.filter(|base| Some(&base.state) != main).map(|base| written(&base.state)).transpose()?;
        let stored_state =
            base.filter(|base| base.stored != base.state).map(|base| written(&base.stored)).transpose()?;
        let base_fields = base.and_then(|base| base.fields.as_ref()).map(|fields| {
            let is_as_local = local.is_some_and(|local| local.fields.as_ref() == Some(fields));
            if is_as_local { Vec::new() } else { write_fields(fields) }
        });
        let remote_state = match &record.remote {
            Some(Remote::Live { state, .. }) if Some(state) != main => Some([&[LIVE][..], &written(state)?].concat()),
            Some(Remote::Gone { tombstone, .. }) => {
                let folder = self.folder_number(tombstone.folder)?;
                Some([&[GONE][..], &codec::write_tombstone(tombstone, folder)].concat())
            }
            _ => None,
        };
        let (base_seq, remote_seq) =
            (base.map(|base| bits(base.seq.0)), record.remote.as_ref().map(|remote| bits(remote.seq().0)));
        let unpaired = record.is_unpaired().then_some(record.remote.is_some());
        let hold = record.hold.as_ref().map(to_json);
        // Most changes leave alone what the store holds, and with it the columns that most indexes are of.
        if let Some(before) = &before
            && local.is_some()
            && before.record.local.as_ref() == local
        {
            self.run(
                "UPDATE items SET dirty = ?2, unpaired = ?3, base_seq = ?4, base_state = ?5, stored_state = ?6,
                     base_fields = ?7, remote_seq = ?8, remote_state = ?9, hold = ?10 WHERE id = ?1",
                rusqlite::params![
                    before.id,
                    record.is_dirty(),
                    unpaired,
                    base_seq,
                    base_state,
                    stored_state,
                    base_fields,
                    remote_seq,
                    remote_state,
                    hold,
                ],
            )?;
            self.note_item(uid, Some(Rc::new(Known { id: before.id, record: record.clone() })));
            return Ok(());
        }
        let id = before.map(|before| before.id);
        let sql = if id.is_some() {
            "UPDATE items SET folder = ?3, dirty = ?4, unpaired = ?5, place = ?6, href_hash = ?7, base_seq = ?8, state = ?9,
                 tail = ?10, rev = ?11, file_id = ?12, object_uid = ?13, local_fields = ?14, base_state = ?15,
                 stored_state = ?16, base_fields = ?17, remote_seq = ?18, remote_state = ?19, hold = ?20
                 WHERE id = ?1 AND uid = ?2"
        } else {
            "INSERT INTO items (id, uid, folder, dirty, unpaired, place, href_hash, base_seq, state, tail, rev, file_id,
                 object_uid, local_fields, base_state, stored_state, base_fields, remote_seq, remote_state, hold)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
        };
        let params = rusqlite::params![
            id,
            uid.as_bytes(),
            folder,
            record.is_dirty(),
            unpaired,
            place,
            local.map(|local| href_hash(&local.href)),
            base_seq,
            main.map(written).transpose()?,
            href.as_ref().map(|href| href.tail),
            local.map(|local| &local.rev),
            local.and_then(|local| local.file_id).map(bits),
            local.and_then(|local| local.object_uid.as_ref()).map(PairingKey::as_bytes),
            local.and_then(|local| local.fields.as_ref()).map(write_fields),
            base_state,
            stored_state,
            base_fields,
            remote_seq,
            remote_state,
            hold,
        ];
        self.run(sql, params)?;
        let id = id.unwrap_or_else(|| self.connection.last_insert_rowid());
        self.note_item(uid, Some(Rc::new(Known { id, record: record.clone() })));
        Ok(())
    }

    fn count_item(&self, record: &ItemRecord, by: i64) -> Result<()> {
        if let Some(base) = &record.base {
            self.count(self.folder_number(base.state.folder)?, Counts { base: by, ..Counts::default() });
        }
        if let Some(local) = &record.local {
            self.count(self.folder_number(local.state.folder)?, Counts { local: by, ..Counts::default() });
        }
        Ok(())
    }
}

/// An href, cut behind its last slash: thousands of items share what is before.
pub(super) struct Href<'a> {
    pub(super) path: &'a str,
    pub(super) tail: &'a str,
}

impl<'a> Href<'a> {
    pub(super) fn of(href: &'a str) -> Self {
        let (path, tail) = href.split_at(href.rfind('/').map_or(0, |slash| slash + 1));
        Self { path, tail }
    }
}

/// Finds an href by four bytes instead of all of it; the few that share them are told apart by reading.
pub(super) fn href_hash(href: &str) -> i64 {
    let hash = blake3::hash(href.as_bytes());
    let four = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    i32::from_le_bytes(*four).into()
}

// One after the other, closed by a zero: code, hash, name, and for one of several values its key.
fn write_fields(fields: &FieldHashes) -> Vec<u8> {
    let mut out = Vec::new();
    for (key, hash) in &fields.0 {
        let (code, name, value) = match key {
            FieldKey::Property(name) => (1, name.as_str(), 0),
            FieldKey::Value { name, key } => (2, name.as_str(), *key),
            FieldKey::Times => (3, "", 0),
            FieldKey::Progress => (4, "", 0),
            FieldKey::Parts(name) => (5, name.as_str(), 0),
            FieldKey::Wrapper(name) => (6, name.as_str(), 0),
            FieldKey::Text => (7, "", 0),
        };
        out.push(code);
        out.extend_from_slice(&hash.to_le_bytes());
        codec::write_text(&mut out, name);
        if code == 2 {
            out.extend_from_slice(&u64::to_le_bytes(value));
        }
    }
    out.push(0);
    out
}

fn read_fields(bytes: &[u8]) -> std::result::Result<FieldHashes, Fault> {
    let mut rest = codec::Reader(bytes);
    let mut fields = BTreeMap::new();
    loop {
        let code = rest.byte()?;
        if code == 0 {
            return Ok(FieldHashes(fields));
        }
        let hash = u64::from_le_bytes(rest.array()?);
        let name = rest.text()?.to_owned();
        let key = match code {
            1 => FieldKey::Property(name),
            2 => FieldKey::Value { name, key: u64::from_le_bytes(rest.array()?) },
            3 => FieldKey::Times,
            4 => FieldKey::Progress,
            5 => FieldKey::Parts(name),
            6 => FieldKey::Wrapper(name),
            7 => FieldKey::Text,
            _ => return Err(Fault::Damaged("a field can't be read")),
        };
        fields.insert(key, hash);
    }
}
