//! Programs from npm that stand in for the world: crabline as Telegram, aimock as the model (`tests/peers/start.mjs`).

use crate::TestHome;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};

/// crabline and aimock, taken down when this falls.
pub struct Peers {
    told: Value,
    input: Option<ChildStdin>,
    output: Lines<BufReader<tokio::process::ChildStdout>>,
    child: Child,
    next: i64,
}

impl Peers {
    /// Starts both; `cargo xtask peers` has installed them.
    pub async fn start() -> Self {
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

    /// A text of what `start.mjs` has printed, by JSON pointer.
    pub fn text(&self, pointer: &str) -> String {
        self.told
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {}", self.told))
            .to_owned()
    }

    /// `telegram stop`, `telegram start`, …
    pub async fn tell(&mut self, command: &str) {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        let line = self.output.next_line().await.unwrap().unwrap();
        assert!(line.contains("done"), "{line}");
    }

    /// A person writes. Ids count up over restarts, as Telegram's do.
    pub async fn write(&mut self, chat: &str, text: &str, more: Value) {
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
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(PathBuf::from(self.text("/telegram/journal"))).unwrap_or_default();
        let lines = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        lines
            .filter(|l| l["path"].as_str().is_some_and(|p| p.ends_with(method)) && l["accepted"] == true)
            .collect()
    }

    /// Every accepted call in order, by method.
    pub fn order(&self) -> Vec<String> {
        let text = std::fs::read_to_string(PathBuf::from(self.text("/telegram/journal"))).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|l| serde_json::from_str::<Value>(l).ok())
            .filter(|l| l["accepted"] == true);
        lines
            .filter_map(|l| Some(l["path"].as_str()?.rsplit('/').next()?.to_owned()))
            .collect()
    }

    /// A home with the telegram channel on, open to everybody, and aimock as the model. Token and key are still to be given.
    pub fn home(&self) -> TestHome {
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
