//! Values that are more than a text: checked once, here.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use std::str::FromStr;

/// How long a pause lasts, in minutes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PauseFor {
    pub(crate) minutes: u32,
}

impl PauseFor {
    /// Longer pauses are pauses without an end.
    const MINUTES_MAX: u32 = 365 * 24 * 60;
}

impl FromStr for PauseFor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write it as 30m, 2h or 1d";
        let minutes_each = match text.chars().next_back() {
            Some('m') => 1,
            Some('h') => 60,
            Some('d') => 24 * 60,
            _ => return Err(FORM),
        };
        let number: u32 = text[..text.len() - 1].parse().map_err(|_| FORM)?;
        match number.checked_mul(minutes_each) {
            Some(minutes @ 1..=Self::MINUTES_MAX) => Ok(Self { minutes }),
            Some(0) => Err("a pause lasts a minute or longer"),
            _ => Err("a pause lasts a year at most; without a time it lasts until \"tandem resume\""),
        }
    }
}

/// A folder of the server and the folder it is here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FolderPair {
    pub(crate) theirs: String,
    pub(crate) mine: String,
}

impl FromStr for FolderPair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((theirs, mine)) if !theirs.is_empty() && !mine.is_empty() => {
                Ok(Self { theirs: theirs.to_owned(), mine: mine.to_owned() })
            }
            _ => Err("write it as THEIRS=MINE"),
        }
    }
}

/// Takes one of a few words for values whose type isn't ours.
pub(super) fn one_of<T, const N: usize>(words: [(PossibleValue, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    let possible: Vec<PossibleValue> = words.iter().map(|(word, _)| word.clone()).collect();
    PossibleValuesParser::new(possible).map(move |text| {
        let word = words.iter().find(|(word, _)| word.get_name() == text);
        word.expect("only possible values come here").1.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_read_in_minutes_hours_and_days() {
        for (text, minutes) in [("30m", 30), ("2h", 120), ("1d", 1_440)] {
            assert_eq!(text.parse(), Ok(PauseFor { minutes }));
        }
        for text in ["", "m", "30", "0h", "-1d", "1w", "9999999d", "1,5h", "ä"] {
            assert!(text.parse::<PauseFor>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_folder_pair_names_both_folders() {
        let pair = FolderPair { theirs: "mail/A".to_owned(), mine: "mail/B=C".to_owned() };
        assert_eq!("mail/A=mail/B=C".parse(), Ok(pair));
        for text in ["mail/A", "=mail/B", "mail/A="] {
            assert!(text.parse::<FolderPair>().is_err(), "{text}");
        }
    }
}
