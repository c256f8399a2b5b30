//! The switchboard's end of a line. What it does with what is said is the service's to decide; this is only QUIC.

use super::{Reply, Request, message};
use crate::{CloseCode, FrameError, FrameReceiver, FrameSender, Limits, link::canonical, tls};
use identity::{IdentityKey, PublicKey};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::timeout;

/// A UDP port that answers everybody who speaks the protocol.
#[derive(Clone, Debug)]
pub struct Switchboard {
    quinn: quinn::Endpoint,
    limits: Limits,
}

/// Somebody on the line, who proved in TLS to hold a key.
#[derive(Debug)]
pub struct Visitor {
    connection: quinn::Connection,
    key: PublicKey,
    sender: VisitorSender,
    receiver: VisitorReceiver,
}

/// Says something to a visitor.
#[derive(Debug)]
pub struct VisitorSender(FrameSender);

/// Hears a visitor.
#[derive(Debug)]
pub struct VisitorReceiver(FrameReceiver);

/// A line without a sign of life for this long is over. Visitors that stay say something each 15 seconds.
pub(crate) const IDLE: Duration = Duration::from_secs(45);
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// From the first packet to the first request.
const BEGINNING: Duration = Duration::from_secs(5);
/// Above this many beginners at once, addresses are proven before anything is kept of them.
const BEGINNERS_TRUSTED: usize = 64;

impl Switchboard {
    /// Listens. The key is what visitors know it by.
    pub fn bind(key: &IdentityKey, listen: SocketAddr) -> io::Result<Self> {
        let socket = crate::socket::bind(listen, &quinn::TokioRuntime)?.socket;
        let limits = Limits { idle: IDLE, ..Limits::default() };
        let config = tls::switchboard_config(key, &limits);
        let runtime: Arc<dyn quinn::Runtime> = Arc::new(quinn::TokioRuntime);
        let quinn =
            quinn::Endpoint::new_with_abstract_socket(quinn::EndpointConfig::default(), Some(config), socket, runtime)?;
        Ok(Self { quinn, limits })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.quinn.local_addr()
    }

    /// The next who calls: what comes of it takes a moment, which others needn't wait for. `None` after
    /// [`close`](Self::close).
    pub async fn accept(&self) -> Option<impl Future<Output = Option<Visitor>> + Send + use<>> {
        loop {
            let incoming = self.quinn.accept().await?;
            let is_crowded = self.quinn.open_connections() > BEGINNERS_TRUSTED;
            if is_crowded && !incoming.remote_address_validated() {
                // The only error is an address that is proven already.
                let _ = incoming.retry();
                continue;
            }
            let limits = self.limits.clone();
            return Some(async move { timeout(BEGINNING, begin(incoming, limits)).await.ok().flatten() });
        }
    }

    /// Says goodbye to everybody.
    pub async fn close(&self) {
        self.quinn.close(CloseCode::GoingAway.number(), b"");
        let _ = timeout(Duration::from_secs(1), self.quinn.wait_idle()).await;
    }
}

async fn begin(incoming: quinn::Incoming, limits: Limits) -> Option<Visitor> {
    let connection = incoming.accept().ok()?.await.ok()?;
    let key = tls::peer_key(&connection)?;
    let (sender, receiver) = connection.accept_bi().await.ok()?;
    let receiver = VisitorReceiver(FrameReceiver::new(receiver, message::caps, &limits));
    Some(Visitor { connection, key, sender: VisitorSender(FrameSender::new(sender)), receiver })
}

impl Visitor {
    /// Who it is.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    /// Where it is seen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        canonical(self.connection.remote_address())
    }

    /// Tells where it is seen as long as it is on the line, wherever the two halves are.
    pub fn watch_address(&self) -> impl Fn() -> SocketAddr + Send + Sync + use<> {
        let connection = self.connection.clone();
        move || canonical(connection.remote_address())
    }

    /// To say something by, and to hear by. The line ends when both are dropped.
    #[must_use]
    pub fn into_halves(self) -> (VisitorSender, VisitorReceiver) {
        (self.sender, self.receiver)
    }
}

impl VisitorSender {
    /// Says something.
    pub async fn say(&mut self, reply: &Reply) -> Result<(), FrameError> {
        message::say(&mut self.0, reply).await
    }
}

impl VisitorReceiver {
    /// The next request; `None` when the visitor is gone in order. Requests that are longer than they may be are errors.
    /// Dropping the future before it is done loses nothing.
    pub async fn next(&mut self) -> Result<Option<Request>, FrameError> {
        match message::hear::<Request>(&mut self.0).await? {
            Some(request) if !request.is_bounded() => Err(FrameError::Truncated),
            heard => Ok(heard),
        }
    }
}

/// The packet that [`Request::CallMe`] asks for.
#[must_use]
pub fn call_packet(token: &[u8; 16]) -> [u8; 21] {
    crate::socket::called(token)
}
