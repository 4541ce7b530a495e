//! Signing in, by the browser and by a device.

use super::fake::{Counting, Scene, account};
use crate::{Begin, Listener, SignIns, Way};
use kata_core::ports::{Accounts, Clock};
use kata_protocol::{ErrorCode, OauthMethod, OauthProgress, OauthSignIn, SourceId};
use secrecy::ExposeSecret;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use url::Url;

struct Door {
    scene: Scene,
    sign_ins: Arc<SignIns>,
    ended: mpsc::Receiver<OauthSignIn>,
}

impl Door {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let (told, ended) = mpsc::channel(8);
        let sign_ins = SignIns::new(
            Arc::clone(&scene.tokens),
            Arc::clone(&scene.clock) as Arc<dyn Clock>,
            Arc::new(Counting::default()),
            scene.tasks.clone(),
            Box::new(move |sign_in, _| told.try_send(sign_in.clone()).unwrap()),
        );
        Self { scene, sign_ins, ended }
    }

    async fn begin(&self, way: Way) -> OauthSignIn {
        self.sign_ins.begin(self.wanted(way)).await.unwrap()
    }

    fn wanted(&self, way: Way) -> Begin {
        Begin {
            account: account(),
            source: SourceId::new("service:mail:mail").unwrap(),
            provider: self.scene.server.provider(),
            scopes: vec!["mail".into()],
            way,
        }
    }

    async fn browser(&self) -> OauthSignIn {
        self.begin(Way::Browser(Listener::open(false).await.unwrap())).await
    }

    async fn ended(&mut self) -> OauthProgress {
        self.ended.recv().await.unwrap().progress
    }
}

fn asked(sign_in: &OauthSignIn) -> HashMap<String, String> {
    Url::parse(&sign_in.url).unwrap().query_pairs().into_owned().collect()
}

/// What a browser does: one GET; answers the page.
async fn visit(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    let port = url.port().unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let target = &url[url::Position::BeforePath..];
    let request = format!("GET {target} HTTP/1.1\r\nHost: {}:{port}\r\n\r\n", url.host_str().unwrap());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

#[tokio::test]
async fn the_browsers_answer_becomes_an_account_with_pkce_state_and_the_name_of_whoever_signed_in() {
    let mut door = Door::new().await;
    let begun = door.browser().await;
    let query = asked(&begun);
    assert_eq!(query["tenant"], "1", "what the address had stays");
    assert_eq!(
        (query["response_type"].as_str(), query["code_challenge_method"].as_str()),
        ("code", "S256")
    );
    assert_eq!((query["scope"].as_str(), query["access_type"].as_str()), ("mail", "offline"));
    let redirect = &query["redirect_uri"];
    assert!(
        redirect.starts_with("http://127.0.0.1:") && redirect.ends_with("/callback"),
        "{redirect}"
    );
    let page = visit(&format!("{redirect}?code=the-code&state={}", query["state"])).await;
    assert!(
        page.contains("You are signed in") && page.contains("Cache-Control: no-store"),
        "{page}"
    );
    let done = OauthProgress::Done {
        account: Some("ada@example.org".into()),
    };
    assert_eq!(door.ended().await, done);
    let form = door.scene.server.book.lock().unwrap().forms[0].clone();
    assert_eq!(
        (form["code"].as_str(), form["redirect_uri"].as_str()),
        ("the-code", redirect.as_str())
    );
    assert!(form["code_verifier"].len() >= 43, "RFC 7636: at least 43 characters");
    let token = door.scene.tokens.token(&account(), &["mail".to_owned()]).await.unwrap();
    assert_eq!(token.access.expose_secret(), "access-1");
    let shown = door.sign_ins.account(&begun.source, &account()).await.unwrap().unwrap();
    assert_eq!(
        (shown.account.as_deref(), shown.scopes),
        (Some("ada@example.org"), vec!["mail".to_owned()])
    );
    assert_eq!(
        door.sign_ins.get(&begun.id).unwrap().url,
        "",
        "the address, with its state, is gone"
    );
}

#[tokio::test]
async fn strangers_at_the_door_neither_end_a_sign_in_nor_learn_anything() {
    let mut door = Door::new().await;
    let begun = door.browser().await;
    let query = asked(&begun);
    let redirect = &query["redirect_uri"];
    for bad in [
        format!("{redirect}?code=evil&state=guessed"),
        format!("{redirect}?error=access_denied&state=guessed"),
        format!("{redirect}/other?code=evil&state={}", query["state"]),
        redirect.replace("/callback", "/favicon.ico"),
    ] {
        let page = visit(&bad).await;
        assert!(page.starts_with("HTTP/1.1 404"), "{bad}: {page}");
    }
    assert_eq!(door.sign_ins.get(&begun.id).unwrap().progress, OauthProgress::Waiting);
    assert!(door.scene.server.book.lock().unwrap().asked.is_empty());
    visit(&format!("{redirect}?code=good&state={}", query["state"])).await;
    assert!(matches!(door.ended().await, OauthProgress::Done { .. }));
    assert!(
        tokio::net::TcpStream::connect(redirect.replace("http://", "").replace("/callback", ""))
            .await
            .is_err(),
        "the door is shut"
    );
}

#[tokio::test]
async fn each_way_a_sign_in_can_fail_has_its_code() {
    let failed = |progress: OauthProgress| match progress {
        OauthProgress::Failed { code, .. } => code,
        other => panic!("{other:?}"),
    };
    // The person says no.
    let mut door = Door::new().await;
    let query = asked(&door.browser().await);
    let page = visit(&format!("{}?error=access_denied&state={}", query["redirect_uri"], query["state"])).await;
    assert!(page.contains("did not work"));
    assert_eq!(failed(door.ended().await), "denied");
    // The provider gives less than what is needed.
    door.scene.server.book.lock().unwrap().scope = Some("calendar".into());
    let query = asked(&door.browser().await);
    visit(&format!("{}?code=c&state={}", query["redirect_uri"], query["state"])).await;
    assert_eq!(failed(door.ended().await), "scope");
    // It does not know the app; it is not there.
    for (status, body, code) in [
        (401, json!({"error": "invalid_client"}), "refused"),
        (502, json!({}), "unreachable"),
    ] {
        door.scene.server.script(status, body);
        let query = asked(&door.browser().await);
        visit(&format!("{}?code=c&state={}", query["redirect_uri"], query["state"])).await;
        assert_eq!(failed(door.ended().await), code);
    }
    // Nobody comes.
    let begun = door.browser().await;
    door.scene.clock.somebody_sleeps(1).await;
    door.scene.clock.pass(Duration::from_secs(600));
    assert_eq!(failed(door.ended().await), "expired");
    // A new one takes the place of the old one; a person leaves it.
    let first = door.browser().await;
    let second = door.browser().await;
    let ended = door.ended.recv().await.unwrap();
    assert_eq!((ended.id, failed(ended.progress)), (first.id, "cancelled".to_owned()));
    door.sign_ins.cancel(&second.id).unwrap();
    assert_eq!(failed(door.ended().await), "cancelled");
    // None of them left an account, and each is forgotten after ten minutes.
    assert!(door.scene.vault.kept.lock().unwrap().is_empty());
    door.scene.clock.pass(Duration::from_secs(601));
    assert_eq!(door.sign_ins.get(&begun.id).unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn an_answer_of_somebody_else_is_not_taken() {
    let mut door = Door::new().await;
    let listener = Listener::open(true).await.unwrap();
    assert!(listener.redirect().starts_with("http://localhost:"));
    let mut wanted = door.wanted(Way::Browser(listener));
    wanted.provider.issuer = Some("https://honest.example".into());
    wanted.provider.resource = Some("https://mcp.example/mcp".into());
    let begun = door.sign_ins.begin(wanted).await.unwrap();
    let query = asked(&begun);
    assert_eq!(query["resource"], "https://mcp.example/mcp");
    visit(&format!(
        "{}?code=c&state={}&iss=https%3A%2F%2Fevil.example",
        query["redirect_uri"], query["state"]
    ))
    .await;
    assert!(matches!(door.ended().await, OauthProgress::Failed { code, .. } if code == "state"));
    assert!(door.scene.server.book.lock().unwrap().asked.is_empty(), "the code went nowhere");
}

#[tokio::test]
async fn a_device_is_asked_for_at_the_providers_pace_until_the_person_has_entered_the_code() {
    let mut door = Door::new().await;
    let begun = door.begin(Way::Device).await;
    assert_eq!((begun.method, begun.user_code.as_deref()), (OauthMethod::Device, Some("ABCD-EFGH")));
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    door.scene.server.script(400, json!({"error": "authorization_pending"}));
    door.scene.server.script(400, json!({"error": "slow_down"}));
    door.scene.server.script(400, json!({"error": "authorization_pending"}));
    // 5 s, 5 s, then 10 s each.
    for (seconds, polls) in [(4, 0), (1, 1), (5, 2), (5, 2), (5, 3), (10, 4)] {
        door.scene.clock.somebody_sleeps(2).await;
        door.scene.clock.pass(Duration::from_secs(seconds));
        if polls > door.scene.server.asked(grant) {
            while door.scene.server.asked(grant) < polls {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(door.scene.server.asked(grant), polls);
    }
    assert!(matches!(door.ended().await, OauthProgress::Done { .. }));
    assert!(door.scene.tokens.token(&account(), &[]).await.is_ok());
}

#[tokio::test]
async fn a_device_whose_person_says_no_or_nothing_ends_and_asks_no_more() {
    for (error, wanted) in [("access_denied", "denied"), ("expired_token", "expired")] {
        let mut door = Door::new().await;
        door.begin(Way::Device).await;
        door.scene.server.script(400, json!({ "error": error }));
        door.scene.clock.somebody_sleeps(2).await;
        door.scene.clock.pass(Duration::from_secs(5));
        assert!(
            matches!(door.ended().await, OauthProgress::Failed { code, .. } if code == wanted),
            "{error}"
        );
    }
    let mut door = Door::new().await;
    door.begin(Way::Device).await;
    door.scene.server.script(400, json!({"error": "authorization_pending"}));
    door.scene.clock.somebody_sleeps(2).await;
    door.scene.clock.pass(Duration::from_secs(301));
    assert!(matches!(door.ended().await, OauthProgress::Failed { code, .. } if code == "expired"));
}

#[tokio::test]
async fn a_machines_sign_in_has_ended_when_it_has_begun_and_leads_nobody_anywhere() {
    let mut door = Door::new().await;
    let wanted = || {
        let mut wanted = door.wanted(Way::Machine);
        wanted.provider.machine = true;
        wanted.provider.userinfo_url = None;
        wanted
    };
    let begun = door.sign_ins.begin(wanted()).await.unwrap();
    assert_eq!((&begun.progress, begun.url.as_str()), (&OauthProgress::Done { account: None }, ""));
    door.scene.server.script(401, json!({ "error": "invalid_client" }));
    let begun = door.sign_ins.begin(wanted()).await.unwrap();
    assert!(
        matches!(&begun.progress, OauthProgress::Failed { code, .. } if code == "refused"),
        "{:?}",
        begun.progress
    );
    assert_eq!(
        door.ended().await,
        OauthProgress::Done { account: None },
        "whoever waits for ends is told"
    );
}

#[tokio::test]
async fn a_provider_without_an_apps_id_says_what_is_missing() {
    let door = Door::new().await;
    let mut wanted = door.wanted(Way::Device);
    wanted.provider.client_id = None;
    let error = door.sign_ins.begin(wanted).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NeedsUser);
    assert_eq!(error.details.unwrap().0["field"], "clientId");
    assert!(error.hint.unwrap().contains("kata oauth configure fake"));
}
