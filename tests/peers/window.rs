//! From the window alone, with the peers running: a Slack and a Matrix account are added through the wizard, a stranger is let in,
//! their message is answered, and a button in the channel answers what the agent asks. Slack is emulate with our Socket Mode
//! stand-in, Matrix a real Synapse. `cargo xtask peers window` installs them and brings a screen; the pictures of every step are
//! left in `target/screenshots/`.

#[path = "../e2e/app.rs"]
#[allow(dead_code, reason = "the desktop's stories use more of it")]
mod app;

use crate::matrix::Town;
use crate::slack::Slack;
use app::Desktop;
use kata_tests::eventually;
use serde_json::{Value, json};

/// Goes through the wizard; `answers` by the name of the step's field or secret. A choice is made by its value.
async fn wizard(desktop: &Desktop, name: &str, answers: &[(&str, &str)]) {
    desktop.click("setup-open").await;
    let mut before = String::new();
    for n in 0..8 {
        desktop
            .until("the next step, or the end", async || match desktop.last("setup-step").await {
                Some(step) => step.attribute("data-step").await.is_some_and(|at| at != before),
                None => desktop.last("setup-done").await.is_some(),
            })
            .await;
        desktop.screenshot(&format!("{name}-step-{n}")).await;
        let Some(step) = desktop.last("setup-step").await else { break };
        let asked = step.attribute("data-step").await.unwrap();
        let answer = answers.iter().find(|(field, _)| *field == asked);
        let (_, value) = answer.unwrap_or_else(|| panic!("{name} asks for {asked}, which nobody expected"));
        if desktop.last("setup-value").await.is_some() {
            desktop.type_into("setup-value", value).await;
        } else {
            desktop.click(&format!("setup-choice-{value}")).await;
        }
        desktop.click("setup-next").await;
        before = asked;
    }
    desktop.see("setup-done").await;
    if desktop.last("setup-enable").await.is_some() {
        desktop.click("setup-enable").await;
    }
    desktop.click("setup-close").await;
}

async fn runs(desktop: &Desktop, channel: &str) {
    desktop
        .until(&format!("{channel} runs"), async || {
            match desktop.last(&format!("source-status-channel:{channel}")).await {
                Some(status) => status.text().await.trim().starts_with("Running"),
                None => false,
            }
        })
        .await;
}

/// Lets in whoever waits at the channel that is shown.
async fn let_in(desktop: &Desktop, name: &str) {
    desktop.see_first_starting_with("approve-").await;
    desktop.screenshot(&format!("{name}-stranger")).await;
    desktop.click_first_starting_with("approve-").await;
    desktop
        .until("nobody waits", async || desktop.count_starting_with("approve-").await == 0)
        .await;
}

/// What stands on the button of a message whose value has `part` in it.
fn button(message: &Value, part: &str) -> Option<String> {
    let blocks = message["blocks"].as_array()?;
    let mut elements = blocks.iter().filter_map(|b| b["elements"].as_array()).flatten();
    let found = elements.find(|e| e["value"].as_str().is_some_and(|value| value.contains(part)))?;
    found["text"]["text"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn window_slack_and_matrix_are_added_by_the_wizard_and_a_button_in_slack_answers_what_is_asked() {
    let slack = Slack::start("acme").await;
    let mut town = Town::start().await;
    Desktop::drive("window-peers", async |desktop| {
        desktop.click("use-demo").await;
        desktop.click("nav-sources").await;

        desktop.click("source-row-channel:slack").await;
        desktop.type_over("setting-apiRoot", slack.text("api")).await;
        desktop.click("settings-save").await;
        let ann = format!("{}\u{E007}", slack.told["people"]["ann"].as_str().unwrap());
        desktop.type_into("policy-approvers", &ann).await;
        wizard(
            desktop,
            "slack",
            &[("appToken", slack.text("app")), ("botToken", slack.text("bot"))],
        )
        .await;
        runs(desktop, "slack").await;
        desktop.screenshot("slack-runs").await;
        let (channel, _) = slack.say("hello from slack").await;
        let_in(desktop, "slack").await;
        slack.say("/tool echo {\"text\":\"hi over slack\"}").await;
        slack.answered(&channel, None, "hi over slack").await;

        // The session may ask from here on; the question comes with buttons, and a press in Slack answers it.
        desktop.click("nav-channels").await;
        desktop.click_first_starting_with("session-row-").await;
        desktop.click("permission-menu").await;
        desktop.click("permission-ask").await;
        slack.say("/tool write {\"path\":\"from-slack.txt\",\"content\":\"written\"}").await;
        let label = eventually("Slack shows buttons", async || {
            let messages = slack.answers(&channel, None).await;
            messages.iter().rev().find_map(|m| button(m, "once"))
        })
        .await;
        desktop.screenshot("slack-asks").await;
        slack.ask(json!({ "do": "press", "channel": channel, "label": label })).await;
        eventually("the file is written", async || {
            let written = std::process::Command::new("find")
                .arg(desktop.home().path())
                .args(["-name", "from-slack.txt"])
                .output()
                .ok()?;
            (!written.stdout.is_empty()).then_some(())
        })
        .await;
        desktop.screenshot("slack-answered").await;

        desktop.click("nav-sources").await;
        desktop.click("source-row-channel:matrix").await;
        let answers = [
            ("server", town.text("base").to_owned()),
            ("homeserver", "yes".to_owned()),
            ("login", "password".to_owned()),
            ("user", "kata".to_owned()),
            ("password", town.text("password").to_owned()),
            ("invites", "all".to_owned()),
        ];
        let answers: Vec<(&str, &str)> = answers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        wizard(desktop, "matrix", &answers).await;
        runs(desktop, "matrix").await;
        let room = town.room("ada", json!({ "direct": true })).await;
        town.say("ada", &room, "hello from matrix", json!({})).await;
        let_in(desktop, "matrix").await;
        town.say("ada", &room, "/tool echo {\"text\":\"hi over matrix\"}", json!({})).await;
        town.answered("ada", &room, "hi over matrix").await;
        desktop.screenshot("matrix-runs").await;
    })
    .await;
}
