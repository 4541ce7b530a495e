//! A channel from the window alone: its address and its token are typed in, it is switched on, a stranger is let in, and their
//! message is answered. crabline is Telegram.

use crate::app::Desktop;
use kata_tests::{Peers, eventually};
use serde_json::json;

async fn state(desktop: &Desktop, what: &str, fits: impl Fn(&str) -> bool) {
    desktop
        .until(what, async || match desktop.last("source-status-channel:telegram").await {
            Some(status) => fits(status.text().await.trim()),
            None => false,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_set_up_from_the_window_alone_and_answers_whom_a_person_has_let_in() {
    let mut peers = Peers::start().await;
    Desktop::drive("channel-setup", async |desktop| {
        desktop.click("use-demo").await;
        desktop.click("nav-sources").await;
        desktop.click("source-row-channel:telegram").await;
        desktop.type_over("setting-apiRoot", &peers.text("/telegram/apiRoot")).await;
        desktop.click("settings-save").await;

        desktop.click("setup-open").await;
        desktop.see("setup-title").await;
        desktop.screenshot("asks-for-the-token").await;
        desktop.type_into("setup-value", "1:wrong").await;
        desktop.click("setup-next").await;
        desktop
            .until("the token is refused in words", async || {
                desktop.last("setup-step").await.is_some() && desktop.page_text().await.contains("refuse")
            })
            .await;
        desktop.screenshot("token-refused").await;
        desktop.type_over("setup-value", &peers.text("/telegram/botToken")).await;
        desktop.click("setup-next").await;
        let done = desktop.see("setup-done").await.text().await;
        assert!(done.contains("crabline_bot"), "{done}");
        if desktop.last("setup-enable").await.is_some() {
            desktop.click("setup-enable").await;
        }
        desktop.click("setup-close").await;
        state(desktop, "telegram runs", |s| s.starts_with("Running") && !s.contains("problem")).await;
        desktop.click("channel-test").await;
        desktop.see("channel-told").await;
        desktop.screenshot("running").await;

        peers.write("100001", "hello from telegram", json!({})).await;
        desktop.see_first_starting_with("approve-").await;
        desktop.screenshot("stranger").await;
        desktop.click_first_starting_with("approve-").await;
        desktop
            .until("nobody waits", async || desktop.count_starting_with("approve-").await == 0)
            .await;
        peers.write("100001", "/tool echo {\"text\":\"hi over telegram\"}", json!({})).await;
        eventually("the answer is in telegram", async || {
            let sent = peers.calls("sendMessage");
            sent.iter()
                .any(|call| call["body"]["text"].as_str().is_some_and(|text| text.contains("hi over telegram")))
                .then_some(())
        })
        .await;
        desktop.click("nav-channels").await;
        desktop.click_first_starting_with("session-row-").await;
        desktop
            .until("the conversation is in the window", async || {
                desktop.page_text().await.contains("hi over telegram")
            })
            .await;
        desktop.screenshot("answered").await;
    })
    .await;
}
