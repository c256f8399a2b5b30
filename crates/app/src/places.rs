//! Where data may lie on this computer: what a folder holds, the usual folders, and bringing loose files into a store.

use crate::{
    message::{Code, Problem, Result},
    settings::StoreSpec,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};
use stores::{
    Store as _, StoreError,
    files::{self, FilesSpec, FilesStore, Part},
};

/// A folder, and what it holds.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// Where.
    pub path: PathBuf,
    /// What was found there.
    #[serde(flatten)]
    pub found: Found,
    /// How to name it as a store, if it can be one as it is.
    pub store: Option<String>,
}

/// What a folder holds.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "found", rename_all = "camelCase")]
pub enum Found {
    /// There is no such folder; it can be made.
    Missing,
    /// Nothing.
    Empty,
    /// These parts of the layout.
    Layout {
        /// `mail`, `contacts`, `calendars`, `tasks`, `notes`.
        parts: Vec<&'static str>,
    },
    /// It is itself one part: a Maildir, an address book, a calendar.
    Part {
        /// Which.
        part: &'static str,
    },
    /// Loose files that have to be imported.
    Importable {
        /// The files.
        files: Vec<PathBuf>,
        /// Items in them.
        items: u64,
    },
    /// Something else.
    Other {
        /// A few names.
        examples: Vec<String>,
        /// How many names there are.
        names: u64,
    },
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// Items added, by part.
    pub added: BTreeMap<&'static str, u64>,
    /// Items that were there already.
    pub present: u64,
    /// Files that couldn't be taken in whole, and why.
    pub refused: Vec<(PathBuf, Problem)>,
}

/// Looks what a folder holds. Nothing is written.
pub fn look(path: &Path) -> Result<Place> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = files::detect(&path).map_err(|error| Problem::with_store(error, &path.display().to_string()))?;
    let store = match &found {
        files::Found::Missing | files::Found::Empty | files::Found::Layout { .. } => {
            Some(format!("files:{}", path.display()))
        }
        files::Found::Part { part } => Some(format!("files:{}={}", part.name(), path.display())),
        files::Found::Importable { .. } | files::Found::Other { .. } => None,
    };
    Ok(Place { path, found: found.into(), store })
}

/// The usual folders of this user that hold something.
#[must_use]
pub fn usual() -> Vec<Place> {
    const IN_HOME: [&str; 10] = [
        "Tandem",
        "Maildir",
        "Mail",
        ".mail",
        ".maildir",
        ".contacts",
        ".calendars",
        ".local/share/contacts",
        ".local/share/calendars",
        ".local/share/khal/calendars",
    ];
    let home = env::home_dir();
    let places = IN_HOME.iter().filter_map(|below| look(&home.as_ref()?.join(below)).ok());
    places
        .filter(|place| matches!(place.found, Found::Layout { .. } | Found::Part { .. } | Found::Importable { .. }))
        .collect()
}

/// Makes the paths of a store absolute, so that it stays the same one wherever Tandem is started.
pub fn absolute(store: &str) -> Result<String> {
    let spec: StoreSpec = store.parse().map_err(|_| unknown(store))?;
    if spec.connector != "files" {
        return Ok(store.to_owned());
    }
    let files = FilesSpec::parse(store).map_err(|error| unknown(store).because(error))?;
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let root = files.root().map(absolute);
    let is_elsewhere = |part: &Part| files.part(*part) != files.root().map(|root| root.join(part.name()));
    let elsewhere = Part::ALL.into_iter().filter(is_elsewhere).map(|part| {
        let place = files.part(part).map(|place| absolute(&place)).unwrap_or_default();
        format!("{}={place}", part.name())
    });
    Ok(format!("files:{}", root.into_iter().chain(elsewhere).collect::<Vec<_>>().join(",")))
}

/// Brings the items of loose files into a store, which is made if it isn't there yet.
pub fn import(store: &str, loose: &[PathBuf]) -> Result<Imported> {
    let absolute = absolute(store)?;
    let spec = FilesSpec::parse(&absolute).map_err(|error| unknown(store).because(error))?;
    let in_store = |error: StoreError| Problem::with_store(error, store);
    match spec.root().map(files::detect).transpose().map_err(in_store)? {
        Some(files::Found::Part { .. } | files::Found::Importable { .. } | files::Found::Other { .. }) => {
            let found = look(spec.root().unwrap_or(Path::new(store)))?.store.unwrap_or_else(|| "–".to_owned());
            return Err(Problem::new(Code::NothingKnownThere).with("place", store).with("found", found));
        }
        _ => files::prepare(&spec).map_err(in_store)?,
    }
    let mut store_there = FilesStore::open_at(spec);
    store_there.open().map_err(in_store)?;
    let done = files::import(&mut store_there, loose).map_err(in_store)?;
    let refused = done.refused.into_iter().map(|(file, error)| {
        let problem = match error {
            StoreError::NotFound => Problem::new(Code::FileNotReadable).with("file", file.as_path()),
            error => Problem::with_store(error, &file.display().to_string()),
        };
        (file, problem)
    });
    Ok(Imported {
        added: done.added.into_iter().map(|(part, count)| (part.name(), count)).collect(),
        present: done.present,
        refused: refused.collect(),
    })
}

fn unknown(store: &str) -> Problem {
    Problem::new(Code::StoreUnknown).with("spec", store)
}

impl From<files::Found> for Found {
    fn from(found: files::Found) -> Self {
        match found {
            files::Found::Missing => Self::Missing,
            files::Found::Empty => Self::Empty,
            files::Found::Layout { parts } => Self::Layout { parts: parts.into_iter().map(Part::name).collect() },
            files::Found::Part { part } => Self::Part { part: part.name() },
            files::Found::Importable { files } => Self::Importable {
                items: files.iter().map(|file| file.items).sum(),
                files: files.into_iter().map(|file| file.path).collect(),
            },
            files::Found::Other { examples, names } => Self::Other { examples, names },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna\r\nN:;Anna;;;\r\nEND:VCARD\r\n";

    #[test]
    fn a_place_says_how_to_name_it_as_a_store() {
        let home = tempfile::tempdir().unwrap();
        let place = look(home.path()).unwrap();
        assert!(matches!(place.found, Found::Empty));
        assert_eq!(place.store, Some(format!("files:{}", home.path().display())));
        for below in ["cur", "new", "tmp"] {
            fs::create_dir(home.path().join(below)).unwrap();
        }
        let place = look(home.path()).unwrap();
        assert!(matches!(place.found, Found::Part { part: "mail" }));
        assert_eq!(place.store, Some(format!("files:mail={}", home.path().display())));
    }

    #[test]
    fn a_store_keeps_its_meaning_when_its_paths_become_absolute() {
        let here = env::current_dir().unwrap().display().to_string();
        assert_eq!(absolute("files:Data").unwrap(), format!("files:{here}/Data"));
        assert_eq!(absolute("files:/d,mail=m,notes=").unwrap(), format!("files:/d,mail={here}/m,notes="));
        assert_eq!(absolute("files:contacts=c").unwrap(), format!("files:contacts={here}/c"));
        assert_eq!(absolute("/d").unwrap_err().code, Code::StoreUnknown);
        assert_eq!(absolute("files:").unwrap_err().code, Code::StoreUnknown);
    }

    #[test]
    fn importing_twice_adds_once_and_a_missing_file_is_named() {
        let home = tempfile::tempdir().unwrap();
        let (book, missing) = (home.path().join("book.vcf"), home.path().join("gone.ics"));
        fs::write(&book, CARD.repeat(2).replacen("Anna", "Bert", 2).replacen("UID:a", "UID:b", 1)).unwrap();
        let store = format!("files:{}", home.path().join("Data").display());
        let done = import(&store, &[book.clone(), missing.clone()]).unwrap();
        assert_eq!(done.added, BTreeMap::from([("contacts", 2)]));
        assert_eq!(done.refused.len(), 1);
        assert_eq!((&done.refused[0].0, done.refused[0].1.code), (&missing, Code::FileNotReadable));
        let again = import(&store, &[book]).unwrap();
        assert_eq!((again.added.len(), again.present), (0, 2));
    }
}
