//! The session bus as the desktop uses it: a tray's menu, and a service that shows notifications.
//!
//! The menu is read as a panel reads it (com.canonical.dbusmenu); the service is one of ours that remembers what it was asked to show
//! and says what a person chose (Desktop Notifications Specification 1.3).

use crate::app::within;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, interface, object_server::SignalEmitter};

const MENU: &str = "com.canonical.dbusmenu";
const ITEM: &str = "/org/ayatana/NotificationItem/tray_icon_tray_app_kata/Menu";
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";

/// One entry of a menu.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: i32,
    pub label: String,
    pub enabled: bool,
    pub checked: bool,
    /// Labels of the entries it is below of.
    pub below: Vec<String>,
}

/// The app's tray.
pub(crate) struct Tray {
    connection: Connection,
    owner: String,
}

impl Tray {
    /// Waits until it is on the bus.
    pub(crate) async fn find() -> Self {
        let connection = Connection::session().await.expect("a session bus; run this with `cargo xtask e2e`");
        let owner = within(async || owner(&connection).await).await;
        let owner = owner.expect("the tray item is on the session bus");
        Self { connection, owner }
    }

    /// Every entry with a label, from top to bottom.
    pub(crate) async fn entries(&self) -> Vec<Entry> {
        entries(&self.connection, &self.owner).await.unwrap_or_default()
    }

    /// The first entry whose label begins so.
    pub(crate) async fn entry(&self, beginning: &str) -> Option<Entry> {
        self.entries().await.into_iter().find(|entry| entry.label.starts_with(beginning))
    }

    /// The line of health.
    pub(crate) async fn line(&self) -> String {
        self.entries().await.into_iter().next().map(|entry| entry.label).unwrap_or_default()
    }

    /// Waits for the entry, and clicks it.
    pub(crate) async fn choose(&self, label: &str) {
        let found = within(async || self.entry(label).await.filter(|entry| entry.enabled)).await;
        let Some(entry) = found else {
            panic!("“{label}” cannot be chosen in {:?}", self.entries().await)
        };
        let event = (entry.id, "clicked", Value::from(""), 0_u32);
        // A program that ends at once does not answer.
        let _ = self
            .connection
            .call_method(Some(self.owner.as_str()), ITEM, Some(MENU), "Event", &event)
            .await;
    }

    /// Whether it is still there.
    pub(crate) async fn is_there(&self) -> bool {
        entries(&self.connection, &self.owner).await.is_some()
    }
}

async fn owner(connection: &Connection) -> Option<String> {
    let bus = "org.freedesktop.DBus";
    let names = connection
        .call_method(Some(bus), "/org/freedesktop/DBus", Some(bus), "ListNames", &())
        .await
        .ok()?;
    let names: Vec<String> = names.body().deserialize().ok()?;
    let own = connection.unique_name().map(ToString::to_string);
    for name in names.into_iter().filter(|name| name.starts_with(':') && Some(name) != own.as_ref()) {
        if entries(connection, &name).await.is_some_and(|entries| !entries.is_empty()) {
            return Some(name);
        }
    }
    None
}

async fn entries(connection: &Connection, owner: &str) -> Option<Vec<Entry>> {
    type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
    let properties: Vec<&str> = Vec::new();
    let asked = (0_i32, -1_i32, properties);
    let layout = connection.call_method(Some(owner), ITEM, Some(MENU), "GetLayout", &asked);
    let answer = tokio::time::timeout(std::time::Duration::from_secs(2), layout).await.ok()?.ok()?;
    let (_, (_, _, children)): (u32, Node) = answer.body().deserialize().ok()?;
    let mut found = Vec::new();
    for child in &children {
        read(child, &[], &mut found);
    }
    Some(found)
}

/// What a variant holds.
fn inner<'a>(value: &'a Value<'a>) -> &'a Value<'a> {
    match value {
        Value::Value(inner) => inner,
        other => other,
    }
}

fn read(node: &Value<'_>, below: &[String], found: &mut Vec<Entry>) {
    let Value::Structure(node) = inner(node) else { return };
    let [Value::I32(id), Value::Dict(properties), Value::Array(children)] = node.fields() else {
        return;
    };
    let get = |name: &str| {
        let mut all = properties.iter();
        all.find(|(key, _)| matches!(key, Value::Str(key) if key.as_str() == name))
            .map(|(_, value)| inner(value))
    };
    let label = match get("label") {
        Some(Value::Str(label)) => label.to_string(),
        _ => String::new(),
    };
    // GTK marks letters by underscores: one that is meant is doubled.
    let label = label.replace("__", "\u{0}").replace('_', "").replace('\u{0}', "_");
    if !label.is_empty() {
        found.push(Entry {
            id: *id,
            label: label.clone(),
            enabled: !matches!(get("enabled"), Some(Value::Bool(false))),
            checked: matches!(get("toggle-state"), Some(Value::I32(1))),
            below: below.to_vec(),
        });
    }
    let below: Vec<String> = below.iter().cloned().chain([label]).collect();
    for child in children.iter() {
        read(child, &below, found);
    }
}

/// What was asked to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub id: u32,
    pub title: String,
    pub body: String,
    /// Ids and words, in turn.
    pub actions: Vec<String>,
}

#[derive(Default)]
struct Board {
    shown: Vec<Notification>,
    closed: Vec<u32>,
    count: u32,
}

/// A service that shows notifications, as long as it is held.
pub(crate) struct Notifications {
    connection: Connection,
    board: Arc<Mutex<Board>>,
}

struct Service(Arc<Mutex<Board>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"].map(str::to_owned).to_vec()
    }

    #[allow(clippy::too_many_arguments, reason = "as the specification has it")]
    fn notify(
        &self,
        _app: &str,
        replaces: u32,
        _icon: &str,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        let mut board = self.0.lock().unwrap();
        board.count += 1;
        let id = if replaces == 0 { board.count } else { replaces };
        board.shown.retain(|other| other.id != id);
        board.shown.push(Notification { id, title, body, actions });
        id
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().unwrap().closed.push(id);
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

impl Notifications {
    /// Serves on the session bus.
    pub(crate) async fn serve() -> Self {
        let board = Arc::new(Mutex::new(Board::default()));
        let builder = zbus::connection::Builder::session().expect("a session bus");
        let connection = builder
            .name(NOTIFICATIONS)
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", Service(Arc::clone(&board)))
            .unwrap()
            .build()
            .await
            .expect("nobody else shows notifications on the bus of a test");
        Self { connection, board }
    }

    /// Waits for one whose title fits.
    pub(crate) async fn see(&self, what: &str) -> Notification {
        let found = within(async || self.all().into_iter().rev().find(|each| each.title.contains(what))).await;
        found.unwrap_or_else(|| panic!("no notification says “{what}”: {:?}", self.all()))
    }

    /// Everything that was asked to be shown.
    pub(crate) fn all(&self) -> Vec<Notification> {
        self.board.lock().unwrap().shown.clone()
    }

    /// Whether one was taken away.
    pub(crate) fn is_closed(&self, id: u32) -> bool {
        self.board.lock().unwrap().closed.contains(&id)
    }

    /// A person chooses one of its actions.
    pub(crate) async fn choose(&self, id: u32, action: &str) {
        let emitter = SignalEmitter::new(&self.connection, "/org/freedesktop/Notifications").unwrap();
        Service::action_invoked(&emitter, id, action).await.expect("the signal leaves");
    }
}
