//! What people did, to see in the end that nothing of it got lost.

use pim::CanonHash;
use std::collections::{BTreeMap, BTreeSet};

/// Everything people wrote, and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Contents people wrote, with words for the message.
    pub written: BTreeMap<CanonHash, String>,
    followers: BTreeMap<CanonHash, BTreeSet<CanonHash>>,
    /// Contents people deleted while looking at them.
    pub deleted: BTreeSet<CanonHash>,
    /// Marks people put on items: (what identifies the item, the mark).
    pub marks: BTreeSet<(String, String)>,
}

impl Ledger {
    /// A person wrote this.
    pub fn wrote(&mut self, canon: CanonHash, what: String) {
        self.written.entry(canon).or_insert(what);
    }

    /// The second holds everything the first said, or was written by someone who saw it.
    pub fn follows(&mut self, before: CanonHash, after: CanonHash) {
        if before != after {
            self.followers.entry(before).or_default().insert(after);
        }
    }

    /// What was written and can't be found in `kept`, nor anything that followed it.
    #[must_use]
    pub fn lost(&self, kept: &BTreeSet<CanonHash>) -> Vec<String> {
        let is_safe = |canon: CanonHash| {
            let mut seen = BTreeSet::from([canon]);
            let mut next = vec![canon];
            while let Some(canon) = next.pop() {
                if kept.contains(&canon) || self.deleted.contains(&canon) {
                    return true;
                }
                let followers = self.followers.get(&canon).into_iter().flatten();
                next.extend(followers.filter(|follower| seen.insert(**follower)));
            }
            false
        };
        self.written.iter().filter(|(canon, _)| !is_safe(**canon)).map(|(_, what)| what.clone()).collect()
    }
}
