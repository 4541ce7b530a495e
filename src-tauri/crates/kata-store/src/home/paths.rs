//! Where things lie, and how paths are written in files so that a home folder can move.

use std::path::{Component, Path, PathBuf};

/// The home folder (`~/.kata-agents`) and the person's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomePaths {
    root: PathBuf,
    user_home: PathBuf,
}

/// Name of the home folder under the person's own.
const FOLDER: &str = ".kata-agents";

impl HomePaths {
    /// A home folder at `root` for the person whose own folder is `user_home`.
    pub fn new(root: impl Into<PathBuf>, user_home: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            user_home: user_home.into(),
        }
    }

    /// The home folder the environment names: `KATA_CONFIG_DIR`, else `CRAFT_CONFIG_DIR`, else `~/.kata-agents`. The only
    /// place of this crate that reads the environment. `None` when the person has no home directory.
    pub fn from_env() -> Option<Self> {
        let user_home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
        let named = ["KATA_CONFIG_DIR", "CRAFT_CONFIG_DIR"]
            .iter()
            .find_map(|name| std::env::var_os(name).filter(|value| !value.is_empty()));
        let root = match named {
            Some(path) => match path.to_str() {
                Some(text) => expand_tilde(text, &user_home),
                None => PathBuf::from(path),
            },
            None => user_home.join(FOLDER),
        };
        Some(Self { root, user_home })
    }

    /// The home folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// The person's own folder.
    pub fn user_home(&self) -> &Path {
        &self.user_home
    }
    /// `config.json`.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.json")
    }
    /// `preferences.json`.
    pub fn preferences(&self) -> PathBuf {
        self.root.join("preferences.json")
    }
    /// The message store.
    pub fn database(&self) -> PathBuf {
        self.root.join("kata.db")
    }
    /// Where session files are made durable.
    pub fn session_log(&self) -> PathBuf {
        self.root.join("sessions.wal")
    }
    /// Files on their way from and to platforms.
    pub fn media(&self) -> PathBuf {
        self.root.join("media")
    }
    /// The older program's secrets.
    pub fn credentials(&self) -> PathBuf {
        self.root.join("credentials.enc")
    }
    /// Where new workspaces go.
    pub fn workspaces(&self) -> PathBuf {
        self.root.join("workspaces")
    }

    /// A path as files write it (`~`, `~/…`, `$HOME/…`, `${HOME}/…` or absolute).
    ///
    /// `~/.kata-agents/…` means this home folder wherever it lies, so a copied or renamed home opens; only where it has no
    /// such file and the person's real `~/.kata-agents` has, that one is meant.
    pub fn expand(&self, text: &str) -> PathBuf {
        let literal = expand_tilde(text, &self.user_home);
        let Ok(inside) = literal.strip_prefix(self.user_home.join(FOLDER)) else {
            return literal;
        };
        let here = self.root.join(inside);
        if !here.exists() && literal.exists() { literal } else { here }
    }

    /// A path for a file: under the person's folder as `~/…`, else absolute. Separators become `/`.
    pub fn portable(&self, path: &Path) -> String {
        match path.strip_prefix(&self.user_home) {
            Ok(rest) if rest.as_os_str().is_empty() => "~".into(),
            Ok(rest) => {
                let parts: Vec<_> = rest
                    .components()
                    .filter_map(|part| match part {
                        Component::Normal(name) => Some(name.to_string_lossy()),
                        _ => None,
                    })
                    .collect();
                format!("~/{}", parts.join("/"))
            }
            Err(_) => path.display().to_string(),
        }
    }
}

fn expand_tilde(text: &str, user_home: &Path) -> PathBuf {
    for prefix in ["~", "${HOME}", "$HOME"] {
        if let Some(rest) = text.strip_prefix(prefix) {
            if rest.is_empty() {
                return user_home.to_owned();
            }
            if let Some(rest) = rest.strip_prefix(['/', '\\']) {
                return user_home.join(rest);
            }
        }
    }
    PathBuf::from(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_being_written_and_read() {
        let paths = HomePaths::new("/home/ada/.kata-agents", "/home/ada");
        for path in ["/home/ada", "/home/ada/code/app", "/srv/elsewhere", "/home/adam/x"] {
            assert_eq!(paths.expand(&paths.portable(Path::new(path))), Path::new(path));
        }
        assert_eq!(paths.portable(Path::new("/home/ada/code/app")), "~/code/app");
        for text in ["$HOME/code", "${HOME}/code", "~/code"] {
            assert_eq!(paths.expand(text), Path::new("/home/ada/code"));
        }
        assert_eq!(
            paths.expand("~adam/x"),
            Path::new("~adam/x"),
            "another person's folder is not guessed"
        );
    }

    #[test]
    fn a_home_folder_that_was_copied_means_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (copy, person) = (folder.path().join("copy"), folder.path().join("ada"));
        let paths = HomePaths::new(&copy, &person);
        std::fs::create_dir_all(copy.join("workspaces/one")).unwrap();
        std::fs::create_dir_all(person.join(".kata-agents/workspaces/two")).unwrap();
        assert_eq!(paths.expand("~/.kata-agents/workspaces/one"), copy.join("workspaces/one"));
        assert_eq!(
            paths.expand("~/.kata-agents/workspaces/two"),
            person.join(".kata-agents/workspaces/two")
        );
        assert_eq!(paths.expand("~/.kata-agents/workspaces/new"), copy.join("workspaces/new"));
    }
}
