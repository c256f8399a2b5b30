//! Strings in Windows code pages.

/// What Western European Windows writes, and what is assumed where nothing is said.
pub(crate) const WINDOWS_1252: u16 = 1252;

/// Decodes a string of a code page. Names of code pages that nobody knows are read as Windows-1252.
pub(crate) fn decode(bytes: &[u8], code_page: u16) -> String {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    match code_page {
        1200 => decode_utf16(bytes),
        _ => encoding(code_page).decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// Decodes UTF-16, little endian; half characters become U+FFFD.
pub(crate) fn decode_utf16(bytes: &[u8]) -> String {
    let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(bytes);
    text.trim_end_matches('\0').to_owned()
}

/// UTF-16, little endian, without an end.
pub(crate) fn encode_utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A string of Windows-1252; what it can't hold becomes `?`.
pub(crate) fn encode_ansi(text: &str) -> Vec<u8> {
    let letter = |letter: char| {
        let mut buffer = [0; 4];
        let (bytes, _, is_lost) = encoding_rs::WINDOWS_1252.encode(letter.encode_utf8(&mut buffer));
        if is_lost { b'?' } else { bytes[0] }
    };
    text.chars().map(letter).collect()
}

fn encoding(code_page: u16) -> &'static encoding_rs::Encoding {
    match code_page {
        // US-ASCII and the two that codepage leaves out.
        20127 => encoding_rs::WINDOWS_1252,
        28591 => encoding_rs::WINDOWS_1252,
        28599 => encoding_rs::WINDOWS_1254,
        50220..=50222 => encoding_rs::ISO_2022_JP,
        51949 => encoding_rs::EUC_KR,
        52936 => encoding_rs::GB18030,
        _ => codepage::to_encoding(code_page).unwrap_or(encoding_rs::WINDOWS_1252),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages_are_told_apart() {
        assert_eq!(decode(b"\xe9", 1252), "é");
        assert_eq!(decode(b"\xe9", 1251), "й");
        assert_eq!(decode(b"\x82\xa0", 932), "あ");
        assert_eq!(decode("é".as_bytes(), 65001), "é");
        assert_eq!(decode(b"\xe9", 9999), "é");
        assert_eq!(decode_utf16(b"a\0\0\xd8"), "a\u{fffd}");
        assert_eq!(encode_ansi("aé€中"), b"a\xe9\x80?");
    }
}
