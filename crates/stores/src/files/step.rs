//! What an intent remembers: enough to carry a change out, and to tell after a crash what became of it.

use super::{
    maildir_name,
    names::{NAME_BYTES_MAX, NameRules, shorten},
    spec::Part,
    text, vdir,
};
use crate::{FolderId, Href, Intent, Rev, staging::random_hex};
use pim::{Flags, Format, ItemUid, NativeHash};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, ffi::OsStr};

/// The layout of intents written by this version.
const VERSION: u8 = 1;

/// One staged change.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) enum Step {
    /// A new file gets the first free name.
    Create { folder: FolderId, put: Put },
    /// A vdir file gets new content under its name.
    Replace { href: Href, expect: Rev, put: Put },
    /// New content under another name (a message's name stands for its content) or in another folder; then the old
    /// file goes.
    Rewrite { href: Href, expect: Rev, expect_flags: Flags, folder: FolderId, put: Put, aside: String },
    /// Other flags or another folder.
    Relabel { href: Href, expect: Rev, expect_flags: Flags, flags: Flags, folder: FolderId, names: Vec<String> },
    /// The file goes.
    Remove { href: Href, expect: Rev, aside: String },
}

/// New content waiting in a folder's staging place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub(super) struct Put {
    pub(super) staged: String,
    pub(super) native: NativeHash,
    pub(super) size: u64,
    /// Names to try, as text, the wished one first. Part of the intent, so that recovery knows where to look.
    pub(super) names: Vec<String>,
    pub(super) flags: Flags,
}

impl Step {
    pub(super) fn to_intent(&self) -> Intent {
        Intent(postcard::to_extend(self, vec![VERSION]).expect("a step always serializes"))
    }

    /// `None`: the intent is damaged or was written by a later version.
    pub(super) fn of_intent(intent: &Intent) -> Option<Self> {
        let (version, bytes) = intent.0.split_first()?;
        if *version == VERSION { postcard::from_bytes(bytes).ok() } else { None }
    }
}

/// A name for a file in a staging place. It tells whose the file is and when it was staged: the modification time may be
/// the item's own.
pub(super) fn staged_name() -> String {
    format!("tandem-{}-{}", super::state::now_ns() / 1_000_000_000, random_hex::<16>())
}

/// When a file of this name was staged, in seconds since 1970. `None`: it is somebody else's.
pub(super) fn staged_secs(name: &str) -> Option<i64> {
    name.strip_prefix("tandem-")?.split_once('-')?.0.parse().ok()
}

/// Names for a new message: the wish if it can be kept, then one that is certainly free.
pub(super) fn message_names(wish: &str, size: u64, rules: NameRules) -> Vec<String> {
    let unique = unique_message_name();
    let wish = base_of_wish(wish, size);
    let valid = rules.make_valid(&wish);
    // A wish that had to be changed is no longer anybody's name; and flags need room after it.
    let is_kept = valid == wish && valid.len() + 16 <= NAME_BYTES_MAX;
    let wished = is_kept.then(|| text::bytes_to_text(valid.as_bytes()));
    wished.into_iter().chain([unique]).collect()
}

/// A message name nobody has: the time and chance. The computer's name isn't in it, as names travel.
pub(super) fn unique_message_name() -> String {
    format!("{}.R{}.tandem", super::state::now_ns() / 1_000_000_000, random_hex::<16>())
}

/// A wish without flags and mbsync's number, and without a size that isn't the content's (Dovecot believes it).
fn base_of_wish(wish: &str, size: u64) -> String {
    let parsed = maildir_name::MessageName::parse(OsStr::new(wish));
    let base = String::from_utf8_lossy(&parsed.base);
    let mut fields = base.split(',');
    let first = fields.next().unwrap_or_default().to_owned();
    let fields: Vec<&str> = fields.collect();
    let has_wrong_size =
        fields.iter().any(|field| field.strip_prefix("S=").is_some_and(|digits| digits.parse() != Ok(size)));
    let is_kept = |field: &&&str| !has_wrong_size || !(field.starts_with("S=") || field.starts_with("W="));
    fields.iter().filter(is_kept).fold(first, |base, field| format!("{base},{field}"))
}

/// Names for a new vdir file: the wish made valid, the wish with the uid's beginning, the uid.
pub(super) fn item_names(
    part: Part,
    format: Format,
    wish: &str,
    uid: Option<&ItemUid>,
    rules: NameRules,
) -> Vec<String> {
    let ending = vdir::endings(part).iter().find(|(_, known)| *known == format).map_or("ics", |(ending, _)| *ending);
    let valid = rules.make_valid(wish);
    let has_ending = vdir::format(part, OsStr::new(&valid)) == Some(format);
    let (stem, ending) = match valid.rsplit_once('.') {
        Some(parts) if has_ending => parts,
        _ => (&*valid, ending),
    };
    let unique = uid.map_or_else(random_hex::<16>, ToString::to_string);
    let fit = |stem: &str, suffix: &str| {
        let name = format!("{}{suffix}.{ending}", shorten(stem, NAME_BYTES_MAX - suffix.len() - ending.len() - 1));
        text::bytes_to_text(name.as_bytes())
    };
    vec![fit(stem, ""), fit(stem, &format!("-{}", &unique[..8])), fit(&unique, ""), fit(&random_hex::<16>(), "")]
}

/// The bytes of a name in text form.
pub(super) fn name_bytes(name: &str) -> Cow<'_, [u8]> {
    text::text_to_bytes(name).map_or(Cow::Borrowed(name.as_bytes()), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: NameRules = NameRules { windows: false };

    #[test]
    fn a_messages_name_travels_without_what_others_wrote_into_it() {
        let first = |wish: &str| message_names(wish, 40, RULES)[0].clone();
        assert_eq!(first("1.host,U=3:2,S"), "1.host");
        assert_eq!(first("1.host,S=40,W=41"), "1.host,S=40,W=41");
        assert_eq!(first("1.host,S=39,W=41"), "1.host");
        assert!(first("two\nlines").ends_with(".tandem"));
        assert!(first(&"x".repeat(250)).ends_with(".tandem"));
    }

    #[test]
    fn an_items_name_keeps_its_ending_and_fits() {
        let uid = ItemUid([0xab; 16]);
        let names = |wish: &str| item_names(Part::Notes, Format::Text, wish, Some(&uid), RULES);
        assert_eq!(names("a.txt")[..2], ["a.txt", "a-abababab.txt"]);
        assert_eq!(names("a.md")[0], "a.md.txt");
        assert_eq!(names("100%.TXT")[0], "100%25.TXT");
        for name in names(&format!("{}.txt", "ü".repeat(200))) {
            assert!(name.len() <= NAME_BYTES_MAX && name.ends_with(".txt"));
        }
    }

    #[test]
    fn an_intent_of_another_version_is_not_guessed_at() {
        let step = Step::Remove { href: Href("mail/x".into()), expect: Rev(vec![1]), aside: "a".into() };
        let mut intent = step.to_intent();
        assert_eq!(Step::of_intent(&intent), Some(step));
        intent.0[0] = 2;
        assert_eq!(Step::of_intent(&intent), None);
    }
}
