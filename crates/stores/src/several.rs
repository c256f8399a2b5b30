//! Several stores as one: mail in folders and the rest in Evolution, or an archive of Outlook's beside the mailbox.
//!
//! The engine sees one store whose folders are those of all its parts. A new folder goes to the first part that holds its
//! kind. What a later part holds of a kind that an earlier one holds too is shown beside it, under its own name and the
//! part's (`Contacts (Archive)`), and is nobody's inbox: one place has that. An item that moves from one part into
//! another is made there first and removed here afterwards, so that a crash leaves two rather than none.
//!
//! The parts are there together or not at all: what a missing one holds must not look deleted.

use crate::{
    Caps, Change, Content, Entry, Flush, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, NewContent,
    Payload, Reader, Recovered, Rev, Store, StoreError, StoreId, Watch, Written,
};
use pim::{Flags, FolderKind, FolderUid, Format, NativeHash};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    sync::Arc,
};

/// One of several stores.
pub struct Part {
    /// The store itself, not opened yet.
    pub store: Box<dyn Store>,
    /// What people call it, where its folders stand beside others of their kind.
    pub name: String,
}

/// Several stores as one. See the module.
pub struct SeveralStores {
    parts: Vec<Part>,
    known: Option<StoreId>,
    /// Of each part, once it was opened.
    ids: Vec<StoreId>,
    /// Of folders that were told.
    kinds: BTreeMap<FolderId, FolderKind>,
}

/// What was staged, and where.
#[derive(Serialize, Deserialize)]
enum Staged {
    /// In one part.
    In(usize, Vec<u8>),
    /// Made in one part, to be removed from another.
    Across(Across),
}

#[derive(Serialize, Deserialize)]
struct Across {
    to: usize,
    create: Vec<u8>,
    from: usize,
    href: Href,
    expect_rev: Rev,
    expect_flags: Flags,
    is_mail: bool,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for SeveralStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeveralStores").field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl SeveralStores {
    /// Joins stores. `known` is what an earlier [`Store::open`] of the same parts gave, of which each part is given its own
    /// by [`SeveralStores::known_of_each`].
    #[must_use]
    pub const fn new(parts: Vec<Part>, known: Option<StoreId>) -> Self {
        Self { parts, known, ids: Vec::new(), kinds: BTreeMap::new() }
    }

    /// Which store each of `count` parts was, as the identity of all of them tells; nothing if it is that of other parts.
    #[must_use]
    pub fn known_of_each(known: Option<&StoreId>, count: usize) -> Vec<Option<StoreId>> {
        let ids = known.and_then(|known| serde_json::from_str::<Vec<StoreId>>(&known.0).ok());
        let ids = ids.filter(|ids| ids.len() == count);
        ids.map_or_else(|| vec![None; count], |ids| ids.into_iter().map(Some).collect())
    }

    fn joined(ids: &[StoreId]) -> StoreId {
        StoreId(serde_json::to_string(ids).expect("texts can be written as JSON"))
    }

    /// Whether an earlier part holds folders of this kind, too.
    fn is_beside(&self, at: usize, kind: FolderKind) -> bool {
        self.parts[..at].iter().any(|part| part.store.kinds().contains(&kind))
    }

    /// A part's folder as it is shown.
    fn show(&mut self, at: usize, mut folder: FolderInfo) -> FolderInfo {
        folder.id = FolderId(outer(at, &folder.id.0));
        folder.parent = folder.parent.map(|parent| FolderId(outer(at, &parent.0)));
        if folder.marked_by.is_some() && folder.marked_by.as_ref() == self.ids.get(at) {
            folder.marked_by = Some(Self::joined(&self.ids));
        }
        if self.is_beside(at, folder.kind) {
            shown_beside(&mut folder, &self.parts[at].name);
        }
        self.kinds.insert(folder.id.clone(), folder.kind);
        folder
    }

    fn part_of<'a>(&self, outer: &'a str) -> Result<(usize, &'a str), StoreError> {
        let (at, inner) = outer.split_once(':').ok_or(StoreError::NotFound)?;
        let at = at.parse().ok().filter(|at| *at < self.parts.len());
        at.map(|at| (at, inner)).ok_or(StoreError::NotFound)
    }

    fn folder(&self, folder: &FolderId) -> Result<(usize, FolderId), StoreError> {
        self.part_of(&folder.0).map(|(at, inner)| (at, FolderId(inner.to_owned())))
    }

    fn item(&self, href: &Href) -> Result<(usize, Href), StoreError> {
        self.part_of(&href.0).map(|(at, inner)| (at, Href(inner.to_owned())))
    }

    /// What a folder holds.
    fn kind(&mut self, folder: &FolderId) -> Result<FolderKind, StoreError> {
        if !self.kinds.contains_key(folder) {
            self.folders()?;
        }
        self.kinds.get(folder).copied().ok_or(StoreError::NotFound)
    }

    /// A change as one part takes it; or `None` for a move from one part into another.
    fn within(&self, change: &Change) -> Result<Option<(usize, Change)>, StoreError> {
        Ok(match change.clone() {
            Change::Create { uid, folder, content, flags, name } => {
                let (at, folder) = self.folder(&folder)?;
                Some((at, Change::Create { uid, folder, content, flags, name }))
            }
            Change::Update { uid, href, expect_rev, expect_flags, content, flags, folder } => {
                let (at, href) = self.item(&href)?;
                let folder = folder.map(|folder| self.folder(&folder)).transpose()?;
                if folder.as_ref().is_some_and(|(to, _)| *to != at) {
                    return Ok(None);
                }
                let folder = folder.map(|(_, folder)| folder);
                Some((at, Change::Update { uid, href, expect_rev, expect_flags, content, flags, folder }))
            }
            Change::Delete { href, expect_rev } => {
                let (at, href) = self.item(&href)?;
                Some((at, Change::Delete { href, expect_rev }))
            }
        })
    }

    /// Stages the new item of a move into another part; the old one is left to [`Store::commit`].
    fn stage_across(&mut self, change: &Change) -> Result<Intent, StoreError> {
        let Change::Update { uid, href, expect_rev, expect_flags, content, flags, folder: Some(folder) } = change
        else {
            return Err(StoreError::Unsupported);
        };
        let kind = self.kind(folder)?;
        let ((from, href), (to, folder)) = (self.item(href)?, self.folder(folder)?);
        let content = match content {
            Some(content) => content.clone(),
            None => {
                let content = self.parts[from].store.reader().read(&href).map_err(|error| match error {
                    StoreError::NotFound => StoreError::Changed,
                    other => other,
                })?;
                if content.rev != *expect_rev {
                    return Err(StoreError::Changed);
                }
                as_new(content, kind, &href)?
            }
        };
        let create = Change::Create { uid: *uid, folder, content, flags: flags.clone(), name: String::new() };
        let create = self.parts[to].store.stage(&[create]).pop().ok_or(StoreError::NotFound)??.0;
        let (expect_rev, expect_flags) = (expect_rev.clone(), expect_flags.clone());
        let across = Across { to, create, from, href, expect_rev, expect_flags, is_mail: kind == FolderKind::Mail };
        Ok(Staged::Across(across).to_intent())
    }

    fn commit_across(&mut self, across: &Across, flags: &FlagsNow) -> Result<Written, StoreError> {
        // A flag that somebody set meanwhile would get lost; other changes show in the revision.
        let stale = match flags.get(&across.from) {
            Some(Ok(flags)) if flags.get(&across.href) != Some(&across.expect_flags) => Some(StoreError::Changed),
            Some(Err(error)) => Some(error.clone()),
            Some(Ok(_)) | None => None,
        };
        if let Some(error) = stale.filter(|_| across.is_mail) {
            self.parts[across.to].store.recover(&[Intent(across.create.clone())]);
            return Err(error);
        }
        let made = self.parts[across.to].store.commit(&[Intent(across.create.clone())]).pop();
        let made = made.unwrap_or(Err(StoreError::NotFound))?;
        match self.remove(across.from, &across.href, &across.expect_rev) {
            Ok(()) => Ok(outer_written(across.to, made)),
            Err(error) => {
                // It was edited here meanwhile: this is the one that stays.
                self.take_back(across.to, &made);
                Err(error)
            }
        }
    }

    fn recover_across(&mut self, across: &Across) -> Recovered {
        let made = match self.parts[across.to].store.recover(&[Intent(across.create.clone())]).pop() {
            Some(Recovered::Done(made)) => made,
            Some(Recovered::NotDone) => return Recovered::NotDone,
            Some(Recovered::Unclear) | None => return Recovered::Unclear,
        };
        match self.parts[across.from].store.reader().read(&across.href) {
            Err(StoreError::NotFound) => Recovered::Done(outer_written(across.to, made)),
            Ok(content) if content.rev == across.expect_rev => {
                match self.remove(across.from, &across.href, &across.expect_rev) {
                    Ok(()) => Recovered::Done(outer_written(across.to, made)),
                    Err(_) => Recovered::Unclear,
                }
            }
            Ok(_) => {
                self.take_back(across.to, &made);
                Recovered::Unclear
            }
            Err(_) => Recovered::Unclear,
        }
    }

    fn remove(&mut self, at: usize, href: &Href, expect_rev: &Rev) -> Result<(), StoreError> {
        let store = &mut self.parts[at].store;
        let delete = Change::Delete { href: href.clone(), expect_rev: expect_rev.clone() };
        let intent = store.stage(&[delete]).pop().ok_or(StoreError::NotFound)??;
        store.commit(&[intent]).pop().unwrap_or(Err(StoreError::NotFound)).map(drop)
    }

    /// Removes what was made a moment ago. Where that fails, there are two, which a listing shows.
    fn take_back(&mut self, at: usize, made: &Written) {
        let removed = made.entry.as_ref().map(|entry| self.remove(at, &entry.href, &entry.rev));
        if let Some(Err(error)) = removed {
            tracing::warn!(%error, "an item stays in two stores");
        }
    }

    /// The flags that messages have now which are to move into other parts, found by looking for them once.
    fn flags_now(&mut self, intents: &[Intent]) -> FlagsNow {
        let mut wanted: BTreeMap<usize, BTreeSet<Href>> = BTreeMap::new();
        for across in intents.iter().filter_map(Staged::of).filter_map(Staged::across).filter(|across| across.is_mail) {
            wanted.entry(across.from).or_default().insert(across.href);
        }
        wanted.retain(|at, _| *at < self.parts.len());
        wanted.into_iter().map(|(at, hrefs)| (at, flags_of(&mut *self.parts[at].store, hrefs))).collect()
    }

    /// Does with each part's share of some intents what the part does with intents. Answers stay in order.
    fn each<T>(
        &mut self,
        intents: &[Intent],
        broken: impl Fn() -> T,
        share: impl Fn(&mut dyn Store, &[Intent]) -> Vec<T>,
        across: impl Fn(&mut Self, &Across) -> T,
        shown: impl Fn(usize, T) -> T,
    ) -> Vec<T> {
        let staged: Vec<Option<Staged>> = intents.iter().map(Staged::of).collect();
        let mut answers: Vec<Option<T>> = staged.iter().map(|_| None).collect();
        for at in 0..self.parts.len() {
            let (mut places, mut inner) = (Vec::new(), Vec::new());
            for (place, staged) in staged.iter().enumerate() {
                if let Some(Staged::In(part, bytes)) = staged
                    && *part == at
                {
                    places.push(place);
                    inner.push(Intent(bytes.clone()));
                }
            }
            if !inner.is_empty() {
                let answered = share(&mut *self.parts[at].store, &inner);
                for (place, answer) in places.into_iter().zip(answered) {
                    answers[place] = Some(shown(at, answer));
                }
            }
        }
        for (answer, staged) in answers.iter_mut().zip(&staged) {
            if let Some(Staged::Across(moved)) = staged
                && moved.from.max(moved.to) < self.parts.len()
            {
                *answer = Some(across(self, moved));
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or_else(&broken)).collect()
    }
}

/// By part: each message's flags, or why they can't be told.
type FlagsNow = BTreeMap<usize, Result<BTreeMap<Href, Flags>, StoreError>>;

fn flags_of(store: &mut dyn Store, mut hrefs: BTreeSet<Href>) -> Result<BTreeMap<Href, Flags>, StoreError> {
    let mut found = BTreeMap::new();
    for folder in store.folders()?.into_iter().filter(|folder| folder.kind == FolderKind::Mail) {
        if hrefs.is_empty() {
            break;
        }
        let entries = store.list(&folder.id, None)?.into_entries();
        found.extend(
            entries.into_iter().filter(|entry| hrefs.remove(&entry.href)).map(|entry| (entry.href, entry.flags)),
        );
    }
    Ok(found)
}

impl Staged {
    fn across(self) -> Option<Across> {
        match self {
            Self::Across(across) => Some(across),
            Self::In(..) => None,
        }
    }

    fn to_intent(&self) -> Intent {
        Intent(postcard::to_stdvec(self).expect("names and revisions can be written"))
    }

    /// `None`: not one of ours, or of more parts than there are.
    fn of(intent: &Intent) -> Option<Self> {
        postcard::from_bytes(&intent.0).ok()
    }
}

/// Shows a folder of a kind that an earlier part holds, too, as one of the part called so.
pub fn shown_beside(folder: &mut FolderInfo, part: &str) {
    folder.special_use = None;
    if folder.parent.is_none() {
        folder.name.push_str(&label(part));
    }
}

fn label(part: &str) -> String {
    format!(" ({part})")
}

fn outer(at: usize, inner: &str) -> String {
    format!("{at}:{inner}")
}

fn outer_href(at: usize, href: &Href) -> Href {
    Href(outer(at, &href.0))
}

fn outer_entry(at: usize, entry: Entry) -> Entry {
    Entry { href: outer_href(at, &entry.href), ..entry }
}

fn outer_written(at: usize, written: Written) -> Written {
    Written { entry: written.entry.map(|entry| outer_entry(at, entry)) }
}

/// What was read, to be written elsewhere.
fn as_new(content: Content, kind: FolderKind, href: &Href) -> Result<NewContent, StoreError> {
    let io = |error: std::io::Error| StoreError::Io { reason: error.to_string(), path: href.0.clone() };
    let mut hasher = blake3::Hasher::new();
    let is_calendar = match &content.payload {
        Payload::Memory(bytes) => {
            hasher.update(bytes);
            bytes.starts_with(b"BEGIN:VCALENDAR")
        }
        Payload::File { path, .. } => {
            hasher.update_reader(File::open(path).map_err(io)?).map_err(io)?;
            true
        }
    };
    let format = match kind {
        // The only kind that is written in more than one way.
        FolderKind::Notes if !is_calendar && href.0.to_lowercase().ends_with(".md") => Format::Markdown,
        FolderKind::Notes if !is_calendar => Format::Text,
        kind => kind.format(),
    };
    let native = NativeHash(*hasher.finalize().as_bytes());
    Ok(NewContent { payload: content.payload, native, format, modified: None, may_be_linked: false })
}

struct SeveralReaders(Vec<Arc<dyn Reader>>);

impl Reader for SeveralReaders {
    fn read(&self, href: &Href) -> Result<Content, StoreError> {
        let (at, inner) = href.0.split_once(':').ok_or(StoreError::NotFound)?;
        let reader = at.parse().ok().and_then(|at: usize| self.0.get(at)).ok_or(StoreError::NotFound)?;
        reader.read(&Href(inner.to_owned()))
    }
}

struct SeveralWatches(#[allow(dead_code)] Vec<Box<dyn Watch>>);

impl Watch for SeveralWatches {}

impl Store for SeveralStores {
    fn caps(&self) -> Caps {
        let caps = || self.parts.iter().map(|part| part.store.caps());
        Caps {
            holds_uid: caps().all(|caps| caps.holds_uid),
            verbatim: caps().all(|caps| caps.verbatim),
            absence_wait_ms: caps().map(|caps| caps.absence_wait_ms).max().unwrap_or_default(),
        }
    }

    fn kinds(&self) -> Vec<FolderKind> {
        let is_held = |kind: &FolderKind| self.parts.iter().any(|part| part.store.kinds().contains(kind));
        FolderKind::ALL.into_iter().filter(is_held).collect()
    }

    fn open(&mut self) -> Result<StoreId, StoreError> {
        let ids = self.parts.iter_mut().map(|part| part.store.open()).collect::<Result<Vec<_>, _>>()?;
        let joined = Self::joined(&ids);
        self.ids = ids;
        match &self.known {
            Some(known) if *known != joined => Err(StoreError::Replaced),
            _ => {
                self.known = Some(joined.clone());
                Ok(joined)
            }
        }
    }

    fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        let mut all = Vec::new();
        for at in 0..self.parts.len() {
            for folder in self.parts[at].store.folders()? {
                all.push(self.show(at, folder));
            }
        }
        let there: BTreeSet<&FolderId> = all.iter().map(|folder| &folder.id).collect();
        self.kinds.retain(|folder, _| there.contains(folder));
        Ok(all)
    }

    fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        let (at, folder) = self.folder(folder)?;
        let entries = |entries: Vec<Entry>| entries.into_iter().map(|entry| outer_entry(at, entry)).collect();
        Ok(match self.parts[at].store.list(&folder, since)? {
            Listing::Unchanged => Listing::Unchanged,
            Listing::Complete { entries: told, token } => Listing::Complete { entries: entries(told), token },
            Listing::Changed { entries: told, token } => Listing::Changed { entries: entries(told), token },
            Listing::Partial { entries: told, unreadable } => Listing::Partial {
                entries: entries(told),
                unreadable: unreadable.into_iter().map(|(href, error)| (outer_href(at, &href), error)).collect(),
            },
        })
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(SeveralReaders(self.parts.iter().map(|part| part.store.reader()).collect()))
    }

    fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        let mut answers: Vec<Option<Result<Intent, StoreError>>> = changes.iter().map(|_| None).collect();
        let mut shares: BTreeMap<usize, (Vec<usize>, Vec<Change>)> = BTreeMap::new();
        for (place, change) in changes.iter().enumerate() {
            match self.within(change) {
                Ok(Some((at, change))) => {
                    let share = shares.entry(at).or_default();
                    share.0.push(place);
                    share.1.push(change);
                }
                Ok(None) => answers[place] = Some(self.stage_across(change)),
                Err(error) => answers[place] = Some(Err(error)),
            }
        }
        for (at, (places, share)) in shares {
            for (place, staged) in places.into_iter().zip(self.parts[at].store.stage(&share)) {
                answers[place] = Some(staged.map(|intent| Staged::In(at, intent.0).to_intent()));
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or(Err(StoreError::NotFound))).collect()
    }

    fn begin_stage(&mut self, changes: &[Change]) -> (Vec<Result<Intent, StoreError>>, Option<Flush>) {
        let within: Option<Vec<(usize, Change)>> =
            changes.iter().map(|change| self.within(change).ok().flatten()).collect();
        match within {
            // As nearly always: a group is of one folder.
            Some(within) if within.windows(2).all(|pair| pair[0].0 == pair[1].0) && !within.is_empty() => {
                let at = within[0].0;
                let share: Vec<Change> = within.into_iter().map(|(_, change)| change).collect();
                let (staged, flush) = self.parts[at].store.begin_stage(&share);
                let outer = |intent: Intent| Staged::In(at, intent.0).to_intent();
                (staged.into_iter().map(|staged| staged.map(outer)).collect(), flush)
            }
            _ => (self.stage(changes), None),
        }
    }

    fn commit(&mut self, intents: &[Intent]) -> Vec<Result<Written, StoreError>> {
        let flags = self.flags_now(intents);
        self.each(
            intents,
            || Err(StoreError::Changed),
            |store, intents| store.commit(intents),
            |several, across| several.commit_across(across, &flags),
            |at, written| written.map(|written| outer_written(at, written)),
        )
    }

    fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        self.each(
            intents,
            || Recovered::Unclear,
            |store, intents| store.recover(intents),
            Self::recover_across,
            |at, recovered| match recovered {
                Recovered::Done(written) => Recovered::Done(outer_written(at, written)),
                other => other,
            },
        )
    }

    fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        let (at, parent) = match parent {
            Some(parent) => self.folder(parent).map(|(at, parent)| (at, Some(parent)))?,
            None => {
                let first = self.parts.iter().position(|part| part.store.kinds().contains(&kind));
                (first.ok_or(StoreError::Unsupported)?, None)
            }
        };
        let made = self.parts[at].store.create_folder(parent.as_ref(), name, kind, uid)?;
        Ok(self.show(at, made))
    }

    fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        let (at, folder) = self.folder(folder)?;
        self.parts[at].store.mark_folder(&folder, uid)
    }

    fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        let kind = self.kind(folder)?;
        let (at, folder) = self.folder(folder)?;
        let parent = parent.map(|parent| self.folder(parent)).transpose()?;
        if parent.as_ref().is_some_and(|(to, _)| *to != at) {
            return Err(StoreError::Unsupported);
        }
        let bare = name.strip_suffix(&*label(&self.parts[at].name)).filter(|bare| !bare.is_empty());
        let name = bare.filter(|_| self.is_beside(at, kind)).unwrap_or(name);
        let renamed = self.parts[at].store.rename_folder(&folder, parent.as_ref().map(|(_, parent)| parent), name)?;
        Ok(self.show(at, renamed))
    }

    fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError> {
        let (at, folder) = self.folder(folder)?;
        self.parts[at].store.delete_folder(&folder)
    }

    fn watch(&mut self, wake: Box<dyn Fn(Option<FolderId>) + Send + Sync>) -> Result<Box<dyn Watch>, StoreError> {
        let wake: Arc<dyn Fn(Option<FolderId>) + Send + Sync> = wake.into();
        let watch = |(at, part): (usize, &mut Part)| {
            let wake = Arc::clone(&wake);
            part.store.watch(Box::new(move |folder| wake(folder.map(|folder| FolderId(outer(at, &folder.0))))))
        };
        let watches = self.parts.iter_mut().enumerate().map(watch).collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(SeveralWatches(watches)))
    }
}
