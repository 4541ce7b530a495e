//! `kata permissions` and `kata tools`.

use super::connect;
use crate::args::{Permissions, Tools};
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use kata_protocol::*;
use serde_json::{Value, json};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Permissions) -> Result<(), Failure> {
    match command {
        Permissions::List { workspace } => {
            let state = connect(home).await?.permission_list(PermissionList { workspace }).await?;
            screen.result(&state, render::permissions)
        }
        Permissions::Forget {
            workspace,
            folder,
            tool,
            words,
        } => {
            let rule = AlwaysRule {
                tool,
                prefix: words,
                folder,
            };
            let state = connect(home).await?.permission_forget(PermissionForget { workspace, rule }).await?;
            screen.result(&state, |_| "taken back\n".into())
        }
        Permissions::Explain {
            workspace,
            session,
            mode,
            tool,
            arguments,
        } => {
            let params = Json(arguments_of(&tool, &arguments)?);
            let explain = PermissionExplain {
                session,
                workspace,
                mode: mode.map(PermissionMode::from),
                tool,
                params,
            };
            let explained = connect(home).await?.permission_explain(explain).await?;
            screen.result(&explained, render::explanation)
        }
    }
}

pub(super) async fn tools(screen: &Screen, home: &Path, command: Tools) -> Result<(), Failure> {
    let Tools::List = command;
    let tools = connect(home).await?.tool_list(Empty {}).await?;
    screen.result(&tools, |t| render::tools(t))
}

/// JSON as it is; a bare text as the argument that says most.
fn arguments_of(tool: &str, text: &str) -> Result<Value, Failure> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|e| Failure::usage(format!("the arguments are not JSON: {e}")));
    }
    Ok(match tool {
        "bash" => json!({ "command": text }),
        "web_fetch" => json!({ "url": text }),
        "read" => json!({ "path": text }),
        "write" => json!({ "path": text, "content": "" }),
        "edit" => json!({ "path": text, "old": "a", "new": "b" }),
        "glob" | "grep" => json!({ "path": text, "pattern": "**" }),
        _ => return Err(Failure::usage(format!("write the arguments of {tool} as JSON: {{\"name\": …}}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_text_is_the_argument_that_says_most_and_braces_are_json() {
        assert_eq!(
            arguments_of("bash", "ls; rm -rf x").ok(),
            Some(json!({ "command": "ls; rm -rf x" }))
        );
        assert_eq!(arguments_of("read", r#"{"path":"a"}"#).ok(), Some(json!({ "path": "a" })));
        assert!(arguments_of("read", "{").is_err() && arguments_of("echo", "x").is_err());
    }
}
