//! Texts of other people that we show: checked once, where they enter.

use std::fmt;
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// What a server is called: 1 to 63 characters, at most 252 bytes, one line, no characters that reorder other text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ServerName(String);

impl ServerName {
    /// Longest name in characters.
    pub const CHARS_MAX: usize = 63;
    /// Longest name in bytes.
    pub const BYTES_MAX: usize = 252;

    /// Checks a name, trims it and puts it into composed form (NFC).
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let name = one_line(text, Self::BYTES_MAX)?;
        if name.is_empty() {
            return Err(TextError::Empty);
        }
        if name.chars().count() > Self::CHARS_MAX {
            return Err(TextError::TooManyCharacters { max: Self::CHARS_MAX });
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the owner adds to the name: up to 39 characters as people count them, at most 512 bytes.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Comment(String);

impl Comment {
    /// Longest comment in characters as people count them (grapheme clusters).
    pub const CHARS_MAX: usize = 39;
    /// Longest comment in bytes.
    pub const BYTES_MAX: usize = 512;

    /// Checks a comment, trims it and puts it into composed form (NFC).
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let comment = one_line(text, Self::BYTES_MAX)?;
        if comment.is_empty() {
            return Err(TextError::Empty);
        }
        if comment.graphemes(true).count() > Self::CHARS_MAX {
            return Err(TextError::TooManyCharacters { max: Self::CHARS_MAX });
        }
        Ok(Self(comment))
    }

    /// The comment.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text can't be a name or a comment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextError {
    /// Nothing but spaces.
    #[error("the text is empty")]
    Empty,
    /// Longer than it may be in characters.
    #[error("the text has more than {max} characters")]
    TooManyCharacters {
        /// How many it may have.
        max: usize,
    },
    /// Longer than it may be in bytes.
    #[error("the text has more than {max} bytes")]
    TooManyBytes {
        /// How many it may have.
        max: usize,
    },
    /// A character that ends a line, controls a terminal or reorders what stands around it.
    #[error("the text has a character that isn't allowed")]
    Forbidden {
        /// The character.
        character: char,
    },
}

fn one_line(text: &str, bytes_max: usize) -> Result<String, TextError> {
    // Composing never makes a text more than three times shorter, so this bounds the work without refusing good text.
    if text.len() > bytes_max * 4 {
        return Err(TextError::TooManyBytes { max: bytes_max });
    }
    if let Some(character) = text.trim().chars().find(|c| is_forbidden(*c)) {
        return Err(TextError::Forbidden { character });
    }
    let composed: String = text.trim().nfc().collect();
    if composed.len() > bytes_max {
        return Err(TextError::TooManyBytes { max: bytes_max });
    }
    Ok(composed)
}

fn is_forbidden(c: char) -> bool {
    // Line and paragraph separators, the byte order mark, and everything that changes the direction of text: a name
    // could otherwise rewrite the dialog in which it is shown.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_composed() {
        let name = ServerName::parse("  Bu\u{0308}ro-PC ").expect("an ordinary name");
        assert_eq!(name.as_str(), "Büro-PC");
    }

    #[test]
    fn a_name_has_one_to_63_characters() {
        assert_eq!(ServerName::parse(" "), Err(TextError::Empty));
        assert!(ServerName::parse(&"ä".repeat(63)).is_ok());
        assert_eq!(ServerName::parse(&"ä".repeat(64)), Err(TextError::TooManyCharacters { max: 63 }));
        assert_eq!(ServerName::parse(&"x".repeat(5000)), Err(TextError::TooManyBytes { max: 252 }));
    }

    #[test]
    fn a_comment_counts_as_people_count() {
        // A family of four is one character on the screen and 25 bytes in the file.
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        assert!(Comment::parse(&family.repeat(20)).is_ok());
        assert_eq!(Comment::parse(&family.repeat(21)), Err(TextError::TooManyBytes { max: 512 }));
        assert!(Comment::parse(&"e\u{0301}".repeat(39)).is_ok());
        assert_eq!(Comment::parse(&"x".repeat(40)), Err(TextError::TooManyCharacters { max: 39 }));
    }

    #[test]
    fn text_that_could_rewrite_a_dialog_is_refused() {
        for character in ['\n', '\u{1b}', '\0', '\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}', '\u{85}'] {
            let text = format!("Office{character}PC");
            assert_eq!(ServerName::parse(&text), Err(TextError::Forbidden { character }));
            assert_eq!(Comment::parse(&text), Err(TextError::Forbidden { character }));
        }
    }
}
