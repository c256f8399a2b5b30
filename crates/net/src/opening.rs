//! The first frames on a connection.
//!
//! The client opens a stream and says what it wants; what the application has to say first rides along. The server
//! answers with one frame: welcome, pairing needed, or why not. So an unchanged reconnect is over after one question.

use crate::{CloseCode, Refusal};
use bytes::Bytes;

/// The version of everything after the handshake. It is the first thing a client says, so that two that don't fit together
/// can tell each other which one they speak.
pub const PROTOCOL_VERSION: u8 = 1;

pub(crate) mod kind {
    pub(crate) const OPENING: u8 = 0xf0;
    pub(crate) const WELCOME: u8 = 0xf1;
    pub(crate) const PAIRING_NEEDED: u8 = 0xf2;
    pub(crate) const REFUSED: u8 = 0xf3;
    pub(crate) const PAIR1: u8 = 0xf4;
    pub(crate) const PAIR2: u8 = 0xf5;
    pub(crate) const PAIR_WAIT: u8 = 0xf6;
    pub(crate) const PAIR3: u8 = 0xf7;
    pub(crate) const PAIRED: u8 = 0xf8;
}

/// Longest hello of a client in bytes.
pub const HELLO_MAX: usize = 8 << 10;
/// Longest greeting of a server in bytes.
pub const GREETING_MAX: usize = 64 << 10;

/// What may be sent before the other side is known.
pub(crate) fn caps(kind: u8) -> Option<usize> {
    match kind {
        kind::OPENING => Some(2 + HELLO_MAX),
        kind::WELCOME => Some(GREETING_MAX),
        kind::PAIRING_NEEDED => Some(0),
        kind::REFUSED => Some(9),
        kind::PAIR1 => Some(512),
        kind::PAIR2 => Some(crate::password::KE2_LEN),
        kind::PAIR_WAIT => Some(8),
        kind::PAIR3 => Some(crate::password::KE3_LEN + 32),
        kind::PAIRED => Some(512),
        _ => None,
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// To go on as a paired device.
    Session { hello: Bytes },
    /// To be added, or to have the server prove that it knows the password.
    Pairing,
}

const SESSION: u8 = 0;
const PAIRING: u8 = 1;

/// Says in this version of the protocol what a client wants.
pub(crate) fn encode(wish: &Wish, version: u8) -> Bytes {
    match wish {
        Wish::Session { hello } => [&[version, SESSION], hello.as_ref()].concat().into(),
        Wish::Pairing => vec![version, PAIRING].into(),
    }
}

/// The other side speaks another version than this one, or none that exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OtherVersion(pub(crate) Option<u8>);

pub(crate) fn decode(payload: &Bytes, version: u8) -> Result<Wish, OtherVersion> {
    match payload.as_ref() {
        [theirs, SESSION, ..] if *theirs == version => Ok(Wish::Session { hello: payload.slice(2..) }),
        [theirs, PAIRING] if *theirs == version => Ok(Wish::Pairing),
        [theirs, ..] if *theirs != version => Err(OtherVersion(Some(*theirs))),
        _ => Err(OtherVersion(None)),
    }
}

pub(crate) fn encode_refusal(refusal: Refusal) -> Bytes {
    let code = refusal.code().number().into_inner() as u8;
    [&[code], refusal.detail().as_slice()].concat().into()
}

pub(crate) fn decode_refusal(payload: &[u8]) -> Refusal {
    let code = payload.first().map_or(0, |code| u32::from(*code));
    let code = CloseCode::from_number(quinn::VarInt::from_u32(code));
    // A reason of a later version is still a no.
    Refusal::from_parts(code, payload.get(1..).unwrap_or_default()).unwrap_or(Refusal::NotAdmitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_and_refusals_are_understood() {
        for wish in [Wish::Pairing, Wish::Session { hello: Bytes::from_static(b"hello") }] {
            assert_eq!(decode(&encode(&wish, 3), 3), Ok(wish));
        }
        let refusal = Refusal::Paused { until_unix_secs: Some(7) };
        assert_eq!(decode_refusal(&encode_refusal(refusal)), refusal);
        assert_eq!(decode_refusal(&[200, 1]), Refusal::NotAdmitted);
        assert_eq!(decode_refusal(&[]), Refusal::NotAdmitted);
    }

    #[test]
    fn another_version_is_told_from_nonsense() {
        for (other, theirs) in
            [(&[2, SESSION][..], Some(2)), (&[2], Some(2)), (&[1, 9], None), (&[1], None), (&[], None)]
        {
            assert_eq!(decode(&Bytes::copy_from_slice(other), 1), Err(OtherVersion(theirs)));
        }
    }
}
