//! The stand-in in this process: what the connector reaches through a door without COM.

use super::{
    model::{Manner, Model, Node, Shared, Val, Verb},
    person::OutlookSubject,
};
use std::{
    any::Any,
    collections::BTreeSet,
    rc::Rc,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use stores::{
    Store,
    outlook::{Dispatch, Door, Doors, Fault, NewOutlook, OutlookStore, Variant, Wake},
};

type Watches = Arc<Mutex<Vec<(u64, String, Wake)>>>;

/// An Outlook that is running.
#[derive(Clone)]
pub(crate) struct Local {
    pub(crate) model: Shared,
    watches: Watches,
    /// How long a call may take.
    pub(crate) patience: Duration,
    /// How long it is asked again while it is busy.
    pub(crate) busy_patience: Duration,
    /// Told in which folders something changed.
    heard: Heard,
}

type Heard = Arc<dyn Fn(&BTreeSet<String>) + Send + Sync>;

struct Proxy {
    outlook: Local,
    node: Node,
}

struct Watch {
    watches: Watches,
    number: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watches.lock().unwrap().retain(|(number, _, _)| *number != self.number);
    }
}

impl Local {
    pub(crate) fn new(manner: Manner) -> Self {
        Self::of(Model::new(manner), Arc::new(|_| ()))
    }

    /// One that others speak to as well.
    pub(crate) fn of(model: Shared, heard: Heard) -> Self {
        Self {
            model,
            watches: Arc::default(),
            patience: Duration::from_secs(90),
            busy_patience: Duration::from_secs(15),
            heard,
        }
    }

    pub(crate) fn application(&self) -> Rc<dyn Dispatch> {
        Rc::new(Proxy { outlook: self.clone(), node: Node::Application })
    }

    pub(crate) fn doors(&self) -> Doors {
        let outlook = self.clone();
        Arc::new(move || Box::new(LocalDoor(outlook.clone())))
    }

    /// A person at it, and the connector's way to it.
    pub(crate) fn subject(&self) -> OutlookSubject {
        let doors = self.doors();
        let connect = move |known, staging| {
            Box::new(OutlookStore::through(doors.clone(), None, known, staging)) as Box<dyn Store>
        };
        OutlookSubject::new(self.application(), Box::new(connect))
    }

    fn wrap(&self, value: Val) -> Variant {
        match value {
            Val::Empty => Variant::Empty,
            Val::Bool(is) => Variant::Bool(is),
            Val::I16(number) => Variant::I16(number),
            Val::I32(number) => Variant::I32(number),
            Val::Date(date) => Variant::Date(date),
            Val::Text(text) => Variant::Text(text),
            Val::Bytes(bytes) => Variant::Bytes(bytes),
            Val::List(values) => Variant::List(values.into_iter().map(|value| self.wrap(value)).collect()),
            Val::Rows(rows) => Variant::Rows(
                rows.into_iter().map(|row| row.into_iter().map(|value| self.wrap(value)).collect()).collect(),
            ),
            Val::Error(code) => Variant::Error(code),
            Val::Object(node) => Variant::Object(Rc::new(Proxy { outlook: self.clone(), node })),
        }
    }
}

impl Proxy {
    /// Doesn't come back while Outlook asks its person.
    fn asks(&self, name: &str) {
        while self.outlook.model.lock().unwrap().asks_at == Some(name) {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn invoke(&self, name: &str, verb: Verb, given: &[Variant]) -> Result<Variant, Fault> {
        self.asks(name);
        let given: Vec<Val> = given.iter().map(unwrap).collect();
        let (outcome, changed) = {
            let mut model = self.outlook.model.lock().unwrap();
            let outcome = model.invoke(&self.node, name, verb, &given);
            (outcome, std::mem::take(&mut model.changed))
        };
        if !changed.is_empty() {
            (self.outlook.heard)(&changed);
        }
        let wakes: Vec<Wake> = {
            let watches = self.outlook.watches.lock().unwrap();
            watches
                .iter()
                .filter(|(_, folder, _)| changed.contains(folder))
                .map(|(_, _, wake)| Arc::clone(wake))
                .collect()
        };
        wakes.iter().for_each(|wake| wake());
        outcome.map(|value| self.outlook.wrap(value)).map_err(|code| Fault::new(code, name))
    }
}

fn unwrap(value: &Variant) -> Val {
    match value {
        Variant::Empty => Val::Empty,
        Variant::Bool(is) => Val::Bool(*is),
        Variant::I16(number) => Val::I16(*number),
        Variant::I32(number) => Val::I32(*number),
        Variant::F64(number) | Variant::Date(number) => Val::Date(*number),
        Variant::Text(text) => Val::Text(text.clone()),
        Variant::Bytes(bytes) => Val::Bytes(bytes.clone()),
        Variant::List(values) => Val::List(values.iter().map(unwrap).collect()),
        Variant::Rows(rows) => Val::Rows(rows.iter().map(|row| row.iter().map(unwrap).collect()).collect()),
        Variant::Error(code) => Val::Error(*code),
        Variant::Object(object) => Val::Object(object.as_any().downcast_ref::<Proxy>().unwrap().node.clone()),
    }
}

impl Dispatch for Proxy {
    fn get(&self, name: &str) -> Result<Variant, Fault> {
        self.invoke(name, Verb::Get, &[])
    }

    fn put(&self, name: &str, value: Variant) -> Result<(), Fault> {
        self.invoke(name, Verb::Put, &[value]).map(drop)
    }

    fn call(&self, name: &str, arguments: &[Variant]) -> Result<Variant, Fault> {
        self.invoke(name, Verb::Call, arguments)
    }

    fn watch(&self, wake: Wake) -> Result<Box<dyn Any>, Fault> {
        self.asks("Advise");
        let Node::Items(folder) = &self.node else { return Err(Fault::new(0x8004_0200, "Advise")) };
        let mut watches = self.outlook.watches.lock().unwrap();
        let number = watches.last().map_or(0, |(number, _, _)| number + 1);
        watches.push((number, folder.clone(), wake));
        Ok(Box::new(Watch { watches: Arc::clone(&self.outlook.watches), number }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The door to it.
struct LocalDoor(Local);

impl Door for LocalDoor {
    fn application(&self) -> Result<Rc<dyn Dispatch>, Fault> {
        match self.0.model.lock().unwrap().locked {
            Some(code) => Err(Fault::new(code, "Outlook.Application")),
            None => Ok(self.0.application()),
        }
    }

    fn new_outlook(&self) -> NewOutlook {
        self.0.model.lock().unwrap().new_outlook
    }

    fn patience(&self) -> Duration {
        self.0.patience
    }

    fn busy_patience(&self) -> Duration {
        self.0.busy_patience
    }
}
