//! File names as text: hrefs and folder ids are `String`s, file names may be any bytes.
//!
//! What isn't UTF-8, `%` and control characters become `%XX`, so that every name has exactly one text and a log line
//! stays one line.

use std::ffi::{OsStr, OsString};

/// The text of a file name. `None` for names that only Windows can have (lone surrogates).
pub(super) fn name_to_text(name: &OsStr) -> Option<String> {
    #[cfg(not(unix))]
    name.to_str()?;
    Some(bytes_to_text(name.as_encoded_bytes()))
}

/// The text of a name given as bytes.
pub(super) fn bytes_to_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '%' || character.is_control() {
                let mut buffer = [0; 4];
                character.encode_utf8(&mut buffer).bytes().for_each(|byte| push_escaped(&mut text, byte));
            } else {
                text.push(character);
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_escaped(&mut text, byte));
    }
    text
}

fn push_escaped(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(DIGITS[usize::from(byte >> 4)] as char);
    text.push(DIGITS[usize::from(byte & 15)] as char);
}

/// The bytes behind a text made by [`name_to_text`].
pub(super) fn text_to_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digit = |byte: u8| (byte as char).to_digit(16);
        bytes.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
        rest = after;
    }
    Some(bytes)
}

/// The file name behind a text. `None` for what could never be one name: empty, `.`, `..`, with a separator or NUL.
pub(super) fn text_to_name(text: &str) -> Option<OsString> {
    let bytes = text_to_bytes(text)?;
    let is_separator = |byte: &u8| *byte == b'/' || *byte == 0 || (cfg!(windows) && *byte == b'\\');
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.iter().any(is_separator) {
        return None;
    }
    bytes_to_name(bytes)
}

/// A file name of these bytes.
pub(super) fn bytes_to_name(bytes: Vec<u8>) -> Option<OsString> {
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStringExt::from_vec(bytes));
    #[cfg(not(unix))]
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_text_and_comes_back() {
        for bytes in [&b"plain.vcf"[..], b"100%", b"two\nlines", b"\xff\xfe latin \xe9", "ü ✓".as_bytes(), b"%41"] {
            let text = bytes_to_text(bytes);
            assert!(!text.chars().any(char::is_control));
            assert_eq!(text_to_bytes(&text).as_deref(), Some(bytes));
        }
        assert_ne!(bytes_to_text(b"%41"), bytes_to_text(b"A"));
    }

    #[test]
    fn a_text_can_not_leave_its_folder() {
        for text in ["", ".", "..", "a/b", "a%2Fb", "%2E%2E", "a%00", "%4", "%zz"] {
            assert_eq!(text_to_name(text), None, "{text}");
        }
    }
}
