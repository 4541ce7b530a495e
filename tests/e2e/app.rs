//! The desktop app under WebDriver: started in a home of its own, its window searched by `data-testid`.
//!
//! Waiting is always for something that is seen, with one deadline; what was on the screen when a wait failed is left in
//! `target/screenshots/`. Deliberately absent: any knowledge of what the app does; that is in the tests.

use fantoccini::{Client, ClientBuilder, Locator, elements::Element as Node, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::net::{Ipv4Addr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long anything may take to be seen; generous, because a busy machine draws in software.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// How often a wait looks.
const LOOK: Duration = Duration::from_millis(50);

/// A running app with its window.
pub(crate) struct Desktop {
    name: &'static str,
    client: Client,
    home: TempDir,
    driver: Child,
}

/// Something in the window.
pub(crate) struct Element(Node);

impl Element {
    /// What a person reads. (WebDriver's own text leaves out what the layout may shorten with an ellipsis.)
    pub(crate) async fn text(&self) -> String {
        self.0.prop("innerText").await.ok().flatten().unwrap_or_default()
    }

    /// What stands in a field.
    pub(crate) async fn value(&self) -> String {
        self.0.prop("value").await.ok().flatten().unwrap_or_default()
    }

    /// An attribute; nothing where it is not set or the element is gone.
    pub(crate) async fn attribute(&self, name: &str) -> Option<String> {
        self.0.attr(name).await.ok().flatten()
    }
}

impl Desktop {
    /// Starts the app in a fresh home, runs the story, and quits the app whatever happened.
    pub(crate) async fn drive(name: &'static str, story: impl AsyncFnOnce(&Desktop)) {
        Self::drive_in(name, tempfile::tempdir().expect("a home for the app"), story).await;
    }

    /// The same in a home that is there already.
    pub(crate) async fn drive_in(name: &'static str, home: TempDir, story: impl AsyncFnOnce(&Desktop)) {
        Self::drive_all(name, home, &[], story).await;
    }

    /// The same in a fresh home, with arguments for the program.
    pub(crate) async fn drive_with(name: &'static str, arguments: &[&str], story: impl AsyncFnOnce(&Desktop)) {
        Self::drive_all(name, tempfile::tempdir().expect("a home for the app"), arguments, story).await;
    }

    async fn drive_all(name: &'static str, home: TempDir, arguments: &[&str], story: impl AsyncFnOnce(&Desktop)) {
        let mut desktop = Self::start(name, home, arguments).await;
        let outcome = futures::FutureExt::catch_unwind(AssertUnwindSafe(story(&desktop))).await;
        if outcome.is_err() {
            desktop.screenshot("failed").await;
            println!("{}", desktop.newest_log());
        }
        let quit = desktop.quit().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
        assert!(quit, "the app drains and ends when it is asked to");
    }

    /// Asks the app to end, as a client may. WebKitWebDriver would wait for ever for a program that its tray keeps.
    async fn quit(&mut self) -> bool {
        let ask = "window.__TAURI_INTERNALS__.invoke('system_shutdown', { params: {} })";
        let asked = tokio::time::timeout(DEADLINE, self.client.execute(ask, Vec::new())).await;
        let gateway = self.home.path().join("gateway.json");
        let ended = within(async || (!gateway.exists()).then_some(())).await.is_some();
        let _ = self.driver.kill().await;
        asked.is_ok() && ended
    }

    async fn start(name: &'static str, home: TempDir, arguments: &[&str]) -> Self {
        let port = free_port();
        let driver = Command::new("WebKitWebDriver")
            .args([format!("--port={port}"), "--host=127.0.0.1".into()])
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(environment(&home))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("WebKitWebDriver starts; run this with `cargo xtask e2e`");
        until("WebKitWebDriver listens", async || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
        })
        .await;
        let mut capabilities = Capabilities::new();
        capabilities.insert("webkitgtk:browserOptions".into(), json!({ "binary": program(), "args": arguments }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the app opens its window");
        Self {
            name,
            client,
            home,
            driver,
        }
    }

    /// The home it was started in.
    pub(crate) fn home(&self) -> &TempDir {
        &self.home
    }

    /// Waits until it is visible.
    pub(crate) async fn see(&self, id: &str) -> Element {
        let found = self.within(async || self.last(id).await).await;
        match found {
            Some(element) => element,
            None => panic!("“{id}” is not seen; the window says:\n{}", self.page_text().await),
        }
    }

    /// The newest one that is visible now.
    pub(crate) async fn last(&self, id: &str) -> Option<Element> {
        self.visible(&format!("[data-testid=\"{id}\"]")).await.pop()
    }

    /// How many are visible now.
    pub(crate) async fn count(&self, id: &str) -> usize {
        self.visible(&format!("[data-testid=\"{id}\"]")).await.len()
    }

    /// How many of those whose name begins so are visible now.
    pub(crate) async fn count_starting_with(&self, beginning: &str) -> usize {
        self.visible(&format!("[data-testid^=\"{beginning}\"]")).await.len()
    }

    /// Clicks it as soon as it is there and nothing lies over it.
    pub(crate) async fn click(&self, id: &str) {
        self.click_selector(&format!("[data-testid=\"{id}\"]"), id).await;
    }

    /// Clicks the first of those whose name begins so.
    pub(crate) async fn click_first_starting_with(&self, beginning: &str) {
        self.click_selector(&format!("[data-testid^=\"{beginning}\"]"), beginning).await;
    }

    async fn click_selector(&self, selector: &str, id: &str) {
        let clicked = self.within(async || {
            let first = self.visible(selector).await.into_iter().next()?;
            first.0.click().await.ok()
        });
        if clicked.await.is_none() {
            panic!("“{id}” cannot be clicked; the window says:\n{}", self.page_text().await);
        }
    }

    /// Types as a person does.
    pub(crate) async fn type_into(&self, id: &str, text: &str) {
        let field = self.see(id).await;
        field.0.click().await.expect("it takes the focus");
        // A key that a redraw swallows would leave WebDriver waiting for it, so the wait has an end.
        let typed = tokio::time::timeout(DEADLINE, field.0.send_keys(text)).await;
        typed.expect("every key arrives").expect("it takes the keys");
    }

    /// Types over what stands there. (A key that is held down, as for "select all", stays down in WebKit's driver.)
    pub(crate) async fn type_over(&self, id: &str, text: &str) {
        let (end, back) = ("\u{E010}", "\u{E003}");
        self.type_into(id, &format!("{end}{}{text}", back.repeat(64))).await;
    }

    /// Waits for a condition, and says which one did not come.
    pub(crate) async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        if self.within(async || condition().await.then_some(())).await.is_none() {
            panic!("never: {what}; the window says:\n{}", self.page_text().await);
        }
    }

    /// Waits for the first of those whose name begins so.
    pub(crate) async fn see_first_starting_with(&self, beginning: &str) {
        let selector = format!("[data-testid^=\"{beginning}\"]");
        self.until(beginning, async || !self.visible(&selector).await.is_empty()).await;
    }

    /// Loads the page again, as a window that was closed and opened does.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// Everything a person can read now.
    pub(crate) async fn page_text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => Element(body).text().await,
            Err(error) => format!("(no page: {error})"),
        }
    }

    /// Leaves a picture of the window in `target/screenshots/`, of what is drawn once everything that is known is drawn.
    pub(crate) async fn screenshot(&self, view: &str) {
        let drawn = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)))";
        let _ = tokio::time::timeout(DEADLINE, self.client.execute_async(drawn, Vec::new())).await;
        let folder = std::env::var_os("KATA_E2E_SCREENSHOTS").map_or_else(|| PathBuf::from("target/screenshots"), PathBuf::from);
        let Ok(picture) = self.client.screenshot().await else { return };
        let _ = std::fs::create_dir_all(&folder);
        let path = folder.join(format!("{}-{view}.png", self.name));
        std::fs::write(&path, picture).expect("a screenshot can be written");
    }

    /// Where the window is.
    pub(crate) async fn hash(&self) -> String {
        let url = self.client.current_url().await.ok();
        url.and_then(|url| url.fragment().map(|hash| format!("#{hash}")))
            .unwrap_or_default()
    }

    /// Starts the program a second time in the same home and waits for it to end.
    pub(crate) async fn start_again(&self) -> ExitStatus {
        self.start_again_with(&[]).await
    }

    /// The same, with arguments.
    pub(crate) async fn start_again_with(&self, arguments: &[&str]) -> ExitStatus {
        let second = Command::new(program())
            .args(arguments)
            .envs(environment(&self.home))
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .status();
        tokio::time::timeout(DEADLINE, second)
            .await
            .expect("the second start ends")
            .expect("the second start runs")
    }

    async fn visible(&self, selector: &str) -> Vec<Element> {
        let mut visible = Vec::new();
        for node in self.client.find_all(Locator::Css(selector)).await.unwrap_or_default() {
            if node.is_displayed().await.unwrap_or(false) {
                visible.push(Element(node));
            }
        }
        visible
    }

    async fn within<T>(&self, look: impl AsyncFn() -> Option<T>) -> Option<T> {
        within(look).await
    }

    fn newest_log(&self) -> String {
        let logs = self.home.path().join("logs");
        let mut files: Vec<PathBuf> = std::fs::read_dir(logs)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.sort();
        let text = files.last().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
        text.lines()
            .rev()
            .take(40)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// One look later.
pub(crate) async fn tick() {
    let mut looks = tokio::time::interval(LOOK);
    looks.tick().await;
    looks.tick().await;
}

pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    assert!(within(async || condition().await.then_some(())).await.is_some(), "never: {what}");
}

/// Looks again and again until there is something or the deadline is reached.
pub(crate) async fn within<T>(look: impl AsyncFn() -> Option<T>) -> Option<T> {
    let mut tick = tokio::time::interval(LOOK);
    tokio::time::timeout(DEADLINE, async {
        loop {
            tick.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    })
    .await
    .ok()
}

pub(crate) fn program() -> String {
    std::env::var("KATA_E2E_APP").expect("KATA_E2E_APP names the app; run this with `cargo xtask e2e`")
}

pub(crate) fn environment(home: &TempDir) -> Vec<(&'static str, String)> {
    // Without the renderer for GPU buffers WebKit loses the end of a repaint now and then, and WebDriver waits for it for ever.
    let renderer = ("WEBKIT_DISABLE_DMABUF_RENDERER", "0".to_owned());
    // A keychain would ask a person to unlock it; the encrypted file never asks.
    vec![
        ("KATA_CONFIG_DIR", home.path().display().to_string()),
        ("KATA_SECRETS", "file".to_owned()),
        renderer,
    ]
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
