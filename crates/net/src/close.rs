//! Why a connection isn't made or ends, in words both sides know.

use quinn::{ConnectionError, VarInt};

/// The number a connection is closed with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CloseCode {
    /// Nothing more to say.
    Done,
    /// Another address was faster.
    LostRace,
    /// This computer was removed from the server's list.
    Removed,
    /// The server doesn't synchronize via the Internet.
    InternetOff,
    /// The server is paused.
    Paused,
    /// The server has too much to do.
    Busy,
    /// The two don't speak a common version.
    Version,
    /// Not let in, without saying why.
    NotAdmitted,
    /// The other side sent something it must not send.
    Protocol,
    /// The other side sent too little for too long.
    TooSlow,
    /// The same computer connected anew.
    Replaced,
    /// The program ends.
    GoingAway,
    /// The server ID leads nowhere any more.
    Revoked,
    /// A number of a later version.
    Other(u64),
}

impl CloseCode {
    const NAMED: [(u32, Self); 13] = [
        (0, Self::Done),
        (1, Self::LostRace),
        (2, Self::Removed),
        (3, Self::InternetOff),
        (4, Self::Paused),
        (5, Self::Busy),
        (6, Self::Version),
        (7, Self::NotAdmitted),
        (8, Self::Protocol),
        (9, Self::TooSlow),
        (10, Self::Replaced),
        (11, Self::GoingAway),
        (12, Self::Revoked),
    ];

    pub(crate) fn number(self) -> VarInt {
        match Self::NAMED.iter().find(|(_, code)| *code == self) {
            Some((number, _)) => VarInt::from_u32(*number),
            None => VarInt::from_u32(0),
        }
    }

    pub(crate) fn from_number(number: VarInt) -> Self {
        let number = number.into_inner();
        Self::NAMED.iter().find(|(n, _)| u64::from(*n) == number).map_or(Self::Other(number), |(_, code)| *code)
    }
}

/// Why a server won't talk now. Told in the first answer, or when a live connection is cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// This computer was removed; adding it again needs the password and the owner's consent.
    #[error("this computer was removed from the server's list")]
    Removed,
    /// The owner paused the server.
    #[error("the server is paused")]
    Paused {
        /// Until when, in seconds since 1970; `None`: until the owner continues.
        until_unix_secs: Option<u64>,
    },
    /// The server is reached only in its own network.
    #[error("the server does not synchronize via the Internet")]
    InternetOff,
    /// Too much to do.
    #[error("the server is busy")]
    Busy {
        /// When to ask again.
        retry_secs: Option<u64>,
    },
    /// No common version.
    #[error("the server speaks another version of the protocol")]
    Version {
        /// The version the server speaks; `None`: it couldn't say.
        speaks: Option<u8>,
    },
    /// The server ID by which this computer wants to be added was revoked.
    #[error("the server ID was revoked")]
    Revoked,
    /// Not let in, without saying why.
    #[error("the server did not let this computer in")]
    NotAdmitted,
}

impl Refusal {
    pub(crate) const fn code(self) -> CloseCode {
        match self {
            Self::Removed => CloseCode::Removed,
            Self::Paused { .. } => CloseCode::Paused,
            Self::InternetOff => CloseCode::InternetOff,
            Self::Busy { .. } => CloseCode::Busy,
            Self::Version { .. } => CloseCode::Version,
            Self::Revoked => CloseCode::Revoked,
            Self::NotAdmitted => CloseCode::NotAdmitted,
        }
    }

    /// A number that belongs to the reason, 0 for none. It follows the code on the wire.
    pub(crate) fn detail(self) -> [u8; 8] {
        let number = match self {
            Self::Paused { until_unix_secs: number } | Self::Busy { retry_secs: number } => number.unwrap_or(0),
            Self::Version { speaks } => speaks.unwrap_or(0).into(),
            Self::Removed | Self::InternetOff | Self::Revoked | Self::NotAdmitted => 0,
        };
        number.to_be_bytes()
    }

    pub(crate) fn from_parts(code: CloseCode, detail: &[u8]) -> Option<Self> {
        let number = detail.try_into().map_or(0, u64::from_be_bytes);
        let some = (number != 0).then_some(number);
        match code {
            CloseCode::Removed => Some(Self::Removed),
            CloseCode::Paused => Some(Self::Paused { until_unix_secs: some }),
            CloseCode::InternetOff => Some(Self::InternetOff),
            CloseCode::Busy => Some(Self::Busy { retry_secs: some }),
            CloseCode::Version => Some(Self::Version { speaks: some.and_then(|number| number.try_into().ok()) }),
            CloseCode::Revoked => Some(Self::Revoked),
            CloseCode::NotAdmitted => Some(Self::NotAdmitted),
            _ => None,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Closed {
    /// The other side closed it for a reason a person should know.
    #[error("refused: {0}")]
    Refused(#[source] Refusal),
    /// The other side closed it.
    #[error("closed by the other side ({code:?})")]
    ByPeer {
        /// What it said.
        code: CloseCode,
    },
    /// We closed it.
    #[error("closed here")]
    Here,
    /// Nothing came any more: cable out, asleep, switched off.
    #[error("the connection was lost")]
    Lost,
    /// The other side started anew and knows nothing of this connection.
    #[error("the other side started anew")]
    Restarted,
    /// The other side broke the rules of QUIC or TLS, or found that we did.
    #[error("the connection failed: {what}")]
    Failed {
        /// In the words of the QUIC library; for a log, not for people.
        what: String,
    },
}

impl Closed {
    /// Whether trying again soon, without anyone doing anything, makes sense.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Lost | Self::Restarted => true,
            Self::ByPeer { code } => matches!(code, CloseCode::Done | CloseCode::GoingAway | CloseCode::TooSlow),
            Self::Refused(refusal) => matches!(refusal, Refusal::Busy { .. }),
            Self::Here | Self::Failed { .. } => false,
        }
    }
}

impl From<ConnectionError> for Closed {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let code = CloseCode::from_number(close.error_code);
                Refusal::from_parts(code, &close.reason).map_or(Self::ByPeer { code }, Self::Refused)
            }
            ConnectionError::TimedOut => Self::Lost,
            ConnectionError::Reset => Self::Restarted,
            ConnectionError::LocallyClosed => Self::Here,
            other => Self::Failed { what: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_understood_on_the_other_side() {
        for refusal in [
            Refusal::Removed,
            Refusal::Paused { until_unix_secs: None },
            Refusal::Paused { until_unix_secs: Some(1_790_000_000) },
            Refusal::InternetOff,
            Refusal::Busy { retry_secs: Some(30) },
            Refusal::Version { speaks: None },
            Refusal::Version { speaks: Some(2) },
            Refusal::Revoked,
            Refusal::NotAdmitted,
        ] {
            let code = CloseCode::from_number(refusal.code().number());
            assert_eq!(Refusal::from_parts(code, &refusal.detail()), Some(refusal));
        }
    }

    #[test]
    fn a_code_of_a_later_version_is_kept() {
        assert_eq!(CloseCode::from_number(VarInt::from_u32(99)), CloseCode::Other(99));
    }
}
