//! The whole core over fakes: one channel, one model, one tool, a disk and a store that fail when told.

use super::approvals::Asked;
use super::disk::{Files, Store, lock};
use super::others::{Counter, Note, OneModel, Platform, Scripted, Step};
use super::rules::{Rules, ToolHooks};
use super::{TestClock, TestEntropy, draft};
use crate::EventHub;
use crate::conversations::Conversations;
use crate::exchanges::Exchanges;
use crate::hooks::Dispatcher;
use crate::ingress::{ChannelRules, Ingress, IngressDeps};
use crate::outbox::{Outbox, OutboxDeps};
use crate::path::{Path, PathDeps};
use crate::pause::{Pause, Quieted};
use crate::persist::{Persist, Trouble};
use crate::ports::{Clock, NewSession};
use crate::router::{Bindings, Defaults};
use crate::session::{SessionDeps, Sessions};
use crate::tasks::Tasks;
use crate::trace::Tracer;
use arc_swap::ArcSwap;
use kata_protocol::*;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;

pub(crate) struct World {
    pub clock: Arc<TestClock>,
    pub files: Arc<Files>,
    pub store: Arc<Store>,
    pub asked: Arc<Asked>,
    pub plans: Arc<super::plans::Planned>,
    pub permissions: Arc<Rules>,
    pub tool_hooks: Arc<ToolHooks>,
    pub model: Arc<Scripted>,
    pub tool: Arc<Note>,
    pub platform: Arc<Platform>,
    pub commands: Arc<Counter>,
    pub sessions: Arc<Sessions>,
    pub outbox: Arc<Outbox>,
    pub path: Arc<Path>,
    pub events: Arc<EventHub>,
    pub tasks: Tasks,
    pub hygiene: Arc<ArcSwap<HygieneRules>>,
    pub draining: CancellationToken,
    pub rules: Arc<ArcSwap<HashMap<ChannelId, ChannelRules>>>,
    pub rules_changed: Arc<tokio::sync::Notify>,
    pub pause: Pause,
    pub bindings: Arc<ArcSwap<Bindings>>,
    pub conversations: Conversations,
    /// What was said of the disk.
    pub trouble: Arc<Mutex<Vec<Option<String>>>>,
}

impl World {
    pub(crate) fn new(idempotent: bool) -> Self {
        let platform = Platform {
            idempotent,
            ..Platform::default()
        };
        Self::over(Arc::default(), Arc::default(), Arc::default(), Arc::new(platform))
    }

    /// A program that starts over what an earlier one left.
    pub(crate) fn over(files: Arc<Files>, store: Arc<Store>, asked: Arc<Asked>, platform: Arc<Platform>) -> Self {
        let (permissions, tool_hooks) = (Arc::new(Rules::default()), Arc::new(ToolHooks::default()));
        let (clock, entropy) = (Arc::new(TestClock::default()), Arc::new(TestEntropy::default()));
        let (events, tasks) = (Arc::new(EventHub::default()), Tasks::default());
        let (model, tool) = (Arc::new(Scripted::default()), Arc::new(Note::default()));
        let draining = CancellationToken::new();
        let trouble: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
        let told = Arc::clone(&trouble);
        let tell = Trouble::new(Arc::new(move |reason| lock(&told).push(reason)));
        let persist = Persist::new(clock.clone(), tasks.stopping(), tell);
        let hooks = Arc::new(Dispatcher::new(tool_hooks.clone(), clock.clone()));
        let tracer = Arc::new(Tracer::new(clock.clone(), entropy.clone(), store.clone(), Arc::clone(&events)));
        let exchanges = Arc::new(Exchanges::default());
        let pause = Pause::new(clock.clone());
        let outbox = Outbox::new(OutboxDeps {
            store: store.clone(),
            channels: platform.clone(),
            pause: pause.clone(),
            hooks: Arc::clone(&hooks),
            clock: clock.clone(),
            entropy: entropy.clone(),
            tasks: tasks.clone(),
            tracer: Arc::clone(&tracer),
            persist: persist.clone(),
            events: Arc::clone(&events),
            activity: {
                let exchanges = Arc::clone(&exchanges);
                Arc::new(move |route| exchanges.replied(route))
            },
        });
        let bindings = Arc::new(ArcSwap::from_pointee(Bindings::plain(Defaults::new(
            WorkspaceId::new("w").unwrap(),
        ))));
        let rules_changed = Arc::new(tokio::sync::Notify::new());
        let profiles = Arc::clone(&bindings);
        let open = ChannelRules {
            policy: DmPolicy::Open,
            per_minute_sender: 1000,
            per_minute_conversation: 1000,
            approvers: HashSet::from(["boss".to_owned()]),
            ..ChannelRules::default()
        };
        let rules = Arc::new(ArcSwap::from_pointee(HashMap::from(
            ["test", "second", "third"].map(|c| (ChannelId::new(c).unwrap(), open.clone())),
        )));
        let (commands, plans) = (Arc::new(Counter::default()), Arc::new(super::plans::Planned::default()));
        let sessions = Sessions::new(SessionDeps {
            rules: Arc::clone(&rules),
            clock: clock.clone(),
            entropy: entropy.clone(),
            transcripts: files.clone(),
            messages: store.clone(),
            models: Arc::new(OneModel(Arc::clone(&model))),
            tools: tool.clone(),
            permissions: permissions.clone(),
            approvals: crate::session::Approvals::new(asked.clone(), clock.clone(), Arc::clone(&events)),
            plans: plans.clone(),
            media: platform.shelf.clone(),
            channels: Arc::new(Quieted {
                channels: platform.clone(),
                pause: pause.clone(),
            }),
            hooks,
            outbox: Arc::clone(&outbox),
            events: Arc::clone(&events),
            tasks: tasks.clone(),
            tracer: Arc::clone(&tracer),
            persist: persist.clone(),
            profiles: Arc::new(move |id| profiles.load().profile(id).cloned()),
            system_prompt: Arc::new(|_| String::new()),
            context: Arc::new(Vec::new),
            model_permits: Arc::new(Semaphore::new(8)),
            draining: draining.clone(),
        });
        let ingress = Ingress::new(IngressDeps {
            messages: store.clone(),
            pairing: store.clone(),
            outbox: Arc::clone(&outbox),
            rules: Arc::clone(&rules),
            exchanges,
            pause: pause.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            events: Arc::clone(&events),
        });
        let hygiene = Arc::new(ArcSwap::from_pointee(HygieneRules::default()));
        let conversations = Conversations::new(store.clone(), files.clone());
        let path = Arc::new(Path::new(PathDeps {
            ingress,
            messages: store.clone(),
            keys: store.clone(),
            conversations: conversations.clone(),
            hygiene: Arc::clone(&hygiene),
            rules_changed: Arc::clone(&rules_changed),
            pause: pause.clone(),
            clock: clock.clone(),
            bindings: Arc::clone(&bindings),
            sessions: Arc::clone(&sessions),
            commands: commands.clone(),
            tracer,
            persist,
            tasks: tasks.clone(),
        }));
        Self {
            clock,
            files,
            store,
            asked,
            plans,
            permissions,
            tool_hooks,
            model,
            tool,
            platform,
            commands,
            sessions,
            outbox,
            path,
            events,
            tasks,
            hygiene,
            draining,
            rules,
            rules_changed,
            pause,
            bindings,
            conversations,
            trouble,
        }
    }

    /// As if the program were killed and started again: the files and the store are what is left.
    pub(crate) async fn killed(self) -> Self {
        // What was not written is lost: nothing is written on the way down.
        self.files.faults.everything(true);
        self.store.faults.everything(true);
        self.asked.faults.everything(true);
        self.tasks.stopping().cancel();
        settle().await;
        self.files.faults.everything(false);
        self.store.faults.everything(false);
        self.asked.faults.everything(false);
        self.files.answers.send_replace(true);
        let clock = self.clock.monotonic_us();
        let next = Self::over(self.files, self.store, self.asked, self.platform);
        // Wall time goes on.
        next.clock
            .advance(Duration::from_micros(clock.saturating_sub(next.clock.monotonic_us()) + 1000));
        next
    }

    pub(crate) fn clock_now(&self) -> Ms {
        crate::ports::Clock::now(&*self.clock)
    }

    pub(crate) fn script(&self, steps: impl IntoIterator<Item = Step>) {
        lock(&self.model.script).extend(steps);
    }

    pub(crate) async fn session(&self) -> SessionId {
        let new = NewSession {
            workspace: WorkspaceId::new("w").unwrap(),
            name: None,
            model: None,
            mode: PermissionMode::AllowAll,
            channel: None,
            channel_id: None,
            external_conversation: None,
            working_directory: None,
            profile: None,
            class: SessionClass::Desktop,
        };
        self.sessions.create(new).await.unwrap().id
    }

    pub(crate) async fn submit(&self, id: &SessionId, text: &str, how: Delivery) -> Result<SessionSubmitted, WireError> {
        self.sessions.submit(id, text.into(), how, None, "test").await
    }

    /// A message comes in from the channel.
    pub(crate) async fn write(&self, id: &str, conversation: &str, text: &str) -> Result<IngressAnswer, WireError> {
        let plugin = PluginId::new("test").unwrap();
        self.path.ingest(&plugin, &channel(), draft(id, conversation, "ada", text)).await
    }

    /// As [`Self::write`], by somebody.
    pub(crate) async fn write_as(&self, id: &str, conversation: &str, sender: &str, text: &str) -> Result<IngressAnswer, WireError> {
        let plugin = PluginId::new("test").unwrap();
        self.path.ingest(&plugin, &channel(), draft(id, conversation, sender, text)).await
    }

    /// Waits for the work while time passes; fails when it does not come to an end.
    pub(crate) async fn meanwhile<T>(&self, work: impl Future<Output = T>) -> T {
        let passing = async {
            for _ in 0..20_000 {
                tokio::task::yield_now().await;
                self.clock.advance(Duration::from_millis(100));
            }
        };
        tokio::select! {
            done = work => done,
            () = passing => panic!("half an hour has passed"),
        }
    }

    /// Waits until `done`, while time passes.
    pub(crate) async fn until(&self, done: impl Fn() -> bool) {
        self.meanwhile(async {
            while !done() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

pub(crate) fn channel() -> ChannelId {
    ChannelId::new("test").unwrap()
}

/// Lets every task that can go on do so; time stands still.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Turns that have ended, in order.
pub(crate) fn ends(facts: &mut Receiver<Arc<NumberedFact>>) -> Vec<TurnEnd> {
    let mut ends = Vec::new();
    while let Ok(fact) = facts.try_recv() {
        if let Fact::Session {
            event: SessionEvent::TurnEnded { end, .. },
            ..
        } = &fact.fact
        {
            ends.push(*end);
        }
    }
    ends
}
