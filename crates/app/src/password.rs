//! What a password must withstand, how strong one is, and a suggestion that is.
//!
//! The password is needed once per computer, so it can be long; and with Internet synchronization on anyone who gets the
//! server ID can try. What counts is how many guesses it takes, estimated by zxcvbn with our own lists beside its
//! English ones (`words/`): a guesser in this part of the world begins with `Sommer2026!`, too.

use crate::{
    language::Language,
    message::{self, Code, Problem},
};
use identity::Secret;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use ts_rs::TS;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;
use zxcvbn::matching::{Match, patterns::MatchPattern};

const COMMON: &str = include_str!("../words/common.txt");
const ENGLISH: &str = include_str!("../words/suggest-en.txt");
const GERMAN: &str = include_str!("../words/suggest-de.txt");

/// What a password must be to be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Characters as people count them on the keyboard, at least.
    pub chars_min: usize,
    /// Guesses it must withstand, as a power of ten.
    pub guesses_log10_min: u8,
}

/// How strong a password is under a [`Rule`], in the words of the meter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Fewer characters than the rule asks for.
    TooShort,
    /// Too easy to guess for the rule.
    Weak,
    /// Taken.
    Good,
    /// Taken, and beyond any guessing.
    Strong,
}

/// Why a password isn't stronger.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// Too few characters.
    Length,
    /// Longer than [`Rule::BYTES_MAX`].
    TooLong,
    /// A common password.
    Common,
    /// Made of a name: of a person, the server, the product.
    Name,
    /// Made of common words.
    Words,
    /// Made of a date or year.
    Date,
    /// Repeats itself.
    Repeat,
    /// Made of rows like `abc` or `6543`.
    Sequence,
    /// Made of keys side by side.
    Keyboard,
    /// Nothing of that; just too short for what it is made of.
    Guessable,
}

/// A password's strength under a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Strength {
    /// In a word.
    pub verdict: Verdict,
    /// What weakens it most, unless it is strong.
    pub reason: Option<Reason>,
    /// Estimated guesses, as a power of ten.
    pub guesses_log10: f64,
}

/// What a password is good enough for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StrengthClass {
    /// Anyone may try it.
    Internet,
    /// Only the computers of the local network may, and why.
    LocalNetwork(Option<Reason>),
}

impl Rule {
    /// Longer passwords are refused, in bytes.
    pub const BYTES_MAX: usize = 1024;
    /// From here on a password is [`Verdict::Strong`], guesses as a power of ten.
    pub const STRONG_LOG10: u8 = 14;

    /// The rule for a server: stricter when anyone on the Internet may try. To be applied again when that is switched on.
    #[must_use]
    pub const fn new(internet: bool) -> Self {
        if internet {
            Self { chars_min: 12, guesses_log10_min: 10 }
        } else {
            // No shorter one can withstand as many guesses.
            Self { chars_min: 6, guesses_log10_min: 6 }
        }
    }

    /// How strong `password` is. `own` are words a guesser would begin with: the name of the server, of its user.
    #[must_use]
    pub fn rate(&self, password: &Secret, own: &[&str]) -> Strength {
        let text = normalized(password.expose());
        let first = guessed_first(own);
        let estimate = zxcvbn::zxcvbn(&text, &first.iter().map(String::as_str).collect::<Vec<_>>());
        let guesses_log10 = estimate.guesses_log10().max(0.0);
        let (verdict, reason) = if text.len() > Self::BYTES_MAX {
            (Verdict::Weak, Some(Reason::TooLong))
        } else if text.chars().count() < self.chars_min {
            (Verdict::TooShort, Some(Reason::Length))
        } else if guesses_log10 < f64::from(self.guesses_log10_min) {
            (Verdict::Weak, Some(weakness(estimate.sequence(), own)))
        } else if guesses_log10 < f64::from(Self::STRONG_LOG10) {
            (Verdict::Good, Some(weakness(estimate.sequence(), own)))
        } else {
            (Verdict::Strong, None)
        };
        Strength { verdict, reason, guesses_log10 }
    }

    /// The password in the form both computers use, if it is good enough; else why not.
    pub fn accept(&self, password: &Secret, own: &[&str]) -> Result<Secret, Strength> {
        let strength = self.rate(password, own);
        if strength.is_enough() { Ok(normal_form(password)) } else { Err(strength) }
    }

    /// What the password may be used for, to be kept where the password itself is not.
    #[must_use]
    pub fn class(password: &Secret, own: &[&str]) -> StrengthClass {
        match Self::new(true).rate(password, own) {
            strength if strength.is_enough() => StrengthClass::Internet,
            strength => StrengthClass::LocalNetwork(strength.reason),
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn say(&self, reason: Reason, language: Language) -> String {
        let facts = BTreeMap::from([
            ("chars_min".to_owned(), self.chars_min.into()),
            ("bytes_max".to_owned(), Self::BYTES_MAX.into()),
        ]);
        message::word(language, &format!("password-reason-{}", reason.word()), &facts)
    }

    /// The problem (`A05`) that says why a password isn't taken.
    #[must_use]
    pub fn problem(&self, strength: &Strength) -> Problem {
        self.too_weak(strength.reason)
    }

    /// The same, where only the reason is known.
    #[must_use]
    pub fn too_weak(&self, reason: Option<Reason>) -> Problem {
        let reason = reason.unwrap_or(Reason::Guessable);
        let problem = Problem::new(Code::PasswordWeak).with("reason", reason.word());
        problem.with("chars_min", self.chars_min).with("bytes_max", Self::BYTES_MAX)
    }
}

impl Strength {
    /// Whether the rule takes the password.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.verdict >= Verdict::Good
    }
}

impl Verdict {
    /// The word of the meter.
    #[must_use]
    pub fn say(self, language: Language) -> String {
        let key = match self {
            Self::TooShort => "password-too-short",
            Self::Weak => "password-weak",
            Self::Good => "password-good",
            Self::Strong => "password-strong",
        };
        message::word(language, key, &BTreeMap::new())
    }
}

impl Reason {
    /// How the texts call it.
    fn word(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::TooLong => "too-long",
            Self::Common => "common",
            Self::Name => "name",
            Self::Words => "words",
            Self::Date => "date",
            Self::Repeat => "repeat",
            Self::Sequence => "sequence",
            Self::Keyboard => "keyboard",
            Self::Guessable => "guessable",
        }
    }
}

/// The form of a password that both computers use (NFC): the same letters typed on a Mac and on a PC are the same bytes.
#[must_use]
pub fn normal_form(password: &Secret) -> Secret {
    Secret::new(std::mem::take(&mut *normalized(password.expose())))
}

/// Five words chosen by chance from a list of 2,048, joined by dashes: 55 bits, easy to read out on the phone.
#[must_use]
pub fn suggest(language: Language) -> Secret {
    const WORDS: usize = 5;
    let list: Vec<&str> = match language {
        Language::English => ENGLISH.lines().collect(),
        Language::German => GERMAN.lines().collect(),
    };
    loop {
        let mut chance = Zeroizing::new([0_u8; 2 * WORDS]);
        getrandom::fill(&mut *chance).expect("the system has randomness");
        // 65,536 is a multiple of 2,048, so each word is as likely as any other.
        let pick = |pair: &[u8]| list[usize::from(u16::from_le_bytes([pair[0], pair[1]])) % list.len()];
        let words: Vec<&str> = chance.chunks_exact(2).map(pick).collect();
        let suggestion = Secret::new(words.join("-"));
        // Chance can also bring five of the most common words; those would not be called strong.
        if Rule::new(true).rate(&suggestion, &[]).verdict == Verdict::Strong {
            return suggestion;
        }
    }
}

fn normalized(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.nfc().collect())
}

/// Words a guesser tries early, likely ones first: the owner's own, then the common ones, then the lists of suggestions.
/// In lower case and each once: the library takes a word's last place for its rank.
fn guessed_first(own: &[&str]) -> Vec<String> {
    let parts = own.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    // One or two letters would match anywhere and say nothing.
    let own = own.iter().copied().chain(parts).filter(|word| word.chars().count() > 2);
    let listed = [COMMON, ENGLISH, GERMAN].into_iter().flat_map(str::split_whitespace);
    let mut seen = HashSet::new();
    own.chain(listed).map(str::to_lowercase).filter(|word| seen.insert(word.clone())).collect()
}

/// What the largest part of the password that isn't chance is made of.
fn weakness(sequence: &[Match], own: &[&str]) -> Reason {
    let known = sequence.iter().filter(|part| !matches!(part.pattern, MatchPattern::BruteForce));
    let Some(largest) = known.max_by_key(|part| part.token.chars().count()) else { return Reason::Guessable };
    match &largest.pattern {
        MatchPattern::Dictionary(found) => {
            // The library keeps the names of its dictionaries to itself; they are told by how they print.
            match format!("{:?}", found.dictionary_name).as_str() {
                "Passwords" => Reason::Common,
                "FemaleNames" | "MaleNames" | "Surnames" => Reason::Name,
                "UserInputs" if own.iter().any(|own| own.to_lowercase().contains(&found.matched_word)) => Reason::Name,
                _ => Reason::Words,
            }
        }
        MatchPattern::Spatial(_) => Reason::Keyboard,
        MatchPattern::Repeat(_) => Reason::Repeat,
        MatchPattern::Sequence(_) => Reason::Sequence,
        MatchPattern::Regex(_) | MatchPattern::Date(_) => Reason::Date,
        MatchPattern::BruteForce => Reason::Guessable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const INTERNET: Rule = Rule::new(true);
    const OWN_NETWORK: Rule = Rule::new(false);

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn verdict(rule: Rule, text: &str) -> Verdict {
        rule.rate(&secret(text), &["Büro-PC", "anna"]).verdict
    }

    #[test]
    fn german_passwords_that_everybody_tries_are_not_taken_on_the_internet() {
        let tried = "Sommer2026!! Passwort1234 Januar2026!! Schatzilein12 Donnerstag2026 Bundesliga12 Katharina1999 \
            Weihnachten24 Alexander1234 Fussball2026! Sonnenschein1 tandemtandem Büro-PC-2026 annaannaanna \
            qwertzuiop123 123456789012 aaaaaaaaaaaa Password1234";
        for text in tried.split_whitespace() {
            let strength = INTERNET.rate(&secret(text), &["Büro-PC", "anna"]);
            assert_eq!(strength.verdict, Verdict::Weak, "{text} {strength:?}");
        }
    }

    #[test]
    fn the_owners_own_words_are_guessed_before_all_others() {
        assert_eq!(guessed_first(&["Sommer"])[0], "sommer", "even where a list has the word, too");
        let words = guessed_first(&["Anna Müller", "anna"]);
        assert_eq!(words[..3], ["anna müller", "anna", "müller"]);
        assert_eq!(words.iter().filter(|word| *word == "anna").count(), 1);
    }

    #[test]
    fn eleven_characters_are_too_few_for_the_internet_however_random() {
        assert_eq!(verdict(INTERNET, "x7$Kq!9vRz2"), Verdict::TooShort);
        assert_eq!(verdict(OWN_NETWORK, "x7$Kq!9vRz2"), Verdict::Good);
    }

    #[test]
    fn a_password_fine_at_home_is_asked_about_again_when_the_internet_is_switched_on() {
        let password = secret("kranz-29-Fx");
        assert!(OWN_NETWORK.accept(&password, &[]).is_ok());
        assert!(INTERNET.accept(&password, &[]).is_err());
    }

    #[test]
    fn at_home_what_takes_fewer_than_a_million_guesses_is_weak() {
        for text in ["123456", "passwort", "Sommer26", "schatz", "berlin12", "annaanna"] {
            assert!(!OWN_NETWORK.rate(&secret(text), &["anna"]).is_enough(), "{text}");
        }
    }

    #[test]
    fn random_letters_and_long_phrases_are_strong() {
        for text in ["x7$Kq!9vRz2Lm4p", "zylinder-umweht-koala-raspel-igel", "correct-anchor-mild-otter-lamp-quokka"] {
            assert_eq!(verdict(INTERNET, text), Verdict::Strong, "{text}");
        }
    }

    #[test]
    fn the_reason_names_what_weakens_most() {
        for (text, reason) in [
            ("kurz", Reason::Length),
            ("anna-anna-anna", Reason::Repeat),
            ("Büro-PC-2026", Reason::Name),
            ("qwertyuiop[]asdf", Reason::Keyboard),
            ("abcdefghijklmnop", Reason::Sequence),
            ("11.02.1980 12", Reason::Date),
        ] {
            assert_eq!(INTERNET.rate(&secret(text), &["Büro-PC"]).reason, Some(reason), "{text}");
        }
        let endless = "ä".repeat(Rule::BYTES_MAX);
        assert_eq!(INTERNET.rate(&secret(&endless), &[]).reason, Some(Reason::TooLong));
        assert!(!INTERNET.rate(&secret(&endless), &[]).is_enough());
    }

    #[test]
    fn every_reason_and_verdict_has_words_in_every_language() {
        const REASONS: [Reason; 10] = [
            Reason::Length,
            Reason::TooLong,
            Reason::Common,
            Reason::Name,
            Reason::Words,
            Reason::Date,
            Reason::Repeat,
            Reason::Sequence,
            Reason::Keyboard,
            Reason::Guessable,
        ];
        for language in Language::ALL {
            let said: BTreeSet<String> = REASONS.iter().map(|reason| INTERNET.say(*reason, language)).collect();
            assert_eq!(said.len(), REASONS.len());
            assert!(said.iter().all(|text| text.ends_with('.') && !text.contains('{')), "{said:?}");
            for verdict in [Verdict::TooShort, Verdict::Weak, Verdict::Good, Verdict::Strong] {
                assert!(!verdict.say(language).is_empty());
            }
        }
        assert_eq!(INTERNET.say(Reason::Length, Language::German), "Es braucht mindestens 12 Zeichen.");
        let problem = INTERNET.problem(&INTERNET.rate(&secret("kurz"), &[]));
        assert!(problem.view(Language::English).message.ends_with("It needs at least 12 characters."));
        for language in Language::ALL {
            let said: BTreeSet<String> = REASONS
                .map(|reason| Strength { verdict: Verdict::Weak, reason: Some(reason), guesses_log10: 1.0 })
                .map(|strength| INTERNET.problem(&strength).view(language).message)
                .into();
            assert_eq!(said.len(), REASONS.len(), "each reason has its own message");
        }
    }

    #[test]
    fn an_umlaut_typed_in_two_ways_is_one_password() {
        let (composed, decomposed) = (secret("Ku\u{308}hlschrank-41-Xq"), secret("K\u{fc}hlschrank-41-Xq"));
        assert_eq!(normal_form(&composed), normal_form(&decomposed));
        assert_eq!(normal_form(&composed).expose(), "K\u{fc}hlschrank-41-Xq");
    }

    #[test]
    fn a_suggestion_is_strong_and_each_is_another() {
        for language in Language::ALL {
            let suggestions: Vec<Secret> = (0..5).map(|_| suggest(language)).collect();
            for suggestion in &suggestions {
                assert_eq!(suggestion.expose().split('-').count(), 5);
                assert!(INTERNET.rate(suggestion, &[]).verdict == Verdict::Strong);
            }
            let different: BTreeSet<&str> = suggestions.iter().map(Secret::expose).collect();
            assert_eq!(different.len(), suggestions.len());
        }
    }

    #[test]
    fn the_lists_give_eleven_bits_a_word_and_the_first_letters_tell_words_apart() {
        for list in [ENGLISH, GERMAN] {
            let words: BTreeSet<&str> = list.lines().collect();
            assert_eq!(words.len(), 2_048);
            assert!(words.iter().all(|word| word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase())));
            let beginnings: BTreeSet<&str> = words.iter().map(|word| &word[..word.len().min(4)]).collect();
            assert_eq!(beginnings.len(), 2_048);
        }
    }
}
