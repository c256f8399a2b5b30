//! What people paste: a link or a server ID, alone or in the middle of an e-mail.

use crate::{
    Invitation, InvitationError, ServerId,
    server_id::{is_separator, symbol_of},
};

/// What was found in a pasted text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pasted {
    /// An invitation link, usable or not.
    Link(Result<Box<Invitation>, InvitationError>),
    /// A server ID whose check symbols fit.
    Id(ServerId),
}

/// Longest text that is searched, in bytes; what comes later isn't looked at.
const SEARCHED_MAX: usize = 64 * 1024;

/// Over how many lines a mail program may have broken a link.
const LINES_MAX: usize = 40;

/// Looks for a `tandem:` link, then for a server ID. A link that can't be used is reported only if there is nothing
/// better in the text.
#[must_use]
pub fn find_in_text(text: &str) -> Option<Pasted> {
    let text = &text[..text.floor_char_boundary(SEARCHED_MAX)];
    let mut unusable = None;
    for start in link_starts(text).take(8) {
        match read_link(&text[start..]) {
            Ok(invitation) => return Some(Pasted::Link(Ok(Box::new(invitation)))),
            Err(error) => unusable = unusable.or(Some(error)),
        }
    }
    find_id(text).map(Pasted::Id).or(unusable.map(|error| Pasted::Link(Err(error))))
}

fn link_starts(text: &str) -> impl Iterator<Item = usize> {
    let lower = text.to_ascii_lowercase();
    let starts: Vec<usize> = ["tandem:join", "tandem://join"]
        .iter()
        .flat_map(|head| lower.match_indices(head).map(|(at, _)| at).collect::<Vec<_>>())
        .collect();
    starts.into_iter()
}

fn read_link(text: &str) -> Result<Invitation, InvitationError> {
    let belongs_to_link = |c: char| c.is_ascii_alphanumeric() || "-_:/?&=.%".contains(c);
    let mut link = String::new();
    let mut first_error = None;
    // Mail programs break long lines and quote them: join line after line until the whole reads well.
    for line in text.lines().take(LINES_MAX) {
        let line = line.trim_start_matches(['>', ' ', '\t']);
        let part = &line[..line.find(|c| !belongs_to_link(c)).unwrap_or(line.len())];
        if link.len() + part.len() > Invitation::LINK_MAX {
            break;
        }
        // Quoted-printable mail ends a broken line with "=".
        link.push_str(part.trim_end_matches('='));
        match Invitation::parse_link(&link) {
            Ok(invitation) => return Ok(invitation),
            Err(error) => first_error = first_error.or(Some(error)),
        }
        // Where something else follows on the line, the link has ended.
        if part.len() < line.trim_end().len() {
            break;
        }
    }
    Err(first_error.unwrap_or(InvitationError::NotAnInvitation))
}

fn find_id(text: &str) -> Option<ServerId> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|(_, c)| c.is_alphanumeric());
    (0..characters.len())
        .filter(|start| is_word(Some(*start)) && !is_word(start.checked_sub(1)))
        .filter_map(|start| {
            let end = id_end(&characters, start)?;
            let from = characters[start].0;
            let to = characters.get(end).map_or(text.len(), |(at, _)| *at);
            if is_word(Some(end)) { None } else { ServerId::parse(&text[from..to]).ok() }
        })
        .next()
}

/// Where 16 symbols end that are written in one piece or in four groups with one or two separators between them.
/// Anything looser would find IDs in ordinary sentences.
fn id_end(characters: &[(usize, char)], start: usize) -> Option<usize> {
    let (mut symbols, mut separators, mut grouped) = (0, 0, None);
    for (at, (_, character)) in characters.iter().enumerate().skip(start) {
        if is_separator(*character) && *character != '\n' {
            separators += 1;
            if separators > 2 {
                return None;
            }
            continue;
        }
        symbol_of(*character)?;
        if separators > 0 && symbols % 4 != 0 {
            return None;
        }
        if symbols % 4 == 0 && symbols > 0 {
            let is_grouped = *grouped.get_or_insert(separators > 0);
            if is_grouped != (separators > 0) {
                return None;
            }
        }
        separators = 0;
        symbols += 1;
        if symbols == 16 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Comment, IdentityKey, ServerName, ServiceId, Timestamp};
    use proptest::prelude::*;

    fn invitation() -> (Invitation, String) {
        let key = IdentityKey::from_seed(&[1; 32]);
        let name = ServerName::parse("Office PC").expect("an ordinary name");
        let created = Timestamp::from_unix_secs(1_790_000_000);
        let mut invitation = Invitation::new(key.public(), ServiceId::from_bytes([2; 16]), name, created);
        invitation.comment = Comment::parse("front desk").ok();
        let link = invitation.to_link(&key).expect("short enough");
        (invitation, link)
    }

    const ID: &str = "CVWW-PTSP-HJPB-J8J2";

    #[test]
    fn a_link_is_found_in_a_letter() {
        let (invitation, link) = invitation();
        let found = Some(Pasted::Link(Ok(Box::new(invitation))));
        assert_eq!(find_in_text(&link), found);
        assert_eq!(find_in_text(&format!("Hello,\n\nclick <{link}>, please.\nAnna")), found);
        assert_eq!(find_in_text(&format!("\"{}\"", link.replacen("tandem", "TANDEM", 1))), found);
    }

    #[test]
    fn a_link_that_a_mail_program_broke_is_put_together() {
        let (invitation, link) = invitation();
        let found = Some(Pasted::Link(Ok(Box::new(invitation))));
        let wrapped = |end: &str| {
            let lines: Vec<&str> =
                link.as_bytes().chunks(72).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
            lines.join(end)
        };
        for end in ["\n", "\r\n", "\n> ", "=\r\n"] {
            assert_eq!(find_in_text(&format!("Hello,\n{}\nAnna", wrapped(end))), found, "{end:?}");
        }
    }

    #[test]
    fn a_damaged_link_is_reported_as_damaged() {
        let (_, link) = invitation();
        let cut = &link[..link.len() - 10];
        assert!(matches!(find_in_text(cut), Some(Pasted::Link(Err(InvitationError::Damaged { .. })))));
    }

    #[test]
    fn an_id_is_found_in_a_letter() {
        let id = ServerId::parse(ID).expect("a good ID");
        for text in [
            ID.to_owned(),
            ID.to_lowercase(),
            ID.replace('-', ""),
            format!("The server ID is {ID}."),
            format!("Tandem: {} (till Monday)", ID.replace('-', " ")),
            format!("ID:\t{}\r\nAnna", ID.replace('-', " - ").replace(" - ", "- ")),
        ] {
            assert_eq!(find_in_text(&text), Some(Pasted::Id(id)), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_found_in_ordinary_text() {
        for text in
            ["", "Hello Anna, how are you today?", "1234567890123456789012345678901234567890", "tandem", "tandem:help"]
        {
            assert_eq!(find_in_text(text), None, "{text:?}");
        }
        let longer = format!("{}0", ID.replace('-', ""));
        assert_eq!(find_in_text(&longer), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_search_fall_over(text in "([ -~\\n]|tandem:join\\?v=1&i=|\\PC){0,60}") {
            let _ = find_in_text(&text);
        }
    }
}
