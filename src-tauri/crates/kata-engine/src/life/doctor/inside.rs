//! What only a running engine knows: model, plugins, sources, letters, what it could not write.

use super::outside::{check, ok};
use crate::engine::{Inner, locked};
use kata_core::operations::{Caller, Operations};
use kata_protocol::{Check, CheckOutcome, Empty, PluginSummary, RunState, Scope, SourceSummary, WireError};

/// Everything: what [`super::of_a_home`] sees, and what the engine knows.
pub(crate) async fn of_a_running_engine(inner: &Inner) -> Result<Vec<Check>, WireError> {
    let options = inner.options.clone();
    let outside = tokio::task::spawn_blocking(move || super::of_a_home(&options)).await;
    let mut checks = outside.map_err(|_| WireError::internal("the home could not be looked at"))?;
    checks.push(model(inner.models.chosen().map(|model| model.settings.id)));
    checks.push(plugins(&inner.plugins.list()));
    checks.push(sources(&inner.board.list()));
    checks.push(letters(inner.letters.list().await?.len()));
    checks.push(trouble(
        &locked(&inner.notices)
            .iter()
            .map(|n| (n.id.clone(), n.message.clone()))
            .collect::<Vec<_>>(),
    ));
    checks.extend(inner.life.safe_mode().map(|safe| safe_mode(&safe.reason, &safe.suspects)));
    let caller = Caller {
        name: "doctor".into(),
        scope: Scope::Read,
    };
    if let Ok(update) = inner.update_get(&caller, Empty {}).await {
        checks.extend(update.offer.map(|offer| {
            let mend = Some("kata update install".into());
            check(
                "program.update",
                "Version",
                CheckOutcome::Warning,
                format!("version {} is there", offer.version),
                mend,
            )
        }));
    }
    Ok(checks)
}

pub(super) fn model(chosen: Option<String>) -> Check {
    match chosen {
        Some(id) => ok("model.default", "Model", format!("new sessions use “{id}”")),
        None => check(
            "model.default",
            "Model",
            CheckOutcome::Warning,
            "none is chosen; the scripted demo answers",
            Some("kata models detect".into()),
        ),
    }
}

pub(super) fn plugins(list: &[PluginSummary]) -> Check {
    let broken = |p: &&PluginSummary| {
        p.enabled
            && matches!(
                p.status.state,
                RunState::Failed { .. } | RunState::Quarantined { .. } | RunState::Backoff { .. }
            )
    };
    let broken: Vec<_> = list.iter().filter(broken).collect();
    match broken.as_slice() {
        [] => ok(
            "plugins.state",
            "Plugins",
            format!("{} are on, none with a fault", list.iter().filter(|p| p.enabled).count()),
        ),
        [first, ..] => check(
            "plugins.state",
            "Plugins",
            CheckOutcome::Failed,
            format!(
                "{} of {} failed: “{}”: {}",
                broken.len(),
                list.len(),
                first.id,
                first.status.message
            ),
            Some(format!("kata plugins logs {0}; kata plugins reload {0}", first.id)),
        ),
    }
}

pub(super) fn sources(list: &[SourceSummary]) -> Check {
    let on: Vec<_> = list.iter().filter(|s| s.enabled).collect();
    let bad = |s: &&&SourceSummary| {
        matches!(
            s.status.state,
            RunState::Failed { .. } | RunState::Quarantined { .. } | RunState::Backoff { .. }
        )
    };
    if let Some(first) = on.iter().find(bad) {
        return check(
            "sources.state",
            "Channels and services",
            CheckOutcome::Failed,
            format!("“{}” does not work: {}", first.name, first.status.message),
            Some(format!("kata sources show {0}; kata sources restart {0}", first.id)),
        );
    }
    match on.iter().find(|s| matches!(s.status.state, RunState::NeedsUser { .. })) {
        Some(first) => check(
            "sources.state",
            "Channels and services",
            CheckOutcome::Warning,
            format!("“{}” waits for you: {}", first.name, first.status.message),
            Some(format!("kata sources show {}", first.id)),
        ),
        None => ok("sources.state", "Channels and services", format!("{} are on", on.len())),
    }
}

pub(super) fn letters(count: usize) -> Check {
    match count {
        0 => ok("messages.letters", "Messages", "all got through, or are on their way"),
        count => check(
            "messages.letters",
            "Messages",
            CheckOutcome::Warning,
            format!("{count} did not get through"),
            Some("kata letters list".into()),
        ),
    }
}

/// What was set aside or cannot be written.
pub(super) fn trouble(notices: &[(String, String)]) -> Check {
    let bad = notices.iter().find(|(id, _)| {
        [
            "disk-trouble",
            "secrets-damaged",
            "settings-damaged",
            "settings-distrusted",
            "store-set-aside",
        ]
        .contains(&id.as_str())
    });
    match bad {
        None => ok("engine.notices", "Engine", "nothing was set aside"),
        Some((_, message)) => check(
            "engine.notices",
            "Engine",
            CheckOutcome::Failed,
            message.clone(),
            Some("kata status".into()),
        ),
    }
}

pub(super) fn safe_mode(reason: &str, suspects: &[String]) -> Check {
    let mend = match suspects {
        [] => "kata restart".to_owned(),
        [first, ..] => format!("kata plugins disable {first}; kata restart"),
    };
    check(
        "engine.safe-mode",
        "Safe mode",
        CheckOutcome::Warning,
        format!("plugins are off: {reason}"),
        Some(mend),
    )
}
