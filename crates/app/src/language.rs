//! The languages Tandem speaks, and how one is chosen.

use serde::{Deserialize, Serialize};
use std::{env, str::FromStr};

/// A language with all its texts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Language {
    /// English; also where nothing else is known.
    #[default]
    #[serde(rename = "en")]
    English,
    /// German.
    #[serde(rename = "de")]
    German,
}

/// A language Tandem has no texts in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the languages are `en` and `de`")]
pub struct UnknownLanguage;

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language to speak: the one asked for (`--lang`), else the one in the settings, else the system's.
    #[must_use]
    pub fn choose(asked_for: Option<Self>, in_settings: Option<Self>) -> Self {
        asked_for.or(in_settings).unwrap_or_else(Self::of_system)
    }

    /// What the system says: by environment, else by its own settings, which is all Windows and macOS have.
    #[must_use]
    pub fn of_system() -> Self {
        let environment = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|variable| env::var(variable).unwrap_or_default());
        Self::of_locales(environment.iter().map(String::as_str))
            .or_else(|| Self::of_locales(sys_locale::get_locales().collect::<Vec<_>>().iter().map(String::as_str)))
            .unwrap_or_default()
    }

    /// The short name: `en`, `de`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The first locale that says anything decides: `LC_ALL=C` asks for English even with `LANG=de_DE`.
    fn of_locales<'a>(locales: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let said = locales.into_iter().find(|locale| !locale.is_empty())?;
        Some(said.parse().unwrap_or_default())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads `de`, `de-AT` and `de_DE.UTF-8` alike.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let language = text.split(['-', '_', '.', '@']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|known| known.tag() == language).ok_or(UnknownLanguage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_asked_for_wins_over_settings() {
        assert_eq!(Language::choose(Some(Language::English), Some(Language::German)), Language::English);
        assert_eq!(Language::choose(None, Some(Language::German)), Language::German);
    }

    #[test]
    fn the_first_locale_that_says_anything_decides() {
        assert_eq!(Language::of_locales(["", "", "de_AT.UTF-8"]), Some(Language::German));
        assert_eq!(Language::of_locales(["C", "", "de_DE.UTF-8"]), Some(Language::English));
        assert_eq!(Language::of_locales(["fr_FR", "", "de_DE"]), Some(Language::English));
        assert_eq!(Language::of_locales(["", ""]), None);
    }

    #[test]
    fn all_ways_to_write_german_are_german() {
        for text in ["de", "DE", "de-CH", "de_DE.UTF-8", "de@euro"] {
            assert_eq!(text.parse(), Ok(Language::German), "{text}");
        }
        assert_eq!("den".parse::<Language>(), Err(UnknownLanguage));
    }
}
