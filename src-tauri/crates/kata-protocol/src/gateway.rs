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

/// What a token may do. Each scope contains the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
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
        /// Token.
        token: String,
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
