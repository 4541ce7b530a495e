//! Commands in the sandbox this machine has, and in Landlock where the kernel has it. Where it has none, that it says so and
//! mode safe runs nothing.

use super::{Home, is_ask, is_deny};
use crate::Sandbox;
use kata_protocol::PermissionMode::{AllowAll, Ask, Safe};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// The homes to try: one for each sandbox that works here.
fn homes() -> Vec<Home> {
    let mut homes = vec![Home::new()];
    #[cfg(target_os = "linux")]
    if homes[0].sandbox.describe() != "landlock" {
        homes.extend(Sandbox::landlock().map(Home::with));
    }
    homes.retain(|home| home.sandbox.lacks().is_none());
    homes
}

async fn bash(home: &Home, mode: kata_protocol::PermissionMode, command: &str) -> kata_core::ports::ToolOutcome {
    home.run(mode, "bash", json!({ "command": command })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sandbox_mode_safe_runs_no_command_and_the_others_ask() {
    let home = Home::with(Sandbox::missing("there is none in this test"));
    assert!(home.sandbox.describe().contains("there is none in this test"));
    let safe = home.line(Safe, "ls").await;
    assert!(
        matches!(&safe, kata_core::ports::Judgement::Deny { reason } if reason.contains("there is none in this test")),
        "{safe:?}"
    );
    assert!(is_ask(&home.line(Ask, "ls").await));
    assert!(is_ask(&home.line(AllowAll, "touch x").await));
    let run = bash(&home, Safe, "ls").await;
    assert!(run.is_error && run.text.contains("there is none in this test"), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sandbox_says_of_itself_is_true() {
    let home = Home::new();
    let run = bash(&home, Safe, "cat a.txt").await;
    match home.sandbox.describe().as_str() {
        "bubblewrap" | "landlock" | "sandbox-exec" => assert_eq!((run.text.as_str(), run.is_error), ("one\ntwo\nthree\n", false)),
        other => assert!(other.starts_with("none: ") && run.is_error, "{other}: {run:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_mode_safe_writes_nowhere_even_if_it_were_judged_wrongly() {
    for home in homes() {
        for line in [
            "touch new",
            "touch ~/new",
            "echo x > a.txt",
            "rm -rf src",
            "touch ../../elsewhere/new",
        ] {
            let run = bash(&home, Safe, line).await;
            assert!(run.is_error, "{line} with {}: {run:?}", home.sandbox.describe());
        }
        assert!(home.work().join("src/lib.rs").exists());
        assert!(!home.work().join("new").exists() && !home.root.join("elsewhere/new").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_command_writes_in_the_working_folder_and_nowhere_else() {
    for home in homes() {
        let kind = home.sandbox.describe();
        let run = bash(
            &home,
            Ask,
            "touch new && mkdir d && echo y > d/f && echo t > \"$TMPDIR/t\" && cat \"$TMPDIR/t\"",
        )
        .await;
        assert!(!run.is_error && run.text.trim() == "t", "{kind}: {run:?}");
        assert!(home.work().join("d/f").exists());
        for target in [
            "elsewhere/new",
            "user/.bashrc",
            "kata/gateway.json",
            "kata/workspaces/ws/permissions.json",
            "kata/workspaces/ws/sessions/other/x",
        ] {
            let path = home.root.join(target);
            let before = std::fs::read(&path).ok();
            bash(&home, Ask, &format!("echo evil >> {}", path.display())).await;
            assert_eq!(std::fs::read(&path).ok(), before, "{kind}: {target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_sees_neither_the_apps_secrets_nor_other_sessions_and_in_mode_safe_no_keys() {
    for home in homes() {
        let kind = home.sandbox.describe();
        for (mode, file) in [
            (Ask, "kata/credentials.enc"),
            (AllowAll, "kata/gateway.json"),
            (Ask, "kata/workspaces/ws/sessions/other/session.jsonl"),
            (Safe, "user/.ssh/id_rsa"),
        ] {
            let run = bash(&home, mode, &format!("cat {}", home.path(file))).await;
            assert!(run.is_error, "{kind}: {file}: {run:?}");
        }
        let own = bash(
            &home,
            Ask,
            &format!("cat {}", home.path("kata/workspaces/ws/sessions/own/session.jsonl")),
        )
        .await;
        assert_eq!(own.text, "mine\n", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_only_reads_reaches_no_network_and_an_approved_one_does() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
    for home in homes() {
        let kind = home.sandbox.describe();
        let safe = bash(&home, Safe, &line).await;
        assert!(safe.is_error && !safe.text.contains("connected"), "{kind}: {safe:?}");
        let udp = bash(&home, Safe, "exec 3<>/dev/udp/127.0.0.1/9 && echo connected").await;
        assert!(kind == "bubblewrap" || udp.is_error, "{kind}: {udp:?}");
        let ask = bash(&home, Ask, &line).await;
        assert!(!ask.is_error && ask.text.contains("connected"), "{kind}: {ask:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_cannot_give_itself_rules_where_it_works_in_the_workspaces_folder() {
    for home in homes() {
        let mut session = home.session(Ask);
        session.working_directory = None;
        let scope_line = "echo '{\"allowedBashPatterns\":[\".*\"]}' > permissions.json; echo x > permissions-always.json; echo x > config.json; mkdir -p sources/x && echo x > sources/x/permissions.json";
        let request = kata_core::ports::ToolRequest {
            session: session.id,
            workspace: session.workspace,
            working_directory: None,
            mode: Ask,
            turn: kata_protocol::TurnId::new("t").unwrap(),
            call_id: kata_protocol::CallId::new("c").unwrap(),
            name: "bash".into(),
            params: json!({ "command": scope_line }),
            cancel: CancellationToken::new(),
        };
        kata_core::ports::Tools::call(&home.builtin, request).await;
        let read = |file: &str| std::fs::read_to_string(home.root.join("kata/workspaces/ws").join(file)).unwrap_or_default();
        for file in ["permissions.json", "permissions-always.json", "config.json"] {
            assert_eq!(read(file).trim(), "{}", "{}: {file}", home.sandbox.describe());
        }
        assert_eq!(read("sources/x/permissions.json"), "", "{}", home.sandbox.describe());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_inherits_no_secret_of_the_environment() {
    for home in homes() {
        let run = bash(&home, Ask, "env").await;
        for line in run.text.lines() {
            let name = line.split('=').next().unwrap_or_default();
            let known = [
                "PATH",
                "HOME",
                "USER",
                "LOGNAME",
                "LANG",
                "LANGUAGE",
                "TZ",
                "SHELL",
                "TERM",
                "PAGER",
                "TMPDIR",
                "PWD",
                "SHLVL",
                "_",
                "OLDPWD",
                "CARGO_HOME",
                "RUSTUP_HOME",
                "GOPATH",
                "JAVA_HOME",
            ];
            assert!(known.contains(&name) || name.starts_with("LC_"), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_is_ended_with_everything_it_started() {
    for home in homes() {
        let file = home.work().join("ticks");
        let line = "trap '' TERM; (trap '' TERM; while :; do echo t >> ticks; sleep 0.05; done) & wait; sleep 60";
        let run = home.run(Ask, "bash", json!({ "command": line, "timeout": 1 })).await;
        assert!(run.is_error && run.text.contains("stopped after 1 s"), "{run:?}");
        let size = || std::fs::metadata(&file).map_or(0, |meta| meta.len());
        let after = size();
        assert!(after > 0);
        bash(&home, Safe, "ls").await;
        let pause = home.run(Ask, "bash", json!({ "command": "sleep 0.3" })).await;
        assert!(!pause.is_error);
        assert_eq!(size(), after, "{}: it goes on", home.sandbox.describe());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_is_stopped_ends_its_command_within_two_seconds() {
    for home in homes() {
        let cancel = CancellationToken::new();
        let began = std::time::Instant::now();
        let call = home.call(
            Ask,
            "bash",
            json!({ "command": "trap '' TERM; touch begun; sleep 60" }),
            cancel.clone(),
        );
        let stop = async {
            while !home.work().join("begun").exists() {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
            std::time::Instant::now()
        };
        let (run, stopped) = tokio::join!(call, stop);
        assert!(run.is_error && run.text.contains("stopped by the person"), "{run:?}");
        assert!(stopped.elapsed().as_secs_f32() < 2.5 && began.elapsed().as_secs() < 50);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_is_kept_at_both_ends_and_says_what_is_missing() {
    for home in homes() {
        let run = bash(&home, Ask, "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last").await;
        assert!(run.text.len() <= 256 * 1024 && run.text.starts_with("first\n") && run.text.ends_with("last\n"));
        assert!(run.text.contains("bytes left out"), "it is said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_command_says_its_exit_code() {
    for home in homes() {
        let run = bash(&home, Ask, "echo out; echo err >&2; exit 3").await;
        assert_eq!((run.text.as_str(), run.is_error), ("out\nerr\n[exit code 3]", true));
        assert!(!is_deny(&home.line(Ask, "exit 3").await));
    }
}
