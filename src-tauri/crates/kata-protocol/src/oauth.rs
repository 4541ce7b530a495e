//! Signing in at a provider: who they are, a sign-in on its way, and what was signed in.

use crate::{Ms, SourceId, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a person signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OauthMethod {
    /// In the browser of this machine, which leads back to a loopback address (RFC 8252, with PKCE).
    #[default]
    Browser,
    /// On any device, with a short code (RFC 8628).
    Device,
}

/// How a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OauthProgress {
    /// The person has not finished.
    Waiting,
    /// Signed in; what needs it is being started.
    Done {
        /// Name of the account where the provider says one, such as an address.
        account: Option<String>,
    },
    /// It ended without an account.
    Failed {
        /// Short and stable: `denied`, `expired`, `state`, `scope`, `unreachable`, `refused`, `cancelled`.
        code: String,
        /// One sentence for a person.
        message: String,
    },
}

macro_rules! oauth {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

oauth! {
    /// A provider people sign in at. Presets come with the app; a person may change them or add others.
    OauthProvider {
        /// Short name, as capabilities have it: `oauth:ID:SCOPES`.
        id: String,
        /// Name to show.
        name: String,
        /// Where the browser goes.
        authorization_url: String,
        /// Where codes become tokens.
        token_url: String,
        /// Where a device code comes from; absent where the provider has none.
        device_url: Option<String>,
        /// Where a token is given back; absent where the provider has none.
        revocation_url: Option<String>,
        /// Where the account's name is asked for (OpenID Connect userinfo); absent where there is none.
        userinfo_url: Option<String>,
        /// Further parameters for the browser's address, such as `access_type`.
        parameters: BTreeMap<String, String>,
        /// The app's id at the provider; absent until the person brings one.
        client_id: Option<String>,
        /// Whether a client secret is stored. It never leaves the engine.
        client_secret_set: bool,
        /// Whether it comes with the app.
        preset: bool,
    }
    /// `oauth.configure`: adds a provider, or changes one. A field of a preset that is absent keeps the preset's value.
    OauthConfigure {
        /// Short name: lower-case letters, digits, `-`.
        id: String,
        /// Name to show.
        name: Option<String>,
        /// Where the browser goes; `https:` or loopback.
        authorization_url: Option<String>,
        /// Where codes become tokens.
        token_url: Option<String>,
        /// Where a device code comes from.
        device_url: Option<String>,
        /// Where a token is given back.
        revocation_url: Option<String>,
        /// Where the account's name is asked for.
        userinfo_url: Option<String>,
        /// Further parameters for the browser's address.
        parameters: Option<BTreeMap<String, String>>,
        /// The app's id at the provider.
        client_id: Option<String>,
        /// The app's secret; empty removes it.
        client_secret: Option<String>,
    }
    /// `oauth.remove`: forgets a provider of the person's own, or brings a preset back to what came with the app.
    OauthProviderRef {
        /// Provider.
        id: String,
    }
    /// `oauth.begin`
    OauthBegin {
        /// Source that needs the account.
        source: SourceId,
        /// How; default in the browser.
        method: Option<OauthMethod>,
        /// Whether the engine opens the browser of its own machine; default yes. A client elsewhere opens `url` itself.
        open: Option<bool>,
    }
    /// `oauth.get`, `oauth.cancel`
    OauthSignInRef {
        /// Sign-in.
        id: String,
    }
    /// A sign-in on its way. It is kept for ten minutes after it ended.
    OauthSignIn {
        /// Sign-in.
        id: String,
        /// Source that needs the account.
        source: SourceId,
        /// Provider's name.
        provider: String,
        /// Scopes that are asked for.
        scopes: Vec<String>,
        /// How.
        method: OauthMethod,
        /// Where the person goes.
        url: String,
        /// What the person types there, for a device.
        user_code: Option<String>,
        /// When it is over.
        expires_at: Ms,
        /// How it stands.
        progress: OauthProgress,
    }
    /// An account somebody signed in with.
    OauthAccount {
        /// Source it serves.
        source: SourceId,
        /// Provider's id.
        provider: String,
        /// Name of the account where the provider says one.
        account: Option<String>,
        /// Scopes that were given.
        scopes: Vec<String>,
        /// When the present token ends; it is renewed before.
        expires_at: Option<Ms>,
        /// How it stands.
        status: Status,
    }
}
