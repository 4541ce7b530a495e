//! WhatsApp as a linked device: the program in `external/whatsapp-linked` between `kata serve` and crabline's WhatsApp server, which speaks
//! the protocol of linked devices, encrypts what people write and reads what is written to them. `cargo xtask peers whatsapp` builds it.

use crate::whatsapp::Meta;
use kata_tests::{Kata, TestHome, eventually_within};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::task::block_in_place;

/// Longer than the longest wait before the program or the app tries again.
const PATIENCE: Duration = Duration::from_secs(90);
const CHANNEL: &str = "channel:whatsapp-linked";
const PERSON: &str = "15551234567";

/// The program, killed when this falls.
struct Program(Child);

impl Program {
    fn command(kata: &Kata<'_>, meta: &Meta) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../external/whatsapp-linked");
        let main = root.join("dist/external/whatsapp-linked/src/main.js");
        assert!(main.is_file(), "`cargo xtask peers whatsapp` builds {}", main.display());
        let token = String::from_utf8(block_in_place(|| kata.run(&["token"]).stdout)).unwrap();
        let mut command = Command::new("node");
        command
            .arg(main)
            .arg("--home")
            .arg(kata.0.path())
            .env("KATA_TOKEN", token.trim())
            .env("KATA_WHATSAPP_URL", meta.text("/endpoints/baileysWebSocketUrl"))
            .env("KATA_WHATSAPP_ME", meta.text("/selfJid"))
            .env("KATA_WHATSAPP_HASTY", "1");
        command
    }

    fn start(kata: &Kata<'_>, meta: &Meta) -> Self {
        let said = std::fs::File::options()
            .create(true)
            .append(true)
            .open(kata.0.dir.path().join("said"))
            .unwrap();
        let mut command = Self::command(kata, meta);
        let both = said.try_clone().unwrap();
        Self(
            command
                .arg("--accept")
                .stdin(Stdio::null())
                .stdout(both)
                .stderr(said)
                .spawn()
                .expect("node runs"),
        )
    }

    /// `kill -9`.
    fn cut(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn state(kata: &Kata<'_>, wanted: &str) -> Value {
    eventually_within(PATIENCE, &format!("{CHANNEL} is {wanted}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let source = sources.as_array()?.iter().find(|s| s["id"] == CHANNEL)?.clone();
        (source["status"]["state"]["kind"] == wanted).then_some(source)
    })
    .await
}

/// The answer to a message quotes it.
async fn answered(meta: &Meta, words: &str) {
    eventually_within(PATIENCE, &format!("“{words}” is answered"), async || {
        meta.read().iter().any(|answer| answer.contains(words)).then_some(())
    })
    .await;
}

fn folder(home: &TestHome) -> PathBuf {
    home.path().join("whatsapp-linked")
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_as_a_linked_device_answers_each_message_once_over_a_kill_of_the_program_and_of_the_app() {
    let mut meta = Meta::start();
    let home = TestHome::new();
    home.settings(&json!({
        "sources": { CHANNEL: { "enabled": true, "policy": "open", "perMinuteSender": 10_000, "perMinuteConversation": 10_000 } },
    }));
    let kata = Kata(&home);
    let mut serve = kata.serve(None).await;

    // Nothing begins before a person has said that they know what this is.
    let unasked = block_in_place(|| Program::command(&kata, &meta).stdin(Stdio::null()).output().unwrap());
    assert!(
        !unasked.status.success() && String::from_utf8_lossy(&unasked.stdout).contains("terms"),
        "{unasked:?}"
    );
    assert!(!folder(&home).join("keys.log").exists());

    let program = Program::start(&kata, &meta);
    state(&kata, "running").await;
    meta.writes(PERSON, "the first one");
    answered(&meta, "the first one").await;
    let second = block_in_place(|| Program::command(&kata, &meta).stdin(Stdio::null()).output().unwrap());
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("is in use by process"),
        "two programs have one device: {second:?}"
    );

    // Killed when it has a message and may or may not have answered it; another one comes while it is away.
    meta.writes(PERSON, "the second one");
    let ledger = folder(&home).join("ledger.log");
    eventually_within(PATIENCE, "the second one is written down", async || {
        std::fs::read_to_string(&ledger).unwrap().contains("the second one").then_some(())
    })
    .await;
    program.cut();
    eventually_within(PATIENCE, "its end is seen", async || {
        let source = block_in_place(|| kata.json(&["sources", "show", CHANNEL]));
        (source["summary"]["status"]["code"] == "not_connected").then_some(())
    })
    .await;
    meta.writes(PERSON, "the third one");
    let program = Program::start(&kata, &meta);
    for words in ["the second one", "the third one"] {
        answered(&meta, words).await;
    }

    // The app is killed; the program keeps what comes, and goes on when the app is back, wherever that is.
    serve.cut();
    meta.writes(PERSON, "the fourth one");
    eventually_within(PATIENCE, "the fourth one is written down", async || {
        std::fs::read_to_string(&ledger).unwrap().contains("the fourth one").then_some(())
    })
    .await;
    serve = kata.serve(None).await;
    answered(&meta, "the fourth one").await;
    state(&kata, "running").await;
    meta.writes(PERSON, "the fifth one");
    answered(&meta, "the fifth one").await;

    let read = meta.read();
    for words in ["first", "second", "third", "fourth", "fifth"] {
        let times = read.iter().filter(|answer| answer.contains(&format!("the {words} one"))).count();
        assert_eq!(times, 1, "the {words} one: {read:#?}");
    }
    assert_eq!(read.len(), 5, "{read:#?}");
    let status = block_in_place(|| kata.json(&["status"]));
    assert_eq!(
        status["ledger"]["delivered"], 5,
        "what the device wrote itself is no message: {status}"
    );
    drop(program);
    let said = std::fs::read_to_string(home.dir.path().join("said")).unwrap();
    assert!(
        !said.contains("privKey") && !said.contains("the first one"),
        "keys and messages stay out of what it prints: {said}"
    );
    #[cfg(unix)]
    for name in ["keys.log", "ledger.log"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder(&home).join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    serve.stop().await;
}
