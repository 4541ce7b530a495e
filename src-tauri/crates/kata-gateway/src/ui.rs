//! The window's files for a browser. A path without a file ending that is no file is a page of the window: `index.html`.

use crate::gateway::Shared;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NO_WINDOW: &str = "Kata Agents runs here. The web window is not installed beside it; use the desktop app or `kata status`.\n";

pub(crate) async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(root) = &shared.ui_dir else {
        return plain(StatusCode::OK, NO_WINDOW);
    };
    let Ok(root) = tokio::fs::canonicalize(root).await else {
        return plain(StatusCode::OK, NO_WINDOW);
    };
    let path = request.uri().path();
    let Some(relative) = relative(path) else {
        return plain(StatusCode::NOT_FOUND, "no such file\n");
    };
    if let Some(found) = read(&root, &relative).await {
        return file(&relative, found, &shared);
    }
    let index = Path::new("index.html");
    // A missing script must not come back as a page: the browser would complain about the wrong thing.
    if relative.extension().is_none()
        && let Some(found) = read(&root, index).await
    {
        return file(index, found, &shared);
    }
    plain(StatusCode::NOT_FOUND, "no such file\n")
}

/// The path below the folder. Refuses what could leave it: `..`, hidden files, backslashes, and every `%` (no file of the
/// window needs one).
fn relative(path: &str) -> Option<PathBuf> {
    if path.contains(['%', '\\', ':', '\0']) {
        return None;
    }
    let mut relative = PathBuf::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if part.starts_with('.') {
            return None;
        }
        relative.push(part);
    }
    if relative.as_os_str().is_empty() {
        relative.push("index.html");
    }
    Some(relative)
}

/// Reads a file that truly lies below the folder; a link that leads out of it is no file.
async fn read(root: &Path, relative: &Path) -> Option<Vec<u8>> {
    let path = tokio::fs::canonicalize(root.join(relative)).await.ok()?;
    if !path.starts_with(root) || !tokio::fs::metadata(&path).await.ok()?.is_file() {
        return None;
    }
    tokio::fs::read(&path).await.ok()
}

fn file(relative: &Path, content: Vec<u8>, shared: &Shared) -> Response {
    let kind = mime_guess::from_path(relative).first_or_octet_stream();
    let html = kind.essence_str() == "text/html";
    let content_type = if kind.type_() == "text" || kind.subtype() == "javascript" {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_string()
    };
    // The build names what lies in assets/ after its content.
    let cache = match relative.starts_with("assets") {
        _ if html => "no-store",
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(value) = HeaderValue::try_from(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    if let Ok(value) = HeaderValue::try_from(policy(shared)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// Scripts only from the build. Styles also inline, because the component library sets them so; a style cannot run anything.
/// The socket is named, because older WebKit does not count it as `'self'`.
fn policy(shared: &Shared) -> String {
    let port = shared.port;
    let tunnels: String = shared
        .guard
        .others()
        .iter()
        .map(|host| format!(" {}", host.origin().replacen("http", "ws", 1)))
        .collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; \
         connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}{tunnels}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leaves_the_folder() {
        for bad in [
            "/../secret",
            "/a/../../secret",
            "/..",
            "/%2e%2e/secret",
            "/a%2f..%2fb",
            "/.env",
            "/a/.git/config",
            "/..\\secret",
            "/c:/x",
        ] {
            assert_eq!(relative(bad), None, "{bad}");
        }
        assert_eq!(relative("/"), Some("index.html".into()));
        assert_eq!(relative("//assets//app.js"), Some("assets/app.js".into()));
    }
}
