//! One network link: frames on its control stream, contents on up to four bulk streams each way.
//!
//! A content travels as records (`record.rs`). Small ones are verified in memory, large ones go to a partial file that
//! a later try continues. What arrives without having been asked for is dropped by the engine; how much may wait in
//! memory is bounded by permits.

use super::{
    Arrived, Input, Shared,
    record::{self, Record, RecordError},
    source::Source,
};
use net::{FrameReceiver, FrameSender, Joined, Link};
use pim::{ItemUid, NativeHash};
use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc as std_mpsc,
    },
};
use stores::Payload;
use sync::{
    hub::SessionId,
    wire::{Frame, Limits},
};
use tokio::sync::{Semaphore, mpsc};

/// Frames of `sync::wire`, on the control stream.
pub const KIND_SYNC: u8 = 1;
/// Records of content, on bulk streams.
pub const KIND_CONTENT: u8 = 2;
const STREAMS: usize = 4;
/// Bytes of contents that may wait in memory for the engine.
const WAITING_BYTES: usize = 32 << 20;
/// Queued frames below which the engine may send more rows.
const ROOM: usize = 4;

/// The longest frame of each kind that this application takes.
#[must_use]
pub const fn frame_caps(kind: u8) -> Option<usize> {
    match kind {
        KIND_SYNC => Some(Limits::FRAME_BYTES),
        KIND_CONTENT => Some(record::HEADER + record::PART_MAX),
        _ => None,
    }
}

enum Out {
    Frame(Vec<u8>),
    HangUp,
}

struct ServeJob {
    item: ItemUid,
    native: NativeHash,
    offset: u64,
    source: Source,
}

/// The engine's end of a link.
#[derive(Clone, Debug)]
pub struct LinkSender {
    device: Vec<u8>,
    frames: mpsc::UnboundedSender<Out>,
    serves: std_mpsc::Sender<ServeJob>,
    queued: Arc<AtomicUsize>,
}

impl LinkSender {
    pub(super) fn with_device(self, device: Vec<u8>) -> Self {
        Self { device, ..self }
    }

    pub(super) fn device(&self) -> &[u8] {
        &self.device
    }

    pub(super) fn send(&self, frame: &Frame) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        // A link that is gone says so itself.
        self.frames.send(Out::Frame(frame.encode())).ok();
    }

    pub(super) fn serve(&self, item: ItemUid, native: NativeHash, offset: u64, source: Source) {
        self.serves.send(ServeJob { item, native, offset, source }).ok();
    }

    pub(super) fn hang_up(&self) {
        self.frames.send(Out::HangUp).ok();
    }

    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }
}

/// Carries a link for an engine until it ends. `first` is a frame that came with the opening.
pub(crate) async fn carry(
    joined: Joined,
    session: SessionId,
    first: Option<Frame>,
    inputs: std_mpsc::Sender<Input>,
    shared: Shared,
) {
    let Joined { link, control, .. } = joined;
    let (mut sender, mut receiver) = (control.sender, control.receiver);
    let (frames, frames_out) = mpsc::unbounded_channel();
    let (serves, serves_out) = std_mpsc::channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let to = LinkSender { device: Vec::new(), frames, serves, queued: Arc::clone(&queued) };
    let device = link.device().to_string().into_bytes();
    if inputs.send(Input::LinkUp { session, device, to }).is_err() {
        return;
    }
    if let Some(frame) = first {
        inputs.send(Input::Frame { session, frame }).ok();
    }
    let server = {
        let (link, inputs, shared) = (link.clone(), inputs.clone(), shared.clone());
        tokio::spawn(async move { serve(link, session, serves_out, inputs, shared).await })
    };
    let is_said = tokio::select! {
        is_said = write_frames(&mut sender, frames_out, session, &queued, &inputs) => is_said,
        () = read_frames(&mut receiver, session, &link, &inputs) => false,
        () = read_contents(link.clone(), session, &inputs, shared) => false,
    };
    let stream_bytes = sender.bytes() + receiver.bytes();
    if is_said {
        sender.finish().await.ok();
        link.close(net::CloseCode::Done);
    }
    server.abort();
    let stats = link.stats();
    let udp_bytes = stats.udp_bytes_sent + stats.udp_bytes_received;
    tracing::debug!(stream_bytes, udp_bytes, "the link ended");
    inputs.send(Input::LinkDown(session)).ok();
}

/// Whether everything was said that was to be said, with the link still standing.
async fn write_frames(
    sender: &mut FrameSender,
    mut frames: mpsc::UnboundedReceiver<Out>,
    session: SessionId,
    queued: &AtomicUsize,
    inputs: &std_mpsc::Sender<Input>,
) -> bool {
    while let Some(Out::Frame(bytes)) = frames.recv().await {
        if sender.send(KIND_SYNC, bytes).await.is_err() {
            return false;
        }
        // Also when nothing waits any more: what the engine counted as waiting may have been sent before it added more.
        if [ROOM, 1].contains(&queued.fetch_sub(1, Ordering::Relaxed)) {
            inputs.send(Input::Room(session)).ok();
        }
    }
    true
}

async fn read_frames(receiver: &mut FrameReceiver, session: SessionId, link: &Link, inputs: &std_mpsc::Sender<Input>) {
    loop {
        match receiver.next().await {
            Ok(Some(frame)) if frame.kind == KIND_SYNC => match Frame::decode(&frame.payload) {
                Ok(frame) => drop(inputs.send(Input::Frame { session, frame })),
                Err(error) => {
                    tracing::warn!(%error, "a peer sent what is no frame");
                    return link.close(net::CloseCode::Protocol);
                }
            },
            Ok(Some(_)) => return link.close(net::CloseCode::Protocol),
            Ok(None) => return,
            Err(error) => return link.close_after(&error),
        }
    }
}

async fn read_contents(link: Link, session: SessionId, inputs: &std_mpsc::Sender<Input>, shared: Shared) {
    let permits = Arc::new(Semaphore::new(WAITING_BYTES));
    let mut streams = tokio::task::JoinSet::new();
    while let Ok(receiver) = link.accept_bulk().await {
        let (link, inputs, shared, permits) = (link.clone(), inputs.clone(), shared.clone(), Arc::clone(&permits));
        streams.spawn(async move {
            if let Err(error) = read_stream(receiver, session, &link, &inputs, &shared, &permits).await {
                tracing::warn!(%error, "a peer's content can't be taken");
                link.close(net::CloseCode::Protocol);
            }
        });
    }
}

/// Why what came on a bulk stream isn't taken.
#[derive(Debug, thiserror::Error)]
enum ContentError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("content that isn't what its hash says")]
    OtherHash,
    #[error("content that doesn't go on where it stopped")]
    Gap,
    #[error("content that can't be kept")]
    NotKept,
}

async fn read_stream(
    mut receiver: FrameReceiver,
    session: SessionId,
    link: &Link,
    inputs: &std_mpsc::Sender<Input>,
    shared: &Shared,
    permits: &Arc<Semaphore>,
) -> Result<(), ContentError> {
    let mut large: Option<(NativeHash, crate::blobs::BlobWrite)> = None;
    while let Ok(Some(frame)) = receiver.next().await {
        let record = Record::read(&frame.payload)?;
        let data = record.data;
        if record.total <= Payload::MEMORY_MAX && record.offset == 0 {
            if data.len() as u64 != record.total || *blake3::hash(&data).as_bytes() != record.native.0 {
                return Err(ContentError::OtherHash);
            }
            let permit = Arc::clone(permits).acquire_many_owned(data.len().max(1) as u32).await.ok();
            let arrived = Arrived::Small { bytes: data[..].into(), share: permit };
            inputs.send(Input::Content { session, native: record.native, arrived }).ok();
            continue;
        }
        let mut write = match large.take() {
            Some((native, write)) if native == record.native => write,
            _ => match shared.blobs.begin(record.native, record.total) {
                Ok(write) => write,
                Err(error) => return no_room(error, inputs, link),
            },
        };
        if write.offset() != record.offset {
            return Err(ContentError::Gap);
        }
        let is_last = record.offset + data.len() as u64 == record.total;
        let native = record.native;
        let write = tokio::task::spawn_blocking(move || write.append(&data).map(|()| write))
            .await
            .map_err(|_| ContentError::NotKept)?;
        let write = match write {
            Ok(write) => write,
            Err(error) => return no_room(error, inputs, link),
        };
        if !is_last {
            large = Some((native, write));
            continue;
        }
        let finished = tokio::task::spawn_blocking(move || write.finish()).await.map_err(|_| ContentError::NotKept)?;
        let finished = finished.map_err(|_| ContentError::OtherHash)?;
        inputs.send(Input::Content { session, native, arrived: Arrived::Large(finished) }).ok();
    }
    Ok(())
}

/// The other side did nothing wrong; it tries again later.
fn no_room(error: crate::blobs::BlobError, inputs: &std_mpsc::Sender<Input>, link: &Link) -> Result<(), ContentError> {
    if !matches!(error, crate::blobs::BlobError::NoSpace { .. }) {
        return Err(ContentError::NotKept);
    }
    inputs.send(Input::NoRoom(error)).ok();
    link.close(net::CloseCode::Busy);
    Ok(())
}

/// Reads what was asked for on one thread and sends it on several streams.
async fn serve(
    link: Link,
    session: SessionId,
    jobs: std_mpsc::Receiver<ServeJob>,
    inputs: std_mpsc::Sender<Input>,
    shared: Shared,
) {
    // In the local network packing costs more time than it saves.
    let packs = !link.is_lan();
    let mut streams = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        let (records, mut to_send) = mpsc::channel::<Vec<u8>>(8);
        let link = link.clone();
        tokio::spawn(async move {
            // A stream is opened when there is something to send on it.
            let Some(first) = to_send.recv().await else { return };
            let Ok(mut stream) = link.open_bulk().await else { return };
            let mut next = Some(first);
            while let Some(record) = next {
                if stream.send(KIND_CONTENT, record).await.is_err() {
                    return;
                }
                next = to_send.recv().await;
            }
            stream.finish().await.ok();
        });
        streams.push(records);
    }
    let read = tokio::task::spawn_blocking(move || {
        let mut turn = 0;
        while let Ok(job) = jobs.recv() {
            turn = (turn + 1) % STREAMS;
            if read_content(&job, &shared, packs, &streams[turn]).is_none() {
                let ServeJob { item, native, .. } = job;
                inputs.send(Input::ServeFailed { session, item, native }).ok();
            }
        }
    });
    read.await.ok();
}

/// `None`: the bytes aren't there any more, or the link is gone.
fn read_content(job: &ServeJob, shared: &Shared, packs: bool, stream: &mpsc::Sender<Vec<u8>>) -> Option<()> {
    let payload = job.source.open(&shared.reader, &shared.blobs).ok()?;
    match payload {
        Payload::Memory(bytes) => {
            // The store's item may have changed since it was listed.
            if *blake3::hash(&bytes).as_bytes() != job.native.0 {
                return None;
            }
            let record = record::write(job.native, bytes.len() as u64, 0, &bytes, packs);
            stream.blocking_send(record).ok()
        }
        Payload::File { path, size } => {
            let mut file = std::fs::File::open(path).ok()?;
            std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(job.offset)).ok()?;
            let mut offset = job.offset.min(size);
            loop {
                let want = (record::PART_MAX as u64).min(size - offset);
                let mut record = record::head(job.native, size, offset, want as usize);
                // Straight to where it is sent from.
                let read = (&mut file).take(want).read_to_end(&mut record).ok()?;
                if read as u64 != want {
                    return None;
                }
                stream.blocking_send(if packs { record::packed(record) } else { record }).ok()?;
                offset += want;
                if offset == size {
                    return Some(());
                }
            }
        }
    }
}
