//! HTTP for remote servers, signed in: each request takes the token that counts now, a refused one is renewed once, and what the
//! server asked for in its challenge (`WWW-Authenticate`, RFC 9728 and RFC 6750) is remembered for the next sign-in.
//!
//! A request without an account goes out unsigned: whether a server wants a sign-in is known by asking it.

use futures::stream::BoxStream;
use kata_core::ports::{AccountError, AccountRef, Accounts};
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse, StreamableHttpResponseLimits,
};
use secrecy::{ExposeSecret, SecretString};
use sse_stream::Sse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Failure = StreamableHttpError<reqwest::Error>;

/// What a server said when it refused a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// `WWW-Authenticate`, whole.
    pub(crate) header: String,
    /// Whether somebody is signed in and lacks a scope (403 `insufficient_scope`).
    pub(crate) lacks_scope: bool,
}

/// The last challenge of a server, and the address it is really at.
#[derive(Clone, Default)]
pub(crate) struct Challenges(Arc<Mutex<(Option<Challenge>, Option<url::Url>)>>);

impl Challenges {
    pub(crate) fn last(&self) -> Option<Challenge> {
        self.lock().0.clone()
    }

    /// Address that is being asked.
    pub(crate) fn asking(&self, at: &url::Url) {
        *self.lock() = (None, Some(at.clone()));
    }

    /// Address that was asked last.
    pub(crate) fn asked(&self) -> Option<url::Url> {
        self.lock().1.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Option<Challenge>, Option<url::Url>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, error: &Failure) {
        let challenge = error.auth_challenge().map(|header| Challenge {
            header: header.to_owned(),
            lacks_scope: matches!(error, StreamableHttpError::InsufficientScope(_)),
        });
        if challenge.is_some() {
            self.lock().0 = challenge;
        }
    }
}

/// An HTTP client that signs its requests.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) http: reqwest::Client,
    pub(crate) account: Option<(Arc<dyn Accounts>, AccountRef)>,
    pub(crate) challenges: Challenges,
}

impl Signed {
    async fn token(&self) -> Result<Option<SecretString>, Failure> {
        let Some((accounts, account)) = &self.account else {
            return Ok(None);
        };
        match accounts.token(account, &[]).await {
            Ok(token) => Ok(Some(token.access)),
            // The server says what it wants; it may want nothing.
            Err(AccountError::NeedsUser { .. }) => Ok(None),
            Err(error) => Err(StreamableHttpError::Io(std::io::Error::other(error.to_string()))),
        }
    }

    async fn signed<T, F, Fut>(&self, given: Option<String>, call: F) -> Result<T, Failure>
    where
        F: Fn(Option<String>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        let token = match given {
            Some(given) => Some(SecretString::from(given)),
            None => self.token().await?,
        };
        let expose = |token: &Option<SecretString>| token.as_ref().map(|t| t.expose_secret().to_owned());
        let mut result = call(expose(&token)).await;
        if let (Err(StreamableHttpError::AuthRequired(_)), Some(sent), Some((accounts, account))) = (&result, &token, &self.account)
            && accounts.refused(account, sent).await.is_ok()
        {
            let renewed = self.token().await?;
            if renewed.as_ref().is_some_and(|new| new.expose_secret() != sent.expose_secret()) {
                result = call(expose(&renewed)).await;
            }
        }
        if let Err(error) = &result {
            self.challenges.note(error);
        }
        result
    }
}

impl StreamableHttpClient for Signed {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session_id, auth_header, custom_headers, limits)
            .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.signed(auth_header, |token| {
            self.http.post_message_with_response_limits(
                Arc::clone(&uri),
                message.clone(),
                session_id.clone(),
                token,
                custom_headers.clone(),
                limits,
            )
        })
        .await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        self.signed(auth_header, |token| {
            self.http
                .delete_session(Arc::clone(&uri), Arc::clone(&session_id), token, custom_headers.clone())
        })
        .await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let most = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(uri, session_id, last_event_id, auth_header, custom_headers, most)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
        max_sse_event_size: usize,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        self.signed(auth_header, |token| {
            self.http.get_stream_with_max_sse_event_size(
                Arc::clone(&uri),
                session_id.clone(),
                last_event_id.clone(),
                token,
                custom_headers.clone(),
                max_sse_event_size,
            )
        })
        .await
    }
}
