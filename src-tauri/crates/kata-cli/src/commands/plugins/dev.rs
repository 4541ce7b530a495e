//! `kata plugins dev`: a plugin runs while it is written. Its folder is carried over to the extensions folder with every
//! save, the app loads it again, and what comes of it is shown: reloads, states, faults with their place, log lines.
//! Lines that are typed go in as messages to its channel, or as arguments of its command or tool.

use super::grant::{Wish, agree};
use crate::client::{Client, Told};
use crate::commands::follow::{Follow, Show};
use crate::commands::logs::Seen;
use crate::failure::{Exit, Failure};
use crate::interrupts::Interrupts;
use crate::render;
use crate::screen::Screen;
use kata_engine::author::{self, Mirror};
use kata_protocol::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Between two looks at the folder and the log.
const EVERY: Duration = Duration::from_millis(200);
/// Lines of each look at the log.
const LINES: u32 = 200;
/// Columns of a reason: an author needs all of it.
const REASON: usize = 400;

pub(super) async fn run(screen: &Screen, home: &Path, folder: &Path, yes: bool) -> Result<(), Failure> {
    let mut interrupts = Interrupts::listen()?;
    let folder = folder
        .canonicalize()
        .map_err(|e| Failure::usage(format!("{}: {e}", folder.display())).hint("name the plugin's folder"))?;
    let manifest = author::manifest(&folder).map_err(|unfit| Failure::new(Exit::Failure, unfit.reason).hint(unfit.hint))?;
    let mut client = Client::connect(home, &[Topic::Plugins, Topic::Sources, Topic::Session]).await?;
    let detail = bring_up(screen, &mut client, &folder, manifest.id, yes).await?;
    let installed = Path::new(&detail.summary.path).to_owned();
    let mut dev = Dev {
        screen,
        mirror: (installed != folder).then(|| Mirror::new(&folder, &installed)),
        shown: Shown::default(),
        log: Seen::default(),
        session: None,
        follow: None,
        client,
        id: detail.summary.id.clone(),
    };
    dev.show(&detail)?;
    for part in &detail.parts {
        dev.part(part)?;
        if !part.enabled {
            dev.say(&format!("switch it on with `kata sources enable {}`", part.id));
        }
    }
    dev.say(&dev.invitation(&detail));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut open = true;
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = interrupts.next() => return dev.left(),
            told = dev.client.listen() => dev.told(told?).await?,
            line = lines.next_line(), if open => match line? {
                Some(line) if !line.trim().is_empty() => dev.line(line.trim()).await?,
                Some(_) => {}
                // The end of input is no wish to leave: a script may have none.
                None => open = false,
            },
            _ = tick.tick() => dev.look().await?,
        }
    }
}

/// Installs the folder where it is not, trusts it in development mode, and switches it on.
async fn bring_up(screen: &Screen, client: &mut Client, folder: &Path, id: PluginId, yes: bool) -> Result<PluginDetail, Failure> {
    let present = client.plugin_list(Empty {}).await?.into_iter().find(|p| p.id == id);
    let here = present.as_ref().is_some_and(|p| Path::new(&p.path) == folder);
    match &present {
        Some(p) if p.trust == TrustState::Bundled => {
            return Err(Failure::new(Exit::Refused, format!("“{id}” is the id of a plugin of the app")).hint("give yours another id"));
        }
        Some(p) if !here && matches!(p.trust, TrustState::Trusted) => {
            return Err(
                Failure::new(Exit::Refused, format!("a plugin “{id}” is installed and trusted already"))
                    .hint(format!("`kata plugins uninstall {id}` takes it out; its state stays")),
            );
        }
        _ => {}
    }
    let detail = if here {
        client.plugin_get(PluginRef { id: id.clone() }).await?
    } else {
        let install = PluginInstall {
            path: folder.display().to_string(),
            replace: Some(true),
        };
        client.plugin_install(install).await?
    };
    if detail.summary.trust != TrustState::Development {
        let wish = Wish {
            development: true,
            yes: yes || detail.wanted.is_empty(),
            ..Wish::default()
        };
        if agree(screen, client, &detail, &wish).await?.is_none() {
            return Err(Failure::new(Exit::Refused, "it cannot run without being trusted"));
        }
    }
    client
        .plugin_enable(PluginEnable {
            id: id.clone(),
            enabled: true,
        })
        .await
        // A module that does not load is what this command is there to show.
        .or_else(|failure| {
            if failure.exit == Exit::Failure {
                Ok(detail.summary)
            } else {
                Err(failure)
            }
        })?;
    client.plugin_get(PluginRef { id }).await
}

struct Dev<'a> {
    screen: &'a Screen,
    client: Client,
    id: PluginId,
    /// Absent where the author works in the extensions folder itself.
    mirror: Option<Mirror>,
    shown: Shown,
    log: Seen,
    /// Session in which tools are called.
    session: Option<SessionId>,
    follow: Option<Follow>,
}

/// What the person has seen already.
#[derive(Default)]
struct Shown {
    generation: u32,
    status: Option<(RunState, String)>,
    parts: BTreeMap<SourceId, String>,
    newest_fault: Ms,
    change: bool,
}

impl Dev<'_> {
    fn say(&self, text: &str) {
        if !self.screen.json {
            self.screen.note(text);
        }
    }

    fn event(&self, kind: &str, value: Value, text: String) -> Result<(), Failure> {
        if self.screen.json {
            self.screen.json_line(&json!({"kind": kind, "value": value}))
        } else {
            self.screen.text(&(text + "\n"))
        }
    }

    fn left(&self) -> Result<(), Failure> {
        let copy = if self.mirror.is_some() {
            "; what you save from now on does not reach it"
        } else {
            ""
        };
        self.say(&format!(
            "\n“{}” stays installed and runs on{copy}; `kata plugins uninstall {}` takes it out",
            self.id, self.id
        ));
        Ok(())
    }

    fn invitation(&self, detail: &PluginDetail) -> String {
        let r = &detail.registered;
        let typed = if let Some(channel) = r.channels.first() {
            format!("a line you type comes in as a message to channel “{}”", channel.id)
        } else if let Some(command) = r.commands.first() {
            format!("a line you type is what /{} is run with", command.name)
        } else if let Some(tool) = r.tools.first() {
            format!("a line of JSON you type is what tool “{}” is called with", tool.name)
        } else {
            "it takes no lines: write in the window or by `kata chat`, and `kata trace --last` shows what it did".to_owned()
        };
        format!("save a file and it is loaded again; {typed}; Ctrl-C leaves")
    }

    /// Carries edits over and shows new log lines.
    async fn look(&mut self) -> Result<(), Failure> {
        if let Some(mirror) = &mut self.mirror {
            match mirror.carry_over() {
                Ok(changed) if !changed.is_empty() => {
                    let text = format!("saved {}", render::line(&changed.join(", "), 120));
                    self.event("saved", json!(changed), text)?;
                }
                Ok(_) => {}
                Err(error) => self.say(&format!("the folder could not be carried over: {error}")),
            }
        }
        let query = LogTail {
            limit: Some(LINES),
            level: Some("debug".into()),
            plugin: Some(self.id.clone()),
        };
        for record in self.log.fresh(self.client.log_tail(query).await?) {
            // What the app itself says about the plugin is shown as states and faults already.
            if record.target.starts_with("kata_") {
                continue;
            }
            let text = render::log_line(&record);
            self.event("log", json!(record), text.trim_end().to_owned())?;
        }
        Ok(())
    }

    async fn told(&mut self, told: Told) -> Result<(), Failure> {
        let fact = match told {
            Told::Fact(fact) => *fact,
            Told::Resync => Fact::PluginChanged { id: self.id.clone() },
        };
        match fact {
            Fact::PluginChanged { id } if id == self.id => {
                let detail = self.client.plugin_get(PluginRef { id }).await?;
                self.show(&detail)
            }
            Fact::PluginEvent { id, name, payload } if id == self.id => {
                let text = format!("event {}: {}", render::line(&name, 60), render::line(&payload.0.to_string(), 200));
                self.event("event", json!({"name": name, "payload": payload}), text)
            }
            Fact::SourceChanged { source } if source.plugin.as_ref() == Some(&self.id) => self.part(&source),
            Fact::Session { id, event } if Some(&id) == self.session.as_ref() => self.turn(&event),
            _ => Ok(()),
        }
    }

    /// How one of its channels or services stands.
    fn part(&mut self, source: &SourceSummary) -> Result<(), Failure> {
        let state = if source.enabled {
            render::state_within(&source.status, render::now(), REASON)
        } else {
            "off".to_owned()
        };
        if self.shown.parts.get(&source.id) == Some(&state) {
            return Ok(());
        }
        let text = format!("{} is {state}", source.id);
        self.shown.parts.insert(source.id.clone(), state);
        self.event("source", json!(source), text)
    }

    /// What is new about the plugin.
    fn show(&mut self, detail: &PluginDetail) -> Result<(), Failure> {
        let s = &detail.summary;
        if s.generation != self.shown.generation {
            self.shown.generation = s.generation;
            let text = format!("loaded (number {}): {}", s.generation, render::registered(&detail.registered));
            self.event("loaded", json!({"generation": s.generation, "registered": detail.registered}), text)?;
        }
        let status = (s.status.state.clone(), s.status.message.clone());
        if self.shown.status.as_ref() != Some(&status) {
            let text = format!("{} is {}", s.id, render::state_within(&s.status, render::now(), REASON));
            self.shown.status = Some(status);
            self.event("status", json!(s.status), text)?;
        }
        let newest = self.shown.newest_fault;
        let faults: Vec<_> = s.faults.iter().rev().filter(|f| f.at > newest).cloned().collect();
        for fault in faults {
            self.shown.newest_fault = fault.at;
            self.event("fault", json!(fault), render::fault(&fault))?;
        }
        let change = detail.change.as_ref().is_some_and(|c| !c.capabilities_added.is_empty());
        if change && !self.shown.change {
            let text = format!(
                "it asks for more than you granted; what ran before goes on. `kata plugins trust {} --development` grants it",
                s.id
            );
            self.event("asks", json!(detail.change), text)?;
        }
        self.shown.change = change;
        Ok(())
    }

    /// A line the author typed. What goes wrong with it is shown and ends nothing.
    async fn line(&mut self, line: &str) -> Result<(), Failure> {
        match self.take(line).await {
            Err(failure) if failure.exit == Exit::NotRunning => Err(failure),
            Err(failure) => {
                self.screen.fail(&failure);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn take(&mut self, line: &str) -> Result<(), Failure> {
        let detail = self.client.plugin_get(PluginRef { id: self.id.clone() }).await?;
        let registered = &detail.registered;
        if let Some(channel) = registered.channels.first() {
            let inject = PluginInject {
                id: self.id.clone(),
                channel: Some(channel.id.clone()),
                text: line.to_owned(),
                sender: None,
                conversation: None,
            };
            let injected = self.client.plugin_inject(inject).await?;
            let text = match &injected.answer {
                IngressAnswer::Refused {
                    code: RefusalCode::PairingRequired,
                } => "refused: the sender is not let in yet; `kata pair list`, then `kata pair approve CODE`".to_owned(),
                answer => render::line(&serde_json::to_string(answer).unwrap_or_default(), 120),
            };
            return self.event("injected", json!(injected), text);
        }
        if let Some(first) = registered.commands.first() {
            // The line may begin with the command's own name, as a person would write it in the chat.
            let word = line.split_whitespace().next().unwrap_or_default().trim_start_matches('/');
            let named = registered.commands.iter().find(|c| c.name == word && line.starts_with('/'));
            let (name, args) = match named {
                Some(command) => (command.name.clone(), line.trim_start_matches('/')[word.len()..].trim_start()),
                None => (first.name.clone(), line),
            };
            let run = CommandRun {
                name,
                args: args.to_owned(),
            };
            let output = self.client.command_run(run).await?;
            return self.event("output", json!(output), render::clean(&output.text));
        }
        match registered.tools.first() {
            Some(tool) => self.call(tool, line).await,
            None => Err(Failure::new(Exit::Failure, "it takes no lines")
                .hint("write in the window or by `kata chat`, and `kata trace --last` shows what it did")),
        }
    }

    /// Calls a tool as the scripted demo does, which spends nothing.
    async fn call(&mut self, tool: &ToolInfo, line: &str) -> Result<(), Failure> {
        if !serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object()) {
            return Err(Failure::usage("a tool takes a JSON object").hint(format!("like {}", example(&tool.parameters))));
        }
        let session = match &self.session {
            Some(session) => session.clone(),
            None => {
                let create = SessionCreate {
                    name: Some(format!("Development of {}", self.id)),
                    model: Some("demo".into()),
                    ..SessionCreate::default()
                };
                let id = self.client.session_create(create).await?.id;
                self.session.insert(id).clone()
            }
        };
        let submit = SessionSubmit {
            id: session,
            text: format!("/tool {} {line}", tool.name),
            delivery: None,
            idempotency_key: None,
            attachments: None,
        };
        let submitted = self.client.session_submit(submit).await?;
        self.follow = Some(Follow::of(submitted.message));
        Ok(())
    }

    fn turn(&mut self, event: &SessionEvent) -> Result<(), Failure> {
        let Some(follow) = &mut self.follow else { return Ok(()) };
        let mut ended = false;
        let shows = follow.take(event);
        if self.screen.json {
            self.screen.json_line(&json!({"kind": "session", "value": event}))?;
        }
        for show in shows {
            match show {
                Show::Text(text) if !self.screen.json => self.screen.text(&text)?,
                Show::Text(_) => {}
                Show::Note(text) => self.say(&text),
                Show::Ask { question, .. } => self.say(&format!("a tool call waits for you: {question}; answer it in the window")),
                Show::End { .. } => ended = true,
            }
        }
        if ended {
            self.follow = None;
        }
        Ok(())
    }
}

/// What arguments of a tool look like, by its schema.
fn example(schema: &Json) -> String {
    let properties = schema.0.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flatten().map(|(name, property)| {
        let value = match property.get("type").and_then(Value::as_str) {
            Some("number" | "integer") => json!(1),
            Some("boolean") => json!(true),
            Some("array") => json!([]),
            Some("object") => json!({}),
            _ => json!("…"),
        };
        (name.clone(), value)
    });
    Value::Object(fields.collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_for_a_tool_names_its_own_fields() {
        let schema = Json(json!({"type": "object", "properties": {"dice": {"type": "string"}, "times": {"type": "integer"}}}));
        assert_eq!(example(&schema), r#"{"dice":"…","times":1}"#);
        assert_eq!(example(&Json(json!({"type": "object"}))), "{}");
    }
}
