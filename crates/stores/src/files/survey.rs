//! Looking at a store without becoming part of it: nothing is written, not even a mark.

use super::{FilesSpec, FilesStore, Part, disk, maildir, place::Place, vdir};
use crate::{FolderInfo, Listing, StoreError, StoreId};

/// A folder and how much lies in it, without its subfolders.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// The folder. Its marks weren't read.
    pub folder: FolderInfo,
    /// Items, or why they can't be counted.
    pub count: Result<Count, StoreError>,
}

/// How much lies in a folder.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    /// Items that can be read.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Items that can't be read.
    pub unreadable: u64,
}

/// Every folder of a store, parents before children. A place that isn't there has none.
pub fn survey(spec: &FilesSpec) -> Result<Vec<Surveyed>, StoreError> {
    let store = FilesStore::open_at(spec.clone());
    // Marks name a store; without reading them no name is needed.
    let nobody = StoreId(String::new());
    let folders = store.tree(&nobody).list_without_marks()?;
    let count = |folder: &FolderInfo| {
        let place = store.places.folder(&folder.id)?;
        count(&store, folder, &place)
    };
    Ok(folders.into_iter().map(|folder| Surveyed { count: count(&folder), folder }).collect())
}

fn count(store: &FilesStore, folder: &FolderInfo, place: &Place) -> Result<Count, StoreError> {
    let facts = disk::file_system_facts(&place.path);
    let listed = if place.part == Part::Mail {
        maildir::list(&folder.id, place, facts, &store.known, None)
    } else {
        vdir::list(&folder.id, place, facts, None)
    };
    let listed = match listed {
        // A mail folder that exists only in the names of those inside it.
        Err(StoreError::NotFound) => return Ok(Count::default()),
        listed => listed?,
    };
    let unreadable = if let Listing::Partial { unreadable, .. } = &listed { unreadable.len() as u64 } else { 0 };
    let entries = listed.into_entries();
    let bytes = entries.iter().map(|entry| entry.size).sum();
    Ok(Count { items: entries.len() as u64, bytes, unreadable })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_survey_counts_and_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("data");
        for folder in ["mail/cur", "mail/new", "mail/tmp", "contacts/Friends", "calendars/Work"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("mail/cur/1.a.host:2,S"), "Subject: a\n\nb\n").unwrap();
        let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:A\r\nEND:VCARD\r\n";
        fs::write(root.join("contacts/Friends/a.vcf"), card).unwrap();
        let names = |folder: &std::path::Path| {
            let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let before = names(&root);
        let spec = FilesSpec::parse(&format!("files:{}", root.display())).unwrap();
        let found = survey(&spec).unwrap();
        let counted: Vec<(&str, u64)> =
            found.iter().map(|one| (one.folder.name.as_str(), one.count.as_ref().unwrap().items)).collect();
        assert!(counted.contains(&("Friends", 1)) && counted.contains(&("Work", 0)), "{counted:?}");
        assert_eq!(counted.iter().map(|(_, items)| items).sum::<u64>(), 2);
        assert_eq!(names(&root), before);
        assert_eq!(names(&root.join("contacts/Friends")).len(), 1);
    }

    #[test]
    fn a_place_that_is_not_there_has_no_folders() {
        let spec = FilesSpec::parse("files:/nowhere/at/all").unwrap();
        assert!(survey(&spec).unwrap().is_empty());
    }
}
