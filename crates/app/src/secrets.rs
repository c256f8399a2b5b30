//! Keys and passwords at rest: in the computer's password store, or in a file only the owner can read.
//!
//! Never both at once; which one is used stands in the settings ([`StoreKind`]) and is decided once, by [`choose`].
//! A password store that is locked or doesn't answer is **never** taken for one that holds nothing: each has its own
//! [`SecretError`]. Together with the public key kept in the settings this means that a lost key is reported
//! ([`identity_key`]) and never replaced by a new one, which would cut off every computer that knows the old.
//!
//! The password store is the Secret Service (GNOME Keyring, KWallet), Keychain or Credential Manager. The Linux kernel's
//! own key store isn't used: it forgets at every start.

mod file;
mod keyring;

pub use file::FileStore;
pub use keyring::KeyringStore;

use crate::{profile::Profile, settings::ProfileId};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use identity::{IdentityKey, PublicKey, Secret};
use serde::{Deserialize, Serialize};
use std::{fmt, io, path::PathBuf};
use zeroize::Zeroizing;

/// What is kept secret.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SecretName {
    /// The seed of this computer's key, 32 bytes: the server key or the device key.
    IdentitySeed,
    /// The service ID: the server's own, or of the server a client belongs to. 16 bytes.
    ServiceId,
    /// A server's password as people type it, for "show password".
    ServerPassword,
    /// What a server needs to check passwords (OPAQUE), made with its password.
    OpaqueSetup,
    /// The password's record (OPAQUE), useless for guessing without the setup.
    OpaqueRecord,
    /// The server password a client was asked to remember.
    SavedPassword,
    /// How much a server's password withstands, where only its record is kept.
    PasswordStrength,
    /// The password of the relay's user.
    RelayPassword,
}

/// The two kinds of places for secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// The computer's password store.
    Keyring,
    /// A file only the owner can read.
    File,
}

/// Why a secret can't be had. None of these but [`Absent`](Self::Absent) says that there is none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The password store wants to be unlocked first, or its owner said no to the question.
    #[error("the password store is locked")]
    Locked,
    /// There is no password store, or it doesn't answer.
    #[error("there is no password store")]
    NoService {
        /// What the system said.
        reason: String,
    },
    /// The store was asked and holds no such secret.
    #[error("there is no such secret")]
    Absent,
    /// What is kept there isn't what we wrote.
    #[error("the secret is damaged")]
    Corrupt,
    /// The store isn't only its owner's.
    #[error("{file} can be read by others", file = file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
    },
    /// The file can't be read or written.
    #[error("{file} can't be used", file = file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The settings name this computer's key, and the store holds none.
    #[error("the key of this computer is gone")]
    KeyLost {
        /// The key that is missing.
        expected: PublicKey,
    },
    /// The settings name this computer's key, and the store holds another.
    #[error("the store holds another key than this computer's")]
    OtherKey {
        /// The key that should be there.
        expected: PublicKey,
        /// The key that is there.
        found: PublicKey,
    },
}

/// A place for secrets. Calls may wait for a person to unlock the store: never call them from an async task.
pub trait SecretStore: Send + Sync {
    /// Which kind it is, for the settings and the status page.
    fn kind(&self) -> StoreKind;

    /// The secret, as text.
    fn get(&self, name: SecretName) -> Result<Secret, SecretError>;

    /// Keeps the secret in place of an earlier one.
    fn set(&self, name: SecretName, secret: &Secret) -> Result<(), SecretError>;

    /// Forgets the secret; [`SecretError::Absent`] if there was none.
    fn remove(&self, name: SecretName) -> Result<(), SecretError>;
}

/// A store chosen for a new profile.
pub struct Chosen {
    /// The store.
    pub store: Box<dyn SecretStore>,
    /// Why it isn't the password store although nobody asked for a file. To be shown (`K02`).
    pub fallback: Option<SecretError>,
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chosen").field("kind", &self.store.kind()).field("fallback", &self.fallback).finish()
    }
}

impl SecretName {
    /// Every name.
    pub const ALL: [Self; 8] = [
        Self::IdentitySeed,
        Self::ServiceId,
        Self::ServerPassword,
        Self::OpaqueSetup,
        Self::OpaqueRecord,
        Self::SavedPassword,
        Self::PasswordStrength,
        Self::RelayPassword,
    ];

    /// The name as it stands in the store. Never changes: it finds what earlier versions kept.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IdentitySeed => "identity",
            Self::ServiceId => "service-id",
            Self::ServerPassword => "password",
            Self::OpaqueSetup => "opaque-setup",
            Self::OpaqueRecord => "opaque-record",
            Self::SavedPassword => "saved-password",
            Self::PasswordStrength => "password-strength",
            Self::RelayPassword => "relay-password",
        }
    }
}

impl dyn SecretStore + '_ {
    /// A secret that is bytes. (Stores hold text: KWallet takes nothing else.)
    pub fn get_bytes(&self, name: SecretName) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let text = self.get(name)?;
        BASE64.decode(text.expose()).map(Zeroizing::new).map_err(|_| SecretError::Corrupt)
    }

    /// Keeps a secret that is bytes.
    pub fn set_bytes(&self, name: SecretName, bytes: &[u8]) -> Result<(), SecretError> {
        self.set(name, &Secret::new(BASE64.encode(bytes)))
    }

    /// Forgets everything. What is already gone is no obstacle; anything else is, and the rest is forgotten all the same.
    pub fn clear(&self) -> Result<(), SecretError> {
        let outcomes = SecretName::ALL.map(|name| match self.remove(name) {
            Err(SecretError::Absent) => Ok(()),
            outcome => outcome,
        });
        outcomes.into_iter().collect()
    }
}

/// Chooses the store for a profile that has none yet: the kind asked for, else the password store if it works, else
/// a file. A locked password store is no reason for a file; its owner can unlock it ([`SecretError::Locked`]).
pub fn choose(profile: &Profile, id: &ProfileId, asked_for: Option<StoreKind>) -> Result<Chosen, SecretError> {
    if asked_for == Some(StoreKind::File) {
        return Ok(Chosen { store: open(profile, id, StoreKind::File), fallback: None });
    }
    let keyring = KeyringStore::new(id);
    match (keyring.check(), asked_for) {
        (Ok(()), _) => Ok(Chosen { store: Box::new(keyring), fallback: None }),
        (Err(reason @ SecretError::NoService { .. }), None) => {
            Ok(Chosen { store: open(profile, id, StoreKind::File), fallback: Some(reason) })
        }
        (Err(error), _) => Err(error),
    }
}

/// Whether the computer's password store works. Nothing that belongs to a profile is looked at.
pub fn probe() -> Result<(), SecretError> {
    KeyringStore::new(&ProfileId::generate()).check()
}

/// The store the settings name. Nothing is asked of it yet.
#[must_use]
pub fn open(profile: &Profile, id: &ProfileId, kind: StoreKind) -> Box<dyn SecretStore> {
    match kind {
        StoreKind::Keyring => Box::new(KeyringStore::new(id)),
        StoreKind::File => Box::new(FileStore::new(profile.secrets_file())),
    }
}

/// Moves every secret to another store. Nothing is removed before all of it can be read back from there.
pub fn transfer(from: &dyn SecretStore, to: &dyn SecretStore) -> Result<(), SecretError> {
    for name in SecretName::ALL {
        match from.get(name) {
            Ok(secret) => {
                to.set(name, &secret)?;
                if to.get(name)? != secret {
                    return Err(SecretError::Corrupt);
                }
            }
            Err(SecretError::Absent) => {}
            Err(error) => return Err(error),
        }
    }
    from.clear()
}

/// This computer's key. `recorded` is the public key in the settings: with it, a key that is missing or another one is an
/// error. Without it, and with an empty store, there is no key yet (`None`) and the caller may make the first.
pub fn identity_key(store: &dyn SecretStore, recorded: Option<&PublicKey>) -> Result<Option<IdentityKey>, SecretError> {
    let seed = match (store.get_bytes(SecretName::IdentitySeed), recorded) {
        (Ok(seed), _) => seed,
        (Err(SecretError::Absent), None) => return Ok(None),
        (Err(SecretError::Absent), Some(expected)) => return Err(SecretError::KeyLost { expected: *expected }),
        (Err(error), _) => return Err(error),
    };
    let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| SecretError::Corrupt)?;
    let key = IdentityKey::from_seed(seed);
    match recorded {
        Some(expected) if *expected != key.public() => {
            Err(SecretError::OtherKey { expected: *expected, found: key.public() })
        }
        _ => Ok(Some(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store_in(folder: &tempfile::TempDir, name: &str) -> Box<dyn SecretStore> {
        Box::new(FileStore::new(folder.path().join(name)))
    }

    #[test]
    fn a_key_is_the_same_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let key = IdentityKey::generate();
        store_in(&folder, "s").set_bytes(SecretName::IdentitySeed, key.seed()).unwrap();
        let found = identity_key(&*store_in(&folder, "s"), Some(&key.public())).unwrap().unwrap();
        assert_eq!(found.public(), key.public());
    }

    #[test]
    fn a_lost_key_is_told_and_never_taken_for_a_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_in(&folder, "s");
        assert!(identity_key(&*store, None).unwrap().is_none());
        let known = IdentityKey::generate().public();
        let lost = identity_key(&*store, Some(&known));
        assert!(matches!(lost, Err(SecretError::KeyLost { expected }) if expected == known));
    }

    #[test]
    fn another_key_than_the_recorded_one_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_in(&folder, "s");
        let (ours, foreign) = (IdentityKey::generate(), IdentityKey::generate());
        store.set_bytes(SecretName::IdentitySeed, foreign.seed()).unwrap();
        assert!(matches!(identity_key(&*store, Some(&ours.public())), Err(SecretError::OtherKey { .. })));
    }

    #[test]
    fn a_seed_of_the_wrong_length_is_damaged_not_absent() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_in(&folder, "s");
        store.set_bytes(SecretName::IdentitySeed, &[1; 31]).unwrap();
        assert!(matches!(identity_key(&*store, None), Err(SecretError::Corrupt)));
        store.set(SecretName::IdentitySeed, &Secret::new("not base64!".to_owned())).unwrap();
        assert!(matches!(identity_key(&*store, None), Err(SecretError::Corrupt)));
    }

    #[test]
    fn after_a_transfer_only_the_new_store_holds_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (store_in(&folder, "old"), store_in(&folder, "new"));
        old.set(SecretName::ServerPassword, &Secret::new("Blumentopf-π".to_owned())).unwrap();
        old.set_bytes(SecretName::ServiceId, &[7; 16]).unwrap();
        transfer(&*old, &*new).unwrap();
        assert_eq!(new.get(SecretName::ServerPassword).unwrap().expose(), "Blumentopf-π");
        assert_eq!(*new.get_bytes(SecretName::ServiceId).unwrap(), [7; 16]);
        for name in SecretName::ALL {
            assert!(matches!(old.get(name), Err(SecretError::Absent)), "{name:?}");
        }
    }

    #[test]
    fn leaving_twice_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let store = store_in(&folder, "s");
        store.set_bytes(SecretName::ServiceId, &[7; 16]).unwrap();
        store.clear().unwrap();
        store.clear().unwrap();
        assert!(matches!(store.get(SecretName::ServiceId), Err(SecretError::Absent)));
    }

    #[test]
    fn asked_for_a_file_no_password_store_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::in_folder(folder.path());
        let chosen = choose(&profile, &ProfileId::generate(), Some(StoreKind::File)).unwrap();
        assert_eq!(chosen.store.kind(), StoreKind::File);
        assert!(chosen.fallback.is_none());
    }
}
