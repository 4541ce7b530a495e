//! An HTTP API as a source: one tool, `mcp__{slug}__api_{slug}`, with path, method and parameters, as the Electron app has it.
//!
//! A request never leaves the base address: not by its path, not by a redirect. Secrets go into the request and nowhere else.
//! A long answer of JSON is shortened where it repeats itself, and the model told what was left out.

use crate::config::{Api, ApiAuth};
use crate::ports::SourceSecrets;
use crate::trouble::Trouble;
use base64::Engine as _;
use kata_core::ports::{AccountError, AccountRef, Accounts, ToolOutcome};
use kata_protocol::{Json, SourceId, ToolInfo};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Time a request may take.
const LONGEST: Duration = Duration::from_secs(60);
/// Largest answer that is read, bytes.
const LARGEST: usize = 8 * 1024 * 1024;
/// Most that is handed to the model, bytes.
const SHOWN: usize = 48 * 1024;
/// Items of a list and characters of a text that stay when an answer is shortened.
const ITEMS: usize = 20;
const CHARS: usize = 2_000;
/// Methods of the tool.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What requests of an API are made with.
pub(crate) struct Door {
    pub(crate) config: Api,
    pub(crate) source: SourceId,
    pub(crate) name: String,
    pub(crate) http: reqwest::Client,
    pub(crate) secrets: Arc<dyn SourceSecrets>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) account: Option<AccountRef>,
}

/// Why no request was made, or no answer came.
enum Failed {
    /// The model did something wrong.
    Call(String),
    /// The source does not work.
    Source(Trouble),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::Source(trouble)
    }
}

/// An answer.
struct Answer {
    status: StatusCode,
    kind: String,
    body: Vec<u8>,
    whole: bool,
}

impl Door {
    /// Its one tool.
    pub(crate) fn tool(&self, slug: &str) -> ToolInfo {
        ToolInfo {
            name: crate::mcp::full_name(slug, &format!("api_{slug}")),
            description: format!(
                "Sends a request to the API “{}”, below {}. `path` begins with “/” and is joined to that address; `params` are the query of \
                 GET and DELETE and the JSON body of other methods.",
                self.name, self.config.base
            ),
            parameters: Json(json!({
                "type": "object",
                "required": ["path"],
                "properties": {
                    "path": { "type": "string", "description": "Path below the API's address, such as /users/me." },
                    "method": { "type": "string", "enum": METHODS, "default": "GET" },
                    "params": { "type": "object", "description": "Query or JSON body." },
                },
            })),
            read_only: false,
            plugin: None,
            source: Some(self.source.clone()),
        }
    }

    /// Runs it. With the trouble of the source, where the call showed one.
    pub(crate) async fn call(&self, params: &Value, cancel: &CancellationToken) -> (ToolOutcome, Option<Trouble>) {
        let error = |text: String| ToolOutcome { text, is_error: true };
        let text = |key: &str| params.get(key).and_then(Value::as_str);
        let method = text("method").unwrap_or("GET").to_uppercase();
        let Some(path) = text("path") else {
            return (error("“path” is missing.".into()), None);
        };
        if !METHODS.contains(&method.as_str()) {
            return (error(format!("“method” is none of {}.", METHODS.join(", "))), None);
        }
        let given = params.get("params").filter(|p| !p.is_null()).cloned();
        let none = HeaderMap::new();
        let asked = self.ask(&method, path, given.as_ref(), &none);
        let answered = tokio::select! {
            biased;
            () = cancel.cancelled() => return (error("The call was stopped.".into()), None),
            answered = asked => answered,
        };
        match answered {
            Ok(answer) => {
                let trouble = self.refused(answer.status);
                let is_error = !answer.status.is_success();
                (
                    ToolOutcome {
                        text: told(&answer),
                        is_error,
                    },
                    trouble,
                )
            }
            Err(Failed::Call(text)) => (error(text), None),
            Err(Failed::Source(trouble)) => (error(trouble.message.clone()), Some(trouble)),
        }
    }

    /// Sends the test request, or asks the base address. Answers how it went in a sentence.
    pub(crate) async fn test(&self) -> Result<String, Trouble> {
        let (method, path, body, headers) = match &self.config.test {
            Some(test) => (test.method.as_str(), test.path.as_str(), test.body.as_ref(), headers(&test.headers)),
            None => ("GET", "", None, HeaderMap::new()),
        };
        match self.ask(method, path, body, &headers).await {
            Ok(answer) => match self.refused(answer.status) {
                Some(trouble) => Err(trouble),
                None if answer.status.is_success() => Ok(format!("{method} {} answered {}.", self.shown(path), answer.status)),
                // Without a test request any answer shows that somebody is there.
                None if self.config.test.is_none() && answer.status.is_client_error() => Ok(format!(
                    "Something answers at {} ({}); set api.testEndpoint to know more.",
                    self.config.base, answer.status
                )),
                None => Err(Trouble::again(
                    "answer",
                    format!("{method} {} answered {}.", self.shown(path), answer.status),
                )),
            },
            Err(Failed::Source(trouble)) => Err(trouble),
            Err(Failed::Call(text)) => Err(Trouble::stay("test_endpoint", format!("api.testEndpoint: {text}"))),
        }
    }

    /// Whether what it signs in with is there. Asks nobody outside.
    pub(crate) async fn ready(&self) -> Result<(), Trouble> {
        match &self.config.auth {
            ApiAuth::None => Ok(()),
            ApiAuth::Bearer { .. } | ApiAuth::Header { .. } | ApiAuth::Query { .. } => self.secret("token").await.map(|_| ()),
            ApiAuth::Basic => {
                self.secret("username").await?;
                self.secret("password").await.map(|_| ())
            }
            ApiAuth::Oauth { scopes, .. } => self.token(scopes).await.map(|_| ()),
        }
    }

    fn shown<'a>(&self, path: &'a str) -> &'a str {
        if path.is_empty() { "/" } else { path }
    }

    /// What an answer says about the source's sign-in.
    fn refused(&self, status: StatusCode) -> Option<Trouble> {
        if status != StatusCode::UNAUTHORIZED {
            return None;
        }
        Some(match &self.config.auth {
            ApiAuth::Oauth { .. } => Trouble::sign_in(format!("“{}” refused the account. Sign in again.", self.name)),
            ApiAuth::Basic => Trouble::missing("password", format!("“{}” refused the name or the password.", self.name)),
            ApiAuth::None => Trouble::stay("needs_auth", format!("“{}” wants a sign-in; set api.authType.", self.name)),
            _ => Trouble::missing("token", format!("“{}” refused its key. Set another one.", self.name)),
        })
    }

    async fn secret(&self, name: &str) -> Result<SecretString, Trouble> {
        let missing = || Trouble::missing(name, format!("“{}” needs its {name}.", self.name));
        self.secrets.secret(&self.source, name).await.ok_or_else(missing)
    }

    async fn token(&self, scopes: &[String]) -> Result<SecretString, Trouble> {
        let Some(account) = &self.account else {
            return Err(Trouble::sign_in(format!("“{}” has to be signed in.", self.name)));
        };
        match self.accounts.token(account, scopes).await {
            Ok(token) => Ok(token.access),
            Err(AccountError::NeedsUser { message, .. }) => Err(Trouble::sign_in(message)),
            Err(error) => Err(Trouble::again("no_token", error.to_string())),
        }
    }

    /// One request; where an account's token was refused, a second one with the next token.
    async fn ask(&self, method: &str, path: &str, params: Option<&Value>, more: &HeaderMap) -> Result<Answer, Failed> {
        let mut url = join(&self.config.base, path).map_err(|NoPath(why)| Failed::Call(why))?;
        let method = Method::try_from(method).map_err(|_| Failed::Call("“method” is no method.".into()))?;
        let in_query = matches!(method, Method::GET | Method::DELETE);
        if let (true, Some(params)) = (in_query, params) {
            let Value::Object(fields) = params else {
                return Err(Failed::Call("“params” is no object.".into()));
            };
            let mut query = url.query_pairs_mut();
            for (name, value) in fields {
                match value {
                    Value::Null => {}
                    Value::Array(values) => {
                        for value in values {
                            query.append_pair(name, &plain(value));
                        }
                    }
                    value => {
                        query.append_pair(name, &plain(value));
                    }
                }
            }
        }
        let mut renewed = false;
        loop {
            let (request, token) = self.signed(method.clone(), url.clone()).await?;
            let mut request = request
                .headers(headers(&self.config.headers))
                .headers(more.clone())
                .timeout(LONGEST);
            if let (false, Some(params)) = (in_query, params) {
                request = request.json(params);
            }
            let answer = self.sent(request).await?;
            match (&self.account, token) {
                (Some(account), Some(token)) if answer.status == StatusCode::UNAUTHORIZED && !renewed => {
                    renewed = true;
                    if self.accounts.refused(account, &token).await.is_err() {
                        return Ok(answer);
                    }
                }
                _ => return Ok(answer),
            }
        }
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Answer, Failed> {
        let unreachable = |e: reqwest::Error| {
            let mut why = e.without_url().to_string();
            if why.is_empty() {
                why = "no answer".into();
            }
            Failed::Call(format!("“{}” cannot be reached: {why}.", self.name))
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|k| k.to_str().ok());
        let (status, kind) = (response.status(), kind.unwrap_or_default().to_owned());
        let (mut body, mut whole) = (Vec::new(), true);
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LARGEST {
                whole = false;
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, kind, body, whole })
    }

    async fn signed(&self, method: Method, mut url: Url) -> Result<(RequestBuilder, Option<SecretString>), Trouble> {
        if let ApiAuth::Query { name } = &self.config.auth {
            let token = self.secret("token").await?;
            url.query_pairs_mut().append_pair(name, token.expose_secret());
        }
        let request = self.http.request(method, url);
        let header = |name: &str, value: String, field: &str| {
            let name = HeaderName::try_from(name);
            let value = HeaderValue::try_from(value);
            match (name, value) {
                (Ok(name), Ok(mut value)) => {
                    value.set_sensitive(true);
                    Ok((name, value))
                }
                _ => Err(Trouble::missing(
                    field,
                    format!("The {field} of “{}” has characters that cannot be sent.", self.name),
                )),
            }
        };
        Ok(match &self.config.auth {
            ApiAuth::None | ApiAuth::Query { .. } => (request, None),
            ApiAuth::Bearer { scheme } => {
                let token = self.secret("token").await?;
                let value = format!("{scheme} {}", token.expose_secret());
                let (name, value) = header("authorization", value.trim_start().to_owned(), "token")?;
                (request.header(name, value), None)
            }
            ApiAuth::Header { name } => {
                let token = self.secret("token").await?;
                let (name, value) = header(name, token.expose_secret().to_owned(), "token")?;
                (request.header(name, value), None)
            }
            ApiAuth::Basic => {
                let (user, password) = (self.secret("username").await?, self.secret("password").await?);
                let both = format!("{}:{}", user.expose_secret(), password.expose_secret());
                let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both));
                let (name, value) = header("authorization", value, "password")?;
                (request.header(name, value), None)
            }
            ApiAuth::Oauth { scopes, .. } => {
                let token = self.token(scopes).await?;
                let (name, value) = header("authorization", format!("Bearer {}", token.expose_secret()), "token")?;
                (request.header(name, value), Some(token))
            }
        })
    }
}

fn headers(table: &std::collections::BTreeMap<String, String>) -> HeaderMap {
    let pairs = table.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        Some((name, HeaderValue::try_from(value.as_str()).ok()?))
    });
    pairs.collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Why a path is none.
#[derive(Debug)]
pub(crate) struct NoPath(pub(crate) String);

/// Joins a path to the base address. It stays below it.
pub(crate) fn join(base: &Url, path: &str) -> Result<Url, NoPath> {
    let refuse = |why: &str| Err(NoPath(format!("“path” {why}; it is joined to {base}.")));
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    if path.contains(['\\', '#']) || path.chars().any(char::is_control) {
        return refuse("has characters that no path has");
    }
    if path.contains("://") || path.starts_with("//") {
        return refuse("names another host");
    }
    let dots = |part: &str| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == ".." || part == "."
    };
    if path.split('/').any(dots) || path.to_ascii_lowercase().contains("%2f") || path.to_ascii_lowercase().contains("%5c") {
        return refuse("has “..” or a hidden “/”");
    }
    let mut url = base.clone();
    let below = base.path().trim_end_matches('/');
    url.set_path(&match path.trim_start_matches('/') {
        "" => base.path().to_owned(),
        path => format!("{below}/{path}"),
    });
    url.set_query(
        match (base.query(), query) {
            (Some(own), Some(query)) => Some(format!("{own}&{query}")),
            (own, query) => own.or(query).map(str::to_owned),
        }
        .as_deref(),
    );
    if url.origin() != base.origin() || !url.path().starts_with(below) {
        return refuse("leads elsewhere");
    }
    Ok(url)
}

/// An answer as the model reads it.
fn told(answer: &Answer) -> String {
    let mut text = format!("HTTP {}\n", answer.status);
    if answer.status.is_redirection() {
        text.push_str("It leads to another host, where the request does not go.\n");
    }
    if answer.body.is_empty() {
        return text;
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(&answer.body) {
        let whole = serde_json::to_string(&value).unwrap_or_default();
        if whole.len() > SHOWN {
            let mut left_out = 0;
            shorten(&mut value, ITEMS, &mut left_out);
            text.push_str(&format!(
                "[The answer is long ({} bytes): lists were cut to {ITEMS} items, texts to {CHARS} characters; {left_out} cuts. Ask for less, \
                 such as with a filter, fewer fields or a page.]\n",
                answer.body.len()
            ));
        }
        let shown = serde_json::to_string(&value).unwrap_or_default();
        text.push_str(&clipped(&shown));
        return text;
    }
    match std::str::from_utf8(&answer.body) {
        Ok(body) => text.push_str(&clipped(body)),
        Err(_) => text.push_str(&format!("[{} bytes of {}; they are not shown.]", answer.body.len(), answer.kind)),
    }
    if !answer.whole {
        text.push_str(&format!("\n[Only the first {LARGEST} bytes were read.]"));
    }
    text
}

fn clipped(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let mut at = SHOWN;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    format!(
        "{}\n[Cut: the first {at} of {} bytes. Ask for less at a time.]",
        &text[..at],
        text.len()
    )
}

/// Cuts lists and texts, everywhere.
fn shorten(value: &mut Value, items: usize, left_out: &mut u32) {
    match value {
        Value::Array(list) => {
            if list.len() > items {
                let more = list.len() - items;
                list.truncate(items);
                list.push(Value::String(format!("[{more} more]")));
                *left_out += 1;
            }
            for item in list {
                shorten(item, items.div_ceil(2).max(3), left_out);
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(|v| shorten(v, items, left_out)),
        Value::String(text) if text.chars().nth(CHARS).is_some() => {
            let cut: String = text.chars().take(CHARS).collect();
            *text = format!("{cut}[…]");
            *left_out += 1;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
