//! What a person decides about a plugin: install, trust, revoke, uninstall. Each shows what it is about before it asks.

use super::{ask, done, row};
use crate::client::Client;
use crate::commands::connect;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::{PluginDetail, PluginEnable, PluginId, PluginInstall, PluginRef, PluginRevoke, PluginSummary, PluginTrust, TrustState};
use std::path::Path;

/// How a plugin is to be trusted.
#[derive(Default)]
pub(super) struct Wish {
    /// Only these; everything it declares when absent.
    pub(super) capabilities: Option<Vec<String>>,
    pub(super) development: bool,
    pub(super) remember_signer: bool,
    /// Without asking.
    pub(super) yes: bool,
}

pub(super) async fn install(screen: &Screen, home: &Path, path: &Path, replace: bool, yes: bool) -> Result<(), Failure> {
    let absolute = path
        .canonicalize()
        .map_err(|e| Failure::usage(format!("{}: {e}", path.display())).hint("name a folder or a .tgz"))?;
    let mut client = connect(home).await?;
    let install = PluginInstall {
        path: absolute.display().to_string(),
        replace: Some(replace),
    };
    let detail = screen.working("installing", client.plugin_install(install)).await?;
    let id = detail.summary.id.clone();
    if detail.summary.trust == TrustState::Trusted {
        screen.note("signed by a key you remember, and it asks for nothing new: the trust carries over");
        return row(screen, &detail.summary);
    }
    if !yes && (screen.json || !screen.is_interactive()) {
        // Installed is not trusted: it waits until somebody has looked.
        screen.note(&format!("it waits to be trusted: `kata plugins trust {id}`"));
        return screen.result(&detail, render::asks);
    }
    let wish = Wish { yes, ..Wish::default() };
    let Some(_) = agree(screen, &mut client, &detail, &wish).await? else {
        screen.note(&format!("it stays there, untrusted; `kata plugins trust {id}` asks again"));
        return Ok(());
    };
    let summary = client.plugin_enable(PluginEnable { id, enabled: true }).await?;
    row(screen, &summary)
}

pub(super) async fn trust(screen: &Screen, home: &Path, id: PluginId, wish: Wish) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let detail = client.plugin_get(PluginRef { id }).await?;
    if detail.summary.trust == TrustState::Bundled {
        return Err(Failure::new(Exit::Refused, format!("“{}” is part of the app", detail.summary.id)).hint("it needs no trust"));
    }
    match agree(screen, &mut client, &detail, &wish).await? {
        Some(summary) => {
            if !summary.enabled {
                screen.note(&format!("switch it on with `kata plugins enable {}`", summary.id));
            }
            row(screen, &summary)
        }
        None => Err(Failure::new(Exit::Refused, "not trusted")),
    }
}

/// Shows what is asked for and what changed, and grants it when the person agrees. `None` when they do not.
pub(super) async fn agree(
    screen: &Screen,
    client: &mut Client,
    detail: &PluginDetail,
    wish: &Wish,
) -> Result<Option<PluginSummary>, Failure> {
    let declared: Vec<String> = detail.wanted.iter().filter(|c| c.declared).map(|c| c.capability.clone()).collect();
    let capabilities = wish.capabilities.clone().unwrap_or_else(|| declared.clone());
    if let Some(unknown) = capabilities.iter().find(|c| !declared.contains(c)) {
        return Err(
            Failure::usage(format!("“{unknown}” is nothing that plugin “{}” asks for", detail.summary.id)).hint(if declared.is_empty() {
                "it asks for nothing".to_owned()
            } else {
                format!("it asks for: {}", declared.join(", "))
            }),
        );
    }
    if !screen.json {
        screen.note(render::asks(detail).trim_end());
    }
    if !wish.yes {
        let what = match capabilities.len() {
            0 => "trust these files, and grant nothing?".to_owned(),
            n if n == declared.len() => "trust these files, and grant all of this?".to_owned(),
            _ => format!("trust these files, and grant {}?", capabilities.join(", ")),
        };
        let instead = format!(
            "-y agrees to what is shown; `kata plugins trust {} --capability` grants only some of it",
            detail.summary.id
        );
        if !ask(screen, &what, &instead)? {
            return Ok(None);
        }
    }
    let trust = PluginTrust {
        id: detail.summary.id.clone(),
        hash: detail.hash.clone(),
        capabilities,
        development: Some(wish.development),
        remember_signer: Some(wish.remember_signer),
    };
    client.plugin_trust(trust).await.map(Some)
}

pub(super) async fn revoke(screen: &Screen, home: &Path, id: PluginId, capability: Option<String>) -> Result<(), Failure> {
    let summary = connect(home).await?.plugin_revoke(PluginRevoke { id, capability }).await?;
    row(screen, &summary)
}

pub(super) async fn uninstall(screen: &Screen, home: &Path, id: PluginId, yes: bool) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let detail = client.plugin_get(PluginRef { id: id.clone() }).await?;
    let question = format!("take “{id}” out of {}?", render::line(&detail.summary.path, 200));
    if !yes && !ask(screen, &question, "-y takes it out without asking")? {
        return Err(Failure::new(Exit::Refused, "nothing was taken out"));
    }
    client.plugin_uninstall(PluginRef { id: id.clone() }).await?;
    done(screen, "uninstalled", &id, format!("“{id}” is gone; its state stays"))
}
