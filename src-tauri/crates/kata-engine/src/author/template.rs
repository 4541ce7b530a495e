//! A new plugin: the files of a template with id and name filled in, and what an editor needs to know the SDK.

use kata_protocol::{PluginId, PluginTemplate};

/// A file of a new plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// From the plugin's folder, with `/`.
    pub path: &'static str,
    /// Contents.
    pub text: String,
}

macro_rules! template {
    ($name:literal: $($path:literal),*) => {
        &[$(($path, include_str!(concat!("../../../../../plugins/templates/", $name, "/", $path)))),*]
    };
}

type Files = &'static [(&'static str, &'static str)];

const TOOL: Files = template!("tool": "kata-plugin.json", "index.ts", "tests/contract.ts", "README.md");
const HOOK: Files = template!("hook": "kata-plugin.json", "index.ts", "tests/contract.ts", "README.md");
const SERVICE: Files = template!("service": "kata-plugin.json", "index.ts", "tests/contract.ts", "README.md");
const CHANNEL: Files =
    template!("channel": "kata-plugin.json", "index.ts", "read.ts", "send.ts", "server.ts", "tests/contract.ts", "README.md");

/// What TypeScript needs to check a plugin: the language the host understands, and no names of Node or of a page.
const TSCONFIG: &str = r#"{
  "compilerOptions": {
    "target": "ES2023",
    "lib": ["ES2023", "WebWorker"],
    "types": [],
    "module": "ESNext",
    "moduleResolution": "Bundler",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "isolatedModules": true,
    "resolveJsonModule": true,
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "skipLibCheck": true
  },
  "include": [".kata/*.d.ts", "**/*.ts"],
  "exclude": ["node_modules"]
}
"#;

/// The files of a new plugin. `name` is shown to people; without one it is made from the id.
pub fn new_plugin(template: PluginTemplate, id: &PluginId, name: Option<&str>) -> Vec<NewFile> {
    let files = match template {
        PluginTemplate::Tool => TOOL,
        PluginTemplate::Hook => HOOK,
        PluginTemplate::Channel => CHANNEL,
        PluginTemplate::Service => SERVICE,
    };
    let name = name.map_or_else(|| name_of(id), str::to_owned);
    // In every file the name stands inside a string of JSON or TypeScript; both escape alike.
    let quoted = serde_json::Value::from(name.as_str()).to_string();
    let quoted = quoted.trim_matches('"');
    let fill = |path: &str, text: &str| {
        let shown = if path.ends_with(".md") { name.as_str() } else { quoted };
        text.replace("{{id}}", id.as_str()).replace("{{name}}", shown)
    };
    let files = files.iter().map(|(path, text)| NewFile {
        path,
        text: fill(path, text),
    });
    files.chain(editor_files()).collect()
}

/// What an editor and `tsc` read in a plugin's folder without `node_modules`: the SDK's types, the manifest's schema, and how
/// to compile. The host reads none of it.
pub fn editor_files() -> Vec<NewFile> {
    let file = |path, text: &str| NewFile {
        path,
        text: text.to_owned(),
    };
    vec![
        file("tsconfig.json", TSCONFIG),
        file(
            ".kata/kata-plugin-sdk.d.ts",
            include_str!("../../../../../plugins/sdk/kata-plugin-sdk.d.ts"),
        ),
        file(
            ".kata/kata-plugin.schema.json",
            include_str!("../../../../../docs/schema/kata-plugin.schema.json"),
        ),
    ]
}

/// `word-count` → `Word count`.
fn name_of(id: &PluginId) -> String {
    let words = id.as_str().replace('-', " ");
    let mut letters = words.trim().chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use kata_protocol::PluginManifest;

    #[test]
    fn every_template_has_a_manifest_that_fits_and_nothing_left_to_fill_in() {
        let id = PluginId::new("word-count").unwrap();
        for template in [
            PluginTemplate::Tool,
            PluginTemplate::Hook,
            PluginTemplate::Channel,
            PluginTemplate::Service,
        ] {
            let files = new_plugin(template, &id, Some("Ann's \"best\" {words}"));
            for file in &files {
                assert!(
                    !file.text.contains("{{id}}") && !file.text.contains("{{name}}"),
                    "{template:?}: {}",
                    file.path
                );
            }
            let manifest = files.iter().find(|f| f.path == "kata-plugin.json").unwrap();
            let manifest: PluginManifest = serde_json::from_str(&manifest.text).unwrap();
            assert_eq!(
                (manifest.id, manifest.name.as_str()),
                (id.clone(), "Ann's \"best\" {words}"),
                "{template:?}"
            );
        }
    }

    #[test]
    fn a_plugin_without_a_name_is_called_after_its_id() {
        let id = PluginId::new("word-count").unwrap();
        let files = new_plugin(PluginTemplate::Tool, &id, None);
        assert!(files[0].text.contains("\"name\": \"Word count\""), "{}", files[0].text);
    }
}
