//! A source's folder: `config.json`, `guide.md`, `permissions.json`. Reading only; who writes them is the engine.

use crate::config::Config;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Largest file that is read, bytes.
const LARGEST: u64 = 1024 * 1024;

/// A source's files as they are now.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Folder.
    pub path: PathBuf,
    /// Its name.
    pub slug: String,
    /// `config.json`, or everything that is wrong with it.
    pub config: Result<Config, Vec<String>>,
    /// `config.json` as it stands there; null where it is no JSON.
    pub document: Value,
    /// `guide.md`.
    pub guide: Option<String>,
    /// `permissions.json`; null where there is none or it is no JSON.
    pub permissions: Value,
    /// What is wrong with the other files.
    pub beside: Vec<String>,
}

impl Folder {
    /// Reads a folder. Blocks. `None` where it is no source's folder: it holds no `config.json`.
    pub fn read(path: &Path) -> Option<Self> {
        let slug = path.file_name()?.to_str()?.to_owned();
        let text = match file(path, "config.json") {
            Ok(None) => return None,
            Ok(Some(text)) => Ok(text),
            Err(error) => Err(error),
        };
        let document = text.as_ref().ok().and_then(|text| serde_json::from_slice(text).ok());
        let config = text.map_err(|Wrong(error)| vec![error]).and_then(|text| Config::parse(&text));
        let mut beside = Vec::new();
        let guide = match file(path, "guide.md").map(|text| text.map(String::from_utf8)) {
            Ok(None) => None,
            Ok(Some(Ok(text))) => Some(text),
            Ok(Some(Err(_))) => {
                beside.push("guide.md: is no text in UTF-8".into());
                None
            }
            Err(Wrong(error)) => {
                beside.push(error);
                None
            }
        };
        let permissions = match file(path, "permissions.json") {
            Ok(None) => Value::Null,
            Ok(Some(text)) => match serde_json::from_slice::<Value>(&text) {
                Ok(value) => {
                    beside.extend(permission_errors(&value));
                    value
                }
                Err(error) => {
                    beside.push(format!("permissions.json: is not JSON: {error}"));
                    Value::Null
                }
            },
            Err(Wrong(error)) => {
                beside.push(error);
                Value::Null
            }
        };
        Some(Self {
            path: path.to_owned(),
            slug,
            config,
            document: document.unwrap_or_default(),
            guide,
            permissions,
            beside,
        })
    }

    /// Everything that is wrong, with file and field.
    pub fn errors(&self) -> Vec<String> {
        let config = self.config.as_ref().err().into_iter().flatten();
        config.chain(&self.beside).cloned().collect()
    }
}

/// What is wrong with a `permissions.json`. Its rules are read where calls are judged; this says early that a field is no list.
pub fn permission_errors(value: &Value) -> Vec<String> {
    let Value::Object(fields) = value else {
        return vec!["permissions.json: is JSON, but no object".into()];
    };
    let mut errors = Vec::new();
    for field in [
        "allowedMcpPatterns",
        "allowedApiEndpoints",
        "blockedTools",
        "allowedBashPatterns",
        "allowedWritePaths",
    ] {
        let entries = match fields.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                errors.push(format!("permissions.json: {field} is no list"));
                continue;
            }
        };
        for (at, entry) in entries.iter().enumerate() {
            let own = |key: &str| entry.get(key).and_then(Value::as_str);
            match entry.as_str().or_else(|| own("pattern")).or_else(|| own("path")) {
                None => errors.push(format!("permissions.json: {field}[{at}] has neither a text nor a pattern")),
                Some(text) if field.ends_with("Patterns") || field == "allowedApiEndpoints" => {
                    if let Err(error) = regex::Regex::new(text) {
                        let first = error.to_string();
                        errors.push(format!(
                            "permissions.json: {field}[{at}] is no pattern that can be used: {}",
                            first.lines().last().unwrap_or_default()
                        ));
                    }
                    if field == "allowedApiEndpoints" && own("method").is_none() {
                        errors.push(format!("permissions.json: {field}[{at}] has no method"));
                    }
                }
                Some(_) => {}
            }
        }
    }
    errors
}

/// What is wrong with a file.
struct Wrong(String);

fn file(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, Wrong> {
    let path = folder.join(name);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Wrong(format!("{name}: cannot be read: {error}"))),
        Ok(meta) if !meta.is_file() => Err(Wrong(format!("{name}: is no file"))),
        Ok(meta) if meta.len() > LARGEST => Err(Wrong(format!("{name}: is larger than {LARGEST} bytes"))),
        Ok(_) => std::fs::read(&path)
            .map(Some)
            .map_err(|error| Wrong(format!("{name}: cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_bad_file_beside_the_config_is_named_and_the_source_stays_usable() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("notes");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(Folder::read(&folder), None, "a folder without config.json is no source");
        let put = |name: &str, text: &[u8]| {
            let file = std::fs::File::create(folder.join(name)).unwrap();
            std::io::Write::write_all(&mut &file, text).unwrap();
        };
        put("config.json", br#"{"name":"Notes","type":"local","local":{"path":"~/Notes"}}"#);
        put("guide.md", b"\xff\xfe");
        put(
            "permissions.json",
            br#"{"allowedMcpPatterns":["list","(",{"comment":"x"}],"allowedApiEndpoints":"all"}"#,
        );
        let read = Folder::read(&folder).unwrap();
        assert!(read.config.is_ok());
        let errors = read.errors();
        assert_eq!(errors[0], "guide.md: is no text in UTF-8");
        assert!(
            errors[1].starts_with("permissions.json: allowedMcpPatterns[1] is no pattern"),
            "{errors:?}"
        );
        assert_eq!(
            errors[2],
            "permissions.json: allowedMcpPatterns[2] has neither a text nor a pattern"
        );
        assert_eq!(errors[3], "permissions.json: allowedApiEndpoints is no list");
        assert_eq!(errors.len(), 4);
        put("config.json", b"{\"name\":");
        let read = Folder::read(&folder).unwrap();
        assert!(read.config.is_err() && read.document == json!(null));
    }
}
