//! Secrets and message text never reach the log.

use kata_protocol::*;
use kata_tests::{FakePlatform, Kata, TestHome};

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_secret_nor_a_message_is_in_the_log_files() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop", "spinner"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let kata = Kata(&home);
    let mut command = kata.command(&["serve"]);
    command.env("KATA_LOG", "debug");
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    kata_tests::eventually("serve is ready", async || home.path().join("gateway.json").is_file().then_some(())).await;
    platform.write("ada", "canary-text-4711 /tool count {}");
    platform.delivered(1).await;
    let body = r#"{"settings":{"id":"x","kind":"openai-chat","baseUrl":"http://127.0.0.1:9/v1","model":"m"},"apiKey":"canary-key-4711","default":true}"#;
    let set: ModelSet = serde_json::from_str(body).unwrap();
    assert!(format!("{:?}", set.settings).contains("openai") || set.default);
    let mut keyed = kata.command(&[
        "models",
        "set",
        "x",
        "--kind",
        "openai-chat",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--model",
        "m",
        "--default",
    ]);
    keyed.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let mut keyed = keyed.spawn().unwrap();
    std::io::Write::write_all(&mut keyed.stdin.take().unwrap(), b"canary-key-4711\n").unwrap();
    let _ = keyed.wait();
    platform.write("ada", "canary-text-4711 again");
    kata_tests::eventually("the second message ends", async || {
        let status = tokio::task::block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["pending"] == 0 && status["ledger"]["accepted"] == 2).then_some(())
    })
    .await;
    std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    child.wait().unwrap();
    let token = kata_tests::eventually("the token can be read", async || {
        let output = tokio::task::block_in_place(|| kata.run(&["token"]));
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|t| t.len() == 64)
    })
    .await;
    let mut lines = 0;
    for file in std::fs::read_dir(home.path().join("logs")).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        lines += text.lines().count();
        for canary in ["canary-text-4711", "canary-key-4711", &token] {
            assert!(!text.contains(canary), "{canary} is in {}", file.path().display());
        }
    }
    assert!(lines > 3, "the log was written at all");
}
