//! Start at login, crashes, checks.

use super::{ago, clean, line, table};
use kata_protocol::{Background, Check, CheckOutcome, CrashReport, Ms};

pub(crate) fn background(background: &Background) -> String {
    let yes = |yes| if yes { "yes" } else { "no" };
    let what = match background.starts.as_deref() {
        Some("app") => "the app, hidden",
        _ => "kata serve",
    };
    let mut text = format!(
        "starts at login       {}\nagain after a crash   {}\nwhat is started       {what}\n",
        yes(background.at_login),
        yes(background.restarts)
    );
    for (name, value) in [("by", &background.by), ("entry", &background.entry), ("note", &background.reason)] {
        if let Some(value) = value {
            text += &format!("{name:<22}{}\n", clean(value));
        }
    }
    text
}

pub(crate) fn crashes(reports: &[CrashReport], now: Ms) -> String {
    let rows: Vec<Vec<String>> = reports
        .iter()
        .map(|report| {
            vec![
                report.id.clone(),
                ago(report.at, now),
                line(&report.kind, 10),
                line(report.place.as_deref().unwrap_or("-"), 50),
                if report.seen { "" } else { "new" }.into(),
            ]
        })
        .collect();
    table(&["id", "when", "kind", "place", ""], &rows, "it has always ended in order")
}

pub(crate) fn checks(checks: &[Check]) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.title.chars().count()).max().unwrap_or_default();
    for check in checks {
        let mark = match check.outcome {
            CheckOutcome::Ok => "ok    ",
            CheckOutcome::Warning => "warn  ",
            CheckOutcome::Failed => "FAILED",
        };
        text += &format!("{mark}  {:<width$}  {}\n", check.title, line(&check.detail, 400));
        if let Some(mend) = &check.mend {
            text += &format!("        {:<width$}  → {}\n", "", line(mend, 400));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_failed_says_what_mends_it() {
        let check = |outcome, mend: Option<&str>| Check {
            id: "a".into(),
            title: "Disk".into(),
            outcome,
            detail: "1 MB free".into(),
            mend: mend.map(str::to_owned),
        };
        let text = checks(&[check(CheckOutcome::Ok, None), check(CheckOutcome::Failed, Some("make room"))]);
        assert_eq!(
            text,
            "ok      Disk  1 MB free\nFAILED  Disk  1 MB free\n              → make room\n"
        );
    }
}
