//! The UDP socket under the endpoint.
//!
//! [`SilentSocket`] drops what quinn would answer although the sender hasn't knocked: long headers of another QUIC
//! version (quinn would negotiate) and with a connection ID of an unusual length (quinn would complain). While it is kept
//! local it also drops whatever would leave the local network, connections that already stand among it.
//! [`PlainSocket`] stands in where the system refuses the options quinn asks its own socket for.

use crate::OnLink;
use quinn::{
    AsyncUdpSocket, Runtime, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use std::{
    io::{self, IoSliceMut},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

/// Binds a UDP socket; an unspecified IPv6 address takes IPv4 as well, and falls back to it where IPv6 is off.
pub(crate) fn bind(listen: SocketAddr, runtime: &dyn Runtime) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let socket = match bind_std(listen) {
        Err(_) if listen.is_ipv6() && listen.ip().is_unspecified() => {
            bind_std(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), listen.port()))?
        }
        bound => bound?,
    };
    match runtime.wrap_udp_socket(socket.try_clone()?) {
        Ok(socket) => Ok(socket),
        Err(error) => {
            tracing::info!(%error, "the system refuses a UDP option; using a plain socket");
            Ok(Arc::new(PlainSocket(tokio::net::UdpSocket::from_std(socket)?)))
        }
    }
}

fn bind_std(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(listen), socket2::Type::DGRAM, None)?;
    if listen.is_ipv6() && listen.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    Ok(socket.into())
}

#[derive(Debug)]
pub(crate) struct SilentSocket {
    pub(crate) inner: Arc<dyn AsyncUdpSocket>,
    pub(crate) on_link: OnLink,
    /// Nothing may leave the local network.
    pub(crate) is_kept_local: Arc<AtomicBool>,
}

impl AsyncUdpSocket for SilentSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        if self.is_kept_local.load(Ordering::Relaxed) && !self.on_link.is_lan(transmit.destination.ip()) {
            // To QUIC that is a lost packet.
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
        let count = ready!(self.inner.poll_recv(cx, bufs, meta))?;
        for (buf, meta) in bufs.iter_mut().zip(meta.iter_mut()).take(count) {
            keep_good_datagrams(buf, meta);
        }
        Poll::Ready(Ok(count))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}

/// One buffer holds several datagrams of `stride` bytes (the last may be shorter). Those that stay move together.
fn keep_good_datagrams(buf: &mut [u8], meta: &mut RecvMeta) {
    let stride = meta.stride.max(1);
    let (mut from, mut kept) = (0, 0);
    while from < meta.len {
        let to = (from + stride).min(meta.len);
        if is_worth_handling(&buf[from..to]) {
            if kept < from {
                buf.copy_within(from..to, kept);
            }
            kept += to - from;
        }
        from = to;
    }
    meta.len = kept;
}

fn is_worth_handling(datagram: &[u8]) -> bool {
    const LONG_HEADER: u8 = 0x80;
    const QUIC_V1: [u8; 4] = [0, 0, 0, 1];
    match datagram {
        [first, ..] if first & LONG_HEADER == 0 => true,
        [_, v0, v1, v2, v3, id_len, ..] => [*v0, *v1, *v2, *v3] == QUIC_V1 && (8..=20).contains(id_len),
        _ => false,
    }
}

/// A UDP socket without any of the options that make quinn's own fast.
#[derive(Debug)]
struct PlainSocket(tokio::net::UdpSocket);

#[derive(Debug)]
struct PlainPoller(Arc<PlainSocket>);

impl UdpPoller for PlainPoller {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context) -> Poll<io::Result<()>> {
        self.0.0.poll_send_ready(cx)
    }
}

impl AsyncUdpSocket for PlainSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(PlainPoller(self))
    }

    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        match self.0.try_send_to(transmit.contents, transmit.destination) {
            // Nobody may listen there, or the network is down: to QUIC that is a lost packet.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Ok(()),
            sent => sent.map(|_| ()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut buf = tokio::io::ReadBuf::new(&mut bufs[0]);
        loop {
            match ready!(self.0.poll_recv_from(cx, &mut buf)) {
                Ok(sender) => {
                    let len = buf.filled().len();
                    meta[0] = RecvMeta { addr: sender, len, stride: len, ..RecvMeta::default() };
                    return Poll::Ready(Ok(1));
                }
                // Windows reports here that an earlier datagram reached nobody.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[cfg(test)]
pub(crate) fn plain(listen: SocketAddr) -> Arc<dyn AsyncUdpSocket> {
    let socket = bind_std(listen).expect("a free port");
    Arc::new(PlainSocket(tokio::net::UdpSocket::from_std(socket).expect("a runtime")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long_header(version: u32, id_len: u8) -> Vec<u8> {
        let mut datagram = vec![0xc0];
        datagram.extend_from_slice(&version.to_be_bytes());
        datagram.push(id_len);
        datagram.resize(50, id_len);
        datagram
    }

    #[test]
    fn only_packets_quinn_stays_silent_about_come_through() {
        assert!(is_worth_handling(&long_header(1, 8)));
        assert!(is_worth_handling(&long_header(1, 20)));
        assert!(is_worth_handling(&[0x40, 1, 2, 3]));
        for bad in [long_header(2, 8), long_header(0, 8), long_header(0x6b33_43cf, 8)] {
            assert!(!is_worth_handling(&bad));
        }
        assert!(!is_worth_handling(&long_header(1, 7)));
        assert!(!is_worth_handling(&long_header(1, 21)));
        assert!(!is_worth_handling(&[0xc0, 0, 0, 0, 1]));
        assert!(!is_worth_handling(&[]));
    }

    #[test]
    fn bad_datagrams_are_cut_out_of_a_batch() {
        let (good, bad) = (long_header(1, 8), long_header(2, 9));
        let mut buf = [bad.clone(), good.clone(), bad.clone(), good[..30].to_vec()].concat();
        let mut meta = RecvMeta { len: buf.len(), stride: 50, ..RecvMeta::default() };
        keep_good_datagrams(&mut buf, &mut meta);
        assert_eq!(&buf[..meta.len], [good.clone(), good[..30].to_vec()].concat());
        let mut buf = bad;
        meta.len = buf.len();
        keep_good_datagrams(&mut buf, &mut meta);
        assert_eq!(meta.len, 0);
    }
}
