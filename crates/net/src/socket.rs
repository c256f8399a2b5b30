//! The UDP socket under the endpoint.
//!
//! [`SilentSocket`] drops what quinn would answer although the sender hasn't knocked: long headers of another QUIC
//! version (quinn would negotiate) and with a connection ID of an unusual length (quinn would complain). While it is kept
//! local it also drops whatever would leave the local network, connections that already stand among it. It sends what
//! opens the way through routers (hole punching), and hears the packet a switchboard sends when it is asked to call.
//! [`PlainSocket`] stands in where the system refuses the options quinn asks its own socket for.

use crate::OnLink;
use quinn::{
    AsyncUdpSocket, Runtime, UdpPoller,
    udp::{RecvMeta, Transmit},
};
use std::{
    collections::BTreeMap,
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::sync::oneshot;

/// A socket that was bound.
pub(crate) struct Bound {
    pub(crate) socket: Arc<dyn AsyncUdpSocket>,
    /// The same socket, for options.
    pub(crate) options: UdpSocket,
}

/// Binds a UDP socket; an unspecified IPv6 address takes IPv4 as well, and falls back to it where IPv6 is off.
pub(crate) fn bind(listen: SocketAddr, runtime: &dyn Runtime) -> io::Result<Bound> {
    let socket = match bind_std(listen) {
        Err(_) if listen.is_ipv6() && listen.ip().is_unspecified() => {
            bind_std(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), listen.port()))?
        }
        bound => bound?,
    };
    let options = socket.try_clone()?;
    let socket = match runtime.wrap_udp_socket(socket.try_clone()?) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::info!(%error, "the system refuses a UDP option; using a plain socket");
            Arc::new(PlainSocket(tokio::net::UdpSocket::from_std(socket)?))
        }
    };
    Ok(Bound { socket, options })
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
    inner: Arc<dyn AsyncUdpSocket>,
    on_link: OnLink,
    /// Nothing may leave the local network.
    is_kept_local: AtomicBool,
    /// The same socket, for options; simulated ones have none.
    options: Option<UdpSocket>,
    /// Those who wait for a switchboard's packet, by its token.
    waiting: Mutex<BTreeMap<[u8; 16], oneshot::Sender<SocketAddr>>>,
}

/// Opens the way through a router. QUIC takes it for noise.
const HOLE: &[u8; 5] = b"\0hole";
/// What a switchboard sends when it was asked to call, followed by the token.
const CALLED: &[u8; 5] = b"\0call";
/// Far enough to leave the own router, and not far enough to reach another's.
const SHORT_WAY: u32 = 2;

/// The packet of a switchboard that was asked to call.
pub(crate) fn called(token: &[u8; 16]) -> [u8; 21] {
    let mut packet = [0; 21];
    packet[..CALLED.len()].copy_from_slice(CALLED);
    packet[CALLED.len()..].copy_from_slice(token);
    packet
}

impl SilentSocket {
    pub(crate) fn new(inner: Arc<dyn AsyncUdpSocket>, options: Option<UdpSocket>, on_link: OnLink) -> Arc<Self> {
        Arc::new(Self { inner, on_link, is_kept_local: AtomicBool::new(false), options, waiting: Mutex::default() })
    }

    /// Whether nothing may leave the local network from now on.
    pub(crate) fn keep_local(&self, is_kept_local: bool) {
        self.is_kept_local.store(is_kept_local, Ordering::Relaxed);
    }

    /// Sends a packet that opens the way for what comes from there.
    pub(crate) fn punch(&self, to: SocketAddr) {
        let destination = match (to.ip(), self.inner.local_addr().is_ok_and(|own| own.is_ipv6())) {
            (IpAddr::V4(ip), true) => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        let packet = Transmit { destination, ecn: None, contents: HOLE, segment_size: None, src_ip: None };
        // Lost or not sent is the same here.
        let _ = self.try_send(&packet);
    }

    /// The same, so that the packet passes the own router and dies on the way. A router that answers unknown packets
    /// instead of dropping them would take the other side's first packet for a conversation of its own, if it came
    /// before ours, and give ours another port.
    pub(crate) fn punch_a_short_way(&self, to: SocketAddr) {
        let Some(options) = self.options.as_ref().filter(|_| to.ip().to_canonical().is_ipv4()) else { return };
        let options = socket2::SockRef::from(options);
        let Ok(usual) = options.ttl_v4() else { return };
        if options.set_ttl_v4(SHORT_WAY).is_ok() {
            self.punch(to);
            if let Err(error) = options.set_ttl_v4(usual) {
                tracing::warn!(%error, "packets go a short way only");
            }
        }
    }

    /// Waits for the packet with this token; tells where it came from.
    pub(crate) fn wait_for(&self, token: [u8; 16]) -> oneshot::Receiver<SocketAddr> {
        let (heard, waiting) = oneshot::channel();
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, other| !other.is_closed());
        all.insert(token, heard);
        waiting
    }

    fn is_for_us(&self, datagram: &[u8], from: SocketAddr) -> bool {
        if datagram == HOLE {
            return true;
        }
        let Some(token) = datagram.strip_prefix(CALLED).and_then(|rest| <[u8; 16]>::try_from(rest).ok()) else {
            return false;
        };
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&token);
        if let Some(waiting) = waiting {
            // Whoever asked may be gone.
            let _ = waiting.send(from);
        }
        true
    }
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
            let from = meta.addr;
            keep_good_datagrams(buf, meta, |datagram| is_worth_handling(datagram) && !self.is_for_us(datagram, from));
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
fn keep_good_datagrams(buf: &mut [u8], meta: &mut RecvMeta, is_good: impl Fn(&[u8]) -> bool) {
    let stride = meta.stride.max(1);
    let (mut from, mut kept) = (0, 0);
    while from < meta.len {
        let to = (from + stride).min(meta.len);
        if is_good(&buf[from..to]) {
            if kept < from {
                buf.copy_within(from..to, kept);
            }
            kept += to - from;
        }
        from = to;
    }
    meta.len = kept;
}

pub(crate) fn is_worth_handling(datagram: &[u8]) -> bool {
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
        keep_good_datagrams(&mut buf, &mut meta, is_worth_handling);
        assert_eq!(&buf[..meta.len], [good.clone(), good[..30].to_vec()].concat());
        let mut buf = bad;
        meta.len = buf.len();
        keep_good_datagrams(&mut buf, &mut meta, is_worth_handling);
        assert_eq!(meta.len, 0);
    }
}
