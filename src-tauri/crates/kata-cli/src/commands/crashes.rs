//! `kata crashes` and `kata restart`.

use super::connect;
use crate::args::{CrashCommand, Crashes, Restart};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_gateway::{FoundGateway, read_gateway_file};
use kata_protocol::{CrashRef, Empty, SystemRestart};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Time an engine gets to drain and come back.
const COMING_BACK: Duration = Duration::from_secs(60);
/// Between two looks whether it is there again.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn run(screen: &Screen, home: &Path, crashes: Crashes) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match crashes.command {
        None => {
            let reports = client.crash_list(Empty {}).await?;
            screen.result(&reports, |reports| render::crashes(reports, render::now()))
        }
        Some(CrashCommand::Show { id }) => {
            let reports = client.crash_list(Empty {}).await?;
            let Some(report) = reports.into_iter().find(|report| report.id == id) else {
                return Err(Failure::new(Exit::Failure, format!("there is no report “{id}”")).hint("`kata crashes` lists them"));
            };
            screen.result(&report, |report| render::clean(&report.text))
        }
        Some(CrashCommand::Dismiss { id }) => {
            client.crash_dismiss(CrashRef { id }).await?;
            screen.result(&json!({"dismissed": true}), |_| "seen\n".into())
        }
    }
}

pub(super) async fn restart(screen: &Screen, home: &Path, restart: Restart) -> Result<(), Failure> {
    let boot = boot(home);
    let mut client = connect(home).await?;
    client.system_restart(SystemRestart { safe: restart.safe }).await?;
    let back = async {
        client.until_gone().await;
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            if self::boot(home) != boot
                && let Ok(mut client) = Client::connect(home, &[]).await
                && let Ok(status) = client.system_status(Empty {}).await
            {
                return status;
            }
        }
    };
    match screen
        .working(
            "the engine finishes what it does and comes back",
            tokio::time::timeout(COMING_BACK, back),
        )
        .await
    {
        Ok(status) => screen.result(&status, |status| render::status(status, render::now())),
        Err(_) => Err(Failure::new(
            Exit::Failure,
            format!(
                "the engine was asked to begin again and is not back after {} s",
                COMING_BACK.as_secs()
            ),
        )
        .hint("`kata doctor` looks at what could be wrong")),
    }
}

/// Which run of the engine the gateway's file names; nothing while none runs.
fn boot(home: &Path) -> Option<String> {
    match read_gateway_file(&home.join("gateway.json")) {
        Ok(FoundGateway::Live(file)) => Some(file.boot),
        _ => None,
    }
}
