use super::{dialing::CountingSocket, *};
use crate::tls::{Shape, client_config};
use quinn::TokioRuntime;
use std::net::UdpSocket;

/// The first datagram a client would send.
pub(super) async fn first_datagram(knock: KnockKey) -> Vec<u8> {
    let ear = tokio::net::UdpSocket::bind(loopback()).await.unwrap();
    let shape = Shape { limits: Limits::default(), is_simulated: false };
    let tokens = Arc::new(SavedTransport::generate().address_tokens());
    let (config, _) = client_config(&key(LAPTOP), None, knock, &tokens, &shape);
    let caller = quinn::Endpoint::client(loopback()).unwrap();
    let calling = caller.connect_with(config, ear.local_addr().unwrap(), "any.invalid").unwrap();
    let mut datagram = vec![0; 2000];
    let len = soon(ear.recv(&mut datagram)).await.unwrap();
    drop(calling);
    datagram.truncate(len);
    datagram
}

fn counted_office(known: &[u8]) -> (Office, Arc<CountingSocket>) {
    let socket = CountingSocket::bind();
    let endpoint = Endpoint::with_socket(config(OFFICE), socket.clone(), Arc::new(TokioRuntime)).unwrap();
    (Office::at(endpoint, known), socket)
}

#[tokio::test]
async fn a_stranger_gets_no_packet_at_all() {
    let (office, socket) = counted_office(&[LAPTOP]);
    let unknown_knock = first_datagram(KnockKey::from_bytes([77; 16])).await;
    let good = first_datagram(office.target.knock).await;
    let changed = |at: usize, value: u8| {
        let mut datagram = good.clone();
        datagram[at] = value;
        datagram
    };
    let mut other_version = good.clone();
    other_version[1..5].copy_from_slice(&[0x0a, 0x1a, 0x2a, 0x3a]);
    let mut short_header = vec![0x40; 1200];
    short_header[1..9].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let strange = [
        unknown_knock,
        other_version,
        changed(4, 2),
        changed(4, 0),
        // Lengths and bytes of the connection ID.
        changed(5, 0),
        changed(5, 7),
        changed(5, 8),
        changed(5, 19),
        changed(5, 21),
        changed(5, 255),
        changed(6, !good[6]),
        changed(25, !good[25]),
        short_header,
        good[..1199].to_vec(),
        good[..30].to_vec(),
        vec![0; 1200],
        vec![0xff; 1200],
        vec![0x80],
        b"\0hole".to_vec(),
    ];
    let stranger = UdpSocket::bind(loopback()).unwrap();
    for datagram in &strange {
        stranger.send_to(datagram, office.target.addresses[0]).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(socket.sent(), 0);
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv(&mut [0; 2000]).is_err(), "an answer came");
    // It is alive nevertheless.
    assert!(soon(join(&client(LAPTOP), &office.target)).await.is_ok());
}

#[tokio::test]
async fn a_client_answers_nobody_either() {
    let laptop = client(LAPTOP);
    let address = laptop.local_addresses()[0];
    let stranger = UdpSocket::bind(loopback()).unwrap();
    for knock in [[9; 16], [0; 16]] {
        stranger.send_to(&first_datagram(KnockKey::from_bytes(knock)).await, address).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stranger.set_nonblocking(true).unwrap();
    assert!(stranger.recv(&mut [0; 2000]).is_err(), "an answer came");
}

#[tokio::test]
async fn a_repeated_knock_gets_a_retry_and_leaves_nothing_behind() {
    let (office, socket) = counted_office(&[LAPTOP]);
    let watched = first_datagram(office.target.knock).await;
    let sockets: Vec<UdpSocket> = (0..100).map(|_| UdpSocket::bind(loopback()).unwrap()).collect();
    for at in 0..1000 {
        sockets[at % 100].send_to(&watched, office.target.addresses[0]).unwrap();
        if at % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    // A thousand half-open calls, and a paired computer still comes in within two seconds.
    let begun = std::time::Instant::now();
    assert!(soon(join(&client(LAPTOP), &office.target)).await.is_ok());
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(socket.retries() > 1);
    assert_eq!(office.endpoint.strangers(), 0);
}

#[tokio::test]
async fn the_lan_knock_opens_for_the_lan() {
    let office = Office::open(&[]);
    let lan = KnockKey::from_bytes([44; 16]);
    office.endpoint.set_knocks(&[Knock { key: lan, scope: KnockScope::LocalNetwork }]);
    let target = Target { knock: lan, server: None, ..office.target.clone() };
    assert!(soon(ask_to_pair(&client(LAPTOP), &target)).await.is_ok());
}

#[tokio::test]
async fn a_server_that_stopped_serving_is_silent() {
    let (office, socket) = counted_office(&[LAPTOP]);
    office.endpoint.stop_serving();
    let stranger = UdpSocket::bind(loopback()).unwrap();
    stranger.send_to(&first_datagram(office.target.knock).await, office.target.addresses[0]).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(socket.sent(), 0);
}
