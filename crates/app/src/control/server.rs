//! The running instance's end of the channel.

use super::{
    ControlError, Frame, Request, SUBSCRIBE,
    endpoint::{self, Connection, Listener},
    line,
};
use crate::{
    message::{Code, Problem},
    profile::{Profile, ProfileLock},
};
use serde_json::Value;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncWrite, BufReader},
    sync::{Semaphore, broadcast, mpsc},
    task::JoinSet,
};

/// More callers than any set of windows and scripts needs wait until one goes.
const CONNECTIONS_MAX: usize = 64;
/// So many requests of one caller are worked on at once; it isn't heard further until one is answered.
const REQUESTS_AT_ONCE_MAX: usize = 16;
/// Answers and events waiting for a caller that doesn't read.
const FRAMES_WAITING_MAX: usize = 64;

/// Answers callers until it is dropped.
#[derive(Debug)]
pub struct ControlServer {
    listener: Listener,
    profile: Profile,
}

impl ControlServer {
    /// Opens the channel of the profile that is locked. Callers can connect from now on and are heard once it
    /// [serves](Self::serve).
    pub fn bind(lock: &ProfileLock) -> Result<Self, ControlError> {
        Ok(Self { listener: Listener::bind(lock)?, profile: lock.profile().clone() })
    }

    /// Hands every request to `handler` and every event to whoever subscribed, for as long as the future is polled. Requests
    /// being worked on then are finished all the same.
    pub async fn serve<H, F>(mut self, handler: H, events: broadcast::Sender<Value>)
    where
        H: Fn(String, Value) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, Problem>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let mut callers = JoinSet::new();
        loop {
            while callers.len() >= CONNECTIONS_MAX {
                callers.join_next().await;
            }
            match self.listener.accept().await {
                Ok(connection) => {
                    let (handler, events) = (Arc::clone(&handler), events.clone());
                    callers.spawn(async move {
                        if let Err(error) = serve_caller(connection, handler, events).await {
                            tracing::debug!(%error, "a caller of the control channel went away");
                        }
                    });
                }
                Err(error) => {
                    // Too many open files, most likely; it passes.
                    tracing::warn!(%error, "the control channel takes no caller at the moment");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            while callers.try_join_next().is_some() {}
        }
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        endpoint::forget(&self.profile);
    }
}

async fn serve_caller<H, F>(connection: Connection, handler: Arc<H>, events: broadcast::Sender<Value>) -> io::Result<()>
where
    H: Fn(String, Value) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Value, Problem>> + Send + 'static,
{
    let (reader, mut writer) = tokio::io::split(connection);
    let mut reader = BufReader::new(reader);
    let (answers, mut waiting) = mpsc::channel::<Frame>(FRAMES_WAITING_MAX);
    // It ends when the last one that could answer is gone, and with it, what is still to be written.
    let writing = async move {
        while let Some(frame) = waiting.recv().await {
            write(&mut writer, frame).await?;
        }
        Ok::<(), io::Error>(())
    };
    let reading = async move {
        let slots = Arc::new(Semaphore::new(REQUESTS_AT_ONCE_MAX));
        let mut subscription = JoinSet::new();
        while let Some(Request { id, command, request }) = line::read::<Request>(&mut reader).await? {
            if command == SUBSCRIBE {
                // Subscribed before the answer says so: whatever happens after the answer is told.
                let subscribed = events.subscribe();
                if answers.send(Frame::answer(id, Ok(Value::Null))).await.is_err() {
                    break;
                }
                if subscription.is_empty() {
                    subscription.spawn(forward(subscribed, answers.clone()));
                }
                continue;
            }
            let slot = Arc::clone(&slots).acquire_owned().await.expect("the slots are never closed");
            let (work, answers) = (handler(command, request), answers.clone());
            // On its own: a caller that goes away doesn't stop half-way what it asked for.
            tokio::spawn(async move {
                let _ = answers.send(Frame::answer(id, work.await)).await;
                drop(slot);
            });
        }
        Ok::<(), io::Error>(())
    };
    tokio::try_join!(reading, writing).map(|_| ())
}

/// Tells events until the caller or the source is gone.
async fn forward(mut events: broadcast::Receiver<Value>, answers: mpsc::Sender<Frame>) {
    loop {
        let frame = match events.recv().await {
            Ok(event) => Frame::Event { event },
            Err(broadcast::error::RecvError::Lagged(missed)) => Frame::Missed { missed },
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if answers.send(frame).await.is_err() {
            return;
        }
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), frame: Frame) -> io::Result<()> {
    if line::write(writer, &frame).await? {
        return Ok(());
    }
    // The caller must hear something under its number, or it would wait for ever.
    let instead = match frame {
        Frame::Ok { id, .. } | Frame::Problem { id, .. } => {
            Frame::answer(id, Err(Problem::new(Code::Unexpected).because("the answer is too long for a line")))
        }
        Frame::Event { .. } | Frame::Missed { .. } => Frame::Missed { missed: 1 },
    };
    line::write(writer, &instead).await.map(|_| ())
}
