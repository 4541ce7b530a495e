//! A stranger's plugin in the window: looked at, trusted, used; changed and looked at again; stopped.

use crate::app::Desktop;
use std::path::PathBuf;

const MANIFEST: &str = r#"{
  "id": "shout",
  "name": "Shout",
  "version": "1.0.0",
  "description": "Gives a text back in capitals.",
  "api": "1",
  "contributes": { "tools": ["shout"], "commands": ["shout"] },
  "capabilities": ["files:state"]
}"#;

/// The module, with what it puts behind the text.
fn module(behind: &str) -> String {
    format!(
        r#"import {{ definePlugin }} from "@kata-agents/plugin-sdk";

const BEHIND = "{behind}";

export default definePlugin((api) => {{
  api.registerTool<{{ text: string }}>({{
    name: "shout",
    description: "Gives a text back in capitals.",
    parameters: {{ type: "object", properties: {{ text: {{ type: "string" }} }}, required: ["text"] }},
    readOnly: true,
    execute: ({{ text }}) => text.toUpperCase() + BEHIND,
  }});
  api.registerCommand({{ name: "shout", description: "Says it loud.", run: (args) => args.toUpperCase() + BEHIND }});
}});
"#
    )
}

fn folder(desktop: &Desktop) -> PathBuf {
    desktop.home().path().join("extensions/shout")
}

#[tokio::test]
async fn a_plugin_runs_only_as_it_was_looked_at_and_only_while_it_is_trusted() {
    Desktop::drive("plugin", async |desktop| {
        desktop.click("use-demo").await;
        desktop.see("health-line").await;
        it_is_dropped_in_and_waits(desktop).await;
        it_is_trusted_and_its_tool_and_its_command_answer(desktop).await;
        its_files_change_and_the_difference_is_shown(desktop).await;
        its_trust_is_taken_back_and_its_tool_is_gone(desktop).await;
    })
    .await;
}

async fn it_is_dropped_in_and_waits(desktop: &Desktop) {
    std::fs::create_dir_all(folder(desktop)).unwrap();
    std::fs::write(folder(desktop).join("index.ts"), module("!")).unwrap();
    std::fs::write(folder(desktop).join("kata-plugin.json"), MANIFEST).unwrap();
    desktop.click("nav-plugins").await;
    desktop.see("plugin-row-shout").await;
    shows_state(desktop, "needs_user").await;
    desktop.click("plugin-row-shout").await;
    let prompt = desktop.see("trust-prompt").await.text().await;
    assert!(
        prompt.contains("index.ts") && prompt.contains("kata-plugin.json"),
        "its files are listed: {prompt}"
    );
    desktop.see("hash").await;
    desktop.see("capability-files:state").await;
    desktop.screenshot("untrusted").await;
}

async fn it_is_trusted_and_its_tool_and_its_command_answer(desktop: &Desktop) {
    desktop.click("trust-enable").await;
    shows_state(desktop, "running").await;
    desktop.see("revoke-files:state").await;
    desktop.screenshot("trusted").await;
    desktop.click("nav-sessions").await;
    desktop.click("new-session").await;
    answers(desktop, "/tool shout {\"text\":\"quiet\"}", "QUIET!").await;
    desktop.type_into("composer", "/shout hear").await;
    desktop.click("send").await;
    desktop
        .until("the command answers in the chat", async || match desktop.last("local-note").await {
            Some(note) => note.text().await.contains("HEAR!"),
            None => false,
        })
        .await;
    desktop.screenshot("command").await;
}

async fn its_files_change_and_the_difference_is_shown(desktop: &Desktop) {
    std::fs::write(folder(desktop).join("index.ts"), module("?")).unwrap();
    desktop.click("nav-plugins").await;
    shows_state(desktop, "needs_user").await;
    desktop.click("plugin-row-shout").await;
    desktop.click("tab-trust").await;
    let change = desktop.see("change-index.ts").await.text().await;
    assert!(
        change.contains("BEHIND = \"!\"") && change.contains("BEHIND = \"?\""),
        "both lines are shown: {change}"
    );
    desktop.screenshot("changed").await;
    desktop.click("trust-enable").await;
    desktop.see("revoke-all").await;
    shows_state(desktop, "running").await;
    desktop.click("nav-sessions").await;
    desktop.click_first_starting_with("session-row-").await;
    answers(desktop, "/tool shout {\"text\":\"again\"}", "AGAIN?").await;
}

async fn its_trust_is_taken_back_and_its_tool_is_gone(desktop: &Desktop) {
    desktop.click("nav-plugins").await;
    desktop.click("plugin-row-shout").await;
    desktop.click("tab-trust").await;
    desktop.click("revoke-all").await;
    desktop.click("confirm").await;
    desktop.see("trust-prompt").await;
    shows_state(desktop, "needs_user").await;
    desktop.screenshot("revoked").await;
    desktop.click("nav-sessions").await;
    desktop.click_first_starting_with("session-row-").await;
    answers(desktop, "/tool shout {\"text\":\"still there\"}", "There is no tool shout").await;
}

/// Sends a line and waits for the whole answer to it.
async fn answers(desktop: &Desktop, line: &str, with: &str) {
    desktop.type_into("composer", line).await;
    desktop.click("send").await;
    desktop
        .until("the message is in the chat", async || match desktop.last("message-user").await {
            Some(sent) => sent.text().await.contains(line),
            None => false,
        })
        .await;
    desktop
        .until(with, async || match desktop.last("message-assistant").await {
            Some(answer) => answer.attribute("data-growing").await.as_deref() == Some("false") && answer.text().await.contains(with),
            None => false,
        })
        .await;
}

async fn shows_state(desktop: &Desktop, state: &str) {
    desktop
        .until(state, async || match desktop.last("plugin-status-shout").await {
            Some(status) => status.attribute("data-state").await.as_deref() == Some(state),
            None => false,
        })
        .await;
}
