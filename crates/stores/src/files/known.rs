//! What is remembered of Maildir folders between listings: how each message's file is called now, and its state.
//!
//! An href doesn't say which flags a file name carries, so finding a file needs the folder's names. And as a message
//! never changes under its name, names seen before needn't be asked for their state again. Both are kept in twelve
//! bytes a message, and sixteen more while there are fewer than [`STATES_MAX`] messages.

use super::{maildir_name::MessageName, place::Place, state::FileState, text};
use crate::{FolderId, ListingToken};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ffi::{OsStr, OsString},
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
    /// The listing that told all this, if it was told to anybody.
    as_of: Option<ListingToken>,
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

/// A name in a folder's listing, with the number it is listed under.
pub(super) type ListedName = (Sub, OsString, u64);

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

    /// Replaces what is known of a folder by what was just listed. `told`: the token that goes with it.
    pub(super) fn learn<'a>(
        &self,
        folder: &FolderId,
        seen: impl Iterator<Item = &'a SeenName>,
        told: Option<&ListingToken>,
    ) {
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
            as_of: told.cloned(),
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

    /// Which of a folder's names are new or different since the listing with this token. `None` where that isn't the
    /// whole story: something is gone, two files are one message, or much happened.
    pub(super) fn news<'a>(
        &self,
        folder: &FolderId,
        since: &ListingToken,
        names: &'a [ListedName],
    ) -> Option<Vec<&'a ListedName>> {
        let keyed: Vec<_> = names.iter().map(|listed| (key(&MessageName::parse(&listed.1).base), listed)).collect();
        let folders = self.lock();
        let known = folders.get(folder).filter(|known| known.as_of.as_ref() == Some(since))?;
        if known.states.len() != known.keys.len() {
            return None;
        }
        let news_max = known.keys.len() / 8 + 64;
        let (mut news, mut fresh) = (Vec::new(), HashSet::new());
        let mut is_seen = vec![false; known.keys.len()];
        for (key, listed) in keyed {
            let is_same = match known.keys.binary_search(&key) {
                Ok(at) if std::mem::replace(&mut is_seen[at], true) => return None,
                Ok(at) => !known.changed.contains_key(&key) && known.is_as_listed(at, listed),
                Err(_) if !fresh.insert(key) => return None,
                Err(_) => false,
            };
            if !is_same {
                news.push(listed);
            }
            if news.len() > news_max {
                return None;
            }
        }
        let is_known = |key: &u64| known.keys.binary_search(key).is_ok_and(|at| is_seen[at]) || fresh.contains(key);
        let removed_by_us = |key| known.changed.get(key).is_some_and(Option::is_none);
        let is_all_there = known.keys.iter().zip(&is_seen).all(|(key, is_seen)| *is_seen || removed_by_us(key));
        let is_ours_there = known.changed.iter().all(|(key, tail)| tail.is_none() || is_known(key));
        (is_all_there && is_ours_there).then_some(news)
    }

    /// Adds to what is known of a folder what [`KnownNames::news`] told and was told on with this token.
    pub(super) fn amend(&self, folder: &FolderId, seen: Vec<SeenName>, told: &ListingToken) {
        let mut folders = self.lock();
        let Some(known) = folders.get_mut(folder) else { return };
        known.as_of = Some(told.clone());
        for (removed, _) in std::mem::take(&mut known.changed).into_iter().filter(|(_, tail)| tail.is_none()) {
            if let Ok(at) = known.keys.binary_search(&removed) {
                known.keys.remove(at);
                known.tails.remove(at);
                known.states.remove(at);
            }
        }
        for SeenName { sub, name, state } in seen {
            let parsed = MessageName::parse(&name);
            let tail = tail_of(sub, &parsed, &name);
            let tail = known.tail_values.iter().position(|known| *known == tail).unwrap_or_else(|| {
                known.tail_values.push(tail);
                known.tail_values.len() - 1
            }) as u32;
            let key = key(&parsed.base);
            match known.keys.binary_search(&key) {
                Ok(at) => (known.tails[at], known.states[at]) = (tail, state),
                Err(at) => {
                    known.keys.insert(at, key);
                    known.tails.insert(at, tail);
                    known.states.insert(at, state);
                }
            }
        }
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
    pub(super) fn note(&self, folder: &FolderId, base: &[u8], now: Option<(Sub, &OsStr)>) {
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
        self.learn(folder, seen.iter(), None);
        let found = seen.iter().filter(|seen| *MessageName::parse(&seen.name).base == *base);
        // A name in `cur` wins, as in a listing.
        let found = found.min_by(|a, b| (a.sub, &a.name).cmp(&(b.sub, &b.name)));
        Ok(found.map(|seen| place.path.join(seen.sub.name()).join(&seen.name)))
    }
}

impl FolderNames {
    /// Whether the message at this place is still the same file under the same name.
    fn is_as_listed(&self, at: usize, (sub, name, listed_id): &ListedName) -> bool {
        let (is_whole, bytes) = split_tail(&MessageName::parse(name), name);
        let tail = &self.tail_values[self.tails[at] as usize];
        (tail.sub, tail.is_whole, &*tail.bytes) == (*sub, is_whole, bytes)
            && self.states[at].is_some_and(|state| state.listed_id == *listed_id as u32)
    }
}

fn tail_of(sub: Sub, parsed: &MessageName<'_>, name: &OsStr) -> Tail {
    let (is_whole, bytes) = split_tail(parsed, name);
    Tail { sub, is_whole, bytes: bytes.into() }
}

/// What follows the base; or `true` and the whole name.
fn split_tail<'a>(parsed: &MessageName<'_>, name: &'a OsStr) -> (bool, &'a [u8]) {
    let whole = name.as_encoded_bytes();
    whole.strip_prefix(&*parsed.base).map_or((true, whole), |tail| (false, tail))
}
