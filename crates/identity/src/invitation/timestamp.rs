use std::fmt;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A moment, in whole seconds since 1970 (UTC), up to the year 9999. Written as RFC 3339.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(u64);

impl Timestamp {
    const MAX_SECS: u64 = 253_402_300_799;

    /// The moment this many seconds after 1970 began; later than the year 9999 becomes its last second.
    #[must_use]
    pub const fn from_unix_secs(secs: u64) -> Self {
        Self(if secs > Self::MAX_SECS { Self::MAX_SECS } else { secs })
    }

    /// Seconds since 1970 began.
    #[must_use]
    pub const fn unix_secs(self) -> u64 {
        self.0
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        u64::try_from(moment.unix_timestamp()).ok().filter(|secs| *secs <= Self::MAX_SECS).map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::from_unix_timestamp(self.0 as i64).expect("no later than the year 9999");
        f.write_str(&moment.to_offset(UtcOffset::UTC).format(&Rfc3339).expect("four digits suffice for the year"))
    }
}
