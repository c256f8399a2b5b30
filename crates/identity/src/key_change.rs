use crate::{BadKey, IdentityKey, PublicKey, Signature, Statement};

/// "From now on this other key is me", signed by the old key. Sent only inside an authenticated session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyChange {
    old: PublicKey,
    new: PublicKey,
    seq: u64,
    signature: Signature,
}

impl KeyChange {
    /// How long the statement is in bytes.
    pub const LEN: usize = 32 + 32 + 8 + 64;

    /// States that `new` follows `old`. `seq` grows with every change of this server.
    #[must_use]
    pub fn sign(old: &IdentityKey, new: &PublicKey, seq: u64) -> Self {
        let signature = old.sign(Statement::KeyChange, &message(&old.public(), new, seq));
        Self { old: old.public(), new: *new, seq, signature }
    }

    /// The new key and its number, if the pinned key really said so and it isn't an old story.
    pub fn accept(&self, pinned: &PublicKey, last_seq: Option<u64>) -> Result<(PublicKey, u64), KeyChangeError> {
        if self.old != *pinned {
            return Err(KeyChangeError::OtherSigner);
        }
        self.old
            .verify(Statement::KeyChange, &message(&self.old, &self.new, self.seq), &self.signature)
            .map_err(|_| KeyChangeError::OtherSigner)?;
        if last_seq.is_some_and(|last| self.seq <= last) {
            return Err(KeyChangeError::Replayed { seq: self.seq });
        }
        Ok((self.new, self.seq))
    }

    /// The statement as it is sent.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..72].copy_from_slice(&message(&self.old, &self.new, self.seq));
        bytes[72..].copy_from_slice(&self.signature.0);
        bytes
    }

    /// Reads a statement; [`accept`](Self::accept) says whether to believe it.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, BadKey> {
        let part = |from: usize| -> &[u8; 32] { bytes[from..from + 32].try_into().expect("32 bytes were cut out") };
        Ok(Self {
            old: PublicKey::from_bytes(part(0))?,
            new: PublicKey::from_bytes(part(32))?,
            seq: u64::from_be_bytes(bytes[64..72].try_into().expect("8 bytes were cut out")),
            signature: Signature(bytes[72..].try_into().expect("64 bytes are left")),
        })
    }
}

fn message(old: &PublicKey, new: &PublicKey, seq: u64) -> [u8; 72] {
    let mut bytes = [0; 72];
    bytes[..32].copy_from_slice(old.as_bytes());
    bytes[32..64].copy_from_slice(new.as_bytes());
    bytes[64..].copy_from_slice(&seq.to_be_bytes());
    bytes
}

/// Why a change of key isn't believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyChangeError {
    /// It isn't signed by the key we know.
    #[error("the change of key isn't signed by the known key")]
    OtherSigner,
    /// It was seen before, or is older than one that was.
    #[error("an old change of key was sent again")]
    Replayed {
        /// Its number.
        seq: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_believed_only_from_the_known_key_and_only_once() {
        let old = IdentityKey::from_seed(&[1; 32]);
        let thief = IdentityKey::from_seed(&[2; 32]);
        let new = IdentityKey::from_seed(&[3; 32]).public();
        let change = KeyChange::sign(&old, &new, 5);
        let sent = KeyChange::from_bytes(&change.to_bytes()).expect("own bytes");
        assert_eq!(sent.accept(&old.public(), None), Ok((new, 5)));
        assert_eq!(sent.accept(&old.public(), Some(4)), Ok((new, 5)));
        assert_eq!(sent.accept(&old.public(), Some(5)), Err(KeyChangeError::Replayed { seq: 5 }));
        let forged = KeyChange::sign(&thief, &new, 6);
        assert_eq!(forged.accept(&old.public(), None), Err(KeyChangeError::OtherSigner));
    }

    #[test]
    fn every_altered_bit_is_noticed() {
        let old = IdentityKey::from_seed(&[1; 32]);
        let bytes = KeyChange::sign(&old, &IdentityKey::from_seed(&[3; 32]).public(), 5).to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes;
            altered[bit / 8] ^= 1 << (bit % 8);
            let believed = KeyChange::from_bytes(&altered).is_ok_and(|c| c.accept(&old.public(), None).is_ok());
            assert!(!believed, "bit {bit}");
        }
    }
}
