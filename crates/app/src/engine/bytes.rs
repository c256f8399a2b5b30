//! Payloads, read in pieces.

use super::worker::{Examined, examiner};
use crate::blobs::{Blobs, Finished};
use pim::{FolderKind, Format, NativeHash};
use std::{
    fs::File,
    io::{self, Read},
};
use stores::{Payload, StoreError};

const PIECE: usize = 1 << 20;

/// Hands every piece of a payload to `each`, in order.
pub(super) fn for_each_piece(payload: &Payload, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    match payload {
        Payload::Memory(bytes) => each(bytes),
        Payload::File { path, .. } => {
            let mut file = File::open(path)?;
            let mut piece = vec![0; PIECE];
            loop {
                match file.read(&mut piece)? {
                    0 => return Ok(()),
                    len => each(&piece[..len])?,
                }
            }
        }
    }
}

/// What a payload says.
pub(super) fn examine(payload: &Payload, kind: FolderKind, format: Format) -> io::Result<Examined> {
    let mut examiner = examiner(kind, format);
    for_each_piece(payload, |piece| {
        examiner.update(piece);
        Ok(())
    })?;
    let state = examiner.finish();
    let fields = match payload {
        Payload::Memory(bytes) if !state.opaque => pim::fields(state.kind, format, bytes),
        // Nothing that merges by field is that large.
        _ => None,
    };
    Ok(Examined { state, fields })
}

/// A payload as one piece, if it is small enough to be merged.
pub(super) fn whole(payload: &Payload) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for_each_piece(payload, |piece| {
        bytes.extend_from_slice(piece);
        if bytes.len() as u64 > Payload::MEMORY_MAX * 8 { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
    })
    .ok()?;
    Some(bytes)
}

/// Writes a payload into the blob area, to be kept by the caller. `None`: it is there already, or its bytes have another
/// hash.
pub(super) fn save(blobs: &Blobs, payload: &Payload, native: NativeHash) -> Result<Option<Finished>, StoreError> {
    if blobs.contains(native) {
        return Ok(None);
    }
    let size = match payload {
        Payload::Memory(bytes) => bytes.len() as u64,
        Payload::File { size, .. } => *size,
    };
    let mut write = blobs.begin(native, size).map_err(super::blob_error)?;
    for_each_piece(payload, |piece| write.append(piece).map_err(|error| io::Error::other(error.to_string())))
        .map_err(|error| StoreError::Io { reason: error.to_string(), path: native.to_string() })?;
    match write.finish() {
        Ok(finished) => Ok(Some(finished)),
        // The bytes aren't those that were asked for: somebody changed the item.
        Err(crate::blobs::BlobError::WrongContent) => Ok(None),
        Err(error) => Err(super::blob_error(error)),
    }
}
