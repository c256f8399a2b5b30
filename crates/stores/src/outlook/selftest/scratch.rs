//! A data file of our own in a person's Outlook: added, renamed, taken out, replaced, as a person does it in the account
//! settings.

use crate::{
    Entry, FolderInfo, Store, StoreError, StoreId,
    conformance::Subject,
    outlook::{Doors, OutlookStore, Person, dispatch::Object, session::each},
    staging::random_hex,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// `OlStoreType.olStoreUnicode`.
const UNICODE: i32 = 2;
/// `OlDefaultFolders.olFolderDeletedItems`.
const DELETED_ITEMS: i32 = 3;

pub(super) struct Scratch {
    doors: Doors,
    application: Object,
    namespace: Object,
    place: PathBuf,
    /// How Outlook shows the data file.
    name: String,
    /// In the names of the data files: how Outlook writes the rest of a path is Outlook's affair.
    number: String,
    /// The root folder of the data file that is in the profile, used or not.
    added: Option<Object>,
    shown: Option<Shown>,
}

/// The data file that is used just now.
struct Shown {
    which: Which,
    store: Object,
    root: Object,
    person: Person,
}

/// Files by this name take each other's place.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Which {
    Ours,
    Empty,
    Other,
}

impl Which {
    fn file(self, number: &str) -> String {
        let which = match self {
            Self::Ours => "selftest",
            Self::Empty => "empty",
            Self::Other => "other",
        };
        format!("{which}-{number}.pst")
    }
}

impl Scratch {
    pub(super) fn make(doors: &Doors, application: Object, place: &Path) -> Result<Self, StoreError> {
        let namespace = application.call_object("GetNamespace", &["MAPI".into()])?;
        let number = random_hex::<4>();
        let name = format!("Tandem self-test {number}");
        let (doors, place) = (doors.clone(), place.to_owned());
        let mut scratch = Self { doors, application, namespace, place, name, number, added: None, shown: None };
        scratch.show(Which::Ours)?;
        Ok(scratch)
    }

    fn show(&mut self, which: Which) -> Result<(), StoreError> {
        if self.shown.as_ref().is_some_and(|shown| shown.which == which) {
            return Ok(());
        }
        self.hide()?;
        let file = which.file(&self.number);
        let path = self.place.join(&file).display().to_string();
        self.namespace.call("AddStoreEx", &[(&*path).into(), UNICODE.into()])?;
        let mut found = None;
        for store in each(&self.namespace.object("Stores")?)? {
            let is_it =
                |path: String| Path::new(&path).file_name().is_some_and(|name| name.eq_ignore_ascii_case(&file));
            if store.text("FilePath").is_ok_and(is_it) {
                found = Some(store);
            }
        }
        let store = found.ok_or(StoreError::NotFound)?;
        let root = store.call_object("GetRootFolder", &[])?;
        self.added = Some(root.clone());
        if root.text("Name")? != self.name {
            root.put("Name", &*self.name)?;
        }
        let person = Person::new(self.application.0.clone(), self.place.clone(), Some(store.text("StoreID")?))?;
        self.shown = Some(Shown { which, store, root, person });
        Ok(())
    }

    fn hide(&mut self) -> Result<(), StoreError> {
        self.shown = None;
        if let Some(root) = &self.added {
            self.namespace.call("RemoveStore", &[root.itself()])?;
        }
        self.added = None;
        Ok(())
    }

    fn shown(&self) -> &Shown {
        self.shown.as_ref().expect("a data file is in the profile")
    }

    /// The data file as it was when it was new.
    pub(super) fn clean(&mut self) -> Result<(), StoreError> {
        self.show(Which::Ours)?;
        let Shown { store, root, .. } = self.shown();
        let trash = store.call_object("GetDefaultFolder", &[DELETED_ITEMS.into()])?;
        let trash_id = trash.text("EntryID")?;
        for folder in each(&root.object("Folders")?)? {
            // What is always there can't be deleted.
            if folder.text("EntryID")? != trash_id {
                let _ = folder.call("Delete", &[]);
            }
        }
        for collection in ["Folders", "Items"] {
            for gone in each(&trash.object(collection)?)? {
                gone.call("Delete", &[])?;
            }
        }
        Ok(())
    }

    /// Takes everything away; whether nothing is left. Outlook may hold a data file until it is closed.
    pub(super) fn remove(mut self) -> bool {
        let is_hidden = self.hide().is_ok();
        let files = [Which::Ours, Which::Empty, Which::Other].map(|which| self.place.join(which.file(&self.number)));
        let are_gone = files.iter().all(|file| !file.exists() || fs::remove_file(file).is_ok());
        is_hidden && are_gone
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = self.hide();
    }
}

impl Subject for Scratch {
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store> {
        let staging = self.place.join("staging");
        Box::new(OutlookStore::through(self.doors.clone(), Some(self.name.clone()), known.cloned(), staging))
    }

    fn adds(&mut self, folder: &FolderInfo, _: &str, bytes: &[u8]) {
        self.shown().person.adds(folder, bytes).expect("a person can add an item");
    }

    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        self.shown().person.edits(entry, bytes).expect("a person can edit an item");
    }

    fn deletes(&mut self, entry: &Entry) {
        self.shown().person.deletes(entry).expect("a person can delete an item");
    }

    fn copies(&mut self, entry: &Entry) {
        self.shown().person.copies(entry).expect("a person can copy an item");
    }

    fn vanishes(&mut self) {
        self.hide().expect("a data file can be taken out");
    }

    fn is_emptied(&mut self) {
        self.show(Which::Empty).expect("another data file can be added");
    }

    fn is_replaced(&mut self) {
        self.show(Which::Other).expect("another data file can be added");
        self.store(None).open().expect("the other data file can be used");
    }

    fn comes_back(&mut self) {
        self.show(Which::Ours).expect("a data file can be added again");
    }
}
