//! Contents on their way in.

use super::{BlobError, Blobs, NO_PANIC, Writing, io_error, read_folder};
use pim::NativeHash;
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use stores::Payload;

/// A content on its way in. Dropped before its end, a large one can go on later; a small one is sent again.
#[derive(Debug)]
pub struct BlobWrite {
    native: NativeHash,
    size: u64,
    offset: u64,
    hasher: blake3::Hasher,
    file: fs::File,
    path: PathBuf,
    writing: Writing,
    /// Another write of the same content goes on beside this one and has the name that a later try continues.
    is_second: bool,
    is_finished: bool,
}

/// A content that came in whole. It becomes visible when it is [kept](Blobs::keep).
#[derive(Debug)]
pub struct Finished {
    pub(super) native: NativeHash,
    pub(super) size: u64,
    pub(super) path: PathBuf,
}

const FINISHED: &str = "finished";
const SECOND: &str = "second";

impl Finished {
    /// The content, to be read before it is kept.
    pub(crate) fn payload(&self) -> Payload {
        Payload::File { path: self.path.clone(), size: self.size }
    }

    /// Nobody needs it here any more. Left behind, it costs a little space until it is collected.
    pub(crate) fn discard(self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Blobs {
    /// How many bytes of a content are here from an earlier try. It is checked as a whole at its end.
    #[must_use]
    pub fn resume_offset(&self, native: NativeHash) -> u64 {
        if self.is_being_written(native) {
            // That write has the file; another begins at the front.
            return 0;
        }
        fs::metadata(self.partial_path(native)).map_or(0, |metadata| metadata.len())
    }

    /// Begins to take in a content, or goes on with it at [`Blobs::resume_offset`].
    pub fn begin(&self, native: NativeHash, size: u64) -> Result<BlobWrite, BlobError> {
        if size > Payload::SIZE_MAX {
            return Err(BlobError::TooLarge { size });
        }
        let is_second = self.is_being_written(native);
        let path = if is_second { self.free_path(native, SECOND) } else { self.partial_path(native) };
        let io = |source| io_error(&path, source);
        let mut file =
            fs::File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(io)?;
        let mut offset = file.metadata().map_err(io)?.len();
        if offset > size || is_second {
            file.set_len(0).map_err(io)?;
            offset = 0;
        }
        let made_room = self.make_sure_of_room(size - offset);
        if made_room.is_err() && offset == 0 {
            fs::remove_file(&path).map_err(io)?;
        }
        made_room?;
        let mut hasher = blake3::Hasher::new();
        // Reading leaves the file at its end, where writing goes on.
        let read = hasher.update_reader((&mut file).take(offset)).map(|hasher| hasher.count()).map_err(io)?;
        if read != offset {
            return Err(io(io::ErrorKind::UnexpectedEof.into()));
        }
        if !is_second {
            self.writing.lock().expect(NO_PANIC).insert(native, size);
        }
        let writing = self.writing.clone();
        Ok(BlobWrite { native, size, offset, hasher, file, path, writing, is_second, is_finished: false })
    }

    /// Takes up what an earlier process left: finished contents come in, second tries have no one to continue them.
    pub(super) fn take_up(self) -> Result<Self, BlobError> {
        let mut whole = Vec::new();
        for entry in read_folder(&self.partial_folder())? {
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let (hash, state) = name.split_once('.').unwrap_or((name, ""));
            match NativeHash::from_hex(hash)
                .filter(|_| !state.starts_with(SECOND))
                .and_then(|native| finished_at(&path, native))
            {
                Some(finished) => whole.push(finished),
                // A part waits for its rest.
                None if state.is_empty() => {}
                None => remove(&path)?,
            }
        }
        self.keep(whole)?;
        Ok(self)
    }

    fn is_being_written(&self, native: NativeHash) -> bool {
        self.writing.lock().expect(NO_PANIC).contains_key(&native)
    }

    fn partial_path(&self, native: NativeHash) -> PathBuf {
        self.partial_folder().join(native.to_string())
    }

    fn free_path(&self, native: NativeHash, state: &str) -> PathBuf {
        let name = |number: u32| self.partial_folder().join(format!("{native}.{state}-{number}"));
        (0..).map(name).find(|path| !path.exists()).expect("a folder can't hold that many files")
    }
}

impl BlobWrite {
    /// How many bytes are here.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes in the bytes that come next.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let end = self.offset + bytes.len() as u64;
        if end > self.size {
            return Err(BlobError::WrongContent);
        }
        self.file.write_all(bytes).map_err(|source| io_error(&self.path, source))?;
        self.hasher.update(bytes);
        self.offset = end;
        Ok(())
    }

    /// Ends the content. One that isn't what its hash says is removed.
    pub fn finish(mut self) -> Result<Finished, BlobError> {
        self.is_finished = true;
        if self.offset != self.size || self.hasher.finalize().as_bytes() != self.native.as_bytes() {
            remove(&self.path)?;
            return Err(BlobError::WrongContent);
        }
        // Under another name, so that a later try of the same content doesn't take it for a part.
        let folder = self.path.parent().expect("partial contents lie in a folder");
        let name = |number: u32| folder.join(format!("{}.{FINISHED}-{number}", self.native));
        let path = (0..).map(name).find(|path| !path.exists()).expect("a folder can't hold that many files");
        fs::rename(&self.path, &path).map_err(|source| io_error(&self.path, source))?;
        Ok(Finished { native: self.native, size: self.size, path })
    }
}

impl Drop for BlobWrite {
    fn drop(&mut self) {
        if !self.is_second
            && let Ok(mut writing) = self.writing.lock()
        {
            writing.remove(&self.native);
        }
        // A whole one that nobody ended can't go on either.
        let can_go_on = !self.is_second && self.size > Payload::MEMORY_MAX && self.offset < self.size;
        if !self.is_finished && !can_go_on {
            // Left behind, it costs a little space until it is collected.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn remove(path: &Path) -> Result<(), BlobError> {
    fs::remove_file(path).map_err(|source| io_error(path, source))
}

/// A file that was finished by an earlier process, if the crash left it whole.
fn finished_at(path: &Path, native: NativeHash) -> Option<Finished> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path).ok()?).ok()?;
    let is_whole = hasher.finalize().as_bytes() == native.as_bytes();
    is_whole.then(|| Finished { native, size: hasher.count(), path: path.to_owned() })
}
