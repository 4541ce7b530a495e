//! OpenClaw's settings as they lie there: JSON5, with other files included, variables put in, secrets looked up.
//!
//! Facts are from its own documentation, as shipped with version 2026.9.6: `gateway/config-secrets-env.md` (variables, references to
//! secrets, includes). Nothing is run and nothing is written: a secret that a program makes is named, not fetched.

use kata_protocol::WireError;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Largest file that is read, bytes.
const LARGEST: u64 = 8 << 20;
/// Deepest include, as there.
const DEEPEST: usize = 10;
/// Deepest nesting of objects and lists.
const MOST_NESTED: usize = 128;

/// The settings with what is around them.
pub(crate) struct Found {
    /// Its folder.
    pub folder: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// What stands in it.
    pub config: Value,
    variables: Variables,
}

/// Why something cannot be had, in words for a person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unfit(pub(crate) String);

/// A variable that stands in a text and is not set, as it stands there.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotSet(String);

/// A secret it names.
pub(crate) enum Lookup {
    /// It is not set.
    Absent,
    /// Here it is; the variable's name where it stands in this program's own environment.
    Is(SecretString, Option<String>),
    /// It cannot be had, and why.
    Not(String),
}

#[derive(Default)]
struct Variables {
    process: Option<fn(&str) -> Option<String>>,
    written: BTreeMap<String, String>,
}

impl Found {
    /// Reads a folder, or the file itself.
    ///
    /// # Errors
    /// The file and place of the mistake.
    pub(crate) fn read(path: &Path, env: fn(&str) -> Option<String>) -> Result<Self, WireError> {
        let file = if path.is_dir() {
            path.join("openclaw.json")
        } else {
            path.to_owned()
        };
        let folder = file.parent().unwrap_or(path).to_owned();
        let folder = folder.canonicalize().map_err(|e| unreadable(&file, &e.to_string()))?;
        let config = with_includes(&file, &folder, 0)?;
        if !config.is_object() {
            return Err(unreadable(&file, "it is no object"));
        }
        let mut variables = Variables {
            process: Some(env),
            written: BTreeMap::new(),
        };
        // The process first, then `env.vars`, then `.env`: none overrides the one before.
        if let Ok(text) = text_of(&folder.join(".env")) {
            variables.written = dotenv(&text);
        }
        for (name, value) in config.pointer("/env/vars").and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = value.as_str() {
                variables.written.insert(name.clone(), value.to_owned());
            }
        }
        Ok(Self {
            folder,
            file,
            config,
            variables,
        })
    }

    /// An object below the top; an empty one where there is none.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn object(&self, path: &str) -> Result<Map<String, Value>, WireError> {
        let pointer = format!("/{}", path.replace('.', "/"));
        match self.config.pointer(&pointer) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(_) => Err(unreadable(&self.file, &format!("“{path}” must be an object"))),
        }
    }

    /// A text with its variables put in; the first that is not set is the error.
    pub(crate) fn text(&self, text: &str) -> Result<String, NotSet> {
        substitute(text, &self.variables)
    }

    /// A variable.
    pub(crate) fn variable(&self, name: &str) -> Option<(String, bool)> {
        self.variables.get(name)
    }

    /// A secret: a text, a text with variables, or a reference.
    pub(crate) fn secret(&self, value: Option<&Value>, named: &str) -> Lookup {
        match value {
            None | Some(Value::Null) => Lookup::Absent,
            Some(Value::String(text)) if text.trim().is_empty() => Lookup::Absent,
            Some(Value::String(text)) => match substitute(text, &self.variables) {
                Ok(plain) => {
                    let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                    let own = whole.filter(|name| self.variables.get(name).is_some_and(|(_, own)| own));
                    Lookup::Is(plain.trim().to_owned().into(), own.map(str::to_owned))
                }
                Err(variable) => Lookup::Not(format!(
                    "“{named}” is taken from {variable}, which is not set here; type it in instead"
                )),
            },
            Some(Value::Object(reference)) => self.referred(reference, named),
            Some(_) => Lookup::Not(format!("“{named}” is neither a text nor a reference to a secret")),
        }
    }

    fn referred(&self, reference: &Map<String, Value>, named: &str) -> Lookup {
        let field = |name: &str| reference.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = field("id");
        match field("source") {
            "env" => match self.variables.get(id) {
                Some((value, own)) => Lookup::Is(value.into(), own.then(|| id.to_owned())),
                None => Lookup::Not(format!("“{named}” is taken from {id}, which is not set here; type it in instead")),
            },
            "file" => match self.in_file(field("provider"), id) {
                Ok(value) => Lookup::Is(value.into(), None),
                Err(reason) => Lookup::Not(format!("“{named}”: {reason}")),
            },
            "exec" => Lookup::Not(format!(
                "“{named}” is made by a program (“{id}”), which is not run from here; type it in instead"
            )),
            "store" => Lookup::Not(format!(
                "“{named}” is in OpenClaw's own store, which is not read; type it in instead"
            )),
            other => Lookup::Not(format!("“{named}” refers to a secret in a way that is not known here (“{other}”)")),
        }
    }

    fn in_file(&self, provider: &str, id: &str) -> Result<String, Unfit> {
        let default = self.config.pointer("/secrets/defaults/file").and_then(Value::as_str);
        let provider = if provider.is_empty() || provider == "default" {
            default.unwrap_or(provider)
        } else {
            provider
        };
        let told = self.config.pointer("/secrets/providers").and_then(|all| all.get(provider));
        let path = told.and_then(|p| p.get("path")).and_then(Value::as_str);
        let path = path.ok_or_else(|| Unfit(format!("the provider “{provider}” names no file")))?;
        let file = self.place(path);
        let text = text_of(&file).map_err(|e| Unfit(format!("{} cannot be read: {e}", file.display())))?;
        if told.and_then(|p| p.get("mode")).and_then(Value::as_str) == Some("singleValue") {
            return Ok(text.trim().to_owned());
        }
        let values: Value = json5::from_str(&text).map_err(|e| Unfit(format!("{}: {e}", file.display())))?;
        let value = values.pointer(id).and_then(Value::as_str);
        value
            .map(str::to_owned)
            .ok_or_else(|| Unfit(format!("{} has no text at “{id}”", file.display())))
    }

    /// A file it names: `~/.openclaw` is the folder that is looked at, wherever it lies.
    pub(crate) fn place(&self, path: &str) -> PathBuf {
        if let Some(inside) = path.strip_prefix("~/.openclaw/") {
            return self.folder.join(inside);
        }
        match (path.strip_prefix("~/"), std::env::home_dir()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.folder.join(path),
        }
    }

    /// The whole of a small text file.
    pub(crate) fn small_file(&self, path: &str) -> Result<String, Unfit> {
        let file = self.place(path);
        text_of(&file).map_err(|e| Unfit(format!("{} cannot be read: {e}", file.display())))
    }
}

impl Variables {
    /// Its value, and whether it is this program's own environment that has it.
    fn get(&self, name: &str) -> Option<(String, bool)> {
        let own = self.process.and_then(|env| env(name)).map(|value| (value, true));
        own.or_else(|| self.written.get(name).filter(|v| !v.is_empty()).map(|value| (value.clone(), false)))
    }
}

/// `${NAME}` with capitals only; `$${NAME}` stays as `${NAME}`.
fn substitute(text: &str, variables: &Variables) -> Result<String, NotSet> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        let name = from[2..].split('}').next().unwrap_or_default();
        let fits = !name.is_empty()
            && from[2 + name.len()..].starts_with('}')
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if !fits {
            out.push_str(before);
            out.push_str("${");
            rest = &from[2..];
            continue;
        }
        let after = &from[name.len() + 3..];
        if let Some(escaped) = before.strip_suffix('$') {
            out.push_str(escaped);
            out.push_str(&from[..name.len() + 3]);
        } else {
            out.push_str(before);
            out.push_str(&variables.get(name).ok_or_else(|| NotSet(format!("${{{name}}}")))?.0);
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn dotenv(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("export ");
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let bare = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        Some((name.trim().to_owned(), bare.unwrap_or(value).to_owned()))
    });
    lines.collect()
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(std::io::Error::other(format!(
            "it is no file, or larger than {} MiB",
            LARGEST >> 20
        )));
    }
    std::fs::read_to_string(path)
}

fn unreadable(file: &Path, reason: &str) -> WireError {
    WireError::invalid(format!("{}: {reason}", file.display()))
        .hint("nothing was changed, there or here; `openclaw config validate` says more")
}

/// A file with the files it includes put in.
fn with_includes(file: &Path, folder: &Path, depth: usize) -> Result<Value, WireError> {
    if depth > DEEPEST {
        return Err(unreadable(
            file,
            &format!("includes are nested deeper than {DEEPEST}, or in a circle"),
        ));
    }
    let text = text_of(file).map_err(|e| unreadable(file, &e.to_string()))?;
    if too_deep(&text) {
        return Err(unreadable(file, &format!("it is nested deeper than {MOST_NESTED}")));
    }
    let value: Value = json5::from_str(&text).map_err(|e| unreadable(file, &place_of(&e)))?;
    put_in(value, file, folder, depth)
}

/// Whether objects and lists are nested so deeply that reading them would take the stack. Errs on the side of reading.
fn too_deep(text: &str) -> bool {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open || c == '\n' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if depth > MOST_NESTED {
            return true;
        }
    }
    false
}

fn place_of(error: &json5::Error) -> String {
    match error.position() {
        Some(at) => format!("line {}, column {}: {error}", at.line + 1, at.column + 1),
        None => error.to_string(),
    }
}

fn put_in(value: Value, file: &Path, folder: &Path, depth: usize) -> Result<Value, WireError> {
    let mut map = match value {
        Value::Array(list) => {
            return list
                .into_iter()
                .map(|v| put_in(v, file, folder, depth))
                .collect::<Result<_, _>>()
                .map(Value::Array);
        }
        Value::Object(map) => map,
        other => return Ok(other),
    };
    let included = map.shift_remove("$include");
    let mut whole = Value::Object(Map::new());
    let names = match &included {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(some)) if some.iter().all(Value::is_string) => some.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(unreadable(file, "“$include” must be the name of a file, or a list of names")),
    };
    for name in names {
        let path = file.parent().unwrap_or(folder).join(name);
        let path = path
            .canonicalize()
            .map_err(|e| unreadable(file, &format!("“$include”: {name}: {e}")))?;
        if !path.starts_with(folder) {
            return Err(unreadable(file, &format!("“$include”: {name} lies outside {}", folder.display())));
        }
        lay_over(&mut whole, with_includes(&path, folder, depth + 1)?);
    }
    for (field, value) in map {
        let value = put_in(value, file, folder, depth)?;
        match whole.get_mut(&field) {
            Some(below) => lay_over(below, value),
            None => drop(whole.as_object_mut().map(|w| w.insert(field, value))),
        }
    }
    Ok(whole)
}

fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (field, value) in above {
                match below.get_mut(&field) {
                    Some(present) => lay_over(present, value),
                    None => drop(below.insert(field, value)),
                }
            }
        }
        (below, above) => *below = above,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    fn found(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Found, WireError>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let env = |name: &str| (name == "OWN").then(|| "from the process".to_owned());
        let found = Found::read(folder.path(), env);
        (folder, found)
    }

    #[test]
    fn a_mistake_is_told_with_its_file_line_and_column() {
        let (_folder, read) = found(&[("openclaw.json", "{\n  channels: {\n    telegram: { botToken: }\n  }\n}")]);
        let error = read.err().unwrap();
        assert!(error.message.contains("openclaw.json: line 3, column"), "{}", error.message);
        let deep = "[".repeat(1_000_000);
        for (text, told) in [
            (deep.as_str(), "nested deeper"),
            ("[1]", "no object"),
            (r#"{ "$include": 3 }"#, "$include"),
        ] {
            let (_folder, read) = found(&[("openclaw.json", text)]);
            assert!(read.err().unwrap().message.contains(told), "{text}");
        }
        let (_folder, read) = found(&[("openclaw.json", "{ channels: [] }")]);
        assert!(
            read.unwrap()
                .object("channels")
                .unwrap_err()
                .message
                .contains("“channels” must be an object")
        );
    }

    #[test]
    fn included_files_are_merged_as_there_and_none_outside_the_folder_is_read() {
        let (_folder, read) = found(&[
            ("openclaw.json", "{ a: { $include: ['./one.json5', './two.json5'], own: 1 }, }"),
            ("one.json5", "{ x: 1, deep: { a: 1 } }"),
            ("two.json5", "{ x: 2, own: 9, deep: { b: 2 } }"),
        ]);
        assert_eq!(read.unwrap().config["a"], json!({"x": 2, "deep": {"a": 1, "b": 2}, "own": 1}));
        let (folder, read) = found(&[("openclaw.json", "{ $include: '../outside.json' }")]);
        let outside = folder.path().parent().unwrap().join("outside.json");
        assert!(read.err().unwrap().message.contains("$include"));
        assert!(!outside.exists());
        let (_folder, read) = found(&[("openclaw.json", "{ $include: './openclaw.json' }")]);
        assert!(read.err().unwrap().message.contains("circle"));
    }

    #[test]
    fn each_form_of_a_secret_is_had_or_named_with_the_reason() {
        let config = "{ env: { vars: { VAR: 'from env.vars', OWN: 'not this' } },
            secrets: { providers: { f: { source: 'file', path: '~/.openclaw/s.json' }, one: { source: 'file', path: 'one.txt', mode: 'singleValue' } },
                       defaults: { file: 'f' } } }";
        let (_folder, read) = found(&[
            ("openclaw.json", config),
            ("s.json", r#"{"a": {"b": "from a file"}}"#),
            ("one.txt", "alone\n"),
            (".env", "# no\nexport DOT='from .env'\nVAR=not this\n"),
        ]);
        let found = read.unwrap();
        let of = |value: Value| match found.secret(Some(&value), "x.token") {
            Lookup::Absent => "absent".to_owned(),
            Lookup::Is(secret, own) => format!("{}|{}", secret.expose_secret(), own.unwrap_or_default()),
            Lookup::Not(reason) => reason,
        };
        for (value, wanted) in [
            (json!("plain"), "plain|"),
            (json!(""), "absent"),
            (json!("${VAR}"), "from env.vars|"),
            (json!("${OWN}"), "from the process|OWN"),
            (json!("a-${DOT}-b"), "a-from .env-b|"),
            (json!("$${VAR}"), "${VAR}|"),
            (json!("${lower}"), "${lower}|"),
            (json!({"source": "env", "id": "VAR"}), "from env.vars|"),
            (json!({"source": "file", "provider": "default", "id": "/a/b"}), "from a file|"),
            (json!({"source": "file", "provider": "one", "id": "value"}), "alone|"),
        ] {
            assert_eq!(of(value.clone()), wanted, "{value}");
        }
        for (value, told) in [
            (json!("${NOT_SET}"), "${NOT_SET}"),
            (json!({"source": "env", "id": "NOT_SET"}), "NOT_SET"),
            (json!({"source": "file", "id": "/none"}), "s.json"),
            (json!({"source": "exec", "id": "vault/x"}), "vault/x"),
            (json!({"source": "store", "id": "x"}), "own store"),
            (json!({"source": "magic", "id": "x"}), "magic"),
            (json!(3), "x.token"),
        ] {
            let told_now = of(value.clone());
            assert!(told_now.contains(told), "{value}: {told_now}");
        }
    }
}
