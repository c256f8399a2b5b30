//! A stand-in for Outlook: its object model in memory, as far as the connector uses it.
//!
//! Made from the published type library (`facts.txt`) and from what is written about it, not from the connector. A
//! member that isn't published, a property set that is read-only, a call with too little: refused. What it can't show
//! is that Outlook means what it is written to mean.

use super::msg::{self, Item as Contents, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
    time::{SystemTime, UNIX_EPOCH},
};
use stores::outlook::NewOutlook;

/// An argument or a result.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    Empty,
    Bool(bool),
    I16(i16),
    I32(i32),
    Date(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Self>),
    Rows(Vec<Vec<Self>>),
    Error(u32),
    Object(Node),
}

/// An object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Application,
    Namespace,
    Stores,
    Store(usize),
    Categories(usize),
    Category(usize, usize),
    Folder(String),
    Folders(String),
    Items(String),
    Item(String),
    Accessor(Box<Self>),
    Table(u64),
    Columns(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verb {
    Get,
    Put,
    Call,
}

pub(crate) const NOT_FOUND: u32 = 0x8004_010F;
const DELETED: u32 = 0x8004_010A;
const COLLISION: u32 = 0x8004_0604;
const UNKNOWN_NAME: u32 = 0x8002_0006;
const MISMATCH: u32 = 0x8002_0005;
const UNAVAILABLE: u32 = 0x8007_06BA;
const BUSY: u32 = 0x8001_010A;
const ACCESS: u32 = 0x8007_0005;

/// What the program does beside Outlook's own members: how a test changes the world.
pub(crate) mod switch {
    pub(crate) const THERE: i32 = 0;
    pub(crate) const CLOSED: i32 = 1;
    pub(crate) const EMPTIED: i32 = 2;
    pub(crate) const REPLACED: i32 = 3;
}

#[derive(Clone, Debug)]
struct Folder {
    store: usize,
    parent: Option<String>,
    name: String,
    kind: i32,
    marks: BTreeMap<String, Value>,
}

#[derive(Clone, Debug)]
struct Item {
    /// `None` while it was opened from a file and lies nowhere.
    folder: Option<String>,
    contents: Contents,
}

#[derive(Debug)]
struct Table {
    folder: String,
    columns: Vec<String>,
    at: usize,
}

/// How this Outlook differs from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The store keeps `PidTagChangeKey`.
    pub(crate) has_change_key: bool,
    /// An item gets another entry ID when it moves, as on Exchange; else it keeps it, as in a `.pst`.
    pub(crate) moves_rename: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { has_change_key: true, moves_rename: false }
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    manner: Manner,
    presence: i32,
    /// Root folders.
    stores: Vec<String>,
    /// Data files that were added while it ran, by number of store, with whether they are shown.
    files: BTreeMap<usize, (String, bool)>,
    /// Lists of categories by number of store: names with their colours.
    pub(crate) categories: BTreeMap<usize, Vec<(String, i32)>>,
    folders: BTreeMap<String, Folder>,
    order: Vec<String>,
    items: BTreeMap<String, Item>,
    tables: BTreeMap<u64, Table>,
    defaults: BTreeMap<(usize, i32), String>,
    next: u64,
    clock: u64,
    /// Folders whose items changed and whose watchers haven't heard yet.
    pub(crate) changed: BTreeSet<String>,
    /// Calls that are put off before one goes through, and how often that happened.
    pub(crate) busy: u32,
    pub(crate) calls: u64,
    /// Rows after which a table breaks off without a word.
    pub(crate) cut_tables: Option<usize>,
    /// A member that doesn't answer: Outlook shows a question.
    pub(crate) asks_at: Option<&'static str>,
    /// What who wants the application is told.
    pub(crate) locked: Option<u32>,
    /// The other program of that name.
    pub(crate) new_outlook: NewOutlook,
    /// A member that is refused, and the code it is refused with.
    pub(crate) refuses: Option<(&'static str, u32)>,
}

pub(crate) type Shared = Arc<Mutex<Model>>;

const DEFAULTS: [(i32, &str, i32); 14] = [
    (3, "Gelöschte Elemente", 0),
    (4, "Postausgang", 0),
    (5, "Gesendete Elemente", 0),
    (6, "Posteingang", 0),
    (9, "Kalender", 1),
    (10, "Kontakte", 2),
    (11, "Journal", 4),
    (12, "Notizen", 5),
    (13, "Aufgaben", 3),
    (16, "Entwürfe", 0),
    (20, "Synchronisierungsprobleme", 0),
    (21, "Lokale Fehler", 0),
    (23, "Junk-E-Mail", 0),
    (25, "RSS-Feeds", 0),
];

fn facts() -> &'static BTreeMap<&'static str, &'static str> {
    static FACTS: OnceLock<BTreeMap<&str, &str>> = OnceLock::new();
    let lines = || include_str!("facts.txt").lines().filter(|line| !line.starts_with('#'));
    FACTS.get_or_init(|| lines().filter_map(|line| line.split_once(' ')).collect())
}

impl Model {
    pub(crate) fn new(manner: Manner) -> Shared {
        let mut model = Self {
            manner,
            presence: switch::THERE,
            stores: Vec::new(),
            files: BTreeMap::new(),
            categories: BTreeMap::new(),
            folders: BTreeMap::new(),
            order: Vec::new(),
            items: BTreeMap::new(),
            tables: BTreeMap::new(),
            defaults: BTreeMap::new(),
            next: 1,
            clock: 0,
            changed: BTreeSet::new(),
            busy: 0,
            calls: 0,
            cut_tables: None,
            asks_at: None,
            locked: None,
            new_outlook: NewOutlook::Absent,
            refuses: None,
        };
        for name in ["Outlook-Datendatei", "Archiv", "Emptied", "Replaced"] {
            model.add_store(name, &DEFAULTS);
        }
        // The other store at this place has been used with Tandem as well.
        let root = model.stores[switch::REPLACED as usize].clone();
        let key = "string/{8C9B5E1D-2F0A-4B7E-9D53-7A3D1C64E0B2}/store".to_owned();
        model.folders.get_mut(&root).unwrap().marks.insert(key, Value::Text("another".to_owned()));
        Arc::new(Mutex::new(model))
    }

    fn id(&mut self) -> String {
        self.next += 1;
        format!("00000000ABCDEF{:034X}", self.next)
    }

    /// 100 ns since 1601; never the same twice.
    fn tick(&mut self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = 116_444_736_000_000_000 + u64::try_from(since.as_nanos() / 100).unwrap();
        self.clock = now.max(self.clock + 10_000);
        self.clock
    }

    fn add_store(&mut self, name: &str, defaults: &[(i32, &str, i32)]) -> usize {
        let store = self.stores.len();
        let root = self.add_folder(store, None, name, 0);
        self.stores.push(root.clone());
        for (number, name, kind) in defaults {
            let id = self.add_folder(store, Some(&root), name, *kind);
            self.defaults.insert((store, *number), id);
        }
        store
    }

    fn add_folder(&mut self, store: usize, parent: Option<&String>, name: &str, kind: i32) -> String {
        let id = self.id();
        let folder = Folder { store, parent: parent.cloned(), name: name.to_owned(), kind, marks: BTreeMap::new() };
        self.folders.insert(id.clone(), folder);
        self.order.push(id.clone());
        id
    }

    /// The stores Outlook shows just now.
    fn shown(&self) -> Vec<usize> {
        let mut shown = match self.presence {
            switch::EMPTIED => vec![2],
            switch::REPLACED => vec![3],
            _ => vec![0, 1],
        };
        shown.extend(self.files.iter().filter(|(_, (_, is_shown))| *is_shown).map(|(store, _)| *store));
        shown
    }

    fn folder(&self, id: &str) -> Result<&Folder, u32> {
        self.folders.get(id).filter(|folder| self.shown().contains(&folder.store)).ok_or(DELETED)
    }

    fn children(&self, id: &str) -> Vec<String> {
        self.order.iter().filter(|child| self.folders[*child].parent.as_deref() == Some(id)).cloned().collect()
    }

    fn inside(&self, id: &str) -> Vec<String> {
        let is_inside = |(item, held): (&String, &Item)| (held.folder.as_deref() == Some(id)).then(|| item.clone());
        self.items.iter().filter_map(is_inside).collect()
    }

    fn item(&self, id: &str) -> Result<&Item, u32> {
        let item = self.items.get(id).ok_or(DELETED)?;
        match &item.folder {
            Some(folder) => self.folder(folder).map(|_| item),
            None => Ok(item),
        }
    }

    /// A folder by its name.
    pub(crate) fn folder_called(&self, name: &str) -> Option<String> {
        self.order.iter().find(|id| self.folder(id).is_ok_and(|folder| folder.name == name)).cloned()
    }

    /// Names of the properties that were set on the folders of a store.
    pub(crate) fn marks_of(&self, store: &str) -> Vec<String> {
        let at = self.folder_called(store).map(|root| self.folders[&root].store);
        let of_it = self.folders.values().filter(|folder| Some(folder.store) == at);
        of_it.flat_map(|folder| folder.marks.keys().cloned()).collect()
    }

    /// What a person sees in a folder: an item's ID and its texts, in one line.
    pub(crate) fn seen(&self, folder: &str) -> Vec<(String, String)> {
        let inside = self.folder_called(folder).map(|id| self.inside(&id)).unwrap_or_default();
        let text = |(key, value): (&String, &Value)| match value {
            Value::Text(text) => Some(format!("{key}={}", text.replace(['\r', '\n', '\t'], " "))),
            _ => None,
        };
        let line =
            |id: &String| self.items[id].contents.properties.iter().filter_map(text).collect::<Vec<_>>().join("\t");
        inside.iter().map(|id| (id.clone(), line(id))).collect()
    }

    fn trash_of(&self, store: usize) -> String {
        self.defaults[&(store, 3)].clone()
    }

    fn is_in_trash(&self, folder: &str) -> bool {
        let mut at = Some(folder.to_owned());
        while let Some(id) = at {
            if self.defaults.iter().any(|((_, number), default)| *number == 3 && *default == id) {
                return true;
            }
            at = self.folders[&id].parent.clone();
        }
        false
    }

    fn touch(&mut self, id: &str) {
        let now = self.tick();
        let key = self.next.to_be_bytes().to_vec();
        self.next += 1;
        let has_change_key = self.manner.has_change_key;
        if let Some(item) = self.items.get_mut(id) {
            let properties = &mut item.contents.properties;
            properties.insert("proptag/0x3008".to_owned(), Value::Fixed(0x40, now.to_le_bytes()));
            properties.entry("proptag/0x3007".to_owned()).or_insert(Value::Fixed(0x40, now.to_le_bytes()));
            if has_change_key {
                properties.insert("proptag/0x65E2".to_owned(), Value::Bytes(key));
            }
            self.changed.extend(item.folder.clone());
        }
    }

    fn class_of(&self, node: &Node) -> Result<&'static str, u32> {
        Ok(match node {
            Node::Application => "Application",
            Node::Namespace => "NameSpace",
            Node::Stores => "Stores",
            Node::Store(_) => "Store",
            Node::Categories(_) => "Categories",
            Node::Category(..) => "Category",
            Node::Folder(_) => "Folder",
            Node::Folders(_) => "Folders",
            Node::Items(_) => "Items",
            Node::Accessor(_) => "PropertyAccessor",
            Node::Table(_) => "Table",
            Node::Columns(_) => "Columns",
            Node::Item(id) => {
                let class = match self.item(id)?.contents.properties.get("proptag/0x001A") {
                    Some(Value::Text(class)) => class.to_ascii_uppercase(),
                    _ => String::new(),
                };
                let classes = [
                    ("IPM.CONTACT", "ContactItem"),
                    ("IPM.DISTLIST", "DistListItem"),
                    ("IPM.APPOINTMENT", "AppointmentItem"),
                    ("IPM.TASK", "TaskItem"),
                    ("IPM.STICKYNOTE", "NoteItem"),
                    ("IPM.ACTIVITY", "JournalItem"),
                    ("IPM.POST", "PostItem"),
                    ("IPM.SCHEDULE", "MeetingItem"),
                ];
                classes.iter().find(|(start, _)| class.starts_with(start)).map_or("MailItem", |(_, name)| name)
            }
        })
    }

    /// One call, as Outlook would answer it.
    pub(crate) fn invoke(&mut self, node: &Node, member: &str, verb: Verb, given: &[Val]) -> Result<Val, u32> {
        self.calls += 1;
        if member == "TestSwitch" {
            let [Val::I32(presence)] = given else { return Err(MISMATCH) };
            self.presence = *presence;
            return Ok(Val::Empty);
        }
        if self.presence == switch::CLOSED {
            return Err(UNAVAILABLE);
        }
        if self.busy > 0 {
            self.busy -= 1;
            return Err(BUSY);
        }
        if let Some((_, code)) = self.refuses.filter(|(refused, _)| *refused == member) {
            return Err(code);
        }
        let fact = *facts().get(&*format!("{}.{member}", self.class_of(node)?)).ok_or(UNKNOWN_NAME)?;
        match (verb, fact) {
            (Verb::Call, "method") | (Verb::Get, "read" | "write") | (Verb::Put, "write") => {}
            // Late binding doesn't tell a method from a property that is read.
            (Verb::Call, _) | (Verb::Get, _) => {}
            (Verb::Put, _) => return Err(ACCESS),
        }
        self.answer(node, member, verb, given)
    }

    fn answer(&mut self, node: &Node, member: &str, verb: Verb, given: &[Val]) -> Result<Val, u32> {
        let object = |node| Ok(Val::Object(node));
        let text = |at: usize| match given.get(at) {
            Some(Val::Text(text)) => Ok(text.clone()),
            _ => Err(MISMATCH),
        };
        let number = |at: usize| match given.get(at) {
            Some(Val::I32(number)) => Ok(*number),
            Some(Val::I16(number)) => Ok(i32::from(*number)),
            _ => Err(MISMATCH),
        };
        match (node, member) {
            (Node::Application, "Name") => Ok(Val::Text("Outlook".to_owned())),
            (Node::Application, "Version") => Ok(Val::Text("16.0.0.5000".to_owned())),
            (Node::Application, "GetNamespace") if text(0)? == "MAPI" => object(Node::Namespace),
            (Node::Namespace, "CurrentProfileName") => Ok(Val::Text("Outlook".to_owned())),
            (Node::Namespace, "Stores") => object(Node::Stores),
            (Node::Namespace, "DefaultStore") => object(Node::Store(self.shown()[0])),
            (Node::Namespace, "AddStoreEx") => {
                let path = text(0)?;
                if !(1..=3).contains(&number(1)?) {
                    return Err(MISMATCH);
                }
                let known = self.files.iter().find(|(_, (file, _))| *file == path).map(|(store, _)| *store);
                let store = match known {
                    Some(store) => store,
                    // A new data file has one folder.
                    None => self.add_store("Outlook-Datendatei", &DEFAULTS[..1]),
                };
                fs::write(&path, "").map_err(|_| ACCESS)?;
                self.files.insert(store, (path, true));
                Ok(Val::Empty)
            }
            (Node::Namespace, "RemoveStore") => {
                let Some(Val::Object(Node::Folder(root))) = given.first() else { return Err(MISMATCH) };
                let store = self.folder(root)?.store;
                self.files.get_mut(&store).filter(|_| self.stores[store] == *root).ok_or(ACCESS)?.1 = false;
                Ok(Val::Empty)
            }
            (Node::Namespace, "GetFolderFromID") => {
                let id = text(0)?;
                self.folder(&id).map_err(|_| NOT_FOUND)?;
                object(Node::Folder(id))
            }
            (Node::Namespace, "GetItemFromID") => {
                let id = text(0)?;
                self.item(&id).map_err(|_| NOT_FOUND)?;
                object(Node::Item(id))
            }
            (Node::Namespace, "OpenSharedItem") => {
                let bytes = fs::read(text(0)?).map_err(|_| NOT_FOUND)?;
                let contents = msg::read(&bytes).ok_or(0x8004_0102_u32)?;
                let id = self.id();
                self.items.insert(id.clone(), Item { folder: None, contents });
                object(Node::Item(id))
            }
            (Node::Stores, "Count") => count(self.shown().len()),
            (Node::Stores, "Item") => object(Node::Store(nth(&self.shown(), number(0)?)?)),
            (Node::Store(at), _) if !self.shown().contains(at) => Err(DELETED),
            (Node::Store(at), "DisplayName") => Ok(Val::Text(self.folders[&self.stores[*at]].name.clone())),
            (Node::Store(at), "StoreID") => Ok(Val::Text(format!("0000000038A1BB{at:04X}"))),
            (Node::Store(at), "FilePath") => {
                // However it was written by who added it.
                let path = self.files.get(at).and_then(|(file, _)| fs::canonicalize(file).ok());
                Ok(Val::Text(path.unwrap_or_default().display().to_string()))
            }
            (Node::Store(at), "Categories") => object(Node::Categories(*at)),
            (Node::Categories(at), "Count") => count(self.categories.entry(*at).or_default().len()),
            (Node::Categories(at), "Item") => {
                let places: Vec<usize> = (0..self.categories.entry(*at).or_default().len()).collect();
                object(Node::Category(*at, nth(&places, number(0)?)?))
            }
            (Node::Categories(at), "Add") => {
                let (name, color) = (text(0)?, if given.len() > 1 { number(1)? } else { 0 });
                let value = format!("= {color}");
                let is_color = |(name, fact): (&&str, &&str)| name.starts_with("OlCategoryColor.") && *fact == value;
                let list = self.categories.entry(*at).or_default();
                let is_taken = list.iter().any(|(taken, _)| taken.to_lowercase() == name.to_lowercase());
                if is_taken || !facts().iter().any(is_color) {
                    return Err(MISMATCH);
                }
                list.push((name, color));
                object(Node::Category(*at, list.len() - 1))
            }
            (Node::Category(store, at), "Name") => Ok(Val::Text(self.categories[store][*at].0.clone())),
            (Node::Category(store, at), "Color") => Ok(Val::I32(self.categories[store][*at].1)),
            (Node::Store(at), "GetRootFolder") => object(Node::Folder(self.stores[*at].clone())),
            (Node::Store(at), "GetDefaultFolder") => {
                let number = number(0)?;
                let value = format!("= {number}");
                assert!(
                    facts().iter().any(|(name, fact)| name.starts_with("OlDefaultFolders.") && *fact == value),
                    "{number} is no OlDefaultFolders"
                );
                self.defaults.get(&(*at, number)).map(|id| Val::Object(Node::Folder(id.clone()))).ok_or(NOT_FOUND)
            }
            (Node::Folder(id), _) => self.of_folder(id, member, verb, given),
            (Node::Folders(id), "Count") => count(self.folder(id).map(|_| self.children(id).len())?),
            (Node::Folders(id), "Item") => object(Node::Folder(nth(&self.children(id), number(0)?)?)),
            (Node::Folders(id), "Add") => {
                let (name, store) = (text(0)?, self.folder(id)?.store);
                let kind = match given.get(1) {
                    Some(Val::I32(number)) => {
                        DEFAULTS.iter().find(|(default, _, _)| default == number).ok_or(MISMATCH)?.2
                    }
                    _ => self.folder(id)?.kind,
                };
                self.refuse_taken(id, &name)?;
                object(Node::Folder(self.add_folder(store, Some(id), &name, kind)))
            }
            (Node::Items(id), "Count") => count(self.folder(id).map(|_| self.inside(id).len())?),
            (Node::Items(id), "Item") => object(Node::Item(nth(&self.inside(id), number(0)?)?)),
            (Node::Item(id), _) => self.of_item(id, member, verb, given),
            (Node::Accessor(of), _) => self.of_accessor(of, member, given),
            (Node::Table(number), _) => self.of_table(*number, member, given),
            (Node::Columns(number), "RemoveAll") => {
                self.tables.get_mut(number).ok_or(DELETED)?.columns.clear();
                Ok(Val::Empty)
            }
            (Node::Columns(number), "Add") => {
                let name = text(0)?;
                // Neither bodies nor what is computed can be a column.
                if ["0x1013", "0x1009", "0x1000"].iter().any(|tag| name.contains(tag)) {
                    return Err(NOT_FOUND);
                }
                if name.contains("0x65E2") && !self.manner.has_change_key {
                    return Err(NOT_FOUND);
                }
                self.tables.get_mut(number).ok_or(DELETED)?.columns.push(name);
                object(Node::Columns(*number))
            }
            _ => Err(UNKNOWN_NAME),
        }
    }

    fn refuse_taken(&self, parent: &str, name: &str) -> Result<(), u32> {
        let is_taken = |child: &String| self.folders[child].name.to_lowercase() == name.to_lowercase();
        if self.children(parent).iter().any(is_taken) { Err(COLLISION) } else { Ok(()) }
    }

    fn of_folder(&mut self, id: &str, member: &str, verb: Verb, given: &[Val]) -> Result<Val, u32> {
        let folder = self.folder(id)?.clone();
        let object = |node| Ok(Val::Object(node));
        match (member, verb) {
            ("EntryID", _) => Ok(Val::Text(id.to_owned())),
            ("Name", Verb::Put) => {
                let [Val::Text(name)] = given else { return Err(MISMATCH) };
                if folder.name.to_lowercase() != name.to_lowercase()
                    && let Some(parent) = &folder.parent
                {
                    self.refuse_taken(parent, name)?;
                }
                self.folders.get_mut(id).unwrap().name.clone_from(name);
                Ok(Val::Empty)
            }
            ("Name", _) => Ok(Val::Text(folder.name)),
            ("DefaultItemType", _) => Ok(Val::I32(folder.kind)),
            ("Folders", _) => object(Node::Folders(id.to_owned())),
            ("Items", _) => object(Node::Items(id.to_owned())),
            ("PropertyAccessor", _) => object(Node::Accessor(Box::new(Node::Folder(id.to_owned())))),
            ("GetTable", _) => {
                self.next += 1;
                let table = Table { folder: id.to_owned(), columns: vec!["EntryID".to_owned()], at: 0 };
                self.tables.insert(self.next, table);
                object(Node::Table(self.next))
            }
            ("MoveTo", _) => {
                let [Val::Object(Node::Folder(target))] = given else { return Err(MISMATCH) };
                self.refuse_taken(target, &folder.name)?;
                self.folders.get_mut(id).unwrap().parent = Some(target.clone());
                // The order in which folders are told is no order of age.
                self.order.retain(|other| other != id);
                self.order.push(id.to_owned());
                Ok(Val::Empty)
            }
            ("Delete", _) => {
                if self.is_in_trash(id) {
                    let below: Vec<String> =
                        self.order.iter().filter(|other| self.is_within(other, id)).cloned().collect();
                    self.items.retain(|_, item| item.folder.as_ref().is_none_or(|folder| !below.contains(folder)));
                    self.order.retain(|other| !below.contains(other));
                    self.folders.retain(|other, _| !below.contains(other));
                } else {
                    self.folders.get_mut(id).unwrap().parent = Some(self.trash_of(folder.store));
                }
                Ok(Val::Empty)
            }
            _ => Err(UNKNOWN_NAME),
        }
    }

    fn is_within(&self, folder: &str, ancestor: &str) -> bool {
        let mut at = Some(folder.to_owned());
        while let Some(id) = at {
            if id == ancestor {
                return true;
            }
            at = self.folders.get(&id).and_then(|folder| folder.parent.clone());
        }
        false
    }

    fn of_item(&mut self, id: &str, member: &str, verb: Verb, given: &[Val]) -> Result<Val, u32> {
        let item = self.item(id)?.clone();
        match (member, verb) {
            ("EntryID", _) => Ok(Val::Text(if item.folder.is_some() { id.to_owned() } else { String::new() })),
            ("Parent", _) => Ok(Val::Object(Node::Folder(item.folder.ok_or(NOT_FOUND)?))),
            ("PropertyAccessor", _) => Ok(Val::Object(Node::Accessor(Box::new(Node::Item(id.to_owned()))))),
            ("UnRead", Verb::Put) => {
                let [Val::Bool(is_unread)] = given else { return Err(MISMATCH) };
                let flags = fixed(&item.contents, "proptag/0x0E07");
                let flags = if *is_unread { flags & !1 } else { flags | 1 };
                self.set(id, "proptag/0x0E07", Value::Fixed(3, u64::from(flags).to_le_bytes()));
                Ok(Val::Empty)
            }
            ("UnRead", _) => Ok(Val::Bool(fixed(&item.contents, "proptag/0x0E07") & 1 == 0)),
            ("Body", Verb::Put) => {
                let [Val::Text(text)] = given else { return Err(MISMATCH) };
                self.set(id, "proptag/0x1000", Value::Text(text.clone()));
                // The other forms of the text are made anew.
                let properties = &mut self.items.get_mut(id).unwrap().contents.properties;
                properties.remove("proptag/0x1009");
                properties.remove("proptag/0x1013");
                Ok(Val::Empty)
            }
            ("Subject", _) => Ok(match item.contents.properties.get("proptag/0x0037") {
                Some(Value::Text(text)) => Val::Text(text.clone()),
                _ => Val::Text(String::new()),
            }),
            ("Save", _) => {
                if item.folder.is_none() {
                    return Err(ACCESS);
                }
                self.touch(id);
                Ok(Val::Empty)
            }
            ("SaveAs", _) => {
                let [Val::Text(path), Val::I32(9)] = given else { return Err(MISMATCH) };
                fs::write(Path::new(path), msg::write(&item.contents)).map_err(|_| ACCESS)?;
                Ok(Val::Empty)
            }
            ("Move", _) => {
                let [Val::Object(Node::Folder(target))] = given else { return Err(MISMATCH) };
                self.folder(target)?;
                self.changed.extend(item.folder.clone());
                let is_new = item.folder.is_none();
                let new = if self.manner.moves_rename && !is_new { self.id() } else { id.to_owned() };
                let mut item = self.items.remove(id).unwrap();
                item.folder = Some(target.clone());
                if is_new {
                    let key = blake3::hash(new.as_bytes()).as_bytes()[..16].to_vec();
                    item.contents.properties.entry("proptag/0x300B".to_owned()).or_insert(Value::Bytes(key));
                }
                self.items.insert(new.clone(), item);
                self.touch(&new);
                Ok(Val::Object(Node::Item(new)))
            }
            ("Copy", _) => {
                let new = self.id();
                self.items.insert(new.clone(), item);
                self.touch(&new);
                Ok(Val::Object(Node::Item(new)))
            }
            ("Delete", _) => {
                let folder = item.folder.clone().ok_or(NOT_FOUND)?;
                self.changed.insert(folder.clone());
                let mut item = self.items.remove(id).unwrap();
                if !self.is_in_trash(&folder) {
                    let trash = self.trash_of(self.folders[&folder].store);
                    self.changed.insert(trash.clone());
                    item.folder = Some(trash);
                    let new = if self.manner.moves_rename { self.id() } else { id.to_owned() };
                    self.items.insert(new, item);
                }
                Ok(Val::Empty)
            }
            _ => Err(UNKNOWN_NAME),
        }
    }

    fn set(&mut self, id: &str, key: &str, value: Value) {
        if let Some(item) = self.items.get_mut(id) {
            item.contents.properties.insert(key.to_owned(), value);
        }
    }

    fn of_accessor(&mut self, of: &Node, member: &str, given: &[Val]) -> Result<Val, u32> {
        let texts = |at: usize| match given.get(at) {
            Some(Val::List(values)) => values
                .iter()
                .map(|value| match value {
                    Val::Text(text) => Ok(text.clone()),
                    _ => Err(MISMATCH),
                })
                .collect::<Result<Vec<_>, _>>(),
            _ => Err(MISMATCH),
        };
        match member {
            "GetProperty" => {
                let [Val::Text(name)] = given else { return Err(MISMATCH) };
                self.property(of, name)
            }
            "GetProperties" => {
                let names = texts(0)?;
                let values = names.iter().map(|name| match self.property(of, name) {
                    Ok(value) => Ok(value),
                    Err(NOT_FOUND) => Ok(Val::Error(NOT_FOUND)),
                    Err(code) => Err(code),
                });
                Ok(Val::List(values.collect::<Result<_, _>>()?))
            }
            "SetProperties" => {
                let names = texts(0)?;
                let Some(Val::List(values)) = given.get(1) else { return Err(MISMATCH) };
                let results = names.iter().zip(values).map(|(name, value)| match self.set_property(of, name, value) {
                    Ok(()) => Val::Empty,
                    Err(code) => Val::Error(code),
                });
                Ok(Val::List(results.collect()))
            }
            "DeleteProperty" => {
                let [Val::Text(name)] = given else { return Err(MISMATCH) };
                let (key, _) = key_of(name)?;
                match of {
                    Node::Item(id) => {
                        self.items.get_mut(id).ok_or(DELETED)?.contents.properties.remove(&key);
                    }
                    _ => return Err(ACCESS),
                }
                Ok(Val::Empty)
            }
            _ => Err(UNKNOWN_NAME),
        }
    }

    fn property(&self, of: &Node, name: &str) -> Result<Val, u32> {
        let (key, _) = key_of(name)?;
        match of {
            Node::Folder(id) => self.folder(id)?.marks.get(&key).map(val).ok_or(NOT_FOUND),
            Node::Item(id) if key == "proptag/0x0E08" => Ok(Val::I32(self.size(id))),
            Node::Item(id) => self.item(id)?.contents.properties.get(&key).map(val).ok_or(NOT_FOUND),
            _ => Err(NOT_FOUND),
        }
    }

    fn size(&self, id: &str) -> i32 {
        let value = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 8,
        };
        let size: usize = self.items[id].contents.properties.values().map(value).sum();
        i32::try_from(size).unwrap_or(i32::MAX)
    }

    fn set_property(&mut self, of: &Node, name: &str, value: &Val) -> Result<(), u32> {
        let (key, kind) = key_of(name)?;
        // Bodies, what the store computes, and long values.
        if ["0x1000", "0x1009", "0x1013", "0x0E07", "0x0E08", "0x0FFF", "0x3008", "0x65E2"]
            .iter()
            .any(|tag| key.contains(tag))
        {
            return Err(ACCESS);
        }
        let fits = |length: usize| if length <= 4088 { Ok(()) } else { Err(ACCESS) };
        let eight = |bytes: &[u8]| {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            eight
        };
        let value = match value {
            Val::Text(text) => {
                fits(text.len() * 2)?;
                Value::Text(text.clone())
            }
            Val::Bytes(bytes) => {
                fits(bytes.len())?;
                Value::Bytes(bytes.clone())
            }
            Val::I16(number) => Value::Fixed(2, eight(&number.to_le_bytes())),
            Val::I32(number) => Value::Fixed(3, eight(&number.to_le_bytes())),
            Val::Bool(is) => Value::Fixed(11, eight(&[u8::from(*is)])),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Val::Date(date) => Value::Fixed(0x40, (((date + 109_205.0) * 864e9).round() as u64).to_le_bytes()),
            Val::List(values) => {
                let text = |value: &Val| match value {
                    Val::Text(text) => Ok(text.clone()),
                    _ => Err(MISMATCH),
                };
                Value::Texts(values.iter().map(text).collect::<Result<_, _>>()?)
            }
            _ => return Err(MISMATCH),
        };
        if kind.is_some_and(|kind| kind != value.kind()) {
            return Err(MISMATCH);
        }
        match of {
            Node::Folder(id) => {
                self.folder(id)?;
                self.folders.get_mut(id).unwrap().marks.insert(key, value);
            }
            Node::Item(id) => {
                self.item(id)?;
                self.set(id, &key, value);
            }
            _ => return Err(ACCESS),
        }
        Ok(())
    }

    fn of_table(&mut self, number: u64, member: &str, given: &[Val]) -> Result<Val, u32> {
        let folder = self.tables.get(&number).ok_or(DELETED)?.folder.clone();
        self.folder(&folder)?;
        let rows = self.inside(&folder);
        let shown = self.cut_tables.unwrap_or(rows.len()).min(rows.len());
        match member {
            "Columns" => Ok(Val::Object(Node::Columns(number))),
            "GetRowCount" => count(rows.len()),
            "EndOfTable" => Ok(Val::Bool(self.tables[&number].at >= shown)),
            "GetArray" => {
                let [Val::I32(most)] = given else { return Err(MISMATCH) };
                let (at, columns) = (self.tables[&number].at, self.tables[&number].columns.clone());
                let end = shown.min(at + usize::try_from(*most).map_err(|_| MISMATCH)?);
                let cell = |id: &String, column: &String| match &**column {
                    "EntryID" => Val::Text(id.clone()),
                    name => match self.property(&Node::Item(id.clone()), name) {
                        // A table cuts texts.
                        Ok(Val::Text(text)) => Val::Text(text.chars().take(255).collect()),
                        Ok(value) => value,
                        Err(_) => Val::Empty,
                    },
                };
                let lines = rows[at..end].iter().map(|id| columns.iter().map(|column| cell(id, column)).collect());
                let lines = Val::Rows(lines.collect());
                self.tables.get_mut(&number).unwrap().at = end;
                Ok(lines)
            }
            _ => Err(UNKNOWN_NAME),
        }
    }
}

fn count(count: usize) -> Result<Val, u32> {
    Ok(Val::I32(i32::try_from(count).unwrap()))
}

/// Collections count from one.
fn nth<T: Clone>(all: &[T], number: i32) -> Result<T, u32> {
    usize::try_from(number - 1).ok().and_then(|at| all.get(at)).cloned().ok_or(NOT_FOUND)
}

fn fixed(contents: &Contents, key: &str) -> u32 {
    match contents.properties.get(key) {
        Some(Value::Fixed(_, bytes)) => u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        _ => 0,
    }
}

/// A schema name as the key properties are kept by, and the type it names.
fn key_of(name: &str) -> Result<(String, Option<u16>), u32> {
    let rest = name.strip_prefix("http://schemas.microsoft.com/mapi/").ok_or(UNKNOWN_NAME)?;
    if rest.starts_with("string/") {
        return Ok((rest.to_owned(), None));
    }
    let (key, kind) = rest.split_at(rest.len().checked_sub(4).ok_or(UNKNOWN_NAME)?);
    Ok((key.to_owned(), Some(u16::from_str_radix(kind, 16).map_err(|_| UNKNOWN_NAME)?)))
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)]
fn val(value: &Value) -> Val {
    match value {
        Value::Text(text) => Val::Text(text.clone()),
        Value::Bytes(bytes) => Val::Bytes(bytes.clone()),
        Value::Texts(texts) => Val::List(texts.iter().cloned().map(Val::Text).collect()),
        Value::Fixed(0x40, bytes) => Val::Date(u64::from_le_bytes(*bytes) as f64 / 864e9 - 109_205.0),
        Value::Fixed(11, bytes) => Val::Bool(bytes[0] != 0),
        Value::Fixed(2, bytes) => Val::I16(i16::from_le_bytes([bytes[0], bytes[1]])),
        Value::Fixed(_, bytes) => Val::I32(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as i32),
        Value::Other(..) => Val::Error(MISMATCH),
    }
}
