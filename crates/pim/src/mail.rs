//! Messages (RFC 5322): hashed as they stream by, never parsed as a whole.

use crate::digest::{TwinHasher, pairing_key};
use crate::text::{decode, folded, one_line};
use crate::{CanonHash, NativeHash, PairingKey};
use mail_parser::MessageParser;

/// More header than this is hashed as it is and read only up to here.
const HEADER_BYTES_MAX: usize = 256 * 1024;

/// What mbox and Mozilla programs note in the header about a message they keep.
const STORE_NOTES: [&str; 10] = [
    "Content-Length",
    "Status",
    "X-IMAP",
    "X-IMAPbase",
    "X-Keywords",
    "X-Mozilla-Keys",
    "X-Mozilla-Status",
    "X-Mozilla-Status2",
    "X-Status",
    "X-UID",
];

/// Reads a message in pieces.
pub(crate) struct MailReader {
    hasher: TwinHasher,
    header: Vec<u8>,
    line_start: usize,
    scanned: usize,
    in_body: bool,
}

/// What a message is.
pub(crate) struct MailFacts {
    pub(crate) native: NativeHash,
    pub(crate) canon: CanonHash,
    pub(crate) identity: Option<PairingKey>,
    pub(crate) title: String,
}

impl MailReader {
    pub(crate) fn new() -> Self {
        Self { hasher: TwinHasher::new(), header: Vec::new(), line_start: 0, scanned: 0, in_body: false }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        if self.in_body {
            self.hasher.update(bytes);
            return;
        }
        let room = HEADER_BYTES_MAX - self.header.len();
        let (head, rest) = bytes.split_at(bytes.len().min(room));
        let header_before = self.header.len();
        self.header.extend_from_slice(head);
        if let Some(end) = self.find_header_end() {
            self.header.truncate(end);
            self.hash_header();
            self.hasher.update(&bytes[end - header_before..]);
        } else if self.header.len() == HEADER_BYTES_MAX {
            self.in_body = true;
            self.hasher.update(&self.header);
            self.hasher.update(rest);
        }
    }

    pub(crate) fn finish(mut self) -> MailFacts {
        if !self.in_body {
            self.hash_header();
        }
        let (native, canon) = self.hasher.finish();
        let (identity, title) = read_header(&self.header);
        MailFacts { native, canon, identity, title }
    }

    /// Looks only at bytes it has not seen, so that single bytes may arrive a quarter of a million times.
    fn find_header_end(&mut self) -> Option<usize> {
        while let Some(offset) = self.header[self.scanned..].iter().position(|byte| *byte == b'\n') {
            let line_end = self.scanned + offset;
            let is_blank = self.header[self.line_start..line_end].iter().all(|byte| *byte == b'\r');
            self.scanned = line_end + 1;
            self.line_start = line_end + 1;
            if is_blank {
                return Some(line_end + 1);
            }
        }
        self.scanned = self.header.len();
        None
    }

    fn hash_header(&mut self) {
        self.in_body = true;
        let mut is_header = true;
        let mut is_note = false;
        for line in self.header.split_inclusive(|byte| *byte == b'\n') {
            match line_kind(line) {
                HeaderLine::Continuation => {}
                HeaderLine::Field(name) => {
                    is_note = STORE_NOTES.iter().any(|note| name.eq_ignore_ascii_case(note.as_bytes()))
                }
                HeaderLine::Envelope => is_note = false,
                // From here on this may be text that merely looks like a header.
                HeaderLine::Other => is_header = false,
            }
            if is_header && is_note {
                self.hasher.update_native(line);
            } else {
                self.hasher.update(line);
            }
        }
    }
}

enum HeaderLine<'a> {
    Field(&'a [u8]),
    Continuation,
    /// The `From ` line of an mbox.
    Envelope,
    Other,
}

fn line_kind(line: &[u8]) -> HeaderLine<'_> {
    if line.starts_with(b" ") || line.starts_with(b"\t") {
        return HeaderLine::Continuation;
    }
    if line.starts_with(b"From ") || line.starts_with(b">From ") {
        return HeaderLine::Envelope;
    }
    match line.iter().position(|byte| *byte == b':') {
        Some(colon) if colon > 0 && line[..colon].iter().all(u8::is_ascii_graphic) => HeaderLine::Field(&line[..colon]),
        _ => HeaderLine::Other,
    }
}

/// Identity (Message-ID, date and sender, all three) and subject.
fn read_header(header: &[u8]) -> (Option<PairingKey>, String) {
    let parser = MessageParser::new().with_minimal_headers();
    let Some(message) = parser.parse_headers(header) else {
        return (None, String::new());
    };
    let title = one_line(message.subject().unwrap_or_default(), crate::examine::TITLE_CHARS_MAX);
    let date = match message.date() {
        Some(date) => date.to_timestamp().to_string(),
        None => return (None, title),
    };
    let sender = message.from().and_then(|from| from.first()).and_then(|from| from.address()).map(folded);
    let identity = match (message.message_id(), sender) {
        (Some(id), Some(sender)) if !id.trim().is_empty() && !sender.is_empty() => {
            Some(pairing_key("message", &[id.trim().as_bytes(), date.as_bytes(), sender.as_bytes()]))
        }
        _ => None,
    };
    (identity, title)
}

/// Fields of a message for people: sender, recipients, subject, date and the first lines of its text.
pub(crate) fn describe(bytes: &[u8]) -> Vec<(String, String)> {
    const READ_BYTES_MAX: usize = 1024 * 1024;
    const ADDRESSES_MAX: usize = 20;
    let head = &bytes[..bytes.len().min(READ_BYTES_MAX)];
    let Some(message) = MessageParser::default().parse(head) else {
        return vec![("TEXT".to_owned(), crate::text::paragraph(&decode(head, None), 2_000))];
    };
    let addresses = |list: Option<&mail_parser::Address<'_>>| {
        let shown = list.into_iter().flat_map(|list| list.iter()).take(ADDRESSES_MAX).map(|entry| {
            match (entry.name(), entry.address()) {
                (Some(name), Some(address)) => format!("{name} <{address}>"),
                (name, address) => name.or(address).unwrap_or_default().to_owned(),
            }
        });
        one_line(&shown.collect::<Vec<_>>().join(", "), 1_000)
    };
    let fields = [
        ("FROM", addresses(message.from())),
        ("TO", addresses(message.to())),
        ("CC", addresses(message.cc())),
        ("SUBJECT", one_line(message.subject().unwrap_or_default(), 1_000)),
        ("DATE", message.date().map(|date| date.to_rfc3339()).unwrap_or_default()),
        ("TEXT", crate::text::paragraph(&message.body_text(0).unwrap_or_default(), 2_000)),
    ];
    fields.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), text)).collect()
}
