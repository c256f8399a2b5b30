//! The same over COM, in another process: threads, types and events as they are with the real Outlook.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

mod outlook;
use outlook::{person::OutlookSubject, program::Desk};
use std::{
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
};
use stores::{
    conformance::Subject,
    outlook::{OutlookStore, application, enter_apartment},
};

/// There is one Outlook on a computer: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The stand-in, running as long as this is held; who works in it ends before it does.
struct Running {
    subject: OutlookSubject,
    _desk: Desk,
    _alone: MutexGuard<'static, ()>,
}

impl Running {
    fn start() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tests = std::env::current_exe().unwrap();
        tests.pop();
        tests.pop();
        let desk = Desk::start(&tests.join("examples").join("outlook-double.exe"), |program| Command::new(program));
        enter_apartment();
        let connect =
            Box::new(|known, staging| Box::new(OutlookStore::running(None, known, staging)) as Box<dyn stores::Store>);
        let subject = OutlookSubject::new(application().expect("it is running"), connect);
        Self { subject, _desk: desk, _alone: alone }
    }
}

stores::conformance_tests!(Running::start().subject);

#[test]
fn an_outlook_that_was_closed_is_told_and_found_again() {
    let mut running = Running::start();
    let mut store = running.subject.store(None);
    let id = store.open().unwrap();
    drop(running);
    let closed = store.open().unwrap_err();
    assert!(matches!(closed, stores::StoreError::Program { state: stores::ProgramState::Closed, .. }), "{closed:?}");
    let _running = Running::start();
    // Another process, whose store was never used: it must not be taken for the one there was.
    let other = store.open();
    assert!(matches!(other, Err(stores::StoreError::Replaced)), "{other:?}, {id:?}");
}
