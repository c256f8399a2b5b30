//! One computer: a store, an index, the engine between them, and everything the application does around it.
//!
//! What is durable here (index, store, staged contents, trash, intents) survives [`Computer::crash`]; nothing else does.

use crate::{
    chance::Chance,
    contents::{self, Bytes, examined},
    ledger::Ledger,
    store::Store,
};
use pim::{CanonHash, FolderUid, ItemUid, NativeHash};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use sync::{
    hub::SessionId,
    index::{FolderRecord, Local, ReplicaIndex},
    memory::MemoryReplica,
    model::{Epoch, ItemState, ReplicaId, Row, Seq, Version},
    observe::{Observation, observe, set_local, set_local_folder},
    replica::{
        ApplyOutcome, FolderChange, Happened, MergeJob, Merged, Output, Replica, Settings, StoreChange, settle_removed,
        settle_written,
    },
    wire::Frame,
};

/// A link to the hub. Frames stay in order; contents travel beside them.
#[derive(Debug)]
pub struct Link {
    /// The hub's name for it.
    pub session: SessionId,
    /// On their way to the hub.
    pub up: VecDeque<Vec<u8>>,
    /// On their way from the hub.
    pub down: VecDeque<Vec<u8>>,
    /// Contents on their way to the hub.
    pub contents_up: Vec<Bytes>,
    /// Contents on their way from the hub.
    pub contents_down: Vec<Bytes>,
}

/// A change to the store that was begun.
#[derive(Clone, Debug)]
struct Intent {
    op: u64,
    change: StoreChange,
}

/// How often things go wrong: once in so many times, zero for never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// A link is cut.
    pub cut: usize,
    /// A computer stops in the middle of something.
    pub crash: usize,
    /// A person changes something during a run.
    pub meddle: usize,
    /// The clock jumps.
    pub clock: usize,
    /// The hub forgets contents that no row names any more.
    pub sweep: usize,
}

/// A computer.
#[derive(Debug)]
pub struct Computer {
    /// What people call it.
    pub name: String,
    /// What its device key would be.
    pub device: Vec<u8>,
    /// Its memory.
    pub index: MemoryReplica,
    /// The engine.
    pub replica: Replica,
    /// How it goes about it.
    pub settings: Settings,
    /// Its store.
    pub store: Store,
    /// Contents that came or will go.
    pub blobs: BTreeMap<NativeHash, Bytes>,
    /// What was deleted or overwritten by synchronization.
    pub trash: BTreeSet<CanonHash>,
    /// What its history keeps of contents that were written over.
    pub before_images: BTreeSet<CanonHash>,
    intents: Vec<Intent>,
    /// Committed, and not yet acted upon.
    pub outputs: VecDeque<Output>,
    /// The link, while there is one.
    pub link: Option<Link>,
    /// The store has to be read.
    pub is_scan_due: bool,
    /// The computer is off.
    pub is_down: bool,
    /// The computer has no network.
    pub is_away: bool,
    gone_once: BTreeSet<ItemUid>,
    folders_gone_once: BTreeSet<FolderUid>,
    /// What the engine told people.
    pub happened: Vec<Happened>,
    /// Every row ever told, to see that no number is used twice.
    told: BTreeMap<(ReplicaId, Epoch, Seq), Row>,
    next_op: u64,
}

impl Computer {
    /// A computer that has never been synchronized.
    #[must_use]
    pub fn new(name: &str, store: Store, chance: &mut Chance) -> Self {
        let settings = Settings::default();
        Self {
            name: name.to_owned(),
            device: name.as_bytes().to_vec(),
            index: MemoryReplica::new(ReplicaId(chance.random())),
            replica: Replica::new(settings.clone()),
            settings,
            store,
            blobs: BTreeMap::new(),
            trash: BTreeSet::new(),
            before_images: BTreeSet::new(),
            intents: Vec::new(),
            outputs: VecDeque::new(),
            link: None,
            is_scan_due: true,
            is_down: false,
            is_away: false,
            gone_once: BTreeSet::new(),
            folders_gone_once: BTreeSet::new(),
            happened: Vec::new(),
            told: BTreeMap::new(),
            next_op: 1,
        }
    }

    /// The same computer on other hardware: everything durable, nothing else.
    #[must_use]
    pub fn cloned(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            device: self.device.clone(),
            index: self.index.clone(),
            replica: Replica::new(self.settings.clone()),
            settings: self.settings.clone(),
            store: self.store.clone(),
            blobs: self.blobs.clone(),
            trash: self.trash.clone(),
            before_images: self.before_images.clone(),
            intents: self.intents.clone(),
            outputs: VecDeque::new(),
            link: None,
            is_scan_due: true,
            is_down: self.is_down,
            is_away: self.is_away,
            gone_once: BTreeSet::new(),
            folders_gone_once: BTreeSet::new(),
            happened: Vec::new(),
            told: BTreeMap::new(),
            next_op: self.next_op,
        }
    }

    /// Stops in the middle of everything.
    pub fn crash(&mut self) {
        self.index.crash();
        self.replica = Replica::new(self.settings.clone());
        self.outputs.clear();
        self.link = None;
        self.gone_once.clear();
        self.folders_gone_once.clear();
        self.is_down = true;
    }

    /// Starts again: what was begun is looked at first.
    pub fn start(&mut self) {
        self.is_down = false;
        self.is_scan_due = true;
        self.index.begin().unwrap();
        for Intent { op, change } in self.intents.clone() {
            match change {
                StoreChange::Write { item, seq, state, .. } => {
                    let written = self.store.items.iter().find(|(_, held)| held.op == Some(op));
                    if let Some((href, held)) = written {
                        let folder = self.folder_uid(&held.folder).unwrap();
                        let local = self.store.local(href, folder);
                        settle_written(&mut self.index, item, seq, state, local).unwrap();
                    }
                }
                StoreChange::Remove { item, seq, existing } => {
                    if !self.store.items.contains_key(&existing.href) {
                        settle_removed(&mut self.index, item, seq, &existing).unwrap();
                    }
                }
            }
        }
        self.index.commit().unwrap();
        self.intents.clear();
    }

    /// What was begun is forgotten together with the index.
    pub fn forget_intents(&mut self) {
        self.intents.clear();
        self.told.clear();
    }

    /// Begins with other settings.
    pub fn start_over(&mut self) {
        self.replica = Replica::new(self.settings.clone());
    }

    /// The link broke.
    pub fn cut(&mut self) {
        self.link = None;
        self.replica.disconnected();
        self.outputs.retain(|output| {
            matches!(output, Output::Apply(_) | Output::ApplyFolder(..) | Output::MarkFolder(..) | Output::ReadAgain)
        });
    }

    /// A link stands.
    pub fn connect(&mut self, session: SessionId, now: u64, chance: &mut Chance, trouble: Trouble) {
        self.link = Some(Link {
            session,
            up: VecDeque::new(),
            down: VecDeque::new(),
            contents_up: Vec::new(),
            contents_down: Vec::new(),
        });
        self.turn(now, chance, trouble, |replica, index| replica.connected(index).unwrap());
    }

    /// Feeds the engine, lets it go on, commits, and only then keeps what it wants done.
    pub fn turn(
        &mut self,
        now: u64,
        chance: &mut Chance,
        trouble: Trouble,
        input: impl FnOnce(&mut Replica, &mut MemoryReplica),
    ) -> bool {
        self.index.begin().unwrap();
        input(&mut self.replica, &mut self.index);
        let mut outputs = Vec::new();
        loop {
            let before = outputs.len();
            self.replica.advance(&mut self.index, now).unwrap();
            outputs.extend(std::iter::from_fn(|| self.replica.poll()));
            if outputs.len() > before {
                continue;
            }
            if self.replica.going_back() == 0 || chance.once_in(2) {
                break;
            }
            self.replica.store_is_still();
        }
        if chance.once_in(trouble.crash) {
            self.crash();
            return false;
        }
        self.index.commit().unwrap();
        self.outputs.extend(outputs);
        if chance.once_in(trouble.crash) {
            self.crash();
            return false;
        }
        true
    }

    /// A frame came.
    pub fn take_frame(&mut self, bytes: &[u8], now: u64, chance: &mut Chance, trouble: Trouble) {
        let frame = Frame::decode(bytes).unwrap();
        if let Frame::Rows(rows) = &frame {
            self.look_at_numbers(&rows.rows);
        }
        let random = chance.random();
        self.turn(now, chance, trouble, |replica, index| replica.handle(index, frame, random).unwrap());
    }

    /// I13: no number is used for two contents.
    fn look_at_numbers(&mut self, rows: &[Row]) {
        let Some(cursor) = self.index.cursor().unwrap() else { return };
        let replica = self.index.replica().unwrap();
        for row in rows {
            let before = self.told.insert((replica, cursor.epoch, row.seq), row.clone());
            assert!(before.is_none_or(|before| before == *row), "{}: {:?} was used twice", self.name, row.seq);
        }
    }

    /// Contents came.
    pub fn take_content(&mut self, bytes: Bytes, now: u64, chance: &mut Chance, trouble: Trouble) {
        let native = contents::native(&bytes);
        self.blobs.insert(native, bytes);
        self.turn(now, chance, trouble, |replica, _| replica.received(native));
    }

    /// Does the next thing the engine wants done.
    pub fn act(&mut self, now: u64, chance: &mut Chance, trouble: Trouble, ledger: &mut Ledger) {
        let Some(output) = self.outputs.pop_front() else { return };
        match output {
            Output::Send(frame) => self.send(frame, now, chance, trouble),
            Output::Upload { item, native, href } => {
                let in_store = href.and_then(|href| self.store.items.get(&href)).map(|held| held.bytes.clone());
                let bytes = in_store
                    .filter(|bytes| contents::native(bytes) == native)
                    .or_else(|| self.blobs.get(&native).cloned());
                match (bytes, &mut self.link) {
                    (Some(bytes), Some(link)) => link.contents_up.push(bytes),
                    (None, _) => {
                        self.turn(now, chance, trouble, |replica, _| replica.upload_failed(item));
                    }
                    _ => {}
                }
            }
            Output::Merge(job) => self.merge(&job, now, chance, trouble, ledger),
            Output::Apply(group) => self.apply(group, now, chance, trouble),
            Output::ApplyFolder(uid, change) => self.apply_folder(uid, change, now, chance, trouble),
            Output::MarkFolder(uid, id) => {
                if let Some(folder) = self.store.folders.get_mut(&id) {
                    folder.mark = Some(uid);
                }
            }
            Output::ReadAgain => self.is_scan_due = true,
            Output::Happened(happened) => self.happened.push(happened),
            Output::Endless => panic!("planning doesn't end (I14)"),
            Output::PairedAnew => {}
        }
    }

    fn send(&mut self, frame: Frame, now: u64, chance: &mut Chance, trouble: Trouble) {
        let frame = match frame {
            // What is here already needn't travel again.
            Frame::Want(wants) => {
                let (here, wants): (Vec<_>, Vec<_>) =
                    wants.into_iter().partition(|want| self.blobs.contains_key(&want.native));
                for want in here {
                    self.turn(now, chance, trouble, |replica, _| replica.received(want.native));
                    if self.is_down {
                        return;
                    }
                }
                if wants.is_empty() {
                    return;
                }
                Frame::Want(wants)
            }
            frame => frame,
        };
        if let Some(link) = &mut self.link {
            link.up.push_back(frame.encode());
        }
    }

    fn merge(&mut self, job: &MergeJob, now: u64, chance: &mut Chance, trouble: Trouble, ledger: &mut Ledger) {
        let ours = self.store.items.get(&job.ours.href).map(|held| held.bytes.clone());
        let ours = ours.filter(|bytes| contents::native(bytes) == job.ours.state.version.native);
        let (Some(ours), Some(theirs)) = (ours, self.blobs.get(&job.theirs.version.native).cloned()) else {
            let item = job.item;
            self.turn(now, chance, trouble, |replica, _| replica.merge_failed(item));
            return;
        };
        let format = job.theirs.version.format;
        let merge = (job.ours.state.version.format == format)
            .then(|| pim::merge(job.theirs.kind, format, &job.base, &ours, &theirs))
            .flatten();
        let merged = merge.map(|merge| {
            let bytes: Bytes = merge.bytes.into();
            let folder = self.folder_kind(job.theirs.folder);
            let known = examined(folder, format, &bytes);
            let examined = &known.examined;
            self.blobs.insert(examined.native, bytes);
            ledger.follows(job.theirs.version.canon, examined.canon);
            if merge.clashes.is_empty() {
                ledger.follows(job.ours.state.version.canon, examined.canon);
            }
            let version = Version {
                canon: examined.canon,
                rule: pim::CANON_RULE,
                native: examined.native,
                format,
                size: examined.size,
            };
            let state = ItemState {
                kind: examined.kind,
                version,
                identity: examined.identity,
                lookalikes: examined.lookalikes.clone(),
                ..job.theirs.clone()
            };
            Merged { state, clashes: merge.clashes.iter().map(|clash| clash.field.to_string()).collect() }
        });
        let item = job.item;
        // What a conflict keeps has to be at hand when the hub asks for it.
        self.blobs.insert(job.ours.state.version.native, ours);
        self.turn(now, chance, trouble, |replica, index| replica.merged(index, item, merged).unwrap());
    }

    fn folder_kind(&self, folder: FolderUid) -> pim::FolderKind {
        let record = self.index.folder(folder).unwrap().unwrap();
        let base = record.base.map(|base| base.state.kind);
        base.or(record.local.map(|local| local.state.kind)).unwrap()
    }

    /// The uid of a folder of the store, as the index knows it.
    #[must_use]
    pub fn folder_uid(&self, id: &str) -> Option<FolderUid> {
        let folders = self.index.folders().unwrap();
        folders
            .into_iter()
            .find(|(_, record)| record.local.as_ref().is_some_and(|local| local.id == id))
            .map(|(uid, _)| uid)
    }

    fn folder_id(&self, uid: FolderUid) -> Option<String> {
        Some(self.index.folder(uid).unwrap()?.local?.id).filter(|id| self.store.folders.contains_key(id))
    }

    fn apply(&mut self, group: Vec<StoreChange>, now: u64, chance: &mut Chance, trouble: Trouble) {
        let first_op = self.next_op;
        self.intents = group.iter().zip(first_op..).map(|(change, op)| Intent { op, change: change.clone() }).collect();
        self.next_op += group.len() as u64;
        let mut outcomes = Vec::new();
        for Intent { op, change } in self.intents.clone() {
            if chance.once_in(trouble.crash) {
                return self.crash();
            }
            let outcome = self.change_store(op, &change);
            outcomes.push((change, outcome));
        }
        if chance.once_in(trouble.crash) {
            return self.crash();
        }
        let is_done = self.turn(now, chance, trouble, |replica, index| {
            for (change, outcome) in outcomes {
                replica.applied(index, change, outcome).unwrap();
            }
        });
        if is_done {
            self.intents.clear();
        }
    }

    /// I9: the target is read again and must be what the plan saw.
    fn change_store(&mut self, op: u64, change: &StoreChange) -> ApplyOutcome {
        let is_as_seen = |local: &Local| {
            self.store.items.get(&local.href).is_some_and(|held| held.rev.to_be_bytes().as_slice() == local.rev)
        };
        match change {
            StoreChange::Remove { existing, .. } => {
                if !is_as_seen(existing) {
                    return ApplyOutcome::Changed;
                }
                self.store.items.remove(&existing.href);
                self.trash.insert(existing.state.version.canon);
                self.store.writes += 1;
                ApplyOutcome::Done(None)
            }
            StoreChange::Write { state, existing, with_content, .. } => {
                if existing.as_ref().is_some_and(|existing| !is_as_seen(existing)) {
                    return ApplyOutcome::Changed;
                }
                let Some(folder) = self.folder_id(state.folder) else { return ApplyOutcome::Changed };
                let bytes = with_content.then(|| {
                    let bytes = self.blobs.get(&state.version.native).expect("content is here before it is applied");
                    self.store.as_held(state.version.format, bytes)
                });
                let href = match (existing, bytes) {
                    (None, None) => return ApplyOutcome::Changed,
                    (None, Some(bytes)) => {
                        self.store.put(&folder, &state.name, state.version.format, bytes, state.flags.clone())
                    }
                    (Some(existing), bytes) => {
                        self.before_images.insert(existing.state.version.canon);
                        let held = self.store.items[&existing.href].clone();
                        let href = if held.folder == folder {
                            existing.href.clone()
                        } else {
                            self.store.rename(&existing.href, &folder, &held.name)
                        };
                        self.store.change(&href, bytes, Some(state.flags.clone()), None);
                        href
                    }
                };
                let items = &mut self.store.items;
                items.get_mut(&href).unwrap().op = Some(op);
                items.get_mut(&href).unwrap().format =
                    if *with_content { state.version.format } else { items[&href].format };
                self.store.writes += 1;
                ApplyOutcome::Done(Some(self.store.local(&href, state.folder)))
            }
        }
    }

    fn apply_folder(&mut self, uid: FolderUid, change: FolderChange, now: u64, chance: &mut Chance, trouble: Trouble) {
        let outcome = self.change_folder(uid, change);
        if chance.once_in(trouble.crash) {
            return self.crash();
        }
        self.turn(now, chance, trouble, |replica, index| replica.folder_applied(index, uid, outcome).unwrap());
    }

    fn change_folder(&mut self, uid: FolderUid, change: FolderChange) -> Result<Option<sync::index::LocalFolder>, ()> {
        self.store.writes += 1;
        match change {
            FolderChange::Make(state) => {
                let parent = match state.parent {
                    Some(parent) => Some(self.folder_id(parent).ok_or(())?),
                    None => None,
                };
                // Made before a crash: its mark tells.
                let made = self.store.folders.iter().find(|(_, folder)| folder.mark == Some(uid));
                let id = match made.map(|(id, _)| id.clone()) {
                    Some(id) => id,
                    None => {
                        let id = self.store.make_folder(&state.name, parent, state.kind);
                        let folder = self.store.folders.get_mut(&id).unwrap();
                        folder.mark = Some(uid);
                        folder.special_use = state.special_use;
                        id
                    }
                };
                Ok(Some(self.store.local_folder(&id, &self.uids_with(&id, uid))))
            }
            FolderChange::Rename(local, state) => {
                let parent = match state.parent {
                    Some(parent) => Some(self.folder_id(parent).ok_or(())?),
                    None => None,
                };
                if parent.as_ref().is_some_and(|parent| self.store.below(&local.id).contains(parent)) {
                    return Err(());
                }
                let uids = self.uids_with(&local.id, uid);
                if !self.store.folders.contains_key(&local.id) || self.store.local_folder(&local.id, &uids) != local {
                    self.is_scan_due = true;
                    return Err(());
                }
                let folder = self.store.folders.get_mut(&local.id).unwrap();
                folder.name.clone_from(&state.name);
                folder.parent = parent;
                folder.special_use = state.special_use;
                Ok(Some(self.store.local_folder(&local.id, &uids)))
            }
            FolderChange::Delete(local) => {
                let is_empty = self.store.items.values().all(|item| item.folder != local.id)
                    && self.store.folders.values().all(|folder| folder.parent.as_ref() != Some(&local.id));
                if !is_empty {
                    self.is_scan_due = true;
                    return Err(());
                }
                self.store.folders.remove(&local.id);
                Ok(None)
            }
        }
    }

    fn uids_with(&self, id: &str, uid: FolderUid) -> BTreeMap<String, FolderUid> {
        let known = self.index.folders().unwrap();
        let mut uids: BTreeMap<String, FolderUid> =
            known.into_iter().filter_map(|(uid, record)| Some((record.local?.id, uid))).collect();
        uids.insert(id.to_owned(), uid);
        // A folder that wasn't read yet; its mark will do.
        for (id, folder) in &self.store.folders {
            uids.entry(id.clone()).or_insert(folder.mark.unwrap_or(FolderUid([0; 16])));
        }
        uids
    }

    /// Reads the whole store. What is missing counts as deleted when a second reading misses it too.
    pub fn scan(&mut self, now: u64, chance: &mut Chance, trouble: Trouble) {
        self.is_scan_due = false;
        self.turn_scan(now, chance, trouble);
        let is_any_gone = !self.gone_once.is_empty() || !self.folders_gone_once.is_empty();
        if is_any_gone && !self.is_down {
            self.is_scan_due = true;
        }
    }

    fn turn_scan(&mut self, now: u64, chance: &mut Chance, trouble: Trouble) {
        self.index.begin().unwrap();
        let (changed, folders_changed) = self.read_store(chance);
        let index = &mut self.index;
        index.commit().unwrap();
        // The application writes what it read and tells the engine within one group; a crash loses both or none.
        self.turn(now, chance, trouble, |replica, _| {
            if folders_changed {
                replica.observed_folder();
            }
            changed.into_iter().for_each(|item| replica.observed(item));
        });
    }

    fn read_store(&mut self, chance: &mut Chance) -> (Vec<ItemUid>, bool) {
        let (uids, mut is_folder_changed) = self.read_folders(chance);
        let mut changed = Vec::new();
        let mut appeared = Vec::new();
        let mut seen = BTreeSet::new();
        for (href, held) in &self.store.items {
            let local = self.store.local(href, uids[&held.folder]);
            let is_mail = local.state.kind == pim::Kind::Message;
            let known = self.index.item_by_href(href).unwrap();
            let record = known.and_then(|uid| self.index.item(uid).unwrap());
            let is_other_mail = |record: &sync::index::ItemRecord| {
                let before = record.local.as_ref().unwrap();
                is_mail && !before.state.version.same_content(&local.state.version)
            };
            match (known, record) {
                (Some(uid), Some(record)) if !is_other_mail(&record) => {
                    seen.insert(uid);
                    if set_local(&mut self.index, uid, Some(local)).unwrap() {
                        changed.push(uid);
                    }
                }
                _ => appeared.push(Observation { uid: None, is_content_immutable: is_mail, local }),
            }
        }
        let vanished: Vec<(ItemUid, Local)> = self
            .index
            .items()
            .filter(|(uid, _)| !seen.contains(uid))
            .filter_map(|(uid, record)| Some((uid, record.local.clone()?)))
            .collect();
        let (found, gone) = observe(&mut self.index, &vanished, appeared, || ItemUid(chance.random())).unwrap();
        changed.extend(found);
        let confirmed: Vec<ItemUid> = gone.iter().copied().filter(|uid| self.gone_once.remove(uid)).collect();
        self.gone_once = gone.into_iter().filter(|uid| !confirmed.contains(uid)).collect();
        for uid in confirmed {
            if set_local(&mut self.index, uid, None).unwrap() {
                changed.push(uid);
            }
        }
        let folders_gone: BTreeSet<FolderUid> = self
            .index
            .folders()
            .unwrap()
            .into_iter()
            .filter(|(_, record)| {
                record.local.as_ref().is_some_and(|local| !self.store.folders.contains_key(&local.id))
            })
            .map(|(uid, _)| uid)
            .collect();
        for uid in folders_gone.intersection(&self.folders_gone_once) {
            is_folder_changed |= set_local_folder(&mut self.index, *uid, None).unwrap();
        }
        self.folders_gone_once = folders_gone.difference(&self.folders_gone_once).copied().collect();
        (changed, is_folder_changed)
    }

    fn read_folders(&mut self, chance: &mut Chance) -> (BTreeMap<String, FolderUid>, bool) {
        let known: Vec<(FolderUid, FolderRecord)> = self.index.folders().unwrap();
        let mut uids: BTreeMap<String, FolderUid> = known
            .iter()
            .filter_map(|(uid, record)| Some((record.local.as_ref()?.id.clone(), *uid)))
            .filter(|(id, _)| self.store.folders.contains_key(id))
            .collect();
        let mut taken: BTreeSet<FolderUid> = uids.values().copied().collect();
        for (id, folder) in &mut self.store.folders {
            let uid = uids.get(id).copied();
            let uid = uid.or(folder.mark.filter(|mark| !taken.contains(mark)));
            let uid = uid.unwrap_or_else(|| FolderUid(chance.random()));
            folder.mark = Some(uid);
            taken.insert(uid);
            uids.insert(id.clone(), uid);
        }
        let mut is_changed = false;
        for id in self.store.folders.keys().cloned().collect::<Vec<_>>() {
            let local = self.store.local_folder(&id, &uids);
            is_changed |= set_local_folder(&mut self.index, uids[&id], Some(local)).unwrap();
        }
        (uids, is_changed)
    }
}
