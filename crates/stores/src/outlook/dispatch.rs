//! How the connector speaks to Outlook: members by name, on objects.
//!
//! On Windows that is COM's `IDispatch` in another process; in tests it is an object model in memory. Nothing here is
//! `Send`: every object belongs to the one thread that got it.

use crate::{ProgramState, StoreError};
use std::{
    any::Any,
    cell::{Cell, OnceCell},
    fmt,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// An argument or a result.
#[derive(Clone)]
pub enum Variant {
    /// Nothing (`VT_EMPTY`, `VT_NULL`), or an argument left out.
    Empty,
    /// `VT_BOOL`.
    Bool(bool),
    /// `VT_I2`.
    I16(i16),
    /// `VT_I4`.
    I32(i32),
    /// `VT_R8`.
    F64(f64),
    /// `VT_DATE`: days since 30 December 1899.
    Date(f64),
    /// `VT_BSTR`.
    Text(String),
    /// An array of bytes.
    Bytes(Vec<u8>),
    /// An array of one dimension.
    List(Vec<Self>),
    /// An array of two dimensions, by rows.
    Rows(Vec<Vec<Self>>),
    /// `VT_DISPATCH`.
    Object(Rc<dyn Dispatch>),
    /// `VT_ERROR`: this one value couldn't be had.
    Error(u32),
}

impl fmt::Debug for Variant {
    /// The type only: what is debugged ends up in logs, and logs never hold contents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Bool(_) => "Bool",
            Self::I16(_) => "I16",
            Self::I32(_) => "I32",
            Self::F64(_) => "F64",
            Self::Date(_) => "Date",
            Self::Text(_) => "Text",
            Self::Bytes(_) => "Bytes",
            Self::List(_) => "List",
            Self::Rows(_) => "Rows",
            Self::Object(_) => "Object",
            Self::Error(_) => "Error",
        })
    }
}

impl Variant {
    /// A number, whatever its size.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Bool(is) => Some((*is).into()),
            Self::I16(number) => Some((*number).into()),
            Self::I32(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// A text that says something.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Texts of a property with several values.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::List(values) => values.iter().filter_map(Self::text).map(str::to_owned).collect(),
            other => other.text().map(str::to_owned).into_iter().collect(),
        }
    }
}

impl From<&str> for Variant {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for Variant {
    fn from(number: i32) -> Self {
        Self::I32(number)
    }
}

/// A call that failed, with the code Outlook gave.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{member}: {text} ({code:#010x})")]
pub struct Fault {
    /// The HRESULT; where the call itself went through and Outlook said no, the code Outlook said it with.
    pub code: u32,
    /// Which member was called.
    pub member: String,
    /// What Outlook said. May name folders and files.
    pub text: String,
}

impl Fault {
    /// A fault of a member.
    #[must_use]
    pub fn new(code: u32, member: &str) -> Self {
        Self { code, member: member.to_owned(), text: String::new() }
    }
}

/// HRESULTs that mean something to us.
#[allow(missing_docs)]
pub mod code {
    pub const TYPE_MISMATCH: u32 = 0x8002_0005;
    pub const UNKNOWN_NAME: u32 = 0x8002_0006;
    pub const CALL_REJECTED: u32 = 0x8001_0001;
    pub const RETRY_LATER: u32 = 0x8001_010A;
    pub const SERVER_DIED: u32 = 0x8001_0007;
    pub const SERVER_DIED_EARLY: u32 = 0x8001_0012;
    pub const DISCONNECTED: u32 = 0x8001_0108;
    pub const SERVER_UNAVAILABLE: u32 = 0x8007_06BA;
    pub const CALL_FAILED: u32 = 0x8007_06BE;
    pub const SERVER_EXEC_FAILURE: u32 = 0x8008_0005;
    pub const CLASS_NOT_REGISTERED: u32 = 0x8004_0154;
    pub const CLASS_STRING: u32 = 0x8004_01F3;
    pub const OBJECT_NOT_RUNNING: u32 = 0x8004_01E3;
    pub const ABORTED: u32 = 0x8000_4004;
    pub const ACCESS_DENIED: u32 = 0x8007_0005;
    pub const NOT_FOUND: u32 = 0x8004_010F;
    pub const INVALID_ENTRY_ID: u32 = 0x8004_0107;
    pub const OBJECT_DELETED: u32 = 0x8004_010A;
    pub const OBJECT_CHANGED: u32 = 0x8004_0109;
    pub const COLLISION: u32 = 0x8004_0604;
    pub const NOT_ENOUGH_DISK: u32 = 0x8004_010D;
    pub const QUOTA_EXCEEDED: u32 = 0x8004_060C;
}

/// Called when something changed, on whichever thread learns it.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// An object whose members are called by name.
pub trait Dispatch {
    /// Reads a property.
    fn get(&self, name: &str) -> Result<Variant, Fault>;

    /// Sets a property.
    fn put(&self, name: &str, value: Variant) -> Result<(), Fault>;

    /// Calls a method, or reads a property that takes arguments.
    fn call(&self, name: &str, arguments: &[Variant]) -> Result<Variant, Fault>;

    /// Has events of an `Items` collection told until what is returned is dropped.
    fn watch(&self, wake: Wake) -> Result<Box<dyn Any>, Fault>;

    /// Itself, for whoever made it and gets it back as an argument.
    fn as_any(&self) -> &dyn Any;
}

/// The way to Outlook, taken anew after Outlook was closed.
pub trait Door: Send {
    /// Called once on the thread that will own every object, before anything else.
    fn enter(&self) {}

    /// The `Application` object of the Outlook that is running. Never starts it.
    fn application(&self) -> Result<Rc<dyn Dispatch>, Fault>;

    /// Whether the new Outlook is here, which no program can ask.
    fn new_outlook(&self) -> NewOutlook {
        NewOutlook::Absent
    }

    /// How long a call may take before Outlook counts as waiting for a person: it shows a question and doesn't answer.
    fn patience(&self) -> Duration {
        Duration::from_secs(90)
    }

    /// How long an Outlook that says it is busy is asked again, in all.
    fn busy_patience(&self) -> Duration {
        Duration::from_secs(15)
    }

    /// The time zone of this computer.
    fn zone(&self) -> crate::mapi::Zone {
        crate::mapi::Zone::utc()
    }

    /// Waits for the next request, so that events can come in meanwhile; false when no more will come.
    fn wait(&self, has_request: &mut dyn FnMut(Duration) -> bool) -> bool {
        has_request(Duration::from_secs(3600))
    }

    /// What ends [`Door::wait`] when there is a request, called on any thread.
    fn bell(&self) -> Wake {
        Arc::new(|| ())
    }
}

/// The new Outlook, which comes beside the one that can be asked, or instead of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewOutlook {
    /// It isn't on this computer.
    Absent,
    /// It could be opened.
    Installed,
    /// It is open.
    Open,
}

/// Makes ways to Outlook, one for each thread that speaks to it.
pub type Doors = Arc<dyn Fn() -> Box<dyn Door> + Send + Sync>;

/// The `Application` object behind a door. Where a person has only the new Outlook, or only that open, it is told: they
/// believe that Outlook is there.
pub(super) fn application(door: &dyn Door) -> Result<Object, StoreError> {
    in_turn(|| door.application()).map(Object).map_err(|fault| match StoreError::from(fault) {
        StoreError::Program { program, state } => {
            let state = match (state, door.new_outlook()) {
                (ProgramState::Missing, NewOutlook::Installed | NewOutlook::Open)
                | (ProgramState::Closed, NewOutlook::Open) => ProgramState::NotScriptable,
                (state, _) => state,
            };
            StoreError::Program { program, state }
        }
        error => error,
    })
}

/// An object, with the calls repeated that a busy Outlook puts off, and with results of the type that is wanted.
#[derive(Clone)]
pub(super) struct Object(pub(super) Rc<dyn Dispatch>);

impl Object {
    pub(super) fn get(&self, name: &str) -> Result<Variant, Fault> {
        patiently(|| self.0.get(name))
    }

    pub(super) fn put(&self, name: &str, value: impl Into<Variant>) -> Result<(), Fault> {
        let value = value.into();
        patiently(|| self.0.put(name, value.clone()))
    }

    pub(super) fn call(&self, name: &str, arguments: &[Variant]) -> Result<Variant, Fault> {
        patiently(|| self.0.call(name, arguments))
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, Fault> {
        self.get(name).and_then(|value| Self::of(value, name))
    }

    pub(super) fn call_object(&self, name: &str, arguments: &[Variant]) -> Result<Self, Fault> {
        self.call(name, arguments).and_then(|value| Self::of(value, name))
    }

    pub(super) fn watch(&self, wake: &Wake) -> Result<Box<dyn Any>, Fault> {
        patiently(|| self.0.watch(Arc::clone(wake)))
    }

    fn of(value: Variant, name: &str) -> Result<Self, Fault> {
        match value {
            Variant::Object(object) => Ok(Self(object)),
            _ => Err(Fault::new(code::NOT_FOUND, name)),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Fault> {
        match self.get(name)? {
            Variant::Text(text) => Ok(text),
            Variant::Empty => Ok(String::new()),
            _ => Err(Fault::new(code::TYPE_MISMATCH, name)),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<i64, Fault> {
        self.get(name)?.number().ok_or_else(|| Fault::new(code::TYPE_MISMATCH, name))
    }

    pub(super) fn itself(&self) -> Variant {
        Variant::Object(Rc::clone(&self.0))
    }

    /// A property by its schema name; `None` where it isn't set.
    pub(super) fn property(&self, schema: &str) -> Result<Option<Variant>, Fault> {
        match self.object("PropertyAccessor")?.call("GetProperty", &[schema.into()]) {
            Ok(Variant::Empty | Variant::Error(_)) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.code == code::NOT_FOUND => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    pub(super) fn text_property(&self, schema: &str) -> Result<Option<String>, Fault> {
        Ok(self.property(schema)?.and_then(|value| value.text().map(str::to_owned)))
    }

    /// Sets properties by their schema names, all in one call. Items are saved afterwards, folders are at once.
    pub(super) fn set_properties(&self, properties: Vec<(String, Variant)>) -> Result<(), Fault> {
        if properties.is_empty() {
            return Ok(());
        }
        let (names, values): (Vec<_>, Vec<_>) =
            properties.into_iter().map(|(name, value)| (Variant::Text(name), value)).unzip();
        let arguments = [Variant::List(names), Variant::List(values)];
        match self.object("PropertyAccessor")?.call("SetProperties", &arguments)? {
            // One result for each property, an error where it was refused.
            Variant::List(results) => {
                let refused = results.iter().find_map(|result| match result {
                    Variant::Error(code) if *code != 0 => Some(*code),
                    _ => None,
                });
                refused.map_or(Ok(()), |code| Err(Fault::new(code, "SetProperties")))
            }
            _ => Ok(()),
        }
    }
}

fn patiently<T>(call: impl Fn() -> Result<T, Fault>) -> Result<T, Fault> {
    let (mut wait, mut waited) = (Duration::from_millis(50), Duration::ZERO);
    loop {
        match in_turn(&call) {
            Err(fault) if matches!(fault.code, code::CALL_REJECTED | code::RETRY_LATER) && waited < BUSY_MAX.get() => {
                thread::sleep(wait);
                waited += wait;
                wait = (wait * 2).min(Duration::from_secs(1));
            }
            outcome => return outcome,
        }
    }
}

/// How long Outlook is asked without a break. It answers on the thread that draws its windows and takes what is typed, so a
/// person there waits for a stretch and for the call it ends with, never longer.
pub(super) const STRETCH: Duration = Duration::from_millis(40);
/// How long it is left alone after that.
const REST: Duration = Duration::from_millis(10);

thread_local! {
    /// When the stretch began, and when its last call ended.
    static CURRENT: Cell<Option<(Instant, Instant)>> = const { Cell::new(None) };
    static PULSE: OnceCell<Pulse> = const { OnceCell::new() };
    /// How long a busy Outlook is asked again.
    static BUSY_MAX: Cell<Duration> = const { Cell::new(Duration::from_secs(15)) };
}

/// Whether a thread's calls to Outlook go on, as others see it.
#[derive(Clone, Default)]
pub(super) struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// Makes this thread one that goes through a door, and shows its calls from now on.
    pub(super) fn goes_through(self, door: &dyn Door) {
        PULSE.with(|pulse| drop(pulse.set(self)));
        BUSY_MAX.set(door.busy_patience());
        door.enter();
    }

    /// The call that is under way.
    pub(super) fn call(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|count| count % 2 == 1)
    }
}

/// How long one call of a thread has been under way, as far as looks now and then tell.
pub(super) struct Standing {
    call: Option<u64>,
    since: Instant,
}

impl Standing {
    pub(super) fn of(pulse: &Pulse) -> Self {
        Self { call: pulse.call(), since: Instant::now() }
    }

    /// When to look again, so that little more than the patience has gone by when it is over.
    pub(super) fn look_after(patience: Duration) -> Duration {
        patience / 8
    }

    /// Whether the same call has been under way for so long. Much to do takes long; one call that does is a question
    /// Outlook asks a person.
    pub(super) fn is_longer(&mut self, pulse: &Pulse, patience: Duration) -> bool {
        self.at(pulse.call(), Instant::now(), patience)
    }

    fn at(&mut self, call: Option<u64>, now: Instant, patience: Duration) -> bool {
        if call.is_none() || call != self.call {
            *self = Self { call, since: now };
        }
        call.is_some() && now.duration_since(self.since) >= patience
    }
}

/// Counts to odd numbers when a call begins, to even ones when it ended.
fn beat() {
    PULSE.with(|pulse| {
        if let Some(Pulse(count)) = pulse.get() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
}

/// A call, after a rest if it is time for one.
pub(super) fn in_turn<T>(call: impl Fn() -> T) -> T {
    let begun = match CURRENT.get() {
        Some((begun, ended)) if ended.elapsed() < REST && begun.elapsed() < STRETCH => begun,
        Some((_, ended)) => {
            thread::sleep(REST.saturating_sub(ended.elapsed()));
            Instant::now()
        }
        None => Instant::now(),
    };
    beat();
    let outcome = call();
    beat();
    CURRENT.set(Some((begun, Instant::now())));
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Notes when it was called; each call takes a while.
    #[derive(Default)]
    struct Slow(RefCell<Vec<(Instant, Instant)>>);

    impl Dispatch for Slow {
        fn get(&self, _: &str) -> Result<Variant, Fault> {
            let begun = Instant::now();
            thread::sleep(Duration::from_millis(4));
            self.0.borrow_mut().push((begun, Instant::now()));
            Ok(Variant::Empty)
        }

        fn put(&self, name: &str, _: Variant) -> Result<(), Fault> {
            self.get(name).map(drop)
        }

        fn call(&self, name: &str, _: &[Variant]) -> Result<Variant, Fault> {
            self.get(name)
        }

        fn watch(&self, _: Wake) -> Result<Box<dyn Any>, Fault> {
            Ok(Box::new(()))
        }

        fn as_any(&self) -> &dyn Any {
            self
        }
    }

    #[test]
    fn a_call_that_begins_after_a_look_is_given_up_soon_after_the_patience_and_calls_that_end_never() {
        let (patience, begun) = (Duration::from_secs(80), Instant::now());
        let looks = || (1..).map(|look| Duration::from_secs(look * 10));
        let mut standing = Standing { call: None, since: begun };
        // Under way since the first second.
        let given_up = looks().find(|look| standing.at(Some(7), begun + *look, patience));
        assert_eq!(given_up, Some(Duration::from_secs(90)));
        let mut standing = Standing { call: Some(1), since: begun };
        assert!(looks().take(100).all(|look| !standing.at(Some(look.as_secs() * 2 + 1), begun + look, patience)));
        assert!(looks().take(100).all(|look| !standing.at(None, begun + look, patience)));
    }

    #[test]
    fn outlook_is_left_alone_again_and_again_so_that_a_person_can_work() {
        let slow = Rc::new(Slow::default());
        let object = Object(slow.clone());
        (0..40).for_each(|_| drop(object.get("Name").unwrap()));
        let calls = slow.0.borrow();
        let rests = calls.windows(2).filter(|pair| pair[1].0 - pair[0].1 >= REST).count();
        assert!(rests >= 2, "{rests} rests in 160 ms of calls");
    }
}
