//! What is published about a server: name, comment, public key and service ID, found by whoever has the server ID.
//!
//! The server ID commits to key, service ID and salt, so nobody can put another server behind it; the signature by that
//! key covers the rest. Where records are stored in the open (the DHT), the server ID itself gives the key to write them
//! and the key to read them: who doesn't have it can do neither.

use crate::{
    BadSignature, Comment, IdentityKey, PublicKey, Salt, ServerId, ServerName, ServiceId, Signature, Statement,
};

/// A published server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerRecord {
    /// What the server is called.
    pub name: ServerName,
    /// What its owner adds to the name.
    pub comment: Option<Comment>,
    /// Who the server is.
    pub public_key: PublicKey,
    /// What a client needs to knock and to find it.
    pub service_id: ServiceId,
    /// What makes this publication's server ID differ from any other.
    pub salt: Salt,
}

/// Why bytes are no published server.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// Not the form of a record.
    #[error("these bytes are no server record")]
    Damaged,
    /// A record of a later form.
    #[error("the server record has form {form}, which this program doesn't know")]
    Newer {
        /// Which.
        form: u8,
    },
    /// The key in it didn't sign it.
    #[error("the server record isn't signed by its own key")]
    NotSigned,
}

impl From<BadSignature> for RecordError {
    fn from(_: BadSignature) -> Self {
        Self::NotSigned
    }
}

const FORM: u8 = 1;
const SUBJECT: &[u8] = b"server record\0";

impl ServerRecord {
    /// Longest record, in bytes.
    pub const BYTES_MAX: usize = 1 + 3 * 16 + 32 + 3 + ServerName::BYTES_MAX + Comment::BYTES_MAX + 64;

    /// The ID that leads to it. Takes about half a second.
    #[must_use]
    pub fn server_id(&self) -> ServerId {
        ServerId::derive(&self.public_key, &self.service_id, &self.salt)
    }

    /// The signed binary form. `None`: the key is another server's.
    #[must_use]
    pub fn sign(&self, key: &IdentityKey) -> Option<Vec<u8>> {
        if key.public() != self.public_key {
            return None;
        }
        let mut bytes = self.form();
        let signature = key.sign(Statement::Record, &[SUBJECT, &bytes].concat());
        bytes.extend_from_slice(&signature.0);
        Some(bytes)
    }

    /// Reads the signed binary form. Whether it belongs to a server ID is another question:
    /// [`server_id`](Self::server_id).
    pub fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let (form, signature) = bytes.split_last_chunk::<64>().ok_or(RecordError::Damaged)?;
        let record = Self::read_form(form)?;
        record.public_key.verify(Statement::Record, &[SUBJECT, form].concat(), &Signature(*signature))?;
        Ok(record)
    }

    fn form(&self) -> Vec<u8> {
        let comment = self.comment.as_ref().map_or("", Comment::as_str);
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(self.public_key.as_bytes());
        bytes.extend_from_slice(self.service_id.as_bytes());
        bytes.extend_from_slice(self.salt.as_bytes());
        bytes.push(self.name.as_str().len() as u8);
        bytes.extend_from_slice(self.name.as_str().as_bytes());
        bytes.extend_from_slice(&(comment.len() as u16).to_be_bytes());
        bytes.extend_from_slice(comment.as_bytes());
        bytes
    }

    fn read_form(bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes.split_first() {
            Some((&FORM, bytes)) => Self::read_fields(bytes).ok_or(RecordError::Damaged),
            Some((&form, _)) => Err(RecordError::Newer { form }),
            None => Err(RecordError::Damaged),
        }
    }

    fn read_fields(bytes: &[u8]) -> Option<Self> {
        let (key, bytes) = bytes.split_first_chunk::<32>()?;
        let (service_id, bytes) = bytes.split_first_chunk::<16>()?;
        let (salt, bytes) = bytes.split_first_chunk::<16>()?;
        let (&len, bytes) = bytes.split_first()?;
        let (name, bytes) = bytes.split_at_checked(usize::from(len))?;
        let (len, comment) = bytes.split_first_chunk::<2>()?;
        if comment.len() != usize::from(u16::from_be_bytes(*len)) {
            return None;
        }
        let comment = match std::str::from_utf8(comment).ok()? {
            "" => None,
            comment => Some(Comment::parse(comment).ok()?),
        };
        Some(Self {
            name: ServerName::parse(std::str::from_utf8(name).ok()?).ok()?,
            comment,
            public_key: PublicKey::from_bytes(key).ok()?,
            service_id: ServiceId::from_bytes(*service_id),
            salt: Salt::from_bytes(*salt),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn office() -> (IdentityKey, ServerRecord) {
        let key = IdentityKey::from_seed(&[1; 32]);
        let record = ServerRecord {
            name: ServerName::parse("Office PC").expect("a name"),
            comment: Some(Comment::parse("Anna, front desk").expect("a comment")),
            public_key: key.public(),
            service_id: ServiceId::from_bytes([2; 16]),
            salt: Salt::from_bytes([3; 16]),
        };
        (key, record)
    }

    #[test]
    fn a_record_is_read_back_with_or_without_a_comment() {
        let (key, record) = office();
        for record in [ServerRecord { comment: None, ..record.clone() }, record] {
            assert_eq!(ServerRecord::read(&record.sign(&key).expect("its own key")), Ok(record));
        }
    }

    #[test]
    fn nobody_else_signs_it() {
        let (key, record) = office();
        assert_eq!(record.sign(&IdentityKey::from_seed(&[9; 32])), None);
        let bytes = record.sign(&key).expect("its own key");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(ServerRecord::read(&changed).is_err(), "byte {at}");
            assert!(ServerRecord::read(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_longest_record_has_its_promised_size() {
        let (key, record) = office();
        let comment = Comment::parse(&format!("{}{}", "a".repeat(2), "\u{1F469}\u{200D}\u{1F469}".repeat(37)))
            .expect("39 characters");
        let record = ServerRecord {
            name: ServerName::parse(&"\u{1F600}".repeat(63)).expect("63 characters"),
            comment: Some(comment),
            ..record
        };
        let bytes = record.sign(&key).expect("its own key");
        assert!(bytes.len() <= ServerRecord::BYTES_MAX);
        assert_eq!(ServerRecord::read(&bytes), Ok(record));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
            let _ = ServerRecord::read(&bytes);
        }
    }
}
