//! What is said to a provider: the browser's address, codes and refresh tokens for tokens, a device's code, giving a token back,
//! and whose account it is. Each is one request; nothing here waits, repeats or remembers.
//!
//! RFC 6749, RFC 7636 (PKCE, S256 only), RFC 8628 (devices), RFC 7009 (revocation), RFC 8707 (`resource`).

use crate::assertion::assertion;
use crate::failure::Failure;
use crate::fresh::Life;
use crate::http::{Http, NoAnswer, Seen};
use crate::provider::{Misfit, Provider};
use futures::future::BoxFuture;
use kata_core::ports::Clock;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::http::header;
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl, EndpointNotSet,
    EndpointSet, ErrorResponse, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Tokens a provider gave.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) access: SecretString,
    /// Absent: the one there was goes on (RFC 6749 §6).
    pub(crate) refresh: Option<SecretString>,
    pub(crate) life: Life,
    /// Absent: what was asked for (RFC 6749 §5.1).
    pub(crate) scopes: Option<Vec<String>>,
}

/// Where the browser goes, and what its answer is held against.
pub(crate) struct Asked {
    pub(crate) url: Url,
    pub(crate) state: SecretString,
    pub(crate) verifier: SecretString,
}

/// A device's code.
pub(crate) struct Device {
    pub(crate) code: SecretString,
    pub(crate) user_code: String,
    pub(crate) url: String,
    pub(crate) expires_in: Duration,
    pub(crate) interval: Duration,
}

/// Carries one request of the protocol's crate.
struct Carrier {
    http: Http,
    seen: Arc<Mutex<Seen>>,
}

impl Carrier {
    fn new(http: &Http) -> Self {
        Self {
            http: http.clone(),
            seen: Arc::default(),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Carrier {
    type Error = NoAnswer;
    type Future = BoxFuture<'static, Result<HttpResponse, NoAnswer>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        let (http, seen) = (self.http.clone(), Arc::clone(&self.seen));
        Box::pin(async move { http.send(request, &seen).await })
    }
}

/// Speaks with providers. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    http: Http,
    clock: Arc<dyn Clock>,
}

impl Exchange {
    /// Ready to speak with any provider.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            http: Http::new(Arc::clone(&clock)),
            clock,
        }
    }

    /// Minutes this machine's clock differs from the last provider's that said its time, where it is five or more.
    pub(crate) fn clock_off_by_minutes(&self) -> Option<u64> {
        self.http
            .skew_ms()
            .map(|ms| ms.unsigned_abs() / 60_000)
            .filter(|minutes| *minutes >= 5)
    }

    /// The browser's address for a sign-in whose answer comes to `redirect`.
    pub(crate) fn ask(&self, provider: &Provider, scopes: &[String], redirect: &str) -> Result<Asked, Misfit> {
        let client = client(provider)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|e| bad("redirect", &e))?;
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(Cow::Owned(redirect));
        for (name, value) in &provider.parameters {
            request = request.add_extra_param(name, value);
        }
        if let Some(resource) = &provider.resource {
            request = request.add_extra_param("resource", resource);
        }
        let (url, state) = request.url();
        Ok(Asked {
            url,
            state: state.into_secret().into(),
            verifier: verifier.into_secret().into(),
        })
    }

    /// The browser's code for tokens.
    pub(crate) async fn code(&self, provider: &Provider, code: &str, verifier: &SecretString, redirect: &str) -> Result<Given, Failure> {
        let client = client(provider).map_err(unfit)?;
        let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|e| unfit(bad("redirect", &e)))?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()))
            .set_redirect_uri(Cow::Owned(redirect));
        if let Some(resource) = &provider.resource {
            request = request.add_extra_param("resource", resource);
        }
        let began = self.began();
        let carrier = Carrier::new(&self.http);
        let answer = request.request_async(&carrier).await;
        read(answer, began, &carrier.seen)
    }

    /// A refresh token for new tokens.
    pub(crate) async fn refresh(&self, provider: &Provider, refresh: &SecretString) -> Result<Given, Failure> {
        let client = client(provider).map_err(unfit)?;
        let token = RefreshToken::new(refresh.expose_secret().to_owned());
        let mut request = client.exchange_refresh_token(&token);
        if let Some(resource) = &provider.resource {
            request = request.add_extra_param("resource", resource);
        }
        let began = self.began();
        let carrier = Carrier::new(&self.http);
        let answer = request.request_async(&carrier).await;
        read(answer, began, &carrier.seen)
    }

    /// Tokens for the app itself, by its id and secret, or its key (RFC 6749 §4.4). A refresh token has no place here and is left (§4.4.3).
    pub(crate) async fn machine(&self, provider: &Provider, scopes: &[String]) -> Result<Given, Failure> {
        let client = client(provider).map_err(unfit)?;
        let mut request = client
            .exchange_client_credentials()
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        if let Some(resource) = &provider.resource {
            request = request.add_extra_param("resource", resource);
        }
        if let Some(key) = &provider.client_key {
            let id = provider.client_id.as_deref().unwrap_or_default();
            // RFC 7523 §3: the server's name, or its address for tokens where it has none.
            let audience = provider.issuer.as_ref().unwrap_or(&provider.token_url);
            let once = CsrfToken::new_random().into_secret();
            let word = assertion(key, id, audience, self.clock.now(), &once).map_err(unfit)?;
            request = request
                .add_extra_param("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                .add_extra_param("client_assertion", word);
        }
        let began = self.began();
        let carrier = Carrier::new(&self.http);
        let answer = request.request_async(&carrier).await;
        let given = read(answer, began, &carrier.seen)?;
        Ok(Given { refresh: None, ..given })
    }

    /// A code for a device.
    pub(crate) async fn device(&self, provider: &Provider, scopes: &[String]) -> Result<Device, Failure> {
        let url = provider.device_url.clone().unwrap_or_default();
        let url = DeviceAuthorizationUrl::new(url).map_err(|e| unfit(bad("deviceUrl", &e)))?;
        let client = client(provider).map_err(unfit)?.set_device_authorization_url(url);
        let mut request = client.exchange_device_code().add_scopes(scopes.iter().cloned().map(Scope::new));
        if let Some(resource) = &provider.resource {
            request = request.add_extra_param("resource", resource);
        }
        let carrier = Carrier::new(&self.http);
        let answer: Result<StandardDeviceAuthorizationResponse, _> = request.request_async(&carrier).await;
        let answer = answer.map_err(|e| failure(e, &carrier.seen))?;
        Ok(Device {
            code: answer.device_code().secret().clone().into(),
            user_code: answer.user_code().secret().clone(),
            url: answer
                .verification_uri_complete()
                .map_or_else(|| answer.verification_uri().to_string(), |whole| whole.secret().clone()),
            expires_in: answer.expires_in(),
            interval: answer.interval(),
        })
    }

    /// Asks once whether the person has entered the device's code.
    pub(crate) async fn poll(&self, provider: &Provider, code: &SecretString) -> Result<Given, Failure> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", code.expose_secret()),
        ];
        let (seen, began) = (Mutex::default(), self.began());
        let request = form_request(provider, &provider.token_url, &form).map_err(unfit)?;
        let answer = self.http.send(request, &seen).await.map_err(|e| unreachable(&e, &seen))?;
        if answer.status() != oauth2::http::StatusCode::OK {
            return Err(said_no(answer.body(), &seen));
        }
        let tokens = serde_json::from_slice::<BasicTokenResponse>(answer.body()).map_err(|_| unreadable(&seen))?;
        Ok(given(&tokens, began))
    }

    /// Gives a token back. A provider that knows it no more says yes (RFC 7009 §2.2). `Ok(false)`: it has no way to.
    pub(crate) async fn revoke(&self, provider: &Provider, token: &SecretString, hint: &str) -> Result<bool, Failure> {
        let Some(url) = &provider.revocation_url else { return Ok(false) };
        let form = [("token", token.expose_secret()), ("token_type_hint", hint)];
        let seen = Mutex::default();
        let request = form_request(provider, url, &form).map_err(unfit)?;
        let answer = self.http.send(request, &seen).await.map_err(|e| unreachable(&e, &seen))?;
        match answer.status().as_u16() {
            200..=299 => Ok(true),
            _ => Err(said_no(answer.body(), &seen)),
        }
    }

    /// Whose account it is: an address, or the name the provider shows. `None` where it does not say.
    pub(crate) async fn account(&self, provider: &Provider, access: &SecretString) -> Option<String> {
        let request = oauth2::http::Request::builder()
            .uri(provider.userinfo_url.as_ref()?)
            .header(header::ACCEPT, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", access.expose_secret()))
            .body(Vec::new())
            .ok()?;
        let answer = self.http.send(request, &Mutex::default()).await.ok()?;
        let about: Value = serde_json::from_slice(answer.body()).ok()?;
        let names = ["email", "login", "preferred_username", "username", "name", "sub"];
        let name = names
            .iter()
            .find_map(|field| about.get(*field)?.as_str().filter(|n| !n.is_empty()))?;
        // It is shown, and somebody else chose it: one line, not long.
        Some(name.chars().filter(|c| !c.is_control()).take(128).collect())
    }

    fn began(&self) -> (kata_protocol::Ms, u64) {
        (self.clock.now(), self.clock.monotonic_us())
    }
}

fn client(provider: &Provider) -> Result<Client, Misfit> {
    provider.complete()?;
    let id = ClientId::new(provider.client_id.clone().unwrap_or_default());
    let auth = AuthUrl::new(provider.authorization_url.clone()).map_err(|e| bad("authorizationUrl", &e))?;
    let token = TokenUrl::new(provider.token_url.clone()).map_err(|e| bad("tokenUrl", &e))?;
    let way = if provider.secret_in_header {
        AuthType::BasicAuth
    } else {
        AuthType::RequestBody
    };
    let client = BasicClient::new(id).set_auth_uri(auth).set_token_uri(token).set_auth_type(way);
    Ok(match &provider.client_secret {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
        None => client,
    })
}

fn bad(field: &'static str, error: &impl std::fmt::Display) -> Misfit {
    Misfit {
        field,
        reason: error.to_string(),
    }
}

fn unfit(misfit: Misfit) -> Failure {
    Failure::Client { code: misfit.to_string() }
}

/// A form with the app's id and secret in it, or the secret in the header.
fn form_request(provider: &Provider, url: &str, form: &[(&str, &str)]) -> Result<HttpRequest, Misfit> {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    if let Some(resource) = &provider.resource {
        body.append_pair("resource", resource);
    }
    let id = provider.client_id.as_deref().unwrap_or_default();
    let mut request = oauth2::http::Request::post(url)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &provider.client_secret {
        Some(secret) if provider.secret_in_header => request = request.header(header::AUTHORIZATION, basic(id, secret)),
        Some(secret) => {
            body.append_pair("client_id", id)
                .append_pair("client_secret", secret.expose_secret());
        }
        None => {
            body.append_pair("client_id", id);
        }
    }
    request.body(body.finish().into_bytes()).map_err(|e| bad("tokenUrl", &e))
}

/// RFC 6749 §2.3.1: both are form-encoded first.
fn basic(id: &str, secret: &SecretString) -> String {
    use base64::Engine;
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret.expose_secret()));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

type Answer = Result<BasicTokenResponse, RequestTokenError<NoAnswer, BasicErrorResponse>>;

fn read(answer: Answer, began: (kata_protocol::Ms, u64), seen: &Mutex<Seen>) -> Result<Given, Failure> {
    Ok(given(&answer.map_err(|e| failure(e, seen))?, began))
}

fn given(tokens: &BasicTokenResponse, (at, at_us): (kata_protocol::Ms, u64)) -> Given {
    Given {
        access: tokens.access_token().secret().clone().into(),
        refresh: tokens.refresh_token().map(|t| t.secret().clone().into()),
        life: Life::new(at, at_us, tokens.expires_in()),
        scopes: tokens.scopes().map(|all| all.iter().map(|s| s.to_string()).collect()),
    }
}

fn failure<E: ErrorResponse>(error: RequestTokenError<NoAnswer, E>, seen: &Mutex<Seen>) -> Failure {
    match error {
        RequestTokenError::Request(none) => unreachable(&none, seen),
        RequestTokenError::ServerResponse(said) => {
            let body = serde_json::to_vec(&said).unwrap_or_default();
            said_no(&body, seen)
        }
        RequestTokenError::Parse(_, _) | RequestTokenError::Other(_) => unreadable(seen),
    }
}

fn look(seen: &Mutex<Seen>) -> Seen {
    *seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreachable(error: &NoAnswer, seen: &Mutex<Seen>) -> Failure {
    let seen = look(seen);
    Failure::Unreachable {
        reason: error.to_string(),
        retry_after: seen.retry_after,
        certain: seen.unsent,
    }
}

/// Not what a provider says: a proxy's page, a captive portal, a server in trouble. Nothing follows from it for the account.
fn unreadable(seen: &Mutex<Seen>) -> Failure {
    let seen = look(seen);
    let status = seen.status.map_or_else(String::new, |status| format!(" (HTTP {status})"));
    Failure::Unreachable {
        reason: format!("its answer cannot be read{status}"),
        retry_after: seen.retry_after,
        certain: false,
    }
}

fn said_no(body: &[u8], seen: &Mutex<Seen>) -> Failure {
    let now = look(seen);
    // A server in trouble, or one that has had enough, means nothing by what else it says.
    if let Some(status @ (429 | 500..)) = now.status {
        return Failure::Unreachable {
            reason: format!("it answers with HTTP {status}"),
            retry_after: now.retry_after,
            certain: status == 429,
        };
    }
    let said: Option<Value> = serde_json::from_slice(body).ok();
    let code = said.as_ref().and_then(|v| v.get("error")).and_then(Value::as_str);
    match code {
        Some(code) => Failure::named(code),
        None => unreadable(seen),
    }
}
