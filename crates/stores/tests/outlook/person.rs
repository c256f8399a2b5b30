//! The suite's subject: an Outlook, and a person at it.

use super::model::switch;
use std::{path::PathBuf, rc::Rc};
use stores::{
    Entry, FolderInfo, Store, StoreId,
    conformance::Subject,
    outlook::{Dispatch, Person, Variant},
};

pub(crate) type Connect = Box<dyn Fn(Option<StoreId>, PathBuf) -> Box<dyn Store>>;

pub(crate) struct OutlookSubject {
    /// The `Application` object, as the person has it.
    application: Rc<dyn Dispatch>,
    person: Person,
    connect: Connect,
    home: tempfile::TempDir,
}

pub(crate) fn object(value: Variant) -> Rc<dyn Dispatch> {
    match value {
        Variant::Object(object) => object,
        other => panic!("{other:?} is no object"),
    }
}

impl OutlookSubject {
    pub(crate) fn new(application: Rc<dyn Dispatch>, connect: Connect) -> Self {
        let home = tempfile::tempdir().unwrap();
        let person = Person::new(Rc::clone(&application), home.path().to_owned(), None).unwrap();
        Self { application, person, connect, home }
    }

    /// By a member that only the stand-in has.
    fn switch(&self, presence: i32) {
        self.application.call("TestSwitch", &[presence.into()]).unwrap();
    }
}

impl Subject for OutlookSubject {
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store> {
        (self.connect)(known.cloned(), self.home.path().join("staging"))
    }

    fn adds(&mut self, folder: &FolderInfo, _: &str, bytes: &[u8]) {
        self.person.adds(folder, bytes).unwrap();
    }

    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        self.person.edits(entry, bytes).unwrap();
    }

    fn deletes(&mut self, entry: &Entry) {
        self.person.deletes(entry).unwrap();
    }

    fn copies(&mut self, entry: &Entry) {
        self.person.copies(entry).unwrap();
    }

    fn vanishes(&mut self) {
        self.switch(switch::CLOSED);
    }

    fn is_emptied(&mut self) {
        self.switch(switch::EMPTIED);
    }

    fn is_replaced(&mut self) {
        self.switch(switch::REPLACED);
    }

    fn comes_back(&mut self) {
        self.switch(switch::THERE);
    }
}
