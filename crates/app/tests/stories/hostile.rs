//! A paired computer gone bad. It has its key and knows the protocol, and says whatever it likes over a real link.

use crate::common::{Computer, a_while, call, contact, invite, joined, server, until_same};
use app::engine::{
    link::{KIND_CONTENT, KIND_SYNC, frame_caps},
    record,
};
use identity::Invitation;
use net::{Answer, CloseCode, Closed, Endpoint, EndpointConfig, Joined, KnockKey, SavedTransport, Target};
use pim::{FolderUid, Format, ItemUid, Kind, NativeHash, PairingKey};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use sync::{
    model::{FolderState, ItemState, ReplicaId, Row, RowBody, Seq, Subject, Version},
    wire::{Change, Frame, Hello, Outcome, Proposal, Refusal, Want},
};

struct Villain {
    endpoint: Endpoint,
    target: Target,
    /// How often it came, each time as another replica.
    times: u8,
}

/// A session of it, with all it was told.
struct Session {
    joined: Joined,
    rows: BTreeMap<Subject, Row>,
}

impl Villain {
    /// Takes the key out of a computer that was paired.
    fn of(computer: &Computer, invitation: &Invitation) -> Self {
        let store = app::secrets::FileStore::new(computer.profile().secrets_file());
        let key = app::secrets::identity_key(&store, None).unwrap().unwrap();
        let config = EndpointConfig::new(key, SavedTransport::generate(), frame_caps);
        let target = Target {
            addresses: invitation.hints.iter().map(|hint| hint.address()).collect(),
            server: Some(invitation.public_key),
            knock: KnockKey::of_service(&invitation.service_id),
        };
        Self { endpoint: Endpoint::bind(config, "127.0.0.1:0".parse().unwrap()).unwrap(), target, times: 0 }
    }

    /// Comes as somebody without a past, and hears all there is for it.
    async fn comes(&mut self) -> Session {
        self.times += 1;
        let hello = Hello {
            minor: 0,
            canon_rule: pim::CANON_RULE,
            replica: ReplicaId([self.times; 16]),
            cursor: None,
            stamp: None,
        };
        let answer = self.endpoint.dial(&self.target, Frame::Hello(hello).encode()).await.unwrap();
        let Answer::Joined(joined) = answer else { panic!("it was paired") };
        let mut session = Session { joined, rows: BTreeMap::new() };
        session.say(&Frame::StampSaved).await;
        session.hear("the head", |frame| matches!(frame, Frame::Rows(rows) if rows.is_head)).await;
        session
    }
}

impl Session {
    async fn say(&mut self, frame: &Frame) {
        self.joined.control.sender.send(KIND_SYNC, frame.encode()).await.unwrap();
    }

    /// What is said until something comes that is waited for, that included.
    async fn hear(&mut self, what: &str, is_it: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut heard = Vec::new();
        let hearing = async {
            loop {
                let frame = self.joined.control.receiver.next().await.unwrap().expect("the link stands");
                let frame = Frame::decode(&frame.payload).unwrap();
                if let Frame::Rows(rows) = &frame {
                    self.rows.extend(rows.rows.iter().map(|row| (row.subject, row.clone())));
                }
                let is_it = is_it(&frame);
                heard.push(frame);
                if is_it {
                    break;
                }
            }
        };
        let is_heard = tokio::time::timeout(Duration::from_secs(30), hearing).await.is_ok();
        assert!(is_heard, "{what} wasn't heard, but {heard:?}");
        heard
    }

    async fn propose(&mut self, proposals: Vec<Proposal>) -> Vec<Outcome> {
        let subjects: Vec<Subject> = proposals.iter().map(|proposal| proposal.subject).collect();
        self.say(&Frame::Propose(proposals)).await;
        let heard = self.hear("an answer", |frame| matches!(frame, Frame::Answers(_))).await;
        let Some(Frame::Answers(answers)) = heard.last() else { unreachable!("it was waited for") };
        assert_eq!(answers.answers.iter().map(|answer| answer.subject).collect::<Vec<_>>(), subjects);
        answers.answers.iter().map(|answer| answer.outcome.clone()).collect()
    }

    /// Sends bytes as the content with that hash.
    async fn send_content(&mut self, record: Vec<u8>) {
        let mut stream = self.joined.link.open_bulk().await.unwrap();
        stream.send(KIND_CONTENT, record).await.unwrap();
        stream.finish().await.unwrap();
    }

    fn items(&self) -> impl Iterator<Item = (ItemUid, Seq, &ItemState)> {
        self.rows.values().filter_map(|row| match (row.subject, &row.body) {
            (Subject::Item(item), RowBody::Item(state)) => Some((item, row.seq, state)),
            _ => None,
        })
    }
}

fn native(text: &str) -> NativeHash {
    NativeHash(*blake3::hash(text.as_bytes()).as_bytes())
}

/// An item as it might be, with these bytes.
fn item(folder: FolderUid, name: &str, text: &str) -> ItemState {
    let examined = pim::examine(pim::FolderKind::Contacts, Format::VCard, text.as_bytes());
    let (canon, rule, size) = (examined.canon, pim::CANON_RULE, examined.size);
    ItemState {
        kind: Kind::Contact,
        folder,
        version: Version { canon, rule, native: native(text), format: Format::VCard, size },
        flags: pim::Flags::default(),
        name: name.to_owned(),
        identity: Some(PairingKey([9; 16])),
        lookalikes: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paired_computer_gone_bad_gets_no_folder_that_is_kept_from_it_and_deletes_no_more_than_the_guard_lets() {
    let (office, laptop, tablet) = (Computer::new("office"), Computer::new("laptop"), Computer::new("tablet"));
    let secret = |number: u32| contact(&format!("s{number}"), "Confidential", "+49 9");
    for number in 0..4 {
        office.write(&format!("contacts/Secret/s{number}.vcf"), secret(number));
    }
    for number in 0..50 {
        let uid = format!("f{number}");
        office.write(&format!("contacts/Friends/{uid}.vcf"), contact(&uid, "Friend", "+49 1"));
    }
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    client.shut_down().await;
    let device = call(&server, "devices", json!({})).await[0]["id"].as_str().unwrap().to_owned();
    let keep = json!({"folder": "contacts/Secret", "device": device, "isReleased": false});
    call(&server, "release_folder", keep).await;
    // It had them; what is written from now on it has never seen.
    office.write("contacts/Secret/s4.vcf", secret(4));
    let invitation = invite(&server, json!({})).await;
    let mut villain = Villain::of(&laptop, &invitation);
    let elsewhere = |row: &Row| match (row.subject, &row.body) {
        (Subject::Item(item), RowBody::ItemElsewhere(folder)) => Some((item, *folder)),
        _ => None,
    };
    let mut session = villain.comes().await;
    while session.rows.values().filter_map(elsewhere).count() < 5 {
        assert!(villain.times < 100, "the server doesn't see what was written");
        tokio::time::sleep(Duration::from_millis(100)).await;
        session = villain.comes().await;
    }
    let told = format!("{:?}", session.rows);
    assert!(!told.contains("Secret") && !told.contains("s1.vcf"), "{told}");
    assert_eq!(session.items().count(), 50);
    let kept: Vec<(ItemUid, FolderUid)> = session.rows.values().filter_map(elsewhere).collect();
    let secret_folder = kept[0].1;
    let (friend, friend_seq, state) =
        session.items().map(|(item, seq, state)| (item, seq, state.clone())).next().unwrap();
    let friends = state.folder;

    // By its own uid, by another's, and by none.
    let hash = native(&secret(4));
    for item in kept.iter().map(|(item, _)| *item).chain([friend, ItemUid([0; 16])]) {
        session.say(&Frame::Want(vec![Want { item, native: hash, offset: 0 }])).await;
        session.hear("no", |frame| *frame == Frame::CannotServe(vec![hash])).await;
    }
    // What it may have it gets.
    session.say(&Frame::Want(vec![Want { item: friend, native: state.version.native, offset: 0 }])).await;
    let mut stream = session.joined.link.accept_bulk().await.unwrap();
    let came = stream.next().await.unwrap().unwrap();
    assert_eq!(record::Record::read(&came.payload).unwrap().native, state.version.native);

    // Nor does it write there, nor learn what the folder is called.
    let in_secret = item(secret_folder, "x.vcf", &secret(9));
    let folder = |name: &str, parent| FolderState {
        kind: pim::FolderKind::Contacts,
        parent,
        name: name.to_owned(),
        special_use: None,
    };
    let about = |subject, parent, change| Proposal { subject, parent, change };
    let mut proposals = vec![
        about(Subject::Item(ItemUid([1; 16])), Seq(0), Change::Item { state: in_secret.clone(), planned_at: Seq(0) }),
        about(Subject::Item(friend), friend_seq, Change::Item { state: in_secret, planned_at: Seq(0) }),
        about(Subject::Folder(secret_folder), Seq(0), Change::Folder(folder("Mine", None))),
        about(Subject::Folder(secret_folder), Seq(0), Change::FolderGone),
        about(Subject::Folder(FolderUid([3; 16])), Seq(0), Change::Folder(folder("Below", Some(secret_folder)))),
    ];
    for (item, _) in &kept {
        let out = ItemState { folder: friends, ..state.clone() };
        proposals.push(about(Subject::Item(*item), Seq(1), Change::ItemGone { approved: true }));
        proposals.push(about(Subject::Item(*item), Seq(1), Change::Item { state: out, planned_at: Seq(0) }));
    }
    let outcomes = session.propose(proposals).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Refused(Refusal::NotAllowed)), "{outcomes:?}");

    // Names lead nowhere else.
    let text = contact("evil", "Evil", "+49 6");
    for (number, name) in ["../../../evil.vcf", "/tmp/tandem-evil.vcf", "..", "a\0b.vcf"].into_iter().enumerate() {
        let subject = Subject::Item(ItemUid([20 + number as u8; 16]));
        let state =
            ItemState { identity: None, ..item(friends, name, &text.replace("evil", &format!("evil{number}"))) };
        let text = text.replace("evil", &format!("evil{number}"));
        let hash = native(&text);
        let change = Change::Item { state, planned_at: Seq(u64::MAX) };
        let outcomes = session.propose(vec![about(subject, Seq(0), change)]).await;
        assert_eq!(outcomes, [Outcome::NeedContent(hash)]);
        session.send_content(record::write(hash, text.len() as u64, 0, text.as_bytes(), true)).await;
        session.hear("it is taken", |frame| matches!(frame, Frame::Answers(_))).await;
    }

    // However often it comes as somebody else: no more than twenty are deleted.
    let mut deleted = 0;
    for _ in 0..3 {
        let mut session = villain.comes().await;
        let gone: Vec<Proposal> = session
            .items()
            .map(|(item, seq, _)| about(Subject::Item(item), seq, Change::ItemGone { approved: true }))
            .collect();
        let outcomes = session.propose(gone).await;
        deleted += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted(_))).count();
        assert!(outcomes.contains(&Outcome::Held), "{outcomes:?}");
    }
    assert!(deleted <= 20, "{deleted} were deleted in spite of the guard");

    // And what is no frame, no content, or a bomb ends only its own link.
    let mut session = villain.comes().await;
    let replica = ReplicaId([99; 16]);
    let hello = Hello { minor: 0, canon_rule: pim::CANON_RULE, replica, cursor: None, stamp: None };
    session.say(&Frame::Hello(hello)).await;
    let closed = tokio::time::timeout(Duration::from_secs(30), session.joined.link.closed()).await;
    assert!(closed.is_ok(), "one is many in one session");
    let mut session = villain.comes().await;
    session.joined.control.sender.send(KIND_SYNC, vec![0xff; 1000]).await.unwrap();
    assert_eq!(session.joined.link.closed().await, Closed::ByPeer { code: CloseCode::Protocol });
    let session = villain.comes().await;
    let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let mut packed = record::write(hash, 1 << 20, 0, &bomb, false);
    packed[48] = 1;
    let mut stream = session.joined.link.open_bulk().await.unwrap();
    stream.send(KIND_CONTENT, packed).await.unwrap();
    assert_eq!(session.joined.link.closed().await, Closed::ByPeer { code: CloseCode::Protocol });

    a_while().await;
    assert_eq!(office.count("contacts/Secret"), 5);
    for number in 0..5 {
        assert!(office.find("contacts/Secret", &format!("UID:s{number}\r")).is_some(), "s{number}");
    }
    assert_eq!(office.count("contacts/Friends"), 54 - deleted);
    assert!(!std::path::Path::new("/tmp/tandem-evil.vcf").exists());
    // An honest computer finds everything in order.
    let client = joined(&server, &tablet).await;
    until_same(&[&office, &tablet], 59 - deleted).await;
    client.shut_down().await;
    server.shut_down().await;
}
