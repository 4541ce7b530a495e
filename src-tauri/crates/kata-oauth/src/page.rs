//! The one page the browser shows at the end. No script, nothing loaded, nothing of the provider's own words in it.

/// What the page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// It worked.
    Done,
    /// It did not.
    Failed,
    /// Not an answer to a sign-in that is on its way.
    Unknown,
}

/// A whole answer, closed after it.
pub(crate) fn answer(page: Page) -> Vec<u8> {
    let (status, title, text) = match page {
        Page::Done => ("200 OK", "You are signed in", "You can close this page and go back to Kata Agents."),
        Page::Failed => (
            "200 OK",
            "The sign-in did not work",
            "Close this page; Kata Agents says why and lets you try again.",
        ),
        Page::Unknown => (
            "404 Not Found",
            "There is nothing here",
            "This address takes the answer to one sign-in of Kata Agents and nothing else.",
        ),
    };
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;\
         margin:20vh auto 0;padding:0 1.5rem}}h1{{font-size:1.25rem}}</style><h1>{title}</h1><p>{text}</p></html>"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
