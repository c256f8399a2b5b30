//! Adding a computer: both sides prove to know the password, and neither learns it.
//!
//! ```text
//! client                                                       server
//!   Pair1 {version, device name, platform, ticket?, salt of the server ID?, KE1}
//!                                                         →      refuses a revoked salt, takes a guess from the budget, then computes
//!                                          ← Pair2 {KE2} or Wait {seconds}
//!   Argon2id; a wrong password ends here, silently
//!   Pair3 {KE3, HMAC(session key, "c" ‖ E)}               →      right: gives the guess back, stores the device
//!                                          ← Paired {device id, server name, HMAC(session key, "s" ‖ E ‖ …)}
//! ```
//!
//! E is the channel binding of the TLS connection. OPAQUE's context holds it together with both keys, so a password
//! proof fits this connection between these two computers only: whoever stands between them and relays has another E.
//! Wrong password, and a removed computer that hasn't been allowed back, get the same close code at the same moment.

use crate::{
    CloseCode, Closed, Control, Frame, FrameError, Guess, PasswordError, PasswordRecord, Permit, Refusal, Verdict,
    opening::{self, kind},
    password::{ClientExchange, KE1_LEN, KE3_LEN, ServerExchange, SessionKey},
    tls,
};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use identity::{DeviceId, PublicKey, Salt, Secret, ServiceId, Token};
use sha2::Sha256;
use std::net::IpAddr;

const VERSION: u8 = 1;
const NAME_MAX: usize = 64;
const PLATFORM_MAX: usize = 32;

/// What the application does when somebody wants to be added. Answers come at once and from memory or a small
/// database; called from the network's tasks.
pub trait PairingDesk: Send + Sync {
    /// The record of the password; `None`: none is set, so nobody can be added.
    fn password(&self) -> Option<PasswordRecord>;
    /// Whether a server ID with this salt still leads here. A pairing by a revoked one is refused, also when somebody
    /// put the record back where it was found.
    fn is_published(&self, salt: &Salt) -> bool;
    /// Takes a guess from the budgets.
    fn take_guess(&self, guess: &Guess) -> Verdict;
    /// Gives a guess back.
    fn succeeded(&self, permit: Permit);
    /// Stores the device, durably before it returns, and answers with what it has to know. Refuses a removed device
    /// the owner hasn't allowed back.
    fn enrol(&self, device: &NewDevice) -> Result<Enrolled, NotEnrolled>;
}

/// A computer that has proven to know the password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewDevice {
    /// Its key.
    pub key: PublicKey,
    /// What it calls itself: at most 64 bytes, for display only.
    pub name: String,
    /// What it runs on: at most 32 bytes, for display only.
    pub platform: String,
    /// Where it is.
    pub address: IpAddr,
    /// Whether that is in our own network.
    pub is_lan: bool,
    /// The digest of the ticket it showed.
    pub ticket: Option<[u8; 32]>,
    /// It found the server by its ID.
    pub by_server_id: bool,
    /// It was removed before, so the owner's consent is needed.
    pub was_removed: bool,
}

/// The owner has not consented.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the owner has not consented")]
pub struct NotEnrolled;

/// What a client needs to be added.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The server's password.
    pub password: Secret,
    /// What this computer calls itself; cut to 64 bytes.
    pub device_name: String,
    /// What it runs on; cut to 32 bytes.
    pub platform: String,
    /// The ticket of the invitation.
    pub ticket: Option<Token>,
    /// The salt of the record to which a server ID led.
    pub salt: Option<Salt>,
}

/// What a server tells a computer it has just added. All that a later call needs, however the server was found now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enrolled {
    /// What the server is called.
    pub server_name: String,
    /// Opens its port from anywhere.
    pub service_id: ServiceId,
    /// Whether it may be called over the Internet.
    pub internet: bool,
}

impl Enrolled {
    pub(crate) fn encode(&self) -> Vec<u8> {
        [self.service_id.as_bytes().as_slice(), &[u8::from(self.internet)], self.server_name.as_bytes()].concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (&internet, name) = rest.split_first()?;
        let server_name = String::from_utf8(name.to_vec()).ok()?;
        Some(Self { server_name, service_id: ServiceId::from_bytes(*id), internet: internet != 0 })
    }
}

/// What both sides know afterwards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enrolment {
    /// This computer's name on the server.
    pub device: DeviceId,
    /// What the server says of itself.
    pub server: Enrolled,
    /// Eight symbols that are the same on both screens if nobody is in between. Information, not a needed step.
    pub comparison_code: String,
}

/// Why this computer wasn't added.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PairError {
    /// Wrong password, or a server that doesn't know it. The server learned nothing it could use.
    #[error("wrong password, or not the right server")]
    WrongPassword,
    /// A password of no bytes or too many.
    #[error("a password has 1 to 1024 bytes")]
    PasswordLength,
    /// Too many tries; ask again later.
    #[error("too many tries; wait {secs} seconds")]
    Wait {
        /// How long.
        secs: u64,
    },
    /// The owner has to open the door first.
    #[error("adding computers is closed until the owner opens it")]
    DoorClosed,
    /// The server ID by which this computer came was revoked.
    #[error("the server ID was revoked")]
    Revoked,
    /// The server said no, without saying why.
    #[error("the server did not add this computer")]
    Refused,
    /// The other side sent something that is no part of the exchange.
    #[error("the other side does not keep to the exchange")]
    Damaged,
    /// The connection failed or was closed.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Where the slow computation happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compute {
    /// On a thread for blocking work.
    Aside,
    /// Right here, so that a simulated clock doesn't run on meanwhile.
    Here,
}

/// The client's side.
pub(crate) async fn pair(
    control: &mut Control,
    connection: &quinn::Connection,
    server: &PublicKey,
    client: &PublicKey,
    credentials: &Credentials,
    compute: Compute,
) -> Result<Enrolment, PairError> {
    let binding = tls::channel_binding(connection);
    let (exchange, ke1) = ClientExchange::start(&credentials.password).map_err(|_| PairError::PasswordLength)?;
    control.sender.send(kind::PAIR1, encode_request(credentials, &ke1)).await?;
    let answer = expect(control).await?;
    let ke2 = match answer.kind {
        kind::PAIR2 => answer.payload,
        kind::PAIR_WAIT => return Err(waiting(&answer.payload)),
        _ => return Err(PairError::Damaged),
    };

    let context = context(&binding, server, client);
    let finish = move || exchange.finish(&ke2, &context);
    let finished = match compute {
        Compute::Here => finish(),
        Compute::Aside => tokio::task::spawn_blocking(finish).await.expect("the computation doesn't panic"),
    };
    let (ke3, session_key) = finished.map_err(|error| match error {
        PasswordError::DamagedMessage => PairError::Damaged,
        _ => PairError::WrongPassword,
    })?;
    let proof = confirmation(&session_key, b"c", &[&binding]);
    control.sender.send(kind::PAIR3, [ke3.as_slice(), &proof.finalize().into_bytes()].concat()).await?;

    let paired = expect(control).await?;
    let own = DeviceId::of(client);
    let (kind::PAIRED, Some((mac, enrolled))) = (paired.kind, paired.payload.split_at_checked(32)) else {
        return Err(PairError::Damaged);
    };
    confirmation(&session_key, b"s", &[&binding, own.as_bytes(), enrolled])
        .verify_slice(mac)
        .map_err(|_| PairError::Damaged)?;
    let server = Enrolled::decode(enrolled).ok_or(PairError::Damaged)?;
    Ok(Enrolment { device: own, server, comparison_code: comparison_code(&session_key, &binding) })
}

/// Who is asking, as the server sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    pub(crate) key: PublicKey,
    pub(crate) address: IpAddr,
    pub(crate) is_lan: bool,
    pub(crate) was_removed: bool,
}

/// How a pairing ended on the server without a new device.
#[derive(Debug)]
pub(crate) enum NotPaired {
    /// Close with this.
    Refuse(Refusal),
    /// The connection is over, or deserves to be.
    Broken(FrameError),
}

impl From<FrameError> for NotPaired {
    fn from(error: FrameError) -> Self {
        Self::Broken(error)
    }
}

/// The server's side. Answers with the comparison code.
pub(crate) async fn serve(
    control: &mut Control,
    connection: &quinn::Connection,
    server: &PublicKey,
    asker: &Asker,
    desk: &dyn PairingDesk,
) -> Result<String, NotPaired> {
    let binding = tls::channel_binding(connection);
    let request = control.receiver.next().await?.filter(|frame| frame.kind == kind::PAIR1);
    let request = request.and_then(|frame| Request::decode(&frame.payload)).ok_or(FrameError::Truncated)?;
    let record = desk.password().ok_or(NotPaired::Refuse(Refusal::NotAdmitted))?;
    let ticket = request.ticket.map(|token| token.digest());

    if request.salt.is_some_and(|salt| !desk.is_published(&salt)) {
        return Err(NotPaired::Refuse(Refusal::Revoked));
    }

    // Before anything is computed, or asking would cost the server more than the asker.
    let guess = Guess { source: asker.address, is_lan: asker.is_lan, ticket };
    let permit = match desk.take_guess(&guess) {
        Verdict::Go(permit) => permit,
        Verdict::Wait { secs } => return Err(wait(control, secs.max(1)).await),
        Verdict::Closed => return Err(wait(control, 0).await),
    };
    let context = context(&binding, server, &asker.key);
    let refused = |_| NotPaired::Refuse(Refusal::NotAdmitted);
    let (exchange, ke2) = ServerExchange::answer(&record, &request.ke1, context).map_err(refused)?;
    control.sender.send(kind::PAIR2, ke2).await?;

    let last = control.receiver.next().await?.filter(|frame| frame.kind == kind::PAIR3);
    let last = last.ok_or(FrameError::Truncated)?;
    let (ke3, proof) = last.payload.split_at_checked(KE3_LEN).ok_or(FrameError::Truncated)?;
    let session_key = exchange.finish(ke3).map_err(refused)?;
    confirmation(&session_key, b"c", &[&binding])
        .verify_slice(proof)
        .map_err(|_| NotPaired::Refuse(Refusal::NotAdmitted))?;

    // A password that was changed meanwhile adds nobody.
    if desk.password().is_none_or(|now| now.to_bytes() != record.to_bytes()) {
        return Err(NotPaired::Refuse(Refusal::NotAdmitted));
    }
    let device = NewDevice {
        key: asker.key,
        name: request.name,
        platform: request.platform,
        address: asker.address,
        is_lan: asker.is_lan,
        ticket,
        by_server_id: request.salt.is_some(),
        was_removed: asker.was_removed,
    };
    let enrolled = desk.enrol(&device).map_err(|NotEnrolled| NotPaired::Refuse(Refusal::NotAdmitted))?;
    desk.succeeded(permit);

    let device_id = DeviceId::of(&asker.key);
    let enrolled = enrolled.encode();
    let mac = confirmation(&session_key, b"s", &[&binding, device_id.as_bytes(), &enrolled]);
    let paired = [mac.finalize().into_bytes().as_slice(), &enrolled].concat();
    control.sender.send(kind::PAIRED, paired).await?;
    Ok(comparison_code(&session_key, &binding))
}

async fn wait(control: &mut Control, secs: u64) -> NotPaired {
    match control.sender.send(kind::PAIR_WAIT, secs.to_be_bytes().to_vec()).await {
        Ok(()) => NotPaired::Refuse(Refusal::Busy { retry_secs: Some(secs) }),
        Err(error) => error.into(),
    }
}

/// 0 seconds stand for "until the owner opens the door".
fn waiting(payload: &[u8]) -> PairError {
    match payload.try_into().map(u64::from_be_bytes) {
        Ok(0) => PairError::DoorClosed,
        Ok(secs) => PairError::Wait { secs },
        Err(_) => PairError::Damaged,
    }
}

async fn expect(control: &mut Control) -> Result<Frame, PairError> {
    match control.receiver.next().await {
        Ok(Some(frame)) if frame.kind == kind::REFUSED => Err(match opening::decode_refusal(&frame.payload) {
            Refusal::Revoked => PairError::Revoked,
            _ => PairError::Refused,
        }),
        Ok(Some(frame)) => Ok(frame),
        Ok(None) => Err(PairError::Damaged),
        Err(FrameError::Closed(Closed::Refused(Refusal::NotAdmitted))) => Err(PairError::Refused),
        Err(FrameError::Closed(Closed::Refused(Refusal::Revoked))) => Err(PairError::Revoked),
        Err(error) => Err(error.into()),
    }
}

fn context(binding: &[u8; 32], server: &PublicKey, client: &PublicKey) -> Vec<u8> {
    let mut context = b"tandem pair 1\0".to_vec();
    context.extend_from_slice(binding);
    for key in [server, client] {
        let spki = key.spki();
        context.extend_from_slice(&(spki.len() as u16).to_be_bytes());
        context.extend_from_slice(&spki);
    }
    context
}

fn confirmation(session_key: &SessionKey, side: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(session_key).expect("HMAC takes keys of any length");
    mac.update(side);
    parts.iter().for_each(|part| mac.update(part));
    mac
}

fn comparison_code(session_key: &SessionKey, binding: &[u8; 32]) -> String {
    const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut code = [0; 8];
    hkdf::Hkdf::<Sha256>::new(None, session_key)
        .expand_multi_info(&[b"sas", binding], &mut code)
        .expect("eight bytes are within what HKDF can give");
    let symbols: String = code.iter().map(|byte| SYMBOLS[usize::from(byte & 31)] as char).collect();
    format!("{}-{}", &symbols[..4], &symbols[4..])
}

#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Request {
    name: String,
    platform: String,
    ticket: Option<Token>,
    salt: Option<Salt>,
    ke1: Vec<u8>,
}

pub(crate) fn encode_request(credentials: &Credentials, ke1: &[u8]) -> Bytes {
    let name = &credentials.device_name[..credentials.device_name.floor_char_boundary(NAME_MAX)];
    let platform = &credentials.platform[..credentials.platform.floor_char_boundary(PLATFORM_MAX)];
    let mut bytes = vec![VERSION, name.len() as u8];
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(platform.len() as u8);
    bytes.extend_from_slice(platform.as_bytes());
    for optional in [credentials.ticket.as_ref().map(Token::as_bytes), credentials.salt.as_ref().map(Salt::as_bytes)] {
        bytes.push(u8::from(optional.is_some()));
        bytes.extend_from_slice(optional.map_or(&[], |sixteen| sixteen.as_slice()));
    }
    bytes.extend_from_slice(ke1);
    bytes.into()
}

impl Request {
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&version, bytes) = bytes.split_first()?;
        let (name, bytes) = short_text(bytes, NAME_MAX)?;
        let (platform, bytes) = short_text(bytes, PLATFORM_MAX)?;
        let (ticket, bytes) = optional(bytes)?;
        let (salt, ke1) = optional(bytes)?;
        let (ticket, salt) = (ticket.map(Token::from_bytes), salt.map(Salt::from_bytes));
        let is_whole = version == VERSION && ke1.len() == KE1_LEN;
        is_whole.then(|| Self { name, platform, ticket, salt, ke1: ke1.to_vec() })
    }
}

/// Sixteen bytes that may be missing.
fn optional(bytes: &[u8]) -> Option<(Option<[u8; 16]>, &[u8])> {
    match bytes.split_first()? {
        (0, rest) => Some((None, rest)),
        (1, rest) => rest.split_first_chunk().map(|(sixteen, rest)| (Some(*sixteen), rest)),
        _ => None,
    }
}

/// A text of the other side for display: control characters would reach terminals and logs, so they are taken out.
fn short_text(bytes: &[u8], max: usize) -> Option<(String, &[u8])> {
    let (&len, bytes) = bytes.split_first()?;
    let (text, rest) = bytes.split_at_checked(usize::from(len)).filter(|_| usize::from(len) <= max)?;
    let text = std::str::from_utf8(text).ok()?;
    Some((text.chars().filter(|c| !c.is_control()).collect(), rest))
}

/// What a server closes with after a pairing that broke.
pub(crate) fn close_code(error: &FrameError) -> CloseCode {
    error.close_code().unwrap_or(CloseCode::Protocol)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn credentials(name: &str, ticket: Option<Token>) -> Credentials {
        Credentials {
            password: Secret::new("a password".to_owned()),
            device_name: name.to_owned(),
            platform: "linux".to_owned(),
            ticket,
            salt: ticket.map(|_| Salt::from_bytes([6; 16])),
        }
    }

    #[test]
    fn a_request_is_read_back() {
        for ticket in [None, Some(Token::from_bytes([5; 16]))] {
            let request = Request::decode(&encode_request(&credentials("laptop", ticket), &[7; KE1_LEN]));
            let expected = Request {
                name: "laptop".to_owned(),
                platform: "linux".to_owned(),
                ticket,
                salt: ticket.map(|_| Salt::from_bytes([6; 16])),
                ke1: vec![7; KE1_LEN],
            };
            assert_eq!(request, Some(expected));
        }
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let request = encode_request(&credentials(&format!("x{}", "ü".repeat(40)), None), &[7; KE1_LEN]);
        assert_eq!(Request::decode(&request).map(|request| request.name.len()), Some(63));
    }

    #[test]
    fn a_truncated_request_is_refused_at_every_length() {
        let request = encode_request(&credentials("laptop", Some(Token::from_bytes([5; 16]))), &[7; KE1_LEN]);
        for len in 0..request.len() {
            assert_eq!(Request::decode(&request[..len]), None, "{len}");
        }
        assert_eq!(Request::decode(&[request.as_ref(), &[0]].concat()), None);
    }

    #[test]
    fn names_bring_no_control_characters() {
        let request = encode_request(&credentials("lap\u{1b}[2Jtop\n", None), &[7; KE1_LEN]);
        assert_eq!(Request::decode(&request).map(|request| request.name), Some("lap[2Jtop".to_owned()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Request::decode(&bytes);
        }
    }
}
