//! The transport of 2024-11-05 that old servers still speak: one stream of events from the server, whose first event says where to
//! post what is sent. <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse>
//!
//! Deliberately absent: taking a broken stream up again. That transport has no way to; the source starts anew.

use eventsource_stream::Eventsource;
use futures::stream::{BoxStream, StreamExt};
use kata_core::ports::{AccountRef, Accounts};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, Response};
use rmcp::RoleClient;
use rmcp::model::ServerJsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_client::AuthRequiredError;
use secrecy::ExposeSecret;
use std::sync::Arc;
use url::Url;

/// Why nothing comes or goes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SseTrouble {
    #[error("authorization required")]
    AuthRequired(#[source] AuthRequiredError),
    #[error("HTTP {0}")]
    Status(u16),
    #[error("the server's answer is no stream of events")]
    NoStream,
    #[error("the server named no place to post to")]
    NoEndpoint,
    #[error("the server names a place to post to on another host")]
    Elsewhere,
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

/// One stream with its place to post to.
pub(crate) struct SseTransport {
    poster: Poster,
    events: BoxStream<'static, RxJsonRpcMessage<RoleClient>>,
}

/// Posts messages.
#[derive(Clone)]
struct Poster {
    http: reqwest::Client,
    headers: HeaderMap,
    account: Option<(Arc<dyn Accounts>, AccountRef)>,
    to: Url,
}

impl Poster {
    async fn signed(&self, request: RequestBuilder) -> Result<Response, SseTrouble> {
        let mut request = request.headers(self.headers.clone());
        if let Some((accounts, account)) = &self.account
            && let Ok(token) = accounts.token(account, &[]).await
        {
            request = request.bearer_auth(token.access.expose_secret());
        }
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status();
        if status == reqwest::StatusCode::UNAUTHORIZED {
            let header = response.headers().get(reqwest::header::WWW_AUTHENTICATE);
            let header = header.and_then(|h| h.to_str().ok()).unwrap_or("Bearer").to_owned();
            return Err(SseTrouble::AuthRequired(AuthRequiredError::new(header)));
        }
        if !status.is_success() {
            return Err(SseTrouble::Status(status.as_u16()));
        }
        Ok(response)
    }
}

impl SseTransport {
    /// Opens the stream and waits for the first event.
    pub(crate) async fn open(
        http: reqwest::Client,
        url: &Url,
        headers: HeaderMap,
        account: Option<(Arc<dyn Accounts>, AccountRef)>,
    ) -> Result<Self, SseTrouble> {
        let mut poster = Poster {
            http,
            headers,
            account,
            to: url.clone(),
        };
        let asked = poster.http.get(url.clone()).header(ACCEPT, "text/event-stream");
        let response = poster.signed(asked).await?;
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|k| k.to_str().ok())
            .unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return Err(SseTrouble::NoStream);
        }
        let mut events = response.bytes_stream().eventsource();
        poster.to = loop {
            match events.next().await {
                Some(Ok(event)) if event.event == "endpoint" => {
                    break url.join(event.data.trim()).map_err(|_| SseTrouble::NoEndpoint)?;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(SseTrouble::NoEndpoint),
            }
        };
        // Tokens go where the stream came from and nowhere else.
        if poster.to.origin() != url.origin() {
            return Err(SseTrouble::Elsewhere);
        }
        let messages = events
            .take_while(|event| futures::future::ready(event.is_ok()))
            .filter_map(|event| {
                let message = event.ok().filter(|e| matches!(e.event.as_str(), "message" | ""));
                futures::future::ready(message.and_then(|e| serde_json::from_str::<ServerJsonRpcMessage>(&e.data).ok()))
            });
        Ok(Self {
            poster,
            events: messages.boxed(),
        })
    }
}

impl Transport<RoleClient> for SseTransport {
    type Error = SseTrouble;

    fn send(&mut self, item: TxJsonRpcMessage<RoleClient>) -> impl Future<Output = Result<(), SseTrouble>> + Send + 'static {
        let poster = self.poster.clone();
        async move {
            let body = serde_json::to_vec(&item)?;
            let post = poster
                .http
                .post(poster.to.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(body);
            poster.signed(post).await.map(|_| ())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        self.events.next().await
    }

    async fn close(&mut self) -> Result<(), SseTrouble> {
        self.events = futures::stream::empty().boxed();
        Ok(())
    }
}
