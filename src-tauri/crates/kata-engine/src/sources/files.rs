//! Folders of sources as a person changes them through an operation: added, changed, switched, taken away. Every file is written
//! whole and at once, in the earlier app's form, and only when its contents can stand.

use super::FileSources;
use kata_protocol::{ErrorCode, Json, SourceAdd, SourceDocument, SourceId, SourceSummary, SourceWrite, WireError, WorkspaceId};
use kata_sources::{Config, Folder, is_slug};
use kata_store::home::workspace_folders;
use kata_store::{atomic_write, private_dir};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Mode of a source's files.
const FILE: u32 = 0o600;
/// Longest guide, bytes.
const GUIDE: usize = 256 * 1024;
/// Longest slug that is made of a name, characters.
const SLUG: usize = 40;
/// Folder beside the sources where those that were taken away lie.
const TRASH: &str = ".trash";

impl FileSources {
    /// Writes a new source's folder. Answers its id.
    pub(crate) fn add(&self, params: SourceAdd, workspace: &WorkspaceId, suffix: u64) -> Result<SourceId, WireError> {
        let Value::Object(mut fields) = params.config.0 else {
            return Err(WireError::invalid("config: is no object"));
        };
        let config = Config::of(&Value::Object(fields.clone())).map_err(|errors| unfit(&errors))?;
        let folders = workspace_folders(&self.home);
        let home = folders.into_iter().find(|w| w.id == *workspace);
        let home = home.ok_or_else(|| WireError::not_found("workspace", workspace))?;
        let above = home.path.join("sources");
        let wanted = fields.get("slug").and_then(Value::as_str).map(str::to_owned);
        let slug = match wanted {
            Some(slug) if above.join(&slug).exists() => {
                return Err(WireError::new(ErrorCode::Conflict, format!("config.json: slug “{slug}” is taken")).hint("choose another one"));
            }
            Some(slug) => slug,
            None => free_slug(&above, &config.name)?,
        };
        let now = self.clock.now().0;
        fields.insert("slug".into(), json!(slug));
        fields.insert("id".into(), json!(format!("{slug}_{:08x}", suffix & 0xffff_ffff)));
        fields.entry("enabled").or_insert(json!(true));
        fields.insert("createdAt".into(), json!(now));
        fields.insert("updatedAt".into(), json!(now));
        let guide = params.guide.filter(|g| !g.trim().is_empty());
        guide.as_deref().map(checked_guide).transpose()?;
        let folder = above.join(&slug);
        private_dir(&above)
            .and_then(|()| private_dir(&folder))
            .map_err(|e| unwritten(&folder, &e))?;
        if let Some(guide) = guide {
            write(&folder.join("guide.md"), guide.as_bytes())?;
        }
        write_json(&folder.join("config.json"), &Value::Object(fields))?;
        self.refresh();
        let kind = super::prefix(match config.kind {
            kata_sources::Kind::Mcp(_) => kata_protocol::SourceKind::Mcp,
            kata_sources::Kind::Api(_) => kata_protocol::SourceKind::Api,
            kata_sources::Kind::Local(_) => kata_protocol::SourceKind::Local,
        });
        SourceId::new(format!("{kind}:{workspace}:{slug}")).map_err(|e| WireError::internal(e.to_string()))
    }

    /// Moves a source's folder away and forgets its secrets.
    pub(crate) async fn remove(&self, source: &SourceSummary) -> Result<(), WireError> {
        let folder = self.folder(source)?;
        let names = self.running.secrets(&source.id);
        let trash = folder.parent().unwrap_or(&folder).join(TRASH);
        private_dir(&trash).map_err(|e| unwritten(&trash, &e))?;
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or("source");
        let place = trash.join(format!("{name}-{}", self.clock.now().0));
        std::fs::rename(&folder, &place).map_err(|e| unwritten(&place, &e))?;
        self.refresh();
        for name in names {
            self.keep_secret(&source.id, &name, None).await?;
        }
        tracing::info!(source = %source.id, folder = %place.display(), "a source was taken away; its folder lies in the trash");
        Ok(())
    }

    /// Its files as they are.
    pub(crate) fn document(&self, source: &SourceSummary) -> Result<SourceDocument, WireError> {
        let path = self.folder(source)?;
        let folder = Folder::read(&path).ok_or_else(|| WireError::not_found("source", &source.id))?;
        let errors = folder.errors();
        Ok(SourceDocument {
            path: path.display().to_string(),
            config: Json(folder.document),
            guide: folder.guide,
            permissions: Json(folder.permissions),
            errors,
        })
    }

    /// Changes its files; nothing is written unless all of it can stand. Fields that this version does not know stay as given.
    pub(crate) fn write(&self, source: &SourceSummary, params: SourceWrite) -> Result<SourceDocument, WireError> {
        let path = self.folder(source)?;
        let config = params.config.map(|Json(value)| self.changed_config(&path, value)).transpose()?;
        if let Some(guide) = &params.guide {
            checked_guide(guide)?;
        }
        if let Some(Json(permissions)) = params.permissions.as_ref().filter(|p| !emptied(&p.0)) {
            let errors = kata_sources::permission_errors(permissions);
            if !errors.is_empty() {
                return Err(unfit(&errors));
            }
        }
        match params.permissions {
            Some(Json(value)) if emptied(&value) => remove_file(&path.join("permissions.json"))?,
            Some(Json(value)) => write_json(&path.join("permissions.json"), &value)?,
            None => {}
        }
        match params.guide {
            Some(guide) if guide.trim().is_empty() => remove_file(&path.join("guide.md"))?,
            Some(guide) => write(&path.join("guide.md"), guide.as_bytes())?,
            None => {}
        }
        if let Some(config) = config {
            write_json(&path.join("config.json"), &config)?;
        }
        self.refresh();
        let summary = self.same_folder(source, &path)?;
        self.document(&summary)
    }

    /// A whole new `config.json`: checked, and still of this folder.
    fn changed_config(&self, path: &Path, value: Value) -> Result<Value, WireError> {
        let Value::Object(mut fields) = value else {
            return Err(WireError::invalid("config.json: is JSON, but no object"));
        };
        Config::of(&Value::Object(fields.clone())).map_err(|errors| unfit(&errors))?;
        let before: Map<String, Value> = match Folder::read(path).map(|f| f.document) {
            Some(Value::Object(before)) => before,
            _ => Map::new(),
        };
        for key in ["id", "createdAt"] {
            if let Some(value) = before.get(key) {
                fields.insert(key.into(), value.clone());
            }
        }
        let slug = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        fields.insert("slug".into(), json!(slug));
        fields.insert("updatedAt".into(), json!(self.clock.now().0));
        Ok(Value::Object(fields))
    }

    /// The row of a folder, whatever kind it is now.
    fn same_folder(&self, source: &SourceSummary, path: &Path) -> Result<SourceSummary, WireError> {
        if let Ok((summary, _)) = self.board.get(&source.id) {
            return Ok(summary);
        }
        let slug = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let rows = self.board.list().into_iter();
        let mut same = rows.filter(|row| row.workspace == source.workspace && super::parts(&row.id).is_some_and(|(_, _, s)| s == slug));
        same.next().ok_or_else(|| WireError::not_found("source", &source.id))
    }

    fn folder(&self, source: &SourceSummary) -> Result<PathBuf, WireError> {
        let gone = || WireError::not_found("source", &source.id);
        let (_, workspace, slug) = super::parts(&source.id).ok_or_else(gone)?;
        let mut folders = workspace_folders(&self.home).into_iter();
        let home = folders.find(|w| w.id.as_str() == workspace).ok_or_else(gone)?;
        let path = home.path.join("sources").join(slug);
        if path.is_dir() { Ok(path) } else { Err(gone()) }
    }

    /// Switches it on or off in its file.
    pub(crate) fn switch(&self, source: &SourceSummary, enabled: bool) -> Result<(), WireError> {
        let gone = || WireError::not_found("source", &source.id);
        let (_, workspace, slug) = super::parts(&source.id).ok_or_else(gone)?;
        let mut folders = workspace_folders(&self.home).into_iter();
        let home = folders.find(|w| w.id.as_str() == workspace).ok_or_else(gone)?;
        let set = kata_store::home::set_source_enabled(&home, slug, enabled);
        set.map_err(|e| {
            WireError::new(ErrorCode::Conflict, e.to_string()).hint("mend config.json first; `kata sources edit` shows what is wrong")
        })?;
        self.refresh();
        Ok(())
    }
}

/// Whether a `permissions.json` means that there is none.
fn emptied(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty)
}

fn unfit(errors: &[String]) -> WireError {
    WireError::invalid(errors.join("; ")).hint("docs/sources.md says what each field means")
}

fn checked_guide(guide: &str) -> Result<(), WireError> {
    match guide.len() <= GUIDE {
        true => Ok(()),
        false => Err(WireError::invalid(format!("guide.md: is longer than {GUIDE} bytes"))),
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> WireError {
    WireError::internal(format!("{} was not written: {error}", path.display())).hint("is the disk full, or the folder read-only?")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), WireError> {
    atomic_write(path, bytes, FILE).map_err(|e| unwritten(path, &e))
}

fn write_json(path: &Path, value: &Value) -> Result<(), WireError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|e| WireError::internal(e.to_string()))?;
    write(path, &bytes)
}

fn remove_file(path: &Path) -> Result<(), WireError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritten(path, &error)),
        _ => Ok(()),
    }
}

/// A slug of a name, with a number where there is one of that name.
fn free_slug(above: &Path, name: &str) -> Result<String, WireError> {
    let mut plain = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => plain.push(c),
            _ if !plain.is_empty() && !plain.ends_with('-') => plain.push('-'),
            _ => {}
        }
        if plain.len() >= SLUG {
            break;
        }
    }
    let plain = plain.trim_matches('-');
    let plain = if is_slug(plain) { plain } else { "source" };
    let names = (1..1000).map(|n: u32| if n == 1 { plain.to_owned() } else { format!("{plain}-{n}") });
    let mut free = names.filter(|slug| !above.join(slug).exists());
    free.next()
        .ok_or_else(|| WireError::new(ErrorCode::Conflict, "no free name for the source's folder"))
}
