//! Servers this computer could connect to: found in the network, or known by an invitation or a server ID.
//!
//! What came by invitation or ID is remembered in `servers.json` in the profile (it holds no password), so that it is still
//! on the list after Back and after a restart.

use super::{
    Host, blocking,
    desktop::FileKind,
    types::{FindServer, HostEvent, KnownBy, Opened, ServerCard, ServerRequest, TextRequest},
};
use crate::{
    api::types::{Nothing, ServerIdCheck},
    finding,
    invitation::{self, Given as Meant},
    lan::LanSearch,
    language::Language,
    message::{Code, Problem, Result},
    node::ServerToJoin,
    private_file,
    profile::Profile,
    settings::{Role, Settings},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use identity::{
    Comment, Fingerprint, Hint, Invitation, PublicKey, Salt, ServerName, ServiceId, Ticket, TicketState, Timestamp,
    Token,
};
use net::{LanName, LanServer};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// More servers than anybody has to choose from.
const REMEMBERED_MAX: usize = 32;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A server with what it takes to call it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) invitation: Invitation,
    pub(super) known_by: KnownBy,
    /// Of the record to which its server ID led.
    pub(super) salt: Option<Salt>,
}

/// How one server stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    known_by: KnownBy,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    public_key: PublicKey,
    /// In base 64.
    service_id: String,
    hints: Vec<String>,
    created: u64,
    /// The token in base 64, and when it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ticket: Option<(String, u64)>,
    /// In base 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
}

/// Something that was opened with Tandem or dropped onto its window, before it was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Given {
    /// A file.
    File(PathBuf),
    /// A link or other text.
    Text(String),
}

impl Given {
    /// What a program was started with: a link, else a file. Options aren't given.
    #[must_use]
    pub fn from_arguments(arguments: impl IntoIterator<Item = String>, folder: &Path) -> Vec<Self> {
        let is_given = |argument: &String| !argument.starts_with('-') && !argument.is_empty();
        let given = arguments.into_iter().filter(is_given).map(|argument| {
            if argument.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tandem:")) {
                Self::Text(argument)
            } else {
                Self::File(folder.join(argument.strip_prefix("file://").unwrap_or(&argument)))
            }
        });
        given.collect()
    }

    /// Its name, if it is a file.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        match self {
            Self::File(path) => Some(path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()),
            Self::Text(_) => None,
        }
    }

    /// Whether its name says that it is an invitation.
    #[must_use]
    pub fn looks_like_invitation(&self) -> bool {
        match self {
            Self::File(path) => path.extension().is_some_and(|ending| {
                [Invitation::FILE_EXTENSION, "json", "zip"].iter().any(|known| ending.eq_ignore_ascii_case(known))
            }),
            Self::Text(_) => true,
        }
    }
}

impl Host {
    pub(super) async fn servers(&self, _: Nothing) -> Result<Vec<ServerCard>> {
        if self.lock().lan.is_none() {
            self.search_network();
        }
        Ok(self.server_cards())
    }

    pub(super) async fn look_for_servers(&self, _: Nothing) -> Result<Vec<ServerCard>> {
        self.search_network();
        Ok(self.server_cards())
    }

    /// Looks for servers in the local network, anew, until [`end_search`](Self::end_search). A host whose own servers
    /// are for this computer only doesn't look elsewhere either.
    fn search_network(&self) {
        if self.0.options.listen.is_some_and(|listen| listen.ip().is_loopback()) {
            return;
        }
        let search = match LanSearch::start(None) {
            Ok(search) => search,
            Err(problem) => return tracing::info!(code = problem.code.as_str(), "the network can't be searched"),
        };
        let (host, mut found) = (Arc::downgrade(&self.0), search.subscribe());
        self.lock().lan = Some(search);
        tokio::spawn(async move {
            // Ends with the search.
            while found.changed().await.is_ok() {
                let Some(shared) = host.upgrade() else { return };
                let host = Self(shared);
                host.tell(HostEvent::Servers { servers: host.server_cards() });
            }
        });
    }

    /// Looks no more.
    pub(super) fn end_search(&self) {
        self.lock().lan = None;
    }

    pub(super) async fn forget_server(&self, request: ServerRequest) -> Result<Vec<ServerCard>> {
        self.known_servers().retain(|known| id_of(&known.invitation) != request.server);
        self.remember_servers().await?;
        Ok(self.server_cards())
    }

    pub(super) async fn read_invitation(&self, request: TextRequest) -> Result<ServerCard> {
        self.keep_meant(invitation::find(&request.text)?, None).await
    }

    pub(super) async fn choose_invitation(&self, _: Nothing) -> Result<Option<ServerCard>> {
        let title = self.word("window-choose-invitation");
        let kind = FileKind {
            name: self.word("window-invitations"),
            extensions: vec![Invitation::FILE_EXTENSION, "json", "zip"],
        };
        let Some(path) = self.desktop().choose_file(title, kind).await else { return Ok(None) };
        self.read_given(Given::File(path)).await.map(Some)
    }

    pub(super) async fn find_server(&self, request: FindServer) -> Result<ServerCard> {
        self.keep_meant(invitation::find(&request.server_id)?, request.directory.as_deref()).await
    }

    /// Looks at a server ID as it is being typed; asks nobody.
    pub(super) async fn check_server_id(&self, request: TextRequest) -> Result<ServerIdCheck> {
        Ok(finding::check_server_id(&request.text, self.language()))
    }

    /// What was given may be everything, or only lead to it.
    async fn keep_meant(&self, meant: Meant, directory: Option<&str>) -> Result<ServerCard> {
        let id = match meant {
            Meant::Invitation(invitation) => return self.keep_server(*invitation, KnownBy::Invitation, None).await,
            Meant::Id(id) => id,
        };
        let settings = Settings::load(&self.profile().settings_file())?;
        let found = finding::look_up(id, &settings, directory).await?;
        let now = Timestamp::from_unix_secs(crate::node::now_secs());
        let invitation = finding::invitation_by_id(id, &found, now);
        self.keep_server(invitation, KnownBy::ServerId, Some(found.record.salt)).await
    }

    pub(super) async fn take_opened(&self, _: Nothing) -> Result<Vec<Opened>> {
        let given = std::mem::take(&mut *self.given());
        let mut opened = Vec::new();
        for files in given {
            let left_alone = u32::try_from(files.len().saturating_sub(1)).unwrap_or(u32::MAX);
            let Some(first) = files.into_iter().next() else { continue };
            let file = first.file_name();
            let (server, problem) = match self.read_given(first).await {
                Ok(server) => (Some(server), None),
                Err(problem) => (None, Some(problem.view(self.language()))),
            };
            opened.push(Opened { file, server, problem, left_alone });
        }
        Ok(opened)
    }

    /// Something was opened with Tandem or dropped onto its window. It waits until the window takes it.
    pub fn give(&self, given: Vec<Given>) {
        if given.is_empty() {
            return;
        }
        self.given().push(given);
        self.tell(HostEvent::Opened {});
    }

    async fn read_given(&self, given: Given) -> Result<ServerCard> {
        let meant = blocking(move || match given {
            Given::File(path) => invitation::read_file(&path).map(|invitation| Meant::Invitation(Box::new(invitation))),
            Given::Text(text) => invitation::find(&text),
        })
        .await?;
        self.keep_meant(meant, None).await
    }

    /// Puts a server on the list, in place of what was known of it before.
    pub(super) async fn keep_server(
        &self,
        invitation: Invitation,
        known_by: KnownBy,
        salt: Option<Salt>,
    ) -> Result<ServerCard> {
        let id = id_of(&invitation);
        let known = Known { invitation, known_by, salt };
        let card = self.card(&known);
        {
            let mut all = self.known_servers();
            all.retain(|other| id_of(&other.invitation) != id);
            all.insert(0, known);
            all.truncate(REMEMBERED_MAX);
        }
        self.remember_servers().await?;
        self.tell(HostEvent::Servers { servers: self.server_cards() });
        Ok(card)
    }

    pub(super) fn server(&self, id: &str) -> Result<Known> {
        let known = self.known_servers().iter().find(|known| id_of(&known.invitation) == id).cloned();
        known.ok_or_else(|| Problem::new(Code::NoServerFound))
    }

    /// The server of a card, with all that is known of it: where it is in the network, too.
    pub(super) fn server_to_join(&self, id: &str) -> Result<ServerToJoin> {
        let in_network = self.in_network();
        if let Ok(known) = self.server(id) {
            let name = LanName::of(&known.invitation.public_key);
            let mut server = ServerToJoin { salt: known.salt, ..known.invitation.into() };
            if let Some(found) = in_network.iter().find(|found| found.id == name && !found.is_stale) {
                server.addresses.splice(0..0, found.addresses.iter().copied());
            }
            return Ok(server);
        }
        let found = in_network.iter().find(|found| found.id.to_string() == id && !found.is_stale);
        found.cloned().map(ServerToJoin::from).ok_or_else(|| Problem::new(Code::NoServerFound))
    }

    fn in_network(&self) -> Arc<[LanServer]> {
        self.lock().lan.as_ref().map(LanSearch::found).unwrap_or_default()
    }

    fn server_cards(&self) -> Vec<ServerCard> {
        let known = self.known_servers().clone();
        // In a statement of its own: the list above is locked until the end of its one, and this locks, too.
        let in_network = self.in_network();
        let settings = Settings::load(&self.profile().settings_file()).unwrap_or_default();
        let language = self.language();
        let names: Vec<LanName> = known.iter().map(|known| LanName::of(&known.invitation.public_key)).collect();
        let is_there = |name: &LanName| in_network.iter().any(|found| found.id == *name && !found.is_stale);
        let known = known
            .iter()
            .zip(&names)
            .map(|(known, name)| ServerCard { is_in_network: is_there(name), ..card(known, &settings, language) });
        let found = in_network.iter().filter(|found| !names.contains(&found.id));
        found.map(|found| found_card(found, &settings)).chain(known).collect()
    }

    fn card(&self, known: &Known) -> ServerCard {
        let settings = Settings::load(&self.profile().settings_file()).unwrap_or_default();
        card(known, &settings, self.language())
    }

    async fn remember_servers(&self) -> Result<()> {
        let remembered: Vec<Remembered> = self.known_servers().iter().map(Remembered::from).collect();
        let (file, folder) = (file_of(self.profile()), self.profile().folder().to_owned());
        blocking(move || {
            let not_kept = |error: std::io::Error| {
                Problem::new(Code::SettingsNotSaved).with("folder", folder.as_path()).because(error)
            };
            std::fs::create_dir_all(&folder).map_err(not_kept)?;
            let text = serde_json::to_vec_pretty(&remembered).map_err(|error| not_kept(error.into()))?;
            private_file::replace(&file, &text).map_err(not_kept)
        })
        .await
    }
}

impl From<&Known> for Remembered {
    fn from(known: &Known) -> Self {
        let invitation = &known.invitation;
        Self {
            known_by: known.known_by,
            name: invitation.server_name.to_string(),
            comment: invitation.comment.as_ref().map(ToString::to_string),
            public_key: invitation.public_key,
            service_id: BASE64.encode(invitation.service_id.as_bytes()),
            hints: invitation.hints.iter().map(ToString::to_string).collect(),
            created: invitation.created.unix_secs(),
            ticket: invitation
                .ticket
                .as_ref()
                .map(|ticket| (BASE64.encode(ticket.token.as_bytes()), ticket.expires.unix_secs())),
            salt: known.salt.as_ref().map(|salt| BASE64.encode(salt.as_bytes())),
        }
    }
}

impl Remembered {
    /// `None`: it isn't what this program writes.
    fn read(self) -> Option<Known> {
        let bytes = |text: &str| <[u8; 16]>::try_from(BASE64.decode(text).ok()?).ok();
        let mut invitation = Invitation::new(
            self.public_key,
            ServiceId::from_bytes(bytes(&self.service_id)?),
            ServerName::parse(&self.name).ok()?,
            Timestamp::from_unix_secs(self.created),
        );
        invitation.comment = self.comment.and_then(|comment| Comment::parse(&comment).ok());
        invitation.hints = self.hints.iter().filter_map(|hint| Hint::parse(hint)).collect();
        invitation.ticket = match self.ticket {
            Some((token, expires)) => {
                Some(Ticket { token: Token::from_bytes(bytes(&token)?), expires: Timestamp::from_unix_secs(expires) })
            }
            None => None,
        };
        let salt = self.salt.as_deref().and_then(bytes).map(Salt::from_bytes);
        Some(Known { invitation, known_by: self.known_by, salt })
    }
}

/// What was remembered in earlier runs. What can't be read any more isn't on the list.
pub(super) fn remembered(profile: &Profile) -> Vec<Known> {
    let Ok(bytes) = private_file::read(&file_of(profile), FILE_BYTES_MAX) else { return Vec::new() };
    let all = serde_json::from_slice::<Vec<Remembered>>(&bytes).unwrap_or_default();
    all.into_iter().filter_map(Remembered::read).collect()
}

pub(super) fn card(known: &Known, settings: &Settings, language: Language) -> ServerCard {
    let Known { invitation, known_by, .. } = known;
    let now = Timestamp::from_unix_secs(crate::node::now_secs());
    let ticket_expires = invitation.ticket.as_ref().map(|ticket| ticket.expires.unix_secs());
    let note = match (invitation.ticket_at(now), ticket_expires) {
        (TicketState::Expired, Some(at)) => {
            Some(Problem::new(Code::TicketExpired).with("expired_at", at).view(language))
        }
        _ => None,
    };
    let server = settings.server.as_ref().filter(|_| settings.role == Some(Role::Client));
    ServerCard {
        id: id_of(invitation),
        name: invitation.server_name.to_string(),
        comment: invitation.comment.as_ref().map(ToString::to_string),
        fingerprint: Some(Fingerprint::of(&invitation.public_key).to_string()),
        known_by: *known_by,
        is_in_network: false,
        is_connected_already: server.is_some_and(|server| server.public_key == invitation.public_key),
        platform: None,
        seen_secs_ago: None,
        ticket_expires,
        directory: invitation.directory.as_ref().map(ToString::to_string),
        note,
    }
}

/// A server that only the network knows. Its key becomes known when it is called, and the password proves it.
fn found_card(found: &LanServer, settings: &Settings) -> ServerCard {
    let server = settings.server.as_ref().filter(|_| settings.role == Some(Role::Client));
    ServerCard {
        id: found.id.to_string(),
        name: found.name.to_string(),
        comment: None,
        fingerprint: None,
        known_by: KnownBy::Network,
        is_in_network: !found.is_stale,
        is_connected_already: server.is_some_and(|server| LanName::of(&server.public_key) == found.id),
        platform: None,
        seen_secs_ago: None,
        ticket_expires: None,
        directory: None,
        note: None,
    }
}

fn id_of(invitation: &Invitation) -> String {
    id_of_key(&invitation.public_key)
}

/// The same server has the same id however it became known.
pub(super) fn id_of_key(key: &PublicKey) -> String {
    Fingerprint::of(key).to_string().replace(' ', "-")
}

fn file_of(profile: &Profile) -> PathBuf {
    profile.folder().join("servers.json")
}
