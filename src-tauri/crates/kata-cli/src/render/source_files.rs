//! Files of sources, their tools, and questions that wait.

use super::{clean, line};
use kata_protocol::{Elicitation, Ms, Probe, SourceDocument, SourceTool, ToolTried};
use std::fmt::Write;

/// How a source answered.
pub(crate) fn probed(probe: &Probe) -> String {
    let word = if probe.ok { "works" } else { "does not work" };
    format!("{word} ({} ms): {}\n", probe.latency_ms, line(&probe.message, 500))
}

/// Files, whole, with what is wrong first.
pub(crate) fn source_document(files: &SourceDocument) -> String {
    let mut text = format!("{}\n", files.path);
    for error in &files.errors {
        let _ = writeln!(text, "! {}", line(error, 500));
    }
    let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
    if !files.config.0.is_null() {
        let _ = writeln!(text, "\nconfig.json\n{}", pretty(&files.config.0));
    }
    if !files.permissions.0.is_null() {
        let _ = writeln!(text, "\npermissions.json\n{}", pretty(&files.permissions.0));
    }
    if let Some(guide) = &files.guide {
        let _ = writeln!(text, "\nguide.md\n{}", clean(guide));
    }
    text
}

/// Tools with how they would be judged.
pub(crate) fn source_tools(tools: &[SourceTool]) -> String {
    if tools.is_empty() {
        return "no tools; `kata sources show` says how the source stands\n".into();
    }
    let mut text = String::new();
    for tool in tools {
        let _ = writeln!(
            text,
            "{:5}  {}\n       {}",
            tool.judged,
            line(&tool.info.name, 80),
            line(&tool.info.description, 200)
        );
    }
    text
}

/// What a tool gave.
pub(crate) fn tried(tried: &ToolTried) -> String {
    format!("{}\n({} ms)\n", clean(tried.text.trim_end()), tried.took_ms)
}

/// Questions with what they want.
pub(crate) fn elicitations(waiting: &[Elicitation], now: Ms) -> String {
    if waiting.is_empty() {
        return "no source asks you anything\n".into();
    }
    let mut text = String::new();
    for question in waiting {
        let minutes = question.expires_at.0.saturating_sub(now.0).div_ceil(60_000);
        let _ = writeln!(
            text,
            "{}  {}\n        {}",
            question.id,
            line(question.source.as_str(), 80),
            line(&question.message, 500)
        );
        if let Some(url) = &question.url {
            let _ = writeln!(text, "        open {}", line(url, 500));
        }
        if let Some(schema) = &question.schema {
            let _ = writeln!(text, "        form {}", line(&schema.0.to_string(), 800));
        }
        let _ = writeln!(text, "        given up in {minutes} min");
    }
    text += "\nkata elicitations answer ID accept|decline|cancel '{\"field\": …}'\n";
    text
}
