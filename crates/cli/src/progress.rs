//! How far it is, on standard error, for anything that takes longer than a second.

use crate::{
    door::Door,
    output::Output,
    words::{Words, say},
};
use app::{
    api::types::{Nothing, Status},
    message::Result,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Shorter work isn't worth a bar.
const QUIET: Duration = Duration::from_secs(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);
/// A guess at the time left is made from the speed of the last looks.
const LOOKS_REMEMBERED: usize = 20;

/// Waits for `work` and shows meanwhile how far the instance behind `door` is.
pub(crate) async fn watch<T>(output: Output, door: &Door, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = std::pin::pin!(work);
    if !output.shows_progress() {
        return work.await;
    }
    if let Ok(done) = tokio::time::timeout(QUIET, &mut work).await {
        return done;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let spinner = ProgressStyle::with_template("{spinner} {msg}").expect("the template is part of the program");
    let measured = ProgressStyle::with_template("{wide_bar} {msg}").expect("the template is part of the program");
    bar.set_style(spinner);
    let mut pace = Pace::default();
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            () = tokio::time::sleep(BETWEEN_LOOKS) => {}
        }
        let Ok(status) = door.call::<Status>("status", Nothing {}).await else { continue };
        pace.look(&status, Instant::now());
        if let Some(total) = pace.total() {
            bar.set_style(measured.clone());
            bar.set_length(total);
            bar.set_position(pace.done);
        }
        bar.set_message(pace.say(output.words, &status));
        bar.tick();
    };
    bar.finish_and_clear();
    done
}

/// A bar for work of this process.
#[derive(Debug)]
pub(crate) struct Meter {
    /// `None`: nobody looks.
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Meter {
    /// One that counts bytes.
    pub(crate) fn new(output: Output) -> Self {
        Self::with(output, "{wide_bar} {bytes}/{total_bytes} {eta}")
    }

    /// One that counts steps.
    pub(crate) fn counting(output: Output) -> Self {
        Self::with(output, "{wide_bar} {pos}/{len}")
    }

    fn with(output: Output, template: &str) -> Self {
        let bar = output.shows_progress().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.expect("the template is part of the program"));
            bar
        });
        Self { bar, started: Instant::now() }
    }

    pub(crate) fn show(&self, done: u64, total: u64) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.started.elapsed() >= QUIET) else { return };
        if bar.length().is_none() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.set_length(total);
        bar.set_position(done);
    }

    pub(crate) fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// How much is done since the first look, and how fast it goes.
#[derive(Debug, Default)]
struct Pace {
    first: Option<(u64, u64)>,
    done: u64,
    bytes: u64,
    pending: u64,
    looks: Vec<(Instant, u64)>,
}

impl Pace {
    fn look(&mut self, status: &Status, now: Instant) {
        let (items, bytes) = *self.first.get_or_insert((status.items_done, status.bytes_done));
        self.done = status.items_done.saturating_sub(items);
        self.bytes = status.bytes_done.saturating_sub(bytes);
        self.pending = status.pending;
        if self.looks.len() == LOOKS_REMEMBERED {
            self.looks.remove(0);
        }
        self.looks.push((now, self.done));
    }

    /// `None` while nobody knows yet how much there is.
    fn total(&self) -> Option<u64> {
        Some(self.done + self.pending).filter(|total| *total > 0)
    }

    fn left(&self) -> Option<Duration> {
        let ((since, before), (now, done)) = (*self.looks.first()?, *self.looks.last()?);
        let moved = done.checked_sub(before).filter(|moved| *moved > 0)?;
        let spent = now.duration_since(since);
        // Two looks say nothing about the pace.
        (self.looks.len() > 4 && self.pending > 0)
            .then(|| Duration::from_secs_f64(spent.as_secs_f64() / moved as f64 * self.pending as f64))
    }

    fn say(&self, words: Words, status: &Status) -> String {
        let Some(total) = self.total() else {
            return if status.is_reading {
                say!(words, "progress-reading")
            } else if status.is_connected {
                say!(words, "progress-comparing")
            } else {
                say!(words, "progress-connecting", server = &status.server_name)
            };
        };
        let done = say!(words, "progress-items", done = self.done, total = total, bytes = words.bytes(self.bytes));
        match self.left() {
            Some(left) => {
                let left = words.duration(left.as_secs().max(1));
                format!("{done}, {}", say!(words, "progress-left", time = left))
            }
            None => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::{
        api::types::{RoleView, Word},
        language::Language,
    };

    const WORDS: Words = Words { language: Language::English };

    fn status(items_done: u64, pending: u64) -> Status {
        Status {
            shape: 1,
            version: String::new(),
            role: RoleView::Client,
            name: "Laptop".to_owned(),
            server_name: "Office".to_owned(),
            fingerprint: String::new(),
            word: Word::Synchronizing,
            is_connected: true,
            path: None,
            is_reading: false,
            is_quiet: false,
            pending,
            items_done,
            bytes_done: items_done * 1_000,
            conflicts: 0,
            held: 0,
            internet: false,
            addresses: Vec::new(),
            paused_until: None,
            problem: None,
        }
    }

    #[test]
    fn items_bytes_and_time_left_are_told_once_the_pace_is_known() {
        let mut pace = Pace::default();
        let start = Instant::now();
        pace.look(&status(50, 1_000), start);
        assert_eq!(pace.say(WORDS, &status(50, 1_000)), "0 of 1,000 items, 0 bytes");
        for second in 1..=5 {
            pace.look(&status(50 + 100 * second, 1_000 - 100 * second), start + Duration::from_secs(second));
        }
        let said = pace.say(WORDS, &status(550, 500));
        assert_eq!(said, "500 of 1,000 items, 500 kB, about 5 seconds left");
    }

    #[test]
    fn while_nothing_is_known_the_step_is_told_instead_of_a_number() {
        let mut pace = Pace::default();
        let connecting = Status { is_connected: false, ..status(0, 0) };
        pace.look(&connecting, Instant::now());
        assert_eq!(pace.total(), None);
        assert_eq!(pace.say(WORDS, &connecting), "Connecting to Office …");
        assert_eq!(pace.say(WORDS, &Status { is_reading: true, ..connecting.clone() }), "Reading the data …");
        assert_eq!(pace.say(WORDS, &status(0, 0)), "Comparing both sides …");
    }
}
