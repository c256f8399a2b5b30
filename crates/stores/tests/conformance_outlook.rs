//! The Outlook connector keeps the contract, on a stand-in for Outlook in this process.
#![allow(clippy::unwrap_used)]

mod outlook;
use outlook::{
    local::{Local, LocalDoor},
    model::Manner,
    person::OutlookSubject,
};
use stores::outlook::OutlookStore;

fn subject(manner: Manner) -> OutlookSubject {
    let outlook = Local::new(manner);
    let there = outlook.clone();
    OutlookSubject::new(
        outlook.application(),
        Box::new(move |known, staging| {
            let there = there.clone();
            let door = Box::new(move || Box::new(LocalDoor(there)) as Box<dyn stores::outlook::Door>);
            Box::new(OutlookStore::through(door, Box::new(|| ()), None, known, staging))
        }),
    )
}

mod data_file {
    use super::*;
    stores::conformance_tests!(subject(Manner::default()));
}

/// No change key, and an item that moves is called another way.
mod odd_server {
    use super::*;
    stores::conformance_tests!(subject(Manner { has_change_key: false, moves_rename: true }));
}
