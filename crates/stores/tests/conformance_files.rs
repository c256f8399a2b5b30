//! The files connector keeps the contract.

mod common;
use common::FilesSubject;

stores::conformance_tests!(FilesSubject::new());
