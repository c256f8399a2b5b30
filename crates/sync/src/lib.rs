//! Tandem: sync.
