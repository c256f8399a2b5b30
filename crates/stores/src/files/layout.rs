//! What is at a place that somebody chose, and making the layout there.

use super::{
    disk, folders,
    spec::{FilesSpec, Part},
};
use crate::{
    StoreError,
    import::{LooseKind, split_file},
};
use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Files looked at before a place is judged.
const FILES_EXAMINED_MAX: usize = 500;
/// Names shown of a place that isn't understood.
const EXAMPLES_MAX: usize = 5;

/// What a place holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// There is nothing at this place.
    Missing,
    /// An empty folder: the layout can be made in it.
    Empty,
    /// The layout of a `files` store; these parts are there.
    Layout {
        /// In the order of [`Part::ALL`].
        parts: Vec<Part>,
    },
    /// The place is itself one part: a Maildir, or a vdir. Use it by its part: `files:mail=PATH`.
    Part {
        /// Which.
        part: Part,
    },
    /// Loose messages or files with many items. They can be imported ([`crate::import`]).
    Importable {
        /// By path.
        files: Vec<Loose>,
    },
    /// Something else.
    Other {
        /// A few names of what is there.
        examples: Vec<String>,
        /// How many names there are.
        names: u64,
    },
}

/// A file that isn't part of a store yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loose {
    /// Where.
    pub path: PathBuf,
    /// Items in it, as far as it could be read.
    pub items: u64,
}

/// Looks what a place holds. Nothing is written.
pub fn detect(path: &Path) -> Result<Found, StoreError> {
    let io_error = |error: io::Error| disk::store_error(&error, path, 0);
    let mut names: Vec<String> = Vec::new();
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
        entries => entries.map_err(io_error)?,
    };
    let (mut loose, mut below) = (Vec::new(), Vec::new());
    for entry in entries {
        let entry = entry.map_err(io_error)?;
        let name = entry.file_name();
        if is_system_name(&name) {
            continue;
        }
        names.push(name.to_string_lossy().into_owned());
        let kind = entry.file_type().map_err(io_error)?;
        if kind.is_dir() {
            below.push(entry.path());
        } else if kind.is_file() && LooseKind::of(&entry.path()).is_some() {
            loose.push(entry.path());
        }
    }
    names.sort_unstable();
    let parts: Vec<Part> = Part::ALL.into_iter().filter(|part| path.join(part.name()).is_dir()).collect();
    if !parts.is_empty() {
        return Ok(Found::Layout { parts });
    }
    if path.join("cur").is_dir() && path.join("new").is_dir() {
        return Ok(Found::Part { part: Part::Mail });
    }
    if names.is_empty() {
        return Ok(Found::Empty);
    }
    loose.sort_unstable();
    if let Some(found) = judge_files(&loose) {
        return Ok(found);
    }
    // A folder of address books or calendars, as vdirsyncer makes them.
    let mut inside: Vec<PathBuf> = below.iter().flat_map(|folder| loose_files_in(folder)).collect();
    inside.sort_unstable();
    match judge_files(&inside) {
        Some(Found::Part { part }) => Ok(Found::Part { part }),
        _ => {
            let count = names.len() as u64;
            names.truncate(EXAMPLES_MAX);
            Ok(Found::Other { examples: names, names: count })
        }
    }
}

fn loose_files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| LooseKind::of(path).is_some())
        .take(FILES_EXAMINED_MAX)
        .collect()
}

/// One item a file and all of one sort: a vdir. Anything else that holds items can be imported.
fn judge_files(files: &[PathBuf]) -> Option<Found> {
    let mut loose = Vec::new();
    let mut parts = BTreeSet::new();
    let mut are_single = true;
    for path in files {
        let kind = LooseKind::of(path)?;
        let is_examined = loose.len() < FILES_EXAMINED_MAX;
        let split = is_examined.then(|| split_file(path, kind).ok()).flatten();
        let items = split.as_ref().map_or(u64::from(!is_examined), |split| split.items.len() as u64);
        are_single &= items <= 1 && kind != LooseKind::Message;
        parts.extend(split.iter().flat_map(|split| split.items.iter().map(|item| Part::for_kind(item.folder))));
        if items > 0 {
            loose.push(Loose { path: path.clone(), items });
        }
    }
    // Two files may be loose by chance; a folder of one part's items, each in its file, is one on purpose.
    match (parts.len(), loose.len()) {
        (0, _) => None,
        (1, 2..) if are_single => Some(Found::Part { part: parts.into_iter().next()? }),
        _ => Some(Found::Importable { files: loose }),
    }
}

/// Whether a root holds nothing but what systems and Tandem put there.
pub(super) fn is_hollow(root: &Path) -> bool {
    std::fs::read_dir(root).is_ok_and(|entries| entries.flatten().all(|entry| is_system_name(&entry.file_name())))
}

fn is_system_name(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(".tandem")
        || ["lost+found", ".DS_Store", "desktop.ini", "Thumbs.db", ".directory", ".Trash-1000"].contains(&&*name)
}

/// Makes the folders of every part. What is there already stays as it is.
pub fn prepare(spec: &FilesSpec) -> Result<(), StoreError> {
    for part in Part::ALL {
        let Some(path) = spec.part(part) else { continue };
        let made =
            if part == Part::Mail { folders::make_maildir(&path, false) } else { std::fs::create_dir_all(&path) };
        made.map_err(|error| disk::store_error(&error, &path, 0))?;
    }
    Ok(())
}
