//! A replica whose planning doesn't come to an end.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

use sync::{
    index::{FolderRecord, LocalFolder, ReplicaIndex},
    memory::MemoryReplica,
    model::{Epoch, FolderState, LogMark, ReplicaId, Seq},
    replica::{Output, Replica, Settings},
    wire::{Frame, Rows, Welcome},
};

fn meet(replica: &mut Replica, index: &mut MemoryReplica) -> Vec<Output> {
    let welcome = Welcome {
        minor: 0,
        canon_rule: pim::CANON_RULE,
        epoch: Epoch([1; 16]),
        anew: false,
        stamp: [2; 16],
        is_reading: false,
    };
    let rows = Rows { rows: Vec::new(), upto: Seq(0), mark: LogMark::default(), is_head: true, is_reading: false };
    replica.connected(index).unwrap();
    replica.handle(index, Frame::Welcome(welcome), [3; 16]).unwrap();
    replica.handle(index, Frame::Rows(rows), [3; 16]).unwrap();
    replica.advance(index, 1_795_000_000).unwrap();
    std::iter::from_fn(|| replica.poll()).collect()
}

#[test]
fn planning_that_does_not_end_stops_the_run_and_the_next_one_begins_anew() {
    let mut index = MemoryReplica::new(ReplicaId([7; 16]));
    let state = FolderState { kind: pim::FolderKind::Mail, parent: None, name: "Inbox".into(), special_use: None };
    let folder = FolderRecord { local: Some(LocalFolder { id: "i".into(), state }), ..FolderRecord::default() };
    index.put_folder(pim::FolderUid([9; 16]), &folder).unwrap();

    let mut replica = Replica::new(Settings { rounds_max: 0, ..Settings::default() });
    let outputs = meet(&mut replica, &mut index);
    assert_eq!(outputs, vec![Output::Endless], "nothing goes out beside that");
    assert!(!replica.is_quiet());
    replica.advance(&mut index, 1_795_000_001).unwrap();
    assert_eq!(replica.poll(), None, "and nothing more happens in this run");

    replica.settings_mut().rounds_max = Settings::default().rounds_max;
    let outputs = meet(&mut replica, &mut index);
    assert!(outputs.iter().any(|output| matches!(output, Output::Send(Frame::Propose(_)))), "{outputs:?}");
}
