//! Putting plugins in and taking them out, new ones for authors, folders that come and go, and signed updates: on the real
//! engine.

use crate::trust::{becomes, enable, extensions, get, id, manifest, module, trust, trusted, write_plugin};
use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use minisign::KeyPair;
use serde_json::json;
use std::io::Cursor;
use std::path::Path;

async fn install(engine: &TestEngine, path: &Path, replace: bool) -> Result<PluginDetail, WireError> {
    let params = PluginInstall {
        path: path.display().to_string(),
        replace: Some(replace),
    };
    engine.ops.plugin_install(&caller(), params).await
}

async fn create(engine: &TestEngine, plugin: &str, template: PluginTemplate) -> Result<PluginDetail, WireError> {
    let params = PluginCreate {
        id: id(plugin),
        template,
        name: None,
    };
    engine.ops.plugin_create(&caller(), params).await
}

/// Names in the extensions folder.
fn names(engine: &TestEngine) -> Vec<String> {
    let entries = std::fs::read_dir(extensions(&engine.home)).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Signs a folder as its author would, with the `minisign` crate.
fn sign(folder: &Path, hash: &str, pair: &KeyPair) {
    let signature = minisign::sign(Some(&pair.pk), &pair.sk, Cursor::new(format!("{hash}\n")), Some("a release"), None).unwrap();
    std::fs::write(folder.join("kata-plugin.minisig"), signature.into_string()).unwrap();
}

/// A plugin in a folder of its own, signed.
fn signed(at: &Path, version: &str, capabilities: &[&str], answer: &str, pair: &KeyPair) {
    let more = json!({ "version": version, "capabilities": capabilities });
    write_plugin(at, &manifest("pub", more), &module("pub", answer));
    std::fs::write(at.join("kata-plugin.pub"), pair.pk.to_box().unwrap().into_string()).unwrap();
    let hash = kata_plugins::Contents::read(at).unwrap().hash().to_owned();
    sign(at, &hash, pair);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installed_plugin_waits_and_one_that_is_there_is_replaced_only_on_request_and_kept_in_the_trash() {
    let engine = TestEngine::start(TestHome::new()).await;
    let source = engine.home.dir.path().join("source");
    write_plugin(&source, &manifest("shout", json!({})), &module("shout", "one"));
    let detail = install(&engine, &source, false).await.unwrap();
    assert_eq!(detail.summary.trust, TrustState::Untrusted);
    assert_eq!(detail.history[0].action, GrantAction::Installed);
    assert!(detail.history[0].detail.contains(&source.display().to_string()));
    assert_eq!(names(&engine), ["shout"]);

    let again = install(&engine, &source, false).await.unwrap_err();
    assert_eq!((again.code, again.hint.unwrap().contains("--replace")), (ErrorCode::Conflict, true));
    trusted(&engine.ops, "shout", false).await;

    // The same as a .tgz, with other contents: the trusted version goes on, the new one asks.
    write_plugin(&source, &manifest("shout", json!({ "version": "2.0.0" })), &module("shout", "two"));
    let archive = engine.home.dir.path().join("shout.tgz");
    kata_plugins::pack(&source, std::fs::File::create(&archive).unwrap()).unwrap();
    let detail = install(&engine, &archive, true).await.unwrap();
    assert_eq!((detail.summary.trust, detail.summary.generation), (TrustState::Changed, 1));
    assert_eq!(detail.change.unwrap().to_version, "2.0.0");
    assert_eq!(names(&engine), [".trash", "shout"]);
    let trash: Vec<_> = std::fs::read_dir(extensions(&engine.home).join(".trash")).unwrap().collect();
    assert_eq!(trash.len(), 1);

    let uninstall = PluginRef { id: id("shout") };
    engine.ops.plugin_uninstall(&caller(), uninstall).await.unwrap();
    assert_eq!(names(&engine), [".trash"]);
    assert_eq!(
        engine
            .ops
            .plugin_get(&caller(), PluginRef { id: id("shout") })
            .await
            .unwrap_err()
            .code,
        ErrorCode::NotFound
    );
    let tools = engine.ops.tool_list(&caller(), Empty {}).await.unwrap();
    assert!(tools.iter().all(|t| t.name != "shout"), "it was brought down");
    // The same files again: the trust went with the plugin.
    assert_eq!(install(&engine, &source, false).await.unwrap().summary.trust, TrustState::Untrusted);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_over_a_plugin_in_development_is_no_edit_and_asks() {
    let engine = TestEngine::start(TestHome::new()).await;
    create(&engine, "mine", PluginTemplate::Tool).await.unwrap();
    let source = engine.home.dir.path().join("theirs");
    write_plugin(&source, &manifest("mine", json!({})), &module("mine", "not yours"));
    let detail = install(&engine, &source, true).await.unwrap();
    assert_eq!(detail.summary.trust, TrustState::Changed);
    assert!(!detail.grant.unwrap().development);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_archive_a_bad_manifest_and_a_bundled_id_are_refused_and_leave_nothing_behind() {
    let engine = TestEngine::start(TestHome::new()).await;
    let folder = engine.home.dir.path().to_owned();
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..8].copy_from_slice(b"../evil\0");
    header.set_size(4);
    header.set_cksum();
    let mut tar = header.as_bytes().to_vec();
    tar.extend(b"evil");
    tar.resize(2048, 0);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, &tar).unwrap();
    std::fs::write(folder.join("slip.tgz"), gz.finish().unwrap()).unwrap();
    let slip = install(&engine, &folder.join("slip.tgz"), false).await.unwrap_err();
    assert!(
        slip.code == ErrorCode::Invalid && slip.message.contains("leads out"),
        "{}",
        slip.message
    );

    write_plugin(&folder.join("bad"), &manifest("bad", json!({ "api": "2" })), &module("bad", ""));
    let bad = install(&engine, &folder.join("bad"), false).await.unwrap_err();
    assert!(bad.message.contains("kata-plugin.json: api:"), "{}", bad.message);
    assert!(bad.hint.unwrap().contains("write \"1\""));

    write_plugin(&folder.join("echo"), &manifest("echo", json!({})), &module("echo", ""));
    let bundled = install(&engine, &folder.join("echo"), true).await.unwrap_err();
    assert!(bundled.message.contains("shipped with the app"), "{}", bundled.message);

    let relative = install(&engine, Path::new("somewhere"), false).await.unwrap_err();
    assert!(relative.message.contains("absolute"), "{}", relative.message);
    assert!(names(&engine).is_empty(), "{:?}", names(&engine));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_plugin_of_every_template_just_works_and_is_in_development_mode() {
    let engine = TestEngine::start(TestHome::new()).await;
    for (plugin, template) in [
        ("a-tool", PluginTemplate::Tool),
        ("a-hook", PluginTemplate::Hook),
        ("a-channel", PluginTemplate::Channel),
        ("a-service", PluginTemplate::Service),
    ] {
        let detail = create(&engine, plugin, template).await.unwrap();
        assert_eq!(
            (detail.summary.trust, detail.summary.enabled, &detail.summary.status.state),
            (TrustState::Development, true, &RunState::Running),
            "{plugin}: {:?}",
            detail.summary.status
        );
        assert!(detail.wanted.iter().all(|c| c.granted), "{plugin}");
    }
    let taken = create(&engine, "a-tool", PluginTemplate::Hook).await.unwrap_err();
    assert_eq!(taken.code, ErrorCode::Conflict);
    let odd = create(&engine, "A Tool", PluginTemplate::Hook).await.unwrap_err();
    assert_eq!((odd.code, odd.message.contains("“id”")), (ErrorCode::Invalid, true));

    // A message handed in takes the way of the channel's own: the front door asks a stranger for a code.
    let inject = PluginInject {
        id: id("a-channel"),
        channel: None,
        text: "hello".into(),
        sender: None,
        conversation: None,
    };
    let answer = engine.ops.plugin_inject(&caller(), inject.clone()).await.unwrap().answer;
    assert!(matches!(answer, IngressAnswer::Refused { .. }), "{answer:?}");
    let wrong = PluginInject {
        channel: Some("telegram".into()),
        ..inject.clone()
    };
    assert!(
        engine
            .ops
            .plugin_inject(&caller(), wrong)
            .await
            .unwrap_err()
            .message
            .contains("“channel”")
    );
    let none = PluginInject {
        id: id("a-tool"),
        ..inject
    };
    assert_eq!(
        engine.ops.plugin_inject(&caller(), none).await.unwrap_err().code,
        ErrorCode::Conflict
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_comes_is_found_and_one_that_goes_takes_its_plugin_and_its_channel_along_but_not_its_data() {
    let engine = TestEngine::start(TestHome::new()).await;
    let folder = extensions(&engine.home).join("a-channel");
    create(&engine, "a-channel", PluginTemplate::Channel).await.unwrap();
    let channels = async || {
        let sources = engine.ops.source_list(&caller(), Empty {}).await.unwrap();
        sources.into_iter().filter(|s| s.plugin == Some(id("a-channel"))).count()
    };
    assert!(channels().await > 0);
    std::fs::rename(&folder, engine.home.dir.path().join("away")).unwrap();
    eventually("the plugin is gone", async || {
        let plugins = engine.ops.plugin_list(&caller(), Empty {}).await.ok()?;
        plugins.iter().all(|p| p.id != id("a-channel")).then_some(())
    })
    .await;
    eventually("its channel is gone", async || (channels().await == 0).then_some(())).await;
    std::fs::rename(engine.home.dir.path().join("away"), &folder).unwrap();
    let back = becomes(&engine, "a-channel", "comes back and runs", |p| p.status.state == RunState::Running).await;
    assert_eq!(back.trust, TrustState::Development, "its grant was kept");

    // Dropped in by hand, one file at a time.
    let dropped_in = extensions(&engine.home).join("by-hand");
    write_plugin(&dropped_in, &manifest("by-hand", json!({})), &module("by-hand", "x"));
    becomes(&engine, "by-hand", "is found", |p| p.trust == TrustState::Untrusted).await;
    let discovery = engine.ops.plugin_discovery(&caller(), Empty {}).await.unwrap();
    let roots: Vec<_> = discovery.roots.iter().map(|r| r.origin).collect();
    assert_eq!(roots[..2], [PluginOrigin::Bundled, PluginOrigin::Global]);
    assert!(discovery.roots[1].exists);
    std::fs::write(
        dropped_in.join("kata-plugin.json"),
        manifest("by-hand", json!({ "api": "7" })).to_string(),
    )
    .unwrap();
    let dropped = eventually("it is dropped with its reason", async || {
        let discovery = engine.ops.plugin_discovery(&caller(), Empty {}).await.ok()?;
        discovery.dropped.into_iter().find(|d| d.path.ends_with("by-hand"))
    })
    .await;
    assert!(
        dropped.reason.contains("api:") && dropped.hint.contains("write \"1\""),
        "{dropped:?}"
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_of_a_workspace_is_told_as_such_and_takes_no_channel_that_another_has() {
    let home = TestHome::new();
    let workspace = home.path().join("workspaces/one");
    std::fs::create_dir_all(workspace.join("sessions")).unwrap();
    let thief = manifest(
        "thief",
        json!({ "contributes": { "channels": ["telegram"] }, "capabilities": ["secret:botToken"] }),
    );
    write_plugin(&workspace.join("extensions/thief"), &thief, "export default () => {};");
    let engine = TestEngine::start(home).await;
    let seen = get(&engine.ops, "thief").await;
    assert_eq!(
        (seen.summary.origin, seen.summary.workspace.unwrap().as_str()),
        (PluginOrigin::Workspace, "one")
    );
    assert!(seen.parts.is_empty(), "the channel is the bundled plugin's");
    let source = SourceRef {
        id: SourceId::new("channel:telegram").unwrap(),
    };
    let source = engine.ops.source_get(&caller(), source).await.unwrap();
    assert_eq!(source.summary.plugin.unwrap().as_str(), "telegram");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_update_of_a_remembered_key_carries_over_and_one_that_asks_for_more_or_is_tampered_with_does_not() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let engine = TestEngine::start(TestHome::new()).await;
    let source = engine.home.dir.path().join("source");
    signed(&source, "1.0.0", &["net:a.example", "net:b.example"], "one", &pair);
    let seen = install(&engine, &source, false).await.unwrap();
    let PluginSignature::Valid {
        known: false,
        comment,
        key_id,
    } = &seen.signature
    else {
        panic!("{:?}", seen.signature)
    };
    assert_eq!((comment.as_str(), key_id.len()), ("a release", 16));
    let params = PluginTrust {
        id: id("pub"),
        hash: seen.hash,
        capabilities: vec!["net:a.example".into()],
        development: None,
        remember_signer: Some(true),
    };
    engine.ops.plugin_trust(&caller(), params).await.unwrap();
    enable(&engine.ops, "pub").await.unwrap();

    signed(&source, "1.1.0", &["net:a.example", "net:b.example"], "two", &pair);
    let carried = install(&engine, &source, true).await.unwrap();
    assert_eq!(
        (carried.summary.trust, carried.summary.generation),
        (TrustState::Trusted, 2),
        "the update is live without a question"
    );
    assert_eq!(
        carried.grant.unwrap().capabilities,
        ["net:a.example"],
        "what was not granted then is not now"
    );
    assert!(carried.history.iter().any(|e| e.action == GrantAction::CarriedOver));
    assert!(
        carried.history.iter().all(|e| e.action != GrantAction::Changed),
        "{:?}",
        carried.history
    );

    // Somebody changes a file of the signed version.
    let installed = extensions(&engine.home).join("pub");
    std::fs::write(installed.join("index.ts"), module("pub", "tampered")).unwrap();
    let tampered = becomes(&engine, "pub", "is refused", |p| p.status.code == "refused").await;
    assert!(
        tampered.status.message.contains("does not fit the files"),
        "{}",
        tampered.status.message
    );
    assert_eq!((tampered.trust, tampered.generation), (TrustState::Changed, 2));
    let hash = get(&engine.ops, "pub").await.hash;
    let refused = trust(&engine.ops, "pub", &hash, &[], false).await.unwrap_err();
    assert!(
        refused.code == ErrorCode::Conflict && refused.message.contains("does not fit"),
        "{}",
        refused.message
    );
    assert!(enable(&engine.ops, "pub").await.unwrap_err().message.contains("does not fit"));

    // The author asks for more: signed, and still a question.
    signed(&source, "2.0.0", &["net:a.example", "net:b.example", "hooks:gate"], "three", &pair);
    let more = install(&engine, &source, true).await.unwrap();
    assert_eq!(more.summary.trust, TrustState::Changed);
    assert_eq!(more.change.unwrap().capabilities_added, ["hooks:gate"]);
    assert!(matches!(more.signature, PluginSignature::Valid { known: true, .. }));

    // Another author, with a key of their own in the folder: no update.
    let other = KeyPair::generate_unencrypted_keypair().unwrap();
    signed(&source, "2.0.1", &["net:a.example"], "stranger", &other);
    let stranger = install(&engine, &source, true).await.unwrap();
    assert_eq!(stranger.summary.trust, TrustState::Changed);
    assert!(matches!(stranger.signature, PluginSignature::Valid { known: false, .. }));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_signer_is_unknown_again_and_what_was_trusted_stays_trusted() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let home = TestHome::new();
    let source = home.dir.path().join("source");
    signed(&source, "1.0.0", &[], "one", &pair);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let run = |args: &[&str]| tokio::task::block_in_place(|| kata.run(args));
    let json = |args: &[&str]| tokio::task::block_in_place(|| kata.json(args));
    let failed = |args: &[&str]| {
        let output = run(args);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(json(&["plugins", "signers"]), json!([]));
    let path = source.display().to_string();
    json(&["plugins", "install", &path, "-y"]);
    json(&["plugins", "trust", "pub", "--remember-signer", "-y"]);
    json(&["plugins", "enable", "pub"]);
    let signers = json(&["plugins", "signers"]);
    let key = signers[0]["keyId"].as_str().unwrap().to_owned();
    assert_eq!(signers[0]["plugins"], json!(["pub"]));
    assert_eq!(signers[0]["key"], json!(pair.pk.to_base64()));
    assert!(signers[0]["rememberedAt"].as_u64().unwrap() > 0);

    let (code, words) = failed(&["plugins", "signers", "forget", "0123456789ABCDEF", "-y"]);
    assert!(
        code == Some(1) && words.contains("no key “0123456789ABCDEF” is remembered"),
        "{words}"
    );
    let (code, words) = failed(&["plugins", "signers", "forget", "nonsense", "-y"]);
    assert!(code == Some(2) && words.contains("16 hexadecimal digits"), "{words}");
    let (code, words) = failed(&["plugins", "signers", "forget", &key]);
    assert!(code != Some(0) && words.contains("-y"), "nobody is there to be asked: {words}");
    assert_eq!(json(&["plugins", "signers"]).as_array().unwrap().len(), 1);

    // As a client writes it who did not copy it.
    assert_eq!(json(&["plugins", "signers", "forget", &key.to_lowercase(), "-y"]), json!([]));
    let seen = json(&["plugins", "inspect", "pub"]);
    assert_eq!(
        (&seen["summary"]["trust"], &seen["summary"]["enabled"]),
        (&json!("trusted"), &json!(true))
    );
    assert_eq!(
        (&seen["grant"]["signer"], &seen["signature"]["known"]),
        (&json!(null), &json!(false))
    );
    assert_eq!(seen["history"][0]["action"], json!("signer_forgotten"));

    // The same author's next version asks, also after a restart.
    serve.stop().await;
    let serve = kata.serve(None).await;
    assert_eq!(json(&["plugins", "inspect", "pub"])["summary"]["trust"], json!("trusted"));
    assert_eq!(json(&["plugins", "signers"]), json!([]));
    signed(&source, "1.1.0", &[], "two", &pair);
    run(&["plugins", "install", &path, "--replace"]);
    let seen = json(&["plugins", "inspect", "pub"]);
    assert_eq!(
        (&seen["summary"]["trust"], &seen["signature"]["known"]),
        (&json!("changed"), &json!(false))
    );
    serve.stop().await;

    let store = kata_store::SqliteStore::open(&home.path().join("kata.db")).unwrap();
    let audit = store.audit(50).await.unwrap();
    assert!(
        audit
            .iter()
            .any(|line| line.action == "plugin.forget_signer" && line.subject == key),
        "{audit:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_whose_signer_was_forgotten_and_whose_key_is_gone_run_as_they_were_trusted_and_no_other_version_does() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let home = TestHome::new();
    let installed = extensions(&home).join("pub");
    signed(&installed, "1.0.0", &[], "one", &pair);
    let engine = TestEngine::start(home).await;
    let trust_it = |hash: String| PluginTrust {
        id: id("pub"),
        hash,
        capabilities: Vec::new(),
        development: None,
        remember_signer: Some(true),
    };
    let hash = get(&engine.ops, "pub").await.hash;
    engine.ops.plugin_trust(&caller(), trust_it(hash)).await.unwrap();
    // The next version comes without its key: the remembered one is enough, and carries it over.
    let bare = |version: &str, answer: &str| {
        write_plugin(&installed, &manifest("pub", json!({ "version": version })), &module("pub", answer));
        let _ = std::fs::remove_file(installed.join("kata-plugin.pub"));
        let hash = kata_plugins::Contents::read(&installed).unwrap().hash().to_owned();
        sign(&installed, &hash, &pair);
    };
    bare("1.1.0", "two");
    becomes(&engine, "pub", "is carried over", |p| {
        p.trust == TrustState::Trusted && p.version == "1.1.0"
    })
    .await;
    let key_id = engine.ops.plugin_signers(&caller(), Empty {}).await.unwrap().remove(0).key_id;
    engine
        .ops
        .plugin_forget_signer(&caller(), PluginSignerRef { key_id })
        .await
        .unwrap();
    enable(&engine.ops, "pub").await.unwrap();
    assert_eq!(get(&engine.ops, "pub").await.summary.status.state, RunState::Running);
    bare("1.2.0", "three");
    let refused = becomes(&engine, "pub", "is refused", |p| p.status.code == "refused").await;
    assert!(refused.status.message.contains("not remembered"), "{}", refused.status.message);
    let hash = get(&engine.ops, "pub").await.hash;
    let error = engine.ops.plugin_trust(&caller(), trust_it(hash)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Conflict);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_update_that_came_while_the_app_was_off_runs_at_the_next_start() {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let home = TestHome::new();
    let installed = extensions(&home).join("pub");
    signed(&installed, "1.0.0", &[], "one", &pair);
    let engine = TestEngine::start(home).await;
    let params = PluginTrust {
        id: id("pub"),
        hash: get(&engine.ops, "pub").await.hash,
        capabilities: Vec::new(),
        development: None,
        remember_signer: Some(true),
    };
    engine.ops.plugin_trust(&caller(), params).await.unwrap();
    enable(&engine.ops, "pub").await.unwrap();
    engine.engine.shutdown().await;
    let TestEngine { home, engine, ops } = engine;
    drop((engine, ops));
    signed(&installed, "1.1.0", &[], "two", &pair);
    let engine = TestEngine::start(home).await;
    let summary = becomes(&engine, "pub", "runs", |p| p.status.state == RunState::Running).await;
    assert_eq!((summary.trust, summary.version.as_str()), (TrustState::Trusted, "1.1.0"));
    let actions: Vec<_> = get(&engine.ops, "pub").await.history.iter().map(|e| e.action).collect();
    assert_eq!(actions, [GrantAction::CarriedOver, GrantAction::Enabled, GrantAction::Granted]);
    engine.engine.shutdown().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_extensions_folder_that_is_a_link_is_watched_at_its_real_place_and_new_folders_in_a_plugin_are_seen() {
    let home = TestHome::new();
    let real = home.dir.path().join("my-plugins");
    write_plugin(&real.join("shout"), &manifest("shout", json!({})), &module("shout", "one"));
    std::fs::create_dir_all(home.path()).unwrap();
    std::os::unix::fs::symlink(&real, extensions(&home)).unwrap();
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "shout", true).await;
    // A folder, a file in it, and the module that needs it, in one breath.
    std::fs::create_dir_all(real.join("shout/src/words")).unwrap();
    std::fs::write(real.join("shout/src/words/two.ts"), "export default \"from a new folder\";").unwrap();
    let text = module("shout", "X")
        .replace("\"X\"", "two")
        .replacen("import", "import two from \"./src/words/two.ts\";\nimport", 1);
    std::fs::write(real.join("shout/index.ts"), text).unwrap();
    becomes(&engine, "shout", "is live", |p| {
        p.generation >= 2 && p.status.state == RunState::Running
    })
    .await;
    let generation = get(&engine.ops, "shout").await.summary.generation;
    std::fs::write(real.join("shout/src/words/two.ts"), "export default \"edited\";").unwrap();
    becomes(&engine, "shout", "sees the file below", |p| {
        p.generation > generation && p.status.state == RunState::Running
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_may_choose_a_workspaces_plugin_over_the_global_one_of_the_same_id() {
    let home = TestHome::new();
    let workspace = home.path().join("workspaces/one");
    std::fs::create_dir_all(workspace.join("sessions")).unwrap();
    write_plugin(
        &extensions(&home).join("shout"),
        &manifest("shout", json!({})),
        &module("shout", "global"),
    );
    let own = workspace.join("extensions/shout");
    write_plugin(&own, &manifest("shout", json!({ "version": "9.0.0" })), &module("shout", "own"));
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "shout", true).await;
    let discovery = engine.ops.plugin_discovery(&caller(), Empty {}).await.unwrap();
    assert!(discovery.dropped[0].hint.contains("workspace:one"), "{:?}", discovery.dropped);
    engine.engine.shutdown().await;
    let TestEngine { home, engine, ops } = engine;
    drop((engine, ops));
    home.settings(&json!({ "plugins": { "shout": { "enabled": true, "from": "workspace:one" } } }));
    let engine = TestEngine::start(home).await;
    let seen = get(&engine.ops, "shout").await;
    assert_eq!(
        (seen.summary.version.as_str(), seen.summary.origin),
        ("9.0.0", PluginOrigin::Workspace)
    );
    assert_eq!(
        seen.summary.trust,
        TrustState::Changed,
        "development mode is for one folder, not for an id"
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_whose_required_setting_nobody_gave_asks_for_it_by_name_and_runs_when_it_has_it() {
    let home = TestHome::new();
    let settings = json!({ "type": "object", "required": ["word"], "properties": { "word": { "type": "string", "minLength": 1 } } });
    let manifest = manifest("shy", json!({ "settings": settings }));
    write_plugin(&extensions(&home).join("shy"), &manifest, &module("shy", "yes"));
    let engine = TestEngine::start(home).await;
    let seen = get(&engine.ops, "shy").await;
    trust(&engine.ops, "shy", &seen.hash, &[], false).await.unwrap();
    let error = enable(&engine.ops, "shy").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NeedsUser, "{error:?}");
    assert!(error.message.contains("“word”"), "{error:?}");
    assert!(error.hint.unwrap().contains("kata plugins set shy word="));
    let state = get(&engine.ops, "shy").await.summary.status.state;
    let action = UserAction::Configure { field: "word".into() };
    assert_eq!(state, RunState::NeedsUser { action });

    let configure = PluginConfigure {
        id: id("shy"),
        settings: Json(json!({ "word": "hush" })),
    };
    engine.ops.plugin_configure(&caller(), configure).await.unwrap();
    becomes(&engine, "shy", "runs", |p| p.status.state == RunState::Running).await;
    engine.engine.shutdown().await;
}
