//! A phone-sized browser at the real program: Chromium at 390×844, driven by playwright (`phone/phone.mjs`), pairs by the content of
//! the code, chats, approves a tool, is without a network for a minute, and is shut out. Pictures: `target/screenshots/phone-*.png`.

use kata_tests::{Kata, TestHome, kata_binary};
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn phone_pairs_by_the_code_chats_approves_comes_back_after_a_minute_and_is_shut_out_within_a_second() {
    let home = TestHome::new();
    // A port for the line that is cut; it is named as a tunnel's would be.
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    home.settings(&json!({
        "gateway": { "hosts": [format!("127.0.0.1:{proxy}")] },
    }));
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    kata.json(&["models", "set", "demo", "--kind", "demo", "--default"]);
    let port = kata.json(&["gateway"])["port"].as_u64().unwrap();

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shots = root.join("../target/screenshots");
    let mut person = Command::new(root.join("peers/node_modules/node/bin/node"));
    for (name, value) in kata.command(&[]).get_envs() {
        if let Some(value) = value {
            person.env(name, value);
        }
    }
    let status = block_in_place(|| {
        person
            .arg(root.join("peers/phone/phone.mjs"))
            .env("KATA", kata_binary())
            .env("PROXY", proxy.to_string())
            .env("GATEWAY", port.to_string())
            .env("SHOTS", shots)
            .status()
            .expect("the pinned node runs; `cargo xtask peers phone` installs it")
    });
    assert!(
        status.success(),
        "the person with the phone was stopped: see above, and target/screenshots/phone-failed.png"
    );
    serve.stop().await;
}
