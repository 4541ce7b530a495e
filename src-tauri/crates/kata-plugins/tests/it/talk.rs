//! What a channel does besides sending and handing in: presses, notices, edits, previews, deletions, reactions, and messages of the
//! agent's own accord, which reach the plugin's own channels only.

use crate::support::*;
use kata_core::ports::Channels;
use kata_protocol::*;
use serde_json::{Value, json};

const CHANNEL: &str = r#"
import { definePlugin, SendError } from "@kata-agents/plugin-sdk";
const did = [];
export default definePlugin((api) => {
  api.registerChannel({
    id: "c", meta: { label: "C" }, capabilities: { edit: true, buttons: 5, stream: "edit" },
    outbound: {
      send: async () => ({ messageIds: ["m1"] }),
      edit: async (id, message) => void did.push(["edit", id, message.text, message.buttons.length]),
      stream: async (preview) => { if (preview.text === "no") throw new SendError({ code: "rate_limited", message: "slow", retryAfterMs: 5, certain: true }); return `${preview.key}-id`; },
      react: async (id, emoji, route) => void did.push(["react", id, emoji, route.conversation]),
    },
    messaging: {
      async connect(ctx) {
        const sender = { id: "u", name: "U", isBot: false };
        const at = { account: "a", conversation: "C1", chatType: "group", sender, messageId: "m1" };
        did.push(["pressed", await ctx.press({ ...at, button: "approve:K:once" })]);
        await ctx.notice({ ...at, what: { kind: "reaction", emoji: "+1", added: true } });
        await ctx.notice({ ...at, what: { kind: "sneezed", text: "private words" } }).catch((e) => did.push(["wrong", e.message]));
        did.push(["up"]);
      },
    },
  });
  api.registerTool({ name: "said", description: "d", parameters: { type: "object" }, execute: () => JSON.stringify(did) });
  api.registerTool({
    name: "send", description: "d", parameters: { type: "object" },
    async execute({ channel, to }, ctx) {
      try {
        await ctx.channels.send(channel, { to, text: "hi" }, { idempotencyKey: "k1" });
        return JSON.stringify(await ctx.channels.conversations(channel));
      } catch (e) { return `${e.code ?? e.name}: ${e.message}`; }
    },
  });
});
"#;

async fn talking(bench: &Bench) {
    let mut manifest = manifest("talker");
    manifest["contributes"] = json!({ "channels": ["c"], "tools": ["said", "send"] });
    bench
        .activate(bench.write("talker", &manifest, &[("index.ts", CHANNEL)]))
        .await
        .unwrap();
}

fn message(text: &str) -> OutboundMessage {
    OutboundMessage {
        route: ReplyRoute {
            channel: channel("c"),
            account: AccountId::new("a").unwrap(),
            conversation: ConversationId::new("C1").unwrap(),
            thread: None,
            reply_to: None,
        },
        text: text.into(),
        attachments: Vec::new(),
        buttons: Vec::new(),
        replaces: None,
        idempotency_key: "k".into(),
        attempt: 1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presses_and_notices_come_in_and_one_that_does_not_fit_is_told_by_its_field() {
    let bench = Bench::new();
    talking(&bench).await;
    bench.host.start_channel(&channel("c")).await.unwrap();
    bench
        .until("presses and notices", |b| {
            !b.presses.lock().unwrap().is_empty() && !b.notices.lock().unwrap().is_empty()
        })
        .await;
    let fault = bench.fault("bad_result").await;
    assert!(
        fault.message.contains("notice.what") && !fault.message.contains("private"),
        "{}",
        fault.message
    );
    assert_eq!(bench.backend.presses.lock().unwrap()[0].button, "approve:K:once");
    let said: Value = serde_json::from_str(&bench.tool("said", json!({})).await.text).unwrap();
    assert_eq!(said[0], json!(["pressed", { "text": "c: approve:K:once", "done": true }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_edited_previewed_and_reacted_to_and_what_a_channel_cannot_is_said() {
    let bench = Bench::new();
    talking(&bench).await;
    let (m1, words) = (PlatformMessageId::new("m1").unwrap(), message("answered"));
    bench.host.edit(&m1, words.clone()).await.unwrap();
    bench.host.react(&m1, Some("👀"), &words.route).await.unwrap();
    bench.host.react(&m1, None, &words.route).await.unwrap();
    let said: Value = serde_json::from_str(&bench.tool("said", json!({})).await.text).unwrap();
    assert_eq!(
        said,
        json!([
            ["edit", "m1", "answered", 0],
            ["react", "m1", "👀", "C1"],
            ["react", "m1", null, "C1"]
        ])
    );
    let preview = |text: &str| StreamPreview {
        route: words.route.clone(),
        text: text.into(),
        key: "turn".into(),
        message_id: None,
    };
    let shown = bench.host.preview(preview("hel")).await.unwrap();
    assert_eq!(shown, Some(PlatformMessageId::new("turn-id").unwrap()));
    let slow = bench.host.preview(preview("no")).await.unwrap_err();
    assert_eq!((slow.code, slow.retry_after_ms), (SendErrorCode::RateLimited, Some(5)));
    let gone = bench.host.delete(&m1, &words.route).await.unwrap_err();
    assert!(
        gone.code == SendErrorCode::Invalid && gone.message.contains("outbound.delete") && gone.certain,
        "{gone:?}"
    );
    assert!(bench.fault_kinds().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_writes_to_its_own_channels_only_and_a_refusal_has_a_code() {
    let bench = Bench::new();
    talking(&bench).await;
    // A channel of somebody else, which is there and serves.
    let mut other = manifest("other");
    other["contributes"] = json!({ "channels": ["theirs"] });
    let module =
        "export default (api) => api.registerChannel({ id: 'theirs', meta: { label: 'T' }, capabilities: {}, outbound: { send() {} } });";
    bench.activate(bench.write("other", &other, &[("index.ts", module)])).await.unwrap();
    let send = async |channel: &str, to: &str| bench.tool("send", json!({ "channel": channel, "to": to })).await.text;
    assert_eq!(
        send("theirs", "C1").await,
        "TypeError: channels.send: this plugin has registered no such channel"
    );
    assert!(send("c", "stranger").await.starts_with("forbidden: "));
    assert!(send("c", "twice").await.starts_with("ambiguous: "));
    assert!(bench.backend.directed.lock().unwrap().is_empty());
    assert!(send("c", "C1").await.contains("general of c"));
    let directed = bench.backend.directed.lock().unwrap();
    assert_eq!((directed[0].0.as_str(), directed[0].3.as_deref()), ("talker", Some("k1")));
}
