//! What is found at servers that publish this or that, and by which id this app goes there.

use super::*;
use crate::testing::documents;

const SERVER: &str = "/.well-known/oauth-authorization-server";

/// An authorization server under a path, with more said of it.
fn server(path: &str, more: &[(&str, Value)]) -> Value {
    let mut document = json!({
        "issuer": format!("{{}}{path}"),
        "authorization_endpoint": format!("{{}}{path}/authorize"),
        "token_endpoint": format!("{{}}{path}/token"),
        "registration_endpoint": format!("{{}}{path}/register"),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    });
    for (name, value) in more {
        document[*name] = value.clone();
    }
    document
}

async fn discovered(all: &[(&str, Value)], client_id: Option<&str>, published: Option<&str>) -> Result<Discovered, WireError> {
    let at = documents(all).await;
    discover(Wanted {
        http: &crate::Web::default().client().unwrap(),
        server: &at,
        name: "Demo",
        challenge: None,
        granted: &[],
        client_id,
        client_secret: None,
        published,
        redirect: Some("http://127.0.0.1:4000/callback"),
    })
    .await
}

#[tokio::test]
async fn a_server_of_2025_03_26_that_calls_itself_by_a_path_of_its_origin_signs_in_there_and_answers_must_name_it() {
    let registered = ("/oauth/register", json!({ "client_id": "taken-in" }));
    let found = discovered(&[(SERVER, server("/oauth", &[])), registered], None, None)
        .await
        .unwrap();
    assert!(found.authorization_url.ends_with("/oauth/authorize") && found.token_url.ends_with("/oauth/token"));
    assert_eq!(found.client_id, "taken-in");
    assert!(
        found.issuer.unwrap().ends_with("/oauth"),
        "an answer of anybody else is refused (RFC 9207)"
    );
}

#[tokio::test]
async fn a_server_that_names_itself_as_its_authorization_server_must_be_called_so() {
    let named = json!({ "resource": "{}/mcp", "authorization_servers": ["{}"] });
    let all = [
        (SERVER, server("/oauth", &[])),
        ("/.well-known/oauth-protected-resource/mcp", named),
        ("/oauth/register", json!({ "client_id": "taken-in" })),
    ];
    let error = discovered(&all, None, None).await.unwrap_err();
    assert!(error.message.contains("issuer mismatch"), "{}", error.message);
}

#[tokio::test]
async fn the_address_at_which_this_app_is_published_is_its_id_where_a_server_takes_such_and_nowhere_else() {
    const PUBLISHED: &str = "https://me.example.org/kata.json";
    let registered = ("/register", json!({ "client_id": "taken-in" }));
    for (takes, by_hand, published, id) in [
        (json!(true), None, Some(PUBLISHED), PUBLISHED),
        (json!(true), None, None, "taken-in"),
        (json!(true), Some("by-hand"), Some(PUBLISHED), "by-hand"),
        (json!(false), None, Some(PUBLISHED), "taken-in"),
        (Value::Null, None, Some(PUBLISHED), "taken-in"),
    ] {
        let more = [("client_id_metadata_document_supported", takes.clone())];
        let found = discovered(&[(SERVER, server("", &more)), registered.clone()], by_hand, published)
            .await
            .unwrap();
        assert_eq!(found.client_id, id, "{takes} {by_hand:?} {published:?}");
        assert!(found.client_secret.is_none());
    }
    let more = [("client_id_metadata_document_supported", json!(true))];
    for wrong in [
        "http://me.example.org/kata.json",
        "https://me.example.org",
        "https://me.example.org/a#b",
        "kata",
    ] {
        let error = discovered(&[(SERVER, server("", &more))], None, Some(wrong)).await.unwrap_err();
        assert!(error.message.contains("oauth.clientMetadata"), "{}", error.message);
    }
}
