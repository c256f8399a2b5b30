//! The program itself: how it starts, what it says, how it ends; and two of them behind one database.
#![cfg(unix)]

mod support;

use directory::DirectoryError;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use support::{Office, client, postgres::PostgresServer};

/// Nothing takes longer, on a slow and busy machine either.
const PATIENCE: Duration = Duration::from_secs(60);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem-directory"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Running {
    process: Child,
    addresses: Value,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut process = command.spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        if line.is_empty() {
            let mut said = String::new();
            process.stderr.take().expect("a pipe").read_to_string(&mut said).ok();
            panic!("it ended at once: {said}");
        }
        Self { process, addresses: serde_json::from_str(&line).expect("one line of JSON") }
    }

    fn url(&self) -> String {
        format!("http://{}", self.addresses["http"].as_str().expect("an address"))
    }

    /// Asks it to end; what it wrote meanwhile.
    fn terminate(mut self) -> String {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        let begun = Instant::now();
        let status = loop {
            match self.process.try_wait().expect("a status") {
                Some(status) => break status,
                None => assert!(begun.elapsed() < PATIENCE, "it doesn't end"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut said = String::new();
        self.process.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert!(status.success(), "{status}: {said}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn on_sqlite(folder: &Path) -> Running {
    Running::start(program(&["--listen", "127.0.0.1:0", "--data", &folder.display().to_string()]))
}

/// What it says when it doesn't start.
fn refusal(mut command: Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "nothing that looks like being ready");
    String::from_utf8(output.stderr).expect("text")
}

#[tokio::test]
async fn it_says_where_it_listens_serves_and_ends_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let office = Office::new(1);
    let running = on_sqlite(folder.path());
    assert_eq!(running.addresses["tls"], false);
    client(&running.url()).publish(&office.record, &office.key, 1).await.expect("published");
    running.terminate();
    let running = on_sqlite(folder.path());
    assert_eq!(client(&running.url()).look_up(office.id).await.expect("a server"), office.record);
}

/// T15 for the directory: a log never says who asked for what.
#[tokio::test]
async fn its_log_names_no_address_and_no_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let office = Office::with_comment(1, "Kingfisher");
    let data = folder.path().display().to_string();
    let mut command = program(&["--listen", "127.0.0.1:0", "--data", &data]);
    command.env("RUST_LOG", "trace");
    let running = Running::start(command);
    let client = client(&running.url());
    client.publish(&office.record, &office.key, 1).await.expect("published");
    client.look_up(office.id).await.expect("a server");
    client.revoke(office.id, &office.key, 2).await.expect("revoked");
    assert!(matches!(client.look_up(office.id).await, Err(DirectoryError::NotFound)));
    let said = running.terminate();
    for secret in ["Kingfisher", "Office PC", &office.id.to_string(), &office.key.public().to_string()] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
    assert!(!said.contains("127.0.0.1"), "{said}");
}

#[test]
fn settings_that_mean_nothing_keep_it_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().display().to_string();
    let mut typing_error = program(&["--data", &data]);
    typing_error.env("TANDEM_DIRECTORY_LISTNE", "127.0.0.1:0");
    assert!(refusal(typing_error).contains("TANDEM_DIRECTORY_LISTNE"));

    let file = folder.path().join("directory.toml");
    std::fs::write(&file, "listne = \"127.0.0.1:0\"\n").expect("written");
    let said = refusal(program(&["--config", &file.display().to_string(), "--data", &data]));
    assert!(said.contains("listne"), "{said}");
    assert!(refusal(program(&["--database", "mysql://there"])).contains("postgres://"));
    assert!(refusal(program(&["--listen", "127.0.0.1:0", "--data", "/dev/null/x"])).contains("/dev/null/x"));
}

#[test]
fn a_database_that_isnt_there_keeps_it_from_starting_and_its_password_stays_secret() {
    let said = refusal(program(&["--listen", "127.0.0.1:0", "--database", "postgres://u:hunter2@127.0.0.1:9/d"]));
    assert!(said.contains("PostgreSQL"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn instances_behind_one_database_are_one_directory() {
    let Some(postgres) = PostgresServer::start() else { return };
    let url = postgres.database("shared");
    let start = || Running::start(program(&["--listen", "127.0.0.1:0", "--database", &url]));
    let (one, other) = (start(), start());
    let office = Office::new(1);
    client(&one.url()).publish(&office.record, &office.key, 1).await.expect("published");
    assert_eq!(client(&other.url()).look_up(office.id).await.expect("a server"), office.record);
    client(&other.url()).refresh(office.id, &office.key, 2).await.expect("refreshed");
    let stale = client(&one.url()).refresh(office.id, &office.key, 2).await;
    assert!(matches!(stale, Err(DirectoryError::Refused { .. })), "{stale:?}");
    // One ends in order, the other goes on.
    one.terminate();
    client(&other.url()).revoke(office.id, &office.key, 3).await.expect("revoked");
    assert!(matches!(client(&other.url()).look_up(office.id).await, Err(DirectoryError::NotFound)));
}

/// T11: what one instance took can't be given to the other, and what one gave out the other takes.
#[tokio::test]
async fn a_challenge_is_good_once_among_all_instances() {
    use directory::{Challenge, ChangeRequest, Operation};
    let Some(postgres) = PostgresServer::start() else { return };
    let url = postgres.database("shared");
    let start = || {
        let mut command = program(&["--listen", "127.0.0.1:0", "--database", &url]);
        command.env("TANDEM_DIRECTORY_NAMES", "directory.example");
        Running::start(command)
    };
    let (one, other) = (start(), start());
    let http = reqwest::Client::builder().tls_backend_preconfigured(no_roots()).build().expect("a client");
    let post = |url: String, body: String| {
        let request = http.post(url).body(body);
        async move {
            let response = request.send().await.expect("an answer");
            (response.status().as_u16(), response.text().await.expect("text"))
        }
    };
    let (_, challenge) = post(format!("{}/v1/challenge", one.url()), "{}".to_owned()).await;
    let challenge: Challenge = serde_json::from_str(&challenge).expect("a challenge");
    let office = Office::new(1);
    let publish = ChangeRequest::publish(&office.record, &office.key, 1, "directory.example", challenge);
    let body = serde_json::to_string(&publish.expect("its own key")).expect("JSON");
    let path = Operation::Publish.path();
    assert_eq!(post(format!("{}{path}", other.url()), body.clone()).await.0, 200);
    for instance in [&one, &other] {
        let (status, said) = post(format!("{}{path}", instance.url()), body.clone()).await;
        assert!(status == 409 && said.contains("challenge"), "{status} {said}");
    }
}

fn no_roots() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}
