//! One JSON value a line, bounded in both directions.

use super::LINE_BYTES_MAX;
use serde::{Serialize, de::DeserializeOwned};
use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};

/// Reads the next line. `None`: the other side is done. A line that is too long or isn't what it should be is an error, and
/// nothing after it can be trusted.
pub(super) async fn read<T: DeserializeOwned>(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return if line.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(available.len(), |end| end + 1);
        if line.len() + taken > LINE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a line is too long"));
        }
        line.extend_from_slice(&available[..taken]);
        reader.consume(taken);
        if end.is_some() {
            return Ok(Some(serde_json::from_slice(&line)?));
        }
    }
}

/// Writes a value as one line; `false` if it would be too long for the other side, and nothing was written.
pub(super) async fn write(writer: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> io::Result<bool> {
    // JSON text holds no line break: serde_json writes those inside strings as `\n`.
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    if line.len() > LINE_BYTES_MAX {
        return Ok(false);
    }
    writer.write_all(&line).await?;
    writer.flush().await?;
    Ok(true)
}
