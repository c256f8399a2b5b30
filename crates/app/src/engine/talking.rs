//! Frames between replica, hub and links; contents asked for and served.

use super::{
    Arrived, Cause, Effect, Event, HubRoom, Input, LinkSender, OWN, Part, Result, Room, ToSave, now_secs, random,
    source::Source, told, worker::Job,
};
use crate::{
    blobs::BlobError,
    message::{Code, Problem},
};
use pim::{FolderUid, ItemUid, NativeHash};
use std::collections::BTreeSet;
use stores::{FolderId, Payload};
use sync::{
    hub::{HubOutput, SessionId},
    index::{HubIndex, ReplicaIndex},
    replica::{FolderChange, HandleError, Happened, Merged, Output},
    wire::{Frame, Outcome, Want},
};

/// Rows are sent while fewer frames than this wait on the link.
const FRAMES_QUEUED_MAX: usize = 8;
/// A hundred thousand contacts that were read are much to say, and somebody may stand at the door.
const TALK_TIME: std::time::Duration = std::time::Duration::from_millis(250);
/// The server's own replica plans again so long after planning went in a circle.
const PLAN_AGAIN: std::time::Duration = std::time::Duration::from_secs(30);
/// Stands for no item where only a content is meant.
const NOBODY: ItemUid = ItemUid([0; 16]);

impl Room {
    pub(super) fn link_up(&mut self, session: SessionId, device: Vec<u8>, to: LinkSender) -> Result<()> {
        self.links.insert(session, to.with_device(device));
        self.asked.insert(session, BTreeSet::new());
        if self.part == Part::Client {
            self.settled = sync::model::Seq(0);
            self.problems.clear(&Cause::Peer);
            self.state.is_connected = true;
            self.state.was_pending = 0;
            self.replica.connected(&self.index.replica())?;
        }
        Ok(())
    }

    pub(super) fn link_down(&mut self, session: SessionId) {
        if self.links.remove(&session).is_none() {
            return;
        }
        self.asked.remove(&session);
        match (&mut self.hub, self.part) {
            (Some(room), Part::Server) => room.hub.close(session),
            _ => {
                self.state.is_connected = false;
                self.state.was_pending = self.replica.pending() as u64;
                self.replica.disconnected();
                // Large ones needn't come again.
                let arrived = std::mem::take(&mut self.arrived).into_iter();
                self.to_save.extend(arrived.filter(|(_, arrived)| matches!(arrived, Arrived::Large(_))));
                self.effects.push_back(Effect::SaveContents);
                self.asked_by_person.clear();
                self.awaits_restore = false;
                self.resume.clear();
            }
        }
    }

    pub(super) fn frame_came(&mut self, session: SessionId, frame: Frame) -> Result<()> {
        if !self.links.contains_key(&session) {
            return Ok(());
        }
        match self.part {
            Part::Server => self.frame_for_hub(session, frame),
            Part::Client => match frame {
                Frame::Want(wants) => {
                    // The hub asks by proposals, and before that it says where contents go on that it has a part of.
                    // An item it names is one whose content the server's own store lost and shall have again.
                    let (parts, lost): (Vec<Want>, Vec<Want>) = wants.into_iter().partition(|want| want.item == NOBODY);
                    self.resume.extend(parts.into_iter().map(|want| (want.native, want.offset)));
                    self.serve_what_is_here(session, lost)
                }
                Frame::CannotServe(contents) => {
                    // What a person waits for is asked for again.
                    self.asked_by_person.retain(|native| !contents.contains(native));
                    self.frame_for_replica(Frame::CannotServe(contents))
                }
                Frame::Settled(seq) => {
                    self.settled = seq;
                    Ok(())
                }
                frame => {
                    self.awaits_restore &= !matches!(frame, Frame::Restore(_));
                    self.frame_for_replica(frame)
                }
            },
        }
    }

    fn frame_for_replica(&mut self, frame: Frame) -> Result<()> {
        match self.replica.handle(&mut self.index.replica(), frame, random()) {
            Ok(()) => Ok(()),
            Err(HandleError::Index(error)) => Err(error),
            Err(HandleError::OutOfTurn) => {
                let sessions: Vec<SessionId> = self.links.keys().copied().collect();
                self.effects.extend(sessions.into_iter().map(Effect::Hangup));
                self.problem(Cause::Peer, Problem::new(Code::VersionsDiffer));
                Ok(())
            }
        }
    }

    fn frame_for_hub(&mut self, session: SessionId, frame: Frame) -> Result<()> {
        let Some(HubRoom { hub, index }) = &mut self.hub else { return Ok(()) };
        let outputs = if let Frame::Hello(hello) = frame {
            if !hub.is_hello_due(session, &hello) {
                self.effects.push_back(Effect::Hangup(session));
                return Ok(());
            }
            let device = self.links.get(&session).map(|link| link.device().to_vec()).unwrap_or_default();
            let welcome = hub.open(index, session, &device, &hello, told())?;
            self.device_came(&String::from_utf8_lossy(&device))?;
            self.told_settled = None;
            // What was changed here just before somebody came is part of what they come for; watching may not have seen it.
            self.read_now();
            vec![HubOutput::Send(session, welcome), HubOutput::NewRows]
        } else if let (Frame::Program(version), Some(link)) = (&frame, self.links.get(&session)) {
            let device = String::from_utf8_lossy(link.device()).into_owned();
            self.runs_program(&device, version)?;
            Vec::new()
        } else {
            hub.handle(index, session, frame, told())?
        };
        self.hub_says(outputs)
    }

    pub(super) fn hub_says(&mut self, outputs: Vec<HubOutput>) -> Result<()> {
        for output in outputs {
            match output {
                HubOutput::Send(OWN, frame) => self.frame_for_replica(frame)?,
                HubOutput::Send(session, frame) => {
                    if let Frame::Answers(answers) = &frame {
                        let needs = answers.answers.iter().filter_map(|answer| match answer.outcome {
                            Outcome::NeedContent(native) => Some(native),
                            _ => None,
                        });
                        let needs: Vec<NativeHash> = needs.collect();
                        self.say_where_to_go_on(session, &needs);
                        self.asked.entry(session).or_default().extend(needs);
                    }
                    self.effects.push_back(Effect::Send(session, frame));
                }
                HubOutput::Serve(session, wants) => self.serve(session, wants)?,
                HubOutput::NewRows => {
                    let sessions: Vec<SessionId> = self.links.keys().copied().collect();
                    for session in sessions {
                        self.send_rows(session)?;
                    }
                }
                HubOutput::Hangup(session) => self.effects.push_back(Effect::Hangup(session)),
                HubOutput::DeletionsHeld(folder, count) => {
                    let happened = Happened::DeletionsHeld(folder, count);
                    self.effects.push_back(Effect::Event(Event::Happened(happened)));
                }
            }
        }
        Ok(())
    }

    /// A large content that an earlier link brought a part of goes on where it stopped.
    fn say_where_to_go_on(&mut self, session: SessionId, needs: &[NativeHash]) {
        let parts: Vec<Want> = {
            let blobs = &self.shared.blobs;
            let begun = needs.iter().map(|native| (*native, blobs.resume_offset(*native)));
            let want = |(native, offset)| Want { item: NOBODY, native, offset };
            begun.filter(|(_, offset)| *offset > 0).map(want).collect()
        };
        if !parts.is_empty() {
            self.effects.push_back(Effect::Send(session, Frame::Want(parts)));
        }
    }

    /// Sends rows as long as the link takes them.
    pub(super) fn send_rows(&mut self, session: SessionId) -> Result<()> {
        let Some(HubRoom { hub, index }) = &mut self.hub else { return Ok(()) };
        let Some(link) = self.links.get(&session) else { return Ok(()) };
        let mut queued = link.queued();
        while queued < FRAMES_QUEUED_MAX
            && let Some(rows) = hub.next_rows(index, session)?
        {
            queued += 1;
            self.effects.push_back(Effect::Send(session, rows));
        }
        Ok(())
    }

    fn serve(&mut self, session: SessionId, wants: Vec<Want>) -> Result<()> {
        let mut missing = Vec::new();
        let withheld = match &self.hub {
            Some(HubRoom { hub, index }) => hub.withheld(index, session)?,
            None => Vec::new(),
        };
        for Want { item, native, offset } in wants {
            match self.locate(Some(item), native)? {
                // Whatever item is named: what somebody may not have isn't had by its hash either.
                _ if self.is_content_in(native, &withheld)? => missing.push(native),
                Some(source) => self.effects.push_back(Effect::Serve(session, item, native, offset, source)),
                None => missing.push(native),
            }
        }
        if !missing.is_empty() {
            self.effects.push_back(Effect::Send(session, Frame::CannotServe(missing)));
        }
        Ok(())
    }

    /// Whether the server's store holds these bytes in one of `folders`, or below.
    fn is_content_in(&self, native: NativeHash, folders: &[FolderUid]) -> Result<bool> {
        let Some(HubRoom { index, .. }) = self.hub.as_ref().filter(|_| !folders.is_empty()) else { return Ok(false) };
        let Some(item) = index.item_with(native)? else { return Ok(false) };
        sync::hub::is_item_in(index, item, folders)
    }

    /// Where these bytes are on this computer.
    pub(crate) fn locate(&self, item: Option<ItemUid>, native: NativeHash) -> Result<Option<Source>> {
        if let Some(arrived) = self.arrived.get(&native) {
            return Ok(Some(Source::Here(arrived.payload())));
        }
        if let Some(item) = item
            && let Some(record) = self.index.replica().item(item)?
            && let Some(local) = record.local
            && local.state.version.native == native
        {
            return Ok(Some(Source::Store(local.href)));
        }
        if self.shared.blobs.contains(native) {
            return Ok(Some(Source::Blob(native)));
        }
        let Some(HubRoom { index, .. }) = &self.hub else { return Ok(None) };
        let Some(item) = index.item_with(native)? else { return Ok(None) };
        let record = self.index.replica().item(item)?;
        Ok(record.and_then(|record| record.local).map(|local| Source::Store(local.href)))
    }

    pub(super) fn serve_failed(&mut self, session: SessionId, item: ItemUid, native: NativeHash) {
        match self.part {
            Part::Server => self.effects.push_back(Effect::Send(session, Frame::CannotServe(vec![native]))),
            Part::Client => self.replica.upload_failed(item),
        }
        self.read_all();
    }

    pub(super) fn content_came(&mut self, session: SessionId, native: NativeHash, arrived: Arrived) {
        // What nobody asked for is dropped.
        if !self.asked.get_mut(&session).is_some_and(|asked| asked.remove(&native)) {
            return arrived.discard();
        }
        match self.part {
            Part::Server => {
                self.to_save.push((native, arrived));
                self.effects.push_back(Effect::SaveContents);
            }
            Part::Client if self.asked_by_person.remove(&native) => {
                self.to_save.push((native, arrived));
                self.effects.push_back(Effect::SaveContents);
            }
            Part::Client => {
                self.count(&arrived.payload());
                self.arrived.insert(native, arrived).into_iter().for_each(Arrived::discard);
                self.replica.received(native);
            }
        }
    }

    fn count(&mut self, payload: &Payload) {
        self.state.bytes_done += match payload {
            Payload::Memory(bytes) => bytes.len() as u64,
            Payload::File { size, .. } => *size,
        };
    }

    pub(super) fn discard_arrived(&mut self) {
        std::mem::take(&mut self.arrived).into_values().for_each(Arrived::discard);
    }

    /// Makes what arrived durable beside this thread, as one group; what arrives meanwhile is the next group.
    pub(super) fn save_contents(&mut self) {
        if self.is_saving || self.to_save.is_empty() || self.save_again_at.is_some() {
            return;
        }
        self.is_saving = true;
        let group = std::mem::take(&mut self.to_save);
        let (blobs, inputs) = (std::sync::Arc::clone(&self.shared.blobs), self.inputs.clone());
        std::thread::spawn(move || {
            let mut saved = Vec::with_capacity(group.len());
            let mut files = Vec::with_capacity(group.len());
            let mut failed = Vec::new();
            let mut problem = None;
            for (native, arrived) in group {
                let written = match &arrived {
                    Arrived::Small { .. } => super::bytes::save(&blobs, &arrived.payload(), native),
                    Arrived::Large(_) => Ok(None),
                };
                match (written, arrived) {
                    (_, Arrived::Large(finished)) => {
                        files.push(finished);
                        saved.push((native, None));
                    }
                    (Ok(file), small) => {
                        files.extend(file);
                        saved.push((native, Some(small)));
                    }
                    (Err(stores::StoreError::NoSpace { need }), small) => {
                        problem = Some(BlobError::NoSpace { need, free: 0 });
                        failed.push((native, small));
                    }
                    (Err(error), _) => tracing::warn!(%error, "content can't be kept"),
                }
            }
            let mut is_any_lost = false;
            if let Err(error) = blobs.keep(files) {
                is_any_lost = saved.iter().any(|(_, small)| small.is_none());
                failed.extend(saved.drain(..).filter_map(|(native, small)| Some((native, small?))));
                problem = Some(error);
            }
            let saved = saved.into_iter().map(|(native, _)| native).collect();
            inputs.send(Input::Durable { saved, failed, is_any_lost, problem }).ok();
        });
    }

    /// What came can't be kept now: there is no room beside the index.
    pub(super) fn keeping_failed(&mut self, error: BlobError) {
        self.store_problem(Cause::Keeping, &super::blob_error(error));
    }

    pub(super) fn contents_durable(
        &mut self,
        contents: Vec<NativeHash>,
        failed: Vec<ToSave>,
        problem: Option<BlobError>,
    ) -> Result<()> {
        self.is_saving = false;
        match problem {
            Some(error) => self.keeping_failed(error),
            None => self.problems.clear(&Cause::Keeping),
        }
        if !failed.is_empty() {
            // They stay here, and no more comes than fits beside them, until there is room.
            self.to_save.splice(0..0, failed);
            self.save_again_at = Some(std::time::Instant::now() + super::RETRY);
        } else if !self.to_save.is_empty() {
            self.effects.push_back(Effect::SaveContents);
        }
        let contents: BTreeSet<NativeHash> = contents.into_iter().collect();
        let Some(HubRoom { hub, index }) = &mut self.hub else { return Ok(()) };
        let outputs = hub.contents_arrived(index, &contents, told())?;
        self.hub_says(outputs)
    }

    /// Lets replica and hub speak until neither has anything to say, or for a while: the rest comes after what others want.
    pub(super) fn talk(&mut self) -> Result<()> {
        let begun = std::time::Instant::now();
        self.talks_on = false;
        loop {
            if self.reads && self.recovering == super::Recovering::No && self.knows_folders() {
                self.replica.advance(&mut self.index.replica(), now_secs())?;
            }
            let mut has_spoken = false;
            while let Some(output) = self.replica.poll() {
                has_spoken = true;
                self.replica_says(output)?;
            }
            if self.part == Part::Server {
                has_spoken |= self.own_rows()?;
            }
            if !has_spoken {
                return Ok(());
            }
            if begun.elapsed() >= TALK_TIME {
                self.talks_on = true;
                return Ok(());
            }
        }
    }

    /// The run ends, and after a while everything is decided anew.
    fn planning_stopped(&mut self) {
        self.problem(Cause::Planning, Problem::new(Code::PlanningEndless));
        match self.part {
            Part::Server => self.plan_again_at = Some(std::time::Instant::now() + PLAN_AGAIN),
            Part::Client => self.hang_up_all(),
        }
    }

    /// The server's own replica comes back to the hub.
    pub(super) fn plan_again(&mut self) -> Result<()> {
        self.plan_again_at = None;
        self.replica.connected(&self.index.replica())
    }

    fn own_rows(&mut self) -> Result<bool> {
        let mut is_any = false;
        while let Some(HubRoom { hub, index }) = &mut self.hub
            && let Some(rows) = hub.next_rows(index, OWN)?
        {
            is_any = true;
            self.frame_for_replica(rows)?;
        }
        Ok(is_any)
    }

    fn replica_says(&mut self, output: Output) -> Result<()> {
        match output {
            Output::Send(frame) => self.say(frame),
            Output::Upload { item, native, href } => self.upload(item, native, href),
            Output::Merge(job) => {
                let theirs = self.locate(None, job.theirs.version.native)?;
                match theirs {
                    Some(theirs) => {
                        let ours = Source::Store(job.ours.href.clone());
                        self.effects.push_back(Effect::Job(Job::Merge(job, ours, theirs)));
                    }
                    None => self.replica.merge_failed(job.item),
                }
                Ok(())
            }
            Output::Apply(group) => self.apply(group),
            Output::ApplyFolder(folder, change) => {
                let above = match &change {
                    FolderChange::Make(state) | FolderChange::Rename(_, state) => state.parent,
                    FolderChange::Delete(_) => None,
                };
                let above = above.map(|uid| self.index.replica().folder(uid)).transpose()?.flatten();
                let above = above.and_then(|record| record.local).map(|local| FolderId(local.id));
                self.effects.push_back(Effect::Job(Job::Folder(folder, change, above)));
                Ok(())
            }
            Output::MarkFolder(folder, id) => {
                self.folder_renamed(folder, FolderId(id));
                Ok(())
            }
            Output::ReadAgain => {
                self.read_all();
                Ok(())
            }
            Output::Happened(happened) => {
                match happened {
                    Happened::MaybeSame(ours, theirs) => self.maybe_same.push((ours, theirs)),
                    Happened::ReversionsHeld(folder, _) => self.tell_reversions(folder)?,
                    _ => {}
                }
                self.remember(&happened)?;
                self.effects.push_back(Effect::Event(Event::Happened(happened)));
                Ok(())
            }
            Output::PairedAnew => {
                tracing::info!("this computer is paired anew: nothing counts as deleted in this round");
                self.problem(Cause::Restored, Problem::new(Code::RecordsApart));
                Ok(())
            }
            Output::Endless => {
                self.planning_stopped();
                Ok(())
            }
        }
    }

    fn say(&mut self, frame: Frame) -> Result<()> {
        if self.part == Part::Client {
            let Some(session) = self.links.keys().next().copied() else { return Ok(()) };
            if let Frame::Hello(hello) = &frame
                && self.said_hello.take().as_ref() == Some(hello)
            {
                return Ok(());
            }
            let frame = match frame {
                Frame::Want(wants) => Frame::Want(self.want(session, wants)?),
                frame => frame,
            };
            self.effects.push_back(Effect::Send(session, frame));
            return Ok(());
        }
        match frame {
            Frame::Hello(hello) => {
                let Some(HubRoom { hub, index }) = &mut self.hub else { return Ok(()) };
                let welcome = hub.open(index, OWN, b"own store", &hello, told())?;
                self.frame_for_replica(welcome)
            }
            Frame::Want(wants) => {
                let mut missing = Vec::new();
                for want in wants {
                    if self.locate(None, want.native)?.is_some() {
                        self.replica.received(want.native);
                    } else {
                        missing.push(want);
                        self.frame_for_replica(Frame::CannotServe(vec![want.native]))?;
                    }
                }
                self.ask_clients(missing);
                Ok(())
            }
            frame => {
                let Some(HubRoom { hub, index }) = &mut self.hub else { return Ok(()) };
                let outputs = hub.handle(index, OWN, frame, told())?;
                self.hub_says(outputs)
            }
        }
    }

    /// The server's own store lost what it shall have again; the clients' stores may hold it. What comes is kept, and found
    /// when the replica asks again.
    fn ask_clients(&mut self, wants: Vec<Want>) {
        let sessions: Vec<SessionId> = self.links.keys().copied().collect();
        for session in sessions {
            let asked = self.asked.entry(session).or_default();
            let new: Vec<Want> = wants.iter().filter(|want| asked.insert(want.native)).copied().collect();
            if !new.is_empty() {
                self.effects.push_back(Effect::Send(session, Frame::Want(new)));
            }
        }
    }

    fn serve_what_is_here(&mut self, session: SessionId, wants: Vec<Want>) -> Result<()> {
        for Want { item, native, offset } in wants {
            if let Some(source) = self.locate(Some(item), native)? {
                self.effects.push_back(Effect::Serve(session, item, native, offset, source));
            }
        }
        Ok(())
    }

    /// What is here already needn't be asked for; what was begun goes on where it stopped.
    fn want(&mut self, session: SessionId, wants: Vec<Want>) -> Result<Vec<Want>> {
        let mut missing = Vec::with_capacity(wants.len());
        for want in wants {
            if self.locate(None, want.native)?.is_some() {
                self.replica.received(want.native);
                continue;
            }
            let offset = self.shared.blobs.resume_offset(want.native);
            self.asked.entry(session).or_default().insert(want.native);
            missing.push(Want { offset, ..want });
        }
        Ok(missing)
    }

    fn upload(&mut self, item: ItemUid, native: NativeHash, href: Option<String>) -> Result<()> {
        if self.part == Part::Server {
            // The hub takes its own store's word, unless the bytes are gone.
            self.replica.upload_failed(item);
            return Ok(());
        }
        let source = href.map_or(Source::Blob(native), Source::Store);
        if let Some(session) = self.links.keys().next() {
            let offset = self.resume.remove(&native).unwrap_or(0);
            self.effects.push_back(Effect::Serve(*session, item, native, offset, source));
        }
        Ok(())
    }

    pub(super) fn merged(&mut self, item: ItemUid, merged: Option<std::result::Result<Merged, ()>>) -> Result<()> {
        match merged {
            Some(merged) => self.replica.merged(&mut self.index.replica(), item, merged.ok()),
            None => {
                self.replica.merge_failed(item);
                Ok(())
            }
        }
    }

    /// Tells the clients how far this computer's store is.
    pub(super) fn tell_settled(&mut self) -> Result<()> {
        // What the store refuses, its owner sees. The other computers needn't wait for it: the hub keeps what they sent.
        let is_stopped = self.refused_at.is_some() || self.problems.has(&Cause::Store);
        let is_done = self.replica.is_quiet() && !self.talks_on && self.groups.is_empty() && self.reading.is_quiet();
        if self.part != Part::Server || !(is_done || is_stopped) {
            return Ok(());
        }
        let Some(HubRoom { index, .. }) = &self.hub else { return Ok(()) };
        let (_, head) = index.head()?;
        if self.told_settled.is_none_or(|told| head.seq > told) {
            self.told_settled = Some(head.seq);
            let sessions: Vec<SessionId> = self.links.keys().copied().collect();
            self.effects.extend(sessions.into_iter().map(|session| Effect::Send(session, Frame::Settled(head.seq))));
        }
        Ok(())
    }
}
