//! Item states as bytes.
//!
//! Written out by hand rather than by a derive: there may be a million of them, and a file written today is read by
//! every later version. New kinds and formats get new codes; codes are never given again.
//!
//! | bytes | what |
//! |---|---|
//! | 32 | native hash, first, so that an index can find it |
//! | 32 | canonical hash |
//! | 1, 1 | kind, format |
//! | number | canon rule |
//! | number | size |
//! | number | folder: 0 for the folder of the row, else its number |
//! | number | marks: identity, look-alikes, keywords, then the six flags of mail |
//! | 16 | identity, if marked |
//! | number, 16 each | look-alikes, if marked |
//! | number, texts | keywords, if marked |
//! | number, bytes | name: 0 for the last part of the href, 2n for its first n - 1 bytes, 2n + 1 for n bytes that follow |
//!
//! A number is LEB128.

use super::Fault;
use pim::{CanonHash, Flag, Flags, FolderUid, Format, ItemUid, Kind, NativeHash, PairingKey};
use sync::model::{ItemState, Tombstone, Version};

const IDENTITY: u64 = 1;
const LOOKALIKES: u64 = 2;
const KEYWORDS: u64 = 4;
const FLAGS: [(u64, Flag); 6] = [
    (8, Flag::Seen),
    (16, Flag::Answered),
    (32, Flag::Flagged),
    (64, Flag::Draft),
    (128, Flag::Forwarded),
    (256, Flag::Deleted),
];

/// Writes folders by number and names by what the row already says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// The row's folder.
    pub(crate) folder: Option<i64>,
    /// The last part of the row's href; empty without one.
    pub(crate) tail: &'a str,
}

/// An item's state; `folder` is the number of its folder.
pub(crate) fn write_state(state: &ItemState, folder: i64, context: Context<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(112);
    out.extend_from_slice(state.version.native.as_bytes());
    out.extend_from_slice(state.version.canon.as_bytes());
    out.push(kind_code(state.kind));
    out.push(format_code(state.version.format));
    write_number(&mut out, state.version.rule.into());
    write_number(&mut out, state.version.size);
    write_number(&mut out, if context.folder == Some(folder) { 0 } else { folder as u64 });

    let keywords =
        || state.flags.0.iter().filter_map(|flag| if let Flag::Keyword(word) = flag { Some(word) } else { None });
    let mut marks = 0;
    for (is_marked, mark) in [
        (state.identity.is_some(), IDENTITY),
        (!state.lookalikes.is_empty(), LOOKALIKES),
        (keywords().next().is_some(), KEYWORDS),
    ] {
        marks |= if is_marked { mark } else { 0 };
    }
    marks |= FLAGS.iter().filter(|(_, flag)| state.flags.0.contains(flag)).fold(0, |marks, (mark, _)| marks | mark);
    write_number(&mut out, marks);
    if let Some(identity) = &state.identity {
        out.extend_from_slice(identity.as_bytes());
    }
    if !state.lookalikes.is_empty() {
        write_number(&mut out, state.lookalikes.len() as u64);
        state.lookalikes.iter().for_each(|key| out.extend_from_slice(key.as_bytes()));
    }
    if keywords().next().is_some() {
        write_number(&mut out, keywords().count() as u64);
        keywords().for_each(|word| write_text(&mut out, word));
    }

    let name = state.name.as_str();
    if name == context.tail {
        write_number(&mut out, 0);
    } else if context.tail.starts_with(name) {
        write_number(&mut out, 2 * (name.len() as u64 + 1));
    } else {
        write_number(&mut out, 2 * name.len() as u64 + 1);
        out.extend_from_slice(name.as_bytes());
    }
    out
}

/// Reads what [`write_state`] wrote; `uid_of` knows folders by their numbers.
pub(crate) fn read_state(
    bytes: &[u8],
    context: Context<'_>,
    uid_of: &mut dyn FnMut(i64) -> Result<FolderUid, Fault>,
) -> Result<ItemState, Fault> {
    let mut rest = Reader(bytes);
    let native = NativeHash(rest.array()?);
    let canon = CanonHash(rest.array()?);
    let kind = kind_of(rest.byte()?)?;
    let format = format_of(rest.byte()?)?;
    let rule = u16::try_from(rest.number()?).map_err(|_| DAMAGED)?;
    let size = rest.number()?;
    let folder = uid_of(rest.folder(context)?)?;
    let marks = rest.number()?;
    let identity = if marks & IDENTITY == 0 { None } else { Some(PairingKey(rest.array()?)) };
    let lookalike_count = if marks & LOOKALIKES == 0 { 0 } else { rest.number()? };
    let lookalikes = (0..lookalike_count).map(|_| rest.array().map(PairingKey)).collect::<Result<_, _>>()?;
    let keyword_count = if marks & KEYWORDS == 0 { 0 } else { rest.number()? };
    let keywords = (0..keyword_count).map(|_| rest.text().map(|word| Flag::Keyword(word.to_owned())));
    let mut flags = keywords.collect::<Result<std::collections::BTreeSet<_>, _>>()?;
    flags.extend(FLAGS.iter().filter(|(mark, _)| marks & mark != 0).map(|(_, flag)| flag.clone()));

    let name = match rest.number()? {
        0 => context.tail,
        cut if cut % 2 == 0 => context.tail.get(..(cut / 2 - 1) as usize).ok_or(DAMAGED)?,
        len => rest.text_of(len / 2)?,
    };
    let version = Version { canon, rule, native, format, size };
    Ok(ItemState { kind, folder, version, flags: Flags(flags), name: name.to_owned(), identity, lookalikes })
}

/// What is left of a deleted item.
pub(super) fn write_tombstone(tombstone: &Tombstone, folder: i64) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(tombstone.canon.as_bytes());
    out.push(u8::from(tombstone.identity.is_some()) | u8::from(tombstone.approved) << 1);
    if let Some(identity) = &tombstone.identity {
        out.extend_from_slice(identity.as_bytes());
    }
    write_number(&mut out, folder as u64);
    write_number(&mut out, tombstone.at);
    out
}

/// Reads what [`write_tombstone`] wrote.
pub(super) fn read_tombstone(
    bytes: &[u8],
    uid_of: &mut dyn FnMut(i64) -> Result<FolderUid, Fault>,
) -> Result<Tombstone, Fault> {
    let mut rest = Reader(bytes);
    let canon = CanonHash(rest.array()?);
    let marks = rest.byte()?;
    let identity = if marks & 1 == 0 { None } else { Some(PairingKey(rest.array()?)) };
    let folder = uid_of(rest.number()? as i64)?;
    let at = rest.number()?;
    Ok(Tombstone { folder, canon, identity, at, approved: marks & 2 != 0 })
}

/// The uid in a column.
pub(crate) fn item_uid(bytes: &[u8]) -> Result<ItemUid, Fault> {
    ItemUid::from_slice(bytes).ok_or(DAMAGED)
}

const DAMAGED: Fault = Fault::Damaged("a row can't be read");

/// Takes bytes apart from the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        Ok(self.take(N)?.try_into().expect("as many bytes were taken"))
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DAMAGED)
    }

    fn folder(&mut self, context: Context<'_>) -> Result<i64, Fault> {
        match self.number()? {
            0 => context.folder.ok_or(DAMAGED),
            folder => Ok(folder as i64),
        }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Fault> {
        let len = self.number()?;
        self.text_of(len)
    }

    fn text_of(&mut self, len: u64) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.take(usize::try_from(len).map_err(|_| DAMAGED)?)?).map_err(|_| DAMAGED)
    }
}

fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

const fn kind_code(kind: Kind) -> u8 {
    match kind {
        Kind::Message => 1,
        Kind::Contact => 2,
        Kind::DistributionList => 3,
        Kind::Event => 4,
        Kind::Task => 5,
        Kind::Note => 6,
        Kind::Journal => 7,
    }
}

const fn kind_of(code: u8) -> Result<Kind, Fault> {
    Ok(match code {
        1 => Kind::Message,
        2 => Kind::Contact,
        3 => Kind::DistributionList,
        4 => Kind::Event,
        5 => Kind::Task,
        6 => Kind::Note,
        7 => Kind::Journal,
        _ => return Err(DAMAGED),
    })
}

const fn format_code(format: Format) -> u8 {
    match format {
        Format::Rfc5322 => 1,
        Format::VCard => 2,
        Format::ICalendar => 3,
        Format::Text => 4,
        Format::Markdown => 5,
    }
}

const fn format_of(code: u8) -> Result<Format, Fault> {
    Ok(match code {
        1 => Format::Rfc5322,
        2 => Format::VCard,
        3 => Format::ICalendar,
        4 => Format::Text,
        5 => Format::Markdown,
        _ => return Err(DAMAGED),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync::contract::{event, folder_uid, mail};

    const IN_FOLDER_1: Context<'_> = Context { folder: Some(1), tail: "letter:2,S" };

    fn read(bytes: &[u8]) -> Result<ItemState, Fault> {
        read_state(bytes, IN_FOLDER_1, &mut |number| Ok(folder_uid(number as u32)))
    }

    #[test]
    fn bytes_written_today_are_read_by_every_later_version() {
        let written = write_state(&mail(1, "letter"), 1, IN_FOLDER_1);
        assert_eq!(written[66..72], [1, 0xee, 7, 0, 1, written[71]]);
        assert_eq!(written.len(), 32 + 32 + 2 + 1 + 2 + 1 + 1 + 16 + 1, "a mail costs its hashes and little more");
        assert_eq!(blake3::hash(&written).to_hex()[..16], *"1056acc82d0f6427");
        let written = write_state(&event(2, "party"), 2, IN_FOLDER_1);
        assert_eq!(blake3::hash(&written).to_hex()[..16], *"d7d583608fc1120c");
    }

    #[test]
    fn every_state_comes_back() {
        for (state, folder) in [(mail(1, "letter"), 1), (mail(2, ""), 2), (event(300, "a very long name"), 300)] {
            let written = write_state(&state, folder, IN_FOLDER_1);
            assert_eq!(read(&written).unwrap(), state);
        }
    }

    #[test]
    fn cut_bytes_are_an_error_and_never_something_else() {
        let written = write_state(&event(2, "party"), 2, IN_FOLDER_1);
        for len in 0..written.len() {
            assert!(read(&written[..len]).is_err(), "{len} of {}", written.len());
        }
    }

    #[test]
    fn flipped_bytes_never_stop_the_program() {
        let written = write_state(&event(2, "party"), 2, IN_FOLDER_1);
        for at in 0..written.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = written.clone();
                damaged[at] ^= flip;
                // An error or another state; both are for the caller to judge.
                let _ = read(&damaged);
            }
        }
    }
}
