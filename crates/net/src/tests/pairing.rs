use super::*;
use crate::{
    limits,
    tls::{Shape, client_config, server_config},
};
use identity::Token;

#[tokio::test]
async fn a_new_computer_is_added_with_the_password_and_goes_on_at_once() {
    let office = Office::open(&[]);
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert_eq!(pairing.server(), key(OFFICE).public());
    let paired = soon(pairing.pair(&credentials(PASSWORD))).await.unwrap();
    let server = &paired.enrolment().server;
    assert_eq!((server.server_name.as_str(), server.internet), ("Office PC", true));
    assert_eq!(server.service_id.as_bytes(), &[9; 16]);
    assert_eq!(paired.enrolment().device, DeviceId::of(&key(LAPTOP).public()));
    assert_eq!(paired.enrolment().comparison_code.len(), 9);
    let joined = soon(paired.join(b"laptop".as_slice())).await.unwrap();
    assert_eq!(joined.greeting.as_ref(), b"welcome, laptop");
    let enrolled = office.desk.with(|desk| desk.enrolled.clone());
    assert_eq!((enrolled.len(), enrolled[0].name.as_str()), (1, "laptop"));
    drop(joined);
    // From now on without a password.
    assert!(soon(join(&laptop, &office.target)).await.is_ok());
    assert_eq!(office.desk.with(|desk| desk.guesses_taken), 1);
}

#[tokio::test]
async fn both_screens_show_the_same_code() {
    let endpoint = Endpoint::bind(config(OFFICE), loopback()).unwrap();
    let desk = Desk::new(&[]);
    let knock = KnockKey::from_bytes([9; 16]);
    endpoint.set_knocks(&[Knock { key: knock, scope: KnockScope::Anyone }]);
    endpoint.serve(ServerRules { doorkeeper: desk.clone(), desk });
    let target = Target { addresses: endpoint.local_addresses(), server: None, knock };
    let laptop = client(LAPTOP);
    let (code, arrival) = tokio::join!(
        async {
            let paired = ask_to_pair(&laptop, &target).await.unwrap().pair(&credentials(PASSWORD)).await.unwrap();
            let code = paired.enrolment().comparison_code.clone();
            let _ = paired.join(b"".as_slice()).await;
            code
        },
        async {
            let arrival = endpoint.accept().await.unwrap();
            let code = arrival.comparison_code().unwrap().to_owned();
            arrival.refuse(Refusal::Busy { retry_secs: None }).await;
            code
        }
    );
    assert_eq!(code, arrival);
}

#[tokio::test]
async fn a_wrong_password_adds_nobody_and_costs_a_guess() {
    let office = Office::open(&[]);
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    let error = soon(pairing.pair(&credentials("Käse im Bücherschrank"))).await.unwrap_err();
    assert_eq!(error, PairError::WrongPassword);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert_eq!(soon(pairing.pair(&credentials(""))).await.unwrap_err(), PairError::PasswordLength);
    assert!(office.desk.with(|desk| desk.enrolled.is_empty()));
}

#[tokio::test]
async fn a_decomposed_umlaut_is_the_same_password() {
    let office = Office::open(&[]);
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert!(soon(pairing.pair(&credentials("Ka\u{308}se im Bu\u{308}cherregal"))).await.is_ok());
}

#[tokio::test]
async fn a_known_key_asked_for_a_session_without_being_paired_has_to_pair() {
    let office = Office::open(&[]);
    let laptop = client(LAPTOP);
    let answer = soon(laptop.dial(&office.target, b"hello".as_slice())).await.unwrap();
    assert!(matches!(answer, Answer::PairingNeeded(_)));
}

#[tokio::test]
async fn when_the_budget_is_used_up_the_password_is_not_tried() {
    let office = Office::open(&[TABLET]);
    office.desk.with(|desk| desk.lan_looks_like_internet = true);
    let laptop = client(LAPTOP);
    for _ in 0..5 {
        // Asking and going away is a guess too: the answer would let the asker test a password.
        let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
        assert_eq!(soon(pairing.pair(&credentials("wrong"))).await.unwrap_err(), PairError::WrongPassword);
    }
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    let error = soon(pairing.pair(&credentials(PASSWORD))).await.unwrap_err();
    assert!(matches!(error, PairError::Wait { secs } if secs >= 30), "{error:?}");

    // Who has a ticket doesn't stand in this queue, and who is paired in none.
    let token = Token::from_bytes([5; 16]);
    assert!(office.desk.with(|desk| desk.budgets.add_ticket(token.digest(), 1, NOW + 1000, NOW)));
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    let with_ticket = Credentials { ticket: Some(token), ..credentials(PASSWORD) };
    assert!(soon(pairing.pair(&with_ticket)).await.is_ok());
    assert_eq!(office.desk.with(|desk| desk.budgets.tickets_left(NOW)), 0);
    assert!(soon(join(&client(TABLET), &office.target)).await.is_ok());
}

#[tokio::test]
async fn a_closed_door_is_told_as_closed() {
    let office = Office::open(&[]);
    office.desk.with(|desk| {
        let guess = Guess { source: [192, 168, 1, 1].into(), is_lan: true, ticket: None };
        let mut now = NOW - 1_000_000;
        while !desk.budgets.is_lan_door_closed() {
            let _ = desk.budgets.take(&guess, now, [7; 32]);
            now += 86_400;
        }
    });
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert_eq!(soon(pairing.pair(&credentials(PASSWORD))).await.unwrap_err(), PairError::DoorClosed);
}

#[tokio::test]
async fn a_removed_laptop_comes_back_only_with_password_and_consent() {
    let office = Office::open(&[]);
    office.desk.with(|desk| desk.devices.insert(key(LAPTOP).public(), Admission::Removed));
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert_eq!(soon(pairing.pair(&credentials(PASSWORD))).await.unwrap_err(), PairError::Refused);
    assert!(office.desk.with(|desk| desk.enrolled.is_empty()));
    office.desk.with(|desk| desk.allowed_back.push(key(LAPTOP).public()));
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert!(soon(pairing.pair(&credentials(PASSWORD))).await.is_ok());
}

#[tokio::test]
async fn a_password_that_is_gone_adds_nobody() {
    let office = Office::open(&[]);
    office.desk.with(|desk| desk.password = None);
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &office.target)).await.unwrap();
    assert_eq!(soon(pairing.pair(&credentials(PASSWORD))).await.unwrap_err(), PairError::Refused);
}

/// Ends TLS with a key of its own, calls the office and passes everything on, byte for byte.
async fn stand_between(office: Target) -> Target {
    let shape = Shape { limits: Limits::default(), is_simulated: false };
    let saved = SavedTransport::generate();
    let server = server_config(&key(66), &saved, &shape);
    let evil = quinn::Endpoint::server(server, loopback()).unwrap();
    let address = evil.local_addr().unwrap();
    let knock = office.knock;
    tokio::spawn(async move {
        while let Some(incoming) = evil.accept().await {
            let Ok(from_client) = incoming.await else { continue };
            let tokens = Arc::new(saved.address_tokens());
            let (config, _) = client_config(&key(66), None, office.knock, &tokens, &shape);
            let to_office = evil.connect_with(config, office.addresses[0], "any.invalid").unwrap().await.unwrap();
            tokio::spawn(async move {
                let (mut to_client, mut by_client) = from_client.accept_bi().await.unwrap();
                let (mut to_server, mut by_server) = to_office.open_bi().await.unwrap();
                let up = tokio::io::copy(&mut by_client, &mut to_server);
                let down = tokio::io::copy(&mut by_server, &mut to_client);
                let _ = tokio::join!(up, down);
            });
        }
    });
    Target { addresses: vec![address], server: None, knock }
}

#[tokio::test]
async fn who_stands_between_and_relays_everything_gets_nothing() {
    let office = Office::open(&[]);
    let between = stand_between(office.target.clone()).await;
    let laptop = client(LAPTOP);
    let pairing = soon(ask_to_pair(&laptop, &between)).await.unwrap();
    assert_eq!(pairing.server(), key(66).public(), "the laptop really talks to the one between");
    assert_eq!(soon(pairing.pair(&credentials(PASSWORD))).await.unwrap_err(), PairError::WrongPassword);
    assert_eq!(office.desk.with(|desk| (desk.guesses_taken, desk.enrolled.len())), (1, 0));

    // With the invitation's key the laptop doesn't even begin.
    let pinned = Target { server: Some(key(OFFICE).public()), ..between };
    let error = soon(ask_to_pair(&laptop, &pinned)).await.unwrap_err();
    assert!(matches!(error, DialError::WrongServerKey { found, .. } if found == key(66).public()), "{error:?}");
    assert_eq!(office.desk.with(|desk| desk.guesses_taken), 1);

    // The same without anyone in between works.
    let pairing = soon(ask_to_pair(&laptop, &office.without_pin())).await.unwrap();
    assert!(soon(pairing.pair(&credentials(PASSWORD))).await.is_ok());
}

#[test]
fn the_promised_numbers_are_the_numbers() {
    // Changing one of these changes what the program promises; change the promise first.
    let limits = Limits::default();
    assert_eq!((limits.strangers_per_source, limits.strangers_max), (4, 64));
    assert_eq!((limits.links_per_device, limits.links_max), (4, 64));
    assert_eq!(limits::windows::RECEIVE_BEFORE.into_inner(), 16 << 10);
}
