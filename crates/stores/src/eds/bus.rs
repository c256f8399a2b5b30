//! Evolution Data Server over D-Bus: its sources, and the address books, calendars and lists behind them.

use super::source::{KeyFile, OURS, Source};
use crate::{Program, ProgramState, StoreError, staging::random_hex};
use pim::FolderKind;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use zbus::{
    blocking::{Connection, connection::Builder},
    zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Type},
};

const PREFIX: &str = "org.gnome.evolution.dataserver";
const SOURCES: &str = "org.gnome.evolution.dataserver.Sources5";
const MANAGER: &str = "/org/gnome/evolution/dataserver/SourceManager";
/// How long one call may take.
const ANSWER_MAX: Duration = Duration::from_secs(90);
/// How long a new source may take until every part of EDS knows it.
const SETTLE_MAX: Duration = Duration::from_secs(15);
/// No invitations are sent for what we write (`E_CAL_OPERATION_FLAG_DISABLE_ITIP_MESSAGE`).
const SEND_NOTHING: u32 = 1 << 3;
const ALL_CONTACTS: &str = r#"(contains "x-evolution-any-field" "")"#;

/// What a source is: which factory opens it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Sort {
    pub(super) kind: FolderKind,
    /// The group of its key file.
    pub(super) group: &'static str,
    open: &'static str,
    /// What its items are: `VCARD`, `VEVENT`, …
    pub(super) object: &'static str,
}

impl Sort {
    pub(super) fn of(kind: FolderKind) -> Option<Self> {
        let (group, open, object) = match kind {
            FolderKind::Mail => return None,
            FolderKind::Contacts => ("Address Book", "OpenAddressBook", "VCARD"),
            FolderKind::Calendar => ("Calendar", "OpenCalendar", "VEVENT"),
            FolderKind::Tasks => ("Task List", "OpenTaskList", "VTODO"),
            FolderKind::Notes => ("Memo List", "OpenMemoList", "VJOURNAL"),
        };
        Some(Self { kind, group, open, object })
    }

    pub(super) fn is_contacts(self) -> bool {
        self.kind == FolderKind::Contacts
    }

    fn interface(self) -> String {
        format!("{PREFIX}.{}", if self.is_contacts() { "AddressBook" } else { "Calendar" })
    }
}

pub(super) fn connect(address: Option<&str>) -> Result<Connection, StoreError> {
    let builder = match address {
        Some(address) => Builder::address(address),
        None => Builder::session(),
    };
    let connection = builder.and_then(|builder| builder.method_timeout(ANSWER_MAX).build());
    connection.map_err(|error| {
        tracing::debug!(%error, "no session bus");
        closed()
    })
}

/// EDS, or the bus it is reached by, isn't there.
pub(super) fn closed() -> StoreError {
    StoreError::Program { program: Program::Evolution, state: ProgramState::Closed }
}

/// Whether EDS went away: with its bus, or by itself.
pub(super) fn is_gone(error: &StoreError) -> bool {
    matches!(error, StoreError::Program { state: ProgramState::Closed, .. })
}

/// One connection to EDS. What was opened through it stays open as long as it lives.
pub(super) struct Bus {
    connection: Connection,
    /// No other connection has it: what was told through one says nothing about another.
    pub(super) number: String,
    /// Path and bus name of each source that is open, by the source's uid.
    opened: HashMap<String, (String, String)>,
    /// Time zones that were asked for, by source and name; what EDS doesn't know is `None`.
    zones: HashMap<(String, String), Option<String>>,
}

/// What the bus knows of EDS without asking it.
pub(super) struct Presence {
    pub(super) is_running: bool,
    pub(super) is_installed: bool,
}

type Managed = HashMap<OwnedObjectPath, HashMap<String, HashMap<String, OwnedValue>>>;

impl Bus {
    pub(super) fn new(address: Option<&str>) -> Result<Self, StoreError> {
        let number = random_hex::<8>();
        Ok(Self { connection: connect(address)?, number, opened: HashMap::new(), zones: HashMap::new() })
    }

    fn call<B, R>(&self, name: &str, path: &str, interface: &str, method: &str, body: &B) -> Result<R, StoreError>
    where
        B: serde::Serialize + DynamicType,
        R: serde::de::DeserializeOwned + Type,
    {
        let reply = self.connection.call_method(Some(name), path, Some(interface), method, body).map_err(told)?;
        reply.body().deserialize().map_err(told)
    }

    pub(super) fn presence(&self) -> Result<Presence, StoreError> {
        const BUS: &str = "org.freedesktop.DBus";
        let path = "/org/freedesktop/DBus";
        let is_running = self.call(BUS, path, BUS, "NameHasOwner", &(SOURCES,))?;
        let startable: Vec<String> = self.call(BUS, path, BUS, "ListActivatableNames", &())?;
        Ok(Presence { is_running, is_installed: startable.iter().any(|name| name == SOURCES) })
    }

    /// Every source there is, in the order of their uids.
    pub(super) fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let managed: Managed =
            self.call(SOURCES, MANAGER, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &())?;
        let source = |(path, interfaces): (OwnedObjectPath, HashMap<String, HashMap<String, OwnedValue>>)| {
            let properties = interfaces.get(&format!("{PREFIX}.Source"))?;
            let text = |key| String::try_from(properties.get(key)?.try_clone().ok()?).ok();
            let is_removable = interfaces.contains_key(&format!("{PREFIX}.Source.Removable"));
            Some(Source { path, uid: text("UID")?, is_removable, file: KeyFile::parse(&text("Data")?) })
        };
        let mut sources: Vec<Source> = managed.into_iter().filter_map(source).collect();
        sources.sort_by(|a, b| a.uid.cmp(&b.uid));
        Ok(sources)
    }

    /// Asks again until EDS shows what was done.
    fn settled(&self, is_there: impl Fn(&[Source]) -> bool) -> Result<(), StoreError> {
        let started = Instant::now();
        while !is_there(&self.sources()?) {
            if started.elapsed() > SETTLE_MAX {
                let reason = "the source manager doesn't show what it said it did".to_owned();
                return Err(StoreError::Io { reason, path: Program::Evolution.to_string() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(super) fn create_source(&self, uid: &str, file: &KeyFile) -> Result<(), StoreError> {
        let body = (HashMap::from([(uid, file.text())]),);
        let () = self.call(SOURCES, MANAGER, &format!("{PREFIX}.SourceManager"), "CreateSources", &body)?;
        self.settled(|sources| sources.iter().any(|source| source.uid == uid))
    }

    pub(super) fn write_source(&self, source: &Source, file: &KeyFile) -> Result<(), StoreError> {
        let interface = format!("{PREFIX}.Source.Writable");
        let () = self.call(SOURCES, &source.path, &interface, "Write", &(file.text(),))?;
        let is_written = |other: &Source| {
            let same = |group, key| other.file.get(group, key) == file.get(group, key);
            other.uid == source.uid
                && same("Data Source", "DisplayName")
                && ["Uid", "Parent", "Store"].iter().all(|key| same(OURS, key))
        };
        self.settled(|sources| sources.iter().any(is_written))
    }

    pub(super) fn remove_source(&mut self, source: &Source) -> Result<(), StoreError> {
        let () = self.call(SOURCES, &source.path, &format!("{PREFIX}.Source.Removable"), "Remove", &())?;
        self.opened.remove(&source.uid);
        self.settled(|sources| sources.iter().all(|other| other.uid != source.uid))
    }

    fn opened(&mut self, sort: Sort, source: &str) -> Result<(String, String), StoreError> {
        if let Some(opened) = self.opened.get(source) {
            return Ok(opened.clone());
        }
        let (service, factory) =
            if sort.is_contacts() { ("AddressBook10", "AddressBookFactory") } else { ("Calendar8", "CalendarFactory") };
        let path = format!("/org/gnome/evolution/dataserver/{factory}");
        let (service, interface) = (format!("{PREFIX}.{service}"), format!("{PREFIX}.{factory}"));
        let started = Instant::now();
        let (path, name) = loop {
            let opened: Result<(String, String), _> = self.call(&service, &path, &interface, sort.open, &(source,));
            match opened {
                Ok(opened) => break opened,
                // The factory may not have heard of a new source yet.
                Err(StoreError::Io { .. } | StoreError::NotFound) if started.elapsed() < SETTLE_MAX => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(error),
            }
        };
        let _: Vec<String> = self.call(&name, &path, &sort.interface(), "Open", &())?;
        self.opened.insert(source.to_owned(), (path.clone(), name.clone()));
        Ok((path, name))
    }

    fn ask<B, R>(&mut self, sort: Sort, source: &str, method: &str, body: &B) -> Result<R, StoreError>
    where
        B: serde::Serialize + DynamicType,
        R: serde::de::DeserializeOwned + Type,
    {
        let (path, name) = self.opened(sort, source)?;
        self.call(&name, &path, &sort.interface(), method, body)
    }

    /// Keeps a source open, so that it tells what changes in it.
    pub(super) fn open_source(&mut self, sort: Sort, source: &str) -> Result<(), StoreError> {
        self.opened(sort, source).map(drop)
    }

    /// What changes with every change of an item; `None` if there is no such thing.
    pub(super) fn revision(&mut self, sort: Sort, source: &str) -> Result<Option<String>, StoreError> {
        let (path, name) = self.opened(sort, source)?;
        let body = (sort.interface(), "Revision");
        let value: OwnedValue = self.call(&name, &path, "org.freedesktop.DBus.Properties", "Get", &body)?;
        Ok(String::try_from(value).ok().filter(|revision| !revision.is_empty()))
    }

    /// Every object: vCards, or components (a series and its changed occurrences one by one).
    pub(super) fn objects(&mut self, sort: Sort, source: &str) -> Result<Vec<String>, StoreError> {
        if sort.is_contacts() {
            return self.ask(sort, source, "GetContactList", &(ALL_CONTACTS,));
        }
        self.ask(sort, source, "GetObjectList", &("#t",))
    }

    /// One item: a vCard, a component, or a calendar with a series and its changed occurrences. `None`: there is none.
    pub(super) fn item(&mut self, sort: Sort, source: &str, uid: &str) -> Result<Option<String>, StoreError> {
        let item = if sort.is_contacts() {
            self.ask(sort, source, "GetContact", &(uid,))
        } else {
            self.ask(sort, source, "GetObject", &(uid, ""))
        };
        match item {
            Ok(item) => Ok(Some(item)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The definition of a time zone, where EDS has one.
    pub(super) fn zone(&mut self, sort: Sort, source: &str, zone: &str) -> Result<Option<String>, StoreError> {
        let key = (source.to_owned(), zone.to_owned());
        if let Some(known) = self.zones.get(&key) {
            return Ok(known.clone());
        }
        let found = match self.ask(sort, source, "GetTimezone", &(zone,)) {
            Ok(definition) => Some(definition),
            Err(StoreError::NotFound | StoreError::Unsupported | StoreError::Io { .. }) => None,
            Err(error) => return Err(error),
        };
        self.zones.insert(key, found.clone());
        Ok(found)
    }

    pub(super) fn add_zone(&mut self, sort: Sort, source: &str, zone: &str, text: &str) -> Result<(), StoreError> {
        self.zones.remove(&(source.to_owned(), zone.to_owned()));
        self.ask(sort, source, "AddTimezone", &(text,))
    }

    /// Creates objects, all in one step or none. A name that is taken is [`StoreError::Changed`].
    pub(super) fn create(&mut self, sort: Sort, source: &str, objects: &[String]) -> Result<(), StoreError> {
        let method = if sort.is_contacts() { "CreateContacts" } else { "CreateObjects" };
        let _: Vec<String> = self.ask(sort, source, method, &(objects, SEND_NOTHING))?;
        Ok(())
    }

    /// Changes objects of one item in one step. Of a series, changed occurrences that aren't given stay as they are.
    pub(super) fn modify(&mut self, sort: Sort, source: &str, objects: &[String]) -> Result<(), StoreError> {
        if sort.is_contacts() {
            return self.ask(sort, source, "ModifyContacts", &(objects, SEND_NOTHING));
        }
        self.ask(sort, source, "ModifyObjects", &(objects, "this", SEND_NOTHING))
    }

    pub(super) fn remove(&mut self, sort: Sort, source: &str, uid: &str) -> Result<(), StoreError> {
        if sort.is_contacts() {
            return self.ask(sort, source, "RemoveContacts", &(&[uid][..], SEND_NOTHING));
        }
        self.ask(sort, source, "RemoveObjects", &(&[(uid, "")][..], "all", SEND_NOTHING))
    }

    /// Takes back what was changed in one occurrence of a series, which has it as ever then.
    pub(super) fn remove_one(&mut self, sort: Sort, source: &str, uid: &str, when: &str) -> Result<(), StoreError> {
        self.ask(sort, source, "RemoveObjects", &(&[(uid, when)][..], "only-this", SEND_NOTHING))
    }
}

/// What EDS or the bus said.
fn told(error: zbus::Error) -> StoreError {
    let program = |state| StoreError::Program { program: Program::Evolution, state };
    let (name, text) = match error {
        zbus::Error::MethodError(name, text, _) => (name, text.unwrap_or_default()),
        zbus::Error::InputOutput(reason) if reason.kind() == std::io::ErrorKind::TimedOut => {
            return program(ProgramState::Busy);
        }
        zbus::Error::InputOutput(_) => return program(ProgramState::Closed),
        other => return StoreError::Io { reason: other.to_string(), path: Program::Evolution.to_string() },
    };
    let of_bus = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or_default();
    // GLib's domain and code of an error, as GDBus writes them into a name.
    let (domain, code) = name.rsplit_once("_2derror_2dquark.Code").unwrap_or_default();
    let domain = domain.rsplit("._").next().unwrap_or_default();
    match (of_bus, domain, code) {
        // A name of its own (`:1.7`) belonged to a part of EDS that has ended.
        ("ServiceUnknown", ..) if text.contains(PREFIX) => program(ProgramState::Missing),
        ("ServiceUnknown" | "NameHasNoOwner" | "NoReply" | "Disconnected" | "UnknownObject" | "UnknownMethod", ..) => {
            program(ProgramState::Closed)
        }
        ("AccessDenied", ..) => program(ProgramState::Denied),
        (_, "e_2dbook_2dclient" | "e_2dcal_2dclient", "1") => StoreError::NotFound,
        (_, "e_2dbook_2dclient", "2") | (_, "e_2dcal_2dclient", "4") => StoreError::Changed,
        (_, "e_2dcal_2dclient", "2") => StoreError::Unsupported,
        (_, "e_2dbook_2dclient", "4") => StoreError::NoSpace { need: 0 },
        (_, "e_2dclient", "1") => program(ProgramState::Busy),
        (_, "e_2dclient", "8") => StoreError::Permission { path: Program::Evolution.to_string() },
        _ => StoreError::Io { reason: text, path: Program::Evolution.to_string() },
    }
}
