//! Frames: what hub and replica tell each other. Contents travel beside them, named by hash.
//!
//! Written with postcard behind a length that the link checks before it allocates anything; every list has a bound
//! that [`Frame::decode`] checks. See `PROTOCOL.md`.

use crate::model::{Conflict, Cursor, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, Seq, Subject};
use pim::{FolderUid, ItemUid, NativeHash};
use serde::{Deserialize, Serialize};

/// Changes that older programs can ignore raise this number. 1: [`Frame::Program`].
pub const MINOR_VERSION: u16 = 1;

/// Bounds of what a peer may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits;

impl Limits {
    /// Bytes of one frame.
    pub const FRAME_BYTES: usize = 1 << 20;
    /// Entries of one list.
    pub const LIST: usize = 10_000;
    /// Bytes of a name; of all keywords of an item together; of all names of a conflict's fields together.
    pub const NAME_BYTES: usize = 1024;
    /// Flags of an item.
    pub const FLAGS: usize = 128;
    /// Bytes of the name of a program's version.
    pub const PROGRAM_BYTES: usize = 64;
    /// Folders below one another.
    pub const DEPTH: usize = 64;
    /// Rows the hub puts into one frame.
    pub const ROWS_PER_FRAME: usize = 1024;
}

/// How the replica opens a session.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`MINOR_VERSION`] of the sender.
    pub minor: u16,
    /// The canon rule the sender's hashes follow.
    pub canon_rule: u16,
    /// Which replica.
    pub replica: ReplicaId,
    /// How far it knows the log.
    pub cursor: Option<Cursor>,
    /// The stamp of its last session.
    pub stamp: Option<[u8; 16]>,
}

/// How the hub answers.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`MINOR_VERSION`] of the sender.
    pub minor: u16,
    /// The canon rule the hub's hashes follow.
    pub canon_rule: u16,
    /// The log's life.
    pub epoch: Epoch,
    /// The replica's past doesn't count: it forgets every base and pairs anew under a new replica id.
    pub anew: bool,
    /// To be shown in the next session.
    pub stamp: [u8; 16],
    /// The hub's own store is still being read: more rows come without anybody having changed anything.
    pub is_reading: bool,
}

/// Rows of the log.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// In order.
    pub rows: Vec<Row>,
    /// With these rows the replica knows the log up to here.
    pub upto: Seq,
    /// The newest mark up to there.
    pub mark: LogMark,
    /// The replica knows everything now.
    pub is_head: bool,
    /// See [`Welcome::is_reading`].
    pub is_reading: bool,
}

/// A change a replica proposes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// About what.
    pub subject: Subject,
    /// The row the change was made against; zero for something new.
    pub parent: Seq,
    /// What shall be.
    pub change: Change,
}

/// What shall be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// An item, new or changed.
    Item {
        /// As it shall be.
        state: ItemState,
        /// The log was known up to here when the item was found to be new; what came since may be its twin.
        planned_at: Seq,
    },
    /// No item.
    ItemGone {
        /// A person approved it here (undo, taking over).
        approved: bool,
    },
    /// A folder, new, renamed or moved.
    Folder(FolderState),
    /// No folder.
    FolderGone,
    /// An edit lost; keep it for a person.
    Conflict(Conflict),
    /// A person decided a conflict.
    ConflictResolved,
}

/// What became of a proposal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Of which.
    pub subject: Subject,
    /// What.
    pub outcome: Outcome,
}

/// Answers to proposals.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Answers {
    /// One each.
    pub answers: Vec<Answer>,
    /// The newest mark: the replica remembers that it was told of this past, and isn't done before it knows the log
    /// so far.
    pub mark: LogMark,
}

/// What became of a proposal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "answers are few and short-lived")]
pub enum Outcome {
    /// It is in the log, durably, with this number.
    Accepted(Seq),
    /// Somebody was faster: this is the current row. Merge and propose again.
    Stale(Option<Row>),
    /// Send the content with this hash; the proposal waits for it.
    NeedContent(NativeHash),
    /// Since the proposal was planned the folder got what may be the same item: look at the newer rows first.
    MayBeTwin,
    /// The hub has this folder already, as that one.
    SameFolder(FolderUid),
    /// The guard holds the deletion until a person decides.
    Held,
    /// It can't be, whatever is tried.
    Refused(Refusal),
}

/// Why a proposal can't be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Refusal {
    /// The folder isn't there (any more).
    NoSuchFolder,
    /// The folder holds something.
    FolderNotEmpty,
    /// The folder would lie in itself.
    Cycle,
    /// The replica may not write there.
    NotAllowed,
    /// A bound was passed or a value makes no sense.
    Malformed,
}

/// Content that one side wants from the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Want {
    /// The item it belongs to.
    pub item: ItemUid,
    /// Which bytes.
    pub native: NativeHash,
    /// Bytes already there from an earlier try.
    pub offset: u64,
}

/// One step of the conversation.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    /// Replica → hub, first.
    Hello(Hello),
    /// Hub → replica, first.
    Welcome(Welcome),
    /// Replica → hub: the stamp is saved.
    StampSaved,
    /// Hub → replica.
    Rows(Rows),
    /// Replica → hub.
    Propose(Vec<Proposal>),
    /// Hub → replica.
    Answers(Answers),
    /// Replica → hub: these proposals can't be served any more.
    Withdraw(Vec<Subject>),
    /// Either way: send these contents.
    Want(Vec<Want>),
    /// Either way: these contents can't be had (now); a newer version will come or they can be asked for again.
    CannotServe(Vec<NativeHash>),
    /// Hub → replica: a person decided that these deletions don't count; the items are as before.
    Restore(Vec<ItemUid>),
    /// Hub → replica: the server's own store holds everything up to this row.
    Settled(Seq),
    /// Replica → hub: a person at the replica wants its held deletions of this folder undone.
    RestoreHeld(FolderUid),
    /// Replica → hub: these deletions are taken back here.
    Restored(Vec<ItemUid>),
    /// Replica → hub, to one that speaks minor version 1: the version of the program, for people to read.
    Program(String),
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`Limits::FRAME_BYTES`].
    #[error("the frame is too long")]
    TooLong,
    /// Not written by the rules.
    #[error("the frame can't be read")]
    Malformed,
    /// A list, name or set beyond its bound.
    #[error("the frame passes a bound")]
    PastBound,
}

impl Frame {
    /// The frame as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("frames hold nothing that postcard can't write")
    }

    /// Reads a frame and checks every bound.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > Limits::FRAME_BYTES {
            return Err(FrameError::TooLong);
        }
        let (frame, rest) = postcard::take_from_bytes::<Self>(bytes).map_err(|_| FrameError::Malformed)?;
        if !rest.is_empty() {
            return Err(FrameError::Malformed);
        }
        if frame.is_within_bounds() { Ok(frame) } else { Err(FrameError::PastBound) }
    }

    fn is_within_bounds(&self) -> bool {
        let list = |len: usize| len <= Limits::LIST;
        match self {
            Self::Hello(_) | Self::Welcome(_) | Self::StampSaved | Self::Settled(_) | Self::RestoreHeld(_) => true,
            Self::Rows(rows) => list(rows.rows.len()) && rows.rows.iter().all(|row| is_row_within_bounds(&row.body)),
            Self::Propose(proposals) => {
                list(proposals.len()) && proposals.iter().all(|proposal| proposal.change.is_within_bounds())
            }
            Self::Answers(answers) => {
                list(answers.answers.len())
                    && answers.answers.iter().all(|answer| match &answer.outcome {
                        Outcome::Stale(Some(row)) => is_row_within_bounds(&row.body),
                        _ => true,
                    })
            }
            Self::Withdraw(subjects) => list(subjects.len()),
            Self::Want(wants) => list(wants.len()),
            Self::CannotServe(contents) => list(contents.len()),
            Self::Restore(items) | Self::Restored(items) => list(items.len()),
            Self::Program(version) => version.len() <= Limits::PROGRAM_BYTES,
        }
    }
}

impl Change {
    fn is_within_bounds(&self) -> bool {
        match self {
            Self::Item { state, .. } => is_item_within_bounds(state),
            Self::Folder(state) => is_folder_within_bounds(state),
            Self::Conflict(conflict) => is_conflict_within_bounds(conflict),
            Self::ItemGone { .. } | Self::FolderGone | Self::ConflictResolved => true,
        }
    }
}

fn is_row_within_bounds(body: &crate::model::RowBody) -> bool {
    use crate::model::RowBody;
    match body {
        RowBody::Item(state) => is_item_within_bounds(state),
        RowBody::Folder(state) => is_folder_within_bounds(state),
        RowBody::Conflict(conflict) => is_conflict_within_bounds(conflict),
        RowBody::FolderGone | RowBody::ItemGone(_) | RowBody::ItemElsewhere(_) | RowBody::ConflictResolved => true,
    }
}

/// Whether an item can travel: a store may hold longer names or more keywords than a frame has room for.
#[must_use]
pub fn is_item_within_bounds(state: &ItemState) -> bool {
    let flag_bytes = |flag: &pim::Flag| match flag {
        pim::Flag::Keyword(word) => word.len(),
        _ => 0,
    };
    state.name.len() <= Limits::NAME_BYTES
        && state.flags.0.len() <= Limits::FLAGS
        && state.flags.0.iter().map(flag_bytes).sum::<usize>() <= Limits::NAME_BYTES
        && state.lookalikes.len() <= ItemState::LOOKALIKES_MAX
}

fn is_folder_within_bounds(state: &FolderState) -> bool {
    !state.name.is_empty() && state.name.len() <= Limits::NAME_BYTES
}

fn is_conflict_within_bounds(conflict: &Conflict) -> bool {
    is_item_within_bounds(&conflict.loser)
        && conflict.fields.len() <= Limits::FLAGS
        && conflict.fields.iter().map(String::len).sum::<usize>() <= Limits::NAME_BYTES
}
