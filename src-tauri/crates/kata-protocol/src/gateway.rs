//! Frames of the gateway socket (JSON text, one frame a message). Version 1.

use crate::{Count, Json, Topic, WireError};
use serde::{Deserialize, Serialize};

/// Major version of the frames.
pub const GATEWAY_VERSION: u32 = 1;
/// Largest frame before the handshake, bytes.
pub const MAX_PREAUTH_FRAME: usize = 64 * 1024;
/// Largest frame after it, bytes.
pub const MAX_FRAME: usize = 16 * 1024 * 1024;
/// Port that is tried first.
pub const DEFAULT_PORT: u16 = 18790;

/// What a token may do. Each scope contains the ones before it, but for bringing plugins: that is for `plugin` and `admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Bring plugins, and nothing else.
    Plugin,
    /// Look.
    Read,
    /// Write to sessions.
    Chat,
    /// Answer approvals and pairing.
    Approve,
    /// Change settings.
    Admin,
}

/// Client → server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ClientFrame {
    /// First frame.
    Connect {
        /// Version the client speaks.
        version: u32,
        /// Token. Absent where the device proves itself by a signature.
        #[serde(default)]
        token: Option<String>,
        /// Device that was paired with a key.
        #[serde(default)]
        device: Option<String>,
        /// Its ECDSA P-256 signature (SHA-256; r and s, 32 bytes each; base64url without padding) over the text
        /// `kata-connect-1`, the `nonce` of `hello` and the device, joined by line feeds.
        #[serde(default)]
        signature: Option<String>,
        /// Name of the client, for the log.
        client: String,
        /// Boot nonce of the server it spoke to before, for replay.
        #[serde(default)]
        boot: Option<String>,
        /// Last event it has.
        #[serde(default)]
        last_seq: Option<Count>,
        /// Topics it wants; absent = all.
        #[serde(default)]
        topics: Option<Vec<Topic>>,
    },
    /// First frame of a device that is not paired yet; the connection ends with the answer, `paired`.
    Pair {
        /// Version the client speaks.
        version: u32,
        /// Code of an offer.
        code: String,
        /// Name of the client, for the log.
        client: String,
        /// Public key, ECDSA P-256, as SubjectPublicKeyInfo in base64url without padding. Without one a token is made.
        #[serde(default)]
        public_key: Option<String>,
    },
    /// Brings a plugin, for as long as the connection lasts.
    Register {
        /// Chosen by the client, comes back in the response.
        id: Count,
        /// Plugin.
        plugin: crate::ExternalPlugin,
    },
    /// A message from a channel that this connection brought. The response says whether it was taken in; a message may be
    /// handed in again, it counts once.
    Inbound {
        /// Chosen by the client, comes back in the response (`IngressAnswer`).
        id: Count,
        /// Plugin.
        plugin: crate::PluginId,
        /// Its channel.
        channel: String,
        /// The message, as an `InboundDraft`.
        message: Json,
    },
    /// How a channel that this connection brought stands.
    Report {
        /// Plugin.
        plugin: crate::PluginId,
        /// Channel.
        channel: String,
        /// State.
        status: crate::Status,
        /// Where the platform's history was read up to; kept, and handed back with `start`.
        #[serde(default)]
        cursor: Option<String>,
    },
    /// Answer to a `call`; exactly one of `result` and `error` is set.
    Answer {
        /// Number of the call.
        call: Count,
        /// Result.
        #[serde(default)]
        result: Option<Json>,
        /// Failure. Of a send, `details` may say `code` (a `SendErrorCode`), `retryAfterMs`, and with `certain: true` that
        /// nothing can have left.
        #[serde(default)]
        error: Option<WireError>,
    },
    /// One operation.
    Request {
        /// Chosen by the client, comes back in the response.
        id: Count,
        /// Operation.
        op: String,
        /// Its parameters.
        #[serde(default)]
        params: Json,
    },
    /// Changes the topics.
    Subscribe {
        /// Topics it wants.
        topics: Vec<Topic>,
    },
    /// Events up to this number have been taken in.
    Ack {
        /// Number.
        seq: Count,
    },
}

/// Server → client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ServerFrame {
    /// First frame, before anything is trusted.
    Hello {
        /// Random per connection.
        nonce: String,
        /// Versions spoken.
        versions: Vec<u32>,
    },
    /// The handshake is done.
    Welcome {
        /// Version in force.
        version: u32,
        /// This boot; numbers of another boot mean nothing.
        boot: String,
        /// Number of the newest event.
        seq: Count,
        /// What the token may do.
        scope: Scope,
        /// Operations on offer.
        operations: Vec<String>,
    },
    /// The device is paired.
    Paired {
        /// Device, for `connect`.
        device: String,
        /// Token, where the device gave no key. It is said once.
        #[serde(default)]
        token: Option<String>,
        /// What it may do.
        scope: Scope,
        /// When it has to be paired again.
        #[serde(default)]
        expires_at: Option<crate::Ms>,
    },
    /// Asks a plugin that this connection brought.
    Call {
        /// Number of the call.
        call: Count,
        /// Plugin.
        plugin: crate::PluginId,
        /// What for.
        kind: crate::ExternalCall,
        /// With what.
        params: Json,
        /// Milliseconds until it is given up.
        deadline_ms: u32,
    },
    /// Nobody waits for a call any longer.
    Cancel {
        /// Number of the call.
        call: Count,
    },
    /// Answer to a request; exactly one of `result` and `error` is set.
    Response {
        /// Id of the request.
        id: Count,
        /// Result.
        #[serde(default)]
        result: Option<Json>,
        /// Failure.
        #[serde(default)]
        error: Option<WireError>,
    },
    /// A fact.
    Event {
        /// Number.
        seq: Count,
        /// Fact.
        fact: Json,
    },
    /// Events were missed that are no longer kept: ask for the state again.
    Resync {
        /// Number of the newest event.
        seq: Count,
    },
    /// The connection ends; the reason is for a person.
    Goodbye {
        /// Reason.
        reason: String,
    },
}
