//! Tandem: app.
