//! The MQTT bridge of the real program against Mosquitto: `mosquitto_pub` and `mosquitto_sub` are the devices of the home.

use kata_tests::{Kata, TestHome, eventually};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tokio::task::block_in_place;

const PASSWORD: &str = "a secret of mosquitto and kata";
const ID: &str = "service:mqtt:mqtt";

/// A broker with a user, which keeps sessions over a restart.
struct Mosquitto {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

fn program(name: &str) -> PathBuf {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];
    let found = places.iter().map(|place| Path::new(place).join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not installed; `cargo xtask peers mqtt` installs it"))
}

impl Mosquitto {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let made = Command::new(program("mosquitto_passwd"))
            .args(["-b", "-c", &path("users"), "kata", PASSWORD])
            .status();
        assert!(made.unwrap().success());
        let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
        let lines = format!(
            "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {}\npersistence true\npersistence_location {}/\nautosave_interval 1\nuser {user}\n",
            path("users"),
            folder.path().display()
        );
        std::fs::write(folder.path().join("mosquitto.conf"), lines).unwrap();
        let mut broker = Self { folder, port, child: None };
        broker.start();
        broker
    }

    fn start(&mut self) {
        let child = Command::new(program("mosquitto"))
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// Ends it in order. One that is killed forgets which messages were acknowledged, and sends them again as new ones.
    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }

    fn client(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program(name));
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-u", "kata", "-P", PASSWORD])
            .args(arguments);
        command
    }

    fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let sent = block_in_place(|| {
            self.client("mosquitto_pub", &["-q", "1", "-t", topic, "-m", payload])
                .args(more)
                .status()
        });
        assert!(sent.unwrap().success(), "{topic}");
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.stop();
    }
}

fn settings(home: &TestHome, broker: &Mosquitto, more: Value) {
    let mut settings = json!({ "broker": format!("mqtt://127.0.0.1:{}", broker.port), "username": "kata" });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    home.settings(&json!({
        "plugins": { "mqtt": { "settings": settings } },
        "sources": { ID: { "enabled": true } },
    }));
}

async fn is(kata: &Kata<'_>, state: &str, code: &str) {
    eventually(&format!("the bridge is {state} {code}"), async || {
        let shown = block_in_place(|| kata.json(&["sources", "show", ID]));
        let status = &shown["summary"]["status"];
        (status["state"]["kind"] == state && status["code"] == code).then_some(())
    })
    .await;
}

fn secret(kata: &Kata<'_>, value: &str) {
    use std::io::Write;
    let mut child = kata
        .command(&["sources", "secret", ID, "password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(block_in_place(|| child.wait()).unwrap().success());
}

/// What a tool answers to the scripted agent.
fn tool(kata: &Kata<'_>, name: &str, arguments: &Value) -> String {
    let output = block_in_place(|| kata.run(&["chat", "--new", "-m", &format!("/tool {name} {arguments}")]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn user_texts(kata: &Kata<'_>, session: &str) -> Vec<String> {
    let shown = block_in_place(|| kata.json(&["sessions", "show", session]));
    let messages = shown["messages"].as_array().cloned().unwrap_or_default();
    let texts = messages.iter().filter(|m| m["kind"] == "user");
    let told = texts
        .filter_map(|m| m["content"].as_str())
        .filter(|text| text.contains("MQTT topic"));
    told.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_is_read_and_told_of_and_switched_and_nothing_of_it_is_lost_over_restarts_of_either_side() {
    let mut broker = Mosquitto::new();
    let home = TestHome::new();
    // Its sessions may publish without asking.
    let workspace = home.path().join("workspaces/home");
    std::fs::create_dir_all(workspace.join("sessions")).unwrap();
    let config = json!({ "id": "home", "name": "Home", "defaults": { "permissionMode": "allow-all" } });
    std::fs::write(workspace.join("config.json"), config.to_string()).unwrap();
    settings(&home, &broker, json!({}));
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    // Without the password the broker turns us away, and is not asked again.
    is(&kata, "needs_user", "sign_in").await;
    secret(&kata, PASSWORD);
    is(&kata, "running", "").await;

    let begun = block_in_place(|| kata.run(&["chat", "--new", "-m", "hello"]));
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stderr));
    let listed = block_in_place(|| kata.json(&["sessions", "list"]));
    let session = listed["sessions"][0]["id"].as_str().unwrap().to_owned();
    let told = format!("session={session}");
    let set = block_in_place(|| kata.run(&["sources", "set", ID, r#"rules=["home/door/+"]"#, &told, "restSeconds=0"]));
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    is(&kata, "running", "").await;

    // The agent reads what devices said, and switches one.
    broker.publish("home/hall/temperature", "21.5", &["-r"]);
    eventually("the value is read", async || {
        tool(&kata, "read_mqtt", &json!({ "filter": "home/hall/#" }))
            .contains("21.5")
            .then_some(())
    })
    .await;
    let lamp = broker
        .client("mosquitto_sub", &["-t", "home/lamp/set", "-C", "1", "-W", "30", "-v"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The lamp listens once the broker shows its retained answer to nobody: asked until it has heard.
    let switched = eventually("the lamp is switched", async || {
        let said = tool(
            &kata,
            "publish_mqtt",
            &json!({ "topic": "home/lamp/set", "payload": "ON", "retain": true }),
        );
        said.contains("The broker has it").then_some(said)
    })
    .await;
    assert!(switched.contains("The broker has it"));
    let heard = block_in_place(|| lamp.wait_with_output()).unwrap();
    assert_eq!(String::from_utf8_lossy(&heard.stdout).trim(), "home/lamp/set ON");

    // A door is told, its retained state is not.
    broker.publish("home/door/front", "open 1", &[]);
    eventually("the door is told", async || (user_texts(&kata, &session).len() == 1).then_some(())).await;
    // While the program is away the broker keeps what comes.
    serve.stop().await;
    for n in 2..=20 {
        broker.publish("home/door/front", &format!("open {n}"), &[]);
    }
    broker.publish("home/door/back", "what it was", &["-r"]);
    let serve = kata.serve(None).await;
    is(&kata, "running", "").await;
    eventually("all that came meanwhile is told", async || {
        (user_texts(&kata, &session).len() >= 20).then_some(())
    })
    .await;

    // Killed with messages on their way: each comes, none twice.
    serve.cut();
    for n in 21..=40 {
        broker.publish("home/door/front", &format!("open {n}"), &[]);
    }
    let serve = kata.serve(None).await;
    is(&kata, "running", "").await;
    // The broker ends too and comes back: the bridge does by itself.
    block_in_place(|| broker.stop());
    eventually("the bridge sees it", async || {
        let shown = block_in_place(|| kata.json(&["sources", "show", ID]));
        let state = shown["summary"]["status"]["state"]["kind"].clone();
        (state == "degraded" || state == "connecting").then_some(())
    })
    .await;
    broker.start();
    is(&kata, "running", "").await;
    broker.publish("home/door/front", "open 41", &[]);
    eventually("the last one is told", async || {
        user_texts(&kata, &session)
            .iter()
            .any(|text| text.contains("\"open 41\""))
            .then_some(())
    })
    .await;
    let texts = user_texts(&kata, &session);
    for n in 1..=41 {
        let count = texts.iter().filter(|text| text.contains(&format!("\"open {n}\""))).count();
        assert_eq!(count, 1, "open {n}: {texts:?}");
    }
    serve.stop().await;
}
