//! The commands of [`crate::api`], answered.

use super::{Instance, Pause, blocking, gone, now_secs, setup::Choice};
use crate::{
    api::types::{
        ConflictDetail, ConflictRequest, ConflictView, DecideHeld, DeviceRequest, DeviceView, Done, FolderView,
        HeldView, InternetRequest, InviteAnswer, InviteRequest, ItemView, ItemsRequest, Keep, Nothing, PasswordRequest,
        PauseFolder, PauseRequest, Preview, ReleaseFolder, RenameDevice, ResolveConflict, RoleView, SetFolder, Status,
        Word,
    },
    engine::{Part, Room, State, view::SHAPE},
    language::Language,
    message::{Code, Problem, Result},
    password::{Rule, StrengthClass},
    secrets::{SecretError, SecretName, SecretStore, StoreKind},
    settings::{Role, Settings},
};
use identity::{Fingerprint, Hint, Invitation, Secret, ServerName, Timestamp};
use net::{Cut, Refusal};
use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError},
    time::Duration,
};
use sync::index::ReplicaIndex as _;

/// A ticket holds so long if nobody says otherwise.
const TICKET_DAYS: u32 = 7;
/// Items of a folder are listed so many at a time if nobody says otherwise, and never more than the second.
const ITEMS: u32 = 200;
const ITEMS_MAX: u32 = 1_000;
/// Contents asked for at the server are waited for so long.
const FETCH_WAIT: Duration = Duration::from_secs(15);

/// Who only wants to know how things stand waits no longer than this for an engine that is at something long.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// What waits for a person.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    conflicts: u64,
    holds: Vec<HeldView>,
    /// Items that one side doesn't take.
    left_out: Option<Problem>,
}

impl Instance {
    /// Does something with the engine.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Room) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.engine.run(ask).await.ok_or_else(gone)?
    }

    pub(crate) async fn status(&self, _: Nothing) -> Result<Status> {
        self.status_now().await
    }

    pub(super) async fn status_now(&self) -> Result<Status> {
        let language = self.language();
        let Waiting { conflicts, holds, left_out } = self.waiting().await?;
        let held = holds.iter().map(|view| view.count).sum::<u64>();
        let state = self.engine.state().borrow().clone();
        let settings = self.settings().clone();
        let pause = *self.pause.borrow();
        let link_problem = self.link_problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let problem = state.problem.clone().or(link_problem);
        let waits = [Code::ServerSilent, Code::ConnectionBroke, Code::LineMetered];
        let is_silence = |problem: &Problem| waits.contains(&problem.code);
        let stops = problem.as_ref().is_some_and(|problem| !is_silence(problem));
        let problem = problem.or_else(|| state.note.clone()).or(left_out);
        let problem = problem.or_else(|| self.door.as_ref().and_then(|door| door.note()));
        let problem = problem.or_else(|| self.relay_problem());
        let problem = problem.or_else(|| self.is_unfindable(&settings).then(|| Problem::new(Code::NoWayToServer)));
        let is_connected = match &self.door {
            Some(door) => door.connected() > 0,
            None => state.is_connected,
        };
        let key = match (&settings.server, settings.role) {
            (Some(server), Some(Role::Client)) => server.public_key,
            _ => self.key.public(),
        };
        let name = settings.name.as_ref().map(ToString::to_string).unwrap_or_default();
        let server_name = settings.server.as_ref().map_or_else(|| name.clone(), |server| server.name.to_string());
        let word = if pause.is_some() {
            Word::Paused
        } else if conflicts + held > 0 {
            Word::NeedsDecision
        } else if stops {
            Word::Problem
        } else if self.part == Part::Client && !is_connected {
            Word::Waiting
        } else if state.is_quiet {
            Word::UpToDate
        } else {
            Word::Synchronizing
        };
        Ok(Status {
            shape: SHAPE,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: if self.part == Part::Server { RoleView::Server } else { RoleView::Client },
            name,
            server_name,
            fingerprint: Fingerprint::of(&key).to_string(),
            word,
            is_connected,
            path: self.path.lock().unwrap_or_else(PoisonError::into_inner).filter(|_| is_connected),
            is_reading: state.is_reading,
            is_quiet: state.is_quiet,
            pending: state.pending,
            items_done: state.items_done,
            bytes_done: state.bytes_done,
            conflicts,
            held,
            internet: settings.network.internet,
            addresses: match self.part {
                Part::Server => self.listening.iter().map(ToString::to_string).collect(),
                Part::Client => Vec::new(),
            },
            paused_until: pause.map(|pause| pause.until.unwrap_or(0)),
            problem: problem
                .map(|problem| problem.view(language))
                .or_else(|| holds.into_iter().next().map(|held| held.problem))
                .or_else(|| {
                    (conflicts > 0).then(|| Problem::new(Code::ConflictsWait).with("n", conflicts).view(language))
                }),
        })
    }

    /// What waits for a person. While the data is read for the first time, the engine may be at a million names: then what it
    /// said last counts, as nothing of it changes before both sides are compared.
    async fn waiting(&self) -> Result<Waiting> {
        let (is_reading, asking) = (self.engine.state().borrow().is_reading, self.ask_what_waits());
        if !is_reading {
            return asking.await;
        }
        match tokio::time::timeout(BUSY_WAIT, asking).await {
            Ok(waiting) => waiting,
            Err(_) => Ok(self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()),
        }
    }

    pub(super) async fn ask_what_waits(&self) -> Result<Waiting> {
        let (language, here) = self.spoken();
        let waiting = self
            .ask(move |room| {
                let conflicts = room.index.replica().conflicts()?.len() as u64;
                Ok(Waiting { conflicts, holds: room.held_views(language, &here)?, left_out: room.left_out()? })
            })
            .await?;
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&waiting);
        Ok(waiting)
    }

    /// Waits until everything is the same. What can't be got over by waiting ends it.
    pub(crate) async fn wait_quiet(&self, _: Nothing) -> Result<Status> {
        let is_started = self.choice.lock().unwrap_or_else(PoisonError::into_inner).is_started;
        if self.part == Part::Client && !is_started {
            return Err(Problem::new(Code::NotConfirmed));
        }
        loop {
            self.wait_until(|state| state.is_quiet).await?;
            if self.is_quiet_now().await? {
                self.write_first_down().await?;
                return self.status_now().await;
            }
        }
    }

    /// Waits until the engine is in a state. What can't be got over by waiting ends it.
    pub(super) async fn wait_until(&self, is_so: impl Fn(&State) -> bool) -> Result<()> {
        let mut state = self.engine.state();
        loop {
            let problem = {
                let now = state.borrow_and_update();
                if is_so(&now) {
                    return Ok(());
                }
                now.problem.clone()
            };
            let link_problem = self.link_problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(problem) = problem.or(link_problem) {
                return Err(problem);
            }
            tokio::select! {
                changed = state.changed() => changed.map_err(|_| gone())?,
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
    }

    /// What was told last may be older than what was just asked for.
    pub(super) async fn is_quiet_now(&self) -> Result<bool> {
        self.ask(|room| {
            room.tell_state();
            Ok(room.state.is_quiet)
        })
        .await
    }

    pub(crate) async fn folders(&self, _: Nothing) -> Result<Vec<FolderView>> {
        self.ask(|room| room.folder_views()).await
    }

    pub(crate) async fn items(&self, request: ItemsRequest) -> Result<Vec<ItemView>> {
        let limit = request.limit.unwrap_or(ITEMS).min(ITEMS_MAX) as usize;
        self.ask(move |room| {
            let folder = room.find_folder(&request.folder)?;
            room.item_views(folder, limit, request.fields)
        })
        .await
    }

    pub(crate) async fn set_folder(&self, request: SetFolder) -> Result<Done> {
        self.ask(move |room| {
            let folder = room.find_folder(&request.folder)?;
            room.set_direction(folder, request.direction.into())
        })
        .await?;
        Ok(Done {})
    }

    pub(crate) async fn pause_folder(&self, request: PauseFolder) -> Result<Done> {
        if self.part == Part::Server {
            return Err(Problem::new(Code::OnClientOnly));
        }
        self.ask(move |room| {
            let folder = room.find_folder(&request.folder)?;
            room.pause_folder(folder, request.is_paused)
        })
        .await?;
        Ok(Done {})
    }

    pub(crate) async fn release_folder(&self, request: ReleaseFolder) -> Result<Done> {
        let device = self.door()?.find_device(&request.device)?.id.to_string();
        self.ask(move |room| {
            let folder = room.find_folder(&request.folder)?;
            room.release_folder(folder, &device, request.is_released)
        })
        .await?;
        Ok(Done {})
    }

    /// In which language people are spoken to, and what this computer is called.
    fn spoken(&self) -> (Language, String) {
        (self.language(), self.settings().name.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    pub(crate) async fn held(&self, _: Nothing) -> Result<Vec<HeldView>> {
        let (language, here) = self.spoken();
        self.ask(move |room| room.held_views(language, &here)).await
    }

    pub(crate) async fn decide_held(&self, request: DecideHeld) -> Result<Done> {
        self.ask(move |room| {
            let folder = room.find_folder(&request.folder)?;
            room.decide_held(folder, request.decision)
        })
        .await?;
        Ok(Done {})
    }

    pub(crate) async fn conflicts(&self, _: Nothing) -> Result<Vec<ConflictView>> {
        let (language, _) = self.spoken();
        self.ask(move |room| room.conflict_views(language)).await
    }

    pub(crate) async fn conflict(&self, request: ConflictRequest) -> Result<ConflictDetail> {
        let id = request.id.clone();
        if let Some(missing) = self.ask(move |room| room.missing_for_conflict(&id)).await? {
            // Without a link the detail shows what is here.
            self.fetch(vec![missing]).await.ok();
        }
        let (language, _) = self.spoken();
        self.ask(move |room| room.conflict_detail(&request.id, language)).await
    }

    pub(crate) async fn resolve_conflict(&self, request: ResolveConflict) -> Result<Done> {
        let id = request.id.clone();
        if request.keep != Keep::Server
            && let Some(missing) = self.ask(move |room| room.missing_for_conflict(&id)).await?
        {
            self.fetch(vec![missing]).await?;
        }
        self.ask(move |room| room.resolve_conflict(&request.id, request.keep)).await?;
        Ok(Done {})
    }

    /// Gets contents that only the server has.
    pub(super) async fn fetch(&self, contents: Vec<pim::NativeHash>) -> Result<()> {
        let until = tokio::time::Instant::now() + FETCH_WAIT;
        loop {
            let asked = contents.clone();
            let missing = self.ask(move |room| room.ask_for(&asked)).await?;
            if missing == 0 {
                return Ok(());
            }
            if tokio::time::Instant::now() >= until || !self.engine.state().borrow().is_connected {
                let server = self.settings().server.as_ref().map(|server| server.name.to_string()).unwrap_or_default();
                return Err(Problem::new(Code::ServerSilent).with("server", server));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn door(&self) -> Result<&Arc<super::server::Door>> {
        self.door.as_ref().ok_or_else(|| Problem::new(Code::OnServerOnly))
    }

    pub(crate) async fn devices(&self, _: Nothing) -> Result<Vec<DeviceView>> {
        let devices = self.door()?.devices();
        let ids: Vec<String> = devices.iter().map(|(device, _)| device.id.to_string()).collect();
        let versions: Vec<Option<String>> = self
            .ask(move |room| Ok(ids.iter().map(|id| room.program_of(id)).collect::<std::result::Result<_, _>>()?))
            .await?;
        Ok(devices
            .into_iter()
            .zip(versions)
            .map(|((device, path), version)| DeviceView {
                id: device.id.to_string(),
                name: device.name,
                platform: device.platform,
                version,
                paired_at: device.paired_at,
                last_seen_day: device.last_seen_day,
                is_removed: device.removed_at.is_some(),
                is_connected: path.is_some(),
                path,
            })
            .collect())
    }

    pub(crate) async fn sync_now(&self, _: Nothing) -> Result<Status> {
        self.ask(|room| {
            room.read_now();
            Ok(())
        })
        .await?;
        // A client that waits before it calls again calls at once.
        self.rules.send_replace(());
        self.status_now().await
    }

    pub(crate) async fn rename_device(&self, request: RenameDevice) -> Result<Done> {
        let door = self.door()?;
        let device = door.find_device(&request.id)?;
        let name = ServerName::parse(&request.name)?;
        tokio::task::block_in_place(|| door.rename(device, name.as_str()));
        Ok(Done {})
    }

    pub(crate) async fn remove_device(&self, request: DeviceRequest) -> Result<Done> {
        let device = self.door()?.find_device(&request.id)?;
        tokio::task::block_in_place(|| self.cut_off(device));
        Ok(Done {})
    }

    pub(crate) async fn allow_device(&self, request: DeviceRequest) -> Result<Done> {
        let door = self.door()?;
        let device = door.find_device(&request.id)?;
        tokio::task::block_in_place(|| door.allow_again(device));
        Ok(Done {})
    }

    pub(crate) async fn allow_take_over(&self, request: DeviceRequest) -> Result<Done> {
        let device = self.door()?.find_device(&request.id)?;
        let name = device.id.to_string();
        self.ask(move |room| Ok(room.allow_take_over(&name)?)).await?;
        // It is told at the beginning of a session, so it comes back at once.
        if let Some(endpoint) = &self.endpoint {
            endpoint.cut(Cut::Device(device.id), Refusal::Busy { retry_secs: None });
        }
        Ok(Done {})
    }

    pub(crate) async fn add_window(&self, _: Nothing) -> Result<Done> {
        let door = self.door()?;
        tokio::task::block_in_place(|| door.change_budgets(|budgets| budgets.open_window(now_secs())));
        Ok(Done {})
    }

    pub(crate) async fn open_door(&self, _: Nothing) -> Result<Done> {
        let door = self.door()?;
        tokio::task::block_in_place(|| door.change_budgets(net::GuessBudgets::open_internet_door));
        Ok(Done {})
    }

    pub(crate) async fn set_password(&self, request: PasswordRequest) -> Result<Done> {
        let door = Arc::clone(self.door()?);
        let (internet, name) = {
            let settings = self.settings();
            (settings.network.internet, settings.name.as_ref().map(ToString::to_string).unwrap_or_default())
        };
        let rule = Rule::new(internet);
        let password =
            rule.accept(&Secret::new(request.password), &[&name]).map_err(|strength| rule.problem(&strength))?;
        let class = Rule::class(&password, &[&name]);
        let secrets = Arc::clone(&self.secrets);
        blocking(move || {
            let weak = |error: net::PasswordError| Problem::new(Code::PasswordWeak).because(error);
            let record = match door.record() {
                Some(record) => record.change(&password).map_err(weak)?,
                None => net::PasswordRecord::register(&password).map_err(weak)?,
            };
            secrets.set_bytes(SecretName::OpaqueRecord, &record.to_bytes())?;
            keep_class(&*secrets, class)?;
            if secrets.kind() == StoreKind::Keyring {
                secrets.set(SecretName::ServerPassword, &password)?;
            }
            door.set_record(record);
            // Tickets were given out together with the old password.
            door.change_budgets(net::GuessBudgets::void_tickets);
            if request.sign_out_all {
                for (device, _) in door.devices() {
                    door.remove(device.clone());
                    door.allow_again(door.find_device(&device.id.to_string())?);
                }
            }
            Ok(())
        })
        .await?;
        if request.sign_out_all
            && let Some(endpoint) = &self.endpoint
        {
            endpoint.cut(Cut::Everyone, Refusal::Removed);
        }
        Ok(Done {})
    }

    pub(crate) async fn renew_service_id(&self, _: Nothing) -> Result<Done> {
        self.door()?;
        // The server ID commits to the old one.
        self.revoke(Nothing {}).await?;
        self.new_service_id().await?;
        self.rules.send_replace(());
        Ok(Done {})
    }

    pub(crate) async fn invite(&self, request: InviteRequest) -> Result<InviteAnswer> {
        self.door()?;
        let name = self.settings().name.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?;
        let now = Timestamp::from_unix_secs(now_secs());
        let mut invitation = Invitation::new(self.key.public(), self.service_id(), name.clone(), now);
        let typed = request.hints.iter().map(|text| {
            Hint::parse(text).ok_or_else(|| Problem::new(Code::AddressNotUsable).with("address", text.clone()))
        });
        let mut hints = typed.collect::<Result<Vec<Hint>>>()?;
        // Addresses that stay: whoever looks for this server later is told them, too.
        let on_link = net::OnLink::system();
        let fixed = hints.iter().map(Hint::address).filter(|address| !on_link.is_lan(address.ip()));
        let fixed: Vec<SocketAddr> = fixed.collect();
        if !fixed.is_empty() {
            self.candidates.add(net::Source::Fixed, &fixed, now_secs());
            self.save_candidates().await;
        }
        if hints.is_empty() {
            hints = self.known_addresses().into_iter().filter_map(Hint::new).collect();
        }
        hints.truncate(Invitation::HINTS_MAX);
        invitation.rendezvous = self.told_rendezvous();
        if hints.is_empty() && invitation.rendezvous.is_empty() {
            return Err(Problem::new(Code::NoWayToServer));
        }
        invitation.hints.clone_from(&hints);
        invitation.directory = self.published().await?.and_then(|publication| publication.directory_for_others());
        if request.ticket {
            let days = request.ticket_days.unwrap_or(TICKET_DAYS).clamp(1, 90);
            invitation.ticket = Some(tokio::task::block_in_place(|| self.new_ticket(days))?);
        }
        let made = |error: identity::MakeError| Problem::new(Code::Unexpected).because(error);
        let file = invitation.to_file(&self.key).map_err(made)?;
        let file = String::from_utf8(file).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        let safe_name: String =
            name.as_str().chars().map(|c| if c.is_alphanumeric() || " -_".contains(c) { c } else { '_' }).collect();
        Ok(InviteAnswer {
            file,
            link: invitation.to_link(&self.key).map_err(made)?,
            file_name: format!("{}.tandem", safe_name.trim()),
            hints: hints.iter().map(ToString::to_string).collect(),
            ticket_expires: invitation.ticket.as_ref().map(|ticket| ticket.expires.unix_secs()),
        })
    }

    /// Where this server listens, or will listen when it runs.
    fn known_addresses(&self) -> Vec<SocketAddr> {
        let hints = self.hints();
        let listen = self.settings().network.listen;
        if hints.is_empty() && listen.port() != 0 && !listen.ip().is_unspecified() { vec![listen] } else { hints }
    }

    pub(crate) async fn pause(&self, request: PauseRequest) -> Result<Status> {
        let until = request.minutes.map(|minutes| now_secs() + u64::from(minutes) * 60);
        let pause = Pause { until };
        self.pause.send_replace(Some(pause));
        if let Some(door) = &self.door {
            door.set_pause(Some(pause));
        }
        if let Some(endpoint) = &self.endpoint {
            endpoint.cut(Cut::Everyone, Refusal::Paused { until_unix_secs: until });
        }
        self.status_now().await
    }

    pub(crate) async fn resume(&self, _: Nothing) -> Result<Status> {
        self.pause.send_replace(None);
        if let Some(door) = &self.door {
            door.set_pause(None);
        }
        self.status_now().await
    }

    /// Ends a pause whose time is over.
    pub(super) fn end_pause_in_time(&self) {
        let until = self.pause.borrow().and_then(|pause| pause.until);
        if until.is_some_and(|until| until <= now_secs()) {
            self.pause.send_replace(None);
            if let Some(door) = &self.door {
                door.set_pause(None);
            }
        }
    }

    pub(crate) async fn set_internet(&self, request: InternetRequest) -> Result<Status> {
        if request.on && self.part == Part::Server {
            self.check_password_for_internet().await?;
        }
        {
            let mut settings = self.settings();
            settings.network.internet = request.on;
            settings.network.internet_as_server = false;
        }
        self.save_settings()?;
        self.rules.send_replace(());
        if let (Part::Client, Some(endpoint)) = (self.part, &self.endpoint) {
            endpoint.keep_local(!self.may_use_internet());
        }
        if !request.on && self.part == Part::Client {
            self.leave_dht().await;
        }
        if let Some(door) = &self.door {
            door.set_internet(request.on);
            if let (false, Some(endpoint)) = (request.on, &self.endpoint) {
                endpoint.cut(Cut::Internet, Refusal::InternetOff);
            }
            self.ask_router().await;
        }
        self.status_now().await
    }

    /// Whether others would look for this server in vain: it is to be reached over the Internet, and nothing says where.
    pub(super) fn is_unfindable(&self, settings: &Settings) -> bool {
        let network = &settings.network;
        let is_found = network.peer_names || !self.known_switchboards(settings).is_empty();
        if self.part == Part::Client || !network.internet || is_found {
            return false;
        }
        let is_lasting = |known: &net::Candidate| known.source == net::Source::Fixed;
        !self.candidates.all().iter().any(is_lasting)
    }

    /// What was good enough for the local network may not be for everyone.
    async fn check_password_for_internet(&self) -> Result<()> {
        let secrets = Arc::clone(&self.secrets);
        let name = self.settings().name.as_ref().map(ToString::to_string).unwrap_or_default();
        blocking(move || {
            let rule = Rule::new(true);
            match secrets.get(SecretName::ServerPassword) {
                Ok(password) => rule.accept(&password, &[&name]).map(drop).map_err(|strength| rule.problem(&strength)),
                // Only its record is known here, and how strong it was found to be when it was set.
                Err(SecretError::Absent) => match kept_class(&*secrets)? {
                    Some(StrengthClass::Internet) => Ok(()),
                    Some(StrengthClass::LocalNetwork(reason)) => Err(rule.too_weak(reason)),
                    None => Err(Problem::new(Code::PasswordMissing)),
                },
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    pub(crate) async fn preview(&self, _: Nothing) -> Result<Preview> {
        self.wait_compared().await?;
        self.apply_choice().await?;
        self.ask(|room| room.preview()).await
    }

    pub(super) async fn wait_compared(&self) -> Result<()> {
        self.wait_until(|state| state.is_compared).await
    }

    /// Sets the folders that were chosen, once the server's are known.
    async fn apply_choice(&self) -> Result<()> {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if choice.is_set {
            return Ok(());
        }
        let Choice { only, map, directions, .. } = choice.clone();
        self.ask(move |room| {
            if !map.is_empty() {
                let pairs = map.iter().map(|(theirs, mine)| Ok((room.find_folder(theirs)?, room.find_folder(mine)?)));
                let pairs = pairs.collect::<Result<Vec<_>>>()?;
                room.map_folders(pairs)?;
            }
            if !only.is_empty() {
                room.select_only(&only)?;
            }
            for (path, direction) in directions {
                let folder = room.find_folder(&path)?;
                room.set_direction(folder, direction.into())?;
            }
            Ok(())
        })
        .await?;
        self.keep_choice(Choice { is_set: true, ..choice }).await
    }

    pub(crate) async fn start(&self, _: Nothing) -> Result<Status> {
        if self.part == Part::Server {
            return Err(Problem::new(Code::OnClientOnly));
        }
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_plain = choice.only.is_empty() && choice.map.is_empty() && choice.directions.is_empty();
        if !is_plain && !choice.is_set {
            self.wait_compared().await?;
            self.apply_choice().await?;
        }
        let may_take_over = *self.may_take_over.lock().unwrap_or_else(PoisonError::into_inner);
        if choice.mode == super::setup::Mode::Client && !may_take_over {
            self.wait_compared().await?;
            if !*self.may_take_over.lock().unwrap_or_else(PoisonError::into_inner) {
                let server = self.settings().server.as_ref().map(|server| server.name.to_string()).unwrap_or_default();
                return Err(Problem::new(Code::TakeoverNotAllowed).with("server", server));
            }
        }
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.keep_choice(Choice { is_started: true, is_set: true, ..choice }).await?;
        self.ask(|room| {
            room.replica.settings_mut().is_preview = false;
            room.replica.observed_all();
            Ok(())
        })
        .await?;
        self.status_now().await
    }
}

/// Remembers what a password is good enough for.
pub(super) fn keep_class(secrets: &dyn SecretStore, class: StrengthClass) -> std::result::Result<(), SecretError> {
    let bytes = serde_json::to_vec(&class).expect("a class holds nothing that JSON can't write");
    secrets.set_bytes(SecretName::PasswordStrength, &bytes)
}

fn kept_class(secrets: &dyn SecretStore) -> Result<Option<StrengthClass>> {
    match secrets.get_bytes(SecretName::PasswordStrength) {
        // Written by a newer program: as if it weren't known.
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(SecretError::Absent) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        node::{InitServer, Node, OpenOptions, Use},
        profile::Profile,
    };
    use std::time::Instant;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_asks_how_things_stand_does_not_wait_for_an_engine_that_is_at_something_long() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let profile = Profile::in_folder(&folder.path().join("profile"));
        let request = InitServer {
            name: "Office PC".into(),
            stores: vec![format!("files:{}", data.display())],
            password: Secret::new("zebra-anchor-mild-otter-lamp".into()),
            internet: false,
            listen: Some("127.0.0.1:0".parse().unwrap()),
            secrets: Some(StoreKind::File),
            folders: None,
        };
        Node::init_server(&profile, request).await.unwrap();
        // Without the data, the first reading doesn't end.
        std::fs::remove_dir_all(&data).unwrap();
        let node = Node::open(&profile, Use::Serve, OpenOptions::default()).await.unwrap();
        let long = Duration::from_secs(5);
        let busy = Arc::clone(&node.instance);
        let busy = tokio::spawn(async move { busy.engine.run(move |_| std::thread::sleep(long)).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let begun = Instant::now();
        let status = node.instance.status_now().await.unwrap();
        assert!(status.is_reading);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert!(!busy.is_finished(), "it was answered meanwhile");
        busy.await.unwrap();
        node.shut_down().await;
    }
}
