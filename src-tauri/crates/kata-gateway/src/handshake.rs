//! From hello to welcome: at most ten seconds, at most 64 KiB, and a right token or signature. Or from hello to `paired`, with a
//! right code; then the client comes again as what it has become.

use crate::connection::{End, broken, close};
use crate::devices::{DeviceKey, NotPaired, PairAsk};
use crate::feed::Position;
use crate::frames::{self, Connect, Incoming, Pair, SPOKEN, Shown, TopicSet};
use crate::gateway::Shared;
use crate::listener::Meter;
use crate::tokens::{Grant, Shut};
use axum::extract::ws::{Message, WebSocket};
use kata_core::events::Replay;
use kata_protocol::{Count, MAX_PREAUTH_FRAME, Scope, ServerFrame, ops};
use secrecy::ExposeSecret;
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
    meter.known();
    Ok(welcomed)
}

async fn introduce(shared: &Arc<Shared>, socket: &mut WebSocket, meter: &Meter) -> Result<Welcomed, End> {
    let nonce = shared.nonce();
    socket
        .send(Message::Text(frames::hello_frame(nonce.clone()).into()))
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
    match frames::parse(&text) {
        Ok(Incoming::Connect(connect)) => welcome(shared, &nonce, connect),
        Ok(Incoming::Pair(pair)) => Err(self::pair(shared, socket, pair).await),
        Ok(_) => Err(End::new(close::BAD_FRAME, "the first frame must be “connect” or “pair”")),
        Err(bad) => Err(End::new(close::BAD_FRAME, bad.reason)),
    }
}

fn version(asked: u32) -> Result<u32, End> {
    frames::negotiate(SPOKEN, asked).map_err(|unspoken| End::new(close::VERSION, unspoken.0))
}

fn named(client: &str) -> String {
    client.chars().filter(|c| !c.is_control()).take(NAME).collect()
}

/// Counts a wrong token, signature or code, and says so; while it is shut, it says only that.
fn wrong(shared: &Shared, client: &str, what: &str, reason: String) -> End {
    let now = shared.clock.now();
    if let Some(seconds) = shared.lockout.shut_for(now) {
        tracing::debug!(client, what, "a wrong one came while it is shut");
        return End::new(
            close::LOCKED_OUT,
            format!("too many wrong tokens or codes; try again in {seconds} s"),
        );
    }
    shared.lockout.failed(now);
    tracing::warn!(client, what, "a gateway client came with a wrong proof");
    End::new(close::UNAUTHORIZED, reason)
}

fn welcome(shared: &Arc<Shared>, nonce: &str, connect: Connect<'_>) -> Result<Welcomed, End> {
    let version = version(connect.version)?;
    let client = named(&connect.client);
    let now = shared.clock.now();
    let (checked, what) = match &connect.proof {
        Shown::Token(token) => (shared.tokens.check_token(token, now), "token"),
        Shown::Signature { device, signature } => (shared.tokens.check_signature(device, signature, nonce, now), "signature"),
    };
    let grant = match checked {
        Ok(grant) => grant,
        Err(Shut::Wrong) => return Err(wrong(shared, &client, what, format!("the {what} is not valid"))),
        Err(Shut::Expired) => return Err(End::new(close::REVOKED, "the time of this device is over; pair it again")),
    };
    if let (Some(device), Some(devices)) = (&grant.device, shared.devices.get()) {
        devices.came(device);
    }

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
        version,
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
        topics: allowed(grant.scope, connect.topics),
        grant,
        position: Position {
            missed: missed.into(),
            live,
        },
        first,
    })
}

/// Facts tell what `read` may ask for, so a program that only brings plugins hears none.
pub(crate) fn allowed(scope: Scope, wanted: TopicSet) -> TopicSet {
    if scope >= Scope::Read { wanted } else { TopicSet::NONE }
}

/// Answers a code; the connection ends with it.
async fn pair(shared: &Arc<Shared>, socket: &mut WebSocket, pair: Pair<'_>) -> End {
    if let Err(end) = version(pair.version) {
        return end;
    }
    let client = named(&pair.client);
    let key = match pair.public_key.as_deref().map(DeviceKey::parse) {
        None => None,
        Some(Some(key)) => Some(key),
        Some(None) => return End::new(close::BAD_FRAME, "“publicKey” is no P-256 key as SubjectPublicKeyInfo in base64url"),
    };
    // A code can be guessed in the long run, so it is not even looked at now.
    if shared.lockout.shut_for(shared.clock.now()).is_some() {
        return wrong(shared, &client, "code", String::new());
    }
    let Some(devices) = shared.devices.get() else {
        return wrong(shared, &client, "code", NotPaired::Code.to_string());
    };
    let ask = PairAsk {
        code: pair.code.into_owned(),
        key,
        client: client.clone(),
    };
    match devices.pair(ask).await {
        Ok(paired) => {
            let frame = ServerFrame::Paired {
                device: paired.device,
                token: paired.token.map(|token| token.expose_secret().to_owned()),
                scope: paired.scope,
                expires_at: paired.expires_at,
            };
            match socket.send(Message::Text(frames::control_frame(&frame).into())).await {
                Ok(()) => End::new(close::DONE, ""),
                Err(_) => End::gone(),
            }
        }
        Err(refused @ NotPaired::Code) => wrong(shared, &client, "code", refused.to_string()),
        Err(failed) => End::new(close::FAILED, failed.to_string()),
    }
}
