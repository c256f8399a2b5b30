//! A wire between two computers that counts what goes over it, can be cut, and can be a bad one.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::UdpSocket;

// Of a hundred packets on a bad wire, so many are lost, come twice, or come late.
const LOST: u64 = 8;
const DOUBLED: u64 = 4;
const LATE: u64 = 20;
/// Late is up to this: others overtake such packets.
const LATE_MS_MAX: u64 = 30;

/// Which way a packet goes.
#[derive(Clone, Copy)]
pub enum Way {
    ToServer,
    ToClient,
}

#[derive(Clone, Default)]
pub struct Wire {
    pub to_server: Arc<AtomicU64>,
    pub to_client: Arc<AtomicU64>,
    is_cut: [Arc<AtomicBool>; 2],
    /// What a bad wire rolls its dice with; 0: a good one.
    dice: Arc<Mutex<u64>>,
}

impl Wire {
    /// A wire to `server`, and the address of its near end.
    pub async fn to(server: SocketAddr) -> (Self, SocketAddr) {
        let wire = Self::default();
        let near = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let address = near.local_addr().unwrap();
        let carrying = wire.clone();
        tokio::spawn(async move { carrying.carry(near, server).await });
        (wire, address)
    }

    pub fn cut(&self) {
        self.is_cut.iter().for_each(|is_cut| is_cut.store(true, Ordering::Relaxed));
    }

    /// One side goes on hearing the other, and isn't heard.
    pub fn cut_one_way(&self, way: Way) {
        self.is_cut[way as usize].store(true, Ordering::Relaxed);
    }

    pub fn mend(&self) {
        self.is_cut.iter().for_each(|is_cut| is_cut.store(false, Ordering::Relaxed));
    }

    /// From now on packets are lost, doubled and overtaken, each time the same for the same seed and traffic.
    pub fn spoil(&self, seed: u64) {
        *self.dice.lock().unwrap() = seed.max(1);
    }

    /// A number below `end` (xorshift64*, Vigna 2016).
    fn roll(dice: &mut u64, end: u64) -> u64 {
        *dice ^= *dice >> 12;
        *dice ^= *dice << 25;
        *dice ^= *dice >> 27;
        (dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    /// What becomes of a packet: after how many milliseconds each copy of it comes.
    fn fate(&self, way: Way) -> Vec<u64> {
        let mut dice = self.dice.lock().unwrap();
        if self.is_cut[way as usize].load(Ordering::Relaxed) {
            return Vec::new();
        }
        if *dice == 0 {
            return vec![0];
        }
        let luck = Self::roll(&mut dice, 100);
        let copies = if luck < LOST {
            0
        } else if luck < LOST + DOUBLED {
            2
        } else {
            1
        };
        let mut delay = || if Self::roll(&mut dice, 100) < LATE { Self::roll(&mut dice, LATE_MS_MAX) } else { 0 };
        (0..copies).map(|_| delay()).collect()
    }

    /// Carries one packet with `send`, as often and as late as it comes.
    async fn pass<F: Future<Output = ()> + Send + 'static>(
        &self,
        way: Way,
        packet: &[u8],
        send: impl Fn(Vec<u8>) -> F,
    ) {
        for delay in self.fate(way) {
            let sending = send(packet.to_vec());
            if delay == 0 {
                sending.await;
            } else {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    sending.await;
                });
            }
        }
    }

    pub fn bytes(&self) -> u64 {
        self.to_server.load(Ordering::Relaxed) + self.to_client.load(Ordering::Relaxed)
    }

    async fn carry(self, near: Arc<UdpSocket>, server: SocketAddr) {
        let mut far = HashMap::<SocketAddr, Arc<UdpSocket>>::new();
        let mut packet = vec![0; 65_536];
        loop {
            let Ok((len, from)) = near.recv_from(&mut packet).await else { continue };
            let socket = match far.get(&from) {
                Some(socket) => Arc::clone(socket),
                None => {
                    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    socket.connect(server).await.unwrap();
                    far.insert(from, Arc::clone(&socket));
                    let (wire, near, back) = (self.clone(), Arc::clone(&near), Arc::clone(&socket));
                    tokio::spawn(async move {
                        let mut packet = vec![0; 65_536];
                        while let Ok(len) = back.recv(&mut packet).await {
                            let back = |packet: Vec<u8>| {
                                let (near, count) = (Arc::clone(&near), Arc::clone(&wire.to_client));
                                async move {
                                    count.fetch_add(packet.len() as u64, Ordering::Relaxed);
                                    near.send_to(&packet, from).await.ok();
                                }
                            };
                            wire.pass(Way::ToClient, &packet[..len], back).await;
                        }
                    });
                    socket
                }
            };
            let forth = |packet: Vec<u8>| {
                let (socket, count) = (Arc::clone(&socket), Arc::clone(&self.to_server));
                async move {
                    count.fetch_add(packet.len() as u64, Ordering::Relaxed);
                    socket.send(&packet).await.ok();
                }
            };
            self.pass(Way::ToServer, &packet[..len], forth).await;
        }
    }
}
