//! From hello to welcome: at most ten seconds, at most 64 KiB, and a right token.

use crate::connection::{End, broken, close};
use crate::feed::Position;
use crate::frames::{self, Incoming, TopicSet};
use crate::gateway::Shared;
use crate::listener::Meter;
use crate::tokens::Grant;
use axum::extract::ws::{Message, WebSocket};
use kata_core::events::Replay;
use kata_protocol::{Count, GATEWAY_VERSION, MAX_PREAUTH_FRAME, ServerFrame, ops};
use std::sync::Arc;
use std::time::Duration;

/// Time for it.
const LIMIT: Duration = Duration::from_secs(10);
/// Bytes a stranger may send: one frame of the largest size, its header, and some pongs.
const METERED: u32 = MAX_PREAUTH_FRAME as u32 + 1024;
/// Longest name of a client that is kept, in characters.
const NAME: usize = 64;

/// A client that may stay.
pub(crate) struct Welcomed {
    pub(crate) client: String,
    pub(crate) grant: Grant,
    pub(crate) topics: TopicSet,
    /// Where its events begin.
    pub(crate) position: Position,
    /// Frames that go out before anything else.
    pub(crate) first: Vec<String>,
}

pub(crate) async fn run(shared: &Arc<Shared>, socket: &mut WebSocket, meter: &Meter) -> Result<Welcomed, End> {
    meter.limit(METERED);
    let welcomed = tokio::select! {
        welcomed = introduce(shared, socket, meter) => welcomed?,
        () = shared.clock.sleep(LIMIT) => return Err(End::new(close::TIMEOUT, "no connect frame within 10 seconds")),
    };
    meter.open();
    Ok(welcomed)
}

async fn introduce(shared: &Arc<Shared>, socket: &mut WebSocket, meter: &Meter) -> Result<Welcomed, End> {
    socket
        .send(Message::Text(frames::hello_frame(shared.nonce()).into()))
        .await
        .map_err(|_| End::gone())?;
    let too_large = || End::new(close::TOO_LARGE, "the first frame is larger than 64 KiB");
    let text = loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) if text.len() > MAX_PREAUTH_FRAME => return Err(too_large()),
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => return Err(End::new(close::UNSUPPORTED, "frames are JSON text")),
            Some(Ok(Message::Close(_))) | None => return Err(End::gone()),
            Some(Err(_)) if meter.passed() => return Err(too_large()),
            Some(Err(e)) => return Err(broken(&e)),
        }
    };
    let connect = match frames::parse(&text) {
        Ok(Incoming::Connect(connect)) => connect,
        Ok(_) => return Err(End::new(close::BAD_FRAME, "the first frame must be “connect”")),
        Err(bad) => return Err(End::new(close::BAD_FRAME, bad.reason)),
    };
    if connect.version != GATEWAY_VERSION {
        return Err(End::new(
            close::VERSION,
            format!("version {} is not spoken here; {GATEWAY_VERSION} is", connect.version),
        ));
    }
    let client: String = connect.client.chars().filter(|c| !c.is_control()).take(NAME).collect();
    if let Some(seconds) = shared.lockout.shut_for(shared.clock.now()) {
        return Err(End::new(
            close::LOCKED_OUT,
            format!("too many wrong tokens; try again in {seconds} s"),
        ));
    }
    let Some(grant) = shared.tokens.check(&connect.token) else {
        shared.lockout.failed(shared.clock.now());
        tracing::warn!(client, "a gateway client came with a wrong token");
        return Err(End::new(close::UNAUTHORIZED, "the token is not valid"));
    };

    let resumes = connect.boot.as_deref() == Some(shared.boot.as_str());
    let newest = shared.events.newest();
    // Also without a replay the hub is asked for what came after `newest`, so that no fact falls between the two calls.
    let (mut replay, mut live) = shared.events.resume(connect.last_seq.filter(|_| resumes).unwrap_or(newest));
    let mut missed_some = connect.last_seq.is_some() && !resumes;
    if matches!(replay, Replay::Gone) {
        missed_some = true;
        (replay, live) = shared.events.resume(newest);
    }
    let missed = match replay {
        Replay::Missed(facts) => facts,
        Replay::Gone => Vec::new(),
    };
    let operations = ops::OPERATIONS
        .iter()
        .filter(|o| grant.scope >= o.scope)
        .map(|o| o.name.to_owned())
        .collect();
    let welcome = ServerFrame::Welcome {
        version: GATEWAY_VERSION,
        boot: shared.boot.clone(),
        seq: Count(newest),
        scope: grant.scope,
        operations,
    };
    let mut first = vec![frames::control_frame(&welcome)];
    if missed_some {
        first.push(frames::control_frame(&ServerFrame::Resync { seq: Count(newest) }));
    }
    Ok(Welcomed {
        client,
        grant,
        topics: connect.topics,
        position: Position {
            missed: missed.into(),
            live,
        },
        first,
    })
}
