//! Writing: contents wait in the staging folder, and each change becomes visible in one call.
//!
//! Two changes need more than one: a move (made there, then removed here), and a series with fewer changed occurrences
//! than before. Recovery finishes both.

use super::{
    bus::Sort,
    session::{Eds, Held, folder_source, format, href, source_and_uid},
    source::Source,
    text,
};
use crate::{
    Change, Entry, FolderId, Href, Intent, NewContent, Payload, Recovered, Rev, StoreError, Written,
    staging::{Staged, StagedChange, StagedContent, io},
};
use fail::fail_point;
use pim::{Format, NativeHash};
use std::{collections::BTreeSet, fs, sync::Arc};

/// An item as it goes into EDS.
struct Item {
    objects: Vec<String>,
    zones: Vec<String>,
}

impl Item {
    /// The objects in a file, if EDS can hold them as one item of the folder.
    fn parse(sort: Sort, is: Format, bytes: &[u8]) -> Result<Self, StoreError> {
        if is != format(sort) {
            return Err(StoreError::Unsupported);
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0,
        };
        let text = text.trim_start_matches('\u{feff}').replace('\0', "");
        let parsed = if sort.is_contacts() { text::cards(&text) } else { text::components(&text) };
        let is_zone = |object: &String| text::component_name(object) == "VTIMEZONE";
        let (zones, mut objects): (Vec<_>, Vec<_>) =
            parsed.ok_or(StoreError::Unsupported)?.into_iter().partition(is_zone);
        if sort.is_contacts() {
            objects = objects.iter().map(|card| text::modern(card)).collect();
        }
        let is_held = objects.iter().all(|object| text::component_name(object) == sort.object);
        let uids: BTreeSet<_> = objects.iter().map(|object| text::uid(object)).collect();
        // Of a series with its changes each has the UID; anything else is several items in one file.
        let is_one = objects.len() == 1 || uids.len() == 1 && !uids.contains(&None) && !sort.is_contacts();
        if is_held && is_one { Ok(Self { objects, zones }) } else { Err(StoreError::Unsupported) }
    }

    /// The objects under the name EDS knows them by.
    fn named(&self, uid: &str) -> Vec<String> {
        self.objects.iter().map(|object| text::inward(object, uid)).collect()
    }

    /// The name EDS may know it by, if it has one that is the same however it is written.
    fn uid(&self) -> Option<String> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.@:+={}~#*()!$&'".contains(letter);
        self.objects.first().and_then(|object| text::uid(object)).filter(|uid| uid.chars().all(is_plain))
    }

    fn occurrences(&self) -> BTreeSet<String> {
        self.objects.iter().filter_map(|object| text::value(object, "RECURRENCE-ID")).collect()
    }
}

/// Items that are made in one call.
const TOGETHER_MAX: usize = 100;

/// What became of new items that were to be made in one call.
#[derive(Clone, Copy)]
enum Together {
    /// There was no such call.
    Untried,
    Made,
    /// One of them is the reason: each is tried by itself.
    Refused,
}

/// The folder of a new item.
fn new_in(staged: Option<&Staged>) -> Option<&FolderId> {
    match &staged?.change {
        StagedChange::Create { folder, .. } => Some(folder),
        _ => None,
    }
}

/// The name that a new item is to have.
fn first_name(staged: &Staged) -> String {
    staged.item.clone().unwrap_or_else(|| own_name(&staged.operation))
}

/// The name of an item whose own is taken, or which has none.
fn own_name(operation: &str) -> String {
    format!("tandem-{operation}")
}

impl Eds {
    pub(super) fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        let staged = self
            .within(|eds, sources| Ok(changes.iter().map(|change| eds.stage_one(sources, change)).collect::<Vec<_>>()));
        staged.unwrap_or_else(|error| vec![Err(error); changes.len()])
    }

    fn stage_one(&mut self, sources: &[Source], change: &Change) -> Result<Intent, StoreError> {
        let change = self.with_content(change)?;
        let item = self.free_uid(sources, &change)?;
        let place = |href: &Href| Ok(FolderId(source_and_uid(href)?.0.to_owned()));
        let accept = |folder: &FolderId, format, bytes: &[u8]| {
            let sort = folder_source(sources, folder)?.1;
            Item::parse(sort, format, bytes).map(|_| sort.kind)
        };
        self.staging.stage(&change, place, accept, item)
    }

    /// A move as what it is here: the same content, elsewhere.
    fn with_content(&mut self, change: &Change) -> Result<Change, StoreError> {
        let mut change = change.clone();
        if let Change::Update { href, expect_rev, content: content @ None, folder: Some(folder), .. } = &mut change {
            let (source, uid) = source_and_uid(href)?;
            if source != folder.0 {
                let sort = self.sort(source)?;
                let held = self.held(sort, source, uid)?.filter(|held| held.rev() == *expect_rev);
                let bytes = self.outward(sort, source, &held.ok_or(StoreError::Changed)?)?;
                let native = NativeHash(*blake3::hash(&bytes).as_bytes());
                let payload = Payload::Memory(Arc::from(bytes));
                let format = format(sort);
                *content = Some(NewContent { payload, native, format, modified: None, may_be_linked: false });
            }
        }
        Ok(change)
    }

    /// The name that a new item, or one that moves, can have in its folder.
    fn free_uid(&mut self, sources: &[Source], change: &Change) -> Result<Option<String>, StoreError> {
        let (folder, content, uid) = match change {
            Change::Create { folder, content, .. } => (folder, content, None),
            Change::Update { href, content: Some(content), folder: Some(folder), .. }
                if source_and_uid(href)?.0 != folder.0 =>
            {
                (folder, content, Some(source_and_uid(href)?.1.to_owned()))
            }
            _ => return Ok(None),
        };
        let sort = folder_source(sources, folder)?.1;
        let wish = match (uid, &content.payload) {
            (Some(uid), _) => Some(uid),
            (None, Payload::Memory(bytes)) => Item::parse(sort, content.format, bytes)?.uid(),
            (None, Payload::File { size, .. }) if *size > Payload::SIZE_MAX => None,
            (None, Payload::File { path, .. }) => {
                let bytes = fs::read(path).map_err(|error| io(&error, path))?;
                Item::parse(sort, content.format, &bytes)?.uid()
            }
        };
        let Some(wish) = wish else { return Ok(None) };
        let is_free =
            !self.promised.contains(&href(&folder.0, &wish)) && self.bus()?.item(sort, &folder.0, &wish)?.is_none();
        if is_free {
            self.promised.insert(href(&folder.0, &wish));
        }
        Ok(is_free.then_some(wish))
    }

    pub(super) fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        let committed = self.within(|eds, sources| {
            let staged: Vec<Option<Staged>> =
                intents.iter().map(|intent| postcard::from_bytes(&intent.0).ok()).collect();
            // EDS writes to the disk at each call: new items of a folder go in one.
            let runs = staged.chunk_by(|a, b| new_in(a.as_ref()).is_some() && new_in(a.as_ref()) == new_in(b.as_ref()));
            Ok(runs.flat_map(|run| eds.commit_run(sources, run)).collect::<Vec<_>>())
        });
        committed.unwrap_or_else(|error| vec![Err(error); intents.len()])
    }

    fn commit_run(&mut self, sources: &[Source], run: &[Option<Staged>]) -> Vec<Result<Written, StoreError>> {
        let mut written = Vec::new();
        for group in run.chunks(TOGETHER_MAX) {
            let made = match group {
                [_] => Ok(Together::Untried),
                group => self.create_together(sources, &group.iter().flatten().collect::<Vec<_>>()),
            };
            for staged in group {
                written.push(match (staged, &made) {
                    (None, _) => Err(StoreError::Changed),
                    (Some(_), Err(error)) => Err(error.clone()),
                    (Some(staged), Ok(together)) => self.commit_one(sources, staged, *together),
                });
            }
        }
        written
    }

    /// Tries to make new items of one folder in one call. EDS makes all of them or none. An error is one of EDS as a whole.
    fn create_together(&mut self, sources: &[Source], run: &[&Staged]) -> Result<Together, StoreError> {
        let Some(folder) = run.first().and_then(|staged| new_in(Some(staged))) else { return Ok(Together::Untried) };
        let created = folder_source(sources, folder).and_then(|(_, sort)| {
            let mut objects = Vec::new();
            for staged in run {
                let StagedChange::Create { content, .. } = &staged.change else { continue };
                let item = self.item(sources, folder, &staged.operation, content)?;
                self.add_zones(sort, &folder.0, &item)?;
                objects.extend(item.named(&first_name(staged)));
            }
            self.bus()?.create(sort, &folder.0, &objects)?;
            fail_point!("eds::after_together");
            Ok(())
        });
        match created {
            Ok(()) => Ok(Together::Made),
            Err(error @ StoreError::Program { .. }) => Err(error),
            Err(_) => Ok(Together::Refused),
        }
    }

    fn commit_one(&mut self, sources: &[Source], staged: &Staged, together: Together) -> Result<Written, StoreError> {
        let done = self.carry_out(sources, staged, together);
        if let Ok(Some(entry)) = &done {
            self.staging.remember(&staged.operation, entry);
        }
        if !matches!(&done, Err(StoreError::Program { .. })) {
            self.give_up(staged);
        }
        match done {
            Ok(entry) => Ok(Written { entry }),
            Err(StoreError::NotFound) => Err(StoreError::Changed),
            Err(error) => Err(error),
        }
    }

    /// Nobody needs any more what waited for the change.
    fn give_up(&mut self, staged: &Staged) {
        self.staging.forget(&staged.operation);
        if let (Some(folder), Some(uid)) = (target(&staged.change), &staged.item) {
            self.promised.remove(&href(&folder.0, uid));
        }
    }

    fn carry_out(
        &mut self,
        sources: &[Source],
        staged: &Staged,
        together: Together,
    ) -> Result<Option<Entry>, StoreError> {
        let operation = &staged.operation;
        match &staged.change {
            StagedChange::Create { folder, content, .. } => {
                let sort = folder_source(sources, folder)?.1;
                match together {
                    Together::Made => return self.written(sort, &folder.0, &first_name(staged)).map(Some),
                    Together::Refused => {
                        // If an EDS made some of them all the same, they aren't made twice.
                        if let Made::Ours(entry) = self.made(sort, folder, staged, content)? {
                            return Ok(Some(entry));
                        }
                    }
                    Together::Untried => {}
                }
                let item = self.item(sources, folder, operation, content)?;
                self.create(sources, folder, &item, staged).map(Some)
            }
            StagedChange::Update { href, expect_rev, content, folder, .. } => {
                let (source, uid) = source_and_uid(href)?;
                let sort = self.sort(source)?;
                let held = self.expected(href, expect_rev)?;
                let Some(content) = content else { return Ok(Some(held.entry(sort, source, uid))) };
                let into = folder.clone().unwrap_or_else(|| FolderId(source.to_owned()));
                let item = self.item(sources, &into, operation, content)?;
                if into.0 == source {
                    return self.replace(sort, href, &held, &item, operation).map(Some);
                }
                let entry = self.create(sources, &into, &item, staged)?;
                fail_point!("eds::before_old_goes");
                self.bus()?.remove(sort, source, uid)?;
                Ok(Some(entry))
            }
            StagedChange::Delete { href, expect_rev } => {
                self.expected(href, expect_rev)?;
                let (source, uid) = source_and_uid(href)?;
                let sort = self.sort(source)?;
                self.bus()?.remove(sort, source, uid)?;
                Ok(None)
            }
        }
    }

    /// What is to be written.
    fn item(
        &self,
        sources: &[Source],
        folder: &FolderId,
        operation: &str,
        content: &StagedContent,
    ) -> Result<Item, StoreError> {
        let sort = folder_source(sources, folder)?.1;
        Item::parse(sort, content.format, &self.staging.bytes(operation, content)?)
    }

    /// An item that is still as believed.
    fn expected(&mut self, href: &Href, rev: &Rev) -> Result<Held, StoreError> {
        let (source, uid) = source_and_uid(href)?;
        let sort = self.sort(source)?;
        self.held(sort, source, uid)?.filter(|held| held.rev() == *rev).ok_or(StoreError::Changed)
    }

    fn create(
        &mut self,
        sources: &[Source],
        folder: &FolderId,
        item: &Item,
        staged: &Staged,
    ) -> Result<Entry, StoreError> {
        let sort = folder_source(sources, folder)?.1;
        self.add_zones(sort, &folder.0, item)?;
        for uid in staged.item.iter().cloned().chain([own_name(&staged.operation)]) {
            match self.bus()?.create(sort, &folder.0, &item.named(&uid)) {
                Ok(()) => return self.written(sort, &folder.0, &uid),
                // Somebody took the name since it was chosen.
                Err(StoreError::Changed) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Changed)
    }

    fn written(&mut self, sort: Sort, source: &str, uid: &str) -> Result<Entry, StoreError> {
        Ok(self.held(sort, source, uid)?.ok_or(StoreError::Changed)?.entry(sort, source, uid))
    }

    /// EDS has one definition of each time zone in a folder, the first that came; what names an unknown one it would
    /// shift to UTC.
    fn add_zones(&mut self, sort: Sort, source: &str, item: &Item) -> Result<(), StoreError> {
        for zone in &item.zones {
            let Some(name) = text::value(zone, "TZID").map(|name| text::unescaped(&name)) else { continue };
            if self.bus()?.zone(sort, source, &name)?.is_none() {
                self.bus()?.add_zone(sort, source, &name, zone)?;
            }
        }
        Ok(())
    }

    fn replace(
        &mut self,
        sort: Sort,
        at: &Href,
        held: &Held,
        item: &Item,
        operation: &str,
    ) -> Result<Entry, StoreError> {
        let (source, uid) = source_and_uid(at)?;
        self.add_zones(sort, source, item)?;
        let has_series =
            |objects: &[String]| objects.iter().any(|object| text::value(object, "RECURRENCE-ID").is_none());
        if has_series(&held.0) && !has_series(&item.objects) {
            // Nothing takes a series away and leaves its changed occurrences: they get a place of their own.
            let uid_now = own_name(operation);
            self.bus()?.create(sort, source, &item.named(&uid_now))?;
            self.bus()?.remove(sort, source, uid)?;
            return self.written(sort, source, &uid_now);
        }
        let occurrences = item.occurrences();
        let before = held.0.iter().filter_map(|object| text::value(object, "RECURRENCE-ID"));
        let stale: Vec<String> = before.filter(|when| !occurrences.contains(when)).collect();
        if !stale.is_empty() {
            self.remember_before(operation, held)?;
        }
        for when in &stale {
            self.bus()?.remove_one(sort, source, uid, when)?;
        }
        if !stale.is_empty() {
            fail_point!("eds::before_series");
        }
        self.bus()?.modify(sort, source, &item.named(uid))?;
        if !stale.is_empty() {
            self.forget_before(operation);
        }
        self.written(sort, source, uid)
    }

    /// Keeps what is there before a change that takes more than one step.
    fn remember_before(&self, operation: &str, held: &Held) -> Result<(), StoreError> {
        let path = self.staging.file(&format!("{operation}.before"))?;
        let bytes = postcard::to_stdvec(&held.0).expect("texts can be written");
        let written = fs::File::create(&path).and_then(|mut file| {
            std::io::Write::write_all(&mut file, &bytes)?;
            file.sync_all()
        });
        written.map_err(|error| io(&error, &path))
    }

    fn remembered_before(&self, operation: &str) -> Option<Held> {
        let path = self.staging.file(&format!("{operation}.before")).ok()?;
        postcard::from_bytes(&fs::read(path).ok()?).ok().map(Held)
    }

    fn forget_before(&self, operation: &str) {
        if let Ok(path) = self.staging.file(&format!("{operation}.before")) {
            let _ = fs::remove_file(path);
        }
    }

    pub(super) fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        let recovered = self.within(|eds, sources| {
            Ok(intents.iter().map(|intent| eds.recover_one(sources, intent)).collect::<Vec<_>>())
        });
        recovered.unwrap_or_else(|_| vec![Recovered::Unclear; intents.len()])
    }

    fn recover_one(&mut self, sources: &[Source], intent: &Intent) -> Recovered {
        let Ok(staged) = postcard::from_bytes::<Staged>(&intent.0) else { return Recovered::Unclear };
        let recovered = self.find_out(sources, &staged);
        if recovered.is_ok() {
            self.forget_before(&staged.operation);
            self.give_up(&staged);
        }
        recovered.unwrap_or(Recovered::Unclear)
    }

    fn find_out(&mut self, sources: &[Source], staged: &Staged) -> Result<Recovered, StoreError> {
        let done = |entry: Entry| Recovered::Done(Written { entry: Some(entry) });
        match &staged.change {
            StagedChange::Create { folder, content, .. } => {
                let Ok((_, sort)) = folder_source(sources, folder) else { return Ok(Recovered::Unclear) };
                Ok(match self.made(sort, folder, staged, content)? {
                    Made::Ours(entry) => done(entry),
                    Made::Theirs => Recovered::Unclear,
                    // What we made is gone again.
                    Made::Nothing if self.staging.remembered(&staged.operation).is_some() => Recovered::Unclear,
                    Made::Nothing => Recovered::NotDone,
                })
            }
            StagedChange::Update { href, expect_rev, content, folder, .. } => {
                let (source, uid) = source_and_uid(href)?;
                let Ok(sort) = self.sort(source) else { return Ok(Recovered::Unclear) };
                let held = self.held(sort, source, uid)?;
                let is_before = held.as_ref().is_some_and(|held| held.rev() == *expect_rev);
                let Some(content) = content else {
                    return Ok(if is_before { Recovered::NotDone } else { Recovered::Unclear });
                };
                let into = folder.clone().unwrap_or_else(|| FolderId(source.to_owned()));
                if into.0 == source
                    && let Some(held) = &held
                {
                    if self.is_ours(sort, source, uid, held, staged, content)? {
                        return Ok(done(held.entry(sort, source, uid)));
                    }
                    let before = self.remembered_before(&staged.operation).filter(|before| before.rev() == *expect_rev);
                    if !is_before
                        && let Some(before) = before
                        && held.0.iter().all(|object| before.0.contains(object))
                        && let Ok(item) = self.item(sources, &into, &staged.operation, content)
                    {
                        return Ok(done(self.replace(sort, href, held, &item, &staged.operation)?));
                    }
                }
                Ok(match self.made(sort, &into, staged, content)? {
                    Made::Ours(entry) if entry.href != *href => {
                        if is_before {
                            self.bus()?.remove(sort, source, uid)?;
                        }
                        // Else somebody edited it in between: then there are two.
                        done(entry)
                    }
                    _ if is_before => Recovered::NotDone,
                    _ => Recovered::Unclear,
                })
            }
            StagedChange::Delete { href, expect_rev } => {
                let (source, uid) = source_and_uid(href)?;
                let Ok(sort) = self.sort(source) else { return Ok(Recovered::Unclear) };
                Ok(match self.held(sort, source, uid)? {
                    None => Recovered::Done(Written { entry: None }),
                    Some(held) if held.rev() == *expect_rev => Recovered::NotDone,
                    Some(_) => Recovered::Unclear,
                })
            }
        }
    }

    /// What became of an item that was to be made in a folder.
    fn made(
        &mut self,
        sort: Sort,
        folder: &FolderId,
        staged: &Staged,
        content: &StagedContent,
    ) -> Result<Made, StoreError> {
        let mut made = Made::Nothing;
        for uid in [own_name(&staged.operation)].into_iter().chain(staged.item.clone()) {
            let Some(held) = self.held(sort, &folder.0, &uid)? else { continue };
            if self.is_ours(sort, &folder.0, &uid, &held, staged, content)? {
                return Ok(Made::Ours(held.entry(sort, &folder.0, &uid)));
            }
            made = Made::Theirs;
        }
        Ok(made)
    }

    /// Whether an item is as the operation left it; somebody's edit since then isn't.
    fn is_ours(
        &mut self,
        sort: Sort,
        source: &str,
        uid: &str,
        held: &Held,
        staged: &Staged,
        content: &StagedContent,
    ) -> Result<bool, StoreError> {
        if let Some(left) = self.staging.remembered(&staged.operation) {
            return Ok(left.href == href(source, uid) && left.rev == held.rev());
        }
        let Ok(wanted) = self.staging.bytes(&staged.operation, content) else { return Ok(false) };
        let found = self.outward(sort, source, held)?;
        let meaning = |bytes: &[u8]| pim::examine(sort.kind, format(sort), bytes).canon;
        Ok(meaning(&wanted) == meaning(&found))
    }
}

enum Made {
    Ours(Entry),
    /// There is an item of that name, and it isn't as we would have left it.
    Theirs,
    Nothing,
}

/// Where a new item, or one that moves, goes.
fn target(change: &StagedChange) -> Option<&FolderId> {
    match change {
        StagedChange::Create { folder, .. } => Some(folder),
        StagedChange::Update { folder, .. } => folder.as_ref(),
        StagedChange::Delete { .. } => None,
    }
}
