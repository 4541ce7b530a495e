//! Against an HTTP server of this process: where requests go, what they are signed with, and what the model reads.

use super::*;
use crate::testing::{Tokens, Typed};
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap as Headers;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use std::sync::Mutex;

/// What a server saw of requests: method, path with query, authorization and key, body.
type Log = Arc<Mutex<Vec<String>>>;

async fn server() -> (Url, Log) {
    let seen = Log::default();
    let noted = Arc::clone(&seen);
    let note = move |headers: Headers, request: Request| {
        let noted = Arc::clone(&noted);
        async move {
            let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("-").to_owned();
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
            let line = format!(
                "{} {} {} {} {}",
                parts.method,
                parts.uri,
                header("authorization"),
                header("x-key"),
                String::from_utf8_lossy(&body)
            );
            noted.lock().unwrap().push(line);
            match header("authorization").as_str() {
                "Bearer old" => StatusCode::UNAUTHORIZED.into_response(),
                _ => axum::Json(json!({ "ok": true })).into_response(),
            }
        }
    };
    let away = get(|| async { Redirect::temporary("http://127.0.0.1:1/elsewhere") });
    let long =
        get(|| async { axum::Json(json!({ "items": (0..5000).map(|n| json!({ "n": n, "text": "x".repeat(20) })).collect::<Vec<_>>() })) });
    let router = Router::new().route("/v1/away", away).route("/v1/long", long).fallback(any(note));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/v1/", listener.local_addr().unwrap())).unwrap();
    kata_core::tasks::Tasks::default().spawn("server", async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

fn door(base: Url, auth: ApiAuth, secrets: &[(&str, &str)], tokens: &[&str]) -> Door {
    let source = SourceId::new("api:w:demo").unwrap();
    let typed = Typed::default();
    let pairs = secrets.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    typed.0.lock().unwrap().extend(pairs);
    let accounts = Tokens::default();
    accounts.current.lock().unwrap().extend(tokens.iter().map(ToString::to_string));
    Door {
        config: Api {
            base,
            auth,
            headers: [("x-key".to_owned(), "always".to_owned())].into(),
            test: None,
        },
        account: Some(AccountRef::of_source(&source, "google")),
        source,
        name: "Demo".into(),
        http: crate::Web::default().client().unwrap(),
        secrets: Arc::new(typed),
        accounts: Arc::new(accounts),
    }
}

async fn call(door: &Door, params: Value) -> (ToolOutcome, Option<Trouble>) {
    door.call(&params, &CancellationToken::new()).await
}

#[tokio::test]
async fn each_way_of_signing_in_sends_what_it_should_and_where() {
    let (base, seen) = server().await;
    let token = [("token", "t0"), ("username", "ana"), ("password", "pw")];
    for (auth, line) in [
        (ApiAuth::None, "GET /v1/a?x=1 - always "),
        (ApiAuth::Bearer { scheme: "Bearer".into() }, "GET /v1/a?x=1 Bearer t0 always "),
        (ApiAuth::Bearer { scheme: String::new() }, "GET /v1/a?x=1 t0 always "),
        (ApiAuth::Query { name: "key".into() }, "GET /v1/a?x=1&key=t0 - always "),
        (ApiAuth::Basic, "GET /v1/a?x=1 Basic YW5hOnB3 always "),
    ] {
        let door = door(base.clone(), auth, &token, &[]);
        door.ready().await.unwrap();
        let (outcome, trouble) = call(&door, json!({ "path": "/a", "params": { "x": 1 } })).await;
        assert_eq!((outcome.text.as_str(), trouble), ("HTTP 200 OK\n{\"ok\":true}", None));
        assert_eq!(seen.lock().unwrap().pop().unwrap(), line);
    }
    let door = door(base, ApiAuth::None, &[], &[]);
    call(&door, json!({ "path": "a?y=2", "method": "post", "params": { "x": [1] } })).await;
    assert_eq!(seen.lock().unwrap().pop().unwrap(), "POST /v1/a?y=2 - always {\"x\":[1]}");
}

#[tokio::test]
async fn a_refused_account_is_renewed_once_and_then_a_person_is_needed() {
    let (base, seen) = server().await;
    let auth = ApiAuth::Oauth {
        provider: "google".into(),
        scopes: vec![],
    };
    let renewed = door(base.clone(), auth.clone(), &[], &["old", "new"]);
    let (outcome, trouble) = call(&renewed, json!({ "path": "/a" })).await;
    assert!(!outcome.is_error && trouble.is_none());
    assert_eq!(seen.lock().unwrap().len(), 2);
    let refused = door(base, auth, &[], &["old", "old"]);
    let (outcome, trouble) = call(&refused, json!({ "path": "/a" })).await;
    assert!(outcome.is_error && outcome.text.starts_with("HTTP 401"));
    assert_eq!(trouble.unwrap().code, "needs_auth");
    assert_eq!(seen.lock().unwrap().len(), 4, "no third try");
}

#[tokio::test]
async fn no_path_and_no_redirect_leads_away_from_the_base_address() {
    let base = Url::parse("https://x.test/v1/?v=2").unwrap();
    for path in [
        "//evil.test/a",
        "https://evil.test/",
        "/../admin",
        "a/%2e%2e/b",
        "/a%2fb",
        "\\evil",
        "/a#b",
        "/a\nb",
        "./a",
    ] {
        assert!(join(&base, path).is_err(), "{path}");
    }
    assert_eq!(join(&base, "/users/me?x=1").unwrap().as_str(), "https://x.test/v1/users/me?v=2&x=1");
    assert_eq!(join(&base, "@evil.test/a").unwrap().as_str(), "https://x.test/v1/@evil.test/a?v=2");
    assert_eq!(join(&base, "").unwrap().as_str(), "https://x.test/v1/?v=2");
    let (base, _) = server().await;
    let door = door(base, ApiAuth::Bearer { scheme: "Bearer".into() }, &[("token", "t0")], &[]);
    let (outcome, _) = call(&door, json!({ "path": "/away" })).await;
    assert!(
        outcome.is_error && outcome.text.contains("It leads to another host"),
        "{}",
        outcome.text
    );
}

#[tokio::test]
async fn a_long_answer_is_shortened_where_it_repeats_itself_and_says_so() {
    let (base, _) = server().await;
    let door = door(base, ApiAuth::None, &[], &[]);
    let (outcome, _) = call(&door, json!({ "path": "/long" })).await;
    assert!(outcome.text.len() < SHOWN, "{}", outcome.text.len());
    assert!(
        outcome.text.contains("lists were cut to 20 items") && outcome.text.contains("[4980 more]"),
        "{}",
        outcome.text
    );
}

#[tokio::test]
async fn a_missing_key_is_named_and_a_wrong_one_is_never_in_an_error() {
    let base = Url::parse("http://127.0.0.1:1/").unwrap();
    let without = door(base.clone(), ApiAuth::Query { name: "key".into() }, &[], &[]);
    assert_eq!(without.ready().await.unwrap_err().message, "“Demo” needs its token.");
    let with = door(base, ApiAuth::Query { name: "key".into() }, &[("token", "canary")], &[]);
    let (outcome, _) = call(&with, json!({ "path": "/a" })).await;
    assert!(outcome.is_error && !outcome.text.contains("canary"), "{}", outcome.text);
    assert!(with.test().await.is_err_and(|t| !t.message.contains("canary")));
}
