//! The window: opening it, what is dropped onto it, closing it.

use crate::{desktop::DROP, door::Door};
use app::host::{Given, types::HostEvent};
use tauri::{
    AppHandle, DragDropEvent, Emitter as _, Manager as _, Theme, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    Window, WindowEvent,
};
use tauri_plugin_window_state::StateFlags;

/// The one window.
pub(crate) const MAIN: &str = "main";
/// What is remembered of it. That it was hidden isn't: after a crash it would stay so.
pub(crate) const STATE: StateFlags = StateFlags::SIZE.union(StateFlags::POSITION).union(StateFlags::MAXIMIZED);
const SIZE: (f64, f64) = (960.0, 680.0);
const SIZE_MIN: (f64, f64) = (560.0, 420.0);

pub(crate) fn open(app: &AppHandle, is_hidden: bool) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title("Tandem")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SIZE_MIN.0, SIZE_MIN.1)
        .visible(!is_hidden)
        // Nothing but the program's own page is ever shown, and it opens no windows.
        .on_navigation(|url| {
            matches!(url.scheme(), "tauri" | "about") || url.host_str().is_some_and(|host| host == "tauri.localhost")
        })
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .build()?;
    Ok(window)
}

/// Brings the window to the front, from wherever it is.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    for result in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = result {
            tracing::warn!(%error, "the window can't be shown");
        }
    }
}

pub(crate) fn happened(window: &Window, event: &WindowEvent) {
    let door = window.state::<Door>().inner().clone();
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            // A page that doesn't live can't ask anybody; its window must be closable all the same.
            let Some(host) = door.host_now().filter(|_| door.page_lives()) else {
                crate::ending::end(window.app_handle());
                return;
            };
            api.prevent_close();
            tauri::async_runtime::spawn(async move { host.close_asked().await });
        }
        WindowEvent::DragDrop(DragDropEvent::Enter { paths, .. }) => {
            let given: Vec<Given> = paths.iter().cloned().map(Given::File).collect();
            let is_invitation = given.first().is_some_and(Given::looks_like_invitation);
            let files = given.iter().filter_map(Given::file_name).collect();
            tell(&door, HostEvent::Hovering { files, is_invitation });
        }
        WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) => {
            tracing::info!(count = paths.len(), "{DROP}");
            tell(&door, HostEvent::Hovering { files: Vec::new(), is_invitation: false });
            door.give(paths.iter().cloned().map(Given::File).collect());
        }
        WindowEvent::DragDrop(DragDropEvent::Leave) => {
            tell(&door, HostEvent::Hovering { files: Vec::new(), is_invitation: false });
        }
        WindowEvent::ThemeChanged(theme) => {
            tell(&door, HostEvent::SystemIsDark { is_dark: *theme == Theme::Dark });
        }
        _ => {}
    }
}

fn tell(door: &Door, event: HostEvent) {
    if let Some(host) = door.host_now() {
        host.tell(event);
    }
}

/// Hands what was told over to the page.
pub(crate) fn tell_page(app: &AppHandle, event: &HostEvent) {
    if let Err(error) = app.emit_to(MAIN, crate::door::EVENT, event) {
        tracing::warn!(%error, "the page can't be told");
    }
}
