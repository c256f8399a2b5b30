//! Sources: the key files by which Evolution Data Server knows address books, calendars and lists.

use super::bus::Sort;
use pim::FolderKind;
use std::collections::BTreeMap;
use zbus::zvariant::OwnedObjectPath;

/// The group of a key file that holds what we note there; EDS and its programs keep groups they don't know.
pub(super) const OURS: &str = "Tandem";
/// The source that says which store this is. It is nothing that a program would show.
pub(super) const STORE_SOURCE: &str = "tandem";

/// A source.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: OwnedObjectPath,
    pub(super) uid: String,
    pub(super) is_removable: bool,
    pub(super) file: KeyFile,
}

impl Source {
    /// What its items are, if EDS keeps them on this computer. An account is kept by its own server already, and writing
    /// there could make that server send invitations.
    pub(super) fn sort(&self) -> Option<Sort> {
        let kinds = [FolderKind::Contacts, FolderKind::Calendar, FolderKind::Tasks, FolderKind::Notes];
        let is_local = |sort: &Sort| self.file.get(sort.group, "BackendName").as_deref() == Some("local");
        kinds.into_iter().filter_map(Sort::of).find(is_local)
    }

    /// What people call it, in the language of their session.
    pub(super) fn name(&self) -> String {
        let languages = ["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).unwrap_or_default());
        let language = languages.into_iter().find(|language| !language.is_empty()).unwrap_or_default();
        let country = language.split(['.', '@']).next().unwrap_or_default();
        let alone = country.split('_').next().unwrap_or_default();
        let keys = [format!("DisplayName[{country}]"), format!("DisplayName[{alone}]"), "DisplayName".to_owned()];
        let name = keys.iter().find_map(|key| self.file.get("Data Source", key)).unwrap_or_default();
        if name.trim().is_empty() { self.uid.clone() } else { name }
    }
}

/// A key file, as GLib writes them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct KeyFile(Vec<(String, BTreeMap<String, String>)>);

impl KeyFile {
    pub(super) fn parse(text: &str) -> Self {
        let mut groups: Vec<(String, BTreeMap<String, String>)> = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                groups.push((name.to_owned(), BTreeMap::new()));
            } else if !line.starts_with('#')
                && let (Some((key, value)), Some((_, keys))) = (line.split_once('='), groups.last_mut())
            {
                keys.insert(key.trim_end().to_owned(), value.trim_start().to_owned());
            }
        }
        Self(groups)
    }

    pub(super) fn text(&self) -> String {
        let group = |(group, keys): &(String, BTreeMap<String, String>)| {
            let keys: String = keys.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
            format!("[{group}]\n{keys}\n")
        };
        self.0.iter().map(group).collect()
    }

    pub(super) fn get(&self, group: &str, key: &str) -> Option<String> {
        let value = self.0.iter().find(|(name, _)| name == group)?.1.get(key)?;
        let mut text = String::new();
        let mut letters = value.chars();
        while let Some(letter) = letters.next() {
            text.push(match letter {
                '\\' => match letters.next()? {
                    's' => ' ',
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                },
                other => other,
            });
        }
        Some(text)
    }

    pub(super) fn set(&mut self, group: &str, key: &str, value: &str) {
        let at = self.0.iter().position(|(name, _)| name == group).unwrap_or_else(|| {
            self.0.push((group.to_owned(), BTreeMap::new()));
            self.0.len() - 1
        });
        let keys = &mut self.0[at].1;
        // A name in the reader's language would go on hiding the one that is set.
        keys.retain(|other, _| !other.starts_with(&format!("{key}[")));
        let escaped = value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
        let escaped = escaped.strip_prefix(' ').map(|rest| format!("\\s{rest}")).unwrap_or(escaped);
        keys.insert(key.to_owned(), escaped);
    }

    pub(super) fn unset(&mut self, group: &str, key: &str) {
        if let Some((_, keys)) = self.0.iter_mut().find(|(name, _)| name == group) {
            keys.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_keeps_what_it_is_not_asked_to_change() {
        let text = "[Data Source]\nDisplayName[de]=Persönlich\nDisplayName=Personal\n\n[Odd]\nA=b\\nc\n\n";
        let mut file = KeyFile::parse(text);
        assert_eq!(file.get("Odd", "A").as_deref(), Some("b\nc"));
        file.set("Data Source", "DisplayName", " a\\b\n");
        file.set(OURS, "Uid", "1");
        let again = KeyFile::parse(&file.text());
        assert_eq!(again, file);
        assert_eq!(again.get("Data Source", "DisplayName").as_deref(), Some(" a\\b\n"));
        assert_eq!(again.get("Data Source", "DisplayName[de]"), None);
        assert_eq!(again.get("Odd", "A").as_deref(), Some("b\nc"));
    }
}
