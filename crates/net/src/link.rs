//! A connection whose two ends know each other.

use crate::{CloseCode, Closed, FrameCaps, FrameError, FrameReceiver, FrameSender, Limits, OnLink, Refusal};
use crate::{close, limits::windows, pace::Pace, serve::By, tls};
use identity::{DeviceId, PublicKey};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// An authenticated connection. Clones are the same connection; it closes when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: quinn::Connection,
    peer: PublicKey,
    settings: LinkSettings,
    /// The limit it keeps to; none in the local network.
    pace: Option<Arc<Pace>>,
    /// Taken off the list when the link is dropped; only servers keep one, and know by which socket it came.
    listed: Option<(Listed, By)>,
}

#[derive(Clone, Debug)]
pub(crate) struct LinkSettings {
    pub(crate) limits: Limits,
    pub(crate) caps: FrameCaps,
    pub(crate) on_link: OnLink,
    /// The limit for all links together.
    pub(crate) pace: Arc<Pace>,
    /// The version of the protocol.
    pub(crate) protocol: u8,
}

/// The two directions of the first stream, which both sides use for what isn't bulk.
#[derive(Debug)]
pub struct Control {
    /// To the other side.
    pub sender: FrameSender,
    /// From the other side.
    pub receiver: FrameReceiver,
}

/// A link right after both sides agreed to talk.
#[derive(Debug)]
pub struct Joined {
    /// The connection.
    pub link: Link,
    /// Its first stream.
    pub control: Control,
    /// What the server's application said first; empty on the server itself.
    pub greeting: bytes::Bytes,
}

/// What a link has used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkStats {
    /// Bytes in UDP datagrams sent.
    pub udp_bytes_sent: u64,
    /// Bytes in UDP datagrams received.
    pub udp_bytes_received: u64,
    /// Packets that had to be sent again.
    pub packets_lost: u64,
    /// How long a question takes.
    pub round_trip: Duration,
}

impl Link {
    pub(crate) fn new(
        connection: quinn::Connection,
        peer: PublicKey,
        settings: LinkSettings,
        listed: Option<(Listed, By)>,
    ) -> Self {
        let is_lan = settings.on_link.is_lan(canonical(connection.remote_address()).ip());
        let pace = (!is_lan).then(|| Arc::clone(&settings.pace));
        raise_windows(&connection, pace.as_ref().and_then(|pace| pace.down.bytes_per_sec()));
        Self(Arc::new(Inner { connection, peer, settings, pace, listed }))
    }

    /// The stream on which both sides came to know each other becomes one of the link.
    pub(crate) fn adopt(&self, control: &mut Control) {
        control.receiver.set_caps(self.0.settings.caps);
        control.receiver.set_pace(self.0.pace.clone());
        control.sender.set_pace(self.0.pace.clone());
    }

    /// The key of the other side, proven in TLS.
    #[must_use]
    pub fn peer(&self) -> PublicKey {
        self.0.peer
    }

    /// The other side's name.
    #[must_use]
    pub fn device(&self) -> DeviceId {
        DeviceId::of(&self.0.peer)
    }

    /// Where the other side is now; it may move.
    #[must_use]
    pub fn remote_address(&self) -> SocketAddr {
        canonical(self.0.connection.remote_address())
    }

    /// Whether the other side is in the same network now.
    #[must_use]
    pub fn is_lan(&self) -> bool {
        self.0.settings.on_link.is_lan(self.remote_address().ip())
    }

    /// Whether the other side came to this server through a relay.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        matches!(self.0.listed, Some((_, By::Relay)))
    }

    /// Bytes no other connection has and both ends of this one share, to bind what is proven inside to it.
    #[must_use]
    pub fn channel_binding(&self) -> [u8; 32] {
        tls::channel_binding(&self.0.connection)
    }

    /// Opens a stream for bulk data to the other side. Waits while as many as the other side allows are open.
    pub async fn open_bulk(&self) -> Result<FrameSender, Closed> {
        Ok(self.sender(self.0.connection.open_uni().await?))
    }

    /// The next stream for bulk data from the other side.
    pub async fn accept_bulk(&self) -> Result<FrameReceiver, Closed> {
        Ok(self.receiver(self.0.connection.accept_uni().await?))
    }

    /// Opens a further stream in both directions.
    pub async fn open_control(&self) -> Result<Control, Closed> {
        let (sender, receiver) = self.0.connection.open_bi().await?;
        Ok(Control { sender: self.sender(sender), receiver: self.receiver(receiver) })
    }

    /// The next further stream the other side opens in both directions.
    pub async fn accept_control(&self) -> Result<Control, Closed> {
        let (sender, receiver) = self.0.connection.accept_bi().await?;
        Ok(Control { sender: self.sender(sender), receiver: self.receiver(receiver) })
    }

    /// Closes the connection at once; what isn't confirmed yet may be lost (see [`FrameSender::finish`]).
    pub fn close(&self, code: CloseCode) {
        self.0.connection.close(code.number(), b"");
    }

    /// Closes the connection and says why.
    pub fn refuse(&self, refusal: Refusal) {
        close_with(&self.0.connection, refusal);
    }

    /// Closes the connection as a bad frame deserves.
    pub fn close_after(&self, error: &FrameError) {
        if let Some(code) = error.close_code() {
            self.close(code);
        }
    }

    /// Waits for the end.
    pub async fn closed(&self) -> Closed {
        self.0.connection.closed().await.into()
    }

    /// The end, if it has come.
    #[must_use]
    pub fn close_reason(&self) -> Option<Closed> {
        self.0.connection.close_reason().map(Closed::from)
    }

    /// What was used so far.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        let stats = self.0.connection.stats();
        LinkStats {
            udp_bytes_sent: stats.udp_tx.bytes,
            udp_bytes_received: stats.udp_rx.bytes,
            packets_lost: stats.path.lost_packets,
            round_trip: stats.path.rtt,
        }
    }

    fn sender(&self, stream: quinn::SendStream) -> FrameSender {
        let mut sender = FrameSender::new(stream);
        sender.set_pace(self.0.pace.clone());
        sender
    }

    fn receiver(&self, stream: quinn::RecvStream) -> FrameReceiver {
        let mut receiver = FrameReceiver::new(stream, self.0.settings.caps, &self.0.settings.limits);
        receiver.set_pace(self.0.pace.clone());
        receiver
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.connection.close(CloseCode::Done.number(), b"");
    }
}

/// What is under way isn't held back any more: with a limit, no more than what may come in a second.
fn raise_windows(connection: &quinn::Connection, bytes_per_sec: Option<u32>) {
    let second = bytes_per_sec.map_or(windows::RECEIVE_AFTER, quinn::VarInt::from_u32);
    connection.set_receive_window(second.min(windows::RECEIVE_AFTER));
    connection.set_send_window(windows::SEND_AFTER);
    connection.set_max_concurrent_bi_streams(windows::BI_STREAMS_AFTER);
    connection.set_max_concurrent_uni_streams(windows::UNI_STREAMS_AFTER);
}

pub(crate) fn close_with(connection: &quinn::Connection, refusal: Refusal) {
    connection.close(close::Refusal::code(refusal).number(), &refusal.detail());
}

/// An IPv4 address that came through an IPv6 socket is an IPv4 address.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Which live connections to cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cut {
    /// Those of one device.
    Device(DeviceId),
    /// Those that don't come from the same network.
    Internet,
    /// All.
    Everyone,
}

/// All live connections of paired devices to this server.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    live: BTreeMap<u64, Live>,
    next: u64,
}

/// A place on the list; given back when dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    links: Arc<Links>,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.links.list().live.remove(&self.number);
    }
}

#[derive(Debug)]
struct Live {
    device: DeviceId,
    connection: quinn::Connection,
}

impl Links {
    pub(crate) fn add(
        self: &Arc<Self>,
        device: DeviceId,
        connection: quinn::Connection,
        limits: &Limits,
    ) -> Result<Listed, Refusal> {
        let mut list = self.list();
        let of_device: Vec<u64> =
            list.live.iter().filter(|(_, live)| live.device == device).map(|(number, _)| *number).collect();
        if of_device.len() >= limits.links_per_device {
            // A laptop that woke up elsewhere leaves connections behind that nobody will use again.
            if let Some(oldest) = list.live.remove(&of_device[0]) {
                oldest.connection.close(CloseCode::Replaced.number(), b"");
            }
        } else if list.live.len() >= limits.links_max {
            return Err(Refusal::Busy { retry_secs: None });
        }
        let number = list.next;
        list.next += 1;
        list.live.insert(number, Live { device, connection });
        Ok(Listed { links: Arc::clone(self), number })
    }

    pub(crate) fn cut(&self, which: Cut, refusal: Refusal, on_link: &OnLink) {
        let meant = |live: &Live| match which {
            Cut::Device(device) => live.device == device,
            Cut::Internet => !on_link.is_lan(canonical(live.connection.remote_address()).ip()),
            Cut::Everyone => true,
        };
        for live in self.list().live.values().filter(|live| meant(live)) {
            close_with(&live.connection, refusal);
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.list().live.len()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
