use super::*;
use crate::{
    opening::{self, Wish, kind},
    tls::{Shape, client_config},
};
use quinn::{ConnectionError, VarInt};

fn impatient() -> EndpointConfig {
    let limits = Limits {
        authentication: Duration::from_millis(700),
        progress_window: Duration::from_millis(300),
        ..Limits::default()
    };
    EndpointConfig { limits, ..config(OFFICE) }
}

/// Somebody with the knock and a key, who speaks QUIC but not our protocol.
async fn call(office: &Office, seed: u8, from: &str) -> (quinn::Endpoint, quinn::Connection) {
    let shape = Shape { limits: Limits::default(), is_simulated: false };
    let tokens = Arc::new(SavedTransport::generate().address_tokens());
    let (config, _) = client_config(&key(seed), None, office.target.knock, &tokens, &shape);
    let caller = quinn::Endpoint::client(from.parse().unwrap()).unwrap();
    let connecting = caller.connect_with(config, office.target.addresses[0], "any.invalid").unwrap();
    let connection = soon(connecting).await.unwrap();
    (caller, connection)
}

fn code(error: &ConnectionError) -> Option<CloseCode> {
    match error {
        ConnectionError::ApplicationClosed(close) => Some(CloseCode::from_number(close.error_code)),
        _ => None,
    }
}

fn frame(kind: u8, len: u32, payload: &[u8]) -> Vec<u8> {
    [&[kind], len.to_be_bytes().as_slice(), payload].concat()
}

#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let office = Office::with(impatient(), &[]);
    let (_caller, connection) = call(&office, TABLET, "127.0.0.1:0").await;
    assert_eq!(code(&soon(connection.closed()).await), Some(CloseCode::TooSlow));
    assert_eq!(office.endpoint.strangers(), 0);
}

#[tokio::test]
async fn who_sends_a_byte_at_a_time_is_sent_away() {
    let office = Office::with(impatient(), &[]);
    let (_caller, connection) = call(&office, TABLET, "127.0.0.1:0").await;
    let (mut sender, _receiver) = connection.open_bi().await.unwrap();
    let sending = async {
        for byte in frame(kind::OPENING, 1000, &[1; 1000]) {
            if sender.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let closed = tokio::select! {
        () = sending => unreachable!("it never ends"),
        closed = connection.closed() => closed,
    };
    assert_eq!(code(&closed), Some(CloseCode::TooSlow));
}

#[tokio::test]
async fn giant_lengths_and_wrong_first_frames_end_the_call() {
    let office = Office::open(&[]);
    for bytes in [
        frame(kind::OPENING, u32::MAX, b""),
        frame(kind::OPENING, 9000, b""),
        frame(CHUNK, 1000, b""),
        frame(kind::PAIR1, 2, &[1, 2]),
        frame(kind::WELCOME, 0, b""),
    ] {
        let (_caller, connection) = call(&office, TABLET, "127.0.0.1:0").await;
        let (mut sender, _receiver) = connection.open_bi().await.unwrap();
        sender.write_all(&bytes).await.unwrap();
        assert_eq!(code(&soon(connection.closed()).await), Some(CloseCode::Protocol), "{bytes:?}");
    }
    assert!(office.desk.with(|desk| desk.enrolled.is_empty() && desk.guesses_taken == 0));
}

#[tokio::test]
async fn garbage_in_the_password_exchange_is_refused_like_a_wrong_password() {
    let office = Office::open(&[]);
    let (_caller, connection) = call(&office, TABLET, "127.0.0.1:0").await;
    let (mut sender, _receiver) = connection.open_bi().await.unwrap();
    let opening = opening::encode(&Wish::Pairing, PROTOCOL_VERSION);
    sender.write_all(&frame(kind::OPENING, opening.len() as u32, &opening)).await.unwrap();
    // No name, no platform, no ticket, no salt, and the identity point as KE1.
    let request = [&[1, 0, 0, 0, 0], [0; 96].as_slice()].concat();
    sender.write_all(&frame(kind::PAIR1, request.len() as u32, &request)).await.unwrap();
    assert_eq!(code(&soon(connection.closed()).await), Some(CloseCode::NotAdmitted));
}

#[tokio::test]
async fn strangers_have_one_stream_and_a_small_window() {
    let office = Office::open(&[]);
    let (_caller, connection) = call(&office, TABLET, "127.0.0.1:0").await;
    let (mut sender, _receiver) = connection.open_bi().await.unwrap();
    let second = tokio::time::timeout(Duration::from_millis(200), connection.open_bi()).await;
    assert!(second.is_err(), "a second stream before being known");
    let bulk = tokio::time::timeout(Duration::from_millis(200), connection.open_uni()).await;
    assert!(bulk.is_err(), "a bulk stream before being known");
    assert_eq!(connection.max_datagram_size(), None);
    // A hello that is begun and never ends can't fill more than the window.
    let mut sent = frame(kind::OPENING, 8000, b"").len();
    sender.write_all(&frame(kind::OPENING, 8000, b"")).await.unwrap();
    let flood = async {
        loop {
            sent += sender.write(&[0; 4096]).await.unwrap_or(0);
            tokio::task::yield_now().await;
            if connection.close_reason().is_some() {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), flood).await;
    assert!(sent <= (64 << 10) + (32 << 10), "{sent} bytes were taken");
}

#[tokio::test]
async fn silent_callers_cannot_keep_a_paired_laptop_out() {
    let office = Office::open(&[LAPTOP]);
    let mut silent = Vec::new();
    for at in 0..30 {
        // Linux takes all of 127/8 for itself; elsewhere all come from one address, which is the harder case.
        let from = if cfg!(target_os = "linux") { format!("127.0.0.{}:0", 2 + at % 10) } else { "127.0.0.1:0".into() };
        silent.push(call(&office, TABLET, &from).await);
    }
    assert!(office.endpoint.strangers() <= 40);
    let begun = std::time::Instant::now();
    assert!(soon(join(&client(LAPTOP), &office.target)).await.is_ok());
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn one_source_has_four_places_and_the_oldest_makes_room() {
    let office = Office::open(&[]);
    let mut calls = Vec::new();
    for _ in 0..5 {
        calls.push(call(&office, TABLET, "127.0.0.1:0").await);
    }
    soon(calls[0].1.closed()).await;
    assert!(calls[4].1.close_reason().is_none());
    assert!(office.endpoint.strangers() <= 4);
    calls[4].1.close(VarInt::from_u32(0), b"");
}
