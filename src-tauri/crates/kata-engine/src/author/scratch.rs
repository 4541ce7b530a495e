//! A copy of a plugin beside which a runner can stand, in a folder of our own that goes with it.

use kata_plugins::Candidate;
use std::fs;
use std::path::{Path, PathBuf};

/// Entry of the copy that runs cases.
const RUNNER: &str = "kata-contract-runner.ts";
/// The one tool it has: the names of the cases, or one case by its index.
pub(super) const TOOL: &str = "kata-contract";
/// The SDK's specifier.
pub(super) const SDK: &str = "@kata-agents/plugin-sdk";

/// A copy of the plugin beside which a runner can stand.
pub(super) struct Scratch {
    pub(super) candidate: Candidate,
}

impl Scratch {
    pub(super) fn copy(candidate: &Candidate) -> std::io::Result<Self> {
        let name = format!("kata-check-{}", uuid::Uuid::now_v7());
        let folder = std::env::temp_dir().join(name);
        kata_store::private_dir(&folder)?;
        let folder = folder.canonicalize()?;
        let mut copy = candidate.clone();
        copy.folder.clone_from(&folder);
        let scratch = Self { candidate: copy };
        for path in files_of(&candidate.folder, &["ts", "js", "mts", "mjs", "json"]) {
            let target = folder.join(path.strip_prefix(&candidate.folder).unwrap_or(&path));
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::copy(&path, &target)?;
        }
        Ok(scratch)
    }

    /// The copy with a runner of `cases` as its module.
    pub(super) fn runner(&self, cases: &str) -> std::io::Result<Candidate> {
        let code = format!(
            "{cases}import {{ runContract }} from \"{SDK}/testing\";\n\
             export default (api) => api.registerTool({{\n\
             name: \"{TOOL}\", description: \"Runs one case.\", parameters: {{ type: \"object\" }}, readOnly: true,\n\
             execute: async ({{ index }}) => index === undefined\n\
             ? JSON.stringify(cases.map((one) => one.name)) : JSON.stringify((await runContract([cases[index]]))[0]),\n\
             }});\n"
        );
        // Not a file of the person's: it lies in a folder of our own and goes with it.
        kata_store::atomic_write(&self.candidate.folder.join(RUNNER), code.as_bytes(), 0o600)?;
        let mut runner = self.candidate.clone();
        runner.manifest.main = Some(RUNNER.into());
        runner.manifest.capabilities.clear();
        runner.manifest.contributes = kata_protocol::Contributes {
            tools: vec![TOOL.into()],
            ..Default::default()
        };
        Ok(runner)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.candidate.folder);
    }
}

/// Files with these endings, without what was installed or is hidden.
pub(super) fn files_of(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if name == "node_modules" || name.as_encoded_bytes().first() == Some(&b'.') {
                continue;
            }
            let end = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() {
                open.push(path);
            } else if endings.contains(&end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
