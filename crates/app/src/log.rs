//! The log: a file in the profile's log folder that never outgrows its bound, and standard error on demand.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};
use tracing_subscriber::{
    EnvFilter, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    reload,
    util::SubscriberInitExt as _,
};

/// Says what is logged, like `debug` or `net=trace,info`.
const FILTER_VARIABLE: &str = "TANDEM_LOG";
/// What is logged if nobody says otherwise, and when a person wants it in detail: of our own work, not of what others'
/// crates do.
const USUAL: &str = "info";
const DETAILED: &str =
    "info,app=debug,net=debug,stores=debug,sync=debug,directory=debug,tandem=debug,tandem_desktop=debug";
const FILE_NAME: &str = "tandem.log";
const FILE_BYTES_MAX: u64 = 2 << 20;
const FILES_MAX: usize = 5;

/// Starts the log. Without a folder to write in there is none; that is no reason not to work.
pub fn start(folder: Option<&Path>, verbose: bool) {
    let asked_for = std::env::var(FILTER_VARIABLE).ok().and_then(|text| EnvFilter::try_new(text).ok());
    let is_asked_for = asked_for.is_some();
    let (filter, handle) = reload::Layer::new(asked_for.unwrap_or_else(|| EnvFilter::new(USUAL)));
    let file = folder.and_then(|folder| BoundedFile::open(folder).ok());
    let file = file.map(|file| fmt::layer().with_ansi(false).with_writer(file));
    let aside = verbose.then(|| fmt::layer().with_ansi(false).with_writer(io::stderr));
    // Somebody who started a log before keeps it.
    let is_ours = tracing_subscriber::registry().with(filter).with(file).with(aside).try_init().is_ok();
    if is_ours && !is_asked_for {
        let _ = FILTER.set(handle);
    }
}

/// The filter in use, unless the environment says which.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Says in detail what this computer does, or only what matters, from now on.
pub(crate) fn set_detailed(is_detailed: bool) {
    let Some(handle) = FILTER.get() else { return };
    // The only problem is a log that is gone.
    let _ = handle.reload(EnvFilter::new(if is_detailed { DETAILED } else { USUAL }));
}

/// The last lines that were written, at least as many as one file holds.
#[must_use]
pub fn read_last(folder: &Path) -> String {
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
    let bytes = [read("tandem.1.log"), read(FILE_NAME)].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A file that is put aside as `tandem.1.log`, `tandem.2.log`, … when it is full.
#[derive(Debug)]
struct BoundedFile {
    folder: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: fs::File,
    bytes: u64,
}

impl BoundedFile {
    fn open(folder: &Path) -> io::Result<Self> {
        crate::profile::make_private(folder)?;
        Ok(Self { folder: folder.to_owned(), open: Mutex::new(Open::at(&folder.join(FILE_NAME))?) })
    }

    fn turn_over(&self, open: &mut Open) -> io::Result<()> {
        let numbered = |number: usize| self.folder.join(format!("tandem.{number}.log"));
        for number in (1..FILES_MAX - 1).rev() {
            let _ = fs::rename(numbered(number), numbered(number + 1));
        }
        fs::rename(self.folder.join(FILE_NAME), numbered(1))?;
        *open = Open::at(&self.folder.join(FILE_NAME))?;
        Ok(())
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let mut options = fs::File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes })
    }
}

/// Writes lines while nobody else does.
#[derive(Debug)]
pub struct Line<'a> {
    of: &'a BoundedFile,
    open: MutexGuard<'a, Open>,
}

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.bytes + bytes.len() as u64 > FILE_BYTES_MAX {
            self.of.turn_over(&mut self.open)?;
        }
        let written = self.open.file.write(bytes)?;
        self.open.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open.file.flush()
    }
}

impl<'a> MakeWriter<'a> for BoundedFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { of: self, open: self.open.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use io::Write as _;

    #[test]
    fn the_log_never_outgrows_its_bound_and_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let log = BoundedFile::open(folder.path()).unwrap();
        let block = vec![b'x'; 1 << 20];
        for number in 0..20 {
            let mut line = log.make_writer();
            line.write_all(&block).unwrap();
            line.write_all(format!("\n{number}\n").as_bytes()).unwrap();
        }
        let files: Vec<u64> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(files.len(), FILES_MAX);
        assert!(files.iter().all(|bytes| *bytes <= FILE_BYTES_MAX), "{files:?}");
        assert!(fs::read_to_string(folder.path().join(FILE_NAME)).unwrap().ends_with("\n19\n"));
    }

    #[test]
    fn a_log_in_detail_says_more_from_then_on_and_less_again() {
        let folder = tempfile::tempdir().unwrap();
        start(Some(folder.path()), false);
        let said = |text: &str| fs::read_to_string(folder.path().join(FILE_NAME)).unwrap().contains(text);
        tracing::debug!("a detail before");
        set_detailed(true);
        tracing::debug!("a detail now");
        tracing::debug!(target: "quinn", "somebody else's detail");
        set_detailed(false);
        tracing::debug!("a detail after");
        assert!(said("a detail now"));
        for other in ["a detail before", "a detail after", "somebody else's detail"] {
            assert!(!said(other), "{other}");
        }
    }

    #[test]
    fn a_restart_goes_on_in_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["first\n", "second\n"] {
            BoundedFile::open(folder.path()).unwrap().make_writer().write_all(text.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(folder.path().join(FILE_NAME)).unwrap(), "first\nsecond\n");
    }
}
