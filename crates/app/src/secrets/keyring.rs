//! Secrets in the password store of the computer: Secret Service, Keychain or Credential Manager.
//!
//! Three things need care. A call can wait for a person to answer a question, so each runs on a thread of its own and
//! is given up after [`ANSWER_TIMEOUT_SECS`]. The Secret Service client brings its own event loop and must not be called
//! from inside another one, which the thread also solves. And a *locked* keyring can answer "no such entry" (its
//! collection isn't read yet), so "absent" is believed only from a store that takes a write.

use super::{SecretError, SecretName, SecretStore, StoreKind};
use crate::settings::ProfileId;
use identity::Secret;
use std::{sync::mpsc, thread, time::Duration};

/// The name under which the password store lists everything of Tandem's.
const SERVICE: &str = "tandem";
/// Longer than people need to find and type their log-in password.
const ANSWER_TIMEOUT_SECS: u64 = 120;
/// The entry that is written and removed to see whether the store takes anything.
const TRIAL: &str = "trial";

/// Secrets in the computer's password store, under the profile's name.
#[derive(Debug)]
pub struct KeyringStore {
    profile: String,
}

impl KeyringStore {
    /// The store for a profile. Nothing is asked of it yet.
    #[must_use]
    pub fn new(profile: &ProfileId) -> Self {
        Self { profile: profile.to_string() }
    }

    /// Writes, reads and removes a trial entry. `Ok` means that secrets can be kept there now.
    pub fn check(&self) -> Result<(), SecretError> {
        let account = self.account(TRIAL);
        on_own_thread(move || try_out(&account))
    }

    fn account(&self, name: &str) -> String {
        format!("{}/{name}", self.profile)
    }
}

impl SecretStore for KeyringStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Keyring
    }

    fn get(&self, name: SecretName) -> Result<Secret, SecretError> {
        let (account, trial) = (self.account(name.as_str()), self.account(TRIAL));
        on_own_thread(move || match entry(&account)?.get_password() {
            Ok(text) => Ok(Secret::new(text)),
            Err(keyring::Error::NoEntry) => Err(try_out(&trial).err().unwrap_or(SecretError::Absent)),
            Err(error) => Err(from_keyring(error)),
        })
    }

    fn set(&self, name: SecretName, secret: &Secret) -> Result<(), SecretError> {
        let (account, secret) = (self.account(name.as_str()), secret.clone());
        on_own_thread(move || entry(&account)?.set_password(secret.expose()).map_err(from_keyring))
    }

    fn remove(&self, name: SecretName) -> Result<(), SecretError> {
        let (account, trial) = (self.account(name.as_str()), self.account(TRIAL));
        on_own_thread(move || match entry(&account)?.delete_credential() {
            Ok(()) => Ok(()),
            Err(keyring::Error::NoEntry) => Err(try_out(&trial).err().unwrap_or(SecretError::Absent)),
            Err(error) => Err(from_keyring(error)),
        })
    }
}

fn try_out(account: &str) -> Result<(), SecretError> {
    const WORD: &str = "tandem";
    let entry = entry(account)?;
    entry.set_password(WORD).map_err(from_keyring)?;
    let read_back = entry.get_password().map_err(from_keyring)?;
    // Another instance trying at the same moment may have removed it already.
    match entry.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => {}
        Err(error) => return Err(from_keyring(error)),
    }
    if read_back == WORD { Ok(()) } else { Err(SecretError::Corrupt) }
}

fn entry(account: &str) -> Result<keyring::Entry, SecretError> {
    if let Err(error) = keyring::Entry::store_status() {
        return Err(SecretError::NoService { reason: error.to_string() });
    }
    keyring::Entry::new(SERVICE, account).map_err(from_keyring)
}

fn from_keyring(error: keyring::Error) -> SecretError {
    match error {
        // A Secret Service without any collection to keep things in: nothing that unlocking could change.
        keyring::Error::NoStorageAccess(cause) if format!("{cause:?}") == "NoResult" => {
            SecretError::NoService { reason: "the password store has no place to keep anything in".to_owned() }
        }
        keyring::Error::NoStorageAccess(_) => SecretError::Locked,
        keyring::Error::NoEntry => SecretError::Absent,
        // Two entries of one name, or bytes we didn't write: someone else changed them.
        keyring::Error::BadEncoding(_)
        | keyring::Error::BadDataFormat(..)
        | keyring::Error::BadStoreFormat(_)
        | keyring::Error::Ambiguous(_) => SecretError::Corrupt,
        // Written out here because the error could carry what was read.
        keyring::Error::PlatformFailure(cause) => SecretError::NoService { reason: cause.to_string() },
        error => SecretError::NoService { reason: error.to_string() },
    }
}

/// Runs `work` on a thread of its own; a store that doesn't answer counts as locked.
fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(Duration::from_secs(ANSWER_TIMEOUT_SECS)) {
        Ok(outcome) => outcome,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(SecretError::Locked),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(SecretError::NoService { reason: "the password store's client stopped".to_owned() })
        }
    }
}
