//! A command that is asked about, in the window: looked at, allowed from now on, not asked again; and where a message would go.

use crate::app::Desktop;
use std::path::PathBuf;

const TOUCH: &str = "/tool bash {\"command\":\"touch made-by-agent\"}";

#[tokio::test]
async fn a_command_is_asked_about_once_where_the_person_says_always() {
    // Outside the app's home, which no tool may touch.
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().canonicalize().unwrap();
    Desktop::drive("permissions", async |desktop| {
        desktop.click("use-demo").await;
        desktop.click("new-session").await;
        desktop.see("composer").await;
        it_works_in(desktop, &folder).await;
        always_runs_it(desktop, &folder).await;
        the_second_call_does_not_ask(desktop, &folder).await;
        the_rule_can_be_seen(desktop).await;
        routing_explains_a_message(desktop).await;
    })
    .await;
}

/// By the same operation the details of a session use.
async fn it_works_in(desktop: &Desktop, folder: &std::path::Path) {
    desktop.click("permission-menu").await;
    desktop.click("permission-ask").await;
    // A menu that closes takes the next click for itself.
    desktop
        .until("the menu is closed", async || desktop.last("permission-ask").await.is_none())
        .await;
    desktop.click("session-details").await;
    desktop.type_into("working-directory", &folder.display().to_string()).await;
    desktop.click("working-directory-use").await;
    desktop
        .until("the folder is taken", async || {
            desktop.last("working-directory-use").await.is_none()
        })
        .await;
    desktop.click("session-details").await;
}

fn made(folder: &std::path::Path) -> PathBuf {
    folder.join("made-by-agent")
}

async fn always_runs_it(desktop: &Desktop, folder: &std::path::Path) {
    desktop.type_into("composer", TOUCH).await;
    desktop.click("send").await;
    let card = desktop.see("call-arguments").await.text().await;
    assert!(
        card.contains("touch made-by-agent"),
        "the command stands there as it would run: {card}"
    );
    assert!(!made(folder).exists(), "nothing runs before the answer");
    desktop.see("nav-waiting").await;
    desktop.screenshot("asked").await;
    desktop.click("approve-always").await;
    desktop.until("the command ran", async || made(folder).exists()).await;
    done(desktop, 1).await;
    desktop.screenshot("allowed").await;
}

async fn the_second_call_does_not_ask(desktop: &Desktop, folder: &std::path::Path) {
    std::fs::remove_file(made(folder)).unwrap();
    desktop.type_into("composer", TOUCH).await;
    desktop.click("send").await;
    desktop.until("it ran again", async || made(folder).exists()).await;
    assert!(desktop.last("approve-once").await.is_none(), "nobody was asked");
    done(desktop, 2).await;
}

async fn done(desktop: &Desktop, turns: usize) {
    desktop
        .until("the turn is over", async || {
            desktop.last("stop").await.is_none() && desktop.count("message-user").await == turns
        })
        .await;
}

async fn the_rule_can_be_seen(desktop: &Desktop) {
    desktop.click("nav-settings").await;
    desktop.click("settings-permissions").await;
    desktop
        .until("the answer stands among the rules", async || {
            desktop.page_text().await.contains("every command that begins with")
        })
        .await;
    desktop.screenshot("rules").await;
}

async fn routing_explains_a_message(desktop: &Desktop) {
    desktop.click("nav-routing").await;
    desktop.click("route-explain").await;
    let verdict = desktop.see("route-verdict").await.text().await;
    assert!(!verdict.trim().is_empty(), "it says what becomes of it");
    desktop.see("route-step-decided").await;
    desktop.screenshot("routing").await;
}
