//! What every storage has to do: one suite, each sentence of it for SQLite and for PostgreSQL.

mod support;

use directory::Operation;
use directory_server::{
    UsedChallenge,
    storage::{Change, LIFETIME, Postgres, Sqlite, Storage, Verdict},
};
use std::sync::atomic::{AtomicU64, Ordering};
use support::{Office, any_id};

const NOW: u64 = 1_800_000_000;
const LATER: u64 = NOW + LIFETIME.as_secs();

fn office(number: u8) -> Office {
    Office::with_any_id(number, any_id(number.into()))
}

fn challenge() -> UsedChallenge {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    UsedChallenge { nonce, expires_at_secs: NOW + 300 }
}

fn change(office: &Office, operation: Operation, sequence: u64) -> Change {
    Change {
        operation,
        server_id: office.id,
        public_key: office.key.public(),
        sequence,
        record: if operation == Operation::Publish { office.signed() } else { Vec::new() },
        challenge: challenge(),
        records_per_key_max: 3,
    }
}

async fn done(storage: &impl Storage, office: &Office, operation: Operation, sequence: u64) {
    assert_eq!(verdict(storage, office, operation, sequence).await, Verdict::Done);
}

async fn verdict(storage: &impl Storage, office: &Office, operation: Operation, sequence: u64) -> Verdict {
    storage.change(change(office, operation, sequence), NOW).await.expect("a database")
}

async fn found(storage: &impl Storage, office: &Office, now_secs: u64) -> Option<Vec<u8>> {
    storage.look_up(office.id, now_secs).await.expect("a database")
}

async fn a_record_is_found_until_it_is_revoked(storage: impl Storage) {
    let office = office(1);
    assert_eq!(found(&storage, &office, NOW).await, None);
    done(&storage, &office, Operation::Publish, 1).await;
    assert_eq!(found(&storage, &office, NOW).await, Some(office.signed()));
    done(&storage, &office, Operation::Revoke, 2).await;
    assert_eq!(found(&storage, &office, NOW).await, None);
    assert_eq!(verdict(&storage, &office, Operation::Revoke, 3).await, Verdict::NotFound);
    assert_eq!(verdict(&storage, &office, Operation::Refresh, 3).await, Verdict::NotFound);
    // Nothing is remembered of what is gone, its sequence number neither.
    done(&storage, &office, Operation::Publish, 1).await;
}

async fn a_record_expires_60_days_after_it_was_last_heard_of(storage: impl Storage) {
    let (heard_of, forgotten) = (office(1), office(2));
    done(&storage, &heard_of, Operation::Publish, 1).await;
    done(&storage, &forgotten, Operation::Publish, 1).await;
    let refresh = change(&heard_of, Operation::Refresh, 2);
    assert_eq!(storage.change(refresh, NOW + 7).await.expect("a database"), Verdict::Done);

    assert!(found(&storage, &forgotten, LATER - 1).await.is_some());
    assert!(found(&storage, &forgotten, LATER).await.is_none(), "also before it is swept away");
    storage.sweep(LATER).await.expect("a database");
    assert_eq!(storage.count().await.expect("a database"), 1);
    assert!(found(&storage, &forgotten, NOW).await.is_none());
    assert!(found(&storage, &heard_of, LATER).await.is_some());
    storage.sweep(LATER + 7).await.expect("a database");
    assert_eq!(storage.count().await.expect("a database"), 0);
}

async fn an_expired_record_is_nobodys(storage: impl Storage) {
    let (first, second) = (office(1), Office::with_any_id(2, office(1).id));
    done(&storage, &first, Operation::Publish, 9).await;
    assert_eq!(verdict(&storage, &second, Operation::Publish, 10).await, Verdict::Taken);
    let publish = change(&second, Operation::Publish, 1);
    assert_eq!(storage.change(publish, LATER).await.expect("a database"), Verdict::Done);
    assert_eq!(found(&storage, &second, LATER).await, Some(second.signed()));
}

async fn nobody_changes_the_record_of_another_key(storage: impl Storage) {
    let (owner, stranger) = (office(1), Office::with_any_id(2, office(1).id));
    done(&storage, &owner, Operation::Publish, 1).await;
    for operation in [Operation::Publish, Operation::Refresh, Operation::Revoke] {
        assert_eq!(verdict(&storage, &stranger, operation, 5).await, Verdict::Taken);
    }
    assert_eq!(found(&storage, &owner, NOW).await, Some(owner.signed()));
}

async fn a_change_that_comes_late_changes_nothing(storage: impl Storage) {
    let office = office(1);
    done(&storage, &office, Operation::Publish, 5).await;
    for (operation, sequence) in [(Operation::Publish, 5), (Operation::Refresh, 4), (Operation::Revoke, 5)] {
        assert_eq!(verdict(&storage, &office, operation, sequence).await, Verdict::OldSequence);
    }
    done(&storage, &office, Operation::Refresh, 6).await;
    assert_eq!(verdict(&storage, &office, Operation::Revoke, 6).await, Verdict::OldSequence);
    // Clients count in microseconds, and a broken one could start at the end.
    done(&storage, &office, Operation::Publish, u64::MAX).await;
    assert_eq!(verdict(&storage, &office, Operation::Publish, 7).await, Verdict::OldSequence);
}

async fn a_challenge_is_good_for_one_change(storage: impl Storage) {
    let office = office(1);
    let publish = change(&office, Operation::Publish, 1);
    assert_eq!(storage.change(publish.clone(), NOW).await.expect("a database"), Verdict::Done);
    done(&storage, &office, Operation::Revoke, 2).await;
    for _ in 0..2 {
        let again = storage.change(publish.clone(), NOW).await.expect("a database");
        assert_eq!(again, Verdict::ChallengeUsed);
    }
    assert_eq!(found(&storage, &office, NOW).await, None);
    // Too old to be taken, it needn't be remembered.
    storage.sweep(publish.challenge.expires_at_secs).await.expect("a database");
    assert_eq!(storage.change(publish, NOW).await.expect("a database"), Verdict::Done);
}

async fn a_key_has_three_records_and_may_replace_each(storage: impl Storage) {
    let offices: Vec<Office> = (1..=4).map(|number| Office::with_any_id(1, any_id(number))).collect();
    for office in &offices[..3] {
        done(&storage, office, Operation::Publish, 1).await;
    }
    assert_eq!(verdict(&storage, &offices[3], Operation::Publish, 1).await, Verdict::TooManyRecords);
    done(&storage, &offices[0], Operation::Publish, 2).await;
    done(&storage, &offices[0], Operation::Revoke, 3).await;
    done(&storage, &offices[3], Operation::Publish, 1).await;
    done(&storage, &office(9), Operation::Publish, 1).await;
}

async fn of_many_at_once_with_one_challenge_one_is_done(storage: impl Storage) {
    let storage = std::sync::Arc::new(storage);
    let publish = change(&office(1), Operation::Publish, 1);
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (storage, publish) = (storage.clone(), publish.clone());
            tokio::spawn(async move { storage.change(publish, NOW).await.expect("a database") })
        })
        .collect();
    let mut verdicts = Vec::new();
    for one in tries {
        verdicts.push(one.await.expect("no panic"));
    }
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Done).count(), 1, "{verdicts:?}");
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::ChallengeUsed).count(), 7, "{verdicts:?}");
}

async fn the_secret_stays_what_it_is(storage: impl Storage) {
    let secret = storage.secret().await.expect("a database");
    assert_ne!(secret, [0; 32]);
    storage.sweep(LATER).await.expect("a database");
    assert_eq!(storage.count().await.expect("a database"), 0);
    assert_eq!(storage.secret().await.expect("a database"), secret);
}

macro_rules! contract {
    ($($sentence:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $sentence() {
                let folder = tempfile::tempdir().expect("a folder");
                super::$sentence(super::Sqlite::open(folder.path()).expect("a database")).await;
            })*
        }

        /// All sentences by one server, each in a database of its own: starting a server takes a while.
        #[cfg(unix)]
        #[tokio::test]
        async fn postgresql_does_all_the_same() {
            let Some(postgres) = support::postgres::PostgresServer::start() else { return };
            $({
                eprintln!("postgresql: {}", stringify!($sentence));
                let url = postgres.database(stringify!($sentence));
                $sentence(Postgres::connect(&url, None).await.expect("a database")).await;
            })*
        }
    };
}

contract!(
    a_record_is_found_until_it_is_revoked,
    a_record_expires_60_days_after_it_was_last_heard_of,
    an_expired_record_is_nobodys,
    nobody_changes_the_record_of_another_key,
    a_change_that_comes_late_changes_nothing,
    a_challenge_is_good_for_one_change,
    a_key_has_three_records_and_may_replace_each,
    of_many_at_once_with_one_challenge_one_is_done,
    the_secret_stays_what_it_is,
);

#[tokio::test]
async fn a_sqlite_file_is_found_again_as_it_was_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let office = office(1);
    let storage = Sqlite::open(folder.path()).expect("a database");
    done(&storage, &office, Operation::Publish, 1).await;
    let secret = storage.secret().await.expect("a database");
    drop(storage);
    let storage = Sqlite::open(folder.path()).expect("a database");
    assert_eq!(found(&storage, &office, NOW).await, Some(office.signed()));
    assert_eq!(storage.secret().await.expect("a database"), secret);
}

/// Name, ID, comment, public key and service ID of a server, and what makes them verifiable.
#[tokio::test]
async fn exactly_the_promised_things_are_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Sqlite::open(folder.path()).expect("a database");
    let office = office(1);
    done(&storage, &office, Operation::Publish, 7).await;
    let database = rusqlite::Connection::open(folder.path().join("directory.sqlite")).expect("a database");
    let mut select = database.prepare("SELECT * FROM records").expect("the table");
    let columns = select.column_names().collect::<Vec<_>>().join(" ");
    assert_eq!(columns, "server_id public_key record sequence expires_at_secs");
    let row = select.query_row([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 32]>(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, i64>(3)?))
    });
    let (id, key, record, sequence) = row.expect("one record");
    assert_eq!((id, &key, sequence), (office.id.to_string(), office.key.public().as_bytes(), 7));
    assert_eq!(identity::ServerRecord::read(&record), Ok(office.record.clone()));
    let others = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name <> 'records'";
    let others: i64 = database.query_row(others, [], |row| row.get(0)).expect("the schema");
    assert_eq!(others, 2, "the used challenges, and the secret they are made with");
}

/// Pages that split and merge leave copies behind, unless they are wiped too: so there are neighbours.
#[tokio::test]
async fn of_a_revoked_or_expired_record_nothing_is_left_in_any_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Sqlite::open(folder.path()).expect("a database");
    let canary = |number: u16, word: &str| {
        let mut office = Office::with_any_id((number % 251 + 1) as u8, any_id(number.into()));
        office.record.name = identity::ServerName::parse(&format!("{word}{number}")).expect("a name");
        office
    };
    let publish = |office: &Office| Change { records_per_key_max: 1000, ..change(office, Operation::Publish, 1) };
    for number in 0..300 {
        let word = if number % 3 == 0 { "Kingfisher" } else { "Neighbour" };
        storage.change(publish(&canary(number, word)), NOW).await.expect("a database");
    }
    assert!(support::holds(folder.path(), b"Kingfisher"));
    for number in (0..300).step_by(3) {
        done(&storage, &canary(number, "Kingfisher"), Operation::Revoke, 2).await;
    }
    assert!(!support::holds(folder.path(), b"Kingfisher"), "a revoked record left a trace");
    assert!(support::holds(folder.path(), b"Neighbour"));
    storage.sweep(LATER).await.expect("a database");
    assert!(!support::holds(folder.path(), b"Neighbour"), "an expired record left a trace");
}

/// Several instances that start together on an empty database make its tables once, and one secret.
#[cfg(unix)]
#[tokio::test]
async fn instances_that_start_together_share_one_database() {
    let Some(postgres) = support::postgres::PostgresServer::start() else { return };
    let url = postgres.database("shared");
    let starting: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Postgres::connect(&url, None).await.expect("a database") })
        })
        .collect();
    let mut secrets = std::collections::BTreeSet::new();
    for one in starting {
        secrets.insert(one.await.expect("no panic").secret().await.expect("a database"));
    }
    assert_eq!(secrets.len(), 1);
}
