//! The caller's end of the channel.

use super::{
    ControlError, Frame, Request, SUBSCRIBE,
    endpoint::{self, Connection},
    line,
};
use crate::{
    message::{Code, Problem},
    profile::Profile,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{BufReader, ReadHalf, WriteHalf},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// Events waiting for a caller that doesn't take them; what comes beyond is counted as missed.
const EVENTS_WAITING_MAX: usize = 256;

/// A connection to the running instance. Several calls can be under way at once.
#[derive(Debug)]
pub struct ControlClient {
    writer: tokio::sync::Mutex<WriteHalf<Connection>>,
    answers: Arc<Mutex<Answers>>,
    events: tokio::sync::Mutex<Option<mpsc::Receiver<Event>>>,
    reading: JoinHandle<()>,
    profile: Profile,
}

/// What the running instance tells unasked, after [`ControlClient::events`].
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something happened.
    Happened(Value),
    /// So many events were not told, because they came faster than they were taken. Ask for the state anew.
    Missed(u64),
}

/// Who waits for which answer. `waiting` is gone once the running instance is.
#[derive(Debug)]
struct Answers {
    last_id: u64,
    waiting: Option<BTreeMap<u64, oneshot::Sender<Result<Value, Problem>>>>,
}

impl ControlClient {
    /// Connects to the instance running with the profile. `None`: none is running.
    pub async fn connect(profile: &Profile) -> Result<Option<Self>, ControlError> {
        let Some(connection) = endpoint::connect(profile).await? else { return Ok(None) };
        let (reader, writer) = tokio::io::split(connection);
        let answers = Arc::new(Mutex::new(Answers { last_id: 0, waiting: Some(BTreeMap::new()) }));
        let (events_in, events) = mpsc::channel(EVENTS_WAITING_MAX);
        let reading = tokio::spawn(read(reader, Arc::clone(&answers), events_in));
        Ok(Some(Self {
            writer: tokio::sync::Mutex::new(writer),
            answers,
            events: tokio::sync::Mutex::new(Some(events)),
            reading,
            profile: profile.clone(),
        }))
    }

    /// Asks the running instance for something and waits for the answer.
    pub async fn call(&self, command: &str, request: Value) -> Result<Value, Problem> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut answers = lock(&self.answers);
            answers.last_id += 1;
            let id = answers.last_id;
            answers.waiting.as_mut().ok_or_else(|| self.gone())?.insert(id, sender);
            id
        };
        let request = Request { id, command: command.to_owned(), request };
        let written = line::write(&mut *self.writer.lock().await, &request).await;
        match written {
            Ok(true) => answer.await.unwrap_or_else(|_| Err(self.gone())),
            Ok(false) => {
                self.forget(id);
                Err(Problem::new(Code::NotUnderstood).with("reason", "the request is too long"))
            }
            Err(error) => {
                self.forget(id);
                Err(self.gone().because(error))
            }
        }
    }

    /// Everything that happens from now on. It ends (`None`) with the running instance. Can be asked for once.
    pub async fn events(&self) -> Result<mpsc::Receiver<Event>, Problem> {
        let taken = Problem::new(Code::Unexpected).because("the events of this connection are already taken");
        let events = self.events.lock().await.take().ok_or(taken)?;
        self.call(SUBSCRIBE, Value::Null).await?;
        Ok(events)
    }

    fn forget(&self, id: u64) {
        if let Some(waiting) = &mut lock(&self.answers).waiting {
            waiting.remove(&id);
        }
    }

    fn gone(&self) -> Problem {
        Problem::new(Code::NotRunning).with("folder", self.profile.folder())
    }
}

impl Drop for ControlClient {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(reader: ReadHalf<Connection>, answers: Arc<Mutex<Answers>>, events: mpsc::Sender<Event>) {
    let mut reader = BufReader::new(reader);
    let mut missed = 0;
    // Damage ends the connection like its end does: whoever waits hears that the other side is gone.
    while let Ok(Some(frame)) = line::read::<Frame>(&mut reader).await {
        let (id, outcome) = match frame {
            Frame::Ok { id, ok } => (id, Ok(ok)),
            Frame::Problem { id, problem } => (id, Err(problem)),
            Frame::Event { event } => {
                missed = pass_on(&events, missed, Event::Happened(event));
                continue;
            }
            Frame::Missed { missed: more } => {
                missed += more;
                continue;
            }
        };
        let waiting = lock(&answers).waiting.as_mut().and_then(|waiting| waiting.remove(&id));
        if let Some(waiting) = waiting {
            // The caller may have given up.
            let _ = waiting.send(outcome);
        }
    }
    lock(&answers).waiting = None;
}

/// Passes an event on without waiting: an answer may stand behind it, and the one who waits for that may be the one who
/// should take the events. Gives back how many were missed up to now and not yet told.
fn pass_on(events: &mpsc::Sender<Event>, missed: u64, event: Event) -> u64 {
    if missed > 0 && events.try_send(Event::Missed(missed)).is_err() {
        return missed + 1;
    }
    u64::from(events.try_send(event).is_err())
}

fn lock(answers: &Mutex<Answers>) -> std::sync::MutexGuard<'_, Answers> {
    answers.lock().unwrap_or_else(PoisonError::into_inner)
}
