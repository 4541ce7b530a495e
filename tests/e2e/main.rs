//! The real app, driven by WebDriver on a screen of its own: clicked, typed into, looked at.
//!
//! Run by `cargo xtask e2e`, which builds the app and brings Xvfb, a window manager and a session bus. [`app`] starts the
//! program and finds things in its window, [`tray`] looks at the tray over the session bus; the tests here say what a person does and sees. Screenshots of every view are left
//! in `target/screenshots/` to be looked at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests; what the app logged is printed where a story failed"
)]

mod app;
mod channels;
mod life;
mod permissions;
mod plugins;
mod telegram;
mod tray;

use app::{Desktop, Element};

/// A first start, a message through the demo agent that calls a tool, and a look at every view.
#[tokio::test]
async fn a_person_starts_the_demo_sends_a_message_and_looks_around() {
    Desktop::drive("first-run", async |desktop| {
        choose_the_demo(desktop).await;
        send_a_message_that_uses_a_tool(desktop).await;
        the_transcript_survives_a_reload_of_the_window(desktop).await;
        open_the_sources(desktop).await;
        look_at_the_other_views(desktop).await;
        a_second_start_hands_over(desktop).await;
    })
    .await;
}

/// An engine that cannot start is not a window that stays empty.
#[tokio::test]
async fn an_engine_that_cannot_start_says_why_and_starts_when_it_is_asked_again() {
    let home = tempfile::tempdir().unwrap();
    // A folder where the engine's lock belongs.
    let lock = home.path().join("engine.lock");
    std::fs::create_dir(&lock).unwrap();
    Desktop::drive_in("engine-failure", home, async |desktop| {
        let said = desktop.see("engine-failure").await.text().await;
        assert!(said.contains("engine.lock"), "the file is named: {said}");
        assert!(said.contains("logs"), "it says where the log is: {said}");
        desktop.screenshot("failed-to-start").await;
        std::fs::remove_dir(&lock).unwrap();
        desktop.click("engine-try-again").await;
        desktop.see("onboarding").await;
        desktop.screenshot("started").await;
    })
    .await;
}

async fn choose_the_demo(desktop: &Desktop) {
    desktop.see("onboarding").await;
    desktop.screenshot("first-run").await;
    desktop.click("use-demo").await;
    let health = desktop.see("health-line").await.text().await;
    assert!(!health.trim().is_empty(), "the line of health says something");
    desktop.click("new-session").await;
    desktop.see("composer").await;
    desktop.see_first_starting_with("session-row-").await;
    desktop.screenshot("new-session").await;
}

async fn send_a_message_that_uses_a_tool(desktop: &Desktop) {
    desktop.type_into("composer", "/tool echo {\"text\":\"hi from the window\"}").await;
    desktop.click("send").await;
    let sent = desktop.see("message-user").await;
    assert!(sent.text().await.contains("hi from the window"));
    let card = desktop.see("tool-card").await;
    desktop
        .until("the tool card is done", async || {
            card.attribute("data-status").await.as_deref() == Some("completed")
        })
        .await;
    assert!(card.text().await.contains("echo"), "the card names the tool");
    desktop
        .until("the answer stands", async || match desktop.last("message-assistant").await {
            Some(answer) => {
                answer.attribute("data-growing").await.as_deref() != Some("true") && answer.text().await.contains("hi from the window")
            }
            None => false,
        })
        .await;
    desktop.screenshot("chat").await;
}

async fn the_transcript_survives_a_reload_of_the_window(desktop: &Desktop) {
    desktop.reload().await;
    desktop.click("nav-sessions").await;
    desktop.screenshot("sessions").await;
    desktop.click_first_starting_with("session-row-").await;
    let sent = desktop.see("message-user").await;
    assert!(sent.text().await.contains("hi from the window"), "what was written is still there");
    desktop.see("tool-card").await;
}

async fn open_the_sources(desktop: &Desktop) {
    desktop.click("nav-sources").await;
    let telegram: Element = desktop.see("source-row-channel:telegram").await;
    assert!(telegram.text().await.to_lowercase().contains("telegram"));
    let state = desktop.see("source-status-channel:telegram").await.text().await;
    assert!(!state.trim().is_empty(), "the state is in words");
    desktop.screenshot("sources").await;
    desktop.click("source-row-channel:telegram").await;
    desktop.screenshot("source").await;
}

async fn look_at_the_other_views(desktop: &Desktop) {
    desktop.click("nav-plugins").await;
    let echo = desktop.see("plugin-row-echo").await;
    assert!(echo.text().await.contains("Echo"), "the bundled plugin is listed by its name");
    desktop.screenshot("plugins").await;
    desktop.click("plugin-row-echo").await;
    desktop.screenshot("plugin").await;

    desktop.click("nav-traces").await;
    desktop.click_first_starting_with("trace-row-").await;
    desktop
        .until("the trace names its gates", async || {
            desktop.page_text().await.to_lowercase().contains("mailbox")
        })
        .await;
    desktop.screenshot("trace").await;

    desktop.click("nav-settings").await;
    desktop.see_first_starting_with("settings-").await;
    desktop.screenshot("settings").await;
    look_at_the_first_steps(desktop).await;
}

/// What a person does after the demo: what is open, a copy, the first steps up to a channel's own wizard, and out of them again.
async fn look_at_the_first_steps(desktop: &Desktop) {
    desktop.click("settings-security").await;
    desktop.see_first_starting_with("finding-").await;
    desktop.screenshot("security").await;
    desktop.click("settings-start").await;
    desktop.click("backup-create").await;
    desktop
        .until("the copy is listed", async || desktop.page_text().await.contains("-asked.tar.gz"))
        .await;
    desktop.screenshot("first-steps").await;
    desktop.click("tour-open").await;
    desktop.see_first_starting_with("tour-set-up-").await;
    desktop.screenshot("tour").await;
    desktop.click("tour-skip").await;
    desktop
        .until("the first steps are left", async || {
            !desktop.page_text().await.contains("First steps: ")
        })
        .await;
}

async fn a_second_start_hands_over(desktop: &Desktop) {
    let second = desktop.start_again().await;
    assert!(second.success(), "the second start ends by itself, and well: {second}");
    desktop.see("nav-sessions").await;
}
