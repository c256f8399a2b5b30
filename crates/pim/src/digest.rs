//! Hashing: the two hashes of an item in one pass, and the small keyed hashes of what identifies it.

use crate::{CanonHash, NativeHash, PairingKey};

/// How much is normalised at a time, so that one huge argument needs no huge copy.
const PIECE: usize = 64 * 1024;

/// The hash of the bytes as they are and the hash with line ends written as LF, fed in pieces of any size.
///
/// As long as both would be the same they are computed once: most mail in a Maildir has no CR at all.
pub(crate) struct TwinHasher {
    native: blake3::Hasher,
    canon: Option<blake3::Hasher>,
    pending_crs: u64,
    scratch: Vec<u8>,
}

impl TwinHasher {
    pub(crate) fn new() -> Self {
        Self { native: blake3::Hasher::new(), canon: None, pending_crs: 0, scratch: Vec::new() }
    }

    /// Continues both hashes with `bytes`.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let differing = match (&self.canon, bytes.contains(&b'\r')) {
            (None, false) => {
                self.native.update(bytes);
                return;
            }
            (None, true) => {
                let plain = bytes.iter().position(|byte| *byte == b'\r').unwrap_or(bytes.len());
                self.native.update(&bytes[..plain]);
                self.canon = Some(self.native.clone());
                &bytes[plain..]
            }
            (Some(_), _) => bytes,
        };
        self.native.update(differing);
        differing.chunks(PIECE).for_each(|piece| self.update_canon(piece));
    }

    /// Continues only the native hash: `bytes` mean nothing.
    pub(crate) fn update_native(&mut self, bytes: &[u8]) {
        if self.canon.is_none() {
            self.canon = Some(self.native.clone());
        }
        self.native.update(bytes);
    }

    pub(crate) fn finish(mut self) -> (NativeHash, CanonHash) {
        let native = *self.native.finalize().as_bytes();
        self.flush_crs();
        let canon = self.canon.map_or(native, |hasher| *hasher.finalize().as_bytes());
        (NativeHash(native), CanonHash(canon))
    }

    /// CRs count only when something other than a line end follows them; `\r\r\n` is what a text-mode copy of `\r\n`
    /// leaves behind.
    fn update_canon(&mut self, piece: &[u8]) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let mut rest = piece;
        while let Some(first) = rest.first() {
            if *first == b'\r' {
                self.pending_crs += 1;
                rest = &rest[1..];
                continue;
            }
            if self.pending_crs > 0 {
                if *first != b'\n' {
                    self.feed_canon(&scratch);
                    scratch.clear();
                    self.flush_crs();
                }
                self.pending_crs = 0;
            }
            let until = rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len());
            scratch.extend_from_slice(&rest[..until]);
            rest = &rest[until..];
        }
        self.feed_canon(&scratch);
        self.scratch = scratch;
    }

    fn flush_crs(&mut self) {
        let crs = [b'\r'; 1024];
        while self.pending_crs > 0 {
            let count = self.pending_crs.min(crs.len() as u64);
            self.feed_canon(&crs[..count as usize]);
            self.pending_crs -= count;
        }
    }

    fn feed_canon(&mut self, bytes: &[u8]) {
        if let Some(canon) = &mut self.canon {
            canon.update(bytes);
        }
    }
}

/// Appends `part` so that no two lists of parts give the same bytes.
pub(crate) fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

/// The key under which two items called the same by people meet.
pub(crate) fn pairing_key(purpose: &str, parts: &[&[u8]]) -> PairingKey {
    let mut bytes = Vec::new();
    put(&mut bytes, purpose.as_bytes());
    parts.iter().for_each(|part| put(&mut bytes, part));
    let hash = blake3::hash(&bytes);
    PairingKey::from_slice(&hash.as_bytes()[..16]).expect("a hash has more than sixteen bytes")
}

/// Sixty-four bits of a hash: enough to tell the fields of one item apart.
pub(crate) fn short_hash(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has more than eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twins(pieces: &[&[u8]]) -> (NativeHash, CanonHash) {
        let mut hasher = TwinHasher::new();
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finish()
    }

    #[test]
    fn bytes_without_a_cr_have_one_hash() {
        let (native, canon) = twins(&[b"one\n", b"two\n"]);
        assert_eq!(native.0, canon.0);
        assert_eq!(native.0, *blake3::hash(b"one\ntwo\n").as_bytes());
    }

    #[test]
    fn line_ends_are_normalised_across_pieces_and_lone_crs_are_kept() {
        let whole = twins(&[b"a\r\nb\rc\r\r\nd\r"]);
        assert_eq!(whole.1.0, *blake3::hash(b"a\nb\rc\nd\r").as_bytes());
        assert_eq!(whole, twins(&[b"a\r", b"\nb", b"\r", b"c\r", b"\r", b"\nd\r"]));
    }

    #[test]
    fn a_file_of_nothing_but_crs_is_hashed_in_bounded_steps() {
        let crs = vec![b'\r'; 300_000];
        let (native, canon) = twins(&[&crs]);
        assert_eq!(native.0, canon.0);
    }
}
