//! Where an item's bytes can be had on this computer.

use crate::blobs::Blobs;
use pim::NativeHash;
use std::sync::Arc;
use stores::{Href, Payload, Reader, StoreError};

/// A place that bytes can be read from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// They just arrived. A file among them is written to no more.
    Here(Payload),
    /// The store's item of this name.
    Store(String),
    /// The blob area.
    Blob(NativeHash),
}

impl Source {
    /// The bytes lie in a file of ours.
    pub(crate) const fn is_own_file(&self) -> bool {
        !matches!(self, Self::Store(_))
    }

    /// Where the bytes are, without a look at them: whoever writes them into a store doesn't hash them once more.
    pub(crate) fn for_store(&self, reader: &Arc<dyn Reader>, blobs: &Blobs) -> Result<Payload, StoreError> {
        match self {
            Self::Blob(native) => blobs.file_of(*native).map_err(super::blob_error),
            _ => self.open(reader, blobs),
        }
    }

    pub(crate) fn open(&self, reader: &Arc<dyn Reader>, blobs: &Blobs) -> Result<Payload, StoreError> {
        match self {
            Self::Here(payload) => Ok(payload.clone()),
            Self::Store(href) => Ok(reader.read(&Href(href.clone()))?.payload),
            Self::Blob(native) => blobs.open(*native).map_err(super::blob_error),
        }
    }
}
