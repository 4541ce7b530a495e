//! The webhook channel of the real program: curl and openssl write, Node's `http` and `crypto` take the answers.

use kata_tests::{Kata, TestHome, eventually};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tokio::task::block_in_place;

const SECRET: &str = "a secret that openssl, node and kata share";

/// `receiver.mjs`, taken down when this falls.
struct Receiver {
    url: String,
    journal: PathBuf,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    child: Child,
}

impl Receiver {
    fn start(folder: &Path) -> Self {
        let journal = folder.join("answers.jsonl");
        let mut child = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/webhook/receiver.mjs"))
            .args([SECRET, journal.to_str().unwrap()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self {
            url: said["url"].as_str().unwrap().to_owned(),
            journal,
            input,
            output,
            child,
        }
    }

    fn weather(&mut self, mode: &str) {
        writeln!(self.input.as_mut().unwrap(), "weather {mode}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.contains(mode), "{line}");
    }

    /// Answers that were taken, oldest first.
    fn answers(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.journal).unwrap_or_default();
        text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn home(out: &str, more: Value) -> TestHome {
    let home = TestHome::new();
    let mut settings = json!({ "outUrl": out });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    home.settings(&json!({
        "plugins": { "webhook": { "settings": settings } },
        "sources": { "channel:webhook": { "enabled": true, "policy": "open", "perMinuteSender": 10_000, "perMinuteConversation": 10_000 } },
    }));
    home
}

async fn state(kata: &Kata<'_>, wanted: &str) {
    eventually(&format!("webhook is {wanted}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let source = sources.as_array()?.iter().find(|s| s["id"] == "channel:webhook")?.clone();
        (source["status"]["state"]["kind"] == wanted).then_some(())
    })
    .await;
}

async fn serve(kata: &Kata<'_>) -> kata_tests::Serve {
    let serve = kata.serve(None).await;
    let mut child = kata
        .command(&["sources", "secret", "channel:webhook", "signingSecret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SECRET.as_bytes()).unwrap();
    assert!(block_in_place(|| child.wait()).unwrap().success());
    state(kata, "running").await;
    serve
}

fn sender(home: &TestHome, from: usize, to: usize, conversations: usize) -> Child {
    Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/webhook/send.sh"))
        .arg(home.path().join("gateway.json"))
        .arg(SECRET)
        .args([from, to, conversations].map(|n| n.to_string()))
        .spawn()
        .unwrap()
}

fn openssl(text: &str) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .rsplit(' ')
        .next()
        .unwrap()
        .to_owned()
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// What curl says: the status and the body.
fn curl(home: &TestHome, body: &str, header: &str) -> (String, Value) {
    curl_to(home, "webhook", body, header)
}

fn curl_to(home: &TestHome, plugin: &str, body: &str, header: &str) -> (String, Value) {
    let gateway: Value = serde_json::from_str(&std::fs::read_to_string(home.path().join("gateway.json")).unwrap()).unwrap();
    let url = format!("http://127.0.0.1:{}/hooks/{plugin}/in", gateway["port"]);
    let output = Command::new("curl")
        .args(["-s", "-m", "60", "-w", "\n%{http_code}", "-H", header, "-d", body, &url])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (said, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), serde_json::from_str(said).unwrap_or(Value::Null))
}

fn signed(body: &str, at: u64) -> String {
    format!("X-Kata-Signature: t={at},v1={}", openssl(&format!("{at}.{body}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_what_openssl_signed_is_taken_once_and_answered_with_a_signature_openssl_makes_too() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(folder.path());
    let home = home(&receiver.url, json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    let body = r#"{"id":"d1","sender":{"id":"bell","name":"Doorbell"},"text":"Somebody is at the door."}"#;
    let header = signed(body, now());
    assert_eq!(curl(&home, body, "X-Other: 1").0, "401");
    assert_eq!(curl(&home, &body.replace("door", "gate"), &header).0, "401", "another body");
    assert_eq!(curl(&home, body, &signed(body, now() - 400)).0, "401", "too old");
    let taken = curl(&home, body, &header);
    assert_eq!((taken.0.as_str(), &taken.1["outcome"]), ("202", &json!("admitted")));
    assert_eq!(curl(&home, body, &header).0, "409", "the very same request");
    let again = curl(&home, body, &signed(body, now() + 1));
    assert_eq!((again.0.as_str(), &again.1["outcome"]), ("200", &json!("duplicate")));
    let answers = eventually("the answer", async || {
        let answers = receiver.answers();
        (!answers.is_empty()).then_some(answers)
    })
    .await;
    assert_eq!(answers.len(), 1);
    let (raw, signature) = (answers[0]["raw"].as_str().unwrap(), answers[0]["signature"].as_str().unwrap());
    assert_eq!(answers[0]["body"]["replyTo"], "d1");
    let (time, mac) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert_eq!(openssl(&format!("{time}.{raw}")), mac);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_a_request_that_waits_gets_the_answer_in_its_response() {
    let home = home("http://127.0.0.1:9/nobody", json!({ "answerInResponse": true }));
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    let body = r#"{"id":"s1","sender":"ann","text":"hello from curl"}"#;
    let (status, said) = block_in_place(|| curl(&home, body, &signed(body, now())));
    assert_eq!(status, "200", "{said}");
    assert!(said["text"].as_str().unwrap().contains("hello from curl"), "{said}");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_a_receiver_that_refuses_the_signature_waits_for_a_person_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(folder.path());
    let home = home(&receiver.url, json!({}));
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    receiver.weather("refuses");
    let mut one = sender(&home, 0, 1, 1);
    assert!(block_in_place(|| one.wait()).unwrap().success());
    state(&kata, "needs_user").await;
    assert!(receiver.answers().is_empty());
    receiver.weather("good");
    // What a person does: the same secret on both sides again.
    let mut child = kata
        .command(&["sources", "secret", "channel:webhook", "signingSecret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SECRET.as_bytes()).unwrap();
    assert!(block_in_place(|| child.wait()).unwrap().success());
    eventually("the kept answer is delivered", async || {
        (receiver.answers().len() == 1).then_some(())
    })
    .await;
    serve.stop().await;
}

/// Waits for progress, however slow the machine is.
async fn more(receiver: &Receiver, than: usize) -> Vec<Value> {
    eventually("more answers", async || {
        let answers = receiver.answers();
        (answers.len() > than).then_some(answers)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_a_thousand_messages_each_way_in_bad_weather_and_over_a_kill_come_once_and_in_order() {
    const ALL: usize = 1_000;
    // No room says more than the loop guard lets through in a minute.
    const ROOMS: usize = 50;
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(folder.path());
    let home = home(&receiver.url, json!({}));
    let kata = Kata(&home);
    let first = serve(&kata).await;
    receiver.weather("bad");
    let mut writing = sender(&home, 0, ALL, ROOMS);
    let mut before = 0;
    while before <= ALL / 3 {
        before = more(&receiver, before).await.len();
    }
    // Without a farewell, in the middle of everything.
    drop(first);
    let second = kata.serve(None).await;
    assert!(block_in_place(|| writing.wait()).unwrap().success());
    let mut answers = receiver.answers();
    while answers.len() < ALL {
        answers = more(&receiver, answers.len()).await;
    }
    assert_eq!(answers.len(), ALL, "none doubled");
    let mut rooms: HashMap<String, Vec<usize>> = HashMap::new();
    for answer in &answers {
        let to = answer["body"]["replyTo"].as_str().unwrap().trim_start_matches('m').parse().unwrap();
        rooms
            .entry(answer["body"]["conversation"].as_str().unwrap().to_owned())
            .or_default()
            .push(to);
    }
    for (room, got) in &rooms {
        let which: usize = room.trim_start_matches("room-").parse().unwrap();
        let wanted: Vec<usize> = (0..ALL).filter(|i| i % ROOMS == which).collect();
        assert_eq!(got, &wanted, "{room}: each once, in order");
    }
    let ledger = eventually("the ledger balances", async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == ALL).then(|| status["ledger"].clone())
    })
    .await;
    println!("webhook: {ALL} messages each way over {ROOMS} conversations, 429, 500, 502, lost answers, a hang, one kill: {ledger}");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_two_accounts_in_two_workspaces_never_mix() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (first, second) = (Receiver::start(folders[0].path()), Receiver::start(folders[1].path()));
    let home = home(&first.url, json!({}));
    for workspace in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
    }
    let kata = Kata(&home);
    let serve = serve(&kata).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["channels", "accounts", "add", "webhook", "work", "--workspace", "two"]);
    run(&["sources", "set", "channel:webhook@work", &format!("outUrl={}", second.url)]);
    run(&["channels", "policy", "webhook@work", "--policy", "open"]);
    let mut child = kata
        .command(&["sources", "secret", "channel:webhook@work", "signingSecret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(SECRET.as_bytes()).unwrap();
    assert!(block_in_place(|| child.wait()).unwrap().success());
    run(&["sources", "enable", "channel:webhook@work"]);
    // The same conversation, person and message ids at both.
    for n in 0..5 {
        for (plugin, name) in [("webhook", "first"), ("webhook@work", "second")] {
            let body = format!(r#"{{"id":"m{n}","conversation":"room","sender":"ann","text":"{name} {n}."}}"#);
            eventually("it is taken", async || {
                (block_in_place(|| curl_to(&home, plugin, &body, &signed(&body, now()))).0 == "202").then_some(())
            })
            .await;
        }
    }
    eventually("all are answered", async || {
        (first.answers().len() >= 5 && second.answers().len() >= 5).then_some(())
    })
    .await;
    for (receiver, name, other) in [(&first, "first", "second"), (&second, "second", "first")] {
        let answers = receiver.answers();
        let texts: Vec<_> = answers.iter().map(|a| a["body"]["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(texts.len(), 5, "{texts:?}");
        assert!(
            texts.iter().enumerate().all(|(n, text)| text.contains(&format!("{name} {n}."))),
            "{texts:?}"
        );
        assert!(texts.iter().all(|text| !text.contains(other)), "{texts:?}");
    }
    serve.stop().await;
}
