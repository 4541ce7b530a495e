//! Everything the window can do, the command line can: each operation of the table is reached by a command, and every command
//! answers with JSON where it is asked to. The engine is a fake that answers by the published schema.

use crate::support::*;
use kata_protocol::ops::OPERATIONS;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Operations without a command of their own, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "session.approve",
        "`approval.answer` is the same for a terminal: it names the question and not the call",
    ),
    ("system.background", "`kata background` needs no engine: it works on the same files"),
    (
        "system.background_set",
        "`kata background on` and `off` need no engine: they work on the same files",
    ),
    (
        "oauth.cancel",
        "an interrupt of `kata sources login` gives the sign-in up; it cannot be typed",
    ),
    (
        "plugin.inject",
        "`kata plugins dev` hands messages in while it runs; its own tests are in `plugins`",
    ),
];

/// Operation, a command line that reaches it, and what is typed.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("system.status", "status", ""),
    ("system.shutdown", "stop", ""),
    ("settings.list", "settings list", ""),
    ("settings.set", "settings set notifications.turns false", ""),
    ("log.tail", "logs -n 5", ""),
    ("notice.dismiss", "notices dismiss x", ""),
    ("session.list", "sessions list", ""),
    ("session.get", "sessions show x", ""),
    ("session.create", "chat --new -m hello", ""),
    ("session.submit", "chat x -m hello", ""),
    ("session.interrupt", "sessions stop x", ""),
    ("session.resend", "sessions resend x", ""),
    ("session.update", "sessions set x --name Trip", ""),
    ("session.attachment", "sessions attachment x y -o -", ""),
    ("session.search", "search words", ""),
    ("session.archive", "sessions archive x", ""),
    ("session.delete", "sessions delete x -y", ""),
    ("session.reset", "sessions reset x", ""),
    ("plan.list", "plans list", ""),
    ("plan.answer", "plans accept x", ""),
    ("plugin.signers", "plugins signers list", ""),
    ("plugin.forget_signer", "plugins signers forget 0123456789ABCDEF -y", ""),
    ("approval.list", "approvals list", ""),
    ("approval.answer", "approvals answer K7Q2XYAB once", ""),
    ("permission.list", "permissions list", ""),
    ("permission.forget", "permissions forget bash ls", ""),
    ("permission.explain", "permissions explain bash ls", ""),
    ("route.get", "route show", ""),
    ("route.set", "route set -", "{}"),
    ("route.explain", "route explain -", MESSAGE),
    ("route.keys", "route keys", ""),
    ("route.join", "route join slack:T1:C1 x", ""),
    ("refusal.list", "refusals", ""),
    ("letter.list", "letters list", ""),
    ("letter.retry", "letters retry x", ""),
    ("letter.discard", "letters discard x", ""),
    ("hygiene.get", "hygiene show", ""),
    ("hygiene.set", "hygiene set group.most=5", ""),
    ("hygiene.preview", "hygiene preview", ""),
    ("hygiene.run", "hygiene run", ""),
    ("index.rebuild", "index rebuild", ""),
    ("hook.list", "hooks list", ""),
    ("model.list", "models list", ""),
    ("model.detect", "models detect", ""),
    ("model.set", "models set demo --kind demo", ""),
    ("model.remove", "models remove x", ""),
    ("model.test", "models test x", ""),
    ("source.list", "sources list", ""),
    ("source.get", "sources show channel:x", ""),
    ("source.enable", "sources enable channel:x", ""),
    ("source.restart", "sources restart channel:x", ""),
    ("source.configure", "sources set channel:x a=1", ""),
    ("source.secret", "sources secret channel:x token", "secret"),
    (
        "source.add",
        "sources add -",
        r#"{"name":"Notes","type":"local","local":{"path":"/x"}}"#,
    ),
    ("source.remove", "sources remove mcp:x:y", ""),
    ("source.test", "sources test mcp:x:y", ""),
    ("source.document", "sources edit mcp:x:y", ""),
    ("source.write", "sources edit mcp:x:y --config -", "{}"),
    ("source.tools", "sources tools mcp:x:y", ""),
    ("tool.try", "sources try x {}", ""),
    ("elicitation.list", "elicitations list", ""),
    ("elicitation.answer", "elicitations answer x decline", ""),
    ("oauth.providers", "oauth providers", ""),
    ("oauth.configure", "oauth configure x --client-id y", ""),
    ("oauth.remove", "oauth remove x", ""),
    ("oauth.begin", "sources login service:x:y --no-open", ""),
    ("oauth.get", "sources login service:x:y --no-open", ""),
    ("oauth.accounts", "oauth accounts", ""),
    ("oauth.revoke", "sources logout service:x:y", ""),
    ("channel.policy", "channels policy x", ""),
    ("channel.setup", "channels setup x", ""),
    ("channel.probe", "channels probe x", ""),
    ("channel.audit", "channels audit x", ""),
    ("channel.directory", "channels directory x", ""),
    ("channel.logout", "channels logout x -y", ""),
    ("account.add", "channels accounts add x work", ""),
    ("account.remove", "channels accounts remove x@work -y", ""),
    ("plugin.list", "plugins list", ""),
    ("plugin.reload", "plugins reload x", ""),
    ("plugin.enable", "plugins enable x", ""),
    ("plugin.get", "plugins inspect x", ""),
    ("plugin.discovery", "plugins discovery", ""),
    ("plugin.install", "plugins install . -y", ""),
    ("plugin.create", "plugins new x --install", ""),
    ("plugin.trust", "plugins trust x -y", ""),
    ("plugin.revoke", "plugins revoke x", ""),
    ("plugin.uninstall", "plugins uninstall x -y", ""),
    ("plugin.configure", "plugins set x a=1", ""),
    ("plugin.secret", "plugins secret x token", "secret"),
    ("command.list", "commands", ""),
    ("command.run", "run x", ""),
    ("tool.list", "tools list", ""),
    ("pairing.list", "pair list", ""),
    ("pairing.approve", "pair approve ABCD2345", ""),
    ("pairing.deny", "pair deny ABCD2345", ""),
    ("trace.list", "trace", ""),
    ("trace.get", "trace x", ""),
    ("trace.report", "trace x --report", ""),
    ("trace.rules", "trace rules", ""),
    ("trace.configure", "trace rules --keep 10", ""),
    ("gateway.state", "gateway", ""),
    ("device.list", "devices list", ""),
    ("device.pair", "devices pair --no-wait", ""),
    ("device.revoke", "devices revoke x", ""),
    ("update.get", "update", ""),
    ("update.check", "update check", ""),
    ("update.install", "update install 2.0.0", ""),
    ("update.dismiss", "update dismiss 2.0.0", ""),
    ("update.configure", "update configure --channel beta", ""),
    ("workspace.list", "workspaces list", ""),
    ("workspace.get", "workspaces show x", ""),
    ("workspace.create", "workspaces create Work", ""),
    ("workspace.update", "workspaces set x --name Work", ""),
    ("workspace.activate", "workspaces use x", ""),
    ("skill.list", "skills list --workspace x", ""),
    ("skill.get", "skills show y --workspace x", ""),
    (
        "skill.write",
        "skills write y --workspace x",
        "---\nname: Y\ndescription: why\n---\n",
    ),
    ("skill.remove", "skills remove y --workspace x", ""),
    ("preference.get", "preferences show", ""),
    ("preference.set", "preferences set name=Mara", ""),
    ("session.notes", "notes x", ""),
    ("session.export", "export x", ""),
    ("usage.get", "usage", ""),
    ("file.find", "files x", ""),
    ("session.git", "git x", ""),
    ("system.restart", "restart", ""),
    ("crash.list", "crashes", ""),
    ("crash.dismiss", "crashes dismiss x", ""),
    ("doctor.run", "doctor", ""),
    ("security.audit", "security audit", ""),
    ("import.find", "import find", ""),
    ("import.run", "import run --items x -y", ""),
    ("system.pause", "pause --minutes 30", ""),
    ("attention.list", "attention list", ""),
    ("attention.answer", "attention answer approval:x once", ""),
    ("backup.list", "backup list", ""),
    ("backup.create", "backup create", ""),
];

const MESSAGE: &str = r#"{"channel":"telegram","message":{"account":"1","messageId":"1","conversation":"1","chatType":"direct","thread":null,
    "sender":{"id":"1","name":null,"isBot":false},"text":"hi","replyTo":null,"mentionsBot":true,"sentAt":1,"attachments":[]}}"#;

/// The smallest value a schema takes. Names of types that have a form of their own are known.
fn smallest(schema: &Value, defs: &Value, depth: usize) -> Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        return match name {
            "SourceId" => json!("channel:x"),
            "Json" => json!({}),
            _ if depth > 12 => Value::Null,
            _ => smallest(&defs[name], defs, depth + 1),
        };
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(first) = schema.get("enum").and_then(|e| e.get(0)) {
        return first.clone();
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(all) = schema.get(several).and_then(Value::as_array) {
            let null = all.iter().any(|one| one.get("type") == Some(&json!("null")));
            return if null { Value::Null } else { smallest(&all[0], defs, depth + 1) };
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) if kinds.contains(&json!("null")) => return Value::Null,
        Some(Value::Array(kinds)) => kinds[0].as_str().unwrap_or_default(),
        Some(Value::String(kind)) => kind,
        _ => "",
    };
    match kind {
        "string" => json!("x"),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(0)),
        "boolean" => json!(true),
        "array" => json!([]),
        "null" => Value::Null,
        _ => {
            let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
            let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            let needed = properties.iter().filter(|(name, _)| required.contains(&json!(name)));
            Value::Object(
                needed
                    .map(|(name, schema)| (name.clone(), smallest(schema, defs, depth + 1)))
                    .collect::<Map<_, _>>(),
            )
        }
    }
}

/// Answers every operation by its schema, and notes which were asked for.
struct Answers {
    schema: Value,
    asked: Mutex<BTreeSet<String>>,
}

impl Answers {
    fn new() -> Arc<Self> {
        let text = include_str!("../../../../../docs/schema/operations.schema.json");
        Arc::new(Self {
            schema: serde_json::from_str(text).unwrap(),
            asked: Mutex::default(),
        })
    }

    fn answer(&self, op: &str) -> Value {
        self.asked.lock().unwrap().insert(op.to_owned());
        let defs = &self.schema["$defs"];
        let mut answer = smallest(&self.schema["operations"][op]["result"], defs, 0);
        let one = |name: &str| smallest(&defs[name], defs, 0);
        // Some commands go on only when what they look at is there.
        match op {
            "import.find" => {
                answer = json!([{"from": "openclaw", "path": "/x", "title": "OpenClaw", "items": [
                {"id": "x", "label": "X", "detail": "", "importable": true, "proposed": true, "reason": null}]}])
            }
            "plugin.get" => answer["summary"]["trust"] = json!("untrusted"),
            "device.list" => answer = json!([one("Device")]),
            "trace.list" => answer = json!([one("Trace")]),
            "oauth.get" | "oauth.begin" => answer["progress"] = json!({"kind": "done", "account": null}),
            "channel.setup" => answer = json!({"kind": "done", "account": "x", "name": "X"}),
            _ => {}
        }
        answer
    }
}

/// The line, run against the fake.
async fn ran(answers: &Arc<Answers>, line: &str, typed: &str, json: bool) -> Ran {
    let asked = Arc::clone(answers);
    let house = house(move |_, op, _| Ok(asked.answer(op))).await;
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if json {
        words.insert(0, "--json");
    }
    run(house.home.path(), TOKEN, &words, typed).await
}

#[test]
fn every_operation_has_a_command_or_a_reason() {
    let commands: BTreeSet<&str> = COMMANDS.iter().map(|(op, ..)| *op).collect();
    let excepted: BTreeSet<&str> = EXCEPTIONS.iter().map(|(op, _)| *op).collect();
    let missing: Vec<&str> = OPERATIONS
        .iter()
        .map(|op| op.name)
        .filter(|op| !commands.contains(op) && !excepted.contains(op))
        .collect();
    assert!(missing.is_empty(), "no command reaches {missing:?}: add one, and its line here");
    let both: Vec<_> = commands.intersection(&excepted).collect();
    assert!(both.is_empty(), "{both:?} have a command: take them from the exceptions");
    for op in commands.into_iter().chain(excepted) {
        assert!(kata_protocol::ops::find(op).is_some(), "{op} is no operation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_the_table_reaches_its_operation() {
    let mut missed = Vec::new();
    for (op, line, typed) in COMMANDS {
        if ENDLESS.contains(op) {
            continue;
        }
        let answers = Answers::new();
        let ran = ran(&answers, line, typed, false).await;
        if !answers.asked.lock().unwrap().contains(*op) {
            missed.push(format!("{op}: `kata {line}` does not reach it: {ran:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Commands that wait for what a fake never says; their own tests are in `talk` and `commands`.
const ENDLESS: &[&str] = &["session.create", "session.submit", "system.shutdown", "system.restart"];

#[tokio::test(flavor = "multi_thread")]
async fn with_json_every_command_answers_with_json_and_nothing_else() {
    let mut wrong = Vec::new();
    for (op, line, typed) in COMMANDS {
        // A file's bytes and a report for a bug are what they are.
        if ENDLESS.contains(op) || ["session.attachment"].contains(op) {
            continue;
        }
        let ran = ran(&Answers::new(), line, typed, true).await;
        let lines = || ran.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok());
        if !(serde_json::from_str::<Value>(&ran.out).is_ok() || (!ran.out.trim().is_empty() && lines())) && ran.code == 0 {
            wrong.push(format!("kata --json {line}: {ran:?}"));
        }
        if ran.code != 0 && serde_json::from_str::<Value>(ran.err.lines().last().unwrap_or_default()).is_err() {
            wrong.push(format!("kata --json {line}: an error that is no JSON: {ran:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_manual_has_a_page_for_each_command_and_needs_no_engine() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("man");
    let ran = run(home.path(), TOKEN, &["man", "--out", folder.to_str().unwrap(), "--json"], "").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(page("kata.1").contains(".TH") && page("kata.1").contains("Exit codes"));
    for name in ["kata-sessions.1", "kata-import.1", "kata-channels.1"] {
        assert!(page(name).starts_with(".ie"), "{name} is a page");
    }
    assert!(ran.json()["pages"].as_array().unwrap().len() > 30);
}
