//! The engine's room: one thread that owns the index, the replica and (on a server) the hub, and runs them.
//!
//! Everything that happens comes in as an `Input`. Inputs are handled in groups inside one transaction; frames,
//! jobs and events go out only after it is committed, so nothing is said that could be forgotten. A group is short, and
//! what the store's thread reports waits behind nearly everything else: who asks at the door is answered while ten years
//! of mail are read for the first time.
//!
//! | file | story |
//! |---|---|
//! | `talking.rs` | frames between replica, hub and links; contents asked for and served |
//! | `reading.rs` | the store is read, and what it says is written down |
//! | `applying.rs` | groups of changes go into the store, with intents, and are remembered |
//! | `worker.rs` | the store's own thread |
//! | `link.rs` | one network link: frames and contents on streams |
//! | `record.rs` | a content, or a part of one, on such a stream |
//! | `problems.rs` | what stands in the way, by cause |
//! | `view.rs` | what people ask and decide |

mod applying;
mod bytes;
pub mod link;
mod problems;
mod reading;
pub mod record;
pub(crate) mod source;
mod talking;
pub mod view;
mod worker;

use crate::{
    blobs::{self, BlobError, Blobs, Finished},
    history::History,
    index::{Found, HubView, Index, OpenError, Opened},
    memory,
    message::{Code, Problem},
};
use fail::fail_point;
use pim::{FolderUid, ItemUid, NativeHash};
use problems::{Cause, Problems};
use reading::Reading;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use stores::{FolderId, Payload, Reader, Store, StoreError, StoreId};
use sync::{
    hub::{Hub, SessionId, Told},
    index::IndexError,
    model::Seq,
    replica::{Replica, Settings},
    wire::Frame,
};
use tokio::sync::{broadcast, oneshot, watch};
use worker::{Job, Report, Worker};

pub use link::LinkSender;
pub(crate) use worker::EditKind;

/// The server's own replica talks to the hub under this number.
const OWN: SessionId = SessionId(0);

/// Something for the engine.
#[allow(clippy::large_enum_variant, reason = "a queue of a few, each looked at once")]
pub(crate) enum Input {
    /// A link to a client stands (server), or to the hub (client).
    LinkUp { session: SessionId, device: Vec<u8>, to: LinkSender },
    /// A frame came.
    Frame { session: SessionId, frame: Frame },
    /// The link has room for more rows.
    Room(SessionId),
    /// Content came whole, and it is what its hash says. The permit keeps memory bounded.
    Content { session: SessionId, native: NativeHash, arrived: Arrived },
    /// Content couldn't be sent: the store's item changed since.
    ServeFailed { session: SessionId, item: ItemUid, native: NativeHash },
    /// The link is gone.
    LinkDown(SessionId),
    /// From the store's thread.
    #[allow(private_interfaces, reason = "only the store's thread makes and only the engine reads reports")]
    Report(u64, Report),
    /// Contents are durable in the blob area; those that could not be kept come back, or are lost.
    Durable { saved: Vec<NativeHash>, failed: Vec<ToSave>, is_any_lost: bool, problem: Option<BlobError> },
    /// Content that is coming in can't be kept.
    NoRoom(BlobError),
    /// A person or the node asks something.
    Run(Box<dyn FnOnce(&mut Room) + Send>),
    /// The end.
    Stop,
}

/// What goes on, for windows and terminals.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a queue of a few, each looked at once")]
pub enum Event {
    /// Something a person may want to know.
    Happened(sync::replica::Happened),
    /// A problem began.
    Problem(Problem),
}

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The link to the hub stands (always, on the server).
    pub is_connected: bool,
    /// The store is being read for the first time.
    pub is_reading: bool,
    /// Everything is the same as far as it can be, here and on the server.
    pub is_quiet: bool,
    /// All that the hub knew has arrived and the store was read: a preview can be made.
    pub is_compared: bool,
    /// Items that are on their way or wait for it.
    pub pending: u64,
    /// How many were so when the last link broke, as long as there is no new one. Nothing is under way without a link.
    pub was_pending: u64,
    /// Items brought here and sent since the engine began.
    pub items_done: u64,
    /// Bytes of content brought here and sent since the engine began.
    pub bytes_done: u64,
    /// What stands in the way.
    pub problem: Option<Problem>,
    /// What concerns single folders or items while all else goes on.
    pub note: Option<Problem>,
}

/// A running engine. Dropping it stops the engine and waits for its threads.
#[derive(Debug)]
pub struct Engine {
    inputs: mpsc::Sender<Input>,
    state: watch::Receiver<State>,
    events: broadcast::Sender<Event>,
    reader: Shared,
    thread: Option<JoinHandle<()>>,
}

/// What links need of the engine.
#[derive(Clone)]
pub(crate) struct Shared {
    pub reader: Arc<dyn Reader>,
    pub blobs: Arc<Blobs>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// Whether this computer's engine holds the hub.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The hub and a replica.
    Server,
    /// A replica.
    Client,
}

impl Engine {
    /// Starts the engine on an index, a blob area and a store.
    ///
    /// `store` makes the store, given which one it must be if that is known: at the place of a disk that isn't mounted
    /// there may be another. `reads`: the store is read and watched, and on a server the hub takes part. Without, the
    /// engine only answers. `place` is what people call the store's place.
    pub fn start(
        part: Part,
        index: PathBuf,
        blobs: Blobs,
        store: impl FnOnce(Option<StoreId>) -> Box<dyn Store>,
        settings: Settings,
        reads: bool,
        place: String,
    ) -> std::result::Result<(Self, Found), OpenError> {
        let (inputs, queue) = mpsc::channel();
        let (state_out, state) = watch::channel(State { is_reading: true, ..State::default() });
        let (events, _) = broadcast::channel(1024);
        let blobs = Arc::new(blobs);
        let io = |source| OpenError::Io { path: index.clone(), source };
        let (opened_out, opened_in) = mpsc::channel();
        let (store_out, store_in) = mpsc::channel::<(Shared, stores::Caps, Worker)>();
        let path = index.clone();
        let (out, told, blobs_kept, inputs_kept) = (events.clone(), state_out, Arc::clone(&blobs), inputs.clone());
        let thread = std::thread::Builder::new().name("engine".into()).spawn(move || {
            let opened = Index::open(&path, now_secs()).and_then(|opened| {
                let is_kept = move |native| blobs_kept.contains(native);
                let hub = match part {
                    Part::Server => Some(HubRoom { hub: Hub::new(), index: opened.index.hub(is_kept)? }),
                    Part::Client => None,
                };
                let store_id = opened.index.value(reading::STORE_ID)?;
                Ok((opened, hub, store_id))
            });
            let (index, hub) = match opened {
                Ok((Opened { index, found }, hub, store_id)) => {
                    opened_out.send(Ok((found, store_id))).ok();
                    (index, hub)
                }
                Err(error) => return drop(opened_out.send(Err(error))),
            };
            let Ok((shared, caps, worker)) = store_in.recv() else { return };
            let mut room = Room {
                part,
                reads,
                place,
                life: 1,
                begins_again_at: None,
                recovering: Recovering::No,
                problems: Problems::default(),
                refused_at: None,
                overtaken: applying::Overtaken::default(),
                save_again_at: None,
                plan_again_at: None,
                going_back: GoingBack::default(),
                resume: BTreeMap::new(),
                history: History::new(&index).unwrap_or_default(),
                index,
                replica: Replica::new(settings),
                hub,
                shared,
                caps,
                worker,
                inputs: inputs_kept,
                links: BTreeMap::new(),
                asked: BTreeMap::new(),
                arrived: BTreeMap::new(),
                to_save: Vec::new(),
                is_saving: false,
                groups: BTreeMap::new(),
                next_group: 0,
                reading: Reading::default(),
                talks_on: false,
                edits: 0,
                after_commit: Vec::new(),
                said_hello: None,
                asked_by_person: BTreeSet::new(),
                awaits_restore: false,
                maybe_same: Vec::new(),
                settled: Seq(0),
                told_settled: None,
                effects: VecDeque::new(),
                state: State { is_reading: true, ..State::default() },
                state_out: told,
                events: out,
                folder_ids: BTreeMap::new(),
                next_retry: Instant::now(),
                next_tidy_up: Instant::now() + TIDY_UP,
                keep: blobs::Keep::DEFAULT,
                next_copy: Instant::now(),
                listed: 0,
                shrunk_at: 0,
            };
            room.run(&queue);
        });
        let thread = thread.map_err(io)?;
        let (found, store_id) = opened_in.recv().map_err(|_| io(std::io::ErrorKind::BrokenPipe.into()))??;
        let mut store = store(store_id.and_then(|id| String::from_utf8(id).ok()).map(StoreId));
        // Readers know the file system only of a store that was opened; one that isn't there now is looked for again.
        if let Err(error) = store.open() {
            tracing::warn!(%error, "the store isn't there");
        }
        let shared = Shared { reader: store.reader(), blobs: Arc::clone(&blobs) };
        let caps = store.caps();
        let report_to = inputs.clone();
        let report = move |life, report| drop(report_to.send(Input::Report(life, report)));
        let worker = Worker::start(store, blobs, report).map_err(io)?;
        store_out.send((shared.clone(), caps, worker)).map_err(|_| io(std::io::ErrorKind::BrokenPipe.into()))?;
        Ok((Self { inputs, state, events, reader: shared, thread: Some(thread) }, found))
    }

    /// How things stand, now and from now on.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Does something with the engine, between its own steps and inside one transaction.
    pub async fn run<T: Send + 'static>(&self, run: impl FnOnce(&mut Room) -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let run = Box::new(move |room: &mut Room| drop(answer.send(run(room))));
        self.inputs.send(Input::Run(run)).ok()?;
        answered.await.ok()
    }

    /// The same engine for whoever can't wait for a task. It doesn't keep the engine alive.
    pub(crate) fn owned(&self) -> OwnedEngine {
        OwnedEngine { inputs: self.inputs.clone() }
    }

    /// What a link needs.
    pub(crate) fn for_links(&self) -> (mpsc::Sender<Input>, Shared) {
        (self.inputs.clone(), self.reader.clone())
    }
}

/// A way to the engine from threads that may wait.
#[derive(Clone, Debug)]
pub(crate) struct OwnedEngine {
    inputs: mpsc::Sender<Input>,
}

impl OwnedEngine {
    /// Does something with the engine and waits until it is durable.
    pub(crate) fn run_waiting<T: Send + 'static>(&self, run: impl FnOnce(&mut Room) -> T + Send + 'static) {
        let (answer, answered) = mpsc::channel();
        let run = Box::new(move |room: &mut Room| {
            run(room);
            room.after_commit.push(answer);
        });
        if self.inputs.send(Input::Run(run)).is_ok() {
            // An engine that stops drops the answer: then nothing is to be remembered any more.
            answered.recv().ok();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.inputs.send(Input::Stop).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Inputs that came and weren't handled yet.
#[derive(Default)]
struct Waiting {
    first: VecDeque<Input>,
    /// What the store's thread reports. There may be thousands, and nobody stands at a door for them.
    reports: VecDeque<Input>,
    /// Inputs taken since the last report was.
    since_report: usize,
    is_end: bool,
}

impl Waiting {
    fn put(&mut self, input: Input) {
        match input {
            Input::Report(..) => self.reports.push_back(input),
            Input::Stop => self.is_end = true,
            input => self.first.push_back(input),
        }
    }

    /// The next to be handled. A report gets its turn, too, however much comes in.
    fn next(&mut self) -> Option<Input> {
        const BEFORE_A_REPORT: usize = 8;
        self.since_report += 1;
        if self.first.is_empty() || (self.since_report > BEFORE_A_REPORT && !self.reports.is_empty()) {
            self.since_report = 0;
            return self.reports.pop_front();
        }
        self.first.pop_front()
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.reports.is_empty()
    }
}

/// Something that is done after the transaction is committed.
#[allow(clippy::large_enum_variant, reason = "a queue of a few, each looked at once")]
enum Effect {
    Send(SessionId, Frame),
    Serve(SessionId, ItemUid, NativeHash, u64, source::Source),
    Hangup(SessionId),
    Job(Job),
    Event(Event),
    SaveContents,
    CopyIndex,
}

/// The hub with its index.
#[derive(Debug)]
pub(crate) struct HubRoom {
    pub(crate) hub: Hub,
    pub(crate) index: HubView,
}

/// Everything the engine's thread has.
pub struct Room {
    pub(crate) part: Part,
    reads: bool,
    /// What people call the store's place.
    place: String,
    /// Grows when everything begins again; what the store's thread tells of an earlier life doesn't count.
    life: u64,
    begins_again_at: Option<Instant>,
    recovering: Recovering,
    problems: Problems,
    /// The store refused a change that may go later.
    refused_at: Option<Instant>,
    overtaken: applying::Overtaken,
    /// Contents that came and couldn't be kept are tried again then.
    save_again_at: Option<Instant>,
    /// Planning went in a circle on the server; it begins again then.
    plan_again_at: Option<Instant>,
    going_back: GoingBack,
    /// Where the hub wants contents to go on that it has a part of.
    resume: BTreeMap<NativeHash, u64>,
    pub(crate) index: Index,
    pub(crate) history: History,
    pub(crate) replica: Replica,
    pub(crate) hub: Option<HubRoom>,
    shared: Shared,
    caps: stores::Caps,
    worker: Worker,
    inputs: mpsc::Sender<Input>,
    links: BTreeMap<SessionId, LinkSender>,
    /// Contents that were asked for, by session: what else comes is dropped.
    asked: BTreeMap<SessionId, BTreeSet<NativeHash>>,
    /// Contents that arrived and wait to be written to the store.
    arrived: BTreeMap<NativeHash, Arrived>,
    /// Contents that arrived at the hub and wait to become durable.
    to_save: Vec<ToSave>,
    is_saving: bool,
    groups: BTreeMap<u64, applying::Group>,
    next_group: u64,
    reading: Reading,
    /// Replica and hub have more to say to each other.
    talks_on: bool,
    /// Edits of persons on their way into the store.
    edits: usize,
    /// Who waits until what was done is durable.
    after_commit: Vec<mpsc::Sender<()>>,
    /// The hello that went with the opening of the link and needn't be said again.
    said_hello: Option<sync::wire::Hello>,
    /// Contents that a person's wish needs; they are kept.
    asked_by_person: BTreeSet<NativeHash>,
    /// The server was asked to take held deletions back, and hasn't answered.
    awaits_restore: bool,
    /// Items that may be the same; both are kept.
    maybe_same: Vec<(ItemUid, ItemUid)>,
    /// The server's own store holds everything up to here.
    settled: Seq,
    told_settled: Option<Seq>,
    effects: VecDeque<Effect>,
    pub(crate) state: State,
    state_out: watch::Sender<State>,
    events: broadcast::Sender<Event>,
    /// The store's names of folders, as of the last reading.
    folder_ids: BTreeMap<FolderId, FolderUid>,
    next_retry: Instant,
    next_tidy_up: Instant,
    /// How long and how much is kept to be undone.
    pub(crate) keep: blobs::Keep,
    next_copy: Instant,
    /// Entries that listings named since the engine began.
    listed: u64,
    /// How many items had been handled when memory was given back last.
    shrunk_at: u64,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("part", &self.part).field("state", &self.state).finish_non_exhaustive()
    }
}

type Result<T> = std::result::Result<T, IndexError>;

/// Content that came and isn't durable yet.
pub(crate) enum Arrived {
    /// In memory, of which it holds a share as long as it lives.
    Small {
        bytes: Arc<[u8]>,
        #[allow(dead_code, reason = "it is held, not asked")]
        share: Option<tokio::sync::OwnedSemaphorePermit>,
    },
    /// In a file of the blob area.
    Large(Finished),
}

impl Arrived {
    pub(crate) fn payload(&self) -> Payload {
        match self {
            Self::Small { bytes, .. } => Payload::Memory(Arc::clone(bytes)),
            Self::Large(finished) => finished.payload(),
        }
    }

    /// It is where it should be, or nobody needs it.
    fn discard(self) {
        if let Self::Large(finished) = self {
            finished.discard();
        }
    }
}

pub(crate) type ToSave = (NativeHash, Arrived);

/// Whether it is known what became of the intents that a crash left behind. Nothing is written before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Recovering {
    /// Known, or there were none.
    No,
    /// The store was asked.
    Asked,
    /// The store isn't there; it is asked when it is.
    Due,
}

/// Waits until no more items go back to an earlier state: restoring a backup takes a while, and the guard is to see it as one.
#[derive(Default)]
struct GoingBack {
    count: usize,
    since: Option<Instant>,
    due: Option<Instant>,
}

impl GoingBack {
    const QUIET: Duration = Duration::from_millis(500);

    fn next_due(&self) -> Option<Duration> {
        self.due.map(|due| due.saturating_duration_since(Instant::now()))
    }

    /// Whether that many items have waited long enough.
    fn is_over(&mut self, count: usize) -> bool {
        let now = Instant::now();
        if count > self.count {
            let since = *self.since.get_or_insert(now);
            self.due = Some((now + Self::QUIET).min(since + reading::SETTLING_MAX));
        }
        self.count = count;
        let is_over = count == 0 || self.due.is_some_and(|due| due <= now);
        if is_over {
            *self = Self::default();
        }
        is_over && count > 0
    }
}

/// At most so many inputs share a transaction, and none is added to one that took this long.
const GROUP_INPUTS: usize = 256;
const GROUP_TIME: Duration = Duration::from_millis(100);
const TIDY_UP: Duration = Duration::from_secs(3600);
/// After so many items, done or only listed, what they took and what only speeded them up is given back.
const LONG_RUN: u64 = 1000;
const RETRY: Duration = Duration::from_secs(2);
/// What the store refused for now is tried again after this long.
const WRITE_AGAIN: Duration = Duration::from_secs(4);

impl Room {
    fn run(&mut self, queue: &mpsc::Receiver<Input>) {
        self.begin_life();
        let mut waiting = Waiting::default();
        loop {
            let due = self.reading.next_due().into_iter().chain(self.going_back.next_due());
            let wait = due.fold(RETRY, Duration::min);
            let wait = if waiting.is_empty() && !self.talks_on { wait } else { Duration::ZERO };
            match queue.recv_timeout(wait) {
                Ok(input) => waiting.put(input),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            queue.try_iter().for_each(|input| waiting.put(input));
            let is_end = waiting.is_end;
            if self.begins_again_at.is_some_and(|at| at <= Instant::now()) && !is_end {
                self.begin_again();
            }
            if self.begins_again_at.is_some() {
                // Links end with what they sent, and who asks hears that there is no answer.
                waiting = Waiting::default();
            } else if let Err(error) = self.in_transaction(|room| room.take_group(&mut waiting)) {
                self.index_failed(&error);
            }
            self.after_commit.drain(..).for_each(|waiting| waiting.send(()).unwrap_or(()));
            self.do_effects();
            if is_end && waiting.first.is_empty() {
                return;
            }
        }
    }

    fn in_transaction(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.index.begin()?;
        match work(self) {
            Ok(()) => self.index.commit().inspect_err(|_| drop(self.index.rollback())),
            Err(error) => {
                self.index.rollback()?;
                Err(error)
            }
        }
    }

    /// The index can't be used: nothing is said, every link ends, and everything is decided again later.
    fn index_failed(&mut self, error: &IndexError) {
        tracing::error!(%error, "the index can't be used");
        self.effects.clear();
        self.talks_on = false;
        // Without its sender a link ends.
        self.links.clear();
        self.after_commit.clear();
        self.problem(Cause::Index, Problem::new(Code::Unexpected).because(error));
        self.state.is_connected = false;
        self.state.is_quiet = false;
        self.begins_again_at = Some(Instant::now() + RETRY);
        self.publish();
    }

    /// Forgets everything that isn't in the index, and begins as after a start.
    fn begin_again(&mut self) {
        self.begins_again_at = None;
        self.life += 1;
        let settings = std::mem::take(self.replica.settings_mut());
        self.replica = Replica::new(settings);
        if let Some(room) = &mut self.hub {
            room.hub = Hub::new();
        }
        self.asked.clear();
        self.discard_arrived();
        self.to_save.clear();
        self.groups.clear();
        self.reading = Reading::default();
        self.edits = 0;
        self.settled = Seq(0);
        self.told_settled = None;
        self.refused_at = None;
        self.going_back = GoingBack::default();
        self.problems.clear(&Cause::Index);
        self.begin_life();
    }

    fn begin_life(&mut self) {
        let result = self.in_transaction(|room| {
            room.replica.set_reading(true);
            if !room.reads {
                return room.go_on();
            }
            room.recover()?;
            room.take_up_reading()?;
            room.tell_all_reversions()?;
            if room.part == Part::Server {
                room.replica.connected(&room.index.replica())?;
                room.state.is_connected = true;
                if let Some(room) = &mut room.hub {
                    room.hub.set_reading(true);
                }
            }
            room.read_all();
            room.go_on()
        });
        if let Err(error) = result {
            self.index_failed(&error);
        }
        self.do_effects();
    }

    fn take_group(&mut self, waiting: &mut Waiting) -> Result<()> {
        let begun = Instant::now();
        for _ in 0..GROUP_INPUTS {
            let Some(input) = waiting.next() else { break };
            self.take(input)?;
            if begun.elapsed() >= GROUP_TIME {
                break;
            }
        }
        let handled = self.state.items_done + self.listed;
        if self.state.is_quiet && handled - self.shrunk_at >= LONG_RUN {
            self.shrunk_at = handled;
            self.index.shrink()?;
            memory::give_back();
        }
        if Instant::now() >= self.next_retry {
            self.next_retry = Instant::now() + RETRY;
            self.replica.retry();
            self.replica.flush_ready();
        }
        if self.refused_at.is_some_and(|at| at.elapsed() >= WRITE_AGAIN) {
            self.refused_at = None;
            self.replica.room_again();
        }
        if self.plan_again_at.is_some_and(|at| at <= Instant::now()) {
            self.plan_again()?;
        }
        if self.save_again_at.is_some_and(|at| at <= Instant::now()) {
            self.save_again_at = None;
            self.effects.push_back(Effect::SaveContents);
        }
        if Instant::now() >= self.next_tidy_up {
            self.next_tidy_up = Instant::now() + TIDY_UP;
            self.tidy_up(self.keep)?;
        }
        self.read_what_is_due();
        self.go_on()?;
        if self.going_back.is_over(self.replica.going_back()) {
            self.replica.store_is_still();
            self.go_on()?;
        }
        // Copying takes its time and this thread; nobody waits for anything now.
        if self.state.is_quiet && Instant::now() >= self.next_copy {
            self.next_copy = Instant::now() + TIDY_UP;
            if self.index.is_copy_due(now_secs())? {
                self.effects.push_back(Effect::CopyIndex);
            }
        }
        Ok(())
    }

    fn take(&mut self, input: Input) -> Result<()> {
        match input {
            Input::LinkUp { session, device, to } => self.link_up(session, device, to),
            Input::Frame { session, frame } => self.frame_came(session, frame),
            Input::Room(session) => self.send_rows(session),
            Input::Content { session, native, arrived } => {
                self.content_came(session, native, arrived);
                Ok(())
            }
            Input::ServeFailed { session, item, native } => {
                self.serve_failed(session, item, native);
                Ok(())
            }
            Input::LinkDown(session) => {
                self.link_down(session);
                Ok(())
            }
            Input::Report(life, report) if life == self.life => self.take_report(report),
            Input::Report(_, Report::Wake(folder)) => {
                self.woken(folder);
                Ok(())
            }
            Input::Report(..) => Ok(()),
            Input::Durable { saved, failed, is_any_lost, problem } => {
                if is_any_lost {
                    // They are asked for again over new links.
                    self.hang_up_all();
                }
                self.contents_durable(saved, failed, problem)
            }
            Input::NoRoom(error) => {
                self.keeping_failed(error);
                Ok(())
            }
            Input::Run(run) => {
                run(self);
                Ok(())
            }
            // Handled as soon as it comes in.
            Input::Stop => Ok(()),
        }
    }

    fn take_report(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Folders(folders) => self.folders_listed(folders),
            Report::Listed(folder, listing) => self.folder_listed(folder, listing),
            Report::Examined(folder, items) => self.items_examined(folder, items),
            Report::EndOfReading => self.reading_done(),
            Report::Staged(group, results) => self.group_staged(group, results),
            Report::Committed(group, results) => self.group_committed(group, results),
            Report::Recovered(outcomes) => self.recovered(outcomes),
            Report::Edited(change, kind, outcome) => self.edited(change, kind, outcome),
            Report::Folder(folder, outcome) => self.folder_changed(folder, outcome),
            Report::Merged(item, merged) => self.merged(item, merged),
            Report::Watching(Ok(())) => Ok(()),
            Report::Watching(Err(error)) => {
                tracing::warn!(%error, "the store can't be watched; it is read again now and then");
                Ok(())
            }
            Report::Wake(folder) => {
                self.woken(folder);
                Ok(())
            }
        }
    }

    /// Everything that is due after something happened.
    fn go_on(&mut self) -> Result<()> {
        self.talk()?;
        self.read_what_was_put_off();
        self.tell_settled()?;
        self.tell_state();
        Ok(())
    }

    fn do_effects(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Send(session, frame) => {
                    if let Some(link) = self.links.get(&session) {
                        link.send(&frame);
                    }
                }
                Effect::Serve(session, item, native, offset, source) => {
                    if let Some(link) = self.links.get(&session) {
                        link.serve(item, native, offset, source);
                    }
                }
                Effect::Hangup(session) => {
                    if let Some(link) = self.links.remove(&session) {
                        link.hang_up();
                    }
                }
                Effect::Job(job) => {
                    if matches!(job, Job::Commit(..)) {
                        fail_point!("engine::after_intents");
                    }
                    self.worker.give(self.life, job);
                }
                Effect::Event(event) => drop(self.events.send(event)),
                Effect::SaveContents => self.save_contents(),
                Effect::CopyIndex => {
                    if let Err(error) = self.index.copy(now_secs()) {
                        tracing::warn!(%error, "the index can't be copied");
                    }
                }
            }
        }
    }

    /// Sums up how things stand, and tells it if it is news.
    pub(crate) fn tell_state(&mut self) {
        let is_settled = self.part == Part::Server || self.is_settled_there();
        self.state.is_quiet = self.replica.is_quiet()
            && !self.talks_on
            && self.reading.is_quiet()
            && self.groups.is_empty()
            && self.edits == 0
            && self.to_save.is_empty()
            && !self.is_saving
            && self.refused_at.is_none()
            && self.recovering == Recovering::No
            && self.effects.iter().all(|effect| matches!(effect, Effect::Event(_)))
            && is_settled
            && !self.awaits_restore;
        if self.state.is_quiet {
            self.problems.clear(&Cause::Writing);
            self.problems.clear(&Cause::Planning);
            self.problems.clear(&Cause::Restored);
            // What still lies here is of versions that nobody needs any more.
            self.discard_arrived();
        }
        self.state.is_reading = self.reads && self.reading.is_first();
        tracing::trace!(
            part = ?self.part,
            is_quiet = self.state.is_quiet,
            is_replica_quiet = self.replica.is_quiet(),
            is_reading_quiet = self.reading.is_quiet(),
            is_settled,
            is_refused = self.refused_at.is_some(),
            "how things stand"
        );
        self.state.is_compared = self.replica.is_caught_up() && !self.reading.is_first();
        self.state.pending = self.replica.pending() as u64;
        self.publish();
    }

    fn publish(&mut self) {
        self.state.problem = self.problems.stopping().cloned();
        self.state.note = self.problems.note().cloned();
        // Only what is new is told: whoever hears it may ask, and asking must not be news again.
        let state = &self.state;
        self.state_out.send_if_modified(|told| {
            let is_new = told != state;
            if is_new {
                told.clone_from(state);
            }
            is_new
        });
    }

    /// The server's store holds what this computer knows of the log.
    fn is_settled_there(&self) -> bool {
        use sync::index::ReplicaIndex;
        self.index.replica().cursor().ok().flatten().is_some_and(|cursor| self.settled >= cursor.seq)
    }

    fn problem(&mut self, cause: Cause, problem: Problem) {
        if self.problems.set(cause, &problem) {
            tracing::warn!(%problem, "something stands in the way");
            self.effects.push_back(Effect::Event(Event::Problem(problem)));
        }
    }

    /// The index that was found was damaged, and lies elsewhere now.
    pub(crate) fn found_damaged(&mut self, moved_to: &Path) {
        self.problem(Cause::Damaged, Problem::new(Code::IndexDamaged).with("file", moved_to));
        self.tell_state();
    }

    fn store_problem(&mut self, cause: Cause, error: &StoreError) {
        let problem = match error {
            StoreError::Permission { path } if cause == Cause::Writing => {
                Problem::new(Code::NotWritable).with("path", path.clone())
            }
            StoreError::NoSpace { need } => {
                let problem = Problem::with_store(error.clone(), &self.place);
                match crate::blobs::free_space(Path::new(&self.place)) {
                    Ok(Some(free)) if *need > 0 => problem.with("need_bytes", *need).with("free_bytes", free),
                    _ => problem,
                }
            }
            error => Problem::with_store(error.clone(), &self.place),
        };
        self.problem(cause, problem);
    }
}

fn now_secs() -> u64 {
    // Before 1970 is as good as 1970: time is for people and for expiry.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes
}

fn told() -> Told {
    Told { now_secs: now_secs(), random: random() }
}

fn blob_error(error: BlobError) -> StoreError {
    match error {
        BlobError::NoSpace { need, .. } => StoreError::NoSpace { need },
        error => StoreError::Io { reason: error.to_string(), path: "blobs".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_does_not_wait_for_all_that_the_store_reports_which_gets_its_turn() {
        let mut waiting = Waiting::default();
        (0..1000).for_each(|_| waiting.put(Input::Report(1, Report::Wake(None))));
        let asks = || Input::Run(Box::new(|_: &mut Room| ()));
        waiting.put(asks());
        assert!(matches!(waiting.next(), Some(Input::Run(_))));
        (0..100).for_each(|_| waiting.put(asks()));
        let first: Vec<Input> = std::iter::from_fn(|| waiting.next()).take(100).collect();
        let reports = first.iter().filter(|input| matches!(input, Input::Report(..))).count();
        assert!((5..20).contains(&reports), "{reports}");
        assert_eq!(std::iter::from_fn(|| waiting.next()).count(), 1000, "nothing is lost");
        assert!(waiting.is_empty());
    }
}
