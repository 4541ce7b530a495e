//! Tokens over time.

use super::fake::{Scene, account};
use crate::Outcome;
use kata_core::ports::{AccountError, AccountToken, Accounts};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const REFRESH: &str = "refresh_token";

async fn token(scene: &Scene) -> Result<String, AccountError> {
    let token = scene.tokens.token(&account(), &["mail".to_owned()]).await?;
    Ok(token.access.expose_secret().to_owned())
}

fn code(answer: &Result<String, AccountError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(AccountError::NeedsUser { code, .. }) => code,
        Err(AccountError::Unreachable { .. }) => "unreachable",
        Err(AccountError::Store(_)) => "store",
    }
}

#[tokio::test]
async fn a_token_is_used_until_shortly_before_its_end_and_then_renewed_once_for_all_who_ask() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    assert_eq!(token(&scene).await.unwrap(), "access-1");
    scene.clock.pass(HOUR - Duration::from_secs(301));
    assert_eq!(token(&scene).await.unwrap(), "access-1");
    scene.clock.pass(Duration::from_secs(2));
    let all = futures::future::join_all((0..200).map(|_| token(&scene))).await;
    assert!(all.iter().all(|t| t.as_deref() == Ok("access-2")), "{all:?}");
    assert_eq!((scene.server.asked(REFRESH), scene.server.book.lock().unwrap().reused), (1, 0));
}

#[tokio::test]
async fn thousands_of_calls_over_short_lives_never_use_a_refresh_token_twice() {
    let scene = Scene::new().await;
    scene.server.book.lock().unwrap().life = json!(5);
    scene.signed_in().await;
    for round in 0..100 {
        let all = futures::future::join_all((0..20).map(|_| token(&scene))).await;
        assert!(all.iter().all(Result::is_ok), "round {round}: {all:?}");
        scene.clock.pass(Duration::from_millis(1500));
    }
    let book = scene.server.book.lock().unwrap();
    assert_eq!(book.reused, 0);
    let renewed = book.asked.iter().filter(|g| *g == REFRESH).count();
    assert!(
        (30..=45).contains(&renewed),
        "150 s of tokens that are renewed after 4 s: {renewed}"
    );
}

#[tokio::test]
async fn the_new_pair_is_kept_before_anybody_gets_it_and_a_restart_goes_on_with_it() {
    let mut scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(HOUR);
    *scene.vault.full.lock().unwrap() = true;
    assert_eq!(code(&token(&scene).await), "store", "what could not be kept is not given out");
    assert_eq!(code(&token(&scene).await), "store");
    *scene.vault.full.lock().unwrap() = false;
    assert_eq!(
        token(&scene).await.unwrap(),
        "access-2",
        "the pair was not lost and the old one not used again"
    );
    assert_eq!((scene.server.asked(REFRESH), scene.server.book.lock().unwrap().reused), (1, 0));
    scene.again();
    assert_eq!(token(&scene).await.unwrap(), "access-2");
    scene.clock.pass(HOUR);
    assert_eq!(token(&scene).await.unwrap(), "access-3");
    assert_eq!(scene.server.book.lock().unwrap().reused, 0);
}

#[tokio::test]
async fn a_renewal_goes_on_when_whoever_asked_went_away() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(HOUR);
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    scene.server.book.lock().unwrap().gate = Some(Arc::clone(&gate));
    // Polled until it has begun, and dropped.
    {
        let asking = token(&scene);
        tokio::pin!(asking);
        for _ in 0..20 {
            assert!(futures::poll!(&mut asking).is_pending());
            tokio::task::yield_now().await;
        }
    }
    gate.add_permits(100);
    assert_eq!(token(&scene).await.unwrap(), "access-2");
    assert_eq!((scene.server.asked(REFRESH), scene.server.book.lock().unwrap().reused), (1, 0));
}

#[tokio::test]
async fn an_account_that_was_taken_back_is_asked_for_by_a_person_and_the_provider_never_again() {
    let mut scene = Scene::new().await;
    scene.signed_in().await;
    scene.server.script(
        400,
        json!({"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
    );
    scene.clock.pass(HOUR);
    for _ in 0..50 {
        assert_eq!(code(&token(&scene).await), "relogin");
    }
    scene.again();
    scene.clock.pass(HOUR * 48);
    for _ in 0..50 {
        assert_eq!(code(&token(&scene).await), "relogin", "a restart asks nobody either");
    }
    assert_eq!(scene.server.asked(REFRESH), 1);
    assert!(scene.told.load(Ordering::SeqCst) >= 2, "whoever shows it is told");
    scene.signed_in().await;
    assert_eq!(token(&scene).await.unwrap(), "access-2", "a new sign-in mends it");
}

#[tokio::test]
async fn what_the_provider_says_decides_what_a_person_is_asked_to_do() {
    for (status, error, wanted) in [
        (401, "invalid_client", "configure"),
        (400, "unauthorized_client", "configure"),
        (400, "invalid_scope", "scope"),
        (400, "invalid_grant", "relogin"),
        // GitHub says no with 200.
        (200, "bad_refresh_token", "relogin"),
        (400, "temporarily_unavailable", "unreachable"),
        (400, "odd_word", "unreachable"),
    ] {
        let scene = Scene::new().await;
        scene.signed_in().await;
        scene.server.script(status, json!({ "error": error }));
        scene.clock.pass(HOUR);
        assert_eq!(code(&token(&scene).await), wanted, "{error}");
    }
}

#[tokio::test]
async fn a_provider_in_trouble_is_left_alone_for_a_while_and_what_still_counts_is_used() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(HOUR - Duration::from_secs(200));
    for _ in 0..20 {
        scene.server.script(503, json!({"error": "server_error"}));
    }
    for _ in 0..100 {
        assert_eq!(token(&scene).await.unwrap(), "access-1", "it counts for 200 seconds more");
    }
    assert_eq!(scene.server.asked(REFRESH), 1);
    scene.clock.pass(Duration::from_secs(250));
    let mut asked = Vec::new();
    for _ in 0..600 {
        let answer = token(&scene).await;
        assert_eq!(code(&answer), "unreachable");
        asked.push(scene.server.asked(REFRESH));
        scene.clock.pass(Duration::from_secs(1));
    }
    let asked = *asked.last().unwrap();
    assert!((6..=10).contains(&asked), "ten minutes of a caller each second: {asked} requests");
    scene.server.book.lock().unwrap().scripted.clear();
    scene.clock.pass(Duration::from_secs(400));
    assert_eq!(token(&scene).await.unwrap(), "access-2", "it comes back by itself");
}

#[tokio::test]
async fn a_provider_that_says_when_to_come_back_is_left_alone_until_then() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(HOUR);
    let headers = vec![("retry-after", "120".to_owned())];
    scene.server.book.lock().unwrap().scripted.push_back((429, headers, "busy".into()));
    assert_eq!(code(&token(&scene).await), "unreachable");
    scene.clock.pass(Duration::from_secs(119));
    assert_eq!(code(&token(&scene).await), "unreachable");
    assert_eq!(scene.server.asked(REFRESH), 1);
    scene.clock.pass(Duration::from_secs(2));
    assert_eq!(token(&scene).await.unwrap(), "access-2");
}

#[tokio::test]
async fn nobody_at_the_other_end_and_a_page_instead_of_an_answer_are_no_end_of_the_account() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(HOUR);
    scene
        .server
        .book
        .lock()
        .unwrap()
        .scripted
        .push_back((200, Vec::new(), "<html>Please log in to the hotel</html>".into()));
    assert_eq!(code(&token(&scene).await), "unreachable");
    scene.clock.pass(Duration::from_secs(10));
    let headers = vec![("location", format!("{}/elsewhere", scene.server.url))];
    scene.server.book.lock().unwrap().scripted.push_back((302, headers, String::new()));
    assert_eq!(code(&token(&scene).await), "unreachable", "no redirect is followed");
    scene.clock.pass(Duration::from_secs(10));
    assert_eq!(token(&scene).await.unwrap(), "access-2");
}

#[tokio::test]
async fn a_refresh_token_that_is_absent_from_the_answer_goes_on_counting() {
    let mut scene = Scene::new().await;
    scene.server.book.lock().unwrap().rotates = false;
    scene.signed_in().await;
    for n in 2..6 {
        scene.clock.pass(HOUR);
        assert_eq!(token(&scene).await.unwrap(), format!("access-{n}"));
        scene.again();
    }
    let book = scene.server.book.lock().unwrap();
    let used: Vec<_> = book.forms.iter().filter_map(|f| f.get("refresh_token")).collect();
    assert_eq!(used, ["refresh-1"; 4]);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_whoever_reports_it() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(Duration::from_secs(60));
    let refused: SecretString = "access-1".to_owned().into();
    let (account, access) = (account(), &refused);
    let all = futures::future::join_all((0..50).map(|_| scene.tokens.refused(&account, access))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(token(&scene).await.unwrap(), "access-2");
    // A late report of the old one says nothing about the new one.
    scene.tokens.refused(&account, access).await.unwrap();
    assert_eq!(
        (token(&scene).await.unwrap().as_str(), scene.server.asked(REFRESH)),
        ("access-2", 1)
    );
}

#[tokio::test]
async fn tokens_that_are_refused_as_soon_as_they_come_make_no_loop() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    // A plugin that knows nothing but this: ask, be refused, report, ask again; for ten minutes, five times a second.
    for _ in 0..3000 {
        if let Ok(got) = token(&scene).await {
            let _ = scene.tokens.refused(&account(), &got.into()).await;
        }
        scene.clock.pass(Duration::from_millis(200));
    }
    let asked = scene.server.asked(REFRESH);
    assert!((4..=10).contains(&asked), "{asked} requests in ten minutes");
    assert_eq!(code(&token(&scene).await), "unreachable");
}

#[tokio::test]
async fn a_token_that_ends_at_once_or_ended_in_the_past_is_used_and_makes_no_loop() {
    for life in [json!(0), json!(-30), json!("0")] {
        let scene = Scene::new().await;
        scene.server.book.lock().unwrap().life = life.clone();
        scene.signed_in().await;
        for _ in 0..1000 {
            assert_eq!(code(&token(&scene).await), "ok", "{life}");
            scene.clock.pass(Duration::from_millis(10));
        }
        let asked = scene.server.asked(REFRESH);
        assert!(asked <= 13, "ten seconds of a hundred calls each: {asked} requests with {life}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_dead_token_alive_and_asks_once() {
    let mut scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(Duration::from_secs(60));
    scene.clock.set_back(HOUR * 24);
    assert_eq!(token(&scene).await.unwrap(), "access-1", "the steady clock knows that it counts");
    scene.again();
    for _ in 0..10 {
        assert_eq!(
            token(&scene).await.unwrap(),
            "access-2",
            "nothing knows after a restart: it is asked for anew, once"
        );
    }
    assert_eq!(scene.server.asked(REFRESH), 1);
}

#[tokio::test]
async fn a_token_without_what_is_needed_waits_for_a_person() {
    let scene = Scene::new().await;
    scene.server.book.lock().unwrap().scope = Some("calendar".into());
    scene.signed_in().await;
    let answer = token(&scene).await;
    assert_eq!(code(&answer), "scope");
    assert!(answer.unwrap_err().to_string().contains("mail"));
    let narrow = scene.tokens.token(&account(), &["calendar".to_owned()]).await;
    assert!(matches!(narrow, Ok(AccountToken { .. })));
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_to_its_end() {
    let scene = Scene::new().await;
    scene
        .server
        .script(200, json!({"access_token": "only", "token_type": "bearer", "expires_in": 3600}));
    scene.signed_in().await;
    scene.clock.pass(HOUR - Duration::from_secs(1));
    assert_eq!(token(&scene).await.unwrap(), "only");
    scene.clock.pass(Duration::from_secs(1));
    assert_eq!(code(&token(&scene).await), "relogin");
    assert_eq!(scene.server.asked(REFRESH), 0);
}

#[tokio::test]
async fn a_machines_token_is_asked_for_anew_by_the_apps_own_id_and_secret_also_after_a_restart() {
    const MACHINE: &str = "client_credentials";
    let mut scene = Scene::new().await;
    let provider = crate::Provider {
        machine: true,
        resource: Some("https://tools.example.org/mcp".into()),
        ..scene.server.provider()
    };
    let scopes = vec!["mail".to_owned()];
    let given = scene.tokens.exchange.machine(&provider, &scopes).await.unwrap();
    scene.tokens.put(&account(), provider, given, scopes, None).await.unwrap();
    assert_eq!(token(&scene).await.unwrap(), "access-1");
    scene.clock.pass(HOUR - Duration::from_secs(1));
    assert_eq!(token(&scene).await.unwrap(), "access-2", "before its end");
    scene.again();
    scene.clock.pass(HOUR);
    assert_eq!(token(&scene).await.unwrap(), "access-3");
    assert_eq!((scene.server.asked(MACHINE), scene.server.asked(REFRESH)), (3, 0));
    let last = scene.server.book.lock().unwrap().forms.last().cloned().unwrap();
    let sent = |name: &str| last.get(name).map(String::as_str);
    assert_eq!((sent("client_id"), sent("client_secret")), (Some("app"), Some("app-secret")));
    assert_eq!(
        (sent("scope"), sent("resource")),
        (Some("mail"), Some("https://tools.example.org/mcp"))
    );
    assert_eq!((sent("code"), sent("refresh_token")), (None, None));
    // A secret that was changed there is a person's matter, and is asked about once.
    scene.server.script(401, json!({ "error": "invalid_client" }));
    scene.clock.pass(HOUR);
    assert_eq!(code(&token(&scene).await), "configure");
    assert_eq!(code(&token(&scene).await), "configure");
    assert_eq!(scene.server.asked(MACHINE), 4);
}

#[tokio::test]
async fn a_machine_with_a_key_gives_its_word_anew_each_time_and_sends_no_secret() {
    let mut scene = Scene::new().await;
    let (key, public) = crate::assertion::tests::ec();
    let provider = crate::Provider {
        machine: true,
        client_secret: None,
        client_key: Some(key),
        issuer: Some("https://id.example.org".into()),
        ..scene.server.provider()
    };
    let given = scene.tokens.exchange.machine(&provider, &[]).await.unwrap();
    scene
        .tokens
        .put(&account(), provider, given, vec!["mail".into()], None)
        .await
        .unwrap();
    scene.again();
    scene.clock.pass(HOUR);
    assert_eq!(token(&scene).await.unwrap(), "access-2");
    let forms = scene.server.book.lock().unwrap().forms.clone();
    let mut words = forms.iter().map(|form| {
        assert!(!form.contains_key("client_secret"));
        assert_eq!(
            form["client_assertion_type"],
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let (_, claims) = crate::assertion::tests::read(&form["client_assertion"], &public);
        assert_eq!((&claims["sub"], &claims["aud"]), (&json!("app"), &json!("https://id.example.org")));
        claims["jti"].clone()
    });
    assert_ne!(words.next().unwrap(), words.next().unwrap());
    let wrong = crate::Provider {
        client_key: Some("canary".to_owned().into()),
        ..scene.server.provider()
    };
    let error = scene.tokens.exchange.machine(&wrong, &[]).await.unwrap_err().to_string();
    assert!(error.contains("clientKey") && !error.contains("canary"), "{error}");
}

#[tokio::test]
async fn a_sign_out_forgets_first_and_gives_back_what_takes_the_whole_grant_along() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.tokens.remove(&account()).await.unwrap(), Outcome::Nothing);
    scene.signed_in().await;
    assert_eq!(scene.tokens.remove(&account()).await.unwrap(), Outcome::GivenBack);
    assert_eq!(scene.server.book.lock().unwrap().revoked, ["refresh_token refresh-1"]);
    assert!(scene.vault.kept.lock().unwrap().is_empty());
    assert_eq!(code(&token(&scene).await), "signed_out");
    scene.again();
    assert_eq!(code(&token(&scene).await), "signed_out");
}

#[tokio::test]
async fn a_sign_out_during_a_renewal_is_not_undone_by_it() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    scene.clock.pass(HOUR);
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    scene.server.book.lock().unwrap().gate = Some(Arc::clone(&gate));
    let asking = token(&scene);
    let (answer, ()) = tokio::join!(asking, async {
        // The renewal is on its way: it has been asked of the server, which holds it.
        while Arc::strong_count(&gate) < 3 {
            tokio::task::yield_now().await;
        }
        scene.tokens.remove(&account()).await.unwrap();
        gate.add_permits(100);
    });
    assert_eq!(code(&answer), "signed_out");
    assert!(scene.vault.kept.lock().unwrap().is_empty());
    assert_eq!(code(&token(&scene).await), "signed_out");
}

#[tokio::test]
async fn what_is_kept_is_one_secret_that_no_error_and_no_debug_text_shows() {
    let scene = Scene::new().await;
    scene.signed_in().await;
    let kept = scene.vault.kept.lock().unwrap().clone();
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["oauth/plugin/mail/fake"]);
    let read = crate::kept::Kept::read(&kept["oauth/plugin/mail/fake"]).unwrap();
    let shown = format!("{read:?} {:?}", scene.tokens.token(&account(), &[]).await);
    for secret in ["access-1", "refresh-1", "app-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    scene.server.script(400, json!({"error": "invalid_grant refresh-1 \n<b>"}));
    scene.clock.pass(HOUR);
    let error = token(&scene).await.unwrap_err();
    assert!(!format!("{error}{error:?}").contains('\n'));
}
