//! Stories of contents.

use super::*;
use crate::blobs::collect::Keep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const LARGE: usize = 3 << 20;

struct Area {
    folder: TempDir,
}

impl Area {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn blobs(&self) -> Desk {
        let mut blobs = Blobs::in_folder(&self.folder.path().join("blobs")).unwrap();
        blobs.free_space = |_| Ok(Some(1 << 40));
        Desk { blobs, finished: Vec::new() }
    }

    fn partial(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("blobs/partial")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Blobs, and contents that are finished and not kept yet.
struct Desk {
    blobs: Blobs,
    finished: Vec<Finished>,
}

impl std::ops::Deref for Desk {
    type Target = Blobs;

    fn deref(&self) -> &Blobs {
        &self.blobs
    }
}

impl std::ops::DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Blobs {
        &mut self.blobs
    }
}

impl Desk {
    fn keep_finished(&mut self) -> Result<(), BlobError> {
        self.blobs.keep(std::mem::take(&mut self.finished))
    }
}

fn hash(bytes: &[u8]) -> NativeHash {
    NativeHash(*blake3::hash(bytes).as_bytes())
}

fn large() -> Vec<u8> {
    (0..LARGE).map(|at| ((at * 31) >> 3) as u8).collect()
}

fn write(blobs: &mut Desk, bytes: &[u8]) -> NativeHash {
    let native = hash(bytes);
    let mut write = blobs.begin(native, bytes.len() as u64).unwrap();
    write.append(bytes).unwrap();
    let finished = write.finish().unwrap();
    blobs.finished.push(finished);
    native
}

fn read(blobs: &Blobs, native: NativeHash) -> Vec<u8> {
    match blobs.open(native).unwrap() {
        Payload::Memory(bytes) => bytes.to_vec(),
        Payload::File { path, size } => {
            let bytes = fs::read(path).unwrap();
            assert_eq!(bytes.len() as u64, size);
            bytes
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn contents_come_back_after_the_flush_and_not_before() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let (small, empty, big) = (write(&mut blobs, b"small"), write(&mut blobs, b""), write(&mut blobs, &large()));
    assert!(!blobs.contains(small), "what isn't durable isn't there");
    assert!(matches!(blobs.open(small), Err(BlobError::NotThere)));
    blobs.keep_finished().unwrap();
    let blobs = area.blobs();
    assert!([small, empty, big].iter().all(|native| blobs.contains(*native)));
    assert_eq!(read(&blobs, small), b"small");
    assert_eq!(read(&blobs, empty), b"");
    assert_eq!(read(&blobs, big), large());
    assert!(matches!(blobs.open(big).unwrap(), Payload::File { .. }));
    assert!(area.partial().is_empty());
}

#[test]
fn equal_contents_lie_there_once() {
    let area = Area::new();
    let mut blobs = area.blobs();
    assert_eq!(blobs.usage().unwrap(), Usage::default());
    for _ in 0..3 {
        write(&mut blobs, b"twice");
    }
    blobs.keep_finished().unwrap();
    let native = write(&mut blobs, b"twice");
    blobs.keep_finished().unwrap();
    let once = Usage { count: 1, bytes: 5 };
    assert_eq!((blobs.usage().unwrap(), area.blobs().usage().unwrap()), (once, once));
    blobs.remove(native).unwrap();
    blobs.remove(native).unwrap();
    assert_eq!((blobs.usage().unwrap(), blobs.contains(native)), (Usage::default(), false));
}

#[test]
fn a_content_that_is_not_what_its_hash_says_is_refused() {
    let area = Area::new();
    let blobs = area.blobs();
    let native = hash(b"letter");
    let tries: [&[u8]; 3] = [b"lettex", b"lett", b"letter and more"];
    for bytes in tries {
        let mut write = blobs.begin(native, 6).unwrap();
        let done = write.append(bytes).and_then(|()| write.finish());
        assert!(matches!(done, Err(BlobError::WrongContent)));
        assert!(area.partial().is_empty());
    }
    assert!(matches!(blobs.begin(native, Payload::SIZE_MAX + 1), Err(BlobError::TooLarge { .. })));
}

#[test]
fn a_large_content_goes_on_where_it_stopped() {
    let area = Area::new();
    let (bytes, native) = (large(), hash(&large()));
    let mut at = 0;
    for stop in [1, 1_000_000, 1_000_001, LARGE - 1, LARGE] {
        // Each try is another process.
        let mut blobs = area.blobs();
        assert_eq!(blobs.resume_offset(native), at as u64);
        let mut write = blobs.begin(native, LARGE as u64).unwrap();
        assert_eq!(write.offset(), at as u64);
        write.append(&bytes[at..stop]).unwrap();
        at = stop;
        if stop == LARGE {
            let finished = write.finish().unwrap();
            blobs.finished.push(finished);
            blobs.keep_finished().unwrap();
        }
    }
    assert_eq!(read(&area.blobs(), native), bytes);
    assert_eq!(area.blobs().resume_offset(native), 0);
}

#[test]
fn a_part_that_was_damaged_is_noticed_at_the_end_and_begun_anew() {
    let area = Area::new();
    let (bytes, native) = (large(), hash(&large()));
    let blobs = area.blobs();
    let mut first = blobs.begin(native, LARGE as u64).unwrap();
    first.append(&bytes[..2_000_000]).unwrap();
    drop(first);
    let partial = area.folder.path().join("blobs/partial").join(native.to_string());
    let mut damaged = fs::read(&partial).unwrap();
    damaged[1000] ^= 1;
    fs::write(&partial, damaged).unwrap();
    let mut second = blobs.begin(native, LARGE as u64).unwrap();
    second.append(&bytes[2_000_000..]).unwrap();
    assert!(matches!(second.finish(), Err(BlobError::WrongContent)));
    assert_eq!(blobs.resume_offset(native), 0);
}

#[test]
fn two_writes_of_one_content_do_not_disturb_each_other() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let (bytes, native) = (large(), hash(&large()));
    let mut first = blobs.begin(native, LARGE as u64).unwrap();
    first.append(&bytes[..1_500_000]).unwrap();
    assert_eq!(blobs.resume_offset(native), 0, "the part belongs to the first");
    let mut second = blobs.begin(native, LARGE as u64).unwrap();
    assert_eq!(second.offset(), 0);
    second.append(&bytes).unwrap();
    first.append(&bytes[1_500_000..]).unwrap();
    for write in [second, first] {
        let finished = write.finish().unwrap();
        blobs.finished.push(finished);
    }
    blobs.keep_finished().unwrap();
    assert_eq!(read(&blobs, native), bytes);
    assert!(area.partial().is_empty());
}

#[test]
fn what_a_crash_left_finished_comes_in_and_the_rest_is_sorted_out() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let whole = write(&mut blobs, b"finished, not flushed");
    let torn = write(&mut blobs, b"torn by the crash");
    let bytes = large();
    let mut part = blobs.begin(hash(&bytes), LARGE as u64).unwrap();
    let mut second = blobs.begin(hash(&bytes), LARGE as u64).unwrap();
    part.append(&bytes[..100]).unwrap();
    second.append(&bytes[..200]).unwrap();
    // A crash runs nothing that tidies up.
    std::mem::forget((part, second, blobs));
    let torn_name = area.partial().into_iter().find(|name| name.starts_with(&torn.to_string())).unwrap();
    fs::write(area.folder.path().join("blobs/partial").join(torn_name), b"torn by").unwrap();

    let blobs = area.blobs();
    assert_eq!(read(&blobs, whole), b"finished, not flushed");
    assert!(!blobs.contains(torn));
    assert_eq!(area.partial(), [hash(&bytes).to_string()], "the part waits for its rest");
    assert_eq!(blobs.resume_offset(hash(&bytes)), 100);
}

#[test]
fn a_damaged_content_is_an_error_and_can_come_again() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let native = write(&mut blobs, b"precious");
    blobs.keep_finished().unwrap();
    fs::write(blobs.path_of(native), b"preciouz").unwrap();
    assert!(matches!(blobs.open(native), Err(BlobError::WrongContent)));
    assert!(!blobs.contains(native));
    write(&mut blobs, b"precious");
    blobs.keep_finished().unwrap();
    assert_eq!(read(&blobs, native), b"precious");
}

#[test]
fn a_nearly_full_disk_is_left_alone() {
    let area = Area::new();
    let mut blobs = area.blobs();
    blobs.free_space = |_| Ok(Some(200_000_000 + 1000));
    let native = hash(b"x");
    drop(blobs.begin(native, 1000).unwrap());
    match blobs.begin(native, 1001) {
        Err(BlobError::NoSpace { need: 200_001_001, free: 200_001_000 }) => {}
        other => panic!("{other:?}"),
    }
    assert!(area.partial().is_empty());

    // Twice the largest that is on its way stays free, so that a store can still write what it must.
    blobs.free_space = |_| Ok(Some(600_000_000));
    let large = blobs.begin(hash(b"large"), 150_000_000).unwrap();
    drop(blobs.begin(native, 1000).unwrap());
    assert!(matches!(blobs.begin(hash(b"larger"), 250_000_000), Err(BlobError::NoSpace { need: 750_000_000, .. })));
    drop(large);
}

#[test]
fn the_disk_tells_how_much_is_free() {
    let area = Area::new();
    if let Some(free) = free_space(area.folder.path()).unwrap() {
        assert!(free > 0);
    }
}

#[test]
fn only_what_nothing_needs_is_removed() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let later = now() + 100_000;
    let needs = [
        (write(&mut blobs, b"current"), Need::Now, true),
        (write(&mut blobs, b"of no use"), Need::Nothing, false),
        (write(&mut blobs, b"young"), Need::Undo { since: later - 1000 }, true),
        (write(&mut blobs, b"old"), Need::Undo { since: later - 5000 }, false),
    ];
    blobs.keep_finished().unwrap();
    let need = |native| {
        let (_, need, _) = needs.iter().find(|(known, ..)| *known == native).unwrap();
        Ok::<_, BlobError>(*need)
    };
    let keep = Keep { age_max: 4000, bytes_max: 1000 };
    let collected = blobs.collect(later, keep, need).unwrap();
    for (native, need, stays) in needs {
        assert_eq!(blobs.contains(native), stays, "{need:?}");
    }
    assert_eq!(collected.forgotten, [needs[3].0]);
    assert_eq!((collected.removed.count, collected.kept), (2, Usage { count: 2, bytes: 12 }));
    assert_eq!(blobs.usage().unwrap(), collected.kept);

    // Just written, a content may still be unknown to whoever is asked.
    let new = write(&mut blobs, b"new");
    blobs.keep_finished().unwrap();
    blobs.collect(now(), keep, |_| Ok::<_, BlobError>(Need::Nothing)).unwrap();
    assert!(blobs.contains(new));
}

#[test]
fn when_there_is_too_much_for_undo_the_oldest_goes_first() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let images: Vec<NativeHash> = (0..10).map(|number: u8| write(&mut blobs, &[number; 100])).collect();
    blobs.keep_finished().unwrap();
    let since = |native| images.iter().position(|known| *known == native).unwrap() as u64;
    let keep = Keep { age_max: 1000, bytes_max: 350 };
    let need = |native| Ok::<_, BlobError>(Need::Undo { since: since(native) });
    let collected = blobs.collect(100, keep, need).unwrap();
    assert_eq!(collected.kept, Usage { count: 3, bytes: 300 });
    assert!(images[7..].iter().all(|native| blobs.contains(*native)));
    assert!(images[..7].iter().all(|native| !blobs.contains(*native)));
    assert_eq!(collected.forgotten.len(), 7);
}

#[test]
fn a_part_waits_seven_days_for_its_rest() {
    let area = Area::new();
    let blobs = area.blobs();
    let mut part = blobs.begin(hash(&large()), LARGE as u64).unwrap();
    part.append(&large()[..100]).unwrap();
    let days = |days: u64| now() + days * 86_400 + 10;
    let nothing = |_| Ok::<_, BlobError>(Need::Nothing);
    blobs.collect(days(8), Keep::DEFAULT, nothing).unwrap();
    assert_eq!(area.partial().len(), 1, "it isn't waiting, it is being written");
    drop(part);
    blobs.collect(days(6), Keep::DEFAULT, nothing).unwrap();
    assert_eq!(area.partial().len(), 1);
    blobs.collect(days(8), Keep::DEFAULT, nothing).unwrap();
    assert!(area.partial().is_empty());
}

#[test]
fn files_of_others_in_the_folder_are_left_alone() {
    let area = Area::new();
    let blobs = area.blobs();
    let folder = area.folder.path().join("blobs");
    fs::write(folder.join("README"), "").unwrap();
    fs::create_dir(folder.join("zz")).unwrap();
    fs::write(folder.join("zz/note"), "").unwrap();
    blobs.collect(now() + 10_000_000, Keep::DEFAULT, |_| Ok::<_, BlobError>(Need::Nothing)).unwrap();
    assert!(folder.join("README").exists() && folder.join("zz/note").exists());
    assert_eq!(blobs.usage().unwrap(), Usage::default());
}

#[test]
fn rates_are_printed() {
    let area = Area::new();
    let mut blobs = area.blobs();
    let began = Instant::now();
    let mut in_flush = Duration::ZERO;
    for group in 0..4_u32 {
        for number in 0..250_u32 {
            let bytes: Vec<u8> = [group, number].iter().flat_map(|n| n.to_le_bytes()).cycle().take(10_000).collect();
            write(&mut blobs, &bytes);
        }
        let flush = Instant::now();
        blobs.keep_finished().unwrap();
        in_flush += flush.elapsed();
    }
    assert_eq!(blobs.usage().unwrap().count, 1000);
    let secs = began.elapsed().as_secs_f64();
    println!("contents of 10 kB in groups of 250: {:.0}/s, {in_flush:?} of it flushing", 1000.0 / secs);
}
