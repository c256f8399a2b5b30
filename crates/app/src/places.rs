//! Where data may lie on this computer: what a folder holds, the usual folders, bringing data files into a store and
//! writing them.

use crate::{
    engine::view::kind_name,
    located::Located,
    message::{Code, Problem, Result},
    settings::StoreSpec,
};
use pim::FolderKind;
use serde::Serialize;
use std::{
    env,
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};
pub use stores::import::Exported;
use stores::{
    FolderId, FolderInfo, Store, StoreError,
    files::{self, FilesSpec, Part, Surveyed},
    import::{ExportError, ImportError, Into, Reason, Report, SourceError},
    memory::{MemoryOptions, MemoryStore},
};
use tempfile::TempDir;

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

/// Where an import goes, or an export comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// As it is named on the command line and in the settings: one place, or several.
    pub stores: Vec<String>,
    /// A folder of it, as `kind/name/name`; without: folders named after the file.
    pub folder: Option<String>,
}

impl Destination {
    /// Reads `files:PATH`, or a folder (`mail/Old`) of the store that is set up.
    pub fn parse(text: Option<&str>, set_up: &[StoreSpec]) -> Result<Self> {
        let own = || match set_up {
            [] => Err(Problem::new(Code::NotSetUp)),
            set_up => Ok(set_up.iter().map(ToString::to_string).collect()),
        };
        Ok(match text {
            None => Self { stores: own()?, folder: None },
            Some(text) if text.parse::<StoreSpec>().is_ok() => Self { stores: vec![text.to_owned()], folder: None },
            Some(folder) => Self { stores: own()?, folder: Some(folder.to_owned()) },
        })
    }
}

/// What an import did, or would do.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Items added.
    pub added: u64,
    /// Items that were there already.
    pub present: u64,
    /// The same by folder.
    pub folders: Vec<ImportedFolder>,
    /// What programs keep for themselves, and what was deleted: not brought in.
    pub left_out: u64,
    /// One of the files asks for a password in Outlook. It was read without.
    pub has_password: bool,
    /// Things that couldn't be brought in; at most 1,000 a file of them are named in `refused`.
    pub refused_count: u64,
    /// Files, and things in files, that couldn't be taken, and why.
    #[serde(skip)]
    pub refused: Vec<(String, Problem)>,
}

/// What an import did in one folder.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportedFolder {
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: &'static str,
    /// Its name, with the kind and the folders above it: `mail/archive/Inbox`.
    pub path: String,
    /// Items added.
    pub added: u64,
    /// Items that were there already.
    pub present: u64,
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
    const IN_HOME: [&str; 11] = [
        "Tandem",
        "Maildir",
        "Mail",
        ".mail",
        ".maildir",
        // "On this computer" in Evolution.
        ".local/share/evolution/mail/local",
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

/// The Outlook that is running.
#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// What it is, and what is open in it.
    #[serde(flatten)]
    pub found: stores::outlook::Found,
    /// Folders of its default store.
    pub folders: Vec<CountedFolder>,
}

/// The store that is the default one of Outlook's profile.
pub(crate) const OUTLOOK: &str = "outlook:";

/// The Outlook of this computer; `None` where there can be none.
#[must_use]
pub fn outlook() -> Option<Result<Outlook>> {
    let found = match look_at_outlook()? {
        Ok(found) => found,
        Err(error) => return Some(Err(Problem::with_store(error, OUTLOOK))),
    };
    let folders = survey_outlook("").map_or_else(|_| Vec::new(), |folders| folders.into_iter().map(counted).collect());
    Some(Ok(Outlook { found, folders }))
}

/// What is open in the Outlook of this computer; `None` where there can be none.
pub(crate) fn look_at_outlook() -> Option<std::result::Result<stores::outlook::Found, StoreError>> {
    #[cfg(windows)]
    return Some(
        stores::outlook::look_here().map_err(|state| StoreError::Program { program: stores::Program::Outlook, state }),
    );
    #[cfg(not(windows))]
    None
}

/// Every folder of a store of Outlook's by its name, or of its default store.
pub(crate) fn survey_outlook(name: &str) -> std::result::Result<Vec<Surveyed>, StoreError> {
    #[cfg(windows)]
    return stores::outlook::survey_here(Some(name.to_owned()).filter(|name| !name.is_empty()));
    #[cfg(not(windows))]
    {
        let _ = name;
        Err(StoreError::Program { program: stores::Program::Outlook, state: stores::ProgramState::Missing })
    }
}

fn counted(one: Surveyed) -> CountedFolder {
    CountedFolder {
        kind: kind_name(one.folder.kind),
        name: one.folder.name,
        items: one.count.ok().map(|count| count.items),
    }
}

/// What Evolution Data Server keeps on this computer.
#[derive(Clone, Debug, Serialize)]
pub struct Evolution {
    /// How to name it as a store.
    pub store: &'static str,
    /// Its address books, calendars, task and memo lists.
    pub folders: Vec<CountedFolder>,
}

/// A folder of a program: a mailbox, an address book, a calendar, or a list.
#[derive(Clone, Debug, Serialize)]
pub struct CountedFolder {
    /// `mail`, `contacts`, `calendar`, `tasks` or `notes`.
    pub kind: &'static str,
    /// What people call it.
    pub name: String,
    /// Items in it; `null` if they can't be counted.
    pub items: Option<u64>,
}

/// The store that Evolution Data Server is.
pub(crate) const EVOLUTION: &str = "eds:";

/// What Evolution Data Server keeps here; `None` where there is none, or nobody uses it.
#[must_use]
pub fn evolution() -> Option<Result<Evolution>> {
    let surveyed = match survey_evolution("")? {
        Ok(surveyed) => surveyed,
        Err(error) => return Some(Err(Problem::with_store(error, EVOLUTION))),
    };
    Some(Ok(Evolution { store: EVOLUTION, folders: surveyed.into_iter().map(counted).collect() }))
}

/// Every folder of Evolution Data Server on the bus at an address, or the session's.
pub(crate) fn survey_evolution(address: &str) -> Option<std::result::Result<Vec<Surveyed>, StoreError>> {
    #[cfg(target_os = "linux")]
    return stores::eds::survey(Some(address).filter(|address| !address.is_empty()));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = address;
        None
    }
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

/// Brings the items of data files into a store, which is made if it isn't there yet; with `is_preview` only says what it
/// would do. `progress` is told how much of the files is read, in bytes.
pub fn import(
    into: &Destination,
    files: &[PathBuf],
    is_preview: bool,
    progress: impl Fn(u64, u64),
) -> Result<Imported> {
    let mut opened = open_store(&into.stores, is_preview)?;
    let store = &mut *opened.store;
    let folder = into.folder.as_deref().map(|path| folder_at(store, path)).transpose()?;
    let size = |file: &PathBuf| file.metadata().map_or(0, |metadata| metadata.len());
    let total: u64 = files.iter().map(size).sum();
    let mut imported = Imported::default();
    let mut before = 0;
    for file in files {
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let target = match &folder {
            Some((folder, _)) => Into::Folder(folder.clone(), name),
            None => Into::Named(name),
        };
        match stores::import::import(store, file, target, is_preview, |done| progress(before + done, total)) {
            Ok(report) => imported.take(file, report),
            Err(ImportError::Store(error)) => return Err(Problem::with_store(error, &opened.place)),
            Err(ImportError::Source(error)) => {
                imported.refused_count += 1;
                imported.refused.push((file.display().to_string(), with_source(error, file)));
            }
        }
        before += size(file);
    }
    Ok(imported)
}

/// Writes a folder of a store into a file: `.mbox` for mail, `.vcf` for contacts, `.ics` for the rest. A file that is there
/// already is not touched.
pub fn export(from: &Destination, to: &Path) -> Result<Exported> {
    let mut opened = open_store(&from.stores, false)?;
    let store = &mut *opened.store;
    let path = from.folder.as_deref().unwrap_or_default();
    let (folder, kind) = folder_at(store, path)?;
    let fits = match kind {
        FolderKind::Mail => "mbox",
        FolderKind::Contacts => "vcf",
        FolderKind::Calendar | FolderKind::Tasks | FolderKind::Notes => "ics",
    };
    let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !ending.eq_ignore_ascii_case(fits) {
        let reason = format!("{path} can be written into a file that ends in .{fits}");
        return Err(Problem::new(Code::NotUnderstood).with("reason", reason));
    }
    let not_writable = || Problem::new(Code::FileNotWritable).with("file", to);
    let file = File::create_new(to).map_err(|error| not_writable().because(error))?;
    let exported = stores::import::export(store, &folder, kind, BufWriter::new(&file));
    exported
        .and_then(|exported| file.sync_all().map(|()| exported).map_err(ExportError::Io))
        .inspect_err(|_| drop(std::fs::remove_file(to)))
        .map_err(|error| match error {
            ExportError::Store(error) => Problem::with_store(error, &opened.place),
            ExportError::Io(error) => not_writable().because(error),
        })
}

impl Imported {
    fn take(&mut self, file: &Path, report: Report) {
        self.added += report.added();
        self.present += report.present();
        self.left_out += report.left_out;
        self.has_password |= report.about.has_password;
        self.refused_count += report.skipped_count;
        for folder in report.folders {
            let kind = kind_name(folder.kind);
            let path = [&[kind.to_owned()][..], &folder.path].concat().join("/");
            match self.folders.iter_mut().find(|known| known.path == path) {
                Some(known) => {
                    known.added += folder.added;
                    known.present += folder.present;
                }
                None => {
                    self.folders.push(ImportedFolder { kind, path, added: folder.added, present: folder.present });
                }
            }
        }
        for skipped in report.skipped {
            let place = [&[file.display().to_string()][..], &skipped.path].concat().join("/");
            let name = if skipped.title.is_empty() { place.clone() } else { format!("{place}: {}", skipped.title) };
            let problem = match skipped.reason {
                Reason::Damaged => Problem::new(Code::DataFileDamaged).with("file", &*name),
                Reason::TooLarge => Problem::new(Code::ItemTooLarge).with("name", &*name),
                Reason::Store(error) => Problem::with_store(error, &name),
            };
            self.refused.push((name, problem));
        }
        if report.about.missing_parts > 0 {
            self.refused_count += 1;
            let name = file.display().to_string();
            self.refused.push((name.clone(), Problem::new(Code::DataFileDamaged).with("file", name)));
        }
    }
}

fn with_source(error: SourceError, file: &Path) -> Problem {
    match error {
        SourceError::Unknown => Problem::new(Code::NotADataFile).with("file", file),
        SourceError::Version { version } => {
            Problem::new(Code::DataFileVersion).with("file", file).with("version", u64::from(version))
        }
        SourceError::Damaged => Problem::new(Code::DataFileDamaged).with("file", file),
        SourceError::TooLarge => {
            Problem::new(Code::ItemTooLarge).with("name", file).with("max_bytes", stores::Payload::SIZE_MAX)
        }
        SourceError::Io(error) if stores::files::is_in_use(&error) => {
            let is_outlooks = file
                .extension()
                .is_some_and(|ending| ["pst", "ost"].iter().any(|outlooks| ending.eq_ignore_ascii_case(outlooks)));
            Problem::new(Code::DataInUse).with("program", if is_outlooks { "Outlook" } else { "other" })
        }
        SourceError::Io(error) => Problem::new(Code::FileNotReadable).with("file", file).because(error),
    }
}

/// A store for one task.
struct Opened {
    store: Box<dyn Store>,
    /// What people call it.
    place: String,
    /// Where what is written waits, until the task is done.
    _staging: Option<TempDir>,
}

/// Opens one or several stores, and makes the layout of folders where nothing is yet. A preview makes nothing: what isn't there
/// is empty.
fn open_store(stores: &[String], is_preview: bool) -> Result<Opened> {
    let specs = stores.iter().map(|store| absolute(store)?.parse().map_err(|_| unknown(store)));
    let specs: Vec<StoreSpec> = specs.collect::<Result<_>>()?;
    let mut is_missing = false;
    for (spec, store) in specs.iter().zip(stores).filter(|(spec, _)| spec.connector == "files") {
        let files = FilesSpec::parse(&spec.to_string()).map_err(|error| unknown(store).because(error))?;
        let in_store = |error: StoreError| Problem::with_store(error, store);
        match files.root().map(files::detect).transpose().map_err(in_store)? {
            Some(files::Found::Part { .. } | files::Found::Importable { .. } | files::Found::Other { .. }) => {
                let found = look(files.root().unwrap_or(Path::new(store)))?.store.unwrap_or_else(|| "–".to_owned());
                return Err(Problem::new(Code::NothingKnownThere).with("place", &**store).with("found", found));
            }
            Some(files::Found::Missing | files::Found::Empty) if is_preview => is_missing = true,
            _ if is_preview => {}
            _ => files::prepare(&files).map_err(in_store)?,
        }
    }
    if is_missing {
        let (mut empty, _) = MemoryStore::new(MemoryOptions::default());
        empty.open().map_err(|error| Problem::with_store(error, ""))?;
        return Ok(Opened { store: Box::new(empty), place: String::new(), _staging: None });
    }
    let folder = env::temp_dir();
    let staging = TempDir::with_prefix_in("tandem-", &folder)
        .map_err(|error| Problem::new(Code::FileNotWritable).with("file", &*folder).because(error))?;
    let located = Located::find(&specs, staging.path())?;
    let (mut store, place) = (located.store(None), located.place());
    store.open().map_err(|error| Problem::with_store(error, &place))?;
    Ok(Opened { store, place, _staging: Some(staging) })
}

/// The folder named `kind/name/name`.
fn folder_at(store: &mut dyn Store, path: &str) -> Result<(FolderId, FolderKind)> {
    let folders = store.folders().map_err(|error| Problem::with_store(error, path))?;
    let named = |folder: &FolderInfo| {
        let mut names = vec![folder.name.as_str()];
        let mut above = folder.parent.as_ref();
        // A ring of folders is no way up.
        while let Some(parent) = above.and_then(|id| folders.iter().find(|other| other.id == *id))
            && names.len() <= folders.len()
        {
            names.push(&parent.name);
            above = parent.parent.as_ref();
        }
        names.push(kind_name(folder.kind));
        names.reverse();
        names.join("/")
    };
    let found = folders.iter().find(|folder| named(folder) == path);
    let found = found.map(|folder| (folder.id.clone(), folder.kind));
    found.ok_or_else(|| Problem::new(Code::NoSuchFolder).with("folder", path))
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
        let into = Destination { stores: vec![format!("files:{}", home.path().join("Data").display())], folder: None };
        let files = [book.clone(), missing.clone()];
        let preview = import(&into, &files, true, |_, _| {}).unwrap();
        assert_eq!((preview.added, home.path().join("Data").exists()), (2, false));
        let done = import(&into, &files, false, |_, _| {}).unwrap();
        let folder = ImportedFolder { kind: "contacts", path: "contacts/book".to_owned(), added: 2, present: 0 };
        assert_eq!(done.folders, [folder]);
        assert_eq!(done.refused.len(), 1);
        assert_eq!(
            (&*done.refused[0].0, done.refused[0].1.code),
            (&*missing.display().to_string(), Code::FileNotReadable)
        );
        let again = import(&into, &[book], false, |_, _| {}).unwrap();
        assert_eq!((again.added, again.present), (0, 2));
    }

    #[test]
    fn a_folder_is_written_into_a_file_that_fits_and_none_is_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let book = home.path().join("book.vcf");
        fs::write(&book, CARD).unwrap();
        let stores = vec![format!("files:{}", home.path().join("Data").display())];
        import(&Destination { stores: stores.clone(), folder: None }, &[book], false, |_, _| {}).unwrap();
        let from = Destination { stores, folder: Some("contacts/book".to_owned()) };
        let to = home.path().join("out.vcf");
        assert_eq!(export(&from, &to).unwrap().items, 1);
        assert_eq!(fs::read_to_string(&to).unwrap(), CARD);
        assert_eq!(export(&from, &to).unwrap_err().code, Code::FileNotWritable);
        assert_eq!(export(&from, &home.path().join("out.ics")).unwrap_err().code, Code::NotUnderstood);
        let nowhere = Destination { folder: Some("mail/Nowhere".to_owned()), ..from };
        assert_eq!(export(&nowhere, &home.path().join("o.mbox")).unwrap_err().code, Code::NoSuchFolder);
    }

    #[test]
    fn a_destination_is_a_store_or_a_folder_of_the_one_set_up() {
        let set_up = ["files:/d".parse().unwrap()];
        let read = |text| Destination::parse(text, &set_up).unwrap();
        assert_eq!(read(None), Destination { stores: vec!["files:/d".to_owned()], folder: None });
        assert_eq!(read(Some("files:/e")).stores, ["files:/e"]);
        assert_eq!(read(Some("mail/Old")).folder.as_deref(), Some("mail/Old"));
        assert_eq!(Destination::parse(Some("mail/Old"), &[]).unwrap_err().code, Code::NotSetUp);
    }
}
