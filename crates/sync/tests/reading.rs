//! What a replica does while the stores are still being read.
#![allow(clippy::unwrap_used, reason = "a test")]

use pim::{CanonHash, Flags, FolderKind, FolderUid, Format, ItemUid, Kind, NativeHash};
use sync::{
    index::{FolderBase, FolderRecord, ItemRecord, Local, LocalFolder, ReplicaIndex},
    memory::MemoryReplica,
    model::{Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject, Version},
    replica::{Output, Replica, Settings},
    wire::{Frame, FrameError, MINOR_VERSION, Rows, Welcome},
};

const LETTER: ItemUid = ItemUid([1; 16]);
const PERSON: ItemUid = ItemUid([2; 16]);

fn state(kind: Kind, number: u8) -> ItemState {
    let format = if kind == Kind::Message { Format::Rfc5322 } else { Format::VCard };
    let (canon, native) = (CanonHash([number; 32]), NativeHash([number; 32]));
    ItemState {
        kind,
        folder: FolderUid([if kind == Kind::Message { 1 } else { 2 }; 16]),
        version: Version { canon, rule: pim::CANON_RULE, native, format, size: 10 },
        flags: Flags::default(),
        name: number.to_string(),
        identity: None,
        lookalikes: Vec::new(),
    }
}

/// Both stores are being read; ours holds a letter and a person so far, the hub `rows`.
fn proposed(rows: Vec<Row>) -> Vec<ItemUid> {
    let mut index = MemoryReplica::new(ReplicaId([1; 16]));
    let mut replica = Replica::new(Settings::default());
    for (number, kind) in [(1, FolderKind::Mail), (2, FolderKind::Contacts)] {
        let state = FolderState { kind, parent: None, name: "in".into(), special_use: None };
        let base = Some(FolderBase { seq: Seq(u64::from(number)), state: state.clone(), stored: state.clone() });
        let local = Some(LocalFolder { id: number.to_string(), state });
        index.put_folder(FolderUid([number; 16]), &FolderRecord { base, local, ..FolderRecord::default() }).unwrap();
    }
    for (uid, kind) in [(LETTER, Kind::Message), (PERSON, Kind::Contact)] {
        let (href, state) = (format!("{kind:?}"), state(kind, uid.0[0]));
        let local = Local { href, rev: vec![1], file_id: None, object_uid: None, state, fields: None };
        index.put_item(uid, &ItemRecord { local: Some(local), ..ItemRecord::default() }).unwrap();
    }
    replica.connected(&index).unwrap();
    replica.set_reading(true);
    let welcome = Welcome {
        minor: MINOR_VERSION,
        canon_rule: pim::CANON_RULE,
        epoch: Epoch([3; 16]),
        anew: false,
        stamp: [4; 16],
        is_reading: true,
    };
    replica.handle(&mut index, Frame::Welcome(welcome), [5; 16]).unwrap();
    let rows = Rows { rows, upto: Seq(9), mark: LogMark::default(), is_head: true, is_reading: true };
    replica.handle(&mut index, Frame::Rows(rows), [5; 16]).unwrap();
    replica.advance(&mut index, 0).unwrap();
    let mut items = Vec::new();
    while let Some(output) = replica.poll() {
        if let Output::Send(Frame::Propose(proposals)) = output {
            items.extend(proposals.into_iter().filter_map(|proposal| match proposal.subject {
                Subject::Item(item) => Some(item),
                _ => None,
            }));
        }
    }
    items
}

#[test]
fn a_message_is_sent_where_the_hub_has_none_without_its_twin() {
    assert_eq!(proposed(Vec::new()), [LETTER], "what only looks like the person may still come");
}

#[test]
fn a_message_waits_where_the_hub_has_one_that_may_be_its_twin() {
    let body = RowBody::Item(state(Kind::Message, 7));
    let stranger = Row { seq: Seq(9), subject: Subject::Item(ItemUid([9; 16])), body };
    assert_eq!(proposed(vec![stranger]), []);
}

/// What a replica of this program answers a hub that speaks a minor version.
fn said(minor: u16, program: &str) -> Vec<Frame> {
    let mut index = MemoryReplica::new(ReplicaId([1; 16]));
    let mut replica = Replica::new(Settings { program: program.into(), ..Settings::default() });
    replica.connected(&index).unwrap();
    let welcome = Welcome {
        minor,
        canon_rule: pim::CANON_RULE,
        epoch: Epoch([3; 16]),
        anew: false,
        stamp: [4; 16],
        is_reading: true,
    };
    replica.handle(&mut index, Frame::Welcome(welcome), [5; 16]).unwrap();
    let mut frames = Vec::new();
    while let Some(output) = replica.poll() {
        if let Output::Send(frame) = output {
            frames.push(frame);
        }
    }
    frames.split_off(1)
}

#[test]
fn a_hub_that_does_not_know_the_word_is_not_told_the_version_of_the_program() {
    assert_eq!(said(1, "0.1.0"), [Frame::StampSaved, Frame::Program("0.1.0".into())]);
    assert_eq!(said(0, "0.1.0"), [Frame::StampSaved]);
    assert_eq!(said(1, ""), [Frame::StampSaved]);
    assert_eq!(Frame::decode(&Frame::Program("x".repeat(65)).encode()), Err(FrameError::PastBound));
}
