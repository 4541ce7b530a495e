//! Where a server of the protocol of 2025-03-26 signs people in: it names no protected resource's metadata, and its authorization
//! server's stands at the root of its own origin, whatever the authorization server calls itself there.
//!
//! RFC 8414 §3.3 wants the name (`issuer`) to be the address that was asked, so that nobody passes for another's authorization server and is
//! sent codes that were meant for that one. Here a name with a path is let through, and only where nobody else can come in: the
//! document, the name and every address in it have the server's own origin, which is whom the person added. Deliberately absent:
//! servers that publish where they sign in (the SDK's part, where the name must fit), and addresses for a server that publishes nothing.

use reqwest::header::WWW_AUTHENTICATE;
use rmcp::transport::auth::AuthorizationMetadata;
use url::Url;

/// Largest document that is read, bytes.
const LARGEST: usize = 256 * 1024;
/// Where a protected resource's metadata stands (RFC 9728 §3.1), before the resource's own path.
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// Where an authorization server's stands (RFC 8414 §3).
const SERVER: &str = "/.well-known/oauth-authorization-server";
/// Names the document of a protected resource in a challenge.
const POINTER: &str = "resource_metadata";

/// The metadata at the root of a server's origin. `None`: the server belongs to a newer protocol, or somebody else stands in it.
pub(super) async fn metadata(http: &reqwest::Client, server: &Url, challenge: Option<&str>) -> Option<AuthorizationMetadata> {
    if challenge.is_some_and(|challenge| challenge.contains(POINTER)) {
        return None;
    }
    let path = server.path().trim_matches('/');
    let mut places = vec![server.clone(), at(server, RESOURCE)];
    if !path.is_empty() {
        places.push(at(server, &format!("{RESOURCE}/{path}")));
        places.push(at(server, &format!("/{path}{RESOURCE}")));
    }
    for place in places {
        let answer = http.get(place.clone()).send().await.ok()?;
        let points = answer.headers().get_all(WWW_AUTHENTICATE).iter();
        let points = points.filter_map(|value| value.to_str().ok()).any(|value| value.contains(POINTER));
        // The server itself may answer what it likes; a document must not be there.
        if points || place != *server && !answer.status().is_client_error() {
            return None;
        }
    }
    let mut answer = http.get(at(server, SERVER)).send().await.ok()?;
    if answer.status() != reqwest::StatusCode::OK || answer.url().origin() != server.origin() {
        return None;
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.ok()? {
        if body.len() + piece.len() > LARGEST {
            return None;
        }
        body.extend_from_slice(&piece);
    }
    let found: AuthorizationMetadata = serde_json::from_slice(&body).ok()?;
    own(server, &found).then_some(found)
}

fn at(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(path);
    url
}

/// Whether the name and each address have the server's origin.
fn own(server: &Url, found: &AuthorizationMetadata) -> bool {
    let own = |text: &str| Url::parse(text).is_ok_and(|url| url.origin() == server.origin());
    let others = found.additional_fields.iter();
    let mut others = others.filter(|(name, _)| name.ends_with("_endpoint")).map(|(_, value)| value);
    found.issuer.as_deref().is_some_and(own)
        && own(&found.authorization_endpoint)
        && own(&found.token_endpoint)
        && found.registration_endpoint.as_deref().is_none_or(own)
        && others.all(|value| value.is_null() || value.as_str().is_some_and(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::documents;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({
            "issuer": "{}/oauth",
            "authorization_endpoint": "{}/oauth/authorize",
            "token_endpoint": "{}/oauth/token",
            "registration_endpoint": "{}/oauth/register",
            "revocation_endpoint": "{}/oauth/revoke",
        })
    }

    async fn found(published: &[(&str, Value)], challenge: Option<&str>) -> Option<String> {
        let server = documents(published).await;
        let http = crate::Web::default().client().unwrap();
        metadata(&http, &server, challenge).await?.issuer
    }

    #[tokio::test]
    async fn a_server_of_2025_03_26_may_sign_in_under_a_path_of_its_own_origin() {
        let issuer = found(&[(SERVER, document())], Some("Bearer realm=\"mcp\"")).await;
        assert!(issuer.is_some_and(|issuer| issuer.ends_with("/oauth")));
    }

    #[tokio::test]
    async fn nobody_elses_name_or_address_comes_in_by_it() {
        for field in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "registration_endpoint",
            "revocation_endpoint",
        ] {
            for other in ["https://login.example.org/oauth", "http://127.0.0.1:1/oauth", "oauth"] {
                let mut document = document();
                document[field] = json!(other);
                assert_eq!(found(&[(SERVER, document)], None).await, None, "{field}: {other}");
            }
        }
        let mut nameless = document();
        nameless["issuer"] = Value::Null;
        assert_eq!(found(&[(SERVER, nameless)], None).await, None);
    }

    #[tokio::test]
    async fn a_server_that_says_where_it_signs_in_is_held_to_it() {
        let named = json!({ "resource": "{}/mcp", "authorization_servers": ["{}"] });
        for place in [RESOURCE.to_owned(), format!("{RESOURCE}/mcp"), format!("/mcp{RESOURCE}")] {
            let published = [(SERVER, document()), (place.as_str(), named.clone())];
            assert_eq!(found(&published, None).await, None, "{place}");
        }
        let challenge = "Bearer resource_metadata=\"http://127.0.0.1/elsewhere\"";
        assert_eq!(found(&[(SERVER, document())], Some(challenge)).await, None);
    }
}
