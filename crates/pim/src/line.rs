//! Content lines of vCard and iCalendar (RFC 6350 3.1–3.3, RFC 5545 3.1), read without changing a byte.

use std::borrow::Cow;
use std::ops::Range;

/// A file with more lines than this is carried as one opaque item.
pub(crate) const LINES_MAX: usize = 65_536;
/// Longer names of properties and components are nobody's.
pub(crate) const NAME_BYTES_MAX: usize = 100;
/// Where `ENCODING=QUOTED-PRINTABLE` must have shown up.
const HEAD_BYTES_MAX: usize = 1_024;

/// One logical line: `group.NAME;PARAM=value:value`.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    /// As it stands in the file: folds, line ends and the blank lines after it included.
    pub(crate) raw: &'a [u8],
    text: Cow<'a, [u8]>,
    group: Option<Range<usize>>,
    name: Range<usize>,
    colon: usize,
}

/// `;NAME=value,value`, or a bare `;VALUE` as vCard 2.1 writes types.
#[derive(Clone, Debug)]
pub(crate) struct Parameter<'l> {
    /// Upper case; empty for a bare value.
    pub(crate) name: String,
    /// Without their quotes.
    pub(crate) values: Vec<&'l [u8]>,
}

impl Line<'_> {
    /// The name in upper case.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(&self.text[self.name.clone()]).to_ascii_uppercase()
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.text[self.name.clone()].eq_ignore_ascii_case(name.as_bytes())
    }

    /// The group in upper case.
    pub(crate) fn group(&self) -> Option<String> {
        self.group.clone().map(|group| String::from_utf8_lossy(&self.text[group]).to_ascii_uppercase())
    }

    /// The group as written.
    pub(crate) fn written_group(&self) -> Option<&str> {
        self.group.clone().and_then(|group| std::str::from_utf8(&self.text[group]).ok())
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.text[self.colon + 1..]
    }

    /// Everything from the name on: the line without its group.
    pub(crate) fn ungrouped(&self) -> &[u8] {
        &self.text[self.name.start..]
    }

    /// The name as written, without group and parameters.
    pub(crate) fn written_name(&self) -> &[u8] {
        &self.text[self.name.clone()]
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter<'_>> {
        let text = &self.text[self.name.end..self.colon];
        split_unquoted(text, b';').skip(1).map(parameter).collect()
    }

    /// The first value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&[u8]> {
        let text = &self.text[self.name.end..self.colon];
        let mut found = split_unquoted(text, b';').skip(1).map(parameter).filter(|parameter| parameter.name == name);
        found.next().and_then(|parameter| parameter.values.first().copied())
    }
}

fn parameter(text: &[u8]) -> Parameter<'_> {
    let (name, values) = match text.iter().position(|byte| *byte == b'=') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (&text[..0], text),
    };
    Parameter {
        name: String::from_utf8_lossy(name).trim().to_ascii_uppercase(),
        values: split_unquoted(values, b',').map(unquoted).collect(),
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(text)
}

fn split_unquoted(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    text.split(move |byte| {
        is_quoted ^= *byte == b'"';
        *byte == separator && !is_quoted
    })
}

/// All lines of a file, and what stands before the first (a byte order mark, blank lines).
pub(crate) struct Lines<'a> {
    pub(crate) preamble: &'a [u8],
    pub(crate) lines: Vec<Line<'a>>,
}

/// Splits `bytes` into lines; `None` when any of them is not a content line or there are too many.
pub(crate) fn read_lines(bytes: &[u8], has_groups: bool) -> Option<Lines<'_>> {
    let mut at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    at = skip_blank(bytes, at);
    let preamble = &bytes[..at];
    let mut lines = Vec::new();
    while at < bytes.len() {
        if lines.len() == LINES_MAX {
            return None;
        }
        let start = at;
        let (text, end) = unfold(bytes, at);
        at = skip_blank(bytes, end);
        lines.push(read_line(&bytes[start..at], text, has_groups)?);
    }
    Some(Lines { preamble, lines })
}

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        let (content, next) = physical_line(bytes, at);
        if !content.is_empty() {
            break;
        }
        at = next;
    }
    at
}

/// The line at `at` without its end, and where the next one starts.
pub(crate) fn physical_line(bytes: &[u8], at: usize) -> (&[u8], usize) {
    let rest = &bytes[at..];
    let (line, length) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&rest[..end], end + 1),
        None => (rest, rest.len()),
    };
    let content = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    (&line[..content], at + length)
}

fn unfold(bytes: &[u8], at: usize) -> (Cow<'_, [u8]>, usize) {
    let (first, mut at) = physical_line(bytes, at);
    let mut text = Cow::Borrowed(first);
    let mut encoding = HeadReading::default();
    while at < bytes.len() {
        let is_soft_break = text.ends_with(b"=") && encoding.is_quoted_printable(&text);
        let (next, end) = physical_line(bytes, at);
        if is_soft_break {
            let text = text.to_mut();
            text.pop();
            text.extend_from_slice(next);
        } else if next.starts_with(b" ") || next.starts_with(b"\t") {
            text.to_mut().extend_from_slice(&next[1..]);
        } else {
            break;
        }
        at = end;
    }
    (text, at)
}

/// Whether a line that is still being unfolded is quoted-printable: asked at every line end, read only a few times.
#[derive(Default)]
struct HeadReading {
    known: Option<bool>,
    readings: usize,
}

impl HeadReading {
    fn is_quoted_printable(&mut self, text: &[u8]) -> bool {
        const MARK: &[u8] = b"QUOTED-PRINTABLE";
        const READINGS_MAX: usize = 16;
        if let Some(known) = self.known {
            return known;
        }
        let start = &text[..text.len().min(HEAD_BYTES_MAX)];
        let colon = start.iter().position(|byte| *byte == b':');
        let head = &start[..colon.unwrap_or(start.len())];
        let is_quoted_printable = head.windows(MARK.len()).any(|window| window.eq_ignore_ascii_case(MARK));
        self.readings += 1;
        // A folded head may have its encoding in the part that is still to come.
        if colon.is_some() || start.len() == HEAD_BYTES_MAX || self.readings == READINGS_MAX {
            self.known = Some(is_quoted_printable);
        }
        is_quoted_printable && colon.is_some()
    }
}

fn read_line<'a>(raw: &'a [u8], text: Cow<'a, [u8]>, has_groups: bool) -> Option<Line<'a>> {
    let head_end = text.iter().position(|byte| matches!(byte, b';' | b':'))?;
    let head = &text[..head_end];
    if head.len() > NAME_BYTES_MAX || !head.iter().all(|byte| is_name_byte(*byte)) {
        return None;
    }
    let dot = head.iter().position(|byte| *byte == b'.').filter(|_| has_groups);
    let name = dot.map_or(0, |dot| dot + 1)..head_end;
    if name.is_empty() || dot == Some(0) {
        return None;
    }
    let mut is_quoted = false;
    let colon = text[head_end..].iter().position(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b':' && !is_quoted
    })?;
    Some(Line { raw, group: dot.map(|dot| 0..dot), name, colon: head_end + colon, text })
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'$' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_unfolded_and_taken_apart_and_its_raw_bytes_stay() {
        let bytes = b"\xef\xbb\xbf\r\nitem1.TEL;type=\"a:b;c\",d;PREF:12\r\n 34\r\n\r\nNOTE:x";
        let lines = read_lines(bytes, true).unwrap();
        assert_eq!(lines.preamble, b"\xef\xbb\xbf\r\n");
        let [tel, note] = &lines.lines[..] else { panic!("two lines") };
        assert_eq!((tel.group().as_deref(), tel.name().as_str(), tel.value()), (Some("ITEM1"), "TEL", &b"1234"[..]));
        assert_eq!(tel.parameter("TYPE"), Some(&b"a:b;c"[..]));
        assert_eq!(tel.parameters()[1].values, [b"PREF"]);
        assert_eq!([lines.preamble, tel.raw, note.raw].concat(), bytes);
    }

    #[test]
    fn quoted_printable_soft_breaks_join_lines() {
        let lines = read_lines(b"NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0A=\r\n b=\r\nc\r\nX:=\r\nY:1", true).unwrap();
        assert_eq!(lines.lines[0].value(), b"a=0D=0A bc");
        assert_eq!(lines.lines.len(), 3);
        let folded = read_lines(b"NOTE;ENCODING=\n QUOTED-PRINTABLE:a=\nb\n", true).unwrap();
        assert_eq!(folded.lines[0].value(), b"ab");
    }

    #[test]
    fn what_is_no_content_line_is_refused() {
        for bytes in
            [&b"no colon\n"[..], b" folded first:x\n", b":x\n", b"A;P=\"x:y\n", b".A:x\n", b"\xff\xfeB\0:\0", b"A B:c"]
        {
            assert!(read_lines(bytes, true).is_none(), "{bytes:?}");
        }
    }
}
