//! The icon in the tray: seven shapes, a menu, and life without any of it.
//!
//! The menu is all that works everywhere: clicks on the icon itself don't arrive on Linux. Where the library for tray icons
//! is missing, or nobody shows them, everything stays in the window.

use crate::{portal, window};
use app::{
    api::types::{Event, Status, Word},
    host::{Host, types::HostEvent},
    language::Language,
    message::{self, Fact},
};
use chrono::Timelike as _;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tauri::{
    AppHandle, Wry,
    image::Image,
    menu::{Menu, MenuBuilder, MenuEvent, MenuItemBuilder, SubmenuBuilder},
    tray::{TrayIcon, TrayIconBuilder},
};

/// The tray icon, if there can be one.
#[derive(Clone)]
pub(crate) struct Tray(Arc<Shared>);

struct Shared {
    app: AppHandle,
    icon: Option<TrayIcon>,
    host: OnceLock<Host>,
    /// What the icon and the menu say now.
    shown: Mutex<Option<Shown>>,
    /// Somebody shows tray icons.
    is_seen: AtomicBool,
}

/// What the icon and the menu say.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    word: Option<Word>,
    line: String,
    conflicts: u64,
    language: Language,
}

impl Tray {
    pub(crate) fn new(app: &AppHandle) -> Self {
        let icon = if can_be() {
            let built = TrayIconBuilder::with_id("tandem")
                .icon(icon_of(None))
                .tooltip("Tandem")
                .show_menu_on_left_click(true)
                .on_menu_event(chosen)
                .build(app);
            built.inspect_err(|error| tracing::warn!(%error, "there is no tray icon")).ok()
        } else {
            tracing::info!("the library for tray icons isn't installed");
            None
        };
        let shared = Shared {
            app: app.clone(),
            icon,
            host: OnceLock::new(),
            shown: Mutex::default(),
            is_seen: AtomicBool::new(false),
        };
        Self(Arc::new(shared))
    }

    /// From now on the menu has somebody to ask.
    pub(crate) fn begin(&self, host: &Host) {
        self.0.host.set(host.clone()).ok();
        self.show(None, String::new(), 0);
        let tray = self.clone();
        tauri::async_runtime::spawn(async move {
            let has_host = portal::has_tray_host().await;
            tray.0.is_seen.store(has_host && tray.0.icon.is_some(), Ordering::Relaxed);
        });
        let (tray, host) = (self.clone(), host.clone());
        tauri::async_runtime::spawn(async move {
            // Nothing runs yet on a first start, and then there is nothing to say.
            if let Ok(status) = host.call("status", json!({})).await
                && let Ok(status) = serde_json::from_value::<Status>(status)
            {
                tray.show_status(&status);
            }
        });
    }

    /// Whether somebody sees the icon.
    pub(crate) fn is_seen(&self) -> bool {
        self.0.is_seen.load(Ordering::Relaxed)
    }

    pub(crate) fn told(&self, event: &HostEvent) {
        match event {
            HostEvent::Instance { event: Event::Status { status } } => self.show_status(status),
            HostEvent::State { .. } => {
                let shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(Shown { word, line, conflicts, .. }) = shown {
                    self.show(word, line, conflicts);
                }
            }
            _ => {}
        }
    }

    fn show_status(&self, status: &Status) {
        let Some(host) = self.0.host.get() else { return };
        let server = Fact::Text(status.server_name.clone());
        let facts = BTreeMap::from([("server".to_owned(), server)]);
        let line = message::word(host.language(), &format!("tray-{}", name_of(status.word)), &facts);
        self.show(Some(status.word), line, status.conflicts);
    }

    fn show(&self, word: Option<Word>, line: String, conflicts: u64) {
        let (Some(host), Some(_)) = (self.0.host.get(), &self.0.icon) else { return };
        let shown = Shown { word, line, conflicts, language: host.language() };
        {
            let mut now = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
            if now.as_ref() == Some(&shown) {
                return;
            }
            *now = Some(shown.clone());
        }
        let shared = Arc::clone(&self.0);
        // Menus belong to the thread of the windows.
        let asked = self.0.app.run_on_main_thread(move || {
            let Some(icon) = &shared.icon else { return };
            let set = || -> tauri::Result<()> {
                icon.set_menu(Some(menu(&shared.app, &shown)?))?;
                icon.set_icon(Some(icon_of(shown.word)))?;
                let tooltip =
                    if shown.line.is_empty() { "Tandem".to_owned() } else { format!("Tandem: {}", shown.line) };
                icon.set_tooltip(Some(tooltip))
            };
            if let Err(error) = set() {
                tracing::warn!(%error, "the tray icon can't be changed");
            }
        });
        if let Err(error) = asked {
            tracing::warn!(%error, "the tray icon can't be changed");
        }
    }
}

fn menu(app: &AppHandle, shown: &Shown) -> tauri::Result<Menu<Wry>> {
    let say = |key: &str| message::word(shown.language, key, &BTreeMap::new());
    let item = |id: &str| MenuItemBuilder::with_id(id, say(id)).build(app);
    let mut menu = MenuBuilder::new(app);
    if shown.word.is_some() {
        let line = MenuItemBuilder::with_id("tray-line", &shown.line).enabled(false).build(app)?;
        menu = menu.item(&line).separator();
    }
    menu = menu.item(&item("tray-open")?);
    if let Some(word) = shown.word {
        if word == Word::Paused {
            menu = menu.item(&item("tray-continue")?);
        } else {
            let pause = SubmenuBuilder::new(app, say("tray-pause"))
                .item(&item("tray-pause-half-hour")?)
                .item(&item("tray-pause-tomorrow")?)
                .item(&item("tray-pause-until-continued")?)
                .build()?;
            menu = menu.item(&item("tray-sync-now")?).item(&pause);
        }
        if shown.conflicts > 0 {
            let facts = BTreeMap::from([("n".to_owned(), Fact::from(shown.conflicts))]);
            let text = message::word(shown.language, "tray-conflicts", &facts);
            menu = menu.item(&MenuItemBuilder::with_id("tray-conflicts", text).build(app)?);
        }
        menu = menu.item(&item("tray-invite")?).item(&item("tray-settings")?);
    }
    menu.item(&item("tray-help")?).separator().item(&item("tray-quit")?).build()
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    let Some(host) = tauri::Manager::state::<crate::door::Door>(app).host_now() else { return };
    let page = |page: &str| {
        window::show(app);
        host.tell(HostEvent::Page { page: page.to_owned() });
    };
    let ask = |command: &'static str, request: serde_json::Value| {
        let host = host.clone();
        tauri::async_runtime::spawn(async move {
            if let Err(problem) = host.call(command, request).await {
                tracing::warn!(%problem, command, "what was chosen in the tray was refused");
            }
        });
    };
    match event.id().as_ref() {
        "tray-open" => window::show(app),
        "tray-sync-now" => ask("sync_now", json!({})),
        "tray-pause-half-hour" => ask("pause", json!({"minutes": 30})),
        "tray-pause-tomorrow" => ask("pause", json!({"minutes": until_tomorrow(chrono::Local::now().time())})),
        "tray-pause-until-continued" => ask("pause", json!({})),
        "tray-continue" => ask("resume", json!({})),
        "tray-conflicts" => page("conflicts"),
        "tray-invite" => page("invite"),
        "tray-settings" => page("settings"),
        "tray-help" => page("help"),
        "tray-quit" => {
            // A page that doesn't live can't ask anybody.
            if !tauri::Manager::state::<crate::door::Door>(app).page_lives() {
                return crate::ending::end(app);
            }
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if host.quit_asked().await {
                    window::show(&app);
                }
            });
        }
        _ => {}
    }
}

/// "Until tomorrow" ends at the first six o'clock that is a night away.
fn until_tomorrow(now: chrono::NaiveTime) -> u32 {
    const DAY: u32 = 24 * 60;
    const MORNING: u32 = 6 * 60;
    const NIGHT: u32 = 6 * 60;
    let until = (DAY + MORNING - (now.hour() * 60 + now.minute())) % DAY;
    if until < NIGHT { until + DAY } else { until }
}

const fn name_of(word: Word) -> &'static str {
    match word {
        Word::UpToDate => "up-to-date",
        Word::Synchronizing => "synchronizing",
        Word::Paused => "paused",
        Word::Waiting => "waiting",
        Word::Offline => "offline",
        Word::NeedsDecision => "needs-decision",
        Word::Problem => "problem",
    }
}

/// Each word has its own shape, not only its own colour.
fn icon_of(word: Option<Word>) -> Image<'static> {
    let bytes: &[u8] = match word {
        None => include_bytes!("../icons/32x32.png"),
        Some(Word::UpToDate) => include_bytes!("../icons/tray/up-to-date.png"),
        Some(Word::Synchronizing) => include_bytes!("../icons/tray/synchronizing.png"),
        Some(Word::Paused) => include_bytes!("../icons/tray/paused.png"),
        Some(Word::Waiting) => include_bytes!("../icons/tray/waiting.png"),
        Some(Word::Offline) => include_bytes!("../icons/tray/offline.png"),
        Some(Word::NeedsDecision) => include_bytes!("../icons/tray/needs-decision.png"),
        Some(Word::Problem) => include_bytes!("../icons/tray/problem.png"),
    };
    Image::from_bytes(bytes).expect("the icons are part of the program")
}

/// Whether there can be a tray icon: on Linux the library for it is loaded at run time, and panics where it is missing.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn can_be() -> bool {
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"].iter().any(|library| {
        // SAFETY: loading runs the library's initializers. These are the two libraries that the tray loads itself right
        // afterwards, and they have none but GTK's own.
        unsafe { libloading::Library::new(*library) }.is_ok()
    })
}

#[cfg(not(target_os = "linux"))]
const fn can_be() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::until_tomorrow;
    use chrono::NaiveTime;

    #[test]
    fn until_tomorrow_ends_in_the_morning_after_a_night() {
        let minutes = |hour, minute| until_tomorrow(NaiveTime::from_hms_opt(hour, minute, 0).expect("a time of day"));
        assert_eq!(minutes(17, 30), 12 * 60 + 30);
        assert_eq!(minutes(23, 59), 6 * 60 + 1);
        assert_eq!(minutes(0, 0), 6 * 60);
        assert_eq!(minutes(1, 0), 29 * 60);
        assert_eq!(minutes(6, 0), 24 * 60);
    }
}
