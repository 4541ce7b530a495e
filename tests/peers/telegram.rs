//! A message from crabline's Telegram through the real program, answered by aimock's model with a tool.

use kata_tests::{Kata, Peers, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use tokio::task::block_in_place;

fn give(kata: &Kata<'_>, args: &[&str], value: &str) {
    let mut child = kata.command(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "kata {args:?}");
}

async fn state(kata: &Kata<'_>, wanted: &[&str]) -> Value {
    eventually(&format!("telegram is {wanted:?}"), async || {
        let sources = block_in_place(|| kata.json(&["sources", "list"]));
        let telegram = sources.as_array()?.iter().find(|s| s["id"] == "channel:telegram")?.clone();
        wanted.contains(&telegram["status"]["state"]["kind"].as_str()?).then_some(telegram)
    })
    .await
}

async fn serve(kata: &Kata<'_>, peers: &Peers) -> kata_tests::Serve {
    let serve = kata.serve(None).await;
    block_in_place(|| {
        give(
            kata,
            &["sources", "secret", "channel:telegram", "botToken"],
            &peers.text("/telegram/botToken"),
        )
    });
    let key = [
        "models",
        "set",
        "aimock",
        "--kind",
        "anthropic",
        "--model",
        "claude-test",
        "--key-stdin",
        "--default",
        "--base-url",
    ];
    let base = peers.text("/model/baseUrl");
    block_in_place(|| give(kata, &[&key[..], &[&base]].concat(), "sk-test"));
    state(kata, &["running"]).await;
    serve
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_message_is_answered_with_a_tool_in_the_right_chat_and_topic_once() {
    let mut peers = Peers::start().await;
    let home = peers.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &peers).await;
    let mention = json!({ "isForum": true, "messageThreadId": 77, "entities": [{ "type": "mention", "offset": 0, "length": 13 }] });
    peers.write("-1001234567890", "@crabline_bot please use the tool", mention).await;
    eventually("the reply is in crabline's journal", async || {
        (!peers.calls("sendMessage").is_empty()).then_some(())
    })
    .await;
    peers.write("100001", "hello", json!({})).await;
    eventually("the second reply", async || (peers.calls("sendMessage").len() >= 2).then_some(())).await;

    let sent = peers.calls("sendMessage");
    assert_eq!(sent.len(), 2, "each answered once");
    let first = &sent[0]["body"];
    assert!(first["text"].as_str().unwrap().contains("kata-echo-7f3a"), "{first}");
    assert_eq!(
        (first["chat_id"].to_string().trim_matches('"'), &first["message_thread_id"]),
        ("-1001234567890", &json!(77))
    );
    assert_eq!(sent[1]["body"]["chat_id"].to_string().trim_matches('"'), "100001");
    let order = peers.order();
    let at = |method: &str| {
        order
            .iter()
            .position(|m| m == method)
            .unwrap_or_else(|| panic!("no {method} in {order:?}"))
    };
    assert!(at("sendChatAction") < at("sendMessage"), "typing first: {order:?}");

    let trace = eventually("the trace is complete", async || {
        let traces = block_in_place(|| kata.json(&["trace", "--limit", "10"]));
        let list = traces.as_array().cloned().unwrap_or_default();
        list.into_iter()
            .find(|t| t["done"] == true && t["steps"].as_array().is_some_and(|s| s.iter().any(|s| s["gate"] == "tool")))
    })
    .await;
    let gates: Vec<_> = trace["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["gate"].as_str().unwrap().to_owned())
        .collect();
    for gate in ["ingress", "router", "hook", "mailbox", "model", "tool", "outbox", "send"] {
        assert!(gates.iter().any(|g| g == gate), "{gate} is missing in {gates:?}");
    }
    let shown = block_in_place(|| kata.run(&["trace", trace["id"].as_str().unwrap()]));
    println!("{}", String::from_utf8_lossy(&shown.stdout));
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_a_restart_in_the_middle_of_a_poll_loses_and_repeats_nothing() {
    let mut peers = Peers::start().await;
    let home = peers.home();
    let kata = Kata(&home);
    let first = serve(&kata, &peers).await;
    peers.write("100001", "one", json!({})).await;
    eventually("the first reply", async || (peers.calls("sendMessage").len() == 1).then_some(())).await;
    // Until the receipt is kept, a death would rightly leave the reply parked: Telegram cannot tell a repeated send.
    eventually("the receipt is kept", async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == 1).then_some(())
    })
    .await;
    // The plugin now hangs in a long poll; the program is killed there, without a farewell.
    drop(first);
    peers.write("100001", "two", json!({})).await;
    peers.write("100001", "three", json!({})).await;
    let second = kata.serve(None).await;
    eventually("all three are answered", async || {
        (peers.calls("sendMessage").len() >= 3).then_some(())
    })
    .await;
    peers.write("100001", "four", json!({})).await;
    eventually("and the next one", async || (peers.calls("sendMessage").len() >= 4).then_some(())).await;
    let answered: Vec<_> = peers
        .calls("sendMessage")
        .iter()
        .map(|c| c["body"]["reply_parameters"]["message_id"].clone())
        .collect();
    assert_eq!(
        answered,
        [json!(110), json!(120), json!(130), json!(140)],
        "each message answered once, in order"
    );
    let ledger = eventually("the ledger balances", async || {
        let status = block_in_place(|| kata.json(&["status"]));
        (status["ledger"]["delivered"] == 4).then(|| status["ledger"].clone())
    })
    .await;
    assert_eq!(ledger["accepted"], 4);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telegram_stops_and_comes_back_and_the_state_says_so() {
    let mut peers = Peers::start().await;
    let home = peers.home();
    let kata = Kata(&home);
    let serve = serve(&kata, &peers).await;
    peers.tell("telegram stop").await;
    let down = state(&kata, &["degraded", "backoff", "connecting"]).await;
    assert!(!down["status"]["message"].as_str().unwrap().is_empty(), "{down}");
    peers.tell("telegram start").await;
    state(&kata, &["running"]).await;
    peers.write("100001", "back?", json!({})).await;
    eventually("it answers again", async || (!peers.calls("sendMessage").is_empty()).then_some(())).await;
    serve.stop().await;
}
