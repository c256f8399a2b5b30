//! A replica's side of a session: what is due, in which order, and how much at once.
//!
//! Frames, observations and outcomes come in; [`Output`]s go out. Steps in flight live only here and may be forgotten
//! at any moment: after a cut everything due is decided again from the index.
//!
//! | file | story |
//! |---|---|
//! | `mod.rs` | the conversation: hello, rows, answers |
//! | `folders.rs` | folders are made the same before what lies in them |
//! | `items.rs` | items are paired, decided on, and put on their way |
//! | `settle.rs` | what became of them is remembered |

mod folders;
mod items;
mod settle;

use crate::{
    index::{Direction, FolderRecord, Hold, IndexError, ItemRecord, Local, LocalFolder, Remote, ReplicaIndex},
    model::{ConflictId, Cursor, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject, Tombstone},
    plan::Pairing,
    wire::{Answer, Answers, Frame, Hello, Limits, MINOR_VERSION, Proposal, Rows, Want, Welcome},
};
use pim::{FieldHashes, FolderUid, ItemUid, NativeHash};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(test)]
pub(crate) use settle::accepted as accept_for_tests;
pub use settle::{ApplyOutcome, give_way, settle_removed, settle_written};

/// What the replica wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this frame to the hub.
    Send(Frame),
    /// Send the bytes of this item to the hub.
    Upload {
        /// Whose.
        item: ItemUid,
        /// Which bytes.
        native: NativeHash,
        /// Where the store has them; `None`: they came out of a merge.
        href: Option<String>,
    },
    /// Merge the store's bytes into the hub's, which are here now; answer with [`Replica::merged`].
    Merge(MergeJob),
    /// Carry out this group in the store; answer with [`Replica::applied`] for each.
    Apply(Vec<StoreChange>),
    /// Carry this out in the store; answer with [`Replica::folder_applied`].
    ApplyFolder(FolderUid, FolderChange),
    /// Two folders turned out to be one; this is the uid its mark should have.
    MarkFolder(FolderUid, String),
    /// The store isn't as it was when it was read: read it again, then call [`Replica::observed_all`].
    ReadAgain,
    /// For the history and for people.
    Happened(Happened),
    /// The replica's past doesn't count at the hub any more; it was paired anew.
    PairedAnew,
    /// Planning went in a circle and was stopped: nothing more is due before the next [`Replica::connected`].
    Endless,
}

/// Two contents to be merged.
#[derive(Clone, Debug, PartialEq)]
pub struct MergeJob {
    /// The item.
    pub item: ItemUid,
    /// The store's version.
    pub ours: Local,
    /// The hub's version, whose bytes are here.
    pub theirs: ItemState,
    /// The fields both sides last agreed on; empty when they never did.
    pub base: FieldHashes,
}

/// A change to a store's item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum StoreChange {
    /// Make the store hold this version.
    Write {
        /// Which item.
        item: ItemUid,
        /// The hub's row.
        seq: Seq,
        /// The version.
        state: ItemState,
        /// What the store must hold now; `None`: nothing of this item.
        existing: Option<Local>,
        /// The content changes: the bytes of `state.version.native` are here.
        with_content: bool,
    },
    /// Delete the item, after its content was saved.
    Remove {
        /// Which item.
        item: ItemUid,
        /// The hub's row; zero when this side is taken over.
        seq: Seq,
        /// What the store must hold now.
        existing: Local,
    },
}

impl StoreChange {
    /// Which item.
    #[must_use]
    pub const fn item(&self) -> ItemUid {
        match self {
            Self::Write { item, .. } | Self::Remove { item, .. } => *item,
        }
    }
}

/// A change to a store's folder.
#[derive(Clone, Debug, PartialEq)]
pub enum FolderChange {
    /// Make it.
    Make(FolderState),
    /// Rename or move it.
    Rename(LocalFolder, FolderState),
    /// Remove it; it holds nothing.
    Delete(LocalFolder),
}

/// Something a person may want to know or undo.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// An item changed in this computer's store.
    Here(Change),
    /// An item changed at the hub, by this computer.
    There(Change),
    /// A folder changed in this computer's store.
    FolderHere(ChangedFolder),
    /// A folder changed at the hub, by this computer.
    FolderThere(ChangedFolder),
    /// An edit lost and is kept as a conflict.
    Conflict(ItemUid, ConflictId),
    /// A deletion was overruled by an edit.
    DeletionOverruled(ItemUid),
    /// Deletions wait for a person on this computer.
    RemovalsHeld(FolderUid, u64),
    /// Deletions wait for a person at the server.
    DeletionsHeld(FolderUid, u64),
    /// Items of this computer that went back to an earlier state wait for a person here.
    ReversionsHeld(FolderUid, u64),
    /// Items that may be the same; both are kept.
    MaybeSame(ItemUid, ItemUid),
    /// The item can't be kept the same; the reason's stable name.
    Refused(ItemUid, String),
}

/// An item before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which.
    pub item: ItemUid,
    /// `None`: it is new.
    pub before: Option<ItemState>,
    /// `None`: it was deleted.
    pub after: Option<ItemState>,
}

/// A folder before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedFolder {
    /// Which.
    pub folder: FolderUid,
    /// `None`: it is new.
    pub before: Option<FolderState>,
    /// `None`: it was deleted.
    pub after: Option<FolderState>,
}

/// What the merge of two contents gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The merged version with kind, content and keys; flags, folder and name don't count.
    pub state: ItemState,
    /// Fields both sides changed differently; the hub's values stand in the merged version.
    pub clashes: Vec<String>,
}

#[derive(Clone, Debug)]
enum Step {
    Proposed { state: ItemState, local: Local, planned_at: Seq, overrules: bool, is_merged: bool },
    ProposedGone,
    Wanted { seq: Seq, state: ItemState, then: Then },
    Ready,
    Merging { seq: Seq, combined: ItemState, theirs: ItemState, local: Local },
    ConflictProposed { id: ConflictId, seq: Seq, result: ItemState, theirs: ItemState, local: Local },
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "there are at most `STEPS_MAX`")]
enum Then {
    Write { existing: Option<Local> },
    Merge { combined: ItemState, local: Local, base: FieldHashes },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Closed,
    Opening,
    Live,
}

/// How a replica goes about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the first round does with items that only one side has.
    pub pairing: Pairing,
    /// Only look: nothing is sent to the hub and nothing changes in the store.
    pub is_preview: bool,
    /// Folders to pair although they are called otherwise: (the hub's, ours).
    pub folder_map: Vec<(FolderUid, FolderUid)>,
    /// Planning that isn't at its end after so many rounds goes in a circle (I14). Every round leaves less to do.
    pub rounds_max: usize,
    /// The version of the program, at most [`Limits::PROGRAM_BYTES`]. Empty: nobody is told.
    pub program: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pairing: Pairing::default(),
            is_preview: false,
            folder_map: Vec::new(),
            rounds_max: 200,
            program: String::new(),
        }
    }
}

/// A replica in or between sessions. Everything to be remembered is in its [`ReplicaIndex`].
#[derive(Debug)]
pub struct Replica {
    settings: Settings,
    phase: Phase,
    is_caught_up: bool,
    /// The rows that the hub's answers spoke of are here.
    is_caught_up_to_answers: bool,
    is_hub_reading: bool,
    is_own_reading: bool,
    are_folders_due: bool,
    do_folders_wait_for_items: bool,
    has_item_settled: bool,
    is_pairing_due: bool,
    is_out_of_room: bool,
    queue: VecDeque<ItemUid>,
    loaded_upto: Option<ItemUid>,
    is_loaded: bool,
    /// Items that wait for newer rows, for content that can't be had now, or for both stores to be read.
    awaiting_rows: BTreeSet<ItemUid>,
    unavailable: BTreeSet<ItemUid>,
    /// Items that came up while they were on their way.
    came_up: BTreeSet<ItemUid>,
    /// Items to be sent as the store has them, because the bytes the hub once had are nowhere.
    own_content: BTreeSet<ItemUid>,
    is_any_awaiting_reading: bool,
    /// Items that went back to an earlier state, until the store is still: then the guard is asked about all of them.
    going_back: BTreeSet<ItemUid>,
    is_store_still: bool,
    /// Tombstones of a first round: what matches one returned from the dead.
    tombstones: Vec<(ItemUid, Seq, Tombstone)>,
    /// Conflicts a person decided here and the hub hasn't heard of.
    resolved: BTreeSet<ConflictId>,
    steps: BTreeMap<ItemUid, Step>,
    folder_steps: BTreeMap<FolderUid, folders::FolderStep>,
    needed_folders: BTreeSet<FolderUid>,
    is_folder_settled: bool,
    wanted: BTreeMap<NativeHash, BTreeSet<ItemUid>>,
    wanted_bytes: u64,
    ready: Vec<StoreChange>,
    ready_bytes: u64,
    /// Items whose change in the store was put out and not answered yet. Survives the link.
    applying: BTreeSet<ItemUid>,
    proposals: Vec<Proposal>,
    wants: Vec<Want>,
    outputs: VecDeque<Output>,
}

type Result<T> = std::result::Result<T, IndexError>;

/// How much may be on its way at once.
/// A frame has room for so many of the largest items.
const PROPOSALS_MAX: usize = 256;
const STEPS_MAX: usize = 4096;
const WANTED_BYTES_MAX: u64 = 16 << 20;
const GROUP_ITEMS_MAX: usize = 1024;
const GROUP_BYTES_MAX: u64 = 16 << 20;
const PAGE: usize = 4096;

impl Replica {
    /// A replica between sessions.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            is_caught_up: false,
            is_caught_up_to_answers: true,
            is_hub_reading: false,
            is_own_reading: false,
            are_folders_due: true,
            do_folders_wait_for_items: false,
            has_item_settled: false,
            is_pairing_due: true,
            is_out_of_room: false,
            queue: VecDeque::new(),
            loaded_upto: None,
            is_loaded: false,
            awaiting_rows: BTreeSet::new(),
            unavailable: BTreeSet::new(),
            came_up: BTreeSet::new(),
            own_content: BTreeSet::new(),
            is_any_awaiting_reading: false,
            going_back: BTreeSet::new(),
            is_store_still: false,
            tombstones: Vec::new(),
            resolved: BTreeSet::new(),
            steps: BTreeMap::new(),
            folder_steps: BTreeMap::new(),
            needed_folders: BTreeSet::new(),
            is_folder_settled: false,
            wanted: BTreeMap::new(),
            wanted_bytes: 0,
            ready: Vec::new(),
            ready_bytes: 0,
            applying: BTreeSet::new(),
            proposals: Vec::new(),
            wants: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The settings, to look at or to change between two calls of [`Self::advance`].
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// What is wanted next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A link to the hub stands: opens the session.
    pub fn connected(&mut self, index: &impl ReplicaIndex) -> Result<()> {
        self.disconnected();
        self.phase = Phase::Opening;
        self.say_hello(index)
    }

    fn say_hello(&mut self, index: &impl ReplicaIndex) -> Result<()> {
        let hello = Hello {
            minor: MINOR_VERSION,
            canon_rule: pim::CANON_RULE,
            replica: index.replica()?,
            cursor: index.cursor()?,
            stamp: index.stamp()?,
        };
        self.outputs.push_back(Output::Send(Frame::Hello(hello)));
        Ok(())
    }

    /// The link is gone. What is being applied to the store goes on, and every [`Output::Apply`] and
    /// [`Output::ApplyFolder`] is still to be answered; everything else is decided again.
    pub fn disconnected(&mut self) {
        let mut folder_steps = std::mem::take(&mut self.folder_steps);
        folder_steps.retain(|_, step| step.is_in_store());
        *self = Self {
            applying: std::mem::take(&mut self.applying),
            folder_steps,
            is_own_reading: self.is_own_reading,
            is_out_of_room: self.is_out_of_room,
            resolved: std::mem::take(&mut self.resolved),
            ..Self::new(std::mem::take(&mut self.settings))
        };
    }

    /// Says whether the store is being read completely; nothing new is paired meanwhile.
    pub fn set_reading(&mut self, is_reading: bool) {
        self.is_own_reading = is_reading;
        self.is_pairing_due = true;
    }

    /// Whether everything is the same on both sides, as far as it can be.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.phase == Phase::Live
            && self.is_caught_up
            && self.is_caught_up_to_answers
            && !self.is_hub_reading
            && !self.is_own_reading
            && self.is_loaded
            && !self.are_folders_due
            && !self.is_pairing_due
            && self.queue.is_empty()
            && self.awaiting_rows.is_empty()
            && self.unavailable.is_empty()
            && !self.is_any_awaiting_reading
            && self.going_back.is_empty()
            && self.resolved.is_empty()
            && self.steps.is_empty()
            && self.folder_steps.is_empty()
            && self.applying.is_empty()
            && self.outputs.is_empty()
    }

    /// Whether all that the hub knew at the beginning has arrived: a preview can be made.
    #[must_use]
    pub const fn is_caught_up(&self) -> bool {
        self.is_caught_up && !self.is_hub_reading
    }

    /// How many items are on their way or wait for it.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.queue.len() + self.steps.len()
    }

    /// An item was observed to have changed in the store; its record is in the index.
    pub fn observed(&mut self, item: ItemUid) {
        self.is_pairing_due = true;
        self.queue.push_back(item);
    }

    /// Whether a change of the folder is on its way to the store or to the hub.
    #[must_use]
    pub fn is_folder_on_its_way(&self, folder: FolderUid) -> bool {
        self.folder_steps.contains_key(&folder)
    }

    /// A folder was observed to have changed in the store; its record is in the index.
    pub const fn observed_folder(&mut self) {
        self.are_folders_due = true;
        self.is_pairing_due = true;
    }

    /// The store was read completely: everything due is looked at again.
    pub const fn observed_all(&mut self) {
        self.are_folders_due = true;
        self.is_pairing_due = true;
        self.look_again();
    }

    /// How many items went back to an earlier state and wait for [`Self::store_is_still`].
    #[must_use]
    pub fn going_back(&self) -> usize {
        self.going_back.len()
    }

    /// No more items go back to an earlier state: the guard is asked about those that did. Restoring a backup takes a while,
    /// and it is to see all of it.
    pub fn store_is_still(&mut self) {
        self.is_store_still = true;
        self.queue.extend(std::mem::take(&mut self.going_back));
    }

    const fn look_again(&mut self) {
        self.is_loaded = false;
        self.loaded_upto = None;
    }

    /// Some time passed: contents that couldn't be had are asked for again.
    pub fn retry(&mut self) {
        self.queue.extend(std::mem::take(&mut self.unavailable));
    }

    /// There is room again after [`ApplyOutcome::NoRoom`].
    pub const fn room_again(&mut self) {
        self.is_out_of_room = false;
        self.observed_all();
    }

    /// Takes a frame from the hub. `random` are 128 fresh random bits. `Err(None)`: the hub doesn't follow the protocol.
    pub fn handle(
        &mut self,
        index: &mut impl ReplicaIndex,
        frame: Frame,
        random: [u8; 16],
    ) -> std::result::Result<(), HandleError> {
        match (self.phase, frame) {
            (Phase::Closed, _) => Ok(()),
            (Phase::Opening, Frame::Welcome(welcome)) => Ok(self.take_welcome(index, &welcome, random)?),
            (Phase::Live, Frame::Rows(rows)) => Ok(self.take_rows(index, rows)?),
            (Phase::Live, Frame::Answers(Answers { answers, mark })) => {
                if let Some(cursor) = index.cursor()?
                    && cursor.mark.seq < mark.seq
                {
                    index.set_cursor(Some(Cursor { mark, ..cursor }))?;
                    self.is_caught_up_to_answers = false;
                }
                for Answer { subject, outcome } in answers {
                    match subject {
                        Subject::Item(item) => self.item_answered(index, item, outcome)?,
                        Subject::Folder(folder) => self.folder_answered(index, folder, outcome)?,
                        Subject::Conflict(id) => self.conflict_answered(index, id, &outcome)?,
                    }
                }
                Ok(())
            }
            // Contents are served by whoever runs the replica: it knows the store.
            (Phase::Live, Frame::CannotServe(contents)) => {
                for native in contents {
                    self.unavailable(native);
                }
                Ok(())
            }
            (Phase::Live, Frame::Restore(items)) => Ok(self.restore(index, &items)?),
            // For whoever runs the replica and waits for the other computer.
            (Phase::Live, Frame::Settled(_)) => Ok(()),
            _ => Err(HandleError::OutOfTurn),
        }
    }

    fn take_welcome(&mut self, index: &mut impl ReplicaIndex, welcome: &Welcome, random: [u8; 16]) -> Result<()> {
        if welcome.anew {
            // What both sides once agreed on can't be told any more. Without bases nothing can be taken for deleted.
            index.forget_hub()?;
            index.set_replica(ReplicaId(random))?;
            index.set_cursor(None)?;
            self.outputs.push_back(Output::PairedAnew);
            return self.say_hello(index);
        }
        if index.cursor()?.is_none() {
            index.set_cursor(Some(Cursor { epoch: welcome.epoch, seq: Seq(0), mark: LogMark::default() }))?;
        }
        index.set_stamp(welcome.stamp)?;
        self.outputs.push_back(Output::Send(Frame::StampSaved));
        if welcome.minor >= 1 && !self.settings.program.is_empty() {
            self.outputs.push_back(Output::Send(Frame::Program(self.settings.program.clone())));
        }
        self.is_hub_reading = welcome.is_reading;
        self.phase = Phase::Live;
        for id in self.resolved.clone() {
            self.propose_resolved(id);
        }
        Ok(())
    }

    fn take_rows(&mut self, index: &mut impl ReplicaIndex, rows: Rows) -> Result<()> {
        let Rows { rows, upto, mark, is_head, is_reading } = rows;
        for row in rows {
            self.take_row(index, row)?;
        }
        if let Some(cursor) = index.cursor()?
            && upto >= cursor.seq
        {
            let mark = if mark.seq >= cursor.mark.seq { mark } else { cursor.mark };
            self.is_caught_up_to_answers = mark.seq <= upto;
            index.set_cursor(Some(Cursor { seq: upto, mark, ..cursor }))?;
        }
        self.is_caught_up = is_head;
        self.queue.extend(std::mem::take(&mut self.awaiting_rows));
        if self.is_hub_reading && !is_reading {
            // What waited for the whole picture can be looked at now.
            self.is_pairing_due = true;
        }
        self.is_hub_reading = is_reading;
        Ok(())
    }

    fn take_row(&mut self, index: &mut impl ReplicaIndex, row: Row) -> Result<()> {
        let Row { seq, subject, body } = row;
        match (subject, body) {
            (Subject::Folder(uid), RowBody::Folder(state)) => self.take_folder_row(index, uid, seq, Some(state)),
            (Subject::Folder(uid), RowBody::FolderGone) => self.take_folder_row(index, uid, seq, None),
            (Subject::Item(uid), RowBody::Item(state)) => self.take_item_row(index, uid, Remote::Live { seq, state }),
            (Subject::Item(uid), RowBody::ItemGone(tombstone)) => {
                self.take_item_row(index, uid, Remote::Gone { seq, tombstone })
            }
            (Subject::Item(uid), RowBody::ItemElsewhere(folder)) => self.take_out_of_sight(index, uid, seq, folder),
            (Subject::Conflict(id), RowBody::Conflict(conflict)) => index.put_conflict(id, Some(&conflict)),
            (Subject::Conflict(id), RowBody::ConflictResolved) => index.put_conflict(id, None),
            // A row whose body doesn't fit its subject says nothing.
            _ => Ok(()),
        }
    }

    fn take_folder_row(
        &mut self,
        index: &mut impl ReplicaIndex,
        uid: FolderUid,
        seq: Seq,
        state: Option<FolderState>,
    ) -> Result<()> {
        let mut record = index.folder(uid)?.unwrap_or_default();
        if record.base.as_ref().is_none_or(|base| base.seq < seq) {
            record.remote = Some((seq, state));
            index.put_folder(uid, &record)?;
            self.are_folders_due = true;
            self.is_pairing_due = true;
        }
        Ok(())
    }

    fn take_item_row(&mut self, index: &mut impl ReplicaIndex, uid: ItemUid, remote: Remote) -> Result<()> {
        let mut record = index.item(uid)?.unwrap_or_default();
        let known = record.base.as_ref().map(|base| base.seq).max(record.remote.as_ref().map(Remote::seq));
        if known.is_some_and(|known| known >= remote.seq()) {
            return Ok(());
        }
        if let Remote::Gone { seq, tombstone } = &remote
            && record.is_empty()
        {
            self.tombstones.push((uid, *seq, *tombstone));
            self.is_pairing_due = true;
            return Ok(());
        }
        self.is_pairing_due |= record.base.is_none();
        record.remote = Some(remote);
        // News from the hub don't make what looks like a restored backup an ordinary edit.
        if record.hold != Some(Hold::ReversionWaits) {
            wake(&mut record);
        }
        index.put_item(uid, &record)?;
        self.queue.push_back(uid);
        Ok(())
    }

    /// The item went where this replica can't see it: gone from here, unless the folder itself went out of sight.
    fn take_out_of_sight(
        &mut self,
        index: &mut impl ReplicaIndex,
        uid: ItemUid,
        seq: Seq,
        folder: FolderUid,
    ) -> Result<()> {
        let Some(mut record) = index.item(uid)? else { return Ok(()) };
        let Some(base) = &record.base else { return Ok(()) };
        if base.state.folder == folder {
            record.hold = Some(Hold::Refused("withheld".into()));
            index.put_item(uid, &record)
        } else {
            let ItemState { version, identity, folder, .. } = &base.state;
            let tombstone =
                Tombstone { folder: *folder, canon: version.canon, identity: *identity, at: 0, approved: true };
            self.take_item_row(index, uid, Remote::Gone { seq, tombstone })
        }
    }

    /// A person at the hub decided that these deletions don't count: the items come back here.
    fn restore(&mut self, index: &mut impl ReplicaIndex, items: &[ItemUid]) -> Result<()> {
        for uid in items {
            let Some(mut record) = index.item(*uid)? else { continue };
            if record.local.is_none()
                && let Some(base) = record.base.take()
            {
                record.remote.get_or_insert(Remote::Live { seq: base.seq, state: base.state });
                record.hold = None;
                index.put_item(*uid, &record)?;
                self.queue.push_back(*uid);
            }
        }
        self.outputs.push_back(Output::Send(Frame::Restored(items.to_vec())));
        Ok(())
    }

    /// Looks at what is due and puts as much as fits on its way. Call after everything else until nothing is
    /// put out, and now and then.
    pub fn advance(&mut self, index: &mut impl ReplicaIndex, now_secs: u64) -> Result<()> {
        if self.phase != Phase::Live || !self.is_caught_up {
            return Ok(());
        }
        let may_pair = !self.is_hub_reading && !self.is_own_reading;
        if may_pair && std::mem::take(&mut self.is_any_awaiting_reading) {
            self.look_again();
        }
        for round in 0.. {
            if round >= self.settings.rounds_max {
                self.disconnected();
                self.outputs.push_back(Output::Endless);
                return Ok(());
            }
            if self.do_folders_wait_for_items && self.has_item_settled && self.steps.is_empty() && self.queue.is_empty()
            {
                self.do_folders_wait_for_items = false;
                self.has_item_settled = false;
                self.are_folders_due = true;
            }
            if std::mem::take(&mut self.are_folders_due) {
                self.plan_folders(index)?;
            }
            if self.are_folders_due {
                continue;
            }
            // Folders go first; what lies in them is looked at when they are as they should be.
            if !self.folder_steps.is_empty() {
                break;
            }
            if std::mem::take(&mut self.is_folder_settled) {
                self.look_again();
            }
            if self.is_pairing_due && may_pair {
                self.pair_items(index)?;
                self.is_pairing_due = false;
            }
            if !self.settings.is_preview {
                self.plan_items(index, may_pair, now_secs)?;
            }
            let are_folders_due_next = self.do_folders_wait_for_items
                && self.has_item_settled
                && self.steps.is_empty()
                && self.queue.is_empty();
            if !self.are_folders_due && !are_folders_due_next {
                break;
            }
        }
        self.flush();
        Ok(())
    }

    fn flush(&mut self) {
        while !self.proposals.is_empty() {
            let rest = self.proposals.split_off(self.proposals.len().min(PROPOSALS_MAX));
            let page = std::mem::replace(&mut self.proposals, rest);
            self.outputs.push_back(Output::Send(Frame::Propose(page)));
        }
        while !self.wants.is_empty() {
            let rest = self.wants.split_off(self.wants.len().min(Limits::LIST));
            let page = std::mem::replace(&mut self.wants, rest);
            self.outputs.push_back(Output::Send(Frame::Want(page)));
        }
        // A group goes when it is full or when nothing else is coming that could fill it.
        let is_full = self.ready.len() >= GROUP_ITEMS_MAX || self.ready_bytes >= GROUP_BYTES_MAX;
        if !self.ready.is_empty() && (is_full || self.wanted.is_empty()) {
            self.flush_ready();
        }
    }

    /// Applies what is ready without waiting for a full group.
    pub fn flush_ready(&mut self) {
        if self.ready.is_empty() {
            return;
        }
        let group = std::mem::take(&mut self.ready);
        self.ready_bytes = 0;
        self.applying.extend(group.iter().map(StoreChange::item));
        self.outputs.push_back(Output::Apply(group));
    }

    /// The direction that holds for a folder: its own, or that of the folder it lies in.
    pub fn direction_of(index: &impl ReplicaIndex, folder: FolderUid) -> Result<Direction> {
        let mut next = Some(folder);
        for _ in 0..=Limits::DEPTH {
            let Some(uid) = next else { break };
            let Some(record) = index.folder(uid)? else { break };
            if let Some(direction) = record.direction {
                return Ok(direction);
            }
            next = parent_of(&record);
        }
        Ok(Direction::Both)
    }
}

/// The hub said something out of turn.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HandleError {
    /// A frame that can't come now or from this side.
    #[error("a frame out of turn")]
    OutOfTurn,
    /// The index can't be used.
    #[error(transparent)]
    Index(#[from] IndexError),
}

fn parent_of(record: &FolderRecord) -> Option<FolderUid> {
    let state = record
        .local
        .as_ref()
        .map(|local| &local.state)
        .or_else(|| record.base.as_ref().map(|base| &base.state))
        .or_else(|| record.remote.as_ref().and_then(|(_, state)| state.as_ref()));
    state.and_then(|state| state.parent)
}

/// Something changed about a resting item: it is decided anew.
pub(crate) fn wake(record: &mut ItemRecord) {
    if record.hold.as_ref().is_some_and(Hold::rests) {
        record.hold = None;
    }
}
