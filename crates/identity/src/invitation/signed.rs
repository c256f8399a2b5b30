//! The binary form that is signed.

use super::Invitation;

/// Every field in a fixed order as (number, length, bytes), lists with their length in front, absent fields left out.
/// Two different invitations never have the same form.
pub(super) fn signed_form(invitation: &Invitation) -> Vec<u8> {
    let mut form = Form(Vec::with_capacity(512));
    form.field(1, &[1]);
    form.field(2, invitation.server_name.as_str().as_bytes());
    if let Some(comment) = &invitation.comment {
        form.field(3, comment.as_str().as_bytes());
    }
    form.field(4, invitation.public_key.as_bytes());
    form.field(5, invitation.service_id.as_bytes());
    if let Some(id) = &invitation.server_id {
        form.field(6, id.to_string().as_bytes());
    }
    form.field(7, &[invitation.hints.len() as u8]);
    for hint in &invitation.hints {
        form.field(7, hint.to_string().as_bytes());
    }
    form.field(8, &[invitation.rendezvous.len() as u8]);
    for rendezvous in &invitation.rendezvous {
        form.field(8, rendezvous.address.to_string().as_bytes());
        form.field(8, rendezvous.key.as_bytes());
    }
    if let Some(directory) = &invitation.directory {
        form.field(9, directory.to_string().as_bytes());
    }
    form.field(10, &invitation.created.unix_secs().to_be_bytes());
    if let Some(ticket) = &invitation.ticket {
        form.field(11, ticket.token.as_bytes());
        form.field(12, &ticket.expires.unix_secs().to_be_bytes());
    }
    form.0
}

struct Form(Vec<u8>);

impl Form {
    fn field(&mut self, number: u8, bytes: &[u8]) {
        self.0.push(number);
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }
}
