//! Links `kata://…` from outside: a web page, a mail, another program. Anybody can write one, so a link only ever shows something.
//!
//! It names a place of the window, or a text for the composer of a new chat, which the person reads and sends or does not. There is no
//! link that sends, answers, changes or runs anything; what is not known here is shown as unknown and does nothing.
//!
//! Deliberately absent: IO. What becomes of a [`Place`] is [`crate::places`]'s.

use crate::places::Place;
use tauri::Url;

/// What a link begins with.
const SCHEME: &str = "kata:";
/// Longest link that is looked at, bytes.
const LONGEST: usize = 32 * 1024;
/// Longest text for a composer, characters; the rest is cut off.
const TEXT: usize = 4_000;
/// Longest name in a link, characters.
const NAME: usize = 256;
/// Of a link that leads nowhere this much is shown, characters.
const SHOWN: usize = 80;

/// Whether an argument of the program is meant as a link.
pub(crate) fn is_link(argument: &str) -> bool {
    argument
        .get(..SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
}

/// Where a link leads; `None`: just the window.
pub(crate) fn parse(link: &str) -> Option<Place> {
    read(link).unwrap_or_else(|| {
        Some(Place::Unknown {
            link: plain(link, SHOWN, false).0,
        })
    })
}

/// `None`: it leads nowhere.
fn read(link: &str) -> Option<Option<Place>> {
    if link.len() > LONGEST {
        return None;
    }
    let url = Url::parse(link.trim()).ok().filter(|url| url.scheme() == "kata")?;
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
        return None;
    }
    let mut parts = vec![url.host_str().unwrap_or_default().to_ascii_lowercase()];
    for part in url.path().split('/').filter(|part| !part.is_empty()) {
        parts.push(decoded(part)?);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let route = match parts.as_slice() {
        [] | ["open"] => return Some(None),
        ["new"] => return Some(compose(&url)),
        ["session" | "sessions", id] => format!("/sessions/all/{}", name(id)?),
        ["source" | "sources", id] => format!("/sources/{}", name(id)?),
        ["plugin" | "plugins", id] => format!("/plugins/{}", name(id)?),
        ["trace" | "traces", id] => format!("/traces/{}", name(id)?),
        ["settings", section] => format!("/settings/{}", name(section)?),
        ["sessions"] => "/sessions/all".to_owned(),
        [place @ ("sources" | "plugins" | "traces" | "settings" | "waiting" | "letters" | "routing" | "hooks")] => format!("/{place}"),
        _ => return None,
    };
    Some(Some(Place::Route { route }))
}

fn compose(url: &Url) -> Option<Place> {
    let (_, text) = url.query_pairs().find(|(key, _)| key == "text")?;
    let (text, cut) = plain(&text, TEXT, true);
    (!text.trim().is_empty()).then_some(Place::Compose { text, cut })
}

/// An id as it stands in a route of the window. What ids here are made of needs no escape but for the colon.
fn name(part: &str) -> Option<String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.:@".contains(c);
    let fits = part.chars().count() <= NAME && part.chars().all(known) && !part.starts_with('.');
    fits.then(|| part.replace(':', "%3A").replace('@', "%40"))
}

/// Percent-decoding of one part; `None` where it is no text.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (high, low) = (digit(rest.next())?, digit(rest.next())?);
        bytes.push(high * 16 + low);
    }
    String::from_utf8(bytes).ok()
}

/// Text without what does not show or shows as something else: control characters, direction marks, characters of no width and tags.
/// Answers whether it was cut.
fn plain(text: &str, most: usize, lines: bool) -> (String, bool) {
    let hidden = |c: char| {
        matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
    };
    let shown = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !hidden(*c) && (!c.is_control() || lines && matches!(c, '\n' | '\t')))
        .collect::<String>();
    match shown.char_indices().nth(most) {
        Some((end, _)) => (shown[..end].to_owned(), true),
        None => (shown, false),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn route(link: &str) -> String {
        match parse(link) {
            Some(Place::Route { route }) => route,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_link_leads_to_the_place_it_names() {
        assert_eq!(route("kata://session/261120-swift-crane"), "/sessions/all/261120-swift-crane");
        assert_eq!(route("KATA://Sources/channel:telegram@work"), "/sources/channel%3Atelegram%40work");
        assert_eq!(route("kata://sources/channel%3Atelegram"), "/sources/channel%3Atelegram");
        assert_eq!(route("kata://plugins/echo"), "/plugins/echo");
        assert_eq!(route("kata://settings/models"), "/settings/models");
        assert_eq!(route("kata://waiting"), "/waiting");
        assert_eq!(route("kata://letters/"), "/letters");
        assert_eq!(parse("kata://"), None);
        assert_eq!(parse("kata:"), None);
        assert_eq!(parse("kata://open"), None);
    }

    #[test]
    fn a_link_with_a_text_fills_a_composer_and_there_is_no_other_kind() {
        let text = |text: &str| {
            Some(Place::Compose {
                text: text.into(),
                cut: false,
            })
        };
        assert_eq!(
            parse("kata://new?text=hello%20there%0Asecond+line"),
            text("hello there\nsecond line")
        );
        assert_eq!(
            parse("kata://new?send=1&run=true&mode=allow-all&text=hi#go"),
            text("hi"),
            "nothing else counts"
        );
        assert_eq!(
            parse("kata://new?text=/tool%20bash"),
            text("/tool bash"),
            "a slash is a letter like any other until it is sent"
        );
        assert_eq!(parse("kata://new"), None);
        assert_eq!(parse("kata://new?text=%20%0A"), None, "nothing to read is nothing to fill in");
    }

    #[test]
    fn a_text_has_no_characters_that_cannot_be_seen_and_an_end() {
        let hidden = "a\u{0}\u{1b}[31m\u{7}b\u{202e}c\u{200b}d\u{e0041}\u{e007f}e\u{2066}f\u{feff}g\rh\u{85}i\u{ad}j";
        let encoded: String = hidden.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let Some(Place::Compose { text, cut }) = parse(&format!("kata://new?text={encoded}")) else {
            panic!("no text")
        };
        assert_eq!((text.as_str(), cut), ("a[31mbcdefghij", false));
        let long = "é".repeat(TEXT + 1);
        let Some(Place::Compose { text, cut }) = parse(&format!("kata://new?text={long}")) else {
            panic!("no text")
        };
        assert_eq!((text.chars().count(), cut), (TEXT, true));
    }

    #[test]
    fn what_leads_nowhere_is_shown_as_it_is_and_does_nothing() {
        let hostile = [
            "kata://session/",
            "kata://session/a/b",
            "kata://session/..%2f..%2fetc%2fpasswd",
            "kata://session/%2e%2e",
            "kata://session/a%00b",
            "kata://session/a%ff",
            "kata://session/a%2",
            "kata://session/a%zz",
            "kata://session/%3Cscript%3E",
            "kata://session/a%0d%0ab",
            "kata://session/a b",
            "kata://session/\u{202e}abc",
            "kata://session/a%23%2fsettings",
            "kata://user:secret@session/a",
            "kata://session:80/a",
            "kata://run?text=hi",
            "kata://approve/K7Q2XY",
            "kata://pair/approve/K7Q2XY",
            "kata://install?plugin=https://example.com/x.tar.gz",
            "kata://new/now?text=hi",
            "kata://javascript:alert(1)",
            "kata://[::1",
            "kata:session/a%",
            "https://session/a",
            "javascript:alert(1)",
            "",
        ];
        for link in hostile {
            let place = parse(link);
            assert!(
                matches!(&place, Some(Place::Unknown { link }) if link.chars().count() <= SHOWN),
                "{link}: {place:?}"
            );
        }
        let long = format!("kata://session/{}", "a".repeat(NAME + 1));
        assert!(matches!(parse(&long), Some(Place::Unknown { .. })));
        let huge = format!("kata://new?text={}", "a".repeat(LONGEST));
        assert!(matches!(parse(&huge), Some(Place::Unknown { link }) if link.len() == SHOWN));
        let Some(Place::Unknown { link }) = parse("kata://x\u{1b}[2J\u{202e}y\n") else {
            panic!("it is known")
        };
        assert_eq!(link, "kata://x[2Jy");
    }

    #[test]
    fn whatever_a_link_is_made_of_it_becomes_a_place_and_no_panic() {
        let alphabet = [
            "kata://", "new", "?text=", "session", "/", "%", "%00", "..", "é", "\u{202e}", "&", "#", ":", "@", "\n", "A", "9", " ",
        ];
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut link = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                link.push_str(alphabet[usize::try_from(seed >> 33).unwrap() % alphabet.len()]);
            }
            match parse(&link) {
                Some(Place::Route { route }) => assert!(
                    route.starts_with('/') && route.bytes().all(|b| b.is_ascii_graphic()) && !route.contains(".."),
                    "{link:?}: {route}"
                ),
                Some(Place::Compose { text, .. }) => assert!(!text.contains(['\u{202e}', '\u{0}']), "{link:?}: {text:?}"),
                Some(Place::Unknown { .. }) | None => {}
            }
        }
    }

    #[test]
    fn only_arguments_of_our_scheme_are_links() {
        assert!(is_link("kata://x") && is_link("KATA:") && is_link("kata:new"));
        assert!(!is_link("--hidden") && !is_link("kat") && !is_link("https://kata://") && !is_link("é"));
    }
}
