//! Hub and replica indexes in memory: for stories with many computers, and to say what an index has to do.
//!
//! Changes inside a group are noted with what was there before, so a rollback or a crash costs what the group changed.

use crate::{
    guard::{Guard, Guarded},
    index::{
        EARLIER_MAX, FolderRecord, HeldDeletion, Hold, HubIndex, ItemRecord, Local, ReplicaIndex, ReplicaRecord, Result,
    },
    model::{
        Conflict, ConflictId, Cursor, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject,
    },
};
use pim::{CanonHash, FolderKind, FolderUid, ItemUid, NativeHash, PairingKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// A replica's memory that ends with the process.
#[derive(Clone, Debug)]
pub struct MemoryReplica {
    items: BTreeMap<ItemUid, ItemRecord>,
    // Both follow from `items`.
    dirty: BTreeSet<ItemUid>,
    hrefs: BTreeMap<String, BTreeSet<ItemUid>>,
    folders: BTreeMap<FolderUid, FolderRecord>,
    conflicts: BTreeMap<ConflictId, Conflict>,
    earlier: BTreeMap<ItemUid, Vec<CanonHash>>,
    life: Life,
    groups: Groups<ReplicaUndo>,
}

/// What there is one of.
#[derive(Clone, Debug)]
struct Life {
    replica: ReplicaId,
    cursor: Option<Cursor>,
    stamp: Option<[u8; 16]>,
    guards: BTreeMap<Guarded, Guard>,
}

#[derive(Clone, Debug)]
enum ReplicaUndo {
    Item(ItemUid, Box<Option<ItemRecord>>),
    Folder(FolderUid, Box<Option<FolderRecord>>),
    Conflict(ConflictId, Box<Option<Conflict>>),
    Earlier(ItemUid, Option<Vec<CanonHash>>),
    Life(Box<Life>),
}

impl MemoryReplica {
    /// A replica that knows nothing yet.
    #[must_use]
    pub fn new(replica: ReplicaId) -> Self {
        Self {
            items: BTreeMap::new(),
            dirty: BTreeSet::new(),
            hrefs: BTreeMap::new(),
            folders: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            earlier: BTreeMap::new(),
            life: Life { replica, cursor: None, stamp: None, guards: BTreeMap::new() },
            groups: Groups::default(),
        }
    }

    /// Loses what wasn't committed, as a crash does.
    pub fn crash(&mut self) {
        while self.groups.is_open() {
            self.undo_group();
        }
    }

    /// Every item, in uid order.
    pub fn items(&self) -> impl Iterator<Item = (ItemUid, &ItemRecord)> {
        self.items.iter().map(|(uid, record)| (*uid, record))
    }

    fn undo_group(&mut self) {
        for undo in self.groups.undo().into_iter().rev() {
            match undo {
                ReplicaUndo::Item(uid, before) => drop(self.replace_item(uid, *before)),
                ReplicaUndo::Folder(uid, before) => drop(replace(&mut self.folders, uid, *before)),
                ReplicaUndo::Conflict(id, before) => drop(replace(&mut self.conflicts, id, *before)),
                ReplicaUndo::Earlier(uid, before) => drop(replace(&mut self.earlier, uid, before)),
                ReplicaUndo::Life(before) => self.life = *before,
            }
        }
    }

    fn set_item(&mut self, uid: ItemUid, record: Option<ItemRecord>) {
        let before = self.replace_item(uid, record);
        self.groups.note(|| ReplicaUndo::Item(uid, Box::new(before)));
    }

    fn replace_item(&mut self, uid: ItemUid, record: Option<ItemRecord>) -> Option<ItemRecord> {
        if record.as_ref().is_some_and(ItemRecord::is_dirty) {
            self.dirty.insert(uid);
        } else {
            self.dirty.remove(&uid);
        }
        let href = record.as_ref().and_then(|record| record.local.as_ref()).map(|local| local.href.clone());
        let before = replace(&mut self.items, uid, record);
        if let Some(old) = before.as_ref().and_then(|record| record.local.as_ref())
            && let Some(uids) = self.hrefs.get_mut(&old.href)
        {
            uids.remove(&uid);
            if uids.is_empty() {
                self.hrefs.remove(&old.href);
            }
        }
        if let Some(href) = href {
            self.hrefs.entry(href).or_default().insert(uid);
        }
        before
    }

    fn set_folder(&mut self, uid: FolderUid, record: Option<FolderRecord>) {
        let before = replace(&mut self.folders, uid, record);
        self.groups.note(|| ReplicaUndo::Folder(uid, Box::new(before)));
    }

    fn life_to_change(&mut self) -> &mut Life {
        let Self { groups, life, .. } = self;
        groups.note(|| ReplicaUndo::Life(Box::new(life.clone())));
        life
    }

    fn bases(&self) -> impl Iterator<Item = &ItemState> {
        self.items.values().filter_map(|record| record.base.as_ref()).map(|base| &base.state)
    }
}

impl ReplicaIndex for MemoryReplica {
    fn begin(&mut self) -> Result<()> {
        self.groups.begin();
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.groups.commit();
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        self.undo_group();
        Ok(())
    }

    fn replica(&self) -> Result<ReplicaId> {
        Ok(self.life.replica)
    }

    fn set_replica(&mut self, replica: ReplicaId) -> Result<()> {
        self.life_to_change().replica = replica;
        Ok(())
    }

    fn cursor(&self) -> Result<Option<Cursor>> {
        Ok(self.life.cursor)
    }

    fn set_cursor(&mut self, cursor: Option<Cursor>) -> Result<()> {
        self.life_to_change().cursor = cursor;
        Ok(())
    }

    fn stamp(&self) -> Result<Option<[u8; 16]>> {
        Ok(self.life.stamp)
    }

    fn set_stamp(&mut self, stamp: [u8; 16]) -> Result<()> {
        self.life_to_change().stamp = Some(stamp);
        Ok(())
    }

    fn item(&self, uid: ItemUid) -> Result<Option<ItemRecord>> {
        Ok(self.items.get(&uid).cloned())
    }

    fn put_item(&mut self, uid: ItemUid, record: &ItemRecord) -> Result<()> {
        self.set_item(uid, (!record.is_empty()).then(|| record.clone()));
        Ok(())
    }

    fn item_by_href(&self, href: &str) -> Result<Option<ItemUid>> {
        Ok(self.hrefs.get(href).and_then(BTreeSet::first).copied())
    }

    fn dirty_items(&self, after: Option<ItemUid>, limit: usize) -> Result<Vec<ItemUid>> {
        use std::ops::Bound::{Excluded, Unbounded};
        Ok(self.dirty.range((after.map_or(Unbounded, Excluded), Unbounded)).take(limit).copied().collect())
    }

    fn local_items(&self, folder: FolderUid) -> Result<Vec<(ItemUid, Local)>> {
        let locals = self.items.iter().filter_map(|(uid, record)| Some((*uid, record.local.as_ref()?)));
        Ok(locals.filter(|(_, local)| local.state.folder == folder).map(|(uid, local)| (uid, local.clone())).collect())
    }

    fn unpaired_items(&self, folder: FolderUid) -> Result<Vec<(ItemUid, ItemRecord)>> {
        let found = self.items.iter().filter(|(_, record)| record.is_unpaired() && record.folder() == Some(folder));
        Ok(found.map(|(uid, record)| (*uid, record.clone())).collect())
    }

    fn folders_to_pair(&self) -> Result<Vec<FolderUid>> {
        let (mut here, mut there) = (BTreeSet::new(), BTreeSet::new());
        for record in self.items.values().filter(|record| record.is_unpaired()) {
            let side = if record.local.is_some() { &mut here } else { &mut there };
            side.extend(record.folder());
        }
        Ok(here.intersection(&there).copied().collect())
    }

    fn held_items(&self) -> Result<Vec<(ItemUid, ItemRecord)>> {
        let held = self.items.iter().filter(|(_, record)| record.hold.as_ref().is_some_and(Hold::rests));
        Ok(held.map(|(uid, record)| (*uid, record.clone())).collect())
    }

    fn base_count(&self, folder: FolderUid) -> Result<u64> {
        Ok(self.bases().filter(|state| state.folder == folder).count() as u64)
    }

    fn base_total(&self) -> Result<u64> {
        Ok(self.bases().count() as u64)
    }

    fn local_count(&self, folder: FolderUid) -> Result<u64> {
        let locals = self.items.values().filter_map(|record| record.local.as_ref());
        Ok(locals.filter(|local| local.state.folder == folder).count() as u64)
    }

    fn forget_hub(&mut self) -> Result<()> {
        for (uid, record) in self.items.clone() {
            let record = record.without_hub();
            self.set_item(uid, (!record.is_empty()).then_some(record));
        }
        for (uid, record) in self.folders.clone() {
            self.put_folder(uid, &record.without_hub())?;
        }
        for id in self.conflicts.keys().copied().collect::<Vec<_>>() {
            self.put_conflict(id, None)?;
        }
        self.life_to_change().cursor = None;
        Ok(())
    }

    fn folder(&self, uid: FolderUid) -> Result<Option<FolderRecord>> {
        Ok(self.folders.get(&uid).cloned())
    }

    fn put_folder(&mut self, uid: FolderUid, record: &FolderRecord) -> Result<()> {
        self.set_folder(uid, (*record != FolderRecord::default()).then(|| record.clone()));
        Ok(())
    }

    fn folders(&self) -> Result<Vec<(FolderUid, FolderRecord)>> {
        Ok(self.folders.iter().map(|(uid, record)| (*uid, record.clone())).collect())
    }

    fn merge_folders(&mut self, from: FolderUid, to: FolderUid) -> Result<()> {
        for (uid, mut record) in self.items.clone() {
            if record.move_to_folder(from, to) {
                self.set_item(uid, Some(record));
            }
        }
        Ok(())
    }

    fn conflicts(&self) -> Result<Vec<(ConflictId, Conflict)>> {
        Ok(self.conflicts.iter().map(|(id, conflict)| (*id, conflict.clone())).collect())
    }

    fn put_conflict(&mut self, id: ConflictId, conflict: Option<&Conflict>) -> Result<()> {
        let before = replace(&mut self.conflicts, id, conflict.cloned());
        self.groups.note(|| ReplicaUndo::Conflict(id, Box::new(before)));
        Ok(())
    }

    fn put_earlier(&mut self, item: ItemUid, content: CanonHash) -> Result<()> {
        let mut earlier = self.earlier.get(&item).cloned().unwrap_or_default();
        earlier.retain(|other| *other != content);
        earlier.push(content);
        let too_many = earlier.len().saturating_sub(EARLIER_MAX);
        earlier.drain(..too_many);
        let before = self.earlier.insert(item, earlier);
        self.groups.note(|| ReplicaUndo::Earlier(item, before));
        Ok(())
    }

    fn was_earlier(&self, item: ItemUid, content: CanonHash) -> Result<bool> {
        Ok(self.earlier.get(&item).is_some_and(|earlier| earlier.contains(&content)))
    }

    fn guard(&self, over: Guarded) -> Result<Guard> {
        Ok(self.life.guards.get(&over).cloned().unwrap_or_default())
    }

    fn set_guard(&mut self, over: Guarded, guard: &Guard) -> Result<()> {
        self.life_to_change().guards.insert(over, guard.clone());
        Ok(())
    }
}

/// A hub's memory that ends with the process.
#[derive(Clone, Debug)]
pub struct MemoryHub {
    rows: BTreeMap<Seq, Row>,
    // Follows from `rows`.
    subjects: BTreeMap<Subject, Seq>,
    epoch: Epoch,
    marks: BTreeMap<Seq, LogMark>,
    replicas: BTreeMap<ReplicaId, ReplicaRecord>,
    held: BTreeMap<ItemUid, HeldDeletion>,
    contents: BTreeSet<NativeHash>,
    groups: Groups<HubUndo>,
}

#[derive(Clone, Debug)]
enum HubUndo {
    Row(Subject, Box<Option<Row>>),
    Epoch(Epoch),
    Mark(Seq, Option<LogMark>),
    Replica(ReplicaId, Box<Option<ReplicaRecord>>),
    Held(ItemUid, Option<HeldDeletion>),
}

impl MemoryHub {
    /// An empty log.
    #[must_use]
    pub const fn new(epoch: Epoch) -> Self {
        Self {
            rows: BTreeMap::new(),
            subjects: BTreeMap::new(),
            epoch,
            marks: BTreeMap::new(),
            replicas: BTreeMap::new(),
            held: BTreeMap::new(),
            contents: BTreeSet::new(),
            groups: Groups { notes: Vec::new(), starts: Vec::new() },
        }
    }

    /// From now on the hub can serve these bytes. Contents lie beside the index: a rollback leaves them.
    pub fn hold(&mut self, native: NativeHash) {
        self.contents.insert(native);
    }

    /// The hub can't serve these bytes any more.
    pub fn release(&mut self, native: NativeHash) {
        self.contents.remove(&native);
    }

    /// Loses what wasn't committed, as a crash does.
    pub fn crash(&mut self) {
        while self.groups.is_open() {
            self.undo_group();
        }
    }

    /// Every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    fn undo_group(&mut self) {
        for undo in self.groups.undo().into_iter().rev() {
            match undo {
                HubUndo::Row(subject, before) => drop(self.replace_row(subject, *before)),
                HubUndo::Epoch(before) => self.epoch = before,
                HubUndo::Mark(seq, before) => drop(replace(&mut self.marks, seq, before)),
                HubUndo::Replica(replica, before) => drop(replace(&mut self.replicas, replica, *before)),
                HubUndo::Held(item, before) => drop(replace(&mut self.held, item, before)),
            }
        }
    }

    fn replace_row(&mut self, subject: Subject, row: Option<Row>) -> Option<Row> {
        let before = self.subjects.remove(&subject).and_then(|seq| self.rows.remove(&seq));
        if let Some(row) = row {
            self.subjects.insert(subject, row.seq);
            self.rows.insert(row.seq, row);
        }
        before
    }

    fn live_items(&self) -> impl Iterator<Item = (&Row, &ItemState)> {
        self.rows.values().filter_map(|row| match &row.body {
            RowBody::Item(state) => Some((row, state)),
            _ => None,
        })
    }

    fn live_folders(&self) -> impl Iterator<Item = (FolderUid, &FolderState)> {
        self.rows.values().filter_map(|row| match (row.subject, &row.body) {
            (Subject::Folder(uid), RowBody::Folder(state)) => Some((uid, state)),
            _ => None,
        })
    }
}

impl HubIndex for MemoryHub {
    fn begin(&mut self) -> Result<()> {
        self.groups.begin();
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.groups.commit();
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        self.undo_group();
        Ok(())
    }

    fn head(&self) -> Result<(Epoch, LogMark)> {
        Ok((self.epoch, self.marks.values().next_back().copied().unwrap_or_default()))
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<()> {
        let before = mem::replace(&mut self.epoch, epoch);
        self.groups.note(|| HubUndo::Epoch(before));
        Ok(())
    }

    fn row(&self, subject: Subject) -> Result<Option<Row>> {
        Ok(self.subjects.get(&subject).and_then(|seq| self.rows.get(seq)).cloned())
    }

    fn rows_after(&self, after: Seq, limit: usize) -> Result<Vec<Row>> {
        use std::ops::Bound::{Excluded, Unbounded};
        Ok(self.rows.range((Excluded(after), Unbounded)).take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn put_row(&mut self, row: &Row) -> Result<()> {
        let before = self.replace_row(row.subject, Some(row.clone()));
        self.groups.note(|| HubUndo::Row(row.subject, Box::new(before)));
        Ok(())
    }

    fn put_mark(&mut self, mark: LogMark) -> Result<()> {
        let before = self.marks.insert(mark.seq, mark);
        self.groups.note(|| HubUndo::Mark(mark.seq, before));
        Ok(())
    }

    fn mark_up_to(&self, seq: Seq) -> Result<LogMark> {
        Ok(self.marks.range(..=seq).next_back().map(|(_, mark)| *mark).unwrap_or_default())
    }

    fn live_count(&self, folder: FolderUid) -> Result<u64> {
        Ok(self.live_items().filter(|(_, state)| state.folder == folder).count() as u64)
    }

    fn live_total(&self) -> Result<u64> {
        Ok(self.live_items().count() as u64)
    }

    fn find_item(
        &self,
        folder: FolderUid,
        after: Seq,
        canon: CanonHash,
        identity: Option<PairingKey>,
    ) -> Result<Option<Row>> {
        let among = || self.live_items().filter(|(row, state)| row.seq > after && state.folder == folder);
        let same_content = among().find(|(_, state)| state.version.canon == canon);
        let found =
            same_content.or_else(|| among().find(|(_, state)| identity.is_some() && state.identity == identity));
        Ok(found.map(|(row, _)| row.clone()))
    }

    fn find_folder(&self, parent: Option<FolderUid>, kind: FolderKind, name: &str) -> Result<Option<FolderUid>> {
        let mut folders = self.live_folders();
        let found = folders.find(|(_, state)| state.parent == parent && state.kind == kind && state.name == name);
        Ok(found.map(|(uid, _)| uid))
    }

    fn has_subfolders(&self, folder: FolderUid) -> Result<bool> {
        Ok(self.live_folders().any(|(_, state)| state.parent == Some(folder)))
    }

    fn holds(&self, native: NativeHash) -> Result<bool> {
        Ok(self.contents.contains(&native))
    }

    fn replica(&self, replica: ReplicaId) -> Result<Option<ReplicaRecord>> {
        Ok(self.replicas.get(&replica).cloned())
    }

    fn put_replica(&mut self, replica: ReplicaId, record: &ReplicaRecord) -> Result<()> {
        let before = self.replicas.insert(replica, record.clone());
        self.groups.note(|| HubUndo::Replica(replica, Box::new(before)));
        Ok(())
    }

    fn held_deletions(&self) -> Result<Vec<HeldDeletion>> {
        Ok(self.held.values().cloned().collect())
    }

    fn put_held_deletion(&mut self, item: ItemUid, held: Option<&HeldDeletion>) -> Result<()> {
        let before = replace(&mut self.held, item, held.cloned());
        self.groups.note(|| HubUndo::Held(item, before));
        Ok(())
    }
}

fn replace<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    }
}

/// Groups of changes, one inside the other, with what takes each back.
#[derive(Clone, Debug)]
struct Groups<U> {
    notes: Vec<U>,
    starts: Vec<usize>,
}

impl<U> Default for Groups<U> {
    fn default() -> Self {
        Self { notes: Vec::new(), starts: Vec::new() }
    }
}

impl<U> Groups<U> {
    const fn is_open(&self) -> bool {
        !self.starts.is_empty()
    }

    fn begin(&mut self) {
        self.starts.push(self.notes.len());
    }

    /// A change outside any group is durable at once, so nothing is noted for it.
    fn note(&mut self, undo: impl FnOnce() -> U) {
        if self.is_open() {
            self.notes.push(undo());
        }
    }

    fn commit(&mut self) {
        self.starts.pop().expect("every commit follows a begin");
        if !self.is_open() {
            self.notes.clear();
        }
    }

    fn undo(&mut self) -> Vec<U> {
        let start = self.starts.pop().expect("every rollback follows a begin");
        self.notes.split_off(start)
    }
}
