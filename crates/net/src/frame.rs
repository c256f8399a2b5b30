//! Frames on a stream: a kind (u8), a length (u32, big endian), the payload.
//!
//! The length is compared with the cap of its kind before anything is allocated, and the buffer grows only with bytes
//! that really arrived, so a peer can't make us reserve what it doesn't send.

use crate::{
    CloseCode, Closed, Limits,
    pace::{PIECE, Pace},
};
use bytes::{Bytes, BytesMut};
use quinn::{ReadError, RecvStream, SendStream, WriteError};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The longest payload of each kind of frame; `None` refuses the kind.
pub type FrameCaps = fn(u8) -> Option<usize>;

/// One message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frame {
    /// What it is. Kinds from 0xF0 on belong to the link itself.
    pub kind: u8,
    /// What it says.
    pub payload: Bytes,
}

/// Why a frame didn't arrive or couldn't be sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// A kind that may not be sent here.
    #[error("a frame of the unknown kind {kind}")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
    /// Longer than frames of its kind may be.
    #[error("a frame of kind {kind} with {len} bytes")]
    TooLarge {
        /// The kind.
        kind: u8,
        /// The length it was said to have.
        len: usize,
        /// The length it may have.
        max: usize,
    },
    /// The stream ended inside a frame.
    #[error("a frame ended too early")]
    Truncated,
    /// A frame was begun and then hardly anything came.
    #[error("the other side sends too slowly")]
    TooSlow,
    /// The other side gave this stream up; the connection goes on.
    #[error("the stream was given up")]
    Stopped,
    /// The connection is over.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl FrameError {
    /// What to close a connection with after this; `None`: it is over anyway, or may go on.
    #[must_use]
    pub const fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::UnknownKind { .. } | Self::TooLarge { .. } | Self::Truncated => Some(CloseCode::Protocol),
            Self::TooSlow => Some(CloseCode::TooSlow),
            Self::Stopped | Self::Closed(_) => None,
        }
    }
}

const HEADER_LEN: usize = 5;

/// Sends frames.
#[derive(Debug)]
pub struct FrameSender {
    stream: SendStream,
    bytes: u64,
    pace: Option<Arc<Pace>>,
}

impl FrameSender {
    pub(crate) const fn new(stream: SendStream) -> Self {
        Self { stream, bytes: 0, pace: None }
    }

    /// Keeps to a limit from now on.
    pub(crate) fn set_pace(&mut self, pace: Option<Arc<Pace>>) {
        self.pace = pace;
    }

    /// How many bytes were sent, headers included.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends one frame. Waits while the other side has no room.
    pub async fn send(&mut self, kind: u8, payload: impl Into<Bytes>) -> Result<(), FrameError> {
        let payload = payload.into();
        let len = u32::try_from(payload.len()).map_err(|_| FrameError::TooLarge {
            kind,
            len: payload.len(),
            max: u32::MAX as usize,
        })?;
        let mut header = [0; HEADER_LEN];
        header[0] = kind;
        header[1..].copy_from_slice(&len.to_be_bytes());
        self.bytes += (HEADER_LEN + payload.len()) as u64;
        let header = Bytes::copy_from_slice(&header);
        let limit = self.pace.as_ref().filter(|pace| pace.up.bytes_per_sec().is_some());
        let Some(pace) = limit else {
            return self.stream.write_all_chunks(&mut [header, payload]).await.map_err(write_error);
        };
        let mut payload = payload;
        let mut head = header;
        loop {
            let piece = payload.split_to(payload.len().min(PIECE));
            pace.up.take(head.len() + piece.len()).await;
            self.stream.write_all_chunks(&mut [std::mem::take(&mut head), piece]).await.map_err(write_error)?;
            if payload.is_empty() {
                return Ok(());
            }
        }
    }

    /// Puts this stream before or after others of the connection; 0 is ordinary, higher goes first.
    pub fn set_priority(&self, priority: i32) {
        // The only error is a stream that is finished already, for which it doesn't matter.
        let _ = self.stream.set_priority(priority);
    }

    /// Ends the stream and waits until the other side has everything.
    pub async fn finish(mut self) -> Result<(), FrameError> {
        self.stream.finish().map_err(|_| FrameError::Stopped)?;
        match self.stream.stopped().await {
            Ok(None) => Ok(()),
            Ok(Some(_)) | Err(quinn::StoppedError::ZeroRttRejected) => Err(FrameError::Stopped),
            Err(quinn::StoppedError::ConnectionLost(error)) => Err(Closed::from(error).into()),
        }
    }
}

fn write_error(error: WriteError) -> FrameError {
    match error {
        WriteError::ConnectionLost(error) => Closed::from(error).into(),
        WriteError::Stopped(_) | WriteError::ClosedStream | WriteError::ZeroRttRejected => FrameError::Stopped,
    }
}

/// Receives frames.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: RecvStream,
    received: BytesMut,
    bytes: u64,
    caps: FrameCaps,
    progress_min: usize,
    progress_window: Duration,
    pace: Option<Arc<Pace>>,
}

impl FrameReceiver {
    pub(crate) fn new(stream: RecvStream, caps: FrameCaps, limits: &Limits) -> Self {
        let window = limits.progress_window;
        Self {
            stream,
            received: BytesMut::new(),
            bytes: 0,
            caps,
            progress_min: (f64::from(limits.progress_bytes_per_sec) * window.as_secs_f64()) as usize,
            progress_window: window,
            pace: None,
        }
    }

    /// Keeps to a limit from now on.
    pub(crate) fn set_pace(&mut self, pace: Option<Arc<Pace>>) {
        self.pace = pace;
    }

    pub(crate) fn set_caps(&mut self, caps: FrameCaps) {
        self.caps = caps;
    }

    /// How many bytes of whole frames came, headers included.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next frame; `None` when the other side ended the stream between two frames. Dropping the future before it is
    /// done loses nothing.
    pub async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.received.is_empty() && !self.receive(HEADER_LEN).await? {
            return Ok(None);
        }
        // From here on a frame has begun, and the other side has to go on with it.
        let mut window = Window::new(self.progress_window);
        while self.received.len() < HEADER_LEN {
            self.receive_within(&mut window, HEADER_LEN - self.received.len()).await?;
        }
        let kind = self.received[0];
        let len = u32::from_be_bytes(self.received[1..HEADER_LEN].try_into().expect("four bytes")) as usize;
        let max = (self.caps)(kind).ok_or(FrameError::UnknownKind { kind })?;
        if len > max {
            return Err(FrameError::TooLarge { kind, len, max });
        }
        while self.received.len() < HEADER_LEN + len {
            self.receive_within(&mut window, HEADER_LEN + len - self.received.len()).await?;
        }
        let mut frame = self.received.split_to(HEADER_LEN + len);
        let payload = frame.split_off(HEADER_LEN).freeze();
        self.bytes += (HEADER_LEN + len) as u64;
        Ok(Some(Frame { kind, payload }))
    }

    /// Tells the other side that nothing more will be read from this stream.
    pub fn stop(&mut self) {
        // The only error is a stream that has ended already.
        let _ = self.stream.stop(CloseCode::Done.number());
    }

    async fn receive_within(&mut self, window: &mut Window, missing: usize) -> Result<(), FrameError> {
        let before = self.received.len();
        match timeout_at(window.end, self.receive(missing)).await {
            Ok(Ok(true)) => {
                if let Some(pace) = &self.pace {
                    let waits_from = Instant::now();
                    pace.down.take(self.received.len() - before).await;
                    // That it waits here isn't the other side's fault.
                    window.end += waits_from.elapsed();
                }
                Ok(())
            }
            Ok(Ok(false)) => Err(FrameError::Truncated),
            Ok(Err(error)) => Err(error),
            Err(_) if self.received.len() >= window.bytes_before + self.progress_min => {
                window.restart(self.received.len());
                Ok(())
            }
            Err(_) => Err(FrameError::TooSlow),
        }
    }

    /// Takes what is there, at most `missing` bytes and never the start of the next frame, so that a payload that came
    /// in one piece isn't moved again. `false`: the stream has ended.
    async fn receive(&mut self, missing: usize) -> Result<bool, FrameError> {
        match self.stream.read_chunk(missing, true).await {
            Ok(Some(chunk)) => {
                self.received.extend_from_slice(&chunk.bytes);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(ReadError::ConnectionLost(error)) => Err(Closed::from(error).into()),
            Err(_) => Err(FrameError::Stopped),
        }
    }
}

struct Window {
    end: Instant,
    len: Duration,
    bytes_before: usize,
}

impl Window {
    fn new(len: Duration) -> Self {
        Self { end: Instant::now() + len, len, bytes_before: 0 }
    }

    fn restart(&mut self, bytes: usize) {
        self.end = Instant::now() + self.len;
        self.bytes_before = bytes;
    }
}
