//! What people ask the engine, and what they decide.

use super::{
    Cause, Effect, HubRoom, Part, Result, Room,
    source::Source,
    told,
    worker::{EditKind, Job, Prepared, Write, folder_kind},
};
use crate::{
    api::types::{
        ConflictDetail, ConflictView, Direction as ViewedDirection, FieldView, FolderView, HeldDecision, HeldView,
        HeldWhere, ItemView, Keep, Preview, PreviewFolder,
    },
    index::Device,
    language::Language,
    message::{Code, Problem},
};
use pim::{FolderKind, FolderUid, ItemUid, Kind, NativeHash};
use std::collections::{BTreeMap, BTreeSet};
use stores::FolderId;
use sync::{
    guard::Guarded,
    hub::{Decision, SessionId, of_device},
    index::{Direction, FolderRecord, Hold, HubIndex, ItemRecord, Local, Remote, ReplicaIndex},
    model::{Conflict, ConflictId, FolderState, ItemState, ReplicaId, RowBody, Seq, Subject},
    plan::{Action, decide},
    replica::{FolderChange, Replica, StoreChange, give_way},
    wire::Frame,
};

type Asked<T> = crate::message::Result<T>;

/// Version of the JSON shapes.
pub const SHAPE: u32 = 1;
/// So many names are given as examples.
const EXAMPLES: usize = 20;

/// Which way a folder's changes went before it was paused, by this name in the index.
fn before_pause(folder: FolderUid) -> String {
    format!("folder.before-pause.{folder}")
}

/// Deletions of one folder that wait in one place.
struct Waiting {
    waits: HeldWhere,
    count: u64,
    examples: Vec<String>,
    /// Which devices ask for them, as far as the server knows.
    by: BTreeSet<ReplicaId>,
}

impl Waiting {
    const fn new(waits: HeldWhere) -> Self {
        Self { waits, count: 0, examples: Vec::new(), by: BTreeSet::new() }
    }
}

impl Room {
    /// Every folder, in path order.
    pub(crate) fn folder_views(&self) -> Asked<Vec<FolderView>> {
        let index = self.index.replica();
        let folders = index.folders()?;
        let mut views = Vec::with_capacity(folders.len());
        for (uid, record) in &folders {
            let Some(state) = state_of(record) else { continue };
            views.push(FolderView {
                uid: uid.to_string(),
                kind: kind_name(state.kind).to_owned(),
                path: path_of(&folders, *uid, false),
                here: record.local.is_some().then(|| path_of(&folders, *uid, true)),
                direction: Replica::direction_of(&index, *uid)?.into(),
                items: index.local_count(*uid)?,
                agreed: index.base_count(*uid)?,
                is_paused: self.index.value(&before_pause(*uid))?.is_some(),
            });
        }
        views.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(views)
    }

    /// The items of a folder here, by title.
    pub(crate) fn item_views(&self, folder: FolderUid, limit: usize, with_fields: bool) -> Asked<Vec<ItemView>> {
        let mut views = Vec::new();
        for (uid, local) in self.index.replica().local_items(folder)?.into_iter().take(limit) {
            views.push(ItemView {
                uid: uid.to_string(),
                title: self.title(Some(uid), Some(&local.state)).unwrap_or_default(),
                fields: if with_fields { self.describe(Some(uid), &local.state) } else { Vec::new() },
                href: local.href,
            });
        }
        views.sort_by(|a, b| (&a.title, &a.uid).cmp(&(&b.title, &b.uid)));
        Ok(views)
    }

    /// The folder that people mean: by uid, or by path here or at the server.
    pub(crate) fn find_folder(&self, text: &str) -> Asked<FolderUid> {
        let folders = self.index.replica().folders()?;
        let wanted = text.trim_matches('/');
        let is_meant = |uid: &FolderUid| {
            uid.to_string() == wanted
                || path_of(&folders, *uid, true) == wanted
                || path_of(&folders, *uid, false) == wanted
        };
        let mut meant = folders.iter().map(|(uid, _)| *uid).filter(is_meant);
        match (meant.next(), meant.next()) {
            (Some(uid), None) => Ok(uid),
            (Some(_), Some(_)) => Err(Problem::new(Code::Ambiguous).with("name", text).with("n", 2_u64)),
            (None, _) => Err(Problem::new(Code::NoSuchFolder).with("folder", text)),
        }
    }

    /// Changes which way a folder's changes go.
    pub(crate) fn set_direction(&mut self, folder: FolderUid, direction: Direction) -> Asked<()> {
        self.index.set_value(&before_pause(folder), None)?;
        self.direct(folder, Some(direction))
    }

    /// Holds a folder still, or lets its changes go the way they went before.
    pub(crate) fn pause_folder(&mut self, folder: FolderUid, is_paused: bool) -> Asked<()> {
        let name = before_pause(folder);
        let before = self.index.value(&name)?;
        match (is_paused, before) {
            (true, None) => {
                let index = self.index.replica();
                if Replica::direction_of(&index, folder)? == Direction::Off {
                    return Ok(());
                }
                let own = index.folder(folder)?.and_then(|record| record.direction).map(ViewedDirection::from);
                let own = serde_json::to_vec(&own).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
                self.index.set_value(&name, Some(&own))?;
                self.direct(folder, Some(Direction::Off))
            }
            (false, Some(before)) => {
                let before: Option<ViewedDirection> =
                    serde_json::from_slice(&before).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
                self.direct(folder, before.map(Direction::from))?;
                Ok(self.index.set_value(&name, None)?)
            }
            _ => Ok(()),
        }
    }

    /// `None`: the way of the folder it lies in.
    fn direct(&mut self, folder: FolderUid, direction: Option<Direction>) -> Asked<()> {
        let mut index = self.index.replica();
        let mut record = index.folder(folder)?.unwrap_or_default();
        record.direction = direction;
        index.put_folder(folder, &record)?;
        // What rested because of the old direction is decided anew.
        for (item, mut record) in index.held_items()? {
            if record.hold == Some(Hold::Direction) {
                record.hold = None;
                index.put_item(item, &record)?;
            }
        }
        self.replica.observed_all();
        Ok(())
    }

    /// Folders to pair although they are called otherwise here: (the hub's, ours).
    pub(crate) fn map_folders(&mut self, pairs: Vec<(FolderUid, FolderUid)>) -> Asked<()> {
        self.replica.settings_mut().folder_map = pairs;
        self.replica.observed_folder();
        // The preview that follows shall know: pair at once.
        self.talk()?;
        Ok(())
    }

    /// Only these folders (and what lies in them) are kept the same; the others are off.
    pub(crate) fn select_only(&mut self, only: &[String]) -> Asked<()> {
        let index = self.index.replica();
        let folders = index.folders()?;
        let mut selected = Vec::new();
        for text in only {
            selected.push(self.find_folder(text)?);
        }
        for (uid, record) in &folders {
            let is_top = state_of(record).is_some_and(|state| state.parent.is_none());
            if is_top && !selected.contains(uid) {
                self.set_direction(*uid, Direction::Off)?;
            }
        }
        for uid in selected {
            self.set_direction(uid, Direction::Both)?;
        }
        Ok(())
    }

    /// Releases a folder for a device, or keeps it from it.
    pub(crate) fn release_folder(&mut self, folder: FolderUid, device: &str, is_released: bool) -> Asked<()> {
        let Some(HubRoom { hub, index }) = &mut self.hub else { return Err(Problem::new(Code::OnServerOnly)) };
        Ok(hub.set_withheld(index, device.as_bytes(), folder, !is_released)?)
    }

    /// Deletions that wait for a decision. `here` is what this computer is called.
    pub(crate) fn held_views(&self, language: Language, here: &str) -> Asked<Vec<HeldView>> {
        let index = self.index.replica();
        let folders = index.folders()?;
        let mut groups = BTreeMap::<(FolderUid, u8), Waiting>::new();
        let mut add = |folder: FolderUid, waits: HeldWhere, title: Option<String>, by: Option<ReplicaId>| {
            let waiting = groups.entry((folder, waits as u8)).or_insert_with(|| Waiting::new(waits));
            waiting.count += 1;
            waiting.examples.extend(title.filter(|_| waiting.count <= EXAMPLES as u64));
            waiting.by.extend(by);
        };
        for (item, record) in index.held_items()? {
            let Some(folder) = record.folder() else { continue };
            let waits = match record.hold {
                Some(Hold::DeletionWaits) => HeldWhere::AtServer,
                Some(Hold::RemovalWaits) => HeldWhere::Here,
                Some(Hold::DeletedElsewhere) => HeldWhere::DeletedElsewhere,
                Some(Hold::ReversionWaits) => HeldWhere::Reverted,
                _ => continue,
            };
            // The server shows its own waiting deletions below.
            if self.part == Part::Client || waits != HeldWhere::AtServer {
                add(folder, waits, self.title(Some(item), record.local.as_ref().map(|local| &local.state)), None);
            }
        }
        if let Some(HubRoom { index, .. }) = &self.hub {
            for held in index.held_deletions()? {
                let row = index.row(Subject::Item(held.item))?;
                let title = match row.map(|row| row.body) {
                    Some(RowBody::Item(state)) => self.title(Some(held.item), Some(&state)),
                    _ => None,
                };
                add(held.folder, HeldWhere::AtServer, title, Some(held.device));
            }
        }
        for (folder, count) in self.emptied_folders() {
            let waits = HeldWhere::Emptied;
            groups.insert((folder, waits as u8), Waiting { count, ..Waiting::new(waits) });
        }
        let mut views = Vec::new();
        for ((folder, _), Waiting { waits, count, examples, by }) in groups {
            let (path, of) = (path_of(&folders, folder, false), index.base_count(folder)?.max(count));
            let name = path.rsplit('/').next().unwrap_or_default();
            let problem = match waits {
                HeldWhere::Emptied => Problem::new(Code::FolderEmptied).with("folder", name),
                HeldWhere::Reverted => Problem::new(Code::ReversionsHeld).with("n", count).with("folder", name),
                HeldWhere::AtServer | HeldWhere::Here | HeldWhere::DeletedElsewhere => {
                    let computer = match (waits, self.part) {
                        (HeldWhere::AtServer, Part::Client) => Some(here.to_owned()),
                        _ => self.device_of(&by)?,
                    };
                    let problem = Problem::new(Code::DeletionsHeld).with("n", count).with("all", of);
                    problem.with("folder", name).with("computer", computer.unwrap_or_else(|| "other".to_owned()))
                }
            };
            let (folder, problem) = (folder.to_string(), problem.view(language));
            views.push(HeldView { folder, path, count, of, waits, examples, problem });
        }
        Ok(views)
    }

    /// What the device is called, if it is only one.
    fn device_of(&self, devices: &BTreeSet<ReplicaId>) -> Asked<Option<String>> {
        let is_it = |device: &Device| devices.iter().eq([&of_device(device.id.to_string().as_bytes())]);
        Ok(self.index.devices()?.into_iter().find(is_it).map(|device| device.name))
    }

    /// Items that one side doesn't take, in one message.
    pub(crate) fn left_out(&self) -> Asked<Option<Problem>> {
        let held = self.index.replica().held_items()?;
        let refused = held.iter().filter_map(|(item, record)| match &record.hold {
            // The owner keeps it from this computer.
            Some(Hold::Refused(reason)) if reason != "withheld" => Some((*item, record, reason.as_str())),
            _ => None,
        });
        let refused: Vec<_> = refused.collect();
        let Some((item, record, reason)) = refused.first() else { return Ok(None) };
        let is_one_reason = refused.iter().all(|(_, _, other)| other == reason);
        let title = self.title(Some(*item), record.local.as_ref().map(|local| &local.state)).unwrap_or_default();
        let problem = Problem::new(Code::ItemsLeftOut).with("n", refused.len()).with("name", title);
        Ok(Some(problem.with("reason", if is_one_reason { *reason } else { "several" })))
    }

    /// Decides about deletions that wait in a folder.
    pub(crate) fn decide_held(&mut self, folder: FolderUid, decision: HeldDecision) -> Asked<()> {
        let mut is_any = match decision {
            HeldDecision::Allow => self.believe_emptied(folder)?,
            HeldDecision::Restore => self.refill_emptied(folder)?,
        };
        let mut waits_at_server = false;
        let mut index = self.index.replica();
        for (item, mut record) in index.held_items()? {
            if record.folder() != Some(folder) {
                continue;
            }
            match (&record.hold, decision) {
                (Some(Hold::RemovalWaits | Hold::ReversionWaits), HeldDecision::Allow) => {
                    record.hold = Some(Hold::Approved);
                }
                (Some(Hold::ReversionWaits), HeldDecision::Restore) => give_way(&mut record),
                // The item stays here and becomes the current version again.
                (Some(Hold::RemovalWaits | Hold::DeletedElsewhere), HeldDecision::Restore) => {
                    record.base = None;
                    record.hold = Some(Hold::Revive);
                }
                (Some(Hold::DeletedElsewhere), HeldDecision::Allow) => {
                    if let Some(local) = record.local.clone() {
                        self.remove_as_person(item, local, EditKind::Decided)?;
                    }
                    is_any = true;
                    continue;
                }
                (Some(Hold::DeletionWaits), _) => {
                    waits_at_server = true;
                    continue;
                }
                _ => continue,
            }
            is_any = true;
            index.put_item(item, &record)?;
            self.replica.observed(item);
        }
        for over in [Guarded::Deletions, Guarded::Reversions] {
            let mut guard = index.guard(over)?;
            guard.decide(folder);
            index.set_guard(over, &guard)?;
        }
        self.tell_reversions(folder)?;
        if let Some(HubRoom { hub, index }) = &mut self.hub {
            let decision = match decision {
                HeldDecision::Allow => Decision::Allow,
                HeldDecision::Restore => Decision::Restore,
            };
            let outputs = hub.decide_held(index, folder, decision, None, told())?;
            is_any |= !outputs.is_empty();
            self.hub_says(outputs)?;
        } else if waits_at_server {
            if decision == HeldDecision::Allow {
                // Letting deletions pass is for the one who has the data.
                return Err(Problem::new(Code::OnServerOnly));
            }
            let session = self.links.keys().next().copied().ok_or_else(|| Problem::new(Code::ServerSilent))?;
            self.effects.push_back(Effect::Send(session, Frame::RestoreHeld(folder)));
            self.awaits_restore = true;
            is_any = true;
        }
        if is_any { Ok(()) } else { Err(Problem::new(Code::NothingToUndo).with("id", folder.to_string())) }
    }

    /// Says in which folders items went back to an earlier state, after a start.
    pub(super) fn tell_all_reversions(&mut self) -> Result<()> {
        let held = self.index.replica().held_items()?;
        let waits = |record: &ItemRecord| record.hold == Some(Hold::ReversionWaits);
        let folders: BTreeSet<FolderUid> =
            held.iter().filter(|(_, record)| waits(record)).filter_map(|(_, record)| record.folder()).collect();
        folders.into_iter().try_for_each(|folder| self.tell_reversions(folder))
    }

    /// Says how many items of a folder went back to an earlier state and wait, or that none do any more.
    pub(super) fn tell_reversions(&mut self, folder: FolderUid) -> Result<()> {
        let index = self.index.replica();
        let waits = |record: &ItemRecord| record.hold == Some(Hold::ReversionWaits) && record.folder() == Some(folder);
        let count = index.held_items()?.iter().filter(|(_, record)| waits(record)).count() as u64;
        if count == 0 {
            self.problems.clear(&Cause::Reverted(folder));
            return Ok(());
        }
        let name = index.folder(folder)?.and_then(|record| record.local).map(|local| local.state.name);
        let problem = Problem::new(Code::ReversionsHeld).with("n", count).with("folder", name.unwrap_or_default());
        self.problem(Cause::Reverted(folder), problem);
        Ok(())
    }

    /// Open conflicts.
    pub(crate) fn conflict_views(&self, language: Language) -> Asked<Vec<ConflictView>> {
        let folders = self.index.replica().folders()?;
        let conflicts = self.index.replica().conflicts()?;
        Ok(conflicts.iter().map(|(id, conflict)| self.conflict_view(&folders, *id, conflict, language)).collect())
    }

    fn conflict_view(
        &self,
        folders: &[(FolderUid, FolderRecord)],
        id: ConflictId,
        conflict: &Conflict,
        language: Language,
    ) -> ConflictView {
        let loser = &conflict.loser;
        let title = self.title(Some(conflict.item), Some(loser)).unwrap_or_default();
        let folder = path_of(folders, loser.folder, false);
        // Only what nobody could look into has no fields here, of the kinds that have any.
        let has_fields = matches!(loser.kind, Kind::Contact | Kind::Event | Kind::Task);
        let local = self.index.replica().item(conflict.item).ok().flatten().and_then(|record| record.local);
        let note = (has_fields && local.is_some_and(|local| local.fields.is_none())).then(|| {
            let name = folder.rsplit('/').next().unwrap_or_default();
            Problem::new(Code::ItemOpaque).with("name", title.clone()).with("folder", name).view(language)
        });
        ConflictView {
            id: hex(&id.0),
            item: conflict.item.to_string(),
            kind: format!("{:?}", loser.kind).to_lowercase(),
            title,
            folder,
            fields: conflict.fields.clone(),
            note,
            at: conflict.at,
        }
    }

    fn find_conflict(&self, text: &str) -> Asked<(ConflictId, Conflict)> {
        let matches = |(id, _): &(ConflictId, Conflict)| text.len() >= 4 && hex(&id.0).starts_with(text);
        let mut found = self.index.replica().conflicts()?.into_iter().filter(matches);
        match (found.next(), found.next()) {
            (Some(conflict), None) => Ok(conflict),
            (Some(_), Some(_)) => Err(Problem::new(Code::Ambiguous).with("name", text).with("n", 2_u64)),
            (None, _) => Err(Problem::new(Code::NoSuchConflict).with("id", text)),
        }
    }

    /// Both sides of a conflict in words. The losing bytes may have to be fetched first, see [`Self::missing_for`].
    pub(crate) fn conflict_detail(&self, text: &str, language: Language) -> Asked<ConflictDetail> {
        let (id, conflict) = self.find_conflict(text)?;
        let folders = self.index.replica().folders()?;
        let current = self.current_state(conflict.item)?;
        let server = current.map(|state| self.describe(Some(conflict.item), &state)).unwrap_or_default();
        let other = self.describe(None, &conflict.loser);
        Ok(ConflictDetail { conflict: self.conflict_view(&folders, id, &conflict, language), server, other })
    }

    /// The content of a conflict's losing version, if it isn't on this computer.
    pub(crate) fn missing_for_conflict(&self, text: &str) -> Asked<Option<NativeHash>> {
        let native = self.find_conflict(text)?.1.loser.version.native;
        Ok(self.locate(None, native)?.is_none().then_some(native))
    }

    /// Decides a conflict. The losing bytes are on this computer now, unless they aren't needed.
    pub(crate) fn resolve_conflict(&mut self, text: &str, keep: Keep) -> Asked<()> {
        let (id, conflict) = self.find_conflict(text)?;
        let Conflict { item, loser, .. } = conflict;
        let record = self.index.replica().item(item)?.unwrap_or_default();
        match (keep, record.local) {
            (Keep::Server, _) => {}
            (Keep::Client, Some(local)) => {
                let state = ItemState { folder: local.state.folder, flags: local.state.flags.clone(), ..loser };
                self.write_as_person(item, state, Some(local), EditKind::Decided)?;
            }
            (Keep::Merge, Some(local)) => self.merge_as_person(item, &loser, local)?,
            // The item itself is gone meanwhile: the other version is all there is.
            (Keep::Both | Keep::Client | Keep::Merge, _) => {
                self.write_as_person(ItemUid(super::random()), loser, None, EditKind::Decided)?;
            }
        }
        self.replica.propose_conflict_resolved(id);
        Ok(())
    }

    fn merge_as_person(&mut self, item: ItemUid, loser: &ItemState, local: Local) -> Asked<()> {
        let read = |source: Option<Source>| {
            let payload = source.and_then(|source| source.open(&self.shared.reader, &self.shared.blobs).ok());
            payload.and_then(|payload| super::bytes::whole(&payload))
        };
        let theirs = read(Some(Source::Store(local.href.clone())));
        let ours = read(self.locate(None, loser.version.native)?);
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Err(Problem::new(Code::ServerSilent)) };
        let format = local.state.version.format;
        let base = pim::FieldHashes::default();
        let Some(merge) = pim::merge(local.state.kind, format, &base, &ours, &theirs) else { return Ok(()) };
        let examined = pim::examine(folder_kind(local.state.kind), format, &merge.bytes);
        let version = super::worker::version_of(&examined, format);
        let payload = stores::Payload::Memory(merge.bytes.into());
        let blobs = &self.shared.blobs;
        super::bytes::save(blobs, &payload, version.native)
            .and_then(|saved| blobs.keep(Vec::from_iter(saved)).map_err(super::blob_error))
            .map_err(|error| Problem::with_store(error, ""))?;
        let state = ItemState { version, ..local.state.clone() };
        self.write_as_person(item, state, Some(local), EditKind::Decided)
    }

    /// Writes into the store what a person decided, as if it had been edited there; it goes on from there as any edit.
    pub(crate) fn write_as_person(
        &mut self,
        item: ItemUid,
        state: ItemState,
        existing: Option<Local>,
        edit: EditKind,
    ) -> Asked<()> {
        let with_content = existing.as_ref().is_none_or(|local| !local.state.version.same_content(&state.version));
        let content = if with_content { self.locate(None, state.version.native)? } else { None };
        if with_content && content.is_none() {
            return Err(Problem::new(Code::NothingToUndo).with("id", item.to_string()));
        }
        let record = self.index.replica().folder(state.folder)?;
        let folder = record.and_then(|record| record.local).map(|local| FolderId(local.id));
        let Some(folder) = folder else {
            return Err(Problem::new(Code::NoSuchFolder).with("folder", state.folder.to_string()));
        };
        let kind = folder_kind(state.kind);
        let before = existing.as_ref().filter(|_| with_content).map(before_image);
        let write = match (&existing, content) {
            (Some(local), content) => {
                Write::Update { folder: (local.state.folder != state.folder).then_some(folder), kind, content }
            }
            (None, Some(content)) => Write::Create { folder, kind, content },
            (None, None) => return Err(Problem::new(Code::NothingToUndo).with("id", item.to_string())),
        };
        let change = StoreChange::Write { item, seq: Seq(0), state, existing, with_content };
        self.effects.push_back(Effect::Job(Job::Edit(Prepared { change, write, before }, edit)));
        self.edits += 1;
        Ok(())
    }

    /// Makes a folder as a person would, in a folder that is there, and tells its uid. It goes on from there as any new one.
    pub(crate) fn make_folder_as_person(&mut self, state: FolderState) -> Asked<FolderUid> {
        let uid = FolderUid(super::random());
        let above = state.parent.map(|parent| self.index.replica().folder(parent)).transpose()?.flatten();
        let above = above.and_then(|record| record.local).map(|local| FolderId(local.id));
        self.effects.push_back(Effect::Job(Job::Folder(uid, FolderChange::Make(state), above)));
        Ok(uid)
    }

    /// Renames and moves a folder as a person would. `false`: something else is being done with it.
    pub(crate) fn rename_folder_as_person(&mut self, folder: FolderUid, state: FolderState) -> Asked<bool> {
        let known =
            |uid| Ok::<_, sync::index::IndexError>(self.index.replica().folder(uid)?.and_then(|record| record.local));
        let above = state.parent.map(known).transpose()?.flatten();
        let is_parent_here = above.is_some() || state.parent.is_none();
        let Some(local) = known(folder)?.filter(|_| is_parent_here && !self.replica.is_folder_on_its_way(folder))
        else {
            return Ok(false);
        };
        let above = above.map(|local| FolderId(local.id));
        self.effects.push_back(Effect::Job(Job::Folder(folder, FolderChange::Rename(local, state), above)));
        Ok(true)
    }

    /// Deletes from the store what a person decided to delete.
    pub(crate) fn remove_as_person(&mut self, item: ItemUid, existing: Local, edit: EditKind) -> Asked<()> {
        let before = Some(before_image(&existing));
        let change = StoreChange::Remove { item, seq: Seq(0), existing };
        self.effects.push_back(Effect::Job(Job::Edit(Prepared { change, write: Write::Delete, before }, edit)));
        self.edits += 1;
        Ok(())
    }

    /// Whether edits of persons are on their way into the store.
    pub(crate) const fn is_editing(&self) -> bool {
        self.edits > 0
    }

    /// What became of a person's edit.
    pub(super) fn edited(
        &mut self,
        change: StoreChange,
        edit: EditKind,
        outcome: std::result::Result<Option<Local>, stores::StoreError>,
    ) -> Result<()> {
        self.edits = self.edits.saturating_sub(1);
        match outcome {
            Ok(local) => {
                let mut index = self.index.replica();
                let item = change.item();
                let is_gone = local.is_none();
                sync::observe::set_local(&mut index, item, local)?;
                if let Some(mut record) = index.item(item)? {
                    if record.base.is_none() {
                        if edit == EditKind::Reviving {
                            record.hold = Some(Hold::Revive);
                        } else if is_gone {
                            // Deleted elsewhere before, and here now: nothing is left to agree on.
                            record.remote = None;
                        }
                    } else if edit == EditKind::Guarded {
                        record.hold = None;
                    } else if is_gone || record.is_changed_here() {
                        // Going back to an earlier state is what the person wanted.
                        record.hold = Some(Hold::Approved);
                    }
                    index.put_item(item, &record)?;
                }
                self.replica.observed(item);
            }
            Err(error) => {
                self.store_problem(Cause::Writing, &error);
                self.read_all();
            }
        }
        Ok(())
    }

    /// Which of these contents aren't on this computer; they are asked for at the server.
    pub(crate) fn ask_for(&mut self, contents: &[NativeHash]) -> Asked<usize> {
        let mut wants = Vec::new();
        for native in contents {
            if self.locate(None, *native)?.is_none() {
                wants.push(sync::wire::Want { item: ItemUid([0; 16]), native: *native, offset: 0 });
            }
        }
        let Some(session) = self.links.keys().next().copied().filter(|_| self.part == Part::Client) else {
            return Ok(wants.len());
        };
        let new: Vec<_> = wants.iter().filter(|want| self.asked_by_person.insert(want.native)).copied().collect();
        self.asked.entry(session).or_default().extend(new.iter().map(|want| want.native));
        if !new.is_empty() {
            self.effects.push_back(Effect::Send(session, Frame::Want(new)));
        }
        Ok(wants.iter().filter(|want| self.asked_by_person.contains(&want.native)).count())
    }

    /// What the first synchronization will do.
    pub(crate) fn preview(&mut self) -> Asked<Preview> {
        let index = self.index.replica();
        let folders = index.folders()?;
        let mut by_folder = BTreeMap::<FolderUid, PreviewFolder>::new();
        let mut preview = Preview { shape: SHAPE, ..Preview::default() };
        for (uid, _) in &folders {
            let path = path_of(&folders, *uid, false);
            let same = index.base_count(*uid)?;
            by_folder.insert(*uid, PreviewFolder { path, same, ..PreviewFolder::default() });
        }
        let pairing = self.replica.settings_mut().pairing;
        let mut after = None;
        loop {
            let page = index.dirty_items(after, 4096)?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for item in page {
                let Some(record) = index.item(item)? else { continue };
                let Some(folder) = record.folder() else { continue };
                let direction = Replica::direction_of(&index, folder)?;
                let entry = by_folder.entry(folder).or_default();
                let is_new = record.local.is_none() || (record.base.is_none() && record.remote.is_none());
                match decide(&record, direction, pairing) {
                    Action::Agree { .. } => entry.same += u64::from(record.base.is_none()),
                    Action::Take { state, .. } if is_new => {
                        entry.added_here += 1;
                        preview.bytes_here += state.version.size;
                    }
                    Action::Send { state, .. } if is_new => {
                        entry.added_there += 1;
                        preview.bytes_there += state.version.size;
                    }
                    Action::Take { .. } | Action::Send { .. } | Action::Merge { .. } => {
                        entry.differ += 1;
                        if entry.names.len() < EXAMPLES {
                            let state = record.local.as_ref().map(|local| &local.state);
                            entry.names.extend(self.title(Some(item), state));
                        }
                    }
                    Action::Remove { .. } => entry.removed_here += 1,
                    Action::SendGone { .. } => entry.removed_there += 1,
                    Action::Rest | Action::Forget | Action::Hold(_) => {}
                }
            }
        }
        for (ours, _) in &self.maybe_same {
            let Some(record) = index.item(*ours)? else { continue };
            let Some(entry) = record.folder().and_then(|folder| by_folder.get_mut(&folder)) else { continue };
            entry.not_sure += 1;
            if entry.names.len() < EXAMPLES {
                entry.names.extend(self.title(Some(*ours), record.local.as_ref().map(|local| &local.state)));
            }
        }
        let mut shown: Vec<PreviewFolder> = by_folder.into_values().collect();
        shown.sort_by(|a, b| a.path.cmp(&b.path));
        for folder in &shown {
            let total = &mut preview.total;
            total.added_here += folder.added_here;
            total.added_there += folder.added_there;
            total.same += folder.same;
            total.differ += folder.differ;
            total.not_sure += folder.not_sure;
            total.removed_here += folder.removed_here;
            total.removed_there += folder.removed_there;
        }
        preview.folders = shown;
        Ok(preview)
    }

    /// What people call an item, if its bytes are on this computer.
    pub(crate) fn title(&self, item: Option<ItemUid>, state: Option<&ItemState>) -> Option<String> {
        let state = state?;
        let source = self.locate(item, state.version.native).ok()??;
        let payload = source.open(&self.shared.reader, &self.shared.blobs).ok()?;
        let examined = super::bytes::examine(&payload, folder_kind(state.kind), state.version.format).ok()?;
        Some(examined.state.title)
    }

    /// What people call an item now.
    pub(crate) fn title_of(&self, item: ItemUid) -> Option<String> {
        let state = self.current_state(item).ok().flatten();
        self.title(Some(item), state.as_ref())
    }

    fn describe(&self, item: Option<ItemUid>, state: &ItemState) -> Vec<FieldView> {
        let source = self.locate(item, state.version.native).ok().flatten();
        let payload = source.and_then(|source| source.open(&self.shared.reader, &self.shared.blobs).ok());
        let Some(bytes) = payload.and_then(|payload| super::bytes::whole(&payload)) else { return Vec::new() };
        let fields = pim::describe(state.kind, state.version.format, &bytes);
        fields.into_iter().map(|(name, text)| FieldView { name, text }).collect()
    }

    /// The version of an item that counts now, as far as this computer knows.
    pub(crate) fn current_state(&self, item: ItemUid) -> Asked<Option<ItemState>> {
        let record = self.index.replica().item(item)?.unwrap_or_default();
        Ok(match (record.local, record.remote) {
            (Some(local), _) => Some(local.state),
            (None, Some(Remote::Live { state, .. })) => Some(state),
            (None, _) => record.base.map(|base| base.state),
        })
    }

    /// The hub hears whether the owner lets the device that came take over.
    pub(super) fn device_came(&mut self, device: &str) -> Result<()> {
        let may_take_over = self.may_take_over(device)?;
        let Some(HubRoom { index, .. }) = &mut self.hub else { return Ok(()) };
        let device = sync::hub::of_device(device.as_bytes());
        let mut record = index.replica(device)?.unwrap_or_default();
        if record.may_take_over != may_take_over {
            record.may_take_over = may_take_over;
            index.put_replica(device, &record)?;
        }
        Ok(())
    }

    /// Whether the owner lets a device take over this server's data.
    pub(crate) fn may_take_over(&self, device: &str) -> Result<bool> {
        Ok(self.index.value(&format!("device.take-over.{device}"))?.is_some())
    }

    /// The version of the program that a device said it runs.
    pub(crate) fn program_of(&self, device: &str) -> Result<Option<String>> {
        let said = self.index.value(&format!("device.program.{device}"))?;
        Ok(said.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// A device says which version of the program it runs.
    pub(super) fn runs_program(&mut self, device: &str, version: &str) -> Result<()> {
        if self.program_of(device)?.as_deref() != Some(version) {
            self.index.set_value(&format!("device.program.{device}"), Some(version.as_bytes()))?;
        }
        Ok(())
    }

    /// Lets a device take over this server's data.
    pub(crate) fn allow_take_over(&mut self, device: &str) -> Result<()> {
        self.index.set_value(&format!("device.take-over.{device}"), Some(&[1]))
    }

    /// What this replica says first in a session, for the opening of the link.
    pub(crate) fn opening_hello(&mut self) -> Result<sync::wire::Hello> {
        let index = self.index.replica();
        let hello = sync::wire::Hello {
            minor: sync::wire::MINOR_VERSION,
            canon_rule: pim::CANON_RULE,
            replica: index.replica()?,
            cursor: index.cursor()?,
            stamp: index.stamp()?,
        };
        self.said_hello = Some(hello.clone());
        Ok(hello)
    }

    /// Ends every link, as when a person pauses.
    pub(crate) fn hang_up_all(&mut self) {
        let sessions: Vec<SessionId> = self.links.keys().copied().collect();
        self.effects.extend(sessions.into_iter().map(Effect::Hangup));
    }
}

fn before_image(local: &Local) -> (String, NativeHash, u64) {
    (local.href.clone(), local.state.version.native, local.state.version.size)
}

pub(crate) fn state_of(record: &FolderRecord) -> Option<&sync::model::FolderState> {
    let base = record.base.as_ref().map(|base| &base.state);
    let remote = || record.remote.as_ref().and_then(|(_, state)| state.as_ref());
    base.or_else(remote).or_else(|| record.local.as_ref().map(|local| &local.state))
}

/// The folder's path, with the kind in front: `mail/Archive/2024`.
pub(crate) fn path_of(folders: &[(FolderUid, FolderRecord)], folder: FolderUid, is_here: bool) -> String {
    let mut names = Vec::new();
    let mut kind = None;
    let mut next = Some(folder);
    while let Some(uid) = next
        && names.len() <= sync::wire::Limits::DEPTH
    {
        let record = folders.iter().find(|(other, _)| *other == uid).map(|(_, record)| record);
        let state = record.and_then(|record| match &record.local {
            Some(local) if is_here => Some(&local.state),
            _ => state_of(record),
        });
        let Some(state) = state else { break };
        kind.get_or_insert(state.kind);
        names.push(state.name.clone());
        next = state.parent;
    }
    names.extend(kind.map(|kind| kind_name(kind).to_owned()));
    names.reverse();
    names.join("/")
}

pub(crate) const fn kind_name(kind: FolderKind) -> &'static str {
    match kind {
        FolderKind::Mail => "mail",
        FolderKind::Contacts => "contacts",
        FolderKind::Calendar => "calendar",
        FolderKind::Tasks => "tasks",
        FolderKind::Notes => "notes",
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
