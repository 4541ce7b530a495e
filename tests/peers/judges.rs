//! The official Anthropic and OpenAI SDKs accept the streams of our scripted provider.

use kata_agent::fake::{FakeProvider, Script};
use std::path::Path;
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn judges_accept_the_scripted_provider() {
    let provider = FakeProvider::start(Script::agent()).await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/judges");
    let base = provider.base_url.clone();
    let output = tokio::task::spawn_blocking(move || Command::new("node").current_dir(folder).args(["judge.mjs", &base]).output()).await;
    let output = output.unwrap().expect("node runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{said}");
    assert!(output.status.success(), "{said}");
}
