//! Writing content lines (RFC 5545 3.1, RFC 6350 3.2).

use std::fmt::Write as _;

/// Longer lines are folded.
const OCTETS_MAX: usize = 75;

/// A file of content lines that is being written.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: String,
}

impl Lines {
    /// A line with its value as it stands.
    pub(crate) fn raw(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        // Line ends would end the line; nothing that holds one comes unescaped, except from damaged files.
        let value: String = value.chars().filter(|letter| !matches!(letter, '\r' | '\n' | '\0')).collect();
        let _ = write!(self.text, "{name}:{value}");
        self.fold(start);
    }

    /// A line with a text, unless that is blank.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        if !text.trim().is_empty() {
            self.raw(name, &escaped(text));
        }
    }

    /// A line with a list of texts, unless there are none.
    pub(crate) fn list(&mut self, name: &str, texts: &[String]) {
        if !texts.is_empty() {
            self.raw(name, &texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join(","));
        }
    }

    /// A line with a structured value, unless all parts are blank.
    pub(crate) fn structured(&mut self, name: &str, parts: &[String]) {
        if parts.iter().any(|part| !part.trim().is_empty()) {
            self.raw(name, &parts.iter().map(|part| escaped(part)).collect::<Vec<_>>().join(";"));
        }
    }

    /// The file so far.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    fn fold(&mut self, start: usize) {
        let line = self.text.split_off(start);
        let mut room = OCTETS_MAX;
        for letter in line.chars() {
            if letter.len_utf8() > room {
                self.text.push_str("\r\n ");
                room = OCTETS_MAX - 1;
            }
            room -= letter.len_utf8();
            self.text.push(letter);
        }
        self.text.push_str("\r\n");
    }
}

/// A text as a value: separators and line ends escaped, other control characters left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ',' | ';' => value.extend(['\\', letter]),
            '\n' => value.push_str("\\n"),
            '\t' => value.push('\t'),
            letter if letter.is_control() => {}
            letter => value.push(letter),
        }
    }
    value
}

/// A parameter with its value in quotes where it needs them: `;CN="Doe, J."`; nothing for a blank value.
pub(crate) fn parameter(name: &str, value: &str) -> String {
    let value: String =
        value.chars().filter(|letter| !letter.is_control()).map(|l| if l == '"' { '\'' } else { l }).collect();
    match value.trim() {
        "" => String::new(),
        value if value.contains([',', ';', ':']) => format!(";{name}=\"{value}\""),
        value => format!(";{name}={value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_escaped_and_folded_between_characters() {
        let mut lines = Lines::default();
        lines.text("NOTE", &format!("a;b\n\u{7}{}", "é€😀".repeat(20)));
        lines.text("X", " ");
        lines.raw("Y", "one\r\nEND:VCARD");
        let text = String::from_utf8(lines.finish()).unwrap();
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert!(text.replace("\r\n ", "").starts_with("NOTE:a\\;b\\né€😀"));
        assert!(text.ends_with("\r\nY:oneEND:VCARD\r\n"));
        assert_eq!(parameter("CN", "Doe, \"J\"\n"), ";CN=\"Doe, 'J'\"");
    }
}
