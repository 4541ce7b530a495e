//! `kata update`: how updates stand, looking for one, putting it in, and the rules.

use super::connect;
use crate::args::Update;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::{Empty, UpdateInstall, UpdateRules, UpdateState};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Option<Update>) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let state = match command.unwrap_or(Update::Status) {
        Update::Status => client.update_get(Empty {}).await?,
        Update::Check => screen.working("asking the server", client.update_check(Empty {})).await?,
        Update::Install { version } => {
            let version = offered(&mut client, version).await?;
            let state = client.update_install(UpdateInstall { version }).await?;
            screen.note("hint: `kata update` shows how far it is; the connection ends when the app starts again");
            state
        }
        Update::Dismiss { version } => {
            let version = offered(&mut client, version).await?;
            client.update_dismiss(UpdateInstall { version }).await?
        }
        Update::Configure(change) => {
            let present = client.update_get(Empty {}).await?.rules;
            let quiet_hours = if change.no_quiet {
                None
            } else {
                change.quiet.or(present.quiet_hours)
            };
            let rules = UpdateRules {
                channel: change.channel.map_or(present.channel, Into::into),
                automatic: change.automatic.unwrap_or(present.automatic),
                quiet_hours,
            };
            client.update_configure(rules).await?
        }
    };
    show(screen, &state)
}

fn show(screen: &Screen, state: &UpdateState) -> Result<(), Failure> {
    screen.result(state, |state| render::update(state, render::now()))
}

async fn offered(client: &mut Client, version: Option<String>) -> Result<String, Failure> {
    if let Some(version) = version {
        return Ok(version);
    }
    let offer = client.update_get(Empty {}).await?.offer;
    offer
        .map(|offer| offer.version)
        .ok_or_else(|| Failure::new(Exit::Failure, "no newer version is known").hint("`kata update check` looks for one"))
}
