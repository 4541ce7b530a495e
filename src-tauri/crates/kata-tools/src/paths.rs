//! A path made plain: absolute, without `.`, `..` and symbolic links, also where its end does not exist yet. What is compared
//! afterwards is compared component by component; nothing here looks at a path as text.

use crate::why::{Why, why};
use kata_core::ports::Unfit;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links followed before a path counts as a circle.
const LINKS: u32 = 40;

/// Makes `text` plain. A relative path starts at `base`, `~` at `user_home`. `..` leads to the real folder above, after links;
/// behind a part that does not exist it is refused, since it would mean something else once that part is made.
pub fn plain(text: &str, base: &Path, user_home: &Path) -> Result<PathBuf, Unfit> {
    let unfit = |why: &str| Err(Unfit(format!("The path “{text}” {why}.")));
    if text.is_empty() {
        return unfit("is empty");
    }
    if text.contains('\0') {
        return unfit("contains a zero byte");
    }
    let expanded = match text.strip_prefix('~') {
        Some("") => user_home.to_path_buf(),
        Some(rest) if rest.starts_with('/') || rest.starts_with('\\') => user_home.join(&rest[1..]),
        Some(_) => return unfit("names another person's folder with “~”; write it in full"),
        None => base.join(text),
    };
    if !expanded.is_absolute() {
        return unfit("is not absolute, and there is no folder it could start from");
    }
    walk(&expanded).map_err(|why| Unfit(format!("The path “{text}” {why}.")))
}

fn walk(path: &Path) -> Result<PathBuf, Why> {
    let mut ahead: VecDeque<OsString> = VecDeque::new();
    let mut plain = PathBuf::new();
    enter(path, &mut plain, &mut ahead);
    let mut links = 0;
    let mut missing = false;
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            if missing {
                return Err("leads up again from a folder that does not exist".into());
            }
            plain.pop();
            continue;
        }
        let next = plain.join(&part);
        if missing {
            plain = next;
            continue;
        }
        match std::fs::symlink_metadata(&next) {
            Ok(meta) if meta.file_type().is_symlink() => {
                links += 1;
                if links > LINKS {
                    return Err("goes through too many links".into());
                }
                let target = std::fs::read_link(&next).map_err(|e| why(format!("has a link that cannot be read: {e}")))?;
                let rest = std::mem::take(&mut ahead);
                enter(&target, &mut plain, &mut ahead);
                ahead.extend(rest);
            }
            Ok(_) => plain = next,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                missing = true;
                plain = next;
            }
            // A file in the middle: nothing can exist below it.
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
                return Err("goes through a file as if it were a folder".into());
            }
            Err(e) => return Err(why(format!("cannot be looked at: {e}"))),
        }
    }
    Ok(plain)
}

/// Puts the parts of `path` into `ahead`; an absolute one starts `plain` anew.
fn enter(path: &Path, plain: &mut PathBuf, ahead: &mut VecDeque<OsString>) {
    for component in path.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => plain.push(component.as_os_str()),
            Component::CurDir => {}
            Component::ParentDir => ahead.push_back("..".into()),
            Component::Normal(name) => ahead.push_back(name.to_owned()),
        }
    }
}
