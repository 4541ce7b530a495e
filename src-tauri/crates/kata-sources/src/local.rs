//! A folder as a source: tools that list, search and read inside it, and nothing else. For an Obsidian vault the notes' links
//! lead on: `[[Other note]]` is found wherever it lies in the vault.
//!
//! Nothing outside the folder is reached, by `..`, an absolute path or a link: a path is made plain first and must lie below the
//! folder's own plain path. Blocks; callers run it where that is allowed.

use crate::config::Local;
use crate::trouble::Trouble;
use ignore::WalkBuilder;
use kata_core::ports::ToolOutcome;
use kata_protocol::{Json, SourceId, ToolInfo};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Entries that are listed at once.
const ENTRIES: usize = 500;
/// Lines that a search shows.
const HITS: usize = 100;
/// Files a search looks into.
const FILES: usize = 20_000;
/// Largest file a search looks into, bytes.
const SEARCHED: u64 = 4 * 1024 * 1024;
/// Most of a file that is read at once, bytes.
const READ: usize = 100 * 1024;
/// Longest line of a search's result, characters.
const LINE: usize = 300;

/// A folder that is there.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
    vault: bool,
}

impl Shelf {
    /// Finds the folder.
    pub(crate) fn open(config: &Local, user_home: &Path) -> Result<Self, Trouble> {
        let text = config.path.as_str();
        let home = user_home.display().to_string();
        let text = text.replace("${HOME}", &home).replace("$HOME", &home);
        let path = match text.strip_prefix("~/") {
            Some(rest) => user_home.join(rest),
            None if text == "~" => user_home.to_owned(),
            None => PathBuf::from(&text),
        };
        let missing = |why: String| Trouble::stay("no_folder", format!("The folder {} {why} (local.path).", path.display()));
        if !path.is_absolute() {
            return Err(missing("is no whole path".into()));
        }
        match path.canonicalize() {
            Ok(root) if root.is_dir() => Ok(Self { root, vault: config.vault }),
            Ok(_) => Err(missing("is no folder".into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(missing("is not there".into())),
            Err(error) => Err(missing(format!("cannot be opened: {error}"))),
        }
    }

    /// Whether it is still there.
    pub(crate) fn stands(&self) -> bool {
        self.root.is_dir()
    }

    /// Its tools.
    pub(crate) fn tools(&self, slug: &str, name: &str, source: &SourceId) -> Vec<ToolInfo> {
        let what = if self.vault { "notes of the vault" } else { "files of the folder" };
        let tool = |tool: &str, description: String, parameters: Value| ToolInfo {
            name: crate::mcp::full_name(slug, tool),
            description,
            parameters: Json(parameters),
            read_only: true,
            plugin: None,
            source: Some(source.clone()),
        };
        let path = json!({ "type": "string", "description": "Path below the folder." });
        vec![
            tool(
                "list",
                format!("Lists the {what} “{name}”, at most {ENTRIES} at once."),
                json!({ "type": "object", "properties": { "path": path, "pattern": { "type": "string", "description": "Only names with this text." } } }),
            ),
            tool(
                "search",
                format!("Finds lines with a text in the {what} “{name}”, without regard to capitals."),
                json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "description": "What to find." }, "path": path } }),
            ),
            tool(
                "read",
                match self.vault {
                    true => format!(
                        "Reads a note of the vault “{name}” by its path, its name, or as [[link]]; says which notes it links to and which link to it."
                    ),
                    false => format!("Reads a text file of the folder “{name}”."),
                },
                json!({ "type": "object", "required": ["path"], "properties": { "path": path, "from_line": { "type": "integer", "minimum": 1 } } }),
            ),
        ]
    }

    /// Runs one. Blocks.
    pub(crate) fn call(&self, tool: &str, params: &Value) -> ToolOutcome {
        let text = |key: &str| params.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let done = match tool {
            "list" => self.list(text("path"), text("pattern")),
            "search" => match text("text") {
                Some(wanted) => self.search(wanted, text("path")),
                None => Err("“text” is missing.".into()),
            },
            "read" => match text("path") {
                Some(path) => self.read(path, params.get("from_line").and_then(Value::as_u64).unwrap_or(1)),
                None => Err("“path” is missing.".into()),
            },
            other => Err(Told(format!("There is no tool “{other}” here."))),
        };
        match done {
            Ok(text) => ToolOutcome { text, is_error: false },
            Err(Told(text)) => ToolOutcome { text, is_error: true },
        }
    }

    /// A path below the folder, made plain.
    fn inside(&self, path: &str) -> Result<PathBuf, Told> {
        let outside = || Told(format!("“{path}” is not below the folder."));
        let relative = Path::new(path);
        let joined = match relative.is_absolute() {
            true => relative.to_owned(),
            false => self.root.join(relative),
        };
        let plain = joined.canonicalize().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Told(format!("“{path}” is not there.")),
            _ => Told(format!("“{path}” cannot be opened: {e}.")),
        })?;
        if plain.starts_with(&self.root) { Ok(plain) } else { Err(outside()) }
    }

    fn below<'a>(&self, path: &'a Path) -> std::borrow::Cow<'a, str> {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy()
    }

    /// Every file below a path, in order, without what is hidden or left out by `.gitignore`; links are not followed.
    fn files(&self, at: &Path) -> impl Iterator<Item = PathBuf> {
        let walk = WalkBuilder::new(at)
            .follow_links(false)
            .sort_by_file_name(std::cmp::Ord::cmp)
            .build();
        walk.flatten()
            .filter(|entry| entry.file_type().is_some_and(|t| t.is_file()))
            .map(ignore::DirEntry::into_path)
    }

    fn list(&self, path: Option<&str>, pattern: Option<&str>) -> Result<String, Told> {
        let at = self.inside(path.unwrap_or("."))?;
        let pattern = pattern.map(str::to_lowercase);
        let fits = |name: &str| pattern.as_ref().is_none_or(|p| name.to_lowercase().contains(p));
        let mut lines = Vec::new();
        let mut more = 0_usize;
        for file in self.files(&at).take(FILES) {
            let name = self.below(&file);
            if !fits(&name) {
                continue;
            }
            if lines.len() < ENTRIES {
                lines.push(name.into_owned());
            } else {
                more += 1;
            }
        }
        if lines.is_empty() {
            return Ok("(Nothing.)".into());
        }
        if more > 0 {
            lines.push(format!("[{more} more; name a folder or a pattern.]"));
        }
        Ok(lines.join("\n"))
    }

    fn search(&self, wanted: &str, path: Option<&str>) -> Result<String, Told> {
        let at = self.inside(path.unwrap_or("."))?;
        let wanted = wanted.to_lowercase();
        let mut hits = Vec::new();
        'files: for file in self.files(&at).take(FILES) {
            let Some(text) = readable(&file, SEARCHED) else { continue };
            for (number, line) in text.lines().enumerate() {
                if line.to_lowercase().contains(&wanted) {
                    let line: String = line.trim().chars().take(LINE).collect();
                    hits.push(format!("{}:{}: {line}", self.below(&file), number + 1));
                    if hits.len() >= HITS {
                        hits.push(format!("[The first {HITS}; search for more words.]"));
                        break 'files;
                    }
                }
            }
        }
        Ok(if hits.is_empty() {
            "(Nothing found.)".into()
        } else {
            hits.join("\n")
        })
    }

    fn read(&self, path: &str, from: u64) -> Result<String, Told> {
        let file = match self.inside(path) {
            Ok(file) if file.is_file() => file,
            Ok(_) => return Err(Told(format!("“{path}” is no file."))),
            Err(told) => match self.vault.then(|| self.note(path)).flatten() {
                Some(note) => note,
                None => return Err(told),
            },
        };
        let Some(text) = readable(&file, u64::MAX) else {
            return Err(Told(format!("“{path}” is no text in UTF-8.")));
        };
        let skip = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut told = String::new();
        let mut lines = text.lines().enumerate().skip(skip);
        for (number, line) in lines.by_ref() {
            if told.len() + line.len() > READ {
                // A single line that is longer than all that is read at once is cut, so that reading goes on behind it.
                if told.is_empty() {
                    let cut: String = line.chars().take(READ / 4).collect();
                    told = format!("{cut}\n[The line is cut. Go on with from_line {}.]", number + 2);
                } else {
                    told.push_str(&format!("[Cut here. Go on with from_line {}.]", number + 1));
                }
                return Ok(told);
            }
            told.push_str(line);
            told.push('\n');
        }
        if self.vault {
            told.push_str(&self.around(&file, &text));
        }
        Ok(told)
    }

    /// A note by its name or as `[[link]]`: the first of that name, the shortest path first, as Obsidian takes it.
    fn note(&self, link: &str) -> Option<PathBuf> {
        let name = link_target(link.trim().trim_start_matches("[[").trim_end_matches("]]")).to_lowercase();
        let mut found: Vec<_> = self
            .files(&self.root)
            .take(FILES)
            .filter(|file| {
                let below = self.below(file).to_lowercase();
                let bare = below.strip_suffix(".md").unwrap_or(&below);
                bare == name || below == name || bare.rsplit('/').next() == Some(&name)
            })
            .collect();
        found.sort_by_key(|file| file.components().count());
        found.into_iter().next()
    }

    /// Notes that a note links to, and those that link to it.
    fn around(&self, file: &Path, text: &str) -> String {
        let mut told = String::new();
        let to: Vec<_> = links(text).into_iter().take(50).collect();
        if !to.is_empty() {
            told.push_str(&format!("\n[Links to: {}]", to.join(", ")));
        }
        let me = file.file_stem().map(|s| s.to_string_lossy().to_lowercase()).unwrap_or_default();
        let from: Vec<_> = self
            .files(&self.root)
            .take(FILES)
            .filter(|other| other != file && other.extension().is_some_and(|e| e == "md"))
            .filter(|other| {
                let text = readable(other, SEARCHED).unwrap_or_default();
                links(&text).iter().any(|l| l.to_lowercase().rsplit('/').next() == Some(&me))
            })
            .map(|other| self.below(&other).into_owned())
            .take(50)
            .collect();
        if !from.is_empty() {
            told.push_str(&format!("\n[Linked from: {}]", from.join(", ")));
        }
        told
    }
}

/// What the model is told instead of a result.
struct Told(String);

impl From<&str> for Told {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A file's text, where it is one and not too large.
fn readable(file: &Path, largest: u64) -> Option<String> {
    let meta = std::fs::metadata(file).ok()?;
    if !meta.is_file() || meta.len() > largest.min(64 * 1024 * 1024) {
        return None;
    }
    String::from_utf8(std::fs::read(file).ok()?).ok()
}

/// `Note` of `Note#part|shown`.
fn link_target(link: &str) -> &str {
    let end = link.find(['#', '|', '^']).unwrap_or(link.len());
    link[..end].trim().trim_end_matches(".md")
}

/// Targets of `[[links]]` in a text, each once, in order.
fn links(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in text.split("[[").skip(1) {
        let Some((link, _)) = part.split_once("]]") else { continue };
        let target = link_target(link);
        if !target.is_empty() && !target.contains('\n') && !all.iter().any(|known| known == target) {
            all.push(target.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> (tempfile::TempDir, Shelf) {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("Notes");
        for (name, text) in [
            ("Ideas.md", "# Ideas\nSee [[Trip to Oslo|the trip]] and [[Ideas#top]].\n"),
            ("travel/Trip to Oslo.md", "Pack the *Tent*.\n"),
            ("travel/photo.jpg", "\u{0}"),
            (".obsidian/app.json", "{\"tent\": true}"),
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
        }
        let config = Local {
            path: "~/Notes".into(),
            vault: true,
        };
        let shelf = Shelf::open(&config, home.path()).unwrap();
        (home, shelf)
    }

    #[test]
    fn notes_are_listed_searched_and_read_and_links_lead_from_one_to_the_other() {
        let (_home, shelf) = vault();
        let call = |tool: &str, params: Value| {
            let outcome = shelf.call(tool, &params);
            assert!(!outcome.is_error, "{}", outcome.text);
            outcome.text
        };
        assert_eq!(call("list", json!({})), "Ideas.md\ntravel/Trip to Oslo.md\ntravel/photo.jpg");
        assert_eq!(call("list", json!({ "pattern": "OSLO" })), "travel/Trip to Oslo.md");
        assert_eq!(
            call("search", json!({ "text": "tent" })),
            "travel/Trip to Oslo.md:1: Pack the *Tent*."
        );
        let ideas = call("read", json!({ "path": "Ideas.md" }));
        assert!(ideas.ends_with("\n[Links to: Trip to Oslo, Ideas]"), "{ideas}");
        let trip = call("read", json!({ "path": "[[Trip to Oslo|the trip]]" }));
        assert!(trip.starts_with("Pack") && trip.contains("[Linked from: Ideas.md]"), "{trip}");
        assert_eq!(
            call("read", json!({ "path": "Ideas.md", "from_line": 3 })).trim().lines().next(),
            Some("[Links to: Trip to Oslo, Ideas]")
        );
    }

    #[test]
    #[cfg(unix)]
    fn nothing_outside_the_folder_is_reached() {
        let (home, shelf) = vault();
        let secret = home.path().join("secret.txt");
        std::io::Write::write_all(&mut std::fs::File::create(&secret).unwrap(), b"canary").unwrap();
        std::os::unix::fs::symlink(&secret, home.path().join("Notes/link.txt")).unwrap();
        std::os::unix::fs::symlink(home.path(), home.path().join("Notes/up")).unwrap();
        for path in [
            "../secret.txt",
            secret.to_str().unwrap(),
            "link.txt",
            "up/secret.txt",
            "travel/../../secret.txt",
        ] {
            let outcome = shelf.call("read", &json!({ "path": path }));
            assert!(outcome.is_error && !outcome.text.contains("canary"), "{path}: {}", outcome.text);
        }
        assert_eq!(shelf.call("search", &json!({ "text": "canary" })).text, "(Nothing found.)");
        assert!(shelf.call("list", &json!({ "path": ".." })).is_error);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named_with_its_field() {
        let config = Local {
            path: "~/Nowhere".into(),
            vault: false,
        };
        let trouble = Shelf::open(&config, Path::new("/home/ana")).unwrap_err();
        assert_eq!(trouble.message, "The folder /home/ana/Nowhere is not there (local.path).");
        let relative = Local {
            path: "Notes".into(),
            vault: false,
        };
        assert!(
            Shelf::open(&relative, Path::new("/home/ana"))
                .unwrap_err()
                .message
                .contains("is no whole path")
        );
    }
}
