use super::*;
use crate::{socket, tls};
use quinn::{
    AsyncUdpSocket, TokioRuntime, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use std::{
    io::{self, IoSliceMut},
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::{Context, Poll},
    time::Instant,
};

#[tokio::test]
async fn a_paired_laptop_comes_in_with_its_first_question() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let mut joined = soon(join(&laptop, &office.target)).await.unwrap();
    assert_eq!(joined.greeting.as_ref(), b"welcome, laptop");
    assert_eq!(joined.link.peer(), key(OFFICE).public());
    assert!(joined.link.is_lan());
    joined.control.sender.send(CONTROL, b"echo".as_slice()).await.unwrap();
    let echo = soon(joined.control.receiver.next()).await.unwrap().unwrap();
    assert_eq!((echo.kind, echo.payload.as_ref()), (CONTROL, b"echo".as_slice()));
    assert_eq!(office.endpoint.links(), 1);
    assert!(joined.link.stats().udp_bytes_sent > 0);
}

#[tokio::test]
async fn another_key_at_the_address_is_said_so() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let expected = Target { server: Some(key(99).public()), ..office.target.clone() };
    let wrong = DialError::WrongServerKey { address: office.target.addresses[0], found: key(OFFICE).public() };
    assert_eq!(soon(join(&laptop, &expected)).await.err(), Some(wrong));
    assert_eq!(office.endpoint.links(), 0);
}

#[tokio::test]
async fn the_right_server_wins_the_race_whatever_else_answers() {
    let office = Office::open(&[LAPTOP]);
    let impostor = Office::with(config(50), &[LAPTOP]);
    let silent = std::net::UdpSocket::bind(loopback()).unwrap();
    let laptop = client(LAPTOP);
    let addresses = vec![silent.local_addr().unwrap(), impostor.target.addresses[0], office.target.addresses[0]];
    let target = Target { addresses, ..office.target.clone() };
    let begun = Instant::now();
    let joined = soon(join(&laptop, &target)).await.unwrap();
    assert_eq!(joined.link.remote_address(), office.target.addresses[0]);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn no_address_and_no_answer_are_told_apart() {
    let office = Office::open(&[LAPTOP]);
    let limits = Limits { dial: Duration::from_millis(200), ..Limits::default() };
    let laptop = Endpoint::bind(EndpointConfig { limits, ..config(LAPTOP) }, loopback()).unwrap();
    let nowhere = Target { addresses: Vec::new(), ..office.target.clone() };
    assert_eq!(soon(join(&laptop, &nowhere)).await.err(), Some(DialError::NoAddress));
    let silent = std::net::UdpSocket::bind(loopback()).unwrap().local_addr().unwrap();
    let quiet = Target { addresses: vec![silent], ..office.target.clone() };
    assert_eq!(soon(join(&laptop, &quiet)).await.err(), Some(DialError::NoAnswer { tried: 1 }));
}

#[tokio::test]
async fn a_refusal_says_why() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    for refusal in
        [Refusal::Paused { until_unix_secs: Some(NOW) }, Refusal::InternetOff, Refusal::Busy { retry_secs: Some(30) }]
    {
        office.desk.with(|desk| desk.refusal = Some(refusal));
        assert_eq!(soon(join(&laptop, &office.target)).await.err(), Some(DialError::Refused(refusal)));
    }
}

#[tokio::test]
async fn a_removed_laptop_is_cut_off_at_once_and_stays_out() {
    let office = Office::open(&[LAPTOP, TABLET]);
    let (laptop, tablet) = (client(LAPTOP), client(TABLET));
    let live = soon(join(&laptop, &office.target)).await.unwrap();
    let other = soon(join(&tablet, &office.target)).await.unwrap();
    office.desk.with(|desk| desk.devices.insert(key(LAPTOP).public(), Admission::Removed));
    let begun = Instant::now();
    office.endpoint.cut(Cut::Device(DeviceId::of(&key(LAPTOP).public())), Refusal::Removed);
    assert_eq!(soon(live.link.closed()).await, Closed::Refused(Refusal::Removed));
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(other.link.close_reason(), None);
    assert_eq!(soon(join(&laptop, &office.target)).await.err(), Some(DialError::Refused(Refusal::Removed)));
}

#[tokio::test]
async fn switching_the_internet_off_cuts_only_those_from_there() {
    let far = OnLink::fixed(&[]);
    let office = Office::with(EndpointConfig { on_link: far, ..config(OFFICE) }, &[LAPTOP]);
    let laptop = client(LAPTOP);
    let live = soon(join(&laptop, &office.target)).await.unwrap();
    // Loopback counts as local, so this one stays.
    office.endpoint.cut(Cut::Internet, Refusal::InternetOff);
    assert!(tokio::time::timeout(Duration::from_millis(200), live.link.closed()).await.is_err());
    office.endpoint.cut(Cut::Everyone, Refusal::Paused { until_unix_secs: None });
    let reason = soon(live.link.closed()).await;
    assert_eq!(reason, Closed::Refused(Refusal::Paused { until_unix_secs: None }));
}

#[tokio::test]
async fn an_old_service_id_opens_only_to_known_devices() {
    let office = Office::open(&[LAPTOP]);
    let old = KnockKey::from_bytes([33; 16]);
    office.endpoint.set_knocks(&[
        Knock { key: office.target.knock, scope: KnockScope::Anyone },
        Knock { key: old, scope: KnockScope::KnownDevices },
    ]);
    let target = Target { knock: old, ..office.target.clone() };
    assert!(soon(join(&client(LAPTOP), &target)).await.is_ok());
    let stranger = client(TABLET);
    assert_eq!(soon(ask_to_pair(&stranger, &target)).await.err(), Some(DialError::Refused(Refusal::NotAdmitted)));
    assert!(soon(ask_to_pair(&stranger, &office.target)).await.is_ok());
}

#[tokio::test]
async fn a_device_that_comes_again_and_again_replaces_its_oldest_connection() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let mut live = Vec::new();
    for _ in 0..5 {
        live.push(soon(join(&laptop, &office.target)).await.unwrap());
    }
    assert_eq!(soon(live[0].link.closed()).await, Closed::ByPeer { code: CloseCode::Replaced });
    assert_eq!(live[1].link.close_reason(), None);
    assert_eq!(office.endpoint.links(), 4);
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_link_on_both_sides() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let joined = soon(join(&laptop, &office.target)).await.unwrap();
    drop(joined);
    soon(async {
        while office.endpoint.links() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_closed_endpoint_takes_nobody_and_says_goodbye() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let joined = soon(join(&laptop, &office.target)).await.unwrap();
    office.endpoint.close().await;
    assert_eq!(soon(joined.link.closed()).await, Closed::ByPeer { code: CloseCode::GoingAway });
    assert!(soon(office.endpoint.accept()).await.is_none());
}

/// Counts what the server sends, as a stranger or a billing provider would.
#[derive(Debug)]
pub(super) struct CountingSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    pub(super) retries: AtomicUsize,
    pub(super) sent: AtomicUsize,
}

impl CountingSocket {
    pub(super) fn bind() -> Arc<Self> {
        let inner = socket::plain(loopback());
        Arc::new(Self { inner, retries: AtomicUsize::new(0), sent: AtomicUsize::new(0) })
    }

    pub(super) fn retries(&self) -> usize {
        self.retries.load(Ordering::SeqCst)
    }

    pub(super) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

impl AsyncUdpSocket for CountingSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        // Long header (0x80), fixed bit (0x40), type Retry (0x30).
        if transmit.contents[0] & 0xf0 == 0xf0 {
            self.retries.fetch_add(1, Ordering::SeqCst);
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

#[tokio::test]
async fn only_the_first_connection_has_to_prove_its_address_even_after_restarts() {
    let socket = CountingSocket::bind();
    let saved = SavedTransport::generate();
    let open = |saved: SavedTransport, socket: Arc<CountingSocket>| {
        let config = EndpointConfig { saved, ..config(OFFICE) };
        Office::at(Endpoint::with_socket(config, socket, Arc::new(TokioRuntime)).unwrap(), &[LAPTOP])
    };
    let office = open(saved.clone(), Arc::clone(&socket));
    let laptop = client(LAPTOP);
    let joined = soon(join(&laptop, &office.target)).await.unwrap();
    assert!(socket.retries() >= 1, "a new address is never taken unproven");
    joined.link.close(CloseCode::Done);
    let kept = laptop.saved();
    drop(office);

    let socket = CountingSocket::bind();
    let office = open(saved, Arc::clone(&socket));
    let laptop = Endpoint::bind(EndpointConfig { saved: kept, ..config(LAPTOP) }, loopback()).unwrap();
    soon(join(&laptop, &office.target)).await.unwrap();
    assert_eq!(socket.retries(), 0);

    let newcomer = client(LAPTOP);
    soon(join(&newcomer, &office.target)).await.unwrap();
    assert!(socket.retries() >= 1);
}

#[tokio::test]
async fn a_newer_laptop_and_an_older_office_tell_each_other_what_they_speak() {
    let office = Office::open(&[LAPTOP]);
    let laptop = Endpoint::bind(EndpointConfig { protocol: 2, ..config(LAPTOP) }, loopback()).unwrap();
    let refused = Some(DialError::Refused(Refusal::Version { speaks: Some(1) }));
    assert_eq!(soon(join(&laptop, &office.target)).await.err(), refused);
    assert_eq!(soon(laptop.dial_to_pair(&office.target)).await.err(), refused);
    assert_eq!(office.desk.with(|desk| desk.spoke_otherwise.clone()), [Some(2), Some(2)]);
}

#[tokio::test]
async fn another_handshake_is_another_version_and_not_silence() {
    // Callers of a rendezvous are the ones at hand who offer something else.
    let office = Office::open(&[LAPTOP]);
    let (server, knock, limits) = (office.target.server.unwrap(), office.target.knock, Limits::default());
    let shape = tls::Shape { limits: limits.clone(), is_simulated: false };
    let mut offer = tls::visitor_config(&key(LAPTOP), server, &shape);
    offer.initial_dst_cid_provider(Arc::new(move || knock.knock()));
    let caller = quinn::Endpoint::client(loopback()).unwrap();
    let call = caller.connect_with(offer, office.target.addresses[0], &tls::server_name(Some(&server))).unwrap();
    let error = soon(call).await.unwrap_err();
    assert!(tls::is_other_protocol(&error), "{error}");
    soon(async {
        while office.desk.with(|desk| desk.spoke_otherwise != [None]) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;

    let other = quinn::Endpoint::server(tls::switchboard_config(&key(OFFICE), &limits), loopback()).unwrap();
    let target = Target { addresses: vec![other.local_addr().unwrap()], ..office.target.clone() };
    let answering = tokio::spawn(async move { other.accept().await.unwrap().await });
    let refused = Some(DialError::Refused(Refusal::Version { speaks: None }));
    assert_eq!(soon(join(&client(LAPTOP), &target)).await.err(), refused);
    assert!(soon(answering).await.unwrap().is_err());
}

/// Knows the laptop when it is asked first, and has removed it when it is asked again.
struct Hasty(AtomicUsize);

impl Doorkeeper for Hasty {
    fn admit(&self, _: &Caller) -> Admission {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 { Admission::Known } else { Admission::Removed }
    }

    fn speaks_otherwise(&self, _: IpAddr, _: Option<u8>) {}
}

#[tokio::test]
async fn a_laptop_removed_while_it_comes_in_does_not_come_in() {
    let office = Office::open(&[]);
    let doorkeeper = Arc::new(Hasty(AtomicUsize::new(0)));
    office.endpoint.serve(ServerRules { doorkeeper, desk: office.desk.clone() });
    let laptop = client(LAPTOP);
    assert_eq!(soon(join(&laptop, &office.target)).await.err(), Some(DialError::Refused(Refusal::Removed)));
}
