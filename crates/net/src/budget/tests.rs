use super::*;
use proptest::prelude::*;

const START: u64 = 1_790_000_000;
const CHANCE: [u8; 32] = [7; 32];

fn budgets() -> GuessBudgets {
    GuessBudgets::new(START, CHANCE)
}

fn internet(number: u32) -> Guess {
    // Spread over /24 networks, so that only the door counts.
    let source = std::net::Ipv4Addr::from_bits(0x0b00_0001 + (number << 8)).into();
    Guess { source, is_lan: false, ticket: None }
}

fn lan(number: u8) -> Guess {
    Guess { source: [192, 168, 1, number].into(), is_lan: true, ticket: None }
}

fn guesses(budgets: &mut GuessBudgets, tries: u32, now: u64, guess: impl Fn(u32) -> Guess) -> u32 {
    (0..tries).map(|at| u32::from(matches!(budgets.take(&guess(at), now, CHANCE), Verdict::Go(_)))).sum()
}

#[test]
fn ten_guesses_an_hour_come_from_the_internet() {
    let mut office = budgets();
    assert_eq!(guesses(&mut office, 50, START, internet), 10);
    assert_eq!(office.take(&internet(99), START, CHANCE), Verdict::Wait { secs: 360 });
    assert_eq!(guesses(&mut office, 50, START + 359, internet), 0);
    assert_eq!(guesses(&mut office, 50, START + 3600, |at| internet(1000 + at)), 10);
}

#[test]
fn one_source_has_five_guesses_and_then_waits_longer_each_time() {
    let mut office = budgets();
    let from_one = |_| internet(1);
    assert_eq!(guesses(&mut office, 20, START, from_one), 5);
    // One every ten minutes from then on, and never sooner than the growing pause.
    let mut now = START;
    let mut pauses = Vec::new();
    for _ in 0..6 {
        while let Verdict::Wait { secs } = office.take(&internet(1), now, CHANCE) {
            now += secs;
            pauses.push(secs);
        }
    }
    assert!(pauses.iter().all(|secs| *secs <= BACKOFF_LAST_SECS));
    assert!(pauses.last() > Some(&600), "{pauses:?}");
}

#[test]
fn a_neighbourhood_has_four_times_as_many() {
    let mut office = budgets();
    let neighbour = |at: u32| Guess {
        source: std::net::Ipv6Addr::from_bits((0x2001_0db8_0001 << 80) | (u128::from(at) << 64)).into(),
        is_lan: false,
        ticket: None,
    };
    // The door lets ten through per hour; after the second hour the /48 is what stops them.
    let mut let_in = 0;
    for hour in 0..4 {
        let_in += guesses(&mut office, 100, START + hour * 3600, |at| neighbour(at + hour as u32 * 1000));
        assert!(let_in <= 20 + hour as u32 * 24);
    }
    assert_eq!(let_in, 40);
}

#[test]
fn a_hundred_in_a_row_close_the_internet_door_until_the_owner_opens_it() {
    let mut office = budgets();
    let mut now = START;
    let mut let_in = 0;
    while !office.is_internet_door_closed() {
        let_in += guesses(&mut office, 10, now, |at| internet(let_in * 7 + at));
        now += 3600;
        assert!(let_in <= FAILURES_MAX);
    }
    assert_eq!(let_in, FAILURES_MAX);
    assert_eq!(office.take(&internet(5), now + 1_000_000, CHANCE), Verdict::Closed);
    // Meanwhile the local network and tickets work.
    assert!(matches!(office.take(&lan(1), now, CHANCE), Verdict::Go(_)));
    assert!(office.add_ticket([1; 32], 1, now + 100, now));
    let with_ticket = Guess { ticket: Some([1; 32]), ..internet(6) };
    assert!(matches!(office.take(&with_ticket, now, CHANCE), Verdict::Go(_)));
    office.open_internet_door();
    assert!(matches!(office.take(&internet(5), now + 1_000_000, CHANCE), Verdict::Go(_)));
}

#[test]
fn the_local_network_has_its_own_door() {
    let mut office = budgets();
    assert_eq!(guesses(&mut office, 50, START, |at| lan(at as u8)), 20);
    assert_eq!(guesses(&mut office, 5, START, internet), 5);
    let mut now = START;
    while !office.is_lan_door_closed() {
        now += 60;
        guesses(&mut office, 1, now, |at| lan((now / 60 % 200) as u8 + at as u8));
    }
    assert!(now - START <= 80 * 60);
    assert_eq!(office.take(&lan(1), now + 1_000_000, CHANCE), Verdict::Closed);
    office.open_window(now);
    assert!(matches!(office.take(&lan(1), now, CHANCE), Verdict::Go(_)));
}

#[test]
fn adding_a_computer_gives_ten_more_for_ten_minutes() {
    let mut office = budgets();
    assert_eq!(guesses(&mut office, 50, START, internet), 10);
    office.open_window(START);
    assert_eq!(guesses(&mut office, 50, START + 10, internet), 10);
    office.open_window(START);
    // Only what the door itself has refilled meanwhile.
    assert_eq!(guesses(&mut office, 50, START + WINDOW_SECS, |at| internet(100 + at)), 1);
}

#[test]
fn a_right_password_gives_the_guess_back() {
    let mut office = budgets();
    for _ in 0..500 {
        let Verdict::Go(permit) = office.take(&internet(1), START, CHANCE) else {
            panic!("blocked in spite of success")
        };
        office.succeeded(permit);
    }
    assert!(!office.is_internet_door_closed());
}

#[test]
fn a_ticket_has_five_guesses_and_its_uses() {
    let mut office = budgets();
    assert!(office.add_ticket([1; 32], 1, START + 100, START));
    let with_ticket = |at: u32| Guess { ticket: Some([1; 32]), ..internet(at) };
    for at in 0..4 {
        assert!(matches!(office.take(&with_ticket(at), START, CHANCE), Verdict::Go(_)));
    }
    // None of these was paid by a door.
    assert_eq!(guesses(&mut office, 50, START, internet), 10);
    let Verdict::Go(permit) = office.take(&with_ticket(4), START, CHANCE) else { panic!("five guesses") };
    assert!(matches!(office.take(&with_ticket(5), START, CHANCE), Verdict::Wait { .. }));
    office.succeeded(permit);
    assert_eq!(office.tickets_left(START), 0);
    assert!(matches!(office.take(&with_ticket(6), START, CHANCE), Verdict::Wait { .. }));
}

#[test]
fn expired_unknown_and_voided_tickets_are_no_tickets() {
    let mut office = budgets();
    assert!(office.add_ticket([1; 32], 3, START + 100, START));
    assert_eq!(guesses(&mut office, 50, START, internet), 10);
    let unknown = Guess { ticket: Some([2; 32]), ..internet(0) };
    assert!(matches!(office.take(&unknown, START, CHANCE), Verdict::Wait { .. }));
    let known = Guess { ticket: Some([1; 32]), ..internet(0) };
    assert!(matches!(office.take(&known, START + 100, CHANCE), Verdict::Wait { .. }));
    office.void_tickets();
    assert!(matches!(office.take(&known, START + 1, CHANCE), Verdict::Wait { .. }));
}

#[test]
fn a_restart_resets_nothing() {
    let mut office = budgets();
    assert!(office.add_ticket([1; 32], 1, START + 100, START));
    assert_eq!(guesses(&mut office, 50, START, internet), 10);
    let saved = serde_json::to_string(&office).expect("plain data");
    assert!(!saved.contains("11.0.0.1"), "the saved state is no list of addresses");
    let mut restarted: GuessBudgets = serde_json::from_str(&saved).expect("own data");
    assert_eq!(guesses(&mut restarted, 50, START + 1, internet), 0);
    assert_eq!(restarted.tickets_left(START), 1);
}

#[test]
fn a_clock_set_back_neither_opens_nor_locks() {
    let mut office = budgets();
    assert_eq!(guesses(&mut office, 50, START, internet), 10);
    assert_eq!(guesses(&mut office, 50, START - 1_000_000, internet), 0);
    assert_eq!(guesses(&mut office, 50, START - 1_000_000 + 3600, |at| internet(500 + at)), 10);
}

#[test]
fn many_sources_take_no_more_memory_than_planned() {
    let mut office = budgets();
    for at in 0..10_000 {
        let _ = office.take(&internet(at), START, CHANCE);
    }
    assert!(office.sources.len() <= SOURCES_MAX);
}

proptest! {
    #[test]
    fn no_order_of_tries_gives_more_than_was_promised(
        steps in prop::collection::vec((0u64..2000, 0u32..40, any::<bool>()), 1..300),
    ) {
        let mut office = budgets();
        let (mut now, mut from_internet) = (START, 0u64);
        for (pause, source, is_lan) in steps {
            now += pause;
            let guess = if is_lan { lan(source as u8) } else { internet(source) };
            if matches!(office.take(&guess, now, CHANCE), Verdict::Go(_)) && !is_lan {
                from_internet += 1;
            }
        }
        prop_assert!(from_internet <= 10 + (now - START) / 360);
        prop_assert!(from_internet <= u64::from(FAILURES_MAX));
    }
}
