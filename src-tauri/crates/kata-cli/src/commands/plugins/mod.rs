//! `kata plugins`, `kata commands`, `kata run`. What needs an engine asks it; what an author does before is done here.

mod author;
mod dev;
mod grant;
mod signers;
mod types;

use super::{connect, standard_input};
use crate::args::Plugins;
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use crate::setting;
use kata_protocol::*;
use serde_json::json;
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Plugins) -> Result<(), Failure> {
    if let Some(logs) = command.as_logs() {
        return super::logs::run(screen, home, logs).await;
    }
    match command {
        Plugins::New {
            id,
            template,
            name,
            dir,
            install,
        } => {
            let new = author::New {
                id,
                template: template.into(),
                name,
                dir,
            };
            if install {
                author::create(screen, home, new).await
            } else {
                author::write(screen, &new)
            }
        }
        Plugins::Check { dir } => author::check(screen, &dir).await,
        Plugins::Pack { dir, out } => author::pack(screen, &dir, out.as_deref()),
        Plugins::Dev { dir, yes } => dev::run(screen, home, &dir, yes).await,
        Plugins::Install { path, replace, yes } => grant::install(screen, home, &path, replace, yes).await,
        Plugins::Trust {
            id,
            capability,
            no_capabilities,
            development,
            remember_signer,
            yes,
        } => {
            let wish = grant::Wish {
                capabilities: if no_capabilities {
                    Some(Vec::new())
                } else {
                    Some(capability).filter(|c| !c.is_empty())
                },
                development,
                remember_signer,
                yes,
            };
            grant::trust(screen, home, id, wish).await
        }
        Plugins::Revoke { id, capability } => grant::revoke(screen, home, id, capability).await,
        Plugins::Signers { command } => signers::run(screen, home, command).await,
        Plugins::Uninstall { id, yes } => grant::uninstall(screen, home, id, yes).await,
        Plugins::Inspect { id } => {
            let detail = connect(home).await?.plugin_get(PluginRef { id }).await?;
            show(screen, &detail)
        }
        Plugins::Discovery => {
            let discovery = connect(home).await?.plugin_discovery(Empty {}).await?;
            screen.result(&discovery, render::discovery)
        }
        Plugins::Set { id, settings } => {
            let mut client = connect(home).await?;
            let present = client.plugin_get(PluginRef { id: id.clone() }).await?;
            let settings = Json(setting::changed(&present.settings, present.settings_schema.as_ref(), &settings));
            show(screen, &client.plugin_configure(PluginConfigure { id, settings }).await?)
        }
        Plugins::Secret { id, name, remove } => {
            let mut client = connect(home).await?;
            let value = if remove { None } else { Some(setting::secret(screen, &name)?) };
            show(screen, &client.plugin_secret(PluginSecret { id, name, value }).await?)
        }
        Plugins::List => {
            let plugins = connect(home).await?.plugin_list(Empty {}).await?;
            screen.result(&plugins, |p| render::plugins(p, render::now()))
        }
        Plugins::Reload { id } => {
            let mut client = connect(home).await?;
            row(
                screen,
                &screen.working("loading the plugin", client.plugin_reload(PluginRef { id })).await?,
            )
        }
        Plugins::Enable { id } => row(
            screen,
            &connect(home).await?.plugin_enable(PluginEnable { id, enabled: true }).await?,
        ),
        Plugins::Disable { id } => row(
            screen,
            &connect(home).await?.plugin_enable(PluginEnable { id, enabled: false }).await?,
        ),
        Plugins::Logs { .. } => Ok(()),
    }
}

/// `kata commands`.
pub(super) async fn commands(screen: &Screen, home: &Path) -> Result<(), Failure> {
    let commands = connect(home).await?.command_list(Empty {}).await?;
    screen.result(&commands, |c| render::commands(c))
}

/// `kata run`.
pub(super) async fn command(screen: &Screen, home: &Path, name: &str, args: &[String]) -> Result<(), Failure> {
    let args = if args == ["-"] { standard_input()? } else { args.join(" ") };
    let run = CommandRun {
        name: name.trim_start_matches('/').to_owned(),
        args,
    };
    let mut client = connect(home).await?;
    let output = screen.working("the command runs", client.command_run(run)).await?;
    screen.result(&output, |o| {
        let text = render::clean(&o.text);
        if text.is_empty() || text.ends_with('\n') {
            text
        } else {
            text + "\n"
        }
    })
}

fn row(screen: &Screen, plugin: &PluginSummary) -> Result<(), Failure> {
    screen.result(plugin, |p| render::plugins(std::slice::from_ref(p), render::now()))
}

fn show(screen: &Screen, plugin: &PluginDetail) -> Result<(), Failure> {
    screen.result(plugin, |p| render::plugin(p, render::now()))
}

/// A person must answer; `why` says what is missing where nobody can.
pub(super) fn ask(screen: &Screen, question: &str, instead: &str) -> Result<bool, Failure> {
    if !screen.is_interactive() || screen.json {
        return Err(Failure::new(crate::failure::Exit::Refused, "a person has to agree to this").hint(instead));
    }
    screen.prompt(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Says that something was done, as a sentence or as JSON.
fn done(screen: &Screen, word: &str, id: &PluginId, sentence: String) -> Result<(), Failure> {
    screen.result(&json!({ word: id }), |_| sentence + "\n")
}
