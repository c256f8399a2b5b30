//! What a Linux desktop says over D-Bus: whether it is dark, and whether anybody shows tray icons.
//!
//! WebKitGTK takes dark mode from a GTK setting that few desktops set; what they do set is the portal's
//! `org.freedesktop.appearance color-scheme` (XDG Desktop Portal, Settings).

use crate::door::Door;
use tauri::AppHandle;

#[cfg(target_os = "linux")]
pub(crate) use linux::{has_tray_host, watch_dark};

#[cfg(not(target_os = "linux"))]
pub(crate) fn watch_dark(app: &AppHandle, door: &Door) {
    use crate::window::MAIN;
    use tauri::{Manager as _, Theme};
    let is_dark = app.get_webview_window(MAIN).and_then(|window| window.theme().ok()) == Some(Theme::Dark);
    let door = door.clone();
    tauri::async_runtime::spawn(async move {
        door.host().await.set_system_is_dark(is_dark);
    });
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn has_tray_host() -> bool {
    true
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{AppHandle, Door};
    use crate::window::MAIN;
    use tauri::{Manager as _, Theme};
    use zbus::{Connection, proxy, zvariant::OwnedValue};

    const APPEARANCE: &str = "org.freedesktop.appearance";
    const COLOR_SCHEME: &str = "color-scheme";
    /// The value of `color-scheme` that says dark.
    const PREFERS_DARK: u32 = 1;

    #[proxy(
        interface = "org.freedesktop.portal.Settings",
        default_service = "org.freedesktop.portal.Desktop",
        default_path = "/org/freedesktop/portal/desktop",
        gen_blocking = false
    )]
    trait Settings {
        fn read_one(&self, namespace: &str, key: &str) -> zbus::Result<OwnedValue>;
        #[zbus(signal)]
        fn setting_changed(&self, namespace: &str, key: &str, value: OwnedValue) -> zbus::Result<()>;
    }

    #[proxy(
        interface = "org.kde.StatusNotifierWatcher",
        default_service = "org.kde.StatusNotifierWatcher",
        default_path = "/StatusNotifierWatcher",
        gen_blocking = false
    )]
    trait StatusNotifierWatcher {
        #[zbus(property)]
        fn is_status_notifier_host_registered(&self) -> zbus::Result<bool>;
    }

    /// Follows the desktop's colours. Without a portal the window stays light, or as its settings say.
    pub(crate) fn watch_dark(app: &AppHandle, door: &Door) {
        let (app, door) = (app.clone(), door.clone());
        tauri::async_runtime::spawn(async move {
            if let Err(error) = follow(&app, &door).await {
                tracing::debug!(%error, "the desktop doesn't say whether it is dark");
            }
        });
    }

    async fn follow(app: &AppHandle, door: &Door) -> zbus::Result<()> {
        let settings = SettingsProxy::new(&Connection::session().await?).await?;
        let mut changes = settings.receive_setting_changed().await?;
        let now = settings.read_one(APPEARANCE, COLOR_SCHEME).await?;
        set(app, door, &now).await;
        while let Some(change) = next(&mut changes).await {
            let Ok(change) = change.args() else { continue };
            if change.namespace == APPEARANCE && change.key == COLOR_SCHEME {
                set(app, door, &change.value).await;
            }
        }
        Ok(())
    }

    /// One item of a stream, without a crate for it.
    async fn next(changes: &mut SettingChangedStream) -> Option<SettingChanged> {
        use zbus::export::futures_core::Stream as _;
        std::future::poll_fn(|context| std::pin::Pin::new(&mut *changes).poll_next(context)).await
    }

    async fn set(app: &AppHandle, door: &Door, value: &OwnedValue) {
        let is_dark = u32::try_from(value).is_ok_and(|scheme| scheme == PREFERS_DARK);
        if let Some(window) = app.get_webview_window(MAIN) {
            window.set_theme(Some(if is_dark { Theme::Dark } else { Theme::Light })).ok();
        }
        door.host().await.set_system_is_dark(is_dark);
    }

    /// Whether somebody shows tray icons now. Plain GNOME doesn't.
    pub(crate) async fn has_tray_host() -> bool {
        let asked = async {
            let watcher = StatusNotifierWatcherProxy::new(&Connection::session().await?).await?;
            watcher.is_status_notifier_host_registered().await
        };
        asked.await.unwrap_or(false)
    }
}
