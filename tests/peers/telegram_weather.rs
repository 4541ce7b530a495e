//! The real program with the real plugin against our stand-in for Telegram in bad weather. The stand-in is judged by grammY and
//! aiogram, and holds each call of ours against the Bot API's own description. `cargo xtask peers telegram` installs them.

use kata_tests::{Kata, Serve, TestHome, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStdout;
use tokio::task::block_in_place;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/telegram")
}

fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/node_modules/node/bin/node")
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-telegram")
}

struct Telegram {
    told: Value,
    http: reqwest::Client,
    input: Option<ChildStdin>,
    child: Child,
}

impl Telegram {
    async fn start(token: &str) -> Self {
        let mut child = Command::new(node())
            .arg(folder().join("fake.mjs"))
            .args(["--token", token, "--schema"])
            .arg(target())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`cargo xtask peers telegram` installs it");
        let input = child.stdin.take();
        let output = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let line = BufReader::new(output)
            .lines()
            .next_line()
            .await
            .unwrap()
            .expect("the stand-in starts");
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["schema"], "10.3", "the Bot API's description was not fetched");
        Self {
            told,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            input,
            child,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    async fn ask(&self, order: Value) -> Value {
        let answer = self.http.post(self.text("admin")).body(order.to_string()).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(good, "{order}: {said}");
        said
    }

    async fn fault(&self, kind: &str, method: &str, more: Value) {
        let mut order = json!({ "do": "fault", "kind": kind, "method": method });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(order).await;
    }

    async fn log(&self) -> Value {
        let answer = self.http.get(self.text("admin")).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// How many messages the bot has sent.
    async fn sent(&self) -> u64 {
        let place = format!("{}/sent", self.text("admin"));
        let answer = self.http.get(place).send().await.unwrap();
        let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        said["sent"].as_u64().unwrap()
    }

    /// A person writes in their own chat.
    async fn say(&self, chat: i64, text: &str) -> String {
        let said = self.ask(json!({ "do": "say", "chat": chat, "text": text })).await;
        said["id"].as_str().unwrap().to_owned()
    }

    /// What readers of a chat see of the bot, oldest first.
    async fn seen(&self, chat: i64) -> Vec<Value> {
        let log = self.log().await;
        let messages = log["messages"].as_array().unwrap();
        let mut mine: Vec<Value> = messages
            .iter()
            .filter(|m| m["chat"]["id"] == chat && m["from"]["is_bot"] == true)
            .cloned()
            .collect();
        mine.sort_by_key(|m| m["message_id"].as_i64());
        mine
    }

    async fn answered(&self, chat: i64, words: &str) -> Value {
        eventually(&format!("the bot answers {words:?} in {chat}"), async || {
            let seen = self.seen(chat).await;
            seen.into_iter().find(|m| m["text"].as_str().is_some_and(|t| t.contains(words)))
        })
        .await
    }

    /// Calls of a method, oldest first.
    async fn calls(&self, method: &str) -> Vec<Value> {
        let log = self.log().await;
        log["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["method"] == method)
            .cloned()
            .collect()
    }

    /// Each call was as the Bot API describes it.
    async fn was_spoken_to_properly(&self) {
        assert_eq!(self.log().await["problems"], json!([]), "calls that are not the Bot API's");
    }

    fn home(&self) -> TestHome {
        let home = TestHome::new();
        for workspace in ["one", "work"] {
            std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
        }
        home.settings(&json!({
            "plugins": { "telegram": { "settings": { "apiRoot": self.text("api"), "pollSeconds": 2 } } },
            "sources": { "channel:telegram": {
                "enabled": true, "policy": "open", "workspace": "one", "perMinuteSender": 10_000, "perMinuteConversation": 10_000,
                "mode": "ask", "approvers": ["7"],
            } },
        }));
        home
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn give_token(kata: &Kata<'_>, source: &str, token: &str) {
    let args = ["sources", "secret", source, "botToken"];
    let mut child = kata.command(&args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    state_of(kata, "channel:telegram", wanted).await
}

async fn state_of(kata: &Kata<'_>, source: &str, wanted: &[&str]) -> Value {
    eventually(&format!("{source} is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let found = sources.as_array()?.iter().find(|s| s["id"] == source)?.clone();
        wanted.contains(&found["status"]["state"]["kind"].as_str()?).then_some(found)
    })
    .await
}

async fn serve(kata: &Kata<'_>, telegram: &Telegram) -> Serve {
    let serve = kata.serve(None).await;
    block_in_place(|| give_token(kata, "channel:telegram", telegram.text("token")));
    state(kata, &["running"]).await;
    serve
}

async fn delivered(kata: &Kata<'_>, count: u64) {
    eventually(&format!("{count} answers are delivered"), async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == count).then_some(())
    })
    .await;
}

/// The answers to `count` messages of a chat are there once each and in order.
async fn in_order(telegram: &Telegram, chat: i64, count: usize) {
    let texts: Vec<String> = telegram
        .seen(chat)
        .await
        .iter()
        .map(|m| m["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    let places: Vec<usize> = (1..=count)
        .map(|n| {
            let words = format!("number {n}.");
            let found: Vec<usize> = (0..texts.len()).filter(|at| texts[*at].contains(&words)).collect();
            assert_eq!(found.len(), 1, "{words:?} is there once, not {}: {texts:?}", found.len());
            found[0]
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn telegram_two_clients_that_others_wrote_take_the_stand_in_for_telegram() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for judge in ["judge.mjs", "judge.py"] {
        let telegram = runtime.block_on(Telegram::start("4242:for-the-judges"));
        let mut command = if judge.ends_with("py") {
            Command::new(target().join("v/bin/python"))
        } else {
            Command::new(node())
        };
        command
            .arg(folder().join(judge))
            .args([telegram.text("admin"), telegram.text("api"), telegram.text("token")]);
        let output = command.output().expect("the judge runs");
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        println!("{said}");
        assert!(output.status.success() && said.contains(" accepts: "), "{judge}: {said}");
    }
}

#[test]
fn telegram_all_that_the_plugin_sends_is_as_the_bot_api_describes_it() {
    let mut command = Command::new(node());
    command
        .arg("--test")
        .arg(folder().join("modules.mjs"))
        .env("KATA_BOT_API", target());
    let output = command.output().expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_floods_broken_servers_and_unread_markup_delay_replies_and_lose_none() {
    let telegram = Telegram::start("4242:token").await;
    let home = telegram.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &telegram).await;
    telegram.say(7, "number 1.").await;
    telegram.answered(7, "number 1.").await;

    telegram.fault("flood", "sendMessage", json!({ "seconds": 2 })).await;
    telegram.say(7, "number 2.").await;
    telegram.answered(7, "number 2.").await;
    let calls = telegram.calls("sendMessage").await;
    let at = |back: usize| calls[calls.len() - back]["at"].as_u64().unwrap();
    assert!(at(1) - at(2) >= 1_900, "it waited as long as Telegram said: {} ms", at(1) - at(2));

    telegram.fault("parse", "sendMessage", json!({})).await;
    telegram.say(7, "**number 3.**").await;
    telegram.answered(7, "number 3.").await;

    for (number, kind) in [(4, "broken"), (5, "flood"), (6, "conflict"), (7, "lost"), (8, "hang")] {
        telegram.fault(kind, "getUpdates", json!({ "times": 2 })).await;
        telegram.say(7, &format!("number {number}.")).await;
        telegram.answered(7, &format!("number {number}.")).await;
    }
    delivered(&kata, 8).await;
    in_order(&telegram, 7, 8).await;
    state(&kata, &["running"]).await;
    telegram.was_spoken_to_properly().await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_reply_whose_answer_was_lost_is_parked_and_never_comes_twice() {
    let telegram = Telegram::start("4242:token").await;
    let home = telegram.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &telegram).await;
    // Sent, and the connection breaks before Telegram has said so: it cannot be asked whether it was.
    telegram.fault("drop", "sendMessage", json!({})).await;
    telegram.say(7, "number 1.").await;
    telegram.answered(7, "number 1.").await;
    eventually("the reply is parked for a person", async || {
        let letters = block_in_place(|| kata.json(&["letters", "list"]));
        letters.to_string().contains("telegram").then_some(())
    })
    .await;
    telegram.say(8, "number 1.").await;
    telegram.answered(8, "number 1.").await;
    in_order(&telegram, 7, 1).await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_updates_given_twice_and_out_of_order_are_answered_once_each() {
    let telegram = Telegram::start("4242:token").await;
    let home = telegram.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &telegram).await;
    telegram.say(7, "number 1.").await;
    telegram.answered(7, "number 1.").await;
    for number in 2..=6 {
        telegram.fault("double", "getUpdates", json!({ "times": 2 })).await;
        telegram.fault("shuffle", "getUpdates", json!({ "times": 2 })).await;
        telegram.say(7, &format!("number {number}.")).await;
        telegram.answered(7, &format!("number {number}.")).await;
    }
    delivered(&kata, 6).await;
    in_order(&telegram, 7, 6).await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_token_revoked_while_it_runs_waits_for_a_person_and_loses_nothing() {
    let telegram = Telegram::start("4242:token").await;
    let home = telegram.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &telegram).await;
    telegram.say(7, "number 1.").await;
    telegram.answered(7, "number 1.").await;
    telegram.ask(json!({ "do": "revoke" })).await;
    telegram.say(7, "number 2.").await;
    let waits = state(&kata, &["needs_user"]).await;
    assert!(waits["status"].to_string().contains("token_refused"), "{waits}");
    telegram.ask(json!({ "do": "restore" })).await;
    // The person pastes a token, here the same that counts again.
    block_in_place(|| give_token(&kata, "channel:telegram", telegram.text("token")));
    telegram.answered(7, "number 2.").await;
    state(&kata, &["running"]).await;
    in_order(&telegram, 7, 2).await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_thousand_messages_each_way_are_answered_once_in_order_over_floods_breaks_and_a_kill() {
    // No chat says more than the loop guard lets through in a minute.
    const CHATS: i64 = 50;
    const EACH: usize = 20;
    let telegram = Telegram::start("4242:token").await;
    let home = telegram.home();
    let kata = Kata(&home);
    let first = serve(&kata, &telegram).await;
    telegram
        .fault("flood", "sendMessage", json!({ "times": 3, "after": 40, "seconds": 1 }))
        .await;
    telegram.fault("broken", "getUpdates", json!({ "times": 2, "after": 3 })).await;
    telegram.fault("lost", "getUpdates", json!({ "times": 2, "after": 6 })).await;
    telegram.fault("double", "getUpdates", json!({ "times": 5, "after": 4 })).await;
    for number in 1..=EACH {
        for chat in 1..=CHATS {
            telegram.say(chat, &format!("number {number}.")).await;
        }
    }
    let total = u64::try_from(EACH).unwrap() * CHATS.unsigned_abs();
    wait_for(&telegram, total).await;
    delivered(&kata, total).await;
    for chat in 1..=CHATS {
        in_order(&telegram, chat, EACH).await;
    }
    telegram.was_spoken_to_properly().await;
    // Killed without a farewell: nothing that was answered is answered again.
    drop(first);
    let second = kata.serve(None).await;
    telegram.say(1, "number 21.").await;
    telegram.answered(1, "number 21.").await;
    in_order(&telegram, 1, EACH + 1).await;
    assert_eq!(
        telegram.calls("sendMessage").await.iter().filter(|c| c["ok"] == true).count() as u64,
        total + 1
    );
    second.stop().await;
}

/// A thousand answers take longer than `eventually` waits; each time some more must have come.
async fn wait_for(telegram: &Telegram, total: u64) {
    let mut before = 0;
    while before < total {
        before = eventually("more answers come", async || {
            let sent = telegram.sent().await;
            (sent > before).then_some(sent)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_two_accounts_in_two_workspaces_never_mix() {
    let first = Telegram::start("4242:token").await;
    let second = Telegram::start("5555:work").await;
    let home = first.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &first).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    run(&["channels", "accounts", "add", "telegram", "work", "--workspace", "work"]);
    let root = format!("apiRoot={}", second.text("api"));
    run(&["sources", "set", "channel:telegram@work", &root, "pollSeconds=2"]);
    run(&["channels", "policy", "telegram@work", "--policy", "open"]);
    run(&["sources", "enable", "channel:telegram@work"]);
    block_in_place(|| give_token(&kata, "channel:telegram@work", second.text("token")));
    state_of(&kata, "channel:telegram@work", &["running"]).await;
    // The same person in the same chat with each of the two bots.
    for number in 1..=10 {
        first.say(7, &format!("first, number {number}.")).await;
        second.say(7, &format!("second, number {number}.")).await;
    }
    first.answered(7, "first, number 10.").await;
    second.answered(7, "second, number 10.").await;
    for (telegram, other) in [(&first, "second, "), (&second, "first, ")] {
        in_order(telegram, 7, 10).await;
        let seen = telegram.seen(7).await;
        assert!(!seen.iter().any(|m| m["text"].as_str().unwrap().contains(other)), "{seen:?}");
    }
    let sessions = block_in_place(|| kata.json(&["sessions", "list"]));
    let rows = sessions["sessions"].as_array().or(sessions.as_array()).unwrap();
    let mut places: Vec<_> = rows
        .iter()
        .map(|s| (s["workspace"].as_str().unwrap(), s["channel"]["slug"].as_str().unwrap_or("")))
        .collect();
    places.sort_unstable();
    assert_eq!(places, [("one", "telegram"), ("work", "telegram@work")]);
    serve.stop().await;
}
