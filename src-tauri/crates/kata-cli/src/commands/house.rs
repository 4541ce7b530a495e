//! `kata settings`, `import`, `backup`, `security`, `man`.

use super::{connect, plugins};
use crate::args::{Backups, ChangeSession, Cli, Import, Notices, RunImport, Security, Settings, SettingsCommand};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use clap::CommandFactory;
use kata_protocol::{
    Empty, ImportCandidate, ImportFind, ImportRun, Json, NoticeDismiss, SessionUpdate, SettingKind, SettingSet, SettingValue, Severity,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(super) async fn settings(screen: &Screen, home: &Path, settings: Settings) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let mut all = client.settings_list(Empty {}).await?;
    let known = |all: &[SettingValue], path: &str| -> Result<SettingValue, Failure> {
        let found = all.iter().find(|setting| setting.path == path).cloned();
        found.ok_or_else(|| Failure::new(Exit::Failure, format!("there is no setting “{path}”")).hint("`kata settings list` shows them"))
    };
    match settings.command.unwrap_or(SettingsCommand::List { changeable: false }) {
        SettingsCommand::List { changeable } => {
            all.retain(|setting| !changeable || setting.rule.is_some());
            screen.result(&all, |s| render::settings(s))
        }
        SettingsCommand::Get { path } => screen.result(&known(&all, &path)?, render::setting),
        SettingsCommand::Set { path, value } => {
            // A path that is none is refused by the engine, with what to do instead.
            let kind = known(&all, &path).ok().and_then(|setting| setting.rule).map(|rule| rule.kind);
            let value = Json(typed(kind.as_ref(), &value));
            let changed = client.settings_set(SettingSet { path, value }).await?;
            screen.result(&changed, render::setting)
        }
        SettingsCommand::Unset { path } => {
            let changed = client
                .settings_set(SettingSet {
                    path,
                    value: Json(Value::Null),
                })
                .await?;
            screen.result(&changed, render::setting)
        }
    }
}

/// Words as the value the setting wants; what does not fit goes as it is, and the engine says why not.
fn typed(kind: Option<&SettingKind>, words: &[String]) -> Value {
    let one = words.join(" ");
    match kind {
        Some(SettingKind::List { .. }) => {
            let parts = words
                .iter()
                .flat_map(|word| word.split(','))
                .map(str::trim)
                .filter(|word| !word.is_empty());
            json!(parts.collect::<Vec<_>>())
        }
        Some(SettingKind::Bool {}) if ["yes", "on"].contains(&one.as_str()) => json!(true),
        Some(SettingKind::Bool {}) if ["no", "off"].contains(&one.as_str()) => json!(false),
        Some(SettingKind::Text { .. }) => json!(one),
        _ => serde_json::from_str(&one).unwrap_or(json!(one)),
    }
}

pub(super) async fn import(screen: &Screen, home: &Path, command: Import) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Import::Find { path } => {
            let path = path.map(|path| absolute(&path)).transpose()?;
            let found = client.import_find(ImportFind { path }).await?;
            screen.result(&found, |found| render::candidates(found))
        }
        Import::Run(RunImport {
            from,
            path,
            items,
            all,
            dry_run,
            yes,
        }) => {
            let path = path.map(|path| absolute(&path)).transpose()?;
            let found = client.import_find(ImportFind { path }).await?;
            let Some(candidate) = found.into_iter().find(|candidate| candidate.from == from) else {
                return Err(Failure::new(Exit::Failure, format!("nothing of “{from}” was found"))
                    .hint("`kata import find --path FOLDER` looks elsewhere"));
            };
            let items = chosen(&candidate, items, all);
            if dry_run {
                let would = ImportCandidate {
                    items: candidate.items.into_iter().filter(|item| items.contains(&item.id)).collect(),
                    ..candidate
                };
                return screen.result(&would, |would| render::candidates(std::slice::from_ref(would)));
            }
            if items.is_empty() {
                screen.note("nothing to take over; `kata import find` says why");
            } else if !yes
                && !plugins::ask(
                    screen,
                    &format!("Take over {} thing(s) from {}?", items.len(), candidate.title),
                    "-y does it without asking",
                )?
            {
                return Err(Failure::new(Exit::Refused, "nothing was taken over"));
            }
            let report = client
                .import_run(ImportRun {
                    from,
                    path: candidate.path,
                    items,
                })
                .await?;
            let asked_for_failed = report
                .left
                .iter()
                .any(|item| item.importable && item.reason.as_deref() != Some("It was not chosen."));
            screen.result(&report, render::import_report)?;
            if asked_for_failed {
                return Err(Failure::new(Exit::Failure, "not everything that was chosen could be taken over"));
            }
            Ok(())
        }
    }
}

/// What is taken over: what was named, everything, or what is proposed.
fn chosen(candidate: &ImportCandidate, items: Vec<String>, all: bool) -> Vec<String> {
    if !items.is_empty() {
        return items.iter().flat_map(|item| item.split(',')).map(str::to_owned).collect();
    }
    let wanted = candidate.items.iter().filter(|item| item.importable && (all || item.proposed));
    wanted.map(|item| item.id.clone()).collect()
}

/// The engine may run in another folder.
fn absolute(path: &Path) -> Result<String, Failure> {
    let path: PathBuf = match path.strip_prefix("~") {
        Ok(_) => path.to_owned(),
        Err(_) => std::path::absolute(path)?,
    };
    Ok(path.display().to_string())
}

pub(super) async fn backups(screen: &Screen, home: &Path, command: Backups) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Backups::List => {
            let backups = client.backup_list(Empty {}).await?;
            screen.result(&backups, |b| render::backups(b, render::now()))
        }
        Backups::Create => {
            let backup = screen.working("copying", client.backup_create(Empty {})).await?;
            screen.result(&backup, |b| format!("{}\n", render::clean(&b.path)))
        }
    }
}

pub(super) async fn notices(screen: &Screen, home: &Path, command: Notices) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Notices::List => {
            let notices = client.system_status(Empty {}).await?.notices;
            screen.result(&notices, |n| render::notices(n, render::now()))
        }
        Notices::Dismiss { id } => {
            client.notice_dismiss(NoticeDismiss { id }).await?;
            screen.result(&json!({"dismissed": true}), |_| "taken away\n".into())
        }
    }
}

pub(super) async fn change_session(screen: &Screen, client: &mut Client, change: ChangeSession) -> Result<(), Failure> {
    let labels = (change.no_labels || !change.labels.is_empty()).then_some(change.labels);
    let update = SessionUpdate {
        id: change.id,
        name: change.name,
        flagged: change.flag,
        status: change.status,
        labels,
        unread: change.unread,
        mode: change.mode.map(Into::into),
        model: change.model,
        working_directory: change.dir.map(|dir| absolute(&dir)).transpose()?,
    };
    let session = client.session_update(update).await?;
    screen.result(&session, |s| format!("{} changed\n", s.id))
}

pub(super) async fn security(screen: &Screen, home: &Path, command: Security) -> Result<(), Failure> {
    let Security::Audit = command;
    let mut client = connect(home).await?;
    let findings = screen.working("looking", client.security_audit(Empty {})).await?;
    screen.result(&findings, |f| render::findings(f))?;
    if findings.iter().any(|finding| finding.severity == Severity::Critical) {
        return Err(Failure::new(Exit::Failure, "somebody could do harm now").hint("each finding says what mends it"));
    }
    Ok(())
}

/// The manual: one page on standard output, or all of them into a folder.
pub(super) fn man(screen: &Screen, folder: Option<PathBuf>) -> Result<(), Failure> {
    let pages = pages()?;
    let Some(folder) = folder else {
        let first = pages.first().map(|(_, text)| text.as_slice()).unwrap_or_default();
        return screen.text(&String::from_utf8_lossy(first));
    };
    std::fs::create_dir_all(&folder)?;
    for (name, text) in &pages {
        write(&folder.join(name), text)?;
    }
    let names: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
    screen.result(&json!({ "folder": folder, "pages": names }), |_| {
        format!("{} pages in {}\n", pages.len(), folder.display())
    })
}

fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// `kata.1`, then one page per command (`kata-sessions.1`).
fn pages() -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut kata = Cli::command();
    kata.build();
    let mut pages = Vec::new();
    let mut commands = vec![(String::from("kata"), kata.clone())];
    for command in kata.get_subcommands().filter(|c| c.get_name() != "help") {
        commands.push((format!("kata-{}", command.get_name()), command.clone()));
    }
    for (name, command) in commands {
        let mut text = Vec::new();
        // Without the day it was made: the same definition gives the same page.
        let man = clap_mangen::Man::new(command).title(name.to_uppercase()).date("");
        man.render(&mut text)?;
        pages.push((format!("{name}.1"), text));
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_the_value_a_setting_wants() {
        let of = |kind: SettingKind, words: &[&str]| typed(Some(&kind), &words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(SettingKind::Bool {}, &["on"]), json!(true));
        assert_eq!(of(SettingKind::Bool {}, &["true"]), json!(true));
        assert_eq!(of(SettingKind::Bool {}, &["maybe"]), json!("maybe"), "the engine says what fits");
        assert_eq!(of(SettingKind::Number { min: 1, max: 9 }, &["7"]), json!(7));
        assert_eq!(of(SettingKind::Text { most: 9 }, &["7"]), json!("7"));
        assert_eq!(
            of(SettingKind::List { most: 9 }, &["a.example,b.example", "c.example"]),
            json!(["a.example", "b.example", "c.example"])
        );
    }
}
