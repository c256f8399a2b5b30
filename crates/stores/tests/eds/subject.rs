//! The store under test, with a session and a person of its own.

use super::{
    person::{Person, with_uid},
    session::Session,
};
use pim::FolderKind;
use stores::{Entry, FolderInfo, Store, StoreId, conformance::Subject, eds::EdsStore};

/// The store, and the person in the same session.
pub(crate) struct EdsSubject {
    pub(crate) session: Session,
    person: Option<Person>,
}

impl EdsSubject {
    pub(crate) fn start() -> Option<Self> {
        Some(Self { session: Session::start()?, person: None })
    }

    pub(crate) fn person(&mut self) -> &mut Person {
        self.person.get_or_insert_with(|| Person::at(&self.session.address()))
    }

    fn moves_into(&mut self, home: &str) {
        self.vanishes();
        self.session.moves_into(home);
        self.session.log_in();
    }
}

fn parts(entry: &Entry) -> (&str, &str) {
    entry.href.0.split_once('/').unwrap()
}

impl Subject for EdsSubject {
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store> {
        let staging = self.session.place().join("staging");
        Box::new(EdsStore::new(Some(self.session.address()), known.cloned(), staging))
    }

    fn kinds(&self) -> Vec<FolderKind> {
        vec![FolderKind::Contacts, FolderKind::Calendar, FolderKind::Tasks, FolderKind::Notes]
    }

    fn adds(&mut self, folder: &FolderInfo, _: &str, bytes: &[u8]) {
        self.person().adds(&folder.id.0, bytes);
    }

    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        let (source, uid) = parts(entry);
        self.person().edits(source, uid, bytes);
    }

    fn deletes(&mut self, entry: &Entry) {
        let (source, uid) = parts(entry);
        self.person().deletes(source, uid);
    }

    fn copies(&mut self, entry: &Entry) {
        let (source, uid) = parts(entry);
        let copy = with_uid(&self.person().sees(source, uid), "a-copy");
        self.person().adds(source, copy.as_bytes());
    }

    fn vanishes(&mut self) {
        self.person = None;
        self.session.log_out();
    }

    fn is_emptied(&mut self) {
        self.moves_into("empty home");
    }

    fn is_replaced(&mut self) {
        self.moves_into("other home");
        self.store(None).open().unwrap();
    }

    fn comes_back(&mut self) {
        self.moves_into("home");
    }
}
