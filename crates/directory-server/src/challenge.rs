//! Something fresh to sign, which only this directory can have given out and nobody can use twice.
//!
//! `time ‖ random ‖ HMAC`: the directory needn't remember what it gave out. What was used is remembered by the storage until
//! it is too old anyway. The key lies in the storage too, so each of several instances takes what another one gave out.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use directory::Challenge;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::{fmt, time::Duration};

/// How long a challenge can be used.
pub(crate) const LIFETIME: Duration = Duration::from_secs(300);
/// The clocks of several instances differ by less.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

const TIME: usize = 8;
const RANDOM: usize = 16;
const MAC: usize = 16;
const LEN: usize = TIME + RANDOM + MAC;

/// What challenges are made and known with.
#[derive(Clone)]
pub(crate) struct ChallengeKey([u8; 32]);

/// A challenge that came back: known as ours, and not too old.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UsedChallenge {
    /// What tells it from every other.
    pub nonce: [u8; RANDOM],
    /// When it could be forgotten, in seconds since 1970.
    pub expires_at_secs: u64,
}

impl fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengeKey(..)")
    }
}

impl ChallengeKey {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn give_out(&self, now_secs: u64) -> Challenge {
        let mut bytes = [0; LEN];
        bytes[..TIME].copy_from_slice(&now_secs.to_be_bytes());
        getrandom::fill(&mut bytes[TIME..TIME + RANDOM])
            .expect("the system gives random bytes, or nothing here is safe");
        let mac = self.mac(&bytes[..TIME + RANDOM]).finalize().into_bytes();
        bytes[TIME + RANDOM..].copy_from_slice(&mac[..MAC]);
        Challenge { challenge: URL_SAFE_NO_PAD.encode(bytes) }
    }

    pub(crate) fn take_back(&self, challenge: &str, now_secs: u64) -> Option<UsedChallenge> {
        let bytes: [u8; LEN] = URL_SAFE_NO_PAD.decode(challenge).ok()?.try_into().ok()?;
        let (said, mac) = bytes.split_at(TIME + RANDOM);
        self.mac(said).verify_truncated_left(mac).ok()?;
        let (time, nonce) = said.split_first_chunk::<TIME>().expect("8 of 24 bytes");
        let given_at = u64::from_be_bytes(*time);
        let expires_at_secs = given_at + LIFETIME.as_secs();
        let is_now = given_at <= now_secs + CLOCK_DIFFERENCE.as_secs() && now_secs < expires_at_secs;
        is_now.then(|| UsedChallenge { nonce: nonce.try_into().expect("16 of 16 bytes"), expires_at_secs })
    }

    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&self.0).expect("any length is a key").chain_update(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn a_challenge_is_known_for_five_minutes_by_all_who_have_the_key() {
        let (one, other) = (ChallengeKey::new([1; 32]), ChallengeKey::new([1; 32]));
        let challenge = one.give_out(NOW).challenge;
        assert!(other.take_back(&challenge, NOW).is_some());
        assert!(other.take_back(&challenge, NOW + 299).is_some());
        assert!(other.take_back(&challenge, NOW - 59).is_some(), "another instance's clock may be behind");
        assert!(other.take_back(&challenge, NOW + 300).is_none(), "too old");
        assert!(other.take_back(&challenge, NOW - 3600).is_none(), "an hour off");
        assert!(other.take_back(&challenge, NOW + 3600).is_none(), "an hour off");
    }

    #[test]
    fn nobody_else_makes_one_and_no_two_are_alike() {
        let key = ChallengeKey::new([1; 32]);
        let challenge = key.give_out(NOW).challenge;
        assert!(ChallengeKey::new([2; 32]).take_back(&challenge, NOW).is_none());
        for text in ["", "fresh", &challenge[1..], &format!("{challenge}A")] {
            assert!(key.take_back(text, NOW).is_none(), "{text:?}");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&challenge).expect("base64");
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(key.take_back(&URL_SAFE_NO_PAD.encode(&bytes), NOW).is_none(), "byte {at}");
            bytes[at] ^= 1;
        }
        let nonce = |text: &str| key.take_back(text, NOW).expect("ours").nonce;
        assert_ne!(nonce(&challenge), nonce(&key.give_out(NOW).challenge));
    }
}
