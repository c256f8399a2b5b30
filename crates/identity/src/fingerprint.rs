use crate::PublicKey;
use sha2::{Digest, Sha256};
use std::fmt;

/// A key as people compare it on two screens or by telephone: six groups of five digits (about 99 bits).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fingerprint([u32; 6]);

impl Fingerprint {
    /// The fingerprint of this key.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let digest = Sha256::new().chain_update(b"tandem fingerprint 1\0").chain_update(key.as_bytes()).finalize();
        let mut groups = [0; 6];
        for (group, bytes) in groups.iter_mut().zip(digest.chunks_exact(5)) {
            // 40 bits for a number below 100,000: the remainder favours no digit by more than one part in ten million.
            let number = bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            *group = (number % 100_000) as u32;
        }
        Self(groups)
    }

    /// The six groups, each below 100,000.
    #[must_use]
    pub const fn groups(&self) -> [u32; 6] {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{group:05}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityKey;

    #[test]
    fn a_fingerprint_is_six_groups_of_five_digits() {
        let text = Fingerprint::of(&IdentityKey::from_seed(&[1; 32]).public()).to_string();
        let groups: Vec<&str> = text.split(' ').collect();
        assert_eq!(groups.len(), 6);
        assert!(groups.iter().all(|group| group.len() == 5 && group.bytes().all(|digit| digit.is_ascii_digit())));
        assert_ne!(text, Fingerprint::of(&IdentityKey::from_seed(&[2; 32]).public()).to_string());
    }

    #[test]
    fn a_fingerprint_never_changes_between_versions() {
        // People have written it down.
        let key = IdentityKey::from_seed(&[9; 32]).public();
        assert_eq!(Fingerprint::of(&key).to_string(), "06450 84422 17592 76705 85588 82687");
    }
}
