//! What is too slow in the engine or was never meant to be written twice: text, base64, URLs, forms, randomness.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::json;
use url::{Url, quirks};

const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes from text with one character a byte; `None` when a character is over U+00FF.
pub(crate) fn from_binary(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The name of an encoding by its label, of those this host has.
pub(crate) fn encoding(label: &str) -> Option<&'static str> {
    let label = label.trim_matches(['\t', '\n', '\x0c', '\r', ' ']).to_ascii_lowercase();
    Some(match label.as_str() {
        "utf-8" | "utf8" | "unicode-1-1-utf-8" | "unicode11utf8" | "unicode20utf8" | "x-unicode20utf8" => "utf-8",
        "utf-16" | "utf-16le" | "csunicode" | "iso-10646-ucs-2" | "ucs-2" | "unicode" | "unicodefeff" => "utf-16le",
        "utf-16be" | "unicodefffe" => "utf-16be",
        "windows-1252" | "latin1" | "l1" | "ascii" | "us-ascii" | "iso-8859-1" | "iso8859-1" | "iso88591" | "iso_8859-1"
        | "iso_8859-1:1987" | "iso-ir-100" | "ansi_x3.4-1968" | "cp1252" | "cp819" | "csisolatin1" | "ibm819" | "x-cp1252" => {
            "windows-1252"
        }
        _ => return None,
    })
}

/// How many of these bytes are whole characters; the others are the beginning of one.
pub(crate) fn whole(bytes: &[u8], encoding: &str) -> usize {
    match encoding {
        "utf-8" => match std::str::from_utf8(&bytes[bytes.len().saturating_sub(4)..]) {
            Err(e) if e.error_len().is_none() => bytes.len().saturating_sub(4) + e.valid_up_to(),
            // A cut before the window leaves errors at its start; the end is what counts.
            Err(_) => incomplete_tail(bytes),
            Ok(_) => bytes.len(),
        },
        "utf-16le" | "utf-16be" => {
            let even = bytes.len() & !1;
            let high = even >= 2 && {
                let unit = [bytes[even - 2], bytes[even - 1]];
                let unit = if encoding == "utf-16le" {
                    u16::from_le_bytes(unit)
                } else {
                    u16::from_be_bytes(unit)
                };
                (0xd800..0xdc00).contains(&unit)
            };
            if high { even - 2 } else { even }
        }
        _ => bytes.len(),
    }
}

fn incomplete_tail(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let tail = &bytes[bytes.len() - back..];
        if let Err(e) = std::str::from_utf8(tail)
            && e.valid_up_to() == 0
            && e.error_len().is_none()
        {
            return bytes.len() - back;
        }
    }
    bytes.len()
}

/// Bytes as text; `None` when they are none and `fatal`.
pub(crate) fn decode(bytes: Vec<u8>, encoding: &str, fatal: bool) -> Option<String> {
    match encoding {
        "utf-8" => match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(_) if fatal => None,
            Err(e) => Some(String::from_utf8_lossy(e.as_bytes()).into_owned()),
        },
        "utf-16le" | "utf-16be" => {
            let unit = |pair: [u8; 2]| {
                if encoding == "utf-16le" {
                    u16::from_le_bytes(pair)
                } else {
                    u16::from_be_bytes(pair)
                }
            };
            let (pairs, rest) = bytes.as_chunks::<2>();
            let units = pairs.iter().map(|pair| unit(*pair));
            let mut text = String::with_capacity(bytes.len());
            for made in char::decode_utf16(units) {
                match made {
                    Ok(c) => text.push(c),
                    Err(_) if fatal => return None,
                    Err(_) => text.push(char::REPLACEMENT_CHARACTER),
                }
            }
            if !rest.is_empty() {
                if fatal {
                    return None;
                }
                text.push(char::REPLACEMENT_CHARACTER);
            }
            Some(text)
        }
        _ => Some(bytes.into_iter().map(windows_1252).collect()),
    }
}

fn windows_1252(byte: u8) -> char {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match byte {
        0x80..0xa0 => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

pub(crate) fn base64(binary: &str) -> Option<String> {
    Some(base64::engine::general_purpose::STANDARD.encode(from_binary(binary)?))
}

/// Bytes the host itself has written as base64.
pub(crate) fn bytes64(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

pub(crate) fn unbase64(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Some(FORGIVING.decode(plain).ok()?.into_iter().map(char::from).collect())
}

/// A URL's parts as JSON, in the words of the web's `URL`.
pub(crate) fn url(href: &str, base: Option<&str>) -> Option<String> {
    let base = base.map(Url::parse).transpose().ok()?;
    Some(parts(&Url::options().base_url(base.as_ref()).parse(href).ok()?))
}

/// The same URL with one part replaced; `None` when the part cannot have the value.
pub(crate) fn url_with(href: &str, part: &str, value: &str) -> Option<String> {
    let mut url = Url::parse(href).ok()?;
    // A part that cannot have the value stays as it is, which is what the web does; only the whole can be wrong.
    let set = match part {
        "href" => {
            url = Url::parse(value).ok()?;
            Ok(())
        }
        "protocol" => quirks::set_protocol(&mut url, value),
        "username" => quirks::set_username(&mut url, value),
        "password" => quirks::set_password(&mut url, value),
        "hostname" => quirks::set_hostname(&mut url, value),
        "host" => quirks::set_host(&mut url, value),
        "port" => quirks::set_port(&mut url, value),
        _ => {
            match part {
                "pathname" => quirks::set_pathname(&mut url, value),
                "search" => quirks::set_search(&mut url, value),
                "hash" => quirks::set_hash(&mut url, value),
                _ => return None,
            }
            Ok(())
        }
    };
    let _ = set;
    Some(parts(&url))
}

fn parts(url: &Url) -> String {
    json!({
        "href": quirks::href(url),
        "protocol": quirks::protocol(url),
        "username": quirks::username(url),
        "password": quirks::password(url),
        "host": quirks::host(url),
        "hostname": quirks::hostname(url),
        "port": quirks::port(url),
        "pathname": quirks::pathname(url),
        "search": quirks::search(url),
        "hash": quirks::hash(url),
        "origin": quirks::origin(url),
    })
    .to_string()
}

/// Parts of a multipart form as a JSON list of `{name, filename, type, start, end}`; `None` when it is none.
pub(crate) fn multipart(bytes: &[u8], boundary: &str) -> Option<String> {
    let find = |from: usize, what: &[u8]| bytes.get(from..)?.windows(what.len()).position(|w| w == what).map(|at| from + at);
    let line = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let mut parts = Vec::new();
    let mut at = find(0, line.as_bytes())? + line.len();
    loop {
        if bytes.get(at..at + 2)? == b"--" {
            return Some(json!(parts).to_string());
        }
        let head = find(at, b"\r\n")? + 2;
        let start = find(head.saturating_sub(2), b"\r\n\r\n")? + 4;
        let end = find(start.saturating_sub(2), next.as_bytes())?;
        let head = String::from_utf8_lossy(bytes.get(head..start)?).into_owned();
        let field = |name: &str| {
            let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
            lines
                .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
                .next()
        };
        let disposition = field("content-disposition").filter(|d| d.to_ascii_lowercase().starts_with("form-data"))?;
        let quoted = |key: &str| {
            let from = disposition.find(&format!("; {key}=\""))? + key.len() + 4;
            let text = disposition.get(from..)?.split('"').next()?;
            Some(text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
        };
        parts.push(json!({ "name": quoted("name")?, "filename": quoted("filename"), "type": field("content-type"), "start": start, "end": end.max(start) }));
        at = end + next.len();
    }
}

/// A query string as a JSON list of pairs.
pub(crate) fn query(text: &str) -> String {
    let pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes()).collect();
    json!(pairs).to_string()
}

/// A JSON list of pairs as a query string.
pub(crate) fn unquery(pairs: &str) -> String {
    let pairs: Vec<(String, String)> = serde_json::from_str(pairs).unwrap_or_default();
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Random bytes from the system.
pub(crate) fn random(length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length.min(65_536)];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
