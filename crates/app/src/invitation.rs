//! What people give as an invitation: a file, a link, or an e-mail with a link in it.

use crate::message::{Code, Problem, Result};
use identity::{Invitation, Pasted, find_in_text};
use std::{fs, io::Read as _, path::Path};

/// A pasted e-mail may be longer than an invitation; what comes later isn't looked at.
const TEXT_BYTES_MAX: u64 = 64 << 10;

/// Reads an invitation from what was typed: the path of a file, or text. Nothing is asked of anybody.
pub fn read(given: &str) -> Result<Invitation> {
    let path = Path::new(given);
    match find_in_text(given) {
        Some(pasted) if !path.exists() => from_pasted(pasted, given),
        _ => read_file(path),
    }
}

/// Reads an invitation from a file: an invitation, or a text with a link in it.
pub fn read_file(path: &Path) -> Result<Invitation> {
    let unreadable = |error| Problem::new(Code::FileNotReadable).with("file", path).because(error);
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(TEXT_BYTES_MAX).read_to_end(&mut bytes)).map_err(unreadable)?;
    let error = match Invitation::parse(&bytes) {
        Ok(invitation) => return Ok(invitation),
        Err(error) => error,
    };
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    match std::str::from_utf8(&bytes).ok().and_then(find_in_text) {
        Some(pasted @ Pasted::Link(Ok(_))) => from_pasted(pasted, &file),
        _ => Err(Problem::with_invitation(error, &file)),
    }
}

/// Finds an invitation in text: itself, or a link.
pub fn find(text: &str) -> Result<Invitation> {
    match (Invitation::parse(text.trim().as_bytes()), find_in_text(text)) {
        (Ok(invitation), _) => Ok(invitation),
        (Err(_), Some(pasted)) => from_pasted(pasted, ""),
        (Err(error), None) => Err(Problem::with_invitation(error, "")),
    }
}

fn from_pasted(pasted: Pasted, given: &str) -> Result<Invitation> {
    match pasted {
        Pasted::Link(Ok(invitation)) => Ok(*invitation),
        Pasted::Link(Err(error)) => Err(Problem::with_invitation(error, given)),
        // An ID leads to a server by a way that this version doesn't have.
        Pasted::Id(_) => Err(Problem::new(Code::NoWayToServer)),
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
            assert_eq!(read(given).unwrap(), invitation);
        }
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
