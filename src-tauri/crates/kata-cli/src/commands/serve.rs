//! `kata serve`: the engine without a window.

use crate::args::Serve;
use crate::browser::{SystemBrowser, has_display};
use crate::engine::Running;
use crate::failure::Failure;
use crate::screen::Screen;
use kata_engine::Browser;
use kata_engine::life::Restart;
use serde_json::json;
use std::path::PathBuf;

pub(super) async fn run(screen: &Screen, home: PathBuf, options: Serve) -> Result<(), Failure> {
    // Set up before the start, so that a signal during the start ends it too, and orderly.
    let signal = signal()?;
    let engine = screen
        .working("starting", Running::start(home.clone(), options.port, options.safe))
        .await?;
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
        // The address holds no token.
        if let Err(e) = SystemBrowser.open(&url) {
            screen.note(&format!("the browser could not be opened ({e})"));
        }
    }
    tokio::select! {
        () = signal => {}
        // `kata stop`, or a client with the scope.
        () = engine.quit_requested() => {}
    }
    screen.note("finishing what runs; a second Ctrl-C ends at once");
    tokio::select! {
        () = screen.working("draining", engine.shutdown()) => again(engine.ended()),
        _ = tokio::signal::ctrl_c() => Err(Failure::new(crate::Exit::Failure, "ended before everything was finished")
            .hint("nothing is lost; what was open is taken up at the next start")),
    }
}

/// Begins again in the place of this process, where somebody asked for it.
fn again(restart: Option<Restart>) -> Result<(), Failure> {
    let Some(restart) = restart else { return Ok(()) };
    restart
        .now()
        .map_err(|e| Failure::new(crate::Exit::Failure, format!("the engine has ended and could not begin again: {e}")).hint("kata serve"))
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
