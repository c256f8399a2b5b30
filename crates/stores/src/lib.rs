//! Places on this computer where items live, behind one trait.
//!
//! A [`Store`] is used by one thread at a time; [`Reader`]s may be used from others meanwhile. A store never guesses:
//! what it could not list it says ([`Listing::Partial`]), and every write says what it believes about its target
//! ([`Change`]) and is refused if that no longer holds ([`StoreError::Changed`]).
//!
//! Connectors: [`files`] (Maildir and vdir folders), [`outlook`] (classic Outlook on Windows), `eds` (Evolution Data
//! Server on Linux) and [`memory`] (for simulations). [`SeveralStores`] makes one of several. [`conformance`] is the suite that every connector passes.

mod change;
pub use change::{Change, Intent, NewContent, Recovered, Written};

mod error;
pub use error::{Program, ProgramState, StoreError};

mod folder;
pub use folder::{FolderId, FolderInfo};

mod item;
pub use item::{Content, Entry, Href, Listing, ListingToken, Payload, Rev};

mod several;
pub use several::{Part, SeveralStores, shown_beside};

mod staging;

mod store;
pub use store::{Caps, Flush, Reader, Store, StoreId, Watch};

pub mod conformance;
#[cfg(target_os = "linux")]
pub mod eds;
pub mod files;
pub mod import;
pub mod mapi;
pub mod memory;
pub mod outlook;
pub mod pst;
