//! The file and the link: JSON, read in two steps. The first looks only at what kind of file this is and which version,
//! so that a newer one is told apart from a damaged one; the second takes the fields this version knows.
//!
//! Fields we don't know are skipped and not covered by the signature: a later version that adds one that matters names
//! it in `crit`, and then we refuse.

use super::{
    Directory, Hint, HostPort, Invitation, InvitationError, Rendezvous, Ticket, Timestamp, signed::signed_form,
};
use crate::{Comment, PublicKey, ServerId, ServerName, ServiceId, Signature, Statement, Token};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "tandem-invitation";
const VERSION: u64 = 1;
const LINK_HEAD: &str = "tandem:join?v=1&i=";

#[derive(Clone, Copy)]
pub(super) enum Layout {
    Readable,
    Compact,
}

#[derive(Deserialize)]
struct Head {
    format: String,
    v: u64,
    #[serde(default)]
    crit: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Body {
    format: String,
    v: u64,
    crit: Vec<String>,
    server_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    public_key: String,
    service_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rendezvous: Vec<RendezvousBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    created: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ticket: Option<TicketBody>,
    sig: String,
}

#[derive(Serialize, Deserialize)]
struct RendezvousBody {
    address: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
struct TicketBody {
    token: String,
    expires: String,
}

pub(super) fn write(invitation: &Invitation, signature: &Signature, layout: Layout) -> Vec<u8> {
    let body = Body {
        format: FORMAT.to_owned(),
        v: VERSION,
        crit: Vec::new(),
        server_name: invitation.server_name.to_string(),
        comment: invitation.comment.as_ref().map(ToString::to_string),
        public_key: invitation.public_key.to_string(),
        service_id: URL_SAFE_NO_PAD.encode(invitation.service_id.as_bytes()),
        server_id: invitation.server_id.as_ref().map(ToString::to_string),
        hints: invitation.hints.iter().map(ToString::to_string).collect(),
        rendezvous: (invitation.rendezvous.iter())
            .map(|r| RendezvousBody { address: r.address.to_string(), key: r.key.to_string() })
            .collect(),
        directory: invitation.directory.as_ref().map(ToString::to_string),
        created: invitation.created.to_string(),
        ticket: invitation.ticket.as_ref().map(|ticket| TicketBody {
            token: URL_SAFE_NO_PAD.encode(ticket.token.as_bytes()),
            expires: ticket.expires.to_string(),
        }),
        sig: signature.to_text(),
    };
    match layout {
        Layout::Readable => serde_json::to_vec_pretty(&body),
        Layout::Compact => serde_json::to_vec(&body),
    }
    .expect("text and numbers always have a JSON form")
}

pub(super) fn parse(bytes: &[u8]) -> Result<Invitation, InvitationError> {
    if bytes.len() > Invitation::SIZE_MAX {
        return Err(InvitationError::TooLarge);
    }
    // Editors on Windows put a byte order mark in front; it changes nothing.
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    check_head(json)?;
    let body: Body = serde_json::from_slice(json).map_err(|_| damaged("fields"))?;
    let signature = Signature::from_text(&body.sig).map_err(|_| damaged("sig"))?;
    let invitation = checked(body)?;
    invitation
        .public_key
        .verify(Statement::Invitation, &signed_form(&invitation), &signature)
        .map_err(|_| InvitationError::BadSignature)?;
    Ok(invitation)
}

fn check_head(json: &[u8]) -> Result<(), InvitationError> {
    let head: Head = serde_json::from_slice(json).map_err(|_| {
        // Half an invitation still says that it is one.
        let names_itself = json.windows(FORMAT.len()).any(|part| part == FORMAT.as_bytes());
        if names_itself { damaged("json") } else { InvitationError::NotAnInvitation }
    })?;
    if head.format != FORMAT {
        return Err(InvitationError::NotAnInvitation);
    }
    if head.v != VERSION {
        return Err(InvitationError::Newer { version: head.v, feature: None });
    }
    match head.crit.into_iter().next() {
        Some(feature) => Err(InvitationError::Newer { version: VERSION, feature: Some(feature) }),
        None => Ok(()),
    }
}

fn checked(body: Body) -> Result<Invitation, InvitationError> {
    if body.hints.len() > Invitation::HINTS_MAX {
        return Err(damaged("hints"));
    }
    if body.rendezvous.len() > Invitation::RENDEZVOUS_MAX {
        return Err(damaged("rendezvous"));
    }
    Ok(Invitation {
        server_name: ServerName::parse(&body.server_name).map_err(|_| damaged("server_name"))?,
        comment: optional(body.comment, |text| Comment::parse(text).ok(), "comment")?,
        public_key: body.public_key.parse::<PublicKey>().map_err(|_| damaged("public_key"))?,
        service_id: sixteen_bytes(&body.service_id).map(ServiceId::from_bytes).ok_or(damaged("service_id"))?,
        server_id: optional(body.server_id, |text| ServerId::parse(text).ok(), "server_id")?,
        hints: all(&body.hints, |text| Hint::parse(text), "hints")?,
        rendezvous: all(&body.rendezvous, checked_rendezvous, "rendezvous")?,
        directory: optional(body.directory, Directory::parse, "directory")?,
        created: Timestamp::parse(&body.created).ok_or(damaged("created"))?,
        ticket: body.ticket.map(checked_ticket).transpose()?,
    })
}

fn checked_rendezvous(body: &RendezvousBody) -> Option<Rendezvous> {
    Some(Rendezvous { address: HostPort::parse(&body.address)?, key: body.key.parse().ok()? })
}

fn checked_ticket(body: TicketBody) -> Result<Ticket, InvitationError> {
    Ok(Ticket {
        token: sixteen_bytes(&body.token).map(Token::from_bytes).ok_or(damaged("ticket"))?,
        expires: Timestamp::parse(&body.expires).ok_or(damaged("ticket"))?,
    })
}

fn optional<T>(
    text: Option<String>,
    check: impl Fn(&str) -> Option<T>,
    what: &'static str,
) -> Result<Option<T>, InvitationError> {
    text.map(|text| check(&text).ok_or(damaged(what))).transpose()
}

fn all<B, T>(list: &[B], check: impl Fn(&B) -> Option<T>, what: &'static str) -> Result<Vec<T>, InvitationError> {
    list.iter().map(|body| check(body).ok_or(damaged(what))).collect()
}

fn sixteen_bytes(text: &str) -> Option<[u8; 16]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

const fn damaged(what: &'static str) -> InvitationError {
    InvitationError::Damaged { what }
}

pub(super) fn to_link(bytes: &[u8]) -> String {
    format!("{LINK_HEAD}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The file inside a link. Parameters may come in any order, and unknown ones are skipped.
pub(super) fn from_link(link: &str) -> Result<Vec<u8>, InvitationError> {
    let link = link.trim();
    if link.len() > Invitation::LINK_MAX {
        return Err(InvitationError::TooLarge);
    }
    let (scheme, rest) = link.split_once(':').ok_or(InvitationError::NotAnInvitation)?;
    let (action, query) = rest.split_once('?').ok_or(InvitationError::NotAnInvitation)?;
    // Browsers and mail programs make `tandem://join/?…` of it.
    let action = action.trim_matches('/');
    if !scheme.eq_ignore_ascii_case("tandem") || !action.eq_ignore_ascii_case("join") {
        return Err(InvitationError::NotAnInvitation);
    }
    let (mut version, mut file) = (None, None);
    for (name, value) in query.split('&').filter_map(|parameter| parameter.split_once('=')) {
        let place = match name {
            "v" => &mut version,
            "i" => &mut file,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(damaged("link"));
        }
    }
    match version.and_then(|text: &str| text.parse().ok()) {
        Some(VERSION) => {}
        Some(version) => return Err(InvitationError::Newer { version, feature: None }),
        None => return Err(damaged("link")),
    }
    file.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(damaged("link"))
}
