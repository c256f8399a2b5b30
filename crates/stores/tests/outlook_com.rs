//! The same over COM, in another process: threads, types and events as they are with the real Outlook.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

mod outlook;
use outlook::person::OutlookSubject;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};
use stores::{
    conformance::Subject,
    outlook::{OutlookStore, application, enter_apartment},
};

/// There is one Outlook on a computer: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The stand-in, running as long as this is held.
struct Running {
    subject: Option<OutlookSubject>,
    child: Child,
    _input: ChildStdin,
    _home: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Running {
    fn start() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        register();
        let mut exe = std::env::current_exe().unwrap();
        exe.pop();
        exe.pop();
        let double = exe.join("examples").join("outlook-double.exe");
        // Who looks for Outlook looks for a process of this name.
        let home = tempfile::tempdir().unwrap();
        let exe = home.path().join("OUTLOOK.EXE");
        std::fs::copy(double, &exe).expect("the examples are built");
        let mut child = Command::new(exe).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        enter_apartment();
        let connect =
            Box::new(|known, staging| Box::new(OutlookStore::running(None, known, staging)) as Box<dyn stores::Store>);
        let subject = OutlookSubject::new(application().expect("it is running"), connect);
        Self { subject: Some(subject), child, _input: input, _home: home, _alone: alone }
    }

    fn subject(&mut self) -> &mut OutlookSubject {
        self.subject.as_mut().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.subject = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What Outlook's own setup writes, as far as COM needs it.
fn register() {
    let class = "{0006F03A-0000-0000-C000-000000000046}";
    let add = |key: &str, value: &str| {
        // Wine 8 looks up classes of the computer only; a user without rights writes their own.
        let add_to = |hive: &str| {
            let key = format!(r"{hive}\Software\Classes\{key}");
            let mut reg = Command::new("reg");
            let added = reg.args(["add", &key, "/ve", "/d", value, "/f"]).stdout(Stdio::null()).stderr(Stdio::null());
            added.status().unwrap().success()
        };
        assert!(add_to("HKLM") || add_to("HKCU"), "a class can be registered");
    };
    add("Outlook.Application", "A stand-in for Outlook");
    add(r"Outlook.Application\CLSID", class);
    add(&format!(r"CLSID\{class}"), "A stand-in for Outlook");
    // Events travel by the system's own marshaller for IDispatch.
    add(r"Interface\{00063077-0000-0000-C000-000000000046}", "ItemsEvents");
    add(r"Interface\{00063077-0000-0000-C000-000000000046}\ProxyStubClsid32", "{00020420-0000-0000-C000-000000000046}");
}

stores::conformance_tests!(*Running::start().subject());

#[test]
fn an_outlook_that_was_closed_is_told_and_found_again() {
    let mut running = Running::start();
    let mut store = running.subject().store(None);
    let id = store.open().unwrap();
    drop(running);
    let closed = store.open().unwrap_err();
    assert!(matches!(closed, stores::StoreError::Program { state: stores::ProgramState::Closed, .. }), "{closed:?}");
    let _running = Running::start();
    // Another process, whose store was never used: it must not be taken for the one there was.
    let other = store.open();
    assert!(matches!(other, Err(stores::StoreError::Replaced)), "{other:?}, {id:?}");
}
