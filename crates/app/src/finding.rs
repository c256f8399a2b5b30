//! From a server ID to the server it stands for, before this computer has anything to do with it.

use crate::{
    api::types::ServerIdCheck,
    language::Language,
    message::{Code, Problem, Result},
    node::finding::open_dht,
    settings::Settings,
};
use identity::{Invitation, ServerId, ServerIdError, ServerRecord, Timestamp};
use net::server_record;

/// Looks at a server ID while it is being typed. Nothing is asked of anybody.
#[must_use]
pub fn check_server_id(text: &str, language: Language) -> ServerIdCheck {
    match ServerId::parse(text) {
        Ok(id) => ServerIdCheck { server_id: Some(id.to_string()), problem: None, suspect: None, is_incomplete: false },
        Err(error) => ServerIdCheck {
            server_id: None,
            suspect: match error {
                ServerIdError::Typo { suspect: position } => position.map(|position| (position / 4) as u32),
                ServerIdError::Symbol { position, .. } => Some((position / 4) as u32),
                ServerIdError::Length { .. } => None,
            },
            is_incomplete: matches!(error, ServerIdError::Length { found } if found < 16),
            problem: Some(Problem::from(error).view(language)),
        },
    }
}

/// Asks what stands behind a server ID. Nothing is stored.
pub async fn look_up(id: ServerId, settings: &Settings) -> Result<ServerRecord> {
    let dht = open_dht(settings.network.dht_bootstrap.clone(), Vec::new()).await?;
    match server_record::look_up(&dht, id).await {
        server_record::LookUp::Published(record) => Ok(record),
        server_record::LookUp::NotPublished => Err(Problem::new(Code::ServerIdNotPublished)),
        server_record::LookUp::Manipulated => Err(Problem::new(Code::AnswerDoesNotMatchId)),
        server_record::LookUp::NoAnswer => Err(Problem::new(Code::Offline)),
    }
}

/// A published server as an invitation without addresses: where it is, its peer name says.
#[must_use]
pub fn invitation_by_id(id: ServerId, record: &ServerRecord, now: Timestamp) -> Invitation {
    let mut invitation = Invitation::new(record.public_key, record.service_id, record.name.clone(), now);
    invitation.comment.clone_from(&record.comment);
    invitation.server_id = Some(id);
    invitation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_id_is_checked_while_it_is_typed() {
        let check = |text: &str| check_server_id(text, Language::English);
        let good = check("cvww ptsp hjpb j8j2");
        assert_eq!(good.server_id.as_deref(), Some("CVWW-PTSP-HJPB-J8J2"));
        assert!(good.problem.is_none());
        let short = check("CVWW-PT");
        assert!(short.is_incomplete);
        assert_eq!(short.problem.expect("a problem").code, "I05");
        let typo = check("CVWW-PTSP-HJPC-J8J2");
        assert_eq!((typo.suspect, typo.is_incomplete), (Some(2), false));
        assert_eq!(typo.problem.expect("a problem").code, "I01");
        assert_eq!(check("CVWU").suspect, Some(0), "no ID has a U");
    }
}
