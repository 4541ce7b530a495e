//! The routing table and the channels' policies: from the settings into force, and their operations.
//!
//! The rules themselves are [`kata_core::router`] and [`kata_core::ingress`]. A table that cannot stand is never put in force:
//! `route.set` refuses it whole; one that was written into the file by hand leaves the last good one standing, with a notice
//! that names the entry and the field, and stays in the file.

use crate::engine::{Inner, locked};
use crate::settings::SourceSettings;
use kata_core::ingress::{ChannelRules, MAX_TEXT};
use kata_core::ports::{Channels, MessageStore, Models, NewSession, PairingStore, StoreError, Transcripts};
use kata_core::quiet::Quiet;
use kata_core::router::{self, Bindings, Defaults, TableError};
use kata_core::session::wire;
use kata_protocol::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Notice that is up while the table in the file cannot stand.
const BAD_TABLE: &str = "routing-table";
/// Keys that are listed.
const KEYS: u32 = 1_000;
/// Conversations that may be listed for the agent to write to.
const MOST_SEND_TO: usize = 200;
/// Messages a minute that may be allowed.
const MOST_A_MINUTE: u32 = 10_000;

fn store(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("look at the log; is the disk full?")
}

fn refused(error: &TableError) -> WireError {
    WireError::invalid(error.to_string()).hint("nothing was changed; mend that entry and set the table again")
}

impl Inner {
    /// Brings the policies and bindings in force up to the settings. Answers whether the table in the settings stands.
    pub(crate) fn apply_rules(&self) -> bool {
        let settings = self.settings.get();
        let mut rules = HashMap::new();
        for (id, source) in &settings.sources {
            if let Some(channel) = channel_of(id) {
                rules.insert(channel, self.channel_rules(id, source));
            }
        }
        self.rules.store(Arc::new(rules));
        self.rules_changed.notify_waiters();
        let error = match self.compile(settings.routing.table()) {
            Ok(bindings) => {
                self.bindings.store(Arc::new(bindings));
                locked(&self.notices).retain(|notice| notice.id != BAD_TABLE);
                return true;
            }
            Err(error) => error,
        };
        let good = self.settings.good_routing().and_then(|good| self.compile(good.table()).ok());
        let used = if good.is_some() {
            "the table of the last good start"
        } else {
            "no bindings"
        };
        self.bindings
            .store(Arc::new(good.unwrap_or_else(|| Bindings::plain(self.defaults()))));
        tracing::warn!(%error, "the routing table in settings.json cannot stand");
        let notice = Notice {
            id: BAD_TABLE.into(),
            at: self.clock.now(),
            message: format!("The routing table in settings.json cannot stand: {error}. Messages are routed with {used}."),
            hint: Some("The file was left as it is. Mend that entry and start again, or set another table.".into()),
        };
        let mut notices = locked(&self.notices);
        notices.retain(|other| other.id != BAD_TABLE);
        notices.push(notice);
        false
    }

    fn channel_rules(&self, id: &str, source: &SourceSettings) -> ChannelRules {
        let fallback = ChannelRules::default();
        let quiet = source.quiet_hours.as_ref().and_then(|hours| match Quiet::new(hours) {
            Ok(quiet) => Some(quiet),
            Err(error) => {
                tracing::warn!(source = id, %error, "quiet hours in settings.json are passed over");
                let id = format!("quiet-hours-{id}");
                let mut notices = locked(&self.notices);
                notices.retain(|other| other.id != id);
                notices.push(Notice {
                    id,
                    at: self.clock.now(),
                    message: format!("The quiet hours of a source in settings.json are none: {error}. It has no quiet hours now."),
                    hint: Some("Set them again, with `kata channels policy` or in the window.".into()),
                });
                None
            }
        });
        let pace = |value: Option<u32>, default: u32| value.unwrap_or(default).clamp(1, MOST_A_MINUTE);
        ChannelRules {
            policy: source.policy.unwrap_or_default(),
            allow: source.allow.iter().cloned().collect(),
            require_mention: source.require_mention.unwrap_or(fallback.require_mention),
            per_minute_sender: pace(source.per_minute_sender, fallback.per_minute_sender),
            per_minute_conversation: pace(source.per_minute_conversation, fallback.per_minute_conversation),
            max_text: source
                .max_text
                .map_or(MAX_TEXT, |bytes| usize::try_from(bytes).unwrap_or(MAX_TEXT).clamp(1, MAX_TEXT)),
            quiet,
            approvers: source.approvers.iter().cloned().collect(),
            previews: source.previews,
            waiting_mark: source.waiting_mark.unwrap_or_default(),
            send_to: source.send_to.clone(),
        }
    }

    /// What sources and the active workspace say where no binding does.
    fn defaults(&self) -> Defaults {
        let mut defaults = Defaults::new(crate::engine::active_workspace(&self.home));
        for (id, source) in &self.settings.get().sources {
            if let Some(channel) = channel_of(id) {
                let own = (source.workspace.clone(), source.model.clone(), source.mode);
                defaults.channels.insert(channel, own);
            }
        }
        defaults
    }

    /// A table with its workspaces looked up.
    fn compile(&self, table: Result<RoutingTable, TableError>) -> Result<Bindings, TableError> {
        let bindings = Bindings::compile(table?, self.defaults())?;
        let known: HashSet<_> = kata_store::workspaces(&self.home).into_iter().map(|w| w.id).collect();
        for (place, workspace) in bindings.named_workspaces() {
            if !known.contains(&workspace) {
                return Err(TableError::field(
                    place,
                    "workspace",
                    format!("there is no workspace “{workspace}”"),
                ));
            }
        }
        Ok(bindings)
    }

    /// As [`Self::compile`], for a table that a person sets now: its models must be set up too.
    fn check(&self, table: RoutingTable) -> Result<Bindings, WireError> {
        let bindings = self.compile(Ok(table)).map_err(|error| refused(&error))?;
        for profile in &bindings.table().profiles {
            if let Some(model) = &profile.model
                && self.models.catalog.find(Some(model)).is_err()
            {
                let problem = format!("no model “{model}” is set up");
                return Err(refused(&TableError::field(format!("profile “{}”", profile.id), "model", problem)));
            }
        }
        Ok(bindings)
    }

    pub(crate) fn set_routes(&self, table: RoutingTable) -> Result<RoutingTable, WireError> {
        let bindings = self.check(table)?;
        self.settings.change(|settings| settings.routing.set(bindings.table()))?;
        self.apply_rules();
        self.settings.keep_as_good();
        self.events.publish(Fact::RoutesChanged {});
        Ok(self.bindings.load().table().clone())
    }

    pub(crate) async fn explain_route(&self, params: RouteExplain) -> Result<RouteExplanation, WireError> {
        let table = params.table.map(|table| self.check(table)).transpose()?;
        self.path.explain(&params.channel, &params.message, table.as_ref()).await
    }

    pub(crate) async fn route_rows(&self) -> Result<Vec<RouteKey>, WireError> {
        let mut rows = Vec::new();
        for bound in self.conversations.list(KEYS).await? {
            let name = self.transcripts.summary(&bound.session).await.ok().and_then(|summary| summary.name);
            rows.push(RouteKey {
                key: bound.key,
                session: bound.session,
                name,
                last_at: bound.last_at,
            });
        }
        Ok(rows)
    }

    /// A conversation goes on in another session, or in a new one of its own.
    pub(crate) async fn join_route(&self, params: RouteJoin) -> Result<RouteKey, WireError> {
        let RouteJoin { key, session } = params;
        let Some(before) = self.conversations.session(&key).await? else {
            return Err(
                WireError::not_found("conversation", &key).hint("`kata route keys` lists them; “key” is the whole of the first column")
            );
        };
        let session = match session {
            Some(session) => session,
            None => self.own_session(&key, &before).await?,
        };
        self.conversations.join(&key, &session).await?;
        self.events.publish(Fact::RoutesChanged {});
        let name = self.transcripts.summary(&session).await.map_err(wire)?.name;
        let last_at = self.conversations.list(KEYS).await?.into_iter().find(|row| row.key == key);
        Ok(RouteKey {
            key,
            session,
            name,
            last_at: last_at.and_then(|row| row.last_at),
        })
    }

    /// A new session for a conversation, like the one it has.
    async fn own_session(&self, key: &SessionKey, before: &SessionId) -> Result<SessionId, WireError> {
        let like = self.transcripts.summary(before).await.ok();
        let channel = like
            .as_ref()
            .and_then(|summary| summary.channel.clone())
            .or_else(|| Some(router::session_channel(&router::channel_of(key)?, None)));
        // From a session that was joined nothing is taken over: what it may do is the desktop's affair.
        let like = like.filter(|summary| summary.channel.is_some());
        let workspace = match &like {
            Some(summary) => summary.workspace.clone(),
            None => self.bindings.load().workspace().clone(),
        };
        // Who writes in it is seen anew with each message; this is for tidying up.
        let class = if key.as_str().contains(":=") {
            SessionClass::Group
        } else {
            SessionClass::Direct
        };
        let new = NewSession {
            workspace,
            name: like
                .as_ref()
                .and_then(|summary| summary.name.clone())
                .or_else(|| router::person_of(key).map(str::to_owned)),
            model: like.as_ref().and_then(|summary| summary.model.clone()),
            mode: like.as_ref().map(|summary| summary.mode).unwrap_or_default(),
            channel_id: channel.as_ref().map(|channel| channel.slug.clone()),
            channel,
            external_conversation: Some(key.to_string()),
            working_directory: like.as_ref().and_then(|summary| summary.working_directory.clone()),
            profile: like.and_then(|summary| summary.profile),
            class,
        };
        Ok(self.sessions.create(new).await?.id)
    }

    /// Reads a channel's policy, after what is to change has changed.
    pub(crate) async fn change_policy(&self, source: &SourceSummary, params: ChannelPolicy) -> Result<ChannelPolicyState, WireError> {
        let Some(channel) = channel_of(source.id.as_str()) else {
            return Err(WireError::invalid(format!("“id”: {} is not a channel", source.id)));
        };
        check_policy(&params)?;
        let changes = ChannelPolicy {
            id: params.id.clone(),
            policy: None,
            allow: None,
            require_mention: None,
            approvers: None,
            per_minute_sender: None,
            per_minute_conversation: None,
            max_text: None,
            quiet_hours: None,
            previews: None,
            waiting_mark: None,
            send_to: None,
        } != params;
        if changes {
            self.settings.change(|settings| {
                let entry = settings.sources.entry(source.id.to_string()).or_default();
                entry.policy = params.policy.or(entry.policy);
                entry.require_mention = params.require_mention.or(entry.require_mention);
                entry.per_minute_sender = params.per_minute_sender.or(entry.per_minute_sender);
                entry.per_minute_conversation = params.per_minute_conversation.or(entry.per_minute_conversation);
                entry.max_text = params.max_text.or(entry.max_text);
                entry.allow = params.allow.unwrap_or_else(|| std::mem::take(&mut entry.allow));
                entry.approvers = params.approvers.unwrap_or_else(|| std::mem::take(&mut entry.approvers));
                entry.previews = params.previews.or(entry.previews);
                entry.waiting_mark = params.waiting_mark.or(entry.waiting_mark);
                entry.send_to = params.send_to.unwrap_or_else(|| std::mem::take(&mut entry.send_to));
                if let Some(hours) = params.quiet_hours {
                    entry.quiet_hours = hours.into_iter().next();
                }
            })?;
            let mended = format!("quiet-hours-{}", source.id);
            locked(&self.notices).retain(|notice| notice.id != mended);
            self.apply_rules();
        }
        let rules = self.rules.load().get(&channel).cloned().unwrap_or_default();
        let stream = self.plugins.host.info(&channel).map(|(_, info)| info.capabilities.stream);
        let previews = rules.previews_for(stream.unwrap_or_default());
        let paired = self.store.paired(&channel).await.map_err(store)?;
        let mut allow: Vec<String> = rules.allow.into_iter().chain(paired.iter().map(ToString::to_string)).collect();
        allow.sort();
        allow.dedup();
        let mut approvers: Vec<String> = rules.approvers.into_iter().collect();
        approvers.sort();
        Ok(ChannelPolicyState {
            policy: rules.policy,
            allow,
            require_mention: rules.require_mention,
            approvers,
            per_minute_sender: rules.per_minute_sender,
            per_minute_conversation: rules.per_minute_conversation,
            max_text: u32::try_from(rules.max_text).unwrap_or(u32::MAX),
            quiet_hours: rules.quiet.map(|quiet| quiet.hours()),
            previews,
            waiting_mark: rules.waiting_mark,
            send_to: rules.send_to,
        })
    }

    pub(crate) async fn refusals(&self) -> Result<Vec<RefusalCount>, WireError> {
        self.store.refusals().await.map_err(store)
    }

    /// What a session that names a profile begins with.
    pub(crate) fn profile(&self, id: &str) -> Result<AgentProfile, WireError> {
        self.bindings.load().profile(id).cloned().ok_or_else(|| {
            WireError::invalid(format!("“profile”: there is no agent profile “{id}”")).hint("`kata route show` lists the profiles")
        })
    }
}

fn channel_of(source: &str) -> Option<ChannelId> {
    source.strip_prefix("channel:").and_then(|channel| ChannelId::new(channel).ok())
}

fn check_policy(params: &ChannelPolicy) -> Result<(), WireError> {
    let most_text = u32::try_from(MAX_TEXT).unwrap_or(u32::MAX);
    for (field, value, most) in [
        ("perMinuteSender", params.per_minute_sender, MOST_A_MINUTE),
        ("perMinuteConversation", params.per_minute_conversation, MOST_A_MINUTE),
        ("maxText", params.max_text, most_text),
    ] {
        if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
            return Err(WireError::invalid(format!("“{field}”: {value} is out of bounds, 1 to {most}")));
        }
    }
    for (field, list) in [("allow", &params.allow), ("approvers", &params.approvers)] {
        for sender in list.iter().flatten() {
            SenderId::new(sender.as_str()).map_err(|error| WireError::invalid(format!("“{field}”: {error}")))?;
        }
    }
    let send_to = params.send_to.as_deref().unwrap_or_default();
    if send_to.len() > MOST_SEND_TO {
        return Err(WireError::invalid(format!("“sendTo”: at most {MOST_SEND_TO} conversations")));
    }
    for conversation in send_to {
        ConversationId::new(conversation.as_str()).map_err(|error| WireError::invalid(format!("“sendTo”: {error}")))?;
    }
    let hours = params.quiet_hours.as_deref().unwrap_or_default();
    if hours.len() > 1 {
        return Err(WireError::invalid("“quietHours”: one span at most"));
    }
    match hours.first().map(Quiet::new) {
        Some(Err(error)) => Err(WireError::invalid(error.to_string())),
        _ => Ok(()),
    }
}
