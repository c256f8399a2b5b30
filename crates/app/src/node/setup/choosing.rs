//! Choosing anew after a preview, and the end of taking over.

use super::{CHOICE, Choice, Mode, forget_records, prepare_stores};
use crate::{
    api::types::Direction,
    engine::Part,
    index::Index,
    message::{Code, Problem, Result},
    node::{Instance, Node, OpenOptions, Use, gone, now_secs},
    profile::Profile,
    settings::Settings,
};
use std::sync::PoisonError;
use sync::plan::Pairing;

/// What a client wants, that was added to its server but hasn't started its first synchronization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JoinAgain {
    /// Where this computer's data is: one place, or several.
    pub stores: Vec<String>,
    /// What the first synchronization does with what only one side has.
    pub mode: Pairing,
    /// Only these folders.
    pub only: Vec<String>,
    /// Folders called otherwise here: (the server's path, ours).
    pub map: Vec<(String, String)>,
    /// Which way the changes of single folders go, by the server's path.
    pub directions: Vec<(String, Direction)>,
}

impl Node {
    /// Goes on after a preview. A choice that differs from the one the preview was made with begins anew: what was compared
    /// is forgotten, and nothing else, as nothing was carried yet.
    pub async fn join_again(profile: &Profile, request: JoinAgain) -> Result<Self> {
        let mut node = Self::open(profile, Use::Once, OpenOptions::default()).await?;
        if node.is_taking_back() {
            // What this computer had before lies in what is forgotten below.
            node.shut_down().await;
            Self::take_back_first(profile).await?;
            node = Self::open(profile, Use::Once, OpenOptions::default()).await?;
        }
        let settings = node.instance.settings().clone();
        let chosen = node.instance.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if chosen.is_started {
            let server = settings.server.as_ref().map(|server| server.name.to_string()).unwrap_or_default();
            return Err(Problem::new(Code::AlreadyConnected).with("server", server));
        }
        let JoinAgain { stores, mode, only, map, directions } = request;
        // One whose taking back was interrupted is never the same: what is here now would pass for what people deleted.
        let wanted = Choice { mode: mode.into(), only, map, directions, is_set: chosen.is_set, ..Choice::default() };
        if wanted == chosen && settings.stores.iter().map(ToString::to_string).eq(stores.iter().cloned()) {
            return Ok(node);
        }
        let stores = prepare_stores(&stores, profile).await?;
        node.shut_down().await;
        let lock = profile.lock()?;
        let mut settings = Settings::load(&profile.settings_file())?;
        forget_records(profile, &mut settings)
            .map_err(|error| Problem::new(Code::ProfileUnusable).with("folder", profile.folder()).because(error))?;
        settings.stores = stores;
        settings.save(&profile.settings_file())?;
        let node = Self::start(lock, settings, Use::Once, OpenOptions::default()).await?;
        let pairing = wanted.pairing();
        node.instance.keep_choice(Choice { is_set: false, ..wanted }).await?;
        node.instance.engine.run(move |room| room.replica.settings_mut().pairing = pairing).await.ok_or_else(gone)?;
        Ok(node)
    }
}

/// Keeps a choice for the instance that will be opened.
pub(super) fn keep_for_later(profile: &Profile, choice: &Choice) -> Result<()> {
    let bytes = serde_json::to_vec(choice).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
    let opened = Index::open(&profile.index_database(), now_secs())?;
    Ok(opened.index.set_value(CHOICE, Some(&bytes))?)
}

impl Instance {
    /// A new server that offers only some of its folders keeps the others out before anything of them is numbered.
    pub(in crate::node) async fn keep_folders_out(&self) -> Result<()> {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(offers) = choice.offers.clone().filter(|_| !choice.is_set) else { return Ok(()) };
        self.wait_compared().await?;
        self.ask(move |room| {
            for folder in room.folder_views()? {
                let path = folder.here.as_deref().unwrap_or(&folder.path);
                if !offers.iter().any(|offered| offered == path) {
                    let uid = room.find_folder(&folder.uid)?;
                    room.set_direction(uid, Direction::Off.into())?;
                }
            }
            room.replica.settings_mut().is_preview = false;
            room.replica.observed_all();
            Ok(())
        })
        .await?;
        self.keep_choice(Choice { is_set: true, ..choice }).await
    }

    /// Waits for the end of the first synchronization. Its runs are known from then on, and taking over is over: what is
    /// only here is new and not left over.
    pub(in crate::node) async fn end_first(&self) {
        let mut state = self.engine.state();
        loop {
            let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if choice.is_started && choice.first_ended.is_some() {
                return;
            }
            let is_done = choice.is_started && self.is_quiet_now().await.unwrap_or(false);
            if is_done {
                match self.write_first_down().await {
                    Ok(()) => return,
                    Err(problem) => tracing::warn!(%problem, "the end of the first synchronization isn't written down"),
                }
            }
            if state.changed().await.is_err() {
                return;
            }
        }
    }

    /// Everything is quiet: if this is so for the first time, the first synchronization is over.
    pub(in crate::node) async fn write_first_down(&self) -> Result<()> {
        let choice = self.choice.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if self.part == Part::Server || !choice.is_started || choice.first_ended.is_some() {
            return Ok(());
        }
        let newest = self
            .ask(|room| {
                room.replica.settings_mut().pairing = Pairing::Combine;
                // What comes now is another run.
                room.history.close(&room.index)?;
                Ok(room.index.runs(None, 1)?.first().map_or(0, |run| run.id.0))
            })
            .await?;
        self.keep_choice(Choice { mode: Mode::Combine, first_ended: Some(newest), ..choice }).await
    }
}
