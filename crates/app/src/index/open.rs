//! Opening the file: is it there, ours, sound, of a version we know? And the weekly copy.
//!
//! The whole file is checked after a crash, once a day, and whenever reading it showed damage before. A damaged file isn't
//! repaired: what it says of bases and sequence numbers could be wrong anywhere, and a wrong base deletes mail. It is moved
//! aside, and the weekly copy takes its place: an old index, which both sides find out about and compare everything. Where
//! there is no copy, a new one is begun. What was not about items comes along as far as it can be read: devices and tickets.

use super::{
    Device, Fault, Index, Shared, Ticket, hub,
    names::Names,
    replica,
    schema::{self, APPLICATION_ID, VERSION},
};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    cell::{Cell, RefCell},
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};
use sync::{
    index::{IndexError, Result},
    model::{Epoch, ReplicaId},
};

/// An open index and what was found.
#[derive(Debug)]
pub struct Opened {
    /// The index.
    pub index: Index,
    /// What was found.
    pub found: Found,
}

/// What was found where the index should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// The index.
    Sound,
    /// Nothing. A new index was begun, with a new replica id and a new epoch.
    Nothing,
    /// A damaged index. It was moved aside, and the weekly copy taken up or a new one begun.
    Damaged {
        /// Where the damaged one lies now.
        moved_to: PathBuf,
    },
}

/// Why the index can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer program wrote it. Update this one.
    #[error("the index was written by a newer version of the program")]
    Newer {
        /// The file's version.
        found: i32,
        /// The newest version we know.
        known: i32,
    },
    /// It is another program's file. Move it elsewhere.
    #[error("the file belongs to another program")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder can't be used.
    #[error("the index can't be opened")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite can't use it, and not because it is damaged.
    #[error("the index can't be used")]
    Index(#[from] IndexError),
}

const DAY_SECS: u64 = 24 * 60 * 60;
/// More damaged files than these aren't kept.
const DAMAGED_MAX: u32 = 3;
/// Where their numbers end; the last one is written over.
const NUMBERS_MAX: u32 = 1000;
const CHECKED_AT: &str = "index.checked-at";
const COPIED_AT: &str = "index.copied-at";

impl Index {
    /// Opens the index at `path`, or begins one. The caller holds the profile's lock.
    pub fn open(path: &Path, now_secs: u64) -> std::result::Result<Opened, OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        let is_there = path.try_exists().map_err(io)?;
        if is_there && !suspicion(path).exists() {
            match Self::open_sound(path, now_secs) {
                Ok(index) => {
                    let found = if index.begin_life()? { Found::Nothing } else { Found::Sound };
                    return Ok(Opened { index, found });
                }
                Err(NotSound::Damaged) => fs::write(suspicion(path), "").map_err(io)?,
                Err(NotSound::Error(error)) => return Err(error),
            }
        }
        let moved_to = if is_there { Some(move_aside(path).map_err(io)?) } else { None };
        // What a crash may have left beside a file that is gone must not flow into the new one.
        for name in beside(path) {
            remove_if_there(&name).map_err(io)?;
        }
        let restored = if moved_to.is_some() { Self::restore_copy(path, now_secs).map_err(io)? } else { None };
        let index = match restored.map_or_else(|| Self::open_sound(path, now_secs), Ok) {
            Ok(index) => index,
            Err(NotSound::Error(error)) => return Err(error),
            Err(NotSound::Damaged) => return Err(io(io::ErrorKind::InvalidData.into())),
        };
        index.begin_life()?;
        let Some(moved_to) = moved_to else { return Ok(Opened { index, found: Found::Nothing }) };
        let (devices, tickets) = rescue(&moved_to);
        index.group(|index| {
            devices.iter().try_for_each(|device| index.put_device(device))?;
            tickets.iter().try_for_each(|ticket| index.put_ticket(ticket))
        })?;
        remove_if_there(&suspicion(path)).map_err(io)?;
        Ok(Opened { index, found: Found::Damaged { moved_to } })
    }

    /// Puts the weekly copy in the place of a damaged index, if there is a sound one. It knows the history, tombstones and
    /// choices of people; that it isn't the newest is found out with the other side, as with every index from a backup.
    fn restore_copy(path: &Path, now_secs: u64) -> io::Result<Option<Self>> {
        let unfinished = with_suffix(path, ".part");
        match fs::copy(Self::copy_of(path), &unfinished) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            copied => drop(copied?),
        }
        fs::File::options().write(true).open(&unfinished).and_then(|file| file.sync_all())?;
        fs::rename(&unfinished, path)?;
        // What was begun when the copy was made is over, one way or the other: reading the store tells.
        let index = Self::open_sound(path, now_secs).ok();
        let index = index.filter(|index| index.0.run("DELETE FROM intents", ()).is_ok());
        if index.is_none() {
            for name in beside(path).into_iter().chain([path.to_owned()]) {
                remove_if_there(&name)?;
            }
        }
        Ok(index)
    }

    fn open_sound(path: &Path, now_secs: u64) -> std::result::Result<Self, NotSound> {
        // A journal that is still there tells of a crash: an orderly end takes it away.
        let [wal, _] = beside(path);
        let was_cut = fs::metadata(&wal).is_ok_and(|wal| wal.len() > 0);
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        configure(&connection)?;
        let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master", (), |row| row.get(0))?;
        if application != APPLICATION_ID && (tables, version) != (0, 0) {
            return Err(NotSound::Error(OpenError::Foreign { path: path.to_owned() }));
        }
        if version > VERSION {
            return Err(NotSound::Error(OpenError::Newer { found: version, known: VERSION }));
        }
        if version > 0 {
            check(&connection, was_cut, now_secs)?;
        }
        schema::migrate(&connection, version)?;
        if version == 0 {
            note_time(&connection, CHECKED_AT, now_secs)?;
        }
        let (groups, names) = (Cell::new(0), RefCell::new(Names::default()));
        Ok(Self(Rc::new(Shared { connection, path: path.to_owned(), groups, names })))
    }

    /// Gives a new index its ids; whether it was one.
    fn begin_life(&self) -> Result<bool> {
        if self.value(replica::REPLICA)?.is_some() {
            return Ok(false);
        }
        self.group(|index| {
            index.set_json_value(replica::REPLICA, &ReplicaId(random()?))?;
            index.set_json_value(hub::EPOCH, &Epoch(random()?))
        })?;
        Ok(true)
    }

    /// Where the copy of an index lies.
    #[must_use]
    pub fn copy_of(path: &Path) -> PathBuf {
        with_suffix(path, ".copy")
    }

    /// Whether a week has passed since the last copy; the first is due after a day.
    pub fn is_copy_due(&self, now_secs: u64) -> Result<bool> {
        let Some(copied_at) = self.json_value::<u64>(COPIED_AT)? else {
            self.set_json_value(COPIED_AT, &now_secs.saturating_sub(6 * DAY_SECS))?;
            return Ok(false);
        };
        // A clock that was set back doesn't put the copy off for ever.
        Ok(now_secs.abs_diff(copied_at) >= 7 * DAY_SECS)
    }

    /// Writes a whole, compact copy of the index; a copy that was there is replaced when the new one is complete. An index
    /// that is restored from it is an old one: the hub tells it so, and both sides compare everything.
    pub fn copy(&self, now_secs: u64) -> std::result::Result<(), OpenError> {
        let to = &Self::copy_of(&self.0.path);
        let io = |source| OpenError::Io { path: to.clone(), source };
        let unfinished = with_suffix(to, ".part");
        remove_if_there(&unfinished).map_err(io)?;
        let name = unfinished.to_str().ok_or_else(|| io(io::ErrorKind::InvalidFilename.into()))?;
        self.0.run("VACUUM INTO ?1", [name]).inspect_err(|_| drop(remove_if_there(&unfinished)))?;
        fs::File::options().write(true).open(&unfinished).and_then(|file| file.sync_all()).map_err(io)?;
        fs::rename(&unfinished, to).map_err(io)?;
        self.set_json_value(COPIED_AT, &now_secs)?;
        Ok(())
    }
}

enum NotSound {
    Damaged,
    Error(OpenError),
}

impl From<rusqlite::Error> for NotSound {
    fn from(error: rusqlite::Error) -> Self {
        let fault = Fault::Sql(error);
        if fault.is_damage() { Self::Damaged } else { Self::Error(OpenError::Index(fault.into())) }
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    // Without this promise, a statement that could use a partial index is planned anew for each value it is given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Nothing a damaged or planted file says is taken for code.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // The profile has one owner, so the file has too; and no memory is shared beside it.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Each commit is on the disk before anybody is told.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // In KiB, and pages: enough for a first copy, little enough to idle with.
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "wal_autocheckpoint", 8192)?;
    connection.pragma_update(None, "journal_size_limit", 16 << 20)
}

/// Reads the whole file if that is due.
fn check(connection: &Connection, was_cut: bool, now_secs: u64) -> std::result::Result<(), NotSound> {
    let sql = "SELECT CAST(value AS TEXT) FROM state WHERE name = ?1";
    let checked_at = connection.query_row(sql, [CHECKED_AT], |row| row.get::<_, String>(0));
    let checked_at: u64 = checked_at.ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    if !was_cut && now_secs.abs_diff(checked_at) < DAY_SECS {
        return Ok(());
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if said != "ok" {
        return Err(NotSound::Damaged);
    }
    Ok(note_time(connection, CHECKED_AT, now_secs)?)
}

fn note_time(connection: &Connection, name: &str, now_secs: u64) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)";
    connection.execute(sql, (name, now_secs.to_string().into_bytes()))?;
    Ok(())
}

/// Moves a damaged file aside, with what lies beside it; where to. It may be cut anywhere: the suspicion is noted before
/// and stays until the new index is begun.
fn move_aside(path: &Path) -> io::Result<PathBuf> {
    let place = |number: u32| {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".damaged-{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    };
    // The newest ones are kept, so the numbers may begin anywhere.
    let used = |number: &u32| place(*number).exists();
    let first = (1..NUMBERS_MAX).find(used).unwrap_or(1);
    let last = (first..NUMBERS_MAX).find(|number| !used(number)).unwrap_or(NUMBERS_MAX);
    let to = place(last);
    // The journals go first: beside another file, they would be taken for its own.
    for (from, to) in beside(path).iter().zip(beside(&to)) {
        match fs::rename(from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &to)?;
    if let Some(old) = last.checked_sub(DAMAGED_MAX) {
        for name in beside(&place(old)).into_iter().chain([place(old)]) {
            remove_if_there(&name)?;
        }
    }
    Ok(to)
}

/// What can still be read of devices and tickets. A removed device that can't be read is a stranger, who needs the
/// password and the owner's consent to be added like anyone else.
fn rescue(damaged: &Path) -> (Vec<Device>, Vec<Ticket>) {
    let read = || -> std::result::Result<_, NotSound> {
        let connection = Connection::open(damaged)?;
        configure(&connection)?;
        let (groups, names) = (Cell::new(0), RefCell::new(Names::default()));
        let index = Index(Rc::new(Shared { connection, path: damaged.to_owned(), groups, names }));
        Ok((index.devices().unwrap_or_default(), index.tickets().unwrap_or_default()))
    };
    let rescued = read().unwrap_or_default();
    let _ = remove_if_there(&suspicion(damaged));
    rescued
}

/// Its presence says that the index was found damaged.
pub(super) fn suspicion(path: &Path) -> PathBuf {
    with_suffix(path, ".suspect")
}

/// SQLite's own files beside the index.
fn beside(path: &Path) -> [PathBuf; 2] {
    [with_suffix(path, "-wal"), with_suffix(path, "-shm")]
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn random() -> Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| IndexError { reason: error.to_string() })?;
    Ok(bytes)
}
