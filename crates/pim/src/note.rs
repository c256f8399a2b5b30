//! Notes that are plain text or Markdown.

/// Line ends as LF, without a byte order mark and without line ends at the end of the file: editors add and take those.
///
/// Letters stay as they were typed: no store rewrites `é` in a text, and a person who does so means it.
pub(crate) fn canonical(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut text = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(content) => {
                let end = content.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
                text.extend_from_slice(&content[..end]);
                text.push(b'\n');
            }
            None => text.extend_from_slice(line),
        }
    }
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    text.truncate(end);
    text
}
