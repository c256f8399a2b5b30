//! The bodies of requests and answers: JSON objects; bytes are base64url without padding.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v1/challenge` | `{}` | [`Challenge`] |
//! | `POST /v1/publish`, `/v1/refresh`, `/v1/revoke` | [`ChangeRequest`] | [`Published`]; a revoke: `{}` |
//! | `POST /v1/lookup` | [`LookupRequest`] | [`LookupAnswer`] |
//! | `GET /v1/info` | – | [`Info`] |
//!
//! Whatever a directory doesn't do it answers with a status of 400 or more and a [`Refusal`]; with 429 and 503, a
//! `Retry-After` header says how many seconds to wait.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{IdentityKey, PublicKey, RecordError, ServerId, ServerRecord, Signature, Statement};
use serde::{Deserialize, Serialize};

/// What a server wants done with its record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Store it.
    Publish,
    /// Keep it for another 60 days.
    Refresh,
    /// Delete it.
    Revoke,
}

impl Operation {
    /// Where such a request goes.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Publish => "/v1/publish",
            Self::Refresh => "/v1/refresh",
            Self::Revoke => "/v1/revoke",
        }
    }
}

/// Something fresh to sign.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// Only its maker reads anything in it.
    pub challenge: String,
}

/// A signed wish about one record.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeRequest {
    /// Which record.
    pub server_id: ServerId,
    /// Who asks; the key in the record.
    pub public_key: PublicKey,
    /// Grows with each request about this record.
    pub sequence: u64,
    /// What the directory gave out.
    pub challenge: String,
    /// To publish: the record, signed for whoever looks it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// By the public key, over all of this, the operation and the directory's name.
    pub signature: String,
}

/// Why a request isn't carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadRequest {
    /// The key didn't sign it, or signed it for something else.
    #[error("the request isn't signed by its key for this operation and directory")]
    NotSigned,
    /// Publishing needs a record, and nothing else has one.
    #[error("the request has no record, or one too many")]
    RecordMisplaced,
    /// The record can't be read.
    #[error("the record can't be read")]
    Record(#[from] RecordError),
    /// The record is another server's.
    #[error("the record belongs to another key")]
    OtherKey,
}

impl ChangeRequest {
    /// The request to store a record.
    ///
    /// `None`: the key is another server's. Derives the server ID, which takes about half a second.
    #[must_use]
    pub fn publish(
        record: &ServerRecord,
        key: &IdentityKey,
        sequence: u64,
        directory: &str,
        challenge: Challenge,
    ) -> Option<Self> {
        let bytes = record.sign(key)?;
        Some(Self::sign(Operation::Publish, record.server_id(), Some(&bytes), key, sequence, directory, challenge))
    }

    /// The request to keep a record.
    #[must_use]
    pub fn refresh(id: ServerId, key: &IdentityKey, sequence: u64, directory: &str, challenge: Challenge) -> Self {
        Self::sign(Operation::Refresh, id, None, key, sequence, directory, challenge)
    }

    /// The request to delete a record.
    #[must_use]
    pub fn revoke(id: ServerId, key: &IdentityKey, sequence: u64, directory: &str, challenge: Challenge) -> Self {
        Self::sign(Operation::Revoke, id, None, key, sequence, directory, challenge)
    }

    fn sign(
        operation: Operation,
        server_id: ServerId,
        record: Option<&[u8]>,
        key: &IdentityKey,
        sequence: u64,
        directory: &str,
        Challenge { challenge }: Challenge,
    ) -> Self {
        let text = signed_text(operation, server_id, sequence, directory, &challenge, record.unwrap_or_default());
        let signature = key.sign(Statement::DirectoryRequest, &text);
        Self {
            server_id,
            public_key: key.public(),
            sequence,
            challenge,
            record: record.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
            signature: URL_SAFE_NO_PAD.encode(signature.0),
        }
    }

    /// Says whether the holder of the key asks this of the directory with that name (its host, with the port if it
    /// isn't the usual one). Answers the record that is to be stored.
    ///
    /// Whether the ID commits to the record isn't looked at: that is slow, and whoever looks the record up sees it.
    pub fn verify(&self, operation: Operation, directory: &str) -> Result<Option<ServerRecord>, BadRequest> {
        let bytes = match (&self.record, operation) {
            (Some(text), Operation::Publish) => decode(text).ok_or(RecordError::Damaged)?,
            (None, Operation::Refresh | Operation::Revoke) => Vec::new(),
            _ => return Err(BadRequest::RecordMisplaced),
        };
        let text = signed_text(operation, self.server_id, self.sequence, directory, &self.challenge, &bytes);
        let signature = decode(&self.signature).and_then(|bytes| bytes.try_into().ok()).ok_or(BadRequest::NotSigned)?;
        self.public_key
            .verify(Statement::DirectoryRequest, &text, &Signature(signature))
            .map_err(|_| BadRequest::NotSigned)?;
        if operation != Operation::Publish {
            return Ok(None);
        }
        let record = ServerRecord::read(&bytes)?;
        if record.public_key != self.public_key {
            return Err(BadRequest::OtherKey);
        }
        Ok(Some(record))
    }
}

/// What is signed. Texts of unlike length can't be read as each other: each is preceded by its length.
fn signed_text(
    operation: Operation,
    id: ServerId,
    sequence: u64,
    directory: &str,
    challenge: &str,
    record: &[u8],
) -> Vec<u8> {
    let mut text = Vec::new();
    let id = id.to_string();
    for part in [operation.path().as_bytes(), directory.as_bytes(), challenge.as_bytes(), id.as_bytes(), record] {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    text.extend_from_slice(&sequence.to_be_bytes());
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// How long a record stays if nothing more is heard of its server.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Seconds since 1970.
    pub expires_at_secs: u64,
}

/// Asks for a record.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LookupRequest {
    /// Which.
    pub server_id: ServerId,
}

/// A record that was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LookupAnswer {
    /// As its server signed it.
    pub record: String,
}

impl LookupAnswer {
    /// The answer with this record, in its signed binary form.
    #[must_use]
    pub fn new(signed_record: &[u8]) -> Self {
        Self { record: URL_SAFE_NO_PAD.encode(signed_record) }
    }

    /// The record, if it is the one that this ID commits to. Takes about half a second.
    #[must_use]
    pub fn open(&self, id: ServerId) -> Option<ServerRecord> {
        let record = ServerRecord::read(&decode(&self.record)?).ok()?;
        (record.server_id() == id).then_some(record)
    }
}

/// What a directory says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// The switchboards beside it. A server registers with each of them.
    #[serde(default)]
    pub rendezvous: Vec<Rendezvous>,
}

impl Info {
    /// How many of them are believed: a directory decides who is asked, not how many. More than the two that people are
    /// told of: a server has a line to each instance of a directory, as whoever looks it up asks beside any of them.
    pub const RENDEZVOUS_MAX: usize = 4;

    /// The switchboards, as far as what is said of them can be used.
    #[must_use]
    pub fn switchboards(&self) -> Vec<identity::Rendezvous> {
        let usable = self.rendezvous.iter().filter_map(|said| {
            Some(identity::Rendezvous { address: identity::HostPort::parse(&said.address)?, key: said.key })
        });
        usable.take(Self::RENDEZVOUS_MAX).collect()
    }
}

/// Where a switchboard is, and the key that shows it is the right one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendezvous {
    /// `host:port`, UDP.
    pub address: String,
    /// Its TLS key.
    pub key: PublicKey,
}

/// Why a directory didn't do what it was asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// In one word.
    pub error: RefusalReason,
}

/// The reasons of a [`Refusal`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// There is no such record, or it expired.
    NotFound,
    /// The challenge is too old, was used, or is another directory's: ask for a new one.
    Challenge,
    /// The request can't be read, or isn't signed by its key.
    Invalid,
    /// The sequence number isn't larger than the last one.
    Sequence,
    /// The ID belongs to another key.
    Taken,
    /// This key has as many records as one key may have.
    TooManyRecords,
    /// The directory holds as many records as it may hold.
    Full,
    /// Too many requests from there, or from everywhere.
    RateLimited,
    /// The directory is called by a name that isn't one of its own: its operator has to set it.
    WrongName,
    /// Something is wrong with the directory itself.
    Unavailable,
    /// A reason that this version doesn't know.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::{Comment, Salt, ServerName, ServiceId};
    use proptest::prelude::*;

    const HERE: &str = "directory.example";

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

    fn challenge() -> Challenge {
        Challenge { challenge: "fresh".to_owned() }
    }

    fn publishing() -> ChangeRequest {
        let (key, record) = office();
        ChangeRequest::publish(&record, &key, 7, HERE, challenge()).expect("its own key")
    }

    #[test]
    fn a_request_holds_for_its_operation_and_its_directory_only() {
        let (_, record) = office();
        let request = publishing();
        assert_eq!(request.verify(Operation::Publish, HERE), Ok(Some(record)));
        assert_eq!(request.verify(Operation::Publish, "other.example"), Err(BadRequest::NotSigned));
        assert_eq!(request.verify(Operation::Refresh, HERE), Err(BadRequest::RecordMisplaced));

        let (key, _) = office();
        let refresh = ChangeRequest::refresh(request.server_id, &key, 8, HERE, challenge());
        assert_eq!(refresh.verify(Operation::Refresh, HERE), Ok(None));
        assert_eq!(refresh.verify(Operation::Revoke, HERE), Err(BadRequest::NotSigned));
        assert_eq!(refresh.verify(Operation::Publish, HERE), Err(BadRequest::RecordMisplaced));
        let revoke = ChangeRequest::revoke(request.server_id, &key, 9, HERE, challenge());
        assert_eq!(revoke.verify(Operation::Revoke, HERE), Ok(None));
    }

    #[test]
    fn nothing_in_a_request_can_be_exchanged() {
        let request = publishing();
        let stranger = IdentityKey::from_seed(&[9; 32]);
        let (_, record) = office();
        let other = ServerRecord { salt: Salt::from_bytes([4; 16]), ..record };
        let other_record = other.sign(&office().0).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        for changed in [
            ChangeRequest { sequence: 8, ..request.clone() },
            ChangeRequest { challenge: "stale".to_owned(), ..request.clone() },
            ChangeRequest { public_key: stranger.public(), ..request.clone() },
            ChangeRequest { server_id: other.server_id(), ..request.clone() },
            ChangeRequest { record: other_record, ..request.clone() },
            ChangeRequest { signature: String::new(), ..request.clone() },
        ] {
            assert_eq!(changed.verify(Operation::Publish, HERE), Err(BadRequest::NotSigned), "{changed:?}");
        }
        assert!(ChangeRequest { record: None, ..request }.verify(Operation::Publish, HERE).is_err());
    }

    #[test]
    fn nobody_publishes_the_record_of_another_key() {
        let (key, record) = office();
        let stranger = IdentityKey::from_seed(&[9; 32]);
        assert_eq!(ChangeRequest::publish(&record, &stranger, 1, HERE, challenge()), None);

        let bytes = record.sign(&key).expect("its own key");
        let id = publishing().server_id;
        let copied = ChangeRequest::sign(Operation::Publish, id, Some(&bytes), &stranger, 1, HERE, challenge());
        assert_eq!(copied.verify(Operation::Publish, HERE), Err(BadRequest::OtherKey));
    }

    #[test]
    fn an_answer_opens_for_the_id_that_commits_to_it_only() {
        let (key, record) = office();
        let id = record.server_id();
        let answer = LookupAnswer::new(&record.sign(&key).expect("its own key"));
        assert_eq!(answer.open(id), Some(record.clone()));

        let stranger = IdentityKey::from_seed(&[9; 32]);
        let swapped = ServerRecord { public_key: stranger.public(), ..record };
        let answer = LookupAnswer::new(&swapped.sign(&stranger).expect("its own key"));
        assert_eq!(answer.open(id), None);
        assert_eq!(LookupAnswer { record: "!".to_owned() }.open(id), None);
    }

    #[test]
    fn the_longest_request_and_the_longest_answer_fit_the_promised_body() {
        let (key, record) = office();
        let record = ServerRecord {
            name: ServerName::parse(&"\u{1F600}".repeat(63)).expect("63 characters"),
            comment: Some(Comment::parse(&"\u{1F469}\u{200D}\u{1F469}".repeat(39)).expect("39 characters")),
            ..record
        };
        let challenge = Challenge { challenge: "c".repeat(128) };
        let request = ChangeRequest::publish(&record, &key, u64::MAX, &"d".repeat(253), challenge).expect("its key");
        assert!(serde_json::to_vec(&request).expect("JSON").len() <= crate::BODY_BYTES_MAX);
        let answer = LookupAnswer::new(&record.sign(&key).expect("its own key"));
        assert!(serde_json::to_vec(&answer).expect("JSON").len() <= crate::BODY_BYTES_MAX);
    }

    #[test]
    fn a_request_survives_json_and_takes_nothing_unknown() {
        let request = publishing();
        let json = serde_json::to_string(&request).expect("JSON");
        assert_eq!(serde_json::from_str::<ChangeRequest>(&json).expect("a request"), request);
        let more = json.replacen('{', r#"{"more":1,"#, 1);
        assert!(serde_json::from_str::<ChangeRequest>(&more).is_err());
    }

    #[test]
    fn a_reason_of_a_later_version_is_a_reason_all_the_same() {
        let refusal: Refusal = serde_json::from_str(r#"{"error":"full_moon"}"#).expect("a refusal");
        assert_eq!(refusal.error, RefusalReason::Other);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_verifier_fall_over(record in ".{0,300}", signature in "[A-Za-z0-9_-]{0,90}") {
            let request = ChangeRequest {
                server_id: ServerId::parse("CVWW-PTSP-HJPB-J8J2").expect("an ID"),
                public_key: office().0.public(),
                sequence: 0,
                challenge: String::new(),
                record: Some(record),
                signature,
            };
            prop_assert!(request.verify(Operation::Publish, HERE).is_err());
        }
    }
}
