//! Who works in Outlook beside Tandem, by the members Outlook has for it.

use super::model::switch;
use pim::{Flags, FolderKind, Format};
use std::{cell::RefCell, path::PathBuf, rc::Rc};
use stores::{
    Entry, FolderInfo, Store, StoreId,
    conformance::Subject,
    mapi::{self, Key, Message, Value, Zone},
    outlook::{Dispatch, Variant},
};

pub(crate) type Connect = Box<dyn Fn(Option<StoreId>, PathBuf) -> Box<dyn Store>>;

/// An Outlook, and a person at it.
pub(crate) struct OutlookSubject {
    /// The `Application` object, as the person has it.
    pub(crate) application: Rc<dyn Dispatch>,
    pub(crate) connect: Connect,
    pub(crate) home: tempfile::TempDir,
    pub(crate) made: RefCell<u32>,
}

pub(crate) fn object(value: Variant) -> Rc<dyn Dispatch> {
    match value {
        Variant::Object(object) => object,
        other => panic!("{other:?} is no object"),
    }
}

fn format(kind: FolderKind) -> Format {
    match kind {
        FolderKind::Mail => Format::Rfc5322,
        FolderKind::Contacts => Format::VCard,
        FolderKind::Calendar | FolderKind::Tasks | FolderKind::Notes => Format::ICalendar,
    }
}

impl OutlookSubject {
    pub(crate) fn new(application: Rc<dyn Dispatch>, connect: Connect) -> Self {
        Self { application, connect, home: tempfile::tempdir().unwrap(), made: RefCell::new(0) }
    }

    pub(crate) fn namespace(&self) -> Rc<dyn Dispatch> {
        object(self.application.call("GetNamespace", &["MAPI".into()]).unwrap())
    }

    pub(crate) fn item(&self, entry: &Entry) -> Rc<dyn Dispatch> {
        object(self.namespace().call("GetItemFromID", &[(&*entry.href.0).into()]).unwrap())
    }

    /// Drags a `.msg` file into a folder.
    pub(crate) fn drags(&self, folder: &str, message: &Message) -> Rc<dyn Dispatch> {
        *self.made.borrow_mut() += 1;
        let path = self.home.path().join(format!("{}.msg", self.made.borrow()));
        std::fs::write(&path, message.to_msg().unwrap()).unwrap();
        let namespace = self.namespace();
        let item = object(namespace.call("OpenSharedItem", &[Variant::Text(path.display().to_string())]).unwrap());
        let folder = namespace.call("GetFolderFromID", &[folder.into()]).unwrap();
        object(item.call("Move", &[folder]).unwrap())
    }

    fn switch(&self, presence: i32) {
        self.application.call("TestSwitch", &[presence.into()]).unwrap();
    }
}

impl Subject for OutlookSubject {
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store> {
        (self.connect)(known.cloned(), self.home.path().join("staging"))
    }

    fn adds(&mut self, folder: &FolderInfo, _: &str, bytes: &[u8]) {
        let message =
            mapi::from_item(folder.kind, format(folder.kind), bytes, &Flags::default(), &Zone::utc()).unwrap();
        self.drags(&folder.id.0, &message);
    }

    /// Types over the texts of the item.
    fn edits(&mut self, entry: &Entry, bytes: &[u8]) {
        let kind = match entry.format {
            Format::VCard => FolderKind::Contacts,
            _ if bytes.windows(6).any(|word| word == b"VEVENT") => FolderKind::Calendar,
            _ if bytes.windows(5).any(|word| word == b"VTODO") => FolderKind::Tasks,
            _ => FolderKind::Notes,
        };
        let message = mapi::from_item(kind, entry.format, bytes, &Flags::default(), &Zone::utc()).unwrap();
        let item = self.item(entry);
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (key, value) in &message.properties.0 {
            match (key, value) {
                (Key::Tag(0x1000), Value::Text(text)) => item.put("Body", Variant::Text(text.clone())).unwrap(),
                (Key::Tag(tag), Value::Text(text)) => {
                    names.push(Variant::Text(format!("http://schemas.microsoft.com/mapi/proptag/0x{tag:04X}001F")));
                    values.push(Variant::Text(text.clone()));
                }
                _ => {}
            }
        }
        let accessor = object(item.get("PropertyAccessor").unwrap());
        accessor.call("SetProperties", &[Variant::List(names), Variant::List(values)]).unwrap();
        item.call("Save", &[]).unwrap();
    }

    fn deletes(&mut self, entry: &Entry) {
        self.item(entry).call("Delete", &[]).unwrap();
    }

    fn copies(&mut self, entry: &Entry) {
        self.item(entry).call("Copy", &[]).unwrap();
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
