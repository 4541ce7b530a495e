//! Settings, what can be taken over, copies, findings.

use super::{ago, clean, line, stamp, table, word};
use kata_protocol::{Backup, Finding, ImportCandidate, ImportItem, ImportReport, Ms, Notice, SettingKind, SettingValue, Severity};

pub(crate) fn settings(settings: &[SettingValue]) -> String {
    let rows: Vec<_> = settings
        .iter()
        .map(|s| {
            let mark = if s.rule.is_some() { "*" } else { "" };
            vec![
                format!("{}{mark}", line(&s.path, 60)),
                line(&s.value.0.to_string(), 60),
                line(&s.from, 80),
            ]
        })
        .collect();
    table(&["setting", "value", "from"], &rows, "no settings") + "* can be changed with `kata settings set`\n"
}

pub(crate) fn setting(setting: &SettingValue) -> String {
    let mut text = format!(
        "{} = {}  (from {})\n",
        line(&setting.path, 80),
        line(&setting.value.0.to_string(), 400),
        line(&setting.from, 80)
    );
    let Some(rule) = &setting.rule else {
        return text + "It is not changed here.\n";
    };
    text += &format!("{}\n", clean(&rule.doc));
    let kind = match &rule.kind {
        SettingKind::Bool {} => "true or false".to_owned(),
        SettingKind::Number { min, max } => format!("a number from {min} to {max}"),
        SettingKind::Text { most } => format!("a text of at most {most} characters"),
        SettingKind::List { most } => format!("a list of at most {most}"),
    };
    text += &format!("It is {kind}; by default {}.\n", line(&rule.default.0.to_string(), 80));
    if rule.restart {
        text += "It counts from the next start on.\n";
    }
    text
}

pub(crate) fn candidates(found: &[ImportCandidate]) -> String {
    if found.is_empty() {
        return "no other program left anything here\n".into();
    }
    let mut text = String::new();
    for candidate in found {
        text += &format!("{}  {}\n", clean(&candidate.title), clean(&candidate.path));
        for item in &candidate.items {
            let mark = match (item.importable, item.proposed) {
                (true, true) => "[x]",
                (true, false) => "[ ]",
                _ => " · ",
            };
            text += &entry(mark, item);
        }
    }
    if found.iter().any(|candidate| candidate.items.iter().any(|item| item.importable)) {
        text += "[x] `kata import run` takes these over; [ ] only with --items or --all\n";
    }
    text
}

fn entry(mark: &str, item: &ImportItem) -> String {
    let mut text = format!("  {mark} {}  {}\n", line(&item.id, 60), line(&item.label, 60));
    text += &format!("      {}\n", line(&item.detail, 200));
    if let Some(reason) = &item.reason {
        text += &format!("      {}\n", line(reason, 400));
    }
    text
}

pub(crate) fn import_report(report: &ImportReport) -> String {
    let mut text = String::new();
    for item in &report.done {
        text += &entry("taken over:", item);
    }
    for item in &report.left {
        text += &entry("left:", item);
    }
    if let Some(backup) = &report.backup {
        text += &format!("your settings as they were: {}\n", clean(backup));
    }
    text
}

pub(crate) fn notices(notices: &[Notice], now: Ms) -> String {
    let mut text = String::new();
    for notice in notices {
        text += &format!("{}  {}\n  {}\n", clean(&notice.id), ago(notice.at, now), line(&notice.message, 400));
        if let Some(hint) = &notice.hint {
            text += &format!("  {}\n", line(hint, 400));
        }
    }
    if text.is_empty() { "nothing to say\n".into() } else { text }
}

pub(crate) fn backups(backups: &[Backup], now: Ms) -> String {
    let rows: Vec<_> = backups
        .iter()
        .map(|b| {
            vec![
                stamp(b.at),
                ago(b.at, now),
                b.why.clone(),
                format!("{} kB", b.bytes.0.div_ceil(1000)),
                clean(&b.path),
            ]
        })
        .collect();
    table(&["when", "", "why", "size", "file"], &rows, "no backups")
}

pub(crate) fn findings(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "nothing that you should know\n".into();
    }
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.severity {
            Severity::Critical => "CRITICAL",
            Severity::Warning => "warning ",
            Severity::Info => "info    ",
        };
        text += &format!("{mark} {}  {}\n", line(&finding.about, 60), clean(&finding.code));
        text += &format!("         {}\n", line(&finding.message, 300));
        if let Some(mend) = &finding.mend {
            text += &format!("         mend: {}\n", line(mend, 300));
        }
    }
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    text + &format!(
        "{} critical, {} {}, {} for information\n",
        count(Severity::Critical),
        count(Severity::Warning),
        word(&Severity::Warning) + if count(Severity::Warning) == 1 { "" } else { "s" },
        count(Severity::Info)
    )
}
