//! OpenClaw's configuration as things that can be taken over, from the fixture its own validator accepts.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::openclaw::{Act, Found, Planned, plan};
use kata_protocol::DmPolicy;
use kata_store::LetIn;
use secrecy::ExposeSecret;
use serde_json::json;
use std::path::Path;

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/openclaw")
}

fn planned(let_in: &[LetIn]) -> Vec<Planned> {
    plan(&Found::read(&fixture(), |_| None).unwrap(), let_in).unwrap()
}

fn of<'a>(all: &'a [Planned], id: &str) -> &'a Planned {
    all.iter().find(|one| one.item.id == id).unwrap_or_else(|| {
        let ids: Vec<_> = all.iter().map(|one| one.item.id.as_str()).collect();
        panic!("no {id} in {ids:?}")
    })
}

fn reason(planned: &Planned) -> &str {
    planned.item.reason.as_deref().unwrap_or_default()
}

#[test]
fn channels_with_their_tokens_policies_and_accounts_are_planned_from_a_configuration_that_openclaw_accepts() {
    let all = planned(&[]);
    let first = of(&all, "channel:telegram");
    let Act::Channel(put) = &first.act else { panic!("no channel") };
    assert_eq!(put.secrets[0].1.expose_secret(), "123456:canary-telegram-first");
    assert_eq!(
        (put.policy, put.require_mention, &put.account),
        (DmPolicy::AllowList, Some(true), &None)
    );
    assert!(first.item.proposed && reason(first).contains("Stop this bot in OpenClaw"));

    let second = of(&all, "channel:telegram@alerts");
    let Act::Channel(put) = &second.act else { panic!("no channel") };
    assert_eq!(
        put.secrets[0].1.expose_secret(),
        "654321:canary-telegram-alerts",
        "a reference to a file"
    );
    assert_eq!((put.policy, put.account.as_deref()), (DmPolicy::Pairing, Some("alerts")));
    assert!(second.item.label.contains("Alerts bot"));

    let Act::Channel(slack) = &of(&all, "channel:slack").act else {
        panic!("no channel")
    };
    let secrets: Vec<_> = slack.secrets.iter().map(|(n, v)| (n.as_str(), v.expose_secret())).collect();
    assert_eq!(
        secrets,
        [("botToken", "xoxb-canary-slack-bot"), ("appToken", "xapp-1-canary-slack-app")]
    );
    assert_eq!(slack.policy, DmPolicy::Pairing, "what is open there asks for a code here");

    let Act::Channel(matrix) = &of(&all, "channel:matrix").act else {
        panic!("no channel")
    };
    assert_eq!(matrix.settings["server"], json!("https://example.org"));
    assert_eq!(matrix.settings["homeserver"], json!("https://matrix.example.org"));
    assert_eq!(
        (&matrix.settings["login"], &matrix.settings["invites"]),
        (&json!("token"), &json!("never"))
    );
}

#[test]
fn a_token_that_a_program_makes_is_named_and_the_channel_is_set_up_without_it() {
    let all = planned(&[]);
    let discord = of(&all, "channel:discord");
    let Act::Channel(put) = &discord.act else { panic!("no channel") };
    assert!(put.secrets.is_empty() && discord.item.importable);
    assert!(
        reason(discord).contains("channels.discord.token") && reason(discord).contains("discord/bot"),
        "{}",
        reason(discord)
    );
    assert_eq!(put.require_mention, Some(false));
}

#[test]
fn people_come_from_lists_groups_of_people_and_pairing_and_names_are_nobody() {
    let let_in = |account: &str, entry: &str| LetIn {
        channel: "telegram".into(),
        account: account.into(),
        entry: entry.into(),
    };
    let all = planned(&[let_in("default", "777000222"), let_in("alerts", "777000111"), let_in("gone", "1")]);
    let Act::People { senders, source } = &of(&all, "people:telegram").act else {
        panic!("no people")
    };
    assert_eq!(senders, &["123456789", "42", "555000111", "777000222"]);
    assert_eq!(source.as_str(), "channel:telegram");
    let Act::People { senders, .. } = &of(&all, "people:telegram@alerts").act else {
        panic!("no people")
    };
    assert_eq!(
        senders,
        &["123456789", "42", "555000111", "777000111"],
        "the channel's own list counts for its accounts"
    );
    let names = of(&all, "names:telegram");
    assert!(!names.item.importable && names.item.detail.contains("@an_old_name"));
    let Act::People { senders, .. } = &of(&all, "people:whatsapp").act else {
        panic!("no people")
    };
    assert_eq!(senders, &["15555550123"]);
}

#[test]
fn what_gives_power_is_never_proposed_and_what_cannot_be_taken_over_says_why() {
    let all = planned(&[]);
    for id in ["open:slack", "approvers:telegram", "key:local"] {
        let one = of(&all, id);
        assert!(one.item.importable && !one.item.proposed, "{id}");
    }
    assert!(matches!(
        &of(&all, "open:slack").act,
        Act::Policy {
            policy: DmPolicy::Open,
            ..
        }
    ));
    for (id, told) in [
        ("channel:signal", "no plugin"),
        ("channel:whatsapp", "Cloud API"),
        ("key:anthropic", "${ANTHROPIC_API_KEY}"),
        ("provider:google", "No model"),
        ("other:cron", "service"),
        ("other:gateway", "never carried over"),
        ("other:agents", "workspace"),
    ] {
        let one = of(&all, id);
        assert!(!one.item.importable && reason(one).contains(told), "{id}: {}", reason(one));
    }
    let text = serde_json::to_string(&all.iter().map(|p| &p.item).collect::<Vec<_>>()).unwrap();
    assert!(!text.contains("canary"), "no secret is shown");
}

#[test]
fn models_come_without_a_key_and_do_not_answer() {
    let all = planned(&[]);
    let Act::Model(first) = &of(&all, "model:anthropic/claude-opus-4-6").act else {
        panic!("no model")
    };
    assert_eq!(
        (first.settings.id.as_str(), first.settings.base_url.as_deref(), first.default),
        ("anthropic", None, false)
    );
    assert!(first.api_key.is_none() && first.key_env.is_none());
    let Act::Model(local) = &of(&all, "model:local/qwen3-30b").act else {
        panic!("no model")
    };
    assert_eq!(local.settings.base_url.as_deref(), Some("http://127.0.0.1:8080/v1"));
}

#[test]
fn a_list_of_the_whole_channel_bounds_what_an_account_opens() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"channels": {"telegram": {"allowFrom": ["1", "2"], "accounts": {
        "default": {"botToken": "t", "dmPolicy": "open", "allowFrom": ["*", "1", "3"]}}}}});
    std::fs::write(folder.path().join("openclaw.json"), config.to_string()).unwrap();
    let all = plan(&Found::read(folder.path(), |_| None).unwrap(), &[]).unwrap();
    let Act::Channel(put) = &of(&all, "channel:telegram").act else {
        panic!("no channel")
    };
    assert_eq!(put.policy, DmPolicy::AllowList);
    let Act::People { senders, .. } = &of(&all, "people:telegram").act else {
        panic!("no people")
    };
    assert_eq!(senders, &["1"]);
    assert!(!all.iter().any(|one| one.item.id.starts_with("open:")));
}
