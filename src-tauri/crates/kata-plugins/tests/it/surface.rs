//! What people ask of running plugins by hand: commands, what was registered, and taking a capability back.

use crate::support::*;
use kata_core::ports::{Hooks, PluginPart};
use kata_protocol::{ErrorCode, HookKind, HookName, RunState};
use serde_json::json;
use std::time::Duration;

const TWO_COMMANDS: &str = "export default (api) => {\n\
  api.registerCommand({ name: 'one', description: 'Says one.', run: (args) => `one(${args})` });\n\
  api.registerCommand({ name: 'a-two', description: 'Fails.', run() { throw new Error('no two'); } });\n\
  api.registerService({ id: 'one', start() {} });\n\
  api.registerTool({ name: 'one', description: 'd', parameters: { type: 'object' }, readOnly: true, execute: () => '' });\n\
  api.registerHook('message_received', () => undefined, { priority: -1 });\n\
  api.registerHook('agent_end', () => undefined, { timeoutMs: 50 });\n};";

fn two() -> serde_json::Value {
    let mut manifest = manifest("one");
    manifest["contributes"]["commands"] = json!(["one", "a-two"]);
    manifest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_listed_with_their_words_and_run_by_name_alone() {
    let bench = Bench::new();
    bench
        .activate(bench.write("one", &two(), &[("index.ts", TWO_COMMANDS)]))
        .await
        .unwrap();
    let listed: Vec<_> = bench
        .host
        .commands()
        .into_iter()
        .map(|c| (c.name, c.description, c.plugin.to_string()))
        .collect();
    let owned = |n: &str, d: &str| (n.to_owned(), d.to_owned(), "one".to_owned());
    assert_eq!(listed, [owned("a-two", "Fails."), owned("one", "Says one.")]);
    assert_eq!(bench.host.run_command("one", " x  y").await.unwrap(), "one( x  y)");
    let failed = bench.host.run_command("a-two", "").await.unwrap_err();
    assert_eq!(failed.code, ErrorCode::Upstream);
    assert!(failed.message.contains("“one”") && failed.message.contains("no two"), "{failed}");
    assert_eq!(bench.host.run_command("three", "").await.unwrap_err().code, ErrorCode::NotFound);

    let mut other = manifest("other");
    other["contributes"]["commands"] = json!(["one"]);
    let body = "export default (api) => api.registerCommand({ name: 'one', run: () => 'mine' });";
    let taken = bench
        .activate(bench.write("other", &other, &[("index.ts", body)]))
        .await
        .unwrap_err()
        .to_string();
    assert!(taken.contains("command “one”") && taken.contains("“one” already"), "{taken}");
    assert_eq!(
        bench.host.run_command("one", "").await.unwrap(),
        "one()",
        "the first one keeps its name"
    );
    bench.host.deactivate(&id("one")).await;
    assert_eq!(bench.host.commands(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_plugin_registered_is_told_with_its_place_among_all_handlers() {
    let bench = Bench::new();
    assert_eq!(bench.host.registered(&id("one")), None);
    bench
        .run(
            "zero",
            "export default (api) => api.registerHook('message_received', () => undefined);",
        )
        .await
        .unwrap();
    bench
        .activate(bench.write("one", &two(), &[("index.ts", TWO_COMMANDS)]))
        .await
        .unwrap();
    let all = bench.host.registered(&id("one")).unwrap();
    assert_eq!(all.tools.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["one"]);
    assert_eq!(all.services, ["one"]);
    assert_eq!(all.commands.len(), 2);
    let hooks: Vec<_> = all
        .hooks
        .iter()
        .map(|h| (h.event, h.kind, h.priority, h.position, h.of, h.timeout_ms))
        .collect();
    assert_eq!(
        hooks,
        [
            (HookName::MessageReceived, HookKind::Transform, -1, 2, 2, None),
            (HookName::AgentEnd, HookKind::Observe, 0, 1, 1, Some(50)),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capability_taken_back_is_gone_at_once_and_a_restart_does_not_bring_it_back() {
    let bench = Bench::new();
    // Connections wait in its backlog and are never answered.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut manifest = manifest("r");
    let net = format!("net:127.0.0.1:{port}");
    manifest["capabilities"].as_array_mut().unwrap().push(json!(net));
    let module = "export default (api) => {\n\
      api.registerTool({ name: 'r', description: '', parameters: {}, async execute(args, ctx) {\n\
        try {\n\
          if (args.crash) { for (;;); }\n\
          if (args.url) { await fetch(args.url); return 'answered'; }\n\
          return `secret ${await ctx.secrets.get('token')}`;\n\
        } catch (e) { return `${e.code}: ${e.message}`; }\n\
      } });\n\
      api.registerHook('message_received', () => ({ text: 'read' }));\n};";
    bench.backend.secrets.lock().unwrap().insert("r/token".into(), "s".into());
    bench.activate(bench.write("r", &manifest, &[("index.ts", module)])).await.unwrap();

    let received = || bench.hooks(HookName::MessageReceived, json!({ "text": "hi" }), Duration::from_secs(5));
    assert_eq!(received().await.len(), 1);
    assert_eq!(bench.tool("r", json!({})).await.text, "secret s");

    let on_its_way = bench.tool("r", json!({ "url": format!("http://127.0.0.1:{port}/") }));
    let revoked = async {
        let _socket = silent.accept().await.unwrap();
        bench.host.revoke(&id("r"), &net);
    };
    let (ended, ()) = tokio::join!(on_its_way, revoked);
    let net_denied = format!("forbidden: fetch: 127.0.0.1: the capability “{net}” has not been granted");
    assert_eq!(ended.text, net_denied, "a request on its way is ended");
    assert_eq!(
        bench.tool("r", json!({ "url": format!("http://127.0.0.1:{port}/") })).await.text,
        net_denied
    );

    bench.host.revoke(&id("r"), "secret:token");
    let secret_denied = "forbidden: the capability “secret:token” has not been granted";
    assert_eq!(bench.tool("r", json!({})).await.text, secret_denied);

    bench.tool("r", json!({ "crash": true })).await;
    bench
        .until("it runs again after its crash", |backend| {
            let statuses = backend.statuses.lock().unwrap();
            let own: Vec<_> = statuses.iter().filter(|s| s.1 == PluginPart::Plugin).collect();
            own.iter().any(|s| matches!(s.2.state, RunState::Backoff { .. })) && own.last().is_some_and(|s| s.2.state == RunState::Running)
        })
        .await;
    assert_eq!(bench.tool("r", json!({})).await.text, secret_denied);
    assert_eq!(received().await.len(), 1);

    let kept = bench.host.handlers(HookName::MessageReceived);
    bench.host.revoke(&id("r"), "hooks:conversation");
    assert_eq!(received().await, [], "its hook is no longer asked");
    let late = kept[0].invoke.invoke("{}".into(), Duration::from_secs(5)).await;
    assert_eq!(late, Ok(None), "nor by somebody who kept the list from before");
}
