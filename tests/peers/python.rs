//! `clients/python/example.py` and `clients/typescript` as programs of their own against the real `kata serve`: PyPI's
//! `websockets` and Node's own WebSocket are clients that we did not write. A tool, a channel, `kill -9`, and a return.

use futures::{SinkExt, StreamExt};
use kata_tests::{Kata, Serve, TestHome, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;
use tokio_tungstenite::tungstenite::Message;

/// A program and what it prints.
struct Example {
    child: Child,
    input: ChildStdin,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Example {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("`cargo xtask peers python` installs what it needs");
        let (printed, output) = (Arc::new(Mutex::new(Vec::new())), child.stdout.take().unwrap());
        let lines = Arc::clone(&printed);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let input = child.stdin.take().unwrap();
        Self { child, input, printed }
    }

    fn python(kata: &Kata<'_>, token: &str) -> Self {
        let root = root();
        let python = root.join("target/peers-python/v/bin/python");
        assert!(
            python.exists(),
            "{} is missing; `cargo xtask peers python` installs it",
            python.display()
        );
        let mut command = Command::new(python);
        command.arg(root.join("clients/python/example.py"));
        Self::start(
            command
                .env("KATA_CONFIG_DIR", kata.0.path())
                .env("KATA_TOKEN", token)
                .env("USER", "ada"),
        )
    }

    fn types(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn lines(&self) -> Vec<String> {
        self.printed.lock().unwrap().clone()
    }

    /// `kill -9`.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let _ = self.child.wait();
        self.lines()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn token(kata: &Kata<'_>) -> String {
    String::from_utf8(kata.run(&["token"]).stdout).unwrap().trim().to_owned()
}

fn plugin(kata: &Kata<'_>, id: &str) -> Option<Value> {
    let list = block_in_place(|| kata.json(&["plugins", "list"]));
    list.as_array()?.iter().find(|p| p["id"] == id).cloned()
}

async fn runs(kata: &Kata<'_>, id: &str) -> Value {
    eventually(&format!("{id} runs"), async || {
        plugin(kata, id).filter(|p| p["status"]["state"]["kind"] == "running" && !p["client"].is_null())
    })
    .await
}

fn chat(kata: &Kata<'_>, text: &str) -> String {
    let output = block_in_place(|| kata.run(&["chat", "--new", "-m", text]));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn prints(example: &Example, words: &str) {
    eventually(&format!("“{words}” is printed"), async || {
        example.lines().iter().any(|line| line.contains(words)).then_some(())
    })
    .await;
}

/// Joins as a plugin whose hook lets every message wait for two seconds; answers whether it was asked yet.
async fn thinker(kata: &Kata<'_>, token: &str) -> Arc<AtomicBool> {
    let text = std::fs::read_to_string(kata.0.path().join("gateway.json")).unwrap();
    let port = serde_json::from_str::<Value>(&text).unwrap()["port"].clone();
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{port}/ws")).await.unwrap();
    let hook = json!({ "event": "message_received", "timeoutMs": 2000 });
    for frame in [
        json!({ "type": "connect", "version": 1, "token": token, "client": "thinker" }),
        json!({ "type": "register", "id": 1, "plugin": { "id": "thinker", "name": "Thinker", "version": "1", "hooks": [hook] } }),
    ] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
    }
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let is_call = message.to_text().is_ok_and(|text| text.contains(r#""type":"call""#));
            told.fetch_or(is_call, Ordering::AcqRel);
        }
    });
    runs(kata, "thinker").await;
    asked
}

async fn served() -> (TestHome, Serve) {
    let home = TestHome::new();
    home.settings(&json!({ "sources": { "channel:terminal": { "policy": "open" }, "channel:line": { "policy": "open" } } }));
    let serve = Kata(&home).serve(None).await;
    (home, serve)
}

#[tokio::test(flavor = "multi_thread")]
async fn python_brings_a_tool_and_a_channel_is_missed_at_once_when_killed_and_gets_what_waited() {
    let text = std::fs::read_to_string(root().join("clients/python/example.py")).unwrap();
    assert!(text.lines().count() <= 60, "the example has {} lines", text.lines().count());
    let (home, serve) = served().await;
    let kata = Kata(&home);
    let token = block_in_place(|| token(&kata));
    let mut example = Example::python(&kata, &token);
    let row = runs(&kata, "python-example").await;
    assert_eq!(
        (row["origin"].as_str(), row["client"]["name"].as_str()),
        (Some("gateway"), Some("example.py"))
    );

    let said = chat(&kata, r#"/tool count_words {"text":"one two three"}"#);
    assert!(said.contains("`count_words` answered") && said.contains('3'), "{said}");
    example.types("good morning");
    prints(&example, "agent:").await;
    example.types(r#"/tool count_words {"text":"a b c d e"}"#);
    prints(&example, "`count_words` answered").await;

    // A message whose answer is not there yet when the program dies: somebody else's hook thinks about it.
    let asked = thinker(&kata, &token).await;
    example.types("what waited");
    eventually("the hook is asked", async || asked.load(Ordering::Acquire).then_some(())).await;
    let printed = example.kill();
    let killed = Instant::now();
    eventually("its end is seen", async || {
        plugin(&kata, "python-example").filter(|p| p["status"]["code"] == "not_connected")
    })
    .await;
    let source = block_in_place(|| kata.json(&["sources", "show", "channel:terminal"]));
    println!("seen after {:?} (a `kata plugins list` takes some of it)", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(3), "{:?}", killed.elapsed());
    assert_eq!(source["summary"]["status"]["code"], "not_connected", "{source}");
    assert!(
        chat(&kata, r#"/tool echo {"text":"still here"}"#).contains("still here"),
        "others go on"
    );
    assert!(!printed.iter().any(|line| line.contains("what waited")), "{printed:?}");

    let mut example = Example::python(&kata, &token);
    prints(&example, "what waited").await;
    example.types("and again");
    prints(&example, "and again").await;
    let waited = example.lines().iter().filter(|line| line.contains("what waited")).count();
    assert_eq!(waited, 1, "{:?}", example.lines());
    let ledger = eventually("the ledger balances", async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["pending"] == 0).then(|| status["ledger"].clone())
    })
    .await;
    assert_eq!(
        (ledger["dead"].as_u64(), ledger["delivered"].as_u64()),
        (Some(0), Some(4)),
        "{ledger}"
    );

    drop(example);
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_suite_takes_nodes_own_websocket_through_the_typescript_client_too() {
    let (home, serve) = served().await;
    let kata = Kata(&home);
    let token = block_in_place(|| token(&kata));
    let port = serde_json::from_str::<Value>(&std::fs::read_to_string(home.path().join("gateway.json")).unwrap()).unwrap()["port"].clone();
    let mut node = Command::new("node");
    // The flag is what Node 20 has it behind; since 22 it is there without.
    node.arg("--experimental-websocket")
        .arg(root().join("tests/peers/python/client.mjs"))
        .env("KATA_URL", format!("ws://127.0.0.1:{port}/ws"))
        .env("KATA_TOKEN", &token);
    let mut example = Example::start(&mut node);
    prints(&example, "joined").await;
    let said = chat(&kata, r#"/tool shout {"text":"from node"}"#);
    assert!(said.contains("FROM NODE"), "{said}");
    example.types("hello from a line");
    prints(&example, "reply:").await;
    prints(&example, "fact session_changed").await;

    // The gateway goes and comes back; the client does by itself, and its plugin with it.
    serve.stop().await;
    prints(&example, "state waiting").await;
    let mut again = kata.command(&["serve"]);
    let mut child = again
        .env("KATA_PORT", port.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let row = eventually("the plugin is there again", async || {
        let up = home.path().join("gateway.json").is_file();
        if up {
            plugin(&kata, "node-example").filter(|p| !p["client"].is_null())
        } else {
            None
        }
    })
    .await;
    assert_eq!(row["status"]["state"]["kind"], "running");
    assert!(chat(&kata, r#"/tool shout {"text":"once more"}"#).contains("ONCE MORE"));
    let _ = child.kill();
    let _ = child.wait();
}
