//! What hub and replicas remember, behind two traits: in memory for stories, in SQLite for people.
//!
//! Everything between [`ReplicaIndex::begin`] and [`ReplicaIndex::commit`] becomes durable together or not at all.
//! Whoever runs the engine begins and commits, and acts on the engine's outputs only after the commit.

use crate::{
    guard::{Guard, Guarded},
    model::{
        Conflict, ConflictId, Cursor, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, Seq, Subject, Tombstone,
    },
};
use pim::{CanonHash, FieldHashes, FolderKind, FolderUid, ItemUid, NativeHash, PairingKey};
use serde::{Deserialize, Serialize};

/// The index can't be read or written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the index can't be used: {reason}")]
pub struct IndexError {
    /// What the system said.
    pub reason: String,
}

/// Shorthand of this module.
pub type Result<T> = std::result::Result<T, IndexError>;

/// What both sides last agreed on about an item.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// The hub's row.
    pub seq: Seq,
    /// The hub's version.
    pub state: ItemState,
    /// What the store gave back when that version was written or read. A store may hold less than the hub.
    pub stored: ItemState,
    /// Hashes of the fields in `stored`, where the kind merges by field.
    pub fields: Option<FieldHashes>,
}

/// What the store holds of an item, as last observed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Local {
    /// The store's name for it.
    pub href: String,
    /// The store's revision of its content.
    pub rev: Vec<u8>,
    /// Survives a rename, where the system has such a thing.
    pub file_id: Option<u64>,
    /// Hash of the UID inside the object.
    pub object_uid: Option<PairingKey>,
    /// What it is.
    pub state: ItemState,
    /// Hashes of its fields, where the kind merges by field.
    pub fields: Option<FieldHashes>,
}

/// What the hub says of an item, where that isn't settled with the base yet.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Remote {
    /// It is there.
    Live {
        /// The row.
        seq: Seq,
        /// The hub's version.
        state: ItemState,
    },
    /// It was deleted.
    Gone {
        /// The row.
        seq: Seq,
        /// What is left of it.
        tombstone: Tombstone,
    },
}

impl Remote {
    /// The row's number.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        match self {
            Self::Live { seq, .. } | Self::Gone { seq, .. } => *seq,
        }
    }
}

/// Why an item rests although base, local and remote differ, or how a person wants it treated.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Hold {
    /// Deleted here; the hub's guard waits for a person.
    DeletionWaits,
    /// Deleted at the hub; this computer's guard waits for a person.
    RemovalWaits,
    /// The folder's direction forbids what would be due.
    Direction,
    /// Deleted elsewhere before this index began; a person decides whether it comes back.
    DeletedElsewhere,
    /// The store or the hub refused it for good; the text is the problem's stable name.
    Refused(String),
    /// A person brought it back: its deletion is overruled.
    Revive,
    /// It may pass the guard: a person said so, or the guard did before a link was cut.
    Approved,
    /// The store went back to an earlier state, as after a restored backup; this computer's guard waits for a person.
    ReversionWaits,
}

impl Hold {
    /// Whether the planner leaves such an item alone.
    #[must_use]
    pub const fn rests(&self) -> bool {
        !matches!(self, Self::Revive | Self::Approved)
    }
}

/// Everything a replica knows of an item.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct ItemRecord {
    /// Last agreement.
    pub base: Option<Base>,
    /// What the store holds.
    pub local: Option<Local>,
    /// What the hub says.
    pub remote: Option<Remote>,
    /// Why it rests.
    pub hold: Option<Hold>,
}

impl ItemRecord {
    /// Whether nothing is known of it any more.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.base.is_none() && self.local.is_none() && self.remote.is_none()
    }

    /// Whether the store holds something else than at the last agreement.
    #[must_use]
    pub fn is_changed_here(&self) -> bool {
        match (&self.base, &self.local) {
            (None, None) => false,
            (Some(base), Some(local)) => !local.state.same_as(&base.stored),
            _ => true,
        }
    }

    /// Whether the store says the same as at the last agreement in other bytes. The hub may count on the earlier ones.
    #[must_use]
    pub fn is_rewritten(&self) -> bool {
        match (&self.base, &self.local) {
            (Some(base), Some(local)) => {
                local.state.same_as(&base.stored) && local.state.version.native != base.stored.version.native
            }
            _ => false,
        }
    }

    /// Whether something may be due.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.remote.is_some() || self.is_changed_here() || self.is_rewritten()
    }

    /// The folder it lies in, by the newest knowledge of this computer.
    #[must_use]
    pub fn folder(&self) -> Option<FolderUid> {
        self.local
            .as_ref()
            .map(|local| local.state.folder)
            .or_else(|| self.base.as_ref().map(|base| base.state.folder))
            .or(match &self.remote {
                Some(Remote::Live { state, .. }) => Some(state.folder),
                Some(Remote::Gone { tombstone, .. }) => Some(tombstone.folder),
                None => None,
            })
    }

    /// Whether it is known on one side only and has no base.
    #[must_use]
    pub const fn is_unpaired(&self) -> bool {
        self.base.is_none() && self.local.is_some() != self.remote.is_some()
    }

    /// The record with nothing in it that came from the hub. A person's word stays.
    #[must_use]
    pub fn without_hub(self) -> Self {
        Self { base: None, remote: None, hold: self.hold.filter(|hold| !hold.rests()), ..self }
    }

    /// Writes `to` wherever the record says `from`; whether it said so anywhere.
    pub fn move_to_folder(&mut self, from: FolderUid, to: FolderUid) -> bool {
        let base = self.base.iter_mut().flat_map(|base| [&mut base.state.folder, &mut base.stored.folder]);
        let local = self.local.iter_mut().map(|local| &mut local.state.folder);
        let remote = self.remote.iter_mut().map(|remote| match remote {
            Remote::Live { state, .. } => &mut state.folder,
            Remote::Gone { tombstone, .. } => &mut tombstone.folder,
        });
        let mut is_changed = false;
        for folder in base.chain(local).chain(remote).filter(|folder| **folder == from) {
            *folder = to;
            is_changed = true;
        }
        is_changed
    }
}

/// Which way changes of a folder may go.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// Only from here to the server.
    ToServer,
    /// Only from the server to here.
    ToHere,
    /// Not at all.
    Off,
}

/// What the store has of a folder.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LocalFolder {
    /// The store's name for it.
    pub id: String,
    /// What it is.
    pub state: FolderState,
}

/// Everything a replica knows of a folder.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct FolderRecord {
    /// Last agreement.
    pub base: Option<FolderBase>,
    /// What the store has.
    pub local: Option<LocalFolder>,
    /// What the hub says, where that isn't settled with the base yet. The inner `None` means gone.
    pub remote: Option<(Seq, Option<FolderState>)>,
    /// Which way changes may go; `None` inherits from the folder it lies in.
    pub direction: Option<Direction>,
}

/// What both sides last agreed on about a folder.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FolderBase {
    /// The hub's row.
    pub seq: Seq,
    /// The hub's state.
    pub state: FolderState,
    /// What the store made of it. The name may differ: not every name is valid everywhere, and people map folders.
    pub stored: FolderState,
}

impl FolderRecord {
    /// The record with nothing in it that came from the hub. What a person set stays.
    #[must_use]
    pub fn without_hub(self) -> Self {
        Self { base: None, remote: None, ..self }
    }
}

/// One replica's memory.
pub trait ReplicaIndex {
    /// Begins a group of changes.
    fn begin(&mut self) -> Result<()>;
    /// Makes the group durable.
    fn commit(&mut self) -> Result<()>;
    /// Forgets the group.
    fn rollback(&mut self) -> Result<()>;

    /// This index's life.
    fn replica(&self) -> Result<ReplicaId>;
    /// Begins a new life.
    fn set_replica(&mut self, replica: ReplicaId) -> Result<()>;
    /// How far the hub's log is known.
    fn cursor(&self) -> Result<Option<Cursor>>;
    /// Remembers how far.
    fn set_cursor(&mut self, cursor: Option<Cursor>) -> Result<()>;
    /// The stamp the hub handed out in the last session.
    fn stamp(&self) -> Result<Option<[u8; 16]>>;
    /// Remembers the stamp.
    fn set_stamp(&mut self, stamp: [u8; 16]) -> Result<()>;

    /// What is known of an item.
    fn item(&self, uid: ItemUid) -> Result<Option<ItemRecord>>;
    /// Remembers what is known of an item; forgets one of which nothing is known.
    fn put_item(&mut self, uid: ItemUid, record: &ItemRecord) -> Result<()>;
    /// The item the store calls so.
    fn item_by_href(&self, href: &str) -> Result<Option<ItemUid>>;
    /// Items after `after` (in uid order) that are dirty, at most `limit`.
    fn dirty_items(&self, after: Option<ItemUid>, limit: usize) -> Result<Vec<ItemUid>>;
    /// Items the store holds in a folder, in uid order: uid and local part.
    fn local_items(&self, folder: FolderUid) -> Result<Vec<(ItemUid, Local)>>;
    /// Items known on one side only and without base, in uid order.
    fn unpaired_items(&self, folder: FolderUid) -> Result<Vec<(ItemUid, ItemRecord)>>;
    /// Folders that have both local and remote items without base.
    fn folders_to_pair(&self) -> Result<Vec<FolderUid>>;
    /// Items that rest, with the reason, in uid order.
    fn held_items(&self) -> Result<Vec<(ItemUid, ItemRecord)>>;
    /// How many items a folder had at the last agreement.
    fn base_count(&self, folder: FolderUid) -> Result<u64>;
    /// How many items there were at the last agreement.
    fn base_total(&self) -> Result<u64>;
    /// How many items the store holds in a folder.
    fn local_count(&self, folder: FolderUid) -> Result<u64>;
    /// Forgets every base and everything the hub said; what the store holds stays. Approvals and folder settings stay.
    fn forget_hub(&mut self) -> Result<()>;

    /// What is known of a folder.
    fn folder(&self, uid: FolderUid) -> Result<Option<FolderRecord>>;
    /// Remembers what is known of a folder; forgets one of which nothing is known.
    fn put_folder(&mut self, uid: FolderUid, record: &FolderRecord) -> Result<()>;
    /// Every folder, in uid order.
    fn folders(&self) -> Result<Vec<(FolderUid, FolderRecord)>>;
    /// Gives every item of folder `from` the folder `to` (two folders turned out to be one).
    fn merge_folders(&mut self, from: FolderUid, to: FolderUid) -> Result<()>;

    /// Open conflicts.
    fn conflicts(&self) -> Result<Vec<(ConflictId, Conflict)>>;
    /// Remembers an open conflict, or forgets a decided one.
    fn put_conflict(&mut self, id: ConflictId, conflict: Option<&Conflict>) -> Result<()>;

    /// Remembers what the store held of an item before; the newest [`EARLIER_MAX`] of an item are kept.
    fn put_earlier(&mut self, item: ItemUid, content: CanonHash) -> Result<()>;
    /// Whether the store held this content of the item before.
    fn was_earlier(&self, item: ItemUid, content: CanonHash) -> Result<bool>;

    /// This computer's guard over something.
    fn guard(&self, over: Guarded) -> Result<Guard>;
    /// Remembers a guard.
    fn set_guard(&mut self, over: Guarded, guard: &Guard) -> Result<()>;
}

/// So many earlier contents of an item are remembered.
pub const EARLIER_MAX: usize = 16;

/// What the hub remembers of a replica.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReplicaRecord {
    /// The stamp the replica has surely saved.
    pub confirmed_stamp: Option<[u8; 16]>,
    /// The stamp handed out since.
    pub offered_stamp: Option<[u8; 16]>,
    /// How far its deletions went lately. This and what follows up to `withheld` is remembered under
    /// [`of_device`](crate::hub::of_device).
    pub guard: Guard,
    /// Its next deletions and overruling versions are allowed: it may take over once.
    pub may_take_over: bool,
    /// Folders kept from it.
    pub withheld: Vec<FolderUid>,
    /// Items whose deletion a person took back; the replica hasn't said yet that it knows.
    pub to_restore: Vec<ItemUid>,
}

/// A deletion that waits at the hub for a person.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct HeldDeletion {
    /// The item.
    pub item: ItemUid,
    /// The folder it lies in.
    pub folder: FolderUid,
    /// The row the deletion was made against.
    pub parent: Seq,
    /// Who asks.
    pub by: ReplicaId,
    /// The device that replica is on ([`of_device`](crate::hub::of_device)).
    pub device: ReplicaId,
}

/// The hub's memory.
pub trait HubIndex {
    /// Begins a group of changes.
    fn begin(&mut self) -> Result<()>;
    /// Makes the group durable.
    fn commit(&mut self) -> Result<()>;
    /// Forgets the group.
    fn rollback(&mut self) -> Result<()>;

    /// The log's life and its newest mark.
    fn head(&self) -> Result<(Epoch, LogMark)>;
    /// Begins a new life; the rows stay.
    fn set_epoch(&mut self, epoch: Epoch) -> Result<()>;
    /// The current row of a subject.
    fn row(&self, subject: Subject) -> Result<Option<Row>>;
    /// Rows numbered above `after`, in order, at most `limit`.
    fn rows_after(&self, after: Seq, limit: usize) -> Result<Vec<Row>>;
    /// Replaces the subject's row; the row's number is above every other.
    fn put_row(&mut self, row: &Row) -> Result<()>;
    /// Remembers a mark.
    fn put_mark(&mut self, mark: LogMark) -> Result<()>;
    /// The newest mark for a row up to `seq`.
    fn mark_up_to(&self, seq: Seq) -> Result<LogMark>;
    /// How many items a folder holds.
    fn live_count(&self, folder: FolderUid) -> Result<u64>;
    /// How many items there are.
    fn live_total(&self) -> Result<u64>;
    /// An item in the folder numbered above `after` with this content, or else with this identity.
    fn find_item(
        &self,
        folder: FolderUid,
        after: Seq,
        canon: CanonHash,
        identity: Option<PairingKey>,
    ) -> Result<Option<Row>>;
    /// The folder of this kind and name in `parent`.
    fn find_folder(&self, parent: Option<FolderUid>, kind: FolderKind, name: &str) -> Result<Option<FolderUid>>;
    /// Whether the folder holds another folder.
    fn has_subfolders(&self, folder: FolderUid) -> Result<bool>;
    /// Whether the hub can serve these bytes.
    fn holds(&self, native: NativeHash) -> Result<bool>;
    /// What is remembered of a replica.
    fn replica(&self, replica: ReplicaId) -> Result<Option<ReplicaRecord>>;
    /// Remembers a replica.
    fn put_replica(&mut self, replica: ReplicaId, record: &ReplicaRecord) -> Result<()>;
    /// Deletions that wait, in item order.
    fn held_deletions(&self) -> Result<Vec<HeldDeletion>>;
    /// Remembers a deletion that waits, or forgets it.
    fn put_held_deletion(&mut self, item: ItemUid, held: Option<&HeldDeletion>) -> Result<()>;
}
