//! Contents on this computer that no store holds: versions on their way to a store or to another computer, what a store
//! held before it was changed, the losing sides of conflicts.
//!
//! A content is a file named by its BLAKE3 hash, `ab/abcd…`, so equal contents lie there once. On its way in it is a file
//! in `partial`, named by the hash it shall have: [`Blobs::begin`], [`BlobWrite::append`], [`BlobWrite::finish`], which
//! checks the hash, and for a group of them at once [`Blobs::keep`], which makes them durable and only then visible.
//! Any number of threads may be at it. A large content that stops on the way goes on where it stopped, for seven days.
//!
//! Nothing here knows what a content is needed for: [`Blobs::collect`] asks.

mod collect;
mod flush;
pub(crate) mod place;
mod write;

pub use collect::{Collected, Keep, Need};
pub use write::{BlobWrite, Finished};

use pim::NativeHash;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use stores::Payload;

/// The contents of one profile. The profile's lock keeps it to one process.
#[derive(Debug)]
pub struct Blobs {
    folder: PathBuf,
    /// On their way in, with their sizes.
    writing: Writing,
    usage: Mutex<Option<Usage>>,
    /// Asks the disk; a test has a disk of its own.
    free_space: fn(&Path) -> io::Result<Option<u64>>,
}

type Writing = Arc<Mutex<BTreeMap<NativeHash, u64>>>;

/// What the contents take.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// How many.
    pub count: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Why a content can't be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk would become too full. Free some space; nothing was changed.
    #[error("there isn't enough free space")]
    NoSpace {
        /// Bytes that have to be free.
        need: u64,
        /// Bytes that are.
        free: u64,
    },
    /// The bytes aren't those their hash names. Ask for them again.
    #[error("the content isn't what its hash says")]
    WrongContent,
    /// Larger than an item can be.
    #[error("the content is larger than an item can be")]
    TooLarge {
        /// Its bytes.
        size: u64,
    },
    /// There is no such content.
    #[error("there is no such content")]
    NotThere,
    /// The blob area can't be read or written.
    #[error("the blob area can't be used")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

const NO_PANIC: &str = "nobody panics with these numbers in hand";

/// So much stays free on the disk, whatever comes.
const FREE_BYTES_MIN: u64 = 200_000_000;

impl Blobs {
    /// The contents in a folder, which is made if it isn't there. What a crash left finished is taken in.
    pub fn in_folder(folder: &Path) -> Result<Self, BlobError> {
        let blobs =
            Self { folder: folder.to_owned(), writing: Writing::default(), usage: Mutex::default(), free_space };
        let partial = blobs.partial_folder();
        fs::create_dir_all(&partial).map_err(|source| BlobError::Io { path: partial, source })?;
        blobs.take_up()
    }

    /// Whether the content is here, durably.
    #[must_use]
    pub fn contains(&self, native: NativeHash) -> bool {
        self.path_of(native).exists()
    }

    /// A content that is here. A small one is checked; whoever reads a [`Payload::File`] hashes what is read.
    pub fn open(&self, native: NativeHash) -> Result<Payload, BlobError> {
        let path = self.path_of(native);
        let io = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => BlobError::NotThere,
            _ => BlobError::Io { path: path.clone(), source },
        };
        let size = fs::metadata(&path).map_err(io)?.len();
        if size > Payload::MEMORY_MAX {
            return Ok(Payload::File { path, size });
        }
        let bytes = fs::read(&path).map_err(io)?;
        if blake3::hash(&bytes).as_bytes() == native.as_bytes() {
            return Ok(Payload::Memory(bytes.into()));
        }
        // Gone, it can come again from whoever still has it; damaged, it would only be in the way.
        fs::remove_file(&path).map_err(io)?;
        Err(BlobError::WrongContent)
    }

    /// The file of a content that is here, unread.
    pub fn file_of(&self, native: NativeHash) -> Result<Payload, BlobError> {
        let path = self.path_of(native);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Payload::File { path, size: metadata.len() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BlobError::NotThere),
            Err(source) => Err(BlobError::Io { path, source }),
        }
    }

    /// Removes a content.
    pub fn remove(&self, native: NativeHash) -> Result<(), BlobError> {
        let path = self.path_of(native);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(BlobError::Io { path, source }),
        };
        fs::remove_file(&path).map_err(|source| BlobError::Io { path, source })?;
        self.count(|usage| {
            usage.count = usage.count.saturating_sub(1);
            usage.bytes = usage.bytes.saturating_sub(size);
        });
        Ok(())
    }

    /// What the contents take. Counted once, then kept.
    pub fn usage(&self) -> Result<Usage, BlobError> {
        // Held while counting, so that nothing comes or goes uncounted.
        let mut known = self.usage.lock().expect(NO_PANIC);
        if let Some(usage) = *known {
            return Ok(usage);
        }
        let mut usage = Usage::default();
        self.for_each(|_, metadata| {
            usage.count += 1;
            usage.bytes += metadata.len();
            Ok(())
        })?;
        *known = Some(usage);
        Ok(usage)
    }

    fn count(&self, change: impl FnOnce(&mut Usage)) {
        self.usage.lock().expect(NO_PANIC).as_mut().map(change);
    }

    /// Whether the disk has room for a content of this size on top of what is on its way.
    fn make_sure_of_room(&self, size: u64) -> Result<(), BlobError> {
        let io = |source| BlobError::Io { path: self.folder.clone(), source };
        let Some(free) = (self.free_space)(&self.folder).map_err(io)? else { return Ok(()) };
        let writing = self.writing.lock().expect(NO_PANIC);
        let largest = writing.values().copied().fold(size, u64::max);
        let need = size.saturating_add(FREE_BYTES_MIN.max(largest.saturating_mul(2)));
        if free < need { Err(BlobError::NoSpace { need, free }) } else { Ok(()) }
    }

    /// Every content, in no order.
    fn for_each(
        &self,
        mut each: impl FnMut(NativeHash, &fs::Metadata) -> Result<(), BlobError>,
    ) -> Result<(), BlobError> {
        for entry in read_folder(&self.folder)? {
            // Whatever isn't named like a content isn't ours.
            if entry.file_name().len() != 2 || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            for entry in read_folder(&entry.path())? {
                let native = entry.file_name().to_str().and_then(NativeHash::from_hex);
                let (Some(native), Ok(metadata)) = (native, entry.metadata()) else { continue };
                each(native, &metadata)?;
            }
        }
        Ok(())
    }

    fn path_of(&self, native: NativeHash) -> PathBuf {
        let name = native.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    fn partial_folder(&self) -> PathBuf {
        self.folder.join("partial")
    }
}

fn read_folder(path: &Path) -> Result<Vec<fs::DirEntry>, BlobError> {
    let entries = fs::read_dir(path).and_then(Iterator::collect);
    entries.map_err(|source| BlobError::Io { path: path.to_owned(), source })
}

/// Bytes this user can still write, where the system tells. Where it doesn't, a write that fails does.
#[cfg(unix)]
pub(crate) fn free_space(folder: &Path) -> io::Result<Option<u64>> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
}

#[cfg(not(unix))]
pub(crate) fn free_space(_: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

fn io_error(path: &Path, source: io::Error) -> BlobError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            BlobError::NoSpace { need: FREE_BYTES_MIN, free: 0 }
        }
        _ => BlobError::Io { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests;
