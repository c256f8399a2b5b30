//! Keyword letters of a Maildir folder: `dovecot-keywords` gives the letters `a` to `z` their names.

use super::disk;
use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

/// The file's name in a Maildir folder.
pub(super) const KEYWORDS_FILE: &str = "dovecot-keywords";
const FILE_BYTES_MAX: u64 = 64 << 10;
const LETTERS: usize = 26;
/// How long to wait for another program that is writing the file.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// A lock this old was left by a program that died (Dovecot's own rule).
const LOCK_STALE: Duration = Duration::from_secs(60);

/// The names of the letters, by letter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Keywords {
    names: Vec<Option<String>>,
}

impl Keywords {
    /// Reads a folder's keywords. No file: no names.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        match disk::read_small(&folder.join(KEYWORDS_FILE), FILE_BYTES_MAX) {
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut names = vec![None; LETTERS];
        for line in String::from_utf8_lossy(bytes).lines() {
            let Some((number, name)) = line.split_once(' ') else { continue };
            if let Some(slot) = number.parse().ok().and_then(|number: usize| names.get_mut(number))
                && !name.is_empty()
            {
                *slot = Some(name.to_owned());
            }
        }
        Self { names }
    }

    /// The keyword behind a letter.
    pub(super) fn name(&self, letter: u8) -> Option<&str> {
        self.names.get(usize::from(letter.checked_sub(b'a')?))?.as_deref()
    }

    /// The letter of a keyword.
    pub(super) fn letter(&self, name: &str) -> Option<u8> {
        let at = self.names.iter().position(|known| known.as_deref() == Some(name))?;
        Some(b'a' + u8::try_from(at).ok()?)
    }

    /// Gives every keyword a letter, in the file too. Names that get none (all 26 taken, line breaks) are left out.
    pub(super) fn ensure<'a>(
        &mut self,
        folder: &Path,
        wanted: impl Iterator<Item = &'a str> + Clone,
    ) -> io::Result<()> {
        let can_be_held = |name: &&str| !name.is_empty() && !name.chars().any(char::is_control);
        let missing = |known: &Self, name: &&str| can_be_held(name) && known.letter(name).is_none();
        if !wanted.clone().any(|name| missing(self, &name)) {
            return Ok(());
        }
        let lock = Lock::take(folder)?;
        // Another program may have added names while we waited.
        *self = Self::read(folder)?;
        self.names.resize(LETTERS, None);
        for name in wanted {
            if missing(self, &name)
                && let Some(slot) = self.names.iter_mut().find(|slot| slot.is_none())
            {
                *slot = Some(name.to_owned());
            }
        }
        let lines = self.names.iter().enumerate().filter_map(|(number, name)| Some((number, name.as_deref()?)));
        let text: String = lines.map(|(number, name)| format!("{number} {name}\n")).collect();
        lock.replace(folder, text.as_bytes())
    }
}

/// Dovecot's lock: the new contents are written into `dovecot-keywords.lock`, which then takes the file's name.
struct Lock {
    file: File,
}

impl Lock {
    fn take(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!("{KEYWORDS_FILE}.lock"));
        let started = Instant::now();
        loop {
            match File::create_new(&path) {
                Ok(file) => return Ok(Self { file }),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Err(error) => {
                    let age = path.symlink_metadata().and_then(|lock| lock.modified()).ok();
                    let age = age.and_then(|since| SystemTime::now().duration_since(since).ok());
                    if age.is_some_and(|age| age > LOCK_STALE) {
                        let _ = std::fs::remove_file(&path);
                    } else if started.elapsed() > LOCK_WAIT {
                        return Err(error);
                    } else {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            }
        }
    }

    fn replace(mut self, folder: &Path, bytes: &[u8]) -> io::Result<()> {
        let path = folder.join(format!("{KEYWORDS_FILE}.lock"));
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_all());
        let replaced = written.and_then(|()| std::fs::rename(&path, folder.join(KEYWORDS_FILE)));
        if replaced.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        replaced
    }
}
