//! The store in memory keeps the contract, as simulations rely on it.

mod common;
use common::MemorySubject;
use stores::{StoreId, memory::MemoryOptions};

mod like_files {
    use super::*;
    stores::conformance_tests!(MemorySubject::new(MemoryOptions::default()));
}

mod like_outlook {
    use super::*;
    stores::conformance_tests!(MemorySubject::new(MemoryOptions {
        id: StoreId("profile".into()),
        holds_uid: true,
        href_follows_folder: false,
        absence_wait_ms: 60_000,
        // What a program may do to an item: another revision line, properties it doesn't know are gone.
        rewrite: Some(std::sync::Arc::new(|_, bytes: &[u8]| {
            let (first, rest) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1));
            [first, b"X-REV:1\r\n", rest].concat()
        })),
    }));
}
