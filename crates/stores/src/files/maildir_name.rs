//! Names of messages in a Maildir: `base,S=…,U=…:2,flags`.
//!
//! The base is the message's identity in its folder. mbsync writes its own number into it (`,U=…`), which is no part of
//! the identity, and the flags change with every reading. Programs on Windows write `;` or `!` where others write `:`.

use super::keywords::Keywords;
use pim::{Flag, Flags};
use std::{borrow::Cow, ffi::OsStr};

/// A message's file name, taken apart. Bytes, because nothing says that it is UTF-8.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct MessageName<'a> {
    /// Without mbsync's number and without flags.
    pub(super) base: Cow<'a, [u8]>,
    /// The flag letters.
    pub(super) letters: &'a [u8],
}

impl<'a> MessageName<'a> {
    pub(super) fn parse(name: &'a OsStr) -> Self {
        let bytes = name.as_encoded_bytes();
        let (base, letters) = match info_at(bytes) {
            Some(at) => (&bytes[..at], &bytes[at + 3..]),
            None => (bytes, &bytes[bytes.len()..]),
        };
        Self { base: without_mbsync_number(base), letters }
    }
}

/// Where `:2,` begins.
pub(super) fn info_at(name: &[u8]) -> Option<usize> {
    name.windows(3).rposition(|three| matches!(three, [b':' | b';' | b'!', b'2', b',']))
}

fn without_mbsync_number(base: &[u8]) -> Cow<'_, [u8]> {
    let Some(at) = base.windows(3).position(|three| three == b",U=") else { return Cow::Borrowed(base) };
    let digits = base[at + 3..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let end = at + 3 + digits;
    match base.get(end) {
        None => Cow::Borrowed(&base[..at]),
        Some(b',') => Cow::Owned([&base[..at], &base[end..]].concat()),
        Some(_) => Cow::Borrowed(base),
    }
}

const LETTERS: [(u8, Flag); 6] = [
    (b'D', Flag::Draft),
    (b'F', Flag::Flagged),
    (b'P', Flag::Forwarded),
    (b'R', Flag::Answered),
    (b'S', Flag::Seen),
    (b'T', Flag::Deleted),
];

/// What the letters mean.
pub(super) fn flags(letters: &[u8], keywords: &Keywords) -> Flags {
    let known = |letter: &u8| {
        let system = LETTERS.iter().find(|(known, _)| known == letter).map(|(_, flag)| flag.clone());
        system.or_else(|| keywords.name(*letter).map(|name| Flag::Keyword(name.to_owned())))
    };
    Flags(letters.iter().filter_map(known).collect())
}

/// The letters of flags, sorted as Maildir wants them. Letters in `before` whose meaning nobody told us stay.
pub(super) fn letters(flags: &Flags, keywords: &Keywords, before: &[u8]) -> String {
    let letter = |flag: &Flag| match flag {
        Flag::Keyword(name) => keywords.letter(name),
        system => LETTERS.iter().find(|(_, known)| known == system).map(|(letter, _)| *letter),
    };
    let is_unknown = |byte: &u8| {
        byte.is_ascii_alphabetic() && !LETTERS.iter().any(|(known, _)| known == byte) && keywords.name(*byte).is_none()
    };
    let mut letters: Vec<u8> = flags.0.iter().filter_map(letter).collect();
    letters.extend(before.iter().copied().filter(is_unknown));
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().map(char::from).collect()
}

/// The keywords among flags.
pub(super) fn keyword_names(flags: &Flags) -> impl Iterator<Item = &str> + Clone {
    flags.0.iter().filter_map(|flag| if let Flag::Keyword(name) = flag { Some(name.as_str()) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &str) -> String {
        String::from_utf8(MessageName::parse(OsStr::new(name)).base.into_owned()).unwrap()
    }

    #[test]
    fn the_base_has_neither_flags_nor_mbsyncs_number() {
        assert_eq!(base("1.host:2,RS"), "1.host");
        assert_eq!(base("1.host;2,"), "1.host");
        assert_eq!(base("1.host!2,S"), "1.host");
        assert_eq!(base("1.host"), "1.host");
        assert_eq!(base("1.host,U=12:2,S"), "1.host");
        assert_eq!(base("1.host,U=12,S=40:2,S"), "1.host,S=40");
        assert_eq!(base("1.host,S=40,W=41:2,Sa"), "1.host,S=40,W=41");
        assert_eq!(base("1.host,U=x"), "1.host,U=x");
    }

    #[test]
    fn unknown_letters_survive_a_change_of_flags() {
        let keywords = Keywords::default();
        let flags = Flags([Flag::Seen, Flag::Flagged].into());
        assert_eq!(letters(&flags, &keywords, b"RbX"), "FSXb");
    }
}
