//! What every index has to do, as a suite that each implementation runs: the ones in memory here, SQLite in `app`.
//!
//! Only tests run this, so a panic is the message.
//!
//! `make` gives a new, empty index. `reopen` is what a crash and a new start do to one: what wasn't committed is gone.

use crate::{
    guard::{Guard, Guarded},
    index::{
        Base, Direction, EARLIER_MAX, FolderBase, FolderRecord, HeldDeletion, Hold, HubIndex, ItemRecord, Local,
        LocalFolder, Remote, ReplicaIndex, ReplicaRecord,
    },
    model::{
        Conflict, ConflictId, Cursor, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject,
        Tombstone, Version,
    },
};
use pim::{
    CanonHash, FieldHashes, FieldKey, Flag, Flags, FolderKind, FolderUid, Format, ItemUid, Kind, NativeHash,
    PairingKey, SpecialUse,
};
use std::collections::BTreeSet;

/// Runs every replica story.
pub fn replica_index<I: ReplicaIndex>(mut make: impl FnMut() -> I, mut reopen: impl FnMut(I) -> I) {
    an_empty_replica_knows_nothing(make());
    every_part_of_a_record_comes_back(make(), &mut reopen);
    a_record_of_nothing_is_forgotten(make());
    a_rolled_back_group_leaves_no_trace(make(), &mut reopen);
    a_group_inside_a_group_ends_with_the_outer_one(make(), &mut reopen);
    a_crash_keeps_what_was_committed_and_nothing_else(make(), &mut reopen);
    an_item_is_found_by_its_present_href_only(make());
    dirty_items_can_be_settled_while_they_are_paged(make());
    an_item_is_dirty_exactly_while_something_may_be_due(make());
    only_items_of_one_side_and_without_base_are_paired(make());
    items_that_rest_are_listed_with_their_reason(make());
    counts_follow_every_change(make(), &mut reopen);
    forgetting_the_hub_leaves_what_the_store_holds_and_a_person_said(make(), &mut reopen);
    two_folders_become_one(make(), &mut reopen);
    folders_and_conflicts_come_back(make(), &mut reopen);
    the_newest_earlier_contents_of_an_item_are_remembered(make(), &mut reopen);
}

/// Runs every hub story. `hold` and `release` say whether the hub can serve some bytes.
pub fn hub_index<I: HubIndex>(
    mut make: impl FnMut() -> I,
    mut reopen: impl FnMut(I) -> I,
    hold: impl Fn(&mut I, NativeHash),
    release: impl Fn(&mut I, NativeHash),
) {
    a_subject_has_one_row_the_newest(make(), &mut reopen);
    every_kind_of_row_comes_back(make(), &mut reopen);
    rows_are_paged_in_order_while_new_ones_come(make());
    a_rolled_back_row_was_never_there(make(), &mut reopen);
    the_head_is_the_newest_mark(make(), &mut reopen);
    an_item_is_found_by_content_before_identity(make());
    a_folder_is_found_by_its_name_while_it_lives(make());
    live_items_are_counted(make(), &mut reopen);
    replicas_and_held_deletions_come_back(make(), &mut reopen);
    contents_are_held_until_released(make(), hold, release);
}

// What the stories are made of.

/// An item's uid that orders like `number`.
#[must_use]
pub fn item_uid(number: u32) -> ItemUid {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    ItemUid(bytes)
}

/// A folder's uid that orders like `number`.
#[must_use]
pub fn folder_uid(number: u32) -> FolderUid {
    FolderUid(*item_uid(number).as_bytes())
}

/// A mail in folder `folder` whose content is called `content`.
#[must_use]
pub fn mail(folder: u32, content: &str) -> ItemState {
    let hash = |what: &str| *blake3::hash(format!("{what} {content}").as_bytes()).as_bytes();
    ItemState {
        kind: Kind::Message,
        folder: folder_uid(folder),
        version: Version {
            canon: CanonHash(hash("canon")),
            rule: 1,
            native: NativeHash(hash("native")),
            format: Format::Rfc5322,
            size: 1000 + content.len() as u64,
        },
        flags: Flags::default(),
        name: content.to_owned(),
        identity: PairingKey::from_slice(&hash("identity")[..16]),
        lookalikes: Vec::new(),
    }
}

/// An event with everything an item can have, in folder `folder`.
#[must_use]
pub fn event(folder: u32, content: &str) -> ItemState {
    let plain = mail(folder, content);
    ItemState {
        kind: Kind::Event,
        version: Version { format: Format::ICalendar, rule: 7, size: u64::MAX >> 1, ..plain.version },
        flags: Flags(BTreeSet::from([Flag::Seen, Flag::Keyword("Straße".into())])),
        lookalikes: vec![PairingKey([1; 16]), PairingKey([2; 16])],
        ..plain
    }
}

/// The store holds `state` at `href`.
#[must_use]
pub fn local(href: &str, state: ItemState) -> Local {
    Local { href: href.to_owned(), rev: b"rev".to_vec(), file_id: None, object_uid: None, state, fields: None }
}

/// Both sides agreed on `state` at row `seq`.
#[must_use]
pub fn base(seq: u64, state: ItemState) -> Base {
    Base { seq: Seq(seq), stored: state.clone(), state, fields: None }
}

/// An item both sides agree on.
#[must_use]
pub fn settled(seq: u64, href: &str, state: &ItemState) -> ItemRecord {
    ItemRecord {
        base: Some(base(seq, state.clone())),
        local: Some(local(href, state.clone())),
        ..ItemRecord::default()
    }
}

fn only_local(href: &str, state: ItemState) -> ItemRecord {
    ItemRecord { local: Some(local(href, state)), ..ItemRecord::default() }
}

fn only_remote(seq: u64, state: ItemState) -> ItemRecord {
    ItemRecord { remote: Some(Remote::Live { seq: Seq(seq), state }), ..ItemRecord::default() }
}

fn tombstone(folder: u32) -> Tombstone {
    Tombstone {
        folder: folder_uid(folder),
        canon: CanonHash([3; 32]),
        identity: Some(PairingKey([4; 16])),
        at: 1_700_000_000,
        approved: true,
    }
}

fn field_hashes(values: &[u64]) -> FieldHashes {
    let key = |value: &u64| FieldKey::Value { name: "EMAIL".to_owned(), key: *value };
    FieldHashes(values.iter().map(|value| (key(value), u64::MAX - value)).collect())
}

fn guard() -> Guard {
    let mut guard = Guard::default();
    guard.admit(1_700_000_000, &[folder_uid(1); 3], &|_| 100, 1000);
    guard
}

fn folder(name: &str, parent: Option<u32>) -> FolderState {
    FolderState {
        kind: FolderKind::Mail,
        parent: parent.map(folder_uid),
        name: name.to_owned(),
        special_use: Some(SpecialUse::Archive),
    }
}

fn folder_base(seq: u64, state: FolderState) -> FolderBase {
    let stored = FolderState { name: format!("{}_", state.name), ..state.clone() };
    FolderBase { seq: Seq(seq), state, stored }
}

fn conflict(item: u32, content: &str) -> (ConflictId, Conflict) {
    let loser = event(1, content);
    let id = ConflictId::of(item_uid(item), &loser.version);
    let fields = vec!["SUMMARY".to_owned(), "LOCATION".to_owned()];
    (id, Conflict { item: item_uid(item), loser, fields, made_by: ReplicaId([9; 16]), at: 77 })
}

const fn item_row(seq: u64, uid: ItemUid, state: ItemState) -> Row {
    Row { seq: Seq(seq), subject: Subject::Item(uid), body: RowBody::Item(state) }
}

// Stories of a replica.

fn an_empty_replica_knows_nothing<I: ReplicaIndex>(home: I) {
    assert_eq!(home.cursor().unwrap(), None);
    assert_eq!(home.stamp().unwrap(), None);
    assert_eq!(home.item(item_uid(1)).unwrap(), None);
    assert_eq!(home.item_by_href("a").unwrap(), None);
    assert_eq!(home.folder(folder_uid(1)).unwrap(), None);
    assert!(home.dirty_items(None, 10).unwrap().is_empty());
    assert!(home.folders().unwrap().is_empty());
    assert!(home.conflicts().unwrap().is_empty());
    assert_eq!(home.base_total().unwrap(), 0);
    assert_eq!(home.replica().unwrap(), home.replica().unwrap(), "a life has one name");
}

fn every_part_of_a_record_comes_back<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    let at = |href: &str, state| Local {
        rev: vec![0, 255, 7],
        file_id: Some(u64::MAX),
        object_uid: Some(PairingKey([5; 16])),
        fields: Some(field_hashes(&[1, 2])),
        ..local(href, state)
    };
    let named = |name: &str| ItemState { name: name.to_owned(), ..mail(2, "letter") };
    let records = [
        settled(1, "cur/letter", &mail(1, "letter")),
        settled(2, "letter", &mail(1, "letter")),
        settled(3, "mail/cur/letter:2,S", &mail(1, "letter")),
        settled(4, "cur/", &mail(1, "")),
        settled(5, "a/b/ä", &named("ä")),
        settled(6, "a/b/äx", &named("ä")),
        settled(7, "a/b/c", &named("a/b/c")),
        settled(8, "", &named("no href")),
        ItemRecord {
            base: Some(Base {
                seq: Seq(u64::MAX >> 1),
                state: event(1, "hub"),
                stored: event(2, "stored"),
                fields: Some(field_hashes(&[3])),
            }),
            local: Some(at("cal/1.ics", event(3, "here"))),
            remote: Some(Remote::Live { seq: Seq(12), state: event(4, "there") }),
            hold: Some(Hold::Refused("too-large".into())),
        },
        ItemRecord {
            base: Some(Base { fields: Some(field_hashes(&[1, 2])), ..base(9, event(1, "same")) }),
            local: Some(at("cal/2.ics", event(1, "same"))),
            remote: Some(Remote::Gone { seq: Seq(13), tombstone: tombstone(1) }),
            hold: Some(Hold::Approved),
        },
        ItemRecord { base: Some(base(10, mail(1, "gone here"))), ..ItemRecord::default() },
        only_local("new", mail(1, "new here")),
        only_remote(14, mail(5, "new there")),
        ItemRecord {
            remote: Some(Remote::Gone { seq: Seq(15), tombstone: Tombstone { identity: None, ..tombstone(9) } }),
            hold: Some(Hold::DeletedElsewhere),
            ..ItemRecord::default()
        },
        ItemRecord {
            base: Some(base(16, mail(1, "moved"))),
            local: Some(local("x/moved", mail(2, "moved"))),
            remote: Some(Remote::Live { seq: Seq(17), state: mail(3, "moved") }),
            hold: None,
        },
    ];
    let is_as_put = |home: &I| {
        for (number, record) in records.iter().enumerate() {
            assert_eq!(home.item(item_uid(number as u32)).unwrap().as_ref(), Some(record), "record {number}");
        }
    };
    home.begin().unwrap();
    for (number, record) in records.iter().enumerate() {
        home.put_item(item_uid(number as u32), record).unwrap();
    }
    is_as_put(&home);
    home.commit().unwrap();
    let mut home = reopen(home);
    is_as_put(&home);

    // Any record can take any other's place.
    for (number, record) in records.iter().enumerate() {
        for other in &records {
            home.begin().unwrap();
            home.put_item(item_uid(number as u32), other).unwrap();
            assert_eq!(home.item(item_uid(number as u32)).unwrap().as_ref(), Some(other));
            home.put_item(item_uid(number as u32), record).unwrap();
            home.commit().unwrap();
        }
    }
    is_as_put(&home);
}

fn a_record_of_nothing_is_forgotten<I: ReplicaIndex>(mut home: I) {
    home.put_item(item_uid(1), &only_local("a", mail(1, "a"))).unwrap();
    home.put_item(item_uid(1), &ItemRecord { hold: Some(Hold::Direction), ..ItemRecord::default() }).unwrap();
    assert_eq!(home.item(item_uid(1)).unwrap(), None);
    assert_eq!(home.item_by_href("a").unwrap(), None);
    assert!(home.dirty_items(None, 10).unwrap().is_empty());
    assert!(home.held_items().unwrap().is_empty());

    let chosen = FolderRecord { direction: Some(Direction::Both), ..FolderRecord::default() };
    home.put_folder(folder_uid(1), &chosen).unwrap();
    assert_eq!(home.folder(folder_uid(1)).unwrap(), Some(chosen));
    home.put_folder(folder_uid(1), &FolderRecord::default()).unwrap();
    assert_eq!(home.folder(folder_uid(1)).unwrap(), None);
}

/// Everything a replica index tells, to compare two moments.
type Picture = (
    (ReplicaId, Option<Cursor>, Option<[u8; 16]>, Guard),
    Vec<(ItemUid, ItemRecord)>,
    Vec<(FolderUid, FolderRecord)>,
    Vec<(ConflictId, Conflict)>,
    Vec<ItemUid>,
    Vec<(u64, u64)>,
);

fn picture<I: ReplicaIndex>(home: &I) -> Picture {
    (
        (
            home.replica().unwrap(),
            home.cursor().unwrap(),
            home.stamp().unwrap(),
            home.guard(Guarded::Deletions).unwrap(),
        ),
        (0..50).filter_map(|number| Some((item_uid(number), home.item(item_uid(number)).unwrap()?))).collect(),
        home.folders().unwrap(),
        home.conflicts().unwrap(),
        home.dirty_items(None, 1000).unwrap(),
        (0..5).map(folder_uid).map(|f| (home.base_count(f).unwrap(), home.local_count(f).unwrap())).collect(),
    )
}

/// Some of everything.
fn fill<I: ReplicaIndex>(home: &mut I) {
    home.put_item(item_uid(1), &settled(1, "a", &mail(1, "a"))).unwrap();
    home.put_item(item_uid(2), &settled(2, "b", &mail(2, "b"))).unwrap();
    home.put_item(item_uid(3), &only_local("c", mail(1, "c"))).unwrap();
    let inbox = LocalFolder { id: "inbox".into(), state: folder("Inbox", None) };
    home.put_folder(folder_uid(1), &FolderRecord { local: Some(inbox), ..FolderRecord::default() }).unwrap();
    let (id, conflict) = conflict(1, "lost");
    home.put_conflict(id, Some(&conflict)).unwrap();
    home.set_cursor(Some(cursor(2))).unwrap();
    home.set_stamp([1; 16]).unwrap();
}

/// Something else in every place that [`fill`] filled.
fn change_everything<I: ReplicaIndex>(home: &mut I) {
    home.put_item(item_uid(1), &ItemRecord::default()).unwrap();
    home.put_item(item_uid(2), &settled(9, "a", &mail(3, "b2"))).unwrap();
    home.put_item(item_uid(4), &only_remote(10, mail(4, "d"))).unwrap();
    home.put_folder(folder_uid(1), &FolderRecord::default()).unwrap();
    home.put_folder(folder_uid(2), &FolderRecord { remote: Some((Seq(1), None)), ..FolderRecord::default() }).unwrap();
    home.put_conflict(conflict(1, "lost").0, None).unwrap();
    let (id, other) = conflict(2, "lost too");
    home.put_conflict(id, Some(&other)).unwrap();
    home.merge_folders(folder_uid(3), folder_uid(2)).unwrap();
    home.set_cursor(None).unwrap();
    home.set_stamp([2; 16]).unwrap();
    home.set_replica(ReplicaId([7; 16])).unwrap();
    home.set_guard(Guarded::Deletions, &guard()).unwrap();
}

const fn cursor(seq: u64) -> Cursor {
    Cursor { epoch: Epoch([6; 16]), seq: Seq(seq), mark: LogMark { seq: Seq(seq), hash: [8; 16] } }
}

fn a_rolled_back_group_leaves_no_trace<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    home.begin().unwrap();
    fill(&mut home);
    home.commit().unwrap();
    let before = picture(&home);
    home.begin().unwrap();
    change_everything(&mut home);
    assert_ne!(picture(&home), before, "a group sees its own changes");
    home.rollback().unwrap();
    assert_eq!(picture(&home), before);
    assert_eq!(home.item_by_href("a").unwrap(), Some(item_uid(1)));

    home.begin().unwrap();
    home.forget_hub().unwrap();
    home.rollback().unwrap();
    assert_eq!(picture(&reopen(home)), before);
}

fn a_group_inside_a_group_ends_with_the_outer_one<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    let empty = picture(&home);
    home.begin().unwrap();
    home.begin().unwrap();
    fill(&mut home);
    home.commit().unwrap();
    let filled = picture(&home);
    home.begin().unwrap();
    change_everything(&mut home);
    home.rollback().unwrap();
    assert_eq!(picture(&home), filled, "the inner group alone was taken back");
    home.rollback().unwrap();
    assert_eq!(picture(&home), empty, "with the outer group, what was committed inside it is gone");

    home.begin().unwrap();
    home.begin().unwrap();
    fill(&mut home);
    home.commit().unwrap();
    let mut home = reopen(home);
    assert_eq!(picture(&home), empty, "nothing is durable before the outer group is");

    home.begin().unwrap();
    home.begin().unwrap();
    fill(&mut home);
    home.commit().unwrap();
    home.commit().unwrap();
    assert_eq!(picture(&reopen(home)), filled);
}

fn a_crash_keeps_what_was_committed_and_nothing_else<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    // A change outside a group is a group of its own.
    fill(&mut home);
    let before = picture(&home);
    home.begin().unwrap();
    change_everything(&mut home);
    let mut home = reopen(home);
    assert_eq!(picture(&home), before);

    home.begin().unwrap();
    change_everything(&mut home);
    home.commit().unwrap();
    let after = picture(&home);
    assert_eq!(picture(&reopen(home)), after);
}

fn an_item_is_found_by_its_present_href_only<I: ReplicaIndex>(mut home: I) {
    home.put_item(item_uid(2), &settled(1, "inbox/cur/a:2,", &mail(1, "a"))).unwrap();
    assert_eq!(home.item_by_href("inbox/cur/a:2,").unwrap(), Some(item_uid(2)));
    assert_eq!(home.item_by_href("inbox/cur/a").unwrap(), None);
    assert_eq!(home.item_by_href("cur/a:2,").unwrap(), None);
    assert_eq!(home.item_by_href("a:2,").unwrap(), None);

    home.put_item(item_uid(2), &settled(1, "inbox/cur/a:2,S", &mail(1, "a"))).unwrap();
    assert_eq!(home.item_by_href("inbox/cur/a:2,").unwrap(), None);
    assert_eq!(home.item_by_href("inbox/cur/a:2,S").unwrap(), Some(item_uid(2)));

    // Two renames cross: for a moment both items have one name.
    home.put_item(item_uid(1), &settled(2, "inbox/cur/a:2,S", &mail(1, "b"))).unwrap();
    assert_eq!(home.item_by_href("inbox/cur/a:2,S").unwrap(), Some(item_uid(1)));
    home.put_item(item_uid(1), &ItemRecord { base: Some(base(2, mail(1, "b"))), ..ItemRecord::default() }).unwrap();
    assert_eq!(home.item_by_href("inbox/cur/a:2,S").unwrap(), Some(item_uid(2)));
}

fn dirty_items_can_be_settled_while_they_are_paged<I: ReplicaIndex>(mut home: I) {
    home.begin().unwrap();
    for number in 0..25 {
        home.put_item(item_uid(number), &only_local(&number.to_string(), mail(1, "x"))).unwrap();
    }
    home.commit().unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = home.dirty_items(after, 4).unwrap();
        let Some(last) = page.last().copied() else { break };
        assert!(page.len() <= 4);
        home.begin().unwrap();
        for uid in &page {
            // Every third is settled, every third forgotten, the others stay dirty.
            match seen.len() % 3 {
                0 => home.put_item(*uid, &settled(1, "x", &mail(1, "x"))).unwrap(),
                1 => home.put_item(*uid, &ItemRecord::default()).unwrap(),
                _ => {}
            }
            seen.push(*uid);
        }
        home.commit().unwrap();
        after = Some(last);
    }
    assert_eq!(seen, (0..25).map(item_uid).collect::<Vec<_>>());
    assert_eq!(home.dirty_items(None, 100).unwrap(), (0..25).skip(2).step_by(3).map(item_uid).collect::<Vec<_>>());
    assert_eq!(home.dirty_items(Some(item_uid(5)), 1).unwrap(), [item_uid(8)]);
    assert!(home.dirty_items(None, 0).unwrap().is_empty());
}

fn an_item_is_dirty_exactly_while_something_may_be_due<I: ReplicaIndex>(mut home: I) {
    let a = mail(1, "a");
    let read = ItemState { flags: Flags(BTreeSet::from([Flag::Seen])), ..a.clone() };
    let renamed = ItemState { name: "other".into(), ..a.clone() };
    let rewritten = ItemState { version: Version { native: NativeHash([9; 32]), ..a.version }, ..a.clone() };
    let both = settled(1, "a", &a);
    let with_local = |state: &ItemState| ItemRecord { local: Some(local("a", state.clone())), ..both.clone() };
    let stories = [
        (both.clone(), false),
        (with_local(&renamed), false),
        (with_local(&read), true),
        (with_local(&mail(2, "a")), true),
        (with_local(&mail(1, "b")), true),
        (with_local(&rewritten), true),
        (ItemRecord { local: None, ..both.clone() }, true),
        (ItemRecord { remote: Some(Remote::Live { seq: Seq(2), state: a.clone() }), ..both.clone() }, true),
        // A store that holds less than the hub gave it isn't changed by that.
        (ItemRecord { base: Some(Base { state: mail(1, "richer"), ..base(1, a) }), ..both }, false),
    ];
    for (record, is_dirty) in stories {
        home.put_item(item_uid(1), &record).unwrap();
        assert_eq!(!home.dirty_items(None, 10).unwrap().is_empty(), is_dirty, "{record:?}");
    }
}

fn only_items_of_one_side_and_without_base_are_paired<I: ReplicaIndex>(mut home: I) {
    let here = only_local("here", mail(1, "here"));
    let there = only_remote(1, mail(1, "there"));
    let gone =
        ItemRecord { remote: Some(Remote::Gone { seq: Seq(2), tombstone: tombstone(2) }), ..ItemRecord::default() };
    home.put_item(item_uid(5), &here).unwrap();
    assert!(home.folders_to_pair().unwrap().is_empty());
    home.put_item(item_uid(4), &only_remote(3, mail(4, "elsewhere"))).unwrap();
    assert!(home.folders_to_pair().unwrap().is_empty(), "items of different folders don't meet");
    home.put_item(item_uid(3), &there).unwrap();
    assert_eq!(home.folders_to_pair().unwrap(), [folder_uid(1)]);

    home.put_item(item_uid(6), &gone).unwrap();
    home.put_item(item_uid(7), &only_local("two", mail(2, "two"))).unwrap();
    assert_eq!(home.folders_to_pair().unwrap(), [folder_uid(1), folder_uid(2)], "a tombstone is a word of the hub");
    assert_eq!(home.unpaired_items(folder_uid(2)).unwrap().len(), 2);

    home.put_item(item_uid(1), &settled(4, "agreed", &mail(1, "agreed"))).unwrap();
    let agreed = settled(4, "agreed", &mail(1, "agreed"));
    home.put_item(item_uid(2), &ItemRecord { local: None, ..agreed }).unwrap();
    let paired = ItemRecord { remote: there.remote.clone(), ..only_local("paired", mail(1, "paired")) };
    home.put_item(item_uid(8), &paired).unwrap();
    assert_eq!(home.unpaired_items(folder_uid(1)).unwrap(), [(item_uid(3), there), (item_uid(5), here.clone())]);

    home.put_item(item_uid(3), &ItemRecord::default()).unwrap();
    home.put_item(item_uid(7), &ItemRecord::default()).unwrap();
    assert!(home.folders_to_pair().unwrap().is_empty());
    assert_eq!(home.unpaired_items(folder_uid(1)).unwrap(), [(item_uid(5), here)]);
    assert!(home.unpaired_items(folder_uid(77)).unwrap().is_empty());
}

fn items_that_rest_are_listed_with_their_reason<I: ReplicaIndex>(mut home: I) {
    let held = |hold| ItemRecord { hold: Some(hold), ..only_local("x", mail(1, "x")) };
    home.put_item(item_uid(3), &held(Hold::Refused("name-too-long".into()))).unwrap();
    home.put_item(item_uid(2), &held(Hold::Revive)).unwrap();
    home.put_item(item_uid(1), &held(Hold::Direction)).unwrap();
    home.put_item(item_uid(4), &only_local("y", mail(1, "y"))).unwrap();
    let listed = home.held_items().unwrap();
    assert_eq!(
        listed,
        [(item_uid(1), held(Hold::Direction)), (item_uid(3), held(Hold::Refused("name-too-long".into())))]
    );
    home.put_item(item_uid(3), &only_local("x", mail(1, "x"))).unwrap();
    assert_eq!(home.held_items().unwrap().len(), 1);
}

fn counts_follow_every_change<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    let counts = |home: &I, number| {
        let folder = folder_uid(number);
        (home.base_count(folder).unwrap(), home.local_count(folder).unwrap(), home.local_items(folder).unwrap().len())
    };
    home.begin().unwrap();
    for number in 0..10 {
        home.put_item(item_uid(number), &settled(1, &number.to_string(), &mail(1, "x"))).unwrap();
    }
    home.put_item(item_uid(10), &only_local("new", mail(2, "new"))).unwrap();
    home.put_item(item_uid(11), &only_remote(2, mail(2, "new"))).unwrap();
    home.commit().unwrap();
    assert_eq!((counts(&home, 1), counts(&home, 2)), ((10, 10, 10), (0, 1, 1)));
    assert_eq!(home.base_total().unwrap(), 10);

    home.begin().unwrap();
    home.put_item(item_uid(0), &ItemRecord::default()).unwrap();
    // Moved here, not yet at the hub.
    let moved = ItemRecord { local: Some(local("moved", mail(2, "x"))), ..settled(1, "1", &mail(1, "x")) };
    home.put_item(item_uid(1), &moved).unwrap();
    home.put_item(item_uid(2), &ItemRecord { local: None, ..moved.clone() }).unwrap();
    assert_eq!((counts(&home, 1), counts(&home, 2)), ((9, 7, 7), (0, 2, 2)));
    assert_eq!(home.base_total().unwrap(), 9);
    home.rollback().unwrap();
    assert_eq!((counts(&home, 1), counts(&home, 2)), ((10, 10, 10), (0, 1, 1)));

    home.put_item(item_uid(1), &moved).unwrap();
    let home = reopen(home);
    assert_eq!((counts(&home, 1), counts(&home, 2)), ((10, 9, 9), (0, 2, 2)));
    let uids: Vec<_> = home.local_items(folder_uid(2)).unwrap();
    assert_eq!(uids, [(item_uid(1), moved.local.unwrap()), (item_uid(10), local("new", mail(2, "new")))]);
    assert_eq!(home.base_total().unwrap(), 10);
}

fn forgetting_the_hub_leaves_what_the_store_holds_and_a_person_said<I: ReplicaIndex>(
    mut home: I,
    reopen: &mut impl FnMut(I) -> I,
) {
    let (a, b) = (mail(1, "a"), event(1, "b"));
    home.begin().unwrap();
    fill(&mut home);
    home.put_item(item_uid(1), &settled(1, "a", &a)).unwrap();
    let here = Local { fields: Some(field_hashes(&[1])), ..local("b", b.clone()) };
    let changed = ItemRecord {
        base: Some(base(2, mail(3, "before"))),
        local: Some(here.clone()),
        remote: Some(Remote::Live { seq: Seq(4), state: b }),
        hold: Some(Hold::RemovalWaits),
    };
    home.put_item(item_uid(2), &changed).unwrap();
    home.put_item(item_uid(3), &only_remote(3, mail(2, "c"))).unwrap();
    let revived = ItemRecord { hold: Some(Hold::Revive), ..only_local("d", mail(1, "d")) };
    home.put_item(item_uid(4), &revived).unwrap();
    let chosen = FolderRecord {
        base: Some(folder_base(5, folder("Archive", None))),
        local: Some(LocalFolder { id: "archive".into(), state: folder("Archiv", None) }),
        remote: Some((Seq(6), None)),
        direction: Some(Direction::ToHere),
    };
    home.put_folder(folder_uid(2), &chosen).unwrap();
    let known_by_hub =
        FolderRecord { remote: Some((Seq(7), Some(folder("Other", Some(2))))), ..FolderRecord::default() };
    home.put_folder(folder_uid(3), &known_by_hub).unwrap();
    home.forget_hub().unwrap();
    home.commit().unwrap();

    let home = reopen(home);
    assert_eq!(home.item(item_uid(1)).unwrap(), Some(only_local("a", a)));
    assert_eq!(home.item(item_uid(2)).unwrap(), Some(ItemRecord { local: Some(here), ..ItemRecord::default() }));
    assert_eq!(home.item(item_uid(3)).unwrap(), None);
    assert_eq!(home.item(item_uid(4)).unwrap(), Some(revived));
    assert_eq!(home.dirty_items(None, 10).unwrap(), [1, 2, 4].map(item_uid));
    assert_eq!(home.folder(folder_uid(2)).unwrap(), Some(FolderRecord { base: None, remote: None, ..chosen }));
    assert_eq!(home.folder(folder_uid(3)).unwrap(), None);
    assert!(home.conflicts().unwrap().is_empty());
    assert_eq!((home.base_total().unwrap(), home.base_count(folder_uid(1)).unwrap()), (0, 0));
    assert_eq!(home.local_count(folder_uid(1)).unwrap(), 3);
    assert_eq!(home.cursor().unwrap(), None);
    assert_eq!(home.item_by_href("b").unwrap(), Some(item_uid(2)));
}

fn two_folders_become_one<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    home.begin().unwrap();
    home.put_item(item_uid(1), &settled(1, "a", &mail(1, "a"))).unwrap();
    home.put_item(item_uid(2), &only_local("b", mail(2, "b"))).unwrap();
    home.put_item(item_uid(3), &only_remote(3, mail(1, "c"))).unwrap();
    let gone = |folder| ItemRecord {
        base: Some(base(4, mail(1, "d"))),
        local: Some(local("d", mail(3, "d"))),
        remote: Some(Remote::Gone { seq: Seq(5), tombstone: tombstone(folder) }),
        hold: Some(Hold::RemovalWaits),
    };
    home.put_item(item_uid(4), &gone(1)).unwrap();
    home.merge_folders(folder_uid(1), folder_uid(2)).unwrap();
    home.commit().unwrap();

    let home = reopen(home);
    assert_eq!(home.item(item_uid(1)).unwrap(), Some(settled(1, "a", &mail(2, "a"))));
    assert_eq!(home.item(item_uid(2)).unwrap(), Some(only_local("b", mail(2, "b"))));
    assert_eq!(home.item(item_uid(3)).unwrap(), Some(only_remote(3, mail(2, "c"))));
    assert_eq!(home.item(item_uid(4)).unwrap(), Some(ItemRecord { base: Some(base(4, mail(2, "d"))), ..gone(2) }));
    assert_eq!((home.base_count(folder_uid(1)).unwrap(), home.base_count(folder_uid(2)).unwrap()), (0, 2));
    assert_eq!((home.local_count(folder_uid(1)).unwrap(), home.local_count(folder_uid(2)).unwrap()), (0, 2));
    assert_eq!(home.dirty_items(None, 10).unwrap(), [2, 3, 4].map(item_uid), "being merged isn't a change");
    assert_eq!(home.folders_to_pair().unwrap(), [folder_uid(2)], "now they can meet");
}

fn the_newest_earlier_contents_of_an_item_are_remembered<I: ReplicaIndex>(
    mut home: I,
    reopen: &mut impl FnMut(I) -> I,
) {
    let content = |number: usize| CanonHash(*blake3::hash(&number.to_be_bytes()).as_bytes());
    for number in 0..EARLIER_MAX {
        home.put_earlier(item_uid(1), content(number)).unwrap();
    }
    // Held once more, the first is the newest again.
    home.put_earlier(item_uid(1), content(0)).unwrap();
    home.put_earlier(item_uid(1), content(EARLIER_MAX)).unwrap();
    home.begin().unwrap();
    home.put_earlier(item_uid(2), content(0)).unwrap();
    let home = reopen(home);
    let known = |number| home.was_earlier(item_uid(1), content(number)).unwrap();
    assert!(known(0) && !known(1) && known(2) && known(EARLIER_MAX) && !known(EARLIER_MAX + 1));
    assert!(!home.was_earlier(item_uid(2), content(0)).unwrap(), "it wasn't committed");
}

fn folders_and_conflicts_come_back<I: ReplicaIndex>(mut home: I, reopen: &mut impl FnMut(I) -> I) {
    let plain = FolderState { kind: FolderKind::Notes, special_use: None, ..folder("Notizen", None) };
    let full = FolderRecord {
        base: Some(folder_base(1, folder("Archive", Some(7)))),
        local: Some(LocalFolder { id: ".Archiv/2024".into(), state: folder("Archiv", Some(8)) }),
        remote: Some((Seq(2), Some(plain.clone()))),
        direction: Some(Direction::Off),
    };
    let gone =
        FolderRecord { base: Some(folder_base(3, plain)), remote: Some((Seq(4), None)), ..FolderRecord::default() };
    let inherits = FolderRecord { direction: None, ..full.clone() };
    home.begin().unwrap();
    home.put_folder(folder_uid(3), &full).unwrap();
    home.put_folder(folder_uid(1), &gone).unwrap();
    home.put_folder(folder_uid(2), &inherits).unwrap();
    let (first, second) = (conflict(1, "one"), conflict(1, "two"));
    for (id, conflict) in [&first, &second] {
        home.put_conflict(*id, Some(conflict)).unwrap();
    }
    home.set_guard(Guarded::Reversions, &guard()).unwrap();
    home.commit().unwrap();

    let mut home = reopen(home);
    assert_eq!(home.guard(Guarded::Reversions).unwrap(), guard());
    assert_eq!(
        home.folders().unwrap(),
        [(folder_uid(1), gone), (folder_uid(2), inherits), (folder_uid(3), full.clone())]
    );
    assert_eq!(home.folder(folder_uid(3)).unwrap(), Some(full));
    let mut both = vec![first.clone(), second.clone()];
    both.sort_by_key(|(id, _)| *id);
    assert_eq!(home.conflicts().unwrap(), both);
    home.put_conflict(first.0, None).unwrap();
    assert_eq!(home.conflicts().unwrap(), [second]);
}

// Stories of a hub.

fn a_subject_has_one_row_the_newest<I: HubIndex>(mut hub: I, reopen: &mut impl FnMut(I) -> I) {
    hub.begin().unwrap();
    hub.put_row(&item_row(1, item_uid(1), mail(1, "a"))).unwrap();
    hub.put_row(&item_row(2, item_uid(2), mail(1, "b"))).unwrap();
    let newer = item_row(3, item_uid(1), mail(2, "a"));
    hub.put_row(&newer).unwrap();
    hub.commit().unwrap();
    let hub = reopen(hub);
    assert_eq!(hub.row(newer.subject).unwrap(), Some(newer.clone()));
    assert_eq!(hub.rows_after(Seq(0), 10).unwrap(), [item_row(2, item_uid(2), mail(1, "b")), newer]);
    assert_eq!(hub.row(Subject::Item(item_uid(3))).unwrap(), None);
}

fn every_kind_of_row_comes_back<I: HubIndex>(mut hub: I, reopen: &mut impl FnMut(I) -> I) {
    let (id, conflict) = conflict(1, "lost");
    let (resolved, _) = self::conflict(1, "decided");
    // The same 128 bits name an item, a folder and a conflict: a peer chooses them.
    let bodies = [
        (Subject::Item(item_uid(1)), RowBody::Item(event(1, "a"))),
        (Subject::Folder(folder_uid(1)), RowBody::Folder(folder("Inbox", Some(3)))),
        (Subject::Conflict(ConflictId(*item_uid(1).as_bytes())), RowBody::ConflictResolved),
        (Subject::Item(item_uid(2)), RowBody::ItemGone(tombstone(1))),
        (Subject::Folder(folder_uid(2)), RowBody::FolderGone),
        (Subject::Conflict(id), RowBody::Conflict(conflict)),
        (Subject::Conflict(resolved), RowBody::ConflictResolved),
    ];
    let rows = bodies.into_iter().zip(1..).map(|((subject, body), seq)| Row { seq: Seq(seq), subject, body });
    let rows: Vec<Row> = rows.collect();
    hub.begin().unwrap();
    for row in &rows {
        hub.put_row(row).unwrap();
    }
    hub.commit().unwrap();
    let hub = reopen(hub);
    assert_eq!(hub.rows_after(Seq(0), 100).unwrap(), rows);
    for row in &rows {
        assert_eq!(hub.row(row.subject).unwrap().as_ref(), Some(row));
    }
}

fn rows_are_paged_in_order_while_new_ones_come<I: HubIndex>(mut hub: I) {
    hub.begin().unwrap();
    for number in 0..20 {
        hub.put_row(&item_row(u64::from(number) + 1, item_uid(100 - number), mail(1, "x"))).unwrap();
    }
    hub.commit().unwrap();
    let (mut seen, mut at, mut next) = (Vec::new(), Seq(0), 21);
    loop {
        let page = hub.rows_after(at, 3).unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        at = last.seq;
        seen.extend(page.iter().map(|row| row.seq.0));
        if next <= 24 {
            // A row not yet told is replaced: it is told once, with its new number.
            hub.put_row(&item_row(next, item_uid(100 - 19), mail(2, "x"))).unwrap();
            next += 1;
        }
    }
    assert_eq!(seen, (1..20).chain([24]).collect::<Vec<_>>());
}

fn a_rolled_back_row_was_never_there<I: HubIndex>(mut hub: I, reopen: &mut impl FnMut(I) -> I) {
    let before = item_row(1, item_uid(1), mail(1, "a"));
    hub.put_row(&before).unwrap();
    let (epoch, mark) = hub.head().unwrap();
    hub.begin().unwrap();
    hub.put_row(&item_row(2, item_uid(1), mail(2, "b"))).unwrap();
    hub.put_row(&item_row(3, item_uid(2), mail(1, "c"))).unwrap();
    hub.put_mark(LogMark { seq: Seq(3), hash: [1; 16] }).unwrap();
    hub.set_epoch(Epoch([0xee; 16])).unwrap();
    hub.put_replica(ReplicaId([1; 16]), &ReplicaRecord::default()).unwrap();
    let (by, device) = (ReplicaId([1; 16]), ReplicaId([2; 16]));
    let held = HeldDeletion { item: item_uid(1), folder: folder_uid(1), parent: Seq(1), by, device };
    hub.put_held_deletion(item_uid(1), Some(&held)).unwrap();
    assert_eq!((hub.live_count(folder_uid(1)).unwrap(), hub.live_count(folder_uid(2)).unwrap()), (1, 1));
    hub.rollback().unwrap();
    let is_as_before = |hub: &I| {
        assert_eq!(hub.rows_after(Seq(0), 10).unwrap(), std::slice::from_ref(&before));
        assert_eq!(hub.head().unwrap(), (epoch, mark));
        assert!(hub.replica(ReplicaId([1; 16])).unwrap().is_none());
        assert!(hub.held_deletions().unwrap().is_empty());
        assert_eq!((hub.live_total().unwrap(), hub.live_count(folder_uid(1)).unwrap()), (1, 1));
        let canon = mail(1, "a").version.canon;
        assert_eq!(hub.find_item(folder_uid(1), Seq(0), canon, None).unwrap().as_ref(), Some(&before));
    };
    is_as_before(&hub);

    hub.begin().unwrap();
    hub.put_row(&item_row(2, item_uid(1), mail(2, "b"))).unwrap();
    is_as_before(&reopen(hub));
}

fn the_head_is_the_newest_mark<I: HubIndex>(mut hub: I, reopen: &mut impl FnMut(I) -> I) {
    let mark = |seq| LogMark { seq: Seq(seq), hash: [seq as u8; 16] };
    assert_eq!(hub.head().unwrap().1, LogMark::default());
    assert_eq!(hub.mark_up_to(Seq(99)).unwrap(), LogMark::default());
    hub.begin().unwrap();
    for seq in [10, 20, 30] {
        hub.put_mark(mark(seq)).unwrap();
    }
    hub.set_epoch(Epoch([5; 16])).unwrap();
    hub.commit().unwrap();
    let hub = reopen(hub);
    assert_eq!(hub.head().unwrap(), (Epoch([5; 16]), mark(30)));
    for (seq, expected) in [(9, LogMark::default()), (10, mark(10)), (19, mark(10)), (20, mark(20)), (99, mark(30))] {
        assert_eq!(hub.mark_up_to(Seq(seq)).unwrap(), expected, "up to {seq}");
    }
}

fn an_item_is_found_by_content_before_identity<I: HubIndex>(mut hub: I) {
    let state = mail(1, "a");
    let changed = ItemState { version: mail(1, "changed").version, ..state.clone() };
    let (canon, identity) = (state.version.canon, state.identity);
    let find = |hub: &I, folder, after, canon, identity| {
        hub.find_item(folder_uid(folder), Seq(after), canon, identity).unwrap().map(|row| row.seq.0)
    };
    hub.begin().unwrap();
    hub.put_row(&item_row(1, item_uid(1), changed)).unwrap();
    assert_eq!(find(&hub, 1, 0, canon, identity), Some(1), "by identity");
    hub.put_row(&item_row(2, item_uid(2), state.clone())).unwrap();
    hub.put_row(&item_row(3, item_uid(3), mail(2, "a"))).unwrap();
    hub.put_row(&item_row(4, item_uid(4), ItemState { identity: None, ..mail(1, "nameless") })).unwrap();
    hub.commit().unwrap();
    assert_eq!(find(&hub, 1, 0, canon, identity), Some(2), "by content");
    assert_eq!(find(&hub, 1, 1, canon, None), Some(2));
    assert_eq!(find(&hub, 1, 2, canon, identity), None, "only what came since");
    assert_eq!(find(&hub, 2, 0, canon, None), Some(3), "only in that folder");
    assert_eq!(find(&hub, 3, 0, canon, identity), None);
    assert_eq!(find(&hub, 1, 0, CanonHash([0; 32]), None), None, "no identity isn't an identity");

    // Hashes that begin alike are still different.
    let mut near = canon;
    near.0[31] ^= 1;
    let mut near_identity = identity.unwrap();
    near_identity.0[15] ^= 1;
    assert_eq!(find(&hub, 1, 0, near, Some(near_identity)), None);

    hub.put_row(&Row { seq: Seq(5), subject: Subject::Item(item_uid(2)), body: RowBody::ItemGone(tombstone(1)) })
        .unwrap();
    hub.put_row(&item_row(6, item_uid(1), mail(2, "moved"))).unwrap();
    assert_eq!(find(&hub, 1, 0, canon, identity), None, "the dead and the moved aren't there");
}

fn a_folder_is_found_by_its_name_while_it_lives<I: HubIndex>(mut hub: I) {
    let row = |seq, number, body| Row { seq: Seq(seq), subject: Subject::Folder(folder_uid(number)), body };
    let live = |seq, number, name: &str, parent| row(seq, number, RowBody::Folder(folder(name, parent)));
    hub.begin().unwrap();
    hub.put_row(&live(1, 1, "Work", None)).unwrap();
    hub.put_row(&live(2, 2, "Work", Some(1))).unwrap();
    let notes = FolderState { kind: FolderKind::Notes, ..folder("Work", None) };
    hub.put_row(&row(3, 3, RowBody::Folder(notes))).unwrap();
    hub.commit().unwrap();
    let find =
        |hub: &I, parent: Option<u32>, name| hub.find_folder(parent.map(folder_uid), FolderKind::Mail, name).unwrap();
    assert_eq!(find(&hub, None, "Work"), Some(folder_uid(1)));
    assert_eq!(find(&hub, Some(1), "Work"), Some(folder_uid(2)));
    assert_eq!(hub.find_folder(None, FolderKind::Notes, "Work").unwrap(), Some(folder_uid(3)));
    assert_eq!(find(&hub, None, "work"), None);
    assert_eq!(find(&hub, Some(9), "Work"), None);
    assert!(hub.has_subfolders(folder_uid(1)).unwrap());
    assert!(!hub.has_subfolders(folder_uid(2)).unwrap());

    hub.begin().unwrap();
    hub.put_row(&live(4, 1, "Private", None)).unwrap();
    hub.put_row(&row(5, 2, RowBody::FolderGone)).unwrap();
    hub.commit().unwrap();
    assert_eq!((find(&hub, None, "Work"), find(&hub, None, "Private")), (None, Some(folder_uid(1))));
    assert_eq!(find(&hub, Some(1), "Work"), None);
    assert!(!hub.has_subfolders(folder_uid(1)).unwrap());
}

fn live_items_are_counted<I: HubIndex>(mut hub: I, reopen: &mut impl FnMut(I) -> I) {
    hub.begin().unwrap();
    for number in 0..10 {
        hub.put_row(&item_row(u64::from(number) + 1, item_uid(number), mail(number % 2, "x"))).unwrap();
    }
    hub.put_row(&item_row(11, item_uid(0), mail(1, "moved"))).unwrap();
    hub.put_row(&Row { seq: Seq(12), subject: Subject::Item(item_uid(1)), body: RowBody::ItemGone(tombstone(1)) })
        .unwrap();
    let folder_row = RowBody::Folder(folder("Inbox", None));
    hub.put_row(&Row { seq: Seq(13), subject: Subject::Folder(folder_uid(1)), body: folder_row }).unwrap();
    hub.commit().unwrap();
    let hub = reopen(hub);
    assert_eq!(hub.live_total().unwrap(), 9);
    assert_eq!([0, 1, 2].map(|number| hub.live_count(folder_uid(number)).unwrap()), [4, 5, 0]);
}

fn replicas_and_held_deletions_come_back<I: HubIndex>(mut hub: I, reopen: &mut impl FnMut(I) -> I) {
    let laptop = ReplicaId([1; 16]);
    let record = ReplicaRecord {
        confirmed_stamp: Some([2; 16]),
        offered_stamp: Some([3; 16]),
        guard: guard(),
        may_take_over: true,
        withheld: vec![folder_uid(4), folder_uid(5)],
        to_restore: vec![item_uid(6)],
    };
    let held = |item, parent| HeldDeletion {
        item: item_uid(item),
        folder: folder_uid(1),
        parent: Seq(parent),
        by: laptop,
        device: laptop,
    };
    hub.begin().unwrap();
    hub.put_replica(laptop, &ReplicaRecord::default()).unwrap();
    hub.put_replica(laptop, &record).unwrap();
    for deletion in [held(3, 1), held(1, 2), held(2, 3), held(3, 4)] {
        hub.put_held_deletion(deletion.item, Some(&deletion)).unwrap();
    }
    hub.put_held_deletion(item_uid(2), None).unwrap();
    hub.put_held_deletion(item_uid(9), None).unwrap();
    hub.commit().unwrap();
    let hub = reopen(hub);
    let found = hub.replica(laptop).unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{record:?}"));
    assert!(hub.replica(ReplicaId([9; 16])).unwrap().is_none());
    assert_eq!(hub.held_deletions().unwrap(), [held(1, 2), held(3, 4)]);
}

fn contents_are_held_until_released<I: HubIndex>(
    mut hub: I,
    hold: impl Fn(&mut I, NativeHash),
    release: impl Fn(&mut I, NativeHash),
) {
    let native = mail(1, "a").version.native;
    hub.put_row(&item_row(1, item_uid(1), mail(1, "a"))).unwrap();
    assert!(!hub.holds(native).unwrap(), "knowing a version isn't having its bytes");
    hold(&mut hub, native);
    assert!(hub.holds(native).unwrap());
    assert!(!hub.holds(NativeHash([0; 32])).unwrap());
    release(&mut hub, native);
    assert!(!hub.holds(native).unwrap());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryHub, MemoryReplica};

    #[test]
    fn a_replica_in_memory_keeps_the_contract() {
        replica_index(
            || MemoryReplica::new(ReplicaId([1; 16])),
            |mut replica| {
                replica.crash();
                replica
            },
        );
    }

    #[test]
    fn a_hub_in_memory_keeps_the_contract() {
        hub_index(
            || MemoryHub::new(Epoch([1; 16])),
            |mut hub| {
                hub.crash();
                hub
            },
            MemoryHub::hold,
            MemoryHub::release,
        );
    }
}
