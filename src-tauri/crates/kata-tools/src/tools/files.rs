//! `read`, `write` and `edit`.

use super::arguments::{Edit, Read, Write};
use super::{TEXT, text_of};
use crate::door;
use crate::why::{Why, why};
use std::fmt::Write as _;
use std::path::Path;

/// Largest file that is read or edited, bytes.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Lines given at once, and longest part of one, characters.
const LINES: usize = 2000;
const LINE: usize = 2000;

pub(super) fn read(args: &Read) -> Result<String, Why> {
    let path = Path::new(&args.path);
    if path.is_dir() {
        return Err(why(format!("{} is a folder; glob lists what is in it", path.display())));
    }
    let text = text_of(path, LARGEST)?;
    let first = args.offset.unwrap_or(1).max(1);
    let limit = args.limit.unwrap_or(LINES).min(LINES);
    let total = text.lines().count();
    if total == 0 {
        return Ok("[the file is empty]".into());
    }
    if first > total {
        return Err(why(format!("{} has {total} lines; there is no line {first}", path.display())));
    }
    let mut shown = String::new();
    let mut last = first - 1;
    for (n, line) in text.lines().enumerate().skip(first - 1).take(limit) {
        let short: String = line.chars().take(LINE).collect();
        let more = if short.len() < line.len() { " [cut]" } else { "" };
        if shown.len() + short.len() > TEXT - 1024 {
            break;
        }
        let _ = writeln!(shown, "{:>6}\t{short}{more}", n + 1);
        last = n + 1;
    }
    if last < total {
        let _ = write!(shown, "[lines {first} to {last} of {total}; go on with offset {}]", last + 1);
    }
    Ok(shown)
}

pub(super) fn write(args: &Write) -> Result<String, Why> {
    let path = Path::new(&args.path);
    let new = !path.exists();
    door::replace(path, args.content.as_bytes(), None).map_err(|e| why(format!("{}: {e}", path.display())))?;
    let what = if new { "made" } else { "replaced" };
    Ok(format!("{} {what}, {} bytes", path.display(), args.content.len()))
}

pub(super) fn edit(args: &Edit) -> Result<String, Why> {
    let path = Path::new(&args.path);
    if args.old.is_empty() {
        return Err("“old” is empty; write makes a file".into());
    }
    if args.old == args.new {
        return Err("“old” and “new” are the same".into());
    }
    let text = text_of(path, LARGEST)?;
    let count = text.matches(&args.old).count();
    match count {
        0 => {
            return Err(why(format!(
                "“old” does not stand in {}; read it and copy it exactly",
                path.display()
            )));
        }
        1 => {}
        _ if args.all => {}
        _ => {
            return Err(why(format!(
                "“old” stands in {} {count} times; give more of what is around it, or all",
                path.display()
            )));
        }
    }
    let changed = text.replace(&args.old, &args.new);
    door::replace(path, changed.as_bytes(), None).map_err(|e| why(format!("{}: {e}", path.display())))?;
    Ok(format!(
        "{} changed in {count} {}",
        path.display(),
        if count == 1 { "place" } else { "places" }
    ))
}
