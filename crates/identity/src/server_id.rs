//! The 16 characters people type.
//!
//! 14 symbols (70 bits) commit to the server's key and service ID: they are the start of a slow hash over both and a
//! salt that is fresh for each publication. So an ID looks random, a new one has nothing in common with the last one,
//! and whoever looked a record up can tell whether it is the right one. Two more symbols check the typing: a
//! Reed-Solomon code over GF(32) in which any two symbols may be wrong or change places and it is noticed.
//! The alphabet is Crockford's base 32: no I, L, O or U, and 1 and 0 are what people meant by the first three.

use crate::{PublicKey, Salt, ServiceId};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Leads to a published server and proves that what it leads to is the right one.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerId([u8; LEN]);

const LEN: usize = 16;
const DATA_LEN: usize = 14;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl ServerId {
    /// The ID of this key, service ID and salt. Takes about half a second and 64 MiB, on purpose: that is what makes it
    /// hopeless to look for another key with the same ID.
    #[must_use]
    pub fn derive(key: &PublicKey, service_id: &ServiceId, salt: &Salt) -> Self {
        let input = [b"tandem id 1".as_slice(), key.as_bytes(), service_id.as_bytes()].concat();
        let mut hash = [0; 16];
        slow_hash(&input, salt.as_bytes(), &mut hash);
        let bits = u128::from_be_bytes(hash);
        let mut symbols = [0; DATA_LEN];
        for (at, symbol) in symbols.iter_mut().enumerate() {
            *symbol = (bits >> (123 - 5 * at)) as u8 & 31;
        }
        Self::from_data(&symbols)
    }

    /// What writes and reads this ID's record where everybody can store something. Takes about half a second, so that
    /// trying every ID is hopeless.
    #[must_use]
    pub fn record_keys(&self) -> RecordKeys {
        let mut hash = zeroize::Zeroizing::new([0; 64]);
        slow_hash(self.to_string().as_bytes(), b"tandem record key 1", hash.as_mut());
        let (seed, secret) = hash.split_at(32);
        RecordKeys {
            signing_seed: seed.try_into().expect("half of 64"),
            secret: secret.try_into().expect("half of 64"),
        }
    }

    /// Reads an ID as people write it: capitals or not, with hyphens and spaces anywhere, I and L for 1, O for 0.
    pub fn parse(text: &str) -> Result<Self, ServerIdError> {
        let mut symbols = [0; LEN];
        let mut found = 0;
        for character in text.chars().filter(|c| !is_separator(*c)) {
            let symbol = symbol_of(character).ok_or(ServerIdError::Symbol { character, position: found })?;
            if let Some(place) = symbols.get_mut(found) {
                *place = symbol;
            }
            found += 1;
        }
        if found != LEN {
            return Err(ServerIdError::Length { found });
        }
        match syndromes(&symbols) {
            (0, 0) => Ok(Self(symbols)),
            errors => Err(ServerIdError::Typo { suspect: suspect(errors) }),
        }
    }

    fn from_data(data: &[u8; DATA_LEN]) -> Self {
        let mut symbols = [0; LEN];
        symbols[..DATA_LEN].copy_from_slice(data);
        // Two equations with two unknowns: c14 + c15 = sum, w14·c14 + w15·c15 = weighted.
        let (sum, weighted) = syndromes(&symbols);
        let (w14, w15) = (weight(14), weight(15));
        symbols[15] = multiply(weighted ^ multiply(w14, sum), inverse(w14 ^ w15));
        symbols[14] = sum ^ symbols[15];
        debug_assert_eq!(syndromes(&symbols), (0, 0));
        Self(symbols)
    }
}

/// Made from a server ID: who has the ID can read and overwrite its record in the open network, nobody else can find it.
#[derive(Clone)]
pub struct RecordKeys {
    /// The seed of the ed25519 key under which the record is stored (BEP 44).
    pub signing_seed: [u8; 32],
    /// What its contents are encrypted with.
    pub secret: [u8; 32],
}

impl fmt::Debug for RecordKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKeys(..)")
    }
}

/// Argon2id over 64 MiB.
fn slow_hash(input: &[u8], salt: &[u8], hash: &mut [u8]) {
    let params =
        argon2::Params::new(64 * 1024, 3, 1, Some(hash.len())).expect("constant parameters within their limits");
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password_into(input, salt, hash).expect("constant lengths within their limits");
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, symbol) in self.0.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", ALPHABET[usize::from(*symbol)] as char)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever reads it in a log could knock at the server.
        f.write_str("ServerId(..)")
    }
}

impl FromStr for ServerId {
    type Err = ServerIdError;

    fn from_str(text: &str) -> Result<Self, ServerIdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ServerId {
    type Error = ServerIdError;

    fn try_from(text: String) -> Result<Self, ServerIdError> {
        Self::parse(&text)
    }
}

impl From<ServerId> for String {
    fn from(id: ServerId) -> Self {
        id.to_string()
    }
}

/// Why a text isn't a server ID. All of this is known before anything is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServerIdError {
    /// Not 16 letters and digits.
    #[error("a server ID has 16 letters and digits, this has {found}")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// A character no ID has.
    #[error("a server ID has no character like the one at position {position}")]
    Symbol {
        /// The character.
        character: char,
        /// Its place among the letters and digits, from 0.
        position: usize,
    },
    /// The check symbols don't fit: it was mistyped.
    #[error("the server ID was mistyped")]
    Typo {
        /// The place that alone would explain it, from 0. Wrong if two symbols are wrong; only a hint.
        suspect: Option<usize>,
    },
}

pub(crate) fn is_separator(c: char) -> bool {
    // Hyphens as word processors and telephones make them.
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

pub(crate) fn symbol_of(character: char) -> Option<u8> {
    let upper = match character.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    ALPHABET.iter().position(|symbol| *symbol as char == upper).map(|at| at as u8)
}

/// Both are zero for a valid ID: the plain sum of its symbols and the sum weighted by place.
fn syndromes(symbols: &[u8; LEN]) -> (u8, u8) {
    symbols
        .iter()
        .enumerate()
        .fold((0, 0), |(sum, weighted), (at, symbol)| (sum ^ symbol, weighted ^ multiply(weight(at), *symbol)))
}

fn suspect((sum, weighted): (u8, u8)) -> Option<usize> {
    // One error e at place p leaves the sums e and w(p)·e.
    (0..LEN).find(|at| sum != 0 && multiply(weight(*at), sum) == weighted)
}

/// Powers of the generator 2: different for every place, which is what the code rests on.
fn weight(place: usize) -> u8 {
    (0..place).fold(1, |power, _| multiply(power, 2))
}

/// Product in GF(32) with the primitive polynomial x⁵ + x² + 1.
fn multiply(a: u8, b: u8) -> u8 {
    let mut product = 0u16;
    for bit in 0..5 {
        if b >> bit & 1 == 1 {
            product ^= u16::from(a) << bit;
        }
    }
    for bit in (5..10).rev() {
        if product >> bit & 1 == 1 {
            product ^= 0b10_0101 << (bit - 5);
        }
    }
    product as u8
}

/// a³⁰, because a³¹ = 1 for every a but 0.
fn inverse(a: u8) -> u8 {
    (0..30).fold(1, |power, _| multiply(power, a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityKey;
    use proptest::prelude::*;

    fn example() -> ServerId {
        ServerId::from_data(&[8, 4, 16, 7, 31, 28, 30, 24, 13, 6, 31, 1, 24, 27])
    }

    #[test]
    fn every_single_and_double_error_is_found() {
        let good = example().0;
        for first in 0..LEN {
            for first_error in 1..32 {
                let mut single = good;
                single[first] ^= first_error;
                let text = String::from_utf8(single.map(|s| ALPHABET[usize::from(s)]).to_vec()).expect("ASCII");
                assert_eq!(ServerId::parse(&text), Err(ServerIdError::Typo { suspect: Some(first) }));
                for second in first + 1..LEN {
                    for second_error in 1..32 {
                        let mut double = single;
                        double[second] ^= second_error;
                        assert_ne!(syndromes(&double), (0, 0), "{first} {first_error} {second} {second_error}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_swap_is_found() {
        for data in
            [[8, 4, 16, 7, 31, 28, 30, 24, 13, 6, 31, 1, 24, 27], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]]
        {
            let good = ServerId::from_data(&data).0;
            for first in 0..LEN {
                for second in first + 1..LEN {
                    let mut swapped = good;
                    swapped.swap(first, second);
                    assert_eq!(swapped == good, syndromes(&swapped) == (0, 0), "{first} {second}");
                }
            }
        }
    }

    #[test]
    fn an_id_is_read_as_people_write_it() {
        let id = ServerId::from_data(&[0, 1, 0, 1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
        let text = id.to_string();
        assert_eq!(text.len(), 19);
        for written in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', "  "),
            text.replace('-', "\u{2013}"),
            format!("\t {text}\n"),
            text.replacen("01", "Ol", 1),
            text.replacen("01", "oI", 1),
        ] {
            assert_eq!(ServerId::parse(&written), Ok(id), "{written:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(ServerId::parse(""), Err(ServerIdError::Length { found: 0 }));
        assert_eq!(ServerId::parse(&"1".repeat(1000)), Err(ServerIdError::Length { found: 1000 }));
        assert_eq!(ServerId::parse("84G7-U"), Err(ServerIdError::Symbol { character: 'U', position: 4 }));
        let mut text = example().to_string();
        text.pop();
        assert_eq!(ServerId::parse(&text), Err(ServerIdError::Length { found: 15 }));
    }

    #[test]
    fn an_id_commits_to_key_service_id_and_salt() {
        let key = IdentityKey::from_seed(&[1; 32]).public();
        let (service_id, salt) = (ServiceId::from_bytes([2; 16]), Salt::from_bytes([3; 16]));
        let id = ServerId::derive(&key, &service_id, &salt);
        // Published IDs live longer than a version of this program.
        assert_eq!(id.to_string(), "CVWW-PTSP-HJPB-J8J2");
        assert_ne!(id, ServerId::derive(&IdentityKey::from_seed(&[4; 32]).public(), &service_id, &salt));
        assert_ne!(id, ServerId::derive(&key, &ServiceId::from_bytes([4; 16]), &salt));
        assert_ne!(id, ServerId::derive(&key, &service_id, &Salt::from_bytes([4; 16])));
    }

    #[test]
    fn an_ids_record_keys_stay_what_they_are() {
        let keys = example().record_keys();
        // Records in the network outlive a version of this program.
        assert_eq!(keys.signing_seed[..4], [241, 25, 27, 206]);
        assert_ne!(keys.signing_seed, keys.secret);
        assert_eq!(format!("{keys:?}"), "RecordKeys(..)");
    }

    proptest! {
        #[test]
        fn every_id_is_read_back(data in prop::array::uniform14(0u8..32)) {
            let id = ServerId::from_data(&data);
            prop_assert_eq!(ServerId::parse(&id.to_string()), Ok(id));
        }

        #[test]
        fn no_text_makes_the_reader_fall_over(text in any::<String>()) {
            let _ = ServerId::parse(&text);
        }
    }
}
