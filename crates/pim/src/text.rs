//! Text for people out of bytes from anywhere.

use mail_parser::decoders::charsets::map::charset_decoder;
use std::borrow::Cow;

/// Reads `bytes` as text: UTF-8 where it is, else the named character set, else Windows-1252.
pub(crate) fn decode<'a>(bytes: &'a [u8], charset: Option<&[u8]>) -> Cow<'a, str> {
    let named = charset.filter(|name| !name.eq_ignore_ascii_case(b"utf-8")).and_then(charset_decoder);
    match (named, std::str::from_utf8(bytes)) {
        (Some(decoder), _) => Cow::Owned(decoder(bytes)),
        (None, Ok(text)) => Cow::Borrowed(text),
        (None, Err(_)) => match charset_decoder(b"windows-1252") {
            Some(decoder) => Cow::Owned(decoder(bytes)),
            None => String::from_utf8_lossy(bytes),
        },
    }
}

/// One line of at most `chars_max` characters: runs of white space are one space, nothing invisible can turn it around.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for character in text.chars() {
        if chars == chars_max {
            break;
        }
        if character.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
                chars += 1;
            }
        } else if is_visible(character) {
            line.push(character);
            chars += 1;
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Several lines of at most `chars_max` characters altogether.
pub(crate) fn paragraph(text: &str, chars_max: usize) -> String {
    let visible = text.chars().filter(|character| *character == '\n' || is_visible(*character));
    let mut lines: String = visible.take(chars_max).collect();
    lines.truncate(lines.trim_end().len());
    lines
}

/// False for control characters and for those that change the direction of what follows.
fn is_visible(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Lower case with single spaces: how names and subjects are compared when people would call them the same.
pub(crate) fn folded(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_short_line_that_cannot_be_turned_around() {
        assert_eq!(one_line(" Re:\r\n\t \u{202e}gpj.exe\u{7}  x ", 200), "Re: gpj.exe x");
        assert_eq!(one_line(&"é ".repeat(500), 5), "é é é");
    }

    #[test]
    fn bytes_are_read_by_their_charset_or_as_windows_1252() {
        assert_eq!(decode("é".as_bytes(), None), "é");
        assert_eq!(decode(b"\xe9\x80", None), "é€");
        assert_eq!(decode(b"\xc1", Some(b"ISO-8859-7")), "Α");
        assert_eq!(decode("é".as_bytes(), Some(b"no-such-set")), "é");
    }
}
