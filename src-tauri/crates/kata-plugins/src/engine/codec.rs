//! What is too slow in the engine or was never meant to be written twice: text, base64, URLs, digests, randomness.
//! Bytes come from JavaScript as text with one character a byte.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::{Digest, Sha256, Sha384, Sha512};
use url::Url;

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

/// UTF-8 bytes as text; `None` when they are none and `fatal`.
pub(crate) fn decode(binary: &str, fatal: bool) -> Option<String> {
    match String::from_utf8(from_binary(binary)?) {
        Ok(text) => Some(text),
        Err(_) if fatal => None,
        Err(e) => Some(String::from_utf8_lossy(e.as_bytes()).into_owned()),
    }
}

pub(crate) fn base64(binary: &str) -> Option<String> {
    Some(base64::engine::general_purpose::STANDARD.encode(from_binary(binary)?))
}

pub(crate) fn unbase64(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Some(FORGIVING.decode(plain).ok()?.into_iter().map(char::from).collect())
}

pub(crate) fn digest(hash: &str, data: &str) -> Option<Vec<u8>> {
    let data = from_binary(data)?;
    Some(match hash {
        "SHA-256" => Sha256::digest(data).to_vec(),
        "SHA-384" => Sha384::digest(data).to_vec(),
        "SHA-512" => Sha512::digest(data).to_vec(),
        _ => return None,
    })
}

pub(crate) fn hmac(hash: &str, key: &str, data: &str) -> Option<Vec<u8>> {
    let (key, data) = (from_binary(key)?, from_binary(data)?);
    fn with<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
        mac.update(data);
        Some(mac.finalize().into_bytes().to_vec())
    }
    match hash {
        "SHA-256" => with::<Hmac<Sha256>>(&key, &data),
        "SHA-384" => with::<Hmac<Sha384>>(&key, &data),
        "SHA-512" => with::<Hmac<Sha512>>(&key, &data),
        _ => None,
    }
}

/// A URL's parts as JSON, in the words of the web's `URL`.
pub(crate) fn url(href: &str, base: Option<&str>) -> Option<String> {
    let base = base.map(Url::parse).transpose().ok()?;
    Some(parts(&Url::options().base_url(base.as_ref()).parse(href).ok()?))
}

/// The same URL with one part replaced; `None` when the part cannot have the value.
pub(crate) fn url_with(href: &str, part: &str, value: &str) -> Option<String> {
    let mut url = Url::parse(href).ok()?;
    let strip = |lead: char| Some(value.strip_prefix(lead).unwrap_or(value)).filter(|v| !v.is_empty());
    match part {
        "href" => url = Url::parse(value).ok()?,
        "protocol" => url.set_scheme(value.trim_end_matches(':')).ok()?,
        "username" => url.set_username(value).ok()?,
        "password" => url.set_password(Some(value).filter(|v| !v.is_empty())).ok()?,
        "hostname" => url.set_host(Some(value)).ok()?,
        "port" => url.set_port(if value.is_empty() { None } else { Some(value.parse().ok()?) }).ok()?,
        "host" => match value.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()) {
            Some((host, port)) => {
                url.set_host(Some(host)).ok()?;
                url.set_port(port.parse().ok()).ok()?;
            }
            None => url.set_host(Some(value)).ok()?,
        },
        "pathname" => url.set_path(value),
        "search" => url.set_query(strip('?')),
        "hash" => url.set_fragment(strip('#')),
        _ => return None,
    }
    Some(parts(&url))
}

fn parts(url: &Url) -> String {
    let host = url.host_str().unwrap_or("");
    let port = url.port().map(|p| p.to_string()).unwrap_or_default();
    json!({
        "href": url.as_str(),
        "protocol": format!("{}:", url.scheme()),
        "username": url.username(),
        "password": url.password().unwrap_or(""),
        "host": if port.is_empty() { host.to_owned() } else { format!("{host}:{port}") },
        "hostname": host,
        "port": port,
        "pathname": url.path(),
        "search": url.query().filter(|q| !q.is_empty()).map(|q| format!("?{q}")).unwrap_or_default(),
        "hash": url.fragment().filter(|f| !f.is_empty()).map(|f| format!("#{f}")).unwrap_or_default(),
        "origin": url.origin().ascii_serialization(),
    })
    .to_string()
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
