//! `kata oauth`, `kata sources login` and `logout`.

use super::connect;
use crate::args::{Configure, Oauth};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use crate::setting;
use kata_protocol::{
    Empty, OauthBegin, OauthConfigure, OauthMethod, OauthProgress, OauthProviderRef, OauthSignIn, OauthSignInRef, SourceId, SourceRef,
};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Time between two questions whether a sign-in is done.
const ASK_AGAIN: Duration = Duration::from_millis(500);

pub(super) async fn run(screen: &Screen, home: &Path, command: Oauth) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    match command {
        Oauth::Providers => {
            let providers = client.oauth_providers(Empty {}).await?;
            screen.result(&providers, |p| render::providers(p))
        }
        Oauth::Configure(wanted) => {
            let provider = client.oauth_configure(asked(screen, wanted)?).await?;
            screen.result(&provider, render::provider)
        }
        Oauth::Remove { id } => {
            let done = client.oauth_remove(OauthProviderRef { id }).await?;
            screen.result(&done, |_| "done; accounts that are signed in stay\n".into())
        }
        Oauth::Accounts => {
            let accounts = client.oauth_accounts(Empty {}).await?;
            screen.result(&accounts, |a| render::accounts(a, render::now()))
        }
    }
}

fn asked(screen: &Screen, wanted: Configure) -> Result<OauthConfigure, Failure> {
    let client_secret = match (wanted.secret, wanted.no_secret) {
        (true, _) => Some(setting::secret(screen, "client secret")?),
        (_, true) => Some(String::new()),
        _ => None,
    };
    Ok(OauthConfigure {
        id: wanted.id,
        name: wanted.name,
        authorization_url: wanted.authorization_url,
        token_url: wanted.token_url,
        device_url: wanted.device_url,
        revocation_url: wanted.revocation_url,
        userinfo_url: wanted.userinfo_url,
        parameters: (!wanted.parameter.is_empty()).then(|| wanted.parameter.into_iter().collect()),
        client_id: wanted.client_id,
        client_secret,
    })
}

/// Begins, says where to go, and waits until it is done. Ctrl-C ends it at the engine too.
pub(super) async fn login(screen: &Screen, client: &mut Client, id: SourceId, device: bool, open: bool) -> Result<(), Failure> {
    let begun = client
        .oauth_begin(OauthBegin {
            source: id,
            method: Some(if device { OauthMethod::Device } else { OauthMethod::Browser }),
            open: Some(open && !device),
        })
        .await?;
    // To whoever reads the standard error: the result comes at the end.
    if screen.json {
        screen.note(&json!({"signIn": begun}).to_string());
    } else {
        screen.note(&render::sign_in(&begun));
    }
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let ended = loop {
        tokio::select! {
            _ = &mut interrupted => {
                client.oauth_cancel(OauthSignInRef { id: begun.id.clone() }).await?;
                return Err(Failure::new(Exit::Refused, "the sign-in was cancelled"));
            }
            () = tokio::time::sleep(ASK_AGAIN) => {}
        }
        let now = client.oauth_get(OauthSignInRef { id: begun.id.clone() }).await?;
        if now.progress != OauthProgress::Waiting {
            break now;
        }
    };
    outcome(screen, &ended)
}

fn outcome(screen: &Screen, ended: &OauthSignIn) -> Result<(), Failure> {
    if let OauthProgress::Failed { code, message } = &ended.progress {
        let exit = if code == "unreachable" { Exit::Failure } else { Exit::Refused };
        return Err(Failure::new(
            exit,
            format!("not signed in at {}: {message} ({code})", ended.provider),
        ));
    }
    screen.result(ended, |ended| match &ended.progress {
        OauthProgress::Done { account: Some(account) } => format!("signed in at {} as {}\n", ended.provider, render::line(account, 120)),
        _ => format!("signed in at {}\n", ended.provider),
    })
}

pub(super) async fn logout(screen: &Screen, client: &mut Client, id: SourceId) -> Result<(), Failure> {
    let source = client.oauth_revoke(SourceRef { id }).await?;
    screen.result(&source, |s| render::sources(std::slice::from_ref(s), render::now()))
}
