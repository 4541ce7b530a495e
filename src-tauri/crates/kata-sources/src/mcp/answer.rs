//! What a server's tool gave, as text for the model. Pictures and sounds are described, not shown: a tool's outcome is text.

use rmcp::ServiceError;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

/// Longest text that is handed on, bytes; what is longer is cut and the model told.
pub(crate) const MOST: usize = 200 * 1024;

/// A result and whether it failed.
pub(crate) fn result(result: &CallToolResult) -> (String, bool) {
    let mut parts: Vec<String> = result.content.iter().map(block).filter(|t| !t.is_empty()).collect();
    if parts.is_empty()
        && let Some(value) = &result.structured_content
    {
        parts.push(serde_json::to_string_pretty(value).unwrap_or_default());
    }
    if parts.is_empty() {
        parts.push("(The tool gave nothing.)".into());
    }
    (cut(parts.join("\n")), result.is_error == Some(true))
}

/// An error of the protocol, for the model. Python servers answer bad arguments and unknown tools with it, others with `is_error`.
pub(crate) fn failed(error: &ServiceError) -> String {
    match error {
        ServiceError::McpError(error) => {
            let data = error
                .data
                .as_ref()
                .filter(|d| !d.is_null())
                .map(|d| format!(" {d}"))
                .unwrap_or_default();
            cut(format!(
                "The server refused the call: {} (code {}){data}",
                error.message, error.code.0
            ))
        }
        other => format!("The call failed: {other}."),
    }
}

/// Cuts a text where a character ends.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() <= MOST {
        return text;
    }
    let whole = text.len();
    let mut at = MOST;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.truncate(at);
    text.push_str(&format!("\n[Cut: the first {at} of {whole} bytes. Ask for less at a time.]"));
    text
}

fn block(block: &ContentBlock) -> String {
    let size = |data: &str| data.len() / 4 * 3;
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => format!(
            "[A picture, {}, about {} bytes; it is not shown.]",
            image.mime_type,
            size(&image.data)
        ),
        ContentBlock::Audio(audio) => format!(
            "[A sound, {}, about {} bytes; it is not played.]",
            audio.mime_type,
            size(&audio.data)
        ),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("[{uri}]\n{text}"),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => format!(
                "[{uri}, {}, about {} bytes; it is not shown.]",
                mime_type.as_deref().unwrap_or("of unknown type"),
                size(blob)
            ),
            _ => "[A resource of a kind that is not known here.]".into(),
        },
        ContentBlock::ResourceLink(link) => {
            let about = link.description.as_deref().map(|d| format!(": {d}")).unwrap_or_default();
            format!("[{} at {}{about}]", link.title.as_deref().unwrap_or(&link.name), link.uri)
        }
        _ => "[Something of a kind that is not known here.]".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(content: serde_json::Value) -> (String, bool) {
        result(&serde_json::from_value(content).unwrap())
    }

    #[test]
    fn pictures_and_resources_are_described_and_a_long_text_is_cut_where_a_character_ends() {
        let (told, failed) = text(json!({ "isError": true, "content": [
            { "type": "text", "text": "Two things:" },
            { "type": "image", "data": "AAAA", "mimeType": "image/png" },
            { "type": "resource", "resource": { "uri": "demo://1", "mimeType": "text/plain", "text": "hello" } },
            { "type": "resource", "resource": { "uri": "demo://2", "blob": "AAAAAAAA" } },
            { "type": "resource_link", "uri": "file:///a.txt", "name": "a", "description": "a note" },
        ] }));
        assert!(failed);
        assert_eq!(
            told,
            "Two things:\n[A picture, image/png, about 3 bytes; it is not shown.]\n[demo://1]\nhello\n\
             [demo://2, of unknown type, about 6 bytes; it is not shown.]\n[a at file:///a.txt: a note]"
        );
        assert_eq!(
            text(json!({ "content": [], "structuredContent": { "a": 1 } })).0,
            "{\n  \"a\": 1\n}"
        );
        assert_eq!(text(json!({ "content": [] })), ("(The tool gave nothing.)".into(), false));
        let long = cut("é".repeat(MOST));
        assert!(long.len() < MOST + 100 && long.contains("[Cut: the first "));
    }
}
