//! Which items of a computer are which items of the hub, where no base says so: on the first run, after a lost index,
//! for whatever appeared on both sides.
//!
//! The strongest sign decides first. An item that carries a uid of this hub is that item. Else equal content pairs,
//! then what identifies an item to people (Message-ID, Date and From; the UID of an event or a contact). What only
//! looks alike is shown to a person and kept twice unless that person says otherwise: nothing is ever merged on a
//! guess.
//!
//! Pairs are one to one and follow the count. Two equal items here and three there are two pairs and one new item,
//! because what somebody had twice stays there twice.

use crate::model::Version;
use pim::{ItemUid, Kind, PairingKey};

pub(crate) mod sides;
use sides::{Among, Sides};

/// An item without a base.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Its uid: stamped in the store, or given at first sight. Unique on its side.
    pub uid: ItemUid,
    /// Items of different kinds are never paired.
    pub kind: Kind,
    /// Its content.
    pub version: Version,
    /// What identifies it to people, if anything does.
    pub identity: Option<PairingKey>,
    /// What suggests, without proving, that another item is the same one.
    pub lookalikes: Vec<PairingKey>,
}

/// Why two items are the same one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum How {
    /// The local item carries the hub's uid.
    Stamp,
    /// They mean the same.
    SameContent,
    /// They have the same identity and differ in content: both hashes are kept, and the fields are merged where the
    /// kind merges.
    SameIdentity,
}

/// Two items that are the same one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pair {
    /// The item of this computer.
    pub local: ItemUid,
    /// The item of the hub.
    pub remote: ItemUid,
    /// Why.
    pub how: How,
}

/// What [`pair`] found. Items in neither list are new.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pairing {
    /// The same items, sorted by local uid.
    pub pairs: Vec<Pair>,
    /// Local and remote items that may be the same: shown to a person, both kept by default. Sorted; every item is in
    /// at most one pair or uncertain pair.
    pub uncertain: Vec<(ItemUid, ItemUid)>,
}

/// Pairs the items of one folder on this computer with those of the same folder at the hub.
#[must_use]
pub fn pair(locals: &[Candidate], remotes: &[Candidate]) -> Pairing {
    let mut sides = Candidates::new(locals, remotes);
    let mut pairs = Vec::new();
    let mut add = |how, joined: Vec<(ItemUid, ItemUid)>| {
        pairs.extend(joined.into_iter().map(|(local, remote)| Pair { local, remote, how }));
    };
    add(How::Stamp, sides.join(Among::Several, |item| Some((item.kind, item.uid))));
    add(How::SameContent, sides.join_same_content());
    // Two files with one UID are two items, and nothing tells which of them the other side's changed one is.
    add(How::SameIdentity, sides.join(Among::Two, identity));

    let mut uncertain = sides.join(Among::Several, identity);
    // A key that one item on each side has says more than a key that many share.
    uncertain.extend(sides.join(Among::Two, lookalikes));
    uncertain.extend(sides.join(Among::Several, lookalikes));

    pairs.sort_unstable();
    uncertain.sort_unstable();
    Pairing { pairs, uncertain }
}

/// Finds equal messages that lie in different folders: `locals` and `remotes` are those of all folders that [`pair`]
/// left in neither of its lists. They are as uncertain as look-alikes.
#[must_use]
pub fn across_folders(locals: &[Candidate], remotes: &[Candidate]) -> Vec<(ItemUid, ItemUid)> {
    let mut sides = Candidates::new(locals, remotes);
    sides.sides.keep(is_message, is_message);
    let mut uncertain = sides.join_same_content();
    uncertain.extend(sides.join(Among::Several, identity));
    uncertain.sort_unstable();
    uncertain
}

fn identity(item: &Candidate) -> Option<(Kind, PairingKey)> {
    item.identity.map(|key| (item.kind, key))
}

fn lookalikes(item: &Candidate) -> impl Iterator<Item = (Kind, PairingKey)> {
    item.lookalikes.iter().map(|key| (item.kind, *key))
}

fn is_message(item: &Candidate) -> bool {
    item.kind == Kind::Message
}

struct Candidates<'a> {
    locals: &'a [Candidate],
    remotes: &'a [Candidate],
    sides: Sides<'a, Candidate>,
}

impl<'a> Candidates<'a> {
    fn new(locals: &'a [Candidate], remotes: &'a [Candidate]) -> Self {
        Self { locals, remotes, sides: Sides::new(locals, remotes, |item| item.uid) }
    }

    fn join<K: Ord, I: IntoIterator<Item = K>>(
        &mut self,
        among: Among,
        keys: impl Fn(&'a Candidate) -> I,
    ) -> Vec<(ItemUid, ItemUid)> {
        let joined = self.sides.join(among, keys);
        joined.into_iter().map(|(local, remote)| (self.locals[local].uid, self.remotes[remote].uid)).collect()
    }

    /// In the sense of [`Version::same_content`].
    fn join_same_content(&mut self) -> Vec<(ItemUid, ItemUid)> {
        let mut joined = self.join(Among::Several, |item| Some((item.kind, item.version.native)));
        joined.extend(self.join(Among::Several, |item| Some((item.kind, item.version.rule, item.version.canon))));
        joined
    }
}

#[cfg(test)]
mod tests;
