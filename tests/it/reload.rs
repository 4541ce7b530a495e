//! A channel plugin is saved again and again while messages pass through it, sometimes with a mistake in it: each message is
//! answered once, nobody reads an error, and a broken save leaves the version before serving. Through the whole engine, the
//! watcher of files included. The full load, 200 messages a second for a minute, is a stage of `cargo xtask bench`.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually, fixture};
use serde_json::json;
use std::collections::HashMap;
use std::path::PathBuf;

/// Messages between two saves.
const BETWEEN: usize = 12;

struct Author {
    file: PathBuf,
    source: String,
}

impl Author {
    /// Saves version `n`; what is wrong with it, if anything, is put before everything else.
    fn save(&self, n: usize, wrong: &str) {
        let text = self.source.replace("VERSION = 0", &format!("VERSION = {n}"));
        std::fs::write(&self.file, format!("{wrong}{text}")).unwrap();
    }
}

async fn summary(engine: &TestEngine) -> PluginSummary {
    let list = engine.ops.plugin_list(&caller(), Empty {}).await.unwrap();
    list.into_iter().find(|p| p.id.as_str() == "tide").unwrap()
}

async fn serves(engine: &TestEngine, version: usize) {
    let wanted = format!("version {version}");
    eventually(&format!("{wanted} serves"), async || {
        let tools = engine.ops.tool_list(&caller(), Empty {}).await.ok()?;
        tools.iter().any(|t| t.name == "tide" && t.description == wanted).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_saved_under_load_loses_no_message_and_a_broken_save_leaves_the_old_version_serving() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["tide"]);
    home.settings(&json!({
        "plugins": { "tide": { "settings": { "base": platform.base } } },
        "sources": { "channel:tide": { "enabled": true, "policy": "open" } },
    }));
    let author = Author {
        file: home.plugins().join("tide/index.ts"),
        source: std::fs::read_to_string(fixture("plugins/tide/index.ts")).unwrap(),
    };
    let engine = TestEngine::start(home).await;
    engine.plugin_up("tide").await;
    let mut written = 0;
    let mut write = |count: usize| {
        for _ in 0..count {
            written += 1;
            platform.write(&format!("person-{written}"), &format!("message {written}."));
        }
        written
    };
    let mut good = 0;
    for save in 1..=5 {
        write(BETWEEN);
        let broken = match save {
            2 => "this is no TypeScript;",
            4 => "throw new Error('on purpose');",
            _ => "",
        };
        author.save(save, broken);
        write(BETWEEN);
        if broken.is_empty() {
            good = save;
            serves(&engine, save).await;
            continue;
        }
        let shown = eventually("the broken save is shown", async || {
            let plugin = summary(&engine).await;
            (plugin.status.state == RunState::Degraded && plugin.faults.iter().any(|f| f.kind == "load")).then_some(plugin)
        })
        .await;
        assert!(shown.status.message.contains("index.ts"), "{:?}", shown.status);
        serves(&engine, good).await;
    }
    let total = write(BETWEEN);

    let sent = platform.delivered(total).await;
    let mut answers: HashMap<String, usize> = HashMap::new();
    for reply in &sent {
        assert_eq!(reply.times, 1, "sent twice: {:?}", reply.message);
        let text = &reply.message.text;
        assert!(text.contains("message ") && text.contains("[v"), "nobody may read this: {text}");
        *answers.entry(reply.message.route.conversation.to_string()).or_default() += 1;
    }
    assert_eq!((sent.len(), answers.len()), (total, total), "each person has one answer");
    assert!(
        sent.iter().any(|s| s.message.text.contains("[v5]")),
        "the last version has answered"
    );
    let ledger = eventually("everything is accounted for", async || {
        Some(engine.ledger().await).filter(|l| l.pending.0 == 0)
    })
    .await;
    assert_eq!((ledger.accepted.0, ledger.delivered.0), (total as u64, total as u64), "{ledger:?}");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_is_put_right_again_is_wrong_no_longer() {
    let home = TestHome::with_plugins(&["tide"]);
    let file = home.plugins().join("tide/kata-plugin.json");
    let good = std::fs::read(&file).unwrap();
    let engine = TestEngine::start(home).await;
    engine.plugin_up("tide").await;
    std::fs::write(&file, "{").unwrap();
    eventually("the broken manifest is shown", async || {
        let state = summary(&engine).await.status.state;
        (state == RunState::Degraded).then_some(())
    })
    .await;
    std::fs::write(&file, good).unwrap();
    eventually("it runs as before", async || {
        let state = summary(&engine).await.status.state;
        (state == RunState::Running).then_some(())
    })
    .await;
    let discovery = engine.ops.plugin_discovery(&caller(), Empty {}).await.unwrap();
    assert!(discovery.dropped.is_empty(), "{:?}", discovery.dropped);
    engine.engine.shutdown().await;
}
