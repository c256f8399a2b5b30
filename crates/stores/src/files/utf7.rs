//! Modified UTF-7 (RFC 3501, 5.1.3), as Maildir++ folders are named on disk.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Writes printable ASCII as it is, `&` as `&-`, the rest as base 64 of UTF-16.
pub(super) fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut shifted: Vec<u16> = Vec::new();
    for character in name.chars() {
        if (' '..='~').contains(&character) {
            flush(&mut text, &mut shifted);
            text.push(character);
            if character == '&' {
                text.push('-');
            }
        } else {
            shifted.extend(character.encode_utf16(&mut [0; 2]).iter());
        }
    }
    flush(&mut text, &mut shifted);
    text
}

fn flush(text: &mut String, shifted: &mut Vec<u16>) {
    if shifted.is_empty() {
        return;
    }
    text.push('&');
    let bytes: Vec<u8> = shifted.drain(..).flat_map(u16::to_be_bytes).collect();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(ALPHABET[(group >> (18 - 6 * digit) & 63) as usize] as char);
        }
    }
    text.push('-');
}

/// Reads what [`encode`] writes. `None`: it isn't that (other programs write plain UTF-8 or nonsense).
pub(super) fn decode(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        name.push_str(&rest[..at]);
        let (coded, after) = rest[at + 1..].split_once('-')?;
        rest = after;
        if coded.is_empty() {
            name.push('&');
        } else {
            name.push_str(&decode_shifted(coded)?);
        }
    }
    name.push_str(rest);
    // Exactly one spelling is right; taking others would give two folders one name.
    (encode(&name) == text).then_some(name)
}

fn decode_shifted(coded: &str) -> Option<String> {
    let (mut bits, mut bit_count, mut units) = (0u32, 0, Vec::new());
    for byte in coded.bytes() {
        bits = bits << 6 | ALPHABET.iter().position(|&letter| letter == byte)? as u32;
        bit_count += 6;
        if bit_count >= 16 {
            bit_count -= 16;
            units.push((bits >> bit_count) as u16);
            bits &= (1 << bit_count) - 1;
        }
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_dovecot_writes_them() {
        for (name, text) in [
            ("Entwürfe", "Entw&APw-rfe"),
            ("Gelöschte Objekte", "Gel&APY-schte Objekte"),
            ("R&D", "R&-D"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
            ("two\nlines", "two&AAo-lines"),
            ("plain", "plain"),
        ] {
            assert_eq!(encode(name), text);
            assert_eq!(decode(text).as_deref(), Some(name));
        }
    }

    #[test]
    fn other_spellings_are_not_taken() {
        for text in ["&", "a&b", "&AGEAYg-", "&!!-", "&2D0-", "Entwürfe"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
