//! One thing, with everything about it.

use super::{ago, clean, line, stamp, state, within, word};
use kata_protocol::*;
use std::fmt::Write;

pub(crate) fn status(s: &SystemStatus, now: Ms) -> String {
    let mut text = format!(
        "Kata Agents {}, running since {} (ready after {} ms)\n",
        line(&s.version, 24),
        ago(s.started_at, now),
        s.ready_after_ms
    );
    let model = match &s.model {
        Some(model) => format!("{} · {}", line(&model.label, 60), state(&model.status, now)),
        None => "none chosen, the scripted demo answers; `kata models detect` looks for one".into(),
    };
    let gateway = s
        .gateway_port
        .map_or_else(|| "off".into(), |port| format!("http://127.0.0.1:{port}"));
    let l = &s.ledger;
    let messages = format!(
        "{} accepted = {} delivered + {} refused + {} dead + {} on the way",
        l.accepted.0, l.delivered.0, l.refused.0, l.dead.0, l.pending.0
    );
    let lines = [
        ("health", line(&s.health.line, 100)),
        ("model", model),
        ("gateway", gateway),
        ("home", line(&s.home, 200)),
        ("secrets", line(&s.secret_store, 120)),
        ("messages", messages),
    ];
    for (name, value) in lines {
        put(&mut text, &format!("{name:9} {value}"));
    }
    if let Some(safe) = &s.safe_mode {
        put(
            &mut text,
            &format!(
                "safe mode plugins are off: {}; `kata restart` starts normally",
                line(&safe.reason, 120)
            ),
        );
        if !safe.suspects.is_empty() {
            put(
                &mut text,
                &format!("          at work when it ended: {}", line(&safe.suspects.join(", "), 120)),
            );
        }
    }
    for notice in &s.notices {
        put(
            &mut text,
            &format!(
                "notice    {} ({}, {})",
                line(&notice.message, 160),
                ago(notice.at, now),
                line(&notice.id, 60)
            ),
        );
        if let Some(hint) = &notice.hint {
            put(&mut text, &format!("          {}", line(hint, 160)));
        }
    }
    text
}

pub(crate) fn session(detail: &SessionDetail, now: Ms) -> String {
    let s = &detail.summary;
    let mut text = format!(
        "{}  {}\n",
        s.id,
        line(s.name.as_deref().or(s.preview.as_deref()).unwrap_or("(empty)"), 100)
    );
    let place = s.channel.as_ref().map_or_else(
        || format!("workspace {}", s.workspace),
        |c| format!("channel {}", line(&c.adapter, 40)),
    );
    put(
        &mut text,
        &format!(
            "{place} · {} · mode {} · model {} · {} tokens · last {}",
            word(&detail.state),
            word(&s.mode),
            line(s.model.as_deref().unwrap_or("default"), 40),
            s.usage.total_tokens.0,
            ago(s.last_message_at, now)
        ),
    );
    if detail.earlier > 0 {
        put(&mut text, &format!("\n({} earlier messages)", detail.earlier));
    }
    for message in &detail.messages {
        text.push('\n');
        text += &self::message(message);
    }
    for call in &detail.approvals {
        put(
            &mut text,
            &format!(
                "\ncall {} waits for approval",
                line(&format!("{} ({})", call.code, call.call.name), 80)
            ),
        );
    }
    text
}

fn message(m: &Message) -> String {
    let who = match (m.kind, &m.sender) {
        (MessageKind::User, Some(sender)) => line(sender, 60),
        (MessageKind::User, None) => "you".into(),
        (MessageKind::Assistant, _) => "agent".into(),
        (kind, _) => word(&kind),
    };
    let at = m.timestamp.map(|at| format!("  {}", stamp(at))).unwrap_or_default();
    if let Some(tool) = &m.tool {
        let mut text = format!(
            "[{}] {} {}{at}\n",
            word(&tool.status),
            line(&tool.name, 60),
            line(&tool.input.0.to_string(), 160)
        );
        if let Some(result) = &tool.result {
            put(&mut text, &format!("  → {}", line(result, 200)));
        }
        return text;
    }
    format!("{who}{at}\n{}\n", clean(m.content.trim_end()))
}

pub(crate) fn source(detail: &SourceDetail, now: Ms) -> String {
    let s = &detail.summary;
    let mut text = format!("{}  {} ({})\n", s.id, line(&s.name, 60), word(&s.kind));
    if let Some(tagline) = &s.tagline {
        put(&mut text, &line(tagline, 160));
    }
    put(
        &mut text,
        &format!("state         {}", if s.enabled { state(&s.status, now) } else { "off".into() }),
    );
    if let Some(plugin) = &s.plugin {
        put(&mut text, &format!("plugin        {plugin}"));
    }
    if let Some(account) = super::account_line(detail, now) {
        put(&mut text, &format!("account       {account}"));
    }
    for (name, list) in [
        ("tools", &detail.tools),
        ("hooks", &detail.hooks),
        ("commands", &detail.commands),
        ("capabilities", &detail.capabilities),
    ] {
        if !list.is_empty() {
            put(&mut text, &format!("{name:13} {}", line(&list.join(", "), 200)));
        }
    }
    for secret in &detail.secrets {
        put(
            &mut text,
            &format!(
                "secret        {} is {}",
                line(&secret.name, 60),
                if secret.set { "set" } else { "not set" }
            ),
        );
    }
    if let Some(settings) = detail.settings.0.as_object() {
        for (key, value) in settings {
            put(
                &mut text,
                &format!("setting       {} = {}", line(key, 60), line(&value.to_string(), 120)),
            );
        }
    }
    for workspace in &detail.workspaces {
        let on = if workspace.enabled { "on" } else { "off" };
        put(&mut text, &format!("workspace     {} is {on}", workspace.workspace));
    }
    work(&mut text, detail, now);
    if !detail.timeline.is_empty() {
        put(&mut text, "\nstates, newest first");
        for past in &detail.timeline {
            put(&mut text, &format!("  {}  {}", stamp(past.since), state(past, now)));
        }
    }
    if !detail.log.is_empty() {
        put(&mut text, "\nlog");
        for record in &detail.log {
            text += &format!("  {}", super::log_line(record));
        }
    }
    text
}

/// What it plans, and what it uses of what it may use.
fn work(text: &mut String, detail: &SourceDetail, now: Ms) {
    if !detail.jobs.is_empty() {
        put(text, "\nplanned");
        for job in &detail.jobs {
            let next = job.next.map_or_else(|| "over".to_owned(), |at| format!("next {}", within(at, now)));
            let last = job
                .last
                .map_or_else(|| "never ran".to_owned(), |at| format!("last {}", ago(at, now)));
            put(text, &format!("  {}  {}  {next}  {last}", line(&job.id, 40), line(&job.when, 80)));
            if let Some(error) = &job.error {
                put(text, &format!("    failed: {}", line(error, 160)));
            }
        }
    }
    if let Some(budget) = &detail.budget {
        let of = |limit: u32| if limit == 0 { String::new() } else { format!(" of {limit}") };
        let mb = |bytes: Count| format!("{:.1}", bytes.0 as f64 / f64::from(1 << 20));
        put(text, "\nbudget, of the last minute");
        put(
            text,
            &format!("  requests    {}{}", budget.requests_last_minute, of(budget.requests_per_minute)),
        );
        put(
            text,
            &format!("  today       {}{}", budget.requests_today, of(budget.requests_per_day)),
        );
        put(
            text,
            &format!("  wake-ups    {}{}", budget.wakeups_last_minute, of(budget.wakeups_per_minute)),
        );
        put(
            text,
            &format!("  CPU         {} of {} ms", budget.cpu_ms_last_minute, budget.cpu_ms_per_minute),
        );
        put(
            text,
            &format!("  memory      {} of {} MB", mb(budget.memory_bytes), mb(budget.memory_limit)),
        );
    }
}

/// Somebody who was let in.
pub(crate) fn pairing(p: &PairingRequest, now: Ms) -> String {
    let name = p.sender_name.as_deref().unwrap_or(p.sender.as_str());
    format!(
        "{} may write on {} (asked {}, the code would have ended {})\n",
        line(name, 60),
        p.channel,
        ago(p.requested_at, now),
        within(p.expires_at, now)
    )
}

fn put(text: &mut String, line: &str) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Ms = Ms(10_000_000);

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_status_says_how_it_stands_and_what_needs_attention() {
        let value = json!({"version": "0.1.0", "home": "/h", "gatewayPort": 18790, "startedAt": 9_000_000, "readyAfterMs": 212,
            "health": {"running": 1, "needsUser": 1, "failing": 0, "busySessions": 0, "waiting": 0, "paused": false, "line": "1 channel running · 1 needs you"},
            "model": null, "secretStore": "encrypted file", "pause": {"paused": false, "until": null},
            "safeMode": {"reason": "it was asked for", "suspects": ["loop"], "since": 0}, "notices": [
                {"id": "n1", "at": 9_940_000, "message": "config.json was set aside", "hint": "look at config.json.damaged"}],
            "ledger": {"accepted": 3, "delivered": 2, "refused": 0, "dead": 0, "pending": 1}});
        assert_eq!(
            status(&read(value), NOW),
            "Kata Agents 0.1.0, running since 16 min ago (ready after 212 ms)\n\
             health    1 channel running · 1 needs you\n\
             model     none chosen, the scripted demo answers; `kata models detect` looks for one\n\
             gateway   http://127.0.0.1:18790\n\
             home      /h\n\
             secrets   encrypted file\n\
             messages  3 accepted = 2 delivered + 0 refused + 0 dead + 1 on the way\n\
             safe mode plugins are off: it was asked for; `kata restart` starts normally\n          at work when it ended: loop\n\
             notice    config.json was set aside (1 min ago, n1)\n          look at config.json.damaged\n"
        );
    }

    #[test]
    fn a_transcript_names_who_spoke_and_shows_tool_calls_in_two_lines() {
        let message = |kind: &str, content: &str, tool: serde_json::Value| {
            json!({"id": "m", "kind": kind, "content": content, "timestamp": null, "turnId": null, "intermediate": false,
                "sender": null, "tool": tool, "thinking": null})
        };
        let call = json!({"callId": "c", "name": "read", "input": {"path": "a.txt"}, "result": "one\ntwo", "status": "completed", "durationMs": 3});
        let value = json!({"summary": {"id": "s", "workspace": "home", "name": "Trip", "preview": null, "createdAt": 1,
                "lastMessageAt": 9_998_000, "flagged": false, "status": null, "labels": [], "unread": false, "mode": "ask",
                "model": null, "channel": null, "messageCount": 3, "usage": serde_json::to_value(TokenUsage::default()).unwrap(), "state": "idle"},
            "messages": [message("user", "hello\x1b[2J", json!(null)), message("tool", "", call), message("assistant", "two lines\nhere", json!(null))],
            "earlier": 2, "approvals": [{"code": "K7Q2XY", "session": "260201-swift-river", "sessionName": null, "turn": "t1", "reason": "“bash” may change things", "always": null,
                "channel": null, "requestedAt": 0, "expiresAt": 1,
                "call": {"callId": "c9", "name": "bash", "input": {}, "result": null, "status": "pending", "durationMs": null}}], "state": "awaiting_approval"});
        assert_eq!(
            session(&read(value), NOW),
            "s  Trip\nworkspace home · awaiting_approval · mode ask · model default · 0 tokens · last 2 s ago\n\n\
             (2 earlier messages)\n\nyou\nhello[2J\n\n[completed] read {\"path\":\"a.txt\"}\n  → one two\n\nagent\ntwo lines\nhere\n\n\
             call K7Q2XY (bash) waits for approval\n"
        );
    }

    #[test]
    fn a_source_shows_which_secrets_are_set_and_never_a_value() {
        let status = json!({"state": {"kind": "running"}, "code": "", "message": "", "since": 1_767_225_600_000_u64});
        let value = json!({"summary": {"id": "channel:telegram", "kind": "channel", "name": "Telegram", "tagline": "Bots", "icon": null,
                "workspace": null, "plugin": "telegram", "enabled": true, "status": status, "lastActivity": null},
            "timeline": [status], "tools": [], "hooks": ["message_received"], "commands": [], "capabilities": ["net:api.telegram.org"],
            "settingsSchema": null, "settings": {"timeout": 5}, "secrets": [{"name": "botToken", "set": true}], "log": [], "jobs": [], "workspaces": []});
        assert_eq!(
            source(&read(value), NOW),
            "channel:telegram  Telegram (channel)\nBots\nstate         running\nplugin        telegram\nhooks         message_received\n\
             capabilities  net:api.telegram.org\nsecret        botToken is set\nsetting       timeout = 5\n\n\
             states, newest first\n  2026-01-01T00:00:00.000Z  running\n"
        );
    }
}
