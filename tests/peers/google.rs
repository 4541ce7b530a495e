//! The real program with the plugins `gmail` and `calendar` against Google as others wrote it: emulate and @emulators/google, with a
//! door of ours in front that Google's own clients have accepted, and that holds each request and each answer against Google's own
//! description. `cargo xtask peers google` installs all of it.

use crate::lines::Lines;
use futures::{SinkExt, StreamExt};
use kata_tests::{Kata, Serve, TestHome, eventually, eventually_within};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::block_in_place;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Longer than the longest pause between two looks.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
const BACKENDS: [&str; 2] = ["strict", "emulate"];
pub(crate) const GMAIL: &str = "service:gmail:gmail";
pub(crate) const CALENDAR: &str = "service:calendar:calendar";
pub(crate) const PULSE: &str = "service:pulse:pulse";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/google")
}

fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/node_modules/node/bin/node")
}

fn environment() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-google/v")
}

/// Google, taken down when this falls.
pub(crate) struct Google {
    told: Value,
    http: reqwest::Client,
    _program: Lines,
}

impl Google {
    pub(crate) fn start(backend: &str) -> Self {
        let mut command = Command::new(node());
        command
            .arg(folder().join("fake.mjs"))
            .args(["--backend", backend, "--discovery"])
            .arg(environment());
        let mut program = Lines::start(&mut command);
        Self {
            told: program.read(),
            // As a browser: it follows where a sign-in leads.
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            _program: program,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.told[name].as_str().unwrap()
    }

    pub(crate) async fn order(&self, order: Value) -> Value {
        let answer = self.http.post(self.text("admin")).body(order.to_string()).send().await.unwrap();
        let good = answer.status().is_success();
        let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(good, "{order}: {said}");
        said
    }

    pub(crate) async fn log(&self) -> Value {
        let answer = self.http.get(self.text("admin")).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// Everything that was asked so far, of Gmail, Calendar and the sign-in.
    pub(crate) async fn asked(&self) -> usize {
        self.log().await["calls"].as_array().unwrap().len()
    }

    /// Every request and every answer was as Google describes it.
    pub(crate) async fn kept_its_description(&self) {
        assert_eq!(self.log().await["problems"], json!([]));
    }

    pub(crate) async fn mail(&self, fields: Value) -> Value {
        let mut order = json!({ "do": "mail" });
        order.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.order(order).await
    }

    /// What was sent, with its source.
    async fn sent(&self) -> Vec<Value> {
        self.order(json!({ "do": "folder" })).await["messages"].as_array().unwrap().clone()
    }

    /// Answers that were sent into a thread.
    async fn sent_in(&self, thread: &Value) -> Vec<Value> {
        let mut sent = self.sent().await;
        sent.retain(|message| message["threadId"] == *thread);
        sent
    }

    pub(crate) fn home(&self, more: Value) -> TestHome {
        let home = TestHome::new();
        self.settings(&home, more);
        home
    }

    pub(crate) fn settings(&self, home: &TestHome, more: Value) {
        let root = self.text("api");
        let mut settings = json!({
            "plugins": {
                "gmail": { "settings": { "apiRoot": root, "pollSeconds": 10, "channelLabel": "Kata" } },
                "calendar": { "settings": { "apiRoot": root, "pollSeconds": 15 } },
            },
            "sources": { GMAIL: { "enabled": true }, CALENDAR: { "enabled": true } },
        });
        settings["sources"]
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        home.settings(&settings);
    }
}

/// A client of the gateway, for operations.
pub(crate) struct Gateway {
    socket: WebSocketStream<TcpStream>,
    next: u64,
}

impl Gateway {
    pub(crate) async fn open(kata: &Kata<'_>) -> Self {
        let file = std::fs::read_to_string(kata.0.path().join("gateway.json")).unwrap();
        let port = serde_json::from_str::<Value>(&file).unwrap()["port"].as_u64().unwrap();
        let token = block_in_place(|| kata.run(&["token"]).stdout);
        let stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}/ws"), stream)
            .await
            .unwrap();
        let mut gateway = Self { socket, next: 1 };
        let token = String::from_utf8(token).unwrap();
        let connect = json!({ "type": "connect", "version": 1, "token": token.trim(), "client": "test", "topics": [] });
        gateway.socket.send(Message::text(connect.to_string())).await.unwrap();
        while gateway.frame().await["type"] != "welcome" {}
        gateway
    }

    async fn frame(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.next().await.expect("the gateway goes on").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    pub(crate) async fn op(&mut self, op: &str, params: Value) -> Value {
        self.next += 1;
        let request = json!({ "type": "request", "id": self.next, "op": op, "params": params });
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let frame = self.frame().await;
            if frame["type"] == "response" && frame["id"] == self.next {
                assert!(frame["error"].is_null(), "{op} {params}: {}", frame["error"]);
                return frame["result"].clone();
            }
        }
    }

    /// A person brings their app's id, and Google is where the test has it.
    async fn configure(&mut self, google: &Google) {
        let at = |path: &str| format!("{}{path}", google.text("api"));
        let configure = json!({
            "id": "google", "clientId": "desktop", "clientSecret": "not a secret",
            "authorizationUrl": at("/o/oauth2/v2/auth"), "tokenUrl": at("/oauth2/token"),
            "revocationUrl": at("/oauth2/revoke"), "userinfoUrl": at("/oauth2/v2/userinfo"),
        });
        self.op("oauth.configure", configure).await;
    }

    /// A person signs in, in a browser.
    async fn sign_in(&mut self, google: &Google, source: &str) {
        let begun = self.op("oauth.begin", json!({ "source": source, "open": false })).await;
        let page = google.http.get(begun["url"].as_str().unwrap()).send().await.unwrap();
        assert!(page.status().is_success(), "{}", page.text().await.unwrap());
        eventually("the sign-in is done", async || {
            let now = self.op("oauth.get", json!({ "id": begun["id"] })).await;
            match now["progress"]["kind"].as_str().unwrap() {
                "done" => Some(()),
                "waiting" => None,
                other => panic!("the sign-in ended as {other}: {now}"),
            }
        })
        .await;
    }

    pub(crate) async fn submit(&mut self, session: &str, text: &str) {
        self.op("session.submit", json!({ "id": session, "text": text })).await;
    }
}

pub(crate) async fn state(kata: &Kata<'_>, source: &str, wanted: &[&str]) -> Value {
    eventually_within(PATIENCE, &format!("{source} is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let found = sources.as_array()?.iter().find(|s| s["id"] == source)?.clone();
        wanted.contains(&found["status"]["state"]["kind"].as_str()?).then_some(found)
    })
    .await
}

/// Waits until the service `pulse` has run so often, every five seconds: time as the program itself counts it.
pub(crate) async fn beats(gateway: &mut Gateway, count: usize) {
    let mut seen = Vec::new();
    eventually_within(PATIENCE, &format!("{count} runs of the service pulse"), async || {
        let detail = gateway.op("source.get", json!({ "id": PULSE })).await;
        let last = detail["jobs"][0]["last"].clone();
        if !last.is_null() && seen.last() != Some(&last) {
            seen.push(last);
        }
        // The first one may have been there before.
        (seen.len() > count).then_some(())
    })
    .await;
}

/// Starts, signs both in, and waits until both run.
pub(crate) async fn serve(kata: &Kata<'_>, google: &Google) -> (Serve, Gateway) {
    let serve = kata.serve(None).await;
    let mut gateway = Gateway::open(kata).await;
    for source in [GMAIL, CALENDAR] {
        state(kata, source, &["needs_user"]).await;
    }
    gateway.configure(google).await;
    for source in [GMAIL, CALENDAR] {
        gateway.sign_in(google, source).await;
        state(kata, source, &["running"]).await;
    }
    (serve, gateway)
}

/// What the newest messages of a session say, until one of them has these words.
pub(crate) async fn said(gateway: &mut Gateway, session: &str, words: &str) -> String {
    eventually_within(PATIENCE, &format!("{words:?} is said"), async || {
        let detail = gateway.op("session.get", json!({ "id": session })).await;
        let all = detail["messages"].as_array().unwrap().iter().map(Value::to_string);
        all.rev().find(|one| one.contains(words))
    })
    .await
}

/// Answers the one call that waits; gives what was asked.
async fn allow(kata: &Kata<'_>, tool: &str) -> Value {
    let waiting = eventually(&format!("{tool} asks"), async || {
        let list = block_in_place(|| kata.json(&["approvals", "list"]));
        list.as_array()?.iter().find(|one| one.to_string().contains(tool)).cloned()
    })
    .await;
    let code = waiting["code"].as_str().unwrap().to_owned();
    block_in_place(|| kata.json(&["approvals", "answer", &code, "once"]));
    waiting
}

fn judge(program: &Path, script: &str, google: &Google) {
    let output = Command::new(program)
        .current_dir(folder())
        .args([script, google.text("api"), google.text("admin")])
        .output()
        .expect("it runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{said}");
    assert!(output.status.success(), "{script}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn google_the_door_in_front_of_both_emulators_is_accepted_by_googles_clients_for_node_and_python() {
    for backend in BACKENDS {
        for (program, script) in [(node(), "judge.mjs"), (environment().join("bin/python"), "judge.py")] {
            let google = Google::start(backend);
            judge(&program, script, &google);
            google.kept_its_description().await;
        }
    }
}

#[test]
fn google_the_plugins_modules_ask_as_google_describes_and_bear_what_google_answers() {
    let output = Command::new(node())
        .current_dir(folder())
        .args(["--test", "modules.mjs"])
        .env("KATA_GOOGLE", environment())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn google_a_session_looks_into_the_calendar_asks_before_it_mails_and_the_mail_is_sent_and_threaded() {
    for backend in BACKENDS {
        let google = Google::start(backend);
        let home = google.home(json!({}));
        let kata = Kata(&home);
        let (serve, mut gateway) = serve(&kata, &google).await;
        let event = json!({
            "do": "event", "summary": "Stand-up",
            "start": { "dateTime": "2027-01-15T09:00:00+01:00" }, "end": { "dateTime": "2027-01-15T12:00:00+01:00" },
        });
        google.order(event).await;
        let mail = google
            .mail(json!({ "from": "Ana Example <ana@example.org>", "subject": "Friday?", "text": "When are you free on Friday?" }))
            .await;

        let created = gateway.op("session.create", json!({ "mode": "ask" })).await;
        let session = created["id"].as_str().unwrap().to_owned();
        gateway
            .submit(&session, r#"/tool check_schedule {"from":"2027-01-15","to":"2027-01-15"}"#)
            .await;
        said(&mut gateway, &session, "Stand-up").await;
        gateway
            .submit(
                &session,
                r#"/tool find_free_time {"minutes":60,"from":"2027-01-15","to":"2027-01-15"}"#,
            )
            .await;
        said(&mut gateway, &session, "2027-01-15T12:00:00+01:00").await;
        assert_eq!(
            block_in_place(|| kata.json(&["approvals", "list"])),
            json!([]),
            "looking asks nobody"
        );

        // A new mail: nothing leaves before the person said so.
        gateway
            .submit(
                &session,
                r#"/tool send_email {"to":["Ana Example <ana@example.org>"],"subject":"Free on Friday","text":"12:00 to 18:00."}"#,
            )
            .await;
        eventually("send_email asks", async || {
            (block_in_place(|| kata.json(&["approvals", "list"])) != json!([])).then_some(())
        })
        .await;
        assert_eq!(google.sent().await, Vec::<Value>::new(), "it was sent before anybody said so");
        let asked = allow(&kata, "send_email").await;
        assert!(
            asked.to_string().contains("12:00 to 18:00."),
            "the question shows what is sent: {asked}"
        );
        said(&mut gateway, &session, "ana@example.org").await;
        let new = eventually("the mail is sent", async || google.sent().await.into_iter().next()).await;
        let source = new["source"].as_str().unwrap();
        assert!(source.contains("To: \"Ana Example\" <ana@example.org>"), "{source}");
        assert!(source.contains("Subject: Free on Friday"), "{source}");

        // An answer to Ana's own mail stays in its thread.
        let reply = json!({ "id": mail["id"], "text": "Any time from **12:00** on." });
        gateway.submit(&session, &format!("/tool reply_email {reply}")).await;
        allow(&kata, "reply_email").await;
        let answers = eventually("the answer is sent", async || {
            Some(google.sent_in(&mail["thread"]).await).filter(|sent| !sent.is_empty())
        })
        .await;
        let source = answers[0]["source"].as_str().unwrap();
        let id = mail["messageId"].as_str().unwrap();
        assert!(source.contains(&format!("In-Reply-To: <{id}>")), "{source}");
        assert!(source.contains(&format!("References: <{id}>")), "{source}");
        assert!(source.contains("Subject: Re: Friday?"), "{source}");
        assert_eq!(google.sent().await.len(), 2);

        // A call that is refused sends nothing.
        gateway
            .submit(&session, r#"/tool send_email {"to":["eve@evil.example"],"subject":"x","text":"x"}"#)
            .await;
        let code = eventually("it asks again", async || {
            let list = block_in_place(|| kata.json(&["approvals", "list"]));
            Some(list.as_array()?.first()?["code"].as_str()?.to_owned())
        })
        .await;
        block_in_place(|| kata.json(&["approvals", "answer", &code, "deny"]));
        said(&mut gateway, &session, "send_email` failed").await;
        assert_eq!(google.sent().await.len(), 2);
        google.kept_its_description().await;
        serve.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn google_labelled_mail_is_answered_once_in_its_thread_over_a_kill_an_expired_history_and_bad_weather() {
    let google = Google::start("strict");
    let home = google.home(json!({ "channel:gmail": { "enabled": true, "policy": "open" } }));
    let kata = Kata(&home);
    let (serve, gateway) = serve(&kata, &google).await;
    drop(gateway);
    state(&kata, "channel:gmail", &["running"]).await;
    let mut threads: Vec<(Value, String)> = Vec::new();
    let mut arrives = async |n: usize| {
        let from = format!("Person {n} <p{n}@example.org>");
        let mail = google
            .mail(
                json!({ "from": from, "subject": format!("Question {n}"), "text": format!("number {n}."), "labels": ["INBOX", "Label_7"] }),
            )
            .await;
        threads.push((mail["thread"].clone(), format!("p{n}@example.org")));
    };
    for n in 0..3 {
        arrives(n).await;
    }
    let answered = async |threads: &[(Value, String)]| {
        for (thread, person) in threads {
            eventually_within(PATIENCE, &format!("{person} has an answer"), async || {
                (!google.sent_in(thread).await.is_empty()).then_some(())
            })
            .await;
        }
    };
    // Mail of machines and of nobody knows whom is left out, whoever may write.
    google
        .mail(json!({ "labels": ["Label_7"], "headers": { "Auto-Submitted": "auto-replied" }, "from": "robot@example.org" }))
        .await;
    google
        .mail(json!({ "labels": ["Label_7"], "genuine": false, "from": "forged@example.org" }))
        .await;
    serve.cut();

    // While nobody looked; then Gmail forgets how far we were.
    for n in 3..6 {
        arrives(n).await;
    }
    google.order(json!({ "do": "forgetHistory" })).await;
    let serve = kata.serve(None).await;
    state(&kata, "channel:gmail", &["running"]).await;
    google
        .order(json!({ "do": "fault", "match": "history", "status": 429, "reason": "rateLimitExceeded", "times": 2, "retryAfter": 1 }))
        .await;
    google
        .order(json!({ "do": "fault", "match": "history", "cut": true, "times": 1 }))
        .await;
    google
        .order(json!({ "do": "fault", "match": "messages.get", "status": 503, "times": 2 }))
        .await;
    for n in 6..9 {
        arrives(n).await;
    }
    // The token ends in the middle; it is renewed, and nobody notices.
    google.order(json!({ "do": "expire" })).await;
    answered(&threads).await;
    let sent = google.sent().await;
    assert_eq!(sent.len(), threads.len(), "each is answered once: {sent:#?}");
    for (thread, person) in &threads {
        let answers = google.sent_in(thread).await;
        let source = answers[0]["source"].as_str().unwrap();
        assert!(source.contains(&format!("<{person}>")), "{person}: {source}");
        assert!(
            source.contains("In-Reply-To: <mail-") && source.contains("Auto-Submitted: auto-replied"),
            "{source}"
        );
    }
    google.kept_its_description().await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_files_come_and_go_within_the_share_of_a_plugin_and_a_mail_that_is_too_long_holds_up_none_behind_it() {
    let google = Google::start("strict");
    let home = google.home(json!({ "channel:gmail": { "enabled": true, "policy": "open" } }));
    let kata = Kata(&home);
    let (serve, mut gateway) = serve(&kata, &google).await;
    state(&kata, "channel:gmail", &["running"]).await;
    let created = gateway.op("session.create", json!({ "mode": "allow-all" })).await;
    let session = created["id"].as_str().unwrap().to_owned();

    // Files of the workspace, as the plugin sees it.
    let workspace = std::fs::read_dir(home.path().join("workspaces"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    for name in ["a.bin", "b.bin"] {
        std::fs::write(workspace.join(name), vec![7_u8; 250_000]).unwrap();
    }
    gateway
        .submit(
            &session,
            r#"/tool send_email {"to":["ana@example.org"],"subject":"Two files","text":"Here.","files":["a.bin","b.bin"]}"#,
        )
        .await;
    said(&mut gateway, &session, "`send_email` answered").await;
    let sent = google.sent().await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0]["source"].as_str().unwrap().len() > 650_000, "both files are in it");

    // One that comes, fetched and sent on.
    let bytes = "A".repeat(1_200_000);
    let file = json!({ "name": "large.bin", "mime": "application/octet-stream", "base64": bytes });
    let mail = google.mail(json!({ "subject": "A file", "files": [file] })).await;
    let read = json!({ "id": mail["id"], "attachment": "large.bin" });
    gateway.submit(&session, &format!("/tool read_email {read}")).await;
    said(&mut gateway, &session, r#"\"bytes\":900000"#).await;

    // More text than the host takes of an answer.
    let long = google
        .mail(json!({ "subject": "Long", "text": "and then ".repeat(600_000), "labels": ["Label_7"], "from": "Ann <ann@example.org>" }))
        .await;
    let next = google
        .mail(json!({ "subject": "Short", "labels": ["Label_7"], "from": "Bo <bo@example.org>" }))
        .await;
    for thread in [&long["thread"], &next["thread"]] {
        eventually_within(PATIENCE, "both are answered", async || {
            (google.sent_in(thread).await.len() == 1).then_some(())
        })
        .await;
    }
    state(&kata, GMAIL, &["running"]).await;
    google.kept_its_description().await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_a_sign_in_that_was_taken_back_waits_for_a_person_asks_nothing_meanwhile_and_goes_on_after_it() {
    let google = Google::start("strict");
    let home = TestHome::with_copies(&["gmail", "calendar", "echo"], &["pulse"]);
    google.settings(
        &home,
        json!({ "channel:gmail": { "enabled": true, "policy": "open" }, PULSE: { "enabled": true } }),
    );
    let kata = Kata(&home);
    let (serve, mut gateway) = serve(&kata, &google).await;
    state(&kata, "channel:gmail", &["running"]).await;
    google.order(json!({ "do": "revoke" })).await;
    for source in [GMAIL, CALENDAR, "channel:gmail"] {
        state(&kata, source, &["needs_user"]).await;
    }
    let before = google.asked().await;
    let mail = google
        .mail(json!({ "from": "Ana <ana@example.org>", "subject": "Still there?", "labels": ["INBOX", "Label_7"] }))
        .await;
    // Longer than a look takes to come round.
    beats(&mut gateway, 5).await;
    assert_eq!(google.asked().await, before, "it goes on asking with a sign-in that does not count");
    // Others go on.
    let session = gateway.op("session.create", json!({})).await["id"].as_str().unwrap().to_owned();
    gateway.submit(&session, r#"/tool echo {"text":"others go on"}"#).await;
    said(&mut gateway, &session, "answered: others go on").await;
    for source in [GMAIL, CALENDAR] {
        gateway.sign_in(&google, source).await;
        state(&kata, source, &["running"]).await;
    }
    eventually_within(PATIENCE, "what came meanwhile is answered", async || {
        (google.sent_in(&mail["thread"]).await.len() == 1).then_some(())
    })
    .await;
    google.kept_its_description().await;
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_a_session_is_reminded_once_of_what_is_about_to_begin_also_over_a_restart() {
    let google = Google::start("strict");
    let home = google.home(json!({}));
    let kata = Kata(&home);
    let (serve, mut gateway) = serve(&kata, &google).await;
    let created = gateway.op("session.create", json!({})).await;
    let session = created["id"].as_str().unwrap().to_owned();
    // The emulator takes times as they are given.
    let at = |minutes: u64| {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let output = Command::new("date")
            .args(["-u", "-d", &format!("@{}", now + minutes * 60), "+%Y-%m-%dT%H:%M:%SZ"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let event = json!({ "do": "event", "summary": "Soon", "start": { "dateTime": at(5) }, "end": { "dateTime": at(20) } });
    google.order(event).await;
    // What is set begins anew, with a look.
    block_in_place(|| kata.json(&["sources", "set", CALENDAR, &format!("session={session}"), "remindMinutes=30"]));
    let line = said(&mut gateway, &session, "Reminder: an event begins in").await;
    assert!(line.contains("Soon") && line.contains("data and no instruction"), "{line}");
    serve.stop().await;
    // It was told, and is not told again.
    let again = kata.serve(None).await;
    state(&kata, CALENDAR, &["running"]).await;
    let mut gateway = Gateway::open(&kata).await;
    let detail = gateway.op("session.get", json!({ "id": session })).await;
    let told = detail["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["kind"] == "user")
        .count();
    assert_eq!(told, 1, "{detail}");
    google.kept_its_description().await;
    again.stop().await;
}
