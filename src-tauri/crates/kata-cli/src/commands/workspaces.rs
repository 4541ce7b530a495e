//! Workspaces, skills, what the person told about themselves, and what stands beside a session.

use super::{connect, standard_input};
use crate::args::{Export, Files, Format, Notes, Preferences, SetWorkspace, Skills, Usage, Workspaces};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::{
    Empty, FileFind, Json, PermissionMode, SessionExport, SessionId, SessionNotes, SessionRef, SkillRef, SkillWrite, UsageGet,
    WorkspaceCreate, WorkspaceId, WorkspaceRef, WorkspaceUpdate,
};
use serde_json::json;
use std::io::Write;
use std::path::Path;

pub(super) async fn workspaces(screen: &Screen, home: &Path, command: Workspaces) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Workspaces::List => {
            let all = client.workspace_list(Empty {}).await?;
            screen.result(&all, |all| render::workspaces(all))
        }
        Workspaces::Show { id } => {
            let settings = client.workspace_get(WorkspaceRef { id }).await?;
            screen.result(&settings, render::workspace)
        }
        Workspaces::Create { name } => {
            let made = client.workspace_create(WorkspaceCreate { name }).await?;
            screen.result(&made, |made| format!("{} in {}\n", made.id, made.path))
        }
        Workspaces::Set(change) => {
            let settings = client.workspace_update(changed(change)).await?;
            screen.result(&settings, render::workspace)
        }
        Workspaces::Statuses { id, write: false } => {
            let settings = client.workspace_get(WorkspaceRef { id }).await?;
            screen.result(&settings.statuses, pretty)
        }
        Workspaces::Labels { id, write: false } => {
            let settings = client.workspace_get(WorkspaceRef { id }).await?;
            screen.result(&settings.labels, pretty)
        }
        Workspaces::Statuses { id, write: true } => {
            let mut change = nothing(id);
            change.statuses = Some(json_input()?);
            let settings = client.workspace_update(change).await?;
            screen.result(&settings.statuses, pretty)
        }
        Workspaces::Labels { id, write: true } => {
            let mut change = nothing(id);
            change.labels = Some(json_input()?);
            let settings = client.workspace_update(change).await?;
            screen.result(&settings.labels, pretty)
        }
        Workspaces::Use { id } => {
            let active = client.workspace_activate(WorkspaceRef { id }).await?;
            screen.result(&active, |active| format!("new conversations go to {}\n", active.id))
        }
    }
}

fn nothing(id: WorkspaceId) -> WorkspaceUpdate {
    WorkspaceUpdate {
        id,
        name: None,
        mode: None,
        model: None,
        working_directory: None,
        statuses: None,
        labels: None,
    }
}

fn changed(change: SetWorkspace) -> WorkspaceUpdate {
    WorkspaceUpdate {
        name: change.name,
        mode: change.mode.map(PermissionMode::from),
        model: change.model,
        working_directory: change.dir,
        ..nothing(change.id)
    }
}

fn pretty(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn json_input() -> Result<Json, Failure> {
    let text = standard_input()?;
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("standard input is no JSON: {error}")))
}

/// The one that is named, or the active one.
async fn workspace(client: &mut Client, named: Option<WorkspaceId>) -> Result<WorkspaceId, Failure> {
    if let Some(id) = named {
        return Ok(id);
    }
    let all = client.workspace_list(Empty {}).await?;
    let active = all.into_iter().find(|one| one.active).map(|one| one.id);
    active.ok_or_else(|| Failure::new(Exit::Failure, "there is no workspace"))
}

pub(super) async fn skills(screen: &Screen, home: &Path, command: Skills) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Skills::List { workspace: named } => {
            let id = workspace(&mut client, named).await?;
            let all = client.skill_list(WorkspaceRef { id }).await?;
            screen.result(&all, |all| render::skills(all))
        }
        Skills::Show { slug, workspace: named } => {
            let workspace = workspace(&mut client, named).await?;
            let document = client.skill_get(SkillRef { workspace, slug }).await?;
            screen.result(&document, render::skill)
        }
        Skills::Write { slug, workspace: named } => {
            let workspace = workspace(&mut client, named).await?;
            let text = standard_input()? + "\n";
            let document = client.skill_write(SkillWrite { workspace, slug, text }).await?;
            screen.result(&document, |document| {
                format!("{} in {}\n", document.skill.slug, document.skill.path)
            })
        }
        Skills::Remove { slug, workspace: named } => {
            let workspace = workspace(&mut client, named).await?;
            client.skill_remove(SkillRef { workspace, slug }).await?;
            screen.result(&json!({"removed": true}), |_| "taken away; it lies in skills/.trash\n".into())
        }
    }
}

pub(super) async fn preferences(screen: &Screen, home: &Path, command: Preferences) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let told = match command {
        Preferences::Show => client.preference_get(Empty {}).await?,
        Preferences::Set { fields } => {
            let mut change = kata_protocol::Preferences {
                name: None,
                timezone: None,
                language: None,
                city: None,
                country: None,
                notes: None,
            };
            for (field, value) in fields {
                let place = match field.as_str() {
                    "name" => &mut change.name,
                    "timezone" => &mut change.timezone,
                    "language" => &mut change.language,
                    "city" => &mut change.city,
                    "country" => &mut change.country,
                    "notes" => &mut change.notes,
                    other => {
                        return Err(
                            Failure::usage(format!("there is no field “{other}”")).hint("name, timezone, language, city, country, notes")
                        );
                    }
                };
                *place = Some(value);
            }
            client.preference_set(change).await?
        }
    };
    screen.result(&told, render::preferences)
}

pub(super) async fn notes(screen: &Screen, home: &Path, options: Notes) -> Result<(), Failure> {
    let text = options.write.then(standard_input).transpose()?;
    let notes = connect(home).await?.session_notes(SessionNotes { id: options.id, text }).await?;
    screen.result(&notes, render::notes)
}

pub(super) async fn export(screen: &Screen, home: &Path, options: Export) -> Result<(), Failure> {
    let format = match options.format {
        Format::Markdown => "markdown",
        Format::Json => "json",
    };
    let wanted = SessionExport {
        id: options.id,
        format: format.into(),
    };
    let document = connect(home).await?.session_export(wanted).await?;
    let Some(out) = options.out else {
        return screen.result(&document, |document| render::clean(&document.text));
    };
    let path = if out.is_dir() { out.join(&document.name) } else { out };
    let refused = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display())).hint("-o names another place");
    let mut file = std::fs::File::create_new(&path).map_err(refused)?;
    file.write_all(document.text.as_bytes()).map_err(refused)?;
    screen.result(&json!({"path": path}), |_| format!("{}\n", path.display()))
}

pub(super) async fn usage(screen: &Screen, home: &Path, options: Usage) -> Result<(), Failure> {
    let rows = connect(home).await?.usage_get(UsageGet { days: options.days }).await?;
    screen.result(&rows, |rows| render::usage(rows))
}

pub(super) async fn files(screen: &Screen, home: &Path, options: Files) -> Result<(), Failure> {
    let wanted = FileFind {
        session: options.id,
        query: options.query,
    };
    let hits = connect(home).await?.file_find(wanted).await?;
    screen.result(&hits, |hits| render::files(hits))
}

pub(super) async fn git(screen: &Screen, home: &Path, id: SessionId) -> Result<(), Failure> {
    let state = connect(home).await?.session_git(SessionRef { id }).await?;
    screen.result(&state, render::git)
}
