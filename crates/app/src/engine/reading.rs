//! The store is read, and what it says is written down.
//!
//! Listing is the truth; wake-ups only say when to list. An item that isn't listed any more is only missing at first:
//! it may have been renamed or moved. If nothing of it appeared anywhere, and a second complete listing of a healthy
//! folder misses it again, it counts as deleted.

use super::{
    Cause, Effect, Event, Part, Recovering, Result, Room,
    worker::{Examined, Job, local_of},
};
use crate::message::{Code, Problem};
use pim::{FolderKind, FolderUid, ItemUid};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};
use stores::{Entry, FolderId, FolderInfo, Listing, ListingToken, StoreError, StoreId};
use sync::{
    index::{Local, LocalFolder, ReplicaIndex},
    model::FolderState,
    observe::{Observation, observe, set_local, set_local_folder},
    replica::Happened,
};

pub(super) const STORE_ID: &str = "store.id";
/// Entries examined by one job.
const BATCH: usize = 256;
/// After a wake-up the store gets this long to finish what it is at.
const DEBOUNCE: Duration = Duration::from_millis(15);
/// While Tandem itself writes this many items, nearly every wake-up tells of that: the store is listed when it is done, and
/// so often anyway.
const MANY: usize = 256;
const BETWEEN_OWN_WRITES: Duration = Duration::from_secs(2);
/// Whoever deletes much takes a while for it, and the guard is to see it as one: what is missing waits until no more goes
/// missing, but not for longer than this.
pub(super) const SETTLING_MAX: Duration = Duration::from_secs(5);
/// Watching can miss something: everything is listed again so often.
const FULL: Duration = Duration::from_secs(600);
/// A store that isn't there is looked for so often.
const AGAIN: Duration = Duration::from_secs(3);
/// What another program has open is tried again so often.
const BUSY: Duration = Duration::from_secs(60);
/// Where the token of a folder's last listing is kept, and that of a folder which was emptied.
const TOKEN: &str = "reading.token.";
const EMPTIED: &str = "reading.emptied";

#[derive(Default)]
pub(super) struct Reading {
    current: Option<Current>,
    /// Folders to read next; the whole store with `all`.
    due: BTreeSet<FolderUid>,
    is_all_due: bool,
    not_before: Option<Instant>,
    /// What is due waits for the end of our own writing.
    is_put_off: bool,
    last_full: Option<Instant>,
    has_read_all: bool,
    tokens: HashMap<FolderUid, ListingToken>,
    /// Items not listed any more, since when.
    missing: BTreeMap<ItemUid, (FolderUid, Instant)>,
    missing_folders: BTreeMap<FolderUid, Instant>,
    /// When what is missing is looked at again.
    look_again: Option<Instant>,
    /// Known folders that lost their mark and most of what they held: nothing counts as deleted there.
    emptied: BTreeSet<FolderUid>,
    /// How many items each of them lost.
    lost: BTreeMap<FolderUid, u64>,
    /// What these folders lost shall come back.
    refill: BTreeSet<FolderUid>,
    /// Folders without their mark, as of the last look; listed in full to see whether it was only the mark.
    unmarked: BTreeSet<FolderUid>,
    is_store_gone: bool,
    /// Folders that hold what another program has open, and when they are looked at again.
    busy: BTreeMap<FolderUid, Instant>,
    /// Folders were listed since the engine began.
    knows_folders: bool,
    is_watched: bool,
    /// Folders that got the uid the hub has for them while a reading was under way.
    renamed: HashMap<FolderUid, FolderUid>,
}

struct Current {
    is_all: bool,
    outstanding: usize,
    vanished: Vec<(ItemUid, Local)>,
    appeared: Vec<Observation>,
    /// Items whose name holds another item now: seen, not concluded from absence.
    replaced: BTreeSet<ItemUid>,
    /// Folders of which everything is known.
    complete: BTreeSet<FolderUid>,
    /// Folders of which something was listed that isn't written down yet.
    told: BTreeSet<FolderUid>,
}

impl Reading {
    pub(super) fn is_first(&self) -> bool {
        !self.has_read_all
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.has_read_all
            && self.current.is_none()
            && !self.is_all_due
            && self.due.is_empty()
            && self.missing.is_empty()
            && self.missing_folders.is_empty()
    }

    /// What was listed and isn't written down is listed anew next time.
    fn abandon(&mut self) {
        for folder in self.current.take().map(|current| current.told).unwrap_or_default() {
            self.tokens.remove(self.renamed.get(&folder).unwrap_or(&folder));
        }
    }

    fn stop_putting_off(&mut self) {
        if std::mem::take(&mut self.is_put_off) {
            self.not_before = Some(Instant::now() + DEBOUNCE);
        }
    }

    /// What is missing is looked at again, not before then.
    fn look_again_at(&mut self, at: Instant) {
        self.look_again = self.look_again.max(Some(at));
    }

    /// How long until something is to be read.
    pub(super) fn next_due(&self) -> Option<Duration> {
        if self.current.is_some() {
            return None;
        }
        let now = Instant::now();
        let due = (self.is_all_due || !self.due.is_empty()).then(|| self.not_before.unwrap_or(now));
        due.into_iter()
            .chain(self.busy.values().copied())
            .chain(self.look_again)
            .min()
            .map(|at| at.saturating_duration_since(now))
    }
}

impl Room {
    /// A folder turned out to be one that the hub has: it gets that uid, also in what is being read just now.
    pub(super) fn folder_renamed(&mut self, folder: FolderUid, id: FolderId) {
        if let Some(before) = self.folder_ids.insert(id.clone(), folder)
            && before != folder
        {
            self.reading.renamed.insert(before, folder);
            if let Some(token) = self.reading.tokens.remove(&before) {
                self.reading.tokens.insert(folder, token);
            }
        }
        self.effects.push_back(Effect::Job(Job::Mark(folder, id)));
    }

    /// Whether it is known which folders the store has: before that, one that is there would be made once more.
    pub(super) const fn knows_folders(&self) -> bool {
        self.reading.knows_folders
    }

    /// The whole store is to be read.
    pub(super) fn read_all(&mut self) {
        self.reading.is_all_due = true;
        self.reading.stop_putting_off();
        self.reading.not_before.get_or_insert_with(|| Instant::now() + DEBOUNCE);
    }

    /// The whole store is to be read, without waiting for whoever may be writing to it.
    pub(crate) fn read_now(&mut self) {
        self.reading.is_all_due = true;
        self.reading.not_before = None;
    }

    pub(super) fn woken(&mut self, folder: Option<FolderId>) {
        match folder.and_then(|id| self.folder_ids.get(&id)) {
            Some(uid) => drop(self.reading.due.insert(*uid)),
            None => self.reading.is_all_due = true,
        }
        if self.reading.not_before.is_none() {
            self.reading.is_put_off = self.is_writing();
            let wait = if self.reading.is_put_off { BETWEEN_OWN_WRITES } else { DEBOUNCE };
            self.reading.not_before = Some(Instant::now() + wait);
        }
    }

    fn is_writing(&self) -> bool {
        self.replica.pending() >= MANY
    }

    /// What waited for the end of our own writing is read when that is done.
    pub(super) fn read_what_was_put_off(&mut self) {
        if !self.is_writing() {
            self.reading.stop_putting_off();
        }
    }

    pub(super) fn read_what_is_due(&mut self) {
        let now = Instant::now();
        if !self.reads || self.reading.current.is_some() {
            return;
        }
        if self.reading.last_full.is_some_and(|last| now.duration_since(last) > FULL) {
            self.read_all();
        }
        let is_over = |_: &FolderUid, at: &mut Instant| *at <= now;
        self.reading.due.extend(self.reading.busy.extract_if(.., is_over).map(|(folder, _)| folder));
        if self.reading.look_again.take_if(|at| *at <= now).is_some() {
            self.reading.due.extend(self.reading.missing.values().map(|(folder, _)| *folder));
            self.reading.is_all_due |= !self.reading.missing_folders.is_empty();
        }
        let is_due = self.reading.is_all_due || !self.reading.due.is_empty();
        if !is_due || self.reading.not_before.is_some_and(|at| at > now) {
            return;
        }
        self.reading.not_before = None;
        self.reading.is_put_off = false;
        let is_all = std::mem::take(&mut self.reading.is_all_due);
        self.reading.current = Some(Current {
            is_all,
            outstanding: 1,
            vanished: Vec::new(),
            appeared: Vec::new(),
            replaced: BTreeSet::new(),
            complete: BTreeSet::new(),
            told: BTreeSet::new(),
        });
        if is_all {
            self.reading.due.clear();
        }
        if self.recovering == Recovering::Due {
            self.ask_again_for_intents();
        }
        // Folders are looked at each time: it costs little, and a mark that went tells that nothing may be concluded.
        self.effects.push_back(Effect::Job(Job::Folders));
    }

    pub(super) fn wait_for_store(&mut self, error: &StoreError) {
        self.reading.abandon();
        self.reading.is_all_due = true;
        self.reading.not_before = Some(Instant::now() + AGAIN);
        self.reading.is_store_gone = true;
        // Nothing is concluded from a store that isn't there; what was missing is looked at from the beginning.
        self.reading.missing.clear();
        self.reading.missing_folders.clear();
        self.store_problem(Cause::Store, error);
    }

    pub(super) fn folders_listed(
        &mut self,
        folders: std::result::Result<(StoreId, Vec<FolderInfo>), StoreError>,
    ) -> Result<()> {
        let folders = match folders {
            Ok((id, folders)) => match self.recognize(&id)? {
                Ok(()) => folders,
                Err(error) => {
                    self.wait_for_store(&error);
                    return Ok(());
                }
            },
            Err(error) => {
                self.wait_for_store(&error);
                return Ok(());
            }
        };
        if self.recovering != Recovering::No {
            // It came back between two questions: the one about what a crash left behind is asked first.
            self.read_all_later();
            return Ok(());
        }
        if std::mem::take(&mut self.reading.is_store_gone) {
            self.problems.clear(&Cause::Store);
            self.reading.is_watched = false;
            // What couldn't be written to a store that wasn't there can be now.
            self.refused_at = None;
            self.replica.room_again();
        }
        // A first reading touches everything there is, and every touch would be told. What changes meanwhile is found by
        // the second reading, which looks again at what isn't as it was.
        let is_first_ever = !self.reading.has_read_all && self.reading.tokens.is_empty();
        if !is_first_ever && !std::mem::replace(&mut self.reading.is_watched, true) {
            self.effects.push_back(Effect::Job(Job::Watch));
        }
        let known = self.index.replica().folders()?;
        let by_id: BTreeMap<String, FolderUid> = known
            .iter()
            .filter_map(|(uid, record)| record.local.as_ref().map(|local| (local.id.clone(), *uid)))
            .collect();
        let listed: BTreeSet<String> = folders.iter().map(|info| info.id.0.clone()).collect();
        let is_elsewhere = |uid: &FolderUid| {
            let record = known.iter().find(|(known, _)| known == uid).map(|(_, record)| record);
            let id = record.and_then(|record| record.local.as_ref()).map(|local| local.id.as_str());
            id.is_some_and(|id| listed.contains(id))
        };
        let mut seen = BTreeSet::new();
        let mut uids = BTreeMap::<FolderId, FolderUid>::new();
        let mut marks_lost = BTreeSet::new();
        let mut is_any_changed = false;
        for info in folders {
            let by_name = by_id.get(&info.id.0).copied();
            let uid = match (by_name, info.uid) {
                (Some(uid), mark) => {
                    if mark != Some(uid) {
                        marks_lost.insert(uid);
                    }
                    uid
                }
                // The mark says which folder it was; unless that one is still there: then this is a copy of it.
                (None, Some(mark)) if !is_elsewhere(&mark) && !seen.contains(&mark) => mark,
                (None, _) => {
                    let uid = FolderUid(super::random());
                    self.effects.push_back(Effect::Job(Job::Mark(uid, info.id.clone())));
                    uid
                }
            };
            seen.insert(uid);
            let parent = info.parent.as_ref().and_then(|id| uids.get(id)).copied();
            uids.insert(info.id.clone(), uid);
            let state = FolderState { kind: info.kind, parent, name: info.name, special_use: info.special_use };
            let id = info.id.0;
            if self.index.replica().folder(uid)?.and_then(|record| record.local).is_some_and(|local| local.id != id) {
                // Its items have other names now, although nothing in it changed: an earlier listing says nothing of them.
                self.forget_listing(uid)?;
            }
            is_any_changed |= set_local_folder(&mut self.index.replica(), uid, Some(LocalFolder { id, state }))?;
        }
        self.folder_ids = uids.clone();
        self.reading.knows_folders = true;
        let Some(current) = &mut self.reading.current else { return Ok(()) };
        current.outstanding -= 1;
        let is_all = current.is_all;
        for (id, uid) in &uids {
            if is_all || self.reading.due.remove(uid) {
                // A folder whose mark is gone is listed in full: was it only the mark? So is one with items that couldn't
                // be read: perhaps they can be now.
                let is_doubtful = marks_lost.contains(uid) || self.problems.has_items_of(*uid);
                let token = if is_doubtful { None } else { self.reading.tokens.get(uid).cloned() };
                current.outstanding += 1;
                self.effects.push_back(Effect::Job(Job::List(*uid, id.clone(), token)));
            }
        }
        for uid in self.reading.emptied.clone() {
            if !marks_lost.contains(&uid) {
                self.emptied_no_more(uid)?;
            }
        }
        self.reading.unmarked = marks_lost;
        is_any_changed |= self.miss_folders(&known, &seen)?;
        if is_any_changed {
            self.replica.observed_folder();
        }
        self.effects.push_back(Effect::Job(Job::EndOfReading));
        Ok(())
    }

    /// The folder is listed in full next time, also after a restart.
    pub(super) fn forget_listing(&mut self, folder: FolderUid) -> Result<()> {
        self.reading.tokens.remove(&folder);
        self.index.set_value(&format!("{TOKEN}{folder}"), None)
    }

    /// Another store at the same place is not ours with everything deleted.
    fn recognize(&self, id: &StoreId) -> Result<std::result::Result<(), StoreError>> {
        match self.index.value(STORE_ID)? {
            Some(known) if known == id.0.as_bytes() => Ok(Ok(())),
            Some(_) => Ok(Err(StoreError::Replaced)),
            None => {
                self.index.set_value(STORE_ID, Some(id.0.as_bytes()))?;
                Ok(Ok(()))
            }
        }
    }

    /// Known folders that aren't there any more: with the same evidence as items.
    fn miss_folders(
        &mut self,
        known: &[(FolderUid, sync::index::FolderRecord)],
        seen: &BTreeSet<FolderUid>,
    ) -> Result<bool> {
        let now = Instant::now();
        let wait = Duration::from_millis(self.caps.absence_wait_ms);
        let mut is_any_gone = false;
        for (uid, record) in known {
            if record.local.is_none() || seen.contains(uid) {
                self.reading.missing_folders.remove(uid);
                continue;
            }
            let since = *self.reading.missing_folders.entry(*uid).or_insert(now);
            let items = self.index.replica().local_items(*uid)?;
            if now.duration_since(since) >= wait {
                self.reading.missing_folders.remove(uid);
                self.reading.tokens.remove(uid);
                set_local_folder(&mut self.index.replica(), *uid, None)?;
                is_any_gone = true;
            } else {
                self.reading.look_again_at(since + wait + DEBOUNCE);
            }
            if let Some(current) = &mut self.reading.current {
                current.complete.insert(*uid);
                current.vanished.extend(items);
            }
        }
        Ok(is_any_gone)
    }

    pub(super) fn folder_listed(
        &mut self,
        uid: FolderUid,
        listing: std::result::Result<Listing, StoreError>,
    ) -> Result<()> {
        let uid = self.reading.renamed.get(&uid).copied().unwrap_or(uid);
        let (entries, token, is_news) = match listing {
            Ok(Listing::Unchanged) => (Vec::new(), None, true),
            Ok(Listing::Changed { entries, token }) => (entries, Some(token), true),
            Ok(Listing::Complete { entries, token }) => {
                self.problems.clear_items_of(uid);
                (entries, Some(token), false)
            }
            Ok(Listing::Partial { entries, unreadable }) => {
                self.problems.clear_items_of(uid);
                for (href, error) in unreadable {
                    self.item_problem(uid, &href.0, &error);
                }
                (entries, None, false)
            }
            Err(StoreError::NotFound) => (Vec::new(), None, true),
            Err(error) => {
                if let Some(current) = &mut self.reading.current {
                    current.outstanding -= 1;
                }
                self.store_problem(Cause::Listing(uid), &error);
                self.read_all_later();
                return Ok(());
            }
        };
        let Some(record) = self.index.replica().folder(uid)?.and_then(|record| record.local) else {
            if let Some(current) = &mut self.reading.current {
                current.outstanding -= 1;
            }
            return Ok(());
        };
        self.problems.clear(&Cause::Listing(uid));
        self.listed += entries.len() as u64;
        let is_complete = token.is_some();
        if is_complete || !is_news {
            // Until everything that was listed is written down, a restart lists it once more.
            self.index.set_value(&format!("{TOKEN}{uid}"), None)?;
            self.reading.tokens.remove(&uid);
            self.reading.tokens.extend(token.map(|token| (uid, token)));
            if let Some(current) = &mut self.reading.current {
                current.told.insert(uid);
            }
        }
        if is_news {
            // What was missing at the last listing and isn't among the news is missing still.
            let listed: BTreeSet<&str> = entries.iter().map(|entry| entry.href.0.as_str()).collect();
            let missing = self.reading.missing.iter().filter(|(_, (folder, _))| *folder == uid);
            for item in missing.map(|(item, _)| *item).collect::<Vec<_>>() {
                let local = self.index.replica().item(item)?.and_then(|record| record.local);
                if let Some(local) = local.filter(|local| !listed.contains(local.href.as_str()))
                    && let Some(current) = &mut self.reading.current
                {
                    current.vanished.push((item, local));
                }
            }
            let mut to_examine = Vec::new();
            for entry in entries {
                let known = self.index.replica().item_by_href(&entry.href.0)?;
                let local = known.map(|item| self.index.replica().item(item)).transpose()?;
                let local = local.flatten().and_then(|record| record.local);
                to_examine.extend(self.compare(known.zip(local), entry)?);
            }
            if let Some(current) = &mut self.reading.current {
                current.outstanding -= 1;
                current.complete.insert(uid);
            }
            self.examine(uid, record.state.kind, to_examine);
            return Ok(());
        }
        let mut known: HashMap<String, (ItemUid, Local)> = self
            .index
            .replica()
            .local_items(uid)?
            .into_iter()
            .map(|(item, local)| (local.href.clone(), (item, local)))
            .collect();
        let known_before = known.len();
        let mut to_examine = Vec::new();
        for entry in entries {
            to_examine.extend(self.compare(known.remove(&entry.href.0), entry)?);
        }
        // Names to be examined are known or new; the rest of the known ones vanished.
        let mut vanished: Vec<(ItemUid, Local)> = known.into_values().collect();
        if !vanished.is_empty() {
            let examined: HashSet<&str> = to_examine.iter().map(|entry| entry.href.0.as_str()).collect();
            vanished.retain(|(_, local)| !examined.contains(local.href.as_str()));
        }
        if self.reading.unmarked.remove(&uid) {
            let was_emptied = self.reading.emptied.contains(&uid);
            // What is written into an emptied folder afterwards is no sign that the rest was meant.
            let is_only_the_mark = vanished.is_empty() || (!was_emptied && vanished.len() * 2 <= known_before);
            if is_only_the_mark {
                self.emptied_no_more(uid)?;
                self.effects.push_back(Effect::Job(Job::Mark(uid, FolderId(record.id.clone()))));
            } else if !was_emptied {
                self.reading.emptied.insert(uid);
                self.keep_emptied()?;
                let count = vanished.len() as u64;
                self.effects.push_back(Effect::Event(Event::Happened(Happened::RemovalsHeld(uid, count))));
            }
            if !is_only_the_mark {
                self.reading.lost.insert(uid, vanished.len() as u64);
                let problem = Problem::new(Code::FolderEmptied).with("folder", record.state.name.clone());
                self.problem(Cause::Emptied(uid), problem);
            }
        }
        let Some(current) = &mut self.reading.current else { return Ok(()) };
        current.outstanding -= 1;
        if is_complete {
            current.complete.insert(uid);
            current.vanished.extend(vanished);
        }
        self.examine(uid, record.state.kind, to_examine);
        Ok(())
    }

    /// Compares an item as it was listed with what is known under its name. Gives it back if its content must be looked at.
    fn compare(&mut self, known: Option<(ItemUid, Local)>, entry: Entry) -> Result<Option<Entry>> {
        let Some((item, local)) = known.filter(|(_, local)| local.rev == entry.rev.0) else { return Ok(Some(entry)) };
        if local.state.flags != entry.flags || local.state.name != entry.name {
            let state = sync::model::ItemState { flags: entry.flags, name: entry.name, ..local.state };
            if set_local(&mut self.index.replica(), item, Some(Local { state, ..local }))? {
                self.replica.observed(item);
            }
        }
        Ok(None)
    }

    fn examine(&mut self, folder: FolderUid, kind: FolderKind, entries: Vec<Entry>) {
        let Some(current) = &mut self.reading.current else { return };
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let batch = entries.by_ref().take(BATCH).collect();
            current.outstanding += 1;
            self.effects.push_back(Effect::Job(Job::Examine(folder, kind, batch)));
        }
    }

    pub(super) fn items_examined(
        &mut self,
        folder: FolderUid,
        items: Vec<(Entry, std::result::Result<Examined, StoreError>)>,
    ) -> Result<()> {
        let folder = self.reading.renamed.get(&folder).copied().unwrap_or(folder);
        let mut appeared = Vec::with_capacity(items.len());
        for (entry, examined) in items {
            match examined {
                Ok(examined) => {
                    let uid = entry.uid;
                    let is_content_immutable = entry.format == pim::Format::Rfc5322;
                    appeared.push(Observation { uid, is_content_immutable, local: local_of(entry, folder, examined) });
                }
                // It vanished or changed again: the next listing tells, if it is one of everything.
                Err(StoreError::NotFound | StoreError::Changed) => {
                    self.reading.tokens.remove(&folder);
                    self.read_all();
                }
                Err(error) => self.item_problem(folder, &entry.href.0, &error),
            }
        }
        let mut strangers = Vec::new();
        for observation in appeared {
            let known = self.index.replica().item_by_href(&observation.local.href)?;
            let known = known.map(|item| self.index.replica().item(item).map(|record| (item, record))).transpose()?;
            let before = known.and_then(|(item, record)| Some((item, record?.local?)));
            match before {
                Some((item, local))
                    if !observation.is_content_immutable
                        || local.state.version.native == observation.local.state.version.native =>
                {
                    if set_local(&mut self.index.replica(), item, Some(observation.local))? {
                        self.replica.observed(item);
                    }
                }
                Some((item, local)) => {
                    // Another message under a known name: the one we knew is gone, this one is new.
                    if let Some(current) = &mut self.reading.current {
                        current.vanished.push((item, local));
                        current.replaced.insert(item);
                    }
                    strangers.push(observation);
                }
                None => strangers.push(observation),
            }
        }
        let Some(current) = &mut self.reading.current else { return Ok(()) };
        current.outstanding -= 1;
        let is_all_listed = current.vanished.is_empty() && self.reading.missing.is_empty();
        if is_all_listed && !self.reading.has_read_all {
            // Nothing vanished, so nothing can have been moved or renamed: new items needn't wait for the end.
            self.write_down(&[], strangers)?;
        } else {
            current.appeared.extend(strangers);
        }
        Ok(())
    }

    fn write_down(&mut self, vanished: &[(ItemUid, Local)], appeared: Vec<Observation>) -> Result<Vec<ItemUid>> {
        let fresh = || ItemUid(super::random());
        let (changed, gone) = observe(&mut self.index.replica(), vanished, appeared, fresh)?;
        changed.into_iter().for_each(|item| self.replica.observed(item));
        Ok(gone)
    }

    pub(super) fn reading_done(&mut self) -> Result<()> {
        let Some(current) = &self.reading.current else { return Ok(()) };
        if current.outstanding > 0 {
            // Jobs handed out since the end was asked for come first.
            self.effects.push_back(Effect::Job(Job::EndOfReading));
            return Ok(());
        }
        let Some(current) = self.reading.current.take() else { return Ok(()) };
        let renamed = std::mem::take(&mut self.reading.renamed);
        let complete = current.complete.iter().map(|uid| renamed.get(uid).copied().unwrap_or(*uid)).collect();
        let mut appeared = current.appeared;
        for observation in &mut appeared {
            let folder = &mut observation.local.state.folder;
            *folder = renamed.get(folder).copied().unwrap_or(*folder);
        }
        let gone = self.write_down(&current.vanished, appeared)?;
        self.conclude(&complete, gone, &current.replaced)?;
        self.keep_tokens(&complete)?;
        if current.is_all {
            self.reading.last_full = Some(Instant::now());
            if !self.reading.has_read_all {
                self.reading.has_read_all = true;
                if !self.reading.is_watched {
                    self.read_all();
                }
                self.replica.set_reading(false);
                if let Some(room) = &mut self.hub {
                    room.hub.set_reading(false);
                }
                if self.part == Part::Server {
                    self.hub_says(vec![sync::hub::HubOutput::NewRows])?;
                }
            }
            self.replica.observed_all();
        }
        self.read_what_is_due();
        Ok(())
    }

    /// What is gone for the second time was deleted.
    fn conclude(
        &mut self,
        complete: &BTreeSet<FolderUid>,
        gone: Vec<ItemUid>,
        replaced: &BTreeSet<ItemUid>,
    ) -> Result<()> {
        let now = Instant::now();
        let wait = Duration::from_millis(self.caps.absence_wait_ms);
        let gone: BTreeSet<ItemUid> = gone.into_iter().collect();
        self.reading.missing.retain(|item, (folder, _)| gone.contains(item) || !complete.contains(folder));
        let mut missing = Vec::new();
        let mut is_more_missing = false;
        for item in gone {
            let Some(local) = self.index.replica().item(item)?.and_then(|record| record.local) else { continue };
            let folder = local.state.folder;
            if self.reading.emptied.contains(&folder) {
                // It was missed before its whole folder was: that is for a person to decide.
                self.reading.missing.remove(&item);
                continue;
            }
            if self.reading.refill.contains(&folder) {
                self.reading.missing.remove(&item);
                self.bring_back(item)?;
                continue;
            }
            is_more_missing |= !self.reading.missing.contains_key(&item);
            let (_, since) = *self.reading.missing.entry(item).or_insert((folder, now));
            missing.push((item, since));
        }
        let oldest = missing.iter().map(|(_, since)| *since).min().unwrap_or(now);
        let is_deleting = is_more_missing && now.duration_since(oldest) < wait + SETTLING_MAX;
        for (item, since) in missing {
            if replaced.contains(&item) || (now.duration_since(since) >= wait && !is_deleting) {
                self.reading.missing.remove(&item);
                if set_local(&mut self.index.replica(), item, None)? {
                    self.replica.observed(item);
                }
            } else {
                let seen = if is_deleting { now } else { since };
                self.reading.look_again_at(seen + wait + DEBOUNCE);
            }
        }
        self.reading.refill.retain(|folder| !complete.contains(folder));
        Ok(())
    }

    /// Each emptied folder and how many items it lost.
    pub(super) fn emptied_folders(&self) -> Vec<(FolderUid, u64)> {
        let lost = |uid: &FolderUid| self.reading.lost.get(uid).copied().unwrap_or_default();
        self.reading.emptied.iter().map(|uid| (*uid, lost(uid))).collect()
    }

    /// The item is due here again, as if it had never been here.
    fn bring_back(&mut self, item: ItemUid) -> Result<()> {
        let Some(mut record) = self.index.replica().item(item)? else { return Ok(()) };
        record.local = None;
        if let Some(base) = record.base.take() {
            record.remote.get_or_insert(sync::index::Remote::Live { seq: base.seq, state: base.state });
        }
        self.index.replica().put_item(item, &record)?;
        self.replica.observed(item);
        Ok(())
    }

    fn item_problem(&mut self, folder: FolderUid, href: &str, error: &StoreError) {
        if matches!(error, StoreError::InUse { .. }) {
            self.reading.busy.entry(folder).or_insert_with(|| Instant::now() + BUSY);
        }
        let mut problem = Problem::with_store(error.clone(), href);
        let record = self.index.replica().folder(folder).ok().flatten();
        if let Some(local) = record.and_then(|record| record.local)
            && problem.code.facts().contains(&"folder")
        {
            problem = problem.with("folder", local.state.name);
        }
        self.problem(Cause::Item(folder, href.to_owned()), problem);
    }

    fn read_all_later(&mut self) {
        self.reading.abandon();
        self.reading.is_all_due = true;
        self.reading.not_before = Some(Instant::now() + AGAIN);
    }

    /// What was remembered about listings goes on: a folder that didn't change since isn't listed again.
    pub(super) fn take_up_reading(&mut self) -> Result<()> {
        for (uid, _) in self.index.replica().folders()? {
            if let Some(token) = self.index.value(&format!("{TOKEN}{uid}"))? {
                self.reading.tokens.insert(uid, ListingToken(token));
            }
        }
        let emptied = self.index.value(EMPTIED)?.unwrap_or_default();
        let uids = emptied.chunks_exact(16).filter_map(|bytes| Some(FolderUid(bytes.try_into().ok()?)));
        self.reading.emptied = uids.collect();
        Ok(())
    }

    /// Listings of which everything is written down needn't be repeated after a restart.
    fn keep_tokens(&mut self, complete: &BTreeSet<FolderUid>) -> Result<()> {
        let has_missing = |uid: &FolderUid| self.reading.missing.values().any(|(folder, _)| folder == uid);
        let is_doubtful = |uid: &FolderUid| {
            has_missing(uid)
                || self.reading.emptied.contains(uid)
                || self.reading.due.contains(uid)
                || self.reading.is_all_due
                || self.problems.has_items_of(*uid)
        };
        for uid in complete.iter().filter(|uid| !is_doubtful(uid)) {
            if let Some(token) = self.reading.tokens.get(uid) {
                let key = format!("{TOKEN}{uid}");
                if self.index.value(&key)?.as_ref() != Some(&token.0) {
                    self.index.set_value(&key, Some(&token.0))?;
                }
            }
        }
        Ok(())
    }

    fn keep_emptied(&self) -> Result<()> {
        let bytes: Vec<u8> = self.reading.emptied.iter().flat_map(|uid| uid.0).collect();
        self.index.set_value(EMPTIED, if bytes.is_empty() { None } else { Some(&bytes) })
    }

    fn emptied_no_more(&mut self, folder: FolderUid) -> Result<bool> {
        self.problems.clear(&Cause::Emptied(folder));
        self.reading.lost.remove(&folder);
        let was_emptied = self.reading.emptied.remove(&folder);
        if was_emptied {
            self.keep_emptied()?;
        }
        Ok(was_emptied)
    }

    /// A person said that an emptied folder is as it should be: what is missing there counts as deleted.
    pub(super) fn believe_emptied(&mut self, folder: FolderUid) -> Result<bool> {
        if !self.emptied_no_more(folder)? {
            return Ok(false);
        }
        if let Some(local) = self.index.replica().folder(folder)?.and_then(|record| record.local) {
            self.effects.push_back(Effect::Job(Job::Mark(folder, FolderId(local.id))));
        }
        self.reading.tokens.remove(&folder);
        self.read_all();
        Ok(true)
    }

    /// A person said that what an emptied folder held shall come back.
    pub(super) fn refill_emptied(&mut self, folder: FolderUid) -> Result<bool> {
        if !self.emptied_no_more(folder)? {
            return Ok(false);
        }
        self.reading.refill.insert(folder);
        if let Some(local) = self.index.replica().folder(folder)?.and_then(|record| record.local) {
            self.effects.push_back(Effect::Job(Job::Mark(folder, FolderId(local.id))));
        }
        self.reading.tokens.remove(&folder);
        self.read_all();
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
