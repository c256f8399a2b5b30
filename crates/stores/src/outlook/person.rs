//! Who works in Outlook beside Tandem, by the members Outlook has for what people do: for tests and for the self-test.

use super::dispatch::{Dispatch, Fault, Object, Variant};
use crate::{
    Entry, FolderInfo, StoreError,
    mapi::{self, Key, Message, Value, Zone},
    staging::io,
};
use pim::{Flags, FolderKind, Format};
use std::{cell::Cell, fmt, fs, path::PathBuf, rc::Rc};

/// A person at the Outlook that is running. What Outlook refuses them comes back as it said it.
pub struct Person {
    namespace: Object,
    home: PathBuf,
    /// `StoreID` of the store the items are in.
    store: Option<String>,
    made: Cell<u32>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}

impl Person {
    /// Who has this `Application` object, and files in a folder of their own that is there. `store` is the `StoreID` of
    /// the store they work in, if it isn't the default one.
    pub fn new(application: Rc<dyn Dispatch>, home: PathBuf, store: Option<String>) -> Result<Self, Fault> {
        let namespace = Object(application).call_object("GetNamespace", &["MAPI".into()])?;
        Ok(Self { namespace, home, store, made: Cell::new(0) })
    }

    /// Drags a `.msg` file into a folder.
    pub fn drags(&self, folder: &str, message: &Message) -> Result<(), StoreError> {
        self.made.set(self.made.get() + 1);
        let path = self.home.join(format!("dragged{}.msg", self.made.get()));
        let bytes = message.to_msg().map_err(|_| StoreError::Unsupported)?;
        fs::write(&path, bytes).map_err(|error| io(&error, &path))?;
        let item = self.namespace.call_object("OpenSharedItem", &[Variant::Text(path.display().to_string())])?;
        let folder = self.by_id("GetFolderFromID", folder)?;
        item.call("Move", &[folder.itself()])?;
        drop(item);
        // Outlook may hold the file a moment longer.
        let _ = fs::remove_file(&path);
        Ok(())
    }

    /// Adds an item of the folder's kind.
    pub fn adds(&self, folder: &FolderInfo, bytes: &[u8]) -> Result<(), StoreError> {
        self.drags(&folder.id.0, &message(folder.kind, folder.kind.format(), bytes)?)
    }

    /// Types over the texts of an item.
    pub fn edits(&self, entry: &Entry, bytes: &[u8]) -> Result<(), StoreError> {
        let kind = match entry.format {
            Format::VCard => FolderKind::Contacts,
            _ if bytes.windows(6).any(|word| word == b"VEVENT") => FolderKind::Calendar,
            _ if bytes.windows(5).any(|word| word == b"VTODO") => FolderKind::Tasks,
            _ => FolderKind::Notes,
        };
        let item = self.item(entry)?;
        let mut texts = Vec::new();
        for (key, value) in message(kind, entry.format, bytes)?.properties.0 {
            match (key, value) {
                (Key::Tag(0x1000), Value::Text(text)) => item.put("Body", &*text)?,
                (Key::Tag(tag), Value::Text(text)) => {
                    let name = format!("http://schemas.microsoft.com/mapi/proptag/0x{tag:04X}001F");
                    texts.push((name, Variant::Text(text)));
                }
                _ => {}
            }
        }
        item.set_properties(texts)?;
        item.call("Save", &[])?;
        Ok(())
    }

    /// Removes an item.
    pub fn deletes(&self, entry: &Entry) -> Result<(), StoreError> {
        Ok(self.item(entry)?.call("Delete", &[]).map(drop)?)
    }

    /// Copies an item within its folder.
    pub fn copies(&self, entry: &Entry) -> Result<(), StoreError> {
        Ok(self.item(entry)?.call("Copy", &[]).map(drop)?)
    }

    fn item(&self, entry: &Entry) -> Result<Object, Fault> {
        self.by_id("GetItemFromID", &entry.href.0)
    }

    fn by_id(&self, member: &str, id: &str) -> Result<Object, Fault> {
        let ids: Vec<Variant> = [Some(id), self.store.as_deref()].into_iter().flatten().map(Variant::from).collect();
        self.namespace.call_object(member, &ids)
    }
}

fn message(kind: FolderKind, format: Format, bytes: &[u8]) -> Result<Message, StoreError> {
    mapi::from_item(kind, format, bytes, &Flags::default(), &Zone::utc()).map_err(|_| StoreError::Unsupported)
}
