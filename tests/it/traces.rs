//! Rules, filters and export of traces in the real engine, and through the program.

use axum::routing::post;
use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A collector that keeps what it is sent, and first answers 429.
async fn collector() -> (String, Arc<Mutex<Vec<Value>>>) {
    let kept: Arc<Mutex<Vec<Value>>> = Arc::default();
    let (keep, mut busy) = (Arc::clone(&kept), true);
    let busy = Arc::new(Mutex::new(std::mem::replace(&mut busy, false)));
    let app = axum::Router::new().route(
        "/v1/traces",
        post(move |headers: axum::http::HeaderMap, body: String| async move {
            if std::mem::take(&mut *busy.lock().unwrap()) {
                return (axum::http::StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "{}");
            }
            assert_eq!(headers["content-type"], "application/json");
            keep.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            (axum::http::StatusCode::OK, [("content-type", "application/json")], "{}")
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (base, kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_leaves_no_trace_what_is_redacted_is_nowhere_and_the_rest_is_exported() {
    let engine = TestEngine::start(TestHome::with_plugins(&["unruly"])).await;
    engine.plugin_up("unruly").await;
    let (otlp, collected) = collector().await;
    let rules = TraceRules {
        redact: vec!["hunter[0-9]".into()],
        otlp: Some(otlp),
        ..TraceRules::default()
    };
    engine.ops.trace_configure(&caller(), rules.clone()).await.unwrap();
    let (one, two) = (engine.session().await, engine.session().await);
    engine.ask(&one, r#"/tool say {"text":"hunter2 @after_tool_call:rewrite"}"#).await;
    let trace = engine.trace(&one).await;
    assert!(trace.steps.iter().any(|s| s.outcome == StepOutcome::Changed));
    assert!(!serde_json::to_string(&trace).unwrap().contains("hunter2"), "{trace:?}");
    let span_count = |all: &[Value]| -> usize {
        let spans = |v: &Value| v["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().len();
        all.iter().map(spans).sum()
    };
    eventually("the trace is at the collector", async || {
        (span_count(&collected.lock().unwrap()) == trace.steps.len() + 1).then_some(())
    })
    .await;
    let state = engine.ops.trace_rules(&caller(), Empty {}).await.unwrap();
    assert_eq!((state.exported, state.failed, state.error, state.kept), (1, 0, None, 1));

    let workspace = engine.detail(&one).await.summary.workspace;
    let off = TraceRules {
        off: vec![workspace],
        ..rules.clone()
    };
    engine.ops.trace_configure(&caller(), off).await.unwrap();
    engine.ask(&two, "nothing of this").await;
    let engine = engine.restart().await;
    assert_eq!(
        engine.ops.trace_list(&caller(), TraceList::default()).await.unwrap().len(),
        1,
        "and the rule outlives a restart"
    );
    engine.ask(&two, "nor of this").await;
    assert_eq!(engine.ops.trace_rules(&caller(), Empty {}).await.unwrap().kept, 1);

    for (wrong, field) in [
        (
            TraceRules {
                redact: vec!["a".into(), "b(".into()],
                ..rules.clone()
            },
            "redact[1]",
        ),
        (
            TraceRules {
                redact_fields: vec!["no".into()],
                ..rules.clone()
            },
            "redactFields[0]",
        ),
        (TraceRules { keep: 3, ..rules.clone() }, "keep"),
        (
            TraceRules {
                otlp: Some("ftp://x".into()),
                ..rules.clone()
            },
            "otlp",
        ),
        (
            TraceRules {
                off: vec![WorkspaceId::new("nowhere").unwrap()],
                ..rules.clone()
            },
            "off[0]",
        ),
    ] {
        let error = engine.ops.trace_configure(&caller(), wrong).await.unwrap_err();
        assert!(error.message.contains(&format!("“{field}”")), "{error:?}");
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_cannot_be_read_let_nothing_in_and_are_told() {
    let home = TestHome::new();
    home.settings(&json!({ "traces": { "redact": ["fine", "not("], "future": 1 } }));
    let engine = TestEngine::start(home).await;
    let session = engine.session().await;
    engine.ask(&session, "hello").await;
    assert!(engine.ops.trace_list(&caller(), TraceList::default()).await.unwrap().is_empty());
    let notices = engine.ops.system_status(&caller(), Empty {}).await.unwrap().notices;
    let notice = notices.iter().find(|n| n.id == "trace-rules").unwrap();
    assert!(notice.message.contains("redact[1]"), "{notice:?}");
    engine.ops.trace_configure(&caller(), TraceRules::default()).await.unwrap();
    engine.ask(&session, "again").await;
    engine.trace(&session).await;
    let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
    assert!(status.notices.iter().all(|n| n.id != "trace-rules"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_and_hooks_are_found_shown_and_ruled_from_the_command_line() {
    let home = TestHome::with_plugins(&["unruly"]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let run = async |args: &[&str]| -> Value { tokio::task::block_in_place(|| kata.json(args)) };
    let text = |args: &[&str]| {
        let output = tokio::task::block_in_place(|| kata.run(args));
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    eventually("the plugin runs", async || {
        let hooks = run(&["hooks", "list", "message_sending"]).await;
        (hooks[0]["handlers"].as_array()?.len() == 1).then_some(())
    })
    .await;
    for message in ["@message_sending:rewrite", "quiet"] {
        let (code, answer, error) = text(&["chat", "--new", "-m", message]);
        assert_eq!(code, Some(0), "{answer}{error}");
    }
    let found = eventually("the trace is found", async || {
        let found = run(&["trace", "--plugin", "unruly", "--outcome", "changed"]).await;
        (found.as_array()?.len() == 1).then_some(found)
    })
    .await;
    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(run(&["trace", "--origin", "nowhere"]).await, json!([]));
    let (code, report, _) = text(&["trace", id, "--report"]);
    assert!(
        code == Some(0) && report.starts_with("### Trace") && report.contains("unruly 2.7.1"),
        "{report}"
    );
    let rules = run(&["trace", "rules", "--redact", "sk-.+", "--keep", "500"]).await;
    assert_eq!(
        (&rules["rules"]["redact"], &rules["rules"]["keep"]),
        (&json!(["sk-.+"]), &json!(500))
    );
    let (code, _, error) = text(&["trace", "rules", "--redact", "(("]);
    assert!(code != Some(0) && error.contains("redact[1]"), "{code:?} {error}");
    let (_, shown, _) = text(&["hooks", "list"]);
    assert!(
        shown.contains("before_tool_call (gate)") && shown.contains("oauth_open (observe)"),
        "{shown}"
    );
    serve.stop().await;
}
