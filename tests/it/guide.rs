//! The guide in docs/plugins, as it stands there: every listing with a file name is written into an extensions folder, trusted
//! as a person would, and asked to do what the guide says it does.

use kata_engine::author;
use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One listing with a file name.
struct Listing {
    /// `folder/file`.
    path: String,
    /// A part of a file that the template writes.
    excerpt: bool,
    text: String,
}

/// The listings of a page.
fn listings(page: &str) -> Vec<Listing> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/plugins").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    let mut open: Option<Listing> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(listing), _) => {
                listing.text += line;
                listing.text.push('\n');
            }
            (None, Some(head)) => {
                if let Some((_, rest)) = head.split_once("title=\"") {
                    let (path, rest) = rest.split_once('"').unwrap();
                    open = Some(Listing {
                        path: path.to_owned(),
                        excerpt: rest.contains("excerpt"),
                        text: String::new(),
                    });
                }
            }
            (None, None) => {}
        }
    }
    assert!(!found.is_empty(), "{page} has no listing");
    found
}

/// Writes the whole listings of a page below a folder; gives the plugins' folders.
fn write(page: &str, into: &Path) -> Vec<PathBuf> {
    let mut folders = BTreeMap::new();
    for listing in listings(page).into_iter().filter(|l| !l.excerpt && l.path.contains('/')) {
        let path = into.join(&listing.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, listing.text).unwrap();
        folders.insert(listing.path.split('/').next().unwrap().to_owned(), ());
    }
    folders.into_keys().map(|name| into.join(name)).collect()
}

/// Writes what a template writes, and looks that the page's excerpts stand in it.
fn write_template(page: &str, template: PluginTemplate, id: &str, into: &Path) -> PathBuf {
    let folder = into.join(id);
    let files = author::new_plugin(template, &PluginId::new(id).unwrap(), None);
    for excerpt in listings(page).into_iter().filter(|l| l.excerpt) {
        let name = excerpt.path.strip_prefix(&format!("{id}/")).unwrap();
        let file = files
            .iter()
            .find(|f| f.path == name)
            .unwrap_or_else(|| panic!("{page}: the template has no {name}"));
        assert!(
            file.text.contains(&excerpt.text),
            "{page}: this is not in {name} any more:\n{}",
            excerpt.text
        );
    }
    for file in files {
        let path = folder.join(file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file.text).unwrap();
    }
    folder
}

/// A home with an extensions folder.
fn home() -> (TestHome, PathBuf) {
    let home = TestHome::new();
    let extensions = home.path().join("extensions");
    std::fs::create_dir_all(&extensions).unwrap();
    (home, extensions)
}

/// What `kata plugins check` would say is wrong.
async fn mistakes(folder: &Path) -> Vec<String> {
    let report = author::check(folder).await;
    let wrong = report.findings.iter().filter(|f| f.verdict == author::Verdict::Error);
    wrong.map(|f| format!("{:?}: {}", f.at, f.message)).collect()
}

/// Trusts a plugin as it lies there with everything it asks for, and switches it on.
async fn trust(engine: &TestEngine, id: &str) {
    let id = PluginId::new(id).unwrap();
    let detail = engine.ops.plugin_get(&caller(), PluginRef { id: id.clone() }).await.unwrap();
    let trust = PluginTrust {
        id: id.clone(),
        hash: detail.hash,
        capabilities: detail.summary.capabilities,
        development: None,
        remember_signer: None,
    };
    engine.ops.plugin_trust(&caller(), trust).await.unwrap();
    engine
        .ops
        .plugin_enable(
            &caller(),
            PluginEnable {
                id: id.clone(),
                enabled: true,
            },
        )
        .await
        .unwrap();
    engine.plugin_up(id.as_str()).await;
}

/// What a slash command says.
async fn run(engine: &TestEngine, name: &str) -> String {
    let run = CommandRun {
        name: name.into(),
        args: String::new(),
    };
    engine.ops.command_run(&caller(), run).await.unwrap().text
}

/// Everything an answer holds, tool results too.
fn told(detail: &SessionDetail) -> String {
    serde_json::to_string(&detail.messages).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tool_of_the_guide_counts_words_and_minutes() {
    let (home, extensions) = home();
    for folder in write("README.md", &extensions) {
        assert_eq!(mistakes(&folder).await, [""; 0]);
    }
    let engine = TestEngine::start(home).await;
    trust(&engine, "reading-time").await;
    let session = engine.session().await;
    let answer = engine.ask(&session, r#"/tool reading-time {"text":"one two three"}"#).await;
    assert!(told(&answer).contains("3 words, about 1 minute"), "{}", told(&answer));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hooks_of_the_guide_redact_hush_guard_and_count() {
    let (home, extensions) = home();
    for folder in write("hooks.md", &extensions) {
        assert_eq!(mistakes(&folder).await, [""; 0], "{}", folder.display());
    }
    let engine = TestEngine::start(home).await;
    engine.plugin_up("echo").await;
    for id in ["redact", "hush", "guard", "tally"] {
        trust(&engine, id).await;
    }
    let session = engine.session().await;
    let answer = engine.ask(&session, "reach me at ann@example.org").await;
    let last = answer.messages.last().unwrap();
    assert!(
        last.content.contains("reach me at [address]") && !last.content.contains("ann@"),
        "{}",
        last.content
    );
    let answer = engine.ask(&session, "say bluebird").await;
    let last = answer.messages.last().unwrap();
    assert!(
        last.content.contains("say [hidden]") && !last.content.contains("bluebird"),
        "{}",
        last.content
    );
    let answer = engine.ask(&session, r#"/tool echo {"text":"rm -rf /"}"#).await;
    let words = told(&answer);
    assert!(
        words.contains("removing whole folders is not allowed here") && words.contains("guard"),
        "{words}"
    );
    let answer = engine.ask(&session, r#"/tool echo {"text":"harmless words"}"#).await;
    assert!(told(&answer).matches("harmless words").count() > 1, "{}", told(&answer));
    eventually("four turns are counted", async || {
        run(&engine, "tally").await.contains("completed: 4").then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_of_the_guide_holds_its_plugin_to_what_it_says() {
    let place = tempfile::tempdir().unwrap();
    for folder in write("testing.md", place.path()) {
        assert_eq!(mistakes(&folder).await, [""; 0]);
        // It can fail: a plugin that asks every time is found out.
        let index = folder.join("index.ts");
        let text = std::fs::read_to_string(&index).unwrap();
        std::fs::write(&index, text.replace("< TEN_MINUTES", "< 0")).unwrap();
        let wrong = mistakes(&folder).await;
        assert!(wrong.len() == 1 && wrong[0].contains("it asked 2 times"), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_of_the_guide_is_taken_with_all_its_fields() {
    let (home, extensions) = home();
    for folder in write("manifest.md", &extensions) {
        assert_eq!(mistakes(&folder).await, [""; 0]);
    }
    let engine = TestEngine::start(home).await;
    trust(&engine, "everything").await;
    assert_eq!(run(&engine, "everything").await, "Hello");
    let id = PluginId::new("everything").unwrap();
    let settings = Json(json!({"greeting": "Moin"}));
    engine
        .ops
        .plugin_configure(&caller(), PluginConfigure { id, settings })
        .await
        .unwrap();
    eventually("the new setting is in force", async || {
        (run(&engine, "everything").await == "Moin").then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_of_the_guide_looks_at_the_page_a_person_named() {
    let (home, extensions) = home();
    let folder = write_template("service.md", PluginTemplate::Service, "page-watch", &extensions);
    assert_eq!(mistakes(&folder).await, [""; 0]);
    let platform = kata_tests::FakePlatform::start().await;
    let engine = TestEngine::start(home).await;
    trust(&engine, "page-watch").await;
    let settings = Json(json!({"url": format!("{}/poll", platform.base), "everySeconds": 10}));
    let id = PluginId::new("page-watch").unwrap();
    engine
        .ops
        .plugin_configure(&caller(), PluginConfigure { id, settings })
        .await
        .unwrap();
    let source = SourceId::new("service:page-watch:page-watch").unwrap();
    engine
        .ops
        .source_enable(
            &caller(),
            SourceEnable {
                id: source,
                enabled: true,
                workspace: None,
            },
        )
        .await
        .unwrap();
    eventually("it has looked", async || {
        run(&engine, "page-watch").await.contains("HTTP 200").then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

/// The chat server of the guide, run as the guide says.
struct ChatServer {
    child: std::process::Child,
    base: String,
    http: reqwest::Client,
    /// Kept open: the server prints what is written.
    _out: std::io::BufReader<std::process::ChildStdout>,
}

impl ChatServer {
    fn start(place: &Path) -> Self {
        use std::io::BufRead;
        let listing = listings("channel.md").into_iter().find(|l| l.path == "chat-server.mjs").unwrap();
        let file = place.join("chat-server.mjs");
        std::fs::write(&file, listing.text).unwrap();
        let mut child = std::process::Command::new("node")
            .arg(file)
            .env("PORT", "0")
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("node can be run; the build needs it too");
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("listening on ").unwrap();
        Self {
            base: format!("http://127.0.0.1:{port}"),
            child,
            http: reqwest::Client::new(),
            _out: out,
        }
    }

    async fn write(&self, text: &str) {
        let body = json!({"room": "ann", "from": "ann", "text": text}).to_string();
        let request = self
            .http
            .post(format!("{}/messages", self.base))
            .bearer_auth("open-sesame")
            .body(body);
        assert!(request.send().await.unwrap().status().is_success());
    }

    /// What the bot has written.
    async fn answers(&self) -> String {
        let request = self.http.get(format!("{}/messages?from=bot", self.base)).bearer_auth("open-sesame");
        request.send().await.unwrap().text().await.unwrap()
    }
}

impl Drop for ChatServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_of_the_guide_pairs_a_stranger_and_answers_over_its_server() {
    let (home, extensions) = home();
    let page = listings("channel.md").into_iter().filter(|l| l.path != "chat-server.mjs");
    assert_eq!(
        page.filter(|l| !l.excerpt).count(),
        0,
        "every other listing is a part of what the template writes"
    );
    let folder = write_template("channel.md", PluginTemplate::Channel, "tiny-chat", &extensions);
    assert_eq!(mistakes(&folder).await, [""; 0]);
    let server = ChatServer::start(home.dir.path());
    let engine = TestEngine::start(home).await;
    trust(&engine, "tiny-chat").await;

    let source = SourceId::new("channel:tiny-chat").unwrap();
    let ops = &engine.ops;
    let configure = SourceConfigure {
        id: source.clone(),
        settings: Json(json!({ "url": server.base })),
    };
    ops.source_configure(&caller(), configure).await.unwrap();
    let secret = SourceSecret {
        id: source.clone(),
        name: "token".into(),
        value: Some("open-sesame".into()),
    };
    ops.source_secret(&caller(), secret).await.unwrap();
    ops.source_enable(
        &caller(),
        SourceEnable {
            id: source,
            enabled: true,
            workspace: None,
        },
    )
    .await
    .unwrap();

    server.write("hello").await;
    let code = eventually("Ann waits for approval", async || {
        let waiting = ops.pairing_list(&caller(), Empty {}).await.ok()?;
        waiting.first().map(|request| request.code.clone())
    })
    .await;
    eventually("Ann has been told the code", async || {
        server.answers().await.contains(&code).then_some(())
    })
    .await;
    ops.pairing_approve(&caller(), PairingRef { code }).await.unwrap();
    server.write("hello again").await;
    eventually("Ann has an answer", async || {
        server.answers().await.contains("hello again").then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundled_plugins_keep_their_contracts_in_the_sandbox() {
    for (name, cases) in [
        ("echo", 6),
        ("telegram", 15),
        ("discord", 15),
        ("slack", 15),
        ("webhook", 20),
        ("email", 18),
        ("whatsapp", 20),
        ("gmail", 40),
        ("feeds", 15),
        ("mqtt", 17),
        ("calendar", 30),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(name);
        let report = author::check(&folder).await;
        assert!(!report.failed(), "{name}: {:#?}", report.findings);
        let held = report
            .findings
            .iter()
            .filter(|f| f.step == author::Step::Contract && f.verdict == author::Verdict::Ok);
        assert!(held.count() >= cases, "{name}: {:#?}", report.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_of_the_guide_takes_what_is_signed_and_nothing_else() {
    /// As `openssl dgst -sha256 -hmac s3cret` signs the body.
    const SIGNED: &str = "38e93f9f290e5e048a86d6057d36b32ada6a47b5c35ed1d8bcce49537379f643";
    let (home, extensions) = home();
    for folder in write("routes.md", &extensions) {
        assert_eq!(mistakes(&folder).await, [""; 0]);
    }
    let engine = TestEngine::start(home).await;
    trust(&engine, "deployed").await;
    let secret = PluginSecret {
        id: PluginId::new("deployed").unwrap(),
        name: "signing".into(),
        value: Some("s3cret".into()),
    };
    engine.ops.plugin_secret(&caller(), secret).await.unwrap();
    let url = format!("http://127.0.0.1:{}/hooks/deployed/deployed", engine.engine.gateway_port().unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |body: &'static str| http.post(&url).header("x-signature", format!("sha256={SIGNED}")).body(body).send();
    assert_eq!(post(r#"{"service":"shop","version":"9.9.9"}"#).await.unwrap().status(), 401);
    assert_eq!(http.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(run(&engine, "deployed").await, "Nothing yet.");
    assert_eq!(post(r#"{"service":"shop","version":"1.4.2"}"#).await.unwrap().status(), 202);
    assert_eq!(run(&engine, "deployed").await, "shop 1.4.2");
    engine.engine.shutdown().await;
}
