//! The settings pages: what belongs to the window, to the running instance and to the system, in one list.

use super::{
    Host, Running, WindowSettings, blocking,
    desktop::FileKind,
    types::{BackupPlace, ChangeSettings, HostEvent, ResetSettings, SavedFile, SettingsPage, SettingsView},
};
use crate::{
    api::types::{Nothing, Options, SetOptions, Status},
    blobs::{Keep, place},
    language::Language,
    message::{Code, Problem, Result},
    node::Node,
    private_file,
    secrets::StoreKind,
    settings::Settings,
};
use serde::{Deserialize, Serialize};
use std::path::Path;

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
        let blobs = place::folder(self.profile(), &stored).display().to_string();
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
            upload_bytes_per_sec_max: options.as_ref().map_or(0, |options| options.upload_bytes_per_sec_max),
            download_bytes_per_sec_max: options.as_ref().map_or(0, |options| options.download_bytes_per_sec_max),
            waits_on_metered: options.as_ref().is_some_and(|options| options.waits_on_metered),
            knows_metered: crate::metered::IS_KNOWN,
            detailed_log: options.as_ref().is_some_and(|options| options.detailed_log),
            conflicts: options.as_ref().map(|options| options.conflicts).unwrap_or_default(),
            backup_days: options.as_ref().map_or(history.days, |options| options.backup_days),
            backup_bytes_max: options.as_ref().map_or(Keep::DEFAULT.bytes_max, |options| options.backup_bytes_max),
            backup_bytes: options.as_ref().map_or(0, |options| options.backup_bytes),
            backup_place: options.as_ref().map_or(blobs, |options| options.backup_place.clone()),
            is_backup_elsewhere: stored.history.place.is_some(),
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
            upload_bytes_per_sec_max: change.upload_bytes_per_sec_max,
            download_bytes_per_sec_max: change.download_bytes_per_sec_max,
            waits_on_metered: change.waits_on_metered,
            detailed_log: change.detailed_log,
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
            SettingsPage::Internet => ChangeSettings {
                peer_names: Some(network.peer_names),
                upload_bytes_per_sec_max: Some(0),
                download_bytes_per_sec_max: Some(0),
                waits_on_metered: Some(network.waits_on_metered),
                ..ChangeSettings::default()
            },
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

    pub(super) async fn choose_backup_place(&self, request: BackupPlace) -> Result<SettingsView> {
        let chosen = match request.is_as_made {
            true => None,
            false => match self.desktop().choose_folder(self.word("window-choose-backup")).await {
                Some(folder) => Some(folder),
                None => return self.settings(Nothing {}).await,
            },
        };
        {
            let _one_at_a_time = self.changing().await;
            if matches!(self.running(), Running::Attached(_)) {
                return Err(Problem::new(Code::ProfileInUse).with("folder", self.profile().folder()));
            }
            // Nobody works with them while they are moved.
            self.end_running().await;
            let profile = self.profile().clone();
            let outcome = blocking(move || Node::keep_versions_in(&profile, chosen.as_deref())).await;
            self.reopen().await;
            outcome?;
        }
        self.state_changed().await?;
        self.settings(Nothing {}).await
    }

    pub(super) async fn export_settings(&self, _: Nothing) -> Result<SavedFile> {
        let now = self.settings(Nothing {}).await?;
        let settings = ChangeSettings {
            language: now.language,
            appearance: Some(now.appearance),
            more_contrast: Some(now.more_contrast),
            text_size_percent: Some(now.text_size_percent),
            starts_with_computer: Some(now.starts_with_computer),
            close: Some(now.close),
            tells_conflicts: Some(now.tells_conflicts),
            tells_held: Some(now.tells_held),
            tells_silence_after_days: Some(now.tells_silence_after_days),
            peer_names: Some(now.peer_names),
            upload_bytes_per_sec_max: Some(now.upload_bytes_per_sec_max),
            download_bytes_per_sec_max: Some(now.download_bytes_per_sec_max),
            waits_on_metered: Some(now.waits_on_metered),
            conflicts: Some(now.conflicts),
            backup_days: Some(now.backup_days),
            backup_bytes_max: Some(now.backup_bytes_max),
            ..ChangeSettings::default()
        };
        let file = SettingsFile { format: FORMAT.to_owned(), version: Settings::VERSION, settings };
        let text =
            serde_json::to_string_pretty(&file).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        self.save_text("window-export-settings", "tandem-settings.json", "json", text).await
    }

    pub(super) async fn import_settings(&self, _: Nothing) -> Result<SettingsView> {
        let kind = FileKind { name: self.word("window-files"), extensions: vec!["json"] };
        let Some(path) = self.desktop().choose_file(self.word("window-import-settings"), kind).await else {
            return self.settings(Nothing {}).await;
        };
        let settings = blocking(move || read_settings(&path)).await?;
        self.change_settings(settings).await
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

/// What a person chose, for another computer or another profile. What others know a computer by, and whether it may be
/// reached from outside, is decided on each of them; secrets are never in it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    format: String,
    version: u32,
    settings: ChangeSettings,
}

const FORMAT: &str = "tandem-settings";

/// Only what is needed to know whether the rest can be read.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn read_settings(path: &Path) -> Result<ChangeSettings> {
    let not_readable = |error| Problem::new(Code::FileNotReadable).with("file", path).because(error);
    let bytes = private_file::read(path, Settings::SIZE_MAX_BYTES).map_err(not_readable)?;
    if let Ok(Version { version }) = serde_json::from_slice(&bytes)
        && version > Settings::VERSION
    {
        return Err(Problem::new(Code::SettingsNewer).with("file", path).with("version", u64::from(version)));
    }
    let not_understood = |line: usize, reason: String| {
        let problem = Problem::new(Code::SettingsNotUnderstood).with("file", path);
        problem.with("line", line).with("reason", reason)
    };
    let file: SettingsFile =
        serde_json::from_slice(&bytes).map_err(|error| not_understood(error.line(), error.to_string()))?;
    if file.format != FORMAT {
        return Err(not_understood(1, format!("the format is `{}`, not `{FORMAT}`", file.format)));
    }
    Ok(ChangeSettings { name: None, port: None, internet: None, ..file.settings })
}

fn read_language(tag: &str) -> Result<Option<Language>> {
    if tag.is_empty() {
        return Ok(None);
    }
    let unknown = |_| Problem::new(Code::NotUnderstood).with("reason", format!("there is no language `{tag}`"));
    tag.parse().map(Some).map_err(unknown)
}
