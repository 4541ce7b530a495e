//! Providers, accounts, and a sign-in on its way.

use super::{line, state, table, within};
use kata_protocol::*;

pub(crate) fn providers(all: &[OauthProvider]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|p| {
            let ready = match (&p.client_id, p.client_secret_set) {
                (None, _) => "needs a client id".to_owned(),
                (Some(id), secret) => format!("{}{}", line(id, 40), if secret { ", with a secret" } else { "" }),
            };
            let ways = if p.device_url.is_some() { "browser, device" } else { "browser" };
            let from = if p.preset { "the app" } else { "you" };
            vec![p.id.clone(), line(&p.name, 24), ready, ways.into(), from.into()]
        })
        .collect();
    table(&["provider", "name", "client id", "ways", "from"], &rows, "no providers")
}

pub(crate) fn provider(p: &OauthProvider) -> String {
    let mut text = format!("{}  {}\n", p.id, line(&p.name, 60));
    let mut put = |name: &str, value: &str| text += &format!("{name:15} {}\n", line(value, 200));
    put("client id", p.client_id.as_deref().unwrap_or("none yet; see docs/oauth.md"));
    put("client secret", if p.client_secret_set { "set" } else { "not set" });
    put("authorization", &p.authorization_url);
    put("token", &p.token_url);
    for (name, url) in [
        ("device", &p.device_url),
        ("revocation", &p.revocation_url),
        ("userinfo", &p.userinfo_url),
    ] {
        if let Some(url) = url {
            put(name, url);
        }
    }
    for (name, value) in &p.parameters {
        put("parameter", &format!("{name}={value}"));
    }
    text
}

pub(crate) fn accounts(all: &[OauthAccount], now: Ms) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|a| {
            vec![
                a.source.to_string(),
                a.provider.clone(),
                a.account.as_deref().map_or_else(|| "(no name)".into(), |n| line(n, 40)),
                state(&a.status, now),
                a.expires_at.map_or_else(|| "does not end".into(), |at| within(at, now)),
            ]
        })
        .collect();
    table(
        &["source", "provider", "account", "state", "token ends"],
        &rows,
        "nobody is signed in; `kata sources login ID` signs in",
    )
}

/// Where the person goes.
pub(crate) fn sign_in(begun: &OauthSignIn) -> String {
    match &begun.user_code {
        Some(code) => format!(
            "Open {} on any device and enter the code {}\n",
            line(&begun.url, 2000),
            line(code, 40)
        ),
        // It has ended already; how is said next.
        None if begun.url.is_empty() => String::new(),
        None => format!(
            "Sign in at {} in the browser of this machine. If it did not open, go to\n\n{}\n",
            begun.provider,
            line(&begun.url, 4000)
        ),
    }
}

/// The account of a source, for its detail.
pub(crate) fn account_line(detail: &SourceDetail, now: Ms) -> Option<String> {
    let at = detail.signs_in_at.as_ref()?;
    Some(match &detail.account {
        None => format!("{}: not signed in; `kata sources login {}`", line(at, 40), detail.summary.id),
        Some(a) => format!(
            "{} at {}, {}",
            a.account.as_deref().map_or_else(|| "signed in".into(), |n| line(n, 60)),
            line(at, 40),
            state(&a.status, now)
        ),
    })
}
