//! `kata route`, `kata channels policy`.

use super::{connect, standard_input};
use crate::args::{AddBinding, Route, SetPolicy};
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::*;
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Route) -> Result<(), Failure> {
    match command {
        Route::Show => {
            let table = connect(home).await?.route_get(Empty {}).await?;
            screen.result(&table, render::routes)
        }
        Route::Set { file } => {
            let table: RoutingTable = read(&file)?;
            let table = connect(home).await?.route_set(table).await?;
            screen.result(&table, render::routes)
        }
        Route::Add(add) => {
            let mut client = connect(home).await?;
            let mut table = client.route_get(Empty {}).await?;
            let binding = binding(*add);
            match table.bindings.iter_mut().find(|known| known.id == binding.id) {
                Some(known) => *known = binding,
                None => table.bindings.push(binding),
            }
            let table = client.route_set(table).await?;
            screen.result(&table, render::routes)
        }
        Route::Remove { id } => {
            let mut client = connect(home).await?;
            let mut table = client.route_get(Empty {}).await?;
            let before = table.bindings.len();
            table.bindings.retain(|binding| binding.id != id);
            if table.bindings.len() == before {
                return Err(Failure::new(Exit::Failure, format!("there is no binding “{id}”")).hint("`kata route show` lists them"));
            }
            let table = client.route_set(table).await?;
            screen.result(&table, render::routes)
        }
        Route::Explain { file, table } => {
            let mut question: RouteExplain = read(&file)?;
            if let Some(table) = table {
                question.table = Some(read(&table)?);
            }
            let explained = connect(home).await?.route_explain(question).await?;
            screen.result(&explained, render::route_explanation)
        }
        Route::Keys => {
            let keys = connect(home).await?.route_keys(Empty {}).await?;
            screen.result(&keys, |k| render::keys(k, render::now()))
        }
        Route::Join { key, session } => {
            let row = connect(home).await?.route_join(RouteJoin { key, session }).await?;
            screen.result(&row, |r| render::keys(std::slice::from_ref(r), render::now()))
        }
    }
}

pub(super) async fn policy(screen: &Screen, home: &Path, set: SetPolicy) -> Result<(), Failure> {
    let id = SourceId::new(format!("channel:{}", set.channel)).map_err(|e| Failure::usage(e.to_string()))?;
    let list = |none: bool, list: Vec<String>| (none || !list.is_empty()).then_some(list);
    let quiet_hours = match (set.quiet, set.no_quiet) {
        (Some(hours), _) => Some(vec![hours]),
        (None, true) => Some(Vec::new()),
        (None, false) => None,
    };
    let change = ChannelPolicy {
        id,
        policy: set.policy.map(Into::into),
        allow: list(set.no_allow, set.allow),
        require_mention: set.mention,
        approvers: list(set.no_approver, set.approver),
        per_minute_sender: set.per_minute_sender,
        per_minute_conversation: set.per_minute_conversation,
        max_text: set.max_text,
        quiet_hours,
        previews: set.previews,
        waiting_mark: set.waiting_mark,
        send_to: list(set.no_send_to, set.send_to),
    };
    let state = connect(home).await?.channel_policy(change).await?;
    screen.result(&state, render::policy)
}

fn binding(add: AddBinding) -> Binding {
    Binding {
        id: add.id,
        matches: BindingMatch {
            channel: add.channel,
            account: add.account,
            chat_type: add.chat_type.map(Into::into),
            conversation: add.conversation,
            thread: add.thread,
            sender: add.sender,
            person: add.person,
        },
        workspace: add.workspace,
        profile: add.profile,
        scope: add.scope.into(),
        overlap: Overlap {
            policy: add.overlap.into(),
            ..Overlap::default()
        },
    }
}

/// A JSON file, or standard input for `-`.
fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = if file == Path::new("-") {
        standard_input()?
    } else {
        std::fs::read_to_string(file).map_err(|e| Failure::usage(format!("{} cannot be read: {e}", file.display())))?
    };
    serde_json::from_str(&text).map_err(|e| Failure::usage(format!("{}: {e}", file.display())))
}
