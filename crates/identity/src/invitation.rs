//! The invitation: a small signed file, or the same text in a `tandem:` link, that tells a client which server to look
//! for, how to recognize it and where it may be found. It never holds the password, a path or a page address.
//!
//! The signature is made by the invited-to server's own key over a binary form of every field ([`signed_form`]). It
//! shows that no single field was altered on the way (the address hints, say) and that the file isn't damaged. It can't
//! show who sent the file: that the server knows the password does.
//!
//! A file doesn't expire. The one-time ticket in it may; then the file is as good as one without a ticket.
//!
//! [`signed_form`]: fn@signed::signed_form

use crate::{Comment, IdentityKey, PublicKey, ServerId, ServerName, ServiceId, Token};

mod address;
pub use address::{Directory, Hint, HostPort, Rendezvous};

mod file;

mod signed;

mod timestamp;
pub use timestamp::Timestamp;

/// What an invitation says, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invitation {
    /// What the server is called.
    pub server_name: ServerName,
    /// What its owner adds to the name.
    pub comment: Option<Comment>,
    /// Who the server is.
    pub public_key: PublicKey,
    /// What a client needs to knock and to find it.
    pub service_id: ServiceId,
    /// Its published ID, if it has one.
    pub server_id: Option<ServerId>,
    /// Addresses where it may be, at most [`HINTS_MAX`](Self::HINTS_MAX).
    pub hints: Vec<Hint>,
    /// Switchboards it is connected to, at most [`RENDEZVOUS_MAX`](Self::RENDEZVOUS_MAX).
    pub rendezvous: Vec<Rendezvous>,
    /// The directory it is published in, if not the program's own.
    pub directory: Option<Directory>,
    /// When the file was made, by the server's clock.
    pub created: Timestamp,
    /// A guess budget of its own for whoever has the file.
    pub ticket: Option<Ticket>,
}

/// A one-time ticket. It lets its holder try the password when others may not; it never replaces the password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ticket {
    /// What the server recognizes it by.
    pub token: Token,
    /// From when on the server won't.
    pub expires: Timestamp,
}

/// How a ticket stands at some moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TicketState {
    /// The invitation has none.
    None,
    /// It can be used.
    Valid,
    /// It can't be used any more; the password still can.
    Expired,
}

impl Invitation {
    /// Largest file that is read, in bytes. A typical one has less than 1,024.
    pub const SIZE_MAX: usize = 16 * 1024;
    /// Longest link that is made or read, in bytes.
    pub const LINK_MAX: usize = 2 * 1024;
    /// Most address hints.
    pub const HINTS_MAX: usize = 8;
    /// Most switchboards.
    pub const RENDEZVOUS_MAX: usize = 2;
    /// The ending of an invitation's file name.
    pub const FILE_EXTENSION: &str = "tandem";
    /// What mail programs and web servers call the file.
    pub const MIME_TYPE: &str = "application/vnd.tandem.invitation+json";

    /// An invitation with nothing but what it must have.
    #[must_use]
    pub const fn new(
        public_key: PublicKey,
        service_id: ServiceId,
        server_name: ServerName,
        created: Timestamp,
    ) -> Self {
        Self {
            server_name,
            comment: None,
            public_key,
            service_id,
            server_id: None,
            hints: Vec::new(),
            rendezvous: Vec::new(),
            directory: None,
            created,
            ticket: None,
        }
    }

    /// How the ticket stands now.
    #[must_use]
    pub fn ticket_at(&self, now: Timestamp) -> TicketState {
        match &self.ticket {
            None => TicketState::None,
            Some(ticket) if now < ticket.expires => TicketState::Valid,
            Some(_) => TicketState::Expired,
        }
    }

    /// The signed file. The same contents always give the same bytes.
    pub fn to_file(&self, key: &IdentityKey) -> Result<Vec<u8>, MakeError> {
        let mut bytes = file::write(self, &self.sign(key)?, file::Layout::Readable);
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The same as a link.
    pub fn to_link(&self, key: &IdentityKey) -> Result<String, MakeError> {
        let bytes = file::write(self, &self.sign(key)?, file::Layout::Compact);
        let link = file::to_link(&bytes);
        if link.len() > Self::LINK_MAX { Err(MakeError::LinkTooLong { len: link.len() }) } else { Ok(link) }
    }

    fn sign(&self, key: &IdentityKey) -> Result<crate::Signature, MakeError> {
        if key.public() != self.public_key {
            return Err(MakeError::OtherKey);
        }
        if self.hints.len() > Self::HINTS_MAX {
            return Err(MakeError::TooMany { what: "hints", max: Self::HINTS_MAX });
        }
        if self.rendezvous.len() > Self::RENDEZVOUS_MAX {
            return Err(MakeError::TooMany { what: "rendezvous", max: Self::RENDEZVOUS_MAX });
        }
        Ok(key.sign(crate::Statement::Invitation, &signed::signed_form(self)))
    }

    /// Reads and checks a whole file.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvitationError> {
        file::parse(bytes)
    }

    /// Reads and checks a `tandem:join` link.
    pub fn parse_link(link: &str) -> Result<Self, InvitationError> {
        file::parse(&file::from_link(link)?)
    }

    /// Reads from anything, one byte further than a file may be long and no more, whatever its length is said to be.
    pub fn read(source: impl std::io::Read) -> std::io::Result<Result<Self, InvitationError>> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        source.take(Self::SIZE_MAX as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Self::parse(&bytes))
    }
}

/// Why something isn't a usable invitation.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvitationError {
    /// Larger than any invitation; it wasn't looked at further.
    #[error("too large for an invitation")]
    TooLarge,
    /// Something else: a picture, a letter, an empty file.
    #[error("not an invitation")]
    NotAnInvitation,
    /// Made by a version of Tandem that can more than this one.
    #[error("made by a newer version (format {version})")]
    Newer {
        /// The format's number.
        version: u64,
        /// What it needs that we don't know, if the format itself is known.
        feature: Option<String>,
    },
    /// An invitation, but incomplete or altered.
    #[error("the invitation is damaged: {what}")]
    Damaged {
        /// Which part, in the words of the file format.
        what: &'static str,
    },
    /// Well formed, but not as the server signed it.
    #[error("the invitation was altered after it was signed")]
    BadSignature,
}

/// Why an invitation can't be made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MakeError {
    /// The key to sign with isn't the server's that is invited to.
    #[error("an invitation is signed by the server it is for")]
    OtherKey,
    /// Too long a list.
    #[error("an invitation has room for {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// Too much for a link; a file has room for it.
    #[error("the link would have {len} bytes")]
    LinkTooLong {
        /// How long it would be.
        len: usize,
    },
}

#[cfg(test)]
mod tests;
