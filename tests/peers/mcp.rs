//! Servers of the Model Context Protocol by its own project, through the real program: server-everything over stdio and HTTP,
//! filesystem, memory, fetch, git and time; used from a session and by hand, killed, silent, asking the person.

use kata_tests::{Kata, TestHome, eventually};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tokio::task::block_in_place;

/// A program that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn npm(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/mcp/node_modules/.bin").join(name);
    assert!(path.exists(), "{} is missing; `cargo xtask peers mcp` installs it", path.display());
    path.display().to_string()
}

fn python(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers-mcp/v/bin").join(name);
    assert!(path.exists(), "{} is missing; `cargo xtask peers mcp` installs it", path.display());
    path.display().to_string()
}

fn add(kata: &Kata<'_>, name: &str, mcp: Value) -> String {
    let file = kata.0.dir.path().join(format!("{name}.json"));
    std::fs::write(&file, json!({ "name": name, "type": "mcp", "mcp": mcp }).to_string()).unwrap();
    let added = kata.json(&["sources", "add", &file.display().to_string()]);
    added["summary"]["id"].as_str().unwrap().to_owned()
}

fn program(command: String, args: &[&str]) -> Value {
    json!({ "transport": "stdio", "command": command, "args": args })
}

async fn runs(kata: &Kata<'_>, id: &str) {
    eventually(&format!("{id} runs"), async || {
        let source = block_in_place(|| kata.json(&["sources", "show", id]));
        (source["summary"]["status"]["state"]["kind"] == "running").then_some(())
    })
    .await;
}

/// What a tool gives by hand.
fn tried(kata: &Kata<'_>, tool: &str, params: &Value) -> Value {
    let output = kata.run(&["--json", "sources", "try", tool, &params.to_string()]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{tool}: {e}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Processes whose command line has a text and whose parent is this one.
fn child_of(parent: u32, text: &str) -> Option<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()).find(|pid| {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let stat = read("stat");
        let of = stat
            .rsplit(')')
            .next()
            .and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        of == Some(parent) && read("cmdline").contains(text)
    })
}

fn serving(home: &TestHome) -> u32 {
    let text = std::fs::read_to_string(home.path().join("gateway.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["pid"].as_u64().unwrap() as u32
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_of_the_project_is_usable_from_a_session_and_by_hand() {
    let home = TestHome::with_plugins(&[]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let files = home.dir.path().join("files");
    let repository = home.dir.path().join("repository");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::create_dir_all(&repository).unwrap();
    std::fs::write(files.join("a.txt"), "hello from a file").unwrap();
    for line in ["init -q", "-c user.name=a -c user.email=a@b commit -q --allow-empty -m first"] {
        let done = Command::new("git").current_dir(&repository).args(line.split(' ')).status().unwrap();
        assert!(done.success());
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _remote = Ends(
        Command::new(npm("mcp-server-everything"))
            .arg("streamableHttp")
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let web = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _web = Ends(
        Command::new("python3")
            .args(["-m", "http.server", &web.to_string(), "--bind", "127.0.0.1", "-d"])
            .arg(&files)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let folder = files.display().to_string();
    let place = |path: &PathBuf| path.display().to_string();
    let memory = json!({ "transport": "stdio", "command": npm("mcp-server-memory"), "env": { "MEMORY_FILE_PATH": place(&home.dir.path().join("m.json")) } });
    let sources = [
        ("Everything", program(npm("mcp-server-everything"), &[])),
        (
            "Remote",
            json!({ "url": format!("http://127.0.0.1:{port}/mcp"), "authType": "none" }),
        ),
        ("Files", program(npm("mcp-server-filesystem"), &[&folder])),
        ("Memory", memory),
        (
            "Fetch",
            program(python("mcp-server-fetch"), &["--ignore-robots-txt", "--allow-private-ips"]),
        ),
        ("Git", program(python("mcp-server-git"), &[])),
        ("Time", program(python("mcp-server-time"), &[])),
        // One that never says a word holds nobody up.
        ("Silent", program("sleep".into(), &["1000"])),
    ];
    let ids: Vec<_> = block_in_place(|| sources.map(|(name, mcp)| add(&kata, name, mcp)).to_vec());
    for id in &ids[..7] {
        runs(&kata, id).await;
    }
    let page = format!("http://127.0.0.1:{web}/a.txt");
    let calls = [
        ("mcp__everything__echo", json!({ "message": "over a pipe" }), "Echo: over a pipe"),
        ("mcp__remote__echo", json!({ "message": "over HTTP" }), "Echo: over HTTP"),
        (
            "mcp__files__read_text_file",
            json!({ "path": place(&files.join("a.txt")) }),
            "hello from a file",
        ),
        (
            "mcp__memory__create_entities",
            json!({ "entities": [{ "name": "Ana", "entityType": "person", "observations": ["tea"] }] }),
            "Ana",
        ),
        ("mcp__fetch__fetch", json!({ "url": page }), "hello from a file"),
        ("mcp__git__git_log", json!({ "repo_path": place(&repository) }), "first"),
        (
            "mcp__time__get_current_time",
            json!({ "timezone": "Europe/Berlin" }),
            "Europe/Berlin",
        ),
    ];
    for (tool, params, expected) in &calls {
        let got = block_in_place(|| tried(&kata, tool, params));
        assert!(
            got["ok"] == true && got["text"].as_str().unwrap().contains(expected),
            "{tool}: {got}"
        );
    }
    // From a session, those that only read; what may change things is asked for, as every tool's call.
    for (tool, params, expected) in calls.iter().filter(|(tool, ..)| !tool.contains("memory")) {
        let said = block_in_place(|| kata.run(&["chat", "-m", &format!("/tool {tool} {params}")]));
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(text.contains(expected) || text.contains("safe"), "{tool}: {text}");
    }
    let unknown = block_in_place(|| tried(&kata, "mcp__git__git_log", &json!({ "repo_path": "/nowhere" })));
    assert_eq!(unknown["ok"], false, "{unknown}");
    serve.stop().await;
    eventually("nothing that was started is left", async || {
        let left = std::fs::read_dir("/proc").unwrap().flatten().any(|e| {
            let line = std::fs::read_to_string(e.path().join("cmdline")).unwrap_or_default();
            line.contains(&folder) && line.contains("mcp-server")
        });
        (!left).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_a_call_is_an_error_in_milliseconds_and_works_again() {
    let home = TestHome::with_plugins(&[]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let id = block_in_place(|| add(&kata, "Everything", program(npm("mcp-server-everything"), &[])));
    runs(&kata, &id).await;
    let mut call = kata.command(&[
        "--json",
        "sources",
        "try",
        "mcp__everything__trigger-long-running-operation",
        "{\"duration\":60,\"steps\":60}",
    ]);
    let call = call
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the call is on its way", async || {
        let source = block_in_place(|| kata.json(&["sources", "show", &id]));
        source["log"].to_string().contains("1 of 60").then_some(())
    })
    .await;
    let server = child_of(serving(&home), "mcp-server-everything").expect("the server is a child of the engine");
    let began = Instant::now();
    assert!(Command::new("kill").args(["-9", &server.to_string()]).status().unwrap().success());
    let output = block_in_place(|| call.wait_with_output()).unwrap();
    let took = began.elapsed();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        told["text"],
        "The server of “Everything” was ended by signal 9 in the middle of the call. It is being started again."
    );
    assert!(took.as_millis() < 1_000, "{took:?}, with the end of the command line program");
    let again = block_in_place(|| tried(&kata, "mcp__everything__echo", &json!({ "message": "back" })));
    assert_eq!(again["text"], "Echo: back");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_server_is_answered_on_the_command_line() {
    let home = TestHome::with_plugins(&[]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let id = block_in_place(|| add(&kata, "Everything", program(npm("mcp-server-everything"), &[])));
    runs(&kata, &id).await;
    let mut call = kata.command(&["--json", "sources", "try", "mcp__everything__trigger-elicitation-request"]);
    let call = call
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let question = eventually("the question waits", async || {
        block_in_place(|| kata.json(&["elicitations", "list"])).get(0).cloned()
    })
    .await;
    assert_eq!(question["source"], json!(id));
    block_in_place(|| {
        kata.json(&[
            "elicitations",
            "answer",
            question["id"].as_str().unwrap(),
            "accept",
            "{\"name\":\"Ana\"}",
        ])
    });
    let output = block_in_place(|| call.wait_with_output()).unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told["text"].as_str().unwrap().contains("Name: Ana"), "{told}");
    serve.stop().await;
}
