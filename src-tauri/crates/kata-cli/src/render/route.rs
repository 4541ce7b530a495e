//! Routing tables, explanations, policies and refusals.

use super::{ago, line, table, word};
use kata_protocol::*;

pub(crate) fn routes(routes: &RoutingTable) -> String {
    let rows: Vec<_> = routes
        .bindings
        .iter()
        .map(|b| {
            vec![
                b.id.clone(),
                line(&takes(&b.matches), 60),
                b.workspace.as_ref().map(ToString::to_string).unwrap_or_default(),
                b.profile.clone().unwrap_or_default(),
                word(&b.scope),
                word(&b.overlap.policy),
            ]
        })
        .collect();
    let mut text = table(
        &["binding", "takes", "workspace", "profile", "scope", "while busy"],
        &rows,
        "no bindings",
    );
    if !routes.profiles.is_empty() {
        let tools = |p: &AgentProfile| match &p.tools {
            Some(tools) => tools.join(" "),
            None => "all".into(),
        };
        let without = |p: &AgentProfile| {
            if p.without_tools.is_empty() {
                String::new()
            } else {
                format!(" without {}", p.without_tools.join(" "))
            }
        };
        let rows: Vec<_> = routes
            .profiles
            .iter()
            .map(|p| {
                vec![
                    p.id.clone(),
                    line(p.model.as_deref().unwrap_or_default(), 24),
                    p.mode.map(|mode| word(&mode)).unwrap_or_default(),
                    line(&(tools(p) + &without(p)), 60),
                ]
            })
            .collect();
        text += "\n";
        text += &table(&["profile", "model", "mode", "tools"], &rows, "");
    }
    if !routes.people.is_empty() {
        let address = |a: &PersonAddress| match &a.account {
            Some(account) => format!("{} {account} {}", a.channel, a.sender),
            None => format!("{} {}", a.channel, a.sender),
        };
        let rows: Vec<_> = routes
            .people
            .iter()
            .map(|p| {
                let addresses: Vec<_> = p.addresses.iter().map(address).collect();
                vec![
                    p.id.clone(),
                    line(p.name.as_deref().unwrap_or_default(), 32),
                    line(&addresses.join(", "), 80),
                ]
            })
            .collect();
        text += "\n";
        text += &table(&["person", "name", "addresses"], &rows, "");
    }
    text
}

fn takes(m: &BindingMatch) -> String {
    let id = |name: &str, value: Option<&str>| value.map(|value| format!("{name} {value}"));
    let parts: Vec<_> = [
        id("channel", m.channel.as_ref().map(AsRef::as_ref)),
        id("account", m.account.as_ref().map(AsRef::as_ref)),
        m.chat_type.map(|chat| word(&chat)),
        id("conversation", m.conversation.as_ref().map(AsRef::as_ref)),
        id("thread", m.thread.as_ref().map(AsRef::as_ref)),
        id("sender", m.sender.as_ref().map(AsRef::as_ref)),
        id("person", m.person.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "everything".into() } else { parts.join(", ") }
}

pub(crate) fn route_explanation(why: &RouteExplanation) -> String {
    let rows: Vec<_> = why
        .steps
        .iter()
        .map(|step| {
            let mark = if step.decided { "*" } else { "" };
            vec![mark.into(), line(&step.question, 40), line(&step.answer, 120)]
        })
        .collect();
    let mut text = table(&["", "asked", "answer"], &rows, "nothing was looked at");
    text += "\n";
    if let Some(code) = &why.refusal {
        text += &format!("It would be refused: {}.\n", word(code));
    }
    text += &format!("binding    {}\n", why.binding.as_deref().unwrap_or("(the default)"));
    let fields = [
        ("person", why.person.clone()),
        ("key", why.key.as_ref().map(ToString::to_string)),
        ("session", why.session.as_ref().map(ToString::to_string)),
        ("workspace", why.workspace.as_ref().map(ToString::to_string)),
        ("profile", why.profile.clone()),
        ("mode", Some(word(&why.mode))),
        ("while busy", Some(word(&why.overlap.policy))),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            text += &format!("{name:<10} {}\n", line(&value, 160));
        }
    }
    text
}

pub(crate) fn keys(keys: &[RouteKey], now: Ms) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|k| {
            vec![
                k.key.to_string(),
                k.session.to_string(),
                line(k.name.as_deref().unwrap_or_default(), 40),
                k.last_at.map(|at| ago(at, now)).unwrap_or_default(),
            ]
        })
        .collect();
    table(&["conversation", "session", "title", "last"], &rows, "no conversations")
}

pub(crate) fn policy(policy: &ChannelPolicyState) -> String {
    let list = |list: &[String]| {
        if list.is_empty() {
            "nobody".to_owned()
        } else {
            line(&list.join(" "), 160)
        }
    };
    let quiet = policy
        .quiet_hours
        .as_ref()
        .map_or_else(|| "none".to_owned(), |q| format!("{}-{}", q.from, q.until));
    let on = |on: bool| if on { "on" } else { "off" };
    let mention = if policy.require_mention {
        "must address the bot"
    } else {
        "need not address the bot"
    };
    format!(
        "who may write  {}\nallowed        {}\napprovers      {}\nin groups      {mention}\nrate           {} a minute from one sender, {} in one conversation\nlongest text   {} bytes\nquiet hours    {}\npreviews       {}\nwaiting mark   {}\nsend to        {}\n",
        word(&policy.policy),
        list(&policy.allow),
        list(&policy.approvers),
        policy.per_minute_sender,
        policy.per_minute_conversation,
        policy.max_text,
        line(&quiet, 20),
        on(policy.previews),
        on(policy.waiting_mark),
        match policy.send_to.is_empty() {
            true => "conversations somebody wrote from".to_owned(),
            false => format!("conversations somebody wrote from, and {}", line(&policy.send_to.join(" "), 160)),
        },
    )
}

pub(crate) fn refusals(counts: &[RefusalCount], now: Ms) -> String {
    let rows: Vec<_> = counts
        .iter()
        .map(|c| {
            vec![
                c.channel.to_string(),
                word(&c.code),
                c.count.to_string(),
                ago(c.last_at, now),
                line(c.last_sender.as_str(), 40),
            ]
        })
        .collect();
    table(&["channel", "reason", "times", "last", "last sender"], &rows, "nothing was refused")
}
