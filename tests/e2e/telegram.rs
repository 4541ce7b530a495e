//! A real channel in the window: crabline's Telegram is configured, stops, comes back, and a message from it appears.

use crate::app::{Desktop, environment};
use kata_tests::{Peers, kata_binary};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

/// The command line over the app's home, as a person beside the window would use it.
fn kata(desktop: &Desktop, args: &[&str], input: &str) {
    let mut child = Command::new(kata_binary())
        .args(args)
        .envs(environment(desktop.home()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("kata can be run");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn shows(desktop: &Desktop, what: &str, fits: impl Fn(&str) -> bool) {
    desktop
        .until(what, async || match desktop.last("source-status-channel:telegram").await {
            Some(status) => fits(status.text().await.trim()),
            None => false,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_shows_in_the_window_that_it_is_gone_and_that_it_is_back() {
    let mut peers = Peers::start().await;
    Desktop::drive("telegram", async |desktop| {
        desktop.click("use-demo").await;
        kata(
            desktop,
            &[
                "sources",
                "set",
                "channel:telegram",
                &format!("apiRoot={}", peers.text("/telegram/apiRoot")),
            ],
            "",
        );
        kata(
            desktop,
            &["sources", "secret", "channel:telegram", "botToken"],
            &peers.text("/telegram/botToken"),
        );
        kata(desktop, &["sources", "enable", "channel:telegram"], "");
        desktop.click("nav-sources").await;
        shows(desktop, "telegram runs", |s| s.starts_with("Running") && !s.contains("problem")).await;
        desktop.screenshot("running").await;
        peers.tell("telegram stop").await;
        shows(desktop, "the window says that telegram is gone", |s| {
            !s.starts_with("Running") || s.contains("problem")
        })
        .await;
        desktop.screenshot("gone").await;
        peers.tell("telegram start").await;
        shows(desktop, "telegram runs again", |s| {
            s.starts_with("Running") && !s.contains("problem")
        })
        .await;

        // A stranger writes: the code is told in Telegram, and the window offers to approve it.
        peers.write("100001", "hello from telegram", json!({})).await;
        desktop.click("source-row-channel:telegram").await;
        desktop.see_first_starting_with("pairing-").await;
        desktop.screenshot("pairing").await;
        let told = kata_tests::eventually("the stranger is told a code", async || {
            peers.calls("sendMessage").into_iter().next()
        })
        .await;
        assert!(told["body"]["text"].as_str().unwrap().contains("code"), "{told}");
    })
    .await;
}
