//! The server's side of a new connection: knock, address, gate, TLS, who is it, what does it want.

use crate::{
    CloseCode, Closed, Control, FrameError, FrameReceiver, FrameSender, Joined, KnockScope, Link, PairingDesk, Refusal,
    call_back::CallsBack,
    endpoint::Shared,
    gate::Entry,
    knock,
    link::{canonical, close_with},
    opening::{self, OtherVersion, Wish, kind},
    pairing::{self, Asker, NotPaired},
    tls,
};
use bytes::Bytes;
use identity::{DeviceId, PublicKey};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};

/// The application's list of devices. Answers come at once and from memory; called from the network's tasks.
pub trait Doorkeeper: Send + Sync {
    /// Says whether this caller may talk now.
    fn admit(&self, caller: &Caller) -> Admission;

    /// Somebody who knows the way in speaks another version of the protocol, if known which, and was sent away.
    fn speaks_otherwise(&self, from: IpAddr, version: Option<u8>);
}

/// Somebody who proved in TLS to hold a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The key.
    pub key: PublicKey,
    /// From where.
    pub address: IpAddr,
    /// Whether that is in our own network.
    pub is_lan: bool,
}

/// What the application says about a caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Admission {
    /// A paired device.
    Known,
    /// A key never seen; it may try to pair.
    Unknown,
    /// A device that was removed; it is told so, and may try to pair with the owner's consent.
    Removed,
    /// Nobody like this now: paused, Internet off, busy.
    Refused(Refusal),
}

/// Who answers for a server.
#[derive(Clone)]
pub struct ServerRules {
    /// Knows the devices.
    pub doorkeeper: Arc<dyn Doorkeeper>,
    /// Adds devices.
    pub desk: Arc<dyn PairingDesk>,
}

impl std::fmt::Debug for ServerRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerRules")
    }
}

/// A paired device that wants to talk and waits for the application's greeting. Dropped, it is told that the server is
/// busy.
#[derive(Debug)]
pub struct Arrival {
    link: Link,
    control: Option<Control>,
    hello: Bytes,
    comparison_code: Option<String>,
}

/// How long a refused client may take to read why.
const REFUSAL_READ: Duration = Duration::from_secs(2);

impl Arrival {
    /// The connection.
    #[must_use]
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// What the client's application said first.
    #[must_use]
    pub const fn hello(&self) -> &Bytes {
        &self.hello
    }

    /// Set if the device was paired on this very connection: the code both screens show.
    #[must_use]
    pub fn comparison_code(&self) -> Option<&str> {
        self.comparison_code.as_deref()
    }

    /// Lets it in with a first answer of at most [`GREETING_MAX`](crate::GREETING_MAX) bytes.
    pub async fn welcome(mut self, greeting: impl Into<Bytes>) -> Result<Joined, FrameError> {
        let mut control = self.control.take().expect("taken only by consuming the arrival");
        control.sender.send(kind::WELCOME, greeting.into()).await?;
        Ok(Joined { link: self.link.clone(), control, greeting: Bytes::new() })
    }

    /// Sends it away.
    pub async fn refuse(mut self, refusal: Refusal) {
        if let Some(control) = self.control.take() {
            refuse(&self.link, control.sender, refusal).await;
        }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if self.control.is_some() {
            self.link.refuse(Refusal::Busy { retry_secs: None });
        }
    }
}

async fn refuse(link: &Link, mut sender: FrameSender, refusal: Refusal) {
    // The frame says it reliably, the close code says it to whoever looks only there.
    if sender.send(kind::REFUSED, opening::encode_refusal(refusal)).await.is_ok() {
        let _ = timeout(REFUSAL_READ, sender.finish()).await;
    }
    link.refuse(refusal);
}

/// Answers knocks until the endpoint is closed, the one of this computer's own socket or one at a relay.
pub(crate) async fn run(shared: Arc<Shared>, quinn: quinn::Endpoint, by: By) {
    while let Some(incoming) = quinn.accept().await {
        receive(&shared, incoming, by);
    }
}

/// Through which socket somebody came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    /// This computer's own.
    Own,
    /// One at a relay.
    Relay,
}

/// Decides about a first packet. Whoever hasn't knocked gets no packet, and nothing is kept of one whose address isn't
/// proven.
fn receive(shared: &Arc<Shared>, incoming: quinn::Incoming, by: By) {
    let Some(incoming) = CallsBack::take(shared, incoming) else { return };
    let address = canonical(incoming.remote_address());
    let is_lan = shared.settings.on_link.is_lan(address.ip());
    let scope = knock::check(&shared.knocks(), &incoming.orig_dst_cid(), is_lan);
    let (Some(rules), Some(scope)) = (shared.rules(), scope) else { return incoming.ignore() };
    if !incoming.remote_address_validated() {
        // The only error is a packet that answered a Retry already, and then the address is proven.
        let _ = incoming.retry();
        return;
    }
    let Some(entry) = shared.gate.enter(address.ip(), Instant::now()) else { return incoming.ignore() };
    let number = entry.number();
    let begun = begin(Arc::clone(shared), rules, scope, incoming, entry, by);
    shared.gate.attach(number, tokio::spawn(begun).abort_handle());
}

async fn begin(
    shared: Arc<Shared>,
    rules: ServerRules,
    scope: KnockScope,
    incoming: quinn::Incoming,
    entry: Entry,
    by: By,
) {
    let limits = &shared.settings.limits;
    let from = canonical(incoming.remote_address()).ip();
    let Ok(connecting) = incoming.accept() else { return };
    let connection = match timeout(limits.handshake, connecting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) if tls::is_other_protocol(&error) => return rules.doorkeeper.speaks_otherwise(from, None),
        Ok(Err(_)) | Err(_) => return,
    };
    get_to_know(shared, rules, scope, connection, entry, by).await;
}

/// Hears on a new connection, whoever called, who that is and what it wants.
pub(crate) async fn get_to_know(
    shared: Arc<Shared>,
    rules: ServerRules,
    scope: KnockScope,
    connection: quinn::Connection,
    entry: Entry,
    by: By,
) {
    let limits = &shared.settings.limits;
    let known_by = Instant::now() + limits.authentication;
    match timeout_at(known_by, authenticate(&shared, &rules, scope, &connection, by)).await {
        Ok(Ok(arrival)) => {
            drop(entry);
            if let Err(error) = shared.arrivals.try_send(arrival) {
                tracing::warn!(%error, "nobody takes the connections that come in");
            }
        }
        Ok(Err(NotPaired::Refuse(refusal))) => {
            // The client closes as soon as it has read why.
            let _ = timeout(REFUSAL_READ, connection.closed()).await;
            close_with(&connection, refusal);
        }
        Ok(Err(NotPaired::Broken(error))) => {
            tracing::debug!(%error, "a caller broke off");
            connection.close(pairing::close_code(&error).number(), b"");
        }
        Err(_) => connection.close(CloseCode::TooSlow.number(), b""),
    }
}

async fn authenticate(
    shared: &Arc<Shared>,
    rules: &ServerRules,
    scope: KnockScope,
    connection: &quinn::Connection,
    by: By,
) -> Result<Arrival, NotPaired> {
    let key = tls::peer_key(connection).ok_or(NotPaired::Refuse(Refusal::NotAdmitted))?;
    let (sender, receiver) = connection.accept_bi().await.map_err(|error| FrameError::from(Closed::from(error)))?;
    let limits = &shared.settings.limits;
    let receiver = FrameReceiver::new(receiver, opening::caps, limits);
    let mut control = Control { sender: FrameSender::new(sender), receiver };

    let caller = || {
        let address: SocketAddr = canonical(connection.remote_address());
        Caller { key, address: address.ip(), is_lan: shared.settings.on_link.is_lan(address.ip()) }
    };
    let speaks = shared.settings.protocol;
    let wish = match next_wish(&mut control, speaks).await? {
        Ok(wish) => wish,
        Err(OtherVersion(theirs)) => {
            rules.doorkeeper.speaks_otherwise(caller().address, theirs);
            return Err(refused(&mut control, Refusal::Version { speaks: Some(speaks) }).await);
        }
    };
    let admission = rules.doorkeeper.admit(&caller());
    if let Admission::Refused(refusal) = admission {
        return Err(refused(&mut control, refusal).await);
    }
    if scope == KnockScope::KnownDevices && admission != Admission::Known {
        return Err(refused(&mut control, Refusal::NotAdmitted).await);
    }
    let (hello, comparison_code) = match (admission, wish) {
        (Admission::Known, Wish::Session { hello }) => (hello, None),
        (Admission::Removed, Wish::Session { .. }) => return Err(refused(&mut control, Refusal::Removed).await),
        _ => {
            control.sender.send(kind::PAIRING_NEEDED, Bytes::new()).await?;
            let Caller { address, is_lan, .. } = caller();
            let asker = Asker { key, address, is_lan, was_removed: admission == Admission::Removed };
            let server = shared.key.public();
            let served = pairing::serve(&mut control, connection, &server, &asker, rules.desk.as_ref()).await;
            let code = match served {
                Ok(code) => code,
                Err(NotPaired::Refuse(refusal)) => return Err(refused(&mut control, refusal).await),
                Err(broken) => return Err(broken),
            };
            match next_wish(&mut control, speaks).await? {
                Ok(Wish::Session { hello }) => (hello, Some(code)),
                Ok(Wish::Pairing) | Err(_) => return Err(FrameError::Truncated.into()),
            }
        }
    };

    let listed = match shared.links.add(DeviceId::of(&key), connection.clone(), limits) {
        Ok(listed) => listed,
        Err(refusal) => return Err(refused(&mut control, refusal).await),
    };
    // Once more, now that a removal would find the connection on the list: it may have been removed since we asked.
    match rules.doorkeeper.admit(&caller()) {
        Admission::Known => {}
        Admission::Refused(refusal) => return Err(refused(&mut control, refusal).await),
        Admission::Removed | Admission::Unknown => return Err(refused(&mut control, Refusal::Removed).await),
    }
    let link = Link::new(connection.clone(), key, shared.settings.clone(), Some((listed, by)));
    link.adopt(&mut control);
    Ok(Arrival { link, control: Some(control), hello, comparison_code })
}

async fn next_wish(control: &mut Control, speaks: u8) -> Result<Result<Wish, OtherVersion>, FrameError> {
    let frame = control.receiver.next().await?.filter(|frame| frame.kind == kind::OPENING);
    Ok(opening::decode(&frame.ok_or(FrameError::Truncated)?.payload, speaks))
}

async fn refused(control: &mut Control, refusal: Refusal) -> NotPaired {
    match control.sender.send(kind::REFUSED, opening::encode_refusal(refusal)).await {
        Ok(()) => NotPaired::Refuse(refusal),
        Err(error) => NotPaired::Broken(error),
    }
}
