//! The settings pages: what belongs to the window, to the running instance and to the system, in one list.

use super::{
    Host, WindowSettings, blocking,
    types::{ChangeSettings, HostEvent, ResetSettings, SettingsPage, SettingsView},
};
use crate::{
    api::types::{Nothing, Options, SetOptions, Status},
    blobs::Keep,
    language::Language,
    message::{Code, Problem, Result},
    secrets::StoreKind,
    settings::Settings,
};

impl Host {
    pub(super) async fn settings(&self, _: Nothing) -> Result<SettingsView> {
        let window = self.window();
        let file = self.profile().settings_file();
        let stored = blocking(move || Ok(Settings::load(&file)?)).await?;
        let options = self.options().await?;
        let internet = match &options {
            Some(_) => self.ask::<Status>("status", serde_json::json!({})).await?.internet,
            None => stored.network.internet,
        };
        let desktop = self.desktop();
        let history = stored.history.clone();
        let blobs = self.profile().blobs().display().to_string();
        Ok(SettingsView {
            language: stored.language.or(window.language).map(|language| language.tag().to_owned()),
            appearance: window.appearance,
            more_contrast: window.more_contrast,
            text_size_percent: window.text_size_percent,
            starts_with_computer: desktop.starts_with_computer().unwrap_or(false),
            close: window.close,
            tells_conflicts: window.tells_conflicts,
            tells_held: window.tells_held,
            tells_silence_after_days: window.tells_silence_after_days,
            name: options.as_ref().map_or(stored.name.map(|name| name.to_string()), |options| options.name.clone()),
            internet,
            peer_names: options.as_ref().map_or(stored.network.peer_names, |options| options.peer_names),
            port: options.as_ref().map_or(stored.network.listen.port(), |options| options.port),
            conflicts: options.as_ref().map(|options| options.conflicts).unwrap_or_default(),
            backup_days: options.as_ref().map_or(history.days, |options| options.backup_days),
            backup_bytes_max: options.as_ref().map_or(Keep::DEFAULT.bytes_max, |options| options.backup_bytes_max),
            backup_bytes: options.as_ref().map_or(0, |options| options.backup_bytes),
            backup_place: options.as_ref().map_or(blobs, |options| options.backup_place.clone()),
            is_password_kept: stored.secrets == Some(StoreKind::Keyring),
            needs_restart: self.needs_restart(),
        })
    }

    pub(super) async fn change_settings(&self, change: ChangeSettings) -> Result<SettingsView> {
        let mut window = self.window();
        if let Some(language) = &change.language {
            window.language = read_language(language)?;
        }
        window.appearance = change.appearance.unwrap_or(window.appearance);
        window.more_contrast = change.more_contrast.unwrap_or(window.more_contrast);
        let size = change.text_size_percent.unwrap_or(window.text_size_percent);
        window.text_size_percent =
            size.clamp(*WindowSettings::TEXT_SIZE_PERCENT.start(), *WindowSettings::TEXT_SIZE_PERCENT.end());
        window.close = change.close.unwrap_or(window.close);
        window.tells_conflicts = change.tells_conflicts.unwrap_or(window.tells_conflicts);
        window.tells_held = change.tells_held.unwrap_or(window.tells_held);
        window.tells_silence_after_days = change.tells_silence_after_days.unwrap_or(window.tells_silence_after_days);
        if let Some(on) = change.starts_with_computer {
            self.desktop().set_starts_with_computer(on).map_err(|error| {
                Problem::new(Code::SettingsNotSaved).with("folder", self.profile().folder()).because(error)
            })?;
        }
        self.set_window(window).await?;
        if let Some(on) = change.internet {
            self.ask::<Status>("set_internet", serde_json::json!({ "on": on })).await?;
        }
        let for_instance = SetOptions {
            language: change.language,
            name: change.name,
            peer_names: change.peer_names,
            port: change.port,
            conflicts: change.conflicts,
            backup_days: change.backup_days,
            backup_bytes_max: change.backup_bytes_max,
            ..SetOptions::default()
        };
        self.set_options(for_instance).await?;
        self.state_changed().await?;
        self.settings(Nothing {}).await
    }

    pub(super) async fn reset_settings(&self, request: ResetSettings) -> Result<SettingsView> {
        let made = WindowSettings::default();
        let network = crate::settings::Network::default();
        let change = match request.page {
            SettingsPage::General => ChangeSettings {
                language: Some(String::new()),
                appearance: Some(made.appearance),
                more_contrast: Some(made.more_contrast),
                text_size_percent: Some(made.text_size_percent),
                close: Some(made.close),
                ..ChangeSettings::default()
            },
            SettingsPage::Notifications => ChangeSettings {
                tells_conflicts: Some(made.tells_conflicts),
                tells_held: Some(made.tells_held),
                tells_silence_after_days: Some(made.tells_silence_after_days),
                ..ChangeSettings::default()
            },
            // The port stays: others know it. Whether the Internet is used is a decision, not a preference.
            SettingsPage::Internet => {
                ChangeSettings { peer_names: Some(network.peer_names), ..ChangeSettings::default() }
            }
            SettingsPage::Conflicts => {
                ChangeSettings { conflicts: Some(Default::default()), ..ChangeSettings::default() }
            }
            SettingsPage::Backup => {
                self.set_options(SetOptions { is_backup_as_made: true, ..SetOptions::default() }).await?;
                ChangeSettings::default()
            }
        };
        self.change_settings(change).await
    }

    /// The settings of the running instance; `None`: none is running.
    async fn options(&self) -> Result<Option<Options>> {
        if self.running().is_none() { Ok(None) } else { self.ask("options", serde_json::json!({})).await.map(Some) }
    }

    async fn set_options(&self, options: SetOptions) -> Result<()> {
        if self.running().is_none() {
            return Ok(());
        }
        if options.port.is_some() {
            self.set_needs_restart();
        }
        let request = serde_json::to_value(options).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        self.ask::<Options>("set_options", request).await.map(drop)
    }

    async fn set_window(&self, window: WindowSettings) -> Result<()> {
        let (profile, kept) = (self.profile().clone(), window.clone());
        blocking(move || kept.save(&profile)).await?;
        self.keep_window(window);
        Ok(())
    }

    pub(super) fn told_window(&self, event: &HostEvent) {
        self.desktop().told(event);
    }
}

fn read_language(tag: &str) -> Result<Option<Language>> {
    if tag.is_empty() {
        return Ok(None);
    }
    let unknown = |_| Problem::new(Code::NotUnderstood).with("reason", format!("there is no language `{tag}`"));
    tag.parse().map(Some).map_err(unknown)
}
