//! What can go wrong with a directory, told apart by what people can do about it.

use crate::RefusalReason;
use std::time::Duration;

/// Why a directory didn't help.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It knows no server with this ID: mistyped, revoked, expired, or published elsewhere.
    #[error("the directory has no server with this ID")]
    NotFound,
    /// What it answered isn't what the ID commits to: the directory, or something on the way, may be manipulated.
    #[error("the directory's answer doesn't match the server ID: the directory may be manipulated")]
    Mismatch,
    /// No answer: no network, wrong address, bad certificate, or the service is down.
    #[error("the directory can't be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Asked too often.
    #[error("the directory asks to wait for {} seconds", wait.as_secs())]
    RateLimited {
        /// Ask again after that.
        wait: Duration,
    },
    /// It understood and said no.
    #[error("the directory refused the request: {reason:?}")]
    Refused {
        /// Why.
        reason: RefusalReason,
    },
    /// What answers there is no directory: another web page, a login page of the network, something that redirects.
    #[error("what answers at this address (status {status}) is no directory")]
    NotADirectory {
        /// The HTTP status of the answer.
        status: u16,
    },
    /// The record is another server's: nothing was sent.
    #[error("the record belongs to another server")]
    OtherKey,
    /// The system has no certificates to check a directory by.
    #[error("this system has no usable list of certificate authorities")]
    Certificates(#[source] rustls::Error),
}

impl DirectoryError {
    /// Says whether the same request may work later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::RateLimited { .. } | Self::NotADirectory { .. })
    }
}
