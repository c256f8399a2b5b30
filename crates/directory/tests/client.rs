//! The client against a listener that answers what a directory, a bad one, or something else might answer.

use directory::{Client, DirectoryError, DirectoryUrl, LookupAnswer, RefusalReason};
use identity::{IdentityKey, Salt, ServerId, ServerName, ServerRecord, ServiceId};
use std::{sync::OnceLock, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

const CHALLENGE: &str = r#"{"challenge":"fresh"}"#;

fn office() -> (IdentityKey, ServerRecord) {
    let key = IdentityKey::from_seed(&[1; 32]);
    let record = ServerRecord {
        name: ServerName::parse("Office PC").expect("a name"),
        comment: None,
        public_key: key.public(),
        service_id: ServiceId::from_bytes([2; 16]),
        salt: Salt::from_bytes([3; 16]),
    };
    (key, record)
}

fn office_id() -> ServerId {
    static ID: OnceLock<ServerId> = OnceLock::new();
    *ID.get_or_init(|| office().1.server_id())
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len())
}

/// Gives these answers, one a connection, and hands back the requests.
async fn listener(answers: Vec<String>) -> (Client, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            while !is_whole(&request) {
                assert_ne!(stream.read_buf(&mut request).await.expect("a request"), 0, "cut off");
            }
            requests.push(String::from_utf8(request).expect("text"));
            // The client may have hung up on an answer it doesn't want.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        requests
    });
    (Client::new(DirectoryUrl::parse(&url).expect("an address")).expect("a client"), requests)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    body.len() >= length.parse().expect("a number")
}

async fn look_up(answer: String) -> Result<ServerRecord, DirectoryError> {
    let (client, _requests) = listener(vec![answer]).await;
    client.look_up(office_id()).await
}

#[tokio::test]
async fn a_server_is_found_by_its_id_and_the_id_isnt_in_the_address() {
    let (key, record) = office();
    let answer = serde_json::to_string(&LookupAnswer::new(&record.sign(&key).expect("its own key"))).expect("JSON");
    let (client, requests) = listener(vec![http("200 OK", "", &answer)]).await;
    assert_eq!(client.look_up(office_id()).await.expect("a server"), record);
    let requests = requests.await.expect("the requests");
    assert!(requests[0].starts_with("POST /v1/lookup HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[0].ends_with(&format!(r#"{{"serverId":"{}"}}"#, office_id())), "{requests:?}");
}

#[tokio::test]
async fn a_directory_that_swaps_the_key_is_told_from_one_that_knows_nothing() {
    let stranger = IdentityKey::from_seed(&[9; 32]);
    let swapped = ServerRecord { public_key: stranger.public(), ..office().1 };
    let answer = serde_json::to_string(&LookupAnswer::new(&swapped.sign(&stranger).expect("its key"))).expect("JSON");
    let found = look_up(http("200 OK", "", &answer)).await;
    assert!(matches!(found, Err(DirectoryError::Mismatch)), "{found:?}");

    let found = look_up(http("404 Not Found", "", r#"{"error":"not_found"}"#)).await;
    assert!(matches!(found, Err(DirectoryError::NotFound)), "{found:?}");
}

#[tokio::test]
async fn a_page_that_is_no_directory_is_not_taken_for_an_unknown_id() {
    for answer in [
        http("404 Not Found", "", "<html>"),
        http("200 OK", "", "<html>Please log in"),
        http("302 Found", "Location: http://127.0.0.1:1/\r\n", ""),
        http("200 OK", "", &format!(r#"{{"record":"{}"}}"#, "A".repeat(5000))),
    ] {
        let found = look_up(answer).await;
        assert!(matches!(found, Err(DirectoryError::NotADirectory { .. })), "{found:?}");
    }
}

#[tokio::test]
async fn the_wait_that_a_directory_asks_for_is_told_and_bounded() {
    for (headers, secs) in [("Retry-After: 7\r\n", 7), ("", 60), ("Retry-After: 99999999999\r\n", 24 * 60 * 60)] {
        let found = look_up(http("429 Too Many Requests", headers, r#"{"error":"rate_limited"}"#)).await;
        let Err(DirectoryError::RateLimited { wait }) = found else {
            panic!("{found:?}");
        };
        assert_eq!(wait, Duration::from_secs(secs));
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = Client::new(DirectoryUrl::parse(&url).expect("an address")).expect("a client");
    let found = client.look_up(office_id()).await;
    assert!(matches!(found, Err(DirectoryError::Unreachable(_))), "{found:?}");
}

#[tokio::test]
async fn changes_are_signed_over_a_fresh_challenge_and_a_gone_record_is_revoked() {
    let (key, record) = office();
    let expiry = http("200 OK", "", r#"{"expiresAtSecs":1000}"#);
    let (client, requests) = listener(vec![http("200 OK", "", CHALLENGE), expiry]).await;
    assert_eq!(client.publish(&record, &key, 1).await.expect("published").expires_at_secs, 1000);
    let requests = requests.await.expect("the requests");
    assert!(requests[0].starts_with("POST /v1/challenge "), "{requests:?}");
    assert!(requests[1].starts_with("POST /v1/publish ") && requests[1].contains("fresh"), "{requests:?}");

    let gone = http("404 Not Found", "", r#"{"error":"not_found"}"#);
    let (client, _requests) = listener(vec![http("200 OK", "", CHALLENGE), gone.clone()]).await;
    client.revoke(office_id(), &key, 2).await.expect("nothing left to delete");

    let (client, _requests) = listener(vec![http("200 OK", "", CHALLENGE), gone]).await;
    let refreshed = client.refresh(office_id(), &key, 3).await;
    assert!(matches!(refreshed, Err(DirectoryError::NotFound)), "{refreshed:?}");

    let taken = http("409 Conflict", "", r#"{"error":"taken"}"#);
    let (client, _requests) = listener(vec![http("200 OK", "", CHALLENGE), taken]).await;
    let published = client.publish(&record, &key, 4).await;
    let expected = RefusalReason::Taken;
    assert!(matches!(published, Err(DirectoryError::Refused { reason }) if reason == expected), "{published:?}");
}

#[tokio::test]
async fn a_foreign_record_is_never_sent() {
    let (client, requests) = listener(vec![http("200 OK", "", CHALLENGE)]).await;
    let published = client.publish(&office().1, &IdentityKey::from_seed(&[9; 32]), 1).await;
    assert!(matches!(published, Err(DirectoryError::OtherKey)), "{published:?}");
    assert_eq!(requests.await.expect("the requests").len(), 1);
}
