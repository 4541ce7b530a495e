//! The author's way through the real program: new, check, dev with saves and typed lines, pack, install, trust.

use kata_tests::{Kata, TestHome, eventually};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use tokio::task::block_in_place;

/// A running `kata plugins dev --json`.
struct Dev {
    child: Child,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Dev {
    fn start(kata: &Kata<'_>, folder: &Path) -> Self {
        let mut child = kata
            .command(&["plugins", "dev", folder.to_str().unwrap(), "--yes", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (events, out) = (Arc::new(Mutex::new(Vec::new())), child.stdout.take().unwrap());
        let keep = Arc::clone(&events);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                keep.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, events }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for an event of a kind that fits.
    async fn event(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(&format!("an event {kind}"), async || {
            let events = self.events.lock().unwrap();
            events.iter().find(|e| e["kind"] == kind && fits(&e["value"])).cloned()
        })
        .await
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_plugin_is_written_saves_load_it_faults_have_their_place_and_typed_lines_go_in() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let folder = home.dir.path().join("page-watch");
    let made = kata.json(&["plugins", "new", "page-watch", "-t", "service", "--dir", folder.to_str().unwrap()]);
    assert_eq!(made["id"], "page-watch");
    let mut dev = Dev::start(&kata, &folder);
    let first = dev
        .event("loaded", |v| v["registered"]["commands"][0]["name"] == "page-watch")
        .await;
    dev.type_line("now");
    dev.event("output", |v| v["text"] == "It has not looked yet.").await;

    let index = folder.join("index.ts");
    let text = std::fs::read_to_string(&index).unwrap();
    std::fs::write(&index, text.replace("It has not looked yet.", "Not yet.")).unwrap();
    dev.event("saved", |v| v[0] == "index.ts").await;
    let generation = first["value"]["generation"].as_u64();
    dev.event("loaded", |v| v["generation"].as_u64() > generation).await;
    eventually("the new version answers", async || {
        dev.type_line("/page-watch now");
        tokio::time::timeout(std::time::Duration::from_secs(1), dev.event("output", |v| v["text"] == "Not yet."))
            .await
            .ok()
    })
    .await;

    std::fs::write(&index, text.replace("export default", "const = 1;\nexport default")).unwrap();
    let line = text.lines().position(|l| l.starts_with("export default")).unwrap() + 1;
    let fault = dev.event("fault", |v| v["kind"] == "load").await.to_string();
    assert!(fault.contains(&format!("index.ts:{line}:")), "{fault}");
    dev.type_line("still there?");
    eventually("the version before goes on", async || {
        let events = dev.events.lock().unwrap();
        (events
            .iter()
            .filter(|e| e["kind"] == "output" && e["value"]["text"] == "Not yet.")
            .count()
            == 2)
            .then_some(())
    })
    .await;

    std::process::Command::new("kill")
        .args(["-INT", &dev.child.id().to_string()])
        .status()
        .unwrap();
    let code = eventually("Ctrl-C ends it", async || dev.child.try_wait().unwrap()).await;
    assert_eq!(code.code(), Some(0));
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_plugin_is_installed_trusted_run_revoked_and_taken_out() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let folder = home.dir.path().join("signs");
    kata.json(&["plugins", "new", "signs", "-t", "hook", "--dir", folder.to_str().unwrap()]);
    let archive = home.dir.path().join("signs.tgz");
    let packed = kata.json(&["plugins", "pack", folder.to_str().unwrap(), "--out", archive.to_str().unwrap()]);
    let installed = kata.json(&["plugins", "install", archive.to_str().unwrap()]);
    assert_eq!(
        (&installed["hash"], &installed["summary"]["trust"]),
        (&packed["hash"], &"untrusted".into()),
        "{installed}"
    );
    let refused = block_in_place(|| kata.run(&["plugins", "enable", "signs"]));
    assert!(!refused.status.success(), "nobody has looked at it yet");
    let trusted = kata.json(&["plugins", "trust", "signs", "-y"]);
    assert_eq!(trusted["trust"], "trusted", "{trusted}");
    kata.json(&["plugins", "enable", "signs"]);
    let running = || {
        kata.json(&["plugins", "inspect", "signs"])["registered"]["hooks"]
            .as_array()
            .map(Vec::len)
    };
    eventually("its hook is there", async || (block_in_place(running) == Some(1)).then_some(())).await;
    kata.json(&["plugins", "revoke", "signs"]);
    let detail = kata.json(&["plugins", "inspect", "signs"]);
    assert_eq!(
        (&detail["summary"]["trust"], &detail["registered"]["hooks"]),
        (&"untrusted".into(), &serde_json::json!([])),
        "{detail}"
    );
    kata.json(&["plugins", "uninstall", "signs", "-y"]);
    let list = kata.json(&["plugins", "list"]);
    assert!(!list.to_string().contains("signs"), "{list}");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_plugin_has_types_in_an_editor_without_node_modules_and_no_names_of_node() {
    let compiler = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/node_modules/typescript/lib/tsc.js");
    assert!(
        compiler.is_file(),
        "TypeScript is not installed: `npm ci` in plugins/, or `cargo xtask setup`"
    );
    let compile = |folder: &Path| {
        let output = std::process::Command::new("node")
            .arg(&compiler)
            .args(["--noEmit", "-p"])
            .arg(folder)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let home = TestHome::new();
    let kata = Kata(&home);
    for template in ["tool", "hook", "channel", "service"] {
        let folder = home.dir.path().join(template);
        kata.json(&["plugins", "new", "fresh", "-t", template, "--dir", folder.to_str().unwrap()]);
        assert_eq!(compile(&folder), "", "{template}");
        let extra = "import { definePlugin } from \"@kata-agents/plugin-sdk\";\n\
                     export default definePlugin((api) => { api.registerTool({ name: 1 }); process.exit(0); });\n";
        std::fs::write(folder.join("extra.ts"), extra).unwrap();
        let told = compile(&folder);
        assert!(told.contains("'process'") && told.contains("extra.ts(2,"), "{template}: {told}");
        assert!(
            told.contains("TS2322") || told.contains("TS2345"),
            "the SDK's types are known: {told}"
        );
    }
}
