//! `permissions.json`, “always” and the modes.

use super::{Home, is_ask, is_deny, put};
use kata_core::ports::{Judgement, Permissions};
use kata_protocol::PermissionMode::{AllowAll, Ask, Safe};
use kata_protocol::{AlwaysRule, WorkspaceId};
use serde_json::json;

fn workspace() -> WorkspaceId {
    WorkspaceId::new("ws").unwrap()
}

/// What an allowed command is, where this machine has no sandbox: asked about, and in mode safe refused.
fn allowed(home: &Home, judged: &Judgement) -> bool {
    match home.sandbox.lacks() {
        None => *judged == Judgement::Allow,
        Some(_) => *judged != Judgement::Allow,
    }
}

#[tokio::test]
async fn the_rules_of_an_existing_home_allow_what_they_name() {
    let home = Home::new();
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/fixtures/kata-agents-home/workspaces/my-workspace"
    );
    for file in ["permissions.json", "sources/linear/permissions.json"] {
        let text = std::fs::read_to_string(format!("{fixture}/{file}")).unwrap();
        put(&home.root.join("kata/workspaces/ws").join(file), &text);
    }
    for line in ["make test", "make  test -k", "cargo check --all"] {
        for mode in [Safe, Ask] {
            let judged = home.line(mode, line).await;
            assert!(allowed(&home, &judged), "{line}: {judged:?}");
        }
    }
    for line in ["make testing-what", "make install", "make test; make install", "cargo checkmate"] {
        assert!(is_deny(&home.line(Safe, line).await), "{line}");
    }
    let tool = async |name: &str, params| home.judge(Safe, name, params).await;
    assert_eq!(tool("mcp__linear__list", json!({})).await, Judgement::Allow);
    assert_eq!(
        tool("mcp__linear__issues_list_all", json!({})).await,
        Judgement::Allow,
        "the source's own file"
    );
    assert!(
        is_deny(&tool("mcp__notes__issues_list_all", json!({})).await),
        "which counts for that source alone"
    );
    assert_eq!(
        tool("mcp__x__api_x", json!({ "method": "POST", "path": "/search" })).await,
        Judgement::Allow
    );
    assert!(is_deny(
        &tool("mcp__x__api_x", json!({ "method": "POST", "path": "/issues" })).await
    ));
    assert!(is_deny(
        &tool("mcp__x__api_x", json!({ "method": "POST", "path": "/search/../issues" })).await
    ));
    assert_eq!(tool("mcp__x__api_x", json!({ "path": "/issues" })).await, Judgement::Allow);
    assert_ne!(
        tool("mcp__x__api_delete", json!({ "path": "/issues" })).await,
        Judgement::Allow,
        "a server's own tool is no API's, whatever it is called"
    );
    let listed = home.rules.list(&workspace()).await.unwrap();
    assert!(listed.iter().all(|rule| rule.problem.is_none()), "{listed:?}");
    assert!(listed.iter().any(|rule| rule.about == "bash" && rule.text.contains("run tests")));
}

#[tokio::test]
async fn a_rule_that_cannot_be_used_says_so_widens_nothing_and_leaves_the_others() {
    let home = Home::new();
    home.permissions(&json!({
        "allowedBashPatterns": ["^make\\b", "(", 7, { "comment": "no pattern" }],
        "allowedWritePaths": ["relative/**", "/tmp/../etc/**", "/a/["],
        "allowedApiEndpoints": [{ "path": "^/x" }],
        "allowedMcpPatterns": "all",
        "somethingNew": true,
    }));
    assert!(allowed(&home, &home.line(Safe, "make all").await));
    assert!(is_deny(&home.line(Safe, "rm x").await));
    let listed = home.rules.list(&workspace()).await.unwrap();
    assert_eq!(listed.iter().filter(|rule| rule.problem.is_some()).count(), 8, "{listed:?}");

    put(&home.root.join("kata/workspaces/ws/permissions.json"), "{ broken");
    assert!(
        is_deny(&home.line(Safe, "make all").await),
        "a file that cannot be read allows nothing"
    );
    let listed = home.rules.list(&workspace()).await.unwrap();
    assert!(listed[0].problem.as_deref().unwrap().contains("not JSON"));
}

#[tokio::test]
async fn a_blocked_tool_is_refused_in_every_mode() {
    let home = Home::new();
    home.permissions(&json!({ "blockedTools": ["bash", "read"] }));
    for mode in [Safe, Ask, AllowAll] {
        assert!(is_deny(&home.line(mode, "ls").await));
        assert!(is_deny(&home.judge(mode, "read", json!({ "path": "a.txt" })).await));
    }
}

#[tokio::test]
async fn a_sources_file_allows_no_command_and_no_writing() {
    let home = Home::new();
    let wide = json!({ "allowedBashPatterns": [".*"], "allowedWritePaths": ["/**"] });
    put(
        &home.root.join("kata/workspaces/ws/sources/evil/permissions.json"),
        &wide.to_string(),
    );
    assert!(is_deny(&home.line(Safe, "rm x").await));
    assert!(is_deny(&home.judge(Safe, "write", json!({ "path": "x", "content": "" })).await));
}

#[tokio::test]
async fn paths_that_may_be_written_are_written_in_every_mode_but_secrets_are_not() {
    let home = Home::new();
    home.permissions(&json!({ "allowedWritePaths": [format!("{}/**", home.path("user"))] }));
    let write = async |path: &str| home.judge(Safe, "write", json!({ "path": home.path(path), "content": "" })).await;
    assert_eq!(write("user/notes/a.md").await, Judgement::Allow);
    assert!(is_deny(&write("user/.ssh/authorized_keys").await));
    assert!(is_deny(&write("user-evil/a.md").await));
    assert!(is_deny(&write("user/../elsewhere/a.md").await));
}

#[tokio::test]
async fn always_for_a_command_means_its_words_in_this_workspace_until_it_is_taken_back() {
    let home = Home::new();
    let Judgement::Ask { always: Some(rule), .. } = home.line(Ask, "npm run build").await else {
        panic!("not asked")
    };
    assert_eq!(rule.prefix, ["npm", "run", "build"]);
    home.rules.remember(&workspace(), &rule).await.unwrap();
    home.rules.remember(&workspace(), &rule).await.unwrap();
    for line in ["npm run build", "npm run build --verbose", "ls && npm run build"] {
        let judged = home.line(Ask, line).await;
        assert!(allowed(&home, &judged), "{line}: {judged:?}");
    }
    for line in [
        "npm run builds",
        "npm run",
        "npm run build; rm x",
        "npm run build > x",
        "npm 'run build'",
        "npm run build $(rm x)",
    ] {
        assert!(is_ask(&home.line(Ask, line).await), "{line}");
    }
    assert!(is_deny(&home.line(Safe, "npm run build").await), "mode safe stays what it says");
    let file = home.root.join("kata/workspaces/ws/permissions-always.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let listed = home.rules.list(&workspace()).await.unwrap();
    assert_eq!(listed.iter().filter(|r| r.always.is_some()).count(), 1, "kept once");
    home.rules.forget(&workspace(), &rule).await.unwrap();
    assert!(home.rules.forget(&workspace(), &rule).await.is_err());
    assert!(is_ask(&home.line(Ask, "npm run build").await));

    put(&file, "{ damaged");
    assert!(
        home.rules
            .remember(&workspace(), &rule)
            .await
            .unwrap_err()
            .message
            .contains("permissions-always.json")
    );
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "{ damaged",
        "what cannot be read is not written over"
    );
}

#[tokio::test]
async fn always_is_not_offered_where_it_would_say_too_much() {
    let home = Home::new();
    for line in [
        "sudo ls",
        "bash -c 'x'",
        "python3 a.py",
        "python3.12 a.py",
        "env x",
        "xargs rm",
        "rm -rf x",
        "npm",
        "npm i; npm t",
        "ls > x",
        "/usr/bin/env x",
    ] {
        let judged = home.line(Ask, line).await;
        assert!(matches!(judged, Judgement::Ask { always: None, .. }), "{line}: {judged:?}");
    }
}

#[tokio::test]
async fn always_for_a_file_tool_means_a_folder_component_by_component() {
    let home = Home::new();
    let outside = json!({ "path": home.path("elsewhere/note.txt") });
    let Judgement::Ask { always: Some(rule), .. } = home.judge(Ask, "read", outside.clone()).await else {
        panic!("not asked")
    };
    assert_eq!(rule.folder.as_deref(), Some(home.path("elsewhere").as_str()));
    home.rules.remember(&workspace(), &rule).await.unwrap();
    assert_eq!(home.judge(Ask, "read", outside.clone()).await, Judgement::Allow);
    for path in ["elsewhere-evil/x", "elsewhere/../user/.bashrc", "elsewhere/id_rsa"] {
        assert!(is_ask(&home.judge(Ask, "read", json!({ "path": home.path(path) })).await), "{path}");
    }
    assert!(
        is_ask(
            &home
                .judge(Ask, "write", json!({ "path": home.path("elsewhere/x"), "content": "" }))
                .await
        ),
        "for reading only"
    );
    assert!(is_deny(&home.judge(Safe, "read", outside).await));
    let everything = AlwaysRule {
        tool: "read".into(),
        prefix: Vec::new(),
        folder: Some("/".into()),
    };
    home.rules.remember(&workspace(), &everything).await.unwrap();
    assert!(
        is_ask(&home.judge(Ask, "read", json!({ "path": "/etc/hostname" })).await),
        "the whole disk is no folder"
    );
}

#[tokio::test]
async fn mode_allow_all_asks_about_secrets_and_writing_outside_and_nothing_else() {
    let home = Home::new();
    assert_eq!(
        home.judge(AllowAll, "read", json!({ "path": "/etc/hostname" })).await,
        Judgement::Allow
    );
    assert_eq!(
        home.judge(AllowAll, "write", json!({ "path": "new", "content": "" })).await,
        Judgement::Allow
    );
    assert!(is_ask(&home.judge(AllowAll, "read", json!({ "path": ".env" })).await));
    assert!(is_ask(
        &home.judge(AllowAll, "write", json!({ "path": "/etc/x", "content": "" })).await
    ));
    assert!(allowed(&home, &home.line(AllowAll, "rm x > y").await));
}
