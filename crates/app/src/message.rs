//! Everything that can stand in the way, by code, with its texts in every language.
//!
//! A [`Problem`] is a [`Code`] and the facts that fill its text. It travels as such, in answers, in the log and over the
//! control channel, and becomes words only where a person reads it ([`Problem::view`]), in that person's language.
//! Programs look at the code; nobody looks into the words. The texts are in `locales/*.ftl`.

mod code;
mod convert;
mod text;

pub use code::{Code, Exit};
pub use text::Texts;

use crate::language::Language;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};
use ts_rs::TS;

/// What stands in the way, and the facts about it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Which of all problems it is.
    pub code: Code,
    /// What fills the text, by the names that [`Code::facts`] lists.
    #[serde(default)]
    pub facts: BTreeMap<String, Fact>,
    /// What a technician wants to know beside it. Never shown in place of the text; holds no names and no contents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A fact. The unit stands at the end of its name: `_bytes`, `_secs`, `_at` (seconds since 1970); else it is a count or
/// text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum Fact {
    /// A count or an amount.
    Number(i64),
    /// A name, a path or a word.
    Text(String),
}

/// A problem in words, as the window shows it and `--json` prints it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, TS)]
pub struct ProblemView {
    /// The stable code, for instance `N04`.
    pub code: String,
    /// What happened.
    pub headline: String,
    /// What happened, why, and what it means.
    pub message: String,
    /// What to do.
    pub action: String,
    /// How to do it in a terminal, where that is one command or option.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub command: Option<String>,
    /// The facts the words were made with.
    pub facts: BTreeMap<String, Fact>,
}

/// What nearly everything in this crate returns.
pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    /// A problem whose facts follow by [`with`](Self::with).
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self { code, facts: BTreeMap::new(), source: None }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Fact>) -> Self {
        debug_assert!(self.code.facts().contains(&name), "{:?} has no fact `{name}`", self.code);
        self.facts.insert(name.to_owned(), fact.into());
        self
    }

    /// Adds what a technician wants to know.
    #[must_use]
    pub fn because(mut self, source: impl fmt::Display) -> Self {
        self.source = Some(source.to_string());
        self
    }

    /// Whether trying the same again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.code.exit(), Exit::NotConnected | Exit::TryLater)
    }

    /// The problem in words.
    #[must_use]
    pub fn view(&self, language: Language) -> ProblemView {
        text::view(self, language)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // For logs, which are in English, and which must not hold names: the code and the technical cause.
        f.write_str(self.code.as_str())?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&std::path::Path> for Fact {
    fn from(path: &std::path::Path) -> Self {
        Self::Text(path.display().to_string())
    }
}

macro_rules! fact_from_number {
    ($($number:ty)*) => {
        $(impl From<$number> for Fact {
            fn from(number: $number) -> Self {
                // Nothing we count reaches the end of the range; a wrong huge number is better than a panic.
                Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
            }
        })*
    };
}
fact_from_number! { i32 i64 u16 u32 u64 usize }

/// A word or sentence outside of problems, by its key in the `.ftl` files, for instance `password-good`.
#[must_use]
pub fn word(language: Language, key: &str, facts: &BTreeMap<String, Fact>) -> String {
    text::word(language, key, facts)
}
