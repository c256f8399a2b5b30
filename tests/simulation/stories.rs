//! Stories with names, told step by step.

use crate::random::{in_line, seeds};
use pim::{Flags, FolderKind, Format};
use sync::{
    hub::Decision,
    index::{Direction, Hold, HubIndex, ReplicaIndex},
    plan::Pairing,
};
use tests::{
    computer::Computer,
    contents,
    store::Store,
    world::{World, full_store},
};

const SERVER: usize = 0;
const HOME: usize = 1;
const LAPTOP: usize = 2;

fn folder_called(computer: &Computer, name: &str) -> String {
    let found = computer.store.folders.iter().find(|(_, folder)| folder.name == name);
    found.map(|(id, _)| id.clone()).unwrap()
}

fn hrefs_in(computer: &Computer, name: &str) -> Vec<String> {
    let folder = folder_called(computer, name);
    computer.store.items.iter().filter(|(_, item)| item.folder == folder).map(|(href, _)| href.clone()).collect()
}

/// The item of a computer whose content has this line.
fn with_line(computer: &Computer, line: &str) -> Option<String> {
    let has = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().any(|other| other == line);
    computer.store.items.iter().find(|(_, item)| has(&item.bytes)).map(|(href, _)| href.clone())
}

#[test]
fn deletions_and_an_offline_edit_end_with_the_edit_in_every_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let start = in_line(3);
    for (seed, order) in orders.into_iter().enumerate() {
        let mut world = start.branch(seed as u64);
        let name = "FN:Person 25";
        for at in 0..3 {
            world.computers[at].is_away = true;
            world.cut(at);
        }
        for at in [SERVER, LAPTOP] {
            let href = with_line(&world.computers[at], name).unwrap();
            world.delete_item(at, &href);
        }
        let href = with_line(&world.computers[HOME], name).unwrap();
        let value = world.edit_field(HOME, &href, "TITLE");
        for at in order {
            world.computers[at].is_away = false;
            world.settle();
        }
        world.heal();
        for computer in &world.computers {
            let line = format!("TITLE:{value}");
            assert!(with_line(computer, &line).is_some(), "{order:?}: {} misses the edit", computer.name);
        }
        world.check();
    }
}

#[test]
fn a_deleted_item_stays_deleted_after_a_cut_link() {
    let mut world = in_line(3).branch(3);
    let href = with_line(&world.computers[HOME], "FN:Person 25").unwrap();
    world.delete_item(HOME, &href);
    for _ in 0..40 {
        world.step();
        world.cut(HOME);
    }
    world.heal();
    assert!(world.computers.iter().all(|computer| with_line(computer, "FN:Person 25").is_none()));
    world.check();
}

#[test]
fn two_full_copies_are_paired_and_what_one_had_twice_stays_twice() {
    let mut twice = full_store();
    let people = folder_called_in(&twice, "People");
    let twin = twice.items[&format!("{people}/n25")].clone();
    twice.put(&people, "copy", twin.format, twin.bytes, Flags::default());
    let mut world = World::new(4, vec![full_store(), twice, Store::default()]);
    world.heal();
    assert_eq!(world.live().len(), 54);
    assert_eq!(world.computers[HOME].store.writes, 0, "nothing is rewritten where all was there");
    world.check();
}

fn folder_called_in(store: &Store, name: &str) -> String {
    store.folders.iter().find(|(_, folder)| folder.name == name).map(|(id, _)| id.clone()).unwrap()
}

#[test]
fn one_mail_fetched_by_two_computers_is_one_mail_and_keeps_both_ways_it_came() {
    let mut stores = vec![full_store(), full_store()];
    for store in &mut stores[1..] {
        let inbox = folder_called_in(store, "Inbox");
        for number in 1..=5 {
            let href = format!("{inbox}/n{number}");
            store.change(&href, Some(contents::mail(number, "laptop")), None, None);
        }
    }
    let mut world = World::new(5, stores);
    world.heal();
    assert_eq!(world.live().len(), 53);
    assert!(world.computers.iter().all(|computer| computer.store.writes == 0));
    assert!(world.conflicts().is_empty());
    world.check();
    // Marks still travel.
    world.mark(HOME);
    world.mark(SERVER);
    world.heal();
    world.check();
}

#[test]
fn a_move_is_a_move_and_moves_no_content() {
    let mut world = in_line(3).branch(6);
    let before = world.live();
    let projects = folder_called(&world.computers[HOME], "Projects");
    let href = hrefs_in(&world.computers[HOME], "Inbox")[0].clone();
    world.computers[HOME].store.rename(&href, &projects, "moved");
    world.traffic = tests::world::Traffic::default();
    world.heal();
    assert_eq!(world.traffic.contents, 0);
    assert_eq!(before.keys().collect::<Vec<_>>(), world.live().keys().collect::<Vec<_>>());
    assert_eq!(hrefs_in(&world.computers[LAPTOP], "Projects").len(), 7);
    world.check();
}

#[test]
fn a_renamed_folder_keeps_its_items_and_moves_no_content() {
    let mut world = in_line(3).branch(7);
    let id = folder_called(&world.computers[HOME], "Projects");
    world.computers[HOME].store.folders.get_mut(&id).unwrap().name = "Plans".into();
    world.traffic = tests::world::Traffic::default();
    world.heal();
    assert_eq!(world.traffic.contents, 0);
    assert_eq!(hrefs_in(&world.computers[LAPTOP], "Plans").len(), 6);
    world.check();
}

#[test]
fn the_same_folder_made_twice_becomes_one() {
    let mut world = in_line(3).branch(8);
    for at in 0..3 {
        let inbox = folder_called(&world.computers[at], "Inbox");
        let folder = world.computers[at].store.make_folder("New", Some(inbox), FolderKind::Mail);
        world.create_in(at, &folder);
    }
    world.heal();
    assert!(world.computers.iter().all(|computer| hrefs_in(computer, "New").len() == 3));
    world.check();
}

#[test]
fn deleting_a_folder_that_still_holds_a_live_item_is_void() {
    let mut world = in_line(3).branch(9);
    world.computers[LAPTOP].is_away = true;
    world.cut(LAPTOP);
    let deep = folder_called(&world.computers[HOME], "Deep");
    world.delete_folder_at(HOME, &deep);
    let there = folder_called(&world.computers[LAPTOP], "Deep");
    world.create_in(LAPTOP, &there);
    world.settle();
    world.heal();
    for computer in &world.computers {
        assert_eq!(hrefs_in(computer, "Deep").len(), 1, "{}", computer.name);
    }
    world.check();
}

/// Deletes 25 of the 53 items on `at`.
fn delete_many(world: &mut World, at: usize) {
    let hrefs: Vec<String> = world.computers[at].store.items.keys().take(25).cloned().collect();
    hrefs.iter().for_each(|href| world.delete_item(at, href));
}

#[test]
fn a_mass_deletion_waits_for_a_person_and_all_else_flows() {
    for (seed, decision) in [(1, Decision::Allow), (2, Decision::Restore), (3, Decision::Allow), (4, Decision::Restore)]
    {
        let mut world = in_line(3).branch(seed);
        delete_many(&mut world, HOME);
        world.heal();
        assert_eq!(world.live().len(), 53, "nothing was deleted at the hub");
        assert_eq!(world.server.index.held_deletions().unwrap().len(), 25);
        let tasks = folder_called(&world.computers[HOME], "Tasks");
        world.create_in(HOME, &tasks);
        world.heal();
        assert_eq!(world.computers[LAPTOP].store.items.len(), 54);
        let is_away = seed > 2;
        if is_away {
            world.computers[HOME].is_away = true;
            world.cut(HOME);
        }
        world.decide_held(decision);
        world.settle();
        world.heal();
        let left = if decision == Decision::Allow { 29 } else { 54 };
        assert!(world.computers.iter().all(|computer| computer.store.items.len() == left));
        world.check();
    }
}

#[test]
fn deletions_that_pass_one_by_one_still_wait_where_they_arrive_together() {
    let mut world = in_line(3).branch(11);
    let hrefs: Vec<String> = world.computers[HOME].store.items.keys().cloned().collect();
    hrefs[..15].iter().for_each(|href| world.delete_item(HOME, href));
    world.computers[LAPTOP].is_away = true;
    world.cut(LAPTOP);
    world.settle();
    let hrefs: Vec<String> = world.computers[SERVER].store.items.keys().cloned().collect();
    hrefs[..15].iter().for_each(|href| world.delete_item(SERVER, href));
    world.settle();
    world.heal();
    let waiting = world.computers[LAPTOP].index.held_items().unwrap();
    assert!(!waiting.is_empty());
    assert!(waiting.iter().all(|(_, record)| record.hold == Some(Hold::RemovalWaits)));
    world.heal_and_decide();
    world.check();
}

fn set_direction(world: &mut World, at: usize, name: &str, direction: Option<Direction>) {
    let id = folder_called(&world.computers[at], name);
    let uid = world.computers[at].folder_uid(&id).unwrap();
    let now = world.now;
    let mut chance = world.chance.clone();
    world.computers[at].turn(now, &mut chance, tests::computer::Trouble::default(), |replica, index| {
        let mut record = index.folder(uid).unwrap().unwrap();
        record.direction = direction;
        index.put_folder(uid, &record).unwrap();
        replica.observed_all();
    });
}

#[test]
fn a_direction_is_kept_and_both_ways_again_makes_all_the_same() {
    for (seed, direction) in [(1, Direction::ToServer), (2, Direction::ToHere), (3, Direction::Off)] {
        let mut world = in_line(2).branch(seed);
        set_direction(&mut world, HOME, "People", Some(direction));
        let here = with_line(&world.computers[HOME], "FN:Person 25").unwrap();
        let mine = world.edit_field(HOME, &here, "TITLE");
        let there = with_line(&world.computers[SERVER], "FN:Person 26").unwrap();
        let theirs = world.edit_field(SERVER, &there, "TITLE");
        world.heal();
        let reaches = |at: usize, value: &str| with_line(&world.computers[at], &format!("TITLE:{value}")).is_some();
        assert_eq!(reaches(SERVER, &mine), direction == Direction::ToServer, "{direction:?}");
        assert_eq!(reaches(HOME, &theirs), direction == Direction::ToHere, "{direction:?}");
        set_direction(&mut world, HOME, "People", None);
        world.heal();
        world.check();
        let all_have = |value: &str| {
            world.computers.iter().all(|computer| with_line(computer, &format!("TITLE:{value}")).is_some())
        };
        assert!(all_have(&theirs) && all_have(&mine), "{direction:?}");
    }
}

#[test]
fn taking_over_one_side_puts_what_only_the_other_has_into_its_trash() {
    for (seed, pairing) in [(1, Pairing::TakeServer), (2, Pairing::TakeClient)] {
        let mut client = full_store();
        let people = folder_called_in(&client, "People");
        client.put(
            &people,
            "only",
            Format::VCard,
            contents::item(FolderKind::Contacts, Format::VCard, 800),
            Flags::default(),
        );
        let mut server = full_store();
        let people = folder_called_in(&server, "People");
        server.put(
            &people,
            "only",
            Format::VCard,
            contents::item(FolderKind::Contacts, Format::VCard, 801),
            Flags::default(),
        );
        let mut world = World::new(seed, vec![server, client]);
        world.computers[HOME].is_away = true;
        world.heal_only(SERVER);
        world.computers[HOME].settings.pairing = pairing;
        world.computers[HOME].start_over();
        if pairing == Pairing::TakeClient {
            world.allow_take_over(HOME);
        }
        world.heal();
        let (kept, gone) = if pairing == Pairing::TakeServer { (801, 800) } else { (800, 801) };
        for computer in &world.computers {
            assert!(with_line(computer, &format!("FN:Person {kept}")).is_some(), "{pairing:?} {}", computer.name);
            assert!(with_line(computer, &format!("FN:Person {gone}")).is_none(), "{pairing:?} {}", computer.name);
        }
        world.check();
    }
}

#[test]
fn a_withheld_folder_stays_out_of_sight_until_it_is_released() {
    let mut world = in_line(2).branch(12);
    let id = folder_called(&world.computers[SERVER], "People");
    let people = world.computers[SERVER].folder_uid(&id).unwrap();
    world.set_withheld(HOME, people, true);
    let href = with_line(&world.computers[SERVER], "FN:Person 25").unwrap();
    let value = world.edit_field(SERVER, &href, "TITLE");
    world.create_in(SERVER, &id);
    world.settle();
    assert!(with_line(&world.computers[HOME], &format!("TITLE:{value}")).is_none());
    assert_eq!(hrefs_in(&world.computers[HOME], "People").len(), 10);
    world.set_withheld(HOME, people, false);
    world.heal();
    assert!(with_line(&world.computers[HOME], &format!("TITLE:{value}")).is_some());
    world.check();
}

#[test]
fn a_hostile_computer_cannot_bring_the_log_out_of_order() {
    let start = in_line(2);
    seeds("hostile", &[], 200, |seed| {
        let mut world = start.branch(seed);
        world.heal();
        let live = world.live().len();
        let people = world.computers[SERVER].folder_uid(&folder_called(&world.computers[SERVER], "People")).unwrap();
        world.attack(people);
        world.check_log();
        let withheld_before: Vec<_> =
            start.live().into_iter().filter(|(_, (_, state))| state.folder == people).map(|(uid, _)| uid).collect();
        let after = world.live();
        for uid in withheld_before {
            assert_eq!(after.get(&uid), start.live().get(&uid), "what is withheld can't be changed");
        }
        let gone = start.live().keys().filter(|uid| !after.contains_key(uid)).count();
        assert!(gone <= 20, "{gone} of {live} deleted in spite of the guard");
    });
}
