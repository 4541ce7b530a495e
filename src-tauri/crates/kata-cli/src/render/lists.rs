//! Lists as tables.

use super::{ago, line, stamp, state, table, within, word};
use kata_protocol::*;

pub(crate) fn sessions(page: &SessionPage, now: Ms) -> String {
    let rows: Vec<_> = page
        .sessions
        .iter()
        .map(|s| {
            let title = s.name.as_deref().or(s.preview.as_deref()).unwrap_or("(empty)");
            let place = s.channel.as_ref().map_or_else(|| s.workspace.to_string(), |c| c.adapter.clone());
            vec![
                s.id.to_string(),
                line(title, 48),
                line(&place, 20),
                word(&s.state),
                s.message_count.to_string(),
                ago(s.last_message_at, now),
            ]
        })
        .collect();
    let mut text = table(&["id", "title", "where", "state", "messages", "last"], &rows, "no sessions");
    let shown = u32::try_from(page.sessions.len()).unwrap_or(u32::MAX);
    if page.total > shown {
        text += &format!("{shown} of {}; -n shows more\n", page.total);
    }
    text
}

pub(crate) fn plugins(plugins: &[PluginSummary], now: Ms) -> String {
    let rows: Vec<_> = plugins
        .iter()
        .map(|p| {
            let c = &p.contributes;
            let counts = [
                (c.channels.len(), "channel"),
                (c.services.len(), "service"),
                (c.tools.len(), "tool"),
                (c.hooks.len(), "hook"),
                (c.commands.len(), "command"),
                (c.routes.len(), "route"),
            ];
            let brings: Vec<_> = counts
                .iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, what)| format!("{n} {what}{}", if *n == 1 { "" } else { "s" }))
                .collect();
            vec![
                p.id.to_string(),
                line(&p.version, 12),
                word(&p.origin),
                match (p.trust, p.enabled) {
                    (TrustState::Untrusted, _) => "untrusted".into(),
                    (TrustState::Changed, true) if matches!(p.status.state, RunState::NeedsUser { .. }) => {
                        "changed, to be trusted again".into()
                    }
                    (TrustState::Changed, true) => format!("{}; changed, to be trusted again", state(&p.status, now)),
                    (TrustState::Changed, false) => "off; changed, to be trusted again".into(),
                    (_, true) => state(&p.status, now),
                    (_, false) => "off".into(),
                },
                brings.join(", "),
                p.generation.to_string(),
                p.faults.len().to_string(),
            ]
        })
        .collect();
    table(
        &["id", "version", "from", "state", "brings", "loads", "faults"],
        &rows,
        "no plugins",
    )
}

pub(crate) fn sources(sources: &[SourceSummary], now: Ms) -> String {
    let rows: Vec<_> = sources
        .iter()
        .map(|s| {
            vec![
                s.id.to_string(),
                line(&s.name, 32),
                if s.enabled { state(&s.status, now) } else { "off".into() },
                s.plugin.as_ref().map(ToString::to_string).unwrap_or_default(),
                s.last_activity.map(|at| ago(at, now)).unwrap_or_default(),
            ]
        })
        .collect();
    table(&["id", "name", "state", "plugin", "last"], &rows, "no sources")
}

pub(crate) fn pairings(waiting: &[PairingRequest], now: Ms) -> String {
    let rows: Vec<_> = waiting
        .iter()
        .map(|p| {
            let person = match &p.sender_name {
                Some(name) => format!("{} ({})", line(name, 32), line(p.sender.as_str(), 32)),
                None => line(p.sender.as_str(), 40),
            };
            vec![
                line(&p.code, 16),
                p.channel.to_string(),
                person,
                ago(p.requested_at, now),
                within(p.expires_at, now),
            ]
        })
        .collect();
    table(&["code", "channel", "person", "asked", "ends"], &rows, "nobody waits")
}

pub(crate) fn models(models: &[ProviderSummary], now: Ms) -> String {
    let rows: Vec<_> = models
        .iter()
        .map(|m| {
            vec![
                line(&m.settings.id, 24),
                line(&m.label, 40),
                word(&m.settings.kind),
                line(&m.settings.model, 40),
                if m.has_key { "stored".into() } else { "none".into() },
                state(&m.status, now),
                if m.default { "default".into() } else { String::new() },
            ]
        })
        .collect();
    table(
        &["id", "label", "kind", "model", "key", "state", ""],
        &rows,
        "no models; `kata models detect` looks for some",
    )
}

/// What was found, each with the command that would use it.
pub(crate) fn detected(found: &[DetectedModel]) -> String {
    if found.is_empty() {
        return "no model was found on this machine; `kata models set demo --kind demo --default` is a scripted one for trying things\n"
            .into();
    }
    let mut text = String::new();
    for model in found {
        let s = &model.settings;
        text += &format!(
            "{}: {} ({})\n  kata models set {} --kind {}",
            line(&model.found, 80),
            line(&s.model, 60),
            word(&s.kind),
            quoted(&s.id),
            word(&s.kind)
        );
        text += &format!(" --model {}", quoted(&s.model));
        for (option, value) in [("--base-url", &s.base_url), ("--key-env", &model.key_env)] {
            if let Some(value) = value {
                text += &format!(" {option} {}", quoted(value));
            }
        }
        text += " --default\n";
    }
    text
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let text = line(text, 400);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

pub(crate) fn traces(traces: &[Trace], now: Ms) -> String {
    let rows: Vec<_> = traces
        .iter()
        .map(|t| {
            let stopped = t
                .steps
                .iter()
                .find(|s| !matches!(s.outcome, StepOutcome::Ok | StepOutcome::Changed));
            let outcome = match stopped {
                Some(step) => format!("{} at {}", word(&step.outcome), word(&step.gate)),
                None if t.done => "ok".into(),
                None => "on its way".into(),
            };
            let session = t.session.as_ref().map(ToString::to_string).unwrap_or_default();
            vec![
                t.id.to_string(),
                ago(t.started_at, now),
                line(&t.origin, 24),
                session,
                t.steps.len().to_string(),
                super::trace::duration(super::trace::end(t)),
                outcome,
            ]
        })
        .collect();
    table(
        &["id", "began", "from", "session", "steps", "took", "outcome"],
        &rows,
        "no traces yet",
    )
}

pub(crate) fn log_line(record: &LogRecord) -> String {
    let who = match &record.plugin {
        Some(plugin) => format!("{} [{plugin}]", line(&record.target, 60)),
        None => line(&record.target, 60),
    };
    // A message of several lines stays one record: its further lines are indented.
    let message = super::clean(record.message.trim_end()).replace('\n', "\n    ");
    format!("{} {:5} {who}: {message}\n", stamp(record.at), line(&record.level, 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Ms = Ms(10_000_000);

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn running() -> serde_json::Value {
        json!({"state": {"kind": "running"}, "code": "", "message": "", "since": 1})
    }

    #[test]
    fn sessions_are_a_table_that_says_how_many_there_are() {
        let usage = serde_json::to_value(TokenUsage::default()).unwrap();
        let session = |id: &str, name: Option<&str>, channel: serde_json::Value| {
            json!({"id": id, "workspace": "home", "name": name, "preview": "first words", "createdAt": 1, "lastMessageAt": 9_940_000,
                "flagged": false, "status": null, "labels": [], "unread": false, "mode": "safe", "model": null, "channel": channel,
                "messageCount": 4, "usage": usage, "state": "idle"})
        };
        let page = read(json!({"sessions": [
            session("260201-swift-river", Some("Trip\x1b[31m plan"), json!(null)),
            session("260201-calm-lake", None, json!({"adapter": "telegram", "slug": "t"})),
        ], "total": 7}));
        let text = sessions(&page, NOW);
        assert_eq!(
            text,
            "ID                  TITLE          WHERE     STATE  MESSAGES  LAST\n\
             260201-swift-river  Trip[31m plan  home      idle   4         1 min ago\n\
             260201-calm-lake    first words    telegram  idle   4         1 min ago\n\
             2 of 7; -n shows more\n"
        );
    }

    #[test]
    fn plugins_and_sources_show_their_state_or_that_they_are_off() {
        let contributes = json!({"channels": ["telegram"], "tools": ["a", "b"]});
        let plugin = |id: &str, enabled: bool| {
            json!({"id": id, "name": id, "version": "1.0.0", "description": "", "origin": "bundled", "path": "/p", "enabled": enabled, "trust": "bundled", "workspace": null,
                "status": running(), "contributes": contributes, "capabilities": [], "generation": 2,
                "usage": serde_json::to_value(PluginUsage::default()).unwrap(), "faults": []})
        };
        let mut strange = plugin("new", false);
        strange["trust"] = json!("untrusted");
        let mut changed = plugin("edited", true);
        changed["trust"] = json!("changed");
        changed["status"]["state"] = json!({"kind": "needs_user", "action": {"kind": "trust"}});
        assert!(plugins(&[read(changed)], NOW).contains("  changed, to be trusted again  1 channel"));
        let text = plugins(&[read(plugin("telegram", true)), read(plugin("echo", false)), read(strange)], NOW);
        assert_eq!(
            text,
            "ID        VERSION  FROM     STATE      BRINGS              LOADS  FAULTS\n\
             telegram  1.0.0    bundled  running    1 channel, 2 tools  2      0\n\
             echo      1.0.0    bundled  off        1 channel, 2 tools  2      0\n\
             new       1.0.0    bundled  untrusted  1 channel, 2 tools  2      0\n"
        );
        let source = read(
            json!({"id": "channel:telegram", "kind": "channel", "name": "Telegram", "tagline": null, "icon": null,
            "workspace": null, "plugin": "telegram", "enabled": true,
            "status": {"state": {"kind": "needs_user", "action": {"kind": "configure", "field": "botToken"}}, "code": "unset", "message": "", "since": 1},
            "lastActivity": null}),
        );
        assert!(sources(&[source], NOW).contains("channel:telegram  Telegram  needs you: set botToken  telegram\n"));
    }

    #[test]
    fn nobody_waiting_is_said_in_words() {
        assert_eq!(pairings(&[], NOW), "nobody waits\n");
        let request = read(
            json!({"code": "ABCD2345", "channel": "telegram", "sender": "42", "senderName": "Ann",
            "requestedAt": 9_700_000, "expiresAt": 13_600_000}),
        );
        assert_eq!(
            pairings(&[request], NOW),
            "CODE      CHANNEL   PERSON    ASKED      ENDS\nABCD2345  telegram  Ann (42)  5 min ago  in 60 min\n"
        );
    }

    #[test]
    fn a_detected_model_comes_with_the_command_that_uses_it() {
        let found = read(
            json!({"found": "Ollama on this machine", "settings": {"id": "ollama", "kind": "openai-chat",
            "baseUrl": "http://127.0.0.1:11434/v1", "model": "llama3 $(rm)"}, "keyEnv": null}),
        );
        assert_eq!(
            detected(&[found]),
            "Ollama on this machine: llama3 $(rm) (openai-chat)\n  kata models set ollama --kind openai-chat --model 'llama3 $(rm)' \
             --base-url http://127.0.0.1:11434/v1 --default\n"
        );
    }

    #[test]
    fn a_trace_list_names_the_gate_where_a_message_stopped() {
        let trace = read(
            json!({"id": "t1", "startedAt": 9_999_000, "origin": "telegram", "session": null, "done": true, "steps": [
            {"gate": "ingress", "label": "policy", "plugin": null, "startUs": 0, "durationUs": 150, "outcome": "blocked", "note": "not paired", "diff": null}]}),
        );
        assert_eq!(
            traces(&[trace], NOW),
            "ID  BEGAN  FROM      SESSION  STEPS  TOOK     OUTCOME\nt1  now    telegram           1      0.15 ms  blocked at ingress\n"
        );
    }

    #[test]
    fn a_log_line_stays_one_record() {
        let record = read(
            json!({"at": 1_767_225_600_000_u64, "level": "WARN", "target": "kata_plugins", "plugin": "echo", "message": "two\nlines\x07"}),
        );
        assert_eq!(
            log_line(&record),
            "2026-01-01T00:00:00.000Z WARN  kata_plugins [echo]: two\n    lines\n"
        );
    }
}
