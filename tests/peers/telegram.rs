//! A message from crabline's Telegram through the real program, answered by aimock's model with a tool.

use kata_tests::{Kata, TestHome, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::task::block_in_place;

/// crabline and aimock, taken down when this falls.
struct Peers {
    told: Value,
    input: Option<ChildStdin>,
    output: Lines<BufReader<tokio::process::ChildStdout>>,
    child: Child,
    next: i64,
}

impl Peers {
    async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut child = Command::new("node")
            .current_dir(folder)
            .arg("start.mjs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs; `cargo xtask peers` installs the rest");
        let input = child.stdin.take();
        let output = tokio::process::ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let mut output = BufReader::new(output).lines();
        let line = output.next_line().await.unwrap().expect("the peers start");
        Self {
            told: serde_json::from_str(&line).unwrap(),
            input,
            output,
            child,
            next: 100,
        }
    }

    fn text(&self, pointer: &str) -> String {
        self.told
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {}", self.told))
            .to_owned()
    }

    /// `telegram stop`, `telegram start`, …
    async fn tell(&mut self, command: &str) {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        let line = self.output.next_line().await.unwrap().unwrap();
        assert!(line.contains("done"), "{line}");
    }

    /// A person writes. Ids count up over restarts, as Telegram's do.
    async fn write(&mut self, chat: &str, text: &str, more: Value) {
        // The bot's own messages take the ids in between.
        self.next += 10;
        let mut body =
            json!({ "chatId": chat, "fromId": 100_001, "fromName": "Ada", "text": text, "updateId": self.next, "messageId": self.next });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(self.text("/telegram/adminUrl"))
            .header("X-Crabline-Admin-Token", self.text("/telegram/adminToken"));
        let answer = request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Accepted calls of a method, oldest first.
    fn calls(&self, method: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(PathBuf::from(self.text("/telegram/journal"))).unwrap_or_default();
        let lines = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        lines
            .filter(|l| l["path"].as_str().is_some_and(|p| p.ends_with(method)) && l["accepted"] == true)
            .collect()
    }

    /// Every accepted call in order, by method.
    fn order(&self) -> Vec<String> {
        let text = std::fs::read_to_string(PathBuf::from(self.text("/telegram/journal"))).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|l| serde_json::from_str::<Value>(l).ok())
            .filter(|l| l["accepted"] == true);
        lines
            .filter_map(|l| Some(l["path"].as_str()?.rsplit('/').next()?.to_owned()))
            .collect()
    }

    fn home(&self) -> TestHome {
        let home = TestHome::new();
        home.settings(&json!({
            "plugins": { "telegram": { "settings": { "apiRoot": self.text("/telegram/apiRoot") } } },
            "sources": { "channel:telegram": { "enabled": true, "policy": "open" } },
            "models": { "default": "aimock", "providers": [
                { "id": "aimock", "kind": "anthropic", "baseUrl": self.text("/model/baseUrl"), "model": "claude-test" },
            ] },
        }));
        home
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // Closing its input is how it is asked to take its children down.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn give(kata: &Kata<'_>, args: &[&str], value: &str) {
    let mut child = kata.command(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    eventually(&format!("telegram is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let telegram = sources.as_array()?.iter().find(|s| s["id"] == "channel:telegram")?.clone();
        wanted.contains(&telegram["status"]["state"]["kind"].as_str()?).then_some(telegram)
    })
    .await
}

async fn serve(kata: &Kata<'_>, peers: &Peers) -> kata_tests::Serve {
    let serve = kata.serve(None).await;
    block_in_place(|| {
        give(
            kata,
            &["sources", "secret", "channel:telegram", "botToken"],
            &peers.text("/telegram/botToken"),
        )
    });
    let key = [
        "models",
        "set",
        "aimock",
        "--kind",
        "anthropic",
        "--model",
        "claude-test",
        "--key-stdin",
        "--default",
        "--base-url",
    ];
    let base = peers.text("/model/baseUrl");
    block_in_place(|| give(kata, &[&key[..], &[&base]].concat(), "sk-test"));
    state(kata, &["running"]).await;
    serve
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_message_is_answered_with_a_tool_in_the_right_chat_and_topic_once() {
    let mut peers = Peers::start().await;
    let home = peers.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &peers).await;
    let mention = json!({ "isForum": true, "messageThreadId": 77, "entities": [{ "type": "mention", "offset": 0, "length": 13 }] });
    peers.write("-1001234567890", "@crabline_bot please use the tool", mention).await;
    eventually("the reply is in crabline's journal", async || {
        (!peers.calls("sendMessage").is_empty()).then_some(())
    })
    .await;
    peers.write("100001", "hello", json!({})).await;
    eventually("the second reply", async || (peers.calls("sendMessage").len() >= 2).then_some(())).await;

    let sent = peers.calls("sendMessage");
    assert_eq!(sent.len(), 2, "each answered once");
    let first = &sent[0]["body"];
    assert!(first["text"].as_str().unwrap().contains("kata-echo-7f3a"), "{first}");
    assert_eq!(
        (first["chat_id"].to_string().trim_matches('"'), &first["message_thread_id"]),
        ("-1001234567890", &json!(77))
    );
    assert_eq!(sent[1]["body"]["chat_id"].to_string().trim_matches('"'), "100001");
    let order = peers.order();
    let at = |method: &str| {
        order
            .iter()
            .position(|m| m == method)
            .unwrap_or_else(|| panic!("no {method} in {order:?}"))
    };
    assert!(at("sendChatAction") < at("sendMessage"), "typing first: {order:?}");

    let trace = eventually("the trace is complete", async || {
        let traces = block_in_place(|| kata.json(&["trace", "--limit", "10"]));
        let list = traces.as_array().cloned().unwrap_or_default();
        list.into_iter()
            .find(|t| t["done"] == true && t["steps"].as_array().is_some_and(|s| s.iter().any(|s| s["gate"] == "tool")))
    })
    .await;
    let gates: Vec<_> = trace["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["gate"].as_str().unwrap().to_owned())
        .collect();
    for gate in ["ingress", "router", "hook", "mailbox", "model", "tool", "outbox", "send"] {
        assert!(gates.iter().any(|g| g == gate), "{gate} is missing in {gates:?}");
    }
    let shown = block_in_place(|| kata.run(&["trace", trace["id"].as_str().unwrap()]));
    println!("{}", String::from_utf8_lossy(&shown.stdout));
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_restart_in_the_middle_of_a_poll_loses_and_repeats_nothing() {
    let mut peers = Peers::start().await;
    let home = peers.home();
    let kata = Kata(&home);
    let first = serve(&kata, &peers).await;
    peers.write("100001", "one", json!({})).await;
    eventually("the first reply", async || (peers.calls("sendMessage").len() == 1).then_some(())).await;
    // The plugin now hangs in a long poll; the program is killed there, without a farewell.
    drop(first);
    peers.write("100001", "two", json!({})).await;
    peers.write("100001", "three", json!({})).await;
    let second = kata.serve(None).await;
    eventually("all three are answered", async || {
        (peers.calls("sendMessage").len() >= 3).then_some(())
    })
    .await;
    peers.write("100001", "four", json!({})).await;
    eventually("and the next one", async || (peers.calls("sendMessage").len() >= 4).then_some(())).await;
    let answered: Vec<_> = peers
        .calls("sendMessage")
        .iter()
        .map(|c| c["body"]["reply_parameters"]["message_id"].clone())
        .collect();
    assert_eq!(
        answered,
        [json!(110), json!(120), json!(130), json!(140)],
        "each message answered once, in order"
    );
    let ledger = eventually("the ledger balances", async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == 4).then(|| status["ledger"].clone())
    })
    .await;
    assert_eq!(ledger["accepted"], 4);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_stops_and_comes_back_and_the_state_says_so() {
    let mut peers = Peers::start().await;
    let home = peers.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &peers).await;
    peers.tell("telegram stop").await;
    let down = state(&kata, &["degraded", "backoff", "connecting"]).await;
    assert!(!down["status"]["message"].as_str().unwrap().is_empty(), "{down}");
    peers.tell("telegram start").await;
    state(&kata, &["running"]).await;
    peers.write("100001", "back?", json!({})).await;
    eventually("it answers again", async || (!peers.calls("sendMessage").is_empty()).then_some(())).await;
    serve.stop().await;
}
