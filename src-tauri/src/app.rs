//! The life of the process: display, runtime, plugins of Tauri, one instance, drain on quit.
//!
//! Closing the window destroys it (its web process goes, a third of the memory with it); the engine, the tray and the process
//! stay. Quit, a signal and the operation `system.shutdown` all end in one drain; asked a second time, the program ends at once. Links
//! come as arguments of a start, or of a second one. Deliberately absent: updates, see [`crate::update`].

use crate::host::{self, Browser, Host, NoBrowser};
use crate::update::boot::Start;
use crate::{follow, ipc, places, tray, update, wake, window};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tauri::{App, AppHandle, Context, Manager as _, RunEvent, Wry};
use tauri_plugin_shell::ShellExt as _;

/// Runs the desktop app until it quits. 2 where there is no screen to open a window on.
pub fn main() -> ExitCode {
    let context = context();
    let version = context.package_info().version.to_string();
    let start = update::boot::at_start(&host::options(None).home, &version);
    if let Start::End(code) = start {
        return code;
    }
    if let Err(words) = window::prepare_display() {
        return refuse(words);
    }
    if let Start::Prove(shelf, pending) = start {
        update::boot::watch(shelf, pending);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().thread_name("kata").enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("The runtime could not start: {error}")),
    };
    // First of all, so that Tauri does not make a second runtime of its own.
    tauri::async_runtime::set(runtime.handle().clone());
    let host = Arc::new(Host::default());
    let app = match build(&host, context) {
        Ok(app) => app,
        Err(words) => return refuse(&words.0),
    };
    let code = run(app, Arc::clone(&host));
    if let Some(error) = update::become_the_installed_one() {
        return refuse(&format!("The installed version did not start: {error}"));
    }
    if let Err(error) = host.begin_again_now() {
        return refuse(&format!("Kata Agents has ended and could not begin again: {error}"));
    }
    runtime.shutdown_timeout(Duration::from_secs(2));
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What the build knows of the app.
#[allow(
    clippy::disallowed_methods,
    reason = "what `generate_context!` expands to ends the process in `tauri dev`"
)]
fn context() -> Context<Wry> {
    #[allow(unused_mut, reason = "a release is what it was built as")]
    let mut context = tauri::generate_context!();
    #[cfg(debug_assertions)]
    if let Some(version) = update::boot::version_of_the_package().and_then(|text| text.parse().ok()) {
        context.package_info_mut().version = version;
    }
    context
}

/// GTK panics where it cannot reach the display; a person gets a sentence instead.
fn build(host: &Arc<Host>, context: Context<Wry>) -> Result<App<Wry>, Refusal> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = catch_unwind(AssertUnwindSafe(|| builder(host).build(context)));
    std::panic::set_hook(hook);
    match built {
        Ok(Ok(app)) => Ok(app),
        Ok(Err(error)) => Err(Refusal(format!("The window could not be set up: {error}"))),
        Err(_) => Err(Refusal(window::NO_DISPLAY.to_owned())),
    }
}

/// Why there is no app, in words for the person at the terminal.
struct Refusal(String);

fn builder(host: &Arc<Host>) -> tauri::Builder<Wry> {
    let bindings = ipc::bindings();
    let handler = bindings.invoke_handler();
    let host = Arc::clone(host);
    tauri::Builder::default()
        .plugin(one_instance())
        .plugin(tauri_plugin_shell::init())
        .plugin(tauri_plugin_updater::Builder::new().build())
        .manage(Arc::clone(&host))
        .manage(places::Places::default())
        .invoke_handler(handler)
        .setup(move |app| {
            bindings.mount_events(app);
            set_up(app.handle(), &host);
            Ok(())
        })
}

/// One instance per home: a second start hands over and focuses the first one's window.
fn one_instance() -> tauri::plugin::TauriPlugin<Wry> {
    let plugin = tauri_plugin_single_instance::Builder::new().callback(|app, arguments, _folder| {
        if !places::open_arguments(app, arguments.into_iter().skip(1)) {
            window::open_soon(app);
        }
    });
    #[cfg(target_os = "linux")]
    let plugin = plugin.dbus_id(bus_name(std::env::var("KATA_CONFIG_DIR").ok().as_deref()));
    plugin.build()
}

/// A bus name for each home, so that an app on another home is another app.
#[cfg(any(target_os = "linux", test))]
fn bus_name(home: Option<&str>) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let Some(home) = home else {
        return "com.kata_agents.desktop".to_owned();
    };
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    format!("com.kata_agents.desktop.h{:016x}", hasher.finish())
}

/// Runs when Tauri is ready. Nothing here may fail the start: what is missing is logged, and the rest works.
fn set_up(app: &AppHandle, host: &Arc<Host>) {
    if let Err(error) = tray::build(app) {
        tracing::warn!(%error, "no tray icon");
    }
    tauri::async_runtime::spawn(bring_up(app.clone(), Arc::clone(host)));
    wake::follow(Arc::clone(host));
    // A link opens the window, also of a start that was to be hidden.
    // What is no text is no link.
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .filter_map(|argument| argument.into_string().ok())
        .collect();
    let hidden = arguments.iter().any(|argument| argument == "--hidden");
    if !places::open_arguments(app, arguments) && !hidden {
        window::open_soon(app);
    }
    quit_on_signal(app.clone());
    let (app, host) = (app.clone(), Arc::clone(host));
    tauri::async_runtime::spawn(async move {
        host.quit_requested().await;
        app.exit(0);
    });
}

/// Opens pages as the window does: in the browser of the desktop.
struct Pages(AppHandle);

impl Browser for Pages {
    #[allow(deprecated, reason = "the window opens pages by the same plugin")]
    fn open(&self, url: &str) -> Result<(), NoBrowser> {
        self.0.shell().open(url, None).map_err(|e| NoBrowser(e.to_string()))
    }
}

/// Starts the engine and joins window and tray to it; at the start of the app, and again when a person asks after it failed.
pub(crate) async fn bring_up(app: AppHandle, host: Arc<Host>) {
    let options = host::options(app.path().resource_dir().ok());
    let home = options.home.clone();
    match host.start(options).await {
        Some(events) => {
            host.open_pages_with(Arc::new(Pages(app.clone())));
            tauri::async_runtime::spawn(update::join(app.clone(), Arc::clone(&host), home));
            tauri::async_runtime::spawn(ipc::forward_facts(app.clone(), Arc::clone(&events)));
            tauri::async_runtime::spawn(follow::run(app, host, events));
        }
        None => tray::show(&app, "The engine did not start"),
    }
}

fn run(app: App<Wry>, host: Arc<Host>) -> i32 {
    let draining = AtomicBool::new(false);
    let drained = Arc::new(AtomicBool::new(false));
    app.run_return(move |app, event| match event {
        // The last window was closed: the tray keeps the process.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::ExitRequested { code: Some(code), api, .. } if !drained.load(Ordering::Acquire) => {
            if draining.swap(true, Ordering::AcqRel) {
                // Asked again: whoever waits has waited enough. What is not done is on disk, as after a power cut.
                tracing::warn!("ending at once");
                return;
            }
            api.prevent_exit();
            host.remember_window(!app.webview_windows().is_empty());
            let (app, host, drained) = (app.clone(), Arc::clone(&host), Arc::clone(&drained));
            tauri::async_runtime::spawn(async move {
                drain(&app, &host).await;
                drained.store(true, Ordering::Release);
                app.exit(code);
            });
        }
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            let _ = places::open_arguments(app, urls.into_iter().map(String::from));
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen {
            has_visible_windows: false,
            ..
        } => window::open_soon(app),
        _ => {}
    })
}

/// Lets the engine end, and says in the tray what that waits for.
async fn drain(app: &AppHandle, host: &Host) {
    let events = host.events();
    let ended = host.shut_down();
    tokio::pin!(ended);
    let mut said = None;
    loop {
        // Before it is asked what it waits for, so that no change falls in between.
        let mut facts = events.as_ref().map(|events| events.subscribe());
        let waits_for = Some(host.waits_for());
        if said != waits_for {
            tray::show_ending(app, waits_for.as_deref().unwrap_or_default());
            said = waits_for;
        }
        let changed = async {
            match &mut facts {
                Some(facts) => _ = facts.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = &mut ended => return,
            () = changed => {}
        }
    }
}

#[cfg(unix)]
fn quit_on_signal(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    tauri::async_runtime::spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            tracing::warn!("signals cannot be heard; quit from the tray");
            return;
        };
        // The second one ends it at once.
        for _ in 0..2 {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            app.exit(0);
        }
    });
}

#[cfg(not(unix))]
fn quit_on_signal(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            app.exit(0);
        }
    });
}

#[allow(clippy::print_stderr, reason = "the log is not open yet, and a person waits at the terminal")]
fn refuse(words: &str) -> ExitCode {
    eprintln!("{words}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_home_is_another_app_on_the_bus() {
        assert_eq!(bus_name(None), bus_name(None));
        assert_ne!(bus_name(None), bus_name(Some("/a")));
        assert_ne!(bus_name(Some("/a")), bus_name(Some("/b")));
    }
}
