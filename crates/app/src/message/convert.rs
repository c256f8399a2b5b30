//! Which problem each error of this crate's parts is.

use super::{Code, Problem};
use crate::index::{IndexError, OpenError};
use crate::{control::ControlError, profile::ProfileError, secrets::SecretError, settings::SettingsError};
use identity::{InvitationError, ServerIdError, ServerName, TextError};
use stores::{Program, ProgramState, StoreError};

impl Problem {
    /// Why what was given as an invitation isn't one we can use. `file` is what people call it.
    #[must_use]
    pub fn with_invitation(error: InvitationError, file: &str) -> Self {
        let code = match &error {
            InvitationError::TooLarge | InvitationError::NotAnInvitation => {
                return Self::new(Code::NotAnInvitation).with("file", file).because(error);
            }
            InvitationError::Newer { version, .. } => {
                let problem = Self::new(Code::InvitationNewer).with("have", env!("CARGO_PKG_VERSION"));
                return problem.with("need", version.to_string()).because(error);
            }
            InvitationError::Damaged { .. } | InvitationError::BadSignature => Code::InvitationDamaged,
        };
        Self::new(code).because(error)
    }

    /// Why the store at `place` couldn't do what was asked. A changed or vanished item is no problem, only
    /// a reason to look again; it reaches a person only where even that didn't help.
    #[must_use]
    pub fn with_store(error: StoreError, place: &str) -> Self {
        match error {
            StoreError::Unavailable { reason } => Self::new(Code::StoreGone).with("place", place).because(reason),
            StoreError::Program { program: Program::Outlook, state } => Self::new(match state {
                ProgramState::Missing => Code::OutlookMissing,
                ProgramState::NotScriptable => Code::OutlookNew,
                ProgramState::Closed => Code::OutlookClosed,
                ProgramState::Busy => Code::OutlookBusy,
                ProgramState::Waiting => Code::OutlookAsks,
                ProgramState::Elevated => Code::OutlookElevated,
                ProgramState::Denied => Code::OutlookRefuses,
            }),
            StoreError::Program { program: Program::Evolution, state } => Self::new(match state {
                ProgramState::Missing | ProgramState::NotScriptable => Code::EvolutionMissing,
                ProgramState::Closed => Code::EvolutionClosed,
                ProgramState::Busy | ProgramState::Waiting => Code::EvolutionBusy,
                ProgramState::Elevated | ProgramState::Denied => Code::EvolutionRefuses,
            }),
            StoreError::Replaced => Self::new(Code::StoreReplaced).with("place", place),
            StoreError::Permission { path } => Self::new(Code::NotReadable).with("path", path),
            StoreError::InUse { .. } => Self::new(Code::DataInUse).with("program", "other"),
            // How much is free, and with it how much is needed, is known where the place is.
            StoreError::NoSpace { .. } => Self::new(Code::NoRoom),
            StoreError::TooLarge { size } => Self::new(Code::ItemTooLarge)
                .with("name", place)
                .with("size_bytes", size)
                .with("max_bytes", stores::Payload::SIZE_MAX),
            StoreError::Unsupported => Self::new(Code::KindNotHeld).with("name", place),
            StoreError::Io { reason, path } => Self::new(Code::NotReadable).with("path", path).because(reason),
            error @ (StoreError::Changed | StoreError::NotFound) => Self::new(Code::Unexpected).because(error),
        }
    }
}

impl From<ServerIdError> for Problem {
    fn from(error: ServerIdError) -> Self {
        match error {
            ServerIdError::Length { found } => Self::new(Code::ServerIdIncomplete).with("found", found),
            ServerIdError::Symbol { .. } | ServerIdError::Typo { .. } => Self::new(Code::ServerIdMistyped),
        }
    }
}

impl From<IndexError> for Problem {
    fn from(error: IndexError) -> Self {
        Self::new(Code::Unexpected).because(error)
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Newer { .. } => Self::new(Code::IndexNewer).with("file", "index.sqlite").because(error),
            OpenError::Foreign { path } | OpenError::Io { path, .. } => {
                Self::new(Code::FileNotReadable).with("file", path.as_path())
            }
            OpenError::Index(error) => error.into(),
        }
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::new(Code::NameNotUsable).with("chars_max", ServerName::CHARS_MAX).because(error)
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        Self::new(Code::Unexpected).because(error)
    }
}

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
    use crate::language::Language;

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
    #[test]
    fn what_a_store_says_goes_into_the_log_without_its_paths() {
        let error = StoreError::Io { reason: "input/output".to_owned(), path: "canary".to_owned() };
        assert_eq!(Problem::with_store(error, "canary").to_string(), "D07: input/output");
        let error = StoreError::Permission { path: "canary".to_owned() };
        assert_eq!(Problem::with_store(error, "canary").to_string(), "D07");
    }

    #[test]
    fn each_program_that_keeps_a_store_has_its_own_words() {
        let code = |program, state| Problem::with_store(StoreError::Program { program, state }, "eds:").code;
        assert_eq!(code(Program::Outlook, ProgramState::Closed), Code::OutlookClosed);
        assert_eq!(code(Program::Evolution, ProgramState::Closed), Code::EvolutionClosed);
        assert_eq!(code(Program::Evolution, ProgramState::Missing), Code::EvolutionMissing);
        let busy = StoreError::Program { program: Program::Evolution, state: ProgramState::Busy };
        let problem = Problem::with_store(busy, "eds:");
        assert!(problem.is_transient() && problem.view(Language::German).headline.contains("Evolution"));
    }

    #[test]
    fn what_outlook_does_instead_of_answering_is_said_each_in_its_own_way() {
        let told = |state| {
            let problem = Problem::with_store(StoreError::Program { program: Program::Outlook, state }, "outlook:");
            let view = problem.view(Language::English);
            (view.code, view.headline)
        };
        assert_eq!(told(ProgramState::Waiting), ("D01".into(), "Outlook is waiting for an answer.".into()));
        let states = [
            (ProgramState::Missing, Code::OutlookMissing),
            (ProgramState::NotScriptable, Code::OutlookNew),
            (ProgramState::Closed, Code::OutlookClosed),
            (ProgramState::Busy, Code::OutlookBusy),
            (ProgramState::Elevated, Code::OutlookElevated),
            (ProgramState::Denied, Code::OutlookRefuses),
        ];
        for (state, code) in states {
            assert_eq!(told(state).0, code.as_str());
        }
    }

    #[test]
    fn data_that_another_program_uses_alone_is_tried_again_and_nobody_is_told_that_it_is_broken() {
        let problem = Problem::with_store(StoreError::InUse { path: "canary".to_owned() }, "canary");
        assert_eq!((problem.code, problem.is_transient()), (Code::DataInUse, true));
        assert_eq!(problem.view(Language::English).headline, "Another program is using the data alone.");
        let outlook = Problem::new(Code::DataInUse).with("program", "Outlook").view(Language::German);
        assert_eq!(outlook.headline, "Outlook benutzt die Daten allein.");
        assert!(outlook.message.ends_with("schließen Sie Outlook einmal."), "{}", outlook.message);
    }

    #[test]
    fn a_picture_a_damaged_and_a_newer_invitation_are_told_apart() {
        let code = |error| Problem::with_invitation(error, "photo.png").code;
        assert_eq!(code(InvitationError::NotAnInvitation), Code::NotAnInvitation);
        assert_eq!(code(InvitationError::BadSignature), Code::InvitationDamaged);
        let newer = InvitationError::Newer { version: 2, feature: None };
        let view = Problem::with_invitation(newer, "x").view(Language::English);
        assert_eq!(view.code, "V02");
        assert!(view.message.contains("format 2"), "{}", view.message);
    }
}
