use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const INBOX: FolderUid = FolderUid([1; 16]);
const ARCHIVE: FolderUid = FolderUid([2; 16]);
const PLENTY: u64 = 1_000_000;

fn folder(number: usize) -> FolderUid {
    FolderUid([number as u8; 16])
}

/// `count` deletions in a folder of `size` items, in a store so large that its own bound doesn't matter.
fn ask(guard: &mut Guard, now_secs: u64, count: usize, size: u64) -> Vec<bool> {
    guard.admit(now_secs, &vec![INBOX; count], &|_| size, PLENTY)
}

fn all_pass(answers: &[bool]) -> bool {
    answers.iter().all(|may| *may)
}

fn all_held(answers: &[bool]) -> bool {
    answers.iter().all(|may| !may)
}

#[test]
fn a_folder_lets_twenty_or_a_tenth_pass_and_holds_the_whole_batch_beyond() {
    for (size, bound) in
        [(0, 20), (20, 20), (199, 20), (200, 20), (209, 20), (210, 21), (219, 21), (1_000, 100), (1_009, 100)]
    {
        assert!(all_pass(&ask(&mut Guard::new(), 0, bound, size)), "{bound} of {size}");
        let beyond = ask(&mut Guard::new(), 0, bound + 1, size);
        assert!(beyond.len() == bound + 1 && all_held(&beyond), "{bound} + 1 of {size}");
    }
}

#[test]
fn a_store_lets_twenty_or_a_twentieth_pass_and_holds_the_whole_batch_beyond() {
    for (total, bound) in [(0, 20), (399, 20), (400, 20), (419, 20), (420, 21), (2_000, 100), (2_019, 100)] {
        let spread = |count: usize| -> Vec<FolderUid> { (0..count).map(|deletion| folder(deletion / 10)).collect() };
        assert!(all_pass(&Guard::new().admit(0, &spread(bound), &|_| 10, total)), "{bound} of {total}");
        assert!(all_held(&Guard::new().admit(0, &spread(bound + 1), &|_| 10, total)), "{bound} + 1 of {total}");
    }
}

#[test]
fn deletions_one_by_one_meet_the_same_bound_as_at_once() {
    let mut guard = Guard::new();
    for second in 0..20 {
        assert!(all_pass(&ask(&mut guard, second, 1, 150)));
    }
    assert!(all_held(&ask(&mut guard, 20, 1, 150)));
}

#[test]
fn a_folder_that_is_held_does_not_hold_another_one() {
    let batch = [vec![INBOX; 500], vec![ARCHIVE; 20]].concat();
    let answers = Guard::new().admit(0, &batch, &|_| 1_000, PLENTY);
    assert!(all_held(&answers[..500]) && all_pass(&answers[500..]));
}

#[test]
fn a_store_that_loses_folder_after_folder_is_held_from_the_bound_of_all_on() {
    let mut guard = Guard::new();
    assert!(all_held(&guard.admit(0, &vec![INBOX; 500], &|_| 500, 2_000)));
    // Small enough to be lost without a question, were it not part of something larger.
    assert!(all_held(&guard.admit(30, &[ARCHIVE; 15], &|_| 15, 2_000)));
}

#[test]
fn a_deletion_counts_for_at_least_ten_minutes() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 9, 20, 100)));
    assert!(all_held(&ask(&mut guard.clone(), 609, 1, 100)));
    assert!(all_pass(&ask(&mut guard, 610, 20, 100)));
    assert!(all_held(&ask(&mut guard, 611, 1, 100)));
}

#[test]
fn old_deletions_leave_the_window_while_new_ones_stay() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 0, 12, 100)));
    assert!(all_pass(&ask(&mut guard, 300, 8, 100)));
    assert!(all_pass(&ask(&mut guard, 620, 12, 100)));
    assert!(all_held(&ask(&mut guard, 630, 1, 100)));
}

#[test]
fn deleting_bit_by_bit_does_not_lower_the_bounds() {
    let mut guard = Guard::new();
    for deleted in 0..100 {
        let left = 1_000 - deleted;
        assert_eq!(guard.admit(deleted * 5, &[INBOX], &|_| left, 2 * left), [true], "after {deleted}");
    }
    assert_eq!(guard.admit(500, &[INBOX], &|_| 900, 1_800), [false]);
}

#[test]
fn filling_a_folder_does_not_raise_its_bound() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 0, 1, 100)));
    assert!(all_held(&ask(&mut guard, 60, 20, 100_000)));
}

#[test]
fn what_trickles_in_behind_held_deletions_is_held_with_them() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 0, 15, 100)));
    assert!(all_held(&ask(&mut guard, 5, 10, 100)));
    assert!(all_held(&ask(&mut guard, 10, 3, 100)));
}

#[test]
fn after_a_decision_held_deletions_no_longer_count_and_passed_ones_do() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 0, 15, 100)));
    assert!(all_held(&ask(&mut guard, 5, 50, 100)));
    guard.decide(INBOX);
    guard.decide(ARCHIVE);
    assert!(all_pass(&ask(&mut guard, 10, 5, 50)));
    assert!(all_held(&ask(&mut guard, 15, 1, 45)));
}

#[test]
fn a_restart_forgets_nothing() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 1_000, 15, 100)));
    assert!(all_held(&guard.admit(1_100, &[ARCHIVE; 30], &|_| 100, PLENTY)));
    let bytes = postcard::to_allocvec(&guard).unwrap();
    let mut restarted: Guard = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(restarted, guard);
    assert!(all_held(&ask(&mut restarted, 1_200, 6, 85)));
}

#[test]
fn a_clock_set_back_keeps_what_was_counted_for_ten_more_minutes() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 1_000_000, 20, 100)));
    assert!(all_held(&ask(&mut guard, 5, 1, 100)));
    assert!(all_held(&ask(&mut guard, 605, 1, 100)));
    assert!(all_pass(&ask(&mut guard, 610, 1, 100)));
}

#[test]
fn a_clock_corrected_back_and_forth_stands_still_meanwhile() {
    let mut guard = Guard::new();
    assert!(all_pass(&ask(&mut guard, 1_000_000, 10, 100)));
    assert!(all_pass(&ask(&mut guard, 999_500, 10, 100)));
    assert!(all_held(&ask(&mut guard, 1_000_600, 1, 100)));
    assert!(all_pass(&ask(&mut guard, 1_000_610, 1, 100)));
}

#[test]
fn a_clock_at_either_end_of_time_is_no_trouble() {
    let mut guard = Guard::new();
    for now in [u64::MAX, 0, u64::MAX - 1, u64::MAX, 1] {
        assert_eq!(ask(&mut guard, now, 1, u64::MAX), [true]);
    }
}

#[test]
fn nothing_asked_is_nothing_counted() {
    let mut guard = Guard::new();
    assert!(ask(&mut guard, 0, 0, 100).is_empty());
    assert_eq!(guard, Guard::new());
}

#[test]
fn a_year_of_deletions_is_remembered_in_little_room() {
    let mut guard = Guard::new();
    for second in 0..20_000 {
        ask(&mut guard, second * 7, 3, 1_000);
        assert!(guard.spans.len() as u64 <= SPANS_MAX);
    }
}

/// A batch, and how long after the one before it comes.
#[derive(Clone, Debug)]
struct Step {
    wait_secs: u64,
    clock_set_back_secs: u64,
    deletions: Vec<usize>,
}

fn steps(clock_set_back_secs: u64) -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![3 => 0..30_u64, 2 => 0..400_u64, 1 => 550..650_u64];
    let deletions = prop_oneof![
        3 => prop::collection::vec(0..4_usize, 0..6),
        1 => prop::collection::vec(0..4_usize, 0..60),
    ];
    let step = (wait, prop_oneof![4 => Just(0), 1 => 0..=clock_set_back_secs], deletions);
    let step =
        step.prop_map(|(wait_secs, clock_set_back_secs, deletions)| Step { wait_secs, clock_set_back_secs, deletions });
    prop::collection::vec(step, 1..60)
}

const SIZES: [u64; 4] = [50, 200, 300, 400];
const TOTAL: u64 = 950;

/// When which folder was asked for, and whether it passed, by a clock that is never set.
fn run(steps: &[Step]) -> Vec<(u64, usize, bool)> {
    let (mut guard, mut now_secs, mut told_secs) = (Guard::new(), 0, 1_000_000);
    let mut story = Vec::new();
    for step in steps {
        now_secs += step.wait_secs;
        told_secs += step.wait_secs;
        told_secs -= step.clock_set_back_secs;
        let folders: Vec<FolderUid> = step.deletions.iter().map(|number| folder(*number)).collect();
        let answers = guard.admit(told_secs, &folders, &|uid| SIZES[uid.0[0] as usize], TOTAL);
        story.extend(step.deletions.iter().zip(answers).map(|(number, may)| (now_secs, *number, may)));
        // Every now and then the program is started anew.
        guard = postcard::from_bytes(&postcard::to_allocvec(&guard).unwrap()).unwrap();
    }
    story
}

proptest! {
    #[test]
    fn no_ten_minutes_let_more_pass_than_the_bounds(steps in steps(5_000)) {
        let story = run(&steps);
        for (start, _, _) in &story {
            let passed: Vec<usize> = story.iter()
                .filter(|(at, _, may)| *may && (*start..=start + Guard::WINDOW_SECS).contains(at))
                .map(|(_, folder, _)| *folder)
                .collect();
            prop_assert!(passed.len() as u64 <= Guard::total_bound(TOTAL));
            for (folder, size) in SIZES.into_iter().enumerate() {
                let passed = passed.iter().filter(|passed| **passed == folder).count();
                prop_assert!(passed as u64 <= Guard::folder_bound(size));
            }
        }
    }

    #[test]
    fn nothing_is_held_unless_more_than_a_bound_was_asked_for(steps in steps(0)) {
        let story = run(&steps);
        for (held_at, folder, _) in story.iter().filter(|(_, _, may)| !may) {
            let since = held_at.saturating_sub(Guard::WINDOW_SECS + SPAN_SECS);
            let asked: Vec<usize> = story.iter()
                .filter(|(at, _, _)| (since..=*held_at).contains(at))
                .map(|(_, folder, _)| *folder)
                .collect();
            let in_folder = asked.iter().filter(|asked| *asked == folder).count() as u64;
            prop_assert!(
                in_folder > Guard::folder_bound(SIZES[*folder]) || asked.len() as u64 > Guard::total_bound(TOTAL)
            );
        }
    }

    #[test]
    fn a_batch_holds_or_passes_a_folder_as_a_whole_in_any_order(
        (batch, shuffled) in prop::collection::vec(0..4_usize, 0..80)
            .prop_flat_map(|batch| (Just(batch.clone()), Just(batch).prop_shuffle())),
    ) {
        let answers = |batch: &[usize]| -> BTreeSet<(usize, bool)> {
            let folders: Vec<FolderUid> = batch.iter().map(|number| folder(*number)).collect();
            let answers = Guard::new().admit(0, &folders, &|_| 250, TOTAL);
            batch.iter().copied().zip(answers).collect()
        };
        let folders: BTreeSet<usize> = batch.iter().copied().collect();
        prop_assert_eq!(answers(&batch).len(), folders.len());
        prop_assert_eq!(answers(&batch), answers(&shuffled));
    }

    #[test]
    fn no_clock_makes_the_guard_fall_over(clock in prop::collection::vec(any::<u64>(), 1..40)) {
        let mut guard = Guard::new();
        for now in clock {
            prop_assert_eq!(ask(&mut guard, now, 2, 10).len(), 2);
            prop_assert!(guard.spans.len() as u64 <= SPANS_MAX);
        }
    }
}
