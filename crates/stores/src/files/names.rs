//! Which names a file may get here. A name that travels is only a wish: each computer keeps it where it is valid and
//! free, and makes another one where it isn't.

/// What names are valid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NameRules {
    /// Windows' forbidden characters, reserved names, and no dot or space at the end; `;` separates Maildir flags.
    pub windows: bool,
}

impl NameRules {
    /// The rules of the system this was built for.
    #[must_use]
    pub const fn here() -> Self {
        Self { windows: cfg!(windows) }
    }

    /// What stands between a Maildir base name and its flags.
    pub(super) const fn info_separator(self) -> char {
        if self.windows { ';' } else { ':' }
    }

    /// The wish with everything replaced that can't be in a name here. Never empty, never hidden.
    pub(super) fn make_valid(self, wish: &str) -> String {
        let replace = |character: char| {
            let is_forbidden = character == '/'
                || character.is_control()
                || character == char::REPLACEMENT_CHARACTER
                || (self.windows && matches!(character, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'));
            if is_forbidden { '_' } else { character }
        };
        let mut name: String = wish.chars().map(replace).collect();
        if name.starts_with('.') {
            name.replace_range(..1, "_");
        }
        if self.windows {
            name.truncate(name.trim_end_matches(['.', ' ']).len());
            if is_reserved_on_windows(&name) {
                name.insert(0, '_');
            }
        }
        if name.is_empty() { "_".to_owned() } else { name }
    }
}

fn is_reserved_on_windows(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            let mut characters = rest.chars();
            matches!((characters.next(), characters.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&&*stem) || numbered("COM") || numbered("LPT")
}

/// Bytes that a file name may have on the file systems in use.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// The longest beginning of `text` that has at most `bytes_max` bytes.
pub(super) fn shorten(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: NameRules = NameRules { windows: true };
    const UNIX: NameRules = NameRules { windows: false };

    #[test]
    fn windows_gets_names_it_can_hold() {
        for (wish, name) in [
            ("a:b*c?.ics", "a_b_c_.ics"),
            ("CON.vcf", "_CON.vcf"),
            ("com1", "_com1"),
            ("COMMON.vcf", "COMMON.vcf"),
            ("ends. . ", "ends"),
            ("...", "_"),
            ("two\nlines", "two_lines"),
            ("", "_"),
        ] {
            assert_eq!(WINDOWS.make_valid(wish), name, "{wish:?}");
        }
    }

    #[test]
    fn other_systems_keep_more() {
        for (wish, name) in [("a:b*c?.ics", "a:b*c?.ics"), ("a/b", "a_b"), (".hidden", "_hidden"), ("x\0y", "x_y")] {
            assert_eq!(UNIX.make_valid(wish), name);
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(shorten("aüb", 2), "a");
        assert_eq!(shorten("aüb", 3), "aü");
    }
}
