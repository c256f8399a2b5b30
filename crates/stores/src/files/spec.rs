//! Where a `files` store lies: `files:PATH`, and single parts at other places.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// One of the five parts of the layout, each holding one kind of folders.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// `mail`: Maildir++.
    Mail,
    /// `contacts`: a folder of `.vcf` files per address book.
    Contacts,
    /// `calendars`: a folder of `.ics` files per calendar.
    Calendars,
    /// `tasks`: a folder of `.ics` files per task list.
    Tasks,
    /// `notes`: a folder of `.ics`, `.txt` and `.md` files per notebook.
    Notes,
}

impl Part {
    /// All parts, in the order they are listed.
    pub const ALL: [Self; 5] = [Self::Mail, Self::Contacts, Self::Calendars, Self::Tasks, Self::Notes];

    /// The name on disk, in folder ids and in the spec.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Contacts => "contacts",
            Self::Calendars => "calendars",
            Self::Tasks => "tasks",
            Self::Notes => "notes",
        }
    }

    /// The part of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// What its folders hold.
    #[must_use]
    pub const fn kind(self) -> pim::FolderKind {
        match self {
            Self::Mail => pim::FolderKind::Mail,
            Self::Contacts => pim::FolderKind::Contacts,
            Self::Calendars => pim::FolderKind::Calendar,
            Self::Tasks => pim::FolderKind::Tasks,
            Self::Notes => pim::FolderKind::Notes,
        }
    }

    /// The part that holds folders of this kind.
    #[must_use]
    pub const fn for_kind(kind: pim::FolderKind) -> Self {
        match kind {
            pim::FolderKind::Mail => Self::Mail,
            pim::FolderKind::Contacts => Self::Contacts,
            pim::FolderKind::Calendar => Self::Calendars,
            pim::FolderKind::Tasks => Self::Tasks,
            pim::FolderKind::Notes => Self::Notes,
        }
    }
}

/// Where a `files` store lies.
///
/// `files:PATH` takes every part from below PATH (`PATH/mail`, `PATH/contacts`, …). After it, or instead of it, single
/// parts may lie elsewhere or be left out: `files:PATH,mail=DIR,notes=` or `files:mail=DIR,contacts=DIR`. A leading `~/`
/// stands for the home folder. A comma belongs to the path unless a part's name and `=` follow it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilesSpec {
    root: Option<PathBuf>,
    /// Parts named in the spec; `None` leaves one out.
    named: BTreeMap<Part, Option<PathBuf>>,
}

/// Why a text isn't the place of a `files` store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// It must begin with `files:`.
    #[error("a place must begin with \"files:\"")]
    Scheme,
    /// No place at all is named.
    #[error("no folder is named after \"files:\"")]
    Empty,
    /// A part is named twice.
    #[error("the part is named twice: {}", part.name())]
    Twice {
        /// Which.
        part: Part,
    },
    /// Two parts would show the same files.
    #[error("two parts share a folder: {} and {}", first.name(), second.name())]
    Overlap {
        /// One.
        first: Part,
        /// The other.
        second: Part,
    },
}

impl FilesSpec {
    /// Everything below one folder.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: Some(root.into()), named: BTreeMap::new() }
    }

    /// Reads a place as people write it.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        let mut rest = text.strip_prefix("files:").ok_or(SpecError::Scheme)?;
        let mut spec = Self { root: None, named: BTreeMap::new() };
        if part_assignment(rest).is_none() {
            let end = next_assignment(rest);
            spec.root = Some(rest[..end].trim_end_matches(',')).filter(|path| !path.is_empty()).map(expand_home);
            rest = rest[end..].trim_start_matches(',');
        }
        while let Some((part, after)) = part_assignment(rest) {
            let end = next_assignment(after);
            let place = Some(&after[..end]).filter(|path| !path.is_empty()).map(expand_home);
            if spec.named.insert(part, place).is_some() {
                return Err(SpecError::Twice { part });
            }
            rest = after[end..].trim_start_matches(',');
        }
        spec.check()?;
        Ok(spec)
    }

    /// The folder of a part; `None` when it was left out.
    #[must_use]
    pub fn part(&self, part: Part) -> Option<PathBuf> {
        match self.named.get(&part) {
            Some(place) => place.clone(),
            None => self.root.as_ref().map(|root| root.join(part.name())),
        }
    }

    /// The folder everything lies below, if there is one.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The folders that must exist for the store to be there: PATH, and each part at another place.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        self.root.iter().cloned().chain(self.named.values().flatten().cloned()).collect()
    }

    /// Whether a part of the other would show files of this one.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let others = other.places();
        let clash = |place: &(Part, PathBuf)| others.iter().any(|other| share_files(place, other));
        self.places().iter().any(clash)
    }

    /// The kinds of folders for which there is a part.
    #[must_use]
    pub fn kinds(&self) -> Vec<pim::FolderKind> {
        self.places().into_iter().map(|(part, _)| part.kind()).collect()
    }

    fn places(&self) -> Vec<(Part, PathBuf)> {
        Part::ALL.into_iter().filter_map(|part| Some((part, self.part(part)?))).collect()
    }

    fn check(&self) -> Result<(), SpecError> {
        let places = self.places();
        if places.is_empty() {
            return Err(SpecError::Empty);
        }
        for (index, first) in places.iter().enumerate() {
            if let Some(second) = places[index + 1..].iter().find(|second| share_files(first, second)) {
                return Err(SpecError::Overlap { first: first.0, second: second.0 });
            }
        }
        Ok(())
    }
}

fn share_files((first, one): &(Part, PathBuf), (second, other): &(Part, PathBuf)) -> bool {
    // A Maildir++ only looks at its own and at dotted names; anything else may lie inside it.
    let has_mail = *first == Part::Mail || *second == Part::Mail;
    one == other || !has_mail && (one.starts_with(other) || other.starts_with(one))
}

fn part_assignment(text: &str) -> Option<(Part, &str)> {
    let (name, after) = text.split_once('=')?;
    Some((Part::by_name(name)?, after))
}

/// Where the next `,part=` begins, else the end.
fn next_assignment(text: &str) -> usize {
    text.match_indices(',').find(|(at, _)| part_assignment(&text[at + 1..]).is_some()).map_or(text.len(), |(at, _)| at)
}

fn expand_home(path: &str) -> PathBuf {
    let home = |below: &str| std::env::home_dir().map(|home| home.join(below));
    path.strip_prefix("~/").and_then(home).unwrap_or_else(|| PathBuf::from(path))
}

impl FromStr for FilesSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::parse(text)
    }
}

impl fmt::Display for FilesSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.iter().map(|root| root.display().to_string());
        let named = self.named.iter().map(|(part, place)| {
            let place = place.as_ref().map(|place| place.display().to_string()).unwrap_or_default();
            format!("{}={place}", part.name())
        });
        write!(f, "files:{}", root.chain(named).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_parts_elsewhere_are_read() {
        let spec = FilesSpec::parse("files:/home/a/pim,mail=/var/mail/a,notes=").unwrap();
        assert_eq!(spec.part(Part::Mail), Some("/var/mail/a".into()));
        assert_eq!(spec.part(Part::Contacts), Some("/home/a/pim/contacts".into()));
        assert_eq!(spec.part(Part::Notes), None);
        assert_eq!(FilesSpec::parse(&spec.to_string()), Ok(spec));
    }

    #[test]
    fn only_the_parts_named_exist_without_a_path() {
        let spec = FilesSpec::parse("files:contacts=/a,calendars=/b").unwrap();
        assert_eq!(spec.root(), None);
        assert_eq!(spec.part(Part::Mail), None);
        assert_eq!(spec.roots(), [PathBuf::from("/a"), "/b".into()]);
    }

    #[test]
    fn a_comma_or_an_equals_sign_may_be_part_of_a_path() {
        let spec = FilesSpec::parse("files:/a,b=c,mail=/x,y").unwrap();
        assert_eq!(spec.root(), Some(Path::new("/a,b=c")));
        assert_eq!(spec.part(Part::Mail), Some("/x,y".into()));
    }

    #[test]
    fn two_places_that_would_show_the_same_files_are_told() {
        let overlap = |one: &str, other: &str| {
            let (one, other) = (FilesSpec::parse(one).unwrap(), FilesSpec::parse(other).unwrap());
            assert_eq!(one.overlaps(&other), other.overlaps(&one));
            one.overlaps(&other)
        };
        assert!(overlap("files:/a", "files:/a"));
        assert!(overlap("files:/a", "files:mail=/a/mail"));
        assert!(overlap("files:contacts=/a", "files:calendars=/a/b"));
        assert!(!overlap("files:/a", "files:/b"));
        assert!(!overlap("files:mail=/a", "files:contacts=/a/b"));
        assert!(!overlap("files:/a,mail=", "files:mail=/a/mail"));
    }

    #[test]
    fn what_is_not_a_place_is_refused() {
        assert_eq!(FilesSpec::parse("/a"), Err(SpecError::Scheme));
        assert_eq!(FilesSpec::parse("files:"), Err(SpecError::Empty));
        assert_eq!(FilesSpec::parse("files:mail=/a,mail=/b"), Err(SpecError::Twice { part: Part::Mail }));
        assert_eq!(
            FilesSpec::parse("files:calendars=/a,tasks=/a/b"),
            Err(SpecError::Overlap { first: Part::Calendars, second: Part::Tasks })
        );
    }
}
