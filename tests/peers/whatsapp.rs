//! WhatsApp's Cloud API of the real program: crabline is Meta's side, openssl signs its webhooks as Meta does, curl calls with them.

use crate::lines::Lines;
use kata_tests::{Kata, Serve, TestHome, eventually};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::task::block_in_place;

const APP_SECRET: &str = "the secret of the app";

pub(crate) struct Meta {
    program: Lines,
    told: Value,
}

impl Meta {
    pub(crate) fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/whatsapp/start.mjs");
        let mut program = Lines::start(Command::new("node").arg(script));
        let told = program.read();
        Self { program, told }
    }

    pub(crate) fn text(&self, pointer: &str) -> String {
        self.told
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {}", self.told))
            .to_owned()
    }

    /// A person writes: the body Meta would call with.
    fn webhook(&mut self, from: &str, text: &str) -> String {
        let said = self.program.ask(&json!({ "from": from, "text": text }).to_string());
        said["webhook"].as_object().unwrap_or_else(|| panic!("{said}"));
        said["webhook"].to_string()
    }

    /// A person writes to the linked device, or to WhatsApp while it is away.
    pub(crate) fn writes(&mut self, from: &str, text: &str) {
        let said = self.program.ask(&json!({ "from": from, "text": text }).to_string());
        assert_eq!(said["ok"], true, "{said}");
    }

    /// What linked devices wrote, as the other side reads it, oldest first.
    pub(crate) fn read(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.text("/journal")).unwrap_or_default();
        let lines = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        let written = lines.filter(|l| l["method"] == "WEBSOCKET" && l["accepted"] == true && l["body"]["key"]["fromMe"] == true);
        written
            .filter_map(|l| Some(l["body"]["message"]["conversation"].as_str()?.to_owned()))
            .collect()
    }

    /// Accepted calls, oldest first.
    fn calls(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.text("/journal")).unwrap_or_default();
        let lines = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        lines
            .filter(|l| l["type"] == "api" && l["accepted"] == true && l["method"] == "POST")
            .collect()
    }

    fn sent(&self) -> Vec<Value> {
        self.calls()
            .into_iter()
            .map(|c| c["body"].clone())
            .filter(|b| b["type"] == "text")
            .collect()
    }

    fn home(&self) -> TestHome {
        let home = TestHome::new();
        let root = self.text("/baseUrl");
        home.settings(&json!({
            "plugins": { "whatsapp": { "settings": { "apiRoot": root, "apiVersion": self.text("/graphVersion"), "phoneNumberId": self.text("/phoneNumberId") } } },
            "sources": { "channel:whatsapp": { "enabled": true, "policy": "open", "perMinuteSender": 10_000, "perMinuteConversation": 10_000 } },
        }));
        home
    }
}

fn secret(kata: &Kata<'_>, name: &str, word: &str) {
    secret_of(kata, "channel:whatsapp", name, word);
}

fn secret_of(kata: &Kata<'_>, source: &str, name: &str, word: &str) {
    let mut child = kata
        .command(&["sources", "secret", source, name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

async fn state(kata: &Kata<'_>, wanted: &str) -> Value {
    eventually(&format!("whatsapp is {wanted}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let source = sources.as_array()?.iter().find(|s| s["id"] == "channel:whatsapp")?.clone();
        (source["status"]["state"]["kind"] == wanted).then_some(source)
    })
    .await
}

async fn serve(kata: &Kata<'_>, meta: &Meta) -> Serve {
    serve_with(kata, meta, &[]).await
}

async fn serve_with(kata: &Kata<'_>, meta: &Meta, variables: &[(&str, &str)]) -> Serve {
    let serve = kata.serve_with(variables).await;
    block_in_place(|| {
        secret(kata, "accessToken", &meta.text("/accessToken"));
        secret(kata, "appSecret", APP_SECRET);
        secret(kata, "verifyToken", "a word of our own");
    });
    state(kata, "running").await;
    serve
}

fn address(home: &TestHome) -> String {
    address_of(home, "whatsapp")
}

fn address_of(home: &TestHome, plugin: &str) -> String {
    let gateway: Value = serde_json::from_str(&std::fs::read_to_string(home.path().join("gateway.json")).unwrap()).unwrap();
    format!("http://127.0.0.1:{}/hooks/{plugin}/cloud", gateway["port"])
}

fn openssl(body: &str, key: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned()
}

/// Calls as Meta does; gives the status.
fn call(home: &TestHome, body: &str, key: &str) -> String {
    call_to(&address(home), body, key)
}

fn call_to(address: &str, body: &str, key: &str) -> String {
    let header = format!("X-Hub-Signature-256: sha256={}", openssl(body, key));
    let output = Command::new("curl")
        .args([
            "-s",
            "-o",
            "/dev/null",
            "-m",
            "60",
            "-w",
            "%{http_code}",
            "-H",
            &header,
            "-H",
            "content-type: application/json",
            "-d",
            body,
            address,
        ])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_a_signed_event_is_answered_once_after_read_and_typing_marks_and_an_unsigned_one_is_not() {
    let mut meta = Meta::start();
    let home = meta.home();
    let kata = Kata(&home);
    // An answer takes its time: one that is there at once is never written on.
    let serve = serve_with(&kata, &meta, &[("KATA_DEMO_PACE", "1")]).await;
    let challenge = |token: &str| {
        let url = format!("{}?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=42", address(&home));
        let output = Command::new("curl").args(["-s", "-w", " %{http_code}", &url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(challenge("a%20word%20of%20our%20own"), "42 200");
    assert_eq!(challenge("another"), " 401");
    let body = meta.webhook("15551234567", "hello from a person");
    assert_eq!(call(&home, &body, "another secret"), "401");
    assert_eq!(call(&home, &body, APP_SECRET), "200");
    // Meta repeats what it is not sure of.
    assert_eq!(call(&home, &body, APP_SECRET), "200");
    eventually("the answer", async || (!meta.sent().is_empty()).then_some(())).await;
    let second = meta.webhook("15551234567", "and another");
    assert_eq!(call(&home, &second, APP_SECRET), "200");
    eventually("the second answer", async || (meta.sent().len() >= 2).then_some(())).await;
    let sent = meta.sent();
    assert_eq!(sent.len(), 2, "each answered once: {sent:?}");
    assert_eq!(sent[0]["to"], "15551234567");
    assert!(sent[0]["text"]["body"].as_str().unwrap().contains("hello from a person"));
    let calls = meta.calls();
    assert_eq!(
        calls[0]["body"]["typing_indicator"]["type"], "text",
        "read and typing come first: {calls:?}"
    );
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_a_token_that_meta_refuses_waits_for_a_person_and_the_answer_is_kept() {
    let mut meta = Meta::start();
    let home = meta.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &meta).await;
    block_in_place(|| secret(&kata, "accessToken", "EAA-revoked"));
    let body = meta.webhook("15551234567", "are you there?");
    assert_eq!(call(&home, &body, APP_SECRET), "200");
    let waits = state(&kata, "needs_user").await;
    assert!(waits["status"]["message"].as_str().unwrap().contains("token"), "{waits}");
    assert!(meta.sent().is_empty());
    block_in_place(|| secret(&kata, "accessToken", &meta.text("/accessToken")));
    eventually("the kept answer", async || (meta.sent().len() == 1).then_some(())).await;
    state(&kata, "running").await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_a_thousand_messages_each_way_over_a_restart_with_repeated_calls_come_once_and_in_order() {
    const ALL: usize = 1_000;
    // As many as write a thousand within a minute: more than 25 exchanges of one person count as a loop.
    const PEOPLE: usize = 50;
    let mut meta = Meta::start();
    let home = meta.home();
    let kata = Kata(&home);
    let mut life = serve(&kata, &meta).await;
    for n in 0..ALL {
        let body = meta.webhook(&format!("16660{:05}", n % PEOPLE), &format!("number {n}."));
        if n == ALL / 2 {
            // Meta's call meets nobody, and comes again.
            let before = address(&home);
            life.stop().await;
            let nobody = Command::new("curl").args(["-s", "-m", "5", "-d", &body, &before]).status().unwrap();
            assert!(!nobody.success());
            life = kata.serve(None).await;
            state(&kata, "running").await;
        }
        let times = if n % 7 == 0 { 2 } else { 1 };
        for _ in 0..times {
            eventually("the call is taken", async || {
                (block_in_place(|| call(&home, &body, APP_SECRET)) == "200").then_some(())
            })
            .await;
        }
    }
    let mut before = 0;
    while before < ALL {
        before = eventually("more answers", async || {
            let now = meta.sent().len();
            (now > before).then_some(now)
        })
        .await;
    }
    let sent = meta.sent();
    assert_eq!(sent.len(), ALL, "none doubled");
    let mut people: HashMap<String, Vec<usize>> = HashMap::new();
    for body in &sent {
        let text = body["text"]["body"].as_str().unwrap();
        let number = text
            .split("number ")
            .nth(1)
            .and_then(|rest| rest.split('.').next())
            .and_then(|n| n.parse().ok());
        people
            .entry(body["to"].as_str().unwrap().to_owned())
            .or_default()
            .push(number.unwrap_or_else(|| panic!("{text}")));
    }
    for (person, got) in &people {
        let which: usize = person.strip_prefix("16660").unwrap().parse().unwrap();
        let wanted: Vec<usize> = (0..ALL).filter(|n| n % PEOPLE == which).collect();
        assert_eq!(got, &wanted, "{person}: each once, in order");
    }
    println!("whatsapp: {ALL} messages each way with {PEOPLE} people, every seventh call twice, one restart");
    life.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_two_accounts_in_two_workspaces_never_mix() {
    let (mut first, mut second) = (Meta::start(), Meta::start());
    let home = first.home();
    for workspace in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
    }
    let kata = Kata(&home);
    let serve = serve(&kata, &first).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let work = "channel:whatsapp@work";
    run(&["channels", "accounts", "add", "whatsapp", "work", "--workspace", "two"]);
    run(&[
        "sources",
        "set",
        work,
        &format!("apiRoot={}", second.text("/baseUrl")),
        &format!("apiVersion={}", second.text("/graphVersion")),
        &format!("phoneNumberId={}", second.text("/phoneNumberId")),
    ]);
    run(&["channels", "policy", "whatsapp@work", "--policy", "open"]);
    block_in_place(|| {
        secret_of(&kata, work, "accessToken", &second.text("/accessToken"));
        secret_of(&kata, work, "appSecret", "the secret of the other app");
        secret_of(&kata, work, "verifyToken", "another word");
    });
    run(&["sources", "enable", work]);
    // The same person at both, each called by its own Meta.
    for n in 0..5 {
        let body = first.webhook("15551234567", &format!("first, number {n}."));
        assert_eq!(call(&home, &body, APP_SECRET), "200");
        let body = second.webhook("15551234567", &format!("second, number {n}."));
        let there = address_of(&home, "whatsapp@work");
        assert_eq!(
            call_to(&there, &body, APP_SECRET),
            "401",
            "the other account's secret counts for nothing here"
        );
        eventually("it is taken", async || {
            (block_in_place(|| call_to(&there, &body, "the secret of the other app")) == "200").then_some(())
        })
        .await;
    }
    for (meta, name, other) in [(&first, "first, ", "second, "), (&second, "second, ", "first, ")] {
        eventually("all are answered", async || (meta.sent().len() >= 5).then_some(())).await;
        let texts: Vec<String> = meta.sent().iter().map(|b| b["text"]["body"].as_str().unwrap().to_owned()).collect();
        assert_eq!(texts.len(), 5, "{texts:?}");
        assert!(
            texts
                .iter()
                .enumerate()
                .all(|(n, text)| text.contains(&format!("{name}number {n}."))),
            "{texts:?}"
        );
        assert!(texts.iter().all(|text| !text.contains(other)), "{texts:?}");
    }
    serve.stop().await;
}
