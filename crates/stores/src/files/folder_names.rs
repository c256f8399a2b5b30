//! How folders are named on disk and to people, and what they are usually called.

use super::{names::NameRules, utf7};
use pim::SpecialUse;
use unicode_normalization::UnicodeNormalization;

/// Characters that a Maildir++ folder's name can't have on disk, with rare look-alikes that stand for them there.
/// So "Dr. No" keeps its name on both sides, and other mail programs show something a person can read.
const LOOK_ALIKES: [(char, char); 2] = [('.', '\u{2024}'), ('/', '\u{2215}')];
const LOOK_ALIKES_ON_WINDOWS: [(char, char); 8] = [
    ('\\', '\u{29f5}'),
    (':', '\u{a789}'),
    ('*', '\u{2217}'),
    ('?', '\u{fe56}'),
    ('"', '\u{02ee}'),
    ('<', '\u{1438}'),
    ('>', '\u{1433}'),
    ('|', '\u{2223}'),
];

/// One part of a Maildir++ folder name as it is written on disk.
pub(super) fn mail_to_disk(name: &str, rules: NameRules) -> String {
    let on_windows = if rules.windows { &LOOK_ALIKES_ON_WINDOWS[..] } else { &[] };
    let replace = |character: char| {
        let mut pairs = LOOK_ALIKES.iter().chain(on_windows);
        pairs.find(|(meant, _)| *meant == character).map_or(character, |(_, written)| *written)
    };
    let name: String = name.chars().filter(|character| *character != '\0').map(replace).collect();
    if name.is_empty() { "_".to_owned() } else { utf7::encode(&name) }
}

/// What people call a part of a Maildir++ folder name.
pub(super) fn mail_from_disk(part: &str) -> String {
    let name = utf7::decode(part).unwrap_or_else(|| part.to_owned());
    let restore = |character: char| {
        let mut pairs = LOOK_ALIKES.iter().chain(&LOOK_ALIKES_ON_WINDOWS);
        pairs.find(|(_, written)| *written == character).map_or(character, |(meant, _)| *meant)
    };
    name.nfc().map(restore).collect()
}

/// What a mail folder is for, by the names that mail programs give it (English and German).
pub(super) fn special_use(name: &str) -> Option<SpecialUse> {
    const USUAL: [(SpecialUse, &[&str]); 5] = [
        (
            SpecialUse::Sent,
            &[
                "sent",
                "sent items",
                "sent mail",
                "sent messages",
                "sent-mail",
                "gesendet",
                "gesendete elemente",
                "gesendete objekte",
                "gesendete nachrichten",
            ],
        ),
        (SpecialUse::Drafts, &["drafts", "draft", "entwürfe", "entwurf"]),
        (
            SpecialUse::Trash,
            &[
                "trash",
                "deleted items",
                "deleted messages",
                "deleted",
                "bin",
                "papierkorb",
                "gelöscht",
                "gelöschte elemente",
                "gelöschte objekte",
                "gelöschte nachrichten",
                "wastebasket",
            ],
        ),
        (
            SpecialUse::Junk,
            &["junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "junk-e-mail", "werbung"],
        ),
        (SpecialUse::Archive, &["archive", "archives", "archiv", "archived"]),
    ];
    let name = name.to_lowercase();
    USUAL.iter().find(|(_, names)| names.contains(&&*name)).map(|(special_use, _)| *special_use)
}

/// Whether a folder holds mail that its program is about to send. It belongs to that program alone.
pub(super) fn is_outbox(name: &str) -> bool {
    ["outbox", "postausgang"].contains(&&*name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_name_comes_back_from_disk() {
        for windows in [false, true] {
            for name in ["Dr. No", "in/out", "Entwürfe", "R&D", "What?", "日本語", "a\nb"] {
                let on_disk = mail_to_disk(name, NameRules { windows });
                assert!(!on_disk.contains(['.', '/']) && on_disk.is_ascii(), "{on_disk}");
                assert!(!windows || !on_disk.contains(['?', ':', '*']), "{on_disk}");
                assert_eq!(mail_from_disk(&on_disk), name);
            }
        }
    }

    #[test]
    fn names_that_other_programs_wrote_as_utf_8_are_taken_as_they_are() {
        assert_eq!(mail_from_disk("Entwürfe"), "Entwürfe");
        assert_eq!(mail_from_disk("a&b"), "a&b");
        assert_eq!(mail_from_disk("Entwu\u{308}rfe"), "Entwürfe");
    }

    #[test]
    fn usual_names_tell_the_use() {
        assert_eq!(special_use("Sent Items"), Some(SpecialUse::Sent));
        assert_eq!(special_use("Entwürfe"), Some(SpecialUse::Drafts));
        assert_eq!(special_use("Gelöschte Elemente"), Some(SpecialUse::Trash));
        assert_eq!(special_use("Presents"), None);
    }
}
