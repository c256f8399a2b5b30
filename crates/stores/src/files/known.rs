//! What is remembered of Maildir folders between listings: how each message's file is called now, and its state.
//!
//! An href doesn't say which flags a file name carries, so finding a file needs the folder's names. And as a message
//! never changes under its name, names seen before needn't be asked for their state again. Both are kept in twelve
//! bytes a message, and sixteen more while there are fewer than [`STATES_MAX`] messages.

use super::{maildir_name::MessageName, place::Place, state::FileState, text};
use crate::FolderId;
use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Messages of all folders whose state is remembered.
const STATES_MAX: usize = 500_000;

/// The two folders of a Maildir that hold messages. `new/` is `cur/` without flags.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Sub {
    Cur,
    New,
}

impl Sub {
    pub(super) const ALL: [Self; 2] = [Self::Cur, Self::New];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cur => "cur",
            Self::New => "new",
        }
    }
}

/// A file name without the base it begins with; or the whole name where the base isn't its beginning.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Tail {
    sub: Sub,
    is_whole: bool,
    bytes: Box<[u8]>,
}

/// What is remembered of a message's state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct KnownState {
    pub(super) digest: [u8; 8],
    pub(super) size: u32,
    /// Low bits of the number in the folder's listing; another number is another file.
    pub(super) listed_id: u32,
}

impl KnownState {
    /// `None` for the rare message whose size doesn't fit.
    pub(super) fn of(state: &FileState, listed_id: u64) -> Option<Self> {
        Some(Self { digest: state.digest(), size: state.size.try_into().ok()?, listed_id: listed_id as u32 })
    }
}

#[derive(Debug, Default)]
struct FolderNames {
    /// Sorted keys of bases; the other lists go along.
    keys: Vec<u64>,
    tails: Vec<u32>,
    /// Empty when too many messages are known.
    states: Vec<Option<KnownState>>,
    tail_values: Vec<Tail>,
    /// Our own changes since the listing.
    changed: BTreeMap<u64, Option<Tail>>,
}

fn key(base: &[u8]) -> u64 {
    u64::from_le_bytes(*blake3::hash(base).as_bytes().first_chunk().expect("a hash is longer than eight bytes"))
}

/// The states of a folder's messages when it was listed last.
#[derive(Debug, Default)]
pub(super) struct KnownStates {
    keys: Vec<u64>,
    states: Vec<Option<KnownState>>,
}

impl KnownStates {
    /// The state of the message with this base, if the folder still lists the same file for it.
    pub(super) fn get(&self, base: &[u8], listed_id: u64) -> Option<KnownState> {
        let state = self.states[self.keys.binary_search(&key(base)).ok()?]?;
        (state.listed_id == listed_id as u32).then_some(state)
    }
}

/// The names of all folders listed so far. Shared with readers.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    folders: Mutex<HashMap<FolderId, FolderNames>>,
}

/// A message seen in a listing.
#[derive(Clone, Debug)]
pub(super) struct SeenName {
    pub(super) sub: Sub,
    pub(super) name: OsString,
    pub(super) state: Option<KnownState>,
}

impl KnownNames {
    fn lock(&self) -> MutexGuard<'_, HashMap<FolderId, FolderNames>> {
        // A panic elsewhere leaves at worst a stale name, which the next look-up corrects.
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces what is known of a folder by what was just listed.
    pub(super) fn learn<'a>(&self, folder: &FolderId, seen: impl Iterator<Item = &'a SeenName>) {
        let mut tail_ids: HashMap<Tail, u32> = HashMap::new();
        let mut rows: Vec<(u64, &SeenName, u32)> = seen
            .map(|seen| {
                let parsed = MessageName::parse(&seen.name);
                let next = tail_ids.len() as u32;
                let tail = *tail_ids.entry(tail_of(seen.sub, &parsed, &seen.name)).or_insert(next);
                (key(&parsed.base), seen, tail)
            })
            .collect();
        // Of two files with one base the first owns it, as in a listing; the other has an href of its own.
        rows.sort_unstable_by(|(a_key, a, _), (b_key, b, _)| (a_key, a.sub, &a.name).cmp(&(b_key, b.sub, &b.name)));
        rows.dedup_by_key(|(key, _, _)| *key);
        let mut folders = self.lock();
        folders.remove(folder);
        let elsewhere: usize = folders.values().map(|names| names.states.len()).sum();
        let mut names = FolderNames {
            keys: rows.iter().map(|row| row.0).collect(),
            tails: rows.iter().map(|row| row.2).collect(),
            ..FolderNames::default()
        };
        if elsewhere + rows.len() <= STATES_MAX {
            names.states = rows.iter().map(|row| row.1.state).collect();
        }
        let mut tails: Vec<(Tail, u32)> = tail_ids.into_iter().collect();
        tails.sort_unstable_by_key(|(_, id)| *id);
        names.tail_values = tails.into_iter().map(|(tail, _)| tail).collect();
        folders.insert(folder.clone(), names);
    }

    /// The states of a folder's messages, for a listing.
    pub(super) fn states(&self, folder: &FolderId) -> KnownStates {
        let folders = self.lock();
        let Some(names) = folders.get(folder).filter(|names| !names.states.is_empty()) else {
            return KnownStates::default();
        };
        KnownStates { keys: names.keys.clone(), states: names.states.clone() }
    }

    /// Notes a change of our own, so that the next look-up needs no listing. `None`: the message is gone.
    pub(super) fn note(&self, folder: &FolderId, base: &[u8], now: Option<(Sub, &std::ffi::OsStr)>) {
        if let Some(names) = self.lock().get_mut(folder) {
            let tail = now.map(|(sub, name)| tail_of(sub, &MessageName::parse(name), name));
            names.changed.insert(key(base), tail);
        }
    }

    /// Forgets a folder that was renamed, removed or turned out to be different.
    pub(super) fn forget(&self, folder: &FolderId) {
        self.lock().remove(folder);
    }

    /// Forgets every folder.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }

    /// Where a message's file should be. It may have been renamed since.
    fn guess(&self, folder: &FolderId, place: &Place, base: &[u8]) -> Option<PathBuf> {
        let folders = self.lock();
        let names = folders.get(folder)?;
        let key = key(base);
        let tail = match names.changed.get(&key) {
            Some(changed) => changed.as_ref()?,
            None => names.tail_values.get(names.tails[names.keys.binary_search(&key).ok()?] as usize)?,
        };
        let name = if tail.is_whole { tail.bytes.to_vec() } else { [base, &tail.bytes].concat() };
        Some(place.path.join(tail.sub.name()).join(text::bytes_to_name(name)?))
    }

    /// Whether a base has a file already. The folder is looked at if it never was.
    pub(super) fn is_taken(&self, folder: &FolderId, place: &Place, base: &[u8]) -> io::Result<bool> {
        let is_known = self.lock().contains_key(folder);
        // Another program's delivery since the listing has another base: Maildir names are unique.
        let may_be_taken = !is_known || self.guess(folder, place, base).is_some();
        Ok(may_be_taken && self.find(folder, place, base)?.is_some())
    }

    /// Finds the message's file: where it was last, else by looking at the folder. `None`: there is none.
    pub(super) fn find(&self, folder: &FolderId, place: &Place, base: &[u8]) -> io::Result<Option<PathBuf>> {
        if let Some(path) = self.guess(folder, place, base)
            && path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
        {
            return Ok(Some(path));
        }
        let known = self.states(folder);
        let seen = super::maildir::read_names(place)?;
        let seen: Vec<SeenName> = seen
            .into_iter()
            .map(|(sub, name, listed_id)| {
                let state = known.get(&MessageName::parse(&name).base, listed_id);
                SeenName { sub, name, state }
            })
            .collect();
        self.learn(folder, seen.iter());
        let found = seen.iter().filter(|seen| *MessageName::parse(&seen.name).base == *base);
        // A name in `cur` wins, as in a listing.
        let found = found.min_by(|a, b| (a.sub, &a.name).cmp(&(b.sub, &b.name)));
        Ok(found.map(|seen| place.path.join(seen.sub.name()).join(&seen.name)))
    }
}

fn tail_of(sub: Sub, parsed: &MessageName<'_>, name: &std::ffi::OsStr) -> Tail {
    let whole = name.as_encoded_bytes();
    match whole.strip_prefix(&*parsed.base) {
        Some(tail) => Tail { sub, is_whole: false, bytes: tail.into() },
        None => Tail { sub, is_whole: true, bytes: whole.into() },
    }
}
