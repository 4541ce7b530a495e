//! What a person arranges in a workspace (name, what new sessions begin with, statuses, labels, skills), what they have told about
//! themselves, and what stands beside a session: notes, an export, files to name, git, the tokens used.
//!
//! Neighbours: kata-store has the files' formats, kata-tools what may be named of a folder, `watch` says that a file changed.
//! Everything is read from the files at each call; only what the system prompt says of skills and of the person is kept, and looked at
//! again when the files change.

mod beside;
mod export;
mod git;
mod skills;
mod usage;

pub(crate) use skills::Skills;

use crate::engine::{Inner, locked};
use crate::prompt::Preferences as Told;
use kata_core::ports::{Models, Transcripts};
use kata_core::session::wire;
use kata_protocol::{
    ErrorCode, Fact, Json, Ms, Notice, PermissionMode, Preferences, SessionList, WireError, WorkspaceCreate, WorkspaceId,
    WorkspaceSettings, WorkspaceSummary, WorkspaceUpdate,
};
use kata_store::WorkspaceFolder;
use kata_store::home::{DocumentError, Unfit, WorkspaceEdit};
use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

/// Rows of a session list that are read at a time.
const PAGE: u32 = 1_000;

/// What the person has told about themselves, as the file says it now.
pub(crate) struct Person {
    home: PathBuf,
    seen: Mutex<(Option<(SystemTime, u64)>, Told)>,
}

impl Person {
    pub(crate) fn new(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            seen: Mutex::default(),
        }
    }

    /// Reads the file where it is another one than before.
    pub(crate) fn told(&self) -> Told {
        let meta = std::fs::metadata(self.home.join("preferences.json")).ok();
        let stamp = meta.and_then(|meta| Some((meta.modified().ok()?, meta.len())));
        let mut seen = locked(&self.seen);
        if seen.0 != stamp || stamp.is_none() {
            *seen = (stamp, Told::read(&self.home));
        }
        seen.1.clone()
    }
}

/// Work that reads or writes files, off the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, WireError> + Send + 'static) -> Result<T, WireError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| WireError::internal("the work on files ended early"))?
}

fn unwritten(error: &DocumentError) -> WireError {
    match error {
        DocumentError::Missing(what) => WireError::new(ErrorCode::NotFound, format!("{what} does not exist")),
        DocumentError::Damaged { .. } => WireError::new(ErrorCode::Conflict, error.to_string()).hint("mend the file, or move it away"),
        DocumentError::Io { .. } => WireError::internal(error.to_string()).hint("is the disk full, or the folder read-only?"),
    }
}

fn unfit(error: Unfit) -> WireError {
    match error {
        Unfit::Field(why) => WireError::invalid(why).hint("nothing was changed"),
        Unfit::File(error) => unwritten(&error),
    }
}

impl Inner {
    fn workspace_folder(&self, id: &WorkspaceId) -> Result<WorkspaceFolder, WireError> {
        let found = kata_store::home::workspace_folders(&self.home)
            .into_iter()
            .find(|one| one.id == *id);
        found.ok_or_else(|| WireError::not_found("workspace", id).hint("`kata workspaces list` names them"))
    }

    async fn settings_of(&self, id: WorkspaceId) -> Result<WorkspaceSettings, WireError> {
        let (folder, name) = (self.workspace_folder(&id)?, self.workspace_named(Some(id.clone()))?.name);
        let (defaults, statuses, labels) = blocking(move || Ok(kata_store::home::workspace_settings(&folder))).await?;
        let text = |key: &str| defaults.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(WorkspaceSettings {
            name,
            mode: defaults
                .get("permissionMode")
                .and_then(|mode| serde_json::from_value::<PermissionMode>(mode.clone()).ok()),
            model: text("model"),
            working_directory: text("workingDirectory").map(|path| self.home.expand(&path).display().to_string()),
            statuses: Json(statuses),
            labels: Json(labels),
            id,
        })
    }

    pub(crate) async fn get_workspace(&self, id: WorkspaceId) -> Result<WorkspaceSettings, WireError> {
        self.settings_of(id).await
    }

    pub(crate) async fn create_workspace(&self, params: WorkspaceCreate) -> Result<WorkspaceSummary, WireError> {
        let (home, now) = (self.home.clone(), self.clock.now());
        let id = blocking(move || kata_store::home::create_workspace(&home, &params.name, now).map_err(unfit)).await?;
        self.refresh_files();
        self.workspaces_changed();
        self.workspace_named(Some(id))
    }

    pub(crate) async fn update_workspace(&self, params: WorkspaceUpdate) -> Result<WorkspaceSettings, WireError> {
        let folder = self.workspace_folder(&params.id)?;
        if let Some(model) = params.model.as_deref().filter(|model| !model.trim().is_empty()) {
            self.models.catalog.find(Some(model))?;
        }
        let working_directory = match params.working_directory {
            Some(path) if !path.trim().is_empty() => {
                let found = self.working_folder(&params.id, path).await?;
                Some(self.home.portable(Path::new(&found)))
            }
            other => other,
        };
        if let Some(Json(statuses)) = &params.statuses {
            self.keep_used_statuses(&params.id, statuses).await?;
        }
        let edit = WorkspaceEdit {
            name: params.name,
            mode: params.mode,
            model: params.model,
            working_directory,
            statuses: params.statuses.map(|Json(list)| list),
            labels: params.labels.map(|Json(list)| list),
        };
        let (home, now) = (self.home.clone(), self.clock.now());
        let aside = blocking(move || kata_store::home::edit_workspace(&home, &folder, edit, now).map_err(unfit)).await?;
        for path in aside {
            self.told_aside(&path, now);
        }
        self.apply_rules();
        self.workspaces_changed();
        self.settings_of(params.id).await
    }

    pub(crate) async fn activate_workspace(&self, id: WorkspaceId) -> Result<WorkspaceSummary, WireError> {
        self.workspace_folder(&id)?;
        let (home, wanted) = (self.home.clone(), id.clone());
        blocking(move || kata_store::home::set_active_workspace(&home, &wanted).map_err(|e| unwritten(&e))).await?;
        self.apply_rules();
        self.events.publish(Fact::RoutesChanged {});
        self.workspaces_changed();
        self.workspace_named(Some(id))
    }

    /// A status that sessions carry cannot be left out: they would have none.
    async fn keep_used_statuses(&self, id: &WorkspaceId, given: &Value) -> Result<(), WireError> {
        let kept: HashSet<_> = given
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["id"].as_str())
            .collect();
        for archived in [false, true] {
            let mut offset = 0;
            loop {
                let query = SessionList {
                    workspace: Some(id.clone()),
                    archived: Some(archived),
                    limit: Some(PAGE),
                    offset: Some(offset),
                    ..SessionList::default()
                };
                let (rows, total) = self.transcripts.list(query).await.map_err(wire)?;
                let lost = rows
                    .iter()
                    .find_map(|row| row.status.as_deref().filter(|status| !kept.contains(status)).map(|s| (row, s)));
                // A status that is not in the file either cannot get lost.
                if let Some((row, status)) = lost
                    && self.has_status(id, status)?
                {
                    return Err(
                        WireError::new(ErrorCode::Conflict, format!("statuses: session “{}” carries “{status}”", row.id))
                            .hint("give those sessions another status first; nothing was changed"),
                    );
                }
                offset += u32::try_from(rows.len()).unwrap_or(u32::MAX);
                if rows.is_empty() || offset >= total {
                    break;
                }
            }
        }
        Ok(())
    }

    fn has_status(&self, id: &WorkspaceId, status: &str) -> Result<bool, WireError> {
        Ok(self.workspace_named(Some(id.clone()))?.statuses.iter().any(|one| one.id == status))
    }

    /// Says that a damaged file was set aside and a fresh one begun.
    fn told_aside(&self, path: &Path, now: Ms) {
        let mut notices = locked(&self.notices);
        notices.push(Notice {
            id: format!("aside:{}", path.display()),
            at: now,
            message: "A damaged file was set aside and a fresh one was begun.".into(),
            hint: Some(format!("It is kept as {}.", path.display())),
        });
    }

    /// Looks at what is kept of workspaces again, and tells clients.
    pub(crate) fn workspaces_changed(&self) {
        self.skills.refresh();
        self.events.publish(Fact::WorkspacesChanged {});
    }

    pub(crate) async fn get_preferences(&self) -> Result<Preferences, WireError> {
        let home = self.home.clone();
        blocking(move || Ok(kata_store::home::preferences(&home))).await
    }

    pub(crate) async fn set_preferences(&self, params: Preferences) -> Result<Preferences, WireError> {
        let fields = [
            ("name", &params.name, 100),
            ("timezone", &params.timezone, 100),
            ("language", &params.language, 100),
            ("city", &params.city, 100),
            ("country", &params.country, 100),
            ("notes", &params.notes, 8_000),
        ];
        for (name, value, most) in fields {
            if value.as_ref().is_some_and(|text| text.chars().count() > most) {
                return Err(WireError::invalid(format!("{name}: at most {most} characters")));
            }
        }
        if let Some(zone) = params.timezone.as_deref().map(str::trim).filter(|zone| !zone.is_empty())
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return Err(WireError::invalid(format!("timezone: there is no time zone “{zone}”")).hint("write it as in “Europe/Berlin”"));
        }
        let (home, now) = (self.home.clone(), self.clock.now());
        let aside = blocking(move || kata_store::home::set_preferences(&home, &params, now).map_err(|e| unwritten(&e))).await?;
        if let Some(path) = aside {
            self.told_aside(&path, now);
        }
        self.events.publish(Fact::WorkspacesChanged {});
        self.get_preferences().await
    }

    /// The model a workspace gives new sessions, where it is set up here.
    pub(crate) async fn default_model(&self, workspace: &WorkspaceId) -> Option<String> {
        let model = self.settings_of(workspace.clone()).await.ok()?.model?;
        self.models.catalog.find(Some(&model)).is_ok().then_some(model)
    }
}
