//! `kata trace`: one, the newest, a list, a report; and the rules.

use super::connect;
use crate::args::{Trace, TraceCommand, TraceRuleChange};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_protocol::*;
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, options: Trace) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    if let Some(TraceCommand::Rules(change)) = options.command {
        return rules(screen, &mut client, change).await;
    }
    let one = options.last || options.report;
    let id = match options.id {
        Some(id) => id,
        None => {
            let list = TraceList {
                session: options.session,
                plugin: options.plugin,
                outcome: options.outcome.map(StepOutcome::from),
                origin: options.origin,
                limit: Some(if one { 1 } else { options.limit }),
            };
            let filtered = list
                != TraceList {
                    limit: list.limit,
                    ..TraceList::default()
                };
            let traces = client.trace_list(list).await?;
            if !one {
                return screen.result(&traces, |t| render::traces(t, render::now()));
            }
            match traces.into_iter().next() {
                Some(trace) => trace.id,
                None if filtered => return Err(Failure::new(Exit::Failure, "no trace is like that").hint("`kata trace` lists them all")),
                None => {
                    return Err(Failure::new(Exit::Failure, "there is no trace yet").hint("send a message first: `kata chat -m hello`"));
                }
            }
        }
    };
    if options.report {
        let report = client.trace_report(TraceRef { id }).await?;
        return screen.result(&report, |r| r.text.clone());
    }
    let trace = client.trace_get(TraceRef { id }).await?;
    screen.result(&trace, render::waterfall)
}

async fn rules(screen: &Screen, client: &mut Client, change: TraceRuleChange) -> Result<(), Failure> {
    let mut state = client.trace_rules(Empty {}).await?;
    if !change.is_empty() {
        let mut rules = state.rules;
        rules.off.retain(|workspace| !change.on.contains(workspace));
        add(&mut rules.off, change.off);
        if change.no_redact {
            rules.redact.clear();
            rules.redact_fields.clear();
        }
        add(&mut rules.redact, change.redact);
        add(&mut rules.redact_fields, change.redact_field);
        rules.keep = change.keep.unwrap_or(rules.keep);
        rules.otlp = change.otlp.or(rules.otlp.filter(|_| !change.no_otlp));
        state = client.trace_configure(rules).await?;
    }
    screen.result(&state, render::trace_rules)
}

fn add<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}
