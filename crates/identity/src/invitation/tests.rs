use super::*;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

fn key() -> IdentityKey {
    IdentityKey::from_seed(&[1; 32])
}

fn small() -> Invitation {
    let name = ServerName::parse("Office PC").expect("an ordinary name");
    Invitation::new(key().public(), ServiceId::from_bytes([2; 16]), name, Timestamp::from_unix_secs(1_790_000_000))
}

fn full() -> Invitation {
    Invitation {
        comment: Some(Comment::parse("Anna, front desk").expect("an ordinary comment")),
        server_id: Some(ServerId::derive(
            &key().public(),
            &ServiceId::from_bytes([2; 16]),
            &crate::Salt::from_bytes([3; 16]),
        )),
        hints: ["203.0.113.7:41234", "[2001:db8::1]:41234"].map(|h| Hint::parse(h).expect("an address")).to_vec(),
        rendezvous: vec![Rendezvous {
            address: HostPort::parse("rdv.example:41235").expect("a host"),
            key: IdentityKey::from_seed(&[4; 32]).public(),
        }],
        directory: Directory::parse("directory.example"),
        ticket: Some(Ticket { token: Token::from_bytes([5; 16]), expires: Timestamp::from_unix_secs(1_790_600_000) }),
        ..small()
    }
}

fn file_with(change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(&full().to_file(&key()).expect("a good invitation")).expect("JSON");
    change(&mut json);
    serde_json::to_vec(&json).expect("JSON")
}

#[test]
fn an_invitation_is_read_back_from_file_and_link() {
    for invitation in [small(), full()] {
        let file = invitation.to_file(&key()).expect("a good invitation");
        assert_eq!(Invitation::parse(&file), Ok(invitation.clone()));
        let link = invitation.to_link(&key()).expect("short enough");
        assert!(link.len() <= Invitation::LINK_MAX, "{}", link.len());
        assert_eq!(Invitation::parse_link(&link), Ok(invitation.clone()));
        assert_eq!(Invitation::parse_link(&link.replacen("tandem:join?", "Tandem://join/?", 1)), Ok(invitation));
    }
    assert!(small().to_file(&key()).expect("a good invitation").len() < 1024);
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    let file = [b"\xef\xbb\xbf".as_slice(), &full().to_file(&key()).expect("a good invitation")].concat();
    assert_eq!(Invitation::parse(&file), Ok(full()));
}

#[test]
fn each_kind_of_wrong_file_is_told_apart() {
    let file = full().to_file(&key()).expect("a good invitation");
    assert_eq!(Invitation::parse(&vec![b' '; Invitation::SIZE_MAX + 1]), Err(InvitationError::TooLarge));
    assert_eq!(Invitation::parse(b""), Err(InvitationError::NotAnInvitation));
    assert_eq!(Invitation::parse(b"\x89PNG\r\n\x1a\n"), Err(InvitationError::NotAnInvitation));
    assert_eq!(Invitation::parse(br#"{"format":"other","v":1}"#), Err(InvitationError::NotAnInvitation));
    assert_eq!(Invitation::parse(&file[..file.len() / 2]), Err(InvitationError::Damaged { what: "json" }));
    let newer = file_with(|json| json["v"] = 2.into());
    assert_eq!(Invitation::parse(&newer), Err(InvitationError::Newer { version: 2, feature: None }));
    let critical = file_with(|json| json["crit"] = serde_json::json!(["relay"]));
    let feature = Some("relay".to_owned());
    assert_eq!(Invitation::parse(&critical), Err(InvitationError::Newer { version: 1, feature }));
}

#[test]
fn each_altered_field_is_noticed() {
    let other_key = IdentityKey::from_seed(&[9; 32]).public().to_string();
    let changes: [(&str, serde_json::Value); 9] = [
        ("server_name", "Office PD".into()),
        ("comment", serde_json::Value::Null),
        ("public_key", other_key.clone().into()),
        ("service_id", URL_SAFE_NO_PAD.encode([6; 16]).into()),
        ("server_id", serde_json::Value::Null),
        ("hints", serde_json::json!(["203.0.113.7:41234"])),
        ("rendezvous", serde_json::json!([{"address": "rdv.example:41235", "key": other_key}])),
        ("directory", "evil.example".into()),
        ("created", "2026-01-01T00:00:00Z".into()),
    ];
    for (field, value) in changes {
        let altered = file_with(|json| json[field] = value.clone());
        assert_eq!(Invitation::parse(&altered), Err(InvitationError::BadSignature), "{field}");
    }
    let longer = file_with(|json| json["ticket"]["expires"] = "2099-01-01T00:00:00Z".into());
    assert_eq!(Invitation::parse(&longer), Err(InvitationError::BadSignature));
}

#[test]
fn hostile_values_are_refused() {
    let changes: [(&'static str, serde_json::Value); 8] = [
        ("server_name", "Office\u{202e}PC".into()),
        ("comment", "x".repeat(40).into()),
        ("public_key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()),
        ("hints", serde_json::json!(["224.0.0.1:4000"])),
        ("hints", serde_json::json!(vec!["203.0.113.7:41234"; 9])),
        ("directory", "http://evil.example".into()),
        ("created", "yesterday".into()),
        ("service_id", "AAAA".into()),
    ];
    for (field, value) in changes {
        let altered = file_with(|json| json[field] = value.clone());
        assert_eq!(Invitation::parse(&altered), Err(InvitationError::Damaged { what: field }));
    }
    let host = file_with(|json| json["hints"] = serde_json::json!(["host.example:41234"]));
    assert_eq!(Invitation::parse(&host), Err(InvitationError::Damaged { what: "hints" }));
}

#[test]
fn a_field_given_twice_is_refused() {
    let file = String::from_utf8(full().to_file(&key()).expect("a good invitation")).expect("UTF-8");
    let twice = file.replacen("\"server_name\"", "\"server_name\": \"First\", \"server_name\"", 1);
    assert_eq!(Invitation::parse(twice.as_bytes()), Err(InvitationError::Damaged { what: "fields" }));
    let twice = file.replacen("\"v\"", "\"v\": 1, \"v\"", 1);
    assert_eq!(Invitation::parse(twice.as_bytes()), Err(InvitationError::Damaged { what: "json" }));
}

#[test]
fn fields_of_later_versions_are_skipped() {
    let file = file_with(|json| json["colour"] = serde_json::json!({"deep": [[[1]]]}));
    assert_eq!(Invitation::parse(&file), Ok(full()));
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    let deep = format!(r#"{{"format":"tandem-invitation","v":1,"x":{}"#, "[".repeat(16_000));
    assert_eq!(Invitation::parse(deep.as_bytes()), Err(InvitationError::Damaged { what: "json" }));
}

#[test]
fn no_more_is_read_than_a_file_may_have() {
    struct Endless(usize);
    impl std::io::Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            into.fill(b' ');
            self.0 += into.len();
            Ok(into.len())
        }
    }
    let mut source = Endless(0);
    assert_eq!(Invitation::read(&mut source).expect("it never fails"), Err(InvitationError::TooLarge));
    assert!(source.0 <= 2 * Invitation::SIZE_MAX + 2, "{} bytes were read", source.0);
}

#[test]
fn an_expired_ticket_leaves_the_file_good() {
    let read = Invitation::parse(&full().to_file(&key()).expect("a good invitation")).expect("a good file");
    assert_eq!(read.ticket_at(Timestamp::from_unix_secs(1_790_599_999)), TicketState::Valid);
    assert_eq!(read.ticket_at(Timestamp::from_unix_secs(1_790_600_000)), TicketState::Expired);
    assert_eq!(small().ticket_at(Timestamp::from_unix_secs(0)), TicketState::None);
}

#[test]
fn an_invitation_is_signed_by_its_own_server_and_within_its_limits() {
    assert_eq!(small().to_file(&IdentityKey::from_seed(&[9; 32])), Err(MakeError::OtherKey));
    let crowded = Invitation { hints: vec![Hint::parse("203.0.113.7:41234").expect("an address"); 9], ..small() };
    assert_eq!(crowded.to_file(&key()), Err(MakeError::TooMany { what: "hints", max: 8 }));
}

#[test]
fn an_invitation_prints_no_secrets() {
    let printed = format!("{:?}", full());
    assert!(printed.contains("ServiceId(..)") && printed.contains("Token(..)"), "{printed}");
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip { at: prop::sample::Index, bit: u8 },
    Cut { at: prop::sample::Index },
    Remove { at: prop::sample::Index, len: usize },
    Insert { at: prop::sample::Index, bytes: Vec<u8> },
    Copy { from: prop::sample::Index, to: prop::sample::Index, len: usize },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        6 => (at(), 0u8..8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        1 => at().prop_map(|at| Mutation::Cut { at }),
        2 => (at(), 1usize..40).prop_map(|(at, len)| Mutation::Remove { at, len }),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Mutation::Insert { at, bytes }),
        2 => (at(), at(), 1usize..60).prop_map(|(from, to, len)| Mutation::Copy { from, to, len }),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let end = |from: usize, len: usize, bytes: &[u8]| (from + len).min(bytes.len());
    match mutation {
        Mutation::Flip { at, bit } => *at.get_mut(bytes) ^= 1 << bit,
        Mutation::Cut { at } => bytes.truncate(at.index(bytes.len())),
        Mutation::Remove { at, len } => {
            let from = at.index(bytes.len());
            bytes.drain(from..end(from, *len, bytes));
        }
        Mutation::Insert { at, bytes: new } => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Mutation::Copy { from, to, len } => {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let part = bytes[from..end(from, *len, bytes)].to_vec();
            bytes.splice(to..end(to, *len, bytes), part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_altered_file_is_accepted_and_none_makes_the_reader_fall_over(
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        thread_local!(static FILE: Vec<u8> = full().to_file(&key()).expect("a good invitation"));
        thread_local!(static GOOD: Invitation = full());
        let mut file = FILE.with(Clone::clone);
        for mutation in &mutations {
            mutate(&mut file, mutation);
        }
        if let Ok(read) = Invitation::parse(&file) {
            // White space and fields of later versions may differ; what was signed may not.
            prop_assert!(GOOD.with(|good| read == *good), "{read:?}");
        }
    }

    #[test]
    fn no_text_makes_the_link_reader_fall_over(text in "(tandem:(//)?join\\?)?[ -~]{0,200}") {
        let _ = Invitation::parse_link(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_invitation_is_read_back(
        name in "[\\PC]{1,63}",
        comment in prop::option::of("[\\PC]{1,39}"),
        ports in prop::collection::vec(1024u16.., 0..=8),
        created in any::<u64>(),
        token in prop::option::of(any::<[u8; 16]>()),
    ) {
        let (Ok(server_name), Ok(comment)) = (ServerName::parse(&name), comment.map(|c| Comment::parse(&c)).transpose())
        else { return Ok(()) };
        let invitation = Invitation {
            server_name,
            comment,
            hints: ports.iter().filter_map(|port| Hint::parse(&format!("198.51.100.1:{port}"))).collect(),
            created: Timestamp::from_unix_secs(created),
            ticket: token.map(|token| Ticket { token: Token::from_bytes(token), expires: Timestamp::from_unix_secs(created) }),
            ..small()
        };
        let file = invitation.to_file(&key()).expect("within the limits");
        prop_assert!(file.len() <= Invitation::SIZE_MAX);
        prop_assert_eq!(Invitation::parse(&file), Ok(invitation.clone()));
        if let Ok(link) = invitation.to_link(&key()) {
            prop_assert_eq!(Invitation::parse_link(&link), Ok(invitation));
        }
    }
}
