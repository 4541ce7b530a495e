//! A webhook through the whole engine: the gateway's door, the plugin's signature check, its folder, and what clients hear.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::json;

const BODY: &str = r#"{"action":"opened","text":"grüße"}"#;
/// HMAC-SHA256 of the body with the key `s3cret`, as `openssl dgst -sha256 -hmac s3cret` gives it.
const SIGNED: &str = "da9913a9e657a6fbabe3ad6e05bce46b2265d79d4cb9069d1499101ab264f3a9";
/// With another key, and of another body.
const WRONG: [&str; 3] = [
    "e39a89c126e037d16b5c8c0709cae8f691d6ab0cc62660d69b6ba04eeb1bd0fa",
    "0b68b91507234b92775926ff84056f2eea1f51e19c01dc04244e2b8cb89001bb",
    "",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_reaches_its_plugin_and_an_unsigned_one_does_not() {
    let engine = TestEngine::start(TestHome::with_plugins(&["hooked"])).await;
    engine.plugin_up("hooked").await;
    let secret = PluginSecret {
        id: PluginId::new("hooked").unwrap(),
        name: "signing".into(),
        value: Some("s3cret".into()),
    };
    engine.ops.plugin_secret(&caller(), secret).await.unwrap();
    engine.session().await;
    let mut heard = engine.engine.events().subscribe();
    let url = format!("http://127.0.0.1:{}/hooks/hooked/github", engine.engine.gateway_port().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |sign: &str| {
        let request = client.post(&url).header("x-hub-signature-256", format!("sha256={sign}"));
        request.body(BODY).send()
    };
    assert_eq!(client.post(&url).body(BODY).send().await.unwrap().status(), 401);
    for wrong in WRONG {
        assert_eq!(post(wrong).await.unwrap().status(), 401, "{wrong}");
    }
    let written = engine.home.path().join("services/hooked/last.json");
    assert!(!written.exists(), "nothing is handled that was not verified");

    let answer = post(SIGNED).await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.text().await.unwrap(), "took opened");
    assert_eq!(std::fs::read_to_string(&written).unwrap(), BODY);
    let told = eventually("clients hear of it", async || {
        while let Ok(fact) = heard.try_recv() {
            if let Fact::PluginEvent { id, name, payload } = &fact.fact {
                return Some((id.to_string(), name.clone(), payload.0.clone()));
            }
        }
        None
    })
    .await;
    assert_eq!(
        told,
        ("hooked".into(), "github".into(), json!({ "action": "opened", "sessions": 1 }))
    );

    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    assert_eq!(client.post(format!("{url}/x")).send().await.unwrap().status(), 404);
    engine.engine.shutdown().await;
}
