//! Removing what nobody needs any more.

use super::{BlobError, Blobs, NO_PANIC, Usage, read_folder};
use pim::NativeHash;
use std::{cmp::Reverse, fs, time::UNIX_EPOCH};

/// What a content is needed for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Need {
    /// Something that is: a version no store holds yet, the losing side of a conflict. It stays.
    Now,
    /// Something that was, and can be undone. It stays while it is young and while there is room.
    Undo {
        /// Seconds since 1970 when it was replaced.
        since: u64,
    },
    /// Nothing.
    Nothing,
}

/// How long and how much is kept for undo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keep {
    /// Seconds.
    pub age_max: u64,
    /// Bytes.
    pub bytes_max: u64,
}

/// What was removed and what stays.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Collected {
    /// Contents kept for undo that are gone now; their changes can't be undone any more. In hash order.
    pub forgotten: Vec<NativeHash>,
    /// Everything that was removed.
    pub removed: Usage,
    /// What stays.
    pub kept: Usage,
}

impl Keep {
    /// Thirty days, and 2 GB.
    pub const DEFAULT: Self = Self { age_max: 30 * DAY_SECS, bytes_max: 2_000_000_000 };
}

const DAY_SECS: u64 = 24 * 60 * 60;
/// A content may come before what needs it is written down.
const NEW_SECS: u64 = 60 * 60;
/// How long a partial content waits for its rest.
const PARTIAL_SECS: u64 = 7 * DAY_SECS;

impl Blobs {
    /// Removes contents that nothing needs, and of those kept for undo the old ones and, oldest first, what is too much.
    ///
    /// `now_secs` must be plausible: by a clock that jumped ahead, everything is old. See `history`.
    pub fn collect<E: From<BlobError>>(
        &self,
        now_secs: u64,
        keep: Keep,
        mut need: impl FnMut(NativeHash) -> Result<Need, E>,
    ) -> Result<Collected, E> {
        let mut found = Vec::new();
        self.for_each(|native, metadata| {
            found.push((native, metadata.len(), age_secs(metadata, now_secs)));
            Ok(())
        })?;
        let mut collected = Collected::default();
        let mut for_undo = Vec::new();
        for (native, size, age) in found {
            match need(native)? {
                Need::Nothing if age >= NEW_SECS => self.take_away(native, size, &mut collected)?,
                Need::Undo { since } => for_undo.push((Reverse(since), native, size)),
                Need::Now | Need::Nothing => collected.kept.count_in(size),
            }
        }
        for_undo.sort_unstable();
        let mut bytes = 0_u64;
        for (Reverse(since), native, size) in for_undo {
            bytes = bytes.saturating_add(size);
            if bytes > keep.bytes_max || now_secs.saturating_sub(since) > keep.age_max {
                self.take_away(native, size, &mut collected)?;
                collected.forgotten.push(native);
            } else {
                collected.kept.count_in(size);
            }
        }
        collected.forgotten.sort_unstable();
        *self.usage.lock().expect(NO_PANIC) = Some(collected.kept);
        self.collect_partial(now_secs)?;
        Ok(collected)
    }

    fn take_away(&self, native: NativeHash, size: u64, collected: &mut Collected) -> Result<(), BlobError> {
        self.remove(native)?;
        collected.removed.count_in(size);
        Ok(())
    }

    fn collect_partial(&self, now_secs: u64) -> Result<(), BlobError> {
        let writing = self.writing.lock().expect(NO_PANIC);
        for entry in read_folder(&self.partial_folder())? {
            let native = entry.file_name().to_str().and_then(NativeHash::from_hex);
            let is_idle = native.is_some_and(|native| !writing.contains_key(&native));
            if is_idle && entry.metadata().is_ok_and(|metadata| age_secs(&metadata, now_secs) > PARTIAL_SECS) {
                let path = entry.path();
                fs::remove_file(&path).map_err(|source| BlobError::Io { path, source })?;
            }
        }
        Ok(())
    }
}

impl Usage {
    const fn count_in(&mut self, size: u64) {
        self.count += 1;
        self.bytes += size;
    }
}

/// How long ago the file was written; zero if that lies in the future.
fn age_secs(metadata: &fs::Metadata, now_secs: u64) -> u64 {
    let written = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    written.map_or(0, |written| now_secs.saturating_sub(written.as_secs()))
}
