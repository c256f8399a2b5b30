//! The same endpoint over a simulated network with a simulated clock.

use super::*;
use quinn::{
    AsyncTimer, AsyncUdpSocket, Runtime, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use std::{
    io::{self, IoSliceMut},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

type Readable = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

struct SimulatedSocket {
    socket: Arc<turmoil::net::UdpSocket>,
    readable: Mutex<Option<Readable>>,
}

impl std::fmt::Debug for SimulatedSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimulatedSocket")
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncUdpSocket for SimulatedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        // A datagram that can't be sent is a lost datagram.
        let _ = self.socket.try_send_to(transmit.contents, transmit.destination);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.socket.try_recv_from(&mut bufs[0]) {
                Ok((len, addr)) => {
                    meta[0] = RecvMeta { addr, len, stride: len, ..RecvMeta::default() };
                    return Poll::Ready(Ok(1));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut readable = self.readable.lock().unwrap();
                    let waiting = readable.get_or_insert_with(|| {
                        let socket = Arc::clone(&self.socket);
                        Box::pin(async move { socket.readable().await })
                    });
                    let answer = ready!(waiting.as_mut().poll(cx));
                    *readable = None;
                    answer?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct SimulatedTime;

#[derive(Debug)]
struct Timer(Pin<Box<tokio::time::Sleep>>);

impl AsyncTimer for Timer {
    fn reset(mut self: Pin<&mut Self>, at: Instant) {
        self.0.as_mut().reset(at.into());
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context) -> Poll<()> {
        Future::poll(self.0.as_mut(), cx)
    }
}

impl Runtime for SimulatedTime {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(Timer(Box::pin(tokio::time::sleep_until(at.into()))))
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        tokio::spawn(future);
    }

    fn wrap_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

async fn endpoint(seed: u8) -> Endpoint {
    let socket = Arc::new(turmoil::net::UdpSocket::bind(("0.0.0.0", PORT)).await.unwrap());
    let config =
        EndpointConfig { simulation_seed: Some([seed; 32]), on_link: OnLink::fixed(&[]), ..super::config(seed) };
    let socket = Arc::new(SimulatedSocket { socket, readable: Mutex::new(None) });
    Endpoint::with_socket(config, socket, Arc::new(SimulatedTime)).unwrap()
}

const PORT: u16 = 4433;

/// A server on a computer of its own.
fn open_office(world: &mut turmoil::Sim<'_>, known: &'static [u8]) {
    world.host("office", move || async move {
        let office = endpoint(OFFICE).await;
        let desk = Desk::new(known);
        office.set_knocks(&[Knock { key: knock(), scope: KnockScope::Anyone }]);
        office.serve(ServerRules { doorkeeper: desk.clone(), desk });
        greet_everyone(Arc::new(office)).await;
        Ok(())
    });
}

fn knock() -> KnockKey {
    KnockKey::from_bytes([9; 16])
}

/// Where it is found.
fn office() -> Target {
    let address = SocketAddr::new(turmoil::lookup("office"), PORT);
    Target { addresses: vec![address], server: Some(key(OFFICE).public()), knock: knock() }
}

#[test]
fn a_laptop_pairs_loses_the_line_and_comes_back() {
    let mut world = turmoil::Builder::new()
        .rng_seed(1)
        .simulation_duration(Duration::from_secs(300))
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(40))
        .build();
    open_office(&mut world, &[]);
    world.client("laptop", async move {
        let laptop = endpoint(LAPTOP).await;
        let target = office();
        let paired = ask_to_pair(&laptop, &target).await?.pair(&credentials(PASSWORD)).await?;
        let joined = paired.join(b"laptop".as_slice()).await?;
        assert!(!joined.link.is_lan());

        turmoil::partition("laptop", "office");
        assert_eq!(joined.link.closed().await, Closed::Lost);
        assert_eq!(join(&laptop, &target).await.err(), Some(DialError::NoAnswer { tried: 1 }));
        turmoil::repair("laptop", "office");
        assert_eq!(join(&laptop, &target).await?.greeting.as_ref(), b"welcome, laptop");
        Ok(())
    });
    world.run().unwrap();
}

#[test]
fn a_reconnect_with_a_saved_token_takes_two_round_trips() {
    const ROUND_TRIP: Duration = Duration::from_millis(400);
    let mut world = turmoil::Builder::new()
        .rng_seed(1)
        .simulation_duration(Duration::from_secs(60))
        .min_message_latency(ROUND_TRIP / 2)
        .max_message_latency(ROUND_TRIP / 2)
        .build();
    open_office(&mut world, &[LAPTOP]);
    world.client("laptop", async move {
        let laptop = endpoint(LAPTOP).await;
        for round_trips in [3, 2] {
            let begun = tokio::time::Instant::now();
            let joined = join(&laptop, &office()).await?;
            // The clock of the simulation goes on only where somebody waits: what is left over are its ticks.
            let (took, least) = (begun.elapsed(), ROUND_TRIP * round_trips);
            assert!((least..least + ROUND_TRIP / 4).contains(&took), "{took:?} is no {round_trips} round trips");
            // The tokens come right behind the welcome.
            tokio::time::sleep(ROUND_TRIP).await;
            drop(joined);
        }
        Ok(())
    });
    world.run().unwrap();
}

#[test]
fn a_limit_holds_in_each_direction_on_a_link_that_stands_and_is_gone_when_it_is_taken_away() {
    const LIMIT: u32 = 200_000;
    let mut world = turmoil::Builder::new()
        .rng_seed(1)
        .simulation_duration(Duration::from_secs(300))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(1))
        .udp_capacity(4096)
        .build();
    open_office(&mut world, &[LAPTOP]);
    world.client("laptop", async move {
        let laptop = endpoint(LAPTOP).await;
        let Joined { link: _link, mut control, .. } = join(&laptop, &office()).await?;
        let (up, down) = (
            Bandwidth { up_bytes_per_sec: Some(LIMIT), ..Bandwidth::default() },
            Bandwidth { down_bytes_per_sec: Some(LIMIT), ..Bandwidth::default() },
        );
        for (bandwidth, is_limited) in
            [(Bandwidth::default(), false), (up, true), (down, true), (Bandwidth::default(), false)]
        {
            laptop.limit(bandwidth);
            let begun = tokio::time::Instant::now();
            for _ in 0..8 {
                control.sender.send(CONTROL, vec![7; 64 << 10]).await?;
            }
            // The office sends back what it is told.
            for _ in 0..8 {
                assert_eq!(control.receiver.next().await?.map(|frame| frame.payload.len()), Some(64 << 10));
            }
            let speed = f64::from(8 * (64 << 10)) / begun.elapsed().as_secs_f64();
            let of_limit = speed / f64::from(LIMIT);
            // Half a megabyte in all, of which the burst of a quarter of a second is a tenth.
            assert_eq!((0.8..1.15).contains(&of_limit), is_limited, "{bandwidth:?}: {speed} bytes per second");
        }
        Ok(())
    });
    world.run().unwrap();
}
