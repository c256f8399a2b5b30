//! Records in PostgreSQL, or what speaks its language. Several instances may use one database.
//!
//! Each change is one serializable transaction, tried again when another one came between. A deleted row is gone for every
//! query; how long its bytes stay in files is the database's business.

use super::{Change, Present, Storage, StorageError, Verdict, decide};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use directory::Operation;
use identity::ServerId;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::{error::Error, fmt, net::IpAddr, path::Path, sync::Arc, time::Duration};
use tokio_postgres::{
    Config, IsolationLevel, NoTls,
    config::{Host, SslMode},
    error::SqlState,
};
use tokio_postgres_rustls::MakeRustlsConnect;

const FORM: i64 = 1;
const CONNECTIONS_MAX: usize = 8;
/// For a connection, and for a free one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a transaction is tried that others come between.
const TRIES: u32 = 12;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS tandem_directory (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        form BIGINT NOT NULL,
        secret BYTEA NOT NULL
    );
    CREATE TABLE IF NOT EXISTS tandem_directory_records (
        server_id TEXT PRIMARY KEY,
        public_key BYTEA NOT NULL,
        record BYTEA NOT NULL,
        sequence BIGINT NOT NULL,
        expires_at_secs BIGINT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS tandem_directory_records_of_key ON tandem_directory_records (public_key);
    CREATE INDEX IF NOT EXISTS tandem_directory_records_by_expiry ON tandem_directory_records (expires_at_secs);
    CREATE TABLE IF NOT EXISTS tandem_directory_challenges (
        nonce BYTEA PRIMARY KEY,
        expires_at_secs BIGINT NOT NULL
    );
";

/// The PostgreSQL database of one or more directories.
#[derive(Clone)]
pub struct Postgres(Pool);

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Postgres").field(&self.0.status()).finish()
    }
}

impl Postgres {
    /// Connects, and makes the tables if need be. `url` is `postgres://…` as in the manual of PostgreSQL.
    ///
    /// A connection to another computer is encrypted and its certificate checked (by `ca`, else by those the system trusts),
    /// unless the URL says `sslmode=disable`. On this computer neither is needed.
    pub async fn connect(url: &str, ca: Option<&Path>) -> Result<Self, StorageError> {
        let mut config: Config = url.parse()?;
        config.connect_timeout(PATIENCE);
        let is_asked_for = matches!(config.get_ssl_mode(), SslMode::Require);
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, manager_config),
            _ if !is_asked_for && config.get_hosts().iter().all(is_here) => {
                Manager::from_config(config, NoTls, manager_config)
            }
            _ => {
                config.ssl_mode(SslMode::Require);
                let tls = MakeRustlsConnect::new(client_config(ca).map_err(StorageError::Certificates)?);
                Manager::from_config(config, tls, manager_config)
            }
        };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS_MAX)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime is set");
        let storage = Self(pool);
        storage.again_if_disturbed(|| storage.prepare()).await?;
        Ok(storage)
    }

    async fn connection(&self) -> Result<Object, StorageError> {
        Ok(self.0.get().await?)
    }

    async fn prepare(&self) -> Result<(), StorageError> {
        let connection = self.connection().await?;
        connection.batch_execute(SCHEMA).await?;
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).expect("the system gives random bytes, or nothing here is safe");
        let insert = "INSERT INTO tandem_directory (one, form, secret) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";
        connection.execute(insert, &[&FORM, &secret.as_slice()]).await?;
        let found: i64 = connection.query_one("SELECT form FROM tandem_directory", &[]).await?.get(0);
        (found == FORM).then_some(()).ok_or(StorageError::Newer { found, known: FORM })
    }

    /// Two transactions, or two instances that make the tables, can come between each other. Then one is told to try again.
    async fn again_if_disturbed<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>>,
    {
        for number in 1..TRIES {
            match attempt().await {
                Err(StorageError::Postgres(error)) if was_disturbed(&error) => {
                    let random = getrandom::u32().expect("the system gives random bytes, or nothing here is safe");
                    let millis = u64::from(random % (10 << number.min(6)));
                    tokio::time::sleep(Duration::from_millis(millis)).await;
                }
                outcome => return outcome,
            }
        }
        attempt().await
    }

    async fn try_change(&self, change: &Change, now_secs: u64) -> Result<Verdict, StorageError> {
        let mut connection = self.connection().await?;
        let transaction = connection.build_transaction().isolation_level(IsolationLevel::Serializable).start().await?;
        let id = change.server_id.to_string();
        let key = change.public_key.as_bytes().as_slice();
        let (now, sequence) = (now_secs.cast_signed(), change.sequence.cast_signed());
        let expires_at = Change::expires_at_secs(now_secs).cast_signed();

        let insert = "INSERT INTO tandem_directory_challenges (nonce, expires_at_secs) VALUES ($1, $2)
                      ON CONFLICT DO NOTHING";
        let challenge_expires_at = change.challenge.expires_at_secs.cast_signed();
        if transaction.execute(insert, &[&change.challenge.nonce.as_slice(), &challenge_expires_at]).await? == 0 {
            return Ok(Verdict::ChallengeUsed);
        }
        let select = "SELECT public_key, sequence FROM tandem_directory_records
                      WHERE server_id = $1 AND expires_at_secs > $2";
        let present = match transaction.query_opt(select, &[&id, &now]).await? {
            None => None,
            Some(row) => Some(Present {
                public_key: row.get::<_, &[u8]>(0).try_into().map_err(|_| StorageError::Damaged)?,
                sequence: row.get::<_, i64>(1).cast_unsigned(),
            }),
        };
        let count = "SELECT count(*) FROM tandem_directory_records
                     WHERE public_key = $1 AND server_id <> $2 AND expires_at_secs > $3";
        let others: i64 = transaction.query_one(count, &[&key, &id, &now]).await?.get(0);
        let verdict = decide(change, present, others.cast_unsigned());
        if verdict == Verdict::Done {
            match change.operation {
                Operation::Publish => {
                    let upsert = "INSERT INTO tandem_directory_records
                                      (server_id, public_key, record, sequence, expires_at_secs)
                                  VALUES ($1, $2, $3, $4, $5)
                                  ON CONFLICT (server_id) DO UPDATE SET public_key = excluded.public_key,
                                      record = excluded.record, sequence = excluded.sequence,
                                      expires_at_secs = excluded.expires_at_secs";
                    transaction.execute(upsert, &[&id, &key, &change.record, &sequence, &expires_at]).await
                }
                Operation::Refresh => {
                    let update = "UPDATE tandem_directory_records SET sequence = $2, expires_at_secs = $3
                                  WHERE server_id = $1";
                    transaction.execute(update, &[&id, &sequence, &expires_at]).await
                }
                Operation::Revoke => {
                    transaction.execute("DELETE FROM tandem_directory_records WHERE server_id = $1", &[&id]).await
                }
            }?;
        }
        // Also after a "no": a challenge is good for one try.
        transaction.commit().await?;
        Ok(verdict)
    }
}

impl Storage for Postgres {
    async fn look_up(&self, id: ServerId, now_secs: u64) -> Result<Option<Vec<u8>>, StorageError> {
        let connection = self.connection().await?;
        let select = "SELECT record FROM tandem_directory_records WHERE server_id = $1 AND expires_at_secs > $2";
        let select = connection.prepare_cached(select).await?;
        let row = connection.query_opt(&select, &[&id.to_string(), &now_secs.cast_signed()]).await?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn change(&self, change: Change, now_secs: u64) -> Result<Verdict, StorageError> {
        self.again_if_disturbed(|| self.try_change(&change, now_secs)).await
    }

    async fn sweep(&self, now_secs: u64) -> Result<(), StorageError> {
        let (connection, now) = (self.connection().await?, now_secs.cast_signed());
        connection.execute("DELETE FROM tandem_directory_records WHERE expires_at_secs <= $1", &[&now]).await?;
        connection.execute("DELETE FROM tandem_directory_challenges WHERE expires_at_secs <= $1", &[&now]).await?;
        Ok(())
    }

    async fn count(&self) -> Result<u64, StorageError> {
        let connection = self.connection().await?;
        let count: i64 = connection.query_one("SELECT count(*) FROM tandem_directory_records", &[]).await?.get(0);
        Ok(count.cast_unsigned())
    }

    async fn secret(&self) -> Result<[u8; 32], StorageError> {
        let row = self.connection().await?.query_one("SELECT secret FROM tandem_directory", &[]).await?;
        row.get::<_, &[u8]>(0).try_into().map_err(|_| StorageError::Damaged)
    }
}

fn was_disturbed(error: &tokio_postgres::Error) -> bool {
    const CODES: [SqlState; 5] = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        // The type that goes with a table.
        SqlState::DUPLICATE_OBJECT,
    ];
    error.code().is_some_and(|code| CODES.contains(code))
}

/// A socket of this computer, or its loopback address.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn client_config(ca: Option<&Path>) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match ca {
        None => builder.with_platform_verifier()?,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(path)? {
                roots.add(certificate?)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}
