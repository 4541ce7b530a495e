//! How much room the disk has that the project is built on.

use crate::process::{command, output};
use std::path::Path;

/// With less than this, bytes, left at the end, something was refused room on the way: the tests fill and free more than that.
pub(crate) const TIGHT: u64 = 1 << 30;

/// Bytes that are free where `root` lies; `None` where `df` does not tell.
pub(crate) fn free(root: &Path) -> Option<u64> {
    read(&output(&mut command(root, "df -Pk ."))?)
}

/// In words.
pub(crate) fn words(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1024 * 10 / 1024)
}

/// The fourth column of the second line, kibibytes, as POSIX has it.
fn read(table: &str) -> Option<u64> {
    let kib: u64 = table.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_df_prints_is_read() {
        let table = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 263174212 53477376 42991616 56% /\n";
        assert_eq!(read(table), Some(42_991_616 << 10));
        assert_eq!(words(read(table).unwrap_or_default()), "41.0 GiB");
        assert_eq!(read("df: no such thing"), None);
    }
}
