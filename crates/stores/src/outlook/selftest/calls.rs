//! How often each member was called and how long Outlook took.

use crate::{
    mapi::Zone,
    outlook::{Dispatch, Door, Doors, Fault, NewOutlook, Variant, Wake},
};
use serde::Serialize;
use std::{
    any::Any,
    collections::BTreeMap,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Calls of one member.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calls {
    /// Its published name.
    pub member: String,
    /// How often.
    pub count: u64,
    /// All of them together, in milliseconds.
    pub total_ms: f64,
    /// The longest, in milliseconds: so long a person at Outlook had to wait.
    pub longest_ms: f64,
}

#[derive(Clone, Default)]
pub(super) struct Tally(Arc<Mutex<BTreeMap<String, Calls>>>);

impl Tally {
    /// Doors behind which every call is counted.
    pub(super) fn counting(&self, doors: &Doors) -> Doors {
        let (doors, tally) = (Arc::clone(doors), self.clone());
        Arc::new(move || Box::new(CountingDoor { door: doors(), tally: tally.clone() }))
    }

    /// What was counted, the slowest first.
    pub(super) fn told(&self) -> Vec<Calls> {
        let mut calls: Vec<Calls> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        calls.sort_by(|a, b| b.longest_ms.total_cmp(&a.longest_ms));
        calls
    }

    fn call<T>(&self, member: &str, call: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let outcome = call();
        self.count(member, begun.elapsed());
        outcome
    }

    fn count(&self, member: &str, took: Duration) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let none = || Calls { member: member.to_owned(), count: 0, total_ms: 0.0, longest_ms: 0.0 };
        let calls = counted.entry(member.to_owned()).or_insert_with(none);
        let millis = took.as_secs_f64() * 1e3;
        calls.count += 1;
        calls.total_ms += millis;
        calls.longest_ms = calls.longest_ms.max(millis);
    }

    fn wrap(&self, value: Variant) -> Variant {
        match value {
            Variant::Object(object) => Variant::Object(Rc::new(Counted { object, tally: self.clone() })),
            other => other,
        }
    }
}

struct CountingDoor {
    door: Box<dyn Door>,
    tally: Tally,
}

impl Door for CountingDoor {
    fn enter(&self) {
        self.door.enter();
    }

    fn application(&self) -> Result<Rc<dyn Dispatch>, Fault> {
        let object = self.tally.call("Application", || self.door.application())?;
        Ok(Rc::new(Counted { object, tally: self.tally.clone() }))
    }

    fn new_outlook(&self) -> NewOutlook {
        self.door.new_outlook()
    }

    fn patience(&self) -> Duration {
        self.door.patience()
    }

    fn busy_patience(&self) -> Duration {
        self.door.busy_patience()
    }

    fn zone(&self) -> Zone {
        self.door.zone()
    }

    fn wait(&self, has_request: &mut dyn FnMut(Duration) -> bool) -> bool {
        self.door.wait(has_request)
    }

    fn bell(&self) -> Wake {
        self.door.bell()
    }
}

struct Counted {
    object: Rc<dyn Dispatch>,
    tally: Tally,
}

impl Dispatch for Counted {
    fn get(&self, name: &str) -> Result<Variant, Fault> {
        self.tally.call(name, || self.object.get(name)).map(|value| self.tally.wrap(value))
    }

    fn put(&self, name: &str, value: Variant) -> Result<(), Fault> {
        self.tally.call(name, || self.object.put(name, value))
    }

    fn call(&self, name: &str, arguments: &[Variant]) -> Result<Variant, Fault> {
        self.tally.call(name, || self.object.call(name, arguments)).map(|value| self.tally.wrap(value))
    }

    fn watch(&self, wake: Wake) -> Result<Box<dyn Any>, Fault> {
        self.tally.call("Advise", || self.object.watch(wake))
    }

    fn as_any(&self) -> &dyn Any {
        self.object.as_any()
    }
}
