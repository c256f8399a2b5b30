//! `tandem-desktop`: a window, a tray icon, and what the system hands over (files, links, dark mode).
//!
//! Everything that decides is in [`app::host`]; the page reaches it through one command, `call`, and hears of it through one
//! event, `host`. What dies with Tauri is here:
//!
//! | file | story |
//! |---|---|
//! | `main.rs` | starting and ending |
//! | `door.rs` | the one command and the one event |
//! | `ending.rs` | ending, and being started again meanwhile |
//! | `window.rs` | the window, drops onto it, closing it, dark mode |
//! | `desktop.rs` | dialogs, opening things, starting with the computer |
//! | `tray.rs` | the icon with seven shapes |
//! | `portal.rs` | what a Linux desktop says over D-Bus |

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod desktop;
mod door;
mod ending;
mod portal;
mod tray;
mod window;

use app::{
    host::{Given, Host, HostOptions},
    profile::Profile,
    secrets::StoreKind,
};
use clap::Parser;
use desktop::TauriDesktop;
use door::Door;
use ending::Ending;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use tauri::{Manager as _, RunEvent};

/// Keeps mail, contacts, calendar, tasks and notes the same on your own computers.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Folder that holds everything of one Tandem installation
    #[arg(long, value_name = "DIR", env = app::profile::CONFIG_DIR_VARIABLE)]
    config_dir: Option<PathBuf>,
    /// Start without showing the window
    #[arg(long)]
    hidden: bool,
    /// Where keys are kept; without: the password store of the computer, if it has one
    #[arg(long, value_name = "PLACE", value_parser = ["keyring", "file"])]
    secrets: Option<String>,
    /// Address a new server listens at
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Invitations to open: files or links
    #[arg(value_name = "INVITATION")]
    given: Vec<String>,
}

impl Arguments {
    fn host_options(&self) -> HostOptions {
        let secrets = self.secrets.as_deref().map(|place| match place {
            "file" => StoreKind::File,
            _ => StoreKind::Keyring,
        });
        HostOptions { secrets, listen: self.listen }
    }
}

/// Work that is being written at the end gets this long.
const ENDING_MAX: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let profile = match Profile::find(arguments.config_dir.as_deref()) {
        Ok(profile) => profile,
        Err(error) => {
            // There is no window yet to say it in.
            eprintln!("Tandem can't start: {error}");
            return ExitCode::FAILURE;
        }
    };
    app::log::start(Some(profile.logs()), false);
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!(place = ?panic.location().map(ToString::to_string), "a thread panicked");
        default_hook(panic);
    }));
    match run(arguments, profile) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the window can't be opened");
            eprintln!("Tandem can't open its window: {error}\nWithout a display, use `tandem`.");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, profile: Profile) -> Result<(), Box<dyn std::error::Error>> {
    // The engine never waits for the window, nor the window for the engine.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("tandem").build()?;
    tauri::async_runtime::set(runtime.handle().clone());

    let mut context = tauri::generate_context!();
    // One window per profile: single instance, window place and cookies go by the identifier.
    context.config_mut().identifier.push_str(&suffix(arguments.config_dir.as_ref().map(|_| &profile)));
    let folder = std::env::current_dir().unwrap_or_default();
    let given = Given::from_arguments(arguments.given.clone(), &folder);
    let door = Door::default();

    let ending = Ending::default();
    let (to_open, to_keep) = (door.clone(), ending.clone());
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(move |app, arguments, folder| {
            if to_keep.keeps(&arguments, &folder) {
                return;
            }
            window::show(app);
            let given = Arguments::try_parse_from(arguments).map(|arguments| arguments.given).unwrap_or_default();
            to_open.give(Given::from_arguments(given, std::path::Path::new(&folder)));
        }))
        .plugin(tauri_plugin_window_state::Builder::new().with_state_flags(window::STATE).build())
        .manage(door.clone())
        .manage(ending.clone())
        .invoke_handler(tauri::generate_handler![door::commands::call])
        .on_window_event(window::happened)
        .setup(move |app| {
            let handle = app.handle().clone();
            let tray = tray::Tray::new(&handle);
            let desktop = Arc::new(TauriDesktop::new(handle.clone(), tray, &profile, arguments.config_dir.clone()));
            window::open(&handle, arguments.hidden)?;
            let options = arguments.host_options();
            let opening = door.clone();
            tauri::async_runtime::spawn(async move {
                let host = Host::open(profile, Arc::clone(&desktop) as Arc<dyn app::host::Desktop>, options).await;
                desktop.begin(&host);
                opening.open(host, given);
            });
            portal::watch_dark(&handle, &door);
            #[cfg(unix)]
            end_when_told(&handle)?;
            Ok(())
        })
        .build(context)?;
    built.run(move |app, event| match event {
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::Exit => {
            let door = app.state::<Door>().inner().clone();
            if let Some(host) = door.host_now() {
                let ended = tauri::async_runtime::block_on(tokio::time::timeout(ENDING_MAX, host.shut_down()));
                if ended.is_err() {
                    tracing::warn!("the end took too long");
                }
            }
            ending.over(app);
        }
        #[cfg(any(target_os = "macos", target_os = "ios"))]
        RunEvent::Opened { urls } => {
            let given = urls.iter().map(|url| match url.to_file_path() {
                Ok(path) => Given::File(path),
                Err(()) => Given::Text(url.to_string()),
            });
            app.state::<Door>().give(given.collect());
            window::show(app);
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        _ => {}
    });
    drop(runtime);
    Ok(())
}

/// The end of a session, or an interrupt in a terminal, ends the program as its menu does.
#[cfg(unix)]
fn end_when_told(app: &tauri::AppHandle) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let _runtime = tauri::async_runtime::handle().inner().enter();
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let (mut told, app) = (signal(kind)?, app.clone());
        tauri::async_runtime::spawn(async move {
            told.recv().await;
            ending::end(&app);
        });
    }
    Ok(())
}

/// Tells the windows of several profiles apart; the user's own profile needs no telling.
fn suffix(profile: Option<&Profile>) -> String {
    let Some(profile) = profile else { return String::new() };
    let hash = blake3::hash(profile.folder().as_os_str().as_encoded_bytes()).to_hex();
    // A part of a D-Bus name begins with a letter.
    format!(".p{}", &hash[..16])
}
