//! Keys and what they sign.
//!
//! An identity key proves itself in TLS, where rustls signs with it, and signs our own statements here. Every statement
//! starts with a prefix of its own ([`Statement`]), so that no signature made for one purpose fits another; TLS
//! signatures start with 64 spaces and so fit none of them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// DER of an ed25519 SubjectPublicKeyInfo up to the 32 bytes of the key (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// DER of an ed25519 PKCS#8 version 1 document up to the 32 bytes of the seed (RFC 8410).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The key of a server or a device, as others know it. Written as base64url without padding.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Takes a key from its bytes. Points of small order are refused: a signature by them holds for many messages.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BadKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| BadKey::NotAPoint)?;
        if key.is_weak() {
            return Err(BadKey::Weak);
        }
        Ok(Self(*bytes))
    }

    /// Takes a key from its SubjectPublicKeyInfo, of which only the one fixed form is accepted.
    pub fn from_spki(der: &[u8]) -> Result<Self, BadKey> {
        let key = der.strip_prefix(&SPKI_PREFIX).ok_or(BadKey::NotSpki)?;
        let key: &[u8; 32] = key.try_into().map_err(|_| BadKey::Length { found: key.len() })?;
        Self::from_bytes(key)
    }

    /// The key's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key as SubjectPublicKeyInfo, the form it has in TLS (RFC 7250).
    #[must_use]
    pub fn spki(&self) -> [u8; 44] {
        let mut der = [0; 44];
        der[..12].copy_from_slice(&SPKI_PREFIX);
        der[12..].copy_from_slice(&self.0);
        der
    }

    /// Says whether the holder of this key signed this statement.
    pub fn verify(&self, statement: Statement, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = VerifyingKey::from_bytes(&self.0).expect("checked when the key was made");
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(&statement.prefixed(message), &signature).map_err(|_| BadSignature)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", &URL_SAFE_NO_PAD.encode(self.0)[..8])
    }
}

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bytes = decode(text)?;
        let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| BadKey::Length { found: bytes.len() })?;
        Self::from_bytes(bytes)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = BadKey;

    fn try_from(text: String) -> Result<Self, BadKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

fn decode(text: &str) -> Result<Vec<u8>, BadKey> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| BadKey::NotText)
}

/// The secret half: the key of this server or of this device. It prints nothing and is wiped when dropped.
#[derive(Clone)]
pub struct IdentityKey(SigningKey);

impl IdentityKey {
    /// Makes a new key.
    #[must_use]
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).expect("the system gives random bytes, or nothing here is safe");
        Self::from_seed(&seed)
    }

    /// Takes a key back from its stored seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for storing it in the keyring or the key file.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The half that may be known.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a statement.
    #[must_use]
    pub fn sign(&self, statement: Statement, message: &[u8]) -> Signature {
        Signature(self.0.sign(&statement.prefixed(message)).to_bytes())
    }

    /// The key as PKCS#8 DER, the form in which rustls takes it.
    #[must_use]
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let mut der = Zeroizing::new(Vec::with_capacity(48));
        der.extend_from_slice(&PKCS8_PREFIX);
        der.extend_from_slice(self.seed());
        der
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(..)")
    }
}

/// What an identity key may say. Each kind of statement has its own prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Statement {
    /// "This is how to find and recognize me."
    Invitation,
    /// "From now on this other key is me."
    KeyChange,
    /// "This is where I am now", or "this is my published record".
    Record,
    /// "Directory, do this with my record."
    DirectoryRequest,
}

impl Statement {
    fn prefixed(self, message: &[u8]) -> Vec<u8> {
        let prefix: &[u8] = match self {
            Self::Invitation => b"tandem invitation 1\0",
            Self::KeyChange => b"tandem key change 1\0",
            Self::Record => b"tandem record 1\0",
            Self::DirectoryRequest => b"tandem directory 1\0",
        };
        [prefix, message].concat()
    }
}

/// An ed25519 signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signature(pub [u8; 64]);

impl Signature {
    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(crate) fn from_text(text: &str) -> Result<Self, BadKey> {
        let bytes = decode(text)?;
        bytes.as_slice().try_into().map(Self).map_err(|_| BadKey::Length { found: bytes.len() })
    }
}

/// Why bytes or text aren't a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadKey {
    /// Too short or too long.
    #[error("a key or name has the wrong length")]
    Length {
        /// How long it was.
        found: usize,
    },
    /// Not the letters and digits it should be written in.
    #[error("a key or name has characters that don't belong there")]
    NotText,
    /// Not an ed25519 SubjectPublicKeyInfo.
    #[error("not an ed25519 public key")]
    NotSpki,
    /// No point of the curve.
    #[error("not a point of the curve")]
    NotAPoint,
    /// A key that anybody could sign for.
    #[error("a weak key")]
    Weak,
}

/// The signature doesn't hold: it was made by another key, for something else, or one of them was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature doesn't hold")]
pub struct BadSignature;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_holds_for_its_kind_its_text_and_its_signer_only() {
        let home = IdentityKey::from_seed(&[1; 32]);
        let other = IdentityKey::from_seed(&[2; 32]);
        let signature = home.sign(Statement::Record, b"here");
        assert_eq!(home.public().verify(Statement::Record, b"here", &signature), Ok(()));
        assert_eq!(home.public().verify(Statement::Invitation, b"here", &signature), Err(BadSignature));
        assert_eq!(home.public().verify(Statement::Record, b"there", &signature), Err(BadSignature));
        assert_eq!(other.public().verify(Statement::Record, b"here", &signature), Err(BadSignature));
    }

    #[test]
    fn weak_keys_are_refused() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity_point), Err(BadKey::Weak));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(BadKey::Weak));
    }

    #[test]
    fn a_key_survives_its_forms() {
        let key = IdentityKey::generate();
        assert_eq!(PublicKey::from_spki(&key.public().spki()), Ok(key.public()));
        assert_eq!(key.public().to_string().parse(), Ok(key.public()));
        assert_eq!(IdentityKey::from_seed(key.seed()).public(), key.public());
        assert_eq!(key.pkcs8().len(), 48);
    }

    #[test]
    fn only_the_one_form_of_spki_is_read() {
        let mut der = IdentityKey::from_seed(&[1; 32]).public().spki().to_vec();
        der.push(0);
        assert_eq!(PublicKey::from_spki(&der), Err(BadKey::Length { found: 33 }));
        der[3] ^= 1;
        assert_eq!(PublicKey::from_spki(&der), Err(BadKey::NotSpki));
        assert_eq!(PublicKey::from_spki(&[]), Err(BadKey::NotSpki));
    }

    #[test]
    fn a_secret_key_is_never_printed() {
        assert_eq!(format!("{:?}", IdentityKey::from_seed(&[1; 32])), "IdentityKey(..)");
    }
}
