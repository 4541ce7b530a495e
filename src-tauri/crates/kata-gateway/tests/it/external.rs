//! Plugins that come over the socket: who may bring them, that they end with their connection, and whose frames reach whom.

use crate::support::*;
use async_trait::async_trait;
use kata_core::ports::{AttachedPlugin, Claim, ExternalPlugins, Outlet, OutletCall};
use kata_gateway::Token;
use kata_protocol::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// What a plugin was told.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Inbound(String, Value),
    Report(String, Option<String>),
    Answer(u64, Result<Option<Value>, ErrorCode>),
    Stray,
    Detached,
}

struct Plugin {
    id: PluginId,
    told: Arc<watch::Sender<Vec<Told>>>,
}

impl Plugin {
    fn note(&self, what: Told) {
        self.told.send_modify(|all| all.push(what));
    }
}

#[async_trait]
impl AttachedPlugin for Plugin {
    fn id(&self) -> &PluginId {
        &self.id
    }
    async fn inbound(&self, channel: &str, message: Json) -> Result<IngressAnswer, WireError> {
        self.note(Told::Inbound(channel.to_owned(), message.0));
        Ok(IngressAnswer::Admitted)
    }
    async fn report(&self, channel: &str, _: Status, cursor: Option<String>) {
        self.note(Told::Report(channel.to_owned(), cursor));
    }
    fn answer(&self, number: u64, answer: Result<Option<Json>, WireError>) -> Claim {
        if number > 100 {
            return Claim::Unknown;
        }
        self.note(Told::Answer(number, answer.map(|json| json.map(|json| json.0)).map_err(|e| e.code)));
        Claim::Taken
    }
    fn stray(&self, _: &str) {
        self.note(Told::Stray);
    }
    fn detach(&self) {
        self.note(Told::Detached);
    }
}

/// Takes every plugin in, and keeps the way to its program.
struct Desk {
    told: Arc<watch::Sender<Vec<Told>>>,
    outlets: Mutex<Vec<(ExternalClient, Arc<dyn Outlet>)>>,
}

#[async_trait]
impl ExternalPlugins for Desk {
    async fn attach(&self, client: ExternalClient, plugin: Json, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn AttachedPlugin>, WireError> {
        let id = plugin.0["id"].as_str().unwrap_or_default();
        if id == "taken" {
            return Err(WireError::new(ErrorCode::Conflict, "the id “taken” is somebody's").hint("another id"));
        }
        self.outlets.lock().unwrap().push((client, outlet));
        Ok(Arc::new(Plugin {
            id: PluginId::new(id).unwrap(),
            told: Arc::clone(&self.told),
        }))
    }
}

async fn desk() -> (House, Arc<Desk>) {
    let house = house(quiet()).await;
    let desk = Arc::new(Desk {
        told: Arc::new(watch::Sender::new(Vec::new())),
        outlets: Mutex::default(),
    });
    house.gateway.serve_plugins(Arc::clone(&desk) as _);
    (house, desk)
}

impl Desk {
    async fn told(&self, what: &Told) {
        let mut told = self.told.subscribe();
        soon(&format!("{what:?}"), told.wait_for(|all| all.contains(what))).await.unwrap();
    }
    fn outlet(&self) -> Arc<dyn Outlet> {
        Arc::clone(&self.outlets.lock().unwrap().last().unwrap().1)
    }
}

async fn respond(client: &mut Client, frame: Value) -> Result<Value, WireError> {
    client.send(frame).await;
    loop {
        if let ServerFrame::Response { result, error, .. } = client.frame().await {
            return match error {
                Some(error) => Err(error),
                None => Ok(result.map(|json| json.0).unwrap_or_default()),
            };
        }
    }
}

fn register(id: &str) -> Value {
    json!({ "type": "register", "id": 1, "plugin": { "id": id } })
}

#[tokio::test]
async fn a_token_that_may_only_look_brings_no_plugin_and_a_refusal_has_its_reason() {
    let (house, desk) = desk().await;
    let mut reader = house.client(READER).await;
    let refused = respond(&mut reader, register("p")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    assert!(refused.message.contains("scope “plugin” or “admin”"), "{}", refused.message);
    let mut admin = house.client(ADMIN).await;
    let taken = respond(&mut admin, register("taken")).await.unwrap_err();
    assert_eq!((taken.code, taken.hint.as_deref()), (ErrorCode::Conflict, Some("another id")));
    assert_eq!(respond(&mut admin, register("p")).await, Ok(Value::Null));
    let (client, _) = desk.outlets.lock().unwrap().remove(0);
    assert_eq!((client.token.as_str(), client.scope), ("desktop", Scope::Admin));
}

#[tokio::test]
async fn plugins_end_with_their_connection_however_it_ends() {
    let (house, desk) = desk().await;
    let mut client = house.client(ADMIN).await;
    respond(&mut client, register("p")).await.unwrap();
    drop(client);
    desk.told(&Told::Detached).await;

    desk.told.send_replace(Vec::new());
    let mut client = house.client(ADMIN).await;
    respond(&mut client, register("p")).await.unwrap();
    desk.outlet().close("plugin “p” was switched off");
    assert_eq!(client.ending().await, ("plugin “p” was switched off".into(), Some(4004)));
    desk.told(&Told::Detached).await;
}

#[tokio::test]
async fn calls_go_out_in_order_and_answers_messages_and_states_reach_their_plugin() {
    let (house, desk) = desk().await;
    let mut client = house.client(ADMIN).await;
    respond(&mut client, register("p")).await.unwrap();
    let outlet = desk.outlet();
    for _ in 0..2 {
        let call = OutletCall {
            number: outlet.number(),
            plugin: PluginId::new("p").unwrap(),
            kind: ExternalCall::Tool,
            params: r#"{"name":"t"}"#.into(),
            deadline: Duration::from_secs(3),
        };
        assert!(outlet.call(call));
    }
    for number in 1..=2 {
        let ServerFrame::Call { call, deadline_ms, .. } = client.frame().await else {
            panic!("no call")
        };
        assert_eq!((call, deadline_ms), (Count(number), 3_000));
        client
            .send(json!({ "type": "answer", "call": number, "result": { "text": "x" } }))
            .await;
    }
    desk.told(&Told::Answer(2, Ok(Some(json!({ "text": "x" }))))).await;
    client
        .send(json!({ "type": "answer", "call": 3, "error": { "code": "upstream", "message": "no" } }))
        .await;
    desk.told(&Told::Answer(3, Err(ErrorCode::Upstream))).await;
    let status = json!({ "state": { "kind": "running" }, "code": "", "message": "", "since": 0 });
    client
        .send(json!({ "type": "report", "plugin": "p", "channel": "c", "status": status, "cursor": "7" }))
        .await;
    desk.told(&Told::Report("c".into(), Some("7".into()))).await;
    let inbound = json!({ "type": "inbound", "id": 9, "plugin": "p", "channel": "c", "message": { "text": "hi" } });
    assert_eq!(respond(&mut client, inbound).await, Ok(json!({ "outcome": "admitted" })));
    desk.told(&Told::Inbound("c".into(), json!({ "text": "hi" }))).await;
}

#[tokio::test]
async fn a_client_speaks_for_its_own_plugins_only_and_what_belongs_nowhere_ends_it_after_a_while() {
    let (house, desk) = desk().await;
    let mut first = house.client(ADMIN).await;
    respond(&mut first, register("p")).await.unwrap();
    let mut second = house.client(ADMIN).await;
    let inbound = json!({ "type": "inbound", "id": 9, "plugin": "p", "channel": "c", "message": {} });
    let refused = respond(&mut second, inbound).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
    respond(&mut second, register("q")).await.unwrap();
    for _ in 0..100 {
        second.send(json!({ "type": "answer", "call": 4_000, "result": null })).await;
    }
    let (reason, code) = second.ending().await;
    assert_eq!(code, Some(4000), "{reason}");
    desk.told(&Told::Stray).await;
    assert_eq!(respond(&mut first, register("r")).await, Ok(Value::Null), "others go on");
}

#[tokio::test]
async fn a_connection_brings_eight_plugins_and_a_frame_that_lacks_a_field_is_answered_without_its_content() {
    let (house, _desk) = desk().await;
    let mut client = house.client(ADMIN).await;
    for n in 0..8 {
        respond(&mut client, register(&format!("p{n}"))).await.unwrap();
    }
    let ninth = respond(&mut client, register("p8")).await.unwrap_err();
    assert_eq!(ninth.code, ErrorCode::Busy);
    let lacking = respond(
        &mut client,
        json!({ "type": "inbound", "id": 3, "plugin": "p0", "message": "hunter2" }),
    )
    .await;
    let lacking = lacking.unwrap_err();
    assert!(
        lacking.message.contains("lacks `channel`") && !lacking.message.contains("hunter2"),
        "{}",
        lacking.message
    );
    let other = respond(
        &mut client,
        json!({ "type": "inbound", "id": 4, "plugin": 5, "channel": "hunter2", "message": 1 }),
    )
    .await;
    assert!(!other.unwrap_err().message.contains("hunter2"));
    client.send(json!({ "type": "report", "plugin": "p0" })).await;
    let (reason, code) = client.ending().await;
    assert_eq!(code, Some(4000), "there is nobody to answer: {reason}");
}

#[tokio::test]
async fn a_token_for_plugins_brings_them_and_hears_and_asks_nothing_else() {
    let (house, _desk) = desk().await;
    house.tokens.replace(vec![
        Token::new("desktop", ADMIN, Scope::Admin),
        Token::new("sensor", "token-of-a-sensor", Scope::Plugin),
    ]);
    let mut sensor = house.client("token-of-a-sensor").await;
    sensor.send(json!({ "type": "subscribe", "topics": ["pairing", "health"] })).await;
    respond(&mut sensor, register("p")).await.unwrap();
    house.hub.publish(Fact::PairingChanged {});
    sensor
        .send(json!({ "type": "request", "id": 5, "op": "session.list", "params": {} }))
        .await;
    let ServerFrame::Response { error, .. } = sensor.frame().await else {
        panic!("it heard something")
    };
    assert_eq!(error.unwrap().code, ErrorCode::Forbidden);
}
