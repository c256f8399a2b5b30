//! A file's state: what tells cheaply whether its content changed.
//!
//! A revision is a digest of size, modification time and file number. Times have a grain (milliseconds on ext4, two
//! seconds on FAT): a file written again within the same grain looks the same. So a revision of a file that was
//! modified in the last two seconds ends in a byte that says "may still change unseen". The next listing gives the
//! revision without it, which is a different one, and the content is read and hashed once more.

use super::disk::FileSystemFacts;
use crate::Rev;
use std::{
    fs::Metadata,
    time::{Duration, SystemTime},
};

/// Modification times younger than this may not tell the next write apart, in nanoseconds.
pub(super) const UNSETTLED_NS: i64 = 2_000_000_000;

const UNSETTLED_MARK: u8 = 1;

/// The grain of the system's clock for file times: up to ten milliseconds on Linux.
const CLOCK_GRAIN_NS: i64 = 10_000_000;

/// Waits until a change from now on gives a folder another time than it has. Without it a file renamed while the folder
/// is read could be missed and the folder's time would not tell.
pub(super) fn wait_for_next_grain(modified_ns: i64) {
    let since = now_ns().saturating_sub(modified_ns);
    if (0..CLOCK_GRAIN_NS).contains(&since) {
        std::thread::sleep(Duration::from_nanos((CLOCK_GRAIN_NS - since).unsigned_abs()));
    }
}

/// What `stat` says of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileState {
    pub(super) size: u64,
    pub(super) modified_ns: i64,
    /// The file's number in its file system, where there is one that lasts.
    pub(super) file_id: Option<u64>,
}

impl FileState {
    pub(super) fn of(metadata: &Metadata, facts: FileSystemFacts) -> Self {
        let file_id = if facts.keeps_file_ids { raw_file_id(metadata) } else { None };
        Self { size: metadata.len(), modified_ns: modified_ns(metadata), file_id }
    }

    /// A digest of the state; equal for unchanged content.
    pub(super) fn digest(&self) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.size.to_le_bytes());
        hasher.update(&self.modified_ns.to_le_bytes());
        hasher.update(&self.file_id.unwrap_or(0).to_le_bytes());
        *hasher.finalize().as_bytes().first_chunk().expect("a hash is longer than eight bytes")
    }

    /// The revision of a file whose content never changes under its name (Maildir).
    pub(super) fn lasting_rev(&self) -> Rev {
        Rev(self.digest().to_vec())
    }

    /// The revision of a file that others may edit in place.
    pub(super) fn rev(&self, now_ns: i64) -> Rev {
        let mut rev = self.digest().to_vec();
        if self.is_young(now_ns) {
            rev.push(UNSETTLED_MARK);
        }
        Rev(rev)
    }

    /// Whether somebody may still be writing it, or may write again without another time.
    pub(super) const fn is_young(&self, now_ns: i64) -> bool {
        now_ns.abs_diff(self.modified_ns) < UNSETTLED_NS.unsigned_abs()
    }

    /// Whether a file in this state is what a listing showed as `rev`.
    pub(super) fn is(&self, rev: &Rev) -> bool {
        rev.0.get(..8) == Some(&self.digest()[..])
    }
}

/// The number of a file or folder in its file system.
pub(super) fn raw_file_id(metadata: &Metadata) -> Option<u64> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::ino(metadata));
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

/// A modification time, in nanoseconds since 1970.
pub(super) fn modified_ns(metadata: &Metadata) -> i64 {
    metadata.modified().map_or(0, since_1970_ns)
}

/// The time now, in nanoseconds since 1970.
pub(super) fn now_ns() -> i64 {
    since_1970_ns(SystemTime::now())
}

fn since_1970_ns(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_just_written_is_hashed_once_more_when_it_has_settled() {
        let state = FileState { size: 3, modified_ns: 10 * UNSETTLED_NS, file_id: Some(7) };
        let fresh = state.rev(state.modified_ns + 1);
        let settled = state.rev(state.modified_ns + UNSETTLED_NS);
        assert_ne!(fresh, settled);
        assert_eq!(settled, state.rev(state.modified_ns + 5 * UNSETTLED_NS));
        assert!(state.is(&fresh) && state.is(&settled));
    }

    #[test]
    fn size_time_and_file_number_each_make_another_revision() {
        let state = FileState { size: 3, modified_ns: 5, file_id: Some(7) };
        for other in [
            FileState { size: 4, ..state },
            FileState { modified_ns: 6, ..state },
            FileState { file_id: Some(8), ..state },
        ] {
            assert!(!other.is(&state.lasting_rev()));
        }
    }
}
