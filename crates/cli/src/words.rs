//! What the terminal says beside problems, in the language asked for. The texts are in `locales/*.ftl`.

use app::{
    language::Language,
    message::{self, Texts},
};
use fluent_bundle::FluentArgs;
use std::{collections::BTreeMap, sync::LazyLock};

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::new(Language::English, source(Language::English)));
static GERMAN: LazyLock<Texts> = LazyLock::new(|| Texts::new(Language::German, source(Language::German)));

/// Texts, amounts and times in a language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) language: Language,
}

/// Something to be put into a text.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Number(u64),
    Text(String),
}

/// Says a text by its key: `say!(words, "sync-done", n = 3)`.
macro_rules! say {
    ($words:expr, $key:literal $(, $name:ident = $part:expr)* $(,)?) => {
        $words.say($key, &[$((stringify!($name), $crate::words::Part::from($part))),*])
    };
}
pub(crate) use say;

impl Words {
    pub(crate) fn say(self, key: &str, parts: &[(&str, Part)]) -> String {
        let mut args = FluentArgs::new();
        for (name, part) in parts {
            match part {
                Part::Number(number) => args.set(*name, *number),
                Part::Text(text) => args.set(*name, printable(text)),
            }
        }
        let texts = match self.language {
            Language::English => &*ENGLISH,
            Language::German => &*GERMAN,
        };
        texts.say(key, None, &args).expect("a test looks up every key in every language")
    }

    /// `1,234`.
    pub(crate) fn number(self, number: u64) -> String {
        grouped(number as f64, self.separator())
    }

    /// `1.5 MB`.
    pub(crate) fn bytes(self, bytes: u64) -> String {
        const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
        let mut amount = bytes as f64;
        let mut unit = 0;
        while amount >= 1_000.0 && unit + 1 < UNITS.len() {
            amount /= 1_000.0;
            unit += 1;
        }
        let digits = usize::from(unit > 0 && amount < 100.0);
        let text = format!("{amount:.digits$} {}", UNITS[unit]);
        match self.language {
            Language::English => text,
            Language::German => text.replace('.', ",").replace("bytes", "Byte"),
        }
    }

    /// `3 minutes`: in the largest unit of which there is at least one.
    pub(crate) fn duration(self, secs: u64) -> String {
        let (key, unit_secs) = match secs {
            ..60 => ("duration-seconds", 1),
            60..3_600 => ("duration-minutes", 60),
            3_600..86_400 => ("duration-hours", 3_600),
            _ => ("duration-days", 86_400),
        };
        let count = BTreeMap::from([("count".to_owned(), (secs / unit_secs).into())]);
        message::word(self.language, key, &count)
    }

    /// `3 minutes ago`.
    pub(crate) fn ago(self, then: u64, now: u64) -> String {
        match now.saturating_sub(then) {
            secs @ ..60 => say!(self, "ago-seconds", count = secs),
            secs @ 60..3_600 => say!(self, "ago-minutes", count = secs / 60),
            secs @ 3_600..86_400 => say!(self, "ago-hours", count = secs / 3_600),
            secs => say!(self, "ago-days", count = secs / 86_400),
        }
    }

    fn separator(self) -> char {
        match self.language {
            Language::English => ',',
            Language::German => '.',
        }
    }
}

impl From<u64> for Part {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Part {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Part {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

/// Titles and names come from files and other computers: an escape sequence in one must not write on the terminal.
pub(crate) fn printable(text: &str) -> String {
    let is_bidi_control =
        |c: char| matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || is_bidi_control(c) { '\u{FFFD}' } else { c }).collect()
}

fn grouped(number: f64, separator: char) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../locales/en.ftl"),
        Language::German => include_str!("../locales/de.ftl"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, path::Path};

    const ENGLISH: Words = Words { language: Language::English };
    const GERMAN: Words = Words { language: Language::German };

    /// Every key with the variables of its text.
    fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut key = String::new();
        for line in source(language).lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if !line.starts_with([' ', '}'])
                && let Some((name, _)) = line.split_once(" =")
            {
                key = name.to_owned();
            }
            let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            texts.entry(key.clone()).or_default().extend(line.split('$').skip(1).map(name));
        }
        texts
    }

    /// Every `say!(…, "key"` of this crate with the names it gives.
    fn said() -> BTreeMap<String, BTreeSet<String>> {
        fn read(folder: &Path, said: &mut BTreeMap<String, BTreeSet<String>>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, said);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap();
                for call in text.split("say!(").skip(1) {
                    let Some((_, rest)) = call.split_once('"') else { continue };
                    let Some((key, rest)) = rest.split_once('"') else { continue };
                    let names = said.entry(key.to_owned()).or_default();
                    // The call ends with the first bracket that isn't closed.
                    let mut depth = 0;
                    let mut word = String::new();
                    for c in rest.chars() {
                        match c {
                            '(' => depth += 1,
                            ')' if depth == 0 => break,
                            ')' => depth -= 1,
                            '=' if depth == 0 && !word.is_empty() => drop(names.insert(std::mem::take(&mut word))),
                            ',' => word.clear(),
                            c if c.is_alphanumeric() || c == '_' => word.push(c),
                            _ => {}
                        }
                    }
                }
            }
        }
        let mut said = BTreeMap::new();
        read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut said);
        said.remove("key");
        said
    }

    #[test]
    fn both_languages_say_the_same_things_with_the_same_parts() {
        assert_eq!(texts(Language::English), texts(Language::German));
    }

    #[test]
    fn every_text_is_said_somewhere_and_everything_said_has_a_text_with_these_parts() {
        let texts = texts(Language::English);
        let mut said = said();
        said.remove("sync-done"); // The example above.
        let keys = |map: &BTreeMap<String, BTreeSet<String>>| map.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&texts), keys(&said));
        for (key, variables) in &texts {
            assert!(variables.is_subset(&said[key]), "{key} wants {variables:?}, gets {:?}", said[key]);
        }
    }

    #[test]
    fn nothing_blames_or_frightens() {
        const NEVER: &str = "error errors failed failure invalid illegal fatal abort aborted \
            fehler fehlgeschlagen ungültig ungültige unzulässig illegale fatale abbruch abgebrochen";
        for language in Language::ALL {
            let texts = source(language).lines().filter(|line| !line.starts_with('#'));
            let lower = texts.collect::<Vec<_>>().join("\n").to_lowercase();
            let frightening = lower
                .split(|c: char| !c.is_alphabetic())
                .find(|word| !word.is_empty() && NEVER.split(' ').any(|never| never == *word));
            assert_eq!(frightening, None, "{language:?}");
        }
    }

    #[test]
    fn amounts_and_times_are_written_as_each_language_does() {
        assert_eq!((ENGLISH.number(1_234_567), GERMAN.number(1_234)), ("1,234,567".into(), "1.234".into()));
        assert_eq!((ENGLISH.bytes(1_500_000), GERMAN.bytes(1_500_000)), ("1.5 MB".into(), "1,5 MB".into()));
        assert_eq!((ENGLISH.bytes(17), GERMAN.bytes(17)), ("17 bytes".into(), "17 Byte".into()));
        assert_eq!((ENGLISH.ago(40, 100), GERMAN.ago(40, 100)), ("one minute ago".into(), "vor einer Minute".into()));
        assert_eq!((ENGLISH.ago(100, 100), GERMAN.ago(0, 200_000)), ("just now".into(), "vor 2 Tagen".into()));
    }

    #[test]
    fn a_title_cannot_write_on_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
    }
}
