//! Reads a plugin's manifest without running any of its code. Every error says in which file, at which field, and what to
//! write instead.

use crate::capability;
use kata_protocol::{PluginId, PluginManifest};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Largest manifest, bytes.
const MAX: u64 = 256 << 10;
/// Major version of the plugin API this host has.
const API: &str = "1";
/// The manifest's own file.
const OWN: &str = "kata-plugin.json";
/// The manifest may also be the field `kata-agents` of this file.
const PACKAGE: &str = "package.json";

/// Why a folder's manifest is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {field}: {reason}: {fix}")]
pub struct ManifestError {
    /// File, from the plugin's folder.
    pub file: String,
    /// Field (`contributes.tools[0]`), or the place in the text (`line 3, column 9`).
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub fix: String,
}

/// The manifest of a folder; `None` when the folder is no plugin.
pub(crate) fn read(folder: &Path) -> Result<Option<PluginManifest>, ManifestError> {
    if let Some(text) = text_of(folder, OWN)? {
        return parse(OWN, "", json(OWN, &text)?).map(Some);
    }
    if let Some(text) = text_of(folder, PACKAGE)?
        && let Some(value) = json(PACKAGE, &text)?.get_mut("kata-agents").map(Value::take)
    {
        return parse(PACKAGE, "kata-agents.", value).map(Some);
    }
    if ["index.ts", "index.js"].iter().any(|name| folder.join(name).is_file()) {
        return lone(folder).map(Some);
    }
    Ok(None)
}

/// Reads a manifest's text, as `kata-plugin.json` holds it.
///
/// # Errors
/// [`ManifestError`].
pub fn parse_manifest(text: &str) -> Result<PluginManifest, ManifestError> {
    parse(OWN, "", json(OWN, text)?)
}

fn text_of(folder: &Path, name: &str) -> Result<Option<String>, ManifestError> {
    let path = folder.join(name);
    let unreadable = |reason: String, fix: String| ManifestError {
        file: name.to_owned(),
        field: "the file".into(),
        reason,
        fix,
    };
    match std::fs::metadata(&path) {
        Err(_) => Ok(None),
        Ok(meta) if !meta.is_file() => Err(unreadable("is not a file".into(), "write the manifest as a file".into())),
        Ok(meta) if meta.len() > MAX => Err(unreadable(
            format!("is larger than {} KB", MAX >> 10),
            "move what is not the manifest into files of its own".into(),
        )),
        Ok(_) => std::fs::read_to_string(&path)
            .map(Some)
            .map_err(|e| unreadable(e.to_string(), "make it a UTF-8 text that you may read".into())),
    }
}

fn json(file: &str, text: &str) -> Result<Value, ManifestError> {
    serde_json::from_str(text).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        let words = e.to_string();
        ManifestError {
            file: file.to_owned(),
            field: format!("line {line}, column {column}"),
            reason: words.split(" at line ").next().unwrap_or_default().to_owned(),
            fix: "mend the JSON there; a comma or a quote too many or too few is the usual cause".into(),
        }
    })
}

fn parse(file: &str, prefix: &str, value: Value) -> Result<PluginManifest, ManifestError> {
    let manifest: PluginManifest = serde_path_to_error::deserialize(value).map_err(|e| {
        let path = e.path().to_string();
        misfit(file, prefix, if path == "." { "" } else { &path }, &e.inner().to_string())
    })?;
    check(&manifest).map_err(|wrong| ManifestError {
        file: file.to_owned(),
        field: format!("{prefix}{}", wrong.field),
        reason: wrong.reason,
        fix: wrong.fix,
    })?;
    Ok(manifest)
}

/// A value of the wrong shape, from the deserialiser's words.
fn misfit(file: &str, prefix: &str, path: &str, words: &str) -> ManifestError {
    // The deserialiser quotes names with backticks: the one it met first, then those it knows.
    let mut quoted = words.split('`').skip(1).step_by(2);
    let met = quoted.next().unwrap_or_default().to_owned();
    let known: Vec<&str> = quoted.collect();
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    let nearest = || nearest(&met, &known).map_or_else(|| format!("write one of {}", known.join(", ")), |n| format!("write “{n}”"));
    let (field, reason, fix) = if words.starts_with("unknown field") {
        // The path may or may not end with the field itself.
        let own = path.rsplit('.').next() == Some(met.as_str());
        let field = if own { path.to_owned() } else { join(&met) };
        let near = self::nearest(&met, &known);
        let fix = near.map_or_else(
            || format!("take it out; known here are {}", known.join(", ")),
            |n| format!("did you mean “{n}”? Take it out otherwise"),
        );
        (field, "there is no such field".to_owned(), fix)
    } else if words.starts_with("missing field") {
        let field = join(&met);
        let fix = format!("add {}", example(&field));
        (field, "is missing".to_owned(), fix)
    } else if words.starts_with("unknown variant") {
        (path.to_owned(), format!("“{met}” does not exist"), nearest())
    } else {
        (path.to_owned(), words.to_owned(), format!("write {}", example(path)))
    };
    ManifestError {
        file: file.to_owned(),
        field: match format!("{prefix}{field}").trim_end_matches('.') {
            "" => "the whole".to_owned(),
            field => field.to_owned(),
        },
        reason,
        fix,
    }
}

/// The known name a misspelt one is nearest to, if one is near.
fn nearest<'a>(met: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known
        .iter()
        .map(|k| (strsim::normalized_damerau_levenshtein(&met.to_lowercase(), &k.to_lowercase()), *k));
    near.filter(|(score, _)| *score >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What may stand at a field, as it is written.
fn example(field: &str) -> &'static str {
    let list = field.split('[').next().unwrap_or_default();
    let item = field.ends_with(']');
    match list {
        "" => "an object, e.g. { \"id\": \"my-plugin\", \"name\": \"My plugin\", \"version\": \"1.0.0\", \"api\": \"1\" }",
        "id" => "\"id\": \"my-plugin\" (a-z, 0-9 and -)",
        "name" => "\"name\": \"My plugin\"",
        "version" => "\"version\": \"1.0.0\"",
        "description" => "\"description\": \"One sentence.\"",
        "icon" => "\"icon\": \"🪞\", or the name of a file in the folder",
        "api" => "\"api\": \"1\"",
        "main" => "\"main\": \"index.ts\"",
        "contributes" => "\"contributes\": { \"tools\": [\"my-tool\"] }",
        "contributes.hooks" if item => "the name of an event, e.g. \"message_received\"",
        "contributes.hooks" => "a list of events, e.g. [\"message_received\"]",
        "capabilities" if item => "a capability as a text, e.g. \"net:api.example.com\"",
        "capabilities" => "a list of texts, e.g. [\"net:api.example.com\"]",
        "settings" => "a JSON Schema object, e.g. { \"type\": \"object\", \"properties\": {} }",
        "limits" => "\"limits\": { \"memoryMb\": 16 }",
        list if list.starts_with("limits.") => "a whole number",
        list if list.starts_with("contributes.") && item => "a name as a text, e.g. \"my-tool\"",
        list if list.starts_with("contributes.") => "a list of names, e.g. [\"my-tool\"]",
        _ => "a text",
    }
}

/// What is wrong with a manifest of the right shape.
struct Wrong {
    field: String,
    reason: String,
    fix: String,
}

fn wrong(field: impl Into<String>, reason: impl Into<String>, fix: impl Into<String>) -> Wrong {
    Wrong {
        field: field.into(),
        reason: reason.into(),
        fix: fix.into(),
    }
}

fn check(manifest: &PluginManifest) -> Result<(), Wrong> {
    let id = manifest.id.as_str();
    if !valid_id(id) {
        return Err(wrong(
            "id",
            format!("“{id}” has other characters than a-z, 0-9 and -"),
            format!("write \"{}\"", id_from(id)),
        ));
    }
    if manifest.name.trim().is_empty() {
        return Err(wrong("name", "is empty", "write the name a person sees"));
    }
    if manifest.api.split('.').next() != Some(API) {
        return Err(wrong(
            "api",
            format!("this host has plugin API {API}, the plugin wants “{}”", manifest.api),
            format!("write \"{API}\", or update the app"),
        ));
    }
    for (i, capability) in manifest.capabilities.iter().enumerate() {
        if let Err(fix) = capability::known(capability) {
            return Err(wrong(
                format!("capabilities[{i}]"),
                format!("“{capability}” is not a capability"),
                fix,
            ));
        }
    }
    twice("capabilities", &manifest.capabilities)?;
    let contributes = &manifest.contributes;
    let routes = &contributes.routes;
    for (name, list) in [
        ("tools", &contributes.tools),
        ("channels", &contributes.channels),
        ("services", &contributes.services),
        ("commands", &contributes.commands),
        ("routes", routes),
    ] {
        let field = format!("contributes.{name}");
        if let Some(i) = list.iter().position(String::is_empty) {
            return Err(wrong(format!("{field}[{i}]"), "is empty", "write a name, or take it out"));
        }
        twice(&field, list)?;
    }
    for (i, route) in routes.iter().enumerate() {
        let needed = format!("route:{route}");
        if let Err(fix) = capability::known(&needed) {
            return Err(wrong(format!("contributes.routes[{i}]"), format!("“{route}” is not a path"), fix));
        }
        if !manifest.capabilities.contains(&needed) {
            return Err(wrong(
                format!("contributes.routes[{i}]"),
                format!("“{route}” has no capability of its own"),
                format!("add \"{needed}\" to capabilities"),
            ));
        }
    }
    for (i, capability) in manifest.capabilities.iter().enumerate() {
        if let Some(route) = capability.strip_prefix("route:")
            && !routes.iter().any(|r| r == route)
        {
            return Err(wrong(
                format!("capabilities[{i}]"),
                format!("“{capability}” names a route that contributes.routes does not"),
                format!("add \"{route}\" to contributes.routes, or take the capability out"),
            ));
        }
    }
    if let Some(schema) = &manifest.settings
        && let Err(e) = schema_options().build(&schema.0)
    {
        // Where in the schema: `/properties/decimals/type`.
        let at = e.instance_path().to_string().replace('/', ".");
        return Err(wrong(
            format!("settings{at}"),
            format!("is not a JSON Schema: {e}"),
            "write a JSON Schema object, e.g. { \"type\": \"object\", \"properties\": {} }",
        ));
    }
    Ok(())
}

fn twice(field: &str, list: &[String]) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    match list.iter().position(|item| !seen.insert(item)) {
        Some(i) => Err(wrong(
            format!("{field}[{i}]"),
            format!("“{}” stands twice", list.get(i).map_or("", String::as_str)),
            "take one out",
        )),
        None => Ok(()),
    }
}

/// Whether a text is what the manifest calls an id.
pub fn valid_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The nearest id to any text.
fn id_from(text: &str) -> String {
    let small = text.to_lowercase();
    let id: String = small
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    let id = id.trim_matches('-');
    if id.is_empty() { "my-plugin".into() } else { id.to_owned() }
}

/// A lone `index.ts` declares nothing and has no capabilities; its folder is its id.
fn lone(folder: &Path) -> Result<PluginManifest, ManifestError> {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let id = PluginId::new(id_from(&name)).map_err(|e| ManifestError {
        file: name.clone(),
        field: "the folder's name".into(),
        reason: format!("gives no plugin id: {e}"),
        fix: "give the folder a shorter name, or write a kata-plugin.json".into(),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(manifest: &str) -> String {
        parse_manifest(manifest).unwrap_err().to_string()
    }

    /// A good manifest with one field more, or another value.
    fn with(field: &str) -> String {
        format!(r#"{{ "id": "a", "name": "A", "version": "1", "api": "1", {field} }}"#)
    }

    #[test]
    fn every_error_names_file_field_and_what_to_write() {
        for (manifest, words) in [
            (
                r#"{ "id": "a", }"#.to_owned(),
                "kata-plugin.json: line 1, column 14: trailing comma: mend the JSON there",
            ),
            ("[]".into(), "kata-plugin.json: the whole: "),
            (
                r#"{ "name": "A", "version": "1", "api": "1" }"#.into(),
                "id: is missing: add \"id\": \"my-plugin\"",
            ),
            (
                with(r#""contributs": {}"#),
                "contributs: there is no such field: did you mean “contributes”?",
            ),
            (
                with(r#""contributes": { "tool": [] }"#),
                "contributes.tool: there is no such field: did you mean “tools”?",
            ),
            (with(r#""zebra": 1"#), "zebra: there is no such field: take it out; known here are"),
            (
                with(r#""contributes": { "tools": [5] }"#),
                "contributes.tools[0]: invalid type: integer `5`, expected a string: write a name",
            ),
            (
                with(r#""contributes": { "hooks": ["mesage_received"] }"#),
                "contributes.hooks[0]: “mesage_received” does not exist: write “message_received”",
            ),
            (
                with(r#""limits": { "memoryMb": "much" }"#),
                "limits.memoryMb: invalid type: string \"much\", expected u32: write a whole number",
            ),
            (
                with(r#""capabilities": ["secret:a", "nett:x"]"#),
                "capabilities[1]: “nett:x” is not a capability: write “net:",
            ),
            (
                with(r#""capabilities": ["secret:a", "secret:a"]"#),
                "capabilities[1]: “secret:a” stands twice: take one out",
            ),
            (with(r#""settings": { "type": 5 }"#), "settings.type: is not a JSON Schema: "),
            (
                with(r#""contributes": { "routes": ["push"] }"#),
                "contributes.routes[0]: “push” has no capability of its own: add \"route:push\" to capabilities",
            ),
            (
                with(r#""capabilities": ["route:push"]"#),
                "capabilities[0]: “route:push” names a route that contributes.routes does not: add \"push\"",
            ),
        ] {
            let told = told(&manifest);
            assert!(
                told.starts_with("kata-plugin.json: ") && told.contains(words),
                "{told}\nshould say\n{words}"
            );
        }
        let api = r#"{ "id": "a", "name": "A", "version": "1", "api": "2" }"#;
        assert_eq!(
            told(api),
            "kata-plugin.json: api: this host has plugin API 1, the plugin wants “2”: write \"1\", or update the app"
        );
        let id = r#"{ "id": "My_Plugin", "name": "A", "version": "1", "api": "1" }"#;
        assert!(told(id).ends_with("write \"my-plugin\""), "{}", told(id));
    }

    /// An editor marks with the published schema what the host would refuse, and nothing that it takes.
    #[test]
    fn the_published_schema_and_the_host_agree() {
        let schema = include_str!("../../../../docs/schema/kata-plugin.schema.json");
        let schema = schema_options().build(&serde_json::from_str(schema).unwrap()).unwrap();
        let good = [
            include_str!("../../../../plugins/echo/kata-plugin.json").to_owned(),
            include_str!("../../../../plugins/telegram/kata-plugin.json").to_owned(),
            with(r#""$schema": "./.kata/kata-plugin.schema.json", "main": "a.ts", "limits": { "memoryMb": 8 }"#),
            with(r#""contributes": { "routes": ["a/b"] }, "capabilities": ["route:a/b", "net:*.x.y:443", "files:workspace:ro"]"#),
        ];
        for manifest in good {
            assert!(
                parse_manifest(&manifest).is_ok() && schema.is_valid(&serde_json::from_str(&manifest).unwrap()),
                "{manifest}"
            );
        }
        let bad = [
            r#"{ "id": "A", "name": "A", "version": "1", "api": "1" }"#.to_owned(),
            r#"{ "id": "a", "name": " ", "version": "1", "api": "1" }"#.into(),
            r#"{ "id": "a", "name": "A", "version": "1", "api": "11" }"#.into(),
            r#"{ "id": "a", "name": "A", "api": "1" }"#.into(),
            with(r#""zebra": 1"#),
            with(r#""capabilities": ["root"]"#),
            with(r#""capabilities": ["hooks:all"]"#),
            with(r#""capabilities": ["secret:a", "secret:a"]"#),
            with(r#""contributes": { "tools": [""] }"#),
            with(r#""contributes": { "tools": ["a", "a"] }"#),
            with(r#""contributes": { "hooks": ["everything"] }"#),
            with(r#""limits": { "memoryMb": "much" }"#),
        ];
        for manifest in bad {
            assert!(
                parse_manifest(&manifest).is_err() && !schema.is_valid(&serde_json::from_str(&manifest).unwrap()),
                "{manifest}"
            );
        }
    }

    #[test]
    fn a_manifest_in_package_json_is_named_by_its_own_path() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{ "name": "x", "kata-agents": { "id": "a", "name": "A", "version": "1", "api": "1", "maim": "x.ts" } }"#;
        #[expect(clippy::disallowed_methods, reason = "a file as an author's editor writes it")]
        std::fs::write(folder.path().join("package.json"), text).unwrap();
        let told = read(folder.path()).unwrap_err().to_string();
        assert_eq!(
            told,
            "package.json: kata-agents.maim: there is no such field: did you mean “main”? Take it out otherwise"
        );
    }

    #[test]
    fn a_route_goes_with_its_capability() {
        let good = with(r#""contributes": { "routes": ["push"] }, "capabilities": ["route:push"]"#);
        assert_eq!(parse_manifest(&good).unwrap().contributes.routes, ["push"]);
    }
}
