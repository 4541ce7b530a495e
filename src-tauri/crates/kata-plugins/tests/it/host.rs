//! The host at its boundary: load, call, reload, supervise.

use crate::support::*;
use kata_core::ports::{Channels, Hooks, PluginPart, Tools};
use kata_protocol::{AccountId, ConversationId, HookName, OutboundMessage, ReplyRoute, RunState, SendErrorCode};
use serde_json::json;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn message(channel_name: &str) -> OutboundMessage {
    OutboundMessage {
        route: ReplyRoute {
            channel: channel(channel_name),
            account: AccountId::new("bot").unwrap(),
            conversation: ConversationId::new("42").unwrap(),
            thread: None,
            reply_to: None,
        },
        text: "hi".into(),
        idempotency_key: "k".into(),
        attachments: Vec::new(),
        buttons: Vec::new(),
        replaces: None,
        attempt: 1,
    }
}

const FULL: &str = r#"
import { definePlugin, SendError } from "@kata-agents/plugin-sdk";
import { shout, type Loud } from "./lib/shout.ts";
interface Args { text: string }
export default definePlugin((api) => {
  api.registerTool<Args>({
    name: "full", description: "d", readOnly: true,
    parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    async execute(args: Args, ctx) { const loud: Loud = await shout(args.text); return loud; },
  });
  api.registerHook("message_sending", (event) => ({ text: event.text + "!" }));
  api.registerCommand({ name: "full", description: "d", run: (args) => `ran ${args}` });
  api.registerChannel({
    id: "full", meta: { label: "Full" }, capabilities: { textMax: 100, chatTypes: ["direct"] },
    outbound: {
      async send(message) {
        if (message.text === "slow down") throw new SendError({ code: "rate_limited", message: "too fast", retryAfterMs: 3000, certain: true });
        if (message.text === "boom") throw new Error("boom");
        return { messageIds: [message.route.conversation + ":" + message.attempt] };
      },
    },
    messaging: {
      async connect(ctx) {
        const answer = await ctx.receive({ account: "bot", messageId: "1", conversation: "42", chatType: "direct", sender: { id: "u" }, text: "hello" });
        ctx.logger.info(`answer ${answer.outcome}`);
        ctx.status({ state: "running" });
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        ctx.logger.info("left");
      },
      async disconnect(ctx) { ctx.logger.info("bye"); },
    },
  });
});
"#;
const SHOUT: &str = "export type Loud = string;\nexport async function shout(text: string): Promise<Loud> { return text.toUpperCase(); }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typescript_plugin_is_loaded_and_its_tool_hook_command_and_channel_are_called() {
    let bench = Bench::new();
    let candidate = bench.write("full", &manifest("full"), &[("index.ts", FULL), ("lib/shout.ts", SHOUT)]);
    bench.activate(candidate).await.unwrap();

    assert_eq!(
        bench.host.list().iter().map(|t| (t.name.as_str(), t.read_only)).collect::<Vec<_>>(),
        [("full", true)]
    );
    let good = bench.tool("full", json!({ "text": "abc" })).await;
    assert_eq!((good.text.as_str(), good.is_error), ("ABC", false));
    let bad = bench.tool("full", json!({ "text": 5 })).await;
    assert!(bad.is_error && bad.text.contains("/text"), "{}", bad.text);

    let answers = bench.hooks(HookName::MessageSending, json!({ "text": "hey" }), SECOND).await;
    assert_eq!(answers, [("full".to_owned(), Ok(Some(r#"{"text":"hey!"}"#.to_owned())))]);
    assert_eq!(bench.host.run_command("full", "a b").await.unwrap(), "ran a b");

    let (plugin, info) = bench.host.info(&channel("full")).unwrap();
    assert_eq!(
        (plugin.as_str(), info.label.as_str(), info.capabilities.text_max),
        ("full", "Full", 100)
    );
    assert_eq!(bench.host.send(message("full")).await.unwrap().message_ids[0].as_str(), "42:1");
    let late = bench
        .host
        .send(OutboundMessage {
            text: "slow down".into(),
            ..message("full")
        })
        .await
        .unwrap_err();
    assert_eq!(
        (late.code, late.retry_after_ms, late.certain),
        (SendErrorCode::RateLimited, Some(3000), true)
    );
    let broken = bench
        .host
        .send(OutboundMessage {
            text: "boom".into(),
            ..message("full")
        })
        .await
        .unwrap_err();
    assert_eq!((broken.code, broken.certain), (SendErrorCode::Unreachable, false));
    assert!(
        bench.fault("throw").await.message.contains("index.ts:18"),
        "{}",
        bench.fault("throw").await.message
    );

    bench.host.start_channel(&channel("full")).await.unwrap();
    bench
        .state_of(PluginPart::Channel(channel("full")), |s| *s == RunState::Running)
        .await;
    assert_eq!(bench.backend.drafts.lock().unwrap()[0].1.text, "hello");
    bench.host.stop_channel(&channel("full")).await;
    let logs: Vec<String> = bench.backend.logs.lock().unwrap().iter().map(|(_, l)| l.clone()).collect();
    assert_eq!(logs, ["answer admitted", "left", "bye"]);
    bench
        .state_of(PluginPart::Channel(channel("full")), |s| *s == RunState::Stopped)
        .await;
    bench.host.shutdown(SECOND * 5).await;
    assert!(bench.host.running().is_empty());
    assert!(bench.host.handlers(HookName::MessageSending).is_empty());
}
