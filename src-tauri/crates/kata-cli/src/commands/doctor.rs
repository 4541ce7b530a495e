//! `kata doctor`: everything that could be wrong, each with what mends it. Also without an engine.

use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_engine::Options;
use kata_engine::life::doctor;
use kata_protocol::{Check, CheckOutcome, Empty};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path) -> Result<(), Failure> {
    let checks = match Client::connect(home, &[]).await {
        Ok(mut client) => screen.working("looking", client.doctor_run(Empty {})).await?,
        Err(failure) => without_engine(screen, home, &failure).await?,
    };
    screen.result(&checks, |checks| render::checks(checks))?;
    match checks.iter().filter(|check| check.outcome == CheckOutcome::Failed).count() {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Failure, "one check failed")),
        count => Err(Failure::new(Exit::Failure, format!("{count} checks failed"))),
    }
}

async fn without_engine(screen: &Screen, home: &Path, why: &Failure) -> Result<Vec<Check>, Failure> {
    let mut options = Options::from_env();
    options.home = home.to_owned();
    let looked = tokio::task::spawn_blocking(move || doctor::of_a_home(&options));
    let looked = screen.working("looking", looked).await;
    let mut checks = looked.map_err(|e| Failure::new(Exit::Failure, format!("the home could not be looked at: {e}")))?;
    checks.push(Check {
        id: "engine.running".into(),
        title: "Engine".into(),
        outcome: if why.exit() == Exit::NotRunning {
            CheckOutcome::Warning
        } else {
            CheckOutcome::Failed
        },
        detail: why.message.clone(),
        mend: Some(why.hint.clone().unwrap_or_else(|| "start the app, or run `kata serve`".into())),
    });
    Ok(checks)
}
