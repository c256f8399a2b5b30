//! Who works in Evolution beside Tandem, by the calls Evolution makes.

use std::collections::HashMap;
use zbus::{
    blocking::{Connection, connection::Builder},
    zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Type},
};

const PREFIX: &str = "org.gnome.evolution.dataserver";

/// A program beside Tandem.
pub(crate) struct Person {
    connection: Connection,
    /// Path, name on the bus, and whether it is an address book.
    opened: HashMap<String, (String, String, bool)>,
}

impl Person {
    pub(crate) fn at(address: &str) -> Self {
        let connection = Builder::address(address).unwrap().build().unwrap();
        Self { connection, opened: HashMap::new() }
    }

    fn call<B, R>(&self, name: &str, path: &str, interface: &str, method: &str, body: &B) -> R
    where
        B: serde::Serialize + DynamicType,
        R: serde::de::DeserializeOwned + Type,
    {
        let interface = format!("{PREFIX}.{interface}");
        let reply = self.connection.call_method(Some(name), path, Some(&*interface), method, body).unwrap();
        reply.body().deserialize().unwrap()
    }

    /// The key file of each source, by uid.
    pub(crate) fn sources(&self) -> HashMap<String, String> {
        let (name, path) = (format!("{PREFIX}.Sources5"), "/org/gnome/evolution/dataserver/SourceManager");
        let interface = Some("org.freedesktop.DBus.ObjectManager");
        let reply = self.connection.call_method(Some(&*name), path, interface, "GetManagedObjects", &()).unwrap();
        let body = reply.body();
        let managed: HashMap<OwnedObjectPath, HashMap<String, HashMap<String, OwnedValue>>> =
            body.deserialize().unwrap();
        let text = |value: &OwnedValue| String::try_from(value.try_clone().unwrap()).unwrap();
        let sources = managed.values().filter_map(|interfaces| interfaces.get(&format!("{PREFIX}.Source")));
        sources.map(|source| (text(&source["UID"]), text(&source["Data"]))).collect()
    }

    /// Makes a source by its key file, and waits until it is there.
    pub(crate) fn makes_source(&self, uid: &str, file: &str) {
        let (name, path) = (format!("{PREFIX}.Sources5"), "/org/gnome/evolution/dataserver/SourceManager");
        let body = (HashMap::from([(uid, file)]),);
        let () = self.call(&name, path, "SourceManager", "CreateSources", &body);
        let started = std::time::Instant::now();
        while !self.sources().contains_key(uid) {
            assert!(started.elapsed().as_secs() < 60, "the source never comes");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn open(&mut self, source: &str) -> (String, String, bool) {
        if let Some(opened) = self.opened.get(source) {
            return opened.clone();
        }
        let file = self.sources().remove(source).expect("the source is there");
        let has = |group: &str| file.lines().any(|line| line == format!("[{group}]"));
        let is_book = has("Address Book");
        let (service, factory, method) = match () {
            () if is_book => ("AddressBook10", "AddressBookFactory", "OpenAddressBook"),
            () if has("Calendar") => ("Calendar8", "CalendarFactory", "OpenCalendar"),
            () if has("Task List") => ("Calendar8", "CalendarFactory", "OpenTaskList"),
            () => ("Calendar8", "CalendarFactory", "OpenMemoList"),
        };
        let path = format!("/org/gnome/evolution/dataserver/{factory}");
        let (path, name): (String, String) =
            self.call(&format!("{PREFIX}.{service}"), &path, factory, method, &(source,));
        let _: Vec<String> = self.call(&name, &path, interface(is_book), "Open", &());
        self.opened.insert(source.to_owned(), (path.clone(), name.clone(), is_book));
        (path, name, is_book)
    }

    pub(crate) fn adds(&mut self, source: &str, bytes: &[u8]) {
        let (path, name, is_book) = self.open(source);
        let method = if is_book { "CreateContacts" } else { "CreateObjects" };
        let _: Vec<String> = self.call(&name, &path, interface(is_book), method, &(objects(bytes), 8_u32));
    }

    pub(crate) fn edits(&mut self, source: &str, uid: &str, bytes: &[u8]) {
        let (path, name, is_book) = self.open(source);
        let objects: Vec<String> = objects(bytes).iter().map(|object| with_uid(object, uid)).collect();
        if is_book {
            let () = self.call(&name, &path, interface(is_book), "ModifyContacts", &(objects, 8_u32));
        } else {
            let () = self.call(&name, &path, interface(is_book), "ModifyObjects", &(objects, "this", 8_u32));
        }
    }

    pub(crate) fn deletes(&mut self, source: &str, uid: &str) {
        let (path, name, is_book) = self.open(source);
        if is_book {
            let () = self.call(&name, &path, interface(is_book), "RemoveContacts", &(&[uid][..], 8_u32));
        } else {
            let () = self.call(&name, &path, interface(is_book), "RemoveObjects", &(&[(uid, "")][..], "all", 8_u32));
        }
    }

    /// What the person sees of an item.
    pub(crate) fn sees(&mut self, source: &str, uid: &str) -> String {
        let (path, name, is_book) = self.open(source);
        if is_book {
            self.call(&name, &path, interface(is_book), "GetContact", &(uid,))
        } else {
            self.call(&name, &path, interface(is_book), "GetObject", &(uid, ""))
        }
    }

    /// Every object in a source: vCards or components.
    pub(crate) fn sees_all(&mut self, source: &str) -> Vec<String> {
        let (path, name, is_book) = self.open(source);
        if is_book {
            let all = r#"(contains "x-evolution-any-field" "")"#;
            self.call(&name, &path, interface(is_book), "GetContactList", &(all,))
        } else {
            self.call(&name, &path, interface(is_book), "GetObjectList", &("#t",))
        }
    }
}

fn interface(is_book: bool) -> &'static str {
    if is_book { "AddressBook" } else { "Calendar" }
}

/// Components without the calendar around them, or the vCard.
fn objects(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut objects = Vec::new();
    for name in ["VCARD", "VEVENT", "VTODO", "VJOURNAL"] {
        let (begin, end) = (format!("BEGIN:{name}\r\n"), format!("END:{name}\r\n"));
        let pieces = text.split(&begin).skip(1).filter_map(|piece| piece.split(&end).next());
        objects.extend(pieces.map(|piece| format!("{begin}{piece}{end}")));
    }
    objects
}

pub(crate) fn with_uid(object: &str, uid: &str) -> String {
    let line = |line: &str| if line.starts_with("UID:") { format!("UID:{uid}\r\n") } else { format!("{line}\r\n") };
    object.lines().map(line).collect()
}
