//! Cuts a text to a channel's limit: at a paragraph, else a line, else a word, else between characters as a person sees them.
//!
//! Never cut: a grapheme cluster, an HTML entity, a line that opens or closes a fence. A fenced block that is cut is closed and
//! opened again, so that each part is whole; this is the only thing that is added. What is left out is the white space a cut falls
//! into, and in a fenced block no more than its one line end. A part is never longer than the limit: only for that is a cluster
//! or an entity cut that is itself longer than what the fence lines leave, and a block is cut open where these lines would take
//! half of the limit.

use kata_protocol::TextUnit;
use unicode_segmentation::UnicodeSegmentation;

/// Shortest limit there is.
const SHORTEST: usize = 16;
/// Longest entity, `&CounterClockwiseContourIntegral;` among them.
const ENTITY: usize = 40;

/// Parts of `text`, each at most `max` units long. An empty text has no parts. `max` below 16 counts as 16.
pub fn chunk(text: &str, max: u32, unit: TextUnit) -> Vec<String> {
    pieces(text, (max as usize).max(SHORTEST), unit).iter().map(Piece::text).collect()
}

/// Length of a text in a channel's unit.
pub fn length(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Chars => text.chars().count(),
        TextUnit::Utf16 => text.encode_utf16().count(),
        TextUnit::Bytes => text.len(),
    }
}

/// A slice of the text with the fence lines that it needs.
#[derive(Debug)]
struct Piece<'a> {
    opening: String,
    body: &'a str,
    closing: String,
}

impl Piece<'_> {
    fn text(&self) -> String {
        format!("{}{}{}", self.opening, self.body, self.closing)
    }
}

/// An open fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fence {
    mark: char,
    count: usize,
    info: String,
}

impl Fence {
    /// The fence a line opens.
    fn opened_by(line: &str) -> Option<Self> {
        let line = line.trim();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let count = line.chars().take_while(|c| *c == mark).count();
        let info = &line[count..];
        (count >= 3 && !(mark == '`' && info.contains('`'))).then(|| Self {
            mark,
            count,
            info: info.to_owned(),
        })
    }

    fn closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.chars().count() >= self.count && line.chars().all(|c| c == self.mark)
    }

    fn bare(&self) -> String {
        self.mark.to_string().repeat(self.count)
    }

    /// The line that opens it again; without its language where that would take a quarter of the room.
    fn opening(&self, max: usize, unit: TextUnit) -> String {
        let info = if length(&self.info, unit) > max / 4 { "" } else { &self.info };
        format!("{}{info}\n", self.bare())
    }

    fn closing(&self) -> String {
        format!("\n{}", self.bare())
    }

    /// Whether opening and closing leave half of the room.
    fn fits(&self, max: usize) -> bool {
        // Fence marks are one unit each, whatever the unit.
        2 * (self.count + 1) <= max / 2
    }
}

fn pieces(text: &str, max: usize, unit: TextUnit) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = skip_space(text);
    rest = &rest[..rest.len() - space_behind(rest)];
    let mut fence: Option<Fence> = None;
    while !rest.is_empty() {
        let shown = fence.as_ref().filter(|f| f.fits(max));
        let opening = shown.map(|f| f.opening(max, unit)).unwrap_or_default();
        let used = length(&opening, unit);
        if used + length(rest, unit) <= max {
            pieces.push(Piece {
                opening,
                body: rest,
                closing: String::new(),
            });
            break;
        }
        let mut room = max - used;
        let (cut, after, closing) = loop {
            let cut = boundary(rest, room, unit, fence.as_ref());
            let after = fence_behind(&rest[..cut], fence.clone());
            let closing = after.as_ref().filter(|f| f.fits(max)).map(Fence::closing).unwrap_or_default();
            let over = (used + length(&rest[..cut], unit) + length(&closing, unit)).saturating_sub(max);
            if over == 0 || room == 1 {
                break (cut, after, closing);
            }
            room = room.saturating_sub(over).max(1);
        };
        let (head, tail) = rest.split_at(cut);
        let (body, next) = if after.is_some() {
            // Code: the line end that the cut falls on is the one the fence lines bring with them.
            let body = head.strip_suffix("\r\n").or(head.strip_suffix('\n')).unwrap_or(head);
            (
                body,
                if body.len() == head.len() {
                    tail.strip_prefix("\r\n").or(tail.strip_prefix('\n')).unwrap_or(tail)
                } else {
                    tail
                },
            )
        } else {
            (&head[..head.len() - space_behind(head)], skip_space(tail))
        };
        if !body.is_empty() {
            pieces.push(Piece { opening, body, closing });
        }
        (fence, rest) = (after, next);
    }
    pieces
}

/// The fence that is open behind `head`, when `open` was open before it.
fn fence_behind(head: &str, mut open: Option<Fence>) -> Option<Fence> {
    for line in head.lines() {
        open = match open {
            Some(fence) if fence.closed_by(line) => None,
            Some(fence) => Some(fence),
            None => Fence::opened_by(line),
        };
    }
    open
}

/// Byte position of the best cut within `room` units; at least one character.
fn boundary(text: &str, room: usize, unit: TextUnit, fence: Option<&Fence>) -> usize {
    let (mut used, mut end) = (0, 0);
    let (mut paragraph, mut line, mut word) = (None, None, None);
    let mut newline_before = None;
    for atom in atoms(text) {
        let size = length(atom, unit);
        if used + size > room {
            break;
        }
        if atom.contains('\n') {
            line = Some(end);
            if let Some(before) = newline_before {
                paragraph = Some(before);
            }
            newline_before.get_or_insert(end);
        } else {
            newline_before = None;
        }
        if is_space(atom) {
            word = Some(end);
        }
        used += size;
        end += atom.len();
    }
    // A cut that falls just before white space is as good as one inside.
    let next = atoms(&text[end..]).next().unwrap_or_default();
    if next.contains('\n') {
        line = Some(end);
    } else if is_space(next) {
        word = Some(end);
    }
    if end == 0 {
        // One cluster is longer than the room.
        let mut used = 0;
        let fits = text.char_indices().take_while(|(_, c)| {
            used += length(c.encode_utf8(&mut [0; 4]), unit);
            used <= room
        });
        return fits
            .last()
            .map_or(0, |(at, c)| at + c.len_utf8())
            .max(text.chars().next().map_or(0, char::len_utf8));
    }
    // A cut in the first half would make many short parts.
    let late = |at: &usize| *at > end / 2;
    let cut = paragraph.filter(late).or(line.filter(late)).or(word.filter(late)).unwrap_or(end);
    before_fence(text, cut, fence)
}

/// The cut, or the beginning of the line it is in or behind, where that line opens or closes a block and something is before it.
fn before_fence(text: &str, cut: usize, fence: Option<&Fence>) -> usize {
    let start = text[..cut].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let open = fence_behind(&text[..start], fence.cloned());
    let (opens, closes) = match &open {
        None => (Fence::opened_by(line).is_some(), false),
        Some(open) => (false, open.closed_by(line)),
    };
    let inside = cut < start + line.len();
    if start > 0 && cut > start && (opens || closes && inside) {
        start
    } else {
        cut
    }
}

/// What a cut may fall between: grapheme clusters, and entities as a whole.
fn atoms(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let whole = entity(rest);
        let mut end = 0;
        for cluster in rest.graphemes(true) {
            end += cluster.len();
            if end >= whole {
                break;
            }
        }
        let (atom, next) = rest.split_at(end);
        rest = next;
        (!atom.is_empty()).then_some(atom)
    })
}

/// Bytes of the entity the text begins with.
fn entity(text: &str) -> usize {
    let Some(name) = text.strip_prefix('&') else { return 0 };
    let end = name.bytes().take(ENTITY).position(|b| !(b.is_ascii_alphanumeric() || b == b'#'));
    match end {
        Some(at) if at > 0 && name.as_bytes()[at] == b';' => at + 2,
        _ => 0,
    }
}

fn is_space(atom: &str) -> bool {
    !atom.is_empty() && atom.chars().all(char::is_whitespace)
}

/// Without the white space before it.
fn skip_space(text: &str) -> &str {
    let space: usize = text.graphemes(true).take_while(|atom| is_space(atom)).map(str::len).sum();
    &text[space..]
}

/// Bytes of white space behind it.
fn space_behind(text: &str) -> usize {
    text.graphemes(true).rev().take_while(|atom| is_space(atom)).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_part_and_an_empty_one_none() {
        assert_eq!(chunk("hi", 4096, TextUnit::Utf16), ["hi"]);
        assert!(chunk(" \n", 4096, TextUnit::Utf16).is_empty());
    }

    #[test]
    fn a_cut_code_block_is_closed_and_opened_again() {
        let text = format!("```rust\n{}```\nend", "let a = 1;\n".repeat(20));
        let parts = chunk(&text, 100, TextUnit::Chars);
        assert!(parts.len() > 2);
        for part in &parts {
            assert_eq!(part.matches("```").count() % 2, 0, "{part}");
        }
        assert!(parts[1].starts_with("```rust\n"));
    }

    #[test]
    fn indentation_and_empty_lines_of_code_stay() {
        let code = "    a\n\n\n    b\n".repeat(12);
        let parts = chunk(&format!("~~~\n{code}~~~"), 60, TextUnit::Chars);
        let lines = |text: &str| {
            text.lines()
                .filter(|l| !l.starts_with("~~~"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let all: Vec<_> = parts.iter().flat_map(|part| lines(part)).collect();
        assert_eq!(all, lines(&code));
    }

    /// A text of what is hard to cut, from a seed.
    fn hard(mut seed: u64, max_atoms: u64) -> (String, u64) {
        const BITS: [&str; 28] = [
            "a",
            "word",
            " ",
            " ",
            "\n",
            "\n\n",
            "é",
            "e\u{301}",
            "👩‍👩‍👧‍👦",
            "🇩🇪",
            "🇩",
            "&amp;",
            "&#x27;",
            "&",
            ";",
            "한",
            "क्षि",
            "```",
            "\n```rust\n",
            "\n```\n",
            "~~~",
            "\n~~~~ x\n",
            "\u{200d}",
            "\r\n",
            "z\u{300}\u{301}\u{302}",
            "👍🏽",
            "`",
            " \u{308}",
        ];
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let text = (0..draw(max_atoms)).map(|_| BITS[draw(BITS.len() as u64) as usize]).collect();
        (text, draw(160))
    }

    #[test]
    fn in_a_hundred_thousand_texts_nothing_is_lost_too_long_or_cut_inside() {
        for seed in 0..100_000_u64 {
            let (text, draw) = hard(seed, 56);
            let unit = [TextUnit::Chars, TextUnit::Utf16, TextUnit::Bytes][(seed % 3) as usize];
            let max = SHORTEST + draw as usize;
            let pieces = pieces(&text, max, unit);
            let mut whole: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
            whole.push(text.len());
            let mut at = 0;
            for (n, piece) in pieces.iter().enumerate() {
                let context = || format!("seed {seed}, {unit:?} {max}, part {n} of {pieces:?}");
                assert!(length(&piece.text(), unit) <= max, "too long: {}", context());
                let begin = piece.body.as_ptr() as usize - text.as_ptr() as usize;
                let end = begin + piece.body.len();
                assert!(
                    text[at..begin].chars().all(char::is_whitespace),
                    "lost {:?}: {}",
                    &text[at..begin],
                    context()
                );
                for edge in [begin, end] {
                    let cluster = whole.partition_point(|b| *b <= edge).saturating_sub(1);
                    let cut = whole[cluster] != edge;
                    // What is longer than half of the limit, or any limit a platform has, may have to be cut.
                    let long = || length(&text[whole[cluster]..whole[cluster + 1]], unit) > max / 2;
                    assert!(!cut || max < 64 || long(), "a cluster is cut at {edge}: {}", context());
                    let begins = text[..edge].rfind('&').filter(|from| edge < from + entity(&text[*from..]));
                    assert!(begins.is_none() || max < 64, "an entity is cut at {edge}: {}", context());
                }
                // Each part is whole: whatever it opens it closes, but for a block that the text itself leaves open.
                if n + 1 < pieces.len() && max >= 40 {
                    let open = fence_behind(&piece.text(), None);
                    assert!(open.is_none(), "a block is left open: {}", context());
                }
                at = end;
            }
            assert!(text[at..].chars().all(char::is_whitespace), "lost at the end: {seed} {pieces:?}");
        }
    }
}
