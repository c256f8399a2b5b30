//! What holds for every real file, whole or damaged.

mod common;

use common::{Chance, Sample, corpus};
use pim::{Examiner, FieldHashes, Format, Kind, describe, examine, fields, merge};

fn with_line_ends(bytes: &[u8], line_end: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
                lines.extend_from_slice(&line[..end]);
                lines.extend_from_slice(line_end);
            }
            None => lines.extend_from_slice(line),
        }
    }
    lines
}

/// Everything that must hold for any bytes at all.
fn check(sample: &Sample, bytes: &[u8]) {
    let Sample { name, folder, format, .. } = sample;
    let examined = examine(*folder, *format, bytes);
    assert_eq!(examined.size, bytes.len() as u64, "{name}");
    assert_eq!(examined.native.0, *blake3::hash(bytes).as_bytes(), "{name}");
    assert!(examined.title.chars().count() <= 200 && !examined.title.contains(char::is_control), "{name}");
    assert!(examined.lookalikes.len() <= 8, "{name}");

    for line_end in [&b"\n"[..], b"\r\n"] {
        let other = examine(*folder, *format, &with_line_ends(bytes, line_end));
        assert_eq!(
            (other.canon, other.identity, &other.title),
            (examined.canon, examined.identity, &examined.title),
            "{name}"
        );
    }

    let hashes = fields(examined.kind, *format, bytes);
    assert_eq!(hashes.is_none(), examined.opaque || examined.kind == Kind::Message, "{name}");
    if let Some(hashes) = hashes {
        let packed = postcard::to_allocvec(&hashes).expect("field hashes can be kept");
        assert_eq!(postcard::from_bytes::<FieldHashes>(&packed).as_ref(), Ok(&hashes), "{name}");
        for base in [&hashes, &FieldHashes::default()] {
            let merged = merge(examined.kind, *format, base, bytes, bytes).expect("fields can be merged");
            assert_eq!((&merged.bytes[..], merged.clashes.len(), merged.from_ours.len()), (bytes, 0, 0), "{name}");
        }
    }
    assert!(describe(examined.kind, *format, bytes).len() <= 100, "{name}");
}

#[test]
fn every_real_file_can_be_examined_merged_with_itself_and_described() {
    let samples = corpus();
    samples.iter().for_each(|sample| check(sample, &sample.bytes));
    let readable = |format| {
        let samples = samples.iter().filter(|sample| sample.format == format);
        samples.filter(|sample| !examine(sample.folder, format, &sample.bytes).opaque).count()
    };
    assert!(readable(Format::VCard) >= 2 && readable(Format::ICalendar) >= 20);
}

#[test]
fn where_a_file_is_cut_while_it_is_read_makes_no_difference() {
    let mut chance = Chance::new(1);
    for sample in corpus() {
        let whole = examine(sample.folder, sample.format, &sample.bytes);
        for longest in [1, 7, 600] {
            let mut examiner = Examiner::new(sample.folder, sample.format);
            let mut rest = &sample.bytes[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(1 + chance.below(longest)));
                examiner.update(piece);
                rest = after;
            }
            assert_eq!(examiner.finish(), whole, "{}", sample.name);
        }
    }
}

#[test]
fn damaged_files_are_carried_too() {
    for sample in corpus().into_iter().filter(|sample| sample.bytes.len() < 20_000) {
        for seed in 0..12 {
            let mut chance = Chance::new(seed);
            check(&sample, &damaged(&sample.bytes, &mut chance));
        }
    }
}

/// Bytes flipped, lines cut out, doubled and moved, ends torn off.
fn damaged(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    const SPARKS: [&[u8]; 14] = [
        b"\r",
        b"\n",
        b"\n ",
        b":",
        b";",
        b"\"",
        b"\\",
        b"=",
        b"\0",
        b"\xff",
        b"BEGIN:VEVENT\n",
        b"END:VCARD\n",
        b"UID:1\n",
        b"item1.",
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(80)).min(bytes.len());
        match chance.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len() + 1);
                drop(bytes.splice(to..to, piece));
            }
            3 => drop(bytes.splice(at..at, SPARKS[chance.below(SPARKS.len())].iter().copied())),
            _ if chance.below(4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

#[test]
fn any_two_damaged_versions_merge_into_one_that_says_what_was_meant() {
    let mut joined = 0;
    for sample in corpus().into_iter().filter(|sample| sample.format != Format::Rfc5322 && sample.bytes.len() < 20_000)
    {
        let kind = examine(sample.folder, sample.format, &sample.bytes).kind;
        let base = fields(kind, sample.format, &sample.bytes).unwrap_or_default();
        for seed in 0..40 {
            let mut chance = Chance::new(1_000 + seed);
            let (ours, theirs) = (damaged(&sample.bytes, &mut chance), damaged(&sample.bytes, &mut chance));
            let Some(merged) = merge(kind, sample.format, &base, &ours, &theirs) else {
                let has_fields = |side: &[u8]| fields(kind, sample.format, side).is_some();
                assert!(!has_fields(&ours) || !has_fields(&theirs), "{} could be merged", sample.name);
                continue;
            };
            let result = fields(kind, sample.format, &merged.bytes).expect("a merged item can be read");
            let [ours, theirs] = [&ours, &theirs].map(|side| fields(kind, sample.format, side).expect("it was merged"));
            for key in base.0.keys().chain(ours.0.keys()).chain(theirs.0.keys()) {
                let side = if merged.from_ours.contains(key) { &ours } else { &theirs };
                assert_eq!(result.0.get(key), side.0.get(key), "{} {key}", sample.name);
            }
            joined += usize::from(!merged.from_ours.is_empty() && !merged.from_theirs.is_empty());
            let again =
                merge(kind, sample.format, &theirs, &merged.bytes, &merged.bytes).expect("it can be merged again");
            assert_eq!(again.bytes, merged.bytes, "{}", sample.name);
        }
    }
    assert!(joined > 20, "only {joined} merges joined anything");
}
