//! Reading contents while the store is busy elsewhere.

use super::{
    commit::find,
    disk,
    known::KnownNames,
    place::{Place, Places},
    spec::Part,
    state::{self, FileState},
};
use crate::{Content, Href, Payload, Reader, Rev, StoreError};
use std::{
    fs::Metadata,
    io::{self, ErrorKind, Read},
    path::Path,
    sync::Arc,
};

/// How often a file that changes while it is read is read again.
const READINGS_MAX: usize = 3;

#[derive(Debug)]
pub(super) struct FilesReader {
    pub(super) places: Arc<Places>,
    pub(super) known: Arc<KnownNames>,
}

impl Reader for FilesReader {
    fn read(&self, href: &Href) -> Result<Content, StoreError> {
        let (folder, place, name) = self.places.item(href)?;
        let mut path = place.path.clone();
        for _ in 0..READINGS_MAX {
            let found = find(&self.known, &folder, &place, name);
            path = found.map_err(|error| disk::store_error(&error, &place.path, 0))?.ok_or(StoreError::NotFound)?;
            match self.read_once(&place, &path) {
                Ok(Some(content)) => return content,
                Ok(None) => {}
                // Renamed between finding and opening: another program set a flag.
                Err(error) if error.kind() == ErrorKind::NotFound && place.part == Part::Mail => {}
                Err(error) => return Err(disk::store_error(&error, &path, 0)),
            }
        }
        Err(if path.symlink_metadata().is_ok() { StoreError::Changed } else { StoreError::NotFound })
    }
}

impl FilesReader {
    /// `None`: the file changed while it was read.
    fn read_once(&self, place: &Place, path: &Path) -> io::Result<Option<Result<Content, StoreError>>> {
        let (file, metadata) = disk::open_regular(path)?;
        let size = metadata.len();
        if size > Payload::SIZE_MAX {
            return Ok(Some(Err(StoreError::TooLarge { size })));
        }
        let rev = self.rev(place, &metadata);
        if size > Payload::MEMORY_MAX {
            let payload = Payload::File { path: path.to_owned(), size };
            return Ok(Some(Ok(Content { rev, payload })));
        }
        let mut bytes = Vec::with_capacity(size as usize);
        (&file).take(Payload::MEMORY_MAX + 1).read_to_end(&mut bytes)?;
        let is_same = self.rev(place, &file.metadata()?).0.get(..8) == rev.0.get(..8);
        let is_whole = bytes.len() as u64 == size;
        Ok((is_same && is_whole).then(|| Ok(Content { rev, payload: Payload::Memory(bytes.into()) })))
    }

    fn rev(&self, place: &Place, metadata: &Metadata) -> Rev {
        let state = FileState::of(metadata, self.places.facts(place.part));
        if place.part == Part::Mail { state.lasting_rev() } else { state.rev(state::now_ns()) }
    }
}
