//! The tray: one line of health, open, quit. It keeps the program reachable while no window is open.

use crate::host::Host;
use crate::window;
use kata_core::EventHub;
use kata_protocol::{Empty, Fact};
use std::sync::Arc;
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager as _, Wry};
use tokio::sync::broadcast::error::RecvError;

const OPEN: &str = "open";
const QUIT: &str = "quit";
/// Said until the engine stands.
pub(crate) const STARTING: &str = "Starting…";

/// The parts that change after the tray was built.
struct Tray {
    health: MenuItem<Wry>,
    icon: TrayIcon<Wry>,
}

/// Puts the icon into the tray. Without a tray on the desktop it stays invisible; a second start opens the window then.
pub(crate) fn build(app: &AppHandle) -> tauri::Result<()> {
    let health = MenuItem::with_id(app, "health", STARTING, false, None::<&str>)?;
    let open = MenuItem::with_id(app, OPEN, "Open Kata Agents", true, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, "Quit", true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&health, &PredefinedMenuItem::separator(app)?, &open, &quit])?;
    let icon = TrayIconBuilder::with_id("kata")
        .icon(tauri::include_image!("icons/tray.png"))
        .icon_as_template(true)
        .tooltip("Kata Agents")
        .menu(&menu)
        .on_menu_event(chosen)
        .build(app)?;
    app.manage(Tray { health, icon });
    Ok(())
}

fn chosen(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        OPEN => window::open_soon(app),
        QUIT => app.exit(0),
        _ => {}
    }
}

/// Keeps the line of health true until the engine ends.
pub(crate) async fn follow_health(app: AppHandle, host: Arc<Host>, events: Arc<EventHub>) {
    let mut facts = events.subscribe();
    show_present_health(&app, &host).await;
    loop {
        match facts.recv().await {
            Ok(fact) => {
                if let Fact::HealthChanged { health } = &fact.fact {
                    show(&app, &health.line);
                }
            }
            Err(RecvError::Lagged(_)) => show_present_health(&app, &host).await,
            Err(RecvError::Closed) => return,
        }
    }
}

async fn show_present_health(app: &AppHandle, host: &Host) {
    let Ok(operations) = host.operations().await else { return };
    if let Ok(status) = operations.system_status(host.caller(), Empty {}).await {
        show(app, &status.health.line);
    }
}

/// Puts a line where the health stands.
pub(crate) fn show(app: &AppHandle, line: &str) {
    let Some(tray) = app.try_state::<Tray>() else { return };
    let line = if line.is_empty() { "Running" } else { line };
    let shown = tray
        .health
        .set_text(line)
        .and_then(|()| tray.icon.set_tooltip(Some(format!("Kata Agents: {line}"))));
    if let Err(error) = shown {
        tracing::warn!(%error, "the tray does not show the present health");
    }
}
