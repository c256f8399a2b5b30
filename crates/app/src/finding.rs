//! From a server ID to the server it stands for, before this computer has anything to do with it.

use crate::{
    api::types::ServerIdCheck,
    language::Language,
    message::{Code, Problem, Result},
    node::finding::open_dht,
    settings::Settings,
};
use directory::{Client, DirectoryError, DirectoryUrl, RefusalReason};
use identity::{Invitation, Rendezvous, ServerId, ServerIdError, ServerRecord, Timestamp};
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

/// A server that was found by its ID.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who it is.
    pub record: ServerRecord,
    /// Switchboards it may be registered with: those of the directory.
    pub rendezvous: Vec<Rendezvous>,
}

/// Asks what stands behind a server ID: the network for addresses, and at the same time a directory, if one was named.
/// Nothing is stored.
///
/// Whatever belongs to the ID is right, whoever says it. Else the answer that says most decides: somebody passes for the
/// server; it isn't published; nobody answers.
pub async fn look_up(id: ServerId, settings: &Settings, directory: Option<&str>) -> Result<Found> {
    let directory = directory.map(str::trim).filter(|text| !text.is_empty()).map(read_directory_url).transpose()?;
    let Some(directory) = directory else {
        return Ok(Found { record: look_up_in_dht(id, settings).await?, rendezvous: Vec::new() });
    };
    let client = directory_client(directory.clone())?;
    let (record, info) = tokio::join!(look_up_anywhere(id, settings, directory), client.info());
    Ok(Found { record: record?, rendezvous: info.unwrap_or_default().switchboards() })
}

async fn look_up_anywhere(id: ServerId, settings: &Settings, directory: DirectoryUrl) -> Result<ServerRecord> {
    let (mut in_dht, mut in_directory) =
        (std::pin::pin!(look_up_in_dht(id, settings)), std::pin::pin!(look_up_in_directory(id, directory)));
    let (first, other) = tokio::select! {
        first = &mut in_directory => match first {
            Ok(record) => return Ok(record),
            Err(problem) => (problem, in_dht.await),
        },
        first = &mut in_dht => match first {
            Ok(record) => return Ok(record),
            Err(problem) => (problem, in_directory.await),
        },
    };
    other.map_err(|other| {
        let says_most = [Code::AnswerDoesNotMatchId, Code::ServerIdNotPublished];
        let rank = |problem: &Problem| says_most.iter().position(|code| *code == problem.code);
        // Of two that say nothing, the directory's names it.
        match (rank(&first), rank(&other)) {
            (None, None) if other.code == Code::Offline => first,
            (Some(one), Some(two)) if one <= two => first,
            (Some(_), None) => first,
            _ => other,
        }
    })
}

async fn look_up_in_dht(id: ServerId, settings: &Settings) -> Result<ServerRecord> {
    let dht = open_dht(settings.network.dht_bootstrap.clone(), Vec::new()).await?;
    match server_record::look_up(&dht, id).await {
        server_record::LookUp::Published(record) => Ok(record),
        server_record::LookUp::NotPublished => Err(Problem::new(Code::ServerIdNotPublished)),
        server_record::LookUp::Manipulated => Err(Problem::new(Code::AnswerDoesNotMatchId)),
        server_record::LookUp::NoAnswer => Err(Problem::new(Code::Offline)),
    }
}

async fn look_up_in_directory(id: ServerId, url: DirectoryUrl) -> Result<ServerRecord> {
    let shown = url.to_string();
    directory_client(url)?.look_up(id).await.map_err(|error| directory_problem(&shown, error))
}

/// Looks at the address of a directory as people type it; as it is written in full. Nothing is asked of anybody.
pub fn check_directory(text: &str) -> Result<String> {
    Ok(read_directory_url(text)?.to_string())
}

/// Reads the address of a directory as people type it. Only who types `http://` is taken there in the open.
pub(crate) fn read_directory_url(text: &str) -> Result<DirectoryUrl> {
    DirectoryUrl::parse(text).map_err(|error| Problem::new(Code::DirectoryAddress).with("address", text).because(error))
}

pub(crate) fn directory_client(url: DirectoryUrl) -> Result<Client> {
    let shown = url.to_string();
    Client::new(url).map_err(|error| directory_problem(&shown, error))
}

/// What people can do about a directory that doesn't do what it was asked.
pub(crate) fn directory_problem(directory: &str, error: DirectoryError) -> Problem {
    let refused =
        |why: &'static str| Problem::new(Code::DirectoryRefused).with("directory", directory).with("why", why);
    match error {
        DirectoryError::NotFound => Problem::new(Code::ServerIdNotPublished),
        DirectoryError::Mismatch => Problem::new(Code::AnswerDoesNotMatchId),
        DirectoryError::RateLimited { wait } => {
            Problem::new(Code::DirectoryBusy).with("directory", directory).with("wait_secs", wait.as_secs())
        }
        DirectoryError::Unreachable(_) | DirectoryError::Certificates(_) => {
            Problem::new(Code::DirectorySilent).with("directory", directory).because(error)
        }
        DirectoryError::NotADirectory { .. } => refused("something-else").because(error),
        DirectoryError::Refused { reason } => match reason {
            RefusalReason::TooManyRecords => refused("too-many"),
            RefusalReason::Full => refused("full"),
            RefusalReason::WrongName => refused("name"),
            RefusalReason::Unavailable => refused("unavailable"),
            _ => refused("request"),
        }
        .because(error),
        DirectoryError::OtherKey => Problem::new(Code::Unexpected).because(error),
    }
}

/// A published server as an invitation without addresses: where it is, its peer name or a switchboard says.
#[must_use]
pub fn invitation_by_id(id: ServerId, found: &Found, now: Timestamp) -> Invitation {
    let record = &found.record;
    let mut invitation = Invitation::new(record.public_key, record.service_id, record.name.clone(), now);
    invitation.comment.clone_from(&record.comment);
    invitation.server_id = Some(id);
    invitation.rendezvous = found.rendezvous.iter().take(Invitation::RENDEZVOUS_MAX).cloned().collect();
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
