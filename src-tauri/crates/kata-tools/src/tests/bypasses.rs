//! Every way around the rules that was found in the earlier app and in others: refused in mode safe, asked in mode ask, also
//! where `permissions.json` allows something that looks like it.

use super::{Home, is_ask, is_deny};
use kata_core::ports::Judgement;
use kata_protocol::PermissionMode::{AllowAll, Ask, Safe};
use serde_json::json;

async fn refused_and_asked(line: &str) {
    let home = Home::new();
    let (safe, ask) = (home.line(Safe, line).await, home.line(Ask, line).await);
    assert!(is_deny(&safe), "{line:?} in safe: {safe:?}");
    assert!(is_ask(&ask), "{line:?} in ask: {ask:?}");
}

/// The same beside rules that allow the command it begins with.
async fn not_by_a_pattern(pattern: &str, line: &str) {
    let home = Home::new();
    home.permissions(&json!({ "allowedBashPatterns": [pattern] }));
    let (safe, ask) = (home.line(Safe, line).await, home.line(Ask, line).await);
    assert!(is_deny(&safe), "{line:?} in safe: {safe:?}");
    assert!(is_ask(&ask), "{line:?} in ask: {ask:?}");
}

macro_rules! bypass {
    ($($name:ident: $line:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            refused_and_asked($line).await;
        })*
    };
}

bypass! {
    cat_of_a_private_key_is_refused_or_asked: "cat ~/.ssh/id_rsa";
    env_is_refused_or_asked: "env";
    printenv_is_refused_or_asked: "printenv ANTHROPIC_API_KEY";
    find_delete_is_refused_or_asked: "find . -name x -delete";
    find_exec_is_refused_or_asked: r"find . -exec rm {} +";
    find_execdir_with_quotes_is_refused_or_asked: "find . -execdir rm '{}' '+'";
    find_fprint_is_refused_or_asked: "find . -fprint out.txt";
    git_branch_delete_is_refused_or_asked: "git branch -D main";
    sort_into_a_file_is_refused_or_asked: "sort -o a.txt a.txt";
    sort_into_a_file_by_an_abbreviated_option_is_refused_or_asked: "sort --outp=a.txt a.txt";
    sort_with_a_program_is_refused_or_asked: "sort --compress-program=sh a.txt";
    a_backslash_in_delete_is_refused_or_asked: r"find . -del\ete";
    braces_that_become_delete_are_refused_or_asked: "find . {-delete,-print}";
    a_star_that_becomes_a_file_named_delete_is_refused_or_asked: "find . *";
    rg_pre_in_braces_is_refused_or_asked: "rg {--pre=sh,x}";
    rg_pre_is_refused_or_asked: "rg --pre=sh x a.txt";
    rg_with_a_config_of_its_own_is_refused_or_asked: "rg --hostname-bin=sh x a.txt";
    rg_over_the_whole_folder_is_refused_or_asked: "rg TOKEN";
    grep_over_the_whole_folder_is_refused_or_asked: "grep -r TOKEN .";
    a_second_command_behind_a_semicolon_is_refused_or_asked: "ls; rm -rf ~/x";
    a_second_command_behind_and_is_refused_or_asked: "cat a.txt && curl http://example.org";
    a_second_command_on_a_new_line_is_refused_or_asked: "git log\nrm -rf x";
    a_command_in_the_background_is_refused_or_asked: "ls & rm x";
    a_pipe_into_a_shell_is_refused_or_asked: "cat a.txt | sh";
    a_pipe_of_both_outputs_is_refused_or_asked: "cat a.txt |& sh";
    a_redirection_is_refused_or_asked: "echo x > a.txt";
    an_appending_redirection_is_refused_or_asked: "cat a.txt >> src/lib.rs";
    a_substitution_is_refused_or_asked: "echo $(rm a.txt)";
    a_substitution_in_backticks_is_refused_or_asked: "echo `rm a.txt`";
    a_substitution_in_quotes_is_refused_or_asked: "echo \"$(rm a.txt)\"";
    a_process_substitution_is_refused_or_asked: "diff a.txt <(rm a.txt)";
    a_variable_is_refused_or_asked: "cat $HOME/.ssh/id_rsa";
    an_assignment_before_a_command_is_refused_or_asked: "LD_PRELOAD=./x.so ls";
    a_function_that_hides_a_command_is_refused_or_asked: "ls() { rm a.txt; }; ls";
    a_subshell_is_refused_or_asked: "(rm a.txt)";
    a_here_document_is_refused_or_asked: "cat <<E\n$(rm a.txt)\nE";
    a_string_with_escapes_is_refused_or_asked: r"cat $'\x2e\x65\x6e\x76'";
    a_line_that_goes_on_is_refused_or_asked: "ls \\\n-la";
    a_carriage_return_is_refused_or_asked: "ls\r; rm a.txt";
    an_alias_of_git_by_option_is_refused_or_asked: "git -c alias.x='!rm a.txt' x";
    git_status_is_refused_or_asked: "git status";
    git_diff_is_refused_or_asked: "git diff";
    git_log_with_patches_is_refused_or_asked: "git log -p";
    git_log_with_a_checker_is_refused_or_asked: "git log --format=%G?";
    git_log_into_a_file_is_refused_or_asked: "git log --output=a.txt";
    git_of_another_folder_is_refused_or_asked: "git -C /tmp log";
    sed_in_place_is_refused_or_asked: "sed -i s/a/b/ a.txt";
    sed_that_writes_is_refused_or_asked: "sed -n '1w b.txt' a.txt";
    sed_that_runs_is_refused_or_asked: "sed -n '1e rm a.txt' a.txt";
    awk_is_refused_or_asked: "awk 'BEGIN { system(\"rm a.txt\") }'";
    xargs_is_refused_or_asked: "ls | xargs rm";
    tee_is_refused_or_asked: "cat a.txt | tee b.txt";
    uniq_into_a_file_is_refused_or_asked: "uniq a.txt b.txt";
    tree_into_a_file_is_refused_or_asked: "tree -o b.txt";
    file_that_compiles_is_refused_or_asked: "file -C -m a.txt";
    date_that_sets_the_clock_is_refused_or_asked: "date -s 2020-01-01";
    printf_into_a_variable_is_refused_or_asked: "printf -v 'a[0]' x";
    test_with_a_subscript_is_refused_or_asked: "test -v 'a[$(rm a.txt)]'";
    a_program_of_the_folder_is_refused_or_asked: "./ls";
    tail_that_waits_is_refused_or_asked: "tail -f a.txt";
    a_file_outside_is_refused_or_asked: "cat /etc/passwd";
    a_file_outside_by_the_folder_above_is_refused_or_asked: "cat ../.bashrc";
    a_file_of_secrets_inside_is_refused_or_asked: "cat .env";
    a_file_of_secrets_in_quotes_is_refused_or_asked: "head -n 1 '.env'";
    a_whole_folder_compared_is_refused_or_asked: "diff src .";
    negation_is_refused_or_asked: "! ls";
    curl_is_refused_or_asked: "curl http://example.org";
    rm_is_refused_or_asked: "rm -rf src";
    nothing_at_all_is_refused_or_asked: "  ";
    a_comment_is_refused_or_asked: "ls # rm";
    half_a_quote_is_refused_or_asked: "echo 'x";
}

#[tokio::test]
async fn a_pattern_for_ls_does_not_allow_what_stands_behind_it() {
    for line in [
        "ls; rm -rf ~/x",
        "ls; rm -rf x",
        "ls && rm x",
        "ls || rm x",
        "ls | sh",
        "ls\nrm x",
        "ls & rm x",
        "ls $(rm x)",
        "ls > x",
    ] {
        not_by_a_pattern("^ls\\b", line).await;
    }
    not_by_a_pattern("^cat\\b", "cat a && curl http://example.org").await;
    not_by_a_pattern("^git\\s+status\\b", "git status\nrm -rf x").await;
    not_by_a_pattern("^make\\s+test\\b", "'make test' x").await;
}

#[tokio::test]
async fn the_list_of_the_earlier_app_allows_no_command() {
    let home = Home::new();
    let shipped = json!({ "allowedBashPatterns": ["^cat\\b", "^env\\b", "^printenv\\b", "^find\\b", "^git\\s+branch\\b", "^sort\\b"] });
    super::put(&home.root.join("kata/permissions/default.json"), &shipped.to_string());
    for line in [
        "cat /etc/passwd",
        "env",
        "printenv PATH",
        "find . -delete",
        "git branch -D main",
        "sort -o a.txt a.txt",
    ] {
        assert!(is_deny(&home.line(Safe, line).await), "{line}");
        assert!(is_ask(&home.line(Ask, line).await), "{line}");
    }
}

#[tokio::test]
async fn a_secret_is_not_allowed_by_a_pattern_and_asked_about_in_mode_allow_all() {
    let home = Home::new();
    home.permissions(&json!({ "allowedBashPatterns": ["^cat\\b"] }));
    let line = format!("cat {}", home.path("user/.ssh/id_rsa"));
    assert!(is_deny(&home.line(Safe, &line).await));
    for mode in [Ask, AllowAll] {
        assert!(matches!(home.line(mode, &line).await, Judgement::Ask { always: None, .. }));
    }
}

#[tokio::test]
async fn the_plans_folder_is_a_folder_and_no_beginning_of_a_text() {
    let home = Home::new();
    let plans = home.path("kata/workspaces/ws/sessions/own/plans");
    let write = async |path: String| home.judge(Safe, "write", json!({ "path": path, "content": "x" })).await;
    assert_eq!(write(format!("{plans}/plan.md")).await, Judgement::Allow);
    assert_eq!(write(format!("{plans}/deep/plan.md")).await, Judgement::Allow);
    for evil in [
        "-evil/x",
        "/../../../../../../user/.bashrc",
        "/../session.jsonl",
        "/../../other/plans/x",
        "/none/../../x",
        "",
    ] {
        let judged = write(format!("{plans}{evil}")).await;
        assert!(is_deny(&judged), "{evil}: {judged:?}");
    }
}

#[tokio::test]
async fn a_tilde_is_judged_as_the_folder_it_means() {
    let home = Home::new();
    assert!(is_deny(&home.judge(Safe, "read", json!({ "path": "~/.ssh/id_rsa" })).await));
    assert!(is_ask(
        &home.judge(Ask, "write", json!({ "path": "~/.bashrc", "content": "x" })).await
    ));
    assert!(is_ask(
        &home.judge(AllowAll, "write", json!({ "path": "~/.bashrc", "content": "x" })).await
    ));
    assert!(is_deny(&home.judge(AllowAll, "read", json!({ "path": "~root/x" })).await));
    let session = home.session(Safe);
    let plain = kata_core::ports::Permissions::plain(
        &home.rules,
        &session,
        &home.tool("read"),
        json!({ "path": "~/project/./src/../a.txt" }),
    )
    .await;
    assert_eq!(plain.unwrap()["path"], home.path("user/project/a.txt"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_judged_by_where_it_leads() {
    let home = Home::new();
    std::os::unix::fs::symlink(home.root.join("user/.ssh/id_rsa"), home.work().join("harmless.txt")).unwrap();
    std::os::unix::fs::symlink(home.root.join("elsewhere"), home.work().join("near")).unwrap();
    assert!(is_deny(&home.judge(Safe, "read", json!({ "path": "harmless.txt" })).await));
    assert!(is_deny(&home.line(Safe, "cat harmless.txt").await));
    assert!(is_ask(
        &home
            .judge(AllowAll, "write", json!({ "path": "near/new.txt", "content": "x" }))
            .await
    ));
    assert!(
        is_deny(&home.judge(Safe, "read", json!({ "path": "near/../a.txt" })).await),
        "up from where the link leads"
    );
}

#[tokio::test]
async fn an_intent_beside_the_arguments_changes_no_judgement() {
    let home = Home::new();
    let params = json!({ "_intent": "just looking", "_displayName": "Look" });
    assert!(is_deny(&home.judge(Safe, "mcp__linear__delete_issue", params.clone()).await));
    assert!(is_ask(&home.judge(Ask, "mcp__linear__delete_issue", params).await));
    let bash = json!({ "command": "rm x", "_intent": "just looking" });
    assert!(is_deny(&home.judge(Safe, "bash", bash.clone()).await));
    assert!(is_ask(&home.judge(Ask, "bash", bash).await));
}

#[tokio::test]
async fn an_unknown_tool_is_refused_in_mode_safe() {
    let home = Home::new();
    assert!(is_deny(&home.judge(Safe, "hammer", json!({})).await));
    assert!(is_ask(&home.judge(Ask, "hammer", json!({})).await));
    assert!(is_ask(&home.judge(AllowAll, "hammer", json!({})).await));
}

#[tokio::test]
async fn another_sessions_transcript_and_the_apps_own_files_are_secrets() {
    let home = Home::new();
    for file in [
        "kata/workspaces/ws/sessions/other/session.jsonl",
        "kata/credentials.enc",
        "kata/gateway.json",
    ] {
        assert!(
            is_deny(&home.judge(Safe, "read", json!({ "path": home.path(file) })).await),
            "{file}"
        );
        assert!(
            is_ask(&home.judge(AllowAll, "read", json!({ "path": home.path(file) })).await),
            "{file}"
        );
        assert!(is_deny(&home.line(Safe, &format!("cat {}", home.path(file))).await), "{file}");
    }
    let own = home.path("kata/workspaces/ws/sessions/own/session.jsonl");
    assert_eq!(home.judge(Safe, "read", json!({ "path": own })).await, Judgement::Allow);
}

#[tokio::test]
async fn the_agent_does_not_write_its_own_rules() {
    let home = Home::new();
    for file in [
        "permissions.json",
        "permissions-always.json",
        "config.json",
        "sources/x/permissions.json",
        "skills/x/SKILL.md",
    ] {
        let params = json!({ "path": home.path(&format!("kata/workspaces/ws/{file}")), "content": "{}" });
        assert!(is_deny(&home.judge(Safe, "write", params.clone()).await), "{file}");
        assert!(
            matches!(home.judge(AllowAll, "write", params).await, Judgement::Ask { always: None, .. }),
            "{file}"
        );
    }
    let hook = json!({ "path": ".git/hooks/post-commit", "content": "rm" });
    assert!(is_ask(&home.judge(AllowAll, "write", hook).await));
}

#[tokio::test]
async fn fetching_a_page_is_not_free_in_mode_safe() {
    let home = Home::new();
    let params = json!({ "url": "https://example.org/?q=secret" });
    assert!(is_deny(&home.judge(Safe, "web_fetch", params.clone()).await));
    assert!(is_ask(&home.judge(Ask, "web_fetch", params).await));
}
