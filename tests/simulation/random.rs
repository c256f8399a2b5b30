//! Random stories.

use pim::FolderKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use sync::index::ReplicaIndex;
use tests::{
    computer::Trouble,
    contents::editable,
    store::Store,
    world::{World, full_store},
};

/// Runs a story for the seeds of the list and for as many others as `SEEDS` or `usual` say.
pub(crate) fn seeds(name: &str, always: &[u64], usual: u64, story: impl Fn(u64)) {
    let count = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let only = std::env::var("SEED").ok().and_then(|text| text.parse::<u64>().ok());
    let all = always.iter().copied().chain(0..count);
    for seed in only.map_or_else(|| all.collect::<Vec<_>>(), |seed| vec![seed]) {
        if let Err(cause) = catch_unwind(AssertUnwindSafe(|| story(seed))) {
            let words = cause
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            panic!("{name}: seed {seed} fails (SEED={seed} runs it alone): {words}");
        }
    }
}

/// A world that is in line everywhere.
pub(crate) fn in_line(computers: usize) -> World {
    let mut stores = vec![full_store()];
    stores.resize(computers, Store::default());
    let mut world = World::new(1, stores);
    world.heal();
    world.check();
    world
}

#[test]
fn a_first_synchronization_makes_everything_the_same() {
    let world = in_line(3);
    assert_eq!(world.live().len(), 53);
}

#[test]
fn whatever_people_do_at_once_nothing_gets_lost_and_all_end_up_the_same() {
    let start = in_line(3);
    seeds("at once", &[67, 120, 618], 600, |seed| {
        let mut world = start.branch(seed);
        for _ in 0..1 + world.chance.below(8) {
            let at = world.chance.below(3);
            world.meddle(at);
        }
        world.heal_and_decide();
        world.check();
    });
}

#[test]
fn no_trouble_on_the_way_makes_a_difference() {
    let start = in_line(3);
    seeds("trouble", &[163, 217, 237], 600, |seed| {
        let mut world = start.branch(seed);
        let often = [0, 20, 60];
        world.trouble = Trouble {
            cut: often[world.chance.below(3)],
            crash: often[world.chance.below(3)],
            meddle: 30,
            clock: often[world.chance.below(3)],
            sweep: often[world.chance.below(3)],
        };
        for _ in 0..world.chance.below(300) {
            if world.chance.once_in(world.trouble.meddle) {
                let at = world.chance.below(3);
                world.meddle(at);
            }
            world.step();
        }
        world.heal_and_decide();
        world.check();
    });
}

#[test]
fn a_store_that_loses_properties_never_spreads_its_loss() {
    let mut stores = vec![full_store()];
    stores.resize(3, Store::default());
    stores[1].is_lossy = true;
    let mut start = World::new(2, stores);
    start.heal();
    start.check();
    seeds("lossy", &[], 150, |seed| {
        let mut world = start.branch(seed);
        let before = world.with_colour();
        for _ in 0..1 + world.chance.below(8) {
            let at = world.chance.below(3);
            world.edit(at);
        }
        world.heal_and_decide();
        world.check();
        assert_eq!(world.with_colour(), before, "a property got lost on the way");
    });
}

#[test]
fn taking_turns_never_conflicts_and_never_brings_deletions_back() {
    let start = in_line(3);
    seeds("turns", &[218], 200, |seed| {
        let mut world = start.branch(seed);
        let often = [0, 20, 60];
        for _ in 0..3 {
            world.now += 700;
            let at = world.chance.below(3);
            let before = world.computers[at].store.items.len();
            for _ in 0..1 + world.chance.below(3) {
                world.meddle(at);
            }
            if world.computers[at].store.items.len() + 15 < before {
                // The guard's stories are told elsewhere.
                return;
            }
            let expected = world.sight(at);
            world.trouble.cut = often[world.chance.below(3)];
            world.trouble.crash = often[world.chance.below(3)];
            for _ in 0..world.chance.below(200) {
                world.step();
            }
            world.heal();
            for other in 0..3 {
                assert_eq!(world.sight(other), expected, "{other} doesn't see what {at} did");
            }
            assert!(world.conflicts().is_empty());
        }
        world.check();
    });
}

#[test]
fn what_is_lost_restored_or_cloned_costs_nothing_but_work() {
    let start = in_line(3);
    seeds("disasters", &[810], 300, |seed| {
        let mut world = start.branch(seed);
        let some = |world: &mut World, most: usize| {
            for _ in 0..world.chance.below(most) {
                let at = world.chance.below(3);
                world.meddle(at);
            }
        };
        some(&mut world, 4);
        for _ in 0..world.chance.below(150) {
            world.step();
        }
        let victim = world.chance.below(3);
        let index = world.computers[victim].index.clone();
        let (hub, blobs) = (world.server.index.clone(), world.server.blobs.clone());
        let own = world.computers[0].index.clone();
        some(&mut world, 6);
        for _ in 0..world.chance.below(300) {
            world.step();
        }
        match world.chance.below(4) {
            0 => world.lose_index(victim),
            1 => world.restore_index(victim, index),
            2 if victim != 0 => world.clone_computer(victim),
            _ => world.restore_hub(hub, blobs, own),
        }
        some(&mut world, 4);
        world.heal_and_decide();
        // A clone that shares a memory is found out when the first of both comes again.
        for at in 0..world.computers.len() {
            world.cut(at);
        }
        world.heal_and_decide();
        world.check();
    });
}

#[test]
fn a_restored_backup_of_a_store_reaches_nobody_before_somebody_decides() {
    let start = in_line(3);
    seeds("backup", &[], 200, |seed| {
        let mut world = start.branch(seed);
        let victim = world.chance.below(3);
        let backup = world.computers[victim].store.clone();
        let is_mail = |store: &Store, href: &str| store.folders[&store.items[href].folder].kind == FolderKind::Mail;
        // Since the backup, everything but mail was edited, here or elsewhere.
        for at in 0..3 {
            for href in world.computers[at].store.items.keys().cloned().collect::<Vec<_>>() {
                let number = usize::from(*href.as_bytes().last().unwrap());
                if number % 3 == at && !is_mail(&world.computers[at].store, &href) {
                    let format = world.computers[at].store.items[&href].format;
                    let field = world.chance.pick(editable(format)).unwrap();
                    world.edit_field(at, &href, field);
                }
            }
        }
        world.heal_and_decide();
        world.now += 700;

        let mut reverted = 0;
        let hrefs: Vec<String> = backup.items.keys().filter(|href| !is_mail(&backup, href)).cloned().collect();
        let most = world.chance.below(hrefs.len() + 1);
        for href in hrefs.into_iter().take(most) {
            let held = backup.items[&href].clone();
            let is_other = world.computers[victim].store.items.get(&href).is_some_and(|now| now.bytes != held.bytes);
            if is_other {
                world.go_back(victim, &href, held.bytes);
                reverted += 1;
            }
        }
        let before = world.live();
        let often = [0, 20, 60];
        world.trouble =
            Trouble { cut: often[world.chance.below(3)], crash: often[world.chance.below(3)], ..world.trouble };
        for _ in 0..world.chance.below(300) {
            world.step();
        }
        world.heal();
        let held = world.computers[victim].index.held_items().unwrap();
        if reverted > 20 {
            assert_eq!(held.len(), reverted, "all of them wait");
            assert_eq!(world.live(), before, "the backup reached the hub");
        } else {
            assert!(held.is_empty(), "{reverted} may go");
        }
        for _ in 0..world.chance.below(4) {
            let at = world.chance.below(3);
            world.meddle(at);
        }
        world.heal_and_decide();
        world.check();
    });
}
