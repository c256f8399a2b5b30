//! Which item is this? Turns what a store lists into items that are known already and new ones.
//!
//! A store names its items, and names change: another program renames a file, moves a message, writes an event anew
//! under another name. Whatever is listed under a known name is that item, and the caller has settled it before. What
//! is left is decided here, strongest sign first:
//!
//! 1. The item carries the uid. Of two copies with one uid the known name keeps it, the other is a new item.
//! 2. A name vanished and another one with the same content appeared: renamed, or moved to another folder.
//! 3. An object with the same UID vanished and appeared in the same folder: rewritten under another name.
//! 4. Everything else is new.
//!
//! Items are matched one to one, and the outcome doesn't depend on the order in which they are given.

use crate::pairing::sides::{Among, Sides};
use pim::{CanonHash, FolderUid, ItemUid, PairingKey};

/// An item as it was known when its name was last listed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// Which item it is. Every item is known once.
    pub uid: ItemUid,
    /// Where it lay.
    pub folder: FolderUid,
    /// Its name in the store.
    pub href: String,
    /// Its base name, without flags.
    pub name: String,
    /// Its content.
    pub canon: CanonHash,
    /// The UID of the object in it (iCalendar, vCard), if it has exactly one.
    pub object_uid: Option<PairingKey>,
    /// Survives a rename where the system has such a thing (inode).
    pub file_id: Option<u64>,
}

/// An item as it is listed now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// Where it lies.
    pub folder: FolderUid,
    /// Its name in the store.
    pub href: String,
    /// Its base name, without flags.
    pub name: String,
    /// The uid it carries, in stores that hold uids.
    pub uid: Option<ItemUid>,
    /// Its content.
    pub canon: CanonHash,
    /// The UID of the object in it (iCalendar, vCard), if it has exactly one.
    pub object_uid: Option<PairingKey>,
    /// Survives a rename where the system has such a thing (inode).
    pub file_id: Option<u64>,
    /// Contents never change in this store (Maildir): what has other content is another item.
    pub immutable_content: bool,
}

/// Which item a listed one is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Match {
    /// A known item that stayed in its folder: renamed or rewritten.
    Same(ItemUid),
    /// A known item that lies in another folder now.
    Moved(ItemUid),
    /// None of the vanished items. A uid it carries is either a copy's (if the caller knows that uid elsewhere) or one
    /// given before this index began.
    New,
}

/// What [`identify`] found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identified {
    /// One for each appeared item, in the order they were given.
    pub matches: Vec<Match>,
    /// The vanished items that didn't appear anywhere, sorted. Evidence of a deletion, not yet a deletion.
    pub gone: Vec<ItemUid>,
}

/// Tells which of the `vanished` items (known, and not listed again under their name) the `appeared` ones (listed under
/// a name that isn't known) are.
#[must_use]
pub fn identify(vanished: &[Known], appeared: &[Seen]) -> Identified {
    let known: Vec<_> = vanished.iter().map(Signs::of_known).collect();
    let seen: Vec<_> = appeared.iter().map(Signs::of_seen).collect();
    let joined = join(&known, &seen);

    let mut matches = vec![Match::New; appeared.len()];
    let mut is_gone = vec![true; vanished.len()];
    for (was, is) in joined {
        is_gone[was] = false;
        let uid = vanished[was].uid;
        matches[is] = if vanished[was].folder == appeared[is].folder { Match::Same(uid) } else { Match::Moved(uid) };
    }
    let mut gone: Vec<_> = vanished.iter().zip(is_gone).filter(|(_, gone)| *gone).map(|(known, _)| known.uid).collect();
    gone.sort_unstable();
    Identified { matches, gone }
}

/// What an item may be recognised by.
struct Signs<'a> {
    uid: Option<ItemUid>,
    folder: FolderUid,
    href: &'a str,
    name: &'a str,
    canon: CanonHash,
    /// `None` as well where an object is never rewritten.
    object_uid: Option<PairingKey>,
    file_id: Option<u64>,
}

impl<'a> Signs<'a> {
    fn of_known(known: &'a Known) -> Self {
        let Known { uid, folder, href, name, canon, object_uid, file_id } = known;
        Self { uid: Some(*uid), folder: *folder, href, name, canon: *canon, object_uid: *object_uid, file_id: *file_id }
    }

    fn of_seen(seen: &'a Seen) -> Self {
        let Seen { folder, href, name, uid, canon, object_uid, file_id, immutable_content } = seen;
        Self {
            uid: *uid,
            folder: *folder,
            href,
            name,
            canon: *canon,
            object_uid: object_uid.filter(|_| !immutable_content),
            file_id: *file_id,
        }
    }
}

fn join(known: &[Signs<'_>], seen: &[Signs<'_>]) -> Vec<(usize, usize)> {
    use Among::Several;
    let mut sides = Sides::new(known, seen, |item| (item.name, item.folder, item.href, item.uid));

    let mut joined = sides.join(Several, |item| item.uid.map(|uid| (uid, item.name, item.folder)));
    joined.extend(sides.join(Several, |item| item.uid.map(|uid| (uid, item.name))));
    joined.extend(sides.join(Several, |item| item.uid.map(|uid| (uid, item.folder))));
    joined.extend(sides.join(Several, |item| item.uid));
    // What still carries a uid says itself that it is none of the others.
    sides.keep(|_| true, |item| item.uid.is_none());

    // Among equal contents, first those of which most else is equal.
    joined.extend(sides.join(Several, |item| item.file_id.map(|id| (item.canon, id, item.folder))));
    joined.extend(sides.join(Several, |item| item.file_id.map(|id| (item.canon, id))));
    joined.extend(sides.join(Several, |item| Some((item.canon, item.folder, item.name))));
    joined.extend(sides.join(Several, |item| Some((item.canon, item.folder))));
    joined.extend(sides.join(Several, |item| Some((item.canon, item.name))));
    joined.extend(sides.join(Several, |item| Some(item.canon)));

    joined.extend(sides.join(Several, |item| item.object_uid.map(|uid| (uid, item.folder, item.name))));
    joined.extend(sides.join(Several, |item| item.object_uid.map(|uid| (uid, item.folder))));
    joined
}

#[cfg(test)]
mod tests;
