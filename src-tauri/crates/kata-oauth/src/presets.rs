//! Providers that come with the app, without an app's id: everybody brings their own.
//!
//! Sources of the addresses: developers.google.com/identity/protocols/oauth2/native-app and …/limited-input-device,
//! learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow, docs.github.com/apps/oauth-apps,
//! docs.gitlab.com/api/oauth2, docs.slack.dev/authentication/using-pkce, docs.discord.com/developers/topics/oauth2.

use crate::provider::Provider;
use std::collections::BTreeMap;

struct Row {
    id: &'static str,
    name: &'static str,
    authorization: &'static str,
    token: &'static str,
    device: Option<&'static str>,
    revocation: Option<&'static str>,
    userinfo: Option<&'static str>,
    parameters: &'static [(&'static str, &'static str)],
    besides: &'static [&'static str],
    prefix: &'static str,
    tells_scopes: bool,
    by_name: bool,
}

const ROWS: [Row; 6] = [
    Row {
        id: "google",
        name: "Google",
        authorization: "https://accounts.google.com/o/oauth2/v2/auth",
        token: "https://oauth2.googleapis.com/token",
        device: Some("https://oauth2.googleapis.com/device/code"),
        revocation: Some("https://oauth2.googleapis.com/revoke"),
        userinfo: Some("https://openidconnect.googleapis.com/v1/userinfo"),
        // Without both there is a refresh token at the first sign-in only.
        parameters: &[("access_type", "offline"), ("prompt", "consent")],
        besides: &["openid", "email"],
        prefix: "https://www.googleapis.com/auth/",
        tells_scopes: true,
        by_name: false,
    },
    Row {
        id: "microsoft",
        name: "Microsoft",
        authorization: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        device: Some("https://login.microsoftonline.com/common/oauth2/v2.0/devicecode"),
        revocation: None,
        userinfo: Some("https://graph.microsoft.com/oidc/userinfo"),
        parameters: &[("prompt", "select_account")],
        besides: &["openid", "email", "offline_access"],
        prefix: "",
        tells_scopes: true,
        // Entra lets the port of `http://localhost` be any; that of an address it compares.
        by_name: true,
    },
    Row {
        id: "github",
        name: "GitHub",
        authorization: "https://github.com/login/oauth/authorize",
        token: "https://github.com/login/oauth/access_token",
        device: Some("https://github.com/login/device/code"),
        revocation: None,
        userinfo: Some("https://api.github.com/user"),
        parameters: &[],
        besides: &[],
        prefix: "",
        // GitHub leaves out what a wider scope has in it.
        tells_scopes: false,
        by_name: false,
    },
    Row {
        id: "gitlab",
        name: "GitLab",
        authorization: "https://gitlab.com/oauth/authorize",
        token: "https://gitlab.com/oauth/token",
        device: Some("https://gitlab.com/oauth/authorize_device"),
        revocation: Some("https://gitlab.com/oauth/revoke"),
        userinfo: Some("https://gitlab.com/oauth/userinfo"),
        parameters: &[],
        besides: &["openid", "email"],
        prefix: "",
        tells_scopes: true,
        by_name: false,
    },
    Row {
        id: "slack",
        name: "Slack",
        authorization: "https://slack.com/oauth/v2_user/authorize",
        token: "https://slack.com/api/oauth.v2.user.access",
        device: None,
        revocation: None,
        userinfo: None,
        parameters: &[],
        besides: &[],
        prefix: "",
        tells_scopes: false,
        by_name: false,
    },
    Row {
        id: "discord",
        name: "Discord",
        authorization: "https://discord.com/oauth2/authorize",
        token: "https://discord.com/api/oauth2/token",
        device: None,
        revocation: Some("https://discord.com/api/oauth2/token/revoke"),
        userinfo: Some("https://discord.com/api/users/@me"),
        parameters: &[],
        besides: &["identify"],
        prefix: "",
        tells_scopes: true,
        by_name: false,
    },
];

/// Providers that come with the app.
pub fn presets() -> Vec<Provider> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let make = |row: &Row| Provider {
        id: row.id.into(),
        name: row.name.into(),
        authorization_url: row.authorization.into(),
        token_url: row.token.into(),
        device_url: owned(row.device),
        revocation_url: owned(row.revocation),
        userinfo_url: owned(row.userinfo),
        parameters: row
            .parameters
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        besides: row.besides.iter().map(|s| (*s).to_owned()).collect(),
        scope_prefix: row.prefix.into(),
        tells_scopes: row.tells_scopes,
        by_name: row.by_name,
        preset: true,
        ..Provider::default()
    };
    ROWS.iter().map(make).collect()
}
