//! What each command does. One file per group; the small ones are here.

mod approvals;
mod attachments;
mod attention;
mod background;
mod channels;
mod chat;
mod crashes;
mod devices;
mod doctor;
mod follow;
mod house;
mod logs;
mod models;
mod oauth;
mod permissions;
mod plans;
mod plugins;
mod route;
mod serve;
mod source_files;
mod sources;
mod trace;
mod update;
mod upkeep;
mod workspaces;

use crate::args::{Cli, Command, Hooks, Pair, Sessions};
use crate::client::Client;
use crate::engine;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use clap::CommandFactory;
use kata_protocol::*;
use serde_json::json;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Time an engine gets to end.
const STOPPING: Duration = Duration::from_secs(30);
/// Longest text that is read from standard input, bytes.
const INPUT: u64 = 4 << 20;

pub(crate) async fn run(cli: Cli, screen: &Screen) -> Result<(), Failure> {
    if let Command::Completions { shell } = cli.command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "kata", &mut text);
        return screen.text(&String::from_utf8_lossy(&text));
    }
    let home = match cli.global.home.filter(|home| !home.as_os_str().is_empty()) {
        Some(home) => home,
        None => engine::default_home(),
    };
    match cli.command {
        Command::Serve(options) => serve::run(screen, home, options).await,
        Command::Status => {
            let status = connect(&home).await?.system_status(Empty {}).await?;
            screen.result(&status, |s| render::status(s, render::now()))
        }
        Command::Stop => stop(screen, &home).await,
        Command::Restart(options) => crashes::restart(screen, &home, options).await,
        Command::Background(command) => background::run(screen, &home, command).await,
        Command::Crashes(command) => crashes::run(screen, &home, command).await,
        Command::Doctor => doctor::run(screen, &home).await,
        Command::Attention(command) => attention::run(screen, &home, command).await,
        Command::Pause(options) => attention::pause(screen, &home, options).await,
        Command::Resume => attention::resume(screen, &home).await,
        Command::Chat(chat) => chat::run(screen, &home, chat).await,
        Command::Sessions(command) => sessions(screen, &home, command).await,
        Command::Workspaces(command) => workspaces::workspaces(screen, &home, command).await,
        Command::Skills(command) => workspaces::skills(screen, &home, command).await,
        Command::Preferences(command) => workspaces::preferences(screen, &home, command).await,
        Command::Notes(options) => workspaces::notes(screen, &home, options).await,
        Command::Export(options) => workspaces::export(screen, &home, options).await,
        Command::Usage(options) => workspaces::usage(screen, &home, options).await,
        Command::Files(options) => workspaces::files(screen, &home, options).await,
        Command::Git { id } => workspaces::git(screen, &home, id).await,
        Command::Search(options) => upkeep::search(screen, &home, options).await,
        Command::Letters(command) => upkeep::letters(screen, &home, command).await,
        Command::Hygiene(command) => upkeep::hygiene(screen, &home, command).await,
        Command::Index(command) => upkeep::index(screen, &home, command).await,
        Command::Permissions(command) => permissions::run(screen, &home, command).await,
        Command::Tools(command) => permissions::tools(screen, &home, command).await,
        Command::Plugins(command) => plugins::run(screen, &home, command).await,
        Command::Commands => plugins::commands(screen, &home).await,
        Command::Run { command, args } => plugins::command(screen, &home, &command, &args).await,
        Command::Sources(command) => sources::run(screen, &home, command).await,
        Command::Elicitations(command) => source_files::elicitations(screen, &home, command).await,
        Command::Oauth(command) => oauth::run(screen, &home, command).await,
        Command::Pair(command) => pair(screen, &home, command).await,
        Command::Devices(command) => devices::run(screen, &home, command).await,
        Command::Gateway => devices::gateway(screen, &home).await,
        Command::Route(command) => route::run(screen, &home, command).await,
        Command::Channels(command) => channels::run(screen, &home, command).await,
        Command::Refusals => {
            let counts = connect(&home).await?.refusal_list(Empty {}).await?;
            screen.result(&counts, |c| render::refusals(c, render::now()))
        }
        Command::Approvals(command) => approvals::run(screen, &home, command).await,
        Command::Plans(command) => plans::run(screen, &home, command).await,
        Command::Trace(options) => trace::run(screen, &home, options).await,
        Command::Hooks(Hooks::List { event }) => {
            let mut hooks = connect(&home).await?.hook_list(Empty {}).await?;
            hooks.retain(|hook| event.as_deref().is_none_or(|event| hook.event.as_str() == event));
            screen.result(&hooks, |h| render::hooks(h))
        }
        Command::Logs(options) => logs::run(screen, &home, options).await,
        Command::Models(command) => models::run(screen, &home, command).await,
        Command::Settings(command) => house::settings(screen, &home, command).await,
        Command::Import(command) => house::import(screen, &home, command).await,
        Command::Backup(command) => house::backups(screen, &home, command).await,
        Command::Security(command) => house::security(screen, &home, command).await,
        Command::Notices(command) => house::notices(screen, &home, command).await,
        Command::Man { out } => house::man(screen, out),
        Command::Update { command } => update::run(screen, &home, command).await,
        Command::Token => token(screen, &home).await,
        Command::Completions { .. } => Ok(()),
    }
}

async fn connect(home: &Path) -> Result<Client, Failure> {
    Client::connect(home, &[]).await
}

async fn stop(screen: &Screen, home: &Path) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    client.system_shutdown(Empty {}).await?;
    let gone = screen
        .working(
            "the engine finishes what it does",
            tokio::time::timeout(STOPPING, client.until_gone()),
        )
        .await;
    if gone.is_err() {
        return Err(Failure::new(
            Exit::Failure,
            format!("the engine was asked to end and still runs after {} s", STOPPING.as_secs()),
        )
        .hint("`kata logs` says what it waits for"));
    }
    screen.result(&json!({"stopped": true}), |_| "the engine has ended\n".into())
}

async fn sessions(screen: &Screen, home: &Path, command: Sessions) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Sessions::List {
            workspace,
            search,
            channels,
            archived,
            limit,
        } => {
            let query = SessionList {
                workspace,
                channel: channels.then_some(true),
                archived: archived.then_some(true),
                search,
                limit: Some(limit),
                ..SessionList::default()
            };
            let page = client.session_list(query).await?;
            screen.result(&page, |p| render::sessions(p, render::now()))
        }
        Sessions::Show { id, limit, before } => {
            let detail = client.session_get(SessionGet { id, limit, before }).await?;
            screen.result(&detail, |d| render::session(d, render::now()))
        }
        Sessions::Set(change) => house::change_session(screen, &mut client, *change).await,
        Sessions::Stop { id } => {
            client.session_interrupt(SessionRef { id }).await?;
            screen.result(&json!({"stopped": true}), |_| "it stops\n".into())
        }
        Sessions::Resend { id } => {
            let submitted = client.session_resend(SessionRef { id }).await?;
            screen.result(&submitted, |_| "on its way again\n".into())
        }
        Sessions::Archive { ids } => archive(screen, &mut client, ids, true).await,
        Sessions::Unarchive { ids } => archive(screen, &mut client, ids, false).await,
        Sessions::Delete { ids, yes } => {
            let question = format!("Delete {} archived session(s) for good?", ids.len());
            if !yes && !plugins::ask(screen, &question, "-y deletes without asking")? {
                return Err(Failure::new(Exit::Refused, "nothing was deleted"));
            }
            for id in &ids {
                client.session_delete(SessionRef { id: id.clone() }).await?;
            }
            screen.result(&json!({"deleted": ids}), |_| format!("{} deleted\n", ids.len()))
        }
        Sessions::Attachment { id, attachment, out } => attachments::run(screen, &mut client, id, attachment, out).await,
        Sessions::Reset { id } => {
            client.session_reset(SessionRef { id }).await?;
            screen.result(&json!({"reset": true}), |_| "the next message begins a new session\n".into())
        }
    }
}

async fn archive(screen: &Screen, client: &mut Client, ids: Vec<SessionId>, archived: bool) -> Result<(), Failure> {
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.push(client.session_archive(SessionArchive { id, archived }).await?);
    }
    let place = if archived { "into" } else { "out of" };
    screen.result(&rows, |rows| format!("{} {place} the archive\n", rows.len()))
}

async fn pair(screen: &Screen, home: &Path, command: Pair) -> Result<(), Failure> {
    if let Pair::Device(wanted) = command {
        return devices::pair(screen, home, wanted).await;
    }
    let mut client = connect(home).await?;
    match command {
        Pair::List => {
            let waiting = client.pairing_list(Empty {}).await?;
            screen.result(&waiting, |w| render::pairings(w, render::now()))
        }
        Pair::Approve { code } => {
            let person = client.pairing_approve(PairingRef { code }).await?;
            screen.result(&person, |p| render::pairing(p, render::now()))
        }
        Pair::Deny { code } => {
            let done = client.pairing_deny(PairingRef { code }).await?;
            screen.result(&done, |_| "turned away\n".into())
        }
        Pair::Device(_) => Ok(()),
    }
}

async fn token(screen: &Screen, home: &Path) -> Result<(), Failure> {
    let token = engine::local_token(home).await?;
    screen.note("warning: whoever has this token controls the engine; do not paste it anywhere you would not paste a password");
    screen.result(&json!({"token": token}), |_| format!("{token}\n"))
}

/// Everything on standard input, without the line end.
pub(crate) fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(INPUT + 1).read_to_string(&mut text);
    if let Err(e) = read {
        return Err(Failure::usage(format!("standard input cannot be read as text: {e}")));
    }
    if text.len() as u64 > INPUT {
        return Err(Failure::usage(format!("standard input is larger than {} MiB", INPUT >> 20)));
    }
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
