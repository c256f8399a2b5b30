//! Publishing a server under its server ID without anybody's directory: the record lies in the Mainline DHT under a key
//! made from the ID.
//!
//! Anyone with the ID can read it, nobody else can find it, and the ID commits to the server's key, so that nobody can put
//! another server there. Whoever has the ID can overwrite it; then the ID leads nowhere until the server renews it.

use crate::dht::{CONTENT_MAX, Dht, DhtError, Found, ValueKeys};
use identity::{RecordKeys, ServerId, ServerRecord};
use std::collections::BTreeSet;

/// What stands behind a server ID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LookUp {
    /// This server.
    Published(ServerRecord),
    /// Nothing, or no longer anything.
    NotPublished,
    /// Something that doesn't belong to the ID: somebody tries to pass for the server.
    Manipulated,
    /// No node answered.
    NoAnswer,
}

const _: () = assert!(ServerRecord::BYTES_MAX <= CONTENT_MAX, "a record always fits into a value of the DHT");

/// Stores a signed record. It is forgotten after about two hours, so say it again each hour.
pub async fn publish(dht: &Dht, keys: &RecordKeys, signed: &[u8], seq: i64) -> Result<(), DhtError> {
    dht.put(&value_keys(keys), signed, seq).await
}

/// Overwrites the record with nothing.
pub async fn revoke(dht: &Dht, keys: &RecordKeys, seq: i64) -> Result<(), DhtError> {
    dht.put(&value_keys(keys), &[], seq).await
}

/// How often a network that says nothing is asked: what it is asked with are single packets, and packets get lost.
const TRIES: usize = 3;

/// Asks what stands behind an ID. Waits for every answer, because the newest counts: it may say that the record is gone.
pub async fn look_up(dht: &Dht, id: ServerId) -> LookUp {
    let Ok(keys) = tokio::task::spawn_blocking(move || id.record_keys()).await else { return LookUp::NoAnswer };
    for _ in 0..TRIES {
        match ask(dht, &keys, id).await {
            LookUp::NoAnswer => {}
            said => return said,
        }
    }
    LookUp::NoAnswer
}

async fn ask(dht: &Dht, keys: &RecordKeys, id: ServerId) -> LookUp {
    let mut answers = dht.get(vec![value_keys(keys)]);
    let mut found: Vec<Found> = Vec::new();
    while let Some((_, answer)) = answers.recv().await {
        found.push(answer);
    }
    if found.is_empty() {
        return if dht.answers().await { LookUp::NotPublished } else { LookUp::NoAnswer };
    }
    tokio::task::spawn_blocking(move || newest(found, &id)).await.unwrap_or(LookUp::NoAnswer)
}

/// The newest of the answers that say something decides.
fn newest(mut found: Vec<Found>, id: &ServerId) -> LookUp {
    found.sort_by_key(|found| std::cmp::Reverse(found.seq));
    // Each takes half a second to check, and many nodes hold the same.
    let mut checked = BTreeSet::new();
    let mut outcome = LookUp::NotPublished;
    for Found { content, is_empty, .. } in found {
        if is_empty {
            return outcome;
        }
        let Some(content) = content.filter(|content| checked.insert(content.clone())) else { continue };
        match ServerRecord::read(&content) {
            Ok(record) if record.server_id() == *id => return LookUp::Published(record),
            _ => outcome = LookUp::Manipulated,
        }
        if checked.len() >= 4 {
            break;
        }
    }
    outcome
}

const fn value_keys(keys: &RecordKeys) -> ValueKeys {
    ValueKeys { signing_seed: keys.signing_seed, secret: keys.secret }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::{IdentityKey, Salt, ServerName, ServiceId};

    fn record(seed: u8) -> (ServerRecord, Vec<u8>) {
        let key = IdentityKey::from_seed(&[seed; 32]);
        let record = ServerRecord {
            name: ServerName::parse("Office PC").unwrap(),
            comment: None,
            public_key: key.public(),
            service_id: ServiceId::from_bytes([2; 16]),
            salt: Salt::from_bytes([3; 16]),
        };
        let signed = record.sign(&key).unwrap();
        (record, signed)
    }

    fn found(seq: i64, content: Option<&[u8]>) -> Found {
        Found { seq, content: content.map(<[u8]>::to_vec), is_empty: content.is_some_and(<[u8]>::is_empty) }
    }

    #[test]
    fn the_newest_answer_decides_and_another_servers_record_is_told_as_manipulated() {
        let ((office, signed), (_, foreign)) = (record(1), record(9));
        let id = office.server_id();
        assert_eq!(newest(vec![found(1, Some(&signed))], &id), LookUp::Published(office.clone()));
        assert_eq!(newest(vec![found(1, Some(&signed)), found(2, Some(b""))], &id), LookUp::NotPublished);
        assert_eq!(newest(vec![found(3, Some(&signed)), found(2, Some(b""))], &id), LookUp::Published(office.clone()));
        assert_eq!(newest(vec![found(1, Some(&foreign))], &id), LookUp::Manipulated);
        // Noise above it doesn't hide the real one.
        assert_eq!(newest(vec![found(1, Some(&signed)), found(2, Some(&foreign))], &id), LookUp::Published(office));
        assert_eq!(newest(vec![found(1, None)], &id), LookUp::NotPublished);
    }
}
