//! The real program with the real plugin against Slack: the Web API is emulate's, Socket Mode our stand-in's, which Bolt JS and
//! slack_sdk have accepted. `cargo xtask peers slack` installs all of them.

use kata_tests::{Kata, Serve, TestHome, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::ChildStdout;
use tokio::task::block_in_place;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/slack")
}

fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/node_modules/node/bin/node")
}

/// A workspace with its people.
pub(crate) struct Slack {
    pub(crate) told: Value,
    http: reqwest::Client,
    input: Option<ChildStdin>,
    child: Child,
}

impl Slack {
    pub(crate) async fn start(team: &str) -> Self {
        Self::start_with(&["--team", team]).await
    }

    async fn start_with(args: &[&str]) -> Self {
        let mut child = Command::new(node())
            .arg(folder().join("fake.mjs"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`cargo xtask peers slack` installs it");
        let input = child.stdin.take();
        let output = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let line = BufReader::new(output)
            .lines()
            .next_line()
            .await
            .unwrap()
            .expect("the stand-in starts");
        Self {
            told: serde_json::from_str(&line).unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            input,
            child,
        }
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    pub(crate) async fn ask(&self, order: Value) -> Value {
        let answer = self.http.post(self.text("admin")).body(order.to_string()).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(good, "{order}: {said}");
        said
    }

    /// What happened so far.
    async fn log(&self) -> Value {
        let answer = self.http.get(self.text("admin")).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Fields of the bot's calls of one method.
    async fn calls(&self, method: &str) -> Vec<Value> {
        let log = self.log().await;
        let calls = log["calls"].as_array().unwrap();
        calls.iter().filter(|c| c["method"] == method).cloned().collect()
    }

    pub(crate) async fn say(&self, text: &str) -> (String, String) {
        self.place(json!({ "do": "say", "text": text })).await
    }

    async fn place(&self, order: Value) -> (String, String) {
        let said = self.ask(order).await;
        (
            said["channel"].as_str().unwrap().to_owned(),
            said["ts"].as_str().unwrap().to_owned(),
        )
    }

    /// The bot's messages in a conversation or a thread, oldest first.
    pub(crate) async fn answers(&self, channel: &str, thread: Option<&str>) -> Vec<Value> {
        let mut order = json!({ "do": "history", "channel": channel });
        if let Some(thread) = thread {
            order["thread"] = thread.into();
        }
        let history = self.ask(order).await;
        let mut messages: Vec<Value> = history["messages"].as_array().expect("a history").clone();
        messages.retain(|m| m["user"] == self.told["botUser"]);
        messages.sort_by(|a, b| a["ts"].as_str().cmp(&b["ts"].as_str()));
        messages
    }

    /// Waits until the bot has said `text`; gives that message.
    pub(crate) async fn answered(&self, channel: &str, thread: Option<&str>, text: &str) -> Value {
        eventually(&format!("the bot answers with {text:?}"), async || {
            let answers = self.answers(channel, thread).await;
            answers
                .into_iter()
                .find(|m| m["text"].as_str().is_some_and(|said| said.contains(text)))
        })
        .await
    }

    fn home(&self) -> TestHome {
        let home = TestHome::new();
        home.settings(&json!({
            "plugins": { "slack": { "settings": { "apiRoot": self.text("api") } } },
            "sources": { "channel:slack": {
                "enabled": true, "policy": "open", "perMinuteSender": 10_000, "perMinuteConversation": 10_000,
                "mode": "ask", "approvers": [self.told["people"]["ann"]],
            } },
        }));
        home
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        // Closing its input is how it is asked to take emulate down.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn give(kata: &Kata<'_>, name: &str, value: &str) {
    give_to(kata, "channel:slack", name, value);
}

fn give_to(kata: &Kata<'_>, source: &str, name: &str, value: &str) {
    let args = ["sources", "secret", source, name];
    let mut child = kata.command(&args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    eventually(&format!("slack is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let slack = sources.as_array()?.iter().find(|s| s["id"] == "channel:slack")?.clone();
        wanted.contains(&slack["status"]["state"]["kind"].as_str()?).then_some(slack)
    })
    .await
}

async fn serve(kata: &Kata<'_>, slack: &Slack) -> Serve {
    let serve = kata.serve(None).await;
    block_in_place(|| {
        give(kata, "botToken", slack.text("bot"));
        give(kata, "appToken", slack.text("app"));
    });
    state(kata, &["running"]).await;
    serve
}

async fn ledger(kata: &Kata<'_>, delivered: u64) -> Value {
    eventually(&format!("{delivered} answers are delivered"), async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == delivered).then(|| status["ledger"].clone())
    })
    .await
}

/// Each of `count` answers is there once, and in order.
fn in_order(answers: &[Value], words: impl Fn(usize) -> String, count: usize) {
    let texts: Vec<&str> = answers.iter().map(|m| m["text"].as_str().unwrap()).collect();
    let places: Vec<usize> = (1..=count)
        .map(|n| {
            let found: Vec<usize> = (0..texts.len()).filter(|at| texts[*at].contains(&words(n))).collect();
            assert_eq!(found.len(), 1, "{:?} is there once, not {}: {texts:?}", words(n), found.len());
            found[0]
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_direct_messages_mentions_threads_and_orders_are_answered_where_they_were_written() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &slack).await;

    let (chat, _) = slack.say("hello *bot* &amp; friends").await;
    let answer = slack.answered(&chat, None, "&amp; friends").await;
    assert!(answer["thread_ts"].is_null(), "{answer}");

    // A channel: only what mentions the bot, once although it comes as two events, in a thread of its own.
    let channel = slack.text("channel");
    let bot = slack.text("botUser");
    slack
        .ask(json!({ "do": "say", "to": channel, "text": "nobody in particular" }))
        .await;
    let (_, root) = slack
        .place(json!({ "do": "say", "to": channel, "text": format!("<@{bot}> in the channel") }))
        .await;
    let answer = slack.answered(channel, Some(&root), "in the channel").await;
    assert_eq!(answer["thread_ts"], root.as_str());

    // In a thread it takes part in, no mention is needed; another person writes there, and is named.
    slack
        .ask(json!({ "do": "say", "from": "bob", "to": channel, "thread": root, "text": "and in the thread" }))
        .await;
    slack.answered(channel, Some(&root), "and in the thread").await;

    slack.ask(json!({ "do": "command", "text": "status" })).await;
    ledger(&kata, 4).await;
    assert_eq!(slack.answers(channel, Some(&root)).await.len(), 2, "each answered once");
    assert_eq!(slack.answers(&chat, None).await.len(), 2);
    let log = slack.log().await;
    assert_eq!(
        (&log["waiting"], &log["again"]),
        (&json!(0), &json!(0)),
        "everything was acknowledged in time"
    );

    let sessions = block_in_place(|| kata.json(&["sessions", "list"]));
    let names = sessions.to_string();
    assert!(names.contains("Ann") || names.contains("ann"), "{names}");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_a_refresh_a_break_a_half_open_socket_and_a_restart_lose_and_repeat_nothing() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let first = serve(&kata, &slack).await;
    let (chat, _) = slack.say("number 1.").await;
    slack.answered(&chat, None, "number 1.").await;

    // Slack asks for a new socket: it stands before the old one goes.
    let before = slack.log().await;
    slack
        .ask(json!({ "do": "disconnect", "reason": "refresh_requested", "afterMs": 10_000 }))
        .await;
    eventually("the new socket stands and the old one is closed", async || {
        let log = slack.log().await;
        let one_more = log["opened"].as_u64()? == before["opened"].as_u64()? + 1;
        let ended = log["closed"].as_array()?.len() == before["closed"].as_array()?.len() + 1;
        (one_more && ended).then_some(())
    })
    .await;
    assert_eq!(
        slack.log().await["mostOpen"],
        2,
        "the new socket was opened before the old one was closed"
    );
    slack.say("number 2.").await;
    slack.answered(&chat, None, "number 2.").await;

    // It breaks, and the next two are turned away.
    slack.ask(json!({ "do": "refuse", "times": 2 })).await;
    slack.ask(json!({ "do": "drop" })).await;
    slack.say("number 3.").await;
    slack.answered(&chat, None, "number 3.").await;

    // Half-open: what Slack gives to the dead socket comes from the history, and by the events given again.
    slack.ask(json!({ "do": "silence" })).await;
    slack.say("number 4.").await;
    state(&kata, &["degraded", "connecting"]).await;
    state(&kata, &["running"]).await;
    slack.answered(&chat, None, "number 4.").await;

    // Killed without a farewell; what was written meanwhile, its event never given, is read afterwards.
    ledger(&kata, 4).await;
    drop(first);
    slack.ask(json!({ "do": "say", "text": "number 5.", "silent": true })).await;
    slack.say("number 6.").await;
    let second = kata.serve(None).await;
    slack.answered(&chat, None, "number 6.").await;
    ledger(&kata, 6).await;
    in_order(&slack.answers(&chat, None).await, |n| format!("number {n}."), 6);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_429_failing_servers_and_lost_answers_delay_replies_and_double_none() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &slack).await;
    let (chat, _) = slack.say("number 1.").await;
    slack.answered(&chat, None, "number 1.").await;

    slack
        .ask(json!({ "do": "fault", "method": "chat.postMessage", "status": 429, "headers": { "retry-after": "2" } }))
        .await;
    slack.say("number 2.").await;
    slack.answered(&chat, None, "number 2.").await;
    let calls = slack.calls("chat.postMessage").await;
    let at = |n: usize| calls[n]["at"].as_u64().unwrap();
    assert!(at(2) - at(1) >= 1_900, "it waited as long as Slack said: {} ms", at(2) - at(1));

    // The server fails without and with having sent; the connection breaks after it has sent.
    for (number, fault) in [
        (3, json!({ "status": 503 })),
        (4, json!({ "status": 500, "after": true })),
        (5, json!({ "after": true })),
    ] {
        let mut order = json!({ "do": "fault", "method": "chat.postMessage" });
        order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        slack.ask(order).await;
        slack.say(&format!("number {number}.")).await;
        slack.answered(&chat, None, &format!("number {number}.")).await;
        ledger(&kata, number).await;
    }
    in_order(&slack.answers(&chat, None).await, |n| format!("number {n}."), 5);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_events_given_twice_late_and_out_of_order_are_taken_once_each() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &slack).await;
    let (chat, _) = slack.place(json!({ "do": "say", "text": "number 1.", "copies": 3 })).await;
    slack.ask(json!({ "do": "hold" })).await;
    for n in 2..=5 {
        slack.say(&format!("number {n}.")).await;
    }
    slack.ask(json!({ "do": "release", "reverse": true, "copies": 2 })).await;
    ledger(&kata, 5).await;
    eventually("every copy is acknowledged", async || {
        (slack.log().await["waiting"] == 0).then_some(())
    })
    .await;
    let answers = slack.answers(&chat, None).await;
    assert_eq!(answers.len(), 5, "{answers:?}");
    for n in 1..=5 {
        let said = answers
            .iter()
            .filter(|m| m["text"].as_str().unwrap().contains(&format!("number {n}.")));
        assert_eq!(said.count(), 1, "number {n}");
    }
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_a_token_revoked_while_it_runs_waits_for_a_person_and_loses_nothing() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &slack).await;
    let (chat, _) = slack.say("number 1.").await;
    slack.answered(&chat, None, "number 1.").await;
    slack.ask(json!({ "do": "revoke" })).await;
    slack.say("number 2.").await;
    let waits = state(&kata, &["needs_user"]).await;
    assert!(waits.to_string().contains("bot token"), "{waits}");
    assert_eq!(slack.answers(&chat, None).await.len(), 1);
    slack.say("number 3.").await;
    // The same app is installed again: the token works, and a person pastes it once more.
    slack.ask(json!({ "do": "restore" })).await;
    block_in_place(|| give(&kata, "botToken", &format!(" {} ", slack.text("bot"))));
    block_in_place(|| kata.run(&["sources", "restart", "channel:slack"]));
    state(&kata, &["running"]).await;
    slack.answered(&chat, None, "number 3.").await;
    in_order(&slack.answers(&chat, None).await, |n| format!("number {n}."), 3);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_a_thousand_messages_each_way_none_lost_none_doubled_each_thread_in_order() {
    const ROOMS: usize = 50;
    const EACH: usize = 20;
    let slack = Slack::start_with(&["--rooms", &ROOMS.to_string()]).await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &slack).await;
    let bot = slack.text("botUser");
    let rooms: Vec<&str> = slack.told["rooms"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut threads = Vec::new();
    for (n, room) in rooms.iter().enumerate() {
        let text = format!("<@{bot}> room {n} number 1.");
        threads.push(slack.place(json!({ "do": "say", "to": room, "text": text })).await.1);
    }
    for k in 2..=EACH {
        for (n, (room, root)) in rooms.iter().zip(&threads).enumerate() {
            let (from, text) = (["ann", "bob"][n % 2], format!("<@{bot}> room {n} number {k}."));
            slack
                .ask(json!({ "do": "say", "from": from, "to": room, "thread": root, "text": text }))
                .await;
        }
    }
    let mut delivered = 0;
    while delivered < (ROOMS * EACH) as u64 {
        delivered = eventually("something more is delivered", async || {
            let now = block_in_place(|| kata.json(&["status"]))["ledger"]["delivered"].as_u64()?;
            (now > delivered).then_some(now)
        })
        .await;
    }
    for (n, (room, root)) in rooms.iter().zip(&threads).enumerate() {
        in_order(&slack.answers(room, Some(root)).await, |k| format!("room {n} number {k}."), EACH);
    }
    let ledger = ledger(&kata, (ROOMS * EACH) as u64).await;
    assert_eq!(ledger["accepted"], (ROOMS * EACH) as u64);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_two_accounts_in_two_workspaces_never_mix() {
    let (acme, beta) = (Slack::start("Acme").await, Slack::start("Beta").await);
    let home = acme.home();
    for workspace in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
    }
    let kata = Kata(&home);
    let serve = serve(&kata, &acme).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(
            output.status.success(),
            "kata {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run(&["channels", "accounts", "add", "slack", "beta", "--workspace", "two"]);
    run(&["sources", "set", "channel:slack@beta", &format!("apiRoot={}", beta.text("api"))]);
    run(&["channels", "policy", "slack@beta", "--policy", "open"]);
    block_in_place(|| {
        give_to(&kata, "channel:slack@beta", "botToken", beta.text("bot"));
        give_to(&kata, "channel:slack@beta", "appToken", beta.text("app"));
    });
    run(&["sources", "enable", "channel:slack@beta"]);
    eventually("the second account runs", async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let one = sources.as_array()?.iter().find(|s| s["id"] == "channel:slack@beta")?.clone();
        (one["status"]["state"]["kind"] == "running").then_some(())
    })
    .await;

    // emulate gives both workspaces the same id: what keeps them apart is the account alone.
    assert_eq!(acme.text("team"), beta.text("team"));
    let mut chats = Vec::new();
    for n in 1..=5 {
        for (slack, name) in [(&acme, "acme"), (&beta, "beta")] {
            chats.push(slack.say(&format!("{name} number {n}.")).await.0);
        }
    }
    ledger(&kata, 10).await;
    for (slack, chat, name, other) in [(&acme, &chats[0], "acme", "beta"), (&beta, &chats[1], "beta", "acme")] {
        let answers = slack.answers(chat, None).await;
        in_order(&answers, |n| format!("{name} number {n}."), 5);
        assert!(!json!(answers).to_string().contains(&format!("{other} number")), "{answers:?}");
    }
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_the_wizard_the_probe_the_audit_and_the_directory_say_what_slack_says() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let ask = |args: &[&str]| block_in_place(|| kata.json(args));
    // It ends with an error as long as something is to be answered; the step is printed all the same.
    let wizard = || -> Value {
        let output = block_in_place(|| kata.run(&["--json", "channels", "setup", "slack"]));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}{}", String::from_utf8_lossy(&output.stderr)))
    };
    let step = wizard();
    assert_eq!((&step["kind"], &step["secret"]), (&json!("secret"), &json!("botToken")), "{step}");
    assert!(
        step["copy"].as_str().unwrap().contains("socket_mode_enabled"),
        "the manifest to paste: {step}"
    );
    block_in_place(|| give(&kata, "botToken", "xoxb-of-somebody-else"));
    let step = wizard();
    assert!(step["error"].as_str().unwrap().contains("invalid_auth"), "{step}");
    block_in_place(|| give(&kata, "botToken", slack.text("bot")));
    let step = wizard();
    assert_eq!(step["secret"], "appToken", "{step}");
    block_in_place(|| give(&kata, "appToken", slack.text("app")));
    let step = wizard();
    assert_eq!((&step["kind"], &step["account"]), (&json!("done"), &slack.told["team"]), "{step}");

    let probe = ask(&["channels", "probe", "slack"]);
    assert_eq!(probe["ok"], true, "{probe}");
    let audit = ask(&["channels", "audit", "slack"]).to_string();
    assert!(!audit.contains("scope"), "nothing is missing: {audit}");
    slack.ask(json!({ "do": "scopes", "scopes": "chat:write,im:history" })).await;
    let audit = ask(&["channels", "audit", "slack"]).to_string();
    assert!(audit.contains("files:read") && audit.contains("reactions:write"), "{audit}");
    let directory = ask(&["channels", "directory", "slack"]).to_string();
    assert!(directory.contains("#team"), "{directory}");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_a_button_pressed_in_the_channel_answers_the_call_and_only_an_approvers_press_counts() {
    let slack = Slack::start("Acme").await;
    let home = slack.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &slack).await;
    let channel = slack.text("channel");
    let bot = slack.text("botUser");
    let call = json!({ "path": "note.txt", "content": "written after a press" });
    let (_, root) = slack
        .place(json!({ "do": "say", "to": channel, "text": format!("<@{bot}> /tool write {call}") }))
        .await;
    let question = eventually("a question with buttons", async || {
        let answers = slack.answers(channel, Some(&root)).await;
        answers.into_iter().find(|m| m["blocks"].to_string().contains("actions"))
    })
    .await;
    let labels: Vec<&str> = question["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|b| b["elements"].as_array())
        .flatten()
        .filter_map(|e| e["text"]["text"].as_str())
        .collect();
    let allow = labels[0];
    // Bob is not among the approvers.
    let mut press = json!({ "do": "press", "from": "bob", "channel": channel, "thread": root, "label": allow });
    slack.ask(press.clone()).await;
    eventually("he is told so", async || {
        let told = slack.calls("chat.postEphemeral").await;
        told.iter()
            .any(|c| c["fields"]["user"] == slack.told["people"]["bob"])
            .then_some(())
    })
    .await;
    assert_eq!(block_in_place(|| kata.json(&["approvals", "list"])).as_array().unwrap().len(), 1);
    press["from"] = "ann".into();
    slack.ask(press).await;
    eventually("the call is answered", async || {
        block_in_place(|| kata.json(&["approvals", "list"]))
            .as_array()
            .is_some_and(Vec::is_empty)
            .then_some(())
    })
    .await;
    eventually("the buttons are gone", async || {
        let answers = slack.answers(channel, Some(&root)).await;
        let asked = answers.iter().find(|m| m["ts"] == question["ts"])?;
        (!asked["blocks"].to_string().contains("actions")).then_some(())
    })
    .await;
    eventually("every press is acknowledged", async || {
        (slack.log().await["waiting"] == 0).then_some(())
    })
    .await;
    serve.stop().await;
}

/// Runs one of the official clients against the stand-in.
fn judge(program: PathBuf, args: &[&str]) {
    let output = Command::new(program).current_dir(folder()).args(args).output().expect("it runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{said}");
    assert!(output.status.success(), "{said}");
}

#[test]
fn slack_the_stand_in_is_accepted_by_bolt_and_by_slack_sdk() {
    judge(node(), &["judge.mjs"]);
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-slack/v/bin/python");
    judge(python, &["judge.py", node().to_str().unwrap()]);
}

#[test]
fn slack_the_plugins_modules_pass_against_crabline_which_is_strict_about_tokens_conversations_and_threads() {
    judge(node(), &["--test", "crabline.mjs"]);
}
