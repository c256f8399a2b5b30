use super::*;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    slice::from_ref,
};

const INBOX: FolderUid = FolderUid([1; 16]);
const ARCHIVE: FolderUid = FolderUid([2; 16]);

fn uid(number: u8) -> ItemUid {
    ItemUid([number; 16])
}

fn known(number: u8, folder: FolderUid, name: &str, content: u8) -> Known {
    Known {
        uid: uid(number),
        folder,
        href: format!("{name}:2,"),
        name: name.to_owned(),
        canon: CanonHash([content; 32]),
        object_uid: None,
        file_id: None,
    }
}

fn seen(folder: FolderUid, name: &str, content: u8) -> Seen {
    Seen {
        folder,
        href: format!("{name}:2,S"),
        name: name.to_owned(),
        uid: None,
        canon: CanonHash([content; 32]),
        object_uid: None,
        file_id: None,
        immutable_content: false,
    }
}

fn identified(matches: &[Match], gone: &[u8]) -> Identified {
    Identified { matches: matches.to_vec(), gone: gone.iter().map(|number| uid(*number)).collect() }
}

use Match::{Moved, New, Same};

#[test]
fn what_appears_out_of_nothing_is_new_and_what_appears_nowhere_is_gone() {
    let found = identify(&[known(1, INBOX, "a", 1)], &[seen(INBOX, "b", 2)]);
    assert_eq!(found, identified(&[New], &[1]));
    assert_eq!(identify(&[], &[]), Identified::default());
}

#[test]
fn a_file_with_another_name_and_the_same_content_was_renamed() {
    let found = identify(&[known(1, INBOX, "a", 1)], &[seen(INBOX, "b", 1)]);
    assert_eq!(found, identified(&[Same(uid(1))], &[]));
}

#[test]
fn a_file_with_the_same_content_in_another_folder_was_moved() {
    let found = identify(&[known(1, INBOX, "a", 1)], &[seen(ARCHIVE, "b", 1)]);
    assert_eq!(found, identified(&[Moved(uid(1))], &[]));
}

#[test]
fn of_two_copies_of_a_moved_file_one_is_new() {
    let found = identify(&[known(1, INBOX, "a", 1)], &[seen(ARCHIVE, "b", 1), seen(ARCHIVE, "a", 1)]);
    assert_eq!(found, identified(&[New, Moved(uid(1))], &[]));
}

#[test]
fn an_event_written_anew_under_another_name_is_the_same_event() {
    let key = Some(PairingKey([7; 16]));
    let before = Known { object_uid: key, ..known(1, INBOX, "a.ics", 1) };
    let after = Seen { object_uid: key, ..seen(INBOX, "b.ics", 2) };
    assert_eq!(identify(from_ref(&before), from_ref(&after)), identified(&[Same(uid(1))], &[]));

    let elsewhere = Seen { folder: ARCHIVE, ..after };
    assert_eq!(identify(&[before], &[elsewhere]), identified(&[New], &[1]));
}

#[test]
fn a_message_is_never_rewritten() {
    let key = Some(PairingKey([7; 16]));
    let before = Known { object_uid: key, ..known(1, INBOX, "a", 1) };
    let same_name = Seen { object_uid: key, immutable_content: true, ..seen(INBOX, "a", 2) };
    assert_eq!(identify(&[before], &[same_name]), identified(&[New], &[1]));
}

#[test]
fn the_uid_an_item_carries_says_which_item_it_is() {
    let before = [known(1, INBOX, "a", 1), known(2, INBOX, "b", 2)];
    let after =
        [Seen { uid: Some(uid(2)), ..seen(INBOX, "c", 1) }, Seen { uid: Some(uid(1)), ..seen(ARCHIVE, "d", 2) }];
    assert_eq!(identify(&before, &after), identified(&[Same(uid(2)), Moved(uid(1))], &[]));
}

#[test]
fn of_two_copies_with_one_uid_the_known_name_keeps_it() {
    let before = [known(1, INBOX, "a", 1)];
    let stamped = |folder, name| Seen { uid: Some(uid(1)), ..seen(folder, name, 1) };
    let found = identify(&before, &[stamped(INBOX, "A copy"), stamped(ARCHIVE, "a")]);
    assert_eq!(found, identified(&[New, Moved(uid(1))], &[]));
    let found = identify(&before, &[stamped(ARCHIVE, "0"), stamped(INBOX, "z")]);
    assert_eq!(found, identified(&[New, Same(uid(1))], &[]));
}

#[test]
fn of_equally_good_places_an_item_is_found_in_the_one_it_was_in() {
    let stamped = |folder| Seen { uid: Some(uid(1)), ..seen(folder, "a", 1) };
    let found = identify(&[known(1, ARCHIVE, "a", 1)], &[stamped(INBOX), stamped(ARCHIVE)]);
    assert_eq!(found, identified(&[New, Same(uid(1))], &[]));

    // Two hard links to one file.
    let linked = |item: Seen| Seen { file_id: Some(10), ..item };
    let before = Known { file_id: Some(10), ..known(1, ARCHIVE, "a", 1) };
    let found = identify(&[before], &[linked(seen(INBOX, "a", 1)), linked(seen(ARCHIVE, "z", 1))]);
    assert_eq!(found, identified(&[New, Same(uid(1))], &[]));
}

#[test]
fn of_two_like_items_the_one_with_the_known_name_is_found() {
    let before = [known(1, INBOX, "a", 1), known(2, INBOX, "b", 1)];
    assert_eq!(identify(&before, &[seen(INBOX, "b", 1)]), identified(&[Same(uid(2))], &[1]));

    let key = Some(PairingKey([7; 16]));
    let before = before.map(|known| Known { object_uid: key, ..known });
    let rewritten = Seen { object_uid: key, ..seen(INBOX, "b", 2) };
    assert_eq!(identify(&before, &[rewritten]), identified(&[Same(uid(2))], &[1]));
}

#[test]
fn a_copy_that_carries_a_uid_is_not_taken_for_another_item_of_equal_content() {
    let copy = Seen { uid: Some(uid(9)), ..seen(INBOX, "b", 1) };
    assert_eq!(identify(&[known(1, INBOX, "a", 1)], &[copy]), identified(&[New], &[1]));
}

#[test]
fn equal_contents_are_told_apart_by_inode_then_folder_then_name() {
    let before =
        [Known { file_id: Some(10), ..known(1, INBOX, "a", 1) }, known(2, INBOX, "b", 1), known(3, ARCHIVE, "c", 1)];
    let after = [seen(INBOX, "c", 1), Seen { file_id: Some(10), ..seen(ARCHIVE, "b", 1) }, seen(ARCHIVE, "x", 1)];
    assert_eq!(identify(&before, &after), identified(&[Same(uid(2)), Moved(uid(1)), Same(uid(3))], &[]));

    let before = [known(1, INBOX, "a", 1), known(2, INBOX, "b", 1), known(3, INBOX, "c", 1)];
    let found = identify(&before, &[seen(ARCHIVE, "b", 1), seen(ARCHIVE, "z", 1)]);
    assert_eq!(found, identified(&[Moved(uid(2)), Moved(uid(1))], &[3]));
}

#[test]
fn a_reused_inode_proves_nothing_without_equal_content() {
    let before = Known { file_id: Some(5), ..known(1, INBOX, "a", 1) };
    let after = Seen { file_id: Some(5), ..seen(INBOX, "b", 2) };
    assert_eq!(identify(&[before], &[after]), identified(&[New], &[1]));
}

#[test]
fn a_hundred_thousand_names_are_no_trouble() {
    const COUNT: u32 = 100_000;
    // Half of them have one content, the worst there is to tell apart; the others are gone here and new there.
    let canon = |number: u32, side: u8| {
        let mut hash = [side; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        CanonHash(if number.is_multiple_of(2) { [9; 32] } else { hash })
    };
    let number = |number: u32| {
        let mut uid = [0; 16];
        uid[..4].copy_from_slice(&number.to_be_bytes());
        ItemUid(uid)
    };
    let before: Vec<_> = (0..COUNT)
        .map(|n| Known { uid: number(n), canon: canon(n, 1), ..known(0, INBOX, &format!("{n:06}"), 0) })
        .collect();
    let after: Vec<_> =
        (0..COUNT).map(|n| Seen { canon: canon(n, 2), ..seen(ARCHIVE, &format!("{n:06}:renamed"), 0) }).collect();
    let found = identify(&before, &after);
    for n in 0..COUNT {
        assert_eq!(found.matches[n as usize], if n % 2 == 0 { Moved(number(n)) } else { New });
    }
    assert_eq!(found.gone.len(), COUNT as usize / 2);
}

/// Few names, contents and uids, so that everything collides.
fn worlds() -> impl Strategy<Value = (Vec<Known>, Vec<Seen>)> {
    let name = || prop::sample::select(vec!["a", "b", "c", "d"]);
    let key = || prop::option::of((0..3_u8).prop_map(|byte| PairingKey([byte; 16])));
    let place = || (prop::sample::select(vec![INBOX, ARCHIVE]), name(), 0..4_u8);
    let known_item = (place(), key(), prop::option::of(0..4_u64));
    let seen_item = (place(), key(), prop::option::of(0..4_u64), prop::option::weighted(0.3, 0..10_u8), any::<bool>());
    let known_items = prop::collection::vec(known_item, 0..10).prop_map(|items| {
        let items = items.into_iter().enumerate();
        let items = items.map(|(n, ((folder, name, content), object_uid, file_id))| Known {
            href: format!("{name}:{n}"),
            object_uid,
            file_id,
            ..known(n as u8, folder, name, content)
        });
        items.collect()
    });
    let seen_items = prop::collection::vec(seen_item, 0..10).prop_map(|items| {
        let items = items.into_iter().enumerate();
        let items = items.map(|(n, ((folder, name, content), object_uid, file_id, stamp, immutable_content))| Seen {
            href: format!("{name}:{n}"),
            uid: stamp.map(uid),
            object_uid,
            file_id,
            immutable_content,
            ..seen(folder, name, content)
        });
        items.collect()
    });
    (known_items, seen_items)
}

fn matched(found: Match) -> Option<ItemUid> {
    match found {
        Same(uid) | Moved(uid) => Some(uid),
        New => None,
    }
}

proptest! {
    #[test]
    fn every_known_item_is_found_once_or_gone((before, after) in worlds()) {
        let found = identify(&before, &after);
        prop_assert_eq!(found.matches.len(), after.len());
        let mut uids: Vec<ItemUid> = found.matches.iter().filter_map(|found| matched(*found)).collect();
        uids.extend(&found.gone);
        uids.sort();
        let expected: Vec<ItemUid> = before.iter().map(|known| known.uid).collect();
        prop_assert_eq!(uids, expected);
    }

    #[test]
    fn every_match_has_a_reason_and_no_reason_is_left_over((before, after) in worlds()) {
        let known: BTreeMap<ItemUid, &Known> = before.iter().map(|known| (known.uid, known)).collect();
        let found = identify(&before, &after);
        let rewritten = |known: &Known, seen: &Seen| {
            !seen.immutable_content
                && known.folder == seen.folder
                && known.object_uid.is_some()
                && known.object_uid == seen.object_uid
        };
        let may_be = |known: &Known, seen: &Seen| match seen.uid {
            Some(uid) => uid == known.uid,
            None => known.canon == seen.canon || rewritten(known, seen),
        };
        for (seen, found) in after.iter().zip(&found.matches) {
            if let Some(uid) = matched(*found) {
                prop_assert!(may_be(known[&uid], seen));
                prop_assert_eq!(*found == Same(uid), known[&uid].folder == seen.folder);
            }
        }
        for gone in &found.gone {
            let new = after.iter().zip(&found.matches).filter(|(_, found)| **found == New);
            for (seen, _) in new {
                prop_assert!(!may_be(known[gone], seen));
            }
        }
    }

    #[test]
    fn the_order_of_a_listing_means_nothing(
        ((before, after), (before_shuffled, after_shuffled)) in worlds().prop_flat_map(|(before, after)| {
            let shuffled = (Just(before.clone()).prop_shuffle(), Just(after.clone()).prop_shuffle());
            (Just((before, after)), shuffled)
        }),
    ) {
        let by_href = |before: &[Known], after: &[Seen]| {
            let found = identify(before, after);
            let names = after.iter().map(|seen| (seen.folder, seen.href.clone()));
            let matches: BTreeSet<_> = names.zip(found.matches).collect();
            (matches, found.gone)
        };
        prop_assert_eq!(by_href(&before, &after), by_href(&before_shuffled, &after_shuffled));
    }
}
