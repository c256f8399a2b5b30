//! Dialogs, opening things, starting with the computer, notifications: what the host asks of a desktop.

use crate::{tray::Tray, window};
use app::{
    host::{Answer, Desktop, FileKind, Host, Notice, Target, types::HostEvent},
    profile::Profile,
};
use auto_launch::{AutoLaunch, AutoLaunchBuilder};
use std::{fmt, io, path::PathBuf, sync::OnceLock};
use tauri::{AppHandle, Manager as _};
use tokio::sync::oneshot;

/// Said in the log when something is dropped.
pub(crate) const DROP: &str = "something was dropped onto the window";

/// The desktop as Tauri and a few small crates know it.
pub(crate) struct TauriDesktop {
    app: AppHandle,
    tray: Tray,
    launch: io::Result<AutoLaunch>,
    host: OnceLock<Host>,
}

impl fmt::Debug for TauriDesktop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TauriDesktop").finish_non_exhaustive()
    }
}

impl TauriDesktop {
    pub(crate) fn new(app: AppHandle, tray: Tray, profile: &Profile, config_dir: Option<PathBuf>) -> Self {
        Self { app, tray, launch: launch(profile, config_dir), host: OnceLock::new() }
    }

    /// From now on the tray has somebody to ask.
    pub(crate) fn begin(&self, host: &Host) {
        self.host.set(host.clone()).ok();
        self.tray.begin(host);
    }

    /// Dialogs belong to the thread of the windows; who waits for their answer doesn't.
    fn ask(
        &self,
        ask: impl FnOnce(rfd::AsyncFileDialog) -> Answer<Option<rfd::FileHandle>> + Send + 'static,
    ) -> Answer<Option<PathBuf>> {
        let (answered, answer) = oneshot::channel();
        let app = self.app.clone();
        let asked = self.app.run_on_main_thread(move || {
            let mut dialog = rfd::AsyncFileDialog::new();
            if let Some(window) = app.get_webview_window(window::MAIN) {
                dialog = dialog.set_parent(&window);
            }
            // GTK would begin with the files used last; the other systems remember the folder of the last time.
            if cfg!(target_os = "linux")
                && let Ok(home) = app.path().home_dir()
            {
                dialog = dialog.set_directory(home);
            }
            let waiting = ask(dialog);
            tauri::async_runtime::spawn(async move {
                let chosen = waiting.await.map(|file| file.path().to_owned());
                // Whoever asked may be gone.
                answered.send(chosen).ok();
            });
        });
        Box::pin(async move {
            if let Err(error) = asked {
                tracing::warn!(%error, "a dialog can't be opened");
                return None;
            }
            answer.await.ok().flatten()
        })
    }
}

impl Desktop for TauriDesktop {
    fn choose_folder(&self, title: String) -> Answer<Option<PathBuf>> {
        self.ask(move |dialog| Box::pin(dialog.set_title(title).pick_folder()))
    }

    fn choose_file(&self, title: String, kind: FileKind) -> Answer<Option<PathBuf>> {
        self.ask(move |dialog| Box::pin(dialog.set_title(title).add_filter(kind.name, &kind.extensions).pick_file()))
    }

    fn save_file(&self, title: String, name: String, kind: FileKind) -> Answer<Option<PathBuf>> {
        self.ask(move |dialog| {
            let dialog = dialog.set_title(title).set_file_name(name).add_filter(kind.name, &kind.extensions);
            Box::pin(dialog.save_file())
        })
    }

    fn open(&self, target: Target) -> io::Result<()> {
        match target {
            Target::Url(url) => open::that_detached(url),
            Target::Folder(path) | Target::Text(path) => open::that_detached(path),
            Target::FileInFolder(file) => show_in_folder(&file),
            Target::EnergySettings => open_energy_settings(),
        }
    }

    fn starts_with_computer(&self) -> io::Result<bool> {
        self.launch()?.is_enabled().map_err(io::Error::other)
    }

    fn set_starts_with_computer(&self, on: bool) -> io::Result<()> {
        let launch = self.launch()?;
        if on { launch.enable() } else { launch.disable() }.map_err(io::Error::other)
    }

    fn has_tray(&self) -> bool {
        self.tray.is_seen()
    }

    fn told(&self, event: &HostEvent) {
        self.tray.told(event);
        window::tell_page(&self.app, event);
    }

    fn notify(&self, notice: Notice) {
        // Who looks at the window sees the same there.
        let is_looked_at = self
            .app
            .get_webview_window(window::MAIN)
            .is_some_and(|window| window.is_focused().unwrap_or(false) && window.is_visible().unwrap_or(false));
        if is_looked_at {
            return;
        }
        // The message bus may be slow, or not there.
        std::thread::spawn(move || {
            let mut notification = notify_rust::Notification::new();
            notification.appname("Tandem").summary(&notice.title).body(&notice.text).icon("tandem-desktop");
            if let Err(error) = notification.show() {
                tracing::info!(%error, "nobody shows notifications");
            }
        });
    }

    fn hide(&self) {
        if let Some(window) = self.app.get_webview_window(window::MAIN)
            && let Err(error) = window.hide()
        {
            tracing::warn!(%error, "the window can't be hidden");
        }
    }

    fn quit(&self) {
        crate::ending::end(&self.app);
    }
}

impl TauriDesktop {
    fn launch(&self) -> io::Result<&AutoLaunch> {
        self.launch.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))
    }
}

/// How the system starts this program with the computer: hidden, and with the same profile.
fn launch(profile: &Profile, config_dir: Option<PathBuf>) -> io::Result<AutoLaunch> {
    let program = std::env::current_exe()?;
    let (mut name, mut arguments) = ("Tandem".to_owned(), vec!["--hidden".to_owned()]);
    if config_dir.is_some() {
        name.push_str(&crate::suffix(Some(profile)).replace('.', "-"));
        arguments.extend(["--config-dir".to_owned(), quoted(&profile.folder().display().to_string())]);
    }
    AutoLaunchBuilder::new()
        .set_app_name(&name)
        .set_app_path(&quoted(&program.display().to_string()))
        .set_args(&arguments)
        .build()
        .map_err(io::Error::other)
}

/// Start commands are split at blanks (Desktop Entry Specification, "The Exec key").
fn quoted(text: &str) -> String {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || "/._-:\\".contains(c));
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\\\"")) }
}

fn show_in_folder(file: &std::path::Path) -> io::Result<()> {
    if cfg!(target_os = "macos") {
        return std::process::Command::new("open").arg("-R").arg(file).spawn().map(drop);
    }
    if cfg!(windows) {
        return std::process::Command::new("explorer").arg("/select,").arg(file).spawn().map(drop);
    }
    open::that_detached(file.parent().unwrap_or(file))
}

fn open_energy_settings() -> io::Result<()> {
    if cfg!(windows) {
        return open::that_detached("ms-settings:powersleep");
    }
    if cfg!(target_os = "macos") {
        return open::that_detached("x-apple.systempreferences:com.apple.Battery-Settings.extension");
    }
    let known: [(&str, &[&str]); 3] = [
        ("gnome-control-center", &["power"]),
        ("systemsettings", &["kcm_powerdevilprofilesconfig"]),
        ("xfce4-power-manager-settings", &[]),
    ];
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for (program, arguments) in known {
        match std::process::Command::new(program).args(arguments).spawn() {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
