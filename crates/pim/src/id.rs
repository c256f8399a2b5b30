//! Identities and hashes. Different things get different types: swapping two of them loses mail.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes themselves.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Reads the identity from exactly as many bytes as it has.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// Reads what [`Display`](fmt::Display) writes: lower-case hexadecimal digits.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                if text.len() != $len * 2 || !text.is_ascii() {
                    return None;
                }
                let mut bytes = [0; $len];
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let high = (pair[0] as char).to_digit(16)?;
                    let low = (pair[1] as char).to_digit(16)?;
                    *byte = (high * 16 + low) as u8;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Eight digits tell items apart in a log and keep lines short.
                write!(f, concat!(stringify!($name), "("))?;
                self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
                write!(f, ")")
            }
        }
    };
}

byte_id!(
    /// The same item on every computer: 128 random bits given at first sight.
    ItemUid, 16
);
byte_id!(
    /// The same folder on every computer: 128 random bits given at first sight.
    FolderUid, 16
);
byte_id!(
    /// BLAKE3 of an item's canonical form: equal for items that mean the same.
    CanonHash, 32
);
byte_id!(
    /// BLAKE3 of an item's bytes as its store gave them.
    NativeHash, 32
);
byte_id!(
    /// Hash of what identifies an item to people (Message-ID, UID, name and address): equal keys are worth pairing.
    PairingKey, 16
);
