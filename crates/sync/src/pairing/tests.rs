use super::*;
use pim::{CanonHash, Format, NativeHash};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn uid(number: u8) -> ItemUid {
    ItemUid([number; 16])
}

fn key(number: u8) -> PairingKey {
    PairingKey([number; 16])
}

fn version(content: u8) -> Version {
    let (canon, native) = (CanonHash([content; 32]), NativeHash([content; 32]));
    Version { canon, rule: 1, native, format: Format::ICalendar, size: 100 }
}

/// An event that only its content tells anything about.
fn event(number: u8, content: u8) -> Candidate {
    Candidate { uid: uid(number), kind: Kind::Event, version: version(content), identity: None, lookalikes: Vec::new() }
}

fn with_identity(number: u8, content: u8, identity: u8) -> Candidate {
    Candidate { identity: Some(key(identity)), ..event(number, content) }
}

fn with_lookalikes(number: u8, content: u8, lookalikes: &[u8]) -> Candidate {
    Candidate { lookalikes: lookalikes.iter().map(|byte| key(*byte)).collect(), ..event(number, content) }
}

fn message(number: u8, content: u8, identity: u8) -> Candidate {
    Candidate { kind: Kind::Message, ..with_identity(number, content, identity) }
}

fn pairing(pairs: &[(u8, u8, How)], uncertain: &[(u8, u8)]) -> Pairing {
    Pairing {
        pairs: pairs
            .iter()
            .map(|(local, remote, how)| Pair { local: uid(*local), remote: uid(*remote), how: *how })
            .collect(),
        uncertain: uncertain.iter().map(|(local, remote)| (uid(*local), uid(*remote))).collect(),
    }
}

use How::{SameContent, SameIdentity, Stamp};

#[test]
fn items_with_nothing_in_common_are_new_on_either_side() {
    assert_eq!(pair(&[event(1, 1)], &[event(11, 2)]), Pairing::default());
    assert_eq!(pair(&[], &[]), Pairing::default());
}

#[test]
fn the_uid_of_this_hub_decides_before_content_does() {
    let locals = [event(1, 7), event(2, 8)];
    let remotes = [event(1, 8), event(11, 7)];
    // 2 has the content of 1 there, but 1 says itself which item it is.
    assert_eq!(pair(&locals, &remotes), pairing(&[(1, 1, Stamp)], &[]));
}

#[test]
fn equal_meaning_pairs_whatever_the_bytes() {
    let other_bytes = Version { native: NativeHash([99; 32]), ..version(7) };
    let remote = Candidate { version: other_bytes, ..event(11, 7) };
    assert_eq!(pair(&[event(1, 7)], &[remote]), pairing(&[(1, 11, SameContent)], &[]));
}

#[test]
fn hashes_made_by_different_rules_are_not_compared_but_equal_bytes_are() {
    let by_rule_2 = |native: u8| Version { rule: 2, native: NativeHash([native; 32]), ..version(7) };
    let remotes = |native| [Candidate { version: by_rule_2(native), ..event(11, 7) }];
    assert_eq!(pair(&[event(1, 7)], &remotes(99)), Pairing::default());
    assert_eq!(pair(&[event(1, 7)], &remotes(7)), pairing(&[(1, 11, SameContent)], &[]));
}

#[test]
fn two_equal_here_and_three_equal_there_are_two_pairs_and_one_new() {
    let locals = [event(1, 7), event(2, 7)];
    let remotes = [event(13, 7), event(12, 7), event(11, 7)];
    assert_eq!(pair(&locals, &remotes), pairing(&[(1, 11, SameContent), (2, 12, SameContent)], &[]));
}

#[test]
fn a_mail_that_came_on_two_ways_is_one_mail() {
    assert_eq!(pair(&[message(1, 7, 5)], &[message(11, 8, 5)]), pairing(&[(1, 11, SameIdentity)], &[]));
}

#[test]
fn of_several_items_with_one_identity_equal_ones_pair_first_and_then_the_only_two_left() {
    let locals = [with_identity(1, 7, 5), with_identity(2, 8, 5)];
    let remotes = [with_identity(11, 9, 5), with_identity(12, 7, 5)];
    assert_eq!(pair(&locals, &remotes), pairing(&[(1, 12, SameContent), (2, 11, SameIdentity)], &[]));
}

#[test]
fn several_changed_items_with_one_identity_are_for_a_person_to_tell_apart() {
    let locals = [with_identity(1, 7, 5), with_identity(2, 8, 5)];
    assert_eq!(pair(&locals, &[with_identity(11, 9, 5)]), pairing(&[], &[(1, 11)]));
    let remotes = [with_identity(11, 9, 5), with_identity(12, 10, 5)];
    assert_eq!(pair(&locals, &remotes), pairing(&[], &[(1, 11), (2, 12)]));
}

#[test]
fn lookalikes_are_uncertain_and_each_is_shown_once() {
    let locals = [with_lookalikes(1, 1, &[5, 6, 6])];
    let remotes = [with_lookalikes(11, 2, &[5, 6]), with_lookalikes(12, 3, &[6])];
    assert_eq!(pair(&locals, &remotes), pairing(&[], &[(1, 11)]));
}

#[test]
fn a_lookalike_key_that_only_two_have_says_more_than_one_that_many_share() {
    let locals = [with_lookalikes(1, 1, &[1]), with_lookalikes(2, 2, &[1, 9])];
    let remotes = [with_lookalikes(11, 3, &[1, 9]), with_lookalikes(12, 4, &[1])];
    assert_eq!(pair(&locals, &remotes), pairing(&[], &[(1, 12), (2, 11)]));
}

#[test]
fn a_key_given_twice_by_one_item_is_still_the_key_of_one_item() {
    let locals = [with_lookalikes(1, 1, &[9, 9]), with_lookalikes(2, 2, &[5])];
    let remotes = [with_lookalikes(11, 3, &[5, 9]), with_lookalikes(12, 4, &[5])];
    assert_eq!(pair(&locals, &remotes), pairing(&[], &[(1, 11), (2, 12)]));
}

#[test]
fn kinds_are_never_mixed() {
    let everything_equal = |kind| Candidate { kind, identity: Some(key(5)), lookalikes: vec![key(6)], ..event(1, 7) };
    assert_eq!(pair(&[everything_equal(Kind::Event)], &[everything_equal(Kind::Task)]), Pairing::default());
}

#[test]
fn equal_mails_in_different_folders_are_uncertain() {
    let locals = [message(1, 7, 5), message(2, 8, 6), message(3, 9, 9), event(4, 20)];
    let remotes = [message(12, 18, 6), message(11, 7, 5), message(13, 19, 10), event(14, 20)];
    assert_eq!(across_folders(&locals, &remotes), [(uid(1), uid(11)), (uid(2), uid(12))]);
}

#[test]
fn a_hundred_thousand_items_are_no_trouble() {
    const COUNT: u32 = 100_000;
    // A third is equal, a third has one identity, and all look alike.
    let candidate = |n: u32, side: u8| {
        let mut bytes = [side; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        let mut uid = [side; 16];
        uid[..4].copy_from_slice(&n.to_be_bytes());
        Candidate {
            uid: ItemUid(uid),
            version: if n.is_multiple_of(3) {
                version(7)
            } else {
                Version { canon: CanonHash(bytes), native: NativeHash(bytes), ..version(0) }
            },
            identity: (n % 3 == 1).then_some(key(8)),
            ..with_lookalikes(0, 0, &[1, 2, 3])
        }
    };
    let side = |side| (0..COUNT).map(|n| candidate(n, side)).collect::<Vec<_>>();
    let found = pair(&side(1), &side(2));
    assert_eq!(found.pairs.len() as u32, COUNT.div_ceil(3));
    assert_eq!(found.pairs.len() + found.uncertain.len(), COUNT as usize);
}

/// Items of few uids, contents and keys, so that everything collides. Uids are unique on a side.
fn side() -> impl Strategy<Value = Vec<Candidate>> {
    let keys = || (0..3_u8).prop_map(key);
    let content = (0..4_u8, 0..6_u8, prop_oneof![9 => Just(1_u16), 1 => Just(2)]);
    let kind = prop::sample::select(vec![Kind::Message, Kind::Event]);
    let item = (0..24_u8, kind, content, prop::option::of(keys()), prop::collection::vec(keys(), 0..3));
    let item = item.prop_map(|(number, kind, (canon, native, rule), identity, lookalikes)| Candidate {
        uid: uid(number),
        kind,
        // Equal bytes mean the same, as they do with real hashes.
        version: Version { rule, native: NativeHash([canon + 4 * (native / 3); 32]), ..version(canon) },
        identity,
        lookalikes,
    });
    prop::collection::vec(item, 0..12).prop_map(|items| {
        let by_uid: BTreeMap<ItemUid, Candidate> = items.into_iter().map(|item| (item.uid, item)).collect();
        by_uid.into_values().collect()
    })
}

fn by_uid(items: &[Candidate]) -> BTreeMap<ItemUid, &Candidate> {
    items.iter().map(|item| (item.uid, item)).collect()
}

/// Local and remote items that `found` says nothing of.
fn rest<'a>(locals: &'a [Candidate], remotes: &'a [Candidate], found: &Pairing) -> [Vec<&'a Candidate>; 2] {
    let pairs = found.pairs.iter().map(|pair| (pair.local, pair.remote));
    let (used_here, used_there): (BTreeSet<_>, BTreeSet<_>) = pairs.chain(found.uncertain.iter().copied()).unzip();
    let left = |items: &'a [Candidate], used: &BTreeSet<ItemUid>| {
        items.iter().filter(|item| !used.contains(&item.uid)).collect()
    };
    [left(locals, &used_here), left(remotes, &used_there)]
}

fn share_a_key(a: &Candidate, b: &Candidate) -> bool {
    (a.identity.is_some() && a.identity == b.identity) || a.lookalikes.iter().any(|key| b.lookalikes.contains(key))
}

proptest! {
    #[test]
    fn every_item_is_in_one_pair_at_most(locals in side(), remotes in side()) {
        let found = pair(&locals, &remotes);
        let told = found.pairs.len() + found.uncertain.len();
        let [new_here, new_there] = rest(&locals, &remotes, &found);
        prop_assert_eq!(new_here.len() + told, locals.len());
        prop_assert_eq!(new_there.len() + told, remotes.len());
    }

    #[test]
    fn every_pair_has_its_reason(locals in side(), remotes in side()) {
        let (here, there) = (by_uid(&locals), by_uid(&remotes));
        let found = pair(&locals, &remotes);
        for Pair { local, remote, how } in &found.pairs {
            let (local, remote) = (here[local], there[remote]);
            prop_assert_eq!(local.kind, remote.kind);
            let strongest = if local.uid == remote.uid {
                Stamp
            } else if local.version.same_content(&remote.version) {
                SameContent
            } else {
                prop_assert!(local.identity.is_some() && local.identity == remote.identity);
                SameIdentity
            };
            prop_assert_eq!(*how, strongest);
        }
        for (local, remote) in &found.uncertain {
            let (local, remote) = (here[local], there[remote]);
            prop_assert_eq!(local.kind, remote.kind);
            prop_assert!(share_a_key(local, remote) && !local.version.same_content(&remote.version));
        }
    }

    #[test]
    fn what_stays_alone_has_nobody_left_to_pair_with(locals in side(), remotes in side()) {
        let found = pair(&locals, &remotes);
        let [new_here, new_there] = rest(&locals, &remotes, &found);
        for local in new_here {
            for remote in new_there.iter().filter(|remote| remote.kind == local.kind) {
                prop_assert!(local.uid != remote.uid);
                prop_assert!(!local.version.same_content(&remote.version));
                prop_assert!(!share_a_key(local, remote));
            }
        }
    }

    #[test]
    fn the_order_of_items_means_nothing(
        (locals, remotes, locals_shuffled, remotes_shuffled) in (side(), side()).prop_flat_map(|(locals, remotes)| {
            let shuffled = (Just(locals.clone()).prop_shuffle(), Just(remotes.clone()).prop_shuffle());
            (Just(locals), Just(remotes), shuffled.0, shuffled.1)
        }),
    ) {
        prop_assert_eq!(pair(&locals, &remotes), pair(&locals_shuffled, &remotes_shuffled));
        let across = across_folders(&locals, &remotes);
        prop_assert_eq!(across, across_folders(&locals_shuffled, &remotes_shuffled));
    }

    #[test]
    fn either_side_comes_to_the_same_pairs(locals in side(), remotes in side()) {
        let mirrored = |found: Pairing| {
            let pairs: BTreeSet<_> = found.pairs.iter().map(|pair| (pair.remote, pair.local, pair.how)).collect();
            let uncertain: BTreeSet<_> = found.uncertain.iter().map(|(local, remote)| (*remote, *local)).collect();
            (pairs, uncertain)
        };
        let found = pair(&locals, &remotes);
        let pairs: BTreeSet<_> = found.pairs.iter().map(|pair| (pair.local, pair.remote, pair.how)).collect();
        prop_assert_eq!(mirrored(pair(&remotes, &locals)), (pairs, found.uncertain.into_iter().collect()));
    }

    #[test]
    fn only_equal_messages_are_found_across_folders_and_each_once(locals in side(), remotes in side()) {
        let (here, there) = (by_uid(&locals), by_uid(&remotes));
        let found = across_folders(&locals, &remotes);
        let (used_here, used_there): (BTreeSet<_>, BTreeSet<_>) = found.iter().copied().unzip();
        prop_assert_eq!((used_here.len(), used_there.len()), (found.len(), found.len()));
        for (local, remote) in found {
            let (local, remote) = (here[&local], there[&remote]);
            prop_assert!(is_message(local) && is_message(remote));
            let same_identity = local.identity.is_some() && local.identity == remote.identity;
            prop_assert!(local.version.same_content(&remote.version) || same_identity);
        }
    }
}
