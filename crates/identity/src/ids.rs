//! Random and derived 128-bit names. Different things get different types, and what opens a door hides itself.

use crate::{BadKey, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use subtle::ConstantTimeEq;

/// A computer, by its key: the first 16 bytes of SHA-256 over the key's SPKI. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId([u8; 16]);

impl DeviceId {
    /// The name of the computer that holds this key.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let digest = Sha256::digest(key.spki());
        Self(digest[..16].try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Takes a name back that was stored as bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Eight digits tell computers apart in a log.
        f.write_str("DeviceId(")?;
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl FromStr for DeviceId {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        if text.len() != 32 || !text.is_ascii() {
            return Err(BadKey::Length { found: text.len() });
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |c: u8| (c as char).to_digit(16).ok_or(BadKey::NotText);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for DeviceId {
    type Error = BadKey;

    fn try_from(text: String) -> Result<Self, BadKey> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.to_string()
    }
}

macro_rules! random_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name([u8; 16]);

        impl $name {
            /// 128 fresh random bits.
            #[must_use]
            pub fn generate() -> Self {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).expect("the system gives random bytes, or nothing here is safe");
                Self(bytes)
            }

            /// Takes stored bytes back.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes themselves, for storing, sending and keyed hashes; never for a log.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

random_name!(
    /// Made with a server and renewable: whoever has it may knock at the server's port and find its peer name. It opens
    /// no data, but it is told only to people who were invited, so it doesn't print itself.
    ServiceId
);
random_name!(
    /// Fresh for each publication, so that a new server ID has nothing in common with the last one.
    Salt
);
random_name!(
    /// The one-time ticket in an invitation: a guess budget of its own, never a replacement for the password.
    Token
);

impl Token {
    /// What the server stores of a ticket: it can recognize it, but a reader of the file can't use it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(b"tandem ticket 1\0").chain_update(self.0).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityKey;

    #[test]
    fn a_device_id_is_read_back_from_its_digits() {
        let id = DeviceId::of(&IdentityKey::from_seed(&[1; 32]).public());
        assert_eq!(id.to_string().parse::<DeviceId>().expect("own digits"), id);
        assert_eq!(id.to_string().len(), 32);
        assert!("xyz".parse::<DeviceId>().is_err());
        assert!("é".repeat(16).parse::<DeviceId>().is_err());
        assert!("g".repeat(32).parse::<DeviceId>().is_err());
    }

    #[test]
    fn what_opens_a_door_hides_itself() {
        assert_eq!(format!("{:?}", ServiceId::from_bytes([7; 16])), "ServiceId(..)");
        assert_eq!(format!("{:?}", Token::from_bytes([7; 16])), "Token(..)");
    }

    #[test]
    fn fresh_names_differ() {
        assert_ne!(ServiceId::generate(), ServiceId::generate());
        assert_ne!(Token::generate().digest(), Token::generate().digest());
    }
}
