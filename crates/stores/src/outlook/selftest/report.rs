//! What the self-test found, for people to read and to send.

use super::Calls;
use crate::conformance::Figures;
use serde::Serialize;
use std::fmt;

/// What the self-test found. Holds no names, addresses or contents.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Outlook's version, like `16.0.0.17726`.
    pub outlook: String,
    /// The suite, in its order.
    pub sentences: Vec<Kept>,
    /// Speed with a few items.
    pub speed: Option<Figures>,
    /// Why speed couldn't be measured.
    pub speed_failed: Option<String>,
    /// What was called, the slowest first.
    pub calls: Vec<Calls>,
    /// Whether nothing of the self-test is left on the computer.
    pub is_removed: bool,
}

/// A sentence of the suite.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// What it says.
    pub sentence: &'static str,
    /// How long it took.
    pub millis: u128,
    /// What was seen instead; `null`: it is so.
    pub failed: Option<String>,
}

impl Report {
    /// Sentences that weren't kept.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.sentences.iter().filter(|kept| kept.failed.is_some()).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::env::consts::{ARCH, OS};
        writeln!(f, "Tandem's self-test with Outlook")?;
        writeln!(f, "Tandem {} on {OS} {ARCH}, Outlook {}", env!("CARGO_PKG_VERSION"), self.outlook)?;
        writeln!(f, "This report holds no names, no addresses and no contents of items.\n")?;
        writeln!(f, "{} of {} as expected\n", self.sentences.len() - self.failed(), self.sentences.len())?;
        for Kept { sentence, millis, failed } in &self.sentences {
            let word = if failed.is_none() { "yes" } else { "NO " };
            writeln!(f, "{word} {millis:>7} ms  {}", sentence.replace('_', " "))?;
            if let Some(why) = failed {
                writeln!(f, "                 {}", why.lines().collect::<Vec<_>>().join(" "))?;
            }
        }
        writeln!(f)?;
        if let Some(speed) = &self.speed {
            writeln!(f, "{speed}")?;
        }
        if let Some(why) = &self.speed_failed {
            writeln!(f, "speed: {why}\n")?;
        }
        let word = if self.is_removed { "yes" } else { "NO" };
        writeln!(f, "data file taken out again: {word}\n")?;
        writeln!(f, "Calls to Outlook     count   mean ms   longest ms")?;
        for Calls { member, count, total_ms, longest_ms } in &self.calls {
            #[allow(clippy::cast_precision_loss)] // A mean.
            let mean = total_ms / *count as f64;
            writeln!(f, "{member:<18} {count:>7} {mean:>9.1} {longest_ms:>12.1}")?;
        }
        Ok(())
    }
}
