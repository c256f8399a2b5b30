//! Whatever base, local and remote say: what is decided ends, and no edit gets lost on the way.

use super::*;
use crate::{
    contract::{folder_uid, mail},
    replica::{settle_removed, settle_written},
};
use crate::{index::ReplicaIndex, memory::MemoryReplica, model::ReplicaId};
use pim::{FieldHashes, Flag, ItemUid};
use proptest::prelude::*;
use std::collections::BTreeSet;

const ITEM: ItemUid = ItemUid([1; 16]);

fn state(kind: Kind) -> impl Strategy<Value = ItemState> {
    (0..4u32, 0..3u32, any::<bool>()).prop_map(move |(content, folder, is_seen)| {
        let flags = Flags(if is_seen { BTreeSet::from([Flag::Seen]) } else { BTreeSet::new() });
        ItemState { kind, flags, folder: folder_uid(folder), ..mail(folder, &content.to_string()) }
    })
}

fn local(state: ItemState) -> Local {
    let fields = (state.kind != Kind::Message).then(FieldHashes::default);
    Local { href: "href".into(), rev: Vec::new(), file_id: None, object_uid: None, state, fields }
}

fn record() -> impl Strategy<Value = ItemRecord> {
    prop_oneof![Just(Kind::Message), Just(Kind::Contact)].prop_flat_map(|kind| {
        let base = (state(kind), state(kind)).prop_map(|(state, stored)| Base {
            seq: Seq(5),
            state,
            stored,
            fields: Some(FieldHashes::default()),
        });
        let remote = prop_oneof![
            state(kind).prop_map(|state| Remote::Live { seq: Seq(9), state }),
            state(kind).prop_map(|state| {
                let ItemState { folder, version, identity, .. } = state;
                let tombstone = Tombstone { folder, canon: version.canon, identity, at: 0, approved: false };
                Remote::Gone { seq: Seq(9), tombstone }
            }),
        ];
        let hold = prop_oneof![4 => Just(None), 1 => Just(Some(Hold::Revive)), 1 => Just(Some(Hold::Approved))];
        (
            proptest::option::of(base),
            proptest::option::of(state(kind).prop_map(local)),
            proptest::option::of(remote),
            hold,
        )
            .prop_map(|(base, local, remote, hold)| ItemRecord { base, local, remote, hold })
    })
}

/// A hub of one item, and what carrying out an action does to it and to the replica.
struct World {
    index: MemoryReplica,
    hub: Option<(Seq, Option<ItemState>)>,
    /// Contents that lie in a trash or a conflict.
    kept: BTreeSet<pim::CanonHash>,
    clock: u64,
}

impl World {
    fn of(record: &ItemRecord) -> Self {
        let mut index = MemoryReplica::new(ReplicaId([0; 16]));
        index.put_item(ITEM, record).unwrap();
        let base = record.base.as_ref().map(|base| (base.seq, Some(base.state.clone())));
        let hub = match &record.remote {
            Some(Remote::Live { seq, state }) => Some((*seq, Some(state.clone()))),
            Some(Remote::Gone { seq, .. }) => Some((*seq, None)),
            None => base,
        };
        Self { index, hub, kept: BTreeSet::new(), clock: 10 }
    }

    fn record(&self) -> ItemRecord {
        self.index.item(ITEM).unwrap().unwrap_or_default()
    }

    fn append(&mut self, state: Option<ItemState>) -> Seq {
        self.clock += 1;
        if let Some((_, Some(before))) = &self.hub {
            self.kept.insert(before.version.canon);
        }
        self.hub = Some((Seq(self.clock), state));
        Seq(self.clock)
    }

    fn carry_out(&mut self, action: Action) {
        let mut record = self.record();
        match action {
            Action::Rest => {}
            Action::Forget => record = ItemRecord { local: record.local, ..ItemRecord::default() },
            Action::Hold(hold) => record.hold = Some(hold),
            Action::Agree { seq, state } => {
                let local = record.local.clone().unwrap();
                settle_written(&mut self.index, ITEM, seq, state, local).unwrap();
                return;
            }
            Action::Send { parent, state, .. } => {
                assert_eq!(self.hub.as_ref().map_or(Seq(0), |(seq, _)| *seq), parent, "the hub takes it");
                let seq = self.append(Some(state.clone()));
                let local = record.local.clone().unwrap();
                crate::replica::accept_for_tests(&mut record, seq, state, &local);
            }
            Action::SendGone { parent, .. } => {
                assert_eq!(self.hub.as_ref().map(|(seq, _)| *seq), Some(parent));
                self.append(None);
                record = ItemRecord::default();
            }
            Action::Take { seq, state } => {
                if let Some(before) = &record.local {
                    self.kept.insert(before.state.version.canon);
                }
                settle_written(&mut self.index, ITEM, seq, state.clone(), local(state)).unwrap();
                return;
            }
            Action::Remove { seq, .. } => {
                let existing = record.local.clone().unwrap();
                self.kept.insert(existing.state.version.canon);
                settle_removed(&mut self.index, ITEM, seq, &existing).unwrap();
                return;
            }
            Action::Merge { seq, combined, theirs } => {
                // Everything clashes: ours becomes a conflict, theirs stays, as the engine does it.
                let ours = record.local.clone().unwrap();
                self.kept.insert(ours.state.version.canon);
                let result = ItemState { version: theirs.version, ..combined };
                record.base =
                    Some(Base { seq, state: theirs.clone(), stored: ours.state.clone(), fields: ours.fields.clone() });
                record.remote = Some(Remote::Live { seq, state: theirs.clone() });
                if !result.same_as(&theirs) {
                    let new = self.append(Some(result.clone()));
                    record.remote = Some(Remote::Live { seq: new, state: result });
                }
                record.base.as_mut().unwrap().state = ours.state;
            }
        }
        self.index.put_item(ITEM, &record).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_decided_is_done_in_a_few_steps_and_loses_no_edit(record in record()) {
        prop_assert_eq!(
            decide(&record, Direction::Both, Pairing::Combine),
            decide(&record, Direction::Both, Pairing::Combine)
        );
        let mut world = World::of(&record);
        let mut steps = 0;
        loop {
            let now = world.record();
            let action = decide(&now, Direction::Both, Pairing::Combine);
            if action == Action::Rest {
                break;
            }
            world.carry_out(action);
            steps += 1;
            prop_assert!(steps <= 4, "it doesn't end: {:?}", world.record());
        }
        let end = world.record();
        let mut kept = world.kept;
        kept.extend(end.local.as_ref().map(|local| local.state.version.canon));
        kept.extend(world.hub.as_ref().and_then(|(_, state)| state.as_ref()).map(|state| state.version.canon));
        if let Some(local) = &record.local {
            let is_edit = record.base.as_ref().is_none_or(|base| !local.state.version.same_content(&base.stored.version));
            prop_assert!(!is_edit || kept.contains(&local.state.version.canon), "an edit is lost: {:?}", end);
        }
        if end.hold.is_none() {
            let there = world.hub.and_then(|(_, state)| state);
            prop_assert_eq!(end.local.is_some(), there.is_some(), "both sides have it or none has");
        }
    }

    #[test]
    fn off_means_nothing_is_due(record in record()) {
        prop_assert_eq!(decide(&record, Direction::Off, Pairing::Combine), Action::Rest);
    }

    #[test]
    fn only_from_the_server_sends_nothing(record in record()) {
        let action = decide(&record, Direction::ToHere, Pairing::Combine);
        let sends = matches!(action, Action::Send { .. } | Action::SendGone { .. } | Action::Merge { .. });
        prop_assert!(!sends);
    }

    #[test]
    fn only_to_the_server_leaves_the_store_alone(record in record()) {
        let action = decide(&record, Direction::ToServer, Pairing::Combine);
        let writes = matches!(action, Action::Take { .. } | Action::Remove { .. } | Action::Merge { .. });
        prop_assert!(!writes);
    }
}
