//! A Gmail service that goes wrong, in the real program: its own code hangs or leaks on a mail, Google asks to go slower or says
//! nothing, the program is killed. Mail is neither lost nor told twice, little is asked meanwhile, others go on. A sign-in that was taken
//! back is in `google.rs`.

use crate::google::{CALENDAR, GMAIL, Gateway, Google, PATIENCE, PULSE, beats, said, serve, state};
use kata_tests::{Kata, TestHome, eventually_within};
use serde_json::{Value, json};
use tokio::task::block_in_place;

/// Where the service takes a message, and a mistake that its author might have made there: it shows with some mail only.
const TAKES: &str = "return async (mail, address) => {";
const MISTAKES: &str = r#"
    const subject = mail.headers.text("subject") ?? "";
    if (subject === "hangs") for (;;) Math.random();
    const kept: Uint8Array[] = [];
    if (subject === "leaks") for (;;) kept.push(new Uint8Array(1_000_000).fill(7));"#;

/// Calls of Gmail so far.
async fn gmail_calls(google: &Google, of: &str) -> usize {
    let log = google.log().await;
    let calls = log["calls"].as_array().unwrap().iter();
    calls.filter(|call| call["id"].as_str().unwrap().starts_with(of)).count()
}

fn mail(subject: &str) -> Value {
    json!({ "from": "Ana Example <ana@example.org>", "subject": subject })
}

/// A new session that is told of new mail.
async fn told_session(kata: &Kata<'_>, gateway: &mut Gateway) -> String {
    let session = gateway.op("session.create", json!({})).await["id"].as_str().unwrap().to_owned();
    block_in_place(|| kata.json(&["sources", "set", GMAIL, &format!("session={session}")]));
    state(kata, GMAIL, &["running"]).await;
    session
}

/// Subjects the session was told of, in order.
async fn told(gateway: &mut Gateway, session: &str) -> Vec<String> {
    let detail = gateway.op("session.get", json!({ "id": session })).await;
    let users = detail["messages"].as_array().unwrap().iter().filter(|m| m["kind"] == "user");
    let texts = users
        .filter_map(|m| m["content"].as_str())
        .filter(|text| text.starts_with("New mail came."));
    texts
        .map(|text| {
            let data: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
            data["subject"].as_str().unwrap().to_owned()
        })
        .collect()
}

async fn told_are(gateway: &mut Gateway, session: &str, wanted: &[&str]) {
    let last = wanted.last().unwrap();
    eventually_within(PATIENCE, &format!("the session is told of {last}"), async || {
        told(gateway, session).await.iter().any(|one| one == last).then_some(())
    })
    .await;
    assert_eq!(told(gateway, session).await, wanted, "each once and in order");
}

async fn others_go_on(kata: &Kata<'_>, gateway: &mut Gateway) {
    for source in [CALENDAR, PULSE] {
        state(kata, source, &["running"]).await;
    }
    let session = gateway.op("session.create", json!({})).await["id"].as_str().unwrap().to_owned();
    gateway.submit(&session, r#"/tool echo {"text":"others go on"}"#).await;
    said(gateway, &session, "answered: others go on").await;
}

/// A home whose Gmail has the mistakes; what its file was before.
fn mistaken(google: &Google) -> (TestHome, std::path::PathBuf, String) {
    let home = TestHome::with_copies(&["gmail", "calendar", "echo"], &["pulse"]);
    google.settings(&home, json!({ PULSE: { "enabled": true } }));
    let file = home.plugins().join("gmail/service.ts");
    let good = std::fs::read_to_string(&file).unwrap();
    assert!(good.contains(TAKES), "the service takes mail elsewhere now");
    std::fs::write(&file, good.replace(TAKES, &format!("{TAKES}{MISTAKES}"))).unwrap();
    (home, file, good)
}

#[tokio::test(flavor = "multi_thread")]
async fn google_a_gmail_service_that_hangs_or_leaks_on_a_mail_is_stopped_asks_little_and_takes_each_mail_once_when_it_is_mended() {
    for mistake in ["hangs", "leaks"] {
        let google = Google::start("strict");
        let (home, file, good) = mistaken(&google);
        let kata = Kata(&home);
        let (mut serve, mut gateway) = serve(&kata, &google).await;
        let session = told_session(&kata, &mut gateway).await;
        google.mail(mail("before")).await;
        told_are(&mut gateway, &session, &["before"]).await;

        let before = gmail_calls(&google, "gmail.").await;
        for subject in [mistake, "behind it"] {
            google.mail(mail(subject)).await;
        }
        let stopped = state(&kata, GMAIL, &["quarantined"]).await;
        let asked = gmail_calls(&google, "gmail.").await - before;
        println!("{mistake}: {asked} requests until it was stopped: {}", stopped["status"]);
        assert!(asked <= 30, "{asked} requests in five lives");
        assert_eq!(told(&mut gateway, &session).await, ["before"]);

        // It is stopped, and nobody else is.
        let before = gmail_calls(&google, "gmail.").await;
        others_go_on(&kata, &mut gateway).await;
        beats(&mut gateway, 3).await;
        assert_eq!(gmail_calls(&google, "gmail.").await, before, "it goes on asking");

        // The author mends it: in the running program, or while that is killed.
        std::fs::write(&file, &good).unwrap();
        if mistake == "hangs" {
            block_in_place(|| kata.json(&["plugins", "reload", "gmail"]));
            block_in_place(|| kata.json(&["sources", "restart", GMAIL]));
        } else {
            serve.cut();
            serve = kata.serve(None).await;
            gateway = Gateway::open(&kata).await;
        }
        state(&kata, GMAIL, &["running"]).await;
        told_are(&mut gateway, &session, &["before", mistake, "behind it"]).await;
        google.kept_its_description().await;
        serve.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn google_a_gmail_that_asks_to_go_slower_or_says_nothing_is_asked_rarely_and_no_mail_is_lost_or_told_twice() {
    let google = Google::start("strict");
    let home = TestHome::with_copies(&["gmail", "calendar", "echo"], &["pulse"]);
    google.settings(&home, json!({ PULSE: { "enabled": true } }));
    let kata = Kata(&home);
    let (serve, mut gateway) = serve(&kata, &google).await;
    let session = told_session(&kata, &mut gateway).await;

    let slower = json!({ "do": "fault", "match": "gmail.users.history", "status": 429, "reason": "rateLimitExceeded", "times": 1000, "retryAfter": 12 });
    google.order(slower).await;
    let limited = state(&kata, GMAIL, &["degraded"]).await;
    assert_eq!(limited["status"]["code"], "rate_limited", "{limited}");
    google.mail(mail("in the rush")).await;
    let before = gmail_calls(&google, "gmail.").await;
    beats(&mut gateway, 6).await;
    let asked = gmail_calls(&google, "gmail.").await - before;
    println!("429: {asked} requests in half a minute");
    assert!(
        asked <= 3,
        "{asked} requests in half a minute, where it is asked to wait for twelve seconds each time"
    );
    others_go_on(&kata, &mut gateway).await;
    google.order(json!({ "do": "mend" })).await;
    told_are(&mut gateway, &session, &["in the rush"]).await;
    state(&kata, GMAIL, &["running"]).await;

    // An answer that never comes is given up, and the mail comes with the next look.
    google
        .order(json!({ "do": "fault", "match": "gmail.users.messages.get", "hang": true, "times": 1 }))
        .await;
    google.mail(mail("in the silence")).await;
    let silent = state(&kata, GMAIL, &["degraded"]).await;
    // The first connection was not read from for longer than the gateway waits for a sign of life.
    let mut gateway = Gateway::open(&kata).await;
    assert_eq!(silent["status"]["code"], "unreachable", "{silent}");
    others_go_on(&kata, &mut gateway).await;
    told_are(&mut gateway, &session, &["in the rush", "in the silence"]).await;
    state(&kata, GMAIL, &["running"]).await;
    google.kept_its_description().await;
    serve.stop().await;
}
