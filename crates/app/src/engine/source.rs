//! Where an item's bytes can be had on this computer.

use crate::blobs::Blobs;
use pim::NativeHash;
use std::sync::{Arc, Mutex};
use stores::{Href, Payload, Reader, StoreError};

/// A place that bytes can be read from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// They just arrived.
    Here(Payload),
    /// The store's item of this name.
    Store(String),
    /// The blob area.
    Blob(NativeHash),
}

impl Source {
    pub(crate) fn open(&self, reader: &Arc<dyn Reader>, blobs: &Mutex<Blobs>) -> Result<Payload, StoreError> {
        match self {
            Self::Here(payload) => Ok(payload.clone()),
            Self::Store(href) => Ok(reader.read(&Href(href.clone()))?.payload),
            Self::Blob(native) => super::lock(blobs).open(*native).map_err(super::blob_error),
        }
    }
}
