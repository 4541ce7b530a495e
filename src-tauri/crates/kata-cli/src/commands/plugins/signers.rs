//! `kata plugins signers`: the keys that carry updates over.

use super::{ask, connect};
use crate::args::Signers;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::{Empty, PluginSignerRef};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Option<Signers>) -> Result<(), Failure> {
    match command {
        None | Some(Signers::List) => {
            let signers = connect(home).await?.plugin_signers(Empty {}).await?;
            screen.result(&signers, |s| render::signers(s, render::now()))
        }
        Some(Signers::Forget { key, yes }) => {
            let mut client = connect(home).await?;
            let question = format!(
                "forget the key {}? Updates it signs ask again; trusted files stay trusted.",
                render::line(&key, 40)
            );
            if !yes && !ask(screen, &question, "-y forgets it without asking")? {
                return Err(Failure::new(Exit::Refused, "nothing was forgotten"));
            }
            let left = client.plugin_forget_signer(PluginSignerRef { key_id: key }).await?;
            screen.result(&left, |s| format!("forgotten\n{}", render::signers(s, render::now())))
        }
    }
}
