//! Cuts a text to a channel's limit: at a paragraph, else a line, else a word, else between characters; never inside one.
//! A fenced code block that is cut is closed and opened again.

use kata_protocol::TextUnit;

const FENCE: &str = "```";

/// Parts of `text`, each at most `max` units long. An empty text has no parts. `max` below 16 counts as 16.
pub fn chunk(text: &str, max: u32, unit: TextUnit) -> Vec<String> {
    let max = max.max(16) as usize;
    let mut parts = Vec::new();
    let mut rest = text.trim();
    let mut fence: Option<String> = None;
    while !rest.is_empty() {
        let opening = fence.as_ref().map(|f| format!("{f}\n")).unwrap_or_default();
        if length(&opening, unit) + length(rest, unit) <= max {
            parts.push(opening + rest);
            break;
        }
        // Room for what may have to be added to close an open block.
        let room = max.saturating_sub(length(&opening, unit) + FENCE.len() + 1).max(4);
        let cut = boundary(rest, room, unit);
        let (head, tail) = rest.split_at(cut);
        fence = open_fence(head, fence).filter(|f| length(f, unit) + 8 < max / 2);
        let closing = if fence.is_some() { format!("\n{FENCE}") } else { String::new() };
        parts.push(format!("{opening}{}{closing}", head.trim_end()));
        rest = if fence.is_some() {
            tail.trim_start_matches('\n')
        } else {
            tail.trim_start()
        };
    }
    parts.retain(|p| !p.trim().is_empty());
    parts
}

/// Length of a text in a channel's unit.
pub fn length(text: &str, unit: TextUnit) -> usize {
    match unit {
        TextUnit::Chars => text.chars().count(),
        TextUnit::Utf16 => text.encode_utf16().count(),
        TextUnit::Bytes => text.len(),
    }
}

/// The fence that is open behind `head`, when `open` was open before it.
fn open_fence(head: &str, mut open: Option<String>) -> Option<String> {
    for line in head.lines().map(str::trim_start).filter(|l| l.starts_with(FENCE)) {
        open = if open.is_some() { None } else { Some(line.trim_end().to_owned()) };
    }
    open
}

/// Byte position of the best cut within `room` units; at least one character.
fn boundary(text: &str, room: usize, unit: TextUnit) -> usize {
    let mut used = 0;
    let mut hard = text.len();
    for (at, c) in text.char_indices() {
        used += match unit {
            TextUnit::Chars => 1,
            TextUnit::Utf16 => c.len_utf16(),
            TextUnit::Bytes => c.len_utf8(),
        };
        if used > room {
            hard = at;
            break;
        }
    }
    let hard = hard.max(text.chars().next().map_or(0, char::len_utf8));
    let window = &text[..hard];
    // A cut in the first half would make many short parts.
    let late = |at: &usize| *at > hard / 2;
    window
        .rfind("\n\n")
        .filter(late)
        .or_else(|| window.rfind('\n').filter(late))
        .or_else(|| window.rfind(char::is_whitespace).filter(late))
        .unwrap_or(hard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            assert_eq!(part.matches(FENCE).count() % 2, 0, "{part}");
        }
        assert!(parts[1].starts_with("```rust\n"));
    }

    proptest! {
        #[test]
        fn no_part_is_too_long_and_no_word_is_lost(text in "[a-zé😀 \n`]{0,400}", max in 16u32..80, unit in 0..3usize) {
            let unit = [TextUnit::Chars, TextUnit::Utf16, TextUnit::Bytes][unit];
            let parts = chunk(&text, max, unit);
            for part in &parts {
                prop_assert!(length(part, unit) <= max as usize, "{} > {max}: {part:?}", length(part, unit));
            }
            let letters = |s: &str| s.chars().filter(|c| !c.is_whitespace() && *c != '`').collect::<String>();
            // A repeated fence may carry its info string again; everything else appears exactly once.
            if !text.contains(FENCE) {
                prop_assert_eq!(letters(&parts.concat()), letters(&text));
            }
        }
    }
}
