//! A home on disk with the real rules, tools and sandbox over it.

mod bypasses;
mod classifier;
mod files;
mod rules;
mod sandbox;

use crate::{Builtin, Places, Rules, Sandbox};
use kata_core::ports::{Judgement, Permissions, ToolOutcome, ToolRequest, Tools};
use kata_protocol::{CallId, Ms, PermissionMode, SessionId, SessionState, SessionSummary, TokenUsage, ToolInfo, TurnId, WorkspaceId};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Folders, rules and tools. The session `own` works in `work`; `other` is another session.
struct Home {
    _folder: TempDir,
    root: PathBuf,
    rules: Rules,
    builtin: Builtin,
    sandbox: Arc<Sandbox>,
}

impl Home {
    fn new() -> Self {
        Self::with(Sandbox::default())
    }

    fn with(sandbox: Sandbox) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        for made in [
            "user/.ssh",
            "user/project/src",
            "kata/workspaces/ws/sessions/own/plans",
            "kata/workspaces/ws/sessions/other",
            "kata/permissions",
            "elsewhere",
        ] {
            std::fs::create_dir_all(root.join(made)).unwrap();
        }
        let home = |file: &str, text: &str| put(&root.join(file), text);
        home("user/.ssh/id_rsa", "PRIVATE");
        home("user/.bashrc", "# rc\n");
        home("user/project/a.txt", "one\ntwo\nthree\n");
        home("user/project/src/lib.rs", "pub fn one() {}\n");
        home("user/project/.env", "TOKEN=verysecret\n");
        home("elsewhere/note.txt", "outside\n");
        home("kata/credentials.enc", "sealed");
        home("kata/gateway.json", "{}");
        home("kata/workspaces/ws/config.json", "{}");
        home("kata/workspaces/ws/sessions/own/session.jsonl", "mine\n");
        home("kata/workspaces/ws/sessions/other/session.jsonl", "theirs\n");
        let workspace = root.join("kata/workspaces/ws");
        let places = Places {
            kata_home: root.join("kata"),
            user_home: root.join("user"),
            workspace: Arc::new(move |id: &WorkspaceId| (id.as_str() == "ws").then(|| workspace.clone())),
        };
        let sandbox = Arc::new(sandbox);
        Self {
            rules: Rules::new(places.clone(), Arc::clone(&sandbox)),
            builtin: Builtin::new(places, Arc::clone(&sandbox)),
            sandbox,
            root,
            _folder: folder,
        }
    }

    fn path(&self, below: &str) -> String {
        self.root.join(below).display().to_string()
    }

    fn work(&self) -> PathBuf {
        self.root.join("user/project")
    }

    fn permissions(&self, document: &Value) {
        put(&self.root.join("kata/workspaces/ws/permissions.json"), &document.to_string());
    }

    fn session(&self, mode: PermissionMode) -> SessionSummary {
        SessionSummary {
            id: SessionId::new("own").unwrap(),
            workspace: WorkspaceId::new("ws").unwrap(),
            name: None,
            preview: None,
            created_at: Ms(0),
            last_message_at: Ms(0),
            flagged: false,
            status: None,
            labels: Vec::new(),
            unread: false,
            mode,
            model: None,
            channel: None,
            message_count: 0,
            usage: TokenUsage::default(),
            state: SessionState::Idle,
            archived: false,
            working_directory: Some(self.path("user/project")),
            profile: None,
        }
    }

    fn tool(&self, name: &str) -> ToolInfo {
        let known = self.builtin.list().iter().find(|tool| tool.name == name).cloned();
        known.unwrap_or_else(|| ToolInfo {
            name: name.into(),
            description: String::new(),
            parameters: kata_protocol::Json(json!({})),
            read_only: false,
            plugin: None,
            source: None,
        })
    }

    /// Made plain, then judged: as the core does it.
    async fn judge(&self, mode: PermissionMode, tool: &str, params: Value) -> Judgement {
        let (session, tool) = (self.session(mode), self.tool(tool));
        match self.rules.plain(&session, &tool, params).await {
            Ok(plain) => self.rules.judge(&session, &tool, &plain).await,
            Err(unfit) => Judgement::Deny { reason: unfit.0 },
        }
    }

    async fn line(&self, mode: PermissionMode, command: &str) -> Judgement {
        self.judge(mode, "bash", json!({ "command": command })).await
    }

    /// Made plain, then run without a judgement: what the tool and the sandbox themselves hold back.
    async fn run(&self, mode: PermissionMode, tool: &str, params: Value) -> ToolOutcome {
        let (session, info) = (self.session(mode), self.tool(tool));
        let params = match self.rules.plain(&session, &info, params).await {
            Ok(plain) => plain,
            Err(unfit) => {
                return ToolOutcome {
                    text: unfit.0,
                    is_error: true,
                };
            }
        };
        self.call(mode, tool, params, CancellationToken::new()).await
    }

    async fn call(&self, mode: PermissionMode, tool: &str, params: Value, cancel: CancellationToken) -> ToolOutcome {
        let session = self.session(mode);
        let request = ToolRequest {
            session: session.id,
            workspace: session.workspace,
            working_directory: session.working_directory,
            mode,
            turn: TurnId::new("t").unwrap(),
            call_id: CallId::new("c").unwrap(),
            name: tool.into(),
            params,
            cancel,
        };
        self.builtin.call(request).await
    }
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    crate::door::replace(path, text.as_bytes(), None).unwrap();
}

fn is_deny(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::Deny { .. })
}

fn is_ask(judgement: &Judgement) -> bool {
    matches!(judgement, Judgement::Ask { .. })
}
