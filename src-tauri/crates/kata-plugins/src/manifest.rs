//! Reads a plugin's manifest without running any of its code. Every error says in which file and at which field.

use crate::capability;
use kata_protocol::{PluginId, PluginManifest};
use serde_json::Value;
use std::path::Path;

/// Largest manifest, bytes.
const MAX: u64 = 256 << 10;
/// Major version of the plugin API this host has.
const API: &str = "1";

/// Why a folder's manifest is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error("{file}: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file}: {field}: {reason}")]
    Field { file: String, field: String, reason: String },
}

/// The manifest of a folder; `None` when the folder is no plugin.
pub(crate) fn read(folder: &Path) -> Result<Option<PluginManifest>, ManifestError> {
    if let Some(text) = text_of(folder, "kata-plugin.json")? {
        let value = json("kata-plugin.json", &text)?;
        return parse("kata-plugin.json", "", value).map(Some);
    }
    if let Some(text) = text_of(folder, "package.json")?
        && let Some(value) = json("package.json", &text)?.get_mut("kata-agents").map(Value::take)
    {
        return parse("package.json", "kata-agents.", value).map(Some);
    }
    if ["index.ts", "index.js"].iter().any(|name| folder.join(name).is_file()) {
        return lone(folder).map(Some);
    }
    Ok(None)
}

fn text_of(folder: &Path, name: &str) -> Result<Option<String>, ManifestError> {
    let path = folder.join(name);
    let unreadable = |reason: String| ManifestError::Unreadable {
        file: name.to_owned(),
        reason,
    };
    match std::fs::metadata(&path) {
        Err(_) => Ok(None),
        Ok(meta) if !meta.is_file() => Err(unreadable("is not a file".into())),
        Ok(meta) if meta.len() > MAX => Err(unreadable(format!("is larger than {} KB", MAX >> 10))),
        Ok(_) => std::fs::read_to_string(&path).map(Some).map_err(|e| unreadable(e.to_string())),
    }
}

fn json(file: &str, text: &str) -> Result<Value, ManifestError> {
    serde_json::from_str(text).map_err(|e| ManifestError::Unreadable {
        file: file.to_owned(),
        reason: e.to_string(),
    })
}

fn parse(file: &str, prefix: &str, value: Value) -> Result<PluginManifest, ManifestError> {
    let manifest: PluginManifest = serde_path_to_error::deserialize(value).map_err(|e| {
        let path = e.path().to_string();
        let field = format!("{prefix}{}", if path == "." { "" } else { &path });
        let field = field.trim_end_matches('.').to_owned();
        ManifestError::Field {
            file: file.to_owned(),
            field: if field.is_empty() { "manifest".into() } else { field },
            reason: e.inner().to_string(),
        }
    })?;
    let wrong = |field: String, reason: String| ManifestError::Field {
        file: file.to_owned(),
        field: format!("{prefix}{field}"),
        reason,
    };
    let id = manifest.id.as_str();
    if !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(wrong("id".into(), format!("“{id}” has other characters than a-z, 0-9 and -")));
    }
    if manifest.api.split('.').next() != Some(API) {
        return Err(wrong(
            "api".into(),
            format!("this host has plugin API {API}, the plugin wants “{}”", manifest.api),
        ));
    }
    for (i, capability) in manifest.capabilities.iter().enumerate() {
        if !capability::known(capability) {
            return Err(wrong(format!("capabilities[{i}]"), format!("“{capability}” is not a capability")));
        }
    }
    for (name, list) in [
        ("tools", &manifest.contributes.tools),
        ("channels", &manifest.contributes.channels),
        ("services", &manifest.contributes.services),
        ("commands", &manifest.contributes.commands),
    ] {
        if let Some(i) = list.iter().position(String::is_empty) {
            return Err(wrong(format!("contributes.{name}[{i}]"), "is empty".into()));
        }
    }
    if let Some(schema) = &manifest.settings
        && let Err(e) = schema_options().build(&schema.0)
    {
        return Err(wrong("settings".into(), format!("is not a JSON Schema: {e}")));
    }
    Ok(manifest)
}

/// A lone `index.ts` declares nothing and has no capabilities; its folder is its id.
fn lone(folder: &Path) -> Result<PluginManifest, ManifestError> {
    let name = folder.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let id: String = name
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    let id = PluginId::new(id.trim_matches('-')).map_err(|e| ManifestError::Field {
        file: name.clone(),
        field: "folder name".into(),
        reason: format!("gives no plugin id: {e}"),
    })?;
    Ok(PluginManifest {
        schema: None,
        name: id.as_str().to_owned(),
        id,
        version: "0.0.0".into(),
        description: String::new(),
        icon: None,
        api: API.into(),
        main: None,
        contributes: Default::default(),
        capabilities: Vec::new(),
        settings: None,
        limits: Default::default(),
    })
}

/// Whether a folder has a manifest file, as opposed to a lone module.
pub(crate) fn is_lone(folder: &Path) -> bool {
    !folder.join("kata-plugin.json").exists() && !matches!(package_field(folder), Some(true))
}

fn package_field(folder: &Path) -> Option<bool> {
    let text = text_of(folder, "package.json").ok()??;
    Some(json("package.json", &text).ok()?.get("kata-agents").is_some())
}

/// Schema options for schemas written by plugins: no remote references (the feature is off), and a regex engine that
/// cannot backtrack.
pub(crate) fn schema_options() -> jsonschema::ValidationOptions<'static> {
    jsonschema::options().with_pattern_options(jsonschema::PatternOptions::regex())
}
