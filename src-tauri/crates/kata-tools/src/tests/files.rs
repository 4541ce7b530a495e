//! The tools on files, and fetching a page.

use super::{Home, put};
use kata_protocol::PermissionMode::{AllowAll, Ask, Safe};
use serde_json::json;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_text_is_shown_with_line_numbers_from_where_it_is_asked() {
    let home = Home::new();
    let all = home.run(Safe, "read", json!({ "path": "a.txt" })).await;
    assert_eq!(all.text, "     1\tone\n     2\ttwo\n     3\tthree\n");
    let part = home.run(Safe, "read", json!({ "path": "a.txt", "offset": 2, "limit": 1 })).await;
    assert_eq!(part.text, "     2\ttwo\n[lines 2 to 2 of 3; go on with offset 3]");
    assert!(home.run(Safe, "read", json!({ "path": "a.txt", "offset": 9 })).await.is_error);
    crate::door::replace(&home.work().join("b.bin"), &[1, 0, 2], None).unwrap();
    let binary = home.run(Safe, "read", json!({ "path": "b.bin" })).await;
    assert!(binary.is_error && binary.text.contains("binary file of 3 bytes"), "{binary:?}");
    put(&home.work().join("long.txt"), &format!("{}\n", "x".repeat(5000)).repeat(3000));
    let long = home.run(Safe, "read", json!({ "path": "long.txt" })).await;
    assert!(!long.is_error && long.text.len() <= 256 * 1024 && long.text.contains("go on with offset"));
    let wrong = home.run(Safe, "read", json!({ "file": "a.txt" })).await;
    assert!(wrong.is_error && wrong.text.contains("path"), "{wrong:?}");
}

#[tokio::test]
async fn a_file_is_written_whole_and_keeps_its_mode() {
    let home = Home::new();
    let script = home.work().join("run.sh");
    put(&script, "old");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).unwrap();
    }
    assert!(!home.run(Ask, "write", json!({ "path": "run.sh", "content": "new" })).await.is_error);
    assert_eq!(std::fs::read_to_string(&script).unwrap(), "new");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&script).unwrap().permissions().mode() & 0o777, 0o750);
    }
    assert!(
        !home
            .run(Ask, "write", json!({ "path": "deep/er/x.txt", "content": "x" }))
            .await
            .is_error
    );
    let left: Vec<_> = std::fs::read_dir(home.work()).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("kata-tmp")), "{left:?}");
}

#[tokio::test]
async fn an_edit_replaces_the_one_place_that_fits_and_refuses_to_guess() {
    let home = Home::new();
    let edit = async |old: &str, new: &str, all: bool| {
        home.run(Ask, "edit", json!({ "path": "a.txt", "old": old, "new": new, "all": all }))
            .await
    };
    assert!(edit("t", "T", false).await.text.contains("2 times"));
    assert!(edit("four", "4", false).await.is_error);
    assert!(edit("", "4", false).await.is_error);
    assert!(!edit("two", "2", false).await.is_error);
    assert!(!edit("e", "E", true).await.is_error);
    assert_eq!(std::fs::read_to_string(home.work().join("a.txt")).unwrap(), "onE\n2\nthrEE\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_put_into_a_path_after_it_was_judged_is_not_followed() {
    let home = Home::new();
    let path = home.path("user/project/later/x.txt");
    let link = |name: &str| std::os::unix::fs::symlink(home.root.join("elsewhere"), home.work().join(name)).unwrap();
    link("later");
    let write = home
        .call(
            AllowAll,
            "write",
            json!({ "path": path, "content": "evil" }),
            CancellationToken::new(),
        )
        .await;
    assert!(write.is_error && write.text.contains("link"), "{write:?}");
    assert!(!home.root.join("elsewhere/x.txt").exists());
    let read = home.path("user/project/later/note.txt");
    let read = home.call(AllowAll, "read", json!({ "path": read }), CancellationToken::new()).await;
    assert!(read.is_error && !read.text.contains("outside"), "{read:?}");
}

#[tokio::test]
async fn searches_leave_out_secrets_and_other_sessions_and_say_so() {
    let home = Home::new();
    put(&home.work().join(".gitignore"), "built/\n");
    put(&home.work().join("built/out.txt"), "one");
    let glob = home.run(Safe, "glob", json!({ "pattern": "**/*" })).await;
    assert!(glob.text.contains("a.txt") && glob.text.contains("src/lib.rs"), "{}", glob.text);
    assert!(!glob.text.contains(".env\n") && !glob.text.contains("built/"), "{}", glob.text);
    assert!(glob.text.contains("1 files that may hold secrets were left out"), "{}", glob.text);
    let grep = home
        .run(Safe, "grep", json!({ "pattern": "verysecret|ONE", "ignoreCase": true }))
        .await;
    assert!(
        grep.text.contains("a.txt:1:one") && grep.text.contains("lib.rs:1:pub fn one"),
        "{}",
        grep.text
    );
    assert!(!grep.text.contains("TOKEN"), "{}", grep.text);
    let only = home
        .run(Safe, "grep", json!({ "pattern": "one", "glob": "*.rs", "filesOnly": true }))
        .await;
    assert!(
        only.text.trim().ends_with("src/lib.rs") && !only.text.contains("a.txt"),
        "{}",
        only.text
    );
    let workspace = home.path("kata/workspaces/ws");
    let sessions = home.run(Safe, "grep", json!({ "pattern": "mine|theirs", "path": workspace })).await;
    assert!(
        sessions.text.contains("mine") && !sessions.text.contains(":theirs"),
        "{}",
        sessions.text
    );
    assert!(home.run(Safe, "grep", json!({ "pattern": "(" })).await.is_error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_this_machine_is_fetched_in_mode_allow_all_only_also_behind_a_redirect() {
    use axum::response::{Html, Redirect};
    let app = axum::Router::new()
        .route("/", axum::routing::get(async || Html("<h1>Hello</h1><p>page</p>")))
        .route(
            "/to-metadata",
            axum::routing::get(async || Redirect::temporary("http://169.254.169.254/latest")),
        )
        .route("/round", axum::routing::get(async || Redirect::temporary("/round")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::serve(listener, app);
    let asks = async {
        let home = Home::new();
        let fetch = async |mode, url: String| home.run(mode, "web_fetch", json!({ "url": url })).await;
        let page = fetch(AllowAll, format!("{base}/")).await;
        assert!(!page.is_error && page.text.ends_with("Hello\n\npage"), "{page:?}");
        for (mode, url) in [
            (Ask, format!("{base}/")),
            (Ask, base.replace("127.0.0.1", "localhost")),
            (AllowAll, format!("{base}/to-metadata")),
            (AllowAll, format!("{base}/round")),
            (AllowAll, "file:///etc/passwd".into()),
        ] {
            let refused = fetch(mode, url.clone()).await;
            assert!(refused.is_error, "{url}: {refused:?}");
        }
    };
    tokio::select! {
        () = asks => {}
        _ = async { server.await } => panic!("the server ended"),
    }
}
