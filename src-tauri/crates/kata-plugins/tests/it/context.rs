//! The rarer parts of `ctx` at the boundary: sessions, events for clients, files. Each needs its capability, and a denial
//! names the key that is missing.

use crate::support::*;
use serde_json::{Value, json};
use std::path::Path;

/// A plugin with these capabilities that evaluates `args.code` with `ctx`, and answers JSON or the error's code and words.
async fn evaluator(bench: &Bench, id: &str, capabilities: &[&str]) {
    *bench.backend.files.lock().unwrap() = Some(bench.root().join("files"));
    std::fs::create_dir_all(bench.root().join("files/workspace")).unwrap();
    let mut manifest = manifest(id);
    manifest["capabilities"] = json!(
        capabilities
            .iter()
            .chain(["hooks:conversation", "hooks:gate"].iter())
            .collect::<Vec<_>>()
    );
    let body = "const F = Object.getPrototypeOf(async function () {}).constructor;\n\
      try { return JSON.stringify(await new F('ctx', args.code)(ctx)) ?? 'undefined'; } catch (e) { return `${e.code ?? e.name}: ${e.message}`; }";
    let module = tool_module(id, body).replace("execute(args", "async execute(args");
    bench.activate(bench.write(id, &manifest, &[("index.ts", &module)])).await.unwrap();
}

async fn run(bench: &Bench, id: &str, code: &str) -> String {
    bench.tool(id, json!({ "code": code })).await.text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_need_a_capability_each_and_events_are_small() {
    let bench = Bench::new();
    evaluator(&bench, "none", &[]).await;
    evaluator(&bench, "some", &["sessions:read", "sessions:submit"]).await;
    let denied = |what: &str| format!("forbidden: the manifest does not list the capability “{what}”");
    assert_eq!(
        run(&bench, "none", "return await ctx.sessions.list()").await,
        denied("sessions:read")
    );
    let submit = "return (await ctx.sessions.submit('260101-a-b', 'hi', { idempotencyKey: 'k' })).trace";
    assert_eq!(run(&bench, "none", submit).await, denied("sessions:submit"));
    assert_eq!(run(&bench, "some", "return await ctx.sessions.list()").await, "[]");
    assert_eq!(run(&bench, "some", submit).await, r#""t1""#);
    let wanted = ("some".to_owned(), "260101-a-b".to_owned(), "hi".to_owned(), Some("k".to_owned()));
    assert_eq!(*bench.backend.submitted.lock().unwrap(), [wanted]);

    assert_eq!(run(&bench, "none", "return await ctx.emit('tick', { n: 1 })").await, "undefined");
    let emitted = ("none".to_owned(), "tick".to_owned(), json!({ "n": 1 }));
    assert_eq!(*bench.backend.emitted.lock().unwrap(), [emitted]);
    let large = run(&bench, "none", "return await ctx.emit('tick', 'x'.repeat(17000))").await;
    assert!(large.starts_with("TypeError: emit: the payload has 17002 bytes"), "{large}");
    let flood = run(&bench, "none", "for (let i = 0; i < 700; i++) await ctx.emit('tick', i)").await;
    assert_eq!(flood, "TypeError: emit: at most 600 events a minute");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugins_own_folder_is_read_written_listed_and_bounded() {
    let bench = Bench::new();
    evaluator(&bench, "own", &["files:state"]).await;
    evaluator(&bench, "other", &["files:state"]).await;
    let code = "const f = ctx.files.state; await f.write('a/b.txt', 'grüße'); await f.write('raw', new Uint8Array([1, 255])); await f.write('a/b.txt', 'neu');\n\
      const out = [await f.readText('a/b.txt'), [...await f.read('raw')], await f.list(), await f.list('a')]; await f.delete('raw'); await f.delete('never'); out.push((await f.list()).length); return out";
    assert_eq!(
        run(&bench, "own", code).await,
        r#"["neu",[1,255],[{"name":"a","kind":"folder","bytes":0},{"name":"raw","kind":"file","bytes":2}],[{"name":"b.txt","kind":"file","bytes":3}],1]"#
    );
    assert_eq!(
        std::fs::read_to_string(bench.root().join("files/services/own/a/b.txt")).unwrap(),
        "neu"
    );
    assert_eq!(
        run(&bench, "other", "return await ctx.files.state.list()").await,
        "[]",
        "another plugin sees nothing of it"
    );
    let missing = run(&bench, "own", "await ctx.files.state.read('a/c')").await;
    assert_eq!(missing, "not_found: files: “a/c” does not exist");
    let large = run(&bench, "own", "await ctx.files.state.write('big', new Uint8Array((1 << 20) + 1))").await;
    assert_eq!(large, "TypeError: files: a file has at most 1048576 bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_reads_and_writes_nothing_outside_its_folders() {
    let bench = Bench::new();
    evaluator(&bench, "own", &["files:state", "files:workspace:rw"]).await;
    evaluator(&bench, "reader", &["files:workspace:ro"]).await;
    let files = bench.root().join("files");
    std::fs::create_dir_all(files.join("services/own")).unwrap();
    std::fs::create_dir_all(files.join("services/other")).unwrap();
    for secret in ["services/other/secret", "secret"] {
        std::fs::write(files.join(secret), "canary").unwrap();
    }
    for folder in ["extensions/x", "sessions/y", "notes"] {
        std::fs::create_dir_all(files.join("workspace").join(folder)).unwrap();
        std::fs::write(files.join("workspace").join(folder).join("f"), "canary").unwrap();
    }
    #[cfg(unix)]
    for (link, to) in [("services/own/out", "services/other"), ("services/own/file", "secret")] {
        std::os::unix::fs::symlink(files.join(to), files.join(link)).unwrap();
    }
    for path in [
        "../other/secret",
        "a/../../other/secret",
        "/etc/passwd",
        "..\\\\other",
        "C:x",
        "",
        "a\\0b",
        "out/secret",
        "file",
        "./../../secret",
    ] {
        for code in [
            format!("return await ctx.files.state.readText('{path}')"),
            format!("await ctx.files.state.write('{path}', 'x')"),
        ] {
            let said = run(&bench, "own", &code).await;
            let refused = ["forbidden:", "invalid:", "not_found:"].iter().any(|start| said.starts_with(start));
            assert!(refused && !said.contains("canary"), "{code}: {said}");
        }
    }
    for path in ["extensions/x/f", "sessions/y/f", "Extensions/x/f", "./extensions/x/f"] {
        let said = run(&bench, "own", &format!("return await ctx.files.workspace.readText('{path}')")).await;
        assert!(said.starts_with("forbidden:") || said.starts_with("not_found:"), "{path}: {said}");
    }
    assert_eq!(
        run(&bench, "own", "return (await ctx.files.workspace.list()).map((e) => e.name)").await,
        r#"["notes"]"#
    );
    assert_eq!(
        run(&bench, "reader", "return await ctx.files.workspace.readText('notes/f')").await,
        r#""canary""#
    );
    let denied = run(&bench, "reader", "await ctx.files.workspace.write('notes/f', 'x')").await;
    assert_eq!(
        denied,
        "forbidden: files: the manifest does not list the capability “files:workspace:rw”"
    );
    let denied = run(&bench, "reader", "await ctx.files.state.list()").await;
    assert_eq!(denied, "forbidden: files: the manifest does not list the capability “files:state”");
    bench.host.revoke(&id("own"), "files:state");
    let denied = run(&bench, "own", "await ctx.files.state.list()").await;
    assert_eq!(denied, "forbidden: files: the capability “files:state” has not been granted");
    unchanged(&files);
}

fn unchanged(files: &Path) {
    for kept in ["services/other/secret", "secret", "workspace/extensions/x/f", "workspace/notes/f"] {
        assert_eq!(std::fs::read_to_string(files.join(kept)).unwrap(), "canary", "{kept}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_reads_neither_the_secrets_nor_the_state_of_another() {
    let bench = Bench::new();
    evaluator(&bench, "one", &["secret:token"]).await;
    evaluator(&bench, "two", &["secret:token"]).await;
    bench.backend.secrets.lock().unwrap().insert("one/token".into(), "of one".into());
    run(&bench, "one", "await ctx.state.set('k', 'of one')").await;
    let both = "return [await ctx.secrets.get('token'), await ctx.state.get('k')]";
    assert_eq!(run(&bench, "one", both).await, r#"["of one","of one"]"#);
    assert_eq!(run(&bench, "two", both).await, "[null,null]");
    for name in ["../one/token", "one/token", "token "] {
        let said = run(&bench, "two", &format!("return await ctx.secrets.get('{name}')")).await;
        assert!(said.starts_with("forbidden: the manifest does not list"), "{name}: {said}");
    }
    let none: Value = json!([]);
    assert_eq!(run(&bench, "two", "return Object.keys(globalThis)").await, none.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_gets_a_token_of_a_provider_it_declared_and_was_granted_and_a_refused_one_is_renewed() {
    let bench = Bench::new();
    evaluator(&bench, "mail", &["oauth:google:mail,calendar"]).await;
    evaluator(&bench, "none", &[]).await;
    let token = "const t = await ctx.oauth.token('google'); return [t.accessToken, t.expiresAt, t.scopes, t.account === undefined]";
    assert_eq!(
        run(&bench, "none", token).await,
        "forbidden: the manifest does not list the capability “oauth:google:SCOPES”"
    );
    assert_eq!(run(&bench, "mail", token).await, "needs_user: nobody is signed in at google");
    bench.backend.accounts.lock().unwrap().insert("google".into(), "first".into());
    assert_eq!(run(&bench, "mail", token).await, r#"["first",7,["mail","calendar"],true]"#);
    let other = run(&bench, "mail", "return await ctx.oauth.token('github')").await;
    assert!(other.starts_with("forbidden: "), "{other}");
    let refused = "await ctx.oauth.refused('google', 'first'); await ctx.oauth.refused('google', 'first'); return (await ctx.oauth.token('google')).accessToken";
    assert_eq!(run(&bench, "mail", refused).await, r#""renewed for mail""#);
    let foreign = run(&bench, "none", "return await ctx.oauth.refused('google', 'x')").await;
    assert!(foreign.starts_with("forbidden: "), "{foreign}");
    bench
        .host
        .revoke(&kata_protocol::PluginId::new("mail").unwrap(), "oauth:google:mail,calendar");
    assert_eq!(
        run(&bench, "mail", token).await,
        "forbidden: the capability “oauth:google:mail,calendar” has not been granted"
    );
}
