//! Many messages in one file: mboxo, mboxrd, mboxcl and mboxcl2 (RFC 4155; the variants by what wrote them).
//!
//! A message begins after a line `From somebody date`; lines of its text that look like one were written with `>` before
//! them, or the header says how long the text is (`Content-Length`).

use pim::{Flag, Flags};
use std::io::{self, BufRead, Read as _};

/// Larger messages are skipped.
const MESSAGE_BYTES_MAX: usize = 256 << 20;
/// A longer line is no separator.
const SEPARATOR_BYTES_MAX: usize = 1_024;

/// A message of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MboxMessage {
    /// The message, as it was before it was put into the file.
    pub bytes: Vec<u8>,
    /// What the file notes about it.
    pub flags: Flags,
    /// Deleted in Thunderbird, whose files keep such messages until they are compacted.
    pub is_deleted: bool,
    /// Larger than what is read; `bytes` holds its beginning.
    pub is_too_large: bool,
}

/// Reads the messages of a file one after the other.
#[derive(Debug)]
pub struct MboxReader<R> {
    source: R,
    /// A separator has been read, and its message not.
    has_started: bool,
    /// The first line after the separator, read to see whether that was one.
    waiting: Option<Vec<u8>>,
    read: u64,
}

impl<R: BufRead> MboxReader<R> {
    /// Reads from the beginning of a file.
    pub fn new(source: R) -> Self {
        Self { source, has_started: false, waiting: None, read: 0 }
    }

    /// Bytes of the file read so far.
    pub fn position(&self) -> u64 {
        self.read
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Some(line) = self.waiting.take() {
            return Ok(Some(line));
        }
        let mut line = Vec::new();
        let count = self.source.by_ref().take(MESSAGE_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
        self.read += count as u64;
        Ok((count > 0).then_some(line))
    }

    /// The next message; `None` at the end of the file.
    pub fn next_message(&mut self) -> io::Result<Option<MboxMessage>> {
        while !self.has_started {
            let Some(line) = self.line()? else { return Ok(None) };
            self.has_started = is_separator(&line);
        }
        self.has_started = false;
        let mut message = Raw::default();
        let mut is_after_blank = false;
        while let Some(line) = self.line()? {
            let may_end = is_after_blank && !message.is_inside_length();
            if may_end && is_separator(&line) {
                let next = self.line()?;
                let is_start = next.as_deref().is_none_or(is_header_line) || has_date(&line);
                self.waiting = next;
                if is_start {
                    self.has_started = true;
                    break;
                }
            }
            is_after_blank = is_blank(&line);
            message.push(&line);
        }
        Ok(Some(message.finish()))
    }
}

/// A message as it stands in the file.
#[derive(Default)]
struct Raw {
    bytes: Vec<u8>,
    /// Where the text begins.
    body: Option<usize>,
    /// Where it ends, if the header says so.
    end: Option<usize>,
    is_too_large: bool,
}

impl Raw {
    fn push(&mut self, line: &[u8]) {
        if self.bytes.len() + line.len() > MESSAGE_BYTES_MAX {
            self.is_too_large = true;
            return;
        }
        self.bytes.extend_from_slice(line);
        if self.body.is_none() && is_blank(line) {
            self.body = Some(self.bytes.len());
            let said = header(&self.bytes, "content-length").and_then(|text| text.trim().parse::<usize>().ok());
            self.end = said.filter(|length| *length < MESSAGE_BYTES_MAX).map(|length| self.bytes.len() + length);
        }
    }

    /// Before the end that the header tells: what looks like a separator is text, unless it says it is one.
    fn is_inside_length(&self) -> bool {
        self.end.is_some_and(|end| self.bytes.len() < end)
    }

    fn finish(mut self) -> MboxMessage {
        // The blank line before the next separator belongs to the file.
        for end in [&b"\r\n"[..], b"\n"] {
            let is_extra = self.bytes.len() > end.len() && self.bytes.ends_with(end);
            if is_extra && self.bytes[..self.bytes.len() - end.len()].ends_with(b"\n") {
                self.bytes.truncate(self.bytes.len() - end.len());
                break;
            }
        }
        let body = self.body.unwrap_or(self.bytes.len()).min(self.bytes.len());
        let (flags, is_deleted) = flags(&self.bytes[..body]);
        // Where the length is told nothing needed a mark, which a bare separator in the text shows.
        let lines = || self.bytes[body..].split_inclusive(|byte| *byte == b'\n');
        let is_unmarked = self.end.is_some() && lines().any(|line| line.starts_with(b"From "));
        let mut bytes = self.bytes[..body].to_vec();
        for line in lines() {
            let marks = line.iter().take_while(|byte| **byte == b'>').count();
            let is_marked = !is_unmarked && marks > 0 && line[marks..].starts_with(b"From ");
            bytes.extend_from_slice(if is_marked { &line[1..] } else { line });
        }
        MboxMessage { bytes, flags, is_deleted, is_too_large: self.is_too_large }
    }
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

fn is_separator(line: &[u8]) -> bool {
    line.starts_with(b"From ") && line.len() < SEPARATOR_BYTES_MAX
}

/// A time of day somewhere in it, as in `Thu Jan  1 09:30:00 2026`.
fn has_date(line: &[u8]) -> bool {
    line.windows(5).any(|part| part[2] == b':' && [0, 1, 3, 4].into_iter().all(|at: usize| part[at].is_ascii_digit()))
}

fn is_header_line(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| (b'!'..=b'~').contains(byte) && **byte != b':').count();
    name > 0 && line.get(name) == Some(&b':')
}

/// The first field with this name (in lower case), without folds.
fn header(bytes: &[u8], name: &str) -> Option<String> {
    let mut lines = bytes.split(|byte| *byte == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    let is_it = |line: &&[u8]| {
        line.len() > name.len() && line[name.len()] == b':' && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    };
    let line = lines.find(is_it)?;
    let mut value = String::from_utf8_lossy(&line[name.len() + 1..]).trim().to_owned();
    for fold in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
        value.push(' ');
        value.push_str(String::from_utf8_lossy(fold).trim());
    }
    Some(value)
}

/// What mail programs note in header fields of their files.
fn flags(head: &[u8]) -> (Flags, bool) {
    let field = |name: &str| header(head, name).unwrap_or_default();
    let (status, more) = (field("status"), field("x-status"));
    let mozilla = u32::from_str_radix(field("x-mozilla-status").trim(), 16).ok();
    let gmail = header(head, "x-gmail-labels");
    let has_bit = |bit: u32| mozilla.is_some_and(|bits| bits & bit != 0);
    let labels: Vec<String> =
        gmail.iter().flat_map(|text| text.split(',')).map(|text| text.trim().to_owned()).collect();
    let has_label = |label: &str| labels.iter().any(|known| known.eq_ignore_ascii_case(label));
    // A file that notes nothing is somebody's archive, and what is in it was read.
    let is_noted = mozilla.is_some() || gmail.is_some() || !status.is_empty() || !more.is_empty();
    let is_seen = status.contains('R') || has_bit(0x1) || (gmail.is_some() && !has_label("Unread")) || !is_noted;
    let marks = [
        (is_seen, Flag::Seen),
        (more.contains('A') || has_bit(0x2), Flag::Answered),
        (more.contains('F') || has_bit(0x4) || has_label("Starred"), Flag::Flagged),
        (more.contains('T') || has_label("Drafts"), Flag::Draft),
        (has_bit(0x1000), Flag::Forwarded),
    ];
    let words = [field("x-keywords"), field("x-mozilla-keys")].join(" ");
    let keywords = words.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned);
    // Gmail's own words for folders and marks are no categories.
    const GMAILS: [&str; 9] =
        ["Unread", "Opened", "Starred", "Important", "Inbox", "Sent", "Drafts", "Archived", "Trash"];
    let is_own = |label: &String| !label.is_empty() && !GMAILS.iter().any(|known| label.eq_ignore_ascii_case(known));
    let keywords: Vec<String> = keywords.chain(labels.iter().filter(|label| is_own(label)).cloned()).collect();
    let marks = marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag);
    (Flags(marks.chain(keywords.into_iter().map(Flag::Keyword)).collect()), has_bit(0x8))
}

/// A message as a part of an mbox file (mboxrd), with its marks in `Status`, `X-Status` and `X-Keywords`.
#[must_use]
pub fn mbox_entry(bytes: &[u8], flags: &Flags, modified: Option<i64>) -> Vec<u8> {
    const NOTES: [&str; 3] = ["status", "x-status", "x-keywords"];
    let mail = mail_parser::MessageParser::default().parse_headers(bytes);
    let sender = mail.as_ref().and_then(|mail| mail.from()?.first()?.address().map(str::to_owned));
    let sender = sender.filter(|sender| sender.bytes().all(|byte| (b'!'..=b'~').contains(&byte)));
    let date = mail.as_ref().and_then(|mail| mail.date()).map(mail_parser::DateTime::to_timestamp).or(modified);
    let mut entry = format!("From {} {}\n", sender.as_deref().unwrap_or("MAILER-DAEMON"), ctime(date.unwrap_or(0)));
    let has = |flag: &Flag| flags.0.contains(flag);
    let letter = |flag, letter| if has(&flag) { letter } else { "" };
    entry.push_str(&format!("Status: {}O\n", letter(Flag::Seen, "R")));
    let more = [letter(Flag::Answered, "A"), letter(Flag::Flagged, "F"), letter(Flag::Draft, "T")].concat();
    if !more.is_empty() {
        entry.push_str(&format!("X-Status: {more}\n"));
    }
    let words = flags.0.iter().filter_map(|flag| match flag {
        Flag::Keyword(word) if !word.contains(char::is_whitespace) => Some(word.as_str()),
        _ => None,
    });
    let words = words.collect::<Vec<_>>().join(" ");
    if !words.is_empty() {
        entry.push_str(&format!("X-Keywords: {words}\n"));
    }
    let mut entry = entry.into_bytes();
    let (mut is_head, mut is_note) = (true, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line)).unwrap_or(line);
        is_head &= !content.is_empty();
        if is_head {
            let is_fold = content.starts_with(b" ") || content.starts_with(b"\t");
            let name = content.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
            is_note = if is_fold { is_note } else { NOTES.iter().any(|note| name == note.as_bytes()) };
            if is_note {
                continue;
            }
        } else if content[content.iter().take_while(|byte| **byte == b'>').count()..].starts_with(b"From ") {
            entry.push(b'>');
        }
        entry.extend_from_slice(content);
        entry.push(b'\n');
    }
    entry.push(b'\n');
    entry
}

/// `Thu Jan  1 09:30:00 2026`, in UTC.
fn ctime(unix: i64) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let stamp = crate::mapi::Stamp::from_unix(unix);
    let (year, month, day) = stamp.ymd().unwrap_or((1970, 1, 1));
    let second = stamp.second_of_day();
    format!(
        "{} {} {day:>2} {:02}:{:02}:{:02} {year}",
        DAYS[usize::from(stamp.weekday())],
        MONTHS[usize::from(month) - 1],
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<MboxMessage> {
        let mut reader = MboxReader::new(text.as_bytes());
        std::iter::from_fn(|| reader.next_message().unwrap()).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        all(text).into_iter().map(|message| String::from_utf8(message.bytes).unwrap()).collect()
    }

    #[test]
    fn messages_are_cut_and_marks_taken_off() {
        let file = "From a@b Thu Jan  1 09:30:00 2026\nSubject: 1\n\n>From the start\n>>From x\n\nFrom here on.\n\n\
            From - Thu Jan 01 09:30:00 2026\r\nSubject: 2\r\n\r\nb\r\n\r\nFrom ???@??? x\nSubject: 3\n\nc";
        assert_eq!(
            texts(file),
            ["Subject: 1\n\nFrom the start\n>From x\n\nFrom here on.\n", "Subject: 2\r\n\r\nb\r\n", "Subject: 3\n\nc"]
        );
    }

    #[test]
    fn a_told_length_protects_what_looks_like_a_separator() {
        let body = "x\n\nFrom a@b Thu Jan  1 09:30:00 2026\n>From y\n";
        let file = format!(
            "From a Thu Jan  1 09:30:00 2026\nContent-Length: {}\nSubject: 1\n\n{body}\nFrom b Thu Jan  1 09:30:00 2026\n\
            Subject: 2\n\n",
            body.len()
        );
        let texts = texts(&file);
        assert_eq!(texts.len(), 2);
        assert!(texts[0].ends_with(body), "{}", texts[0]);
        // A length that can't be right changes nothing.
        let wrong = "From a Thu Jan  1 09:30:00 2026\nContent-Length: 99999999999999999999\n\na\n\n\
            From b Thu Jan  1 09:30:00 2026\nX: 2\n\n";
        assert_eq!(all(wrong).len(), 2);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mail = "From: Ann <ann@example.org>\nStatus: O\nX-Status: F\nDate: Thu, 1 Jan 2026 09:30:00 +0000\nSubject: s\n\n\
            From me\n>From you\n\nFrom all of us\nend\n";
        let flags = Flags([Flag::Seen, Flag::Answered, Flag::Keyword("work".to_owned())].into());
        let file = [mbox_entry(mail.as_bytes(), &flags, None), mbox_entry(b"\n", &Flags::default(), None)].concat();
        assert!(file.starts_with(b"From ann@example.org Thu Jan  1 09:30:00 2026\n"));
        let read = all(std::str::from_utf8(&file).unwrap());
        assert_eq!((read.len(), &read[0].flags), (2, &flags));
        let text = String::from_utf8(read[0].bytes.clone()).unwrap();
        let end = "\nSubject: s\n\nFrom me\n>From you\n\nFrom all of us\nend\n";
        assert!(text.ends_with(end) && !text.contains("X-Status: F"), "{text}");
    }

    #[test]
    fn notes_of_programs_are_understood() {
        let note = |fields: &str| all(&format!("From a Thu Jan  1 09:30:00 2026\n{fields}\n\nx\n")).remove(0);
        assert_eq!(note("X: y").flags, Flags([Flag::Seen].into()));
        assert_eq!(note("Status: O").flags, Flags::default());
        assert_eq!(note("X-Mozilla-Status: 0003").flags, Flags([Flag::Seen, Flag::Answered].into()));
        assert!(note("X-Mozilla-Status: 0009").is_deleted);
        let gmail = note("X-Gmail-Labels: Inbox,Unread,\n Starred,Family");
        assert_eq!(gmail.flags, Flags([Flag::Flagged, Flag::Keyword("Family".to_owned())].into()));
    }

    #[test]
    fn odd_files_end() {
        for text in ["", "From ", "From \n", "x\ny\n", "From a Thu Jan  1 09:30:00 2026\n", "From a\n\n\n\nFrom b\n"] {
            all(text);
        }
    }
}
