//! The program's life over several runs, as a person meets it: crashes with their reports, safe mode, the last good settings,
//! beginning again, the doctor.

use kata_tests::{FakePlatform, Kata, TestHome, eventually};
use serde_json::{Value, json};
use tokio::task::block_in_place;

fn asked(kata: &Kata<'_>, arguments: &[&str]) -> Value {
    block_in_place(|| kata.json(arguments))
}

async fn plugin_is(kata: &Kata<'_>, id: &str, state: &str) {
    eventually(&format!("plugin {id} is {state}"), async || {
        let list = asked(kata, &["plugins", "list"]);
        let plugin = list.as_array()?.iter().find(|p| p["id"] == id)?.clone();
        (plugin["status"]["state"]["kind"] == state).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_crashes_in_a_row_start_it_with_plugins_off_and_a_restart_with_them_on() {
    let home = TestHome::new();
    let kata = Kata(&home);
    for _ in 0..3 {
        let serve = kata.serve(None).await;
        assert_eq!(asked(&kata, &["status"])["safeMode"], Value::Null);
        serve.cut();
    }
    let serve = kata.serve(None).await;
    let status = asked(&kata, &["status"]);
    let reason = status["safeMode"]["reason"].as_str().unwrap();
    assert!(reason.contains("3 times within 5 minutes"), "{reason}");
    let refused = block_in_place(|| kata.run(&["plugins", "reload", "echo"]));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("safe mode"), "{told}");
    // The rest is there: a session, and its agent.
    block_in_place(|| kata.run(&["models", "set", "demo", "--kind", "demo", "--default"]));
    let chat = block_in_place(|| kata.run(&["chat", "--new", "-m", "hello"]));
    assert!(chat.status.success(), "{}", String::from_utf8_lossy(&chat.stderr));

    let pid = serve.pid();
    let status = asked(&kata, &["restart"]);
    assert_eq!(status["safeMode"], Value::Null, "somebody said: start normally");
    plugin_is(&kata, "echo", "running").await;
    let file: Value = serde_json::from_slice(&std::fs::read(home.path().join("gateway.json")).unwrap()).unwrap();
    assert_eq!(file["pid"], pid, "whoever watches over the process sees no end");

    let status = asked(&kata, &["restart", "--safe"]);
    assert_eq!(status["safeMode"]["reason"], "it was asked for");
    serve.stop().await;
    assert_eq!(asked_after_start(&kata).await["safeMode"], Value::Null, "not for ever");
}

async fn asked_after_start(kata: &Kata<'_>) -> Value {
    let serve = kata.serve(None).await;
    let status = asked(kata, &["status"]);
    serve.stop().await;
    status
}

/// A message reaches a point at which the program ends in some way, and the next run tells of it.
async fn ended(how: &str) -> (Value, Vec<Value>) {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let kata = Kata(&home);
    let mut first = kata.serve_with(&[("KATA_CRASH_AT", "during_turn"), ("KATA_CRASH_HOW", how)]).await;
    platform.write("ada", "tell nobody: swordfish");
    if how == "panic" {
        eventually("the report is written", async || {
            let list = asked(&kata, &["crashes"]);
            list.as_array().filter(|list| !list.is_empty()).map(|_| ())
        })
        .await;
        let (status, crashes) = (asked(&kata, &["status"]), asked(&kata, &["crashes"]));
        first.stop().await;
        return (status, crashes.as_array().unwrap().clone());
    }
    first.died().await;
    drop(first);
    let second = kata.serve(None).await;
    let crashes = asked(&kata, &["crashes"]).as_array().unwrap().clone();
    let status = asked(&kata, &["status"]);
    let id = crashes[0]["id"].as_str().unwrap().to_owned();
    let shown = block_in_place(|| kata.run(&["crashes", "show", &id]));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("The last lines of the log"));
    asked(&kata, &["crashes", "dismiss", &id]);
    assert_eq!(asked(&kata, &["status"])["notices"], json!([]), "what was seen is told no more");
    // Nothing was lost.
    platform.delivered(1).await;
    second.stop().await;
    (status, crashes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_task_leaves_a_report_without_what_was_said_and_the_program_goes_on() {
    let (status, crashes) = ended("panic").await;
    assert_eq!(crashes.len(), 1);
    let text = crashes[0]["text"].as_str().unwrap();
    assert_eq!((&crashes[0]["kind"], &crashes[0]["seen"]), (&json!("panic"), &json!(false)));
    assert!(
        crashes[0]["place"].as_str().unwrap().contains("fault.rs"),
        "{}",
        crashes[0]["place"]
    );
    assert!(
        text.contains("Task: ") && text.contains("kata_core::"),
        "task and backtrace: {text}"
    );
    for secret in ["swordfish", "a secret that a panic quoted"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(status["notices"], json!([]), "it went on: no word at the foot of the window");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_native_code_is_named_by_the_next_start() {
    for (how, signal) in [("segv", "SIGSEGV"), ("abort", "SIGABRT")] {
        let (status, crashes) = ended(how).await;
        assert_eq!(
            (&crashes[0]["kind"], &crashes[0]["place"]),
            (&json!("crash"), &json!(signal)),
            "{crashes:?}"
        );
        let text = crashes[0]["text"].as_str().unwrap();
        assert!(
            text.contains(&format!("ended by {signal}")) && !text.contains("swordfish"),
            "{text}"
        );
        let notice = status["notices"][0]["message"].as_str().unwrap();
        assert!(notice.contains("ended unexpectedly and came back"), "{notice}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_the_start_crash_twice_give_way_to_the_last_good_ones() {
    let home = TestHome::new();
    let kata = Kata(&home);
    home.settings(&json!({ "sources": { "channel:telegram": { "perMinuteSender": 7 } } }));
    kata.serve(None).await.stop().await;
    let new = json!({ "sources": { "channel:telegram": { "perMinuteSender": 8 } } });
    home.settings(&new);
    let fault = [("KATA_CRASH_AT", "starting_with_new_settings")];
    for _ in 0..2 {
        kata.starting_with(&fault).died().await;
    }
    let serve = kata.serve_with(&fault).await;
    let settings = asked(&kata, &["settings"]).to_string();
    assert!(settings.contains("last good start") && settings.contains(":7"), "{settings}");
    let notices = asked(&kata, &["status"])["notices"].to_string();
    assert!(notices.contains("did not get through its start"), "{notices}");
    let text = std::fs::read_to_string(home.path().join("settings.json")).unwrap();
    assert_eq!(text, new.to_string(), "the file is as the person left it");
    let doctor = block_in_place(|| kata.run(&["doctor"]));
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("settings of the last good start"));
    serve.stop().await;

    // Still the same file: nobody has to crash again to find out. Changed, it is tried.
    let serve = kata.serve_with(&fault).await;
    serve.stop().await;
    home.settings(&json!({ "sources": { "channel:telegram": { "perMinuteSender": 9 } } }));
    kata.starting_with(&fault).died().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_works_with_and_without_an_engine_and_fails_where_something_does_not_work() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let outcome = |checks: &Value, id: &str| {
        let check = checks.as_array().unwrap().iter().find(|check| check["id"] == id).cloned();
        check.unwrap_or_else(|| panic!("{id} is missing in {checks}"))["outcome"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let without = block_in_place(|| kata.run(&["--json", "doctor"]));
    assert_eq!(without.status.code(), Some(1), "there is no home yet");
    let serve = kata.serve(None).await;
    let run = block_in_place(|| kata.run(&["--json", "doctor"]));
    let checks: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(checks.as_array().unwrap().len() >= 20, "{checks}");
    assert_eq!(outcome(&checks, "model.default"), "warning");
    block_in_place(|| kata.run(&["models", "set", "demo", "--kind", "demo", "--default"]));
    let run = block_in_place(|| kata.run(&["--json", "doctor"]));
    let checks: Value = serde_json::from_slice(&run.stdout).unwrap();
    let failed: Vec<&Value> = checks
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["outcome"] == "failed")
        .collect();
    assert!(failed.is_empty() && run.status.success(), "{failed:?}");
    serve.cut();
    let run = block_in_place(|| kata.run(&["--json", "doctor"]));
    let checks: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (
            outcome(&checks, "gateway.file").as_str(),
            outcome(&checks, "engine.running").as_str()
        ),
        ("warning", "warning")
    );
    assert!(run.status.success(), "nothing is broken: {}", String::from_utf8_lossy(&run.stdout));
}
