//! Rules, judgements and tools.

use super::{clean, line, table};
use kata_protocol::*;

pub(crate) fn permissions(state: &PermissionState) -> String {
    let rows: Vec<Vec<String>> = state
        .rules
        .iter()
        .map(|rule| {
            vec![
                line(&rule.about, 8),
                line(&rule.text, 60),
                line(&rule.from, 60),
                rule.problem.as_deref().map(|p| line(p, 90)).unwrap_or_default(),
            ]
        })
        .collect();
    let mut text = format!(
        "workspace {}, new sessions in mode {}\ncommands are shut in by: {}\n\n",
        state.workspace,
        mode(state.mode),
        line(&state.sandbox, 200)
    );
    text += &table(&["about", "rule", "from", "problem"], &rows, "no rules");
    text
}

pub(crate) fn explanation(explained: &PermissionExplanation) -> String {
    let outcome = match explained.outcome {
        PermissionOutcome::Allow => "allow",
        PermissionOutcome::Ask => "ask",
        PermissionOutcome::Deny => "deny",
    };
    let mut text = format!("{outcome}: {}\n", clean(&explained.reason));
    text += &format!("judged as: {}\n", clean(&explained.params.0.to_string()));
    if let Some(rule) = &explained.always {
        let what = match (&rule.folder, rule.prefix.as_slice()) {
            (Some(folder), _) => format!("{} in {folder}", rule.tool),
            (None, []) => rule.tool.clone(),
            (None, words) => format!("{}: every command that begins with {}", rule.tool, words.join(" ")),
        };
        text += &format!("“always” would allow {}\n", clean(&what));
    }
    text
}

pub(crate) fn tools(tools: &[ToolInfo]) -> String {
    let rows: Vec<Vec<String>> = tools
        .iter()
        .map(|tool| {
            vec![
                line(&tool.name, 32),
                tool.plugin.as_ref().map_or_else(|| "built in".into(), ToString::to_string),
                if tool.read_only { "reads" } else { "may change things" }.into(),
                line(&tool.description, 70),
            ]
        })
        .collect();
    table(&["tool", "from", "does", "what for"], &rows, "no tools")
}

fn mode(mode: PermissionMode) -> &'static str {
    match mode {
        PermissionMode::Safe => "safe",
        PermissionMode::Ask => "ask",
        PermissionMode::AllowAll => "allow-all",
    }
}
