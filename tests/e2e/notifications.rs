//! Notifications while nobody looks at the window: received by a service of the desktop, answered by their buttons.

use crate::app::until;
use crate::bus::{Notifications, Tray};
use crate::tray::{App, windows};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_is_told_by_a_notification_and_its_button_answers_it() {
    let desktop = Notifications::serve().await;
    let mut app = App::start(&["--hidden"]).await;
    let tray = Tray::find().await;
    app.asks();
    let told = desktop.see("change asks to run").await;
    assert_eq!(told.actions, ["default", "Open", "once", "Allow once", "deny", "Refuse"]);
    assert!(
        !format!("{told:?}").contains("secret plan"),
        "what was written is not in it: {told:?}"
    );
    assert_eq!(app.platform.counted(), 0);
    desktop.choose(told.id, "once").await;
    until("the call has run", async || app.platform.counted() == 1).await;

    // One that is answered elsewhere is taken away.
    app.asks();
    until("another one is told", async || {
        desktop
            .all()
            .iter()
            .any(|other| other.id != told.id && other.title.contains("asks to run"))
    })
    .await;
    let second = desktop.all().pop().unwrap();
    let waiting = app.kata(&["attention", "list"]);
    let id = waiting[0]["id"].as_str().unwrap().to_owned();
    app.kata(&["attention", "answer", &id, "deny"]);
    until("it is taken away", async || desktop.is_closed(second.id)).await;
    assert_eq!(app.platform.counted(), 1);

    // A click opens the window at the place.
    app.asks();
    let third = {
        until("a third one is told", async || {
            desktop.all().last().is_some_and(|last| last.id > second.id)
        })
        .await;
        desktop.all().pop().unwrap()
    };
    assert!(!windows().await.contains("Kata Agents"));
    desktop.choose(third.id, "default").await;
    until("the window is open", async || windows().await.contains("Kata Agents")).await;
    tray.choose("Quit").await;
    assert!(app.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_ended_is_told_without_its_words_unless_the_person_wants_them() {
    let desktop = Notifications::serve().await;
    let mut app = App::start(&["--hidden"]).await;
    let tray = Tray::find().await;
    app.stands().await;
    app.chat("tell me the secret");
    let told = desktop.see("is done").await;
    assert!(told.body.is_empty(), "{told:?}");
    tray.choose("Quit").await;
    assert!(app.ended().await.success());
}
