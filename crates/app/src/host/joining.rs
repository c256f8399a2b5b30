//! From a server's card to the first synchronization.

use super::{
    Host, Running, blocking, servers,
    types::{
        Connect, ConnectStage, Disconnect, Disconnected, FirstMode, HostEvent, HostState, KnownBy, PlanFirst,
        SavedFile, ServerCard, ServerFolder, ServerFolders,
    },
};
use crate::{
    api::types::{ConflictRuleView, Direction, FolderView, Nothing, Preview, Status, UndoAnswer},
    message::{Code, Problem, Result},
    node::{JoinAgain, JoinRequest, Node, OpenOptions, Pairing, Use, computer_name},
    secrets::StoreKind,
    settings::{ConflictRule, Settings},
};
use identity::{Fingerprint, Secret};
use std::collections::BTreeSet;

impl Host {
    pub(super) async fn connect(&self, request: Connect) -> Result<HostState> {
        let _one_at_a_time = self.changing().await;
        self.tell(HostEvent::Connecting { stage: ConnectStage::Finding });
        let server = self.server_to_join(&request.server)?;
        self.end_running().await;
        self.tell(HostEvent::Connecting { stage: ConnectStage::Calling });
        let joined = Node::join(
            self.profile(),
            JoinRequest {
                server,
                stores: Vec::new(),
                password: Secret::new(request.password.0),
                mode: Pairing::Combine,
                only: Vec::new(),
                map: Vec::new(),
                device_name: request.name.unwrap_or_else(computer_name),
                secrets: self.secrets_kind(),
                addresses: Vec::new(),
                dht_bootstrap: Vec::new(),
            },
        )
        .await;
        match joined {
            Ok(node) => self.run(node),
            Err(problem) => {
                self.reopen().await;
                return Err(problem);
            }
        }
        self.end_search();
        if let Some(on) = request.internet {
            self.ask::<Status>("set_internet", serde_json::json!({ "on": on })).await?;
        }
        if !request.is_remembered {
            self.forget_password(crate::secrets::SecretName::SavedPassword).await?;
        }
        self.tell(HostEvent::Connecting { stage: ConnectStage::Listing });
        self.state_changed().await
    }

    pub(super) async fn server_folders(&self, _: Nothing) -> Result<ServerFolders> {
        // Comparing is over when the server's list is whole.
        let preview: Preview = self.ask("preview", serde_json::json!({})).await?;
        let folders: Vec<FolderView> = self.ask("folders", serde_json::json!({})).await?;
        let items_of = |path: &str| preview.folders.iter().find(|folder| folder.path == path);
        let folders = folders.into_iter().map(|folder| ServerFolder {
            items: items_of(&folder.path).map_or(0, |one| one.added_here + one.same + one.differ + one.not_sure),
            path: folder.path,
            kind: folder.kind,
        });
        Ok(ServerFolders { folders: folders.collect(), server: self.joined_server()? })
    }

    pub(super) async fn plan_first(&self, request: PlanFirst) -> Result<Preview> {
        let _one_at_a_time = self.changing().await;
        let source = self.source(&request.source)?;
        if source.stores.is_empty() {
            let place = source.view.path.unwrap_or_default();
            return Err(Problem::new(Code::ImportFirst).with("place", place).with("found", source.view.items));
        }
        let folders: Vec<FolderView> = self.ask("folders", serde_json::json!({})).await?;
        let wished: BTreeSet<&str> = request.folders.iter().map(|wish| wish.path.as_str()).collect();
        let left_out = folders.iter().filter(|folder| !wished.contains(folder.path.as_str()));
        let left_out = left_out.map(|folder| (folder.path.clone(), Direction::Off));
        let chosen = request.folders.iter().filter(|wish| wish.direction != Direction::Both);
        let chosen = chosen.map(|wish| (wish.path.clone(), wish.direction));
        let map = request.folders.iter().filter_map(|wish| Some((wish.path.clone(), wish.here.clone()?)));
        let again = JoinAgain {
            stores: source.stores,
            mode: match request.mode {
                FirstMode::Combine => Pairing::Combine,
                FirstMode::TakeServer => Pairing::TakeServer,
                FirstMode::TakeClient => Pairing::TakeClient,
            },
            only: Vec::new(),
            map: map.filter(|(theirs, here)| theirs != here).collect(),
            directions: left_out.chain(chosen).collect(),
        };
        self.end_running().await;
        self.set_conflict_rule(request.conflicts).await?;
        match Node::join_again(self.profile(), again).await {
            Ok(node) => self.run(node),
            Err(problem) => {
                self.reopen().await;
                return Err(problem);
            }
        }
        let preview: Preview = self.ask("preview", serde_json::json!({})).await?;
        *self.preview() = Some(preview.clone());
        Ok(preview)
    }

    pub(super) async fn start_first(&self, _: Nothing) -> Result<Status> {
        let status = self.ask("start", serde_json::json!({})).await?;
        self.state_changed().await?;
        Ok(status)
    }

    pub(super) async fn save_preview(&self, _: Nothing) -> Result<SavedFile> {
        let Some(preview) = self.preview().clone() else {
            return Err(Problem::new(Code::NotUnderstood).with("reason", "there is no preview yet"));
        };
        let mut text = String::from("folder;added here;added there;same;differ;not sure\n");
        for folder in preview.folders.iter().chain([&preview.total]) {
            let path = super::help::cell(&folder.path);
            text.push_str(&format!(
                "{path};{};{};{};{};{}\n",
                folder.added_here, folder.added_there, folder.same, folder.differ, folder.not_sure
            ));
        }
        self.save_text("window-save-preview", "tandem-preview.csv", "csv", text).await
    }

    pub(super) async fn disconnect(&self, request: Disconnect) -> Result<Disconnected> {
        let _one_at_a_time = self.changing().await;
        if matches!(self.running(), Running::Attached(_)) {
            return Err(Problem::new(Code::ProfileInUse).with("folder", self.profile().folder()));
        }
        // What was begun is brought to its end.
        let is_begun = matches!(self.running(), Running::Own(node) if node.is_taking_back());
        self.end_running().await;
        let left = self.leave(request.takes_back || is_begun).await;
        self.reopen().await;
        // Where taking back didn't come to its end, this computer is one that never started.
        let state = self.state_changed().await?;
        let (stays, taken_back) = left?;
        Ok(Disconnected { state, taken_back, stays: stays.map(|problem| problem.view(self.language())) })
    }

    async fn leave(&self, takes_back: bool) -> Result<(Option<Problem>, Option<UndoAnswer>)> {
        let taken_back = match takes_back {
            true => Some(Node::take_back_first(self.profile()).await?),
            false => None,
        };
        Ok((Node::leave(self.profile()).await?, taken_back))
    }

    /// The card of the server this computer is a client of.
    pub(super) fn joined_server(&self) -> Result<ServerCard> {
        let settings = Settings::load(&self.profile().settings_file())?;
        let server = settings.server.clone().ok_or_else(|| Problem::new(Code::OnClientOnly))?;
        let id = servers::id_of_key(&server.public_key);
        if let Ok(known) = self.server(&id) {
            return Ok(servers::card(&known, &settings, self.language()));
        }
        Ok(ServerCard {
            id,
            name: server.name.to_string(),
            comment: None,
            fingerprint: Some(Fingerprint::of(&server.public_key).to_string()),
            known_by: KnownBy::Invitation,
            is_in_network: false,
            is_connected_already: true,
            platform: None,
            seen_secs_ago: None,
            ticket_expires: None,
            directory: None,
            note: None,
        })
    }

    async fn set_conflict_rule(&self, choice: ConflictRuleView) -> Result<()> {
        let file = self.profile().settings_file();
        blocking(move || {
            let mut settings = Settings::load(&file)?;
            settings.conflicts.rule = match choice {
                ConflictRuleView::Ask => ConflictRule::Ask,
                ConflictRuleView::Client => ConflictRule::Client,
                ConflictRuleView::Server => ConflictRule::Server,
            };
            Ok(settings.save(&file)?)
        })
        .await
    }

    async fn forget_password(&self, name: crate::secrets::SecretName) -> Result<()> {
        let profile = self.profile().clone();
        blocking(move || {
            let settings = Settings::load(&profile.settings_file())?;
            let (Some(id), Some(kind @ StoreKind::Keyring)) = (settings.profile, settings.secrets) else {
                return Ok(());
            };
            match crate::secrets::open(&profile, &id, kind).remove(name) {
                Ok(()) | Err(crate::secrets::SecretError::Absent) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Opens a profile that was set up, however that goes.
    pub(super) async fn open_set_up(&self, use_as: Use) -> Result<Node> {
        Node::open(self.profile(), use_as, OpenOptions { secrets: self.secrets_kind() }).await
    }

    pub(super) async fn forget_server_password(&self) -> Result<()> {
        self.forget_password(crate::secrets::SecretName::ServerPassword).await
    }
}
