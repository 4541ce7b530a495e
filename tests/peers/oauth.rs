//! Signing in with the real program at oidc-provider, which replaces refresh tokens at every use and ends a grant whose token is used
//! twice; the person is `provider.mjs`, which follows the provider's own pages to the loopback address.

use kata_tests::{Kata, Serve, TestHome, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

const SOURCE: &str = "service:signer:calls";

/// oidc-provider, taken down when this falls.
struct Provider {
    issuer: String,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    child: Child,
}

impl Provider {
    fn start() -> Self {
        Self::start_as(&[])
    }

    fn start_as(arguments: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut child = Command::new(folder.join("node_modules/node/bin/node"))
            .arg(folder.join("oauth/provider.mjs"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the pinned node runs; `cargo xtask peers oauth` installs it");
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("the provider starts");
        Self {
            issuer: said["issuer"].as_str().unwrap().to_owned(),
            input,
            output,
            child,
        }
    }

    fn tell(&mut self, command: &str) -> Value {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{command}: {e}: {line}"))
    }

    fn stats(&mut self) -> Value {
        self.tell("stats")
    }

    /// No refresh token was ever used twice, nothing that had ended was asked for.
    fn nothing_refused(&mut self) {
        assert_eq!(self.stats()["refused"], json!({}), "the provider refused something");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn home(provider: &Provider) -> TestHome {
    let home = TestHome::with_plugins(&["signer"]);
    let at = |path: &str| format!("{}/{path}", provider.issuer);
    home.settings(&json!({
        "plugins": { "signer": { "settings": { "api": at("api") } } },
        "sources": { SOURCE: { "enabled": true } },
        "oauth": { "providers": { "local": {
            "name": "Local", "clientId": "kata", "authorizationUrl": at("auth"), "tokenUrl": at("token"),
            "deviceUrl": at("device/auth"), "revocationUrl": at("token/revocation"), "userinfoUrl": at("me"),
        } } },
    }));
    home
}

async fn serve(kata: &Kata<'_>) -> Serve {
    let serve = kata.serve(None).await;
    state(kata, "needs_user").await;
    serve
}

async fn state(kata: &Kata<'_>, wanted: &str) -> Value {
    eventually(&format!("the service is {wanted}"), async || {
        let source = block_in_place(|| kata.json(&["sources", "show", SOURCE]));
        (source["summary"]["status"]["state"]["kind"] == wanted).then_some(source)
    })
    .await
}

/// `kata sources login`, begun: where the person goes, and how it ends.
struct Login {
    begun: Value,
    child: Child,
    errors: BufReader<ChildStderr>,
}

impl Login {
    fn begin(kata: &Kata<'_>, more: &[&str]) -> Self {
        let mut child = kata
            .command(&[&["--json", "sources", "login", SOURCE, "--no-open"], more].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        Self {
            begun: said["signIn"].clone(),
            child,
            errors,
        }
    }

    fn url(&self) -> &str {
        self.begun["url"].as_str().unwrap()
    }

    /// The exit code, and what was said at the end.
    fn end(self) -> (i32, String) {
        let mut errors = String::new();
        std::io::Read::read_to_string(&mut { self.errors }, &mut errors).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let said = format!("{}{errors}", String::from_utf8_lossy(&output.stdout));
        (output.status.code().unwrap(), said)
    }
}

fn sign_in(kata: &Kata<'_>, provider: &mut Provider) {
    block_in_place(|| {
        let login = Login::begin(kata, &[]);
        let page = provider.tell(&format!("browse {}", login.url()));
        assert!(page["page"].as_str().unwrap().contains("You are signed in"), "{page}");
        let (exit, said) = login.end();
        assert_eq!(exit, 0, "{said}");
    });
}

fn calls(kata: &Kata<'_>, count: usize, at_once: usize) -> Value {
    let said = block_in_place(|| kata.json(&["run", "calls", &format!("{count} {at_once}")]));
    serde_json::from_str(said["text"].as_str().unwrap()).unwrap()
}

fn token(kata: &Kata<'_>) -> Value {
    let said = block_in_place(|| kata.json(&["run", "token"]));
    serde_json::from_str(said["text"].as_str().unwrap()).unwrap()
}

fn secrets(home: &TestHome) -> PathBuf {
    home.path().join("secrets.enc")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_by_the_providers_own_pages_and_the_service_starts_and_goes_on_after_a_restart() {
    let mut provider = Provider::start();
    let home = home(&provider);
    let kata = Kata(&home);
    let serve_once = serve(&kata).await;
    let waiting = state(&kata, "needs_user").await;
    assert_eq!((&waiting["signsInAt"], &waiting["account"]), (&json!("Local"), &Value::Null));
    assert_eq!(waiting["summary"]["status"]["state"]["action"]["kind"], "relogin");
    assert_eq!(token(&kata)["code"], "needs_user");
    sign_in(&kata, &mut provider);
    let running = state(&kata, "running").await;
    assert_eq!(
        running["summary"]["status"]["message"], "as ada@example.org",
        "it was started again with the account"
    );
    assert_eq!(running["account"]["account"], "ada@example.org");
    assert_eq!(calls(&kata, 5, 1), json!({ "ok": 5 }));
    let kept = std::fs::read(secrets(&home)).unwrap();
    block_in_place(|| kata.json(&["stop"]));
    drop(serve_once);
    // A token of the run before has ended by now; the refresh token has not.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let _serve = kata.serve(None).await;
    state(&kata, "running").await;
    assert_eq!(calls(&kata, 5, 1), json!({ "ok": 5 }));
    assert_ne!(std::fs::read(secrets(&home)).unwrap(), kept, "the pair that was renewed is kept");
    let logs = std::fs::read_dir(home.path().join("logs")).unwrap();
    for log in logs {
        let text = std::fs::read_to_string(log.unwrap().path()).unwrap();
        assert!(
            !text.contains("code_verifier") && !text.contains("refresh_token") && !text.contains("state="),
            "{text}"
        );
    }
    provider.nothing_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_with_tokens_of_five_seconds_need_no_second_sign_in_and_use_no_refresh_token_twice() {
    let mut provider = Provider::start();
    let home = home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    sign_in(&kata, &mut provider);
    state(&kata, "running").await;
    let began = Instant::now();
    let mut made = 0;
    // Forty bursts of 25 calls, ten at once, over more than thirty seconds: several lives.
    for burst in 0..40 {
        assert_eq!(calls(&kata, 25, 10), json!({ "ok": 25 }), "burst {burst}");
        made += 25;
        let next = Duration::from_millis(800) * (burst + 1);
        tokio::time::sleep(next.saturating_sub(began.elapsed())).await;
    }
    let stats = provider.stats();
    println!("{made} calls in {:?}: {stats}", began.elapsed());
    let refreshed = stats["refreshed"].as_u64().unwrap();
    assert!((5..=20).contains(&refreshed), "{stats}");
    assert_eq!(
        (&stats["codes"], &stats["refused"]),
        (&json!(1), &json!({})),
        "one sign-in, nothing refused"
    );
    assert_eq!(made, 1000);
    assert_eq!(stats["api"]["forbidden"], 0);
    // Killed in the middle and started again: the pair on the disk is the one that counts.
    provider.nothing_refused();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_was_taken_back_while_the_service_runs_waits_for_a_person_and_asks_nobody() {
    let mut provider = Provider::start();
    provider.tell("life 3600");
    let home = home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    sign_in(&kata, &mut provider);
    state(&kata, "running").await;
    assert_eq!(calls(&kata, 3, 1), json!({ "ok": 3 }));
    provider.tell("revoke");
    assert_eq!(calls(&kata, 200, 20), json!({ "needs_user": 200 }));
    let waiting = state(&kata, "needs_user").await;
    assert_eq!(waiting["account"]["status"]["state"]["kind"], "needs_user");
    assert_eq!(waiting["account"]["status"]["code"], "relogin");
    let before = provider.stats();
    assert_eq!(
        before["refused"]
            .as_object()
            .unwrap()
            .values()
            .map(|n| n.as_u64().unwrap())
            .sum::<u64>(),
        1,
        "{before}"
    );
    assert_eq!(calls(&kata, 200, 20), json!({ "needs_user": 200 }));
    assert_eq!(provider.stats()["refused"], before["refused"], "not one request more");
    let status = block_in_place(|| kata.json(&["status"]));
    assert!(
        status["health"]["line"].as_str().unwrap().contains("needs you"),
        "{}",
        status["health"]
    );
    sign_in(&kata, &mut provider);
    state(&kata, "running").await;
    assert_eq!(calls(&kata, 3, 1), json!({ "ok": 3 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_typed_on_another_device_signs_in() {
    let mut provider = Provider::start();
    let home = home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    block_in_place(|| {
        let login = Login::begin(&kata, &["--device"]);
        assert!(login.begun["userCode"].as_str().unwrap().len() >= 8, "{}", login.begun);
        let page = provider.tell(&format!("browse {}", login.url()));
        assert!(page["page"].as_str().unwrap().contains("Sign-in Success"), "{page}");
        let (exit, said) = login.end();
        assert_eq!(exit, 0, "{said}");
    });
    state(&kata, "running").await;
    assert_eq!(calls(&kata, 3, 1), json!({ "ok": 3 }));
    assert_eq!(provider.stats()["devices"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_says_no_or_gives_less_than_what_is_needed_is_told_so_and_nothing_is_kept() {
    let mut provider = Provider::start();
    let home = home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    provider.tell("deny");
    block_in_place(|| {
        let login = Login::begin(&kata, &[]);
        let page = provider.tell(&format!("browse {}", login.url()));
        assert!(page["page"].as_str().unwrap().contains("did not work"), "{page}");
        let (exit, said) = login.end();
        assert!(exit == 4 && said.contains("(denied)"), "{exit} {said}");
    });
    assert_eq!(token(&kata)["code"], "needs_user");
    drop((_serve, provider));

    let mut provider = Provider::start_as(&["narrow"]);
    let home = self::home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    block_in_place(|| {
        let login = Login::begin(&kata, &[]);
        provider.tell(&format!("browse {}", login.url()));
        let (exit, said) = login.end();
        assert!(exit == 4 && said.contains("(scope)") && said.contains("mail"), "{exit} {said}");
    });
    assert_eq!(block_in_place(|| kata.json(&["oauth", "accounts"])), json!([]));
    assert_eq!(token(&kata)["code"], "needs_user");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ_by_hours_and_a_provider_that_is_away_make_no_loop_and_no_second_sign_in() {
    let mut provider = Provider::start();
    let home = home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    sign_in(&kata, &mut provider);
    state(&kata, "running").await;
    // The provider's clock goes back three hours: what it gives counts as long as it says, by whichever clock.
    provider.tell("skew -10800");
    for _ in 0..4 {
        assert_eq!(calls(&kata, 10, 5), json!({ "ok": 10 }));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    // And forth, so that every token it gave has ended.
    provider.tell("skew 0");
    assert_eq!(calls(&kata, 10, 5), json!({ "ok": 10 }));
    // It is away for longer than a token lives.
    provider.tell("stop");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(calls(&kata, 100, 10), json!({ "unreachable": 100 }));
    provider.tell("start");
    eventually("it is asked again by itself", async || {
        (calls(&kata, 1, 1) == json!({ "ok": 1 })).then_some(())
    })
    .await;
    assert_eq!(provider.stats()["codes"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_gives_the_grant_back_and_forgets_it_here() {
    let mut provider = Provider::start();
    let home = home(&provider);
    let kata = Kata(&home);
    let _serve = serve(&kata).await;
    // With an app that has a secret, entered as a person does.
    let mut child = kata
        .command(&["oauth", "configure", "local", "--client-id", "kata-secret", "--secret"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a-secret-of-an-app/with+signs").unwrap();
    let output = block_in_place(|| child.wait_with_output()).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("client secret   set") && !said.contains("with+signs"),
        "{said}"
    );
    sign_in(&kata, &mut provider);
    state(&kata, "running").await;
    assert_eq!(calls(&kata, 1, 1), json!({ "ok": 1 }));
    let accounts = block_in_place(|| kata.json(&["oauth", "accounts"]));
    assert_eq!(
        (&accounts[0]["account"], &accounts[0]["provider"]),
        (&json!("ada@example.org"), &json!("local"))
    );
    block_in_place(|| kata.json(&["sources", "logout", SOURCE]));
    state(&kata, "needs_user").await;
    assert_eq!(provider.stats()["revoked"], 1);
    assert_eq!(block_in_place(|| kata.json(&["oauth", "accounts"])), json!([]));
    assert_eq!(token(&kata)["code"], "needs_user");
    provider.nothing_refused();
}
