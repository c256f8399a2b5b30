//! The guard against mass deletions: what a virus, a wrong path or a careless hand deletes at once is held until a
//! person says that it was meant.
//!
//! A replica may delete, within sliding ten minutes, up to 20 items or 10 % of a folder, and up to 20 items or 5 % of
//! all, whichever is more. When a batch goes beyond a folder's bound, every deletion of that folder in the batch is
//! held, and when it goes beyond the bound of all, every deletion of the batch: a person is to see the whole and not
//! what a counter happened to leave of it. Held deletions keep counting while the window lasts, so what trickles in
//! behind them is held with them, until [`Guard::decide`] says that somebody looked.
//!
//! Sizes are those at the start of the window; deleting bit by bit doesn't lower a bound, and filling a folder doesn't
//! raise it.
//!
//! The caller asks once for every deletion, and remembers itself which ones are held. Approved deletions aren't asked for.
//!
//! Items that go back to an earlier state are counted the same way, by a guard of their own: see [`Guarded`].

use pim::FolderUid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What a replica's guards watch over. Each has its own counts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Guarded {
    /// Items that would be deleted.
    Deletions,
    /// Items that went back to an earlier state, or lost most of their content: a restored backup looks like that.
    Reversions,
}

/// Counts the deletions of one replica.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// Oldest first, at most [`SPANS_MAX`], each of its own number.
    spans: VecDeque<Span>,
}

/// Deletions are counted by spans of this many seconds, and forgotten a whole span at a time.
const SPAN_SECS: u64 = 10;
/// The current span and those that reach into the window.
const SPANS_MAX: u64 = Guard::WINDOW_SECS / SPAN_SECS + 1;

impl Guard {
    /// How long a deletion counts at least.
    pub const WINDOW_SECS: u64 = 600;
    /// So many deletions within the window always pass.
    pub const ALWAYS: u64 = 20;

    /// A guard that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Most deletions in a folder of `size` items that pass within the window.
    #[must_use]
    pub fn folder_bound(size: u64) -> u64 {
        (size / 10).max(Self::ALWAYS)
    }

    /// Most deletions that pass within the window where there are `total` items in all.
    #[must_use]
    pub fn total_bound(total: u64) -> u64 {
        (total / 20).max(Self::ALWAYS)
    }

    /// Asks for a batch of deletions, each named by the folder it is in. Says for each, in order, whether it may pass;
    /// the others are held.
    ///
    /// `folder_sizes` and `total` are numbers of items before the batch. A clock that is set back lets counts live
    /// longer: by less than the window, it is taken to stand still, and by more, everything counts from now on. One
    /// that is set forward can't be told from time that passed.
    pub fn admit(
        &mut self,
        now_secs: u64,
        deletions: &[FolderUid],
        folder_sizes: &dyn Fn(FolderUid) -> u64,
        total: u64,
    ) -> Vec<bool> {
        let now = self.move_window(now_secs);
        let mut batch = BTreeMap::<FolderUid, u64>::new();
        for folder in deletions {
            *batch.entry(*folder).or_default() += 1;
        }
        let batch_len: u64 = batch.values().sum();
        let total_before = self.spans.front().map_or(total, |span| span.total_before);
        let all_may = self.asked_in_all().saturating_add(batch_len) <= Self::total_bound(total_before);

        let mut may_pass = BTreeMap::new();
        for (folder, count) in batch {
            let size_now = folder_sizes(folder);
            let size_before = self.asked_in(folder).next().map_or(size_now, |asked| asked.size_before);
            let asked = self.asked_in(folder).fold(count, |sum, asked| sum.saturating_add(asked.count()));
            let may = all_may && asked <= Self::folder_bound(size_before);

            let entry = self.span(now, total).entry(folder, size_now);
            let counter = if may { &mut entry.passed } else { &mut entry.held };
            *counter = counter.saturating_add(count);
            may_pass.insert(folder, may);
        }
        deletions.iter().map(|folder| may_pass[folder]).collect()
    }

    /// A person decided about what was held in this folder: it no longer counts. What passed still does.
    pub fn decide(&mut self, folder: FolderUid) {
        for span in &mut self.spans {
            if let Ok(index) = span.find(folder) {
                span.asked[index].held = 0;
            }
        }
    }

    /// Everything asked for that still counts, in one folder, oldest first.
    fn asked_in(&self, folder: FolderUid) -> impl Iterator<Item = &Asked> {
        self.spans.iter().filter_map(move |span| span.find(folder).ok().map(|index| &span.asked[index]))
    }

    fn asked_in_all(&self) -> u64 {
        self.spans.iter().flat_map(|span| &span.asked).fold(0, |sum, asked| sum.saturating_add(asked.count()))
    }

    /// Forgets what lies before the window, and tells the number of the span of now. No span is newer afterwards.
    fn move_window(&mut self, now_secs: u64) -> u64 {
        let told = now_secs / SPAN_SECS;
        let newest = self.spans.back().map_or(0, |last| last.number);
        // Clocks are corrected by seconds, and the news of a deletion may come late.
        let now = if newest.saturating_sub(told) < SPANS_MAX { newest.max(told) } else { told };

        self.spans.retain(|span| now.saturating_sub(span.number) < SPANS_MAX);
        for span in std::mem::take(&mut self.spans) {
            // A span of the future tells of a clock that was set back. Its real age is unknown.
            let number = span.number.min(now);
            match self.spans.back_mut() {
                Some(last) if last.number == number => last.absorb(span),
                _ => self.spans.push_back(Span { number, ..span }),
            }
        }
        now
    }

    fn span(&mut self, now: u64, total_before: u64) -> &mut Span {
        if self.spans.back().is_none_or(|last| last.number != now) {
            self.spans.push_back(Span { number: now, total_before, asked: Vec::new() });
        }
        self.spans.back_mut().expect("it was there or has been added")
    }
}

/// What was asked for within some seconds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Span {
    /// Counted in [`SPAN_SECS`].
    number: u64,
    /// Items in all before the first deletion of the span.
    total_before: u64,
    /// Sorted by folder.
    asked: Vec<Asked>,
}

/// What was asked for in one folder.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
struct Asked {
    folder: FolderUid,
    /// Items before the first deletion of the span.
    size_before: u64,
    passed: u64,
    held: u64,
}

impl Asked {
    fn count(&self) -> u64 {
        self.passed.saturating_add(self.held)
    }
}

impl Span {
    fn find(&self, folder: FolderUid) -> Result<usize, usize> {
        self.asked.binary_search_by_key(&folder, |asked| asked.folder)
    }

    fn entry(&mut self, folder: FolderUid, size_before: u64) -> &mut Asked {
        let index = self.find(folder).unwrap_or_else(|index| {
            self.asked.insert(index, Asked { folder, size_before, passed: 0, held: 0 });
            index
        });
        &mut self.asked[index]
    }

    /// Takes in a later span.
    fn absorb(&mut self, later: Self) {
        for asked in later.asked {
            let entry = self.entry(asked.folder, asked.size_before);
            entry.passed = entry.passed.saturating_add(asked.passed);
            entry.held = entry.held.saturating_add(asked.held);
        }
    }
}

#[cfg(test)]
mod tests;
