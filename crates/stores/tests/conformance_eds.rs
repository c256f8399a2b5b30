//! The connector for Evolution Data Server keeps the contract, on a real one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code)]

mod eds;
use eds::subject::EdsSubject;

stores::conformance_tests!(match EdsSubject::start() {
    Some(subject) => subject,
    None => return,
});
