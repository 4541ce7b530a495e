//! A page's text: tags gone, the common entities read, blocks on lines of their own. For reading, not for rendering.

/// Elements whose contents are not text of the page.
const SILENT: &[&str] = &["script", "style", "noscript", "template", "svg", "head"];
/// Elements that begin and end a line.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "tr",
    "table",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "pre",
    "blockquote",
    "dt",
    "dd",
    "hr",
    "form",
    "figure",
];

/// The text of a page.
pub(crate) fn text(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        push(&mut out, &rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let is_tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            out.push('<');
            rest = &rest[1..];
            continue;
        }
        let Some(end) = tag_end(rest) else { break };
        let name: String = rest[1..end]
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let opens = !rest[1..].starts_with('/') && !rest[..end].ends_with('/');
        if name == "title" || BLOCKS.contains(&name.as_str()) {
            line(&mut out);
            if name == "li" && opens {
                out.push_str("- ");
            }
        }
        rest = &rest[end + 1..];
        if opens && SILENT.contains(&name.as_str()) {
            rest = skip(rest, &name);
        }
    }
    push(&mut out, rest);
    out.trim().to_owned()
}

/// Where a tag ends: at the `>` that is in no quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (n, c) in tag.char_indices() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (None, '"' | '\'') if tag[..n].ends_with('=') => quote = Some(c),
            (None, '>') => return Some(n),
            _ => {}
        }
    }
    tag.find('>')
}

fn skip<'a>(rest: &'a str, name: &str) -> &'a str {
    let close = format!("</{name}");
    let lower = rest.to_ascii_lowercase();
    lower.find(&close).map_or("", |at| &rest[at..])
}

fn line(out: &mut String) {
    let end = out.trim_end_matches(' ').len();
    out.truncate(end);
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
}

/// Adds text: entities read, space drawn together.
fn push(out: &mut String, text: &str) {
    let decoded = entities(text);
    for c in decoded.chars() {
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with([' ', '\n']) {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
}

fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.char_indices().take(12).find(|(_, c)| *c == ';').map(|(n, _)| n);
        let read = end.and_then(|end| entity(&rest[1..end]).map(|c| (end, c)));
        match read {
            Some((end, c)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "mdash" => '—',
        "ndash" => '–',
        "hellip" => '…',
        "copy" => '©',
        "laquo" => '«',
        "raquo" => '»',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_page_becomes_its_text() {
        let page = "<html><head><title>T</title><style>p{}</style></head><body><h1>Hi &amp; low</h1><script>if (a<b) {}</script>\
                    <p title=\"a>b\">one<br>two &#x2014; <b>three</b></p><ul><li>x</li><li>y &lt; z</li></ul><!-- no -->1 < 2</body></html>";
        assert_eq!(text(page), "Hi & low\n\none\ntwo — three\n\n- x\n\n- y < z\n\n1 < 2");
    }

    #[test]
    fn a_broken_page_is_read_to_its_end() {
        for page in ["<", "<p", "<p title=\"", "&", "&#xffffffff;", "<script>", "<!--", "</", "é<é&é;"] {
            let _ = text(page);
        }
        assert_eq!(text("a <b>c"), "a c");
    }
}
