//! Paths of the gateway that belong to plugins. The host checks path, method and capability; the plugin verifies first and
//! handles only what it has verified.

use crate::engine::{CallFault, Kind};
use crate::host::PluginHost;
use crate::registry::report;
use async_trait::async_trait;
use base64::Engine as _;
use kata_core::ports::{RouteAnswer, RouteRefusal, RouteRequest, Routes};
use kata_protocol::PluginId;
use serde::Deserialize;
use std::sync::Arc;

/// Headers the gateway sets, or that would reach past one path of it.
const NOT_THEIRS: [&str; 7] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "date",
    "set-cookie",
    "upgrade",
    "keep-alive",
];

#[derive(Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

#[async_trait]
impl Routes for PluginHost {
    async fn serve(&self, request: RouteRequest) -> Result<RouteAnswer, RouteRefusal> {
        let plugin = PluginId::new(&request.plugin).map_err(|_| RouteRefusal::NotFound)?;
        let registry = self.registry.load_full();
        let member = registry.members.get(&plugin).ok_or(RouteRefusal::NotFound)?;
        let generation = &member.generation;
        let route = member.registrations.routes.iter().find(|r| r.path == request.path);
        let route = route.ok_or(RouteRefusal::NotFound)?;
        // Asked at each call: the person may have taken it back.
        if generation.standing.check(&format!("route:{}", route.path)).is_err() {
            return Err(RouteRefusal::NotFound);
        }
        if !route.methods.contains(&request.method) {
            return Err(RouteRefusal::Method(route.methods.join(", ")));
        }
        let body = base64::engine::general_purpose::STANDARD.encode(&request.body);
        let payload: Arc<str> = serde_json::json!({
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": request.headers,
            "body": body,
        })
        .to_string()
        .into();
        let wait = Some(self.options().send_timeout);
        let result = generation.call(Kind::Route, route.handle, Some(payload), wait, None).await;
        let what = format!("route {}", route.path);
        match result {
            Ok(json) => answer(json.as_deref().unwrap_or("null")).map_err(|fault| {
                report(&*member.faults, &what, &fault);
                RouteRefusal::Failed
            }),
            Err(fault) => {
                report(&*member.faults, &what, &fault);
                Err(match fault {
                    CallFault::NotStarted(_) | CallFault::Ended(_) => RouteRefusal::Down,
                    CallFault::Timeout(_) | CallFault::Cancelled => RouteRefusal::Late,
                    CallFault::Threw(..) | CallFault::BadResult(_) => RouteRefusal::Failed,
                })
            }
        }
    }
}

fn answer(json: &str) -> Result<RouteAnswer, CallFault> {
    let Answer { status, headers, body } =
        serde_json::from_str(json).map_err(|e| CallFault::BadResult(format!("the answer is no response: {e}")))?;
    if !(200..600).contains(&status) {
        return Err(CallFault::BadResult(format!("the answer's status is {status}, not 200 to 599")));
    }
    let theirs = |(name, _): &(String, String)| !NOT_THEIRS.iter().any(|not| name.eq_ignore_ascii_case(not));
    Ok(RouteAnswer {
        status,
        headers: headers.into_iter().filter(theirs).collect(),
        body,
    })
}
