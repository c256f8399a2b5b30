//! The server's side: one log, one order.
//!
//! The hub never merges. It compares the row a proposal was made against with the current one, and either takes the
//! proposal or answers with the current row. A version is numbered only when the hub can serve its bytes, and nothing
//! is answered before it is durable: whoever runs the hub commits the index before it sends what the hub put out.

use crate::{
    index::{HeldDeletion, HubIndex, IndexError, ReplicaRecord},
    model::{
        Conflict, ConflictId, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject, Tombstone,
    },
    wire::{
        Answer, Answers, Change, Frame, Hello, Limits, MINOR_VERSION, Outcome, Proposal, Refusal, Rows, Want, Welcome,
    },
};
use pim::{FolderUid, ItemUid, NativeHash};
use std::collections::{BTreeMap, BTreeSet};

/// So many bytes of rows are put into one frame; between two marks there are never more.
const ROW_BYTES_PER_FRAME: usize = 1_000_000;

/// One connection of a replica, numbered by whoever runs the hub.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub u64);

/// What the hub wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HubOutput {
    /// Send this frame.
    Send(SessionId, Frame),
    /// Send these contents.
    Serve(SessionId, Vec<Want>),
    /// There are new rows: [`Hub::next_rows`] has something for every session.
    NewRows,
    /// The replica doesn't follow the protocol: end the session.
    Hangup(SessionId),
    /// Deletions wait for a person.
    DeletionsHeld(FolderUid, u64),
}

/// Chance and time, told.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Seconds since 1970. Decides nothing about order.
    pub now_secs: u64,
    /// 128 fresh random bits.
    pub random: [u8; 16],
}

/// What a person decides about deletions that wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Delete them everywhere.
    Allow,
    /// Bring the items back where they were deleted.
    Restore,
}

#[derive(Debug)]
struct Session {
    device: Vec<u8>,
    replica: ReplicaId,
    /// The stamp handed out in this session.
    stamp: [u8; 16],
    sent: Seq,
    /// The replica has to say hello again, as a new one.
    is_anew: bool,
    told_head: bool,
    /// Rows that came from this session and needn't be told to it.
    own: BTreeSet<Seq>,
    /// Proposals that wait for their content.
    waiting: BTreeMap<Subject, Proposal>,
}

/// The hub. Everything to be remembered is in its [`HubIndex`]; this holds only what lives as long as the sessions.
#[derive(Debug, Default)]
pub struct Hub {
    sessions: BTreeMap<SessionId, Session>,
    is_reading: bool,
}

type Result<T> = std::result::Result<T, IndexError>;

impl Hub {
    /// A hub without sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether the server's own store is still being read for the first time.
    pub fn set_reading(&mut self, is_reading: bool) {
        if self.is_reading != is_reading {
            self.is_reading = is_reading;
            self.sessions.values_mut().for_each(|session| session.told_head = false);
        }
    }

    /// Begins a session. `device` is who the link says it is; a replica's memory is kept per device.
    pub fn open(
        &mut self,
        index: &mut impl HubIndex,
        id: SessionId,
        device: &[u8],
        hello: &Hello,
        told: Told,
    ) -> Result<Frame> {
        let replica = bound_to(device, hello.replica);
        let mut record = index.replica(replica)?.unwrap_or_default();
        let (epoch, head) = index.head()?;
        let is_stamp_good = hello
            .stamp
            .is_some_and(|stamp| record.confirmed_stamp == Some(stamp) || record.offered_stamp == Some(stamp));
        if hello.stamp.is_some() && hello.stamp == record.offered_stamp {
            // It was saved, although the word of that got lost.
            record.confirmed_stamp = record.offered_stamp;
        }
        let mut anew = false;
        let mut sent = Seq(0);
        if let Some(cursor) = hello.cursor {
            if cursor.epoch != epoch || !is_stamp_good {
                anew = true;
            } else if cursor.seq > head.seq || index.mark_up_to(cursor.mark.seq)? != cursor.mark {
                // The replica remembers a past this log doesn't have: the log was restored or replaced.
                index.set_epoch(Epoch(told.random))?;
                anew = true;
            } else {
                sent = cursor.seq;
            }
        }
        record.offered_stamp = Some(told.random);
        index.put_replica(replica, &record)?;
        let (epoch, _) = index.head()?;
        self.sessions.insert(
            id,
            Session {
                device: device.to_vec(),
                replica,
                stamp: told.random,
                sent,
                is_anew: anew,
                told_head: false,
                own: BTreeSet::new(),
                waiting: BTreeMap::new(),
            },
        );
        Ok(Frame::Welcome(Welcome {
            minor: MINOR_VERSION,
            canon_rule: pim::CANON_RULE,
            epoch,
            anew,
            stamp: told.random,
            is_reading: self.is_reading,
        }))
    }

    /// Whether a hello is in turn: the first one of a session, or that of a replica which was told to pair anew, and does.
    /// Each new replica is remembered, so nobody may be many within one session.
    #[must_use]
    pub fn is_hello_due(&self, session: SessionId, hello: &Hello) -> bool {
        self.sessions.get(&session).is_none_or(|session| session.is_anew && hello.cursor.is_none())
    }

    /// Ends a session.
    pub fn close(&mut self, session: SessionId) {
        self.sessions.remove(&session);
    }

    /// The next rows for a session, if it doesn't know everything yet. Ask whenever there is room to send.
    pub fn next_rows(&mut self, index: &impl HubIndex, id: SessionId) -> Result<Option<Frame>> {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| !session.is_anew) else { return Ok(None) };
        let mut page = index.rows_after(session.sent, Limits::ROWS_PER_FRAME)?;
        if page.is_empty() && session.told_head {
            return Ok(None);
        }
        // What a person brought back has to be told before the head: whoever knows the head may say that all is quiet.
        let record = index.replica(session.replica)?.unwrap_or_default();
        let must_restore = !record.to_restore.is_empty() && record.confirmed_stamp != Some(session.stamp);
        if page.is_empty() && must_restore {
            return Ok(None);
        }
        let count = page.len();
        let mut bytes = 0;
        page.retain(|row| {
            bytes += row.size();
            bytes <= ROW_BYTES_PER_FRAME
        });
        let is_head = page.len() == count && count < Limits::ROWS_PER_FRAME && !must_restore;
        if let Some(last) = page.last()
            && !is_head
        {
            // A page ends at a mark, so that a cursor always says which past it means.
            let mark = index.mark_up_to(last.seq)?;
            if mark.seq > session.sent {
                page.retain(|row| row.seq <= mark.seq);
            }
        }
        let upto = page.last().map_or(session.sent, |row| row.seq);
        let withheld = index.replica(of_device(&session.device))?.unwrap_or_default().withheld;
        let mut rows = Vec::with_capacity(page.len());
        for row in page {
            if !session.own.remove(&row.seq) {
                rows.extend(seen_by(index, row, &withheld)?);
            }
        }
        session.own = session.own.split_off(&upto);
        session.sent = upto;
        session.told_head = is_head;
        let mark = index.mark_up_to(upto)?;
        Ok(Some(Frame::Rows(Rows { rows, upto, mark, is_head, is_reading: self.is_reading })))
    }

    /// Takes a frame.
    pub fn handle(
        &mut self,
        index: &mut impl HubIndex,
        id: SessionId,
        frame: Frame,
        told: Told,
    ) -> Result<Vec<HubOutput>> {
        let Some(session) = self.sessions.get(&id) else { return Ok(Vec::new()) };
        let replica = session.replica;
        match frame {
            // Whoever pairs anew says hello again, as a new replica.
            Frame::Hello(hello) if self.is_hello_due(id, &hello) => {
                let device = session.device.clone();
                Ok(vec![HubOutput::Send(id, self.open(index, id, &device, &hello, told)?)])
            }
            _ if session.is_anew => Ok(vec![HubOutput::Hangup(id)]),
            Frame::StampSaved => {
                let mut record = index.replica(replica)?.unwrap_or_default();
                if record.offered_stamp != Some(session.stamp) {
                    // Somebody else came with the same memory since: a clone. One of both has to pair anew.
                    return Ok(vec![HubOutput::Hangup(id)]);
                }
                record.confirmed_stamp = Some(session.stamp);
                index.put_replica(replica, &record)?;
                Ok(restore(id, &record.to_restore).collect())
            }
            Frame::Restored(items) => {
                let items = BTreeSet::from_iter(items);
                let mut record = index.replica(replica)?.unwrap_or_default();
                record.to_restore.retain(|item| !items.contains(item));
                index.put_replica(replica, &record)?;
                Ok(Vec::new())
            }
            Frame::Propose(proposals) => self.take(index, id, proposals, told),
            Frame::Withdraw(subjects) => self.withdraw(index, id, &subjects),
            Frame::Want(wants) => {
                let withheld = self.withheld(index, id)?;
                let (mut served, mut kept) = (Vec::with_capacity(wants.len()), Vec::new());
                for want in wants {
                    if is_item_in(index, want.item, &withheld)? { kept.push(want.native) } else { served.push(want) }
                }
                let mut outputs = vec![HubOutput::Serve(id, served)];
                if !kept.is_empty() {
                    outputs.push(HubOutput::Send(id, Frame::CannotServe(kept)));
                }
                Ok(outputs)
            }
            // The replica's file changed meanwhile; its proposal is withdrawn by a frame of its own. Which program speaks is
            // for whoever runs the hub.
            Frame::CannotServe(_) | Frame::Program(_) => Ok(Vec::new()),
            Frame::RestoreHeld(folder) => {
                let mut outputs = self.decide_held(index, folder, Decision::Restore, Some(replica), told)?;
                let is_answer =
                    |output: &HubOutput| matches!(output, HubOutput::Send(to, Frame::Restore(_)) if *to == id);
                // Also when there was nothing any more: whoever asked waits for it.
                if !outputs.iter().any(is_answer) {
                    outputs.push(HubOutput::Send(id, Frame::Restore(Vec::new())));
                }
                Ok(outputs)
            }
            Frame::Hello(_)
            | Frame::Welcome(_)
            | Frame::Rows(_)
            | Frame::Answers(_)
            | Frame::Settled(_)
            | Frame::Restore(_) => Ok(vec![HubOutput::Hangup(id)]),
        }
    }

    /// Contents became durable here: proposals that waited for them go on.
    pub fn contents_arrived(
        &mut self,
        index: &mut impl HubIndex,
        contents: &BTreeSet<NativeHash>,
        told: Told,
    ) -> Result<Vec<HubOutput>> {
        let mut outputs = Vec::new();
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            let is_ready =
                |proposal: &Proposal| needed(&proposal.change).is_some_and(|native| contents.contains(&native));
            let ready: Vec<Subject> = session
                .waiting
                .iter()
                .filter(|(_, proposal)| is_ready(proposal))
                .map(|(subject, _)| *subject)
                .collect();
            let proposals: Vec<Proposal> = ready.iter().filter_map(|subject| session.waiting.remove(subject)).collect();
            if !proposals.is_empty() {
                outputs.extend(self.take(index, id, proposals, told)?);
            }
        }
        Ok(outputs)
    }

    /// Every proposal gets one last answer: what was withdrawn while it waited is answered with the current row, what
    /// wasn't waiting any more has its answer already.
    fn withdraw(&mut self, index: &impl HubIndex, id: SessionId, subjects: &[Subject]) -> Result<Vec<HubOutput>> {
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(Vec::new()) };
        let mut answers = Vec::new();
        for subject in subjects {
            if session.waiting.remove(subject).is_some() {
                answers.push(Answer { subject: *subject, outcome: Outcome::Stale(index.row(*subject)?) });
            }
        }
        let (_, mark) = index.head()?;
        let answers = Answers { answers, mark };
        Ok(if answers.answers.is_empty() { Vec::new() } else { vec![HubOutput::Send(id, Frame::Answers(answers))] })
    }

    fn take(
        &mut self,
        index: &mut impl HubIndex,
        id: SessionId,
        proposals: Vec<Proposal>,
        told: Told,
    ) -> Result<Vec<HubOutput>> {
        let Some(session) = self.sessions.get_mut(&id) else { return Ok(Vec::new()) };
        let (replica, device) = (session.replica, of_device(&session.device));
        let mut record = index.replica(device)?.unwrap_or_default();
        let mut log = Log::new(index)?;
        let passes_guard = log.pass_guard(&mut record, &proposals, told.now_secs)?;
        let mut answers = Vec::with_capacity(proposals.len());
        let mut held = BTreeMap::<FolderUid, u64>::new();
        for proposal in proposals {
            let may_go =
                !matches!(proposal.change, Change::ItemGone { .. }) || passes_guard.contains(&proposal.subject);
            let outcome = log.judge(&proposal, replica, &record, may_go, told.now_secs)?;
            match &outcome {
                // A conflict is told to its maker too: who made it and when are the hub's to say.
                Outcome::Accepted(seq) if !matches!(proposal.subject, Subject::Conflict(_)) => {
                    session.own.insert(*seq);
                }
                Outcome::NeedContent(_) => drop(session.waiting.insert(proposal.subject, proposal.clone())),
                Outcome::Held => {
                    if let Subject::Item(item) = proposal.subject
                        && let Some(Row { body: RowBody::Item(state), .. }) = log.index.row(proposal.subject)?
                    {
                        let (folder, parent) = (state.folder, proposal.parent);
                        let held_deletion = HeldDeletion { item, folder, parent, by: replica, device };
                        log.index.put_held_deletion(item, Some(&held_deletion))?;
                        *held.entry(state.folder).or_default() += 1;
                    }
                }
                _ => {}
            }
            answers.push(Answer { subject: proposal.subject, outcome });
        }
        let has_new_rows = log.close()?;
        index.put_replica(device, &record)?;
        let (_, mark) = index.head()?;
        let mut outputs = vec![HubOutput::Send(id, Frame::Answers(Answers { answers, mark }))];
        outputs.extend(held.into_iter().map(|(folder, count)| HubOutput::DeletionsHeld(folder, count)));
        if has_new_rows {
            self.sessions.values_mut().for_each(|session| session.told_head = false);
            outputs.push(HubOutput::NewRows);
        }
        Ok(outputs)
    }

    /// Carries out a person's decision about deletions that wait in a folder, of one replica or of all.
    pub fn decide_held(
        &mut self,
        index: &mut impl HubIndex,
        folder: FolderUid,
        decision: Decision,
        of: Option<ReplicaId>,
        told: Told,
    ) -> Result<Vec<HubOutput>> {
        let held: Vec<HeldDeletion> = index
            .held_deletions()?
            .into_iter()
            .filter(|held| held.folder == folder && of.is_none_or(|replica| replica == held.by))
            .collect();
        let mut log = Log::new(index)?;
        let mut restored = BTreeMap::<ReplicaId, Vec<ItemUid>>::new();
        for held in held {
            log.index.put_held_deletion(held.item, None)?;
            let row = log.index.row(Subject::Item(held.item))?;
            // Somebody changed the item since: the edit wins, the deletion is void.
            let is_as_seen = row.as_ref().is_some_and(|row| row.seq == held.parent);
            match (decision, row) {
                (Decision::Allow, Some(Row { body: RowBody::Item(state), .. })) if is_as_seen => {
                    let body = RowBody::ItemGone(tombstone_of(&state, told.now_secs, true));
                    log.append(Subject::Item(held.item), body)?;
                }
                _ => restored.entry(held.by).or_default().push(held.item),
            }
        }
        let has_new_rows = log.close()?;
        let mut outputs = Vec::new();
        for (replica, items) in &restored {
            // Told again in every session until the replica says that it has it.
            let mut record = index.replica(*replica)?.unwrap_or_default();
            record.to_restore.extend(items);
            index.put_replica(*replica, &record)?;
        }
        for (id, session) in &mut self.sessions {
            session.told_head &= !has_new_rows;
            if let Some(items) = restored.get(&session.replica) {
                outputs.extend(restore(*id, items));
            }
        }
        if has_new_rows {
            outputs.push(HubOutput::NewRows);
        }
        Ok(outputs)
    }

    /// Keeps a folder (with those in it) from a device, or releases it.
    pub fn set_withheld(
        &mut self,
        index: &mut impl HubIndex,
        device: &[u8],
        folder: FolderUid,
        is_withheld: bool,
    ) -> Result<()> {
        let device = of_device(device);
        let mut record = index.replica(device)?.unwrap_or_default();
        record.withheld.retain(|other| *other != folder);
        if is_withheld {
            record.withheld.push(folder);
        }
        index.put_replica(device, &record)?;
        if !is_withheld {
            // Rows the device never saw lie behind its cursor: they are numbered anew.
            self.renumber(index, folder)?;
        }
        Ok(())
    }

    fn renumber(&mut self, index: &mut impl HubIndex, top: FolderUid) -> Result<()> {
        let (_, head) = index.head()?;
        let mut after = Seq(0);
        let mut log = Log::new(index)?;
        loop {
            let page = log.index.rows_after(after, Limits::ROWS_PER_FRAME)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for row in page.into_iter().filter(|row| row.seq <= head.seq) {
                let folder = match (&row.body, row.subject) {
                    (RowBody::Folder(_), Subject::Folder(uid)) => uid,
                    (RowBody::Item(state), _) => state.folder,
                    (RowBody::Conflict(conflict), _) => conflict.loser.folder,
                    _ => continue,
                };
                if is_in(log.index, folder, &[top])? {
                    log.append(row.subject, row.body)?;
                }
            }
            if after >= head.seq {
                break;
            }
        }
        log.close()?;
        self.sessions.values_mut().for_each(|session| session.told_head = false);
        Ok(())
    }

    /// The folders that are kept from whoever is at the other end of a session, each with those in it.
    pub fn withheld(&self, index: &impl HubIndex, session: SessionId) -> Result<Vec<FolderUid>> {
        let Some(session) = self.sessions.get(&session) else { return Ok(Vec::new()) };
        Ok(index.replica(of_device(&session.device))?.unwrap_or_default().withheld)
    }
}

/// A replica's id counts only together with the device that named it, so no device can speak for another.
#[must_use]
pub fn bound_to(device: &[u8], replica: ReplicaId) -> ReplicaId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(device).update(&replica.0);
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    ReplicaId(id)
}

/// The key under which the hub remembers what holds for a device, whatever replica it says it is: how far its deletions
/// went lately, what is kept from it, whether it may take over. A new replica id is easily made, and gives nothing anew.
#[must_use]
pub fn of_device(device: &[u8]) -> ReplicaId {
    bound_to(device, ReplicaId([0; 16]))
}

fn restore(session: SessionId, items: &[ItemUid]) -> impl Iterator<Item = HubOutput> {
    items.chunks(Limits::LIST).map(move |page| HubOutput::Send(session, Frame::Restore(page.to_vec())))
}

/// A row as a replica may see it.
fn seen_by(index: &impl HubIndex, row: Row, withheld: &[FolderUid]) -> Result<Option<Row>> {
    if withheld.is_empty() {
        return Ok(Some(row));
    }
    Ok(match &row.body {
        RowBody::Item(state) if is_in(index, state.folder, withheld)? => {
            Some(Row { body: RowBody::ItemElsewhere(state.folder), ..row })
        }
        RowBody::ItemGone(tombstone) if is_in(index, tombstone.folder, withheld)? => {
            Some(Row { body: RowBody::ItemElsewhere(tombstone.folder), ..row })
        }
        RowBody::Conflict(conflict) if is_in(index, conflict.loser.folder, withheld)? => None,
        RowBody::Folder(_) => match row.subject {
            Subject::Folder(uid) if is_in(index, uid, withheld)? => None,
            _ => Some(row),
        },
        _ => Some(row),
    })
}

/// Whether an item lies, or lay last, in one of `tops` or below.
pub fn is_item_in(index: &impl HubIndex, item: ItemUid, tops: &[FolderUid]) -> Result<bool> {
    if tops.is_empty() {
        return Ok(false);
    }
    match index.row(Subject::Item(item))? {
        Some(Row { body: RowBody::Item(state), .. }) => is_in(index, state.folder, tops),
        Some(Row { body: RowBody::ItemGone(tombstone), .. }) => is_in(index, tombstone.folder, tops),
        _ => Ok(false),
    }
}

/// Whether a folder is one of `tops` or lies in one.
fn is_in(index: &impl HubIndex, folder: FolderUid, tops: &[FolderUid]) -> Result<bool> {
    if tops.is_empty() {
        return Ok(false);
    }
    let mut next = Some(folder);
    for _ in 0..=Limits::DEPTH {
        let Some(folder) = next else { return Ok(false) };
        if tops.contains(&folder) {
            return Ok(true);
        }
        next = match index.row(Subject::Folder(folder))? {
            Some(Row { body: RowBody::Folder(state), .. }) => state.parent,
            _ => None,
        };
    }
    Ok(false)
}

/// The content a change brings along.
fn needed(change: &Change) -> Option<NativeHash> {
    match change {
        Change::Item { state, .. } => Some(state.version.native),
        Change::Conflict(conflict) => Some(conflict.loser.version.native),
        _ => None,
    }
}

fn tombstone_of(state: &ItemState, at: u64, approved: bool) -> Tombstone {
    Tombstone { folder: state.folder, canon: state.version.canon, identity: state.identity, at, approved }
}

/// The log being written to, within one group.
struct Log<'a, I: HubIndex> {
    index: &'a mut I,
    mark: LogMark,
    /// Rows up to here are covered by a mark that is written.
    marked: Seq,
    before: Seq,
    hasher: blake3::Hasher,
}

/// Most rows between two marks: less than a page, so that every page can end at one.
const ROWS_PER_MARK: u64 = Limits::ROWS_PER_FRAME as u64 / 4;

impl<'a, I: HubIndex> Log<'a, I> {
    fn new(index: &'a mut I) -> Result<Self> {
        let (_, mark) = index.head()?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&mark.hash);
        Ok(Self { index, mark, marked: mark.seq, before: mark.seq, hasher })
    }

    fn append(&mut self, subject: Subject, body: RowBody) -> Result<Seq> {
        let seq = Seq(self.mark.seq.0 + 1);
        let row = Row { seq, subject, body };
        self.hasher.update(&postcard::to_stdvec(&row).expect("rows hold nothing that postcard can't write"));
        self.index.put_row(&row)?;
        self.mark.seq = seq;
        if seq.0 - self.marked.0 >= ROWS_PER_MARK {
            self.put_mark()?;
        }
        Ok(seq)
    }

    fn put_mark(&mut self) -> Result<()> {
        self.hasher.finalize_xof().fill(&mut self.mark.hash);
        self.hasher = blake3::Hasher::new();
        self.hasher.update(&self.mark.hash);
        self.marked = self.mark.seq;
        self.index.put_mark(self.mark)
    }

    /// Marks where the group ends; tells whether it holds anything.
    fn close(mut self) -> Result<bool> {
        if self.mark.seq > self.marked {
            self.put_mark()?;
        }
        Ok(self.mark.seq > self.before)
    }

    /// The items whose deletion the guard lets pass.
    fn pass_guard(
        &mut self,
        record: &mut ReplicaRecord,
        proposals: &[Proposal],
        now_secs: u64,
    ) -> Result<BTreeSet<Subject>> {
        let mut passed = BTreeSet::new();
        let mut asked = Vec::new();
        for proposal in proposals {
            let Change::ItemGone { approved } = proposal.change else { continue };
            if approved && record.may_take_over {
                passed.insert(proposal.subject);
            } else if let Some(Row { body: RowBody::Item(state), seq, .. }) = self.index.row(proposal.subject)?
                && seq == proposal.parent
            {
                asked.push((proposal.subject, state.folder));
            }
        }
        if asked.is_empty() {
            return Ok(passed);
        }
        let folders: Vec<FolderUid> = asked.iter().map(|(_, folder)| *folder).collect();
        let mut sizes = BTreeMap::new();
        for folder in &folders {
            if !sizes.contains_key(folder) {
                sizes.insert(*folder, self.index.live_count(*folder)?);
            }
        }
        let total = self.index.live_total()?;
        let size_of = |folder: FolderUid| sizes.get(&folder).copied().unwrap_or(0);
        let verdicts = record.guard.admit(now_secs, &folders, &size_of, total);
        passed.extend(asked.iter().zip(verdicts).filter(|(_, may_pass)| *may_pass).map(|((subject, _), _)| *subject));
        Ok(passed)
    }

    fn judge(
        &mut self,
        proposal: &Proposal,
        by: ReplicaId,
        record: &ReplicaRecord,
        may_go: bool,
        now_secs: u64,
    ) -> Result<Outcome> {
        let current = self.index.row(proposal.subject)?;
        match (proposal.subject, &proposal.change) {
            (Subject::Item(item), Change::Item { state, planned_at }) => {
                self.judge_item(item, proposal.parent, state, *planned_at, current, record)
            }
            (Subject::Item(item), Change::ItemGone { .. }) => {
                self.judge_deletion(item, proposal.parent, current, record, may_go, now_secs)
            }
            (Subject::Folder(folder), Change::Folder(state)) => {
                self.judge_folder(folder, proposal.parent, state, current, record)
            }
            (Subject::Folder(folder), Change::FolderGone) => {
                self.judge_folder_deletion(folder, proposal.parent, current, record)
            }
            (Subject::Conflict(id), Change::Conflict(conflict)) => {
                self.judge_conflict(id, conflict, by, current, record, now_secs)
            }
            (Subject::Conflict(_), Change::ConflictResolved) => match current {
                Some(Row { body: RowBody::Conflict(conflict), .. }) => {
                    if is_in(self.index, conflict.loser.folder, &record.withheld)? {
                        return Ok(Outcome::Refused(Refusal::NotAllowed));
                    }
                    Ok(Outcome::Accepted(self.append(proposal.subject, RowBody::ConflictResolved)?))
                }
                Some(row) => Ok(Outcome::Accepted(row.seq)),
                None => Ok(Outcome::Refused(Refusal::Malformed)),
            },
            _ => Ok(Outcome::Refused(Refusal::Malformed)),
        }
    }

    fn judge_item(
        &mut self,
        item: ItemUid,
        parent: Seq,
        state: &ItemState,
        planned_at: Seq,
        current: Option<Row>,
        record: &ReplicaRecord,
    ) -> Result<Outcome> {
        if !self.is_live_folder(state.folder)? {
            return Ok(Outcome::Refused(Refusal::NoSuchFolder));
        }
        if is_in(self.index, state.folder, &record.withheld)? {
            return Ok(Outcome::Refused(Refusal::NotAllowed));
        }
        match current {
            Some(row) => {
                if let RowBody::Item(present) = &row.body {
                    // Told twice, after a cut; or rewritten in a store, and new bytes are only of use where the row's are gone.
                    if present.same_as(state) && (row.seq != parent || self.index.holds(present.version.native)?) {
                        return Ok(Outcome::Accepted(row.seq));
                    }
                    if is_in(self.index, present.folder, &record.withheld)? {
                        return Ok(Outcome::Refused(Refusal::NotAllowed));
                    }
                }
                if row.seq != parent {
                    return Ok(Outcome::Stale(Some(row)));
                }
            }
            None if parent != Seq(0) => return Ok(Outcome::Stale(None)),
            None => {
                let twin = self.index.find_item(state.folder, planned_at, state.version.canon, state.identity)?;
                if twin.is_some() {
                    return Ok(Outcome::MayBeTwin);
                }
            }
        }
        if !self.index.holds(state.version.native)? {
            return Ok(Outcome::NeedContent(state.version.native));
        }
        self.index.put_held_deletion(item, None)?;
        Ok(Outcome::Accepted(self.append(Subject::Item(item), RowBody::Item(state.clone()))?))
    }

    fn judge_deletion(
        &mut self,
        item: ItemUid,
        parent: Seq,
        current: Option<Row>,
        record: &ReplicaRecord,
        may_go: bool,
        now_secs: u64,
    ) -> Result<Outcome> {
        let Some(row) = current else { return Ok(Outcome::Stale(None)) };
        match &row.body {
            RowBody::ItemGone(_) => Ok(Outcome::Accepted(row.seq)),
            RowBody::Item(state) if is_in(self.index, state.folder, &record.withheld)? => {
                Ok(Outcome::Refused(Refusal::NotAllowed))
            }
            RowBody::Item(_) if row.seq != parent => Ok(Outcome::Stale(Some(row))),
            RowBody::Item(_) if !may_go => Ok(Outcome::Held),
            RowBody::Item(state) => {
                let body = RowBody::ItemGone(tombstone_of(state, now_secs, false));
                Ok(Outcome::Accepted(self.append(Subject::Item(item), body)?))
            }
            _ => Ok(Outcome::Refused(Refusal::Malformed)),
        }
    }

    fn judge_folder(
        &mut self,
        folder: FolderUid,
        parent: Seq,
        state: &FolderState,
        current: Option<Row>,
        record: &ReplicaRecord,
    ) -> Result<Outcome> {
        // Before anything is answered that says what such a folder is called.
        for folder in state.parent.into_iter().chain([folder]) {
            if is_in(self.index, folder, &record.withheld)? {
                return Ok(Outcome::Refused(Refusal::NotAllowed));
            }
        }
        if let Some(row) = &current
            && matches!(&row.body, RowBody::Folder(present) if present == state)
        {
            return Ok(Outcome::Accepted(row.seq));
        }
        if current.as_ref().map_or(Seq(0), |row| row.seq) != parent {
            return Ok(Outcome::Stale(current));
        }
        if let Some(Row { body: RowBody::Folder(present), .. }) = &current
            && present.kind != state.kind
        {
            return Ok(Outcome::Refused(Refusal::Malformed));
        }
        if let Some(above) = state.parent {
            if !self.is_live_folder(above)? {
                return Ok(Outcome::Refused(Refusal::NoSuchFolder));
            }
            if is_in(self.index, above, &[folder])? || self.depth(above)? >= Limits::DEPTH {
                return Ok(Outcome::Refused(Refusal::Cycle));
            }
        }
        if let Some(other) = self.index.find_folder(state.parent, state.kind, &state.name)?
            && other != folder
        {
            // Made on two computers: one folder. Renamed onto an existing name: both stay, the later gets a suffix.
            if current.is_none() {
                return Ok(Outcome::SameFolder(other));
            }
            let name = self.free_name(state)?;
            let state = FolderState { name, ..state.clone() };
            let seq = self.append(Subject::Folder(folder), RowBody::Folder(state.clone()))?;
            return Ok(Outcome::Stale(Some(Row {
                seq,
                subject: Subject::Folder(folder),
                body: RowBody::Folder(state),
            })));
        }
        Ok(Outcome::Accepted(self.append(Subject::Folder(folder), RowBody::Folder(state.clone()))?))
    }

    fn judge_folder_deletion(
        &mut self,
        folder: FolderUid,
        parent: Seq,
        current: Option<Row>,
        record: &ReplicaRecord,
    ) -> Result<Outcome> {
        let Some(row) = current else { return Ok(Outcome::Stale(None)) };
        match &row.body {
            RowBody::FolderGone => Ok(Outcome::Accepted(row.seq)),
            _ if is_in(self.index, folder, &record.withheld)? => Ok(Outcome::Refused(Refusal::NotAllowed)),
            _ if row.seq != parent => Ok(Outcome::Stale(Some(row))),
            _ if self.index.live_count(folder)? > 0 || self.index.has_subfolders(folder)? => {
                Ok(Outcome::Refused(Refusal::FolderNotEmpty))
            }
            _ => Ok(Outcome::Accepted(self.append(Subject::Folder(folder), RowBody::FolderGone)?)),
        }
    }

    fn judge_conflict(
        &mut self,
        id: ConflictId,
        conflict: &Conflict,
        by: ReplicaId,
        current: Option<Row>,
        record: &ReplicaRecord,
        now_secs: u64,
    ) -> Result<Outcome> {
        if id != ConflictId::of(conflict.item, &conflict.loser.version) {
            return Ok(Outcome::Refused(Refusal::Malformed));
        }
        // Where the item lies is the log's to say, and not only the replica's.
        if is_in(self.index, conflict.loser.folder, &record.withheld)?
            || is_item_in(self.index, conflict.item, &record.withheld)?
        {
            return Ok(Outcome::Refused(Refusal::NotAllowed));
        }
        if let Some(row) = current {
            // The same edit lost before; it is kept once.
            return Ok(Outcome::Accepted(row.seq));
        }
        if !self.index.holds(conflict.loser.version.native)? {
            return Ok(Outcome::NeedContent(conflict.loser.version.native));
        }
        let conflict = Conflict { made_by: by, at: now_secs, ..conflict.clone() };
        Ok(Outcome::Accepted(self.append(Subject::Conflict(id), RowBody::Conflict(conflict))?))
    }

    fn is_live_folder(&self, folder: FolderUid) -> Result<bool> {
        let row = self.index.row(Subject::Folder(folder))?;
        Ok(matches!(row, Some(Row { body: RowBody::Folder(_), .. })))
    }

    fn depth(&self, folder: FolderUid) -> Result<usize> {
        let mut next = Some(folder);
        let mut depth = 0;
        while let Some(folder) = next
            && depth <= Limits::DEPTH
        {
            depth += 1;
            next = match self.index.row(Subject::Folder(folder))? {
                Some(Row { body: RowBody::Folder(state), .. }) => state.parent,
                _ => None,
            };
        }
        Ok(depth)
    }

    fn free_name(&self, state: &FolderState) -> Result<String> {
        for number in 2u32.. {
            let name = format!("{} ({number})", state.name);
            if self.index.find_folder(state.parent, state.kind, &name)?.is_none() {
                return Ok(name);
            }
        }
        unreachable!("there are fewer folders than numbers")
    }
}
