//! Secrets in a file with mode 0600, for computers without a password store and for servers nobody logs in to.

use super::{SecretError, SecretName, SecretStore, StoreKind};
use crate::private_file;
use identity::Secret;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};
use zeroize::{Zeroize, Zeroizing};

/// Secrets in one file. On Unix it must be its owner's alone; on Windows it is, by what it inherits from `%APPDATA%`.
#[derive(Debug)]
pub struct FileStore {
    file: PathBuf,
    // Two threads changing different secrets would otherwise each write back what the other replaced.
    changing: Mutex<()>,
}

/// The file's content. Values are wiped when dropped and never shown.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    secrets: BTreeMap<String, String>,
}

impl FileStore {
    const VERSION: u32 = 1;
    /// All secrets of a profile take a few kilobytes.
    const SIZE_MAX_BYTES: u64 = 64 << 10;

    /// The store in this file, which need not be there yet.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self { file, changing: Mutex::new(()) }
    }

    fn read(&self) -> Result<Contents, SecretError> {
        match fs::symlink_metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Contents { version: Self::VERSION, secrets: BTreeMap::new() });
            }
            Err(error) => return Err(self.io(error)),
            Ok(metadata) if is_exposed(&metadata) => return Err(SecretError::Exposed { file: self.file.clone() }),
            Ok(_) => {}
        }
        let bytes = private_file::read(&self.file, Self::SIZE_MAX_BYTES).map(Zeroizing::new);
        let contents: Contents = match bytes {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| SecretError::Corrupt)?,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(SecretError::Corrupt),
            Err(error) => return Err(self.io(error)),
        };
        // A newer version may keep secrets in another way; writing ours over it would lose them.
        if contents.version == Self::VERSION { Ok(contents) } else { Err(SecretError::Corrupt) }
    }

    fn change(&self, change: impl FnOnce(&mut Contents) -> Result<(), SecretError>) -> Result<(), SecretError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut contents = self.read()?;
        change(&mut contents)?;
        let json = serde_json::to_vec_pretty(&contents).expect("texts can be written as JSON");
        private_file::replace(&self.file, &Zeroizing::new(json)).map_err(|error| self.io(error))
    }

    fn io(&self, source: io::Error) -> SecretError {
        SecretError::Io { file: self.file.clone(), source }
    }

    /// Where the secrets are, for the status page.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl SecretStore for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    fn get(&self, name: SecretName) -> Result<Secret, SecretError> {
        self.read()?.secrets.remove(name.as_str()).map(Secret::new).ok_or(SecretError::Absent)
    }

    fn set(&self, name: SecretName, secret: &Secret) -> Result<(), SecretError> {
        self.change(|contents| {
            if let Some(mut old) = contents.secrets.insert(name.as_str().to_owned(), secret.expose().to_owned()) {
                old.zeroize();
            }
            Ok(())
        })
    }

    fn remove(&self, name: SecretName) -> Result<(), SecretError> {
        self.change(|contents| {
            contents.secrets.remove(name.as_str()).ok_or(SecretError::Absent)?.zeroize();
            Ok(())
        })
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        self.secrets.values_mut().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contents(..)")
    }
}

/// Whether someone else than the owner may read or write the file, or it is a link that leads anywhere.
#[cfg(unix)]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_exposed(metadata: &fs::Metadata) -> bool {
    !metadata.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("secrets.json"));
        (folder, store)
    }

    #[test]
    fn a_secret_is_kept_replaced_and_forgotten() {
        let (_folder, store) = store();
        let name = SecretName::SavedPassword;
        assert!(matches!(store.get(name), Err(SecretError::Absent)));
        assert!(matches!(store.remove(name), Err(SecretError::Absent)));
        store.set(name, &Secret::new("first".to_owned())).unwrap();
        store.set(name, &Secret::new("ü \"\n second".to_owned())).unwrap();
        store.set(SecretName::ServiceId, &Secret::new("other".to_owned())).unwrap();
        assert_eq!(store.get(name).unwrap().expose(), "ü \"\n second");
        store.remove(name).unwrap();
        assert!(matches!(store.get(name), Err(SecretError::Absent)));
        assert_eq!(store.get(SecretName::ServiceId).unwrap().expose(), "other");
    }

    #[test]
    fn a_damaged_file_is_damaged_and_not_empty_and_is_not_written_over() {
        let (_folder, store) = store();
        for damage in ["", "{", "[]", r#"{"version":2,"secrets":{}}"#, r#"{"version":1,"secrets":{"identity":7}}"#] {
            private_file::replace(store.file(), damage.as_bytes()).unwrap();
            assert!(matches!(store.get(SecretName::IdentitySeed), Err(SecretError::Corrupt)), "{damage}");
            let overwritten = store.set(SecretName::IdentitySeed, &Secret::new("new".to_owned()));
            assert!(matches!(overwritten, Err(SecretError::Corrupt)), "{damage}");
            assert_eq!(fs::read_to_string(store.file()).unwrap(), damage);
        }
    }

    #[test]
    fn an_endless_file_is_damaged() {
        let (_folder, store) = store();
        private_file::replace(store.file(), b"").unwrap();
        fs::File::options().write(true).open(store.file()).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(store.get(SecretName::IdentitySeed), Err(SecretError::Corrupt)));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_or_that_is_a_link_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, store) = store();
        store.set(SecretName::ServiceId, &Secret::new("canary".to_owned())).unwrap();
        assert_eq!(fs::metadata(store.file()).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(store.file(), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(store.get(SecretName::ServiceId), Err(SecretError::Exposed { .. })));
        fs::set_permissions(store.file(), fs::Permissions::from_mode(0o600)).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(store.file(), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, store.file()).unwrap();
        assert!(matches!(store.get(SecretName::ServiceId), Err(SecretError::Exposed { .. })));
    }

    #[test]
    fn many_threads_change_different_secrets_and_all_stay() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for name in SecretName::ALL {
                let store = &store;
                scope.spawn(move || store.set(name, &Secret::new(name.as_str().to_owned())).unwrap());
            }
        });
        for name in SecretName::ALL {
            assert_eq!(store.get(name).unwrap().expose(), name.as_str());
        }
    }
}
