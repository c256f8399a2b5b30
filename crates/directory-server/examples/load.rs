//! How many look-ups a second `tandem-directory` answers with many records, and how much memory it takes.
//!
//! `load PROGRAM sqlite|postgres://… [RECORDS] [SECONDS] [CONNECTIONS]`; `npm run bench:directory` calls it. Records are written
//! into the database past the program (they would take days through its limits); then the program is started on it and asked
//! over HTTP, by connections that stay open; with PostgreSQL once more by two instances that share it. Prints a JSON list.

#[path = "../tests/support/mod.rs"]
mod support;

use rusqlite::params;
use serde_json::{Value, json};
use std::{
    error::Error,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use support::{Office, any_id};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const FAR_AWAY: i64 = 4_000_000_000;
const ROWS_PER_STATEMENT: u64 = 1000;
/// So many share one PostgreSQL at most.
const INSTANCES: usize = 2;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, database, rest @ ..] = arguments.as_slice() else {
        return Err("usage: load PROGRAM sqlite|postgres://… [RECORDS] [SECONDS] [CONNECTIONS]".into());
    };
    let number = |at: usize, default: u64| rest.get(at).map_or(Ok(default), |text| text.parse());
    let (records, secs, connections) = (number(0, 1_000_000)?, number(1, 20)?, number(2, 16)?);
    let folder = tempfile::Builder::new().prefix("tandem-load").tempdir()?;

    let begun = Instant::now();
    let place = match database.as_str() {
        "sqlite" => {
            fill_sqlite(folder.path(), records)?;
            ["--data".to_owned(), folder.path().display().to_string()]
        }
        url => {
            fill_postgres(url, records).await?;
            ["--database".to_owned(), url.to_owned()]
        }
    };
    let fill_secs = begun.elapsed().as_secs_f64();
    let load = Load { records, secs, connections };
    let mut results = Vec::new();
    // Only one program at a time may have an SQLite file.
    for instances in if database == "sqlite" { 1..=1 } else { 1..=INSTANCES } {
        let mut result = load.measure(program, &place, instances).await?;
        result["fillSecs"] = fill_secs.into();
        results.push(result);
    }
    println!("{}", Value::from(results));
    Ok(())
}

/// What is asked.
struct Load {
    records: u64,
    secs: u64,
    connections: u64,
}

impl Load {
    /// Asks so many instances on one database, each by its share of the connections.
    async fn measure(&self, program: &str, place: &[String; 2], instances: usize) -> Outcome<Value> {
        let begun = Instant::now();
        let servers = (0..instances).map(|_| Server::start(program, place)).collect::<Outcome<Vec<_>>>()?;
        let start_secs = begun.elapsed().as_secs_f64();
        let idle_kib = most(&servers, Server::resident_kib)?;

        let ends_at = Instant::now() + Duration::from_secs(self.secs);
        let misses = Arc::new(AtomicU64::new(0));
        let askers: Vec<_> = (0..self.connections)
            .zip(servers.iter().cycle())
            .map(|(seed, server)| {
                tokio::spawn(ask(server.address.clone(), seed, self.records, ends_at, Arc::clone(&misses)))
            })
            .collect();
        let mut micros = Vec::new();
        for asker in askers {
            micros.append(&mut asker.await??);
        }
        micros.sort_unstable();
        let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
        Ok(json!({
            "instances": instances,
            "records": self.records,
            "connections": self.connections,
            "startSecs": start_secs,
            "lookupsPerSec": micros.len() as f64 / self.secs as f64,
            "misses": misses.load(Ordering::Relaxed),
            "p50Millis": at(0.5),
            "p99Millis": at(0.99),
            "idleMib": idle_kib as f64 / 1024.0,
            "peakMib": most(&servers, Server::peak_kib)? as f64 / 1024.0,
            "cpuSecs": servers.iter().map(Server::cpu_secs).sum::<Outcome<f64>>()?,
        }))
    }
}

/// Of the instance that takes most.
fn most(servers: &[Server], amount: impl Fn(&Server) -> Outcome<u64>) -> Outcome<u64> {
    servers.iter().map(amount).try_fold(0, |most, amount| Ok(most.max(amount?)))
}

/// As many bytes as a record with a comment has; look-ups don't read them.
fn record() -> Vec<u8> {
    Office::with_any_id(1, any_id(0)).signed().into_iter().chain([b'.'; 24]).collect()
}

/// Spread over all IDs, as those are that hashes make.
fn id(number: u64) -> String {
    any_id(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_string()
}

fn key(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.wrapping_mul(0xD1B5_4A32_D192_ED03).to_be_bytes());
    key
}

fn fill_sqlite(folder: &std::path::Path, records: u64) -> Outcome<()> {
    drop(directory_server::storage::Sqlite::open(folder)?);
    let mut database = rusqlite::Connection::open(folder.join("directory.sqlite"))?;
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO records VALUES (?1, ?2, ?3, 1, ?4)")?;
        let record = record();
        for number in 0..records {
            insert.execute(params![id(number), key(number), record, FAR_AWAY])?;
        }
    }
    Ok(transaction.commit()?)
}

async fn fill_postgres(url: &str, records: u64) -> Outcome<()> {
    drop(directory_server::storage::Postgres::connect(url, None).await?);
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let insert = "INSERT INTO tandem_directory_records
                  SELECT id, key, $3, 1, $4 FROM unnest($1::text[], $2::bytea[]) AS new (id, key)";
    let insert = client.prepare(insert).await?;
    let record = record();
    for first in (0..records).step_by(ROWS_PER_STATEMENT as usize) {
        let numbers = first..(first + ROWS_PER_STATEMENT).min(records);
        let ids: Vec<String> = numbers.clone().map(id).collect();
        let keys: Vec<Vec<u8>> = numbers.map(|number| key(number).to_vec()).collect();
        client.execute(&insert, &[&ids, &keys, &record, &FAR_AWAY]).await?;
    }
    Ok(client.batch_execute("ANALYZE tandem_directory_records").await?)
}

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(program: &str, place: &[String; 2]) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0"]).args(place).stdout(Stdio::piped());
        for limit in ["LOOKUPS_PER_MINUTE", "LOOKUPS_BURST", "LOOKUPS_PER_SECOND", "CONNECTIONS_PER_SOURCE"] {
            command.env(format!("TANDEM_DIRECTORY_LIMITS_{limit}"), (1 << 30).to_string());
        }
        let mut process = command.spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let addresses: Value = serde_json::from_str(&line)?;
        let address = addresses["http"].as_str().ok_or("no address")?.to_owned();
        Ok(Self { process, address })
    }

    fn status(&self, field: &str) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }

    fn resident_kib(&self) -> Outcome<u64> {
        self.status("VmRSS")
    }

    fn peak_kib(&self) -> Outcome<u64> {
        self.status("VmHWM")
    }

    /// Of user and system, at 100 ticks a second.
    fn cpu_secs(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().ok_or("no fields")?.split_whitespace().collect();
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Asks for one record after another; how long each took, in microseconds.
async fn ask(address: String, seed: u64, records: u64, ends_at: Instant, misses: Arc<AtomicU64>) -> Outcome<Vec<u64>> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut stream = tokio::io::BufReader::new(stream);
    let (mut micros, mut random) = (Vec::new(), seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1);
    let mut body = Vec::new();
    while Instant::now() < ends_at {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let asked = format!(r#"{{"serverId":"{}"}}"#, id(random % records));
        let head = format!("POST /v1/lookup HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", asked.len());
        let begun = Instant::now();
        stream.write_all(format!("{head}{asked}").as_bytes()).await?;
        let (mut length, mut is_ok, mut line) = (0, false, String::new());
        loop {
            line.clear();
            stream.read_line(&mut line).await?;
            is_ok |= line.starts_with("HTTP/1.1 200");
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        micros.push(begun.elapsed().as_micros() as u64);
        misses.fetch_add(u64::from(!is_ok), Ordering::Relaxed);
    }
    Ok(micros)
}
