//! A server for updates on this machine: one release, as it is or spoilt.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What is offered, and how it is spoilt.
#[derive(Clone, Default)]
pub(crate) struct Offer {
    package: Option<&'static str>,
    version: String,
    tampered: bool,
    cut: bool,
}

impl Offer {
    /// A package of the folder that `cargo xtask updates` filled.
    pub(crate) fn package(name: &str, version: &str) -> Self {
        let names = ["n1.deb", "never.deb", "dies.deb"];
        Self {
            package: Some(names.into_iter().find(|known| *known == name).expect("a package that was made")),
            version: version.into(),
            ..Self::default()
        }
    }

    /// No list of versions at all.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// A byte in the middle is another one.
    pub(crate) fn tampered(self) -> Self {
        Self { tampered: true, ..self }
    }

    /// The connection ends half-way.
    pub(crate) fn cut(self) -> Self {
        Self { cut: true, ..self }
    }
}

/// The folder with packages.
pub(crate) fn packages() -> PathBuf {
    std::env::var_os("KATA_UPDATES")
        .expect("KATA_UPDATES names the packages; run this with `cargo xtask updates`")
        .into()
}

pub(crate) struct Server {
    pub(crate) base: String,
    offer: Arc<Mutex<Offer>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(offer: Offer) -> Self {
        let offer = Arc::new(Mutex::new(offer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/latest.json", get(latest))
            .route("/{package}", get(package))
            .with_state((Arc::clone(&offer), base.clone()));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base, offer, task }
    }

    pub(crate) fn offer(&self, offer: Offer) {
        *self.offer.lock().unwrap() = offer;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = (Arc<Mutex<Offer>>, String);

async fn latest(State((offer, base)): State<Shared>) -> Response {
    let offer = offer.lock().unwrap().clone();
    let Some(package) = offer.package else {
        return (StatusCode::OK, "<html>not here</html>").into_response();
    };
    let signature = std::fs::read_to_string(packages().join(format!("{package}.sig"))).unwrap();
    let platform = json!({ "signature": signature.trim(), "url": format!("{base}/{package}") });
    let release = json!({
        "version": offer.version, "notes": "## News\n\n- *better*", "pub_date": "2026-11-26T18:00:00Z",
        "platforms": { format!("linux-{}-deb", std::env::consts::ARCH): platform },
    });
    axum::Json(release).into_response()
}

async fn package(State((offer, _)): State<Shared>, Path(name): Path<String>) -> Response {
    let offer = offer.lock().unwrap().clone();
    if offer.package != Some(name.as_str()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut bytes = std::fs::read(packages().join(name)).unwrap();
    if offer.tampered {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    let length = bytes.len();
    if !offer.cut {
        return ([(header::CONTENT_LENGTH, length)], bytes).into_response();
    }
    bytes.truncate(length / 2);
    let pieces: Vec<_> = bytes.chunks(1 << 20).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let broken = std::iter::once(Err(std::io::Error::other("cut")));
    let body = Body::from_stream(futures::stream::iter(pieces.into_iter().chain(broken)));
    ([(header::CONTENT_LENGTH, length)], body).into_response()
}
