//! Records in one SQLite file.
//!
//! What is deleted is overwritten with zeros (`secure_delete`). In WAL mode, older copies of pages lie in the log beside the
//! file until it is emptied, so it is emptied after every deletion, and again and again until that succeeds.

use super::{Change, Present, Storage, StorageError, Verdict, decide};
use directory::Operation;
use identity::ServerId;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::spawn_blocking;

const FILE: &str = "directory.sqlite";
const FORM: i64 = 1;
/// "TDir": what `file` and we know the file by.
const APPLICATION_ID: i64 = 0x5444_6972;
const READERS: usize = 4;
/// Pages that a connection keeps in memory, in KiB.
const CACHE_KIB: i64 = 8 * 1024;

const SCHEMA: &str = "
    CREATE TABLE records (
        server_id TEXT PRIMARY KEY,
        public_key BLOB NOT NULL,
        record BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        expires_at_secs INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX records_of_key ON records (public_key);
    CREATE INDEX records_by_expiry ON records (expires_at_secs);
    CREATE TABLE used_challenges (
        nonce BLOB PRIMARY KEY,
        expires_at_secs INTEGER NOT NULL
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE secret (bytes BLOB NOT NULL) STRICT;
";

/// The SQLite file of a directory.
#[derive(Clone, Debug)]
pub struct Sqlite(Arc<Connections>);

#[derive(Debug)]
struct Connections {
    writer: Mutex<Connection>,
    readers: [Mutex<Connection>; READERS],
    next_reader: AtomicUsize,
    /// Something was deleted whose copy may still lie in the log.
    has_traces: AtomicBool,
}

impl Sqlite {
    /// Opens the file in this folder; makes both if need be.
    pub fn open(folder: &Path) -> Result<Self, StorageError> {
        let unusable = |source| StorageError::Folder { path: folder.to_owned(), source };
        create_private(folder).map_err(unusable)?;
        let path = folder.join(FILE);
        let mut writer = connect(&path)?;
        prepare(&mut writer)?;
        let mut readers = Vec::new();
        for _ in 0..READERS {
            let reader = connect(&path)?;
            reader.pragma_update(None, "query_only", true)?;
            readers.push(Mutex::new(reader));
        }
        Ok(Self(Arc::new(Connections {
            writer: Mutex::new(writer),
            readers: readers.try_into().expect("as many as were opened"),
            next_reader: AtomicUsize::new(0),
            // A crash may have come between a deletion and the emptying.
            has_traces: AtomicBool::new(true),
        })))
    }

    async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connections) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let connections = Arc::clone(&self.0);
        match spawn_blocking(move || act(&connections)).await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl Storage for Sqlite {
    async fn look_up(&self, id: ServerId, now_secs: u64) -> Result<Option<Vec<u8>>, StorageError> {
        self.run(move |connections| {
            let reader = connections.reader();
            let mut select =
                reader.prepare_cached("SELECT record FROM records WHERE server_id = ?1 AND expires_at_secs > ?2")?;
            Ok(select.query_row(params![id.to_string(), now_secs.cast_signed()], |row| row.get(0)).optional()?)
        })
        .await
    }

    async fn change(&self, change: Change, now_secs: u64) -> Result<Verdict, StorageError> {
        self.run(move |connections| {
            let mut writer = connections.writer();
            let verdict = carry_out(&mut writer, &change, now_secs)?;
            if verdict == Verdict::Done && change.operation != Operation::Refresh {
                connections.has_traces.store(true, Ordering::Relaxed);
            }
            // Of a record that was replaced or deleted nothing stays behind.
            connections.wipe_traces(&writer)?;
            Ok(verdict)
        })
        .await
    }

    async fn sweep(&self, now_secs: u64) -> Result<(), StorageError> {
        self.run(move |connections| {
            let mut writer = connections.writer();
            let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let now = now_secs.cast_signed();
            let expired = transaction.execute("DELETE FROM records WHERE expires_at_secs <= ?1", [now])?;
            transaction.execute("DELETE FROM used_challenges WHERE expires_at_secs <= ?1", [now])?;
            transaction.commit()?;
            if expired > 0 {
                connections.has_traces.store(true, Ordering::Relaxed);
            }
            connections.wipe_traces(&writer)
        })
        .await
    }

    async fn count(&self) -> Result<u64, StorageError> {
        self.run(|connections| {
            let count: i64 = connections.reader().query_row("SELECT count(*) FROM records", [], |row| row.get(0))?;
            Ok(count.cast_unsigned())
        })
        .await
    }

    async fn secret(&self) -> Result<[u8; 32], StorageError> {
        self.run(|connections| {
            let secret: Vec<u8> = connections.writer().query_row("SELECT bytes FROM secret", [], |row| row.get(0))?;
            secret.try_into().map_err(|_| StorageError::Damaged)
        })
        .await
    }
}

impl Connections {
    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        let next = self.next_reader.fetch_add(1, Ordering::Relaxed) % READERS;
        self.readers[next].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties the log. A reader in the middle of it may prevent that; then the next call does it.
    fn wipe_traces(&self, writer: &Connection) -> Result<(), StorageError> {
        if !self.has_traces.load(Ordering::Relaxed) {
            return Ok(());
        }
        let was_busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        self.has_traces.store(was_busy != 0, Ordering::Relaxed);
        Ok(())
    }
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

fn prepare(connection: &mut Connection) -> Result<(), StorageError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, FORM) => {}
        (APPLICATION_ID, found) if found > FORM => return Err(StorageError::Newer { found, known: FORM }),
        (0, 0) => {
            transaction.execute_batch(SCHEMA)?;
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).expect("the system gives random bytes, or nothing here is safe");
            transaction.execute("INSERT INTO secret VALUES (?1)", [secret])?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", FORM)?;
        }
        _ => return Err(StorageError::Damaged),
    }
    Ok(transaction.commit()?)
}

fn carry_out(connection: &mut Connection, change: &Change, now_secs: u64) -> Result<Verdict, StorageError> {
    let id = change.server_id.to_string();
    let key = change.public_key.as_bytes();
    let (now, sequence) = (now_secs.cast_signed(), change.sequence.cast_signed());
    let expires_at = Change::expires_at_secs(now_secs).cast_signed();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_new = transaction.execute(
        "INSERT INTO used_challenges (nonce, expires_at_secs) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![change.challenge.nonce, change.challenge.expires_at_secs.cast_signed()],
    )?;
    if is_new == 0 {
        return Ok(Verdict::ChallengeUsed);
    }
    let present = transaction
        .query_row(
            "SELECT public_key, sequence FROM records WHERE server_id = ?1 AND expires_at_secs > ?2",
            params![id, now],
            |row| Ok(Present { public_key: row.get(0)?, sequence: row.get::<_, i64>(1)?.cast_unsigned() }),
        )
        .optional()?;
    let others: i64 = transaction.query_row(
        "SELECT count(*) FROM records WHERE public_key = ?1 AND server_id <> ?2 AND expires_at_secs > ?3",
        params![key, id, now],
        |row| row.get(0),
    )?;
    let verdict = decide(change, present, others.cast_unsigned());
    if verdict == Verdict::Done {
        match change.operation {
            Operation::Publish => transaction.execute(
                "INSERT INTO records (server_id, public_key, record, sequence, expires_at_secs)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (server_id) DO UPDATE SET public_key = excluded.public_key, record = excluded.record,
                     sequence = excluded.sequence, expires_at_secs = excluded.expires_at_secs",
                params![id, key, change.record, sequence, expires_at],
            ),
            Operation::Refresh => transaction.execute(
                "UPDATE records SET sequence = ?2, expires_at_secs = ?3 WHERE server_id = ?1",
                params![id, sequence, expires_at],
            ),
            Operation::Revoke => transaction.execute("DELETE FROM records WHERE server_id = ?1", [id]),
        }?;
    }
    // Also after a "no": a challenge is good for one try.
    transaction.commit()?;
    Ok(verdict)
}

/// Others on this computer have no business with the database.
fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
