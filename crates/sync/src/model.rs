//! Rows, versions and cursors: the vocabulary of the engine and of the wire.

use pim::{CanonHash, Flags, FolderKind, FolderUid, Format, ItemUid, Kind, NativeHash, PairingKey, SpecialUse};
use serde::{Deserialize, Serialize};

/// A row's number in the hub log. There is one order, and no clock decides anything. Zero comes before every row.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Seq(pub u64);

/// One life of a hub log: 128 random bits. A restored or replaced hub begins a new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Epoch(pub [u8; 16]);

/// One life of a replica's index: 128 random bits. A lost, restored or cloned index begins a new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ReplicaId(pub [u8; 16]);

/// Running hash of the hub log after the row `seq`: tells whether hub and replica speak of the same past.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct LogMark {
    /// The last row it covers.
    pub seq: Seq,
    /// BLAKE3 of the mark before and the rows since, cut to 16 bytes.
    pub hash: [u8; 16],
}

/// How far a replica knows the hub log.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Of which log.
    pub epoch: Epoch,
    /// Every row up to this one is known.
    pub seq: Seq,
    /// The newest mark the hub told, with rows or with answers: what was agreed on came from a log that has it.
    pub mark: LogMark,
}

/// An item's content: what it means, and which bytes say so.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Version {
    /// Equal for contents that mean the same. Only compared under the same rule.
    pub canon: CanonHash,
    /// The canon rule (`pim::CANON_RULE`) that `canon` was made by.
    pub rule: u16,
    /// The exact bytes.
    pub native: NativeHash,
    /// How the bytes are written.
    pub format: Format,
    /// Bytes.
    pub size: u64,
}

impl Version {
    /// Whether both mean the same.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.native == other.native || (self.rule == other.rule && self.canon == other.canon)
    }
}

/// Everything about an item that is kept the same.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ItemState {
    /// What it is.
    pub kind: Kind,
    /// Where it lies. A field without conflict: the hub's order wins.
    pub folder: FolderUid,
    /// Its content.
    pub version: Version,
    /// Its marks; they merge as a set.
    pub flags: Flags,
    /// The name to use in stores that name items, where it is free and valid.
    pub name: String,
    /// What identifies it to people, if anything does.
    pub identity: Option<PairingKey>,
    /// What suggests, without proving, that another item is the same one.
    pub lookalikes: Vec<PairingKey>,
}

impl ItemState {
    /// Most look-alike keys of an item.
    pub const LOOKALIKES_MAX: usize = 8;

    /// Whether both look the same to a person: same content, marks and place.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.folder == other.folder && self.flags == other.flags && self.version.same_content(&other.version)
    }
}

/// Everything about a folder that is kept the same.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct FolderState {
    /// What it holds.
    pub kind: FolderKind,
    /// The folder it lies in.
    pub parent: Option<FolderUid>,
    /// What people call it (NFC).
    pub name: String,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
}

/// What a deletion leaves behind, so that the dead don't return.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The folder it was deleted from.
    pub folder: FolderUid,
    /// The last content.
    pub canon: CanonHash,
    /// The last identity.
    pub identity: Option<PairingKey>,
    /// When the hub took the deletion, in seconds since 1970. For the guard's window and for expiry; never for order.
    pub at: u64,
    /// A person approved it, so other computers needn't ask again.
    pub approved: bool,
}

/// An edit that lost against another one and waits for a person. Its id is the same on every computer.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The item.
    pub item: ItemUid,
    /// The edit that lost.
    pub loser: ItemState,
    /// The fields in which both edits differ.
    pub fields: Vec<String>,
    /// Which computer made the losing edit.
    pub made_by: ReplicaId,
    /// When the hub took it, in seconds since 1970; for people.
    pub at: u64,
}

/// Names a conflict: hash of the item's uid and the losing content.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ConflictId(pub [u8; 16]);

impl ConflictId {
    /// The id of the conflict in which `loser` lost.
    #[must_use]
    pub fn of(item: ItemUid, loser: &Version) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(item.as_bytes()).update(loser.canon.as_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Self(id)
    }
}

/// What a row of the hub log is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Subject {
    /// A folder.
    Folder(FolderUid),
    /// An item.
    Item(ItemUid),
    /// A conflict.
    Conflict(ConflictId),
}

/// What a row says of its subject now.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub enum RowBody {
    /// The folder is there.
    Folder(FolderState),
    /// The folder is gone.
    FolderGone,
    /// The item is there.
    Item(ItemState),
    /// The item was deleted.
    ItemGone(Tombstone),
    /// The item lies in a folder that is kept from this replica. Never in the log, only on the way to a replica.
    ItemElsewhere(FolderUid),
    /// The conflict is open.
    Conflict(Conflict),
    /// The conflict was decided.
    ConflictResolved,
}

impl Row {
    /// Bytes it takes in a frame.
    #[must_use]
    pub fn size(&self) -> usize {
        postcard::experimental::serialized_size(self).expect("rows hold nothing that postcard can't write")
    }
}

/// A row of the hub log. There is one per subject; a newer one replaces it.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its number.
    pub seq: Seq,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub body: RowBody,
}
