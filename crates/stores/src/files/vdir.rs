//! Listing one vdir folder: a file per item, hidden files and files without an item's ending don't count.
//!
//! Programs edit such files in place or replace them, and an edit in place doesn't touch the folder's time; so every
//! file is asked for its state, and only then the listing is known to be the same as the last.

use super::{
    disk::{self, FileSystemFacts},
    place::{Place, href},
    spec::Part,
    state::{self, FileState},
    text,
};
use crate::{Entry, FolderId, Listing, ListingToken, StoreError};
use pim::{Flags, Format};
use std::{ffi::OsStr, fs::Metadata, io, io::ErrorKind, path::Path};

/// How often a folder that changes under our eyes is read again.
const READINGS_MAX: usize = 5;

/// The formats a part's items may have, with the ending of each, the usual first.
pub(super) const fn endings(part: Part) -> &'static [(&'static str, Format)] {
    match part {
        Part::Mail => &[],
        Part::Contacts => &[("vcf", Format::VCard)],
        Part::Calendars | Part::Tasks => &[("ics", Format::ICalendar)],
        Part::Notes => &[("ics", Format::ICalendar), ("txt", Format::Text), ("md", Format::Markdown)],
    }
}

/// The format of a file by its name; `None` when it is no item of this part.
pub(super) fn format(part: Part, name: &OsStr) -> Option<Format> {
    if name.as_encoded_bytes().first() == Some(&b'.') {
        return None;
    }
    let ending = Path::new(name).extension()?;
    endings(part).iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, format)| *format)
}

/// Lists a folder.
pub(super) fn list(
    folder: &FolderId,
    place: &Place,
    facts: FileSystemFacts,
    since: Option<&ListingToken>,
) -> Result<Listing, StoreError> {
    let mut last = (Vec::new(), Vec::new());
    for _ in 0..READINGS_MAX {
        let before = folder_state(place)?;
        state::wait_for_next_grain(before.1);
        let (entries, unreadable) = read(folder, place, facts).map_err(|e| disk::store_error(&e, &place.path, 0))?;
        if folder_state(place)? == before {
            if !unreadable.is_empty() {
                return Ok(Listing::Partial { entries, unreadable });
            }
            let token = token(&entries);
            let is_same = since == Some(&token);
            return Ok(if is_same { Listing::Unchanged } else { Listing::Complete { entries, token } });
        }
        last = (entries, unreadable);
    }
    Ok(Listing::Partial { entries: last.0, unreadable: last.1 })
}

fn folder_state(place: &Place) -> Result<(Option<u64>, i64), StoreError> {
    let metadata = place.path.symlink_metadata().map_err(|error| disk::store_error(&error, &place.path, 0))?;
    if metadata.is_dir() || place.path.is_dir() {
        Ok((state::raw_file_id(&metadata), state::modified_ns(&metadata)))
    } else {
        Err(StoreError::NotFound)
    }
}

type Reading = (Vec<Entry>, Vec<(crate::Href, StoreError)>);

fn read(folder: &FolderId, place: &Place, facts: FileSystemFacts) -> io::Result<Reading> {
    let now = state::now_ns();
    let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
    for found in std::fs::read_dir(&place.path)? {
        let found = found?;
        let name = found.file_name();
        let Some(format) = format(place.part, &name) else { continue };
        let Some(name_text) = text::name_to_text(&name) else { continue };
        // Links, pipes and devices are never opened.
        if !found.file_type()?.is_file() {
            continue;
        }
        match found.metadata() {
            Ok(metadata) if metadata.is_file() => {
                entries.push(entry(folder, &name, &name_text, format, &metadata, facts, now));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                unreadable.push((href(folder, &name_text), disk::store_error(&error, &found.path(), 0)));
            }
        }
    }
    entries.sort_unstable_by(|a, b| a.href.cmp(&b.href));
    unreadable.sort_unstable_by(|a: &(crate::Href, StoreError), b| a.0.cmp(&b.0));
    Ok((entries, unreadable))
}

fn entry(
    folder: &FolderId,
    name: &OsStr,
    name_text: &str,
    format: Format,
    metadata: &Metadata,
    facts: FileSystemFacts,
    now: i64,
) -> Entry {
    let state = FileState::of(metadata, facts);
    Entry {
        href: href(folder, name_text),
        rev: state.rev(now),
        flags: Flags::default(),
        uid: None,
        name: name.to_string_lossy().into_owned(),
        format,
        size: state.size,
        file_id: state.file_id,
    }
}

/// What a file looks like to a listing.
pub(super) fn entry_at(folder: &FolderId, part: Part, path: &Path, facts: FileSystemFacts) -> io::Result<Entry> {
    let metadata = path.symlink_metadata()?;
    let name = path.file_name().ok_or(ErrorKind::NotFound)?;
    let (format, name_text) = format(part, name).zip(text::name_to_text(name)).ok_or(ErrorKind::NotFound)?;
    Ok(entry(folder, name, &name_text, format, &metadata, facts, state::now_ns()))
}

fn token(entries: &[Entry]) -> ListingToken {
    let mut hasher = blake3::Hasher::new();
    for entry in entries {
        for bytes in [entry.href.0.as_bytes(), &entry.rev.0] {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    }
    ListingToken(hasher.finalize().as_bytes()[..16].to_vec())
}
