//! `sources/{slug}/config.json` as the Electron app has it, read strictly: each thing that is wrong is named by file and field,
//! and makes that source unusable, no other.
//!
//! Fields that are not known are left alone: the earlier app and later versions may have put them there. Deliberately absent:
//! files (see `folder`), and what a field means once the source runs.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// Name of the file in every error.
const FILE: &str = "config.json";

/// A source as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name to show.
    pub name: String,
    /// Whether the person has it switched on.
    pub enabled: bool,
    /// Free text; `google`, `microsoft`, `slack` name a sign-in.
    pub provider: Option<String>,
    /// Emoji or address.
    pub icon: Option<String>,
    /// One line.
    pub tagline: Option<String>,
    /// What it talks to.
    pub kind: Kind,
}

/// What a source talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A server of the Model Context Protocol.
    Mcp(Mcp),
    /// An HTTP API.
    Api(Api),
    /// A folder.
    Local(Local),
}

/// How a server of the Model Context Protocol is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mcp {
    /// A program of this machine, over its standard input and output.
    Stdio {
        /// Program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Variables it gets besides those of this program.
        env: BTreeMap<String, String>,
    },
    /// A server in the network.
    Remote {
        /// Address.
        url: Url,
        /// Only the two-endpoint transport of 2024-11-05.
        sse: bool,
        /// How it is signed in.
        auth: McpAuth,
        /// Headers sent with everything.
        headers: BTreeMap<String, String>,
    },
}

/// How a remote server is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum McpAuth {
    /// Not at all.
    None,
    /// With a token the person typed in.
    Bearer,
    /// In the browser (OAuth 2.1), with this client id where the person brought one.
    Oauth {
        /// Client id.
        client_id: Option<String>,
        /// Not in the browser: the app signs in as itself, by that id and its secret (`client_credentials`).
        machine: bool,
        /// The authorization server that id belongs to; at any other nothing of it is shown.
        issuer: Option<String>,
    },
}

/// An HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Every request goes below this address.
    pub base: Url,
    /// How a request is signed in.
    pub auth: ApiAuth,
    /// Headers sent with everything.
    pub headers: BTreeMap<String, String>,
    /// Request that shows whether it works.
    pub test: Option<TestEndpoint>,
}

/// How a request to an API is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiAuth {
    /// Not at all.
    None,
    /// `Authorization: SCHEME TOKEN`; an empty scheme sends the token alone.
    Bearer {
        /// Scheme.
        scheme: String,
    },
    /// A header of its own.
    Header {
        /// Name.
        name: String,
    },
    /// A parameter of the address.
    Query {
        /// Name.
        name: String,
    },
    /// Name and password.
    Basic,
    /// An account somebody signed in with, at this provider.
    Oauth {
        /// Provider's id.
        provider: String,
        /// Scopes.
        scopes: Vec<String>,
    },
}

/// Request that shows whether an API works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestEndpoint {
    /// `GET` or `POST`.
    pub method: String,
    /// Below the base address.
    pub path: String,
    /// Body, with `POST`.
    pub body: Option<Value>,
    /// Headers of this request.
    pub headers: BTreeMap<String, String>,
}

/// A folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Path as written; `~` is the person's home.
    pub path: String,
    /// Whether it is an Obsidian vault: notes, and links between them.
    pub vault: bool,
}

/// Whether a text may be the name of a source's folder.
pub fn is_slug(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

impl Config {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Everything that is wrong, each with file and field.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<String>> {
        let value: Value = serde_json::from_slice(text).map_err(|e| vec![format!("{FILE}: is not JSON: {e}")])?;
        Self::of(&value)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong, each with file and field.
    pub fn of(value: &Value) -> Result<Self, Vec<String>> {
        let Value::Object(fields) = value else {
            return Err(vec![format!("{FILE}: is JSON, but no object")]);
        };
        let mut read = Read { errors: Vec::new() };
        let name = read.text(fields, "", "name");
        if name.as_deref().is_some_and(|n| n.trim().is_empty()) {
            read.wrong("name", "is empty");
        }
        if name.is_none() && !fields.contains_key("name") {
            read.wrong("name", "is missing");
        }
        if let Some(slug) = read.text(fields, "", "slug")
            && !is_slug(&slug)
        {
            read.wrong("slug", "may only have lower-case letters, digits and “-”");
        }
        let enabled = match fields.get("enabled") {
            None | Some(Value::Null) => true,
            Some(Value::Bool(on)) => *on,
            Some(_) => {
                read.wrong("enabled", "is neither true nor false");
                true
            }
        };
        let provider = read.text(fields, "", "provider");
        let kind = match read.text(fields, "", "type").as_deref() {
            Some("mcp") => read.part(fields, "mcp").and_then(|part| read.mcp(part)).map(Kind::Mcp),
            Some("api") => read
                .part(fields, "api")
                .and_then(|part| read.api(part, provider.as_deref()))
                .map(Kind::Api),
            Some("local") => read.part(fields, "local").and_then(|part| read.local(part)).map(Kind::Local),
            Some(other) => {
                read.wrong("type", &format!("“{other}” is none of mcp, api, local"));
                None
            }
            None => {
                if !fields.contains_key("type") {
                    read.wrong("type", "is missing; it is one of mcp, api, local");
                }
                None
            }
        };
        let config = kind.map(|kind| Self {
            name: name.unwrap_or_default(),
            enabled,
            icon: read.text(fields, "", "icon"),
            tagline: read.text(fields, "", "tagline"),
            provider,
            kind,
        });
        match config {
            Some(config) if read.errors.is_empty() => Ok(config),
            _ => Err(read.errors),
        }
    }
}

/// Reads fields and gathers what is wrong with them.
struct Read {
    errors: Vec<String>,
}

impl Read {
    fn wrong(&mut self, field: &str, what: &str) {
        self.errors.push(format!("{FILE}: {field} {what}"));
    }

    fn text(&mut self, fields: &Map<String, Value>, part: &str, key: &str) -> Option<String> {
        match fields.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.wrong(&format!("{part}{key}"), "is no text");
                None
            }
        }
    }

    fn needed(&mut self, fields: &Map<String, Value>, part: &str, key: &str) -> Option<String> {
        let before = self.errors.len();
        let text = self.text(fields, part, key).filter(|t| !t.trim().is_empty());
        if text.is_none() && self.errors.len() == before {
            self.wrong(&format!("{part}{key}"), "is missing");
        }
        text
    }

    fn part<'a>(&mut self, fields: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
        match fields.get(key) {
            Some(Value::Object(part)) => Some(part),
            Some(_) => {
                self.wrong(key, "is no object");
                None
            }
            None => {
                self.wrong(key, &format!("is missing, and the type is {key}"));
                None
            }
        }
    }

    fn texts(&mut self, fields: &Map<String, Value>, part: &str, key: &str) -> Vec<String> {
        let Some(value) = fields.get(key).filter(|v| !v.is_null()) else {
            return Vec::new();
        };
        let list = value
            .as_array()
            .map(|list| list.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
        list.flatten().unwrap_or_else(|| {
            self.wrong(&format!("{part}{key}"), "is no list of texts");
            Vec::new()
        })
    }

    fn table(&mut self, fields: &Map<String, Value>, part: &str, key: &str) -> BTreeMap<String, String> {
        let Some(value) = fields.get(key).filter(|v| !v.is_null()) else {
            return BTreeMap::new();
        };
        let Value::Object(entries) = value else {
            self.wrong(&format!("{part}{key}"), "is no object of texts");
            return BTreeMap::new();
        };
        let mut table = BTreeMap::new();
        for (name, value) in entries {
            match value.as_str() {
                Some(text) => {
                    table.insert(name.clone(), text.to_owned());
                }
                None => self.wrong(&format!("{part}{key}.{name}"), "is no text"),
            }
        }
        table
    }

    fn headers(&mut self, fields: &Map<String, Value>, part: &str, key: &str) -> BTreeMap<String, String> {
        let headers = self.table(fields, part, key);
        for (name, value) in &headers {
            if reqwest::header::HeaderName::try_from(name.as_str()).is_err() {
                self.wrong(&format!("{part}{key}.{name}"), "is no name of a header");
            }
            if reqwest::header::HeaderValue::try_from(value.as_str()).is_err() {
                self.wrong(&format!("{part}{key}.{name}"), "cannot stand in a header");
            }
        }
        headers
    }

    fn address(&mut self, fields: &Map<String, Value>, part: &str, key: &str) -> Option<Url> {
        let text = self.needed(fields, part, key)?;
        match Url::parse(text.trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
                if !url.username().is_empty() || url.password().is_some() {
                    self.wrong(&format!("{part}{key}"), "holds a name or a password; use authType instead");
                    return None;
                }
                Some(url)
            }
            Ok(_) => {
                self.wrong(&format!("{part}{key}"), "is no address that begins with https:// or http://");
                None
            }
            Err(error) => {
                self.wrong(&format!("{part}{key}"), &format!("is no address: {error}"));
                None
            }
        }
    }

    fn mcp(&mut self, part: &Map<String, Value>) -> Option<Mcp> {
        let transport = self.text(part, "mcp.", "transport");
        let transport = transport
            .as_deref()
            .unwrap_or(if part.contains_key("command") && !part.contains_key("url") {
                "stdio"
            } else {
                "http"
            });
        if transport == "stdio" {
            let command = self.needed(part, "mcp.", "command");
            let args = self.texts(part, "mcp.", "args");
            let env = self.table(part, "mcp.", "env");
            for name in env.keys() {
                if name.is_empty() || name.contains(['=', '\0']) {
                    self.wrong(&format!("mcp.env.{name}"), "is no name of a variable");
                }
            }
            return Some(Mcp::Stdio {
                command: command?,
                args,
                env,
            });
        }
        if !["http", "sse"].contains(&transport) {
            self.wrong("mcp.transport", &format!("“{transport}” is none of http, sse, stdio"));
            return None;
        }
        let url = self.address(part, "mcp.", "url");
        let auth = match self.text(part, "mcp.", "authType").as_deref() {
            // The earlier app asks a server that says nothing whether it wants a sign-in.
            Some("oauth") | None => {
                let machine = self.machine(part);
                let client_id = match machine {
                    true => self.needed(part, "mcp.", "clientId"),
                    false => self.text(part, "mcp.", "clientId"),
                };
                let issuer = self.text(part, "mcp.", "issuer");
                McpAuth::Oauth {
                    client_id,
                    machine,
                    issuer,
                }
            }
            Some("bearer") => McpAuth::Bearer,
            Some("none") => McpAuth::None,
            Some(other) => {
                self.wrong("mcp.authType", &format!("“{other}” is none of oauth, bearer, none"));
                McpAuth::None
            }
        };
        let headers = self.headers(part, "mcp.", "headers");
        let url = url?;
        Some(Mcp::Remote {
            sse: transport == "sse" || url.path().trim_end_matches('/').ends_with("/sse"),
            url,
            auth,
            headers,
        })
    }

    /// Whether a server's sign-in is a machine's.
    fn machine(&mut self, part: &Map<String, Value>) -> bool {
        match self.text(part, "mcp.", "grant").as_deref() {
            Some("client_credentials") => true,
            Some("authorization_code") | None => false,
            Some(other) => {
                self.wrong("mcp.grant", &format!("“{other}” is none of authorization_code, client_credentials"));
                false
            }
        }
    }

    fn api(&mut self, part: &Map<String, Value>, provider: Option<&str>) -> Option<Api> {
        let base = self.address(part, "api.", "baseUrl");
        let service = ["googleService", "slackService", "microsoftService"]
            .into_iter()
            .find(|key| part.contains_key(*key));
        let kind = self.text(part, "api.", "authType");
        let or = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
        let auth = match (provider, service, kind.as_deref()) {
            (Some(provider @ ("google" | "microsoft" | "slack")), Some(_), _) => {
                let key = match provider {
                    "google" => "googleScopes",
                    "microsoft" => "microsoftScopes",
                    _ => "slackUserScopes",
                };
                let mut scopes = self.texts(part, "api.", key);
                if scopes.is_empty()
                    && provider == "google"
                    && let Some(service) = self.text(part, "api.", "googleService")
                {
                    scopes = google_scopes(&service);
                }
                ApiAuth::Oauth {
                    provider: provider.to_owned(),
                    scopes,
                }
            }
            (_, _, Some("bearer")) => ApiAuth::Bearer {
                scheme: or(self.text(part, "api.", "authScheme"), "Bearer"),
            },
            (_, _, Some("header")) => ApiAuth::Header {
                name: or(self.text(part, "api.", "headerName"), "x-api-key"),
            },
            (_, _, Some("query")) => ApiAuth::Query {
                name: or(self.text(part, "api.", "queryParam"), "api_key"),
            },
            (_, _, Some("basic")) => ApiAuth::Basic,
            (_, _, Some("none") | None) => ApiAuth::None,
            (_, _, Some(other)) => {
                self.wrong("api.authType", &format!("“{other}” is none of bearer, header, query, basic, none"));
                ApiAuth::None
            }
        };
        if let ApiAuth::Header { name } = &auth
            && reqwest::header::HeaderName::try_from(name.as_str()).is_err()
        {
            self.wrong("api.headerName", &format!("“{name}” is no name of a header"));
        }
        let headers = self.headers(part, "api.", "defaultHeaders");
        let test = match part.get("testEndpoint") {
            None | Some(Value::Null) => None,
            Some(Value::Object(test)) => {
                let method = self
                    .text(test, "api.testEndpoint.", "method")
                    .unwrap_or_else(|| "GET".into())
                    .to_uppercase();
                if !["GET", "POST"].contains(&method.as_str()) {
                    self.wrong("api.testEndpoint.method", &format!("“{method}” is neither GET nor POST"));
                }
                let path = self.needed(test, "api.testEndpoint.", "path");
                let headers = self.headers(test, "api.testEndpoint.", "headers");
                path.map(|path| TestEndpoint {
                    method,
                    path,
                    body: test.get("body").filter(|b| !b.is_null()).cloned(),
                    headers,
                })
            }
            Some(_) => {
                self.wrong("api.testEndpoint", "is no object");
                None
            }
        };
        Some(Api {
            base: base?,
            auth,
            headers,
            test,
        })
    }

    fn local(&mut self, part: &Map<String, Value>) -> Option<Local> {
        let path = self.needed(part, "local.", "path");
        let format = self.text(part, "local.", "format");
        Some(Local {
            path: path?,
            vault: format.as_deref() == Some("obsidian"),
        })
    }
}

/// What a service of Google needs where the file names no scopes (<https://developers.google.com/identity/protocols/oauth2/scopes>).
fn google_scopes(service: &str) -> Vec<String> {
    let scope = match service {
        "gmail" => "gmail.modify",
        "calendar" => "calendar",
        "drive" => "drive",
        "docs" => "documents",
        "sheets" => "spreadsheets",
        _ => return Vec::new(),
    };
    vec![format!("https://www.googleapis.com/auth/{scope}")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(value: Value) -> Vec<String> {
        Config::of(&value).expect_err("it must be refused")
    }

    #[test]
    fn each_thing_that_is_wrong_is_named_by_file_and_field() {
        for (value, expected) in [
            (
                json!({}),
                vec![
                    "config.json: name is missing",
                    "config.json: type is missing; it is one of mcp, api, local",
                ],
            ),
            (
                json!({ "name": "x", "type": "ftp" }),
                vec!["config.json: type “ftp” is none of mcp, api, local"],
            ),
            (
                json!({ "name": 3, "enabled": "yes", "type": "mcp", "mcp": { "transport": "stdio", "args": "-y", "env": { "A": 1 } } }),
                vec![
                    "config.json: name is no text",
                    "config.json: enabled is neither true nor false",
                    "config.json: mcp.command is missing",
                    "config.json: mcp.args is no list of texts",
                    "config.json: mcp.env.A is no text",
                ],
            ),
            (
                json!({ "name": "x", "type": "mcp", "mcp": { "url": "file:///etc/passwd", "authType": "magic" } }),
                vec![
                    "config.json: mcp.url is no address that begins with https:// or http://",
                    "config.json: mcp.authType “magic” is none of oauth, bearer, none",
                ],
            ),
            (
                json!({ "name": "x", "type": "mcp", "mcp": { "url": "https://x.test/mcp", "grant": "client_credentials" } }),
                vec!["config.json: mcp.clientId is missing"],
            ),
            (
                json!({ "name": "x", "type": "mcp", "mcp": { "url": "https://x.test/mcp", "grant": "implicit" } }),
                vec!["config.json: mcp.grant “implicit” is none of authorization_code, client_credentials"],
            ),
            (
                json!({ "name": "x", "type": "api", "api": {
                    "baseUrl": "https://me:secret@x.test", "authType": "header", "headerName": "a b",
                    "defaultHeaders": { "X": "a\nb" }, "testEndpoint": { "method": "DELETE" }
                } }),
                vec![
                    "config.json: api.baseUrl holds a name or a password; use authType instead",
                    "config.json: api.headerName “a b” is no name of a header",
                    "config.json: api.defaultHeaders.X cannot stand in a header",
                    "config.json: api.testEndpoint.method “DELETE” is neither GET nor POST",
                    "config.json: api.testEndpoint.path is missing",
                ],
            ),
            (
                json!({ "name": "x", "type": "local" }),
                vec!["config.json: local is missing, and the type is local"],
            ),
            (json!([]), vec!["config.json: is JSON, but no object"]),
        ] {
            assert_eq!(errors(value.clone()), expected, "{value}");
        }
        assert!(Config::parse(b"{").expect_err("no JSON")[0].starts_with("config.json: is not JSON: "));
    }

    #[test]
    fn the_earlier_apps_sources_are_read_as_it_wrote_them() {
        let gmail = json!({
            "id": "gmail_2", "name": "Gmail", "slug": "gmail", "provider": "google", "type": "api",
            "api": { "baseUrl": "https://gmail.googleapis.com/gmail/v1/", "authType": "bearer", "googleService": "gmail" },
            "isAuthenticated": false, "connectionStatus": "needs_auth",
        });
        let Kind::Api(api) = Config::of(&gmail).unwrap().kind else {
            panic!("no API")
        };
        assert_eq!(
            api.auth,
            ApiAuth::Oauth {
                provider: "google".into(),
                scopes: vec!["https://www.googleapis.com/auth/gmail.modify".into()]
            }
        );
        let linear = json!({ "name": "Linear", "type": "mcp", "mcp": { "url": "https://mcp.linear.app/sse", "authType": "oauth", "clientId": "c" } });
        let Kind::Mcp(Mcp::Remote { sse, auth, .. }) = Config::of(&linear).unwrap().kind else {
            panic!("no server")
        };
        assert!(
            sse && auth
                == McpAuth::Oauth {
                    client_id: Some("c".into()),
                    machine: false,
                    issuer: None
                }
        );
        let files =
            json!({ "name": "F", "enabled": false, "type": "mcp", "mcp": { "transport": "stdio", "command": "npx", "args": ["-y"] } });
        let files = Config::of(&files).unwrap();
        assert!(!files.enabled && matches!(files.kind, Kind::Mcp(Mcp::Stdio { .. })));
    }
}
