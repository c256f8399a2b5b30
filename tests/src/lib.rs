//! What the suites share that take more than one crate to show: real links, real files, real processes.
//!
//! Each suite is a folder beside this one and a `[[test]]` in `Cargo.toml`. What a single crate can show is tested there.
