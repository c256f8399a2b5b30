//! Listing one Maildir folder.
//!
//! `new` is read before `cur`, so that a message that another program takes from one to the other meanwhile is seen at
//! least once. Renaming inside a folder while it is read can hide a file from both names; so the folders' times are
//! compared afterwards and the reading is repeated, and a folder that never rests is only listed in part.

use super::{
    disk::{self, FileSystemFacts},
    keywords::{KEYWORDS_FILE, Keywords},
    known::{KnownNames, KnownState, ListedName, SeenName, Sub},
    maildir_name::{self, MessageName},
    place::{Place, href},
    state::{self, FileState, UNSETTLED_NS},
    text,
};
use crate::{Entry, FolderId, Href, Listing, ListingToken, Rev, StoreError};
use pim::Format;
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsStr,
    io::{self, ErrorKind},
    path::PathBuf,
};

/// How often a folder that changes under our eyes is read again.
const READINGS_MAX: usize = 5;
/// Begins an href that names one of several files with the same base: `%=cur:` and the whole file name.
const TWIN: &str = "%=";

/// What tells that a Maildir folder didn't change.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Times {
    cur: Option<(u64, i64)>,
    new: Option<(u64, i64)>,
    keywords: Option<(u64, i64)>,
    /// A message was so young that somebody may still have been writing it.
    has_young: bool,
    /// When the folder was listed, in nanoseconds since 1970.
    listed_ns: i64,
}

impl Times {
    fn of(place: &Place) -> Self {
        let of = |name: &str| {
            let metadata = place.path.join(name).symlink_metadata().ok()?;
            Some((state::raw_file_id(&metadata).unwrap_or(0), state::modified_ns(&metadata)))
        };
        let (cur, new, keywords) = (of("cur"), of("new"), of(KEYWORDS_FILE));
        Self { cur, new, keywords, has_young: false, listed_ns: state::now_ns() }
    }

    fn same_as(&self, other: &Self) -> bool {
        (self.cur, self.new, self.keywords) == (other.cur, other.new, other.keywords)
    }

    fn latest_ns(&self) -> Option<i64> {
        [self.cur, self.new, self.keywords].into_iter().flatten().map(|(_, modified)| modified).max()
    }

    /// Whether the listing came so long after the last change that no later change can look the same.
    fn were_settled(&self) -> bool {
        !self.has_young && self.latest_ns().is_none_or(|latest| self.listed_ns.saturating_sub(latest) > UNSETTLED_NS)
    }

    fn token(self, has_young: bool) -> ListingToken {
        ListingToken(postcard::to_stdvec(&Self { has_young, ..self }).expect("numbers always serialize"))
    }
}

/// Lists a folder. `since` is left out when its content is in doubt.
pub(super) fn list(
    folder: &FolderId,
    place: &Place,
    facts: FileSystemFacts,
    known: &KnownNames,
    since: Option<&ListingToken>,
) -> Result<Listing, StoreError> {
    let mut before = Times::of(place);
    let then = since.and_then(|token| postcard::from_bytes::<Times>(&token.0).ok());
    if facts.dates_folders && then.as_ref().is_some_and(|then| then.were_settled() && then.same_as(&before)) {
        return Ok(Listing::Unchanged);
    }
    if before.cur.is_none() && before.new.is_none() {
        return Err(StoreError::NotFound);
    }
    before.latest_ns().into_iter().for_each(state::wait_for_next_grain);
    let names = names(place)?;
    // Which flag a letter means is written in another file.
    if let Some((since, then)) = since.zip(then)
        && then.keywords == before.keywords
        && let Some(news) = known.news(folder, since, &names)
        && let Some(listing) = changes(folder, place, facts, known, news, before)?
    {
        return Ok(listing);
    }
    let mut reading = Reading::of(folder, place, facts, known, names)?;
    for _ in 1..READINGS_MAX {
        let after = Times::of(place);
        if after.same_as(&before) {
            let token = before.token(reading.has_young);
            return Ok(if reading.unreadable.is_empty() {
                known.learn(folder, reading.seen.iter(), Some(&token));
                Listing::Complete { entries: reading.entries, token }
            } else {
                known.learn(folder, reading.seen.iter(), None);
                Listing::Partial { entries: reading.entries, unreadable: reading.unreadable }
            });
        }
        before = after;
        before.latest_ns().into_iter().for_each(state::wait_for_next_grain);
        known.learn(folder, reading.seen.iter(), None);
        reading = Reading::of(folder, place, facts, known, self::names(place)?)?;
    }
    known.learn(folder, reading.seen.iter(), None);
    Ok(Listing::Partial { entries: reading.entries, unreadable: reading.unreadable })
}

fn names(place: &Place) -> Result<Vec<ListedName>, StoreError> {
    read_names(place).map_err(|error| disk::store_error(&error, &place.path, 0))
}

/// Looks at what is new or different only. `None` if the folder changed meanwhile, or something can't be read.
fn changes(
    folder: &FolderId,
    place: &Place,
    facts: FileSystemFacts,
    known: &KnownNames,
    news: Vec<&ListedName>,
    before: Times,
) -> Result<Option<Listing>, StoreError> {
    let keywords = read_keywords(place)?;
    let (mut entries, mut seen) = (Vec::with_capacity(news.len()), Vec::with_capacity(news.len()));
    let mut has_young = false;
    for (sub, name, listed_id) in news {
        let Ok(metadata) = place.path.join(sub.name()).join(name).symlink_metadata() else { return Ok(None) };
        let state = FileState::of(&metadata, facts);
        let is_young = state.is_young(before.listed_ns);
        has_young |= is_young;
        let known = if is_young { None } else { KnownState::of(&state, *listed_id) };
        seen.push(SeenName { sub: *sub, name: name.clone(), state: known });
        let file_id = facts.keeps_file_ids.then_some(*listed_id).filter(|id| *id != 0);
        entries.push(Entry { file_id, ..entry_of(folder, name, &state, &keywords, None) });
    }
    if !Times::of(place).same_as(&before) {
        return Ok(None);
    }
    entries.sort_unstable_by(|a, b| a.href.cmp(&b.href));
    let token = before.token(has_young);
    known.amend(folder, seen, &token);
    Ok(Some(Listing::Changed { entries, token }))
}

fn read_keywords(place: &Place) -> Result<Keywords, StoreError> {
    Keywords::read(&place.path).map_err(|error| disk::store_error(&error, &place.path.join(KEYWORDS_FILE), 0))
}

struct Reading {
    entries: Vec<Entry>,
    unreadable: Vec<(Href, StoreError)>,
    seen: Vec<SeenName>,
    has_young: bool,
}

impl Reading {
    fn of(
        folder: &FolderId,
        place: &Place,
        facts: FileSystemFacts,
        known: &KnownNames,
        names: Vec<ListedName>,
    ) -> Result<Self, StoreError> {
        let keywords = read_keywords(place)?;
        let states = known.states(folder);
        let with_base =
            |(sub, name, listed_id): ListedName| (MessageName::parse(&name).base.into_owned(), sub, name, listed_id);
        let mut names: Vec<_> = names.into_iter().map(with_base).collect();
        names.sort_unstable();
        let now_ns = state::now_ns();
        let (entries, unreadable, seen) = (Vec::with_capacity(names.len()), Vec::new(), Vec::new());
        let mut reading = Self { entries, unreadable, seen, has_young: false };
        let mut names = names.into_iter().peekable();
        let mut base_before: Option<Vec<u8>> = None;
        while let Some((base, sub, name, listed_id)) = names.next() {
            let next_is_twin = names.peek().is_some_and(|(next, ..)| *next == base);
            let is_twin = base_before.as_ref() == Some(&base);
            // Twins are asked every time: most are one message, seen before and after another program renamed it.
            let known_state = if is_twin || next_is_twin { None } else { states.get(&base, listed_id) };
            let found = match known_state {
                Some(known) => Some((Rev(known.digest.to_vec()), u64::from(known.size), Some(known))),
                None => match place.path.join(sub.name()).join(&name).symlink_metadata() {
                    Ok(metadata) if metadata.is_file() => {
                        let state = FileState::of(&metadata, facts);
                        // It is asked again next time: a message may be written slowly where it can be seen.
                        let is_young = state.is_young(now_ns);
                        reading.has_young |= is_young;
                        let known = if is_young { None } else { KnownState::of(&state, listed_id) };
                        Some((state.lasting_rev(), state.size, known))
                    }
                    Ok(_) => None,
                    Err(error) if error.kind() == ErrorKind::NotFound => None,
                    Err(error) => {
                        let error = disk::store_error(&error, &place.path.join(sub.name()).join(&name), 0);
                        reading.unreadable.push((message_href(folder, sub, &name, is_twin), error));
                        None
                    }
                },
            };
            let Some((rev, size, state)) = found else { continue };
            reading.entries.push(Entry {
                href: message_href(folder, sub, &name, is_twin),
                rev,
                flags: maildir_name::flags(MessageName::parse(&name).letters, &keywords),
                uid: None,
                name: String::from_utf8_lossy(&base).into_owned(),
                format: Format::Rfc5322,
                size,
                file_id: facts.keeps_file_ids.then_some(listed_id).filter(|id| *id != 0),
            });
            base_before = Some(base);
            reading.seen.push(SeenName { sub, name, state });
        }
        reading.entries.sort_unstable_by(|a, b| a.href.cmp(&b.href));
        Ok(reading)
    }
}

/// The href of a message: its base, or for the second of two files with one base the whole name.
fn message_href(folder: &FolderId, sub: Sub, name: &OsStr, is_twin: bool) -> Href {
    if is_twin {
        let name = text::bytes_to_text(name.as_encoded_bytes());
        href(folder, &format!("{TWIN}{}:{name}", sub.name()))
    } else {
        href(folder, &text::bytes_to_text(&MessageName::parse(name).base))
    }
}

/// Every name in `new` and `cur` that may be a message's, with the number the folder lists it under.
pub(super) fn read_names(place: &Place) -> io::Result<Vec<ListedName>> {
    let mut names = Vec::new();
    for sub in [Sub::New, Sub::Cur] {
        if sub == Sub::Cur {
            fail::fail_point!("files::between_new_and_cur");
        }
        let path = place.path.join(sub.name());
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            // Folders, links, pipes and hidden files are no messages. Names that have no text here can't be addressed.
            let is_hidden = name.as_encoded_bytes().first() == Some(&b'.');
            if !is_hidden && entry.file_type()?.is_file() && text::name_to_text(&name).is_some() {
                names.push((sub, name, listed_id(&entry)));
            }
        }
    }
    Ok(names)
}

fn listed_id(entry: &std::fs::DirEntry) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::DirEntryExt::ino(entry);
    #[cfg(not(unix))]
    {
        let _ = entry;
        0
    }
}

/// Finds the file behind an item's name as text.
pub(super) fn find(folder: &FolderId, place: &Place, name: &str, known: &KnownNames) -> io::Result<Option<PathBuf>> {
    if let Some((sub, name)) = name.strip_prefix(TWIN).and_then(|twin| twin.split_once(':')) {
        let sub = Sub::ALL.into_iter().find(|known| known.name() == sub);
        return Ok(sub.zip(text::text_to_name(name)).map(|(sub, name)| place.path.join(sub.name()).join(name)));
    }
    match text::text_to_name(name) {
        Some(base) => known.find(folder, place, base.as_encoded_bytes()),
        None => Ok(None),
    }
}

/// What a message's file looks like to a listing.
pub(super) fn entry(
    folder: &FolderId,
    path: &std::path::Path,
    facts: FileSystemFacts,
    keywords: &Keywords,
    href_name: Option<&str>,
) -> io::Result<Entry> {
    let metadata = path.symlink_metadata()?;
    let state = FileState::of(&metadata, facts);
    let name = path.file_name().ok_or(ErrorKind::NotFound)?;
    Ok(entry_of(folder, name, &state, keywords, href_name))
}

fn entry_of(folder: &FolderId, name: &OsStr, state: &FileState, keywords: &Keywords, href_name: Option<&str>) -> Entry {
    let parsed = MessageName::parse(name);
    let href_name = href_name.map_or_else(|| text::bytes_to_text(&parsed.base), str::to_owned);
    Entry {
        href: href(folder, &href_name),
        rev: state.lasting_rev(),
        flags: maildir_name::flags(parsed.letters, keywords),
        uid: None,
        name: String::from_utf8_lossy(&parsed.base).into_owned(),
        format: Format::Rfc5322,
        size: state.size,
        file_id: state.file_id,
    }
}

/// The token of a folder that exists only in the names of others.
pub(super) fn token_of_nothing() -> ListingToken {
    ListingToken(Vec::new())
}
