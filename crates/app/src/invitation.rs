//! What people give to say which server: an invitation as a file, a link, or an e-mail with a link in it; or a server ID.

use crate::message::{Code, Problem, Result};
use identity::{Invitation, Pasted, ServerId, find_in_text};
use std::{fs, io::Read as _, path::Path};

/// A pasted e-mail may be longer than an invitation; what comes later isn't looked at.
const TEXT_BYTES_MAX: u64 = 64 << 10;

/// What was given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Given {
    /// Everything there is to know.
    Invitation(Box<Invitation>),
    /// What leads to it.
    Id(ServerId),
}

/// Reads what was typed: the path of a file, or text. Nothing is asked of anybody.
pub fn read(given: &str) -> Result<Given> {
    let path = Path::new(given);
    match find_in_text(given) {
        Some(pasted) if !path.exists() => from_pasted(pasted, given),
        None if !path.exists() && looks_like_an_id(given) => Ok(Given::Id(ServerId::parse(given)?)),
        _ => read_file(path).map(|invitation| Given::Invitation(Box::new(invitation))),
    }
}

/// Reads an invitation from a file: an invitation, or a text with a link in it.
pub fn read_file(path: &Path) -> Result<Invitation> {
    let unreadable = |error| Problem::new(Code::FileNotReadable).with("file", path).because(error);
    // Opening a pipe waits for somebody who writes into it.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(Problem::new(Code::FileNotReadable).with("file", path).because("not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(TEXT_BYTES_MAX).read_to_end(&mut bytes)).map_err(unreadable)?;
    let error = match Invitation::parse(&bytes) {
        Ok(invitation) => return Ok(invitation),
        Err(error) => error,
    };
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    match std::str::from_utf8(&bytes).ok().and_then(find_in_text) {
        Some(Pasted::Link(Ok(invitation))) => Ok(*invitation),
        _ => Err(Problem::with_invitation(error, &file)),
    }
}

/// Finds an invitation in text: itself, or a link; or a server ID.
pub fn find(text: &str) -> Result<Given> {
    match (Invitation::parse(text.trim().as_bytes()), find_in_text(text)) {
        (Ok(invitation), _) => Ok(Given::Invitation(Box::new(invitation))),
        (Err(_), Some(pasted)) => from_pasted(pasted, ""),
        (Err(_), None) if looks_like_an_id(text) => Ok(Given::Id(ServerId::parse(text)?)),
        (Err(error), None) => Err(Problem::with_invitation(error, "")),
    }
}

/// About as long as an ID and nothing else: somebody meant one, so what is wrong with it is the thing to say.
fn looks_like_an_id(given: &str) -> bool {
    let symbols = given.chars().filter(char::is_ascii_alphanumeric).count();
    let is_plain = given.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c.is_whitespace());
    is_plain && (12..=20).contains(&symbols)
}

fn from_pasted(pasted: Pasted, given: &str) -> Result<Given> {
    match pasted {
        Pasted::Link(Ok(invitation)) => Ok(Given::Invitation(invitation)),
        Pasted::Link(Err(error)) => Err(Problem::with_invitation(error, given)),
        Pasted::Id(id) => Ok(Given::Id(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::{IdentityKey, ServerName, ServiceId, Timestamp};

    fn invitation() -> (Invitation, IdentityKey) {
        let key = IdentityKey::generate();
        let name = ServerName::parse("Office PC").unwrap();
        let created = Timestamp::from_unix_secs(1_795_000_000);
        (Invitation::new(key.public(), ServiceId::generate(), name, created), key)
    }

    #[test]
    fn a_file_a_link_and_an_email_with_a_link_say_the_same() {
        let (invitation, key) = invitation();
        let folder = tempfile::tempdir().unwrap();
        let (file, mail) = (folder.path().join("o.tandem"), folder.path().join("mail.txt"));
        let link = invitation.to_link(&key).unwrap();
        fs::write(&file, invitation.to_file(&key).unwrap()).unwrap();
        fs::write(&mail, format!("Hello,\n\nopen this link:\n> {link}\nYours\n")).unwrap();
        for given in [file.to_str().unwrap(), mail.to_str().unwrap(), &link] {
            assert_eq!(read(given).unwrap(), Given::Invitation(Box::new(invitation.clone())));
        }
    }

    #[test]
    fn an_id_is_read_as_people_write_it_and_a_typo_is_said_before_anything_is_asked() {
        let id = ServerId::parse("CVWW-PTSP-HJPB-J8J2").unwrap();
        for given in ["CVWW-PTSP-HJPB-J8J2", "cvwwptsphjpbj8j2", "cvww ptsp hjpb j8j2"] {
            assert_eq!(read(given).unwrap(), Given::Id(id), "{given}");
        }
        assert_eq!(read("CVWW-PTSP-HJPC-J8J2").unwrap_err().code, Code::ServerIdMistyped);
        assert_eq!(read("CVWW-PTSP-HJPB-J8").unwrap_err().code, Code::ServerIdIncomplete);
    }

    #[test]
    fn a_missing_file_a_picture_and_a_cut_link_are_told_apart() {
        let (invitation, key) = invitation();
        let folder = tempfile::tempdir().unwrap();
        let code = |given: &str| read(given).unwrap_err().code;
        assert_eq!(code(folder.path().join("o.tandem").to_str().unwrap()), Code::FileNotReadable);
        let picture = folder.path().join("photo.png");
        fs::write(&picture, b"\x89PNG\r\n\x1a\n").unwrap();
        assert_eq!(code(picture.to_str().unwrap()), Code::NotAnInvitation);
        let link = invitation.to_link(&key).unwrap();
        assert_eq!(code(&link[..link.len() - 20]), Code::InvitationDamaged);
    }
}
