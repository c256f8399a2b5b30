//! Turns codes and facts into words by Project Fluent.

use super::{Fact, Problem, ProblemView};
use crate::language::Language;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use std::{collections::BTreeMap, fmt, sync::LazyLock};

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::new(Language::English, source(Language::English)));
static GERMAN: LazyLock<Texts> = LazyLock::new(|| Texts::new(Language::German, source(Language::German)));

pub(super) fn view(problem: &Problem, language: Language) -> ProblemView {
    let code = problem.code.as_str();
    let args = args(problem, language);
    let text = |attribute| format(language, code, attribute, &args);
    let headline = text(None).unwrap_or_default();
    let body = text(Some("body")).unwrap_or_default();
    ProblemView {
        code: code.to_owned(),
        message: format!("{headline} {body}"),
        headline,
        action: text(Some("action")).unwrap_or_default(),
        command: text(Some("command")),
        facts: problem.facts.clone(),
    }
}

pub(super) fn word(language: Language, key: &str, facts: &BTreeMap<String, Fact>) -> String {
    let mut args = FluentArgs::new();
    facts.iter().for_each(|(name, fact)| add(&mut args, name, fact, language));
    format(language, key, None, &args).unwrap_or_default()
}

/// The source text of a language.
pub(super) fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../locales/en.ftl"),
        Language::German => include_str!("../../locales/de.ftl"),
    }
}

/// The texts of a language that are part of the program, ready to be said.
pub struct Texts(FluentBundle<FluentResource>);

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts")
    }
}

impl Texts {
    /// Texts written in Project Fluent's syntax. Panics where they aren't, so a test has to say each.
    #[must_use]
    pub fn new(language: Language, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned());
        let resource = resource.expect("the texts are part of the program, and a test reads them");
        let tag = language.tag().parse().expect("the tags of our languages are language tags");
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Marks that keep directions apart would be visible in terminals, and none of our languages needs them.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(match language {
            Language::English => |value, _| format_number(value, ','),
            Language::German => |value, _| format_number(value, '.'),
        }));
        bundle.add_resource(resource).expect("no text is there twice, and a test reads them");
        Self(bundle)
    }

    /// A text, or one of its attributes, with its parts filled in; `None` if there is no such text.
    #[must_use]
    pub fn say(&self, id: &str, attribute: Option<&str>, args: &FluentArgs<'_>) -> Option<String> {
        let message = self.0.get_message(id)?;
        let pattern = match attribute {
            Some(attribute) => message.get_attribute(attribute)?.value(),
            None => message.value()?,
        };
        // What doesn't resolve stays visible as `{$name}`; the tests see to it that everything does.
        Some(self.0.format_pattern(pattern, Some(args), &mut Vec::new()).into_owned())
    }
}

fn format(language: Language, id: &str, attribute: Option<&str>, args: &FluentArgs<'_>) -> Option<String> {
    match language {
        Language::English => ENGLISH.say(id, attribute, args),
        Language::German => GERMAN.say(id, attribute, args),
    }
}

fn args<'a>(problem: &'a Problem, language: Language) -> FluentArgs<'a> {
    let mut args = FluentArgs::new();
    for name in problem.code.facts() {
        match problem.facts.get(*name) {
            Some(fact) => add(&mut args, name, fact, language),
            // A fact nobody knew: zero where a form is chosen by amount, a dash in words.
            None if unit(name).is_some() => add(&mut args, name, &Fact::Number(0), language),
            None => args.set(*name, "–"),
        }
    }
    args
}

/// Adds a fact under its name and, where that ends with a unit, as words under the name without it.
fn add(args: &mut FluentArgs<'_>, name: &str, fact: &Fact, language: Language) {
    match fact {
        Fact::Text(text) => args.set(name.to_owned(), one_line(text)),
        Fact::Number(number) => {
            args.set(name.to_owned(), *number);
            if let Some((stem, unit)) = unit(name) {
                args.set(stem.to_owned(), unit.words(*number, language));
            }
        }
    }
}

/// Names come from files and other computers: a line break or an escape sequence in one must not write on a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_bidi_control(c) { '\u{FFFD}' } else { c }).collect()
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[derive(Clone, Copy)]
enum Unit {
    Bytes,
    Seconds,
    Date,
}

fn unit(name: &str) -> Option<(&str, Unit)> {
    let units = [("_bytes", Unit::Bytes), ("_secs", Unit::Seconds), ("_at", Unit::Date)];
    units.into_iter().find_map(|(suffix, unit)| Some((name.strip_suffix(suffix)?, unit)))
}

impl Unit {
    fn words(self, number: i64, language: Language) -> String {
        match self {
            Self::Bytes => bytes(number, language),
            Self::Seconds => duration(number, language),
            Self::Date => date(number, language),
        }
    }
}

fn bytes(bytes: i64, language: Language) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut amount = bytes as f64;
    let mut unit = 0;
    while amount >= 1000.0 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    let name = if unit == 0 && language == Language::German { "Byte" } else { UNITS[unit] };
    let digits = usize::from(unit > 0 && amount < 100.0);
    let text = format!("{amount:.digits$} {name}");
    if language == Language::German { text.replace('.', ",") } else { text }
}

/// In the largest unit of which there is at least one, rounded up: a pause is never over earlier than said.
fn duration(secs: i64, language: Language) -> String {
    let (key, unit_secs) = match secs {
        ..60 => ("duration-seconds", 1),
        60..3_600 => ("duration-minutes", 60),
        3_600..86_400 => ("duration-hours", 3_600),
        _ => ("duration-days", 86_400),
    };
    let mut args = FluentArgs::new();
    args.set("count", secs.max(0).saturating_add(unit_secs - 1) / unit_secs);
    format(language, key, None, &args).unwrap_or_default()
}

/// The day in UTC; nothing we say by date turns on the hour.
fn date(secs_since_1970: i64, language: Language) -> String {
    // Days to year, month, day after Howard Hinnant's `civil_from_days`: eras of 400 years beginning in March.
    let days = secs_since_1970.div_euclid(86_400) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    match language {
        Language::English => {
            const MONTHS: [&str; 12] =
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
            format!("{day} {month} {year}")
        }
        Language::German => format!("{day:02}.{month:02}.{year}"),
    }
}

/// Whole numbers in groups of three digits.
fn format_number(value: &FluentValue<'_>, separator: char) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    let digits = format!("{:.0}", number.value.abs());
    let mut text = String::from(if number.value < 0.0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(separator);
        }
        text.push(digit);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Code, Exit};
    use std::collections::BTreeSet;

    /// Every text with its key: `N04`, `N04.body`, `password-good`, …
    fn texts(language: Language) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let mut message = String::new();
        let mut key = String::new();
        for line in source(language).lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let attribute = line.trim_start().strip_prefix('.').and_then(|line| line.split_once(" = "));
            let start = (!line.starts_with(' ')).then(|| line.split_once(" = ")).flatten();
            let text = match (start, attribute) {
                (Some((id, text)), _) => {
                    message = id.to_owned();
                    key = id.to_owned();
                    text
                }
                (None, Some((attribute, text))) => {
                    key = format!("{message}.{attribute}");
                    text
                }
                (None, None) => line,
            };
            let entry: &mut String = texts.entry(key.clone()).or_default();
            entry.push_str(text);
            entry.push('\n');
        }
        texts
    }

    fn variables(text: &str) -> BTreeSet<String> {
        let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        text.split('$').skip(1).map(name).collect()
    }

    #[test]
    fn both_languages_say_the_same_things() {
        let keys = |language| texts(language).into_keys().collect::<Vec<_>>();
        assert_eq!(keys(Language::English), keys(Language::German));
    }

    #[test]
    fn every_code_has_headline_body_and_action_and_no_text_is_left_over() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len(), "no code is given twice");
        for language in Language::ALL {
            let texts = texts(language);
            for code in &codes {
                for key in [code.to_string(), format!("{code}.body"), format!("{code}.action")] {
                    assert!(texts.get(&key).is_some_and(|text| !text.trim().is_empty()), "{language:?} {key}");
                }
            }
            for key in texts.keys().filter(|key| key.starts_with(|c: char| c.is_ascii_uppercase())) {
                assert!(codes.contains(&key[..3]), "no code uses {key}");
            }
        }
    }

    #[test]
    fn the_facts_in_the_texts_are_the_facts_of_the_code() {
        for language in Language::ALL {
            let texts = texts(language);
            for code in Code::ALL {
                let mut used = BTreeSet::new();
                for (_, text) in texts.iter().filter(|(key, _)| key.starts_with(code.as_str())) {
                    used.extend(variables(text));
                    let parts = text.split([' ', '\n']).filter_map(|word| texts.get(word));
                    used.extend(parts.flat_map(|part| variables(part)));
                }
                let stem = |fact: &str| unit(fact).map_or(fact.to_owned(), |(stem, _)| stem.to_owned());
                for variable in &used {
                    let known = code.facts().iter().any(|fact| fact == variable || stem(fact) == *variable);
                    assert!(known, "{language:?} {code}: ${variable} is no fact");
                }
                for fact in code.facts() {
                    // Everyone's key may differ: A02 keeps the server's name for programs.
                    let is_used = used.contains(*fact) || used.contains(&stem(fact));
                    assert!(is_used || (*code, *fact) == (Code::KeyDiffers, "server"), "{language:?} {code}: {fact}");
                }
            }
        }
    }

    #[test]
    fn nothing_blames_or_frightens() {
        const NEVER: &str = include_str!("../../locales/never.txt");
        for language in Language::ALL {
            for (key, text) in texts(language) {
                let lower = text.to_lowercase();
                let mut words = lower.split(|c: char| !c.is_alphabetic());
                assert_eq!(
                    words.find(|word| !word.is_empty() && NEVER.split_whitespace().any(|never| never == *word)),
                    None,
                    "{language:?} {key}"
                );
                let asks = lower.split(|c: char| !c.is_alphabetic()).any(|word| matches!(word, "please" | "bitte"));
                assert!(!asks || lower.contains("wait") || lower.contains("warten"), "{language:?} {key}");
            }
        }
    }

    #[test]
    fn every_problem_reads_without_gaps_with_and_without_its_facts() {
        for language in Language::ALL {
            for code in Code::ALL {
                let bare = Problem::new(*code);
                let full = code.facts().iter().fold(bare.clone(), |problem, fact| match unit(fact) {
                    Some(_) => problem.with(fact, 100_000),
                    None if matches!(*fact, "n" | "all" | "tries" | "done" | "line" | "found" | "chars_min") => {
                        problem.with(fact, 3)
                    }
                    None => problem.with(fact, "Büro"),
                });
                for problem in [bare, full] {
                    let view = problem.view(language);
                    for text in [&view.headline, &view.message, &view.action] {
                        let whole = !text.is_empty() && !text.contains(['{', '}', '$', '\n']) && !text.contains("  ");
                        assert!(whole, "{language:?} {code}: {text}");
                    }
                }
            }
        }
    }

    #[test]
    fn amounts_are_written_as_each_language_does() {
        let held = Problem::new(Code::DeletionsHeld)
            .with("n", 1_234)
            .with("all", 1_000_000)
            .with("folder", "Kalender")
            .with("computer", "Laptop");
        assert_eq!(held.view(Language::German).headline, "1.234 Einträge würden gelöscht – angehalten.");
        assert!(held.view(Language::English).message.contains("1,234 of 1,000,000 items"));
        assert_eq!(held.view(Language::English).command.unwrap(), "tandem held restore \"Kalender\"");
        let one = Problem::new(Code::DeletionsHeld).with("n", 1);
        assert_eq!(one.view(Language::German).headline, "Ein Eintrag würde gelöscht – angehalten.");

        let room = Problem::new(Code::NoRoom).with("need_bytes", 1_500_000_000_u64).with("free_bytes", 999);
        assert!(room.view(Language::English).message.contains("1.5 GB are needed, 999 bytes are free"));
        assert!(room.view(Language::German).message.contains("1,5 GB werden gebraucht, 999 Byte sind frei"));
    }

    #[test]
    fn durations_and_dates_are_said_in_words() {
        for (secs, english, german) in [
            (0, "0 seconds", "0 Sekunden"),
            (1, "one second", "1 Sekunde"),
            (61, "2 minutes", "2 Minuten"),
            (3_600, "one hour", "1 Stunde"),
            (172_800, "2 days", "2 Tage"),
        ] {
            assert_eq!(duration(secs, Language::English), english);
            assert_eq!(duration(secs, Language::German), german);
        }
        assert_eq!(date(0, Language::English), "1 Jan 1970");
        assert_eq!(date(1_795_300_000, Language::German), "21.11.2026");
        assert_eq!(date(951_782_400, Language::English), "29 Feb 2000");
    }

    #[test]
    fn a_name_cannot_write_on_the_terminal() {
        let view = Problem::new(Code::NoSuchFolder).with("folder", "a\n\x1b[2J\u{202E}b").view(Language::English);
        assert_eq!(view.headline, "There is no folder «a\u{FFFD}\u{FFFD}[2J\u{FFFD}b».");
    }

    #[test]
    fn a_problem_crosses_the_control_channel_and_is_read_in_the_other_language() {
        let here = Problem::new(Code::ServerPaused).with("server", "Office PC").with("left_secs", 60).because("cause");
        let json = serde_json::to_string(&here).unwrap();
        let there: Problem = serde_json::from_str(&json).unwrap();
        assert_eq!(there, here);
        assert_eq!(there.view(Language::German).headline, "«Office PC» macht Pause.");
        let newer: Problem = serde_json::from_str(r#"{"code":"Z99","facts":{"x":true}}"#)
            .or_else(|_| serde_json::from_str(r#"{"code":"Z99","facts":{"x":1}}"#))
            .unwrap();
        assert_eq!(newer.code, Code::Unexpected);
    }

    #[test]
    fn scripts_can_tell_what_kind_of_problem_it_is() {
        for (code, exit) in [
            (Code::NoKeyring, 0),
            (Code::Unexpected, 1),
            (Code::NotUnderstood, 2),
            (Code::ServerSilent, 3),
            (Code::PasswordWrong, 4),
            (Code::ConflictsWait, 5),
            (Code::DeletionsHeld, 6),
            (Code::StoreGone, 7),
            (Code::ServerPaused, 75),
        ] {
            assert_eq!(code.exit() as u8, exit, "{code}");
        }
        assert_eq!(Exit::Ok as u8, 0);
    }

    #[test]
    fn logs_hold_the_code_and_no_names() {
        let problem = Problem::new(Code::NoSuchFolder).with("folder", "canary").because("not in the index");
        assert_eq!(problem.to_string(), "C08: not in the index");
    }
}
