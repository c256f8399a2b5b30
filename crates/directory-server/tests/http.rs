//! The running service, asked over HTTP by the client that Tandem uses, and by those who wish it ill.

mod support;

use directory::{Challenge, ChangeRequest, DirectoryError, Operation, RefusalReason};
use directory_server::{
    UsedChallenge,
    storage::{Change, Sqlite, Storage as _, Verdict},
};
use identity::{IdentityKey, ServerRecord};
use std::time::Duration;
use support::{Office, client, config, holds, start};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// One request in plain text; the status and the whole answer.
async fn raw(address: std::net::SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {answer:?}")), answer)
}

async fn post(address: std::net::SocketAddr, path: &str, headers: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n");
    raw(address, &format!("{head}{headers}\r\n{body}")).await
}

async fn get(address: std::net::SocketAddr, path: &str, headers: &str) -> (u16, String) {
    raw(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n")).await
}

async fn challenge(address: std::net::SocketAddr) -> Challenge {
    let (status, answer) = post(address, "/v1/challenge", "", "{}").await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).expect("a body")).expect("a challenge")
}

async fn change(address: std::net::SocketAddr, operation: Operation, request: &ChangeRequest) -> (u16, String) {
    post(address, operation.path(), "", &serde_json::to_string(request).expect("JSON")).await
}

#[tokio::test]
async fn a_server_is_published_found_kept_and_revoked() {
    let folder = folder();
    let (server, client) = start(&config(folder.path())).await;
    let office = Office::with_comment(1, "Kingfisher");
    assert!(matches!(client.look_up(office.id).await, Err(DirectoryError::NotFound)));

    let published = client.publish(&office.record, &office.key, 1).await.expect("published");
    assert_eq!(client.look_up(office.id).await.expect("a server"), office.record);
    let refreshed = client.refresh(office.id, &office.key, 2).await.expect("refreshed");
    assert!(refreshed.expires_at_secs >= published.expires_at_secs);
    assert!(holds(folder.path(), b"Kingfisher"));

    client.revoke(office.id, &office.key, 3).await.expect("revoked");
    assert!(!holds(folder.path(), b"Kingfisher"));
    assert!(matches!(client.look_up(office.id).await, Err(DirectoryError::NotFound)));
    client.revoke(office.id, &office.key, 4).await.expect("still revoked");
    assert!(matches!(client.refresh(office.id, &office.key, 5).await, Err(DirectoryError::NotFound)));
    server.stop().await;
}

#[tokio::test]
async fn what_was_published_is_there_after_a_restart() {
    let folder = folder();
    let config = config(folder.path());
    let (server, client) = start(&config).await;
    let office = Office::new(1);
    client.publish(&office.record, &office.key, 1).await.expect("published");
    server.stop().await;
    let (_server, client) = start(&config).await;
    assert_eq!(client.look_up(office.id).await.expect("a server"), office.record);
}

/// T11: an old "publish" can't bring back what was revoked.
#[tokio::test]
async fn a_recorded_request_cant_be_sent_again() {
    let folder = folder();
    let (server, client) = start(&config(folder.path())).await;
    let (address, office) = (server.addresses().http, Office::new(1));
    let name = address.to_string();
    let publish = ChangeRequest::publish(&office.record, &office.key, 1, &name, challenge(address).await);
    let publish = publish.expect("its own key");
    assert_eq!(change(address, Operation::Publish, &publish).await.0, 200);
    client.revoke(office.id, &office.key, 2).await.expect("revoked");
    let (status, answer) = change(address, Operation::Publish, &publish).await;
    assert_eq!(status, 409);
    assert!(answer.contains(r#"{"error":"challenge"}"#), "{answer}");
    assert!(matches!(client.look_up(office.id).await, Err(DirectoryError::NotFound)));
}

/// T11: foreign key, wrong host in the signature, something else signed.
#[tokio::test]
async fn a_request_that_isnt_signed_by_its_key_for_this_directory_is_refused() {
    let folder = folder();
    let (server, _) = start(&config(folder.path())).await;
    let (address, office) = (server.addresses().http, Office::new(1));
    let sign = |name: &str, challenge| {
        ChangeRequest::publish(&office.record, &office.key, 1, name, challenge).expect("its own key")
    };
    let here = address.to_string();
    let elsewhere = sign("directory.example", challenge(address).await);
    let stranger = IdentityKey::from_seed(&[9; 32]).public();
    let other_key = ChangeRequest { public_key: stranger, ..sign(&here, challenge(address).await) };
    let made_up = sign(&here, Challenge { challenge: "AAAA".repeat(13) + "A" });
    for (request, reason) in [(&elsewhere, "invalid"), (&other_key, "invalid"), (&made_up, "challenge")] {
        let (status, answer) = change(address, Operation::Publish, request).await;
        assert!(status >= 400 && answer.contains(reason), "{status} {answer}");
    }
    let meant_to_publish = ChangeRequest { record: None, ..sign(&here, challenge(address).await) };
    assert_eq!(change(address, Operation::Revoke, &meant_to_publish).await.0, 400);
    assert_eq!(change(address, Operation::Publish, &sign(&here, challenge(address).await)).await.0, 200);
}

#[tokio::test]
async fn a_directory_with_a_name_takes_requests_for_that_name_only() {
    let folder = folder();
    let mut config = config(folder.path());
    config.names = vec!["directory.example".to_owned(), "directory.example:8443".to_owned()];
    let (server, client) = start(&config).await;
    let (address, office) = (server.addresses().http, Office::new(1));
    let refused = client.publish(&office.record, &office.key, 1).await;
    let reason = RefusalReason::Invalid;
    assert!(matches!(refused, Err(DirectoryError::Refused { reason: r }) if r == reason), "{refused:?}");
    for (sequence, name) in [(2, "directory.example"), (3, "directory.example:8443")] {
        let request = ChangeRequest::publish(&office.record, &office.key, sequence, name, challenge(address).await);
        assert_eq!(change(address, Operation::Publish, &request.expect("its own key")).await.0, 200, "{name}");
    }
}

#[tokio::test]
async fn a_directory_without_a_name_is_asked_by_its_address_only() {
    let folder = folder();
    let (server, _) = start(&config(folder.path())).await;
    let (address, office) = (server.addresses().http, Office::new(1));
    let request = ChangeRequest::revoke(office.id, &office.key, 1, "evil.example", challenge(address).await);
    let body = serde_json::to_string(&request).expect("JSON");
    let length = body.len();
    let head = "POST /v1/revoke HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n";
    let (status, answer) = raw(address, &format!("{head}Content-Length: {length}\r\n\r\n{body}")).await;
    assert_eq!(status, 421);
    assert!(answer.contains("wrong_name"), "{answer}");
}

#[tokio::test]
async fn each_limit_is_told_with_how_long_to_wait() {
    let folder = folder();
    let mut config = config(folder.path());
    // One a minute more: no machine is so slow that five take that long.
    config.limits = directory_server::config::Limits {
        publishes_per_day: 2,
        lookups_burst: 4,
        lookups_per_minute: 1,
        ..config.limits
    };
    let (server, client) = start(&config).await;
    let office = Office::new(1);
    for sequence in 1..=2 {
        client.publish(&office.record, &office.key, sequence).await.expect("published");
    }
    let third = client.publish(&office.record, &office.key, 3).await;
    assert!(
        matches!(third, Err(DirectoryError::RateLimited { wait }) if wait > Duration::from_secs(3600)),
        "{third:?}"
    );
    for _ in 0..4 {
        client.look_up(office.id).await.expect("a server");
    }
    let fifth = client.look_up(office.id).await;
    assert!(matches!(fifth, Err(DirectoryError::RateLimited { .. })), "{fifth:?}");
    let (_, metrics) = get(server.addresses().http, "/metrics", "").await;
    assert!(metrics.contains(r#"{request="lookup",outcome="rate_limited"} 1"#), "{metrics}");
}

#[tokio::test]
async fn a_full_directory_takes_no_more() {
    let folder = folder();
    let mut config = config(folder.path());
    config.limits.records = 1;
    let (_server, client) = start(&config).await;
    let (first, second) = (Office::new(1), Office::new(2));
    client.publish(&first.record, &first.key, 1).await.expect("published");
    let refused = client.publish(&second.record, &second.key, 1).await;
    let reason = RefusalReason::Full;
    assert!(matches!(refused, Err(DirectoryError::Refused { reason: r }) if r == reason), "{refused:?}");
    client.refresh(first.id, &first.key, 2).await.expect("what is there can stay");
}

/// Who sees only the wire learns nothing from the length.
#[tokio::test]
async fn found_and_not_found_are_answered_with_equally_many_bytes_and_nobody_keeps_them() {
    let folder = folder();
    let (server, client) = start(&config(folder.path())).await;
    let (address, office) = (server.addresses().http, Office::new(1));
    let ask = || async { post(address, "/v1/lookup", "", &format!(r#"{{"serverId":"{}"}}"#, office.id)).await };
    let (missing, missing_answer) = ask().await;
    client.publish(&office.record, &office.key, 1).await.expect("published");
    let (found, found_answer) = ask().await;
    assert_eq!((missing, found), (404, 200));
    let body = |answer: &str| answer.split_once("\r\n\r\n").expect("a body").1.len();
    assert_eq!(body(&missing_answer), body(&found_answer));
    for answer in [missing_answer, found_answer] {
        assert!(answer.to_lowercase().contains("cache-control: no-store"), "{answer}");
    }
}

#[tokio::test]
async fn nonsense_is_refused_and_an_unknown_path_is_no_unknown_id() {
    let folder = folder();
    let (server, _) = start(&config(folder.path())).await;
    let address = server.addresses().http;
    for body in ["", "{", "[]", r#"{"serverId":"CVWW-PTSP-HJPB-J8J3"}"#, r#"{"serverId":7}"#, &"x".repeat(5000)] {
        let (status, answer) = post(address, "/v1/lookup", "", body).await;
        assert_eq!(status, 400, "{answer}");
    }
    let (status, answer) = get(address, "/v2/lookup", "").await;
    assert!(status == 404 && !answer.contains("not_found"), "{answer}");
    assert_eq!(get(address, "/v1/lookup", "").await.0, 405);
}

#[tokio::test]
async fn info_health_and_metrics_are_there_and_metrics_not_for_everybody() {
    let folder = folder();
    let mut config = config(folder.path());
    config.rendezvous.others = vec![format!("rdv.example:47115={}", Office::new(7).key.public())];
    let (server, client) = start(&config).await;
    let address = server.addresses().http;
    let info = client.info().await.expect("info");
    assert_eq!(info.rendezvous.len(), 1);
    assert_eq!(info.rendezvous[0].address, "rdv.example:47115");
    assert_eq!(get(address, "/health", "").await.0, 200);
    assert_eq!(get(address, "/metrics", "").await.0, 200);
    assert_eq!(get(address, "/metrics", "X-Forwarded-For: 127.0.0.1\r\n").await.0, 404, "through an unknown proxy");
    server.stop().await;

    config.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let (server, _) = start(&config).await;
    let address = server.addresses().http;
    assert_eq!(get(address, "/metrics", "X-Forwarded-For: 203.0.113.7\r\n").await.0, 404);
}

/// T10: whoever sends a byte a second is cut off; meanwhile others are answered.
#[tokio::test]
async fn who_dawdles_is_cut_off_and_holds_up_nobody() {
    let folder = folder();
    let (server, client) = start(&config(folder.path())).await;
    let address = server.addresses().http;
    let mut dawdlers = Vec::new();
    let head = b"POST /v1/lookup HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n{";
    for said in [&b""[..], &head[..30], &head[..]].iter().cycle().take(300) {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(said).await.expect("sent");
        dawdlers.push(stream);
    }
    client.info().await.expect("an answer meanwhile");
    for mut stream in dawdlers {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "still connected");
    }
}

#[tokio::test]
async fn connections_above_the_limit_are_closed_at_once() {
    let folder = folder();
    let mut config = config(folder.path());
    config.limits.connections = 2;
    let (server, _) = start(&config).await;
    let address = server.addresses().http;
    let (first, second) = (TcpStream::connect(address).await, TcpStream::connect(address).await);
    let mut third = TcpStream::connect(address).await.expect("taken by the system");
    assert_eq!(third.read_to_end(&mut Vec::new()).await.unwrap_or(0), 0);
    drop((first, second));
    let mut answered = false;
    for _ in 0..100 {
        answered = client(&format!("http://{address}")).info().await.is_ok();
        if answered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(answered, "there is room again");
}

#[tokio::test]
async fn a_directory_that_ends_answers_what_was_asked_before() {
    let folder = folder();
    let (server, _) = start(&config(folder.path())).await;
    let address = server.addresses().http;
    // A look-up of what isn't there takes a quarter of a second.
    let asked =
        tokio::spawn(async move { post(address, "/v1/lookup", "", r#"{"serverId":"CVWW-PTSP-HJPB-J8J2"}"#).await });
    let mut was_taken = false;
    for _ in 0..200 {
        was_taken = get(address, "/metrics", "").await.1.contains("tandem_directory_limiter_budgets 1");
        if was_taken {
            break;
        }
    }
    assert!(was_taken);
    server.stop().await;
    assert_eq!(asked.await.expect("no panic").0, 404);
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

/// T11: what is swapped in the directory, the client sees.
#[tokio::test]
async fn a_record_under_an_id_that_doesnt_commit_to_it_is_called_manipulated() {
    let folder = folder();
    let config = config(folder.path());
    let office = Office::new(1);
    let thief = IdentityKey::from_seed(&[9; 32]);
    let swapped = ServerRecord { public_key: thief.public(), ..office.record.clone() };
    let storage = Sqlite::open(folder.path()).expect("a database");
    let change = Change {
        operation: Operation::Publish,
        server_id: office.id,
        public_key: thief.public(),
        sequence: 1,
        record: swapped.sign(&thief).expect("its own key"),
        challenge: UsedChallenge { nonce: [0; 16], expires_at_secs: 0 },
        records_per_key_max: 1,
    };
    let now_secs = 4_000_000_000;
    assert_eq!(storage.change(change, now_secs).await.expect("a database"), Verdict::Done);
    let (_server, client) = start(&config).await;
    assert!(matches!(client.look_up(office.id).await, Err(DirectoryError::Mismatch)));
}
