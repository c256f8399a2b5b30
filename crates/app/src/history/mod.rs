//! What was changed, when, and how it was before.
//!
//! A **run** is what people see as one synchronization: it begins with the first change and ends after a minute without
//! one. An **entry** is one change of one item, or of a folder. Entries are written in the same group as the change they describe, so
//! neither is there without the other; what an item was before is an item state, and its bytes stay in the blob area
//! while [`Index::before_image_kept_at`] knows them.
//!
//! [`undo`] finds what a run or the newest change of an item took away. Taking it back is a new version of the same item,
//! made by whoever asks, and only where the item still is as the run left it.
//!
//! Runs go after thirty days, or sooner where there are too many entries: [`Index::expire_history`].

mod expire;
pub mod undo;

pub use expire::{Expired, Limits};

use crate::index::{
    Fault, Index, bits,
    codec::{self, Context},
    from_json, to_json,
};
use pim::{FolderUid, ItemUid, NativeHash};
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sync::{
    index::Result,
    model::{FolderState, ItemState},
    replica::{Change, ChangedFolder},
};

/// Names a run. A later run has a larger number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct RunId(pub i64);

/// Names an entry. A later entry has a larger number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct EntryId(pub i64);

/// One synchronization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// Seconds since 1970.
    pub started_at: u64,
    /// Seconds since 1970; `None` while it goes on.
    pub ended_at: Option<u64>,
    /// The other computer, as people call it.
    pub partner: String,
    /// What it did.
    pub counts: Counts,
}

/// How many changes a run made, of each sort.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct Counts {
    pub added: u64,
    pub changed: u64,
    pub moved: u64,
    pub flagged: u64,
    pub deleted: u64,
    pub conflicts: u64,
    pub kept: u64,
    pub folders: u64,
}

/// What happened to an item or a folder.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is new.
    Added,
    /// Its content is another.
    Changed,
    /// It lies in another folder.
    Moved,
    /// Only its marks are others.
    Flagged,
    /// It was deleted.
    Deleted,
    /// An edit lost and waits for a person.
    Conflict,
    /// It was deleted on one side and edited on the other, and stays.
    Kept,
    /// The folder is new.
    FolderAdded,
    /// The folder is called otherwise, and may lie elsewhere.
    FolderRenamed,
    /// The folder lies in another one.
    FolderMoved,
    /// The folder was deleted.
    FolderDeleted,
}

/// Where a change was made.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// In this computer's store, because it changed at the server.
    Here,
    /// At the server, because it changed here.
    Server,
}

/// One change of one item or folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// Part of which run.
    pub run: RunId,
    /// Seconds since 1970.
    pub at: u64,
    /// What.
    pub change: EntryChange,
    /// The run that took it back.
    pub undone_by: Option<RunId>,
}

/// What an entry is about.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are of the large variant")]
pub enum EntryChange {
    /// An item.
    Item(ItemChange),
    /// A folder.
    Folder(FolderChange),
}

/// What an entry tells of a folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderChange {
    /// The folder.
    pub folder: FolderUid,
    /// What happened.
    pub action: Action,
    /// Where.
    pub side: Side,
    /// How it was. `None`: it is new.
    pub before: Option<FolderState>,
    /// How it is. `None`: it was deleted.
    pub after: Option<FolderState>,
}

/// What an entry tells of an item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ItemChange {
    /// The item.
    pub item: ItemUid,
    /// Where it lies, or lay before it was deleted.
    pub folder: FolderUid,
    /// What happened.
    pub action: Action,
    /// Where.
    pub side: Side,
    /// What people call the item.
    pub title: String,
    /// How it was. `None`: it is new, or the entry isn't about that.
    pub before: Option<ItemState>,
    /// How it is. `None`: it was deleted, or the entry isn't about that.
    pub after: Option<ItemState>,
}

/// Writes runs: begins one with the first change and ends it after a minute without any.
#[derive(Debug, Default)]
pub struct History {
    /// By partner: the run that goes on and its newest entry's time.
    open: BTreeMap<String, (RunId, u64)>,
}

/// A title is cut behind so many bytes.
const TITLE_BYTES_MAX: usize = 256;

impl ItemChange {
    /// What a change did; `None` if it did nothing a person would see.
    #[must_use]
    pub fn of(change: &Change, side: Side, title: &str) -> Option<Self> {
        let Change { item, before, after } = change.clone();
        let action = match (&before, &after) {
            (None, Some(_)) => Action::Added,
            (Some(_), None) => Action::Deleted,
            (Some(before), Some(after)) if !before.version.same_content(&after.version) => Action::Changed,
            (Some(before), Some(after)) if before.folder != after.folder => Action::Moved,
            (Some(before), Some(after)) if before.flags != after.flags => Action::Flagged,
            _ => return None,
        };
        let folder = after.as_ref().or(before.as_ref())?.folder;
        Some(Self { item, folder, action, side, title: title.to_owned(), before, after })
    }
}

impl FolderChange {
    /// What a change did; `None` if it did nothing a person would see.
    #[must_use]
    pub fn of(change: &ChangedFolder, side: Side) -> Option<Self> {
        let ChangedFolder { folder, before, after } = change.clone();
        let action = match (&before, &after) {
            (None, Some(_)) => Action::FolderAdded,
            (Some(_), None) => Action::FolderDeleted,
            (Some(before), Some(after)) if before.name != after.name => Action::FolderRenamed,
            (Some(before), Some(after)) if before.parent != after.parent => Action::FolderMoved,
            _ => return None,
        };
        Some(Self { folder, action, side, before, after })
    }
}

impl From<ItemChange> for EntryChange {
    fn from(change: ItemChange) -> Self {
        Self::Item(change)
    }
}

impl From<FolderChange> for EntryChange {
    fn from(change: FolderChange) -> Self {
        Self::Folder(change)
    }
}

impl EntryChange {
    /// What happened.
    #[must_use]
    pub const fn action(&self) -> Action {
        match self {
            Self::Item(change) => change.action,
            Self::Folder(change) => change.action,
        }
    }

    /// Where.
    #[must_use]
    pub const fn side(&self) -> Side {
        match self {
            Self::Item(change) => change.side,
            Self::Folder(change) => change.side,
        }
    }

    /// The item, if it is about one.
    #[must_use]
    pub const fn item(&self) -> Option<&ItemChange> {
        match self {
            Self::Item(change) => Some(change),
            Self::Folder(_) => None,
        }
    }
}

impl History {
    /// A run ends after so many seconds without a change.
    pub const QUIET_SECS: u64 = 60;

    /// Takes up writing. Runs that a crash left open are ended with their newest entry.
    pub fn new(index: &Index) -> Result<Self> {
        let shared = &index.0;
        index.group(|index| {
            for run in shared.all("SELECT id FROM runs WHERE ended_at IS NULL", (), |row| Ok(RunId(row.get(0)?)))? {
                let sql = "SELECT max(at) FROM entries WHERE run = ?1";
                let newest = shared.one(sql, [run.0], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten();
                index.end_run(run, newest.map_or(0, i64::cast_unsigned))?;
            }
            Ok(())
        })?;
        Ok(Self::default())
    }

    /// Writes a change into the partner's run. Belongs into the group that makes the change.
    pub fn record(&mut self, index: &Index, partner: &str, change: &EntryChange, now_secs: u64) -> Result<EntryId> {
        self.close_quiet(index, now_secs)?;
        let open = self.open.get(partner).map(|(run, _)| *run);
        // The group that began the run may have been taken back.
        let run = match open {
            Some(run) if index.is_open(run)? => run,
            _ => index.begin_run(partner, now_secs)?,
        };
        let entry = index.add_entry(run, change, now_secs)?;
        self.open.insert(partner.to_owned(), (run, now_secs));
        Ok(entry)
    }

    /// The partner's run, if one goes on.
    #[must_use]
    pub fn open_run(&self, partner: &str) -> Option<RunId> {
        self.open.get(partner).map(|(run, _)| *run)
    }

    /// Ends runs that were quiet for a minute. Whoever keeps the time calls this now and then.
    pub fn close_quiet(&mut self, index: &Index, now_secs: u64) -> Result<()> {
        // A clock that was set back ends them as well: the time they would wait for is unknown.
        let is_quiet = |newest: u64| now_secs.abs_diff(newest) >= Self::QUIET_SECS;
        let quiet: Vec<_> =
            self.open.iter().filter(|(_, (_, newest))| is_quiet(*newest)).map(|(p, r)| (p.clone(), *r)).collect();
        for (partner, (run, newest)) in quiet {
            index.end_run(run, newest)?;
            self.open.remove(&partner);
        }
        Ok(())
    }

    /// Ends every run: the program stops.
    pub fn close(&mut self, index: &Index) -> Result<()> {
        for (run, newest) in std::mem::take(&mut self.open).into_values() {
            index.end_run(run, newest)?;
        }
        Ok(())
    }
}

impl Index {
    /// Begins a run. [`History`] does that by itself; an undo begins one of its own.
    pub fn begin_run(&self, partner: &str, now_secs: u64) -> Result<RunId> {
        self.0.run("INSERT INTO runs (started_at, partner) VALUES (?1, ?2)", (bits(now_secs), partner))?;
        Ok(RunId(self.0.connection.last_insert_rowid()))
    }

    /// Ends a run. One in which nothing happened is forgotten.
    pub fn end_run(&self, run: RunId, ended_at: u64) -> Result<()> {
        let counts = self.counts_of(run)?;
        if counts == Counts::default() {
            self.0.run("DELETE FROM runs WHERE id = ?1", [run.0])?;
            return Ok(());
        }
        let sql = "UPDATE runs SET ended_at = max(started_at, ?2), counts = ?3 WHERE id = ?1";
        self.0.run(sql, (run.0, bits(ended_at), to_json(&counts)))?;
        Ok(())
    }

    /// Writes a change into a run, and remembers that the content it replaced is needed for undo.
    pub fn add_entry(&self, run: RunId, change: &EntryChange, now_secs: u64) -> Result<EntryId> {
        match change {
            EntryChange::Item(change) => self.add_item_entry(run, change, now_secs),
            EntryChange::Folder(change) => self.add_folder_entry(run, change, now_secs),
        }
    }

    fn add_folder_entry(&self, run: RunId, change: &FolderChange, now_secs: u64) -> Result<EntryId> {
        let FolderChange { folder, action, side, before, after } = change;
        let written = |state: &Option<FolderState>| state.as_ref().map(|state| to_json(state).into_bytes());
        // Where an item's uid stands otherwise, the folder's does: both are random.
        self.0.run(
            "INSERT INTO entries (run, at, item, folder, action, side, title, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?8)",
            rusqlite::params![
                run.0,
                bits(now_secs),
                folder.as_bytes(),
                self.0.folder_number(*folder)?,
                action.code(),
                side.code(),
                written(before),
                written(after),
            ],
        )?;
        Ok(EntryId(self.0.connection.last_insert_rowid()))
    }

    fn add_item_entry(&self, run: RunId, change: &ItemChange, now_secs: u64) -> Result<EntryId> {
        let ItemChange { item, folder, action, side, title, before, after } = change;
        let number = self.0.folder_number(*folder)?;
        let context = Context { folder: Some(number), tail: "" };
        let written = |state: &ItemState| -> Result<Vec<u8>> {
            Ok(codec::write_state(state, self.0.folder_number(state.folder)?, context))
        };
        self.0.run(
            "INSERT INTO entries (run, at, item, folder, action, side, title, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            rusqlite::params![
                run.0,
                bits(now_secs),
                item.as_bytes(),
                number,
                action.code(),
                side.code(),
                &title[..title.floor_char_boundary(TITLE_BYTES_MAX)],
                before.as_ref().map(written).transpose()?,
                after.as_ref().map(written).transpose()?,
            ],
        )?;
        let entry = EntryId(self.0.connection.last_insert_rowid());
        if let Some(before) = before
            && after.as_ref().is_none_or(|after| after.version.native != before.version.native)
        {
            let sql = "INSERT OR REPLACE INTO before_images (native, kept_at) VALUES (?1, ?2)";
            self.0.run(sql, (before.version.native.as_bytes(), bits(now_secs)))?;
        }
        Ok(entry)
    }

    /// Runs before `before`, newest first, at most `limit`.
    pub fn runs(&self, before: Option<RunId>, limit: usize) -> Result<Vec<Run>> {
        let before = before.map_or(i64::MAX, |run| run.0);
        let found = self.0.all(
            &format!("{RUN} WHERE id < ?1 ORDER BY id DESC LIMIT ?2"),
            (before, limit_of(limit)),
            read_run,
        )?;
        found.into_iter().map(|(run, is_counted)| self.counted(run, is_counted)).collect()
    }

    /// A run by its name.
    pub fn history_run(&self, run: RunId) -> Result<Option<Run>> {
        let found = self.0.one(&format!("{RUN} WHERE id = ?1"), [run.0], read_run)?;
        found.map(|(run, is_counted)| self.counted(run, is_counted)).transpose()
    }

    /// Entries of a run after `after`, in order, at most `limit`.
    pub fn entries_of_run(&self, run: RunId, after: Option<EntryId>, limit: usize) -> Result<Vec<Entry>> {
        let after = after.map_or(0, |entry| entry.0);
        self.entries("WHERE run = ?1 AND id > ?2 ORDER BY id LIMIT ?3", (run.0, after, limit_of(limit)))
    }

    /// Entries about an item before `before`, newest first, at most `limit`.
    pub fn entries_of_item(&self, item: ItemUid, before: Option<EntryId>, limit: usize) -> Result<Vec<Entry>> {
        let before = before.map_or(i64::MAX, |entry| entry.0);
        self.entries(
            "WHERE item = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
            (item.as_bytes(), before, limit_of(limit)),
        )
    }

    /// When an item last had this content, if that can still be undone.
    pub fn before_image_kept_at(&self, native: NativeHash) -> Result<Option<u64>> {
        let sql = "SELECT kept_at FROM before_images WHERE native = ?1";
        self.0.one(sql, [native.as_bytes()], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))
    }

    /// These contents aren't kept any more.
    pub fn forget_before_images(&self, natives: &[NativeHash]) -> Result<()> {
        self.group(|index| {
            for native in natives {
                index.0.run("DELETE FROM before_images WHERE native = ?1", [native.as_bytes()])?;
            }
            Ok(())
        })
    }

    fn is_open(&self, run: RunId) -> Result<bool> {
        let sql = "SELECT 1 FROM runs WHERE id = ?1 AND ended_at IS NULL";
        Ok(self.0.one(sql, [run.0], |_| Ok(()))?.is_some())
    }

    fn entries(&self, condition: &str, params: impl rusqlite::Params) -> Result<Vec<Entry>> {
        let sql = format!(
            "SELECT id, run, at, item, folder, action, side, title, before, after, undone_by FROM entries {condition}"
        );
        self.0.all(&sql, params, |row| self.read_entry(row))
    }

    fn read_entry(&self, row: &Row<'_>) -> std::result::Result<Entry, Fault> {
        let action = Action::of_code(row.get(5)?)?;
        let change = if action.is_of_folder() {
            read_folder_change(row, action)?.into()
        } else {
            self.read_change(row, action)?.into()
        };
        Ok(Entry {
            id: EntryId(row.get(0)?),
            run: RunId(row.get(1)?),
            at: row.get::<_, i64>(2)?.cast_unsigned(),
            change,
            undone_by: row.get::<_, Option<i64>>(10)?.map(RunId),
        })
    }

    fn read_change(&self, row: &Row<'_>, action: Action) -> std::result::Result<ItemChange, Fault> {
        let number: i64 = row.get(4)?;
        let context = Context { folder: Some(number), tail: "" };
        let state = |column| {
            let bytes = row.get_ref(column)?.as_blob_or_null()?;
            let mut uid_of = |number| self.0.folder_uid(number);
            bytes.map(|bytes| codec::read_state(bytes, context, &mut uid_of)).transpose()
        };
        Ok(ItemChange {
            item: codec::item_uid(row.get_ref(3)?.as_blob()?)?,
            folder: self.0.folder_uid(number)?,
            action,
            side: Side::of_code(row.get(6)?)?,
            title: row.get(7)?,
            before: state(8)?,
            after: state(9)?,
        })
    }

    /// While a run goes on, its entries are counted each time somebody looks; afterwards the counts are in its row.
    fn counted(&self, run: Run, is_counted: bool) -> Result<Run> {
        if is_counted { Ok(run) } else { Ok(Run { counts: self.counts_of(run.id)?, ..run }) }
    }

    fn counts_of(&self, run: RunId) -> Result<Counts> {
        let mut counts = Counts::default();
        let sql = "SELECT action, count(*) FROM entries WHERE run = ?1 GROUP BY action";
        let found = self.0.all(sql, [run.0], |row| Ok((Action::of_code(row.get(0)?)?, row.get::<_, i64>(1)?)))?;
        for (action, count) in found {
            *counts.of(action) += count.max(0).cast_unsigned();
        }
        Ok(counts)
    }
}

const RUN: &str = "SELECT id, started_at, ended_at, partner, counts FROM runs";

fn read_folder_change(row: &Row<'_>, action: Action) -> std::result::Result<FolderChange, Fault> {
    let state = |column| row.get_ref(column)?.as_blob_or_null()?.map(from_json).transpose();
    let side = Side::of_code(row.get(6)?)?;
    Ok(FolderChange { folder: FolderUid(row.get(3)?), action, side, before: state(8)?, after: state(9)? })
}

fn read_run(row: &Row<'_>) -> std::result::Result<(Run, bool), Fault> {
    let counts = match row.get_ref(4)?.as_str_or_null()? {
        Some(json) => Some(from_json(json.as_bytes())?),
        None => None,
    };
    let run = Run {
        id: RunId(row.get(0)?),
        started_at: row.get::<_, i64>(1)?.cast_unsigned(),
        ended_at: row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
        partner: row.get(3)?,
        counts: counts.unwrap_or_default(),
    };
    Ok((run, counts.is_some()))
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl Counts {
    const fn of(&mut self, action: Action) -> &mut u64 {
        match action {
            Action::Added => &mut self.added,
            Action::Changed => &mut self.changed,
            Action::Moved => &mut self.moved,
            Action::Flagged => &mut self.flagged,
            Action::Deleted => &mut self.deleted,
            Action::Conflict => &mut self.conflicts,
            Action::Kept => &mut self.kept,
            Action::FolderAdded | Action::FolderRenamed | Action::FolderMoved | Action::FolderDeleted => {
                &mut self.folders
            }
        }
    }
}

// Codes are never given again.
impl Action {
    const ALL: [Self; 11] = [
        Self::Added,
        Self::Changed,
        Self::Moved,
        Self::Flagged,
        Self::Deleted,
        Self::Conflict,
        Self::Kept,
        Self::FolderAdded,
        Self::FolderRenamed,
        Self::FolderMoved,
        Self::FolderDeleted,
    ];

    const fn code(self) -> i64 {
        match self {
            Self::Added => 1,
            Self::Changed => 2,
            Self::Moved => 3,
            Self::Flagged => 4,
            Self::Deleted => 5,
            Self::Conflict => 6,
            Self::Kept => 7,
            Self::FolderAdded => 8,
            Self::FolderRenamed => 9,
            Self::FolderMoved => 10,
            Self::FolderDeleted => 11,
        }
    }

    const fn is_of_folder(self) -> bool {
        matches!(self, Self::FolderAdded | Self::FolderRenamed | Self::FolderMoved | Self::FolderDeleted)
    }

    fn of_code(code: i64) -> std::result::Result<Self, Fault> {
        Self::ALL
            .into_iter()
            .find(|action| action.code() == code)
            .ok_or(Fault::Damaged("an entry tells of nothing known"))
    }
}

impl Side {
    const fn code(self) -> i64 {
        match self {
            Self::Here => 1,
            Self::Server => 2,
        }
    }

    fn of_code(code: i64) -> std::result::Result<Self, Fault> {
        [Self::Here, Self::Server]
            .into_iter()
            .find(|side| side.code() == code)
            .ok_or(Fault::Damaged("an entry tells of no known side"))
    }
}

#[cfg(test)]
mod tests;
