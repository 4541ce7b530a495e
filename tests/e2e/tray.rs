//! The tray, over the session bus: what it shows, what is done from it, that it keeps the program, and that Quit drains, says what it
//! waits for, and ends it.

use crate::app::{DEADLINE, program, until};
use crate::bus::Tray;
use kata_tests::{FakePlatform, Kata, TestHome};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Instant;
use tokio::process::Command;
use tokio::task::block_in_place;

/// The app without a driver, over a home with the loop channel, whose calls ask first.
pub(crate) struct App {
    pub home: TestHome,
    pub platform: FakePlatform,
    child: Child,
}

impl App {
    /// Starts it with these arguments.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let platform = FakePlatform::start().await;
        let home = TestHome::with_plugins(&["loop"]);
        let mut settings = TestHome::loop_settings(&platform.base, true);
        settings["sources"]["channel:loop"]["mode"] = "ask".into();
        home.settings(&settings);
        let child = std::process::Command::new(program())
            .args(arguments)
            .env("KATA_CONFIG_DIR", home.path())
            .env("KATA_PLUGINS_DIR", home.plugins())
            .env("KATA_SECRETS", "file")
            .env("KATA_PORT", "0")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "0")
            .stdout(Stdio::null())
            .spawn()
            .expect("the app starts; run this with `cargo xtask e2e`");
        Self { home, platform, child }
    }

    /// Runs the command line over its home.
    pub(crate) fn kata(&self, args: &[&str]) -> serde_json::Value {
        block_in_place(|| Kata(&self.home).json(args))
    }

    /// Waits until its engine answers.
    pub(crate) async fn stands(&self) {
        let file = self.home.path().join("gateway.json");
        until("the engine stands", async || file.exists()).await;
    }

    /// A message to the agent in a new session of the desktop, and its answer.
    pub(crate) fn chat(&self, text: &str) -> String {
        let output = block_in_place(|| Kata(&self.home).run(&["chat", "--new", "-m", text]));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Somebody writes something for which the agent has to ask.
    pub(crate) fn asks(&self) {
        self.platform.write("ada", "/tool change {\"what\":\"the secret plan\"}");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the app can be waited for") {
                return status;
            }
            assert!(began.elapsed() < DEADLINE, "the app does not end");
            crate::app::tick().await;
        }
    }

    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line of health is in the tray, closing the window leaves the program, Quit ends it.
#[tokio::test(flavor = "multi_thread")]
async fn the_tray_shows_health_outlives_the_window_and_quits() {
    let mut app = App::start(&[]).await;
    let tray = Tray::find().await;
    until("the tray shows the line of health", async || {
        tray.line().await.contains("channel running")
    })
    .await;
    until("nothing needs the person", async || {
        tray.entry("Nothing needs you").await.is_some_and(|entry| !entry.enabled)
    })
    .await;

    until("the window is open", async || windows().await.contains("Kata Agents")).await;
    close_the_window().await;
    assert!(app.runs(), "closing the window leaves the program");
    tray.choose("Open Kata Agents").await;
    until("the window is open again", async || windows().await.contains("Kata Agents")).await;

    tray.choose("Quit").await;
    let status = app.ended().await;
    assert!(status.success(), "Quit ends it well: {status}");
    assert!(!tray.is_there().await, "and takes the tray item away");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_the_person_is_in_the_tray_is_answered_there_and_leads_to_the_window() {
    let mut app = App::start(&["--hidden"]).await;
    let tray = Tray::find().await;
    app.asks();
    until("the call is in the tray", async || {
        tray.entries()
            .await
            .iter()
            .any(|entry| entry.label == "Allow once" && entry.below == ["1 needs you", "change asks to run"])
    })
    .await;
    until("the line says it", async || tray.line().await.contains("1 needs you")).await;
    assert_eq!(app.platform.counted(), 0, "nothing ran");
    tray.choose("Allow once").await;
    until("the call has run", async || app.platform.counted() == 1).await;
    until("it is gone from the tray", async || tray.entry("Nothing needs you").await.is_some()).await;

    app.asks();
    tray.choose("Refuse").await;
    until("it is gone", async || tray.entry("Nothing needs you").await.is_some()).await;
    assert_eq!(app.platform.counted(), 1, "what was refused did not run");

    assert!(!windows().await.contains("Kata Agents"), "it was started hidden");
    app.asks();
    tray.choose("Look at it").await;
    until("the window is open", async || windows().await.contains("Kata Agents")).await;
    tray.choose("Quit").await;
    assert!(app.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_channels_are_paused_from_the_tray_and_go_on_from_it() {
    let mut app = App::start(&["--hidden"]).await;
    let tray = Tray::find().await;
    until("the channel runs", async || tray.line().await.contains("1 channel running")).await;
    tray.choose("Pause all channels").await;
    until("the tray says so", async || {
        let entry = tray.entry("Pause all channels").await;
        tray.line().await.starts_with("paused") && entry.is_some_and(|entry| entry.checked)
    })
    .await;
    let status = app.kata(&["status"]);
    assert_eq!(
        (&status["pause"]["paused"], &status["health"]["paused"]),
        (&true.into(), &true.into()),
        "{status}"
    );
    app.platform.write("ada", "hello");
    // By the command line, so that it is known to have passed: a session of the desktop goes on.
    let said = app.chat("hello from the desktop");
    assert!(said.contains("hello from the desktop"), "{said}");
    assert!(app.platform.sent().is_empty(), "nothing leaves");

    tray.choose("Pause all channels").await;
    let sent = app.platform.delivered(1).await;
    assert_eq!((sent.len(), sent[0].times), (1, 1));
    until("the mark is gone", async || {
        tray.entry("Pause all channels").await.is_some_and(|entry| !entry.checked)
    })
    .await;
    tray.choose("Quit").await;
    assert!(app.ended().await.success());
}

/// A turn that lasts: a command that sleeps, in a session that has a name.
async fn at_work(app: &App, seconds: u32) {
    let call = format!("/tool bash {{\"command\":\"sleep {seconds}\"}}");
    app.platform.write("ada", &call);
    let tray = Tray::find().await;
    tray.choose("Allow once").await;
    until("it works", async || tray.line().await.contains("1 working")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quit_lets_what_runs_end_and_says_by_name_what_it_waits_for() {
    let mut app = App::start(&["--hidden"]).await;
    let tray = Tray::find().await;
    at_work(&app, 4).await;
    tray.choose("Quit").await;
    until("the tray says what it waits for", async || {
        tray.line().await == "Ending; waits for “ada”"
    })
    .await;
    assert!(app.runs(), "it waits");
    assert!(app.ended().await.success());
    let sent = app.platform.sent();
    let asked = sent.first().is_some_and(|first| first.message.text.contains("/approve"));
    assert!(
        asked && sent.len() >= 2,
        "the question and the answer left before it ended: {sent:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_quit_ends_at_once() {
    let mut app = App::start(&["--hidden"]).await;
    let tray = Tray::find().await;
    at_work(&app, 25).await;
    tray.choose("Quit").await;
    until("it waits", async || tray.line().await.starts_with("Ending; waits for")).await;
    let began = Instant::now();
    tray.choose("Quit").await;
    app.ended().await;
    assert!(began.elapsed().as_secs() < 5, "it took {:?}", began.elapsed());
}

pub(crate) async fn windows() -> String {
    let listed = Command::new("wmctrl").arg("-l").stderr(Stdio::null()).output().await;
    let listed = listed.expect("the desktop's own tools are installed (`cargo xtask setup`)");
    String::from_utf8_lossy(&listed.stdout).into_owned()
}

pub(crate) async fn close_the_window() {
    let closed = Command::new("wmctrl").args(["-c", "Kata Agents"]).status().await;
    assert!(closed.expect("wmctrl runs").success());
    until("the window is closed", async || !windows().await.contains("Kata Agents")).await;
}
