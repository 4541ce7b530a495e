//! `kata sources add`, `remove`, `test`, `edit`, `tools`, `try`, and `kata elicitations`.

use super::{connect, standard_input};
use crate::args::{Elicitations, SourceFiles};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::{ElicitationAnswer, Empty, Json, SourceAdd, SourceRef, SourceWrite, ToolTry};
use std::path::Path;

pub(super) async fn run(screen: &Screen, client: &mut Client, command: SourceFiles) -> Result<(), Failure> {
    match command {
        SourceFiles::Add { config, guide, workspace } => {
            let params = SourceAdd {
                workspace,
                config: document(&config)?,
                guide: guide.as_deref().map(text).transpose()?,
            };
            let added = screen.working("adding", client.source_add(params)).await?;
            screen.result(&added, |s| render::source(s, render::now()))
        }
        SourceFiles::Remove { id } => {
            let done = client.source_remove(SourceRef { id }).await?;
            screen.result(&done, |_| "done; its folder lies in sources/.trash of its workspace\n".into())
        }
        SourceFiles::Test { id } => {
            let probe = screen.working("asking", client.source_test(SourceRef { id })).await?;
            screen.result(&probe, render::probed)?;
            match probe.ok {
                true => Ok(()),
                false => Err(Failure::new(Exit::Failure, "the source does not work")),
            }
        }
        SourceFiles::Edit {
            id,
            config,
            guide,
            permissions,
        } => {
            let files = match (&config, &guide, &permissions) {
                (None, None, None) => client.source_document(SourceRef { id }).await?,
                _ => {
                    let params = SourceWrite {
                        id,
                        config: config.as_deref().map(document).transpose()?,
                        guide: guide.as_deref().map(text).transpose()?,
                        permissions: permissions.as_deref().map(document).transpose()?,
                    };
                    client.source_write(params).await?
                }
            };
            screen.result(&files, render::source_document)
        }
        SourceFiles::Tools { id } => {
            let tools = client.source_tools(SourceRef { id }).await?;
            screen.result(&tools, |t| render::source_tools(t))
        }
        SourceFiles::Try { tool, params, workspace } => {
            let params = json("the arguments", &params)?;
            let name = tool;
            let tried = screen
                .working("calling", client.tool_try(ToolTry { name, params, workspace }))
                .await?;
            screen.result(&tried, render::tried)?;
            match tried.ok {
                true => Ok(()),
                false => Err(Failure::new(Exit::Failure, "the tool did not do it")),
            }
        }
    }
}

pub(super) async fn elicitations(screen: &Screen, home: &Path, command: Elicitations) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Elicitations::List => {
            let waiting = client.elicitation_list(Empty {}).await?;
            screen.result(&waiting, |w| render::elicitations(w, render::now()))
        }
        Elicitations::Answer { id, action, content } => {
            let content = content.map(|c| json("what you fill in", &c)).transpose()?;
            let done = client.elicitation_answer(ElicitationAnswer { id, action, content }).await?;
            screen.result(&done, |_| "answered\n".into())
        }
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    if path == Path::new("-") {
        return standard_input();
    }
    std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))
}

fn document(path: &Path) -> Result<Json, Failure> {
    json(&path.display().to_string(), &text(path)?)
}

fn json(what: &str, text: &str) -> Result<Json, Failure> {
    let value = serde_json::from_str(text).map_err(|e| Failure::usage(format!("{what}: is not JSON: {e}")))?;
    Ok(Json(value))
}
