//! The command line as a new user meets it.

use kata_tests::{Kata, TestHome};
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_running_engine_every_command_says_how_to_start_one() {
    let home = TestHome::new();
    let output = block_in_place(|| Kata(&home).run(&["status"]));
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("kata serve"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_answers_with_a_tool_and_leaves_a_trace() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    kata_tests::eventually("the echo plugin runs", async || {
        let plugins = block_in_place(|| kata.json(&["plugins", "list"]));
        plugins
            .as_array()?
            .iter()
            .any(|p| p["id"] == "echo" && p["status"]["state"]["kind"] == "running")
            .then_some(())
    })
    .await;
    let output = block_in_place(|| kata.run(&["chat", "--new", "-m", r#"/tool echo {"text":"over the wire"}"#]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && text.contains("over the wire"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let sessions = block_in_place(|| kata.run(&["sessions", "list"]));
    assert!(
        String::from_utf8_lossy(&sessions.stdout).contains("/tool echo"),
        "{}",
        String::from_utf8_lossy(&sessions.stdout)
    );
    let trace = kata_tests::eventually("the trace is there", async || {
        let output = block_in_place(|| kata.run(&["trace", "--last"]));
        Some(String::from_utf8_lossy(&output.stdout).to_lowercase()).filter(|t| t.contains("tool"))
    })
    .await;
    for gate in ["mailbox", "model", "tool", "ms"] {
        assert!(trace.contains(gate), "{gate} is missing in {trace}");
    }
    let unknown = block_in_place(|| kata.run(&["sessions", "show", "no-such-session"]));
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("no-such-session"));
    block_in_place(|| kata.run(&["stop"]));
    kata_tests::eventually("it has ended", async || (!home.path().join("gateway.json").exists()).then_some(())).await;
    serve.stop().await;
}
