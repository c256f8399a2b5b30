//! Where records are kept, behind one trait, and the rules of changing them, which are the same everywhere.
//!
//! A record is five things (server name, server ID, comment, public key, service ID) and what makes them verifiable (salt,
//! signature, sequence number, expiry). Name, comment, service ID, salt and signature lie in `record`, in the form their
//! server signed, which is also what is handed out. Nothing is kept about a record that is gone.

use crate::challenge::UsedChallenge;
use directory::Operation;
use identity::{PublicKey, ServerId};
use std::time::Duration;

mod postgres;
pub use postgres::Postgres;

mod sqlite;
pub use sqlite::Sqlite;

/// How long a record stays if its server isn't heard of.
pub const LIFETIME: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// A place for records.
pub trait Storage: Send + Sync + 'static {
    /// The signed form of the record of this ID.
    fn look_up(
        &self,
        id: ServerId,
        now_secs: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StorageError>> + Send;

    /// Does what the rules say, in one transaction, and uses up the challenge with it. After a revoke, nothing of the record
    /// is left in any file.
    fn change(&self, change: Change, now_secs: u64) -> impl Future<Output = Result<Verdict, StorageError>> + Send;

    /// Deletes what has expired.
    fn sweep(&self, now_secs: u64) -> impl Future<Output = Result<(), StorageError>> + Send;

    /// How many records there are. Takes a while when there are many.
    fn count(&self) -> impl Future<Output = Result<u64, StorageError>> + Send;

    /// 32 random bytes, the same for every instance that uses this storage, and for as long as it exists.
    fn secret(&self) -> impl Future<Output = Result<[u8; 32], StorageError>> + Send;
}

/// A change that its key asked for.
#[derive(Clone, Debug)]
pub struct Change {
    /// What is to be done.
    pub operation: Operation,
    /// With which record.
    pub server_id: ServerId,
    /// By whom.
    pub public_key: PublicKey,
    /// Larger than with the last change of this record.
    pub sequence: u64,
    /// The record in its signed form; of use to publish only.
    pub record: Vec<u8>,
    /// What was signed; nothing can be asked for by it again.
    pub challenge: UsedChallenge,
    /// How many records this key may have.
    pub records_per_key_max: u32,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is done.
    Done,
    /// There is no such record.
    NotFound,
    /// Somebody asked for something by this challenge before.
    ChallengeUsed,
    /// A later change came before.
    OldSequence,
    /// The record is another key's.
    Taken,
    /// The key has as many records as one may have.
    TooManyRecords,
}

/// What is stored under the ID now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Present {
    pub(crate) public_key: [u8; 32],
    pub(crate) sequence: u64,
}

/// The rules. `records_of_key` counts the key's records that haven't expired, apart from this one.
pub(crate) fn decide(change: &Change, present: Option<Present>, records_of_key: u64) -> Verdict {
    match (change.operation, present) {
        (_, Some(present)) if present.public_key != *change.public_key.as_bytes() => Verdict::Taken,
        (_, Some(present)) if present.sequence >= change.sequence => Verdict::OldSequence,
        (Operation::Publish, _) if records_of_key >= u64::from(change.records_per_key_max) => Verdict::TooManyRecords,
        (Operation::Refresh | Operation::Revoke, None) => Verdict::NotFound,
        _ => Verdict::Done,
    }
}

impl Change {
    pub(crate) fn expires_at_secs(now_secs: u64) -> u64 {
        now_secs + LIFETIME.as_secs()
    }
}

/// Why a storage can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The folder can't be made or used.
    #[error("the data folder {path} can't be used")]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite said no.
    #[error("the SQLite database can't be used")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said no.
    #[error("the PostgreSQL database can't be used")]
    Postgres(#[from] tokio_postgres::Error),
    /// No connection to PostgreSQL, or none free in time.
    #[error("PostgreSQL can't be reached")]
    Connection(#[from] deadpool_postgres::PoolError),
    /// No certificate that the database's could be checked by.
    #[error("the connection to PostgreSQL can't be encrypted")]
    Certificates(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A later version made it.
    #[error("the database has form {found}, and this version knows {known}: update tandem-directory")]
    Newer {
        /// The form it has.
        found: i64,
        /// The form this version writes.
        known: i64,
    },
    /// What is stored isn't what was written.
    #[error("the database holds something that this program didn't write")]
    Damaged,
}
