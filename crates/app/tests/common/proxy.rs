//! A wire between two computers that counts what goes over it and can be cut.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::net::UdpSocket;

#[derive(Clone, Default)]
pub struct Wire {
    pub to_server: Arc<AtomicU64>,
    pub to_client: Arc<AtomicU64>,
    is_cut: Arc<AtomicBool>,
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
        self.is_cut.store(true, Ordering::Relaxed);
    }

    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::Relaxed);
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
                            if !wire.is_cut.load(Ordering::Relaxed) {
                                wire.to_client.fetch_add(len as u64, Ordering::Relaxed);
                                near.send_to(&packet[..len], from).await.ok();
                            }
                        }
                    });
                    socket
                }
            };
            if !self.is_cut.load(Ordering::Relaxed) {
                self.to_server.fetch_add(len as u64, Ordering::Relaxed);
                socket.send(&packet[..len]).await.ok();
            }
        }
    }
}
