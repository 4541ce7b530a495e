//! `kata channels`.

use super::{connect, plugins, route, standard_input};
use crate::args::{Accounts, Channels, SetUp};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::*;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How often a step that waits for something elsewhere is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(2);

pub(super) async fn run(screen: &Screen, home: &Path, command: Channels) -> Result<(), Failure> {
    match command {
        Channels::List => {
            let mut sources = connect(home).await?.source_list(Empty {}).await?;
            sources.retain(|source| source.kind == SourceKind::Channel);
            screen.result(&sources, |s| render::channels(s, render::now()))
        }
        Channels::Setup(options) => set_up(screen, &mut connect(home).await?, options).await,
        Channels::Probe { channel } => {
            let mut client = connect(home).await?;
            let probe = screen
                .working("asking the platform", client.channel_probe(SourceRef { id: channel }))
                .await?;
            screen.result(&probe, render::probe)?;
            if probe.ok {
                return Ok(());
            }
            Err(Failure::new(Exit::Failure, "the channel could not work as it is")
                .hint("`kata channels setup` leads through what is missing"))
        }
        Channels::Audit { channel } => {
            let mut client = connect(home).await?;
            let warnings = screen
                .working("asking the platform", client.channel_audit(SourceRef { id: channel }))
                .await?;
            screen.result(&warnings, |w| render::audit(w))
        }
        Channels::Directory { channel } => {
            let mut client = connect(home).await?;
            let directory = screen
                .working("asking the platform", client.channel_directory(SourceRef { id: channel }))
                .await?;
            screen.result(&directory, render::directory)
        }
        Channels::Logout { channel, yes } => {
            let question = format!("Switch {} off, sign it out and forget its secrets?", name_of(&channel));
            if !yes && !plugins::ask(screen, &question, "-y does it without asking")? {
                return Err(Failure::new(Exit::Refused, "nothing was changed"));
            }
            let mut client = connect(home).await?;
            let source = screen
                .working("signing out", client.channel_logout(SourceRef { id: channel }))
                .await?;
            screen.result(&source, |s| render::channels(std::slice::from_ref(s), render::now()))
        }
        Channels::Accounts(Accounts::Add { channel, name, workspace }) => {
            let add = AccountAdd { channel, name, workspace };
            let source = connect(home).await?.account_add(add).await?;
            screen.note(&format!("`kata channels setup {}` sets it up", name_of(&source.id)));
            screen.result(&source, |s| render::channels(std::slice::from_ref(s), render::now()))
        }
        Channels::Accounts(Accounts::Remove { channel, yes }) => {
            let question = format!("Remove {} with its settings, secrets and whom it let in?", name_of(&channel));
            if !yes && !plugins::ask(screen, &question, "-y removes it without asking")? {
                return Err(Failure::new(Exit::Refused, "nothing was removed"));
            }
            connect(home).await?.account_remove(SourceRef { id: channel.clone() }).await?;
            screen.result(&json!({ "removed": channel }), |_| {
                format!("{} is removed; its sessions stay\n", name_of(&channel))
            })
        }
        Channels::Policy(policy) => route::policy(screen, home, *policy).await,
    }
}

/// The channel as a person writes it.
fn name_of(source: &SourceId) -> &str {
    source.as_str().strip_prefix("channel:").unwrap_or(source.as_str())
}

/// Answers given beforehand are kept one by one; then a person is asked for the rest, where there is one.
async fn set_up(screen: &Screen, client: &mut Client, options: SetUp) -> Result<(), Failure> {
    let SetUp { channel, answer, enable } = options;
    if answer.iter().filter(|(_, value)| value == "-").count() > 1 {
        return Err(Failure::usage("--answer: only one value can be read from standard input"));
    }
    let person = screen.is_interactive() && !screen.json;
    let mut step = None;
    for (name, value) in answer {
        let value = if value == "-" { standard_input()? } else { value };
        step = Some(next(screen, client, &channel, Some(SetupAnswer { name, value })).await?);
    }
    let mut step = match step {
        Some(step) => step,
        None => next(screen, client, &channel, None).await?,
    };
    if person {
        step = walk(screen, client, &channel, step).await?;
    }
    let SetupStep::Done { name, .. } = &step else {
        screen.result(&step, |_| String::new())?;
        return Err(waits_for(&channel, &step));
    };
    let on = enable || (person && yes(screen, "Switch it on now? [Y/n] ")?);
    if on {
        let enable = SourceEnable {
            id: channel.clone(),
            enabled: true,
            workspace: None,
        };
        client.source_enable(enable).await?;
    }
    let off = format!("`kata sources enable {channel}` switches it on");
    if !on {
        screen.note(&off);
    }
    let state = if on { " and switched on" } else { "" };
    screen.result(&step, |_| {
        format!("{} is set up as {}{state}\n", name_of(&channel), render::line(name, 80))
    })
}

async fn next(screen: &Screen, client: &mut Client, channel: &SourceId, answer: Option<SetupAnswer>) -> Result<SetupStep, Failure> {
    let ask = ChannelSetup {
        id: channel.clone(),
        answer,
    };
    screen.working("asking the platform", client.channel_setup(ask)).await
}

/// Leads the person through what is left.
async fn walk(screen: &Screen, client: &mut Client, channel: &SourceId, mut step: SetupStep) -> Result<SetupStep, Failure> {
    let mut shown = None;
    loop {
        if shown.as_ref() != Some(&step) {
            screen.note(&render::step(&step));
        }
        let given = match &step {
            SetupStep::Done { .. } => return Ok(step),
            SetupStep::Input { field, .. } => Some((field.clone(), screen.line("> ")?.ok_or_else(stopped)?)),
            SetupStep::Secret { secret, .. } => Some((secret.clone(), screen.hidden("(not shown) > ")?)),
            SetupStep::Choice { field, options, .. } => {
                let text = screen.line("> ")?.ok_or_else(stopped)?;
                let chosen = text.trim().parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
                let chosen = chosen.or_else(|| options.iter().find(|o| o.value == text.trim() || o.label == text.trim()));
                match chosen {
                    Some(option) => Some((field.clone(), option.value.clone())),
                    None => {
                        screen.note(&format!("Write a number from 1 to {}.", options.len()));
                        continue;
                    }
                }
            }
            SetupStep::Open { .. } | SetupStep::Qr { .. } => {
                tokio::time::sleep(ASK_AGAIN).await;
                None
            }
        };
        shown = Some(step.clone());
        let answer = given.map(|(name, value)| SetupAnswer { name, value });
        match next(screen, client, channel, answer).await {
            Ok(next) => {
                // The same question once more is shown once more: it was answered.
                if !matches!(next, SetupStep::Open { .. } | SetupStep::Qr { .. }) {
                    shown = None;
                }
                step = next;
            }
            Err(failure) if failure.exit() == Exit::Usage => screen.note(&format!("That does not fit: {}", failure.message)),
            Err(failure) => return Err(failure),
        }
    }
}

fn stopped() -> Failure {
    Failure::new(Exit::Refused, "the set-up was left; what was answered is kept").hint("the same command goes on")
}

fn yes(screen: &Screen, question: &str) -> Result<bool, Failure> {
    let answer = screen.line(question)?.unwrap_or_else(|| "n".into());
    Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes"))
}

/// What a script is told where only a person or another answer helps.
fn waits_for(channel: &SourceId, step: &SetupStep) -> Failure {
    let channel = name_of(channel);
    let (what, error, hint) = match step {
        SetupStep::Input { field, error, .. } | SetupStep::Choice { field, error, .. } => (
            format!("“{field}”"),
            error,
            format!("`kata channels setup {channel} --answer {field}=VALUE`"),
        ),
        SetupStep::Secret { secret, error, .. } => (
            format!("the secret “{secret}”"),
            error,
            format!("`kata channels setup {channel} --answer {secret}=-` reads it from standard input"),
        ),
        SetupStep::Open { url, error, .. } => (format!("a person who opens {url}"), error, "then run it again".into()),
        SetupStep::Qr { error, .. } => (
            "a person who scans a code".into(),
            error,
            "run it in a terminal, where the code is drawn, or use the window".into(),
        ),
        SetupStep::Done { .. } => ("nothing".into(), &None, String::new()),
    };
    let why = error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    Failure::new(
        Exit::Refused,
        format!("the set-up of {channel} waits for {what}{}", render::line(&why, 300)),
    )
    .hint(hint)
}
