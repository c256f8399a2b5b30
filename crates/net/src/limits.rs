use std::time::Duration;

/// Everything a stranger or a peer is allowed to use up. The defaults are the promises of the program; tests lower the
/// times.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the accepted first packet to the end of the TLS handshake.
    pub handshake: Duration,
    /// From there until the other side is known: a paired device, or one that has just been paired.
    pub authentication: Duration,
    /// How long a connection lives without a packet. The client keeps it alive.
    pub idle: Duration,
    /// How often the client shows that it is there.
    pub keep_alive: Duration,
    /// Connections from one source (IPv4 address or IPv6 /64) that aren't authenticated yet.
    pub strangers_per_source: usize,
    /// All connections that aren't authenticated yet.
    pub strangers_max: usize,
    /// Connections of one paired device.
    pub links_per_device: usize,
    /// Connections of all paired devices.
    pub links_max: usize,
    /// Handshakes begun per second, on average.
    pub accepts_per_sec: u32,
    /// Handshakes that may begin at once.
    pub accepts_burst: u32,
    /// While a frame is being received: bytes per second, averaged over [`progress_window`](Self::progress_window).
    pub progress_bytes_per_sec: u32,
    /// Over how long progress is averaged.
    pub progress_window: Duration,
    /// How long one address is tried.
    pub dial: Duration,
    /// After which time the next address is tried as well.
    pub dial_step: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            authentication: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            keep_alive: Duration::from_secs(10),
            strangers_per_source: 4,
            strangers_max: 64,
            links_per_device: 4,
            links_max: 64,
            accepts_per_sec: 50,
            accepts_burst: 100,
            progress_bytes_per_sec: 1024,
            progress_window: Duration::from_secs(30),
            dial: Duration::from_secs(4),
            dial_step: Duration::from_millis(100),
        }
    }
}

/// What a peer may have in flight: little until it is known, enough for a fast line afterwards.
pub(crate) mod windows {
    use quinn::VarInt;

    pub(crate) const STREAM_RECEIVE: VarInt = VarInt::from_u32(1 << 20);
    pub(crate) const RECEIVE_BEFORE: VarInt = VarInt::from_u32(16 << 10);
    pub(crate) const RECEIVE_AFTER: VarInt = VarInt::from_u32(16 << 20);
    pub(crate) const VISITOR: VarInt = VarInt::from_u32(4 << 10);
    pub(crate) const SEND_BEFORE: u64 = 64 << 10;
    pub(crate) const SEND_AFTER: u64 = 4 << 20;
    pub(crate) const BI_STREAMS_AFTER: VarInt = VarInt::from_u32(8);
    pub(crate) const UNI_STREAMS_AFTER: VarInt = VarInt::from_u32(4);
}
