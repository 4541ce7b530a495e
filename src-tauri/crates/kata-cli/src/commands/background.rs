//! `kata background`: the start at login. It needs no engine: it is files, and the system's own programs.

use crate::args::Background;
use crate::browser::has_display;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_engine::Options;
use kata_engine::life::background::{BackgroundError, Desk, Launch, Starts};
use kata_gateway::{FoundGateway, read_gateway_file};
use kata_protocol::WireError;
use std::path::{Path, PathBuf};

pub(super) async fn run(screen: &Screen, home: &Path, command: Background) -> Result<(), Failure> {
    let home = home.to_owned();
    // The system's programs are waited for.
    let (status, note) = match tokio::task::spawn_blocking(move || act(&home, &command)).await {
        Ok(done) => done?,
        Err(e) => {
            return Err(Failure::new(
                Exit::Failure,
                format!("the start at login could not be looked at: {e}"),
            ));
        }
    };
    if let Some(note) = note {
        screen.note(&note);
    }
    screen.result(&status, render::background)
}

fn act(home: &Path, command: &Background) -> Result<(kata_protocol::Background, Option<String>), Failure> {
    let program = std::env::current_exe()?;
    let Some(desk) = Desk::of_this_machine() else {
        return Err(Failure::new(Exit::Failure, "this account has no home folder"));
    };
    let app = app_beside(&program).filter(|_| has_display());
    let serve = matches!(command, Background::On { serve: true });
    let (program, starts) = match app.filter(|_| !serve) {
        Some(app) => (app, Starts::App),
        None => (program, Starts::Serve),
    };
    let env = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
    let launch = Launch::of(&program, starts, home, &Options::usual_home(), &env);
    let runs = matches!(read_gateway_file(&home.join("gateway.json")), Ok(FoundGateway::Live(_)));
    let mut note = None;
    match command {
        Background::Status => {}
        Background::On { .. } => {
            desk.switch_on(&launch, !runs).map_err(refused)?;
            note = runs.then(|| "hint: the engine that runs now was started otherwise; the next start is watched over (`kata stop`, then log in again, or start the unit)".to_owned());
        }
        Background::Off => desk.switch_off(&launch).map_err(refused)?,
    }
    Ok((desk.status(&launch), note))
}

/// The desktop app, where it lies beside this program.
fn app_beside(program: &Path) -> Option<PathBuf> {
    let app = program
        .canonicalize()
        .ok()?
        .with_file_name(format!("kata-agents{}", std::env::consts::EXE_SUFFIX));
    app.is_file().then_some(app)
}

fn refused(error: BackgroundError) -> Failure {
    WireError::from(error).into()
}
