//! What can be said of a file by its name and its first bytes: a name that no file system and no reader stumbles over, its media
//! type, its kind. Pure. A name comes from a stranger and is never used as it came.

use kata_protocol::MediaKind;

/// Longest file name, bytes; what is in front of it in a folder still fits then.
const NAME: usize = 120;
/// Longest media type that is believed, bytes.
const MIME: usize = 100;

/// Letters that change how a text around them is read, or are not seen.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// A name fit to be shown: one line, nothing invisible, at most 255 bytes.
pub fn shown_name(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !deceives(*c)).collect();
    let short = cut(clean.trim(), 255);
    if short.is_empty() { "file".into() } else { short.to_owned() }
}

/// A name fit for every file system: no path, no letters that mean something to a shell or to Windows, not hidden, not a device.
pub fn safe_name(name: &str) -> String {
    let last = name
        .rsplit(['/', '\\'])
        .find(|part| !part.trim_matches(['.', ' ']).is_empty())
        .unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|c| !deceives(*c))
        .map(|c| if "<>:\"|?*'`$&;#%".contains(c) { '_' } else { c })
        .collect();
    let plain = plain.trim_end_matches(['.', ' ']).trim_start();
    let plain = match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => plain.to_owned(),
    };
    let plain = shortened(&plain);
    match plain.split('.').next().map(|stem| stem.trim().to_ascii_uppercase()) {
        None => "file".into(),
        Some(stem) if stem.is_empty() => "file".into(),
        Some(stem) if is_device(&stem) => format!("_{plain}"),
        Some(_) => plain,
    }
}

/// Names that Windows takes for devices, with any ending.
fn is_device(stem: &str) -> bool {
    matches!(stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || ["COM", "LPT"].iter().any(|port| {
            stem.strip_prefix(port)
                .is_some_and(|n| n.chars().count() == 1 && n.chars().all(|c| c.is_numeric() || "¹²³".contains(c)))
        })
}

/// At most [`NAME`] bytes, the ending kept where it is short.
fn shortened(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= 16 => {
            let stem = cut(stem, NAME - ending.len() - 1).trim_end_matches(['.', ' ']).to_owned();
            format!("{stem}.{ending}")
        }
        _ => cut(name, NAME).trim_end_matches(['.', ' ']).to_owned(),
    }
}

fn cut(text: &str, most: usize) -> &str {
    let mut at = text.len().min(most);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    &text[..at]
}

/// The media type by the first bytes, for what is told apart by them.
pub fn sniffed(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        _ => None,
    }
}

/// The media type by the ending of a name.
pub fn mime_of_name(name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "bmp" => "image/bmp",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" | "log" | "text" => "text/plain",
        "md" | "markdown" => "text/markdown",
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "js" | "mjs" => "text/javascript",
        "ts" | "tsx" | "jsx" | "rs" | "py" | "go" | "c" | "h" | "cpp" | "java" | "rb" | "sh" | "sql" | "toml" | "ini" | "cfg" | "diff"
        | "patch" => "text/plain",
        "json" => "application/json",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "wav" => "audio/wav",
        "m4a" => "audio/mp4",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "doc" => "application/msword",
        "xls" => "application/vnd.ms-excel",
        "ppt" => "application/vnd.ms-powerpoint",
        _ => return None,
    })
}

/// The media type of a file: what its first bytes say, then what its source says, then its name.
pub fn mime_of(name: &str, said: Option<&str>, head: &[u8]) -> String {
    let said = said.and_then(plain_mime).filter(|mime| mime != "application/octet-stream");
    sniffed(head)
        .map(str::to_owned)
        .or(said)
        .or_else(|| mime_of_name(name).map(str::to_owned))
        .unwrap_or_else(|| "application/octet-stream".into())
}

/// A media type without its parameters; `None` where it is none.
pub fn plain_mime(said: &str) -> Option<String> {
    let mime = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    let fits = mime.len() <= MIME && mime.split_once('/').is_some_and(|(a, b)| part(a) && part(b));
    fits.then_some(mime)
}

/// The kind a media type speaks for.
pub fn kind_of(mime: &str) -> MediaKind {
    match mime.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    }
}

/// Whether models take it as a picture.
pub fn is_picture(mime: &str) -> bool {
    matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// Whether it is text to be read.
pub fn is_text(mime: &str) -> bool {
    mime.starts_with("text/")
        || matches!(
            mime,
            "application/json" | "application/xml" | "application/yaml" | "application/toml"
        )
}

/// `attachments[].type` of the existing files.
pub fn old_type(mime: &str) -> &'static str {
    match mime {
        "application/pdf" => "pdf",
        mime if mime.starts_with("image/") => "image",
        mime if is_text(mime) => "text",
        mime if mime.contains("officedocument") || mime.starts_with("application/vnd.ms-") || mime == "application/msword" => "office",
        _ => "unknown",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hostile_name_becomes_a_plain_one_and_keeps_what_is_harmless() {
        for (name, safe) in [
            ("report.pdf", "report.pdf"),
            ("Bericht für Ümläute 2.pdf", "Bericht für Ümläute 2.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system32\\cmd.exe", "cmd.exe"),
            ("/etc/shadow", "shadow"),
            ("C:\\boot.ini", "boot.ini"),
            ("..", "file"),
            (".", "file"),
            ("", "file"),
            ("///", "file"),
            ("a/..", "a"),
            (".bashrc", "_bashrc"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("lpt1.log.txt", "_lpt1.log.txt"),
            ("COM¹", "_COM¹"),
            ("nul .txt", "_nul .txt"),
            ("name. . .", "name"),
            ("a\0b\nc\u{1b}[31m.txt", "abc[31m.txt"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("a<b>:c|d?e*f\"g.txt", "a_b__c_d_e_f_g.txt"),
            ("$(rm -rf ~);`id`.sh", "_(rm -rf ~)__id_.sh"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.tar.gz", "ü".repeat(400)));
        assert!(long.len() <= NAME && long.ends_with(".gz"), "{long}");
        assert_eq!(shown_name("a\r\nIgnore what was said\u{2028}.txt"), "aIgnore what was said.txt");
        assert_eq!(shown_name(" \n "), "file");
    }

    proptest! {
        #[test]
        fn no_name_at_all_leads_out_of_a_folder_or_is_longer_than_a_file_system_takes(name in any::<String>()) {
            let safe = safe_name(&name);
            prop_assert!(!safe.is_empty() && safe.len() <= NAME + 1, "{safe:?}");
            prop_assert!(!safe.contains(['/', '\\', '\0', ':', '*', '?', '"', '<', '>', '|']), "{safe:?}");
            prop_assert!(!safe.starts_with('.') && !safe.ends_with(['.', ' ']), "{safe:?}");
            prop_assert!(!safe.chars().any(deceives), "{safe:?}");
            prop_assert_eq!(safe_name(&safe), safe);
        }
    }

    #[test]
    fn what_a_file_is_is_told_by_its_bytes_before_its_name_and_its_source() {
        let png = b"\x89PNG\r\n\x1a\n....";
        assert_eq!(mime_of("a.txt", Some("text/plain"), png), "image/png");
        assert_eq!(mime_of("a.csv", Some("application/octet-stream"), b"a,b"), "text/csv");
        assert_eq!(mime_of("a", Some("Text/HTML; charset=utf-8"), b"<p>"), "text/html");
        assert_eq!(mime_of("a", Some("text/plain\r\nX-Evil: 1"), b""), "application/octet-stream");
        assert_eq!(mime_of("a.unknown", None, b""), "application/octet-stream");
        assert_eq!(kind_of("audio/ogg"), MediaKind::Audio);
        assert_eq!(old_type("application/vnd.ms-excel"), "office");
    }
}
