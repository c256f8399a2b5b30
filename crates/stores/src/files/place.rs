//! From folder ids and hrefs to paths.
//!
//! A folder id is the part's name and the names below it: `mail`, `mail/.Archive.2024`, `calendars/Private`. An href is
//! a folder id, `/` and the item's name there. Both come back from databases and intents, so they are checked: nothing
//! leads out of the store.

use super::{disk::FileSystemFacts, spec::Part, text};
use crate::{FolderId, Href, StoreError};
use std::{collections::BTreeMap, path::PathBuf};

/// Folders may lie this deep inside each other.
pub(super) const DEPTH_MAX: usize = 64;
/// Where new files are written inside a vdir folder before they get their name.
pub(super) const STAGING: &str = ".tandem-tmp";

/// The folders of the parts that this store has, and what their file systems are like.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) parts: BTreeMap<Part, PathBuf>,
    pub(super) facts: BTreeMap<Part, FileSystemFacts>,
}

/// A folder of the store on disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) part: Part,
    pub(super) path: PathBuf,
}

impl Place {
    /// Where files wait on the same file system until they get their name.
    pub(super) fn staging(&self) -> PathBuf {
        self.path.join(if self.part == Part::Mail { "tmp" } else { STAGING })
    }
}

impl Places {
    /// What is known of a part's file system.
    pub(super) fn facts(&self, part: Part) -> FileSystemFacts {
        let careful = FileSystemFacts { is_remote: true, keeps_file_ids: false, dates_folders: false };
        self.facts.get(&part).copied().unwrap_or(careful)
    }

    /// Where a folder lies.
    pub(super) fn folder(&self, folder: &FolderId) -> Result<Place, StoreError> {
        let mut names = folder.0.split('/');
        let part = names.next().and_then(Part::by_name).ok_or(StoreError::NotFound)?;
        let mut path = self.parts.get(&part).ok_or(StoreError::NotFound)?.clone();
        for (depth, name) in names.enumerate() {
            // Mail folders all lie beside each other and begin with a dot; elsewhere a dot hides a folder.
            let is_mail_folder = part == Part::Mail && depth == 0 && name.starts_with('.');
            let is_nested = part != Part::Mail && depth < DEPTH_MAX && !name.starts_with('.');
            if !is_mail_folder && !is_nested {
                return Err(StoreError::NotFound);
            }
            path.push(text::text_to_name(name).ok_or(StoreError::NotFound)?);
        }
        Ok(Place { part, path })
    }

    /// Where an item lies: its folder, and its name there as text.
    pub(super) fn item<'a>(&self, href: &'a Href) -> Result<(FolderId, Place, &'a str), StoreError> {
        let (folder, name) = split(href).ok_or(StoreError::NotFound)?;
        let place = self.folder(&folder)?;
        Ok((folder, place, name))
    }
}

/// The folder of an item and its name there.
pub(super) fn split(href: &Href) -> Option<(FolderId, &str)> {
    let (folder, name) = href.0.rsplit_once('/')?;
    Some((FolderId(folder.to_owned()), name))
}

/// The href of an item.
pub(super) fn href(folder: &FolderId, name: &str) -> Href {
    Href(format!("{}/{name}", folder.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        let parts = [(Part::Mail, "/s/mail".into()), (Part::Calendars, "/s/calendars".into())];
        Places { parts: parts.into(), ..Places::default() }
    }

    #[test]
    fn ids_lead_to_folders() {
        let path = |id: &str| places().folder(&FolderId(id.into())).map(|place| place.path).ok();
        assert_eq!(path("mail"), Some("/s/mail".into()));
        assert_eq!(path("mail/.A.B"), Some("/s/mail/.A.B".into()));
        assert_eq!(path("calendars/Home/100%25"), Some("/s/calendars/Home/100%".into()));
    }

    #[test]
    fn no_id_leads_out_of_the_store() {
        for id in [
            "",
            "etc",
            "mail/..",
            "mail/cur",
            "mail/.A/x",
            "calendars/../x",
            "calendars//x",
            "calendars/a%2Fb",
            "calendars/.git",
            "notes",
        ] {
            assert!(places().folder(&FolderId(id.into())).is_err(), "{id}");
        }
    }
}
