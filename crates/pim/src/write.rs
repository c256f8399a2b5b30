//! Content lines that this crate writes: copies of another file's lines, and the few that had to be put together anew.
//!
//! A line that can be copied is copied as it stands, only its line ends are those of the file it goes into. A line is
//! rewritten when it changes its group, loses or gains a value of a list, or moves to another version of vCard.

use crate::line::{Line, physical_line};
use crate::property::{
    Dialect, Encoding, Shape, Value, encoding, is_bare_encoding, list_values, shape, split_escaped, text_value, types,
    unescape, value,
};

const LINE_OCTETS_MAX: usize = 75;

/// How lines are written in one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) dialect: Dialect,
    pub(crate) line_end: &'static [u8],
}

impl Style {
    /// The bytes of `line`, written in `from`, for a file of this style; `group` takes the place of the line's own.
    pub(crate) fn carry(self, line: &Line<'_>, from: Dialect, group: Option<&str>) -> Vec<u8> {
        if from != self.dialect && self.must_translate(line, from) {
            return self.translate(line, from, group);
        }
        match group {
            None => self.copy(line),
            Some(group) => self.fold(&grouped(group, line.ungrouped()), encoding(line)),
        }
    }

    /// The line with the line ends of this style and without blank lines after it.
    pub(crate) fn copy(self, line: &Line<'_>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(line.raw.len() + 8);
        let mut at = 0;
        while at < line.raw.len() {
            let (content, next) = physical_line(line.raw, at);
            if !content.is_empty() {
                bytes.extend_from_slice(content);
                bytes.extend_from_slice(self.line_end);
            }
            at = next;
        }
        if self.ends_with_blank_line(encoding(line)) {
            bytes.extend_from_slice(self.line_end);
        }
        bytes
    }

    /// `line` (already of this dialect) with other values in its list.
    pub(crate) fn relist(self, line: &Line<'_>, values: &[Vec<u8>]) -> Vec<u8> {
        self.put_together(line, line.written_group(), self.parameters(line, self.dialect), &self.escaped(values, b','))
    }

    /// The values of a list line of another file as a line of this style.
    pub(crate) fn list(self, line: &Line<'_>, from: Dialect, values: &[Vec<u8>]) -> Vec<u8> {
        self.put_together(line, None, self.parameters(line, from), &self.escaped(values, b','))
    }

    fn ends_with_blank_line(self, encoding: Encoding) -> bool {
        self.dialect == Dialect::VCard21 && encoding == Encoding::Base64
    }

    fn must_translate(self, line: &Line<'_>, from: Dialect) -> bool {
        let is_old = from == Dialect::VCard21 || self.dialect == Dialect::VCard21;
        is_old || types(line).contains("pref") || matches!(value(line, from), Value::Binary(_))
    }

    fn translate(self, line: &Line<'_>, from: Dialect, group: Option<&str>) -> Vec<u8> {
        let group = group.or_else(|| line.written_group());
        let mut parameters = self.parameters(line, from);
        let plain = match value(line, from) {
            Value::Plain(plain) => plain,
            Value::Binary(digits) => {
                let media = media_type(line);
                let (text, encoding) = match self.dialect {
                    Dialect::VCard4 => ([b"data:", media.as_bytes(), b";base64,", &digits].concat(), Encoding::None),
                    Dialect::VCard21 => {
                        parameters.extend_from_slice(b";ENCODING=BASE64");
                        (digits, Encoding::Base64)
                    }
                    _ => {
                        parameters.extend_from_slice(b";ENCODING=b");
                        (digits, Encoding::Base64)
                    }
                };
                let line = [&head(group, line, &parameters)[..], b":", &text].concat();
                return self.fold(&line, encoding);
            }
        };
        let value = match shape(&line.name(), from) {
            Shape::Text => self.escape(&text_value(line, from), None),
            Shape::List => self.escaped(&list_values(line, from), b','),
            Shape::Structured => {
                let is_quoted_printable = encoding(line) == Encoding::QuotedPrintable;
                let parts = split_escaped(&plain, b';').map(|part| unescape(part, is_quoted_printable));
                self.escaped(&parts.collect::<Vec<_>>(), b';')
            }
            _ => plain.into_owned(),
        };
        self.put_together(line, group, parameters, &value)
    }

    fn put_together(self, line: &Line<'_>, group: Option<&str>, mut parameters: Vec<u8>, value: &[u8]) -> Vec<u8> {
        let knows_escapes = self.dialect != Dialect::VCard21;
        let is_plain = value.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\\');
        let (value, encoding) = if knows_escapes || is_plain {
            let value =
                value.iter().flat_map(|byte| if *byte == b'\n' { &b"\\n"[..] } else { std::slice::from_ref(byte) });
            (value.copied().filter(|byte| *byte != b'\r').collect(), Encoding::None)
        } else {
            parameters.extend_from_slice(b";ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8");
            (encode_quoted_printable(value), Encoding::QuotedPrintable)
        };
        let line = [&head(group, line, &parameters)[..], b":", &value].concat();
        self.fold(&line, encoding)
    }

    /// Types and other parameters of a line of dialect `from`, without those that tell an encoding.
    fn parameters(self, line: &Line<'_>, from: Dialect) -> Vec<u8> {
        let mut text = Vec::new();
        let is_card = from.is_card();
        let is_binary = matches!(value(line, from), Value::Binary(_));
        if is_card && !(is_binary && self.dialect == Dialect::VCard4) {
            let mut types: Vec<_> = types(line).into_iter().map(|kind| kind.to_uppercase()).collect();
            if is_binary && types.is_empty() {
                types.extend(media_type(line).rsplit('/').next().map(str::to_uppercase));
            }
            let is_preferred = self.dialect == Dialect::VCard4 && types.iter().any(|kind| kind == "PREF");
            types.retain(|kind| !(is_preferred && kind == "PREF"));
            match self.dialect {
                Dialect::VCard21 => types.iter().for_each(|kind| text.extend_from_slice(format!(";{kind}").as_bytes())),
                _ if types.is_empty() => {}
                _ => text.extend_from_slice(format!(";TYPE={}", types.join(",")).as_bytes()),
            }
            if is_preferred {
                text.extend_from_slice(b";PREF=1");
            }
        }
        for parameter in line.parameters() {
            let is_written = match parameter.name.as_str() {
                "" => is_card || is_bare_encoding(&parameter),
                "TYPE" => is_card,
                "PREF" => is_card && parameter.values == [b"1"],
                "CHARSET" | "ENCODING" => true,
                "MEDIATYPE" => is_binary,
                "VALUE" => {
                    is_card
                        && parameter.values.iter().all(|value| {
                            [&b"TEXT"[..], b"BINARY", b"INLINE"].iter().any(|known| value.eq_ignore_ascii_case(known))
                                || (is_binary)
                        })
                }
                _ => false,
            };
            if !is_written {
                let values: Vec<_> = parameter.values.iter().map(|value| quoted(value)).collect();
                text.push(b';');
                text.extend_from_slice(parameter.name.as_bytes());
                text.extend_from_slice(if parameter.name.is_empty() { b"" } else { b"=" });
                text.extend_from_slice(&values.join(&b","[..]));
            }
        }
        text
    }

    fn escaped(self, values: &[Vec<u8>], separator: u8) -> Vec<u8> {
        values.iter().map(|value| self.escape(value, Some(separator))).collect::<Vec<_>>().join(&[separator][..])
    }

    /// vCard 2.1 protects separators only where they separate; later versions do everywhere.
    fn escape(self, value: &[u8], separator: Option<u8>) -> Vec<u8> {
        let mut escaped = Vec::with_capacity(value.len());
        for byte in value {
            let needs_escape = match self.dialect {
                Dialect::VCard21 => Some(*byte) == separator,
                _ => matches!(byte, b'\\' | b',' | b';'),
            };
            if needs_escape {
                escaped.push(b'\\');
            }
            escaped.push(*byte);
        }
        escaped
    }

    /// Cuts a logical line into lines of at most 75 octets, never inside a character.
    fn fold(self, text: &[u8], encoding: Encoding) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() + text.len() / 32 + 2);
        let mut rest = text;
        let (before_break, after_break): (&[u8], &[u8]) = match (encoding, self.dialect) {
            (Encoding::QuotedPrintable, _) => (b"=", b""),
            // vCard 2.1 keeps the white space it folds with, so that its texts can't be folded without changing them.
            (Encoding::None, Dialect::VCard21 | Dialect::VCalendar1) => {
                return [text, self.line_end].concat();
            }
            _ => (b"", b" "),
        };
        let mut room = LINE_OCTETS_MAX - before_break.len();
        while rest.len() > room {
            let cut = cut(rest, room, encoding);
            bytes.extend_from_slice(&rest[..cut]);
            bytes.extend_from_slice(before_break);
            bytes.extend_from_slice(self.line_end);
            bytes.extend_from_slice(after_break);
            rest = &rest[cut..];
            room = LINE_OCTETS_MAX - before_break.len() - after_break.len();
        }
        bytes.extend_from_slice(rest);
        bytes.extend_from_slice(self.line_end);
        if self.ends_with_blank_line(encoding) {
            bytes.extend_from_slice(self.line_end);
        }
        bytes
    }
}

fn cut(text: &[u8], room: usize, encoding: Encoding) -> usize {
    let is_inside = |at: usize| match encoding {
        Encoding::QuotedPrintable => text[at - 1] == b'=' || text[at - 2] == b'=',
        _ => (text[at] & 0b1100_0000) == 0b1000_0000,
    };
    // Four bytes are the longest character; what is no UTF-8 may be cut anywhere.
    (room - 3..=room).rev().find(|at| !is_inside(*at)).unwrap_or(room)
}

fn grouped(group: &str, ungrouped: &[u8]) -> Vec<u8> {
    [group.as_bytes(), b".", ungrouped].concat()
}

fn head(group: Option<&str>, line: &Line<'_>, parameters: &[u8]) -> Vec<u8> {
    let ungrouped = [line.written_name(), parameters].concat();
    group.map(|group| grouped(group, &ungrouped)).unwrap_or(ungrouped)
}

fn quoted(value: &[u8]) -> Vec<u8> {
    let needs_quotes = value.iter().any(|byte| matches!(byte, b',' | b':' | b';'));
    if needs_quotes { [b"\"", value, b"\""].concat() } else { value.to_vec() }
}

fn encode_quoted_printable(value: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(value.len() * 2);
    for byte in value {
        match byte {
            b'\n' => encoded.extend_from_slice(b"=0D=0A"),
            b'\r' => {}
            b'=' | b'\\' | ..b' ' | 127.. => encoded.extend_from_slice(format!("={byte:02X}").as_bytes()),
            _ => encoded.push(*byte),
        }
    }
    encoded
}

/// What a picture, sound or key says it is, as a media type.
fn media_type(line: &Line<'_>) -> String {
    let said = line.parameter("MEDIATYPE").map(|media| String::from_utf8_lossy(media).to_lowercase());
    let in_uri = || {
        let text = line.value().get(5..)?.split(|byte| *byte == b';').next()?;
        let is_data = line.value()[..5].eq_ignore_ascii_case(b"data:") && text.len() < 100;
        is_data.then(|| String::from_utf8_lossy(text).to_lowercase())
    };
    let by_type = || {
        let family = match line.name().as_str() {
            "PHOTO" | "LOGO" => "image",
            "SOUND" => "audio",
            _ => "application",
        };
        let kind = types(line).into_iter().find(|kind| kind != "pref").unwrap_or_else(|| "octet-stream".to_owned());
        if kind.contains('/') { kind } else { format!("{family}/{kind}") }
    };
    said.or_else(in_uri).unwrap_or_else(by_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::read_lines;

    fn carried(text: &str, from: Dialect, to: Dialect) -> String {
        let lines = read_lines(text.as_bytes(), true).unwrap().lines;
        let style = Style { dialect: to, line_end: b"\n" };
        String::from_utf8(lines.iter().flat_map(|line| style.carry(line, from, None)).collect()).unwrap()
    }

    #[test]
    fn lines_move_between_versions_of_vcard() {
        let old = "TEL;HOME;PREF:1\nNOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=C3=A9; x=0D=0Ay\nPHOTO;JPEG;ENCODING=BASE64:QUJD\n\n";
        let new = "TEL;TYPE=HOME;PREF=1:1\nNOTE:é\\; x\\ny\nPHOTO:data:image/jpeg;base64,QUJD\n";
        assert_eq!(carried(old, Dialect::VCard21, Dialect::VCard4), new);
        let back = carried(new, Dialect::VCard4, Dialect::VCard21);
        assert_eq!(
            back,
            "TEL;HOME;PREF:1\nNOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=C3=A9; x=0D=0Ay\nPHOTO;JPEG;ENCODING=BASE64:QUJD\n\n"
        );
        assert_eq!(
            carried(new, Dialect::VCard4, Dialect::VCard3),
            "TEL;TYPE=HOME,PREF:1\nNOTE:é\\; x\\ny\nPHOTO;TYPE=JPEG;ENCODING=b:QUJD\n"
        );
    }

    #[test]
    fn written_lines_are_folded_between_characters_and_copied_lines_stay_as_they_were() {
        let long = format!("NOTE:{}\n", "aé€😀".repeat(40));
        assert_eq!(carried(&long, Dialect::VCard3, Dialect::VCard3), long);
        let lines = read_lines(long.as_bytes(), true).unwrap().lines;
        let style = Style { dialect: Dialect::VCard3, line_end: b"\r\n" };
        let folded = String::from_utf8(style.carry(&lines[0], Dialect::VCard3, Some("item7"))).unwrap();
        assert!(folded.split("\r\n").all(|line| line.len() <= 75), "{folded}");
        assert_eq!(folded.replace("\r\n ", "").trim_end(), format!("item7.{}", long.trim_end()));
    }
}
