//! Which problem each error of this crate's parts is.

use super::{Code, Problem};
use crate::{profile::ProfileError, secrets::SecretError, settings::SettingsError};

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::InUse { folder } => Self::new(Code::ProfileInUse).with("folder", folder.as_path()),
            ProfileError::NoHome => Self::new(Code::ProfileUnusable).with("folder", "~"),
            ProfileError::Io { folder, source } => {
                Self::new(Code::ProfileUnusable).with("folder", folder.as_path()).because(source)
            }
        }
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::NotUnderstood { file, line, reason } => Self::new(Code::SettingsNotUnderstood)
                .with("file", file.as_path())
                .with("line", line)
                .with("reason", reason.trim_end_matches('.')),
            SettingsError::Newer { file, version } => {
                Self::new(Code::SettingsNewer).with("file", file.as_path()).with("version", version)
            }
            SettingsError::NotReadable { file, source } => {
                Self::new(Code::FileNotReadable).with("file", file.as_path()).because(source)
            }
            SettingsError::NotWritable { file, source } => {
                let folder = file.parent().unwrap_or(&file);
                Self::new(Code::SettingsNotSaved).with("folder", folder).because(source)
            }
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Locked => Self::new(Code::KeyringLocked),
            SecretError::NoService { reason } => Self::new(Code::KeyringSilent).because(reason),
            SecretError::Absent | SecretError::KeyLost { .. } => Self::new(Code::KeyLost).because(error),
            SecretError::Corrupt | SecretError::OtherKey { .. } => Self::new(Code::KeyDamaged).because(error),
            SecretError::Exposed { file } => Self::new(Code::SecretsExposed).with("file", file.as_path()),
            SecretError::Io { file, source } => {
                Self::new(Code::FileNotReadable).with("file", file.as_path()).because(source)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_password_store_a_silent_one_and_a_lost_key_are_three_different_things() {
        let codes = [
            SecretError::Locked,
            SecretError::NoService { reason: "no bus".to_owned() },
            SecretError::Absent,
            SecretError::Corrupt,
        ]
        .map(|error| Problem::from(error).code);
        assert_eq!(codes, [Code::KeyringLocked, Code::KeyringSilent, Code::KeyLost, Code::KeyDamaged]);
    }
}
