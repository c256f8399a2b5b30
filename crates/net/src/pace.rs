//! How fast contents may travel over the Internet, if somebody set a limit: one token bucket for each direction, shared
//! by all links that leave the local network.
//!
//! What is sent waits before it is given to QUIC. What is received waits before more is read; QUIC's flow control then
//! holds the other side back, which may have no more than the receive window under way. So the limits are kept on average,
//! in what frames take; headers, acknowledgements and what is sent again come on top, a few in a hundred.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// The most bytes per second that travel over the Internet, averaged. `None`: as many as the line takes. The local
/// network has no limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bandwidth {
    /// From this computer, to all others together.
    pub up_bytes_per_sec: Option<u32>,
    /// To this computer, from all others together.
    pub down_bytes_per_sec: Option<u32>,
}

impl Bandwidth {
    /// Slower isn't possible: many streams share it, and the other side gives up who sends hardly anything.
    pub const BYTES_PER_SEC_MIN: u32 = 100_000;
}

/// The buckets of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    pub(crate) up: Bucket,
    pub(crate) down: Bucket,
}

/// Bytes that wait their turn; no limit until one is set.
#[derive(Debug, Default)]
pub(crate) struct Bucket(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    bytes_per_sec: Option<u32>,
    /// When everything that was let through so far has had its time.
    paid_until: Option<Instant>,
}

/// So much may go at once after a silence.
const BURST: Duration = Duration::from_millis(250);
/// What is long takes its turn in pieces, so that short frames of other streams don't wait for all of it.
pub(crate) const PIECE: usize = 16 << 10;

impl Pace {
    pub(crate) fn set(&self, bandwidth: Bandwidth) {
        self.up.set(bandwidth.up_bytes_per_sec);
        self.down.set(bandwidth.down_bytes_per_sec);
    }
}

impl Bucket {
    fn set(&self, bytes_per_sec: Option<u32>) {
        let bytes_per_sec = bytes_per_sec.map(|bytes| bytes.max(Bandwidth::BYTES_PER_SEC_MIN));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes_per_sec = bytes_per_sec;
    }

    /// The limit, if there is one.
    pub(crate) fn bytes_per_sec(&self) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes_per_sec
    }

    /// Waits until so many bytes may go; first come, first served. What was counted stays so when this is dropped.
    pub(crate) async fn take(&self, bytes: usize) {
        if let Some(turn) = self.turn(bytes, Instant::now()) {
            sleep_until(turn).await;
        }
    }

    /// When they may go; `None`: now.
    fn turn(&self, bytes: usize, now: Instant) -> Option<Instant> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes_per_sec = f64::from(state.bytes_per_sec?);
        let start = state.paid_until.map_or(now, |paid_until| paid_until.max(now));
        state.paid_until = Some(start + Duration::from_secs_f64(bytes as f64 / bytes_per_sec));
        let turn = start.checked_sub(BURST)?;
        (turn > now).then_some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long it takes until so many pieces went, one after the other.
    fn takes(bucket: &Bucket, begun: Instant, pieces: u32) -> Duration {
        let mut now = begun;
        for _ in 0..pieces {
            now = bucket.turn(PIECE, now).unwrap_or(now);
        }
        now - begun
    }

    #[test]
    fn a_limit_holds_on_average_and_lets_a_short_burst_through() {
        let bucket = Bucket::default();
        let begun = Instant::now() + Duration::from_secs(60);
        assert_eq!(takes(&bucket, begun, 1000), Duration::ZERO, "without a limit nothing waits");

        bucket.set(Some(1 << 20));
        let ten_seconds = 10 * (1 << 20) / PIECE as u32;
        let took = takes(&bucket, begun, ten_seconds).as_secs_f64();
        assert!((9.7..10.0).contains(&took), "{took}");

        // After a silence there is one burst, not all that wasn't used.
        let later = begun + Duration::from_secs(60);
        let took = takes(&bucket, later, ten_seconds).as_secs_f64();
        assert!((9.7..10.0).contains(&took), "{took}");
    }

    #[test]
    fn a_limit_that_is_changed_or_taken_away_counts_at_once() {
        let bucket = Bucket::default();
        let begun = Instant::now() + Duration::from_secs(60);
        bucket.set(Some(1));
        assert_eq!(bucket.bytes_per_sec(), Some(Bandwidth::BYTES_PER_SEC_MIN), "no slower than streams can live with");
        assert!(takes(&bucket, begun, 100) > Duration::from_secs(10));
        bucket.set(None);
        assert_eq!(takes(&bucket, begun, 1000), Duration::ZERO);
    }
}
