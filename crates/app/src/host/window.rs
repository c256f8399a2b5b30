//! What a person chose for the window, in `window.toml` beside the settings: it holds also while nothing is set up, and
//! none of it is any business of the running instance.

use super::types::{Appearance, CloseBehaviour};
use crate::{
    language::Language,
    message::{Code, Problem, Result},
    private_file,
    profile::Profile,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const FILE_BYTES_MAX: u64 = 64 << 10;

/// How the window looks and behaves.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowSettings {
    /// Until a profile has a language of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Light or dark.
    pub appearance: Appearance,
    /// More contrast than usual.
    pub more_contrast: bool,
    /// Size of the text, percent.
    pub text_size_percent: u16,
    /// What closing the window does.
    pub close: CloseBehaviour,
    /// Tell when a conflict waits.
    pub tells_conflicts: bool,
    /// Tell when deletions are held.
    pub tells_held: bool,
    /// Tell when there was no synchronization for so many days; 0: never.
    pub tells_silence_after_days: u16,
    /// The version that ran last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_version: Option<String>,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self {
            language: None,
            appearance: Appearance::System,
            more_contrast: false,
            text_size_percent: 100,
            close: CloseBehaviour::Ask,
            tells_conflicts: true,
            tells_held: true,
            tells_silence_after_days: 3,
            last_version: None,
        }
    }
}

impl WindowSettings {
    /// Text is at least this large and at most that, percent.
    pub const TEXT_SIZE_PERCENT: std::ops::RangeInclusive<u16> = 80..=200;

    /// What was chosen. A file that can't be read counts as none: a window that looks as it did in the beginning is better
    /// than none.
    #[must_use]
    pub fn load(profile: &Profile) -> Self {
        let bytes = private_file::read(&file_of(profile), FILE_BYTES_MAX).unwrap_or_default();
        std::str::from_utf8(&bytes).ok().and_then(|text| toml::from_str(text).ok()).unwrap_or_default()
    }

    /// Keeps it.
    pub fn save(&self, profile: &Profile) -> Result<()> {
        let folder = profile.folder();
        let not_kept = |error: String| Problem::new(Code::SettingsNotSaved).with("folder", folder).because(error);
        std::fs::create_dir_all(folder).map_err(|error| not_kept(error.to_string()))?;
        let text = toml::to_string(self).map_err(|error| not_kept(error.to_string()))?;
        private_file::replace(&file_of(profile), text.as_bytes()).map_err(|error| not_kept(error.to_string()))
    }
}

fn file_of(profile: &Profile) -> PathBuf {
    profile.folder().join("window.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_for_the_window_is_there_again_and_damage_is_no_obstacle() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::in_folder(&home.path().join("profile"));
        assert_eq!(WindowSettings::load(&profile), WindowSettings::default());
        let chosen =
            WindowSettings { text_size_percent: 150, appearance: Appearance::Dark, ..WindowSettings::default() };
        chosen.save(&profile).unwrap();
        assert_eq!(WindowSettings::load(&profile), chosen);
        std::fs::write(file_of(&profile), "close = \"maybe\"").unwrap();
        assert_eq!(WindowSettings::load(&profile), WindowSettings::default());
    }
}
