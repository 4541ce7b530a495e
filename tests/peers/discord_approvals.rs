//! A call that waits, answered from Discord: by a slash command and by its button, and only by who may.

use super::discord::{Peer, serve};
use kata_tests::{Kata, TestHome, eventually};
use serde_json::{Value, json};
use tokio::task::block_in_place;

/// The question a call waits with, and the code in it.
async fn question(fake: &Peer, channel: &str) -> (Value, String) {
    eventually("the call is asked about", async || {
        let answers = fake.answers(channel).await;
        let asked = answers
            .into_iter()
            .find(|m| m["content"].as_str().is_some_and(|t| t.contains("/approve ")))?;
        let text = asked["content"].as_str()?.to_owned();
        let code = text
            .split("/approve ")
            .nth(1)?
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        Some((asked, code))
    })
    .await
}

fn asking(api_root: &str, ada: &str) -> TestHome {
    let home = TestHome::new();
    home.settings(&json!({
        "plugins": { "discord": { "settings": { "apiRoot": api_root } } },
        "sources": { "channel:discord": { "enabled": true, "policy": "open", "mode": "ask", "approvers": [ada] } },
    }));
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_a_call_is_approved_by_a_slash_command_of_an_approver_and_of_nobody_else() {
    let fake = Peer::start("fake.mjs").await;
    let home = asking(&fake.text("/apiRoot"), &fake.text("/people/ada"));
    let kata = Kata(&home);
    let serve = serve(&kata, &fake.text("/bots/0/token")).await;
    let (bot, general) = (fake.text("/bots/0/id"), fake.text("/bots/0/channels/general"));
    let call = r#"/tool bash {"command":"touch asked-for.txt"}"#;
    fake.tell(
        "say",
        json!({ "channel": general, "user": "bob", "content": format!("<@{bot}> {call}") }),
    )
    .await;
    let (_, code) = question(&fake, &general).await;
    let approve = json!({ "channel": general, "name": "approve", "options": [{ "name": "code", "type": 3, "value": code }] });
    for user in ["bob", "ada"] {
        let mut press = approve.clone();
        press["user"] = json!(user);
        let token = fake.tell("command", press).await["token"].clone();
        eventually("Discord has its answer in time", async || {
            let answers = fake.look("answers").await;
            let mine = answers.as_array()?.iter().find(|a| a["token"] == token)?.clone();
            (mine["afterMs"].as_u64()? < 3_000).then_some(())
        })
        .await;
        if user == "bob" {
            let waiting = block_in_place(|| kata.json(&["approvals", "list"]));
            assert_eq!(waiting.as_array().map(Vec::len), Some(1), "bob may not: {waiting}");
        }
    }
    eventually("the call has run", async || {
        let answers = fake.answers(&general).await;
        answers
            .iter()
            .any(|m| m["content"].as_str().is_some_and(|t| t.contains("The tool")))
            .then_some(())
    })
    .await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_a_call_is_approved_by_its_button_and_the_buttons_go() {
    let fake = Peer::start("fake.mjs").await;
    let home = asking(&fake.text("/apiRoot"), &fake.text("/people/ada"));
    let kata = Kata(&home);
    let serve = serve(&kata, &fake.text("/bots/0/token")).await;
    let (bot, general) = (fake.text("/bots/0/id"), fake.text("/bots/0/channels/general"));
    let call = r#"/tool bash {"command":"touch asked-for.txt"}"#;
    fake.tell(
        "say",
        json!({ "channel": general, "user": "bob", "content": format!("<@{bot}> {call}") }),
    )
    .await;
    let (asked, _) = question(&fake, &general).await;
    let buttons = asked["components"][0]["components"]
        .as_array()
        .expect("buttons under the question")
        .clone();
    let once = buttons[0]["custom_id"].as_str().unwrap().to_owned();
    let press = async |user: &str| {
        let body = json!({ "channel": general, "message": asked["id"], "button": once, "user": user });
        let token = fake.tell("press", body).await["token"].clone();
        eventually("Discord has its answer", async || {
            let answers = fake.look("answers").await;
            let mine = answers.as_array()?.iter().find(|a| a["token"] == token)?.clone();
            let words = mine["follows"].as_array()?.len() + usize::from(mine["first"]["type"] == 4);
            (words > 0).then_some(mine)
        })
        .await
    };
    let refused = press("bob").await;
    assert!(refused["afterMs"].as_u64().unwrap() < 3_000, "{refused}");
    assert_eq!(refused["first"]["data"]["flags"], 64, "only bob sees it: {refused}");
    let waiting = block_in_place(|| kata.json(&["approvals", "list"]));
    assert_eq!(waiting.as_array().map(Vec::len), Some(1), "bob may not: {waiting}");
    let taken = press("ada").await;
    assert!(taken["afterMs"].as_u64().unwrap() < 3_000, "{taken}");
    let settled = eventually("the buttons are gone", async || {
        let answers = fake.answers(&general).await;
        answers.into_iter().find(|m| m["id"] == asked["id"] && m["components"] == json!([]))
    })
    .await;
    println!("{}", settled["content"]);
    eventually("the call has run", async || {
        let answers = fake.answers(&general).await;
        answers
            .iter()
            .any(|m| m["content"].as_str().is_some_and(|t| t.contains("The tool")))
            .then_some(())
    })
    .await;
    serve.stop().await;
}
