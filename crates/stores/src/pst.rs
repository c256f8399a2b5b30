//! Outlook's data files (`.pst`, and `.ost` up to Outlook 2010), read-only (MS-PST).
//!
//! ```text
//! header → node tree (which items and folders there are) and block tree (where their bytes are)
//! item   = node: a heap with a property context; below it tables of recipients and attachments, and large values
//! ```
//!
//! Why not crate `outlook-pst`: it refuses items without recipients and attachments (each distribution list), loses a
//! whole item to one odd property, and has no bounds for what a damaged file says about itself. It was the model for the
//! numbers here, and two other programs check the results in tests.
//!
//! Folders and items are found by the node tree alone, so that a damaged table of contents costs nothing.

mod crypt;
mod ltp;
mod ndb;

use crate::mapi::{Attachment, Bag, Key, Message, Value, names, text};
use ltp::Context;
use ndb::{Nid, Node};
use std::{
    collections::BTreeMap,
    io::{self, Read, Seek},
};

/// Why a file or a part of it can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PstError {
    /// Not a file of Outlook.
    #[error("this is not an Outlook data file")]
    NotPst,
    /// A kind of file this crate can't read.
    #[error("this kind of Outlook data file can't be read (version {version})")]
    Version {
        /// As in the header.
        version: u16,
    },
    /// A part of it isn't what it should be.
    #[error("this part of the file is damaged")]
    Damaged,
    /// More than an item can hold.
    #[error("the item is larger than an item can be")]
    TooLarge,
    /// The file can't be read.
    #[error("the file can't be read")]
    Io(#[from] io::Error),
}

/// An open data file.
#[derive(Debug)]
pub struct Pst<R> {
    ndb: ndb::Ndb<R>,
    /// Which named property each number from 0x8000 stands for.
    names: BTreeMap<u16, Key>,
    nodes: Vec<Node>,
    /// What the file says about itself.
    store: Bag,
    /// Parts of the node tree that can't be read.
    missing: u64,
}

/// A folder of the data file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PstFolder {
    /// Names from the top of the folders people see; empty for that top itself.
    pub path: Vec<String>,
    /// What it was made for (`IPF.Note`, `IPF.Contact` …); empty where it doesn't say.
    pub class: String,
    /// What it is for, where the file says.
    pub special_use: Option<pim::SpecialUse>,
    /// Its items, in the order in which they came into the file.
    pub items: Vec<u32>,
}

const STORE: Nid = Nid(0x21);
const NAMES: Nid = Nid(0x61);
const ROOT_FOLDER: Nid = Nid(0x122);
/// Folders in folders.
const DEPTH_MAX: usize = 64;
/// Items in items.
const INNER_MAX: usize = 12;
const PARTS_MAX: usize = 65_536;

/// Properties of the store and of folders.
mod key {
    use crate::mapi::Key;

    pub(super) const TOP: Key = Key::Tag(0x35E0);
    pub(super) const OUTBOX: Key = Key::Tag(0x35E2);
    pub(super) const TRASH: Key = Key::Tag(0x35E3);
    pub(super) const SENT: Key = Key::Tag(0x35E4);
    pub(super) const DRAFTS: Key = Key::Tag(0x36D7);
    pub(super) const CONTAINER_CLASS: Key = Key::Tag(0x3613);
    pub(super) const PASSWORD: Key = Key::Tag(0x67FF);
}

impl<R: Read + Seek> Pst<R> {
    /// Opens a file.
    pub fn open(source: R) -> Result<Self, PstError> {
        let mut ndb = ndb::Ndb::open(source)?;
        let (nodes, missing) = ndb.nodes()?;
        let mut pst = Self { ndb, names: BTreeMap::new(), nodes, store: Bag::default(), missing };
        // Without names the items lose what has no tag; the rest is still worth having.
        pst.names = pst.named_properties().unwrap_or_default();
        pst.store = pst.bag_of(STORE).unwrap_or_default();
        Ok(pst)
    }

    /// The name of the file as Outlook shows it.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.store.text(&names::DISPLAY_NAME)
    }

    /// Whether Outlook asks for a password. It protects nothing: the items are not encrypted with it.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.store.number(&key::PASSWORD).is_some_and(|hash| hash != 0)
    }

    /// Parts of the list of items that can't be read; what they hold isn't found.
    #[must_use]
    pub fn missing_parts(&self) -> u64 {
        self.missing
    }

    /// The folders people see, parents before children. The outbox is left out: what waits there is not mail yet.
    pub fn folders(&mut self) -> Vec<PstFolder> {
        let entry = |bag: &Bag, key: &Key| {
            let id = bag.binary(key)?.get(20..24)?;
            Some(Nid(u32::from_le_bytes(id.try_into().ok()?)))
        };
        let root = self.bag_of(ROOT_FOLDER).unwrap_or_default();
        let top = entry(&self.store, &key::TOP).filter(|top| self.node(*top).is_some());
        let use_of = |bag: &Bag| {
            [
                (entry(bag, &key::TRASH), pim::SpecialUse::Trash),
                (entry(bag, &key::SENT), pim::SpecialUse::Sent),
                (entry(bag, &key::DRAFTS), pim::SpecialUse::Drafts),
            ]
        };
        let uses: Vec<_> = [use_of(&self.store), use_of(&root)].concat();
        let outbox = entry(&self.store, &key::OUTBOX);
        let is_folder = |node: &&Node| node.nid.kind() == ndb::kind::FOLDER && Some(node.nid) != outbox;
        let mut children: BTreeMap<Nid, Vec<Nid>> = BTreeMap::new();
        for node in self.nodes.iter().filter(is_folder).filter(|node| node.parent != node.nid) {
            children.entry(node.parent).or_default().push(node.nid);
        }
        let mut items: BTreeMap<Nid, Vec<u32>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.nid.kind() == ndb::kind::MESSAGE) {
            items.entry(node.parent).or_default().push(node.nid.0);
        }
        let mut folders = Vec::new();
        // A damaged top leaves the whole tree.
        let mut open = vec![(top.unwrap_or(ROOT_FOLDER), Vec::new())];
        while let Some((nid, path)) = open.pop() {
            let bag = self.bag_of(nid).unwrap_or_default();
            for child in children.remove(&nid).unwrap_or_default().into_iter().rev() {
                if path.len() < DEPTH_MAX {
                    let name = self.bag_of(child).ok().and_then(|bag| bag.text(&names::DISPLAY_NAME));
                    let name = name.unwrap_or_else(|| format!("{:X}", child.0));
                    open.push((child, [&path[..], &[name]].concat()));
                }
            }
            let special_use = uses.iter().find(|(of, _)| *of == Some(nid)).map(|(_, special_use)| *special_use);
            folders.push(PstFolder {
                path,
                class: bag.text(&key::CONTAINER_CLASS).unwrap_or_default(),
                special_use,
                items: items.remove(&nid).unwrap_or_default(),
            });
        }
        folders
    }

    /// Reads an item of a folder.
    pub fn message(&mut self, item: u32) -> Result<Message, PstError> {
        let node = *self.node(Nid(item)).ok_or(PstError::Damaged)?;
        self.ndb.start_item();
        self.read_message(&node, text::WINDOWS_1252, 0)
    }

    fn node(&self, nid: Nid) -> Option<&Node> {
        self.nodes.binary_search_by_key(&nid, |node| node.nid).ok().map(|at| &self.nodes[at])
    }

    fn bag_of(&mut self, nid: Nid) -> Result<Bag, PstError> {
        let node = *self.node(nid).ok_or(PstError::Damaged)?;
        self.ndb.start_item();
        Ok(self.read_bag(&node, text::WINDOWS_1252)?.0)
    }

    fn context(&mut self, node: &Node) -> Result<Context, PstError> {
        let blocks = self.ndb.blocks(node.data)?;
        let inner = self.ndb.inner_nodes(node.inner)?;
        Context::read(blocks, inner)
    }

    /// The properties of a node, with the code page of its strings and the context for what lies below it.
    fn read_bag(&mut self, node: &Node, outer_page: u16) -> Result<(Bag, u16, Context), PstError> {
        let context = self.context(node)?;
        let raw = context.properties(&mut self.ndb)?;
        let page = raw.code_page().unwrap_or(outer_page);
        let mut bag = Bag::default();
        for property in &raw.0 {
            let Some(key) = key_of(&self.names, property.id) else { continue };
            if let Some(value) = property.value(page) {
                bag.set(key, value);
            }
        }
        Ok((bag, page, context))
    }

    fn read_message(&mut self, node: &Node, outer_page: u16, depth: usize) -> Result<Message, PstError> {
        if depth > INNER_MAX {
            return Err(PstError::TooLarge);
        }
        let (properties, page, context) = self.read_bag(node, outer_page)?;
        let mut message = Message { properties, ..Message::default() };
        for inner in context.inner.clone().into_iter().take(PARTS_MAX) {
            match inner.nid.kind() {
                ndb::kind::RECIPIENTS => message.recipients = self.recipients(&inner, page)?,
                ndb::kind::ATTACHMENT => {
                    let attachment = self.attachment(&inner, page, depth)?;
                    message.attachments.push(attachment);
                }
                _ => {}
            }
        }
        Ok(message)
    }

    fn recipients(&mut self, node: &Node, page: u16) -> Result<Vec<Bag>, PstError> {
        let context = self.context(node)?;
        let rows = context.rows(&mut self.ndb)?;
        let bag = |raw: &ltp::Raw| {
            let page = raw.code_page().unwrap_or(page);
            let value = |property: &ltp::Property| Some((key_of(&self.names, property.id)?, property.value(page)?));
            Bag(raw.0.iter().filter_map(value).collect())
        };
        Ok(rows.iter().map(bag).collect())
    }

    fn attachment(&mut self, node: &Node, page: u16, depth: usize) -> Result<Attachment, PstError> {
        let (properties, _, context) = self.read_bag(node, page)?;
        let mut attachment = Attachment { properties, ..Attachment::default() };
        // An item or an OLE object is a node below the attachment.
        let Some(object) = context.object() else { return Ok(attachment) };
        let Some(inner) = context.inner.iter().find(|inner| inner.nid == object).copied() else {
            return Ok(attachment);
        };
        if attachment.properties.number(&names::ATTACH_METHOD) == Some(5) {
            attachment.message = Some(Box::new(self.read_message(&inner, page, depth + 1)?));
        } else {
            let bytes = self.ndb.blocks(inner.data)?.concat();
            attachment.properties.set(names::ATTACH_DATA, Value::Binary(bytes));
        }
        Ok(attachment)
    }

    fn named_properties(&mut self) -> Result<BTreeMap<u16, Key>, PstError> {
        let bag = self.bag_of(NAMES)?;
        let part = |id: u16| bag.binary(&Key::Tag(id)).unwrap_or_default();
        Ok(crate::mapi::named_properties(part(2), part(3), part(4)))
    }
}

/// A number that no name stands for means nothing outside its file.
fn key_of(names: &BTreeMap<u16, Key>, id: u16) -> Option<Key> {
    match id {
        0x8000.. => names.get(&id).cloned(),
        _ => Some(Key::Tag(id)),
    }
}
