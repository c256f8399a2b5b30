//! Stories of the index as a file: the engine's contract, damage, cuts, sizes and speed.

use super::*;
use crate::index::open::suspicion;
use identity::{DeviceId, IdentityKey};
use pim::{FolderUid, ItemUid, NativeHash};
use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};
use sync::{
    contract::{self, folder_uid, item_uid, mail, settled},
    index::{Base, Direction, FolderRecord, HubIndex, ItemRecord, ReplicaIndex},
    model::{Row as LogRow, RowBody, Seq, Subject},
};
use tempfile::TempDir;

const NOW: u64 = 1_700_000_000;

fn open(path: &Path) -> Index {
    Index::open(path, NOW).unwrap().index
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("index.sqlite")
}

/// Closes an index and opens its file anew. What wasn't committed is gone with the connection.
fn reopen(index: Index) -> Index {
    let path = index.0.path.clone();
    let others = Rc::strong_count(&index.0);
    assert_eq!(others, 1, "the file is still open");
    drop(index);
    open(&path)
}

#[test]
fn a_replica_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = 0;
    contract::replica_index(
        || {
            files += 1;
            open(&folder.path().join(format!("{files}.sqlite"))).replica()
        },
        |view: ReplicaView| reopen(view.0).replica(),
    );
}

#[test]
fn a_hub_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let kept: Rc<RefCell<BTreeSet<NativeHash>>> = Rc::default();
    let serve = |index: Index| {
        let kept = kept.clone();
        index.hub(move |native| kept.borrow().contains(&native)).unwrap()
    };
    let mut files = 0;
    contract::hub_index(
        || {
            files += 1;
            serve(open(&folder.path().join(format!("{files}.sqlite"))))
        },
        |view: HubView| serve(reopen(view.index)),
        |_, native| assert!(kept.borrow_mut().insert(native)),
        |_, native| assert!(kept.borrow_mut().remove(&native)),
    );
}

#[test]
fn a_content_in_the_servers_own_store_is_held_while_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let (mut replica, hub) = (index.replica(), index.hub(|_| false).unwrap());
    let letter = mail(1, "letter");
    let native = letter.version.native;
    let before = ItemRecord { local: None, ..settled(1, "a", &letter) };
    replica.put_item(item_uid(1), &before).unwrap();
    assert!(!hub.holds(native).unwrap(), "a base is a memory, not a content");
    replica.put_item(item_uid(1), &settled(1, "a", &letter)).unwrap();
    assert!(hub.holds(native).unwrap());
    let mut near = native;
    near.0[31] ^= 1;
    assert!(!hub.holds(near).unwrap(), "a hash that begins alike is another content");
    let changed = ItemRecord { local: Some(contract::local("a", mail(1, "changed"))), ..before };
    replica.put_item(item_uid(1), &changed).unwrap();
    assert!(!hub.holds(native).unwrap());
}

#[test]
fn replica_and_hub_of_a_server_change_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let (mut replica, mut hub) = (index.replica(), index.hub(|_| false).unwrap());
    let row = LogRow { seq: Seq(1), subject: Subject::Item(item_uid(1)), body: RowBody::Item(mail(1, "a")) };
    let both = |replica: &mut ReplicaView, hub: &mut HubView| {
        hub.begin().unwrap();
        hub.put_row(&row).unwrap();
        hub.commit().unwrap();
        replica.begin().unwrap();
        replica.put_item(item_uid(1), &settled(1, "a", &mail(1, "a"))).unwrap();
        replica.commit().unwrap();
    };
    index.begin().unwrap();
    both(&mut replica, &mut hub);
    index.rollback().unwrap();
    assert!(hub.row(row.subject).unwrap().is_none() && replica.item(item_uid(1)).unwrap().is_none());
    assert_eq!((hub.live_total().unwrap(), replica.base_total().unwrap()), (0, 0));

    index
        .group(|_| {
            both(&mut replica, &mut hub);
            Ok(())
        })
        .unwrap();
    drop((replica, hub));
    let index = reopen(index);
    assert_eq!(index.hub(|_| false).unwrap().live_total().unwrap(), 1);
    assert_eq!(index.replica().base_total().unwrap(), 1);
}

#[test]
fn a_failing_group_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let failed: Result<()> = index.group(|index| {
        index.set_value("a", Some(b"1"))?;
        Err(IndexError { reason: "no".to_owned() })
    });
    assert!(failed.is_err());
    assert_eq!(index.value("a").unwrap(), None);
    index.set_value("a", Some(b"2")).unwrap();
    assert_eq!(index.value("a").unwrap().as_deref(), Some(&b"2"[..]));
    index.set_value("a", None).unwrap();
    assert_eq!(index.value("a").unwrap(), None);
}

#[test]
fn nothing_is_written_outside_a_group_that_sqlite_took_back_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    index.begin().unwrap();
    index.set_value("a", Some(b"1")).unwrap();
    index.0.connection.execute_batch("ROLLBACK").unwrap();
    assert!(index.set_value("b", Some(b"1")).is_err());
    assert!(index.commit().is_err());
    index.rollback().unwrap();
    assert_eq!((index.value("a").unwrap(), index.value("b").unwrap()), (None, None));
    index.set_value("a", Some(b"2")).unwrap();
}

#[test]
fn a_new_index_is_a_new_life() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, other] = folders.each_ref().map(|folder| Index::open(&path_in(folder), NOW).unwrap());
    assert_eq!((one.found, other.found), (Found::Nothing, Found::Nothing));
    let ids = |index: &Index| (index.replica().replica().unwrap(), index.hub(|_| false).unwrap().head().unwrap().0);
    let (first, second) = (ids(&one.index), ids(&other.index));
    assert!(first.0 != second.0 && first.1 != second.1);
    drop(one.index);
    let again = Index::open(&path_in(&folders[0]), NOW).unwrap();
    assert_eq!((again.found, ids(&again.index)), (Found::Sound, first));
}

#[test]
fn intents_stay_open_until_closed_and_their_names_are_never_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let intent =
        |number, text: &'static str| Intent { item: item_uid(number), intent: text.as_bytes(), context: b"base" };
    let first = index.put_intents(&[intent(1, "rename"), intent(2, "delete")]).unwrap();
    let index = reopen(index);
    let open: Vec<_> =
        index.open_intents().unwrap().into_iter().map(|open| (open.id, open.item, open.intent)).collect();
    assert_eq!(open, [(first[0], item_uid(1), b"rename".to_vec()), (first[1], item_uid(2), b"delete".to_vec())]);
    index.close_intents(&first).unwrap();
    assert!(index.open_intents().unwrap().is_empty());
    let next = index.put_intents(&[intent(3, "create")]).unwrap();
    assert!(next[0] > first[1]);
    index.close_intents(&first).unwrap();
    assert_eq!(index.open_intents().unwrap().len(), 1, "closing twice closes nothing else");
}

#[test]
fn devices_and_tickets_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let laptop = laptop();
    index.put_device(&laptop).unwrap();
    let removed =
        Device { removed_at: Some(NOW + 5), last_seen_day: Some(19_000), is_allowed_again: true, ..laptop.clone() };
    assert_eq!(index.devices().unwrap(), [laptop]);
    index.put_device(&removed).unwrap();

    let ticket = Ticket { digest: [1; 32], uses_left: 2, expires_at: NOW + 10, failures: 3 };
    index.put_ticket(&ticket).unwrap();
    index.put_ticket(&Ticket { digest: [2; 32], expires_at: NOW + 20, ..ticket }).unwrap();
    index.set_guess_budgets(b"budgets").unwrap();
    let index = reopen(index);
    assert_eq!(index.device(removed.id).unwrap(), Some(removed));
    assert_eq!(index.ticket(&[1; 32]).unwrap(), Some(ticket));
    assert_eq!(index.guess_budgets().unwrap().as_deref(), Some(&b"budgets"[..]));
    index.forget_expired_tickets(NOW + 10).unwrap();
    assert_eq!(index.tickets().unwrap().len(), 1);
    index.put_ticket(&Ticket { digest: [2; 32], uses_left: 0, ..ticket }).unwrap();
    assert!(index.tickets().unwrap().is_empty(), "a used ticket is no ticket");
}

fn laptop() -> Device {
    let key = IdentityKey::from_seed(&[7; 32]).public();
    Device {
        id: DeviceId::of(&key),
        key,
        name: "Laptop".to_owned(),
        platform: "Linux".to_owned(),
        paired_at: NOW,
        paired_by: PairedBy::Lan,
        last_seen_day: None,
        removed_at: None,
        is_allowed_again: false,
    }
}

// Damage.

fn damage(path: &Path, at: u64, with: &[u8]) {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(with).unwrap();
}

/// An index of some pages, closed in order.
fn filled(path: &Path) {
    let index = open(path);
    index.put_device(&laptop()).unwrap();
    let mut replica = index.replica();
    replica.begin().unwrap();
    for number in 0..2000 {
        replica.put_item(uid(number), &settled(number.into(), &href(number), &letter(number))).unwrap();
    }
    replica.commit().unwrap();
}

#[test]
fn a_damaged_index_is_moved_aside_and_a_new_life_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path);
    let before = open(&path).replica().replica().unwrap();
    let len = fs::metadata(&path).unwrap().len();
    for page in (len / 4096 / 3)..(len / 4096 / 2) {
        damage(&path, page * 4096 + 10, &[0xff; 64]);
    }
    // A day later the whole file is read.
    let opened = Index::open(&path, NOW + 100_000).unwrap();
    let aside = folder.path().join("index.damaged-1.sqlite");
    assert_eq!(opened.found, Found::Damaged { moved_to: aside.clone() });
    assert!(aside.exists());
    assert_ne!(opened.index.replica().replica().unwrap(), before);
    assert_eq!(opened.index.replica().base_total().unwrap(), 0);
    drop(opened);
    assert_eq!(Index::open(&path, NOW + 100_000).unwrap().found, Found::Sound);
}

#[test]
fn whatever_page_is_damaged_it_is_noticed_or_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path);
    let sound = fs::read(&path).unwrap();
    let mut noticed = 0;
    let pages = sound.len() / 4096;
    for page in (0..pages).step_by(2) {
        fs::write(&path, &sound).unwrap();
        damage(&path, page as u64 * 4096, &[0; 4096]);
        match Index::open(&path, NOW + 100_000).unwrap() {
            Opened { found: Found::Sound, index } => {
                // Pages of the free list hold nothing.
                for number in 0..2000 {
                    let record = index.replica().item(uid(number)).unwrap();
                    assert_eq!(record, Some(settled(number.into(), &href(number), &letter(number))), "page {page}");
                }
            }
            Opened { .. } => noticed += 1,
        }
    }
    assert!(noticed > pages * 4 / 10, "{noticed} of {pages}");
    let aside = fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".damaged-"));
    assert!(aside.count() <= 3, "damaged files don't pile up");
}

#[test]
fn damage_that_shows_while_working_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path);
    let len = fs::metadata(&path).unwrap().len();
    // Leaves the first pages with the schema, the state and the roots alone.
    for page in 60..len / 4096 {
        damage(&path, page * 4096, &[0x55; 4096]);
    }
    let opened = Index::open(&path, NOW).unwrap();
    assert_eq!(opened.found, Found::Sound, "nothing is checked twice a day");
    let failed = (0..2000).any(|number| opened.index.replica().item(uid(number)).is_err());
    assert!(failed && opened.index.is_damaged());
    drop(opened);
    assert!(suspicion(&path).exists());
    let opened = Index::open(&path, NOW).unwrap();
    assert!(matches!(opened.found, Found::Damaged { .. }));
    assert!(!opened.index.is_damaged());
}

#[test]
fn the_devices_survive_a_damaged_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path);
    fs::write(suspicion(&path), "").unwrap();
    let opened = Index::open(&path, NOW).unwrap();
    assert!(matches!(opened.found, Found::Damaged { .. }));
    assert_eq!(opened.index.devices().unwrap(), [laptop()]);
    assert_eq!(opened.index.replica().base_total().unwrap(), 0);
}

#[test]
fn what_is_not_an_index_is_left_alone_or_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(other);
    assert!(matches!(Index::open(&path, NOW), Err(OpenError::Foreign { .. })));
    fs::write(&path, "no database at all, but long enough to be looked at by the library").unwrap();
    assert!(matches!(Index::open(&path, NOW).unwrap().found, Found::Damaged { .. }));
    let missing = folder.path().join("no folder").join("index.sqlite");
    assert!(Index::open(&missing, NOW).is_err());
}

#[test]
fn a_newer_index_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let index = open(&path);
    index.0.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(index);
    let before = fs::read(&path).unwrap();
    assert!(matches!(Index::open(&path, NOW), Err(OpenError::Newer { found: 99, .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_journal_cut_anywhere_gives_a_state_that_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let index = open(&path);
    drop(index.hub(|_| false).unwrap());
    let index = reopen(index);
    // The main file stays as it is: everything that follows is in the journal.
    index.0.connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let mut replica = index.replica();
    for group in 0..20_u32 {
        replica.begin().unwrap();
        for number in 0..20 {
            replica.put_item(uid(group * 20 + number), &settled(1, &href(number), &letter(group))).unwrap();
        }
        replica
            .put_folder(
                folder_uid(9),
                &FolderRecord {
                    direction: [Direction::Both, Direction::Off].get(group as usize % 2).copied(),
                    ..FolderRecord::default()
                },
            )
            .unwrap();
        replica.commit().unwrap();
    }
    let main = fs::read(&path).unwrap();
    let wal = fs::read(folder.path().join("index.sqlite-wal")).unwrap();
    drop((index, replica));
    assert!(wal.len() > 150_000, "{}", wal.len());

    let cuts = 150;
    let mut seen = BTreeSet::new();
    for cut in 0..=cuts {
        for is_flipped in [false, true] {
            let mut wal = wal[..wal.len() * cut / cuts].to_vec();
            if is_flipped {
                let at = wal.len().saturating_sub(2000);
                wal[at..].iter_mut().for_each(|byte| *byte ^= 0x40);
            }
            fs::write(&path, &main).unwrap();
            fs::write(folder.path().join("index.sqlite-wal"), &wal).unwrap();
            let opened = Index::open(&path, NOW).unwrap();
            assert_eq!(opened.found, Found::Sound, "cut {cut}");
            let replica = opened.index.replica();
            let total = replica.base_total().unwrap();
            assert_eq!(total % 20, 0, "a group is there as a whole");
            let items = (0..400).filter(|number| replica.item(uid(*number)).unwrap().is_some()).count();
            assert_eq!(items as u64, total);
            assert!(
                (0..total as u32).all(|number| replica.item(uid(number)).unwrap().is_some()),
                "and none before it is missing"
            );
            let expected = total.checked_div(20).and_then(|groups| groups.checked_sub(1));
            let direction = replica.folder(folder_uid(9)).unwrap().and_then(|folder| folder.direction);
            assert_eq!(direction, expected.map(|last| [Direction::Both, Direction::Off][last as usize % 2]));
            seen.insert(total);
        }
    }
    assert!(seen.len() > 15 && seen.contains(&400), "{seen:?}");
}

#[test]
fn a_copy_is_whole_and_due_weekly() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let copy = Index::copy_of(&path_in(&folder));
    assert!(!index.is_copy_due(NOW).unwrap() && !index.is_copy_due(NOW + 86_399).unwrap());
    assert!(index.is_copy_due(NOW + 86_400).unwrap());
    index.replica().put_item(item_uid(1), &settled(1, "a", &mail(1, "a"))).unwrap();
    index.copy(NOW).unwrap();
    assert!(!index.is_copy_due(NOW + 6 * 86_400).unwrap());
    assert!(index.is_copy_due(NOW + 7 * 86_400).unwrap());
    index.replica().put_item(item_uid(2), &settled(2, "b", &mail(1, "b"))).unwrap();
    index.copy(NOW).unwrap();
    let copied = Index::open(&copy, NOW).unwrap();
    assert_eq!(copied.found, Found::Sound);
    assert_eq!(copied.index.replica().base_total().unwrap(), 2);
}

#[test]
fn a_full_disk_leaves_the_index_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path);
    let index = open(&path);
    let pages: i64 = index.0.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    index.0.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let mut replica = index.replica();
    replica.begin().unwrap();
    let failed = (2000..9000)
        .try_for_each(|number| replica.put_item(uid(number), &settled(number.into(), &href(number), &letter(number))));
    assert!(failed.unwrap_err().reason.contains("full"));
    replica.rollback().unwrap();
    assert!(!index.is_damaged());
    assert_eq!(replica.base_total().unwrap(), 2000);
    drop(replica);
    let index = reopen(index);
    assert_eq!((0..9000).filter(|n| index.replica().item(uid(*n)).unwrap().is_some()).count(), 2000);
}

// Sizes and speed. Nothing is asserted about time: machines swing.

/// Random like a real uid, and always the same one.
fn uid(number: u32) -> ItemUid {
    let hash = blake3::hash(&number.to_le_bytes());
    ItemUid::from_slice(&hash.as_bytes()[..16]).unwrap()
}

/// As a delivery agent names files.
fn href(number: u32) -> String {
    format!("mail/.Archive/cur/{}.M{}P2711.office:2,S", 1_700_000_000 + number, number * 7919 % 1_000_000)
}

fn letter(number: u32) -> sync::model::ItemState {
    let name = href(number).rsplit('/').next().unwrap().trim_end_matches(":2,S").to_owned();
    let text = number.to_string();
    sync::model::ItemState { name, ..mail(number % 10, &text) }
}

fn file_len(index: &Index) -> u64 {
    index.0.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    fs::metadata(&index.0.path).unwrap().len()
}

fn rate(count: u32, began: Instant) -> u64 {
    (f64::from(count) / began.elapsed().as_secs_f64()) as u64
}

fn put_all(replica: &mut ReplicaView, count: u32, record: impl Fn(u32) -> ItemRecord) {
    for group in 0..count.div_ceil(1000) {
        replica.begin().unwrap();
        for number in group * 1000..count.min((group + 1) * 1000) {
            replica.put_item(uid(number), &record(number)).unwrap();
        }
        replica.commit().unwrap();
    }
}

fn measured(count: u32) {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    let mut replica = index.replica();
    let with_rev = |mut record: ItemRecord| {
        let local = record.local.as_mut().unwrap();
        (local.rev, local.file_id) = (vec![7; 8], Some(9_000_000));
        record
    };
    let done = |number: u32| with_rev(settled(number.into(), &href(number), &letter(number)));
    let found = |number: u32| ItemRecord { base: None, ..done(number) };

    let began = Instant::now();
    put_all(&mut replica, count, found);
    println!("{count} new mails found: {}/s", rate(count, began));
    let began = Instant::now();
    put_all(&mut replica, count, done);
    println!("{count} mails agreed on: {}/s", rate(count, began));
    println!("{} bytes per mail", file_len(&index) / u64::from(count));

    let began = Instant::now();
    let folders = (0..10).map(folder_uid);
    let listed: usize = folders.map(|folder: FolderUid| replica.local_items(folder).unwrap().len()).sum();
    assert_eq!(listed as u32, count);
    println!("{count} listed: {}/s", rate(count, began));
    let began = Instant::now();
    assert!((0..count).all(|number| replica.item_by_href(&href(number)).unwrap().is_some()));
    println!("{count} found by href: {}/s", rate(count, began));

    let without_hub = file_len(&index);
    let mut hub = index.hub(|_| false).unwrap();
    let began = Instant::now();
    for group in 0..count.div_ceil(1000) {
        hub.begin().unwrap();
        for number in group * 1000..count.min((group + 1) * 1000) {
            let body = RowBody::Item(letter(number));
            hub.put_row(&LogRow { seq: Seq(u64::from(number) + 1), subject: Subject::Item(uid(number)), body })
                .unwrap();
        }
        hub.commit().unwrap();
    }
    println!("{count} rows logged: {}/s", rate(count, began));
    println!("{} bytes more per mail on a server", (file_len(&index) - without_hub) / u64::from(count));
    let began = Instant::now();
    let (mut after, mut read) = (Seq(0), 0);
    while let page @ [.., last] = &hub.rows_after(after, 1024).unwrap()[..] {
        (after, read) = (last.seq, read + page.len() as u32);
    }
    assert_eq!(read, count);
    println!("{count} rows read: {}/s", rate(count, began));
    let began = Instant::now();
    assert_eq!(hub.live_total().unwrap(), u64::from(count));
    assert_eq!(replica.base_count(folder_uid(3)).unwrap(), u64::from(count / 10));
    assert!(replica.dirty_items(None, 100).unwrap().is_empty() && replica.folders_to_pair().unwrap().is_empty());
    // Whatever is asked all the time must not grow with the number of items.
    assert!(began.elapsed() < Duration::from_millis(200));
}

#[test]
fn a_mail_costs_few_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let index = open(&path_in(&folder));
    put_all(&mut index.replica(), 5000, |number| settled(number.into(), &href(number), &letter(number)));
    let whole = file_len(&index) / 5000;
    let different = |number: u32| {
        let record = settled(u64::from(number), &href(number), &letter(number));
        let base = record.base.map(|base| Base { stored: letter(number + 1), ..base });
        ItemRecord { base, ..record }
    };
    put_all(&mut index.replica(), 5000, different);
    println!("{whole} bytes per mail");
    assert!(whole < 300, "{whole}");
    assert!(file_len(&index) / 5000 > whole + 60, "three equal states are written once");
}

#[test]
fn sizes_and_rates_are_printed() {
    // `cargo test --release -p app rates -- --ignored --nocapture` prints those that count.
    measured(2000);
}

#[test]
#[ignore = "prints figures of a large index; takes long without optimization"]
fn rates_of_a_large_index() {
    measured(100_000);
}
