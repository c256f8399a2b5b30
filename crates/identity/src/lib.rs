//! Tandem: identity.
