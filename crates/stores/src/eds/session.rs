//! Evolution Data Server as one store: which one it is, its folders, its items.

use super::{
    bus::{Bus, Sort, is_gone},
    source::{KeyFile, OURS, STORE_SOURCE, Source},
    text,
};
use crate::{
    Content, Entry, FolderId, FolderInfo, Href, Listing, ListingToken, Rev, StoreError, StoreId,
    folder::free_name,
    staging::{Staging, hex, random_hex},
};
use pim::{Flags, FolderKind, FolderUid, Format};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
};
use unicode_normalization::UnicodeNormalization as _;

pub(super) struct Eds {
    address: Option<String>,
    known: Option<StoreId>,
    pub(super) staging: Staging,
    bus: Option<Bus>,
    /// What the folders hold that were there at the last look.
    sorts: HashMap<String, Sort>,
    /// Names that staged changes were given, so that no two of them get the same.
    pub(super) promised: BTreeSet<Href>,
}

/// An item as EDS has it: its objects, a series before its changed occurrences.
pub(super) struct Held(pub(super) Vec<String>);

impl Held {
    pub(super) fn new(mut objects: Vec<String>) -> Self {
        objects.sort_by_cached_key(|object| (text::value(object, "RECURRENCE-ID"), object.clone()));
        Self(objects)
    }

    /// Takes apart what EDS gives for one item.
    fn parse(sort: Sort, item: &str) -> Option<Self> {
        let is_calendar = !sort.is_contacts() && text::component_name(item) == "VCALENDAR";
        Some(Self::new(if is_calendar { text::components(item)? } else { vec![text::normal(item)] }))
    }

    pub(super) fn rev(&self) -> Rev {
        let mut hasher = blake3::Hasher::new();
        for object in &self.0 {
            hasher.update(object.as_bytes());
        }
        Rev(hasher.finalize().as_bytes()[..16].to_vec())
    }

    pub(super) fn entry(&self, sort: Sort, source: &str, uid: &str) -> Entry {
        Entry {
            href: href(source, uid),
            rev: self.rev(),
            flags: Flags::default(),
            uid: None,
            name: uid.to_owned(),
            format: format(sort),
            size: self.0.iter().map(|object| object.len() as u64).sum(),
            file_id: None,
        }
    }
}

pub(super) fn format(sort: Sort) -> Format {
    if sort.is_contacts() { Format::VCard } else { Format::ICalendar }
}

/// Uids of sources are names of files: there is no slash in them.
pub(super) fn href(source: &str, uid: &str) -> Href {
    Href(format!("{source}/{uid}"))
}

pub(super) fn source_and_uid(href: &Href) -> Result<(&str, &str), StoreError> {
    href.0.split_once('/').ok_or(StoreError::NotFound)
}

impl Eds {
    pub(super) fn new(address: Option<String>, known: Option<StoreId>, staging: PathBuf) -> Self {
        let staging = Staging::at(staging);
        staging.sweep();
        Self { address, known, staging, bus: None, sorts: HashMap::new(), promised: BTreeSet::new() }
    }

    pub(super) fn bus(&mut self) -> Result<&mut Bus, StoreError> {
        if self.bus.is_none() {
            self.bus = Some(Bus::new(self.address.as_deref())?);
        }
        Ok(self.bus.as_mut().expect("it was made just now"))
    }

    /// Does something in the store, after a look whether it is the one it was.
    pub(super) fn within<T>(
        &mut self,
        act: impl FnOnce(&mut Self, &[Source]) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let outcome = self.checked().and_then(|sources| act(self, &sources));
        self.after(outcome)
    }

    /// Asks once more what can be asked twice, when EDS went away: its parts end and start by themselves.
    pub(super) fn again<T>(&mut self, ask: impl Fn(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match ask(self) {
            Err(error) if is_gone(&error) => ask(self),
            answer => answer,
        }
    }

    /// What was open is gone together with who kept it open.
    fn after<T>(&mut self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if outcome.as_ref().is_err_and(is_gone) {
            self.bus = None;
        }
        outcome
    }

    fn checked(&mut self) -> Result<Vec<Source>, StoreError> {
        let asked = self.bus().and_then(|bus| bus.sources());
        let sources = match asked {
            // The bus may have been started anew since the last call.
            Err(error) if is_gone(&error) => {
                self.bus = None;
                self.bus()?.sources()?
            }
            asked => asked?,
        };
        let ours = sources.iter().find(|source| source.uid == STORE_SOURCE);
        let mark = ours.and_then(|source| source.file.get(OURS, "Store")).map(StoreId);
        match (mark, self.known.clone()) {
            (Some(mark), Some(known)) if mark == known => {}
            (Some(_), Some(_)) => return Err(StoreError::Replaced),
            (Some(mark), None) => self.known = Some(mark),
            (None, Some(known)) => {
                let marks = sources.iter().filter_map(|source| source.file.get(OURS, "Store"));
                if !marks.into_iter().any(|mark| mark == known.0) {
                    return Err(StoreError::Replaced);
                }
                self.mark_store(&known)?;
            }
            (None, None) => {
                let new = StoreId(random_hex::<16>());
                self.mark_store(&new)?;
                self.known = Some(new);
            }
        }
        self.sorts = sources.iter().filter_map(|source| Some((source.uid.clone(), source.sort()?))).collect();
        Ok(sources)
    }

    fn mark_store(&mut self, id: &StoreId) -> Result<(), StoreError> {
        let mut file = KeyFile::default();
        file.set("Data Source", "DisplayName", "Tandem");
        file.set("Data Source", "Enabled", "false");
        file.set(OURS, "Store", &id.0);
        self.bus()?.create_source(STORE_SOURCE, &file)
    }

    pub(super) fn open(&mut self) -> Result<StoreId, StoreError> {
        self.within(|eds, _| Ok(eds.known.clone().expect("a store that was checked is known")))
    }

    pub(super) fn open_all(&mut self) -> Result<(), StoreError> {
        self.within(|eds, sources| {
            for (source, sort) in sources.iter().filter_map(|source| Some((source, source.sort()?))) {
                match eds.bus()?.open_source(sort, &source.uid) {
                    Err(error @ StoreError::Program { .. }) => return Err(error),
                    Err(error) => tracing::warn!(%error, "a source can't be opened"),
                    Ok(()) => {}
                }
            }
            Ok(())
        })
    }

    pub(super) fn folders(&mut self) -> Result<Vec<FolderInfo>, StoreError> {
        self.within(|_, sources| Ok(folders_of(sources)))
    }

    pub(super) fn list(&mut self, folder: &FolderId, since: Option<&ListingToken>) -> Result<Listing, StoreError> {
        self.within(|eds, sources| {
            let (source, sort) = folder_source(sources, folder)?;
            let bus = eds.bus()?;
            // Asked before the objects: a change in between shows in the next listing once more.
            let token = bus.revision(sort, &source.uid)?.map(|revision| {
                let seen = format!("{}\n{}\n{revision}", bus.number, source.uid);
                ListingToken(blake3::hash(seen.as_bytes()).as_bytes().to_vec())
            });
            if token.is_some() && token.as_ref() == since {
                return Ok(Listing::Unchanged);
            }
            let mut items = BTreeMap::<String, Vec<String>>::new();
            for object in bus.objects(sort, &source.uid)? {
                let object = text::normal(&object);
                let Some(uid) = text::uid(&object) else { continue };
                items.entry(uid).or_default().push(object);
            }
            let entry = |(uid, objects): (String, Vec<String>)| Held::new(objects).entry(sort, &source.uid, &uid);
            let entries: Vec<Entry> = items.into_iter().map(entry).collect();
            let token = token.unwrap_or_else(|| {
                let mut hasher = blake3::Hasher::new();
                for entry in &entries {
                    hasher.update(entry.href.0.as_bytes()).update(&entry.rev.0);
                }
                ListingToken(hasher.finalize().as_bytes().to_vec())
            });
            if Some(&token) == since { Ok(Listing::Unchanged) } else { Ok(Listing::Complete { entries, token }) }
        })
    }

    /// The item as EDS has it.
    pub(super) fn held(&mut self, sort: Sort, source: &str, uid: &str) -> Result<Option<Held>, StoreError> {
        let Some(item) = self.bus()?.item(sort, source, uid)? else { return Ok(None) };
        let unreadable = || StoreError::Io { reason: "an item can't be understood".to_owned(), path: uid.to_owned() };
        Held::parse(sort, &item).map(Some).ok_or_else(unreadable)
    }

    /// What the source holds; it was there at the last look.
    pub(super) fn sort(&self, source: &str) -> Result<Sort, StoreError> {
        self.sorts.get(source).copied().ok_or(StoreError::NotFound)
    }

    /// The item as other computers know it, with the definitions of its time zones.
    pub(super) fn outward(&mut self, sort: Sort, source: &str, held: &Held) -> Result<Vec<u8>, StoreError> {
        let objects: Vec<String> = held.0.iter().map(|object| text::outward(object)).collect();
        if sort.is_contacts() {
            return Ok(objects.concat().into_bytes());
        }
        let mut zones = Vec::new();
        for zone in objects.iter().flat_map(|object| text::zones(object)).collect::<BTreeSet<_>>() {
            zones.extend(self.bus()?.zone(sort, source, &zone)?.map(|zone| text::normal(&zone)));
        }
        Ok(text::calendar(&zones, &objects).into_bytes())
    }

    pub(super) fn read(&mut self, href: &Href) -> Result<Content, StoreError> {
        if self.bus.is_none() {
            self.checked()?;
        }
        let read = source_and_uid(href).and_then(|(source, uid)| {
            let sort = self.sort(source)?;
            let held = self.held(sort, source, uid)?.ok_or(StoreError::NotFound)?;
            Ok((held.rev(), self.outward(sort, source, &held)?))
        });
        let (rev, bytes) = self.after(read)?;
        Ok(Content { rev, payload: self.staging.payload(bytes)? })
    }

    pub(super) fn create_folder(
        &mut self,
        parent: Option<&FolderId>,
        name: &str,
        kind: FolderKind,
        uid: FolderUid,
    ) -> Result<FolderInfo, StoreError> {
        self.within(|eds, sources| {
            let sort = Sort::of(kind).ok_or(StoreError::Unsupported)?;
            let folders = folders_of(sources);
            check_parent(&folders, parent, kind)?;
            let same = folders
                .iter()
                .find(|folder| (folder.parent.as_ref(), &*folder.name, folder.kind) == (parent, name, kind));
            if let Some(same) = same {
                return if same.uid == Some(uid) { Ok(same.clone()) } else { Err(StoreError::Changed) };
            }
            let id = random_hex::<16>();
            let mut file = KeyFile::default();
            file.set("Data Source", "DisplayName", name);
            file.set("Data Source", "Enabled", "true");
            file.set("Data Source", "Parent", "local-stub");
            file.set(sort.group, "BackendName", "local");
            if sort.is_contacts() {
                file.set("Autocomplete", "IncludeMe", "true");
            }
            eds.mark(&mut file, &id, uid, parent);
            eds.bus()?.create_source(&id, &file)?;
            let sources = eds.checked()?;
            info_of(&sources, &FolderId(id))
        })
    }

    fn mark(&self, file: &mut KeyFile, source: &str, uid: FolderUid, parent: Option<&FolderId>) {
        let store = self.known.as_ref().expect("a store that was checked is known");
        file.set(OURS, "Uid", &hex(&uid.0));
        file.set(OURS, "Store", &store.0);
        file.set(OURS, "Source", source);
        set_parent(file, parent);
    }

    pub(super) fn mark_folder(&mut self, folder: &FolderId, uid: FolderUid) -> Result<(), StoreError> {
        self.within(|eds, sources| {
            let (source, _) = folder_source(sources, folder)?;
            let info = info_of(sources, folder)?;
            let mut file = source.file.clone();
            eds.mark(&mut file, &source.uid, uid, info.parent.as_ref());
            // Of two that are called the same, the one that is shown with a number keeps it.
            if info.name != nfc(&source.name()) {
                file.set("Data Source", "DisplayName", &info.name);
            }
            eds.bus()?.write_source(source, &file)
        })
    }

    pub(super) fn rename_folder(
        &mut self,
        folder: &FolderId,
        parent: Option<&FolderId>,
        name: &str,
    ) -> Result<FolderInfo, StoreError> {
        self.within(|eds, sources| {
            let (source, sort) = folder_source(sources, folder)?;
            let folders = folders_of(sources);
            check_parent(&folders, parent, sort.kind)?;
            if ancestry(&folders, parent).contains(&folder) {
                return Err(StoreError::Unsupported);
            }
            let name = free_name(name, |name| {
                folders.iter().any(|other| {
                    other.id != *folder
                        && (other.parent.as_ref(), &*other.name, other.kind) == (parent, name, sort.kind)
                })
            });
            let mut file = source.file.clone();
            file.set("Data Source", "DisplayName", &name);
            set_parent(&mut file, parent);
            eds.bus()?.write_source(source, &file)?;
            let sources = eds.checked()?;
            info_of(&sources, folder)
        })
    }

    pub(super) fn delete_folder(&mut self, folder: &FolderId) -> Result<(), StoreError> {
        self.within(|eds, sources| {
            let (source, sort) = folder_source(sources, folder)?;
            // EDS makes the ones it comes with again.
            if !source.is_removable {
                return Err(StoreError::Unsupported);
            }
            let has_folders = folders_of(sources).iter().any(|other| other.parent.as_ref() == Some(folder));
            if has_folders || !eds.bus()?.objects(sort, &source.uid)?.is_empty() {
                return Err(StoreError::Changed);
            }
            eds.bus()?.remove_source(source)
        })
    }
}

fn set_parent(file: &mut KeyFile, parent: Option<&FolderId>) {
    match parent {
        Some(parent) => file.set(OURS, "Parent", &parent.0),
        None => file.unset(OURS, "Parent"),
    }
}

fn nfc(name: &str) -> String {
    name.nfc().collect()
}

pub(super) fn folder_source<'s>(sources: &'s [Source], folder: &FolderId) -> Result<(&'s Source, Sort), StoreError> {
    let found = sources.iter().find(|source| source.uid == folder.0);
    found.and_then(|source| Some((source, source.sort()?))).ok_or(StoreError::NotFound)
}

fn info_of(sources: &[Source], folder: &FolderId) -> Result<FolderInfo, StoreError> {
    folders_of(sources).into_iter().find(|info| info.id == *folder).ok_or(StoreError::NotFound)
}

fn check_parent(folders: &[FolderInfo], parent: Option<&FolderId>, kind: FolderKind) -> Result<(), StoreError> {
    let Some(parent) = parent else { return Ok(()) };
    let parent = folders.iter().find(|folder| folder.id == *parent).ok_or(StoreError::NotFound)?;
    if parent.kind == kind { Ok(()) } else { Err(StoreError::Unsupported) }
}

/// The folder and all above it.
fn ancestry<'f>(folders: &'f [FolderInfo], from: Option<&'f FolderId>) -> Vec<&'f FolderId> {
    let mut found = Vec::new();
    let mut next = from;
    while let Some(id) = next.filter(|id| !found.contains(id)) {
        found.push(id);
        next = folders.iter().find(|folder| folder.id == *id).and_then(|folder| folder.parent.as_ref());
    }
    found
}

/// Every folder, parents before children. EDS has no folders in folders: which one lies where is part of our mark.
pub(super) fn folders_of(sources: &[Source]) -> Vec<FolderInfo> {
    let kinds: HashMap<&str, FolderKind> =
        sources.iter().filter_map(|source| Some((&*source.uid, source.sort()?.kind))).collect();
    let mut originals = HashMap::<String, &str>::new();
    for source in sources.iter().filter(|source| kinds.contains_key(&*source.uid)) {
        let Some(uid) = source.file.get(OURS, "Uid") else { continue };
        let is_original = source.file.get(OURS, "Source").as_deref() == Some(&*source.uid);
        let first = originals.entry(uid).or_insert(&source.uid);
        if is_original {
            *first = &source.uid;
        }
    }
    let mut waiting: Vec<FolderInfo> = sources
        .iter()
        .filter_map(|source| {
            let kind = *kinds.get(&*source.uid)?;
            let mark = source.file.get(OURS, "Uid");
            // Of copies of a marked folder, only the one that was marked carries the uid.
            let uid = mark.as_ref().filter(|mark| originals.get(*mark) == Some(&&*source.uid));
            let parent = source.file.get(OURS, "Parent").filter(|parent| kinds.get(&**parent) == Some(&kind));
            Some(FolderInfo {
                id: FolderId(source.uid.clone()),
                kind,
                parent: parent.map(FolderId),
                name: nfc(&source.name()),
                special_use: None,
                uid: uid.and_then(|uid| FolderUid::from_hex(uid)),
                marked_by: source.file.get(OURS, "Store").map(StoreId),
            })
        })
        .collect();
    let mut folders: Vec<FolderInfo> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_placed = |folder: &FolderInfo| {
            folder.parent.as_ref().is_none_or(|parent| folders.iter().any(|other| other.id == *parent))
        };
        let (mut ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_placed);
        waiting = later;
        if ready.is_empty() {
            // They lie in each other: one of them is taken out of the ring.
            let mut first = waiting.remove(0);
            first.parent = None;
            ready.push(first);
        }
        for mut folder in ready {
            folder.name = free_name(&folder.name, |name| {
                folders
                    .iter()
                    .any(|other| (&other.parent, other.kind, &*other.name) == (&folder.parent, folder.kind, name))
            });
            folders.push(folder);
        }
    }
    folders
}
