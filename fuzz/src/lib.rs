//! What reads bytes of others, as targets for libFuzzer. `npm run fuzz` runs them.

#[path = "../../tests/foreign/readers.rs"]
mod readers;

/// Gives the bytes to a reader.
pub fn read(name: &str, bytes: &[u8]) {
    let reader = readers::READERS.iter().find(|reader| reader.name == name);
    (reader.expect("targets are named after readers").read)(bytes);
}
