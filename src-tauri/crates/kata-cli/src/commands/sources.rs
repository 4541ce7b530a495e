//! `kata sources`.

use super::connect;
use crate::args::Sources;
use crate::client::Client;
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use crate::setting;
use kata_protocol::{
    Empty, Json, SourceConfigure, SourceDetail, SourceEnable, SourceId, SourceRef, SourceSecret, SourceSummary, WorkspaceId,
};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Sources) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Sources::List => {
            let sources = client.source_list(Empty {}).await?;
            screen.result(&sources, |s| render::sources(s, render::now()))
        }
        Sources::Show { id } => detail(screen, &client.source_get(SourceRef { id }).await?),
        Sources::Enable { id, workspace } => switch(screen, &mut client, id, workspace, true).await,
        Sources::Disable { id, workspace } => switch(screen, &mut client, id, workspace, false).await,
        Sources::Restart { id } => row(
            screen,
            &screen.working("restarting", client.source_restart(SourceRef { id })).await?,
        ),
        Sources::Set { id, settings } => {
            let present = client.source_get(SourceRef { id: id.clone() }).await?;
            let settings = Json(setting::changed(&present.settings, present.settings_schema.as_ref(), &settings));
            detail(screen, &client.source_configure(SourceConfigure { id, settings }).await?)
        }
        Sources::Secret { id, name, remove } => {
            let value = if remove { None } else { Some(setting::secret(screen, &name)?) };
            detail(screen, &client.source_secret(SourceSecret { id, name, value }).await?)
        }
        Sources::Files(command) => super::source_files::run(screen, &mut client, command).await,
        Sources::Login { id, device, no_open } => super::oauth::login(screen, &mut client, id, device, !no_open).await,
        Sources::Logout { id } => super::oauth::logout(screen, &mut client, id).await,
    }
}

async fn switch(screen: &Screen, client: &mut Client, id: SourceId, workspace: Option<WorkspaceId>, enabled: bool) -> Result<(), Failure> {
    row(screen, &client.source_enable(SourceEnable { id, enabled, workspace }).await?)
}

fn row(screen: &Screen, source: &SourceSummary) -> Result<(), Failure> {
    screen.result(source, |s| render::sources(std::slice::from_ref(s), render::now()))
}

fn detail(screen: &Screen, source: &SourceDetail) -> Result<(), Failure> {
    screen.result(source, |s| render::source(s, render::now()))
}
