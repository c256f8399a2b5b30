//! A record on a bulk stream: a content, or a part of one that is too long for one
//! (`PROTOCOL.md` of crate `sync` has the layout). Whatever the sender claims, unpacking takes no more memory than a
//! part and a window of the same size.

use bytes::Bytes;
use pim::NativeHash;
use std::io::Read;
use stores::Payload;

/// Bytes before the part.
pub(super) const HEADER: usize = 32 + 8 + 8 + 1;
/// Bytes of a part, packed or not.
pub const PART_MAX: usize = 1 << 20;
/// The largest window of a packed part, as a power of two: what unpacking it may take. A frame declares its window
/// itself, and without a bound of ours zstd gives it up to 128 MiB.
pub const WINDOW_LOG_MAX: u32 = 20;
const RAW: u8 = 0;
const ZSTD: u8 = 1;

/// What a peer sent, checked and unpacked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The content this is a part of.
    pub native: NativeHash,
    /// Bytes of the whole content.
    pub total: u64,
    /// Where the part begins.
    pub offset: u64,
    /// The part.
    pub data: Bytes,
}

/// Why a record isn't taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// It ends before its part begins.
    #[error("a record shorter than its header")]
    Short,
    /// The content is larger than any item may be.
    #[error("a content of {total} bytes, which is past the bound")]
    TooLarge {
        /// Bytes it would have.
        total: u64,
    },
    /// An encoding nobody agreed on.
    #[error("a record in the unknown encoding {0}")]
    Encoding(u8),
    /// No whole zstd frame, more than one, or one whose window is larger than [`WINDOW_LOG_MAX`] allows.
    #[error("a record that can't be unpacked")]
    Packing,
    /// The part has more bytes than a record may have, or than the content has from there on.
    #[error("a record with more data than it may have")]
    PastBound,
}

impl Record {
    /// Reads what came on a bulk stream.
    pub fn read(payload: &Bytes) -> Result<Self, RecordError> {
        let header: &[u8; HEADER] = payload.first_chunk().ok_or(RecordError::Short)?;
        let (native, rest) = header.split_first_chunk::<32>().expect("a header begins with 32 bytes of hash");
        let (total, rest) = rest.split_first_chunk::<8>().expect("a header has 8 bytes of total");
        let (offset, encoding) = rest.split_first_chunk::<8>().expect("a header has 8 bytes of offset");
        let (native, total, offset) = (NativeHash(*native), u64::from_be_bytes(*total), u64::from_be_bytes(*offset));
        if total > Payload::SIZE_MAX {
            return Err(RecordError::TooLarge { total });
        }
        let left = total.checked_sub(offset).ok_or(RecordError::PastBound)?;
        let room = left.min(PART_MAX as u64);
        let data = payload.slice(HEADER..);
        let data = match encoding[0] {
            RAW => data,
            ZSTD => unpack(&data, room)?,
            other => return Err(RecordError::Encoding(other)),
        };
        if data.len() as u64 > room {
            return Err(RecordError::PastBound);
        }
        Ok(Self { native, total, offset, data })
    }
}

/// Stops behind the last byte there is room for.
fn unpack(packed: &[u8], room: u64) -> Result<Bytes, RecordError> {
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(packed).map_err(|_| RecordError::Packing)?.single_frame();
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(|_| RecordError::Packing)?;
    let mut data = Vec::new();
    decoder.by_ref().take(room + 1).read_to_end(&mut data).map_err(|_| RecordError::Packing)?;
    if data.len() as u64 > room {
        return Err(RecordError::PastBound);
    }
    if decoder.finish().is_empty() { Ok(data.into()) } else { Err(RecordError::Packing) }
}

/// A record, with its part packed if that is wanted and gains anything.
#[must_use]
pub fn write(native: NativeHash, total: u64, offset: u64, part: &[u8], packs: bool) -> Vec<u8> {
    let mut record = head(native, total, offset, part.len());
    record.extend_from_slice(part);
    if packs { packed(record) } else { record }
}

/// A record without its part, and room for that.
pub(super) fn head(native: NativeHash, total: u64, offset: u64, part_len: usize) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEADER + part_len);
    record.extend_from_slice(native.as_bytes());
    record.extend_from_slice(&total.to_be_bytes());
    record.extend_from_slice(&offset.to_be_bytes());
    record.push(RAW);
    record
}

/// The record with its part packed, where that gains anything.
pub(super) fn packed(mut record: Vec<u8>) -> Vec<u8> {
    if let Some(data) = pack(&record[HEADER..]) {
        record.truncate(HEADER - 1);
        record.push(ZSTD);
        record.extend_from_slice(&data);
    }
    record
}

/// The packed data, if packing gains at least a tenth; what doesn't pack at its beginning isn't tried.
fn pack(data: &[u8]) -> Option<Vec<u8>> {
    const TASTE: usize = 64 << 10;
    let gains = |packed: &[u8], data: &[u8]| packed.len() * 10 <= data.len() * 9;
    if data.len() > TASTE {
        let taste = zstd::bulk::compress(&data[..TASTE], 1).ok()?;
        if !gains(&taste, &data[..TASTE]) {
            return None;
        }
    }
    let packed = zstd::bulk::compress(data, 1).ok()?;
    gains(&packed, data).then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const HASH: NativeHash = NativeHash([7; 32]);

    fn record(total: u64, offset: u64, encoding: u8, part: &[u8]) -> Bytes {
        let mut record = write(HASH, total, offset, part, false);
        record[HEADER - 1] = encoding;
        record.into()
    }

    /// As a peer might pack it who doesn't keep to our window.
    fn frame(data: &[u8], window_log: u32) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window_log).unwrap();
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|at| b"Dear all, as agreed on the phone: "[at % 34] ^ (at >> 9) as u8).collect()
    }

    #[test]
    fn a_part_of_any_length_comes_out_as_it_went_in() {
        for len in [0, 1, 48, 1000, 65_536, 65_537, PART_MAX - 1, PART_MAX] {
            let part = text(len);
            let sent = write(HASH, len as u64 + 9, 9, &part, true);
            assert!(len < 1000 || sent.len() < len, "{len} bytes weren't packed");
            let came = Record::read(&sent.into()).unwrap();
            assert_eq!(came, Record { native: HASH, total: len as u64 + 9, offset: 9, data: part.into() });
        }
    }

    #[test]
    fn a_window_past_the_bound_is_refused_however_little_it_holds() {
        let part = text(2000);
        let largest = frame(&part, WINDOW_LOG_MAX);
        assert_eq!(Record::read(&record(2000, 0, ZSTD, &largest)).unwrap().data, part);
        for window_log in [WINDOW_LOG_MAX + 1, 24, 27, 31] {
            let larger = frame(&part, window_log);
            assert!(zstd::stream::decode_all(&larger[..]).is_ok() == (window_log <= 27), "what zstd allows by itself");
            assert_eq!(Record::read(&record(2000, 0, ZSTD, &larger)), Err(RecordError::Packing), "{window_log}");
        }
    }

    #[test]
    fn a_bomb_goes_off_no_further_than_the_record_has_room() {
        const BOMB: usize = 64 << 20;
        let bomb = frame(&vec![0; BOMB], WINDOW_LOG_MAX);
        assert!(bomb.len() < BOMB / 1000, "a bomb is small: {}", bomb.len());
        for total in [0, 1, PART_MAX as u64, Payload::SIZE_MAX] {
            let came = Record::read(&record(total, 0, ZSTD, &bomb));
            assert_eq!(came, Err(RecordError::PastBound), "{total}");
        }
        // Also one that declares its size: nothing is set aside for what is only said.
        let declared = zstd::bulk::compress(&vec![0; BOMB], 1).unwrap();
        let came = Record::read(&record(Payload::SIZE_MAX, 0, ZSTD, &declared));
        assert!(matches!(came, Err(RecordError::Packing | RecordError::PastBound)), "{came:?}");
        // What packs as well and stays within the bound is an honest empty attachment.
        let zeros = zstd::bulk::compress(&vec![0; PART_MAX], 1).unwrap();
        assert_eq!(Record::read(&record(PART_MAX as u64, 0, ZSTD, &zeros)).unwrap().data.len(), PART_MAX);
    }

    #[test]
    fn what_is_no_record_is_refused_for_what_it_is() {
        let part = text(500);
        let whole = frame(&part, WINDOW_LOG_MAX);
        let twice = [&whole[..], &whole[..]].concat();
        let cases: [(Bytes, RecordError); 9] = [
            (Bytes::new(), RecordError::Short),
            (record(500, 0, RAW, &part).slice(..HEADER - 1), RecordError::Short),
            (record(u64::MAX, 0, RAW, &part), RecordError::TooLarge { total: u64::MAX }),
            (record(500, 501, RAW, &[]), RecordError::PastBound),
            (record(500, 1, RAW, &part), RecordError::PastBound),
            (record(500, 1, ZSTD, &whole), RecordError::PastBound),
            (record(500, 0, 2, &part), RecordError::Encoding(2)),
            (record(500, 0, ZSTD, &whole[..whole.len() - 1]), RecordError::Packing),
            (record(1000, 0, ZSTD, &twice), RecordError::Packing),
        ];
        for (bytes, why) in cases {
            assert_eq!(Record::read(&bytes), Err(why));
        }
        let long = vec![0; PART_MAX + 1];
        assert_eq!(Record::read(&record(2 * PART_MAX as u64, 0, RAW, &long)), Err(RecordError::PastBound));
    }
}
