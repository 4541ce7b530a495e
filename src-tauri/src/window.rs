//! The one window: opened, focused, destroyed on close; and whether there is a screen for it at all.

use tauri::{AppHandle, Manager as _, Url, WebviewWindowBuilder};

const LABEL: &str = "main";

/// Said where no display can be reached.
pub(crate) const NO_DISPLAY: &str = "No display can be reached, so there is nowhere to open a window.\n\
The engine runs without one:  kata serve\n\
and is used from a terminal:  kata chat -m \"hello\"";

/// Refuses where there is no display, and keeps WebKit from GPU buffers where there is no GPU (it would show nothing).
pub(crate) fn prepare_display() -> Result<(), &'static str> {
    #[cfg(target_os = "linux")]
    {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !set("DISPLAY") && !set("WAYLAND_DISPLAY") {
            return Err(NO_DISPLAY);
        }
        if !set("WEBKIT_DISABLE_DMABUF_RENDERER") && !std::path::Path::new("/dev/dri").exists() {
            // SAFETY: called first in `main`, while this is the only thread.
            #[allow(unsafe_code, clippy::disallowed_methods, reason = "WebKit reads it from the environment only")]
            unsafe {
                std::env::set_var("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
            }
        }
    }
    Ok(())
}

/// Opens the window, or brings the open one to the front. Returns at once: building a window inside one of Tauri's own
/// callbacks deadlocks on Windows.
pub(crate) fn open_soon(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = open(&app) {
            tracing::error!(%error, "the window did not open");
        }
    });
}

fn open(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    let Some(config) = app.config().app.windows.iter().find(|window| window.label == LABEL) else {
        return Err(tauri::Error::WindowNotFound);
    };
    WebviewWindowBuilder::from_config(app, config)?
        .on_navigation(stays_inside)
        .build()?;
    Ok(())
}

/// Whether a person looks at the window now.
pub(crate) fn is_looked_at(app: &AppHandle) -> bool {
    app.get_webview_window(LABEL).is_some_and(|window| {
        let said = |answer: tauri::Result<bool>| answer.unwrap_or(false);
        said(window.is_focused()) && said(window.is_visible()) && !said(window.is_minimized())
    })
}

/// How many things need the person, on the icon of the app where the system shows that; a window that is opened later has it too.
pub(crate) fn show_badge(app: &AppHandle, count: usize) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let count = i64::try_from(count).ok().filter(|count| *count > 0);
        if let Err(error) = window.set_badge_count(count) {
            tracing::debug!(%error, "no badge");
        }
    }
}

/// The window shows our own page only; links go to the browser through `openExternal`.
fn stays_inside(url: &Url) -> bool {
    let ours = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
    ours || tauri::is_dev() && url.host_str() == Some("localhost")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_window_never_leaves_its_own_page() {
        let ours = |text: &str| stays_inside(&Url::parse(text).unwrap());
        assert!(ours("tauri://localhost/"));
        assert!(ours("http://tauri.localhost/index.html"));
        assert!(!ours("https://example.com/"));
        assert!(!ours("file:///etc/passwd"));
        assert!(!ours("https://tauri.localhost.example.com/"));
    }
}
