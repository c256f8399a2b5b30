//! The store that settings name.

use crate::{
    message::{Code, Problem, Result},
    profile::Profile,
    settings::StoreSpec,
};
use stores::{
    Store, StoreId,
    files::{FilesSpec, FilesStore},
};

/// A store that isn't opened yet: what it was is known only to the index.
pub(super) enum Located {
    Files(Box<FilesStore>),
    #[cfg(target_os = "linux")]
    Evolution {
        /// `None`: the session's bus.
        address: Option<String>,
        staging: std::path::PathBuf,
    },
    #[cfg(windows)]
    Outlook {
        /// `None`: the default store of Outlook's profile.
        name: Option<String>,
        staging: std::path::PathBuf,
    },
}

impl Located {
    pub(super) fn find(spec: &StoreSpec, profile: &Profile) -> Result<Self> {
        let unknown = || Problem::new(Code::StoreUnknown).with("spec", spec.to_string());
        match spec.connector.as_str() {
            "files" => {
                let files = FilesSpec::parse(&spec.to_string()).map_err(|error| unknown().because(error))?;
                Ok(Self::Files(Box::new(FilesStore::open_at(files))))
            }
            #[cfg(target_os = "linux")]
            "eds" => {
                let address = Some(spec.place.clone()).filter(|address| !address.is_empty());
                Ok(Self::Evolution { address, staging: profile.staging().join("eds") })
            }
            #[cfg(not(target_os = "linux"))]
            "eds" => Err(Problem::new(Code::EvolutionMissing)),
            #[cfg(windows)]
            "outlook" => {
                let name = Some(spec.place.clone()).filter(|name| !name.is_empty());
                Ok(Self::Outlook { name, staging: profile.staging().join("outlook") })
            }
            #[cfg(not(windows))]
            "outlook" => {
                let _ = profile;
                Err(Problem::new(Code::OutlookMissing))
            }
            _ => Err(unknown()),
        }
    }

    /// Makes what has to be there before the store can be opened for the first time.
    pub(super) fn prepare(&self, spec: &StoreSpec) -> Result<()> {
        match self {
            Self::Files(_) => super::answers::prepare_files(spec),
            #[cfg(target_os = "linux")]
            Self::Evolution { .. } => Ok(()),
            #[cfg(windows)]
            Self::Outlook { .. } => Ok(()),
        }
    }

    pub(super) fn store(self, known: Option<StoreId>) -> Box<dyn Store> {
        match (self, known) {
            (Self::Files(store), Some(known)) => Box::new(store.expecting(known)),
            (Self::Files(store), None) => store,
            #[cfg(target_os = "linux")]
            (Self::Evolution { address, staging }, known) => {
                Box::new(stores::eds::EdsStore::new(address, known, staging))
            }
            #[cfg(windows)]
            (Self::Outlook { name, staging }, known) => {
                Box::new(stores::outlook::OutlookStore::running(name, known, staging))
            }
        }
    }
}
