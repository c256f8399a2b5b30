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

/// What strangers cost. They are a program of their own, so that only the server's part is measured.
#[cfg(target_os = "linux")]
mod alone {
    use super::*;
    use crate::socket;
    use quinn::{
        AsyncUdpSocket, TokioRuntime, UdpPoller,
        udp::{RecvMeta, Transmit},
    };
    use std::{
        io::{self, BufRead, IoSliceMut, Read},
        pin::Pin,
        process::{Child, Command, Stdio},
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll},
        time::Instant,
    };

    const OFFICE_AT: &str = "TANDEM_TEST_OFFICE";
    const WITH_GAPS: &str = "TANDEM_TEST_WITH_GAPS";
    const CALLERS: usize = 64;

    /// Loses every other packet that is no part of a handshake, so that what arrives has gaps everywhere.
    #[derive(Debug)]
    struct Gapped {
        inner: Arc<dyn AsyncUdpSocket>,
        sent: AtomicUsize,
    }

    impl AsyncUdpSocket for Gapped {
        fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
            Arc::clone(&self.inner).create_io_poller()
        }

        fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
            let is_handshake = transmit.contents[0] & 0x80 != 0;
            if !is_handshake && self.sent.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                return Ok(());
            }
            self.inner.try_send(transmit)
        }

        fn poll_recv(
            &self,
            cx: &mut Context,
            bufs: &mut [IoSliceMut<'_>],
            meta: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            self.inner.poll_recv(cx, bufs, meta)
        }

        fn local_addr(&self) -> io::Result<SocketAddr> {
            self.inner.local_addr()
        }
    }

    /// Calls, begins a hello that never ends, and fills all the room it is given: at once, or byte by byte with gaps.
    async fn call_and_fill(office: SocketAddr, at: usize, with_gaps: bool) -> (quinn::Endpoint, quinn::Connection) {
        let limits = Limits { keep_alive: Duration::from_secs(1), ..Limits::default() };
        let shape = Shape { limits, is_simulated: false };
        let tokens = Arc::new(SavedTransport::generate().address_tokens());
        let knock = KnockKey::of_service(&ServiceId::from_bytes([9; 16]));
        let (config, _) = client_config(&key(TABLET), None, knock, &tokens, &shape);
        // Four from each source: Linux takes all of 127/8 for itself.
        let from: SocketAddr = format!("127.0.1.{}:0", 1 + at / 4).parse().unwrap();
        let caller = if with_gaps {
            let socket = Arc::new(Gapped { inner: socket::plain(from), sent: AtomicUsize::new(0) });
            let config = quinn::EndpointConfig::default();
            quinn::Endpoint::new_with_abstract_socket(config, None, socket, Arc::new(TokioRuntime)).unwrap()
        } else {
            quinn::Endpoint::client(from).unwrap()
        };
        let connection = caller.connect_with(config, office, "any.invalid").unwrap().await.unwrap();
        let (mut sender, receiver) = connection.open_bi().await.unwrap();
        let fill = async {
            sender.write_all(&frame(kind::OPENING, 8000, b"")).await.unwrap();
            // All but the last byte.
            let (pieces, pause) = if with_gaps { (7_999, 3) } else { (1, 0) };
            for _ in 0..pieces {
                sender.write_all(&vec![0; 7_999 / pieces]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(4), fill).await;
        // Dropped streams would be reset, and their bytes forgotten.
        std::mem::forget((sender, receiver));
        (caller, connection)
    }

    /// Not a test: the program that the test starts.
    #[test]
    #[ignore = "started by the other test"]
    fn callers_of_their_own() {
        let Ok(office) = std::env::var(OFFICE_AT) else { return };
        let (office, with_gaps) = (office.parse().unwrap(), std::env::var_os(WITH_GAPS).is_some());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut calling = tokio::task::JoinSet::new();
            (0..CALLERS).for_each(|at| drop(calling.spawn(call_and_fill(office, at, with_gaps))));
            let calls = calling.join_all().await;
            println!("all have called");
            tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
            drop(calls);
        });
    }

    struct Callers(Child);

    impl Callers {
        fn start(office: &Office, with_gaps: bool) -> Self {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let test = "tests::hostile::alone::callers_of_their_own";
            command.args(["--ignored", "--exact", test, "--nocapture"]);
            command.env(OFFICE_AT, office.target.addresses[0].to_string());
            if with_gaps {
                command.env(WITH_GAPS, "1");
            }
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut lines = io::BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            assert!(lines.any(|line| line.contains("all have called")), "the callers ended: {:?}", child.wait());
            // Whoever prints into a pipe that nobody reads ends.
            std::thread::spawn(move || lines.for_each(drop));
            Self(child)
        }
    }

    impl Drop for Callers {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    /// Bytes of memory this program has.
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn strangers_who_fill_all_their_room_cost_no_more_memory_than_promised() {
        // For each, in KiB, and 2 MiB for those who have only knocked. Bytes with gaps between them lie each in a packet
        // of its own.
        const WHOLE_KIB: usize = 128;
        const GAPPED_KIB: usize = 256;
        let limits = Limits {
            authentication: Duration::from_secs(120),
            // Those who are gone are noticed soon; the others show that they are there.
            idle: Duration::from_secs(8),
            ..Limits::default()
        };
        let office = Office::with(EndpointConfig { limits, ..config(OFFICE) }, &[LAPTOP]);
        // What the first connection brings along isn't the strangers' doing.
        drop(soon(join(&client(LAPTOP), &office.target)).await.unwrap());
        let before = resident();
        for with_gaps in [false, true] {
            let callers = tokio::task::block_in_place(|| Callers::start(&office, with_gaps));
            let strangers = office.endpoint.strangers();
            assert!(strangers > CALLERS * 3 / 4, "only {strangers} came in");
            // And a thousand who have only knocked.
            let watched = super::super::strangers::first_datagram(office.target.knock).await;
            let sockets: Vec<_> = (0..100).map(|_| std::net::UdpSocket::bind(loopback()).unwrap()).collect();
            for at in 0..1000 {
                sockets[at % 100].send_to(&watched, office.target.addresses[0]).unwrap();
            }
            let begun = Instant::now();
            let joined = tokio::time::timeout(Duration::from_secs(20), join(&client(LAPTOP), &office.target)).await;
            assert!(joined.expect("a paired laptop comes in").is_ok());
            println!("with gaps {with_gaps}: a paired laptop came in after {:?}", begun.elapsed());
            let grown = resident().saturating_sub(before);
            println!("with gaps {with_gaps}: {strangers} strangers took {} KiB", grown >> 10);
            let promised = (CALLERS * if with_gaps { GAPPED_KIB } else { WHOLE_KIB } + 2048) << 10;
            assert!(grown <= promised, "{strangers} strangers took {} KiB", grown >> 10);
            drop(callers);
            let begun = Instant::now();
            while office.endpoint.strangers() > 0 {
                assert!(begun.elapsed() < Duration::from_secs(60), "they are gone, and nobody noticed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
