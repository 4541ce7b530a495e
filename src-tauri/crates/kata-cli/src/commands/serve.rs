//! `kata serve`: the engine without a window.

use crate::args::Serve;
use crate::engine::Running;
use crate::failure::Failure;
use crate::screen::Screen;
use serde_json::json;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub(super) async fn run(screen: &Screen, home: PathBuf, options: Serve) -> Result<(), Failure> {
    // Set up before the start, so that a signal during the start ends it too, and orderly.
    let signal = signal()?;
    let engine = screen.working("starting", Running::start(home.clone(), options.port)).await?;
    let url = engine.port().map(|port| format!("http://127.0.0.1:{port}"));
    let shown = url.as_deref().unwrap_or("no gateway");
    if screen.json {
        screen.json_line(&json!({"url": url, "home": home, "pid": std::process::id()}))?;
    } else {
        screen.text(&format!("Kata Agents runs at {shown}\n"))?;
    }
    screen.note(&format!(
        "hint: `kata status` and `kata chat` in another terminal; home is {}; Ctrl-C ends",
        home.display()
    ));
    if let Some(url) = url.filter(|_| !options.no_open && screen.is_interactive() && has_display()) {
        open(screen, &url);
    }
    tokio::select! {
        () = signal => {}
        // `kata stop`, or a client with the scope.
        () = engine.quit_requested() => {}
    }
    screen.note("finishing what runs; a second Ctrl-C ends at once");
    tokio::select! {
        () = screen.working("draining", engine.shutdown()) => Ok(()),
        _ = tokio::signal::ctrl_c() => Err(Failure::new(crate::Exit::Failure, "ended before everything was finished")
            .hint("nothing is lost; what was open is taken up at the next start")),
    }
}

/// Returns at SIGINT or SIGTERM.
#[cfg(unix)]
fn signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns at Ctrl-C.
#[cfg(not(unix))]
fn signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

/// Asks the system to show the window in a browser. The address holds no token.
fn open(screen: &Screen, url: &str) {
    let (program, arguments): (_, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[url]),
        "windows" => ("explorer", &[url]),
        _ => ("xdg-open", &[url]),
    };
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(e) = started {
        screen.note(&format!("the browser could not be opened ({program}: {e})"));
    }
}
