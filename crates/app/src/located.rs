//! The stores that settings name, or a person names for one task.
//!
//! A computer's data may lie in several places: mail in folders and the rest in Evolution, an archive of Outlook's beside the
//! mailbox. They are one store then ([`SeveralStores`]), there together or not at all.

use crate::{
    message::{Code, Fact, Problem, Result},
    places,
    settings::StoreSpec,
};
use pim::FolderKind;
use std::path::{Path, PathBuf};
use stores::{
    FolderId, Part, SeveralStores, Store, StoreError, StoreId,
    files::{self, FilesSpec, FilesStore, Found, Surveyed},
    shown_beside,
};

/// Stores that aren't opened yet: which they were is known only to the index.
pub(crate) struct Located(Vec<One>);

/// One place, with where what is written into it waits.
struct One {
    spec: StoreSpec,
    way: Way,
}

enum Way {
    Files(FilesSpec),
    #[cfg(target_os = "linux")]
    Evolution {
        /// `None`: the session's bus.
        address: Option<String>,
        staging: PathBuf,
    },
    #[cfg(windows)]
    Outlook {
        /// `None`: the default store of Outlook's profile.
        name: Option<String>,
        staging: PathBuf,
    },
}

impl Located {
    /// Finds what the places name; there is at least one. `staging` is a folder of our own.
    pub(crate) fn find(specs: &[StoreSpec], staging: &Path) -> Result<Self> {
        let found = specs.iter().enumerate().map(|(at, spec)| {
            // The first one's is where it was before there could be others.
            let staging =
                staging.join(if at == 0 { spec.connector.clone() } else { format!("{}-{at}", spec.connector) });
            Ok(One { way: Way::find(spec, staging)?, spec: spec.clone() })
        });
        let found = Self(found.collect::<Result<_>>()?);
        if found.0.is_empty() {
            return Err(Problem::new(Code::NotSetUp));
        }
        for (at, one) in found.0.iter().enumerate() {
            if found.0[..at].iter().any(|other| other.way.shares_with(&one.way)) {
                return Err(twice(&one.spec));
            }
        }
        Ok(found)
    }

    /// Makes what has to be there before the stores can be opened for the first time, and looks whether they can be.
    pub(crate) fn prepare(&self) -> Result<()> {
        let mut ids = Vec::new();
        for one in &self.0 {
            if let Way::Files(_) = one.way {
                prepare_files(&one.spec)?;
            }
            let id = one.way.store(None).open().map_err(|error| Problem::with_store(error, &one.place()))?;
            // Two names of one place would make everything twice.
            if ids.contains(&id) {
                return Err(twice(&one.spec));
            }
            ids.push(id);
        }
        Ok(())
    }

    /// What people call the place, or the places.
    pub(crate) fn place(&self) -> String {
        self.0.iter().map(One::place).collect::<Vec<_>>().join(", ")
    }

    /// The store itself, given which one it must be, if that is known.
    pub(crate) fn store(&self, known: Option<StoreId>) -> Box<dyn Store> {
        if let [one] = &self.0[..] {
            return one.way.store(known);
        }
        let each = SeveralStores::known_of_each(known.as_ref(), self.0.len());
        let part = |(one, known): (&One, _)| Part { store: one.way.store(known), name: one.way.name() };
        Box::new(SeveralStores::new(self.0.iter().zip(each).map(part).collect(), known))
    }

    /// Every folder and how much is in it, named as the store will show it. Nothing is written.
    pub(crate) fn survey(&self) -> Result<Vec<Surveyed>> {
        let mut all = Vec::new();
        for (at, one) in self.0.iter().enumerate() {
            let surveyed = one.way.survey().map_err(|error| Problem::with_store(error, &one.place()))?;
            let earlier = || self.0[..at].iter().flat_map(|one| one.way.kinds());
            all.extend(surveyed.into_iter().map(|mut found| {
                if self.0.len() > 1 {
                    let outer = |id: FolderId| FolderId(format!("{at}:{}", id.0));
                    let is_beside = earlier().any(|kind| kind == found.folder.kind);
                    found.folder.id = outer(found.folder.id);
                    found.folder.parent = found.folder.parent.map(outer);
                    if is_beside {
                        shown_beside(&mut found.folder, &one.way.name());
                    }
                }
                found
            }));
        }
        Ok(all)
    }
}

impl One {
    fn place(&self) -> String {
        if self.spec.place.is_empty() { self.spec.to_string() } else { self.spec.place.clone() }
    }
}

impl Way {
    fn find(spec: &StoreSpec, staging: PathBuf) -> Result<Self> {
        let unknown = || Problem::new(Code::StoreUnknown).with("spec", spec.to_string());
        match spec.connector.as_str() {
            "files" => Ok(Self::Files(FilesSpec::parse(&spec.to_string()).map_err(|error| unknown().because(error))?)),
            #[cfg(target_os = "linux")]
            "eds" => {
                let address = Some(spec.place.clone()).filter(|address| !address.is_empty());
                Ok(Self::Evolution { address, staging })
            }
            #[cfg(not(target_os = "linux"))]
            "eds" => Err(Problem::new(Code::EvolutionMissing)),
            #[cfg(windows)]
            "outlook" => {
                let name = Some(spec.place.clone()).filter(|name| !name.is_empty());
                Ok(Self::Outlook { name, staging })
            }
            #[cfg(not(windows))]
            "outlook" => {
                let _ = staging;
                Err(Problem::new(Code::OutlookMissing))
            }
            _ => Err(unknown()),
        }
    }

    fn kinds(&self) -> Vec<FolderKind> {
        match self {
            Self::Files(files) => files.kinds(),
            #[cfg(target_os = "linux")]
            Self::Evolution { .. } => stores::eds::kinds(),
            #[cfg(windows)]
            Self::Outlook { .. } => FolderKind::ALL.to_vec(),
        }
    }

    /// What people call it beside others.
    fn name(&self) -> String {
        match self {
            Self::Files(files) => {
                let root = files.roots().into_iter().next().unwrap_or_default();
                root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned()
            }
            #[cfg(target_os = "linux")]
            Self::Evolution { .. } => "Evolution".to_owned(),
            #[cfg(windows)]
            Self::Outlook { name, .. } => name.clone().unwrap_or_else(|| "Outlook".to_owned()),
        }
    }

    /// Whether both would show the same.
    fn shares_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Files(one), Self::Files(other)) => one.overlaps(other),
            #[cfg(target_os = "linux")]
            (Self::Evolution { address: one, .. }, Self::Evolution { address: other, .. }) => one == other,
            #[cfg(windows)]
            (Self::Outlook { name: one, .. }, Self::Outlook { name: other, .. }) => one == other,
            #[cfg(any(target_os = "linux", windows))]
            _ => false,
        }
    }

    fn store(&self, known: Option<StoreId>) -> Box<dyn Store> {
        match self {
            Self::Files(files) => {
                let store = FilesStore::open_at(files.clone());
                match known {
                    Some(known) => Box::new(store.expecting(known)),
                    None => Box::new(store),
                }
            }
            #[cfg(target_os = "linux")]
            Self::Evolution { address, staging } => {
                Box::new(stores::eds::EdsStore::new(address.clone(), known, staging.clone()))
            }
            #[cfg(windows)]
            Self::Outlook { name, staging } => {
                Box::new(stores::outlook::OutlookStore::running(name.clone(), known, staging.clone()))
            }
        }
    }

    fn survey(&self) -> std::result::Result<Vec<Surveyed>, StoreError> {
        match self {
            Self::Files(files) => files::survey(files),
            #[cfg(target_os = "linux")]
            Self::Evolution { address, .. } => {
                places::survey_evolution(address.as_deref().unwrap_or_default()).unwrap_or(Ok(Vec::new()))
            }
            #[cfg(windows)]
            Self::Outlook { name, .. } => places::survey_outlook(name.as_deref().unwrap_or_default()),
        }
    }
}

/// Looks at what lies at a `files` store's place; makes the layout where there is nothing yet.
fn prepare_files(spec: &StoreSpec) -> Result<()> {
    let unknown = || Problem::new(Code::StoreUnknown).with("spec", spec.to_string());
    let files = FilesSpec::parse(&spec.to_string()).map_err(|error| unknown().because(error))?;
    let store = |error: StoreError, path: &Path| Problem::with_store(error, &path.display().to_string());
    let Some(root) = files.root() else {
        // Single parts: what is named is used; what isn't there is made.
        let place = files.roots().first().cloned().unwrap_or_default();
        return files::prepare(&files).map_err(|error| store(error, &place));
    };
    let place = root.display().to_string();
    match files::detect(root).map_err(|error| store(error, root))? {
        Found::Missing | Found::Empty | Found::Layout { .. } => {
            files::prepare(&files).map_err(|error| store(error, root))
        }
        Found::Part { part } => Err(Problem::new(Code::NothingKnownThere)
            .with("place", place.clone())
            .with("found", format!("files:{}={place}", format!("{part:?}").to_lowercase()))),
        Found::Importable { files } => {
            let items: u64 = files.iter().map(|file| file.items).sum();
            Err(Problem::new(Code::ImportFirst).with("place", place).with("found", Fact::from(items)))
        }
        Found::Other { examples, .. } => {
            Err(Problem::new(Code::NothingKnownThere).with("place", place).with("found", examples.join(", ")))
        }
    }
}

fn twice(spec: &StoreSpec) -> Problem {
    Problem::new(Code::StoreTwice).with("spec", spec.to_string())
}
