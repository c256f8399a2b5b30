//! Bodies in RTF: taken out of their compression (MS-OXRTFCP), and HTML or text taken out of the RTF that hides it
//! (MS-OXRTFEX).

use super::text::{WINDOWS_1252, decode};
use std::collections::BTreeMap;

const COMPRESSED: &[u8] = b"LZFu";
const UNCOMPRESSED: &[u8] = b"MELA";
const HEADER_BYTES: usize = 16;
const DICTIONARY_BYTES: usize = 4096;
/// What the dictionary holds at first.
const PRELOADED: &[u8] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
/// Deeper groups are nobody's.
const GROUPS_MAX: usize = 1_000;

/// The RTF in a compressed body; `None` when it isn't one. A damaged end costs what comes after it.
pub(crate) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, content) = bytes.split_at_checked(HEADER_BYTES)?;
    let size = u32::from_le_bytes(header[4..8].try_into().ok()?) as usize;
    match &header[8..12] {
        UNCOMPRESSED => Some(content[..size.min(content.len())].to_vec()),
        COMPRESSED => Some(inflate(content, size)),
        _ => None,
    }
}

fn inflate(content: &[u8], size: usize) -> Vec<u8> {
    let mut dictionary = [0u8; DICTIONARY_BYTES];
    dictionary[..PRELOADED.len()].copy_from_slice(PRELOADED);
    let mut end = PRELOADED.len();
    let mut rtf = Vec::new();
    let mut bytes = content.iter().copied();
    while rtf.len() < size {
        let Some(control) = bytes.next() else { break };
        for bit in 0..8 {
            let Some(first) = bytes.next() else { return rtf };
            if control & (1 << bit) == 0 {
                rtf.push(first);
                dictionary[end] = first;
                end = (end + 1) % DICTIONARY_BYTES;
                continue;
            }
            let Some(second) = bytes.next() else { return rtf };
            let reference = u16::from_be_bytes([first, second]);
            let offset = usize::from(reference >> 4);
            if offset == end {
                return rtf;
            }
            for step in 0..usize::from(reference & 0xF) + 2 {
                let byte = dictionary[(offset + step) % DICTIONARY_BYTES];
                rtf.push(byte);
                dictionary[end] = byte;
                end = (end + 1) % DICTIONARY_BYTES;
            }
        }
    }
    rtf
}

/// RTF in the container of a compressed body, as it is.
pub(crate) fn wrap(rtf: &[u8]) -> Vec<u8> {
    let size = u32::try_from(rtf.len()).unwrap_or(u32::MAX);
    // The size counts from after itself.
    [&(size.saturating_add(12)).to_le_bytes()[..], &size.to_le_bytes(), UNCOMPRESSED, &[0; 4], rtf].concat()
}

/// What RTF holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Body {
    /// HTML that was hidden in it.
    Html(String),
    /// Text that was hidden in it.
    Text(String),
    /// RTF that somebody wrote as RTF, with its text.
    Rtf(String),
}

/// Takes out what is in the RTF.
pub(crate) fn body(rtf: &[u8]) -> Body {
    let mut reader = Reader {
        rest: rtf,
        groups: vec![Group::default()],
        code_page: WINDOWS_1252,
        fonts: BTreeMap::new(),
        font: None,
        default_font: None,
        pending: Vec::new(),
        text: String::new(),
        from: Origin::Rtf,
        to_skip: 0,
    };
    reader.read();
    reader.flush();
    let text = reader.text;
    match reader.from {
        Origin::Html => Body::Html(text),
        Origin::Text => Body::Text(text),
        Origin::Rtf => Body::Rtf(text.trim_end().to_owned()),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    Html,
    Text,
    Rtf,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Destination {
    Body,
    /// `{\*\htmltag…}`: text that belongs to the HTML as it is.
    HtmlTag,
    FontTable,
    Nothing,
}

#[derive(Clone, Debug)]
struct Group {
    destination: Destination,
    /// Inside `\htmlrtf`: RTF for those who can't read the HTML.
    is_only_rtf: bool,
    /// Characters after `\u…` that repeat it for old readers.
    fallback_chars: usize,
    font: Option<i32>,
}

impl Default for Group {
    fn default() -> Self {
        Self { destination: Destination::Body, is_only_rtf: false, fallback_chars: 1, font: None }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    groups: Vec<Group>,
    code_page: u16,
    /// Code pages by font.
    fonts: BTreeMap<i32, u16>,
    /// Whose entry in the font table is being read.
    font: Option<i32>,
    default_font: Option<i32>,
    /// Bytes of one code page, to be decoded together.
    pending: Vec<u8>,
    text: String,
    from: Origin,
    to_skip: usize,
}

impl Reader<'_> {
    fn group(&mut self) -> &mut Group {
        self.groups.last_mut().expect("the outermost group is never closed")
    }

    fn read(&mut self) {
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            match byte {
                b'{' => {
                    self.flush();
                    if self.groups.len() == GROUPS_MAX {
                        return;
                    }
                    let group = self.group().clone();
                    self.groups.push(group);
                    self.to_skip = 0;
                }
                b'}' => {
                    self.flush();
                    if self.groups.len() > 1 {
                        self.groups.pop();
                    }
                    self.to_skip = 0;
                }
                b'\\' => self.control(),
                b'\r' | b'\n' | b'\0' => {}
                _ => self.byte(byte),
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if self.is_shown() {
            self.pending.push(byte);
        }
    }

    fn is_shown(&mut self) -> bool {
        let from = self.from;
        let group = self.group();
        match group.destination {
            Destination::HtmlTag => from == Origin::Html,
            Destination::Body => !(group.is_only_rtf && from == Origin::Html),
            Destination::FontTable | Destination::Nothing => false,
        }
    }

    /// Decodes the bytes so far: the code page may change now.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let default = self.default_font;
        let font = self.group().font.or(default);
        let code_page = font.and_then(|font| self.fonts.get(&font).copied()).unwrap_or(self.code_page);
        let text = decode(&self.pending, code_page);
        self.text.push_str(&text);
        self.pending.clear();
    }

    fn put(&mut self, text: &str) {
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if self.is_shown() {
            self.flush();
            self.text.push_str(text);
        }
    }

    fn control(&mut self) {
        let Some((&first, rest)) = self.rest.split_first() else { return };
        if !first.is_ascii_alphabetic() {
            self.rest = rest;
            match first {
                b'\'' => {
                    let digit = |at: usize| rest.get(at).and_then(|byte| (*byte as char).to_digit(16));
                    if let (Some(high), Some(low)) = (digit(0), digit(1)) {
                        self.rest = &rest[2..];
                        self.byte((high * 16 + low) as u8);
                    }
                }
                b'\\' | b'{' | b'}' => self.byte(first),
                b'~' => self.put(if self.from == Origin::Html { "&nbsp;" } else { "\u{a0}" }),
                b'_' => self.put(if self.from == Origin::Html { "&shy;" } else { "\u{ad}" }),
                b'\r' | b'\n' => self.put("\r\n"),
                b'*' => {
                    // A destination that readers may leave out, unless its name is known.
                    self.group().destination = match self.group().destination {
                        Destination::Body => Destination::Nothing,
                        other => other,
                    };
                }
                _ => {}
            }
            return;
        }
        let name_bytes = self.rest.iter().take(32).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (name, rest) = self.rest.split_at(name_bytes);
        let is_sign = rest.first() == Some(&b'-');
        let digits = rest.iter().skip(usize::from(is_sign)).take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let number_bytes = if digits == 0 { 0 } else { digits + usize::from(is_sign) };
        let (number, rest) = rest.split_at(number_bytes);
        let number = std::str::from_utf8(number).ok().and_then(|text| text.parse::<i64>().ok());
        self.rest = rest.strip_prefix(b" ").unwrap_or(rest);
        self.word(name, number);
    }

    fn word(&mut self, name: &[u8], number: Option<i64>) {
        let quoted = |is_html: bool, entity: &'static str, character: &'static str| {
            if is_html { entity } else { character }
        };
        let is_html = self.from == Origin::Html;
        match name {
            b"fromhtml" if number != Some(0) => self.from = Origin::Html,
            b"fromtext" => self.from = Origin::Text,
            b"htmltag" if self.group().destination == Destination::Nothing => {
                self.group().destination = Destination::HtmlTag;
            }
            b"htmlrtf" => {
                self.flush();
                self.group().is_only_rtf = number != Some(0);
            }
            b"ansicpg" => self.code_page = number.and_then(|page| u16::try_from(page).ok()).unwrap_or(WINDOWS_1252),
            b"deff" => self.default_font = number.and_then(|font| i32::try_from(font).ok()),
            b"fonttbl" => self.group().destination = Destination::FontTable,
            b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"header" | b"footer" | b"footnote" | b"object"
            | b"listtable" | b"fldinst" | b"generator" | b"themedata" | b"datastore" | b"xmlnstbl" => {
                self.flush();
                self.group().destination = Destination::Nothing;
            }
            b"f" => {
                self.flush();
                let font = number.and_then(|font| i32::try_from(font).ok());
                if self.group().destination == Destination::FontTable {
                    self.font = font;
                } else {
                    self.group().font = font;
                }
            }
            b"fcharset" => {
                if let (Destination::FontTable, Some(font)) = (self.group().destination, self.font)
                    && self.fonts.len() < 65_536
                    && let Some(page) = number.and_then(charset_code_page)
                {
                    self.fonts.insert(font, page);
                }
            }
            b"plain" => {
                self.flush();
                self.group().font = None;
            }
            b"uc" => {
                self.group().fallback_chars = number.and_then(|count| usize::try_from(count).ok()).unwrap_or(1).min(16);
            }
            b"u" => {
                let unit = number.map_or(0xFFFD, |number| (number & 0xFFFF) as u32);
                self.unit(unit);
                self.to_skip = self.group().fallback_chars;
            }
            b"bin" => {
                let count = number.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
                self.rest = self.rest.get(count..).unwrap_or_default();
            }
            b"par" | b"line" => self.put("\r\n"),
            b"tab" | b"cell" => self.put("\t"),
            b"row" if !is_html => self.put("\r\n"),
            b"lquote" => self.put(quoted(is_html, "&lsquo;", "‘")),
            b"rquote" => self.put(quoted(is_html, "&rsquo;", "’")),
            b"ldblquote" => self.put(quoted(is_html, "&ldquo;", "“")),
            b"rdblquote" => self.put(quoted(is_html, "&rdquo;", "”")),
            b"bullet" => self.put(quoted(is_html, "&bull;", "•")),
            b"endash" => self.put(quoted(is_html, "&ndash;", "–")),
            b"emdash" => self.put(quoted(is_html, "&mdash;", "—")),
            _ => {}
        }
    }

    /// One UTF-16 unit; two of them may be one character.
    fn unit(&mut self, unit: u32) {
        if !self.is_shown() {
            return;
        }
        self.flush();
        // The first half of a pair waits in the private use area until the second comes.
        const HALF: u32 = 0x10_F800;
        let waiting = self.text.chars().next_back().map(u32::from).filter(|half| (HALF..HALF + 0x400).contains(half));
        if let (Some(half), 0xDC00..=0xDFFF) = (waiting, unit) {
            self.text.pop();
            let character = 0x1_0000 + ((half - HALF) << 10) + (unit - 0xDC00);
            self.text.extend(char::from_u32(character));
        } else if (0xD800..0xDC00).contains(&unit) {
            self.text.extend(char::from_u32(HALF + unit - 0xD800));
        } else {
            self.text.push(char::from_u32(unit).unwrap_or('\u{fffd}'));
        }
    }
}

/// Code pages of `\fcharset` numbers.
fn charset_code_page(charset: i64) -> Option<u16> {
    Some(match charset {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        // MS-OXRTFCP 4.1.1 and 4.2.1.
        let simple = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
        assert_eq!(decompress(simple).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        let crossing = b"\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4KQA\0\x04 WXYZ\x0dn}\x01\x0e\xb0";
        assert_eq!(decompress(crossing).unwrap(), b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        assert_eq!(decompress(&wrap(b"{\\rtf1}")).unwrap(), b"{\\rtf1}");
    }

    #[test]
    fn damaged_compression_ends_early() {
        assert_eq!(decompress(b"short"), None);
        assert_eq!(decompress(b"\0\0\0\0\xff\xff\xff\xffLZFu\0\0\0\0\0ab"), Some(b"ab".to_vec()));
        assert_eq!(decompress(b"\0\0\0\0\xff\xff\xff\xffMELA\0\0\0\0ab"), Some(b"ab".to_vec()));
    }

    #[test]
    fn html_is_taken_out_of_the_rtf_around_it() {
        let rtf = br"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 A;}}
{\*\htmltag64 <p class=\{x\}>}\htmlrtf {\htmlrtf0 a\'e9 {\f1\htmlrtf0\'e9}\u8364 ?\u-10179?\u-8704?\htmlrtf }\par\htmlrtf0
{\*\mhtmltag84 <img>}\htmlrtf \par\htmlrtf0 {\*\htmltag84 &nbsp;}{\*\htmltag72 </p>}\par}";
        let html = "<p class={x}>aé й€😀&nbsp;</p>\r\n";
        assert_eq!(body(rtf), Body::Html(html.to_owned()));
    }

    #[test]
    fn text_is_taken_out_and_real_rtf_is_told_apart() {
        let rtf = br"{\rtf1\ansi\fromtext{\fonttbl{\f0 A;}}{\*\generator x;}\f0 one\par two\tab x}";
        assert_eq!(body(rtf), Body::Text("one\r\ntwo\tx".to_owned()));
        let rtf = br"{\rtf1\ansi{\colortbl;\red0;}\b one\b0\par{\pict\bin5 }}}}}}two\{}";
        assert_eq!(body(rtf), Body::Rtf("one\r\ntwo{".to_owned()));
    }

    #[test]
    fn bottomless_and_torn_rtf_ends() {
        body(&b"{".repeat(100_000));
        for torn in [&b"\\"[..], b"\\'", b"\\'4", b"\\u", b"\\bin99999999999", b"}}}}a", b"{\\fonttbl{\\f99999999999"] {
            body(torn);
        }
    }
}
