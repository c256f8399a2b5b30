//! What the hub tells fits into frames that a replica takes, and a memory that isn't the newest doesn't count.
#![allow(clippy::unwrap_used, reason = "a test")]

use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid, Kind, NativeHash, PairingKey};
use sync::{
    hub::{Hub, HubOutput, SessionId, Told},
    memory::MemoryHub,
    model::{Cursor, Epoch, FolderState, ItemState, LogMark, ReplicaId, Seq, Subject, Version},
    wire::{Change, Frame, Hello, Limits, MINOR_VERSION, Proposal, is_item_within_bounds},
};

const FOLDER: FolderUid = FolderUid([9; 16]);

fn told() -> Told {
    Told { now_secs: 1_800_000_000, random: [7; 16] }
}

/// The largest item that may travel.
fn large(number: u32) -> ItemState {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    let version = Version {
        canon: pim::CanonHash(hash),
        rule: pim::CANON_RULE,
        native: NativeHash(hash),
        format: Format::VCard,
        size: u64::MAX,
    };
    ItemState {
        kind: Kind::Contact,
        folder: FOLDER,
        version,
        flags: Flags([Flag::Keyword("k".repeat(Limits::NAME_BYTES))].into()),
        name: "n".repeat(Limits::NAME_BYTES),
        identity: Some(PairingKey([1; 16])),
        lookalikes: vec![PairingKey([2; 16]); ItemState::LOOKALIKES_MAX],
    }
}

fn open(hub: &mut Hub, index: &mut MemoryHub, session: u64) {
    let replica = ReplicaId([u8::try_from(session).unwrap(); 16]);
    let hello = Hello { minor: MINOR_VERSION, canon_rule: pim::CANON_RULE, replica, cursor: None, stamp: None };
    hub.open(index, SessionId(session), b"device", &hello, told()).unwrap();
}

#[test]
fn rows_of_the_largest_items_fit_into_frames_and_all_arrive() {
    let (mut hub, mut index) = (Hub::new(), MemoryHub::new(Epoch([3; 16])));
    open(&mut hub, &mut index, 1);
    let folder = FolderState { kind: FolderKind::Contacts, parent: None, name: "people".into(), special_use: None };
    let mut proposals =
        vec![Proposal { subject: Subject::Folder(FOLDER), parent: Seq(0), change: Change::Folder(folder) }];
    for number in 0..1_500_u32 {
        let state = large(number);
        assert!(is_item_within_bounds(&state));
        index.hold(state.version.native);
        let mut uid = [0; 16];
        uid[..4].copy_from_slice(&number.to_be_bytes());
        let subject = Subject::Item(ItemUid(uid));
        proposals.push(Proposal { subject, parent: Seq(0), change: Change::Item { state, planned_at: Seq(u64::MAX) } });
    }
    for page in proposals.chunks(256) {
        let frame = Frame::Propose(page.to_vec());
        assert_eq!(Frame::decode(&frame.encode()), Ok(frame.clone()), "what a replica proposes fits as well");
        let outputs = hub.handle(&mut index, SessionId(1), frame, told()).unwrap();
        assert!(!outputs.iter().any(|output| matches!(output, HubOutput::Hangup(_))));
    }
    open(&mut hub, &mut index, 2);
    let mut rows = 0;
    while let Some(frame) = hub.next_rows(&index, SessionId(2)).unwrap() {
        let decoded = Frame::decode(&frame.encode()).unwrap();
        let Frame::Rows(page) = decoded else { panic!("rows are told in rows") };
        rows += page.rows.len();
    }
    assert_eq!(rows, 1_501);
}

#[test]
fn whoever_asks_for_held_deletions_back_gets_an_answer_also_when_there_are_none() {
    let (mut hub, mut index) = (Hub::new(), MemoryHub::new(Epoch([3; 16])));
    open(&mut hub, &mut index, 1);
    open(&mut hub, &mut index, 2);
    let outputs = hub.handle(&mut index, SessionId(1), Frame::RestoreHeld(FOLDER), told()).unwrap();
    assert!(
        matches!(&outputs[..], [HubOutput::Send(SessionId(1), Frame::Restore(items))] if items.is_empty()),
        "{outputs:?}"
    );
}

#[test]
fn an_index_brought_back_from_an_earlier_session_is_paired_anew() {
    let (mut hub, mut index) = (Hub::new(), MemoryHub::new(Epoch([3; 16])));
    let cursor = Cursor { epoch: Epoch([3; 16]), seq: Seq(0), mark: LogMark::default() };
    let mut session = 0;
    // Each session is shown a stamp, hands out the next one, and hears that it was saved.
    let mut connect = |shown: Option<[u8; 16]>, next: [u8; 16]| {
        session += 1;
        let hello = Hello {
            minor: MINOR_VERSION,
            canon_rule: pim::CANON_RULE,
            replica: ReplicaId([1; 16]),
            cursor: shown.is_some().then_some(cursor),
            stamp: shown,
        };
        let told = Told { now_secs: 1_800_000_000, random: next };
        let answer = hub.open(&mut index, SessionId(session), b"device", &hello, told).unwrap();
        hub.handle(&mut index, SessionId(session), Frame::StampSaved, told).unwrap();
        hub.close(SessionId(session));
        let Frame::Welcome(welcome) = answer else { panic!("the first answer is a welcome") };
        welcome.anew
    };
    assert!(!connect(None, [1; 16]));
    assert!(!connect(Some([1; 16]), [2; 16]), "the newest memory counts");
    assert!(connect(Some([1; 16]), [3; 16]), "one from before the last session doesn't");
}
